# SPDX-License-Identifier: ISC
# svconn: `make demo` runs the main job, `make check` the tests; `make help` lists the rest.
# A C compiler and make are enough. CC, CFLAGS, BUILD and V=1 may be set.

BUILD  ?= build
CFLAGS ?= -O2 -g
AR     ?= ar
PYTHON ?= python3

# As many jobs as processors, unless -j says otherwise
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
endif

# Windows, by MinGW: make CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar BUILD=build/windows. Other links, other libraries (docs/windows.md).
WINDOWS := $(findstring mingw,$(shell $(CC) -dumpmachine 2>/dev/null))
EXE     := $(if $(WINDOWS),.exe)
LDLIBS  := $(if $(WINDOWS),-lws2_32 -lbcrypt -lshell32 -lntdll)

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wundef -Wvla
STD  := -std=c11

CRYPTO    := $(sort $(wildcard crypto/*.c))
SVC       := $(sort $(wildcard svc/*.c))
TRANSPORT := $(sort $(wildcard transport/*.c))
ifdef WINDOWS
TRANSPORT := $(filter-out $(addprefix transport/,descriptor.c exec.c random.c rfcomm.c serial.c socket.c spool.c tty.c),$(TRANSPORT)) \
             $(sort $(wildcard transport/windows/*.c))
endif
CMD       := $(sort $(wildcard cmd/*.c))
ifdef WINDOWS
# What cmd/windows has its own of is not taken from cmd
CMD := $(filter-out $(patsubst cmd/windows/%,cmd/%,$(wildcard cmd/windows/*.c)),$(CMD)) $(sort $(wildcard cmd/windows/*.c))
endif
TESTS     := $(sort $(wildcard tests/test_*.c))
EXAMPLES  := $(sort $(wildcard examples/*.c))

# Who may see whom is decided here: a layer gets only the include paths below it.
INC_crypto    := -Icrypto
INC_svc       := -Isvc -Icrypto
INC_transport := -Isvc -Icrypto -Itransport
INC_cmd       := -Isvc -Icrypto -Itransport -Icmd $(if $(WINDOWS),-include cmd/windows/posix.h)
INC_examples  := -Isvc -Itransport
INC_tests     := -Isvc -Icrypto -Itransport -Itests

# The core is freestanding in spirit: plain C11. The rest may use POSIX.
POSIX := -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ      := $(call obj,$(CRYPTO) $(SVC))
TRANSPORT_OBJ := $(call obj,$(TRANSPORT))
CMD_OBJ       := $(call obj,$(CMD)) $(if $(WINDOWS),$(BUILD)/cmd/windows/svconn.res.o)
TEST_BIN      := $(patsubst %.c,$(BUILD)/%$(EXE),$(TESTS))
EXAMPLE_BIN   := $(patsubst %.c,$(BUILD)/%$(EXE),$(EXAMPLES))

LIB   := $(BUILD)/libsvconn.a
TLIB  := $(BUILD)/libsvconn_transport.a
PROG  := $(BUILD)/svconn$(EXE)

Q := $(if $(V),,@)
say = @printf '  %-5s %s\n' $(1) $(2)

.PHONY: all lib program tests examples
all: $(LIB) $(TLIB) $(PROG)
lib: $(LIB) $(TLIB)
program: $(PROG)
tests: $(TEST_BIN)
examples: $(EXAMPLE_BIN)

$(LIB): $(CORE_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(TLIB): $(TRANSPORT_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
# The program and the links want both roles and all kinds of identities
PARTIAL = $(filter -DSVCONN_CLIENT_ONLY -DSVCONN_SERVER_ONLY -DSVCONN_PSK_ONLY -DSVCONN_NO_PSK -DSVCONN_NO_CUSTOM -DSVCONN_MESSAGE_LIMIT=%,$(CPPFLAGS) $(CFLAGS))
.PHONY: whole
whole:
	@if [ -n "$(PARTIAL)" ]; then echo 'With $(PARTIAL) there is the core alone, without links and program: make install-core, or make $(LIB)' >&2; exit 1; fi
$(TRANSPORT_OBJ) $(CMD_OBJ): | whole
$(PROG): $(CMD_OBJ) $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CMD_OBJ) $(TLIB) $(LIB) $(LDLIBS)

# A file with the text of a variable, written only when that changes: what depends on it is made again then. $(1): file, $(2): variable
define stamp
$(1): always
	@mkdir -p $$(@D) && text='$$(subst ','\'',$$($(2)))' && if [ "$$$$(cat $$@ 2>/dev/null)" != "$$$$text" ]; then printf '%s\n' "$$$$text" >$$@; fi
endef
.PHONY: always
FLAGS = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(eval $(call stamp,$(BUILD)/flags,FLAGS))

define layer
$(BUILD)/$(1)/%.o: $(1)/%.c Makefile $(BUILD)/flags
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(STD) $(2) $$(CPPFLAGS) $$(INC_$(1)) $$(WARN) $$(CFLAGS) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call layer,crypto,))
$(eval $(call layer,svc,))
$(eval $(call layer,transport,))
$(eval $(call layer,cmd,$(POSIX)))
$(eval $(call layer,tests,$(POSIX)))
$(eval $(call layer,examples,$(POSIX)))

$(TEST_BIN) $(EXAMPLE_BIN): $(BUILD)/%$(EXE): $(BUILD)/%.o $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TLIB) $(LIB) $(LDLIBS)

# The line of tests/serial.sh
tests: $(BUILD)/tests/serial/wire
$(BUILD)/tests/serial/wire: $(BUILD)/tests/serial/wire.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/cmd/windows/svconn.res.o: cmd/windows/svconn.rc cmd/windows/svconn.manifest
	@mkdir -p $(@D)
	$(Q)$(or $(WINDRES),$(if $(filter %gcc,$(CC)),$(patsubst %gcc,%windres,$(CC)),windres)) -Icmd/windows -o $@ $<

# Tests of parts of the program see its headers, and have all of it but main
CMD_TESTS := $(addprefix $(BUILD)/tests/,test_guard test_tunnel test_files test_files_hostile)
$(CMD_TESTS): $(filter-out $(BUILD)/cmd/main.o,$(CMD_OBJ))
$(CMD_TESTS:%=%.o): INC_tests += -Icmd

# ---- the main job -------------------------------------------------------------------------------------------
# make demo           the echo demo across a relay, with a built-in text
# make demo FILE=f    with your own
.PHONY: demo
demo: $(PROG)
	@$(PROG) demo $(FILE)

# ---- the tests -----------------------------------------------------------------------------------------------
# Everything twice: as it ships, and under AddressSanitizer and UndefinedBehaviorSanitizer where the compiler has them.
# (Object sizes are what AddressSanitizer looks after; doing it twice makes the compiler three times slower. The curves in vectors are
# tried under the sanitizers by the tests of the curves alone: in every handshake they would take most of the time.)
SANITIZE := -O1 -g1 -fsanitize=address,undefined -fno-sanitize=object-size -fno-sanitize-recover=all -fno-omit-frame-pointer
CAN_SANITIZE = $(shell t=$$(mktemp) && echo 'int main(void){return 0;}' | $(CC) $(SANITIZE) -x c -o $$t - 2>/dev/null && $$t && echo yes; rm -f $$t)
ASAN := $(BUILD)/asan

CURVE_TESTS := test_curve test_curve_ifma test_curve_small test_curve_small16
NO_VECTOR_CURVES := SVCONN_TEST_WITHOUT=0x480
# Scripts that try the program
SCRIPTS := cmd tool keys peers files doctor completion units tour wire serial
run_tests = $(patsubst %,$(1)/tests/%,$(CURVE_TESTS)) $(patsubst %,"$(2)$(1)/tests/%",$(filter-out $(CURVE_TESTS),$(UNIT))) \
            $(patsubst %,"sh tests/%.sh $(1)/svconn",$(SCRIPTS)) "sh tests/examples.sh $(1)/examples"

.PHONY: check check-build check-asan-build
check: check-build $(if $(CAN_SANITIZE),check-asan-build)
	@sh tests/run.sh $(call run_tests,$(BUILD)) "sh tests/symbols.sh $(LIB)" "sh tests/headers.sh" "sh tests/readme.sh" \
	    "sh tests/interop.sh $(PROG)" \
	    $(if $(CAN_SANITIZE),$(call run_tests,$(ASAN),$(NO_VECTOR_CURVES) ),"echo 'skip sanitizers: $(CC) cannot link -fsanitize=address,undefined'")
check-build: all tests examples
check-asan-build: check-build
	@$(MAKE) --no-print-directory BUILD=$(ASAN) CFLAGS="$(SANITIZE)" all tests examples

# ---- heavier suites: each says what it skips and why ------------------------------------------------------------
# The unit tests once more, built in another way. $(1): name, $(2): compiler, $(3): flags, $(4): linker flags, $(5): how to run a program,
# $(6): which of them, if not all
UNIT = $(notdir $(basename $(TESTS)))
define other_build
.PHONY: check-$(1)
check-$(1):
	@if echo 'int main(void){return 0;}' | $(2) $(3) $(4) -x c -o /dev/null - 2>/dev/null; then \
	    $$(MAKE) --no-print-directory BUILD=$$(BUILD)/$(1) CC="$(2)" CFLAGS="$(3)" LDFLAGS="$(4)" $(if $(6),$$(patsubst %,$$(BUILD)/$(1)/tests/%,$(6)),tests) && \
	    sh tests/run.sh $$(patsubst %,"$(5)$$(BUILD)/$(1)/tests/%",$(or $(6),$$(UNIT))); \
	else sh tests/run.sh "echo 'pass nothing was run'; echo 'skip check-$(1): $(2) $(3) cannot link here'"; fi
endef
$(eval $(call other_build,gcc,gcc,-O3 -g,,))
$(eval $(call other_build,clang,clang,-O2 -g,,))
# Those of cryptography and of sessions, for what makes no difference above them
CORE_TESTS := $(addprefix test_,curve curve_small hash gcm bounds backends svc_vectors session states secrets renewal bytes calls timers hostile hostile_mitm seed slices sliced_svc_vectors)
$(eval $(call other_build,force32,$(CC),-O2 -g -DSVCONN_FORCE_32,,,$(CORE_TESTS)))
# (without gcc-multilib, which cannot stand beside the cross compilers, the kernel's headers are where 64 bits have them)
$(eval $(call other_build,m32,gcc,-O2 -g -m32 -idirafter /usr/include/$(shell gcc -print-multiarch 2>/dev/null),,))
$(eval $(call other_build,portable,$(CC),-O2 -g -DSVCONN_PORTABLE_ONLY,,,$(CORE_TESTS)))
# The curves and hashes for small machines (crypto/profile.h), with the tests of cryptography and of sessions. The sanitizer sees limbs overflow.
$(eval $(call other_build,fe29,$(CC),-O2 -g -DSVCONN_FE=29,,,$(CORE_TESTS)))
$(eval $(call other_build,fe13,$(CC),-O2 -g -DSVCONN_FE=13 -DSVCONN_FORCE_32 -DSVCONN_NARROW_MUL,,,$(CORE_TESTS)))
$(eval $(call other_build,small,$(CC),-O2 -g -DSVCONN_SMALL -DSVCONN_FORCE_32,,,$(filter-out test_bounds,$(CORE_TESTS))))
$(eval $(call other_build,small13,$(CC),-O2 -g -DSVCONN_SMALL -DSVCONN_FORCE_32 -DSVCONN_NARROW_MUL,,,$(filter-out test_bounds,$(CORE_TESTS))))
$(eval $(call other_build,small-fast-aes,$(CC),-O2 -g -DSVCONN_SMALL -DSVCONN_FAST_AES -DSVCONN_FORCE_32,,,test_gcm test_backends test_secrets))
SMALL_SAN := -O1 -g1 -DSVCONN_SMALL -fsanitize=undefined -fno-sanitize-recover=all
$(eval $(call other_build,small-san29,$(CC),$(SMALL_SAN),,,test_curve test_curve_small test_hash test_gcm))
$(eval $(call other_build,small-san13,$(CC),$(SMALL_SAN) -DSVCONN_NARROW_MUL -DSVCONN_FORCE_32,,,test_curve test_curve_small test_hash test_gcm))
$(eval $(call other_build,aarch64,aarch64-linux-gnu-gcc,-O2 -g -march=armv8-a+crypto,-static,qemu-aarch64 -cpu max ,$(CORE_TESTS)))
# (files and tunnels have no bytes of their own order but those of records)
$(eval $(call other_build,s390x,s390x-linux-gnu-gcc,-O2 -g,-static,qemu-s390x ,$(filter-out test_files% test_tunnel test_guard test_sliced%,$(UNIT))))
# (not the curves alone, which take longest: make ct has them under valgrind; nor twice what is there in slices too)
$(eval $(call other_build,valgrind,gcc,-O1 -g,,valgrind -q --error-exitcode=9 --leak-check=full ,$(filter-out test_curve% test_bounds test_backends test_sliced%,$(UNIT))))

# Built for Windows by MinGW and, as MSVC would read it, by clang; run under wine
.PHONY: check-windows
check-windows: all
	@sh tests/pairs/c.sh build
	@sh tests/run.sh "sh tests/windows.sh mingw $(BUILD) 64" "sh tests/windows.sh mingw $(BUILD) 32" "sh tests/windows.sh msvc $(BUILD)" \
	    "sh tests/windows.sh frames $(BUILD)" "sh tests/windows.sh build $(BUILD)"

# The bounds of these limbs, in exact intervals (Python)
.PHONY: check-limbs
check-limbs:
	@sh tests/run.sh "$(PYTHON) tests/limbs.py"

.PHONY: check-cavp check-wycheproof wycheproof check-formal check-slow vectors
# The published vectors of Debian's package python3-cryptography-vectors (NIST CAVP, Ed25519 and more)
check-cavp: lib
	@sh tests/run.sh "sh tests/cavp/run.sh $(BUILD)"
# make wycheproof WYCHEPROOF=directory of the upstream JSON files
wycheproof check-wycheproof: lib
	@sh tests/run.sh "sh tests/cavp/wycheproof.sh $(WYCHEPROOF) $(BUILD)"
# The renewal rule, explored exhaustively (ProVerif models: see spec/formal/README.md)
check-formal:
	@sh tests/run.sh "$(PYTHON) spec/formal/check.py && echo 'pass formal: the renewal rule' && echo 'skip formal: ProVerif is in no Debian package; see spec/formal/README.md'"
# Sessions through the real proxies, relays and tunnels that are installed here (Debian packages: tinyproxy squid ncat microsocks dante-server
# haproxy nginx libnginx-mod-stream socat openssl openssh-server magic-wormhole-transit-relay websockify), and two relays of ours behind HAProxy
.PHONY: check-links
check-links: program
	@sh tests/run.sh "sh tests/links.sh $(PROG)" "sh tests/frames_links.sh $(PROG)" "sh tests/relay_pool.sh $(PROG)"
# Real programs by way of svconn serve, forward, listen and connect, across our own relay (Debian packages: tigervnc-standalone-server
# tigervnc-viewer xvfb imagemagick xdotool rsync git postgresql nginx-light curl openssh-client openssh-server)
$(BUILD)/tests/tunnel/ends: $(BUILD)/tests/tunnel/ends.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
.PHONY: check-tunnel
check-tunnel: program $(BUILD)/tests/tunnel/ends
	@sh tests/run.sh "sh tests/tunnel_apps.sh $(PROG) $(BUILD)/tests/tunnel/ends"
# The binding for Java and Android on the JVM of this machine, against the program (packages: openjdk-17-jdk-headless, cmake)
JAVAC ?= javac
JNI := $(BUILD)/jni
JNI_FLAGS := -fPIC -fvisibility=hidden
ifneq ($(filter check-jni check-jni-run jni-%,$(MAKECMDGOALS)),)
JDK := $(patsubst %/bin/javac,%,$(realpath $(shell command -v $(JAVAC) 2>/dev/null)))
endif
JNI_JAVA := $(wildcard bindings/jvm/java/io/svconn/*.java bindings/jvm/examples/*.java tests/jni/*.java)
# The compiler's run-time library for a program that is not ours, if it has one
JNI_ASAN = $(wildcard $(shell $(CC) -print-file-name=libasan.so 2>/dev/null))
INC_bindings/jvm = -Isvc -isystem $(JDK)/include -isystem $(JDK)/include/linux
$(eval $(call layer,bindings/jvm,))
.PHONY: jni-lib check-jni check-jni-run
jni-lib: $(BUILD)/libsvconn_jni.so
$(BUILD)/libsvconn_jni.so: $(BUILD)/bindings/jvm/svconn_jni.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^
$(JNI)/classes/made: $(JNI_JAVA) Makefile
	$(call say,JAVAC,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && $(JAVAC) --release 8 -Xlint:all,-options,-try -Werror -d $(@D) $(JNI_JAVA) && touch $@
check-jni: program
	@if [ -e "$(JDK)/include/linux/jni_md.h" ]; then $(MAKE) --no-print-directory check-jni-run; \
	else sh tests/run.sh "echo 'pass nothing was run'; echo 'skip check-jni: no $(JAVAC) with a jni.h (package openjdk-17-jdk-headless)'"; fi
check-jni-run: $(JNI)/classes/made
	@$(MAKE) --no-print-directory BUILD=$(JNI)/lib CFLAGS="$(CFLAGS) $(JNI_FLAGS)" jni-lib
	@rm -rf $(JNI)/asan/runtime
	@if [ -n "$(CAN_SANITIZE)" ] && [ -n "$(JNI_ASAN)" ]; then mkdir -p $(JNI)/asan && \
	    $(MAKE) --no-print-directory BUILD=$(JNI)/asan CFLAGS="$(SANITIZE) $(JNI_FLAGS)" jni-lib && echo "$(JNI_ASAN)" >$(JNI)/asan/runtime; fi
	@sh tests/run.sh "sh tests/jni.sh $(PROG) $(JNI) inside" "sh tests/jni.sh $(PROG) $(JNI) asan" "sh tests/jni.sh $(PROG) $(JNI) echo" \
	    "JAVA_HOME='$(JDK)' sh tests/jni.sh $(PROG) $(JNI) cmake" "sh tests/jni.sh $(PROG) $(JNI) api"
# The Python package (bindings/python): built, installed in an environment of its own and tested there, against the program
.PHONY: check-python
check-python: program
	@PYTHON="$(PYTHON)" sh tests/run.sh "sh tests/python.sh check $(BUILD)"
# The core in WebAssembly with a module for JavaScript, as a package of npm, and a page (packages: clang, lld); its tests (nodejs npm node-typescript
# node-ws websockify python3-selenium chromium chromium-driver firefox-esr webkit2gtk-driver xvfb); its size and speed
.PHONY: wasm check-web bench-web
wasm:
	@sh bindings/web/build.sh $(BUILD)/web
check-web: program examples
	@PYTHON=$(PYTHON) sh tests/web.sh $(BUILD)
bench-web: wasm
	@node bench/web.mjs $(BUILD)/web/package && echo && node bench/web.mjs $(BUILD)/web/package svconn.wasm
# The wrapper for C++ (bindings/cpp), with each compiler and standard (packages: g++, clang)
.PHONY: check-cpp
check-cpp: lib
	@sh tests/run.sh $(foreach c,$(or $(CXX_COMPILERS),g++ clang++),$(foreach s,17 20 2b,"sh tests/cpp/run.sh $(c) $(s) $(BUILD)"))
# The crates for Rust (bindings/rust), without a network (packages: cargo, librust-cc-dev, rust-clippy)
.PHONY: check-rust
check-rust:
	@sh tests/run.sh "sh tests/rust/run.sh $(BUILD)"
# All bindings and platforms that have a peer in tests/pairs against each other; it says which one lacks what. PAIRS="c rust" chooses.
.PHONY: check-pairs
check-pairs: all
	@sh tests/pairs/run.sh
# svconn as a package of other build systems, from the installation to a program that runs, as far as they are here; the files of the others are read
# (Debian packages: pkg-config, cmake, meson, ninja-build, python3-yaml, g++, clang, gcc-arm-none-eabi); the recipes of docs/randomness.md too
PACKAGED := make cmake-static cmake-shared cmake-source meson arduino swift
.PHONY: check-packaging arduino
check-packaging: all
	@sh tests/run.sh "$(PYTHON) tests/packaging/lint.py" "$(PYTHON) tests/packaging/lint.py --self" "sh tests/random/run.sh $(BUILD)" \
	    $(patsubst %,"sh tests/packaging/check.sh % $(BUILD)",$(PACKAGED))
# A library for Arduino, in $(DIST)/arduino/svconn. Its core is not in the include path, for its names (wire.h) are also those of others (Wire.h).
DIST ?= dist
ARDUINO := $(DIST)/arduino/svconn
arduino:
	$(Q)rm -rf $(ARDUINO) && mkdir -p $(ARDUINO)/src/core
	$(Q)cp -R LICENSE packaging/arduino/library.properties packaging/arduino/examples $(ARDUINO)/
	$(Q)cp svc/*.[ch] crypto/*.[ch] transport/line.c transport/svconn_line.h $(ARDUINO)/src/core/
	$(Q)for h in svconn.h svconn_line.h; do printf '/* SPDX-License-Identifier: ISC */\n#include "core/%s"\n' $$h >$(ARDUINO)/src/$$h; done
	$(call say,DIST,$(ARDUINO))
# The program on the RFCOMM sockets of a real kernel: QEMU and two virtual Bluetooth controllers (Debian: qemu-system-x86; the kernel and the
# controllers are fetched with apt, into $(BUILD)/rfcomm, and not installed). The variables are those of tests/rfcomm/run.sh.
RFCOMM_TOOLS := $(addprefix $(BUILD)/tests/rfcomm/,adapters plain record)
$(RFCOMM_TOOLS): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
.PHONY: check-rfcomm check-asan-program
check-asan-program:
	@$(MAKE) --no-print-directory BUILD=$(ASAN) CFLAGS="$(SANITIZE)" program
check-rfcomm: program $(RFCOMM_TOOLS) $(if $(CAN_SANITIZE),check-asan-program)
	@sh tests/rfcomm/run.sh $(BUILD)
# What takes minutes: a million iterations (RFC 7748), all key ids, whole keys, every split of every vector, deadlines
check-slow: tests program
	@SVCONN_SLOW=1 sh tests/run.sh $(addprefix $(BUILD)/tests/test_,curve renewal svc_vectors relay_limits) "sh tests/interop.sh $(PROG)"
# Makes our own vectors again; the file must not change unless the protocol does
vectors:
	$(PYTHON) tests/interop/gen_vectors.py

# The tests of cryptography and of sessions with every backend of crypto/cpu.h that this CPU has
.PHONY: check-backends
check-backends: tests
	@sh tests/run.sh "sh tests/backends.sh $(BUILD)/tests" "sh tests/frames.sh gcc clang"

# What the switches of crypto/profile.h leave out, alone and together: 20 builds (packages: clang, gcc-arm-none-eabi)
.PHONY: check-profiles
check-profiles: lib
	@sh tests/run.sh "CC='$(CC)' sh tests/profiles/run.sh $(BUILD)/profiles $(LIB)"

# The backends for x86-64 on an emulated CPU that has them all (packages: bochs, bochs-term, bochsbios)
.PHONY: check-bochs
check-bochs:
	@sh tests/run.sh "sh tests/bochs/run.sh $(BUILD)/bochs"

# Constant time, by valgrind (packages: valgrind, clang): every compiler here, five levels, and what each kind of machine gets. CT_COMPILERS="gcc clang-19" chooses.
.PHONY: ct
ct:
	@sh tests/run.sh $(foreach c,$(or $(CT_COMPILERS),gcc clang clang-16 clang-19),"CT_COMPILERS=$(c) sh tests/ct/run.sh $(BUILD)/ct/$(c)")

# The library on the instruction sets of chips (tests/embedded): bare-metal images in QEMU, and processes of other byte orders. What it costs on
# chips is held against tests/embedded/budget.tsv; docs/embedded.md.
EMBEDDED := $(BUILD)/embedded
EMBEDDED_COLUMNS := m0-small m0-fast m3-small m3-fast m4-small m4-fast rv32-small rv32-fast
EMBEDDED_PROCESSES := s390x ppc mips i386 aarch64 armhf
embedded_chips = $(foreach c,$(EMBEDDED_COLUMNS),"sh tests/embedded/chip.sh $(EMBEDDED) $(subst -, ,$(c)) $(1)")
embedded_table = $(PYTHON) tests/embedded/table.py
.PHONY: embedded embedded-table embedded-accept
embedded embedded-table embedded-accept: export PYTHON := $(PYTHON)
embedded:
	@rm -rf $(EMBEDDED)/table
	@sh tests/run.sh $(call embedded_chips,) $(foreach t,$(EMBEDDED_PROCESSES),"sh tests/embedded/run.sh $(EMBEDDED) $(t) -O2"); \
	    status=$$?; $(embedded_table) report $(EMBEDDED)/table; exit $$status
# All that was measured; embedded-accept writes tests/embedded/budget.tsv from it
embedded-table:
	@rm -rf $(EMBEDDED)/table
	@sh tests/run.sh $(call embedded_chips,count) || true
	@$(embedded_table) show $(EMBEDDED)/table && $(embedded_table) report $(EMBEDDED)/table
embedded-accept:
	@rm -rf $(EMBEDDED)/table
	@sh tests/run.sh $(call embedded_chips,count) || true
	@$(embedded_table) accept $(EMBEDDED)/table && $(embedded_table) report $(EMBEDDED)/table

# Constant time on chips: the addresses that are executed and touched, over several secrets, and instructions that take longer for some operands
.PHONY: ct-embedded
ct-embedded:
	@sh tests/run.sh $(foreach c,$(filter-out m3-fast,$(EMBEDDED_COLUMNS)),"sh tests/embedded/ct.sh $(EMBEDDED) $(subst -, ,$(c))") \
	    $(foreach c,m0-small m4-small m4-fast rv32-small,"sh tests/embedded/ct.sh $(EMBEDDED) $(subst -, ,$(c)) unit")
# ---- the library in two files ---------------------------------------------------------------------------------------
# dist/svconn.h and svconn.c, and svconn_transport.h and .c for POSIX, in the order of packaging/amalgamation/order
AMALGAMATION := $(addprefix dist/svconn,.h .c _transport.h _transport.c)
.PHONY: amalgamation check-amalgamation dist check-dist
amalgamation:
	@sh packaging/amalgamation/make.sh dist
	@wc -l $(AMALGAMATION)
# The tests as they are, linked with the joined sources in place of the many
JOINED := $(BUILD)/joined
INC_dist := -Idist
$(eval $(call layer,dist,))
$(AMALGAMATION): amalgamation
	@:
$(JOINED)/libsvconn.a: $(BUILD)/dist/svconn.o
$(JOINED)/inside/libsvconn.a: $(BUILD)/dist/inside/svconn.o
$(BUILD)/dist/inside/svconn.o: dist/svconn.c Makefile $(BUILD)/flags
	$(call say,CC,'$< (all external)')
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(CPPFLAGS) -DSVCONN_INTERNAL= -DSVCONN_SHARED= $(INC_dist) $(WARN) $(CFLAGS) -c -o $@ $<
$(JOINED)/libsvconn_transport.a: $(BUILD)/dist/svconn_transport.o
$(JOINED)/%.a:
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
JOINED_LIBS := $(JOINED)/libsvconn_transport.a $(JOINED)/libsvconn.a
# Tests that call what is static in svconn.c
JOINED_INSIDE := $(patsubst %,$(JOINED)/tests/test_%,backends bounds calls curve gcm hash renewal secrets session sliced_secrets sliced_session \
                 sliced_svc_vectors svc_vectors)
# Not the tests of the program, and not the one that has the curves in a copy of its own
JOINED_TESTS := $(filter-out $(CMD_TESTS) $(BUILD)/tests/test_curve_ifma,$(TEST_BIN))
JOINED_BIN := $(JOINED_TESTS:$(BUILD)/%=$(JOINED)/%)
$(JOINED_INSIDE): JOINED_CORE := $(JOINED)/inside/libsvconn.a
$(filter-out $(JOINED_INSIDE),$(JOINED_BIN)): JOINED_CORE := $(JOINED)/libsvconn.a
$(JOINED_BIN): $(JOINED)/%: $(BUILD)/%.o $(JOINED_LIBS) $(JOINED)/inside/libsvconn.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(JOINED)/libsvconn_transport.a $(JOINED_CORE)
$(JOINED)/svconn: $(CMD_OBJ) $(JOINED_LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CMD_OBJ) $(JOINED_LIBS)
# What inlining across files might change is looked at again: frames by both compilers, constant time by gcc -O2 only (it takes long)
.PHONY: check-amalgamation-build
check-amalgamation-build: $(JOINED_BIN) $(JOINED)/svconn $(BUILD)/tests/serial/wire
check-amalgamation: check-amalgamation-build
	@WARN="$(WARN)" sh tests/run.sh "sh tests/amalgamation.sh warnings gcc" "sh tests/amalgamation.sh warnings clang" \
	    "CT_LIBRARY='-include dist/svconn.c' CT_LEVELS=-O2 CT_COMPILERS=gcc CT_FLAGS=-g sh tests/ct/run.sh $(JOINED)/ct" \
	    "sh tests/amalgamation.sh machines" "sh tests/amalgamation.sh app $(JOINED)" "sh tests/amalgamation.sh header" "sh tests/amalgamation.sh bytes" \
	    "sh tests/amalgamation.sh names $(BUILD)/dist/svconn_transport.o" \
	    "sh tests/amalgamation.sh inside gcc" "sh tests/amalgamation.sh inside clang" "sh tests/symbols.sh $(JOINED)/libsvconn.a" $(JOINED_BIN)
# The source tree and the joined files in one archive (GNU tar)
dist:
	@sh packaging/dist.sh
check-dist:
	@sh tests/run.sh "sh tests/dist.sh"

# libFuzzer (Debian: clang and libclang-rt-14-dev, or another version): make fuzz FUZZ_SECONDS=60. Finds are kept in build/fuzz/
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz:
	@mkdir -p $(BUILD)/fuzz/corpus
	@if echo 'int LLVMFuzzerTestOneInput(void){return 0;}' | $(FUZZ_CC) -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null; then \
	    $(FUZZ_CC) $(STD) $(POSIX) $(INC_tests) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	        -o $(BUILD)/fuzz/session tests/fuzz/fuzz_session.c $(CRYPTO) $(SVC) && \
	    $(BUILD)/fuzz/session -max_total_time=$(FUZZ_SECONDS) -max_len=600 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus && sh tests/run.sh "echo 'pass fuzz: $(FUZZ_SECONDS) s without a find'"; \
	else sh tests/run.sh "echo 'pass nothing was run'; echo 'skip fuzz: $(FUZZ_CC) has no -fsanitize=fuzzer here'"; fi

# Time of svconn and of other libraries on the same work (bench/). Those whose headers are installed take part; the output names the packages of the others.
# make bench [BENCH_ITEMS="gcm sha256/64"] [BENCH_ROUNDS=41] [OPENSSL_DIR=another build of OpenSSL]    results: build/bench/bench.tsv
BENCH_PEERS := openssl sodium nettle wolfssl mbedtls bearssl gcrypt
BENCH_PROBE_openssl := openssl/provider.h
BENCH_LIBS_openssl  := $(if $(OPENSSL_DIR),$(foreach d,$(OPENSSL_DIR)/lib64 $(OPENSSL_DIR)/lib $(OPENSSL_DIR),-L$(d) -Wl,-rpath,$(d))) -lssl -lcrypto
BENCH_PROBE_sodium  := sodium.h
BENCH_LIBS_sodium   := -lsodium
BENCH_PROBE_nettle  := nettle/eddsa.h
BENCH_LIBS_nettle   := -lhogweed -lnettle -lgmp
BENCH_PROBE_wolfssl := wolfssl/options.h
BENCH_LIBS_wolfssl  := -lwolfssl
BENCH_PROBE_mbedtls := mbedtls/gcm.h
BENCH_LIBS_mbedtls  := -lmbedcrypto
BENCH_PROBE_bearssl := bearssl.h
BENCH_LIBS_bearssl  := -lbearssl
BENCH_PROBE_gcrypt  := gcrypt.h
BENCH_LIBS_gcrypt   := -lgcrypt
ifneq ($(filter bench icount $(BUILD)/bench/bench,$(MAKECMDGOALS)),)
BENCH_HERE := $(foreach p,$(BENCH_PEERS),$(shell printf '\043include <%s>\nint main(void){return 0;}\n' $(BENCH_PROBE_$(p)) | \
    $(CC) $(if $(OPENSSL_DIR),-isystem $(OPENSSL_DIR)/include) -x c - -o /dev/null $(BENCH_LIBS_$(p)) 2>/dev/null && echo $(p)))
endif
INC_bench = -Isvc -Icrypto -Ibench $(if $(OPENSSL_DIR),-isystem $(OPENSSL_DIR)/include) $(BENCH_HERE:%=-DBENCH_HAVE_%)
BENCH_OBJ = $(patsubst %,$(BUILD)/bench/%.o,bench inputs svconn $(BENCH_HERE))
BENCH_CONFIG = $(BENCH_HERE) $(OPENSSL_DIR)
$(eval $(call layer,bench,$(POSIX)))
$(BUILD)/bench/bench.o: WARN += -DBENCH_FLAGS='"$(CFLAGS)"'
$(BENCH_OBJ): $(BUILD)/bench/config
$(eval $(call stamp,$(BUILD)/bench/config,BENCH_CONFIG))
$(BUILD)/bench/bench: $(BENCH_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(BENCH_OBJ) $(LIB) $(foreach p,$(BENCH_HERE),$(BENCH_LIBS_$(p)))
# Without debug information: valgrind 3.19 gives up on clang's
$(BUILD)/bench/icount: $(patsubst %,$(BUILD)/bench/%.o,icount inputs svconn) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-S -o $@ $^
.PHONY: bench bench-plots icount
bench: $(BUILD)/bench/bench
	@$(BUILD)/bench/bench --rounds $(or $(BENCH_ROUNDS),41) --tsv $(BUILD)/bench/bench.tsv $(BENCH_ITEMS)
# Pictures of the results (gnuplot)
bench-plots:
	@sh bench/plots.sh $(BUILD)/bench/bench.tsv $(BUILD)/bench
# Instruction counts by callgrind: no noise. Results: build/bench/icount.tsv
icount: $(BUILD)/bench/icount
	@sh bench/icount.sh $(BUILD)/bench/icount $(BUILD)/bench
# Our relay next to others (haproxy, nginx, socat), on loopback. The variables are those of bench/relay.sh. Results: build/bench/relay.tsv
$(BUILD)/bench/relay/load.o: INC_bench = $(INC_transport) -Ibench -pthread
$(BUILD)/bench/relay/load: $(BUILD)/bench/relay/load.o $(BUILD)/bench/load_common.o $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^
.PHONY: bench-relay
bench-relay: $(BUILD)/bench/relay/load $(PROG)
	@sh bench/relay.sh $(BUILD)/bench/relay/load $(PROG) $(BUILD)/bench
# Our tunnel next to others (stunnel, spiped, ssh -L, no tunnel), on loopback. The variables are those of bench/tunnel.sh. Results: build/bench/tunnel.tsv
$(BUILD)/bench/tunnel/load: $(BUILD)/bench/tunnel/load.o $(BUILD)/bench/load_common.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
.PHONY: bench-tunnel
bench-tunnel: $(BUILD)/bench/tunnel/load $(PROG)
	@sh bench/tunnel.sh $(BUILD)/bench/tunnel/load $(PROG) $(BUILD)/bench

# ---- the rest ------------------------------------------------------------------------------------------------------
PREFIX ?= /usr/local
BASH_COMPLETION := share/bash-completion/completions/svconn
ZSH_COMPLETION  := share/zsh/site-functions/_svconn
FISH_COMPLETION := share/fish/vendor_completions.d/svconn.fish
USER_UNITS      := $(patsubst packaging/%,lib/%,$(wildcard packaging/systemd/user/*.service))
SHARED := $(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION) $(USER_UNITS)
# pkg-config: the prefix is found from where the file lies; the switches of crypto/profile.h are those of this build
VERSION = $(shell sed -n 's/^\#define SVCONN_VERSION "\(.*\)".*/\1/p' svc/svconn.h)
PC := $(patsubst packaging/%.pc.in,lib/pkgconfig/%.pc,$(wildcard packaging/*.pc.in))
PC_SWITCHES = $(filter -DSVCONN_%,$(CPPFLAGS) $(CFLAGS))
# $(1): names of .pc.in files without their ends
install_pc = for f in $(1); do sed 's|@UP@|../..|; s|@LIBDIR@|lib|; s|@INCLUDEDIR@|include|; s|@VERSION@|$(VERSION)|; s|@SWITCHES@|$(PC_SWITCHES:%= %)|; s|@SVCONN_SYSTEM_LIBS@|$(LDLIBS:%= %)|' \
	    "packaging/$$f.pc.in" >"$(DESTDIR)$(PREFIX)/lib/pkgconfig/$$f.pc" && chmod 644 "$(DESTDIR)$(PREFIX)/lib/pkgconfig/$$f.pc" || exit 1; done
.PHONY: install install-core uninstall clean help
install-core: $(LIB)
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 644 $(LIB) $(DESTDIR)$(PREFIX)/lib/
	install -m 644 svc/svconn.h bindings/cpp/svconn.hpp $(DESTDIR)$(PREFIX)/include/
	$(call install_pc,svconn)
install: all install-core
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROG) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(TLIB) $(DESTDIR)$(PREFIX)/lib/
	install -m 644 transport/svconn_transport.h transport/svconn_line.h $(DESTDIR)$(PREFIX)/include/
	$(call install_pc,svconn_transport)
	install -d $(foreach f,$(SHARED),$(DESTDIR)$(PREFIX)/$(dir $(f)))
	install -m 644 packaging/completion/svconn.bash $(DESTDIR)$(PREFIX)/$(BASH_COMPLETION)
	install -m 644 packaging/completion/svconn.zsh $(DESTDIR)$(PREFIX)/$(ZSH_COMPLETION)
	install -m 644 packaging/completion/svconn.fish $(DESTDIR)$(PREFIX)/$(FISH_COMPLETION)
	for f in $(notdir $(USER_UNITS)); do sed 's|/usr/local/bin/|$(PREFIX)/bin/|' "packaging/systemd/user/$$f" >"$(DESTDIR)$(PREFIX)/lib/systemd/user/$$f" && \
	    chmod 644 "$(DESTDIR)$(PREFIX)/lib/systemd/user/$$f" || exit 1; done
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/svconn $(DESTDIR)$(PREFIX)/lib/libsvconn.a $(DESTDIR)$(PREFIX)/lib/libsvconn_transport.a \
	    $(addprefix $(DESTDIR)$(PREFIX)/include/svconn,.h .hpp _transport.h _line.h) $(PC:%=$(DESTDIR)$(PREFIX)/%) $(SHARED:%=$(DESTDIR)$(PREFIX)/%)
clean:
	rm -rf $(BUILD)
help:
	@echo 'make                  libraries and program in $(BUILD)/'
	@echo 'make demo [FILE=f]    server, relay and client on loopback, and what each of them saw'
	@echo 'make check            the tests, also under sanitizers; with Python 3 and its cryptography package, interoperation too'
	@echo 'make check-gcc, -clang, -force32, -portable, -m32, -s390x, -aarch64, -valgrind   the unit tests, built or run so'
	@echo 'make check-fe29, -fe13, -small, -small13, -small-fast-aes, -small-san29, -small-san13   those of the core, with what small machines get; the last ones sanitized'
	@echo '                      (packages: clang; libc6-dev-i386 lib32gcc-12-dev; gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user;'
	@echo '                      gcc-aarch64-linux-gnu libc6-dev-arm64-cross; valgrind)'
	@echo 'make check-backends   the tests of cryptography and sessions with every backend that this CPU has'
	@echo 'make check-profiles   small builds and builds that leave parts out: each against the full one (packages: clang, gcc-arm-none-eabi)'
	@echo 'make check-bochs      the backends for x86-64 on an emulated CPU that has them all (packages: bochs bochs-term bochsbios)'
	@echo 'make ct               constant time of handshake and records, by valgrind, for every compiler and level here'
	@echo 'make embedded         the library on Cortex-M0, M3, M4 and RV32 in QEMU, and on big-endian and 32-bit processes; its costs on chips, held'
	@echo '                      against tests/embedded/budget.tsv; docs/embedded.md (packages: gcc-arm-none-eabi qemu-system-arm'
	@echo '                      gcc-riscv64-unknown-elf qemu-system-misc qemu-user; cross compilers, as many as you like)'
	@echo 'make embedded-table   the costs alone, all of them; make embedded-accept: the same, and they are the new budget'
	@echo 'make ct-embedded      constant time on chips: the trace of what is executed and touched, over several secrets'
	@echo 'make fuzz [FUZZ_SECONDS=60]   libFuzzer on a session (packages: clang, libclang-rt-14-dev)'
	@echo 'make check-links      sessions through the real proxies, relays and tunnels that are installed here; names the packages of the others'
	@echo 'make check-tunnel     real programs (VNC, rsync, git, PostgreSQL, nginx, ssh) by way of serve, forward, listen and connect, across our relay'
	@echo 'make check-jni        the binding for Java and Android (bindings/jvm) on the JVM of this machine, against the program'
	@echo '                      (packages: openjdk-17-jdk-headless, cmake; gcc-aarch64-linux-gnu)'
	@echo 'make check-python     the Python package (bindings/python): sdist, wheel, types, README and tests, against the program'
	@echo '                      (packages: python3-dev python3-venv python3-build python3-setuptools python3-wheel python3-cffi mypy pypy3-dev)'
	@echo 'make wasm, check-web, bench-web   the package for JavaScript and the page (bindings/web) in $(BUILD)/web; its tests; its size and speed'
	@echo '                      (packages: clang, lld; nodejs npm node-typescript node-ws websockify python3-selenium chromium chromium-driver'
	@echo '                      firefox-esr webkit2gtk-driver xvfb)'
	@echo 'make check-cpp        the wrapper for C++ as C++17, 20 and 23, by g++ and clang++ (CXX_COMPILERS="g++ clang++-19" chooses)'
	@echo 'make check-rust       the crates for Rust (packages: cargo librust-cc-dev rust-clippy)'
	@echo 'make check-pairs      the bindings and platforms in tests/pairs against each other, each as server and as client; names what is missing'
	@echo 'make check-windows    built for Windows by MinGW, 64 and 32 bits, and as MSVC would read it; run under wine; docs/windows.md'
	@echo '                      (packages: gcc-mingw-w64-x86-64 gcc-mingw-w64-i686 wine wine64 clang lld llvm libwine-dev cmake meson python3)'
	@echo 'make check-packaging  pkg-config, CMake, Meson, Arduino: installed, built into a program and run; the files of other systems are read'
	@echo '                      (packages: pkg-config cmake meson ninja-build python3-yaml g++ clang gcc-arm-none-eabi)'
	@echo 'make arduino          a library for Arduino in dist/arduino/svconn'
	@echo 'make check-rfcomm     svconn on the RFCOMM sockets of a Linux guest with two virtual Bluetooth controllers, and what is seen on the air'
	@echo '                      (package: qemu-system-x86; others are fetched, and not installed)'
	@echo 'make check-cavp       the vectors of the package python3-cryptography-vectors'
	@echo 'make wycheproof WYCHEPROOF=dir   the JSON files of Project Wycheproof'
	@echo 'make check-limbs      the bounds of the limbs that small machines use, in exact intervals (Python)'
	@echo 'make check-formal     the exhaustive check of the renewal rule (Python)'
	@echo 'make check-slow       what takes minutes: all key ids, whole keys, every split of every vector, RFC 7748 a million times'
	@echo 'make bench [BENCH_ITEMS="gcm sha256/64"] [BENCH_ROUNDS=41] [OPENSSL_DIR=dir]   time, next to other libraries (packages: libssl-dev'
	@echo '                      libsodium-dev nettle-dev libwolfssl-dev libmbedtls-dev libbearssl-dev libgcrypt20-dev, as many as you like)'
	@echo 'make bench-plots      pictures of the results (package: gnuplot-nox)'
	@echo 'make bench-relay [BENCH_ROUNDS=5]   our relay next to others, per processor second (Linux; packages: haproxy, nginx-light'
	@echo '                      libnginx-mod-stream, socat, as many as you like)'
	@echo 'make bench-tunnel [BENCH_ROUNDS=5]  svconn serve and forward next to other tunnels (Linux; packages: stunnel4, spiped,'
	@echo '                      openssh-client openssh-server, as many as you like)'
	@echo 'make icount           instruction counts of our operations (package: valgrind)'
	@echo 'make amalgamation     the library in two files, dist/svconn.h and svconn.c, and two more for POSIX; make check-amalgamation: its tests'
	@echo '                      (packages: clang, g++, binutils, valgrind, busybox and the compilers of check-m32, -s390x, -aarch64, as many as you like)'
	@echo 'make dist             the source tree and these files in dist/svconn-VERSION.tar.gz; make check-dist: the same each time, and it works'
	@echo 'make examples         the two programs of README in $(BUILD)/examples/'
	@echo 'make vectors          writes test-vectors/svc1.txt again'
	@echo 'make install [PREFIX=/usr/local] [DESTDIR=]   (with completion and units for users)   make uninstall   make clean'
	@echo 'make install-core     the core alone: its library, its header, its .pc file; with the switches of crypto/profile.h in CPPFLAGS'
	@echo 'Variables: CC CFLAGS LDFLAGS BUILD V=1 (show commands and every test)'

-include $(shell find $(BUILD) -name packaging -prune -o -type f -name '*.d' -print 2>/dev/null)

# SPDX-License-Identifier: ISC
# svconn: `make demo` runs the main job, `make check` the tests; `make help` lists the rest.
# A C compiler and make are enough. CC, CFLAGS, BUILD and V=1 may be set.

BUILD  ?= build
CFLAGS ?= -O2 -g
AR     ?= ar
PYTHON ?= python3

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wundef -Wvla
STD  := -std=c11

CRYPTO    := $(sort $(wildcard crypto/*.c))
SVC       := $(sort $(wildcard svc/*.c))
TRANSPORT := $(sort $(wildcard transport/*.c))
CMD       := $(sort $(wildcard cmd/*.c))
TESTS     := $(sort $(wildcard tests/test_*.c))
EXAMPLES  := $(sort $(wildcard examples/*.c))

# Who may see whom is decided here: a layer gets only the include paths below it.
INC_crypto    := -Icrypto
INC_svc       := -Isvc -Icrypto
INC_transport := -Isvc -Itransport
INC_cmd       := -Isvc -Itransport -Icmd
INC_examples  := -Isvc -Itransport
INC_tests     := -Isvc -Icrypto -Itransport -Itests

# The core is freestanding in spirit: plain C11. The rest may use POSIX.
POSIX := -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ      := $(call obj,$(CRYPTO) $(SVC))
TRANSPORT_OBJ := $(call obj,$(TRANSPORT))
CMD_OBJ       := $(call obj,$(CMD))
TEST_BIN      := $(patsubst %.c,$(BUILD)/%,$(TESTS))
EXAMPLE_BIN   := $(patsubst %.c,$(BUILD)/%,$(EXAMPLES))

LIB   := $(BUILD)/libsvconn.a
TLIB  := $(BUILD)/libsvconn_transport.a
PROG  := $(BUILD)/svconn

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
$(PROG): $(CMD_OBJ) $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CMD_OBJ) $(TLIB) $(LIB)

define layer
$(BUILD)/$(1)/%.o: $(1)/%.c Makefile
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(STD) $(2) $$(CPPFLAGS) $$(INC_$(1)) $$(WARN) $$(CFLAGS) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call layer,crypto,))
$(eval $(call layer,svc,))
$(eval $(call layer,transport,$(POSIX)))
$(eval $(call layer,cmd,$(POSIX)))
$(eval $(call layer,tests,$(POSIX)))
$(eval $(call layer,examples,$(POSIX)))

$(TEST_BIN) $(EXAMPLE_BIN): $(BUILD)/%: $(BUILD)/%.o $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(TLIB) $(LIB)

# ---- the main job -------------------------------------------------------------------------------------------
# make demo           the echo demo across a relay, with a built-in text
# make demo FILE=f    with your own
.PHONY: demo
demo: $(PROG)
	@$(PROG) demo $(FILE)

# ---- the tests -----------------------------------------------------------------------------------------------
# Everything twice: as it ships, and under AddressSanitizer and UndefinedBehaviorSanitizer where the compiler has them.
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CAN_SANITIZE = $(shell t=$$(mktemp) && echo 'int main(void){return 0;}' | $(CC) $(SANITIZE) -x c -o $$t - 2>/dev/null && $$t && echo yes; rm -f $$t)
ASAN := $(BUILD)/asan

run_tests = $(patsubst %,$(1)/tests/%,$(notdir $(basename $(TESTS)))) "sh tests/cmd.sh $(1)/svconn" "sh tests/examples.sh $(1)/examples"

.PHONY: check check-build check-asan-build
check: check-build $(if $(CAN_SANITIZE),check-asan-build)
	@sh tests/run.sh $(call run_tests,$(BUILD)) "sh tests/symbols.sh $(LIB)" "sh tests/headers.sh" "sh tests/readme.sh" \
	    "sh tests/interop.sh $(PROG)" \
	    $(if $(CAN_SANITIZE),$(call run_tests,$(ASAN)),"echo 'skip sanitizers: $(CC) cannot link -fsanitize=address,undefined'")
check-build: all tests examples
check-asan-build: check-build
	@$(MAKE) --no-print-directory BUILD=$(ASAN) CFLAGS="$(SANITIZE)" all tests examples

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

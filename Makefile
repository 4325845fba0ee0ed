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

# Who may see whom is decided here: a layer gets only the include paths below it.
INC_crypto    := -Icrypto
INC_svc       := -Isvc -Icrypto
INC_transport := -Isvc -Itransport
INC_cmd       := -Isvc -Itransport -Icmd
INC_tests     := -Isvc -Icrypto -Itransport -Itests

# The core is freestanding in spirit: plain C11. The rest may use POSIX.
POSIX := -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ      := $(call obj,$(CRYPTO) $(SVC))
TRANSPORT_OBJ := $(call obj,$(TRANSPORT))
CMD_OBJ       := $(call obj,$(CMD))
TEST_BIN      := $(patsubst %.c,$(BUILD)/%,$(TESTS))

LIB   := $(BUILD)/libsvconn.a
TLIB  := $(BUILD)/libsvconn_transport.a
PROG  := $(BUILD)/svconn

Q := $(if $(V),,@)
say = @printf '  %-5s %s\n' $(1) $(2)

.PHONY: all lib program tests
all: $(LIB) $(TLIB) $(PROG)
lib: $(LIB) $(TLIB)
program: $(PROG)
tests: $(TEST_BIN)

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

$(TEST_BIN): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(TLIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(TLIB) $(LIB)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

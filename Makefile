# SPDX-License-Identifier: Apache-2.0
# carrel: everything is built into build/; see README.md for the two commands.
CC      ?= gcc
B       ?= build
PKGS    := libfdt jansson libseccomp libcrypto
WARN    := -Wall -Wextra -Wconversion -Wvla -Wimplicit-fallthrough -Wshadow \
           -Wstrict-prototypes -Wmissing-prototypes -Werror
HARD    := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS  ?= -O2 -g
ALLC     = -std=gnu11 -D_GNU_SOURCE -I. -I$(B)/gen $(WARN) $(HARD) $(CFLAGS) -MMD -MP -pthread
LDALL    = -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS)

LIB_SRC   := $(filter-out vmm/main.c,$(wildcard vmm/*.c)) $(wildcard devices/*.c sev/*.c boot/*.c)
OWNER_SRC := $(filter-out sev/owner/main.c,$(wildcard sev/owner/*.c))
obj        = $(patsubst %.c,$(B)/obj/%.o,$(1))

all: $(B)/carrel $(B)/carrel-sev

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLC) -c -o $@ $<

# The DSDT as a constant array; iasl's warnings are errors.
$(B)/gen/dsdt.h: boot/dsdt.asl
	@mkdir -p $(@D)
	iasl -we -vr -tc -p $(B)/gen/dsdt $< >$(B)/gen/dsdt.log 2>&1 || { cat $(B)/gen/dsdt.log; exit 1; }
	sed 's/^unsigned char/static const unsigned char/' $(B)/gen/dsdt.hex >$@
$(call obj,boot/acpi.c): $(B)/gen/dsdt.h

$(B)/libcarrel.a: $(call obj,$(LIB_SRC))
	rm -f $@; ar rcs $@ $^
$(B)/libowner.a: $(call obj,$(OWNER_SRC))
	rm -f $@; ar rcs $@ $^

$(B)/carrel: $(B)/obj/vmm/main.o $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ -lfdt -ljansson -lseccomp -lcrypto
$(B)/carrel-sev: $(B)/obj/sev/owner/main.o $(B)/libowner.a $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ -ljansson -lcrypto

# Unit tests: each tests/unit/NAME_test.c is a cmocka program of its own.
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
$(B)/unit/%: tests/unit/%.c $(B)/libowner.a $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $^ -lcmocka -lfdt -ljansson -lseccomp -lcrypto
unit: $(UNIT)
	@set -e; for t in $(UNIT); do $$t; done

clean:
	rm -rf $(B)
.PHONY: all unit clean
-include $(shell find $(B) -name '*.d' 2>/dev/null)

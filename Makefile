# SPDX-License-Identifier: Apache-2.0
# carrel. `make` builds, `make check` tests, `make demo` shows; the last two
# install what they need first (tests/lab/packages). All output is in $(B).
B       ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CFLAGS  ?= -O2 -g
prefix  ?= /usr/local

WARN := -Wall -Wextra -Wconversion -Wvla -Wimplicit-fallthrough -Wshadow \
        -Wstrict-prototypes -Wmissing-prototypes -Werror
HARD := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
ALLC  = -std=gnu11 -D_GNU_SOURCE -I. -I$(B)/gen $(WARN) $(HARD) $(CFLAGS) \
        -MMD -MP -pthread
LDALL = -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS)
LIBS := -lfdt -ljansson -lseccomp -lcrypto

LIB_SRC   := $(filter-out vmm/main.c,$(wildcard vmm/*.c)) \
             $(wildcard devices/*.c sev/*.c boot/*.c)
OWNER_SRC := $(filter-out sev/owner/main.c,$(wildcard sev/owner/*.c))
CTL_SRC   := $(filter-out vmm/ctl/main.c,$(wildcard vmm/ctl/*.c))
EMU_SRC   := $(filter-out sev/emu/main.c sev/emu/preload.c,\
             $(wildcard sev/emu/*.c))
# What of GRUB's module is plain C; nothing else of carrel is linked with it.
GRUB_SRC  := $(addprefix boot/grub/,bls.c json.c luks.c luks2.c secret_table.c \
             text.c)
EMU_PIC    = $(patsubst %.c,$(B)/pic/%.o,$(EMU_SRC) sev/emu/preload.c \
             vmm/num.c vmm/log.c)
UNIT_SRC  := $(wildcard tests/unit/*_test.c)
FUZZ_SRC  := $(wildcard tests/fuzz/*_fuzz.c)
PROGRAMS  := $(B)/carrel $(B)/carrelctl $(B)/carrel-sev $(B)/carrel-emu
MANUALS   := $(wildcard docs/*.1)
UNIT      := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
FUZZ      := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
obj        = $(patsubst %.c,$(B)/obj/%.o,$(1))

all: $(PROGRAMS) $(B)/libcarrel-emu.so

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLC) -c -o $@ $<

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALLC) -fPIC -fvisibility=hidden -c -o $@ $<

# The DSDT as a constant array; iasl's warnings are errors.
$(B)/gen/dsdt.h: boot/dsdt.asl
	@mkdir -p $(@D)
	iasl -we -vr -tc -p $(B)/gen/dsdt $< >$(B)/gen/dsdt.log 2>&1 || \
		{ cat $(B)/gen/dsdt.log; exit 1; }
	sed 's/^unsigned char/static const unsigned char/' $(B)/gen/dsdt.hex >$@
$(call obj,boot/acpi.c): $(B)/gen/dsdt.h

$(B)/libcarrel.a: $(call obj,$(LIB_SRC))
$(B)/libowner.a: $(call obj,$(OWNER_SRC))
$(B)/libctl.a: $(call obj,$(CTL_SRC))
$(B)/libemu.a: $(call obj,$(EMU_SRC))
$(B)/libgrub.a: $(call obj,$(GRUB_SRC))
$(B)/lib%.a:
	rm -f $@; ar rcs $@ $^

# Loading libcrypto would take as long as all the rest of its start.
$(B)/carrel: $(B)/obj/vmm/main.o $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ $(filter-out -lcrypto,$(LIBS))
$(B)/carrelctl: $(B)/obj/vmm/ctl/main.o $(B)/libctl.a $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ -ljansson
$(B)/carrel-sev: $(B)/obj/sev/owner/main.o $(B)/libowner.a $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ -ljansson -lcrypto
$(B)/carrel-emu: $(B)/obj/sev/emu/main.o $(B)/libemu.a $(B)/libcarrel.a
	$(CC) $(LDALL) -o $@ $^ -lcrypto
$(B)/libcarrel-emu.so: $(EMU_PIC)
	$(CC) -shared -Wl,-z,relro,-z,now -pthread $(LDFLAGS) -o $@ $^ -lcrypto

# The .d files add headers to $^; clang would compile those as well.
sources    = $(filter %.c %.a,$^)

# Each tests/unit/NAME_test.c is a cmocka program of its own, each
# tests/fuzz/NAME_fuzz.c a libFuzzer one (built with clang, see `fuzz`).
$(B)/unit/%: tests/unit/%.c $(B)/libowner.a $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $(sources) -lcmocka $(LIBS)
# The emulation shares no code with the sides that it is tested against.
$(B)/unit/emu_%_test: tests/unit/emu_%_test.c $(B)/libemu.a $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $(sources) -lcmocka \
		-lcrypto
$(B)/unit/ctl_%_test: tests/unit/ctl_%_test.c $(B)/libctl.a $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $(sources) -lcmocka $(LIBS)
$(B)/unit/grub_%_test: tests/unit/grub_%_test.c $(B)/libgrub.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $(sources) -lcmocka
$(B)/fuzz/grub_%_fuzz: tests/fuzz/grub_%_fuzz.c $(B)/libgrub.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -fsanitize=fuzzer \
		-o $@ $(sources)
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libowner.a $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -fsanitize=fuzzer \
		-o $@ $(sources) $(LIBS)

$(B)/bench/%: tests/bench/%.c $(B)/libcarrel.a
	@mkdir -p $(@D)
	$(CC) $(ALLC) -Wno-missing-prototypes $(LDALL) -o $@ $(sources) $(LIBS)

# Guests without an operating system: ROMs of 64 KiB, started as firmware.
GUEST_FLAGS := -m32 -march=i686 -mgeneral-regs-only -Os -ffreestanding -fno-pic \
               -fno-stack-protector -fno-asynchronous-unwind-tables \
               -fcf-protection=none -Wall -Wextra -Werror -Wno-main \
               -Wno-array-bounds -nostdlib -static -Wl,--build-id=none
$(B)/guest/%.bin: tests/guest/%.c tests/guest/start.S tests/guest/rom.ld \
                  $(wildcard tests/guest/*.h)
	@mkdir -p $(@D)
	gcc -I. $(GUEST_FLAGS) -Wl,-T,tests/guest/rom.ld -Wl,--oformat=binary -o $@ \
		tests/guest/start.S $<

units: $(UNIT)
guests: $(B)/guest/hostile.bin $(B)/guest/brief.bin
fuzzers: $(FUZZ)
bench: $(B)/bench/blk_bench

# Other builds of the same tree, each in a directory of its own.
SANE  := -fsanitize=address,undefined -fno-sanitize-recover=all
ASAN  := B=$(B)/asan CFLAGS='-O1 -g $(SANE)' LDFLAGS='$(SANE)'
CLANG := B=$(B)/clang CC=clang
FUZZB := B=$(B)/fuzzing CC=clang LDFLAGS='$(SANE)' \
         CFLAGS='-O1 -g $(SANE) -fsanitize=fuzzer-no-link'
J     := -j$(shell nproc)

# A line a check, for tests/run: NAME=COMMAND, with & where two may run at once.
FUZZ_SECONDS ?= 5
RUN    := tests/run --logs $(B)/logs
BUILDS := "build with gcc=$(MAKE) $(J) all units guests" \
          "build with clang=$(MAKE) $(J) $(CLANG) all units" \
          "build with sanitizers=$(MAKE) $(J) $(ASAN) all units" \
          "build of fuzzers=$(MAKE) $(J) $(FUZZB) fuzzers"
LINT   := "lint=B=$(B) tests/lint.sh"
UNITS   = $(foreach t,$(notdir $(UNIT)),"$(1) $(t)=CMOCKA_MESSAGE_OUTPUT=tap \
          UBSAN_OPTIONS=print_stacktrace=1 $(B)/$(2)unit/$(t)")
FUZZES := $(foreach t,$(notdir $(FUZZ)),"fuzz $(t)&=tests/fuzz/run \
          $(B)/fuzzing/fuzz/$(t) $(FUZZ_SECONDS)")
E2E    := "e2e=B=$(B) tests/e2e/run"
OTHERS := "Debian 13=B=$(B) tests/trixie" "Debian packages=B=$(B) tests/deb"

deps:
	@tests/lab/deps
check: deps
	@FUZZ_SEED=1 $(RUN) $(BUILDS) $(LINT) $(call UNITS,unit) \
		$(call UNITS,sanitized,asan/) $(FUZZES) $(OTHERS) $(E2E)
unit: units
	@$(RUN) $(call UNITS,unit)
unit-asan:
	@+$(MAKE) --no-print-directory $(ASAN) units
	@$(RUN) $(call UNITS,sanitized,asan/)
clang:; +$(MAKE) $(CLANG) all units
lint: all; @$(RUN) $(LINT)
fuzz:
	@+$(MAKE) --no-print-directory $(FUZZB) fuzzers
	@$(RUN) $(FUZZES)
e2e: deps all guests
	@$(RUN) $(E2E)
demo demo-kernel:
	@tests/lab/deps $(if $(filter demo,$@),disk,kernel)
	@echo "$@: building carrel"
	@+$(MAKE) --no-print-directory -s $(J) all
	@B=$(B) tests/e2e/$@

# The firmware with our GRUB inside; the second may ask on the console.
firmware: $(B)/carrel-sev
	@mkdir -p $(B)/firmware
	@boot/ovmf/build --prompt no $(B)/firmware/carrel.fd
	@boot/ovmf/build --prompt yes $(B)/firmware/carrel-prompt.fd
	@for f in carrel carrel-prompt; do \
		echo "launch digest of $$f.fd: $$($(B)/carrel-sev digest \
			--firmware $(B)/firmware/$$f.fd)"; done

format:
	clang-format -i $(wildcard */*.[ch] */*/*.[ch])
D = $(DESTDIR)$(prefix)
deb:; B=$(B) .debian/build
install: all
	install -d $(D)/bin $(D)/share/man/man1 $(D)/share/bash-completion/completions \
		$(D)/lib/systemd/system $(D)/lib/sysusers.d $(D)/lib/carrel/image/carrel_image
	install $(PROGRAMS) $(D)/bin
	install -m 644 $(MANUALS) $(D)/share/man/man1
	install -m 644 $(wildcard docs/completion/*) $(D)/share/bash-completion/completions
	for u in carrel@.service carrel@.socket; do sed 's|@bindir@|$(prefix)/bin|' \
		vmm/service/$$u >$(D)/lib/systemd/system/$$u || exit 1; done
	install -m 644 vmm/service/carrel.sysusers $(D)/lib/sysusers.d/carrel.conf
	install boot/suites $(B)/libcarrel-emu.so $(D)/lib/carrel
	install boot/image/carrel-image $(D)/lib/carrel/image
	install -m 644 boot/image/mtools.conf $(D)/lib/carrel/image
	install -m 644 $(wildcard boot/image/carrel_image/*.py) $(D)/lib/carrel/image/carrel_image
	ln -sf ../lib/carrel/image/carrel-image $(D)/bin/carrel-image
clean:; rm -rf $(B)

.PHONY: all units guests fuzzers bench deps check unit unit-asan clang lint \
        fuzz e2e demo demo-kernel firmware format deb install clean
-include $(shell find $(B)/obj $(B)/pic $(B)/unit $(B)/fuzz -name '*.d' 2>/dev/null)

# sockctl, with GNU make. No configure: the compiler and libc are all it needs.
#
#   make                  ./sockctl
#   make demo             shows the main jobs on loopback
#   make test             all tests        (TESTS="tests/connect.bats …" for some, JOBS=N at a time)
#   make asan             the same under AddressSanitizer and UBSan
#   make fresh            demo and test on a minimal Debian, as root and user (root; SUITES="bookworm trixie",
#                         USER_TESTS="tests/run.bats …" for some as a user, ROOT_TESTS as root)
#   make lint             every static check; also check-format; format mends the layout
#   make fuzz             each target in tests/fuzz for FUZZ_SECONDS
#   make bench            tests/bench
#   make compare          sockctl beside nc, ncat, socat and curl: the tables of README.md
#   make readme           puts into README.md and docs/ what its sessions and `make compare` print now
#   make soak             servers under hostile clients, for SECONDS=600
#   make static           build/static/sockctl, one file, with musl
#   make install          to DESTDIR and PREFIX; also uninstall. Directories of their own, without DESTDIR:
#                         MANDIR, BASHDIR, ZSHDIR, FISHDIR
#   make lab              docs/lab, the programs of a first course on sockets, into build/lab
#   make lesson           the first chapters of sockctl-tutorial(7), guided; in Spanish with SOCKCTL_LANG=es
#   make completions      regenerates completions/ and man/sockctl-migrate.7 from the tables of src/
#   make dist             a tarball of what is committed
#   make deb              Debian's package of it, in build/deb
#   make release          that, static programs for RELEASE_ARCHS and their checksums
#   make try-packages     installs, uses and removes each on a minimal Debian (root; SUITES)
#   make compile_commands.json, clean
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS are respected: they come after our own flags, never instead of
# them. WERROR=-Werror makes warnings errors, as in CI and `make lint`. V=1 shows commands.

# Set on the command line; of these, the environment is asked for PREFIX and DESTDIR alone.
PREFIX       ?= /usr/local
DESTDIR      ?=
MANDIR       := $(PREFIX)/share/man
BASHDIR      := $(PREFIX)/share/bash-completion/completions
# Debian's zsh looks for what packages bring in another place than for what the machine's owner installs.
ZSHDIR       := $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX:/=)),vendor-completions,site-functions)
FISHDIR      := $(PREFIX)/share/fish/vendor_completions.d
PROFILE      := release
WERROR       :=
STATIC_CC    := musl-gcc
STATIC_MOST  := 622592
FUZZ_CC      := clang
FUZZ_SECONDS := 20
JOBS         := 4
TESTS        := $(wildcard tests/*.bats)
SUITES       := bookworm
RELEASE_ARCHS := amd64 arm64 armhf riscv64

# Each profile has its own objects; the release binary alone is left in the root.
out    := build/$(PROFILE)
binary := $(if $(filter release,$(PROFILE)),sockctl,$(out)/sockctl)
Q      := $(if $(V),,@)

# The rooms that a plain connection goes through lie together, in front: pages that nobody touches are not resident.
rooms    := base sys stream net cmd/common cmd/connect cli cmd/serve cmd/listen
sources  := $(wildcard src/main.c $(rooms:%=src/%/*.c))
sources  += $(filter-out $(sources),$(wildcard src/*/*.c src/*/*/*.c))
objects  := $(sources:src/%.c=$(out)/%.o)
modules  := $(filter-out $(out)/main.o,$(objects))
unit     := $(patsubst tests/unit/%.c,$(out)/unit/%,$(wildcard tests/unit/*.c))
targets  := $(wildcard tests/fuzz/fuzz_*.c)
replay   := $(patsubst tests/fuzz/%.c,$(out)/replay/%,$(targets))
fuzzers  := $(patsubst tests/fuzz/%.c,$(out)/fuzz/%,$(targets))
manpages := $(wildcard man/*.1)
guides   := $(wildcard man/*.7)
spanish  := $(wildcard man/es/man7/*.7)
all_c    := $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
version  := $(shell sed -n 's/.*SOCKCTL_VERSION "\(.*\)"/\1/p' src/command.h)

# Flags.
warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Werror=format-security -Wvla \
            -Wswitch-enum -Wnull-dereference -Wundef -Wcast-qual -Wwrite-strings -Wpointer-arith \
            -Wimplicit-fallthrough

# The ones of these that this compiler knows on this machine.
accepted = $(shell for flag in $(1); do $(compiler) -Werror $$flag -x c -c /dev/null \
                   -o /dev/null 2>/dev/null && echo $$flag; done)
# A level that the user chose stays; glibc wants optimisation with it.
fortify  = $(if $(filter -O0 -D_FORTIFY_SOURCE% -U_FORTIFY_SOURCE -Wp$(comma)-D_FORTIFY_SOURCE%,\
             $(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
comma   := ,
# Small rather than fast: the time goes into the kernel, and what is resident is mostly code. With -g,
# a debugger finds its way without unwind tables.
hardened = -Os -fstack-protector-strong -ffunction-sections -fdata-sections $(fortify) \
           -fno-asynchronous-unwind-tables -fno-unwind-tables \
           $(call accepted,-fstack-clash-protection -fcf-protection)
small    = -Wl,-O1,--as-needed,--gc-sections,--hash-style=gnu

compiler          = $(CC)
profile_cflags    = $(hardened) -fPIE
profile_ldflags   = $(small) -pie -Wl,-z,relro,-z,now
ifeq ($(PROFILE),asan)
  profile_cflags  = -O1 -g -fno-omit-frame-pointer $(sanitize)
  profile_ldflags = $(sanitize)
  sanitize       := -fsanitize=address,undefined -fno-sanitize-recover=all
else ifeq ($(PROFILE),static)
  compiler        = $(STATIC_CC)
  profile_cflags  = $(hardened) -fno-pie
  profile_ldflags = $(small) -static -no-pie -s
else ifeq ($(PROFILE),fuzz)
  compiler        = $(FUZZ_CC)
  profile_cflags  = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
  profile_ldflags = -fsanitize=fuzzer,address,undefined
else ifeq ($(PROFILE),analyze)
  profile_cflags  = -O1 -fanalyzer
endif

# musl-gcc does not look where the kernel's headers are (linux/…, asm/…), nor does gcc -m32 without
# gcc-multilib: this has links to them.
hash           := \#
kernel         := $(if $(shell printf '$(hash)include <%s>\n' sys/socket.h linux/vm_sockets.h | \
                    $(compiler) $(CPPFLAGS) $(CFLAGS) -E -x c - >/dev/null 2>&1 || echo lacking),$(out)/kernel)
profile_cflags := $(profile_cflags) $(kernel:%=-idirafter %)
# Files beyond 2 GiB and times beyond 2038 where a long has 32 bits.
system   = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
compile  = $(compiler) -std=c11 $(system) -Isrc -pthread $(warnings) $(WERROR) \
           $(profile_cflags) $(faster) $(CPPFLAGS) $(CFLAGS)
link    := $(compiler) -pthread $(profile_cflags) $(CFLAGS) $(profile_ldflags) $(LDFLAGS)

.DELETE_ON_ERROR:
.PHONY: all objects demo tools lab lesson test asan fresh lint format check-format fuzz bench compare readme svg soak static install uninstall \
        completions dist deb release try-packages clean FORCE

all: $(binary)
objects: $(objects)

# A file that is rewritten only when its text changes; what depends on it follows the flags.
remember = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || \
           printf '%s\n' '$(subst ','\'',$(1))' >$@
$(out)/compile.flags: FORCE
	$(call remember,$(compile))
$(out)/link.flags: FORCE
	$(call remember,$(link) $(objects))

$(out)/%.o: src/%.c $(out)/compile.flags
	$(if $(V),,@echo '  CC      $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -MMD -MP -c -o $@ $<

$(out)/tests/%.o: tests/%.c $(out)/compile.flags
	$(if $(V),,@echo '  CC      $@')
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -MMD -MP -c -o $@ $<

# Of the tests too from objects alone: an archive of -flto would need an ar of the compiler's.
link_it = $(Q)mkdir -p $(@D); $(link) -o $@ $(filter %.o,$^)
$(binary): $(objects) $(out)/link.flags
	$(if $(V),,@echo '  LINK    $@')
	$(link_it)
$(unit): $(out)/unit/%: $(out)/tests/unit/%.o $(modules) $(out)/link.flags
	$(link_it)
$(replay): $(out)/replay/%: $(out)/tests/fuzz/%.o $(out)/tests/fuzz/replay.o $(modules) $(out)/link.flags
	$(link_it)
$(fuzzers): $(out)/fuzz/%: $(out)/tests/fuzz/%.o $(modules) $(out)/link.flags
	$(link_it)
# The one file whose time is its own.
$(out)/base/sha256.o: faster = -O2
.SECONDARY:

-include $(objects:.o=.d) $(patsubst %.c,$(out)/%.d,$(wildcard tests/unit/*.c tests/fuzz/*.c))

ifneq ($(kernel),)
$(objects): | $(kernel)
$(kernel):
	$(Q)mkdir -p $@
	$(Q)for dir in linux asm asm-generic; do \
	    for from in /usr/include /usr/include/$$(gcc -print-multiarch 2>/dev/null); do \
	        if [ -d $$from/$$dir ]; then ln -sfn $$from/$$dir $@/$$dir; fi; done; done
endif

static:
	$(Q)$(MAKE) --no-print-directory PROFILE=static all
	@size=$$(stat -c %s build/static/sockctl); \
	echo "build/static/sockctl: $$size bytes, of $(STATIC_MOST) allowed"; \
	[ "$$size" -le $(STATIC_MOST) ]

# Tests.
demo: $(binary)
	@SOCKCTL="$$PWD/$(binary)" tests/checks/demo

# As a student builds them: with the compiler, and no flags of ours.
lab: $(patsubst docs/lab/%.c,build/lab/%,$(wildcard docs/lab/*.c))
build/lab/%: docs/lab/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

lesson: $(binary)
	@SOCKCTL="$$PWD/$(binary)" docs/lesson

# What the tests lean on comes first (not with -n); $(error) is one line, and the end.
no_bats := make test: bats is missing: install Debian's bats, or npm, and type it again
dry     := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
tools:
	$(if $(dry)$(shell [ -n "$(dry)" ] || tests/checks/get-tools),,$(error $(no_bats)))

test: tools $(binary) $(unit) $(replay)
	@BATS="$$(tests/checks/get-tools)" SOCKCTL="$$PWD/$(binary)" BUILD_DIR="$$PWD/$(out)" \
	    JOBS=$(JOBS) $(if $(filter asan,$(PROFILE)),SOCKCTL_SANITIZED=1) \
	    tests/checks/run-tests $(TESTS)

asan:
	$(Q)$(MAKE) --no-print-directory PROFILE=asan test

fresh:
	@USER_TESTS='$(USER_TESTS)' ROOT_TESTS='$(ROOT_TESTS)' tests/checks/fresh $(SUITES)

lint: compile_commands.json
	@tests/checks/lint $(all_c)

format:
	clang-format -i $(all_c)
check-format:
	clang-format --dry-run --Werror $(all_c)

fuzz:
	$(Q)$(MAKE) --no-print-directory PROFILE=fuzz fuzz-all
ifeq ($(PROFILE),fuzz)
.PHONY: fuzz-all $(fuzzers:=.run)
fuzz-all: $(fuzzers:=.run)
$(fuzzers:=.run): %.run: %
	@mkdir -p $<.corpus tests/fuzz/corpus/$(<F)
	@echo '  FUZZ    $(<F)'
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=5 -print_final_stats=1 -artifact_prefix=$<- \
	    $<.corpus tests/fuzz/corpus/$(<F) 2>$<.log || { tail -n 60 $<.log; exit 1; }
	@grep -E '^(Done|stat::number_of)' $<.log
endif

bench: $(binary)
	@if [ -x tests/bench/run ]; then SOCKCTL="$$PWD/$(binary)" tests/bench/run; \
	else echo 'bench: there is no tests/bench/run'; fi

compare: $(binary)
	@SOCKCTL="$$PWD/$(binary)" tests/bench/compare

# The README's outputs are real: of its sessions, of which the first is drawn, and of compare.
readme: $(binary)
	SOCKCTL="$$PWD/$(binary)" tests/bench/compare --write README.md
	SOCKCTL="$$PWD/$(binary)" tests/checks/sessions --write README.md
	$(Q)$(MAKE) --no-print-directory svg
svg: $(binary)
	SOCKCTL="$$PWD/$(binary)" tests/checks/sessions --svg docs/session.svg README.md

soak: $(binary)
	@SOCKCTL="$$PWD/$(binary)" tests/bench/soak

# What users and packagers get.
completions: $(binary)
	SOCKCTL="$$PWD/$(binary)" tests/checks/gen-completions completions
	SOCKCTL="$$PWD/$(binary)" tests/checks/gen-migrate >man/sockctl-migrate.7

# In the shell, where a path is one word whatever is in it. A directory that exists stays as it is:
# install -d would change its mode.
places  = "$$sockctl_bin" "$$sockctl_man/man1" "$$sockctl_man/man7" $(if $(spanish),"$$sockctl_man/es/man7") "$$sockctl_bash" "$$sockctl_zsh" "$$sockctl_fish"
install uninstall: export sockctl_bin  = $(DESTDIR)$(PREFIX)/bin
install uninstall: export sockctl_man  = $(DESTDIR)$(MANDIR)
install uninstall: export sockctl_bash = $(DESTDIR)$(BASHDIR)
install uninstall: export sockctl_zsh  = $(DESTDIR)$(ZSHDIR)
install uninstall: export sockctl_fish = $(DESTDIR)$(FISHDIR)
install: $(binary)
	for dir in $(places); do [ -d "$$dir" ] || install -d "$$dir" || exit; done
	install -m 755 $(binary) "$$sockctl_bin/sockctl"
	$(if $(manpages),install -m 644 $(manpages) "$$sockctl_man/man1")
	$(if $(guides),install -m 644 $(guides) "$$sockctl_man/man7")
	$(if $(spanish),install -m 644 $(spanish) "$$sockctl_man/es/man7")
	install -m 644 completions/sockctl.bash "$$sockctl_bash/sockctl"
	install -m 644 completions/_sockctl "$$sockctl_zsh"
	install -m 644 completions/sockctl.fish "$$sockctl_fish"
uninstall:
	rm -f "$$sockctl_bin/sockctl" $(manpages:man/%="$$sockctl_man/man1/%") $(guides:man/%="$$sockctl_man/man7/%") $(spanish:man/%="$$sockctl_man/%") \
	    "$$sockctl_bash/sockctl" "$$sockctl_zsh/_sockctl" "$$sockctl_fish/sockctl.fish"

dist:
	@mkdir -p build
	git archive --prefix=sockctl-$(version)/ -o build/sockctl-$(version).tar.gz HEAD
	@echo build/sockctl-$(version).tar.gz

deb:
	@packaging/build-deb $(version)

release:
	@packaging/release $(version) $(RELEASE_ARCHS)
try-packages:
	@tests/checks/try-packages $(SUITES)

quoted = $(subst ",\",$(subst \,\\,$(1)))
compile_commands.json: Makefile $(sources) $(out)/compile.flags
	@{ echo '['; comma=; for file in $(sources); do \
	    printf '%s{"directory": "%s", "file": "%s", "command": "%s -c %s"}\n' "$$comma" \
	        '$(subst ','\'',$(call quoted,$(CURDIR)))' "$$file" '$(subst ','\'',$(call quoted,$(compile)))' "$$file"; \
	    comma=,; done; echo ']'; } >$@

clean:
	rm -rf build sockctl compile_commands.json

# Touchstone: one Makefile, no recursion, everything under build/<variant>/.
#
#   make                      everything, variant debug
#   make VARIANT=asan         the same, another variant
#   make V=1                  show the commands
#
# What goes where follows from names alone, so that a new file needs no line
# here (X stands for any path):
#
#   ref/*/*.c                 build/<variant>/libref.a
#   harness/touchstone/*.c    build/<variant>/libtouchstone.a
#   .../main.c                the program itself, in no library
#   harness/labctl/main.c     the laboratory's clock, in need of none
#   hsm-sim/*/*.c, ped-sim/*/*.c
#                             build/<variant>/libsim.a: the simulated card and
#                             PED; each main.c of them a program, see SIM_NAMES
#   hsm-sim/NAME.so/*.c       a PKCS#11 module build/<variant>/NAME.so, of
#                             position-independent objects
#   .../X_test.c              a cmocka program, linked to its side's library
#   .../X_fuzz.c              a libFuzzer program, likewise
#   harness/robust/X.c        a program each, for the suites of that name, with
#                             libtouchstone.a
#   harness/pkcs11/*.c        touchstone-p11, the PKCS#11 suite's program, likewise
#   harness/release/*.c       touchstone-release, which makes packages, likewise;
#                             build/release/ has the keys of this tree's
#   spec-tests/X.c            a program each, of the standard library alone
#   harness/bench/limit_*.c   a limit program each; the other files beside
#                             them are their library
#
# Neither side sees the other's headers or library: a suite that shares the
# server's codec lets one mistake agree with itself on both ends.

SHELL := /bin/bash
comma := ,
.SHELLFLAGS := -o pipefail -c
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VARIANTS := debug opt asan torture fuzz
VARIANT  ?= debug
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT): choose one of $(VARIANTS))
endif

# As many jobs as processors, unless -j says otherwise.
JOBS ?= $(shell nproc)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)';)

# ---------------------------------------------------------------------------
# Set-up. build/libs.mk says where the libraries are. It is an included file,
# so make brings it up to date before anything else and then starts itself
# once more with what it says: set-up and pkg-config run first on a machine
# that has no compiler and no pkg-config yet. Goals that build nothing need
# neither.

NO_BUILD := help clean setup trace format mutants
ifneq ($(filter-out $(NO_BUILD),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))),)
include build/libs.mk
endif

build/libs.mk: FORCE
	@mkdir -p build
	@harness/setup.sh
	@harness/libs.sh | harness/refresh.sh $@

# ---------------------------------------------------------------------------
# Variants.

WARN := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wswitch-enum -Wformat=2 -Werror
SAN  := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer

CC_debug        := gcc
CFLAGS_debug    := -Og -fno-omit-frame-pointer
CC_opt          := gcc
CFLAGS_opt      := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDFLAGS_opt     := -pie -Wl,-z,relro,-z,now
CC_asan         := gcc
CFLAGS_asan     := -O1 $(SAN)
LDFLAGS_asan    := $(SAN)
CC_torture      := gcc
CFLAGS_torture  := -O0 $(SAN) -DTORTURE
LDFLAGS_torture := $(SAN)
CC_fuzz         := clang-14
CFLAGS_fuzz     := -O1 $(SAN) -fsanitize=fuzzer-no-link -DFUZZ
LDFLAGS_fuzz    := $(SAN)

BASE_CFLAGS := -std=c11 -g -D_GNU_SOURCE $(WARN)

# What a source file may see, by the side it is on.
INC_ref        = -Iref $(REF_CFLAGS)
INC_touchstone = -Iharness/touchstone $(TOOL_CFLAGS)
INC_robust     = -Iharness/touchstone -Iharness $(P11_CFLAGS)
INC_labctl     = -Iharness/touchstone
INC_keyscaler  = $(P11_CFLAGS)
INC_release    = -Iharness/touchstone $(TOOL_CFLAGS)
INC_pkcs11     = -Iharness/touchstone $(P11_CFLAGS)
INC_sim        = -Iref -Ihsm-sim -Iped-sim $(REF_CFLAGS)
INC_bench      = -Iharness $(REF_CFLAGS)
top  = $(firstword $(subst /, ,$(1)))
side = $(if $(filter hsm-sim ped-sim,$(call top,$(1))),sim,$(or $(filter \
	ref,$(call top,$(1))),$(word 2,$(subst /, ,$(1)))))

# ---------------------------------------------------------------------------
# Sources.

TESTS := $(wildcard ref/*_test.c ref/*/*_test.c harness/touchstone/*_test.c \
	hsm-sim/*/*_test.c ped-sim/*/*_test.c)
FUZZS := $(wildcard ref/*/*_fuzz.c harness/touchstone/*_fuzz.c \
	hsm-sim/*/*_fuzz.c ped-sim/*/*_fuzz.c)
BENCH := $(wildcard harness/bench/*.c)
LIMIT := $(filter harness/bench/limit_%,$(BENCH))
ROBUST := $(wildcard harness/robust/*.c)
PKCS11 := $(wildcard harness/pkcs11/*.c)
RELEASE := $(wildcard harness/release/*.c)
APPS   := $(wildcard spec-tests/*.c)
REF   := $(filter-out %_test.c %_fuzz.c,$(wildcard ref/*/*.c))
TOOL  := $(filter-out %_test.c %_fuzz.c %/main.c,\
	$(wildcard harness/touchstone/*.c))

# The simulated hardware. Two programs go by names that no folder has.
SIM      := $(wildcard hsm-sim/*/*.c ped-sim/*/*.c)
SIM_MAIN := $(filter %/main.c,$(SIM))
SIM_SO   := $(patsubst hsm-sim/%/,%,$(wildcard hsm-sim/*.so/))
SIM_LIB  := $(filter-out %_test.c %_fuzz.c %/main.c $(SIM_SO:%=hsm-sim/%/%.c),$(SIM))
SIM_NAMES := pedserver:PedServer pedclient:PedClient
# sim_name DIR: the program that DIR/main.c makes
sim_name = $(or $(patsubst $(1):%,%,$(filter $(1):%,$(SIM_NAMES))),$(1))
sim_programs = $(foreach m,$(SIM_MAIN),$(call sim_name,$(word 2,$(subst /, ,$(m)))))
# What the modules are made of, beside their own folders.
SIM_PIC  := $(filter-out %_test.c %_fuzz.c %/main.c,$(wildcard ref/base/*.c) $(SIM_LIB))

# programs VARIANT: those that exist, each main.c one
programs = $(if $(wildcard ref/main.c),build/$(1)/touchstone-ref) \
	$(if $(wildcard harness/touchstone/main.c),build/$(1)/touchstone) \
	build/$(1)/labctl $(ROBUST:harness/robust/%.c=build/$(1)/%) \
	$(if $(PKCS11),build/$(1)/touchstone-p11) build/$(1)/touchstone-release \
	$(APPS:spec-tests/%.c=build/$(1)/%) \
	$(addprefix build/$(1)/,$(sim_programs) $(SIM_SO))
libs     = $(if $(SIM_LIB),build/$(1)/libsim.a) $(if $(REF),build/$(1)/libref.a) \
	$(if $(TOOL),build/$(1)/libtouchstone.a)
units    = $(patsubst %.c,build/$(1)/%,$(2))

# The tool's schema, made from the facts before anything of it is compiled.
FACTS := $(patsubst %,spec-tests/facts/kmip/%.tsv,tags enums \
	attributes structures payloads)
SCHEMA := harness/touchstone/schema.awk harness/touchstone/schema.overlay.tsv

# T= chooses: ref/wire/ttlv, ref/wire/ttlv_test.c and a folder all do.
T_UNITS := $(if $(T),$(foreach t,$(patsubst %_test,%,$(patsubst %.c,%,$(T))),\
	$(filter $(t)_test.c $(t:/=)/%,$(TESTS))),$(TESTS))
F_FUZZ  := $(if $(F),$(filter $(patsubst %_fuzz,%,$(patsubst %.c,%,$(F)))_fuzz.c,\
	$(FUZZS)),$(FUZZS))

# ---------------------------------------------------------------------------
# Rules, once for each variant.

# A program of the simulation, in variant $(1), of $(2).
define SIM_PROGRAM
build/$(1)/$(call sim_name,$(word 2,$(subst /, ,$(2)))): \
    $(patsubst %.c,build/$(1)/%.o,$(2)) build/$(1)/libsim.a build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(REF_LIBS)
endef

# A PKCS#11 module, in variant $(1), called $(2): hidden but for what its own
# source marks, and complete.
define SIM_MODULE
build/$(1)/$(2): $(patsubst %.c,build/$(1)/pic/%.o,$(wildcard hsm-sim/$(2)/*.c)) \
    build/$(1)/pic/libsim.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(filter-out -pie,$$(LDFLAGS_$(1))) -shared \
		$$(if $$(findstring fsanitize,$$(LDFLAGS_$(1))),,-Wl$$(comma)-z$$(comma)defs) \
		-o $$@ $$^ -Wl$$(comma)--as-needed $$(REF_LIBS)
endef

define VARIANT_RULES
# Rewritten only when the commands change, and then everything is rebuilt.
build/$(1)/flags: FORCE
	@mkdir -p $$(@D)/gen
	@echo '$$(CC_$(1)) $$(BASE_CFLAGS) $$(CFLAGS_$(1)) $$(LDFLAGS_$(1)) \
	$$(INC_ref) $$(INC_touchstone) $$(INC_sim) $$(REF_LIBS) $$(TOOL_LIBS)' | \
		harness/refresh.sh $$@

build/$(1)/%.o: %.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$$(CC_$(1)) $$(BASE_CFLAGS) $$(CFLAGS_$(1)) \
		$$(INC_$$(call side,$$*)) -Ibuild/$(1)/gen \
		-MMD -MP -c -o $$@ $$<

# The same for modules, which are loaded wherever there is room.
build/$(1)/pic/%.o: %.c build/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$$(CC_$(1)) $$(BASE_CFLAGS) $$(CFLAGS_$(1)) -fPIC \
		-fvisibility=hidden $$(INC_$$(call side,$$*)) \
		-Ibuild/$(1)/gen -MMD -MP -c -o $$@ $$<

build/$(1)/gen/touchstone_tags.h: want := tags
build/$(1)/gen/touchstone_schema.inc: want := tables
build/$(1)/gen/touchstone_tags.h build/$(1)/gen/touchstone_schema.inc: \
    $(SCHEMA) $(FACTS)
	@mkdir -p $$(@D)
	$$(call say,AWK,$$@)awk -v want=$$(want) -f $(SCHEMA) $(FACTS) > $$@
$(patsubst %.c,build/$(1)/%.o,$(wildcard harness/touchstone/*.c) $(ROBUST)): | \
    build/$(1)/gen/touchstone_tags.h build/$(1)/gen/touchstone_schema.inc
# A text file, as C strings for #include.
build/$(1)/gen/%.inc: harness/touchstone/%
	@mkdir -p $$(@D)
	$$(call say,TEXT,$$@)sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $$< > $$@
build/$(1)/harness/touchstone/report_html.o: build/$(1)/gen/report.css.inc \
    build/$(1)/gen/report.js.inc

# Made anew each time: a module that moved must not stay behind in it.
build/$(1)/libref.a: $$(REF:%.c=build/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $$^
build/$(1)/libtouchstone.a: $$(TOOL:%.c=build/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $$^
build/$(1)/libsim.a: $$(SIM_LIB:%.c=build/$(1)/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $$^
build/$(1)/pic/libsim.a: $$(SIM_PIC:%.c=build/$(1)/pic/%.o)
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $$^
$(foreach m,$(SIM_MAIN),$(eval $(call SIM_PROGRAM,$(1),$(m))))
$(foreach m,$(SIM_SO),$(eval $(call SIM_MODULE,$(1),$(m))))

build/$(1)/touchstone-ref: build/$(1)/ref/main.o build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(REF_LIBS)
build/$(1)/touchstone: build/$(1)/harness/touchstone/main.o \
    build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(TOOL_LIBS)
build/$(1)/labctl: build/$(1)/harness/labctl/main.o
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^
$(ROBUST:harness/robust/%.c=build/$(1)/%): \
    build/$(1)/%: build/$(1)/harness/robust/%.o build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(TOOL_LIBS)
build/$(1)/touchstone-p11: $(PKCS11:%.c=build/$(1)/%.o) build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(TOOL_LIBS) -ldl
build/$(1)/touchstone-release: $(RELEASE:%.c=build/$(1)/%.o) \
    build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(TOOL_LIBS)
$(APPS:spec-tests/%.c=build/$(1)/%): build/$(1)/%: build/$(1)/spec-tests/%.o
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ -ldl

build/$(1)/ref/%_test: build/$(1)/ref/%_test.o build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ \
		$$(REF_LIBS) $$(TEST_LIBS)
build/$(1)/harness/touchstone/%_test: build/$(1)/harness/touchstone/%_test.o \
    build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ \
		$$(TOOL_LIBS) $$(TEST_LIBS)
build/$(1)/%_test: build/$(1)/%_test.o build/$(1)/libsim.a build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ \
		$$(REF_LIBS) $$(TEST_LIBS)
build/$(1)/ref/%_fuzz: build/$(1)/ref/%_fuzz.o build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -fsanitize=fuzzer \
		-o $$@ $$^ $$(REF_LIBS)
build/$(1)/harness/touchstone/%_fuzz: build/$(1)/harness/touchstone/%_fuzz.o \
    build/$(1)/libtouchstone.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -fsanitize=fuzzer \
		-o $$@ $$^ $$(TOOL_LIBS)
build/$(1)/%_fuzz: build/$(1)/%_fuzz.o build/$(1)/libsim.a build/$(1)/libref.a
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -fsanitize=fuzzer \
		-o $$@ $$^ $$(REF_LIBS)
build/$(1)/harness/bench/limit_%: build/$(1)/harness/bench/limit_%.o \
    $$(patsubst %.c,build/$(1)/%.o,$$(filter-out $$(LIMIT),$$(BENCH)))
	$$(call say,LD,$$@)$$(CC_$(1)) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(REF_LIBS)

-include $$(patsubst %.c,build/$(1)/%.d,$$(REF) $$(TOOL) $$(TESTS) $$(FUZZS) \
	$$(BENCH) $$(ROBUST) $$(PKCS11) $$(RELEASE) $$(APPS) $$(SIM) ref/main.c harness/touchstone/main.c \
	harness/labctl/main.c)
-include $$(patsubst %.c,build/$(1)/pic/%.d,$$(SIM_PIC) $$(SIM))
endef
$(foreach v,$(VARIANTS),$(eval $(call VARIANT_RULES,$(v))))

# Objects are kept, though only a chain of rules asks for them.
.SECONDARY:

# Stable names for scripts and people: the optimised programs.
build/bin/%: build/opt/%
	@mkdir -p build/bin
	@ln -sf ../opt/$* $@

# Keys are made once, and with them the license of the appliances of this tree,
# which are given the trust file.
LICENSED_CLIENTS := 1000
build/release/trust: | build/opt/touchstone-release
	$(call say,KEYS,$@)build/opt/touchstone-release keys $(@D)
build/release/licence: build/release/trust
	$(call say,LICENCE,$@)build/opt/touchstone-release licence --keys $(@D) \
		--clients $(LICENSED_CLIENTS) --out $@
build/bin/touchstone-ref: | build/release/licence
BIN := $(patsubst build/opt/%,build/bin/%,$(call programs,opt))

# ---------------------------------------------------------------------------
# What a person types.

# What `make check` runs: all of it, or what T= needs.
CHECK := $(if $(T),$(or $(call units,debug,$(T_UNITS)),$(BIN)),$(BIN) \
	$(foreach v,debug asan,$(call programs,$(v)) $(call units,$(v),$(TESTS))))

.PHONY: FORCE all units check soak asan fuzz torture trace lint format mutants \
	conformance serve bench dump setup clean help
FORCE:

all: $(call libs,$(VARIANT)) $(call programs,$(VARIANT)) \
    $(call units,$(VARIANT),$(TESTS)) $(BIN) ## build everything: VARIANT=debug|opt|asan|torture|fuzz

units: $(call units,$(VARIANT),$(T_UNITS)) ## run the unit tests; T=ref/wire/ttlv runs one
	$(Q)harness/units.sh $(VARIANT) $^

asan: $(call programs,asan) $(call units,asan,$(T_UNITS)) ## run the unit tests and a conformance run under ASan and UBSan; T= one unit
	$(Q)harness/units.sh asan $(call units,asan,$(T_UNITS))
	$(if $(T),,$(Q)harness/asan-smoke.sh)

torture: $(call units,torture,$(T_UNITS)) ## fail each allocation of the unit tests in turn; T= as above
	$(Q)harness/torture.sh $^

fuzz: $(call units,fuzz,$(F_FUZZ)) ## fuzz the parsers; F=ref/wire/ttlv takes one, SECS=60 each
	$(Q)harness/fuzz.sh $(or $(SECS),60) $^

check: $(CHECK) ## the project's own tests; T= one unit, bats suite or case
	@JOBS=$(JOBS) harness/check.sh $(T)

soak: $(BIN) ## the long forms of the tests that have one: 100 power cuts, slow peers
	@SOAK=1 bats --jobs $(JOBS) --timing --recursive --filter-tags soak spec-tests

conformance: $(if $(TARGET),$(filter %/touchstone,$(BIN)),$(BIN)) ## run the suite; TARGET=my.conf at another server, OASIS=DIR
	@harness/conformance.sh

serve: $(BIN) ## leave a ready reference appliance running
	@harness/serve.sh

bench: $(BIN) $(LIMIT:%.c=build/opt/%) ## CPU time beside the machine's limit; B= names or options of run.sh
	@harness/bench/run.sh $(B)

dump: $(BIN) ## a message as a named tree; F=file, hex or binary
	@build/bin/touchstone dump $(F)

lint: ## layout, includes, doors, shell
	@harness/lint.sh

mutants: ## show that the tests can fail; M=GLOB chooses mutants
	@JOBS=$(JOBS) harness/mutants.sh

format: ## lay the C sources out as clang-format has them
	@find ref harness hsm-sim ped-sim spec-tests -name '*.[ch]' | xargs -r clang-format-14 -i

trace: ## which clause is built and tested; AREA=kmip lists its clauses
	@harness/trace.sh

help: ## print this
	@sed -e ':a' -e '/\\$$/{N;s/\\\n//;ba' -e '}' Makefile | \
		sed -n 's/^\([a-z]*\):.*## */\1\t/p' | sort | \
		awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

setup: ## install the packages that are missing
	@harness/setup.sh

clean: ## remove build/
	rm -rf build

# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The workshop: tests, guards, benchmarks, sanitizers.  Makefile.apxs includes
# this file if it exists, so that these are goals of Makefile.apxs:
#
#     make -f Makefile.apxs help

PROVE ?= prove
CLANG ?= clang
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
PERL ?= perl
FUZZ_SECONDS ?= 60

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef \
  -Wvla -Wdeclaration-after-statement -Wimplicit-fallthrough -Wswitch-enum \
  -Wconversion -Wsign-conversion -Wredundant-decls -Wnull-dereference \
  -Wno-missing-field-initializers
WARN_GCC := $(WARN) -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
  -Wjump-misses-init -Wstack-usage=16384

# Tests keep their assertions whatever CFLAGS says.
TEST_CFLAGS ?= -g -O2

UNIT_SRC := $(wildcard t/unit/*_test.c)
UNIT_BIN := $(UNIT_SRC:t/unit/%.c=$(B)/unit/%)
FUZZ_SRC := $(wildcard t/fuzz/fuzz_*.c)
FUZZ_NAMES := $(FUZZ_SRC:t/fuzz/fuzz_%.c=%)
LINEAR_SRC := $(wildcard t/linear/*_linear.c)
LINEAR_BIN := $(LINEAR_SRC:t/linear/%.c=$(B)/linear/%)
BENCH_SRC := $(wildcard t/bench/*_bench.c)
BENCH_BIN := $(BENCH_SRC:t/bench/%.c=$(B)/bench/%)
C_FILES = $(SOURCES) $(wildcard t/unit/*.c t/fuzz/*.c t/bench/*.c t/http/*/*.c \
  t/linear/*.c t/c-modules/*.c)
H_FILES = $(wildcard src/*/*.h include/*.h t/unit/*.h t/fuzz/*.h t/bench/*.h \
  t/linear/*.h)

.PHONY: bare probes unit unit-tool linear test test-long crashes soak faults check fuzz replay bench bench-quick bench-micro lint analyze cppcheck browser tidy format format-fix manual coverage coverage-all coverage-unit coverage-replay asan asan-tests asan-unit asan-http tsan valgrind valgrind-http print-sources

help: workshop-help
.PHONY: workshop-help
workshop-help:
	@echo 'probes      the modules of t/c-modules, which use the public headers'
	@echo 'unit        run the C unit tests (UNIT=parse: only those)'
	@echo 'linear      the same for twice the bytes, by work that is counted'
	@echo 'replay      run the fuzz targets over their corpus, plain compiler'
	@echo 'fuzz        libFuzzer + ASan + UBSan, FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo '            per target (FUZZ=multipart: only that one)'
	@echo 'browser     the demo in Chromium, with a file of 2 GiB'
	@echo 'check       the source guards of t/check'
	@echo 'manual      the HTML pages of conf/manual'
	@echo 'test        everything: sh t/run, without installing packages'
	@echo 'bare        both commands of the README in a bare Debian 12 and 13'
	@echo 'test-long   every suite on every MPM, races more often'
	@echo 'crashes     kill -9 of 200 children and 50 servers, MPM=event'
	@echo 'soak        15 minutes of mixed clients, restarts and kills, against a'
	@echo '            model of what every upload must contain'
	@echo 'faults      every system call of every protocol fails once, and from'
	@echo '            there on (the HTTP suites run a sample of that)'
	@echo 'lint        gcc and clang, strict, warnings are errors'
	@echo 'analyze     gcc -fanalyzer, cppcheck'
	@echo 'tidy        clang-tidy'
	@echo 'format      is every file as clang-format wants it (format-fix)'
	@echo 'coverage    which lines and branches the tests reach, room by room'
	@echo 'asan        build/asan/.libs/mod_upload_pool.so and the unit tests'
	@echo '            with ASan + UBSan; asan-http: the HTTP suites with it;'
	@echo '            tsan: those with threads; valgrind: the unit tests;'
	@echo '            valgrind-http: the main paths in httpd'
	@echo 'bench       this module beside its peers in one table (printed, not'
	@echo '            judged; bench-quick: does it run; bench-micro: no server;'
	@echo '            t/bench/against COMMIT: beside another commit)'

# --- Modules that use it ----------------------------------------------------
# They do what other modules may do, with only the public headers.

PROBES := $(patsubst t/c-modules/%.c,%,$(wildcard t/c-modules/mod_*.c))
PROBE_SO := $(PROBES:%=$(B)/c-modules/.libs/%.so)

probes: $(PROBE_SO)

$(B)/c-modules/%.lo: t/c-modules/%.c $(wildcard include/*.h)
	@mkdir -p $(@D)
	@echo '  PROBE    $<'
	@$(LIBTOOL) --mode=compile --tag=CC --tag=disable-static $(CC) \
	  -prefer-pic $(STD) $(CFLAGS) $(WARN) -Iinclude $(HTTPD_CPPFLAGS) \
	  -c -o $@ $<

$(B)/c-modules/.libs/%.so: $(B)/c-modules/%.lo
	@$(APXS) -S CC='$(CC)' -c -o $(B)/c-modules/$*.la $< \
	  >$(B)/c-modules/$*.log 2>&1 || { cat $(B)/c-modules/$*.log; exit 1; }
	@test -f $@

# --- Unit tests, benchmarks -------------------------------------------------
# One archive per room, and the include path of httpd only where httpd may be
# seen. t/unit/<room>_<thing>_test.c is linked with its own room and the rooms
# that room may use, so that a forbidden dependency does not link.

ifeq ($(COVERED),yes)
# One object, and so one counter, for all programs that run it.
$(B)/low/%.o: $(B)/module/%.lo
	@mkdir -p $(@D)
	@cp $(call lo_object,$<) $@
else
$(B)/low/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC       $<'
	@$(CC) $(STD) $(WARN) $(TEST_CFLAGS) $(VARIANT) $(CPPFLAGS) \
	  $(APR_CPPFLAGS) -MMD -MP -c -o $@ $<
endif

define room_archive
$(B)/low/$(1).a: $(patsubst %.c,$(B)/low/%.o,$(2))
	@mkdir -p $$(@D); rm -f $$@; ar rcs $$@ $$^
endef
$(foreach r,$(LOW_ROOMS),$(eval $(call room_archive,$(r),$(call room,$(r)))))
$(eval $(call room_archive,tool,$(filter-out src/tool/main.c,$(TOOLS))))

ar = $(patsubst %,$(B)/low/%.a,$(1))
LINKS_parse := $(call ar,parse)
LINKS_ident := $(call ar,ident parse)
LINKS_store := $(call ar,store parse)
LINKS_progress := $(call ar,progress parse)
LINKS_upload := $(call ar,upload handlers upload progress store ident parse)
LINKS_handlers := $(call ar,handlers upload progress store ident parse)
LINKS_ALL := $(LINKS_handlers)
LINKS_tool := $(call ar,tool) $(LINKS_ALL)
TEST_LIBS = $(APR_LIBS) $(LIBS) -lpthread

define unit_rule
$(B)/unit/$(1): t/unit/$(1).c $$(or $$(LINKS_$(2)),$$(LINKS_ALL))
	@mkdir -p $$(@D)
	@echo '  UNIT     $$<'
	@$$(CC) $$(STD) $$(WARN) -Wno-null-dereference $$(TEST_CFLAGS) $$(VARIANT) \
	  -I. -It/unit $$(CPPFLAGS) $$(APR_CPPFLAGS) -MMD -MP -MF $$@.d -o $$@ $$< \
	  $$(filter %.a,$$^) $$(TEST_LIBS)
endef
$(foreach t,$(UNIT_SRC:t/unit/%.c=%),\
  $(eval $(call unit_rule,$(t),$(firstword $(subst _, ,$(t))))))

UNIT ?=
UNIT_RUN = $(if $(UNIT),$(filter $(addprefix $(B)/unit/,$(addsuffix %,$(UNIT))),$(UNIT_BIN)),$(UNIT_BIN))
UNIT_WRAP ?=
# How many run at a time; most wait for the disk, or for time to pass.
UNIT_JOBS ?= 1

# -e '' runs the programs themselves; a wrapper (valgrind) goes there.
unit: $(UNIT_RUN) $(if $(UNIT),,unit-tool linear)
	@test -n '$(UNIT_RUN)' || { echo 'no unit test'; exit 1; }
ifeq ($(UNIT_JOBS),1)
	$(PROVE) -e '$(UNIT_WRAP)' $(PROVE_FLAGS) $(UNIT_RUN)
else
	@printf '%s\n' $(UNIT_RUN) \
	  | xargs -P $(UNIT_JOBS) -n 1 sh t/lib/recorded.sh record
	$(PROVE) -e 'sh t/lib/recorded.sh' $(PROVE_FLAGS) $(UNIT_RUN)
endif

# The tool as people run it, on pools made for these tests.
unit-tool: $(TOOL_BIN)
	UPOOL_TOOL='$(TOOL_BIN)' $(PROVE) -It/lib $(PROVE_FLAGS) t/tool/*.t

# These count what the parsers and the rooms that use them do: twice the bytes
# must not be four times the work. VARIANT is left out, because it would count
# itself.
COUNTED := -g -O1 -fno-builtin -fsanitize-coverage=trace-pc

$(B)/counted/%.o: %.c
	@mkdir -p $(@D)
	@echo '  COUNTED  $<'
	@$(CC) $(STD) $(COUNTED) $(CPPFLAGS) $(APR_CPPFLAGS) \
	  -MMD -MP -c -o $@ $<

$(B)/counted/low.a: $(LOW:%.c=$(B)/counted/%.o)
	@rm -f $@; ar rcs $@ $^

$(B)/linear/%: t/linear/%.c t/linear/count.c $(B)/counted/low.a
	@mkdir -p $(@D)
	@echo '  LINEAR   $<'
	@$(CC) $(STD) $(WARN) -Wno-null-dereference -g -O2 -fno-builtin -I. \
	  -It/unit $(CPPFLAGS) $(APR_CPPFLAGS) -MMD -MP -MF $@.d -o $@ \
	  $(filter %.c %.a,$^) $(TEST_LIBS)

linear: $(LINEAR_BIN)
	$(PROVE) -e '' $(PROVE_FLAGS) $(LINEAR_BIN)

$(B)/bench/%: t/bench/%.c $(LINKS_ALL)
	@mkdir -p $(@D)
	@echo '  BENCH    $<'
	@$(CC) $(STD) $(WARN) $(TEST_CFLAGS) $(VARIANT) -I. $(CPPFLAGS) \
	  $(APR_CPPFLAGS) -MMD -MP -MF $@.d -o $@ $< -Wl,--start-group \
	  $(filter %.a,$^) -Wl,--end-group $(TEST_LIBS) -lm

bench: $(MODULE)
	@APXS='$(APXS)' t/bench/run

bench-quick: $(MODULE)
	@APXS='$(APXS)' t/bench/run quick

browser: $(MODULE)
	@UPOOL_BIG_MIB=2048 sh t/browser/run

bench-micro: $(BENCH_BIN)
	@for b in $(BENCH_BIN); do echo "== $$b"; $$b || exit 1; done

# --- Fuzzing ----------------------------------------------------------------
# The same targets three ways: over their corpus with the ordinary compiler
# (replay), over it with the sanitizers (asan), and searching (fuzz).

$(B)/replay/%: t/fuzz/fuzz_%.c t/fuzz/replay.c $(LINKS_ALL)
	@mkdir -p $(@D)
	@echo '  REPLAY   $<'
	@$(CC) $(STD) $(WARN) $(TEST_CFLAGS) $(VARIANT) -I. $(CPPFLAGS) \
	  $(APR_CPPFLAGS) -o $@ $(filter %.c,$^) -Wl,--start-group \
	  $(filter %.a,$^) -Wl,--end-group $(TEST_LIBS)

replay: $(FUZZ_NAMES:%=$(B)/replay/%)
	@test -n '$(FUZZ_NAMES)' || { echo 'no fuzz target'; exit 1; }
	$(PROVE) -e 'sh t/lib/replay.sh $(B)' $(PROVE_FLAGS) $(FUZZ_SRC)

FUZZ ?= $(FUZZ_NAMES)
FUZZ_FLAGS := -g -O1 -fno-omit-frame-pointer \
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
  -U_FORTIFY_SOURCE

fuzz:
	@$(MAKE) -f Makefile.apxs --no-print-directory B=build/fuzz CC=$(CLANG) \
	  TEST_CFLAGS='$(FUZZ_FLAGS)' fuzz-run FUZZ='$(FUZZ)'

build/fuzz/bin/%: t/fuzz/fuzz_%.c $(LINKS_ALL)
	@mkdir -p $(@D)
	@echo '  FUZZ     $<'
	@$(CC) $(STD) $(TEST_CFLAGS) -fsanitize=fuzzer -I. $(CPPFLAGS) \
	  $(APR_CPPFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) \
	  -Wl,--end-group $(TEST_LIBS)

.PHONY: fuzz-run
fuzz-run: $(FUZZ:%=build/fuzz/bin/%)
	@for f in $(FUZZ); do \
	  mkdir -p build/fuzz/new/$$f build/fuzz/crash; \
	  echo "== $$f, $(FUZZ_SECONDS) s"; \
	  ASAN_OPTIONS=detect_leaks=0 build/fuzz/bin/$$f \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 \
	    -print_final_stats=1 -artifact_prefix=build/fuzz/crash/$$f- \
	    build/fuzz/new/$$f t/fuzz/corpus/$$f >build/fuzz/$$f.log 2>&1 \
	    || { tail -50 build/fuzz/$$f.log; exit 1; }; \
	  grep -E 'stat::(number_of_executed_units|average_exec)' \
	    build/fuzz/$$f.log; \
	done

# --- Judging the source -----------------------------------------------------

check: $(MODULE) $(patsubst %.c,$(B)/low/%.o,$(LOW) $(TOOLS))
	$(PROVE) $(PROVE_FLAGS) t/check/*.t

# The HTML pages, which are kept beside their sources.
manual:
	$(PERL) conf/manual/make.pl

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all \
  -fno-omit-frame-pointer

# Optimised, because -Wnull-dereference and -Wstack-usage need data flow. The
# rings of APR's brigades subtract from null (clang), and a test may have a
# large array on its stack.
LINT_gcc_t := -Wno-null-dereference -Wno-stack-usage
LINT_clang_t := -Wno-null-dereference
LINT_gcc_apr :=
LINT_clang_apr := -Wno-null-pointer-subtraction
define lint_rule
$$(B)/lint-$(1)/%.o: %.c
	@mkdir -p $$(@D)
	@$(2) $$(STD) -O2 -g0 $$($(3)) -Werror -I. -It/unit $$(CPPFLAGS) \
	  $$(if $$(filter src/parse/%,$$<),,$$(if $$(filter $(HIGH_ROOMS:%=src/%/%) \
	  mod_% t/bench/mod_% t/c-modules/%,$$<),$$(HTTPD_CPPFLAGS),$$(APR_CPPFLAGS))) \
	  $$(if $$(filter src/parse/%,$$<),,$$(LINT_$(1)_apr)) \
	  $$(if $$(filter t/%,$$<),$$(LINT_$(1)_t)) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call lint_rule,gcc,gcc,WARN_GCC))
$(eval $(call lint_rule,clang,$(CLANG),WARN))

lint: $(C_FILES:%.c=$(B)/lint-gcc/%.o) $(C_FILES:%.c=$(B)/lint-clang/%.o)
	@echo "lint: $(words $(C_FILES)) files, two compilers, no warning"

analyze: cppcheck
	@for f in $(SOURCES); do \
	  echo "  ANALYZE  $$f"; \
	  gcc $(STD) -O1 -fanalyzer -Werror=analyzer-double-free \
	    -Werror=analyzer-use-after-free -Werror=analyzer-null-dereference \
	    $(CPPFLAGS) $(HTTPD_CPPFLAGS) -c -o /dev/null $$f || exit 1; \
	done

cppcheck:
	cppcheck --quiet --std=c99 --enable=warning,portability,performance \
	  --inline-suppr --suppress=missingInclude --error-exitcode=1 \
	  $(CPPFLAGS) $(SOURCES)

tidy:
	@for f in $(SOURCES); do \
	  echo "  TIDY     $$f"; \
	  $(CLANG_TIDY) --quiet --warnings-as-errors='*' $$f -- $(STD) \
	    $(CPPFLAGS) $(HTTPD_CPPFLAGS) 2>$(B)/tidy.err || \
	    { cat $(B)/tidy.err; exit 1; }; \
	done

format:
	@$(CLANG_FORMAT) --dry-run --Werror $(C_FILES) $(H_FILES)
	@echo "format: $(words $(C_FILES) $(H_FILES)) files"

format-fix:
	$(CLANG_FORMAT) -i $(C_FILES) $(H_FILES)

# --- Variants ---------------------------------------------------------------

# Each process may have a few hundred sanitized threads. No memory may be left
# allocated when a program ends; for httpd and the languages in it this is not
# checked.
ASAN_MAKE = $(MAKE) -f Makefile.apxs --no-print-directory B=build/asan \
  M=build/asan VARIANT='$(ASAN)' CFLAGS='-g -O1 -U_FORTIFY_SOURCE' \
  TEST_CFLAGS='-g -O1 -U_FORTIFY_SOURCE'
ASAN_ENV = ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0 \
  LSAN_OPTIONS=suppressions=$(CURDIR)/t/lib/leaks:print_suppressions=0 \
  UBSAN_OPTIONS=print_stacktrace=1

asan:
	$(ASAN_MAKE) all
	$(MAKE) -f Makefile.apxs --no-print-directory asan-tests

# What sh t/run runs of it, with the tool.
asan-tests:
	$(ASAN_ENV) $(ASAN_MAKE) unit replay

asan-unit:
	$(ASAN_ENV) $(ASAN_MAKE) unit

# The HTTP suites with the sanitized module: UPOOL_TESTS, UPOOL_MPMS.
asan-http:
	$(ASAN_MAKE) all
	UPOOL_INSTALL=no UPOOL_STAGES=http UPOOL_MPMS='$(or $(UPOOL_MPMS),event)' \
	  UPOOL_MATRIX=full UPOOL_SO=build/asan/.libs/mod_upload_pool.so sh t/run

# The tests that have threads, or processes that share memory.
TSAN_UNIT := progress_ ident_keys store_append_test store_lock store_quota \
  upload_quota upload_resume_whole upload_sniff

tsan:
	$(MAKE) -f Makefile.apxs --no-print-directory B=build/tsan \
	  VARIANT='-fsanitize=thread' TEST_CFLAGS='-g -O1' \
	  UNIT='$(or $(UNIT),$(TSAN_UNIT))' unit

valgrind:
	$(MAKE) -f Makefile.apxs --no-print-directory unit \
	  UNIT_WRAP='valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite'

# The main paths, with httpd and everything else under memcheck.
VALGRIND_TESTS := t/http/form/basic.t t/http/status/clear.t t/http/chunked/django.t \
  t/http/tus/creation.t t/http/ietf/append.t t/http/refusals/reasons.t

valgrind-http:
	$(MAKE) -f Makefile.apxs --no-print-directory B=build/valgrind \
	  M=build/valgrind CFLAGS='-g -O1' all
	UPOOL_INSTALL=no UPOOL_STAGES=http UPOOL_MPMS=prefork \
	  UPOOL_VALGRIND=yes UPOOL_TESTS='$(or $(UPOOL_TESTS),$(VALGRIND_TESTS))' \
	  APACHE_TEST_STARTUP_TIMEOUT=600 \
	  UPOOL_SO=build/valgrind/.libs/mod_upload_pool.so sh t/run

# Without optimisation, so that a branch of the object is one of the source;
# threads share the counters. t/run says how they are used.
COVERAGE := B=build/coverage M=build/coverage COVERED=yes \
  VARIANT='--coverage -fprofile-update=atomic' CFLAGS='-g -O0' \
  TEST_CFLAGS='-g -O0'

coverage:
	UPOOL_INSTALL=no UPOOL_STAGES=coverage sh t/run

coverage-all coverage-unit coverage-replay:
	@$(MAKE) -f Makefile.apxs --no-print-directory $(COVERAGE) \
	  $(@:coverage-%=%)

bare:
	sh t/bare/run

test: all
	UPOOL_INSTALL=no sh t/run

# Each system call fails with each error, until no call is left to fail: this
# takes an hour.
faults: all
	UPOOL_INSTALL=no UPOOL_STAGES=http UPOOL_MPMS=event UPOOL_FAULTS=all \
	  UPOOL_TESTS=t/http/faults/loop.t sh t/run

# Every suite on every MPM, and tests that depend on chance more often.
test-long: all
	UPOOL_INSTALL=no UPOOL_MATRIX=full UPOOL_LONG=yes sh t/run

MPM = event
crashes: all probes
	UPOOL_INSTALL=no UPOOL_STAGES=http UPOOL_MPMS=$(MPM) UPOOL_LONG=yes \
	  UPOOL_TESTS="t/http/crash/kills.t t/http/crash/slots.t" sh t/run

# UPOOL_SOAK=3600: for an hour.
soak: all probes
	UPOOL_INSTALL=no UPOOL_STAGES=http UPOOL_MPMS=$(MPM) UPOOL_LONG=yes \
	  UPOOL_TESTS=t/http/crash/soak.t sh t/run

print-sources:
	@printf '%s\n' $(SOURCES)


-include $(LOW:%.c=$(B)/low/%.d) \
  $(LOW:%.c=$(B)/counted/%.d) $(LINEAR_BIN:%=%.d) $(UNIT_BIN:%=%.d) \
  $(BENCH_BIN:%=%.d) $(C_FILES:%.c=$(B)/lint-gcc/%.d) \
  $(C_FILES:%.c=$(B)/lint-clang/%.d)

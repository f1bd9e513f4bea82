#!/usr/bin/env bats
# The gate itself: units.sh, torture.sh and check.sh count what ran, and
# nothing that did not run passes.

bats_require_minimum_version 1.5.0
load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir -p build/debug
}

# program NAME LINE...: stands for a cmocka program that prints TAP
program() {
  printf '%s\n' '#!/bin/sh' "${@:2}" >"build/debug/$1"
  chmod +x "build/debug/$1"
}

units() { run "$TOP/harness/units.sh" debug "${@/#/build/debug/}"; }

# counted PASSED FAILED: the last line, and the status that goes with it
counted() {
  assert_line --index $((${#lines[@]} - 1)) "$1 passed, $2 failed"
  if [ "$2" -eq 0 ]; then
    assert_success
  else
    assert_failure
  fi
}

@test "units: tests of several programs are added up" {
  program a 'echo 1..2' 'echo ok 1 - x' 'echo ok 2 - y'
  program b 'echo 1..1' 'echo ok 1 - z'
  units a b
  counted 3 0
}

@test "units: a failed test fails, and its output is shown" {
  program a 'echo 1..2' 'echo ok 1 - x' 'echo not ok 2 - y' 'echo why' 'exit 1'
  units a
  assert_output --partial why
  counted 1 1
}

@test "units: a program that died in its second test lost that one" {
  # shellcheck disable=SC2016  # the program's own $$
  program a 'echo 1..2' 'echo ok 1 - x' 'kill -SEGV $$'
  units a
  counted 1 1
}

@test "units: fewer tests than planned is a failure, whatever the status" {
  program a 'echo 1..3' 'echo ok 1 - x' 'echo ok 2 - y'
  units a
  counted 2 1
}

@test "units: a finding after the last test is a failure" {
  program a 'echo 1..1' 'echo ok 1 - x' 'exit 23'
  units a
  counted 1 1
}

@test "units: a skipped test neither passes nor fails" {
  program a 'echo 1..2' 'echo ok 1 - x' 'echo "not ok 2 # SKIP y"'
  units a
  counted 1 0
}

@test "units: nothing but skipped tests is a failure" {
  program a 'echo 1..1' 'echo "not ok 1 # SKIP y"'
  units a
  assert_failure
}

@test "units: no program, or one that prints nothing, is a failure" {
  units
  counted 0 1
  program a 'exit 0'
  units a
  counted 0 1
}

@test "units: each program has a directory of its own, gone afterwards" {
  # shellcheck disable=SC2016  # the program's own $TMPDIR
  program a 'echo 1..1' 'touch "$TMPDIR/left"' 'ls "$TMPDIR" >>seen' \
    'echo "$TMPDIR" >>dirs' 'echo ok 1 - x'
  cp build/debug/a build/debug/b
  units a b
  counted 2 0
  assert_equal "$(cat seen)" $'left\nleft'
  assert_equal "$(sort -u dirs | wc -l)" 2
  assert_not_exist "$(head -n 1 dirs)"
}

# compiled NAME TEXT: a program of its own
compiled() {
  gcc -x c -o "build/debug/$1" - <<<"$2"
}

# tortured NAME BODY...: a cmocka program on the project's own heap, that tests
# a function pair() with the given body
tortured() {
  cat >pair.c <<END
#include <assert.h>
#include "base/mem.h"
int pair(char **a, char **b) {
$(printf '%s\n' "${@:2}")
}
END
  cat >"$1_test.c" <<END
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
int pair(char **a, char **b);
static void test_pair(void **state) {
	char **held = mem_zalloc(1, sizeof(*held)), *b;
	(void)state;
	assert_non_null(held);
	assert_int_equal(pair(held, &b), 0);
	mem_free(*held); mem_free(b); mem_free(held);
}
int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pair)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
END
  gcc -g -O0 -D_GNU_SOURCE -DTORTURE -fsanitize=address,undefined \
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer -I"$TOP/ref" \
    -o "build/debug/$1_test" "$1_test.c" pair.c "$TOP/ref/base/mem.c" -lcmocka
  run "$TOP/harness/torture.sh" "build/debug/$1_test"
}

@test "torture: what gives back what it took is clean" {
  tortured a '*a = mem_zalloc(1, 1); *b = mem_zalloc(1, 2);' \
    'if (*a && *b) return 0;' \
    'mem_free(*a); mem_free(*b); return 1;'
  assert_output --partial "3 refusals"
  counted 1 0
}

@test "torture: a leak of the refused call is found, what the test held is not" {
  tortured a '*b = mem_zalloc(1, 2); *a = mem_zalloc(1, 1);' \
    'if (*a && *b) return 0;' \
    'mem_free(*a); *a = NULL; *b = NULL; return 1;'
  assert_line --partial "FAIL TORTURE_NTH=3"
  refute_output --partial "TORTURE_NTH=2"
  assert_output --partial "leak of 2 byte"
  refute_output --partial "leak of 8 byte"
  counted 0 1
}

@test "torture: a broken assert() is found" {
  tortured a '*a = mem_zalloc(1, 1); *b = mem_zalloc(1, 2);' 'if (!*b)' \
    '__assert_fail("b", "pair.c", 1, "pair"); return *a == NULL;'
  assert_output --partial "Assertion"
  counted 0 1
}

@test "torture: what hangs on something that the test held does not count" {
  tortured a '*a = mem_zalloc(1, 1); if (*a == NULL) return 1;' \
    '*b = mem_zalloc(1, 2); return *b == NULL;'
  assert_output --partial "3 refusals"
  counted 1 0
}

@test "torture: an allocation that is not looked at is found" {
  tortured a '*a = mem_zalloc(1, 1); *b = mem_zalloc(1, 2);' \
    '(*a)[0] = 1; return *b == NULL;'
  assert_output --partial "TORTURE_NTH=2"
  counted 0 1
}

@test "torture: a program that allocates nothing has nothing to be refused" {
  compiled a 'int main(void) { return 0; }'
  run "$TOP/harness/torture.sh" build/debug/a
  assert_output --partial " 0 refusals"
  counted 1 0
}

@test "torture: a program whose allocations cannot be refused proves nothing" {
  compiled a 'void mem_zalloc(void) {} int main(void) { return 0; }'
  run "$TOP/harness/torture.sh" build/debug/a
  assert_output --partial "FAIL build/debug/a: not built with -DTORTURE"
  counted 0 1
}

# A house with stages of its own.
house() {
  mkdir -p house/harness house/spec-tests house/ref house/harness/touchstone
  cp "$TOP/harness/check.sh" "$TOP/harness/units.sh" house/harness
  local stage
  for stage in lint trace conformance asan-smoke; do
    printf '%s\n' '#!/bin/sh' 'echo "2 passed, 0 failed"' \
      >"house/harness/$stage.sh"
    chmod +x "house/harness/$stage.sh"
  done
  : >house/ref/x_test.c
  mkdir -p house/build/debug/ref house/build/asan/ref
  program x 'echo 1..1' 'echo ok 1 - x'
  cp build/debug/x house/build/debug/ref/x_test
  cp build/debug/x house/build/asan/ref/x_test
  suite '@test "a" { true; }'
}

suite() { printf '%s\n' '#!/usr/bin/env bats' "$@" >house/spec-tests/a.bats; }

# The bats around us is none of its business.
check() {
  run env -u BATS_TMPDIR -u BATS_RUN_TMPDIR -u BATS_SUITE_TMPDIR CI="${ci-}" \
    house/harness/check.sh "$@"
}

@test "check: adds up its stages" {
  house
  check
  counted 11 0
}

@test "check: a stage that failed without saying how often counts as one" {
  house
  printf '%s\n' '#!/bin/sh' 'exit 3' >house/harness/lint.sh
  check
  counted 9 1
}

@test "check: a stage that ran nothing has failed" {
  house
  printf '%s\n' '#!/bin/sh' 'echo "0 passed, 0 failed"' >house/harness/lint.sh
  check
  counted 9 1
}

@test "check: a failed bats test is shown and counted" {
  house
  suite '@test "a" { true; }' '@test "b" { false; }'
  check
  assert_output --partial "not ok 2 b"
  counted 11 1
}

@test "check: a suite that cannot be read has failed" {
  house
  suite '@test "a" {'
  check
  counted 10 1
}

@test "check: in CI a witness that did not run is a failure, elsewhere not" {
  house
  suite '@test "a" { true; }' \
    '@test "b" { skip "witness pykmip: not installed"; }' \
    '@test "c" { skip "no test cases here"; }'
  check
  counted 11 0
  ci=true check
  counted 11 1
}

@test "check: T= runs one unit, one suite, and nothing else" {
  house
  check ref/x
  counted 1 0
  check spec-tests/a
  counted 1 0
  check spec-tests/b
  assert_failure
}

# leaky WHAT: stands for a server that does WHAT when it starts, and counts that
# in starts; as the console it is sound
leaky() {
  printf '%s\n' '#include <stdlib.h>' \
    '__attribute__((constructor)) static void' \
    "leak(void) { void *volatile p = malloc(77); $1; p = NULL; }" >leak.c
  gcc -shared -fPIC -O0 -o leak.so leak.c
  # shellcheck disable=SC2016  # the stand-in's own
  printf '%s\n' '#!/bin/sh' \
    "[ \"\$1\" = console ] && exec $TOP/build/asan/touchstone-ref \"\$@\"" \
    "echo >>$PWD/starts" \
    'ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0' \
    'export ASAN_OPTIONS' "LD_PRELOAD=$PWD/leak.so" 'export LD_PRELOAD' \
    "exec $TOP/build/asan/touchstone-ref \"\$@\"" >ref
  chmod +x ref
}

@test "asan smoke: what the server has lost when it ends is found" {
  [ -x "$TOP/build/asan/touchstone-ref" ] || skip "no asan build: make asan"
  export TOUCHSTONE_REF=$PWD/ref REPORT=$PWD/report
  leaky ';'
  run "$TOP/harness/asan-smoke.sh" --only 'kmip/query/*1.4'
  assert_output --partial "leak of 77 byte"
  # each time that the server ran: while its appliance was made, too
  assert_line --regexp "^[1-9][0-9]* passed, $(wc -l <starts) failed\$"
  assert_failure

  leaky 'free(p)'
  run "$TOP/harness/asan-smoke.sh" --only 'kmip/query/*1.4'
  assert_line --regexp '^[1-9][0-9]* passed, 0 failed$'
  assert_success
}

#!/usr/bin/env bats
# make mutants: a mutant counts only when a test, and the right one, notices.

bats_require_minimum_version 1.5.0
load helper

setup() {
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/spec-tests/mutants"
  # A product of two lines, and its tests.
  printf 'one\ntwo\n' >"$tree/product"
  cat >"$tree/Makefile" <<'END'
units:
	@grep -q . product || { echo "does not compile"; exit 2; }
	@if grep -q one product; then echo "ok 1 says one"; echo "1 passed, 0 failed"; \
	else echo "not ok 1 says one"; echo "0 passed, 1 failed"; exit 1; fi
END
}

# mutant NAME FROM TO HEAD...: a patch that turns line FROM into TO
mutant() {
  {
    printf '%s\n' "${@:4}"
    sed "s/^$2\$/$3/" "$tree/product" |
      diff -u --label a/product --label b/product "$tree/product" - || true
  } >"$tree/spec-tests/mutants/$1.patch"
}

mutants() { run "$TOP/harness/mutants.sh" "$tree"; }

refused() {
  mutants
  assert_failure
  assert_output --partial "$1"
  assert_line "0 passed, 1 failed"
}

@test "a mutant that its test notices is killed" {
  mutant a one uno "what: says uno" "kills: make units" "test: says one"
  mutants
  assert_success
  assert_line "1 passed, 0 failed"
  assert_equal "$(cat "$tree/product")" $'one\ntwo'
}

@test "each mutant starts from the sound product" {
  mutant a one uno "what: says uno" "kills: make units"
  mutant b one eins "what: says eins" "kills: make units"
  mutants
  assert_line "2 passed, 0 failed"
}

@test "a mutant that cannot be taken back does not reach the next" {
  mutant a one uno "what: says uno" "kills: make units"
  mutant b one eins "what: says eins" "kills: make units"
  printf '%s\n' "--- a/gone" "+++ b/gone" "@@ -1 +1 @@" "-x" "+y" \
    >>"$tree/spec-tests/mutants/a.patch"
  mutants
  assert_failure
  assert_output --partial "a: does not apply any more"
  assert_line "1 passed, 1 failed"
}

@test "a mutant's object does not outlive it" {
  # As make does: built anew only when the source is newer.
  cat >"$tree/Makefile" <<'END'
units: object
	@if grep -q one object; then echo "ok 1 says one"; echo "1 passed, 0 failed"; \
	else echo "not ok 1 says one"; echo "0 passed, 1 failed"; exit 1; fi
object: product
	@cp product object
END
  mutant a one uno "what: says uno" "kills: make units"
  mutants
  assert_line "1 passed, 0 failed"
  mutants
  assert_line "1 passed, 0 failed"
}

@test "a mutant that survives is a failure" {
  mutant a two due "what: says due" "kills: make units"
  refused "a: survives: make units (says due)"
}

@test "a mutant killed by another test than the one it names is a failure" {
  mutant a one uno "what: says uno" "kills: make units" "test: says two"
  refused 'a: killed, but not by "says two"'
}

@test "a mutant that does not compile is a failure" {
  mutant a '.*' '' "what: nothing" "kills: make units"
  refused "a: no test ran"
}

@test "a mutant that no longer applies is a failure" {
  mutant a one uno "what: says uno" "kills: make units"
  sed -i 's/^-one/-an/' "$tree/spec-tests/mutants/a.patch"
  refused "a: does not apply any more"
}

@test "a test that fails without the mutant proves nothing" {
  mutant a one uno "what: says uno" "kills: make units"
  printf 'uno\ntwo\n' >"$tree/product"
  refused "a: without it, make units fails already"
}

@test "a head without a test, or with a stray command, is a failure" {
  mutant a one uno "what: says uno"
  refused 'a: kills: "" is not'
  mutant a one uno "what: says uno" "kills: make clean"
  refused 'a: kills: "make clean" is not'
  mutant a one uno "kills: make units"
  refused 'a: no "what:"'
}

@test "no mutant chosen is a failure" {
  refused "mutants: none chosen"
}

@test "the project's own mutants still apply" {
  cd "$TOP" || return
  local patch
  for patch in spec-tests/mutants/*.patch; do
    run patch -p1 --dry-run -s -i "$patch"
    [ "$status" -eq 0 ] || fail "$patch: $output"
  done
  assert_file_exist "$patch"
}

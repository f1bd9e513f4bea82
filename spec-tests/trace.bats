#!/usr/bin/env bats
# make trace: joins clauses, code and tests, and keeps both honest. Each
# accepted citation has a refused twin.

bats_require_minimum_version 1.5.0
load helper

setup() {
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree"/spec-tests/{requirements,facts/kmip} "$tree"/ref/kmip
  rows spec-tests/requirements/clauses-01.tsv \
    "id|chapter|lines|area|level|statement|check" \
    'KS-01-001|1|1|kmip|must|The "Server" answers.|Ask.' \
    'KS-01-002|1|2|kmip|must|It never lies about what it holds, has held or will hold.|Ask.' \
    'KS-01-003|1|3|kmip|info|CONFLICT: it answers; it does not.|-' \
    'KSC-001|x|1|hsm|hw|The card is red.|-'
  rows spec-tests/facts/kmip/sections.tsv "version|section|title" \
    "1.4|4|Operations" "1.4|4.21|Destroy" "1.4|9|Encoding" \
    "1.4|9.1|TTLV" "2.1|6.1.3|Create"
}

# rows FILE ROW...: | stands for a tab
rows() { printf '%s\n' "${@:2}" | tr '|' '\t' >"$tree/$1"; }
lines() { printf '%s\n' "${@:2}" >"$tree/$1"; }
trace() { run "$TOP/harness/trace.sh" "$tree"; }

accepted() {
  trace
  assert_success
  assert_line "8 passed, 0 failed"
}

# refused RULE TEXT: exactly that rule broke, and says so
refused() {
  trace
  assert_failure
  assert_output --partial "$1: $2"
  assert_line "7 passed, 1 failed"
}

# counts AREA CLAUSES BUILT+TESTED BUILT TESTED EXCEPTED WAITS NOT-YET
counts() {
  accepted
  assert_line --regexp "^$1 +$2 +$3 +$4 +$5 +$6 +$7 +$8\$"
}

@test "the project's own citations hold" {
  run "$TOP/harness/trace.sh"
  assert_success
  assert_line "8 passed, 0 failed"
}

@test "the table fits one screen, and two seconds are plenty" {
  run timeout 2 "$TOP/harness/trace.sh"
  assert_success
  [ "${#lines[@]}" -le 50 ]
}

@test "no clauses at all is a failure" {
  rm "$tree"/spec-tests/requirements/*
  trace
  assert_failure
  assert_line "0 passed, 1 failed"
}

@test "a clause is built, tested, or both" {
  lines ref/kmip/a.c "/* req: KS-01-001 */"
  counts kmip 2 0 1 0 0 0 1
  lines ref/kmip/a_test.c "/* req: KS-01-002 */"
  counts kmip 2 0 1 1 0 0 0
  lines ref/kmip/a_test.c "/* req: KS-01-002 KS-01-001 */"
  counts kmip 2 1 0 1 0 0 0
}

@test "bats suites, vectors and tables cite too" {
  lines spec-tests/a.bats "# req: KS-01-001"
  mkdir -p "$tree/vectors/ttlv"
  lines vectors/ttlv/a "id: a" "clause: KS-01-002"
  lines ref/kmip/op.def 'OP(CREATE, "Create", "KS-01-001")' 'OP(X, KS-01-002)'
  counts kmip 2 2 0 0 0 0 0
}

@test "a row of a table that is not yet there obeys nothing" {
  lines ref/kmip/op.def 'TEXT(A, NOT_YET, "KS-01-001")' \
    'TEXT(B, DONE, "KS-01-002")'
  counts kmip 2 0 1 0 0 0 1
  lines ref/kmip/op.def 'TEXT(A, NOT_YET, "KS-01-009")'
  refused unknown "KS-01-009 is no clause"
}

@test "an id that does not exist fails" {
  lines ref/kmip/a.c "/* req: KS-01-009 */"
  refused unknown "KS-01-009 is no clause"
  lines ref/kmip/a.c "/* req: KS-01-001, KSC-01 */"
  refused unknown "KSC-01 is no clause"
  lines ref/kmip/a.c "int a;"
  lines ref/kmip/op.def 'OP(CREATE, "Create", "KS-01-0001")'
  refused unknown "KS-01-0001 is no clause"
}

@test "a quotation says what the clause says, on one line or several" {
  lines ref/kmip/a.c '/* req: KS-01-001  "The "Server" answers." */'
  accepted
  lines ref/kmip/a.c "/*" ' * req: KS-01-002  "It never lies about what it' \
    ' * holds, has held or will hold."' " */" "int a;"
  accepted
  lines spec-tests/a.bats '# req: KS-01-002  "It never lies about what it holds,' \
    '# has held or will hold."' '@test "x" {'
  accepted
}

@test "a quotation with a word changed, cut short or left open fails" {
  lines ref/kmip/a.c '/* req: KS-01-001  "The "Server" replies." */'
  refused quotation "KS-01-001 says"
  lines ref/kmip/a.c '/* req: KS-01-001  "The "Server"" */'
  refused quotation "KS-01-001 says"
  lines ref/kmip/a.c "/*" ' * req: KS-01-002  "It never lies about what it' \
    ' * held, has held or will hold."' " */" "int a;"
  refused quotation "KS-01-002 says"
  lines ref/kmip/a.c '/* req: KS-01-001  "The "Server"'
  refused quotation "KS-01-001 says"
}

@test "a section of the standard exists" {
  lines ref/kmip/a.c "/* spec: kmip-1.4 4.21, 9.1 and kmip-2.1 6.1.3 */"
  accepted
  lines ref/kmip/a.c "/* spec: kmip-1.4 4.22 */"
  refused section "kmip-1.4 has no section 4.22"
  lines ref/kmip/a.c "/* spec: kmip-1.4 4.21, 4.99 */"
  refused section "kmip-1.4 has no section 4.99"
  lines ref/kmip/a.c "/* spec: kmip-1.5 4.21 */"
  refused section "kmip-1.5 is no version"
}

@test "below the table's last level a section is let through, above not" {
  lines ref/kmip/a.c "/* spec: kmip-1.4 9.1.1 */"
  accepted
  lines ref/kmip/a.c "/* spec: kmip-1.4 9.2 */"
  refused section "kmip-1.4 has no section 9.2"
}

@test "an exception has one of five reasons, and a text" {
  rows spec-tests/requirements/exceptions.tsv "id|reason|text" \
    "KSC-001|hardware|nobody sees its colour"
  counts hsm 1 0 0 0 1 0 0
  rows spec-tests/requirements/exceptions.tsv "KSC-001|too hard|it is"
  refused exceptions 'KSC-001: "too hard" is none of the five reasons'
  rows spec-tests/requirements/exceptions.tsv "KSC-001|hardware|"
  refused exceptions "KSC-001: no text"
  rows spec-tests/requirements/exceptions.tsv "KSC-009|hardware|none"
  refused unknown "KSC-009 is no clause"
}

@test "what is implied names by what" {
  rows spec-tests/requirements/exceptions.tsv "KS-01-002|implied by|KS-01-001"
  accepted
  rows spec-tests/requirements/exceptions.tsv "KS-01-002|implied by|KS-01-002"
  refused exceptions 'KS-01-002: "implied by" names no other clause'
}

@test "an exception ends where a test begins" {
  rows spec-tests/requirements/exceptions.tsv "KSC-001|hardware|colour"
  lines ref/kmip/a_test.c "/* req: KSC-001 */"
  refused exceptions "KSC-001 is tested"
}

@test "a clause waits for an area that exists" {
  rows spec-tests/requirements/waits.tsv "id|waits|text" \
    "KS-01-001|waits: hsm|the card"
  counts kmip 2 0 0 0 0 1 1
  rows spec-tests/requirements/waits.tsv "KS-01-001|waits: moon|the card"
  refused waits 'KS-01-001: "waits: moon" is not "waits: AREA"'
}

@test "a finished area has nothing open, and its conflicts are decided" {
  mkdir -p "$tree/docs"
  lines ref/kmip/a.c "/* req: KS-01-001 KS-01-002 */"
  lines ref/kmip/a_test.c "/* req: KS-01-001 KS-01-002 */"
  rows spec-tests/requirements/finished.tsv "area|issue" "kmip|2"
  refused finished "kmip: KS-01-003 is not decided"
  lines docs/decisions.md "KS-01-003: it answers, because it must."
  accepted
  lines ref/kmip/a_test.c "/* req: KS-01-001 */"
  refused finished "kmip: KS-01-002 is built only"
}

@test "of a finished area one clause in twenty can be excepted, hardware apart" {
  local k
  local all=("id|chapter|lines|area|level|statement|check"
    'KSC-001|x|1|kmip|hw|The card is red.|-')
  for k in $(seq 100 119); do
    all+=("KS-01-$k|1|1|kmip|must|The server does $k.|Ask.")
  done
  rows spec-tests/requirements/clauses-01.tsv "${all[@]}"
  lines ref/kmip/a.c "/* req: $(seq -f KS-01-%g 102 119 | tr '\n' ' ')*/"
  lines ref/kmip/a_test.c "/* req: $(seq -f KS-01-%g 102 119 | tr '\n' ' ')*/"
  rows spec-tests/requirements/finished.tsv "area|issue" "kmip|2"
  rows spec-tests/requirements/waits.tsv "id|what|text" "KS-01-100|waits: kmip|later"
  rows spec-tests/requirements/exceptions.tsv "id|reason|text" \
    "KS-01-101|out of scope|nobody asks" "KSC-001|hardware|its colour"
  accepted
  rows spec-tests/requirements/waits.tsv "id|what|text"
  rows spec-tests/requirements/exceptions.tsv "id|reason|text" \
    "KS-01-101|out of scope|nobody asks" "KS-01-100|out of scope|nobody asks" \
    "KSC-001|hardware|its colour"
  refused share "kmip: 2 of 20 clauses are excepted"
}

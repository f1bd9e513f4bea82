#!/usr/bin/env bats
# touchstone report: every report comes from the record of the run alone.
# bats file_tags=tool:report

bats_require_minimum_version 1.5.0

setup() {
  load ../helper
  run=$BATS_TEST_TMPDIR/run
  mkdir "$run"
}

report() { "$TOP/build/bin/touchstone" report "$run"; }

# The record of a run: the lines given, as they are.
record() { printf '%s\n' "$@" >"$run/results.jsonl"; }

head='{"type":"run","suite_version":"1","started":"2026-11-21T10:00:00Z","laboratory":false,"planned":PLANNED,"target":{"name":"a <key> server","address":"127.0.0.1:5696"}}'

test_line() { # id verdict [member...]
  local IFS=,
  printf '{"type":"test","id":"%s","family":"F","version":"1.4","verdict":"%s"%s}' \
    "$1" "$2" "${3:+,${*:3}}"
}

end() { # exit pass fail waived not-run
  printf '{"type":"end","exit":%s,"counts":{"pass":%s,"fail":%s,"unknown":0,"waiver-stale":0,"waived":%s,"not-claimed":0,"not-run":%s}}' "$@"
}

difference='"difference":{"step":1,"path":"A/B","offset":8,"expected":"1","got":"]]> <2>"}'
steps='"steps":[{"n":1,"sent_hex":"4200780100000000","received_hex":"42007b010000000842000d0200000000","received_xml":"<A>\n  <B type=\"Integer\" value=\"2\"/>\n</A>\n"}]'

@test "a run that conforms exits 0, and the last line counts" {
  record "${head/PLANNED/2}" "$(test_line A-1 pass)" \
    "$(test_line A-2 not-run '"reason":"no clock"')" "$(end 0 1 0 0 1)"
  run -0 report
  assert_line --index -1 "1 passed, 0 failed, 0 not-claimed, 1 not-run, 0 waived"
}

@test "a run that fails exits 1, and each report shows where" {
  record "${head/PLANNED/1}" \
    "$(test_line A-1 fail "$difference" "$steps")" "$(end 1 0 1 0 0)"
  run -1 report
  assert_line --regexp '^ +path +A/B$'
  assert_line "  > 000000  42007b0100000008 42000d0200000000"
  run -0 grep -c '^not ok 1 - 1.4 A-1$' "$run/results.tap"
  run -0 xmllint --xpath 'string(//failure/@message)' "$run/junit.xml"
  assert_output "A/B: expected 1, got ]]> <2>"
  run -0 xmllint --html --xpath 'string(//details//mark)' "$run/report.html"
  assert_output --partial '<B type="Integer" value="2"/>'
}

@test "a record that is cut off is incomplete in each report, exit 2" {
  record "${head/PLANNED/2}" "$(test_line A-1 pass)"
  printf '{"type":"test","id":"A-2","fam' >>"$run/results.jsonl"
  run -2 report
  assert_line --partial "INCOMPLETE: the record ends before the run did"
  assert_line --index -1 "1 passed, 0 failed, 0 not-claimed, 0 not-run, 0 waived"
  run -0 grep -c '^Bail out!' "$run/results.tap"
  run -0 xmllint --xpath 'string(//error/@message)' "$run/junit.xml"
  assert_output "the record ends before the run did"
  run -0 grep -c 'Incomplete: the record ends' "$run/report.html"
}

@test "a record that says more than its tests is incomplete" {
  record "${head/PLANNED/1}" "$(test_line A-1 fail)" "$(end 0 1 0 0 0)"
  run -2 report
  assert_line --partial "INCOMPLETE: the counts disagree with the tests"
}

@test "no record, and none that can be read, exit 2 and write no report" {
  run -2 report
  assert_output --partial "results.jsonl: No such file"
  record "hello"
  run -2 report
  assert_output --partial "results.jsonl:1: JSON"
  assert_not_exists "$run/report.html"
}

@test "the JUnit report is valid by the common schema" {
  record "${head/PLANNED/5}" "$(test_line A-1 pass '"ms":1234.5')" \
    "$(test_line A-2 fail "$difference" "$steps")" \
    "$(test_line A-3 waived '"waiver":{"reason":"r","expires":"2027-01-01"}')" \
    "$(test_line A-4 not-run '"reason":"< & \" \u0001"')" \
    "$(test_line A-5 pass)" "$(end 1 2 1 1 1)"
  run -1 report
  run -0 xmllint --noout --relaxng "$BATS_TEST_DIRNAME/junit.rng" \
    "$run/junit.xml"
  # and the schema does refuse
  sed 's/ classname="[^"]*"//' "$run/junit.xml" >"$run/other.xml"
  run -3 xmllint --noout --relaxng "$BATS_TEST_DIRNAME/junit.rng" \
    "$run/other.xml"
}

@test "the page is well formed and asks nothing of the network" {
  record "${head/PLANNED/1}" \
    "$(test_line A-1 fail "$difference" "$steps" \
      '"title":"<script src=//evil></script><img src=x onerror=y>"')" \
    "$(end 1 0 1 0 0)"
  run -1 report
  # libxml2 knows the elements of HTML 4 only
  run bash -c 'xmllint --html --noout "$1" 2>&1 |
    grep "error :" | grep -v "Tag [a-z]* invalid"' _ "$run/report.html"
  refute_output
  run -0 xmllint --html --xpath \
    'count(//script) + count(//style) + 10 * count(//link | //img | //@src)' \
    "$run/report.html"
  assert_line --index -1 2
}

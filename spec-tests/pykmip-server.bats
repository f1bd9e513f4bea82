#!/usr/bin/env bats
# Our suite at a foreign server, PyKMIP's: what it says of a server that nobody
# here has written. What is known of that server is waived, one difference at a
# time, and docs/pykmip.md says who is right; so what shows here is a change in
# our judgement: a new case that PyKMIP fails (look at it, then give it a waiver
# and a row), or one that it has begun to pass (take its waiver out).
# bats file_tags=witness, pykmip
bats_require_minimum_version 1.5.0

setup() {
  load helper
  targets=$TOP/harness/targets
}

teardown() {
  if [ -n "${dir-}" ]; then
    "$TOP/harness/pykmip.sh" stop "$dir"
  fi
}

# judge WAIVERS OPTION...: put the cases to a server of this test's own
judge() {
  command -v pykmip-server >/dev/null ||
    skip "witness pykmip: python3-pykmip is not installed"
  dir=$BATS_TEST_TMPDIR/pykmip
  "$TOP/harness/pykmip.sh" start "$dir" 3>&-
  run "$TOP/build/bin/touchstone" run --target "$dir/target.conf" --seed 1 \
    --min-tests 40 --quiet --report "$dir/report" \
    --waivers "$targets/$1" "${@:2}"
  assert_file_not_empty "$dir/report/report.html"
}

# red: the verdicts that are, with the ids of their tests
red() {
  sed -n 's/^{"type":"test","id":"\([^"]*\)".*"verdict":"\(fail\|unknown\|waiver-stale\)".*/\2 \1/p' \
    "$dir/report/results.jsonl"
}

@test "Of PyKMIP's server the suite says of our cases what was looked at by hand" {
  judge pykmip.waivers --vectors "$TOP/vectors/kmip" \
    --vectors "$TOP/vectors/ttlv"
  assert_output --partial "PyKMIP 0.10.0: does not conform"
  refute_output --partial "no test that was judged"
  # its difference has an identifier in it, which cannot be waived
  assert_equal "$(red)" "fail kmip/locate/group-1.2"
}

@test "Of PyKMIP's server the suite says of OASIS' cases what was looked at by hand" {
  oasis=${OASIS-$TOP/../shared/vectors/oasis}
  [ -d "$oasis" ] || skip "the OASIS cases are not here"
  judge pykmip-oasis.waivers --vectors "$oasis" --only 'oasis/*'
  assert_success
  assert_equal "$(red)" ""
}

# rows WAIVERS...: row and clause of each waiver
rows() {
  awk -F ' *= *' '/^reason/ { sub(/:.*/, "", $2); row = $2 }
    /^link/ { print row, $2 }' "$@" | sort -u
}

@test "Each waiver for PyKMIP has a row in the document, and each row a waiver" {
  run rows "$targets/pykmip.waivers" "$targets/pykmip-oasis.waivers"
  assert_success
  # shellcheck disable=SC2016  # backquotes of the document
  documented=$(awk -F ' *[|] *' \
    '$2 ~ /^`/ && $4 ~ /^(suite|PyKMIP|open)$/ { gsub(/`/, "", $2); print $2, $5 }' \
    "$TOP/docs/pykmip.md" | sort -u)
  assert_equal "$output" "$documented"
}

#!/usr/bin/env bats
# Our suite at a foreign server, PyKMIP's: what the suite says of a server that
# nobody here has written. docs/pykmip.md judges the findings one by one.
# bats file_tags=witness, pykmip
bats_require_minimum_version 1.5.0

setup() {
  load helper
  command -v pykmip-server >/dev/null ||
    skip "witness pykmip: python3-pykmip is not installed"
  dir=$BATS_TEST_TMPDIR/pykmip
  "$TOP/harness/pykmip.sh" start "$dir" 3>&-
}

teardown() {
  [ ! -d "$dir" ] || "$TOP/harness/pykmip.sh" stop "$dir"
}

@test "A run at PyKMIP's server judges its cases, and nothing stays unknown" {
  run -1 "$TOP/build/bin/touchstone" run --target "$dir/target.conf" \
    --vectors "$TOP/vectors/kmip" --vectors "$TOP/vectors/ttlv" \
    --report "$dir/report" --seed 1 --min-tests 40 --quiet
  run grep -c '"verdict":"unknown"' "$dir/report/results.jsonl"
  assert_output 0
}

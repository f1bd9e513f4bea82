#!/usr/bin/env bats
# The table of settings, and what follows from its rows
# bats file_tags=settings
bats_require_minimum_version 1.5.0

setup() {
  load helper
}

@test "docs/settings.md is what the table of settings says" {
  "$TOP/build/bin/touchstone-ref" --print-settings >"$BATS_TEST_TMPDIR/page"
  diff -u "$TOP/docs/settings.md" "$BATS_TEST_TMPDIR/page"
}

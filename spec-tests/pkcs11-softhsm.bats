#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154  # pkcs11.bash and bats read and write these
# What touchstone-p11 says of raw SoftHSM, and how it says it: PKCS#11 2.40.
# bats file_tags=pkcs11, softhsm
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load pkcs11
  softhsm_token
}

@test "Raw SoftHSM fails what its waivers say, and nothing else" {
  run p11 --init-token --waivers "$TOP/harness/pkcs11/softhsm.waivers" \
    --json "$BATS_TEST_TMPDIR/results.jsonl"
  assert_success
  assert_line --regexp '^[0-9]{3,} passed, 0 failed, [0-9]+ not-claimed, 0 not-run, [0-9]+ waived$'
  refute_line --partial "no check that was judged"
  # each waiver is of one check, and none of a pattern
  waived=$(grep -c '"verdict":"waived"' "$BATS_TEST_TMPDIR/results.jsonl")
  assert_equal "$waived" \
    "$(grep -c '^\[' "$TOP/harness/pkcs11/softhsm.waivers")"
  run grep -c '^\[.*[*?]' "$TOP/harness/pkcs11/softhsm.waivers"
  assert_output 0
}

@test "A run leaves no object on the token, and the PINs as they were" {
  run p11 --init-token --only 'object/*' --only 'session/*' --only 'login/*'
  assert_line --regexp '[0-9]+ passed'
  run tool --login --pin "$P11_PIN" --list-objects
  assert_success
  refute_output --partial "label:"
  run -0 p11 --only login/user-states --only login/so-states
}

@test "Without the waiver the same difference is red, and told in full" {
  run -1 p11 --only state/CKM_AES_CBC/encrypt/one-after-update
  assert_line "fail state/CKM_AES_CBC/encrypt/one-after-update"
  assert_line --regexp '^    clause +pkcs11-base-2.40 5.8$'
  assert_line --regexp '^    path +C_Encrypt\('
  assert_line --regexp '^    expected +CKR_OPERATION_ACTIVE or CKR_OPERATION_NOT_INITIALIZED$'
  assert_line --regexp '^    got +CKR_OK$'
  counted 1 failed
}

@test "A waiver of a check that passes is red" {
  cat >"$BATS_TEST_TMPDIR/stale.waivers" <<'END'
[session/open-ro]
path     = C_OpenSession
expected = CKR_OK
got      = CKR_GENERAL_ERROR
reason   = it does not
link     = pkcs11-base-2.40 5.6
expires  = 2099-12-31
END
  run -1 p11 --only session/open-ro --waivers "$BATS_TEST_TMPDIR/stale.waivers"
  assert_line "waiver-stale session/open-ro"
}

@test "A waiver of another difference excuses nothing" {
  sed 's/^got .*/got = CKR_DEVICE_ERROR/' \
    "$TOP/harness/pkcs11/softhsm.waivers" >"$BATS_TEST_TMPDIR/other.waivers"
  run -1 p11 --only login/logout-without \
    --waivers "$BATS_TEST_TMPDIR/other.waivers"
  counted 1 failed
}

@test "The list of checks needs no module: each has an id, a sentence, a clause" {
  "$TOP/build/bin/touchstone-p11" --list >"$BATS_TEST_TMPDIR/list"
  run wc -l <"$BATS_TEST_TMPDIR/list"
  assert [ "$output" -ge 1000 ]
  run awk -F '\t' 'NF != 4 || $1 !~ "^[a-z]+/" || $2 !~ " " ||
    $3 !~ "^pkcs11-(base|curr|ug|hist)-[23]" || seen[$1]++' \
    "$BATS_TEST_TMPDIR/list"
  assert_output ""
}

@test "The manual counts the checks of each group right" {
  "$TOP/build/bin/touchstone-p11" --list | cut -d / -f 1 | sort | uniq -c |
    awk '{ print $2, $1 }' >"$BATS_TEST_TMPDIR/groups"
  # shellcheck disable=SC2016  # backquotes are the manual's
  run diff "$BATS_TEST_TMPDIR/groups" <(
    sed -n 's/^| `\([a-z]*\)` | \([0-9]*\) | .*/\1 \2/p' \
      "$TOP/docs/pkcs11.md" | sort
  )
  assert_success
  run awk '{ n += $2 } END { print n }' "$BATS_TEST_TMPDIR/groups"
  assert_success
  run grep -c -F "puts $output checks" "$TOP/docs/pkcs11.md"
  assert_output 1
}

@test "Without PINs what needs them is not run, and that is not a pass" {
  run -0 "$TOP/build/bin/touchstone-p11" --module "$SOFTHSM" \
    --token "$P11_TOKEN" --only 'session/*'
  assert_line --regexp '^not-run +2  no --pin-file$'
  run -2 "$TOP/build/bin/touchstone-p11" --module "$SOFTHSM" \
    --token "$P11_TOKEN" --only 'wrap/*'
  counted 0 passed
}

@test "What may change the token is run only when it is allowed" {
  run -0 p11 --only login/set-pin --only login/user-states
  counted 1 not-run
  counted 1 passed
  run -0 p11 --only login/set-pin --only login/user-states --init-token
  counted 2 passed
}

@test "A run of nothing could not tell" {
  run -2 p11 --only 'no-such/*'
  counted 0 passed
}

@test "No module, no token and no such option are told apart from failures" {
  run -2 "$TOP/build/bin/touchstone-p11" --module /no/such.so
  assert_output --partial "/no/such.so"
  run -2 "$TOP/build/bin/touchstone-p11" --module "$SOFTHSM" --token nobody
  assert_output --partial "no such token"
  run -2 "$TOP/build/bin/touchstone-p11"
  assert_output --partial "--module FILE is needed"
  run -2 p11 --pin-file /no/such
  assert_output --partial "/no/such"
}

@test "A slot is chosen by number as well" {
  slot=$(tool --list-slots | sed -n 's/^Slot 0 (\(0x[0-9a-f]*\)).*/\1/p')
  run -0 "$TOP/build/bin/touchstone-p11" --module "$SOFTHSM" --slot "$slot" \
    --only session/open-ro
  assert_line --partial "at slot $slot, token \`$P11_TOKEN\`"
  run -2 "$TOP/build/bin/touchstone-p11" --module "$SOFTHSM" --slot 0x7ffe \
    --only session/open-ro
}

@test "TAP, JUnit and JSON tell the same as the terminal" {
  run p11 --only 'other/*' --only state/CKM_AES_CBC/encrypt/one-after-update \
    --tap "$BATS_TEST_TMPDIR/tap" --junit "$BATS_TEST_TMPDIR/junit.xml" \
    --json "$BATS_TEST_TMPDIR/results.jsonl"
  run grep -c '^not ok ' "$BATS_TEST_TMPDIR/tap"
  assert_output 1
  run xmllint --noout --relaxng "$TOP/spec-tests/tool/junit.rng" \
    "$BATS_TEST_TMPDIR/junit.xml"
  assert_success
  run xmllint --xpath 'string(//testsuite[@name="pkcs11-2.40 state"]/@failures)' \
    "$BATS_TEST_TMPDIR/junit.xml"
  assert_output 1
  run grep -c '"verdict":"fail"' "$BATS_TEST_TMPDIR/results.jsonl"
  assert_output 1
}

#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154  # pkcs11.bash and bats read and write these
# The simulated card against PKCS#11 2.40: every check that touchstone-p11 has.
# bats file_tags=pkcs11, hsm
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load pkcs11
}

teardown() {
  token_stop
}

# conforms AT_LEAST WAIVED MORE...: nothing fails, nothing is left out, no more
# than that is waived, and much is judged
conforms() {
  run p11 --init-token --json "$BATS_TEST_TMPDIR/results.jsonl" "${@:3}"
  assert_success
  assert_line --regexp \
    "^[0-9]+ passed, 0 failed, [0-9]+ not-claimed, 0 not-run, $2 waived\$"
  refute_line --partial "no check that was judged"
  passed=$(grep -c '"verdict":"pass"' "$BATS_TEST_TMPDIR/results.jsonl")
  assert [ "$passed" -ge "$1" ]
}

@test "The card behind its socket conforms" {
  daemon_token bin
  conforms 1030 0
}

@test "The card in the caller's process conforms" {
  inproc_token bin
  conforms 1030 1 --waivers "$TOP/spec-tests/pkcs11/inproc.waivers"
}

# Most of the time goes into starting: by default what has the most to do with
# memory, and everything in `make soak`.
# bats test_tags=soak
@test "The sanitizers find nothing in the card while it is asked" {
  [ -e "$TOP/build/asan/libhsm-sim-inproc.so" ] ||
    skip "make VARIANT=asan was not run"
  # it is set up through the other build: pkcs11-tool has no sanitizers in it
  inproc_token bin
  P11_MODULE=$TOP/build/asan/libhsm-sim-inproc.so
  P11_VARIANT=asan
  export ASAN_OPTIONS=exitcode=99:log_path=$BATS_TEST_TMPDIR/asan
  export UBSAN_OPTIONS=print_stacktrace=1:log_path=$BATS_TEST_TMPDIR/asan
  if [ -n "${SOAK-}" ]; then
    conforms 1030 1 --waivers "$TOP/spec-tests/pkcs11/inproc.waivers"
  else
    conforms 165 0 --only 'object/*' --only 'key/*' --only 'wrap/*' \
      --only 'state/CKM_AES_GCM/*' --only 'state/CKM_RSA_PKCS_OAEP/*' \
      --only 'state/CKM_SHA256_HMAC/*' --only 'state/CKM_SHA256/*'
  fi
  run find "$BATS_TEST_TMPDIR" -name 'asan.*'
  assert_output ""
}

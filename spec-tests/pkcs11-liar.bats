#!/usr/bin/env bats
# Checks that can fail: SoftHSM behind a module that lies (pkcs11/liar.c), and
# which check of touchstone-p11 notices which lie.
# bats file_tags=pkcs11, softhsm
bats_require_minimum_version 1.5.0

setup_file() {
  # shellcheck disable=SC2046  # words are wanted
  gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -shared -fPIC \
    $(pkg-config --cflags p11-kit-1) -I"$BATS_TEST_DIRNAME/../harness/pkcs11" \
    -o "$BATS_FILE_TMPDIR/liar.so" "$BATS_TEST_DIRNAME/pkcs11/liar.c" -ldl
}

setup() {
  load helper
  load pkcs11
  softhsm_token
  export LIAR_OF=$SOFTHSM
  P11_MODULE=$BATS_FILE_TMPDIR/liar.so
}

# notices LIE CHECK...: with that lie each of the checks fails, without it none
notices() {
  local check only=()
  for check in "${@:2}"; do
    only+=(--only "$check")
  done
  LIE='' run -0 p11 --init-token "${only[@]}"
  counted "$(($# - 1))" passed
  LIE=$1 run -1 p11 --init-token "${only[@]}"
  for check in "${@:2}"; do
    assert_line "fail $check"
  done
}

@test "A R/O session that says it is R/W is noticed" {
  notices rw-always session/open-ro login/user-states
}

@test "A login with any PIN is noticed" {
  notices any-pin login/wrong-user-pin login/wrong-so-pin login/set-pin
}

@test "A logout that does nothing is noticed, and the PIN is not lost" {
  notices stays-logged-in login/user-states login/logout-takes-private \
    login/set-pin object/find-private
  run -0 env LIE= "$TOP/build/bin/touchstone-p11" --module "$P11_MODULE" \
    --token "$P11_TOKEN" --pin-file "$BATS_TEST_TMPDIR/pin" \
    --only login/user-states
}

@test "A value that must stay in and does not is noticed" {
  notices leaks object/get-sensitive object/get-unextractable key/pair-rsa \
    key/pair-ec
}

@test "An unextractable key that is wrapped all the same is noticed" {
  notices wraps-all wrap/unextractable
}

@test "One bit of a ciphertext is noticed" {
  notices flips-a-bit known/CKM_AES_ECB/encrypt/SP800-38A-F.1.1 \
    known/CKM_AES_GCM/encrypt/GCM-spec-test-4 \
    known/CKM_RSA_PKCS_OAEP/encrypt/RFC9500-key-sha1
}

@test "A signature that is never wrong is noticed" {
  notices verifies-all known/CKM_ECDSA/verify/RFC6979-A.2.5 \
    known/CKM_RSA_PKCS_PSS/sign/RFC9500-key-sha256 key/pair-ec \
    state/CKM_SHA256_HMAC/verify/error-ends-it
}

@test "An operation that goes on after its answer is noticed" {
  notices goes-on state/CKM_SHA256/digest/answer-ends-it \
    state/CKM_SHA256/digest/too-small
}

@test "An operation that ends before its answer is noticed" {
  notices ends-early state/CKM_SHA256_HMAC/sign/length-query \
    state/CKM_SHA256_HMAC/sign/too-small
}

@test "Random numbers that are not are noticed" {
  notices not-random other/random
}

@test "A short array that is filled in silence is noticed" {
  notices silent-about-more slot/list-with-token slot/list
}

@test "Private objects found without a login are noticed" {
  notices finds-private object/find-private
}

@test "An object that a search leaves out is noticed" {
  notices misses-one object/find-in-pieces
}

@test "A closed session that takes others with it is noticed" {
  notices closes-all session/close-one-of-two login/last-session-ends-it
}

@test "An object that is not destroyed is noticed" {
  notices keeps-objects object/destroy object/token-object-stays
}

@test "A key that is not generated is noticed" {
  notices same-key key/aes-128 key/aes-256
}

@test "A crash is one verdict that could not be told, and the run goes on" {
  LIE=crash run -2 p11 --only session/open-ro --only session/close-twice
  assert_line "unknown session/open-ro"
  assert_line --regexp 'ended by signal 11 .* in C_GetSessionInfo'
  counted 1 passed
}

@test "A hang is one verdict that could not be told, and the run goes on" {
  LIE=hang run -2 p11 --limit 1 --only session/open-ro --only session/close-twice
  assert_line "unknown session/open-ro"
  assert_line --partial 'did not answer in time in C_GetSessionInfo'
  counted 1 passed
}

@test "A module that says CKR_OK to everything passes only what it does for real" {
  LIE=all=0 run -1 p11 --only 'calls/*' --only 'state/*' --only 'object/*' \
    --only 'key/*' --only 'wrap/*' --json "$BATS_TEST_TMPDIR/yes.jsonl"
  # the seven functions that the lie leaves alone, and a length query of what
  # differs each time, which CKR_OK alone answers right
  run grep -v -E '"id":"calls/[a-z]+/C_(Finalize|Get(Info|SlotList|SlotInfo|TokenInfo|MechanismList|MechanismInfo))"|"id":"state/CKM_SHA256_RSA_PKCS_PSS/sign/end-length-query"' \
    <(grep '"verdict":"pass"' "$BATS_TEST_TMPDIR/yes.jsonl")
  assert_output ""
}

# functions: those of call.def that SoftHSM has
functions() {
  sed -n 's/^CALL(\(C_[A-Za-z]*\),.*/\1/p' "$TOP/harness/pkcs11/call.def" |
    grep -v -E 'OperationState|Recover|(tEncrypt|tVerify|tDigest|nEncrypt)Update$'
}

@test "One function that answers nothing but an error is noticed, whichever" {
  local name only=() missed=()
  # about something else than answers out of turn, which all have
  for name in slot/list slot/mechanism-info slot/no-event \
    slot/init-token-wrong-pin session/open-ro session/close-all \
    session/close-twice library/finalize-twice \
    login/user-states login/init-pin login/set-pin object/create-data \
    object/set-label object/copy object/size object/find-in-pieces key/pair-ec \
    wrap/private-key wrap/ecdh 'known/CKM_AES_CBC/*/SP800-38A-F.2.1' \
    'known/CKM_SHA256_RSA_PKCS/*parts*' known/CKM_SHA256/digest/FIPS180-abc \
    state/digest/key other/random other/seed-random other/function-status; do
    only+=(--only "$name")
  done
  LIE='' run -0 p11 --init-token "${only[@]}"
  for name in $(functions); do
    LIE=$name=0x30 run p11 --init-token "${only[@]}"
    [ "$status" -ne 0 ] || missed+=("$name")
    [[ $output == *CKR_DEVICE_ERROR* ]] || missed+=("$name")
  done
  assert_equal "${missed[*]}" ""
}

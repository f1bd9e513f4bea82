#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Keys at rest: a key-encryption key that stays in the token, a master key
# under it, and objects that only the two together open.
# bats file_tags=keys-at-rest, hsm
bats_require_minimum_version 1.5.0

setup() {
  load helper
}

teardown() {
  server_stop
}

# token ARGS...: what opensc's pkcs11-tool says of the appliance's token
token() {
  SOFTHSM2_CONF=$SERVER_DIR/hsm/softhsm2.conf PIN=$(<"$SERVER_DIR/hsm/pin") \
    pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so \
    --token-label touchstone --login --pin env:PIN "$@" 2>&1
}

# database SQL: with the server stopped
database() {
  sqlite3 "$SERVER_DIR/store.db" "$1"
}

# registered NAME: a key whose octets are known, its identifier
registered() {
  printf 'a key of 32 octets, %-12s' "$1" >"$BATS_TEST_TMPDIR/$1.key"
  kmip register --material "$BATS_TEST_TMPDIR/$1.key" --alg AES \
    --length 256 --name "$1"
}

# opens ID NAME: the server hands out those octets
opens() {
  kmip get "$1" --out "$BATS_TEST_TMPDIR/got"
  cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/$2.key"
}

@test "The key-encryption key is in the token and cannot be read out" {
  server_start
  server stop # one program at a time logs in to SoftHSM
  run token --list-objects --type secrkey
  assert_success
  assert_line --regexp "label: +touchstone-kek"
  assert_output --partial "AES length 32"
  assert_line --regexp \
    "Access: +sensitive, always sensitive, never extractable, local"
  run token --read-object --type secrkey --label touchstone-kek
  assert_failure
}

@test "There is one key-encryption key, however often the server starts" {
  server_start
  id=$(registered one)
  server stop
  server start
  opens "$id" one
  server stop
  run token --list-objects --type secrkey
  assert_success
  assert_equal "$(grep -c 'label:' <<<"$output")" 1
}

@test "PINs are in files of mode 0600 and on no command line" {
  server_start
  for file in pin so-pin softhsm2.conf; do
    run stat -c %a "$SERVER_DIR/hsm/$file"
    assert_output 600
  done
  for file in pin so-pin; do
    run grep -a -c -F -f "$SERVER_DIR/hsm/$file" \
      "/proc/$(<"$SERVER_DIR/pid")/cmdline" \
      "/proc/$(<"$SERVER_DIR/pid")/environ" "$SERVER_DIR/server.log"
    assert_failure 1
  done
  # what would have been found
  run grep -a -c -F -f "$SERVER_DIR/hsm/pin" "$SERVER_DIR/hsm/pin"
  assert_success
}

@test "No file has a registered key in the clear, while the server runs or after" {
  server_start
  id=$(registered clear)
  opens "$id" clear
  run grep -r -a -l "a key of 32 octets" "$SERVER_DIR"
  assert_failure 1
  server stop
  run grep -r -a -l "a key of 32 octets" "$SERVER_DIR"
  assert_failure 1
  # what would have been found
  cp "$BATS_TEST_TMPDIR/clear.key" "$SERVER_DIR/planted"
  run grep -r -a -l "a key of 32 octets" "$SERVER_DIR"
  assert_output "$SERVER_DIR/planted"
}

@test "One object's sealed key does not open as another's" {
  server_start
  a=$(registered a)
  b=$(registered b)
  server stop
  database "UPDATE object SET value =
    (SELECT value FROM object WHERE id = '$a') WHERE id = '$b'"
  server start
  run kmip get "$b"
  assert_failure 1
  assert_output --partial "CryptographicFailure"
  opens "$a" a # and nothing else is the matter
}

@test "A sealed key does not open with another version, nor with an octet changed" {
  server_start
  id=$(registered a)
  other=$(registered b)
  server stop
  version=$(database "SELECT version FROM object WHERE id = '$id'")
  database "UPDATE object SET version = $version + 1 WHERE id = '$id'"
  server start
  run kmip get "$id"
  assert_failure 1
  assert_output --partial "CryptographicFailure"
  server stop
  database "UPDATE object SET version = $version WHERE id = '$id'"
  server start
  opens "$id" a
  server stop
  sealed=$(database "SELECT hex(value) FROM object WHERE id = '$id'")
  last=${sealed: -1}
  database "UPDATE object SET
    value = x'${sealed%?}$([ "$last" = 0 ] && echo 1 || echo 0)'
    WHERE id = '$id'"
  server start
  run kmip get "$id"
  assert_failure 1
  opens "$other" b
}

@test "A secret that is said not to be sealed is not believed" {
  server_start
  id=$(registered a)
  server stop
  database "UPDATE object SET sealed = 0 WHERE id = '$id'"
  server start
  run kmip get "$id"
  assert_failure 1
}

@test "Without its token the server answers, but opens and makes no key" {
  server_start
  id=$(registered a)
  server stop
  mv "$SERVER_DIR/hsm/tokens" "$BATS_TEST_TMPDIR/pulled"
  server start
  run kmip query
  assert_success
  run kmip locate --name a
  assert_output "$id"
  run kmip get "$id"
  assert_failure 1
  assert_output --partial "GeneralFailure"
  run kmip create
  assert_failure 1
  assert_output --partial "GeneralFailure"
  # the token that is there now has another key-encryption key, or none
  server stop
  rm -rf "$SERVER_DIR/hsm/tokens"
  mv "$BATS_TEST_TMPDIR/pulled" "$SERVER_DIR/hsm/tokens"
  server start
  opens "$id" a
}

@test "With a wrong PIN the server answers, but opens no key" {
  server_start
  id=$(registered a)
  server stop
  cp -p "$SERVER_DIR/hsm/pin" "$BATS_TEST_TMPDIR/pin"
  echo 0000000000000000 >"$SERVER_DIR/hsm/pin"
  server start
  run kmip attributes "$id" State
  assert_success
  run kmip get "$id"
  assert_failure 1
  assert_output --partial "GeneralFailure"
  server stop
  cp -p "$BATS_TEST_TMPDIR/pin" "$SERVER_DIR/hsm/pin"
  server start
  opens "$id" a
}

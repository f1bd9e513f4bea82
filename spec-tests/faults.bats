#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# What the server cannot do it refuses, whole, with a KMIP error; the rest goes
# on, and so does the server once the fault is gone.
# bats file_tags=faults, durability
bats_require_minimum_version 1.5.0

setup() {
  load helper
  book=$BATS_TEST_TMPDIR/book
  head -c 32 /dev/urandom >"$BATS_TEST_TMPDIR/key"
}

teardown() {
  server_stop
}

ledger() {
  "$TOP/build/bin/ledger" "$1" --target "$TARGET" --book "$book" "${@:2}"
}

# holds: the server has what the book says, and nothing that was refused
holds() {
  run ledger check
  assert_success
  assert_output --regexp ': 0 lost, 0 altered, 0 half made, 0 stray$'
}

# refused REASON KMIP-WORDS...: by the server, in KMIP's words
refused() {
  run kmip "${@:2}"
  assert_failure 1
  assert_output --partial "OperationFailed: $1"
}

# the same process as at the start of the test
lives_on() {
  assert_equal "$(<"$SERVER_DIR/pid")" "$pid"
  run kmip query
  assert_success
}

# objects: alice's, a line each
objects() {
  kmip locate | sort
}

# makes_no_key REASON: none of the operations that need one, and no trace
makes_no_key() {
  local before
  before=$(objects)
  refused "$1" create --name made
  refused "$1" register --material "$BATS_TEST_TMPDIR/key" --name made
  refused "$1" create-key-pair --alg ECDSA --length 256
  assert_equal "$(objects)" "$before"
  run kmip locate --name made
  assert_output ""
}

@test "A full disk refuses every change whole, and reads go on" {
  server_start
  pid=$(<"$SERVER_DIR/pid")
  id=$(kmip create --name kept)
  kmip get "$id" --out "$BATS_TEST_TMPDIR/octets" # not Fresh any more
  before=$(kmip attributes "$id")
  server fault disk-full on
  makes_no_key GeneralFailure
  refused GeneralFailure activate "$id"
  refused GeneralFailure add-attribute "$id" x-purpose=test
  refused GeneralFailure revoke "$id" --reason KeyCompromise
  refused GeneralFailure destroy "$id"
  assert_equal "$(kmip attributes "$id")" "$before"
  run kmip locate --name kept
  assert_output "$id"
  kmip get "$id" --out "$BATS_TEST_TMPDIR/again"
  cmp "$BATS_TEST_TMPDIR/octets" "$BATS_TEST_TMPDIR/again"
  lives_on
  server fault disk-full off
  kmip activate "$id"
  kmip create --name made
  # also after a start: nothing of it came back
  server power off
  server power on
  run kmip locate --name made
  assert_equal "${#lines[@]}" 1
  run kmip attributes "$id" State
  assert_output --partial Active
}

@test "A disk that fills up under load loses nothing acknowledged, makes nothing refused" {
  server_start
  pid=$(<"$SERVER_DIR/pid")
  ledger write --count 50 --seed 1
  for round in 1 2; do
    exec {writer}< <(exec "$TOP/build/bin/ledger" write --target "$TARGET" \
      --book "$book" --seed "2$round" --count 2000 --tell 50 2>&1 3>&-)
    read -r -t 30 line <&"$writer"
    server fault disk-full on
    line=$(cat <&"$writer")
    exec {writer}<&-
    assert_regex "$line" '^[0-9]+ acknowledged, [1-9][0-9]* refused, 0 cut off$'
    server fault disk-full off
    holds
  done
  lives_on
  ledger write --count 50 --seed 3
  holds
  server power off
  server power on
  holds
}

@test "A failing HSM stops key operations and nothing else" {
  server_start
  pid=$(<"$SERVER_DIR/pid")
  id=$(kmip create --name kept)
  kmip get "$id" --out "$BATS_TEST_TMPDIR/octets"
  server fault hsm fail
  server await hsm=unreachable
  makes_no_key GeneralFailure
  refused GeneralFailure get "$id"
  refused GeneralFailure activate "$id"
  refused GeneralFailure add-attribute "$id" x-purpose=test
  refused GeneralFailure destroy "$id"
  # what neither hands out nor manages a key is served
  run kmip attributes "$id" State
  assert_output --partial PreActive
  run kmip locate --name kept
  assert_output "$id"
  lives_on
  server fault hsm ok
  server await hsm=ready
  kmip activate "$id"
  kmip add-attribute "$id" x-purpose=test
  kmip revoke "$id" --reason CessationOfOperation
  kmip destroy "$id"
  id=$(kmip create)
  kmip get "$id"
}

@test "A hanging HSM counts as gone after its limit, not before, and comes back" {
  server_start
  pid=$(<"$SERVER_DIR/pid")
  id=$(kmip create --name kept)
  kmip get "$id" --out "$BATS_TEST_TMPDIR/octets"
  server fault hsm hang
  # within the limit the master key is there, and nobody waits for the card
  run kmip query
  assert_success
  server clock advance 5s
  kmip get "$id" --out "$BATS_TEST_TMPDIR/again"
  cmp "$BATS_TEST_TMPDIR/octets" "$BATS_TEST_TMPDIR/again"
  server clock advance 1ms
  refused GeneralFailure get "$id"
  makes_no_key GeneralFailure
  lives_on
  run kmip locate --name kept
  assert_output "$id"
  server clock advance 1h
  lives_on
  server fault hsm ok
  server await hsm=ready
  kmip get "$id" --out "$BATS_TEST_TMPDIR/again"
  cmp "$BATS_TEST_TMPDIR/octets" "$BATS_TEST_TMPDIR/again"
  kmip create --name made
}

@test "Stuck entropy makes no key, and what needs none is served" {
  server_start
  pid=$(<"$SERVER_DIR/pid")
  id=$(kmip create --name kept)
  server fault entropy on
  refused CryptographicFailure create --name made
  refused CryptographicFailure create-key-pair --alg RSA --length 2048
  kmip get "$id"
  kmip activate "$id"
  run kmip locate --name made
  assert_output ""
  lives_on
  server fault entropy off
  kmip create --name made
}

# ---- refusals that tell nothing

@test "What is not there and what is another's are refused in the same octets" {
  server_start
  id=$(kmip create --name hers)
  absent=00000000-0000-7000-8000-000000000000
  assert_equal "${#id}" "${#absent}"
  for version in 1.0 1.4 2.1; do
    for words in get activate destroy attributes attribute-list check \
      "revoke --reason KeyCompromise" "add-attribute x-a=b" \
      "modify-attribute x-a=c" "delete-attribute x-a"; do
      read -r operation rest <<<"$words"
      # shellcheck disable=SC2086  # its words
      run kmip "$operation" "$id" $rest --identity B --version "$version" --xml
      assert_failure 1
      hers=${output//$id/ID}
      # shellcheck disable=SC2086
      run kmip "$operation" "$absent" $rest --identity B --version "$version" \
        --xml
      assert_failure 1
      # time stands still: even the time stamps are the same
      assert_equal "$hers" "${output//$absent/ID}"
    done
  done
  # and alice's own is another matter
  kmip get "$id"
}

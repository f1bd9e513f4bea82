#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Server and card end suddenly, or the card hangs: the activation is what it
# was, nobody is asked at the PED, no key that was acknowledged is lost, and
# what needs no key is answered all the time.
#
# The server is killed 8 times under load, `make soak` 50 times.
# bats file_tags=hsm, power, durability, soak
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  rounds=${SOAK:+50}
  rounds=${rounds:-8}
  book=$BATS_TEST_TMPDIR/book
}

teardown() {
  [ -z "${stopped-}" ] || kill -CONT "$stopped"
  console_quit
  server_stop
}

ledger() {
  "$TOP/build/bin/ledger" "$1" --target "$TARGET" --book "$book" "${@:2}"
}

# loaded SEED COUNT: write so much; returns amid it, see load_told
loaded() {
  local line
  exec {writer}< <(exec "$TOP/build/bin/ledger" write --target "$TARGET" \
    --book "$book" --seed "$1" --count "$2" --tell 30 2>&1 3>&-)
  read -r -t 60 line <&"$writer"
  assert_regex "$line" '^reached '
}

# load_told REGEX: at the end of it
load_told() {
  local line
  line=$(cat <&"$writer")
  exec {writer}<&-
  assert_regex "$line" "$1"
}

# holds: the server has what the book says
holds() {
  run ledger check
  assert_success
  assert_output --regexp ': 0 lost, 0 altered, 0 half made, 0 stray$'
}

# nobody_was_asked: the PED has shown no prompt since the test began
nobody_was_asked() {
  ped_is_idle
  run ped log
  assert_success
  refute_output --partial LOGIN
}

# card_status: the card's own
card_status() {
  (cd "$SERVER_DIR" && "$TOP/build/bin/labctl" ask card/admin.sock status)
}

# card_has WORD...: in it
card_has() {
  run card_status
  assert_success
  for word in "$@"; do
    assert_output --regexp "(^| )$word( |\$)"
  done
}

# card_again: after it died by itself
card_again() {
  flock --timeout 20 "$SERVER_DIR/card" true
  server kill card
  server run card
  server clock advance 1m # the server tries again within that
}

# answers ID: all that needs no key
answers() {
  run kmip query
  assert_success
  run kmip locate --name kept
  assert_output "$1"
  run kmip attributes "$1" State
  assert_output --partial PreActive
  run console help
  assert_success
  run server status
  assert_success
}

# ---- the server

# req: KS-01-065 KS-01-074
@test "kill -9 of the server under load: still activated, nobody asked, no key lost" {
  server_start --card
  for ((round = 0; round < rounds; round++)); do
    loaded "$round" 1000000
    server kill server
    load_told '^[0-9]+ acknowledged, 0 refused, 8 cut off$'
    card_has activated=yes user-attempts=10
    server run server
    hsm_status yes Disabled
  done
  holds
  nobody_was_asked
}

# ---- the card

# req: KS-05-009
@test "kill -9 of the card under load: refused from then on, nothing half made" {
  server_start --card
  for round in 1 2 3; do
    loaded "$round" 8000
    server kill card
    load_told '^[0-9]+ acknowledged, [1-9][0-9]* refused, 0 cut off$'
    run kmip query
    assert_success
    server run card
    server clock advance 1m
    card_has activated=yes
    hsm_status yes Disabled
    holds
  done
  keys_work "$(kmip create)"
  nobody_was_asked
}

@test "A card that stands still holds up its keys and nothing else" {
  server_start --card
  id=$(kmip create --name kept)
  stopped=$(<"$SERVER_DIR/card.pid")
  kill -STOP "$stopped"
  kmip get "$id" >"$BATS_TEST_TMPDIR/got" 2>&1 3>&- &
  getting=$!
  for _ in 1 2 3; do
    answers "$id"
  done
  kill -0 "$getting"
  kill -CONT "$stopped"
  stopped=
  wait "$getting"
  keys_work "$id"
}

@test "A card that is slow is waited for, one that is too slow is not" {
  server_start --card
  id=$(kmip create --name kept)
  hsmctl fault latency 'op=*' ms=1000
  kmip get "$id" >"$BATS_TEST_TMPDIR/got" 2>&1 3>&- &
  getting=$!
  answers "$id"
  server clock advance 4s
  wait "$getting"
  hsmctl fault latency 'op=*' ms=600000
  kmip get "$id" >"$BATS_TEST_TMPDIR/got" 2>&1 3>&- &
  getting=$!
  answers "$id"
  server clock advance 10s
  status=0
  wait "$getting" || status=$?
  assert_equal "$status" 1
  run cat "$BATS_TEST_TMPDIR/got"
  assert_output --partial GeneralFailure
  answers "$id"
  run console 'show hsm status' # at once: it is known not to answer
  assert_success
  assert_line "HSM Status:    Initialized"
  run kmip create
  assert_failure 1
  hsmctl fault clear
  server clock advance 10m
  server await hsm=ready
  keys_work "$id"
  nobody_was_asked
}

# ---- the card's power fails while it writes

# black PIN: at the PED, for hsm activate; whatever comes of it. The card may
# die before the PED has shown all of it.
black() {
  console_begin config 'hsm activate'
  ped wait-screen 'Insert a USER' >/dev/null
  ped insert ikeys/black.ikey
  ped key ENTER >/dev/null
  ped wait-screen 'Enter PED PIN' >/dev/null
  ped key "$1" ENTER >/dev/null
  console_end
  ped remove
}

# so PIN: of the blue iKey
so() {
  console_begin config 'hsm login security officer'
  ped wait-screen 'Insert a SO' >/dev/null
  ped insert ikeys/blue.ikey
  ped key ENTER >/dev/null
  ped wait-screen 'Enter PED PIN' >/dev/null
  ped key "$1" ENTER >/dev/null
  console_end
  ped remove
}

# died: the last command was not answered, since the power went
died() {
  assert_failure 1
  assert_line "Error: the HSM does not answer"
}

# req: KS-01-098
@test "Power cut amid the counting of a wrong PIN: told is counted, never twice" {
  server_start --card
  id=$(kmip create)
  hsm 'hsm deactivate'
  left=10
  for step in 1 2 3 4; do
    hsmctl fault cut "nth=$step"
    black 33334
    died
    card_again
    run card_status
    assert_regex "$output" " user-attempts=($left|$((left - 1)))( |\$)"
    left=${BASH_REMATCH[1]}
    card_has activated=no
  done
  # told, it is written
  black 33334
  assert_line "Error: the iKey, its PED PIN or the password is wrong"
  server kill card
  server run card
  server clock advance 1s
  card_has "user-attempts=$((left - 1))" activated=no
  black 33333
  assert_success
  server clock advance 1m
  card_has user-attempts=10 activated=yes
  run hsm 'hsm login crypto user'
  assert_success
  keys_work "$id"
}

# req: KS-05-093
@test "Power cut amid activating and deactivating: the one or the other, whole" {
  server_start --card
  id=$(kmip create)
  for step in 1 2 3 4; do
    hsmctl fault cut "nth=$step"
    run hsm 'hsm deactivate'
    died
    card_again
    run card_status
    if [[ $output == *" activated=yes "* ]]; then
      hsm_status yes Disabled
      keys_work "$id"
      hsm 'hsm deactivate'
    fi
    keys_refused "$id"
    hsmctl fault cut "nth=$step"
    black 33333
    died
    card_again
    # the right iKey was there: activated or not, and if so it works
    run card_status
    if [[ $output != *" activated=yes "* ]]; then
      black 33333
      assert_success
    fi
    card_has activated=yes user-attempts=10
    run hsm 'hsm login crypto user'
    assert_success
    keys_work "$id"
  done
}

# req: KS-01-098
@test "Power cut amid zeroization: not begun, or finished at the next start" {
  server_copy --card
  cp -r "$SERVER_DIR" "$BATS_TEST_TMPDIR/fresh"
  ends=
  for step in 1 2 4 6 9; do
    server_start
    id=$(kmip create)
    so 11112
    so 11112
    card_has so-attempts=1
    hsmctl fault cut "nth=$step"
    so 11112
    died
    card_again
    run card_status
    if [[ $output == *" zeroized=yes"* ]]; then
      ends+=z
      card_has initialized=no partition=no activated=no auto-activation=no
      run find "$SERVER_DIR/card/tokens" -name '*.object'
      assert_output ""
      keys_refused "$id"
    else
      ends+=k
      card_has initialized=yes so-attempts=1 activated=yes
      hsm_status yes Disabled
      keys_work "$id"
    fi
    server stop
    rm -r "$SERVER_DIR"
    cp -r "$BATS_TEST_TMPDIR/fresh" "$SERVER_DIR"
  done
  # once it is so, it is so at all later steps
  assert_regex "$ends" '^k+z+$'
}

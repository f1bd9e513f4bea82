#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# What is lost with an iKey, with wrong PINs and passwords, by tampering and by
# zeroization, and what brings it back.
# bats file_tags=hsm, ikey, console
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  load apps
}

teardown() {
  console_quit
  apps_stop
  server_stop
}

# admin COMMAND: of the card's administration
admin() {
  (cd "$SERVER_DIR" && "$TOP/build/bin/labctl" ask card/admin.sock "$@")
}

# card_is WORDS...: its status has each of them
card_is() {
  run admin status
  assert_success
  for word in "$@"; do
    assert_output --regexp "(^| )$word( |\$)"
  done
}

# so_login PIN: of the blue iKey; $status and $output
so_login() {
  console_begin config 'hsm login security officer'
  present blue "$1"
  console_end
}

# so_right, so_wrong LEFT: and so many attempts are left then
so_right() {
  so_login 11111
  assert_success
  card_is so-attempts=3
}

so_wrong() {
  so_login 11112
  assert_failure 1
  assert_line "Error: the iKey, its PED PIN or the password is wrong"
  card_is "so-attempts=$1" initialized=yes
}

# activate IKEY PIN: at the PED; $status and $output
activate() {
  console_begin config 'hsm activate'
  present "$1" "$2"
  console_end
}

# black_wrong LEFT: the PIN, and so many attempts are left then
black_wrong() {
  activate black 33334
  assert_failure 1
  assert_line "Error: the iKey, its PED PIN or the password is wrong"
  card_is "user-attempts=$1" activated=no
}

# not_to_be_had TITLE COMMAND: nobody has the iKey that is asked for
not_to_be_had() {
  console_begin config "$2"
  ped wait-screen "^$1" >/dev/null
  give_up
  console_end
  assert_failure 1
  assert_line "Error: the operation was given up at the PED"
}

# deactivated: with no battery that would bring it back
deactivated() {
  hsm 'hsm deactivate' >/dev/null
  server clock advance 7201s >/dev/null
}

# new_password: $password, known to the test, and the server too
new_password() {
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  present black
  password=$(challenge)
  console_answer "$password"
  console_end
  assert_success
}

# applications NAME...: each with a session at the appliance's card
applications() {
  cd "$SERVER_DIR" || return
  export HSM_SIM_SOCKET=card/p11.sock
  apps_start
  for name in "$@"; do
    app "$name" initialize CKR_OK
    app "$name" open CKR_OK
  done
}

# factory_settings: everything of card and store is gone
factory_settings() {
  admin zeroize
  server stop
  rm -r "$SERVER_DIR"/store.db* "$SERVER_DIR/vault.key"
  server start
}

# initialized_anew: with these iKeys from now on, from the console
initialized_anew() {
  for colour in blue red black; do
    blank "$colour"
  done
  console_begin config 'hsm initialize' 'hsm login security officer' \
    'hsm create partition'
  imprint blue
  imprint red
  present blue
  present red
  imprint black
  console_answer "$(challenge)"
  present black
  console_end
  assert_success
}

# ---- a lost iKey

@test "Without the blue iKey no Security Officer comes; keys are used all the same" {
  server_start --card
  id=$(kmip create)
  blank blue
  console_begin config 'hsm login security officer'
  ped script - <<END
expect ^SO LOGIN
insert ikeys/blue.ikey
press ENTER
expect another kind of PED Key
remove
END
  give_up
  console_end
  assert_failure 1
  card_is so-attempts=3
  run hsm 'hsm set password'
  assert_failure 1
  run hsm 'hsm remote ped init'
  assert_failure 1
  keys_work "$id"
  deactivated
  activate black 33333
  assert_success
  keys_work "$id"
}

# req: KS-01-058
@test "Without the red iKey nothing is lost but the next partition" {
  server_start --card
  id=$(kmip create)
  rm "$SERVER_DIR/ikeys/red.ikey"
  so_right
  deactivated
  activate black 33333
  assert_success
  new_password
  keys_work "$id"
  # a card that was initialized, and has no partition yet
  factory_settings
  for colour in blue red; do
    blank "$colour"
  done
  console_begin config 'hsm initialize'
  imprint blue
  imprint red
  console_end
  assert_success
  blank red
  console_begin config 'hsm login security officer' 'hsm create partition'
  present blue
  ped script - <<END
expect ^DOMAIN LOGIN
insert ikeys/red.ikey
press ENTER
expect another kind of PED Key
remove
END
  give_up
  console_end
  assert_failure 1
  card_is partition=no so-attempts=3
}

# req: KS-01-009 KS-05-134 KS-05-135
@test "Without the black iKey keys are used until it is needed, and never after" {
  server_start --card
  id=$(kmip create)
  mv "$SERVER_DIR/ikeys/black.ikey" "$BATS_TEST_TMPDIR/lost"
  keys_work "$id"
  server power off
  server clock advance 7199s
  server power on
  keys_work "$id"
  server power off
  server clock advance 7201s
  server power on
  not_to_be_had "USER LOGIN" 'hsm login crypto user'
  not_to_be_had "USER LOGIN" 'hsm activate'
  # the Security Officer does not help: a new password takes the iKey too
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  ped wait-screen "^USER LOGIN" >/dev/null
  give_up
  console_end
  assert_failure 1
  keys_refused "$id"
  run hsm 'hsm initialize'
  assert_failure 1
  assert_line "Error: the HSM is initialized already; restore the factory settings first"
  # the remedy, and what it costs
  blank black
  factory_settings
  initialized_anew
  run kmip get "$id"
  assert_failure 1
  assert_output --partial ObjectNotFound
  keys_work "$(kmip create)"
  # what was lost and found again is another HSM's
  mv "$BATS_TEST_TMPDIR/lost" "$SERVER_DIR/ikeys/black.ikey"
  deactivated
  activate black 33333
  assert_failure 1
  card_is user-attempts=9
}

# req: KS-05-133
@test "Without the orange iKey another is imprinted, and nothing else is lost" {
  server_start --card
  id=$(kmip create)
  cp "$SERVER_DIR/ikeys/orange.ikey" "$BATS_TEST_TMPDIR/old"
  blank orange
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  imprint orange
  console_end
  assert_success
  card_is remote-vector=yes so-attempts=3
  refute [ "$(ikey_share "$BATS_TEST_TMPDIR/old")" = \
    "$(ikey_share "$SERVER_DIR/ikeys/orange.ikey")" ]
  keys_work "$id"
}

# ikey_share FILE: what it opens to, with the PIN of the orange ones
ikey_share() {
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" open "$1" 44444
}

# ---- wrong PINs and passwords, in every order

# req: KS-01-098
@test "Two wrong PINs of the blue iKey, a right one, and two wrong ones" {
  server_start --card
  id=$(kmip create)
  so_wrong 2
  so_wrong 1
  so_right
  so_wrong 2
  so_wrong 1
  so_right
  keys_work "$id"
}

# req: KS-01-098
@test "Three wrong ones zeroize the HSM, with an outage between or without" {
  server_start --card
  id=$(kmip create)
  so_wrong 2
  server power off
  server power on
  so_wrong 1
  server kill card
  server run card
  ready_in_a_minute
  keys_work "$id"
  so_login 11112
  assert_failure 1
  assert_line "Error: too many failed logins of the Security Officer: all is zeroized"
  card_is initialized=no zeroized=yes partition=no activated=no
  server clock advance 1s
  keys_refused "$id"
}

# req: KS-01-103
@test "What was never delivered is no attempt of the Security Officer" {
  server_start --card
  so_wrong 2
  so_wrong 1
  not_to_be_had "SO LOGIN" 'hsm login security officer'
  console_begin config 'hsm login security officer'
  ped wait-screen "^SO LOGIN" >/dev/null
  for colour in red black orange; do
    ped script - <<END
expect ^Insert a
insert ikeys/$colour.ikey
press ENTER
expect another kind of PED Key
remove
END
  done
  server clock advance 3m # and nobody comes
  console_end
  assert_failure 1
  console_begin config 'hsm login security officer'
  ped wait-screen "^SO LOGIN" >/dev/null
  hsmctl ped unplug
  console_end
  assert_failure 1
  hsmctl ped plug
  run hsm 'hsm set password'
  assert_failure 1
  card_is so-attempts=1 initialized=yes
  so_right
}

@test "Nine wrong passwords and a right one, and nine wrong ones again" {
  server_start --card
  id=$(kmip create)
  new_password
  applications a
  for _ in 1 2; do
    for ((left = 9; left > 0; left--)); do
      app a login AAAA-AAAA-AAAA-AAAA CKR_PIN_INCORRECT
      card_is "user-attempts=$left" user-locked=no
    done
    app a login "$password" CKR_OK
    card_is user-attempts=10
    app a logout CKR_OK
  done
  keys_work "$id"
}

# req: KS-01-075 KS-01-098
@test "Ten wrong ones lock the Crypto User, until a new password is set" {
  server_start --card
  id=$(kmip create)
  new_password
  hsm 'hsm logout crypto user'
  applications a
  for ((left = 9; left > 4; left--)); do
    app a login AAAA-AAAA-AAAA-AAAA CKR_PIN_INCORRECT
  done
  # iKey and password count together, an outage refunds nothing
  deactivated
  black_wrong 4
  server power off
  server power on
  for left in 3 2 1; do
    black_wrong "$left"
  done
  activate black 33334
  assert_failure 1
  card_is user-attempts=0 user-locked=yes
  # the right ones do not help any more, now or later
  run hsm 'hsm activate'
  assert_failure 1
  assert_line "Error: the role is locked"
  server clock advance 30d
  app a finalize CKR_OK
  app a initialize CKR_OK
  app a open CKR_OK
  app a login "$password" CKR_PIN_LOCKED
  run hsm 'hsm login crypto user'
  assert_failure 1
  assert_line "Error: the role is locked"
  keys_refused "$id"
  # the remedy
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  present black
  console_answer "$(challenge)"
  present black
  console_end
  assert_success
  card_is user-attempts=10 user-locked=no
  keys_work "$id"
}

# screens: what the PED displayed of $output
screens() {
  grep -E '^  \|' <<<"$output"
}

# req: KS-01-097
@test "A wrong PIN and the iKey of another HSM look the same" {
  server_start --card
  hsm 'hsm deactivate'
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" make \
    "$SERVER_DIR/ikeys/foreign.ikey" black 33333 "$(printf '%064d' 7)"
  for attempt in "black 33334" "foreign 33333"; do
    rm -f "$BATS_TEST_TMPDIR/told"
    console_begin config 'hsm activate'
    # shellcheck disable=SC2086  # iKey, PIN
    run present $attempt
    assert_success
    screens >"$BATS_TEST_TMPDIR/screens ${attempt%% *}"
    console_end
    assert_failure 1
    echo "$output" >"$BATS_TEST_TMPDIR/console ${attempt%% *}"
    ped wait-screen 'Awaiting command' >/dev/null
    ped screen >>"$BATS_TEST_TMPDIR/screens ${attempt%% *}"
  done
  for what in screens console; do
    run cmp "$BATS_TEST_TMPDIR/$what black" "$BATS_TEST_TMPDIR/$what foreign"
    assert_success
  done
  card_is user-attempts=8
}

# req: KS-01-091 KS-01-094
@test "A PED PIN has 4 to 48 digits, not 3 and not 49, and each one counts" {
  server_start --card
  digits=123456781234567812345678123456781234567812345678
  admin zeroize
  for colour in blue red; do
    blank "$colour"
  done
  console_begin config 'hsm initialize'
  ped script - <<END
expect reuse an existing keyset
press NO
expect M value
press ENTER
expect N value
press ENTER
expect Insert a
insert ikeys/blue.ikey
press ENTER
expect Enter new PED PIN
press 123 ENTER
expect 4 to 48 digits
press ${digits}9 ENTER
expect 4 to 48 digits
press $digits ENTER
expect Confirm new PED PIN
press $digits ENTER
expect duplicating this keyset
press NO
remove
expect reuse an existing keyset
press NO
expect M value
press ENTER
expect N value
press ENTER
expect Insert a
insert ikeys/red.ikey
press ENTER
expect Enter new PED PIN
press 1234 ENTER
expect Confirm new PED PIN
press 1234 ENTER
expect duplicating this keyset
press NO
remove
END
  console_end
  assert_success
  so_login "${digits%?}9"
  assert_failure 1
  so_login "${digits%?}"
  assert_failure 1
  card_is so-attempts=1
  so_login "$digits"
  assert_success
  card_is so-attempts=3
}

# ---- tampering, and the end

@test "Tampered with, only the Security Officer comes in; cleared, the black iKey" {
  server_start --card
  id=$(kmip create)
  for cause in cover temp volt; do
    hsmctl tamper "$cause"
    card_is tampered=yes activated=no auto-activation=no initialized=yes
    server clock advance 1s
    keys_refused "$id"
    run hsm 'hsm login crypto user'
    assert_failure 1
    assert_line "Error: the HSM has been tampered with"
    run hsm 'hsm activate'
    assert_failure 1
    so_right
    server power off
    server power on
    card_is tampered=yes activated=no
    hsmctl tamper clear
    server clock advance 1m
    hsm_status no Disabled
    keys_refused "$id"
    console_begin config 'hsm login crypto user'
    present black
    console_end
    assert_success
    keys_work "$id"
  done
}

# gone_for NAME: it learns so at its next call, whatever that is
gone_for() {
  local name=$1
  shift
  app "$name" "$@" CKR_DEVICE_REMOVED
  app "$name" state CKR_SESSION_HANDLE_INVALID
}

# req: KS-01-098
@test "Zeroization is seen by every open connection at its next call" {
  server_start --card
  id=$(kmip create)
  new_password
  applications a b c d e
  for name in a b c; do
    app "$name" login "$password" CKR_OK
  done
  app a make kept CKR_OK
  app b find kept "CKR_OK 1"
  app c seal kept CKR_OK
  so_login 11112
  so_login 11112
  so_login 11112
  assert_line "Error: too many failed logins of the Security Officer: all is zeroized"
  gone_for a destroy kept
  gone_for b make another
  gone_for c unseal
  gone_for d state
  gone_for e login "$password"
  # the server at its next request, and not only once it has looked
  for words in create "get $id"; do
    # shellcheck disable=SC2086  # words
    run kmip $words
    assert_failure 1
    assert_output --partial GeneralFailure
  done
  server clock advance 1s
  keys_refused "$id"
  app a open CKR_TOKEN_NOT_PRESENT
  app f initialize CKR_OK
  app f slots "CKR_OK 0"
}

# req: KS-05-135
@test "Zeroized a card is as it came, and a new partition knows nothing of the old" {
  server_start --card
  id=$(kmip create)
  new_password
  applications a
  app a login "$password" CKR_OK
  app a make kept CKR_OK
  admin zeroize
  card_is initialized=no zeroized=yes partition=no activated=no \
    auto-activation=no remote-vector=no
  run find "$SERVER_DIR/card/tokens" -name '*.object'
  assert_output ""
  server power off
  server power on
  card_is initialized=no zeroized=yes
  keys_refused "$id"
  run hsm 'hsm activate'
  assert_failure 1
  # new iKeys do not open what the old card sealed ...
  cp -r "$SERVER_DIR/ikeys" "$SERVER_DIR/old"
  run initialized_anew
  assert_failure
  assert_output --partial "Error: the HSM holds another key than the one that sealed what is stored"
  server_logged "the stored master key is not of this HSM's key-encryption key"
  run hsm 'show hsm status'
  assert_line "HSM Status:    Initialized, with another key"
  server await hsm=other
  keys_refused "$id"
  # ... with factory settings there is nothing of it
  factory_settings
  initialized_anew
  card_is initialized=yes zeroized=no partition=yes activated=yes
  keys_work "$(kmip create)"
  app a finalize CKR_OK
  app a initialize CKR_OK
  app a open CKR_OK
  app a login "$password" CKR_PIN_INCORRECT
  # and no old iKey opens anything
  mv "$SERVER_DIR/ikeys" "$SERVER_DIR/new"
  mv "$SERVER_DIR/old" "$SERVER_DIR/ikeys"
  so_wrong 2
  deactivated
  activate black 33333
  assert_failure 1
}

@test "A decommissioned card is a zeroized one" {
  server_start --card
  id=$(kmip create)
  hsmctl decommission
  card_is initialized=no zeroized=yes partition=no
  server clock advance 1s
  keys_refused "$id"
  run console 'show hsm status'
  assert_success
  refute_line "HSM Status:    Initialized"
  factory_settings
  initialized_anew
  keys_work "$(kmip create)"
}

#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# The guide's chapter 5 at the console: the hsm commands, with a card and a PED
# bats file_tags=hsm, console
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
}

teardown() {
  console_quit
  [ ! -e "${SERVER_DIR-}/pedServer.ini" ] || pedserver -m stop
  server_stop
}

# the lines of a command that was refused: its prompt, and why
assert_refused() {
  assert_equal "$status" 1
  assert_equal "${lines[-1]}" "Error: $1"
}

# deactivated [HOURS]: by hsm deactivate, so long ago
deactivated() {
  hsm 'hsm deactivate' >/dev/null
  [ $# -eq 0 ] || server clock advance "$1" >/dev/null
}

# card_does COMMAND: told to it without the server
card_does() {
  (cd "$SERVER_DIR" && "$TOP/build/bin/labctl" ask card/admin.sock "$@" 3>&-)
}

# only_the COLOUR TITLE OTHER...: this prompt takes no iKey of another colour
only_the() {
  local other colour=$1 title=$2
  shift 2
  ped wait-screen "^$title" >/dev/null
  for other in "$@"; do
    ped wait-screen '^Insert a' >/dev/null
    ped insert "ikeys/$other.ikey"
    ped key ENTER
    ped wait-screen 'another kind of PED Key' >/dev/null
    ped remove
  done
  present "$colour"
}

# ---- the card as it comes

# req: KS-01-012 KS-01-013 KS-05-116 KS-05-118
@test "A card that was never used says so, and what needs a partition is refused" {
  server_copy --card
  rm -r "$SERVER_DIR"/card/* "$SERVER_DIR"/store.db* "$SERVER_DIR/vault.key"
  server_start
  run console 'show hsm status'
  assert_success
  assert_output "HSM Status:    Not initialized
Crypto-user logged in: no
HSM secure-key-cache: Disabled"
  for command in 'hsm login security officer' 'hsm login crypto user'; do
    run hsm "$command"
    assert_refused \
      "the HSM is not initialized; initialize it with hsm initialize"
  done
  run hsm 'hsm activate'
  assert_failure 1
  run hsm 'hsm create partition'
  assert_failure 1
  run card_does status
  assert_output --partial " initialized=no partition=no activated=no "
  # no key either
  run kmip create
  assert_failure 1
  assert_output --partial GeneralFailure
  run kmip query
  assert_success
  ped_is_idle
}

# req: KS-01-017 KS-01-051 KS-01-073 KS-01-100 KS-01-102 KS-01-109 KS-05-005
# req: KS-05-094
@test "From the first command to the first key" {
  server_copy --card
  rm -r "$SERVER_DIR"/card/* "$SERVER_DIR"/store.db* "$SERVER_DIR/vault.key"
  for colour in blue red black; do
    blank "$colour"
  done
  server_start
  console_begin config 'hsm initialize' 'hsm login security officer' \
    'hsm create partition'
  imprint blue
  imprint red
  only_the blue "SO LOGIN" red black # the latter is blank
  present red
  imprint black
  password=$(challenge)
  assert_regex "$password" '^[[:alnum:]]{4}(-[[:alnum:]]{4}){3}$'
  # one letter is another
  last=${password: -1}
  console_answer "${password%?}$([ "$last" = x ] && echo y || echo x)"
  present black
  console_says "This is not the crypto user password."
  console_answer "$password"
  console_end
  assert_success
  assert_output "Luna PED operation required to initialize HSM - use Security Officer (blue) and Domain (red) PED keys.
HSM successful initialized
Luna PED operation required for security officer login on HSM - use Security Officer (blue) PED key.
Security officer successful logged into the HSM
Luna PED operation required to create a partition - use User or Partition Owner (black) and Domain (red) PED keys.
'partition create' successful.
Enter the crypto user password that the PED displays:
Luna PED operation required for crypto user login on HSM - use User or Partition Owner (black) PED key.
This is not the crypto user password.
Enter the crypto user password that the PED displays:
Crypto user successful logged into the HSM"
  kmip create
}

# req: KS-05-135
@test "An HSM that is initialized is not initialized again" {
  server_start --card
  run hsm 'hsm initialize'
  assert_refused \
    "the HSM is initialized already; restore the factory settings first"
  hsm_status yes Disabled
}

# model_is MODEL: that of the appliance
model_is() {
  sed -i '/^model/d' "$SERVER_DIR/touchstone.conf"
  echo "model = $1" >>"$SERVER_DIR/touchstone.conf"
}

# req: KS-05-001 KS-05-106 KS-AB-001 KS-AB-003
@test "On a model without a card there are no hsm commands" {
  server_copy
  for model in k150 i150 i450; do
    model_is "$model"
    server_start
    for command in 'hsm initialize' 'hsm login crypto user' \
      'show hsm status' 'hsm enable secure-key-cache' \
      'hsm disable secure-key-cache'; do
      run hsm "$command"
      assert_refused "this appliance has no HSM card"
    done
    kmip create
    server_stop
  done
}

# req: KS-05-001 KS-05-105 KS-AB-002 KS-AB-003
@test "A model without a card refuses to have one" {
  server_copy --card
  for model in k150 i150 i450; do
    model_is "$model"
    run timeout 20 "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR"
    assert_failure 1
    assert_output --partial "card: this model has none"
  done
  for model in k460 i460; do
    model_is "$model"
    server_start
    run hsm 'hsm enable secure-key-cache'
    assert_success
    hsm_status yes Enabled
    run hsm 'hsm disable secure-key-cache'
    assert_success
    server_stop
  done
}

# ---- the Security Officer

# req: KS-01-049 KS-01-104 KS-05-158
@test "The Security Officer logs in with the blue iKey, for this session" {
  server_start --card
  run hsm 'hsm create partition'
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
  console_begin config 'hsm login security officer' 'hsm create partition'
  present blue
  console_end
  assert_refused "the partition exists already"
  assert_line "Security officer successful logged into the HSM"
  # ... which is over
  run hsm 'hsm remote ped init'
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
  console_begin config 'hsm login security officer' \
    'hsm logout security officer' 'hsm create partition'
  present blue
  console_end
  assert_line "Security officer logged out of the HSM"
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
}

# req: KS-01-103 KS-05-038
@test "No other iKey logs the Security Officer in, nor leads to remote PED init" {
  server_start --card
  console_begin config 'hsm login security officer'
  only_the blue "SO LOGIN" red black orange
  console_end
  assert_success
  for colour in red black orange; do
    console_begin config 'hsm login security officer' 'hsm remote ped init'
    ped wait-screen '^SO LOGIN' >/dev/null
    ped insert "ikeys/$colour.ikey"
    ped key ENTER
    ped wait-screen 'another kind of PED Key' >/dev/null
    ped remove
    give_up
    console_end
    assert_refused "the operation was given up at the PED"
  done
  run hsm 'hsm remote ped init'
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
}

# req: KS-01-097 KS-01-098
@test "A wrong PED PIN of the blue iKey is refused and counted like a wrong iKey" {
  server_start --card
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" make \
    "$SERVER_DIR/ikeys/foreign.ikey" blue 11111 "$(printf '%064d' 7)"
  left=3
  for attempt in "blue 11112" "foreign 11111"; do
    console_begin config 'hsm login security officer'
    # shellcheck disable=SC2086  # iKey, PIN
    present $attempt
    console_end
    assert_refused "the iKey, its PED PIN or the password is wrong"
    left=$((left - 1))
    run card_does status
    assert_output --partial " so-attempts=$left "
  done
}

# req: KS-01-008 KS-01-011
@test "Without a PED nobody logs in" {
  server_start --card
  deactivated 2h1s
  hsmctl ped unplug
  for command in 'hsm login security officer' 'hsm login crypto user' \
    'hsm activate'; do
    run hsm "$command"
    assert_refused "no PED is connected"
  done
  hsm_status no Disabled
}

@test "A PED that nobody attends to fails the command, in virtual time" {
  server_start --card
  console_begin config 'hsm login security officer'
  ped wait-screen 'Insert a SO' >/dev/null
  server clock advance 3m
  console_end
  assert_refused "nobody attended to the PED in time"
}

@test "What is given up at the PED fails the command and counts for nothing" {
  server_start --card
  deactivated
  console_begin config 'hsm activate'
  ped wait-screen 'Insert a USER' >/dev/null
  give_up
  console_end
  assert_refused "the operation was given up at the PED"
  hsm_status no Disabled
  run card_does status
  assert_output --partial " user-attempts=10 "
}

# ---- activation and the Crypto User

# req: KS-05-088 KS-05-089 KS-05-090 KS-05-091 KS-05-093 KS-05-155
@test "Deactivated no key is used; activated with the black iKey they are again" {
  server_start --card
  id=$(kmip create)
  run hsm 'hsm deactivate'
  assert_success
  assert_output "'partition deactivate' successful."
  keys_refused "$id"
  console_begin config 'hsm activate'
  present black
  console_end
  assert_success
  assert_output "Luna PED operation required to activate partition on HSM - use User or Partition Owner (black) PED key.
'partition activate' successful."
  keys_work "$id"
  run hsm 'hsm activate'
  assert_refused "the partition is activated already"
}

# req: KS-01-060 KS-05-152
@test "No other iKey activates it" {
  server_start --card
  deactivated
  console_begin config 'hsm activate'
  for colour in blue red orange; do
    ped wait-screen 'Insert a USER' >/dev/null
    ped insert "ikeys/$colour.ikey"
    ped key ENTER
    ped wait-screen 'another kind of PED Key' >/dev/null
    ped remove
  done
  give_up
  console_end
  assert_failure 1
  hsm_status no Disabled
}

# req: KS-01-105 KS-05-023 KS-05-097
@test "Less than two hours after hsm deactivate the login takes no iKey" {
  server_start --card
  id=$(kmip create)
  deactivated 1h59m59s
  hsm_status no Disabled
  run hsm 'hsm login crypto user'
  assert_success
  assert_output "Crypto user successful logged into the HSM"
  ped_is_idle
  keys_work "$id"
}

# req: KS-01-020 KS-05-019 KS-05-020 KS-05-022 KS-05-023 KS-05-098
@test "More than two hours after hsm deactivate it takes the black one" {
  server_start --card
  id=$(kmip create)
  deactivated 2h1s
  console_begin config 'hsm login crypto user'
  run present black
  assert_success
  assert_line "  | USER LOGIN..."
  assert_line "  | Insert a USER / Partition Owner PED Key. Press ENTER."
  assert_line "  | Enter PED PIN."
  console_end
  assert_success
  assert_output "Luna PED operation required for crypto user login on HSM - use User or Partition Owner (black) PED key.
Crypto user successful logged into the HSM"
  keys_work "$id"
}

# req: KS-01-010
@test "... and its own PED PIN" {
  server_start --card
  id=$(kmip create)
  deactivated 2h1s
  console_begin config 'hsm login crypto user'
  present black 33334
  console_end
  assert_refused "the iKey, its PED PIN or the password is wrong"
  keys_refused "$id"
}

# req: KS-01-061 KS-01-063 KS-01-065 KS-05-017 KS-05-119 KS-05-120
@test "Logged out no key is used, restarts included, until the next login" {
  server_start --card
  id=$(kmip create)
  server clock advance 30d
  hsm_status yes Disabled
  run hsm 'hsm logout crypto user'
  assert_success
  assert_output "Crypto user logged out of the HSM"
  hsm_status no Disabled
  keys_refused "$id"
  server stop
  server start
  hsm_status no Disabled
  keys_refused "$id"
  run hsm 'hsm login crypto user'
  assert_success
  assert_output "Crypto user successful logged into the HSM"
  ped_is_idle
  keys_work "$id"
  run hsm 'hsm login crypto user'
  assert_success
  assert_output "Crypto user is already logged into the HSM"
}

# req: KS-01-074 KS-05-009
@test "After an outage of less than two hours the login is done again by itself" {
  server_start --card
  id=$(kmip create)
  server power off
  server clock advance 1h59m59s
  server power on
  hsm_status yes Disabled
  keys_work "$id"
  ped_is_idle
}

# req: KS-01-018 KS-01-019 KS-01-020 KS-05-009 KS-05-010 KS-05-016 KS-05-098
@test "After a longer one, or where it was deactivated before, it is not" {
  server_start --card
  id=$(kmip create)
  server power off
  server clock advance 2h1s
  server power on
  hsm_status no Disabled
  keys_refused "$id"
  ped_is_idle
  console_begin config 'hsm login crypto user'
  present black
  console_end
  assert_success
  keys_work "$id"
  deactivated
  server power off
  server clock advance 1m
  server power on
  hsm_status no Disabled
  keys_refused "$id"
}

# req: KS-01-074
@test "A killed server comes back with its login, and nobody is asked at the PED" {
  server_start --card
  id=$(kmip create)
  for ((k = 0; k < 5; k++)); do
    server kill server
    server run server
    keys_work "$id"
  done
  ped_is_idle
  hsm_status yes Disabled
}

@test "Who asks just after a card has come back hears how it is" {
  server_start --card
  id=$(kmip create)
  server kill card
  server run card
  hsm_status yes Disabled # the server's session was gone, and nothing else
  keys_work "$id"
  hsm 'hsm deactivate' >/dev/null
  server kill card
  server run card
  console_begin config 'hsm activate'
  present black
  console_end
  assert_success
  keys_work "$id"
}

@test "A killed card stops keys and nothing else, and is found again" {
  server_start --card
  id=$(kmip create)
  server kill card
  server clock advance 1s
  keys_refused "$id"
  run console 'show hsm status'
  assert_success
  assert_line "HSM Status:    Not responding"
  run hsm 'hsm deactivate'
  assert_refused "the HSM does not answer"
  server run card
  server clock advance 1s
  server await hsm=ready
  keys_work "$id"
  hsm_status yes Disabled
}

@test "A card that hangs stops keys and nothing else" {
  server_start --card
  id=$(kmip create)
  server fault hsm hang
  run kmip query
  assert_success
  run console help
  assert_success
  server clock advance 7s
  keys_refused "$id"
  run console 'show hsm status'
  assert_success
  assert_line "Crypto-user logged in: no"
  server fault hsm ok
  server await hsm=ready
  keys_work "$id"
}

# ---- the password

# req: KS-01-073 KS-01-075
@test "A new password is proved before it takes the place of the old one" {
  server_start --card
  id=$(kmip create)
  run hsm 'hsm set password'
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  present black
  password=$(challenge)
  console_answer "AAAA-AAAA-AAAA-AAAA"
  console_says "This is not the crypto user password."
  console_answer "$password"
  console_end
  assert_success
  assert_line "Luna PED operation required to reset the crypto user password - use User or Partition Owner (black) PED key."
  assert_line "'partition resetPw' successful."
  assert_equal "${lines[-1]}" "Crypto user successful logged into the HSM"
  server stop
  server start
  keys_work "$id"
}

# req: KS-01-073
@test "A password that is not entered is not kept" {
  server_start --card
  id=$(kmip create)
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  present black
  challenge >/dev/null
  for ((k = 0; k < 3; k++)); do
    console_answer "AAAA-AAAA-AAAA-AAA$k"
  done
  console_end
  assert_refused "the crypto user password was not entered; set it with hsm set password"
  keys_refused "$id"
  # what was kept is of no use any more, and is not tried again and again
  server clock advance 1m
  run hsm 'hsm login crypto user'
  assert_refused "the HSM refuses the crypto user's login"
}

# ---- the remote PED

# req: KS-01-106 KS-05-037 KS-05-039 KS-05-040 KS-05-052
@test "The orange iKey is imprinted by the Security Officer, at the local PED" {
  server_start --card
  blank orange
  run hsm 'hsm remote ped init'
  assert_refused "the security officer must be logged in; log in with hsm login security officer"
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  imprint orange
  console_end
  assert_success
  assert_equal "${lines[2]}" "Luna PED operation required to initialize remote PED key vector - use orange PED key(s)."
  assert_equal "${lines[3]}" "Ped Client Version 1.0.5 (10005)"
  assert_equal "${lines[4]}" "Ped Client launched in shutdown mode."
  assert_equal "${lines[5]}" "Shutdown passed."
}

# remote_server: a PedServer beside the appliance, that its PED is plugged in
remote_server() {
  read -r remote_port admin_port < <(/usr/bin/python3 -c '
import socket
ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in ports])')
  pedserver -m config -create -port "$remote_port" -admin-port "$admin_port" \
    -usb ped/usb.sock -log pedserver.log
  pedserver -m start -lab lab/pedserver.sock -clock clock
}

pedserver() {
  (cd "$SERVER_DIR" &&
    "$TOP/build/bin/PedServer" -configfile pedServer.ini "$@" 3>&-) >/dev/null
}

# req: KS-01-026 KS-01-107 KS-05-080 KS-05-085 KS-05-087 KS-05-092
# req: KS-05-102
@test "The remote PED is connected with the orange iKey, and used from then on" {
  server_start --card
  id=$(kmip create)
  remote_server
  ped mode remote
  console_begin config 'hsm remote ped connect'
  console_says "Remote PED IP [127.0.0.1]:"
  console_answer ""
  console_says "Remote PED Port [1503]:"
  console_answer "$remote_port"
  present orange
  console_end
  assert_success
  assert_line "Ped Client Version 1.0.5 (10005)"
  assert_equal "${lines[-1]}" "Remote PED connected."
  deactivated
  console_begin config 'hsm activate'
  present black
  console_end
  assert_success
  keys_work "$id"
  # without power it is connected no more, until somebody does it again
  server power off
  server clock advance 2h1s
  server power on
  ped mode remote
  run hsm 'hsm login crypto user'
  assert_refused "no PED is connected"
  console_begin config 'hsm remote ped connect' 'hsm login crypto user'
  console_says "Remote PED IP [127.0.0.1]:"
  console_answer ""
  console_says "Remote PED Port [$remote_port]:"
  console_answer ""
  present orange
  present black
  console_end
  assert_success
  keys_work "$id"
}

# req: KS-01-107
@test "Where no PedServer is, no remote PED is connected" {
  server_start --card
  console_begin config 'hsm remote ped connect'
  console_answer ""
  console_answer 1
  console_end
  assert_refused "the Ped Client failed"
  assert_line --partial "Startup failed."
  ped_is_idle
}

# ---- the secure key cache

# req: KS-05-104 KS-05-116 KS-05-121 KS-05-122 KS-05-123 KS-05-124 KS-05-125
# req: KS-05-126 KS-05-127 KS-05-128
@test "The secure key cache is switched, and says what it was" {
  server_start --card
  hsm_status yes Disabled
  run console 'hsm disable secure-key-cache'
  assert_success
  assert_output "HSM secure-key-cache is already disabled."
  run console 'hsm enable secure-key-cache'
  assert_success
  assert_output "Successfully enabled HSM secure-key-cache."
  hsm_status yes Enabled
  run hsm 'hsm enable secure-key-cache'
  assert_success
  assert_output "HSM secure-key-cache is already enabled."
  server stop
  server start
  hsm_status yes Enabled
  run hsm 'hsm disable secure-key-cache'
  assert_success
  assert_output "Successfully disabled HSM secure-key-cache."
  hsm_status yes Disabled
}

# req: KS-05-114 KS-05-115 KS-05-123
@test "Logged out the cache is neither switched nor of any use" {
  server_start --card
  id=$(kmip create)
  console 'hsm enable secure-key-cache'
  keys_work "$id"
  hsm 'hsm logout crypto user'
  keys_refused "$id"
  for command in 'hsm enable secure-key-cache' \
    'hsm disable secure-key-cache'; do
    run console "$command"
    assert_refused "the crypto user must be logged in; log in with hsm login crypto user"
  done
  hsm_status no Enabled
  hsm 'hsm login crypto user'
  keys_work "$id"
}

# req: KS-05-108
@test "The card unwraps the master key for each use, or once with the cache" {
  server_start --card
  id=$(kmip create)
  kmip get "$id" # it is not Fresh any more
  hsmctl fault add op=C_Decrypt nth=4 rv=CKR_DEVICE_ERROR
  for ((k = 0; k < 3; k++)); do
    kmip get "$id"
  done
  run kmip get "$id"
  assert_failure 1
  server clock advance 1s
  server await hsm=ready
  kmip get "$id"
  console 'hsm enable secure-key-cache'
  hsmctl fault add op=C_Decrypt nth=1 rv=CKR_DEVICE_ERROR
  for ((k = 0; k < 8; k++)); do
    kmip get "$id"
  done
}

# req: KS-05-004
@test "The store of one appliance is of no use with another one's card" {
  server_start --card
  id=$(kmip create)
  server stop
  other=$BATS_TEST_TMPDIR/other
  unset APPLIANCE_TEMPLATE
  "$TOP/harness/appliance" start "$other" --card 3>&-
  "$TOP/harness/appliance" stop "$other"
  # all but the password of the other card's Crypto User
  cp "$SERVER_DIR/store.db" "$BATS_TEST_TMPDIR/store.db"
  sqlite3 "$BATS_TEST_TMPDIR/store.db" "
    ATTACH '$other/store.db' AS other;
    REPLACE INTO meta SELECT * FROM other.meta WHERE key = 'hsm.password'"
  cp "$BATS_TEST_TMPDIR/store.db" "$other/store.db"
  rm -f "$other"/store.db-*
  "$TOP/harness/appliance" start "$other" 3>&-
  TARGET=$other/target.conf run kmip get "$id"
  assert_failure 1
  assert_output --partial GeneralFailure
  TARGET=$other/target.conf run kmip create
  assert_failure 1
  assert_file_contains "$other/server.log" \
    "the stored master key is not of this HSM's key-encryption key"
  "$TOP/harness/appliance" stop "$other"
  # and where it comes from it is
  server start
  kmip get "$id"
}

# ---- secrets

@test "The password that was typed is in no memory and no file of the server" {
  server_start --card
  console_begin config 'hsm login security officer' 'hsm set password'
  present blue
  present black
  challenge | tr -d '\n' >"$BATS_TEST_TMPDIR/password"
  run "$TOP/build/bin/scan" --pid "$(<"$SERVER_DIR/pid")" \
    --dir "$SERVER_DIR" --run 8 --key "$BATS_TEST_TMPDIR/password"
  assert_success
  console_answer "$(<"$BATS_TEST_TMPDIR/password")"
  console_end
  assert_success
  server clock advance 5s
  run "$TOP/build/bin/scan" --pid "$(<"$SERVER_DIR/pid")" \
    --dir "$SERVER_DIR" --run 8 --key "$BATS_TEST_TMPDIR/password"
  assert_success
  assert_output --regexp '^0 found in [0-9]{7,} octets$'
}

# What the PED sends and is sent belongs to it and the card.
# req: KS-01-024
@test "The PED on the cable needs no server, and none hears what is typed at it" {
  server_start --card
  pin=739164820573
  printf %s "$pin" >"$BATS_TEST_TMPDIR/pin"
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" open "$SERVER_DIR/ikeys/black.ikey" \
    "$(pin_of black)" >"$BATS_TEST_TMPDIR/hex"
  tr a-f A-F <"$BATS_TEST_TMPDIR/hex" | tr -d '\n' | basenc --base16 -d \
    >"$BATS_TEST_TMPDIR/share"
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" make \
    "$SERVER_DIR/ikeys/long.ikey" black "$pin" "$(<"$BATS_TEST_TMPDIR/hex")"
  scan() {
    "$TOP/build/bin/scan" --run 8 --key "$BATS_TEST_TMPDIR/pin" \
      --key "$BATS_TEST_TMPDIR/share" "$@"
  }
  deactivated
  console_begin config 'hsm activate'
  ped wait-screen 'Insert a USER' >/dev/null
  ped insert ikeys/long.ikey
  ped key ENTER
  ped wait-screen 'Enter PED PIN' >/dev/null
  ped key "$pin" >/dev/null
  # it is there, at the PED
  run scan --pid "$(<"$SERVER_DIR/ped.pid")"
  assert_failure 1
  for moment in typed sent; do
    [ $moment = typed ] || ped key ENTER >/dev/null
    run scan --pid "$(<"$SERVER_DIR/pid")" --dir "$SERVER_DIR"
    assert_success
    assert_output --regexp '^0 found in [0-9]{7,} octets$'
  done
  console_end
  assert_success
  ped remove
  # without a server the card and its PED go on
  server kill server
  card_does deactivate >/dev/null
  card_does activate >"$BATS_TEST_TMPDIR/activated" &
  activating=$!
  present long "$pin"
  wait "$activating"
  run card_does status
  assert_output --partial " activated=yes "
}

# as_seen_by_a_client: answers of an appliance, but for what is new each time
as_seen_by_a_client() {
  local id pair
  id=$(kmip create --name kept --length 256)
  printf 'a key of 32 octets, and no other' >"$BATS_TEST_TMPDIR/material"
  {
    kmip query QueryOperations QueryObjects QueryServerInformation
    kmip discover
    kmip get "$id"
    kmip attributes "$id"
    kmip attribute-list "$id"
    kmip activate "$id"
    kmip destroy "$id" || echo "status $?"
    kmip revoke "$id" --reason CessationOfOperation
    kmip destroy "$id"
    kmip get "$id" || echo "status $?"
    pair=$(kmip create-key-pair --alg ECDSA --length 256)
    wc -w <<<"$pair"
    id=$(kmip register --material "$BATS_TEST_TMPDIR/material")
    kmip get "$id"
    kmip get nobody || echo "status $?"
  } 2>&1 | sed -E -e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g' \
    -e '/^material=61206b6579/!s/(material|DigestValue|ShortUniqueIdentifier)=[0-9a-f]+/\1=X/g' \
    -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:+]+/WHEN/g'
}

# req: VLT-010
@test "A client sees no difference between a card and keys in software" {
  server_start
  as_seen_by_a_client >"$BATS_TEST_TMPDIR/software"
  server_stop
  rm -r "$SERVER_DIR"
  server_copy --card
  server_start
  as_seen_by_a_client >"$BATS_TEST_TMPDIR/card"
  run diff "$BATS_TEST_TMPDIR/software" "$BATS_TEST_TMPDIR/card"
  assert_success
  run cat "$BATS_TEST_TMPDIR/card"
  assert_line "status 1"
  assert_line --regexp '^material=61206b6579'
  assert_line State=PreActive
}

# ---- the command line

@test "Words may be shortened, a question lists what can follow" {
  server_start --card
  run console 'sh hsm st'
  assert_success
  assert_line "HSM Status:    Initialized"
  run hsm 'hsm log c u'
  assert_refused 'ambiguous command: "log"'
  run hsm 'hsm login ?'
  assert_success
  assert_line --regexp '^  security +\.\.\.$'
  assert_line --regexp '^  crypto +\.\.\.$'
  run console 'hsm activate'
  assert_refused "a command of configuration mode; enter it with config"
  run console 'hsm activat'
  assert_failure 1
}

@test "Outside the laboratory the console asks who it is as well" {
  server_start --card --real-time
  run "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR" help </dev/null
  assert_failure 2
  run "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR" --user admin \
    --password-file "$SERVER_DIR/admin.password" 'show hsm status'
  assert_success
  kmip create
}

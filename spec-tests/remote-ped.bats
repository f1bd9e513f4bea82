#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# shellcheck disable=SC2154  # server_up and tap_up set their ports
# The guide's remote PED, end to end: an appliance and its console, a PED on
# the card's cable, and another one far away behind PedServer and PedClient.
# What these two print by themselves is in pedserver.bats.
# bats file_tags=ped, hsm, console
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  load remote
}

teardown() {
  console_quit
  [ ! -d "${SERVER_DIR-}" ] || cd "$SERVER_DIR" || return 1
  remote_down
  [ -z "${FAR_PED-}" ] || kill "$FAR_PED" 2>/dev/null || true
  server_stop
}

# ---------------------------------------------------------------------------
# Two PEDs.

# remote: the hands at the one far away
remote() { PED=far "$@"; }

# far_ped_up: plugged into the PedServer's machine; it is in local mode
far_ped_up() {
  local ready line=
  exec {ready}< <(exec "$TOP/build/bin/pedsim" --dir far --card none.sock \
    --usb usb.sock --lab lab/far.sock --clock clock 2>>far.log 3>&-)
  FAR_PED=$!
  read -r -t 20 line <&"$ready" || true
  exec {ready}<&-
  [ "$line" = ready ]
}

# far_away: an appliance, its PED's cable pulled out, and all that a remote PED
# needs, up to where it is connected
far_away() {
  [ -e "${SERVER_DIR-}/pid" ] || server_start --card
  cd "$SERVER_DIR" || return 1
  server_up
  far_ped_up
  remote ped key "<" 7 >/dev/null
  hsmctl ped unplug >/dev/null
}

# client WORDS...: the PedClient that the console starts
client() {
  pedclient "$@" -ctl card/pedclient.sock
}

# client_anew [PORT]: another in its place, and a PED at the other end
client_anew() {
  client -m stop >/dev/null
  server_lab await client=none >/dev/null
  run client -m start -ip 127.0.0.1 -port "${1:-$port}"
  assert_success
  server_lab await pair=yes >/dev/null
}

# dial [PORT]: the console is told to connect
dial() {
  console_begin config 'hsm remote ped connect'
  console_says "Remote PED IP ["
  console_answer 127.0.0.1
  console_says "Remote PED Port ["
  console_answer "${1:-$port}"
}

# connect_begin [PORT]: up to where the orange iKey is asked for
connect_begin() {
  dial "$@"
  remote ped wait-screen 'Insert a RPK' >/dev/null
}

# connected: what the console says then
connected() {
  console_end
  assert_success
  assert_equal "${lines[-1]}" "Remote PED connected."
}

# connect [COLOUR [PIN [PORT]]]: by this iKey
connect() {
  connect_begin "${@:3}"
  remote present "${1:-orange}" "${2:-$(pin_of orange)}"
  connected
}

# refused TEXT: what the console says last
refused() {
  console_end
  assert_equal "$status" 1
  assert_equal "${lines[-1]}" "Error: $1"
}

# not_connected: nobody asks anything of the PED far away, whatever is wanted
not_connected() {
  run hsm 'hsm login security officer'
  assert_failure 1
  assert_equal "${lines[-1]}" "Error: no PED is connected"
  run remote ped log
  refute_line --partial "SO LOGIN"
}

# reactivated [COLOUR [PIN]]: at the PED far away, by this black iKey alone
reactivated() {
  console_begin config 'hsm deactivate' 'hsm activate'
  remote present "${1:-black}" "${2:-$(pin_of black)}"
  console_end
  assert_success
  assert_equal "${lines[-1]}" "'partition activate' successful."
}

# asked_for_orange_first COMMAND: and then done by it and the black one
asked_for_orange_first() {
  console_begin config "$1"
  run remote present orange
  assert_success
  assert_line "  | COMPUTE SESSION KEY..."
  remote present black
  console_end
  assert_success
}

# duplicate COLOUR PIN: ikeys/COLOUR-copy.ikey, as the guide has it, at the PED
# far away, and back to remote mode
duplicate() {
  "$TOP/build/bin/pedctl" ikey new "ikeys/$1-copy.ikey"
  remote ped script - <<END
press <
expect invalidates the RPV session
press YES 4 1
insert ikeys/$1.ikey
press 1
expect Enter PED PIN
press $(pin_of "$1") ENTER
expect Logged in
press ENTER 7
expect Insert the target
remove
insert ikeys/$1-copy.ikey
press ENTER
expect Enter new PED PIN
press $2 ENTER
expect Confirm new PED PIN
press $2 ENTER
expect The duplicate is created
remove
press ENTER
expect another duplicate
press NO < < 7
END
}

# blank_card: an appliance whose card was never used
blank_card() {
  server_copy --card
  rm -r "$SERVER_DIR"/card/* "$SERVER_DIR"/store.db* "$SERVER_DIR/vault.key"
  for colour in blue red black; do
    blank "$colour"
  done
}

# ---------------------------------------------------------------------------
# The procedure.

# req: KS-01-022 KS-01-026 KS-05-008 KS-05-024 KS-05-074 KS-05-078 KS-05-079
# req: KS-05-080 KS-05-092
@test "The guide's procedure, from a blank orange iKey to an activation far away" {
  server_start --card
  id=$(kmip create)
  cd "$SERVER_DIR"
  # 1 to 6: at the local PED
  blank orange
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  run imprint orange
  assert_success
  assert_line "  | SETTING RPV..."
  console_end
  assert_success
  assert_equal "${lines[-1]}" "Shutdown passed."
  hsmctl ped unplug
  # 7 to 10: at the client
  server_up
  run shown "Server Port:"
  assert_output "$port"
  run shown "Ped2 Connection Status:"
  assert_output "Disconnected"
  # 11, 12: the remote PED
  far_ped_up
  remote ped key "<"
  remote ped wait-screen '^7 Remote PED$'
  remote ped key 7
  server_lab await ped=attached
  run shown "Ped2 Connection Status:"
  assert_output "Connected"
  # 13 to 19
  connect_begin
  run remote ped screen
  assert_output "COMPUTE SESSION KEY...
Insert a RPK / Remote PED Key. Press ENTER."
  remote ped insert ikeys/orange.ikey
  remote ped key ENTER
  remote ped wait-screen 'PIN'
  run remote ped screen
  assert_output "COMPUTE SESSION KEY...
Enter PED PIN."
  remote ped key "$(pin_of orange)" ENTER
  remote ped remove
  connected
  # and its test, with the black one
  console_begin config 'hsm deactivate' 'hsm activate'
  run remote present black
  assert_line "  | USER LOGIN..."
  console_end
  assert_success
  assert_output "'partition deactivate' successful.
Luna PED operation required to activate partition on HSM - use User or Partition Owner (black) PED key.
'partition activate' successful."
  keys_work "$id"
}

# req: KS-01-044 KS-05-099
@test "Logins, activation and a new password are had from a remote PED alone" {
  far_away
  id=$(kmip create)
  hsm 'hsm deactivate'
  server clock advance 2h1s
  connect
  console_begin config 'hsm login crypto user'
  remote present black
  console_end
  assert_success
  assert_equal "${lines[-1]}" "Crypto user successful logged into the HSM"
  keys_work "$id"
  console_begin config 'hsm login security officer' 'hsm set password'
  remote present blue
  remote present black
  console_answer "$(remote challenge)"
  console_end
  assert_success
  keys_work "$id"
  reactivated
}

# req: KS-01-043 KS-05-025 KS-05-026 KS-05-035 KS-01-041
@test "Initialization, and imprinting the orange iKey, want a PED on the cable" {
  blank_card
  far_away
  dial
  refused "the HSM is not initialized; initialize it with hsm initialize"
  client_anew
  run hsm 'hsm initialize'
  assert_failure 1
  assert_line "Error: not through a remote PED"
  run console 'show hsm status'
  assert_line "HSM Status:    Not initialized"
  hsmctl ped plug
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
  # it is no orange iKey's yet
  dial
  refused "there is no remote PED key vector: initialize it at the local PED"
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  ped wait-screen 'reuse' >/dev/null
  hsmctl ped unplug
  refused "no PED is connected"
  hsmctl ped plug
  blank orange
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  imprint orange
  console_end
  assert_success
  hsmctl ped unplug
  connect
  # not even through one that is connected
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  remote present blue
  refused "not through a remote PED"
  # nor through one that only called: with the vector the session is over
  hsmctl decommission
  client_anew
  run hsm 'hsm initialize'
  assert_failure 1
  assert_line "Error: not through a remote PED"
  # and with no PED at all it is another refusal
  client -m stop
  server_lab await client=none
  run hsm 'hsm initialize'
  assert_failure 1
  assert_line "Error: no PED is connected"
}

# ---------------------------------------------------------------------------
# The 480 seconds.

# req: KS-05-082
@test "The orange iKey and its PIN may take 479 seconds" {
  far_away
  connect_begin
  server clock advance 300s
  remote ped insert ikeys/orange.ikey
  remote ped key ENTER
  remote ped wait-screen 'Enter PED PIN'
  server clock advance 179s
  remote ped key "$(pin_of orange)" ENTER
  connected
  remote ped remove
  reactivated
}

# req: KS-05-082 KS-05-083
@test "After 481 seconds it is too late, and has to be started again" {
  far_away
  connect_begin
  server clock advance 300s
  remote ped insert ikeys/orange.ikey
  remote ped key ENTER
  remote ped wait-screen 'Enter PED PIN'
  remote ped key "$(pin_of orange)"
  server clock advance 181s
  refused "nobody attended to the PED in time"
  # nothing waits for the key any more
  remote ped wait-screen 'Awaiting command'
  run remote ped key ENTER
  assert_failure 1
  remote ped remove
  not_connected
  connect
  reactivated
}

# ---------------------------------------------------------------------------
# Wrong iKeys.

@test "A wrong PIN of the orange iKey does not connect, and counts for nothing" {
  far_away
  for ((k = 0; k < 4; k++)); do
    connect_begin
    remote present orange 44445
    refused "the iKey, its PED PIN or the password is wrong"
  done
  not_connected
  connect
  reactivated
}

@test "The orange iKey of another HSM does not connect" {
  far_away
  share=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" make ikeys/other.ikey orange \
    44444 "$share"
  connect_begin
  remote present other 44444
  refused "the iKey, its PED PIN or the password is wrong"
  not_connected
}

# req: KS-01-079
@test "No iKey of another colour is taken for the orange one" {
  far_away
  connect_begin
  for colour in blue red black; do
    remote ped insert "ikeys/$colour.ikey"
    remote ped key ENTER
    remote ped wait-screen 'another kind of PED Key'
    remote ped remove
  done
  remote ped key ENTER
  remote ped wait-screen 'No PED Key is inserted'
  remote give_up
  refused "the operation was given up at the PED"
  not_connected
}

# split M N: the orange iKeys orange-1 to orange-N, without PINs
split() {
  local k
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  {
    printf '%s\n' "expect reuse" "press NO" "expect M value" "press $1 ENTER" \
      "expect N value" "press $2 ENTER"
    for ((k = 1; k <= $2; k++)); do
      "$TOP/build/bin/pedctl" ikey new "ikeys/orange-$k.ikey"
      printf '%s\n' "expect Insert a" remove "insert ikeys/orange-$k.ikey" \
        "press ENTER" "expect Enter new" "press ENTER" "expect Confirm" \
        "press ENTER"
    done
    printf '%s\n' "expect duplicating" "press NO" remove
  } | ped script - >/dev/null
  console_end
  assert_success
}

# shares K...: these, one after the other
shares() {
  local k
  for k in "$@"; do
    printf '%s\n' "expect Insert a RPK" remove "insert ikeys/orange-$k.ikey" \
      "press ENTER"
  done | remote ped script -
}

@test "Of three orange iKeys any two connect, and one alone does not" {
  server_start --card
  cd "$SERVER_DIR"
  split 2 3
  far_away
  for pair in "1 2" "2 3" "3 1"; do
    connect_begin
    # shellcheck disable=SC2086  # two words
    shares $pair
    connected
  done
  connect_begin
  shares 2
  remote ped wait-screen 'PED Key 02 of 02'
  shares 2
  remote ped wait-screen 'was used already'
  server clock advance 481s
  refused "nobody attended to the PED in time"
  not_connected
  # of the keyset before, which was of one
  connect_begin
  shares 1
  remote ped wait-screen 'PED Key 02 of 02'
  remote ped remove
  remote present orange
  refused "the iKey, its PED PIN or the password is wrong"
  not_connected
}

# req: KS-05-133
@test "A lost orange iKey is made good by a new one, and opens nothing then" {
  far_away
  connect
  mv ikeys/orange.ikey ikeys/lost.ikey
  blank orange
  client -m stop
  hsmctl ped plug
  console_begin config 'hsm login security officer' 'hsm remote ped init'
  present blue
  imprint orange
  console_end
  assert_success
  hsmctl ped unplug
  connect_begin
  remote present lost 44444
  refused "the iKey, its PED PIN or the password is wrong"
  connect
  reactivated
}

# ---------------------------------------------------------------------------
# Duplicates.

# req: KS-05-150 KS-05-151 KS-05-153 KS-05-155
@test "A duplicate of the black iKey, made far away, activates like the original" {
  far_away
  connect
  duplicate black 987654
  rm ikeys/black.ikey
  console_begin config 'hsm deactivate' 'hsm activate'
  run remote present orange
  assert_success
  assert_line "  | COMPUTE SESSION KEY..."
  run remote present black-copy 987654
  assert_success
  assert_line "  | USER LOGIN..."
  console_end
  assert_success
  assert_equal "${lines[-1]}" "'partition activate' successful."
}

# req: KS-05-156
@test "A duplicate of the orange iKey connects like the original" {
  far_away
  duplicate orange 987654
  rm ikeys/orange.ikey
  connect orange-copy 987654
  reactivated
}

# req: KS-05-157
@test "A duplicate of the blue iKey logs the Security Officer in like the original" {
  far_away
  duplicate blue 987654
  rm ikeys/blue.ikey
  connect
  console_begin config 'hsm login security officer' \
    'hsm logout security officer' 'hsm login security officer'
  remote present blue-copy 987654
  remote present blue-copy 987654
  console_end
  assert_success
  assert_equal "${lines[-1]}" "Security officer successful logged into the HSM"
}

# ---------------------------------------------------------------------------
# The end of a connection.

# req: KS-05-145 KS-05-146 KS-05-153 KS-05-154
@test "Who leaves remote mode is warned, and is asked for the orange iKey again" {
  far_away
  connect
  remote ped key "<"
  remote ped wait-screen 'invalidates the RPV session'
  remote ped key NO
  reactivated
  remote ped key "<" YES
  server_lab await ped=none
  remote ped key 7
  client_anew
  # a wrong one: the black one is not asked for
  console_begin config 'hsm deactivate' 'hsm activate'
  remote ped script - <<END
expect Insert a RPK
insert ikeys/orange.ikey
press ENTER
expect Enter PED PIN
press 44445 ENTER
END
  refused "the iKey, its PED PIN or the password is wrong"
  run remote ped log
  assert_line --index 0 --partial "Remote PED session FAILED"
  remote ped remove
  client_anew
  asked_for_orange_first 'hsm activate'
  # and only once
  reactivated
}

@test "What is given up at the remote PED leaves it connected" {
  far_away
  connect
  console_begin config 'hsm deactivate' 'hsm activate'
  remote ped wait-screen 'Insert a USER'
  # nor is remote mode left in the middle
  run remote ped key "<"
  assert_failure 1
  remote give_up
  refused "the operation was given up at the PED"
  hsm_status no Disabled
  console_begin config 'hsm activate'
  remote present black
  console_end
  assert_success
}

@test "A remote PED that is not used for 1800 seconds is no longer connected" {
  far_away
  connect
  server clock advance 1799s
  reactivated
  server clock advance 1799s
  reactivated
  server clock advance 1800s
  not_connected
  # the one on the cable takes its place
  hsmctl ped plug
  console_begin config 'hsm login security officer'
  present blue
  console_end
  assert_success
  hsmctl ped unplug
  connect
  reactivated
}

# req: KS-05-085 KS-05-087 KS-05-102
@test "After an outage the remote PED has to be connected again" {
  far_away
  id=$(kmip create)
  connect
  kill -KILL "$(pid_of PedClient)"
  server power off
  server clock advance 2h1s
  server power on
  hsmctl ped unplug
  hsm_status no Disabled
  client_anew
  run hsm 'hsm login crypto user'
  assert_failure 1
  assert_line "Error: no PED is connected"
  not_connected
  connect
  console_begin config 'hsm login crypto user'
  remote present black
  console_end
  assert_success
  keys_work "$id"
}

# req: KS-05-085
@test "A card that crashed has no remote PED until it is connected again" {
  far_away
  connect
  server kill card
  server run card
  hsmctl ped unplug
  client_anew
  not_connected
  connect
}

@test "Without a PED at the PedServer nobody is asked" {
  server_start --card
  cd "$SERVER_DIR"
  server_up
  dial
  console_says "Luna PED operation required"
  while kill -0 "$CONSOLE" 2>/dev/null; do
    server clock advance 100s >/dev/null
  done
  refused "nobody attended to the PED in time"
  ped_is_idle
}

@test "A PedServer that goes in the middle ends it, and the next asks anew" {
  far_away
  connect
  console_begin config 'hsm deactivate' 'hsm activate'
  remote ped wait-screen 'Insert a USER'
  kill -KILL "$(pid_of PedServer)"
  refused "the remote PED does not answer"
  remote ped wait-screen 'Awaiting command'
  run hsm 'hsm activate'
  assert_failure 1
  assert_line "Error: the remote PED does not answer"
  run -0 pedserver -m start -lab lab/pedserver.sock -clock clock
  client_anew
  asked_for_orange_first 'hsm activate'
}

@test "A PED that loses its power in the middle ends it, and proves itself anew" {
  far_away
  connect
  console_begin config 'hsm deactivate' 'hsm activate'
  remote ped wait-screen 'Insert a USER'
  kill -KILL "$FAR_PED"
  refused "the remote PED does not answer"
  far_ped_up
  remote ped mode remote
  client_anew
  asked_for_orange_first 'hsm activate'
}

# ---------------------------------------------------------------------------
# What PedServer shows.

# req: KS-05-063
@test "PedServer shows who is connected, and who is not any more" {
  far_away
  server_lab await ped=attached
  run pedserver -m show
  assert_line "      Ped2 Connection Status:             Connected"
  assert_line "   Client Information:                    Not Available"
  connect
  server clock advance 40s
  run pedserver -m show
  assert_line "      Firmware Version:                   2.7.1-5"
  assert_line "   Client Information:"
  assert_line "      IP:                                 127.0.0.1"
  assert_line "      Current Connection Time:            40 (secs)"
  assert_line "      Current Connection Idle Time:       40 (secs)"
  reactivated
  server clock advance 7s
  run pedserver -m show
  assert_line "      Current Connection Time:            47 (secs)"
  assert_line "      Current Connection Idle Time:       7 (secs)"
  client -m stop
  server_lab await client=none
  run pedserver -m show
  assert_line "   Client Information:                    Not Available"
  assert_line "      Current Connection Time:            0 (secs)"
  assert_line "      Total Connection Time:              47 (secs)"
}

# ---------------------------------------------------------------------------
# Who stands between.

# tampered DEED WHO: what was activated is asked for once more, and one frame
# meets that
tampered() {
  console_begin config 'hsm deactivate' 'hsm activate'
  if [ "$2" = ped ]; then
    remote ped wait-screen 'Insert a USER'
    remote ped insert ikeys/black.ikey
    tap_will "$1" ped
    remote ped key ENTER
  fi
  tap_did
}

# proved_anew: nothing goes on but with the orange iKey
proved_anew() {
  remote ped wait-screen 'Awaiting command' >/dev/null
  remote ped remove >/dev/null 2>&1 || true
  client_anew "$tap_port"
  asked_for_orange_first 'hsm activate'
}

@test "A frame that is changed, lost or repeated on its way ends the session" {
  far_away
  tap_up
  connect orange 44444 "$tap_port"
  for deed in change repeat; do
    tap_will "$deed" card
    tampered "$deed" card
    refused "the remote PED does not answer"
    proved_anew
    tampered "$deed" ped
    refused "the link to the PED failed"
    proved_anew
  done
  # one that does not come is missed when the next one does
  tap_will drop card
  tampered drop card
  server clock advance 100s
  refused "nobody attended to the PED in time"
  proved_anew
  tampered drop ped
  server clock advance 100s
  refused "nobody attended to the PED in time"
  remote ped remove
  console_begin config 'hsm activate'
  remote ped wait-screen 'Insert a USER'
  remote ped key ENTER
  refused "the link to the PED failed"
  proved_anew
}

# ---------------------------------------------------------------------------
# Where secrets are not.

# long_pins: duplicates of the black and the orange iKey whose PINs have twelve
# digits; a file for each secret that there is
long_pins() {
  local colour
  secrets=$BATS_TEST_TMPDIR/secrets
  mkdir "$secrets"
  keys=()
  for colour in orange black; do
    digits 12 >"$secrets/$colour.pin"
    # the same as numbers, one octet each
    tr 0-9 '\000-\011' <"$secrets/$colour.pin" >"$secrets/$colour.numbers"
    duplicate "$colour" "$(<"$secrets/$colour.pin")" >/dev/null
    /usr/bin/python3 "$TOP/spec-tests/ikey.py" open \
      "ikeys/$colour-copy.ikey" "$(<"$secrets/$colour.pin")" |
      tr a-f A-F | tr -d '\n' | basenc --base16 -d >"$secrets/$colour.secret"
  done
  /usr/bin/python3 "$TOP/spec-tests/card_nv.py" card/card.nv \
    "$secrets/black.secret" >"$secrets/token.pin"
  for file in "$secrets"/*; do
    keys+=(--key "$file")
  done
}

# digits N
digits() {
  head -c 99 /dev/urandom | od -An -v -tu8 | tr -cd 0-9 | head -c "$1"
}

# pid_of PROGRAM: of this test's appliance
pid_of() {
  local process
  for process in /proc/[0-9]*; do
    if [ "$process/exe" -ef "$TOP/build/bin/$1" ] &&
      [ "$process/cwd" -ef "$SERVER_DIR" ]; then
      echo "${process#/proc/}"
      return
    fi
  done
  return 1
}

# scan WORDS...: for runs of 8 octets
scan() {
  "$TOP/build/bin/scan" --run 8 "$@"
}

# nowhere_in PID: none of the secrets
nowhere_in() {
  run scan --pid "$1" "${keys[@]}"
  assert_success
  assert_output --regexp '^0 found in [0-9]{6,} octets$'
}

@test "What goes over the wire holds no PIN digit and no iKey's secret" {
  far_away
  long_pins
  tap_up
  connect orange-copy "$(<"$secrets/orange.pin")" "$tap_port"
  reactivated black-copy "$(<"$secrets/black.pin")"
  run scan --dir recorded "${keys[@]}" --key ikeys/orange-copy.ikey \
    --key ikeys/black-copy.ikey
  assert_success
  assert_output --regexp '^0 found in [0-9]{3,} octets$'
  # it has what was said, and what is in clear is found in it
  digits 12 >"$BATS_TEST_TMPDIR/marker"
  printf 'PedClient 1.0.5 (10005) ' >"$BATS_TEST_TMPDIR/hello"
  run scan --dir recorded --key "$BATS_TEST_TMPDIR/hello"
  assert_failure 1
  exec {stranger}<>"/dev/tcp/127.0.0.1/$tap_port"
  cat "$BATS_TEST_TMPDIR/marker" >&"$stranger"
  run "$TOP/build/bin/scan" --run 8 --dir recorded --await \
    --key "$BATS_TEST_TMPDIR/marker"
  assert_failure 1
  assert_line --regexp "^file recorded/wire [0-9a-f]+: 12 octets of .*, as octets$"
}

@test "PINs, iKeys' secrets and the token's PIN are in the card, and nowhere else" {
  local process
  far_away
  long_pins
  card=$(<card.pid)
  # the PED has the digits while they are typed; the card has the vector
  connect_begin
  run scan --pid "$card" --key "$secrets/orange.secret"
  assert_failure 1
  remote ped insert ikeys/orange-copy.ikey
  remote ped key ENTER
  remote ped wait-screen 'Enter PED PIN'
  remote ped key "$(<"$secrets/orange.pin")"
  run scan --pid "$FAR_PED" --key "$secrets/orange.pin"
  assert_failure 1
  assert_line --regexp "^memory .*: 12 octets of .*/orange.pin, as octets$"
  remote ped key ENTER
  connected
  remote ped remove
  reactivated black-copy "$(<"$secrets/black.pin")"
  console_begin config 'hsm login security officer'
  remote present blue
  console_end
  assert_success
  # the card has the token's PIN for as long as it is activated
  run scan --pid "$card" --key "$secrets/token.pin"
  assert_failure 1
  assert_line --regexp "^memory .*: .* octets of .*/token.pin, "
  for process in "$(<pid)" "$(pid_of PedClient)" "$(pid_of PedServer)" \
    "$FAR_PED" "$(<ped.pid)"; do
    nowhere_in "$process"
  done
  run scan --dir "$SERVER_DIR" "${keys[@]}"
  assert_success
  assert_output --regexp '^0 found in [0-9]{5,} octets$'
  # of what it was told the card has kept nothing
  rm "$secrets/token.pin"
  keys=()
  for file in "$secrets"/*; do
    keys+=(--key "$file")
  done
  nowhere_in "$card"
}

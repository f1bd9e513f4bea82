#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# The PED by itself: power, modes, menus, duplicates, its log, its face.
#
# Nothing is connected to it. What it does for a card is in hsm-ped.bats; here
# iKeys are imprinted, and duplicates opened, by ikey.py.
# bats file_tags=ped
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load ped
  head -c 32 /dev/urandom >"$BATS_TEST_TMPDIR/share.key"
  share=$(od -An -v -tx1 "$BATS_TEST_TMPDIR/share.key" | tr -d ' \n')
}

teardown() {
  laboratory_stop
}

# ---------------------------------------------------------------------------
# Power and modes.

# req: KS-01-028 KS-01-029
@test "With power the PED tests itself, goes to local mode, and awaits a command" {
  ped_start
  assert_screen "Awaiting command..."
  run pedctl status
  assert_output --regexp " mode=local state=AT_LOCAL link=down slot=empty$"
  run pedctl log
  assert_output "00:00:00 Local PED mode
00:00:00 Self test OK
00:00:00 Power on"
}

@test "Nobody asks anything of an idle PED, however long it stands" {
  ped_start
  time_passes 3d
  assert_screen "Awaiting command..."
  run pedctl log
  assert_line --index 0 "00:00:00 Local PED mode"
}

# req: KS-01-032 KS-05-073 KS-05-074 KS-05-138
@test "The menu leads from local mode to remote mode and back" {
  ped_start
  pedctl key "<"
  assert_screen "SELECT MODE..." "0 Local PED" "4 Admin" "7 Remote PED"
  pedctl key 7
  run pedctl status
  assert_output --partial " mode=remote "
  assert_screen "Awaiting command..." "Remote PED"
  pedctl key "<" YES 0
  run pedctl status
  assert_output --partial " mode=local "
  assert_screen "Awaiting command..."
}

# req: KS-05-145 KS-05-146
@test "Remote mode is left after a warning, and only by Yes" {
  ped_start
  pedctl mode remote
  pedctl key "<"
  assert_screen "WARNING: leaving Remote PED mode" \
    "invalidates the RPV session." "Exit? (Y/N)"
  pedctl key NO
  run pedctl status
  assert_output --partial " mode=remote state=AT_REMOTE "
  pedctl key "<" YES
  run pedctl status
  assert_output --partial " mode=menu state=AT_MODES "
}

# req: KS-05-139 KS-05-140 KS-05-150
@test "4 and 1 lead to PED Key mode; twice < and 7 back to remote mode" {
  ped_start
  pedctl mode remote
  pedctl key "<" YES 4
  assert_screen "ADMIN MODE..." "1 PED Key" "9 Self Test" "< Exit"
  pedctl key 1
  assert_screen "PED KEY MODE..." "1 Login" "7 Duplicate" "< Exit"
  pedctl key "<" "<" 7
  run pedctl status
  assert_output --partial " mode=remote "
}

@test "A key that nothing waits for does nothing" {
  ped_start
  run -1 --separate-stderr pedctl key 5 YES ENTER
  # shellcheck disable=SC2154  # run sets it
  assert_regex "$stderr" "nothing waits for some of these keys: 5 YES ENTER"
  assert_screen "Awaiting command..."
}

# req: KS-01-035
@test "The self-test reports keypad, USB port and display" {
  ped_start
  pedctl mode menu
  pedctl key 4 9
  assert_screen "SELF TEST..." "Keypad    OK" "USB port  OK" \
    "Display   OK" "Press ENTER."
  pedctl key ENTER
  ped_fault usb broken
  pedctl key 9
  assert_screen "SELF TEST..." "Keypad    OK" "USB port  FAILED" \
    "Display   OK" "Press ENTER."
  pedctl key ENTER
  ped_fault usb ok
  ped_fault display broken
  pedctl key 9
  ped_fault display ok
  assert_screen "SELF TEST..." "Keypad    OK" "USB port  OK" \
    "Display   FAILED" "Press ENTER."
  pedctl key ENTER
  pedctl hold CLEAR # a key that hangs
  pedctl key 9
  pedctl release CLEAR
  assert_screen "SELF TEST..." "Keypad    FAILED" "USB port  OK" \
    "Display   OK" "Press ENTER."
}

@test "The log tells recent actions, newest first, also on the display" {
  ped_start
  time_passes 1h2m3s
  blank_ikey blank
  pedctl insert blank
  pedctl remove
  pedctl key ">"
  assert_screen "RECENT ACTIONS" "01:02:03 PED Key removed" \
    "01:02:03 PED Key inserted" "00:00:00 Local PED mode" \
    "00:00:00 Self test OK" "00:00:00 Power on"
  pedctl key "<"
  assert_screen "Awaiting command..."
}

@test "A PED keeps nothing without power" {
  ped_start
  pedctl mode remote
  laboratory_kill ped
  ped_start
  assert_screen "Awaiting command..."
  run pedctl log
  assert_output "00:00:00 Local PED mode
00:00:00 Self test OK
00:00:00 Power on"
  run find ped -type f
  refute_output
}

# ---------------------------------------------------------------------------
# Duplicates.

# log_in FILE [PIN]: PED Key mode, and the original
log_in() {
  pedctl mode menu
  pedctl insert "$1"
  pedctl key 4 1 1
  [ $# -eq 1 ] || pedctl key "$2" ENTER
  assert_screen "PED KEY LOGIN..." "Logged in." "Press ENTER."
  pedctl key ENTER
  pedctl remove
}

# req: KS-05-140 KS-05-141 KS-05-142 KS-05-143 KS-05-149 KS-01-033
@test "Each colour is duplicated onto blank iKeys, each with a PIN of its own" {
  local colour
  ped_start
  for colour in blue red black orange; do
    ikey make "$colour" "$colour" 1234 "$share"
    cp "$colour" original
    blank_ikey "$colour.copy"
    blank_ikey "$colour.bare"
    pedctl mode menu
    pedctl insert "$colour"
    cat >script <<END
# as a person would
press 4 1 1
expect ^Enter PED PIN\\.$
press 1234
expect ^\\*{4}$
press ENTER
expect ^Logged in
press ENTER 7
expect ^Insert the target PED Key
remove
insert $colour.copy
press ENTER
expect ^Enter new PED PIN:$
press 987654 ENTER
expect ^Confirm new PED PIN:$
press 987654 ENTER
expect ^The duplicate is created
remove
press ENTER
expect ^Make another duplicate\\? \\(Y/N\\)$
press YES
insert $colour.bare
press ENTER ENTER ENTER
remove
press ENTER NO
expect ^PED KEY MODE
END
    run pedctl script script
    assert_success
    run ikey open "$colour.copy" 987654
    assert_output "$share"
    run ikey open "$colour.bare" ""
    assert_output "$share"
    cmp "$colour" original
    run "$TOP/build/bin/pedctl" ikey show "$colour.copy"
    assert_line "colour: $colour"
    assert_line "share: 1 of 1, 1 needed"
    assert_line "pin: yes"
  done
  run pedctl log
  assert_line "00:00:00 PED Key duplicated: orange"
}

@test "A duplicate of one share of a split is that share again" {
  ped_start
  ikey make second black "" "$share" 2 3 2
  blank_ikey copy
  log_in second
  pedctl key 7
  pedctl insert copy
  pedctl key ENTER ENTER ENTER
  run "$TOP/build/bin/pedctl" ikey show copy
  assert_line "share: 2 of 3, 2 needed"
  run ikey open copy ""
  assert_output "$share"
  # but it is another device
  refute [ "$(ikey field copy serial)" = "$(ikey field second serial)" ]
}

# req: KS-05-147 KS-05-148
@test "A used iKey is overwritten after a warning, and only by Yes" {
  ped_start
  ikey make black black 1234 "$share"
  ikey make blue blue 4321 "${share//[0-9]/5}"
  cp blue before
  log_in black 1234
  pedctl key 7
  pedctl insert blue
  pedctl key ENTER
  assert_screen "DUPLICATE..." "WARNING: this PED Key is not blank." \
    "Overwrite it? (Y/N)"
  pedctl key NO
  cmp blue before
  pedctl key ENTER YES 5555 ENTER 5555 ENTER
  pedctl wait-screen "The duplicate is created"
  run ikey open blue 5555
  assert_output "$share"
  run "$TOP/build/bin/pedctl" ikey show blue
  assert_line "colour: black"
  assert_equal "$(ikey field blue serial)" "$(ikey field before serial)"
}

# req: KS-01-091
@test "A new PIN has 4 to 48 digits or none" {
  local digits=123456789012345678901234567890123456789012345678
  ped_start
  ikey make black black "" "$share"
  blank_ikey copy
  log_in black
  pedctl key 7
  pedctl insert copy
  pedctl key ENTER 123 ENTER
  assert_screen "DUPLICATE..." "A PED PIN has 4 to 48 digits." "Press ENTER."
  pedctl key ENTER "${digits}9" ENTER
  assert_screen "DUPLICATE..." "A PED PIN has 4 to 48 digits." "Press ENTER."
  run ikey field copy colour
  assert_output 00
  pedctl key ENTER "$digits" ENTER "$digits" ENTER
  run ikey open copy "$digits"
  assert_output "$share"
}

@test "A PIN that is confirmed by another one imprints nothing" {
  ped_start
  ikey make black black "" "$share"
  blank_ikey copy
  log_in black
  pedctl key 7
  pedctl insert copy
  pedctl key ENTER 1234 ENTER 1235 ENTER
  assert_screen "DUPLICATE..." "The PED PINs differ." "Press ENTER."
  run ikey field copy colour
  assert_output 00
  pedctl key ENTER 1234 ENTER 1234 ENTER
  run ikey open copy 1234
  assert_output "$share"
}

# There is nothing on an iKey to verify a PIN with.
@test "A wrong PIN logs in like the right one, and its duplicate opens to something else" {
  ped_start
  ikey make black black 1234 "$share"
  blank_ikey copy
  log_in black 1235
  pedctl key 7
  pedctl insert copy
  pedctl key ENTER 1234 ENTER 1234 ENTER
  pedctl wait-screen "The duplicate is created"
  run ikey open copy 1234
  refute_output "$share"
}

@test "What is blank, changed, or the original itself is not duplicated" {
  ped_start
  ikey make black black "" "$share"
  cp black changed
  printf X | dd of=changed bs=1 seek=60 conv=notrunc status=none
  blank_ikey blank
  pedctl mode menu
  pedctl key 4 1 7
  assert_screen "DUPLICATE..." "Login to a PED Key first." "Press ENTER."
  pedctl key ENTER 1
  assert_screen "PED KEY LOGIN..." "Insert a PED Key. Press ENTER."
  pedctl insert blank
  pedctl key ENTER
  assert_screen "This PED Key is blank." "Press ENTER."
  pedctl remove
  pedctl insert changed
  pedctl key ENTER 1
  assert_screen "This PED Key cannot be read." "Press ENTER."
  pedctl remove
  pedctl insert black
  pedctl key ENTER 1 ENTER 7 ENTER
  assert_screen "DUPLICATE..." "This is the original PED Key." "Press ENTER."
}

@test "Who leaves PED Key mode is logged out" {
  ped_start
  ikey make black black "" "$share"
  log_in black
  pedctl key "<" 1 7
  assert_screen "DUPLICATE..." "Login to a PED Key first." "Press ENTER."
}

@test "Clear, held for 5 seconds, gives a duplication up" {
  ped_start
  ikey make black black "" "$share"
  log_in black
  pedctl key 7
  pedctl hold CLEAR
  time_passes 4999ms
  assert_screen "DUPLICATE..." "Insert the target PED Key. Press ENTER."
  time_passes 1ms
  assert_screen "ADMIN MODE..." "1 PED Key" "9 Self Test" "< Exit"
  pedctl release CLEAR
  pedctl key 1 7
  assert_screen "DUPLICATE..." "Login to a PED Key first." "Press ENTER."
}

@test "An iKey is in one slot at a time, and a slot holds one" {
  ped_start
  ped_start other
  blank_ikey blank
  blank_ikey second
  pedctl insert blank
  run -1 pedctl insert second
  PED=other run -1 pedctl insert blank
  pedctl remove
  PED=other pedctl insert blank
}

# req: KS-01-037
@test "After a duplication the PED has neither PIN nor share in its memory" {
  local pin=739164820573916482057391648205739164820573916482
  ped_start
  ikey make black black "$pin" "$share"
  blank_ikey copy
  printf %s "$pin" >pin.key
  scan() {
    "$TOP/build/bin/scan" --pid "$(<ped.pid)" --dir ped --run 8 \
      --key pin.key --key share.key
  }
  log_in black "$pin"
  # it is believed, as it finds what must be there now
  run -1 scan
  assert_line --regexp "share.key"
  refute_line --regexp "pin.key"
  pedctl key 7
  pedctl insert copy
  pedctl key ENTER "$pin" ENTER
  run -1 scan
  assert_line --regexp "pin.key"
  pedctl key "$pin" ENTER
  pedctl remove
  pedctl key ENTER NO "<"
  run ikey open copy "$pin"
  assert_output "$share"
  run scan
  assert_success
  # nor is either on the iKeys themselves
  mkdir ikeys
  cp black copy ikeys
  run "$TOP/build/bin/scan" --dir ikeys --run 8 --key pin.key --key share.key
  assert_success
  assert_output --regexp '^0 found in [0-9]{3,} octets$'
}

# ---------------------------------------------------------------------------
# The hands: what a failing script says, and when it stops waiting.

# timer_set MS: somebody waits until this time
timer_set() {
  "$TOP/build/bin/labctl" ask lab/ped.sock await "next=$1 " >/dev/null
}

@test "What was expected and what was there is told, with file and line" {
  local status=0
  ped_start
  printf '%s\n' "mode menu" "" "# comment" "expect ^4 Admin$" "press 4" \
    "expect MODE$" "press 1" >script
  pedctl script script >out 2>err &
  timer_set 30000
  time_passes 30s
  wait $! || status=$?
  assert_equal "$status" 1
  run cat out
  assert_output "mode menu
expect ^4 Admin$
  | SELECT MODE...
  | 0 Local PED
  | 4 Admin
  | 7 Remote PED
press 4"
  run cat err
  assert_line --index 0 "pedctl: script:6: expected: MODE$"
  assert_line "  | ADMIN MODE..."
  assert_line --partial " state=AT_ADMIN "
}

@test "A display that comes just in time is waited for, a later one is not" {
  local status
  ped_start
  pedctl wait-screen MODE --timeout-virtual 480 >out 2>err &
  timer_set 480000
  time_passes 479999ms
  pedctl mode menu
  wait $!
  pedctl wait-screen ADMIN --timeout-virtual 480 >out 2>err &
  timer_set 959999
  time_passes 480s
  pedctl key 4
  status=0
  wait $! || status=$?
  assert_equal "$status" 1
  run cat err
  assert_line --index 0 "pedctl: expected: ADMIN"
  assert_line "  | SELECT MODE..."
}

@test "Where no PED is, or it goes, pedctl says so" {
  local status=0
  ped_start
  run -1 "$TOP/build/bin/pedctl" "$BATS_TEST_TMPDIR/none" screen
  assert_output --partial "no PED answers there"
  pedctl wait-screen MODE >out 2>err &
  timer_set 30000
  laboratory_stop
  wait $! || status=$?
  assert_equal "$status" 1
  run cat err
  assert_line "pedctl: the connection is closed"
}

# ---------------------------------------------------------------------------
# The face, for people.

# face_start: pedsim --tty on a terminal of its own; what it shows goes to
# "typescript", what is typed to $typed
face_start() {
  cd "$BATS_TEST_TMPDIR" || return 1
  mkfifo keyboard
  script --quiet --flush --return --command \
    "'$TOP/build/bin/pedsim' --dir ped --tty" typescript <keyboard >shown 3>&- &
  face=$!
  exec {typed}>keyboard
  wait_for "Awaiting command..." typescript
}

@test "A person sees the display, presses keys, inserts an iKey, and switches it off" {
  local typed face
  face_start
  ikey make black black 1234 "$share"
  printf '<' >&"$typed"
  pedctl wait-screen "SELECT MODE"
  printf '41i%s\r' "$BATS_TEST_TMPDIR/none" >&"$typed"
  wait_for "there is no such file" typescript
  printf 'i%s\r' "$BATS_TEST_TMPDIR/black" >&"$typed"
  pedctl wait-status slot=full
  printf '1' >&"$typed"
  pedctl wait-screen "Enter PED PIN"
  printf '12\177234\r' >&"$typed"
  pedctl wait-screen "Logged in"
  wait_for "****" typescript
  wait_for "slot: black" typescript
  printf '\rr' >&"$typed"
  pedctl wait-status slot=empty
  printf '\033[D\033[D' >&"$typed" # arrow to the left, twice
  pedctl wait-screen "SELECT MODE"
  printf q >&"$typed"
  wait "$face"
  exec {typed}>&-
  # no digit of the PIN was ever shown
  run grep -c 1234 typescript
  assert_output 0
}

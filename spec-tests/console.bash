# shellcheck shell=bash
# An appliance with a card: its console, the PED, and the hands of who is at
# both. Load after helper. The iKeys are the harness's (harness/appliance).

# console LINE...: a session of these lines, up to the first that fails; where
# it waits for somebody at the PED, and nobody should be asked, it fails
console() {
  timeout 60 "$TOP/harness/appliance" cli "$SERVER_DIR" "$@" 3>&-
}

# hsm COMMAND: one command of configuration mode
hsm() {
  console config "$1"
}

# console_begin LINE...: the same beside the test, which is at the PED meanwhile
console_begin() {
  console_run "$TOP/harness/appliance" cli "$SERVER_DIR" "$@"
}

# console_run PROGRAM ARGS...: a session at its other end, beside the test
console_run() {
  local answers=$BATS_TEST_TMPDIR/answers
  CONSOLE_SAYS=$BATS_TEST_TMPDIR/console
  : >"$CONSOLE_SAYS"
  [ -p "$answers" ] || mkfifo "$answers"
  exec {console_in}<>"$answers"
  timeout 60 "$@" <&"$console_in" >"$CONSOLE_SAYS" 2>&1 3>&- &
  CONSOLE=$!
}

# console_answer TEXT: to what it asks
console_answer() {
  echo "$1" >&"$console_in"
}

# console_says TEXT: wait until it has
console_says() {
  wait_for "$1" "$CONSOLE_SAYS"
}

# console_end: wait for its end; $status and $output as after run
# shellcheck disable=SC2034  # for bats-assert
console_end() {
  status=0
  wait "$CONSOLE" || status=$?
  exec {console_in}<&-
  output=$(<"$CONSOLE_SAYS")
  mapfile -t lines <"$CONSOLE_SAYS"
}

# console_quit: for the end of a test, which may have failed in between
console_quit() {
  [ -z "${CONSOLE-}" ] || kill "$CONSOLE" 2>/dev/null || true
}

# ped WORDS...: the hands at the PED, or at $PED
ped() {
  (cd "$SERVER_DIR" && "$TOP/build/bin/pedctl" "${PED:-ped}" "$@" 3>&-)
}

# hsmctl WORDS...: what befalls the card
hsmctl() {
  "$TOP/build/bin/hsmctl" "$SERVER_DIR" "$@"
}

# pin_of COLOUR: of the harness's iKey
pin_of() {
  case $1 in
  blue) echo 11111 ;;
  red) echo 22222 ;;
  black) echo 33333 ;;
  orange) echo 44444 ;;
  esac
}

# blank COLOUR: a blank iKey in the place of that one
blank() {
  rm -f "$SERVER_DIR/ikeys/$1.ikey"
  "$TOP/build/bin/pedctl" ikey new "$SERVER_DIR/ikeys/$1.ikey"
}

# give_up: what the PED asks for
give_up() {
  ped hold CLEAR
  server clock advance 5s
  ped release CLEAR
}

# present COLOUR [PIN]: that iKey, when one is asked for
present() {
  ped script - <<END
expect Insert a
insert ikeys/$1.ikey
press ENTER
expect Enter PED PIN
press ${2-$(pin_of "$1")} ENTER
remove
END
}

# imprint COLOUR: a new keyset of one iKey, no duplicate
imprint() {
  local pin
  pin=$(pin_of "$1")
  ped script - <<END
expect reuse an existing keyset
press NO
expect M value
press ENTER
expect N value
press ENTER
expect Insert a
insert ikeys/$1.ikey
press ENTER
expect Enter new PED PIN
press $pin ENTER
expect Confirm new PED PIN
press $pin ENTER
expect duplicating this keyset
press NO
remove
END
}

# challenge: the password that the PED displays once
challenge() {
  ped wait-screen 'write it down' >/dev/null
  ped screen | grep -E -o '[[:alnum:]]{4}(-[[:alnum:]]{4}){3}'
  ped key ENTER >/dev/null
}

# ped_is_idle: nobody is asked for anything
ped_is_idle() {
  run ped screen
  assert_success
  assert_output --partial "Awaiting command..."
}

# hsm_status LOGIN CACHE: what the status says of an initialized HSM
hsm_status() {
  run console 'show hsm status'
  assert_success
  assert_output "HSM Status:    Initialized
Crypto-user logged in: $1
HSM secure-key-cache: $2"
}

# ready_in_a_minute: the server sees a card that has come back, second by second
ready_in_a_minute() {
  local second
  for second in {1..60}; do
    server clock advance 1s
    run server status
    [[ $output != *" hsm=ready"* ]] || return 0
  done
  fail "after $second seconds: $output"
}

# keys_work ID: it is handed out, and another is made
keys_work() {
  kmip get "$1" >/dev/null
  kmip create >/dev/null
}

# keys_refused ID: no key is made, handed out or ended; all else is answered
keys_refused() {
  for words in create "get $1" "destroy $1"; do
    # shellcheck disable=SC2086  # words
    run kmip $words
    assert_failure 1
    assert_output --partial GeneralFailure
  done
  run kmip query
  assert_success
  run kmip attributes "$1" State
  assert_success
}

#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# The guide's chapters 2 and 15 at the serial console: who comes in, and what a
# person and a script see there
# bats file_tags=console
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load terminal
}

teardown() {
  terminal_quit
  server_stop
}

# as USER PASSWORD[,NEW] COMMAND...: one session; answers from standard input
as() {
  local secrets=$BATS_TEST_TMPDIR/secrets
  (umask 077 && tr ',' '\n' <<<"$2" >"$secrets")
  timeout 60 "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR" \
    --user "$1" --password-file "$secrets" "${@:3}" 3>&-
}

admin() { as admin "$(<"$SERVER_DIR/admin.password")" "$@"; }

# script LINE...: one session of admin's, the lines of a script
script() {
  printf '%s\n' "$@" | admin --script
}

# req: KS-02-001 KS-02-005 KS-15-037 KS-15-047
@test "A name and its password let one in, and nothing else does" {
  server_start
  run admin 'show clock' </dev/null
  assert_success
  assert_output --regexp '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC$'
  run as admin wrong 'show clock' </dev/null
  assert_failure 2
  assert_output "Login incorrect."
  run as nobody "$(<"$SERVER_DIR/admin.password")" 'show clock' </dev/null
  assert_failure 2
  assert_output "Login incorrect."
}

@test "A script ends with the first command that fails" {
  server_start
  run script config 'edit host name one' 'show host'
  assert_success
  assert_output "Host
  Hostname: one"
  run script config 'edit host name two' nonsense 'edit host name three'
  assert_failure 1
  assert_output 'Error: unknown command: "nonsense"; ? lists commands'
  run script 'show host'
  assert_output --partial "Hostname: two"
}

@test "A line that is too long is refused, and nothing of it is taken" {
  server_start
  long=$(printf '%20000s' '' | tr ' ' x)
  run script config "edit host name $long" 'edit host name two'
  assert_failure 1
  assert_output "Error: the line is too long: at most 8704 octets"
  run admin config "edit host name $long" </dev/null
  assert_failure 1
  assert_output "Error: the line is too long: at most 8704 octets"
  # an answer is one as well
  run script config 'administrator bob' Tq8.Harbour-Fig Tq8.Harbour-Fig "$long"
  assert_failure 1
  run admin 'show host' 'show administrator bob' </dev/null
  assert_failure 1
  assert_line "  Hostname: touchstone"
  assert_line --regexp '^Error: .*bob'
}

@test "A script answers on its next lines what is asked" {
  server_start
  run script config 'administrator bob' Tq8.Harbour-Fig Tq8.Harbour-Fig \
    'Bob Example' '' no keys,ssh 'show administrator bob'
  assert_success
  assert_line "The password has been set."
  assert_line "Full Name: Bob Example"
  assert_line "Access Control: Keys and Authorization Policies, Admin Access \
via SSH"
  refute_output --partial Tq8.Harbour-Fig
  # an answer that is missing gives the command up
  run script config 'no administrator bob'
  assert_failure 1
  run script 'show administrator bob'
  assert_success
}

# req: KS-15-050 KS-15-051 KS-15-058
@test "A password that somebody else has set has to be changed first" {
  server_start
  script config 'administrator bob high-access no' \
    Tq8.Harbour-Fig Tq8.Harbour-Fig
  run as bob Tq8.Harbour-Fig,Wn5.Pepper-Loom,Wn5.Pepper-Loom 'show version' \
    </dev/null
  assert_success
  assert_line --index 0 "This is the first login: the password has to be changed."
  assert_line --index 1 "The password has been changed."
  assert_line --index 2 --regexp '^Touchstone '
  # nothing was lost: now it is as any other
  run as bob Wn5.Pepper-Loom 'show version' </dev/null
  assert_success
  assert_equal "${#lines[@]}" 1
  # who does not change it does not come in
  script config 'reset administrator password bob' \
    Tq8.Harbour-Fig Tq8.Harbour-Fig
  run as bob Tq8.Harbour-Fig,short,short 'show version' </dev/null
  assert_failure 2
  refute_output --regexp 'Touchstone '
}

# req: KS-15-002 KS-15-085
@test "What an administrator has no access control for is refused, and written down" {
  server_start
  script config 'administrator bob high-access no' \
    Tq8.Harbour-Fig Tq8.Harbour-Fig
  run as bob Tq8.Harbour-Fig,Wn5.Pepper-Loom,Wn5.Pepper-Loom \
    config 'edit host name mine' </dev/null
  assert_failure 1
  assert_line 'Error: Access denied: "Network and Date/Time" access control is required.'
  run admin 'show host' 'show log audit 5' </dev/null
  assert_line "  Hostname: touchstone"
  assert_line --partial '[bob]: Refused: edit network: Access denied'
}

# req: KS-02-040 KS-02-042
@test "Sessions see what another has changed, and the audit log has who it was" {
  server_start
  coproc OTHER { admin 2>&1; }
  # a coprocess's own descriptors are closed in subshells
  # shellcheck disable=SC2153
  exec {other_in}>&"${OTHER[1]}" {other_out}<&"${OTHER[0]}"
  echo 'show host' >&"$other_in"
  read -r -t 20 line <&"$other_out"
  read -r -t 20 line <&"$other_out"
  assert_equal "$line" "Hostname: touchstone"
  script config 'edit host name other'
  echo 'show host' >&"$other_in"
  read -r -t 20 line <&"$other_out"
  read -r -t 20 line <&"$other_out"
  assert_equal "$line" "Hostname: other"
  exec {other_in}>&- {other_out}<&-
  run admin 'show log audit 1' </dev/null
  assert_output --regexp \
    '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} \[admin\]: '
  run admin 'show log audit' </dev/null
  assert_line --partial '[admin]: Hostname: other'
}

@test "A session that nobody uses is ended" {
  server_start
  coproc IDLE { admin 2>&1; }
  # shellcheck disable=SC2153
  exec {idle_in}>&"${IDLE[1]}" {idle_out}<&"${IDLE[0]}"
  echo 'show version' >&"$idle_in"
  read -r -t 20 line <&"$idle_out"
  server clock advance 15m
  read -r -t 20 line <&"$idle_out"
  assert_equal "$line" "Autologout: the session was idle too long."
  exec {idle_in}>&- {idle_out}<&-
}

@test "At a terminal: a prompt, a password that is not shown, and lines to edit" {
  server_start
  password=$(<"$SERVER_DIR/admin.password")
  terminal_start "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR"
  terminal_shows "login: "
  terminal_types admin Enter
  terminal_shows "Password: "
  terminal_types "$password" Enter
  terminal_shows "touchstone# "
  run terminal_screen
  refute_output --partial "$password"
  assert_line --partial "login: admin"

  # Tab
  terminal_types 'show ver' Tab Enter
  terminal_shows "Touchstone 0"
  run terminal_screen
  assert_line "touchstone# show version"
  terminal_types 'conf' Tab Enter
  terminal_shows "touchstone (config)# "
  terminal_types 'hsm log' Tab
  terminal_shows "  logout "
  run terminal_screen
  assert_line --regexp '^  login +\.\.\.'
  assert_line "touchstone (config)# hsm log"

  # Ctrl-C gives the line up, and a dialogue
  terminal_types C-c
  terminal_shows "^C"
  terminal_types 'no administrator bob' Enter
  terminal_shows "Secondary Approval: delete administrator bob (yes/no): "
  terminal_types C-c
  terminal_shows "Error: given up"

  # a question mark: the line stays
  terminal_types 'show ho?' Enter
  terminal_shows "  host "
  terminal_types 'st' Enter
  terminal_shows "  Hostname: touchstone"

  # arrows: what was typed, and the cursor
  terminal_types Up Left Left Left Left x C-a y Enter
  terminal_shows 'unknown command: "yshow"'
  run terminal_screen
  assert_line "touchstone (config)# yshow xhost"
  terminal_types Up C-u 'history' Enter
  terminal_shows "  history"
  terminal_types exit Enter exit Enter
  terminal_shows "status=0"
  run cat "$TERMINAL_LOG"
  refute_output --partial "$password"
}

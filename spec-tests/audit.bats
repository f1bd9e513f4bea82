#!/usr/bin/env bats
# Chapter 2, the Audit Log: what is changed and what is typed wrong
# bats file_tags=logging
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_serial_login
}

teardown() {
  adapter_stop
}

# lines_have TEXT COUNT: so many lines of the log end with it
lines_have() {
  run grep -c -F -- "$1" <<<"$(audit 1000)"
  assert_output "$2"
}

# req: KS-21-011 KS-21-012 KS-21-013 KS-21-014
@test "Each line has date, time, who it was, and what" {
  story_start bob
  as admin "clock set 2027-01-02 03:04:05"
  as bob "edit host name bobs"
  run audit 3
  assert_line "2027-01-02 03:04:05 [bob]: Hostname: bobs"
  run audit 1000
  while read -r line; do
    [[ $line =~ ^[0-9]{4}-[01][0-9]-[0-3][0-9]\ [0-2][0-9]:[0-5][0-9]:[0-5][0-9]\ \[[a-z]+\]:\ .+ ]] ||
      fail "no such line: $line"
  done <<<"$output"
}

# req: KS-02-040 KS-20-003 KS-21-009
@test "Every change is recorded, once" {
  story_start bob
  as admin "administrator carol access-control ssh full-name Carol" "$FIRST" "$FIRST"
  as admin "edit administrator carol access-control network"
  as admin "reset administrator password bob" "$OTHER" "$OTHER"
  as admin "no administrator carol" yes
  as admin "edit password settings length 9 history 3"
  as admin "edit lockout settings serial 6"
  as admin "edit multiple credentials time-limited yes"
  as admin "service startup key-server disabled"
  as admin "service stop key-server"
  as admin "timezone Europe/Amsterdam"
  while read -r text; do
    lines_have "[admin]: $text" 1
  done <<-'END'
	created administrator carol: High Access Administrator: no, Access Control: Admin Access via SSH
	edited administrator carol: High Access Administrator: no, Access Control: Network and Date/Time
	changed password of administrator bob
	deleted administrator carol
	Password History: Num Passwords to Remember: 3, Minimum Password Length: 9
	Lockout Time for the Serial Console (minutes): 6
	Allow Time-Limited Credentials: yes
	NAE Server startup: Disabled
	service stop
	time zone: Europe/Amsterdam
	END
  lines_have "[bob]: changed own password" 1
}

# req: KS-02-042 KS-20-004
@test "What is typed wrong is recorded, and so is what is not allowed" {
  story_start
  story_admin dave access-control none
  as admin "edit host name -bad-" || true
  as admin "edit password settings length 0" || true
  as admin "administrator 1bob" || true
  as admin "clock set yesterday" || true
  as dave "clock set 2027-01-02 03:04:05" || true
  lines_have "[admin]: Refused: " 4
  run audit
  assert_line --regexp "\[admin\]: Refused: .*Hostname: -bad-"
  assert_line --regexp "\[admin\]: Refused: .*Minimum Password Length: 0"
  assert_line --regexp "\[admin\]: Refused: .*Username: 1bob"
  assert_line --regexp "\[admin\]: Refused: .*Date and Time: yesterday"
  assert_line --regexp "\[dave\]: .*Network and Date/Time"
}

@test "Who looks at something leaves no line but that of the login" {
  story_start
  before=$(audit 1000 | wc -l)
  as admin "show services"
  as admin "show password settings"
  run wc -l <<<"$(audit 1000)"
  assert_output $((before + 3)) # these two, and the one who looks at the log
}

@test "Nobody's input can pretend to be a line of the log" {
  story_start bob
  forged="2027-01-02 03:04:05 [admin]: deleted administrator bob"
  for name in "x]: $forged" $'x\r'"$forged" $'x\x1b[2K\x1b[1A'"$forged" $'x\xc2\x85'"$forged" \
    $'x\xe2\x80\xa8'"$forged" $'x\xe2\x80\xae'"$forged" "admin"; do
    enters "$name" "$WRONG" || true
  done
  as bob "edit administrator bob full-name \"$forged\" description \"a]: $forged\""
  as bob "edit host name \"x]: $forged\"" || true
  as bob "clock set $forged" || true
  run audit 1000
  refute_line --partial $'\x1b'
  refute_line --partial $'\r'
  refute_line --partial $'\xe2\x80\xa8' # line separator
  refute_line --partial $'\xe2\x80\xae' # from here on from right to left
  refute_line --regexp "^[^[]*\[admin\]: deleted"
  run grep -v -E "^[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2} \[(admin|bob|system)\]: " <<<"$output"
  assert_failure 1 # no other line
}

@test "An administrator called system is told from the device" {
  story_start
  story_admin system
  as system "edit host name mine"
  fails_login 1 nobody
  run audit
  refute_line --regexp "\[system\]: Hostname"
  assert_line --regexp "\]: Hostname: mine$"
  assert_line --regexp "\[system\]: Login failed"
}

@test "No secret is in the log" {
  story_start bob
  as bob password "$WRONG" "$OTHER" "$OTHER" || true
  as bob password "$OWN" "555-123-4967" "555-123-4967" || true
  as bob password "$OWN" "$OTHER" "$OTHER"
  fails_login 1 bob
  run audit 1000
  for secret in "$ADMIN" "$FIRST" "$OWN" "$OTHER" "$WRONG" 555-123-4967; do
    refute_output --partial "$secret"
  done
}

@test "It is neither cleared nor rotated by hand" {
  story_start
  as admin "edit host name kept"
  for command in "clear log audit" "no log audit" "rotate log audit" "log rotate audit" \
    "edit log audit" "delete log audit" "reset log audit"; do
    run as admin "$command"
    assert_failure 1
  done
  lines_have "Hostname: kept" 1
  run as admin help
  refute_output --regexp "(clear|rotate|delete|no) log"
}

@test "A change and its line are there together after a loss of power, or neither" {
  needs adapter_power_cycle
  story_start
  as admin "edit host name before"
  adapter_power_cycle
  run as admin "show host"
  assert_output --partial before
  lines_have "Hostname: before" 1
}

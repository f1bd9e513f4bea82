#!/usr/bin/env bats
# Chapter 3, User Account Lockout Settings
# bats file_tags=users
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_nae adapter_clock_advance
}

teardown() {
  adapter_stop
}

# users NAME...: local users with the password OWN
users() {
  local name
  for name in "$@"; do
    as admin "user $name administration no" "$OWN" "$OWN"
  done
}

# lockout ATTEMPTS MINUTES
lockout() {
  as admin "edit account lockout enable yes attempts $1 duration $2"
}

# let_in NAME
let_in() {
  run adapter_nae "$1" "$OWN" DeviceInfo
  assert_success
}

# kept_out NAME [PASSWORD]
kept_out() {
  run adapter_nae "$1" "${2-$OWN}" DeviceInfo
  assert_failure
}

# fails COUNT NAME: wrong passwords
fails() {
  local attempt
  for ((attempt = 0; attempt < $1; attempt++)); do kept_out "$2" "$WRONG"; done
}

# req: KS-03-076
@test "As it is delivered, a user may fail as often as it will" {
  story_start
  users alice
  run as admin "show account lockout"
  assert_line "  Enable Account Lockout: no"
  fails 100 alice
  let_in alice
}

# req: KS-03-075 KS-03-078 KS-03-082
@test "So many failures lock the account for so long" {
  story_start
  users alice bob
  lockout 3 10
  fails 2 alice
  let_in alice
  fails 3 alice
  kept_out alice
  let_in bob
  adapter_clock_advance 9m50s
  kept_out alice
  adapter_clock_advance 10s
  let_in alice
}

# req: KS-03-079
@test "Attempts while it is locked are ignored, and do not prolong it" {
  story_start
  users alice
  lockout 3 10
  fails 3 alice
  for _ in 1 2 3; do
    adapter_clock_advance 3m
    fails 2 alice
    kept_out alice
  done
  adapter_clock_advance 1m
  let_in alice
}

# req: KS-03-080
@test "At the end of a lockout the count begins anew" {
  story_start
  users alice
  lockout 3 10
  fails 3 alice
  adapter_clock_advance 10m
  fails 2 alice
  let_in alice
  fails 3 alice
  kept_out alice
}

@test "Failures and lockouts outlive the plug, and time goes on without power" {
  story_start
  users alice
  lockout 3 60
  fails 2 alice
  adapter_power_cycle
  fails 1 alice
  kept_out alice
  adapter_power_cycle 30m
  kept_out alice
  adapter_power_cycle 30m
  let_in alice
}

# req: KS-03-076
@test "Turned off, it ends what it has begun" {
  story_start
  users alice
  lockout 1 60
  fails 1 alice
  kept_out alice
  as admin "edit account lockout enable no"
  let_in alice
}

# The same answer for all three: it is nobody's business which.
@test "Who is locked out is told what who mistypes is told" {
  story_start
  users alice bob
  lockout 1 60
  run adapter_nae bob "$WRONG" DeviceInfo
  assert_failure
  local mistyped=$output
  kept_out bob
  assert_equal "$output" "$mistyped"
  kept_out nobody
  assert_equal "$output" "$mistyped"
}

# req: KS-03-067 KS-03-072
@test "It is edited with the Key Server access control, and no other" {
  story_start
  story_admin server access-control key-server
  story_admin other access-control users,keys,security,network
  for section in "account lockout attempts 3" "account directory directory Local"; do
    run as other "edit $section"
    assert_failure 1
    assert_line --partial '"Key Server" access control is required'
    as server "edit $section"
  done
}

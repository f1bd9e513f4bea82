#!/usr/bin/env bats
# Chapter 15, Administrator Lock Out, and chapter 2's rule of one minute
# bats file_tags=admins
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_serial_login adapter_clock_advance
}

teardown() {
  adapter_stop
}

# locked_out NAME: five wrong passwords, and proof that it was them
locked_out() {
  fails_login 5 "$1"
  run audit 2
  assert_line --regexp "Multiple password failures during login .*$1$"
}

# req: KS-15-007 KS-02-012
@test "Four failures, a success and four failures lock nobody out" {
  story_start alice
  fails_login 4 alice
  run enters alice "$OWN"
  assert_success
  fails_login 4 alice
  refute_output --partial "Account has been locked."
  run enters alice "$OWN"
  assert_success
}

# req: KS-15-006 KS-02-010 KS-15-013 KS-15-016
@test "The fifth failure locks the account, and the right password does not open it" {
  story_start alice
  fails_login 5 alice
  refute_output --partial "Account has been locked."
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
}

# req: KS-02-013
@test "A lockout is one account's, and others come in" {
  story_start alice bob
  locked_out alice
  run enters bob "$OWN"
  assert_success
  run enters admin "$ADMIN"
  assert_success
}

# req: KS-15-008
@test "At the serial console it lasts five minutes, and not a second less" {
  story_start alice bob
  locked_out alice
  locked_out bob
  adapter_clock_advance 4m59s
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
  adapter_clock_advance 2s
  run enters bob "$OWN" # five minutes and a second without an attempt
  assert_success
}

# req: KS-15-014
@test "An attempt while it is locked begins the five minutes anew" {
  story_start alice
  locked_out alice
  adapter_clock_advance 4m
  run enters alice "$OWN"
  assert_failure 2
  adapter_clock_advance 4m59s
  run enters alice "$WRONG"
  assert_failure 2
  adapter_clock_advance 4m59s
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
  adapter_clock_advance 5m1s
  run enters alice "$OWN"
  assert_success
}

# req: KS-15-006
@test "When the time is over, it takes five failures again" {
  story_start alice
  locked_out alice
  adapter_clock_advance 5m1s
  fails_login 4 alice
  run enters alice "$OWN"
  assert_success
}

# req: KS-15-013
@test "No change of the date opens a locked account" {
  story_start alice
  locked_out alice
  as admin "clock set 2033-03-03 03:03:03"
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
}

# req: KS-15-021 KS-15-023
@test "The audit log has each lockout, and each attempt while it lasts" {
  story_start alice
  fails_login 4 alice
  run audit
  refute_output --partial "Multiple password failures"
  fails_login 1 alice
  run audit
  assert_line --regexp "^[-0-9]{10} [:0-9]{8} \[.*\]: Multiple password failures during login .*alice$"
  for password in "$OWN" "$WRONG" "$OWN"; do
    run enters alice "$password"
    assert_failure 2
  done
  run grep -c "Multiple password failures during login .*alice$" <<<"$(audit)"
  assert_output 4
}

@test "A lockout outlives a loss of power" {
  needs adapter_power_cycle
  story_start alice
  fails_login 4 alice
  adapter_power_cycle
  fails_login 1 alice # the fifth
  run enters alice "$OWN"
  assert_failure 2
  adapter_power_cycle 2m
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
}

# ---- remote access

# req: KS-15-009
@test "By SSH it lasts thirty minutes, and not a second less" {
  needs adapter_ssh_login
  story_start alice bob
  for name in alice bob; do fails_ssh 5 "$name"; done
  adapter_clock_advance 29m59s
  run adapter_ssh_login alice "$OWN"
  assert_failure
  adapter_clock_advance 2s
  run adapter_ssh_login bob "$OWN"
  assert_success
}

# req: KS-15-017
@test "An attempt by SSH while it is locked begins the thirty minutes anew" {
  needs adapter_ssh_login
  story_start alice
  fails_ssh 5 alice
  adapter_clock_advance 29m
  run adapter_ssh_login alice "$OWN"
  assert_failure
  adapter_clock_advance 2m
  run adapter_ssh_login alice "$OWN"
  assert_failure
  adapter_clock_advance 30m1s
  run adapter_ssh_login alice "$OWN"
  assert_success
}

# req: KS-15-010 KS-15-012 KS-15-019
@test "Failures at the serial console and by SSH are counted apart, and lock apart" {
  needs adapter_ssh_login
  story_start alice bob
  fails_ssh 4 alice
  fails_login 4 alice
  run enters alice "$OWN"
  assert_success
  run adapter_ssh_login alice "$OWN"
  assert_success
  fails_ssh 5 alice
  run adapter_ssh_login alice "$OWN"
  assert_failure
  run enters alice "$OWN"
  assert_success
  fails_login 5 bob
  run enters bob "$OWN"
  assert_failure
  run adapter_ssh_login bob "$OWN"
  assert_success
}

# req: KS-15-018
@test "Who is locked out reads \"Permission Denied\" by SSH, and nobody else does" {
  needs adapter_ssh_login
  story_start alice
  fails_ssh 5 alice
  refute_output --partial "Permission Denied"
  run adapter_ssh_login alice "$OWN"
  assert_failure
  assert_output --partial "Permission Denied"
}

# ---- chapter 2

# req: KS-02-011
@test "By chapter 2's rule the account is locked for a minute, whatever is tried" {
  story_start alice
  as admin "edit lockout settings rule one-minute"
  fails_login 5 alice
  adapter_clock_advance 59s
  run enters alice "$OWN"
  assert_failure 2
  assert_line "Account has been locked."
  adapter_clock_advance 2s
  run enters alice "$OWN"
  assert_success
}

@test "Chapter 15's times are what a new appliance has" {
  story_start
  run as admin "show lockout settings"
  assert_line --partial "Rule: by-door"
  assert_line --partial "Lockout Time for the Serial Console (minutes): 5"
  assert_line --partial "Lockout Time for Remote Access (minutes): 30"
}

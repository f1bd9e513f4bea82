#!/usr/bin/env bats
# Chapter 17, Passwords
# bats file_tags=passwords
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_clock_advance
}

teardown() {
  adapter_stop
}

# changes NAME FROM TO: one's own password
changes() {
  printf '%s\n' "$2" "$3" "$3" | adapter_cli "$1" "$2" password
}

# refuses_password NAME FROM TO RULE: and FROM stays what it was
refuses_password() {
  run changes "$1" "$2" "$3"
  assert_failure 1
  assert_line --partial "Error: "
  assert_output --partial "$4"
  run enters "$1" "$2"
  assert_success
}

# numbered N: a good password, as different from others as numbers are
numbered() {
  printf 'br%02disk%02dLan%%' "$1" $((99 - $1))
}

# ---- basic constraints

# req: KS-17-001 KS-17-005 KS-17-006 KS-17-007 KS-17-008 KS-17-009 KS-17-010
@test "What is easily guessed is no administrator's password" {
  story_start jsmith42
  refuses_password jsmith42 "$OWN" "k7q4k7q4k7q4" "five different"
  run changes jsmith42 "$OWN" "k7q4z7q4k7q4"
  assert_success
  with jsmith42 "k7q4z7q4k7q4" "password" "k7q4z7q4k7q4" "$OWN" "$OWN"
  refuses_password jsmith42 "$OWN" $' \t\xe2\x80\x83\xe2\x80\x82\xc2\xa0\xe2\x80\x89 \t' "whitespace"
  refuses_password jsmith42 "$OWN" "555-123-4967" "phone number"
  refuses_password jsmith42 "$OWN" "elephants" "a dictionary word"
  refuses_password jsmith42 "$OWN" "stnahpele" "reversed dictionary word"
  refuses_password jsmith42 "$OWN" "jsmith42x" "username"
}

# req: KS-15-044 KS-17-001
@test "A new administrator and a reset one are given no such password either" {
  story_start bob
  for bad in "555-123-4967" elephants stnahpele aabbaabbaabb; do
    run as admin "administrator carol high-access no" "$bad" "$bad"
    assert_failure 1
    run as admin "show administrator carol"
    assert_failure 1
    run as admin "reset administrator password bob" "$bad" "$bad"
    assert_failure 1
    run enters bob "$bad"
    assert_failure 2
  done
  run enters bob "$OWN"
  assert_success
}

# ---- one's own

# req: KS-17-033
@test "One's own password takes the current one, and the new one twice" {
  story_start bob
  run as bob password "$WRONG" "$OTHER" "$OTHER"
  assert_failure 1
  run enters bob "$OTHER"
  assert_failure 2
  run as bob password "$OWN" "$OTHER" "${OTHER}x"
  assert_failure 1
  run enters bob "$OTHER"
  assert_failure 2
  run as bob password "$OWN" "$OTHER" "$OTHER"
  assert_success
  run enters bob "$OTHER"
  assert_success
  run enters bob "$OWN"
  assert_failure 2
}

# req: KS-17-032 ESKM-144
@test "Who may do nothing else may change its own password" {
  story_start
  story_admin clerk access-control none
  story_admin backups access-control backup-config,backup-keys,backup-cas
  for name in clerk backups; do
    changes "$name" "$OWN" "$OTHER"
    run enters "$name" "$OTHER"
    assert_success
    run enters "$name" "$OWN"
    assert_failure 2
  done
}

# ---- length and classes

# req: KS-17-054 KS-17-038 KS-15-059
@test "The minimum length holds to the character, for new accounts and for changes" {
  story_start bob
  as admin "edit password settings length 12"
  refuses_password bob "$OWN" "pq7Lwz!vK4t" "12" # 11
  run as admin "administrator carol high-access no" "pq7Lwz!vK4t" "pq7Lwz!vK4t"
  assert_failure 1
  changes bob "$OWN" "pq7Lwz!vK4tm" # 12
  as admin "administrator carol high-access no" "pq7Lwz!vK4tm" "pq7Lwz!vK4tm"
  run as admin "show administrator carol"
  assert_success
}

# req: KS-17-055 KS-17-056 KS-17-057 KS-17-058
@test "Each class of characters can be required" {
  story_start bob
  now=$OWN
  for rule in \
    "lower-case PQ7LWZ!VK4 PQ7LWZ!VK4m" "upper-case pq7lwz!vk4 pq7lwz!vk4M" \
    "number pqxLwz!vKt pqxLwz!vKt5" "special pq7LwzvK4 pq7LwzvK4#"; do
    read -r class without having <<<"$rule"
    as admin "edit password settings $class yes"
    refuses_password bob "$now" "$without" "at least one"
    changes bob "$now" "$having"
    now=$having
    as admin "edit password settings $class no"
    changes bob "$now" "$without"
    now=$without
  done
}

# req: KS-17-059
@test "All four classes together want one of each" {
  story_start bob
  as admin "edit password settings lower-case yes upper-case yes number yes special yes"
  for without in PQ7LWZ!VK4 pq7lwz!vk4 pqxLwz!vKt pq7LwzvK4; do
    refuses_password bob "$OWN" "$without" "at least one"
  done
  changes bob "$OWN" 'pq7LWZ!vk4'
}

# req: KS-17-060 KS-17-061
@test "Stricter rules are for new passwords: present ones still log in" {
  story_start bob
  changes bob "$OWN" "pq7Lwz!v" # 8
  as admin "edit password settings length 12 number yes"
  run with bob "pq7Lwz!v" "show clock"
  assert_success
  refute_output --partial "has to be changed"
  refuses_password bob "pq7Lwz!v" "pq7Lwz!vK4t" "12" # 11
}

# req: KS-15-064 KS-17-043
@test "Password settings are a High Access Administrator's" {
  story_start
  story_admin bob access-control all
  run as bob "edit password settings length 4"
  assert_failure 1
  assert_output --partial '"High Access Administrator" access control is required.'
  run as bob "show password settings"
  assert_line --partial "Minimum Password Length: 8"
  as admin "edit password settings length 4"
  run as bob "show password settings"
  assert_line --partial "Minimum Password Length: 4"
}

# ---- expiration

# req: KS-17-014
@test "As delivered no password expires, not in ten years" {
  story_start bob
  run as admin "show password settings"
  assert_line --partial "Maximum Password Age (days): Never"
  adapter_clock_advance 3650d
  run enters bob "$OWN"
  assert_success
  refute_output --partial "expired"
}

# req: KS-17-045 KS-17-046
@test "The maximum password age is 1 to 365 days" {
  story_start
  for days in 366 0 -1; do
    run as admin "edit password settings expiration $days"
    assert_failure 1
    assert_line --partial "Error: Password Expiration: Maximum Password Age (days): $days: 1 to 365"
  done
  as admin "edit password settings expiration 365"
  run as admin "show password settings"
  assert_line --partial "Maximum Password Age (days): 365"
}

# req: KS-17-013 KS-17-015
@test "An expired password lets in only who changes it, and then as usual" {
  story_start bob
  as admin "edit password settings expiration 365"
  adapter_clock_advance 364d23h
  run enters bob "$OWN"
  assert_success
  refute_output --partial "expired"
  adapter_clock_advance 1h1m
  run with bob "$OWN" "show clock"
  assert_failure
  assert_line "The password has expired, and has to be changed."
  refute_output --partial UTC
  run as bob "show clock" "$OTHER" "$OTHER"
  assert_success
  assert_line --partial UTC
  run enters bob "$OTHER"
  assert_success
  refute_output --partial "expired"
}

# req: KS-17-016
@test "Who is logged in when the password expires goes on" {
  story_start bob
  as admin "edit password settings expiration 30"
  as admin "edit session settings autologout never"
  session_begin bob "$OWN" config "edit administrator bob" "show administrator bob"
  session_says "Full Name:"
  adapter_clock_advance 31d
  session_answer Robert "" "" ""
  session_end
  assert_success
  assert_line "Full Name: Robert"
  assert_line "Password: expired"
  run enters bob "$OWN"
  assert_line "The password has expired, and has to be changed."
}

# req: KS-17-017 KS-17-019 KS-17-020
@test "Only time that passes makes passwords old, whatever is done to the clock" {
  story_start bob
  as admin "edit password settings expiration 30"
  adapter_clock_advance 29d
  as admin "clock set 2001-01-01 00:00:00"
  run enters bob "$OWN"
  assert_success
  refute_output --partial "expired"
  as admin "clock set 2035-01-01 00:00:00"
  run enters bob "$OWN"
  assert_success
  refute_output --partial "expired"
  as admin "clock set 2001-01-01 00:00:00"
  adapter_clock_advance 1d1m
  run enters bob "$OWN"
  assert_line "The password has expired, and has to be changed."
}

# req: KS-17-047 KS-17-062
@test "Enabled, expiration is at once for all passwords, and of the same length" {
  story_start bob
  adapter_clock_advance 20d
  story_admin carol
  as admin "edit password settings expiration 30"
  run as admin "show administrator bob"
  assert_line "Password: expires in 10 days"
  run as admin "show administrator carol"
  assert_line "Password: expires in 30 days"
  as admin "edit password settings expiration 20"
  run enters bob "$OWN"
  assert_line "The password has expired, and has to be changed."
  run enters carol "$OWN"
  assert_success
  refute_output --partial "expired"
}

# req: KS-17-049
@test "Never ends expiration" {
  story_start bob
  as admin "edit password settings expiration 30"
  as admin "edit password settings expiration never"
  adapter_clock_advance 400d
  run enters bob "$OWN"
  assert_success
  refute_output --partial "expired"
}

# ---- history

# req: KS-17-027
@test "As delivered there is no history: an old password can be taken again" {
  story_start bob
  run as admin "show password settings"
  assert_line --partial "Num Passwords to Remember: Disabled"
  changes bob "$OWN" "$OTHER"
  changes bob "$OTHER" "$OWN"
}

# req: KS-17-050 KS-17-051
@test "1 to 25 passwords can be remembered" {
  story_start
  for number in 0 26 -1; do
    run as admin "edit password settings history $number"
    assert_failure 1
    assert_line --partial "Num Passwords to Remember: $number: 1 to 25"
  done
  for number in 25 1; do
    as admin "edit password settings history $number"
    run as admin "show password settings"
    assert_line --partial "Num Passwords to Remember: $number"
  done
}

# req: KS-17-022 KS-17-023 KS-17-052
@test "Of three remembered passwords the last three are refused, the fourth is not" {
  story_start bob
  as admin "edit password settings history 3"
  now=$OWN
  for n in 1 2 3 4; do
    changes bob "$now" "$(numbered "$n")"
    now=$(numbered "$n")
  done
  refuses_password bob "$now" "$(numbered 2)" "history"
  refuses_password bob "$now" "$(numbered 3)" "history"
  changes bob "$now" "$(numbered 1)"
}

# req: KS-17-051 KS-17-052
@test "With 25 remembered the 25th is still refused, and the 26th is not" {
  story_start bob
  as admin "edit password settings history 25"
  now=$OWN
  for n in {1..26}; do
    changes bob "$now" "$(numbered "$n")"
    now=$(numbered "$n")
  done
  refuses_password bob "$now" "$(numbered 2)" "history"
  changes bob "$now" "$(numbered 1)"
}

# req: KS-17-021
@test "A history is one administrator's own" {
  story_start bob carol
  as admin "edit password settings history 5"
  changes bob "$OWN" "$(numbered 1)"
  changes bob "$(numbered 1)" "$(numbered 2)"
  refuses_password bob "$(numbered 2)" "$(numbered 1)" "history"
  changes carol "$OWN" "$(numbered 1)"
}

# req: KS-17-028 KS-17-029
@test "What was in use or in the past when the history began is not in it" {
  story_start bob
  changes bob "$OWN" "$(numbered 1)"
  as admin "edit password settings history 5"
  changes bob "$(numbered 1)" "$(numbered 2)"
  changes bob "$(numbered 2)" "$(numbered 1)"
  changes bob "$(numbered 1)" "$OWN"
}

# req: KS-17-030
@test "The password that an account was made with is not in its history" {
  story_start
  as admin "edit password settings history 5"
  story_admin bob
  changes bob "$OWN" "$FIRST"
}

# req: KS-17-024 KS-17-025 KS-17-026
@test "Another's history is not asked, so resets tell nothing about it" {
  story_start bob
  as admin "edit password settings history 5"
  changes bob "$OWN" "$(numbered 1)"
  changes bob "$(numbered 1)" "$(numbered 2)"
  run as admin "reset administrator password bob" "$(numbered 1)" "$(numbered 1)"
  assert_success
  known=$output
  run as admin "reset administrator password bob" "$FIRST" "$FIRST"
  assert_success
  assert_output "$known"
  for _ in 1 2; do
    as admin "reset administrator password bob" "$FIRST" "$FIRST"
  done
  run with bob "$FIRST" "show clock" "$OTHER" "$OTHER"
  assert_success
}

# req: KS-17-031 KS-17-053
@test "Disabled, it forgets all histories" {
  story_start bob
  as admin "edit password settings history 5"
  changes bob "$OWN" "$(numbered 1)"
  changes bob "$(numbered 1)" "$(numbered 2)"
  refuses_password bob "$(numbered 2)" "$(numbered 1)" "history"
  as admin "edit password settings history disabled"
  as admin "edit password settings history 5"
  changes bob "$(numbered 2)" "$(numbered 1)"
}

# req: KS-17-048
@test "The list of administrators has the state of each password" {
  story_start bob
  as admin "administrator carol high-access no" "$FIRST" "$FIRST"
  run as admin "show administrator"
  assert_line --regexp "bob .*never expires"
  assert_line --regexp "carol .*to be changed at the next login"
  as admin "edit password settings expiration 7"
  run as admin "show administrator"
  assert_line --regexp "bob .*expires in 7 days"
  adapter_clock_advance 6d
  changes admin "$ADMIN" "$OTHER"
  adapter_clock_advance 1d1m
  ADMIN=$OTHER
  run as admin "show administrator"
  assert_line --regexp "bob .*expired"
}

#!/usr/bin/env bats
# Chapter 29, rate limits: operations an hour, for each user and key
# bats file_tags=policies
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load policy
  needs adapter_nae adapter_clock_advance
}

teardown() {
  adapter_stop
}

# The guide's example up to 11:31: 100 an hour, 50 used by 11:30.
half_used() {
  stage bob
  join staff bob
  policy hourly 100
  permit staff encrypt policy hourly
  it_is 2026-01-05 11:00:00
  encrypts 25 bob
  adapter_clock_advance 30m
  encrypts 25 bob
  adapter_clock_advance 1m
}

# req: KS-29-014 KS-29-012 KS-29-013
@test "Raised from 100 to 150 at 11:31, a limit leaves 100 until 11:59" {
  half_used
  limit hourly 150
  encrypts 99 bob
  adapter_clock_advance 28m59s
  encrypts 1 bob
  refuses "$RATE" bob
  adapter_clock_advance 1s
  encrypts 150 bob
  refuses "$RATE" bob
}

# req: KS-29-015 KS-29-013
@test "Lowered from 100 to 75 in the middle of the hour, a limit leaves 25" {
  half_used
  limit hourly 75
  encrypts 25 bob
  refuses "$RATE" bob
  adapter_clock_advance 28m59s
  refuses "$RATE" bob
  adapter_clock_advance 1s
  encrypts 75 bob
}

# req: KS-29-005 KS-29-007 KS-29-008 KS-28-052 KS-28-054 KS-03-027
@test "After the last operation comes an error, and the connection is closed" {
  stage bob
  join staff bob
  policy hourly 3
  permit staff encrypt policy hourly
  encrypts 3 bob
  refuses "$RATE" bob
  adapter_clock_advance 1h
  encrypts 3 bob
}

# req: KS-29-011 KS-29-012
@test "The hour begins with the user's first operation, not with the clock's" {
  stage bob
  join staff bob
  policy hourly 2
  permit staff encrypt policy hourly
  it_is 2026-01-05 10:40:00
  encrypts 2 bob
  adapter_clock_advance 20m
  refuses "$RATE" bob
  adapter_clock_advance 39m59s
  refuses "$RATE" bob
  adapter_clock_advance 1s
  encrypts 2 bob
}

# req: KS-29-009 KS-29-010 KS-28-055
@test "Each user of a group has the whole limit" {
  stage bob carol
  join staff bob carol
  policy hourly 5
  permit staff encrypt policy hourly
  encrypts 5 bob
  refuses "$RATE" bob
  encrypts 5 carol
  refuses "$RATE" carol
}

# req: KS-29-006 KS-29-040 KS-28-053
@test "A new policy has no limit" {
  stage bob
  join staff bob
  policy new
  permit staff encrypt policy new
  encrypts 300 bob
}

@test "An hour that has begun does not move with the date that is set" {
  stage bob
  join staff bob
  policy hourly 2
  permit staff encrypt policy hourly
  it_is 2026-01-05 11:00:00
  encrypts 2 bob
  it_is 2026-01-05 15:00:00
  refuses "$RATE" bob
  it_is 2025-01-05 11:00:00
  refuses "$RATE" bob
  adapter_clock_advance 1h
  encrypts 2 bob
}

# req: KS-29-012
@test "A restart keeps the count, to the operation" {
  stage bob
  join staff bob
  policy hourly 10
  permit staff encrypt policy hourly
  encrypts 4 bob
  adapter_stop
  adapter_start
  encrypts 6 bob
  refuses "$RATE" bob
}

@test "A power cut gives no operation back, and takes one at most" {
  stage bob
  join staff bob
  policy hourly 10
  permit staff encrypt policy hourly
  encrypts 4 bob
  adapter_power_cycle
  encrypts 5 bob
  # the tenth, as the cut left it, and the eleventh, which is one too many
  run ! asks 2 bob
}

# What is permitted always is not counted, and what fails is.
@test "The count is of what a policy permits" {
  stage bob
  join staff bob
  policy hourly 3
  permit staff encrypt policy hourly export always
  encrypts 2 bob
  run adapter_nae bob "$OWN" KeyExport KeyName=k
  assert_success
  encrypts 1 bob
  refuses "$RATE" bob
  run adapter_nae bob "$OWN" KeyExport KeyName=k
  assert_success
}

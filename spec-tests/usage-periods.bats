#!/usr/bin/env bats
# Chapter 29, time limits: usage periods of the week
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

# bob encrypts with alice's key by the policy hours
by_hours() {
  stage bob
  join staff bob
  policy hours
  permit staff encrypt policy hours
}

# 2026-01-05 is a Monday.
MONDAY=2026-01-05 TUESDAY=2026-01-06 THURSDAY=2026-01-08 FRIDAY=2026-01-09
SUNDAY=2026-01-11 NEXT_MONDAY=2026-01-12

# open_at DATE TIME, shut_at DATE TIME
open_at() {
  it_is "$1" "$2"
  encrypts 1 bob
}
shut_at() {
  it_is "$1" "$2"
  refuses "$HOURS" bob
}

# req: KS-29-017 KS-28-056
@test "Without a usage period every hour is one" {
  by_hours
  open_at "$MONDAY" 03:00:00
  open_at "$SUNDAY" 23:59:59
}

# req: KS-29-016 KS-29-018 KS-29-019 KS-29-020 KS-28-056 KS-03-026 ESKM-003
@test "Outside its period a key is refused, and the connection is closed" {
  by_hours
  period hours monday 09:00 monday 17:00
  shut_at "$MONDAY" 08:59:59
  open_at "$MONDAY" 09:00:00
  open_at "$MONDAY" 12:00:00
  open_at "$MONDAY" 17:00:59
  shut_at "$MONDAY" 17:01:00
  shut_at "$TUESDAY" 12:00:00
  open_at "$NEXT_MONDAY" 12:00:00
}

# req: KS-29-024 KS-29-025
@test "From Monday 13:00 to Monday 08:00 is all but Monday morning" {
  by_hours
  period hours monday 13:00 monday 08:00
  open_at "$MONDAY" 07:59:59
  shut_at "$MONDAY" 08:01:00
  shut_at "$MONDAY" 10:00:00
  shut_at "$MONDAY" 12:59:59
  open_at "$MONDAY" 13:00:00
  open_at "$THURSDAY" 02:00:00
  open_at "$NEXT_MONDAY" 07:59:00
  shut_at "$NEXT_MONDAY" 12:00:00
}

# req: KS-29-021 KS-29-022
@test "A period of seven days is the whole week" {
  by_hours
  period hours monday 00:00 sunday 23:59
  open_at "$MONDAY" 00:00:00
  open_at "$THURSDAY" 12:00:00
  open_at "$SUNDAY" 23:59:59
}

# req: KS-29-020 KS-29-023
@test "From Monday to Friday has the nights; daily hours take a period a day" {
  by_hours
  period hours monday 09:00 friday 17:00
  open_at "$TUESDAY" 03:00:00
  shut_at "$FRIDAY" 18:00:00
  as admin "authorization policy period remove hours 1"
  local day
  for day in monday tuesday wednesday thursday friday saturday sunday; do
    period hours "$day" 09:00 "$day" 17:00
  done
  shut_at "$TUESDAY" 03:00:00
  open_at "$TUESDAY" 09:00:00
  open_at "$SUNDAY" 16:00:00
  shut_at "$SUNDAY" 18:00:00
}

# req: KS-29-044 KS-29-042
@test "A policy is open in each of its periods, and not between" {
  by_hours
  period hours monday 09:00 monday 12:00
  period hours monday 14:00 monday 17:00
  open_at "$MONDAY" 10:00:00
  shut_at "$MONDAY" 13:00:00
  open_at "$MONDAY" 15:00:00
}

@test "Hours are those of the appliance's time zone" {
  by_hours
  period hours monday 09:00 monday 17:00
  open_at "$MONDAY" 16:30:00
  as admin "timezone Asia/Kathmandu"
  refuses "$HOURS" bob
  it_is "$MONDAY" 16:30:00
  encrypts 1 bob
}

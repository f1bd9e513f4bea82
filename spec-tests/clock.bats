#!/usr/bin/env bats
# Chapter 7, Date and Time, as far as it is set by hand
# bats file_tags=ntp
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_clock_advance
}

teardown() {
  adapter_stop
}

# is_time TEXT: with the zone
is_time() {
  run as admin "show clock"
  assert_line "$1"
}

@test "The clock is set, and goes on from there" {
  story_start
  as admin "clock set 2027-02-28 23:59:58"
  is_time "2027-02-28 23:59:58 UTC"
  adapter_clock_advance 3s
  is_time "2027-03-01 00:00:01 UTC"
}

@test "A time that there is not is refused" {
  story_start
  before=$(as admin "show clock")
  for time in "2027-02-29 00:00:00" "2027-13-01 00:00:00" "2027-01-01 24:00:00" \
    "2027-01-01 00:60:00" "2027-01-01" "tomorrow" "27-1-1 0:0:0" ""; do
    run as admin "clock set $time"
    assert_failure 1
    assert_line --partial "Error: Date and Time: "
  done
  is_time "$before"
  as admin "clock set 2028-02-29 00:00:00"
  is_time "2028-02-29 00:00:00 UTC"
}

@test "The time zone changes what is shown, and not the time" {
  story_start
  as admin "clock set 2027-07-01 12:00:00"
  as admin "timezone Europe/Amsterdam"
  is_time "2027-07-01 14:00:00 Europe/Amsterdam"
  as admin "clock set 2027-01-01 12:00:00" # in winter, and in that zone
  as admin "timezone UTC"
  is_time "2027-01-01 11:00:00 UTC"
  as admin "timezone Europe/Amsterdam"
  for zone in Nowhere/Town ../../etc/passwd /etc/localtime ""; do
    run as admin "timezone $zone"
    assert_failure 1
  done
  is_time "2027-01-01 12:00:00 Europe/Amsterdam"
}

@test "In spring an hour is passed over, and cannot be set" {
  story_start
  as admin "timezone Europe/Amsterdam"
  run as admin "clock set 2027-03-28 02:30:00"
  assert_failure 1
  as admin "clock set 2027-03-28 01:59:59"
  adapter_clock_advance 1s
  is_time "2027-03-28 03:00:00 Europe/Amsterdam"
}

# req: KS-07-009 KS-07-018 KS-15-085
@test "Date and time take the access control \"Network and Date/Time\"" {
  story_start
  all=$(as admin "show access controls" | awk '$1 != "network" { print $1 }' | paste -s -d ,)
  story_admin dave access-control "$all"
  story_admin erin access-control network
  before=$(as admin "show clock")
  for command in "clock set 2027-01-02 03:04:05" "timezone Europe/Amsterdam" \
    "edit ntp poll-interval 10"; do
    run as dave "$command"
    assert_failure 1
    assert_output --partial '"Network and Date/Time" access control is required.'
  done
  is_time "$before"
  as erin "clock set 2027-01-02 03:04:05"
  as erin "timezone Europe/Amsterdam"
  is_time "2027-01-02 04:04:05 Europe/Amsterdam"
}

@test "Date, time and zone outlive a loss of power, which takes its time" {
  needs adapter_power_cycle
  story_start
  as admin "timezone Asia/Tokyo"
  as admin "clock set 2030-05-05 05:05:05"
  adapter_power_cycle 2h
  is_time "2030-05-05 07:05:05 Asia/Tokyo"
}

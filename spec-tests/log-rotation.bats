#!/usr/bin/env bats
# Chapter 20, Log Rotation, as far as the clock and the settings go; a year of
# each schedule, with daylight saving and lines between, and a cut at each write
# are units (ref/device/logs_year_test.c, logs_power_test.c)
# bats file_tags=logging
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_clock_advance
}

teardown() {
  adapter_stop
}

# archives LOG: names of its closed files, the oldest first, in one line
archives() {
  find "$ADAPTER_DIR" -path "*/logs/$1/*" -name '*.[0-9]*[0-9]' -printf '%f\n' |
    sort | sed 's/^[0-9]*\.//' | paste -s -d ' '
}

# has LOG NAME TEXT COUNT: so many lines of that archive have the text
has() {
  run grep -c -F -- "$3" "$(find "$ADAPTER_DIR" -path "*/logs/$1/*.$2")"
  assert_output "$4"
}

# is_next LOG TIME: when it is rotated next, as it is shown
is_next() {
  run as admin "show log configuration"
  assert_line --regexp "^  $1 .* $2 "
}

# req: KS-20-020 KS-20-080 KS-20-082 KS-20-083 ESKM-202 ESKM-203 ESKM-204
# req: ESKM-205 KS-20-019 ESKM-207 ESKM-208
@test "Logs are rotated once a day and on Sundays, and begin anew" {
  story_start
  as admin "clock set 2027-01-02 03:04:58" # a Saturday
  is_next Activity "2027-01-02 03:05:00"
  is_next "Client Event" "2027-01-02 03:05:00"
  is_next System "2027-01-03 03:15:00"
  is_next Audit "2027-01-03 03:15:00"
  as admin "edit host name before"
  adapter_clock_advance 3s
  assert_equal "$(archives activity)" "2027-01-02_030500"
  assert_equal "$(archives system)" ""
  is_next Activity "2027-01-03 03:05:00"
  adapter_clock_advance 1d
  adapter_clock_advance 10m
  assert_equal "$(archives activity)" "2027-01-02_030500 2027-01-03_030500"
  assert_equal "$(archives system)" "2027-01-03_031500"
  assert_equal "$(archives audit)" "2027-01-03_031500"
  # the audit log: what was done is in the archive, the rotation in Current
  has audit 2027-01-03_031500 "[admin]: Hostname: before" 1
  run audit 1000
  refute_output --partial "Hostname: before"
  assert_line --regexp "^2027-01-03 03:15:0[0-9] \[system\]: Log Rotation: Successfully rotated Audit Log\.$"
}

# req: KS-20-022 KS-20-023 KS-20-081 KS-20-084 KS-20-085
@test "Each log has a schedule and a time of its own" {
  story_start
  as admin "clock set 2027-01-31 12:00:00"
  as admin "edit log rotation system schedule monthly"
  as admin "edit log rotation activity schedule Monthly time 14:30"
  as admin "edit log rotation client-event time 8:07"
  is_next System "2027-02-01 03:25:00"
  is_next Activity "2027-02-01 14:30:00"
  is_next "Client Event" "2027-02-01 08:07:00"
  adapter_clock_advance 1d
  assert_equal "$(archives system)" "2027-02-01_032500"
  assert_equal "$(archives client-event)" "2027-02-01_080700"
  assert_equal "$(archives activity)" ""
}

# days FIRST COUNT STEP TIME: names of archives, as archives() has them
days() {
  local k
  for ((k = 0; k < $2 * $3; k += $3)); do
    date -u -d "$1 $k days" +"%Y-%m-%d_$4"
  done | paste -s -d ' '
}

# req: KS-20-020 KS-20-022 KS-20-027 KS-20-087
@test "In a year each log has been closed as often as its schedule says" {
  story_start
  as admin "clock set 2027-01-01 12:00:00" # a Friday
  as admin "edit log rotation system schedule monthly archives 64"
  as admin "edit log rotation audit archives 64"
  as admin "edit log rotation activity archives 64"
  as admin "edit log rotation client-event archives 7"
  adapter_clock_advance 365d
  assert_equal "$(archives system)" "$(for k in {02..12}; do
    echo "2027-$k-01_032500"; done | paste -s -d ' ') 2028-01-01_032500"
  assert_equal "$(archives audit)" "$(days 2027-01-03 52 7 031500)"
  assert_equal "$(archives activity)" "$(days 2027-10-30 64 1 030500)"
  assert_equal "$(archives client-event)" "$(days 2027-12-26 7 1 030500)"
}

# req: KS-07-015
@test "A clock that is set forward skips the rotations between" {
  story_start
  as admin "edit log rotation activity time 02:00"
  as admin "clock set 2027-01-05 01:00:00"
  as admin "clock set 2027-01-05 03:00:00"
  adapter_clock_advance 10m
  assert_equal "$(archives activity)" ""
  is_next Activity "2027-01-06 02:00:00"
}

# req: KS-07-017
@test "A clock that is set backwards has them occur again" {
  story_start
  as admin "edit log rotation activity time 02:00"
  as admin "clock set 2027-01-05 01:59:59"
  adapter_clock_advance 2s
  assert_equal "$(archives activity)" "2027-01-05_020000"
  as admin "clock set 2027-01-05 01:00:00"
  adapter_clock_advance 59m
  assert_equal "$(archives activity)" "2027-01-05_020000"
  adapter_clock_advance 1m
  # no two files have the same name
  assert_equal "$(archives activity)" "2027-01-05_020000 2027-01-05_020001"
}

# req: KS-20-027 KS-20-087 KS-20-093 ESKM-209
@test "The oldest archive goes when there are more than are to be kept" {
  story_start
  as admin "clock set 2027-01-05 12:00:00"
  as admin "edit log rotation activity archives 2"
  adapter_clock_advance 3d
  assert_equal "$(archives activity)" "2027-01-07_030500 2027-01-08_030500"
  as admin "edit log rotation activity archives 0"
  assert_equal "$(archives activity)" ""
}

# req: KS-20-001 KS-20-081 KS-20-088 KS-20-096 KS-20-097 KS-20-099
@test "Values are those of the guide, and what is none is refused" {
  story_start
  run as admin "show log rotation audit"
  assert_line "  Audit Log: Rotation Schedule: Weekly"
  assert_line "  Audit Log: Rotation Time: Default"
  assert_line "  Audit Log: Transfer Destination: None"
  run as admin "show log syslog system"
  assert_line "  System Log: Enable Syslog: no"
  assert_line "  System Log: Syslog Server #1: "
  assert_line "  System Log: Syslog Server #1 Port: 514"
  assert_line "  System Log: Syslog Server #1 Protocol: udp"
  assert_line "  System Log: Syslog Facility: local1"
  while read -r words; do
    run as admin "edit log $words"
    assert_failure 1
  done <<-'END'
	rotation audit schedule hourly
	rotation audit time 24:00
	rotation audit time noon
	rotation audit archives 65
	rotation audit archives -1
	rotation audit size 0
	rotation audit destination rsync
	syslog audit facility local8
	syslog audit protocol-1 tls
	syslog audit port-1 65536
	signing audit form pdf
	END
  as admin "edit log rotation audit archives 64 size none schedule daily time default"
  as admin "edit log syslog audit facility local7 protocol-2 tcp"
  run audit 5
  assert_line --partial "[admin]: Audit Log: Rotation Schedule: Daily, Audit Log: Num Logs Archived: 64, Audit Log: Max Log File Size (MB): None"
  assert_line --partial "[admin]: Audit Log: Syslog Server #2 Protocol: tcp, Audit Log: Syslog Facility: local7"
}

# lacks FIELD WORDS: not set so, and which field it is
lacks() {
  run as admin "edit log rotation audit $2"
  assert_failure 1
  assert_output --partial "$1"
}

# req: KS-20-091 KS-20-093
@test "A transfer destination without a host or a user is refused" {
  story_start
  lacks "Transfer Host" "destination SCP"
  lacks "Transfer Username" "destination FTP host logs.example"
  lacks "Transfer Host" "archives 3 destination SFTP user logs"
  run as admin "show log rotation audit"
  assert_line "  Audit Log: Num Logs Archived: 12"
  assert_line "  Audit Log: Transfer Destination: None"
  assert_line "  Audit Log: Transfer Username: "
  as admin "edit log rotation audit destination SCP host logs.example user logs"
  lacks "Transfer Username" 'user ""'
  lacks "Transfer Host" 'host ""'
  run as admin "show log rotation audit"
  assert_line "  Audit Log: Transfer Host: logs.example"
  assert_line "  Audit Log: Transfer Username: logs"
  as admin 'edit log rotation audit destination None host "" user ""'
}

# req: KS-15-087 KS-20-078 KS-20-095 KS-20-101
@test "Rotation, syslog and signing take the access control \"Logging\"" {
  story_start
  all=$(as admin "show access controls" | awk '$1 != "logging" { print $1 }' | paste -s -d ,)
  story_admin dave access-control "$all"
  story_admin erin access-control logging
  for section in "rotation system archives 3" "syslog system facility local3" \
    "signing system sign yes"; do
    run as dave "edit log $section"
    assert_failure 1
    as erin "edit log $section"
  done
  run as admin "show log configuration"
  assert_line --regexp "^  System .* 3 "
  assert_line --regexp "^  System +no +local3 +yes "
}

# req: KS-20-017
@test "Archives are there after a loss of power" {
  needs adapter_power_cycle
  story_start
  as admin "clock set 2027-01-03 03:14:59" # a Sunday
  adapter_clock_advance 5s
  adapter_power_cycle
  assert_equal "$(archives audit)" "2027-01-03_031500"
  assert_equal "$(archives system)" "2027-01-03_031500"
  run audit 1000
  assert_line --partial "Successfully rotated Audit Log."
}

#!/usr/bin/env bats
# Chapter 23, Schedule an Automated Remote Backup; ESKM, Schedule a Backup
# bats file_tags=backup
bats_require_minimum_version 1.5.0

BACKUP_PASSWORD="quiet nights 7"

setup() {
  load helper
  load story
  load remote-host
  needs adapter_clock_advance
}

teardown() {
  adapter_stop
  remote_host_end
}

host_start() {
  remote_host_make
  remote_ssh_start
  remote_directory backups
  ARRIVED=$REMOTE_DIR/home/backups
}

# save NAME [WORD VALUE...]: settings for the automated remote backup
save() {
  as admin "backup save $* destination scp host 127.0.0.1 port $REMOTE_SSH_PORT \
directory $ARRIVED user $REMOTE_USER" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" \
    "$REMOTE_PASSWORD" "${ANSWER-yes}"
}

# run_is STATUS: wait for the end of the run that is under way
status_is() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    as admin "show backup schedule" >"$BATS_TEST_TMPDIR/status"
    ! grep -q "File: $1" "$BATS_TEST_TMPDIR/status" || break
  done
  run cat "$BATS_TEST_TMPDIR/status"
  assert_line --partial "File: $1"
  assert_line --partial "Status: $2"
}

# arrived: the names that are there, in order
arrived() {
  find "$ARRIVED" -name '*_bkp' -printf '%f\n' | sort
}

# req: KS-23-020 KS-23-035 KS-23-036 KS-23-037 KS-23-040 KS-23-042 KS-23-043 KS-23-044 KS-23-045
@test "Settings are saved for SCP only, one set at a time, and do nothing alone" {
  host_start
  story_start
  as admin "clock set 2027-03-01 10:00:00"
  for other in internal "download file x" "ftp host h user u"; do
    run as admin "backup save other destination $other" "$BACKUP_PASSWORD" \
      "$BACKUP_PASSWORD" x yes
    assert_failure 1
    assert_line --partial "goes by scp"
  done
  while IFS=: read -r lacking words; do
    run as admin "backup save other destination scp $words" \
      "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" x yes
    assert_failure 1
    assert_line --partial "$lacking: it is missing"
  done <<-'END'
	Directory:host h user u
	Host:directory d user u
	Username:directory d host h
	END
  run as admin "backup schedule daily"
  assert_failure 1 # of nothing
  ANSWER=no run save first
  run as admin "show backup schedule"
  refute_line --partial "Backup Name"
  run save first
  assert_success
  assert_line --partial "will not take effect until"
  ANSWER=no run save second
  assert_line --partial "They will be replaced"
  run as admin "show backup schedule"
  assert_line "Backup Name: first"
  save second
  run as admin "show backup schedule"
  assert_line "Backup Name: second"
  refute_line "Backup Name: first"
  assert_line "  Schedule: None"
  adapter_clock_advance 40d
  run arrived
  refute_output
}

# req: KS-23-038 KS-23-046 KS-23-048 KS-23-049 KS-23-050 KS-23-051 KS-23-052 KS-23-053 KS-23-055 ESKM-231 ESKM-265 ESKM-269
@test "A schedule has backups made until it is ended" {
  needs adapter_power_cycle
  host_start
  story_start
  as admin "clock set 2027-03-01 22:00:00"
  save nightly items ntp
  as admin "backup schedule daily"
  run as admin "show backup schedule"
  assert_line "  Schedule: Daily"
  refute_line --partial "Status: "
  for day in 02 03 04; do
    adapter_clock_advance 1d
    status_is "nightly-scheduled-2027-03-$day-000000" "Success"
  done
  run arrived
  assert_output "nightly-scheduled-2027-03-02-000000_0_bkp
nightly-scheduled-2027-03-03-000000_0_bkp
nightly-scheduled-2027-03-04-000000_0_bkp"
  # none is made up for that the device was off for
  adapter_power_cycle 2d
  # weekly instead: Sundays only
  as admin "backup schedule weekly"
  adapter_clock_advance 3d
  status_is "nightly-scheduled-2027-03-07-000000" "Success"
  [ "$(arrived | wc -l)" -eq 4 ]
  # what fails is told as well
  chmod 555 "$ARRIVED"
  adapter_clock_advance 7d
  status_is "nightly-scheduled-2027-03-14-000000" "Failure"
  chmod 755 "$ARRIVED"
  as admin "backup schedule none"
  run as admin "show backup schedule"
  refute_line --partial "Backup Name"
  adapter_clock_advance 30d
  [ "$(arrived | wc -l)" -eq 4 ]
  run as admin "backup schedule daily"
  assert_failure 1
}

# eskm NAME SCHEDULE HOUR MINUTE DESTINATION [HOST]: the form
eskm() {
  as admin "schedule backup" "$1" "" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" \
    "${ITEMS-}" "$2" "$3" "$4" "$5" "${6-}" "${ARRIVED-}" "${7-}" \
    "$REMOTE_PASSWORD"
}

# req: ESKM-239 ESKM-241 ESKM-242 ESKM-243 ESKM-244 ESKM-245 ESKM-251 ESKM-252 ESKM-253 ESKM-254 ESKM-255 ESKM-256 ESKM-257 ESKM-258 ESKM-259 ESKM-260 ESKM-263
@test "ESKM's form schedules several backups, each at its own time" {
  host_start
  story_start
  run as admin "schedule backup"
  assert_failure 1 # with the other personality
  as admin "edit personality personality eskm"
  as admin "clock set 2027-03-01 10:00:00"
  run as admin "schedule backup" x "" one two
  assert_failure 1
  assert_line "Schedule a Backup"
  run as admin "schedule backup" x "" elephants elephants
  assert_failure 1
  assert_line --partial "Error: Backup Password: "
  run eskm x "" "" "" "" ""
  assert_failure 1 # SCP is the default, and needs a host
  for wrong in "Weekly every: Someday" "Monthly on day: 32" Hourly; do
    run eskm x "$wrong" 1 0 Internal
    assert_failure 1
  done
  run eskm x "" 24 0 Internal
  assert_failure 1
  ITEMS="keys kmip" eskm noon "" 13 30 Internal
  eskm evening "" 20 0 "" "127.0.0.1:$REMOTE_SSH_PORT" "$REMOTE_USER"
  eskm tuesdays "Weekly every: Tuesday" "" "" Internal
  run as admin "show backup schedule"
  assert_line "  Schedule: Weekly every: Tuesday"
  assert_line "  Time: 00:00"
  assert_line "  Destination: SCP"
  adapter_clock_advance 3h
  run as admin "show backups"
  refute_line --partial "Backup Name"
  adapter_clock_advance 30m
  status_is noon-scheduled-2027-03-01-133000 Success
  run as admin "show backups"
  assert_line "Backup Name: noon-scheduled-2027-03-01-133000"
  adapter_clock_advance 7h
  status_is evening-scheduled-2027-03-01-200000 Success
  run arrived
  assert_output evening-scheduled-2027-03-01-200000_0_bkp
  adapter_clock_advance 4h
  status_is tuesdays-scheduled-2027-03-02-000000 Success
  as admin "no schedule backup noon"
  adapter_clock_advance 1d
  status_is evening-scheduled-2027-03-02-200000 Success
  run as admin "show backups"
  refute_line "Backup Name: noon-scheduled-2027-03-02-133000"
}

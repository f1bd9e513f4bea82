#!/usr/bin/env bats
# The log viewer at the command line: logs shown, downloaded over SSH, rotated
# and cleared.
# bats file_tags=chapter:21, area:log-viewer
bats_require_minimum_version 1.5.0

# One appliance for all: each test has a log of its own, or looks at all alike.
setup_file() {
  export BATS_NO_PARALLELIZE_WITHIN_FILE=true
  load helper
  SERVER_DIR=$BATS_FILE_TMPDIR/appliance
  APPLIANCE_TEMPLATE=$("$TOP/harness/template.sh")
  cp -r "$APPLIANCE_TEMPLATE" "$SERVER_DIR"
  export SERVER_DIR
  mkdir -p "$SERVER_DIR/logs/activity" "$SERVER_DIR/logs/client-event"
  awk 'BEGIN { for (k = 1; k <= 30; k++)
    printf "[2026-01-01 00:00:00] INFO event %02d\n", k }' \
    >"$SERVER_DIR/logs/client-event/current"
  # more than any door keeps for a slow peer
  awk 'BEGIN { for (k = 1; k <= 250000; k++)
    printf "[2026-01-01 00:00:00] INFO 127.0.0.1 [-] alice line %d of many\n", k
    }' >"$SERVER_DIR/logs/activity/current"
  cp "$SERVER_DIR/logs/activity/current" "$BATS_FILE_TMPDIR/activity"
  "$TOP/harness/appliance" start "$SERVER_DIR" 3>&-
}

teardown_file() {
  "$TOP/harness/appliance" stop "$SERVER_DIR"
}

setup() {
  load helper
  load console
  cd "$BATS_TEST_TMPDIR" || return
}

# over_ssh COMMAND
over_ssh() {
  local port
  port=$("$TOP/harness/appliance" ssh-port "$SERVER_DIR") || return
  timeout 60 sshpass -f "$SERVER_DIR/admin.password" ssh -p "$port" -l admin \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -o LogLevel=ERROR \
    -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 127.0.0.1 "$1" 3>&-
}

# req: KS-21-064 KS-21-065 KS-21-066 KS-21-068 KS-21-070
@test "The last lines of a log are shown, as many as are asked for" {
  for log in system audit activity client-event; do
    run console "show log $log 1"
    assert_success
    assert_equal "${#lines[@]}" 1
    run console "show log files $log"
    assert_success
    assert_line --regexp "^ +0  Current "
  done
  run console 'show log client-event'
  assert_equal "${#lines[@]}" 20
  assert_line --index 0 --partial "event 11"
  run console 'show log client-event lines 25 file Current'
  assert_equal "${#lines[@]}" 25
  assert_line --index 24 --partial "event 30"
  run -1 console 'show log client-event lines 0'
  run -1 console 'show log client-event file 1'
  assert_output --partial "there is no such file"
}

# req: KS-21-067
@test "Long lines are wrapped where that is asked for" {
  run console 'show log client-event 1 wrap 20'
  assert_line --index 0 "[2026-01-01 00:00:00"
  assert_line --index 1 "] INFO event 30"
  run console 'show log client-event 1'
  assert_output "[2026-01-01 00:00:00] INFO event 30"
}

# req: KS-21-076
@test "A whole log is downloaded over SSH, however long, octet by octet" {
  over_ssh 'log download activity' >got
  run cmp got "$BATS_FILE_TMPDIR/activity"
  assert_success
  console 'log download activity' >got
  run cmp got "$BATS_FILE_TMPDIR/activity"
  assert_success
}

# req: KS-20-063 KS-20-112 KS-21-076
@test "A signed one comes over SSH as it was signed" {
  console config 'edit log signing client-event sign yes form opaque'
  over_ssh 'log download client-event' >got.eml
  over_ssh 'log signing certificate download' >cert.pem
  console config 'edit log signing client-event sign no'
  run "$TOP/build/bin/touchstone" log verify got.eml --certificate cert.pem \
    --log "$SERVER_DIR/logs/client-event/current"
  assert_success
  assert_line --partial "genuine: 30 lines"
}

# req: KS-07-016 KS-21-065 KS-21-069 KS-21-071 KS-21-072 KS-21-075
@test "System, activity and client event log are rotated and cleared by hand" {
  for log in "system System" "activity Activity" "client-event Client Event"; do
    word=${log%% *}
    run console config "log rotate $word"
    assert_success
    run console "show log $word"
    assert_line --partial "Log Rotation: Successfully rotated ${log#* } Log."
    run console "show log files $word"
    stamp=$(awk '$1 == 1 { print $2 }' <<<"$output")
    assert_regex "$stamp" '^[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{6}$'
    run console "log download $word $stamp"
    refute_output ""
    run console config "log clear $word"
    assert_success
    run console "show log $word"
    refute_output --partial "Successfully rotated"
    run console "show log $word 1 file $stamp"
    refute_output ""
    run console config "log clear $word $stamp"
    assert_success
    run -1 console "show log $word file $stamp"
  done
}

# req: KS-21-007 KS-21-008 KS-21-074
@test "The audit log is neither rotated nor cleared by hand" {
  run -1 console config 'log rotate audit'
  assert_line "Error: Audit Log: it cannot be rotated by hand"
  run -1 console config 'log clear audit'
  assert_line "Error: Audit Log: it cannot be cleared by hand"
  run console 'show log audit 1000'
  assert_line --partial "Initialized the appliance"
  assert_line --partial "[admin]: Refused: edit logging: Audit Log"
}

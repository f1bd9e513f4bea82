#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# harness/appliance and the program that it starts
# bats file_tags=appliance
bats_require_minimum_version 1.5.0

setup() {
  load helper
}

teardown() {
  server_stop
}

# ---- starting and stopping

@test "An empty directory becomes an appliance that answers" {
  unset APPLIANCE_TEMPLATE
  SERVER_DIR=$BATS_TEST_TMPDIR/new
  TARGET=$SERVER_DIR/target.conf
  run server start --real-time
  assert_success
  assert_output --partial "target file $TARGET"
  run kmip query
  assert_success
  assert_line "Operation=Create"
}

@test "Copies of a template run beside each other and know nothing of each other" {
  server_start
  id=$(kmip create)
  other=$BATS_TEST_TMPDIR/other
  "$TOP/harness/appliance" start "$other" 3>&-
  run kmip attributes "$id" State
  assert_success
  TARGET=$other/target.conf run kmip attributes "$id" State
  assert_failure 1
  "$TOP/harness/appliance" stop "$other"
}

@test "What was acknowledged is there after a stop and a start" {
  server_start
  id=$(kmip create --name kept)
  server stop
  run server status
  assert_failure 3
  assert_output stopped
  server start
  run kmip locate --name kept
  assert_output "$id"
}

@test "A directory has one server" {
  server_start
  run server start
  assert_failure
  assert_output --partial "runs already"
  run "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR" --listen 127.0.0.1:0
  assert_failure 1
  assert_output --partial "another server runs here"
  run kmip query
  assert_success
}

@test "SIGTERM ends it in order" {
  server_start --real-time
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  server stop
  run server status
  assert_failure 3
  run timeout 10 cat <&"$idle"
  assert_success
  assert_output ""
}

# ---- the program

@test "The configuration is refused with line, key and rule" {
  server_copy
  echo "idle_timeout_s = 0" >>"$SERVER_DIR/touchstone.conf"
  last=$(wc -l <"$SERVER_DIR/touchstone.conf")
  run "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR"
  assert_failure 1
  assert_line --partial "touchstone.conf: line $last: idle_timeout_s: 0 is not in 1..86400"
}

# costs N: the one line of the configuration about it
costs() {
  sed -i '/^password_iterations/d' "$SERVER_DIR/touchstone.conf"
  echo "password_iterations = $1" >>"$SERVER_DIR/touchstone.conf"
}

@test "Passwords cost less in the laboratory only, which says so" {
  server_copy
  costs 209999
  run "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR"
  assert_failure 1
  assert_line --partial "touchstone.conf: password_iterations: less than 210000 only with --lab"
  server start
  run cat "$SERVER_DIR/server.log"
  assert_line --partial "laboratory mode: passwords cost 209999 iterations"
  server stop
  # as many as elsewhere: it comes further, to what else is missing
  costs 210000
  rm "$SERVER_DIR/pki/server.crt"
  run "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR"
  assert_failure 1
  refute_line --partial "password_iterations"
  assert_line --partial "$SERVER_DIR/pki/server.crt"
}

@test "A certificate that is not there is named" {
  server_copy
  rm "$SERVER_DIR/pki/server.crt"
  run "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR"
  assert_failure 1
  assert_line --partial "$SERVER_DIR/pki/server.crt"
  assert_line --partial "No such file"
}

@test "The help names every key of the configuration" {
  run "$TOP/build/bin/touchstone-ref" --help
  assert_success
  assert_line "  idle_timeout_s"
  assert_line "      1..86400, default 300"
  run "$TOP/build/bin/touchstone-ref" --version
  assert_success
  assert_output --regexp "^touchstone-ref [0-9.]+$"
  run "$TOP/build/bin/touchstone-ref"
  assert_failure 2
}

@test "The process leaves no core and its files are its owner's" {
  server_start --real-time
  run awk '/^Max core file size/ { print $5, $6 }' "/proc/$(<"$SERVER_DIR/pid")/limits"
  assert_output "0 0"
  for file in store.db store.db-wal lock hsm/pin; do
    run stat -c %a "$SERVER_DIR/$file"
    assert_output 600
  done
  # and its arguments say nothing but where it is
  run bash -c 'tr "\0" " " <"/proc/$(<"$1/pid")/cmdline"' - "$SERVER_DIR"
  assert_output --regexp "touchstone-ref --dir \. $"
}

# ---- the laboratory

@test "Time stands still until it is told to move" {
  server_start
  before=$(server clock)
  kmip create
  run server clock
  assert_output "$before"
  server clock advance 1h30m
  run server status
  assert_line --partial " elapsed=5400000 "
  run server clock
  assert_output --partial " elapsed_ms=5400000 "
}

@test "Each timer that comes due has fired when the clock returns" {
  server_start
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  server await connections=1
  server clock advance 9s
  run server status
  assert_line --partial connections=1
  server clock advance 1s # handshake_timeout_s
  run server status
  assert_line --partial connections=0
  exec {idle}>&-
}

@test "A long time is a leap, which stops where something is due" {
  server_start
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  server await connections=1
  run server clock advance 2h
  # looks at the HSM and at statistics before and behind handshake_timeout_s,
  # and the end
  assert_output "elapsed_ms=7200000 processes=1 steps=12"
  run server status
  assert_line --partial connections=0
  exec {idle}>&-
}

@test "Wall time can be set, and dates follow it" {
  server_start
  server clock set 2031-02-03T04:05:06Z
  id=$(kmip create)
  run kmip attributes "$id" "Initial Date"
  assert_output --partial "2031-02-03T04:05:06"
  run server clock
  assert_output --partial " elapsed_ms=0 "
}

@test "A duration or time that is none is refused" {
  server_start
  for words in "advance 2x" "advance -1s" "advance" "set yesterday" "set @" "back 2h"; do
    # shellcheck disable=SC2086  # two words
    run server clock $words
    assert_failure 2
  done
  run server clock
  assert_output --partial " elapsed_ms=0 "
}

@test "In real time there is no clock, no power switch and no control socket" {
  server_start --real-time
  for words in "clock" "power off" "fault" "await x"; do
    # shellcheck disable=SC2086  # two words
    run server $words
    assert_failure 1
    assert_output --partial "runs in real time"
  done
  assert_file_not_exists "$SERVER_DIR/lab/server.sock"
}

@test "What was acknowledged survives a power cut" {
  server_start
  first=$(kmip create --name first)
  server power off
  run kmip query
  assert_failure 2
  run server status
  assert_failure 4
  run server start
  assert_failure
  server clock advance 3h # time runs on meanwhile
  server power on
  run kmip locate --name first
  assert_output "$first"
  run server status
  assert_line --partial " elapsed=10800000 "
  second=$(kmip create --name second)
  server power off 20261121
  server power on
  run kmip locate --name second
  assert_output "$second"
}

@test "A power cut in the middle of a write leaves what was there before" {
  server_start
  for n in 1 2 3 4 5 6; do
    kept=$(kmip create --name "kept-$n")
    server power arm "$n" "$n"
    # the server may answer before the write comes that it dies of
    for try in 1 2 3 4 5 6 7 8; do
      kmip create --name "lost-$n-$try" || break
    done
    server power off
    server power on
    run kmip locate --name "kept-$n"
    assert_output "$kept"
  done
}

@test "A full disk refuses to write and goes on reading" {
  server_start
  id=$(kmip create)
  kmip get "$id" # the first one writes: the key is not Fresh any more
  server fault disk-full on
  run kmip create
  assert_failure 1
  run kmip get "$id"
  assert_success
  server fault disk-full off
  run kmip create
  assert_success
}

@test "A failing HSM stops key operations and nothing else" {
  server_start
  id=$(kmip create)
  server fault hsm fail
  server await hsm=unreachable
  run kmip create
  assert_failure 1
  run kmip attributes "$id" State
  assert_success
  server fault hsm ok
  server await hsm=ready
  run kmip get "$id"
  assert_success
}

@test "A hanging HSM hangs nobody, not even the end" {
  server_start
  id=$(kmip create)
  server fault hsm hang
  server clock advance 10s
  server await hsm=unreachable
  run kmip get "$id"
  assert_failure 1
  run kmip attributes "$id" State
  assert_success
  run server stop
  assert_success
}

@test "Stuck entropy makes no keys" {
  server_start
  server fault entropy on
  run kmip create
  assert_failure 1
  server fault entropy off
  run kmip create
  assert_success
}

@test "Faults are told, and unknown ones refused" {
  server_start
  run server fault
  assert_output "ok disk-full=off entropy=off fan-1=ok fan-2=ok hsm=ok \
peripherals=none supply-1=ok supply-2=ok sync=go"
  run server fault flood on
  assert_failure 1
  run server fault hsm on
  assert_failure 1
}

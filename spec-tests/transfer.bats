#!/usr/bin/env bats
# Logs that leave the appliance, to a real sshd and a real vsftpd. KeySecure
# chapter 20, "Log Transfer"; ESKM "Log Maintenance".
# bats file_tags=chapter:20, log:transfer
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load remote-host
  remote_host_make
  server_start
}

teardown() {
  server_stop
  [ ! -d "${SECOND-}" ] || "$TOP/harness/appliance" stop "$SECOND"
  remote_host_end
}

# sends LOG PROTOCOL DIRECTORY [WORD VALUE...]: its rotation is at 16:01
sends() {
  local port=$REMOTE_SSH_PORT user=$REMOTE_USER
  [ "$2" != FTP ] || { port=$REMOTE_FTP_PORT user=$REMOTE_FTP_USER; }
  server cli config "edit log rotation $1 destination $2 host 127.0.0.1 \
port $port directory $3 user $user schedule Daily time 16:01 ${*:4} password" \
    <<<"${PASSWORD-$REMOTE_PASSWORD}" >/dev/null
}

# rotate DAY: at 16:01 of that day of April 2002, as its logs say;
# what follows at once is over then
rotate() {
  server cli config "clock set 2002-04-$1 16:00:59" >/dev/null
  server clock advance 1s >/dev/null
  server await " transfers=0 " >/dev/null
}

# passes TIME: and what was due then is over
passes() {
  server clock advance "$1" >/dev/null
  server await " transfers=0 " >/dev/null
}

# all_sent: wait until nothing waits
all_sent() { server await " transfers=0 unsent=0"; }

# home: names of the files that the remote host has
home() { find "$REMOTE_DIR/home" -type f -printf '%f\n' | sort; }

# system_log: its lines, those of its archives first
system_log() { (cd "$SERVER_DIR/logs/system" && cat -- *); }

# said TEXT: how many lines of the system log have it
said() { system_log | grep -c -F -- "$1" || true; }

# archive LOG [N]: the file of its Nth rotation
archive() {
  printf '%s\n' "$SERVER_DIR/logs/$1/$(printf %08d "${2-1}")".*
}

# req: KS-20-033 KS-20-035 KS-20-038 KS-20-039 KS-20-040 KS-20-041 KS-20-043
# req: KS-20-091 KS-20-094 ESKM-210 ESKM-217 KS-AA-005 KS-AA-034
@test "Each log goes out when it is closed, whole, under the name of the convention" {
  local log
  remote_ssh_start
  remote_ftp_start
  remote_directory logs
  server cli config "edit host name demo"
  sends audit SCP logs
  sends system SFTP logs
  sends activity FTP logs
  sends client-event FTP "$REMOTE_DIR/home/logs"
  sends kmip-agent SCP "$REMOTE_DIR/home/logs"
  assert_equal "$(home)" ""
  rotate 04
  all_sent
  run home
  assert_output "activity.log.1.2002-04-04_160100.demo
audit.log.1.2002-04-04_160100.demo
client-event.log.1.2002-04-04_160100.demo
kmip-agent.log.1.2002-04-04_160100.demo
system.log.1.2002-04-04_160100.demo"
  for log in audit system activity client-event kmip-agent; do
    cmp "$(archive "$log")" \
      "$REMOTE_DIR/home/logs/$log.log.1.2002-04-04_160100.demo"
  done
  # and later events are not in it
  assert [ -s "$REMOTE_DIR/home/logs/audit.log.1.2002-04-04_160100.demo" ]
  server cli config "edit host name other"
  run ! grep -q "Hostname: other" \
    "$REMOTE_DIR/home/logs/audit.log.1.2002-04-04_160100.demo"
  # the next has the device's name of then, and is number 1
  rotate 05
  all_sent
  assert_file_exist "$REMOTE_DIR/home/logs/audit.log.1.2002-04-05_160100.other"
  grep -q "Hostname: other" \
    "$REMOTE_DIR/home/logs/audit.log.1.2002-04-05_160100.other"
}

# req: KS-20-018 KS-20-026 KS-20-093
@test "With destination None a closed log stays where it is" {
  remote_ssh_start
  sends system SCP .
  server cli config "edit log rotation system destination None"
  rotate 04
  all_sent
  assert_equal "$(home)" ""
  assert_file_exist "$(archive system)"
}

@test "A host that has only the old SCP protocol gets them by that" {
  remote_ssh_without_sftp
  remote_ssh_start
  sends system SCP .
  sends activity SFTP .
  rotate 04
  assert_equal "$(home)" "system.log.1.2002-04-04_160100.touchstone"
  cmp "$(archive system)" \
    "$REMOTE_DIR/home/system.log.1.2002-04-04_160100.touchstone"
  # and what is SFTP stays SFTP
  run system_log
  assert_output --partial "Failed to transfer the Activity Log of 2002-04-04_160100"
}

# req: KS-20-010 KS-20-036 KS-20-045 KS-20-092
@test "A login, a directory or a host that is no good is told, and the log waits" {
  remote_ssh_start
  remote_ftp_start
  remote_directory shut 555
  PASSWORD=wrong sends system SCP .
  sends activity SCP shut
  sends client-event FTP "$REMOTE_DIR/home/shut"
  sends kmip-agent FTP none
  sends audit SCP . port 1
  rotate 04
  assert_equal "$(home)" ""
  run system_log
  assert_output --partial "Failed to transfer the System Log of 2002-04-04_160100: 127.0.0.1:$REMOTE_SSH_PORT: the login was refused (user logs)"
  assert_output --partial "Failed to transfer the Activity Log of 2002-04-04_160100: 127.0.0.1:$REMOTE_SSH_PORT: the directory is not there, or the user may not use it"
  assert_output --partial "Failed to transfer the Client Event Log of 2002-04-04_160100: 127.0.0.1:$REMOTE_FTP_PORT: the user may not write to the directory"
  assert_output --partial "Failed to transfer the KMIP Agent Log of 2002-04-04_160100: 127.0.0.1:$REMOTE_FTP_PORT: the directory is not there"
  assert_output --partial "Failed to transfer the Audit Log of 2002-04-04_160100: 127.0.0.1:1: the host cannot be reached"
  # what they would be called there is seen nowhere here
  refute_output --partial ".log.1"
  refute_output --partial "wrong"
  run server await " unsent=5"
  assert_success
  # with all of it mended
  chmod 755 "$REMOTE_DIR/home/shut"
  remote_directory none
  sends system SCP .
  sends audit SCP .
  passes 119m
  assert_equal "$(home)" ""
  passes 1m
  all_sent
  assert_equal "$(home | wc -l)" 5
}

# req: KS-20-036 KS-20-037 KS-20-040
@test "A host that is down for days has each file once when it is up again" {
  local day
  remote_ssh_start
  remote_directory logs
  remote_stop ssh
  sends activity SCP logs
  for day in 04 05 06; do
    rotate "$day"
  done
  # the oldest is tried first, and the others would fare as it does
  assert_equal "$(said "Failed to transfer the Activity Log of 2002-04-04_160100")" 3
  assert_equal "$(said "Failed to transfer")" 3
  # every two hours, and not in between
  passes 119m
  assert_equal "$(said "Failed to transfer")" 3
  passes 1m
  assert_equal "$(said "Failed to transfer")" 4
  passes 2h
  assert_equal "$(said "Failed to transfer")" 5
  # a restart forgets none
  server stop
  server start >/dev/null
  server await " transfers=0 unsent=3" >/dev/null
  remote_ssh_start
  passes 2h
  all_sent
  run home
  assert_output "activity.log.1.2002-04-06_160100.touchstone
activity.log.2.2002-04-05_160100.touchstone
activity.log.3.2002-04-04_160100.touchstone"
  # and never again
  rm "$REMOTE_DIR"/home/logs/*
  passes 3h
  assert_equal "$(home)" ""
}

# req: KS-20-037
@test "A log that rotates again before two hours are over is sent with the one before" {
  remote_ftp_start
  remote_directory logs
  remote_stop ftp
  sends activity FTP logs
  rotate 04
  assert_equal "$(said "Failed to transfer")" 1
  remote_ftp_start
  server cli config "edit log rotation activity time 16:03"
  passes 2m
  all_sent
  run home
  assert_output "activity.log.1.2002-04-04_160300.touchstone
activity.log.2.2002-04-04_160100.touchstone"
}

# What is displaced has been sent, or waits for it outside of the archive.
@test "A file that has to leave the archive stays until it was sent, and then goes" {
  remote_ssh_start
  remote_stop ssh
  sends activity SCP . archives 0
  server cli config \
    "edit log rotation client-event schedule Daily time 16:01 archives 0"
  rotate 04
  rotate 05
  # without a destination it is gone
  assert_equal "$(find "$SERVER_DIR/logs/client-event" -name '0*' -size +0)" ""
  assert_equal "$(find "$SERVER_DIR/logs/activity" -name '*.out' | wc -l)" 2
  remote_ssh_start
  passes 2h
  all_sent
  run home
  assert_output "activity.log.1.2002-04-05_160100.touchstone
activity.log.2.2002-04-04_160100.touchstone"
  assert_equal "$(find "$SERVER_DIR/logs/activity" -name '0*' -size +0)" ""
}

# req: KS-20-044
@test "Two devices send to one directory, and neither loses a file" {
  remote_ssh_start
  server cli config "edit host name one"
  sends activity SCP .
  SECOND=$BATS_TEST_TMPDIR/second
  SERVER_DIR=$SECOND server start >/dev/null
  SERVER_DIR=$SECOND server cli config "edit host name two"
  SERVER_DIR=$SECOND sends activity SCP .
  rotate 04
  SERVER_DIR=$SECOND rotate 04
  all_sent
  SERVER_DIR=$SECOND all_sent
  run home
  assert_output "activity.log.1.2002-04-04_160100.one
activity.log.1.2002-04-04_160100.two"
}

# req: ESKM-219
@test "Where Sign Log is on, what leaves is signed, and what stays is not" {
  local sent=$REMOTE_DIR/home/activity.log.1.2002-04-04_160100.touchstone
  remote_ssh_start
  sends activity SCP .
  sends client-event SCP .
  server cli config "edit log signing activity sign yes"
  rotate 04
  all_sent
  run ! cmp -s "$(archive activity)" "$sent"
  grep -q "multipart/signed" "$sent"
  run ! grep -q "multipart/signed" "$(archive activity)"
  openssl smime -verify -in "$sent" -noverify -text -out "$BATS_TEST_TMPDIR/text"
  sed -i 's/\r$//' "$BATS_TEST_TMPDIR/text"
  cmp "$(archive activity)" "$BATS_TEST_TMPDIR/text"
  cmp "$(archive client-event)" \
    "$REMOTE_DIR/home/client-event.log.1.2002-04-04_160100.touchstone"
}

@test "Another key of an SSH server is refused until it is removed from the known hosts" {
  local before after
  remote_ssh_start
  before=$(remote_ssh_fingerprint)
  sends activity SCP .
  rotate 04
  all_sent
  run server cli "show known hosts"
  assert_output "127.0.0.1:$REMOTE_SSH_PORT  ssh-ed25519  $before"
  assert_equal "$(said "ssh-ed25519 $before")" 1
  remote_stop ssh
  remote_ssh_new_key
  remote_ssh_start
  after=$(remote_ssh_fingerprint)
  rotate 05
  assert_equal "$(said "the host key is $after, and was $before")" 1
  assert_equal "$(home | wc -l)" 1
  run server cli config "no known host 127.0.0.1:1"
  assert_failure
  assert_output --partial "is not known"
  server cli config "no known host 127.0.0.1:$REMOTE_SSH_PORT"
  passes 2h
  all_sent
  assert_equal "$(home | wc -l)" 2
  run server cli "show known hosts"
  assert_output "127.0.0.1:$REMOTE_SSH_PORT  ssh-ed25519  $after"
}

# shellcheck disable=SC2016  # the inner shell's own
# In a network of its own, where nobody listens.
# req: KS-AA-032 KS-AA-043 ESKM-238
@test "Ports 21 and 22 are the default" {
  server stop
  run -0 unshare --map-root-user --net bash -c '
    set -e
    appliance() { "$TOP/harness/appliance" "$1" "$SERVER_DIR" "${@:2}"; }
    ip link set lo up
    appliance start >/dev/null
    trap "appliance stop" EXIT
    for log in "system SCP" "activity FTP" "client-event SFTP"; do
      set -- $log
      appliance cli config "edit log rotation $1 destination $2 \
host 127.0.0.1 user logs schedule Daily time 16:01"
    done
    appliance cli config "clock set 2002-04-04 16:00:59"
    appliance clock advance 1s >/dev/null
    appliance await " transfers=0 unsent=3" >/dev/null
    cat "$SERVER_DIR/logs/system/current"
    printf "%s\n" kq4.Lamp7z kq4.Lamp7z remote | appliance cli config \
      "backup create one items ntp destination scp host 127.0.0.1 directory d user u" ||
      true' 3>&-
  assert_output --partial "System Log of 2002-04-04_160100: 127.0.0.1:22: the host cannot"
  assert_output --partial "Error: 127.0.0.1:22: the host cannot"
  assert_output --partial "Activity Log of 2002-04-04_160100: 127.0.0.1:21: the host cannot"
  assert_output --partial "Client Event Log of 2002-04-04_160100: 127.0.0.1:22: the host cannot"
}

@test "A host that does not answer holds up nobody, the end of the server included" {
  remote_ssh_start
  remote_ftp_start
  remote_deaf ssh
  remote_deaf ftp
  sends activity SCP .
  sends client-event FTP .
  server cli config "clock set 2002-04-04 16:00:59"
  server clock advance 1s >/dev/null
  server await " transfers=2 unsent=2" >/dev/null
  run server cli "show log rotation activity"
  assert_success
  assert_output --partial "Transfer Destination: SCP"
  run timeout 20 "$TOP/harness/appliance" stop "$SERVER_DIR"
  assert_success
}

#!/usr/bin/env bats
# Logs that are sent on as they are written, to a real rsyslogd. KeySecure
# chapter 20, "Syslog"; ESKM "Log Maintenance".
# bats file_tags=chapter:20, log:syslog
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  load remote-host
  remote_host_make
  server_start
}

teardown() {
  console_quit
  server_stop
  remote_host_end
}

# syslog LOG WORD VALUE...
syslog() { server cli config "edit log syslog $1 ${*:2}"; }

# remote LOG-NAME: what came of it, bodies only
remote() { sed -n "s/^[^<]* $1: //p" "$REMOTE_DIR/syslog"; }

# local_log LOG: its lines
local_log() { cat "$SERVER_DIR/logs/$1/current"; }

# stirs: a line in the system log
stirs() { server cli config "service restart ssh" >/dev/null; }

# req: KS-20-046 KS-20-047 KS-20-050 KS-20-051 KS-20-052 KS-20-053 KS-20-055
# req: KS-20-058 KS-20-059 KS-20-061 KS-20-062 KS-AA-057 ESKM-213
@test "Two servers have each line of a log as it is there, by UDP and by TCP" {
  local before
  remote_syslog_start
  server cli config "edit host name demo"
  # what is signed on its way out is not signed here
  server cli config "edit log signing system sign yes"
  syslog system enable yes \
    server-1 127.0.0.1 port-1 "$REMOTE_UDP_PORT" protocol-1 udp \
    server-2 127.0.0.1 port-2 "$REMOTE_TCP_PORT" protocol-2 tcp
  syslog activity enable yes \
    server-1 localhost port-1 "$REMOTE_TCP_PORT" protocol-1 tcp \
    server-2 127.0.0.1 port-2 "$REMOTE_UDP_PORT" protocol-2 udp
  before=$(local_log system | wc -l)
  stirs
  kmip query --functions Query_Operations >/dev/null 2>&1 || true
  server cli config "service stop ssh" >/dev/null
  remote_syslog_says "TCP "
  # as many as came since, and each of them
  while read -r line; do
    remote_syslog_says "System: $line"
  done < <(local_log system | tail -n +$((before + 1)))
  run grep -c "^local1.info UDP [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* demo System: " "$REMOTE_DIR/syslog"
  assert_output "$(($(local_log system | wc -l) - before))"
  assert_equal "$(grep " UDP .* System: " "$REMOTE_DIR/syslog" | sed 's/.* System: //')" \
    "$(local_log system | tail -n +$((before + 1)))"
  wait_for_tcp System "$(($(local_log system | wc -l) - before))"
  assert_equal "$(grep " TCP .* System: " "$REMOTE_DIR/syslog" | sed 's/.* System: //')" \
    "$(local_log system | tail -n +$((before + 1)))"
  run ! grep -i -q "pkcs7\|multipart" "$REMOTE_DIR/syslog"
}

# wait_for_tcp NAME COUNT: until so many of its lines came by TCP
wait_for_tcp() {
  timeout 20 tail -n +1 -f "$REMOTE_DIR/syslog" 3>&- |
    grep -m "$2" " TCP .* $1: " >/dev/null
}

# req: KS-20-048 KS-20-049 KS-20-055 KS-20-099 KS-20-100
@test "The facility is the log's own, and each log is enabled by itself" {
  local n
  remote_syslog_start
  run server cli "show log syslog audit"
  assert_line "  Audit Log: Enable Syslog: no"
  assert_line "  Audit Log: Syslog Facility: local1"
  stirs
  syslog audit enable yes server-1 127.0.0.1 port-1 "$REMOTE_UDP_PORT"
  for n in 0 1 2 3 4 5 6 7; do
    syslog audit facility "local$n"
  done
  # each session begins with what the one before has set
  for n in 1 0 1 2 3 4 5 6; do
    remote_syslog_says "local$n.info"
  done
  assert_equal "$(grep -c "Syslog Facility: local" "$REMOTE_DIR/syslog")" 8
  run grep "Syslog Facility: local5" "$REMOTE_DIR/syslog"
  assert_output --regexp "^local4\.info "
  run grep -c " System: " "$REMOTE_DIR/syslog"
  assert_output 0
  run syslog audit facility local8
  assert_failure
  assert_output --partial "local0, local1"
  run syslog audit facility user
  assert_failure
  run syslog audit protocol-1 sctp
  assert_failure
}

# req: KS-20-056 KS-20-057
@test "Sessions keep the settings of the audit log that they began with" {
  remote_syslog_start
  console_begin
  console_answer config
  console_answer "show session settings"
  console_says "Autologout (minutes): 15"
  syslog audit enable yes server-1 127.0.0.1 port-1 "$REMOTE_TCP_PORT" \
    protocol-1 tcp
  console_answer "edit session settings autologout 20"
  console_answer "show session settings"
  console_says "Autologout (minutes): 20"
  # a session that begins now, and comes behind it
  server cli config "edit session settings autologout 21"
  remote_syslog_says "Autologout (minutes): 21"
  run grep "Autologout (minutes): 20" "$REMOTE_DIR/syslog"
  assert_failure
  console_answer exit
  console_answer exit
  console_end
  # and the other way round: it goes on with what it had
  console_begin
  console_answer config
  console_answer "show session settings"
  console_says "Autologout (minutes): 21"
  syslog audit enable no
  console_answer "edit session settings autologout 22"
  remote_syslog_says "Autologout (minutes): 22"
  server cli config "edit session settings autologout 23"
  console_answer "edit session settings autologout 24"
  remote_syslog_says "Autologout (minutes): 24"
  run grep "Autologout (minutes): 23" "$REMOTE_DIR/syslog"
  assert_failure
}

# req: KS-20-053
@test "A server that is down has what it missed when it is back, and costs nothing" {
  remote_syslog_start
  syslog system enable yes server-1 127.0.0.1 port-1 "$REMOTE_TCP_PORT" \
    protocol-1 tcp server-2 127.0.0.1 port-2 "$REMOTE_UDP_PORT"
  stirs
  wait_for_tcp System 2
  remote_stop syslog
  stirs
  stirs
  run local_log system
  assert_output --partial "Syslog: Messages to 127.0.0.1 port $REMOTE_TCP_PORT (tcp) do not get through: "
  server clock advance 1h >/dev/null
  assert_equal "$(local_log system | grep -c "(tcp) do not get through")" 1
  : >"$REMOTE_DIR/syslog"
  remote_syslog_start
  server clock advance 2m >/dev/null
  wait_for_tcp System 2
  server clock advance 1m >/dev/null
  remote_syslog_says "port $REMOTE_TCP_PORT (tcp) get through again"
}

# deaf_start: somebody who takes connections and never reads, at $DEAF_PORT
deaf_start() {
  exec {deaf}< <(exec python3 -c '
import socket, threading
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
server.bind(("127.0.0.1", 0))
server.listen()
print(server.getsockname()[1], flush=True)
taken = [server.accept()]
print("taken", flush=True)
threading.Event().wait()' 3>&-)
  deaf_pid=$!
  read -r -t 30 DEAF_PORT <&"$deaf"
}

# req: KS-20-053
@test "A server that takes what comes and never reads holds up no client" {
  local line
  deaf_start
  syslog activity enable yes server-1 127.0.0.1 port-1 "$DEAF_PORT" \
    protocol-1 tcp
  run "$TOP/build/bin/ledger" write --target "$TARGET" \
    --book "$BATS_TEST_TMPDIR/book" --seed 1 --count 500
  assert_output --regexp '^[0-9]+ acknowledged, 0 refused, 0 cut off$'
  read -r -t 30 line <&"$deaf"
  assert_equal "$line" taken
  assert [ "$(local_log activity | wc -l)" -ge 500 ]
  # nor does it hold up the end of the server
  server_stop
  kill "$deaf_pid"
  exec {deaf}<&-
}

# req: KS-20-054 ESKM-214
@test "With syslog, logs rotate as before, and the oldest goes" {
  remote_syslog_start
  syslog activity enable yes server-1 127.0.0.1 port-1 "$REMOTE_UDP_PORT"
  server cli config "edit log rotation activity schedule Daily time 12:00 archives 1"
  server cli config "clock set 2026-11-22 11:59:59"
  server clock advance 1s >/dev/null
  run find "$SERVER_DIR/logs/activity" -name '*2026-11-22_120000'
  refute_output ""
  server cli config "clock set 2026-11-23 11:59:59"
  server clock advance 1s >/dev/null
  run find "$SERVER_DIR/logs/activity" -name '0*' -printf '%f\n'
  assert_output "00000002.2026-11-23_120000"
}

# req: KS-20-095 KS-20-096 KS-20-097 KS-20-098 KS-AA-057
@test "Settings of syslog are for those who have Logging" {
  server cli config "administrator bob access-control network" \
    <<<"Cactus7-Bridge
Cactus7-Bridge" >/dev/null
  printf '%s' "Cactus7-Bridge" >"$BATS_TEST_TMPDIR/bob"
  run "$TOP/harness/appliance" cli "$SERVER_DIR" --user bob \
    --password-file "$BATS_TEST_TMPDIR/bob" config \
    "edit log syslog system enable yes" <<<"Lantern4-Bridge
Lantern4-Bridge"
  assert_failure
  assert_output --partial '"Logging" access control is required'
  syslog system enable yes server-1 log.example
  run server cli "show log syslog system"
  assert_line "  System Log: Enable Syslog: yes"
  assert_line "  System Log: Syslog Server #1: log.example"
  assert_line "  System Log: Syslog Server #1 Port: 514"
  assert_line "  System Log: Syslog Server #1 Protocol: udp"
  assert_line "  System Log: Syslog Server #2: "
}

# shellcheck disable=SC2016  # the inner shell's own
# In a network of its own, where port 514 is free.
# req: KS-AA-045
@test "Port 514 and UDP are the default" {
  server stop
  run -0 unshare --map-root-user --net bash -c '
    set -e
    appliance() { "$TOP/harness/appliance" "$1" "$SERVER_DIR" "${@:2}"; }
    ip link set lo up
    coproc sink { exec timeout 20 python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((\"127.0.0.1\", 514))
print(\"here\", flush=True)
print(s.recv(9000).decode(), flush=True)"; }
    read -r line <&"${sink[0]}"
    appliance start >/dev/null
    trap "appliance stop" EXIT
    appliance cli config "edit log syslog audit enable yes server-1 127.0.0.1"
    appliance cli config "edit host name other"
    read -r line <&"${sink[0]}"
    echo "$line"' 3>&-
  assert_output --partial "<142>"
  assert_output --partial " Audit: "
}

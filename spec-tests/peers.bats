#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Idle, slow, silent and greedy peers: what one may take, and that it takes
# nothing from others. Each limit is a setting with a stated default, shown on
# both of its sides.
# bats file_tags=peers, connections, soak
bats_require_minimum_version 1.5.0

setup() {
  load helper
  server_copy
}

teardown() {
  server_stop
}

configure() {
  printf '%s\n' "$@" >>"$SERVER_DIR/touchstone.conf"
}

# others_served: a client that has nothing to do with it gets right answers,
# each held against the key's octets, and none of them late
others_served() {
  local p99_us
  run "$TOP/build/bin/touchstone" load --target "$TARGET" --op get \
    --closed --conns 4 --objects 50 --count 1000
  assert_success
  p99_us=$(sed -n 's/^op=get result=all .* n=1000 .*service_p99_us=\([0-9]*\).*/\1/p' <<<"$output")
  # who had to wait for a slow one would have waited for seconds
  assert [ "$p99_us" -lt 500000 ]
}

# default KEY: what --help says
default() {
  "$TOP/build/bin/touchstone-ref" --help |
    sed -n "/^  $1\$/,/default/s/.*default \([^ ]*\)\$/\1/p"
}

@test "A thousand idle connections and fifty slow ones stop nobody" {
  local second seconds=${SOAK:+90} sent=0 all=
  seconds=${seconds:-20}
  configure "message_timeout_s = 300"
  server_start
  others_served
  peers_start
  peers idle 1000
  peers slow 50
  server await connections=1050
  others_served
  # an octet a second; in between, others are asked for what they hold
  for ((second = 1; second <= seconds; second++)); do
    peers octet
    server clock advance 1s
    [ $((second % 10)) -ne 0 ] || others_served
  done
  # then the rest, faster
  while [ "$sent" != "$all" ]; do
    read -r _ sent _ all < <(peers octet)
  done
  # slow is not wrong
  run peers answers
  assert_output "answered 50"
  run peers count
  assert_output "idle 1000 plain 0 slow 50"
}

@test "In real time, too, slow peers stop nobody" {
  local every_ms=${SOAK:+1000} sent=0 all=
  configure "message_timeout_s = 300"
  server_start --real-time
  peers_start
  peers idle 100
  peers slow 50
  while [ "$sent" != "$all" ]; do
    peers every "${every_ms:-10}"
    others_served
    read -r _ sent _ all < <(peers octet)
  done
  run peers answers
  assert_output "answered 50"
}

@test "A request that takes too long closes its connection, one in time does not" {
  assert_equal "$(default message_timeout_s)" 30
  server_start
  peers_start
  peers idle 3
  peers slow 2
  for ((second = 1; second < 30; second++)); do
    peers octet
    server clock advance 1s >/dev/null
  done
  run peers count
  assert_output "idle 3 plain 0 slow 2"
  server clock advance 999ms
  run peers count
  assert_output "idle 3 plain 0 slow 2"
  server clock advance 1ms
  run peers count
  assert_output "idle 3 plain 0 slow 0"
  server_logged "a message comes too slowly"
}

@test "A handshake that takes too long closes its connection, one in time does not" {
  assert_equal "$(default handshake_timeout_s)" 10
  server_start
  peers_start
  peers plain 5
  peers idle 2
  server await connections=7
  server clock advance 9999ms
  run peers count
  assert_output "idle 2 plain 5 slow 0"
  server clock advance 1ms
  run peers count
  assert_output "idle 2 plain 0 slow 0"
}

@test "A connection that is idle too long is closed, one in time is not" {
  assert_equal "$(default idle_timeout_s)" 300
  configure "idle_timeout_s = 60"
  server_start
  peers_start
  peers idle 5
  server await connections=5
  server clock advance 59999ms
  run peers count
  assert_output "idle 5 plain 0 slow 0"
  server clock advance 1ms
  run peers count
  assert_output "idle 0 plain 0 slow 0"
}

@test "A message of the longest length is answered, a longer one is not" {
  assert_equal "$(default message_max_octets)" 1048576
  server_start
  peers_start
  run peers message 1048576
  assert_output answered
  run peers message 1048584
  assert_output closed
  server_logged "a limit of this server is exceeded"
  server stop
  configure "message_max_octets = 4096"
  server start
  peers_start
  run peers message 4096
  assert_output answered
  run peers message 4104
  assert_output closed
}

@test "The last connection is served, one more is not" {
  assert_equal "$(default connections_max)" 4096
  configure "connections_max = 20"
  server_start
  peers_start
  peers idle 19
  run kmip query
  assert_success
  server await connections=19
  peers plain 1
  server await connections=20
  run kmip query
  assert_failure 2
  server_logged "closed at once: all connections are in use"
  run peers count
  assert_output "idle 19 plain 1 slow 0"
  peers close
  server await connections=0
  run kmip query
  assert_success
}

@test "As many connections as the default allows are held, one more is not" {
  server_start
  peers_start
  # no more at a time than can wait to be accepted (backlog)
  for ((count = 256; count <= 4096; count += 256)); do
    peers plain 256
    server await "connections=$count "
  done
  peers plain 1
  server_logged "closed at once: all connections are in use"
  run peers count
  assert_output "idle 0 plain 4096 slow 0"
}

@test "Who takes no answers is stopped, and others are not" {
  configure "message_max_octets = 65536"
  server_start
  id=$(kmip create)
  peers_start
  peers deaf "$id"
  others_served
  server clock advance 29s
  run server status
  assert_line --partial connections=1
  # the system may take a few octets more for it, and then time counts anew
  for ((try = 0; try < 20; try++)); do
    server clock advance 30s
    run server status
    [[ $output != *connections=0* ]] || break
  done
  assert_line --partial connections=0
  server_logged "does not take its answers"
}

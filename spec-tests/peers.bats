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

# ---------------------------------------------------------------------------
# NAE-XML, plain: key server 1 of a new appliance

# nae_open NAME: a connection; its descriptor in $NAME
nae_open() {
  exec {opened}<>"/dev/tcp/127.0.0.1/$NAE_PORT"
  printf -v "$1" %s "$opened"
}

# nae_served: a client that has nothing to do with it gets right answers
nae_served() {
  local socket answers
  nae_open socket
  for ((k = 0; k < 100; k++)); do
    printf '<RandGenRequest><ID>%d</ID><Size>100</Size></RandGenRequest>' "$k"
  done >&"$socket"
  # no request can have it: the server closes
  printf '<!DOCTYPE end>' >&"$socket"
  answers=$(timeout 20 cat <&"$socket" | LC_ALL=C tr -d '\0' |
    LC_ALL=C grep -a -o '<ID>[0-9]*</ID><Success>true' | wc -l)
  exec {socket}>&-
  assert_equal "$answers" 100
}

# closed SOCKET: the server has ended it, with whatever it had to say
closed() {
  timeout 20 cat <&"$1" >"$BATS_TEST_TMPDIR/last"
}

# memory: kilobytes that the server has in use
memory() {
  sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(cat "$SERVER_DIR/pid")/status"
}

nae_start() {
  server_start
  NAE_PORT=$(server server-port 1)
}

@test "NAE-XML: silent, slow and half-open clients stop nobody, and go in time" {
  local k socket slow=() idle=()
  nae_start
  for ((k = 0; k < 40; k++)); do
    nae_open socket
    case $((k % 4)) in
    0) idle+=("$socket") ;;
    1)
      slow+=("$socket")
      printf '<RandGenReq' >&"$socket"
      ;;
    2)
      slow+=("$socket")
      printf '<CryptoRequest><Action>MAC</Action><KeyName>k</KeyName></CryptoRequest><Data><Size>1000</Size>abc' >&"$socket"
      ;;
    3)
      slow+=("$socket")
      printf '<RecordEventRequest><Message>' >&"$socket"
      ;;
    esac
  done
  server await connections=40
  nae_served
  others_served
  for ((k = 0; k < 29; k++)); do
    for socket in "${slow[@]}"; do printf a >&"$socket" || true; done
    server clock advance 1s >/dev/null
  done
  nae_served
  server clock advance 2s
  for socket in "${slow[@]}"; do closed "$socket"; done
  server_logged "a message comes too slowly"
  server await connections=10
  for socket in "${idle[@]}"; do
    printf '<DeviceInfoRequest/><!DOCTYPE end>' >&"$socket"
    run -0 timeout 20 cat <&"$socket"
    assert_output --partial "<DeviceInfoResponse><Success>true"
  done
  nae_served
}

@test "NAE-XML: what is too long is refused, and costs no memory" {
  local socket before after status
  nae_start
  nae_served
  # a header of 8 MiB, of which one is allowed
  {
    printf '<RecordEventRequest><ID>1</ID>'
    head -c 8M /dev/zero | tr '\0' ' '
  } >"$BATS_TEST_TMPDIR/long"
  before=$(memory)
  for _ in 1 2 3 4 5; do
    nae_open socket
    cat "$BATS_TEST_TMPDIR/long" >&"$socket" || true
    # it is over, though what was said last may be lost with what came after
    status=0
    closed "$socket" || status=$?
    assert_not_equal "$status" 124
    exec {socket}>&-
  done
  after=$(memory)
  assert [ $((after - before)) -lt 8192 ]
  nae_served
  others_served
}

@test "NAE-XML: who asks and does not listen is not served on, and hurts nobody" {
  local socket before after writer
  nae_start
  nae_served
  before=$(memory)
  nae_open socket
  # a hundred megabytes of answers, if they were made
  for ((k = 0; k < 1000; k++)); do
    printf '<RandGenRequest><ID>%d</ID><Size>131072</Size></RandGenRequest>' "$k"
  done >"$BATS_TEST_TMPDIR/requests"
  cat "$BATS_TEST_TMPDIR/requests" >&"$socket" 2>/dev/null 3>&- &
  writer=$!
  nae_served
  others_served
  after=$(memory)
  assert [ $((after - before)) -lt 16384 ]
  server clock advance 31s
  server_logged "does not take its answers"
  kill "$writer" 2>/dev/null || true
  wait "$writer" || true
  nae_served
}

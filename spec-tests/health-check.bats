#!/usr/bin/env bats
# Chapter 4, Health Check: with curl, and with sockets for what curl would not do
# bats file_tags=health-check
# shellcheck disable=SC2016,SC2030,SC2031  # a script of its own; $health, in tests
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_fault
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  adapter_stop
}

# health_open: enabled, at port $health
health_open() {
  local tries
  for ((tries = 0; tries < 5; tries++)); do
    health=$((10000 + RANDOM % 20000))
    as admin "edit health check enable yes port $health"
    ! asks -o said || return 0
  done
  return 1
}

# asks [OPTION...]: curl, at $health; [HOST=127.0.0.1]
asks() {
  curl -s --max-time 20 "$@" "http://${HOST-127.0.0.1}:$health/"
}

# answers [OPTION...]: the status
answers() {
  asks -o said -w '%{http_code}' "$@"
}

# knock: a socket at $health, in $door
knock() {
  exec {door}<>"/dev/tcp/127.0.0.1/$health"
}

# hear: what comes through $door, to its end
hear() {
  timeout 20 cat <&"$door"
}

# req: KS-01-113 KS-04-001 KS-04-003 KS-04-006 KS-04-008 KS-04-014
@test "A request is answered with 200 and Health Check Succeeded" {
  story_start
  health_open
  run asks -i
  assert_line --partial "HTTP/1.1 200 OK"
  assert_line "Health Check Succeeded"
  run asks -A "Mozilla/5.0 (X11; Linux) Firefox/115.0" -H "Accept: text/html" \
    -H "Accept-Language: en" -H "Connection: keep-alive" -H "DNT: 1" -o said \
    -w '%{http_code} %{content_type}'
  assert_output --partial "200 text/plain"
}

# req: KS-04-009 KS-04-010 KS-04-011
@test "GET, POST and HEAD are answered, and no other method" {
  story_start
  health_open
  assert_equal "$(answers)" 200
  assert_equal "$(answers -d 'a body')" 200
  run asks -I
  assert_line --partial "200 OK"
  refute_output --partial Succeeded
  knock
  printf 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n' >&"$door"
  run hear
  assert_line --partial "200 OK"
  refute_output --partial Succeeded
  for method in PUT DELETE OPTIONS TRACE PATCH; do
    assert_equal "$(answers -X "$method")" 501
  done
}

# req: KS-04-012
@test "The answer comes behind the last octet of the request" {
  story_start
  health_open
  knock
  printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabc' >&"$door"
  # others are answered meanwhile, and this one is not
  assert_equal "$(answers)" 200
  run read -r -t 0 -u "$door"
  assert_failure
  printf d >&"$door"
  run hear
  assert_line --partial "200 OK"
}

# req: KS-04-012
@test "A body up to 64 KiB is read, and a longer one refused" {
  story_start
  health_open
  head -c 65536 /dev/zero >body
  assert_equal "$(answers --data-binary @body)" 200
  printf x >>body
  assert_equal "$(answers --data-binary @body || true)" 413
  assert_equal "$(answers)" 200
}

# req: KS-04-004
@test "A device that cannot store or has lost its HSM is not available" {
  story_start
  health_open
  adapter_fault disk-full on
  # the next one who changes something finds out
  run as admin "edit host name elsewhere"
  assert_failure
  run asks -i
  assert_line --partial "HTTP/1.1 500 Internal Server Error"
  refute_output --partial Succeeded
  adapter_fault disk-full off
  as admin "edit host name elsewhere"
  assert_equal "$(answers)" 200
  adapter_fault hsm fail
  for ((tries = 0; tries < 100; tries++)); do
    [ "$(answers)" != 500 ] || break
  done
  assert_equal "$(answers)" 500
}

# req: KS-04-005
@test "Deleted key servers and a stopped service change nothing" {
  needs adapter_key_port
  story_start
  health_open
  as admin "no key server 1"
  as admin "no key server 2"
  assert_equal "$(answers)" 200
  as admin "service stop key-server"
  assert_equal "$(answers)" 200
}

# req: KS-04-015 KS-AA-013
@test "It is off until it is enabled, and a device that was halted does not answer" {
  story_start
  run as admin "show health check"
  assert_line "  Enable Health Check: no"
  health_open
  as admin "edit health check enable no"
  run asks
  assert_failure 7
  health_open
  as admin halt
  adapter_await stopped
  run asks
  assert_failure 7
  # and it is enabled still
  adapter_start
  assert_equal "$(answers)" 200
}

# req: KS-04-015
@test "A restart of the device brings it back" {
  story_start
  health_open
  as admin restart
  adapter_await running
  assert_equal "$(answers)" 200
}

# req: KS-04-002 KS-AA-013 KS-AA-048
@test "Another port closes the one before" {
  story_start
  health_open
  former=$health
  health_open
  [ "$former" -ne "$health" ]
  assert_equal "$(answers)" 200
  health=$former
  run asks
  assert_failure 7
}

# req: KS-04-022 KS-04-023
@test "One address listens alone, and All listen together" {
  story_start
  health_open
  assert_equal "$(answers)" 200
  assert_equal "$(HOST=127.0.0.2 answers)" 200
  as admin "edit health check ip 127.0.0.2"
  assert_equal "$(HOST=127.0.0.2 answers)" 200
  run asks
  assert_failure 7
  as admin "edit health check ip All"
  assert_equal "$(answers)" 200
  assert_equal "$(HOST='[::1]' answers)" 200
  run as admin "edit health check ip somewhere"
  assert_failure
  assert_equal "$(answers)" 200
}

# req: KS-04-025 KS-AA-012
@test "The port is 9080 where none was set" {
  server_copy
  run -0 unshare --map-root-user --net bash -c '
    set -eu
    ip link set lo up
    export BATS_TEST_TMPDIR
    '"$TOP"'/harness/appliance start "$SERVER_DIR" >/dev/null
    '"$TOP"'/harness/appliance cli "$SERVER_DIR" config \
      "edit health check enable yes"
    curl -s http://127.0.0.1:9080/
    '"$TOP"'/harness/appliance stop "$SERVER_DIR"'
  assert_line "Health Check Succeeded"
}

# req: KS-04-017
@test "It is plain HTTP" {
  story_start
  health_open
  run openssl s_client -connect "127.0.0.1:$health" </dev/null
  assert_failure
  run curl -sk "https://127.0.0.1:$health/"
  assert_failure 35
  assert_equal "$(answers)" 200
}

@test "Whoever says nothing, or too little, keeps nobody out" {
  story_start
  health_open
  for ((n = 0; n < 80; n++)); do
    knock
    printf 'GET / HTTP/1.1\r\nHost' >&"$door"
  done
  assert_equal "$(answers)" 200
  run as admin "show clock"
  assert_success
  # and is forgotten in time
  adapter_clock_advance 10s
  run hear
  refute_output --partial 200
}

@test "A port that somebody else has is tried again" {
  story_start
  health_open
  taken=$health
  coproc OTHER { exec /usr/bin/python3 -c '
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.9", 0))
s.listen()
print(s.getsockname()[1], flush=True)
sys.stdin.read()' 3>&-; }
  read -r taken <&"${OTHER[0]}"
  as admin "edit health check ip 127.0.0.9 port $taken"
  wait_for "Health Check cannot listen at 127.0.0.9" "$ADAPTER_DIR/server.log"
  eval "exec ${OTHER[1]}>&-"
  wait "$OTHER_PID"
  adapter_clock_advance 5s
  health=$taken
  assert_equal "$(HOST=127.0.0.9 answers)" 200
}

#!/usr/bin/env bats
# Many connections, slow ones and greedy ones
# bats file_tags=connections
bats_require_minimum_version 1.5.0

setup() {
  load helper
  server_copy
}

teardown() {
  server_stop
}

# hold COUNT: so many connections that say nothing, in held[]
hold() {
  local fd
  for ((n = 0; n < $1; n++)); do
    exec {fd}<>"/dev/tcp/127.0.0.1/$SERVER_PORT" || return
    held+=("$fd")
  done
}

@test "A thousand idle connections and fifty slow ones stop nobody" {
  ulimit -n 4096
  server_start
  hold 1000
  hold 50
  # a TLS record's header, octet by octet
  for octet in '\x16' '\x03' '\x01' '\x02' '\x00' '\x01'; do
    for fd in "${held[@]:1000}"; do
      printf '%b' "$octet" >&"$fd"
    done
    run kmip create
    assert_success
  done
  server await connections=1050
  # none of them gets through its handshake in time
  server clock advance 10s
  server await connections=0
  run kmip query
  assert_success
}

@test "Over the limit connections are closed at once, and logged" {
  echo "connections_max = 3" >>"$SERVER_DIR/touchstone.conf"
  server_start
  hold 3
  server await connections=3
  run kmip query
  assert_failure 2
  server_logged "closed at once: all connections are in use"
  one=${held[0]}
  exec {one}>&-
  server await connections=2
  run kmip query
  assert_success
}

@test "A message over the limit closes its connection and no other" {
  echo "message_max_octets = 1024" >>"$SERVER_DIR/touchstone.conf"
  server_start
  head -c 1100 /dev/zero >"$BATS_TEST_TMPDIR/long"
  head -c 500 /dev/zero >"$BATS_TEST_TMPDIR/short"
  run kmip register --type OpaqueObject --material "$BATS_TEST_TMPDIR/short"
  assert_success
  run kmip register --type OpaqueObject --material "$BATS_TEST_TMPDIR/long"
  assert_failure 2
  server_logged "a limit of this server is exceeded"
  run kmip query
  assert_success
}

@test "A connection that is idle for long is closed, one that is not stays" {
  server_start
  mkfifo "$BATS_TEST_TMPDIR/words" "$BATS_TEST_TMPDIR/heard"
  openssl s_client -quiet -connect "127.0.0.1:$SERVER_PORT" \
    -CAfile "$SERVER_DIR/pki/ca.crt" -cert "$SERVER_DIR/pki/alice.crt" \
    -key "$SERVER_DIR/pki/alice.key" <"$BATS_TEST_TMPDIR/words" \
    >"$BATS_TEST_TMPDIR/heard" 2>/dev/null 3>&- &
  client=$!
  exec {words}>"$BATS_TEST_TMPDIR/words" {heard}<"$BATS_TEST_TMPDIR/heard"
  server await connections=1
  # Discover Versions, so that the handshake is over
  printf '\x42\x00\x78\x01\x00\x00\x00\x60\x42\x00\x77\x01\x00\x00\x00\x38' >&"$words"
  printf '\x42\x00\x69\x01\x00\x00\x00\x20\x42\x00\x6a\x02\x00\x00\x00\x04' >&"$words"
  printf '\x00\x00\x00\x01\x00\x00\x00\x00\x42\x00\x6b\x02\x00\x00\x00\x04' >&"$words"
  printf '\x00\x00\x00\x04\x00\x00\x00\x00\x42\x00\x0d\x02\x00\x00\x00\x04' >&"$words"
  printf '\x00\x00\x00\x01\x00\x00\x00\x00\x42\x00\x0f\x01\x00\x00\x00\x18' >&"$words"
  printf '\x42\x00\x5c\x05\x00\x00\x00\x04\x00\x00\x00\x1e\x00\x00\x00\x00' >&"$words"
  printf '\x42\x00\x79\x01\x00\x00\x00\x00' >&"$words"
  assert_equal "$(timeout 20 head -c 4 <&"$heard" | od -An -tx1)" " 42 00 7b 01"
  server clock advance 299s
  run server status
  assert_line --partial connections=1
  server clock advance 1s
  run server status
  assert_line --partial connections=0
  wait "$client" || true
  exec {words}>&- {heard}<&-
}

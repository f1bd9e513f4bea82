#!/usr/bin/env bats
# Who may speak to the server, as `openssl s_client` sees it
# bats file_tags=tls
bats_require_minimum_version 1.5.0

setup() {
  load helper
  server_start
  pki=$SERVER_DIR/pki
}

teardown() {
  server_stop
}

# handshake OPTION...: one handshake, then the end
handshake() {
  openssl s_client -connect "127.0.0.1:$SERVER_PORT" -CAfile "$pki/ca.crt" \
    -verify_return_error "$@" </dev/null 2>&1
}

# as NAME OPTION...: with that client's certificate
as() {
  handshake -cert "$pki/$1.crt" -key "$pki/$1.key" "${@:2}"
}

@test "TLS 1.3 and 1.2 are spoken, with the server's own certificate" {
  run as alice -tls1_3
  assert_success
  assert_line --partial "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"
  assert_line --partial "Verify return code: 0 (ok)"
  run as alice -tls1_2
  assert_success
  assert_line --partial "New, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384"
}

@test "TLS 1.1 and 1.0 are refused" {
  for version in tls1_1 tls1; do
    run as alice "-$version" -cipher DEFAULT@SECLEVEL=0
    assert_failure
    assert_line --partial "alert protocol version"
  done
}

# req: KS-03-091
@test "A client without a certificate is refused" {
  run handshake -tls1_2
  assert_failure
  assert_line --partial "alert handshake failure"
  run handshake -tls1_3
  server_logged "peer did not return a certificate"
}

# req: KS-03-092 VLT-028
@test "A client whose certificate another CA issued is refused" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
    -subj "/CN=alice" -days 1 -keyout "$BATS_TEST_TMPDIR/own.key" \
    -out "$BATS_TEST_TMPDIR/own.crt"
  run handshake -tls1_2 -cert "$BATS_TEST_TMPDIR/own.crt" \
    -key "$BATS_TEST_TMPDIR/own.key"
  assert_failure
  assert_line --partial "alert unknown ca"
  server_logged "client certificate: self-signed certificate"
}

# req: KS-03-092
@test "A client of another CA is served once that CA is trusted" {
  other=$BATS_TEST_TMPDIR/other
  "$TOP/harness/pki.sh" "$other"
  stranger=(-tls1_2 -cert "$other/alice.crt" -key "$other/alice.key")
  run handshake "${stranger[@]}"
  assert_failure
  assert_line --partial "alert unknown ca"
  server_stop
  cat "$pki/ca.crt" "$other/ca.crt" >"$pki/both.crt"
  sed -i "s,^trust = .*,trust = pki/both.crt," "$SERVER_DIR/touchstone.conf"
  server_start
  run handshake "${stranger[@]}"
  assert_success
}

@test "A server certificate does not make a client" {
  run as server -tls1_2
  assert_failure
  assert_line --partial "alert unsupported certificate"
}

@test "Sessions are resumed" {
  run as alice -tls1_2 -reconnect
  assert_success
  assert_equal "$(grep -c "^New, TLSv1.2" <<<"$output")" 1
  assert_equal "$(grep -c "^Reused, TLSv1.2" <<<"$output")" 5
}

@test "Older clients may use RSA key exchange with SHA-256, and nothing weaker" {
  for cipher in AES128-SHA256 AES256-SHA256; do
    run as alice -tls1_2 -cipher "$cipher"
    assert_success
    assert_line --partial "Cipher is $cipher"
  done
  for cipher in AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-RSA-CHACHA20-POLY1305; do
    run as alice -tls1_2 -cipher "$cipher"
    assert_failure
    assert_line --partial "alert handshake failure"
  done
}

@test "A handshake that never begins is cut off in time" {
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  server await connections=1
  server clock advance 10s
  run timeout 10 cat <&"$idle"
  assert_success
  server_logged "the handshake takes too long"
}

# req: KS-03-085
@test "What is not TLS is cut off" {
  exec {plain}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  printf 'GET / HTTP/1.0\r\n\r\n' >&"$plain"
  run timeout 10 cat <&"$plain"
  server_logged "http request"
  # a KMIP message is no better without TLS
  exec {plain}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  printf '\x42\x00\x78\x01\x00\x00\x00\x00' >&"$plain"
  run timeout 10 grep -c -a -P '^\x42\x00\x7b' <&"$plain"
  assert_output 0
  run as alice
  assert_success
}

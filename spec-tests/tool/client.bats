#!/usr/bin/env bats
# touchstone kmip and touchstone load, at a reference appliance.
# bats file_tags=tool:client

bats_require_minimum_version 1.5.0

setup() {
  load ../helper
  server_start --real-time
}

teardown() { server_stop; }

load_it() {
  "$TOP/build/bin/touchstone" load "$@" --target "$TARGET" \
    --server-pid "$SERVER_DIR/pid"
}

@test "a key's life, in every version" {
  for version in 1.0 1.1 1.2 1.3 1.4 2.0 2.1; do
    id=$(kmip create --name "life-$version" --length 256 --version "$version")
    run -0 kmip locate --name "life-$version" --version "$version"
    assert_output "$id"
    run -0 kmip get "$id" --version "$version"
    assert_line "length=256"
    assert_line --regexp '^material=[0-9a-f]{64}$'
    run -0 kmip attributes "$id" State --version "$version"
    assert_output "State=PreActive"
    run -0 kmip activate "$id" --version "$version"
    run -1 --separate-stderr kmip destroy "$id" --version "$version"
    run -0 kmip revoke "$id" --reason KeyCompromise --version "$version"
    run -0 kmip destroy "$id" --version "$version"
    run -0 kmip locate --name "life-$version" --attribute State=PreActive \
      --version "$version"
    assert_output ""
  done
}

@test "octets registered from standard input come back, and only to their owner" {
  id=$(printf '0123456789abcdef' | kmip register --material - --name stdin)
  run -0 kmip get "$id" --out "$BATS_TEST_TMPDIR/key"
  run -0 cat "$BATS_TEST_TMPDIR/key"
  assert_output 0123456789abcdef
  run -0 stat -c %a "$BATS_TEST_TMPDIR/key"
  assert_output 600
  run -1 --separate-stderr kmip get "$id" --identity B
  assert_output ""
  # shellcheck disable=SC2154  # bats sets it
  [[ $stderr == OperationFailed:* ]]
}

@test "custom attributes are added, changed and deleted, in both forms" {
  for version in 1.4 2.1; do
    id=$(kmip create --name "custom-$version" --version "$version")
    run -0 kmip add-attribute "$id" x-purpose=test --version "$version"
    run -0 kmip modify-attribute "$id" x-purpose=other --version "$version"
    run -0 kmip attributes "$id" x-purpose --version "$version"
    assert_output x-purpose=other
    run -0 kmip delete-attribute "$id" x-purpose --version "$version"
    run -0 kmip attribute-list "$id" --version "$version"
    refute_line x-purpose
    assert_line State
  done
}

@test "the whole answer is printed without its secrets, unless asked for" {
  id=$(printf 'sixteen octets!!' | kmip register --material -)
  hex=7369787465656e206f63746574732121
  run -0 kmip get "$id" --xml
  assert_line --partial "<KeyMaterial"
  refute_output --partial "$hex"
  run -0 kmip get "$id" --xml --show-secrets
  assert_output --partial "$hex"
}

@test "a message from a file goes as it is" {
  # a Request Message that holds nothing
  echo 42007801 00000000 >"$BATS_TEST_TMPDIR/empty.hex"
  run -1 kmip raw "$BATS_TEST_TMPDIR/empty.hex"
  assert_line --partial InvalidMessage
  cat >"$BATS_TEST_TMPDIR/query.xml" <<END
<RequestMessage>
  <RequestHeader>
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="1"/>
      <ProtocolVersionMinor type="Integer" value="4"/>
    </ProtocolVersion>
    <BatchCount type="Integer" value="1"/>
  </RequestHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Query"/>
    <RequestPayload>
      <QueryFunction type="Enumeration" value="QueryOperations"/>
    </RequestPayload>
  </BatchItem>
</RequestMessage>
END
  run -0 kmip raw "$BATS_TEST_TMPDIR/query.xml"
  assert_line --partial '<Operation type="Enumeration" value="Locate"/>'
}

@test "what was mistyped is not sent" {
  run -2 kmip create --length many
  assert_output --partial "no value of Cryptographic Length"
  run -2 kmip frobnicate
  run -2 kmip get
  run -2 "$TOP/build/bin/touchstone" kmip query
  assert_output --partial "--target FILE, or --host"
}

@test "load asks, checks and counts" {
  run -0 load_it --mix get=8,locate=1,create=1,register=1 --count 500 \
    --objects 50 --conns 4 --seed 1 --json "$BATS_TEST_TMPDIR/load.jsonl"
  assert_line --regexp '^op=get result=all mode=closed n=[0-9]+ .* service_p50_us='
  assert_line --regexp '^sum mode=closed .*answered=500 late=0 .*server_us=[1-9]'
  refute_line --partial "latency"
  run -0 grep -c '"type":"sum"' "$BATS_TEST_TMPDIR/load.jsonl"
}

@test "an open loop counts from when a request was due" {
  # a slow machine may make the generator late: 2 says so, and no more
  run load_it --op get --objects 10 --conns 2 --rate 100 --for 0.5s
  [[ $status -eq 0 || $output == *generator=invalid* ]]
  assert_line --regexp '^op=get result=all mode=open n=(49|50) .* latency_p50_us='
}

@test "a fresh connection for each request, resumed or not" {
  run -0 load_it --op get --objects 5 --conns 2 --handshake full --count 20
  assert_line --regexp 'connected=20 resumed=0 '
  run -0 load_it --op get --objects 5 --conns 2 --handshake resume --count 20
  assert_line --regexp 'connected=20 resumed=(19|20) '
}

@test "load fails when answers are wrong" {
  run -0 load_it --op get --objects 5 --conns 1 --count 5 \
    --population "$BATS_TEST_TMPDIR/objects"
  # another's key: the numbers of the first two objects changed places
  sed -i '2{h;d};3{G}' "$BATS_TEST_TMPDIR/objects"
  run -1 load_it --op get --objects 5 --conns 1 --count 50 \
    --population "$BATS_TEST_TMPDIR/objects"
  assert_line --regexp '^op=get result=wrong-answer '
}

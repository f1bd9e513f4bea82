#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Where keys are not: in memory, files and logs, once no request holds them.
#
# harness/robust/scan.c reads all of the process's memory and every file of the
# appliance. It is believed when it finds nothing because it has found the same
# key before, while a request held it.
# bats file_tags=memory-scan, keys-at-rest
bats_require_minimum_version 1.5.0

setup() {
  load helper
  key=$BATS_TEST_TMPDIR/key
  head -c 32 /dev/urandom >"$key"
}

teardown() {
  server_stop
}

# scan OPTION...: the server's memory and files, for runs of 8 octets
scan() {
  "$TOP/build/bin/scan" --pid "$(<"$SERVER_DIR/pid")" --dir "$SERVER_DIR" \
    --run 8 "$@"
}

# nowhere FILE...: none of these keys is anywhere
nowhere() {
  local words=()
  for file in "$@"; do
    words+=(--key "$file")
  done
  run scan "${words[@]}"
  assert_success
  assert_output --regexp '^0 found in [0-9]{7,} octets$'
}

# registered FILE: as an AES key
registered() {
  kmip register --material "$1" --alg AES --length 256
}

# the_same ID FILE: what the server hands out
the_same() {
  kmip get "$1" --out "$BATS_TEST_TMPDIR/got"
  cmp "$BATS_TEST_TMPDIR/got" "$2"
}

@test "A key is in memory while its request is not complete, and nowhere afterwards" {
  server_start
  peers_start
  peers hold "$key"
  run scan --key "$key" --await
  assert_failure 1
  assert_line --regexp "^memory .*: 32 octets of $key, as octets$"
  refute_line --regexp "^file "
  read -r _ id < <(peers release)
  nowhere "$key"
  the_same "$id" "$key"
  nowhere "$key"
  kmip destroy "$id"
  nowhere "$key"
  run kmip get "$id"
  assert_failure 1
}

@test "A key whose client goes before its request is complete is nowhere" {
  server_start
  peers_start
  peers hold "$key"
  server await connections=1
  run scan --key "$key" --await
  assert_failure 1
  peers close
  server await connections=0
  nowhere "$key"
}

@test "A key is in memory while its answer is not taken, and nowhere afterwards" {
  server_start
  id=$(registered "$key")
  nowhere "$key"
  peers_start
  # the system's own buffers take some thousand answers, encrypted
  for ((try = 0; try < 100; try++)); do
    peers deaf "$id"
    run scan --key "$key"
    [ "$status" -eq 0 ] || break
  done
  assert_failure 1
  assert_line --regexp "^memory .*: 32 octets of $key, as octets$"
  refute_line --regexp "^file "
  peers close
  server await connections=0
  nowhere "$key"
}

@test "A key is in memory while its group is being written, and nowhere afterwards" {
  server_start
  server fault sync stop
  registered "$key" >"$BATS_TEST_TMPDIR/id" 3>&- &
  client=$!
  run scan --key "$key" --await
  assert_failure 1
  refute_line --regexp "^file "
  kill -CONT "$(<"$SERVER_DIR/pid")"
  wait "$client"
  nowhere "$key"
  the_same "$(<"$BATS_TEST_TMPDIR/id")" "$key"
  nowhere "$key"
}

@test "A key that is refused, or undone with its group, is nowhere" {
  server_start
  run kmip register --material "$key" --alg AES --length 128
  assert_failure 1
  nowhere "$key"
  server fault disk-full on
  run registered "$key"
  assert_failure 1
  nowhere "$key"
  server fault disk-full off
  server fault hsm fail
  server await hsm=unreachable
  run registered "$key"
  assert_failure 1
  nowhere "$key"
}

@test "A key that was handed out in every version, over TLS 1.2 and 1.3, is nowhere" {
  server_start
  id=$(registered "$key")
  for version in 1.0 1.1 1.2 1.3 1.4 2.0 2.1; do
    kmip get "$id" --version "$version" --out "$BATS_TEST_TMPDIR/got"
    cmp "$BATS_TEST_TMPDIR/got" "$key"
  done
  for tls in 1.2 1.3; do
    "$TOP/build/bin/touchstone" load --target "$TARGET" --op get --tls "$tls" \
      --closed --objects 20 --count 500 --conns 4
  done
  nowhere "$key"
  kmip destroy "$id"
  nowhere "$key"
}

# secret_numbers FILE: those of a private key in DER, as files of octets
secret_numbers() {
  local name hex
  openssl pkey -inform DER -in "$1" -text -noout | awk '
    /^[A-Za-z0-9]+:/ {
      name = $1
      sub(/:.*/, "", name)
      on = name ~ /^(privateExponent|prime[12]|exponent[12]|coefficient|priv)$/
      next
    }
    !/^ / { on = 0 }
    on { gsub(/[ :]/, ""); number[name] = number[name] $0 }
    END { for (n in number) print n, number[n] }' |
    while read -r name hex; do
      tr a-f A-F <<<"${hex#00}" | basenc --base16 -d >"$1.$name"
    done
}

# private_key_of ALG BITS FORMAT...: registered, created, handed out, destroyed
private_key_of() {
  local made=$BATS_TEST_TMPDIR/$1.made.der own=$BATS_TEST_TMPDIR/$1.own.der id
  id=$(kmip create-key-pair --alg "$1" --length "$2" | sed -n 's/^private=//p')
  kmip get "$id" --format PKCS_8 --out "$made"
  secret_numbers "$made"
  nowhere "$made".*
  # what there is to find is found
  cp "$made" "$SERVER_DIR/planted"
  run scan --key "$(printf '%s\n' "$made".* | head -n 1)"
  assert_failure 1
  rm "$SERVER_DIR/planted"
  kmip destroy "$id"
  nowhere "$made".*

  case $1 in
  RSA) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" ;;
  *) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
  esac 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$own"
  secret_numbers "$own"
  id=$(kmip register --type PrivateKey --format PKCS_8 --alg "$1" \
    --length "$2" --mask Sign --material "$own")
  nowhere "$own".*
  for format in "${@:3}"; do
    kmip get "$id" --format "$format" --xml
  done
  nowhere "$own".*
  kmip destroy "$id"
  nowhere "$own".*
}

@test "The secret numbers of an RSA key are nowhere, made here or elsewhere" {
  server_start
  private_key_of RSA 2048 PKCS_1 PKCS_8 TransparentRSAPrivateKey
}

@test "The secret number of an EC key is nowhere, made here or elsewhere" {
  server_start
  private_key_of ECDSA 256 ECPrivateKey PKCS_8 TransparentECPrivateKey
}

@test "What reaches the log at its most talkative is no key" {
  server_copy
  LOG=wire:trace,ops:debug,kmip:trace,net:trace,store:trace,crypto:trace \
    server_start
  id=$(registered "$key")
  the_same "$id" "$key"
  run grep -c ResponseMessage "$SERVER_DIR/server.log"
  assert_success
  nowhere "$key"
}

@test "The PIN of the token is not in memory once it was used" {
  server_start
  run scan --key "$SERVER_DIR/hsm/pin"
  # the two files that hold it, for their owner alone
  assert_line --regexp "^file $SERVER_DIR/hsm/pin 0: "
  refute_line --regexp "^memory "
}

@test "There are no core files" {
  for way in "" --real-time; do
    server_start ${way:+"$way"}
    run grep "Max core file size" "/proc/$(<"$SERVER_DIR/pid")/limits"
    assert_output --regexp "^Max core file size +0 +0 +bytes"
    kill -ABRT "$(<"$SERVER_DIR/pid")"
    flock --timeout 20 "$SERVER_DIR/lock" true
    run find "$SERVER_DIR" -name '*core*'
    assert_output ""
  done
}

@test "Outside of the laboratory nobody looks in, not even the same user" {
  [ "$(id -u)" -ne 0 ] || skip "root may look into everything"
  server_start --real-time
  run scan --key "$key"
  assert_failure 2
}

# ---- and it would be seen

@test "The scan finds a key in each form, in part, and says where" {
  server_copy
  plant() {
    cat >"$SERVER_DIR/planted"
    run "$TOP/build/bin/scan" --dir "$SERVER_DIR" --key "$key"
    assert_failure 1
    assert_line --regexp "^file $SERVER_DIR/planted [0-9a-f]+: $1$"
  }
  { head -c 3000000 /dev/zero; cat "$key"; } |
    plant "32 octets of $key, as octets"
  tail -c 17 "$key" | plant "17 octets of $key, as octets"
  basenc --base16 -w 0 "$key" | tr A-F a-f |
    plant "64 octets of $key, in hexadecimal"
  basenc --base16 -w 0 "$key" | plant "64 octets of $key, in HEXADECIMAL"
  base64 -w 0 "$key" | plant "[0-9]+ octets of $key, in base64"
  { printf x; cat "$key"; } | base64 -w 0 |
    plant "[0-9]+ octets of $key, in base64"
  { printf xx; cat "$key"; } | base64 -w 0 |
    plant "[0-9]+ octets of $key, in base64"
  basenc --base16 -w 2 "$key" | tac | basenc --base16 -d |
    plant "32 octets of $key, from last to first"
  # less than a run is no find
  head -c 15 "$key" >"$SERVER_DIR/planted"
  run "$TOP/build/bin/scan" --dir "$SERVER_DIR" --key "$key"
  assert_success
}

@test "What could not be looked at is no clean bill" {
  server_copy
  run "$TOP/build/bin/scan" --pid 999999999 --key "$key"
  assert_failure 2
  run "$TOP/build/bin/scan" --dir "$BATS_TEST_TMPDIR/none" --key "$key"
  assert_failure 2
  head -c 32 /dev/zero >"$key"
  run "$TOP/build/bin/scan" --dir "$SERVER_DIR" --key "$key"
  assert_failure 2
}

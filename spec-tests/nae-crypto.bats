#!/usr/bin/env bats
# Operations with keys over NAE-XML, every algorithm, mode and padding, judged
# by the openssl command with the exported key
# bats file_tags=nae-xml, crypto
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  server_start
  cd "$BATS_TEST_TMPDIR" || return 1
  # a key of RSA-4096 takes its time, and more on a busy machine
  cat >patient.conf <<EOF
include = $TARGET
[target]
answer-timeout-ms = 60000
EOF
  TARGET=$PWD/patient.conf
}

teardown() {
  server_stop
}

# nae REQUEST [NAME=VALUE]... [OPTION]...: in a global session
nae() {
  timeout 120 "$TOP/build/bin/touchstone" nae "$@" --target "$TARGET" 3>&-
}

# crypto ACTION KEY ALGORITHM IN OUT [NAME=VALUE]...: one operation
crypto() {
  nae Crypto "Action=$1" "KeyName=$2" "Algorithm=$3" "${@:6}" \
    --data "$4" --out "$5" >crypto.out
}

# ossl ARGUMENTS...: openssl, old algorithms too
ossl() {
  openssl "$@" -provider default -provider legacy
}

# new_key NAME ALGORITHM SIZE: $key is what openssl calls it, in base 16
new_key() {
  nae KeyGen "KeyName=$1" "Algorithm=$2" "KeySize=$3" Exportable >/dev/null
  key=$(nae KeyExport "KeyName=$1" | sed -n 's/^KeyData=//p')
}

# plain FILE OCTETS: some of everything, and no two blocks alike
plain() {
  openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null |
    head -c "$2" >"$1"
}

iv_of() { # OCTETS
  printf '%0*d' "$((2 * $1))" 20261121
}

# agrees KEY ALGORITHM CIPHER IV-OCTETS OCTETS: what the server encrypts openssl
# decrypts to the same, and the other way round
agrees() {
  local padding=() iv=() element=()
  [[ $2 != *NoPadding ]] || padding=(-nopad)
  if [ "$4" -ne 0 ]; then
    iv=(-iv "$(iv_of "$4")")
    element=("IV=$(iv_of "$4")")
  fi
  plain plain "$5"
  crypto ENCRYPT "$1" "$2" plain coded "${element[@]}"
  ossl enc -d "-$3" -K "$key" "${iv[@]}" "${padding[@]}" -in coded -out back
  cmp plain back
  ossl enc "-$3" -K "$key" "${iv[@]}" "${padding[@]}" -in plain -out theirs
  cmp coded theirs
  crypto DECRYPT "$1" "$2" theirs back "${element[@]}"
  cmp plain back
}

# block_cipher KEY NAME OPENSSL-PREFIX BLOCK: both modes, both paddings
block_cipher() {
  local octets
  for octets in 0 16 1000; do
    agrees "$1" "$2/CBC/PKCS5Padding" "$3-cbc" "$4" "$octets"
    agrees "$1" "$2/ECB/PKCS5Padding" "$3-ecb" 0 "$octets"
  done
  for octets in 16 100000; do
    agrees "$1" "$2/CBC/NoPadding" "$3-cbc" "$4" "$octets"
    agrees "$1" "$2/ECB/NoPadding" "$3-ecb" 0 "$octets"
  done
  agrees "$1" "$2" "$3-ecb" 0 333 # the name alone
}

# spec: nae-xml 2.5
@test "AES of 128, 192 and 256 bits agrees with openssl enc" {
  local size key
  for size in 128 192 256; do
    new_key "aes$size" AES "$size"
    block_cipher "aes$size" AES "aes-$size" 16
  done
}

# spec: nae-xml 2.5
@test "Triple DES with two keys and with three agrees with openssl enc" {
  local key
  new_key tdea3 DESede 168
  block_cipher tdea3 DESede des-ede3 8
  new_key tdea2 DESede 112
  block_cipher tdea2 DESede des-ede 8
}

# spec: nae-xml 2.5
@test "DES agrees with openssl enc" {
  local key
  new_key des DES 56
  block_cipher des DES des 8
}

# spec: nae-xml 2.5
@test "RC4 of 40 and 128 bits agrees with openssl enc, and starts afresh" {
  local key
  new_key rc4 RC4 128
  agrees rc4 RC4 rc4 0 1000
  agrees rc4 RC4 rc4 0 1
  agrees rc4 RC4 rc4 0 100000
  new_key rc40 RC4 40
  agrees rc40 RC4 rc4-40 0 1000
}

# req: KS-28-091
@test "SEED agrees with openssl enc, where it is feature-activated and nowhere else" {
  local key
  run -1 nae KeyGen KeyName=seed Algorithm=SEED
  assert_output --partial 10301
  console config 'edit features seed yes' >/dev/null
  new_key seed SEED 128
  block_cipher seed SEED seed 16
  console config 'edit features seed no' >/dev/null
  plain plain 16
  run -1 nae Crypto Action=ENCRYPT KeyName=seed Algorithm=SEED --data plain \
    --out coded
  assert_output --partial 10301
}

# req: KS-28-037
@test "Without an IV in the request the key's own is used, and openssl with it agrees" {
  local key iv
  new_key own AES 256
  iv=$(nae KeyInfo KeyName=own | sed -n 's/^DefaultIV=//p')
  assert_equal "${#iv}" 32
  plain plain 1000
  crypto ENCRYPT own AES/CBC/PKCS5Padding plain coded
  ossl enc -d -aes-256-cbc -K "$key" -iv "$iv" -in coded -out back
  cmp plain back
  crypto DECRYPT own AES/CBC/PKCS5Padding coded back
  cmp plain back
  # another key has another one
  nae KeyGen KeyName=other Algorithm=AES KeySize=256 >/dev/null
  refute [ "$(nae KeyInfo KeyName=other | sed -n 's/^DefaultIV=//p')" = "$iv" ]
}

hex_of() {
  xxd -p "$1" | tr -d '\n'
}

# spec: nae-xml 2.8
@test "HMACs with all digests agree with openssl dgst" {
  local digest secret mac
  plain plain 100000
  for digest in 1 256 384 512; do
    nae KeyGen "KeyName=h$digest" "Algorithm=HmacSHA$digest" Exportable >/dev/null
    secret=$(nae KeyExport "KeyName=h$digest" | sed -n 's/^KeyData=//p')
    crypto MAC "h$digest" "HmacSHA$digest" plain mac
    mac=$(openssl dgst "-sha$digest" -mac HMAC -macopt "hexkey:$secret" plain |
      sed 's/.* //')
    assert_equal "$(hex_of mac)" "$mac"
    run nae Crypto Action=MACV "KeyName=h$digest" "Algorithm=HmacSHA$digest" \
      "Value=$mac" --data plain
    assert_success
    assert_line Verified=true
    # one digit of it is another
    run nae Crypto Action=MACV "KeyName=h$digest" "Algorithm=HmacSHA$digest" \
      "Value=${mac%?}$(tr 0-9a-f 1-9a-f0 <<<"${mac: -1}")" --data plain
    assert_success
    assert_line Verified=false
  done
}

# rsa_key NAME BITS: private half NAME.pem, public half NAME.pub
rsa_key() {
  nae KeyGen "KeyName=$1" Algorithm=RSA "KeySize=$2" Exportable >/dev/null
  nae KeyExport "KeyName=$1" --xml |
    sed -n '/-----BEGIN/,/-----END/{s/.*-----BEGIN/-----BEGIN/;s/KEY-----<.*/KEY-----/;p}' \
      >"$1.pem"
  openssl rsa -in "$1.pem" -pubout -out "$1.pub" 2>/dev/null
}

# spec: nae-xml 2.5
@test "RSA of 512 to 4096 bits agrees with openssl pkeyutl and dgst" {
  local bits digest sent
  plain plain 53
  for bits in 512 1024 2048 3072 4096; do
    rsa_key "r$bits" "$bits"
    run openssl rsa -in "r$bits.pem" -noout -text -check
    assert_success
    assert_output --partial "Private-Key: ($bits bit"

    crypto ENCRYPT "r$bits" RSA/ECB/PKCS1Padding plain coded
    openssl pkeyutl -decrypt -inkey "r$bits.pem" -in coded -out back
    cmp plain back
    openssl pkeyutl -encrypt -pubin -inkey "r$bits.pub" -in plain -out coded
    crypto DECRYPT "r$bits" RSA coded back
    cmp plain back

    for digest in 1 256 384 512; do
      # a modulus of 512 bits has no room for the longer ones
      if [ "$bits" -eq 512 ] && [ "$digest" -gt 256 ]; then
        run -1 nae Crypto Action=SIGN "KeyName=r$bits" \
          "Algorithm=SHA${digest}withRSA" --data plain --out coded
        assert_output --partial 10302
        continue
      fi
      crypto SIGN "r$bits" "SHA${digest}withRSA" plain ours
      openssl dgst "-sha$digest" -verify "r$bits.pub" -signature ours plain
      openssl dgst "-sha$digest" -sign "r$bits.pem" -out theirs plain
      cmp ours theirs
      sent=$(hex_of theirs)
      run nae Crypto Action=SIGNV "KeyName=r$bits" \
        "Algorithm=SHA${digest}withRSA" "Value=$sent" --data plain
      assert_line Verified=true
      run nae Crypto Action=SIGNV "KeyName=r$bits" \
        "Algorithm=SHA${digest}withRSA" "Value=$sent" --data coded
      assert_line Verified=false
    done
  done
}

# req: KS-28-257
@test "RSA keys that openssl made sign and decrypt here as they do there" {
  local bits
  plain plain 53
  for bits in 512 1024 4096; do
    openssl genrsa -traditional -out "r$bits.pem" "$bits" 2>/dev/null
    nae KeyImport "KeyName=r$bits" Algorithm=RSA \
      "KeyData=$(cat "r$bits.pem")" >/dev/null
    crypto SIGN "r$bits" SHA256withRSA plain ours
    openssl dgst -sha256 -sign "r$bits.pem" -out theirs plain
    cmp ours theirs
    openssl pkeyutl -encrypt -inkey "r$bits.pem" -in plain -out coded
    crypto DECRYPT "r$bits" RSA coded back
    cmp plain back
  done
}

# spec: nae-xml 2.5
@test "What a versioned key makes begins with its version, and openssl reads the rest" {
  local second
  nae KeyGen KeyName=v Algorithm=AES KeySize=128 Exportable VersionedKey >/dev/null
  nae KeyVersionGen KeyName=v >/dev/null
  second=$(nae KeyExport 'KeyName=v#2' | sed -n 's/^KeyData=//p')
  plain plain 1000
  crypto ENCRYPT v AES/CBC/PKCS5Padding plain coded "IV=$(iv_of 16)"
  assert_equal "$(head -c 3 coded | xxd -p)" 010002
  tail -c +4 coded |
    ossl enc -d -aes-128-cbc -K "$second" -iv "$(iv_of 16)" -out back
  cmp plain back
  crypto DECRYPT v AES/CBC/PKCS5Padding coded back "IV=$(iv_of 16)"
  cmp plain back
}

# peak_kib: the most memory that the server ever had, of what is its own
peak_kib() {
  sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cat "$SERVER_DIR/pid")/status"
}

# spec: nae-xml 2.1
@test "64 MiB are encrypted in one request within 160 MiB, and one octet more is refused in them" {
  local key
  new_key big AES 256
  plain plain $((64 << 20))
  no_turn_of 5000 \
    crypto ENCRYPT big AES/CBC/PKCS5Padding plain coded "IV=$(iv_of 16)"
  ossl enc -d -aes-256-cbc -K "$key" -iv "$(iv_of 16)" -in coded -out back
  cmp plain back
  echo "peak: $(peak_kib) KiB"
  assert [ "$(peak_kib)" -lt $((160 << 10)) ]
  printf x >>plain
  run -1 nae Crypto Action=ENCRYPT KeyName=big Algorithm=AES/CBC/PKCS5Padding \
    --data plain --out coded
  assert_output --partial 10005
  assert [ "$(peak_kib)" -lt $((160 << 10)) ]
}

# spec: nae-xml 2.1
@test "A MAC of 64 MiB takes no memory for its data, nor does one octet more" {
  local before
  nae KeyGen KeyName=m Algorithm=HmacSHA256 Exportable >/dev/null
  plain plain 1000
  crypto MAC m HmacSHA256 plain mac
  before=$(peak_kib)
  plain plain $((64 << 20))
  crypto MAC m HmacSHA256 plain mac
  printf x >>plain
  run -1 nae Crypto Action=MAC KeyName=m Algorithm=HmacSHA256 --data plain \
    --out mac
  assert_output --partial 10005
  echo "before: $before KiB, peak: $(peak_kib) KiB"
  assert [ "$(peak_kib)" -lt $((before + 4096)) ]
}

# spec: nae-xml 1.1
@test "RSA-4096 keys are made and used on workers: no turn of the loop takes 5 ms" {
  local made=0
  use_new_key() {
    local r=r$((++made))
    nae KeyGen "KeyName=$r" Algorithm=RSA KeySize=4096 >/dev/null
    for _ in 1 2 3 4 5; do
      crypto SIGN "$r" SHA256withRSA plain signed
    done
    crypto ENCRYPT "$r" RSA plain coded
    crypto DECRYPT "$r" RSA coded back
    cmp plain back
  }
  plain plain 53
  no_turn_of 5000 use_new_key
}

#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154  # pkcs11.bash and bats read and write these
# Two foreign programs at the simulated card: OpenSC's pkcs11-tool with its own
# test, and OpenSSL's engine with keys that are in it.
# bats file_tags=pkcs11, hsm, witness
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load pkcs11
  daemon_token bin
  cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
  token_stop
}

# pair TYPE ID LABEL: in the partition
pair() {
  tool --login --pin "$P11_PIN" --keypairgen --key-type "$1" --id "$2" \
    --label "$3" --usage-sign
}

# engine_setup: openssl finds the engine and the module. The PIN is in a file of
# this test, and on no command line.
engine_setup() {
  local so
  so=$(find /usr/lib -path '*/engines-3/pkcs11.so' | head -n 1)
  [ -n "$so" ] || skip "witness: libengine-pkcs11-openssl is not installed"
  (umask 077 && cat >openssl.cnf) <<END
openssl_conf = main
[main]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = $so
MODULE_PATH = $P11_MODULE
PIN = $P11_PIN
init = 0
[req]
distinguished_name = name
[name]
END
  export OPENSSL_CONF=$BATS_TEST_TMPDIR/openssl.cnf
}

# key_uri LABEL: a private key of the card, as the engine names it
key_uri() { echo "pkcs11:token=$P11_TOKEN;object=$1;type=private"; }

@test "pkcs11-tool --test passes completely" {
  pair rsa:2048 01 signer
  pair EC:prime256v1 02 curve
  run -0 tool --login --pin "$P11_PIN" --test
  assert_line "No errors"
  assert_line --regexp 'RSA-PKCS-OAEP: .*'
  assert_line "    SHA256-RSA-PKCS: OK"
  refute_line --regexp '[1-9][0-9]* errors'
}

@test "pkcs11-tool --test fails at raw SoftHSM: the card puts it right" {
  token_stop
  softhsm_token
  pair rsa:2048 01 signer
  run ! tool --login --pin "$P11_PIN" --test
}

@test "OpenSSL signs a certificate with an RSA key of the card" {
  engine_setup
  pair rsa:2048 01 ca
  openssl req -engine pkcs11 -keyform engine -key "$(key_uri ca)" -new -x509 \
    -subj "/CN=a CA of the card" -sha256 -days 1 -out ca.pem
  run -0 openssl x509 -in ca.pem -noout -subject
  assert_output "subject=CN = a CA of the card"
  run -0 openssl verify -CAfile ca.pem -check_ss_sig ca.pem
  # another key's certificate of that name is refused
  openssl req -newkey rsa:2048 -nodes -keyout other.key -new -x509 \
    -subj "/CN=a CA of the card" -days 1 -out other.pem
  run ! openssl verify -CAfile other.pem -check_ss_sig -partial_chain ca.pem
}

@test "OpenSSL issues a certificate with an EC key of the card" {
  engine_setup
  pair EC:prime256v1 02 ec-ca
  openssl req -engine pkcs11 -keyform engine -key "$(key_uri ec-ca)" -new \
    -x509 -subj "/CN=an EC CA" -sha256 -days 1 -out ca.pem
  openssl req -newkey rsa:2048 -nodes -keyout leaf.key -new -subj "/CN=leaf" \
    -out leaf.csr
  openssl x509 -engine pkcs11 -req -in leaf.csr -CA ca.pem -CAkeyform engine \
    -CAkey "$(key_uri ec-ca)" -set_serial 2 -days 1 -out leaf.pem
  run -0 openssl verify -CAfile ca.pem leaf.pem
}

@test "What OpenSSL signs through the engine verifies without it" {
  engine_setup
  pair rsa:2048 01 signer
  pair EC:prime256v1 02 curve
  printf 'to be signed' >data
  for name in signer curve; do
    openssl dgst -engine pkcs11 -keyform engine -sha256 \
      -sign "$(key_uri "$name")" -out "$name.sig" data
    openssl pkey -engine pkcs11 -inform engine -pubin -pubout \
      -in "pkcs11:token=$P11_TOKEN;object=$name;type=public" -out "$name.pem"
    run -0 openssl dgst -sha256 -verify "$name.pem" -signature "$name.sig" data
    assert_output "Verified OK"
    printf 'to be Signed' >other
    run ! openssl dgst -sha256 -verify "$name.pem" -signature "$name.sig" other
  done
}

@test "OpenSSL gets no signature with a wrong PIN" {
  engine_setup
  pair rsa:2048 01 signer
  printf 'to be signed' >data
  sed -i 's/^PIN = .*/PIN = not-the-password/' openssl.cnf
  run ! openssl dgst -engine pkcs11 -keyform engine -sha256 \
    -sign "$(key_uri signer)" -out sig data </dev/null
  run find . -name sig -size +0
  assert_output ""
}

#!/usr/bin/env bats
# Chapter 28, Import a Certificate as a Managed Object, and chapter 37: a
# certificate with its key, told by the command line, NAE-XML and KMIP, and
# judged by the openssl command
# bats file_tags=keys, certs
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load remote-host
  needs adapter_nae
  story_start
  as admin "user alice administration no" "$OWN" "$OWN"
  cd "$BATS_TEST_TMPDIR" || return 1
  openssl req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.crt \
    -subj "/CN=Wharf Root" -days 30 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -noenc -keyout crane.key -out crane.crt \
    -subj "/CN=crane" -days 30 -CA ca.crt -CAkey ca.key \
    -addext basicConstraints=critical,CA:FALSE 2>/dev/null
}

teardown() {
  remote_host_end
  adapter_stop
}

# import FILE NAME PASSWORD [WORD VALUE...]: pasted, as an administrator
import() {
  local text
  mapfile -t text <"$1"
  as admin "key certificate import $2 ${*:4}" "${text[@]}" . "$3"
}

# certificates NAME: those of alice's key, into got.crt
certificates() {
  adapter_nae alice "$OWN" KeyCertificateExport "KeyName=$1" --xml |
    sed -n '/-----BEGIN/,/-----END/p' | sed 's/^.*>-----/-----/; s/<.*//' \
      >got.crt
}

# is_crane NAME: alice's key and its certificate are those of crane
is_crane() {
  certificates "$1"
  cmp <(openssl x509 -in got.crt) crane.crt
  adapter_nae alice "$OWN" PublicKeyExport "KeyName=$1" --xml |
    sed -n '/-----BEGIN/,/-----END/p' | sed 's/^.*>-----/-----/; s/<.*//' \
      >public.pem
  cmp <(openssl rsa -RSAPublicKey_in -in public.pem -pubout 2>/dev/null) \
    <(openssl x509 -in crane.crt -noout -pubkey)
}

# officer NAME CONTROL: an administrator with that access control
officer() {
  as admin "administrator $1 access-control $2" "$FIRST" "$FIRST"
  with "$1" "$FIRST" "show clock" "$OWN" "$OWN"
}

# client OPERATION ARGUMENTS...: over KMIP, as the certificate of alice
client() {
  "$TOP/build/bin/touchstone" kmip "$@" --target "$(adapter_target)"
}

# req: KS-28-288 KS-28-289 KS-28-290 KS-28-291 KS-28-292 KS-28-298 KS-28-304
@test "A certificate is imported as X.509, PKCS #7 and PKCS #12, with its key only" {
  cat crane.crt crane.key >x509
  import x509 x509 '' owner alice
  is_crane x509
  openssl crl2pkcs7 -nocrl -certfile ca.crt -certfile crane.crt -out bag
  cat crane.key bag >pkcs7
  import pkcs7 pkcs7 '' owner alice
  is_crane pkcs7
  openssl verify -CAfile ca.crt got.crt
  [ "$(grep -c BEGIN got.crt)" -eq 2 ]
  openssl pkcs12 -export -inkey crane.key -in crane.crt -certfile ca.crt \
    -passout pass:Tide.Table9 -out box
  { echo -----BEGIN PKCS12-----; base64 box; echo -----END PKCS12-----; } \
    >pkcs12
  run -1 import pkcs12 pkcs12 Neap.Tide4 owner alice
  assert_output --partial "the password does not open its PKCS12 block"
  import pkcs12 pkcs12 Tide.Table9 owner alice
  is_crane pkcs12
  run -1 import crane.crt bare '' owner alice
  assert_output --partial "Certificate: its private key is missing"
  cat ca.crt crane.key >other
  run -1 import other other '' owner alice
  assert_output --partial "the private key is another certificate's"
  run as admin "show keys"
  assert_output --partial "x509 "
  refute_output --partial "bare"
  run as admin "show key certificate x509"
  assert_output --partial "Subject: CN=crane"
}

# req: KS-28-294
@test "It takes Keys and Authorization Policies to import a certificate" {
  local text
  cat crane.crt crane.key >x509
  mapfile -t text <x509
  officer certs certificates
  run with certs "$OWN" "key certificate import x509 owner alice" \
    "${text[@]}" . ''
  assert_failure
  assert_output --partial "Keys and Authorization Policies"
  officer keys keys
  with keys "$OWN" "key certificate import x509 owner alice" "${text[@]}" . ''
  is_crane x509
}

# req: KS-28-293 KS-28-300 KS-37-016 KS-37-017
@test "What was encrypted with a certificate is decrypted with the imported key" {
  cat crane.crt crane.key >x509
  import x509 x509 '' owner alice exportable yes
  printf 'the tide turns at four' >plain
  openssl pkeyutl -encrypt -certin -inkey crane.crt -in plain -out cipher
  adapter_nae alice "$OWN" Crypto Action=DECRYPT KeyName=x509 \
    Algorithm=RSA/ECB/PKCS1Padding --data cipher --out decrypted
  cmp plain decrypted
  adapter_nae alice "$OWN" Crypto Action=SIGN KeyName=x509 \
    Algorithm=SHA256withRSA --data plain --out signature
  openssl dgst -sha256 -verify <(openssl x509 -in crane.crt -noout -pubkey) \
    -signature signature plain
  adapter_nae alice "$OWN" KeyExport KeyName=x509 --xml |
    sed -n '/-----BEGIN/,/-----END/p' | sed 's/^.*>-----/-----/; s/<.*//' \
      >exported.key
  cmp <(openssl rsa -in exported.key -traditional 2>/dev/null) \
    <(openssl rsa -in crane.key -traditional 2>/dev/null)
  # nobody else's
  as admin "user bob administration no" "$OWN" "$OWN"
  run -1 adapter_nae bob "$OWN" KeyCertificateExport KeyName=x509
  assert_output --partial 10201
}

# req: KS-28-292
@test "KMIP sees the key, its certificate and the one that signed it, linked" {
  local key leaf
  cat crane.crt ca.crt crane.key >x509
  import x509 x509 '' owner alice deletable yes
  key=$(client locate --name x509)
  leaf=$(client locate --type Certificate | grep 'c1$')
  run client attributes "$key" Link
  assert_output --partial "$leaf"
  client get "$leaf" --out leaf.der
  cmp <(openssl x509 -inform DER -in leaf.der) crane.crt
  client get "${leaf%1}2" --out root.der
  cmp <(openssl x509 -inform DER -in root.der) ca.crt
  adapter_nae alice "$OWN" KeyDel KeyName=x509
  run -1 client get "$leaf"
}

# req: KS-28-303
@test "A certificate is fetched with SCP, given the right password" {
  remote_host_make
  remote_ssh_start
  cat crane.crt crane.key >"$REMOTE_DIR/home/crane.pem"
  chmod 644 "$REMOTE_DIR/home/crane.pem"
  run -1 as admin "key certificate import x509 owner alice source scp" \
    "127.0.0.1:$REMOTE_SSH_PORT" crane.pem "$REMOTE_USER" wrong
  assert_output --partial "Source: scp: "
  as admin "key certificate import x509 owner alice source scp" \
    "127.0.0.1:$REMOTE_SSH_PORT" "$REMOTE_DIR/home/crane.pem" \
    "$REMOTE_USER" "$REMOTE_PASSWORD" ''
  is_crane x509
  run -1 as admin "key certificate import y owner alice source scp" \
    "127.0.0.1:$REMOTE_SSH_PORT" nobody.pem "$REMOTE_USER" "$REMOTE_PASSWORD"
}

# The local CA signs what NAE-XML asks it to.
@test "A certificate that a local CA signed over NAE-XML verifies, with its usage" {
  local usage
  as admin "user root administration yes" "$OWN" "$OWN"
  as admin "ca local wharf" wharf Example '' '' '' US '' 2048 365 100 |
    sed -n '/-----BEGIN/,/-----END/p' >wharf.crt
  openssl req -new -newkey rsa:2048 -noenc -keyout boat.key -out boat.csr \
    -subj "/CN=boat" 2>/dev/null
  for usage in server client; do
    adapter_nae root "$OWN" CertificateSign CAName=wharf \
      "CSRData=$(<boat.csr)" Usage=$usage ExpiryDays=30 --xml |
      sed -n '/-----BEGIN/,/-----END/p' | sed 's/^.*>-----/-----/; s/<.*//' \
        >$usage.crt
    openssl verify -no_check_time -CAfile wharf.crt -purpose ssl$usage \
      $usage.crt
  done
  run ! openssl verify -no_check_time -CAfile wharf.crt -purpose sslserver \
    client.crt
  # neither longer than the CA says, nor for who does not administer users
  run -1 adapter_nae root "$OWN" CertificateSign CAName=wharf \
    "CSRData=$(<boat.csr)" Usage=client ExpiryDays=101
  assert_output --partial "ExpiryDays"
  run -1 adapter_nae alice "$OWN" CertificateSign CAName=wharf \
    "CSRData=$(<boat.csr)" Usage=client ExpiryDays=30
  assert_output --partial 10105
  run as admin "show ca signed wharf"
  assert_output --partial boat
}

#!/usr/bin/env bats
# Chapters 34 and 35, and chapter 19's client certificate: certificates and
# certificate authorities at the console, judged by the openssl command
# bats file_tags=appliance, certs, ca
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  server_start
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  server_stop
}

# admin COMMAND...: at the console, in configuration mode
admin() {
  console config "$@"
}

# ask COMMAND ANSWER...: one that asks
ask() {
  printf '%s\n' "${@:2}" | console config "$1"
}

# pem_of KIND: the block of that kind in standard input
pem_of() {
  sed -n "/^-----BEGIN $1-----/,/^-----END $1-----/p"
}

# paste_at FILE COMMAND ANSWER...: the file's lines are the last answers
paste_at() {
  local text
  mapfile -t text <"$1"
  ask "${@:2}" "${text[@]}"
}

# ca NAME: a local CA, of 365 days, for users at most 100; its file NAME.crt
ca() {
  ask "ca local $1" "$1" Example '' '' '' US '' 2048 365 100 |
    pem_of CERTIFICATE >"$1.crt"
}

# signed CA PURPOSE DAYS REQUEST: the certificate
signed() {
  paste_at "$4" "ca sign $1" "$2" "$3" | pem_of CERTIFICATE
}

# foreign_request NAME [BITS]: NAME.key and NAME.csr, as a client makes them
foreign_request() {
  openssl req -new -newkey "rsa:${2-1024}" -nodes -keyout "$1.key" \
    -out "$1.csr" -subj "/CN=$1" 2>/dev/null
}

# at_s: the appliance's wall time, for openssl
at_s() {
  date -u -d "$(console 'show clock' | cut -d ' ' -f 1,2)" +%s
}

# req: KS-19-026 KS-03-159 KS-35-005 ESKM-086
@test "The default Trusted CA List profile is delivered empty, and the only one" {
  run admin 'show ca profile' 'show ca profile Default'
  assert_success
  assert_equal "$(grep -c '^  ' <<<"$output")" 1
  assert_line "  Default"
  assert_line "Trusted CAs"
}

# req: KS-34-012 KS-34-020 KS-03-113 KS-34-014
@test "A request carries what was entered, and openssl reads it" {
  ask 'certificate request web' web.example Example Unit Town State US \
    a@web.example 1024 | pem_of "CERTIFICATE REQUEST" >web.csr
  run openssl req -in web.csr -noout -verify -subject -nameopt RFC2253
  assert_success
  assert_output --partial "verify OK"
  assert_output --partial "emailAddress=a@web.example,CN=web.example,OU=Unit,O=Example,L=Town,ST=State,C=US"
  run openssl req -in web.csr -noout -text
  assert_output --partial "Public-Key: (1024 bit)"
  assert_output --partial "sha256WithRSAEncryption"
  run admin 'show certificate'
  assert_output --partial "Request Pending"
  run admin 'show certificate web'
  assert_line "Status: Request Pending"
  assert_equal "$(pem_of "CERTIFICATE REQUEST" <<<"$output")" "$(<web.csr)"
}

# req: KS-03-110
@test "A key of another size is no choice" {
  run ask 'certificate request web' web '' '' '' '' '' '' 512
  assert_failure
  assert_output --partial "Error: Key Size: 512: "
  run ask 'ca local root' root '' '' '' '' '' '' 1024
  assert_failure
  assert_output --partial "Error: Key Size: 1024: "
  run admin 'show certificate' 'show ca local'
  refute_output --partial "web"
  refute_output --partial "root"
}

# req: KS-34-028 KS-03-123 KS-34-025 KS-35-001 KS-34-008 KS-06-136
@test "A request that a local CA has signed is an active certificate" {
  ca root
  ask 'certificate request web' web.example '' '' '' '' '' '' 1024 |
    pem_of "CERTIFICATE REQUEST" >web.csr
  signed root server 50 web.csr >web.crt
  run paste_at web.crt 'certificate install web'
  assert_success
  run admin 'show certificate web'
  assert_line "Status: Active"
  run openssl verify -attime "$(at_s)" -x509_strict -purpose sslserver \
    -CAfile root.crt web.crt
  assert_success
  # another one's answer is not this one's
  ask 'certificate request web2' web2 '' '' '' '' '' '' 1024 >/dev/null
  run paste_at web.crt 'certificate install web2'
  assert_failure
  assert_output --partial "is no certificate for the key of this one"
  server clock advance 51d >/dev/null
  run admin 'show certificate web'
  assert_line "Status: Expired"
}

# req: KS-19-035 KS-19-046 KS-19-047 KS-19-048 KS-19-050 KS-19-052
# req: ESKM-076 KS-34-034
@test "A client's own RSA-1024 request is signed for the purpose Client" {
  ca root
  ca other
  foreign_request alice
  signed root client 10 alice.csr >alice.crt
  run openssl verify -attime "$(at_s)" -x509_strict -purpose sslclient \
    -CAfile root.crt alice.crt
  assert_success
  run openssl verify -attime "$(at_s)" -purpose sslserver -CAfile root.crt \
    alice.crt
  assert_failure
  run openssl verify -attime "$(at_s)" -purpose sslclient -CAfile other.crt \
    alice.crt
  assert_failure
  assert_equal "$(openssl x509 -in alice.crt -noout -pubkey)" \
    "$(openssl pkey -in alice.key -pubout)"
  local from until
  from=$(date -u -d "$(openssl x509 -in alice.crt -noout -startdate | cut -d= -f2)" +%s)
  until=$(date -u -d "$(openssl x509 -in alice.crt -noout -enddate | cut -d= -f2)" +%s)
  assert_equal "$((until - from))" "$((10 * 24 * 3600))"
  # a challenge password changes nothing
  openssl req -new -key alice.key -out challenge.csr -config <(
    printf '%s\n' '[req]' prompt=no distinguished_name=dn attributes=at \
      '[dn]' CN=alice '[at]' challengePassword=secret
  )
  signed root client 10 challenge.csr >challenge.crt
  run openssl verify -attime "$(at_s)" -purpose sslclient -CAfile root.crt \
    challenge.crt
  assert_success
}

# req: KS-19-042 KS-03-114 KS-34-021 KS-34-033
@test "A request without its first or its last line is not signed" {
  ca root
  foreign_request alice
  sed 1d alice.csr >headless.csr
  sed '$d' alice.csr >endless.csr
  echo . >>endless.csr
  run paste_at headless.csr 'ca sign root' client 10
  assert_failure
  assert_output --partial "Error: Certificate Request: the line -----BEGIN CERTIFICATE REQUEST----- is missing"
  run paste_at endless.csr 'ca sign root' client 10
  assert_failure
  assert_output --partial "Error: Certificate Request: the line -----END CERTIFICATE REQUEST----- is missing"
  run admin 'show ca signed root'
  refute_output --partial "alice"
  run paste_at alice.csr 'ca sign root' client 10
  assert_success
}

# req: KS-35-025 KS-35-026 KS-35-027 KS-35-028 KS-35-029 KS-35-031 KS-35-032
@test "Serial numbers count on, whichever local CA signs, and a CA has 0x0" {
  ca one
  ca two
  foreign_request alice
  signed one client 10 alice.csr >a.crt
  signed two client 10 alice.csr >b.crt
  signed one client 10 alice.csr >c.crt
  assert_equal "$(openssl x509 -in a.crt -noout -serial)" serial=01
  assert_equal "$(openssl x509 -in b.crt -noout -serial)" serial=02
  assert_equal "$(openssl x509 -in c.crt -noout -serial)" serial=03
  assert_equal "$(openssl x509 -in one.crt -noout -serial)" serial=00
  run admin 'show ca signed one'
  assert_line --index 1 --regexp '^  0x0 +Active +CN=one,O=Example,C=US$'
  assert_line --index 2 --regexp '^  0x1 +Active +CN=alice'
  assert_line --index 3 --regexp '^  0x3 +Active +CN=alice'
  run admin 'show ca signed one 0x3'
  assert_success
  assert_line "Serial Number: 0x3"
  assert_line "Subject: CN=alice"
  assert_line "Issuer: CN=one,O=Example,C=US"
  assert_line "Key Size: 1024"
  assert_line --regexp '^Expires: [0-9]{4}-[0-9]{2}-[0-9]{2} '
  assert_equal "$(pem_of CERTIFICATE <<<"$output")" "$(<c.crt)"
  run admin 'show ca signed one 0x2'
  assert_failure
}

# req: KS-03-098 KS-03-105 KS-35-040 KS-35-022
@test "Durations are what was asked for, and no longer than the CA allows" {
  run ask 'ca local root' root '' '' '' '' '' '' 2048 ''
  assert_failure
  run ask 'ca local root' root '' '' '' '' '' '' 2048 365 ''
  assert_failure
  ca root
  run openssl verify -attime "$(at_s)" -x509_strict -CAfile root.crt root.crt
  assert_success
  foreign_request alice
  run paste_at alice.csr 'ca sign root' client 101
  assert_failure
  assert_output --partial "Error: Certificate Duration (days): 101: 1 to 100, the CA's Maximum User Certificate Duration"
  run paste_at alice.csr 'ca sign root' client 100
  assert_success
}

# req: KS-35-043 KS-35-044 KS-35-045 KS-35-046 KS-35-052 KS-35-053 KS-35-055
# req: KS-35-057 KS-03-102 KS-03-103 KS-03-104
@test "An intermediate CA signs once another has signed it, and any of them verifies" {
  ca root
  foreign_request alice
  for pair in one:root two:one; do
    ask "ca request ${pair%:*}" "${pair%:*}" '' '' '' '' '' '' 2048 |
      pem_of "CERTIFICATE REQUEST" >"${pair%:*}.csr"
    run admin "show ca local ${pair%:*}"
    assert_line "Status: CA Certificate Request Pending"
    run paste_at alice.csr "ca sign ${pair%:*}" client 1
    assert_failure
    signed "${pair#*:}" intermediate 200 "${pair%:*}.csr" >"${pair%:*}.crt"
    run paste_at "${pair%:*}.crt" "ca response ${pair%:*}" 90
    assert_success
    run admin "show ca local ${pair%:*}"
    assert_line "Status: Active"
  done
  signed two client 10 alice.csr >alice.crt
  local now
  now=$(at_s)
  run openssl verify -attime "$now" -x509_strict -purpose sslclient \
    -CAfile root.crt -untrusted <(cat one.crt two.crt) alice.crt
  assert_success
  run openssl verify -attime "$now" -partial_chain -purpose sslclient \
    -CAfile one.crt -untrusted two.crt alice.crt
  assert_success
  run openssl verify -attime "$now" -partial_chain -purpose sslclient \
    -CAfile two.crt alice.crt
  assert_success
}

# req: KS-34-041 KS-34-042 KS-34-051 KS-34-053
@test "A certificate is imported with its key, by the key's password" {
  openssl req -x509 -newkey rsa:2048 -passout pass:secret -keyout in.key \
    -out in.crt -subj /CN=in -days 3650 2>/dev/null
  cat in.crt in.key >in.pem
  echo . | tee -a in.pem >>in.crt
  run paste_at in.crt 'certificate import in' ''
  assert_failure
  mapfile -t pem <in.pem
  run ask 'certificate import in' "${pem[@]}" Secret
  assert_failure
  assert_output --partial "the Private Key Password does not open its private key"
  run ask 'certificate import in' "${pem[@]}" secret
  assert_success
  refute_output --partial "PRIVATE KEY"
  run admin 'show certificate in'
  assert_line "Subject: CN=in"
  openssl req -x509 -newkey rsa:3072 -nodes -keyout long.key -out long.crt \
    -subj /CN=long 2>/dev/null
  cat long.crt long.key <(echo .) >long.pem
  mapfile -t pem <long.pem
  run ask 'certificate import long' "${pem[@]}" ''
  assert_failure
  assert_output --partial "its key is longer than can be imported"
}

# req: KS-35-006 KS-35-007 KS-35-009 KS-35-013 KS-35-014 KS-35-015 KS-35-016
# req: KS-35-017 KS-35-018 KS-35-061 KS-35-062 ESKM-084
@test "CAs are known or made here first, and trusted when a profile has them" {
  ca root
  openssl req -x509 -newkey rsa:2048 -nodes -keyout their.key -out their.crt \
    -subj /CN=their -days 3650 2>/dev/null
  run admin 'ca profile add Default their'
  assert_failure
  assert_output --partial "is neither a local nor a known CA"
  run paste_at their.crt 'ca install their'
  assert_success
  run admin 'show ca known'
  assert_output --partial "their"
  run admin 'show ca profile Default'
  assert_equal "${lines[*]}" "Trusted CAs Available CAs   root                      local   their                     known"
  admin 'ca profile add Default root' 'ca profile create clients' \
    'ca profile add clients their'
  run admin 'show ca profile Default'
  assert_equal "${lines[1]}" "  root                      local"
  run admin 'no ca local root'
  assert_failure
  assert_output --partial "the Trusted CA List profile Default has it"
  run admin 'no ca profile Default'
  assert_failure
  run admin 'no ca profile clients' 'no ca known their' \
    'ca profile remove Default root' 'no ca local root'
  assert_success
  # a certificate of a user is no CA's
  openssl req -x509 -newkey rsa:2048 -nodes -keyout user.key -out user.crt \
    -subj /CN=user -addext basicConstraints=critical,CA:FALSE 2>/dev/null
  run paste_at user.crt 'ca install user'
  assert_failure
  assert_output --partial "is no certificate of a certificate authority"
}

# req: KS-34-016 KS-34-019
@test "A request can be signed by its own key, and nobody trusts it for that" {
  ask 'certificate request self' self '' '' '' '' '' '' 1024 >/dev/null
  ask 'certificate self-sign self' 30 | pem_of CERTIFICATE >self.crt
  run openssl x509 -in self.crt -noout -subject -issuer
  assert_equal "${lines[0]#subject=}" "${lines[1]#issuer=}"
  run openssl verify -attime "$(at_s)" self.crt
  assert_failure
  assert_output --partial "self-signed"
  run openssl verify -attime "$(at_s)" -CAfile self.crt self.crt
  assert_success
}

# req: KS-02-040 KS-02-042
@test "What is made and what is refused stands in the audit log" {
  ca root
  foreign_request alice
  signed root client 10 alice.csr >/dev/null
  run paste_at alice.csr 'ca sign root' client 101
  assert_failure
  run admin 'show log audit'
  assert_output --partial "[admin]: Local CA root created: CN=root,O=Example,C=US, 2048 bits, 365 days, of user certificates at most 100"
  assert_output --partial "[admin]: Local CA root signed CN=alice: client, serial number 0x1, 10 days"
  assert_output --partial "Certificate Duration (days): 101"
}

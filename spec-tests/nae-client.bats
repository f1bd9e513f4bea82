#!/usr/bin/env bats
# touchstone nae, the client for scripts; and the conversations of vectors/nae
# over TLS
# bats file_tags=nae-xml, suite
bats_require_minimum_version 1.5.0

setup() {
  load helper
  server_start
  "$TOP/harness/appliance" users "${TARGET%/*}"
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  server_stop
}

# nae WORD...: as user B of the target file
nae() {
  timeout 60 "$TOP/build/bin/touchstone" nae "$@" --target "$TARGET" \
    --user B 3>&-
}

# suite OPTION...: conversations of vectors/nae
suite() {
  timeout 120 "$TOP/build/bin/touchstone" run --quiet --report report "$@" 3>&-
}

@test "Words become a request, and its answer is told in lines" {
  run -0 nae KeyGen KeyName=k1 Algorithm=AES KeySize=128 Exportable
  assert_output "KeyName=k1"
  run -0 nae KeyInfo KeyName=k1
  assert_output --partial $'KeySize=128\nOwner=bob\nExportable=true\n'
}

@test "A path of words stands in one element, with + in one of its own" {
  run -0 nae KeyGen KeyName=k1 Algorithm=AES \
    "CustomAttributeList/CustomAttribute/Name=Object Group" \
    CustomAttributeList/CustomAttribute/Value=one \
    "CustomAttributeList/+CustomAttribute/Name=Object Group" \
    CustomAttributeList/CustomAttribute/Value=two
  run -0 nae KeyInfo KeyName=k1 --xml
  assert_output --partial "<Value>one</Value></CustomAttribute><CustomAttribute>"
  assert_output --partial "<Value>two</Value></CustomAttribute></Custom"
}

@test "Data is sent from a file, and goes into one" {
  nae KeyGen KeyName=k1 Algorithm=AES
  seq 100000 >plain
  run -0 nae Crypto Action=ENCRYPT KeyName=k1 Algorithm=AES/CBC/PKCS5Padding \
    --data plain --chunk 1000 --out cipher
  run -1 cmp -s plain cipher
  run -0 nae Crypto Action=DECRYPT KeyName=k1 Algorithm=AES/CBC/PKCS5Padding \
    --data cipher --out again
  cmp plain again
}

@test "What the server refuses is exit status 1, with its words" {
  run -1 nae KeyInfo KeyName=nobody
  assert_output "KeyInfoResponse: 10201: Key not found"
}

@test "What could not be asked is exit status 2" {
  echo wrong >password
  run -2 timeout 60 "$TOP/build/bin/touchstone" nae UserInfo \
    --target "$TARGET" --user bob --password-file password
  assert_output --partial "AuthRequest: Authentication failed"
  run -2 nae
  run -2 timeout 60 "$TOP/build/bin/touchstone" nae UserInfo \
    --target "$TARGET" --user nobody
  run -2 nae KeyInfo //=x
  run -2 nae no-such-file
}

@test "Requests of a file are sent at once, and all their answers told" {
  cat >requests <<'END'
<RandGenRequest><ID>1</ID><Size>3</Size></RandGenRequest>
<KeyInfoRequest><ID>2</ID><KeyName>nobody</KeyName></KeyInfoRequest>
<RandGenRequest><ID>3</ID><Size>4</Size></RandGenRequest>
END
  run -1 nae requests --out random
  [ "$(wc -c <random)" -eq 7 ]
}

@test "A fatal error ends the answers" {
  run -1 nae '<AuthRequest><User>b</User><Passwd>p</Passwd></AuthRequest>'
  assert_output "AuthResponse: 10006: Request out of sequence"
}

@test "The conversations hold over TLS, and the report counts their marks" {
  run -0 suite --target "${TARGET%.conf}-tls.conf" --vectors "$TOP/vectors/nae" \
    --only 'nae/session/*' --only 'nae/data/s*' --only 'nae/events/*'
  assert_output --regexp $'\nF fact +([0-9]+)/([0-9]+)  '
  assert_output --regexp $'\nC choice +([0-9]+)/([0-9]+)  '
  grep -q '^# mark I inferred: [1-9]' report/results.tap
  grep -q '<th>F fact</th>' report/report.html
}

@test "An expectation that is wrong is found out, to the octet" {
  mkdir -p nae/x
  sed 's/{upper-hex 32}/{upper-hex 34}/' \
    "$TOP/vectors/nae/export/aes-128.nae" >nae/x/wrong.nae
  run -1 suite --target "$TARGET" --vectors nae --only 'nae/*'
  assert_output --partial "path      KeyExportResponse/KeyData"
  assert_output --partial "expected  {upper-hex 34}"
  assert_output --regexp $'\n    got       [0-9A-F]{32}\n'
}

#!/usr/bin/env bats
# touchstone run: what it judges, what it exits with, what it prints
# bats file_tags=tool, tool:run

bats_require_minimum_version 1.5.0
load ../helper

setup() {
  TOOL=$TOP/build/bin/touchstone
  CASES=$BATS_TEST_TMPDIR/cases
  mkdir -p "$CASES"
  cd "$BATS_TEST_TMPDIR" || return
}

teardown() { server_stop; }

HEADER='<ProtocolVersion>
  <ProtocolVersionMajor type="Integer" value="1"/>
  <ProtocolVersionMinor type="Integer" value="2"/></ProtocolVersion>'

# a_case NAME OPERATION REQUEST-PAYLOAD STATUS ANSWER-PAYLOAD: one exchange in 1.2
a_case() {
  cat >"$CASES/$1.xml" <<END
<!--
  id: cases/$1
  title: $2 is answered
  clause: kmip-1.2 6.1
-->
<KMIP>
<RequestMessage>
  <RequestHeader>$HEADER<BatchCount type="Integer" value="1"/></RequestHeader>
  <BatchItem><Operation type="Enumeration" value="$2"/>
    <RequestPayload>$3</RequestPayload></BatchItem>
</RequestMessage>
<ResponseMessage>
  <ResponseHeader>$HEADER<TimeStamp type="DateTime" value="2012-01-01T00:00:00Z"/>
    <BatchCount type="Integer" value="1"/></ResponseHeader>
  <BatchItem><Operation type="Enumeration" value="$2"/>
    <ResultStatus type="Enumeration" value="$4"/>
    <ResponsePayload>$5</ResponsePayload></BatchItem>
</ResponseMessage>
</KMIP>
END
}

# query_case NAME STATUS: Query, and what is expected of its answer
query_case() {
  a_case "$1" Query \
    '<QueryFunction type="Enumeration" value="QueryOperations"/>' "$2" \
    '<Operation type="Enumeration" value="Query"/>'
}

# register_case NAME: a key whose octets are told in the case
register_case() {
  a_case "$1" Register '<ObjectType type="Enumeration" value="SymmetricKey"/>
    <TemplateAttribute><Attribute>
      <AttributeName type="TextString" value="Cryptographic Usage Mask"/>
      <AttributeValue type="Integer" value="Encrypt"/>
    </Attribute></TemplateAttribute>
    <SymmetricKey><KeyBlock><KeyFormatType type="Enumeration" value="Raw"/>
      <KeyValue><KeyMaterial type="ByteString"
        value="c0ffeec0ffeec0ffeec0ffeec0ffee00"/></KeyValue>
      <CryptographicAlgorithm type="Enumeration" value="AES"/>
      <CryptographicLength type="Integer" value="128"/></KeyBlock></SymmetricKey>' \
    Success "<UniqueIdentifier type=\"TextString\" value=\"\$UNIQUE_IDENTIFIER_0\"/>"
}

run_tool() {
  "$TOOL" run --target "$TARGET" --vectors "$CASES" --seed 1 --quiet "$@"
}

@test "a case that the server fulfils passes and exits with 0" {
  query_case query Success
  server_start
  run -0 --separate-stderr run_tool --only 'cases/*'
  assert_equal "${lines[-1]}" \
    "1 passed, 0 failed, 0 not-claimed, 0 not-run, 0 waived"
}

@test "a case that it does not fulfil fails, with all that a reader needs" {
  query_case query OperationFailed
  server_start
  run -1 --separate-stderr run_tool --only 'cases/*'
  assert_equal "${lines[-1]}" \
    "0 passed, 1 failed, 0 not-claimed, 0 not-run, 0 waived"
  assert_line "fail cases/query"
  assert_line --partial "kmip-1.2 6.1"
  assert_line --regexp "path +ResponseMessage/BatchItem\[0\]/ResultStatus"
  assert_line --regexp "offset +112"
  assert_line --regexp "expected +Enumeration OperationFailed"
  assert_line --regexp "got +Enumeration Success"
  assert_line --partial "42007801"
  assert_line --partial "42007b01"
}

@test "the command that a failure prints repeats it alone" {
  query_case query OperationFailed
  query_case other Success
  server_start
  run -1 --separate-stderr run_tool
  again=$(sed -n 's/^ *repeat *touchstone //p' <<<"$output" | head -1)
  run -1 --separate-stderr bash -c "'$TOOL' $again --quiet"
  assert_equal "${lines[-1]}" \
    "0 passed, 1 failed, 0 not-claimed, 0 not-run, 0 waived"
}

@test "nothing selected exits with 2" {
  query_case query Success
  server_start
  run -2 --separate-stderr run_tool --only 'cases/none'
  assert_equal "${lines[-1]}" \
    "0 passed, 0 failed, 0 not-claimed, 0 not-run, 0 waived"
}

@test "fewer tests than --min-tests exit with 2" {
  query_case query Success
  server_start
  run -0 run_tool --only 'cases/*' --min-tests 1
  run -2 run_tool --only 'cases/*' --min-tests 2
}

@test "a case that is not claimed is neither run nor green" {
  query_case query Success
  server_start
  printf '[claims]\nversions = 1.4\n' >>"$TARGET"
  run -2 --separate-stderr run_tool --only 'cases/*'
  assert_equal "${lines[-1]}" \
    "0 passed, 0 failed, 1 not-claimed, 0 not-run, 0 waived"
}

@test "a server that is not there is unknown, and exits with 2" {
  query_case query Success
  server_start
  server_stop
  run -2 --separate-stderr run_tool --only 'cases/*'
  assert_line "unknown cases/query"
  assert_line --partial "Connection refused"
}

@test "a certificate that the server does not know is said, not guessed" {
  query_case query Success
  server_start
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -out other.pem -days 1 -subj /CN=mallory 2>/dev/null
  printf '[identity A]\ncertificate = %s\nkey = %s\n' \
    "$PWD/other.pem" "$PWD/other.key" >>"$TARGET"
  run -2 --separate-stderr run_tool --only 'cases/*'
  assert_line "unknown cases/query"
}

@test "a claim that the server's own answer contradicts fails" {
  server_start
  run -0 "$TOOL" run --target "$TARGET" --only 'claims/operations/1.2' --quiet
  printf '[claims]\noperations = Query Locate Archive\n' >>"$TARGET"
  run -1 "$TOOL" run --target "$TARGET" --only 'claims/operations/1.2' --quiet
  assert_line --regexp "reason +the (server says|target file claims) operation"
}

@test "a rule that is switched off is a difference that names the rule" {
  query_case query Success
  server_start
  printf '[rules]\ntime-stamp = off\n' >>"$TARGET"
  run -1 --separate-stderr run_tool --only 'cases/*'
  assert_line --regexp "rule +time-stamp"
}

@test "key material is masked in the report unless asked for" {
  register_case register
  server_start
  run_tool --only 'cases/register' --report masked
  run ! grep -ri c0ffee masked
  run_tool --only 'cases/register' --report clear --show-secrets
  run -0 grep -ric c0ffeec0ffeec0ffee clear/results.jsonl
}

@test "the objects of a case are gone after it" {
  register_case register
  server_start
  run -0 "$TOOL" kmip create --name stays --target "$TARGET"
  stays=$output
  run -0 run_tool --only 'cases/register'
  run -0 "$TOOL" kmip locate --target "$TARGET"
  assert_output "$stays"
}

@test "the same seed runs the same order, another one another" {
  local n
  for n in 1 2 3 4 5 6 7 8; do query_case "case$n" Success; done
  server_start
  for n in 5 5 6; do
    "$TOOL" run --target "$TARGET" --vectors "$CASES" --only 'cases/*' \
      --seed "$n" --quiet --report "report$n" >/dev/null
    grep -o '"id":"[^"]*"' "report$n/results.jsonl" >>"order$n"
  done
  assert_equal "$(head -8 order5)" "$(tail -8 order5)"
  assert_not_equal "$(head -8 order5)" "$(cat order6)"
}

# waive_query ID EXPIRES: the difference of a query_case that expects no success
waive_query() {
  printf '%s\n' "[$1]" \
    'path = ResponseMessage/BatchItem[0]/ResultStatus' \
    'expected = Enumeration OperationFailed' 'got = Enumeration Success' \
    'reason = ours to try' 'link = https://bugs.example/1' "expires = $2"
}

@test "a waiver excuses the difference that it names, to the letter" {
  server_start
  query_case refused OperationFailed
  waive_query cases/refused 2099-12-31 >waivers
  run -0 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --only 'cases/*' --waivers waivers --quiet
  assert_line --index -1 \
    "0 passed, 0 failed, 0 not-claimed, 0 not-run, 1 waived"
  sed -i 's/^got = .*/got = Enumeration OperationPending/' waivers
  run -1 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --only 'cases/*' --waivers waivers --quiet
  assert_output --partial "not the difference that waivers:1 waives"
}

@test "a waiver does not outlive its day nor the difference" {
  server_start
  query_case refused OperationFailed
  waive_query cases/refused 2020-01-01 >waivers
  run -1 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --only 'cases/*' --waivers waivers --quiet
  assert_output --partial "expired on 2020-01-01"
  query_case refused Success
  waive_query cases/refused 2099-12-31 >waivers
  run -1 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --only 'cases/*' --waivers waivers --quiet
  assert_output --partial "passes, but waivers:1 waives it"
}

@test "a waiver that names nothing is noted after a whole run only" {
  server_start
  query_case answered Success
  waive_query nothing/so-called 2099-12-31 >waivers
  run -0 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --waivers waivers --quiet
  assert_output --partial \
    "waivers:1: no test that was judged is named by [nothing/so-called]"
  run -0 "$TOOL" run --target "$TARGET" --vectors "$CASES" \
    --only 'cases/*' --waivers waivers --quiet
  refute_output --partial "nothing/so-called"
}

@test "a wrong command line says so and exits with 2" {
  run -2 "$TOOL" run
  assert_output --partial "--target FILE is needed"
  run -2 "$TOOL" run --target none.conf
  assert_output --partial "none.conf"
  run -2 "$TOOL" list --vectors "$BATS_TEST_TMPDIR/none"
  run -2 "$TOOL" nonsense
}

@test "broken requests are refused and the server lives on" {
  server_start
  run -0 "$TOOL" run --target "$TARGET" --only 'mutate/*/1.2' --quiet
  assert_line "9 passed, 0 failed, 0 not-claimed, 0 not-run, 0 waived"
}

@test "the vectors of octets pass, each of them" {
  server_start
  run -0 "$TOOL" run --target "$TARGET" --vectors "$TOP/vectors/ttlv" \
    --only 'ttlv/*' --quiet --min-tests 44
}

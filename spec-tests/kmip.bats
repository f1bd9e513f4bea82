#!/usr/bin/env bats
# KMIP as the appliance's guide has it: version 1.0, its appendix E
# bats file_tags=kmip:1-0
bats_require_minimum_version 1.5.0

# Each test has objects of its own; one appliance serves them all, but for
# those that move its clock.
setup_file() {
  load helper
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR server_start
}

teardown_file() {
  load helper
  server_stop
}

setup() {
  load helper
  material=$BATS_TEST_TMPDIR/material
  printf 'sixteen octets!!' >"$material"
  material_hex=7369787465656e206f63746574732121
}

teardown() {
  [ "${SERVER_DIR%/*}" != "$BATS_TEST_TMPDIR" ] || server_stop
}

# alone: an appliance of this test's own
alone() {
  unset SERVER_DIR
  server_start
}

# client OPERATION ARGS...: the suite's client at KMIP 1.0
client() {
  kmip "$@" --version 1.0
}

# send OPERATION PAYLOAD: a request as XML; the answer likewise, secrets too
send() {
  printf '<RequestMessage>
    <RequestHeader>
      <ProtocolVersion>
        <ProtocolVersionMajor type="Integer" value="1"/>
        <ProtocolVersionMinor type="Integer" value="0"/>
      </ProtocolVersion>
      <BatchCount type="Integer" value="1"/>
    </RequestHeader>
    <BatchItem>
      <Operation type="Enumeration" value="%s"/>
      <RequestPayload>%s</RequestPayload>
    </BatchItem>
  </RequestMessage>' "$1" "$2" | kmip raw - --show-secrets
}

# item TAG TYPE VALUE: an item of XML
item() {
  printf '<%s type="%s" value="%s"/>' "$@"
}

# structure TAG ITEMS...
structure() {
  printf '<%s>%s</%s>' "$1" "$(printf '%s' "${@:2}")" "$1"
}

id_is() {
  item UniqueIdentifier TextString "$1"
}

# attribute NAME VALUE-XML [INDEX]: the value with the tag Attribute Value
attribute() {
  structure Attribute "$(item AttributeName TextString "$1")" \
    "${3:+$(item AttributeIndex Integer "$3")}" "$2"
}

# scalar NAME TYPE VALUE [INDEX]: an attribute that is no structure
scalar() {
  attribute "$1" "$(item AttributeValue "$2" "$3")" "${4-}"
}

name_value() {
  structure AttributeValue "$(item NameValue TextString "$1")" \
    "$(item NameType Enumeration "${2-UninterpretedTextString}")"
}

application() {
  structure AttributeValue "$(item ApplicationNamespace TextString "$1")" \
    "$(item ApplicationData TextString "$2")"
}

# register TYPE OBJECT ATTRIBUTES...: send it, and say its identifier
register() {
  send Register "$(item ObjectType Enumeration "$1")$(structure \
    TemplateAttribute "${@:3}")$2" |
    sed -n 's/.*<UniqueIdentifier .*value="\([^"]*\)".*/\1/p'
}

# refused REASON: what was run is refused for this reason
refused() {
  assert_failure 1
  assert_output --partial "OperationFailed: $1"
}

# ---- the protocol

# req: KS-01-003 KS-03-012 KS-AE-091
@test "Query names the operations and objects that there are, and no others" {
  run -0 client query QueryOperations QueryObjects
  assert_output "$(
    printf 'Operation=%s\n' Create CreateKeyPair Register Locate Check Get \
      GetAttributes GetAttributeList AddAttribute ModifyAttribute \
      DeleteAttribute Activate Revoke Destroy Query
    printf 'ObjectType=%s\n' Certificate SymmetricKey PublicKey PrivateKey \
      SplitKey Template SecretData OpaqueObject
  )"
  id=$(client create)
  run send ReKey "$(id_is "$id")"
  refused OperationNotSupported
}

# req: KS-AE-093
@test "Query for name spaces succeeds and returns none" {
  run -0 client query QueryApplicationNamespaces
  assert_output ""
}

# ---- objects

# req: KS-03-014 KS-AE-012 KS-AE-095 KS-28-207
@test "A template lends its attributes to a key that names it" {
  template=$(register Template "$(structure Template \
    "$(scalar 'Cryptographic Usage Mask' Integer 'Encrypt Decrypt')" \
    "$(scalar 'Contact Information' TextString lent)")" \
    "$(attribute Name "$(name_value lender)")")
  run -0 client attributes "$template" "Object Type"
  assert_output ObjectType=Template
  block=$(structure KeyBlock "$(item KeyFormatType Enumeration Raw)" \
    "$(structure KeyValue "$(item KeyMaterial ByteString "$material_hex")")" \
    "$(item CryptographicAlgorithm Enumeration AES)" \
    "$(item CryptographicLength Integer 128)")
  template_name=$(structure Name "$(item NameValue TextString lender)" \
    "$(item NameType Enumeration UninterpretedTextString)")
  key=$(register SymmetricKey "$(structure SymmetricKey "$block")" \
    "$template_name")
  run -0 client attributes "$key" "Contact Information" \
    "Cryptographic Usage Mask"
  assert_line "ContactInformation=lent"
  assert_line "CryptographicUsageMask=Encrypt Decrypt"
  # a template that is not there lends nothing
  run register SymmetricKey "$(structure SymmetricKey "$block")" \
    "${template_name/lender/nobody}"
  assert_output --partial "OperationFailed: ItemNotFound"
}

# req: KS-AE-012
@test "A template with an attribute that is not supported is refused" {
  run register Template \
    "$(structure Template "$(scalar 'Shoe Size' Integer 43)")" \
    "$(attribute Name "$(name_value shoes)")"
  assert_output --partial "OperationFailed: InvalidField"
  run -0 client locate --name shoes
  assert_output ""
}

# req: KS-03-015 KS-AE-004 KS-AE-096
@test "A password is registered as secret data and comes back" {
  id=$(client register --type SecretData --material "$material")
  run -0 client get "$id"
  assert_line type=SecretData
  assert_line format=Opaque
  assert_line "material=$material_hex"
}

# req: KS-AE-005
@test "Secret data without its type or its key block is refused" {
  kind=$(item SecretDataType Enumeration Password)
  block=$(structure KeyBlock "$(item KeyFormatType Enumeration Opaque)" \
    "$(structure KeyValue "$(item KeyMaterial ByteString 00ff)")")
  run register SecretData "$(structure SecretData "$kind$block")"
  assert_output --regexp '^[0-9a-f-]{36}$'
  for part in "$kind" "$block"; do
    run register SecretData "$(structure SecretData "$part")"
    assert_output --partial OperationFailed
  done
}

# req: KS-03-013 KS-03-016 KS-AE-007 KS-AE-008 KS-AE-094 KS-AE-097 KS-28-028
# req: VLT-062 VLT-065 VLT-066
@test "A symmetric key of the client's comes back unchanged, and by its name" {
  id=$(client register --material "$material" --name uploaded)
  run -0 client get "$id"
  assert_line type=SymmetricKey
  assert_line format=Raw
  assert_line algorithm=AES
  assert_line length=128
  assert_line "material=$material_hex"
  run -0 client locate --name uploaded
  assert_output "$id"
}

# req: KS-AE-009
@test "A symmetric key in opaque format comes back in it" {
  id=$(client register --material "$material" --format Opaque)
  run -0 client get "$id"
  assert_line type=SymmetricKey
  assert_line format=Opaque
  assert_line "material=$material_hex"
}

# req: KS-AE-002 KS-AE-003 KS-AE-036
@test "Private and public key are objects of a pair, each linked to the other" {
  run -0 client create-key-pair
  private=$(sed -n 's/^private=//p' <<<"$output")
  public=$(sed -n 's/^public=//p' <<<"$output")
  client get "$private" --out "$BATS_TEST_TMPDIR/private" >"$material.type"
  run -0 cat "$material.type"
  assert_line type=PrivateKey
  client get "$public" --out "$BATS_TEST_TMPDIR/public" >"$material.type"
  run -0 cat "$material.type"
  assert_line type=PublicKey
  modulus=$(openssl rsa -inform DER -in "$BATS_TEST_TMPDIR/private" -noout \
    -modulus)
  run -0 openssl rsa -RSAPublicKey_in -inform DER -noout -modulus \
    -in "$BATS_TEST_TMPDIR/public"
  assert_output "$modulus"
  run -0 client attributes "$private" Link
  assert_output --partial "LinkType=PublicKeyLink"
  assert_output --partial "LinkedObjectIdentifier=$public"
  run -0 client attributes "$public" Link
  assert_output --partial "LinkType=PrivateKeyLink"
  assert_output --partial "LinkedObjectIdentifier=$private"
}

# ---- attributes

# req: KS-AE-020 KS-AE-022 KS-AE-023 KS-AE-024 KS-AE-025 KS-AE-026
# req: KS-AE-027 KS-AE-028 KS-AE-029 KS-AE-030
@test "Custom attributes of nine types are kept with their types" {
  id=$(client create)
  while read -r type value; do
    run -0 send AddAttribute "$(id_is "$id")$(scalar "x-$type" "$type" "$value")"
    run -0 send GetAttributes \
      "$(id_is "$id")$(item AttributeName TextString "x-$type")"
    assert_line --partial "<AttributeValue type=\"$type\" value=\"$value\"/>"
  done <<'TYPES'
BigInteger ff00000000000001
Boolean true
ByteString 00ff10
DateTime 2026-11-21T10:00:00+00:00
Enumeration 0x00000002
Integer -7
Interval 60
LongInteger 9007199254740993
TextString x
TYPES
}

# req: KS-AE-032 KS-AE-033 KS-AE-034
@test "A key has one digest, of SHA-256, in two parts" {
  id=$(client register --material "$material")
  digest=$(sha256sum <"$material")
  run -0 client attributes "$id" Digest
  assert_output \
    "Digest={HashingAlgorithm=SHA_256 DigestValue=${digest%% *}}"
}

# req: KS-AE-035
@test "The initial date is that of the making and stays" {
  alone
  server clock set 2026-12-01T08:00:00Z
  made=$(client create)
  server clock advance 90s
  registered=$(client register --material "$material")
  server clock advance 1h
  client activate "$made"
  run -0 client attributes "$made" "Initial Date"
  assert_output "InitialDate=2026-12-01T08:00:00+00:00"
  run -0 client attributes "$registered" "Initial Date"
  assert_output "InitialDate=2026-12-01T08:01:30+00:00"
}

# req: KS-AE-042
@test "The object type says what an object is" {
  key=$(client create)
  secret=$(client register --type SecretData --material "$material")
  template=$(register Template "$(structure Template \
    "$(scalar 'Cryptographic Length' Integer 256)")")
  run -0 client attributes "$key" "Object Type"
  assert_output ObjectType=SymmetricKey
  run -0 client attributes "$secret" "Object Type"
  assert_output ObjectType=SecretData
  run -0 client attributes "$template" "Object Type"
  assert_output ObjectType=Template
}

# req: KS-AE-044
@test "The server alone chooses identifiers, and no two are equal" {
  run ! test "$(client create)" = "$(client create)"
  run client create --attribute "Unique Identifier=mine"
  assert_failure 1
  run client attributes mine
  refused ItemNotFound
}

# ---- operations

# req: KS-03-004 KS-03-007 KS-AE-018 KS-AE-019 KS-AE-048
# req: KS-AE-064 KS-AE-065 KS-AE-066 VLT-073
@test "Create makes a key, and Get returns it, one object with its identifier" {
  id=$(client create --length 256)
  other=$(client create --length 256)
  run -0 client attributes "$id" "Cryptographic Algorithm" \
    "Cryptographic Length"
  assert_line CryptographicAlgorithm=AES
  assert_line CryptographicLength=256
  run -0 send Get "$(id_is "$id")"
  assert_equal "$(grep -c "<SymmetricKey>" <<<"$output")" 1
  assert_equal "$(grep -c "<UniqueIdentifier " <<<"$output")" 1
  assert_line --partial "value=\"$id\""
  assert_line --partial '<KeyFormatType type="Enumeration" value="Raw"/>'
  assert_line --regexp '<KeyMaterial type="ByteString" value="[0-9a-f]{64}"/>'
  refute_output --partial KeyWrappingData
  run ! test "$(client get "$id" | grep material)" = \
    "$(client get "$other" | grep material)"
  run client get nobody
  refused ItemNotFound
}

# req: KS-AE-049
@test "Create makes no template" {
  run send Create "$(item ObjectType Enumeration Template)$(structure \
    TemplateAttribute "$(attribute Name "$(name_value unmade)")")"
  assert_failure 1
  run -0 client locate --name unmade
  assert_output ""
}

# req: KS-AE-052 KS-AE-053
@test "Create takes application specific information and custom attributes" {
  id=$(client create --attribute x-site=Bonn \
    --attribute "Application Specific Information=ssl:example.org")
  run -0 client attributes "$id" x-site "Application Specific Information"
  assert_line x-site=Bonn
  assert_line "ApplicationSpecificInformation={ApplicationNamespace=ssl \
ApplicationData=example.org}"
}

# req: KS-AE-067
@test "Get of a compressed key is refused" {
  id=$(client create)
  run send Get "$(id_is "$id")$(item KeyCompressionType Enumeration \
    ECPublicKeyTypeUncompressed)"
  refused KeyCompressionTypeNotSupported
  refute_output --partial KeyMaterial
}

# req: KS-03-006 KS-AE-060
@test "Destroy takes the key's material away, and needs a key" {
  id=$(client create)
  run -0 client get "$id"
  run -0 client destroy "$id"
  run client get "$id"
  assert_failure 1
  refute_output --partial material
  run client destroy nobody
  refused ItemNotFound
}

# req: KS-03-003 KS-AE-013 KS-AE-016 KS-AE-037 KS-AE-038 KS-AE-040 KS-AE-041
# req: KS-AE-046 KS-AE-047
@test "AddAttribute adds what is read back and found" {
  id=$(client create)
  run -0 client add-attribute "$id" "Contact Information=Ada"
  run -0 client add-attribute "$id" Name=added
  run -0 client add-attribute "$id" "Object Group=red"
  run -0 client add-attribute "$id" "Object Group=blue"
  run -0 client add-attribute "$id" \
    "Application Specific Information=ssl:a.example"
  run -0 client attributes "$id" "Contact Information" Name "Object Group" \
    "Application Specific Information"
  assert_line ContactInformation=Ada
  assert_line Name=added
  assert_line ObjectGroup=red
  assert_line ObjectGroup=blue
  assert_line "ApplicationSpecificInformation={ApplicationNamespace=ssl \
ApplicationData=a.example}"
  run -0 send GetAttributes "$(id_is "$id")$(item AttributeName TextString Name)"
  assert_equal "$(grep -c "<Name[A-Z]" <<<"$output")" 2
  assert_line --partial '<NameType type="Enumeration" value="Uninterpreted'
  run -0 client locate --name added
  assert_output "$id"
  for group in red blue; do
    run -0 client locate --attribute "Object Group=$group"
    assert_output "$id"
  done
  # what may be there once is not added twice
  run client add-attribute "$id" "Contact Information=Bob"
  refused
  run -0 client attributes "$id" "Contact Information"
  assert_output ContactInformation=Ada
}

# req: KS-03-005 KS-AE-055 KS-AE-056 KS-AE-058 KS-AE-059
@test "DeleteAttribute deletes the attribute that it names, and no other" {
  id=$(client create --attribute x-site=Bonn --attribute x-floor=2 \
    --attribute "Application Specific Information=ssl:b.example")
  run -0 client delete-attribute "$id" x-site
  run -0 client attribute-list "$id"
  refute_line x-site
  assert_line x-floor
  assert_line ApplicationSpecificInformation
  run -0 client delete-attribute "$id" "Application Specific Information"
  run -0 client attribute-list "$id"
  refute_line ApplicationSpecificInformation
  assert_line x-floor
  run client delete-attribute "$id" x-site
  refused
  run client delete-attribute nobody x-floor
  refused ItemNotFound
}

# req: KS-AE-057
@test "What an object must have is not deleted" {
  id=$(client create)
  for required in "Cryptographic Algorithm" "Unique Identifier"; do
    run client delete-attribute "$id" "$required"
    refused
  done
  run -0 client attributes "$id" "Cryptographic Algorithm" "Unique Identifier"
  assert_line CryptographicAlgorithm=AES
  assert_line "UniqueIdentifier=$id"
}

# req: KS-03-008 KS-AE-069 KS-AE-071 KS-AE-072
@test "GetAttributes returns what is asked for and there" {
  id=$(client create --attribute x-site=Bonn)
  run -0 client attributes "$id" x-site "Cryptographic Length"
  assert_equal "${#lines[@]}" 2
  assert_line x-site=Bonn
  assert_line CryptographicLength=128
  run -0 client attributes "$id" x-site x-absent
  assert_output x-site=Bonn
  run -0 send GetAttributes \
    "$(id_is "$id")$(item AttributeName TextString x-absent)"
  assert_line --partial "<UniqueIdentifier type=\"TextString\" value=\"$id\"/>"
  refute_output --partial "<Attribute"
  run client attributes nobody
  refused ItemNotFound
}

# req: KS-AE-070
@test "GetAttributes returns all instances, with their indexes" {
  id=$(client create --name one --attribute Name=two --attribute Name=three)
  run -0 send GetAttributes "$(id_is "$id")$(item AttributeName TextString Name)"
  for name in one two three; do
    assert_line --partial "<NameValue type=\"TextString\" value=\"$name\"/>"
  done
  for index in 1 2; do
    assert_line --partial "<AttributeIndex type=\"Integer\" value=\"$index\"/>"
  done
}

# req: KS-03-009 KS-AE-073 KS-AE-074
@test "GetAttributes without names returns all that GetAttributeList names" {
  id=$(client create --name listed --attribute x-site=Bonn \
    --attribute "Application Specific Information=ssl:c.example")
  all=$(client attributes "$id" | sed 's/=.*//' | sort)
  run -0 client attribute-list "$id"
  assert_equal "$(sort <<<"$output")" "$all"
  for name in Name x-site ApplicationSpecificInformation Digest State; do
    assert_line "$name"
  done
  run client attribute-list nobody
  refused ItemNotFound
}

# req: KS-03-010 KS-AE-076 KS-AE-079
@test "Locate finds what matches, and knows no wild cards" {
  one=$(client create --name wild-1 --attribute "Object Group=wild")
  two=$(client create --name wild-2 --attribute "Object Group=wild")
  other=$(client create --name 'wild-*')
  run -0 client locate --attribute "Object Group=wild"
  assert_equal "$(sort <<<"$output")" "$(printf '%s\n' "$one" "$two" | sort)"
  run -0 client locate --name 'wild-*'
  assert_output "$other"
  run -0 client locate --name 'wild-?'
  assert_output ""
}

# req: KS-AE-080
@test "Locate finds only objects that are on line" {
  id=$(client create --name online)
  by_name=$(attribute Name "$(name_value online)")
  run -0 send Locate \
    "$(item StorageStatusMask Integer ArchivalStorage)$by_name"
  refute_output --partial UniqueIdentifier
  run -0 send Locate \
    "$(item StorageStatusMask Integer 'OnLineStorage ArchivalStorage')$by_name"
  assert_line --partial "value=\"$id\""
}

# req: KS-AE-081
@test "Locate finds an object by each attribute, and not by another value" {
  id=$(client register --material "$material" --name by-name \
    --attribute "Contact Information=by-contact" --attribute x-by=custom \
    --attribute "Object Group=by-group" \
    --attribute "Application Specific Information=by:application")
  other=$(client create)
  digest=$(sha256sum <"$material")
  link() {
    structure AttributeValue "$(item LinkType Enumeration ReplacementObjectLink)" \
      "$(item LinkedObjectIdentifier TextString "$1")"
  }
  digest() {
    structure AttributeValue "$(item HashingAlgorithm Enumeration SHA_256)" \
      "$(item DigestValue ByteString "$1")"
  }
  run -0 send AddAttribute "$(id_is "$id")$(attribute Link "$(link "$other")")"
  date=$(client attributes "$id" "Initial Date")
  for found in "$(attribute Name "$(name_value by-name)")" \
    "$(scalar "Contact Information" TextString by-contact)" \
    "$(scalar x-by TextString custom)" \
    "$(scalar "Object Group" TextString by-group)" \
    "$(attribute "Application Specific Information" \
      "$(application by application)")" \
    "$(scalar "Cryptographic Algorithm" Enumeration AES)" \
    "$(scalar "Cryptographic Length" Integer 128)" \
    "$(scalar "Object Type" Enumeration SymmetricKey)" \
    "$(scalar "Unique Identifier" TextString "$id")" \
    "$(scalar "Initial Date" DateTime "${date#*=}")" \
    "$(attribute Link "$(link "$other")")" \
    "$(attribute Digest "$(digest "${digest%% *}")")"; do
    run -0 send Locate "$found"
    assert_line --partial "value=\"$id\""
  done
  for absent in "$(attribute Name "$(name_value by-nam)")" \
    "$(scalar "Contact Information" TextString by-contac)" \
    "$(scalar x-by TextString custo)" \
    "$(scalar "Object Group" TextString by-grou)" \
    "$(attribute "Application Specific Information" \
      "$(application by applicatio)")" \
    "$(scalar "Cryptographic Algorithm" Enumeration DES3)" \
    "$(scalar "Cryptographic Length" Integer 192)" \
    "$(scalar "Object Type" Enumeration SecretData)" \
    "$(scalar "Unique Identifier" TextString "$other")" \
    "$(scalar "Initial Date" DateTime 2001-01-01T00:00:00+00:00)" \
    "$(attribute Link "$(link "$id")")" \
    "$(attribute Digest "$(digest 00)")"; do
    run -0 send Locate "$absent"
    refute_line --partial "value=\"$id\""
  done
}

# req: KS-AE-082
@test "Locate matches a date, and a range of two dates" {
  alone
  server clock set 2027-03-01T12:00:00Z
  id=$(client create)
  initial() { scalar "Initial Date" DateTime "2027-03-01T$1+00:00"; }
  for found in "$(initial 12:00:00)" "$(initial 11:00:00)$(initial 12:00:00)"; do
    run -0 send Locate "$found"
    assert_line --partial "value=\"$id\""
  done
  for absent in "$(initial 12:00:01)" "$(initial 11:00:00)$(initial 11:59:59)"; do
    run -0 send Locate "$absent"
    refute_output --partial UniqueIdentifier
  done
}

# req: KS-03-011 KS-AE-083 KS-AE-084 KS-AE-085 KS-AE-086
@test "ModifyAttribute changes a value that is there, and makes none" {
  id=$(client create --attribute x-site=Bonn)
  run -0 client modify-attribute "$id" x-site=Trier
  run -0 client attributes "$id" x-site
  assert_output x-site=Trier
  run -0 send ModifyAttribute "$(id_is "$id")$(scalar x-site TextString Ulm 0)"
  run -0 client attributes "$id" x-site
  assert_output x-site=Ulm
  run client modify-attribute "$id" x-floor=2
  refused InvalidField
  run -0 client attributes "$id" x-floor
  assert_output ""
  run client modify-attribute nobody x-site=Trier
  refused ItemNotFound
}

# req: KS-AE-087 KS-AE-088
@test "ModifyAttribute changes one of several values, the first by default" {
  id=$(client create --attribute "Object Group=g0" \
    --attribute "Object Group=g1" --attribute "Object Group=g2")
  run -0 send ModifyAttribute \
    "$(id_is "$id")$(scalar "Object Group" TextString changed 1)"
  run -0 client attributes "$id" "Object Group"
  assert_output "$(printf 'ObjectGroup=%s\n' g0 changed g2)"
  run -0 client modify-attribute "$id" "Object Group=first"
  run -0 client attributes "$id" "Object Group"
  assert_output "$(printf 'ObjectGroup=%s\n' first changed g2)"
}

# req: KS-AE-089
@test "ModifyAttribute takes no index where there is one value at most" {
  id=$(client create --attribute "Contact Information=Ada")
  run send ModifyAttribute \
    "$(id_is "$id")$(scalar "Contact Information" TextString Bob 1)"
  refused
  run -0 client attributes "$id" "Contact Information"
  assert_output "ContactInformation=Ada"
}

# ---- clients

# req: VLT-006 VLT-014 VLT-029
@test "Who a client is says its certificate, and each sees its own objects" {
  of_a=$(client create --name shared)
  of_b=$(client create --name shared --identity B)
  run -0 client locate --name shared
  assert_output "$of_a"
  run -0 client locate --name shared --identity B
  assert_output "$of_b"
  run -0 client get "$of_b" --identity B
  run client get "$of_b"
  refused ItemNotFound
}

# req: VLT-003
@test "Four nodes with one identity get the same key at the same time" {
  id=$(client create)
  for node in 1 2 3 4; do
    client get "$id" >"$BATS_TEST_TMPDIR/node-$node" 3>&- &
  done
  wait
  run -0 cat "$BATS_TEST_TMPDIR/node-1"
  assert_line --regexp '^material=[0-9a-f]{32}$'
  for node in 2 3 4; do
    run -0 diff "$BATS_TEST_TMPDIR/node-1" "$BATS_TEST_TMPDIR/node-$node"
  done
}

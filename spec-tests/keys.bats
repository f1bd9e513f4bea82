#!/usr/bin/env bats
# Chapter 28 and the ESKM's practices: a key's life, told over NAE-XML, KMIP and
# the command line
# bats file_tags=keys
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_nae
  story_start
  as admin "user alice administration no" "$OWN" "$OWN"
  cd "$BATS_TEST_TMPDIR" || return 1
  printf 'what nobody is to read' >plain
}

teardown() {
  adapter_stop
}

# alice REQUEST [NAME=VALUE]...
alice() {
  adapter_nae alice "$OWN" "$@"
}

# crypto ACTION KEY IN OUT [NAME=VALUE...]
crypto() {
  alice Crypto "Action=$1" "KeyName=$2" Algorithm=AES/CBC/PKCS5Padding \
    "${@:5}" --data "$3" --out "$4"
}

# client OPERATION ARGUMENTS...: over KMIP, as the certificate of alice
client() {
  "$TOP/build/bin/touchstone" kmip "$@" --target "$(adapter_target)"
}

# versions NAME COUNT: a versioned key of alice's
versions() {
  local n
  as admin "key generate $1 AES-256 owner alice versioned yes exportable yes"
  for ((n = 1; n < $2; n++)); do as admin "key version generate $1"; done
}

# The table of errors: docs/nae-xml.md.
NO_KEY=10201 VERSION_STATE=10208

# req: KS-28-040 KS-28-042 KS-28-166 KS-28-174 KS-28-175 KS-28-182
@test "A new version encrypts from then on, and older ones still do what they did" {
  versions v 1
  crypto ENCRYPT v plain first
  as admin "key version generate v"
  crypto ENCRYPT v plain second
  run ! cmp first second
  crypto DECRYPT v first out
  cmp plain out
  crypto DECRYPT v second out
  cmp plain out
  crypto ENCRYPT "v#1" plain again
  cmp first again
}

# req: KS-28-040 KS-28-045 KS-28-046 KS-28-185 ESKM-158
@test "A restricted version decrypts and is told of, and encrypts no more" {
  versions v 1
  crypto ENCRYPT v plain sealed
  as admin "key version generate v"
  as admin "key version state v 1 Restricted"
  crypto DECRYPT v sealed out
  cmp plain out
  alice KeyInfo "KeyName=v#1" >info
  run crypto ENCRYPT "v#1" plain more
  assert_failure 1
  assert_output --partial "$VERSION_STATE: "
  crypto ENCRYPT v plain more
}

# req: KS-28-040 KS-28-044 KS-28-188
@test "A retired version is of no use, until it is made active again" {
  versions v 1
  crypto ENCRYPT v plain sealed
  as admin "key version generate v"
  as admin "key version state v 1 Retired"
  run crypto DECRYPT v sealed out
  assert_failure 1
  assert_output --partial "$VERSION_STATE: "
  run alice KeyInfo "KeyName=v#1"
  assert_failure 1
  as admin "key version state v 1 Active"
  crypto DECRYPT v sealed out
  cmp plain out
}

# req: KS-28-012 KS-28-013 KS-28-241
@test "A key that is deactivated for KMIP still works over NAE-XML" {
  as admin "key generate k AES-256 owner alice"
  crypto ENCRYPT k plain sealed
  as admin "key state k Deactivated"
  crypto DECRYPT k sealed out
  cmp plain out
  crypto ENCRYPT k plain more
}

# req: KS-28-034 KS-28-308
@test "What a deleted key encrypted is gone, whatever key has its name then" {
  as admin "key generate k AES-256 owner alice deletable no"
  crypto ENCRYPT k plain sealed
  as admin "key delete k"
  run crypto DECRYPT k sealed out
  assert_failure 1
  assert_output --partial "$NO_KEY: "
  as admin "key generate k AES-256 owner alice"
  crypto DECRYPT k sealed out || true
  run ! cmp plain out
}

# req: KS-28-353 KS-28-363
@test "A clone decrypts what its original encrypted" {
  as admin "key generate k AES-256 owner alice"
  crypto ENCRYPT k plain sealed
  as admin "key clone copy k"
  as admin "key delete k"
  crypto DECRYPT copy sealed out
  cmp plain out
}

# req: KS-28-029 KS-28-256 KS-28-274
@test "An imported key is its owner's, with the bytes that were imported" {
  as admin "key import k AES owner alice exportable yes" \
    00112233445566778899AABBCCDDEEFF
  run alice KeyExport KeyName=k
  assert_success
  assert_line KeyData=00112233445566778899AABBCCDDEEFF
  run adapter_nae "" "" KeyInfo KeyName=k
  assert_failure 1
}

# req: KS-28-029 KS-28-062
@test "A key made over KMIP and one made over NAE-XML are the same kind of thing" {
  local id exported
  adapter_nae "" "" KeyGen KeyName=shared Algorithm=AES KeySize=128 Exportable
  run adapter_nae "" "" KeyExport KeyName=shared
  exported=$(sed -n 's/^KeyData=//p' <<<"$output")
  assert_equal "${#exported}" 32
  id=$(client locate --name shared)
  client get "$id" --out octets
  assert_equal "$(xxd -p -u octets | tr -d '\n')" "$exported"
  # and the other way: the certificate names the user alice
  id=$(client create --alg AES --length 256 --name mine)
  client get "$id" --out octets
  run alice KeyExport KeyName=mine
  assert_line "KeyData=$(xxd -p -u octets | tr -d '\n')"
  # KMIP makes no default IV
  crypto ENCRYPT mine plain sealed IV=000102030405060708090A0B0C0D0E0F
  crypto DECRYPT mine sealed out IV=000102030405060708090A0B0C0D0E0F
  cmp plain out
  # whose it is, holds for both
  run adapter_nae "" "" KeyExport KeyName=mine
  assert_failure 1
}

# req: ESKM-154 ESKM-155 ESKM-159 ESKM-160
@test "A client reads when to rekey from an attribute, and rekeys with a version" {
  as admin "key attribute add Expires Date/Time when to make a new version"
  versions v 1
  as admin 'key modify v attribute "Expires=2027-01-01 00:00:00"'
  run alice KeyInfo KeyName=v
  assert_success
  assert_output --partial "Expires"
  assert_output --partial "2027-01-01 00:00:00"
  # nothing but the client acts on it
  as admin "clock set 2028-01-01 00:00:00"
  crypto ENCRYPT v plain sealed
  alice KeyVersionGen KeyName=v >/dev/null
  run alice KeyInfo KeyName=v
  assert_line NumKeyVersions=2
  crypto DECRYPT v sealed out
  cmp plain out
}

# req: KS-18-004 KS-18-005 KS-18-006
@test "With Multiple Credentials, keys are made, changed and deleted by two" {
  local command more="Additional administrator:"
  story_admin bob
  as admin "group create staff"
  as admin "key generate k AES-256 owner alice"
  as admin "key generate v AES-256 owner alice versioned yes"
  as admin "edit multiple credentials require yes number 2"
  for command in "key generate new AES-256" "key import new AES" \
    "key clone new k" "key modify k deletable no" "key delete k" \
    "key delete-page" "key version generate v" "key version state v 1 Retired" \
    "key state k Deactivated" "key date k deactivation 01/01/2040 00:00:00" \
    "key permission set k staff Encrypt Always" \
    "key permission remove k staff"; do
    run as admin "$command"
    assert_failure 1
    assert_line "$more"
  done
  run as admin "show keys"
  assert_line "2 of 2 keys"
  as admin "key modify k deletable no" bob "$OWN"
  run as admin "show key properties k"
  assert_line "Deletable: no"
  as admin "key delete k" bob "$OWN"
  run as admin "show keys"
  assert_line "1 of 1 keys"
}

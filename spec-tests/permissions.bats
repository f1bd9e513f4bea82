#!/usr/bin/env bats
# Chapter 28, group permissions: which operations a key has, each of them alone
# bats file_tags=policies, keys
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load policy
  needs adapter_nae
}

teardown() {
  adapter_stop
}

# The guide's list: algorithm, size, and what a group can be permitted.
KINDS="AES 256 Encrypt Decrypt Export
DESede 168 Encrypt Decrypt Export
DES 56 Encrypt Decrypt Export
RC4 128 Encrypt Decrypt Export
HmacSHA1 160 MAC MACVerify Export
HmacSHA256 256 MAC MACVerify Export
RSA 1024 Encrypt Decrypt Sign SignVerify Export"
OPERATIONS="Encrypt Decrypt MAC MACVerify Sign SignVerify Export"

# operation WORD ALGORITHM: that one of the key k
operation() {
  local action cipher=$2 value=''
  case $1 in
  Export)
    printf '<KeyExportRequest><ID>Export</ID><KeyName>k</KeyName>'
    printf '</KeyExportRequest>'
    return
    ;;
  MAC) action=MAC ;;
  MACVerify) action=MACV value=00 ;;
  Sign) action=SIGN ;;
  SignVerify) action=SIGNV value=00 ;;
  *) action=${1^^} ;;
  esac
  case $2:$1 in
  RSA:Sign*) cipher=SHA256withRSA ;;
  AES:* | DES*:*) cipher=$2/ECB/NoPadding ;;
  esac
  printf '<CryptoRequest><ID>%s</ID><Action>%s</Action>' "$1" "$action"
  printf '<KeyName>k</KeyName><Algorithm>%s</Algorithm>' "$cipher"
  [ -z "$value" ] || printf '<Value>%s</Value>' "$value"
  printf '</CryptoRequest><Data><Size>16</Size>0123456789abcdef</Data>'
}

# denied USER ALGORITHM WORD...: of these operations the ones that the user has
# no permission for; what becomes of the others is another test's
denied() {
  local file=$BATS_TEST_TMPDIR/operations word
  for word in "${@:3}"; do operation "$word" "$2"; done >"$file"
  adapter_nae "$1" "$OWN" "$file" --xml >"$file.answers" 2>/dev/null || true
  for word in "${@:3}"; do
    grep -a -q "<ID>$word</ID>" "$file.answers" || echo "unanswered:$word"
    ! grep -a -q "<ID>$word</ID>.*<ErrorID>$NO_RIGHT</ErrorID>" \
      "$file.answers" || echo "$word"
  done
}

# others WORD WORD...: all but the first word
others() {
  local word
  for word in "${@:2}"; do [ "$word" = "$1" ] || echo "$word"; done
}

# req: KS-28-143 KS-28-144 KS-28-145 KS-28-146 KS-28-147 KS-28-149 KS-28-150
# req: KS-28-018 KS-28-136 KS-28-225
@test "Each permission of each kind of key opens one operation, and no other" {
  local algorithm size uses use every
  stage bob
  join staff bob
  while read -r algorithm size uses; do
    adapter_nae alice "$OWN" KeyDel KeyName=k
    adapter_nae alice "$OWN" KeyGen KeyName=k "Algorithm=$algorithm" \
      "KeySize=$size" Exportable Deletable
    # shellcheck disable=SC2046,SC2086  # words
    for use in $uses; do
      every=$(printf '%s never ' $(others "$use" $uses))
      permit staff "$every" "$use" always
      run denied bob "$algorithm" $uses
      assert_equal "$algorithm, $use: $output" \
        "$algorithm, $use: $(others "$use" $uses)"
      run denied alice "$algorithm" $uses
      assert_output ""
    done
    # what the kind has not cannot be permitted
    # shellcheck disable=SC2086
    for use in $OPERATIONS; do
      case " $uses " in *" $use "*) continue ;; esac
      run permit staff "$use" always
      assert_failure
      assert_output --partial "keys of this kind have no such permission"
    done
  done <<<"$KINDS"
}

# req: KS-28-152 KS-28-227 KS-03-052
@test "Export is for keys that are exportable, whatever is permitted" {
  stage bob
  join staff bob
  adapter_nae alice "$OWN" KeyModify KeyName=k Exportable=false
  permit staff export always
  run adapter_nae bob "$OWN" KeyExport KeyName=k
  assert_failure
  assert_output --partial "10204: "
  adapter_nae alice "$OWN" KeyModify KeyName=k Exportable=true
  run adapter_nae bob "$OWN" KeyExport KeyName=k
  assert_success
}

# req: KS-28-138 KS-03-057
@test "What a group may, it may not change or delete" {
  stage bob
  join staff bob
  permit staff encrypt always decrypt always export always
  run adapter_nae bob "$OWN" KeyModify KeyName=k Exportable=false
  assert_failure
  assert_output --partial "$NO_RIGHT: "
  run adapter_nae bob "$OWN" KeyDel KeyName=k
  assert_failure
  assert_output --partial "$NO_RIGHT: "
  run adapter_nae alice "$OWN" KeyDel KeyName=k
  assert_success
}

# req: KS-28-137
@test "Permissions are of groups that there are" {
  stage bob
  run permit bob encrypt always
  assert_failure
  assert_output --partial "Group: bob: there is no such group"
}

# req: KS-28-220 KS-28-221 KS-28-225 KS-28-226 KS-28-227
@test "A template has permissions, and the keys made from it have them too" {
  stage bob
  join staff bob
  policy office 2
  as admin "key generate t AES-256 owner alice exportable no as-template yes"
  as admin "key permission set t staff encrypt policy office export always"
  run as admin "key permission set t staff sign always"
  assert_failure
  assert_output --partial "keys of this kind have no such permission"
  adapter_nae alice "$OWN" KeyDel KeyName=k
  as admin "key generate k template t"
  encrypts 2 bob
  refuses "$RATE" bob
  run adapter_nae bob "$OWN" KeyExport KeyName=k
  assert_failure
  assert_output --partial "10204: "
  encrypts 5 alice
}

#!/usr/bin/env bats
# Chapter 31, Local Users & Groups: administrators make them, clients come as
# them
# bats file_tags=users
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_nae
}

teardown() {
  adapter_stop
}

# user NAME [WORD VALUE...]: a local user with the password OWN
user() {
  [ $# -gt 1 ] || set -- "$1" administration no
  as admin "user $*" "$OWN" "$OWN"
}

# refused_as ERROR: what the last command was refused with
refused_as() {
  assert_failure 1
  assert_line --partial "Error: $1"
}

# lets_in NAME PASSWORD: is this a user's password?
lets_in() {
  adapter_nae "$1" "$2" DeviceInfo
}

# own_key NAME KEY: one of that user's
own_key() {
  adapter_nae "$1" "$OWN" KeyGen KeyName="$2" Algorithm=AES Deletable Exportable
}

# ---- users

# req: KS-31-001 KS-31-015 ESKM-167
@test "A user is made with a password that is not shown, and comes in with it" {
  story_start
  user alice
  run as admin "show user alice"
  assert_line "Username: alice"
  assert_line "Password: ********"
  refute_output --partial "$OWN"
  run lets_in alice "$OWN"
  assert_success
  run lets_in alice "$WRONG"
  assert_failure
  run lets_in bob "$OWN"
  assert_failure
}

# req: KS-31-023
@test "Whatever their length, passwords are listed as eight asterisks" {
  story_start
  as admin "user short administration no" "xk9#qzm7" "xk9#qzm7"
  as admin "user long administration no" "xk9#qzm7xk9#qzm7xk9#qzm7" "xk9#qzm7xk9#qzm7xk9#qzm7"
  run as admin "show user"
  assert_line --regexp '^  short  +\*{8}  no'
  assert_line --regexp '^  long  +\*{8}  no'
}

# req: KS-31-016 KS-31-017 KS-31-018
@test "A username has a letter first, 64 characters at most, and no others than it may" {
  story_start
  local letters
  letters=$(printf 'u%.0s' {1..64})
  for name in 1u "a b" a@b "${letters}u" "a/b"; do
    run as admin "user \"$name\" administration no" "$OWN" "$OWN"
    refused_as "Username: "
  done
  for name in u u1 a_b.c-1 "$letters"; do
    user "$name"
    run lets_in "$name" "$OWN"
    assert_success
  done
}

# req: KS-31-019
@test "A saved user keeps its name" {
  story_start
  user alice
  run as admin "edit user alice name bob"
  refused_as '"name": '
  run as admin "user alice administration no" "$OTHER" "$OTHER"
  refused_as "Username: alice: there is a local user of this name"
  run lets_in alice "$OWN"
  assert_success
}

# req: KS-32-005
@test "Upper and lower case are two users" {
  story_start
  user JohnSmith
  run lets_in johnsmith "$OWN"
  assert_failure
  as admin "user johnsmith administration no" "$OTHER" "$OTHER"
  run lets_in johnsmith "$OTHER"
  assert_success
  run lets_in JohnSmith "$OWN"
  assert_success
}

# req: KS-31-003
@test "A user of one appliance is nobody on another" {
  story_start
  user alice
  run lets_in alice "$OWN"
  assert_success
  adapter_stop
  export ADAPTER_DIR=$BATS_TEST_TMPDIR/other
  story_start
  run lets_in alice "$OWN"
  assert_failure
}

# ---- passwords

# req: KS-31-022 KS-32-006
@test "A password with a less-than sign is refused, when made and when changed" {
  story_start
  run as admin "user alice administration no" "quiet4<Harbor" "quiet4<Harbor"
  refused_as "Passwords must not contain the less than character (<)"
  user alice
  run as admin "reset user password alice" "quiet4<Harbor" "quiet4<Harbor"
  refused_as "Passwords must not contain the less than character (<)"
  run lets_in alice "$OWN"
  assert_success
}

# req: KS-31-020 KS-17-002 KS-17-039 KS-17-040
@test "The password settings of the device are those of users, too" {
  story_start
  run as admin "user alice administration no" "elephants" "elephants"
  refused_as "Passwords must not"
  as admin "user alice administration no" "quietharborxq" "quietharborxq"
  as admin "edit password settings upper-case yes length 12"
  run as admin "user bob administration no" "quietharborxq" "quietharborxq"
  refused_as "Passwords must"
  run as admin "user bob administration no" "quietHarbor" "quietHarbor"
  refused_as "Passwords must"
  as admin "user bob administration no" "quietHarborxq" "quietHarborxq"
  # who has one keeps it
  run lets_in alice "quietharborxq"
  assert_success
}

# req: KS-17-041 KS-17-042
@test "Passwords of users neither expire nor have a history" {
  story_start
  user alice
  as admin "edit password settings expiration 1 history 25"
  adapter_clock_advance 3d
  run lets_in alice "$OWN"
  assert_success
  # admin's own has expired by then
  printf '%s\n' "$OTHER" "$OTHER" | adapter_cli admin "$ADMIN" exit
  with admin "$OTHER" "reset user password alice" "$FIRST" "$FIRST"
  with admin "$OTHER" "reset user password alice" "$OWN" "$OWN"
  run lets_in alice "$OWN"
  assert_success
}

# req: KS-31-024
@test "Asterisks that are typed become part of the password" {
  story_start
  user alice
  as admin "reset user password alice" "********$FIRST" "********$FIRST"
  run lets_in alice "$FIRST"
  assert_failure
  run lets_in alice "********$FIRST"
  assert_success
}

# req: ESKM-145
@test "A changed password takes effect at once" {
  story_start
  user alice
  run lets_in alice "$OWN"
  assert_success
  as admin "reset user password alice" "$OTHER" "$OTHER"
  run lets_in alice "$OWN"
  assert_failure
  run lets_in alice "$OTHER"
  assert_success
}

# ---- users are no administrators

# req: KS-15-003 ESKM-168 ESKM-169
@test "Neither a user nor an administrator comes in at the other's door" {
  story_start bob
  user alice
  run enters alice "$OWN"
  assert_failure 2
  run adapter_ssh_login alice "$OWN"
  assert_failure
  run enters bob "$OWN"
  assert_success
  run lets_in bob "$OWN"
  assert_failure
  run lets_in admin "$ADMIN"
  assert_failure
}

# ---- permissions

# req: KS-31-026 ESKM-180
@test "Without permissions a user has keys, but neither users nor another password" {
  story_start
  user alice
  own_key alice k1
  run adapter_nae alice "$OWN" UserCreate User=eve Passwd="$OTHER"
  assert_failure
  run adapter_nae alice "$OWN" UserModify User=alice Passwd="$OTHER"
  assert_failure
  user bob change-password yes
  run adapter_nae bob "$OWN" UserCreate User=eve Passwd="$OTHER"
  assert_failure
  adapter_nae bob "$OWN" UserModify User=bob Passwd="$OTHER"
  run lets_in bob "$OTHER"
  assert_success
  # who administers users may change the own password
  user carol administration yes
  adapter_nae carol "$OWN" UserCreate User=eve Passwd="$OTHER"
  run lets_in eve "$OTHER"
  assert_success
  adapter_nae carol "$OWN" UserModify User=carol Passwd="$OTHER"
  run lets_in carol "$OTHER"
  assert_success
  run adapter_nae alice "$OWN" KeyExport KeyName=k1
  assert_success
  assert_line --regexp "^KeyData=[0-9A-F]{64}$"
  adapter_nae alice "$OWN" KeyDel KeyName=k1
}

# ---- custom attributes

# req: KS-31-029 KS-31-030 KS-31-031 KS-31-032 KS-31-033 KS-31-034 KS-31-035
@test "A user has custom attributes, whose names and values have their limits" {
  story_start
  local name value
  name=$(printf 'n%.0s' {1..64})
  value=$(printf 'v%.0s' {1..1000})
  user alice attribute team=red attribute "\"note=a b\\\\tc\\\\nd\""
  run as admin "show user alice"
  assert_line "  note = a b\\tc\\nd"
  assert_line "  team = red"
  as admin "edit user alice attribute $name=$value no-attribute team"
  run as admin "show user alice"
  assert_line "  $name = $value"
  refute_line --partial "team"
  for attribute in 1a=x "\"a b=x\"" a@b=x "n$name=x" "a=v$value"; do
    run as admin "edit user alice attribute $attribute"
    refused_as "Attribute "
  done
}

# ---- groups

# req: KS-31-038 KS-31-039 KS-31-041 KS-31-045
@test "A group gets local users, and is left by them" {
  story_start
  user alice
  as admin "group create backup"
  run as admin "group add backup eve"
  refused_as "Username: eve: there is no such local user"
  as admin "group add backup alice"
  run as admin "show group backup"
  assert_line "  alice"
  as admin "group remove backup alice"
  run as admin "show group backup"
  refute_line "  alice"
  run lets_in alice "$OWN"
  assert_success
}

# exports NAME: the common key
exports() {
  adapter_nae "$1" "$OWN" KeyExport KeyName=common
}

# req: ESKM-170 KS-31-001 KS-31-045 KS-31-047
@test "Who is put into the group that may use a key can use it, and who has left it cannot" {
  story_start
  user alice
  user bob
  as admin "group create sharing"
  own_key alice common
  as admin "key permission set common sharing export always"
  run exports bob
  assert_failure
  as admin "group add sharing bob"
  run exports bob
  assert_success
  as admin "group remove sharing bob"
  run exports bob
  assert_failure
  # and one of that name who is made anew is not in it
  as admin "group add sharing bob"
  as admin "no user bob"
  user bob
  run exports bob
  assert_failure
  run exports alice
  assert_success
}

# req: KS-31-046 KS-31-047 KS-31-049 KS-31-052
@test "Who is deleted and made anew is in no group; a deleted group is gone" {
  story_start
  user alice
  as admin "group create backup"
  as admin "group add backup alice"
  as admin "no user alice"
  run lets_in alice "$OWN"
  assert_failure
  user alice
  run lets_in alice "$OWN"
  assert_success
  run as admin "show group backup"
  refute_line "  alice"
  as admin "group add backup alice"
  run as admin "show user alice"
  assert_line "  backup"
  as admin "no group backup"
  run as admin "show user alice"
  refute_line "  backup"
  run as admin "show group backup"
  refused_as "Group: backup: there is no such local group"
}

# req: KS-31-050
@test "A user that owns a key cannot be deleted" {
  story_start
  user alice
  own_key alice k1
  run as admin "no user alice"
  refused_as "Username: alice: it owns keys"
  run lets_in alice "$OWN"
  assert_success
  adapter_nae alice "$OWN" KeyDel KeyName=k1
  as admin "no user alice"
}

# ---- they stay

@test "Users, groups and their passwords outlive the plug" {
  story_start
  user alice attribute team=red
  as admin "group create backup"
  as admin "group add backup alice"
  adapter_power_cycle 1h
  run lets_in alice "$OWN"
  assert_success
  run as admin "show user alice"
  assert_line "  team = red"
  assert_line "  backup"
}

# ---- several administrators

# req: KS-18-007 KS-18-008 KS-18-009 ESKM-190
@test "With Multiple Credentials it takes another one to change users and groups" {
  story_start bob
  user alice
  user carol
  as admin "group create backup"
  as admin "group add backup carol"
  as admin "edit multiple credentials require yes number 2"
  for command in "user eve administration no" "edit user alice change-password yes" \
    "reset user password alice" "no user alice" "group create other" \
    "group add backup alice" "group remove backup carol" "no group backup"; do
    run as admin "$command"
    assert_failure 1
    assert_line "Additional administrator:"
  done
  run as admin "show user"
  refute_output --partial eve
  assert_line --regexp "^  alice .* no  +no$"
  run as admin "show group backup"
  assert_line "  carol"
  refute_line "  alice"
  as admin "user eve administration no" bob "$OWN" "$OTHER" "$OTHER"
  as admin "group add backup eve" bob "$OWN"
  as admin "group remove backup carol" bob "$OWN"
  run as admin "show group backup"
  assert_line "  eve"
  refute_line "  carol"
  as admin "no user alice" bob "$OWN"
  as admin "no group backup" bob "$OWN"
  run as admin "show group"
  refute_line "  backup"
}

#!/usr/bin/env bats
# Chapter 18, Multiple Credentials, and what ESKM makes of it
# bats file_tags=multicred
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_clock_advance
}

teardown() {
  adapter_stop
}

MORE="Additional administrator:"

# required NUMBER: from now on it takes so many
required() {
  as admin "edit multiple credentials require yes number $1 time-limited yes maximum-duration 60"
}

# is_changed NAME TEXT: has the description become this?
is_changed() {
  run as admin "show administrator $1"
  assert_line "Description: $2"
}

# grants: as NAME sees them
grants() {
  as "$1" "show credential grants"
}

# ---- what takes several

# req: KS-18-001 KS-18-012 KS-18-016 ESKM-188
@test "To make, edit, reset and delete administrators takes another one" {
  story_start bob eve
  required 2
  for command in "administrator carol access-control none" "edit administrator eve description new" \
    "no administrator eve" "reset administrator password eve"; do
    run as admin "$command"
    assert_failure 1
    assert_line "$MORE"
  done
  run as admin "show administrator carol"
  assert_failure 1
  is_changed eve ""
  run enters eve "$OWN"
  assert_success
  as admin "administrator carol access-control none" bob "$OWN" "$FIRST" "$FIRST"
  as admin "edit administrator eve description new" bob "$OWN"
  is_changed eve new
  # shellcheck disable=SC2153  # of story.bash
  as admin "reset administrator password eve" bob "$OWN" "$OTHER" "$OTHER"
  run enters eve "$OWN"
  assert_failure 2
  as admin "no administrator eve" bob "$OWN" yes
  run as admin "show administrator eve"
  assert_failure 1
  run as admin "show administrator carol"
  assert_success
}

# req: KS-18-010
@test "To create, edit and delete authorization policies takes another one" {
  story_start bob
  required 2
  policies() {
    as admin "show authorization policy"
    as admin "show authorization policy office" || true
  }
  # takes_two COMMAND: alone it is not done, with another one it is
  takes_two() {
    local before
    before=$(policies)
    run as admin "$1"
    assert_failure 1
    assert_line "$MORE"
    assert_equal "$(policies)" "$before"
    run as admin "$1" bob "$OWN"
    assert_success
    [ "$(policies)" != "$before" ] || fail "$1 has done nothing"
  }
  takes_two "authorization policy create office"
  takes_two "edit authorization policy office 7"
  takes_two "authorization policy period add office Monday 08:00 Friday 17:00"
  takes_two "authorization policy period remove office 1"
  takes_two "no authorization policy office"
}

# req: ESKM-192
@test "Another's password takes several, one's own does not" {
  story_start bob eve
  required 2
  run as admin "reset administrator password eve" eve "$WRONG" "$OTHER" "$OTHER"
  assert_failure 1
  run enters eve "$OWN"
  assert_success
  as eve password "$OWN" "$OTHER" "$OTHER"
  run enters eve "$OTHER"
  assert_success
}

# req: KS-18-002 KS-18-055
@test "As many administrators are asked for as are required" {
  story_start bob carol
  for number in 2 3; do
    [ "$number" = 2 ] && required 2
    [ "$number" = 2 ] || as admin "edit multiple credentials number 3" bob "$OWN"
    run as admin "show multiple credentials"
    assert_line --partial "Number of Administrators Required to Perform Configuration Operations: $number"
    run as admin "edit administrator carol description x$number" bob "$OWN" carol "$OWN"
    assert_success
    assert_equal "$(grep -c "$MORE" <<<"$output")" $((number - 1))
    is_changed carol "x$number"
  done
}

# req: KS-18-017 ESKM-189
@test "Only the right credentials of another administrator with that right confirm it" {
  story_start bob
  story_admin dave access-control all
  required 2
  for other in "bob $WRONG" "nobody $OWN" "admin $ADMIN" "dave $OWN"; do
    read -r name password <<<"$other"
    run as admin "edit administrator bob description new" "$name" "$password"
    assert_failure 1
    assert_line --partial "Error: "
    is_changed bob ""
  done
  as admin "edit administrator bob description new" bob "$OWN"
  is_changed bob new
}

# req: ESKM-188 ESKM-189
@test "Where three are required, the same one twice is not three" {
  story_start bob carol
  required 3
  run as admin "edit administrator bob description new" bob "$OWN" bob "$OWN"
  assert_failure 1
  is_changed bob ""
  as admin "edit administrator bob description new" bob "$OWN" carol "$OWN"
  is_changed bob new
}

@test "Who confirms with wrong passwords is locked out like anybody" {
  story_start bob
  required 2
  for _ in 1 2 3 4 5; do
    run as admin "edit administrator bob description new" bob "$WRONG"
    assert_failure 1
  done
  run as admin "edit administrator bob description new" bob "$OWN"
  assert_failure 1
  assert_output --partial "Account has been locked."
  is_changed bob ""
}

# req: KS-18-012
@test "The log has who asked and who confirmed" {
  story_start bob
  required 2
  as admin "edit administrator bob description new" bob "$OWN"
  run audit 3
  assert_line --regexp "\[admin\]: edited administrator bob.*\(confirmed by bob\)$"
}

# req: KS-18-012
@test "What is not of the list takes one administrator" {
  story_start bob
  required 2
  for command in "edit host name new" "clock set 2027-01-02 03:04:05" "service restart key-server" \
    "edit password settings length 9"; do
    run as admin "$command"
    assert_success
    refute_output --partial "$MORE"
  done
}

# ---- enabling and disabling

# req: KS-18-052 KS-18-053 KS-15-065
@test "It is enabled by a High Access Administrator" {
  story_start bob
  story_admin dave access-control all
  run as dave "edit multiple credentials require yes"
  assert_failure 1
  assert_output --partial '"High Access Administrator" access control is required.'
  run as admin "show multiple credentials"
  assert_line --partial "Require Multiple Credentials: no"
  as admin "edit multiple credentials require yes"
  run as admin "show multiple credentials"
  assert_line --partial "Require Multiple Credentials: yes"
  run as admin "edit administrator bob description new"
  assert_line "$MORE"
}

# req: KS-18-003 KS-18-054
@test "Where three are required, two do not disable it" {
  story_start bob carol
  required 3
  run as admin "edit multiple credentials require no"
  assert_failure 1
  run as admin "edit multiple credentials require no" bob "$OWN"
  assert_failure 1
  run as admin "edit multiple credentials require no" bob "$OWN" bob "$OWN"
  assert_failure 1
  run as admin "show multiple credentials"
  assert_line --partial "Require Multiple Credentials: yes"
  as admin "edit multiple credentials require no" bob "$OWN" carol "$OWN"
  run as admin "edit administrator bob description new"
  assert_success
}

# req: KS-18-003
@test "What would weaken it takes several, too" {
  story_start bob carol
  required 3
  for words in "number 2" "time-limited no" "maximum-duration 61"; do
    run as admin "edit multiple credentials $words" bob "$OWN"
    assert_failure 1
  done
  run as admin "show multiple credentials"
  assert_line --partial "Perform Configuration Operations: 3"
  assert_line --partial "Allow Time-Limited Credentials: yes"
  assert_line --partial "(minutes): 60"
}

# req: KS-18-020 KS-18-056
@test "There are as many High Access Administrators as are required, or it is not enabled" {
  story_start
  run as admin "edit multiple credentials require yes number 2"
  assert_failure 1
  story_admin dave access-control all # counts for nothing
  run as admin "edit multiple credentials require yes number 2"
  assert_failure 1
  run as admin "show multiple credentials"
  assert_line --partial "Require Multiple Credentials: no"
  story_admin bob
  run as admin "edit multiple credentials require yes number 3"
  assert_failure 1
  as admin "edit multiple credentials require yes number 2"
  # nor do they become fewer
  run as admin "no administrator bob" bob "$OWN" yes
  assert_failure 1
  run as admin "edit administrator bob high-access no" bob "$OWN"
  assert_failure 1
  run as admin "show administrator bob"
  assert_line "High Access Administrator: yes"
}

# ---- time-limited credentials

# req: KS-18-045 KS-18-057 ESKM-196
@test "Credentials are granted only where both settings allow it" {
  story_start bob
  for words in "require no time-limited yes" "require yes time-limited no"; do
    as admin "edit multiple credentials $words"
    run as admin "grant credential to bob for 10 delete-keys"
    assert_failure 1
    run grants admin
    refute_output --partial Credential
    [[ $words != "require yes"* ]] ||
      as admin "edit multiple credentials time-limited yes" bob "$OWN"
  done
  as admin "grant credential to bob for 10 delete-keys"
  run grants admin
  assert_output --partial Credential
}

# req: KS-18-048 KS-18-057 ESKM-197
@test "A grant is shorter than the longest that is allowed" {
  story_start bob
  required 2
  for minutes in 60 61 0 -1; do
    run as admin "grant credential to bob for $minutes delete-keys"
    assert_failure 1
  done
  run grants bob
  refute_output --partial Credential
  as admin "grant credential to bob for 59 delete-keys"
  run grants bob
  assert_output --partial Credential
}

# req: KS-18-031 KS-18-032 KS-18-033 KS-18-034 KS-18-035 KS-18-036
# req: KS-18-047 KS-18-049 KS-18-050 KS-18-060 KS-18-061 KS-18-062 KS-18-064
@test "A grant has who gave it, to whom, for what, and until when" {
  story_start bob
  required 2
  as admin "clock set 2027-01-02 03:04:05"
  run as admin "grant credential" bob 10 "modify-keys,delete-keys,modify-users,delete-users,policies,ldap"
  assert_success
  assert_line "Grant to:"
  assert_line "Duration (minutes):"
  assert_line "Allowed Operations:"
  run grants bob
  assert_line "  Grant to: bob"
  assert_line "  Grant by: admin"
  assert_line "  Expiration: 2027-01-02 03:14:05"
  assert_line "  Allowed Operations: Add/Modify keys, Delete keys, Add/Modify users and groups, Delete users and groups, Affect authorization policies, Modify LDAP settings for users and groups"
  as admin "grant credential to bob for 10 delete-keys"
  run grants bob
  assert_line "  Allowed Operations: Delete keys"
}

# req: KS-18-026 ESKM-200
@test "A grant ends when its time is over" {
  story_start bob
  required 2
  as admin "grant credential to bob for 10 delete-keys"
  adapter_clock_advance 9m59s
  run grants bob
  assert_output --partial Credential
  adapter_clock_advance 2s
  run grants bob
  refute_output --partial Credential
}

# req: KS-18-058
@test "Grants are seen by who gave and who got them" {
  story_start bob carol
  required 2
  as admin "grant credential to bob for 10 delete-keys"
  for name in admin bob; do
    run grants "$name"
    assert_line "  Grant to: bob"
  done
  run grants carol
  refute_output --partial Credential
}

# req: KS-18-037
@test "Nobody grants what is not his own to do" {
  story_start bob
  story_admin dave high-access no access-control users
  required 2
  for operation in modify-keys delete-keys policies modify-users,delete-keys; do
    run as dave "grant credential to bob for 10 $operation"
    assert_failure 1
  done
  as dave "grant credential to bob for 10 modify-users,delete-users,ldap"
  run grants bob
  assert_line "  Grant by: dave"
}

# req: KS-18-030
@test "Nobody grants to himself, to nobody, or to two" {
  story_start bob
  required 2
  for name in admin nobody bob,admin; do
    run as admin "grant credential to $name for 10 delete-keys"
    assert_failure 1
  done
  run grants admin
  refute_output --partial Credential
}

# req: KS-18-038
@test "Only operations of the list are granted, and administrators are none of it" {
  story_start bob
  required 2
  for operation in administrators restore rollback multiple-credentials all ""; do
    run as admin "grant credential to bob for 10 $operation"
    assert_failure 1
  done
  as admin "grant credential to bob for 10 modify-keys,delete-keys,modify-users,delete-users,policies,ldap"
  run as bob "edit administrator bob description new"
  assert_failure 1
  assert_line "$MORE"
  run as bob "edit multiple credentials require no"
  assert_failure 1
  assert_line "$MORE"
  is_changed bob ""
}

# req: KS-18-040
@test "An administrator's change of the clock ends all grants" {
  story_start bob carol
  as admin "clock set 2027-01-02 03:04:05"
  required 2
  as admin "grant credential to bob for 10 delete-keys"
  as bob "grant credential to carol for 10 delete-keys"
  run grants carol
  assert_output --partial Credential
  as carol "clock set 2027-01-02 03:05:05" # a minute later
  for name in admin bob carol; do
    run grants "$name"
    refute_output --partial Credential
  done
}

# req: KS-18-065
@test "A revoked grant is gone, and a stranger's cannot be revoked" {
  story_start bob carol
  required 2
  as admin "grant credential to bob for 10 delete-keys"
  number=$(grants admin | sed -n 's/^Credential //p')
  run as carol "revoke credential $number"
  assert_failure 1
  run grants bob
  assert_output --partial Credential
  as admin "revoke credential $number"
  run grants bob
  refute_output --partial Credential
  run as admin "revoke credential $number"
  assert_failure 1
}

# req: ESKM-201
@test "A grant changes nothing about the account that gets it" {
  story_start bob
  story_admin dave access-control users
  required 2
  before=$(as admin "show administrator dave")
  as admin "grant credential to dave for 10 delete-keys,modify-users"
  run as admin "show administrator dave"
  assert_output "$before"
  adapter_clock_advance 11m
  run as admin "show administrator dave"
  assert_output "$before"
}

# req: KS-18-041 KS-18-063
@test "A loss of power ends all grants" {
  needs adapter_power_cycle
  story_start bob
  required 2
  as admin "grant credential to bob for 59 delete-keys"
  adapter_power_cycle
  run grants bob
  assert_success
  refute_output --partial Credential
  run as admin "edit administrator bob description new"
  assert_line "$MORE"
}

# ---- ESKM

# req: ESKM-193 ESKM-194 ESKM-195
@test "As ESKM every change takes several, but one's own password" {
  story_start bob
  as admin "edit personality personality eskm"
  required 2
  for command in "edit host name new" "clock set 2027-01-02 03:04:05" "service restart key-server" \
    "edit password settings length 9" "edit lockout settings serial 6" "edit session settings autologout 7" \
    "edit ras settings ssh-port 2222" "edit personality personality keysecure-6.2"; do
    run as admin "$command"
    assert_failure 1
    assert_line "$MORE"
  done
  run as admin "show host"
  refute_output --partial new
  as admin "edit host name new" bob "$OWN"
  run as admin "show host"
  assert_output --partial new
  as bob password "$OWN" "$OTHER" "$OTHER"
  run enters bob "$OTHER"
  assert_success
}

# req: ESKM-187
@test "It is called Multiple Credentials" {
  story_start
  run as admin "show multiple credentials"
  assert_line "Multiple Credentials for Key Administration"
  run as admin "help show multiple credentials"
  assert_output --partial "Multiple Credentials"
}

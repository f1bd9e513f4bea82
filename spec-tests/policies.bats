#!/usr/bin/env bats
# Chapters 28 and 29: authorization policies and whom they bind
# bats file_tags=policies
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load policy
  needs adapter_nae adapter_clock_advance
}

teardown() {
  adapter_stop
}

# req: KS-29-001 KS-29-002 KS-28-019
@test "A policy does nothing until a permission names it" {
  stage bob
  join staff bob
  policy hourly 1
  permit staff encrypt always
  encrypts 5 bob
  permit staff encrypt policy hourly
  encrypts 1 bob
  refuses "$RATE" bob
}

# req: KS-29-003 KS-28-049
@test "Groups that share a key are each held to a policy of their own" {
  stage bob carol
  as admin "group create guests"
  join staff bob
  join guests carol
  policy five 5
  policy two 2
  permit staff encrypt policy five
  permit guests encrypt policy two
  encrypts 5 bob
  refuses "$RATE" bob
  encrypts 2 carol
  refuses "$RATE" carol
}

# req: KS-29-027 KS-29-028 KS-28-057
@test "Who is in several groups has the limit of the most generous" {
  stage bob
  as admin "group create guests"
  join staff bob
  join guests bob
  policy five 5
  policy ten 10
  permit staff encrypt policy five
  permit guests encrypt policy ten
  encrypts 10 bob
  refuses "$RATE" bob
}

# req: KS-29-029 KS-28-057
@test "Which policy is the most generous changes with the hour" {
  stage bob
  as admin "group create guests"
  join staff bob
  join guests bob
  policy always 10
  policy morning 100
  period morning monday 09:00 monday 11:59
  permit staff encrypt policy always
  permit guests encrypt policy morning
  it_is 2026-01-05 10:00:00
  encrypts 100 bob
  refuses "$RATE" bob
  it_is 2026-01-05 14:00:00
  adapter_clock_advance 1h
  encrypts 10 bob
  refuses "$RATE" bob
}

# req: KS-29-033 KS-28-050 KS-28-138
@test "The owner of a key is bound by no policy" {
  stage
  join staff alice
  policy never 1
  period never monday 03:00 monday 03:00
  permit staff encrypt policy never
  it_is 2026-01-06 12:00:00
  encrypts 20 alice
}

# req: KS-28-151 KS-29-026 KS-29-030
@test "A new permission has no policy; one that is chosen is shown" {
  stage bob
  policy office
  permit staff encrypt always
  run as admin "show key permissions k"
  assert_line "  Encrypt: Always"
  refute_output --partial "Authorization Policy"
  permit staff encrypt policy office
  run as admin "show key permissions k"
  assert_line "  Encrypt: Authorization Policy: office"
}

# req: KS-28-141
@test "A policy has to exist before a permission can name it" {
  stage bob
  run permit staff encrypt policy office
  assert_failure
  assert_output --partial "there is no such authorization policy"
  policy office
  permit staff encrypt policy office
}

# req: KS-29-031 KS-28-058 KS-28-139
@test "Global keys take no policy, and no permission" {
  stage bob
  policy office
  adapter_nae "" "" KeyGen KeyName=common Algorithm=AES
  run as admin "key permission set common staff encrypt policy office"
  assert_failure
  assert_output --partial "a global key has no group permissions"
  run as admin "key permission set common staff encrypt always"
  assert_failure
}

# req: KS-28-149 KS-28-150 KS-28-018 KS-28-047
@test "Always and Never are neither counted nor open at any hour" {
  stage bob carol
  as admin "group create guests"
  join staff bob
  join guests carol
  permit staff encrypt always decrypt never
  permit guests encrypt never decrypt always
  encrypts 20 bob
  asks 2 carol || true
  answered "<ErrorID>$NO_RIGHT</ErrorID>" 2
  answered '<FatalError>false</FatalError>' 2
}

@test "Who is in no group that may anything does not find the key" {
  stage bob
  permit staff encrypt always
  run adapter_nae bob "$OWN" KeyInfo KeyName=k
  assert_failure
  assert_output --partial "$NO_KEY: "
  join staff bob
  run adapter_nae bob "$OWN" KeyInfo KeyName=k
  assert_success
}

# req: KS-29-046
@test "A policy that a key has is deleted when no key has it any more" {
  stage bob
  policy office
  permit staff encrypt policy office
  run as admin "no authorization policy office"
  assert_failure
  permit staff encrypt never
  as admin "no authorization policy office"
  run as admin "show authorization policy"
  refute_output --partial office
}

# req: KS-29-035 KS-29-045 KS-15-074
@test "Policies take the access control for keys and policies" {
  story_start
  story_admin carl access-control users,services
  run as carl "authorization policy create office"
  assert_failure
  assert_output --partial "Keys and Authorization Policies"
  policy office
  run as carl "no authorization policy office"
  assert_failure
  as admin "no authorization policy office"
}

# req: KS-29-004 KS-29-043
@test "A policy with a limit and hours holds both" {
  stage bob
  join staff bob
  policy both 2
  period both monday 09:00 monday 17:00
  permit staff encrypt policy both
  it_is 2026-01-05 10:00:00
  encrypts 2 bob
  refuses "$RATE" bob
  it_is 2026-01-05 18:00:00
  refuses "$HOURS" bob
  adapter_clock_advance 1h
  refuses "$HOURS" bob
}

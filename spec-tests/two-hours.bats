#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# The two-hour rule: less than two hours after it ended an activation comes back
# without an iKey, later it takes the black one. One second before and one
# after, through each door: a power outage, a planned downtime, hsm deactivate,
# a card that died. Of exactly two hours the guide says nothing.
# bats file_tags=hsm, console, two-hours
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
}

teardown() {
  console_quit
  server_stop
}

# outage DURATION: without power for so long
outage() {
  server power off
  server clock advance "$1" >/dev/null
  server power on
}

# downtime DURATION: switched off in order
downtime() {
  server stop
  server clock advance "$1" >/dev/null
  server start >/dev/null
}

# deactivated DURATION: by hsm deactivate, so long ago
deactivated() {
  hsm 'hsm deactivate' >/dev/null
  server clock advance "$1" >/dev/null
}

# came_back ID: by itself, with the login; nobody is asked at the PED
came_back() {
  hsm_status yes Disabled
  keys_work "$1"
  ped_is_idle
}

# login_without_ikey ID: the command does, and nobody is asked
login_without_ikey() {
  hsm_status no Disabled
  keys_refused "$1"
  run hsm 'hsm login crypto user'
  assert_success
  assert_output "Crypto user successful logged into the HSM"
  came_back "$1"
}

# login_with_ikey ID: it takes the black one, and without it nothing comes back
login_with_ikey() {
  hsm_status no Disabled
  keys_refused "$1"
  ped_is_idle # the server starts nothing that waits for a person
  console_begin config 'hsm login crypto user'
  ped wait-screen 'Insert a USER / Partition Owner PED Key' >/dev/null
  give_up
  console_end
  assert_failure 1
  keys_refused "$1"
  console_begin config 'hsm login crypto user'
  present black
  console_end
  assert_success
  assert_output "Luna PED operation required for crypto user login on HSM - use User or Partition Owner (black) PED key.
Crypto user successful logged into the HSM"
  came_back "$1"
}

# ---- one second before two hours, and one after

# req: KS-05-009
@test "An outage of 7199 seconds: activated and logged in again by itself" {
  server_start --card
  id=$(kmip create)
  outage 7199s
  came_back "$id"
}

# req: KS-01-018 KS-01-020 KS-05-010 KS-05-016 KS-05-098
@test "An outage of 7201 seconds: logged out, and the black iKey is needed" {
  server_start --card
  id=$(kmip create)
  outage 7201s
  login_with_ikey "$id"
}

# req: KS-05-009 KS-05-096
@test "A planned downtime of 7199 seconds: activated and logged in again" {
  server_start --card
  id=$(kmip create)
  downtime 7199s
  came_back "$id"
  # and where the server does not, the command does it alone
  hsm 'hsm logout crypto user'
  downtime 7199s
  login_without_ikey "$id"
}

# req: KS-05-010 KS-05-016 KS-05-098
@test "A planned downtime of 7201 seconds: the black iKey is needed" {
  server_start --card
  id=$(kmip create)
  downtime 7201s
  login_with_ikey "$id"
}

# req: KS-05-097
@test "Deactivated 7199 seconds ago: the login takes no iKey" {
  server_start --card
  id=$(kmip create)
  deactivated 7199s
  login_without_ikey "$id"
}

# req: KS-05-098
@test "Deactivated 7201 seconds ago: the black iKey is needed" {
  server_start --card
  id=$(kmip create)
  deactivated 7201s
  login_with_ikey "$id"
}

# The card alone: nobody notices but it.
# req: KS-05-009
@test "A card that was dead for 7199 seconds comes back activated" {
  server_start --card
  id=$(kmip create)
  server kill card
  server clock advance 7199s
  keys_refused "$id"
  server run card
  server clock advance 1m # the server tries again within that
  came_back "$id"
}

# req: KS-05-010
@test "A card that was dead for 7201 seconds needs the black iKey" {
  server_start --card
  id=$(kmip create)
  server kill card
  server clock advance 7201s
  server run card
  server clock advance 1m
  login_with_ikey "$id"
}

# ---- what begins the two hours, and what does not

# req: KS-05-009
@test "Two outages of 90 minutes with a minute of power between are two" {
  server_start --card
  id=$(kmip create)
  outage 90m
  server clock advance 1m
  came_back "$id"
  outage 90m
  came_back "$id"
}

# req: KS-05-010
@test "Ninety minutes and thirty and a second without power between are one" {
  server_start --card
  id=$(kmip create)
  server power off
  server clock advance 90m
  server clock advance 30m1s
  server power on
  login_with_ikey "$id"
}

# req: KS-05-009 KS-05-097 KS-05-098
@test "Power that returns does not begin a deactivation's two hours anew" {
  server_start --card
  id=$(kmip create)
  deactivated 1m
  outage 1h58m59s
  login_without_ikey "$id" # not by itself: it was not activated
  deactivated 1m
  outage 90m
  server clock advance 1m
  outage 28m1s
  login_with_ikey "$id"
}

# req: KS-05-097
@test "A login without an iKey begins the two hours anew" {
  server_start --card
  id=$(kmip create)
  deactivated 90m
  login_without_ikey "$id"
  deactivated 90m
  login_without_ikey "$id"
  outage 90m
  came_back "$id"
}

# req: KS-05-009
@test "Deactivated for more than two hours, a short outage brings nothing back" {
  server_start --card
  id=$(kmip create)
  deactivated 7201s
  outage 1m
  login_with_ikey "$id"
}

# req: KS-01-065
@test "With power, an activation and a login last for a year" {
  server_start --card
  id=$(kmip create)
  server clock advance 365d
  came_back "$id"
  outage 7199s
  came_back "$id"
}

# req: KS-05-101 KS-05-152
@test "A second after hsm deactivate the command hsm activate wants the iKey" {
  server_start --card
  id=$(kmip create)
  deactivated 1s
  console_begin config 'hsm activate'
  ped wait-screen 'Insert a USER / Partition Owner PED Key' >/dev/null
  give_up
  console_end
  assert_failure 1
  login_without_ikey "$id"
}

# ---- the battery

@test "Without its battery the card forgets in the shortest outage" {
  server_start --card
  id=$(kmip create)
  hsmctl battery remove
  came_back "$id" # there is power
  outage 1s
  login_with_ikey "$id"
  # activated while there is none: that is not kept either
  outage 1s
  login_with_ikey "$id"
}

# req: KS-05-009
@test "A new battery holds the next activation" {
  server_start --card
  id=$(kmip create)
  hsmctl battery remove
  hsmctl battery replace
  outage 1s
  login_with_ikey "$id"
  outage 7199s
  came_back "$id"
}

@test "A battery that died while the power was off has kept nothing" {
  server_start --card
  id=$(kmip create)
  server power off
  rm "$SERVER_DIR/card/card.batt"
  server power on
  login_with_ikey "$id"
}

@test "An older copy of the battery, put back, is as old as it is" {
  server_start --card
  id=$(kmip create)
  server power off
  cp "$SERVER_DIR/card/card.batt" "$BATS_TEST_TMPDIR/kept"
  server power on
  server clock advance 1m
  server power off
  cp "$BATS_TEST_TMPDIR/kept" "$SERVER_DIR/card/card.batt"
  server clock advance 1h59m1s
  server power on
  login_with_ikey "$id"
}

# ---- the login, beside the activation

# req: KS-05-012 KS-01-065 KS-05-095
@test "Who was logged out is not logged in by a return of power" {
  server_start --card
  id=$(kmip create)
  hsm 'hsm logout crypto user'
  outage 7199s
  login_without_ikey "$id"
  hsm 'hsm logout crypto user'
  outage 7201s
  login_with_ikey "$id"
}

# req: KS-01-074
@test "A server that is killed leaves the activation, its own login comes back" {
  server_start --card
  id=$(kmip create)
  server kill server
  server clock advance 30d # the card has power
  server run server
  came_back "$id"
}

# Every operation that needs a key, in KMIP's words; all else is answered.
# req: KS-01-061 KS-01-062 KS-01-063 KS-05-017
@test "Logged out every operation with a key fails, and nothing else does" {
  server_start --card
  id=$(kmip create --name kept)
  used=$(kmip create --name used)
  kmip activate "$used"
  head -c 32 /dev/urandom >"$BATS_TEST_TMPDIR/key"
  openssl x509 -in "$SERVER_DIR/pki/ca.crt" -outform DER \
    -out "$BATS_TEST_TMPDIR/certificate"
  certificate=$(kmip register --material "$BATS_TEST_TMPDIR/certificate" \
    --type Certificate)
  before=$(kmip locate | sort)
  hsm 'hsm logout crypto user'
  while read -r -a words; do
    run kmip "${words[@]}"
    assert_failure 1
    assert_output --partial "OperationFailed: GeneralFailure"
  done <<END
create --name made
create-key-pair --alg ECDSA --length 256
register --material $BATS_TEST_TMPDIR/key --name made
register --material $BATS_TEST_TMPDIR/key --type SecretData --name made
register --material $BATS_TEST_TMPDIR/certificate --type Certificate --name made
get $id
get $used
get $certificate
destroy $certificate
activate $id
add-attribute $id x-purpose=test
destroy $id
revoke $used --reason KeyCompromise
END
  run kmip query
  assert_success
  run kmip discover
  assert_success
  run kmip locate --name kept
  assert_output "$id"
  run kmip locate --name made
  assert_output ""
  run kmip attributes "$id" State
  assert_output --partial PreActive
  run kmip attributes "$used" State
  assert_output --partial Active
  hsm_status no Disabled
  run server status
  assert_success
  # within a minute of the login, here at once, and nothing was done meanwhile
  run hsm 'hsm login crypto user'
  assert_success
  assert_equal "$(kmip locate | sort)" "$before"
  kmip get "$id" >/dev/null
  kmip revoke "$used" --reason KeyCompromise
  kmip destroy "$id"
  kmip get "$certificate" >/dev/null
  kmip destroy "$certificate"
  keys_work "$used"
}

#!/usr/bin/env bats
# Chapter 19, Remote Administration: by SSH, and what the command line has of it
# bats file_tags=remote-admin
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_ssh adapter_ssh_login
}

teardown() {
  adapter_stop
}

# req: KS-02-006
@test "The command line is there by SSH, and the log says from where" {
  story_start bob
  run adapter_ssh bob "$OWN" "show clock" config "edit host name remote"
  assert_success
  assert_output --partial UTC
  run as admin "show host"
  assert_output --partial remote
  run audit
  assert_line --regexp "\[bob\]: Logged in via SSH from 127\.0\.0\.1"
}

# req: KS-02-008
@test "SSH is at the address that first-time initialization was given" {
  needs adapter_start_blank adapter_serial_setup
  adapter_start_blank
  # host name, address and port of SSH, zone, time, key server, and a password
  printf '%s\n' keys.example 127.0.0.2 "" "" "" "" "$OWN" "$OWN" \
    admin "$OWN" exit | adapter_serial_setup
  ADAPTER_ADDRESS=127.0.0.2 run adapter_ssh admin "$OWN" "show device"
  assert_success
  assert_output --partial keys.example
  ADAPTER_ADDRESS=127.0.0.1 run adapter_ssh_login admin "$OWN"
  assert_failure 255
  assert_output --partial "Connection refused"
}

# req: KS-15-100
@test "SSH takes the access control \"Admin Access via SSH\"" {
  story_start
  all=$(as admin "show access controls" | awk '$1 != "ssh" { print $1 }' | paste -s -d ,)
  story_admin dave access-control "$all"
  run adapter_ssh_login dave "$OWN"
  assert_failure
  run enters dave "$OWN"
  assert_success
  as admin "edit administrator dave access-control ssh"
  run adapter_ssh_login dave "$OWN"
  assert_success
}

# req: KS-15-101
@test "Without access by web and SSH the serial console is left" {
  story_start
  story_admin dave access-control network
  run adapter_ssh_login dave "$OWN"
  assert_failure
  run enters dave "$OWN"
  assert_success
}

@test "A wrong password is not let in by SSH, nor is an account that is not there" {
  story_start bob
  run adapter_ssh_login bob "$WRONG"
  assert_failure
  run adapter_ssh_login nobody "$OWN"
  assert_failure
  run adapter_ssh_login bob "$OWN"
  assert_success
}

# req: KS-15-066
@test "Remote administration is a High Access Administrator's to configure" {
  story_start
  story_admin dave access-control all
  for command in "edit ras settings ssh-ip 127.0.0.1" "ssh key recreate"; do
    run as dave "$command" yes
    assert_failure 1
    assert_output --partial '"High Access Administrator" access control is required.'
  done
  run as admin "show ras settings"
  assert_line --partial "SSH Admin Server IP: All"
  as admin "edit ras settings ssh-ip 127.0.0.1"
  run as admin "show ras settings"
  assert_line --partial "SSH Admin Server IP: 127.0.0.1"
}

# req: KS-19-030 KS-AA-026 ESKM-120
@test "The port of SSH is 22 on a new appliance" {
  story_start
  run as admin "show ras settings"
  assert_line --partial "SSH Admin Server Port: 22"
}

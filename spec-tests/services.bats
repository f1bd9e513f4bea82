#!/usr/bin/env bats
# Chapter 24, Services: at the command line
# bats file_tags=services
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_target
}

teardown() {
  adapter_stop
}

# ask: the key server answers, or does not
ask() {
  "$TOP/build/bin/touchstone" kmip query --target "$(adapter_target)"
}

# is_service NAME STATUS STARTUP: as the list has it
is_service() {
  run as admin "show services"
  assert_line --regexp "^.*  $1  +$2  +$3$"
}

# req: KS-24-001 KS-24-002 KS-24-003 KS-24-004 KS-24-005
@test "The services are listed with what they do and whether they start" {
  story_start
  run as admin "show services"
  assert_equal "${#lines[@]}" 5 # below a heading
  assert_line --regexp "  NAE Server  +Started  +Enabled$"
  for name in "SNMP Agent" "SSH Administration" "Web Administration"; do
    assert_line --regexp "  $name  .*  (Enabled|Disabled)$"
  done
}

# req: KS-24-002 KS-24-008 KS-24-009 KS-24-011 KS-24-012
@test "A stopped service does not answer, and a started one does" {
  story_start
  ask
  run as admin "service stop key-server"
  assert_line --partial "Stopping..."
  run ask
  assert_failure
  is_service "NAE Server" Stopped Enabled
  run as admin "service start key-server"
  assert_line --partial "Starting..."
  is_service "NAE Server" Started Enabled
  ask
}

# req: KS-24-010 KS-24-011
@test "A restart ends the service's connections" {
  story_start
  port=$(sed -n 's/^port = //p' "$(adapter_target)")
  exec {client}<>"/dev/tcp/127.0.0.1/$port"
  run as admin "service restart key-server"
  assert_line --partial "Restarting..."
  run timeout 20 cat <&"$client" # to its end
  assert_success
  exec {client}>&-
  ask
  is_service "NAE Server" Started Enabled
}

# req: KS-24-013 KS-24-014
@test "Whether it starts with the device is a setting" {
  needs adapter_power_cycle
  story_start
  as admin "service startup key-server disabled"
  is_service "NAE Server" Started Disabled # it runs until then
  adapter_power_cycle
  is_service "NAE Server" Stopped Disabled
  run ask
  assert_failure
  as admin "service start key-server"
  as admin "service startup key-server enabled"
  adapter_power_cycle
  is_service "NAE Server" Started Enabled
}

@test "What is not a service, or is in that state already, is refused" {
  story_start
  for command in "service stop telnet" "service start key-server" "service startup key-server maybe" \
    "service stop"; do
    run as admin "$command"
    assert_failure 1
    assert_line --partial "Error: "
  done
  ask
}

# req: KS-15-096
@test "Services take the access control \"Services\"" {
  story_start
  all=$(as admin "show access controls" | awk '$1 != "services" { print $1 }' | paste -s -d ,)
  story_admin dave access-control "$all"
  story_admin erin access-control services
  for command in "service startup key-server disabled" "service stop key-server" \
    "service restart key-server"; do
    run as dave "$command"
    assert_failure 1
    assert_output --partial '"Services" access control is required.'
  done
  is_service "NAE Server" Started Enabled
  as erin "service startup key-server disabled"
  is_service "NAE Server" Started Disabled
  as erin "service startup key-server enabled"
  is_service "NAE Server" Started Enabled
}

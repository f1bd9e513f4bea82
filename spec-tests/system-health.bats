#!/usr/bin/env bats
# Chapter 26, System Health: power supplies and fans, which the laboratory harms
# bats file_tags=system-health
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_fault adapter_power_cycle
  UNPLUGGED="A power supply is not plugged in or is malfunctioning."
  REMOVED="A power supply has been removed or damaged."
  FAN="Fan failure; please contact support immediately."
}

teardown() {
  adapter_stop
}

health() {
  run adapter_cli "${1-admin}" "${2-$ADMIN}" "show system health"
  assert_success
}

# all_well: nothing is wrong, and nothing is warned of
all_well() {
  health
  assert_line "  Power Supply 1: Operational"
  assert_line "  Power Supply 2: Operational"
  assert_line "  Fan Status: Operational"
  refute_output --partial Warning
}

# trapped TEXT: how many traps said so
trapped() {
  grep -c -F -- "$1" "$ADAPTER_DIR/server.log"
}

# req: KS-26-001 KS-26-002 KS-26-003 KS-26-012 KS-26-017 KS-26-018 KS-26-020
# req: KS-AB-053
@test "Whoever logs in sees that supplies and fans are well" {
  story_start
  all_well
  story_admin dave access-control network
  health dave "$OWN"
  assert_line "Power Supply Status"
  assert_line "Cooling Fan Status"
  run adapter_cli dave "$WRONG" "show system health"
  assert_failure 2
  refute_output --partial Operational
}

# req: KS-26-004 KS-26-005 KS-26-007 KS-26-011 KS-26-013 KS-26-014
@test "A supply without power is shown, warned of and told, and so is its return" {
  story_start
  adapter_fault supply-1 unplugged
  health
  assert_line "  Power Supply 1: Not receiving power"
  assert_line "  Warning: $UNPLUGGED"
  assert_line "  Power Supply 2: Operational"
  assert_equal "$(trapped "Power supply 1: Not receiving power")" 1
  adapter_fault supply-1 ok
  all_well
  assert_equal "$(trapped "Power supply 1: Operational")" 1
  assert_equal "$(trapped "Power supply 2:")" 0
}

# req: KS-26-008 KS-26-009 KS-26-011 KS-26-015 KS-26-016
@test "A supply that was removed, or is damaged, is shown and warned of" {
  story_start
  for state in removed damaged; do
    adapter_fault supply-2 "$state"
    health
    assert_line "  Power Supply 1: Operational"
    assert_line "  Power Supply 2: Removed or damaged"
    assert_line "  Warning: $REMOVED"
    refute_line "  Warning: $UNPLUGGED"
  done
  # the one is not told from the other
  assert_equal "$(trapped "Power supply 2: Removed or damaged")" 1
  adapter_fault supply-2 ok
  all_well
}

@test "The last supply that gives power cannot be harmed: that is the power switch" {
  story_start
  adapter_fault supply-1 damaged
  run adapter_fault supply-2 unplugged
  assert_failure
  health
  assert_line "  Power Supply 2: Operational"
}

# req: KS-26-019 KS-26-021 KS-26-023
@test "A fan that stopped, lost power or broke is a failure" {
  story_start
  for state in stopped no-power broken; do
    adapter_fault fan-2 "$state"
    health
    assert_line "  Fan Status: Failure"
    assert_line "  Warning: $FAN"
    adapter_fault fan-2 ok
    health
    assert_line "  Fan Status: Operational"
    adapter_power_cycle
    all_well
  done
  assert_equal "$(trapped "Fan 2: Failure")" 3
}

# req: KS-26-022
@test "The fan's warning takes both: the fan is well, and power was removed" {
  story_start
  adapter_fault fan-1 broken
  adapter_power_cycle
  health
  assert_line "  Fan Status: Failure"
  assert_line "  Warning: $FAN"
  adapter_fault fan-1 ok
  health
  assert_line "  Fan Status: Operational"
  assert_line "  Warning: $FAN"
  # a restart does not remove power
  as admin restart
  adapter_await running
  health
  assert_line "  Fan Status: Operational"
  assert_line "  Warning: $FAN"
  adapter_power_cycle
  all_well
  as admin restart
  adapter_await running
  all_well
}

@test "What the laboratory did stays done" {
  story_start
  adapter_fault supply-2 removed
  as admin restart
  adapter_await running
  health
  assert_line "  Power Supply 2: Removed or damaged"
  adapter_power_cycle
  health
  assert_line "  Power Supply 2: Removed or damaged"
}

# req: KS-26-010
@test "A device with one supply says that it is well" {
  server_copy
  sed -i '$a model = k150' "$ADAPTER_DIR/touchstone.conf"
  story_start
  health
  assert_line "  Power Supply: Operational"
  run adapter_fault supply-1 unplugged
  assert_failure
  run adapter_fault supply-2 ok
  assert_failure
  health
  assert_line "  Power Supply: Operational"
}

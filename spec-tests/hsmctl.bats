#!/usr/bin/env bats
# The simulated card as a process, and what befalls it in the laboratory.
# bats file_tags=hsm
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load card
}

teardown() {
  card_stop
}

# a partition in slot 1 with a Security Officer
init=(partition-init slot=1 label=foundry password=po-password domain=d)

# is_blank: nothing of it is there
is_blank() {
  run card_admin role-list slot=1
  assert_output --partial "po=no co=no cu=no"
}

is_made() {
  run card_admin role-list slot=1
  assert_output --partial "po=yes co=no cu=no"
}

@test "The card says how it is, and what does not exist is refused" {
  card_start --model luna7 --slots 2
  run hsmctl status
  assert_success
  assert_output --regexp '^ok pid=[0-9]+ .* model=luna7 .* slot-1=blank slot-2=blank$'
  run card_admin "${init[@]}"
  assert_success
  run hsmctl status
  assert_output --partial " slot-1=initialized slot-2=blank"
  run -1 hsmctl tamperr
  assert_output "error no such object"
  run -1 hsmctl fault add op=C_Nothing
  assert_output --regexp '^error '
}

@test "Outside of the laboratory nothing befalls a card" {
  card_start_outside --model luna7
  run -1 hsmctl fault rng stuck
  assert_output --partial "its card is not in the laboratory"
  run card_admin slots
  assert_output "ok slots=1"
  card_stop
  run -1 hsmctl status
  assert_output --partial "no card runs there"
  run -2 "$TOP/build/bin/hsmctl" "$CARD_HOME"
  assert_output --partial "usage: hsmctl DIR"
}

@test "Faults are listed in order, strike, and are taken back" {
  card_start --model luna7
  run hsmctl fault add op=C_Sign nth=3 rv=CKR_DEVICE_ERROR
  assert_output "ok"
  run hsmctl fault add "op=*" nth=1 rv=0x31
  assert_output "ok"
  run hsmctl fault list
  assert_output --regexp 'op=C_Sign,nth=3.*op=\*,nth=1'
  run hsmctl fault rng stuck
  assert_output "ok"
  run -1 card_admin "${init[@]}"
  assert_output --partial "error CARD_RNG"
  is_blank
  run hsmctl fault clear
  assert_output "ok"
  run card_admin "${init[@]}"
  assert_output "ok"
}

@test "A card that was tampered with says so, also after a restart, until it is cleared" {
  card_start --model k6
  run hsmctl tamper temp
  assert_output "ok"
  run card_admin status
  assert_output --partial " tampered=yes "
  hsmctl power drop
  card_gone
  card_boot
  run card_admin status
  assert_output --partial " tampered=yes "
  run hsmctl tamper clear
  assert_output "ok"
  run card_admin status
  assert_output --partial " tampered=no "
  run -1 hsmctl tamper gently
  assert_output --partial "error CARD_ARGUMENT"
}

@test "Decommissioned, a card has nothing any more" {
  card_start --model luna7
  run card_admin "${init[@]}"
  assert_success
  run hsmctl decommission
  assert_output "ok"
  is_blank
  hsmctl power drop
  card_gone
  card_boot
  is_blank
}

@test "What was answered is there after the power was lost" {
  card_start --model luna7
  run card_admin "${init[@]}"
  assert_success
  run -0 hsmctl power drop
  card_gone
  run -1 hsmctl status
  card_boot
  is_made
}

@test "A power cut amid a change leaves the card as it was" {
  local n
  card_start --model luna7
  for n in 1 2; do
    run hsmctl fault cut "nth=$n"
    assert_output "ok"
    run -1 card_admin "${init[@]}"
    assert_output ""
    card_gone
    card_boot
    is_blank
  done
  # by the word that harness/appliance uses
  run hsmctl power tear 7 1
  assert_output "ok"
  run -1 card_admin "${init[@]}"
  card_gone
  card_boot
  is_blank
  run card_admin "${init[@]}"
  assert_output "ok"
  is_made
}

@test "A card ends in order, and gives back its directory and sockets" {
  card_start --model luna7
  # somebody is connected, and waits
  exec {open}< <(card_admin "${init[@]}" && hsmctl await for-ever)
  read -r -t 20 line <&"$open"
  assert_equal "$line" "ok"
  card_stop
  assert_not_exist "$CARD_HOME/card/p11.sock"
  assert_not_exist "$CARD_HOME/card/admin.sock"
  assert_not_exist "$CARD_HOME/lab/card.sock"
  exec {open}<&-
  card_boot
  is_made
}

@test "Two cards do not share a directory" {
  card_start --model luna7
  run -1 timeout 20 "$TOP/build/bin/hsmcardd" --dir "$CARD_HOME/card" --model luna7
  assert_output --partial "another card is using it"
  run card_admin slots
  assert_output "ok slots=1"
}

@test "The card leaves no core file" {
  card_start --model luna7
  run grep '^Max core file size' "/proc/$CARD_PID/limits"
  assert_output --regexp 'size +0 +0 '
}

@test "Options that do not fit are refused" {
  local card=$TOP/build/bin/hsmcardd dir=$BATS_TEST_TMPDIR/card
  run -2 "$card"
  assert_output --partial "--dir DIR is needed"
  run -2 "$card" --dir "$dir" --model k7
  run -2 "$card" --dir "$dir" --slots 2
  assert_output --partial "a K6 has one partition"
  run -2 "$card" --dir "$dir" --model luna7 --slots 65
  run -2 "$card" --dir "$dir" --model luna7 --slots 0
  run -2 "$card" --dir "$dir" --lab lab.sock
  assert_output --partial "--lab and --clock go together"
  run -2 "$card" --dir "$dir" more
  assert_not_exist "$dir"
  run -0 "$card" --help
  assert_output --partial "--lockout so-reset|timed|permanent"
}

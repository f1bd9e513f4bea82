#!/usr/bin/env bats
# The client tool of partitions with passwords: the session of the KeyScaler
# guide (its items 5 to 15), and what it must refuse.
# bats file_tags=hsm, lunacm
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load card
}

teardown() {
  card_stop
}

# ---------------------------------------------------------------------------

po=po-password co=co-password cu=cu-password first=first-password

# lunacm LINES...: what is typed into it, one line after the other
lunacm() {
  (cd "$CARD_HOME" && printf '%s' "${@/%/$'\n'}" | "$TOP/build/bin/lunacm")
}

# What is typed for each step; the answers stand behind the command.
init=('par init -label foundry -domain d' "$po" "$po" proceed)
login_po=('role login -name po' "$po")
login_co=('role login -name co' "$co")
make_co=('role init -name co' "$first" "$first")
change_co=('role login -name co' "$first"
  'role changepw -name co' "$first" "$co" "$co")
make_cu=('role init -name cu' "$cu" "$cu")

# partition_made: slot 1 with all its roles
partition_made() {
  run lunacm "${init[@]}" "${login_po[@]}" "${make_co[@]}" 'role logout' \
    "${change_co[@]}" "${make_cu[@]}"
  assert_results 7 'No Error'
}

# assert_results N TEXT: so many commands were carried out, all with it
assert_results() {
  local want got
  want=$(yes "Command Result : $2" | head -n "$1")
  got=$(grep '^Command Result' <<<"$output")
  [ "$got" = "$want" ] || fail "$(printf 'want %s of: %s\ngot:\n%s' \
    "$1" "$2" "$output")"
}

# results: those of all commands, in their order
results() {
  # shellcheck disable=SC2154  # bats' own
  grep '^Command Result' <<<"$output" | sed 's/^Command Result : //'
}

# behind PROMPT: what came after the command of that line, up to the next
behind() {
  awk -v line="lunacm:>$1" '
    /^lunacm:>/ { on = $0 == line; next }
    on' <<<"$output" | sed -e '/^$/d'
}

# line_of NAME: of the last one that begins so, what stands behind its arrow
line_of() {
  sed -n "s/^ *$1 *-> *//p" <<<"$output" | tail -n 1
}

# ---------------------------------------------------------------------------

# req: KSC-064 KSC-065 KSC-066 KSC-067 KSC-068 KSC-070 KSC-071 KSC-072
@test "It greets, lists the slots, and says which one is current" {
  card_start --model luna7
  run lunacm
  assert_success
  serial=$(line_of 'Serial Number')
  assert_regex "$serial" '^[0-9]{13}$'
  diff - <(echo "$output") <<END
LunaCM v1.1.0-1044. Copyright (c) 2006-2017 SafeNet.

Available HSMs:

Slot Id ->          1
Label ->
Serial Number ->    $serial
Model ->            Cryptovisor7
Firmware Version -> 7.1.3
CV Firmware Version -> 1.1.0
Configuration ->    Luna User Partition With SO (PW) Signing With Cloning Mode
Slot Description -> User Token Slot

Current Slot Id: 1

lunacm:>
END
}

# req: KSC-015 KSC-065 KSC-069
@test "There are as many slots as partitions, and a new one is empty" {
  card_start --model luna7
  run lunacm "${init[@]}"
  serial=$(line_of 'Serial Number')
  card_stop
  card_start --model luna7 --slots 2
  run lunacm 'slot list'
  assert_equal "$(grep -c '^Slot Id ->' <<<"$output")" 4
  assert_equal "$(grep '^Label' <<<"$output" | head -n 2 | tr -s ' ')" \
    $'Label -> foundry\nLabel ->'
  assert_equal "$(grep -m 1 '^Serial' <<<"$output")" "Serial Number ->    $serial"
  # its new owner initializes it, and needs nobody else's login for that
  run lunacm 'slot set -slot 2' "${init[@]}" "${login_po[@]}"
  assert_results 3 'No Error'
}

# req: KSC-016
@test "Nobody but a partition's own Security Officer makes its roles" {
  card_start --model luna7
  partition_made
  run card_admin so-login
  assert_output --partial 'error CARD_'
  run card_admin role-login slot=1 role=so password="$po"
  assert_output --partial 'error CARD_ARGUMENT'
  run lunacm "${make_co[@]}" "${login_po[@]}" "${make_co[@]}"
  assert_equal "$(results)" $'0x101 (CKR_USER_NOT_LOGGED_IN)\nNo Error\nNo Error'
}

# req: KSC-079 KSC-080
@test "Each command says how it went, and one that failed is not the last" {
  card_start --model luna7
  run lunacm 'role list' 'role lis' '' 'role login -name nobody' \
    'role login' 'role list extra' 'par init -label a b' "$(printf 'x%.0s' {1..1100})" \
    'par init -label "a' 'par init -label a -domain b -defaultdomain' \
    'role logout' help
  assert_success
  assert_equal "$(results)" "No Error
0x7 (CKR_ARGUMENTS_BAD)
0x103 (CKR_USER_TYPE_INVALID)
0x7 (CKR_ARGUMENTS_BAD)
0x7 (CKR_ARGUMENTS_BAD)
0x7 (CKR_ARGUMENTS_BAD)
0x7 (CKR_ARGUMENTS_BAD)
0x7 (CKR_ARGUMENTS_BAD)
0x7 (CKR_ARGUMENTS_BAD)
0x101 (CKR_USER_NOT_LOGGED_IN)
No Error"
  assert_output --partial '  partition init -label <label> [-domain <domain>] [-defaultdomain]'
}

# req: KSC-073
@test "A blank between the prompt and the command changes nothing" {
  card_start --model luna7
  run lunacm ' role list'
  assert_line 'lunacm:> role list'
  assert_results 1 'No Error'
  run lunacm 'role list'
  assert_line 'lunacm:>role list'
  assert_results 1 'No Error'
}

@test "Commands may be in capitals; what they are about keeps its case" {
  card_start --model luna7
  run lunacm 'PAR Init -LABEL HSMoDnFIPS -Domain d' "$po" "$po" proceed \
    'ROLE LOGIN -NAME partition so' "$po" 'Par ShowInfo'
  assert_results 3 'No Error'
  assert_equal "$(line_of 'Partition Label')" HSMoDnFIPS
  # a password is not the same in capitals
  run lunacm 'role login -name po' "${po^^}"
  assert_results 1 '0xa0 (CKR_PIN_INCORRECT)'
}

# ---- slots ----

# req: KSC-081 KSC-082 KSC-085
@test "A slot becomes the current one" {
  card_start --model luna7 --slots 3
  run lunacm 'slot set -slot 3' "${init[@]}" 'par showinfo'
  assert_equal "$(behind 'slot set -slot 3')" \
    "Current Slot Id: 3 (Luna User Slot 7.0.0 (Password) Signing With Cloning Mode)
Command Result : No Error"
  assert_equal "$(line_of 'Slot Id')" 3
  run lunacm
  assert_equal "$(grep '^Label' <<<"$output" | tr -s ' ')" \
    $'Label ->\nLabel ->\nLabel -> foundry'
}

# req: KSC-083
@test "A slot that is not there is refused, and the current one stays" {
  card_start --model luna7 --slots 2
  local slot
  for slot in 0 3 99 -1 two 1x 18446744073709551617; do
    run lunacm 'slot set -slot 2' "slot set -slot $slot" 'par showinfo'
    refute_line --partial "Current Slot Id: $slot"
    assert_equal "$(results | sed -n '1p;3p')" $'No Error\nNo Error'
    assert_regex "$(results | sed -n 2p)" '^0x'
    assert_equal "$(line_of 'Slot Id')" 2
  done
  run lunacm 'slot set -slot 3'
  assert_results 1 '0x3 (CKR_SLOT_ID_INVALID)'
}

# A login is about one slot, and does not come along to another.
@test "Who leaves a slot is logged out there" {
  card_start --model luna7 --slots 2
  run lunacm "${init[@]}" "${login_po[@]}" 'slot set -slot 1' "${make_co[@]}" \
    'slot set -slot 2' 'slot set -slot 1' "${make_co[@]}"
  assert_equal "$(results)" "No Error
No Error
No Error
No Error
No Error
No Error
0x101 (CKR_USER_NOT_LOGGED_IN)"
}

# ---- roles ----

# req: KSC-017 KSC-074 KSC-075 KSC-076
@test "The three roles are listed before anything is initialized" {
  card_start --model luna7
  run lunacm 'role list' 'par showinfo' 'role login -name po' "$po" \
    'role login -name co' "$co" 'role login -name cu' "$cu"
  assert_equal "$(behind 'role list')" "  Roles          (short)
  =====
  Partition SO   po
  Crypto Officer co
  Crypto User    cu
Command Result : No Error"
  assert_equal "$(line_of 'Partition Label')" ''
  assert_line '        Object Count: 0'
  # nobody can log in
  assert_equal "$(results | tail -n 3 | sort -u)" \
    '0xe0 (CKR_TOKEN_NOT_PRESENT)'
}

# req: KSC-019 KSC-020 KSC-102 KSC-103 KSC-105 KSC-107 KSC-110
@test "The Partition SO makes the Crypto Officer, as in the guide" {
  card_start --model luna7
  run lunacm "${init[@]}" 'role login -name Partition SO' "$po" \
    'role login -name Crypto Officer' "$first" \
    'role init -name Crypto Officer' "$first" "$first" 'role logout' \
    'role login -name Crypto Officer' "$first"
  assert_equal "$(behind 'role login -name Partition SO')" \
    "    enter password: *****
Command Result : No Error"
  assert_equal "$(behind 'role init -name Crypto Officer')" \
    "    enter new password: *****
    re-enter new password: *****
Command Result : No Error"
  assert_equal "$(behind 'role logout')" 'Command Result : No Error'
  assert_equal "$(results | tail -n 1)" 'No Error'
}

# req: KSC-077 KSC-103 KSC-133
@test "Roles go by their short names and by their full ones" {
  card_start --model luna7
  run lunacm "${init[@]}" \
    'role login -name po' "$po" 'role init -name co' "$first" "$first" \
    'role logout' 'role login -name co' "$first" \
    'role changepw -name co' "$first" "$co" "$co" \
    'role init -name cu' "$cu" "$cu" 'role logout' 'role login -name cu' "$cu"
  assert_results 9 'No Error'
  run lunacm "${init[@]}" \
    'role login -name Partition SO' "$po" \
    'role init -name Crypto Officer' "$first" "$first" \
    'role logout' 'role login -name "Crypto Officer"' "$first" \
    'role changepw -name Crypto Officer' "$first" "$co" "$co" \
    'role init -name Crypto User' "$cu" "$cu" 'role logout' \
    'role login -name Crypto User' "$cu"
  assert_results 9 'No Error'
  run lunacm 'role login -name Crypto' 'role login -name Partition S0'
  assert_results 2 '0x103 (CKR_USER_TYPE_INVALID)'
}

# req: KSC-104
@test "A wrong password logs nobody in" {
  card_start --model luna7
  run lunacm "${init[@]}" 'role login -name po' "${po}x" "${make_co[@]}" \
    'role login -name po' '' "${login_po[@]}" "${make_co[@]}"
  assert_equal "$(results)" "No Error
0xa0 (CKR_PIN_INCORRECT)
0x101 (CKR_USER_NOT_LOGGED_IN)
0xa0 (CKR_PIN_INCORRECT)
No Error
No Error"
}

# req: KSC-106
@test "A role whose two passwords differ is not made" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}" \
    'role init -name co' "$first" "${first}x" 'role login -name co' "$first" \
    'role logout' 'role login -name co' "$first" \
    'role login -name co' "${first}x"
  assert_equal "$(results | sed -n 3p)" '0x7 (CKR_ARGUMENTS_BAD)'
  assert_equal "$(results | tail -n 2 | sort -u)" \
    '0x102 (CKR_USER_PIN_NOT_INITIALIZED)'
}

@test "A password has 4 to 255 octets" {
  card_start --model luna7
  local least=1234 most
  most=$(printf 'x%.0s' {1..255})
  run lunacm "${init[@]}" "${login_po[@]}" \
    'role init -name co' 123 123 'role init -name co' "${most}x" \
    'role init -name co' "$most" "$most" 'role init -name co' $least $least \
    'role logout' 'role login -name co' $least
  assert_equal "$(results | sed -n '3,8p')" "0xa2 (CKR_PIN_LEN_RANGE)
0xa2 (CKR_PIN_LEN_RANGE)
No Error
No Error
No Error
No Error"
}

# req: KSC-108
@test "The Crypto User is made by the Crypto Officer, not by the Partition SO" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}" "${make_co[@]}" "${make_cu[@]}" \
    'role logout' 'role login -name cu' "$cu" "${change_co[@]}" \
    "${make_cu[@]}" 'role init -name co' "$co" "$co" 'role logout' \
    'role login -name cu' "$cu" "${make_cu[@]}"
  assert_equal "$(results | sed -n 4,6p)" "0x1b (CKR_ACTION_PROHIBITED)
No Error
0x102 (CKR_USER_PIN_NOT_INITIALIZED)"
  assert_equal "$(results | tail -n 5)" "No Error
0x1b (CKR_ACTION_PROHIBITED)
No Error
No Error
0x1b (CKR_ACTION_PROHIBITED)"
}

# req: KSC-109 KSC-110
@test "One role is logged in at a time" {
  card_start --model luna7
  partition_made
  run lunacm "${login_po[@]}" "${login_co[@]}" "${login_po[@]}" 'role logout' \
    "${make_co[@]}" "${login_co[@]}" 'role logout' 'role logout'
  assert_equal "$(results)" "No Error
0x104 (CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
0x100 (CKR_USER_ALREADY_LOGGED_IN)
No Error
0x101 (CKR_USER_NOT_LOGGED_IN)
No Error
No Error
0x101 (CKR_USER_NOT_LOGGED_IN)"
}

# req: KSC-119 KSC-120 KSC-121 KSC-129 KSC-132 KSC-134
@test "The Crypto Officer changes the first password before anything else" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}" "${make_co[@]}" 'role logout' \
    'role login -name co' "$first" "${make_cu[@]}"
  assert_equal "$(results | tail -n 2)" $'No Error\n0xa3 (CKR_PIN_EXPIRED)'
  # and no Crypto User was made
  run lunacm 'role login -name cu' "$cu"
  assert_results 1 '0x102 (CKR_USER_PIN_NOT_INITIALIZED)'
  run lunacm "${change_co[@]}" "${make_cu[@]}"
  assert_results 3 'No Error'
  assert_equal "$(behind 'role changepw -name co')" \
    "    enter existing password: *****
    enter new password: *****
    re-enter new password: *****
Command Result : No Error"
}

# docs/decisions.md, KSC-123
# req: KSC-122 KSC-126
@test "The first password is good until it is changed, and then no longer" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}" "${make_co[@]}" 'role logout' \
    'role login -name co' "$first"
  assert_results 5 'No Error'
  run lunacm "${change_co[@]}"
  assert_results 2 'No Error'
  run lunacm 'role login -name co' "$first" "${login_co[@]}"
  assert_equal "$(results)" $'0xa0 (CKR_PIN_INCORRECT)\nNo Error'
}

# req: KSC-130 KSC-131
@test "A password is changed by who knows the old one, and types the new one twice" {
  card_start --model luna7
  partition_made
  run lunacm "${login_co[@]}" \
    'role changepw -name co' "${co}x" new-password new-password \
    'role changepw -name co' "$co" new-password new-passwort \
    'role changepw -name co' "$co" 123 123 \
    'role changepw -name cu' "$cu" new-password new-password \
    'role logout' 'role changepw -name co' "$co" new-password new-password \
    'role login -name co' new-password "${login_co[@]}"
  assert_equal "$(results)" "No Error
0xa0 (CKR_PIN_INCORRECT)
0x7 (CKR_ARGUMENTS_BAD)
0xa2 (CKR_PIN_LEN_RANGE)
0x1b (CKR_ACTION_PROHIBITED)
No Error
0x101 (CKR_USER_NOT_LOGGED_IN)
0xa0 (CKR_PIN_INCORRECT)
No Error"
}

@test "Each role changes a password of its own" {
  card_start --model luna7
  partition_made
  run lunacm "${login_po[@]}" 'role changepw -name po' "$po" po-2 po-2 \
    'role logout' 'role login -name cu' "$cu" \
    'role changepw -name cu' "$cu" cu-2 cu-2
  assert_results 5 'No Error'
  run lunacm 'role login -name po' po-2 'role logout' \
    'role login -name cu' cu-2 'role logout' "${login_co[@]}"
  assert_results 5 'No Error'
}

# The card's part is hsm-sim/card/role_test.c.
@test "A Crypto Officer's password is guessed ten times, and not an eleventh" {
  card_start --model luna7
  partition_made
  local wrong=()
  for _ in {1..9}; do wrong+=('role login -name co' wrong); done
  run lunacm "${wrong[@]}" "${login_co[@]}" 'role logout'
  assert_equal "$(results | tail -n 2 | sort -u)" 'No Error'
  run lunacm "${wrong[@]}" 'role login -name co' wrong "${login_co[@]}" \
    "${login_po[@]}" 'role init -name co' "$first" "$first" 'role logout' \
    'role login -name co' "$first"
  assert_equal "$(results | sed -n '1,10p' | sort -u)" \
    '0xa0 (CKR_PIN_INCORRECT)'
  assert_equal "$(results | sed -n '11,$p')" "0xa4 (CKR_PIN_LOCKED)
No Error
No Error
No Error
No Error"
}

@test "Ten wrong passwords of the Partition SO, and the partition is gone" {
  card_start --model luna7
  partition_made
  local wrong=()
  for _ in {1..9}; do wrong+=('role login -name po' wrong); done
  run lunacm "${wrong[@]}" "${login_po[@]}" 'role logout'
  assert_equal "$(results | tail -n 2 | sort -u)" 'No Error'
  run lunacm "${wrong[@]}" "${login_co[@]}" 'role logout' \
    'role login -name po' wrong "${login_po[@]}" "${login_co[@]}" 'par showinfo'
  assert_equal "$(results | sed -n '10,$p')" "No Error
No Error
0x30 (CKR_DEVICE_ERROR)
0xe0 (CKR_TOKEN_NOT_PRESENT)
0xe0 (CKR_TOKEN_NOT_PRESENT)
No Error"
  assert_equal "$(line_of 'Partition Label')" ''
}

# req: KSC-029
@test "A partition with a password knows no activation, and needs none" {
  card_start --model luna7
  partition_made
  for policy in 22 23; do
    run card_admin policy number=$policy value=1
    assert_output --partial 'error CARD_ARGUMENT'
  done
  run card_admin activate
  assert_output --partial 'error CARD_ARGUMENT'
  card_stop
  card_boot
  run lunacm "${login_co[@]}"
  assert_results 1 'No Error'
}

# ---- par init ----

# req: KSC-086 KSC-087 KSC-090 KSC-091 KSC-094 KSC-096 KSC-098 KSC-099 KSC-100
@test "par init asks for the password, warns, and asks for the domain" {
  card_start --model luna7
  local word
  for word in par partition; do
    run lunacm "$word init -label $word" "$po" "$po" proceed testme.com testme.com
    assert_equal "$(behind "$word init -label $word")" \
      "Enter password for Partition SO: *****
Re-enter password for Partition SO: *****
You are about to initialize the partition.
All contents of the partition will be destroyed.
Are you sure you wish to continue?
Type 'proceed' to continue, or 'quit' to quit now ->proceed
Neither option -domain nor -defaultdomain was specified. One is required.
Enter the domain name: *****
Re-enter the domain name: *****
Command Result : No Error"
    run lunacm
    assert_equal "$(line_of Label)" "$word"
  done
}

# req: KSC-092
@test "Only the word proceed initializes a partition" {
  card_start --model luna7
  partition_made
  local answer
  for answer in quit yes '' Proceed 'proceed ' proce "$(printf 'x%.0s' {1..1100})"; do
    run lunacm 'par init -label other -domain d' other-pw other-pw "$answer" \
      'role login -name po' other-pw "${login_co[@]}"
    assert_equal "$(results)" "0x50 (CKR_FUNCTION_CANCELED)
0xa0 (CKR_PIN_INCORRECT)
No Error"
    run lunacm "${login_po[@]}"
    assert_results 1 'No Error'
    assert_equal "$(line_of Label)" foundry
  done
  run lunacm 'par init -label other -domain d' other-pw other-pw proceed \
    'role login -name po' other-pw "${login_co[@]}"
  assert_equal "$(results)" $'No Error\nNo Error\n0x104 (CKR_USER_ANOTHER_ALREADY_LOGGED_IN)'
}

# req: KSC-089 KSC-097
@test "Entries that differ initialize nothing" {
  card_start --model luna7
  run lunacm 'par init -label a' "$po" "${po}x" 'role login -name po' "$po" \
    'par init -label a' "$po" "$po" proceed domain-1 domain-2 \
    'role login -name po' "$po"
  assert_equal "$(results)" "0x7 (CKR_ARGUMENTS_BAD)
0xe0 (CKR_TOKEN_NOT_PRESENT)
0x7 (CKR_ARGUMENTS_BAD)
0xe0 (CKR_TOKEN_NOT_PRESENT)"
  # the warning comes behind a password that was typed twice the same
  assert_equal "$(grep -c 'You are about' <<<"$output")" 1
  run lunacm
  assert_equal "$(line_of Label)" ''
}

# req: KSC-095
@test "A domain that was given is not asked for" {
  card_start --model luna7
  local option
  for option in '-domain testme.com' -defaultdomain; do
    run lunacm "par init -label a $option" "$po" "$po" proceed 'role list'
    assert_results 2 'No Error'
    refute_output --partial 'domain name'
    refute_output --partial 'Neither option'
  done
}

@test "A label of 32 octets is taken, a longer one and none are not" {
  card_start --model luna7
  local label
  label=$(printf 'x%.0s' {1..32})
  run lunacm "par init -label ${label}x -domain d" "$po" "$po" proceed
  assert_results 1 '0x7 (CKR_ARGUMENTS_BAD)'
  run lunacm 'par init -domain d'
  assert_results 1 '0x7 (CKR_ARGUMENTS_BAD)'
  run lunacm "par init -label $label -domain d" "$po" "$po" proceed 'par showinfo'
  assert_equal "$(line_of 'Partition Label')" "$label"
  # what would mean something on the way to the card does not
  run lunacm 'par init -label "a=%41 -x" -domain d' "$po" "$po" proceed 'par showinfo'
  assert_equal "$(line_of 'Partition Label')" 'a=%41 -x'
}

@test "par init again takes all roles away" {
  card_start --model luna7
  partition_made
  run lunacm "${init[@]}" "${login_co[@]}" 'role login -name cu' "$cu" \
    "${login_po[@]}" 'par showinfo'
  assert_equal "$(results)" "No Error
0x102 (CKR_USER_PIN_NOT_INITIALIZED)
0x102 (CKR_USER_PIN_NOT_INITIALIZED)
No Error
No Error"
  assert_line '        Object Count: 0'
  refute_line '        CKF_USER_PIN_INITIALIZED'
}

# ---- persistence ----

# req: KSC-069 KSC-101 KSC-135
@test "What was made is there when tool and card are started again" {
  card_start --model luna7
  run lunacm
  before=$output
  partition_made
  card_stop
  card_boot
  run lunacm "${login_po[@]}" 'role logout' "${login_co[@]}" 'role logout' \
    'role login -name cu' "$cu"
  assert_results 5 'No Error'
  # nothing but the label is another in the list
  run lunacm
  diff - <(echo "$output") <<END
${before/Label ->/Label ->            foundry}
END
}

# req: KSC-136
@test "A login ends with the tool" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}"
  assert_results 2 'No Error'
  run lunacm "${make_co[@]}" "${login_po[@]}" "${make_co[@]}"
  assert_equal "$(results)" $'0x101 (CKR_USER_NOT_LOGGED_IN)\nNo Error\nNo Error'
}

@test "A card that is gone is told, and when it is there again it is used" {
  card_start --model luna7
  run lunacm "${init[@]}"
  coproc TOOL { cd "$CARD_HOME" && exec "$TOP/build/bin/lunacm" 3>&-; }
  # a coprocess's own descriptors are closed when it ends
  exec {to}>&"${TOOL[1]}" {from}<&"${TOOL[0]}"
  local tool=$TOOL_PID
  until_result() {
    local line
    while read -r -t 20 line <&"$from"; do
      if [[ $line == Command\ Result* ]]; then
        echo "$line"
        return
      fi
    done
  }
  printf '%s\n' "${login_po[@]}" >&"$to"
  assert_equal "$(until_result)" 'Command Result : No Error'
  card_stop
  echo 'role list' >&"$to"
  assert_equal "$(until_result)" 'Command Result : 0x32 (CKR_DEVICE_REMOVED)'
  card_boot
  echo 'role list' >&"$to"
  assert_equal "$(until_result)" 'Command Result : No Error'
  printf '%s\n' "${make_co[@]}" >&"$to"
  assert_equal "$(until_result)" \
    'Command Result : 0x101 (CKR_USER_NOT_LOGGED_IN)'
  echo exit >&"$to"
  wait "$tool"
  card_stop
  run -1 lunacm
  assert_output --partial 'the HSM does not answer'
}

# ---- par showinfo ----

# req: KSC-137 KSC-138 KSC-139 KSC-140 KSC-141 KSC-142 KSC-143 KSC-146 KSC-147
# req: KSC-148 KSC-150 KSC-151 KSC-152 KSC-153 KSC-156 KSC-157
@test "par showinfo shows a partition with its roles, as in the guide" {
  card_start --model luna7
  run lunacm "${init[@]}" "${login_po[@]}" "${make_co[@]}"
  assert_results 3 'No Error'
  run lunacm "${login_po[@]}" 'par showinfo' 'partition showinfo'
  assert_results 3 'No Error'
  serial=$(sed -n 's/^Serial Number -> *//p' <<<"$output")
  uuid=$(sed -n 's/^ *Partition UUID: //p' <<<"$output" | head -n 1)
  diff - <(behind 'par showinfo') <<END
    Partition Label -> foundry
    Partition Manufacturer -> SafeNet
    Partition Model -> Cryptovisor7
    Partition Serial Number -> $serial
    Partition Status -> L3 Device, Error querying state
    HSM Part Number -> Not Available
    Token Flags ->
        CKF_RNG
        CKF_LOGIN_REQUIRED
        CKF_USER_PIN_INITIALIZED
        CKF_RESTORE_KEY_NOT_NEEDED
        CKF_TOKEN_INITIALIZED
    RPV Initialized -> Not Available
    Slot Id -> 1
    Session State -> CKS_RW_SO_FUNCTIONS
    Role Status -> Partition SO logged in
    Token Flags ->
        TOKEN_KCV_CREATED
    Partition UUID: $uuid
    Partition Storage:
        Total Storage Space: 159744
        Used Storage Space: 0
        Free Storage Space: 159744
        Object Count: 0
        Overhead: 9664
    *** The partition is NOT in FIPS 140-2 approved operation mode. ***
Command Result : No Error
END
  assert_equal "$(behind 'par showinfo')" "$(behind 'partition showinfo')"
}

# req: KSC-143 KSC-144 KSC-145 KSC-148
@test "Flags appear with what they tell of" {
  card_start --model luna7
  flags() { grep -o 'CKF_[A-Z_]*INITIALIZED\|TOKEN_KCV_CREATED' <<<"$output" | tr '\n' ' '; }
  run lunacm 'par showinfo'
  assert_equal "$(flags)" ''
  run lunacm "${init[@]}" 'par showinfo'
  assert_equal "$(flags)" 'CKF_TOKEN_INITIALIZED TOKEN_KCV_CREATED '
  run lunacm "${login_po[@]}" "${make_co[@]}" 'par showinfo'
  assert_equal "$(flags)" \
    'CKF_USER_PIN_INITIALIZED CKF_TOKEN_INITIALIZED TOKEN_KCV_CREATED '
}

# req: KSC-146 KSC-147
@test "par showinfo says who is logged in" {
  card_start --model luna7
  partition_made
  state() { echo "$(line_of 'Session State'), $(line_of 'Role Status')"; }
  run lunacm 'par showinfo'
  assert_equal "$(state)" 'CKS_RW_PUBLIC_SESSION, none logged in'
  run lunacm "${login_po[@]}" 'par showinfo'
  assert_equal "$(state)" 'CKS_RW_SO_FUNCTIONS, Partition SO logged in'
  run lunacm "${login_co[@]}" 'par showinfo'
  assert_equal "$(state)" 'CKS_RW_USER_FUNCTIONS, Crypto Officer logged in'
  run lunacm 'role login -name cu' "$cu" 'par showinfo'
  assert_equal "$(state)" 'CKS_RW_USER_FUNCTIONS, Crypto User logged in'
  run lunacm "${login_co[@]}" 'role logout' 'par showinfo'
  assert_equal "$(state)" 'CKS_RW_PUBLIC_SESSION, none logged in'
}

# req: KSC-149
@test "Each partition has an identifier of its own for good" {
  card_start --model luna7 --slots 2
  ids() {
    run lunacm 'par showinfo' 'slot set -slot 2' 'par showinfo'
    sed -n 's/^ *Partition UUID: //p' <<<"$output"
  }
  before=$(ids)
  assert_equal "$(grep -c -E '^[0-9a-f]{24}$' <<<"$before")" 2
  assert_equal "$(sort -u <<<"$before" | wc -l)" 2
  run lunacm "${init[@]}"
  card_stop
  card_boot
  assert_equal "$(ids)" "$before"
}

# ---- a person's terminal ----

# tty_start: the tool on a terminal of its own, for tty_*
tty_start() {
  coproc TTY {
    cd "$CARD_HOME" &&
      exec script -q -e -c "stty -echo; stty echo; exec '$TOP/build/bin/lunacm'" \
        "$BATS_TEST_TMPDIR/typescript" 3>&-
  }
  exec {tty_in}>&"${TTY[1]}" {tty_out}<&"${TTY[0]}"
  seen=''
}

# tty_until TEXT: read what it shows, into $seen, up to that
tty_until() {
  local c
  seen=''
  until [[ $seen == *"$1" ]]; do
    IFS= read -r -t 20 -d '' -n 1 c <&"$tty_out" ||
      fail "$1 did not come; seen: $seen"
    seen+=$c
  done
}

# tty_type TEXT: without an end of line
tty_type() {
  printf '%s' "$1" >&"$tty_in"
}

# req: KSC-088
@test "A password is shown on a terminal as asterisks, and can be mended" {
  card_start --model luna7
  run lunacm "${init[@]}"
  tty_start
  tty_until 'lunacm:>'
  tty_type $'role login -name po\r'
  tty_until 'enter password: '
  # one character too many, taken back
  tty_type "${po}x"$'\177\r'
  tty_until 'lunacm:>'
  assert_regex "$seen" 'Command Result : No Error'
  refute_regex "$seen" "$po"
  refute_regex "$seen" '[a-z]x'
  assert_regex "$seen" "^$(printf '\\*%.0s' $(seq $((${#po} + 1))))"$'\b \b\r\n'
  # the terminal shows again what is typed
  tty_type $'role logout\r'
  tty_until 'lunacm:>'
  assert_regex "$seen" '^role logout'
  # and what was given up with Ctrl-C logged nobody in
  tty_type $'role login -name po\r'
  tty_until 'enter password: '
  tty_type "$po"$'\003'
  cat <&"$tty_out" >"$BATS_TEST_TMPDIR/rest" || true
  run cat "$BATS_TEST_TMPDIR/rest"
  assert_output --partial '***' # which is all that it shows
  refute_output --partial 'No Error'
  refute_output --partial "$po"
}

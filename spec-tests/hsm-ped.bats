#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Card and PED: imprinting, presenting, duplicating and losing iKeys, at the PED
# on the cable. What is asked of the card comes from its administration socket;
# the commands of the console are in hsm-console.bats.
# bats file_tags=ped, hsm
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load ped
}

teardown() {
  laboratory_stop
}

# ---------------------------------------------------------------------------

# req: KS-01-082 KS-01-083 KS-01-076 KS-01-047
@test "Three blanks, whichever, become blue, red and black, and are asked for" {
  local blank
  card_start
  ped_start
  for blank in red black blue; do
    blank_ikey "$blank"
  done
  partitioned
  for blank in blue red black; do
    run "$TOP/build/bin/pedctl" ikey show "$blank"
    assert_line "colour: $blank"
  done
  activated black 2222
  run admin status
  assert_output --partial " initialized=yes partition=yes activated=yes "
  run pedctl log
  assert_line "00:00:00 PED Key written: blue"
  assert_line "00:00:00 PED Key written: red"
  assert_line "00:00:00 PED Key written: black"
  assert_line "00:00:00 SO LOGIN..."
  assert_line "00:00:00 DOMAIN LOGIN..."
}

# req: KS-05-041 KS-05-042 KS-05-045 KS-05-047 KS-05-048 KS-05-049 KS-05-051
# req: KS-05-040 KS-05-044 KS-01-093
@test "The orange iKey is imprinted with the guide's screens, in its order" {
  card_start
  ped_start
  initialized
  meanwhile so-login remote-init
  present "SO LOGIN" blue 1111 | at_the_ped
  pedctl wait-screen reuse
  assert_screen "SETTING RPV..." \
    "Would you like to reuse an existing keyset? (Y/N)"
  pedctl key NO
  pedctl wait-screen "M value"
  assert_screen "SETTING RPV..." "M value? (1-16)" ">01"
  pedctl key ENTER
  pedctl wait-screen "N value"
  assert_screen "SETTING RPV..." "N value? (M-16)" ">01"
  pedctl key 1 ENTER
  pedctl wait-screen Insert
  assert_screen "SETTING RPV..." "Insert a RPK / Remote PED Key. Press ENTER."
  blank_ikey orange
  pedctl remove
  pedctl insert orange
  pedctl key ENTER
  pedctl wait-screen "new PED PIN"
  assert_screen "SETTING RPV..." "Enter new PED PIN:"
  pedctl key 4444 ENTER
  pedctl wait-screen Confirm
  assert_screen "SETTING RPV..." "Confirm new PED PIN:"
  pedctl key 4444 ENTER
  pedctl wait-screen duplicating
  assert_screen "SETTING RPV..." "Are you duplicating this keyset? (Y/N)"
  pedctl key NO
  finished
  pedctl wait-screen "Awaiting command"
  run "$TOP/build/bin/pedctl" ikey show orange
  assert_line "colour: orange"
  assert_line "pin: yes"
  run admin status
  assert_output --partial " remote-vector=yes "
}

# req: KS-01-078 KS-05-038
@test "Without the blue and the orange iKey there is no remote PED vector" {
  card_start
  ped_start
  initialized
  meanwhile so-login remote-init
  printf '%s\n' "expect ^SO LOGIN" "expect ^Insert a" remove "insert red" \
    "press ENTER" "expect ^This is another kind" | at_the_ped
  given_up
  run admin remote-init
  assert_output --partial "error CARD_NOT_LOGGED_IN "
  meanwhile so-login remote-init
  {
    present "SO LOGIN" blue 1111
    imprint "SETTING RPV" none | sed '/^insert/,$d'
    printf '%s\n' "press ENTER" "expect ^No PED Key is inserted"
  } | at_the_ped
  given_up
  run admin status
  assert_output --partial " remote-vector=no "
}

# req: KS-05-020 KS-05-021 KS-05-022 KS-05-100 KS-01-030
@test "Crypto user login: the black iKey, Enter, then its PIN, Enter" {
  card_start
  ped_start
  partitioned
  pedctl remove
  assert_screen "Awaiting command..."
  meanwhile activate
  pedctl wait-screen Insert
  assert_screen "USER LOGIN..." \
    "Insert a USER / Partition Owner PED Key. Press ENTER."
  pedctl key ENTER # with nothing inserted
  pedctl wait-screen "No PED Key"
  refute [ "$(pedctl screen | grep -c PIN)" -gt 0 ]
  pedctl insert black
  pedctl key ENTER
  pedctl wait-screen PIN
  assert_screen "USER LOGIN..." "Enter PED PIN."
  pedctl key 2222
  assert_screen "USER LOGIN..." "Enter PED PIN." "****"
  pedctl key ENTER
  finished
}

# req: KS-01-060 KS-01-103 KS-05-152
@test "Only the iKey of the right colour logs in" {
  local title command colour colours
  card_start
  ped_start
  partitioned
  while read -r title command colours; do
    meanwhile "$command"
    for colour in $colours; do
      printf '%s\n' "expect ^$title" "expect ^Insert a" remove \
        "insert $colour" "press ENTER" "expect ^This is another kind"
    done | at_the_ped
    given_up
  done <<END
SO so-login red black
USER activate blue red
END
  # nothing of it was counted
  run admin status
  assert_output --partial " so-attempts=3 user-attempts=10 "
  assert_output --partial " activated=no "
}

# req: KS-01-099 KS-01-057
@test "Without the blue or the red iKey nothing is initialized" {
  card_start
  ped_start
  meanwhile "initialize label=demo"
  imprint "SETTING SO" blue 1111 | sed '/^insert/,$d' | at_the_ped
  given_up
  meanwhile "initialize label=demo"
  {
    imprint "SETTING SO" blue 1111 | sed 's/^insert blue/insert used/'
    imprint "SETTING DOMAIN" red | sed '/^insert/,$d'
  } >script
  blank_ikey used
  at_the_ped <script
  given_up
  run admin status
  assert_output --partial " initialized=no "
  initialized
  run admin status
  assert_output --partial " initialized=yes "
}

# req: KS-01-101 KS-01-058
@test "Without the blue, the red or the black iKey there is no partition" {
  card_start
  ped_start
  initialized
  pedctl remove
  meanwhile so-login "create-partition label=part"
  pedctl wait-screen "^SO LOGIN"
  given_up
  meanwhile so-login "create-partition label=part"
  printf '%s\n' "$(present "SO LOGIN" blue 1111)" "expect ^DOMAIN LOGIN" |
    at_the_ped
  given_up
  meanwhile so-login "create-partition label=part"
  {
    present "SO LOGIN" blue 1111
    present "DOMAIN LOGIN" red
    imprint "SETTING USER" black 2222 | sed '/^insert/,$d'
  } | at_the_ped
  given_up
  run admin status
  assert_output --partial " partition=no "
}

# req: KS-01-090 KS-01-094 KS-01-095
@test "A PIN, once imposed, is asked for each time, and a wrong one is counted" {
  card_start
  ped_start
  partitioned
  activated black 2222
  activated black 2222
  meanwhile deactivate activate
  present "USER LOGIN" black 1111 | at_the_ped # the blue one's
  refused CARD_PIN_INCORRECT
  run admin status
  assert_output --partial " user-attempts=9 "
  activated black 2222
  run admin status
  assert_output --partial " user-attempts=10 "
}

# req: KS-01-085
@test "Of three black iKeys any two do, and one does not" {
  card_start
  ped_start
  partitioned 2222 2 3
  activated black1 2222 black2 2222
  activated black3 2222 black1 2222
  meanwhile deactivate activate
  {
    present "USER LOGIN" black2 2222
    printf '%s\n' "expect ^PED Key 02 of 02" "press ENTER" \
      "expect ^This PED Key was used already"
  } | at_the_ped
  given_up
}

# duplicate FROM PIN TO NEW_PIN: at the PED alone, from the modes' menu
duplicate() {
  blank_ikey "$3"
  pedctl remove
  pedctl insert "$1"
  {
    printf '%s\n' "press 4 1 1" 'expect ^Enter PED PIN\.$' "press $2 ENTER" \
      "expect Logged in" "press ENTER 7" remove "insert $3" "press ENTER" \
      "expect new PED PIN" "press $4 ENTER" "expect Confirm" "press $4 ENTER" \
      "expect duplicate is created" remove "press ENTER NO" "press < <"
  } | at_the_ped
}

# req: KS-01-088 KS-05-136 KS-05-151 KS-05-157
@test "Duplicates made long afterwards, in local or remote mode, do as the originals" {
  card_start
  ped_start
  partitioned
  time_passes 1000d
  pedctl mode menu # out of local mode
  duplicate black 2222 black.copy 7777
  pedctl mode remote
  pedctl mode menu # out of remote mode
  duplicate blue 1111 blue.copy 8888
  pedctl mode local
  rm black blue
  activated black.copy 7777
  meanwhile so-login
  present "SO LOGIN" blue.copy 8888 | at_the_ped
  finished
}

# req: KS-01-087 KS-05-130
@test "Duplicates made while imprinting do, too" {
  card_start
  ped_start
  blank_ikey blue.copy
  meanwhile "initialize label=demo"
  {
    imprint "SETTING SO" blue 1111 | sed '$d'
    printf '%s\n' "press YES" "expect Duplicate of|^Insert" remove \
      "insert blue.copy" "press ENTER" "expect new PED PIN" \
      "press 9999 ENTER" "expect Confirm" "press 9999 ENTER" \
      "expect Are you duplicating" "press NO"
    imprint "SETTING DOMAIN" red
  } | at_the_ped
  finished
  rm blue
  meanwhile so-login
  present "SO LOGIN" blue.copy 9999 | at_the_ped
  finished
}

# req: KS-01-021 KS-01-027
@test "A PED that was never there before takes the same iKey and PIN" {
  card_start
  ped_start
  partitioned
  laboratory_kill ped
  rm -r ped
  ped_start another
  PED=another activated black 2222
}

# req: KS-01-038 KS-01-046
@test "A black iKey of one HSM is a wrong one for another" {
  card_start
  ped_start
  partitioned
  pedctl remove
  mkdir first
  mv blue red black first
  card_start second
  PED=ped2 ped_start ped2 --card second/ped.sock
  CARD=second PED=ped2 partitioned
  export CARD=second PED=ped2
  meanwhile activate
  present "USER LOGIN" first/black 2222 | at_the_ped
  refused CARD_PIN_INCORRECT
  activated black 2222
}

# req: KS-01-084
@test "A second HSM joins the first one's domain by its red iKey" {
  card_start
  ped_start
  initialized
  pedctl remove
  card_start second
  ped_start ped2 --card second/ped.sock
  export CARD=second PED=ped2
  rm blue
  meanwhile "initialize label=second"
  {
    imprint "SETTING SO" blue 1111
    printf '%s\n' "expect ^SETTING DOMAIN" "press YES"
    present "SETTING DOMAIN" red
  } | at_the_ped
  finished
  meanwhile so-login "create-partition label=part"
  {
    present "SO LOGIN" blue 1111
    present "DOMAIN LOGIN" red
    imprint "SETTING USER" black 2222
    printf '%s\n' "expect write it down" "press ENTER"
  } | at_the_ped
  finished
}

# req: KS-05-134
@test "Who overwrites the only black iKey has lost the partition" {
  card_start
  ped_start
  partitioned
  pedctl mode menu
  pedctl remove
  pedctl insert red
  printf '%s\n' "press 4 1 1" "expect Logged in" "press ENTER 7" remove \
    "insert black" "press ENTER" "expect Overwrite it" "press YES" \
    "expect new PED PIN" "press ENTER ENTER" "expect is created" remove \
    "press ENTER NO" | at_the_ped
  pedctl mode local
  meanwhile activate
  printf '%s\n' "expect ^Insert a" "insert black" "press ENTER" \
    "expect another kind" | at_the_ped
  given_up
}

# req: KS-05-007 KS-01-039
@test "Without a PED nothing is imprinted, and what is done needs none" {
  card_start
  meanwhile "initialize label=demo"
  refused CARD_PED_UNPLUGGED
  run admin status
  assert_output --partial " initialized=no "
  ped_start
  partitioned
  activated black 2222
  laboratory_kill ped
  time_passes 365d
  run admin status
  assert_output --partial " activated=yes "
  assert_output --partial " ped=none "
}

@test "A card that crashed finds its PED again" {
  card_start
  ped_start
  initialized
  laboratory_kill card
  pedctl wait-status link=down
  card_start
  meanwhile so-login
  present "SO LOGIN" blue 1111 | at_the_ped
  finished
}

#!/usr/bin/env bats
# Chapter 15, Administrators, at the command line
# bats file_tags=admins
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  needs adapter_serial_login
}

teardown() {
  adapter_stop
}

HIGH='"High Access Administrator" access control is required.'

# the words of all access controls, as `show access controls` has them
controls() {
  as admin "show access controls" | awk '{ print $1 }'
}

# repeats COUNT: so many times the letter a
repeats() {
  printf "%${1}s" "" | tr " " a
}

# is_no_administrator NAME
is_no_administrator() {
  run as admin "show administrator $1"
  assert_failure 1
  assert_line --partial "there is no such administrator"
}

# ---- the first one

# req: KS-02-018 KS-02-020 KS-15-034 KS-15-035 KS-15-037 ESKM-184
@test "After initialization there is admin, local and with High Access, with the password that it was given" {
  story_start
  for name in root administrator Admin admi; do
    run enters "$name" "$ADMIN"
    assert_failure 2
  done
  run enters admin "$WRONG"
  assert_failure 2
  run as admin "show administrator"
  assert_success
  assert_line --regexp "^  admin  *Local  yes "
  assert_equal "${#lines[@]}" 2 # and nobody else, below the heading
  run as admin "show administrator admin"
  refute_line --partial "Access Control: none"
  run as admin "administrator bob access-control ," "$FIRST" "$FIRST"
  assert_failure 1
  as admin "administrator bob access-control none" "$FIRST" "$FIRST"
  run with bob "$FIRST" "show clock" "$OWN" "$OWN"
  assert_success
}

# ---- names and texts

# req: KS-15-041 KS-15-042 KS-15-054
@test "Names are letters and digits, a letter first" {
  story_start
  for name in ad-min ad_min ad.min "a\$b" 1admin '"a b"' 'müller' "a@b"; do
    run as admin "administrator $name access-control none" "$FIRST" "$FIRST"
    assert_failure 1
    assert_line --partial "Error: Username: "
  done
  run as admin "show administrator"
  assert_equal "${#lines[@]}" 2
  for name in adm1n a1 Z; do
    as admin "administrator $name access-control none" "$FIRST" "$FIRST"
    run as admin "show administrator $name"
    assert_line "Username: $name"
  done
}

# req: KS-15-043
@test "A name has at most 30 characters" {
  story_start
  run as admin "administrator $(repeats 31) access-control none" "$FIRST" "$FIRST"
  assert_failure 1
  as admin "administrator $(repeats 30) access-control none" "$FIRST" "$FIRST"
  run as admin "show administrator $(repeats 30)"
  assert_success
}

# req: KS-15-056 KS-15-057
@test "A full name has at most 256 characters, a description 2048" {
  story_start
  for field in "full-name 256" "description 2048"; do
    read -r word most <<<"$field"
    run as admin "administrator bob $word $(repeats $((most + 1)))" "$FIRST" "$FIRST"
    assert_failure 1
    is_no_administrator bob
    as admin "administrator bob $word $(repeats "$most")" "$FIRST" "$FIRST"
    run as admin "show administrator bob"
    assert_line --regexp ": a{$most}$"
    as admin "no administrator bob" yes
  done
}

# req: KS-15-025 KS-15-055
@test "Who makes an administrator is asked for each of its fields" {
  story_start
  run as admin "administrator bob" "$FIRST" "$FIRST" "Bob Example" "night shift" no ssh,hsm
  assert_success
  for field in "Password:" "Confirm Password:" "Full Name:" "Description:" \
    "High Access Administrator (yes/no):"; do
    assert_line "$field"
  done
  run as admin "show administrator bob"
  assert_line "Full Name: Bob Example"
  assert_line "Description: night shift"
  assert_line "High Access Administrator: no"
  assert_line "Access Control: HSM, Admin Access via SSH"
  run as admin "edit administrator bob" "" "" yes ""
  assert_line "High Access Administrator (yes/no):"
  run as admin "show administrator bob"
  assert_line "High Access Administrator: yes"
  assert_line "Full Name: Bob Example"
}

# req: KS-15-055
@test "A password and its confirmation that differ make nobody" {
  story_start
  run as admin "administrator bob access-control none" "$FIRST" "$OTHER"
  assert_failure 1
  is_no_administrator bob
}

# ---- access controls

# req: KS-15-070 KS-15-071 KS-15-072
@test "There are 22 access controls, of these names and in this order" {
  story_start
  run as admin "show access controls"
  assert_success
  shown=$(sed -E 's/^  [^ ]+ +//' <<<"$output")
  assert_equal "$shown" "$(
    cat <<-'END'
	Keys and Authorization Policies
	Users and Groups
	Certificates
	Certificate Authorities
	Advanced Security
	SSL
	Key Server
	Cluster
	Network and Date/Time
	SNMP
	Logging
	HSM
	Backup Configuration
	Backup Keys & Certificates
	Backup Local CAs
	Restore Configuration
	Restore Keys and Certificates
	Restore Local CAs
	Services
	Software Upgrade and System Health
	Admin Access via Web
	Admin Access via SSH
	END
  )"
}

# req: KS-15-002 ESKM-186
@test "An access control opens what it is for, and nothing else" {
  story_start
  story_admin clock access-control network
  story_admin services access-control services
  run as clock "clock set 2027-01-02 03:04:05"
  assert_success
  run as clock "service restart key-server"
  assert_failure 1
  assert_output --partial '"Services" access control is required.'
  run as services "service restart key-server"
  assert_success
  run as services "clock set 2028-01-02 03:04:05"
  assert_failure 1
  assert_output --partial '"Network and Date/Time" access control is required.'
  run as services "show clock"
  assert_line --partial "2027-01-02"
}

# req: KS-15-088 KS-15-089
@test "The HSM and its remote PED take the access control \"HSM\"" {
  story_start
  all=$(controls | grep -v -x hsm | paste -s -d ,)
  story_admin dave access-control "$all"
  story_admin erin access-control hsm
  for command in "show hsm status" "hsm remote ped init" "hsm remote ped connect"; do
    run as dave "$command"
    assert_failure 1
    assert_output --partial '"HSM" access control is required.'
    run as erin "$command"
    refute_output --partial "Access denied"
  done
}

# req: KS-15-069 KS-15-031 KS-15-067
@test "High Access brings all controls, from which single ones can be left out" {
  story_start
  all=$(controls | paste -s -d ,)
  as admin "administrator bob high-access yes" "$FIRST" "$FIRST"
  as admin "administrator carol access-control all" "$FIRST" "$FIRST"
  as admin "administrator dave access-control none" "$FIRST" "$FIRST"
  as admin "administrator erin high-access yes access-control ${all/,hsm/}" "$FIRST" "$FIRST"
  run as admin "show administrator bob"
  whole=$(grep "^Access Control: " <<<"$output")
  assert_equal "$(tr , '\n' <<<"$whole" | wc -l)" 22
  run as admin "show administrator carol"
  assert_line "$whole"
  run as admin "show administrator dave"
  assert_line "Access Control: none"
  run as admin "show administrator erin"
  assert_line "High Access Administrator: yes"
  assert_line "${whole/ HSM,/}"
}

# req: KS-15-026
@test "A High Access Administrator may do what any control is for" {
  story_start bob
  for command in "clock set 2027-01-02 03:04:05" "service restart key-server" \
    "edit host name other" "edit password settings length 9" \
    "edit lockout settings serial 6"; do
    run as bob "$command"
    refute_output --partial "Access denied"
    assert_success
  done
}

# req: KS-15-068
@test "A High Access Administrator gives itself what it lacks" {
  story_start
  story_admin erin high-access yes access-control none
  run as erin "clock set 2027-01-02 03:04:05"
  assert_failure 1
  assert_output --partial "Access denied"
  as erin "edit administrator erin access-control network"
  run as erin "clock set 2027-01-02 03:04:05"
  assert_success
}

# req: KS-15-027 KS-15-052 KS-15-062
@test "Without High Access nobody makes or changes an administrator" {
  story_start
  story_admin dave access-control all
  run as dave "administrator eve access-control none" "$FIRST" "$FIRST"
  assert_failure 1
  assert_output --partial "$HIGH"
  is_no_administrator eve
  run as dave "edit administrator dave description mine"
  assert_failure 1
  assert_output --partial "$HIGH"
  run as admin "show administrator dave"
  assert_line "Description: "
}

# req: KS-15-030
@test "Controls are given and taken by High Access Administrators only, at once" {
  story_start bob
  story_admin dave access-control none
  run as dave "edit administrator dave access-control all"
  assert_failure 1
  run as dave "clock set 2027-01-02 03:04:05"
  assert_failure 1
  as bob "edit administrator dave access-control network"
  run as dave "clock set 2027-01-02 03:04:05"
  assert_success
  as bob "edit administrator dave access-control none"
  run as dave "clock set 2028-01-02 03:04:05"
  assert_failure 1
}

# ---- passwords of others

# req: KS-15-029 KS-15-048 KS-15-049 ESKM-141
@test "Another's password is a High Access Administrator's to change, and the log says so" {
  story_start bob carol
  story_admin dave access-control all
  run as dave "reset administrator password bob" "$OTHER" "$OTHER"
  assert_failure 1
  assert_output --partial "$HIGH"
  run enters bob "$OWN"
  assert_success
  as carol "reset administrator password bob" "$OTHER" "$OTHER"
  run enters bob "$OWN"
  assert_failure 2
  run with bob "$OTHER" "show clock" "$FIRST" "$FIRST"
  assert_success
  run audit
  assert_line --regexp "\[carol\]: changed password of administrator bob$"
  refute_output --partial "$OTHER"
}

# req: KS-15-050 KS-15-051
@test "Whose password was changed by another has to change it, and goes on in that session" {
  story_start bob
  as admin "reset administrator password bob" "$OTHER" "$OTHER"
  run with bob "$OTHER" "show clock"
  assert_failure
  assert_line "The password was set by another administrator, and has to be changed."
  refute_output --partial UTC
  run with bob "$OTHER" "show clock" "$FIRST" "$FIRST"
  assert_success
  assert_line --partial UTC
  run with bob "$FIRST" "show clock"
  assert_success
  refute_output --partial "has to be changed"
}

# req: KS-15-058
@test "A new administrator changes the password first, and can do nothing before" {
  story_start
  as admin "administrator bob high-access yes" "$FIRST" "$FIRST"
  run with bob "$FIRST" "edit host name bobs"
  assert_failure
  assert_line "This is the first login: the password has to be changed."
  run with bob "$FIRST" "edit host name bobs" "$FIRST" "$FIRST" # the same
  assert_failure
  run as admin "show host"
  refute_output --partial bobs
  run with bob "$FIRST" "edit host name bobs" "$OWN" "$OWN"
  assert_success
}

# req: KS-15-045 ESKM-148
@test "No command without High Access sets another's password" {
  story_start bob
  story_admin dave access-control all
  story_admin backups access-control backup-config,backup-keys,backup-cas,restore-config,restore-keys,restore-cas
  for name in dave backups; do
    for command in "reset administrator password bob" "edit administrator bob" \
      "no administrator bob" "administrator bob" "password bob"; do
      run as "$name" "$command" "$OTHER" "$OTHER" yes yes yes yes
      assert_failure 1
    done
  done
  run enters bob "$OTHER"
  assert_failure 2
  run enters bob "$OWN"
  assert_success
}

# req: KS-15-047
@test "Only the password of that account logs it in" {
  story_start bob
  as bob password "$OWN" "$OTHER" "$OTHER"
  for password in "$OWN" "$ADMIN" "" "${OTHER}x" "${OTHER%?}" "${OTHER,,}"; do
    [ "$password" != "$OTHER" ] || continue
    run enters bob "$password"
    assert_failure 2
    run enters bob "$OTHER" # so that it is not the fifth
    assert_success
  done
}

# ---- deleting

# req: KS-15-106
@test "A deletion takes a secondary approval" {
  story_start bob
  for answer in no "" y bob; do
    run as admin "no administrator bob" "$answer"
    assert_failure 1
    assert_line --partial "Secondary Approval"
  done
  run enters bob "$OWN"
  assert_success
  as admin "no administrator bob" yes
  is_no_administrator bob
}

# req: KS-15-028 KS-15-104 ESKM-142
@test "Without High Access nobody deletes an administrator" {
  story_start bob
  story_admin dave access-control all
  run as dave "no administrator bob" yes
  assert_failure 1
  assert_output --partial "$HIGH"
  run enters bob "$OWN"
  assert_success
}

@test "The last local administrator stays, and so does the last with High Access" {
  story_start
  run as admin "no administrator admin" yes
  assert_failure 1
  story_admin dave access-control all
  run as admin "no administrator admin" yes
  assert_failure 1
  run as admin "edit administrator admin high-access no"
  assert_failure 1
  run as admin "show administrator admin"
  assert_line "High Access Administrator: yes"
}

# req: ESKM-185
@test "admin itself can go when there is another with High Access" {
  story_start bob
  as bob "no administrator admin" yes
  run enters admin "$ADMIN"
  assert_failure 2
  run as bob "show administrator"
  assert_success
  refute_output --partial admin
  run as bob "no administrator bob" yes
  assert_failure 1
}

# req: ESKM-139 ESKM-140
@test "Of two officers who leave one is deleted and one gets another password" {
  story_start
  story_admin leaver access-control network,services
  story_admin other access-control network
  as admin "no administrator leaver" yes
  as admin "reset administrator password other" "$OTHER" "$OTHER"
  run enters leaver "$OWN"
  assert_failure 2
  run enters other "$OWN"
  assert_failure 2
  story_admin successor access-control network,services
  run as successor "clock set 2027-01-02 03:04:05"
  assert_success
  run as successor "service restart key-server"
  assert_success
  run as successor "edit administrator other description x"
  assert_failure 1
}

# req: ESKM-183
@test "Who forgot a password is deleted by another, and made again" {
  story_start bob carol
  as carol "no administrator bob" yes
  as carol "administrator bob high-access yes" "$FIRST" "$FIRST"
  run enters bob "$OWN"
  assert_failure 2
  run with bob "$FIRST" "show clock" "$OTHER" "$OTHER"
  assert_success
  run with bob "$OTHER" "edit host name again"
  assert_success
}

@test "Who is deleted in the middle of a session does nothing more in it" {
  story_start bob
  session_begin bob "$OWN" config "edit administrator bob" "edit host name bobs"
  session_says "Full Name:"
  as admin "no administrator bob" yes
  session_answer Bob "" "" ""
  session_end
  assert_failure
  run as admin "show host"
  refute_output --partial bobs
}

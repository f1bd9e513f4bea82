#!/usr/bin/env bats
# Chapter 25, licenses: how many clients are let in, and how they are installed
# bats file_tags=upgrade
# shellcheck disable=SC2154  # variables of servers.bash
bats_require_minimum_version 1.5.0

# Clients are addresses of the loopback; what they speak is NAE-XML over TLS.
setup() {
  load helper
  load story
  load servers
  load remote-host
  needs adapter_license adapter_key_port adapter_await
  cd "$BATS_TEST_TMPDIR" || return 1
  guests=()
}

teardown() {
  [ "${#guests[@]}" -eq 0 ] || kill "${guests[@]}" 2>/dev/null || true
  [ -z "${REMOTE_DIR-}" ] || remote_host_end
  adapter_stop
}

# uploads FILE: "software install", pasted
uploads() {
  { base64 -w 8000 "$1" && echo .; } >pasted
  adapter_cli admin "$ADMIN" config "software install upload" <pasted
}

# licensed CLIENTS: as an administrator has them licensed
licensed() {
  adapter_license "$1" license
  uploads license >said
  adapter_await running
  port=$(adapter_key_port 2)
}

# license FIELD: what is shown of it
license() {
  as admin "show license" | sed -n "s/^  $1: //p"
}

# from ADDRESS: a request from there, and its answer
from() {
  printf '%s' "$random$THE_END" | timeout 20 openssl s_client -quiet \
    -bind "$1:0" -connect "127.0.0.1:$port" 2>s_client.log
}

# let_in ADDRESS, kept_out ADDRESS
let_in() {
  run from "$1"
  assert_output --partial "<RandGenResponse>"
}
kept_out() {
  run from "$1"
  refute_output --partial "<RandGenResponse>"
}

# stays ADDRESS: it is let in, and does not leave; $guest
stays() {
  local hand ear said
  rm -f "$1.hears" "$1.says"
  mkfifo "$1.hears" "$1.says"
  exec {hand}<>"$1.hears" {ear}<>"$1.says"
  openssl s_client -quiet -bind "$1:0" -connect "127.0.0.1:$port" \
    <"$1.hears" >"$1.says" 2>/dev/null 3>&- &
  guest=$!
  guests+=("$guest")
  printf '%s' "$random" >&"$hand"
  # its answer has no end of a line
  while IFS= read -r -t 20 -d '>' said <&"$ear"; do
    [ "$said" != "</RandGenResponse" ] || return 0
  done
  return 1
}

# leaves GUEST CLIENTS: and then so many are left
leaves() {
  local tries
  kill "$1"
  for ((tries = 0; tries < 100; tries++)); do
    [ "$(license "Clients Connected")" != "$2" ] || return 0
  done
  return 1
}

# refusals ADDRESS: how many lines of the System Log it has
refusals() {
  adapter_log system | grep -c "License: Client $1 refused" || true
}

# ---------------------------------------------------------------------------
# Who is let in

# req: KS-25-008 KS-25-009 KS-25-012 KS-25-013 KS-20-011 KS-21-005 KS-22-045
@test "Two licensed clients are let in, and a third when one of them has left" {
  local second word
  story_start
  licensed 2
  stays 127.0.0.1
  stays 127.0.0.2
  second=$guest
  assert_equal "$(license "Clients Connected")" 2
  assert_equal "$(license "Licenses Available")" 0
  for word in 1 2 3; do kept_out 127.0.0.3; done
  # not a word is said to it, nor is it heard
  run timeout 20 openssl s_client -bind 127.0.0.3:0 -connect "127.0.0.1:$port" \
    </dev/null
  assert_failure
  assert_line --regexp "handshake has read 0 bytes"
  assert_equal "$(refusals 127.0.0.3)" 1
  run adapter_log system
  assert_line --partial "License: Client 127.0.0.3 refused: the licensed number of clients, 2, is connected"
  assert_line --partial "SNMP Trap: No licenses available: connected clients: 2, licensed: 2"
  # who is in may open more, of every protocol
  let_in 127.0.0.2
  run touchstone_kmip
  assert_success
  run as admin "show statistics"
  assert_line "License Usage: 2"
  assert_line "  Licensed Clients: 2"
  # and no command makes it more
  for word in "edit license clients 3" "license clients 3" "edit license"; do
    run as admin "$word"
    assert_failure 1
  done
  assert_equal "$(license "Licensed Clients")" 2

  leaves "$second" 1
  stays 127.0.0.3
  kept_out 127.0.0.2
}

touchstone_kmip() {
  "$TOP/build/bin/touchstone" kmip query --target "$(adapter_target)"
}

@test "Who only connects keeps nobody out" {
  local idle
  story_start
  licensed 1
  exec {idle}<>"/dev/tcp/127.0.0.1/$port"
  run timeout 20 openssl s_client -bind 127.0.0.3:0 -connect "127.0.0.1:$port" \
    -no_tls1_3 -cipher NULL </dev/null
  assert_failure
  let_in 127.0.0.2
  exec {idle}>&-
}

# req: KS-25-010 KS-25-014
@test "A device that is new lets nobody in until a license is installed" {
  needs adapter_start_blank adapter_serial_setup
  adapter_start_blank
  printf '%s\n' "" "" "" "" "" "" "$OWN" "$OWN" admin "$OWN" exit |
    adapter_serial_setup
  ADMIN=$OWN
  run touchstone_kmip
  assert_failure
  run as admin "show license"
  assert_line "  No license is installed: clients are refused."
  run adapter_log system
  assert_line --partial "License: Client 127.0.0.1 refused: no license is installed"
  adapter_license 1 license
  run uploads license
  assert_success
  adapter_await running
  run touchstone_kmip
  assert_success
}

# ---------------------------------------------------------------------------
# How it is installed

# req: KS-25-014 KS-25-016 KS-25-019 KS-25-021 KS-25-022
@test "An uploaded license takes the place of the one before, and all begins anew" {
  local clients
  story_start
  adapter_clock_advance 3d
  licensed 3
  for clients in 5 1; do
    stays 127.0.0.1
    adapter_license "$clients" license
    run uploads license
    assert_success
    assert_line --partial "The device restarts."
    timeout 20 tail --pid="$guest" -f /dev/null # its connection has ended
    adapter_await running
    port=$(adapter_key_port 2)
    assert_equal "$(license "Licensed Clients")" "$clients"
    assert_equal "$(license Notes)" "For $clients clients"
    assert_equal "$(date -u -d "$(license Installed)" +%s)" \
      "$(adapter_clock_wall)"
    run as admin "show statistics"
    assert_line --regexp "Uptime.*: 0 days, 00:00:0"
    run audit 20
    assert_output --partial "Installed a license: licensed clients: $clients, before: "
  done
  stays 127.0.0.1
  kept_out 127.0.0.2
}

# req: KS-25-020 KS-AA-035
@test "A license is fetched by SCP, SFTP and FTP with the right password" {
  local protocol at user clients=10
  remote_host_make
  remote_ssh_start
  remote_ftp_start
  story_start
  for protocol in scp sftp ftp; do
    at=$REMOTE_SSH_PORT user=$REMOTE_USER
    [ "$protocol" != ftp ] || at=$REMOTE_FTP_PORT user=$REMOTE_FTP_USER
    adapter_license "$((++clients))" "$REMOTE_DIR/home/license"
    run as admin "software install $protocol 127.0.0.1 license $user port $at" \
      "$WRONG"
    assert_failure 1
    assert_equal "$(license "Licensed Clients")" \
      "$([ "$clients" -eq 11 ] && echo 1000 || echo $((clients - 1)))"
    run as admin "software install $protocol 127.0.0.1 license $user port $at" \
      "$REMOTE_PASSWORD"
    assert_success
    adapter_await running
    assert_equal "$(license "Licensed Clients")" "$clients"
  done
}

# refuses FILE TEXT
refuses() {
  run uploads "$1"
  assert_failure 1
  assert_line --partial "$2"
  assert_equal "$(license "Licensed Clients")" 3
}

# req: KS-25-017
@test "Only a license of the vendor's own is installed" {
  story_start
  licensed 3
  adapter_license 9 good
  mkdir foreign
  "$TOP/build/bin/touchstone-release" keys foreign
  RELEASE_KEYS=foreign adapter_license 9 theirs
  refuses theirs "signed by another key"
  { head -c 11 good && printf '\0' && tail -c +13 good; } >unsigned
  refuses unsigned "not signed"
  head -c -1 good >altered
  if [ "$(tail -c 1 good | od -An -tu1)" -eq 0 ]; then
    printf '\001' >>altered
  else
    printf '\000' >>altered
  fi
  refuses altered "damaged"
  head -c -1 good >short
  refuses short ""
  echo "clients = 9" >text
  refuses text "no package"
  uploads good >said
  adapter_await running
  assert_equal "$(license "Licensed Clients")" 9
}

@test "A backup has no license" {
  local secret="secret of 30 characters, yes!!"
  story_start
  licensed 2
  as admin "edit host name before"
  as admin "backup create all" "$secret" "$secret"
  licensed 3
  as admin "edit host name behind"
  as admin "restore backup internal all items all" "$secret" "$secret"
  as admin restart
  adapter_await running
  run as admin "show host"
  assert_line --partial before
  assert_equal "$(license "Licensed Clients")" 3
}

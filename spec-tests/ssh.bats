#!/usr/bin/env bats
# The SSH door: OpenSSH's client, sshpass and expect at the command line.
# bats file_tags=chapter:15, chapter:19, chapter:24, cli:ssh
bats_require_minimum_version 1.5.0

setup() {
  load helper
  server_start
  PASSWORD=$SERVER_DIR/admin.password
  WRONG=$BATS_TEST_TMPDIR/wrong
  echo wrong >"$WRONG"
  KNOWN=$BATS_TEST_TMPDIR/known
}

teardown() { server_stop; }

# ssh_with PASSWORD-FILE ARGS...: as $SSH_USER, or admin; ssh's own arguments
ssh_with() {
  local port
  port=$(server ssh-port) || return
  timeout 60 sshpass -f "$1" ssh -p "$port" -l "${SSH_USER:-admin}" \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile="$KNOWN" \
    -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 127.0.0.1 \
    "${@:2}" 3>&-
}

# fails COUNT: so many wrong passwords
fails() {
  local k
  for ((k = 0; k < $1; k++)); do
    run ssh_with "$WRONG" exit
    assert_not_equal "$status" 0
    refute_output --partial "Permission Denied"
  done
}

# audit: the audit log, at the serial console
audit() {
  server cli --user admin --password-file "$PASSWORD" "show log audit 1000"
}

# req: KS-02-006
@test "an administrator logs in and runs a command, whose status ssh has" {
  run ssh_with "$PASSWORD" "show services"
  assert_success
  assert_output --partial "SSH Administration"
  run ssh_with "$PASSWORD" "nonsense"
  assert_failure 1
  assert_output --partial "unknown command"
}

@test "a wrong password and an unknown account are refused alike" {
  fails 1
  SSH_USER=nobody run ssh_with "$PASSWORD" exit
  assert_not_equal "$status" 0
  refute_output --partial "Permission Denied"
}

# req: KS-15-009 KS-15-012 KS-15-017 KS-15-018 KS-15-019
@test "five failures lock SSH for half an hour, which each attempt begins anew" {
  fails 5
  run ssh_with "$PASSWORD" exit
  assert_not_equal "$status" 0
  assert_output --partial "Permission Denied"
  server cli --user admin --password-file "$PASSWORD" "show services"
  server clock advance 29m
  run ssh_with "$PASSWORD" exit
  assert_output --partial "Permission Denied"
  server clock advance 29m
  run ssh_with "$PASSWORD" exit
  assert_output --partial "Permission Denied"
  server clock advance 30m1s
  run -0 ssh_with "$PASSWORD" "show services"
  refute_output --partial "Permission Denied"
}

# req: KS-19-060 KS-19-062 ESKM-165
@test "recreating the SSH key changes it and closes all connections" {
  local before other
  run -0 ssh_with "$PASSWORD" "show services"
  before=$(<"$KNOWN")
  mkfifo "$BATS_TEST_TMPDIR/idle"
  exec {idle}<>"$BATS_TEST_TMPDIR/idle"
  ssh_with "$PASSWORD" -T <&"$idle" >"$BATS_TEST_TMPDIR/other" 2>&1 &
  other=$!
  echo "show services" >&"$idle"
  wait_for "SSH Administration" "$BATS_TEST_TMPDIR/other"
  run -0 ssh_with "$PASSWORD" $'config\nssh key recreate'
  wait "$other"
  server await "guests=0" >/dev/null
  rm "$KNOWN"
  run -0 ssh_with "$PASSWORD" "show services"
  assert_not_equal "$(<"$KNOWN")" "$before"
  run audit
  assert_output --partial "[admin]: SSH key: recreated"
}

# req: KS-19-030 KS-AA-027
@test "the port moves when it is set, and connections stay" {
  local before after tries
  before=$(server ssh-port)
  # below the ports that the kernel gives to clients; it may be somebody's
  for tries in 1 2 3 4 5 6 7 8; do
    after=$((10000 + RANDOM % 20000))
    run ssh_with "$PASSWORD" $'config\nedit ras settings ssh-port '"$after"
    [ "$status" -eq 0 ] && break
    assert_output --partial "Address already in use"
    assert [ "$tries" -lt 8 ]
  done
  run server await "ssh=$after"
  assert_success
  run -0 ssh_with "$PASSWORD" "show services"
  run ssh -p "$before" -o BatchMode=yes 127.0.0.1 exit
  assert_output --partial "Connection refused"
}

# shellcheck disable=SC2016  # the inner shell's own
# In a network of its own, where all addresses are loopback and port 22 is free.
# req: KS-19-028 KS-19-030 KS-AA-026 ESKM-120
@test "SSH is at port 22 of all addresses, or of the one that is set" {
  server stop
  sed -i '/^ssh_listen/d' "$SERVER_DIR/touchstone.conf"
  run -0 unshare --map-root-user --net bash -c '
    set -e
    appliance() { "$TOP/harness/appliance" "$1" "$SERVER_DIR" "${@:2}"; }
    found() { ssh-keyscan -p 22 127.0.0.1 127.0.0.2 2>/dev/null | cut -d" " -f1 | sort -u; }
    ip link set lo up
    appliance start >/dev/null
    trap "appliance stop" EXIT
    echo "All: $(found | paste -s -d " ")"
    appliance cli config "edit ras settings ssh-ip 127.0.0.2"
    appliance clock advance 1s >/dev/null
    echo "one: $(found | paste -s -d " ")"' 3>&-
  assert_line "All: 127.0.0.1 127.0.0.2"
  assert_line "one: 127.0.0.2"
}

# req: KS-19-010
@test "the SSH key signs the key exchange, and what follows is encrypted" {
  run -0 ssh_with "$PASSWORD" -v "show services"
  assert_output --regexp "debug1: Server host key: [-a-z0-9]+ SHA256:"
  assert_output --regexp "debug1: kex: server->client cipher: (aes|chacha20)"
  assert_output --regexp "debug1: kex: client->server cipher: (aes|chacha20)"
  assert_output --partial "SSH Administration"
}

# req: KS-24-004 KS-24-009
@test "the stopped service refuses connections" {
  local port
  port=$(server ssh-port)
  run -0 ssh_with "$PASSWORD" $'config\nservice stop ssh'
  run ssh -p "$port" -o BatchMode=yes 127.0.0.1 exit
  assert_failure 255
  assert_output --partial "Connection refused"
  # and the harness does not wait for it
  run timeout 10 "$TOP/harness/appliance" ssh-port "$SERVER_DIR"
  assert_failure 1
  assert_output --partial "SSH is stopped"
  server cli config 'service start ssh'
  run -0 server ssh-port
}

# req: KS-02-006
@test "a person at a terminal edits, completes, gives up and leaves" {
  local port
  port=$(server ssh-port)
  run timeout 60 expect -f - <<END
set timeout 20
spawn ssh -p $port -l admin -o StrictHostKeyChecking=no -o UserKnownHostsFile=$KNOWN -o PubkeyAuthentication=no 127.0.0.1
expect "assword: "
send "[exec cat $PASSWORD]\r"
expect "# "
send "conf\t"
expect "config "
send "\r"
expect "(config)# "
send "password\r"
expect "assword"
send "\003"
expect "given up"
expect "(config)# "
send "exit\rexit\r"
expect eof
lassign [wait] pid id os status
exit \$status
END
  assert_output --partial "given up"
}

# begin NAME: a session beside the test, which has said something; $NAME_hand
begin() {
  local -n hand=$1_hand pid=$1_pid
  mkfifo "$BATS_TEST_TMPDIR/$1"
  exec {hand}<>"$BATS_TEST_TMPDIR/$1"
  ssh_with "$PASSWORD" -T <&"$hand" >"$BATS_TEST_TMPDIR/$1.says" 2>&1 &
  pid=$!
  echo "show version" >&"$hand"
  wait_for "Touchstone " "$BATS_TEST_TMPDIR/$1.says"
}

# client_of NAME: the process of its ssh
client_of() {
  local -n pid=$1_pid
  local child=$pid
  until [ "$(ps -o comm= -p "$child")" = ssh ]; do
    child=$(pgrep -P "$child") || return
  done
  echo "$child"
}

@test "a session that nobody uses is ended, and who types keeps his" {
  local idle_hand idle_pid busy_hand busy_pid
  begin idle
  begin busy
  server clock advance 14m59s
  echo "show host" >&"$busy_hand"
  wait_for "Hostname: touchstone" "$BATS_TEST_TMPDIR/busy.says"
  run cat "$BATS_TEST_TMPDIR/idle.says"
  refute_output --partial "Autologout"
  server clock advance 1s
  wait_for "Autologout: the session was idle too long." "$BATS_TEST_TMPDIR/idle.says"
  wait "$idle_pid"
  exec {idle_hand}<&-
  echo "show clock" >&"$busy_hand"
  echo exit >&"$busy_hand"
  wait "$busy_pid"
  run cat "$BATS_TEST_TMPDIR/busy.says"
  assert_line --regexp " UTC$"
  refute_output --partial "Autologout"
}

# Its last words wait ten seconds for who does not take them.
@test "a client that does not listen is cut off" {
  local deaf_hand deaf_pid client
  begin deaf
  client=$(client_of deaf)
  kill -STOP "$client"
  server clock advance 15m
  run -0 server await "guests=1"
  server clock advance 9s
  run -0 server status
  assert_output --partial "guests=1"
  server clock advance 1s
  run -0 server await "guests=0"
  kill -CONT "$client"
  run wait "$deaf_pid"
  exec {deaf_hand}<&-
}

@test "who has said nothing after two minutes is cut off, and 256 are heard" {
  local port k fd fds=() line
  port=$(server ssh-port)
  for ((k = 0; k < 256; k++)); do
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    fds+=("$fd")
  done
  run -0 server await "guests=256"
  # one more is not
  exec {fd}<>"/dev/tcp/127.0.0.1/$port"
  run ! read -r -t 20 line <&"$fd"
  assert_equal "$line" ""
  exec {fd}<&-
  server_logged "more than 256 connections"
  read -r -t 20 line <&"${fds[255]}"
  assert_equal "$line" $'SSH-2.0-Touchstone\r'
  server clock advance 119s
  run -0 server status
  assert_output --partial "guests=256"
  server clock advance 1s
  run -0 server await "guests=0"
  run -0 ssh_with "$PASSWORD" "show version"
  for fd in "${fds[@]}"; do exec {fd}<&-; done
}

@test "sixteen sessions are let in, and the next when one has left" {
  local k pids=() hands=() hand
  for ((k = 0; k < 16; k++)); do
    mkfifo "$BATS_TEST_TMPDIR/$k"
    exec {hand}<>"$BATS_TEST_TMPDIR/$k"
    ssh_with "$PASSWORD" -T <&"$hand" >"$BATS_TEST_TMPDIR/$k.says" 2>&1 &
    pids+=($!) hands+=("$hand")
    echo "show version" >&"$hand"
  done
  for ((k = 0; k < 16; k++)); do
    wait_for "Touchstone " "$BATS_TEST_TMPDIR/$k.says"
  done
  run ssh_with "$PASSWORD" "show version"
  assert_not_equal "$status" 0
  assert_output --partial "Too many SSH sessions."
  refute_output --partial "Touchstone "
  # the serial console is another door
  server cli --user admin --password-file "$PASSWORD" "show version"
  echo exit >&"${hands[3]}"
  wait "${pids[3]}"
  run -0 server await "guests=15"
  run -0 ssh_with "$PASSWORD" "show version"
  for hand in "${hands[@]}"; do echo exit >&"$hand"; done
  wait
}

# req: KS-19-030
@test "a port that somebody else has is refused, and the old one serves on" {
  local before
  before=$(server ssh-port)
  run ssh_with "$PASSWORD" $'config\nedit ras settings ssh-port '"$SERVER_PORT"
  assert_failure 1
  assert_output --partial "SSH Admin Server Port: $SERVER_PORT: Address already in use"
  assert_equal "$(server ssh-port)" "$before"
  run -0 ssh_with "$PASSWORD" "show ras settings"
  assert_output --regexp "SSH Admin Server Port: 22( |$)"
  run audit
  assert_line --partial "[admin]: Refused: SSH Admin Server Port: $SERVER_PORT: "
  # one who had it before the start keeps it, and the service says so
  run -0 ssh_with "$PASSWORD" $'config\nservice stop ssh'
  server cli config "edit ras settings ssh-port $SERVER_PORT"
  run server cli config 'service start ssh'
  assert_failure 1
  assert_output --partial "Error: SSH Administration cannot be started: "
}

# create_bob CONTROL: with the password Bird9.Walnut-Quay
create_bob() {
  run -0 ssh_with "$PASSWORD" -T <<END
config
administrator bob
Bird9.Walnut-Quay
Bird9.Walnut-Quay
Bob

no
$1
END
  echo Bird9.Walnut-Quay >"$BATS_TEST_TMPDIR/bob"
}

# req: KS-15-100
@test "without Admin Access via SSH the right password is refused" {
  create_bob services
  SSH_USER=bob run ssh_with "$BATS_TEST_TMPDIR/bob" "show services"
  assert_not_equal "$status" 0
  assert_output --partial '"Admin Access via SSH" access control is required'
}

# req: KS-15-051 KS-15-058
@test "a password that has to be changed is changed before anything else" {
  create_bob ssh
  SSH_USER=bob run ssh_with "$BATS_TEST_TMPDIR/bob" -T <<END
Bird9.Walnut-Quay
Cave8.Marble-Fjord
Cave8.Marble-Fjord
show services
END
  assert_success
  assert_output --partial "SSH Administration"
  echo Cave8.Marble-Fjord >"$BATS_TEST_TMPDIR/bob"
  SSH_USER=bob run -0 ssh_with "$BATS_TEST_TMPDIR/bob" "show services"
}

@test "what one session sets, another sees" {
  local first session
  mkfifo "$BATS_TEST_TMPDIR/first"
  exec {first}<>"$BATS_TEST_TMPDIR/first"
  ssh_with "$PASSWORD" -T <&"$first" >"$BATS_TEST_TMPDIR/says" 2>&1 &
  session=$!
  echo "show services" >&"$first"
  wait_for "SSH Administration" "$BATS_TEST_TMPDIR/says"
  run -0 ssh_with "$PASSWORD" $'config\nedit ras settings ssh-ip 127.0.0.1'
  echo "show ras settings" >&"$first"
  wait_for "127.0.0.1" "$BATS_TEST_TMPDIR/says"
  echo exit >&"$first"
  wait "$session"
}

# req: ESKM-163
@test "a restart changes nothing about the SSH key" {
  local before
  run -0 ssh_with "$PASSWORD" exit
  before=$(cut -d' ' -f2- "$KNOWN")
  rm "$KNOWN"
  server_stop
  server_start
  run -0 ssh_with "$PASSWORD" exit
  assert_equal "$(cut -d' ' -f2- "$KNOWN")" "$before"
}

# What the loop does for 200 who guess costs nobody else a slow turn.
@test "two hundred guesses at once leave the loop's turns under 5 ms" {
  local port
  port=$(server ssh-port)
  export WRONG port
  guess() {
    # shellcheck disable=SC2016  # the inner shell's own
    for k in {1..100}; do
      echo admin
      echo "nobody$k"
    done | xargs -P 50 -I{} timeout 60 sshpass -f "$WRONG" ssh -p "$port" -l {} \
      -o StrictHostKeyChecking=no -o UserKnownHostsFile="$BATS_TEST_TMPDIR/known200" \
      -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -o LogLevel=QUIET \
      127.0.0.1 exit 3>&- || true
  }
  no_turn_of 5000 guess
  server clock advance 31m
  [ "$(audit | grep -c 'via SSH from 127.0.0.1')" -ge 200 ]
}

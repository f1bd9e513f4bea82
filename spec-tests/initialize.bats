#!/usr/bin/env bats
# First-time initialization, restart, halt, and reset to factory settings
# bats file_tags=appliance, admins, services
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load console
  SERVER_DIR=$BATS_TEST_TMPDIR/appliance
  TARGET=$SERVER_DIR/target.conf
  export SERVER_DIR TARGET
}

teardown() {
  server_stop
}

# console_as NAME PASSWORD LINE...: at the serial console
console_as() {
  (umask 077 && echo "$2" >"$BATS_TEST_TMPDIR/password")
  timeout 60 "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR" \
    --user "$1" --password-file "$BATS_TEST_TMPDIR/password" "${@:3}" 3>&-
}

# setup_dialogue ANSWER...: who is the first at the console
setup_dialogue() {
  printf '%s\n' "$@" |
    timeout 60 "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR" 3>&-
}

# answers LINE...: a file of them, and the server that is given it
answers() {
  (umask 077 && printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/answers")
  timeout 20 "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR" \
    --initialize "$BATS_TEST_TMPDIR/answers" 3>&-
}

# delivered: an appliance as it is delivered, not running
delivered() {
  server start --blank
  server stop
  rm "$SERVER_DIR/clock"
  sed -i '/^password_iterations/d' "$SERVER_DIR/touchstone.conf"
}

# ---- at the serial console

# req: KS-02-018 KS-02-020 KS-15-034 KS-15-037
@test "The first at the serial console gives the answers, and logs in as admin" {
  server start --blank
  run server status
  assert_output --partial "initialized=no"
  refute_output --partial "port="
  run setup_dialogue keys.example '' '' Europe/Berlin '2012-05-04 11:22:33' '' \
    'Canal5%Heron' 'Canal5%Heron' \
    admin 'Canal5%Heron' 'show device' 'show log audit'
  assert_success
  assert_line "The appliance is initialized; log in as admin."
  assert_line "Hostname: keys.example"
  assert_line "Date and Time: 2012-05-04 11:22:33 Europe/Berlin"
  assert_line --partial "[system]: Initialized the appliance: Hostname: keys.example"
  # the key server is there from now on, and has no license to let anybody in
  server target
  run kmip query
  assert_failure
  run console_as admin 'Canal5%Heron' 'show log system'
  assert_line --partial "Client 127.0.0.1 refused: no license is installed"
}

# req: KS-02-042
@test "A wrong answer is told, written down, and asked for again" {
  server start --blank
  run setup_dialogue 'under_score' keys 'a:b' 127.0.0.1 70000 2222 Nowhere/Town \
    UTC 2012-02-30 '' maybe no short short 'Canal5%Heron' 'Canal5%Other' \
    'Canal5%Heron' 'Canal5%Heron' \
    admin 'Canal5%Heron' 'show log audit 50' 'show services'
  assert_success
  assert_line --partial "Error: Hostname: under_score: letters, digits and hyphens"
  assert_line --partial "Error: SSH Admin Server Port: 70000: "
  assert_line --partial "Error: Time Zone: Nowhere/Town: "
  assert_line --partial "Error: Start the Key Server: maybe: yes or no"
  assert_line --partial "Error: Password of admin: "
  assert_line "Error: the two passwords are not the same"
  assert_line --partial "[system]: Refused: first-time initialization: Time Zone"
  assert_line --regexp "key-server .* Stopped +Disabled"
  refute_output --partial 'Canal5'
  run server status
  refute_output --partial "port="
}

@test "Who leaves the dialogue leaves nothing behind" {
  server start --blank
  run setup_dialogue keys.example '' ''
  assert_failure
  run server status
  assert_output --partial "initialized=no"
  run setup_dialogue '' '' '' '' '' '' 'Canal5%Heron' 'Canal5%Heron' \
    admin 'Canal5%Heron' 'show device'
  assert_success
  assert_line "Hostname: touchstone"
}

# req: KS-01-014 KS-01-017 KS-01-109
@test "With a card, the one who logs in is led on through the HSM's initialization" {
  server start --card --blank
  server stop
  mkdir -p "$SERVER_DIR/ikeys"
  for colour in blue red black; do
    blank "$colour"
  done
  server start
  console_run "$TOP/build/bin/touchstone-ref" console "$SERVER_DIR"
  for answer in '' '' '' '' '' '' 'Canal5%Heron' 'Canal5%Heron' maybe yes \
    admin 'Canal5%Heron'; do
    console_answer "$answer"
  done
  imprint blue
  imprint red
  present blue
  present red
  imprint black
  console_answer "$(challenge)"
  present black
  console_says "Crypto user successful logged into the HSM"
  console_answer 'show hsm status'
  console_answer exit
  console_end
  assert_success
  assert_line "Error: Initialize the HSM: maybe: yes or no"
  assert_line "HSM successful initialized"
  assert_line "HSM Status:    Initialized"
  # no further login
  run console_as admin 'Canal5%Heron' 'show hsm status'
  assert_line "Crypto-user logged in: yes"
}

# ---- by a file

# req: KS-02-018 KS-02-020 KS-15-034 KS-15-035
@test "The harness's file makes one administrator: admin, local, with all controls" {
  server start
  run console 'show administrator'
  assert_success
  assert_output --partial admin
  run console 'show administrator admin'
  assert_success
  assert_output --partial "High Access"
  for control in "Keys and Authorization Policies" "Network and Date/Time" \
    "Admin Access via SSH"; do
    assert_output --partial "$control"
  done
  run console_as admin "Lamp7.Orchid-wharf" 'show device'
  assert_failure 2
  assert_line "Login incorrect."
  run console_as root "$(<"$SERVER_DIR/admin.password")" 'show device'
  assert_failure 2
}

@test "An answer file that is wrong in one line does nothing at all" {
  local good="password = Canal5%Heron"
  delivered
  run answers "$good" "host-name = under_score"
  assert_failure 1
  assert_line --partial "answers: line 2: Hostname: under_score: letters"
  run answers "$good" "hostname = keys"
  assert_failure 1
  assert_line --partial "answers: line 2: no such key"
  run answers "$good" "" "# once more" "$good"
  assert_failure 1
  assert_line --partial "answers: line 4: line 1 has this key already"
  run answers "$good" keys
  assert_failure 1
  assert_line --partial 'answers: line 2: not "key = value"'
  run answers "host-name = keys.example"
  assert_failure 1
  assert_line --partial "answers: Password of admin: "
  run answers "host-name = keys.example" "password = admin"
  assert_failure 1
  assert_line --partial "answers: Password of admin: Passwords must"
  run answers "web-port = 9443" "$good"
  assert_failure 1
  assert_line --partial "answers: line 1: "
  # nothing of it is there
  run sqlite3 "$SERVER_DIR/store.db" "SELECT count(*) FROM record
    WHERE kind IN ('admin', 'setting', 'service')"
  assert_output 0
}

@test "An answer file that others can read is not taken" {
  delivered
  echo "password = Canal5%Heron" >"$BATS_TEST_TMPDIR/open"
  chmod 644 "$BATS_TEST_TMPDIR/open"
  run timeout 20 "$TOP/build/bin/touchstone-ref" --dir "$SERVER_DIR" \
    --initialize "$BATS_TEST_TMPDIR/open"
  assert_failure 1
  assert_line --partial "others than its owner can"
}

@test "What has an administrator is not initialized again" {
  server_start
  server stop
  sed -i '/^password_iterations/d' "$SERVER_DIR/touchstone.conf"
  run answers "password = Canal5%Heron"
  assert_failure 1
  assert_line --partial "The appliance is initialized already."
  server start
  run console 'show device'
  assert_success
}

# ---- restart and halt

# req: KS-24-017
@test "A restart ends all connections, and all is there again" {
  server_start
  id=$(kmip create)
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  pid=$(<"$SERVER_DIR/pid")
  run console config restart
  assert_success
  assert_line "The device restarts."
  run timeout 20 cat <&"$idle"
  assert_success
  server await "port=$SERVER_PORT" >/dev/null
  run kmip attributes "$id" State
  assert_success
  run console 'show log audit 3'
  assert_line --partial "[admin]: Restarted the device"
  # the same process: whoever watches it sees no end
  kill -0 "$pid"
}

# req: KS-24-015
@test "What is attached to keyboard, mouse and video makes a restart hang" {
  server_start
  server fault peripherals attached
  run console config restart
  assert_success
  assert_line --partial "keyboard, mouse and video ports"
  server_logged "the restart hangs"
  run server status
  assert_output --partial "running"
  run console 'show version'
  assert_failure
  # the plug is pulled, and nothing is attached any more
  server kill server
  server run server
  server fault | grep -q peripherals=none
  run console config restart
  assert_success
  server await "port=" >/dev/null
  run console 'show version'
  assert_success
}

# req: KS-24-018
@test "A halted device answers nobody until it is started" {
  server_start
  id=$(kmip create)
  exec {idle}<>"/dev/tcp/127.0.0.1/$SERVER_PORT"
  run console config halt
  assert_success
  assert_output "The device halts."
  run timeout 20 cat <&"$idle"
  assert_success
  timeout 20 flock "$SERVER_DIR/lock" true
  run server status
  assert_failure 3
  run kmip query
  assert_failure
  server start
  run kmip attributes "$id" State
  assert_success
}

# ---- reset to factory settings

# req: ESKM-149 ESKM-150
@test "A reset leaves nothing of keys, administrators, settings and logs" {
  server_start
  id=$(kmip create --name orchid-of-tests)
  console config 'edit host name gone.example'
  run console config 'reset factory settings' <<<yes
  assert_success
  server await initialized=no >/dev/null
  run grep -r -l -a -e orchid-of-tests -e gone.example -e "$id" "$SERVER_DIR" \
    --include 'store.db*' --include vault.key
  assert_failure 1
  assert_output ""
  # it is somebody else's now
  run console 'show device'
  assert_failure
  run setup_dialogue '' '' '' '' '' '' 'Canal5%Heron' 'Canal5%Heron' \
    admin 'Canal5%Heron' 'show device' 'show log audit'
  assert_success
  assert_line "Hostname: touchstone"
  refute_output --partial gone.example
  # nor of the license
  server target
  run kmip attributes "$id" State
  assert_failure 2
  run console_as admin 'Canal5%Heron' 'show license'
  assert_line "  Licensed Clients: 0"
}

@test "Without a second yes nothing is reset" {
  server_start
  id=$(kmip create)
  run console config 'reset factory settings' <<<no
  assert_failure 1
  assert_line "Error: Secondary Approval: not yes: nothing was done"
  run kmip attributes "$id" State
  assert_success
}

# req: KS-05-135
@test "A reset zeroizes the card, which can be initialized again" {
  server_start --card
  run console config 'reset factory settings' <<<yes
  assert_success
  server await initialized=no >/dev/null
  run bash -c 'cd "$1" && "$2" ask card/admin.sock status' - \
    "$SERVER_DIR" "$TOP/build/bin/labctl"
  assert_output --partial "initialized=no partition=no"
}

@test "A reset that was cut short goes on at the next start" {
  server_start
  id=$(kmip create)
  server kill server
  # what its first step leaves: nothing is erased yet
  sqlite3 "$SERVER_DIR/store.db" \
    "INSERT INTO record VALUES('device', CAST('factory-reset' AS BLOB), x'00')"
  server run server >/dev/null || true
  server await initialized=no >/dev/null
  assert_not_exists "$SERVER_DIR/factory-reset"
  server stop
  # and what its second one does
  : >"$SERVER_DIR/factory-reset"
  server start >/dev/null || true
  server await initialized=no >/dev/null
  assert_not_exists "$SERVER_DIR/factory-reset"
}

#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# shellcheck disable=SC2154  # server_up and tap_up set their ports
# PedServer and PedClient: a remote PED's way to the card, and what the two
# programs print. What is asked at the PED is in hsm-ped.bats.
# bats file_tags=ped
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load ped
  load remote
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  cd "$BATS_TEST_TMPDIR" || return 1
  remote_down
  laboratory_stop
}

# remote: the PED of a person far away
remote() { PED=remote "$@"; }

# remote_connected [PORT]: a card that was set up at the PED on its cable, which
# is gone; and another PED, whose orange iKey (PIN 4444) was accepted
remote_connected() {
  card_start
  ped_start
  partitioned
  meanwhile so-login remote-init
  {
    present "SO LOGIN" blue 1111
    imprint "SETTING RPV" orange 4444
    printf '%s\n' remove
  } | at_the_ped
  finished
  pedctl wait-screen "Awaiting command" >/dev/null
  pedctl mode menu
  ped_start remote --card none.sock --usb usb.sock
  remote pedctl mode remote
  client_up "$@"
  server_lab await pair=yes
  meanwhile remote-connect
  present "COMPUTE SESSION KEY" orange 4444 | remote at_the_ped
  finished
  remote pedctl wait-screen "Awaiting command" >/dev/null
}

# ---------------------------------------------------------------------------
# PedServer by itself.

# req: KS-05-054 KS-05-055
@test "PedServer -m config -create makes the configuration" {
  run pedserver -m config -create
  assert_success
  assert_output "Ped Server Version 1.0.5 (10005)
Ped Server launched in configuration mode.
Configuration command passed."
  run cat pedServer.ini
  assert_line "port = 1503"
  assert_line "external-server = yes"
  assert_line "admin-port = 1502"
  assert_line "external-admin = no"
  assert_line "idle-timeout = 1800"
  assert_line --regexp '^hostname = .'
  assert_line --regexp '^ip = [0-9.]+$'
}

@test "A configuration is changed by -set, and shown" {
  pedserver -m config -create -ip 10.1.2.3 >/dev/null
  run -0 pedserver -m config -set -port 4503
  run pedserver -m config -show
  assert_success
  assert_line "port = 4503"
  assert_line "ip = 10.1.2.3"
  run -2 pedserver -m config -set -port 65536
  assert_line "Error: not a value of port"
  run -2 pedserver -m config -set -external-admin maybe
  run -2 pedserver -m config
  assert_line "Error: -m config needs one of -create, -set, -show"
  echo "colour = blue" >>pedServer.ini
  run -1 pedserver -m config -show
  assert_line "pedServer.ini: line 10: no such key"
  assert_line "Configuration command failed."
}

# req: KS-05-057 KS-05-058
@test "PedServer -m start leaves a server behind and ends" {
  server_up
  run cat start.out
  assert_output "Ped Server Version 1.0.5 (10005)
Ped Server launched in startup mode.
Starting background process
Background process started
Ped Server Process created, exiting this process."
  run -0 pedserver -m show
}

# req: KS-05-059 KS-05-060 KS-05-061 KS-05-062 KS-05-063 KS-05-068 KS-05-069
# req: KS-05-070 KS-05-071
@test "PedServer -m show prints the guide's block" {
  server_up
  time_passes 91s
  run pedserver -m show
  assert_success
  assert_output "Ped Server Version 1.0.5 (10005)
Ped Server launched in status mode.

   Server Information:
      Hostname:                           DemoClient
      IP:                                 172.17.66.233
      Firmware Version:                   0.0.0-0
      PedII Protocol Version:             0.0.0-0
      Software Version:                   1.0.5 (10005)

      Ped2 Connection Status:             Disconnected
      Ped2 RPK Count                      0
      Ped2 RPK Serial Numbers             (none)

   Client Information:                    Not Available

   Operating Information:
      Server Port:                        $port
      External Server Interface:          No
      Admin Port:                         $((port + 1))
      External Admin Interface:           No

      Server Up Time:                     91 (secs)
      Server Idle Time:                   91 (secs) (100%)
      Idle Timeout Value:                 1800 (secs)

      Current Connection Time:            0 (secs)
      Current Connection Idle Time:       0 (secs)
      Current Connection Total Idle Time: 0 (secs) (100%)
      Total Connection Time:              0 (secs)
      Total Connection Idle Time:         0 (secs) (100%)

Show command passed."
}

# listens HEX-ADDRESS PORT
listens() {
  grep -q -i ": $1:$(printf %04X "$2") 00000000:0000 0A" /proc/net/tcp
}

# req: KS-05-056 KS-05-064 KS-05-065 KS-05-066 KS-05-067
@test "As it comes, port 1503 is on every interface and 1502 on loopback only" {
  exec {lock}>"/tmp/touchstone-port-1503.lock"
  flock "$lock"
  ! listens 00000000 1503 || skip "port 1503 is in use on this machine"
  pedserver -m config -create >/dev/null
  run -0 pedserver -m start
  listens 00000000 1503
  listens 0100007F 1502
  run ! listens 00000000 1502
  : <>/dev/tcp/127.0.0.1/1503
  run pedserver -m show
  assert_line "      Server Port:                        1503"
  assert_line "      External Server Interface:          Yes"
  assert_line "      Admin Port:                         1502"
  assert_line "      External Admin Interface:           No"
  pedserver -m stop
  run ! listens 00000000 1503
}

@test "What cannot be started is said so, and nothing stays behind" {
  run -1 pedserver -m start
  assert_line "Startup failed. : 0xc0000404 RC_FILE_ERROR"
  pedserver -m config -create -ip "" >/dev/null
  run -1 pedserver -m start
  assert_line "readIPFromConfigFile() : config file did not contain an IP address."
  assert_line "Startup failed. : 0xc0000404 RC_FILE_ERROR"
  run -1 pedserver -m show
  assert_line --partial "Show command failed."
  server_up
  sed -i "s/^admin-port = .*/admin-port = $((port + 2))/" pedServer.ini
  run -1 pedserver -m start
  assert_line "Startup failed. : server port $port: Address already in use"
  sed -i "s/^admin-port = .*/admin-port = $((port + 1))/" pedServer.ini
  run -0 pedserver -m show
}

@test "Without a mode there is nothing to do" {
  run -2 pedserver
  assert_line "Error: You must specify a mode."
  run -2 pedserver -m restart
  assert_line "Error: no such mode: restart"
  run -2 pedclient
  assert_line "Error: You must specify a mode."
  run -2 pedclient -m start
  assert_line "Error: -m start needs -ip ADDRESS"
}

@test "PedServer -m stop ends it; then there is none to show" {
  server_up
  run pedserver -m stop
  assert_success
  assert_output "Ped Server Version 1.0.5 (10005)
Ped Server launched in shutdown mode.
Shutdown passed."
  assert_not_exist usb.sock
  run -1 pedserver -m show
  run -1 pedserver -m stop
  # and its ports are free for another
  run -0 pedserver -m start
}

@test "Who is no PedClient is sent off, and one PedClient is enough" {
  server_up
  exec {stranger}<>"/dev/tcp/127.0.0.1/$port"
  echo "GET / HTTP/1.1" >&"$stranger"
  run -0 timeout 20 cat <&"$stranger"
  assert_output ""
  exec {stranger}>&-
  exec {first}<>"/dev/tcp/127.0.0.1/$port"
  echo "PedClient 1.0.5 (10005) keysecure" >&"$first"
  server_lab await client=connected
  exec {second}<>"/dev/tcp/127.0.0.1/$port"
  run -0 timeout 20 cat <&"$second"
  assert_output ""
  run pedserver -m show
  assert_line "      Hostname:                           keysecure"
  assert_line "      IP:                                 127.0.0.1"
  assert_line --index 14 "      Software Version:                   1.0.5 (10005)"
}

# As the console does, which lets one go and starts another.
@test "A PedClient takes the place of one that went a moment ago" {
  server_up
  ped_start remote --card none.sock --usb usb.sock
  remote pedctl mode remote
  process=$(server_lab status | grep -o 'pid=[0-9]*')
  for ((k = 0; k < 5; k++)); do
    exec {first}<>"/dev/tcp/127.0.0.1/$port"
    echo "PedClient 1.0.5 (10005) first" >&"$first"
    server_lab await pair=yes
    kill -STOP "${process#pid=}"
    exec {first}>&-
    exec {second}<>"/dev/tcp/127.0.0.1/$port"
    echo "PedClient 1.0.5 (10005) second" >&"$second"
    kill -CONT "${process#pid=}"
    # it hears the PED's hello
    run timeout 20 head -c 8 <&"$second"
    assert_output --partial TSPED1
    exec {second}>&-
    server_lab await client=none
  done
}

# ---------------------------------------------------------------------------
# PedClient.

# req: KS-05-052
@test "PedClient -m stop says what the guide shows, running or not" {
  run pedclient -m stop
  assert_success
  assert_output "Ped Client Version 1.0.5 (10005)
Ped Client launched in shutdown mode.
Shutdown passed."
  server_up
  card_start
  client_up
  run -0 pedclient -m show
  assert_line --partial "port $port, Connected"
  run -1 pedclient -m start -ip 127.0.0.1 -port "$port"
  assert_line "Startup failed. : a Ped Client is running already"
  run -0 pedclient -m stop
  run -1 pedclient -m show
  server_lab await client=none
}

@test "A PedClient that finds no PedServer, or no card, does not stay" {
  server_up
  run -1 pedclient -m start -ip 127.0.0.1 -port $((port + 2))
  assert_line --regexp '^Startup failed\. : the Ped Server: Connection refused'
  run -1 pedclient -m start -ip 127.0.0.1 -port "$port"
  assert_line --regexp '^Startup failed\. : card/ped\.sock: '
  run -1 pedclient -m start -ip nowhere -port "$port"
  run -1 pedclient -m show
}

# ---------------------------------------------------------------------------
# A PED far away.

# req: KS-01-026 KS-05-024 KS-05-080
@test "Through client and server the remote PED does what one on the cable does" {
  server_up
  remote_connected
  run admin status
  assert_output --partial " ped=remote"
  meanwhile deactivate activate
  present "USER LOGIN" black 2222 | remote at_the_ped
  finished
  run shown "Ped2 Connection Status:"
  assert_output "Connected"
  run shown "Firmware Version:"
  assert_output "2.7.1-5"
}

# req: KS-05-153
@test "Who left remote mode presents the orange iKey again, without connecting" {
  server_up
  remote_connected
  remote pedctl mode menu
  server_lab await ped=none
  remote pedctl key 7
  server_lab await pair=yes
  meanwhile deactivate activate
  {
    present "COMPUTE SESSION KEY" orange 4444
    present "USER LOGIN" black 2222
  } | remote at_the_ped
  finished
}

# req: KS-05-068 KS-05-070
@test "A connection that is idle for 1800 s ends; times are counted" {
  server_up
  time_passes 100s
  remote_connected
  time_passes 50s
  run shown "Current Connection Time:"
  assert_output "50 (secs)"
  run shown "Current Connection Idle Time:"
  assert_output "50 (secs)"
  run shown "Server Idle Time:"
  assert_output "100 (secs) (66%)"
  time_passes 1749s
  run remote pedctl status
  assert_output --partial " link=trusted"
  time_passes 1s
  # the card has dropped it likewise
  remote pedctl wait-status link=down
  run shown "Total Connection Time:"
  assert_output "1800 (secs)"
  run shown "Current Connection Time:"
  assert_output "0 (secs)"
  run shown "Total Connection Idle Time:"
  assert_output "1800 (secs) (100%)"
}

# Before the card would.
@test "PedServer ends a connection that is idle for as long as it was told" {
  server_up
  pedserver -m stop >/dev/null
  pedserver -m config -set -idle-timeout 600 >/dev/null
  run -0 pedserver -m start -log pedserver.log -lab lab/pedserver.sock \
    -clock clock
  remote_connected
  time_passes 599s
  run remote pedctl status
  assert_output --partial " link=trusted"
  time_passes 1s
  remote pedctl wait-status link=down
  run shown "Idle Timeout Value:"
  assert_output "600 (secs)"
  run shown "Total Connection Time:"
  assert_output "600 (secs)"
}

@test "What goes over the wire tells no PIN digit and nothing of an iKey" {
  server_up
  tap_up
  remote_connected "$tap_port"
  meanwhile deactivate activate
  present "USER LOGIN" black 2222 | remote at_the_ped
  finished
  run /usr/bin/python3 - <<'END'
wire = open("recorded/wire", "rb").read()
assert len(wire) > 600 and wire.count(b"TSPED1") == 2, len(wire)
for secret in (b"2222", b"4444"):
    assert secret not in wire, secret
for text in (b"USER LOGIN", b"Insert a", b"TSIKEY1"):
    assert text not in wire, text
for name in ("black", "orange"):
    key = open(name, "rb").read()
    for at in range(16, len(key) - 8):
        assert key[at : at + 8] not in wire, (name, at)
END
  assert_success
}

#!/usr/bin/env bats
# Chapter 3, and ESKM: several key servers, each with an address, a port and
# rules of its own. Told on what an adapter offers, with openssl s_client, bash
# and the suite's tool as clients.
# bats file_tags=nae, kmip, keyserver
# shellcheck disable=SC2030,SC2031,SC2154  # variables of servers.bash, in tests
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load servers
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ -z "${holder-}" ] || kill "$holder" 2>/dev/null || true
  adapter_stop
}

# shown FIELD VALUE: of the server in $number
shown() {
  run as admin "show key server $number"
  assert_success
  assert_line "  $1: $2"
}

# greets SOCKET: a request, and the whole of its answer
greets() {
  local heard='' octet
  printf '<DeviceInfoRequest/>' >&"$1"
  while [[ $heard != *"</DeviceInfoResponse>" ]]; do
    IFS= read -r -N 1 -t 20 octet <&"$1" || return
    heard+=$octet
  done
}

# ---------------------------------------------------------------------------
# What is set

# req: ESKM-023 ESKM-024 ESKM-025 ESKM-088 ESKM-089 ESKM-090 ESKM-094 KS-03-143
# req: KS-28-020 KS-31-006 KS-AA-050 KS-AA-051
@test "A new server has the fields of the guide, with their defaults" {
  servers_start
  as admin 'key server nae-xml'  '' '' '' '' '' '' '' '' '' '' '' '' >said
  number=$(sed -n 's/^Key Server: //p' said)
  run as admin "show key server $number"
  assert_success
  assert_equal "$(sed -n '/^  IP/,$p' <<<"$output")" "$(cat <<'END'
  IP: [All]
  Port: 9000
  Use SSL: no
  Server Certificate: [None]
  Connection Timeout (sec): 3600
  Allow Key and Policy Configuration Operations: no
  Allow Key Export: no
Authentication Settings
  User Directory: Local
  Password Authentication: Optional
  Client Certificate Authentication: Not Used
  Trusted CA List Profile: Default
  Username Field in Client Certificate: [None]
  Require Client Certificate to Contain Source IP: no
END
)"
}

# req: ESKM-026 KS-03-144
@test "What is set is kept, and what cannot be is refused with field, value and rule" {
  local ssl config leave
  servers_start
  key_server nae-xml timeout 3600
  shown "Connection Timeout (sec)" 3600
  run as admin "edit key server $number timeout 3601"
  assert_failure
  assert_output --partial "Error: Connection Timeout (sec): 3601: 1 to 3600"
  shown "Connection Timeout (sec)" 3600
  for ssl in no yes; do
    for config in no yes; do
      for leave in no yes; do
        edit certificate front ssl "$ssl" allow-config "$config" \
          allow-export "$leave"
        run as admin "show key server $number"
        assert_line "  Use SSL: $ssl"
        assert_line "  Allow Key and Policy Configuration Operations: $config"
        assert_line "  Allow Key Export: $leave"
      done
    done
  done
  run as admin "key server ftp"
  assert_failure
  run as admin "edit key server 60 timeout 60"
  assert_failure
  assert_output --partial "there is no such key server"
}

# req: KS-15-081
@test "It takes the Key Server access control" {
  servers_start
  story_admin carol access-control certificates,services
  story_admin dora access-control key-server
  run as carol 'key server nae-xml ip 127.0.0.1 port Any'
  assert_failure
  assert_output --partial '"Key Server" access control is required'
  run as dora 'key server nae-xml ip 127.0.0.1 port Any'
  assert_success
}

# ---------------------------------------------------------------------------
# What it does

# req: KS-01-112 KS-03-002 KS-03-028
@test "Each server behaves by its own settings, and a change of one leaves the other" {
  local first second
  servers_start
  key_server nae-xml password Required
  first=$port
  key_server nae-xml ssl yes certificate front
  second=$port
  run secure "$random"
  answered RandGen r
  port=$first
  run plain "$random"
  refused RandGen r 10101
  edit password Required
  port=$second
  run secure "$random"
  refused RandGen r 10101
  edit password Optional
  run secure "$random"
  answered RandGen r
  port=$first
  run plain "$random"
  refused RandGen r 10101
}

# req: KS-03-029 KS-03-030 ESKM-066
@test "Without Use SSL it is TCP, with it TLS alone, with the chosen certificate" {
  servers_start
  key_server nae-xml
  run plain "$random"
  answered RandGen r
  run secure "$random"
  silent
  edit ssl yes certificate front
  run plain "$random"
  silent
  run secure "$random"
  answered RandGen r
  run openssl s_client -connect "127.0.0.1:$port" </dev/null
  assert_line --partial "subject=CN = front"
  edit certificate back
  run openssl s_client -connect "127.0.0.1:$port" </dev/null
  assert_line --partial "subject=CN = back"
  run as admin 'no certificate back'
  assert_failure
  assert_output --partial "key server $number has it"
}

# req: KS-03-137 KS-03-138 ESKM-016 ESKM-017 ESKM-018 ESKM-024
@test "[All] serves every address, an address itself only" {
  local address
  servers_start
  key_server nae-xml ip All
  shown IP "[All]"
  for address in 127.0.0.1 127.0.0.2 127.7.7.7; do
    run plain "$random" "$address"
    answered RandGen r
  done
  edit ip 127.0.0.2
  run plain "$random" 127.0.0.2
  answered RandGen r
  run plain "$random" 127.0.0.1
  assert_failure
}

# req: KS-03-140 KS-AA-022 ESKM-019
@test "The port can be changed: who is in stays, who comes finds the new one" {
  local old socket answer
  servers_start
  key_server nae-xml
  old=$port
  exec {socket}<>"/dev/tcp/127.0.0.1/$old"
  # a free one: another server took it, and is gone
  key_server nae-xml
  as admin "no key server $number"
  as admin "edit key server $((number - 1)) port $port password Required"
  number=$((number - 1))
  assert_equal "$(adapter_key_port "$number")" "$port"
  run plain "$random"
  refused RandGen r 10101
  # what is there goes on as it was let in
  printf '%s' "$random$THE_END" >&"$socket"
  answer=$(cat <&"$socket" | tr -d '\0')
  assert_regex "$answer" '<RandGenResponse><ID>r</ID><Success>true'
  exec {socket}>&-
  port=$old
  run plain "$random"
  assert_failure
}

# req: KS-03-142 ESKM-025
@test "An idle connection is closed when its server's time is over" {
  local long socket other
  servers_start
  key_server nae-xml
  long=$port
  key_server nae-xml timeout 60
  exec {socket}<>"/dev/tcp/127.0.0.1/$port" {other}<>"/dev/tcp/127.0.0.1/$long"
  greets "$socket"
  greets "$other"
  adapter_clock_advance 59s
  greets "$socket"
  adapter_clock_advance 59s
  greets "$socket"
  adapter_clock_advance 61s
  run timeout 20 cat <&"$socket"
  assert_success
  # 3600 is the other's
  adapter_clock_advance 3400s
  greets "$other"
  adapter_clock_advance 3601s
  run timeout 20 cat <&"$other"
  assert_success
  exec {socket}>&- {other}>&-
}

# req: KS-03-132 KS-06-076 KS-AA-003 KS-AA-016 KS-AA-017 KS-AA-018 KS-AA-020
# req: KS-AA-021 ESKM-014 VLT-022
@test "Ports are 9000 and 5696 where nothing else was said" {
  local address=127.$((RANDOM % 255)).$((RANDOM % 255)).$((RANDOM % 254 + 1))
  servers_start alice
  client alice /CN=alice
  as admin "key server nae-xml ip $address" >said
  port=$(adapter_key_port "$(sed -n 's/^Key Server: //p' said)")
  assert_equal "$port" 9000
  run plain "$random" "$address"
  answered RandGen r
  # no KMIP port is needed for that, and none is there
  run as admin 'show key server'
  refute_output --partial KMIP
  kmip_server
  run as admin "edit key server $number ip $address port 5696"
  assert_success
  assert_equal "$(adapter_key_port "$number")" 5696
  run openssl s_client -connect "$address:5696" -cert alice.pem </dev/null
  assert_line --partial "subject=CN = 127.0.0.1"
  edit port 5697
  assert_equal "$port" 5697
}

# A program that is no key server has the port.
@test "A port that somebody has is told of, and taken as soon as it is free" {
  local taken
  servers_start
  exec {pipe}< <(exec python3 -c '
import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
signal.pause()' 3>&-)
  holder=$!
  read -r taken <&"$pipe"
  as admin "key server nae-xml ip 127.0.0.1 port $taken" >said
  number=$(sed -n 's/^Key Server: //p' said)
  shown Status "not open: Address already in use"
  kill "$holder"
  wait "$holder" || true
  holder=
  adapter_clock_advance 10s
  assert_equal "$(adapter_key_port "$number")" "$taken"
  port=$taken
  run plain "$random"
  answered RandGen r
  shown Status "listens on port $taken"
}

@test "Who is deleted lets nobody in, and those go who were in" {
  local socket
  servers_start
  key_server nae-xml
  exec {socket}<>"/dev/tcp/127.0.0.1/$port"
  greets "$socket"
  as admin "no key server $number"
  run timeout 20 cat <&"$socket"
  assert_success
  exec {socket}>&-
  run plain "$random"
  assert_failure
  run as admin 'show key server'
  refute_output --regexp "^  $number "
}

@test "Key servers are there again after a restart, and go and come with the service" {
  servers_start
  key_server nae-xml ssl yes certificate front
  adapter_stop
  adapter_start
  port=$(adapter_key_port "$number")
  run secure "$random"
  answered RandGen r
  as admin 'service stop key-server'
  run secure "$random"
  silent
  shown Status stopped
  as admin 'service start key-server'
  assert_equal "$(adapter_key_port "$number")" "$port"
  run secure "$random"
  answered RandGen r
}

# Of the reference appliance: key server 2 of a new one is TLS.
@test "The HSM opens the key of a server's certificate, and without it nobody comes in" {
  server_start --card
  port=$(server server-port 2)
  cp "$SERVER_DIR/pki/ca.crt" clients.crt
  run secure "$random"
  answered RandGen r
  server cli config 'hsm logout crypto user'
  # it is open, and stays so
  run secure "$random"
  answered RandGen r
  server cli config 'service restart key-server'
  server await server1=
  run secure "$random"
  silent
  run server cli 'show key server 2'
  assert_line "  Status: not open: the Crypto User is not logged in to the HSM"
  # the one without TLS has no such key
  port=$(server server-port 1)
  run plain "$random"
  answered RandGen r
}

# ---------------------------------------------------------------------------
# KMIP

# kmip_server WORD VALUE...: with a certificate that a local CA has signed, for
# clients of the CA that is trusted
kmip_server() {
  as admin 'ca local home' home Example '' '' '' US '' 2048 365 100 |
    sed -n '/^-----BEGIN CERT/,/^-----END/p' >home.crt
  as admin 'certificate request kmip' 127.0.0.1 '' '' '' '' '' '' 2048 |
    sed -n '/^-----BEGIN/,/^-----END/p' >kmip.csr
  lines kmip.csr
  as admin 'ca sign home' server 100 "${lines[@]}" |
    sed -n '/^-----BEGIN/,/^-----END/p' >kmip.crt
  lines kmip.crt
  as admin 'certificate install kmip' "${lines[@]}" >installed
  trust
  key_server kmip certificate kmip "$@"
}

# kmip_as NAME OPERATION...: as a client of that certificate
kmip_as() {
  cat >"target-$1.conf" <<-END
	include = $(adapter_target)

	[target]
	port = $port

	[identity A]
	certificate = $PWD/$1.crt
	key = $PWD/$1.key
	ca = $PWD/home.crt
	END
  "$TOP/build/bin/touchstone" kmip "${@:2}" --target "target-$1.conf"
}

# req: KS-03-001 KS-03-133 KS-03-141 KS-03-145 KS-03-146 KS-03-147 KS-03-148
# req: KS-03-152
@test "A KMIP server serves KMIP clients, as far as it allows" {
  local id
  servers_start alice
  client alice /CN=alice
  kmip_server client-certificate session-and-username username-field CN
  run as admin "edit key server $number ssl no"
  assert_failure
  assert_output --partial "Use SSL: no: KMIP requires it"
  run as admin "edit key server $number client-certificate not-used"
  assert_failure
  run as admin "edit key server $number certificate front"
  assert_failure
  assert_output --partial "is not signed by a local CA"
  run kmip_as alice create --name "$RANDOM"
  assert_failure
  assert_output --partial "PermissionDenied"
  edit allow-config yes
  run kmip_as alice create --name "$RANDOM"
  assert_success
  id=${output##* }
  run kmip_as alice get "$id"
  assert_failure
  assert_output --partial "PermissionDenied"
  edit allow-export yes
  run kmip_as alice get "$id"
  assert_success
  edit allow-config no
  run kmip_as alice destroy "$id"
  assert_failure
  assert_output --partial "PermissionDenied"
  edit allow-config yes
  run kmip_as alice destroy "$id"
  assert_success
}

# req: KS-03-150 KS-03-151 KS-03-155 KS-03-156 KS-03-171 KS-03-028
@test "KMIP clients are users by their certificates, whatever is said of passwords" {
  servers_start alice
  client alice /CN=alice 127.0.0.2
  client eve /CN=eve
  kmip_server allow-config yes password Required \
    client-certificate session-and-username username-field CN
  run kmip_as alice create --name "$RANDOM"
  assert_success
  # a name that is no user's
  run kmip_as eve create --name "$RANDOM"
  assert_failure
  edit kmip-profile standard
  run kmip_as eve create --name "$RANDOM"
  assert_success
  # from another address than the certificate's
  edit source-ip yes
  run kmip_as alice create --name "$RANDOM"
  assert_failure
}

#!/usr/bin/env bats
# Chapters 20 and 21: what clients and services leave in the Activity, Client
# Event and System Log. Told on what an adapter offers, with the suite's tool,
# bash's sockets, openssl s_client and PyKMIP as clients.
# bats file_tags=logs, nae-xml, kmip
# shellcheck disable=SC2030,SC2031,SC2154  # variables of servers.bash, in tests
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load servers
  needs adapter_log adapter_target
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  adapter_stop
}

# since LOG: its lines since the last time, but for the request that tells the
# suite's tool that all were answered
since() {
  touch "$1.seen"
  adapter_log "$1" >"$1.now"
  tail -n "+$(($(wc -l <"$1.seen") + 1))" "$1.now" |
    sed '/ touchstone-end DeviceInfo - /d'
  mv "$1.now" "$1.seen"
}

# left LOG LINE...: these it has since the last time, behind their dates, and
# no others
left() {
  local log=$1
  shift
  assert_equal "$(since "$log" | cut -c 23-)" "$(printf '%s\n' "$@")"
}

# What ends the conversations of servers.bash.
MALFORMED='ERROR 127.0.0.1 [-] - - - - [-] 10001 [Malformed request]'

suite() {
  timeout 60 "$TOP/build/bin/touchstone" kmip "$@" --target "$(adapter_target)"
}

# req: KS-20-002 KS-21-015 KS-21-018 KS-21-019 KS-21-020 KS-21-021 KS-21-022
# req: KS-21-023 KS-21-024 KS-21-025 KS-21-028 KS-21-030 KS-21-031 KS-21-033
# req: KS-21-034 KS-21-035 KS-21-036 KS-21-038 KS-21-040
@test "Each request over NAE-XML is a line with eleven fields" {
  servers_start u1
  as admin "timezone Asia/Kolkata"
  as admin "clock set 2005-09-12 10:23:47"
  since activity
  adapter_nae u1 "$OWN" KeyGen KeyName=k1 Algorithm=AES KeySize=256 \
    Deletable=true
  assert_equal "$(since activity)" "$(
    cat <<'END'
[2005-09-12 10:23:47] INFO 127.0.0.1 [-] u1 - Auth - [u1] - [Success]
[2005-09-12 10:23:47] INFO 127.0.0.1 [-] u1 - KeyGen k1 [AES 256 Deletable true] - [Success]
END
  )"
  run -1 adapter_nae u1 "$OWN" KeyExport KeyName=k1
  run -1 adapter_nae "" "" KeyInfo KeyName=k1
  adapter_nae u1 "$OWN" RandGen Size=32
  adapter_nae u1 "$OWN" KeyDel KeyName=k1
  run -2 adapter_nae u1 "$WRONG" KeyInfo KeyName=k1
  left activity \
    'INFO 127.0.0.1 [-] u1 - Auth - [u1] - [Success]' \
    'ERROR 127.0.0.1 [-] u1 - KeyExport k1 [-] 10204 [Key is not exportable]' \
    'ERROR 127.0.0.1 [-] - - KeyInfo k1 [-] 10201 [Key not found]' \
    'INFO 127.0.0.1 [-] u1 - Auth - [u1] - [Success]' \
    'INFO 127.0.0.1 [-] u1 - RandGen - [32] - [Success]' \
    'INFO 127.0.0.1 [-] u1 - Auth - [u1] - [Success]' \
    'INFO 127.0.0.1 [-] u1 - KeyDel k1 [-] - [Success]' \
    'ERROR 127.0.0.1 [-] - - Auth - [u1] 10102 [Authentication failed]'
}

# req: KS-21-016 KS-21-017 KS-21-029 KS-21-031 KS-21-045
@test "Each operation of a batch is a line, and none before its data has come" {
  local half socket
  servers_start
  key_server nae-xml allow-config yes
  plain "$(keygen k1)" >made
  left activity \
    'INFO 127.0.0.1 [-] - g KeyGen k1 [AES 256 Deletable true Exportable true] - [Success]' \
    "$MALFORMED"
  half='<CryptoRequest><ID>42</ID>'
  half+='<Operation><Action>ENCRYPT</Action><KeyName>k1</KeyName>'
  half+='<Algorithm>AES/CBC/PKCS5Padding</Algorithm></Operation>'
  half+='<Operation><Action>ENCRYPT</Action><KeyName>k2</KeyName>'
  half+='<Algorithm>AES/ECB/NoPadding</Algorithm></Operation></CryptoRequest>'
  half+='<Data><Size>4</Size>abcd</Data><Data><Size>4</Size>ab'
  exec {socket}<>"/dev/tcp/127.0.0.1/$port"
  printf '%s' "$half" >&"$socket"
  # what another asks behind it is answered, and a line
  plain "$random" >made
  left activity 'INFO 127.0.0.1 [-] - r RandGen - [8] - [Success]' "$MALFORMED"
  printf 'cd</Data>%s' "$THE_END" >&"$socket"
  timeout 20 cat <&"$socket" >made
  exec {socket}>&-
  left activity \
    'INFO 127.0.0.1 [-] - 42 Crypto k1 [1 ENCRYPT AES/CBC/PKCS5Padding] - [Success]' \
    'ERROR 127.0.0.1 [-] - 42 Crypto k2 [2 ENCRYPT AES/ECB/NoPadding] 10201 [Key not found]' \
    "$MALFORMED"
}

# req: KS-21-025 KS-21-026 KS-21-027 KS-21-052 KS-21-053
@test "The common name is the certificate's where one is required, and a dash where not" {
  local event
  servers_start
  trust
  client client1 '/CN=client 1'
  event='<RecordEventRequest><ID>7</ID><Message>aGVsbG8=</Message></RecordEventRequest>'
  key_server nae-xml ssl yes certificate front client-certificate session
  secure_as client1 "$random$event" -bind 127.0.0.2:0 >heard
  left activity \
    'INFO 127.0.0.2 [client 1] - r RandGen - [8] - [Success]' \
    'INFO 127.0.0.2 [client 1] - 7 RecordEvent - [-] - [Success]' \
    'ERROR 127.0.0.2 [client 1] - - - - [-] 10001 [Malformed request]'
  edit client-certificate not-used
  secure_as client1 "$random$event" >heard
  left activity \
    'INFO 127.0.0.1 [-] - r RandGen - [8] - [Success]' \
    'INFO 127.0.0.1 [-] - 7 RecordEvent - [-] - [Success]' \
    "$MALFORMED"
  left client-event 'INFO 127.0.0.2 [client 1] - 7 [hello]' \
    'INFO 127.0.0.1 [-] - 7 [hello]'
}

# req: KS-20-005 KS-21-046 KS-21-047 KS-21-048 KS-21-049 KS-21-050 KS-21-051
# req: KS-21-054 KS-21-055
@test "An event that a client records is a line of the Client Event Log" {
  servers_start u1
  as admin "clock set 2005-09-12 10:23:47"
  since client-event
  adapter_nae u1 "$OWN" RecordEvent ID=7 Message=aGVsbG8=
  assert_equal "$(since client-event)" \
    '[2005-09-12 10:23:47] INFO 127.0.0.1 [-] u1 7 [hello]'
  run -1 adapter_nae u1 "$OWN" RecordEvent ID=8 Message=aGVsbG8
  assert_output --partial "Invalid value for element: Message"
  adapter_nae "" "" RecordMessage Message=YQpbMjAwNV0=
  left client-event 'ERROR 127.0.0.1 [-] u1 8 [-]' \
    'INFO 127.0.0.1 [-] - - [a\x0a[2005\x5d]'
  # none of other requests
  adapter_nae u1 "$OWN" RandGen Size=8
  left client-event
}

# req: KS-21-015 KS-21-028 KS-21-030 KS-21-031 KS-21-033 KS-21-034 KS-21-036
# req: KS-21-037
@test "KMIP's requests are lines of the same form" {
  local id opaque nth
  story_start
  since activity
  id=$(suite create --name k1 --length 256)
  suite get "$id" >key
  head -c 16 /dev/urandom >material
  suite register --material material --alg AES --length 128 --name k2 \
    --attribute Extractable=false
  opaque=$(suite register --type OpaqueObject --material material)
  run -1 suite get no-such-key
  suite query >said
  since activity >lines
  run cut -c 23- lines
  # the tool numbers batch items, in four octets
  nth='127.0.0.1 [alice] alice \x00\x00\x00\x01'
  assert_output - <<END
INFO $nth Create k1 [AES 256] - [Success]
INFO $nth Get $id [-] - [Success]
INFO $nth Register k2 [AES 128 Exportable false] - [Success]
INFO $nth Register $opaque [-] - [Success]
ERROR $nth Get no-such-key [-] 55 [no such object]
INFO $nth Query - [-] - [Success]
END
}

# req: KS-21-015 KS-21-019
@test "What PyKMIP's client asks for is a line each" {
  /usr/bin/python3 -W ignore -c 'import kmip.pie.client' 2>/dev/null ||
    skip "witness pykmip: python3-pykmip is not installed"
  story_start
  since activity
  run -0 /usr/bin/python3 -W ignore - "$(adapter_target)" <<'END'
import os, re, sys
from kmip import enums
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure

target = sys.argv[1]
text = open(target).read()
port = int(re.search(r"^port = (\d+)", text, re.M).group(1))
pki = os.path.join(os.path.dirname(target), "pki")
with ProxyKmipClient(
        hostname="127.0.0.1", port=port, cert=f"{pki}/alice.crt",
        key=f"{pki}/alice.key", ca=f"{pki}/ca.crt", config_file="/dev/null",
        kmip_version=enums.KMIPVersion.KMIP_1_4) as client:
    key = client.create(enums.CryptographicAlgorithm.AES, 256, name="theirs")
    client.get(key)
    client.destroy(key)
    try:
        client.get(key)
        sys.exit("a destroyed key was fetched")
    except KmipOperationFailure:
        print(key)
END
  left activity \
    'INFO 127.0.0.1 [alice] alice - Create theirs [AES 256] - [Success]' \
    "INFO 127.0.0.1 [alice] alice - Get $output [-] - [Success]" \
    "INFO 127.0.0.1 [alice] alice - Destroy $output [-] - [Success]" \
    "ERROR 127.0.0.1 [alice] alice - Get $output [-] 1 [the object is destroyed]"
}

# req: KS-07-004 KS-20-006 KS-20-007 KS-21-005
@test "The System Log has services, traps and steps of the clock" {
  story_start carol
  as admin "edit host name demo"
  as admin "clock set 2005-09-12 10:23:47"
  run since system
  assert_line --regexp '^.* Date & Time: Stepped from [-0-9]+ [:0-9]+ to 2005-09-12 10:23:47$'
  as admin "service restart key-server"
  as admin "service stop ssh"
  as admin "service start ssh"
  assert_equal "$(since system)" "$(
    cat <<'END'
2005-09-12 10:23:47 demo NAE Server: Restarting NAE Server
2005-09-12 10:23:47 demo SSH Administration: Stopping SSH Administration
2005-09-12 10:23:47 demo SSH Administration: Starting SSH Administration
END
  )"
  fails_login 5 carol
  assert_regex "$(since system)" \
    '^2005-09-12 10:23:47 demo SNMP Trap: Multiple password failures'
  # there is nothing to tell of what only looks
  as admin "show services"
  assert_equal "$(since system)" ""
}

# req: KS-20-008 KS-21-006
@test "The System Log has hardware that fails" {
  needs adapter_fault
  story_start
  since system
  adapter_fault supply-1 unplugged
  adapter_fault fan-1 stopped
  adapter_fault fan-1 ok
  run since system
  assert_line --index 0 --regexp ' touchstone SNMP Trap: Power supply 1: '
  assert_line --index 1 --regexp ' touchstone SNMP Trap: Fan 1: Failure$'
  assert_equal "${#lines[@]}" 2
}

# req: KS-21-001
@test "The four logs are viewed and downloaded" {
  local log
  servers_start u1
  adapter_nae u1 "$OWN" RecordEvent Message=aGVsbG8=
  as admin "service restart key-server"
  for log in system audit activity client-event; do
    run -0 as admin "show log $log 1"
    assert_equal "${#lines[@]}" 1
    run -0 as admin "log download $log Current"
    [ "${#lines[@]}" -ge 1 ]
  done
  run -0 as admin "log download client-event Current"
  assert_output --regexp '\[hello\]$'
}

# Whoever wants failures only says so, and the audit log has it.
@test "With the level ERROR successes are left out of the Activity Log" {
  servers_start u1
  as admin "edit log levels activity ERROR"
  since activity
  adapter_nae u1 "$OWN" RandGen Size=8
  run -1 adapter_nae u1 "$OWN" KeyInfo KeyName=k1
  left activity \
    'ERROR 127.0.0.1 [-] u1 - KeyInfo k1 [-] 10201 [Key not found]'
  run audit
  assert_line --partial '[admin]: Activity Log: Level: ERROR'
  as admin "edit log levels activity INFO"
  adapter_nae u1 "$OWN" RandGen Size=8
  left activity 'INFO 127.0.0.1 [-] u1 - Auth - [u1] - [Success]' \
    'INFO 127.0.0.1 [-] u1 - RandGen - [8] - [Success]'
}

# req: KS-20-013 KS-21-002 KS-21-056
@test "The KMIP Agent Log is there where HSM Management is activated" {
  local command
  story_start
  for command in "show log kmip-agent" "show log files kmip-agent" \
    "log rotate kmip-agent" "log clear kmip-agent Current"; do
    run as admin "$command"
    assert_failure
    assert_output --partial "only where the HSM Management feature is activated"
  done
  as admin "edit features hsm-management yes"
  as admin "show log kmip-agent"
  as admin "log rotate kmip-agent"
  run -0 as admin "show log files kmip-agent"
  assert_line --regexp "^ +1  [-0-9_]+ "
  as admin "edit features hsm-management no"
  run as admin "show log kmip-agent"
  assert_failure
}

# has TEXT: one of the logs does
has() {
  local log
  for log in system audit activity client-event kmip-agent; do
    adapter_log "$log"
  done | grep -a -q -i -F -e "$1"
}

# What must not be in a log is looked for as it is, in hexadecimal, and in
# base64; that it would be found is seen by what clients have their event say.
@test "No password and no key is in a log, whatever was asked with it" {
  local key=00112233445566778899AABBCCDDEEFF secret
  servers_start u1
  adapter_nae u1 "$OWN" KeyImport KeyName=k1 Algorithm=AES KeySize=128 \
    "KeyData=$key" Exportable
  run -0 adapter_nae u1 "$OWN" KeyExport KeyName=k1
  assert_output --partial "$key"
  run -1 adapter_nae u1 "$OWN" KeyImport KeyName=k1 Algorithm=AES \
    "KeyData=$key"
  run -2 adapter_nae u1 "$WRONG" RandGen Size=8
  run -1 adapter_nae "" "" RandGen Size=8 User=u1 "Passwd=$WRONG"
  adapter_nae "" "" RandGen Size=8 User=u1 "Passwd=$OWN"
  run -1 adapter_nae "" "" KeyImport KeyName=k2 Algorithm=AES KeySize=7 \
    "KeyData=$key" User=u1 "Passwd=$OWN"
  xxd -r -p <<<"$key" >material
  suite register --material material --alg AES --length 128 --name k3
  run -1 suite register --material material --alg AES --length 129
  run with admin "$WRONG" "user u2 administration no" "$OTHER" "$OTHER"
  as admin "user u3 administration no" "$OTHER" "$OTHER"
  for secret in "$OWN" "$WRONG" "$OTHER" "$ADMIN" "$key" \
    "$(base64 <material)" "$(base64 <<<"$OWN")"; do
    run has "$secret"
    assert_failure
  done
  adapter_nae "" "" RecordEvent "Message=$(base64 -w 0 <<<"$key$OTHER")"
  for secret in "$OTHER" "$key" u1 k3 u3; do has "$secret"; done
}

# What a client sends is never a line, or a field, of its own.
@test "Nobody writes the lines of others" {
  servers_start
  key_server nae-xml
  plain '<KeyInfoRequest><ID>1 u1&#10;[2005-09-12 10:23:47] INFO</ID><KeyName>k1 [-] - [Success]</KeyName></KeyInfoRequest>' >heard
  left activity \
    'ERROR 127.0.0.1 [-] - 1\x20u1\x0a[2005-09-12\x2010:23:47]\x20INFO KeyInfo k1\x20[-]\x20-\x20[Success] [-] 10201 [Key not found]' \
    "$MALFORMED"
}

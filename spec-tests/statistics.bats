#!/usr/bin/env bats
# Chapter 22, Statistics: at the command line, and as metrics
# bats file_tags=statistics
# shellcheck disable=SC2034,SC2154  # variables of servers.bash, and of coprocesses
bats_require_minimum_version 1.5.0

# Time stands still in these tests until they move it: what they do is done in
# one second.
setup() {
  load helper
  load story
  load servers
  needs adapter_target adapter_key_port adapter_nae
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ -z "${guest-}" ] || kill "$guest" 2>/dev/null || true
  adapter_stop
}

# show WORDS: of statistics
show() {
  as admin "show $*"
}

# cells ROW COLUMN [TABLE]: what stands there; columns are numbered behind the
# row's name, from 1; table: nae-xml, kmip, or that of connections
cells() {
  show "${3-} statistics" | sed -n "s/^  $1  *\([0-9 -]*\)$/\1/p" |
    awk -v column="$2" '{ print $column }'
}

connections() { cells "$1" "$2"; }

# table PROTOCOL: each row's name and its total
table() {
  show "$1 statistics" | sed -n 's/^  \([A-Z][A-Za-z -]*[a-z]\)  .* \([0-9]*\)$/\1=\2/p'
}

# risen PROTOCOL ROW: beside the first row, this one has risen since `before`
# was written, by one, and no other
risen() {
  table "$1" >after
  assert_equal "$(diff before after | sed -n 's/^> //p' | cut -d = -f 1 |
    paste -s -d ,)" "Total,$2"
  assert_equal "$(sed -n "s/^$2=//p" after)" \
    "$(($(sed -n "s/^$2=//p" before) + 1))"
  mv after before
}

# counts ROW REQUEST [WORD...]: a request over NAE-XML
counts() {
  adapter_nae "" "" "${@:2}" >said || true # what is refused counts too
  risen nae-xml "$1"
}

# kmip_counts ROW OPERATION [WORD...]
kmip_counts() {
  touchstone_kmip "${@:2}" >said
  risen kmip "$1"
}

touchstone_kmip() {
  "$TOP/build/bin/touchstone" kmip "$@" --target "$(adapter_target)"
}

# settles ROW COLUMN VALUE: of connections, as soon as the server has seen them
# come or go
settles() {
  local tries got
  for ((tries = 0; tries < 100; tries++)); do
    got=$(connections "$1" "$2")
    [ "$got" != "$3" ] || return 0
  done
  echo "$1: expected $3, got $got"
  return 1
}

# throughput INTERFACE FIELD: in octets a second
throughput() {
  show statistics | sed -n "/$1 Interface Statistics/,/Total/s/^    $2: //p" |
    awk 'NR == 1 { printf "%.0f\n", $1 * 1000000 }'
}

# a_second OCTETS SECONDS: what is shown of so many in so many
a_second() {
  awk -v octets="$1" -v seconds="$2" 'BEGIN {
    printf "%.0f\n", sprintf("%.6f", octets / seconds / 1000000) * 1000000 }'
}

# ---------------------------------------------------------------------------
# The system

# req: KS-22-013 KS-22-014
@test "Uptime grows with time, and begins anew with the device" {
  story_start
  run show statistics
  assert_line "System Uptime: 0 days, 00:00:00"
  adapter_clock_advance 26h
  run show statistics
  assert_line "System Uptime: 1 days, 02:00:00"
  as admin restart
  adapter_await running
  run show statistics
  assert_line "System Uptime: 0 days, 00:00:00"
}

# req: KS-22-008 KS-22-009 KS-22-015
@test "Each processor has its use in percent, three seconds after the start" {
  story_start
  adapter_clock_advance 2s
  run show statistics
  refute_line --regexp "CPU [0-9]+: "
  adapter_clock_advance 1s
  run show statistics
  count=$(grep -c -E '^  CPU Utilization, CPU [0-9]+: ([0-9]{1,2}|100)\.[0-9]%$' \
    <<<"$output")
  assert_equal "$count" "$(grep -c '^cpu[0-9]' /proc/stat)"
}

# ---------------------------------------------------------------------------
# Connections

# req: KS-22-016 KS-22-017 KS-22-018 KS-22-019 KS-22-020 KS-22-025 KS-22-026
# req: KS-22-027
@test "A connection counts by its kind, while it is open and for good" {
  story_start
  exec {clear}<>"/dev/tcp/127.0.0.1/$(adapter_key_port 1)"
  coproc GUEST { exec openssl s_client -quiet -connect \
    "127.0.0.1:$(adapter_key_port 2)" 2>/dev/null 3>&-; }
  guest=$GUEST_PID
  settles "SSL Handshakes" 4 1
  settles "Total Connections" 3 2
  run show statistics
  assert_line --regexp "^  Total Connections +2 +2 +2 +2$"
  assert_line --regexp "^  Non-SSL Connections +1 +1 +1 +1$"
  assert_line --regexp "^  SSL Connections +1 +1 +1 +1$"
  assert_line --regexp "^  SSL Handshakes +1 +1 +- +1$"
  assert_line --regexp "^  SSL Resumes +0 +0 +- +0$"
  assert_line --regexp "^  Failed SSL Handshakes +0 +0 +- +0$"
  exec {clear}>&-
  kill "$guest"
  settles "Total Connections" 3 0
  run show statistics
  assert_line --regexp "^  Total Connections +2 +2 +0 +2$"
  assert_line --regexp "^  SSL Connections +1 +1 +0 +1$"
  as admin restart
  adapter_await running
  run show statistics
  assert_line --regexp "^  Total Connections +0 +0 +0 +0$"
}

# req: KS-22-020 KS-22-021 KS-22-022
@test "A resumed session and a failed handshake are no handshakes" {
  story_start
  where=127.0.0.1:$(adapter_key_port 2)
  openssl s_client -tls1_2 -sess_out session -connect "$where" <<<Q >said 2>&1
  settles "SSL Handshakes" 4 1
  openssl s_client -tls1_2 -sess_in session -connect "$where" <<<Q >said 2>&1
  settles "SSL Resumes" 4 1
  assert_equal "$(connections "SSL Handshakes" 4)" 1
  assert_equal "$(connections "Failed SSL Handshakes" 4)" 0
  exec {fake}<>"/dev/tcp/127.0.0.1/$(adapter_key_port 2)"
  printf 'GET / HTTP/1.0\r\n\r\n' >&"$fake"
  timeout 20 cat <&"$fake" >said || true # to its end
  settles "Failed SSL Handshakes" 4 1
  assert_equal "$(connections "SSL Handshakes" 4)" 1
  assert_equal "$(connections "SSL Resumes" 4)" 1
  assert_equal "$(connections "SSL Connections" 4)" 3
}

# req: KS-22-001 KS-22-007 KS-22-023 KS-22-024 KS-22-004 KS-22-006 KS-22-003
@test "Seconds have their own counts, maximums stay until they are reset" {
  story_start
  for ((n = 0; n < 4; n++)); do adapter_nae "" "" RandGen Size=8 >said; done
  assert_equal "$(connections "Total Connections" 1)" 4
  assert_equal "$(cells "Random Generate" 1 nae-xml)" 4
  adapter_clock_advance 1s
  assert_equal "$(connections "Total Connections" 1)" 0
  adapter_nae "" "" RandGen Size=8 >said
  assert_equal "$(connections "Total Connections" 1)" 1
  assert_equal "$(connections "Total Connections" 2)" 4
  assert_equal "$(cells "Random Generate" 2 nae-xml)" 4
  as admin "reset statistics"
  assert_equal "$(connections "Total Connections" 2)" 0
  assert_equal "$(cells "Random Generate" 2 nae-xml)" 0
  # totals are since the start
  assert_equal "$(connections "Total Connections" 4)" 5
  assert_equal "$(cells "Random Generate" 5 nae-xml)" 5
  run audit
  assert_line --partial "[admin]: reset statistics"
}

# ---------------------------------------------------------------------------
# Throughput and clients

# req: KS-22-010 KS-22-012 KS-22-032 KS-22-033 KS-22-035 KS-22-036 KS-22-037
# req: KS-22-038 KS-22-039 KS-22-040 KS-22-041
@test "The same requests are as many octets with SSL as without" {
  servers_start
  key_server nae-xml
  adapter_clock_advance 3s
  requests=$random$random$random
  plain "$requests" >said
  requested=$(printf '%s' "$requests$THE_END" | wc -c)
  answered=$(wc -c <said)
  adapter_clock_advance 3s
  assert_equal "$(throughput "Key Server" "Current Incoming")" \
    "$(a_second "$requested" 3)"
  assert_equal "$(throughput "Key Server" "Current Outgoing")" \
    "$(a_second "$answered" 3)"
  assert_equal "$(throughput "Key Server" "Total Throughput")" \
    "$(a_second $((requested + answered)) 3)"
  edit ssl yes certificate front
  secure "$requests" >said
  adapter_clock_advance 3s
  assert_equal "$(throughput "Key Server" "Current Incoming")" \
    "$(a_second "$requested" 3)"
  assert_equal "$(throughput "Key Server" "Current Outgoing")" \
    "$(a_second "$answered" 3)"
  # of two samples: these requests, and none
  as admin "reset statistics"
  secure "$requests" >said
  adapter_clock_advance 3s
  adapter_clock_advance 3s
  assert_columns Incoming "$requested"
  assert_columns Outgoing "$answered"
}

# assert_columns FLOW OCTETS: so many in three seconds, and none in the next
assert_columns() {
  assert_equal "$(throughput "Key Server" "Current $1")" 0
  assert_equal "$(throughput "Key Server" "Average $1")" "$(a_second "$2" 6)"
  assert_equal "$(throughput "Key Server" "Maximum $1")" "$(a_second "$2" 3)"
}

# req: KS-22-034 KS-22-043 KS-22-047 KS-22-028 KS-22-031 KS-22-042
@test "Administrators are traffic of an interface, not of the key server" {
  needs adapter_ssh
  server_copy
  echo "ethernet = lo" >>"$ADAPTER_DIR/touchstone.conf"
  story_start
  run adapter_ssh admin "$ADMIN" "help" "show statistics"
  assert_line "License Usage: 0"
  adapter_clock_advance 3s
  assert_equal "$(throughput "Key Server" "Current Incoming")" 0
  assert_equal "$(throughput "Key Server" "Current Outgoing")" 0
  run show statistics
  assert_line "  Ethernet Interface Statistics: lo"
  run throughput Ethernet "Current Incoming"
  [ "$output" -gt 1000 ]
  for column in "Current Incoming" "Average Incoming" "Maximum Incoming" \
    "Current Outgoing" "Average Outgoing" "Maximum Outgoing" "Total Throughput"; do
    run throughput Ethernet "$column"
    [ "$output" -gt 0 ]
  done
}

# req: KS-22-044 KS-22-045 KS-22-046
@test "License usage has each client's address with its connections" {
  story_start
  run show statistics
  assert_line "License Usage: 0"
  for ((n = 0; n < 3; n++)); do
    exec {one}<>"/dev/tcp/127.0.0.1/$(adapter_key_port 1)"
  done
  coproc GUEST { exec openssl s_client -quiet -bind 127.0.0.2:0 -connect \
    "127.0.0.1:$(adapter_key_port 2)" 2>/dev/null 3>&-; }
  guest=$GUEST_PID
  settles "SSL Handshakes" 4 1
  run show statistics
  assert_line "License Usage: 2"
  assert_line --regexp "^  127\.0\.0\.1 +3$"
  assert_line --regexp "^  127\.0\.0\.2 +1$"
  exec {one}>&-
  kill "$guest"
  settles "Total Connections" 3 2
  run show statistics
  assert_line "License Usage: 1"
  assert_line --regexp "^  127\.0\.0\.1 +2$"
  refute_line --regexp "^  127\.0\.0\.2 "
}

# ---------------------------------------------------------------------------
# Requests

# req: KS-22-049 KS-22-050 KS-22-051 KS-22-052 KS-22-053 KS-22-054 KS-22-055
# req: KS-22-056 KS-22-057 KS-22-058 KS-22-059 KS-22-060 KS-22-061 KS-22-062
# req: KS-22-063 KS-22-064 KS-22-065 KS-22-066 KS-22-067
@test "Each request over NAE-XML counts in its row, and in no other" {
  story_start
  table nae-xml >before
  counts "Key Generate" KeyGen KeyName=v Algorithm=AES VersionedKey Exportable Deletable
  counts "Key Version Generate" KeyVersionGen KeyName=v
  counts "Key Information" KeyInfo KeyName=v
  counts "Key Query" KeyNames
  counts "Key Clone" KeyClone KeyName=v NewKeyName=w
  counts "Key Import" KeyImport KeyName=i Algorithm=AES KeySize=128 \
    KeyData=000102030405060708090A0B0C0D0E0F
  counts "Key Export" KeyExport KeyName=v
  counts "Key Modify" KeyModify KeyName=v NewKeyName=u
  counts "Random Generate" RandGen Size=8
  counts "Record Event" RecordEvent Message=AAAA
  counts "Public Key Export" PublicKeyExport KeyName=v
  counts "Certificate Export" CertificateExport CertificateName=none
  counts "CA Export" CAExport CAName=none
  counts "Key Certificate Export" KeyCertificateExport KeyName=v
  counts "Cryptographic Operation" Crypto Action=ENCRYPT KeyName=u \
    Algorithm=AES/ECB/PKCS5Padding --data /etc/hostname
  counts "Key Delete" KeyDel KeyName=u
}

# req: KS-22-068 KS-22-071 KS-22-072 KS-22-073
@test "What went well and what failed are apart, and the console is neither" {
  story_start
  as admin "user carol administration no" "$OWN" "$OWN" >said
  adapter_nae carol "$OWN" DeviceInfo >said
  adapter_nae carol "$WRONG" DeviceInfo >said || true
  assert_equal "$(cells Authenticate 3 nae-xml)" 1
  assert_equal "$(cells Authenticate 4 nae-xml)" 1
  adapter_nae "" "" KeyInfo KeyName=nobody >said || true
  assert_equal "$(cells "Key Information" 3 nae-xml)" 0
  assert_equal "$(cells "Key Information" 4 nae-xml)" 1
  table nae-xml >before
  as admin "key generate k AES-256" >said
  as admin "key delete k" >said
  run diff before <(table nae-xml)
  assert_success
}

# req: KS-22-051 KS-22-077 KS-22-006
@test "Requests are counted since the device was started" {
  story_start
  port=$(adapter_key_port 1)
  plain "$random" >said
  touchstone_kmip query >said
  assert_equal "$(cells Total 5 nae-xml)" 1
  assert_equal "$(cells Total 5 kmip)" 1
  as admin restart
  adapter_await running
  assert_equal "$(cells Total 5 nae-xml)" 0
  assert_equal "$(cells Total 2 nae-xml)" 0
  assert_equal "$(cells Total 5 kmip)" 0
}

# req: KS-22-074 KS-22-076 KS-22-077 KS-22-078 KS-22-079 KS-22-080 KS-22-081
# req: KS-22-082 KS-22-083 KS-22-084 KS-22-085 KS-22-086 KS-22-087
@test "Each operation of KMIP counts in its row, and in no other" {
  story_start
  printf 'sixteen octets!!' >material
  table kmip >before
  kmip_counts Create create --name one
  id=$(head -n 1 said)
  id=${id#*=}
  kmip_counts Register register --material material --type SymmetricKey \
    --alg AES --length 128
  kmip_counts Get get "$id" --out got
  kmip_counts "Get Attributes" attributes "$id"
  kmip_counts "Get Attribute List" attribute-list "$id"
  kmip_counts "Add Attribute" add-attribute "$id" "Contact Information=me"
  kmip_counts "Modify Attribute" modify-attribute "$id" "Contact Information=you"
  kmip_counts "Delete Attribute" delete-attribute "$id" "Contact Information"
  kmip_counts Locate locate --name one
  kmip_counts Query query
}

# req: KS-22-088 KS-22-089 KS-22-090 KS-22-091 KS-22-092
@test "Operations of KMIP have their seconds, their successes and failures" {
  story_start
  for ((n = 0; n < 4; n++)); do touchstone_kmip query >said; done
  touchstone_kmip get nothing --out got >said 2>&1 || true
  assert_equal "$(cells Query 1 kmip)" 4
  assert_equal "$(cells Query 3 kmip)" 4
  assert_equal "$(cells Query 4 kmip)" 0
  assert_equal "$(cells Get 3 kmip)" 0
  assert_equal "$(cells Get 4 kmip)" 1
  adapter_clock_advance 1s
  assert_equal "$(cells Query 1 kmip)" 0
  touchstone_kmip query >said
  touchstone_kmip query >said
  assert_equal "$(cells Query 1 kmip)" 2
  assert_equal "$(cells Query 2 kmip)" 4
  table kmip >before
  as admin "key generate k AES-256" >said
  run diff before <(table kmip)
  assert_success
}

# ---------------------------------------------------------------------------
# Metrics

# metrics_open: enabled, at http://127.0.0.1:$metrics
metrics_open() {
  local tries
  for ((tries = 0; tries < 5; tries++)); do
    metrics=$((10000 + RANDOM % 20000))
    as admin "edit metrics enable yes port $metrics"
    ! curl -sf "http://127.0.0.1:$metrics/metrics" >page || return 0
  done
  return 1
}

# value NAME LABEL=VALUE...: as another implementation reads it
value() {
  /usr/bin/python3 - "$@" <<'END'
import sys
from prometheus_client.parser import text_string_to_metric_families
labels = dict(word.split("=", 1) for word in sys.argv[2:])
for family in text_string_to_metric_families(open("page").read()):
    assert family.documentation and family.type in ("counter", "gauge"), family
    for sample in family.samples:
        if sample.name == sys.argv[1] and sample.labels == labels:
            print(int(sample.value))
END
}

@test "Metrics are off, and for this host alone, until somebody says otherwise" {
  story_start
  run show metrics
  assert_line "  Enable Metrics: no"
  assert_line "  Local IP: 127.0.0.1"
  metrics_open
  run curl -s "http://127.0.0.2:$metrics/metrics"
  assert_failure 7
  run curl -s -o page -w '%{http_code}' "http://127.0.0.1:$metrics/"
  assert_output 404
  run curl -s -o page -w '%{http_code}' -d x "http://127.0.0.1:$metrics/metrics"
  assert_output 501
  as admin "edit metrics enable no"
  run curl -s "http://127.0.0.1:$metrics/metrics"
  assert_failure 7
}

@test "Metrics say what statistics say, to another implementation" {
  story_start
  metrics_open
  port=$(adapter_key_port 1)
  plain "$(keygen k)" >said
  plain "$(on nobody KeyInfo)" >said
  touchstone_kmip query >said
  adapter_clock_advance 90s
  run curl -s -D head "http://127.0.0.1:$metrics/metrics" -o page
  assert_success
  run cat head
  assert_line --partial "Content-Type: text/plain; version=0.0.4; charset=utf-8"
  assert_equal "$(value touchstone_uptime_seconds)" 90
  assert_equal "$(value touchstone_connections_total kind=non-ssl)" 2
  assert_equal "$(value touchstone_connections_total kind=ssl)" 1
  assert_equal "$(value touchstone_requests_total protocol=nae-xml result=success)" 1
  assert_equal "$(value touchstone_requests_total protocol=nae-xml result=failure)" 1
  assert_equal "$(value touchstone_operations_total protocol=nae-xml \
    "operation=Key Information" result=failure)" 1
  assert_equal "$(value touchstone_operations_total protocol=kmip \
    operation=Query result=success)" 1
  assert_equal "$(value touchstone_power_supply_operational supply=2)" 1
  assert_equal "$(value touchstone_fans_operational)" 1
  # HELP and TYPE of a family once, and before it
  run awk '/^# TYPE/ { if ($3 in seen) exit 1; seen[$3] }
    !/^#/ { name = $1; sub(/[{].*/, "", name); if (!(name in seen)) exit 1 }' page
  assert_success
}

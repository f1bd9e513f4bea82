#!/usr/bin/env bats
# The server ends suddenly under a stream of administrative changes: none that
# was told is lost, none is half done, and settings and audit log agree.
#
# It is killed 8 times, `make soak` 100 times.
# bats file_tags=device, durability, soak
bats_require_minimum_version 1.5.0

setup() {
  load helper
  rounds=${SOAK:+100}
  rounds=${rounds:-8}
  serial='Lockout Time for the Serial Console (minutes)'
  remote='Lockout Time for Remote Access (minutes)'
}

teardown() {
  server_stop
}

# The Nth change sets two fields of one section, to N and to a number that
# follows from it; both differ from those before.
partner() { echo $((1 + $1 * 7 % 1440)); }

# stream N: changes from the Nth on; what is shown after each tells that it is
# durable
stream() {
  local n
  echo config
  for ((n = $1; n < $1 + 400; n++)); do
    echo "edit lockout settings serial $n remote $(partner "$n")"
    echo 'show lockout settings'
  done
}

# changed N COUNT: the stream from N, until COUNT changes were told; then the
# server is killed amid the next ones. Sets told, the last one.
changed() {
  local line count=$2
  told=$(($1 - 1))
  exec {says}< <(stream "$1" | timeout 60 "$TOP/harness/appliance" \
    cli "$SERVER_DIR" 2>&1 3>&-)
  while [ "$count" -gt 0 ]; do
    read -r -t 30 line <&"$says" || return
    if [[ $line == "$serial: "* ]]; then
      told=${line##* }
      count=$((count - 1))
    fi
  done
  server kill server
  while read -r line <&"$says"; do
    [[ $line != "$serial: "* ]] || told=${line##* }
  done
  exec {says}<&-
}

# agreed N: the change that the settings and the audit log both end with, which
# is told or the one after it; N is one that was there before. Each that the
# log shows is one line, in their order, without a gap.
agreed() {
  server cli 'show lockout settings' 'show log audit 1000' </dev/null |
    awk -v serial="$serial: " -v remote="$remote: " -v told="$told" \
      -v before="$1" '
      function partner(n) { return 1 + n * 7 % 1440 }
      function wrong(what) { print what >"/dev/stderr"; failed = 1; exit 1 }
      (at = index($0, "]: " serial)) {
        event = substr($0, at + 3)
        number = substr(event, length(serial) + 1) + 0
        if (event != serial number ", " remote partner(number))
          wrong("half an event: " $0)
        if (last == "" ? number > before + 1 : number != last + 1)
          wrong("behind event " last ": " $0)
        last = number
        next
      }
      { sub(/^ +/, "") }
      index($0, serial) == 1 { n = substr($0, length(serial) + 1) + 0 }
      index($0, remote) == 1 { r = substr($0, length(remote) + 1) + 0 }
      END {
        if (failed)
          exit 1
        if (n != told && n != told + 1)
          wrong("told " told ", the settings are of " n)
        if (r != partner(n) || n != last)
          wrong("settings " n " and " r ", the log ends with " last)
        print n
      }'
}

@test "kill -9 under a stream of changes: settings and audit log agree, none told is lost" {
  server_start
  RANDOM=1
  n=5 # the default
  for ((round = 0; round < rounds; round++)); do
    changed $((n + 1)) $((1 + RANDOM % 8))
    server run server
    n=$(agreed "$n")
  done
  # some were made in between, or the kills would prove nothing
  assert [ "$n" -ge $((5 + rounds)) ]
}

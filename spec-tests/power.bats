#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell of its own
# Sudden ends under load: what was acknowledged is there, nothing is half made.
#
# While clients write (harness/robust/ledger.c), the server is killed or loses
# its power; it is started again and held to every line that the clients wrote
# down, from the first round on: ten times each way, `make soak` 25 times.
# bats file_tags=power, durability, soak
bats_require_minimum_version 1.5.0

setup() {
  load helper
  rounds=${SOAK:+25}
  rounds=${rounds:-10}
  book=$BATS_TEST_TMPDIR/book
}

teardown() {
  server_stop
}

ledger() {
  "$TOP/build/bin/ledger" "$1" --target "$TARGET" --book "$book" "${@:2}"
}

# cpu_ms PID: of its time, so far
cpu_ms() {
  local stat fields
  stat=$(<"/proc/$1/stat")
  read -r -a fields <<<"${stat##*) }"
  echo $(((fields[11] + fields[12]) * 1000 / $(getconf CLK_TCK)))
}

# under_load ROUND COMMAND...: write, and run the command in the midst of it
under_load() {
  local round=$1 writer line
  shift
  exec {writer}< <(exec "$TOP/build/bin/ledger" write --target "$TARGET" \
    --book "$book" --seed "$round" --count 1000000 \
    --tell $((10 + round * 37 % 60)) 2>&1 3>&-)
  read -r -t 30 line <&"$writer"
  assert_regex "$line" '^reached '
  "$@"
  # the server went, and nothing else happened to the clients
  line=$(cat <&"$writer")
  exec {writer}<&-
  assert_regex "$line" '^[0-9]+ acknowledged, 0 refused, 8 cut off$'
}

# opens_at_once COMMAND...: start it with that; less than a second of work
opens_at_once() {
  "$@" >/dev/null
  run cpu_ms "$(<"$SERVER_DIR/pid")"
  assert [ "$output" -lt 1000 ]
}

# holds: the server has what the book says
holds() {
  run ledger check
  assert_success
  assert_output --regexp ': 0 lost, 0 altered, 0 half made, 0 stray$'
}

# sound: the database too, once nobody uses it
sound() {
  server stop
  run sqlite3 "$SERVER_DIR/store.db" "PRAGMA integrity_check"
  assert_output ok
}

killed() {
  kill -KILL "$(<"$SERVER_DIR/pid")"
  flock --timeout 20 "$SERVER_DIR/lock" true
}

@test "kill -9 under load loses nothing that was acknowledged" {
  server_start --real-time
  for ((round = 0; round < rounds; round++)); do
    under_load "$round" killed
    opens_at_once server start --real-time
    holds
  done
  sound
}

@test "A power cut that drops all that was not synced loses nothing acknowledged" {
  server_start
  for ((round = 0; round < rounds; round++)); do
    under_load "$round" server power off
    opens_at_once server power on
    holds
  done
  sound
}

@test "A power cut that tears what was not synced loses nothing acknowledged" {
  server_start
  for ((round = 0; round < rounds; round++)); do
    under_load "$round" server power off "$((20261121 + round))"
    opens_at_once server power on
    holds
  done
  sound
}

# cut_at SEED N: just before the Nth write from now
cut_at() {
  server power arm "$1" "$2"
  server power off
}

@test "A power cut in the midst of a group's writes loses nothing acknowledged" {
  server_start
  for ((round = 0; round < rounds; round++)); do
    under_load "$round" cut_at "$((14012 + round))" "$((round % 24 + 1))"
    opens_at_once server power on
    holds
  done
  sound
}

# ---- and it would be seen

# tampered SED-SCRIPT: the check of a book that was changed so
tampered() {
  cp "$book" "$BATS_TEST_TMPDIR/true"
  sed -i "$1" "$book"
  run ledger check
  cp "$BATS_TEST_TMPDIR/true" "$book"
  assert_failure 1
}

@test "The check notices what is lost, altered, half made or nobody's" {
  server_start
  ledger write --count 60 --seed 7
  holds
  first=$(sed -n 's/^did \([^ ]*\) .* -$/\1/p;T;q' "$book")
  tampered "s/^did $first [^ ]*/did $first no-such-object/"
  assert_line --regexp "$first: Locate does not find no-such-object"
  key=$(sed -n 's/^will register \([^ ]*\) .*/\1/p;T;q' "$book")
  tampered "/^will register $key /s/[^ ]*$/$(printf %064d 0)/"
  assert_line --partial "$key: other octets"
  # no object with this name is there, but it was acknowledged
  tampered "\$a will create ghost -\ndid ghost some-id -"
  assert_line --partial "ghost: Get is refused"
  # a name that was refused is there
  tampered "\$a not $first"
  assert_line --partial "$first: refused, and there"
  # one half of a key pair, and its answer never came
  pair=$(sed -n 's/^did \([^ ]*\) [^ ]* [^-].*/\1/p;T;q' "$book")
  private=$(sed -n "s/^did $pair \([^ ]*\) .*/\1/p" "$book")
  kmip destroy "$private"
  tampered "/^did $pair /d"
  assert_line --partial "$pair: half of it is there"
  run ledger check
  assert_failure 1
  assert_line --partial "$pair: Get is refused"
}

@test "The check notices an object that nobody asked for" {
  server_start
  ledger write --count 20
  kmip create --attribute "Object Group=ledger"
  run ledger check
  assert_failure 1
  assert_line --partial "nobody asked for it"
}

@test "The check notices a store that has gone back in time" {
  server_start
  ledger write --count 40 --seed 1
  server stop
  cp "$SERVER_DIR/store.db" "$BATS_TEST_TMPDIR/old"
  server start
  ledger write --count 40 --seed 2
  server stop
  cp "$BATS_TEST_TMPDIR/old" "$SERVER_DIR/store.db"
  rm -f "$SERVER_DIR/store.db-wal" "$SERVER_DIR/store.db-shm"
  server start
  run ledger check
  assert_failure 1
  refute_output --regexp ': 0 lost'
  assert_output --partial ' 0 stray'
}

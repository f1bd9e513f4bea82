# shellcheck shell=bash
# What every suite loads: where the project is, and the assertions.

TOP=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
export TOP

bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

# ---------------------------------------------------------------------------
# An appliance for each test, copied from a template of this build.

# server_copy [--card]: $SERVER_DIR with what a new appliance has, not started
# yet; with a card, imprinted and logged in to
server_copy() {
  APPLIANCE_TEMPLATE=$("$TOP/harness/template.sh" "$@")
  export APPLIANCE_TEMPLATE
  SERVER_DIR=$BATS_TEST_TMPDIR/appliance
  TARGET=$SERVER_DIR/target.conf
  export SERVER_DIR TARGET
  cp -r "$APPLIANCE_TEMPLATE" "$SERVER_DIR"
}

# server_start [--card] [--real-time]: $SERVER_DIR, $TARGET and $SERVER_PORT
server_start() {
  local card=()
  [ "${1-}" != --card ] || card=(--card)
  [ -d "${SERVER_DIR-}" ] || server_copy "${card[@]}"
  "$TOP/harness/appliance" start "$SERVER_DIR" "$@" 3>&-
  SERVER_PORT=$(sed -n 's/^port = //p' "$TARGET")
  export SERVER_PORT
}

# server_stop: harmless when there is none
server_stop() {
  [ -d "${SERVER_DIR-}" ] || return 0
  "$TOP/harness/appliance" stop "$SERVER_DIR"
}

# server VERB ARGS...: harness/appliance with this test's directory
server() {
  "$TOP/harness/appliance" "$1" "$SERVER_DIR" "${@:2}" 3>&-
}

# wait_for TEXT FILE: until a line of the file has it; fails after 20 s
wait_for() {
  local lines tail status=0
  exec {lines}< <(exec timeout 20 tail -c +1 -F "$2" 2>/dev/null 3>&-)
  tail=$!
  grep -q -a -m 1 -F -- "$1" <&"$lines" || status=1
  kill "$tail" 2>/dev/null || true
  exec {lines}<&-
  return "$status"
}

# server_logged TEXT: wait until the server's log has it
server_logged() {
  wait_for "$1" "$SERVER_DIR/server.log"
}

# no_turn_of LIMIT-US COMMAND...: while the command runs, no turn of the server's
# loop takes as much of a processor. What else the machine does only adds to it:
# the least of five runs counts.
no_turn_of() {
  local limit_us=$1 longest_us
  shift
  for _ in 1 2 3 4 5; do
    server turns >/dev/null
    "$@" || return
    longest_us=$(server turns | sed -n 's/ok longest_us=//p')
    echo "longest turn: $longest_us us"
    [ "$longest_us" -gt 0 ] || return
    [ "$longest_us" -ge "$limit_us" ] || return 0
  done
  return 1
}

# kmip OPERATION ...: the suite's client, as alice
kmip() {
  "$TOP/build/bin/touchstone" kmip "$@" --target "$TARGET"
}

# peers_start: harness/robust/peers.c at this test's server, for peers()
peers_start() {
  coproc PEERS {
    exec "$TOP/build/bin/peers" --target "$TARGET" 3>&- 2>&1
  }
  # a coprocess's own descriptors are closed in subshells
  # shellcheck disable=SC2153
  exec {peers_in}>&"${PEERS[1]}" {peers_out}<&"${PEERS[0]}"
}

# peers COMMAND...: its answer, one line
peers() {
  local line
  echo "$*" >&"$peers_in"
  read -r -t 60 line <&"$peers_out" || return
  echo "$line"
  [[ $line != failed* ]]
}

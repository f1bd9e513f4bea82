# shellcheck shell=bash
# A card of its own for each test, in the laboratory: load after helper.

# card_start [OPTIONS]: $CARD_HOME with a card of these options that runs
card_start() {
  CARD_HOME=$BATS_TEST_TMPDIR/home
  if [ ! -d "$CARD_HOME" ]; then
    mkdir -p "$CARD_HOME/lab"
    "$TOP/build/bin/labctl" make "$CARD_HOME"
  fi
  card_options=(--lab lab/card.sock --clock clock "$@")
  card_boot
}

# card_start_outside [OPTIONS]: of the laboratory
card_start_outside() {
  CARD_HOME=$BATS_TEST_TMPDIR/home
  mkdir -p "$CARD_HOME"
  card_options=("$@")
  card_boot
}

# card_boot: start it again, as it was
card_boot() {
  local ready line=''
  exec {ready}< <(cd "$CARD_HOME" &&
    exec "$TOP/build/bin/hsmcardd" --dir card "${card_options[@]}" \
      </dev/null 2>>card.log 3>&-)
  CARD_PID=$!
  read -r -t 20 line <&"$ready" || true
  exec {ready}<&-
  if [ "$line" != ready ]; then
    cat "$CARD_HOME/card.log"
    return 1
  fi
}

# card_gone: wait until it has ended, and what it held with it
card_gone() {
  flock --timeout 20 "$CARD_HOME/card" true
}

# card_stop: in order; harmless when there is none
card_stop() {
  [ -d "${CARD_HOME-}/card" ] || return 0
  kill -TERM "$CARD_PID" 2>/dev/null || return 0
  card_gone
}

# hsmctl WORDS...: to this test's card
hsmctl() {
  "$TOP/build/bin/hsmctl" "$CARD_HOME" "$@"
}

# card_admin COMMAND...: one line, over a connection of its own
card_admin() {
  (cd "$CARD_HOME" && "$TOP/build/bin/labctl" ask card/admin.sock "$@")
}

# card_clock WORDS...: advance 2h ...
card_clock() {
  "$TOP/build/bin/labctl" "$1" "$CARD_HOME" "${@:2}"
}

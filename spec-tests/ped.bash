# shellcheck shell=bash
# What suites with a PED load: a PED in this test's own directory, its hands,
# and iKeys made without the project's code.

# laboratory_start NAME PROGRAM OPTION...: in $BATS_TEST_TMPDIR, in virtual time;
# returns when it is ready
laboratory_start() {
  local name=$1 program=$2 ready line=
  shift 2
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir -p lab
  [ -e clock ] || "$TOP/build/bin/labctl" make .
  exec {ready}< <(exec "$TOP/build/bin/$program" --dir "$name" \
    --lab "lab/$name.sock" --clock clock "$@" 2>>"$name.log" 3>&-)
  echo $! >>running
  echo $! >"$name.pid"
  read -r -t 20 line <&"$ready" || true
  exec {ready}<&-
  [ "$line" = ready ] || {
    cat "$name.log" >&2
    return 1
  }
}

# laboratory_kill NAME: as a crash would
laboratory_kill() {
  kill -KILL "$(<"$BATS_TEST_TMPDIR/$1.pid")"
}

# laboratory_stop: all of it; harmless when there is nothing
laboratory_stop() {
  local pid
  [ -e "$BATS_TEST_TMPDIR/running" ] || return 0
  while read -r pid; do
    kill -TERM "$pid" 2>/dev/null || true
  done <"$BATS_TEST_TMPDIR/running"
}

# ped_start [DIR] [OPTION...]: pedsim in DIR (ped)
ped_start() {
  local name=${1:-ped}
  [ $# -eq 0 ] || shift
  laboratory_start "$name" pedsim "$@"
}

# card_start [DIR] [OPTION...]: hsmcardd in DIR (card)
card_start() {
  local name=${1:-card}
  [ $# -eq 0 ] || shift
  laboratory_start "$name" hsmcardd "$@"
}

# admin COMMAND...: one session at the card "card", or at $CARD
admin() {
  (cd "$BATS_TEST_TMPDIR" && /usr/bin/python3 "$TOP/spec-tests/card_admin.py" \
    "${CARD:-card}/admin.sock" "$@" 3>&-)
}

# pedctl COMMAND...: at the PED "ped", or at $PED
pedctl() {
  "$TOP/build/bin/pedctl" "$BATS_TEST_TMPDIR/${PED:-ped}" "$@" 3>&-
}

# time_passes DURATION: for all of them
time_passes() {
  "$TOP/build/bin/labctl" advance "$BATS_TEST_TMPDIR" "$1" >/dev/null
}

# ped_fault NAME VALUE
ped_fault() {
  (cd "$BATS_TEST_TMPDIR" &&
    "$TOP/build/bin/labctl" ask "lab/${PED:-ped}.sock" fault "$@") >/dev/null
}

# ikey VERB ARGS...: see ikey.py
ikey() {
  /usr/bin/python3 "$TOP/spec-tests/ikey.py" "$@"
}

# blank_ikey FILE
blank_ikey() {
  "$TOP/build/bin/pedctl" ikey new "$1"
}

# assert_screen LINE...: the whole display
assert_screen() {
  run pedctl screen
  assert_success
  assert_output "$(printf '%s\n' "$@")"
}

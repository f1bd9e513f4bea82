# shellcheck shell=bash
# What suites with a PED load: a PED in this test's own directory, its hands,
# and iKeys made without the project's code.

# ped_start [DIR] [OPTION...]: pedsim in DIR (ped) of $BATS_TEST_TMPDIR, in
# virtual time; several share the clock
ped_start() {
  local name=${1:-ped} ready line=
  [ $# -eq 0 ] || shift
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir -p lab
  [ -e clock ] || "$TOP/build/bin/labctl" make .
  exec {ready}< <(exec "$TOP/build/bin/pedsim" --dir "$name" \
    --lab "lab/$name.sock" "$@" 2>>"$name.log" 3>&-)
  echo $! >>"peds"
  read -r -t 20 line <&"$ready" || true
  exec {ready}<&-
  [ "$line" = ready ] || {
    cat "$name.log" >&2
    return 1
  }
}

# peds_stop: all of them; harmless when there are none
peds_stop() {
  local pid
  [ -e "$BATS_TEST_TMPDIR/peds" ] || return 0
  while read -r pid; do
    kill -TERM "$pid" 2>/dev/null || true
  done <"$BATS_TEST_TMPDIR/peds"
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

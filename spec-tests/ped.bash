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

# ---------------------------------------------------------------------------
# What a person does at the PED.

# at_the_ped: the script on standard input
at_the_ped() {
  pedctl script - >>script.log
}

# imprint TITLE FILE [PIN [M N]]: answers of one keyset, for at_the_ped
imprint() {
  local share file
  cat <<END
expect ^$1
expect reuse an existing keyset
press NO
expect ^M value
press ${4:-1} ENTER
expect ^N value
press ${5:-1} ENTER
END
  for ((share = 1; share <= ${5:-1}; share++)); do
    file=$2
    [ "${5:-1}" -eq 1 ] || file=$2$share
    [ -e "$file" ] || blank_ikey "$file"
    present "$1" "$file"
    cat <<END
expect ^Enter new PED PIN:
press ${3-} ENTER
expect ^Confirm new PED PIN:
press ${3-} ENTER
END
  done
  printf '%s\n' "expect ^Are you duplicating" "press NO"
}

# present TITLE FILE [PIN]
present() {
  cat <<END
expect ^$1
expect ^Insert a
remove
insert $2
press ENTER
END
  [ -z "${3-}" ] || printf '%s\n' 'expect ^Enter PED PIN\.$' "press $3 ENTER"
}

# meanwhile COMMAND...: an administrator's session, until finished
meanwhile() {
  admin "$@" >admin.out 2>&1 &
  session=$!
}

# finished: all of it was done
finished() {
  local status=0
  wait "$session" || status=$?
  assert_equal "$status:$(<admin.out)" "0:$(<admin.out)"
}

# refused NAME: the card's last word
refused() {
  local status=0
  wait "$session" || status=$?
  assert_equal "$status" 1
  run tail -n 1 admin.out
  assert_output --regexp "^error $1 "
}

# given_up: the iKey that is asked for is not to be had
given_up() {
  pedctl hold CLEAR
  time_passes 5s
  pedctl release CLEAR
  refused CARD_PED_CLEARED
}

# initialized: a card with blue (PIN 1111) and red
initialized() {
  meanwhile "initialize label=demo"
  {
    imprint "SETTING SO" blue 1111
    imprint "SETTING DOMAIN" red
  } | at_the_ped
  finished
}

# partitioned [PIN [M N]]: and a partition, whose black iKey has PIN 2222
partitioned() {
  initialized
  meanwhile so-login "create-partition label=part"
  {
    present "SO LOGIN" blue 1111
    present "DOMAIN LOGIN" red
    imprint "SETTING USER" black "${1-2222}" "${@:2}"
    printf '%s\n' "expect write it down" "press ENTER"
  } | at_the_ped
  finished
}

# activated FILE [PIN]...: by these iKeys, in turn
activated() {
  meanwhile deactivate activate
  while [ $# -gt 0 ]; do
    present "USER LOGIN" "$1" "${2-}"
    shift
    [ $# -eq 0 ] || shift
  done | at_the_ped
  finished
}

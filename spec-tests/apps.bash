# shellcheck shell=bash
# PKCS#11 applications of a test, each a process that does what app() tells it
# (harness/robust/apps.c). Load after helper. Where their card is,
# HSM_SIM_SOCKET says.

# apps_start: from now on app() has somebody to tell
apps_start() {
  coproc APPS {
    exec "$TOP/build/bin/apps" --module "$TOP/build/bin/libhsm-sim.so" 3>&- 2>>apps.log
  }
  # a coprocess's own descriptors are closed in subshells
  # shellcheck disable=SC2153
  exec {apps_in}>&"${APPS[1]}" {apps_out}<&"${APPS[0]}"
}

# apps_stop: harmless when there are none
apps_stop() {
  [ -z "${APPS_PID-}" ] || kill "$APPS_PID" 2>/dev/null || true
}

# tell NAME COMMAND...: and do not wait for it
tell() {
  echo "$*" >&"$apps_in"
}

# app NAME COMMAND... ANSWER: tell it, and compare what it says
app() {
  echo "$*:"
  tell "${@:1:$#-1}"
  told "${*: -1}"
}

# told ANSWER: what the last one that was told something says
told() {
  local line=''
  read -r -t 60 line <&"$apps_out" || true
  [ "$line" = "$1" ] || {
    printf 'want %s\ngot  %s\n' "$1" "$line"
    return 1
  }
}

# shellcheck shell=bash
# The adapter of touchstone-ref: what scenario tests ask of an appliance beside
# its protocols. Another product's adapter has functions of the same names; one
# that is missing makes the tests that need it not claimed.
#
# Each test has an appliance of its own, in the laboratory, in the directory
# ADAPTER_DIR.
#
#   adapter_start [--card]      a new appliance, initialized; or the one that
#                               was stopped or halted; with an HSM card
#   adapter_start_blank         a new one as it is delivered
#   adapter_stop                in order; harmless where there is none
#   adapter_status              running, stopped or off
#   adapter_await STATUS        until it is
#   adapter_admin_password      print what admin's was made with
#   adapter_target              print the path of its target file
#
#   adapter_cli USER PASSWORD COMMAND...
#                               log in at the serial console and give each
#                               COMMAND, up to the first that fails; answers to
#                               what they ask are lines of standard input.
#                               Prints what it says. Status 0; 1: one failed;
#                               2: not logged in, or nobody answers
#   adapter_serial_login USER PASSWORD
#                               log in and leave; prints what the door said
#   adapter_serial_setup        first-time initialization: its answers are lines
#                               of standard input
#   adapter_ssh USER PASSWORD COMMAND...
#   adapter_ssh_login USER PASSWORD
#                               the same two by SSH, with OpenSSH's client;
#                               status 255: not logged in. ADAPTER_ADDRESS
#                               says at which address, if not at 127.0.0.1
#
#   adapter_nae USER PASSWORD REQUEST [NAME=VALUE...]
#                               one request over NAE-XML, as that user, or with
#                               "" in a global session; further words as those
#                               of touchstone nae. Prints NAME=VALUE a line.
#                               Status 0; 1: refused; 2: no answer
#
#   adapter_log NAME            print that log's current lines: system, audit,
#                               activity, client-event or kmip-agent
#
#   adapter_key_port NUMBER     where that key server listens, as soon as it does
#
#   adapter_clock_advance 2h    all clocks: 1h30m, 45s, 3d
#   adapter_clock_wall          print wall time, seconds since 1970
#   adapter_power_cycle [2h]    the plug is pulled, and put back so much later
#   adapter_power_off
#   adapter_power_on
#   adapter_fault NAME VALUE    as harness/appliance has them
#
#   adapter_version             print the version of the release as it is delivered
#   adapter_patch NUMBER FILE   a patch of that release, 1 or 2, as the vendor
#                               gives it to customers: a package in FILE
#   adapter_patch_shows NUMBER  print what `show device` has with that patch and
#                               those after it, and not without
#
#   adapter_license CLIENTS FILE
#                               a license for so many clients, likewise
#
# Passwords are arguments of shell functions only: programs get them by file.

_adapter_top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)

_adapter() { "$_adapter_top/harness/appliance" "$1" "$ADAPTER_DIR" "${@:2}" 3>&-; }

# _adapter_secret TEXT: print the path of a file with it
_adapter_secret() {
  local file
  file=$(umask 077 && mktemp "$ADAPTER_DIR/secret.XXXXXX") || return
  printf '%s\n' "$1" >"$file"
  echo "$file"
}

_adapter_console() {
  timeout 60 "${TOUCHSTONE_REF:-$_adapter_top/build/bin/touchstone-ref}" \
    console "$ADAPTER_DIR" "$@" 3>&-
}

# _adapter_console_as USER PASSWORD COMMAND...
_adapter_console_as() {
  local file status=0
  file=$(_adapter_secret "$2") || return
  _adapter_console --user "$1" --password-file "$file" "${@:3}" || status=$?
  rm -f "$file"
  return "$status"
}

adapter_start() {
  [ -e "$ADAPTER_DIR/touchstone.conf" ] ||
    APPLIANCE_TEMPLATE=$("$_adapter_top/harness/template.sh" "$@") || return
  export APPLIANCE_TEMPLATE
  _adapter start "$@" >/dev/null
}

adapter_start_blank() {
  _adapter start --blank >/dev/null
}

adapter_stop() {
  [ ! -d "$ADAPTER_DIR" ] || _adapter stop
}

adapter_status() {
  local status=0
  _adapter status >/dev/null || status=$?
  case $status in
  0) echo running ;;
  3) echo stopped ;;
  4) echo off ;;
  *) return 1 ;;
  esac
}

# It ends its process when it halts, and goes on in the same one when it
# restarts.
adapter_await() {
  case $1 in
  running) _adapter await port= >/dev/null ;;
  stopped) timeout 20 flock "$ADAPTER_DIR/lock" true ;;
  *) return 1 ;;
  esac
}

adapter_admin_password() { cat "$ADAPTER_DIR/admin.password"; }

adapter_target() { echo "$ADAPTER_DIR/target.conf"; }

adapter_cli() { _adapter_console_as "$@"; }

adapter_serial_login() { _adapter_console_as "$1" "$2" exit; }

# Where the key server was left off, there is no port to be told of.
adapter_serial_setup() {
  _adapter_console || return
  _adapter target 2>/dev/null || true
}

# _adapter_ssh_as USER PASSWORD COMMAND...: each command a line
_adapter_ssh_as() {
  local file port status=0
  port=$(_adapter ssh-port) || return
  file=$(_adapter_secret "$2") || return
  printf '%s\n' "${@:3}" |
    timeout 60 sshpass -f "$file" ssh -T -p "$port" -l "$1" \
      -o StrictHostKeyChecking=no -o UserKnownHostsFile="$ADAPTER_DIR/known" \
      -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 \
      -o LogLevel=INFO "${ADAPTER_ADDRESS:-127.0.0.1}" 2>&1 3>&- || status=$?
  rm -f "$file"
  return "$status"
}

adapter_ssh() { _adapter_ssh_as "$@"; }

adapter_ssh_login() { _adapter_ssh_as "$1" "$2" exit; }

adapter_nae() {
  local file who=() status=0
  if [ -n "$1" ]; then
    file=$(_adapter_secret "$2") || return
    who=(--user "$1" --password-file "$file")
  fi
  timeout 60 "$_adapter_top/build/bin/touchstone" nae "${@:3}" \
    --target "$ADAPTER_DIR/target.conf" "${who[@]}" 3>&- || status=$?
  [ -z "$1" ] || rm -f "$file"
  return "$status"
}

# The audit log's are in the store: it is asked for more than a test makes.
adapter_log() {
  if [ "$1" = audit ]; then
    adapter_cli admin "$(adapter_admin_password)" "show log audit 1000" </dev/null
  else
    cat "$ADAPTER_DIR/logs/$1/current"
  fi
}

adapter_key_port() { _adapter server-port "$1"; }

adapter_clock_advance() { _adapter clock advance "$1" >/dev/null; }

adapter_clock_wall() {
  _adapter clock | sed -n 's/.* wall_s=\([0-9]*\).*/\1/p'
}

adapter_power_cycle() {
  adapter_power_off || return
  [ $# -eq 0 ] || adapter_clock_advance "$1" || return
  adapter_power_on
}

adapter_power_off() { _adapter power off; }

adapter_power_on() { _adapter power on; }

adapter_fault() { _adapter fault "$@" >/dev/null; }

_adapter_ref() { echo "${TOUCHSTONE_REF:-$_adapter_top/build/bin/touchstone-ref}"; }

adapter_version() { "$(_adapter_ref)" --version | sed 's/^[^ ]* //'; }

# Of a patched program another word begins a line, in capitals.
_adapter_patches=(- Hostname Personality)

adapter_patch_shows() { echo "${_adapter_patches[$1]^^}:"; }

adapter_patch() {
  local number words=() program
  program=$(mktemp "${TMPDIR:-/tmp}/touchstone-program.XXXXXX") || return
  for ((number = 1; number <= $1; number++)); do
    words+=(-e "s/${_adapter_patches[number]}: %s/$(adapter_patch_shows \
      "$number") %s/")
  done
  strip -o "$program" "$(_adapter_ref)" &&
    LC_ALL=C sed -i "${words[@]}" "$program" &&
    "$_adapter_top/build/bin/touchstone-release" software \
      --keys "${RELEASE_KEYS:-$_adapter_top/build/release}" \
      --version "$(adapter_version)p$1" --notes "Patch $1" --out "$2" \
      "touchstone-ref=$program"
  set -- $?
  rm -f "$program"
  return "$1"
}

adapter_license() {
  "$_adapter_top/build/bin/touchstone-release" licence \
    --keys "${RELEASE_KEYS:-$_adapter_top/build/release}" --clients "$1" \
    --notes "For $1 clients" --out "$2"
}

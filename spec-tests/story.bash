# shellcheck shell=bash
# Stories about an appliance and its administrators, told on what an adapter
# offers (harness/targets/adapter-*.bash): no path and nothing inside a server.
# Load after helper; STORY_ADAPTER names the adapter of another product.

# shellcheck source=/dev/null  # as the target has it
. "${STORY_ADAPTER:-$TOP/harness/targets/adapter-reference.bash}"

export ADAPTER_DIR=$BATS_TEST_TMPDIR/appliance

# Passwords that all rules allow, and no two are like each other.
FIRST="brisk7Lantern%"  # what an account is made with
OWN="quiet4Harbor!"     # what its owner chooses
OTHER="amber9Window?"   # and later
WRONG="velvet2Anchor-"  # nobody's
export FIRST OWN OTHER WRONG

# needs FUNCTION...: of the adapter, beside what every story takes
needs() {
  local function
  for function in adapter_start adapter_stop adapter_cli "$@"; do
    [ "$(type -t "$function")" = function ] || skip "not claimed: $function"
  done
}

# story_start [NAME...]: a new appliance, and administrators of these names
story_start() {
  # shellcheck disable=SC2119  # without a card
  adapter_start
  ADMIN=$(adapter_admin_password)
  local name
  for name in "$@"; do story_admin "$name"; done
}

# story_admin NAME [WORD VALUE...]: make one, who chooses OWN as a password; a
# High Access Administrator where no words say otherwise
story_admin() {
  local name=$1
  shift
  [ $# -ne 0 ] || set -- high-access yes
  as admin "administrator $name $*" "$FIRST" "$FIRST"
  printf '%s\n' "$OWN" "$OWN" | adapter_cli "$name" "$FIRST" exit
}

# as NAME COMMAND [ANSWER...]: in configuration mode, with the password that is
# NAME's in these stories
as() {
  local password=$OWN
  [ "$1" != admin ] || password=$ADMIN
  with "$1" "$password" "${@:2}"
}

# with NAME PASSWORD COMMAND [ANSWER...]
with() {
  { [ $# -le 3 ] || printf '%s\n' "${@:4}"; } | adapter_cli "$1" "$2" config "$3"
}

# enters NAME PASSWORD: is one let in at the serial console?
enters() {
  adapter_serial_login "$1" "$2" </dev/null
}

# fails_login COUNT NAME: wrong passwords at the serial console, one after the
# other
fails_login() {
  local attempt
  for ((attempt = 0; attempt < $1; attempt++)); do
    run enters "$2" "$WRONG"
    assert_failure 2
  done
}

# audit [LINES]: the last of them
audit() {
  adapter_cli admin "$ADMIN" "show log audit ${1-20}" </dev/null
}

# fails_ssh COUNT NAME: the same by SSH
fails_ssh() {
  local attempt
  for ((attempt = 0; attempt < $1; attempt++)); do
    run adapter_ssh_login "$2" "$WRONG"
    assert_failure
  done
}

# session_begin NAME PASSWORD COMMAND...: beside the test
session_begin() {
  local answers=$BATS_TEST_TMPDIR/answers
  SESSION_SAYS=$BATS_TEST_TMPDIR/session
  : >"$SESSION_SAYS"
  mkfifo "$answers"
  exec {session_hand}<>"$answers"
  adapter_cli "$@" <"$answers" >"$SESSION_SAYS" 2>&1 3>&- &
  SESSION=$!
}

# session_says TEXT: wait until it has
session_says() {
  wait_for "$1" "$SESSION_SAYS"
}

# session_answer TEXT...: to what it asks
session_answer() {
  printf '%s\n' "$@" >&"$session_hand"
}

# session_end: wait for its end; $status, $output and $lines as after run
# shellcheck disable=SC2034  # for bats-assert
session_end() {
  status=0
  wait "$SESSION" || status=$?
  exec {session_hand}<&-
  output=$(<"$SESSION_SAYS")
  mapfile -t lines <"$SESSION_SAYS"
}

# shellcheck shell=bash
# A person at a terminal: what is typed there, and what it shows. Load after
# helper.

_tmux() { tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null "$@" 3>&-; }

# terminal_start COMMAND...: in a terminal of 100 columns and 40 lines; when it
# ends, the terminal shows "status=N"
terminal_start() {
  TERMINAL_LOG=$BATS_TEST_TMPDIR/terminal
  : >"$TERMINAL_LOG"
  _tmux new-session -d -x 100 -y 40 cat
  _tmux pipe-pane "cat >>'$TERMINAL_LOG'"
  _tmux set-option -g remain-on-exit on
  _tmux respawn-pane -k "$(printf '%q ' "$@"); echo status=\$?; cat"
}

# terminal_types KEY...: as tmux has them: text, Enter, Tab, Up, C-c
terminal_types() {
  _tmux send-keys -- "$@"
}

# terminal_shows TEXT: wait until it has; a prompt has no line end, so what
# there is is looked at whenever nothing more comes for a moment
terminal_shows() {
  local lines tail seen='' more=''
  exec {lines}< <(exec timeout 20 tail -c +1 -F "$TERMINAL_LOG" 2>/dev/null 3>&-)
  tail=$!
  while [[ $seen != *"$1"* ]]; do
    read -r -d '' -N 65536 -t 0.05 -u "$lines" more || [ $? -gt 128 ] || break
    seen+=$more
  done
  kill "$tail" 2>/dev/null || true
  exec {lines}<&-
  [[ $seen$more == *"$1"* ]]
}

# terminal_screen: print what it shows now
terminal_screen() {
  _tmux capture-pane -p
}

# terminal_quit: harmless when there is none
terminal_quit() {
  [ ! -S "$BATS_TEST_TMPDIR/tmux" ] || _tmux kill-server || true
}

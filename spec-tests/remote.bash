# shellcheck shell=bash
# PedServer and PedClient in the laboratory, all in the current directory, which
# has its clock and lab/ there. Load after helper.

pedserver() { "$TOP/build/bin/PedServer" "$@" 3>&-; }
pedclient() { "$TOP/build/bin/PedClient" "$@" 3>&-; }

# server_up: on ports of its own on loopback; $port
server_up() {
  mkdir -p lab
  [ -e clock ] || "$TOP/build/bin/labctl" make .
  for _ in 1 2 3 4 5 6 7 8; do
    port=$((10000 + RANDOM % 20000))
    pedserver -m config -create -external-server no -port "$port" \
      -admin-port $((port + 1)) -hostname DemoClient -ip 172.17.66.233 \
      >/dev/null
    pedserver -m start -log pedserver.log -lab lab/pedserver.sock -clock clock \
      >start.out && return
    grep -q 'Address already in use' start.out || break
  done
  cat start.out
  return 1
}

# server_lab WORDS...: to its control socket
server_lab() {
  "$TOP/build/bin/labctl" ask lab/pedserver.sock "$@"
}

# shown LABEL: the value that -m show has for it
shown() {
  pedserver -m show | sed -n "s/^ *$1 *//p"
}

# client_up [PORT]: at the server, or at what stands before it
client_up() {
  run pedclient -m start -ip 127.0.0.1 -port "${1:-$port}" -log pedclient.log
  assert_success
}

# tap_up: a relay before the server that writes all down in recorded/wire;
# $tap_port
# shellcheck disable=SC2034  # the caller's
tap_up() {
  mkdir -p recorded
  coproc TAP {
    exec /usr/bin/python3 "$TOP/spec-tests/tap.py" "$port" recorded/wire 3>&-
  }
  echo "$TAP_PID" >tap.pid
  # a coprocess's own descriptors are closed in subshells
  # shellcheck disable=SC2153
  exec {tap_in}>&"${TAP[1]}" {tap_out}<&"${TAP[0]}"
  read -r -t 20 tap_port <&"$tap_out"
}

# tap_will change|drop|repeat card|ped: the next frame from there
tap_will() {
  local line=
  echo "$*" >&"$tap_in"
  read -r -t 20 line <&"$tap_out"
  assert_equal "$line" armed
}

# tap_did: wait until it has
tap_did() {
  local line=
  read -r -t 20 line <&"$tap_out"
  assert_equal "$line" "done"
}

# remote_down: all of it; harmless when there is nothing
remote_down() {
  pedclient -m stop >/dev/null || true
  [ ! -e pedServer.ini ] || pedserver -m stop >/dev/null || true
  [ ! -e tap.pid ] || kill "$(<tap.pid)" 2>/dev/null || true
}

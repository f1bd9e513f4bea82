# shellcheck shell=bash
# Key servers in stories: made at the command line, asked as clients would, with
# openssl s_client and bash's own sockets. Load after story.

# A CA of the test's own (clients.crt), which also has signed a certificate for
# servers (front.pem, with its key).
servers_pki() {
  cat >openssl.cnf <<-'END'
	[ca]
	basicConstraints = critical, CA:TRUE
	keyUsage = critical, keyCertSign
	[server]
	basicConstraints = critical, CA:FALSE
	subjectAltName = IP:127.0.0.1, IP:127.0.0.2
	[client]
	basicConstraints = critical, CA:FALSE
	extendedKeyUsage = clientAuth
	[at]
	basicConstraints = critical, CA:FALSE
	extendedKeyUsage = clientAuth
	subjectAltName = ${ENV::SAN}
	END
  servers_ca clients
  servers_crt clients front server /CN=front
  servers_crt clients back server /CN=back
}

# servers_ca NAME: NAME.crt and NAME.key
servers_ca() {
  SAN=IP:127.0.0.1 "$TOP/harness/issue.sh" - "$1" ca "/CN=$1"
}

# servers_crt CA NAME PROFILE SUBJECT: NAME.pem, certificate and key
servers_crt() {
  SAN=${SAN-IP:127.0.0.1} "$TOP/harness/issue.sh" "$@"
  cat "$2.crt" "$2.key" >"$2.pem"
}

# client NAME SUBJECT [ADDRESS]: a client's certificate, NAME.pem, of the CA
# that the stories trust; with an address in subjectAltName
client() {
  if [ $# -gt 2 ]; then
    SAN=IP:$3 servers_crt clients "$1" at "$2"
  else
    servers_crt clients "$1" client "$2"
  fi
}

# lines FILE...: of all of them, in the array $lines
lines() {
  mapfile -t lines < <(cat "$@")
}

# servers_start [NAME...]: an appliance that has the server certificates front
# and back, knows the CA, and has local users of these names
servers_start() {
  local name
  needs adapter_key_port
  servers_pki
  story_start
  for name in front back; do
    lines "$name.crt" "$name.key"
    as admin "certificate import $name" "${lines[@]}" . '' >imported
  done
  lines clients.crt
  as admin 'ca install clients' "${lines[@]}" >installed
  for name in "$@"; do
    as admin "user $name administration no" "$OWN" "$OWN" >made
  done
}

# trust [PROFILE]: the clients' CA is in the list
trust() {
  as admin "ca profile add ${1-Default} clients"
}

# key_server PROTOCOL WORD VALUE...: a new one at 127.0.0.1, on a free port,
# which is left in $port; its number in $number
key_server() {
  local said
  said=$(as admin "key server $1 ip 127.0.0.1 port Any ${*:2}")
  number=$(sed -n 's/^Key Server: //p' <<<"$said")
  port=$(adapter_key_port "$number")
}

# edit WORD VALUE...: the one in $number; where it listens then
edit() {
  as admin "edit key server $number $*" >/dev/null
  port=$(adapter_key_port "$number")
}

# What ends a conversation: no request may have it, so the server closes.
THE_END='<!DOCTYPE end>'

# plain REQUESTS [ADDRESS]: over TCP, to $port; what was answered
plain() {
  local socket
  exec {socket}<>"/dev/tcp/${2-127.0.0.1}/$port" || return
  printf '%s' "$1$THE_END" >&"$socket"
  timeout 20 cat <&"$socket"
  exec {socket}>&-
}

# secure REQUESTS [OPTION...]: over TLS, with further options of s_client
secure() {
  printf '%s' "$1$THE_END" | timeout 20 openssl s_client -quiet -CAfile \
    clients.crt -verify_return_error -connect "127.0.0.1:$port" "${@:2}" \
    2>s_client.log
}

# secure_as NAME REQUESTS [OPTION...]: with that client's certificate
secure_as() {
  secure "$2" -cert "$1.pem" -key "$1.pem" "${@:3}"
}

login() {
  printf '<AuthRequest><ID>a</ID><User>%s</User><Passwd>%s</Passwd></AuthRequest>' \
    "$1" "$2"
}

# shellcheck disable=SC2034  # of those who load this
random='<RandGenRequest><ID>r</ID><Size>8</Size></RandGenRequest>'

# keygen NAME: a request for a key that may leave
keygen() {
  printf '<KeyGenRequest><ID>g</ID><KeyName>%s</KeyName><Algorithm>AES</Algorithm><Exportable/><Deletable/></KeyGenRequest>' "$1"
}

# on NAME REQUEST: about a key
on() {
  printf '<%sRequest><ID>k</ID><KeyName>%s</KeyName></%sRequest>' "$2" "$1" "$2"
}

# answered REQUEST ID: it succeeded
answered() {
  assert_output --partial \
    "<$1Response><ID>$2</ID><Success>true</Success>"
}

# refused REQUEST ID CODE: it did not, and why
refused() {
  assert_output --partial "<$1Response><ID>$2</ID><Success>false</Success>"
  assert_output --partial "<ErrorID>$3</ErrorID>"
}

# silent: nobody has answered anything
silent() {
  refute_output --partial "Response>"
}

#!/usr/bin/env bash
# pki.sh DIR: certificates of a laboratory, DIR/NAME.crt and .key in PEM: a CA
# (ca), a server on the loopback (server) and three clients (alice, bob, carol);
# and DIR/clients.conf, by which a target file knows the clients as A, B and C.
#
# What openssl had to say is in DIR/openssl.log.
set -u

[ $# -eq 1 ] || exit 2
issue=$(cd "${BASH_SOURCE[0]%/*}" && pwd)/issue.sh
mkdir -p "$1" || exit 1
cd "$1" || exit 1
umask 077

# certificate CA NAME PROFILE CN [KEY...]
certificate() {
	"$issue" "$1" "$2" "$3" "/O=Touchstone laboratory/CN=$4" "${@:5}"
}

cat >openssl.cnf <<-'END'
	[ca]
	basicConstraints = critical, CA:TRUE
	keyUsage = critical, keyCertSign, cRLSign
	subjectKeyIdentifier = hash
	[server]
	basicConstraints = critical, CA:FALSE
	keyUsage = critical, digitalSignature, keyEncipherment
	extendedKeyUsage = serverAuth
	subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
	[client]
	basicConstraints = critical, CA:FALSE
	keyUsage = critical, digitalSignature
	extendedKeyUsage = clientAuth
END
# RSA for the server: older clients know only suites with it
certificate - ca ca "Touchstone laboratory CA" &&
	certificate ca server server localhost rsa:2048 || exit 1
for client in A:alice B:bob C:carol; do
	name=${client#*:}
	certificate ca "$name" client "$name" || exit 1
	cat >>clients.conf <<-END
		[identity ${client%:*}]
		certificate = $name.crt
		key = $name.key
		ca = ca.crt

	END
done

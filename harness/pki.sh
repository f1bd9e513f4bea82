#!/usr/bin/env bash
# pki.sh DIR: certificates of a laboratory, DIR/NAME.crt and .key in PEM: a CA
# (ca), a server on the loopback (server) and three clients (alice, bob, carol);
# and DIR/clients.conf, by which a target file knows the clients as A, B and C.
#
# What openssl had to say is in DIR/openssl.log.
set -u

[ $# -eq 1 ] || exit 2
mkdir -p "$1" || exit 1
cd "$1" || exit 1
umask 077
ec=(ec -pkeyopt ec_paramgen_curve:P-256)

# certificate NAME CN PROFILE KEY...: by the CA, or by itself
certificate() {
	local name=$1 cn=$2 profile=$3 by=()
	shift 3
	[ "$name" = ca ] || by=(-CA ca.crt -CAkey ca.key)
	openssl req -x509 -config openssl.cnf -extensions "$profile" \
		-newkey "$@" -noenc -subj "/O=Touchstone laboratory/CN=$cn" \
		-days 3650 -sha256 "${by[@]}" \
		-keyout "$name.key" -out "$name.crt" 2>>openssl.log
}

cat >openssl.cnf <<-'END'
	[req]
	distinguished_name = dn
	[dn]
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
certificate ca "Touchstone laboratory CA" ca "${ec[@]}" &&
	certificate server localhost server rsa:2048 || exit 1
for client in A:alice B:bob C:carol; do
	name=${client#*:}
	certificate "$name" "$name" client "${ec[@]}" || exit 1
	cat >>clients.conf <<-END
		[identity ${client%:*}]
		certificate = $name.crt
		key = $name.key
		ca = ca.crt

	END
done

#!/usr/bin/env bash
# issue.sh CA NAME PROFILE SUBJECT [KEY...]: NAME.key and NAME.crt in PEM, in this
# directory, signed with CA.crt and CA.key, or by itself where CA is "-".
#
# PROFILE is a section of extensions in ./openssl.cnf, KEY what openssl takes
# behind -newkey, P-256 without. Valid since well before the clock of any
# laboratory begins (see labctl), until ten years from today. What openssl had
# to say is added to ./openssl.log.
set -eu

[ $# -ge 4 ] || exit 2
ca=$1 name=$2 profile=$3 subject=$4
shift 4
[ $# -gt 0 ] || set -- ec -pkeyopt ec_paramgen_curve:P-256
umask 077
books=$(mktemp -d)
trap 'rm -rf "$books"' EXIT
: >"$books/index.txt"
cat >"$books/ca.cnf" <<-END
	[req]
	distinguished_name = any
	[ca]
	default_ca = laboratory
	[laboratory]
	database = $books/index.txt
	new_certs_dir = $books
	rand_serial = yes
	policy = any
	[any]
	commonName = optional
END
by=(-cert "$ca.crt" -keyfile "$ca.key")
[ "$ca" != - ] || by=(-selfsign -keyfile "$name.key")
{
	openssl req -new -config "$books/ca.cnf" -newkey "$@" -noenc \
		-subj "$subject" -keyout "$name.key" -out "$books/request"
	openssl ca -batch -preserveDN -config "$books/ca.cnf" -extfile openssl.cnf \
		-extensions "$profile" "${by[@]}" -notext -md sha256 \
		-startdate 20200101000000Z -days 3650 \
		-in "$books/request" -out "$name.crt"
} 2>>openssl.log

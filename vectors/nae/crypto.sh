#!/usr/bin/env bash
# crypto.sh: write the known answers in crypto/, with openssl's ciphertexts,
# MACs and signatures. What it writes is part of the project; run it again only
# to change all of them alike.
set -eu
cd "$(dirname "$0")"
mkdir -p crypto

legacy=(-provider legacy -provider default)
text='A rope of forty fathoms, and no knot in it.'
octets=00112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10

hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { printf '%s' "$1" | sed 's/../\\x&/g' | xargs -0 printf '%b'; }
upper() { tr a-f A-F; }

# head_of TITLE SECTION TWIN: of a case
head_of() {
	printf 'title:  %s\nclause: nae-xml 2.8\nclause: nae-xml %s\nmark:   C\n' \
		"$1" "$2"
	printf 'twin:   nae/crypto/%s\n\nconnect as B\n' "$3"
}

# What a step is made of stands further in than the step.
lines() { sed '/^[<{]/s/^/\t/'; }

# import ALGORITHM BITS DATA: a key whose octets are known
import() {
	lines <<-END
		send
			<KeyImportRequest><ID>1</ID><KeyName>\$KEY</KeyName>
			<Algorithm>$1</Algorithm><KeySize>$2</KeySize>
			<KeyData>$3</KeyData></KeyImportRequest>
		expect
			<KeyImportResponse><ID>1</ID><Success>true</Success>
			<Fingerprint>{upper-hex 40}</Fingerprint>
			<KeyName>\$KEY</KeyName></KeyImportResponse>
	END
}

# ask ID ACTION ALGORITHM MORE DATA: a CryptoRequest
ask() {
	lines <<-END
		send
			<CryptoRequest><ID>$1</ID><Action>$2</Action>
			<KeyName>\$KEY</KeyName><Algorithm>$3</Algorithm>
	END
	[ -z "$4" ] || printf '\t%s\n' "$4"
	printf '\t</CryptoRequest>\n'
	folded "$5"
}

# folded DATA: hexadecimal in lines
folded() {
	local line
	printf '\t{data hex\n'
	printf '%s\n' "$1" | fold -w 64 | while read -r line; do
		printf '\t%s\n' "$line"
	done
	printf '\t}\n'
}

# answer ID DATA
answer() {
	lines <<-END
		expect
			<CryptoResponse><ID>$1</ID><Success>true</Success></CryptoResponse>
	END
	folded "$2"
}

verified() {
	lines <<-END
		expect
			<CryptoResponse><ID>$1</ID><Success>true</Success>
			<Verified>$2</Verified></CryptoResponse>
	END
}

# refused ID CODE TEXT
refused() {
	lines <<-END
		expect
			<CryptoResponse><ID>$1</ID><Success>false</Success>
			<FatalError>false</FatalError><ErrorID>$2</ErrorID>
			<ErrorString>$3</ErrorString></CryptoResponse>
	END
}

# encrypt CIPHER KEY IV PADDING DATA: openssl's ciphertext, all in hexadecimal
encrypt() {
	local args=(-e "-$1" -K "$2")
	[ -z "$3" ] || args+=(-iv "$3")
	[ "$4" = PKCS5Padding ] || args+=(-nopad)
	unhex "$5" | openssl enc "${args[@]}" "${legacy[@]}" | hex
}

# block ALGORITHM BITS KEY OPENSSL-NAME BLOCK-OCTETS: all modes and paddings
block() {
	local algorithm=$1 bits=$2 key=$3 cipher=$4 block=$5
	local name mode padding plain out iv iv_child id bad
	local full_iv=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
	for mode in ECB CBC; do
		for padding in NoPadding PKCS5Padding; do
			name=${algorithm,,}-$bits-${mode,,}-${padding,,}
			iv='' iv_child=''
			if [ "$mode" = CBC ]; then
				iv=${full_iv:0:$((2 * block))}
				iv_child="<IV>$(upper <<<"$iv")</IV>"
			fi
			plain=$octets
			[ "$padding" = NoPadding ] || plain=$(printf %s "$text" | hex)
			out=$(encrypt "$cipher-${mode,,}" "$key" "$iv" "$padding" "$plain")
			id=$algorithm/$mode/$padding
			{
				head_of "$id with $bits bits gives what openssl gives, and back" \
					2.5 "$name-refused"
				import "$algorithm" "$bits" "$key"
				ask 2 ENCRYPT "$id" "$iv_child" "$plain"
				answer 2 "$out"
				ask 3 DECRYPT "$id" "$iv_child" "$out"
				answer 3 "$plain"
			} >"crypto/$name.nae"
			{
				case $mode-$padding in
				ECB-NoPadding)
					head_of "$id with $bits bits takes no IV" 2.5 "$name"
					import "$algorithm" "$bits" "$key"
					ask 2 ENCRYPT "$id" "<IV>${full_iv:0:$((2 * block))}</IV>" "$plain"
					refused 2 10304 'Invalid IV'
					;;
				CBC-NoPadding)
					head_of "$id with $bits bits takes whole blocks only" 2.3 "$name"
					import "$algorithm" "$bits" "$key"
					ask 2 ENCRYPT "$id" "$iv_child" "${plain:2}"
					refused 2 10305 'Invalid data length'
					;;
				ECB-PKCS5Padding)
					head_of "$id with $bits bits: padding that is none" 2.3 "$name"
					bad=$(encrypt "$cipher-ecb" "$key" '' NoPadding \
						"${octets:0:$((2 * block - 2))}00")
					import "$algorithm" "$bits" "$key"
					ask 2 DECRYPT "$id" '' "$bad"
					refused 2 10306 'Bad padding or ciphertext'
					;;
				CBC-PKCS5Padding)
					head_of "$id with $bits bits takes an IV of a block" 2.5 "$name"
					import "$algorithm" "$bits" "$key"
					ask 2 ENCRYPT "$id" "<IV>${iv:2}</IV>" "$plain"
					refused 2 10304 'Invalid IV'
					;;
				esac
			} >"crypto/$name-refused.nae"
		done
	done
}

# stream BITS KEY OPENSSL-NAME
stream() {
	local name=rc4-$1 plain out
	plain=$(printf %s "$text" | hex)
	out=$(unhex "$plain" | openssl enc -e "-$3" -K "$2" "${legacy[@]}" | hex)
	{
		head_of "RC4 with $1 bits gives what openssl gives, each time anew" \
			2.5 "$name-refused"
		import RC4 "$1" "$2"
		ask 2 ENCRYPT RC4 '' "$plain"
		answer 2 "$out"
		ask 3 ENCRYPT RC4 '' "$plain"
		answer 3 "$out"
		ask 4 DECRYPT RC4 '' "$out"
		answer 4 "$plain"
	} >"crypto/$name.nae"
	{
		head_of "RC4 with $1 bits takes no IV" 2.5 "$name"
		import RC4 "$1" "$2"
		ask 2 ENCRYPT RC4 '<IV>0001020304050607</IV>' "$plain"
		refused 2 10304 'Invalid IV'
	} >"crypto/$name-refused.nae"
}

# flipped HEX: with its last bit the other way
flipped() { printf '%s%x' "${1%?}" $((0x${1: -1} ^ 1)); }

# mac DIGEST BITS
mac() {
	local algorithm=HmacSHA$1 name=hmac-sha$1 key plain out
	key=$(printf '0B%.0s' $(seq 1 $(($2 / 8))))
	plain=$(printf %s "$text" | hex)
	out=$(printf %s "$text" |
		openssl dgst "-sha$1" -mac HMAC -macopt "hexkey:$key" -binary | hex)
	{
		head_of "$algorithm gives what openssl gives, and is verified" \
			2.5 "$name-refused"
		import "$algorithm" "$2" "$key"
		ask 2 MAC "$algorithm" '' "$plain"
		answer 2 "$out"
		ask 3 MACV "$algorithm" "<Value>$(upper <<<"$out")</Value>" "$plain"
		verified 3 true
	} >"crypto/$name.nae"
	{
		head_of "$algorithm: a bit of the MAC or of the data is wrong" 2.8 "$name"
		import "$algorithm" "$2" "$key"
		ask 2 MACV "$algorithm" "<Value>$(flipped "$out")</Value>" "$plain"
		verified 2 false
		ask 3 MACV "$algorithm" "<Value>$out</Value>" "$(flipped "$plain")"
		verified 3 false
		ask 4 MACV "$algorithm" "<Value>${out%??}</Value>" "$plain"
		verified 4 false
	} >"crypto/$name-refused.nae"
}

# sign DIGEST NAME: ALGORITHM is DIGESTwithRSA unless it is said
sign() {
	local algorithm=${2:-SHA$1withRSA} name plain out
	name=rsa-${algorithm,,}
	plain=$(printf %s "$text" | hex)
	out=$(printf %s "$text" |
		openssl dgst "-sha$1" -sign keys/rsa-2048.pem -binary | hex)
	{
		head_of "$algorithm gives what openssl gives, and is verified" \
			2.5 "$name-refused"
		import RSA 2048 '{file keys/rsa-2048.pem}'
		ask 2 SIGN "$algorithm" '' "$plain"
		answer 2 "$out"
		ask 3 SIGNV "$algorithm" "<Value>$(upper <<<"$out")</Value>" "$plain"
		verified 3 true
	} >"crypto/$name.nae"
	{
		head_of "$algorithm: a bit of the signature or of the data is wrong" \
			2.8 "$name"
		import RSA 2048 '{file keys/rsa-2048.pem}'
		ask 2 SIGNV "$algorithm" "<Value>$(flipped "$out")</Value>" "$plain"
		verified 2 false
		ask 3 SIGNV "$algorithm" "<Value>$out</Value>" "$(flipped "$plain")"
		verified 3 false
	} >"crypto/$name-refused.nae"
}

# rsa ALGORITHM NAME: encryption is random, so openssl's ciphertext is decrypted
rsa() {
	local name=rsa-$2 plain out
	plain=$(printf %s "$text" | hex)
	out=$(printf %s "$text" | openssl pkeyutl -encrypt \
		-inkey keys/rsa-2048.pem | hex)
	{
		head_of "$1 decrypts what openssl encrypted, and what it did itself" \
			2.5 "$name-refused"
		import RSA 2048 '{file keys/rsa-2048.pem}'
		ask 2 DECRYPT "$1" '' "$out"
		answer 2 "$plain"
		ask 3 ENCRYPT "$1" '' "$plain"
		lines <<-END
			expect
				<CryptoResponse><ID>3</ID><Success>true</Success></CryptoResponse>
				{data \$CIPHERTEXT}
			send
				<CryptoRequest><ID>4</ID><Action>DECRYPT</Action>
				<KeyName>\$KEY</KeyName><Algorithm>$1</Algorithm></CryptoRequest>
				{data \$CIPHERTEXT}
		END
		answer 4 "$plain"
	} >"crypto/$name.nae"
	{
		head_of "$1: data too long for one block, and what is no ciphertext" \
			2.3 "$name"
		import RSA 2048 '{file keys/rsa-2048.pem}'
		ask 2 ENCRYPT "$1" '' "$(printf '61%.0s' $(seq 1 246))"
		refused 2 10305 'Invalid data length'
		ask 3 DECRYPT "$1" '' "00$(printf '61%.0s' $(seq 1 255))"
		refused 3 10306 'Bad padding or ciphertext'
	} >"crypto/$name-refused.nae"
}

key=000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
des=0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123
block AES 128 ${key:0:32} aes-128 16
block AES 192 ${key:0:48} aes-192 16
block AES 256 $key aes-256 16
block SEED 128 ${key:0:32} seed 16
block DES 56 ${des:0:16} des 8
block DESede 168 $des des-ede3 8
stream 128 ${key:0:32} rc4
stream 40 ${key:0:10} rc4-40
mac 1 160
mac 256 256
mac 384 384
mac 512 512
sign 1
sign 256
sign 384
sign 512
sign 1 RSA
rsa RSA/ECB/PKCS1Padding pkcs1
rsa RSA plain

#!/usr/bin/env bats
# Signed logs: the log signing certificate, what OpenSSL says of a signed log,
# and what touchstone says of it.
# bats file_tags=chapter:20, area:log-signing
bats_require_minimum_version 1.5.0

# One appliance for all: they set what they need.
setup_file() {
  export BATS_NO_PARALLELIZE_WITHIN_FILE=true
  load helper
  load console
  SERVER_DIR=$BATS_FILE_TMPDIR/appliance
  APPLIANCE_TEMPLATE=$("$TOP/harness/template.sh")
  cp -r "$APPLIANCE_TEMPLATE" "$SERVER_DIR"
  export SERVER_DIR
  "$TOP/harness/appliance" start "$SERVER_DIR" 3>&-
  console 'log signing certificate download' >"$BATS_FILE_TMPDIR/first.pem"
}

teardown_file() {
  "$TOP/harness/appliance" stop "$SERVER_DIR"
}

setup() {
  load helper
  load console
  cd "$BATS_TEST_TMPDIR" || return
  console 'log signing certificate download' >cert.pem
}

# signing LOG SETTINGS...: edit its settings
signing() {
  console config "edit log signing $*"
}

# openssl_says FILE CERTIFICATE: the guide's command
openssl_says() {
  openssl smime -verify -in "$1" -nointern -certfile "$2" -text -noverify 2>&1
}

# touchstone_says FILE CERTIFICATE OPTIONS...
touchstone_says() {
  "$TOP/build/bin/touchstone" log verify "$1" --certificate "$2" "${@:3}"
}

# signed_audit FORM: audit.eml, the audit log as it is signed
signed_audit() {
  signing audit sign yes form "$1" >/dev/null
  console 'log download audit' >audit.eml
}

# fill LOG LINES WIDTH: so many lines in a log's file, while nobody writes it
fill() {
  "$TOP/harness/appliance" stop "$SERVER_DIR"
  awk -v n="$2" -v w="$3" 'BEGIN {
    for (k = 1; k <= n; k++) {
      s = sprintf("2026-01-01 00:00:00 line %d ", k)
      while (length(s) < w - 1)
        s = s "x"
      print s
    }
  }' >"$SERVER_DIR/logs/$1/current"
  "$TOP/harness/appliance" start "$SERVER_DIR" 3>&-
}

# req: KS-20-064 KS-20-105 KS-20-106 KS-20-118 ESKM-220
@test "A new appliance has a log signing certificate, to be viewed and downloaded" {
  run console 'show log signing certificate'
  assert_success
  assert_line "Certificate Name: logsigner"
  assert_line "Subject: CN=logsigner"
  thumbprint=$(openssl x509 -in cert.pem -noout -fingerprint -sha1)
  assert_line "Thumbprint (SHA-1): ${thumbprint#*=}"
  run console 'show log audit 5'
  assert_line --partial "[admin]: Downloaded Cert logsigner"
}

# req: KS-20-067 KS-20-068 KS-20-069 KS-20-070 KS-20-104 KS-20-109 KS-20-114
# req: KS-20-115 ESKM-219
@test "A multipart log can be read, is a valid mail, and OpenSSL verifies it" {
  signed_audit multipart
  run openssl_says audit.eml cert.pem
  assert_success
  assert_line --partial "[admin]: Downloaded Cert logsigner"
  assert_line "Verification successful"
  run grep -c "Downloaded Cert logsigner" audit.eml
  refute_output 0
  run python3 - audit.eml <<'END'
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"),
                                   policy=email.policy.default)
assert m.get_content_type() == "multipart/signed", m.get_content_type()
assert not m.defects and all(not p.defects for p in m.walk())
text, signature = m.iter_parts()
assert text.get_content_type() == "text/plain"
assert signature.get_content_type() == "application/pkcs7-signature"
open("text", "w", newline="").write(text.get_content().replace("\r\n", "\n"))
open("p7s", "wb").write(signature.get_content())
assert m["Date"].datetime and m["From"].addresses
END
  assert_success
  # the log as it is kept ends with what this test has done since
  console 'show log audit 1000' >kept
  run head -n "$(wc -l <text)" kept
  assert_equal "$output" "$(cat text)"
  # the certificate in the signature
  run bash -c "openssl pkcs7 -inform DER -in p7s -print_certs |
    openssl x509 -noout -fingerprint -sha256"
  assert_output "$(openssl x509 -in cert.pem -noout -fingerprint -sha256)"
}

# req: KS-20-072
@test "An opaque log shows none of its lines, and OpenSSL verifies it" {
  signed_audit opaque
  run ! grep -a -e "Downloaded" -e "admin" audit.eml
  run openssl_says audit.eml cert.pem
  assert_success
  assert_line --partial "[admin]: Downloaded Cert logsigner"
  assert_line "Verification successful"
}

# req: KS-20-110 KS-20-116 ESKM-219
@test "touchstone log verify sees each octet of a signed log that is changed" {
  for form in multipart opaque; do
    signed_audit "$form"
    run touchstone_says audit.eml cert.pem --each-octet
    assert_success
    assert_line --partial "($form)"
    assert_line --regexp "^each of $(stat -c %s audit.eml) octets changed: always seen$"
    thumbprint=$(openssl x509 -in cert.pem -noout -fingerprint -sha1)
    assert_line --partial "thumbprint: SHA-1 ${thumbprint#*=}"
  done
}

# req: KS-20-116
@test "A line that is changed is found by both, and named where the log is there" {
  signed_audit multipart
  sed 's/Downloaded Cert logsigner/Downloaded Cert logsignes/' audit.eml >bad.eml
  run openssl_says bad.eml cert.pem
  assert_failure
  assert_line --partial "Downloaded Cert logsignes"
  assert_line "Verification failure"
  run -1 touchstone_says bad.eml cert.pem
  assert_line "the text was changed: its digest is not the signed one"
  openssl smime -verify -in audit.eml -certfile cert.pem -text -noverify \
    2>/dev/null | tr -d '\r' >log
  line=$(grep -n -m 1 "Downloaded Cert logsigner" log)
  run -1 touchstone_says bad.eml cert.pem --log log
  assert_line --partial "line ${line%%:*} of the log: expected"
  # the signature's value: the end of the last line of base64 but padding
  tac audit.eml | sed '0,/^[A-Za-z0-9+\/]/s/^[A-Za-z0-9+\/]/-/' | tac >bad.eml
  run openssl_says bad.eml cert.pem
  assert_failure
  run -1 touchstone_says bad.eml cert.pem
  run -2 touchstone_says missing.eml cert.pem
  run -2 touchstone_says audit.eml audit.eml
}

# openssl_sees FILE CERTIFICATE STEP: each octet of the log's text, and of the
# signature's value, which ends what is signed; so many
openssl_sees() {
  python3 - "$@" <<'END'
import base64, re, subprocess, sys

path, certificate, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
whole = open(path, "rb").read()
TEXT = rb"(?:2026-01-01 00:00:00 line [^\r\n]*\r?\n)+"
VALUE_OCTETS = 256
body = re.search(rb"(?:[A-Za-z0-9+/]{64}\r?\n)+[A-Za-z0-9+/=]+\r?\n", whole)
der = base64.b64decode(body[0])
end = b"\r\n" if b"\r\n" in body[0] else b"\n"


def in_clear(text):
    return lambda at: text[:at] + bytes([text[at] ^ 1 << at % 8]) + text[at + 1:]


def in_der(at):
    text = base64.b64encode(in_clear(der)(at))
    lines = [text[k:k + 64] for k in range(0, len(text), 64)]
    return whole[:body.start()] + end.join(lines) + end + whole[body.end():]


def is_genuine(mail):
    open("one.eml", "wb").write(mail)
    said = subprocess.run(["openssl", "smime", "-verify", "-in", "one.eml",
        "-nointern", "-certfile", certificate, "-text", "-noverify"],
        capture_output=True)
    return said.returncode == 0


opaque = re.search(TEXT, der)
text = opaque or re.search(TEXT, whole)
places = [(in_der if opaque else in_clear(whole), at)
          for at in range(text.start(), text.end(), step)]
places += [(in_der, at)
           for at in range(len(der) - VALUE_OCTETS, len(der), step)]
assert is_genuine(whole)
unseen = [at for change, at in places if is_genuine(change(at))]
assert not unseen, unseen
print(len(places))
END
}

# Some of the octets, in `make soak` each of them.
# bats test_tags=soak
# req: KS-20-110 KS-20-116 ESKM-219
@test "OpenSSL sees each octet of text and signature that is changed" {
  local form step=37
  [ -z "${SOAK-}" ] || step=1
  fill client-event 2 60
  for form in multipart opaque; do
    signing client-event sign yes form "$form"
    console 'log download client-event' >small.eml
    run openssl_sees small.eml cert.pem "$step"
    assert_success
    [ "$output" -ge $(((120 + 256) / step)) ]
  done
}

# OpenSSL takes a mail's head as it comes; touchstone does not.
@test "What OpenSSL does not look at is looked at" {
  signed_audit multipart
  sed 's/^Subject: Signed log/Subject: Signed LOG/' audit.eml >bad.eml
  run openssl_says bad.eml cert.pem
  assert_success
  run -1 touchstone_says bad.eml cert.pem
  assert_line --partial "line 4 of the file: expected \"Subject: Signed log"
}

# req: KS-20-063 KS-20-066 KS-20-102 KS-20-103 KS-20-112
@test "Logs are signed where that is set, and on their way out only" {
  signing audit sign yes form multipart
  signing system sign no
  run console 'show log signing audit'
  assert_line "Log Settings of the Audit Log"
  assert_line --partial "Sign Log: yes"
  run console 'log download system'
  refute_output --partial "MIME-Version"
  run console 'log download audit'
  assert_line --index 0 --regexp "^MIME-Version: 1.0"
  run console 'show log audit'
  refute_output --partial "MIME-Version"
  signing audit sign no
  run console 'log download audit'
  refute_output --partial "MIME-Version"
}

# The guide's figures: 2098 octets and 1.3864 of each that is signed; here
# within 3 % for lines of 120 octets.
# req: KS-20-074 KS-20-075
@test "An opaque log is as long as the guide says" {
  signing system sign yes form opaque
  for lines in 85 8500; do
    fill system "$lines" 120
    octets=$(stat -c %s "$SERVER_DIR/logs/system/current")
    console 'log download system' >system.eml
    console 'log download system' >system.eml
    octets=$((octets + 100)) # what its start has added, about
    size=$(stat -c %s system.eml)
    want=$((2098 + octets * 13864 / 10000))
    echo "$octets octets: $size, the guide's $want"
    [ "$size" -gt "$octets" ]
    [ $((size - want)) -lt $((want * 3 / 100)) ]
    [ $((want - size)) -lt $((want * 3 / 100)) ]
    run touchstone_says system.eml cert.pem
    assert_success
  done
}

# req: KS-20-076 KS-20-107
@test "After a new certificate old logs verify with the old one only" {
  signed_audit multipart
  cp audit.eml old.eml
  cp cert.pem old.pem
  run console config 'log signing certificate recreate'
  assert_success
  console 'log signing certificate download' >cert.pem
  run ! cmp -s cert.pem old.pem
  signed_audit multipart
  for says in openssl_says touchstone_says; do
    run "$says" old.eml old.pem
    assert_success
    run "$says" audit.eml cert.pem
    assert_success
    run "$says" old.eml cert.pem
    assert_failure
    run "$says" audit.eml old.pem
    assert_failure
  done
  run console 'show log audit 10'
  assert_line --partial "[admin]: Cert logsigner: recreated"
}

# The last one: the appliance is somebody else's then.
# req: KS-20-065 KS-20-076
@test "A reset to factory settings makes another certificate; old logs need the old one" {
  signed_audit multipart
  run console config 'reset factory settings' <<<yes
  assert_success
  "$TOP/harness/appliance" await "$SERVER_DIR" initialized=no >/dev/null
  run bash -c 'printf "%s\n" "" "" "" "" "" "" Canal5%Heron Canal5%Heron \
    admin Canal5%Heron "log signing certificate download" |
    timeout 60 "$1" console "$2"' - "$TOP/build/bin/touchstone-ref" "$SERVER_DIR"
  assert_success
  sed -n '/BEGIN CERT/,/END CERT/p' <<<"$output" >new.pem
  run openssl x509 -in new.pem -noout -subject
  assert_output "subject=CN = logsigner"
  run ! cmp -s new.pem cert.pem
  run openssl_says audit.eml cert.pem
  assert_success
  run openssl_says audit.eml new.pem
  assert_failure
  run touchstone_says audit.eml cert.pem
  assert_success
  run -1 touchstone_says audit.eml new.pem
}

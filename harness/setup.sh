#!/bin/sh
# setup.sh: install what building and testing need, on Debian 12.
#
#   harness/setup.sh          install what is missing; silent when nothing is
#   harness/setup.sh --list   print the packages, one a line
#
# Works as root or through sudo. Runs `apt-get update` only when apt cannot
# find a package that is missing. Exit status 0 means everything is there.
# Plain sh and dpkg-query only: on the machine this is for, nothing else exists
# yet, and `make` runs it before every build, so it must be quick.
set -u

# What each package is for; the one list of them in the project.
packages='
build-essential       compiler, linker, libc headers
pkg-config            tells the compiler where the libraries are
libssl-dev            OpenSSL 3: cryptography, X.509, TLS
openssl               its command line: certificates of test appliances
libsqlite3-dev        the embedded store
sqlite3               its command line: tests look into databases
libevent-dev          the event loop
libxml2-dev           XML encoding, XML cases
libxml2-utils         xmllint: tests read reports
libjansson-dev        JSON lines of the suite
libcrack2-dev         cracklib: which passwords are too easy
cracklib-runtime      its dictionary, which it makes as it is installed
wamerican             English words for that
libssh-dev            SSH, the side of the server
libcurl4-openssl-dev  SCP, SFTP and FTP, the side of the client
openssh-client        foreign witness: ssh
openssh-server        and sshd, sftp-server: hosts that files go to
vsftpd                the same with FTP
libnss-wrapper        and their users, who have no account on this machine
rsyslog               foreign witness: rsyslogd
sshpass               passwords for it, without a terminal
iproute2              ip, in networks that tests have to themselves
expect                a person at a terminal
tmux                  and what the terminal shows then
libp11-kit-dev        PKCS#11 headers
softhsm2              the token that stands in for the HSM
opensc                pkcs11-tool: a second opinion on the token
libengine-pkcs11-openssl   openssl -engine pkcs11: a third
libcmocka-dev         unit tests
bats                  scenario tests
bats-support          bats: output of failures
bats-assert           bats: assertions
bats-file             bats: assertions on files
parallel              bats --jobs
shellcheck            lint of shell and bats
clang                 fuzzing
clang-format          lint of C
libclang-rt-14-dev    sanitizers for clang
python3               iKeys made without our code
python3-pykmip        foreign witness: a KMIP server and client
python3-prometheus-client  foreign witness: a reader of metrics
gdb                   core files, memory scans
curl                  tests of HTTP ports
tzdata                time zones of the appliance
procps                tests look at processes
patch                 mutants
git                   mutants: a scratch copy of the work tree
'

want=$(printf '%s\n' "$packages" | while read -r name _; do
	[ -n "$name" ] && printf '%s\n' "$name"
done)

if [ "${1-}" = --list ]; then
	printf '%s\n' "$want"
	exit 0
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "setup: no dpkg here, so nothing is checked; what is needed:" >&2
	printf '%s\n' "$packages" >&2
	exit 0
fi

# installed NAMES...: those of them that are configured, one a line
# shellcheck disable=SC2016  # ${Package} is dpkg's, not the shell's
installed() {
	dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^ii *//p'
}

missing_of() {
	have=" $(installed "$@" | tr '\n' ' ')"
	for name in "$@"; do
		case "$have" in
		*" $name "*) ;;
		*) printf '%s ' "$name" ;;
		esac
	done
}

# shellcheck disable=SC2086  # words are wanted
missing=$(missing_of $want)
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root="env"
elif command -v sudo >/dev/null 2>&1; then
	as_root="sudo env"
else
	echo "setup: missing: $missing" >&2
	echo "setup: neither root nor sudo; have somebody run:" >&2
	echo "    apt-get install $missing" >&2
	exit 1
fi

apt() {
	# shellcheck disable=SC2086  # "sudo env" is two words
	$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

echo "setup: installing $missing"
# shellcheck disable=SC2086  # words are wanted
if ! apt install --simulate --no-install-recommends $missing \
	>/dev/null 2>&1; then
	echo "setup: apt-get update"
	apt update || exit 1
fi
log=$(mktemp) || exit 1
# shellcheck disable=SC2086  # words are wanted
if ! apt install --yes --no-install-recommends $missing >"$log" 2>&1; then
	# Package lists older than the mirror: fetch them and try once more.
	echo "setup: apt-get update, second try"
	if ! apt update ||
		! apt install --yes --no-install-recommends $missing \
			>"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "setup: could not install $missing" >&2
		exit 1
	fi
fi
rm -f "$log"
# shellcheck disable=SC2086  # words are wanted
missing=$(missing_of $want)
if [ -n "$missing" ]; then
	echo "setup: still missing: $missing" >&2
	exit 1
fi
echo "setup: done"

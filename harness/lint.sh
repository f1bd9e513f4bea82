#!/usr/bin/env bash
# lint.sh [DIR]: the house rules that a machine can check.
#
# Layout (clang-format), shell (shellcheck), who may include whom, one door for
# each library, and a few words that have no business here. Prints each
# offence as FILE:LINE: RULE: text, then "N passed, N failed", counted in
# rules. spec-tests/lint.bats plants an offence against every rule.
set -u

root=${1:-$(dirname "$0")/..}
cd "$root" || exit 1

# The doors. A library's header, or a function of libc, is used in the files
# of its row and nowhere else, so its ownership rules and quirks are learned
# once and replacing it is one file's work.
#
#   rule      header: <prefix> or call: name   the files; ! on tests: them too
doors() {
	sed -e 's/#.*//' -e '/^[ \t]*$/d' <<'END'
sqlite    header:sqlite3.h     ref/store/store.c ref/store/vfs.c tests harness/bench/*
libxml    header:libxml/       ref/wire/xml.c harness/touchstone/xml.c harness/bench/*
pkcs11    header:p11-kit/      ref/crypto/hsm_pkcs11.c hsm-sim/* harness/pkcs11/* harness/bench/* harness/robust/apps.c spec-tests/pkcs11/* spec-tests/keyscaler.c
pkcs11    header:pkcs11        ref/crypto/hsm_pkcs11.c hsm-sim/* harness/pkcs11/* harness/bench/* harness/robust/apps.c spec-tests/pkcs11/* spec-tests/keyscaler.c
libevent  header:event2/       ref/base/loop.c ref/net/http_port.c
libevent  header:event.h       ref/base/loop.c ref/net/http_port.c
openssl   header:openssl/      ref/crypto/* ref/net/tls.c ref/base/secret.c ped-sim/ikey/crypt.c ped-sim/link/channel.c hsm-sim/card/seal.c hsm-sim/token/pad.c harness/touchstone/tls.c harness/touchstone/x509.c harness/touchstone/log_rig_test.h harness/release/sign.c ref/device/package_rig_test.h harness/bench/* tests
jansson   header:jansson.h     harness/touchstone/json.c
cracklib  header:crack.h       ref/device/password.c
libssh    header:libssh/       ref/cli/ssh.c ref/cli/ssh_peer_test.h
libcurl   header:curl/         ref/device/transfer_work.c
heap      call:malloc          ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:calloc          ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:realloc         ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:reallocarray    ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:free            ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests harness/touchstone/json.c  # jansson's blocks
heap      call:strdup          ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:strndup         ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:asprintf        ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
heap      call:vasprintf       ref/base/mem.c harness/touchstone/mem.c harness/bench/* tests
clock     call:time            ref/base/env.c harness/*
clock     call:gettimeofday    ref/base/env.c harness/*
clock     call:clock_gettime   ref/base/env.c ref/base/loop.c ref/base/loop_test.c harness/*  # the loop waits so long for its threads; what a turn costs
zone      call:localtime       ref/device/clock.c
zone      call:localtime_r     ref/device/clock.c harness/*
zone      call:mktime          -
zone      call:tzset           ref/device/clock.c
zone      call:putenv          ref/device/clock.c  # its own TZ
entropy   call:getrandom       ref/base/env.c harness/*
entropy   call:getentropy      ref/base/env.c harness/*
entropy   call:random          ref/base/env.c
entropy   call:rand            ref/base/env.c
entropy   call:RAND_bytes      ref/base/env.c harness/*
entropy   call:RAND_priv_bytes ref/crypto/random.c harness/*
sleep     call:sleep           -
sleep     call:usleep          -
sleep     call:nanosleep       harness/touchstone/* ref/store/vfs.c
END
}

# Who may include whom in ref/, and in the simulated hardware: itself and what
# stands above it. Of the dispatchers none sees another. Of ref/ the hardware
# sees base only, and the server nothing of the hardware.
layers() {
	cat <<'END'
base     -
wire     base
model    base wire
crypto   base wire model
store    base wire model crypto
device   base wire model crypto store
ikey     base
link     base ikey
ped      base ikey link
card     base ikey link
token    base card
rpc      base card token
lunacm   base card
kmip     base wire model crypto store device
nae      base wire model crypto store device
cli      base wire model crypto store device
net      base wire model crypto store device kmip nae cli
END
}

list() {
	find . -name .git -prune -o -path ./build -prune -o -type f "$@" -print |
		sed 's|^\./||' | LC_ALL=C sort
}

c_files() { list '(' -name '*.c' -o -name '*.h' -o -name '*.def' ')'; }
# shellcheck disable=SC2016  # the inner shell's own $1
shell_files() {
	list '(' -name '*.sh' -o -name '*.bash' -o -name '*.bats' ')'
	# Programs and adapters without an ending say what they are.
	list '!' -name '*.*' -perm -100 -exec sh -c '
		head -n 1 "$1" | grep -Eq "^#!.*[/ ](ba|da)?sh( |$)"' sh {} ';'
	[ -f .ci/run ] && echo .ci/run
}

# ---------------------------------------------------------------------------
# C: includes, doors, words. One pass of awk over all files; comments and
# strings are taken out of a line before calls are looked for.

# shellcheck disable=SC2016  # awk's own $1
c_rules() {
	c_files | tr '\n' '\0' | xargs -0 -r awk '
	FILENAME == doors {
		n++
		rule[n] = $1
		kind[n] = $2; sub(/:.*/, "", kind[n])
		what[n] = $2; sub(/^[a-z]*:/, "", what[n])
		for (i = 3; i <= NF; i++)
			holders[n] = holders[n] " " $i
		next
	}
	FILENAME == layers {
		above[$1] = " " $1
		for (i = 2; i <= NF; i++)
			above[$1] = above[$1] " " $i
		above[$1] = above[$1] " "
		next
	}
	FNR == 1 {
		in_comment = 0
		split(FILENAME, dir, "/")
		is_test = FILENAME ~ /_(test|fuzz)\.c$/
		for (i = 1; i <= n; i++)
			holds[i] = may_open(holders[i])
	}
	function may_open(files,   list, m, j, re) {
		m = split(files, list, " ")
		for (j = 1; j <= m; j++) {
			if (list[j] == "tests" && is_test)
				return 1
			re = list[j]
			gsub(/\./, "\\.", re)
			gsub(/\*/, ".*", re)
			if (FILENAME ~ "^" re "$")
				return 1
		}
		return 0
	}
	function offence(name, text) {
		printf "%s:%d: %s: %s\n", FILENAME, FNR, name, text
	}
	# The line without comments and strings.
	function code_of(s,   out, at, two) {
		out = ""
		while (s != "") {
			if (in_comment) {
				at = index(s, "*/")
				if (!at)
					return out
				s = substr(s, at + 2)
				in_comment = 0
				continue
			}
			if (!match(s, /\/\*|\/\/|"|\x27/))
				return out s
			out = out substr(s, 1, RSTART - 1)
			two = substr(s, RSTART, 2)
			s = substr(s, RSTART)
			if (two == "/*") {
				in_comment = 1
				s = substr(s, 3)
			} else if (two == "//") {
				return out
			} else if (match(s, /^"(\\.|[^"\\])*"/) ||
				match(s, /^\x27(\\.|[^\x27\\])*\x27/)) {
				out = out "@"
				s = substr(s, RLENGTH + 1)
			} else
				return out
		}
		return out
	}

	/(TODO|FIXME)/ && !/(TODO|FIXME)\((KSC?|ESKM|VLT|issue)[- ][0-9A-Za-z-]+\)/ {
		offence("todo", "a TODO names what it waits for: TODO(KS-15-014)")
	}

	/^[ \t]*#[ \t]*include/ {
		name = $0
		sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
		quoted = name ~ /^"/
		gsub(/[<>"]/, "", name)
		sub(/[ \t].*/, "", name)
		for (i = 1; i <= n; i++)
			if (kind[i] == "header" && !holds[i] &&
				index(name, what[i]) == 1)
				offence(rule[i], "<" name "> has another door:" holders[i])
		top = name
		sub(/\/.*/, "", top)
		if (quoted && index(name, ".."))
			offence("include", "paths start at the side, not at \"..\"")
		else if (quoted && dir[3] != "" && (dir[1] == "ref" ||
			dir[1] ~ /^(hsm|ped)-sim$/ && dir[2] in above)) {
			if (index(name, "/") && !(top in above))
				offence("include", "\"" name "\" is not of " dir[1] "/")
			else if (index(name, "/") && !index(above[dir[2]], " " top " "))
				offence("include", dir[2] "/ may not see " top "/")
		} else if (quoted && dir[1] !~ /^(ref|hsm-sim|ped-sim)$/ && index(name, "/") &&
			(top in above || top == "ref"))
			offence("sides", "\"" name "\" is the server" "\x27" "s; the suite has its own")
		next
	}
	{
		# what is too long is wrapped without the blank, and a column of
		# a table becomes prose
		if (in_comment && /^[ \t]*\*[^ \t\/*]/)
			offence("comment", "wrapped by clang-format: write it anew")
		code = code_of($0)
		if (code ~ /^[ \t]*typedef[ \t]+(struct|union)/)
			offence("typedef", "structs are not typedef\x27d")
		for (i = 1; i <= n; i++) {
			if (kind[i] != "call" || holds[i] || !index(code, what[i]))
				continue
			if (code ~ "(^|[^A-Za-z0-9_.>])" what[i] "[ \t]*\\(")
				offence(rule[i], what[i] "() has another door:" holders[i])
		}
	}' doors="$1" layers="$2" "$1" "$2"
}

# Records of the store: the kind stands in a name that has "kind" in it, and its
# word in a row of the table of what backups consist of, which says of which
# item it is, or why of none. So no new one is forgotten.
# shellcheck disable=SC2016  # awk's own $1
kind_rules() {
	list -path './ref/*' -name '*.[ch]' ! -name '*_test.[ch]' \
		! -name '*_fuzz.c' | tr '\n' '\0' | xargs -0 -r awk '
	function offence(text) {
		printf "%s:%d: kind: %s\n", FILENAME, FNR, text
	}
	BEGIN {
		table = "ref/device/backup_item.def"
		while ((getline line <table) > 0)
			if (line ~ /^KIND\("/) {
				gsub(/^KIND\("|".*$/, "", line)
				row[line]
			}
	}
	FNR == 1 { call = "" }
	/^#[ \t]*define[ \t]+([A-Z]+_)*KIND(_[A-Z]+)*[ \t]+"/ ||
	/^(static )?const char ([a-z]+_)*kind(_[a-z]+)*\[\] = "/ {
		word = $0
		gsub(/^[^"]*"|".*$/, "", word)
		if ($0 !~ /BACKUP_KIND_/ && !(word in row)) # rows, not records
			offence("\"" word "\" has no row in " table)
	}
	/[^a-z_]record_put\(/ {
		call = " "
		sub(/.*record_put\(/, "")
	}
	call != "" {
		call = call $0
		if (split(call, given, ",") < 3)
			next
		if (given[2] !~ /kind/ && given[2] !~ /KIND/ || given[2] ~ /"/)
			offence("a record\x27s kind has a name with \"kind\" in it")
		call = ""
	}'
}

# Shell: what shellcheck does not know. A test waits for an event, never for a
# time.
shell_rules() {
	shell_files | tr '\n' '\0' | xargs -0 -r awk '
	function offence(name, text) {
		printf "%s:%d: %s: %s\n", FILENAME, FNR, name, text
	}
	/^[ \t]*#/ && !/(TODO|FIXME)/ { next }
	/(TODO|FIXME)/ && !/(TODO|FIXME)\((KSC?|ESKM|VLT|issue)[- ][0-9A-Za-z-]+\)/ &&
		FILENAME !~ /lint\.(sh|bats)$/ {
		offence("todo", "a TODO names what it waits for: TODO(KS-15-014)")
	}
	/(^|[;&|({]|do|then|else)[ \t]*sleep[ \t]/ && /sleep[ \t]+[0-9.$"]/ {
		offence("sleep", "wait for an event, not for a time")
	}
	/[ \t]$/ { offence("blank", "a blank at the end of the line") }'
}

layout() {
	list '(' -name '*.c' -o -name '*.h' ')' | tr '\n' '\0' |
		xargs -0 -r -n 16 -P "${JOBS:-2}" \
			clang-format-14 --dry-run -Werror 2>&1 |
		sed -n 's/^\([^ :]*\):\([0-9]*\):[0-9]*: error: .*/\1:\2: format: not as clang-format has it/p' |
		sort -u -t : -k 1,1
}

shell() {
	shell_files | sort -u | tr '\n' '\0' |
		xargs -0 -r -n 8 -P "${JOBS:-2}" shellcheck -f gcc |
		sed 's/^\([^:]*:[0-9]*\):[0-9]*: /\1: shellcheck: /'
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
doors >"$tmp/doors"
layers >"$tmp/layers"
if [ -z "$(c_files)$(shell_files)" ]; then
	echo "lint: nothing to look at in $PWD"
	echo "0 passed, 1 failed"
	exit 1
fi
{
	c_rules "$tmp/doors" "$tmp/layers"
	shell_rules
	kind_rules
	layout
	shell
} >"$tmp/offences"
LC_ALL=C sort -t : -k 1,1 -k 2,2n "$tmp/offences"
{
	cut -d ' ' -f 1 "$tmp/doors"
	printf '%s\n' include sides todo comment typedef kind blank format \
		shellcheck
} | LC_ALL=C sort -u | awk '
FILENAME != "-" { split($0, field, ": "); broken[field[2]] = 1; next }
{ rules++; known[$1] = 1; if ($1 in broken) failed++; else passed++ }
END {
	for (r in broken)
		if (!(r in known))
			failed++ # a finding must not be lost for its name
	printf "%d passed, %d failed\n", passed, failed
	exit failed != 0
}' "$tmp/offences" -

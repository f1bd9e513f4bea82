#!/usr/bin/env bash
# torture.sh PROGRAM...: fail the 1st, 2nd, 3rd ... allocation of each cmocka
# program in turn, until one run is over before its turn came.
#
# A test that fails because it got ERR_NOMEM is no finding; the library's
# clean-up is what is looked at. A finding is a crash, a hang, a report of
# ASan or UBSan, or a leak. Since a failed assertion leaves the test without
# its own clean-up, a leak counts only when the block was allocated in the
# very call from the test in which the allocation was refused: the stack
# frames in the test's own file are equal, address by address. What the test
# held from earlier calls does not count, nor what hangs on it: of leaks that
# lead to others only the first, direct one is looked at.
#
# Each of the first 200 allocations is tried, then every 2nd, every 3rd ...:
# the stride is n / 200, so that ten thousand allocations cost about a thousand
# runs. TORTURE_STEP=100 strides sooner. JOBS programs run at a time.
set -u

# test_ranges PROGRAM: the addresses of the test's own file, "first last" in
# 16 digits each. It is the first file of the program that has code.
test_ranges() {
	readelf --debug-dump=aranges "$1" | awk '
	/Offset into/ { if (found) exit }
	/^ +[0-9a-f]+ [0-9a-f]+ *$/ && $2 !~ /^0+$/ { found = 1; print $1, $2 }' |
		while read -r first octets; do
			printf '%016x %016x\n' "$((16#$first))" \
				"$((16#$first + 16#$octets))"
		done
}

# finding RANGES LOG STATUS: print what is wrong with a run, if anything
finding() {
	awk -v status="$3" '
	FNR == NR { first[++ranges] = $1; last[ranges] = $2; next }
	# A frame: "    #2 0x55d1... (/path/x_test+0x37fd) test_x x_test.c:8"
	function test_frame(s,   at, i) {
		if (!match(s, /_test\+0x[0-9a-f]+\)/))
			return 0
		at = substr(s, RSTART + 8, RLENGTH - 9)
		at = substr("0000000000000000" at, length(at) + 1)
		for (i = 1; i <= ranges; i++)
			if (at >= first[i] "" && at < last[i] "")
				return 1
		return 0
	}
	/^torture: refused/ { taking = "refused"; next }
	/Direct leak of / { judge(); leak = $0; taking = "leak"; next }
	/^ *#[0-9]+ / && taking != "" {
		if (test_frame($0)) {
			line = $0
			sub(/^ *#[0-9]+ /, "    ", line)
			trace_of[taking] = trace_of[taking] line "\n"
		} else if (trace_of[taking] != "")
			taking = "" # past the test: how far we see varies
		else
			inner[taking] = inner[taking] $0 "\n"
		next
	}
	/^$/ { taking = "" }
	/runtime error:|ERROR: AddressSanitizer|DEADLYSIGNAL/ { bad = $0 }
	function judge() {
		if (leak != "" && trace_of["leak"] == trace_of["refused"])
			leaks = leaks leak "\n" inner["leak"] trace_of["leak"]
		leak = trace_of["leak"] = inner["leak"] = ""
	}
	END {
		judge()
		if (bad != "")
			print bad
		else if (status >= 124)
			print "status " status (status == 124 ? ": hangs" : "")
		else if (leaks != "")
			printf "leaked by the refused call:\n%s", leaks
	}' "$1" "$2"
}

# refuse N [OPTIONS]: one run of $program, its Nth allocation refused
refuse() {
	local dir
	dir=$(mktemp -d) || exit 1
	status=0
	ASAN_OPTIONS=$ASAN_OPTIONS:${2-symbolize=0} TMPDIR=$dir \
		TORTURE_NTH=$1 timeout -k 5 60 "$program" >"$log" 2>&1 ||
		status=$?
	rm -rf "$dir"
}

run_one() {
	local program=$1 log=$1.torture.log n=1 runs=0 found=0 status what
	test_ranges "$program" >"$program.ranges"
	while refuse "$n"; grep -q '^torture: refused' "$log"; do
		runs=$((runs + 1))
		what=$(finding "$program.ranges" "$log" "$status")
		if [ -n "$what" ]; then
			found=$((found + 1))
			# Once more, with names: that costs seven times as much.
			refuse "$n" symbolize=1
			printf '  FAIL TORTURE_NTH=%d %s\n%s\n' "$n" \
				"$program" \
				"$(finding "$program.ranges" "$log" "$status")"
			[ "$found" -ge 5 ] && break
		fi
		n=$((n + 1 + n / ${TORTURE_STEP:-200}))
	done
	# The last run refused nothing: it must be as clean as make asan.
	if [ "$found" -eq 0 ] && [ "$status" -ne 0 ]; then
		found=1
		refuse 0 symbolize=1
		sed 's/^/    /' "$log"
		echo "  FAIL $program: status $status with nothing refused"
	fi
	[ "$found" -eq 0 ] && printf '  ok   %-52s %5d refusals\n' \
		"${program#build/}" "$runs"
	echo "$runs $found" >"$program.count"
}

export ASAN_OPTIONS="handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:detect_leaks=1:stack_trace_format='    #%n %p (%m+%o) %F %L'"
export UBSAN_OPTIONS="print_stacktrace=1"
export -f run_one refuse finding test_ranges

if [ $# -eq 0 ]; then
	echo "torture: no test chosen"
	echo "0 passed, 1 failed"
	exit 1
fi
rm -f "${@/%/.count}"
# shellcheck disable=SC2016  # the inner shell's $1
printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-2}" bash -c 'run_one "$1"' torture
cat "${@/%/.count}" | awk -v programs=$# '
{ runs += $1; found += $2 > 0; clean += $2 == 0 }
END {
	found += programs - NR
	printf "torture: %d allocations refused\n%d passed, %d failed\n", runs,
		clean, found
	exit !(found == 0 && runs > 0)
}'

#!/usr/bin/env bash
# torture.sh PROGRAM...: fail the 1st, 2nd, 3rd ... allocation of each cmocka
# program in turn, until one run is over before its turn came.
#
# A test that fails because it got ERR_NOMEM is no finding; what the library
# does then is looked at. A finding is a crash, a hang, a report of ASan or
# UBSan, a broken assert(), or a leak. Leaks are looked for at the failed
# assertion of the test, not after it: the test then still holds what it was
# given, and what nobody holds has been lost by the library. cmocka aborts
# there (CMOCKA_TEST_ABORT), and mem.c, built with -DTORTURE, takes it from
# there. The variant is built without optimisation, so that what a test holds
# is really there.
#
# A set-up function that returns -1 loses what it had so far, and cmocka goes
# on: such a run is not searched for leaks. One that asserts is.
#
# Each of the first 50 allocations is tried, then every 2nd, every 3rd ...: the
# stride is n / 50, so that a thousand allocations cost about 200 runs. A
# program that takes longer than 2 s strides sooner, down to n / 8, and it is
# printed. TORTURE_STEP=1000 strides later. JOBS programs run at a time.
#
# A program may allocate nothing: it is run once, and has to be clean.
#
# The walks over all OASIS cases are left out: once for each of so many
# allocations they would take as long as all else together.
#
# What the tests sync they sync to memory: no power fails here.
set -u
export OASIS='' TMPDIR=${TMPDIR:-/dev/shm}

# finding LOG STATUS: print what is wrong with a run, if anything
finding() {
	local report='[A-Za-z]*Sanitizer'
	grep -q 'Test setup failed' "$1" && report=AddressSanitizer
	sed -En -e "/ERROR: $report/,\$p" \
		-e '/runtime error:|DEADLYSIGNAL|Assertion .* failed/,$p' "$1"
	if [ "$2" -eq 124 ]; then
		echo "hangs"
	elif [ "$2" -gt 124 ]; then
		echo "status $2"
	fi
}

# refuse N [OPTIONS]: one run of $program, its Nth allocation refused
refuse() {
	local dir
	dir=$(mktemp -d) || exit 1
	status=0
	ASAN_OPTIONS=$ASAN_OPTIONS:${2-symbolize=0} TMPDIR=$dir \
		TORTURE_NTH=$1 CMOCKA_TEST_ABORT=1 \
		timeout -k 5 60 "$program" >"$log" 2>&1 ||
		status=$?
	rm -rf "$dir"
}

# is_built_for_it PROGRAM: what it allocates can be refused
is_built_for_it() {
	nm "$1" | awk '$3 == "mem_zalloc" { allocates = 1 }
		$3 == "mem_torture" { refuses = 1 }
		END { exit allocates && !refuses }'
}

# find_step: what n is divided by for $program
find_step() {
	local start=$EPOCHREALTIME ms
	refuse 0
	ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	step=$((100000 / (ms + 1)))
	[ "$step" -le 50 ] || step=50
	[ "$step" -ge 8 ] || step=8
	step=${TORTURE_STEP:-$step}
}

run_one() {
	local program=$1 log=$1.torture.log n=1 runs=0 found=0 status what again step
	if ! is_built_for_it "$program"; then
		echo "  FAIL $program: not built with -DTORTURE"
		echo "0 1" >"$program.count"
		return
	fi
	find_step
	while refuse "$n"; grep -q '^torture: refused' "$log"; do
		runs=$((runs + 1))
		what=$(finding "$log" "$status")
		if [ -n "$what" ]; then
			found=$((found + 1))
			# Once more, with names: that costs seven times as much.
			refuse "$n" symbolize=1
			again=$(finding "$log" "$status")
			printf '  FAIL TORTURE_NTH=%d %s\n%s\n' "$n" \
				"$program" "$(head -n 40 <<<"${again:-$what}")"
			[ "$found" -ge 5 ] && break
		fi
		n=$((n + 1 + n / step))
	done
	# The last run refused nothing: it must be as clean as make asan.
	if [ "$found" -eq 0 ] && [ "$status" -ne 0 ]; then
		found=1
		refuse 0 symbolize=1
		sed 's/^/    /' "$log"
		echo "  FAIL $program: status $status with nothing refused"
	fi
	[ "$found" -eq 0 ] && printf '  ok   %-52s %5d refusals%s\n' \
		"${program#build/}" "$runs" \
		"$([ "$step" -eq 50 ] || echo ", stride n / $step")"
	echo "$runs $found" >"$program.count"
}

export ASAN_OPTIONS="handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:detect_leaks=1"
export UBSAN_OPTIONS="print_stacktrace=1"
export -f run_one is_built_for_it find_step refuse finding

if [ $# -eq 0 ]; then
	echo "torture: no test chosen"
	echo "0 passed, 1 failed"
	exit 1
fi
echo "left out: the walks over all OASIS cases"
rm -f "${@/%/.count}"
# shellcheck disable=SC2016  # the inner shell's $1
printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-2}" bash -c 'run_one "$1"' torture
cat "${@/%/.count}" | awk -v programs=$# '
{ runs += $1; found += $2 > 0; clean += $2 == 0 }
END {
	found += programs - NR
	printf "torture: %d allocations refused\n%d passed, %d failed\n", runs,
		clean, found
	exit !(found == 0 && clean > 0)
}'

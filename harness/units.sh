#!/usr/bin/env bash
# units.sh VARIANT PROGRAM...: run cmocka programs, each in its own directory.
#
# JOBS programs run at a time (2 unless told). Each gets TMPDIR of its own and
# prints TAP into PROGRAM.log; a line per program goes to standard output, and
# the log of each that failed. Ends with "N passed, N failed"; a program that
# died, or ran fewer tests than it planned, counts as failed; so does a run of
# no tests at all.
set -u

# verdict LOG STATUS: "passed failed skipped" of one program's TAP
verdict() {
	awk -v status="$2" '
	/^1\.\.[0-9]+/ { plan = substr($1, 4) }
	/^(not )?ok .*# *SKIP/ { skipped++; next } # cmocka says "not ok"
	/^ok / { passed++ }
	/^not ok / { failed++ }
	END {
		# A crash leaves the plan unfulfilled: the test that was running
		# is the one that failed.
		if (status != 0 && !failed || plan != passed + failed + skipped)
			failed++
		if (!plan)
			failed += !failed
		print passed + 0, failed + 0, skipped + 0
	}' "$1"
}

run_one() {
	local program=$1 log=$1.log dir status=0 passed failed skipped
	local start=$EPOCHREALTIME ms
	dir=$(mktemp -d) || exit 1
	TMPDIR=$dir CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 \
		"${UNIT_SECS:-120}" "$program" >"$log" 2>&1 || status=$?
	rm -rf "$dir"
	ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	read -r passed failed skipped < <(verdict "$log" "$status")
	# A finding of a sanitizer fails a program whatever its tests say.
	if [ "$failed" -gt 0 ]; then
		sed 's/^/    /' "$log"
		echo "FAIL $program: status $status, $failed failed," \
			"log $log" | sed 's/^/  /'
	else
		printf '  ok   %-52s %4d tests %6d ms%s\n' "${program#build/}" \
			"$passed" "$ms" \
			"$([ "$skipped" -gt 0 ] && echo ", $skipped skipped")"
	fi
	echo "$passed $failed" >"$program.count"
}

# The sanitizers' handlers stay in place: cmocka would turn a crash into a
# failed test and lose the report.
export ASAN_OPTIONS="handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:abort_on_error=0:detect_leaks=1:strict_string_checks=1:suppressions=$PWD/harness/asan.supp:detect_stack_use_after_return=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export -f run_one verdict

variant=$1
shift
if [ $# -eq 0 ]; then
	echo "units: no test chosen"
	echo "0 passed, 1 failed"
	exit 1
fi
rm -f "${@/%/.count}"
# shellcheck disable=SC2016  # the inner shell's $1
printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-2}" bash -c 'run_one "$1"' units
cat "${@/%/.count}" | awk -v variant="$variant" -v programs=$# '
{ passed += $1; failed += $2 }
END {
	failed += programs - NR
	printf "%s: %d programs\n%d passed, %d failed\n", variant, programs,
		passed, failed
	exit !(failed == 0 && passed > 0)
}'

#!/usr/bin/env bash
# check.sh [T]: the project's own tests; what stands behind `make check`.
#
# Runs the stages one after the other, prints seconds and counts of each, and
# ends with the plain line "N passed, N failed". A stage that ran no test has
# failed. T chooses one thing: a unit (ref/wire/ttlv), a bats suite
# (spec-tests/lint or a folder of them), else a case of the conformance run by
# its id or a glob of ids.
#
# With CI=true a test that a foreign witness did not take part in is a
# failure: bats tests skip with a reason that starts with "witness".
set -u

cd "$(dirname "$0")/.." || exit 1
out=build/check
rm -rf "$out"
mkdir -p "$out"
passed=0
failed=0

# stage NAME COMMAND...: run it, log it, count it. Its last line
# "N passed, N failed" counts; a failure without one counts as one.
stage() {
	local name=$1 log=$out/$1.log status=0 p=0 f=0 start=$SECONDS
	shift
	printf '== %-12s ' "$name"
	"$@" >"$log" 2>&1 || status=$?
	read -r p f < <(sed -n \
		's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "$log" |
		tail -n 1)
	p=${p:-0}
	f=${f:-0}
	if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$p" -eq 0 ]; }; then
		f=1
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	printf '%5d passed %4d failed %4d s\n' "$p" "$f" $((SECONDS - start))
	if [ "$f" -ne 0 ]; then
		# what failed, however much came after it
		awk '/^not ok/ { print; n = 12; next } !/^#/ { n = 0 }
		n-- > 0' "$log"
		tail -n 100 "$log"
		echo "   status $status, whole log: $log"
	fi
}

# suites PATH...: bats files and folders, counted. They wait more than they
# compute: two at a time for each core.
suites() {
	local tap=$out/bats.tap
	bats --jobs "$((2 * ${JOBS:-2}))" --timing --formatter tap --recursive "$@" |
		tee "$tap"
	awk -v ci="${CI-}" '
	/^1\.\./ { plan = substr($1, 4) }
	/^not ok / { failed++; next }
	/^ok .* # skip( |$)/ {
		skipped++
		if (ci == "true" && / # skip witness/) {
			print "not run, and in CI that is a failure: " $0
			failed++
		}
		next
	}
	/^ok / { passed++ }
	END {
		if (!plan || plan != passed + failed + skipped && !failed)
			failed++
		printf "%d skipped\n%d passed, %d failed\n", skipped, passed,
			failed
		exit failed != 0
	}' "$tap"
}

# The slowest tests, so that nobody has to look for them.
slowest() {
	sed -n 's/^ok [0-9]* \(.*\) in \([0-9]*\)ms$/\2 ms  \1/p' \
		"$out/bats.tap" | sort -rn | head -n 5 | sed 's/^/   /'
}

units_of() { # VARIANT
	harness/units.sh "$1" "${unit_programs[@]/#/build/$1/}"
}

mapfile -t unit_programs < <(find ref harness/touchstone -name '*_test.c' |
	sed 's/\.c$//' | LC_ALL=C sort)

choose() {
	local t=${1%/}
	t=${t%.c}
	if [ -f "${t%_test}_test.c" ]; then
		unit_programs=("${t%_test}_test")
		stage units units_of debug
	elif [ -e "$t" ] || [ -f "$t.bats" ]; then
		[ -e "$t" ] || t=$t.bats
		stage bats suites "$t"
	elif [[ $t == @(ref|harness|spec-tests)/* ]]; then
		echo "check: there is no $t"
		failed=1
	else
		stage conformance harness/conformance.sh --only "$t"
	fi
	[ "$failed" -gt 0 ] || cat "$out"/*.log
}

if [ -n "${1-}" ]; then
	choose "$1"
else
	stage lint harness/lint.sh
	stage trace harness/trace.sh
	stage units units_of debug
	stage asan units_of asan
	stage bats suites spec-tests
	slowest
	stage conformance harness/conformance.sh
	stage asan-smoke harness/asan-smoke.sh
fi
echo "$SECONDS s"
echo "$passed passed, $failed failed" | tee "$out/summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

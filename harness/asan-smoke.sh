#!/usr/bin/env bash
# asan-smoke.sh [OPTION...]: a conformance run in which server and tool watch
# their own memory: both are of the variant asan. A report of ASan, UBSan or
# LeakSanitizer, from either of them, is a failure like any wrong answer.
#
# Options choose cases, as those of `touchstone run` do; without any it is one
# version of 1.x, one of 2.x, their mutations, some encodings and
# conversations of NAE-XML.
#
#   OASIS           folder of the OASIS test cases (none)
#   REPORT          folder of the report (build/asan/report)
#   TOUCHSTONE_REF  another server (build/asan/touchstone-ref)
set -u

cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- --only '*1.2' --only '*2.0' --only 'ttlv/tr*' \
	--only 'nae/framing/*' --only 'nae/batch/*' --only 'nae/data/s*'
found=$(mktemp -d) || exit 1
trap 'rm -rf "$found"' EXIT
export ASAN_OPTIONS="log_path=$found/report:detect_leaks=1"
ASAN_OPTIONS+=":strict_string_checks=1:suppressions=$PWD/harness/asan.supp:detect_stack_use_after_return=1"
export UBSAN_OPTIONS="log_path=$found/report:print_stacktrace=1"
export TOUCHSTONE_TOOL=build/asan/touchstone OASIS="${OASIS-}"
export TOUCHSTONE_REF="${TOUCHSTONE_REF:-$PWD/build/asan/touchstone-ref}"

status=0
REPORT=${REPORT:-build/asan/report} harness/conformance.sh --quiet "$@" \
	>"$found/run" 2>&1 || status=$?
cat "$found/run"
read -r passed failed < <(sed -n \
	's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "$found/run" |
	tail -n 1)
passed=${passed:-0}
failed=${failed:-0}
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
for report in "$found"/report.*; do
	[ -e "$report" ] || continue
	failed=$((failed + 1))
	cat "$report"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

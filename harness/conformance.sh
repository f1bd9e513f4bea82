#!/usr/bin/env bash
# conformance.sh [OPTION...]: run the suite against a server and say where the
# report is. Options go to `touchstone run` as they are (--only GLOB ...).
#
#   TARGET   target file of a server that runs already; without it a fresh
#            reference appliance is started for this run and stopped after it,
#            in real time, as a product would run: card, PED and server
#   OASIS    folder of the OASIS test cases, which are not ours to ship;
#            ../shared/vectors/oasis when that exists
#   WAIVERS  file of waivers
#   REPORT   folder of the report (build/report)
#   TOUCHSTONE_TOOL, TOUCHSTONE_REF
#            the programs: the tool (build/bin/touchstone), the server
#
# Exit status: that of the tool. 0 conforms, 1 does not, 2 could not tell.
set -u

cd "$(dirname "$0")/.." || exit 2
tool=${TOUCHSTONE_TOOL:-build/bin/touchstone}
report=${REPORT:-build/report}
oasis=${OASIS-../shared/vectors/oasis}
target=${TARGET-}
dir=

# A server that has to be killed is nothing to be sure of.
# shellcheck disable=SC2317  # a trap's
finish() {
	local status=$?
	harness/appliance stop "$dir" || status=2
	rm -rf "$dir"
	exit "$status"
}

if [ ! -x "$tool" ]; then
	echo "conformance: $tool is not built: make" >&2
	exit 2
fi
if [ -z "$target" ]; then
	dir=$(mktemp -d) || exit 2
	trap finish EXIT
	trap 'exit 2' INT TERM
	if ! APPLIANCE_TEMPLATE=$(harness/template.sh --card 2>"$dir.log") ||
		! APPLIANCE_TEMPLATE=$APPLIANCE_TEMPLATE \
			harness/appliance start "$dir" --card --real-time \
			>"$dir.log" 2>&1; then
		cat "$dir.log" >&2
		rm -f "$dir.log"
		echo "conformance: the reference appliance did not start" >&2
		exit 2
	fi
	rm -f "$dir.log"
	if ! harness/appliance users "$dir"; then
		echo "conformance: what cases of NAE-XML take was not made" >&2
		exit 2
	fi
	target=$dir/target.conf
fi

args=(run --target "$target" --report "$report")
for folder in vectors/kmip vectors/ttlv vectors/nae; do
	[ -d "$folder" ] && args+=(--vectors "$folder")
done
if [ -n "$oasis" ] && [ -d "$oasis" ]; then
	args+=(--vectors "$oasis")
else
	echo "OASIS: not run (OASIS=DIR names the folder of the test cases)"
fi
[ -n "${WAIVERS-}" ] && args+=(--waivers "$WAIVERS")
status=0
"$tool" "${args[@]}" "$@" || status=$?
[ -d "$report" ] && echo "report: $(realpath "$report")" >&2
exit "$status"

#!/usr/bin/env bash
# template.sh [--card]: print the directory of a template of an appliance, for
# APPLIANCE_TEMPLATE, made by the programs that are built now.
#
# Made once, whoever asks first; another for each build of the programs that
# have a part in it (TOUCHSTONE_REF and the others of harness/appliance), and for
# other keys of packages.
set -eu

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
bin=$top/build/bin
programs=("${TOUCHSTONE_REF:-$bin/touchstone-ref}"
	"${RELEASE_KEYS:-$top/build/release}"/{trust,licence})
if [ "${1-}" = --card ]; then
	programs+=("${HSMCARDD:-$bin/hsmcardd}" "${PEDSIM:-$bin/pedsim}"
		"${HSM_SIM_MODULE:-$bin/libhsm-sim.so}")
fi
template=$top/build/template/$(stat -L -c %i.%Y "${programs[@]}" |
	paste -s -d -)
mkdir -p "$top/build/template"
(
	flock 9
	[ ! -e "$template" ] || exit 0
	rm -rf "$template.new"
	unset APPLIANCE_TEMPLATE
	# the lock is this shell's, not that of what it starts
	"$top/harness/appliance" template "$template.new" "$@" 3>&- 9>&- >&2
	mv "$template.new" "$template"
) 9>"$top/build/template/lock"
echo "$template"

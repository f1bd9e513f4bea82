#!/bin/sh
# Run the Touchstone suite against your server, on Debian 12.
#
#   TOUCHSTONE=URL run-suite.sh my.conf [my.waivers]
#
# Leaves the report in ./report. Exit status 0: the server conforms.
set -eu

: "${TOUCHSTONE:?the URL of the Touchstone repository}"
target=$(realpath "${1:?the target file of your server}")
waivers=${2:+$(realpath "$2")}

[ -d touchstone ] || git clone --depth 1 "$TOUCHSTONE" touchstone
make -C touchstone conformance TARGET="$target" WAIVERS="$waivers" \
	REPORT="$PWD/report"

#!/usr/bin/env bash
# serve.sh: leave a reference appliance running in DIR (build/appliance) and
# say how to talk to it. Starting it twice does no harm.
set -u

cd "$(dirname "$0")/.." || exit 1
dir=${DIR:-build/appliance}
if ! harness/appliance status "$dir" >/dev/null 2>&1; then
	mkdir -p "$dir"
	harness/appliance start "$dir" --real-time || exit 1
fi
conf=$dir/target.conf
cat <<END

The appliance runs in $dir; its target file says where and with which
certificates:

$(grep -v '^ *\(#\|$\)' "$conf" | sed 's/^/    /')

    build/bin/touchstone kmip query --target $conf
    build/bin/touchstone run --target $conf --vectors vectors/kmip
    harness/appliance stop $dir
END

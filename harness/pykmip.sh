#!/usr/bin/env bash
# pykmip.sh: PyKMIP's server, a foreign one, in a directory of its own.
#
#   pykmip.sh start DIR    boot it on a free loopback port; DIR is made
#   pykmip.sh stop DIR     it is gone when this returns, without ceremony
#
# DIR/target.conf says to the suite where it is and who its clients are,
# DIR/log and DIR/server.log what it had to say, DIR/pid which process it is.
# Everything that it writes is in DIR.
#
#   PYKMIP_SERVER   its program (pykmip-server)
#   LOGGING         INFO or DEBUG, which shows the messages in hexadecimal (INFO)
set -u

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
program=${PYKMIP_SERVER:-pykmip-server}
start_s=30 # a start that takes longer has failed
ports=20   # how many are tried

die() {
	echo "pykmip: $*" >&2
	exit 1
}

# Below the ports that the kernel gives to clients: bound, or somebody's server.
write_conf() {
	port=$((20000 + RANDOM % 12768))
	cat >"$dir/server.conf" <<-END
		[server]
		hostname=127.0.0.1
		port=$port
		certificate_path=$dir/pki/server.crt
		key_path=$dir/pki/server.key
		ca_path=$dir/pki/ca.crt
		auth_suite=TLS1.2
		policy_path=$dir/policy
		enable_tls_client_auth=True
		logging_level=${LOGGING:-INFO}
		database_path=$dir/store.sqlite
	END
}

write_target() {
	cat >"$dir/target.conf" <<-END
		include = $top/harness/targets/pykmip.conf
		include = $dir/pki/clients.conf

		[target]
		port = $port
	END
}

# boot: 0 it serves, 2 the port is taken, 1 something else. It says in its own
# log that it serves; the file is there before it, so that nothing is missed.
boot() {
	local lines line='' tail status=1
	: >"$dir/log"
	(cd "$dir" && exec setsid "$program" -f server.conf -l "$dir/log" \
		</dev/null >server.log 2>&1 3>&-) &
	echo $! >"$dir/pid"
	exec {lines}< <(exec tail -n +1 -f --pid="$!" "$dir/log" 2>/dev/null 3>&-)
	tail=$!
	while read -r -t "$start_s" line <&"$lines"; do
		case $line in
		*"Starting connection service..."*)
			status=0
			break
			;;
		*"Address already in use"*)
			status=2
			break
			;;
		esac
	done
	kill "$tail" 2>/dev/null
	exec {lines}<&-
	[ "$status" -eq 0 ] || stop
	return "$status"
}

start() {
	local try status
	mkdir -p "$dir" || exit 1
	dir=$(cd "$dir" && pwd)
	[ ! -e "$dir/pid" ] || die "$dir: runs already"
	command -v "$program" >/dev/null || die "$program is not installed"
	mkdir -p "$dir/policy"
	"$top/harness/pki.sh" "$dir/pki" ||
		die "certificates: see $dir/pki/openssl.log"
	for ((try = 0; try < ports; try++)); do
		write_conf
		boot
		status=$?
		[ "$status" -eq 2 ] || break
	done
	if [ "$status" -ne 0 ]; then
		tail -n 20 "$dir/server.log" "$dir/log" >&2
		die "the server did not start; its logs are in $dir"
	fi
	write_target
	echo "PyKMIP in $dir: port $port, clients alice, bob and carol;" \
		"target file $dir/target.conf"
}

# Asked politely it waits ten seconds for each of its threads, and there is
# nothing to save: its processes are a session, killed as one.
stop() {
	local pid
	[ -e "$dir/pid" ] || return 0
	pid=$(cat "$dir/pid")
	kill -KILL -- "-$pid" 2>/dev/null
	timeout "$start_s" tail -f --pid="$pid" /dev/null
	rm -f "$dir/pid"
}

case $#:${1-} in
2:start | 2:stop)
	dir=$2
	"$1"
	;;
*)
	sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
	exit 2
	;;
esac

#!/usr/bin/env bash
# run.sh: the server's throughput beside what this machine can do at most.
#
#   run.sh [-n pairs] [-t seconds] [-o objects] [-c target.conf -p pid-file]
#          [name...]
#
# Without names, all that is listed below is measured.
#
#   -n  pairs of limit and server, interleaved (3)
#   -t  seconds of each measurement (2)
#   -o  objects in the store of the large Locate (100000)
#   -c  measure this server instead of an appliance of our own; -p its process
#
# A limit program does the limiting step and nothing else; server and limit
# take turns, L S L S L S, and what counts is the median of the pairs' ratios of
# CPU time for each request: it moves by some percent when other programs run,
# where requests a second halve. When the limit itself varied by more than 15 %
# there is no verdict.
#
# Where both sides are our own server and the difference is small, two servers
# alike are measured at once, on one processor together with their clients, and
# then change places: what the machine does otherwise meets both, and neither
# pays for waking a client on another processor. There the ratios are what must
# not vary. Lines for scripts:
#
#   pair NAME N limit_us=... server_us=... ratio=...
#   ratio NAME VALUE
#   verdict NAME holds|misses|refused ...
#
#   get        TLS ping-pong / Get, from a card with the secure key cache on
#   get-uncached  the same with it off: the card unwraps the master key for each
#              Get; reported, and holds whatever it is
#   create     (TLS ping-pong + one row of a commit of 32) / Create
#   get-logged  Get with failures only in the Activity Log / with every request
#              in it: what a line costs, its write to the file included; at once
#   handshake  full handshake / connection with a full handshake and one Get
#   locate     Locate by name among 100 objects / among 100,000
#   unseal     (Unix socket ping-pong + 25 us) / a master key through the card,
#              both ends on one processor
#   unseal-cached  what a Get costs, card included, beyond the TLS ping-pong: with
#              the cache off / with it on. All of that counts as unsealing on
#              both sides, so that the real ratio is higher
#   nae-encrypt  (TCP ping-pong + one libxml2 tree of the header + AES-256-CBC of
#              1 KB) / the same over NAE-XML, by a key's owner
#   nae-info   (TCP ping-pong + one libxml2 tree) / KeyInfo
#   nae-policy   nae-encrypt by the key's owner / by another user, whose group may
#              by an authorization policy with a limit and a usage period; at
#              once
#   nae-many   nae-encrypt with a name and a password in each request, among 100
#              users and keys / among 10,000 users and as many keys as the large
#              Locate has objects
#   pykmip-get, pykmip-create   requests a CPU second, as a multiple of PyKMIP's
#
# Exit code: 0 all that were measured hold, 1 one misses, 2 one was refused.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pairs=3 seconds=2 objects=100000 conf='' pid_file=''
while getopts n:t:o:c:p: c; do
	case $c in
	n) pairs=$OPTARG ;;
	t) seconds=$OPTARG ;;
	o) objects=$OPTARG ;;
	c) conf=$OPTARG ;;
	p) pid_file=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

limit=build/opt/harness/bench
tool=build/bin/touchstone
tls=1.3
conns=32 shaking=8

# name, the least that holds, the servers that it takes
bars='get 0.55 main
get-uncached 0 uncached
get-logged 0.91 main main-twin
create 0.5 main
handshake 0.85 main
locate 0.5 small large
unseal 1 card
unseal-cached 3 main uncached
nae-encrypt 0.5 few
nae-info 0.5 few
nae-policy 0.91 few few-twin
nae-many 0.67 few many
pykmip-get 100 pykmip main
pykmip-create 60 pykmip main'
if [[ -n $conf && $# == 0 ]]; then
	set -- get create handshake pykmip-get pykmip-create
fi
if (($# > 0)); then
	bars=$(grep -E "^($(IFS='|'; echo "$*")) " <<<"$bars") || exit 2
fi
declare -A begun=()
at_once=''

mkdir -p build
dir=$(mktemp -d "$PWD/build/bench.XXXXXX")
pykmip='' card=''
finish() {
	local d
	if [[ -n $card ]]; then
		kill "$card" || true
		wait "$card" || true
	fi
	for d in "$dir"/server-*; do
		[[ ! -d $d ]] || harness/appliance stop "$d" >&2 || true
	done
	if [[ -n $pykmip ]]; then
		kill "$pykmip" || true
		wait "$pykmip" || true
	fi
	rm -rf "$dir"
}
trap finish EXIT

say() { printf 'bench: %s\n' "$*" >&2; }

# value KEY, of a line of key=value pairs on standard input
value() {
	awk -v key="$1" '{ for (i = 1; i <= NF; i++) {
		n = index($i, "=")
		if (substr($i, 1, n - 1) == key) print substr($i, n + 1)
	} }'
}

compute() { awk "BEGIN { printf \"%.4f\", $1 }"; }

# --- servers ------------------------------------------------------------------

start() { # name option...
	start_lab "$@" --real-time
}

start_lab() { # name option...
	local name=$1
	shift
	mkdir "$dir/server-$name"
	harness/appliance start "$dir/server-$name" "$@" >&2
}

# load PID-FILE NAME OPTION...: the CPU time of the server for each request.
# Every answer is checked; one that is wrong ends the bench.
load() {
	local pid=$1 name=$2 out
	shift 2
	out=$("$tool" load --tls "$tls" --server-pid "$pid" "$@") || {
		say "$name: load failed"
		printf '%s\n' "$out" >&2
		return 1
	}
	printf '%s\n' "$out" >>"$dir/load.log"
	grep '^sum ' <<<"$out" | value server_us
}

# activity SERVER LEVEL: what is logged of requests from here on
activity() {
	local said
	said=$(harness/appliance cli "$dir/server-$1" config \
		"edit log levels activity $2") || {
		say "no level: $said"
		return 1
	}
}

# --- pairs --------------------------------------------------------------------

ping() { "$limit/limit_tls" -v "$tls" -c "$conns" -t "$seconds" | value server_us; }
row() { "$limit/limit_sqlite" -s full -b 32 -d "$dir" -t "$seconds" | value row_us; }
shake() { "$limit/limit_tls" -v "$tls" -m full -c "$shaking" -t "$seconds" | value server_us; }

limit_get() { ping; }
limit_get-uncached() { ping; }
limit_create() { compute "$(ping) + $(row)"; }
limit_handshake() { shake; }
limit_locate() { server_locate_among 100 small; }

server_get() {
	load "$pid_file" get --target "$conf" --op get --conns "$conns" \
		--population "$dir/get.population" --for "$seconds"
}
server_get_from() { # server
	load "$dir/server-$1/pid" "get from $1" \
		--target "$dir/server-$1/target.conf" --op get \
		--conns "$conns" --population "$dir/$1.population" \
		--for "$seconds"
}
server_get-uncached() { server_get_from uncached; }
plain_get-logged() { activity "$1" ERROR && server_get_from "$1"; }
dear_get-logged() { activity "$1" INFO && server_get_from "$1"; }
server_create() {
	load "$pid_file" create --target "$conf" --op create \
		--conns "$conns" --for "$seconds"
}
server_handshake() {
	load "$pid_file" handshake --target "$conf" --op get --handshake full \
		--conns "$shaking" --population "$dir/get.population" \
		--for "$seconds"
}
server_locate_among() { # objects server
	load "$dir/server-$2/pid" locate \
		--target "$dir/server-$2/target.conf" --op locate \
		--objects "$1" --population "$dir/$2.population" \
		--conns "$conns" --for "$seconds"
}
server_locate() { server_locate_among "$objects" large; }

# Both ends of the socket on one processor, card and ping-pong alike: else each
# frame wakes a processor that sleeps, and that costs more than what is measured.
processors=$(taskset -cp $$ | sed 's/.*: *//')
first_processor=${processors%%[-,]*}
one=(taskset -c "$first_processor")

# A card of its own, with nothing else to do. Its module finds it by its socket.
card_start() {
	local word
	export HSM_SIM_SOCKET=$dir/card/p11.sock
	mkdir "$dir/card"
	mkfifo "$dir/card-out"
	"${one[@]}" build/bin/hsmcardd --dir "$dir/card" --model luna7 \
		>"$dir/card-out" &
	card=$!
	read -r word <"$dir/card-out"
	[[ $word == ready ]]
	through_card init
}
through_card() { # mode option...
	"${one[@]}" "$limit/limit_card" -M build/opt/libhsm-sim.so -P 'a password' -m "$@"
}
limit_unseal() {
	compute "$("${one[@]}" "$limit/limit_card" -m ping -t "$seconds" |
		value server_us) + 25"
}
server_unseal() {
	through_card unseal -p "$card" -t "$seconds" | value server_us
}

# cpu_ns PID: CPU time of a process whose threads stay
cpu_ns() {
	cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}

limit_unseal-cached() {
	local card_pid before after server answered
	card_pid=$(<"$dir/server-uncached/card.pid")
	before=$(cpu_ns "$card_pid")
	server=$(server_get-uncached)
	after=$(cpu_ns "$card_pid")
	answered=$(grep '^sum ' "$dir/load.log" | tail -n 1 | value answered)
	compute "$server + ($after - $before) / 1000 / $answered - $(ping)"
}
server_unseal-cached() { compute "$(server_get) - $(ping)"; }

# --- NAE-XML ------------------------------------------------------------------

# fill SERVER USERS KEYS: the laboratory makes them in seconds; to its group
# all, the first key is open by a policy
fill() {
	local d=$dir/server-$1 said
	harness/appliance fill "$d" users "$2"
	harness/appliance fill "$d" keys "$3" "$2"
	said=$(harness/appliance cli "$d" config \
		'authorization policy create bench' \
		'edit authorization policy bench 500000000' \
		'authorization policy period add bench monday 00:00 sunday 23:59' \
		'key permission set k000000 all encrypt policy bench') || {
		say "no policy: $said"
		return 1
	}
}

# nae_limit OPTION...; nae SERVER OPTION...: CPU time of the server for each
# request
nae_limit() {
	"$limit/limit_nae" "$@" -c "$conns" -t "$seconds" | value server_us
}
nae() {
	local d=$dir/server-$1
	nae_limit -p "$(harness/appliance server-port "$d" 1)" \
		-P "$(<"$d/pid")" "${@:2}"
}

limit_nae-encrypt() { nae_limit -o encrypt -a 0; }
server_nae-encrypt() { nae few -o encrypt -a 0; }
limit_nae-info() { nae_limit -o info -a 0; }
server_nae-info() { nae few -o info -a 0; }
plain_nae-policy() { nae "$1" -o encrypt -a 0; }
dear_nae-policy() { nae "$1" -o encrypt -a 1; }
limit_nae-many() { nae few -o encrypt -u 100 -k 100; }
server_nae-many() { nae many -o encrypt -u 10000 -k "$objects"; }
# a password is hashed when its user comes for the first time
warm_nae-many() { nae many -o encrypt -u 10000 -k "$objects" >/dev/null; }

# --- PyKMIP, on the same machine ------------------------------------------------

pykmip_start() {
	local d=$dir/pykmip name
	mkdir -p "$d/policies"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$d/ca.key" \
		-out "$d/ca.pem" -days 2 -subj /CN=ca 2>/dev/null
	for name in server client; do
		openssl req -newkey rsa:2048 -nodes -keyout "$d/$name.key" \
			-out "$d/$name.csr" -subj "/CN=$name" 2>/dev/null
		printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%s\n' \
			serverAuth,clientAuth >"$d/ext"
		openssl x509 -req -in "$d/$name.csr" -CA "$d/ca.pem" \
			-CAkey "$d/ca.key" -CAcreateserial -days 2 \
			-out "$d/$name.pem" -extfile "$d/ext" 2>/dev/null
	done
	local port=$((20000 + RANDOM % 20000))
	pykmip_where=(--host 127.0.0.1 --port "$port" --cert "$d/client.pem"
		--key "$d/client.key" --ca "$d/ca.pem")
	cat >"$d/server.conf" <<-END
		[server]
		hostname=127.0.0.1
		port=$port
		certificate_path=$d/server.pem
		key_path=$d/server.key
		ca_path=$d/ca.pem
		auth_suite=TLS1.2
		policy_path=$d/policies
		enable_tls_client_auth=True
		logging_level=ERROR
		database_path=$d/db.sqlite
	END
	pykmip-server -f "$d/server.conf" -l "$d/log" >"$d/out" 2>&1 &
	pykmip=$!
	# it says nothing when it listens: ask until it answers or is gone
	while kill -0 "$pykmip"; do
		if "$tool" kmip query "${pykmip_where[@]}" >/dev/null 2>&1; then
			return 0
		fi
	done
	say "PyKMIP's server does not answer: $(tail -n 1 "$d/out")"
	return 1
}

# its server speaks no TLS 1.3
pykmip_load() { # name
	tls=1.2 load "$pykmip" "pykmip-$1" --op "$1" --objects 20 --conns 4 \
		--for "$((seconds + 3))" "${pykmip_where[@]}"
}

limit_pykmip-get() { pykmip_load get; }
server_pykmip-get() { server_get; }
limit_pykmip-create() { pykmip_load create; }
server_pykmip-create() { server_create; }

# --- what a measurement takes, and the pairs --------------------------------------

begin_main() {
	[[ -z $conf ]] || return 0
	start main --card --cache
	conf=$dir/server-main/target.conf
	pid_file=$dir/server-main/pid
}
begin_main-twin() { start main-twin --card --cache; }
begin_uncached() { start uncached --card; }
begin_small() { start small; }
begin_large() { start large; }
begin_few() {
	start_lab few
	fill few 100 100
}
begin_few-twin() {
	start_lab few-twin
	fill few-twin 100 100
}
begin_many() {
	start_lab many
	fill many 10000 "$objects"
}
begin_card() { card_start; }
begin_pykmip() { pykmip_start; }

say_pair() { # name number limit server ratio
	printf 'pair %s %d limit_us=%s server_us=%s ratio=%s\n' "$@" |
		tee -a "$dir/pairs"
}

# Both sides in turn; once where they are far from each other.
measure_in_turn() { # name
	local i a b n=$pairs
	[[ $1 != pykmip-* ]] || n=1
	for ((i = 1; i <= n; i++)); do
		a=$("limit_$1")
		b=$("server_$1")
		say_pair "$1" "$i" "$a" "$b" "$(compute "$a / $b")"
	done
}

# The plain form at one server while the dear one is at the other: sets plain
# and dear.
at_once() { # name server server
	(
		taskset -cp "$first_processor" "$BASHPID" >/dev/null
		"plain_$1" "$2" >"$dir/plain" &
		"dear_$1" "$3" >"$dir/dear"
		wait $!
	)
	plain=$(<"$dir/plain") dear=$(<"$dir/dear")
}

# Two servers at once, which then change places: no difference between them, of
# memory or of what else they hold, is left in the product.
measure_at_once() { # name server server
	local i plain dear a b
	confine "$first_processor" "$2" "$3"
	for ((i = 1; i <= pairs; i++)); do
		at_once "$1" "$2" "$3"
		a=$plain b=$dear
		at_once "$1" "$3" "$2"
		say_pair "$1" "$i" "$(compute "($a + $plain) / 2")" \
			"$(compute "($b + $dear) / 2")" \
			"$(compute "sqrt($a / $b * $plain / $dear)")"
	done
	confine "$processors" "$2" "$3"
}

confine() { # processors server...
	local server
	for server in "${@:2}"; do
		taskset -acp "$1" "$(<"$dir/server-$server/pid")" >/dev/null
	done
}

# --- the run --------------------------------------------------------------------

: >"$dir/pairs"
echo "bench: $(nproc) processors, Linux $(uname -r), $(openssl version |
	cut -d ' ' -f 1,2), load $(cut -d ' ' -f 1 /proc/loadavg)," \
	"TLS $tls, $pairs pairs of $seconds s"
while read -r name _ servers; do
	if [[ $name == pykmip-* ]] && ! command -v pykmip-server >/dev/null; then
		continue
	fi
	for server in $servers; do
		if [[ -z ${begun[$server]:-} ]]; then
			"begin_$server"
			begun[$server]=1
		fi
	done
	if declare -F "warm_$name" >/dev/null; then "warm_$name"; fi
	if declare -F "dear_$name" >/dev/null; then
		# shellcheck disable=SC2086 # words
		measure_at_once "$name" $servers
		at_once+=" $name "
	else
		measure_in_turn "$name"
	fi
done <<<"$bars"

# Medians, spreads and verdicts.
bars=$bars at_once=$at_once awk '
	function median(k,   i, j, t, m) {
		m = n[k]
		for (i = 2; i <= m; i++) {
			t = r[k, i]
			for (j = i - 1; j > 0 && r[k, j] > t; j--)
				r[k, j + 1] = r[k, j]
			r[k, j + 1] = t
		}
		if (m % 2)
			return r[k, (m + 1) / 2]
		return (r[k, m / 2] + r[k, m / 2 + 1]) / 2
	}
	{
		split($4, a, "="); split($6, b, "=")
		if (!($2 in n)) order[++names] = $2
		r[$2, ++n[$2]] = b[2] + 0
		steady = index(ENVIRON["at_once"], " " $2 " ") ? b[2] : a[2]
		if (n[$2] == 1 || steady < low[$2]) low[$2] = steady + 0
		if (n[$2] == 1 || steady > high[$2]) high[$2] = steady + 0
	}
	END {
		m = split(ENVIRON["bars"], line, "\n")
		for (i = 1; i <= m; i++) {
			split(line[i], w, " "); k = w[1]
			if (!(k in n)) {
				printf "verdict %s not measured\n", k
				continue
			}
			v = median(k)
			vary = (high[k] - low[k]) * 100 / low[k]
			printf "ratio %s %.3f\n", k, v
			what = index(ENVIRON["at_once"], " " k " ") ? \
				"ratio" : "limit"
			printf "spread %s %.3f..%.3f %s varied by %.0f %%\n",
				k, r[k, 1], r[k, n[k]], what, vary
			if (vary > 15) {
				printf "verdict %s refused: the %s varied " \
					"by %.0f %%\n", k, what, vary
				code = 2
			} else if (v < w[2]) {
				printf "verdict %s misses %s\n", k, w[2]
				missed = 1
			} else
				printf "verdict %s holds %s\n", k, w[2]
		}
		exit missed ? 1 : code
	}' "$dir/pairs"

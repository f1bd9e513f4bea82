#!/usr/bin/env bash
# fuzz.sh SECS PROGRAM...: run libFuzzer programs, SECS seconds each.
#
# What a program learns stays in build/fuzz/corpus/NAME for the next run. It
# starts from vectors/fuzz/NAME too, when that exists: inputs worth keeping,
# and every input that once broke it (NAME is the path with dots for slashes).
# A dictionary build/fuzz/gen/NAME.dict is used when a build made one. A
# finding is written to build/fuzz/NAME-crash-*, and repeated by
#
#     PROGRAM build/fuzz/NAME-crash-...
set -u

secs=$1
shift
passed=0
failed=0
for program in "$@"; do
	name=${program#build/fuzz/}
	name=${name%_fuzz}
	name=${name//\//.}
	corpus=build/fuzz/corpus/$name
	log=$program.log
	args=(-max_total_time="$secs" -timeout=10 -rss_limit_mb=1024
		-artifact_prefix="build/fuzz/$name-" -print_final_stats=1)
	[ -e "build/fuzz/gen/$name.dict" ] &&
		args+=(-dict="build/fuzz/gen/$name.dict")
	mkdir -p "$corpus"
	args+=("$corpus")
	[ -d "vectors/fuzz/$name" ] && args+=("vectors/fuzz/$name")
	if "$program" "${args[@]}" >"$log" 2>&1; then
		passed=$((passed + 1))
		awk -v p="${program#build/}" '
		/number_of_executed_units/ { runs = $2 }
		/ cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
		END { printf "  ok   %-52s %d inputs, %d edges\n", p, runs, cov }
		' "$log"
	else
		failed=$((failed + 1))
		tail -n 40 "$log"
		echo "  FAIL $program, log $log"
	fi
done
[ $# -eq 0 ] && failed=1 && echo "fuzz: no parser chosen"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

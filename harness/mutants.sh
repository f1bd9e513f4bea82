#!/usr/bin/env bash
# mutants.sh [DIR]: show that the tests can fail; what stands behind
# `make mutants`.
#
# Each spec-tests/mutants/NAME.patch breaks one line of the product and says
# which test must notice. Its head, before the diff:
#
#     what: Destroy of an active key succeeds
#     spec: kmip-1.4 4.21
#     kills: make units T=ref/model/object
#     test: an active object cannot be destroyed
#
# `test` may be left out; with it the failing test, or the row of it that says
# so, must bear that name. The
# patch is applied to a scratch copy of the work tree, which keeps its build
# between mutants. First the command must pass without the patch, or its
# failure would prove nothing. A mutant is killed when the command reports a
# failed test; one that does not compile, or no longer applies, is a failure of
# the mutant. M=GLOB chooses some by name.
set -u

cd "${1:-$(dirname "$0")/..}" || exit 1
top=$PWD
scratch=$top/build/mutants/tree
logs=$top/build/mutants/log
passed=0
failed=0
declare -A sound # commands that pass without a patch

# The tree as it is now, uncommitted work too. The copies keep their dates, so
# that little is built; but a file that was ever mutated there is dated now, or
# its mutant's object would pass for the file's own.
copy() {
	mkdir -p "$scratch" "$logs"
	# A file that is gone here must not live on there.
	find "$scratch" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$top" ]; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -type f ! -path './build/*' -print0
	fi | while IFS= read -r -d '' file; do
		[ -e "$file" ] && printf '%s\0' "$file"
	done | tar --null -T - -c | tar -x -C "$scratch"
	again=
	[ -e "$scratch.mutated" ] || return 0
	(cd "$scratch" && xargs -r touch -c --) <"$scratch.mutated"
}

head_of() { # PATCH FIELD
	sed -n -e '/^--- /q' -e "s/^$2: *//p" "$1" | head -n 1
}

# in_scratch LOG COMMAND: its status, in the scratch tree
in_scratch() {
	local words
	read -ra words <<<"$2"
	(cd "$scratch" && MAKEFLAGS='' timeout -k 10 "${MUTANT_SECS:-300}" \
		"${words[@]}") >"$1" 2>&1
}

lost() {
	failed=$((failed + 1))
	printf '  FAIL %s: %s\n' "$name" "$*"
}

one() {
	local patch=$1 name kills test log
	name=$(basename "$patch" .patch)
	log=$logs/$name.log
	kills=$(head_of "$patch" kills)
	test=$(head_of "$patch" test)
	if ! [[ $kills =~ ^make\ (units|check|conformance)(\ [A-Z]+=[^ ]+)*$ ]]; then
		lost "kills: \"$kills\" is not make units, check or conformance"
		return
	fi
	if [ -z "$(head_of "$patch" what)" ]; then
		lost "no \"what:\" in its head"
		return
	fi
	if [ -z "${sound[$kills]-}" ]; then
		if ! in_scratch "$log" "$kills"; then
			tail -n 20 "$log"
			lost "without it, $kills fails already"
			return
		fi
		sound[$kills]=1
	fi
	sed -n 's|^+++ b/\([^\t]*\).*|\1|p' "$patch" >>"$scratch.mutated"
	if ! patch -d "$scratch" -p1 -s --no-backup-if-mismatch -r - \
		<"$patch" >"$log" 2>&1; then
		cat "$log"
		again=1
		lost "does not apply any more"
		return
	fi
	if in_scratch "$log" "$kills"; then
		lost "survives: $kills ($(head_of "$patch" what))"
	elif ! grep -aEq '^[0-9]+ passed, [1-9][0-9]* failed' "$log"; then
		tail -n 20 "$log"
		lost "no test ran: $kills"
	elif [ -n "$test" ] &&
		! grep -aEv '^ *ok ' "$log" | grep -aFq -- "$test"; then
		grep -aEv '^ *ok ' "$log"
		lost "killed, but not by \"$test\""
	else
		passed=$((passed + 1))
		printf '  ok   %-28s %s\n' "$name" "$(head_of "$patch" what)"
	fi
	patch -d "$scratch" -p1 -s -R --no-backup-if-mismatch <"$patch" \
		>>"$log" 2>&1 || again=1
}

copy
for patch in spec-tests/mutants/${M:-*}.patch; do
	[ -e "$patch" ] || continue
	[ -n "$again" ] && copy
	one "$top/$patch"
done
if [ $((passed + failed)) -eq 0 ]; then
	echo "mutants: none chosen"
	failed=1
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

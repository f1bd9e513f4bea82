#!/usr/bin/env bash
# trace.sh [DIR]: join the clauses with the code that obeys them and the tests
# that prove them; what stands behind `make trace`.
#
# Citations, in code (ref/, hsm-sim/, ped-sim/, harness/) and in tests
# (*_test.c, *_fuzz.c, spec-tests/, vectors/):
#
#     req: KS-15-014 KS-15-015          in a comment, one or several
#     req: KS-15-014  "the statement"   quoted exactly, over several lines too
#     clause: KS-15-014                 in the head of a vector
#     "KS-15-014"                       in a string of C and in a .def table
#     kmip-1.4 4.21                     a section of the standard, anywhere
#
# Beside the clauses in spec-tests/requirements/ lie
#
#     exceptions.tsv   id, reason, text: not to be proven. The reason is one of
#                      untestable, out of scope, implied by, hardware,
#                      contradiction; the text of the third and the last names
#                      the other clause
#     waits.tsv        id, "waits: AREA", text: the issue that builds AREA
#                      clears it
#     finished.tsv     area: whatever is not proven in it is a failure from
#                      here on, and so is a CONFLICT without a decision, and
#                      so are exceptions for more than one clause in twenty, not
#                      counted those about hardware and clients (level hw)
#
# Prints a line for each area that somebody has begun, and "N passed,
# N failed", counted in rules. AREA=kmip lists the clauses of an area with the
# state of each, AREA=all those of all.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}" || exit 1

req=spec-tests/requirements
{
	ls "$req"/clauses-*.tsv
	ls "$req"/{exceptions,waits,finished}.tsv
	ls spec-tests/facts/kmip/sections.tsv docs/decisions.md
	find ref hsm-sim ped-sim harness spec-tests vectors -type f '(' \
		-name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o \
		-name '*.bash' -o -name '*.bats' -o -path 'vectors/*' ')' \
		! -path 'spec-tests/facts/*' ! -path harness/trace.sh \
		! -path spec-tests/trace.bats |
		LC_ALL=C sort
} 2>/dev/null | tr '\n' '\0' |
	xargs -0 awk -v area="${AREA-}" -f "$here/trace.awk"

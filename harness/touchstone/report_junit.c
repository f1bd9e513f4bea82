#include "report.h"

#include <string.h>

#include "escape.h"

static void
attribute(FILE *to, const char *name, const char *text)
{
	fprintf(to, " %s=\"", name);
	escape_attribute(to, text);
	putc('"', to);
}

static void
line(FILE *to, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(to, "%s: ", name);
	escape_markup(to, text);
	putc('\n', to);
}

/* What failed, for whoever reads it in a CI job's page. */
static void
story(FILE *to, const struct test_result *t)
{
	const struct difference *d = t->difference;
	const struct exchange *x = view_exchange(t);

	line(to, "title", t->title);
	for (size_t i = 0; i < t->clauses.count; i++)
		line(to, "clause", t->clauses.at[i]);
	line(to, "mark", t->mark);
	line(to, "reason", t->reason);
	if (d != NULL) {
		fprintf(to, "step: %u\n", d->step);
		line(to, "path", d->path);
		if (d->at_octet)
			fprintf(to, "offset: %zu\n", d->offset_octets);
		line(to, "expected", d->expected);
		line(to, "got", d->got);
		line(to, "rule", d->rule);
	}
	if (x != NULL) {
		line(to, "sent", x->sent_hex);
		line(to, "received", x->received_hex);
	}
	line(to, "repeat", t->repeat);
}

static void
element(FILE *to, const char *name, const struct test_result *t)
{
	const struct difference *d = t->difference;

	fprintf(to, ">\n\t\t\t<%s", name);
	attribute(to, "type", verdict_word(t->verdict));
	fputs(" message=\"", to);
	if (d != NULL && d->path != NULL) {
		escape_attribute(to, d->path);
		fputs(": expected ", to);
		escape_attribute(to, d->expected);
		fputs(", got ", to);
		escape_attribute(to, d->got);
	} else {
		escape_attribute(to, t->reason != NULL
					 ? t->reason
					 : verdict_meaning(t->verdict));
	}
	fputs("\">", to);
	story(to, t);
	fprintf(to, "</%s>\n\t\t</testcase>\n", name);
}

static void
skipped(FILE *to, const struct test_result *t)
{
	fprintf(
	    to, ">\n\t\t\t<skipped message=\"%s: ", verdict_word(t->verdict));
	escape_attribute(
	    to, t->reason != NULL ? t->reason : verdict_meaning(t->verdict));
	fputs("\"/>\n\t\t</testcase>\n", to);
}

/* A bare number is KMIP's; another protocol's version says its name. */
static bool
is_kmip(const char *version)
{
	return version[0] >= '0' && version[0] <= '9';
}

static void
testcase(FILE *to, const struct test_result *t)
{
	fputs("\t\t<testcase", to);
	attribute(to, "name", t->id);
	fputs(" classname=\"", to);
	fputs(is_kmip(t->version) ? "kmip-" : "", to);
	escape_attribute(to, t->version);
	putc('.', to);
	escape_attribute(to, t->family);
	fprintf(to, "\" time=\"%.3f\"", t->ms / 1000);
	switch (t->verdict) {
	case VERDICT_PASS:
		fputs("/>\n", to);
		return;
	case VERDICT_NOT_CLAIMED:
	case VERDICT_NOT_RUN:
	case VERDICT_WAIVED:
		skipped(to, t);
		return;
	case VERDICT_UNKNOWN:
		element(to, "error", t);
		return;
	case VERDICT_FAIL:
	case VERDICT_WAIVER_STALE:
	case VERDICT_COUNT:
		element(to, "failure", t);
		return;
	}
}

/* How many tests of a suite end in each of the schema's elements. */
struct suite {
	const char *version, *family; /* NULL: the run itself */
	size_t tests, failures, errors, skipped;
	double ms;
};

/* Seconds only: the schema of Ant knows no time zone. */
static void
timestamp(FILE *to, const char *started)
{
	bool whole = strlen(started) >= 19;

	fprintf(to, " timestamp=\"%.19s\"",
	    whole ? started : "1970-01-01T00:00:00");
}

static void
property(FILE *to, const char *name, const char *value)
{
	fputs("\t\t\t<property", to);
	attribute(to, "name", name);
	attribute(to, "value", value);
	fputs("/>\n", to);
}

static void
suite_begin(FILE *to, const struct results *r, size_t n, const struct suite *s)
{
	const struct run_head *h = &r->head;
	char seed[24];

	fputs("\t<testsuite name=\"", to);
	if (s->version != NULL) {
		fputs(is_kmip(s->version) ? "KMIP " : "", to);
		escape_attribute(to, s->version);
		putc(' ', to);
		escape_attribute(to, s->family);
	} else {
		fputs("the run itself", to);
	}
	fprintf(to, "\" package=\"touchstone\" id=\"%zu\"", n);
	timestamp(to, h->started);
	fprintf(to, " hostname=\"");
	escape_attribute(
	    to, h->target.address != NULL && h->target.address[0] != '\0'
		    ? h->target.address
		    : "unknown");
	fprintf(to,
	    "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
	    "skipped=\"%zu\" time=\"%.3f\">\n\t\t<properties>\n",
	    s->tests, s->failures, s->errors, s->skipped, s->ms / 1000);
	snprintf(seed, sizeof seed, "%llu", (unsigned long long)h->seed);
	property(to, "suite_version", h->suite_version);
	property(to, "target", h->target.name);
	property(to, "target_file_sha256", h->target.file_sha256);
	property(to, "seed", seed);
	property(to, "laboratory", h->laboratory ? "true" : "false");
	fputs("\t\t</properties>\n", to);
}

static void
mark_lines(FILE *to, const struct view *v)
{
	const struct mark *m;

	if (!view_has_marks(v))
		return;
	for (size_t i = 0; (m = view_mark(i)) != NULL; i++) {
		struct tally t = view_mark_tally(v, m);

		fprintf(to, "mark %s %s: %zu passed of %zu judged\n", m->letter,
		    m->word, t.count[VERDICT_PASS],
		    tally_judged(&t) + t.count[VERDICT_UNKNOWN]);
	}
}

/* v, unproven  of the run itself; else NULL */
static void
suite_end(FILE *to, const struct view *v, const struct texts *unproven)
{
	fputs("\t\t<system-out>", to);
	if (v != NULL)
		mark_lines(to, v);
	for (size_t i = 0; unproven != NULL && i < unproven->count; i++)
		line(to, "unproven claim", unproven->at[i]);
	fputs("</system-out>\n\t\t<system-err></system-err>\n"
	      "\t</testsuite>\n",
	    to);
}

static void
family(FILE *to, const struct results *r, size_t n,
    const struct test_result *const *test, size_t count)
{
	struct tally t = view_tally(test, count);
	struct suite s = {
	    .version = test[0]->version,
	    .family = test[0]->family,
	    .tests = count,
	    .failures = t.count[VERDICT_FAIL] + t.count[VERDICT_WAIVER_STALE],
	    .errors = t.count[VERDICT_UNKNOWN],
	    .skipped = t.count[VERDICT_NOT_CLAIMED] + t.count[VERDICT_NOT_RUN] +
		       t.count[VERDICT_WAIVED],
	};

	for (size_t i = 0; i < count; i++)
		s.ms += test[i]->ms;
	suite_begin(to, r, n, &s);
	for (size_t i = 0; i < count; i++)
		testcase(to, test[i]);
	suite_end(to, NULL, NULL);
}

/* A run that could not tell is an error of its own: whoever counts only
 * failures and errors must see it. */
static void
run_itself(FILE *to, const struct results *r, const struct view *v, size_t n)
{
	const bool told = r->tail.exit != 2;
	struct suite s = {.tests = 1, .errors = told ? 0 : 1, .ms = r->tail.ms};

	suite_begin(to, r, n, &s);
	fprintf(to,
	    "\t\t<testcase name=\"the run came to a result\" "
	    "classname=\"touchstone\" time=\"%.3f\"",
	    r->tail.ms / 1000);
	if (told) {
		fputs("/>\n", to);
	} else {
		fputs(">\n\t\t\t<error type=\"could not tell\" message=\"", to);
		escape_attribute(
		    to, r->incomplete != NULL
			    ? r->incomplete
			    : "tests are unknown, or too few were judged");
		fputs("\"></error>\n\t\t</testcase>\n", to);
	}
	suite_end(to, v, &r->tail.unproven);
}

enum err
report_junit(FILE *to, const struct results *r)
{
	struct view *v = NULL;
	size_t n = 0, end;
	enum err rc = OK;

	TRY(view_new(r, &v));
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", to);
	for (size_t i = 0; i < v->test_count; i = end) {
		size_t count, first = view_find(v, v->test[i]->version,
				  v->test[i]->family, &count);

		end = first + count;
		family(to, r, n++, v->test + first, count);
	}
	run_itself(to, r, v, n);
	fputs("</testsuites>\n", to);
	if (fflush(to) != 0 || ferror(to) != 0)
		rc = ERR_WRITE;
out:
	view_free(v);
	return rc;
}

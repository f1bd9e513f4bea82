#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"

static const char css[] =
#include "report.css.inc"
    ;
static const char js[] =
#include "report.js.inc"
    ;

enum {
	HEX_OCTETS = 16,      /* to a line */
	HEX_SHOWN = 4096,     /* octets of a message, those around the mark */
	XML_SHOWN = 64 << 10, /* octets of its text */
	PATH_DEPTH = 64,
};

/* --- where in a message's XML the difference is --------------------------- */

struct component {
	const char *name;
	size_t octets;
	unsigned index;
};

/* "A/B[1]/C" into its parts; deeper ones are left out. */
static size_t
path_split(const char *path, struct component *part)
{
	size_t depth = 0;

	while (depth < PATH_DEPTH && *path != '\0') {
		struct component *c = &part[depth++];

		c->name = path;
		c->octets = strcspn(path, "/[");
		c->index = 0;
		path += c->octets;
		if (*path == '[')
			c->index = (unsigned)strtoul(path + 1, NULL, 10);
		path += strcspn(path, "/");
		path += *path == '/';
	}
	return depth;
}

struct found {
	const char *from, *to; /* the start tag; NULL: not even the root */
	bool whole;            /* the path was there to its end */
};

/* The end of a tag: the first > outside quotes. */
static const char *
tag_end(const char *tag)
{
	bool quoted = false;

	for (; *tag != '\0' && (quoted || *tag != '>'); tag++)
		if (*tag == '"')
			quoted = !quoted;
	return *tag == '>' ? tag + 1 : tag;
}

/*
 * The element of that path, or what of the path is there.
 *
 * Only what our own writer makes is understood: elements, attributes in double
 * quotes, no comments. Anything else finds nothing, and nothing is marked.
 */
static struct found
xml_find(const char *xml, const char *path)
{
	struct component part[PATH_DEPTH];
	unsigned seen[PATH_DEPTH + 1] = {0};
	size_t parts = path_split(path, part), depth = 0, matched = 0;
	struct found f = {NULL, NULL, false};

	for (const char *at = strchr(xml, '<'); at != NULL && !f.whole;
	     at = strchr(at, '<')) {
		const char *end = tag_end(at);
		size_t name = strcspn(at + 1, " \t\n/>");

		if (at[1] == '/') {
			depth -= depth > 0;
			if (matched > depth)
				matched = depth;
		} else if (at[1] != '?' && at[1] != '!') {
			if (depth == matched && matched < parts &&
			    name == part[depth].octets &&
			    memcmp(at + 1, part[depth].name, name) == 0 &&
			    seen[depth]++ == part[depth].index) {
				matched++;
				seen[matched] = 0;
				f = (struct found){at, end, matched == parts};
			}
			depth++;
			if (end[-1] == '>' && end[-2] == '/') {
				depth--;
				if (matched > depth)
					matched = depth;
			}
		}
		at = end;
	}
	return f;
}

/* Names and values in colour. */
static void
xml_coloured(FILE *to, const char *at, const char *end)
{
	while (at < end) {
		const char *stop;

		if (*at == '<') {
			stop = at + 1 + (at + 1 < end && at[1] == '/');
			stop += strcspn(stop, " \t\n/>");
			stop = stop < end ? stop : end;
			fputs("<b>", to);
			escape_markup_part(to, at, (size_t)(stop - at));
			fputs("</b>", to);
		} else if (*at == '"') {
			stop = memchr(at + 1, '"', (size_t)(end - at - 1));
			stop = stop != NULL ? stop + 1 : end;
			fputs("<i>", to);
			escape_markup_part(to, at, (size_t)(stop - at));
			fputs("</i>", to);
		} else {
			stop = at + 1 + strcspn(at + 1, "<\"");
			stop = stop < end ? stop : end;
			escape_markup_part(to, at, (size_t)(stop - at));
		}
		at = stop;
	}
}

/* No cut inside a character. */
static const char *
cut(const char *from, size_t octets)
{
	const char *at;

	if (strnlen(from, octets + 1) <= octets)
		return from + strlen(from);
	for (at = from + octets;
	     at > from && ((unsigned char)*at & 0xc0) == 0x80; at--)
		;
	return at;
}

static void
xml(FILE *to, const char *text, const struct difference *d)
{
	struct found f = {NULL, NULL, false};
	const char *from = text, *end;

	if (text == NULL)
		return;
	if (d != NULL && d->path != NULL)
		f = xml_find(text, d->path);
	if (f.from != NULL && f.to - text > XML_SHOWN) {
		/* the line on which the window opens */
		for (from = f.from - XML_SHOWN / 2;
		     from > text && from[-1] != '\n'; from--)
			;
	}
	end = cut(from, XML_SHOWN);
	fputs("<pre>", to);
	if (from > text)
		fputs("<s>...</s>\n", to);
	if (f.from != NULL && f.to <= end) {
		xml_coloured(to, from, f.from);
		fputs("<mark>", to);
		xml_coloured(to, f.from, f.to);
		fputs("</mark>", to);
		if (!f.whole) {
			fputs(
			    "<span class=\"note\"> \xe2\x97\x80 in here: ", to);
			escape_markup(to, d->path);
			fputs("</span>", to);
		}
		xml_coloured(to, f.to, end);
	} else {
		xml_coloured(to, from, end);
	}
	if (*end != '\0')
		fputs("\n<s>... (all of it: results.jsonl)</s>", to);
	fputs("</pre>\n", to);
}

/* --- octets --------------------------------------------------------------- */

static unsigned
octet(const char *hex, size_t at)
{
	char two[3] = {hex[2 * at], hex[2 * at + 1], '\0'};

	return (unsigned)strtoul(two, NULL, 16);
}

/* Past the end of the TTLV item at that octet, as far as there is one; of text,
 * one octet. */
static size_t
item_end(const char *hex, size_t octets, size_t at)
{
	size_t length = 0;

	if (octet(hex, 0) == '<')
		return at + 1;
	if (octets - at < 8)
		return octets;
	for (size_t i = 4; i < 8; i++)
		length = length << 8 | octet(hex, at + i);
	if (octet(hex, at + 3) == 1) /* a structure: its header says enough */
		return at + 8;
	return length < octets - at - 8 ? at + 8 + length : octets;
}

static void
hex(FILE *to, const char *text, const struct difference *d)
{
	bool marked = d != NULL && d->at_octet;
	size_t octets, from = 0, end, mark = 0, mark_end = 0;

	if (text == NULL)
		return;
	octets = strlen(text) / 2;
	if (marked && d->offset_octets < octets) {
		mark = d->offset_octets;
		mark_end = item_end(text, octets, mark);
		if (mark > HEX_SHOWN / 2)
			from = (mark - HEX_SHOWN / 2) / HEX_OCTETS * HEX_OCTETS;
	}
	end = octets - from < HEX_SHOWN ? octets : from + HEX_SHOWN;
	fputs("<pre>", to);
	if (from > 0)
		fputs("<s>...</s>\n", to);
	for (size_t i = from; i < end; i++) {
		bool first = i % HEX_OCTETS == 0;
		bool last = i + 1 == end || (i + 1) % HEX_OCTETS == 0;

		if (first)
			fprintf(
			    to, "%s<s>%06zu</s>  ", i > from ? "\n" : "", i);
		if (i >= mark && i < mark_end && (i == mark || first))
			fputs("<mark>", to);
		fprintf(to, "%.2s", text + 2 * i);
		if (i >= mark && i < mark_end && (i + 1 == mark_end || last))
			fputs("</mark>", to);
		if (!last)
			fputs((i + 1) % 8 == 0 ? "  " : " ", to);
	}
	if (marked && d->offset_octets >= octets)
		fputs("<mark>the message ends here</mark>", to);
	if (end < octets)
		fputs("\n<s>... (all of it: results.jsonl)</s>", to);
	fputs("</pre>\n", to);
}

/* --- one test ------------------------------------------------------------- */

static void
half(FILE *to, const char *title, const char *as_xml, const char *as_hex,
    const struct difference *d)
{
	fprintf(to, "<div><h3>%s", title);
	if (as_hex == NULL) {
		fputs(": nothing</h3></div>\n", to);
		return;
	}
	fprintf(to, ", %zu octets</h3>\n", strlen(as_hex) / 2);
	xml(to, as_xml, d);
	fputs("<h3>as octets</h3>\n", to);
	hex(to, as_hex, d);
	fputs("</div>\n", to);
}

static void
step(FILE *to, const struct test_result *t, const struct exchange *x)
{
	const struct difference *d =
	    x == view_exchange(t) ? t->difference : NULL;

	fprintf(to, "<details class=\"step\"%s><summary>step %u of %zu",
	    d != NULL || t->step_count == 1 ? " open" : "", x->n,
	    t->step_count);
	if (x->client != NULL) {
		fputs(", client ", to);
		escape_markup(to, x->client);
	}
	if (d != NULL)
		fputs(" <b>differs</b>", to);
	fputs("</summary>\n<div class=\"pair\">\n", to);
	half(to, "sent", x->sent_xml, x->sent_hex, NULL);
	half(to, "received", x->received_xml, x->received_hex, d);
	fputs("</div></details>\n", to);
}

static void
difference(FILE *to, const struct difference *d)
{
	fputs("<div class=\"diff\"><div class=\"at mono\"><small>first "
	      "difference",
	    to);
	if (d->at_octet)
		fprintf(to, ", at octet %zu", d->offset_octets);
	if (d->rule != NULL) {
		fputs(", rule ", to);
		escape_markup(to, d->rule);
	}
	fputs("</small>", to);
	escape_markup(to, d->path);
	fputs("</div>\n<div class=\"want mono\"><small>expected</small>", to);
	escape_markup(to, d->expected);
	fputs("</div>\n<div class=\"got mono\"><small>got</small>", to);
	escape_markup(to, d->got);
	fputs("</div></div>\n", to);
}

static void
paragraph(FILE *to, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(to, "<p>%s", name);
	escape_markup(to, text);
	fputs("</p>\n", to);
}

static void
waiver(FILE *to, const struct waiver_note *w)
{
	fputs("<p>Waiver", to);
	if (w->file != NULL) {
		fputs(" at <code>", to);
		escape_markup(to, w->file);
		fprintf(to, ":%u</code>", w->line);
	}
	fputs(", until ", to);
	escape_markup(to, w->expires);
	fputs(": ", to);
	escape_markup(to, w->reason);
	if (w->link != NULL) {
		fputs(" (", to);
		escape_markup(to, w->link);
		fputs(")", to);
	}
	fputs("</p>\n", to);
}

/* What the row says behind the id: the shortest that tells most. */
static void
gist(FILE *to, const struct test_result *t)
{
	if (t->verdict != VERDICT_PASS && t->reason != NULL)
		escape_markup(to, t->reason);
	else if (t->verdict == VERDICT_FAIL && t->difference != NULL &&
		 t->difference->path != NULL)
		escape_markup(to, t->difference->path);
	else if (t->title != NULL)
		escape_markup(to, t->title);
}

static void
row(FILE *to, const struct test_result *t)
{
	fprintf(to, "<span class=\"word\">%s</span><span class=\"ver\">",
	    verdict_word(t->verdict));
	escape_markup(to, t->version);
	fputs("</span><span class=\"id\">", to);
	escape_markup(to, t->id);
	fputs("</span><span class=\"what\">", to);
	gist(to, t);
	fputs("</span>", to);
}

/* Only what somebody has to look at carries its messages: the page stays
 * light, and results.jsonl has them all. */
static void
test(FILE *to, size_t n, const struct test_result *t)
{
	bool shown = verdict_colour(t->verdict) == COLOUR_BAD ||
		     t->verdict == VERDICT_WAIVED;

	if (!shown) {
		fprintf(to,
		    "<div class=\"t %s\" id=\"t%zu\"><div class=\"row\">",
		    verdict_word(t->verdict), n);
		row(to, t);
		fputs("</div></div>\n", to);
		return;
	}
	fprintf(to,
	    "<details class=\"t %s\" id=\"t%zu\"><summary class=\"row\">",
	    verdict_word(t->verdict), n);
	row(to, t);
	fputs("</summary>\n<div class=\"body\">\n", to);
	paragraph(to, "", t->title);
	for (size_t i = 0; i < t->clauses.count; i++)
		paragraph(to, "Clause: ", t->clauses.at[i]);
	paragraph(to, "Mark: ", t->mark);
	if (t->waiver != NULL)
		waiver(to, t->waiver);
	if (t->difference != NULL)
		difference(to, t->difference);
	for (size_t i = 0; i < t->step_count; i++)
		step(to, t, &t->steps[i]);
	if (t->repeat != NULL) {
		fputs("<h3>repeat it alone</h3><div class=\"cmd\"><code>", to);
		escape_markup(to, t->repeat);
		fputs("</code><button hidden>copy</button></div>\n", to);
	}
	fputs("</div></details>\n", to);
}

/* --- the page ------------------------------------------------------------- */

static void
fact(FILE *to, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(to, "<div><dt>%s</dt><dd>", name);
	escape_markup(to, text);
	fputs("</dd></div>\n", to);
}

static const char *
outcome_class(const struct results *r)
{
	return r->tail.exit == 0 ? "good" : r->tail.exit == 1 ? "bad" : "open";
}

static void
top(FILE *to, const struct results *r)
{
	const struct run_head *h = &r->head;
	char number[40];

	fputs("<header><div class=\"wide\"><p><b>Touchstone</b> conformance "
	      "report</p>\n<h1>",
	    to);
	escape_markup(to, h->target.name);
	fprintf(to, " <em class=\"%s\">%s</em></h1>\n<dl class=\"facts\">\n",
	    outcome_class(r), view_outcome(r));
	fact(to, "address", h->target.address);
	fact(to, "started", h->started);
	snprintf(number, sizeof number, "%.1f s", r->tail.ms / 1000);
	fact(to, "took", number);
	fact(to, "suite", h->suite_version);
	snprintf(number, sizeof number, "%llu", (unsigned long long)h->seed);
	fact(to, "seed", number);
	fact(to, "laboratory mode", h->laboratory ? "on" : "off");
	fact(to, "target file, SHA-256", h->target.file_sha256);
	for (size_t i = 0; i < h->vectors.count; i++)
		fact(to, "vectors", h->vectors.at[i]);
	fputs("</dl>\n", to);
	if (h->laboratory)
		fputs(
		    "<p class=\"lab\">Laboratory mode was on: the suite could "
		    "inject faults and set the target's clocks. This is no "
		    "record of a product as delivered.</p>\n",
		    to);
	if (r->incomplete != NULL) {
		fputs("<p class=\"cut\">Incomplete: ", to);
		escape_markup(to, r->incomplete);
		fputs(".</p>\n", to);
	}
	fputs("</div></header>\n", to);
}

/* The filters: everything, everything red, each verdict. */
static void
radio(FILE *to, const char *word, bool checked)
{
	fprintf(to, "<input type=\"radio\" name=\"show\" id=\"show-%s\"%s>\n",
	    word, checked ? " checked" : "");
}

static void
radios(FILE *to, const struct tally *t)
{
	radio(to, "all", tally_bad(t) == 0);
	radio(to, "red", tally_bad(t) > 0);
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		radio(to, verdict_word(v), false);
}

static void
filter(FILE *to, const char *word, const char *meaning, size_t count)
{
	fprintf(to,
	    "<label for=\"show-%s\" class=\"%s%s\" title=\"%s\"><b>%zu</b> "
	    "%s</label>\n",
	    word, word, count == 0 ? " none" : "", meaning, count, word);
}

static void
filters(FILE *to, const struct tally *t)
{
	fputs("<nav><div class=\"wide\">\n", to);
	filter(to, "all", "every test", tally_all(t));
	filter(to, "red", "every test that makes the run red", tally_bad(t));
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		filter(to, verdict_word(v), verdict_meaning(v), t->count[v]);
	fputs("<input type=\"search\" id=\"find\" hidden placeholder=\"find a "
	      "test\" aria-label=\"find a test\">\n</div></nav>\n",
	    to);
}

/* The rules that depend on the list of verdicts. */
static void
filter_chosen(FILE *to, const char *word)
{
	fprintf(to,
	    "#show-%s:checked~nav label[for=show-%s]{border-color:var(--c,"
	    "var(--ink));box-shadow:inset 0 0 0 1px var(--c,var(--ink))}\n"
	    "#show-%s:focus-visible~nav label[for=show-%s]{outline:2px solid "
	    "var(--link);outline-offset:2px}\n",
	    word, word, word, word);
}

static void
filter_rules(FILE *to)
{
	filter_chosen(to, "all");
	filter_chosen(to, "red");
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		const char *w = verdict_word(v);

		filter_chosen(to, w);
		fprintf(to,
		    "#show-%s:checked~main .t:not(.%s){display:none}\n"
		    "#show-%s:checked~main .sq:not(.%s){opacity:.16}\n",
		    w, w, w, w);
		if (verdict_colour(v) != COLOUR_BAD)
			fprintf(to,
			    "#show-red:checked~main .t.%s{display:none}\n", w);
	}
}

static void
sum(FILE *to, const struct tally *t)
{
	size_t tried = tally_judged(t) + t->count[VERDICT_UNKNOWN];

	if (tried > 0)
		fprintf(to, "%zu/%zu", t->count[VERDICT_PASS], tried);
}

static void
squares(FILE *to, const struct view *v, const char *version, const char *family)
{
	size_t count, first = view_find(v, version, family, &count);

	fputs("<td><div class=\"squares\">", to);
	for (size_t i = first; i < first + count; i++) {
		const struct test_result *t = v->test[i];

		fprintf(to, "<a class=\"sq %s\" href=\"#t%zu\" title=\"",
		    verdict_word(t->verdict), i);
		escape_attribute(to, t->id);
		fprintf(to, ": %s\"></a>", verdict_word(t->verdict));
	}
	fputs("</div></td>", to);
}

static bool
is_family(const struct test_result *t, const char *family)
{
	return strcmp(t->family, family) == 0;
}

static struct tally
tally_of(const struct view *v, const char *version, const char *family)
{
	struct tally t = {{0}};

	for (size_t i = 0; i < v->test_count; i++)
		if ((family == NULL || is_family(v->test[i], family)) &&
		    (version == NULL ||
			strcmp(v->test[i]->version, version) == 0))
			t.count[v->test[i]->verdict]++;
	return t;
}

static void
matrix(FILE *to, const struct view *v)
{
	struct tally t;

	fputs("<h2>Cases <small>by family and protocol version; each square is "
	      "one test, the numbers are passed of judged</small></h2>\n"
	      "<div class=\"scroll\"><table class=\"matrix\"><thead><tr>"
	      "<th>family</th>",
	    to);
	for (size_t j = 0; j < v->version_count; j++) {
		fputs("<th>", to);
		escape_markup(to, v->version[j]);
		fputs("</th>", to);
	}
	fputs("<th class=\"sum\">all</th></tr></thead><tbody>\n", to);
	for (size_t i = 0; i < v->family_count; i++) {
		fputs("<tr><th>", to);
		escape_markup(to, v->family[i]);
		fputs("</th>", to);
		for (size_t j = 0; j < v->version_count; j++)
			squares(to, v, v->version[j], v->family[i]);
		fputs("<td class=\"sum\">", to);
		t = tally_of(v, NULL, v->family[i]);
		sum(to, &t);
		fputs("</td></tr>\n", to);
	}
	fputs("</tbody><tfoot><tr><th>all</th>", to);
	for (size_t j = 0; j < v->version_count; j++) {
		fputs("<td>", to);
		t = tally_of(v, v->version[j], NULL);
		sum(to, &t);
		fputs("</td>", to);
	}
	fputs("<td class=\"sum\">", to);
	t = tally_of(v, NULL, NULL);
	sum(to, &t);
	fputs("</td></tr></tfoot></table></div>\n", to);
}

static void
mark_table(FILE *to, const struct view *v)
{
	const struct mark *m;

	if (!view_has_marks(v))
		return;
	fputs("<h2>Marks <small>of NAE-XML: how well it is known what the "
	      "appliance does</small></h2>\n<div class=\"scroll\">"
	      "<table class=\"matrix\"><tbody>\n",
	    to);
	for (size_t i = 0; (m = view_mark(i)) != NULL; i++) {
		struct tally t = view_mark_tally(v, m);

		fprintf(to, "<tr><th>%s %s</th><td>%s</td><td class=\"sum\">",
		    m->letter, m->word, m->meaning);
		sum(to, &t);
		fputs("</td></tr>\n", to);
	}
	fputs("</tbody></table></div>\n", to);
}

static void
list(FILE *to, const char *title, const char *small, const struct texts *texts)
{
	if (texts->count == 0)
		return;
	fprintf(to,
	    "<h2>%s <small>%s</small></h2>\n<div class=\"plain\"><ul>\n", title,
	    small);
	for (size_t i = 0; i < texts->count; i++) {
		fputs("<li>", to);
		escape_markup(to, texts->at[i]);
		fputs("</li>\n", to);
	}
	fputs("</ul></div>\n", to);
}

static void
bottom(FILE *to)
{
	fputs("<footer><div class=\"wide\"><dl>\n", to);
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		fprintf(to, "<dt class=\"%s\">%s</dt><dd>%s</dd>\n",
		    verdict_word(v), verdict_word(v), verdict_meaning(v));
	fputs("</dl>\nMade from results.jsonl, which holds every message. "
	      "<code>touchstone report DIR</code> makes this page again."
	      "</div></footer>\n",
	    to);
}

static void
page(FILE *to, const struct results *r, const struct view *v)
{
	fputs(
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "\n<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<title>Touchstone: ",
	    to);
	escape_markup(to, r->head.target.name);
	fprintf(to, " %s</title>\n<style>\n%s", view_outcome(r), css);
	filter_rules(to);
	fputs("</style></head>\n<body>\n", to);
	top(to, r);
	radios(to, &r->tail.tally);
	filters(to, &r->tail.tally);
	fputs("<main class=\"wide\">\n", to);
	matrix(to, v);
	mark_table(to, v);
	fputs("<h2>Tests</h2>\n", to);
	for (size_t i = 0; i < v->test_count; i++)
		test(to, i, v->test[i]);
	list(to, "Unproven claims", "what the target claims and no test proved",
	    &r->tail.unproven);
	list(to, "Notes", "", &r->tail.notes);
	fputs("</main>\n", to);
	bottom(to);
	fprintf(to, "<script>\n%s</script>\n</body></html>\n", js);
}

enum err
report_html(FILE *to, const struct results *r)
{
	struct view *v = NULL;
	enum err rc = OK;

	TRY(view_new(r, &v));
	page(to, r, v);
	if (fflush(to) != 0 || ferror(to) != 0)
		rc = ERR_WRITE;
out:
	view_free(v);
	return rc;
}

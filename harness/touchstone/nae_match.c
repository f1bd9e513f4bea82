#include "nae_match.h"

#include <ctype.h>
#include <string.h>

struct matcher {
	struct arena *a;
	const struct nae_expected *x;
	struct nae_vars *v;
	const struct rules *rules;
	struct finding *f;
};

/* --- text ---------------------------------------------------------------- */

/* A date: yyyy-mm-dd hh:mm:ss, a digit for each 9. */
static bool
is_date(const char *text)
{
	static const char form[] = "9999-99-99 99:99:99";

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '9' ? !isdigit((unsigned char)text[i])
				   : text[i] != form[i])
			return false;
	return true;
}

/* Blocks of that label, and nothing between them but line ends. */
static bool
is_pem(struct arena *a, const char *text, const char *label)
{
	const char *begin = arena_printf(a, "-----BEGIN %s-----\n", label);
	const char *end = arena_printf(a, "\n-----END %s-----", label);

	do {
		if (strncmp(text, begin, strlen(begin)) != 0)
			return false;
		text += strlen(begin);
		if (strstr(text, end) == NULL)
			return false;
		for (; text < strstr(text, end); text++)
			if (!isalnum((unsigned char)*text) &&
			    strchr("+/=\n", *text) == NULL)
				return false;
		text += strlen(end);
		text += *text == '\n';
	} while (*text != 0);
	return true;
}

static bool
is_all_of(const char *text, const char *set)
{
	return *text != 0 && strspn(text, set) == strlen(text);
}

/* Is this what the mark stands for? */
static bool
fits(struct matcher *m, const struct nae_piece *p, const char *text)
{
	const struct bytes *value;

	if (p->kind == PIECE_UPPER_HEX)
		return strlen(text) == p->count &&
		       is_all_of(text, "0123456789ABCDEF");
	if (p->kind == PIECE_NUMBER)
		return is_all_of(text, "0123456789");
	if (p->kind == PIECE_DATE)
		return is_date(text);
	if (p->kind == PIECE_PEM)
		return is_pem(m->a, text, p->name);
	if (p->kind == PIECE_BOOLEAN)
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	if (p->kind != PIECE_VARIABLE)
		return p->count == 0 || strlen(text) == p->count;
	value = nae_vars_find(m->v, p->name);
	if (value != NULL)
		return bytes_equal(*value, bytes_of_text(text));
	nae_vars_bind(m->v, p->name, bytes_of_text(text));
	return true;
}

/* The mark in a text, and where; NULL: it has none. */
static const struct nae_piece *
find_mark(const struct matcher *m, const char *text, size_t *at)
{
	size_t i;

	for (*at = 0; text[*at] != 0; ++*at)
		if (nae_mark_at(text + *at, &i))
			return m->x->marks[i];
	return NULL;
}

/* The expected text as the case has it. */
static const char *
as_written(struct matcher *m, const char *text)
{
	size_t at;
	const struct nae_piece *mark = find_mark(m, text, &at);

	if (mark == NULL)
		return text;
	return arena_printf(m->a, "%.*s%s%s", (int)at, text, mark->source,
	    text + at + NAE_MARK_OCTETS);
}

static bool
text_fits(struct matcher *m, const char *expected, const char *got)
{
	size_t before, behind, all = strlen(got);
	const struct nae_piece *mark = find_mark(m, expected, &before);
	const char *tail;

	if (mark == NULL)
		return strcmp(expected, got) == 0;
	tail = expected + before + NAE_MARK_OCTETS;
	behind = strlen(tail);
	return all >= before + behind && strncmp(expected, got, before) == 0 &&
	       strcmp(got + all - behind, tail) == 0 &&
	       fits(m, mark,
		   arena_printf(m->a, "%.*s", (int)(all - before - behind),
		       got + before));
}

static bool
is_anything(struct matcher *m, const char *text)
{
	size_t at;
	const struct nae_piece *mark = find_mark(m, text, &at);

	return mark != NULL && mark->kind == PIECE_ANY && mark->count == 0 &&
	       strlen(text) == NAE_MARK_OCTETS;
}

/* --- data ---------------------------------------------------------------- */

/* Where the octet i of the data stands in what came. */
static size_t
offset_of(const struct nae_message *got, size_t i)
{
	for (size_t k = 0; k < got->chunk_count; k++) {
		const struct nae_chunk *c = &got->chunks[k];

		if (i < c->octets.octets)
			return c->offset + i;
		i -= c->octets.octets;
	}
	return got->root->offset + got->octets;
}

static enum err
data_differs(struct matcher *m, const struct nae_message *got, enum err kind,
    size_t at, const struct nae_piece *p)
{
	size_t octets = 0;

	for (size_t i = 0; i < got->chunk_count; i++)
		octets += got->chunks[i].octets.octets;
	finding_expected(m->f, "octet %zu of data: %s", at, p->source);
	finding_got(m->f, "%zu octets", octets);
	return nae_finding(m->f, kind, got->root, offset_of(got, at));
}

/* A piece whose octets are known. */
static bool
octet_of(
    const struct matcher *m, const struct nae_piece *p, size_t i, uint8_t *out)
{
	const struct bytes *value;

	if (p->kind == PIECE_FILL) {
		*out = p->octet;
	} else if (p->kind == PIECE_COUNTING) {
		*out = (uint8_t)i;
	} else if (p->kind == PIECE_VARIABLE) {
		value = nae_vars_find(m->v, p->name);
		*out = value->at[i];
	} else if (p->kind == PIECE_ANY) {
		return false;
	} else {
		*out = p->octets.at[i];
	}
	return true;
}

static size_t
octets_of(const struct matcher *m, const struct nae_piece *p, size_t left)
{
	const struct bytes *value;

	if (p->kind == PIECE_FILL || p->kind == PIECE_COUNTING)
		return p->count;
	if (p->kind == PIECE_ANY)
		return p->count > 0 ? p->count : left;
	if (p->kind != PIECE_VARIABLE)
		return p->octets.octets;
	value = nae_vars_find(m->v, p->name);
	return value->octets;
}

static enum err
match_chunks(struct matcher *m, const struct nae_message *got,
    const struct nae_piece *data)
{
	for (size_t i = 0; data->chunk_octets > 0 && i < got->chunk_count;
	     i++) {
		const struct nae_chunk *c = &got->chunks[i];
		bool is_last = i + 1 == got->chunk_count;

		if (c->octets.octets == data->chunk_octets ||
		    (is_last && c->octets.octets < data->chunk_octets))
			continue;
		finding_expected(m->f, "chunk %zu: %zu octets%s", i,
		    data->chunk_octets, is_last ? " or fewer" : "");
		finding_got(m->f, "%zu octets", c->octets.octets);
		return nae_finding(m->f, ERR_LENGTH, got->root, c->offset);
	}
	return OK;
}

static enum err
match_data(struct matcher *m, const struct nae_message *expected,
    const struct nae_message *got)
{
	const struct nae_piece *data, *p;
	struct bytes all = nae_data(m->a, got);
	size_t at = 0, i, k;
	uint8_t octet;

	if (expected->chunk_count != 1 ||
	    !nae_mark_at((const char *)expected->chunks[0].octets.at, &i)) {
		finding_expected(m->f, "{data ...} in the case");
		return nae_finding(m->f, ERR_SYNTAX, got->root, 0);
	}
	data = m->x->marks[i];
	for (p = data->inner; p != NULL; p = p->next) {
		if (p->kind == PIECE_VARIABLE &&
		    nae_vars_find(m->v, p->name) == NULL)
			nae_vars_bind(m->v, p->name,
			    (struct bytes){all.at + at, all.octets - at});
		k = octets_of(m, p, all.octets - at);
		for (i = 0; i < k; i++) {
			if (at + i >= all.octets)
				return data_differs(
				    m, got, ERR_LENGTH, at + i, p);
			if (octet_of(m, p, i, &octet) &&
			    octet != all.at[at + i])
				return data_differs(
				    m, got, ERR_VALUE, at + i, p);
		}
		at += k;
	}
	if (at < all.octets) {
		finding_expected(m->f, "%zu octets of data", at);
		finding_got(m->f, "%zu octets", all.octets);
		return nae_finding(
		    m->f, ERR_LENGTH, got->root, offset_of(got, at));
	}
	return match_chunks(m, got, data);
}

/* --- elements ------------------------------------------------------------ */

static enum err match_element(struct matcher *m,
    const struct nae_element *expected, struct nae_element *got);

/* What only our own table of errors says. */
static bool
is_error(const struct nae_element *e)
{
	return strcmp(e->name, "ErrorID") == 0 ||
	       strcmp(e->name, "ErrorString") == 0;
}

static bool
is_other_error(const struct matcher *m, const struct nae_element *e)
{
	return is_error(e) && rule_is_on(m->rules, RULE_NAE_ERROR);
}

static bool
is_more(const struct nae_element *e)
{
	return strcmp(e->name, NAE_MORE) == 0;
}

static void
untake(struct nae_element *e)
{
	e->is_taken = false;
	for (e = e->first; e != NULL; e = e->next)
		untake(e);
}

/*
 * The element among the children that is the expected one: the first of its
 * name; where several have it and others may stand between them, the first
 * that matches.
 */
static enum err
take_one(struct matcher *m, const struct nae_element *e,
    struct nae_element *parent, bool has_more, struct nae_element **out)
{
	struct nae_element *first = NULL;
	enum err rc = OK;

	for (struct nae_element *g = parent->first; g != NULL; g = g->next) {
		size_t mark = nae_vars_mark(m->v);

		if (g->is_taken || strcmp(g->name, e->name) != 0)
			continue;
		first = first == NULL ? g : first;
		*out = g;
		rc = match_element(m, e, g);
		if (rc == OK || !has_more)
			break;
		nae_vars_return(m->v, mark);
		untake(g);
	}
	if (first == NULL) {
		*out = NULL;
		finding_expected(m->f, "<%s>", e->name);
		finding_got(m->f, "(absent)");
		return nae_finding(m->f, ERR_MISSING, parent, parent->offset);
	}
	(*out)->is_taken = rc == OK;
	return rc;
}

/* The first child that no expected one took. */
static struct nae_element *
surplus(const struct nae_element *parent)
{
	for (struct nae_element *g = parent->first; g != NULL; g = g->next)
		if (!g->is_taken)
			return g;
	return NULL;
}

static enum err
match_children(struct matcher *m, const struct nae_element *expected,
    struct nae_element *got)
{
	bool has_more = nae_find(expected, NAE_MORE) != NULL;
	const char *before = "";
	size_t last = 0;
	struct nae_element *g;
	enum err rc = OK;

	for (const struct nae_element *e = expected->first; e != NULL;
	     e = e->next) {
		if (is_more(e) ||
		    (is_other_error(m, e) && nae_find(got, e->name) == NULL))
			continue;
		TRY(take_one(m, e, got, has_more, &g));
		/* of a list that has others too no order is known */
		if (has_more && strcmp(before, e->name) == 0)
			continue;
		before = e->name;
		if (g->offset < last && !rule_is_on(m->rules, RULE_NAE_ORDER)) {
			m->f->rule = rule_name(RULE_NAE_ORDER);
			finding_expected(m->f, "<%s> further up", g->name);
			finding_got(m->f, "<%s> here", g->name);
			return nae_finding(m->f, ERR_ORDER, g, g->offset);
		}
		last = g->offset;
	}
	g = surplus(got);
	if (g != NULL && !has_more) {
		finding_expected(m->f, "(absent)");
		finding_got(m->f, "<%s>", g->name);
		return nae_finding(m->f, ERR_SURPLUS, g, g->offset);
	}
out:
	return rc;
}

static enum err
match_element(struct matcher *m, const struct nae_element *expected,
    struct nae_element *got)
{
	const char *written;
	size_t same = 0;

	if (is_anything(m, expected->text))
		return OK;
	if (expected->first != NULL || got->first != NULL)
		return match_children(m, expected, got);
	if (text_fits(m, expected->text, got->text) || is_other_error(m, got))
		return OK;
	if (is_error(got))
		m->f->rule = rule_name(RULE_NAE_ERROR);
	written = as_written(m, expected->text);
	while (written[same] != 0 && written[same] == got->text[same])
		same++;
	finding_expected(m->f, "%s", written);
	finding_got(m->f, "%s", got->text);
	return nae_finding(m->f, ERR_VALUE, got, got->text_offset + same);
}

enum err
nae_match(struct arena *a, const struct nae_expected *x,
    const struct nae_message *expected, struct nae_message *got,
    struct nae_vars *v, const struct rules *rules, struct finding *f)
{
	struct matcher m = {a, x, v, rules, f};
	enum err rc;

	*f = (struct finding){0};
	if (strcmp(expected->root->name, got->root->name) != 0) {
		finding_expected(f, "<%s>", expected->root->name);
		finding_got(f, "<%s>", got->root->name);
		return nae_finding(f, ERR_TAG, NULL, got->root->offset);
	}
	if (got->has_blank && !rule_is_on(rules, RULE_NAE_BLANKS)) {
		f->rule = rule_name(RULE_NAE_BLANKS);
		finding_expected(f, "an element");
		finding_got(f, "white space");
		return nae_finding(f, ERR_SYNTAX, got->root, got->blank);
	}
	rc = nae_is_data(got) ? match_data(&m, expected, got)
			      : match_element(&m, expected->root, got->root);
	if (rc == OK)
		*f = (struct finding){0}; /* of tries that failed */
	return rc;
}

/* --- every answer -------------------------------------------------------- */

static bool
says(const struct nae_element *root, const char *name, const char *text)
{
	const char *got = nae_text(root, name);

	return got != NULL && strcmp(got, text) == 0;
}

bool
nae_is_failure(const struct nae_message *m)
{
	return says(m->root, "Success", "false");
}

bool
nae_is_fatal(const struct nae_message *m)
{
	return nae_is_failure(m) && says(m->root, "FatalError", "true");
}

static enum err
check_boolean(
    const struct nae_element *root, const char *name, struct finding *f)
{
	const struct nae_element *e = nae_find(root, name);

	finding_expected(f, "<%s>: true or false", name);
	finding_got(f, "%s", e == NULL ? "(absent)" : e->text);
	if (e == NULL)
		return nae_finding(f, ERR_MISSING, root, root->offset);
	if (!says(root, name, "true") && !says(root, name, "false"))
		return nae_finding(f, ERR_VALUE, e, e->text_offset);
	return OK;
}

enum err
nae_check_envelope(const struct nae_message *got, struct finding *f)
{
	static const char end[] = "Response";
	const struct nae_element *root = got->root;
	size_t octets = strlen(root->name);
	enum err rc = OK;

	*f = (struct finding){0};
	if (nae_is_data(got))
		return OK;
	if (octets < sizeof end ||
	    strcmp(root->name + octets - strlen(end), end) != 0) {
		finding_expected(f, "<...Response>");
		finding_got(f, "<%s>", root->name);
		return nae_finding(f, ERR_TAG, NULL, root->offset);
	}
	TRY(check_boolean(root, "Success", f));
	if (!nae_is_failure(got))
		goto out;
	TRY(check_boolean(root, "FatalError", f));
	if (nae_text(root, "ErrorString") == NULL ||
	    *nae_text(root, "ErrorString") == 0) {
		finding_expected(f, "<ErrorString>");
		finding_got(f, "(absent)");
		TRY(nae_finding(f, ERR_MISSING, root, root->offset));
	}
out:
	if (rc == OK)
		*f = (struct finding){0};
	return rc;
}

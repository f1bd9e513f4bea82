#include "nae.h"

#include "hex.h"
#include "show.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct arena *a;
	const uint8_t *at;
	size_t start, pos, end;
	size_t need;
	struct nae_message *m;
	struct nae_element *open; /* the innermost */
	unsigned depth;
	struct finding *f;
};

/* --- elements ------------------------------------------------------------ */

bool
nae_is_data(const struct nae_message *m)
{
	return strcmp(m->root->name, NAE_DATA) == 0;
}

struct nae_element *
nae_find(const struct nae_element *e, const char *name)
{
	for (struct nae_element *c = e->first; c != NULL; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const char *
nae_text(const struct nae_element *e, const char *name)
{
	const struct nae_element *c = nae_find(e, name);

	return c == NULL ? NULL : c->text;
}

struct bytes
nae_data(struct arena *a, const struct nae_message *m)
{
	struct buf all = {0};
	struct bytes out;

	for (size_t i = 0; i < m->chunk_count; i++)
		buf_put(&all, m->chunks[i].octets);
	out = (struct bytes){arena_copy(a, buf_peek(&all)), all.octets};
	buf_clear(&all);
	return out;
}

void
nae_path(const struct nae_element *e, char *out, size_t room)
{
	size_t octets = 0;
	unsigned before = 0;

	if (e->parent != NULL) {
		nae_path(e->parent, out, room);
		octets = strlen(out);
		for (const struct nae_element *c = e->parent->first;
		     c != NULL && c != e; c = c->next)
			before += strcmp(c->name, e->name) == 0;
	}
	snprintf(out + octets, room - octets, before > 0 ? "%s%s[%u]" : "%s%s",
	    octets > 0 ? "/" : "", e->name, before);
}

enum err
nae_finding(struct finding *f, enum err kind, const struct nae_element *at,
    size_t offset)
{
	f->kind = kind;
	f->offset = offset;
	f->path[0] = 0;
	if (at != NULL)
		nae_path(at, f->path, sizeof f->path);
	if (f->path[0] == 0)
		snprintf(f->path, sizeof f->path, "(root)");
	return kind;
}

/* --- reading ------------------------------------------------------------- */

static enum err
fail(struct reader *r, enum err kind, const char *expected)
{
	struct buf got = {0}, hex = {0};
	size_t left = r->end - r->pos, octets = left < 24 ? left : 24;
	enum err rc = nae_finding(r->f, kind, r->open, r->pos);

	finding_expected(r->f, "%s", expected);
	nae_show(
	    (struct bytes){r->at + r->pos, octets}, SHOW_SECRETS, &hex, &got);
	finding_got(r->f, "%s", buf_peek_text(&got));
	buf_clear(&got);
	buf_clear(&hex);
	return rc;
}

/* So many octets must be there behind the place. */
static enum err
have(struct reader *r, size_t octets)
{
	if (r->end - r->pos >= octets)
		return OK;
	r->need = octets - (r->end - r->pos);
	return ERR_TRUNCATED;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space beside elements: a rule may forbid it. */
static void
note_blank(struct reader *r, size_t offset)
{
	if (!r->m->has_blank)
		r->m->blank = offset;
	r->m->has_blank = true;
}

static void
skip_blanks(struct reader *r)
{
	if (r->pos < r->end && is_blank(r->at[r->pos]))
		note_blank(r, r->pos);
	while (r->pos < r->end && is_blank(r->at[r->pos]))
		r->pos++;
}

static bool
is_name(uint8_t c, bool first)
{
	return isalpha(c) || c == '_' || (!first && isdigit(c));
}

/* A name and the `>` that ends its tag. */
static enum err
read_name(struct reader *r, const char **out, bool *is_empty)
{
	size_t start = r->pos;
	enum err rc = OK;

	*is_empty = false;
	*out = "";
	TRY(have(r, 1));
	while (is_name(r->at[r->pos], r->pos == start)) {
		r->pos++;
		TRY(have(r, 1));
	}
	if (r->pos == start)
		return fail(r, ERR_SURPLUS, "the name of an element");
	*out = arena_printf(
	    r->a, "%.*s", (int)(r->pos - start), (const char *)r->at + start);
	if (r->at[r->pos] == '/') {
		*is_empty = true;
		r->pos++;
		TRY(have(r, 1));
	}
	if (r->at[r->pos] != '>')
		return fail(r, ERR_SURPLUS, "`>`: no attributes");
	r->pos++;
out:
	return rc;
}

/* One code point, as UTF-8. */
static void
put_code(struct buf *out, unsigned long c)
{
	uint8_t u[4];
	size_t octets = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = octets; i > 1; i--, c >>= 6)
		u[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
	u[0] = (uint8_t)(lead[octets == 1 ? 0 : octets] | c);
	buf_put(out, (struct bytes){u, octets});
}

static bool
is_character(unsigned long c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
	       (c >= 0x10000 && c < 0x110000);
}

/* Behind the `&`. */
static enum err
read_reference(struct reader *r, struct buf *out)
{
	static const struct {
		const char *name;
		unsigned long code;
	} five[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"apos", '\''},
	    {"quot", '"'}};
	char name[12];
	size_t octets = 0;
	unsigned long code = 0;
	char *end;
	enum err rc = OK;

	for (;; octets++) {
		TRY(have(r, octets + 2));
		name[octets] = (char)r->at[r->pos + 1 + octets];
		if (name[octets] == ';')
			break;
		if (octets + 1 == sizeof name || !isalnum(name[octets] & 0x7f))
			if (name[octets] != '#' || octets != 0)
				return fail(r, ERR_SYNTAX, "a reference");
	}
	name[octets] = 0;
	for (size_t i = 0; i < sizeof five / sizeof *five; i++)
		if (strcmp(name, five[i].name) == 0)
			code = five[i].code;
	if (name[0] == '#' && isxdigit((unsigned char)name[1]))
		code = strtoul(name + 1, &end, 10);
	else if (name[0] == '#' && name[1] == 'x' &&
		 isxdigit((unsigned char)name[2]))
		code = strtoul(name + 2, &end, 16);
	else
		end = name + octets;
	if (*end != 0 || !is_character(code))
		return fail(r, ERR_SYNTAX, "a reference");
	put_code(out, code);
	r->pos += octets + 2;
out:
	return rc;
}

/* Text up to the next `<`. */
static enum err
read_text(struct reader *r)
{
	struct nae_element *e = r->open;
	struct buf text = {0};
	size_t start = r->pos, bad;
	bool is_only_blank = true;
	enum err rc = OK;

	for (;;) {
		TRY(have(r, 1));
		if (r->at[r->pos] == '<')
			break;
		is_only_blank &= is_blank(r->at[r->pos]);
		if (r->at[r->pos] == '&') {
			TRY(read_reference(r, &text));
			continue;
		}
		if (r->at[r->pos] == '>')
			TRY(fail(r, ERR_SYNTAX, "`>` as a reference"));
		if (r->at[r->pos] < 0x20 && !is_blank(r->at[r->pos]))
			TRY(fail(r, ERR_SYNTAX, "no control character"));
		buf_put(&text, (struct bytes){r->at + r->pos, 1});
		r->pos++;
	}
	if (!bytes_is_utf8(
		(struct bytes){r->at + start, r->pos - start}, &bad)) {
		r->pos = start + bad;
		TRY(fail(r, ERR_UTF8, "UTF-8"));
	}
	TRY(have(r, 2));
	if (e->first == NULL && r->at[r->pos + 1] == '/') {
		e->text = arena_strdup(r->a, buf_peek_text(&text));
	} else if (!is_only_blank) {
		r->pos = start;
		TRY(fail(r, ERR_TYPE, "an element, no text beside it"));
	} else if (text.octets > 0) {
		note_blank(r, start);
	}
out:
	buf_clear(&text);
	return rc;
}

static enum err
open_element(struct reader *r, const char *name, size_t offset)
{
	struct nae_element *e;

	if (r->depth == NAE_MAX_DEPTH) {
		r->pos = offset;
		return fail(r, ERR_DEPTH, "elements less deep");
	}
	e = ARENA_NEW(r->a, struct nae_element);
	e->name = name;
	e->text = "";
	e->offset = offset;
	e->text_offset = r->pos;
	e->parent = r->open;
	if (r->open == NULL)
		r->m->root = e;
	else if (r->open->first == NULL)
		r->open->first = r->open->last = e;
	else
		r->open->last = r->open->last->next = e;
	r->open = e;
	r->depth++;
	return OK;
}

static void
close_element(struct reader *r)
{
	r->open = r->open->parent;
	r->depth--;
}

/* A tag, from its `<` on. */
static enum err
read_tag(struct reader *r)
{
	size_t offset = r->pos;
	const char *name;
	bool is_close, is_empty;
	enum err rc = OK;

	TRY(have(r, 2));
	is_close = r->at[r->pos + 1] == '/';
	r->pos += is_close ? 2 : 1;
	TRY(read_name(r, &name, &is_empty));
	if (!is_close) {
		TRY(open_element(r, name, offset));
		if (is_empty)
			close_element(r);
		goto out;
	}
	if (r->open == NULL || is_empty || strcmp(name, r->open->name) != 0) {
		r->pos = offset;
		TRY(fail(r, ERR_TAG, "the end of the element that is open"));
	}
	close_element(r);
out:
	return rc;
}

static bool
is_next(const struct reader *r, const char *text)
{
	size_t octets = strlen(text), left = r->end - r->pos;

	return memcmp(r->at + r->pos, text, left < octets ? left : octets) == 0;
}

/* The literal text, which must stand here. */
static enum err
read_literal(struct reader *r, const char *text)
{
	enum err rc = OK;

	if (!is_next(r, text))
		return fail(r, ERR_SYNTAX, text);
	TRY(have(r, strlen(text)));
	r->pos += strlen(text);
out:
	return rc;
}

static enum err
read_size(struct reader *r, size_t *out)
{
	enum err rc = OK;
	size_t start;

	*out = 0;
	TRY(read_literal(r, "<Size>"));
	for (start = r->pos;; r->pos++) {
		TRY(have(r, 1));
		if (!isdigit(r->at[r->pos]))
			break;
		*out = *out * 10 + (size_t)(r->at[r->pos] - '0');
		if (*out > NAE_MAX_CHUNK_OCTETS)
			return fail(r, ERR_SIZE, "a smaller chunk");
	}
	if (r->pos == start)
		return fail(r, ERR_SYNTAX, "a size");
	TRY(read_literal(r, "</Size>"));
out:
	return rc;
}

/* The chunks behind <Data>, up to its end. */
static enum err
read_chunks(struct reader *r)
{
	struct nae_chunk *chunks = NULL;
	size_t count = 0, room = 0, all = 0, octets;
	enum err rc = OK;

	for (;;) {
		skip_blanks(r);
		TRY(have(r, 2));
		if (r->at[r->pos] == '<' && r->at[r->pos + 1] == '/')
			break;
		TRY(read_size(r, &octets));
		TRY(have(r, octets));
		if (count == room) {
			struct nae_chunk *more;

			room = room == 0 ? 4 : 2 * room;
			more = ARENA_ARRAY(r->a, room, struct nae_chunk);
			if (count > 0)
				memcpy(more, chunks, count * sizeof *more);
			chunks = more;
		}
		chunks[count++] =
		    (struct nae_chunk){r->pos, {r->at + r->pos, octets}};
		r->pos += octets;
		all += octets;
		if (all > NAE_MAX_DATA_OCTETS)
			return fail(r, ERR_SIZE, "less data");
	}
	TRY(read_literal(r, "</" NAE_DATA ">"));
	r->m->chunks = chunks;
	r->m->chunk_count = count;
	close_element(r);
out:
	return rc;
}

static enum err
read_root(struct reader *r)
{
	enum err rc = OK;

	skip_blanks(r);
	TRY(have(r, 1));
	if (r->at[r->pos] != '<')
		TRY(fail(r, ERR_SYNTAX, "an element"));
	TRY(read_tag(r));
	if (r->open != NULL && strcmp(r->open->name, NAE_DATA) == 0) {
		TRY(read_chunks(r));
		goto out;
	}
	while (r->open != NULL) {
		TRY(read_text(r));
		TRY(read_tag(r));
		if (r->pos - r->start > NAE_MAX_HEADER_OCTETS)
			TRY(fail(r, ERR_SIZE, "a shorter message"));
	}
out:
	return rc;
}

enum err
nae_read(struct arena *a, struct bytes in, size_t offset,
    struct nae_message *out, size_t *need, struct finding *f)
{
	struct reader r = {.a = a,
	    .at = in.at,
	    .start = offset,
	    .pos = offset,
	    .end = in.octets,
	    .m = out,
	    .f = f};
	enum err rc;

	*out = (struct nae_message){0};
	*f = (struct finding){0};
	*need = 0;
	rc = read_root(&r);
	if (rc == ERR_TRUNCATED && r.need > NAE_MAX_CHUNK_OCTETS)
		rc = fail(&r, ERR_SIZE, "less");
	if (rc == ERR_TRUNCATED && in.octets - offset > NAE_MAX_DATA_OCTETS)
		rc = fail(&r, ERR_SIZE, "a shorter message");
	*need = r.need;
	out->octets = r.pos - offset;
	return rc;
}

/* --- writing ------------------------------------------------------------- */

void
nae_escape(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.octets; i++) {
		switch (text.at[i]) {
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '&':
			buf_text(out, "&amp;");
			break;
		default:
			buf_put(out, (struct bytes){text.at + i, 1});
		}
	}
}

void
nae_put_auth(struct buf *out, struct bytes user, struct bytes password)
{
	buf_text(out, "<AuthRequest><User>");
	nae_escape(out, user);
	buf_text(out, "</User><Passwd>");
	nae_escape(out, password);
	buf_text(out, "</Passwd></AuthRequest>");
}

void
nae_put_data(struct buf *out, struct bytes data, size_t chunk_octets)
{
	if (chunk_octets == 0)
		chunk_octets = NAE_MAX_CHUNK_OCTETS;
	buf_text(out, "<" NAE_DATA ">");
	do {
		struct bytes chunk = data;

		if (chunk.octets > chunk_octets)
			chunk.octets = chunk_octets;
		buf_printf(out, "<Size>%zu</Size>", chunk.octets);
		buf_put(out, chunk);
		data.at += chunk.octets;
		data.octets -= chunk.octets;
	} while (data.octets > 0);
	buf_text(out, "</" NAE_DATA ">");
}

/* --- showing ------------------------------------------------------------- */

static const char *const secret_tags[] = {
    "<Passwd>", "<Password>", "<KeyData>"};

/* Octets of a secret at `at`, of what follows its tag; 0: there is none. */
static size_t
secret_at(struct bytes in, size_t at)
{
	for (size_t i = 0; i < sizeof secret_tags / sizeof *secret_tags; i++) {
		size_t octets = strlen(secret_tags[i]);
		const uint8_t *end;

		if (at < octets ||
		    memcmp(in.at + at - octets, secret_tags[i], octets) != 0)
			continue;
		end = memchr(in.at + at, '<', in.octets - at);
		return end == NULL ? in.octets - at
				   : (size_t)(end - in.at) - at;
	}
	return 0;
}

static bool
is_printable(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || is_blank(c);
}

/* A run of octets that are no text; four or more of text end it. */
static size_t
binary_run(struct bytes in, size_t at)
{
	size_t end = at, text = 0;

	for (; end < in.octets && text < 4; end++)
		text = is_printable(in.at[end]) ? text + 1 : 0;
	return end - at - text;
}

void
nae_show(struct bytes in, unsigned flags, struct buf *hex, struct buf *text)
{
	size_t left = 0, shown = in.octets, run;

	if (shown > NAE_SHOW_OCTETS)
		shown = NAE_SHOW_OCTETS;
	for (size_t at = 0; at < shown; at++) {
		if (left == 0 && (flags & SHOW_SECRETS) == 0)
			left = secret_at(in, at);
		if (left > 0) {
			buf_text(hex, "**");
			left--;
			if (left == 0)
				buf_text(text, "***");
			continue;
		}
		run =
		    is_printable(in.at[at])
			? 0
			: binary_run((struct bytes){in.at + at, shown - at}, 0);
		if (run == 0) {
			hex_write((struct bytes){in.at + at, 1}, hex);
			buf_put(text, (struct bytes){in.at + at, 1});
			continue;
		}
		hex_write((struct bytes){in.at + at, run}, hex);
		buf_text(text, "{hex ");
		hex_write((struct bytes){in.at + at, run}, text);
		buf_text(text, "}");
		at += run - 1;
	}
	if (shown < in.octets)
		buf_printf(text, "... %zu octets", in.octets);
}

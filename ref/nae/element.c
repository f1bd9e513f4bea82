#include "nae/element.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "nae/frame.h"
#include "nae/text.h"

enum {
	TEXT_OCTETS = 64 << 10,
	LONG_OCTETS = 512 << 10,
	REFERENCE_OCTETS = 12, /* the longest: "&#x0010FFFF;" */
};

enum rule { NORMAL, RAW };

struct name_row {
	const char *name;
	uint32_t octets;
	uint32_t most_octets;
	enum rule rule;
};

static const struct name_row names[EL_COUNT] = {
    [EL_UNKNOWN] = {"", 0, TEXT_OCTETS, NORMAL},
#define ELEMENT(symbol, name, most, rule) \
	[symbol] = {name, sizeof(name) - 1, most, rule},
#include "nae/element.def"
#undef ELEMENT
};

const char *
element_word(enum element_name what)
{
	return names[what].name;
}

enum element_name
element_named(struct bytes name)
{
	size_t low = EL_UNKNOWN + 1;
	size_t high = EL_COUNT;

	while (name.octets != 0 && low < high) {
		size_t middle = (low + high) / 2;
		const struct name_row *row = &names[middle];
		size_t common =
		    row->octets < name.octets ? row->octets : name.octets;
		int order = memcmp(name.at, row->name, common);

		if (order == 0 && name.octets == row->octets)
			return (enum element_name)middle;
		if (order < 0 || (order == 0 && name.octets < row->octets))
			high = middle;
		else
			low = middle + 1;
	}
	return EL_UNKNOWN;
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct bytes in; /* what is left */
	struct element *elements;
	size_t room;
	size_t count;
	/* those that are open */
	struct element *open[FRAME_DEPTH];
	unsigned depth;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
all_blank(struct bytes text)
{
	size_t k;

	for (k = 0; k < text.octets; k++) {
		if (!is_blank(text.at[k]))
			return false;
	}
	return true;
}

/* spec: xml-1.0 2.2, the production Char */
static bool
is_character(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
	       (c >= 0x10000 && c <= 0x10ffff);
}

static size_t
utf8_put(uint8_t *at, uint32_t c)
{
	if (c < 0x80) {
		at[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		at[0] = (uint8_t)(0xc0 | c >> 6);
		at[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		at[0] = (uint8_t)(0xe0 | c >> 12);
		at[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		at[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	at[0] = (uint8_t)(0xf0 | c >> 18);
	at[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	at[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	at[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static int
digit_of(uint8_t c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == 16 && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The number within "&#...;". */
static enum err
reference_number(struct bytes digits, uint32_t *out)
{
	unsigned base = 10;
	size_t k = 0;

	*out = 0;
	if (digits.octets != 0 && digits.at[0] == 'x') {
		base = 16;
		k = 1;
	}
	if (k == digits.octets)
		return ERR_MESSAGE;
	for (; k < digits.octets; k++) {
		int digit = digit_of(digits.at[k], base);

		if (digit < 0)
			return ERR_MESSAGE;
		*out = *out * base + (uint32_t)digit;
	}
	return is_character(*out) ? OK : ERR_MESSAGE;
}

/*
 * What the reference that begins `in` stands for.
 *
 * octets       how long it is
 * ERR_MESSAGE  it is none
 */
static enum err
reference_read(struct bytes in, uint32_t *character, size_t *octets)
{
	static const struct {
		const char *name;
		uint8_t character;
	} entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'},
	    {"apos", '\''}};
	size_t most =
	    in.octets < REFERENCE_OCTETS ? in.octets : REFERENCE_OCTETS;
	const uint8_t *end = memchr(in.at, ';', most);
	struct bytes name;
	size_t k;

	if (end == NULL)
		return ERR_MESSAGE;
	name = (struct bytes){in.at + 1, (size_t)(end - in.at) - 1};
	*octets = name.octets + 2;
	if (name.octets != 0 && name.at[0] == '#')
		return reference_number(
		    (struct bytes){name.at + 1, name.octets - 1}, character);
	for (k = 0; k < sizeof(entities) / sizeof(entities[0]); k++) {
		if (bytes_equal_text(name, entities[k].name)) {
			*character = entities[k].character;
			return OK;
		}
	}
	return ERR_MESSAGE;
}

/* A text with references: a copy that has the characters. */
static enum err
text_decode(struct arena *a, struct bytes in, enum rule rule, struct bytes *out)
{
	uint32_t character;
	size_t used;
	size_t from = 0;
	size_t to = 0;
	uint8_t *at;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, at, in.octets));
	while (from < in.octets) {
		struct bytes rest = {in.at + from, in.octets - from};

		if (rest.at[0] == '&') {
			rc = reference_read(rest, &character, &used);
			if (rc == OK) {
				to += utf8_put(at + to, character);
				from += used;
				continue;
			}
			if (rule != RAW)
				return rc;
			rc = OK;
		}
		at[to++] = in.at[from++];
	}
	*out = (struct bytes){at, to};
out:
	return rc;
}

static enum err
text_end(struct reader *r, struct element *e, struct bytes text)
{
	const struct name_row *row = &names[e->what];

	if (e->span != 1)
		return all_blank(text) ? OK : ERR_MESSAGE;
	if (text.octets > row->most_octets)
		return ERR_LIMIT;
	e->text = text;
	if (text.octets == 0 || memchr(text.at, '&', text.octets) == NULL)
		return OK;
	return text_decode(r->arena, text, row->rule, &e->text);
}

static size_t
name_octets(struct bytes in)
{
	size_t k = 0;

	while (k < in.octets && !is_blank(in.at[k]) && in.at[k] != '/' &&
	       in.at[k] != '>' && in.at[k] != '=' && in.at[k] != '"' &&
	       in.at[k] != '\'' && in.at[k] != '&')
		k++;
	return k;
}

static void
pass_blanks(struct reader *r)
{
	while (r->in.octets != 0 && is_blank(r->in.at[0])) {
		r->in.at++;
		r->in.octets--;
	}
}

static enum err
expect(struct reader *r, uint8_t c)
{
	if (r->in.octets == 0 || r->in.at[0] != c)
		return ERR_MESSAGE;
	r->in.at++;
	r->in.octets--;
	return OK;
}

/* NAME="VALUE", which nobody wants to know. */
static enum err
attribute_pass(struct reader *r)
{
	size_t octets = name_octets(r->in);
	const uint8_t *end;
	struct bytes passed;
	uint8_t quote;
	enum err rc = OK;

	if (octets == 0)
		return ERR_MESSAGE;
	TRY(bytes_split(&r->in, octets, &passed));
	pass_blanks(r);
	TRY(expect(r, '='));
	pass_blanks(r);
	if (r->in.octets == 0 || (r->in.at[0] != '"' && r->in.at[0] != '\''))
		return ERR_MESSAGE;
	quote = r->in.at[0];
	TRY(expect(r, quote));
	end = memchr(r->in.at, quote, r->in.octets);
	if (end == NULL)
		return ERR_MESSAGE;
	TRY(bytes_split(&r->in, (size_t)(end - r->in.at) + 1, &passed));
out:
	return rc;
}

/* After '<' and a name: the rest of the tag. */
static enum err
tag_rest(struct reader *r, bool *closed)
{
	enum err rc = OK;

	*closed = false;
	for (;;) {
		size_t before = r->in.octets;

		pass_blanks(r);
		if (r->in.octets == 0)
			return ERR_MESSAGE;
		if (r->in.at[0] == '>')
			return expect(r, '>');
		if (r->in.at[0] == '/') {
			*closed = true;
			TRY(expect(r, '/'));
			return expect(r, '>');
		}
		/* white space before each */
		if (before == r->in.octets)
			return ERR_MESSAGE;
		TRY(attribute_pass(r));
	}
out:
	return rc;
}

static enum err
element_begin(struct reader *r)
{
	struct element *e;
	size_t octets;
	bool closed;
	unsigned k;
	enum err rc = OK;

	if (r->count == r->room || r->depth == FRAME_DEPTH)
		return ERR_MESSAGE;
	e = &r->elements[r->count++];
	octets = name_octets(r->in);
	if (octets == 0)
		return ERR_MESSAGE;
	TRY(bytes_split(&r->in, octets, &e->name));
	e->what = element_named(e->name);
	e->span = 1;
	for (k = 0; k < r->depth; k++)
		r->open[k]->span++;
	TRY(tag_rest(r, &closed));
	if (!closed)
		r->open[r->depth++] = e;
out:
	return rc;
}

static enum err
element_end(struct reader *r)
{
	const struct element *e = r->open[r->depth - 1];
	struct bytes name;
	enum err rc = OK;

	if (r->in.octets < e->name.octets)
		return ERR_MESSAGE;
	TRY(bytes_split(&r->in, e->name.octets, &name));
	if (!bytes_equal(name, e->name))
		return ERR_MESSAGE;
	pass_blanks(r);
	TRY(expect(r, '>'));
	r->depth--;
out:
	return rc;
}

/* The text up to the next tag, and that tag. */
static enum err
step(struct reader *r)
{
	struct element *e = r->open[r->depth - 1];
	const uint8_t *mark = memchr(r->in.at, '<', r->in.octets);
	struct bytes text;
	enum err rc = OK;

	if (mark == NULL)
		return ERR_MESSAGE;
	TRY(bytes_split(&r->in, (size_t)(mark - r->in.at), &text));
	TRY(expect(r, '<'));
	if (r->in.octets != 0 && r->in.at[0] == '/') {
		TRY(expect(r, '/'));
		TRY(text_end(r, e, text));
		TRY(element_end(r));
	} else {
		if (!all_blank(text))
			TRY(ERR_MESSAGE);
		TRY(element_begin(r));
	}
out:
	return rc;
}

/* What no text may have: anything else that is no character is no UTF-8. */
static bool
has_controls(struct bytes b)
{
	size_t k;

	for (k = 0; k < b.octets; k++) {
		if (b.at[k] < 0x20 && !is_blank(b.at[k]))
			return true;
	}
	return false;
}

enum err
element_read(struct arena *a, struct bytes octets, size_t count,
    const struct element **root)
{
	struct reader r = {.arena = a, .in = octets, .room = count};
	enum err rc = OK;

	*root = NULL;
	if (has_controls(octets) || !bytes_is_utf8(octets))
		return ERR_MESSAGE;
	TRY(ARENA_ARRAY(a, r.elements, count));
	TRY(expect(&r, '<'));
	TRY(element_begin(&r));
	while (r.depth != 0)
		TRY(step(&r));
	if (r.in.octets != 0)
		TRY(ERR_MESSAGE);
	*root = r.elements;
out:
	return rc;
}

/* ---- finding ---- */

const struct element *
element_find(const struct element *parent, enum element_name what)
{
	ELEMENT_EACH (parent, child) {
		if (child->what == what)
			return child;
	}
	return NULL;
}

struct bytes
element_text(const struct element *parent, enum element_name what)
{
	const struct element *e = element_find(parent, what);

	return e != NULL ? e->text : BYTES_NONE;
}

enum err
element_flag(const struct element *parent, enum element_name what, bool *out)
{
	const struct element *e = element_find(parent, what);

	*out = false;
	if (e == NULL)
		return OK;
	if (e->span != 1)
		return ERR_VALUE;
	if (bytes_equal_text(e->text, "false"))
		return OK;
	*out = true;
	return e->text.octets == 0 || bytes_equal_text(e->text, "true")
		   ? OK
		   : ERR_VALUE;
}

enum err
element_number(const struct element *e, uint64_t most, uint64_t *out)
{
	size_t k;

	*out = 0;
	if (e->text.octets == 0)
		return ERR_VALUE;
	for (k = 0; k < e->text.octets; k++) {
		uint64_t digit = (uint64_t)e->text.at[k] - '0';

		if (e->text.at[k] < '0' || digit > 9 || digit > most ||
		    *out > (most - digit) / 10)
			return ERR_VALUE;
		*out = *out * 10 + digit;
	}
	return OK;
}

/* ---- writing ---- */

enum err
element_escape(struct buf *out, struct bytes text)
{
	size_t from = 0;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < text.octets; k++) {
		uint8_t c = text.at[k];
		const char *instead = c == '<'                   ? "&lt;"
				      : c == '>'                 ? "&gt;"
				      : c == '&'                 ? "&amp;"
				      : c < 0x20 && !is_blank(c) ? "?"
								 : NULL;

		if (instead == NULL)
			continue;
		TRY(buf_put(out, (struct bytes){text.at + from, k - from}));
		TRY(buf_put_text(out, instead));
		from = k + 1;
	}
	if (text.octets != 0)
		TRY(buf_put(
		    out, (struct bytes){text.at + from, text.octets - from}));
out:
	return rc;
}

enum err
element_open(struct buf *out, enum element_name what)
{
	const struct name_row *row = &names[what];
	uint8_t *at;
	enum err rc = OK;

	TRY(buf_reserve(out, row->octets + 2, &at));
	at[0] = '<';
	memcpy(at + 1, row->name, row->octets);
	at[row->octets + 1] = '>';
	buf_added(out, row->octets + 2);
out:
	return rc;
}

enum err
element_close(struct buf *out, enum element_name what)
{
	const struct name_row *row = &names[what];
	uint8_t *at;
	enum err rc = OK;

	TRY(buf_reserve(out, row->octets + 3, &at));
	at[0] = '<';
	at[1] = '/';
	memcpy(at + 2, row->name, row->octets);
	at[row->octets + 2] = '>';
	buf_added(out, row->octets + 3);
out:
	return rc;
}

enum err
element_put(struct buf *out, enum element_name what, struct bytes text)
{
	enum err rc = OK;

	TRY(element_open(out, what));
	TRY(element_escape(out, text));
	TRY(element_close(out, what));
out:
	return rc;
}

enum err
element_put_text(struct buf *out, enum element_name what, const char *text)
{
	return element_put(out, what, bytes_of_text(text));
}

enum err
element_put_flag(struct buf *out, enum element_name what, bool is)
{
	return element_put_text(out, what, is ? "true" : "false");
}

enum err
element_put_number(struct buf *out, enum element_name what, uint64_t number)
{
	char digits[21];

	(void)snprintf(
	    digits, sizeof(digits), "%llu", (unsigned long long)number);
	return element_put_text(out, what, digits);
}

enum err
element_put_hex(struct buf *out, enum element_name what, struct bytes octets)
{
	enum err rc = OK;

	TRY(element_open(out, what));
	TRY(hex_put(out, octets));
	TRY(element_close(out, what));
out:
	return rc;
}

#include "nae/frame.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"

enum state {
	/* between root elements and in headers */
	GAP,      /* white space, then the next root element */
	TEXT,     /* up to the next tag */
	MARK,     /* after '<' */
	OPEN,     /* in a tag that opens an element */
	QUOTED,   /* in a value of it */
	CLOSE,    /* in a tag that closes one */
	DECLARED, /* in the XML declaration */
	/* in data elements */
	BETWEEN,   /* before a chunk, or the end */
	WORD,      /* in a tag */
	SIZE,      /* digits */
	SIZE_END,  /* in the tag after them */
	CHUNK,     /* octets that were announced */
	FREE_TEXT, /* base64 up to the end's tag */
	FREE_END,  /* in that tag */
	STATE_COUNT
};

/* The data elements. */
struct kind {
	const char *name;
	bool single;
	bool base64;
	bool sized;
};

static const struct kind kinds[] = {
    {"Data", false, false, true},
    {"DataSingle", true, false, true},
    {"Base64Data", false, true, true},
    {"Base64DataSingle", true, true, false},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

void
frame_init(struct frame *f, size_t data_octets)
{
	memset(f, 0, sizeof(*f));
	f->data_octets = data_octets;
	buf_init(&f->head, FRAME_HEADER_OCTETS);
}

void
frame_clear(struct frame *f)
{
	buf_clear(&f->head);
	secret_wipe(f->word, sizeof(f->word));
	secret_wipe(f->scratch, sizeof(f->scratch));
}

size_t
frame_elements(const struct frame *f)
{
	return f->elements;
}

bool
frame_is_idle(const struct frame *f)
{
	return f->state == GAP;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A name's first octet; beyond ASCII is left to who reads the header. */
static bool
begins_name(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       c == ':' || c >= 0x80;
}

static void
pass(struct bytes *in, size_t octets)
{
	in->at += octets;
	in->octets -= octets;
}

/* ---- headers ---- */

/*
 * An octet of markup. *ends: the root element is complete, or its first tag
 * is.
 */
static enum err
mark_octet(struct frame *f, uint8_t c, bool *ends)
{
	switch (f->state) {
	case MARK:
		if (c == '/' && f->depth != 0)
			f->state = CLOSE;
		else if (c == '?' && !f->begun && f->depth == 0)
			f->state = DECLARED;
		else if (!begins_name(c))
			return ERR_MESSAGE;
		else if (f->depth == FRAME_DEPTH)
			return ERR_LIMIT;
		else {
			f->state = OPEN;
			f->elements++;
		}
		f->slash = false;
		f->begun = true;
		return OK;
	case OPEN:
		if (c == '"' || c == '\'') {
			f->quote = c;
			f->state = QUOTED;
		} else if (c == '<')
			return ERR_MESSAGE;
		else if (c == '>') {
			f->depth += !f->slash;
			f->state = TEXT;
			*ends = f->depth == 0 || f->elements == 1;
		}
		f->slash = c == '/';
		return OK;
	case QUOTED:
		if (c == f->quote)
			f->state = OPEN;
		f->slash = false;
		return c == '<' ? ERR_MESSAGE : OK;
	case CLOSE:
		if (c == '<')
			return ERR_MESSAGE;
		if (c == '>') {
			f->depth--;
			f->state = TEXT;
			*ends = f->depth == 0;
		}
		return OK;
	default: /* DECLARED: "?>" ends it */
		if (c == '>' && f->slash)
			f->state = GAP;
		else if (c == '<' || c == '>')
			return ERR_MESSAGE;
		f->slash = c == '?';
		return OK;
	}
}

/*
 * Go on until something ends, or the octets do.
 *
 * used  how many of them belong to what has ended, or were used up
 */
static enum err
scan(struct frame *f, struct bytes in, size_t *used, bool *ends)
{
	const uint8_t *at = in.at;
	const uint8_t *end = in.at + in.octets;
	const uint8_t *mark;
	enum err rc = OK;

	*ends = false;
	while (at != end && !*ends) {
		if (f->state == TEXT) {
			mark = memchr(at, '<', (size_t)(end - at));
			if (mark == NULL) {
				at = end;
				break;
			}
			f->state = MARK;
			at = mark + 1;
			continue;
		}
		TRY(mark_octet(f, *at++, ends));
		if (f->state == GAP)
			break;
	}
	*used = (size_t)(at - in.at);
out:
	return rc;
}

/* What the root element is called, by its first tag. */
static struct bytes
root_name(struct bytes head)
{
	size_t k = 1;

	while (k < head.octets && !is_blank(head.at[k]) && head.at[k] != '/' &&
	       head.at[k] != '>')
		k++;
	return (struct bytes){head.at + 1, k - 1};
}

static void
data_begin(struct frame *f, unsigned kind)
{
	f->kind = (uint8_t)kind;
	f->single_done = false;
	f->word_octets = 0;
	f->total_octets = 0;
	f->base64 = (struct base64){0};
	if (f->depth == 0)
		f->state = FREE_END;
	else
		f->state = kinds[kind].sized ? BETWEEN : FREE_TEXT;
}

/* The root's first tag is there: which data element is it? KIND_COUNT: none. */
static unsigned
kind_of(struct bytes head)
{
	struct bytes name = root_name(head);
	unsigned kind = 0;

	while (kind < KIND_COUNT && !bytes_equal_text(name, kinds[kind].name))
		kind++;
	return kind;
}

/* All of the header so far: here, or with what came before. */
static enum err
head_so_far(struct frame *f, struct bytes here, struct bytes *out)
{
	enum err rc = OK;

	if (f->head.octets == 0 && here.octets <= FRAME_HEADER_OCTETS) {
		*out = here;
		return OK;
	}
	TRY(buf_put(&f->head, here));
	*out = buf_peek(&f->head);
out:
	return rc;
}

static void
gap(struct frame *f, struct bytes *in)
{
	while (in->octets != 0 && is_blank(in->at[0])) {
		pass(in, 1);
	}
	if (in->octets == 0)
		return;
	f->state = TEXT;
	f->depth = 0;
	f->elements = 0;
}

/* An XML declaration, which says nothing that counts. */
static enum err
declaration(struct frame *f, struct bytes *in, size_t octets)
{
	static const char begin[] = "<?xml ";
	struct bytes here;
	struct bytes all;
	enum err rc = OK;

	TRY(bytes_split(in, octets, &here));
	TRY(head_so_far(f, here, &all));
	if (all.octets < sizeof(begin) - 1 ||
	    memcmp(all.at, begin, sizeof(begin) - 1) != 0)
		TRY(ERR_MESSAGE);
	buf_reset(&f->head);
out:
	return rc;
}

static enum err
header(struct frame *f, struct bytes *in, enum frame_part *part,
    struct bytes *octets)
{
	struct bytes here = BYTES_NONE;
	size_t from = 0;
	unsigned kind;
	size_t used;
	bool ends;
	enum err rc = OK;

	/* nothing but a tag may begin it */
	if (f->elements == 0 && f->head.octets == 0 && f->state == TEXT &&
	    in->at[0] != '<')
		return ERR_MESSAGE;
	for (;;) {
		struct bytes rest = {in->at + from, in->octets - from};

		TRY(scan(f, rest, &used, &ends));
		from += used;
		if (f->state == GAP)
			return declaration(f, in, from);
		if (!ends)
			break;
		here = (struct bytes){in->at, from};
		if (f->elements == 1) {
			struct bytes head;

			if (f->head.octets + from > FRAME_HEADER_OCTETS)
				return ERR_LIMIT;
			TRY(head_so_far(f, here, &head));
			kind = kind_of(head);
			if (kind != KIND_COUNT) {
				data_begin(f, kind);
				*part = FRAME_DATA;
				pass(in, from);
				buf_reset(&f->head);
				return OK;
			}
			if (head.at != in->at) {
				/* kept now: what follows comes behind it */
				pass(in, from);
				from = 0;
			}
		}
		if (f->depth == 0) {
			here = (struct bytes){in->at, from};
			TRY(head_so_far(f, here, octets));
			pass(in, from);
			f->state = GAP;
			*part = FRAME_HEADER;
			return OK;
		}
	}
	TRY(buf_put(&f->head, *in));
	pass(in, in->octets);
out:
	return rc;
}

/* ---- data elements ---- */

static bool
word_is(const struct frame *f, const char *before, const char *name)
{
	size_t first = strlen(before);
	size_t octets = strlen(name);

	return f->word_octets == first + octets + 1 &&
	       memcmp(f->word, before, first) == 0 &&
	       memcmp(f->word + first, name, octets) == 0 &&
	       f->word[first + octets] == '>';
}

/* A tag is collected octet by octet: *whole when '>' has come. */
static enum err
word_octet(struct frame *f, uint8_t c, bool *whole)
{
	if (f->word_octets == FRAME_WORD_OCTETS)
		return ERR_VALUE;
	f->word[f->word_octets++] = c;
	*whole = c == '>';
	return OK;
}

/* Size has ended: are so many octets taken? */
static enum err
size_known(struct frame *f)
{
	if (f->digits == 0)
		return ERR_VALUE;
	if (f->size_octets > FRAME_CHUNK_OCTETS ||
	    f->size_octets > f->data_octets - f->total_octets)
		return ERR_LIMIT;
	f->total_octets += f->size_octets;
	f->left_octets = f->size_octets;
	f->base64 = (struct base64){0};
	f->single_done = true;
	f->state = f->left_octets != 0 ? CHUNK : BETWEEN;
	return OK;
}

static enum err
size_octet(struct frame *f, uint8_t c)
{
	if (c == '<') {
		f->state = SIZE_END;
		f->word_octets = 0;
		return OK;
	}
	if (c < '0' || c > '9')
		return ERR_VALUE;
	/* ten digits are beyond any limit, and within any size_t */
	if (f->digits == 10)
		return ERR_LIMIT;
	f->digits++;
	f->size_octets = f->size_octets * 10 + (size_t)(c - '0');
	return OK;
}

static enum err
tag_known(struct frame *f, bool *ends)
{
	const struct kind *kind = &kinds[f->kind];

	if (word_is(f, "/", kind->name)) {
		*ends = true;
		return OK;
	}
	if (f->state == FREE_END || !word_is(f, "", "Size") ||
	    (kind->single && f->single_done))
		return ERR_VALUE;
	f->state = SIZE;
	f->size_octets = 0;
	f->digits = 0;
	return OK;
}

/* An octet of what is around the chunks. */
static enum err
around_octet(struct frame *f, uint8_t c, bool *ends)
{
	bool whole = false;
	enum err rc = OK;

	switch (f->state) {
	case BETWEEN:
		if (is_blank(c))
			return OK;
		if (c != '<')
			return ERR_VALUE;
		f->state = WORD;
		f->word_octets = 0;
		return OK;
	case SIZE:
		return size_octet(f, c);
	case SIZE_END:
		TRY(word_octet(f, c, &whole));
		if (whole && !word_is(f, "/", "Size"))
			TRY(ERR_VALUE);
		if (whole)
			TRY(size_known(f));
		return OK;
	default: /* WORD, FREE_END */
		TRY(word_octet(f, c, &whole));
		if (whole)
			TRY(tag_known(f, ends));
		return OK;
	}
out:
	return rc;
}

/* The next octets of a chunk, as they are or decoded. */
static enum err
chunk(struct frame *f, struct bytes *in, struct bytes *octets)
{
	size_t take = in->octets < f->left_octets ? in->octets : f->left_octets;
	struct bytes text;
	size_t got;
	enum err rc = OK;

	if (!kinds[f->kind].base64) {
		TRY(bytes_split(in, take, octets));
		f->left_octets -= take;
	} else {
		text = (struct bytes){in->at, take};
		TRY(base64_read(&f->base64, &text, false, f->scratch,
		    sizeof(f->scratch), &got));
		take -= text.octets;
		TRY(bytes_split(in, take, &text));
		f->left_octets -= take;
		*octets = (struct bytes){f->scratch, got};
	}
	if (f->left_octets == 0) {
		TRY(base64_end(&f->base64));
		f->state = BETWEEN;
	}
out:
	return rc;
}

/* Base64 without a Size: up to the next '<'. */
static enum err
free_text(struct frame *f, struct bytes *in, struct bytes *octets)
{
	const uint8_t *mark = memchr(in->at, '<', in->octets);
	struct bytes text = {
	    in->at, mark != NULL ? (size_t)(mark - in->at) : in->octets};
	size_t take = text.octets;
	size_t got;
	enum err rc = OK;

	TRY(base64_read(
	    &f->base64, &text, true, f->scratch, sizeof(f->scratch), &got));
	take -= text.octets;
	if (take > f->data_octets - f->total_octets)
		TRY(ERR_LIMIT);
	f->total_octets += take;
	TRY(bytes_split(in, take, &text));
	*octets = (struct bytes){f->scratch, got};
	if (in->octets != 0 && in->at[0] == '<') {
		TRY(base64_end(&f->base64));
		TRY(bytes_split(in, 1, &text));
		f->state = FREE_END;
		f->word_octets = 0;
	}
out:
	return rc;
}

static enum err
data(struct frame *f, struct bytes *in, enum frame_part *part,
    struct bytes *octets)
{
	bool ends = false;
	enum err rc = OK;

	/* an element without content has ended with its first tag */
	if (f->depth == 0)
		ends = true;
	while (!ends && in->octets != 0) {
		if (f->state == CHUNK || f->state == FREE_TEXT) {
			if (f->state == CHUNK)
				TRY(chunk(f, in, octets));
			else
				TRY(free_text(f, in, octets));
			if (octets->octets == 0)
				continue;
			*part = FRAME_PIECE;
			return OK;
		}
		TRY(around_octet(f, in->at[0], &ends));
		pass(in, 1);
	}
	if (ends) {
		f->state = GAP;
		*part = FRAME_END;
	}
out:
	return rc;
}

enum err
frame_next(struct frame *f, struct bytes *in, enum frame_part *part,
    struct bytes *octets)
{
	enum err rc = OK;

	*part = FRAME_MORE;
	*octets = BYTES_NONE;
	assert(f->state < STATE_COUNT);
	if (f->state >= BETWEEN)
		return data(f, in, part, octets);
	/* once more where an XML declaration came first */
	while (*part == FRAME_MORE && in->octets != 0) {
		if (f->state == GAP) {
			buf_reset(&f->head);
			gap(f, in);
		}
		if (in->octets != 0)
			TRY(header(f, in, part, octets));
	}
out:
	return rc;
}

/* ---- looking ahead ---- */

static size_t
peek_data(struct frame *f, struct bytes in)
{
	const struct bytes all = in;
	const uint8_t *mark;
	bool ends = false;

	while (!ends && in.octets != 0) {
		size_t take = 1;

		if (f->state == CHUNK) {
			take = in.octets < f->left_octets ? in.octets
							  : f->left_octets;
			f->left_octets -= take;
			f->state = f->left_octets != 0 ? CHUNK : BETWEEN;
		} else if (f->state == FREE_TEXT) {
			mark = memchr(in.at, '<', in.octets);
			if (mark == NULL)
				break;
			take = (size_t)(mark - in.at) + 1;
			f->state = FREE_END;
			f->word_octets = 0;
		} else if (around_octet(f, in.at[0], &ends) != OK)
			break;
		pass(&in, take);
	}
	return ends ? all.octets - in.octets : all.octets;
}

static size_t
peek_header(struct frame *f, struct bytes in)
{
	size_t from = 0;
	size_t used;
	bool ends;

	if (f->state == GAP) {
		struct bytes rest = in;

		gap(f, &rest);
		from = in.octets - rest.octets;
	}
	while (from != in.octets) {
		struct bytes rest = {in.at + from, in.octets - from};
		struct bytes tag;

		if (scan(f, rest, &used, &ends) != OK || !ends)
			return f->state == GAP ? from + used : in.octets;
		tag = (struct bytes){rest.at, used};
		from += used;
		/* a tag that did not come as a whole is not looked at again */
		if (f->depth == 0 || f->head.octets != 0 ||
		    (f->elements == 1 && kind_of(tag) != KIND_COUNT))
			return from;
	}
	return from;
}

size_t
frame_peek(const struct frame *f, struct bytes in)
{
	struct frame copy;

	/* all but the scratch, and the head is only asked for its length */
	memcpy(&copy, f, offsetof(struct frame, scratch));
	if (f->state >= BETWEEN)
		return peek_data(&copy, in);
	return peek_header(&copy, in);
}

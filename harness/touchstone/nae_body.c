#include "nae_body.h"

#include "file.h"
#include "hex.h"
#include "vars.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_OCTETS ((size_t)4 << 20)

enum takes {
	TAKES_NOTHING,
	TAKES_TEXT,
	TAKES_HEX,
	TAKES_COUNT,
	TAKES_COUNT_FILL,
	TAKES_PATH,
	TAKES_PIECES,
};

static const struct word {
	const char *word;
	enum nae_piece_kind kind;
	enum takes takes;
	bool in_request, in_answer;
} words[] = {
#define PIECE(kind, word, takes, in_request, in_answer, meaning) \
	{word, PIECE_##kind, TAKES_##takes, in_request, in_answer},
#include "nae_piece.def"
#undef PIECE
};

/* --- reading ------------------------------------------------------------- */

struct parser {
	struct arena *a;
	const char *root;
	bool is_request;
	struct fault *f;
};

struct list {
	struct nae_piece *first, **tail;
};

static struct nae_piece *
add(struct parser *p, struct list *l, enum nae_piece_kind kind,
    const char *source, size_t octets)
{
	struct nae_piece *piece = ARENA_NEW(p->a, struct nae_piece);

	piece->kind = kind;
	piece->source = arena_printf(p->a, "%.*s", (int)octets, source);
	*l->tail = piece;
	l->tail = &piece->next;
	return piece;
}

static size_t
variable_octets(const char *text)
{
	size_t octets = 0;

	if (text[0] != '$' || !isupper((unsigned char)text[1]))
		return 0;
	for (octets = 2;
	     isupper((unsigned char)text[octets]) ||
	     isdigit((unsigned char)text[octets]) || text[octets] == '_';
	     octets++)
		;
	return octets;
}

static void
add_variable(struct parser *p, struct list *l, const char *at, size_t octets)
{
	struct nae_piece *piece = add(p, l, PIECE_VARIABLE, at, octets);

	piece->name = piece->source + 1;
}

static enum err
take_count(struct parser *p, const char *text, size_t *out, char **end)
{
	unsigned long long v = strtoull(text, end, 10);

	if (*end == text || v > NAE_MAX_DATA_OCTETS)
		return fault_say(p->f, ERR_SYNTAX, "`%s` is no count", text);
	*out = (size_t)v;
	return OK;
}

static enum err
take_octets(struct parser *p, const struct word *w, const char *text,
    struct nae_piece *piece)
{
	struct buf in = {0};
	enum err rc = OK;

	if (w->takes == TAKES_HEX)
		TRY(hex_read(bytes_of_text(text), &in, p->f));
	else if (w->takes == TAKES_PATH)
		TRY(file_read(arena_printf(p->a, "%s/%s", p->root, text),
		    FILE_MAX_OCTETS, &in, p->f));
	else
		buf_text(&in, text);
	piece->octets =
	    (struct bytes){arena_copy(p->a, buf_peek(&in)), in.octets};
out:
	buf_clear(&in);
	return rc;
}

static enum err
read_pieces(struct parser *p, const char *text, struct nae_piece **out);

/* What stands behind the word. */
static enum err
take(struct parser *p, const struct word *w, const char *text,
    struct nae_piece *piece)
{
	char *end = NULL;
	enum err rc = OK;

	switch (w->takes) {
	case TAKES_NOTHING:
		end = (char *)text;
		break;
	case TAKES_TEXT:
		piece->name = text;
		/* fallthrough */
	case TAKES_HEX:
	case TAKES_PATH:
		return take_octets(p, w, text, piece);
	case TAKES_COUNT:
		if (*text == 0 && w->kind == PIECE_ANY)
			return OK;
		TRY(take_count(p, text, &piece->count, &end));
		break;
	case TAKES_COUNT_FILL:
		TRY(take_count(p, text, &piece->count, &end));
		piece->octet = (uint8_t)strtoul(end, &end, 16);
		break;
	case TAKES_PIECES:
		return read_pieces(p, text, &piece->inner);
	}
	if (*end != 0)
		rc = fault_say(
		    p->f, ERR_SYNTAX, "`%s`: too much", piece->source);
out:
	return rc;
}

/* One piece without its braces: a word and what it takes. */
static enum err
read_piece(struct parser *p, const char *text, struct list *l)
{
	size_t octets = strcspn(text, " /");
	struct nae_piece *piece;
	char *end;
	enum err rc = OK;

	if (variable_octets(text) > 0 && text[variable_octets(text)] == 0) {
		add_variable(p, l, text, strlen(text));
		return OK;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct word *w = &words[i];

		if (strlen(w->word) != octets ||
		    memcmp(w->word, text, octets) != 0)
			continue;
		if (p->is_request ? !w->in_request : !w->in_answer)
			return fault_say(p->f, ERR_SYNTAX,
			    "{%s} has no place in %s", text,
			    p->is_request ? "a request" : "an answer");
		piece = add(p, l, w->kind, arena_printf(p->a, "{%s}", text),
		    strlen(text) + 2);
		text += octets;
		if (w->kind == PIECE_DATA && *text == '/') {
			TRY(take_count(
			    p, text + 1, &piece->chunk_octets, &end));
			text = end;
		}
		return take(p, w, text_trim(p->a, text), piece);
	}
	rc = fault_say(p->f, ERR_SYNTAX, "{%s} is nothing", text);
out:
	return rc;
}

/* Pieces with commas between them. */
static enum err
read_pieces(struct parser *p, const char *text, struct nae_piece **out)
{
	char *rest = arena_strdup(p->a, text), *one;
	struct list l = {.tail = &l.first};
	enum err rc = OK;

	while ((one = strsep(&rest, ",")) != NULL) {
		one = text_trim(p->a, one);
		if (*one != 0)
			TRY(read_piece(p, one, &l));
	}
	*out = l.first;
out:
	return rc;
}

enum err
nae_body_read(struct arena *a, const char *text, const char *root,
    bool is_request, struct nae_piece **out, struct fault *f)
{
	struct parser p = {a, root, is_request, f};
	struct list l = {.tail = &l.first};
	enum err rc = OK;

	*out = NULL;
	while (*text != 0) {
		size_t octets = variable_octets(text);

		if (octets > 0) {
			add_variable(&p, &l, text, octets);
		} else if (*text == '{') {
			octets = strcspn(text, "}");
			if (text[octets] == 0)
				TRY(fault_say(f, ERR_SYNTAX,
				    "no } behind `%.40s`", text));
			TRY(read_piece(&p,
			    arena_printf(a, "%.*s", (int)octets - 1, text + 1),
			    &l));
			octets++;
		} else {
			octets = 1 + strcspn(text + 1, "${");
			add(&p, &l, PIECE_LITERAL, text, octets)->octets =
			    (struct bytes){(const uint8_t *)text, octets};
		}
		text += octets;
	}
	*out = l.first;
out:
	return rc;
}

/* --- variables ----------------------------------------------------------- */

struct binding {
	const char *name;
	struct bytes value;
};

enum { BINDINGS_MAX = 96 };

struct nae_vars {
	struct arena *a;
	uint64_t seed;
	struct binding bound[BINDINGS_MAX];
	size_t count;
};

struct nae_vars *
nae_vars_new(
    struct arena *a, const struct target *t, uint64_t seed, const char *id)
{
	struct nae_vars *v = ARENA_NEW(a, struct nae_vars);

	v->a = a;
	v->seed = vars_seed(seed, id);
	for (unsigned i = 0; i < t->user_count; i++) {
		const struct user *u = &t->users[i];

		nae_vars_bind(v, arena_printf(a, "USER_%s", u->name),
		    bytes_of_text(u->user));
		nae_vars_bind(v, arena_printf(a, "PASSWORD_%s", u->name),
		    bytes_of_text(u->password));
	}
	if (t->nae_certificate != NULL)
		nae_vars_bind(
		    v, "CERTIFICATE", bytes_of_text(t->nae_certificate));
	if (t->nae_ca != NULL)
		nae_vars_bind(v, "CA", bytes_of_text(t->nae_ca));
	return v;
}

const struct bytes *
nae_vars_find(const struct nae_vars *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->bound[i].name, name) == 0)
			return &v->bound[i].value;
	return NULL;
}

void
nae_vars_bind(struct nae_vars *v, const char *name, struct bytes value)
{
	if (v->count == BINDINGS_MAX)
		return; /* nae_case.c counts them */
	v->bound[v->count].name = name;
	v->bound[v->count].value =
	    (struct bytes){arena_copy(v->a, value), value.octets};
	v->count++;
}

size_t
nae_vars_mark(const struct nae_vars *v)
{
	return v->count;
}

void
nae_vars_return(struct nae_vars *v, size_t mark)
{
	v->count = mark;
}

/* A name that is good for keys, users and groups alike. */
static const struct bytes *
choose(struct nae_vars *v, const char *name)
{
	uint64_t seed = vars_seed(v->seed, name);
	char *chosen = arena_printf(v->a, "ts-%s-%010llx", name,
	    (unsigned long long)(seed & 0xffffffffff));

	for (char *c = chosen; *c != 0; c++)
		*c = (char)tolower((unsigned char)*c);
	nae_vars_bind(v, name, bytes_of_text(chosen));
	return nae_vars_find(v, name);
}

/* --- making -------------------------------------------------------------- */

static void
put_octets(const struct nae_piece *p, struct buf *out)
{
	uint8_t *tail;

	if (p->kind != PIECE_FILL && p->kind != PIECE_COUNTING) {
		buf_put(out, p->octets);
		return;
	}
	tail = buf_reserve(out, p->count);
	for (size_t i = 0; i < p->count; i++)
		tail[i] = p->kind == PIECE_FILL ? p->octet : (uint8_t)i;
	out->octets += p->count;
}

static void
put_data(const struct nae_piece *p, struct nae_vars *v, struct buf *out)
{
	struct buf data = {0};

	for (const struct nae_piece *i = p->inner; i != NULL; i = i->next) {
		if (i->kind == PIECE_VARIABLE) {
			const struct bytes *value = nae_vars_find(v, i->name);

			buf_put(&data,
			    value != NULL ? *value : *choose(v, i->name));
		} else {
			put_octets(i, &data);
		}
	}
	nae_put_data(out, buf_peek(&data), p->chunk_octets);
	buf_clear(&data);
}

void
nae_body_send(const struct nae_piece *p, struct nae_vars *v, struct buf *out)
{
	for (; p != NULL; p = p->next) {
		if (p->kind == PIECE_VARIABLE) {
			const struct bytes *value = nae_vars_find(v, p->name);

			nae_escape(
			    out, value != NULL ? *value : *choose(v, p->name));
		} else if (p->kind == PIECE_DATA) {
			put_data(p, v, out);
		} else {
			put_octets(p, out);
		}
	}
}

/* U+E000 and on, which no answer that we print has. */
static void
put_mark(struct buf *out, size_t i)
{
	uint8_t u[NAE_MARK_OCTETS] = {
	    0xee, (uint8_t)(0x80 | (i >> 6)), (uint8_t)(0x80 | (i & 0x3f))};

	buf_put(out, (struct bytes){u, sizeof u});
}

bool
nae_mark_at(const char *text, size_t *i)
{
	const uint8_t *u = (const uint8_t *)text;

	if (u[0] != 0xee || (u[1] & 0xe0) != 0x80)
		return false;
	*i = (size_t)(u[1] & 0x1f) << 6 | (u[2] & 0x3f);
	return true;
}

/* It says itself what is to come. */
static bool
is_literal(const struct nae_piece *p)
{
	return p->kind == PIECE_LITERAL || p->kind == PIECE_HEX ||
	       p->kind == PIECE_FILL || p->kind == PIECE_COUNTING ||
	       p->kind == PIECE_FILE;
}

static void
put_expected(const struct nae_piece *p, const struct nae_vars *v,
    struct nae_expected *x, struct buf *out)
{
	const struct bytes *value = NULL;

	if (p->kind == PIECE_VARIABLE)
		value = nae_vars_find(v, p->name);
	if (value != NULL) {
		nae_escape(out, *value);
	} else if (is_literal(p)) {
		put_octets(p, out);
	} else if (p->kind == PIECE_TEXT) {
		nae_escape(out, p->octets);
	} else if (p->kind == PIECE_MORE) {
		buf_text(out, "<" NAE_MORE "/>");
	} else {
		if (p->kind == PIECE_DATA)
			buf_printf(out, "<" NAE_DATA "><Size>%zu</Size>",
			    NAE_MARK_OCTETS);
		put_mark(out, x->mark_count);
		if (p->kind == PIECE_DATA)
			buf_text(out, "</" NAE_DATA ">");
		x->marks[x->mark_count++] = p;
	}
}

enum err
nae_body_expect(struct arena *a, const struct nae_piece *body,
    const struct nae_vars *v, struct nae_expected *out, struct fault *f)
{
	struct buf text = {0};
	struct nae_message *messages;
	struct finding found;
	size_t count = 0, offset = 0, need;
	struct bytes all;
	enum err rc = OK;

	for (const struct nae_piece *p = body; p != NULL; p = p->next)
		count++;
	*out = (struct nae_expected){
	    .marks = ARENA_ARRAY(a, count + 1, const struct nae_piece *)};
	for (const struct nae_piece *p = body; p != NULL; p = p->next)
		put_expected(p, v, out, &text);
	all = (struct bytes){arena_copy(a, buf_peek(&text)), text.octets};
	messages = ARENA_ARRAY(a, all.octets / 4 + 1, struct nae_message);
	out->messages = messages;
	while (offset < all.octets) {
		struct nae_message *m = &messages[out->message_count++];

		rc = nae_read(a, all, offset, m, &need, &found);
		if (rc != OK)
			TRY(fault_say(f, ERR_SYNTAX,
			    "what is expected: %s, expected %s, got %s",
			    err_text(rc), found.expected, found.got));
		offset += m->octets;
	}
out:
	buf_clear(&text);
	return rc;
}

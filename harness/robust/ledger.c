/*
 * ledger: what a server acknowledged, written down, and held against it later.
 *
 *	ledger write --target FILE --book FILE --count N [--tell N] [--conns N]
 *	             [--seed N]
 *	ledger check --target FILE --book FILE
 *
 * `write` registers keys, creates keys and key pairs, activates and destroys,
 * over several connections at once, until N requests were answered or the
 * server is gone. What is going to be asked is in the book before it is sent,
 * and what was answered before anything else is done about it. After --tell
 * answers it says so on standard output, "reached N", and goes on.
 *
 * `check` asks a server about every line of the book. An acknowledged object
 * is found by its name, alone, with its octets and its state; a refused one is
 * not there; one whose answer never came is there whole or not at all; a key
 * pair has both halves, linked to each other, or none; and the server has no
 * object that the book does not account for. What has become of the ones in
 * doubt is written into the book, so that the next check holds the server to
 * it.
 *
 * Both end with one line of counts. Exit status: 0 all is well, 1 something
 * was lost, altered or half made, 2 could not tell.
 *
 * A line of the book is one of
 *
 *	will KIND NAME KEY|-        did NAME ID ID|-       not NAME
 *	key NAME KEY                will-activate NAME     activated NAME
 *	will-destroy NAME           destroyed NAME
 */
#include "answer.h"
#include "attribute.h"
#include "hex.h"
#include "mem.h"
#include "message.h"
#include "schema.h"
#include "tls.h"
#include "touchstone_tags.h"
#include "ttlv.h"
#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	CONNS_MAX = 64,
	NAME_OCTETS = 48,
	ID_OCTETS = 64,
	KEY_OCTETS = 32, /* the longest of a symmetric key */
	LINE_OCTETS = 256,
	TOLD_MAX = 10, /* of what is wrong; the rest is only counted */
	EXIT_WELL = 0,
	EXIT_WRONG = 1,
	EXIT_COULD_NOT = 2,
};

static const char group[] = "ledger"; /* Object Group of all of them */

#define KINDS                                      \
	KIND(REGISTER, "register", 4) /* in ten */ \
	KIND(CREATE, "create", 4)                  \
	KIND(PAIR, "pair", 2)

enum kind {
#define KIND(code, word, often) KIND_##code,
	KINDS
#undef KIND
	    KIND_COUNT
};

static const struct {
	const char *word;
	unsigned often;
} kinds[KIND_COUNT] = {
#define KIND(code, word, often) {word, often},
    KINDS
#undef KIND
};

/* What is known of a thing that was asked for. */
enum known { KNOWN_NOT, KNOWN_ASKED, KNOWN_SO };

struct entry {
	enum kind kind;
	char name[NAME_OCTETS];
	char id[2][ID_OCTETS]; /* of a pair: private, public; else "" */
	uint8_t key[KEY_OCTETS];
	size_t key_octets; /* 0: not known, or none to know */
	enum known made, active, gone;
	bool refused;
	struct entry *next;
};

struct ledger {
	struct arena *a;
	struct target target;
	const struct identity *identity;
	unsigned version;
	const char *book_path;
	int book;
	unsigned conns;
	uint64_t count, tell, seed;
	pthread_mutex_t lock;
	/* of the writer, under the lock */
	uint64_t answered, acknowledged, refused, in_doubt;
	/* of the check */
	struct entry *first, **last;
	uint64_t lost, altered, half, strays, settled, told;
	struct fault f;
};

/* One connection, and the request and answer on it. */
struct talk {
	struct ledger *l;
	struct door *door;
	struct link *link;
	struct arena *a; /* of one exchange */
	struct buf out, in;
	struct node *payload; /* of the request */
	struct node *request;
	struct answer says;
	struct fault f;
};

/* --- talking --------------------------------------------------------------
 */

static struct node *
ask_about(struct talk *t, uint32_t operation)
{
	arena_free(t->a);
	t->a = arena_new();
	t->request = message_new(t->a, t->l->version);
	t->payload = message_item(t->a, t->request, operation);
	return t->payload;
}

/* ERR_CLOSED, ERR_TIMEOUT: whether it was done nobody knows. */
static enum err
exchange(struct talk *t)
{
	struct finding found;
	struct node *root;
	enum err rc = OK;

	t->out.octets = t->in.octets = 0;
	ttlv_encode(t->request, &t->out);
	TRY(link_send(t->link, buf_peek(&t->out), 0, &t->f));
	TRY(link_receive(t->link, &t->in, &t->f));
	TRY(ttlv_decode(t->a, buf_peek(&t->in), &root, &found));
	TRY(answer_read(t->a, root, 0, &t->says));
out:
	return rc;
}

static bool
is_success(const struct talk *t)
{
	return t->says.status == RESULT_STATUS_SUCCESS;
}

static enum err
talk_begin(struct ledger *l, struct talk *t)
{
	enum err rc = OK;

	*t = (struct talk){.l = l};
	TRY(door_new(&l->target, l->identity, &t->door, &t->f));
	TRY(link_open(t->door, &t->link, &t->f));
out:
	return rc;
}

static void
talk_end(struct talk *t)
{
	link_close(t->link);
	door_free(t->door);
	arena_free(t->a);
	buf_clear(&t->out);
	buf_clear(&t->in);
}

/* The text of the payload's first item with that tag, "" when absent. */
static void
text_of(const struct talk *t, uint32_t tag, char *out, size_t room)
{
	const char *text = answer_text(t->a, node_find(t->says.payload, tag));

	snprintf(out, room, "%s", text != NULL ? text : "");
}

/* --- requests -------------------------------------------------------------
 */

static enum err
put_all(struct talk *t, struct node *list, const char *const (*pairs)[2])
{
	enum err rc = OK;

	for (; (*pairs)[0] != NULL; pairs++)
		TRY(attribute_put(t->a, list, t->l->version, (*pairs)[0],
		    (*pairs)[1], &t->f));
out:
	return rc;
}

static enum err
fill_register(struct talk *t, const struct entry *e)
{
	const char *const pairs[][2] = {
	    {"Cryptographic Usage Mask", "Encrypt Decrypt"}, {"Name", e->name},
	    {"Object Group", group}, {NULL, NULL}};
	struct node *n = ask_about(t, OPERATION_REGISTER);
	enum err rc = OK;

	put_enum(t->a, n, TAG_OBJECT_TYPE, OBJECT_TYPE_SYMMETRIC_KEY);
	TRY(put_all(
	    t, attribute_list(t->a, n, t->l->version, WHOSE_OBJECT), pairs));
	n = put_structure(t->a, n, TAG_SYMMETRIC_KEY);
	n = put_structure(t->a, n, TAG_KEY_BLOCK);
	put_enum(t->a, n, TAG_KEY_FORMAT_TYPE, 1); /* Raw */
	put_bytes(t->a, put_structure(t->a, n, TAG_KEY_VALUE), TAG_KEY_MATERIAL,
	    TYPE_BYTE_STRING, (struct bytes){e->key, e->key_octets});
	put_enum(t->a, n, TAG_CRYPTOGRAPHIC_ALGORITHM, 3); /* AES */
	put_number(t->a, n, TAG_CRYPTOGRAPHIC_LENGTH, TYPE_INTEGER,
	    (int64_t)(8 * e->key_octets));
out:
	return rc;
}

static enum err
fill_create(struct talk *t, const struct entry *e)
{
	const char *const pairs[][2] = {{"Cryptographic Algorithm", "AES"},
	    {"Cryptographic Length", "128"},
	    {"Cryptographic Usage Mask", "Encrypt Decrypt"}, {"Name", e->name},
	    {"Object Group", group}, {NULL, NULL}};
	struct node *n = ask_about(t, OPERATION_CREATE);

	put_enum(t->a, n, TAG_OBJECT_TYPE, OBJECT_TYPE_SYMMETRIC_KEY);
	return put_all(
	    t, attribute_list(t->a, n, t->l->version, WHOSE_OBJECT), pairs);
}

/* Names of the halves are "NAME-0" and "NAME-1". */
static const char *
half_name(struct arena *a, const struct entry *e, unsigned half)
{
	if (e->kind != KIND_PAIR)
		return e->name;
	return arena_printf(a, "%s-%u", e->name, half);
}

static enum err
fill_pair(struct talk *t, const struct entry *e)
{
	static const char *const both[][2] = {
	    {"Cryptographic Algorithm", "ECDSA"},
	    {"Cryptographic Length", "256"}, {"Object Group", group},
	    {NULL, NULL}};
	struct node *n = ask_about(t, OPERATION_CREATE_KEY_PAIR);
	enum err rc = OK;

	TRY(put_all(
	    t, attribute_list(t->a, n, t->l->version, WHOSE_BOTH), both));
	for (unsigned half = 0; half < 2; half++) {
		const char *const pairs[][2] = {
		    {"Cryptographic Usage Mask", half == 0 ? "Sign" : "Verify"},
		    {"Name", half_name(t->a, e, half)}, {NULL, NULL}};

		TRY(put_all(t,
		    attribute_list(t->a, n, t->l->version,
			half == 0 ? WHOSE_PRIVATE : WHOSE_PUBLIC),
		    pairs));
	}
out:
	return rc;
}

static enum err
ask_for(struct talk *t, const struct entry *e)
{
	enum err rc = OK;

	switch (e->kind) {
	case KIND_REGISTER:
		TRY(fill_register(t, e));
		break;
	case KIND_CREATE:
		TRY(fill_create(t, e));
		break;
	case KIND_PAIR:
		TRY(fill_pair(t, e));
		break;
	case KIND_COUNT:
		break;
	}
	rc = exchange(t);
out:
	return rc;
}

static enum err
ask_with_id(struct talk *t, uint32_t operation, const char *id)
{
	put_text(t->a, ask_about(t, operation), TAG_UNIQUE_IDENTIFIER, id);
	return exchange(t);
}

/* The octets of a Raw key that a Get answered; none when it is another. */
static struct bytes
raw_key(const struct talk *t)
{
	static const uint32_t path[] = {TAG_SYMMETRIC_KEY, TAG_KEY_BLOCK,
	    TAG_KEY_VALUE, TAG_KEY_MATERIAL, 0};
	const struct node *n = node_find_path(t->says.payload, path);

	if (n == NULL || n->type != TYPE_BYTE_STRING)
		return BYTES_NONE;
	return node_value(n);
}

/* --- the book ------------------------------------------------------------- */

/* One write() a line: it is there before the next request is. */
static enum err note(struct ledger *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum err
note(struct ledger *l, const char *format, ...)
{
	char line[LINE_OCTETS];
	va_list args;
	int octets;

	va_start(args, format);
	octets = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	if (octets < 0 || octets >= (int)sizeof line - 1)
		return ERR_LIMIT;
	line[octets++] = '\n';
	return write(l->book, line, (size_t)octets) == octets ? OK : ERR_WRITE;
}

static enum err
note_will(struct ledger *l, const struct entry *e)
{
	struct buf hex = {0};
	enum err rc;

	hex_write((struct bytes){e->key, e->key_octets}, &hex);
	rc = note(l, "will %s %s %s", kinds[e->kind].word, e->name,
	    e->key_octets != 0 ? buf_peek_text(&hex) : "-");
	buf_clear(&hex);
	return rc;
}

static enum err
note_key(struct ledger *l, const char *name, struct bytes key)
{
	struct buf hex = {0};
	enum err rc;

	hex_write(key, &hex);
	rc = note(l, "key %s %s", name, buf_peek_text(&hex));
	buf_clear(&hex);
	return rc;
}

static struct entry *
book_find(const struct ledger *l, const char *name)
{
	struct entry *e;

	/* mostly about what was asked for lately: the newest stands first */
	for (e = l->first; e != NULL && strcmp(e->name, name) != 0;)
		e = e->next;
	return e;
}

static enum err
take_key(struct entry *e, const char *text)
{
	struct buf key = {0};
	enum err rc = OK;

	e->key_octets = 0;
	if (strcmp(text, "-") == 0)
		return OK;
	TRY(hex_read(bytes_of_text(text), &key, NULL));
	if (key.octets > KEY_OCTETS)
		TRY(ERR_LIMIT);
	memcpy(e->key, key.at, key.octets);
	e->key_octets = key.octets;
out:
	buf_clear(&key);
	return rc;
}

static enum err
take_will(struct ledger *l, const char *kind, const char *name, const char *key)
{
	struct entry *e = ARENA_NEW(l->a, struct entry);

	while (e->kind < KIND_COUNT && strcmp(kinds[e->kind].word, kind) != 0)
		e->kind++;
	if (e->kind == KIND_COUNT)
		return ERR_SYNTAX;
	snprintf(e->name, sizeof e->name, "%s", name);
	e->made = KNOWN_ASKED;
	e->next = l->first;
	l->first = e;
	return take_key(e, key);
}

static enum err
take_line(struct ledger *l, char *line)
{
	char *word[4] = {NULL};
	struct entry *e = NULL;
	unsigned words = 0;

	while (words < 4 && (word[words] = strsep(&line, " \n")) != NULL &&
	       *word[words] != '\0')
		words++;
	if (words == 4 && strcmp(word[0], "will") == 0)
		return take_will(l, word[1], word[2], word[3]);
	if (words >= 2)
		e = book_find(l, word[1]);
	if (e == NULL)
		return ERR_SYNTAX;
	if (words == 4 && strcmp(word[0], "did") == 0) {
		e->made = KNOWN_SO;
		snprintf(e->id[0], ID_OCTETS, "%s", word[2]);
		snprintf(e->id[1], ID_OCTETS, "%s", word[3]);
	} else if (words == 3 && strcmp(word[0], "key") == 0) {
		return take_key(e, word[2]);
	} else if (strcmp(word[0], "not") == 0) {
		e->made = KNOWN_NOT;
	} else if (strcmp(word[0], "will-activate") == 0) {
		e->active = KNOWN_ASKED;
	} else if (strcmp(word[0], "activated") == 0) {
		e->active = KNOWN_SO;
	} else if (strcmp(word[0], "will-destroy") == 0) {
		e->gone = KNOWN_ASKED;
	} else if (strcmp(word[0], "destroyed") == 0) {
		e->gone = KNOWN_SO;
	} else {
		return ERR_SYNTAX;
	}
	return OK;
}

static enum err
book_read(struct ledger *l)
{
	char line[LINE_OCTETS];
	FILE *from = fopen(l->book_path, "re");
	enum err rc = OK;

	if (from == NULL)
		return fault_say(
		    &l->f, ERR_OPEN, "%s: %s", l->book_path, strerror(errno));
	for (unsigned n = 1; fgets(line, sizeof line, from) != NULL; n++) {
		rc = take_line(l, line);
		if (rc != OK)
			TRY(fault_say(&l->f, rc, "%s:%u: %s", l->book_path, n,
			    err_text(rc)));
	}
	if (l->first == NULL)
		TRY(fault_say(&l->f, ERR_MISSING, "%s is empty", l->book_path));
out:
	fclose(from);
	return rc;
}

/* --- writing --------------------------------------------------------------
 */

struct writer {
	pthread_t thread;
	struct ledger *l;
	unsigned number;
	uint64_t serial;
	uint64_t random;
	enum err rc;
	struct talk t;
};

/* splitmix64 */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* An answer came; true when that was enough of them. */
static bool
count_answer(struct ledger *l, bool success)
{
	bool enough;

	pthread_mutex_lock(&l->lock);
	l->answered++;
	l->acknowledged += success;
	l->refused += !success;
	enough = l->answered >= l->count;
	if (l->answered == l->tell) {
		printf("reached %llu\n", (unsigned long long)l->tell);
		fflush(stdout);
	}
	pthread_mutex_unlock(&l->lock);
	return enough;
}

static enum err
entry_draw(struct writer *w, struct entry *e)
{
	unsigned at = (unsigned)(draw(&w->random) % 10);

	*e = (struct entry){0};
	for (; at >= kinds[e->kind].often; e->kind++)
		at -= kinds[e->kind].often;
	snprintf(e->name, sizeof e->name, "%llx-%u-%llu",
	    (unsigned long long)w->l->seed, w->number,
	    (unsigned long long)w->serial++);
	if (e->kind != KIND_REGISTER)
		return OK;
	e->key_octets = KEY_OCTETS;
	return getrandom(e->key, KEY_OCTETS, 0) == KEY_OCTETS ? OK : ERR_READ;
}

/* What a Create made is known when it has been fetched once. */
static enum err
learn_key(struct writer *w, const struct entry *e, bool *enough)
{
	struct talk *t = &w->t;
	enum err rc = OK;

	TRY(ask_with_id(t, OPERATION_GET, e->id[0]));
	*enough = count_answer(w->l, is_success(t));
	if (is_success(t))
		TRY(note_key(w->l, e->name, raw_key(t)));
out:
	return rc;
}

static enum err
change(struct writer *w, const struct entry *e, uint32_t operation,
    const char *will, const char *did, bool *enough)
{
	enum err rc = OK;

	TRY(note(w->l, "%s %s", will, e->name));
	TRY(ask_with_id(&w->t, operation, e->id[0]));
	*enough = count_answer(w->l, is_success(&w->t));
	if (is_success(&w->t))
		TRY(note(w->l, "%s %s", did, e->name));
out:
	return rc;
}

/* One object from its request on, and at random some of its life. */
static enum err
live(struct writer *w, bool *enough)
{
	struct talk *t = &w->t;
	struct entry e;
	unsigned life;
	enum err rc = OK;

	TRY(entry_draw(w, &e));
	TRY(note_will(w->l, &e));
	TRY(ask_for(t, &e));
	*enough = count_answer(w->l, is_success(t));
	if (!is_success(t)) {
		TRY(note(w->l, "not %s", e.name));
		return OK;
	}
	if (e.kind == KIND_PAIR) {
		text_of(
		    t, TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER, e.id[0], ID_OCTETS);
		text_of(
		    t, TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER, e.id[1], ID_OCTETS);
	} else {
		text_of(t, TAG_UNIQUE_IDENTIFIER, e.id[0], ID_OCTETS);
		snprintf(e.id[1], ID_OCTETS, "-");
	}
	TRY(note(w->l, "did %s %s %s", e.name, e.id[0], e.id[1]));
	if (e.kind == KIND_CREATE && !*enough)
		TRY(learn_key(w, &e, enough));
	life = (unsigned)(draw(&w->random) % 8);
	if (e.kind != KIND_PAIR && life == 0 && !*enough)
		TRY(change(w, &e, OPERATION_DESTROY, "will-destroy",
		    "destroyed", enough));
	if (e.kind != KIND_PAIR && life == 1 && !*enough)
		TRY(change(w, &e, OPERATION_ACTIVATE, "will-activate",
		    "activated", enough));
out:
	return rc;
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	bool enough = false;
	enum err rc = OK;

	TRY(talk_begin(w->l, &w->t));
	while (!enough)
		TRY(live(w, &enough));
out:
	w->rc = rc;
	return NULL;
}

static enum err
ledger_write(struct ledger *l)
{
	struct writer *writers = NULL;
	unsigned started = 0;
	enum err rc = OK;

	l->book =
	    open(l->book_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (l->book < 0)
		TRY(fault_say(
		    &l->f, ERR_OPEN, "%s: %s", l->book_path, strerror(errno)));
	TRY(MEM_ARRAY(writers, l->conns));
	for (; started < l->conns; started++) {
		struct writer *w = &writers[started];

		*w = (struct writer){.l = l,
		    .number = started,
		    .random = l->seed ^ (started + 1) * 0xd1342543de82ef95u};
		if (pthread_create(&w->thread, NULL, writer_main, w) != 0)
			break;
	}
	if (started == 0)
		TRY(ERR_NOMEM);
	for (unsigned i = 0; i < started; i++) {
		struct writer *w = &writers[i];

		pthread_join(w->thread, NULL);
		talk_end(&w->t);
		/* the server may go at any time: that is what this is for */
		if (w->rc == ERR_CLOSED || w->rc == ERR_CONNECT ||
		    w->rc == ERR_HANDSHAKE)
			l->in_doubt++;
		else if (w->rc != OK && rc == OK)
			rc = fault_say(&l->f, w->rc, "%s",
			    w->t.f.text[0] != '\0' ? w->t.f.text
						   : err_text(w->rc));
	}
	printf("%llu acknowledged, %llu refused, %llu cut off\n",
	    (unsigned long long)l->acknowledged, (unsigned long long)l->refused,
	    (unsigned long long)l->in_doubt);
out:
	mem_free(writers);
	return rc;
}

/* --- checking -------------------------------------------------------------
 */

static void
wrong(struct ledger *l, uint64_t *count, const struct entry *e,
    const char *what, const char *more)
{
	pthread_mutex_lock(&l->lock);
	++*count;
	if (l->told++ < TOLD_MAX)
		printf(
		    "%s %s: %s%s\n", kinds[e->kind].word, e->name, what, more);
	pthread_mutex_unlock(&l->lock);
}

/* How many objects have the name, and the first one's identifier. */
static enum err
locate(struct talk *t, const char *attribute, const char *value,
    unsigned *count, char id[ID_OCTETS])
{
	struct node *n = ask_about(t, OPERATION_LOCATE);
	enum err rc = OK;

	if (t->l->version >= 0x20)
		n = attribute_list(t->a, n, t->l->version, WHOSE_OBJECT);
	TRY(attribute_put(t->a, n, t->l->version, attribute, value, &t->f));
	TRY(exchange(t));
	if (!is_success(t))
		TRY(fault_say(&t->f, ERR_VALUE, "Locate was refused: %s",
		    t->says.text != NULL ? t->says.text : ""));
	*count = node_count(t->says.payload, TAG_UNIQUE_IDENTIFIER);
	text_of(t, TAG_UNIQUE_IDENTIFIER, id, ID_OCTETS);
out:
	return rc;
}

static enum err
check_octets(struct talk *t, struct entry *e, unsigned half, bool *there)
{
	struct ledger *l = t->l;
	struct bytes want = {e->key, e->key_octets}, got;
	enum err rc = OK;

	TRY(ask_with_id(t, OPERATION_GET, e->id[half]));
	*there = is_success(t);
	if (!*there) {
		wrong(l, &l->lost, e, "Get is refused: ",
		    t->says.text != NULL ? t->says.text : "");
		return OK;
	}
	if (e->kind == KIND_PAIR)
		return OK; /* that it opens at all is proof of its octets */
	got = raw_key(t);
	if (want.octets != 0 ? !bytes_equal(want, got) : got.octets != 16)
		wrong(l, &l->altered, e, "other octets than ", "before");
	/* from here on they are known */
	if (want.octets == 0)
		TRY(note_key(l, e->name, got));
out:
	return rc;
}

/* The halves of a pair name each other. */
static enum err
check_link(struct talk *t, struct entry *e, unsigned half)
{
	const struct node *at = NULL, *value, *linked = NULL;
	const char *name, *text;
	enum err rc = OK;

	put_text(t->a, ask_about(t, OPERATION_GET_ATTRIBUTES),
	    TAG_UNIQUE_IDENTIFIER, e->id[half]);
	TRY(attribute_put_reference(
	    t->a, t->payload, t->l->version, "Link", &t->f));
	TRY(exchange(t));
	if (is_success(t)) {
		const struct node *list = t->says.payload;

		if (t->l->version >= 0x20)
			list = node_find(list, TAG_ATTRIBUTES);
		while ((at = attribute_next(t->a, list, at, &name, &value)) !=
		       NULL)
			if (strcmp(name, "Link") == 0)
				linked = node_find(
				    value, TAG_LINKED_OBJECT_IDENTIFIER);
	}
	text = answer_text(t->a, linked);
	if (text == NULL || strcmp(text, e->id[!half]) != 0)
		wrong(t->l, &t->l->half, e, "not linked to ", e->id[!half]);
out:
	return rc;
}

static enum err
check_state(struct talk *t, struct entry *e)
{
	const struct node *at = NULL, *value, *list;
	const char *name;
	int64_t state = 0;
	enum err rc = OK;

	put_text(t->a, ask_about(t, OPERATION_GET_ATTRIBUTES),
	    TAG_UNIQUE_IDENTIFIER, e->id[0]);
	TRY(attribute_put_reference(
	    t->a, t->payload, t->l->version, "State", &t->f));
	TRY(exchange(t));
	list = t->says.payload;
	if (list != NULL && t->l->version >= 0x20)
		list = node_find(list, TAG_ATTRIBUTES);
	while (list != NULL &&
	       (at = attribute_next(t->a, list, at, &name, &value)) != NULL)
		if (strcmp(name, "State") == 0)
			state = node_number(value);
	if (state != (e->active == KNOWN_SO ? 2 : 1) &&
	    !(e->active == KNOWN_ASKED && state == 2)) {
		wrong(t->l, &t->l->altered, e, "not in the state it was ",
		    "left in");
		return OK;
	}
	if (e->active == KNOWN_ASKED && state == 2) {
		e->active = KNOWN_SO;
		TRY(note(t->l, "activated %s", e->name));
	}
out:
	return rc;
}

static enum err
check_gone(struct talk *t, struct entry *e)
{
	enum err rc = OK;

	TRY(ask_with_id(t, OPERATION_GET, e->id[0]));
	if (is_success(t))
		wrong(t->l, &t->l->altered, e, "destroyed, and ", "back again");
out:
	return rc;
}

/* Its answer was on the way: is it gone or not? */
static enum err
settle_gone(struct talk *t, struct entry *e)
{
	enum err rc = OK;

	TRY(ask_with_id(t, OPERATION_GET, e->id[0]));
	if (!is_success(t)) {
		e->gone = KNOWN_SO;
		TRY(note(t->l, "destroyed %s", e->name));
	}
out:
	return rc;
}

static enum err
settle_made(struct talk *t, struct entry *e, unsigned halves, unsigned found,
    char id[2][ID_OCTETS])
{
	struct ledger *l = t->l;
	enum err rc = OK;

	if (found != 0 && found != halves) {
		wrong(l, &l->half, e, "half of it is ", "there");
		return OK;
	}
	pthread_mutex_lock(&l->lock);
	l->settled++;
	pthread_mutex_unlock(&l->lock);
	if (found == 0) {
		e->made = KNOWN_NOT;
		TRY(note(l, "not %s", e->name));
		return OK;
	}
	memcpy(e->id, id, sizeof e->id);
	e->made = KNOWN_SO;
	TRY(note(l, "did %s %s %s", e->name, e->id[0],
	    halves == 2 ? e->id[1] : "-"));
out:
	return rc;
}

static enum err
check_entry(struct talk *t, struct entry *e)
{
	struct ledger *l = t->l;
	const unsigned halves = e->kind == KIND_PAIR ? 2 : 1;
	char id[2][ID_OCTETS] = {"", ""};
	unsigned found = 0, count;
	enum err rc = OK;

	if (e->gone == KNOWN_ASKED)
		TRY(settle_gone(t, e));
	if (e->gone == KNOWN_SO)
		return check_gone(t, e);
	for (unsigned half = 0; half < halves; half++) {
		struct arena *a = arena_new();

		rc = locate(t, "Name", half_name(a, e, half), &count, id[half]);
		arena_free(a);
		TRY(rc);
		if (count > 1)
			wrong(
			    l, &l->strays, e, "one name, ", "several objects");
		found += count != 0;
	}
	if (e->made == KNOWN_ASKED)
		TRY(settle_made(t, e, halves, found, id));
	if (e->made == KNOWN_NOT && found != 0)
		wrong(l, &l->strays, e, "refused, and ", "there");
	if (e->made != KNOWN_SO)
		return OK;
	for (unsigned half = 0; half < halves; half++) {
		bool there;

		if (strcmp(id[half], e->id[half]) != 0)
			wrong(l, &l->lost, e, "Locate does not find ",
			    e->id[half]);
		TRY(check_octets(t, e, half, &there));
		if (there && halves == 2)
			TRY(check_link(t, e, half));
		else if (there)
			TRY(check_state(t, e));
	}
out:
	return rc;
}

/* Does anything have our group that the book knows nothing of? */
static enum err
check_strays(struct talk *t)
{
	struct ledger *l = t->l;
	char first[ID_OCTETS];
	unsigned count;
	enum err rc = OK;

	TRY(locate(t, "Object Group", group, &count, first));
	for (const struct node *n = t->says.payload->first; n != NULL;
	     n = n->next) {
		const char *id = answer_text(t->a, n);
		const struct entry *e;

		if (n->tag != TAG_UNIQUE_IDENTIFIER || id == NULL)
			continue;
		for (e = l->first; e != NULL; e = e->next)
			if (e->made == KNOWN_SO &&
			    (strcmp(e->id[0], id) == 0 ||
				strcmp(e->id[1], id) == 0))
				break;
		if (e == NULL) {
			l->strays++;
			printf("%s: nobody asked for it\n", id);
		}
	}
out:
	return rc;
}

/* Several at a time: a first Get is a write, and shares its sync. */
struct checker {
	pthread_t thread;
	struct ledger *l;
	unsigned number;
	enum err rc;
	struct talk t;
};

static void *
checker_main(void *arg)
{
	struct checker *c = arg;
	unsigned n = 0;
	enum err rc = OK;

	TRY(talk_begin(c->l, &c->t));
	for (struct entry *e = c->l->first; e != NULL; e = e->next)
		if (n++ % c->l->conns == c->number)
			TRY(check_entry(&c->t, e));
out:
	c->rc = rc;
	return NULL;
}

static enum err
check_entries(struct ledger *l)
{
	struct checker *checkers = NULL;
	unsigned started = 0;
	enum err rc = OK;

	TRY(MEM_ARRAY(checkers, l->conns));
	for (; started < l->conns; started++) {
		struct checker *c = &checkers[started];

		*c = (struct checker){.l = l, .number = started};
		if (pthread_create(&c->thread, NULL, checker_main, c) != 0)
			break;
	}
	if (started < l->conns)
		rc = ERR_NOMEM; /* some of the book was not looked at */
	for (unsigned i = 0; i < started; i++) {
		struct checker *c = &checkers[i];

		pthread_join(c->thread, NULL);
		if (c->rc != OK && rc == OK)
			rc = fault_say(&l->f, c->rc, "%s",
			    c->t.f.text[0] != '\0' ? c->t.f.text
						   : err_text(c->rc));
		talk_end(&c->t);
	}
out:
	mem_free(checkers);
	return rc;
}

static enum err
ledger_check(struct ledger *l)
{
	struct talk t = {0};
	uint64_t entries = 0;
	enum err rc = OK;

	TRY(book_read(l));
	l->book = open(l->book_path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (l->book < 0)
		TRY(ERR_OPEN);
	TRY(check_entries(l));
	TRY(talk_begin(l, &t));
	TRY(check_strays(&t));
	for (struct entry *e = l->first; e != NULL; e = e->next)
		entries++;
	printf("%llu in the book, %llu were in doubt: %llu lost, %llu altered, "
	       "%llu half made, %llu stray\n",
	    (unsigned long long)entries, (unsigned long long)l->settled,
	    (unsigned long long)l->lost, (unsigned long long)l->altered,
	    (unsigned long long)l->half, (unsigned long long)l->strays);
out:
	if (rc != OK && l->f.text[0] == '\0')
		l->f = t.f;
	talk_end(&t);
	return rc;
}

/* --- the command line ----------------------------------------------------- */

static bool
read_words(struct ledger *l, int argc, char **argv, struct where *where)
{
	static const struct option known[] = {
	    {"target", required_argument, NULL, 't'},
	    {"book", required_argument, NULL, 'b'},
	    {"conns", required_argument, NULL, 'c'},
	    {"count", required_argument, NULL, 'n'},
	    {"tell", required_argument, NULL, 'l'},
	    {"seed", required_argument, NULL, 's'},
	    {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 't')
			where->target = optarg;
		else if (c == 'b')
			l->book_path = optarg;
		else if (c == 'c')
			l->conns = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			l->count = strtoull(optarg, NULL, 10);
		else if (c == 'l')
			l->tell = strtoull(optarg, NULL, 10);
		else if (c == 's')
			l->seed = strtoull(optarg, NULL, 10);
		else
			return false;
	}
	return optind == argc && l->book_path != NULL && l->conns > 0 &&
	       l->conns <= CONNS_MAX;
}

int
main(int argc, char **argv)
{
	struct ledger l = {.book = -1, .conns = 8};
	struct where where = {0};
	bool writes = argc > 1 && strcmp(argv[1], "write") == 0;
	bool checks = argc > 1 && strcmp(argv[1], "check") == 0;
	enum err rc = OK;

	(void)signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&l.lock, NULL);
	if ((!writes && !checks) ||
	    !read_words(&l, argc - 1, argv + 1, &where) ||
	    (writes && l.count == 0)) {
		fputs("usage: ledger write --target FILE --book FILE --count N "
		      "[--tell N] [--conns N] [--seed N]\n"
		      "       ledger check --target FILE --book FILE\n",
		    stderr);
		return EXIT_COULD_NOT;
	}
	l.a = arena_new();
	TRY(where_find(l.a, &where, &l.target, &l.identity, &l.version, &l.f));
	TRY(writes ? ledger_write(&l) : ledger_check(&l));
out:
	if (rc != OK)
		fprintf(stderr, "ledger: %s\n",
		    l.f.text[0] != '\0' ? l.f.text : err_text(rc));
	if (l.book >= 0)
		close(l.book);
	arena_free(l.a);
	pthread_mutex_destroy(&l.lock);
	if (rc != OK)
		return EXIT_COULD_NOT;
	return l.lost + l.altered + l.half + l.strays != 0 ? EXIT_WRONG
							   : EXIT_WELL;
}

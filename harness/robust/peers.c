/*
 * peers: many clients of one server, of the kinds that others must not suffer
 * from.
 *
 *	peers --target FILE
 *
 * Takes a command a line from standard input and answers each with one line:
 *
 *	idle N      N more that say nothing after the handshake
 *	plain N     N more that say nothing at all, not even TLS
 *	slow N      N more, whose request goes octet by octet
 *	octet       the next octet of each slow one: "sent K of M"
 *	every MS    an octet each MS milliseconds till the next command
 *	answers     read what the slow ones get: "answered N"
 *	count       those not closed: "idle N plain N slow N"
 *	hold FILE   Register a key, 32 octets from FILE, but keep back
 *	            the last octet of the request
 *	release     send it: "registered ID"
 *	deaf ID     ask for a key as often as it goes, take no answer:
 *	            "asked N"; again: more on the same connection
 *	message N   a request of exactly N octets on a connection of its
 *	            own: "answered" or "closed"
 *	close       all of them
 *
 * "failed ..." says what could not be done, and is the end.
 */
#include "answer.h"
#include "attribute.h"
#include "file.h"
#include "mem.h"
#include "message.h"
#include "tls.h"
#include "touchstone_tags.h"
#include "ttlv.h"
#include "where.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	PEERS_MAX = 16384,
	KEY_OCTETS = 32,
	LINE_OCTETS = 4096,
	TOGETHER_MAX = 64, /* handshakes at a time */
	PATIENCE_MS = 20000,
	DEAF_MAX = 200000,
};

enum kind { KIND_IDLE, KIND_PLAIN, KIND_SLOW, KIND_DEAF, KIND_COUNT };

struct peer {
	enum kind kind;
	struct link *link;
};

struct peers {
	struct arena *a;
	struct target target;
	const struct identity *identity;
	unsigned version;
	struct door *door;
	struct peer *peer;
	size_t count, room;
	struct buf request; /* of the slow ones */
	size_t sent;        /* of it, by each */
	struct link *deaf;  /* one of the peers */
	struct buf get;     /* what it asks */
	struct link *held;
	struct buf rest; /* what it keeps back */
	char words[LINE_OCTETS];
	struct fault f;
};

/* --- requests and answers ------------------------------------------------- */

static void
make_query(struct peers *p, struct buf *out)
{
	struct arena *a = arena_new();
	struct node *m = message_new(a, p->version);

	put_enum(a, message_item(a, m, OPERATION_QUERY), TAG_QUERY_FUNCTION,
	    QUERY_FUNCTION_QUERY_OPERATIONS);
	ttlv_encode(m, out);
	arena_free(a);
}

static void
make_get(struct peers *p, const char *id, struct buf *out)
{
	struct arena *a = arena_new();
	struct node *m = message_new(a, p->version);

	put_text(
	    a, message_item(a, m, OPERATION_GET), TAG_UNIQUE_IDENTIFIER, id);
	ttlv_encode(m, out);
	arena_free(a);
}

static enum err
make_register(struct peers *p, struct bytes key, struct buf *out)
{
	struct arena *a = arena_new();
	struct node *m = message_new(a, p->version);
	struct node *payload = message_item(a, m, OPERATION_REGISTER), *n;
	enum err rc = OK;

	put_enum(a, payload, TAG_OBJECT_TYPE, OBJECT_TYPE_SYMMETRIC_KEY);
	n = attribute_list(a, payload, p->version, WHOSE_OBJECT);
	TRY(attribute_put(a, n, p->version, "Cryptographic Usage Mask",
	    "Encrypt Decrypt", &p->f));
	n = put_structure(a, payload, TAG_SYMMETRIC_KEY);
	n = put_structure(a, n, TAG_KEY_BLOCK);
	put_enum(a, n, TAG_KEY_FORMAT_TYPE, 1); /* Raw */
	put_bytes(a, put_structure(a, n, TAG_KEY_VALUE), TAG_KEY_MATERIAL,
	    TYPE_BYTE_STRING, key);
	put_enum(a, n, TAG_CRYPTOGRAPHIC_ALGORITHM, 3); /* AES */
	put_number(a, n, TAG_CRYPTOGRAPHIC_LENGTH, TYPE_INTEGER,
	    (int64_t)(8 * key.octets));
	ttlv_encode(m, out);
out:
	arena_free(a);
	return rc;
}

/* A Request Message with one item too long for anybody, and no sense. */
static enum err
make_long(size_t octets, struct buf *out)
{
	const size_t head = TTLV_HEADER_OCTETS;
	uint8_t *at;

	if (octets < 2 * head || octets % 8 != 0 || octets > UINT32_MAX)
		return ERR_RANGE;
	at = buf_reserve(out, octets);
	memset(at, 0, octets);
	bytes_put_number(at, 3, TAG_REQUEST_MESSAGE);
	at[3] = TYPE_STRUCTURE;
	bytes_put_number(at + 4, 4, octets - head);
	bytes_put_number(at + head, 3, TAG_KEY_MATERIAL);
	at[head + 3] = TYPE_BYTE_STRING;
	bytes_put_number(at + head + 4, 4, octets - 2 * head);
	out->octets += octets;
	return OK;
}

/* The answer to one request; ERR_VALUE when it is no success. */
static enum err
take_answer(struct peers *p, struct link *l, char *id, size_t room)
{
	struct arena *a = arena_new();
	struct buf in = {0};
	struct answer says;
	struct finding found;
	struct node *root;
	const char *text;
	enum err rc = OK;

	TRY(link_receive(l, &in, &p->f));
	TRY(ttlv_decode(a, buf_peek(&in), &root, &found));
	TRY(answer_read(a, root, 0, &says));
	if (says.status != RESULT_STATUS_SUCCESS)
		TRY(fault_say(&p->f, ERR_VALUE, "%s",
		    says.text != NULL ? says.text : "refused"));
	if (id != NULL) {
		text = answer_text(
		    a, node_find(says.payload, TAG_UNIQUE_IDENTIFIER));
		snprintf(id, room, "%s", text != NULL ? text : "");
	}
out:
	buf_clear(&in);
	arena_free(a);
	return rc;
}

/* --- commands: `words` is the rest of the line, the answer goes to stdout --
 */

static enum err
read_count(struct peers *p, const char *words, size_t *out)
{
	char *end;

	errno = 0;
	*out = strtoul(words, &end, 10);
	if (end == words || *end != '\0' || errno != 0 || *out == 0)
		return fault_say(&p->f, ERR_SYNTAX, "`%s` is no number", words);
	return OK;
}

/* The handshakes of the newest ones, side by side. */
static enum err
shake_hands(struct peers *p, size_t first)
{
	struct pollfd at[TOGETHER_MAX];
	size_t left;
	enum err rc = OK;

	do {
		left = 0;
		for (size_t i = first; i < p->count; i++) {
			struct link *l = p->peer[i].link;
			enum link_wish wish;

			rc = link_advance(l, &wish);
			if (rc != OK)
				TRY(fault_say(&p->f, rc, "%s", err_text(rc)));
			if (wish == LINK_READY)
				continue;
			at[left].fd = link_descriptor(l);
			at[left++].events =
			    wish == LINK_WANTS_READ ? POLLIN : POLLOUT;
		}
		if (left != 0 && poll(at, left, PATIENCE_MS) == 0)
			TRY(fault_say(&p->f, ERR_TIMEOUT, "no handshake"));
	} while (left != 0);
out:
	return rc;
}

static enum err
add(struct peers *p, enum kind kind, const char *words)
{
	size_t count = 0, first;
	enum err rc = OK;

	TRY(read_count(p, words, &count));
	if (count > PEERS_MAX - p->count)
		TRY(fault_say(&p->f, ERR_LIMIT, "%d at most", PEERS_MAX));
	TRY(MEM_GROW(p->peer, &p->room, p->count + count));
	while (count != 0) {
		for (first = p->count;
		     count != 0 && p->count - first < TOGETHER_MAX; count--) {
			struct link *l;

			TRY(link_begin(p->door, NULL, &l, &p->f));
			p->peer[p->count++] = (struct peer){kind, l};
		}
		if (kind != KIND_PLAIN)
			TRY(shake_hands(p, first));
	}
	puts("ok");
out:
	return rc;
}

static enum err
run_idle(struct peers *p, char *words)
{
	return add(p, KIND_IDLE, words);
}

static enum err
run_plain(struct peers *p, char *words)
{
	return add(p, KIND_PLAIN, words);
}

static enum err
run_slow(struct peers *p, char *words)
{
	p->sent = 0;
	p->request.octets = 0;
	make_query(p, &p->request);
	return add(p, KIND_SLOW, words);
}

static enum err
send_octet(struct peers *p)
{
	enum err rc = OK;

	if (p->sent == p->request.octets)
		return OK;
	for (size_t i = 0; i < p->count; i++)
		if (p->peer[i].kind == KIND_SLOW) {
			rc = link_send(p->peer[i].link,
			    (struct bytes){p->request.at + p->sent, 1}, 0,
			    &p->f);
			/* that the server has closed it is told by `count` */
			if (rc != OK && rc != ERR_CLOSED)
				return rc;
		}
	p->sent++;
	return OK;
}

static enum err
run_octet(struct peers *p, char *words)
{
	enum err rc = OK;

	(void)words;
	TRY(send_octet(p));
	printf("sent %zu of %zu\n", p->sent, p->request.octets);
out:
	return rc;
}

static enum err
run_every(struct peers *p, char *words)
{
	struct pollfd command = {.fd = STDIN_FILENO, .events = POLLIN};
	size_t ms = 0;
	enum err rc = OK;

	TRY(read_count(p, words, &ms));
	puts("ok");
	fflush(stdout);
	while (poll(&command, 1, (int)ms) == 0)
		TRY(send_octet(p));
out:
	return rc;
}

static enum err
run_answers(struct peers *p, char *words)
{
	unsigned answered = 0;
	enum err rc = OK;

	(void)words;
	for (size_t i = 0; i < p->count; i++)
		if (p->peer[i].kind == KIND_SLOW) {
			TRY(take_answer(p, p->peer[i].link, NULL, 0));
			answered++;
		}
	printf("answered %u\n", answered);
out:
	return rc;
}

static enum err
run_count(struct peers *p, char *words)
{
	unsigned open[KIND_COUNT] = {0};

	(void)words;
	for (size_t i = 0; i < p->count; i++) {
		struct pollfd at = {.fd = link_descriptor(p->peer[i].link),
		    .events = POLLRDHUP};

		if (poll(&at, 1, 0) == 0)
			open[p->peer[i].kind]++;
	}
	printf("idle %u plain %u slow %u\n", open[KIND_IDLE], open[KIND_PLAIN],
	    open[KIND_SLOW]);
	return OK;
}

static enum err
run_hold(struct peers *p, char *words)
{
	struct buf key = {0}, request = {0};
	struct bytes first;
	enum err rc = OK;

	if (p->held != NULL)
		TRY(fault_say(&p->f, ERR_LIMIT, "one is held already"));
	TRY(file_read(words, KEY_OCTETS, &key, &p->f));
	TRY(make_register(p, buf_peek(&key), &request));
	TRY(link_open(p->door, &p->held, &p->f));
	first = (struct bytes){request.at, request.octets - 1};
	TRY(link_send(p->held, first, 0, &p->f));
	p->rest.octets = 0;
	buf_put(&p->rest, (struct bytes){request.at + first.octets, 1});
	puts("ok");
out:
	buf_clear(&key);
	buf_clear(&request);
	return rc;
}

static enum err
run_release(struct peers *p, char *words)
{
	char id[256];
	enum err rc = OK;

	(void)words;
	if (p->held == NULL)
		TRY(fault_say(&p->f, ERR_MISSING, "none is held"));
	TRY(link_send(p->held, buf_peek(&p->rest), 0, &p->f));
	TRY(take_answer(p, p->held, id, sizeof id));
	link_close(p->held);
	p->held = NULL;
	printf("registered %s\n", id);
out:
	return rc;
}

static enum err
deaf_new(struct peers *p, const char *id)
{
	enum err rc = OK;

	TRY(MEM_GROW(p->peer, &p->room, p->count + 1));
	TRY(link_open(p->door, &p->deaf, &p->f));
	p->peer[p->count++] = (struct peer){KIND_DEAF, p->deaf};
	p->get.octets = 0;
	make_get(p, id, &p->get);
out:
	return rc;
}

/* A write that could not go has to be the next one, from the same octets. */
static enum err
run_deaf(struct peers *p, char *words)
{
	unsigned asked = 0;
	size_t sent = 1;
	enum err rc = OK;

	if (p->deaf == NULL)
		TRY(deaf_new(p, words));
	for (; sent != 0 && asked < DEAF_MAX; asked++)
		TRY(link_try_send(p->deaf, buf_peek(&p->get), &sent));
	printf("asked %u\n", asked);
out:
	return rc;
}

static enum err
run_message(struct peers *p, char *words)
{
	struct buf request = {0}, answer = {0};
	struct link *l = NULL;
	size_t octets = 0;
	enum err rc = OK;

	TRY(read_count(p, words, &octets));
	TRY(make_long(octets, &request));
	TRY(link_open(p->door, &l, &p->f));
	/* the server may close before it has all */
	rc = link_send(l, buf_peek(&request), 0, &p->f);
	if (rc == OK)
		rc = link_receive(l, &answer, &p->f);
	if (rc == OK || rc == ERR_CLOSED) {
		puts(rc == OK ? "answered" : "closed");
		rc = OK;
	}
out:
	link_close(l);
	buf_clear(&request);
	buf_clear(&answer);
	return rc;
}

static enum err
run_close(struct peers *p, char *words)
{
	(void)words;
	for (size_t i = 0; i < p->count; i++)
		link_drop(p->peer[i].link);
	p->count = 0;
	link_drop(p->held);
	p->held = NULL;
	p->deaf = NULL;
	puts("ok");
	return OK;
}

static const struct {
	const char *word;
	enum err (*run)(struct peers *p, char *words);
} commands[] = {
    {"idle", run_idle},
    {"plain", run_plain},
    {"slow", run_slow},
    {"octet", run_octet},
    {"every", run_every},
    {"answers", run_answers},
    {"count", run_count},
    {"hold", run_hold},
    {"release", run_release},
    {"deaf", run_deaf},
    {"message", run_message},
    {"close", run_close},
};

/* A line from standard input, not read ahead: `every` polls for the next. */
static bool
read_line(char line[LINE_OCTETS])
{
	size_t octets = 0;

	while (octets < LINE_OCTETS - 1 &&
	       read(STDIN_FILENO, line + octets, 1) == 1) {
		if (line[octets] == '\n') {
			line[octets] = '\0';
			return true;
		}
		octets++;
	}
	return false;
}

static enum err
run(struct peers *p)
{
	char none[] = "";
	enum err rc = OK;

	while (read_line(p->words)) {
		char *words = p->words, *word = strsep(&words, " ");
		size_t i = 0;

		while (i < sizeof commands / sizeof *commands &&
		       strcmp(commands[i].word, word) != 0)
			i++;
		if (i == sizeof commands / sizeof *commands)
			TRY(fault_say(
			    &p->f, ERR_SYNTAX, "no command `%s`", word));
		TRY(commands[i].run(p, words != NULL ? words : none));
		fflush(stdout);
	}
out:
	return rc;
}

int
main(int argc, char **argv)
{
	struct peers p = {.a = NULL};
	struct where where = {0};
	struct rlimit files;
	enum err rc = OK;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 3 || strcmp(argv[1], "--target") != 0) {
		fputs("usage: peers --target FILE\n", stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	p.a = arena_new();
	where.target = argv[2];
	TRY(where_find(p.a, &where, &p.target, &p.identity, &p.version, &p.f));
	TRY(door_new(&p.target, p.identity, &p.door, &p.f));
	TRY(run(&p));
out:
	if (rc != OK)
		printf("failed %s\n",
		    p.f.text[0] != '\0' ? p.f.text : err_text(rc));
	for (size_t i = 0; i < p.count; i++)
		link_drop(p.peer[i].link);
	link_drop(p.held);
	mem_free(p.peer);
	buf_clear(&p.request);
	buf_clear(&p.rest);
	buf_clear(&p.get);
	door_free(p.door);
	arena_free(p.a);
	return rc == OK ? 0 : 1;
}

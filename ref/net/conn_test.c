#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rig_test.h"

/*
 * The protocol of these tests: one octet of length, so many octets, and the
 * answer is the message. What a message begins with decides when.
 *
 *	n  at once               e  at the end of the turn
 *	h  when the test says    f  at once, and the connection is finished
 *	x  at once, with nothing
 */
enum { MAX_LATE = 256 };

struct late {
	struct conn *conn;
	uint64_t number;
	uint8_t octets[256];
	size_t length;
};

/* Of the other protocol, see below. */
struct line {
	char text[65536];
	size_t octets;
	unsigned pieces;
	struct conn *conn; /* waits for the test, for either */
	uint64_t number;
	bool is_whole;
};

struct desk {
	struct rig rig;
	struct conn_set *set;
	struct loop_task end_of_turn;
	int client[4];
	struct late held[MAX_LATE];
	size_t held_count;
	struct late ended[MAX_LATE];
	size_t ended_count;
	unsigned messages;
	unsigned opened;
	unsigned closed;
	bool refuses; /* whoever opens */
	struct line line;
};

static enum err
desk_frame(void *state, struct bytes in, size_t *octets)
{
	(void)state;
	if (in.octets == 0)
		return ERR_TRUNCATED;
	if (in.at[0] == 0)
		return ERR_MESSAGE;
	/* 255: two more octets have the length */
	if (in.at[0] == 255 && in.octets < 3)
		return ERR_TRUNCATED;
	*octets = in.at[0] == 255 ? bytes_u16(in.at + 1) : in.at[0] + 1u;
	return OK;
}

static enum err
desk_opened(void *ctx, struct conn *conn, void **state)
{
	struct desk *d = ctx;

	assert_true(conn_peer(conn)->address.octets != 0);
	if (d->refuses)
		return ERR_DENIED;
	*state = &d->opened;
	d->opened++;
	return OK;
}

static void
desk_closed(void *ctx, void *state)
{
	struct desk *d = ctx;

	assert_ptr_equal(state, &d->opened);
	d->closed++;
}

static void
keep(struct late *late, struct conn *conn, uint64_t number, struct bytes in)
{
	late->conn = conn;
	late->number = number;
	late->length = in.octets < 256 ? in.octets : 256;
	memcpy(late->octets, in.at, late->length);
}

static void
desk_message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	struct desk *d = ctx;
	uint8_t kind = octets.at[octets.at[0] == 255 ? 3 : 1];

	assert_ptr_equal(state, &d->opened);
	d->messages++;
	if (kind == 'f')
		conn_finish(conn);
	if (kind == 'h')
		keep(&d->held[d->held_count++], conn, number, octets);
	else if (kind == 'e')
		keep(&d->ended[d->ended_count++], conn, number, octets);
	else
		conn_answer(conn, number, kind == 'x' ? BYTES_NONE : octets);
}

static void
answer_late(struct late *late)
{
	conn_answer(late->conn, late->number,
	    (struct bytes){late->octets, late->length});
}

static void
answer_ended(void *ctx)
{
	struct desk *d = ctx;
	size_t k;

	for (k = 0; k < d->ended_count; k++)
		answer_late(&d->ended[k]);
	d->ended_count = 0;
}

static const struct protocol desk_protocol = {
    .name = "desk",
    .frame = desk_frame,
    .opened = desk_opened,
    .message = desk_message,
    .closed = desk_closed,
};

/*
 * The other one: a message is a line, comes in pieces as it is read, and its
 * answer is the line. What it begins with decides.
 *
 *	h  answered when the test says
 *	w  each piece goes on when the test says
 *	p  the answer is a part, a part and a rest
 */
static enum err
line_frame(void *state, struct bytes in, size_t *octets)
{
	const uint8_t *end = memchr(in.at, '\n', in.octets);

	(void)state;
	*octets = end != NULL ? (size_t)(end - in.at) + 1 : in.octets;
	return OK;
}

static void
line_part(struct desk *d, struct conn *conn, uint64_t number, size_t octets)
{
	struct buf part;

	buf_init(&part, 65536);
	assert_int_equal(
	    buf_put(&part, (struct bytes){(uint8_t *)d->line.text, octets}),
	    OK);
	conn_answer_part(conn, number, &part);
	assert_null(part.at);
}

static void
line_answer(struct desk *d, struct conn *conn, uint64_t number)
{
	struct line *line = &d->line;
	struct buf answer;

	buf_init(&answer, 65536);
	if (line->text[0] == 'p') {
		line_part(d, conn, number, 1);
		line_part(d, conn, number, line->octets);
	}
	assert_int_equal(buf_put(&answer, (struct bytes){(uint8_t *)line->text,
					      line->octets}),
	    OK);
	line->octets = 0;
	line->pieces = 0;
	conn_answer(conn, number, buf_peek(&answer));
	buf_clear(&answer);
}

static void
line_message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	struct desk *d = ctx;
	struct line *line = &d->line;

	assert_ptr_equal(state, &d->opened);
	assert_null(line->conn);
	assert_true(line->octets + octets.octets <= sizeof(line->text));
	memcpy(line->text + line->octets, octets.at, octets.octets);
	line->octets += octets.octets;
	line->pieces++;
	line->is_whole = octets.at[octets.octets - 1] == '\n';
	if (line->text[0] == 'w' || (line->is_whole && line->text[0] == 'h')) {
		line->conn = conn;
		line->number = number;
	} else if (line->is_whole)
		line_answer(d, conn, number);
	else
		conn_more(conn, number);
}

/* What waits for the test. */
static void
line_go_on(struct desk *d)
{
	struct conn *conn = d->line.conn;

	d->line.conn = NULL;
	if (conn != NULL && d->line.is_whole)
		line_answer(d, conn, d->line.number);
	else if (conn != NULL)
		conn_more(conn, d->line.number);
}

static const struct protocol line_protocol = {
    .name = "line",
    .one_by_one = true,
    .frame = line_frame,
    .opened = desk_opened,
    .message = line_message,
    .closed = desk_closed,
};

static int
set_up_with(void **state, const struct protocol *protocol)
{
	struct conn_rules rules = {
	    .protocol = protocol,
	    .limits = {.message_octets = 1000,
		.unanswered = 4,
		.handshake_ms = 5000,
		.message_ms = 20000,
		.idle_ms = 60000},
	};
	struct desk *d = calloc(1, sizeof(*d));

	*state = d;
	if (d == NULL)
		return -1;
	memset(d->client, 0xff, sizeof(d->client));
	if (rig_init(&d->rig) != OK)
		return -1;
	d->end_of_turn.fn = answer_ended;
	d->end_of_turn.ctx = d;
	loop_each_turn(d->rig.loop, &d->end_of_turn);
	rules.ctx = d;
	return conn_set_new(d->rig.loop, &rules, &d->set) != OK;
}

static int
set_up(void **state)
{
	return set_up_with(state, &desk_protocol);
}

static int
set_up_lines(void **state)
{
	return set_up_with(state, &line_protocol);
}

static void
answer_held(struct desk *d, size_t k)
{
	if (d->held[k].conn != NULL)
		answer_late(&d->held[k]);
	d->held[k].conn = NULL;
}

static int
tear_down(void **state)
{
	struct desk *d = *state;
	size_t k;

	conn_set_free(d->set);
	/* the promise: each message is answered, even into nothing */
	for (k = 0; k < d->held_count; k++)
		answer_held(d, k);
	answer_ended(d);
	line_go_on(d);
	for (k = 0; k < 4; k++) {
		if (d->client[k] >= 0)
			close(d->client[k]);
	}
	rig_clear(&d->rig);
	free(d);
	return 0;
}

static void
turns(struct desk *d, unsigned count)
{
	assert_int_equal(rig_turns(&d->rig, count), OK);
}

static enum err
connect_client(struct desk *d, size_t k)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	d->client[k] = pair[0];
	return conn_take(d->set, pair[1], "test:1");
}

static void
say(struct desk *d, size_t k, const char *octets)
{
	size_t length = strlen(octets);

	assert_int_equal(
	    send(d->client[k], octets, length, MSG_NOSIGNAL), length);
}

/* What came, as a string; "eof" at the end of the stream. */
static const char *
hear(struct desk *d, size_t k)
{
	static char heard[8192];
	size_t length = 0;
	ssize_t got;

	do {
		got = recv(d->client[k], heard + length,
		    sizeof(heard) - length - 4, 0);
		length += got > 0 ? (size_t)got : 0;
	} while (got > 0 && length < sizeof(heard) - 4);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		memcpy(heard + length, "eof", 3);
		length += 3;
	}
	heard[length] = '\0';
	return heard;
}

#define ASSERT_HEARD(d, k, want) assert_string_equal(hear(d, k), want)

/* ---- messages and answers ---- */

static void
test_messages_are_answered(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\3nab");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\3nab");
	say(d, 0, "\1n\2na\3nab");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\1n\2na\3nab");
	assert_int_equal(d->messages, 4);
}

static void
test_a_message_may_come_octet_by_octet(void **state)
{
	static const char text[] = "\5nabcd\2nz";
	struct desk *d = *state;
	size_t k;

	assert_int_equal(connect_client(d, 0), OK);
	for (k = 0; k < sizeof(text) - 1; k++) {
		const char one[2] = {text[k], '\0'};

		assert_int_equal(d->messages, k >= 6 ? 1 : 0);
		say(d, 0, one);
		turns(d, 1);
	}
	ASSERT_HEARD(d, 0, text);
}

/* Every way to cut three messages in two. */
static void
test_messages_may_be_cut_anywhere(void **state)
{
	static const char text[] = "\1n\6nabcde\3nyz";
	struct desk *d = *state;
	size_t cut;

	assert_int_equal(connect_client(d, 0), OK);
	for (cut = 1; cut < sizeof(text) - 1; cut++) {
		char head[sizeof(text)] = {0};

		memcpy(head, text, cut);
		say(d, 0, head);
		turns(d, 1);
		say(d, 0, text + cut);
		turns(d, 1);
		ASSERT_HEARD(d, 0, text);
	}
}

static void
test_answers_keep_the_order_of_messages(void **state)
{
	static const uint8_t orders[][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct desk *d = *state;
	size_t i;
	size_t k;

	assert_int_equal(connect_client(d, 0), OK);
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		size_t first = d->held_count;

		say(d, 0, "\2h1\2h2\2h3\2n4");
		turns(d, 1);
		ASSERT_HEARD(d, 0, "");
		for (k = 0; k < 3; k++) {
			answer_held(d, first + orders[i][k]);
			turns(d, 1);
		}
		ASSERT_HEARD(d, 0, "\2h1\2h2\2h3\2n4");
	}
}

static void
test_answers_of_the_end_of_a_turn_leave_in_that_turn(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	say(d, 0, "\2e1\2e2");
	say(d, 1, "\2e3");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2e1\2e2");
	ASSERT_HEARD(d, 1, "\2e3");
}

static void
test_a_message_may_have_no_answer(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2xa\2nb");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2nb");
}

static void
test_connections_do_not_wait_for_each_other(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	say(d, 0, "\2h1\2n2");
	say(d, 1, "\2n3");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "");
	ASSERT_HEARD(d, 1, "\2n3");
}

/* ---- limits, on both sides ---- */

/* As long as it may be: 1000 octets. */
static void
long_message(char text[static 1001])
{
	memset(text, 'n', 1000);
	text[0] = (char)255;
	text[1] = 1000 >> 8;
	text[2] = (char)(1000 & 0xff);
	text[1000] = '\0';
}

static void
test_the_longest_message_is_taken(void **state)
{
	struct desk *d = *state;
	char text[1001];

	long_message(text);
	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, text);
	turns(d, 1);
	ASSERT_HEARD(d, 0, text);
}

static void
test_a_longer_one_closes_before_it_is_there(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\xff\x03\xe9"); /* 1001 */
	turns(d, 1);
	ASSERT_HEARD(d, 0, "eof");
	assert_int_equal(d->closed, 1);
	assert_int_equal(conn_set_count(d->set), 0);
}

static void
test_what_is_no_message_closes(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\1n");
	turns(d, 1);
	assert_int_equal(send(d->client[0], "\0", 1, MSG_NOSIGNAL), 1);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\1neof");
}

static void
test_unanswered_messages_stop_the_reading(void **state)
{
	struct desk *d = *state;
	size_t k;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1\2h2\2h3\2h4\2h5\2h6");
	turns(d, 2);
	assert_int_equal(d->messages, 4);
	say(d, 0, "\2h7");
	turns(d, 2);
	assert_int_equal(d->messages, 4);
	/* an answer that cannot leave yet makes no room */
	answer_held(d, 1);
	turns(d, 2);
	assert_int_equal(d->messages, 4);
	answer_held(d, 0);
	turns(d, 2);
	assert_int_equal(d->messages, 6);
	ASSERT_HEARD(d, 0, "\2h1\2h2");
	for (k = 2; k < 7; k++) {
		answer_held(d, k);
		turns(d, 2);
	}
	assert_int_equal(d->messages, 7);
	ASSERT_HEARD(d, 0, "\2h3\2h4\2h5\2h6\2h7");
}

/* Long messages until the server serves no more; how many. */
static unsigned
flood(struct desk *d)
{
	char text[1001];
	unsigned sent = 0;
	unsigned served;

	long_message(text);
	do {
		served = d->messages;
		while (send(d->client[0], text, 1000, MSG_NOSIGNAL) == 1000)
			sent++;
		turns(d, 3);
	} while (d->messages != served);
	return sent;
}

static void
test_a_peer_that_does_not_listen_is_not_served(void **state)
{
	struct desk *d = *state;
	unsigned sent;
	size_t heard = 0;
	int dry = 0;

	assert_int_equal(connect_client(d, 0), OK);
	sent = flood(d);
	assert_true(d->messages < sent);
	/* and when it listens again, it gets all of them */
	while (heard < sent * 1000u && dry < 3) {
		size_t got = strlen(hear(d, 0));

		heard += got;
		dry = got == 0 ? dry + 1 : 0;
		turns(d, 1);
	}
	assert_int_equal(heard, sent * 1000u);
	assert_int_equal(d->messages, sent);
}

static void
test_a_peer_that_never_listens_is_closed_in_time(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	(void)flood(d);
	rig_move_to(&d->rig, 19999);
	turns(d, 2);
	assert_int_equal(d->closed, 0);
	rig_move_to(&d->rig, 20000);
	turns(d, 2);
	assert_int_equal(d->closed, 1);
}

/* ---- time ---- */

static void
test_an_idle_connection_is_closed_in_time(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\1n");
	turns(d, 1);
	rig_move_to(&d->rig, 30000);
	turns(d, 2);
	say(d, 0, "\1n"); /* counts anew from here */
	turns(d, 1);
	rig_move_to(&d->rig, 60000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "\1n\1n");
	rig_move_to(&d->rig, 89999);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "");
	rig_move_to(&d->rig, 90000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
	assert_int_equal(d->closed, 1);
}

static void
test_a_slow_sender_is_closed_in_time(void **state)
{
	struct desk *d = *state;
	int64_t k;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	/* one octet a second, of a message of 40; the other one is quick */
	say(d, 0, "\050n");
	turns(d, 1);
	for (k = 1; k < 20; k++) {
		rig_move_to(&d->rig, k * 1000);
		turns(d, 2);
		say(d, 0, "n");
		say(d, 1, "\2nq");
		turns(d, 1);
		ASSERT_HEARD(d, 0, "");
		ASSERT_HEARD(d, 1, "\2nq");
	}
	rig_move_to(&d->rig, 20000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
	ASSERT_HEARD(d, 1, "");
}

static void
test_a_message_that_arrives_in_time_is_served(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\3na");
	turns(d, 1);
	rig_move_to(&d->rig, 19999);
	turns(d, 2);
	say(d, 0, "b\2nc"); /* and the time of the next one starts now */
	turns(d, 1);
	say(d, 0, "\2n");
	turns(d, 1);
	rig_move_to(&d->rig, 39998);
	turns(d, 2);
	say(d, 0, "d");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\3nab\2nc\2nd");
}

static void
test_the_server_may_take_its_time(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1");
	turns(d, 1);
	rig_move_to(&d->rig, 1000000);
	turns(d, 2);
	answer_held(d, 0);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2h1");
	/* from its answer on the peer may be idle as long as anyone */
	rig_move_to(&d->rig, 1059999);
	turns(d, 3);
	ASSERT_HEARD(d, 0, "");
	rig_move_to(&d->rig, 1060000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
}

/* ---- the end ---- */

static void
test_a_peer_that_has_said_all_gets_its_answers(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1\2n2\3n"); /* the last one never comes whole */
	shutdown(d->client[0], SHUT_WR);
	turns(d, 3);
	ASSERT_HEARD(d, 0, "");
	assert_int_equal(d->closed, 0);
	answer_held(d, 0);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2h1\2n2eof");
	assert_int_equal(d->closed, 1);
}

static void
test_answers_after_the_peer_has_gone_are_dropped(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1\2h2\2h3");
	turns(d, 1);
	answer_held(d, 1); /* out of order, and held when it breaks */
	close(d->client[0]);
	d->client[0] = -1;
	turns(d, 2);
	answer_held(d, 2);
	turns(d, 1);
	assert_int_equal(d->closed, 0);
	answer_held(d, 0);
	turns(d, 1);
	assert_int_equal(d->closed, 1);
	assert_int_equal(conn_set_count(d->set), 0);
}

static void
test_the_set_goes_before_its_answers(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1");
	turns(d, 1);
	conn_set_free(d->set);
	d->set = NULL;
	ASSERT_HEARD(d, 0, "eof");
	assert_int_equal(d->closed, 0);
	answer_held(d, 0);
	assert_int_equal(d->closed, 1);
}

static void
test_a_finished_connection_reads_no_more(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1\2f2\2n3");
	turns(d, 1);
	assert_int_equal(d->messages, 2);
	ASSERT_HEARD(d, 0, "");
	answer_held(d, 0);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2h1\2f2eof");
}

static void
test_a_finished_set_answers_what_it_has(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	say(d, 0, "\2h1");
	turns(d, 1);
	conn_set_finish(d->set);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "");
	ASSERT_HEARD(d, 1, "eof");
	assert_int_equal(conn_set_count(d->set), 1);
	answer_held(d, 0);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2h1eof");
	assert_int_equal(conn_set_count(d->set), 0);
}

static void
test_a_protocol_may_refuse_a_peer(void **state)
{
	struct desk *d = *state;

	d->refuses = true;
	assert_int_equal(connect_client(d, 0), ERR_DENIED);
	ASSERT_HEARD(d, 0, "eof");
	assert_int_equal(d->closed, 0);
	assert_int_equal(conn_set_count(d->set), 0);
}

enum { LONG_OCTETS = 3000000 };

static void
give_long(struct late *late, uint8_t with)
{
	struct buf answer;
	uint8_t *at;

	buf_init(&answer, LONG_OCTETS);
	assert_int_equal(buf_reserve(&answer, LONG_OCTETS, &at), OK);
	memset(at, with, LONG_OCTETS);
	buf_added(&answer, LONG_OCTETS);
	conn_answer(late->conn, late->number, buf_peek(&answer));
	buf_clear(&answer);
	late->conn = NULL;
}

/* How many octets are `with`, next; the rest is for later. */
static void
hear_long(struct desk *d, char with, size_t want)
{
	static char heard[65536];
	size_t octets = 0;

	while (octets < want) {
		size_t room = want - octets;
		ssize_t got = recv(d->client[0], heard,
		    room < sizeof(heard) ? room : sizeof(heard), 0);
		ssize_t k;

		for (k = 0; k < got; k++)
			assert_int_equal(heard[k], with);
		octets += got > 0 ? (size_t)got : 0;
		if (got < 0)
			turns(d, 1);
	}
}

/* They are taken in another order than they leave, with short ones between. */
static void
test_long_answers_come_whole_and_in_order(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "\2h1\2h2\2h3\2h4");
	turns(d, 1);
	give_long(&d->held[2], 'c');
	answer_held(d, 1);
	answer_held(d, 3);
	turns(d, 1);
	ASSERT_HEARD(d, 0, "");
	give_long(&d->held[0], 'a');
	turns(d, 1);
	hear_long(d, 'a', LONG_OCTETS);
	hear_long(d, 2, 1);
	hear_long(d, 'h', 1);
	hear_long(d, '2', 1);
	hear_long(d, 'c', LONG_OCTETS);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "\2h4");
	say(d, 0, "\2n5");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "\2n5");
}

static void
test_a_source_is_an_address_without_its_port(void **state)
{
	static const char *const cases[][2] = {
	    {"10.0.0.5:40000", "10.0.0.5"},
	    {"[2001:db8::7]:9", "2001:db8::7"},
	    {"nowhere", "nowhere"},
	};
	struct desk *d = *state;
	int pair[2];
	size_t k;

	for (k = 0; k < 3; k++) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
		    0);
		d->client[k] = pair[0];
		assert_int_equal(conn_take(d->set, pair[1], cases[k][0]), OK);
		say(d, k, "\2h1");
		turns(d, 1);
		assert_true(bytes_equal_text(
		    conn_peer(d->held[k].conn)->source, cases[k][1]));
	}
}

/* ---- messages in pieces, one by one ---- */

static void
test_pieces_are_given_as_they_come(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "ab");
	turns(d, 1);
	assert_int_equal(d->line.pieces, 1);
	say(d, 0, "cd");
	turns(d, 1);
	assert_int_equal(d->line.pieces, 2);
	ASSERT_HEARD(d, 0, "");
	say(d, 0, "e\nx");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "abcde\n");
	assert_int_equal(d->line.pieces, 1);
	say(d, 0, "\nlast\n");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "x\nlast\n");
}

static void
test_a_message_waits_for_the_answer_before_it(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	say(d, 0, "h1\n2\nh3\n4\n");
	turns(d, 3);
	assert_int_equal(d->line.octets, 3);
	ASSERT_HEARD(d, 0, "");
	line_go_on(d);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "h1\n2\n");
	say(d, 0, "5\n");
	turns(d, 2);
	assert_int_equal(d->line.octets, 3);
	line_go_on(d);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "h3\n4\n5\n");
}

/* While it waits no more is read than what a read may bring. */
static void
test_a_piece_may_have_the_next_one_wait(void **state)
{
	struct desk *d = *state;
	char text[1001] = "";
	unsigned sent = 0;

	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "w1");
	turns(d, 1);
	while (send(d->client[0], text, 1000, MSG_NOSIGNAL) == 1000) {
		sent++;
		turns(d, 1);
	}
	/* the socket is full, and stays so */
	assert_true(sent > 10);
	assert_int_equal(d->line.pieces, 1);
	line_go_on(d);
	turns(d, 2);
	assert_int_equal(d->line.pieces, 2);
	assert_int_equal(d->closed, 0);
	close(d->client[0]);
	d->client[0] = -1;
	turns(d, 2);
	assert_int_equal(d->closed, 0);
	line_go_on(d);
	turns(d, 2);
	line_go_on(d);
}

static void
test_an_answer_may_have_parts(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "a\npq\nb\n");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "a\nppq\npq\nb\n");
}

static void
test_half_a_message_has_its_time(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	assert_int_equal(connect_client(d, 1), OK);
	say(d, 0, "ab");
	turns(d, 1);
	rig_move_to(&d->rig, 19000);
	turns(d, 2);
	say(d, 0, "c"); /* gains no time */
	turns(d, 1);
	rig_move_to(&d->rig, 19999);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "");
	rig_move_to(&d->rig, 20000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
	ASSERT_HEARD(d, 1, ""); /* idle, which is allowed for longer */
	assert_int_equal(d->closed, 1);
}

/* 1000 octets, what a message may have that is whole. */
static void
test_a_long_message_has_more_time(void **state)
{
	struct desk *d = *state;
	char text[1001] = "";
	int64_t k;

	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(connect_client(d, 0), OK);
	for (k = 0; k < 4; k++) {
		rig_move_to(&d->rig, k * 19000);
		turns(d, 2);
		say(d, 0, text);
		turns(d, 1);
	}
	ASSERT_HEARD(d, 0, "");
	text[999] = '\0';
	rig_move_to(&d->rig, k * 19000);
	turns(d, 2);
	say(d, 0, text); /* one octet short */
	turns(d, 1);
	rig_move_to(&d->rig, 3 * 19000 + 20000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
}

static void
test_the_time_of_the_server_is_not_the_peers(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "wa");
	turns(d, 1);
	rig_move_to(&d->rig, 1000000);
	turns(d, 2);
	line_go_on(d);
	turns(d, 2);
	rig_move_to(&d->rig, 1019999);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "");
	rig_move_to(&d->rig, 1020000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
}

static void
test_after_a_message_in_pieces_the_peer_may_be_idle(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "a");
	turns(d, 1);
	say(d, 0, "b\n");
	turns(d, 1);
	ASSERT_HEARD(d, 0, "ab\n");
	rig_move_to(&d->rig, 59999);
	turns(d, 3);
	ASSERT_HEARD(d, 0, "");
	rig_move_to(&d->rig, 60000);
	turns(d, 2);
	ASSERT_HEARD(d, 0, "eof");
}

static void
test_half_a_message_ends_with_its_peer(void **state)
{
	struct desk *d = *state;

	assert_int_equal(connect_client(d, 0), OK);
	say(d, 0, "a\nha");
	shutdown(d->client[0], SHUT_WR);
	turns(d, 3);
	ASSERT_HEARD(d, 0, "a\neof");
	assert_int_equal(d->closed, 1);
}

int
main(void)
{
#define LINE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_lines, tear_down)
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    DESK_TEST(test_messages_are_answered),
	    DESK_TEST(test_a_message_may_come_octet_by_octet),
	    DESK_TEST(test_messages_may_be_cut_anywhere),
	    DESK_TEST(test_answers_keep_the_order_of_messages),
	    DESK_TEST(test_answers_of_the_end_of_a_turn_leave_in_that_turn),
	    DESK_TEST(test_a_message_may_have_no_answer),
	    DESK_TEST(test_connections_do_not_wait_for_each_other),
	    DESK_TEST(test_the_longest_message_is_taken),
	    DESK_TEST(test_a_longer_one_closes_before_it_is_there),
	    DESK_TEST(test_what_is_no_message_closes),
	    DESK_TEST(test_unanswered_messages_stop_the_reading),
	    DESK_TEST(test_a_peer_that_does_not_listen_is_not_served),
	    DESK_TEST(test_a_peer_that_never_listens_is_closed_in_time),
	    DESK_TEST(test_an_idle_connection_is_closed_in_time),
	    DESK_TEST(test_a_slow_sender_is_closed_in_time),
	    DESK_TEST(test_a_message_that_arrives_in_time_is_served),
	    DESK_TEST(test_the_server_may_take_its_time),
	    DESK_TEST(test_a_peer_that_has_said_all_gets_its_answers),
	    DESK_TEST(test_answers_after_the_peer_has_gone_are_dropped),
	    DESK_TEST(test_the_set_goes_before_its_answers),
	    DESK_TEST(test_a_finished_connection_reads_no_more),
	    DESK_TEST(test_a_finished_set_answers_what_it_has),
	    DESK_TEST(test_a_protocol_may_refuse_a_peer),
	    DESK_TEST(test_long_answers_come_whole_and_in_order),
	    DESK_TEST(test_a_source_is_an_address_without_its_port),
	    LINE_TEST(test_pieces_are_given_as_they_come),
	    LINE_TEST(test_a_message_waits_for_the_answer_before_it),
	    LINE_TEST(test_a_piece_may_have_the_next_one_wait),
	    LINE_TEST(test_an_answer_may_have_parts),
	    LINE_TEST(test_half_a_message_has_its_time),
	    LINE_TEST(test_a_long_message_has_more_time),
	    LINE_TEST(test_the_time_of_the_server_is_not_the_peers),
	    LINE_TEST(test_after_a_message_in_pieces_the_peer_may_be_idle),
	    LINE_TEST(test_half_a_message_ends_with_its_peer),
	};
#undef LINE_TEST
#undef DESK_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

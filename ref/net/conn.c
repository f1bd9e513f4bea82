#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

enum {
	RECORD_OCTETS = 16384,        /* the most that one TLS record holds */
	READS_PER_TURN = 8,           /* then other connections come first */
	REST_MS = 10000,              /* idle for so long: give memory back */
	SEND_OCTETS = 256 * 1024,     /* at once; sent ones are wiped then */
	SENDS_PER_TURN = 1024 * 1024, /* octets; then others come first */
	MOVE_OCTETS = 16 * 1024,      /* so long, an answer is not copied */
	KEEP_OCTETS = 256 * 1024,     /* of room, between answers */
};

/* Any answer; the protocol bounds each, `unanswered` their number. */
#define OUT_MAX_OCTETS (SIZE_MAX / 4)

struct conn_set {
	struct loop *loop;
	struct conn_rules rules;
	struct conn *first;
	unsigned count;
	struct conn *unsent; /* answered since the last end of turn */
	struct loop_task flush;
	uint8_t record[RECORD_OCTETS];
};

/* Of answers, behind what is being sent. */
struct piece {
	struct piece *next;
	struct buf octets;
};

/* An answer that waits for an earlier one. */
struct held {
	struct buf octets;
	bool given;
};

struct conn {
	struct conn_set *set; /* NULL: broken, only answers are awaited */
	struct conn *next;
	struct conn **link;
	struct conn *next_unsent;
	bool is_unsent;

	const struct protocol *protocol;
	void *ctx;
	void *state;
	bool is_open; /* the peer is known, `state` is there */

	int fd;
	struct loop_fd *watch;
	struct tls_conn *tls;
	struct loop_task go_on;
	char *name;
	char *subject;
	char *address;
	char *source;
	struct conn_peer peer;

	struct buf in; /* a message's beginning, or what has to wait */
	bool no_more;  /* will be read */
	bool stalled;  /* more could be used, had there been room */
	bool busy;     /* it is being served further up the stack */
	uint64_t next_number;
	uint64_t next_answer;
	unsigned owed;     /* answers that have not been given */
	struct held *held; /* a ring, made when it is needed */
	size_t held_count;

	struct buf out;
	size_t sent_octets;
	struct piece *first_piece; /* to follow `out` */
	struct piece *last_piece;
	size_t piece_octets; /* of all of them */
	enum tls_wait read_wait;
	enum tls_wait write_wait;

	struct loop_timer *timer;
	int64_t timer_ms;   /* it will ring no later than needed */
	int64_t active_ms;  /* when the last octet came or went */
	int64_t message_ms; /* when `in` began to be a message */
	bool in_pieces;     /* of the message that comes some have been given */
	size_t came_octets; /* of them since message_ms */
	bool rests;
};

static void
say(const struct conn *conn, enum log_level level, const char *what)
{
	log_line("net", level, "%s %s%s%s: %s", conn->protocol->name,
	    conn->address, conn->name != NULL ? " " : "",
	    conn->name != NULL ? conn->name : "", what);
}

static size_t
unsent(const struct conn *conn)
{
	return conn->out.octets - conn->sent_octets + conn->piece_octets;
}

/* May another message be given to the protocol? */
static bool
has_room(const struct conn *conn)
{
	const struct limits *limits = &conn->set->rules.limits;

	if (conn->protocol->one_by_one && conn->owed != 0)
		return false;
	return conn->next_number - conn->next_answer < limits->unanswered &&
	       unsent(conn) < limits->message_octets;
}

/* ---- counting ---- */

static enum connection_row
kind_of(const struct conn_set *set)
{
	return set->rules.tls != NULL ? CONNECTION_SSL : CONNECTION_CLEAR;
}

static void
count_came(const struct conn_set *set)
{
	struct statistics_counts *counts = set->rules.counts;

	if (counts == NULL)
		return;
	counts->came[CONNECTION_TOTAL]++;
	counts->came[kind_of(set)]++;
}

static void
count_gone(const struct conn_set *set)
{
	struct statistics_counts *counts = set->rules.counts;

	if (counts == NULL)
		return;
	counts->gone[CONNECTION_TOTAL]++;
	counts->gone[kind_of(set)]++;
}

static void
count_event(const struct conn_set *set, enum connection_row what)
{
	if (set->rules.counts != NULL)
		set->rules.counts->came[what]++;
}

static void
count_octets(const struct conn_set *set, enum flow flow, size_t octets)
{
	if (set->rules.counts != NULL)
		set->rules.counts->octets[flow] += octets;
}

/* ---- the end ---- */

static void
conn_free(struct conn *conn)
{
	size_t k;

	if (conn->is_open && conn->protocol->closed != NULL)
		conn->protocol->closed(conn->ctx, conn->state);
	for (k = 0; k < conn->held_count; k++)
		buf_clear(&conn->held[k].octets);
	mem_free(conn->held);
	mem_free(conn->name);
	mem_free(conn->subject);
	mem_free(conn->address);
	mem_free(conn->source);
	mem_free(conn);
}

static void
unsent_forget(struct conn *conn)
{
	struct conn **at = &conn->set->unsent;

	while (conn->is_unsent && *at != conn)
		at = &(*at)->next_unsent;
	if (conn->is_unsent)
		*at = conn->next_unsent;
	conn->is_unsent = false;
}

/* The protocol may still answer, into nothing; then it goes. */
static void
conn_release(struct conn *conn)
{
	if (conn->set == NULL && conn->owed == 0 && !conn->busy)
		conn_free(conn);
}

/* What is to be sent next; nothing is. */
static void
drop_first_piece(struct conn *conn)
{
	struct piece *piece = conn->first_piece;

	conn->first_piece = piece->next;
	if (conn->first_piece == NULL)
		conn->last_piece = NULL;
	conn->piece_octets -= piece->octets.octets;
	buf_clear(&piece->octets);
	mem_free(piece);
}

/* Nothing comes or goes any more; conn_release() is to follow. */
static void
conn_break(struct conn *conn)
{
	if (conn->set == NULL)
		return;
	unsent_forget(conn);
	count_gone(conn->set);
	conn->set->count--;
	*conn->link = conn->next;
	if (conn->next != NULL)
		conn->next->link = conn->link;
	conn->set = NULL;
	loop_task_cancel(&conn->go_on);
	loop_timer_free(conn->timer);
	loop_fd_free(conn->watch);
	tls_conn_free(conn->tls);
	close(conn->fd);
	buf_clear(&conn->in);
	buf_clear(&conn->out);
	while (conn->first_piece != NULL)
		drop_first_piece(conn);
}

/* All is said: end it in order. */
static void
conn_close(struct conn *conn)
{
	if (conn->tls != NULL)
		tls_goodbye(conn->tls);
	conn_break(conn);
}

/* ---- sending ---- */

static enum err
send_some(struct conn *conn, struct bytes in, size_t *put)
{
	ssize_t sent;

	if (conn->tls != NULL)
		return tls_write(conn->tls, in, put, &conn->write_wait);
	conn->write_wait = TLS_WAIT_NONE;
	sent = send(conn->fd, in.at, in.octets, MSG_NOSIGNAL);
	*put = sent > 0 ? (size_t)sent : 0;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		conn->write_wait = TLS_WAIT_WRITE;
	else if (sent < 0)
		return ERR_SYSTEM;
	return OK;
}

/* `out` is sent: make it empty, or what comes behind it. */
static void
next_piece(struct conn *conn)
{
	conn->sent_octets = 0;
	if (conn->first_piece == NULL && conn->out.room_octets <= KEEP_OCTETS) {
		buf_reset(&conn->out);
		return;
	}
	buf_clear(&conn->out);
	if (conn->first_piece == NULL)
		return;
	conn->out = conn->first_piece->octets;
	conn->piece_octets -= conn->out.octets;
	buf_init(&conn->first_piece->octets, OUT_MAX_OCTETS);
	drop_first_piece(conn);
}

static enum err
flush(struct conn *conn)
{
	size_t budget = SENDS_PER_TURN;
	enum err rc = OK;

	conn->write_wait = TLS_WAIT_NONE;
	while (unsent(conn) != 0 && conn->write_wait == TLS_WAIT_NONE) {
		struct bytes rest;
		size_t put;

		if (conn->sent_octets == conn->out.octets)
			next_piece(conn);
		rest.at = conn->out.at + conn->sent_octets;
		rest.octets = conn->out.octets - conn->sent_octets;
		if (rest.octets > SEND_OCTETS)
			rest.octets = SEND_OCTETS;
		TRY(send_some(conn, rest, &put));
		conn->sent_octets += put;
		count_octets(conn->set, FLOW_OUTGOING, put);
		if (put != 0)
			conn->active_ms = loop_now_ms(conn->set->loop);
		if (put < budget)
			budget -= put;
		else if (conn->write_wait == TLS_WAIT_NONE)
			conn->write_wait = TLS_WAIT_WRITE;
	}
	if (conn->sent_octets == conn->out.octets)
		next_piece(conn);
out:
	return rc;
}

/* ---- receiving ---- */

/* Its time starts, unless it has begun in pieces. */
static void
begin_message(struct conn *conn)
{
	if (!conn->in_pieces)
		conn->message_ms = conn->active_ms;
}

/* Give the protocol whole messages; *in keeps what is not one, or waits. */
static enum err
consume(struct conn *conn, struct bytes *in)
{
	const struct limits *limits = &conn->set->rules.limits;
	struct bytes message;
	size_t octets;
	enum err rc = OK;

	conn->stalled = false;
	while (in->octets != 0 && !conn->no_more && has_room(conn)) {
		rc = conn->protocol->frame(conn->state, *in, &octets);
		if (rc == ERR_TRUNCATED)
			return OK;
		TRY(rc);
		assert(octets != 0);
		/* a piece is there, and no longer than what was kept */
		if (octets > limits->message_octets &&
		    !conn->protocol->one_by_one)
			TRY(ERR_LIMIT);
		if (bytes_split(in, octets, &message) != OK)
			return OK;
		conn->came_octets += octets;
		conn->owed++;
		conn->protocol->message(
		    conn->ctx, conn->state, conn, conn->next_number++, message);
		/* an answer that could not be kept breaks it */
		if (conn->set == NULL)
			return ERR_CLOSED;
	}
	conn->stalled = in->octets != 0 && !conn->no_more;
out:
	return rc;
}

/* What came last time and could not be used then. */
static enum err
consume_kept(struct conn *conn)
{
	struct bytes rest = buf_peek(&conn->in);
	enum err rc = OK;

	if (rest.octets == 0)
		return OK;
	TRY(consume(conn, &rest));
	if (rest.octets != conn->in.octets) {
		begin_message(conn);
		buf_drop(&conn->in, conn->in.octets - rest.octets);
	}
out:
	return rc;
}

/* New octets: used where they are as far as possible. */
static enum err
feed(struct conn *conn, struct bytes in)
{
	enum err rc = OK;

	conn->active_ms = loop_now_ms(conn->set->loop);
	conn->rests = false;
	count_octets(conn->set, FLOW_INCOMING, in.octets);
	if (conn->in.octets != 0) {
		TRY(buf_put(&conn->in, in));
		return consume_kept(conn);
	}
	TRY(consume(conn, &in));
	if (in.octets != 0) {
		begin_message(conn);
		TRY(buf_put(&conn->in, in));
	}
out:
	return rc;
}

static enum err
receive_some(struct conn *conn, size_t *got)
{
	struct conn_set *set = conn->set;
	ssize_t received;

	if (conn->tls != NULL)
		return tls_read(conn->tls, set->record, sizeof(set->record),
		    got, &conn->read_wait);
	conn->read_wait = TLS_WAIT_NONE;
	received = recv(conn->fd, set->record, sizeof(set->record), 0);
	*got = received > 0 ? (size_t)received : 0;
	if (received == 0)
		return ERR_CLOSED;
	if (received < 0 && (errno == EAGAIN || errno == EINTR))
		conn->read_wait = TLS_WAIT_READ;
	else if (received < 0)
		return ERR_SYSTEM;
	return OK;
}

/* The next read may find octets that the descriptor does not tell of. */
static bool
more_inside(const struct conn *conn)
{
	return conn->tls != NULL && conn->read_wait == TLS_WAIT_NONE &&
	       tls_pending(conn->tls);
}

static enum err
receive(struct conn *conn)
{
	struct conn_set *set = conn->set;
	int reads = 0;
	size_t got;
	enum err rc = OK;

	TRY(consume_kept(conn));
	while (!conn->no_more && has_room(conn)) {
		rc = receive_some(conn, &got);
		if (rc == ERR_CLOSED) {
			conn->no_more = true;
			return OK;
		}
		TRY(rc);
		if (got == 0)
			return OK;
		rc = feed(conn, (struct bytes){set->record, got});
		secret_wipe(set->record, got);
		TRY(rc);
		if (!more_inside(conn))
			return OK;
		if (++reads == READS_PER_TURN)
			break;
	}
	/* as much as one connection may take of a turn, or as it has room for
	 */
	conn->stalled = !conn->no_more;
out:
	return rc;
}

/* ---- time ---- */

/* Is a message on its way? */
static bool
comes(const struct conn *conn)
{
	return conn->in.octets != 0 || conn->in_pieces;
}

/* When this connection's patience ends; INT64_MAX: it has no end. */
static int64_t
deadline_ms(const struct conn *conn)
{
	const struct limits *limits = &conn->set->rules.limits;

	if (!conn->is_open)
		return conn->active_ms + limits->handshake_ms;
	if (unsent(conn) != 0)
		return conn->active_ms + limits->message_ms;
	if (conn->owed != 0)
		return INT64_MAX;
	if (comes(conn))
		return conn->message_ms + limits->message_ms;
	if (!conn->rests && limits->idle_ms > REST_MS)
		return conn->active_ms + REST_MS;
	return conn->active_ms + limits->idle_ms;
}

/* A later deadline does not touch the timer: it asks again when it rings. */
static void
watch_time(struct conn *conn)
{
	int64_t due_ms = deadline_ms(conn);

	if (due_ms >= conn->timer_ms)
		return;
	conn->timer_ms = due_ms;
	loop_timer_set(conn->timer, due_ms);
}

static const char *
patience_text(const struct conn *conn)
{
	if (!conn->is_open)
		return "closed: the handshake takes too long";
	if (unsent(conn) != 0)
		return "closed: does not take its answers";
	if (comes(conn))
		return "closed: a message comes too slowly";
	return "closed: idle";
}

static void
timer_rang(void *ctx)
{
	struct conn *conn = ctx;
	bool is_idle = conn->is_open && unsent(conn) == 0 && !comes(conn);

	conn->timer_ms = INT64_MAX;
	if (deadline_ms(conn) <= loop_now_ms(conn->set->loop)) {
		if (!is_idle || conn->rests ||
		    conn->set->rules.limits.idle_ms <= REST_MS) {
			say(conn, is_idle ? LOG_DEBUG : LOG_INFO,
			    patience_text(conn));
			if (!conn->is_open)
				count_event(conn->set, CONNECTION_FAILED);
			conn_close(conn);
			conn_release(conn);
			return;
		}
		conn->rests = true;
		buf_clear(&conn->in);
		buf_clear(&conn->out);
		if (conn->tls != NULL)
			tls_rest(conn->tls);
	}
	watch_time(conn);
}

/* ---- service ---- */

static enum err
watch_descriptor(struct conn *conn)
{
	unsigned want = 0;

	if (!conn->is_open || (!conn->no_more && has_room(conn)))
		want |=
		    conn->read_wait == TLS_WAIT_WRITE ? LOOP_WRITE : LOOP_READ;
	if (conn->write_wait == TLS_WAIT_READ)
		want |= LOOP_READ;
	if (conn->write_wait == TLS_WAIT_WRITE)
		want |= LOOP_WRITE;
	return loop_fd_want(conn->watch, want);
}

static void
say_why(const struct conn *conn, enum err rc)
{
	/* a peer that just goes is no news */
	enum log_level level = rc == ERR_SYSTEM ? LOG_DEBUG : LOG_INFO;
	const char *why = conn->tls != NULL ? tls_why(conn->tls) : "";

	say(conn, level, *why != '\0' ? why : err_text(rc));
}

/*
 * After all that was possible has been done, with rc from it: send, and wait
 * for the right thing. The conn may be gone afterwards.
 */
static void
settle(struct conn *conn, enum err rc)
{
	if (conn->set != NULL && rc == OK)
		rc = flush(conn);
	if (conn->set != NULL && rc == OK && conn->stalled && has_room(conn)) {
		conn->stalled = false;
		loop_later(conn->set->loop, &conn->go_on);
	}
	if (conn->set != NULL && rc == OK)
		rc = watch_descriptor(conn);
	if (conn->set != NULL && rc != OK) {
		say_why(conn, rc);
		conn_break(conn);
	} else if (conn->set != NULL && conn->no_more && conn->owed == 0 &&
		   unsent(conn) == 0)
		conn_close(conn);
	else if (conn->set != NULL)
		watch_time(conn);
	conn->busy = false;
	conn_release(conn);
}

/* The peer is known, or needs not to be. */
static enum err
open_up(struct conn *conn)
{
	enum err rc = OK;

	conn->active_ms = loop_now_ms(conn->set->loop);
	if (conn->tls != NULL) {
		TRY(tls_peer(conn->tls, &conn->name, &conn->subject));
		if (conn->name != NULL)
			conn->peer.name = bytes_of_text(conn->name);
		if (conn->subject != NULL)
			conn->peer.subject = bytes_of_text(conn->subject);
	}
	if (conn->protocol->opened != NULL)
		TRY(conn->protocol->opened(conn->ctx, conn, &conn->state));
	conn->is_open = true;
	if (conn->tls != NULL && log_wants("net", LOG_DEBUG))
		log_line("net", LOG_DEBUG, "%s %s %s: %s%s",
		    conn->protocol->name, conn->address,
		    conn->name != NULL ? conn->name : "-",
		    tls_version(conn->tls),
		    tls_resumed(conn->tls) ? ", resumed" : "");
out:
	return rc;
}

static enum err
shake_hands(struct conn *conn)
{
	enum err rc = OK;

	rc = tls_accept(conn->tls, &conn->read_wait);
	if (rc != OK)
		count_event(conn->set, CONNECTION_FAILED);
	TRY(rc);
	if (conn->read_wait != TLS_WAIT_NONE)
		return OK;
	count_event(conn->set, tls_resumed(conn->tls) ? CONNECTION_RESUMES
						      : CONNECTION_HANDSHAKES);
	TRY(open_up(conn));
out:
	return rc;
}

static void
serve(struct conn *conn)
{
	enum err rc = OK;

	conn->busy = true;
	if (!conn->is_open)
		TRY(shake_hands(conn));
	/* the first request may have come with the end of the handshake */
	if (conn->is_open)
		TRY(receive(conn));
out:
	settle(conn, rc);
}

static void
descriptor_ready(void *ctx, unsigned ready)
{
	(void)ready;
	serve(ctx);
}

static void
go_on(void *ctx)
{
	serve(ctx);
}

/* ---- answers ---- */

/* Have the end of the turn look at it. */
static void
mark_unsent(struct conn *conn)
{
	if (conn->busy || conn->is_unsent)
		return;
	conn->is_unsent = true;
	conn->next_unsent = conn->set->unsent;
	conn->set->unsent = conn;
}

static void
flush_all(void *ctx)
{
	struct conn_set *set = ctx;

	while (set->unsent != NULL) {
		struct conn *conn = set->unsent;

		unsent_forget(conn);
		conn->busy = true;
		settle(conn, OK);
	}
}

static struct held *
held_at(struct conn *conn, uint64_t number)
{
	return &conn->held[number % conn->held_count];
}

/* Keep an answer until those before it are given; as for send_in_order(). */
static enum err
hold(struct conn *conn, uint64_t number, struct bytes answer)
{
	size_t count = conn->set->rules.limits.unanswered;
	struct held *held;
	size_t k;
	enum err rc = OK;

	if (conn->held == NULL) {
		TRY(MEM_ARRAY(conn->held, count));
		conn->held_count = count;
		for (k = 0; k < count; k++)
			buf_init(&conn->held[k].octets, OUT_MAX_OCTETS);
	}
	held = held_at(conn, number);
	assert(!held->given);
	TRY(buf_put(&held->octets, answer));
	held->given = true;
out:
	return rc;
}

static void
append(struct conn *conn, struct piece *piece)
{
	if (conn->last_piece != NULL)
		conn->last_piece->next = piece;
	else
		conn->first_piece = piece;
	conn->last_piece = piece;
	conn->piece_octets += piece->octets.octets;
	piece->octets.max_octets = OUT_MAX_OCTETS;
}

/* Behind all that is to be sent. */
static enum err
put(struct conn *conn, struct bytes in)
{
	struct piece *last = conn->last_piece;
	struct buf *b = last != NULL ? &last->octets : &conn->out;
	struct piece *piece = NULL;
	enum err rc = OK;

	/* what is long does not grow: it would be copied */
	if (b->octets < MOVE_OCTETS ||
	    b->room_octets - b->octets >= in.octets) {
		TRY(buf_put(b, in));
		conn->piece_octets += last != NULL ? in.octets : 0;
		return OK;
	}
	TRY(MEM_NEW(piece));
	buf_init(&piece->octets, OUT_MAX_OCTETS);
	TRY(buf_put(&piece->octets, in));
	append(conn, piece);
	piece = NULL;
out:
	mem_free(piece);
	return rc;
}

/* The same; `in` is empty afterwards, and may keep its room. */
static enum err
put_buf(struct conn *conn, struct buf *in)
{
	struct piece *piece = NULL;
	enum err rc = OK;

	if (in->octets < MOVE_OCTETS) {
		TRY(put(conn, buf_peek(in)));
		buf_reset(in);
		return OK;
	}
	TRY(MEM_NEW(piece));
	piece->octets = *in;
	buf_init(in, in->max_octets);
	append(conn, piece);
out:
	return rc;
}

/* The answer's turn, and then perhaps that of others that were held. */
static enum err
send_in_order(struct conn *conn, struct bytes answer)
{
	enum err rc = OK;

	TRY(put(conn, answer));
	conn->next_answer++;
	while (conn->held != NULL && conn->next_answer != conn->next_number) {
		struct held *held = held_at(conn, conn->next_answer);

		if (!held->given)
			break;
		TRY(put_buf(conn, &held->octets));
		held->given = false;
		conn->next_answer++;
	}
out:
	return rc;
}

void
conn_answer(struct conn *conn, uint64_t number, struct bytes answer)
{
	enum err rc = OK;

	assert(conn->owed != 0 && number < conn->next_number);
	conn->owed--;
	conn->in_pieces = false;
	if (conn->set == NULL) {
		conn_release(conn);
		return;
	}
	assert(number >= conn->next_answer);
	conn->active_ms = loop_now_ms(conn->set->loop);
	if (number == conn->next_answer)
		rc = send_in_order(conn, answer);
	else
		rc = hold(conn, number, answer);
	if (rc == OK) {
		mark_unsent(conn);
		return;
	}
	say_why(conn, rc);
	conn_break(conn);
	conn_release(conn);
}

void
conn_answer_part(struct conn *conn, uint64_t number, struct buf *part)
{
	enum err rc = OK;

	assert(conn->protocol->one_by_one && conn->owed == 1);
	assert(number == conn->next_answer);
	if (conn->set != NULL)
		rc = put_buf(conn, part);
	buf_clear(part);
	if (conn->set != NULL && rc == OK)
		mark_unsent(conn);
	if (rc != OK) {
		say_why(conn, rc);
		conn_break(conn);
	}
}

void
conn_more(struct conn *conn, uint64_t number)
{
	assert(conn->protocol->one_by_one && conn->owed == 1);
	assert(number == conn->next_answer);
	conn->owed--;
	conn->next_number--;
	if (conn->set == NULL) {
		conn_release(conn);
		return;
	}
	if (!conn->in_pieces || !conn->busy ||
	    conn->came_octets >= conn->set->rules.limits.message_octets) {
		conn->message_ms = loop_now_ms(conn->set->loop);
		conn->came_octets = 0;
	}
	conn->in_pieces = true;
	mark_unsent(conn);
}

void
conn_finish(struct conn *conn)
{
	if (conn->set == NULL)
		return;
	conn->no_more = true;
	mark_unsent(conn);
}

const struct conn_peer *
conn_peer(const struct conn *conn)
{
	return &conn->peer;
}

enum err
conn_subject_field(
    const struct conn *conn, enum tls_field field, struct buf *out)
{
	if (conn->tls == NULL)
		return ERR_NOT_FOUND;
	return tls_peer_field(conn->tls, field, out);
}

bool
conn_names_source(const struct conn *conn)
{
	return conn->tls != NULL &&
	       tls_peer_has_address(conn->tls, conn->source);
}

/* ---- the set ---- */

enum err
conn_set_new(
    struct loop *loop, const struct conn_rules *rules, struct conn_set **out)
{
	struct conn_set *set = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(set));
	set->loop = loop;
	set->rules = *rules;
	set->flush.fn = flush_all;
	set->flush.ctx = set;
	loop_each_turn(loop, &set->flush);
	*out = set;
out:
	return rc;
}

void
conn_set_free(struct conn_set *set)
{
	if (set == NULL)
		return;
	while (set->first != NULL) {
		struct conn *conn = set->first;

		conn_break(conn);
		conn_release(conn);
	}
	loop_task_cancel(&set->flush);
	mem_free(set);
}

unsigned
conn_set_count(const struct conn_set *set)
{
	return set->count;
}

void
conn_set_finish(struct conn_set *set)
{
	struct conn *conn;

	for (conn = set->first; conn != NULL; conn = conn->next)
		conn_finish(conn);
}

static void
join(struct conn_set *set, struct conn *conn)
{
	conn->set = set;
	conn->next = set->first;
	if (conn->next != NULL)
		conn->next->link = &conn->next;
	conn->link = &set->first;
	set->first = conn;
	set->count++;
	count_came(set);
}

/* "10.0.0.5:40000" without its port, "[::1]:40000" without brackets too. */
static struct bytes
source_of(const char *address)
{
	const char *end = strrchr(address, ':');
	bool in_brackets = *address == '[';
	size_t octets = end != NULL ? (size_t)(end - address) : strlen(address);

	if (in_brackets && octets >= 2) {
		address++;
		octets -= 2;
	}
	return (struct bytes){(const uint8_t *)address, octets};
}

enum err
conn_take(struct conn_set *set, int fd, const char *address)
{
	const struct protocol *protocol = set->rules.protocol;
	struct bytes source = source_of(address);
	struct conn *conn = NULL;
	enum err rc = OK;

	if (protocol->expects != NULL &&
	    !protocol->expects(set->rules.ctx, source))
		rc = ERR_DENIED;
	else
		rc = MEM_NEW(conn);
	if (rc != OK) {
		close(fd);
		return rc;
	}
	conn->fd = fd;
	conn->protocol = protocol;
	conn->ctx = set->rules.ctx;
	conn->go_on.fn = go_on;
	conn->go_on.ctx = conn;
	conn->active_ms = loop_now_ms(set->loop);
	conn->timer_ms = INT64_MAX;
	buf_init(&conn->in, set->rules.limits.message_octets + RECORD_OCTETS);
	buf_init(&conn->out, OUT_MAX_OCTETS);
	join(set, conn);
	conn->address = mem_strdup(address);
	if (conn->address == NULL)
		TRY(ERR_NOMEM);
	conn->peer.address = bytes_of_text(conn->address);
	TRY(mem_printf(&conn->source, "%.*s", (int)source.octets,
	    (const char *)source.at));
	conn->peer.source = bytes_of_text(conn->source);
	TRY(loop_timer_new(set->loop, timer_rang, conn, &conn->timer));
	if (set->rules.tls != NULL)
		TRY(tls_conn_new(set->rules.tls, fd, &conn->tls));
	TRY(loop_fd_new(
	    set->loop, fd, LOOP_READ, descriptor_ready, conn, &conn->watch));
	if (conn->tls == NULL)
		TRY(open_up(conn));
	watch_time(conn);
out:
	if (rc != OK) {
		conn_break(conn);
		conn_release(conn);
	}
	return rc;
}

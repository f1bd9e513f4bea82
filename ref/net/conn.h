/*
 * One connection: octets to messages, answers to octets, in order.
 *
 * A connection speaks a protocol, which is a table of functions. Messages may
 * be answered at once, at the end of the turn, or whenever a job is done; the
 * answers leave in the order in which the messages came. What a peer can make
 * the server hold is bounded: it is not read from while it has too many
 * messages unanswered or does not take its answers.
 *
 * A message that is longer than the server wants to hold at a time comes in
 * pieces: the protocol works off each as it comes, and says conn_more().
 *
 * Message octets may carry keys: they are wiped as soon as the protocol has
 * seen them, and so are answers as soon as they are encrypted.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buf.h"
#include "base/loop.h"
#include "device/statistics.h"
#include "net/tls.h"

struct conn;

/* What a port lets its peers do; net/config.def has the defaults. */
struct limits {
	size_t message_octets; /* a longer one closes the connection, as does
				  more to be kept for frame() */
	unsigned unanswered;   /* messages of one connection */
	int64_t handshake_ms;  /* from accept to the peer being known */
	int64_t message_ms;    /* from a message's first octet to its last, in
				  pieces for each message_octets of it; also
				  to take an answer */
	int64_t idle_ms;       /* between messages, none unanswered */
};

struct protocol {
	const char *name; /* for the log */

	/*
	 * Has one from that address any prospect? false: it is closed before
	 * anything is read or sent, TLS included, and who says so has told of
	 * it. NULL: anybody has.
	 */
	bool (*expects)(void *ctx, struct bytes source);

	/*
	 * The next message, or piece of one, is not given before this one has
	 * its answer or its conn_more(), and nothing is read meanwhile.
	 */
	bool one_by_one;

	/*
	 * Octets of the message, or of the next piece of it, that begins at
	 * `in`, as soon as that can be told; at least one, and no more than
	 * there are in a piece. ERR_TRUNCATED: read more; it is asked again
	 * with more behind the same octets. Any other error: the peer speaks
	 * something else, and the connection is closed.
	 */
	enum err (*frame)(void *state, struct bytes in, size_t *octets);

	/*
	 * The peer is known; make what the protocol keeps for each connection.
	 * On an error the connection is closed, and closed() is not called.
	 * NULL: it keeps nothing, and its state is NULL.
	 */
	enum err (*opened)(void *ctx, struct conn *conn, void **state);

	/*
	 * A whole message, or a piece, borrowed until this returns. Each call
	 * is followed by exactly one conn_answer() with its number, or one
	 * conn_more(), from within or later, also when the peer has gone
	 * meanwhile.
	 */
	void (*message)(void *ctx, void *state, struct conn *conn,
	    uint64_t number, struct bytes octets);

	/* Every message is answered, no more will come, not even the rest of
	 * one: free the state. NULL: there is none. */
	void (*closed)(void *ctx, void *state);
};

/* Who is at the other end, from the certificate that was verified. */
struct conn_peer {
	struct bytes name;    /* the subject's only Common Name, UTF-8; none:
				 it has none, or several */
	struct bytes subject; /* the whole subject, as RFC 2253 writes it;
				 none: there is no certificate */
	struct bytes address; /* "127.0.0.1:40000", "[::1]:40000" */
	struct bytes source;  /* "127.0.0.1", "::1" */
};

/* Borrowed, valid as long as the connection. */
const struct conn_peer *conn_peer(const struct conn *conn);

/*
 * The only value of a field of the subject (net/tls.h), in UTF-8, appended.
 * From opened().
 *
 * ERR_NOT_FOUND       none, or no certificate
 * ERR_AUTHENTICATION  several, an empty one, or one with a NUL in it
 */
enum err conn_subject_field(
    const struct conn *conn, enum tls_field field, struct buf *out) MUST_CHECK;

/* Is the address it comes from one of its certificate's subjectAltName? From
 * opened(). */
bool conn_names_source(const struct conn *conn);

/*
 * Answer message `number`. The octets are copied; the caller wipes its own.
 * No octets: this message has no answer, later ones need not wait for it.
 * After the connection broke, the answer is dropped. A connection that cannot
 * hold the answer (ERR_NOMEM) is closed. The conn may be gone when this
 * returns, unless it is called from message().
 */
void conn_answer(struct conn *conn, uint64_t number, struct bytes answer);

/*
 * A part of the answer, before the rest: of a protocol that goes one by one,
 * between its message() and its conn_answer(). What cannot be kept closes the
 * connection; the conn_answer() is still owed then.
 */
void conn_answer_part(struct conn *conn, uint64_t number, struct buf *part);

/*
 * In place of an answer, by a protocol that goes one by one: this was a piece,
 * the next has the same number. The conn may be gone when this returns, unless
 * it is called from message().
 */
void conn_more(struct conn *conn, uint64_t number);

/* Read no more; send what is and will be answered, then close. */
void conn_finish(struct conn *conn);

/* ---- for the port that accepts them ---- */

/* Connections with the same rules. */
struct conn_set;

struct conn_rules {
	struct tls *tls;                 /* NULL: plain TCP; borrowed */
	const struct protocol *protocol; /* borrowed */
	void *ctx;                       /* the protocol's, borrowed */
	struct limits limits;
	/* what goes through them is counted there; NULL: nowhere. Borrowed.
	 * req: KS-22-032 KS-22-033 KS-22-034 */
	struct statistics_counts *counts;
};

/*
 * Answers given at the end of a turn leave in the same turn when they are
 * given by a task that was added to the loop before the set was made.
 */
enum err conn_set_new(struct loop *loop, const struct conn_rules *rules,
    struct conn_set **out) MUST_CHECK;

/*
 * Closes all connections; accepts NULL. Messages still unanswered belong to
 * the protocol, which must answer them (into nothing) sooner or later.
 */
void conn_set_free(struct conn_set *set);

unsigned conn_set_count(const struct conn_set *set);

/*
 * A connection for a socket that was accepted. The set owns fd from here on,
 * on failure too.
 *
 * ERR_DENIED  the protocol does not expect it, and has told of it
 */
enum err
conn_take(struct conn_set *set, int fd, const char *address) MUST_CHECK;

/* conn_finish() for each. */
void conn_set_finish(struct conn_set *set);

#endif

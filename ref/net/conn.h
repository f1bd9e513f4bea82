/*
 * One connection: octets to messages, answers to octets, in order.
 *
 * A connection speaks a protocol, which is a table of functions. Messages may
 * be answered at once, at the end of the turn, or whenever a job is done; the
 * answers leave in the order in which the messages came. What a peer can make
 * the server hold is bounded: it is not read from while it has too many
 * messages unanswered or does not take its answers.
 *
 * Message octets may carry keys: they are wiped as soon as the protocol has
 * seen them, and so are answers as soon as they are encrypted.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/loop.h"

struct conn;
struct tls;

/* What a port lets its peers do; net/config.def has the defaults. */
struct limits {
	size_t message_octets; /* a longer one closes the connection */
	unsigned unanswered;   /* messages of one connection */
	int64_t handshake_ms;  /* from accept to the peer being known */
	int64_t message_ms;    /* from a message's first octet to its last;
				  also to take an answer */
	int64_t idle_ms;       /* between messages, none unanswered */
};

struct protocol {
	const char *name; /* for the log */

	/*
	 * Octets of the message that begins at `in`, as soon as that can be
	 * told. ERR_TRUNCATED: read more. Any other error: the peer speaks
	 * something else, and the connection is closed.
	 */
	enum err (*frame)(struct bytes in, size_t *octets);

	/*
	 * The peer is known; make what the protocol keeps for each connection.
	 * On an error the connection is closed, and closed() is not called.
	 * NULL: it keeps nothing, and its state is NULL.
	 */
	enum err (*opened)(void *ctx, struct conn *conn, void **state);

	/*
	 * A whole message, borrowed until this returns. Each one is answered
	 * by exactly one conn_answer() with its number, sooner or later, also
	 * when the peer has gone meanwhile.
	 */
	void (*message)(void *ctx, void *state, struct conn *conn,
	    uint64_t number, struct bytes octets);

	/* Every message is answered, no more will come: free the state. NULL:
	 * there is none. */
	void (*closed)(void *ctx, void *state);
};

/* Who is at the other end, from the certificate that was verified. */
struct conn_peer {
	struct bytes name;    /* the subject's Common Name, UTF-8 */
	struct bytes subject; /* the whole subject, as RFC 2253 writes it */
	struct bytes address; /* "127.0.0.1:40000", for the log */
};

/* Borrowed, valid as long as the connection. Without TLS: no name. */
const struct conn_peer *conn_peer(const struct conn *conn);

/*
 * Answer message `number`. The octets are copied; the caller wipes its own.
 * No octets: this message has no answer, later ones need not wait for it.
 * After the connection broke, the answer is dropped. A connection that cannot
 * hold the answer (ERR_NOMEM) is closed. The conn may be gone when this
 * returns, unless it is called from message().
 */
void conn_answer(struct conn *conn, uint64_t number, struct bytes answer);

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
 */
enum err
conn_take(struct conn_set *set, int fd, const char *address) MUST_CHECK;

/* conn_finish() for each. */
void conn_set_finish(struct conn_set *set);

#endif

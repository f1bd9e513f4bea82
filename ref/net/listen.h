/*
 * A port: accepts connections, counts them, and closes them in the end.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/conn.h"

struct listener;

/* What one port lets its peers do; net/config.def has the defaults. */
struct limits {
	unsigned connections;  /* more are closed at once, and logged */
	unsigned backlog;      /* not yet accepted, in the kernel */
	size_t message_octets; /* a longer one closes the connection */
	unsigned unanswered;   /* messages of one connection */
	int64_t handshake_ms;  /* from accept to the peer being known */
	int64_t message_ms;    /* from a message's first octet to its last;
				  also to take an answer */
	int64_t idle_ms;       /* between messages, none unanswered */
};

struct listen_config {
	const char *address;             /* "127.0.0.1:5696"; port 0: any */
	struct tls *tls;                 /* NULL: plain TCP; borrowed */
	const struct protocol *protocol; /* borrowed */
	void *ctx;                       /* the protocol's, borrowed */
	struct limits limits;
};

/*
 * ERR_CONFIG  the address cannot be read
 * ERR_SYSTEM  it cannot be bound; the log says why
 */
enum err listener_new(struct loop *loop, const struct listen_config *config,
    struct listener **out) MUST_CHECK;

/* The port it got. */
unsigned listener_port(const struct listener *l);

/* Connections that are open now. */
unsigned listener_connections(const struct listener *l);

/*
 * Accept no more, answer what has been received, close; `done` is called, once
 * and not from within, when the last connection is gone.
 */
void listener_finish(struct listener *l, loop_fn *done, void *ctx);

/*
 * Close everything now; accepts NULL. Messages still unanswered belong to
 * their protocol, which must answer them (into nothing) before the loop goes.
 */
void listener_free(struct listener *l);

#endif

/*
 * A port: accepts connections, counts them, and closes them in the end.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/conn.h"

struct listener;

struct listen_config {
	const char *address;  /* "127.0.0.1:5696", "[::1]:0"; port 0: any */
	unsigned backlog;     /* not yet accepted, in the kernel */
	unsigned connections; /* more are closed at once, and logged */
	struct conn_rules rules;
	bool quiet; /* who asks says what was wrong */
};

/*
 * ERR_CONFIG  the address cannot be read
 * ERR_SYSTEM  it cannot be bound; errno says why, and so does the log
 */
enum err listener_new(struct loop *loop, const struct listen_config *config,
    struct listener **out) MUST_CHECK;

/* Closes everything now; see conn_set_free(). Accepts NULL. */
void listener_free(struct listener *l);

/* The address it got, in the form it was given. Borrowed. */
const char *listener_address(const struct listener *l);
unsigned listener_port(const struct listener *l);

/* Connections that are open now. */
unsigned listener_connections(const struct listener *l);

/*
 * Connections that come from now on have other rules; those that are there go
 * on with theirs. What the old rules point at is borrowed until the listener is
 * freed, but for `tls`, which new connections only have.
 *
 * ERR_NOMEM  the rules are as they were
 */
enum err listener_set_rules(
    struct listener *l, const struct conn_rules *rules) MUST_CHECK;

/* Accept no more; connections go on. */
void listener_stop(struct listener *l);

/*
 * Accept no more, answer what has been received, close: it is finished when
 * listener_connections() is 0.
 */
void listener_finish(struct listener *l);

#endif

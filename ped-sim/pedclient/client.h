/*
 * A PedClient at work: frames between a PedServer and the card.
 *
 * It connects to both, and is hung up on by both at once: the channel through
 * it belongs to these two connections. Then it tries again, sooner at first.
 * Nothing tells when somebody listens there again, so that it takes real time.
 */
#ifndef PEDCLIENT_CLIENT_H
#define PEDCLIENT_CLIENT_H

#include "base/buf.h"
#include "base/loop.h"

struct client;

enum { CLIENT_RETRY_LEAST_MS = 20, CLIENT_RETRY_MOST_MS = 5000 };

/* Borrowed for as long as it lives. */
struct client_config {
	struct loop *loop;
	const char *ip; /* of the PedServer */
	unsigned port;
	const char *card; /* the card's ped.sock */
	/* The first attempt is over, this way; not called again. */
	void (*tried)(void *ctx, bool connected, const char *why);
	void *ctx;
};

/* ERR_CONFIG  ip is no address; ERR_NOMEM, ERR_SYSTEM */
enum err
client_new(const struct client_config *config, struct client **out) MUST_CHECK;
void client_free(struct client *client); /* hangs up; accepts NULL */

bool client_is_connected(const struct client *client);

#endif

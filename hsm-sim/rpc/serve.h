/*
 * The card's end of the PKCS#11 socket: applications over connections.
 *
 * An application of PKCS#11 is a process that loaded the module. It may hold
 * several connections, as many as it has calls under way: the first one makes
 * it known, is told a name that nobody can guess, and the others join by that.
 * Its sessions, session objects and login end with its last connection.
 *
 * What comes from the socket is read by rpc/wire.h, which trusts none of it. A
 * peer that does not keep to the format loses its connection, and nobody else
 * notices.
 */
#ifndef RPC_SERVE_H
#define RPC_SERVE_H

#include "base/env.h"
#include "base/wait.h"
#include "token/call.h"

struct rpc_server;
struct token;

enum {
	RPC_APPS_MAX = 256,        /* at the same time */
	RPC_CONNECTIONS_MAX = 128, /* of one application */
};

/* Borrowed for as long as the server lives. */
struct rpc_server_config {
	struct token *token;
	const struct token_calls *calls; /* &token_calls */
	enum err (*app_new)(
	    struct token *token, struct token_app **out); /* token_app_new */
	void (*app_free)(struct token_app *app);          /* token_app_free */
	struct env *env;                                  /* for the names */
	struct wait_room *waits;
};

/* ERR_NOMEM */
enum err rpc_server_new(
    const struct rpc_server_config *config, struct rpc_server **out) MUST_CHECK;
/* No connection is being served any more. Accepts NULL. */
void rpc_server_free(struct rpc_server *server);

/*
 * Serve one connection until its peer has closed it, broken the format, or the
 * wait room was closed: a thread's work, from any thread. fd is blocking, and
 * stays the caller's to close. A call under way is brought to its end first.
 */
void rpc_serve(struct rpc_server *server, int fd);

#endif

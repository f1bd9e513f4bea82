/*
 * The application's end of the PKCS#11 socket: one application, over as many
 * connections as it has calls under way.
 *
 * From any thread. A call takes a connection that is idle, or makes one more
 * that joins the application; connections are kept until the end.
 *
 * Once the card does not answer, answers nonsense, or takes too long, nothing
 * more is asked of it: every call is answered with the same code until the
 * application makes a new one of these. What was in the card is gone then.
 *
 *	CKR_DEVICE_REMOVED  the daemon has closed the connection, or is not
 *	                    there
 *	CKR_DEVICE_ERROR    no answer in time, or none that can be understood
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "token/call.h"

struct rpc_client;

struct rpc_client_config {
	const char *path;    /* of the socket; copied */
	unsigned timeout_ms; /* for each answer; 0: as long as it takes */
	/* the application's own locks (C_Initialize); NULL: the system's */
	const CK_C_INITIALIZE_ARGS *locks;
};

/*
 * Connect, and become an application.
 *
 * CKR_OK, or what the two codes above say; CKR_HOST_MEMORY, CKR_CANT_LOCK;
 * CKR_ARGUMENTS_BAD  the path is too long for a socket's
 * CKR_GENERAL_ERROR  the daemon speaks another version
 * CKR_DEVICE_MEMORY  it takes no more applications
 */
CK_RV
rpc_client_new(const struct rpc_client_config *config, struct rpc_client **out);

/* No call is under way. Accepts NULL. */
void rpc_client_free(struct rpc_client *client);

/* What the function returns; what comes out is written where args point. */
CK_RV rpc_client_call(
    struct rpc_client *client, enum call_id call, const union call_args *args);

/*
 * Round a fork: the child shares the sockets, and must neither use them nor
 * keep them open when its parent ends. In the child `abandon` takes the place
 * of unlock, and of free.
 */
void rpc_client_lock(struct rpc_client *client);
void rpc_client_unlock(struct rpc_client *client);
void rpc_client_abandon(struct rpc_client *client);

#endif

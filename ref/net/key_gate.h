/*
 * The gate of a key server: who is let in, and as whom.
 *
 * A protocol's opened() asks it; what comes of it is the struct key_door that
 * the connection keeps, whatever is changed at the server meanwhile.
 *
 *	client certificate   not used | for the session | and names the user
 *	source IP            has to be in the certificate
 *
 * TLS has verified the certificate by then, and has closed where it had to. Who
 * comes when all places of the license are taken has been sent away before
 * that.
 */
#ifndef NET_KEY_GATE_H
#define NET_KEY_GATE_H

#include "device/appliance.h"
#include "device/clients.h"
#include "device/key_server.h"
#include "net/conn.h"

/* The ctx of the protocols; borrowed for as long as they are spoken. */
struct key_gate {
	struct appliance *appliance;
	void *engine;         /* what serves: a struct kmip, a struct nae */
	struct key_door door; /* but for who comes */
	enum key_client client;
	enum key_user_field user_field;
	bool needs_source_ip;
};

/* The first member of a connection's state; zeroed at first. */
struct key_guest {
	struct key_door door;
	struct buf user;   /* what door.user points at */
	struct buf origin; /* and door.origin */
	struct clients *clients;
	struct client *client; /* NULL: it is not in, or out again */
};

/*
 * Is there a place for a client of that address? A protocol's expects(), with
 * the gate. It is taken when the client is let in: one that only connects, or
 * cannot say who it is, takes none.
 *
 * req: KS-25-008 KS-25-010
 */
bool key_gate_expects(void *ctx, struct bytes source);

/*
 * ERR_AUTHENTICATION  no; the log says why
 * ERR_LIMIT           the last place was taken meanwhile
 * ERR_STORE           users cannot be read
 */
enum err key_gate_enter(const struct key_gate *gate, const struct conn *conn,
    struct key_guest *out) MUST_CHECK;

/* Harmless on a zeroed one. */
void key_guest_clear(struct key_guest *guest);

#endif

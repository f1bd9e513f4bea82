/*
 * The key server behind the ports: store, HSM, keys at rest and dispatcher,
 * put together and kept going.
 *
 *	KEK in the HSM  --wraps-->  master key  --seals-->  objects in the store
 *
 * The end of each turn commits what its requests wrote. Objects change their
 * states at their dates. The HSM is probed once a second on a thread of its
 * own: while it is gone or logged out, key operations fail, and nothing else
 * does.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/loop.h"
#include "crypto/keystore.h"
#include "kmip/kmip.h"
#include "store/store.h"

struct server;

enum {
	SERVER_PROBE_EVERY_MS = 1000,
	SERVER_RETRY_MS = 1000, /* state changes that could not be stored */
	SERVER_PROBE_LIMIT_MS = 5000, /* then the HSM is unreachable */
};

/* Borrowed for as long as the server lives, strings included. */
struct server_config {
	const char *dir; /* exists; holds store.db, and hsm/ */
	struct env *env;
	struct loop *loop;
	/* a PKCS#11 module; the token is a SoftHSMv2 one in DIR/hsm, made when
	 * there is none, unless pin_path names a PIN for one that is there */
	const char *hsm_module;
	const char *hsm_token;
	const char *hsm_pin_path; /* NULL: a token of our own */
	const char *hsm_kek;      /* label of the key-encryption key in it */
	size_t cache_octets;      /* of objects; 0: the store's default */
	unsigned workers;         /* key pairs made at a time */
	uint32_t lease_s;         /* Lease Time of new objects */
	bool lab;
	/* Called once, when the HSM has been asked for the first time, whatever
	 * it said: the ports may open. */
	void (*ready)(void *ctx);
	void *ctx;
};

/*
 * Before the first thread (SoftHSM reads the environment).
 *
 * ERR_CONFIG, ERR_STORE_VERSION, ERR_SEAL ...  what cannot be opened, and why,
 *                                               is in the log
 */
enum err
server_new(const struct server_config *config, struct server **out) MUST_CHECK;

/* Ports are closed, no request is under way. Accepts NULL. */
void server_free(struct server *s);

/* Borrowed. */
struct kmip *server_kmip(struct server *s);
struct hsm *server_hsm(struct server *s);
struct keystore *server_keystore(struct server *s);

/* Ask the HSM now: something about it has changed. */
void server_probe(struct server *s);

#endif

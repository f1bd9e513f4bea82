/*
 * What is behind the ports: the appliance, HSM, keys at rest and dispatchers
 * over a store, put together and kept going.
 *
 *	KEK in the HSM  --wraps-->  master key  --seals-->  objects in the store
 *
 * The end of each turn commits what its requests wrote. Objects change their
 * states at their dates.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/loop.h"
#include "device/appliance.h"
#include "kmip/kmip.h"
#include "nae/nae.h"
#include "store/store.h"

struct server;

enum {
	SERVER_RETRY_MS = 1000, /* state changes that could not be stored */
};

/* Borrowed for as long as the server lives, strings included. */
struct server_config {
	const char *dir; /* exists; holds hsm/ */
	struct env *env;
	struct loop *loop;
	struct store *store;
	/* as struct root_config has them */
	const char *hsm_module;
	const char *hsm_token;
	const char *hsm_pin_path;
	const char *hsm_kek;
	const char *card;
	const char *ped_client;
	const char *model; /* "k460" */
	unsigned workers;  /* key pairs made at a time */
	uint32_t lease_s;  /* Lease Time of new objects */
	unsigned password_iterations;
	const char *dictionary;    /* NULL: cracklib's own */
	const char *ethernet;      /* as struct appliance has it */
	const char *package_trust; /* file of device/package.h; NULL: none */
	bool powered_on;           /* as struct hardware_config has it */
	/* Called once, when the HSM has been asked for the first time, whatever
	 * it said: the ports may open. */
	void (*ready)(void *ctx);
	/* as struct appliance has it */
	void (*leave)(void *ctx, enum leave leave);
	void *ctx;
};

/*
 * Before the first thread (SoftHSM reads the environment).
 *
 * ERR_CONFIG, ERR_SEAL ...  what cannot be opened, and why, is in the log
 */
enum err
server_new(const struct server_config *config, struct server **out) MUST_CHECK;

/* Ports are closed, no request is under way. Accepts NULL. */
void server_free(struct server *s);

/* Requests under way. */
unsigned server_busy(const struct server *s);

/* Borrowed. */
struct kmip *server_kmip(struct server *s);
struct nae *server_nae(struct server *s);
struct root *server_root(struct server *s);
struct appliance *server_appliance(struct server *s);

#endif

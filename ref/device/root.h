/*
 * The appliance's root of trust, kept going: the HSM, the Crypto User's login,
 * and the master key under its key-encryption key.
 *
 * Once a second, and whenever something about it has changed, the HSM is asked
 * on a thread of its own: while it is gone or logged out, key operations fail,
 * and nothing else does.
 *
 * With a card the Crypto User's password is kept in the store, sealed (see
 * crypto/vault.h). After a restart the login is done again with it, without
 * anybody, as long as the card is activated; where that would take a person at
 * the PED, it waits for the command. Without a card there is a SoftHSMv2 token,
 * whose PIN is in a file.
 *
 * All of it belongs to the loop's thread.
 */
#ifndef DEVICE_ROOT_H
#define DEVICE_ROOT_H

#include "base/loop.h"
#include "crypto/keystore.h"
#include "store/store.h"

struct root;

enum {
	ROOT_PROBE_EVERY_MS = 1000,
	ROOT_PROBE_LIMIT_MS = 5000, /* then the HSM is unreachable */
};

/* Borrowed for as long as the root lives, strings included. */
struct root_config {
	const char *dir; /* exists; holds vault.key, and hsm/ */
	struct env *env;
	struct loop *loop;
	struct store *store;
	/* a PKCS#11 module */
	const char *module;
	const char *token;
	const char *kek; /* label of the key-encryption key in it */
	/* The folder with the sockets of the card's daemon; NULL: there is no
	 * card, and the token is a SoftHSMv2 one in DIR/hsm, made when there is
	 * none, unless pin_path names a PIN for one that is there. */
	const char *card;
	const char *pin_path;
	const char *ped_client; /* the program; NULL: there is none */
	/* Called once, when the HSM has been asked for the first time, whatever
	 * it said. */
	void (*ready)(void *ctx);
	void *ctx;
};

/*
 * Before the first thread (SoftHSM reads the environment).
 *
 * ERR_CONFIG, ERR_SEAL ...  what cannot be opened, and why, is in the log
 */
enum err
root_new(const struct root_config *config, struct root **out) MUST_CHECK;

/* No root is open there: what it keeps in a directory, but for the store, is
 * gone for good. ERR_SYSTEM  something is left; the log says what */
enum err root_erase(const char *dir) MUST_CHECK;

/* Nobody uses the keystore any more. Accepts NULL. */
void root_free(struct root *root);

/* Borrowed. */
struct hsm *root_hsm(struct root *root);
struct keystore *root_keystore(struct root *root);
struct loop_pool *root_pool(struct root *root);
const struct root_config *root_config(const struct root *root);

/* What the card said last. */
struct root_status {
	bool known; /* it answered */
	bool initialized;
	bool partition;
	bool activated;
	bool battery; /* it would be activated again without the PED */
	bool tampered;
	bool user_locked;
};
const struct root_status *root_status(const struct root *root);

/* Ask the HSM now: something about it has changed. */
void root_probe(struct root *root);

/*
 * Who waits for the HSM to have been asked. It lies in the caller's memory; the
 * rest is the root's.
 */
struct root_wait {
	/* from the loop, later, once */
	void (*done)(struct root_wait *wait, enum err rc);
	void *ctx;
	struct root_wait *next;
	enum err rc;
};

/*
 * Ask it now, and say when that is done. Where it does not answer, that is when
 * the limit is over, or at once where it was over before.
 *
 * OK, ERR_HSM_LOGGED_OUT, ERR_HSM  as keystore_check
 */
void root_refresh(struct root *root, struct root_wait *wait);

/*
 * Log the Crypto User in, with the password that is kept; from then on after
 * each restart too. And out, until the next login.
 */
void root_login(struct root *root, struct root_wait *wait);
void root_logout(struct root *root, struct root_wait *wait);

/*
 * Log in with this password, and keep it if it was right.
 *
 * ERR_HSM_LOGGED_OUT  it was not: nothing has changed
 */
void
root_password(struct root *root, struct bytes password, struct root_wait *wait);
bool root_has_password(const struct root *root);

/*
 * Switch the secure key cache, durably. Not in backups, not replicated: a
 * setting of this card.
 */
void root_set_cache(struct root *root, bool on, struct root_wait *wait);

/* Where the remote PED's server is; at first this machine. */
enum { ROOT_ADDRESS_OCTETS = 46, ROOT_REMOTE_PORT = 1503 };
struct root_remote {
	char address[ROOT_ADDRESS_OCTETS];
	unsigned port;
};
const struct root_remote *root_remote(const struct root *root);
void root_set_remote(struct root *root, const struct root_remote *remote);

/* Nobody waits any more; harmless where nobody does. */
void root_unwait(struct root *root, struct root_wait *wait);

#endif

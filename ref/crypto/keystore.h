/*
 * Keys at rest: the master key, and each object's key bytes sealed under it.
 *
 *	KEK in the HSM  --wraps-->  master key  --seals-->  an object's key
 *
 * Sealing is AES-256-GCM in this process and takes well under a microsecond;
 * the HSM is asked only to unwrap the master key, on a worker. The master key
 * is in memory only while the state is KEYSTORE_READY, and wiped when the
 * Crypto User is logged out or the HSM no longer answers.
 *
 * All of it belongs to the loop's thread but keystore_probe_work.
 *
 * A sealed key, numbers big-endian:
 *
 *	"TSSK"  version (1)  oldest reader (1)  0 0  master key id (8)
 *	nonce (12)  ciphertext  tag (16)
 *
 * Its associated data: the first 16 octets, the object's version (8) and the
 * object's identifier. Nonces are random: one master key is good for 2^32
 * seals (SP 800-38D section 8.3).
 */
#ifndef CRYPTO_KEYSTORE_H
#define CRYPTO_KEYSTORE_H

#include "base/arena.h"
#include "base/env.h"
#include "crypto/hsm.h"

struct keystore;

enum keystore_state {
	KEYSTORE_READY,
	KEYSTORE_LOGGED_OUT, /* the HSM wants a login */
	KEYSTORE_UNREACHABLE /* not there, not answering, or not asked yet */
};

enum { KEYSTORE_OVERHEAD_OCTETS = 16 + 12 + 16 };

/*
 * env, hsm        borrowed
 * wrapped         the master key as it was stored; none: one will be made
 * probe_limit_ms  a probe that takes longer means KEYSTORE_UNREACHABLE
 *
 * ERR_STORE_VERSION  wrapped by a newer release
 * ERR_SEAL           `wrapped` is not a wrapped master key
 */
enum err keystore_new(struct env *env, struct hsm *hsm, struct bytes wrapped,
    int64_t probe_limit_ms, struct keystore **out) MUST_CHECK;

/*
 * Wipes. Accepts NULL. While a probe hangs its thread still looks at the rest,
 * which is then left behind: for the end of the program.
 */
void keystore_free(struct keystore *ks);

/* By now: a probe that is overdue counts at once. */
enum keystore_state keystore_state(struct keystore *ks);

/*
 * From the next probe on, be logged in; from now on, be logged out. At first:
 * logged in. A PIN that is refused is not tried again until keystore_login,
 * since cards count.
 */
void keystore_login(struct keystore *ks);
void keystore_logout(struct keystore *ks);

/*
 * A probe, once a second and whenever something failed:
 *
 *	if (keystore_probe_begin(ks)) {
 *		rc = loop_submit(pool, keystore_probe_work,
 *		    keystore_probe_done, ks);
 *		if (rc != OK)
 *			keystore_probe_done(ks, rc);
 *	}
 *
 * It connects, logs in or out as wished, makes or unwraps the master key as
 * needed, and sets the state. begin says false while one is under way. done's
 * rc is not OK where the work was never begun.
 */
bool keystore_probe_begin(struct keystore *ks);
void keystore_probe_work(void *ks);
void keystore_probe_done(void *ks, enum err rc);

/*
 * A master key that was just made must be stored before anything is sealed
 * under it: after each probe, store this (none: no octets) durably and say so.
 * Until then the state is KEYSTORE_UNREACHABLE.
 */
struct bytes keystore_to_store(const struct keystore *ks);
void keystore_stored(struct keystore *ks);

/*
 * Seal an object's key bytes, or open them again, into the arena.
 *
 * object_id       bound to it, as is the version: sealed octets that were
 * object_version  moved to another object or kept from an older version of it
 *                 do not open
 *
 * ERR_HSM, ERR_HSM_LOGGED_OUT  the state is not KEYSTORE_READY
 * ERR_SEAL                     open: another object, another master key, or
 *                              changed
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err keystore_seal(struct keystore *ks, struct bytes object_id,
    uint64_t object_version, struct bytes plain, struct arena *a,
    struct bytes *sealed) MUST_CHECK;
enum err keystore_open(struct keystore *ks, struct bytes object_id,
    uint64_t object_version, struct bytes sealed, struct arena *a,
    struct bytes *plain) MUST_CHECK;

#endif

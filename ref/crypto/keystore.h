/*
 * Keys at rest: the master key, and each object's key bytes sealed under it.
 *
 *	KEK in the HSM  --wraps-->  master key  --seals-->  an object's key
 *
 * Sealing is AES-256-GCM in this process and takes about a microsecond; the
 * HSM is asked only to unwrap the master key, on a worker.
 *
 * The secure key cache. On: the master key is in memory while the state is
 * KEYSTORE_READY, masked with a random pad that changes, in pages that are
 * never swapped or dumped; it is in the clear only while it is used, and wiped
 * when the Crypto User is logged out or the HSM no longer answers. Off: it is
 * nowhere; the HSM lends it to one request at a time.
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
#include "base/loop.h"
#include "crypto/hsm.h"

struct keystore;

enum keystore_state {
	KEYSTORE_READY,
	KEYSTORE_LOGGED_OUT, /* the HSM wants a login */
	KEYSTORE_OTHER,      /* it has one, and is not the one that wrapped the
				stored master key, or has lost its key */
	KEYSTORE_UNREACHABLE /* not there, not answering, or not asked yet */
};

enum { KEYSTORE_OVERHEAD_OCTETS = 16 + 12 + 16 };

/*
 * The cache is on at first.
 *
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

/* Is a probe under way that takes longer than the limit? */
bool keystore_overdue(struct keystore *ks);

/*
 * ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER, ERR_HSM
 *	the state is not KEYSTORE_READY: nothing may be done with keys
 */
enum err keystore_check(struct keystore *ks) MUST_CHECK;

/*
 * From the next probe on, be logged in; from now on, be logged out. At first:
 * logged in. A PIN that is refused is not tried again until keystore_login,
 * since cards count.
 */
void keystore_login(struct keystore *ks);
void keystore_logout(struct keystore *ks);

/*
 * As keystore_login, and where the card is logged in already, log out before:
 * whether the PIN is right is to be known.
 */
void keystore_login_anew(struct keystore *ks);

/*
 * May probes log in by themselves, where it is wished? At first they may. Not
 * where a login would have to wait for a person at the PED. It counts for the
 * probe that was begun too, until its work begins.
 */
void keystore_allow_login(struct keystore *ks, bool allowed);

/* Switched on it is filled by the next probe, off it is wiped at once. */
void keystore_set_cache(struct keystore *ks, bool on);
bool keystore_cache(const struct keystore *ks);

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
 * The master key, lent by the HSM for one request. It lies in its owner, zeroed
 * at first.
 */
struct keystore_loan {
	/* Called from the loop, once, unless keystore_lend says an error. */
	void (*done)(struct keystore_loan *loan);
	void *ctx;
	enum err rc; /* from then on: OK, or what sealing will say */
	struct secret *master;
	struct keystore_job *job;
};

/* Does sealing and opening need a loan now? */
bool keystore_lends(const struct keystore *ks);

/*
 * Ask the HSM, on that pool. An HSM that does not answer within the limit for
 * probes lends nothing (ERR_HSM).
 *
 * ERR_NOMEM, ERR_SYSTEM  nothing was asked
 */
enum err keystore_lend(struct keystore *ks, struct loop_pool *pool,
    struct keystore_loan *loan) MUST_CHECK;

/* Those that have waited for longer than the limit are done: ERR_HSM. */
void keystore_end_overdue(struct keystore *ks);

/* Wipes; harmless on a zeroed one, and before it is done. */
void keystore_loan_end(struct keystore_loan *loan);

/*
 * Seal an object's key bytes, or open them again, into the arena.
 *
 * loan            NULL: the cache has it
 * object_id       bound to it, as is the version: sealed octets that were
 * object_version  moved to another object or kept from an older version of it
 *                 do not open
 *
 * ERR_HSM, ERR_HSM_LOGGED_OUT  the state is not KEYSTORE_READY, or nothing was
 *                              lent
 * ERR_SEAL                     open: another object, another master key, or
 *                              changed
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err keystore_seal(struct keystore *ks, const struct keystore_loan *loan,
    struct bytes object_id, uint64_t object_version, struct bytes plain,
    struct arena *a, struct bytes *sealed) MUST_CHECK;
enum err keystore_open(struct keystore *ks, const struct keystore_loan *loan,
    struct bytes object_id, uint64_t object_version, struct bytes sealed,
    struct arena *a, struct bytes *plain) MUST_CHECK;

#endif

/*
 * What the appliance holds, as lines of text: for comparing two of them, such
 * as one and what was restored of its backup.
 *
 *	record KIND KEY NAME=VALUE ...
 *	object ID owner=OWNER type=NUMBER NAME=VALUE ... card=OCTETS value=VALUE
 *
 * One line each, records by kind and key first, then objects by identifier,
 * each list in the order of octets. Words are encoded as base/percent.h has
 * them; an attribute's value is its TTLV. What is secret stands as "hmac:" and
 * the HMAC-SHA-256, under a key that the caller gives, of its name and its
 * octets in the clear: equal for equal secrets, whatever they are sealed under.
 *
 * Only what a backup can have is in it (device/backup_item.def), and records of
 * kinds that the table has forgotten, so that they are missed: no logs, and
 * nothing that is of this device and this moment (clocks, counters of
 * operations and failures, the HSM's master key). It only reads.
 */
#ifndef DEVICE_STATE_H
#define DEVICE_STATE_H

#include "crypto/keystore.h"
#include "store/store.h"

enum { STATE_DIGEST_OCTETS = 32, STATE_KEY_MOST_OCTETS = 1024 };

struct state_source {
	struct store *store;
	struct keystore *keystore;
	const struct keystore_loan *loan; /* NULL: the cache has it */
	const char *vault;                /* the file of crypto/vault.h */
	struct bytes key;                 /* of the HMACs */
};

/*
 * `each` gets one line, without its end, valid during the call. Its error ends
 * the walk and is returned.
 *
 * ERR_HSM, ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER  keys cannot be opened now
 * ERR_SEAL                                    one of them never can
 * others                                      the store's
 */
typedef enum err state_fn(void *ctx, struct bytes line);
enum err state_each(
    const struct state_source *source, state_fn *each, void *ctx) MUST_CHECK;

/* One digest for all lines, under the same key. */
enum err state_digest(const struct state_source *source,
    uint8_t digest[STATE_DIGEST_OCTETS]) MUST_CHECK;

#endif

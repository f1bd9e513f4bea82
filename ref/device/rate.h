/*
 * How many operations each user has done with each key in this hour.
 *
 * The hour of a user and a key begins with the user's first operation, by
 * elapsed time, which no administrator moves. What is counted knows no limit:
 * whoever asks brings the one that is in force now, so that a limit that
 * changes in the middle of an hour finds the count as it is.
 *
 * Counters outlive the process, and operations do not wait for the disk: what
 * is about to be used is reserved beforehand, a block of the limit's hundredth
 * at a time, in records of the kind "rate":
 *
 *	USER/KEY's identifier
 *	begun   elapsed time, in milliseconds
 *	count   so many operations may have been done
 *
 * After an orderly end that is how many have been; after a crash it is up to a
 * block more, never less. The next block is written in the turn after the one
 * in which half of this one was used. Who comes before it is durable has to
 * wait, and so has the first operation of an hour.
 *
 * Memory has RATE_COUNTERS_MOST counters; the others are in their records
 * only. Those of hours that are over go.
 *
 * req: KS-29-009 KS-29-010 KS-29-011 KS-29-012 KS-29-013 KS-29-014 KS-29-015
 * req: KS-28-052 KS-28-055
 */
#ifndef DEVICE_RATE_H
#define DEVICE_RATE_H

#include "base/bytes.h"

struct appliance;
struct rates;

enum {
	RATE_HOUR_MS = 3600 * 1000,
	RATE_COUNTERS_MOST = 65536,
	RATE_BLOCKS = 100,           /* of a limit */
	RATE_UNLIMITED_BLOCK = 1000, /* counted as well: a limit may come */
	RATE_SWEEP_EVERY_MS = 600 * 1000,
	RATE_SWEEP_RECORDS = 128, /* in a turn */
	RATE_SWEEP_STEP_MS = 10,
};

/* counters: in memory at most; 0: RATE_COUNTERS_MOST */
enum err rates_new(struct appliance *appliance, size_t counters,
    struct rates **out) MUST_CHECK;

/* Writes what was used. Accepts NULL. The store is still open, and committed
 * after this. */
void rates_free(struct rates *rates);

/*
 * Count so many operations, all or none. They need not be done then.
 *
 * user, key   name, and Unique Identifier; 64 octets at most, each
 * limit       an hour; 0: unlimited
 *
 * When it has written (store_must_wait), the operation's answer has to wait for
 * the group, and is not to be given if that fails. Nothing that rolls back to a
 * savepoint around this can have given an answer.
 *
 * ERR_RATE  beyond the limit: nothing is counted
 * others    the store's: nothing is counted
 */
enum err rate_count(struct rates *rates, struct bytes user, struct bytes key,
    uint64_t limit, uint64_t operations) MUST_CHECK;

/* How many there are in memory; for tests. */
size_t rates_in_memory(const struct rates *rates);

#endif

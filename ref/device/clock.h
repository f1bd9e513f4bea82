/*
 * The appliance's date and time.
 *
 * Wall time is elapsed time plus an offset, which an administrator (and later
 * NTP) may change; the offset and the time zone are kept. Ages, lockouts and
 * grants go by elapsed time and do not move with it. Who plans by wall time (a
 * rotation at 3:05) is told how it jumped.
 *
 * req: KS-07-009 KS-07-015 KS-07-017 KS-17-017 KS-17-019 KS-17-020 KS-18-040
 */
#ifndef DEVICE_CLOCK_H
#define DEVICE_CLOCK_H

#include "base/buf.h"
#include "base/env.h"
#include "store/record.h"

struct clock;

/* Takes up the offset and zone that were kept. */
enum err
clock_new(struct store *st, struct env *env, struct clock **out) MUST_CHECK;
void clock_free(struct clock *clock); /* accepts NULL */

/* For the apply of a change. zone: a name of the tz database, or "UTC".
 * ERR_FIELD  no such zone, or a time outside 2000 to 2100 */
enum err clock_keep(struct clock *clock, int64_t wall_s) MUST_CHECK;
enum err clock_keep_zone(struct clock *clock, struct bytes zone) MUST_CHECK;

/* The group is durable: what was kept is so now. Or a change was undone: what
 * is left of the group is read anew. device/change.c calls it. */
void clock_settle(struct clock *clock, bool durable);

/* From here on, called after each change of the offset. */
typedef void clock_jump_fn(void *ctx, int64_t from_wall_s, int64_t to_wall_s);
struct clock_watch {
	clock_jump_fn *jumped;
	void *ctx;
	struct clock_watch *next;
};
void clock_watch(struct clock *clock, struct clock_watch *watch);

const char *clock_zone(const struct clock *clock);

/* "yyyy-mm-dd hh:mm:ss" in the zone. */
enum { CLOCK_TEXT_OCTETS = 20 };
void clock_text(
    const struct clock *clock, int64_t wall_s, char out[CLOCK_TEXT_OCTETS]);

/* And back: ERR_VALUE. */
enum err clock_read(
    const struct clock *clock, struct bytes text, int64_t *wall_s) MUST_CHECK;

#endif

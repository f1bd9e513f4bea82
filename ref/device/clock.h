/*
 * The appliance's date and time.
 *
 * Wall time is elapsed time plus an offset, which an administrator (and later
 * NTP) may change; the offset and the time zone are kept. Ages, lockouts and
 * grants go by elapsed time and do not move with it. Who plans by wall time (a
 * rotation at 3:05) is told how it jumped.
 *
 * Elapsed time goes on from one run to the next, and while the appliance is
 * off. The record "elapsed" says how far it is ahead of the machine's own
 * count, and in which boot of the machine that was: within it a restart goes
 * on to the millisecond, whatever happens to the machine's clock. After another
 * boot it goes on where the machine's clock is, yet never behind what had been
 * reached: the record has a time too that was not passed. In an orderly end
 * that is the end itself; else it lies up to two CLOCK_MARK_S ahead, so that
 * one record each CLOCK_MARK_S is enough.
 *
 * Laboratory time is kept by its own file.
 *
 * req: KS-17-017 KS-17-019 KS-17-020
 */
#ifndef DEVICE_CLOCK_H
#define DEVICE_CLOCK_H

#include "base/buf.h"
#include "base/env.h"
#include "base/loop.h"
#include "store/record.h"

struct clock;

enum {
	CLOCK_MARK_S = 300,
	CLOCK_WHY_OCTETS = 512,
	CLOCK_ZONE_OCTETS = 64,
};

/* Takes up what was kept: offset, zone and elapsed time, which go on from
 * there. ERR_STORE  it cannot be read */
enum err
clock_new(struct store *st, struct env *env, struct clock **out) MUST_CHECK;

/* Accepts NULL. The store is still open, and committed after this. */
void clock_free(struct clock *clock);

/* In real time: marks elapsed time from here on. */
enum err clock_start(struct clock *clock, struct loop *loop) MUST_CHECK;

/*
 * For the apply of a change. zone: a name of the tz database, or "UTC".
 *
 * ERR_FIELD  no such zone, or a day outside 2000 to 2099: why says so
 */
enum err clock_keep(
    struct clock *clock, int64_t wall_s, char why[CLOCK_WHY_OCTETS]) MUST_CHECK;
enum err clock_keep_zone(struct clock *clock, struct bytes zone,
    char why[CLOCK_WHY_OCTETS]) MUST_CHECK;

/* What clock_keep_zone would keep: its name. ERR_FIELD as there. */
enum err clock_check_zone(struct bytes zone, char name[CLOCK_ZONE_OCTETS],
    char why[CLOCK_WHY_OCTETS]) MUST_CHECK;

/* The group is durable: what was kept is so now. Or a change was undone: what
 * is left of the group is read anew. device/change.c calls it. */
void clock_settle(struct clock *clock, bool durable);

/* Called after each change of the offset. */
typedef void clock_jump_fn(void *ctx, int64_t from_wall_s, int64_t to_wall_s);
struct clock_watch {
	clock_jump_fn *jumped;    /* or NULL */
	void (*zoned)(void *ctx); /* or NULL: the zone is another */
	void *ctx;
	struct clock_watch *next;
};
void clock_watch(struct clock *clock, struct clock_watch *watch);

const char *clock_zone(const struct clock *clock);

/* "yyyy-mm-dd hh:mm:ss" in the zone. */
enum { CLOCK_TEXT_OCTETS = 20 };
void clock_text(
    const struct clock *clock, int64_t wall_s, char out[CLOCK_TEXT_OCTETS]);

/*
 * The same, kept until the second or the zone is another one: for lines that
 * come by the thousand. Borrowed until the next call.
 */
const char *clock_stamp(struct clock *clock, int64_t wall_s);

/* Minute of the week in the zone: Monday 00:00 is 0. */
enum { CLOCK_WEEK_MINUTES = 7 * 24 * 60 };
unsigned clock_week_minute(const struct clock *clock, int64_t wall_s);

/*
 * And back. Of a time that comes twice when summer time ends, the first.
 *
 * ERR_VALUE  it does not look so, there is no such day, or no such time on it:
 *            when summer time begins, the clocks pass over it
 */
enum err clock_read(
    const struct clock *clock, struct bytes text, int64_t *wall_s) MUST_CHECK;
/* In another zone, a name that clock_check_zone gave. */
enum err
clock_read_in(const char *zone, struct bytes text, int64_t *wall_s) MUST_CHECK;

#endif

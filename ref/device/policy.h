/*
 * Authorization policies: how many operations an hour, and at which hours of
 * the week.
 *
 * A record each, of the kind "policy", with the name as its key:
 *
 *	operations  an hour; absent: unlimited
 *	period      FIRST and LAST minute, once for each usage period
 *
 * A policy does nothing until a permission of a key names it (model/card.h).
 * They are kept in memory too, read anew when a change of them is durable.
 *
 * req: KS-29-001 KS-29-002 KS-29-004
 */
#ifndef DEVICE_POLICY_H
#define DEVICE_POLICY_H

#include "device/change.h"

enum {
	POLICY_NAME_OCTETS = 64,
	POLICY_PERIODS_MOST = 100,
	/* req: KS-29-041 */
	POLICY_OPERATIONS_MOST = 500000000,
	WEEK_MINUTES = 7 * 24 * 60,
};

/*
 * Minutes of the week, from Monday 00:00 on, both included: Monday 00:00 to
 * Sunday 23:59 is all of it. When the last comes before the first, the period
 * goes over the end of the week, from Monday 13:00 to Monday 08:00 likewise.
 *
 * req: KS-29-020 KS-29-021 KS-29-024 KS-29-025
 */
struct usage_period {
	uint16_t first;
	uint16_t last;
};

struct policy {
	char name[POLICY_NAME_OCTETS + 1];
	int64_t operations_per_hour; /* 0: unlimited. req: KS-29-006 */
	struct usage_period *periods;
	size_t period_count; /* 0: at all hours. req: KS-29-017 */
};

struct policies;
enum err
policies_new(struct appliance *appliance, struct policies **out) MUST_CHECK;
void policies_free(struct policies *policies); /* accepts NULL */

/* A change is durable, or undone: device/change.c calls it. */
void policies_settle(struct policies *policies);

/*
 * Borrowed until the next turn.
 *
 * ERR_NOT_FOUND
 */
enum err policy_find(struct policies *policies, struct bytes name,
    const struct policy **out) MUST_CHECK;

/* In the order of their names. */
typedef void policy_fn(void *ctx, const struct policy *policy);
enum err
policy_each(struct policies *policies, policy_fn *each, void *ctx) MUST_CHECK;

/* Minute of the week, by the clock and in the zone of the appliance. */
unsigned policies_minute(struct policies *policies);

/* Is it one of its hours? */
bool policy_is_open(const struct policy *policy, unsigned week_minute);

/* ---- for the apply of a change (ACT_POLICY) ---- */

/*
 * ERR_FIELD  there is one, or none, of that name; it cannot be called so; a
 *            number or a period against the rule; one that a key has is not
 *            deleted: why
 */
enum err policy_create(struct change *change, struct bytes name) MUST_CHECK;
enum err policy_limit(struct change *change, struct bytes name,
    struct bytes operations) MUST_CHECK;
enum err policy_add_period(struct change *change, struct bytes name,
    const struct usage_period *period) MUST_CHECK;
enum err policy_remove_period(
    struct change *change, struct bytes name, size_t number) MUST_CHECK;
enum err policy_delete(struct change *change, struct bytes name) MUST_CHECK;

#endif

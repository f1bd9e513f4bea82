/*
 * Authorization policies: how many operations an hour, and at which hours of
 * the week.
 *
 * A record each, of the kind "policy", with the name as its key:
 *
 *	operations  an hour; absent: unlimited
 *	period      its first and its last minute, two octets each; once for
 *	            each usage period, in the order in which they were added
 *
 * A policy does nothing until a permission of a key names it (model/card.h).
 * They are kept in memory too, and read anew when a change has been made.
 *
 * req: KS-29-001 KS-29-002 KS-29-004 KS-28-019 KS-03-026 KS-03-027
 */
#ifndef DEVICE_POLICY_H
#define DEVICE_POLICY_H

#include "device/change.h"

enum {
	POLICIES_MOST = 1000,
	POLICY_NAME_OCTETS = 64,
	POLICY_PERIODS_MOST = 100,
	/* req: KS-29-041 */
	POLICY_OPERATIONS_MOST = 500000000,
};

/*
 * Minutes of the week (clock_week_minute), both included: Monday 00:00 to
 * Sunday 23:59 is all of it. Where the last comes before the first, the period
 * goes on over the end of the week, and so from Monday 13:00 to Monday 08:00.
 *
 * req: KS-29-020 KS-29-021 KS-29-022 KS-29-023 KS-29-024 KS-29-025 KS-29-043
 */
struct usage_period {
	uint16_t first;
	uint16_t last;
};

struct policy {
	char name[POLICY_NAME_OCTETS + 1];
	int64_t
	    operations; /* an hour; 0: unlimited. req: KS-29-006 KS-28-053 */
	struct usage_period periods[POLICY_PERIODS_MOST];
	size_t period_count; /* 0: all hours. req: KS-29-017 */
};

struct policies;

enum err
policies_new(struct appliance *appliance, struct policies **out) MUST_CHECK;
void policies_free(struct policies *policies); /* accepts NULL */

/* Something has been changed, durably, or a change was undone.
 * device/change.c calls it. Accepts NULL: there are none, in tests. */
void policies_settle(struct policies *policies);

/*
 * Borrowed until the next call of a function here.
 *
 * ERR_NOT_FOUND
 * ERR_STORE      the records cannot be read; the log says which
 */
enum err policy_find(struct policies *policies, struct bytes name,
    const struct policy **out) MUST_CHECK;

/* In the order of their names. It must not write. */
typedef void policy_fn(void *ctx, const struct policy *policy);
enum err
policy_each(struct policies *policies, policy_fn *each, void *ctx) MUST_CHECK;

/* Now, where the appliance is: see clock_week_minute. */
unsigned policies_minute(struct policies *policies);

/* Is that one of its minutes? */
bool policy_is_open(const struct policy *policy, unsigned minute);

/* ---- what is entered ---- */

/* "Maximum Operations per Hour": 1 to 500000000, or Unlimited, which is 0. */
extern const char policy_operations_field[];
extern const struct entry_rule policy_operations_rule;

/* The fields of a usage period, in their order: "Start Day" ... */
enum period_field {
	PERIOD_START_DAY,
	PERIOD_START_TIME,
	PERIOD_END_DAY,
	PERIOD_END_TIME,
	PERIOD_FIELD_COUNT,
};
const char *period_field_name(enum period_field field);

/* What was typed into one of them. ERR_FIELD: why */
enum err period_set(struct usage_period *period, enum period_field field,
    struct bytes typed, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* "Monday 13:00 to Monday 08:00" */
enum { PERIOD_TEXT_OCTETS = 40 };
void
period_text(const struct usage_period *period, char text[PERIOD_TEXT_OCTETS]);

/* ---- for the apply of a change ---- */

/*
 * ERR_FIELD  there is one of that name, or none; it cannot be called so; a
 *            number against the rule; the period is there already, or there
 *            is none of that number; there is no room for one more; a
 *            permission of a key names the policy that is to go: why
 */
enum err policy_create(struct change *change, struct bytes name) MUST_CHECK;
enum err policy_set_operations(
    struct change *change, struct bytes name, struct bytes typed) MUST_CHECK;
enum err policy_add_period(struct change *change, struct bytes name,
    const struct usage_period *period) MUST_CHECK;
/* number: from 1, in the order in which they are shown */
enum err policy_remove_period(
    struct change *change, struct bytes name, int64_t number) MUST_CHECK;
enum err policy_delete(struct change *change, struct bytes name) MUST_CHECK;

#endif

/*
 * For tests of what asks accounts and the clock: as little of both as it takes.
 */
#ifndef DEVICE_ACCOUNTS_TEST_H
#define DEVICE_ACCOUNTS_TEST_H

#include "device/rig_test.h"

enum { ACCOUNTS_MOST = 20 };
static struct admin accounts[ACCOUNTS_MOST];

static inline void
account_put(struct bench *bench, const char *name, bool high, uint32_t controls)
{
	struct admin *free_one = NULL;
	size_t k;

	(void)bench;
	for (k = 0; k < ACCOUNTS_MOST; k++)
		if (*accounts[k].name == '\0' ||
		    strcmp(accounts[k].name, name) == 0)
			free_one = free_one == NULL ? &accounts[k] : free_one;
	(void)strcpy(free_one->name, name);
	free_one->high = high;
	free_one->controls = controls;
}

static inline void
account_delete(struct bench *bench, const char *name)
{
	size_t k;

	(void)bench;
	for (k = 0; k < ACCOUNTS_MOST; k++)
		if (strcmp(accounts[k].name, name) == 0)
			*accounts[k].name = '\0';
}

enum err
admin_read(struct store *st, struct bytes name, struct admin *out)
{
	size_t k;

	(void)st;
	for (k = 0; k < ACCOUNTS_MOST; k++)
		if (name.octets != 0 &&
		    bytes_equal_text(name, accounts[k].name)) {
			*out = accounts[k];
			return OK;
		}
	return ERR_NOT_FOUND;
}

void
admin_drop(struct admin *admin)
{
	(void)admin;
}

bool
admin_may(const struct admin *admin, enum act act)
{
	enum control needs = act_row(act)->needs;

	return needs == NEEDS_NONE || (needs == NEEDS_HIGH && admin->high) ||
	       (needs < CONTROL_COUNT &&
		   (admin->controls & CONTROL_BIT(needs)) != 0);
}

enum err
admin_count(struct store *st, struct admin_count *out)
{
	size_t k;

	(void)st;
	*out = (struct admin_count){.local = 0};
	for (k = 0; k < ACCOUNTS_MOST; k++) {
		out->local += *accounts[k].name != '\0';
		out->high += *accounts[k].name != '\0' && accounts[k].high;
	}
	return OK;
}

/* ---- the clock ---- */

struct clock {
	struct clock_watch *watch;
};
static struct clock the_clock;

enum err
clock_new(struct store *st, struct env *env, struct clock **out)
{
	(void)st;
	(void)env;
	the_clock.watch = NULL;
	*out = &the_clock;
	return OK;
}

void
clock_free(struct clock *clock)
{
	(void)clock;
}

void
clock_settle(struct clock *clock, bool durable)
{
	(void)clock;
	(void)durable;
}

void
clock_watch(struct clock *clock, struct clock_watch *watch)
{
	clock->watch = watch;
}

void
clock_text(
    const struct clock *clock, int64_t wall_s, char out[CLOCK_TEXT_OCTETS])
{
	(void)clock;
	(void)wall_s;
	memcpy(out, "2012-05-04 11:22:00", CLOCK_TEXT_OCTETS);
}

/* An administrator has moved it. */
static inline void
clock_jump(void)
{
	the_clock.watch->jumped(the_clock.watch->ctx, 1, 2);
}

#endif

#include "device/lockout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { MINUTE = 60000 };

static const struct lockout_rule serial = {5, 5 * MINUTE, true};
static const struct lockout_rule remote = {5, 30 * MINUTE, true};
static const struct lockout_rule once = {1, MINUTE, true};
static const struct lockout_rule chapter_2 = {5, MINUTE, false};
static const struct lockout_rule none = {0, MINUTE, true};

enum event { END, WRONG, RIGHT };
enum want {
	OPEN,   /* the password decides */
	LOCKS,  /* and this one locks */
	LOCKED, /* whatever the password is */
};

struct step {
	int64_t at_ms;
	enum event event;
	enum want want;
};

/* Four wrong ones, none of which locks, and the one that does. */
#define FOUR(at)                                                       \
	{(at), WRONG, OPEN}, {(at), WRONG, OPEN}, {(at), WRONG, OPEN}, \
	{                                                              \
		(at), WRONG, OPEN                                      \
	}
#define FIVE(at)                   \
	FOUR(at),                  \
	{                          \
		(at), WRONG, LOCKS \
	}

/* clang-format off */
static const struct {
	const char *name;
	const struct lockout_rule *rule;
	struct step steps[16];
} cases[] = {
	/* req: KS-15-006 KS-02-010 */
	{ "four wrong ones lock nothing", &serial,
	  { FOUR(10), {11, RIGHT, OPEN} } },
	{ "the fifth locks, at once", &serial,
	  { FIVE(10), {10, RIGHT, LOCKED} } },
	/* req: KS-15-007 KS-02-012 */
	{ "a right one in between begins the count anew", &serial,
	  { FOUR(10), {11, RIGHT, OPEN}, FOUR(12), {13, RIGHT, OPEN} } },
	{ "without it the count goes on, however long it takes", &serial,
	  { FOUR(10), {400 * MINUTE, WRONG, LOCKS} } },
	/* req: KS-15-008 */
	{ "serial: locked until the last millisecond of five minutes", &serial,
	  { FIVE(10), {10 + 5 * MINUTE - 1, RIGHT, LOCKED} } },
	{ "serial: open when they are over", &serial,
	  { FIVE(10), {10 + 5 * MINUTE, RIGHT, OPEN} } },
	/* req: KS-15-009 */
	{ "remote: locked until the last millisecond of thirty", &remote,
	  { FIVE(0), {30 * MINUTE - 1, RIGHT, LOCKED} } },
	{ "remote: open when they are over", &remote,
	  { FIVE(0), {30 * MINUTE, RIGHT, OPEN} } },
	/* req: KS-15-014 KS-15-017 */
	{ "an attempt at 29 minutes makes it 59", &remote,
	  { FIVE(0), {29 * MINUTE, WRONG, LOCKED},
	    {59 * MINUTE - 1, RIGHT, LOCKED},
	    {89 * MINUTE - 1, RIGHT, OPEN} } },
	{ "the right password restarts it like a wrong one", &remote,
	  { FIVE(0), {29 * MINUTE, RIGHT, LOCKED},
	    {31 * MINUTE, RIGHT, LOCKED}, {61 * MINUTE, RIGHT, OPEN} } },
	{ "what was tried while locked is no failure afterwards", &remote,
	  { FIVE(0), {1, WRONG, LOCKED}, {2, WRONG, LOCKED},
	    FOUR(2 + 30 * MINUTE), {2 + 30 * MINUTE, RIGHT, OPEN} } },
	{ "after a lockout five more are needed", &remote,
	  { FIVE(0), FIVE(30 * MINUTE), {60 * MINUTE - 1, RIGHT, LOCKED} } },
	/* req: KS-02-011 */
	{ "chapter 2: 59 seconds are refused", &chapter_2,
	  { FIVE(0), {59000, RIGHT, LOCKED} } },
	{ "chapter 2: and do not begin anew with that", &chapter_2,
	  { FIVE(0), {59999, RIGHT, LOCKED}, {60000, RIGHT, OPEN} } },
	{ "one failure may be enough", &once,
	  { {0, WRONG, LOCKS}, {MINUTE - 1, RIGHT, LOCKED} } },
	{ "no lockout: nothing is counted", &none,
	  { FOUR(0), {0, WRONG, OPEN}, {0, WRONG, OPEN}, {0, RIGHT, OPEN} } },
};
/* clang-format on */

static void
stories(void **state)
{
	struct lockout lockout, before;
	const struct step *step;
	enum want got;
	bool changed;
	size_t k, s;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		lockout = (struct lockout){0};
		for (s = 0; cases[k].steps[s].event != END; s++) {
			step = &cases[k].steps[s];
			before = lockout;
			got = OPEN;
			if (lockout_begin(&lockout, cases[k].rule, step->at_ms,
				&changed) == LOCKOUT_LOCKED)
				got = LOCKED;
			/* what has to be written is told */
			assert_true(changed ||
				    (before.failures == lockout.failures &&
					before.until_ms == lockout.until_ms));
			before = lockout;
			if (got == OPEN && step->event == RIGHT)
				assert_int_equal(lockout_succeeded(&lockout),
				    before.failures != 0);
			else if (got == OPEN && lockout_failed(&lockout,
						    cases[k].rule, step->at_ms))
				got = LOCKS;
			if (got != step->want)
				fail_msg("%s: step %zu at %lld ms: expected "
					 "%d, got %d",
				    cases[k].name, s, (long long)step->at_ms,
				    (int)step->want, (int)got);
		}
	}
}

/* Somebody looks, and nothing comes of it. */
static void
is_locked(void **state)
{
	const struct lockout never = {0}, four = {.failures = 4};
	const struct lockout until = {.until_ms = 1000};

	(void)state;
	assert_false(lockout_is_locked(&never, 0));
	assert_false(lockout_is_locked(&four, 0));
	assert_true(lockout_is_locked(&until, 999));
	assert_false(lockout_is_locked(&until, 1000));
}

/* Who abolishes lockouts lets those go who are locked. */
static void
no_rule_opens_what_was_locked(void **state)
{
	struct lockout lockout = {.until_ms = 1000};
	bool changed;

	(void)state;
	assert_int_equal(
	    lockout_begin(&lockout, &serial, 10, &changed), LOCKOUT_LOCKED);
	assert_int_equal(
	    lockout_begin(&lockout, &none, 10, &changed), LOCKOUT_OPEN);
	assert_true(changed);
	assert_int_equal(
	    lockout_begin(&lockout, &serial, 10, &changed), LOCKOUT_OPEN);
	assert_false(changed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stories),
	    cmocka_unit_test(is_locked),
	    cmocka_unit_test(no_rule_opens_what_was_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

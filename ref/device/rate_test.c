/* Operations counted: hours, limits that change, restarts, a full memory. */
#include "device/rate.h"

#include <stdio.h>
#include <string.h>

#include "device/accounts_test.h"

#define NAME(text) bytes_of_text(text)

enum { MINUTE_MS = 60 * 1000, UNLIMITED = 0 };

static struct bench bench;
#define STORE (bench.appliance.store)
#define RATES (bench.appliance.rates)

static void
rates_open(size_t counters)
{
	assert_ok(
	    rates_new(&bench.appliance, counters, &bench.appliance.rates));
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	rates_open(0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_disk_full(UINT64_MAX);
	rates_free(RATES);
	bench_remove(&bench);
	return 0;
}

static void
restart(void)
{
	rates_free(RATES);
	store_close(STORE);
	bench_open(&bench);
	rates_open(0);
}

static void
move_to(int64_t elapsed_ms)
{
	rig_move_to(&bench.rig, elapsed_ms);
	bench_turn(&bench);
}

/* One request: does its answer have to wait? */
static enum err
ask(const char *user, const char *key, uint64_t limit, uint64_t operations,
    bool *waits)
{
	enum err rc;

	store_request(STORE);
	rc = rate_count(RATES, NAME(user), NAME(key), limit, operations);
	*waits = store_must_wait(STORE);
	return rc;
}

/* So many, each in a turn of its own. */
static void
count(const char *user, uint64_t limit, unsigned operations)
{
	bool waits;

	while (operations-- > 0) {
		assert_ok(ask(user, "k", limit, 1, &waits));
		bench_turn(&bench);
	}
}

static void
assert_refused(const char *user, uint64_t limit)
{
	bool waits;

	assert_err(ask(user, "k", limit, 1, &waits), ERR_RATE);
}

/* ---- the hour ---- */

/*
 * Hours of a day, as the guide tells them: 11:00 the first request, 11:30 half
 * of the operations, 11:31 another limit.
 */
static void
half_used_at_1131(void)
{
	move_to(11 * 60 * MINUTE_MS);
	count("alice", 100, 25);
	move_to((11 * 60 + 30) * MINUTE_MS);
	count("alice", 100, 25);
	move_to((11 * 60 + 31) * MINUTE_MS);
}

/* req: KS-29-014 KS-29-013 */
static void
test_a_raised_limit_leaves_what_was_used(void **state)
{
	(void)state;
	half_used_at_1131();
	count("alice", 150, 99);
	move_to((11 * 60 + 59) * MINUTE_MS + 59999);
	count("alice", 150, 1);
	assert_refused("alice", 150);
	move_to(12 * 60 * MINUTE_MS);
	count("alice", 150, 150);
	assert_refused("alice", 150);
}

/* req: KS-29-015 KS-29-013 */
static void
test_a_lowered_limit_leaves_what_was_used(void **state)
{
	(void)state;
	half_used_at_1131();
	count("alice", 75, 25);
	assert_refused("alice", 75);
	/* below what was used: none, until it is raised */
	assert_refused("alice", 10);
	count("alice", 76, 1);
	assert_refused("alice", 76);
}

/* req: KS-29-011 KS-29-012 */
static void
test_the_hour_begins_with_the_first_operation(void **state)
{
	(void)state;
	move_to(40 * MINUTE_MS);
	count("alice", 3, 3);
	move_to(99 * MINUTE_MS + 59999);
	assert_refused("alice", 3);
	move_to(100 * MINUTE_MS);
	count("alice", 3, 1);
	move_to(159 * MINUTE_MS);
	count("alice", 3, 2);
	assert_refused("alice", 3);
}

static void
test_the_hour_does_not_move_with_the_wall_clock(void **state)
{
	(void)state;
	count("alice", 3, 3);
	env_set_wall_s(bench.rig.env, env_wall_s(bench.rig.env) + 7200);
	assert_refused("alice", 3);
	env_set_wall_s(bench.rig.env, env_wall_s(bench.rig.env) - 86400);
	move_to(RATE_HOUR_MS);
	count("alice", 3, 3);
}

/* req: KS-29-009 KS-29-010 */
static void
test_each_user_counts_with_each_key(void **state)
{
	bool waits;
	unsigned k;

	(void)state;
	for (k = 0; k < 500; k++) {
		assert_ok(ask("alice", "k", 500, 1, &waits));
		assert_ok(ask("bob", "k", 500, 1, &waits));
		bench_turn(&bench);
	}
	assert_refused("alice", 500);
	assert_refused("bob", 500);
	assert_ok(ask("alice", "k2", 500, 1, &waits));
	/* names are taken whole: no other user and key write the same */
	assert_ok(ask("alice2", "k", 1, 1, &waits));
	assert_ok(ask("a", "k", 1, 1, &waits));
}

/* req: KS-29-005 */
static void
test_operations_at_a_time_are_all_counted_or_none(void **state)
{
	bool waits;

	(void)state;
	assert_ok(ask("alice", "k", 10, 7, &waits));
	assert_err(ask("alice", "k", 10, 4, &waits), ERR_RATE);
	assert_err(ask("alice", "k", 10, UINT64_MAX, &waits), ERR_RATE);
	assert_ok(ask("alice", "k", 10, 3, &waits));
	assert_err(ask("alice", "k", 10, 1, &waits), ERR_RATE);
}

/* What was done without a limit counts when there is one. */
static void
test_unlimited_operations_are_counted_too(void **state)
{
	(void)state;
	count("alice", UNLIMITED, 120);
	assert_refused("alice", 120);
	count("alice", 121, 1);
	assert_refused("alice", 121);
}

/* ---- waiting ---- */

static const struct {
	uint64_t limit;
	unsigned operations;
} paces[] = {
    {100, 100}, {101, 101}, {199, 199}, {1000, 1000}, {UNLIMITED, 3000}};

static void
test_only_the_first_of_the_hour_waits(void **state)
{
	unsigned k, n;
	bool waits;

	(void)state;
	for (k = 0; k < LENGTH(paces); k++) {
		char user[] = {'u', (char)('0' + k), '\0'};

		for (n = 0; n < paces[k].operations; n++) {
			assert_ok(ask(user, "k", paces[k].limit, 1, &waits));
			if (waits != (n == 0))
				fail_msg("limit %u: operation %u waits%s",
				    (unsigned)paces[k].limit, n,
				    waits ? "" : " not");
			/* the next block, and its durability */
			bench_turn(&bench);
		}
	}
}

/* A block is a hundredth: that many groups an hour, and a few more. */
static void
test_blocks_are_a_hundredth_of_the_limit(void **state)
{
	uint64_t before = store_groups(STORE);
	uint64_t groups;

	(void)state;
	count("alice", 5000, 5000);
	groups = store_groups(STORE) - before;
	if (groups < 100 || groups > 2 * RATE_BLOCKS + 2)
		fail_msg("%u groups", (unsigned)groups);
}

static void
test_who_is_faster_than_the_disk_waits(void **state)
{
	bool waits;

	(void)state;
	assert_ok(ask("alice", "k", 100, 1, &waits));
	assert_true(waits);
	/* reserved, but not yet durable */
	assert_ok(ask("alice", "k", 100, 1, &waits));
	assert_true(waits);
	assert_ok(ask("alice", "k", 100, 1, &waits));
	assert_true(waits);
	bench_turn(&bench);
	assert_ok(ask("alice", "k", 100, 1, &waits));
	assert_false(waits);
}

/* ---- restarts and failures ---- */

/* req: KS-29-012 */
static void
test_a_restart_keeps_the_count_to_the_operation(void **state)
{
	(void)state;
	move_to(MINUTE_MS);
	count("alice", 1000, 37);
	move_to(20 * MINUTE_MS);
	restart();
	assert_refused("alice", 37);
	count("alice", 40, 3);
	restart();
	assert_refused("alice", 40);
	/* and the hour, which began before */
	move_to(MINUTE_MS + RATE_HOUR_MS - 1);
	assert_refused("alice", 40);
	move_to(MINUTE_MS + RATE_HOUR_MS);
	count("alice", 40, 40);
}

static void
test_what_was_over_is_over_after_a_restart(void **state)
{
	(void)state;
	count("alice", 3, 3);
	rates_free(RATES);
	rig_move_to(&bench.rig, RATE_HOUR_MS);
	rates_open(0);
	count("alice", 3, 3);
	assert_refused("alice", 3);
}

static void
heard(struct store_waiter *w, enum err rc)
{
	*(enum err *)w->ctx = rc;
}

/* What its client is told, once it is told. */
static enum err
answer(const char *user, uint64_t limit)
{
	enum err told = OK;
	struct store_waiter waiter = {.done = heard, .ctx = &told};
	bool waits;
	enum err rc = ask(user, "k", limit, 1, &waits);

	if (rc == OK && waits)
		store_wait(STORE, &waiter);
	bench_turn(&bench);
	return rc == OK ? told : rc;
}

static void
test_a_full_disk_stops_when_the_block_is_used(void **state)
{
	unsigned k;

	(void)state;
	assert_ok(answer("alice", 1000));
	vfs_disk_full(0);
	assert_err(answer("bob", 1000), ERR_DISK_FULL);
	for (k = 0; k < 10; k++)
		assert_ok(answer("alice", 1000));
	assert_err(answer("alice", 1000), ERR_DISK_FULL);
	assert_err(answer("alice", 1000), ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_ok(answer("alice", 1000));
	assert_ok(answer("bob", 1000));
	/* those that were not answered count as well */
	count("alice", 1000, 1000 - 14);
	assert_refused("alice", 1000);
}

/* Somebody else's undoing is no reservation. */
static void
test_a_reservation_that_was_rolled_back_is_none(void **state)
{
	bool waits;

	(void)state;
	assert_ok(store_savepoint(STORE));
	assert_ok(ask("alice", "k", 1000, 1, &waits));
	assert_true(waits);
	assert_ok(store_rollback_to(STORE));
	bench_turn(&bench);
	assert_ok(ask("alice", "k", 1000, 1, &waits));
	assert_true(waits);
	bench_turn(&bench);
	assert_ok(ask("alice", "k", 1000, 1, &waits));
	assert_false(waits);
}

static void
test_a_damaged_count_lets_nobody_pass(void **state)
{
	bool waits;

	(void)state;
	assert_ok(
	    record_put(STORE, "rate", NAME("alice/k"), NAME("\x05nonsense")));
	assert_err(ask("alice", "k", 10, 1, &waits), ERR_STORE);
	assert_int_equal(rates_in_memory(RATES), 0);
}

/* ---- memory ---- */

enum { SMALL = 4, MANY = 23 };

static void
user_name(unsigned n, char out[8])
{
	(void)snprintf(out, 8, "u%u", n);
}

static void
test_memory_is_bounded_and_counts_are_right(void **state)
{
	char user[8];
	unsigned round, n;

	(void)state;
	rates_free(RATES);
	rates_open(SMALL);
	for (round = 0; round < 3; round++)
		for (n = 0; n < MANY; n++) {
			user_name(n, user);
			count(user, 1000, n % 5 + 1);
			assert_true(rates_in_memory(RATES) <= SMALL);
		}
	for (n = 0; n < MANY; n++) {
		user_name(n, user);
		assert_refused(user, 3 * (n % 5 + 1));
		count(user, 3 * (n % 5 + 1) + 1, 1);
	}
}

/* In one turn nothing is durable, and what waits for that stays. */
static void
test_what_is_being_written_is_not_dropped(void **state)
{
	char user[8];
	unsigned n;
	bool waits;

	(void)state;
	rates_free(RATES);
	rates_open(SMALL);
	for (n = 0; n < MANY; n++) {
		user_name(n, user);
		assert_ok(ask(user, "k", 2, 2, &waits));
		assert_true(waits);
	}
	assert_int_equal(rates_in_memory(RATES), MANY);
	bench_turn(&bench);
	count("last", 2, 1);
	assert_int_equal(rates_in_memory(RATES), MANY);
	for (n = 0; n < MANY; n++) {
		user_name(n, user);
		assert_refused(user, 2);
	}
}

static enum err
record_seen(void *ctx, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(unsigned *)ctx;
	return OK;
}

static unsigned
records(void)
{
	unsigned seen = 0;

	assert_ok(record_each(STORE, "rate", record_seen, &seen));
	return seen;
}

static void
test_hours_that_are_over_leave_nothing(void **state)
{
	char user[8];
	unsigned n;
	bool waits;

	(void)state;
	for (n = 0; n < 3 * RATE_SWEEP_RECORDS; n++) {
		user_name(n, user);
		assert_ok(ask(user, "k", 10, 1, &waits));
	}
	bench_turn(&bench);
	move_to(RATE_HOUR_MS - MINUTE_MS);
	count("late", 10, 3);
	assert_int_equal(records(), 3 * RATE_SWEEP_RECORDS + 1);
	move_to(RATE_HOUR_MS);
	/* one walk may have been under way when they ended */
	for (n = 0; n < 20; n++)
		move_to(RATE_HOUR_MS + n / 10 * RATE_SWEEP_EVERY_MS +
			n * RATE_SWEEP_STEP_MS);
	assert_int_equal(records(), 1);
	assert_int_equal(rates_in_memory(RATES), 1);
	assert_refused("late", 3);
}

int
main(void)
{
#define RATE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    RATE_TEST(test_a_raised_limit_leaves_what_was_used),
	    RATE_TEST(test_a_lowered_limit_leaves_what_was_used),
	    RATE_TEST(test_the_hour_begins_with_the_first_operation),
	    RATE_TEST(test_the_hour_does_not_move_with_the_wall_clock),
	    RATE_TEST(test_each_user_counts_with_each_key),
	    RATE_TEST(test_operations_at_a_time_are_all_counted_or_none),
	    RATE_TEST(test_unlimited_operations_are_counted_too),
	    RATE_TEST(test_only_the_first_of_the_hour_waits),
	    RATE_TEST(test_blocks_are_a_hundredth_of_the_limit),
	    RATE_TEST(test_who_is_faster_than_the_disk_waits),
	    RATE_TEST(test_a_restart_keeps_the_count_to_the_operation),
	    RATE_TEST(test_what_was_over_is_over_after_a_restart),
	    RATE_TEST(test_a_full_disk_stops_when_the_block_is_used),
	    RATE_TEST(test_a_reservation_that_was_rolled_back_is_none),
	    RATE_TEST(test_a_damaged_count_lets_nobody_pass),
	    RATE_TEST(test_memory_is_bounded_and_counts_are_right),
	    RATE_TEST(test_what_is_being_written_is_not_dropped),
	    RATE_TEST(test_hours_that_are_over_leave_nothing),
	};
#undef RATE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "device/accounts_test.h"

static struct bench bench;
#define APPLIANCE (&bench.appliance)

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	bench.appliance.password_iterations = 1000;
	assert_ok(loop_pool_new(
	    bench.appliance.loop, "passwords", 1, &bench.appliance.passwords));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_fail_io(0, false);
	loop_end_jobs(bench.appliance.loop);
	appliance_close(APPLIANCE);
	bench_remove(&bench);
	return 0;
}

static void
assert_closed(void)
{
	assert_null(bench.appliance.settings);
	assert_null(bench.appliance.clock);
	assert_null(bench.appliance.services);
	assert_null(bench.appliance.logins);
	assert_null(bench.appliance.credentials);
}

static void
test_it_opens_and_closes_more_than_once(void **state)
{
	unsigned k;

	(void)state;
	for (k = 0; k < 2; k++) {
		assert_ok(appliance_open(APPLIANCE));
		assert_non_null(bench.appliance.settings);
		assert_non_null(bench.appliance.clock);
		assert_non_null(bench.appliance.services);
		assert_non_null(bench.appliance.logins);
		assert_non_null(bench.appliance.credentials);
		appliance_close(APPLIANCE);
		assert_closed();
		appliance_close(APPLIANCE);
	}
}

static void
test_what_cannot_be_read_is_not_opened(void **state)
{
	struct bytes key = bytes_of_text("host/name");

	(void)state;
	assert_ok(record_put(bench.appliance.store, "setting", key,
	    bytes_of_text("no host name")));
	assert_err(appliance_open(APPLIANCE), ERR_STORE);
	assert_closed();
	assert_ok(record_put(
	    bench.appliance.store, "setting", key, bytes_of_text("name")));
	assert_ok(appliance_open(APPLIANCE));
	assert_string_equal(
	    setting_text(bench.appliance.settings, SETTING_HOST_NAME), "name");
}

static void
test_the_first_administrator_makes_the_difference(void **state)
{
	(void)state;
	assert_ok(appliance_open(APPLIANCE));
	assert_false(appliance_is_initialized(APPLIANCE));
	account_put(&bench, "admin", true, CONTROLS_ALL);
	assert_true(appliance_is_initialized(APPLIANCE));
}

static void
test_a_store_that_fails_lets_nobody_in_anew(void **state)
{
	(void)state;
	assert_ok(appliance_open(APPLIANCE));
	assert_ok(record_put(bench.appliance.store, "admin",
	    bytes_of_text("admin"), bytes_of_text("damaged")));
	assert_true(appliance_is_initialized(APPLIANCE));
}

/* ---- traps ---- */

static void
raised(void *ctx, enum trap trap, const char *text)
{
	char *all = ctx;

	(void)snprintf(all + strlen(all), 64, "%d %s;", (int)trap, text);
}

static void
test_a_trap_is_raised_for_all_who_watch(void **state)
{
	char first[128] = "";
	char second[128] = "";
	struct trap_watch watches[] = {
	    {.raised = raised, .ctx = first},
	    {.raised = raised, .ctx = second},
	};

	(void)state;
	appliance_trap(APPLIANCE, TRAP_FACTORY_RESET, "nobody hears");
	appliance_watch_traps(APPLIANCE, &watches[0]);
	appliance_trap(APPLIANCE, TRAP_FACTORY_RESET, "one");
	appliance_watch_traps(APPLIANCE, &watches[1]);
	appliance_trap(APPLIANCE, TRAP_PASSWORD_FAILURES, "two");
	assert_string_equal(first, "1 one;0 two;");
	assert_string_equal(second, "0 two;");
}

/* ---- changes at the end ---- */

static unsigned told;

static enum err
apply(struct change *change)
{
	bool changed;

	return setting_set(change->appliance->settings, SETTING_HOST_NAME,
	    bytes_of_text("alpha"), &changed, change->why);
}

static void
done(struct change *change, enum err rc)
{
	(void)change;
	(void)rc;
	told++;
}

static void
test_a_change_under_way_is_made_durable_by_the_end(void **state)
{
	struct change change = {
	    .by = {.door = DOOR_NONE},
	    .act = ACT_NETWORK,
	    .apply = apply,
	    .done = done,
	};

	(void)state;
	told = 0;
	assert_ok(appliance_open(APPLIANCE));
	change_run(APPLIANCE, &change);
	change_leave(&change);
	appliance_close(APPLIANCE);
	store_close(bench.appliance.store);
	bench_open(&bench);
	assert_ok(appliance_open(APPLIANCE));
	assert_string_equal(
	    setting_text(bench.appliance.settings, SETTING_HOST_NAME), "alpha");
	assert_int_equal(told, 0);
	/* and the next one settles as ever */
	change_run(APPLIANCE, &change);
	bench_turn(&bench);
	assert_int_equal(told, 1);
}

#define APPLIANCE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    APPLIANCE_TEST(test_it_opens_and_closes_more_than_once),
	    APPLIANCE_TEST(test_what_cannot_be_read_is_not_opened),
	    APPLIANCE_TEST(test_the_first_administrator_makes_the_difference),
	    APPLIANCE_TEST(test_a_store_that_fails_lets_nobody_in_anew),
	    APPLIANCE_TEST(test_a_trap_is_raised_for_all_who_watch),
	    APPLIANCE_TEST(test_a_change_under_way_is_made_durable_by_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

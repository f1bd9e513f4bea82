#include "device/clock.h"

#include "base/mem.h"
#include "device/fields.h"
#include "device/rig_test.h"
#include "store/vfs.h"

/* ---- wall time and zone, in the laboratory ---- */

struct ear {
	struct clock_watch watch;
	unsigned calls;
	int64_t from_s;
	int64_t to_s;
};

struct test {
	struct bench bench;
	struct clock *clock;
	struct ear ear;
	struct env *real;
};

static void
hear(void *ctx, int64_t from_wall_s, int64_t to_wall_s)
{
	struct ear *ear = ctx;

	ear->calls++;
	ear->from_s = from_wall_s;
	ear->to_s = to_wall_s;
}

static void
open_clock(struct test *t, struct env *env)
{
	assert_ok(clock_new(t->bench.appliance.store, env, &t->clock));
	t->ear = (struct ear){.watch = {.jumped = hear, .ctx = &t->ear}};
	clock_watch(t->clock, &t->ear.watch);
}

static void
reopen(struct test *t, struct env *env)
{
	clock_free(t->clock);
	store_close(t->bench.appliance.store);
	bench_open(&t->bench);
	open_clock(t, env);
}

static int
setup(void **state)
{
	struct test *t;

	assert_ok(MEM_NEW(t));
	*state = t;
	bench_make(&t->bench);
	open_clock(t, t->bench.rig.env);
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	if (t == NULL)
		return 0;
	vfs_disk_full(UINT64_MAX);
	clock_free(t->clock);
	bench_remove(&t->bench);
	env_free(t->real);
	mem_free(t);
	return 0;
}

static void
commit(struct test *t, enum err want)
{
	assert_err(store_commit(t->bench.appliance.store), want);
	clock_settle(t->clock, want == OK);
}

static void
set_clock(struct test *t, int64_t wall_s)
{
	char why[CLOCK_WHY_OCTETS];

	assert_ok(clock_keep(t->clock, wall_s, why));
}

static void
set_zone(struct test *t, const char *zone)
{
	char why[CLOCK_WHY_OCTETS];

	assert_ok(clock_keep_zone(t->clock, bytes_of_text(zone), why));
}

static void
assert_text(struct test *t, int64_t wall_s, const char *want)
{
	char got[CLOCK_TEXT_OCTETS];

	clock_text(t->clock, wall_s, got);
	assert_string_equal(got, want);
}

/* req: KS-17-017 KS-17-019 KS-17-020 */
static void
test_elapsed_time_does_not_move_with_the_wall_clock(void **state)
{
	static const int64_t wall_s[] = {1700000000, 1700000000 + 31536000,
	    1700000000 - 5 * 86400, 946684800, 4102444799};
	struct test *t = *state;
	struct env *env = t->bench.rig.env;
	int64_t elapsed_ms;
	size_t k;

	for (k = 0; k < LENGTH(wall_s); k++) {
		rig_move_to(&t->bench.rig, (int64_t)k * 1000);
		elapsed_ms = env_elapsed_ms(env);
		set_clock(t, wall_s[k]);
		commit(t, OK);
		assert_int_equal(env_wall_s(env), wall_s[k]);
		assert_int_equal(env_elapsed_ms(env), elapsed_ms);
	}
}

static void
test_a_clock_that_was_set_goes_on_after_a_restart(void **state)
{
	struct test *t = *state;
	struct env *env = t->bench.rig.env;
	struct env *again;

	set_clock(t, 1700000000);
	set_zone(t, "Europe/Berlin");
	commit(t, OK);
	assert_ok(env_new_lab(t->bench.rig.clock_path, &again));
	t->bench.rig.env = again;
	rig_move_to(&t->bench.rig, 3600000);
	reopen(t, again);
	assert_int_equal(env_wall_s(again), 1700003600);
	assert_string_equal(clock_zone(t->clock), "Europe/Berlin");
	/* the loop still has the old one */
	t->bench.rig.env = env;
	reopen(t, env);
	env_free(again);
}

static void
test_the_clock_goes_by_what_is_durable(void **state)
{
	struct test *t = *state;
	struct env *env = t->bench.rig.env;

	set_clock(t, 1700000000);
	set_zone(t, "Europe/Berlin");
	assert_int_equal(env_wall_s(env), 0);
	assert_string_equal(clock_zone(t->clock), "UTC");
	/* until then time passes */
	rig_move_to(&t->bench.rig, 2000);
	commit(t, OK);
	assert_int_equal(env_wall_s(env), 1700000002);
	assert_string_equal(clock_zone(t->clock), "Europe/Berlin");

	set_clock(t, 1800000000);
	set_zone(t, "Asia/Tokyo");
	vfs_disk_full(0);
	commit(t, ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_int_equal(env_wall_s(env), 1700000002);
	assert_string_equal(clock_zone(t->clock), "Europe/Berlin");
	/* and is not remembered by what comes next */
	set_zone(t, "Asia/Tokyo");
	commit(t, OK);
	assert_int_equal(env_wall_s(env), 1700000002);
}

static void
test_a_change_undone_leaves_the_others_of_its_group(void **state)
{
	struct test *t = *state;
	struct store *st = t->bench.appliance.store;

	set_clock(t, 1700000000);
	assert_ok(store_savepoint(st));
	set_clock(t, 1800000000);
	set_zone(t, "Asia/Tokyo");
	assert_ok(store_rollback_to(st));
	clock_settle(t->clock, false);
	commit(t, OK);
	assert_int_equal(env_wall_s(t->bench.rig.env), 1700000000);
	assert_string_equal(clock_zone(t->clock), "UTC");
}

static void
test_those_who_plan_are_told_of_a_jump(void **state)
{
	struct test *t = *state;

	set_clock(t, 1700000000);
	assert_int_equal(t->ear.calls, 0);
	commit(t, OK);
	assert_int_equal(t->ear.calls, 1);
	assert_int_equal(t->ear.from_s, 0);
	assert_int_equal(t->ear.to_s, 1700000000);
	clock_settle(t->clock, true); /* somebody else's change */
	set_zone(t, "Asia/Tokyo");    /* no other time */
	commit(t, OK);
	assert_int_equal(t->ear.calls, 1);
	set_clock(t, 1600000000);
	commit(t, OK);
	assert_int_equal(t->ear.calls, 2);
	assert_int_equal(t->ear.from_s, 1700000000);
	assert_int_equal(t->ear.to_s, 1600000000);
}

struct next {
	struct store_waiter waiter;
	struct test *t;
};

static void
set_next(struct store_waiter *waiter, enum err rc)
{
	struct next *next = waiter->ctx;

	assert_int_equal(rc, OK);
	set_clock(next->t, 1700000000);
	clock_settle(next->t->clock, true);
	assert_int_equal(env_wall_s(next->t->bench.rig.env), 0);
}

static void
test_the_next_group_is_told_when_it_is_durable_itself(void **state)
{
	struct test *t = *state;
	struct next next = {.t = t};

	next.waiter = (struct store_waiter){.done = set_next, .ctx = &next};
	set_zone(t, "Asia/Tokyo");
	store_wait(t->bench.appliance.store, &next.waiter);
	assert_ok(store_commit(t->bench.appliance.store));
	clock_settle(t->clock, true);
	assert_int_equal(env_wall_s(t->bench.rig.env), 1700000000);
}

static void
test_what_cannot_be_set_is_refused(void **state)
{
	static const int64_t bad_s[] = {
	    946684799, 4102444800, INT64_MIN, INT64_MAX, 0};
	static const struct {
		const char *zone;
		size_t octets;
	} bad[] = {
	    {"Mars/Base", 9},
	    {"europe/berlin", 13},
	    {"Europe", 6}, /* a folder */
	    {"Europe/", 7},
	    {"", 0},
	    {"/etc/localtime", 14},
	    {"../zoneinfo/UTC", 15},
	    {"Europe/../UTC", 13},
	    {"right/Europe/Berlin", 19},
	    {"posix/Europe/Berlin", 19},
	    {"zone.tab", 8},
	    {"tzdata.zi", 9},
	    {"UTC\0x", 5},
	    {"UTC ", 4},
	    {"CET-1CEST", 9},
	    {"EST5EDT,M3.2.0,M11.1.0", 22},
	    {"Europe/Berlinxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "x",
		65},
	};
	struct test *t = *state;
	char why[CLOCK_WHY_OCTETS];
	size_t k;

	for (k = 0; k < LENGTH(bad_s); k++) {
		why[0] = '\0';
		assert_err(clock_keep(t->clock, bad_s[k], why), ERR_FIELD);
		assert_string_equal(
		    why, "Date: a day from 2000-01-01 to 2099-12-31");
	}
	for (k = 0; k < LENGTH(bad); k++) {
		struct bytes zone = {
		    (const uint8_t *)bad[k].zone, bad[k].octets};

		if (clock_keep_zone(t->clock, zone, why) != ERR_FIELD)
			fail_msg("zone %s", bad[k].zone);
	}
	assert_err(clock_keep_zone(t->clock, bytes_of_text("Mars/B\n"), why),
	    ERR_FIELD);
	assert_string_equal(why,
	    "Time Zone: Mars/B\\x0a: a name of the tz database such as "
	    "Europe/Berlin, or UTC");
	assert_false(store_must_wait(t->bench.appliance.store));
	set_zone(t, "UTC");
	set_zone(t, "Etc/GMT+12");
	set_zone(t, "America/Argentina/Buenos_Aires");
}

/* ---- text ---- */

static const struct {
	const char *zone;
	int64_t wall_s;
	const char *text;
} known[] = {
    /* date -u -d @N, TZ=... date -d @N */
    {"UTC", 0, "1970-01-01 00:00:00"},
    {"UTC", 951782400, "2000-02-29 00:00:00"},
    {"UTC", 4102444799, "2099-12-31 23:59:59"},
    {"Europe/Berlin", 1711846799, "2024-03-31 01:59:59"},
    {"Europe/Berlin", 1711846800, "2024-03-31 03:00:00"},
    {"Europe/Berlin", 1729987199, "2024-10-27 01:59:59"},
    {"Europe/Berlin", 1729989000, "2024-10-27 02:30:00"}, /* the first */
    {"Europe/Berlin", 1729994400, "2024-10-27 03:00:00"},
    {"America/New_York", 1710053999, "2024-03-10 01:59:59"},
    {"America/New_York", 1710054000, "2024-03-10 03:00:00"},
    {"Australia/Lord_Howe", 1728142200, "2024-10-06 02:30:00"},
    {"Asia/Kathmandu", 1700000000, "2023-11-15 03:58:20"},
    {"Pacific/Kiritimati", 1700000000, "2023-11-15 12:13:20"},
};

static void
test_dates_are_told_in_the_zone(void **state)
{
	struct test *t = *state;
	size_t k;

	for (k = 0; k < LENGTH(known); k++) {
		int64_t wall_s = -1;

		set_zone(t, known[k].zone);
		commit(t, OK);
		assert_text(t, known[k].wall_s, known[k].text);
		assert_ok(clock_read(
		    t->clock, bytes_of_text(known[k].text), &wall_s));
		if (wall_s != known[k].wall_s)
			fail_msg("%s %s: %lld", known[k].zone, known[k].text,
			    (long long)wall_s);
	}
}

static void
test_the_second_of_two_hours_is_told_as_the_first(void **state)
{
	struct test *t = *state;
	int64_t wall_s;

	set_zone(t, "Europe/Berlin");
	commit(t, OK);
	assert_text(t, 1729992600, "2024-10-27 02:30:00");
	assert_ok(clock_read(
	    t->clock, bytes_of_text("2024-10-27 02:30:00"), &wall_s));
	assert_int_equal(wall_s, 1729992600 - 3600);
}

static void
test_what_is_no_time_is_refused(void **state)
{
	static const struct {
		const char *zone;
		const char *text;
	} bad[] = {
	    {"UTC", ""},
	    {"UTC", "2024-01-01"},
	    {"UTC", "2024-01-01T00:00:00"},
	    {"UTC", "2024-01-01 00:00:00Z"},
	    {"UTC", " 2024-01-01 00:00:0"},
	    {"UTC", "2024-1-01 00:00:000"},
	    {"UTC", "2024-01-01 00:00:60"},
	    {"UTC", "2024-01-01 00:60:00"},
	    {"UTC", "2024-01-01 24:00:00"},
	    {"UTC", "2024-00-01 00:00:00"},
	    {"UTC", "2024-13-01 00:00:00"},
	    {"UTC", "2024-04-31 00:00:00"},
	    {"UTC", "2023-02-29 00:00:00"},
	    {"UTC", "2024-04-00 00:00:00"},
	    /* passed over when summer time begins */
	    {"Europe/Berlin", "2024-03-31 02:00:00"},
	    {"Europe/Berlin", "2024-03-31 02:59:59"},
	    {"America/New_York", "2024-03-10 02:30:00"},
	    {"Australia/Lord_Howe", "2024-10-06 02:15:00"},
	    /* a day that there was not */
	    {"Pacific/Apia", "2011-12-30 12:00:00"},
	};
	struct test *t = *state;
	size_t k;

	for (k = 0; k < LENGTH(bad); k++) {
		int64_t wall_s;

		set_zone(t, bad[k].zone);
		commit(t, OK);
		if (clock_read(t->clock, bytes_of_text(bad[k].text), &wall_s) !=
		    ERR_VALUE)
			fail_msg("%s %s", bad[k].zone, bad[k].text);
	}
}

/* ---- elapsed time, of the machine ---- */

enum { LITTLE_MS = 60000 };

static void
assert_near(int64_t got_ms, int64_t want_ms)
{
	if (got_ms < want_ms - LITTLE_MS || got_ms > want_ms + LITTLE_MS)
		fail_msg("%lld is not about %lld", (long long)got_ms,
		    (long long)want_ms);
}

/* The process begins: a clock of its own, in the same store. */
static void
boot(struct test *t)
{
	struct env *env;

	assert_ok(env_new(&env));
	reopen(t, env);
	env_free(t->real);
	t->real = env;
}

static void
put_elapsed(
    struct test *t, const char *name, int64_t ahead_ms, int64_t reached_ms)
{
	struct buf value;

	buf_init(&value, 1024);
	assert_ok(fields_put_text(&value, "boot", name));
	assert_ok(fields_put_number(&value, "ahead", ahead_ms));
	assert_ok(fields_put_number(&value, "reached", reached_ms));
	assert_ok(record_put(t->bench.appliance.store, "clock",
	    bytes_of_text("elapsed"), buf_peek(&value)));
	assert_ok(store_commit(t->bench.appliance.store));
	buf_clear(&value);
}

static int64_t
reached(struct test *t)
{
	struct buf value;
	int64_t ms = 0;

	buf_init(&value, 1024);
	assert_ok(record_get(t->bench.appliance.store, "clock",
	    bytes_of_text("elapsed"), &value));
	assert_ok(fields_number(buf_peek(&value), "reached", &ms));
	buf_clear(&value);
	return ms;
}

static void
test_elapsed_time_begins_with_the_machines_clock(void **state)
{
	struct test *t = *state;

	boot(t);
	assert_near(env_elapsed_ms(t->real), env_hsm_ms(t->real));
	assert_near(env_wall_ms(t->real), env_hsm_ms(t->real));
}

static void
test_a_restart_goes_on_to_the_millisecond(void **state)
{
	struct test *t = *state;
	int64_t ahead_ms;

	boot(t);
	/* as if the machine's clock were set back since */
	env_set_ahead_ms(t->real, env_ahead_ms(t->real) + 86400000);
	ahead_ms = env_ahead_ms(t->real);
	boot(t);
	assert_int_equal(env_ahead_ms(t->real), ahead_ms);
	boot(t);
	assert_int_equal(env_ahead_ms(t->real), ahead_ms);
}

static void
test_after_a_boot_it_goes_on_where_the_machines_clock_is(void **state)
{
	struct test *t = *state;

	boot(t);
	clock_free(t->clock);
	t->clock = NULL;
	put_elapsed(t, "another", 1000, env_hsm_ms(t->real) - 86400000);
	boot(t);
	assert_near(env_elapsed_ms(t->real), env_hsm_ms(t->real));
}

static void
test_after_a_boot_it_is_not_behind_what_was_reached(void **state)
{
	struct test *t = *state;
	int64_t before_ms;

	boot(t);
	before_ms = env_hsm_ms(t->real) + INT64_C(365) * 86400000;
	clock_free(t->clock);
	t->clock = NULL;
	put_elapsed(t, "another", 1000, before_ms);
	boot(t);
	assert_true(env_elapsed_ms(t->real) >= before_ms);
	assert_near(env_elapsed_ms(t->real), before_ms);
	/* wall time, which nobody has set, is the machine's all the same */
	assert_near(env_wall_ms(t->real), env_hsm_ms(t->real));
}

/* It is marked before it is reached, and in the end as it is. */
static void
test_what_was_reached_is_marked(void **state)
{
	struct test *t = *state;
	int64_t now_ms;

	boot(t);
	assert_ok(clock_start(t->clock, t->bench.rig.loop));
	now_ms = env_elapsed_ms(t->real);
	assert_near(reached(t), now_ms + 2 * CLOCK_MARK_S * 1000);
	clock_settle(t->clock, true);

	/* the loop's time is the laboratory's, and it marks the machine's */
	env_set_ahead_ms(t->real, env_ahead_ms(t->real) + 86400000);
	rig_move_to(&t->bench.rig, CLOCK_MARK_S * 1000 - 1);
	bench_turn(&t->bench);
	assert_true(reached(t) < now_ms + 86400000);
	rig_move_to(&t->bench.rig, CLOCK_MARK_S * 1000);
	bench_turn(&t->bench);
	now_ms = env_elapsed_ms(t->real);
	assert_near(reached(t), now_ms + 2 * CLOCK_MARK_S * 1000);
	env_set_ahead_ms(t->real, env_ahead_ms(t->real) + 86400000);
	rig_move_to(&t->bench.rig, 2 * CLOCK_MARK_S * 1000);
	bench_turn(&t->bench);
	assert_near(reached(t), now_ms + 86400000 + 2 * CLOCK_MARK_S * 1000);

	now_ms = env_elapsed_ms(t->real);
	clock_free(t->clock);
	t->clock = NULL;
	assert_near(reached(t), now_ms);
}

static void
test_laboratory_time_is_left_alone(void **state)
{
	struct test *t = *state;
	struct buf value;

	assert_ok(clock_start(t->clock, t->bench.rig.loop));
	buf_init(&value, 1024);
	assert_err(record_get(t->bench.appliance.store, "clock",
		       bytes_of_text("elapsed"), &value),
	    ERR_NOT_FOUND);
	buf_clear(&value);
	assert_int_equal(env_elapsed_ms(t->bench.rig.env), 0);
}

static void
test_a_damaged_record_is_an_error(void **state)
{
	struct test *t = *state;
	struct clock *clock;

	assert_ok(record_put(t->bench.appliance.store, "clock",
	    bytes_of_text("wall"), bytes_of_text("\x06offset")));
	assert_err(
	    clock_new(t->bench.appliance.store, t->bench.rig.env, &clock),
	    ERR_STORE);
	assert_null(clock);
}

#define CLOCK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CLOCK_TEST(test_elapsed_time_does_not_move_with_the_wall_clock),
	    CLOCK_TEST(test_a_clock_that_was_set_goes_on_after_a_restart),
	    CLOCK_TEST(test_the_clock_goes_by_what_is_durable),
	    CLOCK_TEST(test_a_change_undone_leaves_the_others_of_its_group),
	    CLOCK_TEST(test_those_who_plan_are_told_of_a_jump),
	    CLOCK_TEST(test_the_next_group_is_told_when_it_is_durable_itself),
	    CLOCK_TEST(test_what_cannot_be_set_is_refused),
	    CLOCK_TEST(test_dates_are_told_in_the_zone),
	    CLOCK_TEST(test_the_second_of_two_hours_is_told_as_the_first),
	    CLOCK_TEST(test_what_is_no_time_is_refused),
	    CLOCK_TEST(test_elapsed_time_begins_with_the_machines_clock),
	    CLOCK_TEST(test_a_restart_goes_on_to_the_millisecond),
	    CLOCK_TEST(
		test_after_a_boot_it_goes_on_where_the_machines_clock_is),
	    CLOCK_TEST(test_after_a_boot_it_is_not_behind_what_was_reached),
	    CLOCK_TEST(test_what_was_reached_is_marked),
	    CLOCK_TEST(test_laboratory_time_is_left_alone),
	    CLOCK_TEST(test_a_damaged_record_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

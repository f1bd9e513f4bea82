#include "device/logs_rig_test.h"

#include "device/log_schedule.h"

static struct shelf shelf;

static int
set_up(void **state)
{
	(void)state;
	shelf_make(&shelf, "2002-04-04 16:01:46");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	shelf_remove(&shelf);
	return 0;
}

static void
zone(const char *name)
{
	struct clock *clock = shelf_appliance(&shelf)->clock;
	char why[CLOCK_WHY_OCTETS];

	assert_ok(clock_keep_zone(clock, bytes_of_text(name), why));
	bench_turn(&shelf.bench);
	clock_settle(clock, true);
}

/*
 * req: KS-20-020 KS-20-022 KS-20-081 KS-20-082 KS-20-083 KS-20-084 KS-20-085
 */
static void
the_next_is_the_first_behind(void **state)
{
	static const struct {
		const char *zone;
		enum logs_schedule schedule;
		const char *time;
		const char *after; /* both in the zone */
		const char *want;
	} cases[] = {
	    {"UTC", LOGS_DAILY, "Default", "2002-04-04 16:01:46",
		"2002-04-05 03:05:00"},
	    {"UTC", LOGS_DAILY, "Default", "2002-04-04 03:04:59",
		"2002-04-04 03:05:00"},
	    {"UTC", LOGS_DAILY, "Default", "2002-04-04 03:05:00",
		"2002-04-05 03:05:00"},
	    {"UTC", LOGS_DAILY, "16:02", "2002-04-04 16:01:46",
		"2002-04-04 16:02:00"},
	    {"UTC", LOGS_DAILY, "00:00", "2002-12-31 00:00:00",
		"2003-01-01 00:00:00"},
	    {"UTC", LOGS_DAILY, "23:59", "2004-02-28 23:59:00",
		"2004-02-29 23:59:00"},
	    /* 7 April 2002 is a Sunday */
	    {"UTC", LOGS_WEEKLY, "Default", "2002-04-04 16:01:46",
		"2002-04-07 03:15:00"},
	    {"UTC", LOGS_WEEKLY, "Default", "2002-04-07 03:14:59",
		"2002-04-07 03:15:00"},
	    {"UTC", LOGS_WEEKLY, "Default", "2002-04-07 03:15:00",
		"2002-04-14 03:15:00"},
	    {"UTC", LOGS_WEEKLY, "14:30", "2002-04-07 03:15:00",
		"2002-04-07 14:30:00"},
	    {"UTC", LOGS_WEEKLY, "Default", "2002-12-30 00:00:00",
		"2003-01-05 03:15:00"},
	    {"UTC", LOGS_MONTHLY, "Default", "2002-04-04 16:01:46",
		"2002-05-01 03:25:00"},
	    {"UTC", LOGS_MONTHLY, "Default", "2002-12-01 03:25:00",
		"2003-01-01 03:25:00"},
	    {"UTC", LOGS_MONTHLY, "Default", "2002-12-01 03:24:59",
		"2002-12-01 03:25:00"},
	    {"UTC", LOGS_MONTHLY, "00:01", "2004-02-01 00:01:00",
		"2004-03-01 00:01:00"},
	    {"UTC", LOGS_MONTHLY, "00:01", "2004-01-01 00:01:00",
		"2004-02-01 00:01:00"},
	    {"America/New_York", LOGS_DAILY, "Default", "2002-06-04 16:01:46",
		"2002-06-05 03:05:00"},
	    /* summer time begins at 2:00, on 31 March 2002: 3:00 */
	    {"Europe/Amsterdam", LOGS_DAILY, "02:30", "2002-03-30 02:30:00",
		"2002-03-31 03:00:00"},
	    {"Europe/Amsterdam", LOGS_DAILY, "02:30", "2002-03-31 03:00:00",
		"2002-04-01 02:30:00"},
	    {"Europe/Amsterdam", LOGS_DAILY, "03:00", "2002-03-30 03:00:00",
		"2002-03-31 03:00:00"},
	    /* and ends at 3:00, on 27 October 2002: 2:00; clock_read has the
	     * first of two */
	    {"Europe/Amsterdam", LOGS_WEEKLY, "02:30", "2002-10-26 12:00:00",
		"2002-10-27 02:30:00"},
	    {"Europe/Amsterdam", LOGS_DAILY, "02:30", "2002-10-27 02:30:00",
		"2002-10-28 02:30:00"},
	};
	const struct clock *clock = shelf_appliance(&shelf)->clock;
	char got[CLOCK_TEXT_OCTETS];
	int64_t after_s;
	int64_t due_s;
	int64_t want_s;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		zone(cases[k].zone);
		assert_ok(
		    clock_read(clock, bytes_of_text(cases[k].after), &after_s));
		assert_ok(
		    clock_read(clock, bytes_of_text(cases[k].want), &want_s));
		due_s = log_schedule_next(
		    clock, cases[k].schedule, cases[k].time, after_s);
		clock_text(clock, due_s, got);
		if (due_s != want_s)
			fail_msg("%s, %s, after %s: expected %s, got %s",
			    cases[k].zone, cases[k].time, cases[k].after,
			    cases[k].want, got);
	}
}

/* The second half past two is no second rotation. */
static void
an_hour_that_comes_twice_is_one(void **state)
{
	const struct clock *clock = shelf_appliance(&shelf)->clock;
	int64_t first_s;

	(void)state;
	zone("Europe/Amsterdam");
	assert_ok(
	    clock_read(clock, bytes_of_text("2002-10-27 02:30:00"), &first_s));
	assert_int_equal(
	    log_schedule_next(clock, LOGS_DAILY, "02:30", first_s + 3600 - 1),
	    first_s + 25 * 3600);
}

static void
a_year_has_as_many_as_the_calendar(void **state)
{
	static const struct {
		enum logs_schedule schedule;
		unsigned want;
	} cases[] = {{LOGS_DAILY, 366}, {LOGS_WEEKLY, 52}, {LOGS_MONTHLY, 12}};
	const struct clock *clock = shelf_appliance(&shelf)->clock;
	size_t k;

	(void)state;
	zone("America/New_York");
	for (k = 0; k < LENGTH(cases); k++) {
		int64_t at_s = utc("2004-01-01 05:00:00");
		unsigned count = 0;

		for (;;) {
			at_s = log_schedule_next(
			    clock, cases[k].schedule, "02:15", at_s);
			if (at_s >= utc("2005-01-01 05:00:00"))
				break;
			assert_true(++count <= 366);
		}
		assert_int_equal(count, cases[k].want);
	}
}

int
main(void)
{
#define LOGS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LOGS_TEST(the_next_is_the_first_behind),
	    LOGS_TEST(an_hour_that_comes_twice_is_one),
	    LOGS_TEST(a_year_has_as_many_as_the_calendar),
	};
#undef LOGS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

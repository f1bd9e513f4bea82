/*
 * When scheduled backups are due.
 */
#include "device/backup_schedule.h"

#include "device/rig_test.h"

#define TEXT(s) bytes_of_text(s)

static struct bench bench;

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(clock_new(
	    bench.appliance.store, bench.rig.env, &bench.appliance.clock));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_free(bench.appliance.clock);
	bench_remove(&bench);
	return 0;
}

static void
in_zone(const char *zone)
{
	char why[CLOCK_WHY_OCTETS];

	assert_ok(clock_keep_zone(bench.appliance.clock, TEXT(zone), why));
	assert_ok(store_commit(bench.appliance.store));
	clock_settle(bench.appliance.clock, true);
}

/* req: KS-23-047 ESKM-247 ESKM-248 ESKM-249 ESKM-250 ESKM-254 */
static void
test_when_it_is_due(void **state)
{
	static const struct {
		const char *name;
		const char *zone;
		enum backup_every every;
		unsigned weekday, day, ordinal, hour, minute;
		const char *after;
		const char *want; /* NULL: never */
	} cases[] = {
	    {"saved only", "UTC", EVERY_NONE, 0, 1, 1, 0, 0,
		"2026-01-05 10:00:00", NULL},
	    {"later today", "UTC", EVERY_DAY, 0, 1, 1, 13, 30,
		"2026-01-05 13:29:59", "2026-01-05 13:30:00"},
	    {"not twice", "UTC", EVERY_DAY, 0, 1, 1, 13, 30,
		"2026-01-05 13:30:00", "2026-01-06 13:30:00"},
	    {"over the year", "UTC", EVERY_DAY, 0, 1, 1, 0, 0,
		"2026-12-31 00:00:00", "2027-01-01 00:00:00"},
	    {"Tuesday, on Monday", "UTC", EVERY_WEEK, 1, 1, 1, 2, 0,
		"2026-01-05 10:00:00", "2026-01-06 02:00:00"},
	    {"Tuesday, on Tuesday", "UTC", EVERY_WEEK, 1, 1, 1, 2, 0,
		"2026-01-06 02:00:00", "2026-01-13 02:00:00"},
	    {"the first", "UTC", EVERY_MONTH, 0, 1, 1, 0, 0,
		"2026-01-05 10:00:00", "2026-02-01 00:00:00"},
	    {"the 31st, in February", "UTC", EVERY_MONTH, 0, 31, 1, 0, 0,
		"2026-02-01 00:00:00", "2026-02-28 00:00:00"},
	    {"the 29th, in a leap year", "UTC", EVERY_MONTH, 0, 29, 1, 0, 0,
		"2028-02-01 00:00:00", "2028-02-29 00:00:00"},
	    {"the 31st, in March", "UTC", EVERY_MONTH, 0, 31, 1, 0, 0,
		"2026-02-28 00:00:00", "2026-03-31 00:00:00"},
	    {"first Sunday", "UTC", EVERY_ORDINAL, 6, 1, 1, 0, 0,
		"2026-01-05 10:00:00", "2026-02-01 00:00:00"},
	    {"third Wednesday", "UTC", EVERY_ORDINAL, 2, 1, 3, 4, 5,
		"2026-01-05 10:00:00", "2026-01-21 04:05:00"},
	    {"last Friday", "UTC", EVERY_ORDINAL, 4, 1, ORDINAL_LAST, 0, 0,
		"2026-01-05 10:00:00", "2026-01-30 00:00:00"},
	    {"last Saturday, the last day", "UTC", EVERY_ORDINAL, 5, 1,
		ORDINAL_LAST, 0, 0, "2026-01-05 10:00:00",
		"2026-01-31 00:00:00"},
	    {"last Sunday, of 28 days", "UTC", EVERY_ORDINAL, 6, 1,
		ORDINAL_LAST, 0, 0, "2026-02-01 00:00:00",
		"2026-02-22 00:00:00"},
	    {"by the device's own time", "Europe/Amsterdam", EVERY_DAY, 0, 1, 1,
		2, 0, "2026-07-01 12:00:00", "2026-07-02 02:00:00"},
	    /* 2:30 does not come on 2026-03-29 */
	    {"a time that is passed over", "Europe/Amsterdam", EVERY_DAY, 0, 1,
		1, 2, 30, "2026-03-28 12:00:00", "2026-03-29 03:00:00"},
	    {"... and the day after", "Europe/Amsterdam", EVERY_DAY, 0, 1, 1, 2,
		30, "2026-03-29 03:00:00", "2026-03-30 02:30:00"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct backup_schedule s;
		char got[CLOCK_TEXT_OCTETS];
		int64_t after_s;
		int64_t next_s;

		in_zone(cases[k].zone);
		backup_schedule_init(&s);
		s.every = cases[k].every;
		s.weekday = cases[k].weekday;
		s.day = cases[k].day;
		s.ordinal = cases[k].ordinal;
		s.hour = cases[k].hour;
		s.minute = cases[k].minute;
		assert_ok(clock_read(
		    bench.appliance.clock, TEXT(cases[k].after), &after_s));
		next_s =
		    backup_schedule_next(bench.appliance.clock, &s, after_s);
		backup_schedule_clear(&s);
		if (cases[k].want == NULL) {
			assert_int_equal(next_s, INT64_MAX);
			continue;
		}
		clock_text(bench.appliance.clock, next_s, got);
		if (strcmp(got, cases[k].want) != 0)
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    cases[k].want, got);
	}
}

static enum err
count_one(void *ctx, const struct backup_schedule *schedule)
{
	unsigned *count = ctx;

	(void)schedule;
	++*count;
	return OK;
}

static void
test_it_is_kept_as_it_was(void **state)
{
	struct store *st = bench.appliance.store;
	struct backup_schedule s;
	struct backup_schedule back;
	unsigned count = 0;

	(void)state;
	backup_schedule_init(&s);
	(void)strcpy(s.name, "nightly");
	(void)strcpy(s.description, "every night");
	(void)strcpy(s.place.host, "backup.example");
	(void)strcpy(s.place.directory, "/var/backup");
	(void)strcpy(s.place.user, "device");
	(void)strcpy(s.status, "Success");
	s.place.protocol = TRANSFER_SCP;
	s.place.port = 2222;
	s.destination = BACKUP_SENT;
	s.every = EVERY_ORDINAL;
	s.weekday = 3;
	s.ordinal = ORDINAL_LAST;
	s.hour = 23;
	s.minute = 59;
	s.last_s = 7;
	s.selection.items[ITEM_KEYS] = true;
	assert_ok(backup_choose(&s.selection.keys, TEXT("k1")));
	assert_ok(backup_schedule_write(st, &s));
	assert_ok(backup_schedule_read(st, TEXT("nightly"), &back));
	assert_string_equal(back.name, s.name);
	assert_string_equal(back.description, s.description);
	assert_string_equal(back.place.host, s.place.host);
	assert_string_equal(back.place.directory, s.place.directory);
	assert_string_equal(back.place.user, s.place.user);
	assert_string_equal(back.status, s.status);
	assert_int_equal(back.place.port, 2222);
	assert_int_equal(back.destination, BACKUP_SENT);
	assert_int_equal(back.every, EVERY_ORDINAL);
	assert_int_equal(back.weekday, 3);
	assert_int_equal(back.ordinal, ORDINAL_LAST);
	assert_int_equal(back.hour, 23);
	assert_int_equal(back.minute, 59);
	assert_int_equal(back.last_s, 7);
	assert_true(backup_choice_has(&back.selection.keys, TEXT("k1")));
	assert_false(backup_choice_has(&back.selection.keys, TEXT("k2")));
	backup_schedule_clear(&back);
	(void)strcpy(s.name, "weekly");
	assert_ok(backup_schedule_write(st, &s));
	assert_ok(backup_schedule_each(st, count_one, &count));
	assert_int_equal(count, 2);
	assert_ok(backup_schedule_delete_all(st));
	assert_err(
	    backup_schedule_read(st, TEXT("weekly"), &back), ERR_NOT_FOUND);
	backup_schedule_clear(&s);
}

int
main(void)
{
#define SCHEDULE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    SCHEDULE_TEST(test_when_it_is_due),
	    SCHEDULE_TEST(test_it_is_kept_as_it_was),
	};
#undef SCHEDULE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

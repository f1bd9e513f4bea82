/*
 * Rotations as time goes by: a year of it, its clock set, a disk that is full.
 */
#include "device/logs_rig_test.h"

#include <time.h>

static struct shelf shelf;
#define APPLIANCE shelf_appliance(&shelf)

static int
set_up(void **state)
{
	(void)state;
	/* a Tuesday */
	shelf_make(&shelf, "2002-01-01 00:00:00");
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
turn(void)
{
	bench_turn(&shelf.bench);
}

static unsigned
count(const char *text, const char *what)
{
	unsigned found = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		found++;
	return found;
}

static unsigned
archives(enum log_type type)
{
	return count(shelf_names(&shelf, type), " ");
}

static void
assert_names(enum log_type type, const char *want)
{
	assert_string_equal(shelf_names(&shelf, type), want);
}

/* ---- a year ---- */

/* One line at noon of each day; what an archive has to have follows from the
 * days that it is of. */
struct plan {
	enum log_type type;
	const char *schedule;
	const char *time; /* as set */
	const char *at;   /* as it is, in names */
	unsigned archives;
	unsigned want; /* rotations in the year */
};

static const struct plan plans[] = {
    {LOG_SYSTEM, "Weekly", "Default", "031500", 64, 52},
    {LOG_AUDIT, "Monthly", "Default", "032500", 64, 12},
    {LOG_ACTIVITY, "Daily", "Default", "030500", 64, 365},
    {LOG_CLIENT_EVENT, "Daily", "23:59", "235900", 6, 365},
    {LOG_KMIP_AGENT, "Weekly", "14:30", "143000", 0, 52},
};

struct told {
	unsigned rotated[LOG_TYPE_COUNT];
	unsigned displaced[LOG_TYPE_COUNT];
	const struct plan *plan;
	char last[LOG_TYPE_COUNT][LOGS_STAMP_OCTETS];
	int64_t days[LOG_TYPE_COUNT]; /* with a line in some archive */
};

static bool
is_day(const struct plan *plan, const char *day)
{
	struct tm tm = {0};

	assert_int_equal(
	    sscanf(day, "%d-%d-%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday), 3);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	(void)timegm(&tm);
	return *plan->schedule == 'D' ||
	       (*plan->schedule == 'W' && tm.tm_wday == 0) ||
	       (*plan->schedule == 'M' && tm.tm_mday == 1);
}

/* The archive's own lines: "noon of day N", N without a gap. */
static void
check_content(struct told *told, const struct logs_file *file)
{
	const char *text = shelf_read(&shelf, file->type, file->serial);
	const char *line;
	bool first = true;

	assert_int_equal(strlen(text), file->octets);
	for (line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		long long day = 0;

		/* the rotation before this one */
		if (strstr(line, "Log Rotation: Successfully rotated") ==
			strstr(line, "Log Rotation:") &&
		    strstr(line, "Log Rotation:") != NULL &&
		    strstr(line, "Log Rotation:") < strchr(line, '\n')) {
			assert_true(first);
			first = false;
			continue;
		}
		first = false;
		line = strstr(line, "noon of day ");
		assert_non_null(line);
		assert_int_equal(sscanf(line, "noon of day %lld", &day), 1);
		assert_int_equal(day, told->days[file->type]);
		told->days[file->type]++;
	}
}

static void
rotated(void *ctx, const struct logs_file *file)
{
	struct told *told = ctx;
	const struct plan *plan = &plans[file->type];

	told->rotated[file->type]++;
	assert_int_equal(file->number, 1);
	assert_string_equal(file->name + 11, plan->at);
	assert_true(is_day(plan, file->name));
	assert_true(strcmp(told->last[file->type], file->name) < 0);
	(void)strcpy(told->last[file->type], file->name);
	check_content(told, file);
}

static bool
displaced(void *ctx, const struct logs_file *file)
{
	struct told *told = ctx;

	told->displaced[file->type]++;
	assert_int_equal(file->number, plans[file->type].archives + 1);
	return false;
}

/*
 * req: KS-20-017 KS-20-019 KS-20-020 KS-20-022 KS-20-023 KS-20-027 KS-20-030
 * req: KS-20-087 ESKM-207 ESKM-208 ESKM-209
 */
static void
a_year_goes_by(void **state)
{
	struct told told = {0};
	struct logs_watch watch = {
	    .rotated = rotated, .displaced = displaced, .ctx = &told};
	char text[64];
	unsigned k;
	int64_t day;

	(void)state;
	logs_watch(APPLIANCE, &watch);
	for (k = 0; k < LENGTH(plans); k++) {
		assert_int_equal(plans[k].type, k);
		shelf_set(&shelf, k, LOGS_SCHEDULE, plans[k].schedule);
		shelf_set(&shelf, k, LOGS_TIME, plans[k].time);
		(void)snprintf(text, sizeof(text), "%u", plans[k].archives);
		shelf_set(&shelf, k, LOGS_ARCHIVES, text);
	}
	for (day = 0; day < 365; day++) {
		shelf_run_to(&shelf, utc("2002-01-01 12:00:00") + day * DAY_S);
		(void)snprintf(
		    text, sizeof(text), "noon of day %lld", (long long)day);
		for (k = 0; k < LOG_TYPE_COUNT; k++)
			shelf_add(&shelf, k, text);
		turn();
	}
	shelf_run_to(&shelf, utc("2003-01-01 00:00:00"));
	for (k = 0; k < LENGTH(plans); k++) {
		const struct plan *plan = &plans[k];
		unsigned stay =
		    plan->want < plan->archives ? plan->want : plan->archives;

		if (told.rotated[k] != plan->want)
			fail_msg("%s: expected %u rotations, got %u",
			    log_row(k)->title, plan->want, told.rotated[k]);
		assert_int_equal(archives(k), stay);
		assert_int_equal(told.displaced[k], plan->want - stay);
	}
	/* every line is in an archive, or still in Current */
	assert_int_equal(told.days[LOG_CLIENT_EVENT], 365);
	assert_int_equal(told.days[LOG_ACTIVITY], 364);
	assert_int_equal(count(shelf_read(&shelf, LOG_ACTIVITY, 0), "\n"), 2);
	assert_int_equal(count(shelf_read(&shelf, LOG_AUDIT, 0), "noon"),
	    365 - told.days[LOG_AUDIT]);
}

/* ---- the clock is set ---- */

static void
set_clock(const char *to)
{
	struct clock *clock = APPLIANCE->clock;
	char why[CLOCK_WHY_OCTETS];

	assert_ok(clock_keep(clock, utc(to), why));
	turn();
	clock_settle(clock, true);
	turn();
}

/* req: KS-07-015 */
static void
what_the_clock_is_set_over_does_not_happen(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_TIME, "02:00");
	shelf_run_to(&shelf, utc("2002-01-01 01:00:00"));
	set_clock("2002-01-01 03:00:00");
	shelf_run(&shelf, 60);
	assert_names(LOG_ACTIVITY, "Current");
	/* the next day's does */
	shelf_run_to(&shelf, utc("2002-01-02 02:00:00"));
	assert_names(LOG_ACTIVITY, "Current 2002-01-02_020000");
	/* a week at once */
	set_clock("2002-01-09 02:00:01");
	shelf_run(&shelf, 60);
	assert_int_equal(archives(LOG_ACTIVITY), 1);
	assert_int_equal(archives(LOG_SYSTEM), 0);
}

/* req: KS-07-017 */
static void
what_the_clock_is_set_back_before_comes_again(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_TIME, "02:00");
	shelf_run_to(&shelf, utc("2002-01-01 02:00:10"));
	assert_names(LOG_ACTIVITY, "Current 2002-01-01_020000");
	shelf_add(&shelf, LOG_ACTIVITY, "between");
	set_clock("2002-01-01 01:00:00");
	shelf_run_to(&shelf, utc("2002-01-01 01:59:59"));
	assert_int_equal(archives(LOG_ACTIVITY), 1);
	shelf_run(&shelf, 2);
	/* the newest is the last, whatever the clock said */
	assert_names(
	    LOG_ACTIVITY, "Current 2002-01-01_020001 2002-01-01_020000");
	assert_int_equal(
	    count(shelf_read(&shelf, LOG_ACTIVITY, 2), "between"), 1);
	/* names go by the clock, not by those that were */
	set_clock("2001-12-31 12:00:00");
	assert_ok(logs_rotate(shelf_appliance(&shelf), LOG_ACTIVITY));
	assert_names(LOG_ACTIVITY, "Current 2001-12-31_120000 "
				   "2002-01-01_020001 2002-01-01_020000");
}

static void
a_rotation_keeps_to_the_zone(void **state)
{
	struct clock *clock = APPLIANCE->clock;
	char why[CLOCK_WHY_OCTETS];

	(void)state;
	assert_ok(
	    clock_keep_zone(clock, bytes_of_text("America/New_York"), why));
	turn();
	clock_settle(clock, true);
	shelf_run_to(&shelf, utc("2002-01-01 08:04:59"));
	assert_names(LOG_ACTIVITY, "Current");
	shelf_run(&shelf, 1);
	assert_names(LOG_ACTIVITY, "Current 2002-01-01_030500");
}

static void
a_schedule_that_is_changed_is_followed(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_SCHEDULE, "Monthly");
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_TIME, "01:00");
	shelf_run(&shelf, 20 * (int64_t)DAY_S);
	assert_int_equal(archives(LOG_ACTIVITY), 1);
	assert_int_equal(archives(LOG_CLIENT_EVENT), 12); /* the default */
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_SCHEDULE, "Weekly");
	shelf_run_to(&shelf, utc("2002-01-27 01:00:00"));
	assert_int_equal(archives(LOG_ACTIVITY), 2);
}

/* What was due while it was off is not made up for, as with a clock that is
 * set over it; what is due next happens. */
static void
a_restart_goes_on_with_the_schedule(void **state)
{
	(void)state;
	shelf_add(&shelf, LOG_ACTIVITY, "before");
	shelf_run_to(&shelf, utc("2002-01-02 00:00:00"));
	shelf_close(&shelf);
	rig_move_to(&shelf.bench.rig,
	    shelf.bench.rig.clock->elapsed_ms + 26 * 3600 * 1000);
	shelf_open(&shelf);
	assert_names(LOG_ACTIVITY, "Current 2002-01-01_030500");
	shelf_run_to(&shelf, utc("2002-01-04 00:00:00"));
	assert_names(
	    LOG_ACTIVITY, "Current 2002-01-03_030500 2002-01-01_030500");
}

/* ---- sizes ---- */

static void
add_kilobytes(enum log_type type, unsigned kilobytes)
{
	static char line[1025];

	memset(line, 'x', 1023);
	for (; kilobytes > 0; kilobytes--)
		shelf_add(&shelf, type, line);
}

/* req: KS-20-021 KS-20-024 KS-20-025 KS-20-089 KS-20-090 */
static void
a_file_that_is_full_is_rotated(void **state)
{
	char *text;
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_SCHEDULE, "Monthly");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_SIZE_MB, "1");
	add_kilobytes(LOG_SYSTEM, 1024);
	turn();
	assert_names(LOG_SYSTEM, "Current");
	shelf_add(&shelf, LOG_SYSTEM, "one more");
	turn();
	assert_names(LOG_SYSTEM, "Current 2002-01-01_000000");
	text = strdup(shelf_read(&shelf, LOG_SYSTEM, 0));
	assert_non_null(strstr(text, "rotated System Log.\none more\n"));
	free(text);
	/* it grows to the limit and no octet further, however much comes */
	for (k = 0; k < 3; k++) {
		shelf_run(&shelf, 1);
		add_kilobytes(LOG_SYSTEM, 1000);
		turn();
	}
	assert_int_equal(archives(LOG_SYSTEM), 3);
	/* and the schedule stays what it is */
	shelf_run_to(&shelf, utc("2002-01-31 00:00:00"));
	assert_int_equal(archives(LOG_SYSTEM), 4);
	shelf_run_to(&shelf, utc("2002-02-01 03:25:00"));
	assert_int_equal(archives(LOG_SYSTEM), 5);
}

static enum err
not_beyond(void *ctx, const struct logs_file *file)
{
	(void)ctx;
	assert_true(file->octets <= LOGS_MB_OCTETS);
	if (file->serial != 0)
		assert_true(file->octets > LOGS_MB_OCTETS - 2 * 1024);
	return OK;
}

static void
no_file_is_beyond_its_limit(void **state)
{
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_SIZE_MB, "1");
	for (k = 0; k < 10; k++) {
		add_kilobytes(LOG_ACTIVITY, 512);
		turn();
	}
	assert_int_equal(archives(LOG_ACTIVITY), 5);
	assert_ok(logs_files(APPLIANCE, LOG_ACTIVITY, not_beyond, NULL));
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_SIZE_MB, "None");
	add_kilobytes(LOG_ACTIVITY, 3000);
	turn();
	assert_int_equal(archives(LOG_ACTIVITY), 5);
}

/* ---- archives ---- */

static bool
wanted(void *ctx, const struct logs_file *file)
{
	char *names = ctx;

	if (*names != '\0')
		(void)strcat(names, " ");
	(void)strcat(names, file->name);
	return true;
}

static enum err
out_name(void *ctx, const struct logs_file *file)
{
	assert_true(file->is_out);
	return shelf_name(ctx, file);
}

static const char *
names_out(void)
{
	static char names[1024];

	*names = '\0';
	assert_ok(logs_files_out(APPLIANCE, LOG_SYSTEM, out_name, names));
	return names;
}

/* req: KS-20-028 */
static void
one_that_still_has_to_be_sent_is_out(void **state)
{
	char names[256] = "";
	struct logs_watch watch = {.displaced = wanted, .ctx = names};
	unsigned k;

	(void)state;
	logs_watch(APPLIANCE, &watch);
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "2");
	for (k = 0; k < 4; k++) {
		char line[8];

		(void)snprintf(line, sizeof(line), "%u", k + 1);
		shelf_add(&shelf, LOG_SYSTEM, line);
		assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
		shelf_run(&shelf, 1);
	}
	assert_names(LOG_SYSTEM, "Current 2002-01-01_000003 2002-01-01_000002");
	assert_string_equal(names, "2002-01-01_000000 2002-01-01_000001");
	assert_string_equal(names_out(), names);
	assert_string_equal(shelf_read(&shelf, LOG_SYSTEM, 1), "1\n");
	/* it is still so after a restart, and ends when it is sent */
	shelf_close(&shelf);
	shelf_open(&shelf);
	assert_string_equal(names_out(), names);
	logs_release(APPLIANCE, LOG_SYSTEM, 1);
	logs_release(APPLIANCE, LOG_SYSTEM, 3); /* which is not out */
	assert_string_equal(names_out(), "2002-01-01_000001");
	assert_names(LOG_SYSTEM, "Current 2002-01-01_000003 2002-01-01_000002");
	assert_err(logs_clear(APPLIANCE, LOG_SYSTEM, 2), ERR_NOT_FOUND);
}

/* req: KS-20-018 KS-20-026 KS-20-027 KS-20-030 KS-20-031 KS-20-087 ESKM-209 */
static void
the_oldest_go_when_there_are_too_many(void **state)
{
	struct logs_file file;
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "3");
	for (k = 0; k < 4; k++) {
		assert_int_equal(archives(LOG_SYSTEM), k);
		assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
		shelf_run(&shelf, 1);
	}
	assert_names(LOG_SYSTEM, "Current 2002-01-01_000003 "
				 "2002-01-01_000002 2002-01-01_000001");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	assert_names(LOG_SYSTEM, "Current 2002-01-01_000003");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "0");
	assert_names(LOG_SYSTEM, "Current");
	shelf_add(&shelf, LOG_SYSTEM, "gone");
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_names(LOG_SYSTEM, "Current");
	assert_int_equal(count(shelf_read(&shelf, LOG_SYSTEM, 0), "gone"), 0);
	/* rotations are counted on, whatever has gone */
	for (k = 0; k < 2; k++) {
		shelf_close(&shelf);
		shelf_open(&shelf);
		assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	}
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_ok(logs_find(APPLIANCE, LOG_SYSTEM, bytes_of_text("1"), &file));
	assert_int_equal(file.serial, 8);
}

/* ---- the disk ---- */

static char traps[512];

static void
raised(void *ctx, enum trap trap, const char *text)
{
	(void)ctx;
	assert_int_equal(trap, TRAP_LOG);
	(void)strcat(traps, text);
	(void)strcat(traps, ";");
}

static void
a_full_disk_costs_its_lines_and_an_alarm(void **state)
{
	struct trap_watch watch = {.raised = raised};
	unsigned k;

	(void)state;
	*traps = '\0';
	appliance_watch_traps(APPLIANCE, &watch);
	shelf_add(&shelf, LOG_ACTIVITY, "one");
	turn();
	vfs_disk_full(0);
	for (k = 0; k < 5; k++) {
		shelf_add(&shelf, LOG_ACTIVITY, "two");
		shelf_add(&shelf, LOG_ACTIVITY, "three");
		turn();
	}
	assert_err(logs_rotate(APPLIANCE, LOG_ACTIVITY), ERR_DISK_FULL);
	/* the second is of the line that tells of the first */
	assert_int_equal(
	    count(traps, "The Activity Log cannot be written: "), 1);
	assert_int_equal(count(traps, "The System Log cannot be written: "), 1);
	assert_int_equal(count(traps, ";"), 2);
	vfs_disk_full(UINT64_MAX);
	shelf_add(&shelf, LOG_ACTIVITY, "four");
	turn();
	turn();
	assert_string_equal(shelf_read(&shelf, LOG_ACTIVITY, 0), "one\nfour\n");
	assert_int_equal(count(shelf_read(&shelf, LOG_SYSTEM, 0),
			     "2002-01-01 00:00:00 touchstone Log: The Activity "
			     "Log can be written again; lines lost: 10\n"),
	    1);
	assert_int_equal(
	    count(shelf_read(&shelf, LOG_SYSTEM, 0),
		"System Log can be written again; lines lost: 2\n"),
	    1);
	/* and once more */
	vfs_fail_io(1, false);
	shelf_add(&shelf, LOG_ACTIVITY, "five");
	turn();
	assert_int_equal(count(traps, ";"), 3);
}

/* Lines are written once in a turn, whatever comes of it, and a file that is at
 * its limit is rotated once in a second: events, not time. */
static void
a_disk_that_fails_is_not_asked_often(void **state)
{
	enum { TURNS = 50, ALARMS_MOST = 8 };
	struct vfs_stats before, after;
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_SIZE_MB, "1");
	add_kilobytes(LOG_ACTIVITY, 1024);
	turn();
	vfs_fail_io(1, true);
	vfs_stats(&before);
	for (k = 0; k < TURNS; k++) {
		shelf_add(&shelf, LOG_ACTIVITY, "lost");
		turn();
	}
	vfs_stats(&after);
	assert_in_range(
	    after.faults - before.faults, TURNS, TURNS + ALARMS_MOST);
	vfs_fail_io(0, false);
	shelf_add(&shelf, LOG_ACTIVITY, "beyond the limit");
	turn();
	assert_int_equal(archives(LOG_ACTIVITY), 0);
	shelf_run(&shelf, 1);
	shelf_add(&shelf, LOG_ACTIVITY, "in the next");
	turn();
	assert_int_equal(archives(LOG_ACTIVITY), 1);
	assert_int_equal(
	    count(shelf_read(&shelf, LOG_ACTIVITY, 1), "\n"), 1025);
	assert_int_equal(
	    count(shelf_read(&shelf, LOG_ACTIVITY, 0), "in the next\n"), 1);
}

/* A rotation that cannot be is tried again, and what is there stays. */
static void
a_rotation_that_the_disk_refuses_is_tried_again(void **state)
{
	(void)state;
	shelf_add(&shelf, LOG_ACTIVITY, "one");
	shelf_run_to(&shelf, utc("2002-01-01 03:04:59"));
	vfs_disk_full(0);
	shelf_run_to(&shelf, utc("2002-01-01 03:05:01"));
	assert_names(LOG_ACTIVITY, "Current");
	assert_string_equal(shelf_read(&shelf, LOG_ACTIVITY, 0), "one\n");
	vfs_disk_full(UINT64_MAX);
	shelf_run_to(&shelf, utc("2002-01-01 03:06:00"));
	assert_names(LOG_ACTIVITY, "Current 2002-01-01_030600");
	shelf_run_to(&shelf, utc("2002-01-02 03:05:00"));
	assert_int_equal(archives(LOG_ACTIVITY), 2);
}

/* A folder that is not to be had at the start is had as soon as it is there. */
static void
a_folder_may_come_later(void **state)
{
	char path[400];
	int fd;

	(void)state;
	shelf_close(&shelf);
	bench_dir_remove(shelf.logs_dir);
	fd = open(shelf.logs_dir, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	shelf_open(&shelf);
	shelf_add(&shelf, LOG_ACTIVITY, "lost");
	turn();
	assert_names(LOG_ACTIVITY, "Current");
	assert_int_equal(remove(shelf.logs_dir), 0);
	assert_int_equal(mkdir(shelf.logs_dir, 0700), 0);
	shelf_run(&shelf, 2);
	shelf_add(&shelf, LOG_ACTIVITY, "kept");
	turn();
	assert_string_equal(shelf_read(&shelf, LOG_ACTIVITY, 0), "kept\n");
	(void)snprintf(
	    path, sizeof(path), "%s/activity/current", shelf.logs_dir);
	assert_int_equal(access(path, F_OK), 0);
}

int
main(void)
{
#define LOGS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LOGS_TEST(a_year_goes_by),
	    LOGS_TEST(what_the_clock_is_set_over_does_not_happen),
	    LOGS_TEST(what_the_clock_is_set_back_before_comes_again),
	    LOGS_TEST(a_rotation_keeps_to_the_zone),
	    LOGS_TEST(a_schedule_that_is_changed_is_followed),
	    LOGS_TEST(a_restart_goes_on_with_the_schedule),
	    LOGS_TEST(a_file_that_is_full_is_rotated),
	    LOGS_TEST(no_file_is_beyond_its_limit),
	    LOGS_TEST(one_that_still_has_to_be_sent_is_out),
	    LOGS_TEST(the_oldest_go_when_there_are_too_many),
	    LOGS_TEST(a_full_disk_costs_its_lines_and_an_alarm),
	    LOGS_TEST(a_disk_that_fails_is_not_asked_often),
	    LOGS_TEST(a_rotation_that_the_disk_refuses_is_tried_again),
	    LOGS_TEST(a_folder_may_come_later),
	};
#undef LOGS_TEST

	/* a year has thousands of syncs: where there is one, a disk that is
	 * memory */
	child_dirs_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

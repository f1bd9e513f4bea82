#include "device/logs_rig_test.h"

#include "device/log_folder.h"
#include "device/log_schedule.h"

static struct shelf shelf;
#define APPLIANCE shelf_appliance(&shelf)

static int
set_up(void **state)
{
	(void)state;
	/* a Thursday */
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
turn(void)
{
	bench_turn(&shelf.bench);
}

static void
assert_text(enum log_type type, uint64_t serial, const char *want)
{
	assert_string_equal(shelf_read(&shelf, type, serial), want);
}

#define ROTATED(when, title) \
	when " touchstone Log Rotation: Successfully rotated " title " Log.\n"

/* ---- rows ---- */

static void
each_log_has_a_row_and_settings_of_its_own(void **state)
{
	enum log_type type;
	enum log_type t;
	enum logs_field f;
	unsigned k;

	(void)state;
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		assert_ok(log_find(bytes_of_text(log_row(k)->word), &type));
		assert_int_equal(type, k);
		assert_int_not_equal(strlen(log_row(k)->clause), 0);
	}
	assert_err(log_find(bytes_of_text("syste"), &type), ERR_NOT_FOUND);
	for (k = 0; k < LOG_TYPE_COUNT * LOGS_FIELD_COUNT; k++) {
		enum log_type own = k / LOGS_FIELD_COUNT;
		enum logs_field field = k % LOGS_FIELD_COUNT;

		assert_true(logs_setting_of(logs_setting(own, field), &t, &f));
		assert_int_equal(t, own);
		assert_int_equal(f, field);
	}
	assert_false(logs_setting_of(SETTING_HOST_NAME, &t, &f));
}

/* req: ESKM-202 ESKM-203 ESKM-204 ESKM-205 KS-20-048 KS-20-088 KS-AA-045 */
static void
a_new_device_has_the_defaults(void **state)
{
	static const enum logs_schedule schedules[] = {
	    [LOG_SYSTEM] = LOGS_WEEKLY,
	    [LOG_AUDIT] = LOGS_WEEKLY,
	    [LOG_ACTIVITY] = LOGS_DAILY,
	    [LOG_CLIENT_EVENT] = LOGS_DAILY,
	    [LOG_KMIP_AGENT] = LOGS_WEEKLY,
	};
	const struct settings *settings = APPLIANCE->settings;
	char why[SETTING_WHY_OCTETS];
	char kept[SETTING_VALUE_OCTETS];
	unsigned k;

	(void)state;
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		enum setting archives = logs_setting(k, LOGS_ARCHIVES);

		assert_int_equal(
		    setting_number(settings, logs_setting(k, LOGS_SCHEDULE)),
		    schedules[k]);
		assert_string_equal(
		    setting_shown(settings, logs_setting(k, LOGS_FACILITY)),
		    "local1");
		assert_int_equal(
		    setting_number(settings, logs_setting(k, LOGS_PORT_1)),
		    514);
		assert_int_equal(
		    setting_number(settings, logs_setting(k, LOGS_PROTOCOL_1)),
		    LOGS_UDP);
		assert_ok(
		    setting_check(archives, bytes_of_text("0"), kept, why));
		assert_ok(
		    setting_check(archives, bytes_of_text("64"), kept, why));
		assert_err(
		    setting_check(archives, bytes_of_text("65"), kept, why),
		    ERR_FIELD);
		assert_err(
		    setting_check(archives, bytes_of_text("-1"), kept, why),
		    ERR_FIELD);
	}
}

/* ---- names of files ---- */

static void
a_name_is_read_as_it_is_written(void **state)
{
	static const struct {
		const char *name;
		enum log_name kind;
		uint64_t serial;
	} names[] = {
	    {"00000001.2002-04-04_160146", LOG_NAME_ARCHIVE, 1},
	    {"12345678.2002-04-04_160146.out", LOG_NAME_OUT, 12345678},
	    {"123456789.2002-04-04_160146.part", LOG_NAME_PART, 123456789},
	    {"00000007.2002-04-04_160146.last", LOG_NAME_LAST, 7},
	    {"0000001.2002-04-04_160146", LOG_NAME_OTHER, 0},
	    {"000000001.2002-04-04_160146", LOG_NAME_OTHER, 0},
	    {"00000000.2002-04-04_160146", LOG_NAME_OTHER, 0},
	    {"1234567890123456789.2002-04-04_160146", LOG_NAME_OTHER, 0},
	    {"00000001.2002-04-04_16014", LOG_NAME_OTHER, 0},
	    {"00000001.2002-04-04 160146", LOG_NAME_OTHER, 0},
	    {"00000001-2002-04-04_160146", LOG_NAME_OTHER, 0},
	    {"00000001.2002-04-04_160146.", LOG_NAME_OTHER, 0},
	    {"00000001.2002-04-04_160146.ou", LOG_NAME_OTHER, 0},
	    {"00000001.2002-04-04_160146.outs", LOG_NAME_OTHER, 0},
	    {"current", LOG_NAME_OTHER, 0},
	    {"", LOG_NAME_OTHER, 0},
	};
	struct log_archive archive;
	char again[LOG_NAME_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		log_name_read(names[k].name, &archive);
		if (archive.kind != names[k].kind)
			fail_msg("%s", names[k].name);
		if (names[k].kind == LOG_NAME_OTHER)
			continue;
		assert_int_equal(archive.serial, names[k].serial);
		log_name_write(&archive, again);
		assert_string_equal(again, names[k].name);
	}
}

/* ---- lines ---- */

/* req: KS-20-016 */
static void
lines_are_in_current(void **state)
{
	char path[400];
	struct stat st;

	(void)state;
	(void)snprintf(
	    path, sizeof(path), "%s/activity/current", shelf.logs_dir);
	assert_string_equal(shelf_names(&shelf, LOG_ACTIVITY), "Current");
	shelf_add(&shelf, LOG_ACTIVITY, "one");
	shelf_add(&shelf, LOG_ACTIVITY, "two");
	shelf_add(&shelf, LOG_SYSTEM, "another's");
	/* nobody has to ask for them */
	turn();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, strlen("one\ntwo\n"));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_text(LOG_ACTIVITY, 0, "one\ntwo\n");
	assert_text(LOG_SYSTEM, 0, "another's\n");
	/* those that wait in this turn are seen, too */
	shelf_add(&shelf, LOG_ACTIVITY, "three");
	assert_text(LOG_ACTIVITY, 0, "one\ntwo\nthree\n");
}

static void
a_line_is_one_line(void **state)
{
	static char longer[LOGS_LINE_MAX_OCTETS + 2];
	static char want[LOGS_LINE_MAX_OCTETS + 3];

	(void)state;
	shelf_add(&shelf, LOG_CLIENT_EVENT, "a\nb\x1b[1m\tc\x7f d\xc3\xa9");
	assert_text(LOG_CLIENT_EVENT, 0, "a?b?[1m?c? d\xc3\xa9\n");
	memset(longer, 'x', LOGS_LINE_MAX_OCTETS);
	shelf_add(&shelf, LOG_KMIP_AGENT, longer);
	(void)snprintf(want, sizeof(want), "%s\n", longer);
	assert_text(LOG_KMIP_AGENT, 0, want);
	longer[LOGS_LINE_MAX_OCTETS] = 'x';
	assert_ok(logs_clear(APPLIANCE, LOG_KMIP_AGENT, 0));
	shelf_add(&shelf, LOG_KMIP_AGENT, longer);
	memcpy(want + LOGS_LINE_MAX_OCTETS - 4, "\\...\n", 6);
	assert_text(LOG_KMIP_AGENT, 0, want);
}

/* req: KS-20-062 */
static void
a_system_line_says_when_where_and_what(void **state)
{
	(void)state;
	logs_add_system(
	    APPLIANCE, "Key Server", "Starting %s\n[x]", "Key Server");
	assert_text(LOG_SYSTEM, 0,
	    "2002-04-04 16:01:46 touchstone Key Server: Starting Key "
	    "Server\\x0a[x]\n");
}

static enum err
line_put_down(void *ctx, struct bytes line)
{
	char *text = ctx;

	(void)strncat(text, (const char *)line.at, line.octets);
	(void)strcat(text, "|");
	return OK;
}

static const char *
last(enum log_type type, uint64_t serial, size_t lines)
{
	static char text[TEXT_OCTETS];

	*text = '\0';
	assert_ok(
	    logs_last(APPLIANCE, type, serial, lines, line_put_down, text));
	return text;
}

static void
the_last_lines_are_told_oldest_first(void **state)
{
	char line[32];
	unsigned k;

	(void)state;
	assert_string_equal(last(LOG_ACTIVITY, 0, 5), "");
	for (k = 0; k < 20000; k++) {
		(void)snprintf(line, sizeof(line), "line %u", k);
		shelf_add(&shelf, LOG_ACTIVITY, line);
	}
	assert_string_equal(last(LOG_ACTIVITY, 0, 0), "");
	assert_string_equal(last(LOG_ACTIVITY, 0, 1), "line 19999|");
	assert_string_equal(last(LOG_ACTIVITY, 0, 2), "line 19998|line 19999|");
	assert_ok(logs_rotate(APPLIANCE, LOG_ACTIVITY));
	assert_non_null(strstr(last(LOG_ACTIVITY, 0, 9), "rotated"));
	assert_string_equal(last(LOG_ACTIVITY, 1, 1), "line 19999|");
	/* over several blocks, and all of it */
	assert_ptr_equal(strstr(last(LOG_ACTIVITY, 1, 15000), "line "),
	    strstr(last(LOG_ACTIVITY, 1, 15000), "line 5000|"));
	assert_ptr_equal(strstr(last(LOG_ACTIVITY, 1, 30000), "line 0|"),
	    last(LOG_ACTIVITY, 1, 30000));
	assert_err(
	    logs_last(APPLIANCE, LOG_ACTIVITY, 2, 1, line_put_down, line),
	    ERR_NOT_FOUND);
}

/* ---- rotation by hand ---- */

/* req: KS-20-017 KS-20-019 KS-21-071 KS-21-072 ESKM-207 ESKM-208 */
static void
a_rotation_leaves_an_archive_and_a_new_file(void **state)
{
	static const enum log_type by_hand[] = {
	    LOG_SYSTEM, LOG_ACTIVITY, LOG_CLIENT_EVENT, LOG_KMIP_AGENT};
	char want[256];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(by_hand); k++) {
		enum log_type type = by_hand[k];

		shelf_add(&shelf, type, "before");
		assert_ok(logs_rotate(APPLIANCE, type));
		shelf_add(&shelf, type, "after");
		assert_string_equal(
		    shelf_names(&shelf, type), "Current 2002-04-04_160146");
		assert_text(type, 1, "before\n");
		(void)snprintf(want, sizeof(want),
		    ROTATED("2002-04-04 16:01:46", "%s") "after\n",
		    log_row(type)->title);
		assert_text(type, 0, want);
		turn();
		assert_text(type, 0, want);
	}
}

static void
two_in_a_second_have_two_names(void **state)
{
	(void)state;
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_string_equal(shelf_names(&shelf, LOG_SYSTEM),
	    "Current 2002-04-04_160148 2002-04-04_160147 2002-04-04_160146");
}

/* Who is told that fewer are kept finds no more. req: KS-20-087 */
static void
an_archive_too_many_is_gone_before_the_answer(void **state)
{
	(void)state;
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	shelf_settle(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	assert_string_equal(
	    shelf_names(&shelf, LOG_SYSTEM), "Current 2002-04-04_160147");
	shelf_settle(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "0");
	assert_string_equal(shelf_names(&shelf, LOG_SYSTEM), "Current");
}

static void
see_name(void *ctx, const struct logs_file *archive)
{
	(void)shelf_name(ctx, archive);
}

/*
 * Of those that leave at once, each has a name of its own where it arrives, in
 * a second with many of them and in one that comes again.
 *
 * req: KS-20-044
 */
static void
one_that_has_left_keeps_its_name(void **state)
{
	char names[256] = "";
	struct logs_watch watch = {.rotated = see_name, .ctx = names};
	unsigned k;

	(void)state;
	logs_watch(APPLIANCE, &watch);
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "0");
	for (k = 0; k < 3; k++)
		assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	turn(); /* and all three have left */
	assert_string_equal(shelf_names(&shelf, LOG_SYSTEM), "Current");
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	turn();
	/* over a restart, and when the clock is set back */
	shelf_close(&shelf);
	shelf_stand_at(&shelf, "2002-04-04 16:01:49");
	shelf_open(&shelf);
	logs_watch(APPLIANCE, &watch);
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_string_equal(names,
	    "2002-04-04_160146 2002-04-04_160147 2002-04-04_160148 "
	    "2002-04-04_160149 2002-04-04_160150");
}

/* req: KS-21-008 KS-21-069 KS-21-074 */
static void
the_audit_log_is_neither_rotated_nor_cleared_by_hand(void **state)
{
	(void)state;
	shelf_add(&shelf, LOG_AUDIT, "what was done");
	turn();
	assert_err(logs_rotate(APPLIANCE, LOG_AUDIT), ERR_DENIED);
	assert_err(logs_clear(APPLIANCE, LOG_AUDIT, 0), ERR_DENIED);
	shelf_run_to(&shelf, utc("2002-04-07 03:15:01"));
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-07_031500");
	assert_err(logs_clear(APPLIANCE, LOG_AUDIT, 1), ERR_DENIED);
	assert_text(
	    LOG_AUDIT, 1, "2002-04-04 16:01:46 [anna]: what was done\n");
}

static uint64_t
serial_of(enum log_type type, const char *name)
{
	struct logs_file file;

	assert_ok(logs_find(APPLIANCE, type, bytes_of_text(name), &file));
	return file.serial;
}

static void
a_file_has_a_name_and_a_number(void **state)
{
	struct logs_file file;

	(void)state;
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	shelf_run(&shelf, 10);
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_int_equal(serial_of(LOG_SYSTEM, "Current"), 0);
	assert_int_equal(serial_of(LOG_SYSTEM, "2002-04-04_160146"), 1);
	assert_int_equal(serial_of(LOG_SYSTEM, "2002-04-04_160156"), 2);
	assert_int_equal(serial_of(LOG_SYSTEM, "1"), 2);
	assert_int_equal(serial_of(LOG_SYSTEM, "2"), 1);
	assert_err(logs_find(APPLIANCE, LOG_SYSTEM, bytes_of_text("3"), &file),
	    ERR_NOT_FOUND);
	assert_err(logs_find(APPLIANCE, LOG_SYSTEM, bytes_of_text("0"), &file),
	    ERR_NOT_FOUND);
	assert_err(logs_find(APPLIANCE, LOG_ACTIVITY,
		       bytes_of_text("2002-04-04_160146"), &file),
	    ERR_NOT_FOUND);
	assert_ok(logs_find_serial(APPLIANCE, LOG_SYSTEM, 1, &file));
	assert_int_equal(file.number, 2);
	assert_int_equal(file.octets, 0);
}

/* req: KS-21-075 */
static void
clearing_empties_one_file(void **state)
{
	(void)state;
	shelf_add(&shelf, LOG_SYSTEM, "first");
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	shelf_run(&shelf, 1);
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	shelf_add(&shelf, LOG_SYSTEM, "third");
	shelf_add(&shelf, LOG_ACTIVITY, "other");
	assert_ok(logs_clear(APPLIANCE, LOG_SYSTEM, 0));
	assert_text(LOG_SYSTEM, 0, "");
	shelf_add(&shelf, LOG_SYSTEM, "fourth");
	turn();
	assert_text(LOG_SYSTEM, 0, "fourth\n");
	assert_text(LOG_SYSTEM, 1, "first\n");
	assert_ok(logs_clear(APPLIANCE, LOG_SYSTEM, 1));
	assert_err(logs_clear(APPLIANCE, LOG_SYSTEM, 1), ERR_NOT_FOUND);
	assert_string_equal(
	    shelf_names(&shelf, LOG_SYSTEM), "Current 2002-04-04_160147");
	assert_text(LOG_ACTIVITY, 0, "other\n");
}

static void
a_reader_goes_on_when_its_file_is_another(void **state)
{
	struct logs_reader *reader;
	uint8_t text[32] = {0};
	size_t octets;

	(void)state;
	shelf_add(&shelf, LOG_SYSTEM, "first");
	assert_ok(logs_reader_new(APPLIANCE, LOG_SYSTEM, 0, &reader));
	assert_ok(logs_read(reader, text, 2, &octets));
	shelf_add(&shelf, LOG_SYSTEM, "later");
	assert_ok(logs_rotate(APPLIANCE, LOG_SYSTEM));
	assert_ok(logs_clear(APPLIANCE, LOG_SYSTEM, 1));
	assert_ok(logs_read(reader, text + 2, 30, &octets));
	assert_int_equal(octets, 4);
	assert_ok(logs_read(reader, text + 6, 20, &octets));
	assert_int_equal(octets, 0);
	assert_string_equal((char *)text, "first\n");
	logs_reader_free(reader);
}

int
main(void)
{
#define LOGS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LOGS_TEST(each_log_has_a_row_and_settings_of_its_own),
	    LOGS_TEST(a_new_device_has_the_defaults),
	    LOGS_TEST(a_name_is_read_as_it_is_written),
	    LOGS_TEST(lines_are_in_current),
	    LOGS_TEST(a_line_is_one_line),
	    LOGS_TEST(a_system_line_says_when_where_and_what),
	    LOGS_TEST(the_last_lines_are_told_oldest_first),
	    LOGS_TEST(a_rotation_leaves_an_archive_and_a_new_file),
	    LOGS_TEST(two_in_a_second_have_two_names),
	    LOGS_TEST(an_archive_too_many_is_gone_before_the_answer),
	    LOGS_TEST(one_that_has_left_keeps_its_name),
	    LOGS_TEST(the_audit_log_is_neither_rotated_nor_cleared_by_hand),
	    LOGS_TEST(a_file_has_a_name_and_a_number),
	    LOGS_TEST(clearing_empties_one_file),
	    LOGS_TEST(a_reader_goes_on_when_its_file_is_another),
	};
#undef LOGS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

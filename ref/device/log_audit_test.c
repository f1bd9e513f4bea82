#include "device/logs_rig_test.h"

#include "device/log_audit.h"
#include "device/logs_work.h"

static struct shelf shelf;
#define APPLIANCE shelf_appliance(&shelf)
#define STORE     (shelf_appliance(&shelf)->store)

#define ANNA(text) "2002-04-04 16:01:46 [anna]: " text "\n"

static char heard[TEXT_OCTETS]; /* lines that watchers were told */

static void
added(void *ctx, enum log_type type, struct bytes line)
{
	(void)ctx;
	assert_int_equal(type, LOG_AUDIT);
	(void)strncat(heard, (const char *)line.at, line.octets);
	(void)strcat(heard, "\n");
}

static struct logs_watch watch;

static int
set_up(void **state)
{
	(void)state;
	shelf_make(&shelf, "2002-04-04 16:01:46");
	*heard = '\0';
	watch = (struct logs_watch){.added = added};
	logs_watch(APPLIANCE, &watch);
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
add(const char *event)
{
	shelf_add(&shelf, LOG_AUDIT, event);
}

/* To the next Sunday, 3:15. */
static void
rotate(void)
{
	shelf_run_to(&shelf, utc("2002-04-07 03:15:00"));
	turn();
	turn();
}

static void
assert_current(const char *want)
{
	assert_string_equal(shelf_read(&shelf, LOG_AUDIT, 0), want);
}

static uint64_t
rows(void)
{
	uint64_t lines;
	uint64_t octets;

	assert_ok(store_log_size(STORE, "audit", 1, 1000000, &lines, &octets));
	return lines;
}

/* ---- who is told of lines ---- */

static void
a_line_is_told_when_it_is_durable(void **state)
{
	(void)state;
	add("one");
	add("two");
	assert_string_equal(heard, "");
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("two"));
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("two"));
}

static void
what_is_undone_is_not_told(void **state)
{
	(void)state;
	add("one");
	assert_ok(store_savepoint(STORE));
	add("undone");
	assert_ok(store_rollback_to(STORE));
	add("two");
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("two"));
	/* a whole group */
	add("lost");
	vfs_fail_io(1, true);
	turn();
	vfs_fail_io(0, false);
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("two"));
	add("three");
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("two") ANNA("three"));
	assert_current(ANNA("one") ANNA("two") ANNA("three"));
}

/* Somebody who waits for the group writes into the next one, before we hear
 * of the first. */
static void
write_next(struct store_waiter *waiter, enum err rc)
{
	(void)waiter;
	assert_int_equal(rc, OK);
	assert_null(strstr(heard, "next"));
	add("next");
}

static void
the_next_groups_lines_are_told_with_it(void **state)
{
	struct store_waiter before = {.done = write_next};
	struct store_waiter after = {.done = write_next};

	(void)state;
	assert_ok(store_meta_put(STORE, "test", BYTES_NONE));
	store_wait(STORE, &before);
	add("one");
	store_wait(STORE, &after);
	assert_ok(store_commit(STORE));
	turn();
	assert_string_equal(heard, ANNA("one") ANNA("next") ANNA("next"));
}

/* ---- rotation ---- */

#define ROTATED                                                             \
	"2002-04-07 03:15:00 [system]: Log Rotation: Successfully rotated " \
	"Audit Log.\n"

/* req: KS-20-017 KS-20-019 KS-20-025 KS-21-008 ESKM-205 */
static void
a_rotation_takes_lines_out_of_the_store(void **state)
{
	(void)state;
	add("one");
	add("two");
	turn();
	rotate();
	add("three");
	turn();
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-07_031500");
	assert_string_equal(
	    shelf_read(&shelf, LOG_AUDIT, 1), ANNA("one") ANNA("two"));
	assert_current(ROTATED "2002-04-07 03:15:00 [anna]: three\n");
	assert_int_equal(rows(), 2);
	assert_string_equal(heard, ANNA("one") ANNA("two") ROTATED
	    "2002-04-07 03:15:00 [anna]: three\n");
	/* and the same after a restart */
	shelf_close(&shelf);
	shelf_open(&shelf);
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-07_031500");
	assert_current(ROTATED "2002-04-07 03:15:00 [anna]: three\n");
}

/* More than one slice of it, in several turns, in which lines come. */
static void
a_long_log_goes_some_lines_at_a_time(void **state)
{
	enum { LINES = 2600 };
	struct logs_file file;
	uint64_t octets = 0;
	unsigned turns = 0;
	unsigned k;

	(void)state;
	for (k = 0; k < LINES; k++) {
		add("a line of it");
		octets += strlen(ANNA("a line of it"));
	}
	turn();
	assert_ok(log_audit_rotate(APPLIANCE->logs));
	/* one that is under way is enough */
	assert_ok(log_audit_rotate(APPLIANCE->logs));
	for (; rows() != 1; turns++) {
		assert_ok(rig_turns(&shelf.bench.rig, 1));
		assert_true(turns < 50);
	}
	assert_true(turns > 5);
	assert_ok(logs_find(APPLIANCE, LOG_AUDIT, bytes_of_text("1"), &file));
	assert_int_equal(file.octets, octets);
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-04_160146");
}

static void
lines_that_come_meanwhile_stay(void **state)
{
	(void)state;
	add("one");
	turn();
	assert_ok(log_audit_rotate(APPLIANCE->logs));
	add("meanwhile");
	turn();
	turn();
	assert_string_equal(shelf_read(&shelf, LOG_AUDIT, 1), ANNA("one"));
	assert_current(
	    ANNA("meanwhile") "2002-04-04 16:01:46 [system]: Log Rotation: "
			      "Successfully rotated Audit Log.\n");
}

static void
a_reader_of_current_has_all_of_it(void **state)
{
	struct logs_reader *reader;
	char text[256] = "";
	size_t used = 0;
	size_t octets;

	(void)state;
	add("one");
	add("two");
	turn();
	assert_ok(logs_reader_new(APPLIANCE, LOG_AUDIT, 0, &reader));
	assert_ok(logs_read(reader, (uint8_t *)text, 5, &used));
	rotate();
	assert_int_equal(rows(), 3);
	do {
		assert_ok(logs_read(reader, (uint8_t *)text + used,
		    sizeof(text) - 1 - used, &octets));
		used += octets;
	} while (octets != 0);
	assert_string_equal(text, ANNA("one") ANNA("two"));
	logs_reader_free(reader);
	turn();
	assert_int_equal(rows(), 1);
}

/* req: KS-20-021 KS-20-024 KS-20-025 */
static void
a_log_that_is_full_is_rotated(void **state)
{
	char event[1001];
	unsigned k;

	(void)state;
	memset(event, 'x', 1000);
	event[1000] = '\0';
	shelf_set(&shelf, LOG_AUDIT, LOGS_SIZE_MB, "1");
	for (k = 0; k < 1020; k++)
		add(event);
	turn();
	turn();
	assert_string_equal(shelf_names(&shelf, LOG_AUDIT), "Current");
	for (k = 0; k < 10; k++)
		add(event);
	for (k = 0; k < 10; k++)
		turn();
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-04_160146");
	/* it counts from there, and not twice */
	for (k = 0; k < 900; k++)
		add(event);
	for (k = 0; k < 10; k++)
		turn();
	assert_string_equal(
	    shelf_names(&shelf, LOG_AUDIT), "Current 2002-04-04_160146");
}

/* ---- the disk ---- */

static void
a_rotation_that_fails_leaves_all_as_it_was(void **state)
{
	unsigned nth;
	int done = 0;

	(void)state;
	add("one");
	add("two");
	turn();
	for (nth = 1; done == 0; nth++) {
		assert_true(nth < 100);
		vfs_fail_io(nth, false);
		(void)!log_audit_rotate(APPLIANCE->logs);
		turn();
		turn();
		vfs_fail_io(0, false);
		done = strcmp(shelf_names(&shelf, LOG_AUDIT), "Current");
		if (done == 0)
			assert_current(ANNA("one") ANNA("two"));
		else
			assert_string_equal(shelf_read(&shelf, LOG_AUDIT, 1),
			    ANNA("one") ANNA("two"));
	}
	assert_true(nth > 5);
}

int
main(void)
{
#define LOGS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LOGS_TEST(a_line_is_told_when_it_is_durable),
	    LOGS_TEST(what_is_undone_is_not_told),
	    LOGS_TEST(the_next_groups_lines_are_told_with_it),
	    LOGS_TEST(a_rotation_takes_lines_out_of_the_store),
	    LOGS_TEST(a_long_log_goes_some_lines_at_a_time),
	    LOGS_TEST(lines_that_come_meanwhile_stay),
	    LOGS_TEST(a_reader_of_current_has_all_of_it),
	    LOGS_TEST(a_log_that_is_full_is_rotated),
	    LOGS_TEST(a_rotation_that_fails_leaves_all_as_it_was),
	};
#undef LOGS_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

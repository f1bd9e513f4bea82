/*
 * Log files on their way out, with a host that is a piece of memory: what is
 * sent, in which order, and when it is tried again. Real hosts are in
 * spec-tests/transfer.bats, power cuts in log_transfer_power_test.c.
 */
#include "device/log_transfer_rig_test.h"

#include <errno.h>

#include "device/logs_work.h"

/* req: KS-20-036 */
enum { AGAIN_S = 2 * 60 * 60, NAMES_OCTETS = 32 * 1024 };

static struct shelf shelf;
#define APPLIANCE shelf_appliance(&shelf)
#define WAITING   log_transfers_waiting(APPLIANCE->log_transfers)

static int
set_up(void **state)
{
	(void)state;
	memset(remote, 0, sizeof(*remote));
	/* a Thursday */
	shelf_make(&shelf, "2002-04-04 16:01:46");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_DESTINATION, "SCP");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_HOST, "host.example");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_USER, "logs");
	sender_open(&shelf);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	sender_close(&shelf);
	shelf_remove(&shelf);
	return 0;
}

static void
turns(void)
{
	unsigned k;

	for (k = 0; k < 4; k++)
		bench_turn(&shelf.bench);
}

/* With this line in it; a second later. */
static void
rotate(enum log_type type, const char *line)
{
	assert_ok(logs_clear(APPLIANCE, type, 0));
	shelf_add(&shelf, type, line);
	assert_ok(logs_rotate(APPLIANCE, type));
	turns();
	shelf_run(&shelf, 1);
}

static void
restart(void)
{
	sender_close(&shelf);
	shelf_close(&shelf);
	bench_turn(&shelf.bench);
	shelf_open(&shelf);
	sender_open(&shelf);
	turns();
}

/* What the host has: each file's name and front. */
static void
assert_sent(const char *want)
{
	static char have[NAMES_OCTETS];
	size_t used = 0;
	unsigned k;

	have[0] = '\0';
	for (k = 0; k < remote->count; k++)
		used += (size_t)snprintf(have + used, sizeof(have) - used,
		    "%s: %s", remote->files[k].name, remote->files[k].text);
	assert_string_equal(have, want);
}

static void
assert_names(enum log_type type, const char *want)
{
	assert_string_equal(shelf_names(&shelf, type), want);
}

static unsigned
out(enum log_type type)
{
	const struct log_folder *folder = &APPLIANCE->logs->log[type].folder;
	unsigned count = 0;
	size_t k;

	for (k = 0; k < folder->count; k++)
		count += folder->archives[k].kind == LOG_NAME_OUT;
	return count;
}

static bool
is_told(const char *text)
{
	return strstr(shelf_read(&shelf, LOG_SYSTEM, 0), text) != NULL;
}

/* ---- what is sent ---- */

/* req: KS-20-035 KS-20-038 KS-20-039 KS-20-041 KS-20-043 KS-20-091 KS-20-094
 * req: ESKM-217 */
static void
a_file_is_sent_when_it_is_closed_and_not_before(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_PORT, "2222");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_DIRECTORY, "logs/here");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_USER, "anna");
	shelf_add(&shelf, LOG_SYSTEM, "not closed");
	turns();
	assert_int_equal(remote->asked, 0);
	rotate(LOG_SYSTEM, "closed");
	assert_sent("system.log.1.2002-04-04_160146.touchstone: closed\n");
	assert_int_equal(remote->place.protocol, TRANSFER_SCP);
	assert_string_equal(remote->place.host, "host.example");
	assert_int_equal(remote->place.port, 2222);
	assert_string_equal(remote->place.directory, "logs/here");
	assert_string_equal(remote->place.user, "anna");
	/* once, and it stays in the archive */
	shelf_run(&shelf, 3 * AGAIN_S);
	restart();
	assert_int_equal(remote->asked, 1);
	assert_int_equal(WAITING, 0);
	assert_names(LOG_SYSTEM, "Current 2002-04-04_160146");
}

/* req: KS-20-093 */
static void
without_a_destination_nothing_is_sent(void **state)
{
	(void)state;
	rotate(LOG_ACTIVITY, "of a log without");
	assert_int_equal(remote->asked, 0);
	assert_int_equal(WAITING, 0);
	/* nor what was closed before it had one */
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_DESTINATION, "FTP");
	restart();
	assert_int_equal(remote->asked, 0);
	rotate(LOG_ACTIVITY, "of one with");
	assert_sent("activity.log.1.2002-04-04_160147.touchstone: "
		    "of one with\n");
	assert_int_equal(remote->place.protocol, TRANSFER_FTP);
}

static void
the_audit_log_is_sent_too(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_AUDIT, LOGS_DESTINATION, "SFTP");
	shelf_add(&shelf, LOG_AUDIT, "what was done");
	shelf_run_to(&shelf, utc("2002-04-07 03:15:01"));
	turns();
	/* the system log is rotated at that time, too */
	assert_int_equal(remote->count, 2);
	assert_string_equal(
	    remote->files[0].name, "system.log.1.2002-04-07_031500.touchstone");
	assert_string_equal(
	    remote->files[1].name, "audit.log.1.2002-04-07_031500.touchstone");
	assert_string_equal(remote->files[1].text,
	    "2002-04-04 16:01:46 [anna]: what was done\n");
	assert_int_equal(WAITING, 0);
}

/* ---- when it is tried again ---- */

/* req: KS-20-036 KS-20-010 */
static void
it_is_tried_each_two_hours_until_it_succeeds(void **state)
{
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_SCHEDULE, "Monthly");
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	assert_int_equal(remote->asked, 1);
	assert_true(
	    is_told("touchstone Log Transfer: Failed to transfer the System "
		    "Log of 2002-04-04_160146: the host is down."));
	/* a second has passed since. Three days: */
	for (k = 1; k <= 36; k++) {
		shelf_run(&shelf, AGAIN_S - 2);
		turns();
		assert_int_equal(remote->asked, k);
		shelf_run(&shelf, 2);
		turns();
		assert_int_equal(remote->asked, k + 1);
		assert_int_equal(WAITING, 1);
	}
	remote->refuses = OK;
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.1.2002-04-04_160146.touchstone: first\n");
	assert_int_equal(WAITING, 0);
	shelf_run(&shelf, 3 * AGAIN_S);
	assert_int_equal(remote->asked, 38);
}

/* Wall time that is set does not hurry it. */
static void
two_hours_are_elapsed_time(void **state)
{
	(void)state;
	remote->refuses = ERR_TIMEOUT;
	rotate(LOG_SYSTEM, "first");
	env_set_wall_s(APPLIANCE->env, utc("2002-04-05 12:00:00"));
	turns();
	assert_int_equal(remote->asked, 1);
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_int_equal(remote->asked, 2);
}

/* One behind the other, over a host that comes and goes. */
static void
several_files_go_the_oldest_first(void **state)
{
	(void)state;
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	rotate(LOG_SYSTEM, "third");
	/* each rotation tries at once, and only the oldest: the host is down */
	assert_int_equal(remote->asked, 3);
	assert_int_equal(WAITING, 3);
	/* other logs do not wait for this one's host */
	remote->refuses = OK;
	shelf_set(&shelf, LOG_ACTIVITY, LOGS_DESTINATION, "SCP");
	rotate(LOG_ACTIVITY, "another's");
	assert_int_equal(WAITING, 3);
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("activity.log.1.2002-04-04_160149.touchstone: another's\n"
		    "system.log.3.2002-04-04_160146.touchstone: first\n"
		    "system.log.2.2002-04-04_160147.touchstone: second\n"
		    "system.log.1.2002-04-04_160148.touchstone: third\n");
	assert_int_equal(WAITING, 0);
}

/* What is wrong with a file is not wrong with those behind it. */
static void
a_file_in_trouble_does_not_hold_up_others(void **state)
{
	(void)state;
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	remote->refuses = OK;
	remote->refuses_first = ERR_SYSTEM;
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.1.2002-04-04_160147.touchstone: second\n");
	assert_int_equal(WAITING, 1);
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_int_equal(remote->count, 2);
	assert_string_equal(remote->files[1].text, "first\n");
	assert_int_equal(WAITING, 0);
}

/* It is not begun a second time, and what came meanwhile goes next. */
static void
a_rotation_during_a_transfer_waits_for_its_end(void **state)
{
	(void)state;
	remote->is_silent = true;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	shelf_run(&shelf, AGAIN_S);
	assert_int_equal(remote->asked, 1);
	/* and then at once, though the host was in trouble */
	remote_answer(ERR_CLOSED);
	remote->is_silent = false;
	turns();
	assert_int_equal(remote->count, 2);
	assert_string_equal(remote->files[0].text, "first\n");
	assert_string_equal(remote->files[1].text, "second\n");
}

/* ---- restarts ---- */

static void
what_waits_waits_across_a_restart(void **state)
{
	(void)state;
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	restart();
	assert_int_equal(WAITING, 2);
	assert_int_equal(remote->asked, 3); /* at once */
	remote->refuses = OK;
	restart();
	assert_int_equal(remote->count, 2);
	assert_int_equal(WAITING, 0);
	restart();
	assert_int_equal(remote->count, 2);
}

/* A restart while a transfer is under way: nobody heard that it arrived. */
static void
a_transfer_that_nobody_saw_end_is_made_again(void **state)
{
	(void)state;
	remote->is_silent = true;
	rotate(LOG_SYSTEM, "first");
	remote->is_silent = false;
	restart();
	assert_sent("system.log.1.2002-04-04_160146.touchstone: first\n");
	assert_int_equal(remote->asked, 2);
}

/* ---- files that have to leave the archive ---- */

/* req: KS-20-018 KS-20-026 KS-20-040 */
static void
a_displaced_file_stays_until_it_is_sent(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	rotate(LOG_SYSTEM, "third");
	assert_names(LOG_SYSTEM, "Current 2002-04-04_160148");
	assert_int_equal(out(LOG_SYSTEM), 2);
	restart();
	assert_int_equal(out(LOG_SYSTEM), 2);
	assert_int_equal(WAITING, 3);
	remote->refuses = OK;
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.3.2002-04-04_160146.touchstone: first\n"
		    "system.log.2.2002-04-04_160147.touchstone: second\n"
		    "system.log.1.2002-04-04_160148.touchstone: third\n");
	assert_int_equal(out(LOG_SYSTEM), 0);
	assert_names(LOG_SYSTEM, "Current 2002-04-04_160148");
}

/* The refused twin: what was sent has no reason to stay. */
static void
a_displaced_file_that_was_sent_goes(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	assert_int_equal(remote->count, 2);
	assert_int_equal(out(LOG_SYSTEM), 0);
	assert_names(LOG_SYSTEM, "Current 2002-04-04_160147");
}

static void
without_an_archive_a_file_is_there_until_it_is_sent(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "0");
	remote->is_silent = true;
	rotate(LOG_SYSTEM, "first");
	assert_names(LOG_SYSTEM, "Current");
	assert_int_equal(out(LOG_SYSTEM), 1);
	remote_answer(OK);
	turns();
	assert_sent("system.log.1.2002-04-04_160146.touchstone: first\n");
	assert_int_equal(out(LOG_SYSTEM), 0);
	assert_int_equal(WAITING, 0);
}

/* Displaced while it is under way. */
static void
a_file_under_way_is_sent_whatever_becomes_of_it(void **state)
{
	struct logs_file file;

	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	remote->is_silent = true;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	assert_int_equal(out(LOG_SYSTEM), 1);
	remote_answer(OK);
	turns();
	assert_int_equal(out(LOG_SYSTEM), 0);
	assert_err(
	    logs_find_serial(APPLIANCE, LOG_SYSTEM, 1, &file), ERR_NOT_FOUND);
	/* and cleared while it is under way */
	assert_ok(logs_clear(APPLIANCE, LOG_SYSTEM, 2));
	assert_int_equal(WAITING, 0);
	remote_answer(OK);
	turns();
	assert_int_equal(remote->count, 2);
	assert_string_equal(remote->files[1].text, "second\n");
	assert_int_equal(WAITING, 0);
}

static void
a_file_that_is_cleared_is_not_sent(void **state)
{
	(void)state;
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	assert_ok(logs_clear(APPLIANCE, LOG_SYSTEM, 1));
	assert_int_equal(WAITING, 1);
	restart();
	assert_int_equal(WAITING, 1);
	remote->refuses = OK;
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.1.2002-04-04_160147.touchstone: second\n");
}

static void
too_many_that_wait_cost_the_oldest(void **state)
{
	unsigned k;

	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "0");
	remote->is_silent = true;
	for (k = 0; k < LOG_TRANSFER_OUT_MOST; k++)
		rotate(LOG_SYSTEM, "x");
	assert_int_equal(out(LOG_SYSTEM), LOG_TRANSFER_OUT_MOST);
	assert_false(is_told("too many files wait"));
	rotate(LOG_SYSTEM, "one more");
	assert_true(
	    is_told("touchstone Log Transfer: The System Log of "
		    "2002-04-04_160602 is removed, and was not transferred: "
		    "too many files wait."));
	assert_int_equal(out(LOG_SYSTEM), LOG_TRANSFER_OUT_MOST);
	assert_int_equal(WAITING, LOG_TRANSFER_OUT_MOST);
}

/* req: KS-20-093 */
static void
without_a_destination_any_more_nothing_waits(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, "1");
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	rotate(LOG_SYSTEM, "second");
	shelf_set(&shelf, LOG_SYSTEM, LOGS_DESTINATION, "None");
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_int_equal(WAITING, 0);
	assert_int_equal(out(LOG_SYSTEM), 0);
	assert_names(LOG_SYSTEM, "Current 2002-04-04_160147");
	assert_true(is_told("touchstone Log Transfer: The System Log has no "
			    "Transfer Destination any more: 2 files are not "
			    "sent."));
	shelf_set(&shelf, LOG_SYSTEM, LOGS_DESTINATION, "SCP");
	remote->refuses = OK;
	restart();
	assert_int_equal(remote->count, 0);
}

/* ---- what can be set ---- */

enum { SETS = 3 };

/* From a log without a destination, or with SCP, a host and a user. */
static const struct {
	const char *name;
	enum log_type type;
	struct {
		enum logs_field field;
		const char *value;
	} set[SETS];
	const char *want; /* NULL: it is taken */
} destinations[] = {
    {"SCP, whole", LOG_AUDIT,
	{{LOGS_DESTINATION, "SCP"}, {LOGS_HOST, "h"}, {LOGS_USER, "u"}}, NULL},
    {"SCP without a user", LOG_AUDIT,
	{{LOGS_DESTINATION, "SCP"}, {LOGS_HOST, "h"}},
	"Audit Log: Transfer Username: it is missing, and the Transfer "
	"Destination is SCP"},
    {"FTP without a host", LOG_ACTIVITY,
	{{LOGS_DESTINATION, "FTP"}, {LOGS_USER, "u"}},
	"Activity Log: Transfer Host: it is missing, and the Transfer "
	"Destination is FTP"},
    {"SFTP without either", LOG_KMIP_AGENT, {{LOGS_DESTINATION, "SFTP"}},
	"KMIP Agent Log: Transfer Host: it is missing, and the Transfer "
	"Destination is SFTP"},
    {"another host, user and protocol", LOG_SYSTEM,
	{{LOGS_DESTINATION, "FTP"}, {LOGS_HOST, "h"}, {LOGS_USER, "u"}}, NULL},
    {"the host is taken away", LOG_SYSTEM, {{LOGS_HOST, ""}},
	"System Log: Transfer Host: it is missing, and the Transfer "
	"Destination is SCP"},
    {"the user is taken away", LOG_SYSTEM, {{LOGS_USER, ""}},
	"System Log: Transfer Username: it is missing, and the Transfer "
	"Destination is SCP"},
    {"all is taken away", LOG_SYSTEM,
	{{LOGS_HOST, ""}, {LOGS_USER, ""}, {LOGS_DESTINATION, "None"}}, NULL},
    {"a host and a user, to be used later", LOG_CLIENT_EVENT,
	{{LOGS_HOST, "h"}, {LOGS_USER, "u"}}, NULL},
};

/* req: KS-20-091 KS-20-093 */
static void
a_destination_has_a_host_and_a_user(void **state)
{
	size_t k, f;

	(void)state;
	for (k = 0; k < sizeof(destinations) / sizeof(*destinations); k++) {
		char why[SETTING_WHY_OCTETS] = "";
		const char *want = destinations[k].want;
		enum err rc;

		assert_ok(store_savepoint(APPLIANCE->store));
		for (f = 0; f < SETS && destinations[k].set[f].value; f++)
			shelf_put(&shelf, destinations[k].type,
			    destinations[k].set[f].field,
			    destinations[k].set[f].value);
		rc = settings_judge(APPLIANCE->settings, why);
		assert_ok(store_rollback_to(APPLIANCE->store));
		settings_settle(APPLIANCE->settings, false);
		if (rc != (want != NULL ? ERR_FIELD : OK) ||
		    strcmp(why, want != NULL ? want : "") != 0)
			fail_msg("%s: %s: %s", destinations[k].name,
			    err_text(rc), why);
	}
}

/* As a store has it that was written before there was this rule. */
static void
one_without_a_user_lets_other_settings_be(void **state)
{
	char why[SETTING_WHY_OCTETS] = "";

	(void)state;
	shelf_settle(&shelf, LOG_AUDIT, LOGS_DESTINATION, "SCP");
	shelf_put(&shelf, LOG_AUDIT, LOGS_ARCHIVES, "7");
	shelf_put(&shelf, LOG_SYSTEM, LOGS_HOST, "another.example");
	assert_ok(settings_judge(APPLIANCE->settings, why));
	shelf_put(&shelf, LOG_AUDIT, LOGS_HOST, "h");
	assert_err(settings_judge(APPLIANCE->settings, why), ERR_FIELD);
	shelf_put(&shelf, LOG_AUDIT, LOGS_USER, "u");
	assert_ok(settings_judge(APPLIANCE->settings, why));
}

/* ---- a disk that fails ---- */

/* Who cannot look does not know that a file is gone. */
static void
a_folder_that_cannot_be_read_loses_nothing(void **state)
{
	char folder[400];
	char away[400];

	(void)state;
	remote->refuses = ERR_CLOSED;
	rotate(LOG_SYSTEM, "first");
	remote->refuses = OK;
	(void)snprintf(folder, sizeof(folder), "%s/system", shelf.logs_dir);
	(void)snprintf(away, sizeof(away), "%s/away", shelf.logs_dir);
	sender_close(&shelf);
	shelf_close(&shelf);
	assert_return_code(rename(folder, away), errno);
	fclose(fopen(folder, "w")); /* no folder */
	shelf_open(&shelf);
	sender_open(&shelf);
	turns();
	assert_int_equal(WAITING, 1);
	assert_int_equal(remote->asked, 1);
	assert_return_code(unlink(folder), errno);
	assert_return_code(rename(away, folder), errno);
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.1.2002-04-04_160146.touchstone: first\n");
}

/* ---- signed ---- */

static void
without_a_certificate_a_signed_file_waits(void **state)
{
	(void)state;
	shelf_set(&shelf, LOG_SYSTEM, LOGS_SIGN, "yes");
	rotate(LOG_SYSTEM, "first");
	assert_int_equal(remote->asked, 0);
	assert_int_equal(WAITING, 1);
	assert_true(
	    is_told("Failed to transfer the System Log of 2002-04-04_160146: "
		    "there is no log signing certificate."));
	shelf_set(&shelf, LOG_SYSTEM, LOGS_SIGN, "no");
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_sent("system.log.1.2002-04-04_160146.touchstone: first\n");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_is_sent_when_it_is_closed_and_not_before),
	    TEST(without_a_destination_nothing_is_sent),
	    TEST(the_audit_log_is_sent_too),
	    TEST(it_is_tried_each_two_hours_until_it_succeeds),
	    TEST(two_hours_are_elapsed_time),
	    TEST(several_files_go_the_oldest_first),
	    TEST(a_file_in_trouble_does_not_hold_up_others),
	    TEST(a_rotation_during_a_transfer_waits_for_its_end),
	    TEST(what_waits_waits_across_a_restart),
	    TEST(a_transfer_that_nobody_saw_end_is_made_again),
	    TEST(a_displaced_file_stays_until_it_is_sent),
	    TEST(a_displaced_file_that_was_sent_goes),
	    TEST(without_an_archive_a_file_is_there_until_it_is_sent),
	    TEST(a_file_under_way_is_sent_whatever_becomes_of_it),
	    TEST(a_file_that_is_cleared_is_not_sent),
	    TEST(too_many_that_wait_cost_the_oldest),
	    TEST(without_a_destination_any_more_nothing_waits),
	    TEST(a_destination_has_a_host_and_a_user),
	    TEST(one_without_a_user_lets_other_settings_be),
	    TEST(a_folder_that_cannot_be_read_loses_nothing),
	    TEST(without_a_certificate_a_signed_file_waits),
	};

	child_dirs_in_memory();
	remote_map();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

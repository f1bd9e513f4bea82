#include "device/licence.h"

#include <stdio.h>
#include <string.h>

#include "device/accounts_test.h"
#include "device/ear_test.h"
#include "device/fields.h"
#include "device/licence_rig_test.h"

static struct bench bench;
static struct ear ear;
static struct trap_watch traps;
static struct {
	unsigned count;
	enum trap last;
	char text[200];
} heard;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

static void
hear(void *ctx, enum trap trap, const char *text)
{
	(void)ctx;
	heard.count++;
	heard.last = trap;
	(void)snprintf(heard.text, sizeof(heard.text), "%s", text);
}

static void
open_rest(void)
{
	assert_ok(clients_new(&APPLIANCE->clients));
	assert_ok(settings_new(STORE, &APPLIANCE->settings));
	assert_ok(clock_new(STORE, bench.rig.env, &APPLIANCE->clock));
	assert_ok(logs_open(APPLIANCE));
	ear_open(&ear, APPLIANCE);
	assert_ok(credentials_new(APPLIANCE, &APPLIANCE->credentials));
	assert_ok(licences_new(APPLIANCE, &APPLIANCE->licences));
}

static void
close_rest(void)
{
	licences_free(APPLIANCE->licences);
	credentials_free(APPLIANCE->credentials);
	logs_close(APPLIANCE);
	ear_close(&ear);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
	clients_free(APPLIANCE->clients);
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	open_rest();
	traps = (struct trap_watch){.raised = hear};
	appliance_watch_traps(APPLIANCE, &traps);
	memset(&heard, 0, sizeof(heard));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close_rest();
	bench_remove(&bench);
	return 0;
}

static size_t
places(void)
{
	return clients_most(APPLIANCE->clients);
}

static void
said(enum log_type type, const char *line)
{
	if (strstr(ear_text(&ear, type), line) == NULL)
		fail_msg("expected \"%s\" in:\n%s", line, ear_text(&ear, type));
}

/* ---------------------------------------------------------------------------
 * Which one there is
 */

/* req: KS-25-010 */
static void
test_a_new_device_has_none(void **state)
{
	struct licence licence;

	(void)state;
	assert_err(licence_read(STORE, &licence), ERR_NOT_FOUND);
	assert_int_equal(places(), 0);
}

/* req: KS-25-014 KS-25-016 */
static void
test_the_last_one_is_in_force_and_kept(void **state)
{
	static const uint32_t clients[] = {2, 25, 1, UINT32_MAX};
	struct licence_change c = {.licence = {.made_s = 1000000000}};
	struct licence licence;
	size_t k;

	(void)state;
	memset(c.licence.notes, 'n', PACKAGE_NOTES_OCTETS);
	for (k = 0; k < LENGTH(clients); k++) {
		int64_t wall_s = env_wall_s(bench.rig.env);

		licence_change_run(APPLIANCE, &c, clients[k]);
		bench_turn(&bench);
		bench_turn(&bench);
		assert_true(c.is_done);
		assert_ok(c.rc);
		assert_int_equal(places(), clients[k]);
		rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + 60000);
		close_rest();
		open_rest();
		assert_int_equal(places(), clients[k]);
		assert_ok(licence_read(STORE, &licence));
		assert_int_equal(licence.clients, clients[k]);
		assert_int_equal(licence.made_s, 1000000000);
		assert_int_equal(licence.installed_s, wall_s);
		assert_string_equal(licence.notes, c.licence.notes);
	}
}

static void
test_it_is_audited(void **state)
{
	(void)state;
	licence_put(&bench, 2);
	said(
	    LOG_AUDIT, "Installed a license: licensed clients: 2, before: 0\n");
	licence_put(&bench, 25);
	said(LOG_AUDIT,
	    "Installed a license: licensed clients: 25, before: 2\n");
}

static void
test_it_is_in_force_when_it_is_durable_and_not_before(void **state)
{
	struct licence_change c = {.fails = OK};

	(void)state;
	licence_change_run(APPLIANCE, &c, 3);
	assert_int_equal(places(), 0);
	bench_turn(&bench);
	assert_true(c.is_done);
	assert_int_equal(places(), 3);
}

static void
test_one_that_is_not_installed_changes_nothing(void **state)
{
	static const struct {
		const char *name;
		uint32_t clients;
		enum err fails;
		const char *line;
	} cases[] = {
	    {"for nobody", 0, OK, ": This license is for no clients."},
	    {"what comes behind it fails", 9, ERR_FIELD, "Refused: Installed"},
	};
	struct licence licence;
	size_t k;

	(void)state;
	licence_put(&bench, 2);
	for (k = 0; k < LENGTH(cases); k++) {
		struct licence_change c = {.fails = cases[k].fails};

		licence_change_run(APPLIANCE, &c, cases[k].clients);
		bench_turn(&bench);
		bench_turn(&bench);
		assert_true(c.is_done);
		if (c.rc != ERR_FIELD || places() != 2)
			fail_msg("%s: %s, %zu places", cases[k].name,
			    err_name(c.rc), places());
		assert_ok(licence_read(STORE, &licence));
		assert_int_equal(licence.clients, 2);
		said(LOG_AUDIT, cases[k].line);
		/* nor does it come with the next change of anything */
		settings_settle(APPLIANCE->settings, true);
		licence_settle(APPLIANCE->licences);
		assert_int_equal(places(), 2);
	}
}

/* A store that is damaged: neither no license nor any number of clients. */
static void
test_a_damaged_one_is_no_licence(void **state)
{
	static const struct {
		const char *name;
		int64_t clients;
		size_t notes_octets;
		size_t cut_octets;
		enum err want;
	} cases[] = {
	    {"as it is written", 1, 3, 0, OK},
	    {"cut", 1, 3, 1, ERR_STORE},
	    {"for nobody", 0, 3, 0, ERR_STORE},
	    {"for less than nobody", -1, 3, 0, ERR_STORE},
	    {"for as many as can be", UINT32_MAX, 3, 0, OK},
	    {"for one more", (int64_t)UINT32_MAX + 1, 3, 0, ERR_STORE},
	    {"notes as long as they can be", 1, PACKAGE_NOTES_OCTETS, 0, OK},
	    {"longer notes", 1, PACKAGE_NOTES_OCTETS + 1, 0, ERR_STORE},
	};
	static uint8_t notes[PACKAGE_NOTES_OCTETS + 1];
	struct licences *licences = NULL;
	struct licence licence;
	struct buf value;
	size_t k;

	(void)state;
	memset(notes, 'n', sizeof(notes));
	for (k = 0; k < LENGTH(cases); k++) {
		enum err got;

		buf_init(&value, 4096);
		assert_ok(
		    fields_put_number(&value, "clients", cases[k].clients));
		assert_ok(fields_put_number(&value, "made", 1));
		assert_ok(fields_put_number(&value, "installed", 1));
		assert_ok(fields_put(&value, "notes",
		    (struct bytes){notes, cases[k].notes_octets}));
		value.octets -= cases[k].cut_octets;
		assert_ok(record_put(STORE, "licence",
		    bytes_of_text("installed"), buf_peek(&value)));
		buf_clear(&value);
		bench_turn(&bench);
		got = licence_read(STORE, &licence);
		if (got != cases[k].want)
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    err_name(cases[k].want), err_name(got));
		assert_int_equal(
		    licence.clients, got == OK ? cases[k].clients : 0);
		assert_err(licences_new(APPLIANCE, &licences), cases[k].want);
		licences_free(licences);
	}
}

/* ---------------------------------------------------------------------------
 * Who is refused
 */

static void
refuse(const char *address)
{
	licence_refused(APPLIANCE, bytes_of_text(address));
}

static void
wait_ms(int64_t ms)
{
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + ms);
	bench_turn(&bench);
}

/* req: KS-20-011 KS-21-005 */
static void
test_a_refused_client_has_one_line(void **state)
{
	unsigned k;

	(void)state;
	licence_put(&bench, 2);
	ear_forget(&ear);
	for (k = 0; k < 1000; k++)
		refuse("10.0.0.3");
	/* the trap's and its own */
	assert_int_equal(ear.lines[LOG_SYSTEM], 2);
	said(LOG_SYSTEM,
	    " License: Client 10.0.0.3 refused: the licensed number of "
	    "clients, 2, is connected\n");
	for (k = 0; k < 1000; k++) {
		refuse("10.0.0.3");
		refuse("2001:db8::33");
	}
	assert_int_equal(ear.lines[LOG_SYSTEM], 3);
	said(LOG_SYSTEM, " License: Client 2001:db8::33 refused: ");
}

/* req: KS-25-010 KS-20-011 */
static void
test_the_line_says_when_there_is_no_licence(void **state)
{
	(void)state;
	refuse("10.0.0.3");
	said(LOG_SYSTEM,
	    " License: Client 10.0.0.3 refused: no license is installed\n");
}

/* req: KS-14-142 */
static void
test_one_trap_is_raised(void **state)
{
	struct client *client = NULL;

	(void)state;
	licence_put(&bench, 1);
	assert_ok(client_enter(
	    APPLIANCE->clients, bytes_of_text("10.0.0.1"), &client));
	assert_int_equal(heard.count, 0);
	refuse("10.0.0.2");
	refuse("10.0.0.2");
	refuse("10.0.0.3");
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.last, TRAP_LICENCE);
	assert_string_equal(heard.text,
	    "No licenses available: connected clients: 1, licensed: 1");
	wait_ms(LICENCE_QUIET_MS);
	assert_int_equal(heard.count, 1);
	refuse("10.0.0.2");
	assert_int_equal(heard.count, 2);
	client_leave(APPLIANCE->clients, client);
}

static void
test_lines_are_told_again_after_a_while(void **state)
{
	(void)state;
	refuse("10.0.0.3");
	wait_ms(LICENCE_QUIET_MS - 1);
	refuse("10.0.0.3");
	assert_int_equal(ear.lines[LOG_SYSTEM], 2);
	wait_ms(1);
	assert_int_equal(ear.lines[LOG_SYSTEM], 3);
	said(LOG_SYSTEM,
	    " License: Connections refused in the last 10 minutes: 2\n");
	refuse("10.0.0.3");
	assert_int_equal(ear.lines[LOG_SYSTEM], 5);
	/* what has a line needs no sum */
	refuse("10.0.0.4");
	assert_int_equal(ear.lines[LOG_SYSTEM], 6);
	wait_ms(LICENCE_QUIET_MS);
	assert_int_equal(ear.lines[LOG_SYSTEM], 6);
	wait_ms(LICENCE_QUIET_MS);
	assert_int_equal(ear.lines[LOG_SYSTEM], 6);
}

static void
test_many_addresses_do_not_fill_the_log(void **state)
{
	char address[20];
	unsigned k;

	(void)state;
	for (k = 0; k < 10 * LICENCE_TOLD_MOST; k++) {
		(void)snprintf(
		    address, sizeof(address), "10.0.%u.%u", k / 256, k % 256);
		refuse(address);
	}
	assert_int_equal(ear.lines[LOG_SYSTEM], 1 + LICENCE_TOLD_MOST);
	wait_ms(LICENCE_QUIET_MS);
	assert_int_equal(ear.lines[LOG_SYSTEM], 2 + LICENCE_TOLD_MOST);
	said(LOG_SYSTEM, "in the last 10 minutes: 640\n");
}

/* ---------------------------------------------------------------------------
 * The power is cut while one is installed in the place of another
 */

static bool *told; /* outlives the child */

static void
tell(struct change *change, enum err rc)
{
	(void)change;
	*told = rc == OK;
}

static void
child_run(const char *dir, enum vfs_power how, uint64_t seed, unsigned nth)
{
	struct licence_change c = {.licence = {.clients = 25, .notes = "new"}};

	bench_make_in(&bench, dir);
	open_rest();
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	c.change = (struct change){.act = ACT_UPGRADE,
	    .apply = licence_change_apply,
	    .done = tell,
	    .ctx = &c};
	change_run(APPLIANCE, &c.change);
	bench_turn(&bench);
	bench_turn(&bench);
	store_close(STORE);
	_exit(*told ? 0 : 1);
}

static enum err
count_line(void *ctx, struct bytes line)
{
	(void)line;
	++*(unsigned *)ctx;
	return OK;
}

/* With its audit line, or neither. */
static void
assert_one_of_two(const char *dir, unsigned nth)
{
	struct licence licence;
	unsigned lines = 0;
	bool is_new;

	bench_make_in(&bench, dir);
	open_rest();
	assert_ok(store_check(STORE));
	assert_ok(licence_read(STORE, &licence));
	assert_ok(audit_last(STORE, 9, count_line, &lines));
	is_new = licence.clients == 25;
	if (lines != (is_new ? 2 : 1) || places() != licence.clients ||
	    (*told && !is_new) ||
	    (!is_new && (licence.clients != 2 || *licence.notes != '\0')) ||
	    (is_new && strcmp(licence.notes, "new") != 0))
		fail_msg("cut before write %u: %u clients, %zu places, %u "
			 "lines, %s",
		    nth, (unsigned)licence.clients, places(), lines,
		    *told ? "told" : "not told");
	close_rest();
	bench_leave(&bench);
}

/* How many cuts there were. */
static unsigned
cut_everywhere(enum vfs_power how, uint64_t seed)
{
	unsigned nth = 0;
	bool cut = true;

	while (cut) {
		char dir[256];
		pid_t child;

		nth++;
		*told = false;
		bench_dir_make(dir);
		bench_make_in(&bench, dir);
		open_rest();
		licence_put(&bench, 2);
		close_rest();
		bench_leave(&bench);
		child = child_fork();
		if (child == 0) {
			child_run(dir, how, seed, nth);
		}
		cut = child_was_killed(child, "a licence");
		assert_one_of_two(dir, nth);
		bench_dir_remove(dir);
	}
	assert_true(*told);
	return nth - 1;
}

static void
test_a_power_cut_leaves_the_old_one_or_the_new_one(void **state)
{
	uint64_t seed;

	(void)state;
	told = child_share(sizeof(*told));
	assert_true(cut_everywhere(VFS_DROP, 1) >= 5);
	for (seed = 1; seed <= 3; seed++)
		assert_true(cut_everywhere(VFS_TEAR, seed) >= 5);
	munmap(told, sizeof(*told));
}

int
main(void)
{
#define LICENCE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LICENCE_TEST(test_a_new_device_has_none),
	    LICENCE_TEST(test_the_last_one_is_in_force_and_kept),
	    LICENCE_TEST(test_it_is_audited),
	    LICENCE_TEST(test_it_is_in_force_when_it_is_durable_and_not_before),
	    LICENCE_TEST(test_one_that_is_not_installed_changes_nothing),
	    LICENCE_TEST(test_a_damaged_one_is_no_licence),
	    LICENCE_TEST(test_a_refused_client_has_one_line),
	    LICENCE_TEST(test_the_line_says_when_there_is_no_licence),
	    LICENCE_TEST(test_one_trap_is_raised),
	    LICENCE_TEST(test_lines_are_told_again_after_a_while),
	    LICENCE_TEST(test_many_addresses_do_not_fill_the_log),
	    cmocka_unit_test(
		test_a_power_cut_leaves_the_old_one_or_the_new_one),
	};
#undef LICENCE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

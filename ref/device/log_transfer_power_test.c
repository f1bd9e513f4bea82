/*
 * A child closes log files and sends them, and its power is cut before the
 * first write, sync or change of a name, of the store or of a plain file,
 * before the second, and so on until it gets through. Whatever is left: with
 * the host up, each closed file gets there, none is sent for ever, and none
 * stays behind.
 */

#include "device/log_transfer_rig_test.h"

#include "device/log_audit.h"
#include "device/logs_work.h"

enum { AGAIN_S = LOG_TRANSFER_AGAIN_MS / 1000, LINES = 4 };

/* From one cut to the next. */
#ifdef TORTURE
enum { STEP = 16 };
#else
enum { STEP = 1 };
#endif

static const char *const lines[LINES] = {
    "the first line", "the second line", "the third line", "the fourth line"};

static struct shelf shelf;

static void
turns(void)
{
	unsigned k;

	for (k = 0; k < 8; k++)
		bench_turn(&shelf.bench);
}

static enum err
rotate_by_hand(void)
{
	return logs_rotate(shelf_appliance(&shelf), LOG_SYSTEM);
}

static enum err
rotate_audit(void)
{
	return log_audit_rotate(shelf_appliance(&shelf)->logs);
}

static enum err
clear_newest(void)
{
	struct logs_file file;
	enum err rc = OK;

	TRY(logs_find(
	    shelf_appliance(&shelf), LOG_SYSTEM, bytes_of_text("1"), &file));
	TRY(logs_clear(shelf_appliance(&shelf), LOG_SYSTEM, file.serial));
out:
	return rc;
}

static enum err
wait_for_it(void)
{
	return OK;
}

static const struct scene {
	const char *name;
	enum log_type type;
	unsigned closed; /* files, which wait; their lines come first */
	bool is_open;    /* another line is in Current */
	const char *archives;
	/* what the host says in the child, and what happens there */
	enum err host;
	enum err (*act)(void);
	bool may_go;    /* the last line, and nobody gets it */
	const char *to; /* the destination behind all that; NULL: SCP */
} scenes[] = {
    {"a rotation, sent", LOG_SYSTEM, 0, true, "12", .act = rotate_by_hand},
    {"one without archives", LOG_SYSTEM, 0, true, "0", .act = rotate_by_hand},
    {"one that displaces what waits", LOG_SYSTEM, 2, true, "1",
	.host = ERR_CLOSED, .act = rotate_by_hand},
    {"the same while others are sent", LOG_SYSTEM, 3, true, "1",
	.act = rotate_by_hand},
    {"those that wait are sent", LOG_SYSTEM, 3, false, "12",
	.act = wait_for_it},
    {"those that are out are sent", LOG_SYSTEM, 3, false, "0",
	.act = wait_for_it},
    {"one that waits is cleared", LOG_SYSTEM, 2, false, "12",
	.host = ERR_CLOSED, .act = clear_newest, .may_go = true},
    {"a rotation of the audit log", LOG_AUDIT, 0, true, "0",
	.act = rotate_audit},
    {"no destination any more", LOG_SYSTEM, 3, false, "1", .act = wait_for_it,
	.to = "None"},
};

/* ---- before ---- */

static void
shelves_open(const char *dir, const char *when)
{
	memset(&shelf, 0, sizeof(shelf));
	bench_make_in(&shelf.bench, dir);
	shelf_stand_at(&shelf, when);
	shelf_open(&shelf);
	sender_open(&shelf);
}

static void
shelves_close(void)
{
	sender_close(&shelf);
	shelf_close(&shelf);
	bench_leave(&shelf.bench);
}

static void
prepare(const char *dir, const struct scene *scene)
{
	struct appliance *a;
	unsigned k;

	memset(remote, 0, sizeof(*remote));
	remote->refuses = ERR_CLOSED;
	shelves_open(dir, "2002-04-04 15:00:00");
	a = shelf_appliance(&shelf);
	shelf_set(&shelf, scene->type, LOGS_DESTINATION, "SCP");
	shelf_set(&shelf, scene->type, LOGS_HOST, "host.example");
	shelf_set(&shelf, scene->type, LOGS_ARCHIVES, scene->archives);
	for (k = 0; k < scene->closed + scene->is_open; k++) {
		if (scene->type != LOG_AUDIT)
			assert_ok(logs_clear(a, scene->type, 0));
		shelf_add(&shelf, scene->type, lines[k]);
		turns();
		if (k < scene->closed)
			assert_ok(logs_rotate(a, scene->type));
		turns();
		shelf_run(&shelf, 1);
	}
	if (scene->to != NULL)
		shelf_set(&shelf, scene->type, LOGS_DESTINATION, scene->to);
	assert_int_equal(
	    log_transfers_waiting(a->log_transfers), scene->closed);
	shelves_close();
	remote->asked = 0;
	remote->refuses = scene->host;
}

/* ---- the cut ---- */

/* Ends by SIGKILL, or with 0 when nothing was left to cut. */
static void
child_run(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	memset(&shelf, 0, sizeof(shelf));
	bench_make_in(&shelf.bench, dir);
	/* a path that nobody else cleans up */
	(void)unlink(shelf.bench.rig.clock_path);
	shelf_stand_at(&shelf, "2002-04-04 16:01:46");
	vfs_power_off(how, seed, nth);
	shelf_open(&shelf);
	sender_open(&shelf);
	if (scene->act() != OK)
		_exit(1);
	turns();
	shelves_close();
	_exit(0);
}

static bool
is_cut(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	pid_t child = child_fork();
	if (child == 0)
		child_run(dir, scene, how, seed, nth);
	return child_was_killed(child, scene->name);
}

/* ---- what is left ---- */

static unsigned
times_sent(const char *line)
{
	unsigned times = 0;
	unsigned k;

	for (k = 0; k < remote->count; k++)
		times += strstr(remote->files[k].text, line) != NULL;
	return times;
}

/* Has it happened, and in how many files? */
static unsigned
times_kept(const struct scene *scene, const char *line)
{
	const struct log_folder *folder =
	    &shelf_appliance(&shelf)->logs->log[scene->type].folder;
	unsigned times = 0;
	size_t k;

	for (k = 0; k < folder->count; k++)
		times += strstr(shelf_read(&shelf, scene->type,
				    folder->archives[k].serial),
			     line) != NULL;
	return times;
}

#define MUST(condition)                                                      \
	do {                                                                 \
		if (!(condition))                                            \
			fail_msg(                                            \
			    "%s, cut %u: line %u is %u times in Current,"    \
			    " %u in files, %u at the host: not " #condition, \
			    scene->name, nth, k, in_current, kept, sent);    \
	} while (0)

/* true: the newest line is closed */
static bool
check_lines(const struct scene *scene, unsigned nth)
{
	unsigned in_all = scene->closed + scene->is_open;
	unsigned again = 0;
	bool is_closed = true;
	unsigned k;

	for (k = 0; k < in_all; k++) {
		unsigned in_current = strstr(shelf_read(&shelf, scene->type, 0),
					  lines[k]) != NULL;
		unsigned kept = times_kept(scene, lines[k]);
		unsigned sent = times_sent(lines[k]);
		bool is_last = k + 1 == in_all;

		is_closed = in_current == 0;
		MUST(in_current + kept <= 1);
		if (in_current != 0) {
			MUST(is_last && scene->is_open && sent == 0);
			continue;
		}
		if (scene->to != NULL)
			MUST(sent == 0);
		else if (is_last && scene->may_go && kept == 0)
			MUST(sent == 0);
		else
			MUST(sent == 1 || sent == 2);
		again += sent == 2;
		MUST(again <= 1); /* the one under way */
	}
	return is_closed;
}

static void
assert_nothing_is_left(const struct scene *scene, unsigned nth)
{
	struct appliance *a = shelf_appliance(&shelf);
	const struct log_folder *folder = &a->logs->log[scene->type].folder;
	unsigned waiting = log_transfers_waiting(a->log_transfers);
	size_t k;

	if (waiting != 0)
		fail_msg("%s, cut %u: %u wait", scene->name, nth, waiting);
	for (k = 0; k < folder->count; k++)
		if (folder->archives[k].kind != LOG_NAME_ARCHIVE)
			fail_msg("%s, cut %u: %s is left", scene->name, nth,
			    folder->archives[k].stamp);
	if (folder->count > (size_t)atoi(scene->archives))
		fail_msg("%s, cut %u: %zu archives", scene->name, nth,
		    folder->count);
}

/* With the host up for good. */
static bool
look(const char *dir, const struct scene *scene, unsigned nth)
{
	unsigned sent;
	bool is_closed;

	remote->refuses = OK;
	shelves_open(dir, "2002-04-04 17:00:00");
	assert_ok(store_check(shelf_appliance(&shelf)->store));
	turns();
	shelf_run(&shelf, AGAIN_S);
	turns();
	is_closed = check_lines(scene, nth);
	assert_nothing_is_left(scene, nth);
	shelves_close();
	/* and that is the end of it */
	sent = remote->count;
	shelves_open(dir, "2002-04-04 20:00:00");
	turns();
	shelf_run(&shelf, AGAIN_S);
	turns();
	assert_int_equal(remote->count, sent);
	assert_nothing_is_left(scene, nth);
	shelves_close();
	return is_closed;
}

static void
cut_everywhere(const struct scene *scene, enum vfs_power how, uint64_t seed)
{
	unsigned closed = 0;
	unsigned runs = 0;
	unsigned nth;
	bool cut = true;

	for (nth = 1; cut; nth += STEP) {
		char dir[256];

		runs++;
		bench_dir_make(dir);
		prepare(dir, scene);
		cut = is_cut(dir, scene, how, seed + nth, nth);
		closed += look(dir, scene, nth);
		bench_dir_remove(dir);
	}
	/* both the old state and the new were seen */
	assert_true(nth > 4);
	assert_true(closed > 1 || STEP != 1);
	if (scene->is_open)
		assert_true(closed < runs);
}

/* req: KS-20-018 KS-20-026 KS-20-036 KS-20-093 */
static void
a_cut_loses_no_file_and_sends_none_for_ever(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(scenes); k++) {
		cut_everywhere(&scenes[k], VFS_DROP, 0);
		cut_everywhere(&scenes[k], VFS_TEAR, 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cut_loses_no_file_and_sends_none_for_ever),
	};

	child_dirs_in_memory();
	remote_map();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

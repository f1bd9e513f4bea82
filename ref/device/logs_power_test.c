#include "device/logs_rig_test.h"

#include "device/log_audit.h"
#include "device/logs_work.h"

/*
 * A child rotates or clears a log, and its power is cut before the first write,
 * sync or change of a name, of the store or of a plain file, before the second,
 * and so on until it gets through. What the parent then finds is the state
 * before or the state after, to the octet. What was told is there.
 */

/* From one cut to the next. */
#ifdef TORTURE
enum { STEP = 16 };
#else
enum { STEP = 1 };
#endif

/* Outlives the child: did it hear that it is done? */
static bool *told;

static bool
holds(void *ctx, const struct logs_file *archive)
{
	(void)ctx;
	(void)archive;
	return true;
}

static enum err
rotate_by_hand(struct shelf *shelf)
{
	return logs_rotate(shelf_appliance(shelf), LOG_SYSTEM);
}

static enum err
rotate_and_hold(struct shelf *shelf)
{
	static struct logs_watch watch = {.displaced = holds};

	logs_watch(shelf_appliance(shelf), &watch);
	return logs_rotate(shelf_appliance(shelf), LOG_SYSTEM);
}

static enum err
rotate_audit(struct shelf *shelf)
{
	unsigned k;
	enum err rc = OK;

	TRY(log_audit_rotate(shelf_appliance(shelf)->logs));
	for (k = 0; k < 4; k++)
		bench_turn(&shelf->bench);
out:
	return rc;
}

static enum err
clear_current(struct shelf *shelf)
{
	return logs_clear(shelf_appliance(shelf), LOG_SYSTEM, 0);
}

static enum err
clear_archive(struct shelf *shelf)
{
	return logs_clear(shelf_appliance(shelf), LOG_SYSTEM, 2);
}

static const struct scene {
	const char *name;
	enum err (*act)(struct shelf *shelf);
	const char *archives;
	bool holds; /* what is too much is still to be sent */
} scenes[] = {
    {"a rotation", rotate_by_hand, "12", false},
    {"a rotation that displaces an archive", rotate_by_hand, "2", false},
    {"a rotation without archives", rotate_by_hand, "0", false},
    {"a rotation that puts an archive out", rotate_and_hold, "2", true},
    {"a rotation of the audit log", rotate_audit, "12", false},
    {"one that displaces an archive", rotate_audit, "1", false},
    {"clearing of Current", clear_current, "12", false},
    {"clearing of an archive", clear_archive, "12", false},
};

/* ---- a state as text ---- */

static struct shelf shelf;

static enum err
describe(void *ctx, const struct logs_file *file)
{
	char *out = ctx;

	(void)sprintf(out + strlen(out), "%s %s %u %llu\n%s--\n",
	    file->is_out ? "out" : log_row(file->type)->word, file->name,
	    file->number, (unsigned long long)file->octets,
	    shelf_read(&shelf, file->type, file->serial));
	return OK;
}

static void
state_of(const char *dir, const struct scene *scene, char *out)
{
	static struct logs_watch watch = {.displaced = holds};
	struct appliance *a = shelf_appliance(&shelf);
	unsigned k;

	memset(&shelf, 0, sizeof(shelf));
	bench_make_in(&shelf.bench, dir);
	shelf_stand_at(&shelf, "2002-04-04 16:01:46");
	assert_ok(store_check(a->store));
	shelf_open(&shelf);
	if (scene->holds)
		logs_watch(a, &watch);
	bench_turn(&shelf.bench);
	*out = '\0';
	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		assert_ok(logs_files(a, k, describe, out));
		assert_ok(logs_files_out(a, k, describe, out));
	}
	shelf_close(&shelf);
	bench_leave(&shelf.bench);
}

/* ---- the runs ---- */

static void
prepare(const char *dir, const struct scene *scene)
{
	struct appliance *a = shelf_appliance(&shelf);
	unsigned k;

	memset(&shelf, 0, sizeof(shelf));
	bench_make_in(&shelf.bench, dir);
	shelf_stand_at(&shelf, "2002-04-04 15:00:00");
	shelf_open(&shelf);
	shelf_set(&shelf, LOG_AUDIT, LOGS_ARCHIVES, scene->archives);
	for (k = 0; k < 3; k++) {
		shelf_add(&shelf, LOG_SYSTEM, "a line of the system log");
		shelf_add(&shelf, LOG_ACTIVITY, "another's");
		shelf_add(&shelf, LOG_AUDIT, "what somebody did");
		bench_turn(&shelf.bench);
		if (k == 2)
			break;
		assert_ok(logs_rotate(a, LOG_SYSTEM));
		assert_ok(rotate_audit(&shelf));
		shelf_run(&shelf, 1);
	}
	shelf_set(&shelf, LOG_SYSTEM, LOGS_ARCHIVES, scene->archives);
	shelf_close(&shelf);
	bench_leave(&shelf.bench);
}

/* Ends by SIGKILL, or with 0 when nothing was left to cut; how NULL: no cut. */
static void
child_run(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	memset(&shelf, 0, sizeof(shelf));
	bench_make_in(&shelf.bench, dir);
	(void)unlink(shelf.bench.rig.clock_path);
	shelf_stand_at(&shelf, "2002-04-04 16:01:46");
	shelf_open(&shelf);
	bench_turn(&shelf.bench);
	if (nth != 0)
		vfs_power_off(how, seed, nth);
	if (scene->act(&shelf) != OK)
		_exit(1);
	*told = true;
	bench_turn(&shelf.bench);
	shelf_close(&shelf);
	store_close(shelf_appliance(&shelf)->store);
	_exit(0);
}

static bool
is_cut(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	pid_t child;

	*told = false;
	child = child_fork();
	if (child == 0)
		child_run(dir, scene, how, seed, nth);
	return child_was_killed(child, scene->name);
}

static char before[64 * 1024];
static char after[64 * 1024];
static char got[64 * 1024];

static void
learn_both(const struct scene *scene)
{
	char dir[256];

	bench_dir_make(dir);
	prepare(dir, scene);
	state_of(dir, scene, before);
	assert_false(is_cut(dir, scene, VFS_DROP, 0, 0));
	state_of(dir, scene, after);
	assert_string_not_equal(before, after);
	bench_dir_remove(dir);
}

static void
cut_everywhere(const struct scene *scene, enum vfs_power how, uint64_t seed)
{
	unsigned befores = 0;
	unsigned afters = 0;
	unsigned runs = 0;
	unsigned nth;
	bool cut = true;

	for (nth = 1; cut; nth += STEP) {
		char dir[256];

		runs++;
		bench_dir_make(dir);
		prepare(dir, scene);
		cut = is_cut(dir, scene, how, seed + nth, nth);
		state_of(dir, scene, got);
		befores += strcmp(got, before) == 0;
		afters += strcmp(got, after) == 0;
		if (befores + afters != runs)
			fail_msg("%s, cut %u, seed %llu:\n%s\nbefore:\n%s\n"
				 "after:\n%s",
			    scene->name, nth, (unsigned long long)seed, got,
			    before, after);
		if (*told && strcmp(got, after) != 0)
			fail_msg("%s, cut %u: it was told, and is not there",
			    scene->name, nth);
		bench_dir_remove(dir);
	}
	assert_true(befores != 0);
	assert_true(afters > 1 || STEP != 1);
}

/* req: KS-20-017 KS-20-019 ESKM-207 ESKM-208 */
static void
a_cut_leaves_the_old_state_or_the_new(void **state)
{
	size_t k;
	uint64_t seed;

	(void)state;
	for (k = 0; k < LENGTH(scenes); k++) {
		learn_both(&scenes[k]);
		cut_everywhere(&scenes[k], VFS_DROP, 0);
		for (seed = 1; seed <= 2; seed++)
			cut_everywhere(&scenes[k], VFS_TEAR, seed * 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cut_leaves_the_old_state_or_the_new),
	};

	child_dirs_in_memory();
	told = child_share(sizeof(*told));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

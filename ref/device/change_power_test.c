#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "device/accounts_test.h"

/*
 * A child makes a change, and its power is cut before the first write of the
 * file layer, before the second, and so on until the change gets through. What
 * the parent then finds is one of the two ends: setting and audit line, or
 * neither. What was told is there.
 */
static struct bench bench;
static bool *told; /* outlives the child */

struct scene {
	const char *name;
	enum err fails; /* after the setting was written */
	const char *host;
	const char *line;
};

static const struct scene scenes[] = {
    {"a change", OK, "alpha", "[root]: Hostname: alpha"},
    {"a refusal", ERR_FIELD, "touchstone",
	"[root]: Refused: Hostname: alpha: no"},
};

static enum err
apply(struct change *change)
{
	const struct scene *scene = change->ctx;
	bool changed;
	enum err rc = OK;

	TRY(setting_set(change->appliance->settings, SETTING_HOST_NAME,
	    bytes_of_text("alpha"), &changed, change->why));
	(void)strcpy(change->event, "Hostname: alpha");
	(void)strcpy(change->why, "no");
	TRY(scene->fails);
out:
	return rc;
}

static void
done(struct change *change, enum err rc)
{
	const struct scene *scene = change->ctx;

	*told = rc == scene->fails;
}

static void
open_in(const char *dir)
{
	bench_make_in(&bench, dir);
	assert_ok(
	    settings_new(bench.appliance.store, &bench.appliance.settings));
	assert_ok(clock_new(bench.appliance.store, bench.appliance.env,
	    &bench.appliance.clock));
	assert_ok(
	    credentials_new(&bench.appliance, &bench.appliance.credentials));
}

static void
leave(void)
{
	credentials_free(bench.appliance.credentials);
	clock_free(bench.appliance.clock);
	settings_free(bench.appliance.settings);
	bench_leave(&bench);
}

/* Ends by SIGKILL, or with 0 when nothing was left to cut. */
static void
child_run(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	struct change change = {
	    .by = {.name = "root", .door = DOOR_SERIAL},
	    .act = ACT_NETWORK,
	    .apply = apply,
	    .done = done,
	    .ctx = (void *)(uintptr_t)scene,
	};

	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	change_run(&bench.appliance, &change);
	bench_turn(&bench);
	/* what the log has gathered goes into the database */
	store_close(bench.appliance.store);
	_exit(*told ? 0 : 1);
}

static bool
child_was_cut(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child ended with status %#x", (unsigned)status);
	return false;
}

struct lines {
	char last[256];
	unsigned count;
};

static enum err
keep_line(void *ctx, struct bytes line)
{
	struct lines *lines = ctx;

	lines->count++;
	(void)snprintf(lines->last, sizeof(lines->last), "%.*s",
	    (int)line.octets - 20, (const char *)line.at + 20);
	return OK;
}

static void
assert_one_end(const char *dir, const struct scene *scene, unsigned nth)
{
	struct lines lines = {.count = 0};
	const char *host;

	open_in(dir);
	assert_ok(store_check(bench.appliance.store));
	assert_ok(audit_last(bench.appliance.store, 9, keep_line, &lines));
	host = setting_text(bench.appliance.settings, SETTING_HOST_NAME);
	if (lines.count == 0
		? *told || strcmp(host, "touchstone") != 0
		: lines.count != 1 || strcmp(lines.last, scene->line) != 0 ||
		      strcmp(host, scene->host) != 0)
		fail_msg("%s, cut before write %u: host %s, %u lines, %s, %s",
		    scene->name, nth, host, lines.count, lines.last,
		    *told ? "told" : "not told");
	leave();
}

/* How many cuts there were. */
static unsigned
cut_everywhere(const struct scene *scene, enum vfs_power how, uint64_t seed)
{
	unsigned nth = 0;
	bool cut = true;

	while (cut) {
		char dir[256];
		pid_t child;

		nth++;
		*told = false;
		bench_dir_make(dir);
		open_in(dir);
		account_put(&bench, "root", true, CONTROLS_ALL);
		leave();
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
#ifdef TORTURE
			mem_torture(0);
#endif
			child_run(dir, scene, how, seed, nth);
		}
		cut = child_was_cut(child);
		assert_one_end(dir, scene, nth);
		bench_dir_remove(dir);
	}
	return nth - 1;
}

static void
cut_both(enum vfs_power how, uint64_t seed)
{
	size_t k;

	/* the log's pages, its sync, and the way into the database */
	for (k = 0; k < LENGTH(scenes); k++)
		assert_true(cut_everywhere(&scenes[k], how, seed) >= 5);
}

static void
test_a_power_cut_leaves_all_of_a_change_or_nothing(void **state)
{
	(void)state;
	cut_both(VFS_DROP, 1);
}

static void
test_torn_writes_leave_all_of_a_change_or_nothing(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 3; seed++)
		cut_both(VFS_TEAR, seed);
}

static int
set_up(void **state)
{
	(void)state;
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(told != MAP_FAILED);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(told, sizeof(*told));
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_a_power_cut_leaves_all_of_a_change_or_nothing),
	    cmocka_unit_test(test_torn_writes_leave_all_of_a_change_or_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

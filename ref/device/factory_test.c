#include "device/factory.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "device/rig_test.h"

/*
 * A child resets an appliance to factory settings, and is killed as it enters
 * its first system call, its second, and so on until it gets through.
 * The next start finds the mark and goes on, or finds that all is done; what
 * had been on the disk is overwritten and gone.
 */

/* Stops come as it enters a system call and as it leaves it. */
#ifdef TORTURE
enum { STOPS_STEP = 60 };
#else
enum { STOPS_STEP = 2 };
#endif
enum { PATIENCE_S = 100, FILE_OCTETS = 70000, STOPS_MOST = 2000 };

static const char secret[] = "a key of somebody's that nobody may find again";

/* What an appliance has in its directory; and what is not its own to erase. */
static const char *const files[] = {
    "vault.key",
    "hsm/tokens/one/token.object",
    "hsm/pin",
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "logs/activity/current",
};
#define STAYS "touchstone.conf"

static char dir[256];

static const char *
in_dir(const char *name)
{
	static char path[2][512];
	static unsigned turn;

	turn = 1 - turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static const char *
link_of(size_t file)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "kept/%zu", file);
	return in_dir(name);
}

static void
make_file(const char *name)
{
	FILE *f = fopen(in_dir(name), "w");
	size_t octets = 0;

	assert_non_null(f);
	while (octets < FILE_OCTETS) {
		assert_int_not_equal(fputs(secret, f), EOF);
		octets += strlen(secret);
	}
	assert_int_equal(fclose(f), 0);
}

/* Each file has another name, by which its octets can be looked at. */
static void
make_appliance(void)
{
	static const char *const folders[] = {"hsm", "hsm/tokens",
	    "hsm/tokens/one", "kept", "logs", "logs/activity"};
	size_t k;

	for (k = 0; k < LENGTH(folders); k++)
		assert_int_equal(mkdir(in_dir(folders[k]), 0700), 0);
	for (k = 0; k < LENGTH(files); k++) {
		make_file(files[k]);
		assert_int_equal(link(in_dir(files[k]), link_of(k)), 0);
	}
	make_file(STAYS);
	assert_ok(factory_mark(dir));
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0;
}

static bool
has_secret(const char *path)
{
	static char text[2 * FILE_OCTETS];
	FILE *f = fopen(path, "r");
	size_t octets;

	assert_non_null(f);
	octets = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	return memmem(text, octets, secret, strlen(secret)) != NULL;
}

static void
nothing_is_left(void)
{
	size_t k;

	for (k = 0; k < LENGTH(files); k++) {
		assert_false(is_there(files[k]));
		assert_false(has_secret(link_of(k)));
	}
	assert_false(is_there("hsm"));
	assert_true(has_secret(in_dir(STAYS)));
}

/* ---- a reset ---- */

struct outcome {
	struct loop *loop;
	enum err rc;
	bool told;
};

static void
is_done(void *ctx, enum err rc)
{
	struct outcome *outcome = ctx;

	outcome->rc = rc;
	outcome->told = true;
	loop_stop(outcome->loop);
}

static enum err
reset_in(struct rig *rig)
{
	struct outcome outcome = {.loop = rig->loop};
	struct factory_reset *reset = NULL;
	enum err rc = OK;

	TRY(factory_reset_new(rig->loop, dir, NULL, is_done, &outcome, &reset));
	TRY(loop_run(rig->loop));
	assert(outcome.told);
	rc = outcome.rc;
out:
	factory_reset_free(reset);
	return rc;
}

static enum err
reset(void)
{
	struct rig rig;
	enum err rc = rig_init(&rig);

	if (rc == OK)
		rc = reset_in(&rig);
	rig_clear(&rig);
	return rc;
}

/* The child: stopped once before it begins. */
static void
reset_traced(void)
{
	struct rig rig;

	if (rig_init(&rig) != OK || unlink(rig.clock_path) != 0 ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
		_exit(2);
	_exit(reset_in(&rig) == OK ? 0 : 1);
}

/* false: it got through first. */
static bool
reset_killed_at(unsigned stop)
{
	pid_t child = child_fork();
	int status;

	if (child == 0)
		reset_traced();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	while (stop-- > 0) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* ---- tests ---- */

static int
set_up(void **state)
{
	(void)state;
	(void)alarm(PATIENCE_S);
	bench_dir_make(dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bench_dir_remove(dir);
	(void)alarm(0);
	return 0;
}

/* req: ESKM-149 */
static void
a_reset_erases_what_is_the_appliances_own(void **state)
{
	(void)state;
	make_appliance();
	assert_true(factory_is_marked(dir));
	assert_ok(reset());
	assert_false(factory_is_marked(dir));
	nothing_is_left();
}

/* req: ESKM-149 */
static void
killed_at_any_point_it_goes_on_at_the_next_start(void **state)
{
	unsigned stop = 0, resumed = 0, whole = 0;
	bool killed = true;

	(void)state;
	while (killed && stop < STOPS_MOST) {
		make_appliance();
		killed = reset_killed_at(stop);
		stop += STOPS_STEP;
		if (factory_is_marked(dir)) {
			assert_ok(reset());
			resumed++;
		} else {
			whole++;
		}
		assert_false(factory_is_marked(dir));
		nothing_is_left();
		bench_dir_remove(dir);
		assert_int_equal(mkdir(dir, 0700), 0);
	}
	assert_false(killed);
	/* six files are opened, overwritten, synced and removed */
	assert_true(resumed * STOPS_STEP >= 6 * 4 * 2);
	assert_true(whole >= 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_reset_erases_what_is_the_appliances_own),
	    TEST(killed_at_any_point_it_goes_on_at_the_next_start),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

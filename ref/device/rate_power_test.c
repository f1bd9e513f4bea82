/*
 * A child does operations, a few in a turn, and counts those that are answered;
 * its power is cut before the first write of the file layer, before the second,
 * and so on, or it is killed at some moment. What its parent may still do then
 * is no more than the limit leaves, and less by a block at most.
 */
#include <signal.h>

#include "device/accounts_test.h"
#include "device/rate.h"

enum { AT_ONCE = 3 };

static struct bench bench;

static uint64_t *answered; /* outlives the child */
static int tell_fd = -1;

static void
open_in(const char *dir)
{
	bench_make_in(&bench, dir);
	assert_ok(rates_new(&bench.appliance, 0, &bench.appliance.rates));
}

static void
leave(void)
{
	rates_free(bench.appliance.rates);
	bench_leave(&bench);
}

static enum err
ask(uint64_t limit, uint64_t operations)
{
	store_request(bench.appliance.store);
	return rate_count(bench.appliance.rates, bytes_of_text("alice"),
	    bytes_of_text("k"), limit, operations);
}

static void
tell(void)
{
	++*answered;
	if (tell_fd >= 0 && write(tell_fd, "+", 1) != 1)
		_exit(11);
}

static void
durable(struct store_waiter *w, enum err rc)
{
	(void)w;
	if (rc != OK)
		_exit(12);
	tell();
}

/* Turns of one, two, three operations, until none is left. */
static void
child_run(uint64_t limit)
{
	static struct store_waiter waiters[AT_ONCE];
	unsigned n, k;
	enum err rc = OK;

	(void)unlink(bench.rig.clock_path);
	for (n = 0; rc == OK; n++) {
		for (k = 0; rc == OK && k <= n % AT_ONCE; k++) {
			rc = ask(limit, 1);
			waiters[k].done = durable;
			if (rc == OK && store_must_wait(bench.appliance.store))
				store_wait(bench.appliance.store, &waiters[k]);
			else if (rc == OK)
				tell();
		}
		bench_turn(&bench);
	}
	while (tell_fd >= 0)
		(void)pause(); /* for the kill */
	store_close(bench.appliance.store);
	_exit(rc == ERR_RATE ? 0 : 1);
}

static pid_t
child_start(const char *dir, uint64_t limit, enum vfs_power how, uint64_t seed,
    unsigned nth)
{
	pid_t child = child_fork();
	if (child != 0)
		return child;
	open_in(dir);
	if (nth != 0)
		vfs_power_off(how, seed, nth);
	child_run(limit);
	return child;
}

/* How many operations the hour has left after this. */
static uint64_t
assert_counted(const char *dir, uint64_t limit, unsigned nth)
{
	uint64_t block = limit < 200 ? 1 : limit / RATE_BLOCKS;
	uint64_t left = 0;
	uint64_t step = limit;

	open_in(dir);
	assert_ok(store_check(bench.appliance.store));
	while (step != 0)
		if (ask(limit, step) == OK)
			left += step;
		else
			step /= 2;
	/* those of a turn were counted, and may not have been answered */
	if (*answered + left > limit ||
	    *answered + left + block + AT_ONCE < limit)
		fail_msg("limit %u, cut before write %u: %u answered, %u left",
		    (unsigned)limit, nth, (unsigned)*answered, (unsigned)left);
	leave();
	return left;
}

/* How many cuts there were: before each of the first writes, and then fewer. */
static unsigned
cut_everywhere(uint64_t limit, enum vfs_power how, uint64_t seed)
{
	unsigned nth = 0;
	unsigned cuts = 0;
	bool cut = true;

	while (cut) {
		char dir[256];

		nth += 1 + nth / 8;
		*answered = 0;
		bench_dir_make(dir);
		open_in(dir);
		leave();
		cut = child_was_killed(
		    child_start(dir, limit, how, seed, nth), "a rate");
		(void)assert_counted(dir, limit, nth);
		bench_dir_remove(dir);
		cuts += cut;
	}
	return cuts;
}

static const uint64_t limits[] = {1, 7, 300};

static void
cut_all(enum vfs_power how, uint64_t seed)
{
	size_t k;

	for (k = 0; k < LENGTH(limits); k++)
		assert_true(cut_everywhere(limits[k], how, seed) >= 4);
}

static void
test_no_power_cut_gives_operations_back(void **state)
{
	(void)state;
	cut_all(VFS_DROP, 1);
}

static void
test_no_torn_write_gives_operations_back(void **state)
{
	(void)state;
	cut_all(VFS_TEAR, 1);
}

#ifdef TORTURE
enum { KILLS = 2 };
#else
enum { KILLS = 25 };
#endif

enum { KILL_LIMIT = 20000 };

static uint64_t
kill_after(const char *dir, uint64_t limit, unsigned operations)
{
	int pipe_fd[2];
	pid_t child;
	char c;

	assert_int_equal(pipe(pipe_fd), 0);
	tell_fd = pipe_fd[1];
	child = child_start(dir, limit, VFS_DROP, 0, 0);
	tell_fd = -1;
	close(pipe_fd[1]);
	while (operations-- > 0)
		assert_int_equal(read(pipe_fd[0], &c, 1), 1);
	(void)kill(child, SIGKILL);
	close(pipe_fd[0]);
	assert_true(child_was_killed(child, "a rate"));
	return assert_counted(dir, limit, 0);
}

/* req: KS-29-012 */
static void
test_no_kill_gives_operations_back(void **state)
{
	uint64_t left_least = UINT64_MAX;
	unsigned k;

	(void)state;
	for (k = 0; k < KILLS; k++) {
		char dir[256];
		uint64_t left;

		*answered = 0;
		bench_dir_make(dir);
		open_in(dir);
		leave();
		left = kill_after(dir, KILL_LIMIT, k * 17 % 401);
		left_least = left < left_least ? left : left_least;
		bench_dir_remove(dir);
	}
	/* kills that all came too early would prove nothing */
	assert_true(left_least < KILL_LIMIT);
}

static int
set_up(void **state)
{
	(void)state;
	answered = child_share(sizeof(*answered));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(answered, sizeof(*answered));
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_power_cut_gives_operations_back),
	    cmocka_unit_test(test_no_torn_write_gives_operations_back),
	    cmocka_unit_test(test_no_kill_gives_operations_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

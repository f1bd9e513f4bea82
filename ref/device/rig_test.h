/*
 * For the tests of this folder: laboratory time, a loop, a store in a
 * directory of its own, and an appliance that has these; the rest of it is
 * what the test opens.
 */
#ifndef DEVICE_RIG_TEST_H
#define DEVICE_RIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>

#include "base/child_test.h"
#include "base/rig_test.h"
#include "device/appliance.h"
#include "store/record.h"
#include "store/vfs.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define assert_err(call, want)                                     \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != (want))                                \
			fail_msg("%s: expected %s, got %s", #call, \
			    err_name(want), err_name(got_));       \
	} while (0)
#define assert_ok(call) assert_err(call, OK)

struct bench {
	struct rig rig; /* time and the loop */
	char dir[256];
	struct store_options options;
	struct appliance appliance;
	struct loop_task commit;
};

static inline void
bench_commit(void *ctx)
{
	struct bench *bench = ctx;

	(void)store_commit(bench->appliance.store);
}

static inline void
bench_open(struct bench *bench)
{
	assert_ok(store_open(bench->dir, bench->rig.env, &bench->options,
	    &bench->appliance.store));
}

static inline void
bench_dir_make(char dir[256])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(
	    dir, 256, "%s/device.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
}

/* In a directory that is there, with what is in it. */
static inline void
bench_make_in(struct bench *bench, const char *dir)
{
	memset(bench, 0, sizeof(*bench));
	assert_ok(rig_init(&bench->rig));
	(void)snprintf(bench->dir, sizeof(bench->dir), "%s", dir);
	bench->options.lab = true;
	bench->appliance.env = bench->rig.env;
	bench->appliance.loop = bench->rig.loop;
	bench_open(bench);
	bench->commit = (struct loop_task){.fn = bench_commit, .ctx = bench};
	loop_each_turn(bench->rig.loop, &bench->commit);
}

static inline void
bench_make(struct bench *bench)
{
	char dir[256];

	bench_dir_make(dir);
	bench_make_in(bench, dir);
}

/* The directory stays. */
static inline void
bench_leave(struct bench *bench)
{
	store_close(bench->appliance.store);
	loop_task_cancel(&bench->commit);
	rig_clear(&bench->rig);
}

static inline int
bench_remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void
bench_dir_remove(const char *dir)
{
	assert_int_equal(
	    nftw(dir, bench_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void
bench_remove(struct bench *bench)
{
	bench_leave(bench);
	bench_dir_remove(bench->dir);
}

/* What was left for later, and the end of the turn. */
static inline void
bench_turn(struct bench *bench)
{
	assert_ok(rig_turns(&bench->rig, 2));
}

#endif

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
bench_make(struct bench *bench)
{
	const char *tmp = getenv("TMPDIR");

	memset(bench, 0, sizeof(*bench));
	assert_ok(rig_init(&bench->rig));
	(void)snprintf(bench->dir, sizeof(bench->dir), "%s/device.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(bench->dir));
	bench->options.lab = true;
	bench->appliance.env = bench->rig.env;
	bench->appliance.loop = bench->rig.loop;
	bench_open(bench);
	bench->commit = (struct loop_task){.fn = bench_commit, .ctx = bench};
	loop_each_turn(bench->rig.loop, &bench->commit);
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
bench_remove(struct bench *bench)
{
	store_close(bench->appliance.store);
	loop_task_cancel(&bench->commit);
	rig_clear(&bench->rig);
	assert_int_equal(
	    nftw(bench->dir, bench_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* What was left for later, and the end of the turn. */
static inline void
bench_turn(struct bench *bench)
{
	assert_ok(rig_turns(&bench->rig, 2));
}

#endif

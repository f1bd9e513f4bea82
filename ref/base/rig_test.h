/*
 * For tests: laboratory time that the test moves, and a loop that it turns.
 */
#ifndef BASE_RIG_TEST_H
#define BASE_RIG_TEST_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/env.h"
#include "base/loop.h"

struct rig {
	struct env_clock_file *clock;
	char clock_path[256];
	struct env *env;
	struct loop *loop;
	struct loop_task step;
	unsigned turns_left;
	loop_fn *begins; /* called as each turn begins */
	void *ctx;
};

static inline enum err
rig_init(struct rig *rig)
{
	const struct env_clock_file zero = {.magic = "TSCLOCK1"};
	const char *dir = getenv("TMPDIR");
	enum err rc = OK;
	int fd;

	memset(rig, 0, sizeof(*rig));
	(void)snprintf(rig->clock_path, sizeof(rig->clock_path),
	    "%s/clock.XXXXXX", dir != NULL ? dir : "/tmp");
	fd = mkstemp(rig->clock_path);
	if (fd < 0 || write(fd, &zero, sizeof(zero)) != sizeof(zero))
		abort();
	rig->clock =
	    mmap(NULL, sizeof(zero), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (rig->clock == MAP_FAILED)
		abort();
	close(fd);
	TRY(env_new_lab(rig->clock_path, &rig->env));
	TRY(loop_new(rig->env, &rig->loop));
out:
	return rc;
}

static inline void
rig_clear(struct rig *rig)
{
	loop_free(rig->loop);
	env_free(rig->env);
	if (rig->clock != NULL)
		munmap(rig->clock, sizeof(*rig->clock));
	unlink(rig->clock_path);
}

static inline void
rig_step(void *ctx)
{
	struct rig *rig = ctx;

	if (rig->begins != NULL)
		rig->begins(rig->ctx);
	if (--rig->turns_left == 0)
		loop_stop(rig->loop);
	else
		loop_later(rig->loop, &rig->step);
}

/* So many turns, none of which waits. */
static inline enum err
rig_turns(struct rig *rig, unsigned count)
{
	rig->turns_left = count;
	rig->step.fn = rig_step;
	rig->step.ctx = rig;
	loop_later(rig->loop, &rig->step);
	return loop_run(rig->loop);
}

static inline void
rig_move_to(struct rig *rig, int64_t elapsed_ms)
{
	__atomic_store_n(&rig->clock->elapsed_ms, elapsed_ms, __ATOMIC_RELEASE);
	__atomic_add_fetch(&rig->clock->generation, 1, __ATOMIC_RELEASE);
}

#endif

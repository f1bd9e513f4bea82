/*
 * For tests that have a child die: its power is cut, or it is killed. Who
 * includes it has included <cmocka.h>.
 */
#ifndef BASE_CHILD_TEST_H
#define BASE_CHILD_TEST_H

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* 0 in the child, where no allocation is failed. */
static inline pid_t
child_fork(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
#ifdef TORTURE
	if (child == 0)
		mem_torture(0);
#endif
	return child;
}

/* Memory that the child's writes are seen in, and outlives it; zeroed. */
static inline void *
child_share(size_t octets)
{
	void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* Was it killed? It came to its end otherwise; nothing else may be. */
static inline bool
child_was_killed(pid_t child, const char *what)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: the child ended with status %#x", what,
		    (unsigned)status);
	return false;
}

/* What is lost is simulated: directories may be in memory, where syncs cost
 * nothing. */
static inline void
child_dirs_in_memory(void)
{
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
}

#endif

#include "device/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

extern char **environ;

struct program {
	pid_t pid;
	int pid_fd; /* readable when it has ended */
	struct loop_fd *ended;
	int print_fd; /* our end of what it prints to */
	struct loop_fd *printed;
	struct buf prints;
	program_done_fn *done; /* NULL: nobody waits */
	void *ctx;
};

static void
program_free(struct program *p)
{
	if (p == NULL)
		return;
	loop_fd_free(p->ended);
	loop_fd_free(p->printed);
	if (p->pid_fd >= 0)
		close(p->pid_fd);
	if (p->print_fd >= 0)
		close(p->print_fd);
	buf_clear(&p->prints);
	mem_free(p);
}

/* What is there by now; what is too much is read and dropped. */
static void
read_prints(struct program *p)
{
	uint8_t octets[1024];
	ssize_t got;

	while ((got = read(p->print_fd, octets, sizeof(octets))) > 0) {
		if (buf_put(&p->prints, (struct bytes){octets, (size_t)got}) !=
		    OK)
			continue;
	}
	/* its end, which says nothing of the program's */
	if (got == 0) {
		loop_fd_free(p->printed);
		p->printed = NULL;
	}
}

static void
printed(void *ctx, unsigned ready)
{
	(void)ready;
	read_prints(ctx);
}

static void
ended(void *ctx, unsigned ready)
{
	struct program *p = ctx;
	int status = 0;
	bool passed = waitpid(p->pid, &status, 0) == p->pid &&
		      WIFEXITED(status) && WEXITSTATUS(status) == 0;

	(void)ready;
	read_prints(p);
	if (p->done != NULL)
		p->done(p->ctx, passed, buf_peek(&p->prints));
	program_free(p);
}

void
program_leave(struct program *p)
{
	if (p != NULL)
		p->done = NULL;
}

/* Signals as any program finds them: ours has some blocked and ignored. */
static enum err
spawn(struct program *p, const char *const *argv, int to)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	/* none of these fails on Linux but for want of memory */
	if (posix_spawn_file_actions_init(&files) != 0)
		return ERR_NOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return ERR_NOMEM;
	}
	(void)posix_spawn_file_actions_addopen(
	    &files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&files, to, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&files, to, STDERR_FILENO);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(
	    &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&p->pid, argv[0], &files, &attributes,
	    (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	if (rc != 0)
		log_line("device", LOG_ERROR, "%s: %s", argv[0], strerror(rc));
	return rc == 0 ? OK : ERR_SYSTEM;
}

enum err
program_run(struct loop *loop, const char *const *argv, program_done_fn *done,
    void *ctx, struct program **out)
{
	struct program *p = NULL;
	int ends[2] = {-1, -1};
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(p));
	p->pid_fd = p->print_fd = -1;
	p->done = done;
	p->ctx = ctx;
	buf_init(&p->prints, PROGRAM_PRINTS_OCTETS);
	if (pipe2(ends, O_CLOEXEC) != 0)
		TRY(ERR_SYSTEM);
	p->print_fd = ends[0];
	if (fcntl(p->print_fd, F_SETFL, O_NONBLOCK) != 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(loop, p->print_fd, LOOP_READ, printed, p, &p->printed));
	TRY(spawn(p, argv, ends[1]));
	p->pid_fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pid_fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(loop, p->pid_fd, LOOP_READ, ended, p, &p->ended));
	*out = p;
	p = NULL;
out:
	if (ends[1] >= 0)
		close(ends[1]);
	if (p != NULL && p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	program_free(p);
	return rc;
}

#include "base/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

struct daemon_end {
	struct daemon_end_config config;
	struct loop *loop;
	int fd;
	struct loop_fd *watch;
	bool begun;
	struct loop_task each_turn;
};

void
daemon_shield(bool peek)
{
	const struct rlimit none = {0, 0};
	struct rlimit files;

	umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
	if (!peek)
		(void)prctl(PR_SET_DUMPABLE, 0);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

enum err
daemon_dir(const char *name, const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return OK;
	log_line(name, LOG_ERROR, "%s: %s", path, strerror(errno));
	return ERR_SYSTEM;
}

enum err
daemon_env(const char *name, const char *clock, struct env **out)
{
	enum err rc;

	if (clock == NULL)
		return env_new(out);
	rc = env_new_lab(clock, out);
	if (rc != OK)
		log_line(name, LOG_ERROR, "%s: %s", clock,
		    rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
	return rc;
}

void
daemon_starting(const char *name, const char *detail)
{
	log_line(name, LOG_INFO, "starting: %s", detail);
	printf("starting: %s\n", detail);
	(void)fflush(stdout);
}

void
daemon_ready(const char *detail)
{
	printf("ready%s\n", detail);
	(void)fflush(stdout);
}

void
daemon_power_off(void *ctx, bool tear, uint64_t seed, unsigned nth)
{
	(void)ctx;
	(void)tear;
	(void)seed;
	(void)nth;
	(void)raise(SIGKILL);
}

/* ---- the end ---- */

static void
turn_ends(void *ctx)
{
	struct daemon_end *end = ctx;

	if (end->config.over(end->config.ctx))
		loop_stop(end->loop);
}

void
daemon_end_begin(struct daemon_end *end)
{
	if (end->begun)
		return;
	if (end->config.begin == NULL) {
		loop_stop(end->loop);
		return;
	}
	end->begun = true;
	end->config.begin(end->config.ctx);
	end->each_turn.fn = turn_ends;
	end->each_turn.ctx = end;
	loop_each_turn(end->loop, &end->each_turn);
	(void)alarm(DAEMON_END_S);
}

static void
signalled(void *ctx, unsigned ready)
{
	struct daemon_end *end = ctx;
	struct signalfd_siginfo what;

	(void)ready;
	if (read(end->fd, &what, sizeof(what)) != sizeof(what))
		return;
	if (end->begun || what.ssi_signo == SIGALRM)
		loop_stop(end->loop);
	else
		daemon_end_begin(end);
}

enum err
daemon_end_new(struct loop *loop, const struct daemon_end_config *config,
    struct daemon_end **out)
{
	struct daemon_end *end = NULL;
	sigset_t set;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(end));
	end->fd = -1;
	end->config = *config;
	end->loop = loop;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGALRM);
	if (config->hang_up)
		sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	end->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (end->fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(loop, end->fd, LOOP_READ, signalled, end, &end->watch));
	*out = end;
	end = NULL;
out:
	daemon_end_free(end);
	return rc;
}

void
daemon_end_free(struct daemon_end *end)
{
	if (end == NULL)
		return;
	loop_task_cancel(&end->each_turn);
	loop_fd_free(end->watch);
	if (end->fd >= 0)
		close(end->fd);
	mem_free(end);
}

void
daemon_again(char *const *argv)
{
	daemon_become("/proc/self/exe", argv);
}

void
daemon_become(const char *path, char *const *argv)
{
	(void)alarm(0); /* goes on in the new program, which has no end yet */
	(void)execv(path, argv);
	log_line(
	    "daemon", LOG_ERROR, "cannot start %s: %s", path, strerror(errno));
}

bool
daemon_is_ending(const struct daemon_end *end)
{
	return end->begun;
}

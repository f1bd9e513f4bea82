#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "die.h"

/* A trial's process and what it shares with us. */
struct child {
	pid_t pid;
	int from; /* its end of the pipe closes with it */
	char *where;
	int64_t until_ms;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The page in which a child writes what it calls, for when it cannot tell. */
static char *
shared_page(void)
{
	static char *page;

	if (page == NULL) {
		page = mmap(NULL, WHERE_OCTETS, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			die("no shared page: %s", strerror(errno));
	}
	page[0] = '\0';
	return page;
}

/* 0 in the child, which writes to *to. */
static pid_t
child_start(const struct runner *r, struct child *c, int *to)
{
	int pipe_ends[2];

	c->where = shared_page();
	if (pipe(pipe_ends) != 0)
		die("pipe: %s", strerror(errno));
	fflush(NULL);
	c->pid = fork();
	if (c->pid < 0)
		die("fork: %s", strerror(errno));
	if (c->pid == 0) {
		close(pipe_ends[0]);
		*to = pipe_ends[1];
		return 0;
	}
	close(pipe_ends[1]);
	c->from = pipe_ends[0];
	c->until_ms = now_ms() + r->limit_ms;
	return c->pid;
}

/* Exactly that many octets; ERR_CLOSED when the child ended before it. */
static enum err
child_read(struct child *c, void *out, size_t octets)
{
	char *at = out;

	while (octets > 0) {
		struct pollfd p = {.fd = c->from, .events = POLLIN};
		int64_t left_ms = c->until_ms - now_ms();
		ssize_t n;

		if (left_ms <= 0)
			return ERR_TIMEOUT;
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue; /* the time is looked at above */
		n = read(c->from, at, octets);
		if (n <= 0)
			return ERR_CLOSED;
		at += n;
		octets -= (size_t)n;
	}
	return OK;
}

/* What is left of it: nothing it does after its outcome counts, but it must
 * not be there any more when the next one begins. */
static int
child_end(struct child *c, enum err rc)
{
	char rest;
	int status = 0;

	if (rc == OK && child_read(c, &rest, 1) == ERR_TIMEOUT)
		rc = ERR_TIMEOUT;
	if (rc == ERR_TIMEOUT)
		kill(c->pid, SIGKILL);
	close(c->from);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void
say_end(char *to, size_t octets, enum err rc, int status, const char *where)
{
	char how[96];

	if (rc == ERR_TIMEOUT)
		snprintf(how, sizeof how, "did not answer in time");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "ended by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof how, "left with exit code %d",
		    WEXITSTATUS(status));
	snprintf(to, octets, "the module %s in %s", how,
	    where[0] != '\0' ? where : "its loading");
}

enum err
runner_survey(struct runner *r, struct fault *f)
{
	struct child c;
	int to, status;
	enum err rc;

	if (child_start(r, &c, &to) == 0) {
		const char *at = (const char *)&r->facts;
		size_t left = sizeof r->facts;

		module_survey(&r->module, &r->facts, c.where);
		while (left > 0) {
			ssize_t n = write(to, at, left);

			if (n <= 0)
				_exit(1);
			at += n;
			left -= (size_t)n;
		}
		_exit(0);
	}
	rc = child_read(&c, &r->facts, sizeof r->facts);
	status = child_end(&c, rc);
	if (rc != OK) {
		say_end(f->text, sizeof f->text, rc, status, c.where);
		return rc;
	}
	if (r->facts.error[0] != '\0')
		return fault_say(f, ERR_OPEN, "%s", r->facts.error);
	return OK;
}

static bool __attribute__((format(printf, 3, 4)))
idle(struct outcome *o, enum verdict v, const char *format, ...)
{
	va_list ap;

	o->verdict = v;
	va_start(ap, format);
	vsnprintf(o->reason, sizeof o->reason, format, ap);
	va_end(ap);
	return true;
}

/* Whether the token does not claim what the trial is about. */
static bool
unclaimed(const struct runner *r, const struct claim *c, struct outcome *o)
{
	const struct fact_mechanism *m = facts_find(&r->facts, c->type);

	if (m == NULL)
		return idle(o, VERDICT_NOT_CLAIMED,
		    "%s is not on its list of mechanisms", c->name);
	if ((m->info.flags & c->flags) != c->flags)
		return idle(o, VERDICT_NOT_CLAIMED,
		    "%s is listed without the flags 0x%lx", c->name,
		    c->flags & ~m->info.flags);
	if (c->key_size != 0 && (c->key_size < m->info.ulMinKeySize ||
				    c->key_size > m->info.ulMaxKeySize))
		return idle(o, VERDICT_NOT_CLAIMED,
		    "%s is listed for keys of %lu to %lu, not for %lu", c->name,
		    m->info.ulMinKeySize, m->info.ulMaxKeySize, c->key_size);
	return false;
}

/* Whether there is a reason not to put the trial to the module. */
static bool
excused(const struct runner *r, const struct trial *t, struct outcome *o)
{
	const CK_FLAGS flags = r->facts.token.flags;

	for (size_t i = 0; i < CLAIMS_MAX && t->claims[i].name != NULL; i++)
		if (unclaimed(r, &t->claims[i], o))
			return true;
	if ((t->needs & NEED_INIT_TOKEN) && !r->may_init_token)
		return idle(o, VERDICT_NOT_RUN,
		    "it may change the token: say --init-token");
	if ((t->needs & NEED_PIN) && user_pin.at == NULL)
		return idle(o, VERDICT_NOT_RUN, "no --pin-file");
	if ((t->needs & NEED_SO_PIN) && so_pin.at == NULL)
		return idle(o, VERDICT_NOT_RUN, "no --so-pin-file");
	if ((t->needs & NEED_PIN) &&
	    (flags & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY)))
		return idle(
		    o, VERDICT_NOT_RUN, "the user's PIN is locked, or nearly");
	if ((t->needs & NEED_PIN) && (flags & CKF_USER_PIN_TO_BE_CHANGED))
		return idle(
		    o, VERDICT_NOT_RUN, "the user's PIN must be changed first");
	if ((t->needs & NEED_SO_PIN) &&
	    (flags & (CKF_SO_PIN_LOCKED | CKF_SO_PIN_FINAL_TRY)))
		return idle(
		    o, VERDICT_NOT_RUN, "the SO's PIN is locked, or nearly");
	return false;
}

void
runner_try(struct runner *r, const struct trial *t, struct outcome *out)
{
	struct child c;
	int to, status;
	enum err rc;

	memset(out, 0, sizeof *out);
	if (excused(r, t, out))
		return;
	if (child_start(r, &c, &to) == 0)
		module_try(&r->module, &r->facts, t, to, c.where);
	rc = child_read(&c, out, sizeof *out);
	status = child_end(&c, rc);
	if (rc != OK) {
		out->verdict = VERDICT_UNKNOWN;
		say_end(out->reason, sizeof out->reason, rc, status, c.where);
	}
}

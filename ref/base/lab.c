#include "base/lab.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* Somebody at the control socket. fd is -1 where nobody is. */
struct peer {
	struct lab *lab;
	int fd;
	struct loop_fd *watch;
	char line[LAB_LINE_OCTETS];
	size_t octets;
	bool waits;                   /* for the answer to "clock" */
	char awaits[LAB_LINE_OCTETS]; /* the words; none: "" */
};

struct lab {
	struct loop *loop;
	struct env *env;
	const struct lab_config *config;
	unsigned fault[LAB_FAULTS_MAX];
	int fd;
	struct loop_fd *watch;
	struct loop_task settled;
	struct loop_task look; /* for those who await something */
	/* "clock" waits for jobs and errands, but not for those that hang */
	bool waits_for_work;
	unsigned hanging; /* jobs */
	struct loop_fd *rest;
	int patience_fd;
	struct loop_fd *patience;
	struct peer peers[LAB_PEERS_MAX];
};

/* ---- answers ---- */

static void
peer_close(struct peer *peer)
{
	loop_fd_free(peer->watch);
	peer->watch = NULL;
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->octets = 0;
	peer->waits = false;
	peer->awaits[0] = '\0';
}

/* Of timers, any or those that are not patient, and of threads. */
static bool
next_due(struct lab *lab, bool firm, int64_t *due_ms)
{
	int64_t thread_ms;
	bool any = firm ? loop_next_firm_due(lab->loop, due_ms)
			: loop_next_due(lab->loop, due_ms);

	if (lab->config->waits == NULL ||
	    !wait_next_due(lab->config->waits, &thread_ms))
		return any;
	if (!any || thread_ms < *due_ms)
		*due_ms = thread_ms;
	return true;
}

static enum err
say_due(struct buf *out, const char *name, bool any, int64_t due_ms)
{
	return any ? buf_printf(out, " %s=%" PRId64, name, due_ms)
		   : buf_printf(out, " %s=none", name);
}

static enum err
say_status(struct lab *lab, struct buf *out)
{
	int64_t due_ms = 0, firm_ms = 0;
	bool any, firm;
	enum err rc = OK;

	TRY(buf_printf(out, "ok pid=%d elapsed=%" PRId64, (int)getpid(),
	    loop_now_ms(lab->loop)));
	any = next_due(lab, false, &due_ms);
	firm = next_due(lab, true, &firm_ms);
	TRY(say_due(out, "next", any, due_ms));
	if (firm != any || firm_ms != due_ms)
		TRY(say_due(out, "firm", firm, firm_ms));
	TRY(lab->config->status(lab->config->ctx, out));
out:
	return rc;
}

static enum err
say_faults(struct lab *lab, struct buf *out)
{
	size_t k;
	enum err rc = OK;

	TRY(buf_printf(out, "ok"));
	for (k = 0; k < lab->config->fault_count; k++) {
		const struct lab_fault *fault = &lab->config->faults[k];
		const char *value = fault->values;
		unsigned skip = lab->fault[k];

		while (skip-- != 0)
			value += strcspn(value, "|") + 1;
		TRY(buf_printf(out, " %s=%.*s", fault->name,
		    (int)strcspn(value, "|"), value));
	}
out:
	return rc;
}

/* ---- commands: the rest of the line is `words` ---- */

static enum err
run_status(struct peer *peer, char *words, struct buf *out)
{
	if (*words != '\0')
		return ERR_VALUE;
	return say_status(peer->lab, out);
}

static bool
find_value(const char *values, const char *word, unsigned *out)
{
	size_t octets = strlen(word);

	for (*out = 0; *values != '\0'; ++*out) {
		size_t one = strcspn(values, "|");

		if (one == octets && memcmp(values, word, one) == 0)
			return true;
		values += one;
		values += *values == '|';
	}
	return false;
}

static enum err
run_fault(struct peer *peer, char *words, struct buf *out)
{
	struct lab *lab = peer->lab;
	char *name = strsep(&words, " ");
	unsigned value;
	size_t k;
	enum err rc = OK;

	if (*name == '\0')
		return say_faults(lab, out);
	for (k = 0; k < lab->config->fault_count; k++) {
		const struct lab_fault *fault = &lab->config->faults[k];

		if (strcmp(fault->name, name) != 0)
			continue;
		if (words == NULL || !find_value(fault->values, words, &value))
			TRY(ERR_VALUE);
		TRY(fault->set(lab->config->ctx, value));
		lab->fault[k] = value;
		log_line(
		    "base", LOG_INFO, "laboratory: fault %s %s", name, words);
		TRY(buf_printf(out, "ok"));
		goto out;
	}
	rc = ERR_NOT_FOUND;
out:
	return rc;
}

static bool
read_number(char **words, uint64_t *out)
{
	char *word = strsep(words, " ");
	char *end;

	if (word == NULL || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*out = strtoull(word, &end, 10);
	return *end == '\0' && errno == 0;
}

static enum err
run_power(struct peer *peer, char *words, struct buf *out)
{
	const struct lab_config *config = peer->lab->config;
	char *how = strsep(&words, " ");
	uint64_t seed = 0;
	uint64_t nth = 0;
	bool tear = strcmp(how, "tear") == 0;

	if (!tear && strcmp(how, "drop") != 0)
		return ERR_VALUE;
	if (tear && (!read_number(&words, &seed) ||
			!read_number(&words, &nth) || nth > UINT32_MAX))
		return ERR_VALUE;
	if (words != NULL)
		return ERR_VALUE;
	config->power_off(config->ctx, tear, seed, (unsigned)nth);
	return buf_printf(out, "ok");
}

/* What threads do makes no turn of the loop, but where somebody waits for it.
 */
static void
listen_to_threads(struct lab *lab)
{
	bool any = false;
	size_t k;

	if (lab->config->waits == NULL)
		return;
	for (k = 0; k < LAB_PEERS_MAX; k++)
		any |= lab->peers[k].waits || lab->peers[k].awaits[0] != '\0';
	wait_tell(lab->config->waits, any);
}

static enum err
run_clock(struct peer *peer, char *words, struct buf *out)
{
	(void)out;
	if (*words != '\0')
		return ERR_VALUE;
	if (peer->lab->config->moved != NULL)
		peer->lab->config->moved(peer->lab->config->ctx);
	peer->waits = true;
	listen_to_threads(peer->lab);
	loop_later(peer->lab->loop, &peer->lab->settled);
	return OK;
}

static enum err
run_await(struct peer *peer, char *words, struct buf *out)
{
	(void)out;
	if (*words == '\0')
		return ERR_VALUE;
	(void)snprintf(peer->awaits, sizeof(peer->awaits), "%s", words);
	listen_to_threads(peer->lab);
	return OK;
}

static enum err
run_turns(struct peer *peer, char *words, struct buf *out)
{
	if (*words != '\0')
		return ERR_VALUE;
	return buf_printf(out, "ok longest_us=%lld",
	    (long long)loop_longest_turn_us(peer->lab->loop));
}

/* What is not answered at once leaves `out` empty. */
static const struct {
	const char *name;
	enum err (*run)(struct peer *peer, char *words, struct buf *out);
} commands[] = {
    {"status", run_status},
    {"clock", run_clock},
    {"await", run_await},
    {"fault", run_fault},
    {"turns", run_turns},
    {"power", run_power},
};

/* ---- the socket ---- */

static void
peer_send(struct peer *peer, struct buf *out)
{
	/* a peer that does not take one line is not worth waiting for */
	if (buf_put_text(out, "\n") != OK ||
	    send(peer->fd, out->at, out->octets, MSG_NOSIGNAL) !=
		(ssize_t)out->octets)
		peer_close(peer);
}

static void
peer_command(struct peer *peer, char *line)
{
	const struct lab_config *config = peer->lab->config;
	char whole[LAB_LINE_OCTETS];
	char *name;
	char none[] = "";
	struct buf out;
	enum err rc = ERR_NOT_FOUND;
	size_t k;

	buf_init(&out, 4096);
	(void)snprintf(whole, sizeof(whole), "%s", line);
	name = strsep(&line, " ");
	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		if (strcmp(commands[k].name, name) != 0)
			continue;
		rc = commands[k].run(peer, line != NULL ? line : none, &out);
		break;
	}
	if (rc == ERR_NOT_FOUND && config->command != NULL)
		rc = config->command(config->ctx, whole, &out);
	if (rc != OK) {
		buf_reset(&out);
		rc = buf_printf(&out, "error %s", err_text(rc));
	}
	if (rc != OK)
		peer_close(peer);
	else if (out.octets != 0)
		peer_send(peer, &out);
	buf_clear(&out);
}

static void
send_status(struct peer *peer)
{
	struct buf out;

	buf_init(&out, 4096);
	if (say_status(peer->lab, &out) == OK)
		peer_send(peer, &out);
	else
		peer_close(peer);
	buf_clear(&out);
}

static bool
has_come(struct lab *lab, const char *words)
{
	struct buf out;
	bool found;

	buf_init(&out, 4096);
	found = say_status(lab, &out) == OK &&
		memmem(out.at, out.octets, words, strlen(words)) != NULL;
	buf_clear(&out);
	return found;
}

/* But for what hangs. Goes on with the threads that are due. */
static bool
is_at_rest(struct lab *lab)
{
	return loop_jobs(lab->loop) <= lab->hanging &&
	       (lab->config->waits == NULL || wait_settled(lab->config->waits));
}

/* What was done may make timers due: look again from the beginning. */
static void
work_waited_for(struct lab *lab)
{
	lab->waits_for_work = false;
	loop_later(lab->loop, &lab->settled);
}

static void
look(void *ctx)
{
	struct lab *lab = ctx;
	unsigned jobs = loop_jobs(lab->loop);
	size_t k;

	if (lab->hanging > jobs)
		lab->hanging = jobs;
	if (lab->waits_for_work && is_at_rest(lab))
		work_waited_for(lab);

	for (k = 0; k < LAB_PEERS_MAX; k++) {
		struct peer *peer = &lab->peers[k];

		if (peer->awaits[0] == '\0' || !has_come(lab, peer->awaits))
			continue;
		peer->awaits[0] = '\0';
		send_status(peer);
	}
}

static void
threads_rest(void *ctx, unsigned ready)
{
	struct lab *lab = ctx;
	uint64_t count;

	(void)ready;
	(void)!read(wait_fd(lab->config->waits), &count, sizeof(count));
	listen_to_threads(lab);
}

static void
set_patience(struct lab *lab, int64_t ms)
{
	const struct itimerspec at = {
	    .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};

	(void)timerfd_settime(lab->patience_fd, 0, &at, NULL);
}

static void
patience_over(void *ctx, unsigned ready)
{
	struct lab *lab = ctx;
	uint64_t count;

	(void)ready;
	(void)!read(lab->patience_fd, &count, sizeof(count));
	lab->hanging = loop_jobs(lab->loop);
	if (lab->config->waits != NULL)
		wait_give_up(lab->config->waits);
	if (lab->waits_for_work)
		work_waited_for(lab);
}

/* A turn has gone by since "clock": is anything due, still or again? */
static void
clock_settled(void *ctx)
{
	struct lab *lab = ctx;
	int64_t due_ms;
	size_t k;

	if (loop_next_due(lab->loop, &due_ms) &&
	    due_ms <= loop_now_ms(lab->loop)) {
		loop_later(lab->loop, &lab->settled);
		return;
	}
	if (!is_at_rest(lab)) {
		lab->waits_for_work = true;
		set_patience(lab, LAB_PATIENCE_MS);
		return;
	}
	set_patience(lab, 0);
	for (k = 0; k < LAB_PEERS_MAX; k++) {
		struct peer *peer = &lab->peers[k];

		if (!peer->waits)
			continue;
		peer->waits = false;
		send_status(peer);
	}
}

static void
peer_ready(void *ctx, unsigned ready)
{
	struct peer *peer = ctx;
	ssize_t got = recv(peer->fd, peer->line + peer->octets,
	    sizeof(peer->line) - peer->octets, 0);
	char *end;

	(void)ready;
	if (got <= 0) {
		peer_close(peer);
		return;
	}
	peer->octets += (size_t)got;
	/* who asks waits for the answer: one line at a time */
	end = memchr(peer->line, '\n', peer->octets);
	if (end == NULL && peer->octets < sizeof(peer->line))
		return;
	if (end == NULL || end + 1 != peer->line + peer->octets ||
	    peer->waits || peer->awaits[0] != '\0') {
		peer_close(peer);
		return;
	}
	*end = '\0';
	peer->octets = 0;
	peer_command(peer, peer->line);
}

static void
lab_ready(void *ctx, unsigned ready)
{
	struct lab *lab = ctx;
	struct peer *peer = NULL;
	size_t k;
	int fd = accept4(lab->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ready;
	for (k = 0; k < LAB_PEERS_MAX && peer == NULL; k++) {
		if (lab->peers[k].fd < 0)
			peer = &lab->peers[k];
	}
	if (fd < 0)
		return;
	if (peer == NULL) {
		close(fd);
		return;
	}
	peer->fd = fd;
	if (loop_fd_new(
		lab->loop, fd, LOOP_READ, peer_ready, peer, &peer->watch) != OK)
		peer_close(peer);
}

static enum err
open_socket(struct lab *lab)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *path = lab->config->path;
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(at.sun_path))
		TRY(ERR_SYSTEM);
	memcpy(at.sun_path, path, strlen(path));
	lab->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (lab->fd < 0 || (unlink(path) != 0 && errno != ENOENT) ||
	    bind(lab->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(path, 0600) != 0 || listen(lab->fd, LAB_PEERS_MAX) != 0)
		TRY(ERR_SYSTEM);
out:
	if (rc != OK)
		log_line("base", LOG_ERROR, "%s: %s", path, strerror(errno));
	return rc;
}

enum err
lab_new(struct loop *loop, struct env *env, const struct lab_config *config,
    struct lab **out)
{
	struct lab *lab = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(lab));
	lab->loop = loop;
	lab->env = env;
	lab->config = config;
	lab->fd = -1;
	lab->patience_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	lab->settled.fn = clock_settled;
	lab->settled.ctx = lab;
	lab->look.fn = look;
	lab->look.ctx = lab;
	loop_each_turn(loop, &lab->look);
	for (k = 0; k < LAB_PEERS_MAX; k++) {
		lab->peers[k].lab = lab;
		lab->peers[k].fd = -1;
	}
	if (lab->patience_fd < 0)
		TRY(ERR_SYSTEM);
	TRY(loop_fd_new(loop, lab->patience_fd, LOOP_READ, patience_over, lab,
	    &lab->patience));
	if (config->waits != NULL)
		TRY(loop_fd_new(loop, wait_fd(config->waits), LOOP_READ,
		    threads_rest, lab, &lab->rest));
	TRY(open_socket(lab));
	TRY(loop_fd_new(loop, lab->fd, LOOP_READ, lab_ready, lab, &lab->watch));
	*out = lab;
	lab = NULL;
out:
	lab_free(lab);
	return rc;
}

void
lab_free(struct lab *lab)
{
	size_t k;

	if (lab == NULL)
		return;
	for (k = 0; k < LAB_PEERS_MAX; k++)
		peer_close(&lab->peers[k]);
	loop_task_cancel(&lab->settled);
	loop_task_cancel(&lab->look);
	loop_fd_free(lab->rest);
	loop_fd_free(lab->patience);
	if (lab->patience_fd >= 0)
		close(lab->patience_fd);
	loop_fd_free(lab->watch);
	if (lab->fd >= 0) {
		close(lab->fd);
		(void)unlink(lab->config->path);
	}
	mem_free(lab);
}

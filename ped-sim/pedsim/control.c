#include "pedsim/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

/* fd is -1 where nobody is. */
struct hand {
	struct control *control;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *timer;
	bool watches;
	struct buf in, out;
};

struct control {
	struct loop *loop;
	struct ped *ped;
	const char *path;
	int fd;
	struct loop_fd *watch;
	struct hand hands[CONTROL_PEERS_MAX];
};

/* ---- what is told ---- */

enum err
control_status(const struct ped *ped, struct buf *out)
{
	return buf_printf(out,
	    " revision=%" PRIu64 " mode=%s state=%s link=%s slot=%s",
	    ped_revision(ped), ped_mode_name(ped), ped_state_name(ped),
	    ped_is_trusted(ped)  ? "trusted"
	    : ped_is_linked(ped) ? "up"
				 : "down",
	    ped_slot(ped) != NULL ? "full" : "empty");
}

static enum err
tell_screen(const struct ped *ped, struct buf *out)
{
	const struct display *display = ped_display(ped);
	unsigned k;
	enum err rc = OK;

	TRY(buf_put_text(out, "screen"));
	TRY(control_status(ped, out));
	for (k = 0; k < DISPLAY_LINES; k++)
		TRY(buf_printf(out, "\nline %s", display->lines[k]));
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* ---- commands: the rest of the line is `words` ---- */

static enum err
run_screen(struct hand *hand, char *words)
{
	if (words != NULL)
		return ERR_VALUE;
	return tell_screen(hand->control->ped, &hand->out);
}

static enum err
run_watch(struct hand *hand, char *words)
{
	hand->watches = words == NULL;
	return run_screen(hand, words);
}

static enum err
run_timer(struct hand *hand, char *words)
{
	const int64_t now_ms = loop_now_ms(hand->control->loop);
	char *end;
	long long ms;

	if (words == NULL || *words < '0' || *words > '9')
		return ERR_VALUE;
	errno = 0;
	ms = strtoll(words, &end, 10);
	if (*end != '\0' || errno != 0 || ms > INT64_MAX - now_ms)
		return ERR_VALUE;
	if (ms == 0)
		loop_timer_stop(hand->timer);
	else
		loop_timer_set(hand->timer, now_ms + ms);
	return OK;
}

/* All names are known, or no key is pressed. */
static enum err
run_keys(struct hand *hand, char *words,
    bool (*act)(struct ped *, enum ped_key), size_t most, struct buf *counted)
{
	enum ped_key keys[CONTROL_LINE_OCTETS / 2];
	size_t count = 0;
	size_t taken = 0;
	size_t k;
	const char *word;

	while ((word = strsep(&words, " ")) != NULL)
		if (!ped_key_find(bytes_of_text(word), &keys[count++]))
			return ERR_VALUE;
	if (count == 0 || count > most)
		return ERR_VALUE;
	for (k = 0; k < count; k++)
		taken += act(hand->control->ped, keys[k]);
	return buf_printf(
	    counted, " taken=%zu ignored=%zu", taken, count - taken);
}

static enum err
run_key(struct hand *hand, char *words, struct buf *counted)
{
	return run_keys(hand, words, ped_press, SIZE_MAX, counted);
}

static enum err
run_down(struct hand *hand, char *words, struct buf *counted)
{
	return run_keys(hand, words, ped_key_down, 1, counted);
}

static bool
let_go(struct ped *ped, enum ped_key key)
{
	ped_key_up(ped, key);
	return true;
}

static enum err
run_up(struct hand *hand, char *words, struct buf *counted)
{
	return run_keys(hand, words, let_go, 1, counted);
}

static enum err
run_insert(struct hand *hand, char *words)
{
	if (words == NULL)
		return ERR_VALUE;
	return ped_insert(hand->control->ped, words);
}

static enum err
run_remove(struct hand *hand, char *words)
{
	if (words != NULL)
		return ERR_VALUE;
	ped_remove(hand->control->ped);
	return OK;
}

static enum err
run_log(struct hand *hand, char *words)
{
	struct ped_action action;
	unsigned k;
	enum err rc = OK;

	if (words != NULL)
		return ERR_VALUE;
	for (k = 0; ped_action(hand->control->ped, k, &action); k++)
		TRY(buf_printf(&hand->out, "say %" PRId64 " %s\n", action.at_ms,
		    action.text));
out:
	return rc;
}

/* Either plain, or with something to say behind "ok". */
static const struct {
	const char *name;
	enum err (*run)(struct hand *hand, char *words);
	enum err (*count)(struct hand *hand, char *words, struct buf *counted);
} commands[] = {
    {"screen", run_screen, NULL},
    {"watch", run_watch, NULL},
    {"timer", run_timer, NULL},
    {"key", NULL, run_key},
    {"down", NULL, run_down},
    {"up", NULL, run_up},
    {"insert", run_insert, NULL},
    {"remove", run_remove, NULL},
    {"log", run_log, NULL},
};

static enum err
run_command(struct hand *hand, char *line, struct buf *counted)
{
	const char *name = strsep(&line, " ");
	size_t k;

	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		if (strcmp(commands[k].name, name) != 0)
			continue;
		return commands[k].run != NULL
			   ? commands[k].run(hand, line)
			   : commands[k].count(hand, line, counted);
	}
	return ERR_OPERATION;
}

/* ---- the socket ---- */

static void
hand_close(struct hand *hand)
{
	loop_fd_free(hand->watch);
	hand->watch = NULL;
	if (hand->timer != NULL)
		loop_timer_stop(hand->timer);
	if (hand->fd >= 0)
		close(hand->fd);
	hand->fd = -1;
	hand->watches = false;
	buf_clear(&hand->in);
	buf_clear(&hand->out);
}

/* Send what there is; false: he is gone. */
static bool
hand_send(struct hand *hand)
{
	while (hand->out.octets != 0) {
		ssize_t sent = send(hand->fd, hand->out.at, hand->out.octets,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (sent < 0)
			return false;
		buf_drop(&hand->out, (size_t)sent);
	}
	return loop_fd_want(hand->watch, hand->out.octets != 0
					     ? LOOP_READ | LOOP_WRITE
					     : LOOP_READ) == OK;
}

static enum err
answer(struct hand *hand, char *line)
{
	struct buf counted;
	enum err rc = OK;

	buf_init(&counted, 64);
	rc = run_command(hand, line, &counted);
	if (rc != OK) {
		TRY(buf_printf(&hand->out, "error %s\n", err_text(rc)));
		goto out;
	}
	TRY(buf_put_text(&hand->out, "ok"));
	TRY(buf_put(&hand->out, buf_peek(&counted)));
	TRY(control_status(hand->control->ped, &hand->out));
	TRY(buf_put_text(&hand->out, "\n"));
out:
	buf_clear(&counted);
	return rc;
}

/* A command may be a key that shows a display to this very hand. */
static enum err
answer_all(struct hand *hand)
{
	const uint8_t *end;
	char line[CONTROL_LINE_OCTETS];
	enum err rc = OK;

	while (hand->in.octets != 0 &&
	       (end = memchr(hand->in.at, '\n', hand->in.octets)) != NULL) {
		size_t octets = (size_t)(end - hand->in.at);

		memcpy(line, hand->in.at, octets);
		line[octets] = '\0';
		buf_drop(&hand->in, octets + 1);
		TRY(answer(hand, line));
	}
out:
	secret_wipe(line, sizeof(line)); /* digits of PINs */
	return rc;
}

static void
hand_ready(void *ctx, unsigned ready)
{
	struct hand *hand = ctx;
	uint8_t *tail;
	ssize_t got;
	enum err rc = OK;

	if ((ready & LOOP_READ) != 0) {
		/* ERR_LIMIT: a line without an end */
		TRY(buf_reserve(
		    &hand->in, CONTROL_LINE_OCTETS - hand->in.octets, &tail));
		got = recv(hand->fd, tail,
		    CONTROL_LINE_OCTETS - hand->in.octets, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			TRY(ERR_CLOSED);
		if (got > 0)
			buf_added(&hand->in, (size_t)got);
		TRY(answer_all(hand));
		if (hand->in.octets == CONTROL_LINE_OCTETS)
			TRY(ERR_LENGTH);
	}
	if (!hand_send(hand))
		TRY(ERR_CLOSED);
out:
	if (rc != OK)
		hand_close(hand);
}

static void
hand_timeout(void *ctx)
{
	struct hand *hand = ctx;

	if (buf_put_text(&hand->out, "timeout\n") != OK || !hand_send(hand))
		hand_close(hand);
}

/*
 * To be sent when the loop gets to it: this may be called from within a
 * command of the same hand.
 */
void
control_shown(struct control *control)
{
	size_t k;

	for (k = 0; k < CONTROL_PEERS_MAX; k++) {
		struct hand *hand = &control->hands[k];

		if (!hand->watches)
			continue;
		if (tell_screen(control->ped, &hand->out) != OK ||
		    loop_fd_want(hand->watch, LOOP_READ | LOOP_WRITE) != OK)
			shutdown(hand->fd, SHUT_RDWR);
	}
}

static void
somebody(void *ctx, unsigned ready)
{
	struct control *control = ctx;
	struct hand *hand = NULL;
	size_t k;
	int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ready;
	if (fd < 0)
		return;
	for (k = 0; k < CONTROL_PEERS_MAX && hand == NULL; k++)
		if (control->hands[k].fd < 0)
			hand = &control->hands[k];
	if (hand == NULL) {
		close(fd);
		return;
	}
	hand->fd = fd;
	buf_init(&hand->in, CONTROL_LINE_OCTETS);
	buf_init(&hand->out, CONTROL_UNREAD_OCTETS);
	if (loop_fd_new(control->loop, fd, LOOP_READ, hand_ready, hand,
		&hand->watch) != OK)
		hand_close(hand);
}

static enum err
listen_at(struct control *control)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(control->path) >= sizeof(at.sun_path))
		TRY(ERR_SYSTEM);
	memcpy(at.sun_path, control->path, strlen(control->path));
	control->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (control->fd < 0 ||
	    (unlink(control->path) != 0 && errno != ENOENT) ||
	    bind(control->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(control->path, 0600) != 0 ||
	    listen(control->fd, CONTROL_PEERS_MAX) != 0)
		TRY(ERR_SYSTEM);
out:
	if (rc != OK)
		log_line("pedsim", LOG_ERROR, "%s: %s", control->path,
		    strerror(errno));
	return rc;
}

enum err
control_new(
    struct loop *loop, struct ped *ped, const char *path, struct control **out)
{
	struct control *control = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(control));
	control->loop = loop;
	control->ped = ped;
	control->path = path;
	control->fd = -1;
	for (k = 0; k < CONTROL_PEERS_MAX; k++) {
		control->hands[k].control = control;
		control->hands[k].fd = -1;
	}
	for (k = 0; k < CONTROL_PEERS_MAX; k++)
		TRY(loop_timer_new(loop, hand_timeout, &control->hands[k],
		    &control->hands[k].timer));
	TRY(listen_at(control));
	TRY(loop_fd_new(
	    loop, control->fd, LOOP_READ, somebody, control, &control->watch));
	*out = control;
	control = NULL;
out:
	control_free(control);
	return rc;
}

void
control_free(struct control *control)
{
	size_t k;

	if (control == NULL)
		return;
	for (k = 0; k < CONTROL_PEERS_MAX; k++) {
		hand_close(&control->hands[k]);
		loop_timer_free(control->hands[k].timer);
	}
	loop_fd_free(control->watch);
	if (control->fd >= 0) {
		close(control->fd);
		unlink(control->path);
	}
	mem_free(control);
}

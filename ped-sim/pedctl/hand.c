#include "pedctl/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { DISPLAY_LINES = 8, UNREAD_OCTETS = 1 << 16 };

struct hand {
	int fd;
	int patience_s;
	struct buf in;
	struct hand_screen *now;   /* looked at */
	struct hand_screen *later; /* the oldest first */
	struct hand_screen *half;  /* its lines are still coming */
	unsigned half_lines;
	bool timer_rang;
	char answer[HAND_ANSWER_OCTETS];
};

/* ---- lines ---- */

static enum err
read_more(struct hand *hand)
{
	struct pollfd ready = {.fd = hand->fd, .events = POLLIN};
	uint8_t *tail;
	ssize_t got;
	enum err rc = OK;

	if (poll(&ready, 1, hand->patience_s * 1000) != 1)
		TRY(ERR_TIMEOUT);
	TRY(buf_reserve(&hand->in, HAND_ANSWER_OCTETS, &tail));
	got = recv(hand->fd, tail, HAND_ANSWER_OCTETS, 0);
	if (got <= 0)
		TRY(ERR_CLOSED);
	buf_added(&hand->in, (size_t)got);
out:
	return rc;
}

/* The next line, without its end. */
static enum err
read_line(struct hand *hand, char line[HAND_ANSWER_OCTETS])
{
	const uint8_t *end = NULL;
	size_t octets;
	enum err rc = OK;

	while (hand->in.octets == 0 ||
	       (end = memchr(hand->in.at, '\n', hand->in.octets)) == NULL)
		TRY(read_more(hand));
	octets = (size_t)(end - hand->in.at);
	if (octets >= HAND_ANSWER_OCTETS)
		TRY(ERR_MESSAGE);
	memcpy(line, hand->in.at, octets);
	line[octets] = '\0';
	buf_drop(&hand->in, octets + 1);
out:
	return rc;
}

/* "key 1" begins with "key": the rest; NULL: it does not. */
static const char *
behind(const char *line, const char *word)
{
	size_t octets = strlen(word);

	if (strncmp(line, word, octets) != 0)
		return NULL;
	if (line[octets] == '\0')
		return line + octets;
	return line[octets] == ' ' ? line + octets + 1 : NULL;
}

static bool
revision_of(const char *words, uint64_t *out)
{
	const char *at = strstr(words, "revision=");

	return at != NULL && sscanf(at, "revision=%" SCNu64, out) == 1;
}

/* ---- displays ---- */

static enum err
screen_begins(struct hand *hand, const char *words)
{
	struct hand_screen *screen = NULL;
	enum err rc = OK;

	if (hand->half != NULL || strlen(words) + 3 > HAND_WORDS_OCTETS)
		TRY(ERR_MESSAGE);
	TRY(MEM_NEW(screen));
	(void)snprintf(screen->words, sizeof(screen->words), " %s ", words);
	if (!revision_of(words, &screen->revision))
		TRY(ERR_MESSAGE);
	hand->half = screen;
	hand->half_lines = 0;
	screen = NULL;
out:
	mem_free(screen);
	return rc;
}

static enum err
screen_line(struct hand *hand, const char *text)
{
	struct hand_screen *screen = hand->half;
	struct hand_screen **last = &hand->later;
	size_t octets;

	if (screen == NULL)
		return ERR_MESSAGE;
	octets = strlen(screen->text);
	if (octets + strlen(text) + 2 > sizeof(screen->text))
		return ERR_MESSAGE;
	(void)snprintf(screen->text + octets, sizeof(screen->text) - octets,
	    "%s%s", hand->half_lines != 0 ? "\n" : "", text);
	if (++hand->half_lines < DISPLAY_LINES)
		return OK;
	octets = strlen(screen->text);
	while (octets != 0 && screen->text[octets - 1] == '\n')
		screen->text[--octets] = '\0';
	while (*last != NULL)
		last = &(*last)->next;
	*last = screen;
	hand->half = NULL;
	return OK;
}

static void
look_at_next(struct hand *hand)
{
	mem_free(hand->now);
	hand->now = hand->later;
	hand->later = hand->later->next;
}

/* What is told unasked. *is_it false: the line is something else. */
static enum err
take_unasked(struct hand *hand, const char *line, bool *is_it)
{
	const char *rest;

	*is_it = true;
	if ((rest = behind(line, "screen")) != NULL)
		return screen_begins(hand, rest);
	if ((rest = behind(line, "line")) != NULL)
		return screen_line(hand, rest);
	if (behind(line, "timeout") != NULL) {
		hand->timer_rang = true;
		return OK;
	}
	*is_it = false;
	return OK;
}

enum err
hand_next(struct hand *hand)
{
	char line[HAND_ANSWER_OCTETS];
	bool is_it;
	enum err rc = OK;

	while (hand->later == NULL) {
		if (hand->timer_rang)
			TRY(ERR_TIMEOUT);
		TRY(read_line(hand, line));
		TRY(take_unasked(hand, line, &is_it));
		if (!is_it)
			TRY(ERR_MESSAGE);
	}
	look_at_next(hand);
out:
	return rc;
}

const struct hand_screen *
hand_screen(const struct hand *hand)
{
	return hand->now;
}

/* ---- commands ---- */

static enum err __attribute__((format(printf, 2, 0)))
send_line(struct hand *hand, const char *format, va_list args)
{
	char line[HAND_ANSWER_OCTETS];
	int octets = vsnprintf(line, sizeof(line) - 1, format, args);

	if (octets < 0 || octets >= (int)sizeof(line) - 1)
		return ERR_LENGTH;
	line[octets++] = '\n';
	if (send(hand->fd, line, (size_t)octets, MSG_NOSIGNAL) != octets)
		return ERR_CLOSED;
	return OK;
}

static enum err
hear_answer(struct hand *hand, void (*says)(const char *text))
{
	char line[HAND_ANSWER_OCTETS];
	const char *rest;
	bool is_it;
	enum err rc = OK;

	for (;;) {
		TRY(read_line(hand, line));
		TRY(take_unasked(hand, line, &is_it));
		if (is_it)
			continue;
		if ((rest = behind(line, "say")) != NULL) {
			if (says != NULL)
				says(rest);
		} else if ((rest = behind(line, "ok")) != NULL) {
			(void)snprintf(
			    hand->answer, sizeof(hand->answer), "%s", rest);
			break;
		} else if ((rest = behind(line, "error")) != NULL) {
			(void)snprintf(
			    hand->answer, sizeof(hand->answer), "%s", rest);
			TRY(ERR_FIELD);
		} else {
			TRY(ERR_MESSAGE);
		}
	}
out:
	return rc;
}

enum err
hand_ask(struct hand *hand, void (*says)(const char *text), const char **answer,
    const char *format, ...)
{
	uint64_t revision;
	va_list args;
	enum err rc = OK;

	*answer = hand->answer;
	hand->answer[0] = '\0';
	va_start(args, format);
	rc = send_line(hand, format, args);
	va_end(args);
	TRY(rc);
	TRY(hear_answer(hand, says));
	if (!revision_of(hand->answer, &revision))
		TRY(ERR_MESSAGE);
	while (hand->later != NULL && hand->later->revision <= revision)
		look_at_next(hand);
out:
	return rc;
}

static enum err __attribute__((format(printf, 2, 3)))
ask_plain(struct hand *hand, const char *format, ...)
{
	va_list args;
	enum err rc = OK;

	va_start(args, format);
	rc = send_line(hand, format, args);
	va_end(args);
	TRY(rc);
	TRY(hear_answer(hand, NULL));
out:
	return rc;
}

enum err
hand_timer(struct hand *hand, int64_t ms)
{
	enum err rc = OK;

	TRY(ask_plain(hand, "timer %" PRId64, ms));
	hand->timer_rang = false;
out:
	return rc;
}

/* ---- birth and end ---- */

/* By way of /proc, as a socket's path is short and a directory's is not. */
static enum err
connect_below(int dir_fd, const char *name, int *out)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s",
	    dir_fd, name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		*out = fd;
		return OK;
	}
	if (fd >= 0)
		close(fd);
	return ERR_NOT_FOUND;
}

enum err
hand_new(const char *dir, int patience_s, struct hand **out)
{
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct hand *hand = NULL;
	enum err rc = OK;

	*out = NULL;
	if (dir_fd < 0)
		TRY(ERR_NOT_FOUND);
	TRY(MEM_NEW(hand));
	hand->fd = -1;
	hand->patience_s = patience_s;
	buf_init(&hand->in, UNREAD_OCTETS);
	if (connect_below(dir_fd, "ctl.sock", &hand->fd) != OK)
		TRY(connect_below(dir_fd, "ped/ctl.sock", &hand->fd));
	TRY(ask_plain(hand, "watch"));
	if (hand->later == NULL)
		TRY(ERR_MESSAGE);
	look_at_next(hand);
	*out = hand;
	hand = NULL;
out:
	hand_free(hand);
	if (dir_fd >= 0)
		close(dir_fd);
	return rc;
}

void
hand_free(struct hand *hand)
{
	if (hand == NULL)
		return;
	while (hand->later != NULL)
		look_at_next(hand);
	mem_free(hand->now);
	mem_free(hand->half);
	buf_clear(&hand->in);
	if (hand->fd >= 0)
		close(hand->fd);
	mem_free(hand);
}

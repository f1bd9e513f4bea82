#include "crypto/card_admin.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"

struct card_admin {
	struct loop *loop;
	char *path;
	int fd; /* -1: not connected */
	struct loop_fd *watch;
	card_say_fn *say;
	card_done_fn *done; /* NULL: nothing is asked */
	void *ctx;
	bool *freed; /* set where it is freed by one of those two */
	uint8_t heard[CARD_ADMIN_LINE_OCTETS];
	size_t octets;
};

/* ---- octets on the line ---- */

static enum err
put_decoded(struct buf *out, struct bytes value)
{
	size_t octets = value.octets;
	uint8_t *tail;
	enum err rc = OK;

	if (octets == 0)
		goto out;
	TRY(buf_reserve(out, octets, &tail));
	memcpy(tail, value.at, octets);
	TRY(percent_decode(tail, &octets));
	buf_added(out, octets);
out:
	return rc;
}

/* The next word of *in, which keeps what is behind the blank after it. */
static struct bytes
take_word(struct bytes *in)
{
	struct bytes word = {in->at, 0};

	while (word.octets < in->octets && in->at[word.octets] != ' ')
		word.octets++;
	in->at += word.octets;
	in->octets -= word.octets;
	if (in->octets != 0) {
		in->at++;
		in->octets--;
	}
	return word;
}

static bool
find_value(const struct card_answer *answer, const char *key, struct bytes *out)
{
	size_t octets = strlen(key);
	struct bytes words = answer->words;

	while (words.octets != 0) {
		struct bytes word = take_word(&words);

		if (word.octets > octets && word.at[octets] == '=' &&
		    memcmp(word.at, key, octets) == 0) {
			*out = (struct bytes){
			    word.at + octets + 1, word.octets - octets - 1};
			return true;
		}
	}
	return false;
}

enum err
card_answer_value(
    const struct card_answer *answer, const char *key, struct buf *out)
{
	struct bytes value;

	if (!find_value(answer, key, &value))
		return ERR_NOT_FOUND;
	return put_decoded(out, value);
}

bool
card_answer_is(
    const struct card_answer *answer, const char *key, const char *value)
{
	struct bytes found;

	return find_value(answer, key, &found) &&
	       bytes_equal_text(found, value);
}

/* ---- the connection ---- */

static void
disconnect(struct card_admin *admin)
{
	loop_fd_free(admin->watch);
	admin->watch = NULL;
	if (admin->fd >= 0)
		close(admin->fd);
	admin->fd = -1;
	admin->octets = 0;
}

/* Whoever asked may ask again, or free all of it. */
static void
finish(struct card_admin *admin, const struct card_answer *answer)
{
	card_done_fn *done = admin->done;

	admin->done = NULL;
	if (done != NULL)
		done(admin->ctx, answer);
}

static void
broke_off(struct card_admin *admin)
{
	const struct card_answer answer = {.rc = ERR_HSM};

	disconnect(admin);
	finish(admin, &answer);
}

/* false: that was no line of the card's. */
static bool
hear(struct card_admin *admin, struct bytes line)
{
	struct card_answer answer = {.rc = OK};
	struct bytes word = take_word(&line);

	if (admin->done == NULL)
		return false;
	if (bytes_equal_text(word, "say")) {
		admin->say(admin->ctx, line);
		return true;
	}
	if (bytes_equal_text(word, "ok")) {
		answer.words = line;
	} else if (bytes_equal_text(word, "error")) {
		answer.rc = ERR_DENIED;
		answer.name = take_word(&line);
		answer.text = line;
	} else {
		return false;
	}
	finish(admin, &answer);
	return true;
}

static void
heard(void *ctx, unsigned ready)
{
	struct card_admin *admin = ctx;
	uint8_t line[CARD_ADMIN_LINE_OCTETS];
	bool freed = false;
	bool good = true;
	uint8_t *end;
	ssize_t got;

	(void)ready;
	got = recv(admin->fd, admin->heard + admin->octets,
	    sizeof(admin->heard) - admin->octets, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		broke_off(admin);
		return;
	}
	admin->octets += (size_t)got;
	admin->freed = &freed;
	while (
	    good && (end = memchr(admin->heard, '\n', admin->octets)) != NULL) {
		size_t octets = (size_t)(end - admin->heard);

		/* a copy: what it leads to may end this connection */
		memcpy(line, admin->heard, octets);
		admin->octets -= octets + 1;
		memmove(admin->heard, end + 1, admin->octets);
		good = hear(admin, (struct bytes){line, octets});
		if (freed)
			return;
	}
	admin->freed = NULL;
	if (good && admin->octets < sizeof(admin->heard))
		return;
	log_line("crypto", LOG_ERROR,
	    "card: its administration sent something else than an answer");
	broke_off(admin);
}

static enum err
reach(struct card_admin *admin)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	enum err rc = OK;

	if (admin->fd >= 0)
		return OK;
	errno = ENAMETOOLONG;
	if (strlen(admin->path) >= sizeof(at.sun_path))
		TRY(ERR_HSM);
	memcpy(at.sun_path, admin->path, strlen(admin->path));
	admin->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (admin->fd < 0 ||
	    connect(admin->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		TRY(ERR_HSM);
	TRY(loop_fd_new(
	    admin->loop, admin->fd, LOOP_READ, heard, admin, &admin->watch));
out:
	if (rc != OK) {
		log_line("crypto", LOG_DEBUG, "card: %s: %s", admin->path,
		    strerror(errno));
		disconnect(admin);
	}
	return rc;
}

/* ---- what the header promises ---- */

enum err
card_admin_new(struct loop *loop, const char *path, struct card_admin **out)
{
	struct card_admin *admin = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(admin));
	admin->loop = loop;
	admin->fd = -1;
	admin->path = mem_strdup(path);
	if (admin->path == NULL)
		TRY(ERR_NOMEM);
	*out = admin;
	admin = NULL;
out:
	card_admin_free(admin);
	return rc;
}

void
card_admin_free(struct card_admin *admin)
{
	if (admin == NULL)
		return;
	if (admin->freed != NULL)
		*admin->freed = true;
	disconnect(admin);
	mem_free(admin->path);
	mem_free(admin);
}

bool
card_admin_busy(const struct card_admin *admin)
{
	return admin->done != NULL;
}

enum err
card_admin_ask(struct card_admin *admin, const char *command,
    const struct card_arg *args, size_t arg_count, card_say_fn *say,
    card_done_fn *done, void *ctx)
{
	struct buf line;
	size_t k;
	enum err rc = OK;

	assert(!card_admin_busy(admin));
	buf_init(&line, CARD_ADMIN_LINE_OCTETS);
	TRY(buf_put_text(&line, command));
	for (k = 0; k < arg_count; k++) {
		TRY(buf_printf(&line, " %s=", args[k].key));
		TRY(percent_put(&line, args[k].value));
	}
	TRY(buf_put_text(&line, "\n"));
	TRY(reach(admin));
	/* a line fits into the socket's buffer, or the card takes nothing */
	if (send(admin->fd, line.at, line.octets, MSG_NOSIGNAL) !=
	    (ssize_t)line.octets) {
		disconnect(admin);
		TRY(ERR_HSM);
	}
	admin->say = say;
	admin->done = done;
	admin->ctx = ctx;
out:
	buf_clear(&line);
	return rc;
}

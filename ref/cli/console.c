#include "cli/console.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

enum {
	/* of a line that is too long, CONSOLE_COMPLETE or not */
	CUT_OCTETS = COMMAND_LINE_OCTETS + 2,
	INPUT_OCTETS = 2 * CUT_OCTETS,
};

/* Somebody at the console. fd is -1 where nobody is. */
struct peer {
	struct console *console;
	int fd;
	struct loop_fd *watch;
	struct cli *cli;
	struct buf unread; /* what has not been sent yet */
	bool full;         /* ... since it takes no more for now */
	bool ended;        /* send the rest, then close */
	bool broken;       /* close at once */
	struct loop_task close;
	struct loop_task more; /* lines that were sent ahead */
	size_t octets;
	uint8_t input[INPUT_OCTETS]; /* may hold a secret */
};

struct console {
	struct loop *loop;
	struct appliance *appliance;
	enum door door;
	char *path;
	int fd;
	struct loop_fd *watch;
	struct loop_task flush;
	struct peer peers[CONSOLE_SESSIONS_MAX];
};

static void
peer_close(struct peer *peer)
{
	loop_task_cancel(&peer->close);
	loop_task_cancel(&peer->more);
	cli_free(peer->cli);
	peer->cli = NULL;
	loop_fd_free(peer->watch);
	peer->watch = NULL;
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	secret_wipe(peer->input, sizeof(peer->input));
	peer->octets = 0;
	buf_clear(&peer->unread);
	peer->full = false;
	peer->ended = false;
	peer->broken = false;
}

/* Not while its session is saying something. */
static void
close_later(void *ctx)
{
	peer_close(ctx);
}

static void
give_up(struct peer *peer)
{
	peer->broken = true;
	loop_later(peer->console->loop, &peer->close);
}

/* ---- to the peer ---- */

static void
flush(struct peer *peer)
{
	unsigned want = LOOP_READ;

	while (peer->unread.octets != 0) {
		ssize_t sent = send(peer->fd, peer->unread.at,
		    peer->unread.octets, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (sent <= 0) {
			give_up(peer);
			return;
		}
		buf_drop(&peer->unread, (size_t)sent);
	}
	peer->full = peer->unread.octets != 0;
	if (peer->full)
		want |= LOOP_WRITE;
	else if (peer->ended)
		give_up(peer);
	else if (peer->cli != NULL)
		cli_has_room(peer->cli);
	if (loop_fd_want(peer->watch, want) != OK)
		give_up(peer);
}

/* At the turn's end, behind the commit: see console.h. */
static void
flush_all(void *ctx)
{
	struct console *console = ctx;
	size_t k;

	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++) {
		struct peer *peer = &console->peers[k];

		if (peer->unread.octets != 0 && !peer->full && !peer->broken)
			flush(peer);
	}
}

/* A line feed within a text would end the line: there is none. */
static void
say(void *ctx, enum cli_mark mark, struct bytes text)
{
	struct peer *peer = ctx;
	uint8_t first = (uint8_t)mark;
	enum err rc = OK;

	if (peer->broken || peer->ended)
		return;
	TRY(buf_put(&peer->unread, (struct bytes){&first, 1}));
	TRY(buf_put(&peer->unread, text));
	TRY(buf_put_text(&peer->unread, "\n"));
	peer->ended = mark == CLI_BYE;
	if (peer->octets != 0)
		loop_later(peer->console->loop, &peer->more);
out:
	if (rc != OK)
		give_up(peer);
}

static bool
has_room(void *ctx)
{
	const struct peer *peer = ctx;

	return peer->unread.octets < CONSOLE_ROOM_OCTETS;
}

/* ---- from the peer ---- */

static void
take_line(struct cli *cli, struct bytes line)
{
	uint8_t last = line.octets != 0 ? line.at[line.octets - 1] : 0;

	if (line.octets == 1 && last == CONSOLE_BREAK)
		cli_break(cli);
	else if (last == CONSOLE_COMPLETE && line.octets < CUT_OCTETS &&
		 cli_waits_for_command(cli))
		cli_complete(cli, (struct bytes){line.at, line.octets - 1});
	else
		cli_input(cli, line);
}

/* Octets [first, end) of the input are no more. */
static void
drop_input(struct peer *peer, size_t first, size_t end)
{
	memmove(peer->input + first, peer->input + end, peer->octets - end);
	peer->octets -= end - first;
	secret_wipe(
	    peer->input + peer->octets, sizeof(peer->input) - peer->octets);
}

/* Of a line that is too long, so much is kept that it stays too long. */
static void
take_lines(struct peer *peer)
{
	while (!peer->broken && !peer->ended && cli_waits(peer->cli)) {
		uint8_t *end = memchr(peer->input, '\n', peer->octets);
		size_t octets;

		if (end == NULL) {
			if (peer->octets > CUT_OCTETS)
				drop_input(peer, CUT_OCTETS, peer->octets);
			break;
		}
		octets = (size_t)(end - peer->input);
		take_line(peer->cli, (struct bytes){peer->input, octets});
		drop_input(peer, 0, octets + 1);
	}
}

static void
take_more(void *ctx)
{
	take_lines(ctx);
}

static void
peer_ready(void *ctx, unsigned ready)
{
	struct peer *peer = ctx;
	ssize_t got;

	if ((ready & LOOP_WRITE) != 0)
		flush(peer);
	if (peer->broken || (ready & LOOP_READ) == 0)
		return;
	/* who types that far ahead of a command that runs is no person */
	if (peer->octets == sizeof(peer->input)) {
		give_up(peer);
		return;
	}
	got = recv(peer->fd, peer->input + peer->octets,
	    sizeof(peer->input) - peer->octets, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (got <= 0) {
		give_up(peer);
		return;
	}
	peer->octets += (size_t)got;
	take_lines(peer);
}

static void
peer_open(struct peer *peer, int fd)
{
	struct console *console = peer->console;
	const struct cli_entry entry = {
	    .door = console->door,
	    .peer = "",
	    .room = has_room,
	};
	enum err rc = OK;

	peer->fd = fd;
	buf_init(&peer->unread, CONSOLE_UNREAD_OCTETS);
	TRY(loop_fd_new(
	    console->loop, fd, LOOP_READ, peer_ready, peer, &peer->watch));
	TRY(cli_new(console->appliance, &entry, say, peer, &peer->cli));
out:
	if (rc != OK)
		peer_close(peer);
}

static void
somebody(void *ctx, unsigned ready)
{
	struct console *console = ctx;
	int fd = accept4(console->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t k;

	(void)ready;
	if (fd < 0)
		return;
	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++) {
		if (console->peers[k].fd < 0) {
			peer_open(&console->peers[k], fd);
			return;
		}
	}
	close(fd);
}

/* ---- life ---- */

static enum err
open_socket(struct console *console)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	enum err rc = OK;

	errno = ENAMETOOLONG;
	if (strlen(console->path) >= sizeof(at.sun_path))
		TRY(ERR_SYSTEM);
	memcpy(at.sun_path, console->path, strlen(console->path));
	console->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (console->fd < 0 ||
	    (unlink(console->path) != 0 && errno != ENOENT) ||
	    bind(console->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(console->path, 0600) != 0 ||
	    listen(console->fd, CONSOLE_SESSIONS_MAX) != 0)
		TRY(ERR_SYSTEM);
out:
	if (rc != OK)
		log_line(
		    "cli", LOG_ERROR, "%s: %s", console->path, strerror(errno));
	return rc;
}

enum err
console_new(const char *path, struct appliance *appliance, enum door door,
    struct console **out)
{
	struct console *console = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(console));
	console->loop = appliance->loop;
	console->appliance = appliance;
	console->door = door;
	console->fd = -1;
	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++) {
		struct peer *peer = &console->peers[k];

		peer->console = console;
		peer->fd = -1;
		peer->close.fn = close_later;
		peer->close.ctx = peer;
		peer->more.fn = take_more;
		peer->more.ctx = peer;
	}
	console->path = mem_strdup(path);
	if (console->path == NULL)
		TRY(ERR_NOMEM);
	TRY(open_socket(console));
	TRY(loop_fd_new(console->loop, console->fd, LOOP_READ, somebody,
	    console, &console->watch));
	console->flush = (struct loop_task){.fn = flush_all, .ctx = console};
	loop_each_turn(console->loop, &console->flush);
	*out = console;
	console = NULL;
out:
	console_free(console);
	return rc;
}

void
console_free(struct console *console)
{
	size_t k;

	if (console == NULL)
		return;
	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++)
		peer_close(&console->peers[k]);
	loop_task_cancel(&console->flush);
	loop_fd_free(console->watch);
	if (console->fd >= 0) {
		close(console->fd);
		(void)unlink(console->path);
	}
	mem_free(console->path);
	mem_free(console);
}

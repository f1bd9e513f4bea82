#include "card/port.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "card/rv.h"

enum {
	BACKLOG = 16,
	WORD_MS = 1000, /* a program says at once what it is */
	WORD_OCTETS = 8,
	LINE_MOST_OCTETS = 4 * (CHANNEL_FRAME_MOST_OCTETS + 2),
};

static const char socket_name[] = "ped.sock";

/* A connection. */
struct line {
	int fd; /* -1: none */
	struct channel *channel;
	struct buf in;   /* frames, not yet taken */
	struct buf room; /* the message that was opened last */
	unsigned owed;   /* answers to asks that were given up */
	bool proved;     /* remote: it knows the vector */
	int64_t used_ms; /* elapsed time of its last operation's end */
};

struct port {
	struct env *env;
	struct wait_room *waits;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int listener;
	pthread_mutex_t lock; /* of all below; not held while people think */
	struct line local, remote;
	/* A remote PED was connected, and not disconnected; never at power-on.
	 * req: KS-05-085, KS-05-102 */
	bool wanted;
	bool unplugged;
	struct line *held; /* by the operation; NULL: by none */
	bool is_new;       /* it is being connected */
	enum port_fault fault;
};

/* ---- lines ---- */

static void
line_init(struct line *line)
{
	line->fd = -1;
	buf_init(&line->in, LINE_MOST_OCTETS);
	buf_init(&line->room, CHANNEL_FRAME_MOST_OCTETS);
}

static void
line_close(struct line *line)
{
	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
	channel_free(line->channel);
	line->channel = NULL;
	buf_clear(&line->in);
	buf_clear(&line->room);
	line->owed = 0;
	line->proved = false;
}

/* All of it at once, or the link has failed: nobody reads there. */
static enum err
line_send(struct line *line, struct bytes octets)
{
	ssize_t sent = send(
	    line->fd, octets.at, octets.octets, MSG_NOSIGNAL | MSG_DONTWAIT);

	return sent == (ssize_t)octets.octets ? OK : ERR_CLOSED;
}

/* Begin the channel, or begin it anew: our hello goes out. */
static enum err
line_hello(struct port *port, struct line *line)
{
	struct buf frame;
	enum err rc = OK;

	buf_init(&frame, CHANNEL_FRAME_MOST_OCTETS);
	channel_free(line->channel);
	line->channel = NULL;
	line->owed = 0;
	line->proved = false;
	TRY(channel_new(port->env, CHANNEL_CARD, &line->channel));
	TRY(channel_hello(line->channel, &frame));
	TRY(line_send(line, buf_peek(&frame)));
out:
	buf_clear(&frame);
	return rc;
}

/* What has come, without waiting. ERR_CLOSED: it went away. */
static enum err
line_fill(struct line *line)
{
	uint8_t *tail;
	ssize_t got;
	enum err rc = OK;

	do {
		TRY(buf_reserve(&line->in, CHANNEL_FRAME_MOST_OCTETS, &tail));
		got = recv(
		    line->fd, tail, CHANNEL_FRAME_MOST_OCTETS, MSG_DONTWAIT);
		if (got > 0)
			buf_added(&line->in, (size_t)got);
	} while (got == CHANNEL_FRAME_MOST_OCTETS);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
			    errno != EINTR))
		TRY(ERR_CLOSED);
out:
	return rc;
}

/*
 * The next whole frame that is there.
 *
 * message  no octets: there was none, or it was a hello
 * took     was there a frame?
 *
 * A PED that was away comes back with a hello where a relay kept its
 * connection: the channel begins anew.
 */
static enum err
line_take(
    struct port *port, struct line *line, struct bytes *message, bool *took)
{
	struct bytes frame;
	size_t octets;
	enum err rc = OK;

	*message = BYTES_NONE;
	*took = false;
	TRY(channel_frame(buf_peek(&line->in), &octets));
	if (octets == 0)
		goto out;
	*took = true;
	frame = (struct bytes){line->in.at, octets};
	if (channel_is_hello(frame, CHANNEL_PED) &&
	    channel_is_open(line->channel))
		TRY(line_hello(port, line));
	TRY(channel_take(line->channel, frame, &line->room, message));
	buf_drop(&line->in, octets);
out:
	return rc;
}

/*
 * What a PED says while nobody asks: answers to what was given up, and that it
 * leaves remote mode.
 */
static enum err
line_listen(struct port *port, struct line *line)
{
	struct ped_message said;
	struct bytes message;
	bool took;
	enum err rc = OK;

	TRY(line_fill(line));
	do {
		TRY(line_take(port, line, &message, &took));
		if (message.octets == 0)
			continue;
		TRY(ped_message_read(message, &said));
		if (said.code == PED_LEAVING)
			line->proved = false;
		else if (line->owed != 0)
			line->owed--;
		else
			TRY(ERR_UNEXPECTED);
	} while (took);
out:
	buf_reset(&line->room);
	return rc;
}

/* ---- who connects ---- */

/* "local\n" or "remote\n"; an octet at a time, since frames follow. */
static bool
word_read(int fd, char word[WORD_OCTETS])
{
	size_t k;

	for (k = 0; k < WORD_OCTETS; k++) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		if (poll(&ready, 1, WORD_MS) != 1 ||
		    recv(fd, word + k, 1, 0) != 1)
			return false;
		if (word[k] == '\n') {
			word[k] = '\0';
			return true;
		}
	}
	return false;
}

/* Locked. */
static void
admit(struct port *port, int fd)
{
	struct line *line = NULL;
	char word[WORD_OCTETS];

	if (word_read(fd, word)) {
		if (strcmp(word, "local") == 0 && !port->unplugged)
			line = &port->local;
		else if (strcmp(word, "remote") == 0)
			line = &port->remote;
	}
	if (line == NULL) {
		close(fd);
		return;
	}
	line_close(line);
	line->fd = fd;
	if (line_hello(port, line) != OK)
		line_close(line);
}

/*
 * Locked, and no operation under way: who has come, who has gone, who has been
 * idle for too long.
 */
static void
look(struct port *port)
{
	struct line *lines[] = {&port->local, &port->remote};
	size_t k;
	int fd;

	while ((fd = accept4(port->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		admit(port, fd);
	for (k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		if (lines[k]->fd >= 0 && line_listen(port, lines[k]) != OK)
			line_close(lines[k]);
	}
	/*
	 * req: KS-05-069  a remote PED that is not used for 1800 s
	 *
	 * Whether it is there: its PedServer may have hung up on it before.
	 */
	if (port->wanted && env_elapsed_ms(port->env) - port->remote.used_ms >=
				CARD_REMOTE_IDLE_MS) {
		log_line("card", LOG_INFO, "remote PED: idle for too long");
		line_close(&port->remote);
		port->wanted = false;
	}
}

enum port_state
port_state(struct port *port)
{
	enum port_state state = PORT_NONE;

	pthread_mutex_lock(&port->lock);
	if (port->held == NULL)
		look(port);
	if (port->wanted && port->remote.fd >= 0)
		state = PORT_REMOTE;
	else if (port->local.fd >= 0)
		state = PORT_LOCAL;
	pthread_mutex_unlock(&port->lock);
	return state;
}

void
port_tick(struct port *port)
{
	(void)port_state(port);
}

void
port_unplug(struct port *port, bool unplugged)
{
	pthread_mutex_lock(&port->lock);
	port->unplugged = unplugged;
	if (unplugged && port->held == &port->local)
		(void)shutdown(port->local.fd, SHUT_RDWR); /* it closes it */
	else if (unplugged)
		line_close(&port->local);
	pthread_mutex_unlock(&port->lock);
}

void
port_fault(struct port *port, enum port_fault fault)
{
	pthread_mutex_lock(&port->lock);
	port->fault = fault;
	pthread_mutex_unlock(&port->lock);
}

static enum err
listen_at(struct port *port)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask = umask(0077);
	int bound;

	memcpy(at.sun_path, port->path, sizeof(port->path));
	(void)unlink(port->path);
	port->listener =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bound = port->listener < 0
		    ? -1
		    : bind(port->listener, (struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	if (bound != 0 || listen(port->listener, BACKLOG) != 0) {
		log_line(
		    "card", LOG_ERROR, "%s: %s", port->path, strerror(errno));
		return ERR_SYSTEM;
	}
	return OK;
}

enum card_rv
port_new(struct env *env, struct wait_room *waits, const char *dir,
    struct port **out)
{
	struct port *port = NULL;
	int length;
	enum card_rv rc = CARD_OK;

	*out = NULL;
	TRY(rv_of(MEM_NEW(port)));
	port->env = env;
	port->waits = waits;
	port->listener = -1;
	pthread_mutex_init(&port->lock, NULL);
	line_init(&port->local);
	line_init(&port->remote);
	length =
	    snprintf(port->path, sizeof(port->path), "%s/%s", dir, socket_name);
	if (length >= (int)sizeof(port->path)) {
		log_line("card", LOG_ERROR, "%s: too long for a socket", dir);
		port->path[0] = '\0';
		TRY(CARD_STATE);
	}
	TRY(rv_of(listen_at(port)));
	*out = port;
	port = NULL;
out:
	port_free(port);
	return rc;
}

void
port_free(struct port *port)
{
	if (port == NULL)
		return;
	line_close(&port->local);
	line_close(&port->remote);
	if (port->listener >= 0) {
		close(port->listener);
		(void)unlink(port->path);
	}
	pthread_mutex_destroy(&port->lock);
	mem_free(port);
}

/* ---- operations ---- */

/* The PED in our hands has failed us: hang up. */
static enum card_rv
failed(struct port *port, enum err why)
{
	struct line *line = port->held;
	bool gone = why == ERR_CLOSED;

	pthread_mutex_lock(&port->lock);
	line_close(line);
	pthread_mutex_unlock(&port->lock);
	if (why == ERR_NOMEM || why == ERR_ENTROPY)
		return rv_of(why);
	if (line == &port->remote)
		return gone ? CARD_PED_CLIENT : CARD_PED_LINK;
	return gone ? CARD_PED_UNPLUGGED : CARD_PED_LINK;
}

/* One message, or the PED's hello (no octets), until due_ms. */
static enum card_rv
hear(struct port *port, int64_t due_ms, struct bytes *message)
{
	struct line *line = port->held;
	bool took;
	enum err rc = OK;

	for (;;) {
		rc = line_take(port, line, message, &took);
		if (rc != OK || took)
			break;
		rc = wait_readable(port->waits, line->fd, due_ms);
		if (rc == ERR_TIMEOUT)
			return CARD_PED_TIMEOUT;
		if (rc == ERR_CLOSED)
			return CARD_POWER;
		if (rc == OK)
			rc = line_fill(line);
		if (rc != OK)
			break;
	}
	return rc == OK ? CARD_OK : failed(port, rc);
}

/*
 * Locked.
 *
 * req: KS-01-022, KS-05-024  either kind does
 * req: KS-01-026, KS-01-044, KS-05-092, KS-05-099, KS-05-100
 */
static enum card_rv
choose(struct port *port, enum port_which which, struct line **out)
{
	bool remote = port->wanted && port->remote.fd >= 0;

	*out = NULL;
	if (which == PORT_NEW_REMOTE) {
		if (port->remote.fd < 0)
			return CARD_PED_CLIENT;
		*out = &port->remote;
	} else if (which == PORT_ANY && remote) {
		*out = &port->remote;
	} else if (port->local.fd >= 0) {
		*out = &port->local;
	} else if (which == PORT_ONLY_LOCAL) {
		return remote || port->remote.fd >= 0 ? CARD_PED_REMOTE
						      : CARD_PED_UNPLUGGED;
	} else {
		return port->wanted ? CARD_PED_CLIENT : CARD_PED_UNPLUGGED;
	}
	return CARD_OK;
}

enum card_rv
port_begin(struct port *port, enum port_which which)
{
	struct line *line;
	struct bytes message;
	enum card_rv rc = CARD_OK;

	pthread_mutex_lock(&port->lock);
	if (port->held != NULL) {
		rc = CARD_PED_BUSY;
	} else {
		look(port);
		rc = choose(port, which, &line);
	}
	if (rc == CARD_OK) {
		port->held = line;
		port->is_new = which == PORT_NEW_REMOTE;
		if (port->is_new)
			line->proved = false;
	}
	pthread_mutex_unlock(&port->lock);
	if (rc != CARD_OK)
		return rc;
	while (!channel_is_open(line->channel))
		TRY(hear(
		    port, env_elapsed_ms(port->env) + CARD_PED_MS, &message));
out:
	if (rc != CARD_OK)
		port_end(port);
	return rc;
}

/* Whether it arrives is not ours to say. */
static enum err
say(struct port *port, const struct ped_message *m)
{
	struct line *line = port->held;
	struct buf plain, frame;
	enum port_fault fault;
	enum err rc = OK;

	buf_init(&plain, CHANNEL_FRAME_MOST_OCTETS);
	buf_init(&frame, CHANNEL_FRAME_MOST_OCTETS + 2);
	TRY(ped_message_write(m, &plain));
	TRY(channel_put(line->channel, buf_peek(&plain), &frame));
	pthread_mutex_lock(&port->lock);
	fault = port->fault;
	port->fault = PORT_FAULT_NONE;
	pthread_mutex_unlock(&port->lock);
	if (fault != PORT_FAULT_NONE)
		log_line("card", LOG_INFO, "fault: a frame to the PED is %s",
		    fault == PORT_FAULT_DROP ? "lost" : "changed");
	if (fault == PORT_FAULT_GARBLE)
		frame.at[frame.octets - 1] ^= 1;
	if (fault != PORT_FAULT_DROP)
		TRY(line_send(line, buf_peek(&frame)));
out:
	buf_clear(&plain);
	buf_clear(&frame);
	return rc;
}

void
port_end(struct port *port)
{
	static const struct ped_message idle = {.code = PED_IDLE};
	struct line *line = port->held;

	if (line->fd >= 0 && channel_is_open(line->channel) &&
	    say(port, &idle) != OK)
		(void)failed(port, ERR_CLOSED);
	pthread_mutex_lock(&port->lock);
	if (port->is_new) { /* it was not vouched for */
		line_close(line);
		port->wanted = false;
	}
	buf_reset(&line->room); /* digits may have been the last it said */
	line->used_ms = env_elapsed_ms(port->env);
	port->held = NULL;
	port->is_new = false;
	pthread_mutex_unlock(&port->lock);
}

bool
port_is_strange(const struct port *port)
{
	return port->held == &port->remote && !port->held->proved;
}

enum card_rv
port_proof(const struct port *port, enum channel_side side,
    const struct secret *vector, uint8_t proof[CHANNEL_PROOF_OCTETS])
{
	return rv_of(channel_proof(port->held->channel, side, vector, proof));
}

void
port_vouch(struct port *port, bool proved)
{
	pthread_mutex_lock(&port->lock);
	port->held->proved = proved;
	if (proved) {
		port->wanted = true;
		port->is_new = false;
	}
	pthread_mutex_unlock(&port->lock);
}

void
port_disconnect(struct port *port)
{
	pthread_mutex_lock(&port->lock);
	port->wanted = false;
	if (port->held == &port->remote)
		(void)shutdown(port->remote.fd, SHUT_RDWR);
	else
		line_close(&port->remote);
	pthread_mutex_unlock(&port->lock);
}

void
port_distrust(struct port *port)
{
	pthread_mutex_lock(&port->lock);
	port->remote.proved = false;
	pthread_mutex_unlock(&port->lock);
}

enum card_rv
port_ask(struct port *port, const struct ped_message *ask, int64_t due_ms,
    struct ped_message *answer)
{
	struct line *line = port->held;
	struct bytes message;
	enum err said;
	enum card_rv rc = CARD_OK;

	if (line->fd < 0)
		return failed(port, ERR_CLOSED);
	said = say(port, ask);
	if (said != OK)
		return failed(port, said);
	if (ask->code == PED_SHOW)
		return CARD_OK;
	do {
		rc = hear(port, due_ms, &message);
		if (rc == CARD_PED_TIMEOUT)
			line->owed++;
		TRY(rc);
		/* A hello: it went away, and came back without a word. */
		if (message.octets == 0)
			TRY(failed(port, ERR_UNEXPECTED));
		if (ped_message_read(message, answer) != OK)
			TRY(failed(port, ERR_UNEXPECTED));
		/* It knows the vector no more, and may yet answer. */
		if (answer->code == PED_LEAVING) {
			line->proved = false;
			line->owed++;
			TRY(CARD_PED_CLIENT);
		}
	} while (line->owed != 0 && line->owed-- != 0);
	if (answer->code == PED_CLEARED)
		TRY(CARD_PED_CLEARED);
	if (!ped_message_is_answer(answer->code))
		TRY(failed(port, ERR_UNEXPECTED));
out:
	return rc;
}

#include "pedserver/relay.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "link/channel.h"

_Static_assert(RELAY_FRAME_OCTETS == 2 + CHANNEL_FRAME_MOST_OCTETS,
    "the channel's own limit");

struct side {
	struct relay *relay;
	struct side *other;
	int fd;
	struct loop_fd *watch;
	struct buf in;  /* not a whole frame yet, or the other is not ready */
	struct buf out; /* one frame, on its way to fd */
};

struct relay {
	const struct relay_config *config;
	struct side sides[2];
	struct loop_task over;
	bool is_over;
};

static void
call_over(void *ctx)
{
	struct relay *relay = ctx;

	relay->config->over(relay->config->ctx);
}

static void
end(struct relay *relay)
{
	relay->is_over = true;
	loop_later(relay->config->loop, &relay->over);
}

/* true: all of it has gone. */
static bool
flush(struct side *to)
{
	while (to->out.octets != 0) {
		ssize_t sent = send(to->fd, to->out.at, to->out.octets,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (sent <= 0) {
			end(to->relay);
			return false;
		}
		buf_drop(&to->out, (size_t)sent);
	}
	return true;
}

/* Whole frames go over, as long as they are taken there. */
static enum err
pass(struct side *from)
{
	struct relay *relay = from->relay;
	struct side *to = from->other;
	size_t octets;
	enum err rc = OK;

	while (!relay->is_over && flush(to)) {
		TRY(channel_frame(buf_peek(&from->in), &octets));
		if (octets == 0)
			break;
		TRY(buf_put(&to->out, (struct bytes){from->in.at, octets}));
		buf_drop(&from->in, octets);
		if (relay->config->frame != NULL)
			relay->config->frame(relay->config->ctx);
	}
out:
	return rc;
}

static enum err
fill(struct side *from)
{
	uint8_t *tail;
	size_t room = RELAY_FRAME_OCTETS - from->in.octets;
	ssize_t got;
	enum err rc = OK;

	if (room == 0)
		return OK;
	TRY(buf_reserve(&from->in, room, &tail));
	got = recv(from->fd, tail, room, MSG_DONTWAIT);
	if (got > 0)
		buf_added(&from->in, (size_t)got);
	else if (got == 0 ||
		 (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		end(from->relay);
out:
	return rc;
}

/* What a side can do next depends on what the other still holds for it. */
static enum err
set_wants(struct relay *relay)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < 2; k++) {
		struct side *side = &relay->sides[k];
		unsigned want = 0;

		if (side->other->out.octets == 0)
			want |= LOOP_READ;
		if (side->out.octets != 0)
			want |= LOOP_WRITE;
		TRY(loop_fd_want(side->watch, want));
	}
out:
	return rc;
}

static void
side_ready(void *ctx, unsigned ready)
{
	struct side *side = ctx;
	struct relay *relay = side->relay;
	enum err rc = OK;

	if (relay->is_over)
		return;
	if ((ready & LOOP_WRITE) != 0)
		TRY(pass(side->other));
	if ((ready & LOOP_READ) != 0)
		TRY(fill(side));
	TRY(pass(side));
	if (!relay->is_over)
		TRY(set_wants(relay));
out:
	if (rc == OK)
		return;
	log_line("pedserver", LOG_WARN, "relay: %s", err_text(rc));
	end(relay);
}

enum err
relay_new_take(const struct relay_config *config, struct relay_end *one,
    struct relay_end *other, struct relay **out)
{
	struct relay_end *ends[] = {one, other};
	struct relay *relay = NULL;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(relay));
	relay->config = config;
	relay->over.fn = call_over;
	relay->over.ctx = relay;
	for (k = 0; k < 2; k++) {
		struct side *side = &relay->sides[k];

		side->relay = relay;
		side->other = &relay->sides[1 - k];
		side->fd = ends[k]->fd;
		side->in = ends[k]->in;
		ends[k]->fd = -1;
		buf_init(&ends[k]->in, 0);
		buf_init(&side->out, RELAY_FRAME_OCTETS);
	}
	for (k = 0; k < 2; k++)
		TRY(loop_fd_new(config->loop, relay->sides[k].fd,
		    LOOP_READ | LOOP_WRITE, side_ready, &relay->sides[k],
		    &relay->sides[k].watch));
	*out = relay;
	relay = NULL;
out:
	for (k = 0; k < 2; k++) {
		if (ends[k]->fd >= 0)
			close(ends[k]->fd);
		ends[k]->fd = -1;
		buf_clear(&ends[k]->in);
	}
	relay_free(relay);
	return rc;
}

void
relay_free(struct relay *relay)
{
	size_t k;

	if (relay == NULL)
		return;
	loop_task_cancel(&relay->over);
	for (k = 0; k < 2; k++) {
		struct side *side = &relay->sides[k];

		loop_fd_free(side->watch);
		if (side->fd >= 0)
			close(side->fd);
		buf_clear(&side->in);
		buf_clear(&side->out);
	}
	mem_free(relay);
}

#include "base/wait.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* Of this thread. */
struct errand {
	struct wait_room *room; /* NULL: none */
	unsigned depth;
	unsigned round; /* of the room, when it became busy */
};

static _Thread_local struct errand my_errand;

/* Somebody who waits, on the stack of the thread that does. */
struct waiter {
	struct waiter *next;
	struct waiter *prev;
	int64_t due_ms;
	struct errand *errand; /* NULL: none */
	int fd;
	int wake_fd; /* -1: has no due time */
	bool woken;  /* and no longer in the list */
};

/* Somebody in recv(2), likewise. */
struct receiver {
	struct receiver *next;
	struct receiver **at; /* what points to it */
	int fd;
};

struct wait_room {
	struct env *env;
	int closed_fd; /* can be read from the moment it is closed */
	int rest_fd;
	pthread_mutex_t lock; /* of what follows */
	struct waiter list;   /* by due time, then as they came */
	unsigned busy;        /* errands of this round that do not wait */
	unsigned round;       /* goes up when the busy are given up */
	bool tells;
	struct receiver *receivers;
	bool closed;
};

enum err
wait_room_new(struct env *env, struct wait_room **out)
{
	struct wait_room *room = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(room));
	room->env = env;
	room->list.next = &room->list;
	room->list.prev = &room->list;
	(void)pthread_mutex_init(&room->lock, NULL);
	room->closed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	room->rest_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (room->closed_fd < 0 || room->rest_fd < 0)
		TRY(ERR_SYSTEM);
	*out = room;
	room = NULL;
out:
	wait_room_free(room);
	return rc;
}

void
wait_room_free(struct wait_room *room)
{
	if (room == NULL)
		return;
	assert(room->list.next == &room->list && room->receivers == NULL);
	if (room->closed_fd >= 0)
		close(room->closed_fd);
	if (room->rest_fd >= 0)
		close(room->rest_fd);
	(void)pthread_mutex_destroy(&room->lock);
	mem_free(room);
}

static void
ring(int fd)
{
	const uint64_t one = 1;

	/* an eventfd takes far more than we could ever give it */
	(void)!write(fd, &one, sizeof(one));
}

void
wait_room_close(struct wait_room *room)
{
	struct receiver *r;

	ring(room->closed_fd);
	(void)pthread_mutex_lock(&room->lock);
	room->closed = true;
	for (r = room->receivers; r != NULL; r = r->next)
		(void)shutdown(r->fd, SHUT_RD);
	(void)pthread_mutex_unlock(&room->lock);
}

/* ---- errands; the lock is held ---- */

static void
become_busy(struct errand *errand)
{
	errand->round = errand->room->round;
	errand->room->busy++;
}

static void
come_to_rest(struct errand *errand)
{
	struct wait_room *room = errand->room;

	if (errand->round == room->round) /* else it was given up */
		room->busy--;
	if (room->tells)
		ring(room->rest_fd);
}

void
wait_errand_begin(struct wait_room *room)
{
	assert(my_errand.room == NULL || my_errand.room == room);
	if (my_errand.depth++ != 0)
		return;
	my_errand.room = room;
	(void)pthread_mutex_lock(&room->lock);
	become_busy(&my_errand);
	(void)pthread_mutex_unlock(&room->lock);
}

void
wait_errand_end(struct wait_room *room)
{
	assert(my_errand.room == room);
	if (--my_errand.depth != 0)
		return;
	(void)pthread_mutex_lock(&room->lock);
	come_to_rest(&my_errand);
	(void)pthread_mutex_unlock(&room->lock);
	my_errand.room = NULL;
}

/* ---- waiting ---- */

static void
enter(struct wait_room *room, struct waiter *w)
{
	struct waiter *before;

	(void)pthread_mutex_lock(&room->lock);
	for (before = room->list.prev;
	     before != &room->list && before->due_ms > w->due_ms;
	     before = before->prev)
		;
	w->prev = before;
	w->next = before->next;
	before->next->prev = w;
	before->next = w;
	if (w->errand != NULL)
		come_to_rest(w->errand);
	(void)pthread_mutex_unlock(&room->lock);
}

static void
unlink_waiter(struct waiter *w)
{
	w->next->prev = w->prev;
	w->prev->next = w->next;
	if (w->errand != NULL)
		become_busy(w->errand);
}

static void
leave(struct wait_room *room, struct waiter *w)
{
	(void)pthread_mutex_lock(&room->lock);
	if (!w->woken)
		unlink_waiter(w);
	(void)pthread_mutex_unlock(&room->lock);
}

/*
 * OK: fd can be read. ERR_TIMEOUT: it cannot, and wake_fd rang or timeout_ms
 * are over. A negative descriptor is none, a negative timeout for ever.
 */
static enum err
poll_room(struct wait_room *room, int fd, int wake_fd, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = fd, .events = POLLIN},
	    {.fd = room->closed_fd, .events = POLLIN},
	    {.fd = wake_fd, .events = POLLIN},
	};

	if (poll(fds, 3, timeout_ms) < 0 && errno != EINTR)
		return ERR_SYSTEM;
	if (fds[1].revents != 0)
		return ERR_CLOSED;
	if ((fds[0].revents & POLLNVAL) != 0)
		return ERR_SYSTEM;
	return fds[0].revents != 0 ? OK : ERR_TIMEOUT;
}

static enum err
wait_real(struct wait_room *room, int fd, int64_t due_ms)
{
	enum err rc;

	do {
		int64_t left_ms = due_ms - env_elapsed_ms(room->env);

		if (due_ms == INT64_MAX)
			left_ms = -1;
		else if (left_ms < 0)
			left_ms = 0;
		else if (left_ms > INT32_MAX)
			left_ms = INT32_MAX;
		rc = poll_room(room, fd, -1, (int)left_ms);
	} while (rc == ERR_TIMEOUT && env_elapsed_ms(room->env) < due_ms);
	return rc;
}

static bool
is_woken(struct wait_room *room, const struct waiter *w)
{
	bool woken;

	(void)pthread_mutex_lock(&room->lock);
	woken = w->woken;
	(void)pthread_mutex_unlock(&room->lock);
	return woken;
}

static enum err
wait_lab(struct wait_room *room, int fd, int64_t due_ms)
{
	struct waiter w = {
	    .due_ms = due_ms,
	    .errand = my_errand.room == room ? &my_errand : NULL,
	    .fd = fd,
	    .wake_fd = -1,
	};
	enum err rc = OK;

	if (due_ms <= env_elapsed_ms(room->env))
		return poll_room(room, fd, -1, 0);
	if (due_ms != INT64_MAX) {
		w.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (w.wake_fd < 0)
			TRY(ERR_SYSTEM);
	}
	enter(room, &w);
	do
		rc = poll_room(room, fd, w.wake_fd, -1);
	while (rc == ERR_TIMEOUT && !is_woken(room, &w));
	leave(room, &w);
out:
	if (w.wake_fd >= 0)
		close(w.wake_fd);
	return rc;
}

enum err
wait_readable(struct wait_room *room, int fd, int64_t due_ms)
{
	if (env_is_lab(room->env))
		return wait_lab(room, fd, due_ms);
	return wait_real(room, fd, due_ms);
}

/* ---- receiving ---- */

/* false: the room is closed */
static bool
receiver_link(struct wait_room *room, struct receiver *r)
{
	bool open;

	(void)pthread_mutex_lock(&room->lock);
	open = !room->closed;
	if (open) {
		r->next = room->receivers;
		r->at = &room->receivers;
		if (r->next != NULL)
			r->next->at = &r->next;
		room->receivers = r;
	}
	(void)pthread_mutex_unlock(&room->lock);
	return open;
}

static void
receiver_unlink(struct wait_room *room, struct receiver *r)
{
	(void)pthread_mutex_lock(&room->lock);
	*r->at = r->next;
	if (r->next != NULL)
		r->next->at = r->at;
	(void)pthread_mutex_unlock(&room->lock);
}

enum err
wait_receive(
    struct wait_room *room, int fd, void *to, size_t octets, size_t *got)
{
	const bool lab = env_is_lab(room->env);
	struct receiver r = {.fd = fd};
	ssize_t n;
	enum err rc = OK;

	if (lab)
		TRY(wait_readable(room, fd, INT64_MAX));
	else if (!receiver_link(room, &r))
		TRY(ERR_CLOSED);
	do
		n = recv(fd, to, octets, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EBADF || errno == ENOTSOCK))
		rc = ERR_SYSTEM;
	else if (n <= 0)
		rc = ERR_CLOSED;
	else
		*got = (size_t)n;
	if (!lab)
		receiver_unlink(room, &r);
out:
	return rc;
}

enum err
wait_until(struct wait_room *room, int64_t due_ms)
{
	enum err rc = wait_readable(room, -1, due_ms);

	return rc == ERR_TIMEOUT ? OK : rc;
}

/* ---- laboratory control ---- */

bool
wait_next_due(struct wait_room *room, int64_t *due_ms)
{
	bool any;

	(void)pthread_mutex_lock(&room->lock);
	any = room->list.next != &room->list &&
	      room->list.next->due_ms != INT64_MAX;
	if (any)
		*due_ms = room->list.next->due_ms;
	(void)pthread_mutex_unlock(&room->lock);
	return any;
}

/* Will somebody on an errand go on by himself, as soon as he is let run? */
static bool
somebody_can_read(struct wait_room *room)
{
	struct waiter *w;

	for (w = room->list.next; w != &room->list; w = w->next) {
		struct pollfd one = {.fd = w->fd, .events = POLLIN};

		if (w->errand != NULL && poll(&one, 1, 0) != 0)
			return true;
	}
	return false;
}

bool
wait_settled(struct wait_room *room)
{
	int64_t now_ms = env_elapsed_ms(room->env);
	bool settled;

	(void)pthread_mutex_lock(&room->lock);
	settled = room->busy == 0 && !somebody_can_read(room);
	while (settled) {
		struct waiter *first = room->list.next;

		if (first == &room->list || first->due_ms > now_ms)
			break;
		first->woken = true;
		unlink_waiter(first);
		ring(first->wake_fd);
		settled = first->errand == NULL;
	}
	(void)pthread_mutex_unlock(&room->lock);
	return settled;
}

void
wait_give_up(struct wait_room *room)
{
	(void)pthread_mutex_lock(&room->lock);
	room->round++;
	room->busy = 0;
	(void)pthread_mutex_unlock(&room->lock);
}

int
wait_fd(const struct wait_room *room)
{
	return room->rest_fd;
}

void
wait_tell(struct wait_room *room, bool on)
{
	(void)pthread_mutex_lock(&room->lock);
	room->tells = on;
	(void)pthread_mutex_unlock(&room->lock);
}

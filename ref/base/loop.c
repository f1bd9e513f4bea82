#include "base/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"

struct loop_fd {
	struct loop *loop;
	struct event read;
	struct event write;
	unsigned want;
	loop_fd_fn *fn;
	void *ctx;
};

struct loop_timer {
	struct loop *loop;
	int64_t due_ms;
	uint64_t order;
	size_t at; /* in the heap; NOWHERE when not set */
	bool patient;
	loop_fn *fn;
	void *ctx;
};

#define NOWHERE SIZE_MAX

struct loop {
	struct env *env;
	struct event_base *base;
	bool stopped;

	int64_t now_ms;
	bool now_known;
	bool measured;
	int64_t longest_us; /* of the turns that were */

	/* heap: the first due is first; room for each timer that exists */
	struct loop_timer **heap;
	size_t heap_count;
	size_t heap_room;
	size_t timer_count;
	uint64_t order; /* of the next timer that is set */
	struct event alarm;
	int64_t alarm_ms;

	/* rings, each around a task that is none */
	struct loop_task later;
	struct loop_task now;
	struct loop_task each_turn;

	struct loop_pool *pools;
	int done_fd;
	struct loop_fd *done_watch;
};

/* ---- tasks ---- */

static void
ring_init(struct loop_task *ring)
{
	ring->next = ring;
	ring->prev = ring;
}

static void
ring_put_before(struct loop_task *place, struct loop_task *task)
{
	task->next = place;
	task->prev = place->prev;
	place->prev->next = task;
	place->prev = task;
}

void
loop_task_cancel(struct loop_task *task)
{
	if (task->next == NULL)
		return;
	task->next->prev = task->prev;
	task->prev->next = task->next;
	task->next = NULL;
	task->prev = NULL;
}

void
loop_later(struct loop *loop, struct loop_task *task)
{
	if (task->next == NULL)
		ring_put_before(&loop->later, task);
}

void
loop_each_turn(struct loop *loop, struct loop_task *task)
{
	assert(task->next == NULL);
	ring_put_before(&loop->each_turn, task);
}

/* What is asked for while these run is for the turn after. */
static void
run_later(struct loop *loop)
{
	while (loop->now.next != &loop->now) {
		struct loop_task *task = loop->now.next;

		loop_task_cancel(task);
		task->fn(task->ctx);
	}
}

/* A task may cancel itself and any other: a marker keeps the place. */
static void
run_each_turn(struct loop *loop)
{
	struct loop_task *task = loop->each_turn.next;
	struct loop_task marker = {0};

	while (task != &loop->each_turn) {
		ring_put_before(task->next, &marker);
		task->fn(task->ctx);
		task = marker.next;
		loop_task_cancel(&marker);
	}
}

/* Everything in `later` becomes this turn's. */
static void
take_later(struct loop *loop)
{
	struct loop_task *task;

	while ((task = loop->later.next) != &loop->later) {
		loop_task_cancel(task);
		ring_put_before(&loop->now, task);
	}
}

/* ---- timers ---- */

static bool
timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	return a->order < b->order;
}

static void
heap_put(struct loop *loop, size_t at, struct loop_timer *timer)
{
	loop->heap[at] = timer;
	timer->at = at;
}

/* timer belongs at `at` or nearer to the first. */
static void
heap_rise(struct loop *loop, size_t at, struct loop_timer *timer)
{
	while (at != 0 && timer_before(timer, loop->heap[(at - 1) / 2])) {
		heap_put(loop, at, loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(loop, at, timer);
}

/* timer belongs at `at` or farther from the first. */
static void
heap_sink(struct loop *loop, size_t at, struct loop_timer *timer)
{
	for (;;) {
		size_t child = at * 2 + 1;

		if (child + 1 < loop->heap_count &&
		    timer_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (child >= loop->heap_count ||
		    timer_before(timer, loop->heap[child]))
			break;
		heap_put(loop, at, loop->heap[child]);
		at = child;
	}
	heap_put(loop, at, timer);
}

void
loop_timer_stop(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	size_t at = timer->at;
	struct loop_timer *last;

	if (at == NOWHERE)
		return;
	timer->at = NOWHERE;
	last = loop->heap[--loop->heap_count];
	if (last == timer)
		return;
	if (at != 0 && timer_before(last, loop->heap[(at - 1) / 2]))
		heap_rise(loop, at, last);
	else
		heap_sink(loop, at, last);
}

void
loop_timer_set(struct loop_timer *timer, int64_t due_ms)
{
	struct loop *loop = timer->loop;
	int64_t now_ms = loop_now_ms(loop);

	loop_timer_stop(timer);
	/* a timer that sets itself into the past must not starve others */
	timer->due_ms = due_ms < now_ms ? now_ms : due_ms;
	timer->order = loop->order++;
	heap_rise(loop, loop->heap_count++, timer);
}

enum err
loop_timer_new(
    struct loop *loop, loop_fn *fn, void *ctx, struct loop_timer **out)
{
	struct loop_timer *timer = NULL;
	enum err rc = OK;

	*out = NULL;
	if (loop->timer_count == loop->heap_room) {
		size_t room = loop->heap_room == 0 ? 64 : loop->heap_room * 2;
		struct loop_timer **heap =
		    mem_regrow(loop->heap, room, sizeof(*heap));

		if (heap == NULL)
			TRY(ERR_NOMEM);
		loop->heap = heap;
		loop->heap_room = room;
	}
	TRY(MEM_NEW(timer));
	timer->loop = loop;
	timer->at = NOWHERE;
	timer->fn = fn;
	timer->ctx = ctx;
	loop->timer_count++;
	*out = timer;
out:
	return rc;
}

void
loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	loop_timer_stop(timer);
	timer->loop->timer_count--;
	mem_free(timer);
}

bool
loop_next_due(const struct loop *loop, int64_t *due_ms)
{
	if (loop->heap_count == 0)
		return false;
	*due_ms = loop->heap[0]->due_ms;
	return true;
}

void
loop_timer_patient(struct loop_timer *timer)
{
	timer->patient = true;
}

bool
loop_next_firm_due(const struct loop *loop, int64_t *due_ms)
{
	bool any = false;
	size_t k;

	for (k = 0; k < loop->heap_count; k++) {
		const struct loop_timer *timer = loop->heap[k];

		if (timer->patient || (any && timer->due_ms >= *due_ms))
			continue;
		*due_ms = timer->due_ms;
		any = true;
	}
	return any;
}

/* Those due now; what they set themselves is for the next turn. */
static void
run_due(struct loop *loop)
{
	uint64_t order = loop->order;

	while (loop->heap_count != 0 &&
	       loop->heap[0]->due_ms <= loop_now_ms(loop) &&
	       loop->heap[0]->order < order) {
		struct loop_timer *timer = loop->heap[0];

		loop_timer_stop(timer);
		timer->fn(timer->ctx);
	}
}

static void
alarm_rang(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *loop = ctx;

	(void)fd;
	(void)what;
	loop->alarm_ms = -1;
}

/*
 * Have the wait end when the first timer is due; *at_once when it is already.
 * Laboratory time stands still while we wait: who moves it wakes us.
 */
static enum err
set_alarm(struct loop *loop, bool *at_once)
{
	int64_t due_ms;
	int64_t left_ms;
	struct timeval left;
	enum err rc = OK;

	*at_once = false;
	if (!loop_next_due(loop, &due_ms))
		return OK;
	left_ms = due_ms - loop_now_ms(loop);
	*at_once = left_ms <= 0;
	if (*at_once || env_is_lab(loop->env) || loop->alarm_ms == due_ms)
		return OK;
	left.tv_sec = left_ms / 1000;
	left.tv_usec = left_ms % 1000 * 1000;
	if (event_add(&loop->alarm, &left) != 0)
		TRY(ERR_SYSTEM);
	loop->alarm_ms = due_ms;
out:
	return rc;
}

struct event_base *
loop_events(struct loop *loop)
{
	return loop->base;
}

/* ---- descriptors ---- */

static void
fd_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_fd *watch = ctx;

	(void)fd;
	watch->fn(watch->ctx, what & EV_WRITE ? LOOP_WRITE : LOOP_READ);
}

enum err
loop_fd_want(struct loop_fd *watch, unsigned want)
{
	unsigned change = watch->want ^ want;
	enum err rc = OK;

	if (change & ~want & LOOP_READ)
		event_del(&watch->read);
	if (change & ~want & LOOP_WRITE)
		event_del(&watch->write);
	watch->want &= want;
	if ((change & want & LOOP_READ) && event_add(&watch->read, NULL) != 0)
		TRY(ERR_SYSTEM);
	watch->want |= want & LOOP_READ;
	if ((change & want & LOOP_WRITE) && event_add(&watch->write, NULL) != 0)
		TRY(ERR_SYSTEM);
	watch->want |= want & LOOP_WRITE;
out:
	return rc;
}

enum err
loop_fd_new(struct loop *loop, int fd, unsigned want, loop_fd_fn *fn, void *ctx,
    struct loop_fd **out)
{
	struct loop_fd *watch = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(watch));
	watch->loop = loop;
	watch->fn = fn;
	watch->ctx = ctx;
	event_assign(&watch->read, loop->base, fd, EV_READ | EV_PERSIST,
	    fd_ready, watch);
	event_assign(&watch->write, loop->base, fd, EV_WRITE | EV_PERSIST,
	    fd_ready, watch);
	TRY(loop_fd_want(watch, want));
	*out = watch;
	watch = NULL;
out:
	loop_fd_free(watch);
	return rc;
}

void
loop_fd_free(struct loop_fd *watch)
{
	if (watch == NULL)
		return;
	event_del(&watch->read);
	event_del(&watch->write);
	mem_free(watch);
}

/* ---- jobs ---- */

struct job {
	struct job *next;
	loop_fn *work;
	loop_done_fn *done;
	void *ctx;
};

struct jobs {
	struct job *first;
	struct job *last;
};

/*
 * Shared by its threads and the loop; who leaves last frees it.
 */
struct loop_pool {
	struct loop_pool *next;
	const char *name;
	unsigned max_threads;
	unsigned count; /* of jobs not done; the loop's alone */

	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t changed;
	struct jobs waiting;
	struct jobs finished;
	unsigned threads;
	unsigned idle;
	pthread_t *ended; /* room for max_threads */
	unsigned ended_count;
	bool closing;
	int done_fd; /* -1: nobody reads it any more */
	bool left;   /* by the loop */
};

static void
jobs_put(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	if (jobs->first == NULL)
		jobs->first = job;
	else
		jobs->last->next = job;
	jobs->last = job;
}

static struct job *
jobs_take(struct jobs *jobs)
{
	struct job *job = jobs->first;

	if (job != NULL)
		jobs->first = job->next;
	return job;
}

static void
pool_free(struct loop_pool *pool)
{
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	mem_free(pool->ended);
	mem_free(pool);
}

static void *
pool_thread(void *ctx)
{
	struct loop_pool *pool = ctx;
	const uint64_t one = 1;
	bool last;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct job *job = jobs_take(&pool->waiting);

		if (job == NULL && pool->closing)
			break;
		if (job == NULL) {
			pool->idle++;
			pthread_cond_wait(&pool->changed, &pool->lock);
			pool->idle--;
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		job->work(job->ctx);
		pthread_mutex_lock(&pool->lock);
		if (pool->done_fd < 0) {
			mem_free(job);
			continue;
		}
		/* the counter cannot overflow: the loop empties it */
		if (pool->finished.first == NULL)
			(void)!write(pool->done_fd, &one, sizeof(one));
		jobs_put(&pool->finished, job);
	}
	pool->threads--;
	if (pool->left)
		(void)pthread_detach(pthread_self());
	else
		pool->ended[pool->ended_count++] = pthread_self();
	last = pool->threads == 0 && pool->left;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	if (last)
		pool_free(pool);
	return NULL;
}

/* With the pool locked. Threads take no signals: the loop's thread does. */
static enum err
pool_grow(struct loop_pool *pool)
{
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	enum err rc = OK;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, pool_thread, pool) != 0)
		rc = ERR_SYSTEM;
	else
		pool->threads++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

enum err
loop_pool_new(struct loop *loop, const char *name, unsigned threads,
    struct loop_pool **out)
{
	struct loop_pool *pool = NULL;
	pthread_condattr_t attr;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(pool));
	pool->ended = mem_zalloc(threads, sizeof(*pool->ended));
	if (pool->ended == NULL)
		TRY(ERR_NOMEM);
	pool->name = name;
	pool->max_threads = threads;
	pool->done_fd = loop->done_fd;
	/* none of these fails on Linux for what is asked here */
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	pool->next = loop->pools;
	loop->pools = pool;
	*out = pool;
	pool = NULL;
out:
	mem_free(pool);
	return rc;
}

enum err
loop_submit(
    struct loop_pool *pool, loop_fn *work, loop_done_fn *done, void *ctx)
{
	struct job *job = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	job->work = work;
	job->done = done;
	job->ctx = ctx;
	pthread_mutex_lock(&pool->lock);
	if (pool->closing)
		rc = ERR_CLOSED;
	else if (pool->idle == 0 && pool->threads < pool->max_threads)
		rc = pool_grow(pool);
	if (rc == ERR_SYSTEM && pool->threads != 0)
		rc = OK; /* those that exist will come to it */
	if (rc == OK) {
		jobs_put(&pool->waiting, job);
		job = NULL;
		pool->count++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
out:
	mem_free(job);
	return rc;
}

unsigned
loop_pool_jobs(const struct loop_pool *pool)
{
	return pool->count;
}

unsigned
loop_jobs(const struct loop *loop)
{
	const struct loop_pool *pool;
	unsigned count = 0;

	for (pool = loop->pools; pool != NULL; pool = pool->next)
		count += pool->count;
	return count;
}

static void
pool_done(struct loop_pool *pool, struct jobs jobs, enum err rc)
{
	struct job *job;

	while ((job = jobs_take(&jobs)) != NULL) {
		pool->count--;
		job->done(job->ctx, rc);
		mem_free(job);
	}
}

static void
jobs_finished(void *ctx, unsigned ready)
{
	struct loop *loop = ctx;
	struct loop_pool *pool;
	uint64_t count;

	(void)ready;
	(void)!read(loop->done_fd, &count, sizeof(count));
	for (pool = loop->pools; pool != NULL; pool = pool->next) {
		struct jobs jobs;

		pthread_mutex_lock(&pool->lock);
		jobs = pool->finished;
		pool->finished = (struct jobs){0};
		pthread_mutex_unlock(&pool->lock);
		pool_done(pool, jobs, OK);
	}
}

static void
pool_close(struct loop_pool *pool, const struct timespec *until)
{
	struct jobs finished;
	struct jobs waiting;

	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	waiting = pool->waiting;
	pool->waiting = (struct jobs){0};
	pthread_cond_broadcast(&pool->changed);
	while (pool->threads != 0 &&
	       pthread_cond_timedwait(&pool->changed, &pool->lock, until) == 0)
		;
	finished = pool->finished;
	pool->finished = (struct jobs){0};
	pool->done_fd = -1;
	if (pool->threads != 0)
		log_line(
		    "base", LOG_WARN, "a job of pool %s hangs", pool->name);
	pthread_mutex_unlock(&pool->lock);
	pool_done(pool, finished, OK);
	pool_done(pool, waiting, ERR_CLOSED);
}

/*
 * A thread that has said that it ends has yet to give back what libraries keep
 * for it, and must have before the program, or the library, ends.
 */
static void
pool_leave(struct loop_pool *pool)
{
	bool last;

	pthread_mutex_lock(&pool->lock);
	while (pool->ended_count != 0)
		(void)pthread_join(pool->ended[--pool->ended_count], NULL);
	pool->left = true;
	last = pool->threads == 0;
	pthread_mutex_unlock(&pool->lock);
	if (last)
		pool_free(pool);
}

/* ---- the loop ---- */

enum err
loop_new(struct env *env, struct loop **out)
{
	struct event_config *config = NULL;
	struct loop *loop = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(loop));
	loop->env = env;
	loop->alarm_ms = -1;
	ring_init(&loop->later);
	ring_init(&loop->now);
	ring_init(&loop->each_turn);
	loop->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->done_fd < 0)
		TRY(ERR_SYSTEM);
	config = event_config_new();
	if (config == NULL)
		TRY(ERR_NOMEM);
	/* one thread: no locks; no surprises from EVENT_* variables */
	(void)event_config_set_flag(
	    config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	loop->base = event_base_new_with_config(config);
	if (loop->base == NULL)
		TRY(ERR_SYSTEM);
	event_assign(&loop->alarm, loop->base, -1, 0, alarm_rang, loop);
	TRY(loop_fd_new(loop, loop->done_fd, LOOP_READ, jobs_finished, loop,
	    &loop->done_watch));
	*out = loop;
	loop = NULL;
out:
	if (config != NULL)
		event_config_free(config);
	loop_free(loop);
	return rc;
}

/* Real time: the laboratory's stands still while we wait here. */
void
loop_end_jobs(struct loop *loop)
{
	struct loop_pool *pool;
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOP_GRACE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	for (pool = loop->pools; pool != NULL; pool = pool->next) {
		if (!pool->closing)
			pool_close(pool, &until);
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	loop_end_jobs(loop);
	while (loop->pools != NULL) {
		struct loop_pool *pool = loop->pools;

		loop->pools = pool->next;
		pool_leave(pool);
	}
	assert(loop->timer_count == 0);
	loop_fd_free(loop->done_watch);
	if (loop->base != NULL) {
		event_del(&loop->alarm);
		event_base_free(loop->base);
	}
	if (loop->done_fd >= 0)
		close(loop->done_fd);
	mem_free(loop->heap);
	mem_free(loop);
}

int64_t
loop_now_ms(struct loop *loop)
{
	if (!loop->now_known) {
		loop->now_ms = env_elapsed_ms(loop->env);
		loop->now_known = true;
	}
	return loop->now_ms;
}

static enum err
turn(struct loop *loop)
{
	int flags = EVLOOP_ONCE;
	bool at_once;
	enum err rc = OK;

	take_later(loop);
	loop->now_known = false;
	TRY(set_alarm(loop, &at_once));
	if (at_once || loop->now.next != &loop->now)
		flags |= EVLOOP_NONBLOCK;
	/* the time before the wait is not the time after it */
	loop->now_known = false;
	if (event_base_loop(loop->base, flags) < 0)
		TRY(ERR_SYSTEM);
	run_later(loop);
	run_due(loop);
	run_each_turn(loop);
out:
	return rc;
}

static int64_t
processor_us(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/* Waiting takes none. */
static enum err
measured_turn(struct loop *loop)
{
	int64_t us = processor_us();
	enum err rc = turn(loop);

	us = processor_us() - us;
	if (us > loop->longest_us)
		loop->longest_us = us;
	return rc;
}

int64_t
loop_longest_turn_us(struct loop *loop)
{
	int64_t us = loop->longest_us;

	loop->measured = true;
	loop->longest_us = 0;
	return us;
}

enum err
loop_run(struct loop *loop)
{
	enum err rc = OK;

	loop->stopped = false;
	while (!loop->stopped)
		TRY(loop->measured ? measured_turn(loop) : turn(loop));
out:
	return rc;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

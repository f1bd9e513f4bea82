/*
 * The event loop: descriptors, timers, end-of-turn work, and slow jobs.
 *
 * All protocol work happens in the one thread that runs the loop; everything
 * declared here is called from that thread (except in a job's work function).
 *
 * A turn is: wait until something is ready; call the functions of ready
 * descriptors and of tasks left for later; call the timers that are due, in
 * the order of their due times; call the end-of-turn tasks. What the requests
 * of one turn write is made durable in one transaction by such a task, and a
 * second one sends the answers that follow from it.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/bytes.h"

struct env;
struct event_base;
struct loop;

/* env is borrowed; timers live on its elapsed time. */
enum err loop_new(struct env *env, struct loop **out) MUST_CHECK;

/*
 * The end of all jobs: those that were not begun are finished with ERR_CLOSED,
 * running ones are given LOOP_GRACE_MS of real time, and one that hangs is
 * left behind. No done function is called after this.
 */
void loop_end_jobs(struct loop *loop);

enum { LOOP_GRACE_MS = 200 };

/*
 * Accepts NULL. Descriptors and timers must be gone; jobs are ended, and pools
 * go with the loop.
 */
void loop_free(struct loop *loop);

/*
 * Turn until loop_stop().
 *
 * ERR_SYSTEM  the system's own waiting failed
 */
enum err loop_run(struct loop *loop) MUST_CHECK;

/* The present turn, with its end-of-turn tasks, is the last one. */
void loop_stop(struct loop *loop);

/*
 * How much processor time of its thread the longest turn took since this was
 * last asked, the present turn not counted. Turns are measured from the first
 * call on, which says 0. For the laboratory.
 */
int64_t loop_longest_turn_us(struct loop *loop);

/* Elapsed time of the environment, read once in a turn. */
int64_t loop_now_ms(struct loop *loop);

/* For a library with events of its own, which are ready descriptors as others
 * are (net/http_port.c). Borrowed. */
struct event_base *loop_events(struct loop *loop);

typedef void loop_fn(void *ctx);

/* ---- descriptors ---- */

struct loop_fd;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* ready: LOOP_READ or LOOP_WRITE; an error or hang-up shows as either. */
typedef void loop_fd_fn(void *ctx, unsigned ready);

/*
 * Watch fd, which stays the caller's, until loop_fd_free(); level-triggered.
 * Interest persists, so that a request costs no system call for it.
 *
 * want        LOOP_READ and LOOP_WRITE, together, or 0 for neither
 * ERR_SYSTEM  the system cannot watch it
 */
enum err loop_fd_new(struct loop *loop, int fd, unsigned want, loop_fd_fn *fn,
    void *ctx, struct loop_fd **out) MUST_CHECK;
void loop_fd_free(struct loop_fd *watch); /* accepts NULL */
enum err loop_fd_want(struct loop_fd *watch, unsigned want) MUST_CHECK;

/* ---- timers, on elapsed time ---- */

struct loop_timer;

/* Not set yet; one timer is set as often as it is needed, at no cost. */
enum err loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx,
    struct loop_timer **out) MUST_CHECK;
void loop_timer_free(struct loop_timer *timer); /* accepts NULL */

/* Once at that time, or in the next turn when it is past. Replaces. */
void loop_timer_set(struct loop_timer *timer, int64_t due_ms);
void loop_timer_stop(struct loop_timer *timer);

/*
 * For one that looks again and again at what seldom changes: the laboratory's
 * time may leap over it, and then it fires once, late.
 */
void loop_timer_patient(struct loop_timer *timer);

/*
 * The first due time of all timers; false when none is set. In the laboratory
 * time is moved from one due time to the next, so that each timer fires at
 * its own time; who moves it makes the loop turn (see base/lab.h).
 */
bool loop_next_due(const struct loop *loop, int64_t *due_ms);

/* The same without those that are patient. */
bool loop_next_firm_due(const struct loop *loop, int64_t *due_ms);

/* ---- tasks ---- */

/* Embedded in its owner: fn and ctx are the owner's, the rest the loop's. */
struct loop_task {
	loop_fn *fn;
	void *ctx;
	struct loop_task *next;
	struct loop_task *prev;
};

/* Once, in the next turn, which then does not wait. Twice is once. */
void loop_later(struct loop *loop, struct loop_task *task);

/* At the end of each turn, in the order in which they were given. */
void loop_each_turn(struct loop *loop, struct loop_task *task);

/* Not any more; harmless on one that is nowhere. */
void loop_task_cancel(struct loop_task *task);

/* ---- jobs ---- */

struct loop_pool;

/*
 * Threads for one kind of slow work. Kinds that can hang (a card, a directory
 * server) have a pool each, so that they stop nothing but themselves. Threads
 * start with the first jobs; the pool lives as long as the loop.
 *
 * name     borrowed for good; for the log
 * threads  at most so many jobs run at a time, the others wait in order
 */
enum err loop_pool_new(struct loop *loop, const char *name, unsigned threads,
    struct loop_pool **out) MUST_CHECK;

/* In the loop, after the work: OK. ERR_CLOSED: the work was never begun. */
typedef void loop_done_fn(void *ctx, enum err rc);

/*
 * Call work(ctx) in a thread of the pool, then done(ctx, OK) in the loop. ctx
 * belongs to the job from here until done.
 *
 * ERR_NOMEM, ERR_SYSTEM, ERR_CLOSED  the job was not taken: ctx is still the
 * caller's
 */
enum err loop_submit(struct loop_pool *pool, loop_fn *work, loop_done_fn *done,
    void *ctx) MUST_CHECK;

/* Jobs that are not done, those left behind included. */
unsigned loop_pool_jobs(const struct loop_pool *pool);
unsigned loop_jobs(const struct loop *loop); /* of all pools */

#endif

#include "base/loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <time.h>

#include "base/rig_test.h"

enum { ALARMS = 200 };

/* A timer that notes its letter. */
struct alarm {
	struct lab *lab;
	struct loop_timer *timer;
	char letter;
	int64_t again_ms; /* after it fired, when not 0 */
	struct alarm *stops;
};

/* Virtual time that the test moves, and a note of what was called. */
struct lab {
	struct rig rig;
	struct loop *loop; /* the rig's */
	char calls[4096];
	size_t length;
	struct alarm alarms[ALARMS];
};

static void
note(struct lab *lab, char what)
{
	assert_true(lab->length + 1 < sizeof(lab->calls));
	lab->calls[lab->length++] = what;
	lab->calls[lab->length] = '\0';
}

static void
turn_begins(void *ctx)
{
	note(ctx, '|');
}

static int
set_up(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	*state = lab;
	if (lab == NULL || rig_init(&lab->rig) != OK)
		return -1;
	lab->loop = lab->rig.loop;
	lab->rig.begins = turn_begins;
	lab->rig.ctx = lab;
	return 0;
}

static int
tear_down(void **state)
{
	struct lab *lab = *state;
	size_t k;

	for (k = 0; k < ALARMS; k++)
		loop_timer_free(lab->alarms[k].timer);
	rig_clear(&lab->rig);
	free(lab);
	return 0;
}

/* A bar in the notes begins each turn. */
static void
turns(struct lab *lab, unsigned count)
{
	assert_int_equal(rig_turns(&lab->rig, count), OK);
}

static void
move_to(struct lab *lab, int64_t elapsed_ms)
{
	rig_move_to(&lab->rig, elapsed_ms);
}

static void
rang(void *ctx)
{
	struct alarm *a = ctx;

	note(a->lab, a->letter);
	if (a->again_ms != 0)
		loop_timer_set(
		    a->timer, loop_now_ms(a->lab->loop) + a->again_ms);
	if (a->stops != NULL)
		loop_timer_stop(a->stops->timer);
}

static struct alarm *
alarms(struct lab *lab, size_t count)
{
	struct alarm *a = lab->alarms;
	size_t k;

	for (k = 0; k < count; k++) {
		a[k].lab = lab;
		a[k].letter = (char)('a' + k);
		assert_int_equal(
		    loop_timer_new(lab->loop, rang, &a[k], &a[k].timer), OK);
	}
	return a;
}

static void
test_timers_wait_for_their_time(void **state)
{
	struct lab *lab = *state;
	struct alarm *a = alarms(lab, 4);
	int64_t due_ms = -1;

	assert_false(loop_next_due(lab->loop, &due_ms));
	loop_timer_set(a[0].timer, 300);
	loop_timer_set(a[1].timer, 100);
	loop_timer_set(a[2].timer, 200);
	loop_timer_set(a[3].timer, 100); /* as b, and set after it */
	assert_true(loop_next_due(lab->loop, &due_ms));
	assert_int_equal(due_ms, 100);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|");
	move_to(lab, 99);
	turns(lab, 1);
	assert_string_equal(lab->calls, "||");
	move_to(lab, 100);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|||bd");
	move_to(lab, 1000);
	turns(lab, 2);
	assert_string_equal(lab->calls, "|||bd|ca|");
	assert_false(loop_next_due(lab->loop, &due_ms));
}

/* Those that are patient fire as any, and are only left out of the firm. */
static void
test_time_may_leap_over_a_patient_timer(void **state)
{
	struct lab *lab = *state;
	struct alarm *a = alarms(lab, 3);
	int64_t due_ms = -1;

	loop_timer_patient(a[0].timer);
	loop_timer_set(a[0].timer, 100);
	assert_false(loop_next_firm_due(lab->loop, &due_ms));
	loop_timer_set(a[1].timer, 300);
	loop_timer_set(a[2].timer, 200);
	assert_true(loop_next_firm_due(lab->loop, &due_ms));
	assert_int_equal(due_ms, 200);
	assert_true(loop_next_due(lab->loop, &due_ms));
	assert_int_equal(due_ms, 100);
	move_to(lab, 200);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|ac");
	assert_true(loop_next_firm_due(lab->loop, &due_ms));
	assert_int_equal(due_ms, 300);
}

static void
test_timers_can_be_stopped_and_moved(void **state)
{
	struct lab *lab = *state;
	struct alarm *a = alarms(lab, 4);

	loop_timer_set(a[0].timer, 100);
	loop_timer_set(a[1].timer, 100);
	loop_timer_set(a[2].timer, 100);
	loop_timer_set(a[3].timer, 100);
	loop_timer_stop(a[1].timer);
	loop_timer_stop(a[1].timer);
	loop_timer_set(a[2].timer, 50);
	a[0].stops = &a[3]; /* due in the same turn */
	move_to(lab, 100);
	turns(lab, 2);
	assert_string_equal(lab->calls, "|ca|");
}

static void
test_a_timer_set_into_the_past_starves_nobody(void **state)
{
	struct lab *lab = *state;
	struct alarm *a = alarms(lab, 2);

	a[0].again_ms = -1000;
	loop_timer_set(a[0].timer, 10);
	loop_timer_set(a[1].timer, 20);
	move_to(lab, 30);
	turns(lab, 3);
	assert_string_equal(lab->calls, "|ab|a|a");
}

/* The heap against a plain search, through many sets and stops. */
static void
test_timers_come_in_order_whatever_happened_before(void **state)
{
	enum { CHANGES = 5000 };
	struct lab *lab = *state;
	struct alarm *a = alarms(lab, ALARMS);
	int64_t due[ALARMS];
	uint32_t seed = 20261121;
	size_t k;
	size_t i;

	for (k = 0; k < ALARMS; k++)
		due[k] = -1;
	for (i = 0; i < CHANGES; i++) {
		int64_t first = -1;
		int64_t got = -1;

		seed = seed * 1664525u + 1013904223u;
		k = seed >> 8 & 0xff;
		if (k >= ALARMS)
			continue;
		due[k] = seed >> 31 ? -1 : (int64_t)(seed >> 16 & 0xfff);
		if (due[k] < 0)
			loop_timer_stop(a[k].timer);
		else
			loop_timer_set(a[k].timer, due[k]);
		for (k = 0; k < ALARMS; k++) {
			if (due[k] >= 0 && (first < 0 || due[k] < first))
				first = due[k];
		}
		assert_int_equal(loop_next_due(lab->loop, &got), first >= 0);
		assert_int_equal(got, first);
	}
}

static void
stop_loop(void *ctx)
{
	loop_stop(ctx);
}

static void
test_machine_time_wakes_the_loop(void **state)
{
	struct env *env;
	struct loop *loop;
	struct loop_timer *timer;
	int64_t start_ms;

	(void)state;
	assert_int_equal(env_new(&env), OK);
	assert_int_equal(loop_new(env, &loop), OK);
	assert_int_equal(loop_timer_new(loop, stop_loop, loop, &timer), OK);
	start_ms = env_elapsed_ms(env);
	loop_timer_set(timer, start_ms + 20);
	assert_int_equal(loop_run(loop), OK);
	assert_true(env_elapsed_ms(env) >= start_ms + 20);
	/* what the loop says is the time after its wait, not before */
	assert_true(loop_now_ms(loop) >= start_ms + 20);
	loop_timer_free(timer);
	loop_free(loop);
	env_free(env);
}

/* A task that notes its letter, and what else it does. */
struct chore {
	struct loop_task task;
	struct lab *lab;
	char letter;
	struct chore *cancels;
	struct chore *later;
};

static void
chore_run(void *ctx)
{
	struct chore *c = ctx;

	note(c->lab, c->letter);
	if (c->cancels != NULL)
		loop_task_cancel(&c->cancels->task);
	if (c->later != NULL)
		loop_later(c->lab->loop, &c->later->task);
}

static void
chores(struct lab *lab, struct chore *c, size_t count)
{
	size_t k;

	for (k = 0; k < count; k++) {
		c[k].task.fn = chore_run;
		c[k].task.ctx = &c[k];
		c[k].lab = lab;
		c[k].letter = (char)('a' + k);
	}
}

static void
test_what_is_left_for_later_runs_in_the_next_turn(void **state)
{
	struct lab *lab = *state;
	struct chore c[4] = {0};

	chores(lab, c, 4);
	c[0].later = &c[0];
	c[1].cancels = &c[2];
	loop_later(lab->loop, &c[0].task);
	loop_later(lab->loop, &c[0].task); /* twice is once */
	loop_later(lab->loop, &c[1].task);
	loop_later(lab->loop, &c[2].task);
	loop_later(lab->loop, &c[3].task);
	turns(lab, 3);
	assert_string_equal(lab->calls, "abd|a|a|");
	loop_task_cancel(&c[0].task);
	turns(lab, 1);
	assert_string_equal(lab->calls, "abd|a|a||");
}

static void
test_the_end_of_a_turn_comes_after_all_else(void **state)
{
	struct lab *lab = *state;
	struct chore c[3] = {0};
	struct alarm *a = alarms(lab, 1);

	chores(lab, c, 3);
	a[0].letter = 'T';
	loop_timer_set(a[0].timer, 0);
	loop_each_turn(lab->loop, &c[0].task);
	loop_each_turn(lab->loop, &c[1].task);
	loop_each_turn(lab->loop, &c[2].task);
	turns(lab, 2);
	assert_string_equal(lab->calls, "|Tabc|abc");
	c[0].cancels = &c[1]; /* the very next */
	c[2].cancels = &c[2]; /* itself */
	turns(lab, 2);
	assert_string_equal(lab->calls, "|Tabc|abc|ac|a");
}

/* One end of a pair of sockets. */
struct end {
	struct lab *lab;
	struct loop_fd *watch;
	int fd;
};

static void
end_ready(void *ctx, unsigned ready)
{
	struct end *e = ctx;

	note(e->lab, ready == LOOP_READ ? 'r' : 'w');
}

static void
test_descriptors_are_watched_as_long_as_wanted(void **state)
{
	struct lab *lab = *state;
	struct end e = {.lab = lab};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
	    loop_fd_new(lab->loop, pair[0], LOOP_READ, end_ready, &e, &e.watch),
	    OK);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|");
	assert_int_equal(write(pair[1], "x", 1), 1);
	turns(lab, 2); /* not read: ready again */
	assert_string_equal(lab->calls, "|r|r|");
	assert_int_equal(loop_fd_want(e.watch, 0), OK);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|r|r||");
	assert_int_equal(loop_fd_want(e.watch, LOOP_WRITE), OK);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|r|r||w|");
	assert_int_equal(loop_fd_want(e.watch, LOOP_READ), OK);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|r|r||w|r|");
	loop_fd_free(e.watch);
	turns(lab, 1);
	assert_string_equal(lab->calls, "|r|r||w|r||");
	close(pair[0]);
	close(pair[1]);
}

static void
test_a_descriptor_that_cannot_be_watched_is_refused(void **state)
{
	struct lab *lab = *state;
	struct loop_fd *watch = NULL;
	int fd = open(lab->rig.clock_path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(
	    loop_fd_new(lab->loop, fd, LOOP_READ, end_ready, NULL, &watch),
	    ERR_SYSTEM); /* a plain file is always ready */
	assert_null(watch);
	close(fd);
}

/* Jobs that wait for a word from the test. */
struct task_force {
	struct lab *lab;
	struct loop_pool *pool;
	pthread_t loop_thread;
	pthread_mutex_t lock;
	unsigned running;
	unsigned most_running;
	unsigned done;
	unsigned closed;
	unsigned expect;
	sem_t begun;
	sem_t go;
	sem_t gone;
};

static void
force_init(struct task_force *f, struct lab *lab, unsigned threads)
{
	*f = (struct task_force){.lab = lab, .loop_thread = pthread_self()};
	pthread_mutex_init(&f->lock, NULL);
	sem_init(&f->begun, 0, 0);
	sem_init(&f->go, 0, 0);
	sem_init(&f->gone, 0, 0);
	assert_int_equal(
	    loop_pool_new(lab->loop, "test", threads, &f->pool), OK);
}

static void
force_work(void *ctx)
{
	struct task_force *f = ctx;

	assert_false(pthread_equal(pthread_self(), f->loop_thread));
	pthread_mutex_lock(&f->lock);
	if (++f->running > f->most_running)
		f->most_running = f->running;
	pthread_mutex_unlock(&f->lock);
	sem_post(&f->begun);
	sem_wait(&f->go);
	pthread_mutex_lock(&f->lock);
	f->running--;
	pthread_mutex_unlock(&f->lock);
	sem_post(&f->gone);
}

static void
force_done(void *ctx, enum err rc)
{
	struct task_force *f = ctx;

	assert_true(pthread_equal(pthread_self(), f->loop_thread));
	assert_true(rc == OK || rc == ERR_CLOSED);
	f->done += rc == OK;
	f->closed += rc == ERR_CLOSED;
	if (f->done == f->expect)
		loop_stop(f->lab->loop);
}

static void
test_jobs_run_beside_the_loop_and_end_in_it(void **state)
{
	enum { JOBS = 20, THREADS = 3 };
	struct lab *lab = *state;
	struct task_force f;
	int k;

	force_init(&f, lab, THREADS);
	f.expect = JOBS;
	for (k = 0; k < JOBS; k++)
		assert_int_equal(
		    loop_submit(f.pool, force_work, force_done, &f), OK);
	for (k = 0; k < THREADS; k++)
		sem_wait(&f.begun);
	assert_int_equal(loop_pool_jobs(f.pool), JOBS);
	assert_int_equal(loop_jobs(lab->loop), JOBS);
	for (k = 0; k < JOBS; k++)
		sem_post(&f.go);
	assert_int_equal(loop_run(lab->loop), OK);
	assert_int_equal(f.done, JOBS);
	assert_int_equal(f.most_running, THREADS);
	assert_int_equal(loop_pool_jobs(f.pool), 0);
}

static void
test_a_hanging_job_stops_only_its_pool(void **state)
{
	struct lab *lab = *state;
	struct task_force hung;
	struct task_force well;

	force_init(&hung, lab, 1);
	force_init(&well, lab, 1);
	hung.expect = 3;
	well.expect = 1;
	assert_int_equal(
	    loop_submit(hung.pool, force_work, force_done, &hung), OK);
	assert_int_equal(
	    loop_submit(hung.pool, force_work, force_done, &hung), OK);
	sem_wait(&hung.begun);
	sem_post(&well.go);
	assert_int_equal(
	    loop_submit(well.pool, force_work, force_done, &well), OK);
	assert_int_equal(loop_run(lab->loop), OK);
	assert_int_equal(well.done, 1);
	assert_int_equal(hung.done, 0);
	/* the loop leaves without the one, and hands back the other */
	loop_end_jobs(lab->loop);
	assert_int_equal(hung.done, 0);
	assert_int_equal(hung.closed, 1);
	assert_int_equal(loop_pool_jobs(hung.pool), 1);
	assert_int_equal(
	    loop_submit(hung.pool, force_work, force_done, &hung), ERR_CLOSED);
	loop_free(lab->loop);
	lab->rig.loop = NULL;
	assert_int_equal(hung.done, 0);
	sem_post(&hung.go);
	sem_wait(&hung.gone);
}

static void
test_a_job_that_ended_is_done_though_the_loop_goes(void **state)
{
	struct lab *lab = *state;
	struct task_force f;

	force_init(&f, lab, 2);
	sem_post(&f.go);
	assert_int_equal(loop_submit(f.pool, force_work, force_done, &f), OK);
	sem_wait(&f.gone);
	loop_free(lab->loop);
	lab->rig.loop = NULL;
	/* finished, or about to finish, when the loop went: done all the same
	 */
	assert_int_equal(f.done, 1);
	assert_int_equal(f.closed, 0);
}

static void
work_hard(void *ctx)
{
	struct timespec now, until;

	(void)ctx;
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &until), 0);
	until.tv_sec += (until.tv_nsec + 20000000) / 1000000000;
	until.tv_nsec = (until.tv_nsec + 20000000) % 1000000000;
	do
		assert_int_equal(
		    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	while (now.tv_sec < until.tv_sec ||
	       (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec));
}

static void
test_the_longest_turn_is_measured(void **state)
{
	struct lab *lab = *state;
	struct loop_task task = {.fn = work_hard};

	loop_later(lab->loop, &task);
	turns(lab, 3);
	assert_int_equal(loop_longest_turn_us(lab->loop), 0);
	loop_later(lab->loop, &task);
	turns(lab, 3);
	assert_true(loop_longest_turn_us(lab->loop) >= 20000);
	turns(lab, 3);
	assert_true(loop_longest_turn_us(lab->loop) < 20000);
}

int
main(void)
{
#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    LAB_TEST(test_timers_wait_for_their_time),
	    LAB_TEST(test_time_may_leap_over_a_patient_timer),
	    LAB_TEST(test_timers_can_be_stopped_and_moved),
	    LAB_TEST(test_a_timer_set_into_the_past_starves_nobody),
	    LAB_TEST(test_timers_come_in_order_whatever_happened_before),
	    cmocka_unit_test(test_machine_time_wakes_the_loop),
	    LAB_TEST(test_what_is_left_for_later_runs_in_the_next_turn),
	    LAB_TEST(test_the_end_of_a_turn_comes_after_all_else),
	    LAB_TEST(test_descriptors_are_watched_as_long_as_wanted),
	    LAB_TEST(test_a_descriptor_that_cannot_be_watched_is_refused),
	    LAB_TEST(test_jobs_run_beside_the_loop_and_end_in_it),
	    LAB_TEST(test_a_hanging_job_stops_only_its_pool),
	    LAB_TEST(test_a_job_that_ended_is_done_though_the_loop_goes),
	    LAB_TEST(test_the_longest_turn_is_measured),
	};
#undef LAB_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/wait.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/rig_test.h"

enum { THREADS = 3, LOG_OCTETS = 64, PATIENCE_MS = 10000, NO_FD = 1 << 24 };

struct place;

/* What a thread does: each step waits, and writes its letter when it is over.
 */
struct step {
	int64_t due_ms;
	bool reads; /* the pipe as well */
	enum err want;
};

struct walker {
	struct place *place;
	pthread_t thread;
	bool runs;
	bool errand;
	char name;
	const struct step *steps;
	size_t count;
	int fd;
	sem_t *gate; /* waited for before the end; NULL: none */
	enum err got;
};

struct place {
	struct rig rig;
	struct wait_room *room;
	struct walker walkers[THREADS];
	int pipe[2];
	pthread_mutex_t lock;
	char log[LOG_OCTETS];
	bool enough;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	*state = place;
	if (place == NULL || rig_init(&place->rig) != OK ||
	    pipe2(place->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	(void)pthread_mutex_init(&place->lock, NULL);
	return wait_room_new(place->rig.env, &place->room) != OK;
}

static void
join_all(struct place *place)
{
	size_t k;

	for (k = 0; k < THREADS; k++) {
		if (!place->walkers[k].runs)
			continue;
		(void)pthread_join(place->walkers[k].thread, NULL);
		place->walkers[k].runs = false;
	}
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	wait_room_close(place->room);
	join_all(place);
	wait_room_free(place->room);
	close(place->pipe[0]);
	close(place->pipe[1]);
	rig_clear(&place->rig);
	free(place);
	return 0;
}

static void
note(struct place *place, char letter)
{
	size_t at;

	(void)pthread_mutex_lock(&place->lock);
	at = strlen(place->log);
	if (at + 1 < sizeof(place->log))
		place->log[at] = letter;
	(void)pthread_mutex_unlock(&place->lock);
}

static void *
walk(void *ctx)
{
	struct walker *me = ctx;
	struct wait_room *room = me->place->room;
	size_t k;

	for (k = 0; k < me->count; k++) {
		const struct step *step = &me->steps[k];
		enum err rc = step->reads
				  ? wait_readable(room, me->fd, step->due_ms)
				  : wait_until(room, step->due_ms);
		char octet;

		if (step->reads && rc == OK)
			(void)!read(me->fd, &octet, 1);
		if (rc != step->want) {
			me->got = rc;
			break;
		}
		note(me->place, me->name);
	}
	if (me->gate != NULL)
		sem_wait(me->gate);
	if (me->errand)
		wait_errand_end(room);
	return NULL;
}

static void *
begin_and_walk(void *ctx)
{
	struct walker *me = ctx;

	wait_errand_begin(me->place->room);
	note(me->place, '(');
	return walk(me);
}

static void
await_letters(struct place *place, size_t count)
{
	size_t now = 0;

	while (now < count) {
		(void)pthread_mutex_lock(&place->lock);
		now = strlen(place->log);
		(void)pthread_mutex_unlock(&place->lock);
		(void)sched_yield();
	}
}

/* Returns when the thread is on its errand. */
static void
send_out(struct place *place, size_t k, const struct step *steps, size_t count)
{
	struct walker *w = &place->walkers[k];
	size_t before = strlen(place->log);

	*w = (struct walker){
	    .place = place,
	    .runs = true,
	    .errand = true,
	    .name = (char)('a' + k),
	    .steps = steps,
	    .count = count,
	    .fd = place->pipe[0],
	    .gate = w->gate,
	};
	assert_int_equal(
	    pthread_create(&w->thread, NULL, begin_and_walk, w), 0);
	await_letters(place, before + 1);
}

/* As the laboratory does: ask, wait to be told, ask again. */
static void
settle(struct place *place)
{
	struct pollfd told = {.fd = wait_fd(place->room), .events = POLLIN};

	wait_tell(place->room, true);
	while (!wait_settled(place->room)) {
		uint64_t count;

		assert_int_equal(poll(&told, 1, PATIENCE_MS), 1);
		assert_int_equal(
		    read(told.fd, &count, sizeof(count)), sizeof(count));
	}
	wait_tell(place->room, false);
}

static void
move_to(struct place *place, int64_t elapsed_ms)
{
	rig_move_to(&place->rig, elapsed_ms);
	settle(place);
}

#define ASSERT_NEXT(place, want)                                   \
	do {                                                       \
		int64_t next_ms = -1;                              \
		bool any = wait_next_due((place)->room, &next_ms); \
		assert_int_equal(any ? next_ms : -1, want);        \
	} while (0)

static void
test_time_wakes_those_who_are_due(void **state)
{
	static const struct step early[] = {{1000, false, OK}};
	static const struct step late[] = {{1001, false, OK}};
	struct place *place = *state;

	send_out(place, 0, late, 1);
	send_out(place, 1, early, 1);
	settle(place);
	ASSERT_NEXT(place, 1000);
	move_to(place, 999);
	assert_string_equal(place->log, "((");
	move_to(place, 1000);
	assert_string_equal(place->log, "((b");
	ASSERT_NEXT(place, 1001);
	move_to(place, 1001);
	assert_string_equal(place->log, "((ba");
	ASSERT_NEXT(place, -1);
}

/* One leap over all of them: each goes on at its turn, and again at once. */
static void
test_a_leap_wakes_in_the_order_of_the_times(void **state)
{
	static const struct step first[] = {{10, false, OK}, {40, false, OK}};
	static const struct step second[] = {
	    {20, false, OK}, {30, false, OK}, {30, false, OK}};
	static const struct step third[] = {{20, false, OK}};
	struct place *place = *state;

	send_out(place, 0, first, 2);
	settle(place);
	send_out(place, 1, second, 3);
	settle(place);
	send_out(place, 2, third, 1);
	settle(place);
	move_to(place, 20);
	assert_string_equal(place->log, "(((abc");
	move_to(place, 50);
	assert_string_equal(place->log, "(((abcbba");
}

static void
test_what_can_be_read_goes_before_the_time(void **state)
{
	static const struct step steps[] = {
	    {1000, true, OK}, {2000, true, ERR_TIMEOUT}, {2500, true, OK}};
	struct place *place = *state;

	send_out(place, 0, steps, 3);
	settle(place);
	rig_move_to(&place->rig, 1000);
	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	settle(place);
	assert_string_equal(place->log, "(a");
	ASSERT_NEXT(place, 2000);
	move_to(place, 2000);
	assert_string_equal(place->log, "(aa");
	ASSERT_NEXT(place, 2500);
	/* no time is moved: to be read is enough, and is waited for */
	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	settle(place);
	assert_string_equal(place->log, "(aaa");
	assert_int_equal(place->walkers[0].got, OK);
}

/* Waits for what is there already, over and over. */
static void *
look_on(void *ctx)
{
	struct walker *me = ctx;
	struct wait_room *room = me->place->room;

	wait_errand_begin(room);
	note(me->place, me->name);
	while (!__atomic_load_n(&me->place->enough, __ATOMIC_ACQUIRE) &&
	       wait_readable(room, me->fd, INT64_MAX) == OK)
		;
	wait_errand_end(room);
	return NULL;
}

/* Who can read goes on, though he still waits: that is not settled. */
static void
test_who_can_read_is_waited_for(void **state)
{
	struct place *place = *state;
	struct walker *w = &place->walkers[0];
	unsigned k;

	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	*w = (struct walker){
	    .place = place, .runs = true, .name = 'a', .fd = place->pipe[0]};
	assert_int_equal(pthread_create(&w->thread, NULL, look_on, w), 0);
	await_letters(place, 1);
	for (k = 0; k < 10000; k++)
		assert_false(wait_settled(place->room));
	__atomic_store_n(&place->enough, true, __ATOMIC_RELEASE);
	join_all(place);
	assert_true(wait_settled(place->room));
}

static void
test_who_waits_without_an_errand_is_woken_but_not_waited_for(void **state)
{
	static const struct step steps[] = {{100, false, OK}};
	struct place *place = *state;
	struct walker *w = &place->walkers[0];
	int64_t due_ms = 0;
	sem_t gate;

	sem_init(&gate, 0, 0);
	*w = (struct walker){.place = place,
	    .runs = true,
	    .name = 'a',
	    .steps = steps,
	    .count = 1,
	    .gate = &gate};
	assert_int_equal(pthread_create(&w->thread, NULL, walk, w), 0);
	while (!wait_next_due(place->room, &due_ms))
		(void)sched_yield();
	assert_int_equal(due_ms, 100);
	rig_move_to(&place->rig, 100);
	assert_true(wait_settled(place->room));
	ASSERT_NEXT(place, -1);
	sem_post(&gate);
	join_all(place);
	assert_string_equal(place->log, "a");
	sem_destroy(&gate);
}

static void
test_who_hangs_is_given_up_until_he_comes_back(void **state)
{
	static const struct step steps[] = {{100, false, OK}};
	static const struct step later[] = {{100, false, OK}, {200, false, OK}};
	struct place *place = *state;
	sem_t gate;

	sem_init(&gate, 0, 0);
	place->walkers[0].gate = &gate;
	send_out(place, 0, steps, 1);
	settle(place);
	rig_move_to(&place->rig, 100);
	assert_false(wait_settled(place->room));
	/* he went on, and stands at the gate */
	await_letters(place, 2);
	assert_false(wait_settled(place->room));
	wait_give_up(place->room);
	assert_true(wait_settled(place->room));
	/* others are waited for as ever, also when he ends amid that */
	send_out(place, 1, later, 2);
	sem_post(&gate);
	settle(place);
	ASSERT_NEXT(place, 200);
	move_to(place, 200);
	assert_string_equal(place->log, "(a(bb");
	sem_destroy(&gate);
}

static void
test_an_errand_inside_another_ends_nothing(void **state)
{
	struct place *place = *state;

	wait_errand_begin(place->room);
	wait_errand_begin(place->room);
	wait_errand_end(place->room);
	assert_false(wait_settled(place->room));
	wait_errand_end(place->room);
	assert_true(wait_settled(place->room));
}

static void
test_a_time_that_is_over_is_not_waited_for(void **state)
{
	struct place *place = *state;

	rig_move_to(&place->rig, 100);
	assert_int_equal(wait_until(place->room, 100), OK);
	assert_int_equal(
	    wait_readable(place->room, place->pipe[0], 100), ERR_TIMEOUT);
	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	assert_int_equal(wait_readable(place->room, place->pipe[0], 100), OK);
	assert_int_equal(wait_readable(place->room, 1 << 30, 100), ERR_SYSTEM);
}

static void
test_the_end_ends_all_waiting(void **state)
{
	static const struct step steps[] = {
	    {INT64_MAX, true, ERR_CLOSED}, {500, false, ERR_CLOSED}};
	struct place *place = *state;

	send_out(place, 0, steps, 2);
	send_out(place, 1, steps + 1, 1);
	settle(place);
	ASSERT_NEXT(place, 500);
	wait_room_close(place->room);
	join_all(place);
	assert_int_equal(place->walkers[0].got, OK);
	assert_int_equal(place->walkers[1].got, OK);
	ASSERT_NEXT(place, -1);
	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	assert_int_equal(
	    wait_readable(place->room, place->pipe[0], INT64_MAX), ERR_CLOSED);
}

/* The machine's own time: nobody moves it, so that waiting takes it. */
static void
test_real_time_passes_by_itself(void **state)
{
	struct place *place = *state;
	struct wait_room *room;
	struct env *env;
	int64_t from_ms;

	assert_int_equal(env_new(&env), OK);
	assert_int_equal(wait_room_new(env, &room), OK);
	from_ms = env_elapsed_ms(env);
	assert_int_equal(wait_until(room, from_ms + 20), OK);
	assert_true(env_elapsed_ms(env) >= from_ms + 20);
	assert_int_equal(
	    wait_readable(room, place->pipe[0], from_ms + 30), ERR_TIMEOUT);
	assert_true(env_elapsed_ms(env) >= from_ms + 30);
	assert_int_equal(write(place->pipe[1], "x", 1), 1);
	assert_int_equal(wait_readable(room, place->pipe[0], INT64_MAX), OK);
	assert_int_equal(wait_readable(room, place->pipe[0], 0), OK);
	wait_room_close(room);
	assert_int_equal(wait_until(room, INT64_MAX), ERR_CLOSED);
	wait_room_free(room);
	env_free(env);
}

/* ---- receiving ---- */

struct listener {
	pthread_t thread;
	struct wait_room *room;
	int fd[2]; /* heard, said */
	char heard[8];
	size_t octets;
	enum err end;
};

/* Says how much it has heard, each time. */
static void *
listen_on(void *ctx)
{
	struct listener *l = ctx;
	size_t got;

	while ((l->end = wait_receive(l->room, l->fd[0], l->heard + l->octets,
		    sizeof(l->heard) - l->octets, &got)) == OK) {
		l->octets += got;
		if (send(l->fd[0], &got, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	return NULL;
}

static void
listener_start(struct listener *l, struct wait_room *room)
{
	*l = (struct listener){.room = room};
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, l->fd), 0);
	assert_int_equal(pthread_create(&l->thread, NULL, listen_on, l), 0);
}

static void
listener_tell(struct listener *l, const char *text, char octets)
{
	char back = 0;

	assert_int_equal(
	    send(l->fd[1], text, (size_t)octets, MSG_NOSIGNAL), octets);
	assert_int_equal(recv(l->fd[1], &back, 1, 0), 1);
	assert_int_equal(back, octets);
}

static void
listener_join(struct listener *l)
{
	(void)pthread_join(l->thread, NULL);
	assert_int_equal(l->end, ERR_CLOSED);
	close(l->fd[0]);
	close(l->fd[1]);
}

/* Of three, one is hung up on; the end comes to both others, whatever they
 * hear then, and to who comes after it. */
static void
receive_in(struct wait_room *room)
{
	struct listener l[3];
	size_t k, got;
	char octet;

	for (k = 0; k < 3; k++)
		listener_start(&l[k], room);
	for (k = 0; k < 3; k++) {
		listener_tell(&l[k], "ab", 2);
		listener_tell(&l[k], "c", 1);
	}
	assert_int_equal(shutdown(l[1].fd[1], SHUT_WR), 0);
	listener_join(&l[1]);
	wait_room_close(room);
	listener_join(&l[0]);
	listener_join(&l[2]);
	assert_memory_equal(l[2].heard, "abc", 4);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, l[0].fd), 0);
	assert_int_equal(send(l[0].fd[1], "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(
	    wait_receive(room, l[0].fd[0], &octet, 1, &got), ERR_CLOSED);
	close(l[0].fd[0]);
	close(l[0].fd[1]);
}

static void
test_a_socket_is_received_from_in_the_laboratory(void **state)
{
	struct place *place = *state;
	size_t got;
	char octet;

	assert_int_equal(
	    wait_receive(place->room, NO_FD, &octet, 1, &got), ERR_SYSTEM);
	receive_in(place->room);
}

static void
test_a_socket_is_received_from_in_real_time(void **state)
{
	struct wait_room *room;
	struct env *env;
	size_t got;
	char octet;

	(void)state;
	assert_int_equal(env_new(&env), OK);
	assert_int_equal(wait_room_new(env, &room), OK);
	assert_int_equal(
	    wait_receive(room, NO_FD, &octet, 1, &got), ERR_SYSTEM);
	receive_in(room);
	wait_room_free(room);
	env_free(env);
}

int
main(void)
{
#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_time_wakes_those_who_are_due),
	    PLACE_TEST(test_a_leap_wakes_in_the_order_of_the_times),
	    PLACE_TEST(test_what_can_be_read_goes_before_the_time),
	    PLACE_TEST(test_who_can_read_is_waited_for),
	    PLACE_TEST(
		test_who_waits_without_an_errand_is_woken_but_not_waited_for),
	    PLACE_TEST(test_who_hangs_is_given_up_until_he_comes_back),
	    PLACE_TEST(test_an_errand_inside_another_ends_nothing),
	    PLACE_TEST(test_a_time_that_is_over_is_not_waited_for),
	    PLACE_TEST(test_the_end_ends_all_waiting),
	    PLACE_TEST(test_real_time_passes_by_itself),
	    PLACE_TEST(test_a_socket_is_received_from_in_the_laboratory),
	    cmocka_unit_test(test_a_socket_is_received_from_in_real_time),
	};
#undef PLACE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/lab.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/rig_test.h"

struct room {
	struct rig rig;
	struct lab *lab;
	struct lab_config config;
	char path[108];
	int fd[LAB_PEERS_MAX + 1];
	unsigned disk;
	unsigned hsm;
	const char *word; /* at the end of status */
	unsigned moves;
	struct loop_timer *timer;
	int rings_left;
	char power[64];
	struct wait_room *waits;
	sem_t begun;
	sem_t gate;
	bool at_gate;
	int64_t due_ms; /* of the thread */
};

static enum err
set_disk(void *ctx, unsigned value)
{
	struct room *room = ctx;

	room->disk = value;
	return OK;
}

static enum err
set_hsm(void *ctx, unsigned value)
{
	struct room *room = ctx;

	if (value == 2)
		return ERR_HSM;
	room->hsm = value;
	return OK;
}

static const struct lab_fault faults[] = {
    {"disk-full", "off|on", set_disk},
    {"hsm", "ok|fail|hang", set_hsm},
};

static enum err
say_more(void *ctx, struct buf *out)
{
	struct room *room = ctx;

	return buf_printf(out, " rings=%d%s", room->rings_left,
	    __atomic_load_n(&room->word, __ATOMIC_ACQUIRE));
}

static void
power_off(void *ctx, bool tear, uint64_t seed, unsigned nth)
{
	struct room *room = ctx;

	(void)snprintf(room->power, sizeof(room->power), "%s %lu %u",
	    tear ? "tear" : "drop", (unsigned long)seed, nth);
}

static void
moved(void *ctx)
{
	struct room *room = ctx;

	room->moves++;
}

static enum err
own_line(void *ctx, const char *line, struct buf *out)
{
	(void)ctx;
	if (strcmp(line, "tamper cover") == 0)
		return buf_printf(out, "ok latched");
	if (strcmp(line, "fault add op=C_Sign") == 0)
		return buf_printf(out, "ok seq=1");
	if (strcmp(line, "fault add") == 0)
		return buf_printf(out, "error add what?");
	return strcmp(line, "tamper") == 0 ? ERR_MISSING : ERR_NOT_FOUND;
}

static void
ring(void *ctx)
{
	struct room *room = ctx;

	if (--room->rings_left != 0)
		loop_timer_set(room->timer, loop_now_ms(room->rig.loop));
}

static int
set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	const char *dir = getenv("TMPDIR");

	*state = room;
	if (room == NULL)
		return -1;
	memset(room->fd, 0xff, sizeof(room->fd));
	room->word = "";
	(void)snprintf(room->path, sizeof(room->path), "%s/lab.%d",
	    dir != NULL ? dir : "/tmp", (int)getpid());
	room->config = (struct lab_config){
	    .path = room->path,
	    .faults = faults,
	    .fault_count = 2,
	    .power_off = power_off,
	    .status = say_more,
	    .command = own_line,
	    .moved = moved,
	    .ctx = room,
	};
	sem_init(&room->begun, 0, 0);
	sem_init(&room->gate, 0, 0);
	if (rig_init(&room->rig) != OK ||
	    wait_room_new(room->rig.env, &room->waits) != OK ||
	    loop_timer_new(room->rig.loop, ring, room, &room->timer) != OK)
		return -1;
	room->config.waits = room->waits;
	return lab_new(room->rig.loop, room->rig.env, &room->config,
		   &room->lab) != OK;
}

static int
tear_down(void **state)
{
	struct room *room = *state;
	size_t k;

	for (k = 0; k <= LAB_PEERS_MAX; k++) {
		if (room->fd[k] >= 0)
			close(room->fd[k]);
	}
	lab_free(room->lab);
	wait_room_free(room->waits);
	sem_destroy(&room->begun);
	sem_destroy(&room->gate);
	loop_timer_free(room->timer);
	rig_clear(&room->rig);
	free(room);
	return 0;
}

static void
enter(struct room *room, size_t k)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, room->path, sizeof(room->path));
	room->fd[k] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    connect(room->fd[k], (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(rig_turns(&room->rig, 1), OK);
}

static void
ask(struct room *room, size_t k, const char *line)
{
	assert_int_equal(
	    send(room->fd[k], line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(rig_turns(&room->rig, 1), OK);
}

/* The answer without "pid=N "; "" for none, "eof" at the end. */
static const char *
hear(struct room *room, size_t k)
{
	static char heard[512];
	ssize_t got = recv(room->fd[k], heard, sizeof(heard) - 1, 0);
	char *pid;

	if (got == 0)
		return "eof";
	heard[got > 0 ? got : 0] = '\0';
	pid = strstr(heard, "pid=");
	if (pid != NULL) {
		char *rest = strchr(pid, ' ') + 1;

		memmove(pid, rest, strlen(rest) + 1);
	}
	return heard;
}

#define ASSERT_ANSWER(room, k, line, want)                \
	do {                                              \
		ask(room, k, line);                       \
		assert_string_equal(hear(room, k), want); \
	} while (0)

static void
test_commands_are_answered(void **state)
{
	static const struct {
		const char *line;
		const char *answer;
	} cases[] = {
	    {"status\n", "ok elapsed=0 next=none rings=0\n"},
	    {"status now\n", "error a value its type does not allow\n"},
	    {"statu\n", "error no such object\n"},
	    {"\n", "error no such object\n"},
	    {"fault\n", "ok disk-full=off hsm=ok\n"},
	    {"fault disk-full on\n", "ok\n"},
	    {"fault disk-full o\n", "error a value its type does not allow\n"},
	    {"fault disk-full\n", "error a value its type does not allow\n"},
	    {"fault disk-full off|on\n",
		"error a value its type does not allow\n"},
	    {"fault disk on\n", "error no such object\n"},
	    {"fault hsm fail\n", "ok\n"},
	    {"fault\n", "ok disk-full=on hsm=fail\n"},
	    {"turns\n", "ok longest_us=0\n"},
	    {"turns all\n", "error a value its type does not allow\n"},
	    {"tamper cover\n", "ok latched\n"},
	    {"tamper\n", "error a required item is missing\n"},
	    {"tamper covers\n", "error no such object\n"},
	    {"fault add op=C_Sign\n", "ok seq=1\n"},
	    {"fault add\n", "error add what?\n"},
	    {"fault ad\n", "error no such object\n"},
	    {"await\n", "error a value its type does not allow\n"},
	    {"power\n", "error a value its type does not allow\n"},
	    {"power drop now\n", "error a value its type does not allow\n"},
	    {"power tear 1\n", "error a value its type does not allow\n"},
	    {"power tear -1 0\n", "error a value its type does not allow\n"},
	    {"power tear 1 2 3\n", "error a value its type does not allow\n"},
	    {"power tear 1 4294967296\n",
		"error a value its type does not allow\n"},
	};
	struct room *room = *state;
	size_t k;

	enter(room, 0);
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		ASSERT_ANSWER(room, 0, cases[k].line, cases[k].answer);
	assert_int_equal(room->disk, 1);
	assert_int_equal(room->hsm, 1);
	assert_string_equal(room->power, "");
}

static void
test_a_fault_that_cannot_be_set_is_not(void **state)
{
	struct room *room = *state;
	char want[80];

	(void)snprintf(want, sizeof(want), "error %s\n", err_text(ERR_HSM));
	enter(room, 0);
	ASSERT_ANSWER(room, 0, "fault hsm hang\n", want);
	ASSERT_ANSWER(room, 0, "fault\n", "ok disk-full=off hsm=ok\n");
}

static void
test_power_goes_as_told(void **state)
{
	struct room *room = *state;

	enter(room, 0);
	ASSERT_ANSWER(room, 0, "power tear 18446744073709551615 7\n", "ok\n");
	assert_string_equal(room->power, "tear 18446744073709551615 7");
	ASSERT_ANSWER(room, 0, "power drop\n", "ok\n");
	assert_string_equal(room->power, "drop 0 0");
}

static void
test_what_time_may_leap_over_is_told_apart(void **state)
{
	struct room *room = *state;
	struct loop_timer *look;

	assert_int_equal(loop_timer_new(room->rig.loop, ring, room, &look), OK);
	loop_timer_patient(look);
	loop_timer_set(look, 400);
	enter(room, 0);
	ASSERT_ANSWER(
	    room, 0, "status\n", "ok elapsed=0 next=400 firm=none rings=0\n");
	loop_timer_set(room->timer, 700);
	ASSERT_ANSWER(
	    room, 0, "status\n", "ok elapsed=0 next=400 firm=700 rings=0\n");
	loop_timer_set(room->timer, 400);
	ASSERT_ANSWER(room, 0, "status\n", "ok elapsed=0 next=400 rings=0\n");
	loop_timer_free(look);
}

/* The timer sets itself anew for the same time: three turns, one answer. */
static void
test_the_clock_is_acknowledged_when_nothing_is_due(void **state)
{
	struct room *room = *state;

	room->rings_left = 3;
	loop_timer_set(room->timer, 1000);
	enter(room, 0);
	ASSERT_ANSWER(room, 0, "status\n", "ok elapsed=0 next=1000 rings=3\n");
	rig_move_to(&room->rig, 1000);
	ask(room, 0, "clock\n");
	assert_string_equal(hear(room, 0), "");
	assert_int_equal(room->moves, 1);
	assert_int_equal(rig_turns(&room->rig, 3), OK);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=1000 next=none rings=0\n");
	assert_int_equal(room->moves, 1);
}

static void
wait_for_word(void *ctx)
{
	sem_wait(ctx);
}

static void
word_came(void *ctx, enum err rc)
{
	(void)ctx;
	(void)rc;
}

/* The loop waits here: for the job, or for the lab's patience. */
static void
turn_until_answered(struct room *room)
{
	struct pollfd answer = {.fd = room->fd[0], .events = POLLIN};
	int turns = 0;

	while (poll(&answer, 1, 0) == 0 && ++turns < 1000000)
		assert_int_equal(rig_turns(&room->rig, 1), OK);
}

static void
test_the_clock_waits_for_jobs_but_not_for_ever(void **state)
{
	struct room *room = *state;
	struct loop_pool *pool;
	sem_t word;

	sem_init(&word, 0, 0);
	assert_int_equal(loop_pool_new(room->rig.loop, "test", 1, &pool), OK);
	enter(room, 0);
	assert_int_equal(
	    loop_submit(pool, wait_for_word, word_came, &word), OK);
	ask(room, 0, "clock\n");
	assert_int_equal(rig_turns(&room->rig, 3), OK);
	assert_string_equal(hear(room, 0), "");
	sem_post(&word);
	turn_until_answered(room);
	assert_int_equal(loop_jobs(room->rig.loop), 0);
	assert_string_equal(hear(room, 0), "ok elapsed=0 next=none rings=0\n");
	/* one that hangs is waited for once */
	assert_int_equal(
	    loop_submit(pool, wait_for_word, word_came, &word), OK);
	ask(room, 0, "clock\n");
	turn_until_answered(room);
	assert_int_equal(loop_jobs(room->rig.loop), 1);
	assert_string_equal(hear(room, 0), "ok elapsed=0 next=none rings=0\n");
	ask(room, 0, "clock\n");
	assert_int_equal(rig_turns(&room->rig, 1), OK);
	assert_string_equal(hear(room, 0), "ok elapsed=0 next=none rings=0\n");
	sem_post(&word);
	loop_end_jobs(room->rig.loop);
	sem_destroy(&word);
}

/* On an errand: until its time, then through the gate. */
static void *
wait_for_time(void *ctx)
{
	struct room *room = ctx;

	wait_errand_begin(room->waits);
	sem_post(&room->begun);
	if (wait_until(room->waits, room->due_ms) == OK) {
		__atomic_store_n(&room->at_gate, true, __ATOMIC_RELEASE);
		sem_wait(&room->gate);
		__atomic_store_n(&room->word, " gone", __ATOMIC_RELEASE);
	}
	wait_errand_end(room->waits);
	return NULL;
}

static pthread_t
send_thread(struct room *room, int64_t due_ms)
{
	pthread_t thread;

	room->due_ms = due_ms;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_time, room), 0);
	sem_wait(&room->begun);
	return thread;
}

static void
await_gate(struct room *room)
{
	int turns = 0;

	while (!__atomic_load_n(&room->at_gate, __ATOMIC_ACQUIRE) &&
	       ++turns < 1000000)
		assert_int_equal(rig_turns(&room->rig, 1), OK);
}

static void
test_the_clock_wakes_threads_and_waits_for_them(void **state)
{
	struct room *room = *state;
	pthread_t thread;

	enter(room, 0);
	thread = send_thread(room, 700);
	ask(room, 0, "clock\n");
	turn_until_answered(room);
	assert_string_equal(hear(room, 0), "ok elapsed=0 next=700 rings=0\n");
	/* the first of the loop's timers and the threads' */
	loop_timer_set(room->timer, 701);
	ASSERT_ANSWER(room, 0, "status\n", "ok elapsed=0 next=700 rings=0\n");
	loop_timer_set(room->timer, 699);
	ASSERT_ANSWER(room, 0, "status\n", "ok elapsed=0 next=699 rings=0\n");
	loop_timer_stop(room->timer);
	rig_move_to(&room->rig, 700);
	ask(room, 0, "clock\n");
	await_gate(room);
	assert_string_equal(hear(room, 0), "");
	sem_post(&room->gate);
	turn_until_answered(room);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=700 next=none rings=0 gone\n");
	pthread_join(thread, NULL);
}

static void
test_a_thread_that_hangs_does_not_stop_time(void **state)
{
	struct room *room = *state;
	pthread_t thread;

	enter(room, 0);
	thread = send_thread(room, 700);
	rig_move_to(&room->rig, 700);
	ask(room, 0, "clock\n");
	turn_until_answered(room);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=700 next=none rings=0\n");
	/* once */
	ask(room, 0, "clock\n");
	assert_int_equal(rig_turns(&room->rig, 1), OK);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=700 next=none rings=0\n");
	sem_post(&room->gate);
	pthread_join(thread, NULL);
}

static void
test_what_threads_do_is_awaited_as_well(void **state)
{
	struct room *room = *state;
	struct pollfd rest = {.fd = wait_fd(room->waits), .events = POLLIN};
	pthread_t thread;

	enter(room, 0);
	thread = send_thread(room, 0);
	ASSERT_ANSWER(room, 0, "await gone\n", "");
	sem_post(&room->gate);
	/* the loop is woken for it */
	assert_int_equal(poll(&rest, 1, LAB_PATIENCE_MS * 20), 1);
	turn_until_answered(room);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=0 next=none rings=0 gone\n");
	pthread_join(thread, NULL);
}

static void
test_what_is_awaited_is_told_when_it_comes(void **state)
{
	struct room *room = *state;

	enter(room, 0);
	ASSERT_ANSWER(room, 0, "await hsm=ready\n", "");
	assert_int_equal(rig_turns(&room->rig, 3), OK);
	assert_string_equal(hear(room, 0), "");
	room->word = " hsm=ready";
	assert_int_equal(rig_turns(&room->rig, 1), OK);
	assert_string_equal(
	    hear(room, 0), "ok elapsed=0 next=none rings=0 hsm=ready\n");
	/* once only; and what is there already is told at once */
	assert_int_equal(rig_turns(&room->rig, 1), OK);
	assert_string_equal(hear(room, 0), "");
	ASSERT_ANSWER(room, 0, "await rings=0\n",
	    "ok elapsed=0 next=none rings=0 hsm=ready\n");
}

static void
test_lines_have_a_length_and_come_one_by_one(void **state)
{
	struct room *room = *state;
	char line[LAB_LINE_OCTETS + 1];

	memset(line, 'x', sizeof(line));
	line[LAB_LINE_OCTETS - 1] = '\n';
	line[LAB_LINE_OCTETS] = '\0';
	enter(room, 0);
	ASSERT_ANSWER(room, 0, line, "error no such object\n");
	line[LAB_LINE_OCTETS - 1] = 'x';
	ASSERT_ANSWER(room, 0, line, "eof");
	enter(room, 1);
	ASSERT_ANSWER(room, 1, "status\nstatus\n", "eof");
	enter(room, 2);
	ask(room, 2, "await never\n");
	ASSERT_ANSWER(room, 2, "status\n", "eof");
}

static void
test_only_so_many_are_let_in(void **state)
{
	struct room *room = *state;
	size_t k;

	for (k = 0; k <= LAB_PEERS_MAX; k++)
		enter(room, k);
	assert_string_equal(hear(room, LAB_PEERS_MAX), "eof");
	ASSERT_ANSWER(room, LAB_PEERS_MAX - 1, "fault disk-full on\n", "ok\n");
}

static void
test_the_socket_is_its_owners_and_goes(void **state)
{
	struct room *room = *state;
	struct stat st;

	assert_int_equal(stat(room->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	lab_free(room->lab);
	room->lab = NULL;
	assert_int_equal(stat(room->path, &st), -1);
}

int
main(void)
{
#define ROOM_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    ROOM_TEST(test_commands_are_answered),
	    ROOM_TEST(test_a_fault_that_cannot_be_set_is_not),
	    ROOM_TEST(test_power_goes_as_told),
	    ROOM_TEST(test_what_time_may_leap_over_is_told_apart),
	    ROOM_TEST(test_the_clock_is_acknowledged_when_nothing_is_due),
	    ROOM_TEST(test_the_clock_waits_for_jobs_but_not_for_ever),
	    ROOM_TEST(test_the_clock_wakes_threads_and_waits_for_them),
	    ROOM_TEST(test_a_thread_that_hangs_does_not_stop_time),
	    ROOM_TEST(test_what_threads_do_is_awaited_as_well),
	    ROOM_TEST(test_what_is_awaited_is_told_when_it_comes),
	    ROOM_TEST(test_lines_have_a_length_and_come_one_by_one),
	    ROOM_TEST(test_only_so_many_are_let_in),
	    ROOM_TEST(test_the_socket_is_its_owners_and_goes),
	};
#undef ROOM_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

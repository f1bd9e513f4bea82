#include "hsmcardd/door.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/rig_test.h"

enum { GUESTS = 3, TURNS_MOST = 1000000 };

struct house {
	struct rig rig;
	struct wait_room *waits;
	struct door_config config;
	struct door *door;
	char path[108];
	int fd[GUESTS + 1];
};

/* Each octet comes back, one more; '!' ends it. */
static void
serve(void *ctx, int fd)
{
	struct house *house = ctx;
	char octet;

	while (wait_readable(house->waits, fd, INT64_MAX) == OK &&
	       recv(fd, &octet, 1, 0) == 1 && octet != '!') {
		octet++;
		(void)!send(fd, &octet, 1, MSG_NOSIGNAL);
	}
}

static int
set_up(void **state)
{
	struct house *house = calloc(1, sizeof(*house));
	const char *dir = getenv("TMPDIR");

	*state = house;
	if (house == NULL)
		return -1;
	memset(house->fd, 0xff, sizeof(house->fd));
	(void)snprintf(house->path, sizeof(house->path), "%s/door.%d",
	    dir != NULL ? dir : "/tmp", (int)getpid());
	if (rig_init(&house->rig) != OK ||
	    wait_room_new(house->rig.env, &house->waits) != OK)
		return -1;
	house->config = (struct door_config){
	    .path = house->path,
	    .guests_max = GUESTS,
	    .refusal = bytes_of_text("full\n"),
	    .waits = house->waits,
	    .serve = serve,
	    .ctx = house,
	};
	return door_new(house->rig.loop, &house->config, &house->door) != OK;
}

static void
turn_until(struct house *house, unsigned guests)
{
	int turns = 0;

	while (door_guests(house->door) != guests && ++turns < TURNS_MOST)
		assert_int_equal(rig_turns(&house->rig, 1), OK);
	assert_int_equal(door_guests(house->door), guests);
}

static int
tear_down(void **state)
{
	struct house *house = *state;
	size_t k;

	wait_room_close(house->waits);
	if (house->door != NULL)
		turn_until(house, 0);
	for (k = 0; k <= GUESTS; k++) {
		if (house->fd[k] >= 0)
			close(house->fd[k]);
	}
	door_free(house->door);
	wait_room_free(house->waits);
	rig_clear(&house->rig);
	free(house);
	return 0;
}

static void
come(struct house *house, size_t k)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = 5};

	memcpy(at.sun_path, house->path, sizeof(house->path));
	house->fd[k] = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)setsockopt(
	    house->fd[k], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(
	    connect(house->fd[k], (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(rig_turns(&house->rig, 1), OK);
}

/* What comes back for an octet. */
static char
ask(struct house *house, size_t k, char octet)
{
	char answer;

	assert_int_equal(send(house->fd[k], &octet, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(house->fd[k], &answer, 1, 0), 1);
	return answer;
}

static void
test_guests_are_served_side_by_side(void **state)
{
	struct house *house = *state;
	size_t k;

	for (k = 0; k < GUESTS; k++)
		come(house, k);
	assert_int_equal(door_guests(house->door), GUESTS);
	for (k = GUESTS; k-- > 0;)
		assert_int_equal(ask(house, k, (char)('a' + k)), 'b' + k);
}

static void
test_one_too_many_is_told_so_and_the_others_stay(void **state)
{
	struct house *house = *state;
	char heard[16];
	size_t k;

	for (k = 0; k <= GUESTS; k++)
		come(house, k);
	assert_int_equal(
	    recv(house->fd[GUESTS], heard, sizeof(heard), MSG_WAITALL), 5);
	assert_memory_equal(heard, "full\n", 5);
	close(house->fd[GUESTS]);
	assert_int_equal(ask(house, 0, 'a'), 'b');
	/* who leaves makes room */
	assert_int_equal(send(house->fd[1], "!", 1, MSG_NOSIGNAL), 1);
	turn_until(house, GUESTS - 1);
	come(house, GUESTS);
	assert_int_equal(ask(house, GUESTS, 'x'), 'y');
}

static void
test_a_guest_that_hangs_up_is_seen_off(void **state)
{
	struct house *house = *state;

	come(house, 0);
	close(house->fd[0]);
	house->fd[0] = -1;
	turn_until(house, 0);
}

/* The laboratory waits for what a guest does, from its first moment on. */
static void
test_a_guest_is_on_an_errand(void **state)
{
	struct house *house = *state;
	struct pollfd rest = {.fd = wait_fd(house->waits), .events = POLLIN};
	uint64_t count;

	wait_tell(house->waits, true);
	come(house, 0);
	while (!wait_settled(house->waits)) {
		assert_int_equal(poll(&rest, 1, 10000), 1);
		(void)!read(rest.fd, &count, sizeof(count));
	}
	assert_int_equal(ask(house, 0, 'a'), 'b');
	assert_int_equal(poll(&rest, 1, 10000), 1);
}

static void
test_a_closed_door_lets_nobody_in(void **state)
{
	struct house *house = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat st;

	come(house, 0);
	assert_int_equal(stat(house->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	door_close(house->door);
	assert_int_equal(stat(house->path, &st), -1);
	memcpy(at.sun_path, house->path, sizeof(house->path));
	house->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(house->fd[1], (struct sockaddr *)&at, sizeof(at)), -1);
	assert_int_equal(ask(house, 0, 'a'), 'b');
	wait_room_close(house->waits);
	turn_until(house, 0);
}

static void
test_a_path_has_a_length(void **state)
{
	struct house *house = *state;
	struct door_config config = house->config;
	struct door *door;
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	config.path = path;
	assert_int_equal(door_new(house->rig.loop, &config, &door), ERR_SYSTEM);
	assert_null(door);
}

int
main(void)
{
#define HOUSE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    HOUSE_TEST(test_guests_are_served_side_by_side),
	    HOUSE_TEST(test_one_too_many_is_told_so_and_the_others_stay),
	    HOUSE_TEST(test_a_guest_that_hangs_up_is_seen_off),
	    HOUSE_TEST(test_a_guest_is_on_an_errand),
	    HOUSE_TEST(test_a_closed_door_lets_nobody_in),
	    HOUSE_TEST(test_a_path_has_a_length),
	};
#undef HOUSE_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rpc/serve.h"

#include "rpc/fake_test.h"
#include "rpc/wire.h"

static struct fake_daemon daemon_;

static int
set_up(void **state)
{
	(void)state;
	memset(&daemon_, 0, sizeof(daemon_));
	fake_start(&daemon_);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fake_stop(&daemon_);
	fake_remove(&daemon_);
	return 0;
}

/* ---- a peer that says what it likes ---- */

static int
dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, daemon_.path);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	struct hex h = hex(text);

	assert_int_equal(
	    send(fd, h.at, h.octets, MSG_NOSIGNAL), (ssize_t)h.octets);
}

/* So many octets, or as many as come before the end. */
static size_t
hear(int fd, uint8_t *at, size_t octets)
{
	size_t have = 0;
	ssize_t n;

	while (have < octets) {
		n = recv(fd, at + have, octets - have, 0);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

/* A frame, however long it is, or a hello. */
static void
assert_heard(int fd, const char *text)
{
	size_t hello = WIRE_HELLO_OCTETS - WIRE_LENGTH_OCTETS;
	uint8_t got[HEX_OCTETS_MAX];
	size_t octets;

	assert_int_equal(hear(fd, got, WIRE_LENGTH_OCTETS), WIRE_LENGTH_OCTETS);
	octets = got[0] == 'H' ? hello : bytes_u32(got);
	assert_true(octets < sizeof(got) - WIRE_LENGTH_OCTETS);
	assert_int_equal(hear(fd, got + WIRE_LENGTH_OCTETS, octets), octets);
	assert_hex(
	    "heard", (struct bytes){got, WIRE_LENGTH_OCTETS + octets}, text);
}

static void
assert_over(int fd)
{
	uint8_t octet;

	assert_int_equal(hear(fd, &octet, 1), 0);
	close(fd);
}

#define MAGIC   "4853494d2d503131 "
#define NO_NAME " #0 #0"

/* A new application, and its name. */
static int
join(const uint8_t name[WIRE_NAME_OCTETS], struct wire_hello *hello)
{
	uint8_t octets[WIRE_HELLO_OCTETS];
	int fd = dial();

	*hello = (struct wire_hello){.version = WIRE_VERSION};
	memcpy(hello->name, name, WIRE_NAME_OCTETS);
	wire_hello_write(hello, octets);
	assert_int_equal(
	    send(fd, octets, sizeof(octets), MSG_NOSIGNAL), sizeof(octets));
	assert_int_equal(hear(fd, octets, sizeof(octets)), sizeof(octets));
	assert_int_equal(wire_hello_read(octets, hello), OK);
	return fd;
}

static const uint8_t no_name[WIRE_NAME_OCTETS];

static void
a_hello_is_answered(void **state)
{
	static const struct {
		const char *name;
		const char *says;
		const char *hears; /* NULL: nothing */
	} rows[] = {
	    {"another version", MAGIC "0002 0000 00000000" NO_NAME,
		MAGIC "0001 0001 00000000" NO_NAME},
	    {"a name that nobody has", MAGIC "0001 0000 00000000 #1 #2",
		MAGIC "0001 0002 00000000 #1 #2"},
	    {"another protocol", "474554202f20485454502f312e310d0a0d0a" NO_NAME,
		NULL},
	    {"no zeros where they belong", MAGIC "0001 0000 00000001" NO_NAME,
		NULL},
	};
	size_t k;
	int fd;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		print_message("%s\n", rows[k].name);
		fd = dial();
		say(fd, rows[k].says);
		if (rows[k].hears != NULL)
			assert_heard(fd, rows[k].hears);
		assert_over(fd);
	}
	assert_int_equal(daemon_.token.apps_ever, 0);
}

static void
connections_join_their_application(void **state)
{
	struct wire_hello first, second, other;
	int fds[3];

	(void)state;
	fds[0] = join(no_name, &first);
	assert_int_equal(first.status, WIRE_HELLO_WELCOME);
	assert_memory_not_equal(first.name, no_name, sizeof(no_name));
	fds[1] = join(first.name, &second);
	assert_int_equal(second.status, WIRE_HELLO_WELCOME);
	assert_memory_equal(second.name, first.name, sizeof(first.name));
	fds[2] = join(no_name, &other);
	assert_memory_not_equal(other.name, first.name, sizeof(first.name));
	assert_int_equal(daemon_.token.apps, 2);

	/* what one of its connections opens, the other may use */
	say(fds[0], "00000018 01 000c 00000011 #1 #6 01");
	assert_heard(fds[0], "00000010 #0 #1");
	say(fds[1], "00000010 01 000f 00000009 #1 01");
	assert_heard(fds[1], "00000028 #0 #1 #2 #0 #0");
	say(fds[2], "00000010 01 000f 00000009 #1 01");
	assert_heard(fds[2], "00000008 #b3");

	/* it lives until its last connection is over */
	close(fds[0]);
	close(fds[2]);
	fake_await_apps(&daemon_, 1);
	say(fds[1], "00000010 01 000f 00000009 #1 01");
	assert_heard(fds[1], "00000028 #0 #1 #2 #0 #0");
	close(fds[1]);
	fake_await_apps(&daemon_, 0);
	fds[0] = join(first.name, &second);
	assert_int_equal(second.status, WIRE_HELLO_UNKNOWN);
	assert_over(fds[0]);
}

static void
a_broken_frame_ends_its_connection_alone(void **state)
{
	static const struct {
		const char *name;
		const char *says;
	} rows[] = {
	    {"no calls", "00000001 00"},
	    {"three calls", "0000002b 03 000d 00000008 #1 000d 00000008 #1 "
			    "000d 00000008 #1"},
	    {"nothing at all", "00000000"},
	    {"a function that there is not", "0000000f 01 0044 00000008 #1"},
	    {"a call that is longer than its frame",
		"0000000f 01 000d 00000009 #1"},
	    {"something behind the call", "00000010 01 000d 00000008 #1 00"},
	    {"a call, and one that is none",
		"00000014 02 000f 00000009 #1 01 000f 0000"},
	    {"the largest frame, and one more octet", "01000001"},
	};
	struct wire_hello hello;
	size_t k;
	int fd, good = join(no_name, &hello);

	(void)state;
	assert_int_equal(hello.status, WIRE_HELLO_WELCOME);
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		print_message("%s\n", rows[k].name);
		fd = join(no_name, &hello);
		assert_int_equal(hello.status, WIRE_HELLO_WELCOME);
		say(fd, rows[k].says);
		assert_over(fd);
		fake_await_apps(&daemon_, 1);
		say(good, "00000010 01 000f 00000009 #1 01");
		assert_heard(good, "00000008 #b3");
	}
	close(good);
}

static void
a_frame_may_come_in_pieces_and_have_two_calls(void **state)
{
	struct wire_hello hello;
	int fd = join(no_name, &hello);

	(void)state;
	assert_int_equal(hello.status, WIRE_HELLO_WELCOME);
	say(fd, "0000");
	say(fd, "0027 02 000c 00000011 #1 #6");
	say(fd, "01 000f 00000009 #1 01 0000");
	assert_heard(fd, "00000038 #0 #1 #0 #1 #2 #0 #0");
	say(fd, "0010 01 000f 00000009 #2 01");
	assert_heard(fd, "00000008 #b3");
	close(fd);
}

/* As many as may be, and one more. */
static void
there_is_an_end_to_connections(void **state)
{
	static const struct {
		const char *name;
		unsigned most;
		bool join; /* the first one's application, or one's own */
	} rows[] = {
	    {"applications", RPC_APPS_MAX, false},
	    {"connections of one", RPC_CONNECTIONS_MAX, true},
	};
	struct wire_hello first, hello;
	int fds[RPC_APPS_MAX], fd;
	size_t k, j;

	(void)state;
	for (k = 0; k < 2; k++) {
		const unsigned most = rows[k].most;
		const uint8_t *name = rows[k].join ? first.name : no_name;

		print_message("%s\n", rows[k].name);
		fds[0] = join(no_name, &first);
		assert_int_equal(first.status, WIRE_HELLO_WELCOME);
		for (j = 1; j < most; j++) {
			fds[j] = join(name, &hello);
			assert_int_equal(hello.status, WIRE_HELLO_WELCOME);
		}
		fd = join(name, &hello);
		assert_int_equal(hello.status, WIRE_HELLO_FULL);
		assert_over(fd);
		for (j = 0; j < most; j++)
			close(fds[j]);
		fake_await_apps(&daemon_, 0);
		fake_stop(&daemon_);
		fake_start(&daemon_);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_hello_is_answered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		connections_join_their_application, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_broken_frame_ends_its_connection_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_frame_may_come_in_pieces_and_have_two_calls, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		there_is_an_end_to_connections, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

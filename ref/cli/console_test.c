#include "cli/console.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cli/desk_test.h"

static struct desk desk;
static struct console *console;
static char path[300];

/* At each turn's end, behind the commit and before the console: has somebody
 * heard something already? */
static struct {
	int fd; /* -1: nobody is listened to */
	bool has_heard;
	struct loop_task look;
} spy;

static void
look(void *ctx)
{
	char octet;

	(void)ctx;
	if (spy.fd >= 0 && recv(spy.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		spy.has_heard = true;
}

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	spy.fd = -1;
	spy.has_heard = false;
	spy.look = (struct loop_task){.fn = look};
	loop_each_turn(desk.bench.rig.loop, &spy.look);
	(void)snprintf(path, sizeof(path), "%s/c.sock", desk.bench.dir);
	return console_new(path, desk_appliance(&desk), DOOR_NONE, &console) !=
	       OK;
}

static int
tear_down(void **state)
{
	(void)state;
	console_free(console);
	console = NULL;
	assert_int_not_equal(access(path, F_OK), 0);
	loop_task_cancel(&spy.look);
	desk_remove(&desk);
	return 0;
}

/* Somebody comes. */
static int
comes(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Types this, and reads what the server says within some turns. */
static const char *
says(int fd, const char *typed)
{
	static char heard[65536];
	ssize_t got;

	if (*typed != '\0')
		assert_int_equal(send(fd, typed, strlen(typed), MSG_NOSIGNAL),
		    (ssize_t)strlen(typed));
	assert_int_equal(rig_turns(&desk.bench.rig, 8), OK);
	got = recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);
	heard[got > 0 ? got : 0] = '\0';
	return got == 0 ? "closed" : heard;
}

/* req: KS-05-036 */
static void
config_changes_the_prompt_and_exit_changes_it_back(void **state)
{
	int fd = comes();

	(void)state;
	assert_string_equal(says(fd, ""), ">touchstone# \n");
	assert_string_equal(
	    says(fd, "config\n"), ".0\n>touchstone (config)# \n");
	assert_string_equal(says(fd, "config\n"),
	    "=Error: not a command of configuration mode; leave it with "
	    "exit\n.1\n>touchstone (config)# \n");
	assert_string_equal(says(fd, "exit\n"), ".0\n>touchstone# \n");
	assert_string_equal(says(fd, "exit\n"), ".0\n!\n");
	assert_string_equal(says(fd, ""), "closed");
	close(fd);
}

static void
a_line_may_come_in_pieces_and_lines_at_once(void **state)
{
	int fd = comes();

	(void)state;
	(void)says(fd, "");
	assert_string_equal(says(fd, "con"), "");
	assert_string_equal(says(fd, "fig"), "");
	assert_string_equal(says(fd, "\nexit\nexit\n"),
	    ".0\n>touchstone (config)# \n.0\n>touchstone# \n.0\n!\n");
	close(fd);
}

static void
an_empty_line_asks_again(void **state)
{
	int fd = comes();

	(void)state;
	(void)says(fd, "");
	assert_string_equal(says(fd, "\n"), ">touchstone# \n");
	assert_string_equal(says(fd, " \t\n"), ">touchstone# \n");
	close(fd);
}

/* One session is nothing to another. */
static void
each_has_a_mode_of_its_own(void **state)
{
	int one = comes();
	int other = comes();

	(void)state;
	(void)says(one, "config\n");
	(void)says(other, "");
	assert_string_equal(says(other, "\n"), ">touchstone# \n");
	assert_string_equal(says(one, "\n"), ">touchstone (config)# \n");
	close(one);
	assert_string_equal(says(other, "\n"), ">touchstone# \n");
	close(other);
}

/* Types a line of so many octets, and then `end`. */
static const char *
says_long(int fd, size_t octets, const char *end)
{
	static char line[4 * COMMAND_LINE_OCTETS];

	assert(octets + strlen(end) < sizeof(line));
	memset(line, 'x', octets);
	memcpy(line + octets, end, strlen(end) + 1);
	return says(fd, line);
}

#define TOO_LONG "=Error: the line is too long: at most 8704 octets\n.1\n"

static void
a_line_that_is_too_long_is_refused_and_the_session_goes_on(void **state)
{
	int fd = comes();

	(void)state;
	(void)says(fd, "");
	/* the longest, and one more */
	assert_non_null(strstr(says_long(fd, COMMAND_LINE_OCTETS, "\n"),
	    "Error: unknown command"));
	assert_string_equal(says_long(fd, COMMAND_LINE_OCTETS + 1, "\n"),
	    TOO_LONG ">touchstone# \n");
	/* what follows is a line of its own */
	assert_string_equal(
	    says_long(fd, 3 * COMMAND_LINE_OCTETS, "\nconfig\n"),
	    TOO_LONG ">touchstone# \n.0\n>touchstone (config)# \n");
	/* and comes when it comes */
	assert_string_equal(says_long(fd, 3 * COMMAND_LINE_OCTETS, ""), "");
	assert_string_equal(says_long(fd, 3 * COMMAND_LINE_OCTETS, ""), "");
	assert_string_equal(
	    says(fd, "exit\n"), TOO_LONG ">touchstone (config)# \n");
	assert_string_equal(says(fd, "exit\n"), ".0\n>touchstone# \n");
	assert_non_null(strstr(desk_audited(&desk), "the line is too long"));
	close(fd);
}

static void
so_is_an_answer_and_a_question_how_to_go_on(void **state)
{
	int fd = comes();

	(void)state;
	(void)says(fd, "config\n");
	(void)says(fd, "grant credential\n");
	assert_non_null(
	    strstr(says_long(fd, 2 * COMMAND_LINE_OCTETS, "\n"), "=Error: "));
	assert_string_equal(
	    says_long(fd, COMMAND_LINE_OCTETS, "\x05\n"), "+\n");
	assert_string_equal(says(fd, "exit\n"), ".0\n>touchstone# \n");
	assert_string_equal(says_long(fd, COMMAND_LINE_OCTETS + 1, "\x05\n"),
	    TOO_LONG ">touchstone# \n");
	assert_string_equal(says(fd, "exit\n"), ".0\n!\n");
	close(fd);
}

static void
there_are_as_many_sessions_as_there_may_be(void **state)
{
	int fds[CONSOLE_SESSIONS_MAX];
	int k, more;

	(void)state;
	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++) {
		fds[k] = comes();
		assert_string_equal(says(fds[k], ""), ">touchstone# \n");
	}
	more = comes();
	assert_string_equal(says(more, ""), "closed");
	close(more);
	close(fds[3]);
	assert_int_equal(rig_turns(&desk.bench.rig, 8), OK);
	more = comes();
	assert_string_equal(says(more, ""), ">touchstone# \n");
	close(more);
	for (k = 0; k < CONSOLE_SESSIONS_MAX; k++) {
		if (k != 3)
			close(fds[k]);
	}
}

/* Who never reads is given up, and nobody else is. */
static void
who_does_not_listen_is_left(void **state)
{
	int fd = comes();
	int other = comes();
	ssize_t sent = 0;
	int k;

	(void)state;
	for (k = 0; k < 4000 && sent >= 0; k++) {
		sent = send(fd, "help\n", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		assert_int_equal(rig_turns(&desk.bench.rig, 2), OK);
	}
	assert_true(sent < 0);
	close(fd);
	(void)says(other, "");
	assert_string_equal(says(other, "\n"), ">touchstone# \n");
	close(other);
}

/* All that is said up to the prompt, which is read as fast as it comes. */
static size_t
hears_to_the_prompt(int fd)
{
	static const char prompt[] = "\n.0\n>touchstone# \n";
	static char heard[256 * 1024];
	size_t end = 0, all = 0;
	ssize_t got;

	do {
		assert_ok(rig_turns(&desk.bench.rig, 2));
		got = recv(
		    fd, heard + end, sizeof(heard) - 1 - end, MSG_DONTWAIT);
		assert_int_not_equal(got, 0); /* given up */
		if (got < 0)
			continue;
		all += (size_t)got;
		end += (size_t)got;
		heard[end] = '\0';
		if (end > sizeof(prompt)) { /* what may be part of it stays */
			memmove(heard, heard + end - sizeof(prompt),
			    sizeof(prompt) + 1);
			end = sizeof(prompt);
		}
	} while (strstr(heard, prompt) == NULL);
	return all;
}

/* A download is more than a peer may leave unread: it waits for who does. */
static void
a_download_waits_for_whoever_takes_it_slowly(void **state)
{
	enum { LINES = 17 * 1024, LINE_OCTETS = 1023 };
	const size_t all = (size_t)LINES * (LINE_OCTETS + 1);
	int fd;

	(void)state;
	assert_true(all > CONSOLE_UNREAD_OCTETS);
	console_free(console);
	desk_keep_logs(&desk);
	assert_ok(
	    console_new(path, desk_appliance(&desk), DOOR_NONE, &console));
	desk_fill_log(&desk, LINES, LINE_OCTETS);
	fd = comes();
	(void)says(fd, "");
	assert_int_equal(send(fd, "log download system\n", 20, 0), 20);
	/* nobody reads, for as many turns as all of it would have taken */
	assert_ok(
	    rig_turns(&desk.bench.rig, 4 * (unsigned)(all / CLI_SLICE_OCTETS)));
	assert_true(hears_to_the_prompt(fd) > all);
	close(fd);
}

static void
only_its_owner_reaches_the_socket(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
help_lists_each_command(void **state)
{
	const struct command *row;
	int fd = comes();
	const char *heard;
	size_t k;

	(void)state;
	(void)says(fd, "");
	heard = says(fd, "help\n");
	for (k = 0; (row = command_row(k)) != NULL; k++) {
		assert_non_null(strstr(heard, row->words));
		assert_non_null(strstr(heard, row->help));
	}
	assert_non_null(strstr(says(fd, "help config\n"),
	    "=  config                            enter configuration mode\n"
	    ".0\n>touchstone# \n"));
	assert_string_equal(says(fd, "help nothing\n"),
	    "=Error: no command begins so\n.1\n>touchstone# \n");
	close(fd);
}

/* req: KS-02-005 KS-15-101 */
static void
at_the_serial_door_one_is_asked_who_one_is(void **state)
{
	int fd;

	(void)state;
	desk_account(&desk, "bob", true, 0);
	console_free(console);
	assert_ok(
	    console_new(path, desk_appliance(&desk), DOOR_SERIAL, &console));
	fd = comes();
	assert_string_equal(says(fd, ""), "?login:\n");
	assert_string_equal(says(fd, "bob\n"), "*Password:\n");
	assert_string_equal(says(fd, "\x03\n"), ".1\n!\n");
	assert_string_equal(says(fd, ""), "closed");
	close(fd);
}

static void
a_line_may_ask_how_it_goes_on(void **state)
{
	int fd = comes();

	(void)state;
	(void)says(fd, "");
	assert_string_equal(says(fd, "conf\x05\n"), "+ig \n");
	assert_string_equal(says(fd, "\x03\n"), ">touchstone# \n");
	/* to a question these octets are an answer like others */
	(void)says(fd, "config\n");
	(void)says(fd, "grant credential\n");
	assert_non_null(
	    strstr(says(fd, "bob\x05\n"), "=Error: Grant to: bob\\x05: "));
	(void)says(fd, "grant credential\n");
	assert_non_null(strstr(says(fd, "\x03\n"), "=Error: given up\n"));
	close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* Nobody hears of a refusal whose audit line is not durable. */
static void
what_is_said_is_heard_behind_the_commit(void **state)
{
	static const char typed[] = "nonsense\n";
	char heard[256] = "";
	int fd = comes();
	unsigned turns = 0;

	(void)state;
	(void)says(fd, "");
	spy.fd = fd;
	assert_int_equal(send(fd, typed, strlen(typed), 0), strlen(typed));
	while (recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT) <= 0) {
		assert_true(turns++ < 8);
		assert_ok(rig_turns(&desk.bench.rig, 1));
	}
	assert_non_null(strstr(heard, "=Error: unknown command"));
	assert_false(spy.has_heard);
	assert_false(store_group_is_open(desk_appliance(&desk)->store));
	assert_non_null(
	    strstr(desk_audited(&desk), "Refused: command line: unknown"));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(config_changes_the_prompt_and_exit_changes_it_back),
	    TEST(a_line_may_come_in_pieces_and_lines_at_once),
	    TEST(an_empty_line_asks_again),
	    TEST(each_has_a_mode_of_its_own),
	    TEST(a_line_that_is_too_long_is_refused_and_the_session_goes_on),
	    TEST(so_is_an_answer_and_a_question_how_to_go_on),
	    TEST(there_are_as_many_sessions_as_there_may_be),
	    TEST(who_does_not_listen_is_left),
	    TEST(a_download_waits_for_whoever_takes_it_slowly),
	    TEST(only_its_owner_reaches_the_socket),
	    TEST(help_lists_each_command),
	    TEST(at_the_serial_door_one_is_asked_who_one_is),
	    TEST(a_line_may_ask_how_it_goes_on),
	    TEST(what_is_said_is_heard_behind_the_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "device/program.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rig_test.h"

static struct rig rig;
static unsigned told;
static bool passed;
static char prints[2 * PROGRAM_PRINTS_OCTETS];

static int
set_up(void **state)
{
	(void)state;
	told = 0;
	assert_int_equal(rig_init(&rig), OK);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_clear(&rig);
	return 0;
}

static void
done(void *ctx, bool has_passed, struct bytes has_printed)
{
	assert_ptr_equal(ctx, &rig);
	told++;
	passed = has_passed;
	assert_true(has_printed.octets < sizeof(prints));
	if (has_printed.octets != 0)
		memcpy(prints, has_printed.at, has_printed.octets);
	prints[has_printed.octets] = '\0';
	loop_stop(rig.loop);
}

static void
shell(const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct program *program;

	assert_int_equal(program_run(rig.loop, argv, done, &rig, &program), OK);
	while (told == 0)
		assert_int_equal(loop_run(rig.loop), OK);
}

static void
what_it_prints_and_how_it_ends(void **state)
{
	static const struct {
		const char *script, *prints;
		bool passed;
	} cases[] = {
	    {"echo one; echo two >&2; echo three", "one\ntwo\nthree\n", true},
	    {"echo no; exit 1", "no\n", false},
	    {"kill -9 $$", "", false},
	    {"cat", "", true}, /* there is nothing to read */
	    {"exec 1>&- 2>&-; exit 0", "", true},
	};
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		told = 0;
		shell(cases[k].script);
		assert_string_equal(prints, cases[k].prints);
		assert_int_equal(passed, cases[k].passed);
		assert_int_equal(told, 1);
	}
}

/* Who leaves a process behind that still has its output is done all the same.
 */
static void
a_process_that_stays_is_not_waited_for(void **state)
{
	char dir[] = "/tmp/program_test.XXXXXX";
	char fifo[64];
	char script[128];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fifo, sizeof(fifo), "%s/stays", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	(void)snprintf(
	    script, sizeof(script), "echo first; read x <%s & exit 0", fifo);
	shell(script);
	assert_string_equal(prints, "first\n");
	assert_true(passed);
	/* it waits for somebody to write, and ends when he goes */
	fd = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
too_much_is_cut_and_the_program_ends(void **state)
{
	(void)state;
	shell("head -c 1000000 /dev/zero | tr '\\0' x");
	assert_true(passed);
	assert_true(strlen(prints) > 0);
	assert_true(strlen(prints) <= PROGRAM_PRINTS_OCTETS);
}

/* Neither our descriptors, nor the signals that we ignore. */
static void
it_gets_nothing_of_ours(void **state)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);

	(void)state;
	assert_true(fd >= 100);
	(void)signal(SIGPIPE, SIG_IGN);
	shell("test -e /proc/$$/fd/100 || echo closed; kill -PIPE $$; echo on");
	(void)signal(SIGPIPE, SIG_DFL);
	assert_string_equal(prints, "closed\n");
	assert_false(passed);
	close(fd);
}

static void
a_program_that_is_not_there_is_not_started(void **state)
{
	const char *const argv[] = {"/nonexistent/program", NULL};
	struct program *program;

	(void)state;
	assert_int_equal(
	    program_run(rig.loop, argv, done, &rig, &program), ERR_SYSTEM);
	assert_null(program);
}

static void
who_has_left_is_not_told(void **state)
{
	const char *const argv[] = {"/bin/true", NULL};
	const char *const after[] = {"/bin/true", NULL};
	struct program *program;
	siginfo_t child;

	(void)state;
	assert_int_equal(program_run(rig.loop, argv, done, NULL, &program), OK);
	program_leave(program);
	assert_int_equal(
	    program_run(rig.loop, after, done, &rig, &program), OK);
	/* both have ended when there is no child any more */
	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0)
		assert_int_equal(rig_turns(&rig, 1), OK);
	assert_int_equal(told, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_it_prints_and_how_it_ends),
	    TEST(a_process_that_stays_is_not_waited_for),
	    TEST(too_much_is_cut_and_the_program_ends),
	    TEST(it_gets_nothing_of_ours),
	    TEST(a_program_that_is_not_there_is_not_started),
	    TEST(who_has_left_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

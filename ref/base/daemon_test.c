#include "base/daemon.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/rig_test.h"

enum { SIGNALS = 3, WITHIN = -1, TURNS_MAX = 8, LINE_OCTETS = 64 };

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	return rig == NULL || rig_init(rig) != OK ? -1 : 0;
}

static int
tear_down(void **state)
{
	rig_clear(*state);
	free(*state);
	return 0;
}

/* ---- shielding ---- */

/* In a process of its own, since it is for good. */
static int
shielded(bool peek)
{
	struct sigaction action;
	struct rlimit limit;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)umask(022);
		(void)signal(SIGPIPE, SIG_DFL);
		daemon_shield(peek);
		if (umask(0) != 077)
			_exit(1);
		if (sigaction(SIGPIPE, NULL, &action) != 0 ||
		    action.sa_handler != SIG_IGN)
			_exit(2);
		if (getrlimit(RLIMIT_CORE, &limit) != 0 ||
		    limit.rlim_cur != 0 || limit.rlim_max != 0)
			_exit(3);
		if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
		    limit.rlim_cur != limit.rlim_max)
			_exit(4);
		if (prctl(PR_GET_DUMPABLE) != peek)
			_exit(5);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
a_program_shields_itself(void **state)
{
	(void)state;
	assert_int_equal(shielded(false), 0);
	assert_int_equal(shielded(true), 0);
}

/* ---- where it works, and its time ---- */

static void
the_directory_is_made_once(void **state)
{
	const struct rig *rig = *state;
	char path[300], below[320];
	struct stat made;

	(void)snprintf(path, sizeof(path), "%s.d", rig->clock_path);
	(void)snprintf(below, sizeof(below), "%s/a/b", path);
	assert_int_equal(daemon_dir("test", path), OK);
	assert_int_equal(stat(path, &made), 0);
	assert_int_equal(made.st_mode, S_IFDIR | 0700);
	assert_int_equal(daemon_dir("test", path), OK);
	/* and nothing above it */
	assert_int_equal(daemon_dir("test", below), ERR_SYSTEM);
	assert_int_equal(rmdir(path), 0);
}

static void
time_is_the_laboratorys_where_it_has_a_clock(void **state)
{
	struct rig *rig = *state;
	char none[300];
	struct env *env = NULL;

	rig_move_to(rig, 4711);
	assert_int_equal(daemon_env("test", rig->clock_path, &env), OK);
	assert_true(env_is_lab(env));
	assert_int_equal(env_elapsed_ms(env), 4711);
	env_free(env);
	assert_int_equal(daemon_env("test", NULL, &env), OK);
	assert_false(env_is_lab(env));
	env_free(env);

	(void)snprintf(none, sizeof(none), "%s.none", rig->clock_path);
	assert_int_equal(daemon_env("test", none, &env), ERR_SYSTEM);
	assert_null(env);
	rig->clock->magic[0] = 'X';
	assert_int_equal(daemon_env("test", rig->clock_path, &env), ERR_CONFIG);
	assert_null(env);
}

/* ---- ready ---- */

static void
it_says_at_once_how_far_it_is(void **state)
{
	static const char want[] =
	    "starting: half of it\nready\nready port=5696\n";
	char got[LINE_OCTETS] = "";
	int out = dup(STDOUT_FILENO);
	int ends[2];

	(void)state;
	assert_true(out >= 0);
	assert_int_equal(pipe(ends), 0);
	(void)fflush(stdout);
	(void)dup2(ends[1], STDOUT_FILENO);
	daemon_starting("test", "half of it");
	daemon_ready("");
	daemon_ready(" port=5696");
	(void)dup2(out, STDOUT_FILENO);
	close(out);
	close(ends[1]);
	assert_int_equal(read(ends[0], got, sizeof(got) - 1), strlen(want));
	assert_string_equal(got, want);
	close(ends[0]);
}

/* ---- power ---- */

static void
power_off_is_sudden(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0) {
		daemon_power_off(NULL, true, 1, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* ---- the end ---- */

/* A program, and the signals that come to it, each seen a turn later. */
struct end_case {
	const char *name;
	bool in_order; /* something has to be brought to its end */
	bool hang_up;
	int signals[SIGNALS]; /* or WITHIN: it ends by itself */
	unsigned over_turn;   /* it is; 0: never */
	unsigned want_begins;
	unsigned want_turns; /* the last one; TURNS_MAX: goes on */
};

struct program {
	struct rig *rig;
	const struct end_case *c;
	struct daemon_end *end;
	unsigned turn;
	unsigned begins;
};

static void
begin(void *ctx)
{
	struct program *p = ctx;

	assert_true(daemon_is_ending(p->end));
	p->begins++;
}

static bool
over(void *ctx)
{
	struct program *p = ctx;

	return p->turn == p->c->over_turn;
}

static void
turn_begins(void *ctx)
{
	struct program *p = ctx;

	int signal = p->turn < SIGNALS ? p->c->signals[p->turn] : 0;

	p->turn++;
	if (signal == WITHIN)
		daemon_end_begin(p->end);
	else if (signal != 0)
		(void)raise(signal);
}

static void
check_end(struct rig *rig, const struct end_case *c)
{
	struct program p = {.rig = rig, .c = c};
	const struct daemon_end_config config = {
	    .begin = c->in_order ? begin : NULL,
	    .over = over,
	    .ctx = &p,
	    .hang_up = c->hang_up,
	};
	unsigned left_s;

	assert_int_equal(daemon_end_new(rig->loop, &config, &p.end), OK);
	assert_false(daemon_is_ending(p.end));
	rig->begins = turn_begins;
	rig->ctx = &p;
	assert_int_equal(rig_turns(rig, TURNS_MAX), OK);
	loop_task_cancel(&rig->step);
	left_s = alarm(0);
	if (p.turn != c->want_turns || p.begins != c->want_begins ||
	    daemon_is_ending(p.end) != (c->want_begins != 0))
		fail_msg("%s: ended in turn %u (want %u), begun %u times "
			 "(want %u)",
		    c->name, p.turn, c->want_turns, p.begins, c->want_begins);
	if (left_s > DAEMON_END_S || (left_s != 0) != (p.begins != 0))
		fail_msg("%s: at once in %u s", c->name, left_s);
	daemon_end_free(p.end);
}

static void
signals_end_it(void **state)
{
	static const struct end_case cases[] = {
	    /* clang-format off */
	    {.name = "nothing comes", .want_turns = TURNS_MAX},
	    {.name = "nothing comes, something to end", .in_order = true,
	     .want_turns = TURNS_MAX},
	    {.name = "SIGTERM", .signals = {0, SIGTERM}, .want_turns = 3},
	    {.name = "SIGINT", .signals = {0, SIGINT}, .want_turns = 3},
	    {.name = "SIGHUP at a terminal", .hang_up = true,
	     .signals = {0, SIGHUP}, .want_turns = 3},
	    {.name = "in order", .in_order = true, .signals = {0, SIGTERM},
	     .over_turn = 5, .want_begins = 1, .want_turns = 5},
	    {.name = "in order, with nothing under way", .in_order = true,
	     .signals = {0, SIGINT}, .over_turn = 3, .want_begins = 1,
	     .want_turns = 3},
	    {.name = "over before it was wanted", .in_order = true,
	     .signals = {0, 0, SIGTERM}, .over_turn = 1, .want_begins = 1,
	     .want_turns = TURNS_MAX},
	    {.name = "from within", .signals = {0, WITHIN}, .want_turns = 2},
	    {.name = "from within, in order", .in_order = true,
	     .signals = {0, WITHIN}, .over_turn = 5, .want_begins = 1,
	     .want_turns = 5},
	    {.name = "from within, twice", .in_order = true,
	     .signals = {WITHIN, WITHIN}, .want_begins = 1,
	     .want_turns = TURNS_MAX},
	    {.name = "from within, then a signal", .in_order = true,
	     .signals = {WITHIN, SIGTERM}, .want_begins = 1, .want_turns = 3},
	    {.name = "in order, but it hangs", .in_order = true,
	     .signals = {SIGTERM}, .want_begins = 1, .want_turns = TURNS_MAX},
	    {.name = "a second one", .in_order = true,
	     .signals = {SIGTERM, 0, SIGTERM}, .want_begins = 1,
	     .want_turns = 4},
	    {.name = "a second one, another", .in_order = true,
	     .signals = {SIGTERM, 0, SIGINT}, .want_begins = 1,
	     .want_turns = 4},
	    {.name = "the time is over", .in_order = true,
	     .signals = {SIGTERM, 0, SIGALRM}, .want_begins = 1,
	     .want_turns = 4},
	    /* clang-format on */
	};
	size_t k;

	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		check_end(*state, &cases[k]);
}

/* Somebody who starts it with nohup wants it to stay. */
static void
a_terminal_that_ends_is_its_own_matter(void **state)
{
	const struct rig *rig = *state;
	struct daemon_end_config config = {.hang_up = false};
	struct daemon_end *end = NULL;
	sigset_t none, set;

	sigemptyset(&none);
	assert_int_equal(sigprocmask(SIG_SETMASK, &none, NULL), 0);
	assert_int_equal(daemon_end_new(rig->loop, &config, &end), OK);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	assert_true(sigismember(&set, SIGTERM));
	assert_false(sigismember(&set, SIGHUP));
	daemon_end_free(end);
	config.hang_up = true;
	assert_int_equal(daemon_end_new(rig->loop, &config, &end), OK);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	assert_true(sigismember(&set, SIGHUP));
	daemon_end_free(end);
	daemon_end_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_shields_itself),
	    cmocka_unit_test_setup_teardown(
		the_directory_is_made_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		time_is_the_laboratorys_where_it_has_a_clock, set_up,
		tear_down),
	    cmocka_unit_test(it_says_at_once_how_far_it_is),
	    cmocka_unit_test(power_off_is_sudden),
	    cmocka_unit_test_setup_teardown(signals_end_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_terminal_that_ends_is_its_own_matter, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

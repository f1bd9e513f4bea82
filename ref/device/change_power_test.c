#include <signal.h>

#include "device/accounts_test.h"

/*
 * A child makes a change, and its power is cut before the first write of the
 * file layer, before the second, and so on until the change gets through. What
 * the parent then finds is one of the two ends: setting and audit line, or
 * neither. What was told is there.
 */
static struct bench bench;

/* Outlives the child. */
static struct shared {
	bool told;
	uint64_t stream_told;
} * shared;
static bool *told;

struct scene {
	const char *name;
	enum err fails; /* after the setting was written */
	const char *host;
	const char *line;
};

static const struct scene scenes[] = {
    {"a change", OK, "alpha", "[root]: Hostname: alpha"},
    {"a refusal", ERR_FIELD, "touchstone",
	"[root]: Refused: Hostname: alpha: no"},
};

static enum err
apply(struct change *change)
{
	const struct scene *scene = change->ctx;
	bool changed;
	enum err rc = OK;

	TRY(setting_set(change->appliance->settings, SETTING_HOST_NAME,
	    bytes_of_text("alpha"), &changed, change->why));
	(void)strcpy(change->event, "Hostname: alpha");
	(void)strcpy(change->why, "no");
	TRY(scene->fails);
out:
	return rc;
}

static void
done(struct change *change, enum err rc)
{
	const struct scene *scene = change->ctx;

	*told = rc == scene->fails;
}

static void
open_in(const char *dir)
{
	bench_make_in(&bench, dir);
	assert_ok(
	    settings_new(bench.appliance.store, &bench.appliance.settings));
	assert_ok(clock_new(bench.appliance.store, bench.appliance.env,
	    &bench.appliance.clock));
	assert_ok(
	    credentials_new(&bench.appliance, &bench.appliance.credentials));
}

static void
leave(void)
{
	credentials_free(bench.appliance.credentials);
	clock_free(bench.appliance.clock);
	settings_free(bench.appliance.settings);
	bench_leave(&bench);
}

/* Ends by SIGKILL, or with 0 when nothing was left to cut. */
static void
child_run(const char *dir, const struct scene *scene, enum vfs_power how,
    uint64_t seed, unsigned nth)
{
	struct change change = {
	    .by = {.name = "root", .door = DOOR_SERIAL},
	    .act = ACT_NETWORK,
	    .apply = apply,
	    .done = done,
	    .ctx = (void *)(uintptr_t)scene,
	};

	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	vfs_power_off(how, seed, nth);
	change_run(&bench.appliance, &change);
	bench_turn(&bench);
	/* what the log has gathered goes into the database */
	store_close(bench.appliance.store);
	_exit(*told ? 0 : 1);
}

struct lines {
	char last[256];
	unsigned count;
};

static enum err
keep_line(void *ctx, struct bytes line)
{
	struct lines *lines = ctx;

	lines->count++;
	(void)snprintf(lines->last, sizeof(lines->last), "%.*s",
	    (int)line.octets - 20, (const char *)line.at + 20);
	return OK;
}

static void
assert_one_end(const char *dir, const struct scene *scene, unsigned nth)
{
	struct lines lines = {.count = 0};
	const char *host;

	open_in(dir);
	assert_ok(store_check(bench.appliance.store));
	assert_ok(audit_last(bench.appliance.store, 9, keep_line, &lines));
	host = setting_text(bench.appliance.settings, SETTING_HOST_NAME);
	if (lines.count == 0
		? *told || strcmp(host, "touchstone") != 0
		: lines.count != 1 || strcmp(lines.last, scene->line) != 0 ||
		      strcmp(host, scene->host) != 0)
		fail_msg("%s, cut before write %u: host %s, %u lines, %s, %s",
		    scene->name, nth, host, lines.count, lines.last,
		    *told ? "told" : "not told");
	leave();
}

/* How many cuts there were. */
static unsigned
cut_everywhere(const struct scene *scene, enum vfs_power how, uint64_t seed)
{
	unsigned nth = 0;
	bool cut = true;

	while (cut) {
		char dir[256];
		pid_t child;

		nth++;
		*told = false;
		bench_dir_make(dir);
		open_in(dir);
		account_put(&bench, "root", true, CONTROLS_ALL);
		leave();
		child = child_fork();
		if (child == 0) {
			child_run(dir, scene, how, seed, nth);
		}
		cut = child_was_killed(child, scene->name);
		assert_one_end(dir, scene, nth);
		bench_dir_remove(dir);
	}
	return nth - 1;
}

static void
cut_both(enum vfs_power how, uint64_t seed)
{
	size_t k;

	/* the log's pages, its sync, and the way into the database */
	for (k = 0; k < LENGTH(scenes); k++)
		assert_true(cut_everywhere(&scenes[k], how, seed) >= 5);
}

static void
test_a_power_cut_leaves_all_of_a_change_or_nothing(void **state)
{
	(void)state;
	cut_both(VFS_DROP, 1);
}

static void
test_torn_writes_leave_all_of_a_change_or_nothing(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 3; seed++)
		cut_both(VFS_TEAR, seed);
}

/* ---- a stream of changes, and kill -9 ---- */

/*
 * The nth change of the stream has the nth line of the audit log. Every third
 * is refused after it has written; the others set two settings by n. Several
 * share a turn.
 */
#ifdef TORTURE
enum { KILLS = 2 };
#else
enum { KILLS = 100 };
#endif
enum { TURN_MOST = 3, NAME_OCTETS = 24 };

static void
host_of(uint64_t n, char out[NAME_OCTETS])
{
	(void)snprintf(out, NAME_OCTETS, "h%llu", (unsigned long long)n);
}

static int64_t
minutes_of(uint64_t n)
{
	return (int64_t)(1 + n % 1440);
}

static bool
is_refused(uint64_t n)
{
	return n % 3 == 0;
}

struct nth {
	struct change change;
	uint64_t n;
};

static uint64_t *stream_told; /* the last one */
static int tell_fd;

static enum err
nth_apply(struct change *change)
{
	const struct nth *nth = change->ctx;
	struct settings *settings = change->appliance->settings;
	char host[NAME_OCTETS];
	char minutes[NAME_OCTETS];
	bool changed;
	enum err rc = OK;

	host_of(nth->n, host);
	(void)snprintf(
	    minutes, sizeof(minutes), "%lld", (long long)minutes_of(nth->n));
	(void)snprintf(change->event, sizeof(change->event), "%s", host);
	TRY(setting_set(settings, SETTING_HOST_NAME, bytes_of_text(host),
	    &changed, change->why));
	TRY(setting_set(settings, SETTING_AUTOLOGOUT, bytes_of_text(minutes),
	    &changed, change->why));
	TRY(is_refused(nth->n) ? ERR_FIELD : OK);
out:
	return rc;
}

static void
nth_done(struct change *change, enum err rc)
{
	const struct nth *nth = change->ctx;

	if (rc != (is_refused(nth->n) ? ERR_FIELD : OK))
		_exit(10);
	*stream_told = nth->n;
	if (write(tell_fd, "+", 1) != 1)
		_exit(11);
}

/* Ends by SIGKILL only. */
static void
stream_run(const char *dir, uint64_t n)
{
	static struct nth nths[TURN_MOST];
	size_t k;

	open_in(dir);
	(void)unlink(bench.rig.clock_path);
	for (;;) {
		for (k = 0; k <= n % TURN_MOST; k++) {
			nths[k] = (struct nth){.n = ++n};
			nths[k].change.by = (struct principal){
			    .name = "root", .door = DOOR_SERIAL};
			nths[k].change.act = ACT_NETWORK;
			nths[k].change.apply = nth_apply;
			nths[k].change.done = nth_done;
			nths[k].change.ctx = &nths[k];
			change_run(&bench.appliance, &nths[k].change);
		}
		bench_turn(&bench);
	}
}

struct found {
	uint64_t lines;
	uint64_t last; /* of those that were not refused */
};

static enum err
check_line(void *ctx, struct bytes line)
{
	struct found *found = ctx;
	uint64_t n = ++found->lines;
	char host[NAME_OCTETS];
	char want[128];
	char got[128];

	host_of(n, host);
	if (is_refused(n)) {
		(void)snprintf(want, sizeof(want), "[root]: Refused: %s: %s",
		    host, err_text(ERR_FIELD));
	} else {
		(void)snprintf(want, sizeof(want), "[root]: %s", host);
		found->last = n;
	}
	(void)snprintf(got, sizeof(got), "%.*s", (int)line.octets - 20,
	    (const char *)line.at + 20);
	assert_string_equal(got, want);
	return OK;
}

/* Settings and audit log agree; *n becomes what there is. */
static void
assert_agree(const char *dir, uint64_t *n)
{
	const struct settings *settings;
	struct found found = {.lines = 0};
	char host[NAME_OCTETS] = "touchstone";

	open_in(dir);
	settings = bench.appliance.settings;
	assert_ok(store_check(bench.appliance.store));
	assert_ok(
	    audit_last(bench.appliance.store, SIZE_MAX, check_line, &found));
	/* those of one turn more may be durable, and not told yet */
	if (found.lines < *stream_told ||
	    found.lines > *stream_told + TURN_MOST)
		fail_msg("%llu told, %llu found",
		    (unsigned long long)*stream_told,
		    (unsigned long long)found.lines);
	if (found.last != 0) {
		host_of(found.last, host);
		assert_int_equal(setting_number(settings, SETTING_AUTOLOGOUT),
		    minutes_of(found.last));
	}
	assert_string_equal(setting_text(settings, SETTING_HOST_NAME), host);
	leave();
	*n = *stream_told = found.lines;
}

static void
kill_after(const char *dir, uint64_t n, unsigned changes)
{
	int pipe_fd[2];
	pid_t child;
	char c;

	assert_int_equal(pipe(pipe_fd), 0);
	child = child_fork();
	if (child == 0) {
		close(pipe_fd[0]);
		tell_fd = pipe_fd[1];
		stream_run(dir, n);
	}
	close(pipe_fd[1]);
	while (changes-- != 0)
		assert_int_equal(read(pipe_fd[0], &c, 1), 1);
	(void)kill(child, SIGKILL);
	close(pipe_fd[0]);
	assert_true(child_was_killed(child, "a stream of changes"));
}

static void
test_no_kill_loses_a_change_or_leaves_half(void **state)
{
	char dir[256];
	uint64_t n = 0;
	unsigned k;

	(void)state;
	*stream_told = 0;
	bench_dir_make(dir);
	open_in(dir);
	account_put(&bench, "root", true, CONTROLS_ALL);
	leave();
	for (k = 0; k < KILLS; k++) {
		kill_after(dir, n, k * 7 % 23);
		assert_agree(dir, &n);
	}
	/* a test whose kills all came too early would prove nothing */
	assert_true(n > KILLS);
	bench_dir_remove(dir);
}

static int
set_up(void **state)
{
	(void)state;
	shared = child_share(sizeof(*shared));
	told = &shared->told;
	stream_told = &shared->stream_told;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared));
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_a_power_cut_leaves_all_of_a_change_or_nothing),
	    cmocka_unit_test(test_torn_writes_leave_all_of_a_change_or_nothing),
	    cmocka_unit_test(test_no_kill_loses_a_change_or_leaves_half),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "device/login.h"

#include <pthread.h>

#include "crypto/ossl.h"
#include "device/rig_test.h"
#include "store/vfs.h"

/*
 * Few enough for a test. All passwords here are good ones: what is refused is
 * refused for what the test is about.
 */
enum { ITERATIONS = 10, MINUTE = 60 * 1000, HOUR = 60 * MINUTE };
#define DAY (24LL * HOUR)

#define RIGHT "xk9#qzm7"
#define WRONG "xk9#qzm8"

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

static struct trap_watch trap_watch;
static unsigned traps;
static const char *trap_text;

static void
trap_raised(void *ctx, enum trap trap, const char *text)
{
	(void)ctx;
	assert_int_equal(trap, TRAP_PASSWORD_FAILURES);
	trap_text = text;
	traps++;
}

static void
appliance_make(void)
{
	bench.appliance.password_iterations = ITERATIONS;
	assert_ok(loop_pool_new(
	    bench.rig.loop, "passwords", 1, &bench.appliance.passwords));
	assert_ok(appliance_open(APPLIANCE));
	bench.appliance.trap_watches = NULL;
	trap_watch = (struct trap_watch){.raised = trap_raised};
	appliance_watch_traps(APPLIANCE, &trap_watch);
	traps = 0;
}

/* One of each kind; "bob" may come through every door. */
static void
account(const char *name, bool high, uint32_t controls)
{
	static char nothing[] = "";
	struct admin admin = {.full_name = nothing, .description = nothing};
	const char *why;

	(void)snprintf(admin.name, sizeof(admin.name), "%s", name);
	admin.high = high;
	admin.controls = controls;
	assert_ok(password_hash(
	    bench.rig.env, ITERATIONS, bytes_of_text(RIGHT), &admin.password));
	admin.password_ms = env_elapsed_ms(bench.rig.env);
	assert_ok(admin_write(STORE, &admin, &why));
}

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	appliance_make();
	account("root", true, CONTROLS_ALL);
	account(
	    "bob", false, CONTROL_BIT(CONTROL_SSH) | CONTROL_BIT(CONTROL_WEB));
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_disk_full(UINT64_MAX);
	loop_end_jobs(bench.rig.loop);
	appliance_close(APPLIANCE);
	bench_remove(&bench);
	return 0;
}

static void
advance(int64_t ms)
{
	rig_move_to(&bench.rig, env_elapsed_ms(bench.rig.env) + ms);
}

/* ---- asking ---- */

struct
try {
	struct login login;
	unsigned told;
	enum login_verdict verdict;
	uint64_t groups; /* durable when it was told */
};

static void
try_done(struct login *login, enum login_verdict verdict)
{
	struct try *try = login->ctx;

	try->told++;
	try->verdict = verdict;
	try->groups = store_groups(STORE);
	loop_stop(bench.rig.loop);
}

static void
try_begin(
    struct try *try, enum door door, const char *name, const char *password)
{
	*try = (struct try){.login = {
				.door = door,
				.peer = door == DOOR_SERIAL ? "" : "192.0.2.7",
				.name = bytes_of_text(name),
				.password = bytes_of_text(password),
				.done = try_done,
				.ctx = try,
			    }};
	assert_ok(login_begin(APPLIANCE, &try->login));
}

static void
try_wait(struct try *try)
{
	while (try->told == 0)
		assert_ok(loop_run(bench.rig.loop));
	assert_int_equal(try->told, 1);
	assert_null(try->login.job);
}

static enum login_verdict
log_in(enum door door, const char *name, const char *password)
{
	struct try try;

	try_begin(&try, door, name, password);
	try_wait(&try);
	return try.verdict;
}

static void
wrong(enum door door, const char *name, unsigned times)
{
	for (; times != 0; times--)
		assert_int_equal(log_in(door, name, WRONG), LOGIN_WRONG);
}

static enum err
keep_line(void *ctx, struct bytes line)
{
	struct buf *out = ctx;
	enum err rc = OK;

	TRY(buf_put(out, line));
	TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* The last lines of the audit log end so: without their times. */
static void
assert_audit(size_t lines, const char *want)
{
	struct buf got;
	char text[2048] = "";
	const char *at;

	buf_init(&got, sizeof(text));
	assert_ok(audit_last(STORE, lines, keep_line, &got));
	assert_ok(buf_put(&got, (struct bytes){(const uint8_t *)"", 1}));
	for (at = (const char *)got.at; *at != '\0'; at = strchr(at, '\n') + 1)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%.*s\n", (int)strcspn(strchr(at, '['), "\n"),
		    strchr(at, '['));
	assert_string_equal(text, want);
	buf_clear(&got);
}

static void
set(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(
	    APPLIANCE->settings, which, bytes_of_text(value), &changed, why));
	assert_ok(settings_judge(APPLIANCE->settings, why));
	bench_turn(&bench);
	settings_settle(APPLIANCE->settings, true);
}

/* The one thread for passwords is held until it is let go. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

static void
gate_work(void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&gate.lock);
	while (gate.held)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void
gate_done(void *ctx, enum err rc)
{
	(void)ctx;
	(void)rc;
}

static void
hold_workers(void)
{
	gate.held = true;
	assert_ok(
	    loop_submit(bench.appliance.passwords, gate_work, gate_done, NULL));
}

static void
let_workers_go(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.held = false;
	pthread_cond_signal(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

/* ---- who is let in ---- */

/* req: KS-15-047 */
static void
the_right_password_lets_in(void **state)
{
	struct try try;

	(void)state;
	try_begin(&try, DOOR_SERIAL, "bob", RIGHT);
	assert_int_equal(try.told, 0); /* later, always */
	try_wait(&try);
	assert_int_equal(try.verdict, LOGIN_OK);
	assert_string_equal(try.login.principal.name, "bob");
	assert_string_equal(try.login.principal.peer, "");
	assert_int_equal(try.login.principal.door, DOOR_SERIAL);
	assert_int_equal(try.login.must, ADMIN_MUST_NOT);
	assert_audit(1, "[bob]: Logged in at the serial console\n");
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	assert_audit(1, "[bob]: Logged in via SSH from 192.0.2.7\n");
	assert_int_equal(log_in(DOOR_SSH, "bob", WRONG), LOGIN_WRONG);
	assert_audit(1, "[system]: Login failed via SSH from 192.0.2.7: "
			"wrong password: bob\n");
	assert_int_equal(log_in(DOOR_SSH, "bob", ""), LOGIN_WRONG);
	assert_int_equal(log_in(DOOR_SSH, "Bob", RIGHT), LOGIN_WRONG);
	assert_int_equal(traps, 0);
}

/* They take a worker like others, are audited in one line whatever they are,
 * and leave nothing else behind. */
static void
who_does_not_exist(void **state)
{
	static const struct {
		const char *name, *audit;
	} strangers[] = {
	    {"eve", "eve"},
	    {"", ""},
	    {"e\nv]: e", "e\\x0av]: e"},
	    {"\xff\\", "\\xff\\\\"},
	    {"bob ", "bob "},
	    {"a234567890123456789012345678901234567890123456789012345678901234"
	     "5678",
		"a23456789012345678901234567890123456789012345678901234567890"
		"1234"},
	};
	struct admin_count before, after;
	char want[256];
	struct try try;
	size_t k, n;

	(void)state;
	assert_ok(admin_count(STORE, &before));
	for (k = 0; k < LENGTH(strangers); k++) {
		hold_workers();
		try_begin(&try, DOOR_WEB, strangers[k].name, RIGHT);
		bench_turn(&bench);
		assert_int_equal(try.told, 0);
		let_workers_go();
		try_wait(&try);
		assert_int_equal(try.verdict, LOGIN_WRONG);
		(void)snprintf(want, sizeof(want),
		    "[system]: Login failed via the Management Console from "
		    "192.0.2.7: no such administrator: %s\n",
		    strangers[k].audit);
		assert_audit(1, want);
		/* there is nothing to be locked */
		for (n = 0; n < 6; n++)
			assert_int_equal(
			    log_in(DOOR_WEB, strangers[k].name, RIGHT),
			    LOGIN_WRONG);
	}
	assert_ok(admin_count(STORE, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(traps, 0);
}

static void
a_password_of_any_length_may_be_wrong(void **state)
{
	char text[PASSWORD_MAX_OCTETS + 100] = RIGHT;

	(void)state;
	memset(text + strlen(RIGHT), 'x', sizeof(text) - strlen(RIGHT) - 1);
	assert_int_equal(log_in(DOOR_SSH, "bob", text), LOGIN_WRONG);
}

/* req: KS-15-101 */
static void
each_door_wants_its_control(void **state)
{
	static const struct {
		uint32_t controls;
		enum login_verdict serial, ssh, web;
	} cases[] = {
	    {0, LOGIN_OK, LOGIN_DOOR, LOGIN_DOOR},
	    {CONTROL_BIT(CONTROL_SSH), LOGIN_OK, LOGIN_OK, LOGIN_DOOR},
	    {CONTROL_BIT(CONTROL_WEB), LOGIN_OK, LOGIN_DOOR, LOGIN_OK},
	    {CONTROLS_ALL & ~CONTROL_BIT(CONTROL_SSH), LOGIN_OK, LOGIN_DOOR,
		LOGIN_OK},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		account("carl", true, cases[k].controls);
		assert_int_equal(
		    log_in(DOOR_SERIAL, "carl", RIGHT), cases[k].serial);
		assert_int_equal(log_in(DOOR_SSH, "carl", RIGHT), cases[k].ssh);
		assert_int_equal(log_in(DOOR_WEB, "carl", RIGHT), cases[k].web);
		/* who does not know the password is not told */
		assert_int_equal(log_in(DOOR_SSH, "carl", WRONG), LOGIN_WRONG);
	}
	account("carl", true, 0);
	assert_int_equal(log_in(DOOR_SSH, "carl", RIGHT), LOGIN_DOOR);
	assert_audit(1,
	    "[carl]: Login refused via SSH from 192.0.2.7: "
	    "\"Admin Access via SSH\" access control is required\n");
}

/* ---- who is locked out ---- */

/* req: KS-15-006 KS-15-013 KS-15-020 KS-15-021 KS-15-022 KS-15-023 */
static void
five_wrong_ones_lock(void **state)
{
	(void)state;
	wrong(DOOR_SSH, "bob", 4);
	assert_int_equal(traps, 0);
	wrong(DOOR_SSH, "bob", 1);
	assert_int_equal(traps, 1);
	assert_string_equal(
	    trap_text, "Multiple password failures during login");
	assert_audit(2,
	    "[system]: Login failed via SSH from 192.0.2.7: "
	    "wrong password: bob\n"
	    "[system]: Multiple password failures during login via SSH from "
	    "192.0.2.7: locked for 30 minutes: bob\n");
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_LOCKED);
	assert_int_equal(log_in(DOOR_SSH, "bob", WRONG), LOGIN_LOCKED);
	assert_int_equal(traps, 3);
	assert_audit(2,
	    "[system]: Multiple password failures during login via SSH from "
	    "192.0.2.7: while locked: bob\n"
	    "[system]: Multiple password failures during login via SSH from "
	    "192.0.2.7: while locked: bob\n");
	/* req: KS-02-013 */
	assert_int_equal(log_in(DOOR_SSH, "root", RIGHT), LOGIN_OK);
}

/* req: KS-15-007 KS-02-012 */
static void
a_right_one_in_between(void **state)
{
	(void)state;
	wrong(DOOR_SSH, "bob", 4);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	wrong(DOOR_SSH, "bob", 4);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	/* right, but not let in: right all the same */
	account("carl", false, CONTROL_BIT(CONTROL_SSH));
	wrong(DOOR_WEB, "carl", 4);
	assert_int_equal(log_in(DOOR_WEB, "carl", RIGHT), LOGIN_DOOR);
	wrong(DOOR_WEB, "carl", 4);
	assert_int_equal(log_in(DOOR_SSH, "carl", RIGHT), LOGIN_OK);
}

/* req: KS-15-010 KS-15-011 KS-15-012 KS-15-019 */
static void
serial_and_remote_are_counted_apart(void **state)
{
	(void)state;
	wrong(DOOR_WEB, "bob", 4);
	wrong(DOOR_SERIAL, "bob", 4);
	assert_int_equal(traps, 0);
	wrong(DOOR_SSH, "bob", 1);
	assert_int_equal(traps, 1);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_LOCKED);
	assert_int_equal(log_in(DOOR_WEB, "bob", RIGHT), LOGIN_LOCKED);
	assert_int_equal(log_in(DOOR_SERIAL, "bob", RIGHT), LOGIN_OK);
	wrong(DOOR_SERIAL, "root", 5);
	assert_int_equal(log_in(DOOR_SERIAL, "root", RIGHT), LOGIN_LOCKED);
	assert_int_equal(log_in(DOOR_SSH, "root", RIGHT), LOGIN_OK);
	assert_int_equal(log_in(DOOR_WEB, "root", RIGHT), LOGIN_OK);
}

/* clang-format off */
static const struct {
	const char *name;
	enum setting which;
	const char *value; /* NULL: nothing is set */
	enum door door;
	int64_t then_ms, again_ms;
	enum login_verdict then, again;
} locks[] = {
	/* req: KS-15-008 */
	{ "serial, 5 minutes", 0, NULL, DOOR_SERIAL,
	  5 * MINUTE, 0, LOGIN_OK, LOGIN_OK },
	{ "serial, a millisecond less; it begins anew", 0, NULL, DOOR_SERIAL,
	  5 * MINUTE - 1, 5 * MINUTE - 1, LOGIN_LOCKED, LOGIN_LOCKED },
	/* req: KS-15-009 */
	{ "remote, 30 minutes", 0, NULL, DOOR_SSH,
	  30 * MINUTE, 0, LOGIN_OK, LOGIN_OK },
	{ "remote, a millisecond less", 0, NULL, DOOR_WEB,
	  30 * MINUTE - 1, 30 * MINUTE, LOGIN_LOCKED, LOGIN_OK },
	/* req: KS-15-014 KS-15-017 */
	{ "an attempt at 29 minutes, by web", 0, NULL, DOOR_WEB,
	  29 * MINUTE, 2 * MINUTE, LOGIN_LOCKED, LOGIN_LOCKED },
	{ "an attempt at 29 minutes, by SSH", 0, NULL, DOOR_SSH,
	  29 * MINUTE, 2 * MINUTE, LOGIN_LOCKED, LOGIN_LOCKED },
	{ "other times: serial", SETTING_LOCKOUT_SERIAL, "7", DOOR_SERIAL,
	  7 * MINUTE - 1, 7 * MINUTE, LOGIN_LOCKED, LOGIN_OK },
	{ "other times: remote", SETTING_LOCKOUT_REMOTE, "1", DOOR_SSH,
	  MINUTE, 0, LOGIN_OK, LOGIN_OK },
	/* req: KS-02-010 KS-02-011 */
	{ "chapter 2, 59 seconds, then past 60", SETTING_LOCKOUT_RULE,
	  "one-minute", DOOR_SSH, 59000, 1000, LOGIN_LOCKED, LOGIN_OK },
	{ "chapter 2, at the serial console", SETTING_LOCKOUT_RULE,
	  "one-minute", DOOR_SERIAL, 60000, 0, LOGIN_OK, LOGIN_OK },
};
/* clang-format on */

static void
how_long(void **state)
{
	enum login_verdict then, again;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(locks); k++) {
		if (locks[k].value != NULL)
			set(locks[k].which, locks[k].value);
		account("carl", false, CONTROLS_ALL);
		wrong(locks[k].door, "carl", 5);
		advance(locks[k].then_ms);
		then = log_in(locks[k].door, "carl", RIGHT);
		advance(locks[k].again_ms);
		again = log_in(locks[k].door, "carl", RIGHT);
		if (then != locks[k].then || again != locks[k].again)
			fail_msg("%s: got %d, then %d", locks[k].name,
			    (int)then, (int)again);
	}
	/* chapter 2 has one count for all doors */
	wrong(DOOR_SERIAL, "bob", 2);
	wrong(DOOR_WEB, "bob", 3);
	assert_int_equal(log_in(DOOR_SERIAL, "bob", RIGHT), LOGIN_LOCKED);
	assert_audit(2,
	    "[system]: Multiple password failures during login via the "
	    "Management Console from 192.0.2.7: locked for 1 minute: bob\n"
	    "[system]: Multiple password failures during login at the serial "
	    "console: while locked: bob\n");
}

/* A hundred at once have five attempts, and the right one is no exception when
 * the lock came while it was looked at. */
static void
many_at_once_have_five_attempts(void **state)
{
	enum { MANY = 40 };
	static struct try tries[MANY];
	unsigned verdicts[LOGIN_FAILED + 1] = {0};
	size_t k;

	(void)state;
	hold_workers();
	for (k = 0; k < MANY; k++)
		try_begin(
		    &tries[k], DOOR_SSH, "bob", k == MANY - 1 ? RIGHT : WRONG);
	assert_ok(rig_turns(&bench.rig, 10));
	let_workers_go();
	for (k = 0; k < MANY; k++) {
		try_wait(&tries[k]);
		verdicts[tries[k].verdict]++;
	}
	assert_int_equal(verdicts[LOGIN_WRONG], 5);
	assert_int_equal(verdicts[LOGIN_LOCKED], MANY - 5);
	assert_int_equal(traps, 1 + MANY - 5);
}

/* A kill after the verdict does not take the count back. */
static void
the_count_is_durable_before_it_is_told(void **state)
{
	uint64_t groups = store_groups(STORE);
	struct admin admin;
	struct try try;

	(void)state;
	try_begin(&try, DOOR_SSH, "bob", WRONG);
	try_wait(&try);
	assert_true(try.groups > groups);
	wrong(DOOR_SSH, "bob", 3);
	/* started anew */
	loop_end_jobs(bench.rig.loop);
	appliance_close(APPLIANCE);
	store_close(STORE);
	loop_task_cancel(&bench.commit);
	loop_free(bench.rig.loop);
	assert_ok(loop_new(bench.rig.env, &bench.rig.loop));
	bench.appliance.loop = bench.rig.loop;
	bench_open(&bench);
	loop_each_turn(bench.rig.loop, &bench.commit);
	appliance_make();
	assert_ok(admin_read(STORE, bytes_of_text("bob"), &admin));
	assert_int_equal(admin.remote.failures, 4);
	admin_drop(&admin);
	wrong(DOOR_SSH, "bob", 1);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_LOCKED);
}

/* What cannot be written cannot be told: nobody is let in, or may guess. */
static void
a_full_disk_lets_nobody_in(void **state)
{
	struct try try;

	(void)state;
	vfs_disk_full(0);
	try_begin(&try, DOOR_SSH, "bob", WRONG);
	try_wait(&try);
	assert_int_equal(try.verdict, LOGIN_FAILED);
	assert_int_equal(try.login.rc, ERR_DISK_FULL);
	try_begin(&try, DOOR_SSH, "bob", RIGHT);
	try_wait(&try);
	assert_int_equal(try.verdict, LOGIN_FAILED);
	vfs_disk_full(UINT64_MAX);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	assert_int_equal(traps, 0);
}

static void
who_has_left_is_counted(void **state)
{
	struct admin admin;
	struct try try;

	(void)state;
	try_begin(&try, DOOR_SSH, "bob", WRONG);
	login_leave(&try.login);
	login_leave(&try.login);
	assert_int_equal(log_in(DOOR_SSH, "root", RIGHT), LOGIN_OK);
	assert_int_equal(try.told, 0);
	assert_ok(admin_read(STORE, bytes_of_text("bob"), &admin));
	assert_int_equal(admin.remote.failures, 1);
	admin_drop(&admin);
}

/* ---- who was right is remembered ---- */

/* Does it take a worker? */
static bool
takes_a_worker(const char *name, const char *password)
{
	struct try try;
	bool took;

	hold_workers();
	try_begin(&try, DOOR_SSH, name, password);
	assert_ok(rig_turns(&bench.rig, 4));
	took = try.told == 0;
	let_workers_go();
	try_wait(&try);
	return took;
}

static void
give(const char *name, const char *password, enum admin_must must)
{
	struct password_hash hash;
	struct admin admin;
	const char *why;

	assert_ok(password_hash(
	    bench.rig.env, ITERATIONS, bytes_of_text(password), &hash));
	assert_ok(admin_read(STORE, bytes_of_text(name), &admin));
	admin_set_password(APPLIANCE, &admin, &hash, must);
	assert_ok(admin_write(STORE, &admin, &why));
	admin_drop(&admin);
	bench_turn(&bench);
}

static void
the_second_time_is_quick(void **state)
{
	(void)state;
	assert_true(takes_a_worker("bob", RIGHT));
	assert_false(takes_a_worker("bob", RIGHT));
	/* of another account it is another password */
	assert_true(takes_a_worker("root", RIGHT));
	assert_false(takes_a_worker("bob", RIGHT));
	assert_true(takes_a_worker("bob", WRONG));
	assert_true(takes_a_worker("bob", WRONG));
	assert_true(takes_a_worker("bob", ""));
	assert_false(takes_a_worker("bob", RIGHT));
}

static void
what_is_changed_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	assert_int_equal(log_in(DOOR_SSH, "root", RIGHT), LOGIN_OK);
	login_forget(APPLIANCE, bytes_of_text("bob"));
	assert_false(takes_a_worker("root", RIGHT));
	assert_true(takes_a_worker("bob", RIGHT));
	login_forget(APPLIANCE, BYTES_NONE);
	assert_true(takes_a_worker("root", RIGHT));
	assert_true(takes_a_worker("bob", RIGHT));
	/* the same one, set anew, is another */
	give("bob", RIGHT, ADMIN_MUST_NOT);
	assert_true(takes_a_worker("bob", RIGHT));
	give("bob", "nT5$wvb2", ADMIN_MUST_NOT);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_WRONG);
	assert_int_equal(log_in(DOOR_SSH, "bob", "nT5$wvb2"), LOGIN_OK);
}

static void
a_lockout_goes_before_and_forgets(void **state)
{
	(void)state;
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	wrong(DOOR_SSH, "bob", 5);
	assert_false(takes_a_worker("bob", RIGHT)); /* it is refused */
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_LOCKED);
	advance(30 * MINUTE);
	assert_true(takes_a_worker("bob", RIGHT));
	assert_false(takes_a_worker("bob", RIGHT));
}

/* A password that is changed while it is verified is verified again. */
static void
what_changes_meanwhile_counts(void **state)
{
	struct try old, new, gone;
	const char *why;

	(void)state;
	account("carl", false, CONTROLS_ALL);
	hold_workers();
	try_begin(&old, DOOR_SSH, "bob", RIGHT);
	try_begin(&new, DOOR_SSH, "bob", "nT5$wvb2");
	try_begin(&gone, DOOR_SSH, "carl", RIGHT);
	assert_ok(rig_turns(&bench.rig, 4));
	give("bob", "nT5$wvb2", ADMIN_MUST_NOT);
	assert_ok(admin_delete(STORE, bytes_of_text("carl"), &why));
	let_workers_go();
	try_wait(&old);
	try_wait(&new);
	try_wait(&gone);
	assert_int_equal(old.verdict, LOGIN_WRONG);
	assert_int_equal(new.verdict, LOGIN_OK);
	assert_int_equal(gone.verdict, LOGIN_WRONG);
}

/* ---- passwords that have to be changed ---- */

static enum admin_must
must_of(const char *name, const char *password)
{
	struct try try;

	try_begin(&try, DOOR_SSH, name, password);
	try_wait(&try);
	assert_int_equal(try.verdict, LOGIN_OK);
	return try.login.must;
}

/* req: KS-15-050 KS-15-058 */
static void
somebody_elses_password_must_be_changed(void **state)
{
	(void)state;
	give("bob", "nT5$wvb2", ADMIN_MUST_FIRST);
	assert_int_equal(must_of("bob", "nT5$wvb2"), ADMIN_MUST_FIRST);
	give("bob", "pR8!hcd4", ADMIN_MUST_RESET);
	assert_int_equal(must_of("bob", "pR8!hcd4"), ADMIN_MUST_RESET);
	assert_int_equal(must_of("bob", "pR8!hcd4"), ADMIN_MUST_RESET);
	give("bob", "yL6%fsg3", ADMIN_MUST_NOT);
	assert_int_equal(must_of("bob", "yL6%fsg3"), ADMIN_MUST_NOT);
}

/* req: KS-17-013 KS-17-014 KS-17-015 KS-17-049 KS-17-062 */
static void
passwords_expire(void **state)
{
	(void)state;
	advance(3000 * DAY);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	give("bob", RIGHT, ADMIN_MUST_NOT);
	set(SETTING_PASSWORD_AGE, "30");
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	assert_int_equal(must_of("root", RIGHT), ADMIN_MUST_EXPIRED);
	advance(30 * DAY - 1);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	advance(1);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_EXPIRED);
	set(SETTING_PASSWORD_AGE, "Never");
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	set(SETTING_PASSWORD_AGE, "30");
	/* why else it has to be changed goes before */
	give("bob", RIGHT, ADMIN_MUST_RESET);
	advance(30 * DAY);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_RESET);
	give("bob", RIGHT, ADMIN_MUST_NOT);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
}

static void
set_wall(int64_t offset_ms)
{
	__atomic_add_fetch(
	    &bench.rig.clock->wall_offset_ms, offset_ms, __ATOMIC_RELEASE);
	__atomic_add_fetch(&bench.rig.clock->generation, 1, __ATOMIC_RELEASE);
}

/* req: KS-17-017 KS-17-018 KS-17-019 KS-17-020 */
static void
the_wall_clock_ages_no_password(void **state)
{
	int64_t wall_s = env_wall_s(bench.rig.env);

	(void)state;
	set(SETTING_PASSWORD_AGE, "30");
	set_wall(400 * DAY);
	assert_true(env_wall_s(bench.rig.env) >= wall_s + 400 * DAY / 1000);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	advance(30 * DAY - 1);
	set_wall(-800 * DAY);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_NOT);
	advance(1);
	assert_int_equal(must_of("bob", RIGHT), ADMIN_MUST_EXPIRED);
}

/* ---- new passwords ---- */

struct renewal {
	struct new_password request;
	unsigned told;
	enum err rc;
};

static void
renewal_done(struct new_password *request, enum err rc)
{
	struct renewal *renewal = request->ctx;

	renewal->told++;
	renewal->rc = rc;
	loop_stop(bench.rig.loop);
}

/* current NULL: somebody else's */
static void
renewal_begin(struct renewal *renewal, const char *user, const char *current,
    const char *password)
{
	*renewal = (struct renewal){
	    .request = {
		.user = user,
		.own = current != NULL,
		.current =
		    current != NULL ? bytes_of_text(current) : BYTES_NONE,
		.password = bytes_of_text(password),
		.door = DOOR_SSH,
		.done = renewal_done,
		.ctx = renewal,
	    }};
	assert_ok(new_password_begin(APPLIANCE, &renewal->request));
}

static void
renewal_wait(struct renewal *renewal)
{
	while (renewal->told == 0)
		assert_ok(loop_run(bench.rig.loop));
	assert_int_equal(renewal->told, 1);
	assert_null(renewal->request.job);
}

/* As the command does it: when it is good, it is set. */
static enum err
renew(const char *user, const char *current, const char *password,
    char why[PASSWORD_WHY_OCTETS])
{
	struct renewal renewal;
	struct admin admin;
	const char *guard;

	renewal_begin(&renewal, user, current, password);
	renewal_wait(&renewal);
	(void)snprintf(why, PASSWORD_WHY_OCTETS, "%s", renewal.request.why);
	if (renewal.rc != OK)
		return renewal.rc;
	assert_ok(admin_read(STORE, bytes_of_text(user), &admin));
	admin_set_password(APPLIANCE, &admin, &renewal.request.hash,
	    current != NULL ? ADMIN_MUST_NOT : ADMIN_MUST_RESET);
	assert_ok(admin_write(STORE, &admin, &guard));
	admin_drop(&admin);
	bench_turn(&bench);
	return OK;
}

#define P1   "nT5$wvb2"
#define P2   "pR8!hcd4"
#define P3   "yL6%fsg3"
#define P4   "dQ3+jmx9"
#define P5   "gB7=ztk5"
#define USED "Passwords must not be in the password history"

/* clang-format off */
static const struct {
	const char *current, *password;
	enum err want;
	const char *why;
} renewals[] = {
	/* req: KS-17-033 */
	{ WRONG, P1, ERR_AUTHENTICATION, "The current password is wrong" },
	{ "", P1, ERR_AUTHENTICATION, "The current password is wrong" },
	/* req: KS-17-038 */
	{ RIGHT, "555-123-4967", ERR_FIELD,
	  "Passwords must not resemble a phone number" },
	{ RIGHT, "bob", ERR_FIELD,
	  "Passwords must contain at least five different characters" },
	{ RIGHT, "nT5$wvb", ERR_FIELD,
	  "Passwords must be at least 8 characters long" },
	{ RIGHT, RIGHT, ERR_FIELD,
	  "Passwords must differ from the current one" },
	{ RIGHT, P1, OK, "" },
	{ P1, RIGHT, OK, "" },
};
/* clang-format on */

static void
ones_own_password(void **state)
{
	char why[PASSWORD_WHY_OCTETS];
	enum err rc;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(renewals); k++) {
		rc = renew(
		    "bob", renewals[k].current, renewals[k].password, why);
		if (rc != renewals[k].want || strcmp(why, renewals[k].why) != 0)
			fail_msg("%s: expected %s, got %s '%s'",
			    renewals[k].password, err_name(renewals[k].want),
			    err_name(rc), why);
	}
	/* the rules are those of now: req: KS-17-061 */
	set(SETTING_PASSWORD_LENGTH, "12");
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_OK);
	assert_err(renew("bob", RIGHT, "nT5$wvb2qkz", why), ERR_FIELD);
	assert_string_equal(
	    why, "Passwords must be at least 12 characters long");
	set(SETTING_PASSWORD_UPPER, "yes");
	assert_err(renew("bob", RIGHT, "nt5$wvb2qkzj", why), ERR_FIELD);
	assert_string_equal(
	    why, "Passwords must contain at least one upper case letter");
	assert_ok(renew("bob", RIGHT, "nT5$wvb2qkzj", why));
}

/* req: KS-15-044 KS-15-059 */
static void
somebody_elses_password(void **state)
{
	char why[PASSWORD_WHY_OCTETS];

	(void)state;
	assert_err(renew("bob", NULL, "bob", why), ERR_FIELD);
	assert_ok(renew("bob", NULL, P1, why));
	assert_int_equal(must_of("bob", P1), ADMIN_MUST_RESET);
	/* with no account to speak of: one that is to be made */
	assert_err(renew("jsmith42", NULL, "jsmith42x", why), ERR_FIELD);
	assert_string_equal(why, "Passwords must not be based on the username");
}

/* Guessing at the current one is guessing at the account. */
static void
wrong_current_passwords_lock(void **state)
{
	char why[PASSWORD_WHY_OCTETS];
	unsigned k;

	(void)state;
	wrong(DOOR_SSH, "bob", 3);
	assert_err(renew("bob", WRONG, P1, why), ERR_AUTHENTICATION);
	assert_audit(1,
	    "[system]: Password change failed via SSH: wrong password: bob\n");
	/* a right one is right, even when the new one is not good */
	assert_err(renew("bob", RIGHT, "bob", why), ERR_FIELD);
	for (k = 0; k < 5; k++) {
		assert_int_equal(traps, 0);
		assert_err(renew("bob", WRONG, P1, why), ERR_AUTHENTICATION);
	}
	assert_int_equal(traps, 1);
	assert_err(renew("bob", RIGHT, P1, why), ERR_DENIED);
	assert_string_equal(why, "Account has been locked");
	assert_int_equal(traps, 2);
	assert_int_equal(log_in(DOOR_SSH, "bob", RIGHT), LOGIN_LOCKED);
	assert_int_equal(log_in(DOOR_SERIAL, "bob", RIGHT), LOGIN_OK);
}

/* req: KS-17-012 */
static void
an_ldap_account_has_its_password_elsewhere(void **state)
{
	char why[PASSWORD_WHY_OCTETS];
	struct admin admin;
	const char *guard;

	(void)state;
	account("carl", false, CONTROLS_ALL);
	assert_ok(admin_read(STORE, bytes_of_text("carl"), &admin));
	admin.ldap = true;
	admin.password = (struct password_hash){.line = ""};
	assert_ok(admin_write(STORE, &admin, &guard));
	admin_drop(&admin);
	assert_err(renew("carl", RIGHT, P1, why), ERR_DENIED);
	assert_string_equal(why,
	    "LDAP administrators change their passwords on the LDAP server");
	assert_int_equal(log_in(DOOR_SSH, "carl", RIGHT), LOGIN_WRONG);
	assert_int_equal(log_in(DOOR_SSH, "carl", ""), LOGIN_WRONG);
}

/* ---- the history ---- */

enum { OFF = -1 };
enum step_kind { END, OWN, RESET, HISTORY, FORGETS };

struct step {
	enum step_kind kind;
	const char *password; /* HISTORY: the setting's value */
	enum err want;
};

/*
 * Each begins with RIGHT in use and the history disabled; who has to change
 * the password is of no interest here.
 */
/* clang-format off */
static const struct {
	const char *name;
	struct step steps[12];
} histories[] = {
	/* req: KS-17-027 */
	{ "disabled at first: old ones are taken",
	  { {OWN, P1, OK}, {OWN, P2, OK}, {OWN, P1, OK}, {OWN, P2, OK} } },
	/* req: KS-17-022 KS-17-023 */
	{ "enabled: one's own are remembered",
	  { {HISTORY, "25", OK}, {OWN, P1, OK}, {OWN, P2, OK},
	    {OWN, P1, ERR_FIELD}, {OWN, P3, OK}, {OWN, P2, ERR_FIELD} } },
	/* req: KS-17-028 KS-17-029 */
	{ "what was in use before it was enabled is not in it",
	  { {OWN, P1, OK}, {OWN, P2, OK}, {HISTORY, "25", OK}, {OWN, P3, OK},
	    {OWN, P1, OK}, {OWN, P2, OK}, {OWN, P3, ERR_FIELD} } },
	{ "nor what was in use at that moment",
	  { {OWN, P1, OK}, {HISTORY, "25", OK}, {OWN, P2, OK}, {OWN, P1, OK},
	    {OWN, P2, ERR_FIELD} } },
	/* req: KS-17-024 KS-17-025 KS-17-026 KS-17-030 */
	{ "it is not consulted for somebody else's, and those are not in it",
	  { {HISTORY, "25", OK}, {OWN, P1, OK}, {OWN, P2, OK},
	    {RESET, P1, OK}, {RESET, P1, OK}, {RESET, P5, OK},
	    {RESET, P5, OK}, {OWN, P3, OK}, {OWN, P5, OK},
	    {OWN, P1, ERR_FIELD}, {OWN, P2, ERR_FIELD} } },
	/* req: KS-17-031 KS-17-053 */
	{ "disabled, all are gone",
	  { {HISTORY, "25", OK}, {OWN, P1, OK}, {OWN, P2, OK},
	    {OWN, P1, ERR_FIELD}, {HISTORY, "Disabled", OK}, {FORGETS, "", OK},
	    {HISTORY, "25", OK}, {OWN, P1, OK}, {OWN, P2, OK},
	    {OWN, P1, ERR_FIELD} } },
	/* req: KS-17-051 KS-17-052 */
	{ "three: the last three, not the fourth",
	  { {HISTORY, "3", OK}, {OWN, P1, OK}, {OWN, P2, OK}, {OWN, P3, OK},
	    {OWN, P4, OK}, {OWN, P2, ERR_FIELD}, {OWN, P3, ERR_FIELD},
	    {OWN, P4, ERR_FIELD}, {OWN, P1, OK} } },
	{ "one: the present one only, which cannot be kept anyway",
	  { {HISTORY, "1", OK}, {OWN, P1, OK}, {OWN, P2, OK}, {OWN, P1, OK},
	    {OWN, P1, ERR_FIELD} } },
	{ "fewer from now on: at once",
	  { {HISTORY, "3", OK}, {OWN, P1, OK}, {OWN, P2, OK}, {OWN, P3, OK},
	    {OWN, P1, ERR_FIELD}, {HISTORY, "2", OK}, {OWN, P1, OK} } },
};
/* clang-format on */

static size_t
histories_kept(void)
{
	struct admin admin;
	size_t count;

	assert_ok(admin_read(STORE, bytes_of_text("carl"), &admin));
	count = admin.history_count;
	admin_drop(&admin);
	return count;
}

static void
what_is_remembered(void **state)
{
	char why[PASSWORD_WHY_OCTETS];
	const struct step *step;
	const char *current;
	enum err rc;
	size_t k, s;

	(void)state;
	for (k = 0; k < LENGTH(histories); k++) {
		set(SETTING_PASSWORD_HISTORY, "Disabled");
		account("carl", false, CONTROLS_ALL);
		current = RIGHT;
		for (s = 0; histories[k].steps[s].kind != END; s++) {
			step = &histories[k].steps[s];
			rc = OK;
			if (step->kind == HISTORY)
				set(SETTING_PASSWORD_HISTORY, step->password);
			else if (step->kind == FORGETS)
				assert_int_equal(histories_kept(), 0);
			else
				rc = renew("carl",
				    step->kind == OWN ? current : NULL,
				    step->password, why);
			if (rc == OK && step->kind <= RESET)
				current = step->password;
			if (rc != step->want)
				fail_msg("%s: step %zu: expected %s, got %s",
				    histories[k].name, s, err_name(step->want),
				    err_name(rc));
		}
	}
}

/* req: KS-17-021 */
static void
each_has_a_history_of_its_own(void **state)
{
	char why[PASSWORD_WHY_OCTETS];

	(void)state;
	set(SETTING_PASSWORD_HISTORY, "25");
	assert_ok(renew("bob", RIGHT, P1, why));
	assert_ok(renew("bob", P1, P2, why));
	assert_ok(renew("root", RIGHT, P1, why));
	assert_err(renew("bob", P2, P1, why), ERR_FIELD);
	assert_string_equal(why, USED);
}

static void
twenty_five_are_kept(void **state)
{
	unsigned k;
	char password[16], why[PASSWORD_WHY_OCTETS];
	char current[16] = RIGHT;

	(void)state;
	account("carl", false, CONTROLS_ALL);
	set(SETTING_PASSWORD_HISTORY, "25");
	for (k = 0; k < 26; k++) {
		(void)snprintf(
		    password, sizeof(password), "nT5$wv%c2x", 'A' + k);
		assert_ok(renew("carl", current, password, why));
		memcpy(current, password, sizeof(current));
	}
	assert_int_equal(histories_kept(), 25);
	assert_err(renew("carl", current, "nT5$wvB2x", why), ERR_FIELD);
	assert_ok(renew("carl", current, "nT5$wvA2x", why));
}

/* The setting and the histories go together, or stay together. */
static void
histories_stay_when_the_setting_does(void **state)
{
	char why[SETTING_WHY_OCTETS], rule[PASSWORD_WHY_OCTETS];
	bool changed;

	(void)state;
	account("carl", false, CONTROLS_ALL);
	set(SETTING_PASSWORD_HISTORY, "25");
	assert_ok(renew("carl", RIGHT, P1, rule));
	assert_ok(store_savepoint(STORE));
	assert_ok(setting_set(APPLIANCE->settings, SETTING_PASSWORD_HISTORY,
	    bytes_of_text("Disabled"), &changed, why));
	assert_ok(settings_judge(APPLIANCE->settings, why));
	assert_int_equal(histories_kept(), 0);
	assert_ok(store_rollback_to(STORE));
	settings_settle(APPLIANCE->settings, false);
	assert_int_equal(histories_kept(), 1);
	/* and what was undone once goes the second time */
	set(SETTING_PASSWORD_HISTORY, "Disabled");
	assert_int_equal(histories_kept(), 0);
}

/* More accounts than are looked at in one walk. */
static void
all_histories_go(void **state)
{
	enum { ACCOUNTS = 150 };
	struct admin admin;
	const char *why;
	char name[16];
	unsigned k;

	(void)state;
	set(SETTING_PASSWORD_HISTORY, "25");
	assert_ok(admin_read(STORE, bytes_of_text("bob"), &admin));
	admin.history[0] = admin.password;
	admin.history_count = 1;
	for (k = 0; k < ACCOUNTS; k++) {
		(void)snprintf(admin.name, sizeof(admin.name), "a%u", k);
		assert_ok(admin_write(STORE, &admin, &why));
	}
	admin_drop(&admin);
	set(SETTING_PASSWORD_HISTORY, "Disabled");
	for (k = 0; k < ACCOUNTS; k++) {
		(void)snprintf(name, sizeof(name), "a%u", k);
		assert_ok(admin_read(STORE, bytes_of_text(name), &admin));
		assert_int_equal(admin.history_count, 0);
		admin_drop(&admin);
	}
}

/* ---- the loop goes on ---- */

/* Of processor time; a sanitizer takes its own. */
#ifdef __SANITIZE_ADDRESS__
enum { TURN_MOST_US = 50000 };
#else
enum { TURN_MOST_US = 5000 };
#endif

static void
two_hundred_do_not_hold_the_loop(void **state)
{
	enum { MANY = 200 };
	static struct try tries[MANY];
	int64_t longest_us;
	size_t k;

	(void)state;
	(void)loop_longest_turn_us(bench.rig.loop); /* measured from here on */
	hold_workers();
	for (k = 0; k < MANY; k++)
		try_begin(
		    &tries[k], DOOR_SSH, k % 2 != 0 ? "bob" : "eve", WRONG);
	let_workers_go();
	for (k = 0; k < MANY; k++)
		try_wait(&tries[k]);
	/* and while it is locked, when no worker slows them down */
	for (k = 0; k < MANY; k++)
		try_begin(&tries[k], DOOR_SSH, "bob", WRONG);
	for (k = 0; k < MANY; k++)
		try_wait(&tries[k]);
	longest_us = loop_longest_turn_us(bench.rig.loop);
	print_message("longest turn: %lld us\n", (long long)longest_us);
	assert_in_range(longest_us, 1, TURN_MOST_US);
}

/* ---- the end ---- */

/* In each of its states: waiting to be taken up, at a worker, waiting for the
 * group, waiting to be told. */
static void
an_end_amid_logins(void **state)
{
	static struct try tries[4];
	static struct renewal renewal;

	(void)state;
	vfs_disk_full(0);
	try_begin(&tries[0], DOOR_SSH, "bob", RIGHT);
	assert_int_equal(log_in(DOOR_SSH, "eve", RIGHT), LOGIN_FAILED);
	vfs_disk_full(UINT64_MAX);
	try_begin(&tries[1], DOOR_SSH, "bob", RIGHT);
	renewal_begin(&renewal, "bob", RIGHT, P1);
	assert_ok(rig_turns(&bench.rig, 1));
	try_begin(&tries[2], DOOR_SSH, "bob", RIGHT);
	try_begin(&tries[3], DOOR_SSH, "eve", RIGHT);
	/* tear_down ends it */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_right_password_lets_in),
	    TEST(who_does_not_exist),
	    TEST(a_password_of_any_length_may_be_wrong),
	    TEST(each_door_wants_its_control),
	    TEST(five_wrong_ones_lock),
	    TEST(a_right_one_in_between),
	    TEST(serial_and_remote_are_counted_apart),
	    TEST(how_long),
	    TEST(many_at_once_have_five_attempts),
	    TEST(the_count_is_durable_before_it_is_told),
	    TEST(a_full_disk_lets_nobody_in),
	    TEST(who_has_left_is_counted),
	    TEST(the_second_time_is_quick),
	    TEST(what_is_changed_is_forgotten),
	    TEST(a_lockout_goes_before_and_forgets),
	    TEST(what_changes_meanwhile_counts),
	    TEST(somebody_elses_password_must_be_changed),
	    TEST(passwords_expire),
	    TEST(the_wall_clock_ages_no_password),
	    TEST(ones_own_password),
	    TEST(somebody_elses_password),
	    TEST(wrong_current_passwords_lock),
	    TEST(an_ldap_account_has_its_password_elsewhere),
	    TEST(what_is_remembered),
	    TEST(each_has_a_history_of_its_own),
	    TEST(twenty_five_are_kept),
	    TEST(histories_stay_when_the_setting_does),
	    TEST(all_histories_go),
	    TEST(two_hundred_do_not_hold_the_loop),
	    TEST(an_end_amid_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

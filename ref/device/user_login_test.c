#include "crypto/ossl.h"
#include "device/rig_test.h"
#include "device/user.h"

/* Few enough for a test. */
enum { ITERATIONS = 10, MINUTE = 60 * 1000 };

#define RIGHT "xk9#qzm7"
#define WRONG "xk9#qzm8"
#define OTHER "xk9#qzm9"

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)
#define B(text)   bytes_of_text(text)

static struct password_hash
hash_of(const char *password)
{
	struct password_hash hash;

	assert_ok(password_hash(bench.rig.env, ITERATIONS, B(password), &hash));
	return hash;
}

static void
create(const char *name, const char *password)
{
	struct user user = {.password = hash_of(password)};

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	assert_ok(user_create(APPLIANCE, &user));
	bench_turn(&bench);
}

static void
change_password(const char *name, const char *password)
{
	struct user user;

	assert_ok(user_read(STORE, B(name), &user));
	user.password = hash_of(password);
	assert_ok(user_write(APPLIANCE, &user));
	bench_turn(&bench);
}

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	bench.appliance.password_iterations = ITERATIONS;
	assert_ok(loop_pool_new(
	    bench.rig.loop, "passwords", 1, &bench.appliance.passwords));
	assert_ok(appliance_open(APPLIANCE));
	create("alice", RIGHT);
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

static void
set(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(
	    setting_set(APPLIANCE->settings, which, B(value), &changed, why));
	assert_ok(settings_judge(APPLIANCE->settings, why));
	bench_turn(&bench);
	settings_settle(APPLIANCE->settings, true);
}

static void
lockout(const char *failures, const char *minutes)
{
	set(SETTING_USER_LOCKOUT_FAILURES, failures);
	set(SETTING_USER_LOCKOUT_MINUTES, minutes);
	set(SETTING_USER_LOCKOUT, "yes");
}

/* ---- asking ---- */

struct
try {
	struct user_login login;
	unsigned told;
	enum user_verdict verdict;
	uint64_t groups; /* durable when it was told */
};

static void
try_done(struct user_login *login, enum user_verdict verdict)
{
	struct try *try = login->ctx;

	try->told++;
	try->verdict = verdict;
	try->groups = store_groups(STORE);
	loop_stop(bench.rig.loop);
}

static void
try_begin(struct try *try, const char *name, const char *password)
{
	*try = (struct try){.login = {
				.name = B(name),
				.password = B(password),
				.done = try_done,
				.ctx = try,
			    }};
	assert_ok(user_login_begin(APPLIANCE, &try->login));
	assert_int_equal(try->told, 0);
}

/* Only a worker's end wakes the loop: the rest is in its way already. */
static void
try_wait(struct try *try)
{
	while (try->told == 0) {
		if (loop_jobs(bench.rig.loop) != 0)
			assert_ok(loop_run(bench.rig.loop));
		else
			assert_ok(rig_turns(&bench.rig, 1));
	}
	assert_int_equal(try->told, 1);
}

static enum user_verdict
log_in(const char *name, const char *password)
{
	struct try try;
	bool is_in;

	try_begin(&try, name, password);
	try_wait(&try);
	is_in = !key_user_is_global(&try.login.user);
	assert_int_equal(is_in, try.verdict == USER_OK);
	key_user_clear(&try.login.user);
	return try.verdict;
}

static void
wrong(const char *name, unsigned times)
{
	for (; times != 0; times--)
		assert_int_equal(log_in(name, WRONG), USER_REFUSED);
}

/* Is it told in the next turn, before any worker has ended? */
static bool
is_quick(const char *name, const char *password)
{
	struct try try;
	bool quick;

	try_begin(&try, name, password);
	quick = loop_jobs(bench.rig.loop) == 0;
	try_wait(&try);
	key_user_clear(&try.login.user);
	return quick;
}

/* ---- the password ---- */

/* req: KS-31-001 KS-32-005 ESKM-167 ESKM-169 */
static void
test_who_is_let_in(void **state)
{
	static char of_256[257], of_257[258];
	static const struct {
		const char *name, *password;
		enum user_verdict want;
	} cases[] = {
	    {"alice", RIGHT, USER_OK},
	    {"alice", WRONG, USER_REFUSED},
	    {"alice", "", USER_REFUSED},
	    {"Alice", RIGHT, USER_REFUSED},
	    {"bob", RIGHT, USER_REFUSED},
	    {"", RIGHT, USER_REFUSED},
	    {"alice ", RIGHT, USER_REFUSED},
	    {"al/ice", RIGHT, USER_REFUSED},
	    /* an administrator, who is no user */
	    {"root", RIGHT, USER_REFUSED},
	    {"long", of_256, USER_OK},
	    {"long", of_257, USER_REFUSED},
	};
	static char nothing[] = "";
	struct admin admin = {.name = "root",
	    .full_name = nothing,
	    .description = nothing,
	    .high = true};
	const char *why;
	size_t k;

	(void)state;
	memset(of_256, 'p', 256);
	memset(of_257, 'p', 257);
	create("long", of_256);
	admin.password = hash_of(RIGHT);
	assert_ok(admin_write(STORE, &admin, &why));
	for (k = 0; k < LENGTH(cases); k++) {
		enum user_verdict got =
		    log_in(cases[k].name, cases[k].password);

		if (got != cases[k].want)
			fail_msg("%s: expected %d, got %d", cases[k].name,
			    cases[k].want, got);
	}
}

static void
test_a_login_makes_the_principal(void **state)
{
	char why[USER_WHY_OCTETS];
	struct try try;

	(void)state;
	assert_ok(group_create(APPLIANCE, B("g")));
	assert_ok(group_add(APPLIANCE, B("g"), B("alice"), why));
	try_begin(&try, "alice", RIGHT);
	try_wait(&try);
	assert_string_equal(try.login.user.name, "alice");
	assert_true(key_user_in_group(&try.login.user, B("g")));
	assert_false(try.login.user.administers);
	assert_ok(key_user_refresh(APPLIANCE, &try.login.user));
	key_user_clear(&try.login.user);
}

static void
test_a_right_password_is_remembered(void **state)
{
	(void)state;
	create("bob", OTHER);
	assert_false(is_quick("alice", RIGHT));
	assert_true(is_quick("alice", RIGHT));
	/* a wrong one is not, nor the right one of somebody else */
	assert_false(is_quick("alice", WRONG));
	assert_false(is_quick("alice", WRONG));
	assert_false(is_quick("bob", RIGHT));
	assert_false(is_quick("bob", OTHER));
	assert_true(is_quick("bob", OTHER));
	assert_true(is_quick("alice", RIGHT));
}

/* The record goes behind everybody's back: only who reads it can tell. */
static void
test_who_is_known_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	assert_ok(record_delete(STORE, "user", B("alice")));
	bench_turn(&bench);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	assert_int_equal(log_in("alice", WRONG), USER_REFUSED);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	/* any change to users, and they are read again */
	create("bob", OTHER);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
}

static void
test_one_with_a_failure_is_read(void **state)
{
	(void)state;
	lockout("2", "10");
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	wrong("alice", 1);
	assert_ok(record_delete(STORE, "user", B("alice")));
	bench_turn(&bench);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
}

/* As a member of the new group he is told of when that is durable. */
static void
test_what_may_be_undone_is_not_known(void **state)
{
	char why[USER_WHY_OCTETS];
	struct try undone, try;
	uint64_t before;
	int k;

	(void)state;
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	for (k = 0; k < 2; k++) {
		before = store_groups(STORE);
		store_request(STORE);
		if (k == 0) {
			assert_ok(group_create(APPLIANCE, B("g")));
			assert_ok(
			    group_add(APPLIANCE, B("g"), B("alice"), why));
			store_request(STORE);
			try_begin(&undone, "alice", RIGHT);
			store_request(STORE);
		}
		try_begin(&try, "alice", RIGHT);
		try_wait(&try);
		assert_int_equal(try.groups, before + (k == 0));
		assert_true(key_user_in_group(&try.login.user, B("g")));
		key_user_clear(&try.login.user);
	}
	try_wait(&undone);
	key_user_clear(&undone.login.user);
}

/* req: ESKM-145 */
static void
test_a_changed_password_is_a_forgotten_one(void **state)
{
	(void)state;
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	assert_true(is_quick("alice", RIGHT));
	change_password("alice", OTHER);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	assert_int_equal(log_in("alice", OTHER), USER_OK);
}

static void
test_a_deleted_user_is_refused_at_once(void **state)
{
	char why[USER_WHY_OCTETS];

	(void)state;
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	assert_ok(user_delete(APPLIANCE, B("alice"), why));
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	/* made anew with the same password, which has another hash */
	create("alice", RIGHT);
	assert_false(is_quick("alice", RIGHT));
	assert_true(is_quick("alice", RIGHT));
}

/* What has changed while a worker was busy counts. */
static void
test_what_changes_meanwhile_counts(void **state)
{
	char why[USER_WHY_OCTETS];
	struct try old, new, gone;

	(void)state;
	create("bob", RIGHT);
	try_begin(&old, "alice", RIGHT);
	try_begin(&new, "alice", OTHER);
	try_begin(&gone, "bob", RIGHT);
	assert_ok(user_delete(APPLIANCE, B("bob"), why));
	change_password("alice", OTHER);
	try_wait(&old);
	try_wait(&new);
	try_wait(&gone);
	assert_int_equal(old.verdict, USER_REFUSED);
	assert_int_equal(new.verdict, USER_OK);
	assert_int_equal(gone.verdict, USER_REFUSED);
	key_user_clear(&new.login.user);
}

/* ---- lockout ---- */

/* req: KS-03-076 */
static void
test_without_lockout_attempts_are_unlimited(void **state)
{
	(void)state;
	assert_int_equal(
	    setting_number(APPLIANCE->settings, SETTING_USER_LOCKOUT), 0);
	wrong("alice", 100);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
}

/* req: KS-03-075 KS-03-078 KS-03-082 */
static void
test_so_many_failures_lock_for_so_long(void **state)
{
	(void)state;
	lockout("3", "10");
	wrong("alice", 2);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	wrong("alice", 3);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	advance(10 * MINUTE - 1);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	advance(1);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
}

/* req: KS-03-079 */
static void
test_attempts_while_locked_are_ignored(void **state)
{
	int minute;

	(void)state;
	lockout("3", "10");
	wrong("alice", 3);
	for (minute = 0; minute < 9; minute++) {
		advance(MINUTE);
		wrong("alice", 3);
		assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	}
	advance(MINUTE);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
}

/* req: KS-03-080 */
static void
test_the_count_begins_anew_after_a_lockout(void **state)
{
	(void)state;
	lockout("3", "10");
	wrong("alice", 3);
	advance(10 * MINUTE);
	wrong("alice", 2);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	wrong("alice", 3);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
}

static void
test_a_remembered_password_does_not_pass_a_lockout(void **state)
{
	(void)state;
	lockout("3", "10");
	create("bob", OTHER);
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	assert_true(is_quick("alice", RIGHT));
	wrong("alice", 3);
	/* and who is locked waits as long as who does not exist */
	assert_false(is_quick("alice", RIGHT));
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	/* others are not locked */
	assert_int_equal(log_in("bob", OTHER), USER_OK);
}

/* All of them begin before the first is judged: no more than 3 count. */
static void
test_attempts_at_once_are_counted(void **state)
{
	struct try tries[8];
	size_t k;

	(void)state;
	lockout("3", "10");
	for (k = 0; k < LENGTH(tries); k++)
		try_begin(&tries[k], "alice", k < 7 ? WRONG : RIGHT);
	for (k = 0; k < LENGTH(tries); k++) {
		try_wait(&tries[k]);
		assert_int_equal(tries[k].verdict, USER_REFUSED);
	}
}

static void
test_turned_off_a_lockout_ends(void **state)
{
	(void)state;
	lockout("1", "10");
	wrong("alice", 1);
	assert_int_equal(log_in("alice", RIGHT), USER_REFUSED);
	set(SETTING_USER_LOCKOUT, "no");
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
}

static void
test_a_failure_is_durable_before_it_is_told(void **state)
{
	struct user user;
	struct try try;
	uint64_t before;

	(void)state;
	lockout("3", "10");
	before = store_groups(STORE);
	try_begin(&try, "alice", WRONG);
	try_wait(&try);
	assert_int_equal(try.groups, before + 1);
	assert_ok(user_read(STORE, B("alice"), &user));
	assert_int_equal(user.lockout.failures, 1);
	/* without a lockout nothing is written */
	set(SETTING_USER_LOCKOUT, "no");
	before = store_groups(STORE);
	wrong("alice", 1);
	assert_int_equal(store_groups(STORE), before);
}

static void
test_what_cannot_be_written_is_no_verdict(void **state)
{
	struct try try;

	(void)state;
	lockout("3", "10");
	vfs_disk_full(0);
	try_begin(&try, "alice", WRONG);
	try_wait(&try);
	assert_int_equal(try.verdict, USER_FAILED);
	assert_int_equal(try.login.rc, ERR_DISK_FULL);
	/* a success writes nothing, and is one */
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	vfs_disk_full(UINT64_MAX);
	/* and where it would have to, it is none */
	wrong("alice", 1);
	vfs_disk_full(0);
	try_begin(&try, "alice", RIGHT);
	try_wait(&try);
	assert_int_equal(try.verdict, USER_FAILED);
	assert_true(key_user_is_global(&try.login.user));
}

/* ---- the end ---- */

static void
test_all_of_it_can_end_at_any_time(void **state)
{
	struct try tries[3];

	(void)state;
	assert_int_equal(log_in("alice", RIGHT), USER_OK);
	try_begin(&tries[0], "alice", RIGHT);
	try_begin(&tries[1], "alice", WRONG);
	try_begin(&tries[2], "nobody", WRONG);
	/* tear_down does, with all three under way */
}

/* ---- new passwords ---- */

struct ask {
	struct new_password request;
	bool told;
	enum err rc;
};

static void
asked(struct new_password *request, enum err rc)
{
	struct ask *ask = request->ctx;

	ask->told = true;
	ask->rc = rc;
	loop_stop(bench.rig.loop);
}

static enum err
judge(struct ask *ask, const char *user, const char *password)
{
	*ask = (struct ask){.request = {
				.user = user,
				.of_user = true,
				.password = B(password),
				.done = asked,
				.ctx = ask,
			    }};
	assert_ok(new_password_begin(APPLIANCE, &ask->request));
	while (!ask->told)
		assert_ok(loop_run(bench.rig.loop));
	return ask->rc;
}

static const struct {
	const char *name;
	const char *user;
	const char *password;
	const char *why; /* NULL: it is good */
} passwords[] = {
    {"a good one", "alice", RIGHT, NULL},
    /* req: KS-31-022 */
    {"a less than", "alice", "xk9<qzm7",
	"Passwords must not contain the less than character (<)"},
    {"a greater than", "alice", "xk9>qzm7", NULL},
    /* req: KS-17-002 */
    {"four different characters", "alice", "aabbccddaa",
	"Passwords must contain at least five different characters"},
    {"only whitespace", "alice", " \t \xc2\xa0 \xe2\x80\x89 \xe2\x80\x8a ",
	"Passwords must not contain only whitespace"},
    {"a phone number", "alice", "555-123-4967",
	"Passwords must not resemble a phone number"},
    {"a word", "alice", "elephants", "Passwords must not "},
    {"a word, reversed", "alice", "stnahpele", "Passwords must not "},
    {"the user's name", "quaxzolb.9", "quaxzolb.9", "Passwords must not "},
    /* req: KS-31-024 */
    {"asterisks and more", "alice", "********abcdq7Z", NULL},
};

static void
test_a_password_is_judged_as_an_administrators(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(passwords); k++) {
		const char *want = passwords[k].why;
		struct ask ask;
		enum err got =
		    judge(&ask, passwords[k].user, passwords[k].password);

		if (got != (want == NULL ? OK : ERR_FIELD) ||
		    (want != NULL &&
			strncmp(ask.request.why, want, strlen(want)) != 0))
			fail_msg("%s: expected %s, got %s: %s",
			    passwords[k].name, want != NULL ? want : "OK",
			    err_name(got), ask.request.why);
	}
}

/* req: KS-31-020 KS-31-021 */
static void
test_the_settings_for_passwords_hold(void **state)
{
	char text[300];
	struct ask ask;
	size_t k;

	(void)state;
	for (k = 0; k < 257; k++)
		text[k] = (char)('a' + k * 7 % 26);
	text[257] = '\0';
	assert_err(judge(&ask, "alice", text), ERR_FIELD);
	text[256] = '\0';
	assert_err(judge(&ask, "alice", text), OK);
	assert_err(judge(&ask, "alice", RIGHT), OK);
	set(SETTING_PASSWORD_UPPER, "yes");
	assert_err(judge(&ask, "alice", RIGHT), ERR_FIELD);
	assert_err(judge(&ask, "alice", "xk9#Qzm7"), OK);
	set(SETTING_PASSWORD_LENGTH, "9");
	assert_err(judge(&ask, "alice", "xk9#Qzm7"), ERR_FIELD);
	assert_err(judge(&ask, "alice", "xk9#Qzm7v"), OK);
}

/* ---- the directory ---- */

/* req: KS-31-002 */
static void
test_the_directory_is_local(void **state)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	(void)state;
	assert_ok(store_savepoint(STORE));
	assert_ok(setting_set(APPLIANCE->settings, SETTING_USER_DIRECTORY,
	    B("LDAP"), &changed, why));
	assert_err(settings_judge(APPLIANCE->settings, why), ERR_FEATURE);
	assert_string_equal(
	    why, "User Directory: LDAP is not available on this device yet");
	assert_ok(store_rollback_to(STORE));
	settings_settle(APPLIANCE->settings, false);
	assert_ok(setting_set(APPLIANCE->settings, SETTING_USER_DIRECTORY,
	    B("local"), &changed, why));
	assert_ok(settings_judge(APPLIANCE->settings, why));
	assert_err(setting_set(APPLIANCE->settings, SETTING_USER_DIRECTORY,
		       B("NIS"), &changed, why),
	    ERR_FIELD);
}

int
main(void)
{
#define USER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    USER_TEST(test_who_is_let_in),
	    USER_TEST(test_a_login_makes_the_principal),
	    USER_TEST(test_a_right_password_is_remembered),
	    USER_TEST(test_who_is_known_is_not_read),
	    USER_TEST(test_one_with_a_failure_is_read),
	    USER_TEST(test_what_may_be_undone_is_not_known),
	    USER_TEST(test_a_changed_password_is_a_forgotten_one),
	    USER_TEST(test_a_deleted_user_is_refused_at_once),
	    USER_TEST(test_what_changes_meanwhile_counts),
	    USER_TEST(test_without_lockout_attempts_are_unlimited),
	    USER_TEST(test_so_many_failures_lock_for_so_long),
	    USER_TEST(test_attempts_while_locked_are_ignored),
	    USER_TEST(test_the_count_begins_anew_after_a_lockout),
	    USER_TEST(test_a_remembered_password_does_not_pass_a_lockout),
	    USER_TEST(test_attempts_at_once_are_counted),
	    USER_TEST(test_turned_off_a_lockout_ends),
	    USER_TEST(test_a_failure_is_durable_before_it_is_told),
	    USER_TEST(test_what_cannot_be_written_is_no_verdict),
	    USER_TEST(test_all_of_it_can_end_at_any_time),
	    USER_TEST(test_a_password_is_judged_as_an_administrators),
	    USER_TEST(test_the_settings_for_passwords_hold),
	    USER_TEST(test_the_directory_is_local),
	};
#undef USER_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

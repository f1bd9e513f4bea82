/*
 * The power fails at every step of everything that is written.
 *
 * Each change is done by a child process that dies at its 1st, 2nd, 3rd ...
 * step, on a copy of the same card; then the card is powered on again, and must
 * be as it was before the change or as it is after it, and nothing in between:
 * once after, then after for every later step.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "card/k6_rig_test.h"

#define SO_PASSWORD "so-password"
#define FIRST       "first-password"
#define CO_PASSWORD "co-password"
#define WRONG       "wrong-password"

enum { STEPS_MOST = 400, DONE = 7 };

enum side { BEFORE, AFTER };

static struct k6 k6;
static char origin[256]; /* the card before the change */

/* ---- looking ---- */

static bool
is_counted(unsigned before, unsigned left, enum side *side)
{
	*side = left == before ? BEFORE : AFTER;
	return left == before || left + 1 == before;
}

static unsigned
tokens_count(void)
{
	char path[300];
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/tokens", k6.rig.dir);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static struct card_status
status_now(void)
{
	struct card_status status;

	card_status(k6.rig.card, &status);
	return status;
}

static enum card_rv
luna_login(enum card_role role, const char *password)
{
	struct card_login login;
	enum card_rv rv =
	    card_login(k6.rig.card, 1, role, TEXT(password), &login);

	if (rv == CARD_OK)
		card_logout(k6.rig.card, &login);
	return rv;
}

static struct card_login
luna_in(enum card_role role, const char *password)
{
	struct card_login login;

	assert_int_equal(
	    card_login(k6.rig.card, 1, role, TEXT(password), &login), CARD_OK);
	return login;
}

/* ---- the changes ---- */

/* No login without the PED, no partition, no token, no iKey's secret. */
static void
check_zeroized(void)
{
	struct card_status status = status_now();

	assert_true(status.zeroized);
	assert_false(status.initialized || status.has_partition ||
		     status.activated || status.auto_activation ||
		     status.has_rpv);
	assert_int_equal(tokens_count(), 0);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_NOT_INITIALIZED);
}

/* The activated partition as it was. */
static void
check_intact(void)
{
	struct card_status status = status_now();

	assert_true(status.initialized && status.has_partition);
	assert_false(status.zeroized);
	assert_true(status.activated);
	assert_int_equal(tokens_count(), 1);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_OK);
}

static enum card_rv
do_zeroize(void)
{
	return card_zeroize(k6.rig.card);
}

static enum side
look_zeroize(void)
{
	if (status_now().zeroized) {
		check_zeroized();
		return AFTER;
	}
	check_intact();
	return BEFORE;
}

static enum card_rv
do_third_wrong_so(void)
{
	struct card_login so;

	k6_script(&k6, wrong_so_pin);
	return card_so_login(k6.rig.card, &so) == CARD_SO_THRESHOLD
		   ? CARD_OK
		   : CARD_FAULT;
}

static enum side
look_third_wrong_so(void)
{
	if (!status_now().zeroized)
		assert_int_equal(status_now().so_attempts_left, 1);
	return look_zeroize();
}

static enum card_rv
do_wrong_so(void)
{
	struct card_login so;

	k6_script(&k6, wrong_so_pin);
	return card_so_login(k6.rig.card, &so) == CARD_PIN_INCORRECT
		   ? CARD_OK
		   : CARD_FAULT;
}

static enum side
look_wrong_so(void)
{
	enum side side;

	assert_true(is_counted(3, status_now().so_attempts_left, &side));
	check_intact();
	return side;
}

static enum card_rv
do_wrong_challenge(void)
{
	return k6_login(&k6, WRONG) == CARD_CHALLENGE_INCORRECT ? CARD_OK
								: CARD_FAULT;
}

static enum side
look_wrong_challenge(void)
{
	enum side side;

	assert_true(is_counted(10, status_now().user_attempts_left, &side));
	check_intact();
	return side;
}

/* Attempts are given back by a right one only: here one was counted. */
static enum card_rv
do_right_challenge(void)
{
	return k6_login(&k6, k6.challenge);
}

static enum side
look_right_challenge(void)
{
	unsigned left = status_now().user_attempts_left;

	assert_true(left == 9 || left == 10);
	return left == 9 ? BEFORE : AFTER;
}

static enum card_rv
do_deactivate(void)
{
	return card_deactivate(k6.rig.card);
}

static enum side
look_deactivate(void)
{
	bool activated = status_now().activated;

	/* Either way the battery has it. */
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_OK);
	return activated ? BEFORE : AFTER;
}

static enum card_rv
do_activate(void)
{
	k6_script(&k6, to_login_user);
	return card_activate(k6.rig.card);
}

static enum side
look_activate(void)
{
	enum side side = status_now().activated ? AFTER : BEFORE;

	assert_int_equal(k6_login(&k6, k6.challenge),
	    side == AFTER ? CARD_OK : CARD_PED_UNPLUGGED);
	return side;
}

static enum card_rv
do_activate_wrongly(void)
{
	k6_script(&k6, wrong_user_pin);
	return card_activate(k6.rig.card) == CARD_PIN_INCORRECT ? CARD_OK
								: CARD_FAULT;
}

static enum side
look_activate_wrongly(void)
{
	enum side side;

	assert_true(is_counted(10, status_now().user_attempts_left, &side));
	assert_false(status_now().activated);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_PED_UNPLUGGED);
	return side;
}

static enum card_rv
do_tamper(void)
{
	return card_rig_lab(&k6.rig, "tamper")[0] == 'o' ? CARD_OK : CARD_FAULT;
}

static enum side
look_tamper(void)
{
	struct card_status status = status_now();

	if (!status.tampered) {
		check_intact();
		return BEFORE;
	}
	assert_false(status.activated || status.auto_activation);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_TAMPERED);
	return AFTER;
}

static enum card_rv
do_initialize(void)
{
	k6_script(&k6, to_initialize);
	return card_initialize(k6.rig.card, "hsm");
}

static enum side
look_initialize(void)
{
	struct card_status status = status_now();

	assert_false(status.has_partition || status.zeroized);
	assert_string_equal(status.label, status.initialized ? "hsm" : "");
	return status.initialized ? AFTER : BEFORE;
}

static enum card_rv
do_create(void)
{
	struct card_login so = k6_so_login(&k6);

	k6_script(&k6, to_create);
	return card_create_partition(k6.rig.card, &so, "keys");
}

static enum side
look_create(void)
{
	struct card_status status = status_now();

	assert_true(status.initialized);
	assert_false(status.activated || status.auto_activation);
	assert_int_equal(tokens_count(), status.has_partition ? 1 : 0);
	return status.has_partition ? AFTER : BEFORE;
}

/* LUNA7: a Crypto Officer with a password of his own, and an object. */
static enum card_rv
do_partition_init(void)
{
	return card_partition_init(
	    k6.rig.card, 1, "again", TEXT("other-so"), TEXT("domain"));
}

static enum side
look_partition_init(void)
{
	struct card_slot slot;

	assert_int_equal(card_slot(k6.rig.card, 1, &slot), CARD_OK);
	assert_int_equal(tokens_count(), 1);
	if (strcmp(slot.label, "again") == 0) {
		assert_int_equal(luna_login(CARD_SO, "other-so"), CARD_OK);
		assert_int_equal(luna_login(CARD_USER, CO_PASSWORD),
		    CARD_ROLE_NOT_INITIALIZED);
		return AFTER;
	}
	assert_int_equal(luna_login(CARD_SO, SO_PASSWORD), CARD_OK);
	assert_int_equal(luna_login(CARD_USER, CO_PASSWORD), CARD_OK);
	return BEFORE;
}

static enum card_rv
do_role_init(void)
{
	struct card_login so = luna_in(CARD_SO, SO_PASSWORD);

	return card_role_init(k6.rig.card, &so, CARD_USER, TEXT(FIRST));
}

static enum side
look_role_init(void)
{
	struct card_login login;
	enum card_rv first =
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(FIRST), &login);

	if (first == CARD_OK) {
		assert_true(login.expired);
		assert_int_equal(
		    luna_login(CARD_USER, CO_PASSWORD), CARD_PIN_INCORRECT);
		return AFTER;
	}
	assert_int_equal(first, CARD_PIN_INCORRECT);
	assert_int_equal(luna_login(CARD_USER, CO_PASSWORD), CARD_OK);
	return BEFORE;
}

static enum card_rv
do_password(void)
{
	struct card_login login = luna_in(CARD_USER, CO_PASSWORD);

	return card_password(
	    k6.rig.card, &login, TEXT(CO_PASSWORD), TEXT("next-password"));
}

static enum side
look_password(void)
{
	if (luna_login(CARD_USER, "next-password") == CARD_OK) {
		assert_int_equal(
		    luna_login(CARD_USER, CO_PASSWORD), CARD_PIN_INCORRECT);
		return AFTER;
	}
	assert_int_equal(luna_login(CARD_USER, CO_PASSWORD), CARD_OK);
	return BEFORE;
}

static enum card_rv
do_tenth_wrong_so(void)
{
	return luna_login(CARD_SO, WRONG) == CARD_SO_THRESHOLD ? CARD_OK
							       : CARD_FAULT;
}

static enum side
look_tenth_wrong_so(void)
{
	struct card_slot slot;

	assert_int_equal(card_slot(k6.rig.card, 1, &slot), CARD_OK);
	assert_int_equal(tokens_count(), slot.initialized ? 1 : 0);
	if (!slot.initialized) {
		assert_int_equal(
		    luna_login(CARD_USER, CO_PASSWORD), CARD_NO_PARTITION);
		return AFTER;
	}
	assert_true(slot.so_final);
	assert_int_equal(luna_login(CARD_USER, CO_PASSWORD), CARD_OK);
	return BEFORE;
}

/* ---- the cards to begin with ---- */

static void
from_factory(void)
{
}

static void
from_initialized(void)
{
	assert_int_equal(do_initialize(), CARD_OK);
}

static void
from_deactivated(void)
{
	k6_make(&k6);
}

static void
from_active(void)
{
	k6_make(&k6);
	k6_activate(&k6);
}

static void
from_two_wrong_so(void)
{
	from_active();
	assert_int_equal(do_wrong_so(), CARD_OK);
	assert_int_equal(do_wrong_so(), CARD_OK);
}

static void
from_one_wrong_challenge(void)
{
	from_active();
	assert_int_equal(do_wrong_challenge(), CARD_OK);
}

static void
from_luna(void)
{
	struct card_login login;

	assert_int_equal(card_partition_init(k6.rig.card, 1, "foundry",
			     TEXT(SO_PASSWORD), TEXT("domain")),
	    CARD_OK);
	login = luna_in(CARD_SO, SO_PASSWORD);
	assert_int_equal(
	    card_role_init(k6.rig.card, &login, CARD_USER, TEXT(FIRST)),
	    CARD_OK);
	card_logout(k6.rig.card, &login);
	login = luna_in(CARD_USER, FIRST);
	assert_int_equal(
	    card_password(k6.rig.card, &login, TEXT(FIRST), TEXT(CO_PASSWORD)),
	    CARD_OK);
	card_logout(k6.rig.card, &login);
}

static void
from_nine_wrong_so(void)
{
	unsigned k;

	from_luna();
	for (k = 0; k < 9; k++)
		assert_int_equal(
		    luna_login(CARD_SO, WRONG), CARD_PIN_INCORRECT);
}

static const struct change {
	const char *name;
	enum card_model model;
	void (*from)(void);
	enum card_rv (*act)(void);
	enum side (*look)(void);
} changes[] = {
    {"initialize", CARD_K6, from_factory, do_initialize, look_initialize},
    {"create partition", CARD_K6, from_initialized, do_create, look_create},
    {"activate", CARD_K6, from_deactivated, do_activate, look_activate},
    {"activate wrongly", CARD_K6, from_deactivated, do_activate_wrongly,
	look_activate_wrongly},
    {"deactivate", CARD_K6, from_active, do_deactivate, look_deactivate},
    {"wrong challenge", CARD_K6, from_active, do_wrong_challenge,
	look_wrong_challenge},
    {"right challenge", CARD_K6, from_one_wrong_challenge, do_right_challenge,
	look_right_challenge},
    {"wrong blue iKey", CARD_K6, from_active, do_wrong_so, look_wrong_so},
    {"third wrong blue iKey", CARD_K6, from_two_wrong_so, do_third_wrong_so,
	look_third_wrong_so},
    {"zeroize", CARD_K6, from_active, do_zeroize, look_zeroize},
    {"tamper", CARD_K6, from_active, do_tamper, look_tamper},
    {"partition init", CARD_LUNA7, from_luna, do_partition_init,
	look_partition_init},
    {"role init", CARD_LUNA7, from_luna, do_role_init, look_role_init},
    {"password", CARD_LUNA7, from_luna, do_password, look_password},
    {"tenth wrong SO password", CARD_LUNA7, from_nine_wrong_so,
	do_tenth_wrong_so, look_tenth_wrong_so},
};

/*
 * All of them, where nothing slows it down. What the sanitizers look at is the
 * same in each, and the allocations are those of the other tests.
 */
#if defined(TORTURE)
enum { STRIDE = LENGTH(changes) };
#elif defined(__SANITIZE_ADDRESS__)
enum { STRIDE = 4 };
#else
enum { STRIDE = 1 };
#endif

/* ---- the matrix ---- */

static void
run(const char *format, const char *from, const char *to)
{
	char command[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(command, sizeof(command), format, from, to);
#pragma GCC diagnostic pop
	assert_int_equal(system(command), 0);
}

/* In a child, which dies at that step, or comes to the end of `what`. */
static bool
comes_to_the_end(enum card_rv (*what)(void), unsigned step, bool at_power_on)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		enum card_rv rv;
		char line[64];

#ifdef TORTURE
		mem_torture(0); /* the parent's allocations are refused */
#endif
		k6.rig.config.cut = at_power_on ? step : 0;
		rv = card_new(&k6.rig.config, &k6.rig.card);
		(void)snprintf(line, sizeof(line), "fault cut nth=%u", step);
		if (rv == CARD_OK && !at_power_on) {
			(void)card_rig_lab(&k6.rig, line);
			rv = what();
		}
		_exit(rv == CARD_OK ? DONE : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), DONE);
	else
		assert_int_equal(WTERMSIG(status), SIGKILL);
	return WIFEXITED(status);
}

/* Power on, cut at each step in turn, until it is not. */
static unsigned
power_on_with_cuts(void)
{
	unsigned step = 1;

	while (!comes_to_the_end(NULL, step, true)) {
		step++;
		assert_true(step < STEPS_MOST);
	}
	return step;
}

static void
copy_of_origin(void)
{
	run("rm -rf '%s' '%s/none'", k6.rig.dir, origin);
	run("cp -a '%s' '%s'", origin, k6.rig.dir);
}

static void
matrix_of(const struct change *change)
{
	enum side side = BEFORE;
	unsigned step;
	bool ended = false;

	for (step = 1; !ended; step++) {
		enum side now;

		assert_true(step < STEPS_MOST);
		copy_of_origin();
		ended = comes_to_the_end(change->act, step, false);
		card_rig_on(&k6.rig);
		now = change->look();
		card_rig_off(&k6.rig);
		if (now < side || (ended && now != AFTER))
			fail_msg("%s, step %u: %s", change->name, step,
			    now == BEFORE ? "as before" : "as after");
		side = now;
	}
	print_message("%s: %u steps\n", change->name, step - 1);
}

static void
origin_make(const struct change *change)
{
	memset(&k6, 0, sizeof(k6));
	card_rig_init(&k6.rig, change->model);
	k6.rig.config.slots = 1;
	card_rig_on(&k6.rig);
	person_init(&k6.person, &k6.rig);
	change->from();
	person_end(&k6.person);
	card_rig_off(&k6.rig);
	(void)snprintf(origin, sizeof(origin), "%.240s.origin", k6.rig.dir);
	run("cp -a '%s' '%s'", k6.rig.dir, origin);
}

static void
origin_clear(void)
{
	run("rm -rf '%s' '%s'", origin, origin);
	k6_clear(&k6);
}

static void
a_change_is_done_or_not_done(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(changes); k += STRIDE) {
		origin_make(&changes[k]);
		matrix_of(&changes[k]);
		origin_clear();
	}
}

/*
 * Where the power fails just after a change counts, the rest of it is left to
 * the next power-on; which is cut at each of its own steps here.
 */
static void
power_on_comes_to_its_end_after_any_crash(void **state)
{
	static const struct {
		const char *name;
		unsigned at, steps; /* of powering on, at least */
	} cases[] = {
	    {"zeroize", 7, 10},
	    {"partition init", 18, 10},
	    {"deactivate", 6, 7},
	};
	size_t k, n;

	(void)state;
	for (k = 0; k < LENGTH(changes); k += STRIDE) {
		for (n = 0; n < LENGTH(cases); n++) {
			if (strcmp(changes[k].name, cases[n].name) != 0)
				continue;
			origin_make(&changes[k]);
			assert_false(comes_to_the_end(
			    changes[k].act, cases[n].at, false));
			assert_true(power_on_with_cuts() >= cases[n].steps);
			card_rig_on(&k6.rig);
			assert_int_equal(changes[k].look(), AFTER);
			card_rig_off(&k6.rig);
			origin_clear();
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_change_is_done_or_not_done),
	    cmocka_unit_test(power_on_comes_to_its_end_after_any_crash),
	};

	return cmocka_run_group_tests_name("card/crash", tests, NULL, NULL);
}

#include <ctype.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "card/engine.h"
#include "card/k6_rig_test.h"

#define HOUR_MS ((int64_t)3600 * 1000)

static struct k6 k6;

/* What find_in_file looks for. */
static struct bytes wanted[8];
static size_t wanted_count;
static unsigned seen_files;

static int
set_up(void **state)
{
	(void)state;
	k6_init(&k6);
	return 0;
}

static int
set_up_made(void **state)
{
	set_up(state);
	k6_make(&k6);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	k6_clear(&k6);
	return 0;
}

static unsigned
user_attempts_left(void)
{
	struct card_status status;

	card_status(k6.rig.card, &status);
	return status.user_attempts_left;
}

static unsigned
so_attempts_left(void)
{
	struct card_status status;

	card_status(k6.rig.card, &status);
	return status.so_attempts_left;
}

/* ---- from the factory to a partition in use ---- */

/* req: KS-01-013 */
static void
a_card_from_the_factory_has_nothing(void **state)
{
	struct card_login login;
	struct card_status status;
	struct card_slot slot;

	(void)state;
	card_status(k6.rig.card, &status);
	assert_false(status.initialized || status.has_partition ||
		     status.activated || status.zeroized || status.tampered);
	assert_int_equal(status.ped, CARD_PED_NONE);
	assert_int_equal(card_slots(k6.rig.card), 1);
	assert_int_equal(card_slot(k6.rig.card, 1, &slot), CARD_OK);
	assert_false(slot.present);
	assert_true(slot.ped);
	assert_string_equal(slot.model, "K6 Base");
	assert_int_equal(
	    card_so_login(k6.rig.card, &login), CARD_NOT_INITIALIZED);
	assert_int_equal(card_activate(k6.rig.card), CARD_NOT_INITIALIZED);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_NOT_INITIALIZED);
	assert_int_equal(
	    card_remote_connect(k6.rig.card), CARD_NOT_INITIALIZED);
	assert_int_equal(k6_login(&k6, "x"), CARD_NOT_INITIALIZED);
	memset(&login, 0, sizeof(login)); /* req: KS-01-080 */
	assert_int_equal(
	    card_remote_init(k6.rig.card, &login), CARD_NOT_INITIALIZED);
	assert_int_equal(
	    card_initialize(k6.rig.card, "hsm"), CARD_PED_UNPLUGGED);
	assert_int_equal(card_initialize(k6.rig.card, ""), CARD_ARGUMENT);
}

/*
 * req: KS-01-015, KS-01-016, KS-01-048, KS-01-055, KS-01-072, KS-01-076,
 * KS-01-083
 */
static void
three_blank_ikeys_make_an_hsm(void **state)
{
	static const enum ikey_colour colours[] = {
	    IKEY_BLUE, IKEY_RED, IKEY_BLACK, IKEY_BLANK};
	struct card_login so;
	struct card_status status;
	struct card_slot slot;
	size_t k;

	(void)state;
	k6_make(&k6);
	for (k = 0; k < LENGTH(colours); k++)
		assert_int_equal(
		    person_key(&k6.person, (unsigned)k).colour, colours[k]);
	assert_int_equal(strlen(k6.challenge), CARD_CHALLENGE_OCTETS);
	for (k = 0; k < CARD_CHALLENGE_OCTETS; k++)
		assert_true(k % 5 == 4
				? k6.challenge[k] == '-'
				: isalnum((unsigned char)k6.challenge[k]));
	card_status(k6.rig.card, &status);
	assert_true(status.initialized && status.has_partition);
	assert_string_equal(status.label, "hsm");
	assert_int_equal(status.policies[22], 1);
	assert_int_equal(status.policies[23], 1);
	assert_int_equal(card_slot(k6.rig.card, 1, &slot), CARD_OK);
	assert_true(slot.present && slot.initialized && slot.has_user);
	assert_string_equal(slot.label, "keys");

	/* req: KS-01-053, KS-05-135  and there is no second time */
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_INITIALIZED);
	so = k6_so_login(&k6);
	assert_int_equal(card_create_partition(k6.rig.card, &so, "again"),
	    CARD_PARTITION_EXISTS);
	/* Roles with passwords are another model's. */
	assert_int_equal(
	    card_partition_init(k6.rig.card, 1, "x", TEXT("1234"), TEXT("d")),
	    CARD_POLICY);
	assert_int_equal(
	    card_role_init(k6.rig.card, &so, CARD_USER, TEXT("1234")),
	    CARD_ROLE_INVALID);
	card_logout(k6.rig.card, &so);
}

/* req: KS-05-007, KS-01-057, KS-01-099  each is needed: nothing without */
static void
initialization_wants_each_ikey(void **state)
{
	static const struct step no_blue[] = {
	    {.words = "reuse", .act = NO},
	    {.words = "M value", .act = TYPE, .digits = ""},
	    {.words = "N value", .act = TYPE, .digits = ""},
	    {.words = "SETTING SO PIN...\n" INSERT_SO, .act = REMOVE},
	    {.words = "No PED Key is inserted.\n" INSERT_SO,
		.act = WAIT,
		.ms = CARD_PED_MS},
	    END,
	};
	static const struct step no_red[] = {
	    IMPRINT(INSERT_SO, BLUE, BLUE_PIN),
	    {.words = "SETTING DOMAIN...\nWould you", .act = CLEAR},
	    END,
	};
	static const struct {
		const struct step *script;
		enum card_rv want;
	} cases[] = {
	    {no_blue, CARD_PED_TIMEOUT}, {no_red, CARD_PED_CLEARED},
	    {to_initialize + 2, CARD_PED_UNPLUGGED}, /* hangs up at once */
	};
	struct card_status status;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		k6_script(&k6, cases[k].script);
		assert_int_equal(
		    card_initialize(k6.rig.card, "hsm"), cases[k].want);
		card_status(k6.rig.card, &status);
		assert_false(status.initialized);
		if (k < 2)
			person_done(&k6.person);
	}
}

/* req: KS-01-049, KS-01-058, KS-01-101 */
static void
a_partition_wants_so_and_red_ikey(void **state)
{
	static const struct step other_domain[] = {
	    PRESENT(INSERT_RED, RED),
	    END,
	};
	static const struct step no_red[] = {
	    {.words = "DOMAIN LOGIN...", .act = CLEAR},
	    END,
	};
	static const struct step no_black[] = {
	    PRESENT(INSERT_RED, RED),
	    {.words = "SETTING USER PIN...", .act = CLEAR},
	    END,
	};
	uint8_t red[IKEY_OCTETS];
	struct card_login so = {.role = CARD_NOBODY};
	struct card_status status;

	(void)state;
	k6_script(&k6, to_initialize);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_OK);
	memcpy(red, k6.person.keys[RED], sizeof(red));
	assert_int_equal(card_create_partition(k6.rig.card, &so, "keys"),
	    CARD_NOT_LOGGED_IN);
	so = k6_so_login(&k6);
	k6_script(&k6, no_red);
	assert_int_equal(
	    card_create_partition(k6.rig.card, &so, "keys"), CARD_PED_CLEARED);
	k6_script(&k6, no_black);
	assert_int_equal(
	    card_create_partition(k6.rig.card, &so, "keys"), CARD_PED_CLEARED);

	/* Of another domain: that of an HSM made anew. */
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	assert_int_equal(
	    card_login_check(k6.rig.card, &so), CARD_NOT_LOGGED_IN);
	k6.person.slot = -1;
	person_blank(&k6.person, BLUE);
	person_blank(&k6.person, RED);
	k6_script(&k6, to_initialize);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_OK);
	memcpy(k6.person.keys[RED], red, sizeof(red));
	so = k6_so_login(&k6);
	k6_script(&k6, other_domain);
	assert_int_equal(card_create_partition(k6.rig.card, &so, "keys"),
	    CARD_PIN_INCORRECT);
	person_done(&k6.person);
	card_status(k6.rig.card, &status);
	assert_false(status.has_partition);
	assert_int_equal(status.so_attempts_left, 3);
	card_logout(k6.rig.card, &so);
}

/* ---- the texts, in their order ---- */

/*
 * req: KS-05-040, KS-05-041, KS-05-042, KS-05-045, KS-05-047, KS-05-048,
 * KS-05-049, KS-05-051  literally, in their order
 */
static void
the_dialogue_of_the_orange_ikey_is_the_guides(void **state)
{
	static const struct step script[] = {
	    {.words = "SETTING RPV...\n"
		      "Would you like to reuse an existing keyset? (Y/N)",
		.act = NO},
	    {.words = "SETTING RPV...\nM value? (1-16)\n>01",
		.act = TYPE,
		.digits = "01"},
	    {.words = "SETTING RPV...\nN value? (M-16)\n>01",
		.act = TYPE,
		.digits = "01"},
	    {.words = "SETTING RPV...\n"
		      "Insert a RPK / Remote PED Key. Press ENTER.",
		.act = INSERT,
		.key = ORANGE},
	    {.words = "SETTING RPV...\nEnter new PED PIN:",
		.act = TYPE,
		.digits = ORANGE_PIN},
	    {.words = "SETTING RPV...\nConfirm new PED PIN:",
		.act = TYPE,
		.digits = ORANGE_PIN},
	    {.words = "SETTING RPV...\n"
		      "Are you duplicating this keyset? (Y/N)",
		.act = NO},
	    END,
	};
	struct card_login so = {.role = CARD_NOBODY};
	struct card_status status;

	(void)state;
	/* req: KS-05-037 */
	assert_int_equal(
	    card_remote_init(k6.rig.card, &so), CARD_NOT_LOGGED_IN);
	so = k6_so_login(&k6);
	k6_script(&k6, script);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	assert_int_equal(k6.person.prompts, 7);
	card_status(k6.rig.card, &status);
	assert_true(status.has_rpv);
	card_logout(k6.rig.card, &so);
}

/* req: KS-05-020, KS-05-021, KS-05-022 */
static void
the_dialogue_of_the_crypto_user_is_the_guides(void **state)
{
	static const struct step script[] = {
	    {.words = "USER LOGIN...\nInsert a USER / Partition Owner "
		      "PED Key. Press ENTER.",
		.act = REMOVE},
	    {.words = "No PED Key is inserted.\nInsert a USER", .act = PRESS},
	    {.words = "No PED Key is inserted.\nInsert a USER",
		.act = INSERT,
		.key = BLACK},
	    {.words = "USER LOGIN...\nEnter PED PIN.",
		.act = TYPE,
		.digits = BLACK_PIN},
	    END,
	};

	(void)state;
	assert_int_equal(k6_login_at_ped(&k6, script, k6.challenge), CARD_OK);
}

/* ---- PED PINs ---- */

/* req: KS-01-091, KS-05-050 */
static void
a_new_pin_is_four_to_forty_eight_digits_twice(void **state)
{
#define DIGITS_48 "123456781234567812345678123456781234567812345678"
	static const struct step script[] = {
	    {.words = "reuse", .act = NO},
	    {.words = "M value", .act = TYPE, .digits = "1"},
	    {.words = "N value", .act = TYPE, .digits = "2"},
	    {.words = "PED Key 01 of 02", .act = INSERT, .key = ORANGE},
	    {.words = "Enter new", .act = TYPE, .digits = "123"},
	    {.words = "4 to 48 digits.\nEnter new",
		.act = TYPE,
		.digits = DIGITS_48 "9"},
	    {.words = "4 to 48 digits.\nEnter new",
		.act = TYPE,
		.digits = "1234"},
	    {.words = "Confirm", .act = TYPE, .digits = "1235"},
	    {.words = "differ.\nEnter new", .act = TYPE, .digits = "1234"},
	    {.words = "Confirm", .act = TYPE, .digits = "1234"},
	    {.words = "PED Key 02 of 02", .act = INSERT, .key = SPARE},
	    {.words = "Enter new", .act = TYPE, .digits = DIGITS_48},
	    {.words = "Confirm", .act = TYPE, .digits = DIGITS_48},
	    {.words = "Are you duplicating", .act = NO},
	    END,
	};
	struct card_login so;

	(void)state;
	so = k6_so_login(&k6);
	k6_script(&k6, script);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
}

/* req: KS-01-094, KS-01-095  asked for each time; none is nothing delivered */
static void
a_pin_that_was_imposed_is_wanted(void **state)
{
	static const struct step script[] = {
	    {.words = INSERT_USER, .act = INSERT, .key = BLACK},
	    {.words = "Enter PED PIN.", .act = TYPE, .digits = ""},
	    {.words = "has a PED PIN.\nEnter PED PIN.",
		.act = WAIT,
		.ms = CARD_PED_MS},
	    END,
	};

	(void)state;
	assert_int_equal(
	    k6_login_at_ped(&k6, script, k6.challenge), CARD_PED_TIMEOUT);
	assert_int_equal(user_attempts_left(), 10);
	assert_int_equal(k6_login_at_ped(&k6, to_login_user, ""), CARD_OK);
	assert_int_equal(k6_login_at_ped(&k6, to_login_user, ""), CARD_OK);
}

/* ---- what counts ---- */

/* req: KS-01-060, KS-01-097, KS-01-098, KS-01-009, KS-01-010, KS-01-038 */
static void
what_is_delivered_counts_and_what_is_not_does_not(void **state)
{
	static const struct step other_kind[] = {
	    {.words = INSERT_USER, .act = INSERT, .key = BLUE},
	    {.words = "another kind of PED Key.\nInsert a USER",
		.act = INSERT,
		.key = RED},
	    {.words = "another kind of PED Key.\nInsert a USER",
		.act = INSERT,
		.key = SPARE},
	    {.words = "another kind", .act = WAIT, .ms = CARD_PED_MS},
	    END,
	};
	static const struct step given_up[] = {
	    {.words = INSERT_USER, .act = CLEAR}, END};
	static const struct step late[] = {
	    {.words = INSERT_USER, .act = WAIT, .ms = CARD_PED_MS}, END};
	static const struct step in_time[] = {{.words = INSERT_USER,
						  .act = INSERT,
						  .key = BLACK,
						  .ms = CARD_PED_MS - 1},
	    {.words = "Enter PED PIN.", .act = TYPE, .digits = BLACK_PIN}, END};
	static const struct step unplugged[] = {
	    {.words = INSERT_USER, .act = CUT}, END};
	static const struct step other_user[] = {
	    LOGIN(INSERT_USER, OTHER, BLACK_PIN), END};
	static const struct {
		const char *name;
		const struct step *script;
		enum card_rv want;
		bool counts;
	} cases[] = {
	    {"right", to_login_user, CARD_OK, false},
	    {"wrong PIN", wrong_user_pin, CARD_PIN_INCORRECT, true},
	    {"black iKey of another HSM", other_user, CARD_PIN_INCORRECT, true},
	    {"other kinds, and a blank", other_kind, CARD_PED_TIMEOUT, false},
	    {"Clear", given_up, CARD_PED_CLEARED, false},
	    {"nobody", late, CARD_PED_TIMEOUT, false},
	    {"just in time", in_time, CARD_OK, false},
	    {"unplugged", unplugged, CARD_PED_UNPLUGGED, false},
	};
	struct ikey other;
	const uint8_t keyset[IKEY_KEYSET_OCTETS] = {1};
	const uint8_t share[IKEY_SECRET_OCTETS] = {2};
	const struct ikey_imprint what = {
	    .colour = IKEY_BLACK,
	    .m = 1,
	    .n = 1,
	    .index = 1,
	    .keyset = keyset,
	    .share = {share, sizeof(share)},
	    .pin = TEXT(BLACK_PIN),
	};
	size_t k;

	(void)state;
	assert_int_equal(ikey_blank(k6.person.env, &other), OK);
	assert_int_equal(ikey_imprint(k6.person.env, &what, &other), OK);
	assert_int_equal(ikey_write(&other, k6.person.keys[OTHER]), OK);
	for (k = 0; k < LENGTH(cases); k++) {
		unsigned left = user_attempts_left();
		enum card_rv got;

		got = k6_login_at_ped(&k6, cases[k].script, "");
		if (got != cases[k].want)
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    card_rv_name(cases[k].want), card_rv_name(got));
		if (got == CARD_OK)
			assert_int_equal(user_attempts_left(), 10);
		else
			assert_int_equal(
			    user_attempts_left(), left - cases[k].counts);
		person_end(&k6.person);
	}
	/* req: KS-01-011 */
	assert_int_equal(k6_login(&k6, ""), CARD_PED_UNPLUGGED);
	assert_int_equal(user_attempts_left(), 10);
}

static void
ten_wrong_challenges_lock_the_user(void **state)
{
	struct card_login so;
	char old[32];
	unsigned k;

	(void)state;
	k6_activate(&k6);
	for (k = 0; k < 9; k++)
		assert_int_equal(k6_login(&k6, "xxxx-xxxx-xxxx-xxxx"),
		    CARD_CHALLENGE_INCORRECT);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_OK);
	assert_int_equal(user_attempts_left(), 10);
	for (k = 0; k < 10; k++) {
		assert_int_equal(k6_login(&k6, "xxxx-xxxx-xxxx-xxxx"),
		    CARD_CHALLENGE_INCORRECT);
		if (k == 4)
			k6_outage(&k6, 1000); /* refunds nothing */
	}
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_PIN_LOCKED);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(card_activate(k6.rig.card), CARD_PIN_LOCKED);

	/* The Security Officer and the black iKey: a new challenge. */
	static const struct step reset[] = {
	    LOGIN(INSERT_USER, BLACK, BLACK_PIN),
	    {.words = "Login secret value:", .act = PRESS},
	    END,
	};
	so = k6_so_login(&k6);
	k6_script(&k6, wrong_user_pin);
	assert_int_equal(
	    card_reset_password(k6.rig.card, &so), CARD_PIN_INCORRECT);
	assert_int_equal(user_attempts_left(), 0);
	k6_script(&k6, reset);
	assert_int_equal(card_reset_password(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
	memcpy(old, k6.challenge, sizeof(old));
	assert_string_not_equal(old, k6.person.challenge);
	assert_int_equal(user_attempts_left(), 10);
	k6_activate(&k6);
	assert_int_equal(k6_login(&k6, old), CARD_CHALLENGE_INCORRECT);
	assert_int_equal(k6_login(&k6, k6.person.challenge), CARD_OK);
}

/* req: KS-01-008, KS-01-051, KS-01-103, KS-05-038 */
static void
the_security_officer_is_who_has_the_blue_ikey(void **state)
{
	static const struct step others[] = {
	    {.words = INSERT_SO, .act = INSERT, .key = RED},
	    {.words = "another kind", .act = INSERT, .key = BLACK},
	    {.words = "another kind", .act = INSERT, .key = SPARE},
	    {.words = "another kind", .act = CLEAR},
	    END,
	};
	struct card_login so;

	(void)state;
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_SO, TEXT("a password"), &so),
	    CARD_PED_UNPLUGGED);
	k6_script(&k6, others);
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_SO, TEXT("a password"), &so),
	    CARD_PED_CLEARED);
	person_done(&k6.person);
	assert_int_equal(so_attempts_left(), 3);
	so = k6_so_login(&k6);
	assert_int_equal(card_login_check(k6.rig.card, &so), CARD_OK);
	card_logout(k6.rig.card, &so);
	assert_int_equal(
	    card_login_check(k6.rig.card, &so), CARD_NOT_LOGGED_IN);
}

/* req: KS-01-059  the Security Officer opens it to nobody */
static void
the_partition_is_the_crypto_users(void **state)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
	    {CKA_PRIVATE, &yes, sizeof(yes)}};
	CK_FUNCTION_LIST *p11 = card_backing(k6.rig.card);
	struct card_login so = k6_so_login(&k6), user;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object;
	CK_SLOT_ID slot;

	(void)state;
	assert_true(card_backing_slot(k6.rig.card, 1, &slot));
	assert_int_equal(
	    p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
		NULL, &session),
	    CKR_OK);
	assert_int_equal(p11->C_CreateObject(session, template, 2, &object),
	    CKR_USER_NOT_LOGGED_IN);
	k6_script(&k6, to_login_user);
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_USER, BYTES_NONE, &user), CARD_OK);
	assert_int_equal(
	    p11->C_CreateObject(session, template, 2, &object), CKR_OK);
	(void)p11->C_CloseSession(session);
	card_logout(k6.rig.card, &user);
	card_logout(k6.rig.card, &so);
}

static void
three_wrong_blue_ikeys_zeroize(void **state)
{
	struct card_login so, user;
	struct card_status status;
	uint64_t epoch;

	(void)state;
	k6_activate(&k6);
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(k6.challenge), &user),
	    CARD_OK);
	epoch = card_epoch(k6.rig.card, 1);
	k6_script(&k6, wrong_so_pin);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PIN_INCORRECT);
	k6_script(&k6, wrong_so_pin);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PIN_INCORRECT);
	so = k6_so_login(&k6); /* a right one ends the count */
	card_logout(k6.rig.card, &so);
	assert_int_equal(so_attempts_left(), 3);
	k6_script(&k6, wrong_so_pin);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PIN_INCORRECT);
	k6_outage(&k6, 1000); /* refunds nothing */
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(k6.challenge), &user),
	    CARD_OK);
	epoch = card_epoch(k6.rig.card, 1);
	k6_script(&k6, wrong_so_pin);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PIN_INCORRECT);
	assert_int_equal(so_attempts_left(), 1);
	assert_int_equal(card_login_check(k6.rig.card, &user), CARD_OK);
	k6_script(&k6, wrong_so_pin);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_SO_THRESHOLD);

	card_status(k6.rig.card, &status);
	assert_true(status.zeroized);
	assert_false(status.initialized || status.has_partition ||
		     status.activated || status.auto_activation);
	assert_true(card_epoch(k6.rig.card, 1) > epoch);
	assert_int_equal(
	    card_login_check(k6.rig.card, &user), CARD_NOT_LOGGED_IN);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_NOT_INITIALIZED);
	k6_outage(&k6, 1000);
	card_status(k6.rig.card, &status);
	assert_true(status.zeroized && !status.initialized);
}

/* ---- activation ---- */

/* req: KSC-027 */
static void
activated_it_takes_the_challenge_alone(void **state)
{
	struct card_login login;
	struct card_slot slot;

	(void)state;
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_PED_UNPLUGGED);
	k6_activate(&k6);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_OK);
	assert_int_equal(card_activate(k6.rig.card), CARD_ALREADY_ACTIVATED);
	assert_int_equal(card_slot(k6.rig.card, 1, &slot), CARD_OK);
	assert_true(slot.activated);
	/* req: KS-01-065  a year later still */
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(k6.challenge), &login),
	    CARD_OK);
	card_rig_pass(&k6.rig, 365 * 24 * HOUR_MS);
	assert_int_equal(card_login_check(k6.rig.card, &login), CARD_OK);
	card_logout(k6.rig.card, &login);
	/* A logout is no deactivation. */
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_OK);
	/* Without the challenge it is always the PED. */
	assert_int_equal(k6_login(&k6, ""), CARD_PED_UNPLUGGED);
}

/* A login through the PED activates, where the policy says so. */
static void
a_login_by_black_ikey_activates(void **state)
{
	struct card_login so, login;

	(void)state;
	assert_int_equal(k6_login_at_ped(&k6, to_login_user, "wrong-challenge"),
	    CARD_CHALLENGE_INCORRECT);
	assert_int_equal(user_attempts_left(), 9);
	assert_false(k6_is_active(&k6));
	assert_int_equal(k6_login_at_ped(&k6, wrong_user_pin, k6.challenge),
	    CARD_PIN_INCORRECT);
	assert_int_equal(user_attempts_left(), 8);
	assert_int_equal(
	    k6_login_at_ped(&k6, to_login_user, k6.challenge), CARD_OK);
	assert_int_equal(user_attempts_left(), 10);
	assert_true(k6_is_active(&k6));

	so = k6_so_login(&k6);
	assert_int_equal(card_policy_set(k6.rig.card, &so, 22, 0), CARD_OK);
	assert_false(k6_is_active(&k6));
	assert_int_equal(card_activate(k6.rig.card), CARD_POLICY);
	k6_script(&k6, to_login_user);
	assert_int_equal(
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(k6.challenge), &login),
	    CARD_OK);
	assert_false(k6_is_active(&k6));
	card_logout(k6.rig.card, &login);
	person_end(&k6.person);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_PED_UNPLUGGED);
	card_logout(k6.rig.card, &so);
}

/*
 * req: KS-05-009, KS-05-010, KS-05-011, KS-05-095, KS-05-096, KS-01-018,
 * KS-01-020, KS-05-016
 */
static void
an_outage_of_two_hours_ends_it(void **state)
{
	static const struct {
		int64_t ms;
		bool activated;
	} cases[] = {
	    {0, true},
	    {1, true},
	    {CARD_BATTERY_MS - 1000, true},
	    {CARD_BATTERY_MS - 1, true},
	    {CARD_BATTERY_MS, false},
	    {CARD_BATTERY_MS + 1000, false},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		if (!k6_is_active(&k6))
			k6_activate(&k6);
		card_rig_pass(&k6.rig, 5 * HOUR_MS); /* with power */
		k6_outage(&k6, cases[k].ms);
		if (k6_is_active(&k6) != cases[k].activated)
			fail_msg("after %lld ms", (long long)cases[k].ms);
		assert_int_equal(k6_login(&k6, k6.challenge),
		    cases[k].activated ? CARD_OK : CARD_PED_UNPLUGGED);
	}
	/* Gone for good: going back in time finds nothing. */
	k6_outage(&k6, -HOUR_MS);
	assert_false(k6_is_active(&k6));
}

static void
two_outages_of_ninety_minutes_are_two(void **state)
{
	(void)state;
	k6_activate(&k6);
	k6_outage(&k6, HOUR_MS * 3 / 2);
	assert_true(k6_is_active(&k6));
	card_rig_pass(&k6.rig, 60 * 1000);
	k6_outage(&k6, HOUR_MS * 3 / 2);
	assert_true(k6_is_active(&k6));
}

/* req: KS-05-009  ... from a deactivated state: stays deactivated */
static void
what_was_deactivated_stays_so(void **state)
{
	(void)state;
	k6_outage(&k6, 1000);
	assert_false(k6_is_active(&k6));
	k6_activate(&k6);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	k6_outage(&k6, 1000);
	assert_false(k6_is_active(&k6));
}

/* req: KS-05-097, KS-05-098, KS-05-101 */
static void
a_login_within_two_hours_undoes_a_deactivation(void **state)
{
	static const struct {
		const char *name;
		bool outage;
		int64_t ms;
		enum card_rv want;
	} cases[] = {
	    {"at once", false, 0, CARD_OK},
	    {"with power", false, CARD_BATTERY_MS - 1, CARD_OK},
	    {"two hours with power", false, CARD_BATTERY_MS,
		CARD_PED_UNPLUGGED},
	    {"without power", true, CARD_BATTERY_MS - 1, CARD_OK},
	    {"two hours without power", true, CARD_BATTERY_MS,
		CARD_PED_UNPLUGGED},
	};
	struct card_login login;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		enum card_rv got;

		if (!k6_is_active(&k6))
			k6_activate(&k6);
		assert_int_equal(card_login(k6.rig.card, 1, CARD_USER,
				     TEXT(k6.challenge), &login),
		    CARD_OK);
		assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
		assert_int_equal(
		    card_login_check(k6.rig.card, &login), CARD_NOT_LOGGED_IN);
		assert_false(k6_is_active(&k6));
		/* Twice does not start the time anew. */
		if (cases[k].outage) {
			k6_outage(&k6, cases[k].ms);
		} else {
			card_rig_pass(&k6.rig, cases[k].ms / 2);
			assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
			card_rig_pass(&k6.rig, cases[k].ms - cases[k].ms / 2);
		}
		assert_false(k6_is_active(&k6));
		if (cases[k].want == CARD_OK)
			assert_int_equal(k6_login(&k6, "wrong-challenge"),
			    CARD_CHALLENGE_INCORRECT);
		assert_false(k6_is_active(&k6));
		got = k6_login(&k6, k6.challenge);
		if (got != cases[k].want)
			fail_msg("%s: %s", cases[k].name, card_rv_name(got));
		assert_int_equal(k6_is_active(&k6), got == CARD_OK);
	}
}

/* req: KS-05-152  `hsm activate` wants the iKey however short ago */
static void
activate_always_wants_the_black_ikey(void **state)
{
	(void)state;
	k6_activate(&k6);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(card_activate(k6.rig.card), CARD_PED_UNPLUGGED);
	k6_script(&k6, wrong_user_pin);
	assert_int_equal(card_activate(k6.rig.card), CARD_PIN_INCORRECT);
	assert_false(k6_is_active(&k6));
	k6_script(&k6, to_login_user);
	assert_int_equal(card_activate(k6.rig.card), CARD_OK);
	assert_true(k6_is_active(&k6));
}

static void
a_deactivation_may_end_the_batterys_copy_too(void **state)
{
	(void)state;
	card_rig_off(&k6.rig);
	k6.rig.config.deactivate_ends_auto = true;
	card_rig_on(&k6.rig);
	k6_activate(&k6);
	assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
	assert_int_equal(k6_login(&k6, k6.challenge), CARD_PED_UNPLUGGED);
}

/* Each of these leaves nothing for the power to bring back. */
static void
nothing_is_restored_without_battery_or_policy(void **state)
{
	struct card_login so;
	char path[300];
	FILE *f;

	(void)state;
	k6_activate(&k6);
	assert_string_equal(card_rig_lab(&k6.rig, "battery remove"), "ok");
	assert_true(k6_is_active(&k6));
	k6_outage(&k6, 1000);
	assert_false(k6_is_active(&k6));
	k6_activate(&k6);
	k6_outage(&k6, 1000); /* it is still out */
	assert_false(k6_is_active(&k6));
	assert_string_equal(card_rig_lab(&k6.rig, "battery replace"), "ok");
	k6_activate(&k6);
	k6_outage(&k6, 1000);
	assert_true(k6_is_active(&k6));

	/* A lost file, and a damaged one, are dead batteries. */
	(void)snprintf(path, sizeof(path), "%s/card.batt", k6.rig.dir);
	card_rig_off(&k6.rig);
	assert_int_equal(unlink(path), 0);
	card_rig_on(&k6.rig);
	assert_false(k6_is_active(&k6));
	k6_activate(&k6);
	card_rig_off(&k6.rig);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 60, SEEK_SET), 0);
	assert_int_equal(fputc('?', f), '?');
	assert_int_equal(fclose(f), 0);
	card_rig_on(&k6.rig);
	assert_false(k6_is_active(&k6));

	/* req: KSC-028 */
	k6_activate(&k6);
	so = k6_so_login(&k6);
	assert_int_equal(card_policy_set(k6.rig.card, &so, 23, 0), CARD_OK);
	assert_true(k6_is_active(&k6));
	k6_outage(&k6, 1000);
	assert_false(k6_is_active(&k6));
	k6_activate(&k6);
	so = k6_so_login(&k6);
	assert_int_equal(card_policy_set(k6.rig.card, &so, 23, 1), CARD_OK);
	k6_outage(&k6, 1000);
	assert_true(k6_is_active(&k6));
}

/* The battery's copy is another card's, or an older one's of this. */
static void
a_batterys_copy_is_of_no_use_after_zeroizing(void **state)
{
	char path[300];
	uint8_t image[160];
	FILE *f;

	(void)state;
	k6_activate(&k6);
	(void)snprintf(path, sizeof(path), "%s/card.batt", k6.rig.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(image, 1, sizeof(image), f), sizeof(image));
	fclose(f);
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	person_blank(&k6.person, BLUE);
	person_blank(&k6.person, RED);
	person_blank(&k6.person, BLACK);
	k6_make(&k6);
	card_rig_off(&k6.rig);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(image, 1, sizeof(image), f), sizeof(image));
	assert_int_equal(fclose(f), 0);
	card_rig_on(&k6.rig);
	assert_false(k6_is_active(&k6));
}

/* ---- tamper ---- */

static void
a_tampered_card_stops(void **state)
{
	static const char *const causes[] = {
	    "tamper", "tamper cover", "tamper temp", "tamper volt"};
	struct card_login user, so;
	struct card_status status;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(causes); k++) {
		k6_activate(&k6);
		assert_int_equal(card_login(k6.rig.card, 1, CARD_USER,
				     TEXT(k6.challenge), &user),
		    CARD_OK);
		assert_string_equal(card_rig_lab(&k6.rig, causes[k]), "ok");
		card_status(k6.rig.card, &status);
		assert_true(status.tampered && status.initialized);
		assert_false(status.activated || status.auto_activation);
		assert_int_equal(
		    card_login_check(k6.rig.card, &user), CARD_NOT_LOGGED_IN);
		assert_int_equal(k6_login(&k6, k6.challenge), CARD_TAMPERED);
		assert_int_equal(card_activate(k6.rig.card), CARD_TAMPERED);
		k6_outage(&k6, 1000);
		assert_int_equal(k6_login(&k6, k6.challenge), CARD_TAMPERED);
		so = k6_so_login(&k6); /* may look into it */
		assert_int_equal(
		    card_reset_password(k6.rig.card, &so), CARD_TAMPERED);
		card_logout(k6.rig.card, &so);
		person_end(&k6.person);
		assert_string_equal(
		    card_rig_lab(&k6.rig, "tamper clear"), "ok");
		assert_int_equal(
		    k6_login(&k6, k6.challenge), CARD_PED_UNPLUGGED);
	}
	assert_memory_equal(
	    card_rig_lab(&k6.rig, "tamper lid"), "error CARD_ARGUMENT", 19);
	assert_string_equal(card_rig_lab(&k6.rig, "decommission"), "ok");
	card_status(k6.rig.card, &status);
	assert_true(status.zeroized);
}

static void
policies_stay_within_their_capability(void **state)
{
	static const struct {
		unsigned policy, value;
		enum card_rv want;
	} cases[] = {
	    {20, 0, CARD_POLICY},
	    {20, 1, CARD_OK},
	    {20, 11, CARD_POLICY},
	    {20, 10, CARD_OK},
	    {22, 2, CARD_POLICY},
	    {22, 1, CARD_OK},
	    {23, 1, CARD_OK},
	    {21, 1, CARD_POLICY},
	    {64, 1, CARD_POLICY},
	};
	struct card_login so, none = {.role = CARD_NOBODY};
	size_t k;

	(void)state;
	assert_int_equal(
	    card_policy_set(k6.rig.card, &none, 20, 3), CARD_NOT_LOGGED_IN);
	so = k6_so_login(&k6);
	for (k = 0; k < LENGTH(cases); k++)
		assert_int_equal(card_policy_set(k6.rig.card, &so,
				     cases[k].policy, cases[k].value),
		    cases[k].want);
	/* A lower limit counts. */
	assert_int_equal(card_policy_set(k6.rig.card, &so, 20, 2), CARD_OK);
	assert_int_equal(
	    k6_login_at_ped(&k6, wrong_user_pin, ""), CARD_PIN_INCORRECT);
	assert_int_equal(
	    k6_login_at_ped(&k6, wrong_user_pin, ""), CARD_PIN_INCORRECT);
	assert_int_equal(k6_login(&k6, ""), CARD_PIN_LOCKED);
	card_logout(k6.rig.card, &so);
}

/* Whoever may log in, does; and makes an object while it lasts. */
struct client {
	pthread_t thread;
	_Atomic bool *stop;
	sem_t *made; /* an object, by whichever of them */
};

static void
client_turn(struct client *c)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
	CK_FUNCTION_LIST *p11 = card_backing(k6.rig.card);
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object;
	struct card_login login;
	CK_SLOT_ID slot;
	enum card_rv rv =
	    card_login(k6.rig.card, 1, CARD_USER, TEXT(k6.challenge), &login);

	if (rv != CARD_OK)
		return;
	card_backing_begin(k6.rig.card, 1);
	if (card_login_check(k6.rig.card, &login) == CARD_OK) {
		/* What began logged in stays so until the end. */
		if (!card_backing_slot(k6.rig.card, 1, &slot) ||
		    p11->C_OpenSession(slot,
			CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			&session) != CKR_OK ||
		    p11->C_CreateObject(session, template, 1, &object) !=
			CKR_OK ||
		    p11->C_CloseSession(session) != CKR_OK)
			abort();
		(void)sem_post(c->made);
	}
	card_backing_end(k6.rig.card, 1);
	card_logout(k6.rig.card, &login);
}

static void *
client_run(void *ctx)
{
	struct client *c = ctx;

	while (!*c->stop)
		client_turn(c);
	return NULL;
}

/* Logins and calls of many, while the partition comes and goes under them. */
static void
many_use_it_while_it_is_deactivated(void **state)
{
	enum { CLIENTS = 8, TURNS = 20 };
	struct client clients[CLIENTS];
	struct card_status status;
	_Atomic bool stop = false;
	sem_t made;
	unsigned k;

	(void)state;
	k6_activate(&k6);
	assert_int_equal(sem_init(&made, 0, 0), 0);
	for (k = 0; k < CLIENTS; k++) {
		clients[k] = (struct client){.stop = &stop, .made = &made};
		assert_int_equal(pthread_create(&clients[k].thread, NULL,
				     client_run, &clients[k]),
		    0);
	}
	for (k = 0; k < TURNS; k++) {
		assert_int_equal(sem_wait(&made), 0);
		assert_int_equal(card_deactivate(k6.rig.card), CARD_OK);
		card_tick(k6.rig.card);
		(void)card_epoch(k6.rig.card, 1);
	}
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	stop = true;
	for (k = 0; k < CLIENTS; k++)
		pthread_join(clients[k].thread, NULL);
	sem_destroy(&made);
	card_status(k6.rig.card, &status);
	assert_true(status.zeroized && !status.activated);
}

/* The files of a card: no challenge, no iKey's secret, no PIN of SoftHSM. */
static int
find_in_file(const char *path, const struct stat *st, int type, struct FTW *w)
{
	static uint8_t octets[1 << 20];
	FILE *f;
	size_t got, k;

	(void)w;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	f = fopen(path, "r");
	assert_non_null(f);
	got = fread(octets, 1, sizeof(octets), f);
	assert_int_equal(fclose(f), 0);
	for (k = 0; k < wanted_count; k++) {
		if (memmem(octets, got, wanted[k].at, wanted[k].octets) != NULL)
			fail_msg("%s has secret number %zu", path, k);
	}
	seen_files++;
	return 0;
}

static void
no_file_has_a_secret(void **state)
{
	static const char *const pins[] = {BLUE_PIN, "", BLACK_PIN};
	struct secret *shares[3], *pin;
	struct state nv;
	char hex[2 * SEAL_KEY_OCTETS + 1];
	int dir_fd = open(k6.rig.dir, O_RDONLY | O_DIRECTORY);
	unsigned k;

	(void)state;
	k6_activate(&k6);
	for (k = BLUE; k <= BLACK; k++) {
		struct ikey key = person_key(&k6.person, k);

		assert_int_equal(
		    ikey_open(&key, TEXT(pins[k]), &shares[k]), OK);
	}
	assert_int_equal(state_load(dir_fd, &nv), OK);
	assert_int_equal(card_lock_open(&nv.partitions[0].roles[CARD_USER].lock,
			     secret_peek(shares[BLACK]), &pin),
	    CARD_OK);
	for (k = 0; k < SEAL_KEY_OCTETS; k++)
		(void)snprintf(hex + 2 * k, 3, "%02x", secret_peek(pin).at[k]);
	wanted_count = 0;
	for (k = BLUE; k <= BLACK; k++)
		wanted[wanted_count++] = secret_peek(shares[k]);
	wanted[wanted_count++] = secret_peek(pin);
	wanted[wanted_count++] = TEXT(hex);
	wanted[wanted_count++] = TEXT(k6.challenge);
	seen_files = 0;
	assert_int_equal(nftw(k6.rig.dir, find_in_file, 8, FTW_PHYS), 0);
	assert_true(seen_files >= 5);
	secret_free(pin);
	for (k = BLUE; k <= BLACK; k++)
		secret_free(shares[k]);
	close(dir_fd);
}

static void
the_cable_can_be_pulled(void **state)
{
	struct card_login so;

	(void)state;
	assert_string_equal(card_rig_lab(&k6.rig, "ped unplug"), "ok");
	k6_script(&k6, to_login_so);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_PED_UNPLUGGED);
	person_end(&k6.person);
	assert_string_equal(card_rig_lab(&k6.rig, "ped plug"), "ok");
	so = k6_so_login(&k6);
	card_logout(k6.rig.card, &so);
}

int
main(void)
{
#define FRESH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define MADE(f)  cmocka_unit_test_setup_teardown(f, set_up_made, tear_down)
	const struct CMUnitTest tests[] = {
	    FRESH(a_card_from_the_factory_has_nothing),
	    FRESH(three_blank_ikeys_make_an_hsm),
	    FRESH(initialization_wants_each_ikey),
	    FRESH(a_partition_wants_so_and_red_ikey),
	    MADE(the_dialogue_of_the_orange_ikey_is_the_guides),
	    MADE(the_dialogue_of_the_crypto_user_is_the_guides),
	    MADE(a_new_pin_is_four_to_forty_eight_digits_twice),
	    MADE(a_pin_that_was_imposed_is_wanted),
	    MADE(what_is_delivered_counts_and_what_is_not_does_not),
	    MADE(ten_wrong_challenges_lock_the_user),
	    MADE(the_security_officer_is_who_has_the_blue_ikey),
	    MADE(the_partition_is_the_crypto_users),
	    MADE(three_wrong_blue_ikeys_zeroize),
	    MADE(activated_it_takes_the_challenge_alone),
	    MADE(a_login_by_black_ikey_activates),
	    MADE(an_outage_of_two_hours_ends_it),
	    MADE(two_outages_of_ninety_minutes_are_two),
	    MADE(what_was_deactivated_stays_so),
	    MADE(a_login_within_two_hours_undoes_a_deactivation),
	    MADE(activate_always_wants_the_black_ikey),
	    MADE(a_deactivation_may_end_the_batterys_copy_too),
	    MADE(nothing_is_restored_without_battery_or_policy),
	    MADE(a_batterys_copy_is_of_no_use_after_zeroizing),
	    MADE(a_tampered_card_stops),
	    MADE(policies_stay_within_their_capability),
	    MADE(many_use_it_while_it_is_deactivated),
	    MADE(no_file_has_a_secret),
	    MADE(the_cable_can_be_pulled),
	};
#undef FRESH
#undef MADE

	return cmocka_run_group_tests_name("card/k6", tests, NULL, NULL);
}

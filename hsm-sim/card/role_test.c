#include <glob.h>

#include "card/rig_test.h"

#define SO_PASSWORD "so-password"
#define FIRST       "first-password"
#define CO_PASSWORD "co-password"
#define CU_PASSWORD "cu-password"

static struct card_rig rig;

static int
set_up(void **state)
{
	(void)state;
	card_rig_init(&rig, CARD_LUNA7);
	card_rig_on(&rig);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	card_rig_clear(&rig);
	return 0;
}

static enum card_rv
try_login(enum card_role role, const char *password)
{
	struct card_login login = {.role = CARD_NOBODY};
	enum card_rv rv = card_login(rig.card, 1, role, TEXT(password), &login);

	if (rv == CARD_OK)
		card_logout(rig.card, &login);
	return rv;
}

static struct card_login
logged_in(enum card_role role, const char *password)
{
	struct card_login login;

	assert_int_equal(
	    card_login(rig.card, 1, role, TEXT(password), &login), CARD_OK);
	return login;
}

static void
partition_make(unsigned slot)
{
	assert_int_equal(card_partition_init(rig.card, slot, "foundry",
			     TEXT(SO_PASSWORD), TEXT("domain")),
	    CARD_OK);
}

/* Partition, Crypto Officer with the first password changed, Crypto User. */
static void
roles_make(void)
{
	struct card_login login;

	partition_make(1);
	login = logged_in(CARD_SO, SO_PASSWORD);
	assert_int_equal(
	    card_role_init(rig.card, &login, CARD_USER, TEXT(FIRST)), CARD_OK);
	card_logout(rig.card, &login);
	login = logged_in(CARD_USER, FIRST);
	assert_int_equal(
	    card_password(rig.card, &login, TEXT(FIRST), TEXT(CO_PASSWORD)),
	    CARD_OK);
	assert_int_equal(
	    card_role_init(rig.card, &login, CARD_LIMITED, TEXT(CU_PASSWORD)),
	    CARD_OK);
	card_logout(rig.card, &login);
}

static void
restart(void)
{
	card_rig_off(&rig);
	card_rig_on(&rig);
}

/* A private token object of that label, made by whoever is logged in. */
static CK_RV
object_make(const char *label)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_TOKEN, &yes, sizeof(yes)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
	};
	CK_FUNCTION_LIST *p11 = card_backing(rig.card);
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object;
	CK_SLOT_ID slot;
	CK_RV rv;

	assert_true(card_backing_slot(rig.card, 1, &slot));
	card_backing_begin(rig.card, 1);
	rv = p11->C_OpenSession(
	    slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	if (rv == CKR_OK) {
		rv = p11->C_CreateObject(
		    session, template, LENGTH(template), &object);
		(void)p11->C_CloseSession(session);
	}
	card_backing_end(rig.card, 1);
	return rv;
}

static CK_ULONG
objects_count(void)
{
	CK_FUNCTION_LIST *p11 = card_backing(rig.card);
	CK_OBJECT_HANDLE found[8];
	CK_SESSION_HANDLE session;
	CK_ULONG count = 0;
	CK_SLOT_ID slot;

	assert_true(card_backing_slot(rig.card, 1, &slot));
	assert_int_equal(
	    p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
	    CKR_OK);
	assert_int_equal(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
	assert_int_equal(p11->C_FindObjects(session, found, 8, &count), CKR_OK);
	(void)p11->C_CloseSession(session);
	return count;
}

/* ---- tests ---- */

/* req: KSC-017, KSC-026, KSC-058  nothing in it, nobody can log in */
static void
a_new_partition_is_empty(void **state)
{
	struct card_slot slot;
	CK_SLOT_ID backing;
	unsigned role;

	(void)state;
	assert_int_equal(card_slots(rig.card), 2);
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_true(slot.present);
	assert_false(slot.initialized || slot.has_user || slot.has_limited);
	assert_string_equal(slot.label, "");
	assert_string_equal(slot.model, "Cryptovisor7");
	assert_int_equal(strlen(slot.serial), 13);
	assert_int_equal(strlen(slot.uuid), 24);
	assert_false(card_backing_slot(rig.card, 1, &backing));
	for (role = CARD_SO; role <= CARD_LIMITED; role++)
		assert_int_equal(try_login((enum card_role)role, "anything"),
		    CARD_NO_PARTITION);
	assert_int_equal(card_slot(rig.card, 0, &slot), CARD_ARGUMENT);
	assert_int_equal(card_slot(rig.card, 3, &slot), CARD_ARGUMENT);
}

static void
arguments_of_partition_init_are_looked_at(void **state)
{
	static const struct {
		const char *name;
		unsigned slot;
		const char *label, *password, *domain;
		enum card_rv want;
	} cases[] = {
	    {"as it should be", 1, "one", "1234", "d", CARD_OK},
	    {"no such slot", 3, "one", "1234", "d", CARD_ARGUMENT},
	    {"slot 0", 0, "one", "1234", "d", CARD_ARGUMENT},
	    {"no label", 1, "", "1234", "d", CARD_ARGUMENT},
	    {"label of 32", 1, "12345678901234567890123456789012", "1234", "d",
		CARD_OK},
	    {"label of 33", 1, "123456789012345678901234567890123", "1234", "d",
		CARD_ARGUMENT},
	    {"label not UTF-8", 1, "\xff", "1234", "d", CARD_ARGUMENT},
	    {"password of 3", 1, "one", "123", "d", CARD_PIN_LENGTH},
	    {"no domain", 1, "one", "1234", "", CARD_ARGUMENT},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		enum card_rv got =
		    card_partition_init(rig.card, cases[k].slot, cases[k].label,
			TEXT(cases[k].password), TEXT(cases[k].domain));

		if (got != cases[k].want)
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    card_rv_name(cases[k].want), card_rv_name(got));
	}
}

/* req: KSC-107, KSC-108  who may make whom */
static void
roles_are_made_in_order(void **state)
{
	static const struct {
		enum card_role by, role;
		enum card_rv want;
	} cases[] = {
	    {CARD_SO, CARD_USER, CARD_OK},
	    {CARD_SO, CARD_LIMITED, CARD_RIGHTS},
	    {CARD_SO, CARD_SO, CARD_ROLE_INVALID},
	    {CARD_USER, CARD_LIMITED, CARD_OK},
	    {CARD_USER, CARD_SO, CARD_ROLE_INVALID},
	    {CARD_LIMITED, CARD_LIMITED, CARD_RIGHTS},
	    {CARD_LIMITED, CARD_USER, CARD_RIGHTS},
	    {CARD_NOBODY, CARD_USER, CARD_NOT_LOGGED_IN},
	};
	static const char *const passwords[] = {
	    NULL, SO_PASSWORD, CO_PASSWORD, CU_PASSWORD};
	struct card_login login = {.role = CARD_NOBODY};
	size_t k;

	(void)state;
	roles_make();
	for (k = 0; k < LENGTH(cases); k++) {
		enum card_rv got;

		memset(&login, 0, sizeof(login));
		if (cases[k].by != CARD_NOBODY)
			login = logged_in(cases[k].by,
			    k == 0 ? SO_PASSWORD : passwords[cases[k].by]);
		got = card_role_init(rig.card, &login, cases[k].role,
		    TEXT(passwords[cases[k].role]));
		if (got != cases[k].want)
			fail_msg("%zu: expected %s, got %s", k,
			    card_rv_name(cases[k].want), card_rv_name(got));
		card_logout(rig.card, &login);
		if (k == 0) { /* the Crypto Officer's password is a first one */
			login = logged_in(CARD_USER, CO_PASSWORD);
			assert_int_equal(
			    card_password(rig.card, &login, TEXT(CO_PASSWORD),
				TEXT(CO_PASSWORD)),
			    CARD_OK);
			card_logout(rig.card, &login);
		}
	}
}

/* req: KSC-119, KSC-120, KSC-126  and it works in a later login too */
static void
the_first_password_is_for_changing_it(void **state)
{
	struct card_login login, other;
	struct card_slot slot;

	(void)state;
	partition_make(1);
	assert_int_equal(
	    try_login(CARD_USER, FIRST), CARD_ROLE_NOT_INITIALIZED);
	login = logged_in(CARD_SO, SO_PASSWORD);
	assert_int_equal(card_login_check(rig.card, &login), CARD_OK);
	assert_int_equal(
	    card_role_init(rig.card, &login, CARD_USER, TEXT(FIRST)), CARD_OK);
	card_logout(rig.card, &login);
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_true(slot.has_user);

	login = logged_in(CARD_USER, FIRST);
	assert_true(login.expired);
	assert_int_equal(card_login_check(rig.card, &login), CARD_PIN_EXPIRED);
	assert_int_equal(
	    card_role_init(rig.card, &login, CARD_LIMITED, TEXT(CU_PASSWORD)),
	    CARD_PIN_EXPIRED);
	assert_int_equal(
	    try_login(CARD_LIMITED, CU_PASSWORD), CARD_ROLE_NOT_INITIALIZED);
	card_logout(rig.card, &login);
	restart();

	other = logged_in(CARD_USER, FIRST);
	login = logged_in(CARD_USER, FIRST);
	assert_int_equal(
	    card_password(rig.card, &login, TEXT("wrong"), TEXT(CO_PASSWORD)),
	    CARD_PIN_INCORRECT);
	assert_int_equal(
	    card_password(rig.card, &login, TEXT(FIRST), TEXT("abc")),
	    CARD_PIN_LENGTH);
	assert_int_equal(card_login_check(rig.card, &login), CARD_PIN_EXPIRED);
	assert_int_equal(
	    card_password(rig.card, &login, TEXT(FIRST), TEXT(CO_PASSWORD)),
	    CARD_OK);
	/* req: KSC-132  still logged in, and so is everybody else */
	assert_int_equal(card_login_check(rig.card, &login), CARD_OK);
	assert_int_equal(card_login_check(rig.card, &other), CARD_OK);
	card_logout(rig.card, &login);
	card_logout(rig.card, &other);
	restart();
	assert_int_equal(try_login(CARD_USER, FIRST), CARD_PIN_INCORRECT);
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_false(login.expired);
	card_logout(rig.card, &login);
}

/* req: KSC-161  only the Crypto Officer's password, and only for that role */
static void
a_password_is_for_one_role(void **state)
{
	static const char *const passwords[] = {
	    NULL, SO_PASSWORD, CO_PASSWORD, CU_PASSWORD, "domain"};
	unsigned role, k;

	(void)state;
	roles_make();
	for (role = CARD_SO; role <= CARD_LIMITED; role++) {
		for (k = CARD_SO; k < LENGTH(passwords); k++)
			assert_int_equal(
			    try_login((enum card_role)role, passwords[k]),
			    k == role ? CARD_OK : CARD_PIN_INCORRECT);
		/* req: KSC-047  the right one ends the count */
		assert_int_equal(
		    try_login((enum card_role)role, passwords[role]), CARD_OK);
	}
	assert_int_equal(try_login(CARD_NOBODY, "x"), CARD_ROLE_INVALID);
}

static void
wrong_times(enum card_role role, unsigned times)
{
	unsigned k;

	for (k = 0; k < times; k++)
		assert_int_equal(
		    try_login(role, "wrong-password"), CARD_PIN_INCORRECT);
}

static void
ten_wrong_passwords_lock_a_user(void **state)
{
	struct card_slot slot;
	struct card_login login;

	(void)state;
	roles_make();
	wrong_times(CARD_USER, 9);
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_true(slot.user_low && slot.user_final && !slot.user_locked);
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_OK);
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_false(slot.user_low || slot.user_final || slot.user_locked);

	wrong_times(CARD_USER, 5);
	restart(); /* refunds nothing */
	wrong_times(CARD_USER, 5);
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_PIN_LOCKED);
	restart();
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_PIN_LOCKED);
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_true(slot.user_locked);
	/* The other role is not. */
	assert_int_equal(try_login(CARD_LIMITED, CU_PASSWORD), CARD_OK);

	/* The Security Officer resets it, which makes it a first password. */
	login = logged_in(CARD_SO, SO_PASSWORD);
	assert_int_equal(
	    card_role_init(rig.card, &login, CARD_USER, TEXT(FIRST)), CARD_OK);
	assert_int_equal(card_login_check(rig.card, &login), CARD_OK);
	card_logout(rig.card, &login);
	login = logged_in(CARD_USER, FIRST);
	assert_true(login.expired);
	card_logout(rig.card, &login);
}

static void
a_lock_ends_by_its_kind(void **state)
{
	static const struct {
		enum card_lockout lockout;
		int64_t after_ms;
		enum card_rv login, reset;
	} cases[] = {
	    {CARD_LOCKOUT_TIMED, CARD_LOCKOUT_MS - 1, CARD_PIN_LOCKED, CARD_OK},
	    {CARD_LOCKOUT_TIMED, CARD_LOCKOUT_MS, CARD_OK, CARD_OK},
	    {CARD_LOCKOUT_SO_RESET, CARD_LOCKOUT_MS, CARD_PIN_LOCKED, CARD_OK},
	    {CARD_LOCKOUT_PERMANENT, CARD_LOCKOUT_MS, CARD_PIN_LOCKED,
		CARD_PIN_LOCKED},
	};
	struct card_login login;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		card_rig_off(&rig);
		rig.config.lockout = cases[k].lockout;
		card_rig_on(&rig);
		roles_make();
		wrong_times(CARD_USER, 10);
		card_rig_pass(&rig, cases[k].after_ms);
		assert_int_equal(
		    try_login(CARD_USER, CO_PASSWORD), cases[k].login);
		login = logged_in(CARD_SO, SO_PASSWORD);
		assert_int_equal(
		    card_role_init(rig.card, &login, CARD_USER, TEXT(FIRST)),
		    cases[k].reset);
		card_logout(rig.card, &login);
	}
}

/* After a timed lock the count starts anew. */
static void
a_timed_lock_gives_ten_more(void **state)
{
	(void)state;
	card_rig_off(&rig);
	rig.config.lockout = CARD_LOCKOUT_TIMED;
	card_rig_on(&rig);
	roles_make();
	wrong_times(CARD_USER, 10);
	card_rig_pass(&rig, CARD_LOCKOUT_MS);
	wrong_times(CARD_USER, 10);
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_PIN_LOCKED);
}

static void
ten_wrong_passwords_of_the_so_destroy_the_partition(void **state)
{
	struct card_login login;
	struct card_slot slot;
	uint64_t epoch;
	char serial[17];

	(void)state;
	roles_make();
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	memcpy(serial, slot.serial, sizeof(serial));
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(object_make("mine"), CKR_OK);
	epoch = card_epoch(rig.card, 1);
	wrong_times(CARD_SO, 9);
	assert_int_equal(try_login(CARD_SO, SO_PASSWORD), CARD_OK);
	wrong_times(CARD_SO, 9);
	assert_int_equal(card_login_check(rig.card, &login), CARD_OK);
	assert_int_equal(try_login(CARD_SO, "wrong"), CARD_SO_THRESHOLD);

	assert_int_equal(
	    card_login_check(rig.card, &login), CARD_NOT_LOGGED_IN);
	assert_true(card_epoch(rig.card, 1) > epoch);
	assert_int_equal(try_login(CARD_SO, SO_PASSWORD), CARD_NO_PARTITION);
	restart();
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_NO_PARTITION);
	/* req: KSC-069 */
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_string_equal(slot.serial, serial);
	assert_string_equal(slot.label, "");
	card_logout(rig.card, &login); /* of a partition that is gone */
}

/* req: KSC-093, KSC-099  contents and roles are gone, no login was needed */
static void
initializing_again_destroys_all(void **state)
{
	struct card_login login;
	struct card_slot slot;
	uint64_t epoch;

	(void)state;
	roles_make();
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(object_make("mine"), CKR_OK);
	assert_int_equal(objects_count(), 1);
	epoch = card_epoch(rig.card, 1);
	assert_int_equal(card_partition_init(rig.card, 1, "again",
			     TEXT("other-so"), TEXT("domain")),
	    CARD_OK);
	assert_int_equal(
	    card_login_check(rig.card, &login), CARD_NOT_LOGGED_IN);
	assert_true(card_epoch(rig.card, 1) > epoch);
	assert_int_equal(objects_count(), 0);
	assert_int_equal(try_login(CARD_SO, SO_PASSWORD), CARD_PIN_INCORRECT);
	assert_int_equal(try_login(CARD_SO, "other-so"), CARD_OK);
	assert_int_equal(
	    try_login(CARD_USER, CO_PASSWORD), CARD_ROLE_NOT_INITIALIZED);
	restart();
	assert_int_equal(card_slot(rig.card, 1, &slot), CARD_OK);
	assert_string_equal(slot.label, "again");
	assert_int_equal(objects_count(), 0);
	assert_int_equal(try_login(CARD_SO, "other-so"), CARD_OK);
}

/* req: KSC-166, KSC-101 */
static void
objects_and_roles_outlive_a_restart(void **state)
{
	struct card_login login;

	(void)state;
	roles_make();
	assert_int_equal(object_make("nobody's"), CKR_USER_NOT_LOGGED_IN);
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(object_make("mine"), CKR_OK);
	restart();
	assert_int_equal(objects_count(), 0); /* private, and nobody is in */
	login = logged_in(CARD_LIMITED, CU_PASSWORD);
	assert_int_equal(objects_count(), 1);
	card_logout(rig.card, &login);
	assert_int_equal(objects_count(), 0);
}

/* A login of one does not end with that of another. */
static void
logins_are_counted(void **state)
{
	struct card_login one, two, so;

	(void)state;
	roles_make();
	so = logged_in(CARD_SO, SO_PASSWORD);
	/* An SO opens the token to nobody. */
	assert_int_equal(object_make("none"), CKR_USER_NOT_LOGGED_IN);
	one = logged_in(CARD_USER, CO_PASSWORD);
	two = logged_in(CARD_LIMITED, CU_PASSWORD);
	card_logout(rig.card, &one);
	assert_int_equal(card_login_check(rig.card, &one), CARD_NOT_LOGGED_IN);
	assert_int_equal(object_make("two's"), CKR_OK);
	card_logout(rig.card, &one); /* harmless */
	assert_int_equal(object_make("two's again"), CKR_OK);
	/* A reset ends the role's logins and no others. */
	one = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(
	    card_role_init(rig.card, &so, CARD_USER, TEXT(FIRST)), CARD_OK);
	assert_int_equal(card_login_check(rig.card, &one), CARD_NOT_LOGGED_IN);
	assert_int_equal(card_login_check(rig.card, &two), CARD_OK);
	card_logout(rig.card, &one);
	card_logout(rig.card, &two);
	assert_int_equal(object_make("none"), CKR_USER_NOT_LOGGED_IN);
	card_logout(rig.card, &so);
}

static void
partitions_know_nothing_of_each_other(void **state)
{
	struct card_login login;
	struct card_slot one, two;

	(void)state;
	roles_make();
	partition_make(2);
	assert_int_equal(card_slot(rig.card, 1, &one), CARD_OK);
	assert_int_equal(card_slot(rig.card, 2, &two), CARD_OK);
	assert_string_not_equal(one.serial, two.serial);
	assert_string_not_equal(one.uuid, two.uuid);
	assert_false(two.has_user);
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(card_partition_init(rig.card, 2, "two",
			     TEXT(SO_PASSWORD), TEXT("domain")),
	    CARD_OK);
	assert_int_equal(card_login_check(rig.card, &login), CARD_OK);
	assert_int_equal(object_make("mine"), CKR_OK);
	card_logout(rig.card, &login);
}

/* req: KSC-029  activation is for the trusted path */
static void
a_partition_with_passwords_has_one_policy(void **state)
{
	struct card_login login;

	(void)state;
	roles_make();
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(
	    card_policy_set(rig.card, &login, 20, 3), CARD_NOT_LOGGED_IN);
	card_logout(rig.card, &login);
	login = logged_in(CARD_SO, SO_PASSWORD);
	assert_int_equal(card_policy_set(rig.card, &login, 22, 1), CARD_POLICY);
	assert_int_equal(card_policy_set(rig.card, &login, 23, 1), CARD_POLICY);
	assert_int_equal(card_policy_set(rig.card, &login, 20, 3), CARD_OK);
	card_logout(rig.card, &login);
	wrong_times(CARD_USER, 3);
	assert_int_equal(try_login(CARD_USER, CO_PASSWORD), CARD_PIN_LOCKED);
	assert_int_equal(card_activate(rig.card), CARD_ROLE_INVALID);
	assert_int_equal(card_deactivate(rig.card), CARD_ROLE_INVALID);
	assert_int_equal(card_initialize(rig.card, "hsm"), CARD_ROLE_INVALID);
}

static void
zeroizing_ends_everything(void **state)
{
	char name[512];
	glob_t found;
	struct card_login login;

	(void)state;
	roles_make();
	partition_make(2);
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(object_make("mine"), CKR_OK);
	(void)snprintf(name, sizeof(name), "%s/tokens/*", rig.dir);
	assert_int_equal(glob(name, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 2);
	globfree(&found);
	assert_int_equal(card_zeroize(rig.card), CARD_OK);
	assert_int_equal(glob(name, 0, NULL, &found), GLOB_NOMATCH);
	assert_int_equal(
	    card_login_check(rig.card, &login), CARD_NOT_LOGGED_IN);
	assert_int_equal(try_login(CARD_SO, SO_PASSWORD), CARD_NO_PARTITION);
	restart();
	assert_int_equal(try_login(CARD_SO, SO_PASSWORD), CARD_NO_PARTITION);
	partition_make(1);
	assert_int_equal(objects_count(), 0);
}

static void
one_card_at_a_time_in_a_directory(void **state)
{
	struct card *second;

	(void)state;
	assert_int_equal(card_new(&rig.config, &second), CARD_STATE);
	assert_null(second);
}

static void
what_is_not_this_cards_state_is_refused(void **state)
{
	char path[300];
	FILE *f;

	(void)state;
	roles_make();
	card_rig_off(&rig);
	rig.config.model = CARD_K6;
	assert_int_equal(card_new(&rig.config, &rig.card), CARD_ARGUMENT);
	rig.config.slots = 1;
	assert_int_equal(card_new(&rig.config, &rig.card), CARD_STATE);
	rig.config.slots = 2;
	rig.config.model = CARD_LUNA7;
	card_rig_on(&rig);
	card_rig_off(&rig);
	(void)snprintf(path, sizeof(path), "%s/card.nv", rig.dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 100, SEEK_SET), 0);
	assert_int_equal(fputc(0x55, f), 0x55);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(card_new(&rig.config, &rig.card), CARD_STATE);
}

/* SoftHSM was writing it as the power failed. */
static void
a_token_that_was_being_written_is_mended(void **state)
{
	char name[512];
	struct card_login login;
	glob_t found;
	unsigned k;
	static const char *const files[] = {
	    "token.object", "generation", "token.lock"};

	(void)state;
	roles_make();
	login = logged_in(CARD_USER, CO_PASSWORD);
	assert_int_equal(object_make("mine"), CKR_OK);
	card_logout(rig.card, &login);
	for (k = 0; k < LENGTH(files); k++) {
		card_rig_off(&rig);
		(void)snprintf(
		    name, sizeof(name), "%s/tokens/*/%s", rig.dir, files[k]);
		assert_int_equal(glob(name, 0, NULL, &found), 0);
		assert_int_equal(found.gl_pathc, 1);
		assert_int_equal(truncate(found.gl_pathv[0], 0), 0);
		globfree(&found);
		card_rig_on(&rig);
		login = logged_in(CARD_USER, CO_PASSWORD);
		assert_int_equal(objects_count(), 1);
		assert_int_equal(object_make("more"), CKR_OK);
		restart();
		login = logged_in(CARD_USER, CO_PASSWORD);
		assert_int_equal(objects_count(), 2);
		card_rig_off(&rig);
		card_rig_on(&rig);
		roles_make();
		login = logged_in(CARD_USER, CO_PASSWORD);
		assert_int_equal(object_make("mine"), CKR_OK);
		card_logout(rig.card, &login);
	}
}

/* Nothing that opens anything is on the disk. */
static void
files_hold_no_password(void **state)
{
	static const char *const secrets[] = {
	    SO_PASSWORD, CO_PASSWORD, CU_PASSWORD, FIRST, "domain"};
	char path[300], text[65536];
	size_t k, octets;
	FILE *f;

	(void)state;
	roles_make();
	(void)snprintf(path, sizeof(path), "%s/card.nv", rig.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	octets = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_non_null(memmem(text, octets, "foundry", 7));
	for (k = 0; k < LENGTH(secrets); k++)
		assert_null(
		    memmem(text, octets, secrets[k], strlen(secrets[k])));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(a_new_partition_is_empty),
	    CASE(arguments_of_partition_init_are_looked_at),
	    CASE(roles_are_made_in_order),
	    CASE(the_first_password_is_for_changing_it),
	    CASE(a_password_is_for_one_role),
	    CASE(ten_wrong_passwords_lock_a_user),
	    CASE(a_lock_ends_by_its_kind),
	    CASE(a_timed_lock_gives_ten_more),
	    CASE(ten_wrong_passwords_of_the_so_destroy_the_partition),
	    CASE(initializing_again_destroys_all),
	    CASE(objects_and_roles_outlive_a_restart),
	    CASE(logins_are_counted),
	    CASE(partitions_know_nothing_of_each_other),
	    CASE(a_partition_with_passwords_has_one_policy),
	    CASE(zeroizing_ends_everything),
	    CASE(one_card_at_a_time_in_a_directory),
	    CASE(what_is_not_this_cards_state_is_refused),
	    CASE(a_token_that_was_being_written_is_mended),
	    CASE(files_hold_no_password),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/role", tests, NULL, NULL);
}

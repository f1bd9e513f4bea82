/*
 * For tests of the built-in card: one with a person at its PED, and the way to
 * a partition that is in use.
 */
#ifndef CARD_K6_RIG_TEST_H
#define CARD_K6_RIG_TEST_H

#include "card/person_test.h"

enum { BLUE, RED, BLACK, ORANGE, SPARE, OTHER, MORE };

#define BLUE_PIN    "1111"
#define BLACK_PIN   "33334444"
#define ORANGE_PIN  "55556666"
#define INSERT_SO   "Insert a SO / HSM Admin PED Key. Press ENTER."
#define INSERT_RED  "Insert a DOMAIN PED Key. Press ENTER."
#define INSERT_USER "Insert a USER / Partition Owner PED Key. Press ENTER."
#define INSERT_RPK  "Insert a RPK / Remote PED Key. Press ENTER."
#define END                   \
	{                     \
		.words = NULL \
	}

/* One iKey, no split, no duplicate. */
#define IMPRINT(insert, which, pin)                                        \
	{.words = "reuse an existing keyset", .act = NO},                  \
	    {.words = "M value", .act = TYPE, .digits = "01"},             \
	    {.words = "N value", .act = TYPE, .digits = "01"},             \
	    {.words = insert, .act = INSERT, .key = which},                \
	    {.words = "Enter new PED PIN:", .act = TYPE, .digits = pin},   \
	    {.words = "Confirm new PED PIN:", .act = TYPE, .digits = pin}, \
	{                                                                  \
		.words = "Are you duplicating", .act = NO                  \
	}

/* With a PIN; and with none, which is not asked for. */
#define LOGIN(insert, which, pin)                                     \
	{.words = insert, .act = INSERT, .key = which},               \
	{                                                             \
		.words = "Enter PED PIN.", .act = TYPE, .digits = pin \
	}
#define PRESENT(insert, which)                               \
	{                                                    \
		.words = insert, .act = INSERT, .key = which \
	}

static const struct step to_initialize[] = {
    IMPRINT(INSERT_SO, BLUE, BLUE_PIN),
    IMPRINT(INSERT_RED, RED, ""),
    END,
};
static const struct step to_login_so[] = {
    LOGIN(INSERT_SO, BLUE, BLUE_PIN),
    END,
};
static const struct step to_create[] = {
    PRESENT(INSERT_RED, RED),
    IMPRINT(INSERT_USER, BLACK, BLACK_PIN),
    {.words = "Login secret value:", .act = PRESS},
    END,
};
static const struct step to_login_user[] = {
    LOGIN(INSERT_USER, BLACK, BLACK_PIN),
    END,
};
static const struct step wrong_user_pin[] = {
    LOGIN(INSERT_USER, BLACK, "9999"),
    END,
};
static const struct step wrong_so_pin[] = {
    LOGIN(INSERT_SO, BLUE, "9999"),
    END,
};
static const struct step to_init_rpv[] = {
    IMPRINT(INSERT_RPK, ORANGE, ORANGE_PIN),
    END,
};
static const struct step to_connect[] = {
    {.words = "COMPUTE SESSION KEY...\n" INSERT_RPK,
	.act = INSERT,
	.key = ORANGE},
    {.words = "COMPUTE SESSION KEY...\nEnter PED PIN.",
	.act = TYPE,
	.digits = ORANGE_PIN},
    END,
};

struct k6 {
	struct card_rig rig;
	struct person person;
	char challenge[32];
};

static inline void
k6_script(struct k6 *k, const struct step *script)
{
	person_begin(&k->person, script);
}

static inline void
k6_init(struct k6 *k)
{
	memset(k, 0, sizeof(*k));
	card_rig_init(&k->rig, CARD_K6);
	card_rig_on(&k->rig);
	person_init(&k->person, &k->rig);
}

static inline void
k6_clear(struct k6 *k)
{
	person_clear(&k->person);
	card_rig_clear(&k->rig);
}

static inline struct card_login
k6_so_login(struct k6 *k)
{
	struct card_login so;

	k6_script(k, to_login_so);
	assert_int_equal(card_so_login(k->rig.card, &so), CARD_OK);
	person_done(&k->person);
	return so;
}

/* Initialized, a partition created, everybody logged out, no PED left. */
static inline void
k6_make(struct k6 *k)
{
	struct card_login so;

	k6_script(k, to_initialize);
	assert_int_equal(card_initialize(k->rig.card, "hsm"), CARD_OK);
	person_done(&k->person);
	so = k6_so_login(k);
	k6_script(k, to_create);
	assert_int_equal(
	    card_create_partition(k->rig.card, &so, "keys"), CARD_OK);
	person_done(&k->person);
	memcpy(k->challenge, k->person.challenge, sizeof(k->challenge));
	card_logout(k->rig.card, &so);
	person_end(&k->person);
}

/* Activated by the black iKey. */
static inline void
k6_activate(struct k6 *k)
{
	k6_script(k, to_login_user);
	assert_int_equal(card_activate(k->rig.card), CARD_OK);
	person_done(&k->person);
	person_end(&k->person);
}

static inline bool
k6_is_active(struct k6 *k)
{
	struct card_status status;

	card_status(k->rig.card, &status);
	return status.activated;
}

/* Power off for so long, by the battery's clock. */
static inline void
k6_outage(struct k6 *k, int64_t ms)
{
	person_end(&k->person);
	card_rig_off(&k->rig);
	card_rig_pass(&k->rig, ms);
	card_rig_on(&k->rig);
}

static inline enum card_rv
k6_login(struct k6 *k, const char *challenge)
{
	struct card_login login;
	enum card_rv rv = card_login(
	    k->rig.card, 1, CARD_USER, bytes_of_text(challenge), &login);

	if (rv == CARD_OK)
		card_logout(k->rig.card, &login);
	return rv;
}

/* With that script at the local PED; which has to be followed to its end. */
static inline enum card_rv
k6_login_at_ped(struct k6 *k, const struct step *script, const char *challenge)
{
	enum card_rv rv;

	k6_script(k, script);
	rv = k6_login(k, challenge);
	person_done(&k->person);
	return rv;
}

#endif

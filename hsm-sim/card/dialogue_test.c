/*
 * iKeys through the card's dialogues: splits, duplicates, reuse, overwriting.
 */
#include "card/k6_rig_test.h"

static struct k6 k6;

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

/* An HSM whose black keyset the script makes. */
static void
make_with_black(const struct step *script)
{
	struct card_login so;

	k6_script(&k6, to_initialize);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_OK);
	so = k6_so_login(&k6);
	k6_script(&k6, script);
	assert_int_equal(
	    card_create_partition(k6.rig.card, &so, "keys"), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
}

/* Of the black iKeys MORE, MORE + 1, MORE + 2. */
static const struct step to_create_two_of_three[] = {
    PRESENT(INSERT_RED, RED),
    {.words = "reuse", .act = NO},
    {.words = "M value? (1-16)\n>01", .act = TYPE, .digits = "2"},
    {.words = "N value? (M-16)\n>02", .act = TYPE, .digits = "3"},
    {.words = "SETTING USER PIN...\nPED Key 01 of 03\n" INSERT_USER,
	.act = INSERT,
	.key = MORE},
    {.words = "Enter new", .act = TYPE, .digits = "1111"},
    {.words = "Confirm", .act = TYPE, .digits = "1111"},
    {.words = "PED Key 02 of 03", .act = PRESS}, /* forgot to change it */
    {.words = "used already.\nPED Key 02 of 03",
	.act = INSERT,
	.key = MORE + 1},
    {.words = "Enter new", .act = TYPE, .digits = "2222"},
    {.words = "Confirm", .act = TYPE, .digits = "2222"},
    {.words = "PED Key 03 of 03", .act = INSERT, .key = MORE + 2},
    {.words = "Enter new", .act = TYPE, .digits = ""},
    {.words = "Confirm", .act = TYPE, .digits = ""},
    {.words = "Are you duplicating", .act = NO},
    {.words = "Login secret value", .act = PRESS},
    END,
};

/* req: KS-01-085, KS-01-090 */
static void
any_two_of_three_log_in(void **state)
{
	static const struct step one_and_two[] = {
	    LOGIN(INSERT_USER, MORE, "1111"),
	    LOGIN("PED Key 02 of 02\n" INSERT_USER, MORE + 1, "2222"),
	    END,
	};
	static const struct step three_and_one[] = {
	    PRESENT(INSERT_USER, MORE + 2),
	    LOGIN("PED Key 02 of 02\n" INSERT_USER, MORE, "1111"),
	    END,
	};
	static const struct step two_and_three[] = {
	    LOGIN(INSERT_USER, MORE + 1, "2222"),
	    PRESENT("PED Key 02 of 02\n" INSERT_USER, MORE + 2),
	    END,
	};
	static const struct step one_twice[] = {
	    LOGIN(INSERT_USER, MORE, "1111"),
	    {.words = "PED Key 02 of 02", .act = PRESS},
	    {.words = "used already.\nPED Key 02 of 02",
		.act = WAIT,
		.ms = CARD_PED_MS},
	    END,
	};
	static const struct step pins_swapped[] = {
	    LOGIN(INSERT_USER, MORE, "2222"),
	    LOGIN("PED Key 02 of 02\n" INSERT_USER, MORE + 1, "1111"),
	    END,
	};
	static const struct {
		const struct step *script;
		enum card_rv want;
		unsigned left;
	} cases[] = {
	    {one_and_two, CARD_OK, 10},
	    {three_and_one, CARD_OK, 10},
	    {two_and_three, CARD_OK, 10},
	    {one_twice, CARD_PED_TIMEOUT, 10},
	    {pins_swapped, CARD_PIN_INCORRECT, 9},
	};
	struct card_status status;
	size_t k;

	(void)state;
	make_with_black(to_create_two_of_three);
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    k6_login_at_ped(&k6, cases[k].script, ""), cases[k].want);
		card_status(k6.rig.card, &status);
		assert_int_equal(status.user_attempts_left, cases[k].left);
	}
}

/* A share of another split is not a share of this one, and counts nothing. */
static void
shares_of_two_splits_do_not_mix(void **state)
{
	static const struct step mixed[] = {
	    LOGIN(INSERT_USER, MORE, "1111"),
	    {.words = "PED Key 02 of 02", .act = INSERT, .key = OTHER},
	    {.words = "of another keyset.\nPED Key 02 of 02", .act = CLEAR},
	    END,
	};
	const uint8_t keyset[IKEY_KEYSET_OCTETS] = {1};
	const uint8_t share[IKEY_SECRET_OCTETS] = {2};
	const struct ikey_imprint what = {.colour = IKEY_BLACK,
	    .m = 2,
	    .n = 3,
	    .index = 2,
	    .keyset = keyset,
	    .share = {share, sizeof(share)}};
	struct card_status status;
	struct ikey other;

	(void)state;
	make_with_black(to_create_two_of_three);
	assert_int_equal(ikey_blank(k6.person.env, &other), OK);
	assert_int_equal(ikey_imprint(k6.person.env, &what, &other), OK);
	assert_int_equal(ikey_write(&other, k6.person.keys[OTHER]), OK);
	assert_int_equal(k6_login_at_ped(&k6, mixed, ""), CARD_PED_CLEARED);
	card_status(k6.rig.card, &status);
	assert_int_equal(status.user_attempts_left, 10);
}

/* req: KS-05-043, KS-05-044, KS-05-046 */
static void
m_and_n_are_one_to_sixteen(void **state)
{
	static const struct step script[] = {
	    {.words = "reuse", .act = NO},
	    {.words = "M value? (1-16)\n>01", .act = TYPE, .digits = "0"},
	    {.words = "M value? (1-16)\n>01", .act = TYPE, .digits = "17"},
	    {.words = "M value? (1-16)\n>01", .act = TYPE, .digits = "16"},
	    {.words = "N value? (M-16)\n>16", .act = TYPE, .digits = "15"},
	    {.words = "N value? (M-16)\n>16", .act = TYPE, .digits = "17"},
	    {.words = "N value? (M-16)\n>16", .act = TYPE, .digits = ""},
	    {.words = "PED Key 01 of 16", .act = CLEAR},
	    END,
	};
	struct card_login so = k6_so_login(&k6);

	(void)state;
	k6_script(&k6, script);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_PED_CLEARED);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
}

/* req: KS-01-087, KS-01-096, KS-05-130, KS-05-147, KS-05-148, KS-05-157 */
static void
duplicates_made_on_the_way_do_as_the_original(void **state)
{
	static const struct step script[] = {
	    {.words = "reuse", .act = NO},
	    {.words = "M value", .act = TYPE, .digits = ""},
	    {.words = "N value", .act = TYPE, .digits = ""},
	    {.words = INSERT_SO, .act = INSERT, .key = BLUE},
	    {.words = "Enter new", .act = TYPE, .digits = BLUE_PIN},
	    {.words = "Confirm", .act = TYPE, .digits = BLUE_PIN},
	    {.words = "Are you duplicating", .act = YES},
	    {.words = INSERT_SO, .act = PRESS},
	    {.words = "used already.\nInsert", .act = INSERT, .key = SPARE},
	    {.words = "Enter new", .act = TYPE, .digits = "7777"},
	    {.words = "Confirm", .act = TYPE, .digits = "7777"},
	    {.words = "Are you duplicating", .act = YES},
	    {.words = INSERT_SO, .act = INSERT, .key = OTHER},
	    {.words = "not blank: black.\nOverwrite it?", .act = NO},
	    {.words = INSERT_SO, .act = INSERT, .key = OTHER},
	    {.words = "not blank: black.\nOverwrite it?", .act = YES},
	    {.words = "Enter new", .act = TYPE, .digits = ""},
	    {.words = "Confirm", .act = TYPE, .digits = ""},
	    {.words = "Are you duplicating", .act = NO},
	    IMPRINT(INSERT_RED, RED, ""),
	    END,
	};
	static const struct step by_spare[] = {
	    LOGIN(INSERT_SO, SPARE, "7777"), END};
	static const struct step by_spare_with_the_others_pin[] = {
	    LOGIN(INSERT_SO, SPARE, BLUE_PIN), END};
	static const struct step by_other[] = {PRESENT(INSERT_SO, OTHER), END};
	static const struct {
		const struct step *script;
		enum card_rv want;
	} cases[] = {
	    {to_login_so, CARD_OK},
	    {by_spare, CARD_OK},
	    {by_spare_with_the_others_pin, CARD_PIN_INCORRECT},
	    {by_other, CARD_OK},
	};
	const uint8_t keyset[IKEY_KEYSET_OCTETS] = {1};
	const uint8_t share[IKEY_SECRET_OCTETS] = {2};
	const struct ikey_imprint what = {.colour = IKEY_BLACK,
	    .m = 1,
	    .n = 1,
	    .index = 1,
	    .keyset = keyset,
	    .share = {share, sizeof(share)}};
	struct card_login so;
	struct ikey used;
	size_t k;

	(void)state;
	assert_int_equal(ikey_blank(k6.person.env, &used), OK);
	assert_int_equal(ikey_imprint(k6.person.env, &what, &used), OK);
	assert_int_equal(ikey_write(&used, k6.person.keys[OTHER]), OK);
	k6_script(&k6, script);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_OK);
	person_done(&k6.person);
	for (k = 0; k < LENGTH(cases); k++) {
		k6_script(&k6, cases[k].script);
		assert_int_equal(
		    card_so_login(k6.rig.card, &so), cases[k].want);
		person_done(&k6.person);
		if (cases[k].want == CARD_OK)
			card_logout(k6.rig.card, &so);
	}
}

/* req: KS-01-056, KS-01-084  two HSMs of one domain; KS-01-093 */
static void
a_keyset_can_be_used_again(void **state)
{
	static const struct step reuse[] = {
	    {.words = "SETTING SO PIN...\nWould you like to reuse", .act = YES},
	    LOGIN("SETTING SO PIN...\n" INSERT_SO, BLUE, BLUE_PIN),
	    {.words = "SETTING DOMAIN...\nWould you like to reuse", .act = YES},
	    PRESENT("SETTING DOMAIN...\n" INSERT_RED, RED),
	    END,
	};
	uint8_t blue[IKEY_OCTETS], red[IKEY_OCTETS];
	struct card_login so;

	(void)state;
	/* The same card, factory-fresh again, stands for the second one. */
	memcpy(blue, k6.person.keys[BLUE], sizeof(blue));
	memcpy(red, k6.person.keys[RED], sizeof(red));
	assert_int_equal(card_zeroize(k6.rig.card), CARD_OK);
	k6_script(&k6, reuse);
	assert_int_equal(card_initialize(k6.rig.card, "second"), CARD_OK);
	person_done(&k6.person);
	assert_memory_equal(blue, k6.person.keys[BLUE], sizeof(blue));
	assert_memory_equal(red, k6.person.keys[RED], sizeof(red));
	person_blank(&k6.person, BLACK);
	so = k6_so_login(&k6);
	k6_script(&k6, to_create);
	assert_int_equal(
	    card_create_partition(k6.rig.card, &so, "keys"), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
}

/* req: KS-05-134  the only black iKey overwritten: no login for ever */
static void
an_overwritten_ikey_is_lost(void **state)
{
	static const struct step over_black[] = {
	    {.words = "reuse", .act = NO},
	    {.words = "M value", .act = TYPE, .digits = ""},
	    {.words = "N value", .act = TYPE, .digits = ""},
	    {.words = INSERT_RPK, .act = INSERT, .key = BLACK},
	    {.words = "not blank: black.\nOverwrite it?", .act = YES},
	    {.words = "Enter new", .act = TYPE, .digits = ""},
	    {.words = "Confirm", .act = TYPE, .digits = ""},
	    {.words = "Are you duplicating", .act = NO},
	    END,
	};
	static const struct step another_kind[] = {
	    PRESENT(INSERT_USER, BLACK),
	    {.words = "another kind of PED Key", .act = CLEAR},
	    END,
	};
	struct card_login so = k6_so_login(&k6);

	(void)state;
	k6_script(&k6, over_black);
	assert_int_equal(card_remote_init(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
	assert_int_equal(
	    k6_login_at_ped(&k6, another_kind, ""), CARD_PED_CLEARED);
}

/* An iKey that was changed is none. */
static void
a_damaged_ikey_cannot_be_read(void **state)
{
	static const struct step script[] = {
	    PRESENT(INSERT_USER, BLACK),
	    {.words = "cannot be read.\nInsert a USER", .act = CLEAR},
	    END,
	};

	(void)state;
	k6.person.keys[BLACK][60] ^= 1;
	assert_int_equal(k6_login_at_ped(&k6, script, ""), CARD_PED_CLEARED);
	k6.person.keys[BLACK][60] ^= 1;
	assert_int_equal(k6_login_at_ped(&k6, to_login_user, ""), CARD_OK);
}

/* req: KS-01-036  the HSM's randomness, not the PED's */
static void
secrets_are_the_cards_own(void **state)
{
	struct card_status status;

	(void)state;
	k6_script(&k6, to_initialize);
	card_status(k6.rig.card, &status);
	assert_int_equal(status.ped, CARD_PED_LOCAL);
	assert_string_equal(card_rig_lab(&k6.rig, "fault rng stuck"), "ok");
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_RNG);
	assert_string_equal(card_rig_lab(&k6.rig, "fault rng ok"), "ok");
	k6_script(&k6, to_initialize);
	assert_int_equal(card_initialize(k6.rig.card, "hsm"), CARD_OK);
	person_done(&k6.person);
}

/* While one asks people, another gets no PED; and nothing else is held up. */
static void
one_operation_has_the_ped(void **state)
{
	static const struct step busy[] = {
	    {.words = INSERT_SO, .act = BUSY, .key = BLUE},
	    {.words = "Enter PED PIN.", .act = TYPE, .digits = BLUE_PIN},
	    END,
	};
	struct card_login so;

	(void)state;
	k6_script(&k6, busy);
	assert_int_equal(card_so_login(k6.rig.card, &so), CARD_OK);
	person_done(&k6.person);
	card_logout(k6.rig.card, &so);
}

int
main(void)
{
#define FRESH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define MADE(f)  cmocka_unit_test_setup_teardown(f, set_up_made, tear_down)
	const struct CMUnitTest tests[] = {
	    FRESH(any_two_of_three_log_in),
	    FRESH(shares_of_two_splits_do_not_mix),
	    MADE(m_and_n_are_one_to_sixteen),
	    FRESH(duplicates_made_on_the_way_do_as_the_original),
	    MADE(a_keyset_can_be_used_again),
	    MADE(an_overwritten_ikey_is_lost),
	    MADE(a_damaged_ikey_cannot_be_read),
	    FRESH(secrets_are_the_cards_own),
	    MADE(one_operation_has_the_ped),
	};
#undef FRESH
#undef MADE

	return cmocka_run_group_tests_name("card/dialogue", tests, NULL, NULL);
}

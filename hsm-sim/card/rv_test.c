#include "card/rv.h"

#include "card/rig_test.h"

/* Each row is whole, and its vendor's code is one, or the standard's. */
static void
each_outcome_has_its_codes_and_words(void **state)
{
	unsigned k;

	(void)state;
	for (k = 0; k < CARD_RV_END; k++) {
		enum card_rv rv = (enum card_rv)k;
		CK_RV luna = card_rv_code(rv, true);

		assert_memory_equal(card_rv_name(rv), "CARD_", 5);
		assert_true(strlen(card_rv_text(rv)) > 4);
		assert_true(card_rv_code(rv, false) < CKR_VENDOR_DEFINED);
		assert_true(luna == card_rv_code(rv, false) ||
			    (luna > CKR_VENDOR_DEFINED && luna < 0x80000100));
		assert_int_equal(
		    card_rv_code(rv, false) == CKR_OK, rv == CARD_OK);
	}
	assert_string_equal(card_rv_name(CARD_RV_END), "?");
	assert_int_equal(card_rv_code(CARD_RV_END, false), CKR_GENERAL_ERROR);
}

/* The vendor's numbers, as they are known. */
static void
vendor_codes_are_the_vendors(void **state)
{
	static const struct {
		enum card_rv rv;
		CK_RV standard, luna;
	} cases[] = {
	    {CARD_OK, CKR_OK, CKR_OK},
	    {CARD_PIN_INCORRECT, CKR_PIN_INCORRECT, CKR_PIN_INCORRECT},
	    {CARD_CHALLENGE_INCORRECT, CKR_PIN_INCORRECT, 0x80000067},
	    {CARD_SO_THRESHOLD, CKR_DEVICE_ERROR, 0x8000001c},
	    {CARD_NOT_LOGGED_IN, CKR_USER_NOT_LOGGED_IN, 0x8000001a},
	    {CARD_PED_UNPLUGGED, CKR_DEVICE_ERROR, 0x8000002e},
	    {CARD_PED_CLIENT, CKR_DEVICE_ERROR, 0x8000002d},
	    {CARD_PED_TIMEOUT, CKR_FUNCTION_CANCELED, 0x80000024},
	    {CARD_PED_CLEARED, CKR_FUNCTION_CANCELED, 0x80000023},
	    {CARD_PED_LINK, CKR_DEVICE_ERROR, 0x80000021},
	    {CARD_TAMPERED, CKR_DEVICE_ERROR, 0x80000076},
	    {CARD_NOT_INITIALIZED, CKR_TOKEN_NOT_RECOGNIZED, 0x80000026},
	    {CARD_FULL, CKR_DEVICE_MEMORY, 0x8000002a},
	    {CARD_ALREADY_ACTIVATED, CKR_USER_ALREADY_LOGGED_IN, 0x80000044},
	    {CARD_PIN_EXPIRED, CKR_PIN_EXPIRED, CKR_PIN_EXPIRED},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    card_rv_code(cases[k].rv, false), cases[k].standard);
		assert_int_equal(
		    card_rv_code(cases[k].rv, true), cases[k].luna);
	}
}

static void
errors_become_outcomes(void **state)
{
	static const struct {
		enum err rc;
		enum card_rv rv;
	} cases[] = {
	    {OK, CARD_OK},
	    {ERR_NOMEM, CARD_NO_MEMORY},
	    {ERR_ENTROPY, CARD_RNG},
	    {ERR_SEAL, CARD_PIN_INCORRECT},
	    {ERR_SYSTEM, CARD_STATE},
	    {ERR_CRYPTO, CARD_STATE},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++)
		assert_int_equal(rv_of(cases[k].rc), cases[k].rv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_outcome_has_its_codes_and_words),
	    cmocka_unit_test(vendor_codes_are_the_vendors),
	    cmocka_unit_test(errors_become_outcomes),
	};

	return cmocka_run_group_tests_name("card/rv", tests, NULL, NULL);
}

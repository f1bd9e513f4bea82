#include "crypto/transform.h"

#include "crypto/hex_test.h"
#include "wire/schema.h"

/* ---- actions ---- */

/* clang-format off */
static const struct {
	const char *word;
	enum key_use use;
	bool makes;
} actions[] = {
	[ACTION_ENCRYPT] = { "ENCRYPT", USE_ENCRYPT,     true },
	[ACTION_DECRYPT] = { "DECRYPT", USE_DECRYPT,     false },
	[ACTION_MAC]     = { "MAC",     USE_MAC,         true },
	[ACTION_MACV]    = { "MACV",    USE_MAC_VERIFY,  false },
	[ACTION_SIGN]    = { "SIGN",    USE_SIGN,        true },
	[ACTION_SIGNV]   = { "SIGNV",   USE_SIGN_VERIFY, false },
};
/* clang-format on */

static void
actions_and_the_uses_that_they_are(void **state)
{
	enum transform_action k, got;

	(void)state;
	assert_int_equal(LENGTH(actions), ACTION_COUNT);
	for (k = 0; k < ACTION_COUNT; k++) {
		assert_true(transform_action_find(
		    bytes_of_text(actions[k].word), &got));
		assert_int_equal(got, k);
		assert_string_equal(transform_action_word(k), actions[k].word);
		assert_int_equal(transform_action_use(k), actions[k].use);
		assert_int_equal(transform_action_makes(k), actions[k].makes);
	}
}

static void
other_words_are_no_actions(void **state)
{
	static const char *const words[] = {
	    "", "encrypt", "ENCRYP", "ENCRYPT ", "MACVERIFY", "Sign"};
	enum transform_action got;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(words); k++)
		assert_false(
		    transform_action_find(bytes_of_text(words[k]), &got));
}

/* ---- transformations ---- */

/* clang-format off */
#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

static const struct {
	enum transform_action action;
	const char *asked;
	const char *name; /* NULL: refused */
	uint32_t algorithm;
	size_t iv_octets;
} names[] = {
	{ ACTION_ENCRYPT, "AES/CBC/PKCS5Padding", "AES/CBC/PKCS5Padding", ALG(AES), 16 },
	{ ACTION_DECRYPT, "AES/CBC/NoPadding", "AES/CBC/NoPadding", ALG(AES), 16 },
	{ ACTION_ENCRYPT, "AES", "AES/ECB/PKCS5Padding", ALG(AES), 0 },
	{ ACTION_DECRYPT, "DESede", "DESede/ECB/PKCS5Padding", ALG(3DES), 0 },
	{ ACTION_DECRYPT, "DESede/CBC/NoPadding", "DESede/CBC/NoPadding", ALG(3DES), 8 },
	{ ACTION_ENCRYPT, "DES", "DES/ECB/PKCS5Padding", ALG(DES), 0 },
	{ ACTION_ENCRYPT, "DES/CBC/PKCS5Padding", "DES/CBC/PKCS5Padding", ALG(DES), 8 },
	{ ACTION_ENCRYPT, "SEED", "SEED/ECB/PKCS5Padding", ALG(SEED), 0 },
	{ ACTION_ENCRYPT, "SEED/CBC/NoPadding", "SEED/CBC/NoPadding", ALG(SEED), 16 },
	{ ACTION_ENCRYPT, "RC4", "RC4", ALG(RC4), 0 },
	{ ACTION_MAC, "HmacSHA1", "HmacSHA1", ALG(HMAC_SHA1), 0 },
	{ ACTION_MACV, "HmacSHA512", "HmacSHA512", ALG(HMAC_SHA512), 0 },
	/* RSA is what the action makes of it */
	{ ACTION_ENCRYPT, "RSA", "RSA/ECB/PKCS1Padding", ALG(RSA), 0 },
	{ ACTION_DECRYPT, "RSA/ECB/PKCS1Padding", "RSA/ECB/PKCS1Padding", ALG(RSA), 0 },
	{ ACTION_SIGN, "RSA", "SHA1withRSA", ALG(RSA), 0 },
	{ ACTION_SIGNV, "SHA384withRSA", "SHA384withRSA", ALG(RSA), 0 },

	{ ACTION_ENCRYPT, "", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "aes", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "AES/", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "AES/CBC", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "AES/CBC/PKCS5Padding/", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "AES/CBC/PKCS7Padding", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "AES/CTR/NoPadding", NULL, 0, 0 },
	{ ACTION_ENCRYPT, " AES", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "RC4/ECB/NoPadding", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "ARIA", NULL, 0, 0 },
	/* names that mean something to another action */
	{ ACTION_ENCRYPT, "HmacSHA1", NULL, 0, 0 },
	{ ACTION_ENCRYPT, "SHA1withRSA", NULL, 0, 0 },
	{ ACTION_MAC, "AES/CBC/PKCS5Padding", NULL, 0, 0 },
	{ ACTION_MAC, "RSA", NULL, 0, 0 },
	{ ACTION_SIGN, "RSA/ECB/PKCS1Padding", NULL, 0, 0 },
	{ ACTION_SIGN, "HmacSHA256", NULL, 0, 0 },
	{ ACTION_SIGN, "SHA224withRSA", NULL, 0, 0 },
};
/* clang-format on */

static void
names_and_short_names(void **state)
{
	const struct transform *t;
	enum err rc;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		rc = transform_find(
		    names[k].action, bytes_of_text(names[k].asked), &t);
		if (names[k].name == NULL) {
			if (rc != ERR_FEATURE || t != NULL)
				fail_msg(
				    "\"%s\": %s", names[k].asked, err_name(rc));
			continue;
		}
		assert_int_equal(rc, OK);
		assert_string_equal(t->name, names[k].name);
		assert_int_equal(t->algorithm, names[k].algorithm);
		assert_int_equal(t->iv_octets, names[k].iv_octets);
	}
}

static void
every_row_is_found_by_its_name_for_its_actions_only(void **state)
{
	const struct transform *t, *got;
	enum transform_action action;
	size_t k, does;

	(void)state;
	for (k = 0; (t = transform_at(k)) != NULL; k++) {
		does = 0;
		for (action = 0; action < ACTION_COUNT; action++) {
			if (!transform_does(t, action)) {
				assert_int_equal(
				    transform_find(
					action, bytes_of_text(t->name), &got),
				    ERR_FEATURE);
				continue;
			}
			does++;
			assert_int_equal(transform_find(action,
					     bytes_of_text(t->name), &got),
			    OK);
			assert_ptr_equal(got, t);
		}
		assert_int_equal(does, 2);
		assert_int_equal(t->activated, t->algorithm == ALG(SEED));
	}
	assert_int_equal(k, 26);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(actions_and_the_uses_that_they_are),
	    cmocka_unit_test(other_words_are_no_actions),
	    cmocka_unit_test(names_and_short_names),
	    cmocka_unit_test(
		every_row_is_found_by_its_name_for_its_actions_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

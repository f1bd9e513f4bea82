#include "card/seal.h"

#include "card/rig_test.h"

static struct env *env;
static const uint8_t salt[SEAL_SALT_OCTETS] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static int
set_up(void **state)
{
	(void)state;
	return env_new(&env) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	return 0;
}

static void
assert_hex(struct bytes got, const char *want)
{
	char hex[2 * SEAL_KEY_OCTETS + 1];
	size_t k;

	for (k = 0; k < got.octets; k++)
		(void)snprintf(hex + 2 * k, 3, "%02x", got.at[k]);
	assert_string_equal(hex, want);
}

/*
 * Expected from Python's hashlib.pbkdf2_hmac and from HKDF by hand (hmac), as
 * RFC 8018 and RFC 5869 have them.
 */
static void
keys_are_those_of_the_standards(void **state)
{
	static const struct {
		const char *secret;
		unsigned rounds;
		const char *purpose, *want;
	} cases[] = {
	    {"password", 1, "",
		"e1b08f92be8174d9f442d95d89aa4ccdc311231a4d70d0b854d1548de8fabd"
		"fd"},
	    {"password", 4096, "",
		"91700e3c494e10071700866601efd486e43765fa8b42b9a129203386a5ca50"
		"9b"},
	    {"", 2, "",
		"b01769faf6a2ed2eb6258f32dca850daa77c443f81273b0efb782e1023abdb"
		"25"},
	    {"password", 0, "role",
		"2bb882526b194e2d3ecb18e8a1bf018ad076a402a39d54ff963c4ac050de2a"
		"10"},
	    {"password", 0, "battery",
		"85301cdc6194ad94216c71e20123762f4260ad94c03e1c8143611e65342477"
		"39"},
	};
	struct secret *key;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(seal_key(TEXT(cases[k].secret), salt,
				     cases[k].rounds, cases[k].purpose, &key),
		    OK);
		assert_hex(secret_peek(key), cases[k].want);
		secret_free(key);
	}
}

static void
what_is_sealed_opens_under_its_key_alone(void **state)
{
	uint8_t sealed[5 + SEAL_MORE_OCTETS];
	uint8_t again[5 + SEAL_MORE_OCTETS];
	struct bytes all = {sealed, sizeof(sealed)};
	struct secret *key, *other, *plain;
	size_t k;

	(void)state;
	assert_int_equal(seal_key(TEXT("one"), salt, 0, "p", &key), OK);
	assert_int_equal(seal_key(TEXT("two"), salt, 0, "p", &other), OK);
	assert_int_equal(seal_put(env, key, TEXT("hello"), sealed), OK);
	assert_int_equal(seal_put(env, key, TEXT("hello"), again), OK);
	assert_memory_not_equal(sealed, again, sizeof(sealed));

	assert_int_equal(seal_open(key, all, &plain), OK);
	assert_true(secret_equal_bytes(secret_peek(plain), TEXT("hello")));
	secret_free(plain);
	assert_int_equal(seal_open(other, all, &plain), ERR_SEAL);
	assert_null(plain);
	/* Each octet counts. */
	for (k = 0; k < sizeof(sealed); k++) {
		sealed[k] ^= 1;
		assert_int_equal(seal_open(key, all, &plain), ERR_SEAL);
		sealed[k] ^= 1;
	}
	for (k = 0; k < sizeof(sealed); k++)
		assert_int_equal(
		    seal_open(key, (struct bytes){sealed, k}, &plain),
		    ERR_SEAL);
	secret_free(key);
	secret_free(other);
}

static void
no_randomness_no_seal(void **state)
{
	uint8_t sealed[1 + SEAL_MORE_OCTETS];
	struct secret *key;

	(void)state;
	assert_int_equal(seal_key(TEXT("one"), salt, 0, "p", &key), OK);
	env_break_random(env, true);
	assert_int_equal(seal_put(env, key, TEXT("x"), sealed), ERR_ENTROPY);
	env_break_random(env, false);
	secret_free(key);
}

static void
the_check_sees_a_change(void **state)
{
	uint8_t one[SEAL_CHECK_OCTETS], two[SEAL_CHECK_OCTETS];

	(void)state;
	assert_int_equal(seal_check(TEXT("card"), one), OK);
	assert_int_equal(seal_check(TEXT("card"), two), OK);
	assert_memory_equal(one, two, sizeof(one));
	assert_int_equal(seal_check(TEXT("cars"), two), OK);
	assert_memory_not_equal(one, two, sizeof(one));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(keys_are_those_of_the_standards),
	    CASE(what_is_sealed_opens_under_its_key_alone),
	    CASE(no_randomness_no_seal),
	    CASE(the_check_sees_a_change),
	};
#undef CASE

	return cmocka_run_group_tests_name("card/seal", tests, NULL, NULL);
}

#include "ikey/shamir.h"

#include "ikey/sample_test.h"

static struct env *env;

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

static struct secret *
filled(uint8_t first, uint8_t step)
{
	uint8_t octets[IKEY_SECRET_OCTETS];
	size_t k;

	for (k = 0; k < sizeof(octets); k++)
		octets[k] = (uint8_t)(first + k * step);
	return secret_of((struct bytes){octets, sizeof(octets)});
}

static void
free_shares(struct secret *shares[], unsigned n)
{
	while (n-- != 0)
		secret_free(shares[n]);
}

/*
 * With a secret of 0 and the one coefficient 57 hex, share x is 57 times x:
 * FIPS 197 section 4.2.1 works out 57 times 2, 4, 8 and 10.
 */
static void
shares_are_those_of_fips_197(void **state)
{
	static const struct {
		unsigned index;
		uint8_t want;
	} worked[] = {{1, 0x57}, {2, 0xae}, {4, 0x47}, {8, 0x8e}, {16, 0x07}};
	const uint8_t coefficient = 0x57;
	struct bytes chosen = {&coefficient, 1};
	struct secret *whole = filled(0, 0);
	struct secret *shares[16];
	struct env *fixed;
	size_t k;

	(void)state;
	assert_int_equal(env_new(&fixed), OK);
	env_set_random(fixed, chosen_random, &chosen);
	assert_int_equal(shamir_split(fixed, whole, 2, 16, shares), OK);
	for (k = 0; k < LENGTH(worked); k++) {
		struct secret *want = filled(worked[k].want, 0);

		assert_true(secret_equal(shares[worked[k].index - 1], want));
		secret_free(want);
	}
	free_shares(shares, 16);
	secret_free(whole);
	env_free(fixed);
}

/* Of three terms, by hand: 3 + 5x + 7x^2 at 2 is 3 ^ a ^ 1c, at 3 3 ^ f ^ 1b */
static void
the_first_coefficients_come_first(void **state)
{
	uint8_t coefficients[2 * IKEY_SECRET_OCTETS];
	struct bytes chosen = {coefficients, sizeof(coefficients)};
	static const uint8_t wants[] = {0x01, 0x15, 0x17};
	struct secret *whole = filled(3, 0);
	struct secret *shares[3];
	struct env *fixed;
	size_t k;

	(void)state;
	memset(coefficients, 5, IKEY_SECRET_OCTETS);
	memset(coefficients + IKEY_SECRET_OCTETS, 7, IKEY_SECRET_OCTETS);
	assert_int_equal(env_new(&fixed), OK);
	env_set_random(fixed, chosen_random, &chosen);
	assert_int_equal(shamir_split(fixed, whole, 3, 3, shares), OK);
	for (k = 0; k < 3; k++) {
		struct secret *want = filled(wants[k], 0);

		assert_true(secret_equal(shares[k], want));
		secret_free(want);
	}
	free_shares(shares, 3);
	secret_free(whole);
	env_free(fixed);
}

/* draft-mcgrew-tss-03 section 10: "test", 0; six times, and cut to 32 octets */
static void
shares_of_others_are_joined(void **state)
{
	static const char *const hex[] = {
	    "7465737400", "b9fa07e185", "f5409b4511"};
	static const uint8_t indices[] = {1, 2};
	struct secret *secrets[3];
	struct secret *whole;
	size_t k;
	size_t n;

	(void)state;
	for (k = 0; k < 3; k++) {
		uint8_t five[5];
		uint8_t octets[IKEY_SECRET_OCTETS];

		(void)hex_read(hex[k], five, sizeof(five));
		for (n = 0; n < sizeof(octets); n++)
			octets[n] = five[n % 5];
		secrets[k] = secret_of((struct bytes){octets, sizeof(octets)});
	}
	assert_int_equal(shamir_join(secrets + 1, indices, 2, &whole), OK);
	assert_true(secret_equal(whole, secrets[0]));
	secret_free(whole);
	free_shares(secrets, 3);
}

/* The last m of n in reverse, and one less than that. */
static void
any_m_of_n_shares_give_the_secret_and_fewer_do_not(void **state)
{
	struct secret *whole = filled(7, 9);
	unsigned m;
	unsigned n;
	unsigned k;

	(void)state;
	for (n = 1; n <= IKEY_SHARES_MAX; n++) {
		for (m = 1; m <= n; m++) {
			struct secret *shares[IKEY_SHARES_MAX];
			struct secret *chosen[IKEY_SHARES_MAX];
			uint8_t indices[IKEY_SHARES_MAX];
			struct secret *joined;

			assert_int_equal(
			    shamir_split(env, whole, m, n, shares), OK);
			for (k = 0; k < m; k++) {
				indices[k] = (uint8_t)(n - k);
				chosen[k] = shares[n - k - 1];
				assert_int_equal(
				    secret_equal(chosen[k], whole), m == 1);
			}
			assert_int_equal(
			    shamir_join(chosen, indices, m, &joined), OK);
			assert_true(secret_equal(joined, whole));
			secret_free(joined);
			if (m > 1) {
				assert_int_equal(shamir_join(chosen, indices,
						     m - 1, &joined),
				    OK);
				assert_false(secret_equal(joined, whole));
				secret_free(joined);
			}
			free_shares(shares, n);
		}
	}
	secret_free(whole);
}

/* clang-format off */
static const struct {
	const char *name;
	uint8_t indices[17];
	unsigned count;
	enum err want;
} joins[] = {
	{ "one",              { 1 },       1, OK },
	{ "none",             { 1 },       0, ERR_VALUE },
	{ "an index of 0",    { 0 },       1, ERR_VALUE },
	{ "two",              { 1, 2 },    2, OK },
	{ "the same twice",   { 2, 2 },    2, ERR_VALUE },
	{ "three",            { 3, 1, 2 }, 3, OK },
	{ "the first again",  { 3, 1, 3 }, 3, ERR_VALUE },
	{ "16", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	  16, OK },
	{ "17", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 },
	  17, ERR_VALUE },
};

static const struct {
	const char *name;
	unsigned m, n;
	enum err want;
} splits[] = {
	{ "1 of 1",   1,  1,  OK },
	{ "0 of 1",   0,  1,  ERR_VALUE },
	{ "0 of 0",   0,  0,  ERR_VALUE },
	{ "2 of 1",   2,  1,  ERR_VALUE },
	{ "16 of 16", 16, 16, OK },
	{ "1 of 17",  1,  17, ERR_VALUE },
};
/* clang-format on */

static void
what_cannot_be_shares_is_refused(void **state)
{
	struct secret *shares[17];
	struct secret *same = filled(1, 1);
	struct secret *joined;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(shares); k++)
		shares[k] = same;
	for (k = 0; k < LENGTH(joins); k++) {
		print_message("%s\n", joins[k].name);
		assert_int_equal(shamir_join(shares, joins[k].indices,
				     joins[k].count, &joined),
		    joins[k].want);
		assert_int_equal(joined != NULL, joins[k].want == OK);
		secret_free(joined);
	}
	for (k = 0; k < LENGTH(splits); k++) {
		print_message("%s\n", splits[k].name);
		assert_int_equal(
		    shamir_split(env, same, splits[k].m, splits[k].n, shares),
		    splits[k].want);
		if (splits[k].want == OK)
			free_shares(shares, splits[k].n);
	}
	secret_free(same);
}

static void
without_randomness_there_are_no_shares(void **state)
{
	struct secret *whole = filled(1, 1);
	struct secret *shares[2] = {whole, whole};

	(void)state;
	env_break_random(env, true);
	assert_int_equal(shamir_split(env, whole, 2, 2, shares), ERR_ENTROPY);
	env_break_random(env, false);
	assert_null(shares[0]);
	assert_null(shares[1]);
	secret_free(whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_are_those_of_fips_197),
	    cmocka_unit_test(the_first_coefficients_come_first),
	    cmocka_unit_test(shares_of_others_are_joined),
	    cmocka_unit_test(
		any_m_of_n_shares_give_the_secret_and_fewer_do_not),
	    cmocka_unit_test(what_cannot_be_shares_is_refused),
	    cmocka_unit_test(without_randomness_there_are_no_shares),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

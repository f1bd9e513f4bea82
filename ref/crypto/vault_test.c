#include "crypto/vault.h"

#include "crypto/softhsm_test.h"

static char dir[256];
static char path[300];
static char other_path[300];
static struct env *env;
static struct buf sealed;

static const char secret[] = "MxCT-c7F9-HHX5-YtH3";

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	assert_int_equal(ossl_init(), OK);
	assert_int_equal(env_new(&env), OK);
	env_set_random(env, random_drbg, NULL);
	(void)snprintf(
	    dir, sizeof(dir), "%s/vault.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/vault.key", dir);
	(void)snprintf(other_path, sizeof(other_path), "%s/other.key", dir);
	buf_init(&sealed, 1000);
	return vault_seal(env, path, "one", bytes_of_text(secret), &sealed) !=
	       OK;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_clear(&sealed);
	env_free(env);
	return nftw(dir, softhsm_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static enum err
opened(const char *key, const char *name, struct bytes in)
{
	struct secret *out;
	enum err rc = vault_open(key, name, in, &out);

	if (rc == OK)
		assert_true(bytes_equal_text(secret_peek(out), secret));
	else
		assert_null(out);
	secret_free(out);
	return rc;
}

static void
what_was_sealed_opens_under_its_name(void **state)
{
	struct buf again;

	(void)state;
	assert_int_equal(
	    sealed.octets, VAULT_OVERHEAD_OCTETS + sizeof(secret) - 1);
	assert_null(memmem(sealed.at, sealed.octets, secret, 4));
	assert_int_equal(opened(path, "one", buf_peek(&sealed)), OK);
	assert_int_equal(opened(path, "two", buf_peek(&sealed)), ERR_SEAL);
	assert_int_equal(opened(path, "on", buf_peek(&sealed)), ERR_SEAL);
	/* never the same twice, and the same key */
	buf_init(&again, 1000);
	assert_int_equal(
	    vault_seal(env, path, "one", bytes_of_text(secret), &again), OK);
	assert_false(bytes_equal(buf_peek(&again), buf_peek(&sealed)));
	assert_int_equal(opened(path, "one", buf_peek(&again)), OK);
	buf_clear(&again);
}

static void
what_was_changed_or_cut_does_not_open(void **state)
{
	struct bytes in = buf_peek(&sealed);
	size_t k;

	(void)state;
	for (k = 0; k < in.octets; k++) {
		sealed.at[k] ^= 0x80;
		assert_int_not_equal(opened(path, "one", in), OK);
		sealed.at[k] ^= 0x80;
		assert_int_equal(
		    opened(path, "one", (struct bytes){in.at, k}), ERR_SEAL);
	}
	sealed.at[5]++; /* the oldest release that can read it */
	assert_int_equal(opened(path, "one", in), ERR_STORE_VERSION);
	sealed.at[5]--;
	assert_int_equal(opened(path, "one", in), OK);
}

static void
the_key_is_a_file_of_its_owner(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(
	    opened(other_path, "one", buf_peek(&sealed)), ERR_CONFIG);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(opened(path, "one", buf_peek(&sealed)), ERR_CONFIG);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(opened(path, "one", buf_peek(&sealed)), ERR_CONFIG);
	assert_int_equal(truncate(path, 33), 0);
	assert_int_equal(opened(path, "one", buf_peek(&sealed)), ERR_CONFIG);
}

static void
another_key_does_not_open_it(void **state)
{
	struct buf other;

	(void)state;
	buf_init(&other, 1000);
	assert_int_equal(
	    vault_seal(env, other_path, "one", bytes_of_text(secret), &other),
	    OK);
	assert_int_equal(
	    opened(other_path, "one", buf_peek(&sealed)), ERR_SEAL);
	assert_int_equal(opened(path, "one", buf_peek(&other)), ERR_SEAL);
	buf_clear(&other);
}

static void
a_secret_has_a_longest_length(void **state)
{
	static const uint8_t lot[VAULT_SECRET_MAX_OCTETS + 1];
	struct secret *out = NULL;
	struct buf long_one;

	(void)state;
	buf_init(&long_one, VAULT_OVERHEAD_OCTETS + VAULT_SECRET_MAX_OCTETS);
	assert_int_equal(vault_seal(env, path, "one",
			     (struct bytes){lot, sizeof(lot)}, &long_one),
	    ERR_LIMIT);
	assert_int_equal(long_one.octets, 0);
	assert_int_equal(
	    vault_seal(env, path, "one",
		(struct bytes){lot, VAULT_SECRET_MAX_OCTETS}, &long_one),
	    OK);
	assert_int_equal(
	    vault_open(path, "one", buf_peek(&long_one), &out), OK);
	assert_int_equal(secret_peek(out).octets, VAULT_SECRET_MAX_OCTETS);
	secret_free(out);
	buf_clear(&long_one);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_sealed_opens_under_its_name),
	    TEST(what_was_changed_or_cut_does_not_open),
	    TEST(the_key_is_a_file_of_its_owner),
	    TEST(another_key_does_not_open_it),
	    TEST(a_secret_has_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

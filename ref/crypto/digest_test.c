#include "crypto/digest.h"

#include "crypto/hex_test.h"
#include "crypto/ossl.h"
#include "crypto/random.h"
#include "wire/schema.h"

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	return ossl_init() != OK || arena_new(1 << 20, &arena) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/*
 * Of "abc". SHA-1 and SHA-2: FIPS 180-4 (and perl's Digest::SHA says the
 * same); SHA-3: FIPS 202 (and python's _sha3); MD4 and MD5: RFC 1320, 1321;
 * RIPEMD-160 and Whirlpool: their authors' pages.
 */
/* clang-format off */
static const struct {
	uint32_t algorithm;
	const char *want;
} of_abc[] = {
	{ HASHING_ALGORITHM_MD4, "a448017aaf21d8525fc10ae87aa6729d" },
	{ HASHING_ALGORITHM_MD5, "900150983cd24fb0d6963f7d28e17f72" },
	{ HASHING_ALGORITHM_SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ HASHING_ALGORITHM_SHA_224,
	  "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
	{ HASHING_ALGORITHM_SHA_256,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ HASHING_ALGORITHM_SHA_384,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ HASHING_ALGORITHM_SHA_512,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ HASHING_ALGORITHM_RIPEMD_160,
	  "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc" },
	{ HASHING_ALGORITHM_WHIRLPOOL,
	  "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c"
	  "7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5" },
	{ HASHING_ALGORITHM_SHA_512_224,
	  "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa" },
	{ HASHING_ALGORITHM_SHA_512_256,
	  "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23" },
	{ HASHING_ALGORITHM_SHA3_224,
	  "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf" },
	{ HASHING_ALGORITHM_SHA3_256,
	  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
	{ HASHING_ALGORITHM_SHA3_384,
	  "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
	  "98d88cea927ac7f539f1edf228376d25" },
	{ HASHING_ALGORITHM_SHA3_512,
	  "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
	  "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0" },
};
/* clang-format on */

static void
each_algorithm_gives_its_published_digest(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(of_abc); k++) {
		uint8_t out[DIGEST_MAX_OCTETS];
		size_t octets = 0;

		print_message("Hashing Algorithm %u\n", of_abc[k].algorithm);
		assert_int_equal(digest_make(of_abc[k].algorithm,
				     bytes_of_text("abc"), out, &octets),
		    OK);
		assert_string_equal(
		    hex_text(arena, (struct bytes){out, octets}),
		    of_abc[k].want);
		assert_int_equal(digest_octets(of_abc[k].algorithm), octets);
	}
}

static void
one_octet_more_is_another_digest(void **state)
{
	uint8_t abc[DIGEST_MAX_OCTETS], abcd[DIGEST_MAX_OCTETS];
	size_t octets;

	(void)state;
	assert_int_equal(digest_make(HASHING_ALGORITHM_SHA_256,
			     bytes_of_text("abc"), abc, &octets),
	    OK);
	assert_int_equal(digest_make(HASHING_ALGORITHM_SHA_256,
			     bytes_of_text("abcd"), abcd, NULL),
	    OK);
	assert_memory_not_equal(abc, abcd, octets);
}

static void
nothing_has_a_digest_too(void **state)
{
	uint8_t out[DIGEST_MAX_OCTETS];
	size_t octets;

	(void)state;
	assert_int_equal(
	    digest_make(HASHING_ALGORITHM_SHA_256, BYTES_NONE, out, &octets),
	    OK);
	assert_string_equal(hex_text(arena, (struct bytes){out, octets}),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* MD2, Tiger, no algorithm, one past the last, and numbers of no table. */
static void
an_algorithm_we_lack_is_refused(void **state)
{
	static const uint32_t lacking[] = {0, HASHING_ALGORITHM_MD2,
	    HASHING_ALGORITHM_TIGER, HASHING_ALGORITHM_SHA3_512 + 1, 0x80000001,
	    UINT32_MAX};
	uint8_t out[DIGEST_MAX_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lacking); k++) {
		assert_int_equal(
		    digest_make(lacking[k], bytes_of_text("abc"), out, NULL),
		    ERR_FEATURE);
		assert_int_equal(digest_hmac(lacking[k], bytes_of_text("k"),
				     bytes_of_text("abc"), out, NULL),
		    ERR_FEATURE);
		assert_int_equal(digest_octets(lacking[k]), 0);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	uint32_t algorithm;
	const char *key;
	const char *data;
	const char *want;
} macs[] = {
	{ "RFC 2202 HMAC-MD5 case 2", CRYPTOGRAPHIC_ALGORITHM_HMAC_MD5,
	  "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "750c783e6ab0b503eaa86e310a5db738" },
	{ "RFC 2202 HMAC-SHA-1 case 2", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA1,
	  "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "RFC 4231 HMAC-SHA-256 case 2", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256,
	  "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "the same, one bit of the key off",
	  CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256,
	  "4a656664", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  NULL },
	{ "RFC 4231 HMAC-SHA-512 case 1", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA512,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	/* perl -MDigest::SHA=hmac_sha256_hex -e 'print hmac_sha256_hex("","")' */
	{ "no key, no data", CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA256, "", "",
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};
/* clang-format on */

static void
hmacs_are_as_published(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(macs); k++) {
		uint8_t out[DIGEST_MAX_OCTETS];
		size_t octets = 0;
		const char *got;

		print_message("%s\n", macs[k].name);
		assert_int_equal(
		    digest_hmac(digest_of_hmac(macs[k].algorithm),
			hex_read(arena, macs[k].key),
			hex_read(arena, macs[k].data), out, &octets),
		    OK);
		got = hex_text(arena, (struct bytes){out, octets});
		if (macs[k].want != NULL)
			assert_string_equal(got, macs[k].want);
		else
			assert_string_not_equal(got, macs[k - 1].want);
	}
}

static void
only_hmac_keys_have_a_hash(void **state)
{
	(void)state;
	assert_int_equal(digest_of_hmac(CRYPTOGRAPHIC_ALGORITHM_HMAC_SHA3_384),
	    HASHING_ALGORITHM_SHA3_384);
	assert_int_equal(digest_of_hmac(CRYPTOGRAPHIC_ALGORITHM_AES), 0);
	assert_int_equal(digest_of_hmac(0), 0);
}

static void
the_drbg_does_not_repeat_itself(void **state)
{
	uint8_t first[64], second[64];

	(void)state;
	assert_int_equal(random_drbg(NULL, first, sizeof(first)), OK);
	assert_int_equal(random_drbg(NULL, second, sizeof(second)), OK);
	assert_memory_not_equal(first, second, sizeof(first));
}

static void
a_broken_source_makes_no_secret(void **state)
{
	struct secret *s = NULL;
	struct env *env = NULL;

	(void)state;
	assert_int_equal(env_new(&env), OK);
	env_set_random(env, random_drbg, NULL);
	assert_int_equal(random_secret(env, 32, &s), OK);
	assert_int_equal(secret_peek(s).octets, 32);
	secret_free(s);
	env_break_random(env, true);
	assert_int_equal(random_secret(env, 32, &s), ERR_ENTROPY);
	assert_null(s);
	env_free(env);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_algorithm_gives_its_published_digest),
	    cmocka_unit_test(one_octet_more_is_another_digest),
	    cmocka_unit_test(nothing_has_a_digest_too),
	    cmocka_unit_test(an_algorithm_we_lack_is_refused),
	    cmocka_unit_test(hmacs_are_as_published),
	    cmocka_unit_test(only_hmac_keys_have_a_hash),
	    cmocka_unit_test(the_drbg_does_not_repeat_itself),
	    cmocka_unit_test(a_broken_source_makes_no_secret),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include "crypto/aead.h"

#include "crypto/hex_test.h"
#include "crypto/ossl.h"

/* SP 800-38D's own cases 13, 14 and 16 (256-bit keys), as in its annex. */
static const struct {
	const char *key;
	const char *nonce;
	const char *aad;
	const char *plain;
	const char *sealed;
} cases[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
	"000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000",
	"000000000000000000000000", "", "00000000000000000000000000000000",
	"cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	"cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	"76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void
test_known_answers(void **state)
{
	struct arena *a;
	size_t k;

	(void)state;
	assert_int_equal(ossl_init(), OK);
	assert_int_equal(arena_new(10000, &a), OK);
	for (k = 0; k < LENGTH(cases); k++) {
		const uint8_t *key = hex_read(a, cases[k].key).at;
		const uint8_t *nonce = hex_read(a, cases[k].nonce).at;
		struct bytes aad = hex_read(a, cases[k].aad);
		struct bytes plain = hex_read(a, cases[k].plain);
		struct bytes sealed = hex_read(a, cases[k].sealed);
		uint8_t out[100];

		assert_int_equal(sealed.octets, plain.octets + AEAD_TAG_OCTETS);
		assert_int_equal(aead_seal(key, nonce, aad, plain, out), OK);
		assert_memory_equal(out, sealed.at, sealed.octets);
		assert_int_equal(aead_open(key, nonce, aad, sealed, out), OK);
		if (plain.octets != 0)
			assert_memory_equal(out, plain.at, plain.octets);
	}
	arena_free(a);
}

static void
test_what_differs_does_not_open(void **state)
{
	static const uint8_t key[AEAD_KEY_OCTETS] = {1};
	static const uint8_t other_key[AEAD_KEY_OCTETS] = {2};
	static const uint8_t nonce[AEAD_NONCE_OCTETS] = {3};
	static const uint8_t other_nonce[AEAD_NONCE_OCTETS] = {4};
	struct bytes aad = bytes_of_text("bound");
	uint8_t sealed[6 + AEAD_TAG_OCTETS];
	struct bytes in = {sealed, sizeof(sealed)};
	uint8_t out[6];
	size_t k;

	(void)state;
	assert_int_equal(ossl_init(), OK);
	assert_int_equal(
	    aead_seal(key, nonce, aad, bytes_of_text("secret"), sealed), OK);
	assert_int_equal(aead_open(key, nonce, aad, in, out), OK);
	assert_int_equal(aead_open(other_key, nonce, aad, in, out), ERR_SEAL);
	assert_int_equal(aead_open(key, other_nonce, aad, in, out), ERR_SEAL);
	assert_int_equal(
	    aead_open(key, nonce, bytes_of_text("bounc"), in, out), ERR_SEAL);
	for (k = 0; k < sizeof(sealed); k++) {
		sealed[k] ^= 0x80;
		memset(out, 'x', sizeof(out));
		assert_int_equal(aead_open(key, nonce, aad, in, out), ERR_SEAL);
		assert_int_equal(out[0], 0); /* wiped */
		sealed[k] ^= 0x80;
	}
	in.octets = AEAD_TAG_OCTETS - 1;
	assert_int_equal(aead_open(key, nonce, aad, in, out), ERR_SEAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_what_differs_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

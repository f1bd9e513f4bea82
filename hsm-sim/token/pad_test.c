#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "token/pad.h"

enum { MODULUS = 256 };

static struct env *env;

static int
set_up(void **state)
{
	(void)state;
	return env_new(&env) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	return 0;
}

static const struct pad_oaep pads[] = {
    {PAD_SHA1, PAD_SHA1, {NULL, 0}},
    {PAD_SHA224, PAD_SHA1, {(const uint8_t *)"x", 1}},
    {PAD_SHA256, PAD_SHA256, {(const uint8_t *)"label", 5}},
    {PAD_SHA384, PAD_SHA224, {NULL, 0}},
    {PAD_SHA512, PAD_SHA512, {NULL, 0}},
    {PAD_SHA512, PAD_SHA384, {(const uint8_t *)"label", 5}},
};
enum { PADS = sizeof(pads) / sizeof(pads[0]) };

/* spec: rfc8017 7.1.1  mLen is at most k - 2 hLen - 2 */
static void
room_is_what_is_left(void **state)
{
	static const struct {
		enum pad_hash hash;
		size_t modulus, room;
	} cases[] = {
	    {PAD_SHA1, 256, 214},
	    {PAD_SHA256, 256, 190},
	    {PAD_SHA512, 256, 126},
	    {PAD_SHA512, 131, 1},
	    {PAD_SHA512, 130, 0},
	    {PAD_SHA512, 64, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pad_oaep oaep = {cases[i].hash, PAD_SHA1, {NULL, 0}};

		assert_int_equal(
		    pad_oaep_room(&oaep, cases[i].modulus), cases[i].room);
	}
}

static void
what_is_closed_opens(void **state)
{
	uint8_t in[MODULUS], padded[MODULUS];
	struct bytes message;
	size_t i, octets;

	(void)state;
	memset(in, 1, sizeof(in)); /* as the octet before the message */
	for (i = 0; i < PADS; i++) {
		size_t room = pad_oaep_room(&pads[i], MODULUS);

		for (octets = 0; octets <= room; octets += room / 2) {
			assert_int_equal(
			    pad_oaep_close(&pads[i], env,
				(struct bytes){in, octets}, padded, MODULUS),
			    OK);
			assert_int_equal(padded[0], 0);
			assert_int_equal(
			    pad_oaep_open(&pads[i], padded, MODULUS, &message),
			    OK);
			assert_int_equal(message.octets, octets);
			assert_memory_equal(message.at, in, octets);
		}
		assert_int_equal(
		    pad_oaep_close(&pads[i], env, (struct bytes){in, room + 1},
			padded, MODULUS),
		    ERR_LENGTH);
	}
}

/* Each octet matters, to one answer; and so do hash, mask and label. */
static void
what_was_changed_does_not_open(void **state)
{
	static const uint8_t in[] = "message", none[MODULUS];
	uint8_t padded[MODULUS], changed[MODULUS];
	const struct pad_oaep good = pads[2];
	struct pad_oaep other[3] = {good, good, good};
	struct bytes message;
	size_t i;

	(void)state;
	other[0].hash = PAD_SHA1;
	other[1].mgf = PAD_SHA1;
	other[2].label.octets--;
	assert_int_equal(pad_oaep_close(&good, env,
			     (struct bytes){in, sizeof(in)}, padded, MODULUS),
	    OK);
	for (i = 0; i < MODULUS; i++) {
		memcpy(changed, padded, MODULUS);
		changed[i] ^= 1;
		assert_int_equal(
		    pad_oaep_open(&good, changed, MODULUS, &message),
		    ERR_CRYPTO);
		assert_memory_equal(changed, none, MODULUS);
		assert_null(message.at);
	}
	for (i = 0; i < 3; i++) {
		memcpy(changed, padded, MODULUS);
		assert_int_equal(
		    pad_oaep_open(&other[i], changed, MODULUS, &message),
		    ERR_CRYPTO);
	}
	assert_int_equal(pad_oaep_open(&good, padded, MODULUS, &message), OK);
}

static void
modulus_is_longer_than_two_hashes(void **state)
{
	uint8_t padded[MODULUS] = {0};
	struct bytes message;

	(void)state;
	assert_int_equal(
	    pad_oaep_close(&pads[0], env, BYTES_NONE, padded, 42), OK);
	assert_int_equal(pad_oaep_open(&pads[0], padded, 42, &message), OK);
	assert_int_equal(message.octets, 0);
	assert_int_equal(
	    pad_oaep_close(&pads[0], env, BYTES_NONE, padded, 41), ERR_LENGTH);
	assert_int_equal(
	    pad_oaep_open(&pads[0], padded, 41, &message), ERR_CRYPTO);
}

/* OpenSSL, which had no part in it, opens what is closed here. */
static void
openssl_agrees(void **state)
{
	static const char *const names[PAD_HASHES] = {
	    "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};
	EVP_PKEY *key = EVP_RSA_gen(MODULUS * 8);
	uint8_t padded[MODULUS], sealed[MODULUS], out[MODULUS];
	size_t i;

	(void)state;
	assert_non_null(key);
	for (i = 0; i < PADS; i++) {
		EVP_PKEY_CTX *raw = EVP_PKEY_CTX_new(key, NULL);
		EVP_PKEY_CTX *oaep = EVP_PKEY_CTX_new(key, NULL);
		size_t octets = sizeof(sealed);
		void *label = OPENSSL_memdup(
		    pads[i].label.octets > 0 ? pads[i].label.at : padded,
		    pads[i].label.octets + 1);

		assert_int_equal(pad_oaep_close(&pads[i], env,
				     bytes_of_text("hello"), padded, MODULUS),
		    OK);
		assert_int_equal(EVP_PKEY_encrypt_init(raw), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(raw, RSA_NO_PADDING), 1);
		assert_int_equal(
		    EVP_PKEY_encrypt(raw, sealed, &octets, padded, MODULUS), 1);
		assert_int_equal(EVP_PKEY_decrypt_init(oaep), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(oaep, RSA_PKCS1_OAEP_PADDING),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(
				     oaep, names[pads[i].hash], NULL),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(
				     oaep, names[pads[i].mgf], NULL),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(
				     oaep, label, (int)pads[i].label.octets),
		    1);
		octets = sizeof(out);
		assert_int_equal(
		    EVP_PKEY_decrypt(oaep, out, &octets, sealed, MODULUS), 1);
		assert_int_equal(octets, 5);
		assert_memory_equal(out, "hello", 5);
		EVP_PKEY_CTX_free(oaep);
		EVP_PKEY_CTX_free(raw);
	}
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(room_is_what_is_left),
	    cmocka_unit_test(what_is_closed_opens),
	    cmocka_unit_test(what_was_changed_does_not_open),
	    cmocka_unit_test(modulus_is_longer_than_two_hashes),
	    cmocka_unit_test(openssl_agrees),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

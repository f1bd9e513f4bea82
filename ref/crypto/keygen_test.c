#include "crypto/keygen.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "crypto/curve.h"
#include "crypto/hex_test.h"
#include "crypto/keyformat.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

static struct env *env;

static int
set_up(void **state)
{
	(void)state;
	if (ossl_init() != OK || env_new(&env) != OK)
		return 1;
	env_set_random(env, random_drbg, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	env_free(env);
	return 0;
}

/* clang-format off */
static const struct {
	uint32_t algorithm;
	uint32_t bits;
	size_t octets;      /* 0: refused */
	const char *lengths; /* what the refusal says */
} symmetric[] = {
	{ ALG(AES), 128, 16, NULL },
	{ ALG(AES), 192, 24, NULL },
	{ ALG(AES), 256, 32, NULL },
	{ ALG(AES), 0, 0, "AES takes 128, 192, 256" },
	{ ALG(AES), 64, 0, "Cryptographic Length 64: AES takes 128, 192, 256" },
	{ ALG(AES), 127, 0, "AES takes" },
	{ ALG(AES), 129, 0, "AES takes" },
	{ ALG(AES), 160, 0, "AES takes" },
	{ ALG(AES), 320, 0, "AES takes" },
	{ ALG(AES), UINT32_MAX, 0, "AES takes" },
	{ ALG(3DES), 112, 16, NULL },
	{ ALG(3DES), 128, 16, NULL },
	{ ALG(3DES), 168, 24, NULL },
	{ ALG(3DES), 192, 24, NULL },
	{ ALG(3DES), 56, 0, "3DES takes 112, 168, 128, 192" },
	{ ALG(3DES), 160, 0, "3DES takes" },
	{ ALG(DES), 56, 8, NULL },
	{ ALG(DES), 64, 8, NULL },
	{ ALG(DES), 112, 0, "DES takes 56, 64" },
	{ ALG(SKIPJACK), 80, 10, NULL },
	{ ALG(SKIPJACK), 88, 0, "SKIPJACK takes 80" },
	{ ALG(BLOWFISH), 32, 4, NULL },
	{ ALG(BLOWFISH), 448, 56, NULL },
	{ ALG(BLOWFISH), 24, 0, "Blowfish takes 32 to 448 in steps of 8" },
	{ ALG(BLOWFISH), 36, 0, "Blowfish takes" },
	{ ALG(BLOWFISH), 456, 0, "Blowfish takes" },
	{ ALG(RC4), 40, 5, NULL },
	{ ALG(RC4), 2048, 256, NULL },
	{ ALG(RC4), 2056, 0, "RC4 takes" },
	{ ALG(CAMELLIA), 192, 24, NULL },
	{ ALG(CAMELLIA), 512, 0, "Camellia takes" },
	{ ALG(IDEA), 128, 16, NULL },
	{ ALG(IDEA), 256, 0, "IDEA takes 128" },
	{ ALG(CHACHA20), 256, 32, NULL },
	{ ALG(CHACHA20), 128, 0, "ChaCha20 takes 256" },
	{ ALG(HMAC_SHA256), 8, 1, NULL },
	{ ALG(HMAC_SHA256), 256, 32, NULL },
	{ ALG(HMAC_SHA256), 8192, 1024, NULL },
	{ ALG(HMAC_SHA256), 0, 0, "HMAC-SHA256 takes" },
	{ ALG(HMAC_SHA256), 8200, 0, "HMAC-SHA256 takes" },
};
/* clang-format on */

static void
each_algorithm_takes_its_lengths_and_no_others(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(symmetric); k++) {
		struct secret *key = NULL;
		struct fault f = {""};
		enum err rc;

		print_message("algorithm %u, %u bits\n", symmetric[k].algorithm,
		    symmetric[k].bits);
		assert_int_equal(keygen_symmetric_octets(
				     symmetric[k].algorithm, symmetric[k].bits),
		    symmetric[k].octets);
		rc = keygen_symmetric(
		    env, symmetric[k].algorithm, symmetric[k].bits, &f, &key);
		if (symmetric[k].octets != 0) {
			assert_int_equal(rc, OK);
			assert_int_equal(
			    secret_peek(key).octets, symmetric[k].octets);
		} else {
			assert_int_equal(rc, ERR_FIELD);
			assert_null(key);
			assert_non_null(strstr(f.text, symmetric[k].lengths));
		}
		secret_free(key);
	}
}

static void
algorithms_without_symmetric_keys_are_refused(void **state)
{
	static const uint32_t none[] = {
	    0, ALG(RSA), ALG(EC), ALG(SHA3_256), ALG(XMSS), 0x80000001};
	struct secret *key = NULL;
	struct fault f;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(none); k++) {
		assert_int_equal(
		    keygen_symmetric(env, none[k], 256, &f, &key), ERR_FEATURE);
		assert_null(key);
	}
}

static void
two_keys_differ(void **state)
{
	struct secret *a = NULL, *b = NULL;
	struct fault f;

	(void)state;
	assert_int_equal(keygen_symmetric(env, ALG(AES), 256, &f, &a), OK);
	assert_int_equal(keygen_symmetric(env, ALG(AES), 256, &f, &b), OK);
	assert_false(secret_equal(a, b));
	secret_free(a);
	secret_free(b);
}

static void
lengths_follow_from_octets(void **state)
{
	(void)state;
	assert_int_equal(keygen_symmetric_bits(ALG(AES), 16), 128);
	assert_int_equal(keygen_symmetric_bits(ALG(AES), 17), 0);
	assert_int_equal(keygen_symmetric_bits(ALG(AES), 0), 0);
	assert_int_equal(keygen_symmetric_bits(ALG(AES), SIZE_MAX / 4), 0);
	assert_int_equal(keygen_symmetric_bits(ALG(DES), 8), 56);
	assert_int_equal(keygen_symmetric_bits(ALG(3DES), 16), 112);
	assert_int_equal(keygen_symmetric_bits(ALG(3DES), 24), 168);
	assert_int_equal(keygen_symmetric_bits(ALG(3DES), 8), 0);
	assert_int_equal(keygen_symmetric_bits(ALG(SKIPJACK), 10), 80);
	assert_int_equal(keygen_symmetric_bits(ALG(HMAC_SHA1), 20), 160);
	assert_int_equal(keygen_symmetric_bits(ALG(RSA), 32), 0);
}

static void
only_what_cannot_be_another_has_a_default_length(void **state)
{
	(void)state;
	assert_int_equal(keygen_default_bits(ALG(DES)), 56);
	assert_int_equal(keygen_default_bits(ALG(SKIPJACK)), 80);
	assert_int_equal(keygen_default_bits(ALG(CHACHA20)), 256);
	assert_int_equal(keygen_default_bits(ALG(HMAC_SHA384)), 384);
	assert_int_equal(keygen_default_bits(ALG(ED25519)), 256);
	assert_int_equal(keygen_default_bits(ALG(AES)), 0);
	assert_int_equal(keygen_default_bits(ALG(3DES)), 0);
	assert_int_equal(keygen_default_bits(ALG(RSA)), 0);
	assert_int_equal(keygen_default_bits(0), 0);
}

static void
des_keys_have_odd_parity(void **state)
{
	struct secret *key = NULL;
	struct fault f;
	size_t k;
	int round;

	(void)state;
	for (round = 0; round < 50; round++) {
		assert_int_equal(
		    keygen_symmetric(env, ALG(3DES), 168, &f, &key), OK);
		for (k = 0; k < 24; k++)
			assert_int_equal(
			    __builtin_popcount(secret_peek(key).at[k]) % 2, 1);
		secret_free(key);
	}
}

/* A source that repeats what it is told to, draw by draw. */
struct script {
	const char *const *draws; /* hex; the last one again and again */
	size_t at;
};
static struct script script;

static enum err
scripted(void *ctx, uint8_t *out, size_t octets)
{
	struct script *from = ctx;
	const char *hex = from->draws[from->at];
	unsigned value;
	size_t k;

	if (from->draws[from->at + 1] != NULL)
		from->at++;
	for (k = 0; k < octets; k++) {
		assert_int_equal(sscanf(hex + 2 * k, "%2x", &value), 1);
		out[k] = (uint8_t)value;
	}
	return OK;
}

#define GOOD_1 "133457799bbcdff1"
#define GOOD_2 "0123456789abcdef"
#define GOOD_3 "23456789abcdef01"

/* clang-format off */
static const struct {
	const char *name;
	uint32_t algorithm;
	uint32_t bits;
	const char *const draws[3];
	size_t used; /* which draw became the key */
} weak[] = {
	{ "weak", ALG(DES), 56,
	  { "0101010101010101", GOOD_1 }, 1 },
	{ "weak, other parity", ALG(DES), 56,
	  { "0000000000000000", GOOD_1 }, 1 },
	{ "semi-weak", ALG(DES), 56,
	  { "fee0fee0fef1fef1", GOOD_1 }, 1 },
	{ "one bit beside a weak one", ALG(DES), 56,
	  { "0101010101010102", GOOD_1 }, 0 },
	{ "equal halves", ALG(3DES), 112,
	  { GOOD_1 GOOD_1, GOOD_1 GOOD_2 }, 1 },
	{ "different halves", ALG(3DES), 112,
	  { GOOD_2 GOOD_1, GOOD_1 GOOD_2 }, 0 },
	{ "first and second equal", ALG(3DES), 168,
	  { GOOD_1 GOOD_1 GOOD_2, GOOD_1 GOOD_2 GOOD_3 }, 1 },
	{ "second and third equal", ALG(3DES), 168,
	  { GOOD_1 GOOD_2 GOOD_2, GOOD_1 GOOD_2 GOOD_3 }, 1 },
	{ "first and third equal", ALG(3DES), 168,
	  { GOOD_1 GOOD_2 GOOD_1, GOOD_1 GOOD_2 GOOD_3 }, 1 },
	{ "a weak part", ALG(3DES), 168,
	  { GOOD_1 GOOD_2 "1f1f1f1f0e0e0e0e", GOOD_1 GOOD_2 GOOD_3 }, 1 },
	{ "three good parts", ALG(3DES), 168,
	  { GOOD_3 GOOD_2 GOOD_1, GOOD_1 GOOD_2 GOOD_3 }, 0 },
};
/* clang-format on */

static void
weak_des_keys_are_drawn_again(void **state)
{
	struct arena *arena;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(4096, &arena), OK);
	for (k = 0; k < LENGTH(weak); k++) {
		struct secret *key = NULL;
		struct bytes want;
		struct fault f;

		print_message("%s\n", weak[k].name);
		script = (struct script){weak[k].draws, 0};
		env_set_random(env, scripted, &script);
		assert_int_equal(keygen_symmetric(env, weak[k].algorithm,
				     weak[k].bits, &f, &key),
		    OK);
		env_set_random(env, random_drbg, NULL);
		want = hex_read(arena, weak[k].draws[weak[k].used]);
		keygen_des_parity((uint8_t *)(uintptr_t)want.at, want.octets);
		assert_true(bytes_equal(secret_peek(key), want));
		secret_free(key);
	}
	arena_free(arena);
}

static void
a_source_of_nothing_but_weak_keys_is_broken(void **state)
{
	static const char *const draws[] = {"0101010101010101", NULL};
	struct secret *key = NULL;
	struct fault f;

	(void)state;
	script = (struct script){draws, 0};
	env_set_random(env, scripted, &script);
	assert_int_equal(
	    keygen_symmetric(env, ALG(DES), 56, &f, &key), ERR_ENTROPY);
	assert_null(key);
	env_set_random(env, random_drbg, NULL);
}

/* ---- pairs, read back by OpenSSL's own decoders ---- */

static EVP_PKEY *
private_of(const struct keygen_pair *pair)
{
	struct bytes der = secret_peek(pair->private_key);
	const unsigned char *at = der.at;
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.octets);

	assert_non_null(pkey);
	assert_ptr_equal(at, der.at + der.octets);
	return pkey;
}

static void
halves_belong_together(const struct keygen_pair *pair)
{
	struct bytes der = secret_peek(pair->public_key);
	const unsigned char *at = der.at;
	EVP_PKEY *whole = private_of(pair);
	EVP_PKEY *half =
	    pair->public_format == KEY_FORMAT_TYPE_PKCS_1
		? d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.octets)
		: d2i_PUBKEY(NULL, &at, (long)der.octets);

	assert_non_null(half);
	assert_int_equal(EVP_PKEY_eq(whole, half), 1);
	EVP_PKEY_free(half);
	EVP_PKEY_free(whole);
}

/* clang-format off */
static const struct {
	uint32_t algorithm;
	uint32_t bits;
	uint32_t curve;
	int pkey_bits;
	uint32_t formats[2];
} pairs[] = {
	{ ALG(RSA), 1024, 0, 1024,
	  { KEY_FORMAT_TYPE_PKCS_1, KEY_FORMAT_TYPE_PKCS_1 } },
	{ ALG(RSA), 2048, 0, 2048,
	  { KEY_FORMAT_TYPE_PKCS_1, KEY_FORMAT_TYPE_PKCS_1 } },
	{ ALG(DSA), 1024, 0, 1024,
	  { KEY_FORMAT_TYPE_PKCS_8, KEY_FORMAT_TYPE_X_509 } },
	{ ALG(ECDSA), 256, 0, 256,
	  { KEY_FORMAT_TYPE_ECPRIVATEKEY, KEY_FORMAT_TYPE_X_509 } },
	{ ALG(ECDH), 521, RECOMMENDED_CURVE_P_521, 521,
	  { KEY_FORMAT_TYPE_ECPRIVATEKEY, KEY_FORMAT_TYPE_X_509 } },
	{ ALG(ED25519), 0, 0, 256,
	  { KEY_FORMAT_TYPE_PKCS_8, KEY_FORMAT_TYPE_X_509 } },
	{ ALG(ED448), 448, 0, 456, /* OpenSSL counts whole octets */
	  { KEY_FORMAT_TYPE_PKCS_8, KEY_FORMAT_TYPE_X_509 } },
};
/* clang-format on */

static void
pairs_have_the_length_asked_for(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(pairs); k++) {
		struct keygen_pair pair;
		struct fault f;
		EVP_PKEY *pkey;

		print_message("algorithm %u, %u bits\n", pairs[k].algorithm,
		    pairs[k].bits);
		assert_int_equal(
		    keygen_pair_begin(&pair, env, pairs[k].algorithm,
			pairs[k].bits, pairs[k].curve, &f),
		    OK);
		assert_int_equal(keygen_pair_work(&pair), OK);
		assert_int_equal(pair.private_format, pairs[k].formats[0]);
		assert_int_equal(pair.public_format, pairs[k].formats[1]);
		pkey = private_of(&pair);
		assert_int_equal(EVP_PKEY_get_bits(pkey), pairs[k].pkey_bits);
		if (pairs[k].algorithm == ALG(RSA)) {
			BIGNUM *n = NULL;

			/* the first bit of the modulus is set */
			assert_int_equal(EVP_PKEY_get_bn_param(
					     pkey, OSSL_PKEY_PARAM_RSA_N, &n),
			    1);
			assert_int_equal(BN_num_bits(n), pairs[k].bits);
			BN_free(n);
		}
		EVP_PKEY_free(pkey);
		halves_belong_together(&pair);
		keygen_pair_clear(&pair);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	uint32_t algorithm;
	uint32_t bits;
	uint32_t curve;
	enum err want;
	const char *says;
} refused[] = {
	{ "RSA of no length", ALG(RSA), 0, 0, ERR_FIELD,
	  "RSA takes 1024, 2048, 3072, 4096" },
	{ "RSA too short", ALG(RSA), 512, 0, ERR_FIELD, "RSA takes" },
	{ "RSA between two lengths", ALG(RSA), 2056, 0, ERR_FIELD, "Length 2056" },
	{ "RSA too long", ALG(RSA), 5120, 0, ERR_FIELD, "RSA takes" },
	{ "RSA on a curve", ALG(RSA), 2048, RECOMMENDED_CURVE_P_256, ERR_FIELD,
	  "Recommended Curve" },
	{ "DSA too long", ALG(DSA), 4096, 0, ERR_FIELD, "DSA takes" },
	{ "EC of no length and no curve", ALG(EC), 0, 0, ERR_FIELD,
	  "192, 224, 256, 384 or 521" },
	{ "EC one bit off", ALG(EC), 257, 0, ERR_FIELD, "Length 257" },
	{ "EC, curve and length differ", ALG(ECDSA), 384,
	  RECOMMENDED_CURVE_P_256, ERR_FIELD, "has 256" },
	{ "EC on a curve that is none", ALG(ECDSA), 256, 0x47, ERR_FIELD,
	  "Recommended Curve" },
	{ "EC on an Edwards curve", ALG(ECDH), 0, RECOMMENDED_CURVE_CURVE25519,
	  ERR_FIELD, "Recommended Curve" },
	{ "Ed25519 of another length", ALG(ED25519), 448, 0, ERR_FIELD,
	  "takes 256" },
	{ "AES", ALG(AES), 256, 0, ERR_FEATURE, "AES: no key pairs" },
	{ "no algorithm", 0, 2048, 0, ERR_FEATURE, "no key pairs" },
};
/* clang-format on */

static void
pairs_of_other_lengths_are_refused(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(refused); k++) {
		struct keygen_pair pair;
		struct fault f = {""};

		print_message("%s\n", refused[k].name);
		assert_int_equal(
		    keygen_pair_begin(&pair, env, refused[k].algorithm,
			refused[k].bits, refused[k].curve, &f),
		    refused[k].want);
		assert_non_null(strstr(f.text, refused[k].says));
		keygen_pair_clear(&pair);
	}
}

/* req: KS-28-090  RSA of 512 bits for those who ask for short ones, and no
 * others for them than for everybody */
static void
short_pairs_are_of_512_bits(void **state)
{
	static const struct {
		uint32_t algorithm;
		uint32_t bits;
		enum err want;
	} some[] = {
	    {ALG(RSA), 512, OK},
	    {ALG(RSA), 4096, OK},
	    {ALG(RSA), 768, ERR_FIELD},
	    {ALG(RSA), 511, ERR_FIELD},
	    {ALG(DSA), 512, ERR_FIELD},
	    {ALG(AES), 512, ERR_FEATURE},
	};
	struct keygen_pair pair;
	struct keyparts parts;
	struct fault f;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(some); k++) {
		assert_int_equal(keygen_pair_begin_short(&pair, env,
				     some[k].algorithm, some[k].bits, &f),
		    some[k].want);
		keygen_pair_clear(&pair);
	}
	assert_int_equal(
	    keygen_pair_begin_short(&pair, env, ALG(RSA), 512, &f), OK);
	assert_int_equal(keygen_pair_work(&pair), OK);
	assert_int_equal(keyformat_read(KEY_FORMAT_TYPE_PKCS_1, true,
			     secret_peek(pair.private_key), &parts, &f),
	    OK);
	assert_int_equal(parts.key_bits, 512);
	keygen_pair_clear(&pair);
}

static void
a_broken_source_makes_no_pair(void **state)
{
	struct keygen_pair pair;
	struct fault f;

	(void)state;
	env_break_random(env, true);
	assert_int_equal(
	    keygen_pair_begin(&pair, env, ALG(RSA), 2048, 0, &f), ERR_ENTROPY);
	env_break_random(env, false);
	keygen_pair_clear(&pair);
}

/* Every row of curve.def against OpenSSL: its OID, its lengths, a pair. */
static void
curves_are_what_their_rows_say(void **state)
{
	const struct curve *curve;
	uint32_t before = 0;
	size_t k;

	(void)state;
	for (k = 0; (curve = curve_at(k)) != NULL; k++) {
		const ASN1_OBJECT *oid = OBJ_nid2obj(OBJ_sn2nid(curve->name));
		struct keygen_pair pair;
		struct fault f;
		EC_GROUP *group;

		print_message("%s\n", curve->name);
		assert_true(curve->number > before);
		before = curve->number;
		assert_ptr_equal(curve_find(curve->number), curve);
		assert_ptr_equal(curve_find_oid(curve->oid), curve);
		assert_int_equal(OBJ_length(oid), curve->oid.octets);
		assert_memory_equal(
		    OBJ_get0_data(oid), curve->oid.at, curve->oid.octets);
		group = EC_GROUP_new_by_curve_name(OBJ_obj2nid(oid));
		assert_non_null(group);
		assert_int_equal(EC_GROUP_get_degree(group), curve->bits);
		assert_int_equal(
		    (EC_GROUP_order_bits(group) + 7) / 8, curve->order_octets);
		EC_GROUP_free(group);

		assert_int_equal(keygen_pair_begin(
				     &pair, env, ALG(EC), 0, curve->number, &f),
		    OK);
		assert_int_equal(pair.key_bits, curve->bits);
		assert_int_equal(keygen_pair_work(&pair), OK);
		halves_belong_together(&pair);
		keygen_pair_clear(&pair);
	}
	assert_int_equal(k, RECOMMENDED_CURVE_BRAINPOOLP512T1);
	assert_null(curve_find(0));
	assert_null(curve_find(RECOMMENDED_CURVE_CURVE25519));
	assert_null(curve_find_oid(bytes_of_text("none")));
	assert_null(curve_find_bits(0));
	assert_int_equal(curve_find_bits(384)->number, RECOMMENDED_CURVE_P_384);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_algorithm_takes_its_lengths_and_no_others),
	    cmocka_unit_test(algorithms_without_symmetric_keys_are_refused),
	    cmocka_unit_test(two_keys_differ),
	    cmocka_unit_test(lengths_follow_from_octets),
	    cmocka_unit_test(only_what_cannot_be_another_has_a_default_length),
	    cmocka_unit_test(des_keys_have_odd_parity),
	    cmocka_unit_test(weak_des_keys_are_drawn_again),
	    cmocka_unit_test(a_source_of_nothing_but_weak_keys_is_broken),
	    cmocka_unit_test(pairs_have_the_length_asked_for),
	    cmocka_unit_test(pairs_of_other_lengths_are_refused),
	    cmocka_unit_test(short_pairs_are_of_512_bits),
	    cmocka_unit_test(a_broken_source_makes_no_pair),
	    cmocka_unit_test(curves_are_what_their_rows_say),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

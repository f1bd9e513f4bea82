#include "crypto/keygen.h"

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "crypto/curve.h"
#include "crypto/digest.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

/*
 * What symmetric keys there are. An algorithm may have several rows: the
 * length of DES keys is told without their parity bits (as the standard's own
 * cases do, so these rows come first) or with them.
 */
/* clang-format off */
#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

enum { HMAC_MOST_BITS = 8192, PAD_MOST_BITS = 524288 };

static const struct symmetric {
	uint32_t algorithm;
	uint32_t least_bits;
	uint32_t most_bits;
	uint32_t step_bits;
	size_t des_octets; /* 0: no parity, and as many octets as bits fill */
} symmetrics[] = {
	{ ALG(AES),              128,  256, 64, 0 },
	{ ALG(DES),               56,   56,  8, 8 },
	{ ALG(DES),               64,   64,  8, 8 },
	{ ALG(3DES),             112,  112,  8, 16 },
	{ ALG(3DES),             168,  168,  8, 24 },
	{ ALG(3DES),             128,  128,  8, 16 },
	{ ALG(3DES),             192,  192,  8, 24 },
	{ ALG(BLOWFISH),          32,  448,  8, 0 },
	{ ALG(CAMELLIA),         128,  256, 64, 0 },
	{ ALG(CAST5),             40,  128,  8, 0 },
	{ ALG(IDEA),             128,  128,  8, 0 },
	{ ALG(MARS),             128,  448, 32, 0 },
	{ ALG(RC2),                8, 1024,  8, 0 },
	{ ALG(RC4),               40, 2048,  8, 0 },
	{ ALG(RC5),                8, 2040,  8, 0 },
	{ ALG(SKIPJACK),          80,   80,  8, 0 },
	{ ALG(TWOFISH),          128,  256, 64, 0 },
	{ ALG(ONE_TIME_PAD),       8, PAD_MOST_BITS, 8, 0 },
	{ ALG(CHACHA20),         256,  256,  8, 0 },
	{ ALG(POLY1305),         256,  256,  8, 0 },
	{ ALG(CHACHA20POLY1305), 256,  256,  8, 0 },
	{ ALG(ARIA),             128,  256, 64, 0 },
	{ ALG(SEED),             128,  128,  8, 0 },
	{ ALG(SM4),              128,  128,  8, 0 },
	{ ALG(GOST_R_34_13_2015), 256, 256,  8, 0 },
	{ ALG(GOST_28147_89),    256,  256,  8, 0 },
	{ ALG(HMAC_SHA1),          8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA224),        8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA256),        8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA384),        8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA512),        8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_MD5),           8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA3_224),      8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA3_256),      8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA3_384),      8, HMAC_MOST_BITS, 8, 0 },
	{ ALG(HMAC_SHA3_512),      8, HMAC_MOST_BITS, 8, 0 },
};

/*
 * What pairs there are, and what their halves are first written as. Keys on
 * named curves have no lengths of their own.
 */
static const struct asymmetric {
	uint32_t algorithm;
	const char *type; /* OpenSSL's */
	uint32_t least_bits;
	uint32_t most_bits;
	uint32_t step_bits;
	uint32_t private_format;
	const char *private_structure;
	uint32_t public_format;
	const char *public_structure;
} asymmetrics[] = {
#define PKCS_1 KEY_FORMAT_TYPE_PKCS_1, "type-specific"
#define PKCS_8 KEY_FORMAT_TYPE_PKCS_8, "PrivateKeyInfo"
#define EC_KEY KEY_FORMAT_TYPE_ECPRIVATEKEY, "type-specific"
#define X_509  KEY_FORMAT_TYPE_X_509,  "SubjectPublicKeyInfo"
	{ ALG(RSA),     "RSA",   1024, 4096, 1024, PKCS_1, PKCS_1 },
	{ ALG(DSA),     "DSA",   1024, 3072, 1024, PKCS_8, X_509 },
	{ ALG(ECDSA),   "EC",       0,    0,    0, EC_KEY, X_509 },
	{ ALG(ECDH),    "EC",       0,    0,    0, EC_KEY, X_509 },
	{ ALG(ECMQV),   "EC",       0,    0,    0, EC_KEY, X_509 },
	{ ALG(EC),      "EC",       0,    0,    0, EC_KEY, X_509 },
	{ ALG(ED25519), "ED25519", 256, 256,    8, PKCS_8, X_509 },
	{ ALG(ED448),   "ED448",   448, 448,    8, PKCS_8, X_509 },
};
/* clang-format on */

enum {
	SYMMETRICS = sizeof(symmetrics) / sizeof(symmetrics[0]),
	ASYMMETRICS = sizeof(asymmetrics) / sizeof(asymmetrics[0]),
};

static const char *
algorithm_name(uint32_t algorithm)
{
	const char *name =
	    schema_value_name(TAG_CRYPTOGRAPHIC_ALGORITHM, algorithm);

	return name != NULL ? name : "this algorithm";
}

/* ---- symmetric keys ---- */

static size_t
octets_of(const struct symmetric *row, uint32_t key_bits)
{
	return row->des_octets != 0 ? row->des_octets : key_bits / 8;
}

static bool
takes(const struct symmetric *row, uint32_t key_bits)
{
	return key_bits >= row->least_bits && key_bits <= row->most_bits &&
	       (key_bits - row->least_bits) % row->step_bits == 0;
}

size_t
keygen_symmetric_octets(uint32_t algorithm, uint32_t key_bits)
{
	size_t k;

	for (k = 0; k < SYMMETRICS; k++) {
		if (symmetrics[k].algorithm == algorithm &&
		    takes(&symmetrics[k], key_bits))
			return octets_of(&symmetrics[k], key_bits);
	}
	return 0;
}

uint32_t
keygen_symmetric_bits(uint32_t algorithm, size_t octets)
{
	uint32_t bits = octets > UINT32_MAX / 8 ? 0 : (uint32_t)octets * 8;
	size_t k;

	for (k = 0; k < SYMMETRICS; k++) {
		const struct symmetric *row = &symmetrics[k];

		if (row->algorithm != algorithm)
			continue;
		if (row->des_octets != 0 && row->des_octets == octets)
			return row->least_bits;
		if (row->des_octets == 0 && takes(row, bits))
			return bits;
	}
	return 0;
}

uint32_t
keygen_default_bits(uint32_t algorithm)
{
	uint32_t hash = digest_of_hmac(algorithm);
	uint32_t bits = 0;
	size_t octets = 0;
	size_t k;

	if (hash != 0)
		return (uint32_t)digest_octets(hash) * 8;
	for (k = 0; k < SYMMETRICS; k++) {
		const struct symmetric *row = &symmetrics[k];

		if (row->algorithm != algorithm)
			continue;
		if (row->least_bits != row->most_bits)
			return 0;
		if (bits != 0 && octets_of(row, row->least_bits) != octets)
			return 0;
		if (bits == 0)
			bits = row->least_bits;
		octets = octets_of(row, bits);
	}
	for (k = 0; k < ASYMMETRICS; k++) {
		if (asymmetrics[k].algorithm == algorithm &&
		    asymmetrics[k].least_bits == asymmetrics[k].most_bits)
			bits = asymmetrics[k].least_bits;
	}
	return bits;
}

/* One piece of "128, 192 or 256", "40 to 128 in steps of 8". */
struct lengths {
	char text[128];
	size_t used;
	uint32_t count;
};

static void
lengths_add(struct lengths *l, uint32_t least, uint32_t most, uint32_t step)
{
	static const uint32_t few = 4;
	uint32_t bits;
	int more;

	for (bits = least; bits <= most; bits += step) {
		bool range = (most - least) / step >= few;

		more = snprintf(l->text + l->used, sizeof(l->text) - l->used,
		    range ? "%s%u to %u in steps of %u" : "%s%u",
		    l->count != 0 ? ", " : "", bits, most, step);
		if (more < 0 || (size_t)more >= sizeof(l->text) - l->used)
			return;
		l->used += (size_t)more;
		l->count++;
		if (range)
			return;
	}
}

static enum err
refuse_length(uint32_t algorithm, uint32_t key_bits, struct fault *f)
{
	struct lengths l = {.count = 0};
	size_t k;

	for (k = 0; k < SYMMETRICS; k++) {
		const struct symmetric *row = &symmetrics[k];

		if (row->algorithm == algorithm)
			lengths_add(&l, row->least_bits, row->most_bits,
			    row->step_bits);
	}
	for (k = 0; k < ASYMMETRICS; k++) {
		const struct asymmetric *row = &asymmetrics[k];

		if (row->algorithm == algorithm && row->least_bits != 0)
			lengths_add(&l, row->least_bits, row->most_bits,
			    row->step_bits);
	}
	fault_set(f, "Cryptographic Length %u: %s takes %s", key_bits,
	    algorithm_name(algorithm), l.text);
	return ERR_FIELD;
}

static enum err
refuse_algorithm(uint32_t algorithm, const char *kind, struct fault *f)
{
	fault_set(f, "Cryptographic Algorithm %s: no %s are made for it",
	    algorithm_name(algorithm), kind);
	return ERR_FEATURE;
}

/* spec: sp-800-67 3.4.2  the weak and the semi-weak keys, with odd parity */
static const uint8_t des_weak_keys[][8] = {
    {0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
    {0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe},
    {0xe0, 0xe0, 0xe0, 0xe0, 0xf1, 0xf1, 0xf1, 0xf1},
    {0x1f, 0x1f, 0x1f, 0x1f, 0x0e, 0x0e, 0x0e, 0x0e},
    {0x01, 0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e},
    {0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e, 0x01},
    {0x01, 0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1},
    {0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1, 0x01},
    {0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe},
    {0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01},
    {0x1f, 0xe0, 0x1f, 0xe0, 0x0e, 0xf1, 0x0e, 0xf1},
    {0xe0, 0x1f, 0xe0, 0x1f, 0xf1, 0x0e, 0xf1, 0x0e},
    {0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e, 0xfe},
    {0xfe, 0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e},
    {0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1, 0xfe},
    {0xfe, 0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1},
};

enum { DES_OCTETS = 8 };

void
keygen_des_parity(uint8_t *key, size_t octets)
{
	size_t k;

	for (k = 0; k < octets; k++) {
		unsigned bits = key[k] >> 1;

		bits ^= bits >> 4;
		bits ^= bits >> 2;
		bits ^= bits >> 1;
		key[k] = (uint8_t)((key[k] & 0xfeU) | (~bits & 1U));
	}
}

/* In constant time, and whatever the parity bits are. */
static bool
des_equal(const uint8_t *a, const uint8_t *b)
{
	unsigned differ = 0;
	size_t k;

	for (k = 0; k < DES_OCTETS; k++)
		differ |= (a[k] ^ b[k]) & 0xfeU;
	return differ == 0;
}

bool
keygen_des_weak(struct bytes key)
{
	bool weak = false;
	size_t at, k;

	for (at = 0; key.octets - at >= DES_OCTETS; at += DES_OCTETS) {
		for (k = 0; k < sizeof(des_weak_keys) / DES_OCTETS; k++)
			weak |= des_equal(key.at + at, des_weak_keys[k]);
		/* equal parts undo each other */
		for (k = 0; k < at; k += DES_OCTETS)
			weak |= des_equal(key.at + at, key.at + k);
	}
	return weak;
}

/* One in 2^52 draws is weak: so many in a row are a broken source. */
enum { DES_DRAWS = 8 };

static enum err
des_key(struct env *env, size_t octets, struct secret **out)
{
	struct secret *key = NULL;
	enum err rc = OK;
	int draw = 0;

	*out = NULL;
	TRY(secret_new(octets, &key));
	do {
		if (draw++ == DES_DRAWS)
			TRY(ERR_ENTROPY);
		TRY(env_random(env, secret_fill(key), octets));
		keygen_des_parity(secret_fill(key), octets);
	} while (keygen_des_weak(secret_peek(key)));
	*out = key;
	key = NULL;
out:
	secret_free(key);
	return rc;
}

enum err
keygen_symmetric(struct env *env, uint32_t algorithm, uint32_t key_bits,
    struct fault *f, struct secret **out)
{
	size_t octets = keygen_symmetric_octets(algorithm, key_bits);
	bool known = false;
	bool is_des = false;
	size_t k;

	*out = NULL;
	for (k = 0; k < SYMMETRICS; k++) {
		if (symmetrics[k].algorithm == algorithm) {
			known = true;
			is_des = symmetrics[k].des_octets != 0;
		}
	}
	if (!known)
		return refuse_algorithm(algorithm, "symmetric keys", f);
	if (octets == 0)
		return refuse_length(algorithm, key_bits, f);
	if (is_des)
		return des_key(env, octets, out);
	return random_secret(env, octets, out);
}

/* ---- pairs ---- */

static const struct asymmetric *
asymmetric_find(uint32_t algorithm)
{
	size_t k;

	for (k = 0; k < ASYMMETRICS; k++) {
		if (asymmetrics[k].algorithm == algorithm)
			return &asymmetrics[k];
	}
	return NULL;
}

static bool
on_curves(const struct asymmetric *row)
{
	return row->least_bits == 0;
}

/* A curve and a length that may each be absent, but must not disagree. */
static enum err
choose_curve(struct keygen_pair *pair, struct fault *f)
{
	const struct curve *curve = pair->curve != 0
					? curve_find(pair->curve)
					: curve_find_bits(pair->key_bits);

	if (curve == NULL && pair->curve != 0) {
		fault_set(f, "Recommended Curve %u: %s keys are not made on it",
		    pair->curve, algorithm_name(pair->algorithm));
		return ERR_FIELD;
	}
	if (curve == NULL) {
		fault_set(f,
		    "Cryptographic Length %u: %s takes 192, 224, 256, 384 or "
		    "521, or a Recommended Curve",
		    pair->key_bits, algorithm_name(pair->algorithm));
		return ERR_FIELD;
	}
	if (pair->key_bits != 0 && pair->key_bits != curve->bits) {
		fault_set(f,
		    "Cryptographic Length %u: the Recommended Curve has %u",
		    pair->key_bits, curve->bits);
		return ERR_FIELD;
	}
	pair->curve = curve->number;
	pair->key_bits = curve->bits;
	return OK;
}

/* req: KS-28-090  shorter than others are given, and as short as OpenSSL's */
enum { RSA_SHORT_BITS = 512 };

static enum err
choose_length(struct keygen_pair *pair, const struct asymmetric *row,
    bool short_too, struct fault *f)
{
	uint32_t bits = pair->key_bits;
	bool is_short =
	    short_too && pair->algorithm == ALG(RSA) && bits == RSA_SHORT_BITS;

	if (pair->curve != 0) {
		fault_set(f, "Recommended Curve: %s keys have none",
		    algorithm_name(pair->algorithm));
		return ERR_FIELD;
	}
	if (bits == 0)
		bits = keygen_default_bits(pair->algorithm);
	if (!is_short && (bits < row->least_bits || bits > row->most_bits ||
			     (bits - row->least_bits) % row->step_bits != 0))
		return refuse_length(pair->algorithm, bits, f);
	pair->key_bits = bits;
	return OK;
}

static enum err
begin(struct keygen_pair *pair, struct env *env, uint32_t algorithm,
    uint32_t key_bits, uint32_t curve, bool short_too, struct fault *f)
{
	const struct asymmetric *row = asymmetric_find(algorithm);
	enum err rc = OK;

	*pair = (struct keygen_pair){
	    .algorithm = algorithm, .key_bits = key_bits, .curve = curve};
	if (row == NULL)
		TRY(refuse_algorithm(algorithm, "key pairs", f));
	if (on_curves(row))
		TRY(choose_curve(pair, f));
	else
		TRY(choose_length(pair, row, short_too, f));
	pair->private_format = row->private_format;
	pair->public_format = row->public_format;
	TRY(env_random(env, pair->seed, sizeof(pair->seed)));
out:
	return rc;
}

enum err
keygen_pair_begin(struct keygen_pair *pair, struct env *env, uint32_t algorithm,
    uint32_t key_bits, uint32_t curve, struct fault *f)
{
	return begin(pair, env, algorithm, key_bits, curve, false, f);
}

enum err
keygen_pair_begin_short(struct keygen_pair *pair, struct env *env,
    uint32_t algorithm, uint32_t key_bits, struct fault *f)
{
	return begin(pair, env, algorithm, key_bits, 0, true, f);
}

static enum err
generate(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params, EVP_PKEY **out)
{
	enum err rc = OK;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    (params != NULL && EVP_PKEY_CTX_set_params(ctx, params) != 1) ||
	    EVP_PKEY_generate(ctx, out) != 1)
		TRY(ossl_err("EVP_PKEY_generate", ERR_CRYPTO));
out:
	return rc;
}

/* spec: fips-186-4 4.2  the lengths that go together */
static enum err
dsa_domain(size_t p_bits, EVP_PKEY **out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	size_t q_bits = p_bits > 1024 ? 256 : 160;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &p_bits),
	    OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_QBITS, &q_bits),
	    OSSL_PARAM_construct_end(),
	};
	enum err rc = OK;

	if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
	    EVP_PKEY_generate(ctx, out) != 1)
		TRY(ossl_err("DSA parameters", ERR_CRYPTO));
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static enum err
pkey_new(const struct keygen_pair *pair, const struct asymmetric *row,
    EVP_PKEY **out)
{
	OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
	const OSSL_PARAM *use = NULL;
	size_t bits = pair->key_bits;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *domain = NULL;
	enum err rc = OK;

	if (pair->algorithm == ALG(DSA)) {
		TRY(dsa_domain(bits, &domain));
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, domain, NULL);
	} else {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, row->type, NULL);
	}
	if (pair->curve != 0) {
		/* OpenSSL's parameters are not const, and it only reads */
		params[0] =
		    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
			(char *)(uintptr_t)curve_find(pair->curve)->name, 0);
		use = params;
	} else if (pair->algorithm == ALG(RSA)) {
		params[0] = OSSL_PARAM_construct_size_t(
		    OSSL_PKEY_PARAM_RSA_BITS, &bits);
		use = params;
	}
	TRY(generate(ctx, use, out));
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(domain);
	return rc;
}

static enum err
encode(
    EVP_PKEY *pkey, int selection, const char *structure, struct secret **out)
{
	OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(
	    pkey, selection, "DER", structure, NULL);
	unsigned char *der = NULL;
	size_t der_octets = 0;
	enum err rc = OK;

	if (ctx == NULL || OSSL_ENCODER_to_data(ctx, &der, &der_octets) != 1)
		TRY(ossl_err("OSSL_ENCODER_to_data", ERR_CRYPTO));
	TRY(secret_copy((struct bytes){der, der_octets}, out));
out:
	OPENSSL_clear_free(der, der_octets);
	OSSL_ENCODER_CTX_free(ctx);
	return rc;
}

enum err
keygen_pair_work(struct keygen_pair *pair)
{
	const struct asymmetric *row = asymmetric_find(pair->algorithm);
	struct secret *private_key = NULL;
	struct secret *public_key = NULL;
	EVP_PKEY *pkey = NULL;
	enum err rc = OK;

	RAND_add(pair->seed, sizeof(pair->seed), 0.0);
	TRY(pkey_new(pair, row, &pkey));
	TRY(encode(
	    pkey, EVP_PKEY_KEYPAIR, row->private_structure, &private_key));
	TRY(encode(
	    pkey, EVP_PKEY_PUBLIC_KEY, row->public_structure, &public_key));
	pair->private_key = private_key;
	pair->public_key = public_key;
	private_key = NULL;
	public_key = NULL;
out:
	secret_free(private_key);
	secret_free(public_key);
	EVP_PKEY_free(pkey);
	return rc;
}

void
keygen_pair_clear(struct keygen_pair *pair)
{
	secret_free(pair->private_key);
	secret_free(pair->public_key);
	secret_wipe(pair, sizeof(*pair));
}

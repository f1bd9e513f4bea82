#include "crypto/keyuse.h"

#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/keygen.h"
#include "crypto/ossl.h"

enum {
	NUMBER_OCTETS = KEYUSE_RSA_MOST_BITS / 8,
	/* of what stands in front of the data, RFC 8017 sections 7.2.1 and
	 * 9.2; and of the digest's name there, SHA-2's */
	PKCS1_OCTETS = 11,
	DIGEST_INFO_OCTETS = 19,
	/* with longer exponents the public half takes as long as the other */
	EXPONENT_OCTETS = 8,
	PIECE_OCTETS = 1 << 30,
};

struct keyuse {
	const struct transform *transform;
	enum transform_action action;
	bool slow;
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;
	EVP_MD_CTX *digest;
	EVP_PKEY *rsa;
	size_t rsa_octets;
	uint64_t data_octets;
	uint8_t held[NUMBER_OCTETS]; /* the data of RSA's ciphers */
};

/* ---- what OpenSSL has ---- */

/* clang-format off */
#define ALG(a) CRYPTOGRAPHIC_ALGORITHM_##a

static const struct cipher {
	uint32_t algorithm;
	size_t key_octets; /* 0: as many as the key has */
	enum transform_mode mode;
	bool legacy;
	const char *name;
} ciphers[] = {
	{ ALG(AES),  16, TRANSFORM_ECB,    false, "AES-128-ECB" },
	{ ALG(AES),  24, TRANSFORM_ECB,    false, "AES-192-ECB" },
	{ ALG(AES),  32, TRANSFORM_ECB,    false, "AES-256-ECB" },
	{ ALG(AES),  16, TRANSFORM_CBC,    false, "AES-128-CBC" },
	{ ALG(AES),  24, TRANSFORM_CBC,    false, "AES-192-CBC" },
	{ ALG(AES),  32, TRANSFORM_CBC,    false, "AES-256-CBC" },
	{ ALG(3DES), 16, TRANSFORM_ECB,    false, "DES-EDE-ECB" },
	{ ALG(3DES), 24, TRANSFORM_ECB,    false, "DES-EDE3-ECB" },
	{ ALG(3DES), 16, TRANSFORM_CBC,    false, "DES-EDE-CBC" },
	{ ALG(3DES), 24, TRANSFORM_CBC,    false, "DES-EDE3-CBC" },
	{ ALG(DES),   8, TRANSFORM_ECB,    true,  "DES-ECB" },
	{ ALG(DES),   8, TRANSFORM_CBC,    true,  "DES-CBC" },
	{ ALG(SEED), 16, TRANSFORM_ECB,    true,  "SEED-ECB" },
	{ ALG(SEED), 16, TRANSFORM_CBC,    true,  "SEED-CBC" },
	{ ALG(RC4),   0, TRANSFORM_STREAM, true,  "RC4" },
};
/* clang-format on */

enum { CIPHERS = sizeof(ciphers) / sizeof(ciphers[0]) };

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_CIPHER *evp_ciphers[CIPHERS];
static EVP_MAC *hmac;

/*
 * A fetch costs more than a kilobyte of AES: once, for the process's life. So
 * does what is old, in a library context of its own: nothing else comes upon
 * it there.
 */
static void
fetch(void)
{
	OSSL_LIB_CTX *legacy = OSSL_LIB_CTX_new();
	size_t k;

	if (legacy != NULL && OSSL_PROVIDER_load(legacy, "legacy") == NULL) {
		OSSL_LIB_CTX_free(legacy);
		legacy = NULL;
	}
	for (k = 0; k < CIPHERS; k++) {
		if (!ciphers[k].legacy || legacy != NULL)
			evp_ciphers[k] =
			    EVP_CIPHER_fetch(ciphers[k].legacy ? legacy : NULL,
				ciphers[k].name, NULL);
	}
	hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	ossl_forget(); /* one that is missing is not offered */
}

/* ---- ciphers ---- */

static bool
encrypts(const struct keyuse *use)
{
	return use->action == ACTION_ENCRYPT;
}

static enum err
cipher_find(const struct keyuse_order *order, struct fault *f, size_t *out)
{
	const struct transform *t = order->transform;
	size_t k;

	for (k = 0; k < CIPHERS; k++) {
		if (ciphers[k].algorithm == t->algorithm &&
		    ciphers[k].mode == t->mode &&
		    (ciphers[k].key_octets == 0 ||
			ciphers[k].key_octets == order->key.octets))
			break;
	}
	if (k == CIPHERS)
		return ERR_TRANSFORM;
	if (evp_ciphers[k] == NULL) {
		fault_set(f, "%s: OpenSSL has no %s on this machine", t->name,
		    ciphers[k].name);
		return ERR_FEATURE;
	}
	*out = k;
	return OK;
}

static enum err
begin_cipher(
    const struct keyuse_order *order, struct fault *f, struct keyuse *use)
{
	const struct transform *t = order->transform;
	const uint8_t *iv = t->iv_octets != 0 ? order->iv.at : NULL;
	int encrypt = encrypts(use) ? 1 : 0;
	size_t k = 0;
	enum err rc = OK;

	TRY(cipher_find(order, f, &k));
	if (order->iv.octets != t->iv_octets)
		TRY(ERR_IV);
	use->cipher = EVP_CIPHER_CTX_new();
	if (use->cipher == NULL)
		TRY(ossl_err("EVP_CIPHER_CTX_new", ERR_NOMEM));
	/* a length is set before the key is */
	if (ciphers[k].key_octets == 0 &&
	    (EVP_CipherInit_ex2(
		 use->cipher, evp_ciphers[k], NULL, NULL, encrypt, NULL) != 1 ||
		EVP_CIPHER_CTX_set_key_length(
		    use->cipher, (int)order->key.octets) != 1))
		TRY(ossl_err("EVP_CIPHER_CTX_set_key_length", ERR_CRYPTO));
	if (EVP_CipherInit_ex2(use->cipher,
		ciphers[k].key_octets != 0 ? evp_ciphers[k] : NULL,
		order->key.at, iv, encrypt, NULL) != 1 ||
	    /* it pads unless it is told not to */
	    (!t->padded && EVP_CIPHER_CTX_set_padding(use->cipher, 0) != 1))
		TRY(ossl_err("EVP_CipherInit_ex2", ERR_CRYPTO));
out:
	return rc;
}

static enum err
end_cipher(struct keyuse *use, uint8_t *out, size_t *octets)
{
	size_t block = (size_t)EVP_CIPHER_CTX_get_block_size(use->cipher);
	int made = 0;
	enum err rc;

	if (!use->transform->padded && use->data_octets % block != 0)
		return ERR_DATA_LENGTH;
	if (EVP_CipherFinal_ex(use->cipher, out, &made) != 1) {
		secret_wipe(out, KEYUSE_BLOCK_OCTETS);
		rc = ossl_err(
		    "EVP_CipherFinal_ex", encrypts(use) ? ERR_CRYPTO : OK);
		return rc != OK ? rc : ERR_DECRYPT;
	}
	*octets = (size_t)made;
	return OK;
}

/* ---- MACs ---- */

static enum err
begin_mac(const struct keyuse_order *order, struct keyuse *use)
{
	const EVP_MD *md = digest_md(order->transform->hash);
	OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
	enum err rc = OK;

	if (md == NULL || hmac == NULL)
		TRY(ERR_FEATURE);
	/* OpenSSL's parameters are not const, and it does not write there */
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)EVP_MD_get0_name(md), 0);
	use->mac = EVP_MAC_CTX_new(hmac);
	if (use->mac == NULL || EVP_MAC_init(use->mac, order->key.at,
				    order->key.octets, params) != 1)
		TRY(ossl_err("EVP_MAC_init", ERR_CRYPTO));
out:
	return rc;
}

/* ---- RSA ---- */

/*
 * The numbers as OpenSSL is given them: the first two make a public key, three
 * a private one, and all of them one that is four times as fast.
 */
enum { RSA_PUBLIC = 2, RSA_PRIVATE = 3, RSA_NUMBERS = 8 };

/* How many of them there are to give; 0: they are no key for this. */
static size_t
numbers_of(
    const struct keyuse_order *order, struct bytes number[static RSA_NUMBERS])
{
	const struct keyparts *rsa = order->rsa;
	bool private_half =
	    order->action == ACTION_DECRYPT || order->action == ACTION_SIGN;
	size_t k, there;

	number[0] = rsa->modulus;
	number[1] = rsa->public_exponent;
	number[2] = rsa->private_exponent;
	number[3] = rsa->prime_p;
	number[4] = rsa->prime_q;
	number[5] = rsa->exponent_p;
	number[6] = rsa->exponent_q;
	number[7] = rsa->coefficient;
	for (k = 0; k < RSA_NUMBERS; k++) {
		/* a longer one is no part of such a key, and costs time */
		if (number[k].octets > rsa->modulus.octets)
			return 0;
	}
	for (there = 0; there < RSA_NUMBERS; there++) {
		if (number[there].octets == 0)
			break;
	}
	if (there < RSA_PUBLIC || (private_half && there < RSA_PRIVATE))
		return 0;
	if (!private_half)
		return RSA_PUBLIC;
	return there < RSA_NUMBERS ? RSA_PRIVATE : RSA_NUMBERS;
}

static enum err
rsa_new(const struct bytes *number, size_t count, EVP_PKEY **out)
{
	static const char *const names[RSA_NUMBERS] = {
	    OSSL_PKEY_PARAM_RSA_N,
	    OSSL_PKEY_PARAM_RSA_E,
	    OSSL_PKEY_PARAM_RSA_D,
	    OSSL_PKEY_PARAM_RSA_FACTOR1,
	    OSSL_PKEY_PARAM_RSA_FACTOR2,
	    OSSL_PKEY_PARAM_RSA_EXPONENT1,
	    OSSL_PKEY_PARAM_RSA_EXPONENT2,
	    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	int selection =
	    count == RSA_PUBLIC ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *bn[RSA_NUMBERS] = {NULL};
	OSSL_PARAM *params = NULL;
	size_t k;
	enum err rc = OK;

	if (build == NULL || ctx == NULL)
		TRY(ossl_err("EVP_PKEY_CTX_new_from_name", ERR_NOMEM));
	for (k = 0; k < count; k++) {
		bn[k] = BN_bin2bn(number[k].at, (int)number[k].octets, NULL);
		if (bn[k] == NULL ||
		    OSSL_PARAM_BLD_push_BN(build, names[k], bn[k]) != 1)
			TRY(ossl_err("OSSL_PARAM_BLD_push_BN", ERR_NOMEM));
	}
	params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, out, selection, params) != 1)
		TRY(ossl_err("EVP_PKEY_fromdata", ERR_CRYPTO));
out:
	for (k = 0; k < count; k++)
		BN_clear_free(bn[k]);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static enum err
begin_rsa(const struct keyuse_order *order, struct keyuse *use)
{
	struct bytes number[RSA_NUMBERS];
	size_t count = numbers_of(order, number);
	enum err rc = OK;

	if (count == 0 || order->rsa->key_bits < KEYUSE_RSA_LEAST_BITS ||
	    order->rsa->key_bits > KEYUSE_RSA_MOST_BITS ||
	    number[0].octets > NUMBER_OCTETS)
		TRY(ERR_TRANSFORM);
	use->rsa_octets = number[0].octets;
	use->slow = count != RSA_PUBLIC || number[1].octets > EXPONENT_OCTETS;
	TRY(rsa_new(number, count, &use->rsa));
out:
	return rc;
}

static enum err
begin_signature(const struct keyuse_order *order, struct keyuse *use)
{
	const EVP_MD *md = digest_md(order->transform->hash);
	enum err rc = OK;

	if (md == NULL)
		TRY(ERR_FEATURE);
	if (use->rsa_octets < digest_octets(order->transform->hash) +
				  DIGEST_INFO_OCTETS + PKCS1_OCTETS)
		TRY(ERR_TRANSFORM);
	use->digest = EVP_MD_CTX_new();
	if (use->digest == NULL ||
	    EVP_DigestInit_ex2(use->digest, md, NULL) != 1)
		TRY(ossl_err("EVP_DigestInit_ex2", ERR_CRYPTO));
out:
	return rc;
}

typedef int pkey_init_fn(EVP_PKEY_CTX *ctx);

/* A context for one use of the key, PKCS#1 v1.5; `md` for signatures. */
static enum err
rsa_context(const struct keyuse *use, pkey_init_fn *init, const EVP_MD *md,
    EVP_PKEY_CTX **out)
{
	enum err rc = OK;

	*out = EVP_PKEY_CTX_new_from_pkey(NULL, use->rsa, NULL);
	if (*out == NULL || init(*out) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(*out, RSA_PKCS1_PADDING) != 1 ||
	    (md != NULL && EVP_PKEY_CTX_set_signature_md(*out, md) != 1))
		TRY(ossl_err("EVP_PKEY_CTX", ERR_CRYPTO));
out:
	return rc;
}

/* spec: rfc-8017 7.2.1 */
static enum err
end_rsa_encrypt(struct keyuse *use, uint8_t *out, size_t *octets)
{
	EVP_PKEY_CTX *ctx = NULL;
	size_t made = KEYUSE_END_OCTETS;
	enum err rc = OK;

	if (use->data_octets > use->rsa_octets - PKCS1_OCTETS)
		TRY(ERR_DATA_LENGTH);
	TRY(rsa_context(use, EVP_PKEY_encrypt_init, NULL, &ctx));
	if (EVP_PKEY_encrypt(
		ctx, out, &made, use->held, (size_t)use->data_octets) != 1)
		TRY(ossl_err("EVP_PKEY_encrypt", ERR_CRYPTO));
	*octets = made;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* spec: rfc-8017 7.2.2  whatever was wrong, one answer; OpenSSL looks at the
 * padding in constant time */
static enum err
end_rsa_decrypt(struct keyuse *use, uint8_t *out, size_t *octets)
{
	EVP_PKEY_CTX *ctx = NULL;
	size_t made = KEYUSE_END_OCTETS;
	enum err rc = OK;

	if (use->data_octets != use->rsa_octets)
		TRY(ERR_DECRYPT);
	TRY(rsa_context(use, EVP_PKEY_decrypt_init, NULL, &ctx));
	if (EVP_PKEY_decrypt(ctx, out, &made, use->held, use->rsa_octets) !=
	    1) {
		secret_wipe(out, KEYUSE_END_OCTETS);
		TRY(ossl_err("EVP_PKEY_decrypt", OK));
		TRY(ERR_DECRYPT);
	}
	*octets = made;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static enum err
digest_end(struct keyuse *use, uint8_t *out, size_t *octets)
{
	unsigned made = 0;

	if (EVP_DigestFinal_ex(use->digest, out, &made) != 1)
		return ossl_err("EVP_DigestFinal_ex", ERR_CRYPTO);
	*octets = made;
	return OK;
}

/* spec: rfc-8017 8.2.1 */
static enum err
end_sign(struct keyuse *use, uint8_t *out, size_t *octets)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	EVP_PKEY_CTX *ctx = NULL;
	size_t digest_len = 0;
	size_t made = KEYUSE_END_OCTETS;
	enum err rc = OK;

	TRY(digest_end(use, digest, &digest_len));
	TRY(rsa_context(
	    use, EVP_PKEY_sign_init, EVP_MD_CTX_get0_md(use->digest), &ctx));
	if (EVP_PKEY_sign(ctx, out, &made, digest, digest_len) != 1)
		TRY(ossl_err("EVP_PKEY_sign", ERR_CRYPTO));
	*octets = made;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* spec: rfc-8017 8.2.2 */
static enum err
verify_signature(struct keyuse *use, struct bytes value, bool *right)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	EVP_PKEY_CTX *ctx = NULL;
	size_t digest_len = 0;
	enum err rc = OK;

	TRY(digest_end(use, digest, &digest_len));
	TRY(rsa_context(
	    use, EVP_PKEY_verify_init, EVP_MD_CTX_get0_md(use->digest), &ctx));
	*right = EVP_PKEY_verify(
		     ctx, value.at, value.octets, digest, digest_len) == 1;
	/* a wrong one is an answer */
	TRY(ossl_err("EVP_PKEY_verify", OK));
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* ---- all of them ---- */

static enum err
check_order(const struct keyuse_order *order, struct fault *f)
{
	const struct transform *t = order->transform;

	if (t->activated && !order->activated) {
		fault_set(f, "%s: not feature-activated", t->name);
		return ERR_FEATURE;
	}
	if (t->algorithm != order->key_algorithm)
		return ERR_TRANSFORM;
	if (t->kind != TRANSFORM_CIPHER && order->iv.octets != 0)
		return ERR_IV;
	if (t->algorithm == ALG(RSA))
		return order->rsa != NULL ? OK : ERR_TRANSFORM;
	return keygen_symmetric_bits(t->algorithm, order->key.octets) != 0
		   ? OK
		   : ERR_TRANSFORM;
}

enum err
keyuse_new(
    const struct keyuse_order *order, struct fault *f, struct keyuse **out)
{
	struct keyuse *use = NULL;
	enum err rc = OK;

	*out = NULL;
	assert(transform_does(order->transform, order->action));
	(void)pthread_once(&fetched, fetch);
	TRY(check_order(order, f));
	TRY(MEM_NEW(use));
	use->transform = order->transform;
	use->action = order->action;
	switch (use->transform->kind) {
	case TRANSFORM_CIPHER:
		TRY(begin_cipher(order, f, use));
		break;
	case TRANSFORM_MAC:
		TRY(begin_mac(order, use));
		break;
	case TRANSFORM_RSA:
		TRY(begin_rsa(order, use));
		break;
	case TRANSFORM_SIGNATURE:
		TRY(begin_rsa(order, use));
		TRY(begin_signature(order, use));
		break;
	}
	*out = use;
	use = NULL;
out:
	keyuse_free(use);
	return rc;
}

void
keyuse_free(struct keyuse *use)
{
	if (use == NULL)
		return;
	EVP_CIPHER_CTX_free(use->cipher);
	EVP_MAC_CTX_free(use->mac);
	EVP_MD_CTX_free(use->digest);
	EVP_PKEY_free(use->rsa);
	if (use->transform->kind == TRANSFORM_RSA)
		secret_wipe(use->held, sizeof(use->held));
	mem_free(use);
}

/* What is too much for one block is counted, and told at the end. */
static void
hold(struct keyuse *use, struct bytes in)
{
	size_t room = 0;

	if (use->data_octets < sizeof(use->held))
		room = sizeof(use->held) - (size_t)use->data_octets;
	if (in.octets < room)
		room = in.octets;
	if (room != 0)
		memcpy(use->held + use->data_octets, in.at, room);
}

enum err
keyuse_update(struct keyuse *use, struct bytes in, uint8_t *out, size_t *octets)
{
	int made = 0;
	enum err rc = OK;

	*octets = 0;
	assert(in.octets <= PIECE_OCTETS);
	if (in.octets == 0)
		return OK;
	switch (use->transform->kind) {
	case TRANSFORM_CIPHER:
		if (EVP_CipherUpdate(
			use->cipher, out, &made, in.at, (int)in.octets) != 1)
			TRY(ossl_err("EVP_CipherUpdate", ERR_CRYPTO));
		break;
	case TRANSFORM_MAC:
		if (EVP_MAC_update(use->mac, in.at, in.octets) != 1)
			TRY(ossl_err("EVP_MAC_update", ERR_CRYPTO));
		break;
	case TRANSFORM_RSA:
		hold(use, in);
		break;
	case TRANSFORM_SIGNATURE:
		if (EVP_DigestUpdate(use->digest, in.at, in.octets) != 1)
			TRY(ossl_err("EVP_DigestUpdate", ERR_CRYPTO));
		break;
	}
	use->data_octets += in.octets;
	*octets = (size_t)made;
out:
	return rc;
}

bool
keyuse_is_slow(const struct keyuse *use)
{
	return use->slow;
}

static enum err
end_mac(struct keyuse *use, uint8_t *out, size_t *octets)
{
	if (EVP_MAC_final(use->mac, out, octets, DIGEST_MAX_OCTETS) != 1)
		return ossl_err("EVP_MAC_final", ERR_CRYPTO);
	return OK;
}

enum err
keyuse_end(struct keyuse *use, uint8_t *out, size_t *octets)
{
	*octets = 0;
	assert(use->action != ACTION_MACV && use->action != ACTION_SIGNV);
	switch (use->transform->kind) {
	case TRANSFORM_CIPHER:
		return end_cipher(use, out, octets);
	case TRANSFORM_MAC:
		return end_mac(use, out, octets);
	case TRANSFORM_RSA:
		return encrypts(use) ? end_rsa_encrypt(use, out, octets)
				     : end_rsa_decrypt(use, out, octets);
	case TRANSFORM_SIGNATURE:
		return end_sign(use, out, octets);
	}
	return ERR_CRYPTO;
}

enum err
keyuse_verify(struct keyuse *use, struct bytes value, bool *right)
{
	uint8_t mac[DIGEST_MAX_OCTETS];
	size_t octets = 0;
	enum err rc = OK;

	*right = false;
	assert(use->action == ACTION_MACV || use->action == ACTION_SIGNV);
	if (use->transform->kind == TRANSFORM_SIGNATURE)
		return verify_signature(use, value, right);
	TRY(end_mac(use, mac, &octets));
	*right = secret_equal_bytes((struct bytes){mac, octets}, value);
out:
	secret_wipe(mac, sizeof(mac));
	return rc;
}

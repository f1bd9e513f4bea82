#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "crypto/ossl.h"
#include "wire/schema.h"

/* clang-format off */
#define HASH(h) [HASHING_ALGORITHM_##h]
#define KEY(k)  CRYPTOGRAPHIC_ALGORITHM_HMAC_##k

static const struct {
	const char *name; /* OpenSSL's; no MD2 and no Tiger there */
	uint32_t hmac;    /* the algorithm of the keys of its HMAC, if any */
} digests[] = {
	HASH(MD4)         = { "MD4",         0 },
	HASH(MD5)         = { "MD5",         KEY(MD5) },
	HASH(SHA_1)       = { "SHA1",        KEY(SHA1) },
	HASH(SHA_224)     = { "SHA2-224",    KEY(SHA224) },
	HASH(SHA_256)     = { "SHA2-256",    KEY(SHA256) },
	HASH(SHA_384)     = { "SHA2-384",    KEY(SHA384) },
	HASH(SHA_512)     = { "SHA2-512",    KEY(SHA512) },
	HASH(RIPEMD_160)  = { "RIPEMD-160",  0 },
	HASH(WHIRLPOOL)   = { "WHIRLPOOL",   0 },
	HASH(SHA_512_224) = { "SHA2-512/224", 0 },
	HASH(SHA_512_256) = { "SHA2-512/256", 0 },
	HASH(SHA3_224)    = { "SHA3-224",    KEY(SHA3_224) },
	HASH(SHA3_256)    = { "SHA3-256",    KEY(SHA3_256) },
	HASH(SHA3_384)    = { "SHA3-384",    KEY(SHA3_384) },
	HASH(SHA3_512)    = { "SHA3-512",    KEY(SHA3_512) },
};
/* clang-format on */

enum { DIGESTS = sizeof(digests) / sizeof(digests[0]) };

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *mds[DIGESTS];
static EVP_MAC *hmac;
static pthread_key_t context_key;
static bool has_context_key;

static void
context_free(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

/* A fetch costs more than a digest of a key: once, for the process's life. */
static void
fetch(void)
{
	size_t k;

	for (k = 0; k < DIGESTS; k++) {
		if (digests[k].name != NULL)
			mds[k] = EVP_MD_fetch(NULL, digests[k].name, NULL);
	}
	hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	has_context_key = pthread_key_create(&context_key, context_free) == 0;
	ossl_forget(); /* one that is missing is not offered */
}

const EVP_MD *
digest_md(uint32_t hashing_algorithm)
{
	(void)pthread_once(&fetched, fetch);
	return hashing_algorithm < DIGESTS ? mds[hashing_algorithm] : NULL;
}

/*
 * The thread's context, kept until the thread ends: to make one and throw it
 * away costs more than a digest of a key.
 */
static enum err
context_find(EVP_MD_CTX **out)
{
	EVP_MD_CTX *ctx = NULL;
	enum err rc = OK;

	*out = has_context_key ? pthread_getspecific(context_key) : NULL;
	if (*out != NULL)
		return OK;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		TRY(ossl_err("EVP_MD_CTX_new", ERR_NOMEM));
	if (!has_context_key || pthread_setspecific(context_key, ctx) != 0)
		TRY(ERR_NOMEM);
	*out = ctx;
	ctx = NULL;
out:
	EVP_MD_CTX_free(ctx);
	return rc;
}

/* What was digested may be a key, and some algorithms' state leads back to it:
 * the state of an empty message is put in its place. */
static void
context_forget(EVP_MD_CTX *ctx)
{
	if (EVP_DigestInit_ex2(ctx, NULL, NULL) == 1)
		return;
	(void)EVP_MD_CTX_reset(ctx);
	ossl_forget();
}

size_t
digest_octets(uint32_t hashing_algorithm)
{
	const EVP_MD *md = digest_md(hashing_algorithm);

	return md != NULL ? (size_t)EVP_MD_get_size(md) : 0;
}

uint32_t
digest_of_hmac(uint32_t cryptographic_algorithm)
{
	uint32_t k;

	for (k = 0; k < DIGESTS; k++) {
		if (digests[k].hmac != 0 &&
		    digests[k].hmac == cryptographic_algorithm)
			return k;
	}
	return 0;
}

enum err
digest_make(
    uint32_t hashing_algorithm, struct bytes in, uint8_t *out, size_t *octets)
{
	const EVP_MD *md = digest_md(hashing_algorithm);
	EVP_MD_CTX *ctx = NULL;
	unsigned int made = 0;
	enum err rc = OK;

	if (md == NULL)
		return ERR_FEATURE;
	TRY(context_find(&ctx));
	if (EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, in.at, in.octets) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, &made) != 1)
		TRY(ossl_err("EVP_Digest", ERR_CRYPTO));
	if (octets != NULL)
		*octets = made;
out:
	if (ctx != NULL)
		context_forget(ctx);
	return rc;
}

enum err
digest_hmac(uint32_t hashing_algorithm, struct bytes key, struct bytes in,
    uint8_t *out, size_t *octets)
{
	const EVP_MD *md = digest_md(hashing_algorithm);
	/* a key of no octets is a key; NULL would mean none given */
	const uint8_t *key_at = key.octets != 0 ? key.at : (const uint8_t *)"";
	OSSL_PARAM params[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
	EVP_MAC_CTX *mac = NULL;
	size_t made = 0;
	enum err rc = OK;

	if (md == NULL)
		return ERR_FEATURE;
	/* OpenSSL's parameters are not const, and it does not write there */
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    (char *)(uintptr_t)digests[hashing_algorithm].name, 0);
	if (hmac == NULL || (mac = EVP_MAC_CTX_new(hmac)) == NULL ||
	    EVP_MAC_init(mac, key_at, key.octets, params) != 1 ||
	    EVP_MAC_update(mac, in.at, in.octets) != 1 ||
	    EVP_MAC_final(mac, out, &made, DIGEST_MAX_OCTETS) != 1)
		TRY(ossl_err("HMAC", ERR_CRYPTO));
	if (octets != NULL)
		*octets = made;
out:
	EVP_MAC_CTX_free(mac);
	return rc;
}

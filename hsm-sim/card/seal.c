#include "card/seal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"

enum { NONCE_OCTETS = 12, TAG_OCTETS = 16 };

_Static_assert(NONCE_OCTETS + TAG_OCTETS == SEAL_MORE_OCTETS, "its layout");

/* Only shows changes: see the header. */
static const uint8_t product_key[] = "touchstone simulated card, state 1";

static enum err
failed(const char *call)
{
	log_line("card", LOG_ERROR, "%s: %s", call,
	    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	return ERR_CRYPTO;
}

/* Loading one by hand ends the default's loading by itself. */
static const char *const provider_names[] = {"default", "legacy"};
enum { PROVIDERS = sizeof(provider_names) / sizeof(provider_names[0]) };
static OSSL_PROVIDER *providers[PROVIDERS];

static void
providers_unload(void)
{
	size_t k;

	for (k = 0; k < PROVIDERS; k++) {
		if (providers[k] != NULL)
			(void)OSSL_PROVIDER_unload(providers[k]);
	}
}

static void
legacy_load(void)
{
	size_t k;

	for (k = 0; k < PROVIDERS; k++) {
		providers[k] = OSSL_PROVIDER_load(NULL, provider_names[k]);
		if (providers[k] == NULL)
			log_line("card", LOG_WARN, "no OpenSSL provider %s",
			    provider_names[k]);
	}
	ERR_clear_error();
	/* before OpenSSL's own clean-up, which leaks them otherwise */
	if (atexit(providers_unload) != 0)
		log_line("card", LOG_WARN, "providers stay loaded");
}

void
seal_legacy(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, legacy_load);
}

static enum err
hkdf(struct bytes secret, const uint8_t salt[SEAL_SALT_OCTETS],
    const char *purpose, uint8_t out[SEAL_KEY_OCTETS])
{
	struct bytes info = bytes_of_text(purpose);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
	    OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY,
		(void *)(uintptr_t)secret.at, secret.octets),
	    OSSL_PARAM_octet_string(
		OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SEAL_SALT_OCTETS),
	    OSSL_PARAM_octet_string(
		OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.at, info.octets),
	    OSSL_PARAM_END,
	};
	enum err rc = OK;

	if (ctx == NULL ||
	    EVP_KDF_derive(ctx, out, SEAL_KEY_OCTETS, params) != 1)
		rc = failed("HKDF");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

static enum err
pbkdf2(struct bytes secret, const uint8_t salt[SEAL_SALT_OCTETS],
    unsigned rounds, uint8_t out[SEAL_KEY_OCTETS])
{
	if (PKCS5_PBKDF2_HMAC((const char *)secret.at, (int)secret.octets, salt,
		SEAL_SALT_OCTETS, (int)rounds, EVP_sha256(), SEAL_KEY_OCTETS,
		out) != 1)
		return failed("PBKDF2");
	return OK;
}

enum err
seal_key(struct bytes secret, const uint8_t salt[SEAL_SALT_OCTETS],
    unsigned rounds, const char *purpose, struct secret **key)
{
	struct secret *made = NULL;
	enum err rc = OK;

	*key = NULL;
	TRY(secret_new(SEAL_KEY_OCTETS, &made));
	if (rounds == 0)
		TRY(hkdf(secret, salt, purpose, secret_fill(made)));
	else
		TRY(pbkdf2(secret, salt, rounds, secret_fill(made)));
	*key = made;
	made = NULL;
out:
	secret_free(made);
	return rc;
}

enum err
seal_put(
    struct env *env, const struct secret *key, struct bytes plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *text = out + NONCE_OCTETS;
	int octets;
	enum err rc = OK;

	if (ctx == NULL)
		TRY(failed("EVP_CIPHER_CTX_new"));
	TRY(env_random(env, out, NONCE_OCTETS));
	if (EVP_EncryptInit_ex2(
		ctx, EVP_aes_256_gcm(), secret_peek(key).at, out, NULL) != 1 ||
	    EVP_EncryptUpdate(
		ctx, text, &octets, plain.at, (int)plain.octets) != 1 ||
	    EVP_EncryptFinal_ex(ctx, text + octets, &octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_OCTETS,
		text + plain.octets) != 1)
		TRY(failed("AES-256-GCM"));
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

enum err
seal_open(const struct secret *key, struct bytes sealed, struct secret **plain)
{
	EVP_CIPHER_CTX *ctx = NULL;
	struct secret *opened = NULL;
	struct bytes nonce, text;
	uint8_t tag[TAG_OCTETS];
	int octets;
	size_t k;
	enum err rc = OK;

	*plain = NULL;
	text = sealed;
	if (text.octets < SEAL_MORE_OCTETS)
		TRY(ERR_SEAL);
	TRY(bytes_split(&text, NONCE_OCTETS, &nonce));
	text.octets -= TAG_OCTETS;
	for (k = 0; k < TAG_OCTETS; k++)
		tag[k] = text.at[text.octets + k];
	TRY(secret_new(text.octets, &opened));
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		TRY(failed("EVP_CIPHER_CTX_new"));
	if (EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), secret_peek(key).at,
		nonce.at, NULL) != 1 ||
	    EVP_DecryptUpdate(ctx, secret_fill(opened), &octets, text.at,
		(int)text.octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_OCTETS, tag) !=
		1)
		TRY(failed("AES-256-GCM"));
	if (EVP_DecryptFinal_ex(ctx, secret_fill(opened) + octets, &octets) !=
	    1) {
		ERR_clear_error(); /* an expected answer */
		TRY(ERR_SEAL);
	}
	*plain = opened;
	opened = NULL;
out:
	EVP_CIPHER_CTX_free(ctx);
	secret_free(opened);
	return rc;
}

enum err
seal_check(struct bytes octets, uint8_t out[SEAL_CHECK_OCTETS])
{
	unsigned length;

	if (HMAC(EVP_sha256(), product_key, sizeof(product_key), octets.at,
		octets.octets, out, &length) == NULL)
		return failed("HMAC");
	return OK;
}

#include "crypto/aead.h"

#include <limits.h>
#include <openssl/evp.h>

#include "base/secret.h"
#include "crypto/ossl.h"

static enum err
begin(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce,
    struct bytes aad, int seal)
{
	int octets;
	enum err rc = OK;

	if (ctx == NULL)
		TRY(ERR_NOMEM);
	if (aad.octets > INT_MAX)
		TRY(ERR_CRYPTO);
	if (EVP_CipherInit_ex2(
		ctx, EVP_aes_256_gcm(), key, nonce, seal, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &octets, aad.at, (int)aad.octets) != 1)
		TRY(ossl_err("AES-256-GCM", ERR_CRYPTO));
out:
	return rc;
}

enum err
aead_seal(const uint8_t key[AEAD_KEY_OCTETS],
    const uint8_t nonce[AEAD_NONCE_OCTETS], struct bytes aad,
    struct bytes plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int octets = 0;
	enum err rc = OK;

	if (plain.octets > INT_MAX)
		TRY(ERR_CRYPTO);
	TRY(begin(ctx, key, nonce, aad, 1));
	/* without octets it would end the associated data again */
	if (plain.octets != 0 && EVP_CipherUpdate(ctx, out, &octets, plain.at,
				     (int)plain.octets) != 1)
		TRY(ossl_err("seal", ERR_CRYPTO));
	if (EVP_CipherFinal_ex(ctx, out + octets, &octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_OCTETS,
		out + plain.octets) != 1)
		TRY(ossl_err("seal", ERR_CRYPTO));
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

enum err
aead_open(const uint8_t key[AEAD_KEY_OCTETS],
    const uint8_t nonce[AEAD_NONCE_OCTETS], struct bytes aad,
    struct bytes sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct bytes body;
	int octets = 0;
	enum err rc = OK;

	if (sealed.octets < AEAD_TAG_OCTETS ||
	    sealed.octets - AEAD_TAG_OCTETS > INT_MAX)
		TRY(ERR_SEAL);
	TRY(bytes_split(&sealed, sealed.octets - AEAD_TAG_OCTETS, &body));
	TRY(begin(ctx, key, nonce, aad, 0));
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_OCTETS,
		(void *)(uintptr_t)sealed.at) != 1 ||
	    (body.octets != 0 && EVP_CipherUpdate(ctx, out, &octets, body.at,
				     (int)body.octets) != 1))
		TRY(ossl_err("open", ERR_CRYPTO));
	if (EVP_CipherFinal_ex(ctx, out + octets, &octets) != 1) {
		ossl_forget();
		secret_wipe(out, body.octets);
		TRY(ERR_SEAL);
	}
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

#include "crypto/vault.h"

#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "crypto/keyfile.h"
#include "crypto/ossl.h"
#include "crypto/random.h"

enum {
	FORMAT_VERSION = 1,
	HEADER_OCTETS = 8,
	NONCE_OCTETS = 12,
	TAG_OCTETS = 16,
	KEY_OCTETS = 32,
};

static const uint8_t header[HEADER_OCTETS] = {
    'T', 'S', 'V', 'T', FORMAT_VERSION, FORMAT_VERSION, 0, 0};

static enum err
key_read(const char *path, struct secret **out)
{
	enum err rc = OK;

	TRY(keyfile_read(path, KEY_OCTETS, out));
	if (secret_peek(*out).octets != KEY_OCTETS)
		TRY(ERR_CONFIG);
out:
	if (rc != OK) {
		secret_free(*out);
		*out = NULL;
	}
	return rc;
}

static enum err
key_make(struct env *env, const char *path, struct secret **out)
{
	enum err rc = OK;

	*out = NULL;
	if (access(path, F_OK) == 0)
		return key_read(path, out);
	TRY(random_secret(env, KEY_OCTETS, out));
	TRY(keyfile_put(path, secret_peek(*out)));
out:
	if (rc != OK) {
		secret_free(*out);
		*out = NULL;
	}
	return rc;
}

static enum err
begin(EVP_CIPHER_CTX *ctx, const struct secret *key, const uint8_t *nonce,
    const char *name, int seal)
{
	int octets;
	enum err rc = OK;

	if (ctx == NULL)
		TRY(ERR_NOMEM);
	if (EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), secret_peek(key).at,
		nonce, seal, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &octets, header, HEADER_OCTETS) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &octets, (const uint8_t *)name,
		(int)strlen(name)) != 1)
		TRY(ossl_err("AES-256-GCM", ERR_CRYPTO));
out:
	return rc;
}

enum err
vault_seal(struct env *env, const char *key_path, const char *name,
    struct bytes secret, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t total = VAULT_OVERHEAD_OCTETS + secret.octets;
	struct secret *key = NULL;
	uint8_t *at, *body;
	int octets = 0;
	enum err rc = OK;

	if (secret.octets > VAULT_SECRET_MAX_OCTETS)
		TRY(ERR_LIMIT);
	TRY(key_make(env, key_path, &key));
	TRY(buf_reserve(out, total, &at));
	body = at + HEADER_OCTETS + NONCE_OCTETS;
	memcpy(at, header, HEADER_OCTETS);
	TRY(env_random(env, at + HEADER_OCTETS, NONCE_OCTETS));
	TRY(begin(ctx, key, at + HEADER_OCTETS, name, 1));
	if (EVP_CipherUpdate(
		ctx, body, &octets, secret.at, (int)secret.octets) != 1 ||
	    EVP_CipherFinal_ex(ctx, body + octets, &octets) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_OCTETS,
		body + secret.octets) != 1)
		TRY(ossl_err("seal", ERR_CRYPTO));
	buf_added(out, total);
out:
	EVP_CIPHER_CTX_free(ctx);
	secret_free(key);
	return rc;
}

enum err
vault_open(const char *key_path, const char *name, struct bytes sealed,
    struct secret **out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct secret *key = NULL;
	struct secret *room = NULL;
	struct bytes head, nonce, body;
	int octets = 0;
	enum err rc = OK;

	*out = NULL;
	if (sealed.octets < VAULT_OVERHEAD_OCTETS ||
	    sealed.octets > VAULT_OVERHEAD_OCTETS + VAULT_SECRET_MAX_OCTETS)
		TRY(ERR_SEAL);
	TRY(bytes_split(&sealed, HEADER_OCTETS, &head));
	TRY(bytes_split(&sealed, NONCE_OCTETS, &nonce));
	TRY(bytes_split(&sealed, sealed.octets - TAG_OCTETS, &body));
	if (memcmp(head.at, header, 4) != 0)
		TRY(ERR_SEAL);
	if (head.at[5] > FORMAT_VERSION)
		TRY(ERR_STORE_VERSION);
	if (memcmp(head.at, header, HEADER_OCTETS) != 0)
		TRY(ERR_SEAL);
	TRY(key_read(key_path, &key));
	TRY(secret_new(body.octets, &room));
	TRY(begin(ctx, key, nonce.at, name, 0));
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_OCTETS,
		(void *)(uintptr_t)sealed.at) != 1 ||
	    EVP_CipherUpdate(ctx, secret_fill(room), &octets, body.at,
		(int)body.octets) != 1)
		TRY(ossl_err("open", ERR_CRYPTO));
	if (EVP_CipherFinal_ex(ctx, secret_fill(room) + octets, &octets) != 1) {
		ossl_forget();
		TRY(ERR_SEAL);
	}
	*out = room;
	room = NULL;
out:
	EVP_CIPHER_CTX_free(ctx);
	secret_free(room);
	secret_free(key);
	return rc;
}

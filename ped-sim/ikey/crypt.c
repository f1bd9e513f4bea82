#include "ikey/crypt.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static enum err
failed(void)
{
	ERR_clear_error();
	return ERR_CRYPTO;
}

/* OpenSSL takes NULL for "as before", and lengths as int. */
static const uint8_t *
at_of(struct bytes b)
{
	return b.octets != 0 ? b.at : (const uint8_t *)"";
}

enum err
crypt_hmac(struct bytes key, struct bytes in, uint8_t mac[CRYPT_MAC_OCTETS])
{
	if (key.octets > INT_MAX)
		return ERR_LENGTH;
	if (HMAC(EVP_sha256(), at_of(key), (int)key.octets, at_of(in),
		in.octets, mac, NULL) == NULL)
		return failed();
	return OK;
}

enum err
crypt_pbkdf2(struct bytes password, struct bytes salt, unsigned rounds,
    struct secret *out)
{
	struct bytes room = secret_peek(out);

	if (password.octets > INT_MAX || salt.octets > INT_MAX ||
	    rounds > INT_MAX || room.octets > INT_MAX)
		return ERR_LENGTH;
	if (PKCS5_PBKDF2_HMAC((const char *)at_of(password),
		(int)password.octets, at_of(salt), (int)salt.octets,
		(int)rounds, EVP_sha256(), (int)room.octets,
		secret_fill(out)) != 1)
		return failed();
	return OK;
}

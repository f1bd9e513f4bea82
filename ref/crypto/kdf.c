#include "crypto/kdf.h"

#include <limits.h>
#include <openssl/evp.h>

#include "crypto/ossl.h"

enum err
kdf_pbkdf2(struct bytes password, struct bytes salt, unsigned iterations,
    uint8_t *out, size_t octets)
{
	/* to OpenSSL, NULL is no password rather than an empty one */
	const char *at = password.octets != 0 ? (const char *)password.at : "";
	enum err rc = OK;

	if (password.octets > INT_MAX || salt.octets > INT_MAX ||
	    octets > INT_MAX || iterations > INT_MAX || iterations == 0)
		return ERR_CRYPTO;
	if (PKCS5_PBKDF2_HMAC(at, (int)password.octets, salt.at,
		(int)salt.octets, (int)iterations, EVP_sha256(), (int)octets,
		out) != 1)
		TRY(ossl_err("PKCS5_PBKDF2_HMAC", ERR_CRYPTO));
out:
	return rc;
}

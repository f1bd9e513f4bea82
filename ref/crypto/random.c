#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>

#include "crypto/ossl.h"

enum err
random_drbg(void *ctx, uint8_t *out, size_t octets)
{
	enum err rc = OK;

	(void)ctx;
	while (octets != 0) {
		int part = octets > INT_MAX ? INT_MAX : (int)octets;

		if (RAND_priv_bytes(out, part) != 1)
			TRY(ossl_err("RAND_priv_bytes", ERR_ENTROPY));
		out += part;
		octets -= (size_t)part;
	}
out:
	return rc;
}

enum err
random_secret(struct env *env, size_t octets, struct secret **out)
{
	struct secret *s = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(secret_new(octets, &s));
	TRY(env_random(env, secret_fill(s), octets));
	*out = s;
	s = NULL;
out:
	secret_free(s);
	return rc;
}

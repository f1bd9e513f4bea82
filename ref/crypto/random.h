/*
 * Randomness for keys: OpenSSL's DRBG (CTR-DRBG with AES-256, SP 800-90A, one
 * a thread, reseeded from the system).
 *
 *	env_set_random(env, random_drbg, NULL);
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/env.h"
#include "base/secret.h"

/*
 * An env_random_fn. Any thread; `ctx` is not used.
 *
 * ERR_ENTROPY  the DRBG is in its error state
 */
enum err random_drbg(void *ctx, uint8_t *out, size_t octets) MUST_CHECK;

/* A new secret of random octets from env. ERR_ENTROPY, ERR_NOMEM */
enum err
random_secret(struct env *env, size_t octets, struct secret **out) MUST_CHECK;

#endif

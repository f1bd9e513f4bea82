/*
 * Making keys: which algorithm takes which lengths, in one table, and the keys
 * themselves.
 *
 * Lengths are in bits as Cryptographic Length counts them: a 3DES key of 168
 * bits has 24 octets, its parity bits included.
 *
 * Symmetric keys are made at once, on the loop. A pair takes from a tenth of a
 * second to many: keygen_pair_begin checks and draws on the loop,
 * keygen_pair_work runs on a worker.
 *
 * Source: KMIP 1.4 sections 3.5, 4.1 and 4.2; FIPS 46-3 and SP 800-67 (parity,
 * weak keys); FIPS 186-4
 */
#ifndef CRYPTO_KEYGEN_H
#define CRYPTO_KEYGEN_H

#include "base/env.h"
#include "base/secret.h"
#include "wire/schema.h"

/*
 * Octets of a symmetric key (HMAC keys included) with that length; 0 when the
 * algorithm does not take the length, or is none that keys are made for.
 */
size_t keygen_symmetric_octets(uint32_t algorithm, uint32_t key_bits);

/*
 * The length that key material of so many octets has; 0 when the algorithm
 * takes no such key. For keys that arrive without a Cryptographic Length.
 */
uint32_t keygen_symmetric_bits(uint32_t algorithm, size_t octets);

/* The only length that makes sense: an algorithm's single one, an HMAC's
 * digest's; 0 when a request has to name it. */
uint32_t keygen_default_bits(uint32_t algorithm);

/*
 * A new key, uniformly random; DES and 3DES keys with odd parity and never a
 * weak one.
 *
 * f            says which lengths the algorithm takes
 * ERR_FIELD    the length is none of the algorithm's
 * ERR_FEATURE  no symmetric keys are made for this algorithm
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err keygen_symmetric(struct env *env, uint32_t algorithm,
    uint32_t key_bits, struct fault *f, struct secret **out) MUST_CHECK;

/* DES keys, for what arrives or is derived: one to three parts of 8 octets. */
void keygen_des_parity(uint8_t *key, size_t octets);
bool keygen_des_weak(struct bytes key);

/*
 * A pair in the making. Zeroed at first; keygen_pair_clear at the end.
 *
 * RSA comes as PKCS#1, EC as ECPrivateKey and X.509, DSA and the Edwards
 * curves as PKCS#8 and X.509; keyformat.h has the way to other formats.
 */
struct keygen_pair {
	uint32_t algorithm; /* CRYPTOGRAPHIC_ALGORITHM_ */
	uint32_t key_bits;
	uint32_t curve; /* RECOMMENDED_CURVE_, 0 for what has none */
	uint8_t seed[32];
	/* after keygen_pair_work */
	uint32_t private_format; /* KEY_FORMAT_TYPE_ */
	uint32_t public_format;
	struct secret *private_key;
	struct secret *public_key;
};

/*
 * On the loop: check algorithm, length and curve, and draw from env what the
 * worker adds to its own randomness (so that a source that is known to have
 * failed makes no keys).
 *
 * key_bits  0: the curve says it, or the algorithm's default
 * curve     0: the NIST prime curve of that length
 *
 * ERR_FIELD    a length or curve that the algorithm does not take; f says why
 * ERR_FEATURE  no pairs are made for this algorithm
 * ERR_ENTROPY
 */
enum err
keygen_pair_begin(struct keygen_pair *pair, struct env *env, uint32_t algorithm,
    uint32_t key_bits, uint32_t curve, struct fault *f) MUST_CHECK;

/* The same for the guide's own list of keys, which has RSA-512: too short for
 * those who can ask for another, as KMIP's clients can. */
enum err keygen_pair_begin_short(struct keygen_pair *pair, struct env *env,
    uint32_t algorithm, uint32_t key_bits, struct fault *f) MUST_CHECK;

/*
 * On a worker. Touches nothing but *pair.
 *
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err keygen_pair_work(struct keygen_pair *pair) MUST_CHECK;
void keygen_pair_clear(struct keygen_pair *pair);

#endif

/*
 * One operation with a key, over data that comes in pieces: encrypt, decrypt,
 * MAC, sign, and verify a MAC or a signature.
 *
 *	TRY(keyuse_new(&order, &f, &use));
 *	TRY(keyuse_update(use, piece, out, &octets));   again and again
 *	TRY(keyuse_end(use, out, &octets));             or keyuse_verify
 *
 * Data is never held but for a block, or an RSA key's one: what comes out of
 * an update goes to the caller at once. What decrypts in pieces is not known to
 * be right before the end: the caller shows nobody any of it until
 * keyuse_end says OK, and wipes it otherwise.
 *
 * RSA's private half takes from a twentieth of a millisecond to five
 * (keyuse_is_slow): such an keyuse_end runs on a worker. Everything else
 * costs what its octets cost. One thread at a time.
 *
 * RC4, DES and SEED are in OpenSSL's legacy provider, which is loaded for them
 * alone; where it is missing there are no such operations.
 *
 * Source: the guide, chapter 28; SP 800-38A (ECB, CBC), RFC 8017 sections 7.2
 * and 8.2 (PKCS#1 v1.5), FIPS 198-1; PKCS5Padding is RFC 5652 section 6.3's
 */
#ifndef CRYPTO_KEYUSE_H
#define CRYPTO_KEYUSE_H

#include "crypto/keyformat.h"
#include "crypto/transform.h"

struct keyuse;

enum {
	KEYUSE_BLOCK_OCTETS = 16,
	KEYUSE_END_OCTETS = 512,
	KEYUSE_RSA_LEAST_BITS = 512,
	KEYUSE_RSA_MOST_BITS = 4096,
};

struct keyuse_order {
	enum transform_action action;
	const struct transform *transform;
	uint32_t key_algorithm;     /* CRYPTOGRAPHIC_ALGORITHM_ */
	struct bytes key;           /* a symmetric key's octets */
	const struct keyparts *rsa; /* the numbers of an RSA key */
	struct bytes iv;
	bool activated; /* may it do what has to be feature-activated? */
};

/*
 * Everything in the order is borrowed for the call only.
 *
 * ERR_FEATURE    not activated, or OpenSSL does not have it: f says which
 * ERR_TRANSFORM  the key is another algorithm's, has a length that there is
 *                no cipher for, lacks the half that is needed, or is too short
 *                for the digest
 * ERR_IV         of another length; or one where none is taken
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err keyuse_new(const struct keyuse_order *order, struct fault *f,
    struct keyuse **out) MUST_CHECK;

/* Accepts NULL. Nothing of the key or the data is left. */
void keyuse_free(struct keyuse *use);

/*
 * The next piece of the data.
 *
 * in   at most 1 GiB at a time
 * out  room for in.octets + KEYUSE_BLOCK_OCTETS; does not overlap `in`. A
 *      MAC, a signature and RSA's ciphers write nothing there: NULL will do
 *
 * ERR_CRYPTO
 */
enum err keyuse_update(struct keyuse *use, struct bytes in, uint8_t *out,
    size_t *octets) MUST_CHECK;

/* Does the end take longer than the loop has? */
bool keyuse_is_slow(const struct keyuse *use);

/*
 * The end of the data, where something comes out: what is left of the
 * ciphertext or plaintext, the MAC, the signature. A second time is a mistake.
 *
 * out  room for KEYUSE_END_OCTETS
 *
 * ERR_DATA_LENGTH  blocks that are not whole, where nothing pads them; too
 *                  much for RSA
 * ERR_DECRYPT      decrypting failed. There is one error for all causes, and
 *                  RSA's padding is judged in constant time
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err
keyuse_end(struct keyuse *use, uint8_t *out, size_t *octets) MUST_CHECK;

/*
 * The end of the data for ACTION_MACV and ACTION_SIGNV: is this its MAC or
 * signature? MACs are compared in constant time. One that cannot be right, as
 * by its length, is wrong.
 *
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err
keyuse_verify(struct keyuse *use, struct bytes value, bool *right) MUST_CHECK;

#endif

/*
 * RSAES-OAEP with any SHA, for a SoftHSM that knows it with SHA-1 only: what
 * stands around the plain RSA operation.
 *
 * Source: RFC 8017 section 7.1
 */
#ifndef TOKEN_PAD_H
#define TOKEN_PAD_H

#include "base/env.h"

enum pad_hash {
	PAD_SHA1,
	PAD_SHA224,
	PAD_SHA256,
	PAD_SHA384,
	PAD_SHA512,
	PAD_HASHES
};

struct pad_oaep {
	enum pad_hash hash, mgf;
	struct bytes label; /* borrowed */
};

/* The longest message for a modulus of so many octets; 0: it is too short. */
size_t pad_oaep_room(const struct pad_oaep *oaep, size_t modulus_octets);

/*
 * Pad a message to the length of the modulus.
 *
 * out  modulus_octets of room; wiped where this fails
 *
 * ERR_LENGTH   the message is longer than pad_oaep_room
 * ERR_ENTROPY, ERR_CRYPTO, ERR_NOMEM
 */
enum err pad_oaep_close(const struct pad_oaep *oaep, struct env *env,
    struct bytes message, uint8_t *out, size_t modulus_octets) MUST_CHECK;

/*
 * Find the message in what RSA decryption gave. One answer for everything that
 * can be wrong, and the time until it is given does not tell what was.
 *
 * padded   modulus_octets; overwritten: the message is in there
 * message  where in it
 *
 * ERR_CRYPTO   wrong key, label or ciphertext; padded is wiped
 * ERR_NOMEM
 */
enum err pad_oaep_open(const struct pad_oaep *oaep, uint8_t *padded,
    size_t modulus_octets, struct bytes *message) MUST_CHECK;

#endif

/*
 * Transformations: "AES/CBC/PKCS5Padding" and its like, as requests name them,
 * and what they are good for. All rows are in transform.def.
 *
 * Source: the guide, chapter 28; NAE-XML's names are Java's
 */
#ifndef CRYPTO_TRANSFORM_H
#define CRYPTO_TRANSFORM_H

#include "model/key_use.h"

enum transform_action {
#define ACTION(word, use, makes) ACTION_##word,
#include "crypto/transform.def"
	ACTION_COUNT
};

/* The action of a request's word, exactly as it is written; false: none. */
bool transform_action_find(struct bytes word, enum transform_action *out);

/* "ENCRYPT", and the use of a key that it is, USE_ENCRYPT. */
const char *transform_action_word(enum transform_action action);
enum key_use transform_action_use(enum transform_action action);

/* Does it make something new? A restricted key does not. */
bool transform_action_makes(enum transform_action action);

enum transform_kind {
	TRANSFORM_CIPHER,
	TRANSFORM_RSA,
	TRANSFORM_MAC,
	TRANSFORM_SIGNATURE
};

enum transform_mode { TRANSFORM_ECB, TRANSFORM_CBC, TRANSFORM_STREAM };

struct transform {
	const char *name;
	const char *short_name; /* NULL: none */
	enum transform_kind kind;
	uint32_t algorithm; /* of its keys, CRYPTOGRAPHIC_ALGORITHM_ */

	/* ciphers */
	enum transform_mode mode;
	size_t iv_octets; /* 0: it takes none */
	bool padded;
	bool activated; /* only where it is feature-activated */

	/* MACs and signatures */
	uint32_t hash; /* HASHING_ALGORITHM_ */
};

/*
 * The transformation of that name for that action: the whole name, or a short
 * one. A static row.
 *
 * ERR_FEATURE  there is none, or none that this action is one of
 */
enum err transform_find(enum transform_action action, struct bytes name,
    const struct transform **out) MUST_CHECK;

/* All rows; NULL past the last. */
const struct transform *transform_at(size_t index);

/* Is the action one of this transformation's? */
bool transform_does(const struct transform *t, enum transform_action action);

#endif

#include "crypto/transform.h"

#include "wire/schema.h"

/* clang-format off */
static const struct {
	const char *word;
	enum key_use use;
	bool makes;
} actions[] = {
#define ACTION(w, u, m) [ACTION_##w] = { #w, u, m },
#include "crypto/transform.def"
};

#define NONE NULL
#define ALG(a)  CRYPTOGRAPHIC_ALGORITHM_##a
#define HASH(h) HASHING_ALGORITHM_##h

static const struct transform transforms[] = {
#define CIPHER(a, n, s, m, iv, pad, act) \
	{ .name = n, .short_name = s, .kind = TRANSFORM_CIPHER, \
	  .algorithm = ALG(a), .mode = TRANSFORM_##m, .iv_octets = iv, \
	  .padded = pad, .activated = act },
#define RSA(n, s) \
	{ .name = n, .short_name = s, .kind = TRANSFORM_RSA, \
	  .algorithm = ALG(RSA) },
#define MAC(a, n, h) \
	{ .name = n, .kind = TRANSFORM_MAC, .algorithm = ALG(a), \
	  .hash = HASH(h) },
#define SIGNATURE(n, s, h) \
	{ .name = n, .short_name = s, .kind = TRANSFORM_SIGNATURE, \
	  .algorithm = ALG(RSA), .hash = HASH(h) },
#include "crypto/transform.def"
};
/* clang-format on */

enum { TRANSFORMS = sizeof(transforms) / sizeof(transforms[0]) };

bool
transform_action_find(struct bytes word, enum transform_action *out)
{
	enum transform_action k;

	for (k = 0; k < ACTION_COUNT; k++) {
		if (bytes_equal_text(word, actions[k].word)) {
			*out = k;
			return true;
		}
	}
	return false;
}

const char *
transform_action_word(enum transform_action action)
{
	return actions[action].word;
}

enum key_use
transform_action_use(enum transform_action action)
{
	return actions[action].use;
}

bool
transform_action_makes(enum transform_action action)
{
	return actions[action].makes;
}

const struct transform *
transform_at(size_t index)
{
	return index < TRANSFORMS ? &transforms[index] : NULL;
}

bool
transform_does(const struct transform *t, enum transform_action action)
{
	switch (t->kind) {
	case TRANSFORM_CIPHER:
	case TRANSFORM_RSA:
		return action == ACTION_ENCRYPT || action == ACTION_DECRYPT;
	case TRANSFORM_MAC:
		return action == ACTION_MAC || action == ACTION_MACV;
	case TRANSFORM_SIGNATURE:
		return action == ACTION_SIGN || action == ACTION_SIGNV;
	}
	return false;
}

static bool
is_named(const struct transform *t, struct bytes name)
{
	return bytes_equal_text(name, t->name) ||
	       (t->short_name != NULL && bytes_equal_text(name, t->short_name));
}

enum err
transform_find(enum transform_action action, struct bytes name,
    const struct transform **out)
{
	size_t k;

	*out = NULL;
	for (k = 0; k < TRANSFORMS; k++) {
		if (transform_does(&transforms[k], action) &&
		    is_named(&transforms[k], name)) {
			*out = &transforms[k];
			return OK;
		}
	}
	return ERR_FEATURE;
}

/*
 * The uses of a key: the rows of key_use.def.
 */
#ifndef MODEL_KEY_USE_H
#define MODEL_KEY_USE_H

#include "base/bytes.h"

struct object;

enum key_use {
#define USE(symbol, ...) symbol,
#include "model/key_use.def"
#undef USE
	USE_COUNT,
};

/* The first of them have a permission each. */
enum { KEY_PERMISSIONS = USE_EXPORT + 1 };

/* Kinds of keys that have their uses in common. */
enum key_family {
	FAMILY_CIPHER = 1 << 0,
	FAMILY_HMAC = 1 << 1,
	FAMILY_RSA = 1 << 2,
	FAMILY_OTHER = 1 << 3, /* certificates, secrets, curves */
	FAMILY_ANY = (1 << 4) - 1,
	/* beside one of them: its permissions are never policies */
	FAMILY_CERTIFIED = 1 << 4,
};

enum key_right { RIGHT_GROUP, RIGHT_VISIBLE, RIGHT_OWNER };
enum key_guard { GUARD_NONE, GUARD_EXPORTABLE, GUARD_DELETABLE };

struct key_use_row {
	const char *word;
	const char *title;
	unsigned families;
	enum key_right right;
	enum key_guard guard;
	const char *clause;
};
const struct key_use_row *key_use_row(enum key_use use);

/* By its word. ERR_NOT_FOUND */
enum err key_use_find(struct bytes word, enum key_use *out) MUST_CHECK;

/* By its algorithm; a template's is that of the keys that are made from it. */
enum key_family key_family(const struct object *o);

/* The same of a key that may have come with a certificate.
 * req: KS-28-058 KS-29-032 */
enum key_family key_family_with(enum key_family family, bool certified);

/* Can it be used so, whoever asks? A template can not. */
bool key_has_use(const struct object *o, enum key_use use);

#endif

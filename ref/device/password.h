/*
 * Passwords: how they are kept, and which are good enough.
 *
 * Kept: PBKDF2 with HMAC-SHA-256, as the line
 *
 *	pbkdf2-sha256$ITERATIONS$SALT$HASH
 *
 * SALT 16 and HASH 32 octets in base 64. Iterations stand in each, so that
 * they can go up later.
 *
 * Everything here but password_same takes long, and belongs on a worker.
 */
#ifndef DEVICE_PASSWORD_H
#define DEVICE_PASSWORD_H

#include "base/env.h"
#include "base/secret.h"

enum {
	PASSWORD_ITERATIONS = 210000,
	PASSWORD_HASH_OCTETS = 128, /* room for a line, with its end */
	PASSWORD_MAX_OCTETS = 256,
	PASSWORD_WHY_OCTETS = 160,
};

struct password_hash {
	char line[PASSWORD_HASH_OCTETS];
};

/*
 * iterations  PASSWORD_ITERATIONS; less in the laboratory only
 *
 * ERR_ENTROPY, ERR_CRYPTO; ERR_LENGTH  longer than PASSWORD_MAX_OCTETS
 */
enum err password_hash(struct env *env, unsigned iterations,
    struct bytes password, struct password_hash *out) MUST_CHECK;

/*
 * In constant time. A line that cannot be read, or NULL (there is no such
 * account) takes as long, and does not match.
 *
 * ERR_CRYPTO
 */
enum err password_verify(const struct password_hash *hash, unsigned iterations,
    struct bytes password, bool *match) MUST_CHECK;

/* What the administrators of this appliance ask for, from settings.def. */
struct password_rules {
	int64_t least; /* characters */
	bool lower;
	bool upper;
	bool number;
	bool special;
};

/*
 * May this be a new password of `user`? The guide's own rules (five different
 * characters; not only whitespace; no phone number, no word of a dictionary,
 * neither reversed; not based on the user name), by cracklib, then `rules`.
 *
 * user  "" for passwords of clusters and backups
 * why   gets what to tell: one sentence without its full stop, that never has
 *       a part of the password in it
 *
 * ERR_FIELD   it may not: why says it
 * ERR_CONFIG  the dictionary cannot be read; nothing is let through then
 */
enum err password_check(const struct password_rules *rules, const char *user,
    struct bytes password, char why[PASSWORD_WHY_OCTETS]) MUST_CHECK;

#endif

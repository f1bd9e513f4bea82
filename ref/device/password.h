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
 * All but password_hash_is_valid takes long, and belongs on a worker.
 */
#ifndef DEVICE_PASSWORD_H
#define DEVICE_PASSWORD_H

#include "base/env.h"
#include "base/secret.h"

enum {
	PASSWORD_ITERATIONS = 210000,
	PASSWORD_HASH_OCTETS = 128, /* room for a line, with its end */
	PASSWORD_MAX_CHARACTERS = 256,
	PASSWORD_MAX_OCTETS = 4 * PASSWORD_MAX_CHARACTERS,
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

/* Is it such a line, as password_hash makes them? */
bool password_hash_is_valid(const struct password_hash *hash);

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
	const char *dictionary; /* cracklib's files; NULL: where it has them */
};

/*
 * May this be a new password of `user`? In this order:
 *
 *	- UTF-8, without a NUL, of PASSWORD_MAX_CHARACTERS at most
 *	- five different characters; cracklib would count octets
 *	- not only whitespace, of any script
 *	- nothing like a phone number, which cracklib does not know: 7 to 15
 *	  digits, and beside them nothing but blanks and + - . / ( ), and
 *	  maybe an extension, "x" or "ext" and up to six digits more
 *	- the length of `rules`, in characters
 *	- cracklib: no word of its dictionary, neither reversed nor in one of
 *	  the usual disguises; not based on the user name, upper and lower case
 *	  being one; six octets at least, and not simplistic (abcdefgh)
 *	- the other `rules`: letters are those of Unicode, numbers 0 to 9, and
 *	  a special character is none of both
 *
 * cracklib keeps what it looks at in static memory. So no two threads may be
 * in here at a time, and what it kept is overwritten before this returns.
 *
 * user  "" for passwords of clusters and backups
 * why   gets what to tell: one sentence without its full stop, that never has
 *       a part of the password in it
 *
 * ERR_FIELD   it may not: why says it
 * ERR_CONFIG  the dictionary cannot be read; nothing is let through then
 * ERR_SYSTEM  the system does not know what a letter is
 *
 * req: KS-17-001 KS-17-005 KS-17-006 KS-17-007 KS-17-008 KS-17-009 KS-17-010
 * req: KS-17-054 KS-17-055 KS-17-056 KS-17-057 KS-17-058 KS-17-059
 */
enum err password_check(const struct password_rules *rules, const char *user,
    struct bytes password, char why[PASSWORD_WHY_OCTETS]) MUST_CHECK;

#endif

/*
 * Passwords that were found right, remembered in memory: so that who comes with
 * the same one again does not wait for a worker.
 *
 * What is kept is an HMAC of the account's name, its hash and the password,
 * whose key is made at each start and is nowhere else. The hash has a salt of
 * its own; so what is remembered is no other account's, and nobody's once the
 * password has been changed.
 */
#ifndef DEVICE_REMEMBERED_H
#define DEVICE_REMEMBERED_H

#include "base/env.h"
#include "device/password.h"

struct remembered;

enum { REMEMBERED_NAME_OCTETS = 64 };

/*
 * places  how many there are, a power of two, 4 at least: a password has one of
 *         four of them, and of those who share the four the one that was found
 *         right longest ago goes
 *
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err remembered_new(
    struct env *env, size_t places, struct remembered **out) MUST_CHECK;
void remembered_free(struct remembered *r); /* accepts NULL */

/* Where there is no memory for it, it is not: the next one takes longer. */
void remembered_add(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password);
bool remembered_has(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password);

/* Of this name, or with BYTES_NONE all of them. */
void remembered_forget(struct remembered *r, struct bytes name);

#endif

/*
 * The release's keys, and packages sealed with them. The folder's door to
 * OpenSSL.
 *
 * A folder of keys has
 *
 *	release.key  the private half of the signing key, PEM: whoever has it
 *	             can make packages that devices install
 *	trust        what devices are given: its public half, and the key that
 *	             packages are encrypted under
 *
 * docs/package-format.md has both files and packages octet by octet.
 */
#ifndef RELEASE_SIGN_H
#define RELEASE_SIGN_H

#include "buf.h"
#include "err.h"

struct release; /* its keys */

/*
 * Make a folder's keys, where it has none yet; who has some keeps them.
 *
 * ERR_OPEN, ERR_WRITE, ERR_NOMEM
 */
enum err release_make(const char *dir, struct fault *f) MUST_CHECK;

/* ERR_OPEN, ERR_READ, ERR_SYNTAX */
enum err
release_open(const char *dir, struct release **out, struct fault *f) MUST_CHECK;
void release_free(struct release *release); /* accepts NULL */

/* The package of this plain text, appended. */
enum err release_seal(const struct release *release, struct bytes plain,
    struct buf *out, struct fault *f) MUST_CHECK;

/* Whole or not there. ERR_OPEN, ERR_WRITE */
enum err release_write(const char *path, unsigned mode, struct bytes octets,
    struct fault *f) MUST_CHECK;

#endif

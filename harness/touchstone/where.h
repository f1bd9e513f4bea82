/*
 * Where a server is and who we are to it, as the commands that talk to one take
 * it: a target file, or single options, or options over a target file.
 */
#ifndef TOUCHSTONE_WHERE_H
#define TOUCHSTONE_WHERE_H

#include "err.h"
#include "target.h"

/* The words behind --target and so on; NULL: not given. */
struct where {
	const char *target, *identity;
	const char *host, *port, *cert, *key, *ca;
	const char *version;
};

/*
 * a         owns what the results point to
 * t         the target; without a file a made-up one
 * identity  the one asked for, else the first; borrowed from `t`
 * version   the one asked for, else the latest that the target claims, else 1.4
 *
 * ERR_USAGE   something is missing; `f` says what
 * and what target_read answers
 */
enum err where_find(struct arena *a, const struct where *w, struct target *t,
    const struct identity **identity, unsigned *version,
    struct fault *f) MUST_CHECK;

#endif

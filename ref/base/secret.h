/*
 * Octets that must not leak: locked in memory, left out of core files, wiped.
 *
 * There is no secret_print; a dump shows "<secret, 32 octets>".
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/bytes.h"

struct secret;

/*
 * Zeroed, of a size that never changes.
 *
 * ERR_NOMEM  also where the system refuses to lock the page
 */
enum err secret_new(size_t octets, struct secret **out) MUST_CHECK;

/* A copy of octets that the caller wipes at its own end. */
enum err secret_copy(struct bytes in, struct secret **out) MUST_CHECK;

/* Wipes first; accepts NULL. */
void secret_free(struct secret *s);

/* Borrowed. The second may be written, by the code that makes the secret. */
struct bytes secret_peek(const struct secret *s);
uint8_t *secret_fill(struct secret *s);

/* The time they take does not depend on where the octets differ. */
bool secret_equal(const struct secret *a, const struct secret *b);
bool secret_equal_bytes(struct bytes a, struct bytes b);

/* Overwrite memory that holds or held a secret; not optimised away. */
void secret_wipe(void *p, size_t octets);

#endif

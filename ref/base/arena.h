/*
 * A request's memory: taken piece by piece, given back all at once.
 *
 * The decoded tree, its strings and the response live here and go together
 * when the response is sent. A hard cap bounds what a peer can make us
 * allocate, and there is one place to wipe: arena_reset and arena_free wipe
 * every octet that was handed out.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena;

/*
 * cap_octets  the most it will ever hand out between two resets
 */
enum err arena_new(size_t cap_octets, struct arena **out) MUST_CHECK;

/*
 * The same, with a first block of a size that fits: for what is made once and
 * kept, where a block's usual size would be wasted.
 */
enum err arena_new_sized(
    size_t cap_octets, size_t first_octets, struct arena **out) MUST_CHECK;
void arena_free(struct arena *a);

/* Wipe and take all back; the first block is kept for the next request. */
void arena_reset(struct arena *a);

/* How much is handed out now. */
size_t arena_octets(const struct arena *a);

/*
 * Zeroed, aligned for any type. NULL past the cap or without memory: for the
 * macros, which fit TRY().
 */
void *arena_alloc(struct arena *a, size_t count, size_t octets) MUST_CHECK;

#define ARENA_NEW(a, p) \
	(((p) = arena_alloc((a), 1, sizeof(*(p)))) ? OK : ERR_NOMEM)
#define ARENA_ARRAY(a, p, count) \
	(((p) = arena_alloc((a), (count), sizeof(*(p)))) ? OK : ERR_NOMEM)

/* A copy that lives as long as the arena. */
enum err
arena_copy(struct arena *a, struct bytes in, struct bytes *out) MUST_CHECK;

/* printf; NUL-terminated, borrowed from the arena. */
enum err arena_printf(struct arena *a, const char **out, const char *format,
    ...) MUST_CHECK __attribute__((format(printf, 3, 4)));

#endif

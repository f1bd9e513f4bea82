/*
 * Owned octets that grow, up to a hard maximum given at birth.
 *
 * A buf may carry keys on their way to or from the wire, so it grows by new,
 * copy, wipe, and wipes what it drops.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

struct buf {
	uint8_t *at;
	size_t octets;
	size_t room_octets;
	size_t max_octets;
};

/* Empty, nothing allocated. */
void buf_init(struct buf *b, size_t max_octets);

/* Wipe and free what it holds; it can be used again. Harmless when zeroed. */
void buf_clear(struct buf *b);

/* Forget (and wipe) the content, keep the room for the next message. */
void buf_reset(struct buf *b);

/* Drop the first octets; the rest moves to the front. */
void buf_drop(struct buf *b, size_t octets);

/*
 * Room for that many octets behind the content: *tail is where they go, and
 * buf_added() says how many were written there.
 *
 * ERR_LIMIT  it would pass max_octets
 * ERR_NOMEM
 */
enum err buf_reserve(struct buf *b, size_t octets, uint8_t **tail) MUST_CHECK;
void buf_added(struct buf *b, size_t octets);

enum err buf_put(struct buf *b, struct bytes in) MUST_CHECK;
enum err buf_put_text(struct buf *b, const char *s) MUST_CHECK;

/* printf into it, without the NUL. */
enum err buf_printf(struct buf *b, const char *format, ...) MUST_CHECK
    __attribute__((format(printf, 2, 3)));

/* Borrowed: valid until the buf changes. */
struct bytes buf_peek(const struct buf *b);

#endif

/*
 * Owned octets that grow. As arena.h: growing does not fail, it stops the tool.
 */
#ifndef TOUCHSTONE_BUF_H
#define TOUCHSTONE_BUF_H

#include "bytes.h"

struct buf {
	uint8_t *at;
	size_t octets;
	size_t room;
};

/* Wipes and frees; a zeroed one is empty and harmless to clear. */
void buf_clear(struct buf *b);

/* Room for that many behind the content; the caller adds to `octets`. */
uint8_t *buf_reserve(struct buf *b, size_t octets);

void buf_put(struct buf *b, struct bytes in);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Borrowed: valid until the buf changes. */
struct bytes buf_peek(const struct buf *b);

/* The content as a text: NUL behind it, not counted. Borrowed. */
const char *buf_peek_text(struct buf *b);

#endif

/*
 * The binary encoding: Tag, Type, Length, Value.
 *
 * Source: KMIP 1.4 section 9.1.1
 */
#ifndef WIRE_TTLV_H
#define WIRE_TTLV_H

#include "base/buf.h"
#include "wire/item.h"

enum {
	TTLV_HEADER_OCTETS = 8,
	TTLV_MAX_DEPTH = 32,    /* nested structures, the message included */
	TTLV_MAX_ITEMS = 65536, /* in one message */
};

/*
 * Octets of the message that begins at `in`, header included, as soon as the
 * header is there.
 *
 * ERR_TRUNCATED   fewer than TTLV_HEADER_OCTETS: read more
 * ERR_UNEXPECTED  it does not begin with a structure: close
 */
enum err ttlv_message_octets(struct bytes in, size_t *octets) MUST_CHECK;

/*
 * Read one item and everything in it into a tree in `a`.
 *
 * in   the whole item, and nothing behind it; borrowed, and must outlive the
 *      tree, whose values point into it
 * out  the root; NULL on failure
 *
 * ERR_TRUNCATED  an item ends past its parent or past the input
 * ERR_UNEXPECTED a tag that begins neither with 42 nor with 54, and is not in
 *                a Vendor Extension
 * ERR_LENGTH     a length that its type does not allow
 * ERR_TYPE       no such item type
 * ERR_PADDING    padding that is not zero
 * ERR_VALUE      a boolean that is neither 0 nor 1
 * ERR_UTF8, ERR_DEPTH, ERR_COUNT, ERR_TRAILING
 * ERR_NOMEM      past the arena's cap
 */
enum err
ttlv_parse(struct arena *a, struct bytes in, struct item **out) MUST_CHECK;

/* Octets that ttlv_write will write, header and padding included. */
size_t ttlv_octets(const struct item *item);

/*
 * Append the item and everything in it.
 *
 * ERR_LIMIT, ERR_NOMEM  from the buf, which is then as it was
 */
enum err ttlv_write(const struct item *item, struct buf *out) MUST_CHECK;

#endif

/*
 * The strict TTLV codec.
 *
 * Source: KMIP 1.0 to 1.4 section 9.1, 2.0 and 2.1 section 10.1
 */
#ifndef TOUCHSTONE_TTLV_H
#define TOUCHSTONE_TTLV_H

#include "buf.h"
#include "finding.h"
#include "node.h"

#define TTLV_HEADER_OCTETS 8

/* The largest message taken, header included. */
#define TTLV_MAX_OCTETS ((size_t)32 << 20)

/* The root is level 1. */
#define TTLV_MAX_DEPTH 64

#define TTLV_MAX_ITEMS 500000u

/*
 * Read one message into a tree.
 *
 * a    owns the tree; values point into `in`, which must outlive it
 * in   the whole message, header included, and nothing behind it
 * out  the root; NULL on failure
 * f    what is wrong, at which octet, under which path; filled on failure
 *
 * ERR_TRUNCATED  the message is shorter than its length says
 * ERR_TAG        a tag outside 42xxxx and 54xxxx (below a Vendor Extension any
 *                tag may stand: the content is the vendor's)
 * ERR_TYPE       an item type that is not in type.def
 * ERR_LENGTH     a length that its type does not allow
 * ERR_PARENT     an item that ends past its parent
 * ERR_PADDING    padding that is not zero
 * ERR_BOOLEAN    a Boolean that is neither 0 nor 1
 * ERR_UTF8       a Text String that is not UTF-8
 * ERR_DEPTH, ERR_ITEMS, ERR_SIZE   beyond the limits above
 * ERR_TRAILING   octets behind the message
 */
enum err ttlv_decode(struct arena *a, struct bytes in, struct node **out,
    struct finding *f) MUST_CHECK;

/*
 * How long is the message that begins with this header of TTLV_HEADER_OCTETS?
 * For reading from a stream; ERR_SIZE beyond TTLV_MAX_OCTETS, ERR_TAG or
 * ERR_TYPE when it does not begin a structure.
 */
enum err ttlv_message_octets(const uint8_t *header, size_t *out) MUST_CHECK;

/*
 * Append the tree's octets; sets each node's offset within the message, and
 * the length of structures. Every placeholder must be resolved by then.
 */
void ttlv_encode(struct node *n, struct buf *out);

#endif

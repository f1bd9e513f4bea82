/*
 * The pieces that everything on the PKCS#11 socket is made of.
 *
 *	octet   one
 *	flag    one octet, 0 or 1
 *	number  a CK_ULONG: eight octets, big-endian
 *	octets  a flag: is there a pointer? a number, the length; and where
 *	        there is a pointer that many octets. A length without a
 *	        pointer is kept as it is: to judge it is the card's matter.
 *
 * What is taken points into what was read, which is borrowed. Readers:
 *
 * ERR_TRUNCATED  it ends inside an item
 * ERR_VALUE      a flag that is neither 0 nor 1
 * ERR_LIMIT      octets beyond RPC_OCTETS_MAX
 *
 * Writers: ERR_LIMIT, ERR_NOMEM.
 */
#ifndef RPC_ITEM_H
#define RPC_ITEM_H

#include <p11-kit/pkcs11.h>

#include "base/buf.h"

/* Both ends are on one machine, and a length must come out as it went in. */
_Static_assert(sizeof(CK_ULONG) == 8, "CK_ULONG has eight octets");
_Static_assert(sizeof(size_t) == 8, "and so has size_t");

enum { ITEM_NUMBER_OCTETS = 8 };

/* What both ends refuse to go beyond. */
enum {
	RPC_FRAME_OCTETS_MAX = 16 * 1024 * 1024,
	/* data, a signature, a value: what one pointer of a call points to */
	RPC_OCTETS_MAX = RPC_FRAME_OCTETS_MAX / 2,
	RPC_ATTRIBUTES_MAX = 1024, /* of one template */
	RPC_DEPTH_MAX = 4,         /* templates in templates */
	RPC_NUMBERS_MAX = 16384, /* slots, mechanisms, handles in one answer */
};

enum err item_put_octet(struct buf *out, uint8_t v) MUST_CHECK;
enum err item_put_flag(struct buf *out, bool v) MUST_CHECK;
enum err item_put_number(struct buf *out, CK_ULONG v) MUST_CHECK;
enum err
item_put_octets(struct buf *out, const void *at, CK_ULONG octets) MUST_CHECK;

enum err item_take_octet(struct bytes *in, uint8_t *v) MUST_CHECK;
enum err item_take_flag(struct bytes *in, bool *v) MUST_CHECK;
enum err item_take_number(struct bytes *in, CK_ULONG *v) MUST_CHECK;
enum err
item_take_octets(struct bytes *in, void **at, CK_ULONG *octets) MUST_CHECK;

/*
 * Pointers of PKCS#11 are never to const, though what they point to is only
 * read.
 */
void *item_unconst(const void *at);

#endif

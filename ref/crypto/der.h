/*
 * DER, as much of it as keys need.
 *
 * Reading borrows: contents point into the input. Lengths must be definite and
 * minimal, numbers non-negative and minimal: there is one encoding of a key,
 * and what is read comes out the same when it is written.
 *
 * Source: X.690 sections 8 and 10
 */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "base/arena.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT = 0xa0,   /* [0], constructed; [1] is one more */
	DER_PUBLIC_KEY = 0x81 /* [1], primitive: PKCS#8's own */
};

/*
 * Take one value with that tag off the front of *in.
 *
 * ERR_TRUNCATED  the octets end inside it
 * ERR_TYPE       another tag stands there, or none
 * ERR_LENGTH     its length is indefinite, or longer written than needed
 */
enum err
der_take(struct bytes *in, unsigned tag, struct bytes *content) MUST_CHECK;

/* Does a value with that tag come next? */
bool der_next_is(struct bytes in, unsigned tag);

/* A number, without leading zeros: zero has no octets. ERR_VALUE: negative, or
 * longer written than needed */
enum err der_take_number(struct bytes *in, struct bytes *number) MUST_CHECK;

/* A BIT STRING of whole octets. ERR_VALUE: of anything else */
enum err der_take_bits(struct bytes *in, struct bytes *content) MUST_CHECK;

/*
 * Writing goes from the end to the front, so that a length is known when its
 * header is written: first put what stands last. Room is given at the start,
 * and enough of it: running out is a bug.
 */
struct der {
	uint8_t *at; /* the first octet written so far */
	uint8_t *end;
	uint8_t *room;
};

enum err der_new(struct arena *a, size_t room_octets, struct der *d) MUST_CHECK;
struct bytes der_peek(const struct der *d);
void der_put(struct der *d, struct bytes b);

/* The header of what was put since `content_end` was the front; a BIT STRING's
 * with the octet that says how many bits are unused: none. */
void der_put_header(struct der *d, unsigned tag, const uint8_t *content_end);

void der_put_number(struct der *d, struct bytes number);
void der_put_value(struct der *d, unsigned tag, struct bytes content);

#endif

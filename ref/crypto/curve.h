/*
 * The named elliptic curves of the KMIP Recommended Curve, as one table.
 */
#ifndef CRYPTO_CURVE_H
#define CRYPTO_CURVE_H

#include "base/bytes.h"

struct curve {
	uint32_t number;     /* RECOMMENDED_CURVE_ */
	const char *name;    /* OpenSSL's */
	uint32_t bits;       /* of the field: Cryptographic Length */
	size_t order_octets; /* of a private key */
	struct bytes oid;    /* its DER octets, without the header */
};

/* Static rows; NULL when there is none. */
const struct curve *curve_find(uint32_t number);
const struct curve *curve_find_oid(struct bytes oid);

/* The NIST curve over a prime field of that length (FIPS 186-4, P-). */
const struct curve *curve_find_bits(uint32_t bits);

/* All rows, in the order of their numbers; NULL past the last. */
const struct curve *curve_at(size_t index);

#endif

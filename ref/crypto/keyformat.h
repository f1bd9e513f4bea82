/*
 * Asymmetric keys in their formats, and the numbers they are made of.
 *
 *	PKCS#1           RSA                       RFC 8017 appendix A.1
 *	PKCS#8           private, any algorithm    RFC 5958
 *	X.509            public, any algorithm     RFC 5280 section 4.1
 *	ECPrivateKey     EC                        RFC 5915
 *	Transparent ...  the numbers themselves, in a message's own items: the
 *	                 caller fills or reads struct keyparts
 *
 * Octets are read with strict DER rules and without any judgement on the
 * numbers: a server that stores keys takes one whose primes are not prime.
 *
 * Source: KMIP 1.4 sections 2.1.7 and 9.1.3.2.3
 */
#ifndef CRYPTO_KEYFORMAT_H
#define CRYPTO_KEYFORMAT_H

#include "base/arena.h"
#include "wire/schema.h"

/*
 * Numbers are unsigned, big-endian and without leading zeros, but for EC's d
 * and point; one that is absent has no octets. All are borrowed: from what
 * was read, or from the arena.
 */
struct keyparts {
	/* RSA, DSA, DH, EC, ED25519 or ED448 of CRYPTOGRAPHIC_ALGORITHM_; EC
	 * stands for ECDSA, ECDH and ECMQV too */
	uint32_t algorithm;
	uint32_t key_bits; /* Cryptographic Length */
	uint32_t curve;    /* RECOMMENDED_CURVE_; 0: not EC, or not named */
	bool is_private;

	/* RSA */
	struct bytes modulus;
	struct bytes public_exponent;
	struct bytes private_exponent;
	struct bytes prime_p;
	struct bytes prime_q;
	struct bytes exponent_p;  /* d mod (p - 1) */
	struct bytes exponent_q;  /* d mod (q - 1) */
	struct bytes coefficient; /* q^-1 mod p */

	/* DSA and DH: the domain p, q, g; DH may lack q and have j */
	struct bytes p;
	struct bytes q;
	struct bytes g;
	struct bytes j;
	struct bytes y; /* public */
	struct bytes x; /* private */

	/* EC: d has at most the octets of the curve's order, point is SEC 1's
	 * string. Edwards curves: their octet strings */
	struct bytes d;
	struct bytes point;
};

/* ECDSA, ECDH, ECMQV and EC all name EC keys: EC; others are themselves. */
uint32_t keyformat_family(uint32_t algorithm);

/*
 * A message's Big Integer (two's complement, a multiple of eight octets) as a
 * number of struct keyparts, borrowed from it; and the way back, in the arena.
 *
 * ERR_FIELD  it is negative
 */
enum err
keyformat_number(struct bytes big_integer, struct bytes *number) MUST_CHECK;
enum err keyformat_big_integer(
    struct bytes number, struct arena *a, struct bytes *big_integer) MUST_CHECK;

/*
 * Read a key. Nothing is copied: the parts point into `in`.
 *
 * format      KEY_FORMAT_TYPE_PKCS_1, PKCS_8, X_509 or ECPRIVATEKEY
 * is_private  which half `in` is said to be
 *
 * ERR_KEY_FORMAT  none of these formats, not one for that half, or a kind of
 *                 key that is not read here (encrypted, of several primes, on
 *                 a curve without a name)
 * ERR_FIELD       the octets are not what the format says; f tells where
 */
enum err keyformat_read(uint32_t format, bool is_private, struct bytes in,
    struct keyparts *out, struct fault *f) MUST_CHECK;

/*
 * Set key_bits from the numbers, for parts that come out of a transparent key
 * with their algorithm (and EC's curve).
 *
 * ERR_FIELD    the numbers do not say: one that the algorithm needs is absent
 * ERR_FEATURE  no such algorithm or curve here
 */
enum err keyformat_measure(struct keyparts *parts, struct fault *f) MUST_CHECK;

/*
 * Compute what is absent and follows from the rest: RSA's primes, exponents
 * and coefficient; the public number or point of DSA, DH, EC and the Edwards
 * curves. What is there is not doubted. Takes milliseconds when something
 * has to be computed; numbers beyond 8192 bits are left alone.
 *
 * ERR_FIELD  it does not follow: too little is there, or it contradicts itself
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err keyformat_complete(
    struct keyparts *parts, struct arena *a, struct fault *f) MUST_CHECK;

/*
 * Write a key into the arena, completing it first where the format needs
 * more than there is.
 *
 * is_private  which half to write; of private parts both can be had
 *
 * ERR_KEY_FORMAT  the format cannot hold such a key or half
 * ERR_FIELD, ERR_CRYPTO, ERR_NOMEM
 */
enum err
keyformat_write(uint32_t format, bool is_private, const struct keyparts *parts,
    struct arena *a, struct bytes *out, struct fault *f) MUST_CHECK;

#endif

#include "ikey/shamir.h"

#include <string.h>

/*
 * GF(256) with the polynomial of AES. Shares are secret: no table is looked
 * up and nothing branches on them, so that time and cache tell nothing.
 */
static uint8_t
times(uint8_t a, uint8_t b)
{
	unsigned product = 0;
	unsigned x = a;
	unsigned k;

	for (k = 0; k < 8; k++) {
		product ^= x & (0u - ((unsigned)b >> k & 1));
		x = x << 1 ^ (0x11b & (0u - (x >> 7 & 1)));
	}
	return (uint8_t)product;
}

/* a to the 254th: its inverse, as all but 0 have order 255. */
static uint8_t
inverse(uint8_t a)
{
	uint8_t power = a;
	unsigned k;

	for (k = 0; k < 6; k++)
		power = times(times(power, power), a);
	return times(power, power);
}

static void
free_all(struct secret *shares[], unsigned n)
{
	while (n-- != 0) {
		secret_free(shares[n]);
		shares[n] = NULL;
	}
}

/* Horner's rule, from the highest coefficient down to the secret. */
static void
evaluate(const uint8_t *whole, const uint8_t *coefficients, unsigned m,
    uint8_t x, uint8_t *y)
{
	unsigned degree;
	size_t k;

	for (k = 0; k < IKEY_SECRET_OCTETS; k++) {
		uint8_t sum = 0;

		for (degree = m - 1; degree != 0; degree--)
			sum =
			    times(sum, x) ^
			    coefficients[(degree - 1) * IKEY_SECRET_OCTETS + k];
		y[k] = times(sum, x) ^ whole[k];
	}
}

enum err
shamir_split(struct env *env, const struct secret *whole, unsigned m,
    unsigned n, struct secret *shares[])
{
	struct secret *coefficients = NULL;
	size_t octets;
	unsigned k;
	enum err rc = OK;

	if (m < 1 || m > n || n > IKEY_SHARES_MAX)
		return ERR_VALUE;
	octets = (size_t)(m - 1) * IKEY_SECRET_OCTETS;
	memset(shares, 0, n * sizeof(shares[0]));
	TRY(secret_new(octets, &coefficients));
	TRY(env_random(env, secret_fill(coefficients), octets));
	for (k = 0; k < n; k++) {
		TRY(secret_new(IKEY_SECRET_OCTETS, &shares[k]));
		evaluate(secret_peek(whole).at, secret_peek(coefficients).at, m,
		    (uint8_t)(k + 1), secret_fill(shares[k]));
	}
out:
	secret_free(coefficients);
	if (rc != OK)
		free_all(shares, n);
	return rc;
}

/* What share number x weighs at 0: the product of other / (other - x). */
static uint8_t
weight(const uint8_t indices[], unsigned count, unsigned k)
{
	uint8_t w = 1;
	unsigned other;

	for (other = 0; other < count; other++)
		if (other != k)
			w = times(w, times(indices[other],
					 inverse(indices[other] ^ indices[k])));
	return w;
}

static bool
are_distinct(const uint8_t indices[], unsigned count)
{
	unsigned a;
	unsigned b;

	for (a = 0; a < count; a++) {
		if (indices[a] == 0)
			return false;
		for (b = 0; b < a; b++)
			if (indices[a] == indices[b])
				return false;
	}
	return true;
}

enum err
shamir_join(struct secret *const shares[], const uint8_t indices[],
    unsigned count, struct secret **whole)
{
	unsigned k;
	size_t at;
	enum err rc = OK;

	*whole = NULL;
	if (count == 0 || count > IKEY_SHARES_MAX ||
	    !are_distinct(indices, count))
		TRY(ERR_VALUE);
	TRY(secret_new(IKEY_SECRET_OCTETS, whole));
	for (k = 0; k < count; k++) {
		uint8_t w = weight(indices, count, k);

		for (at = 0; at < IKEY_SECRET_OCTETS; at++)
			secret_fill(*whole)[at] ^=
			    times(secret_peek(shares[k]).at[at], w);
	}
out:
	return rc;
}

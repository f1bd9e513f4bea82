/*
 * Shamir's sharing of a secret over GF(256): each octet is the constant of a
 * random polynomial of degree M - 1, and share number x is its value at x.
 * With M = 1 each share is the secret.
 */
#ifndef IKEY_SHAMIR_H
#define IKEY_SHAMIR_H

#include "ikey/ikey.h"

/*
 * shares  n of them, each IKEY_SECRET_OCTETS, for the indices 1 to n; the
 *         caller frees each. On failure all are NULL.
 *
 * ERR_VALUE  not 1 <= m <= n <= IKEY_SHARES_MAX
 * ERR_ENTROPY, ERR_NOMEM
 */
enum err shamir_split(struct env *env, const struct secret *whole, unsigned m,
    unsigned n, struct secret *shares[]) MUST_CHECK;

/*
 * From `count` shares with their indices. Whether they belong together, and
 * are as many as were asked for, is not to be seen from the result.
 *
 * ERR_VALUE  none, too many, an index of 0, or the same index twice
 */
enum err shamir_join(struct secret *const shares[], const uint8_t indices[],
    unsigned count, struct secret **whole) MUST_CHECK;

#endif

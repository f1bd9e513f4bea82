/*
 * The card's cryptography, and its only use of OpenSSL.
 *
 * A secret (an iKey's, or a password) makes a key; under the key lies what the
 * secret opens. A wrong secret makes a wrong key, under which nothing opens:
 * that is all the card knows of a secret.
 */
#ifndef CARD_SEAL_H
#define CARD_SEAL_H

#include "base/env.h"
#include "base/secret.h"

enum {
	SEAL_SALT_OCTETS = 16,
	SEAL_KEY_OCTETS = 32,
	SEAL_MORE_OCTETS = 28, /* nonce before, tag behind */
	SEAL_CHECK_OCTETS = 32,
};

/*
 * This process's OpenSSL gets its legacy provider too, without which SoftHSM
 * has no single DES. A machine without it does the rest.
 */
void seal_legacy(void);

/*
 * The key that a secret makes.
 *
 * rounds   of PBKDF2-HMAC-SHA256, for passwords; 0: HKDF-SHA256, for secrets
 *          that nobody can guess
 * purpose  for HKDF; keys of one secret for two purposes have nothing in common
 *
 * ERR_NOMEM, ERR_CRYPTO
 */
enum err seal_key(struct bytes secret, const uint8_t salt[SEAL_SALT_OCTETS],
    unsigned rounds, const char *purpose, struct secret **key) MUST_CHECK;

/*
 * AES-256-GCM: out gets plain.octets + SEAL_MORE_OCTETS.
 *
 * ERR_ENTROPY, ERR_NOMEM, ERR_CRYPTO
 */
enum err seal_put(struct env *env, const struct secret *key, struct bytes plain,
    uint8_t *out) MUST_CHECK;

/* ERR_SEAL: another key, or changed octets. */
enum err seal_open(const struct secret *key, struct bytes sealed,
    struct secret **plain) MUST_CHECK;

/*
 * HMAC-SHA256 under a key that is part of the product: shows a change, and
 * keeps nobody out. ERR_CRYPTO
 */
enum err
seal_check(struct bytes octets, uint8_t out[SEAL_CHECK_OCTETS]) MUST_CHECK;

#endif

/*
 * AES-256-GCM for formats that keep their own nonces and associated data.
 *
 * Any thread. Keys at rest have crypto/keystore.h, secrets of the start
 * crypto/vault.h; this is for what leaves the machine.
 *
 * Source: SP 800-38D
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/bytes.h"

enum { AEAD_KEY_OCTETS = 32, AEAD_NONCE_OCTETS = 12, AEAD_TAG_OCTETS = 16 };

/*
 * nonce  never twice under one key
 * out    room for plain.octets + AEAD_TAG_OCTETS, the tag last; not `plain`
 *
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err aead_seal(const uint8_t key[AEAD_KEY_OCTETS],
    const uint8_t nonce[AEAD_NONCE_OCTETS], struct bytes aad,
    struct bytes plain, uint8_t *out) MUST_CHECK;

/*
 * sealed  with its tag
 * out     room for sealed.octets - AEAD_TAG_OCTETS; wiped on failure
 *
 * ERR_SEAL  another key, nonce or associated data, or changed
 */
enum err aead_open(const uint8_t key[AEAD_KEY_OCTETS],
    const uint8_t nonce[AEAD_NONCE_OCTETS], struct bytes aad,
    struct bytes sealed, uint8_t *out) MUST_CHECK;

#endif

/*
 * Keys and checks from passwords: PBKDF2 with HMAC-SHA-256.
 *
 * Any thread, and none that has anything else to do soon: it is slow by
 * design.
 *
 * Source: RFC 8018 section 5.2; SP 800-132
 */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include "base/bytes.h"

/*
 * out  gets `octets` octets
 *
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err kdf_pbkdf2(struct bytes password, struct bytes salt,
    unsigned iterations, uint8_t *out, size_t octets) MUST_CHECK;

#endif

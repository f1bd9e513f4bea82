/*
 * Digests and HMACs, chosen by the KMIP Hashing Algorithm's value.
 *
 * Any thread. What OpenSSL offers is looked up once.
 *
 * Source: KMIP 1.4 section 9.1.3.2.16; FIPS 180-4, FIPS 202, FIPS 198-1
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_MAX_OCTETS = 64 };

/* Its length; 0 for an algorithm that this server does not have. */
size_t digest_octets(uint32_t hashing_algorithm);

/* HASHING_ALGORITHM_... of an HMAC key's CRYPTOGRAPHIC_ALGORITHM_HMAC_...;
 * 0 when it is no such key. */
uint32_t digest_of_hmac(uint32_t cryptographic_algorithm);

/* What OpenSSL calls EVP_MD, for the rest of this folder; NULL: not here. */
struct evp_md_st;
const struct evp_md_st *digest_md(uint32_t hashing_algorithm);

/*
 * out     room for DIGEST_MAX_OCTETS
 * octets  how many were written; may be NULL
 *
 * ERR_FEATURE  no such algorithm here: name it in the fault
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err digest_make(uint32_t hashing_algorithm, struct bytes in, uint8_t *out,
    size_t *octets) MUST_CHECK;
enum err digest_hmac(uint32_t hashing_algorithm, struct bytes key,
    struct bytes in, uint8_t *out, size_t *octets) MUST_CHECK;

#endif

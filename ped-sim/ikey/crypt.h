/*
 * What iKeys and the channel need of OpenSSL, beside the channel's own.
 *
 * ERR_CRYPTO  OpenSSL failed, which is for want of memory
 */
#ifndef IKEY_CRYPT_H
#define IKEY_CRYPT_H

#include "base/secret.h"

enum { CRYPT_MAC_OCTETS = 32 };

/* HMAC-SHA256. */
enum err crypt_hmac(struct bytes key, struct bytes in,
    uint8_t mac[CRYPT_MAC_OCTETS]) MUST_CHECK;

/* PBKDF2-HMAC-SHA256; fills the whole of `out`. */
enum err crypt_pbkdf2(struct bytes password, struct bytes salt, unsigned rounds,
    struct secret *out) MUST_CHECK;

#endif

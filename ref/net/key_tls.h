/*
 * TLS of a key server out of the certificate store: its certificate with those
 * above it, its key, and the CAs of its list of trusted ones.
 *
 * What it is made of is gathered first, as octets that can be compared, so that
 * whoever has a struct tls of the same does not make another; the private key
 * is in there as the store has it, sealed.
 */
#ifndef NET_KEY_TLS_H
#define NET_KEY_TLS_H

#include "crypto/keystore.h"
#include "device/key_server.h"
#include "net/tls.h"

enum { KEY_TLS_PARTS_MAX_OCTETS = 8 * 1024 * 1024 };

/*
 * Appended to `parts`.
 *
 * ERR_NOT_FOUND  its certificate or its list is not there (any more)
 */
enum err key_tls_gather(struct store *st, const struct key_server *server,
    struct buf *parts) MUST_CHECK;

/*
 * loan             as cert_key_open has it
 * ciphers, suites  as struct tls_config has them
 *
 * ERR_HSM, ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER, ERR_SEAL  the key does not open
 * ERR_CONFIG  OpenSSL does not take what was gathered; the log says what
 */
enum err
key_tls_make(struct appliance *appliance, const struct key_server *server,
    struct bytes parts, const struct keystore_loan *loan, const char *ciphers,
    const char *suites, struct tls **out) MUST_CHECK;

#endif

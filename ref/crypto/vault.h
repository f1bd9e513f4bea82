/*
 * What the server must know at its start without anybody typing it, kept on the
 * disk: sealed with AES-256-GCM under a key in a file of its own, which a copy
 * of the database alone does not have.
 *
 * A sealed secret:
 *
 *	"TSVT"  version (1)  oldest reader (1)  0 0  nonce (12)  ciphertext
 *	tag (16)
 *
 * Its associated data: the first 8 octets, and the secret's name.
 */
#ifndef CRYPTO_VAULT_H
#define CRYPTO_VAULT_H

#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"

enum { VAULT_OVERHEAD_OCTETS = 8 + 12 + 16, VAULT_SECRET_MAX_OCTETS = 2048 };

/*
 * Add the sealed secret to `out`. The file with the key is made when there is
 * none. From any thread; the file is made by the first that needs it, alone.
 *
 * ERR_LIMIT    longer than VAULT_SECRET_MAX_OCTETS
 * ERR_CONFIG   the key's file is none, or others may read it
 * ERR_SYSTEM   it cannot be written
 */
enum err vault_seal(struct env *env, const char *key_path, const char *name,
    struct bytes secret, struct buf *out) MUST_CHECK;

/*
 * ERR_SEAL           of another key or name, or changed
 * ERR_STORE_VERSION  sealed by a newer release
 * ERR_CONFIG         no key
 */
enum err vault_open(const char *key_path, const char *name, struct bytes sealed,
    struct secret **out) MUST_CHECK;

#endif

/*
 * AES key wrap with padding, for keys whose length is no multiple of eight:
 * SoftHSM fills them up before it wraps them, and what comes out says that the
 * key was longer than it is.
 *
 * Source: RFC 5649 section 4.1, PKCS#11 2.40 current mechanisms 2.13
 */
#ifndef TOKEN_WRAP_H
#define TOKEN_WRAP_H

#include "token/app.h"

/* Is this a key that SoftHSM gets wrong? */
bool wrap_needs_padding(const struct object *key);

/*
 * As C_WrapKey. The key's value is seen here, in the card; it is wiped, and
 * what SoftHSM allows with both keys is asked first.
 */
CK_RV wrap_padded(struct turn *turn, struct object *with, struct object *key,
    CK_BYTE *out, CK_ULONG *out_len);

#endif

/*
 * The five kinds of operation that are begun with an Init, and go on with one
 * call or with parts and an end.
 */
#ifndef PKCS11_OP_H
#define PKCS11_OP_H

#include "module.h"

enum op_kind {
	OP_ENCRYPT,
	OP_DECRYPT,
	OP_DIGEST,
	OP_SIGN,
	OP_VERIFY,
	OP_COUNT
};

struct op {
	const char *word;           /* "encrypt" */
	const char *clause;         /* its section of the base specification */
	CK_FLAGS flag;              /* of C_GetMechanismInfo */
	CK_ATTRIBUTE_TYPE usage;    /* of a key that may do it */
	bool takes_key, has_output; /* of its own: not the signature verified */
	bool parts_have_output;
	bool of_private_key; /* of a key pair */
	enum op_kind inverse;
};

extern const struct op ops[OP_COUNT];

/*
 * Call the function of that kind. For OP_VERIFY `out` is the signature, which
 * is read and not written. *n is the room, then the length.
 */
CK_RV op_init(enum op_kind kind, CK_SESSION_HANDLE s, CK_MECHANISM *m,
    CK_OBJECT_HANDLE key);
CK_RV op_one(enum op_kind kind, CK_SESSION_HANDLE s, struct bytes in,
    CK_BYTE *out, CK_ULONG *n);
CK_RV op_update(enum op_kind kind, CK_SESSION_HANDLE s, struct bytes in,
    CK_BYTE *out, CK_ULONG *n);
CK_RV
op_final(enum op_kind kind, CK_SESSION_HANDLE s, CK_BYTE *out, CK_ULONG *n);

#endif

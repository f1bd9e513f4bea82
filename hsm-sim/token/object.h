/*
 * An object as the token knows it: what SoftHSM calls it, and of its attributes
 * those that are asked for on the way to every use.
 */
#ifndef TOKEN_OBJECT_H
#define TOKEN_OBJECT_H

#include <p11-kit/pkcs11.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* How an object is found. */
enum { OBJECT_OCTETS = 256 }; /* what one takes without its attributes */

enum index_way { BY_ALL, BY_CLASS, BY_LABEL, BY_ID, INDEX_WAYS };

struct object_link {
	struct object *next, **at; /* at: the pointer to this object */
};

/*
 * Counted: by the index it is in, by each application that has a handle of
 * it, by each call that uses it. Label, identifier, size and links are behind
 * the lock of that index; class, key type and place never change.
 */
struct object {
	atomic_uint refs;
	/* In SoftHSM. CK_INVALID_HANDLE: destroyed, or out of reach. */
	_Atomic CK_OBJECT_HANDLE backing;
	/* A session object of the same value: see partition.h. */
	_Atomic CK_OBJECT_HANDLE shadow;
	atomic_bool no_shadow;
	atomic_ulong usage; /* CKF_ENCRYPT, CKF_SIGN ...: what it may be for */
	unsigned slot;
	bool on_token, is_private;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type;    /* CK_UNAVAILABLE_INFORMATION: no key */
	size_t value_octets;     /* of a secret key, or of an RSA modulus */
	CK_SESSION_HANDLE owner; /* whose session object it is */
	bool has_label, has_id;  /* an empty one is one */
	uint8_t *label, *id;
	size_t label_octets, id_octets;
	uint64_t octets; /* what it takes in the partition */
	struct object_link links[INDEX_WAYS];
};

/*
 * Read what SoftHSM has about one.
 *
 * CKR_HOST_MEMORY, CKR_OBJECT_HANDLE_INVALID
 */
CK_RV object_new(CK_FUNCTION_LIST *softhsm, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE backing, unsigned slot, struct object **out);
/* Its attributes were changed. Not while it is in an index. */
CK_RV object_read(CK_FUNCTION_LIST *softhsm, CK_SESSION_HANDLE session,
    struct object *object);

struct object *object_ref(struct object *object);
/* The last one frees it. Accepts NULL. */
void object_unref(struct object *object);

#endif

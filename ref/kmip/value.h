/*
 * The value of a Managed Object: the structure that Register brings, Create
 * makes and Get returns, kept as TTLV and sealed where it is secret.
 *
 * Source: KMIP 1.4 section 2, KMIP 2.1 sections 2 and 3
 */
#ifndef KMIP_VALUE_H
#define KMIP_VALUE_H

#include "base/secret.h"
#include "crypto/keyformat.h"
#include "kmip/request.h"

/* Which tag a value of this object type has, and back; 0 for none. */
uint32_t value_tag(uint32_t object_type);
uint32_t value_object_type(uint32_t tag);

/*
 * Take the value that a client registers into the object, with the attributes
 * that follow from it: Cryptographic Algorithm and Length, Key Format Type,
 * Digest, a certificate's own. Attributes inside its Key Value are added to
 * `list`, and taken out of what is kept.
 *
 * ERR_FIELD        it contradicts the attributes, or is no such key
 * ERR_KEY_FORMAT   the Key Format Type does not fit the object type
 * ERR_HSM ...      what keystore_seal has
 */
enum err value_attributes(struct request *rq, const struct item *value,
    struct attr_list *list) MUST_CHECK;
enum err value_register(
    struct request *rq, const struct item *value, struct object *o) MUST_CHECK;

/*
 * Make a key of octets the object's value: Key Block with the format, and the
 * object's own Cryptographic Algorithm and Length.
 */
enum err value_make(struct request *rq, struct object *o, uint32_t format,
    const struct secret *material) MUST_CHECK;

/*
 * The object's value for an answer, as a tree: in the format it is kept in,
 * or in `format` (0: whichever it is kept in).
 *
 * ERR_KEY_FORMAT   it cannot be had in that format
 * ERR_KEY_VALUE    there is no value
 * ERR_HSM ...      what keystore_open has
 */
enum err value_open(struct request *rq, const struct object *o, uint32_t format,
    struct item **out) MUST_CHECK;

#endif

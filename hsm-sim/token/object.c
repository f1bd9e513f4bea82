#include "token/object.h"

#include <string.h>

#include "base/mem.h"

/* The attributes that say what a key may be used for. */
static const struct {
	CK_ATTRIBUTE_TYPE attribute;
	CK_FLAGS flag;
} usages[] = {
    {CKA_ENCRYPT, CKF_ENCRYPT},
    {CKA_DECRYPT, CKF_DECRYPT},
    {CKA_SIGN, CKF_SIGN},
    {CKA_SIGN_RECOVER, CKF_SIGN_RECOVER},
    {CKA_VERIFY, CKF_VERIFY},
    {CKA_VERIFY_RECOVER, CKF_VERIFY_RECOVER},
    {CKA_WRAP, CKF_WRAP},
    {CKA_UNWRAP, CKF_UNWRAP},
    {CKA_DERIVE, CKF_DERIVE},
};
enum { USAGES = sizeof(usages) / sizeof(usages[0]) };

/* Of these the length is asked for: it is what they take. */
static const CK_ATTRIBUTE_TYPE sized[] = {CKA_LABEL, CKA_ID, CKA_MODULUS,
    CKA_EC_PARAMS, CKA_EC_POINT, CKA_PRIME, CKA_SUBJECT, CKA_ISSUER,
    CKA_APPLICATION, CKA_VALUE};
enum {
	SIZED = sizeof(sized) / sizeof(sized[0]),
	AT_LABEL = 0,
	AT_ID,
	AT_MODULUS
};

/* A private RSA key has, beside the modulus, its exponent and five halves. */
enum { RSA_PRIVATE_HALVES = 9 };

static CK_RV
take_text(CK_FUNCTION_LIST *softhsm, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE backing, CK_ATTRIBUTE_TYPE type, CK_ULONG octets,
    uint8_t **out, size_t *out_octets)
{
	CK_ATTRIBUTE attribute = {type, NULL, octets};
	CK_RV rv = CKR_OK;

	mem_free(*out);
	*out = NULL;
	*out_octets = 0;
	if (octets == 0 || octets == CK_UNAVAILABLE_INFORMATION)
		return CKR_OK;
	*out = mem_zalloc(octets, 1);
	if (*out == NULL)
		return CKR_HOST_MEMORY;
	attribute.pValue = *out;
	rv = softhsm->C_GetAttributeValue(session, backing, &attribute, 1);
	*out_octets = rv == CKR_OK ? attribute.ulValueLen : 0;
	return rv;
}

CK_RV
object_read(
    CK_FUNCTION_LIST *softhsm, CK_SESSION_HANDLE session, struct object *object)
{
	const CK_OBJECT_HANDLE backing = object->backing;
	CK_BBOOL on_token = CK_FALSE, is_private = CK_TRUE, may[USAGES];
	CK_ULONG value_len = 0, i;
	CK_ATTRIBUTE all[5 + USAGES + SIZED] = {
	    {CKA_CLASS, &object->class, sizeof(object->class)},
	    {CKA_TOKEN, &on_token, sizeof(on_token)},
	    {CKA_PRIVATE, &is_private, sizeof(is_private)},
	    {CKA_KEY_TYPE, &object->key_type, sizeof(object->key_type)},
	    {CKA_VALUE_LEN, &value_len, sizeof(value_len)},
	};
	CK_ATTRIBUTE *usage = all + 5, *size = usage + USAGES;
	CK_FLAGS flags = 0;
	uint64_t octets = OBJECT_OCTETS;
	CK_RV rv;

	for (i = 0; i < USAGES; i++) {
		may[i] = CK_FALSE;
		usage[i] = (CK_ATTRIBUTE){usages[i].attribute, &may[i], 1};
	}
	for (i = 0; i < SIZED; i++)
		size[i] = (CK_ATTRIBUTE){sized[i], NULL, 0};
	object->key_type = CK_UNAVAILABLE_INFORMATION;
	rv = softhsm->C_GetAttributeValue(
	    session, backing, all, 5 + USAGES + SIZED);
	if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID &&
	    rv != CKR_ATTRIBUTE_SENSITIVE)
		return rv;
	object->on_token = on_token == CK_TRUE;
	object->is_private = is_private == CK_TRUE;
	for (i = 0; i < USAGES; i++)
		if (may[i] == CK_TRUE)
			flags |= usages[i].flag;
	object->usage = flags;
	for (i = 0; i < SIZED; i++)
		if (size[i].ulValueLen != CK_UNAVAILABLE_INFORMATION)
			octets += size[i].ulValueLen;
	/* Of what is sensitive SoftHSM does not tell the length. */
	if (object->class == CKO_SECRET_KEY) {
		object->value_octets = value_len;
		if (size[SIZED - 1].ulValueLen == CK_UNAVAILABLE_INFORMATION)
			octets += value_len;
	} else if (size[AT_MODULUS].ulValueLen != CK_UNAVAILABLE_INFORMATION) {
		object->value_octets = size[AT_MODULUS].ulValueLen;
		if (object->class == CKO_PRIVATE_KEY)
			octets += object->value_octets * RSA_PRIVATE_HALVES / 2;
	}
	object->octets = octets;
	object->has_label =
	    size[AT_LABEL].ulValueLen != CK_UNAVAILABLE_INFORMATION;
	object->has_id = size[AT_ID].ulValueLen != CK_UNAVAILABLE_INFORMATION;
	rv = take_text(softhsm, session, backing, CKA_LABEL,
	    size[AT_LABEL].ulValueLen, &object->label, &object->label_octets);
	if (rv == CKR_OK)
		rv = take_text(softhsm, session, backing, CKA_ID,
		    size[AT_ID].ulValueLen, &object->id, &object->id_octets);
	return rv;
}

CK_RV
object_new(CK_FUNCTION_LIST *softhsm, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE backing, unsigned slot, struct object **out)
{
	struct object *object = mem_zalloc(1, sizeof(*object));
	CK_RV rv;

	*out = NULL;
	if (object == NULL)
		return CKR_HOST_MEMORY;
	object->refs = 1;
	object->backing = backing;
	object->slot = slot;
	rv = object_read(softhsm, session, object);
	if (rv == CKR_OK)
		*out = object;
	else
		object_unref(object);
	return rv;
}

struct object *
object_ref(struct object *object)
{
	atomic_fetch_add(&object->refs, 1);
	return object;
}

void
object_unref(struct object *object)
{
	if (object == NULL || atomic_fetch_sub(&object->refs, 1) > 1)
		return;
	mem_free(object->label);
	mem_free(object->id);
	mem_free(object);
}

#include "device/birth.h"

#include "crypto/digest.h"

/* Has the object no value for it yet, and may it have one? */
static bool
wants(const struct object *o, enum tag tag)
{
	const struct attr_def *def = attr_def_any(tag);

	return def != NULL && attr_find(&o->attrs, tag) == NULL &&
	       attr_applies(def, o->object_type, V_LAST);
}

static enum err
give_number(struct object *o, enum tag tag, int64_t number)
{
	return wants(o, tag) ? attr_add_number(o->arena, &o->attrs, tag, number)
			     : OK;
}

/* spec: kmip-2.1 4.56: the SHA-256 of the Unique Identifier */
static enum err
give_short_id(struct object *o)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	size_t octets;
	enum err rc = OK;

	if (!wants(o, TAG_SHORT_UNIQUE_IDENTIFIER))
		return OK;
	TRY(digest_make(HASHING_ALGORITHM_SHA_256, o->id, digest, &octets));
	TRY(attr_add_octets(o->arena, &o->attrs, TAG_SHORT_UNIQUE_IDENTIFIER,
	    (struct bytes){digest, octets}));
out:
	return rc;
}

enum err
birth_add_rng(struct arena *a, struct item *rng)
{
	enum err rc = OK;

	TRY(item_add_number(
	    a, rng, TAG_RNG_ALGORITHM, ENUMERATION, RNG_ALGORITHM_DRBG));
	TRY(item_add_number(a, rng, TAG_CRYPTOGRAPHIC_ALGORITHM, ENUMERATION,
	    CRYPTOGRAPHIC_ALGORITHM_AES));
	TRY(item_add_number(a, rng, TAG_CRYPTOGRAPHIC_LENGTH, INTEGER, 256));
	TRY(item_add_number(
	    a, rng, TAG_DRBG_ALGORITHM, ENUMERATION, DRBG_ALGORITHM_CTR));
out:
	return rc;
}

static enum err
give_rng(struct object *o)
{
	struct item *rng;
	enum err rc = OK;

	if (!wants(o, TAG_RANDOM_NUMBER_GENERATOR))
		return OK;
	TRY(item_add_structure(
	    o->arena, NULL, TAG_RANDOM_NUMBER_GENERATOR, &rng));
	TRY(birth_add_rng(o->arena, rng));
	TRY(attr_add_item(o->arena, &o->attrs, rng));
out:
	return rc;
}

/*
 * spec: kmip-1.4 3.17
 * req: KS-AE-033 KS-AE-034
 */
enum err
birth_add_digest(struct object *o, struct bytes octets, uint32_t format)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	struct item *item;
	struct bytes copy;
	size_t length;
	enum err rc = OK;

	TRY(digest_make(HASHING_ALGORITHM_SHA_256, octets, digest, &length));
	TRY(item_add_structure(o->arena, NULL, TAG_DIGEST, &item));
	TRY(item_add_number(o->arena, item, TAG_HASHING_ALGORITHM, ENUMERATION,
	    HASHING_ALGORITHM_SHA_256));
	TRY(arena_copy(o->arena, (struct bytes){digest, length}, &copy));
	TRY(item_add_octets(
	    o->arena, item, TAG_DIGEST_VALUE, BYTE_STRING, copy));
	if (format != 0)
		TRY(item_add_number(
		    o->arena, item, TAG_KEY_FORMAT_TYPE, ENUMERATION, format));
	TRY(attr_add_item(o->arena, &o->attrs, item));
out:
	return rc;
}

enum err
birth_complete(
    struct object *o, uint32_t lease_s, int64_t now_s, bool generated)
{
	bool sensitive;
	enum err rc = OK;

	if (o->object_type == OBJECT_TYPE_TEMPLATE)
		return OK;
	TRY(give_short_id(o));
	if (lease_s != 0)
		TRY(give_number(o, TAG_LEASE_TIME, lease_s));
	TRY(give_number(o, TAG_FRESH, true));
	TRY(give_number(o, TAG_SENSITIVE, false));
	TRY(give_number(o, TAG_EXTRACTABLE, true));
	/* spec: kmip-1.4 3.49 and 3.51: true only if it has been so from its
	 * making here; a registered key was extractable where it came from */
	sensitive = attr_number(&o->attrs, TAG_SENSITIVE, 0) != 0;
	TRY(give_number(o, TAG_ALWAYS_SENSITIVE, generated && sensitive));
	TRY(give_number(o, TAG_NEVER_EXTRACTABLE,
	    generated && attr_number(&o->attrs, TAG_EXTRACTABLE, 1) == 0));
	TRY(give_number(
	    o, TAG_PROTECTION_STORAGE_MASK, PROTECTION_STORAGE_MASK_SOFTWARE));
	if (generated) {
		TRY(give_number(o, TAG_ORIGINAL_CREATION_DATE, now_s));
		TRY(give_rng(o));
	}
out:
	return rc;
}

#include "device/birth.h"

#include "crypto/digest.h"
#include "crypto/x509.h"

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
birth_add_link(struct object *from, uint32_t link_type, struct bytes to)
{
	struct item *link;
	struct bytes id;
	enum err rc = OK;

	TRY(item_add_structure(from->arena, NULL, TAG_LINK, &link));
	TRY(item_add_number(
	    from->arena, link, TAG_LINK_TYPE, ENUMERATION, link_type));
	TRY(arena_copy(from->arena, to, &id));
	TRY(item_add_octets(
	    from->arena, link, TAG_LINKED_OBJECT_IDENTIFIER, TEXT_STRING, id));
	TRY(attr_add_item(from->arena, &from->attrs, link));
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

/* ---- certificates ---- */

/* 2.x has an attribute for each field of the two names. */
#define FIELD(name)                                                           \
	{                                                                     \
		TAG_CERTIFICATE_SUBJECT_##name, TAG_CERTIFICATE_ISSUER_##name \
	}
static const enum tag field_tags[X509_FIELD_COUNT][2] = {
    [X509_CN] = FIELD(CN),
    [X509_O] = FIELD(O),
    [X509_OU] = FIELD(OU),
    [X509_EMAIL] = FIELD(EMAIL),
    [X509_C] = FIELD(C),
    [X509_ST] = FIELD(ST),
    [X509_L] = FIELD(L),
    [X509_UID] = FIELD(UID),
    [X509_SERIAL_NUMBER] = FIELD(SERIAL_NUMBER),
    [X509_TITLE] = FIELD(TITLE),
    [X509_DC] = FIELD(DC),
    [X509_DN_QUALIFIER] = FIELD(DN_QUALIFIER),
};

static enum err
add_copy(struct object *o, struct item *parent, enum tag tag,
    enum item_type type, struct bytes octets)
{
	struct bytes copy;
	enum err rc = OK;

	if (octets.octets == 0)
		return OK;
	TRY(arena_copy(o->arena, octets, &copy));
	TRY(item_add_octets(o->arena, parent, tag, type, copy));
out:
	return rc;
}

/* The 2.x fields. */
static enum err
add_fields(struct object *o, const struct x509_facts *facts)
{
	enum err rc = OK;
	size_t f;
	size_t n;

	for (f = 0; f < X509_FIELD_COUNT; f++) {
		for (n = 0; n < facts->subject.field_count[f]; n++)
			TRY(attr_add_octets(o->arena, &o->attrs,
			    field_tags[f][0], facts->subject.field[f][n]));
		for (n = 0; n < facts->issuer.field_count[f]; n++)
			TRY(attr_add_octets(o->arena, &o->attrs,
			    field_tags[f][1], facts->issuer.field[f][n]));
	}
out:
	return rc;
}

/*
 * A name and its alternatives as one structure: as octets since 1.1, as text
 * in 1.0.
 */
struct name_form {
	enum tag attribute;
	enum tag name;
	enum tag alternative;
	bool text;
};

static enum err
add_name(struct object *o, const struct name_form *form,
    const struct x509_entity *entity)
{
	enum item_type type = form->text ? TEXT_STRING : BYTE_STRING;
	struct item *item;
	enum err rc = OK;
	size_t n;

	TRY(item_add_structure(o->arena, NULL, form->attribute, &item));
	TRY(add_copy(o, item, form->name, type,
	    form->text ? entity->text : entity->der));
	for (n = 0; n < entity->alt_count; n++)
		TRY(add_copy(o, item, form->alternative, type,
		    form->text ? entity->alt_text[n] : entity->alt_der[n]));
	TRY(attr_add_item(o->arena, &o->attrs, item));
out:
	return rc;
}

/* spec: kmip-1.4 3.9 to 3.15 */
static enum err
add_structures(struct object *o, const struct x509_facts *facts)
{
	static const struct name_form subjects[] = {
	    {TAG_X_509_CERTIFICATE_SUBJECT, TAG_SUBJECT_DISTINGUISHED_NAME,
		TAG_SUBJECT_ALTERNATIVE_NAME, false},
	    {TAG_CERTIFICATE_SUBJECT,
		TAG_CERTIFICATE_SUBJECT_DISTINGUISHED_NAME,
		TAG_CERTIFICATE_SUBJECT_ALTERNATIVE_NAME, true},
	};
	static const struct name_form issuers[] = {
	    {TAG_X_509_CERTIFICATE_ISSUER, TAG_ISSUER_DISTINGUISHED_NAME,
		TAG_ISSUER_ALTERNATIVE_NAME, false},
	    {TAG_CERTIFICATE_ISSUER, TAG_CERTIFICATE_ISSUER_DISTINGUISHED_NAME,
		TAG_CERTIFICATE_ISSUER_ALTERNATIVE_NAME, true},
	};
	struct item *item;
	enum err rc = OK;
	size_t k;

	for (k = 0; k < 2; k++) {
		TRY(add_name(o, &subjects[k], &facts->subject));
		TRY(add_name(o, &issuers[k], &facts->issuer));
	}
	TRY(item_add_structure(
	    o->arena, NULL, TAG_X_509_CERTIFICATE_IDENTIFIER, &item));
	TRY(add_copy(o, item, TAG_ISSUER_DISTINGUISHED_NAME, BYTE_STRING,
	    facts->issuer.der));
	TRY(add_copy(o, item, TAG_CERTIFICATE_SERIAL_NUMBER, BYTE_STRING,
	    facts->serial_der));
	TRY(attr_add_item(o->arena, &o->attrs, item));
	TRY(item_add_structure(
	    o->arena, NULL, TAG_CERTIFICATE_IDENTIFIER, &item));
	TRY(add_copy(o, item, TAG_ISSUER, TEXT_STRING, facts->issuer.text));
	TRY(add_copy(
	    o, item, TAG_SERIAL_NUMBER, TEXT_STRING, facts->serial_text));
	TRY(attr_add_item(o->arena, &o->attrs, item));
out:
	return rc;
}

enum err
birth_add_certificate(struct object *o, const struct x509_facts *facts)
{
	enum err rc = OK;

	TRY(add_structures(o, facts));
	TRY(add_fields(o, facts));
out:
	return rc;
}

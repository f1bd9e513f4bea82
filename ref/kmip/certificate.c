#include "kmip/certificate.h"

#include "crypto/digest.h"
#include "crypto/x509.h"
#include "kmip/attributes.h"

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

static enum err
learn_x509(struct request *rq, struct object *o, struct bytes der)
{
	struct x509_facts facts;
	enum err rc = OK;

	rc = x509_read(rq->arena, der, &facts);
	if (rc == ERR_FIELD)
		fault_set(&rq->fault, "not an X.509 certificate");
	TRY(rc);
	if (facts.signature_algorithm != 0)
		TRY(attributes_learn(rq, o, TAG_DIGITAL_SIGNATURE_ALGORITHM,
		    facts.signature_algorithm));
	if (facts.key_algorithm != 0)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_ALGORITHM, facts.key_algorithm));
	if (facts.key_bits != 0)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_LENGTH, facts.key_bits));
	TRY(add_structures(o, &facts));
	TRY(add_fields(o, &facts));
out:
	return rc;
}

enum err
certificate_learn(
    struct request *rq, struct object *o, const struct item *value)
{
	int64_t type = item_number(value, TAG_CERTIFICATE_TYPE, 0);
	struct bytes octets = item_octets(value, TAG_CERTIFICATE_VALUE);
	enum err rc = OK;

	TRY(attributes_learn(rq, o, TAG_CERTIFICATE_TYPE, type));
	TRY(attributes_learn(
	    rq, o, TAG_CERTIFICATE_LENGTH, (int64_t)octets.octets));
	if (type == CERTIFICATE_TYPE_X_509)
		TRY(learn_x509(rq, o, octets));
out:
	return rc;
}

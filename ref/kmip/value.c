#include "kmip/value.h"

#include "crypto/keyblock.h"
#include "crypto/keygen.h"
#include "device/birth.h"
#include "kmip/attributes.h"
#include "kmip/certificate.h"
#include "wire/ttlv.h"

enum { VALUE_MAX_OCTETS = 1 << 20 };

static const struct {
	uint32_t object_type;
	uint32_t tag;
} kinds[] = {
    {OBJECT_TYPE_CERTIFICATE, TAG_CERTIFICATE},
    /* req: KS-03-016 KS-AE-007 KS-AE-097 */
    {OBJECT_TYPE_SYMMETRIC_KEY, TAG_SYMMETRIC_KEY},
    /* req: KS-AE-003 */
    {OBJECT_TYPE_PUBLIC_KEY, TAG_PUBLIC_KEY},
    /* req: KS-AE-002 */
    {OBJECT_TYPE_PRIVATE_KEY, TAG_PRIVATE_KEY},
    {OBJECT_TYPE_SPLIT_KEY, TAG_SPLIT_KEY},
    /* req: KS-03-014 KS-AE-095 */
    {OBJECT_TYPE_TEMPLATE, TAG_TEMPLATE},
    /* req: KS-03-015 KS-AE-004 KS-AE-096 */
    {OBJECT_TYPE_SECRET_DATA, TAG_SECRET_DATA},
    {OBJECT_TYPE_OPAQUE_OBJECT, TAG_OPAQUE_OBJECT},
    {OBJECT_TYPE_PGP_KEY, TAG_PGP_KEY},
    {OBJECT_TYPE_CERTIFICATE_REQUEST, TAG_CERTIFICATE_REQUEST},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

uint32_t
value_tag(uint32_t object_type)
{
	size_t k;

	for (k = 0; k < KIND_COUNT; k++) {
		if (kinds[k].object_type == object_type)
			return kinds[k].tag;
	}
	return 0;
}

uint32_t
value_object_type(uint32_t tag)
{
	size_t k;

	for (k = 0; k < KIND_COUNT; k++) {
		if (kinds[k].tag == tag)
			return kinds[k].object_type;
	}
	return 0;
}

static bool
is_asymmetric(uint32_t object_type)
{
	return object_type == OBJECT_TYPE_PRIVATE_KEY ||
	       object_type == OBJECT_TYPE_PUBLIC_KEY;
}

/* Attributes that are there need not be in the Key Block, and vice versa. */
static enum err
learn_symmetric(struct request *rq, struct object *o, struct bytes key)
{
	uint32_t algorithm =
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	int64_t bits = attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0);
	uint32_t real = keygen_symmetric_bits(algorithm, key.octets);

	if (algorithm == 0) {
		fault_set(&rq->fault, "no Cryptographic Algorithm given");
		return ERR_FIELD;
	}
	/* an algorithm this server does not make keys for counts all bits,
	 * and some count parity bits that others leave out */
	if (real == 0 || bits == (int64_t)key.octets * 8)
		real = (uint32_t)key.octets * 8;
	return attributes_learn(rq, o, TAG_CRYPTOGRAPHIC_LENGTH, real);
}

static enum err
learn_asymmetric(struct request *rq, struct object *o, const struct item *block)
{
	int64_t algorithm =
	    attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	struct keyparts parts;
	enum err rc = OK;

	TRY(keyblock_parts(o->object_type, block, &parts, &rq->fault));
	/* EC keys go by several names */
	if (keyformat_family((uint32_t)algorithm) != parts.algorithm)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_ALGORITHM, parts.algorithm));
	if (parts.key_bits != 0)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_LENGTH, parts.key_bits));
out:
	return rc;
}

/* A structure has no octets of its own but its encoding. */
static enum err
add_material_digest(
    struct object *o, const struct item *material, uint32_t format)
{
	struct buf encoded;
	enum err rc = OK;

	buf_init(&encoded, VALUE_MAX_OCTETS);
	if (material->type == BYTE_STRING) {
		TRY(birth_add_digest(o, material->octets, format));
	} else {
		TRY(ttlv_write(material, &encoded));
		TRY(birth_add_digest(o, buf_peek(&encoded), format));
	}
out:
	buf_clear(&encoded);
	return rc;
}

static enum err
learn_block(struct request *rq, struct object *o, const struct item *block)
{
	const struct item *algorithm =
	    item_find(block, TAG_CRYPTOGRAPHIC_ALGORITHM);
	const struct item *length = item_find(block, TAG_CRYPTOGRAPHIC_LENGTH);
	uint32_t format = (uint32_t)item_number(block, TAG_KEY_FORMAT_TYPE, 0);
	const struct item *material = keyblock_material(block);
	bool wrapped = item_find(block, TAG_KEY_WRAPPING_DATA) != NULL;
	enum err rc = OK;

	if (algorithm != NULL)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_ALGORITHM, algorithm->number));
	if (length != NULL)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_LENGTH, length->number));
	TRY(attributes_learn(rq, o, TAG_KEY_FORMAT_TYPE, format));
	/* what is wrapped cannot be looked into */
	if (wrapped || material == NULL)
		return OK;
	if (o->object_type == OBJECT_TYPE_SYMMETRIC_KEY)
		TRY(learn_symmetric(rq, o, keyblock_symmetric(material)));
	if (is_asymmetric(o->object_type))
		TRY(learn_asymmetric(rq, o, block));
	TRY(add_material_digest(o, material, format));
out:
	return rc;
}

static enum err
learn_value(struct request *rq, struct object *o, const struct item *value)
{
	static const enum tag whole[] = {TAG_CERTIFICATE_VALUE,
	    TAG_OPAQUE_DATA_VALUE, TAG_CERTIFICATE_REQUEST_VALUE};
	const struct item *block = item_find(value, TAG_KEY_BLOCK);
	uint32_t format = 0;
	enum err rc = OK;
	size_t k;

	if (block != NULL)
		TRY(learn_block(rq, o, block));
	if (value->tag == TAG_CERTIFICATE) {
		/* spec: kmip-2.1 4.26: octets in no format of keys */
		format = KEY_FORMAT_TYPE_RAW;
		TRY(attributes_learn(rq, o, TAG_KEY_FORMAT_TYPE, format));
		TRY(certificate_learn(rq, o, value));
	}
	for (k = 0; k < sizeof(whole) / sizeof(whole[0]); k++) {
		if (item_find(value, whole[k]) != NULL)
			TRY(birth_add_digest(
			    o, item_octets(value, whole[k]), format));
	}
out:
	return rc;
}

/*
 * Keeping it
 */

static enum err
keep(struct request *rq, struct object *o, const struct item *value)
{
	struct bytes sealed;
	struct buf encoded;
	bool secret = object_type_is_secret(o->object_type);
	uint64_t version = o->value_version + 1;
	enum err rc = OK;

	buf_init(&encoded, VALUE_MAX_OCTETS);
	TRY(ttlv_write(value, &encoded));
	sealed = buf_peek(&encoded);
	if (secret)
		TRY(keystore_seal(rq->config->keystore, rq->loan, o->id,
		    version, buf_peek(&encoded), rq->arena, &sealed));
	TRY(object_set_value(o, sealed, secret));
	o->value_version = version;
out:
	buf_clear(&encoded);
	return rc;
}

/* Attributes that travel in the Key Value are the object's, not the key's. */
static const struct item *
key_value_attributes(const struct item *value)
{
	const struct item *block = item_find(value, TAG_KEY_BLOCK);
	const struct item *key_value = NULL;
	const struct item *holder;

	if (block != NULL)
		key_value = item_find(block, TAG_KEY_VALUE);
	if (key_value == NULL || key_value->type != STRUCTURE)
		return NULL;
	holder = item_find(key_value, TAG_ATTRIBUTES);
	return holder != NULL ? holder : key_value;
}

enum err
value_attributes(
    struct request *rq, const struct item *value, struct attr_list *list)
{
	return attr_read_list(rq->arena, key_value_attributes(value),
	    rq->version, list, &rq->fault);
}

static void
strip_attributes(struct item *value)
{
	struct item *block = item_find(value, TAG_KEY_BLOCK);
	struct item *key_value = NULL;

	if (block != NULL)
		key_value = item_find(block, TAG_KEY_VALUE);
	if (key_value == NULL || key_value->type != STRUCTURE ||
	    key_value->first == NULL)
		return;
	/* Key Material is the first field, attributes follow */
	key_value->first->next = NULL;
	key_value->last = key_value->first;
}

enum err
value_register(struct request *rq, const struct item *value, struct object *o)
{
	struct item *kept;
	enum err rc = OK;

	TRY(item_copy(rq->arena, value, &kept));
	strip_attributes(kept);
	TRY(learn_value(rq, o, kept));
	TRY(keep(rq, o, kept));
out:
	return rc;
}

enum err
value_make(struct request *rq, struct object *o, uint32_t format,
    const struct secret *material)
{
	struct item *value;
	enum err rc = OK;

	TRY(keyblock_make(rq->arena, value_tag(o->object_type), format,
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0),
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0),
	    secret_peek(material), &value));
	TRY(attributes_learn(rq, o, TAG_KEY_FORMAT_TYPE, format));
	TRY(birth_add_digest(o, secret_peek(material), format));
	TRY(keep(rq, o, value));
out:
	return rc;
}

/*
 * Giving it away
 */

static enum err
convert_symmetric(struct request *rq, struct item *block, uint32_t format)
{
	struct item *key_value = item_find(block, TAG_KEY_VALUE);
	struct bytes key = keyblock_symmetric(keyblock_material(block));
	struct item *material;
	enum err rc = OK;

	key_value->first = NULL;
	key_value->last = NULL;
	if (format == KEY_FORMAT_TYPE_TRANSPARENT_SYMMETRIC_KEY) {
		TRY(item_add_structure(
		    rq->arena, key_value, TAG_KEY_MATERIAL, &material));
		TRY(item_add_octets(
		    rq->arena, material, TAG_KEY, BYTE_STRING, key));
	} else {
		TRY(item_add_octets(
		    rq->arena, key_value, TAG_KEY_MATERIAL, BYTE_STRING, key));
	}
out:
	return rc;
}

static enum err
convert_asymmetric(struct request *rq, uint32_t object_type, struct item *block,
    uint32_t format)
{
	struct item *key_value = item_find(block, TAG_KEY_VALUE);
	const struct keyblock_format *fmt = keyblock_format_find(format);
	struct item *material;
	struct keyparts parts;
	struct bytes octets;
	enum err rc = OK;

	if (fmt == NULL ||
	    (fmt->object_type != 0 && fmt->object_type != object_type))
		TRY(ERR_KEY_FORMAT);
	TRY(keyblock_parts(object_type, block, &parts, &rq->fault));
	key_value->first = NULL;
	key_value->last = NULL;
	if (fmt->algorithm == 0) {
		TRY(keyformat_write(format,
		    object_type == OBJECT_TYPE_PRIVATE_KEY, &parts, rq->arena,
		    &octets, &rq->fault));
		TRY(item_add_octets(rq->arena, key_value, TAG_KEY_MATERIAL,
		    BYTE_STRING, octets));
		return OK;
	}
	if (fmt->algorithm != parts.algorithm)
		TRY(ERR_KEY_FORMAT);
	TRY(keyformat_complete(&parts, rq->arena, &rq->fault));
	TRY(item_add_structure(
	    rq->arena, key_value, TAG_KEY_MATERIAL, &material));
	TRY(keyblock_add_parts(rq->arena, fmt, &parts, material));
out:
	return rc;
}

static bool
is_symmetric_format(uint32_t format)
{
	return format == KEY_FORMAT_TYPE_RAW ||
	       format == KEY_FORMAT_TYPE_TRANSPARENT_SYMMETRIC_KEY;
}

/*
 * The format to answer in: the one asked for; else the one it is kept in, or,
 * where the request's version does not have that one, its equal there.
 */
static uint32_t
format_for(const struct request *rq, uint32_t kept, uint32_t asked)
{
	const struct keyblock_format *fmt = keyblock_format_find(kept);
	const struct keyblock_format *other;
	size_t k;

	if (asked != 0)
		return asked;
	if (fmt == NULL || fmt->algorithm == 0 ||
	    schema_value_in(TAG_KEY_FORMAT_TYPE, kept, rq->version))
		return kept;
	for (k = 0; (other = keyblock_format_nth(k)) != NULL; k++) {
		if (other->algorithm == fmt->algorithm &&
		    other->object_type == fmt->object_type &&
		    schema_value_in(
			TAG_KEY_FORMAT_TYPE, other->format, rq->version))
			return other->format;
	}
	return kept;
}

static enum err
convert(struct request *rq, uint32_t object_type, struct item *block,
    uint32_t asked)
{
	struct item *format = item_find(block, TAG_KEY_FORMAT_TYPE);
	uint32_t kept = (uint32_t)format->number;
	uint32_t want = format_for(rq, kept, asked);
	enum err rc = OK;

	if (want == kept)
		return OK;
	fault_set(&rq->fault, "kept as %s",
	    schema_value_name(TAG_KEY_FORMAT_TYPE, kept));
	if (keyblock_material(block) == NULL ||
	    item_find(block, TAG_KEY_WRAPPING_DATA) != NULL)
		TRY(ERR_KEY_FORMAT);
	if (is_asymmetric(object_type))
		TRY(convert_asymmetric(rq, object_type, block, want));
	else if (is_symmetric_format(kept) && is_symmetric_format(want))
		TRY(convert_symmetric(rq, block, want));
	else
		TRY(ERR_KEY_FORMAT);
	format->number = want;
	rq->fault.text[0] = '\0';
out:
	return rc;
}

enum err
value_open(struct request *rq, const struct object *o, uint32_t format,
    struct item **out)
{
	struct bytes plain = o->value;
	struct item *value;
	struct item *block;
	enum err rc = OK;

	*out = NULL;
	if (o->value.octets == 0)
		TRY(ERR_KEY_VALUE);
	if (o->value_sealed)
		TRY(keystore_open(rq->config->keystore, rq->loan, o->id,
		    o->value_version, o->value, rq->arena, &plain));
	else
		TRY(arena_copy(rq->arena, o->value, &plain));
	TRY(ttlv_parse(rq->arena, plain, &value));
	block = item_find(value, TAG_KEY_BLOCK);
	if (block != NULL)
		TRY(convert(rq, o->object_type, block, format));
	else if (format != 0)
		TRY(ERR_KEY_FORMAT);
	*out = value;
out:
	return rc;
}

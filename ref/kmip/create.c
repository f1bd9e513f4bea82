#include "crypto/keygen.h"
#include "kmip/attributes.h"
#include "kmip/op.h"
#include "kmip/value.h"

/*
 * Cryptographic Length may be left to the server where the algorithm has a
 * usual one.
 *
 * spec: kmip-1.4 4.1
 */
static enum err
choose_length(struct request *rq, struct object *o)
{
	uint32_t algorithm =
	    (uint32_t)attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	uint32_t bits = keygen_default_bits(algorithm);

	if (attr_find(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM) == NULL ||
	    attr_find(&o->attrs, TAG_CRYPTOGRAPHIC_USAGE_MASK) == NULL) {
		fault_set(&rq->fault, "Cryptographic Algorithm and "
				      "Cryptographic Usage Mask are required");
		return ERR_ATTR_VALUE;
	}
	if (attr_find(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH) != NULL)
		return OK;
	if (bits == 0) {
		fault_set(&rq->fault, "no Cryptographic Length given");
		return ERR_ATTR_VALUE;
	}
	return attr_add_number(
	    o->arena, &o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, bits);
}

static enum err
generate(struct request *rq, struct object *o)
{
	int64_t bits = attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, 0);
	int64_t algorithm =
	    attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_ALGORITHM, 0);
	struct secret *key = NULL;
	enum err rc = OK;

	if (bits <= 0 || bits > UINT32_MAX)
		TRY(ERR_ATTR_VALUE);
	rc = keygen_symmetric(rq->config->env, (uint32_t)algorithm,
	    (uint32_t)bits, &rq->fault, &key);
	/* the attribute is to blame, not the operation */
	TRY(rc == ERR_FIELD ? ERR_ATTR_VALUE : rc);
	TRY(value_make(rq, o, KEY_FORMAT_TYPE_RAW, key));
out:
	secret_free(key);
	return rc;
}

/* spec: kmip-1.4 4.1, kmip-2.1 6.1.8 */
enum err
op_create(struct request *rq, const struct item *in, struct item *out)
{
	int64_t type = item_number(in, TAG_OBJECT_TYPE, 0);
	struct attr_list given = {0};
	struct object *o = NULL;
	enum err rc = OK;

	if (type != OBJECT_TYPE_SYMMETRIC_KEY) {
		fault_set(&rq->fault, "only Symmetric Keys are created");
		TRY(ERR_OBJECT_TYPE);
	}
	TRY(request_check_storage(rq, in, TAG_PROTECTION_STORAGE_MASKS));
	TRY(attributes_read(
	    rq, attributes_holder(in, TAG_TEMPLATE_ATTRIBUTE), &given));
	TRY(attributes_check_new(rq, (uint32_t)type, &given));
	TRY(attributes_check_names(rq, BYTES_NONE, &given));
	TRY(object_new(rq->config->env, (uint32_t)type, rq->identity, &o));
	TRY(attributes_give(o, &given));
	TRY(choose_length(rq, o));
	TRY(generate(rq, o));
	TRY(attributes_complete(rq, o, true));
	TRY(item_add_number(
	    rq->arena, out, TAG_OBJECT_TYPE, ENUMERATION, type));
	TRY(request_made(rq, o->id, UNIQUE_IDENTIFIER_CREATE));
	TRY(request_answer_id(rq, out, o));
	rc = request_insert(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

#include "crypto/keygen.h"
#include "crypto/random.h"
#include "kmip/attributes.h"
#include "kmip/op.h"
#include "kmip/value.h"

enum { SECRET_DEFAULT_BITS = 256, SECRET_MAX_BITS = 32768 };

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

/* spec: kmip-2.1 6.1.8: what a client keeps as a password */
static enum err
generate_secret_data(struct request *rq, struct object *o)
{
	int64_t bits = attr_number(
	    &o->attrs, TAG_CRYPTOGRAPHIC_LENGTH, SECRET_DEFAULT_BITS);
	struct secret *data = NULL;
	enum err rc = OK;

	if (bits <= 0 || bits % 8 != 0 || bits > SECRET_MAX_BITS) {
		fault_set(&rq->fault,
		    "Secret Data has whole octets, at most %d bits",
		    SECRET_MAX_BITS);
		TRY(ERR_ATTR_VALUE);
	}
	TRY(random_secret(rq->config->env, (size_t)bits / 8, &data));
	TRY(value_make(rq, o, KEY_FORMAT_TYPE_OPAQUE, data));
out:
	secret_free(data);
	return rc;
}

static enum err
generate_key(struct request *rq, struct object *o)
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

static enum err
generate(struct request *rq, struct object *o)
{
	enum err rc = OK;

	if (o->object_type == OBJECT_TYPE_SECRET_DATA)
		return generate_secret_data(rq, o);
	TRY(choose_length(rq, o));
	TRY(generate_key(rq, o));
out:
	return rc;
}

/* The specification has Secret Data since 2.0, the test cases since 1.4. */
static bool
is_created(const struct request *rq, int64_t type)
{
	return type == OBJECT_TYPE_SYMMETRIC_KEY ||
	       (type == OBJECT_TYPE_SECRET_DATA && rq->version >= V1_4);
}

/*
 * spec: kmip-1.4 4.1, kmip-2.1 6.1.8
 * req: KS-AE-048 KS-AE-049 KS-AE-052 KS-AE-053
 */
enum err
op_create(struct request *rq, const struct item *in, struct item *out)
{
	int64_t type = item_number(in, TAG_OBJECT_TYPE, 0);
	struct attr_list given = {0};
	struct object *o = NULL;
	enum err rc = OK;

	if (!is_created(rq, type)) {
		fault_set(&rq->fault, "it is not created but registered");
		TRY(ERR_OBJECT_TYPE);
	}
	TRY(request_check_storage(rq, in, TAG_PROTECTION_STORAGE_MASKS));
	TRY(attributes_read(
	    rq, attributes_holder(in, TAG_TEMPLATE_ATTRIBUTE), &given));
	TRY(attributes_check_new(rq, (uint32_t)type, &given));
	TRY(attributes_check_names(rq, BYTES_NONE, &given));
	TRY(object_new(rq->config->env, (uint32_t)type, rq->identity, &o));
	TRY(attributes_give(o, &given));
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

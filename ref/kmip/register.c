#include "kmip/attributes.h"
#include "kmip/op.h"
#include "kmip/value.h"

/*
 * Keys need a usage mask; what has no use but to be kept does not.
 *
 * spec: kmip-1.4 4.3
 */
static bool
needs_usage_mask(uint32_t object_type)
{
	switch (object_type) {
	case OBJECT_TYPE_SYMMETRIC_KEY:
	case OBJECT_TYPE_PUBLIC_KEY:
	case OBJECT_TYPE_PRIVATE_KEY:
	case OBJECT_TYPE_SPLIT_KEY:
		return true;
	default:
		return false;
	}
}

/* The object in the payload: it stands behind the other fields. */
static enum err
find_value(struct request *rq, const struct item *in, int64_t type,
    const struct item **out)
{
	ITEM_EACH (in, item) {
		if (value_object_type(item->tag) == 0)
			continue;
		*out = item;
		if (value_object_type(item->tag) == type)
			return OK;
		fault_set(&rq->fault, "Object Type and object differ");
		return ERR_FIELD;
	}
	fault_set(&rq->fault, "no object to register");
	return ERR_MISSING;
}

/*
 * A Template lends the attributes in it and keeps none, but for a Name, which
 * clients of before 1.2 put there as well.
 *
 * spec: kmip-1.0 2.2.6, kmip-1.2 2.2.6 and 11.4
 */
static enum err
template_name(
    struct request *rq, const struct item *value, struct attr_list *given)
{
	struct attr_list lent = {0};
	enum err rc = OK;

	TRY(attr_read_list(rq->arena, value, rq->version, &lent, &rq->fault));
	ATTR_EACH (&lent, one) {
		if (one->def->tag != TAG_NAME)
			continue;
		if (rq->version >= V1_2) {
			fault_set(&rq->fault, "a Name inside the Template");
			TRY(ERR_FIELD);
		}
		TRY(attr_add(rq->arena, given, one));
	}
out:
	return rc;
}

/*
 * spec: kmip-1.4 4.3, kmip-2.1 6.1.43
 * req: KS-AE-094 KS-28-028 VLT-065 VLT-066
 */
enum err
op_register(struct request *rq, const struct item *in, struct item *out)
{
	int64_t type = item_number(in, TAG_OBJECT_TYPE, 0);
	const struct item *value = NULL;
	struct attr_list given = {0};
	struct object *o = NULL;
	enum err rc = OK;

	TRY(find_value(rq, in, type, &value));
	TRY(request_check_storage(rq, in, TAG_PROTECTION_STORAGE_MASKS));
	TRY(attributes_read(
	    rq, attributes_holder(in, TAG_TEMPLATE_ATTRIBUTE), &given));
	if (type == OBJECT_TYPE_TEMPLATE)
		TRY(template_name(rq, value, &given));
	else
		TRY(value_attributes(rq, value, &given));
	TRY(attributes_check_new(rq, (uint32_t)type, &given));
	TRY(attributes_check_names(rq, BYTES_NONE, &given));
	TRY(object_new(rq->config->env, (uint32_t)type, rq->identity, &o));
	TRY(attributes_give(o, &given));
	if (needs_usage_mask((uint32_t)type) &&
	    attr_find(&o->attrs, TAG_CRYPTOGRAPHIC_USAGE_MASK) == NULL) {
		fault_set(&rq->fault, "no Cryptographic Usage Mask given");
		TRY(ERR_ATTR_VALUE);
	}
	TRY(value_register(rq, value, o));
	TRY(attributes_complete(rq, o, false));
	TRY(request_made(rq, o->id, UNIQUE_IDENTIFIER_REGISTER));
	TRY(request_answer_id(rq, out, o));
	rc = request_insert(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

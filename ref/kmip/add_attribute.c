#include "kmip/attributes.h"
#include "kmip/op.h"

/*
 * An attribute may be added if a client may set it, if the object has no value
 * for it yet or may have several, and not one that the object has already.
 */
static enum err
check_add(struct request *rq, const struct object *o, const struct attr *given)
{
	unsigned rules = attr_rules(given->def, rq->version);
	enum err rc = OK;

	TRY(attributes_check_change(rq, o, given, ATTR_SET_BY_CLIENT));
	fault_set(&rq->fault, "%s", given->def->name);
	if (!attr_is_whole(given))
		TRY(ERR_APP_NAMESPACE);
	ATTR_EACH (&o->attrs, have) {
		if (!attr_same_kind(have, given))
			continue;
		if ((rules & ATTR_MULTIPLE) == 0)
			TRY(ERR_ATTR_SINGLE);
		if (given->def->tag == TAG_NAME &&
		    item_equal(have->value, given->value))
			TRY(ERR_NAME_TAKEN);
	}
	rq->fault.text[0] = '\0';
out:
	return rc;
}

/*
 * spec: kmip-1.4 4.14, kmip-2.1 6.1.2
 * req: KS-AE-046 KS-AE-047
 */
enum err
op_add_attribute(struct request *rq, const struct item *in, struct item *out)
{
	struct attr_list given = {0};
	struct object *o = NULL;
	enum err rc = OK;

	TRY(attributes_read_one(rq, attributes_in(in), &given));
	if (given.first->index_given) {
		fault_set(&rq->fault, "a new attribute has no index yet");
		TRY(ERR_FIELD);
	}
	TRY(attributes_check_count(rq, given.first));
	TRY(request_object_edit(rq, in, &o));
	TRY(check_add(rq, o, given.first));
	TRY(attributes_check_names(rq, o->id, &given));
	TRY(attr_add(o->arena, &o->attrs, given.first));
	TRY(attributes_settle(rq, o));
	TRY(request_answer_id(rq, out, o));
	TRY(attributes_echo(rq, out, o->attrs.last));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

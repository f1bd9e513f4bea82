#include "kmip/attributes.h"
#include "kmip/op.h"

/*
 * Which instance is meant: in 1.x the one with the index given (0 where none
 * is), in 2.x the one that equals Current Attribute, or without that the only
 * one there is.
 *
 * req: KS-AE-085 KS-AE-087 KS-AE-088 KS-AE-089
 */
static bool
is_meant(const struct request *rq, const struct attr *have,
    const struct attr *given, const struct attr *old)
{
	if (old != NULL)
		return item_equal(have->value, old->value);
	return rq->version >= V2_0 || have->index == given->index;
}

static enum err
find_instance(struct request *rq, struct object *o, const struct item *in,
    const struct attr *given, struct attr **out)
{
	const struct item *current = attributes_current(in);
	struct attr_list old = {0};
	bool any = false;
	enum err rc = OK;

	*out = NULL;
	if (current != NULL)
		TRY(attributes_read_one(rq, current, &old));
	if (old.first != NULL && !attr_same_kind(old.first, given)) {
		fault_set(&rq->fault,
		    "Current and New Attribute are not the same attribute");
		TRY(ERR_FIELD);
	}
	fault_set(&rq->fault, "%s", given->def->name);
	ATTR_EACH (&o->attrs, have) {
		if (!attr_same_kind(have, given))
			continue;
		any = true;
		if (!is_meant(rq, have, given, old.first))
			continue;
		if (*out != NULL) {
			fault_set(&rq->fault, "which of several %s?",
			    given->def->name);
			TRY(ERR_ATTR_INSTANCE);
		}
		*out = have;
	}
	if (*out == NULL)
		TRY(any ? ERR_ATTR_INSTANCE : ERR_ATTR_NOT_FOUND);
	rq->fault.text[0] = '\0';
out:
	return rc;
}

/*
 * spec: kmip-1.4 4.15, kmip-2.1 6.1.34
 * req: KS-AE-083 KS-AE-084 KS-AE-086
 */
enum err
op_modify_attribute(struct request *rq, const struct item *in, struct item *out)
{
	struct attr_list given = {0};
	struct object *o = NULL;
	struct attr *one;
	enum err rc = OK;

	TRY(attributes_read_one(rq, attributes_in(in), &given));
	TRY(attributes_check_count(rq, given.first));
	TRY(request_object_edit(rq, in, &o));
	TRY(find_instance(rq, o, in, given.first, &one));
	TRY(attributes_check_change(rq, o, one, ATTR_MODIFY_CLIENT));
	if (!attr_is_whole(given.first))
		TRY(ERR_APP_NAMESPACE);
	TRY(attributes_check_names(rq, o->id, &given));
	TRY(item_copy(o->arena, given.first->value, &one->value));
	TRY(attributes_settle(rq, o));
	TRY(request_answer_id(rq, out, o));
	TRY(attributes_echo(rq, out, one));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

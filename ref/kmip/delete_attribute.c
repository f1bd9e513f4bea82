#include "kmip/attributes.h"
#include "kmip/op.h"

/*
 * What is to go: an instance by name and index (1.x), all instances by
 * reference or the one that equals Current Attribute (2.x).
 */
struct target {
	struct attr_ref *ref;
	struct attr_list current;
	bool index_left_out; /* 1.x */
};

static bool
is_target(const struct target *target, const struct attr *one)
{
	if (target->current.first != NULL)
		return attr_same_kind(target->current.first, one) &&
		       item_equal(target->current.first->value, one->value);
	return attr_ref_matches(target->ref, one);
}

static enum err
read_target(struct request *rq, const struct item *in, struct target *target)
{
	const struct item *current = attributes_current(in);
	enum err rc = OK;

	if (current != NULL)
		TRY(attributes_read_one(rq, current, &target->current));
	else
		TRY(attr_read_refs(
		    rq->arena, in, rq->version, &target->ref, &rq->fault));
	if (current == NULL && target->ref == NULL) {
		fault_set(&rq->fault, "no attribute named");
		TRY(ERR_MISSING);
	}
	target->index_left_out =
	    item_find(in, TAG_ATTRIBUTE_NAME) != NULL && target->ref->index < 0;
out:
	return rc;
}

/*
 * No instance is gone: was there none of its kind, or just not that one?
 */
static enum err
tell_absent(const struct target *target, const struct object *o)
{
	struct attr_ref any;

	if (target->current.first != NULL) {
		ATTR_EACH (&o->attrs, one) {
			if (attr_same_kind(target->current.first, one))
				return ERR_ATTR_INSTANCE;
		}
		return ERR_ATTR_NOT_FOUND;
	}
	any = *target->ref;
	any.index = -1;
	ATTR_EACH (&o->attrs, one) {
		if (attr_ref_matches(&any, one))
			return ERR_ATTR_INSTANCE;
	}
	return ERR_ATTR_NOT_FOUND;
}

/*
 * Without an index the instance 0 is meant, but for 1.0, which does not choose
 * among several.
 *
 * spec: kmip-1.0 4.15, kmip-1.1 4.16
 */
static enum err
settle_index(struct request *rq, struct target *target, const struct object *o)
{
	size_t count = 0;

	if (!target->index_left_out)
		return OK;
	ATTR_EACH (&o->attrs, one)
		count += attr_ref_matches(target->ref, one);
	if (rq->version == V1_0 && count > 1) {
		fault_set(&rq->fault, "which of %zu instances?", count);
		return ERR_FIELD;
	}
	target->ref->index = 0;
	return OK;
}

/*
 * spec: kmip-1.4 4.16, kmip-2.1 6.1.13
 * req: KS-AE-055 KS-AE-056 KS-AE-057 KS-AE-058 KS-AE-059
 */
enum err
op_delete_attribute(struct request *rq, const struct item *in, struct item *out)
{
	struct target target = {0};
	struct object *o = NULL;
	struct attr *one;
	struct attr *next;
	bool gone = false;
	enum err rc = OK;

	TRY(read_target(rq, in, &target));
	TRY(request_object_edit(rq, in, &o));
	TRY(settle_index(rq, &target, o));
	TRY(request_answer_id(rq, out, o));
	for (one = o->attrs.first; one != NULL; one = next) {
		next = one->next;
		if (!is_target(&target, one))
			continue;
		TRY(attributes_check_change(rq, o, one, ATTR_DELETE_CLIENT));
		TRY(attributes_echo(rq, out, one));
		attr_remove(&o->attrs, one);
		gone = true;
	}
	if (!gone)
		TRY(tell_absent(&target, o));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

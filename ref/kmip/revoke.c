#include "kmip/op.h"

static bool
is_compromise(int64_t code)
{
	return code == REVOCATION_REASON_CODE_KEY_COMPROMISE ||
	       code == REVOCATION_REASON_CODE_CA_COMPROMISE;
}

/*
 * A compromise says when it happened, and nothing else may; one of unknown date
 * may have been there from the beginning.
 *
 * spec: kmip-1.4 4.20
 */
static enum err
set_occurrence(struct request *rq, struct object *o, const struct item *in,
    bool compromise)
{
	const struct item *date = item_find(in, TAG_COMPROMISE_OCCURRENCE_DATE);

	if (compromise)
		return attr_set_number(o->arena, &o->attrs,
		    TAG_COMPROMISE_OCCURRENCE_DATE,
		    date != NULL
			? date->number
			: attr_number(&o->attrs, TAG_INITIAL_DATE, rq->now_s));
	if (date == NULL)
		return OK;
	fault_set(&rq->fault, "Compromise Occurrence Date without compromise");
	return ERR_FIELD;
}

static enum err
set_reason(struct object *o, const struct item *reason)
{
	struct attr *old = attr_find(&o->attrs, TAG_REVOCATION_REASON);
	struct item *copy;
	enum err rc = OK;

	TRY(item_copy(o->arena, reason, &copy));
	if (old != NULL)
		attr_remove(&o->attrs, old);
	TRY(attr_add_item(o->arena, &o->attrs, copy));
out:
	return rc;
}

/* spec: kmip-1.4 4.20, kmip-2.1 6.1.44 */
enum err
op_revoke(struct request *rq, const struct item *in, struct item *out)
{
	const struct item *reason = item_find(in, TAG_REVOCATION_REASON);
	bool compromise =
	    is_compromise(item_number(reason, TAG_REVOCATION_REASON_CODE, 0));
	struct object *o = NULL;
	enum err rc = OK;

	TRY(request_object_edit(rq, in, &o));
	TRY(request_change_state(
	    rq, o, compromise ? EVENT_COMPROMISE : EVENT_DEACTIVATE));
	TRY(set_occurrence(rq, o, in, compromise));
	TRY(set_reason(o, reason));
	TRY(request_answer_id(rq, out, o));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

#include "kmip/op.h"

/* spec: kmip-1.4 4.19, kmip-2.1 6.1.1 */
enum err
op_activate(struct request *rq, const struct item *in, struct item *out)
{
	struct object *o = NULL;
	uint32_t then;
	enum err rc = OK;

	TRY(request_object_edit(rq, in, &o));
	if (object_state(o) == 0) {
		fault_set(&rq->fault, "this object has no State");
		TRY(ERR_OBJECT_TYPE);
	}
	TRY(state_next(object_state(o), EVENT_ACTIVATE, &then));
	TRY(object_set_state(o, then, rq->now_s));
	TRY(request_answer_id(rq, out, o));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

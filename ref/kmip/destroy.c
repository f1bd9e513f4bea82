#include "kmip/op.h"

/*
 * The key is gone; what is known of it stays. An object without states goes
 * whole.
 *
 * spec: kmip-1.4 4.21, kmip-2.1 6.1.15
 */
enum err
op_destroy(struct request *rq, const struct item *in, struct item *out)
{
	struct object *o = NULL;
	uint32_t then;
	enum err rc = OK;

	TRY(request_object_edit(rq, in, &o));
	TRY(request_answer_id(rq, out, o));
	TRY(request_check_live(o));
	if (object_state(o) == 0) {
		TRY(store_delete(rq->config->store, o->id));
		goto out;
	}
	TRY(state_next(object_state(o), EVENT_DESTROY, &then));
	object_drop_value(o);
	TRY(object_set_state(o, then, rq->now_s));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

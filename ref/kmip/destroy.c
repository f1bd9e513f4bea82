#include "device/key.h"
#include "kmip/op.h"

/*
 * The key is gone; what is known of it stays. An object without states goes
 * whole.
 *
 * spec: kmip-1.4 4.21, kmip-2.1 6.1.15
 * req: KS-AE-060
 */
enum err
op_destroy(struct request *rq, const struct item *in, struct item *out)
{
	struct object *o = NULL;
	enum err rc = OK;

	TRY(request_object_edit(rq, in, &o));
	TRY(request_answer_id(rq, out, o));
	TRY(request_check_live(o));
	/* req: KS-03-056 KS-28-033 */
	if (o->card != NULL && !o->card->deletable)
		TRY(ERR_NOT_DELETABLE);
	TRY(key_delete_versions(rq->config->store, rq->arena, o));
	if (object_state(o) == 0) {
		TRY(store_delete(rq->config->store, o->id));
		goto out;
	}
	TRY(request_change_state(rq, o, EVENT_DESTROY));
	object_drop_value(o);
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

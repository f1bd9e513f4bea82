#include "kmip/op.h"

/* spec: kmip-1.4 4.19, kmip-2.1 6.1.1 */
enum err
op_activate(struct request *rq, const struct item *in, struct item *out)
{
	struct object *o = NULL;
	enum err rc = OK;

	TRY(request_object_edit(rq, in, &o));
	TRY(request_change_state(rq, o, EVENT_ACTIVATE));
	TRY(request_answer_id(rq, out, o));
	rc = request_put(rq, o);
	o = NULL;
out:
	object_free(o);
	return rc;
}

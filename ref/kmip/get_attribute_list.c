#include "kmip/attributes.h"
#include "kmip/op.h"

/*
 * spec: kmip-1.4 4.13, kmip-2.1 6.1.21
 * req: KS-AE-074
 */
enum err
op_get_attribute_list(
    struct request *rq, const struct item *in, struct item *out)
{
	const struct object *o;
	enum err rc = OK;

	TRY(request_object(rq, in, &o));
	TRY(request_answer_id(rq, out, o));
	ATTR_EACH (&o->attrs, one) {
		if (attributes_shown(rq, o, one))
			TRY(attr_write_ref(rq->arena, out, rq->version, one));
	}
out:
	return rc;
}

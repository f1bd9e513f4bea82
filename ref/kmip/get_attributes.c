#include "kmip/attributes.h"
#include "kmip/op.h"

static bool
wanted(const struct attr_ref *refs, const struct attr *one)
{
	const struct attr_ref *ref;

	for (ref = refs; ref != NULL; ref = ref->next) {
		if (attr_ref_matches(ref, one))
			return true;
	}
	return refs == NULL;
}

/*
 * Names of no attribute match nothing; none at all ask for everything.
 *
 * spec: kmip-1.4 4.12, kmip-2.1 6.1.20
 * req: KS-AE-069 KS-AE-070 KS-AE-071 KS-AE-072 KS-AE-073
 */
enum err
op_get_attributes(struct request *rq, const struct item *in, struct item *out)
{
	struct attr_ref *refs = NULL;
	const struct object *o;
	struct item *holder;
	enum err rc = OK;

	TRY(attr_read_refs(rq->arena, in, rq->version, &refs, &rq->fault));
	TRY(request_object(rq, in, &o));
	TRY(request_answer_id(rq, out, o));
	/* 2.x: there even when nothing is in it */
	TRY(item_add_structure(rq->arena, out, TAG_ATTRIBUTES, &holder));
	ATTR_EACH (&o->attrs, one) {
		if (attributes_shown(rq, o, one) && wanted(refs, one))
			TRY(attr_write(rq->arena, out, rq->version, one));
	}
out:
	return rc;
}

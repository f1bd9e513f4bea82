#include "device/access.h"
#include "kmip/op.h"
#include "kmip/value.h"

/*
 * What a Get hands out is fresh no more. Only the first one writes.
 *
 * spec: kmip-1.4 3.34
 */
static enum err
no_longer_fresh(struct request *rq, const struct object *o)
{
	struct object *now = NULL;
	enum err rc = OK;

	if (attr_number(&o->attrs, TAG_FRESH, 0) == 0)
		return OK;
	TRY(object_clone(o, &now));
	TRY(attr_set_number(now->arena, &now->attrs, TAG_FRESH, false));
	rc = request_put(rq, now);
	now = NULL;
out:
	object_free(now);
	return rc;
}

/*
 * spec: kmip-1.4 3.48 and 3.50: what may not leave in the clear leaves
 * wrapped or not at all
 */
static enum err
check_may_leave(const struct object *o)
{
	if (attr_number(&o->attrs, TAG_SENSITIVE, 0) != 0)
		return ERR_SENSITIVE;
	if (attr_number(&o->attrs, TAG_EXTRACTABLE, 1) == 0)
		return ERR_NOT_EXTRACTABLE;
	return OK;
}

/*
 * Does this key server hand out keys? What others may know is no key.
 *
 * req: KS-03-148
 */
static enum err
check_export(struct request *rq, const struct object *o)
{
	switch (o->object_type) {
	case OBJECT_TYPE_CERTIFICATE:
	case OBJECT_TYPE_CERTIFICATE_REQUEST:
	case OBJECT_TYPE_PUBLIC_KEY:
	case OBJECT_TYPE_TEMPLATE:
		return OK;
	default:
		break;
	}
	if (rq->door->allows_export)
		return OK;
	fault_set(&rq->fault, "this key server does not allow key export");
	return ERR_DENIED;
}

/*
 * What is neither the client's own nor everybody's is a group's, which needs
 * the permission.
 *
 * req: KS-03-053 KS-03-054 KS-03-055 KS-28-032 KS-28-096
 */
static enum err
check_group(struct request *rq, const struct object *o)
{
	char why[ACCESS_WHY_OCTETS];
	enum err rc;

	if (request_owns(rq, o))
		return OK;
	rc = access_check(
	    rq->config->appliance, &rq->user, o, USE_EXPORT, 1, why);
	if (rc != OK)
		fault_set(&rq->fault, "%s", why);
	return rc;
}

/* req: KS-AE-067 */
static enum err
check_form(struct request *rq, const struct item *in)
{
	if (item_find(in, TAG_KEY_WRAPPING_SPECIFICATION) != NULL) {
		fault_set(&rq->fault, "key wrapping is not offered");
		return ERR_FEATURE;
	}
	if (item_find(in, TAG_KEY_COMPRESSION_TYPE) != NULL)
		return ERR_KEY_COMPRESSION;
	return OK;
}

/*
 * spec: kmip-1.4 4.11, kmip-2.1 6.1.19
 * req: KS-AE-064 KS-AE-065 KS-AE-066 VLT-003 VLT-073
 */
enum err
op_get(struct request *rq, const struct item *in, struct item *out)
{
	uint32_t format = (uint32_t)item_number(in, TAG_KEY_FORMAT_TYPE, 0);
	const struct object *o;
	struct item *value;
	enum err rc = OK;

	TRY(request_object(rq, in, &o));
	TRY(request_check_live(o));
	TRY(check_form(rq, in));
	TRY(check_export(rq, o));
	TRY(check_may_leave(o));
	TRY(check_group(rq, o));
	TRY(value_open(rq, o, format, &value));
	TRY(item_add_number(
	    rq->arena, out, TAG_OBJECT_TYPE, ENUMERATION, o->object_type));
	TRY(request_answer_id(rq, out, o));
	item_append(out, value);
	TRY(no_longer_fresh(rq, o));
out:
	return rc;
}

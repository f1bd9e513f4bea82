#include "kmip/op.h"

/* spec: kmip-1.4 3.21 */
static enum err
check_usage_limits(
    struct request *rq, const struct object *o, const struct item *in)
{
	const struct item *asked = item_find(in, TAG_USAGE_LIMITS_COUNT);
	const struct attr *limits = attr_find(&o->attrs, TAG_USAGE_LIMITS);
	int64_t left;

	if (asked == NULL || limits == NULL)
		return OK;
	left = item_number(limits->value, TAG_USAGE_LIMITS_COUNT, 0);
	if (asked->number <= left)
		return OK;
	fault_set(&rq->fault, "Usage Limits Count is %lld", (long long)left);
	return ERR_USAGE_LIMIT;
}

static enum err
check_use(struct request *rq, const struct object *o, const struct item *in)
{
	int64_t asked = item_number(in, TAG_CRYPTOGRAPHIC_USAGE_MASK, 0);
	int64_t mask = attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_USAGE_MASK, 0);
	int64_t lease = attr_number(&o->attrs, TAG_LEASE_TIME, INT64_MAX);

	if ((asked & ~mask) != 0) {
		fault_set(&rq->fault, "Cryptographic Usage Mask is 0x%llx",
		    (unsigned long long)mask);
		return ERR_USAGE_MASK;
	}
	if (item_number(in, TAG_LEASE_TIME, 0) > lease) {
		fault_set(&rq->fault, "Lease Time is %lld", (long long)lease);
		return ERR_DENIED;
	}
	return check_usage_limits(rq, o, in);
}

/*
 * A refusal empties the ID Placeholder, so that what follows in the batch
 * does not use the object.
 *
 * spec: kmip-1.4 4.10, kmip-2.1 6.1.7
 */
enum err
op_check(struct request *rq, const struct item *in, struct item *out)
{
	const struct object *o;
	enum err rc = OK;

	TRY(request_object(rq, in, &o));
	TRY(request_check_live(o));
	rc = check_use(rq, o, in);
	if (rc != OK)
		rq->placeholder = BYTES_NONE;
	TRY(rc);
	TRY(request_answer_id(rq, out, o));
out:
	return rc;
}

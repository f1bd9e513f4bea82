#include "kmip/op.h"

/* spec: kmip-1.4 3.21 */
static enum err
check_usage_limits(
    struct request *rq, const struct object *o, const struct item *asked)
{
	const struct attr *limits = attr_find(&o->attrs, TAG_USAGE_LIMITS);
	int64_t left;

	if (limits == NULL)
		return OK;
	left = item_number(limits->value, TAG_USAGE_LIMITS_COUNT, 0);
	if (asked->number <= left)
		return OK;
	fault_set(&rq->fault, "Usage Limits Count is %lld", (long long)left);
	return ERR_USAGE_LIMIT;
}

static enum err
check_usage_mask(
    struct request *rq, const struct object *o, const struct item *asked)
{
	int64_t mask = attr_number(&o->attrs, TAG_CRYPTOGRAPHIC_USAGE_MASK, 0);

	if ((asked->number & ~mask) == 0)
		return OK;
	fault_set(&rq->fault, "Cryptographic Usage Mask is 0x%llx",
	    (unsigned long long)mask);
	return ERR_USAGE_MASK;
}

static enum err
check_lease_time(
    struct request *rq, const struct object *o, const struct item *asked)
{
	int64_t lease = attr_number(&o->attrs, TAG_LEASE_TIME, INT64_MAX);

	if (asked->number <= lease)
		return OK;
	fault_set(&rq->fault, "Lease Time is %lld", (long long)lease);
	return ERR_DENIED;
}

/* What may be asked, in the order of the payload. */
static const struct {
	enum tag tag;
	enum err (*check)(struct request *rq, const struct object *o,
	    const struct item *asked);
} checks[] = {
    {TAG_USAGE_LIMITS_COUNT, check_usage_limits},
    {TAG_CRYPTOGRAPHIC_USAGE_MASK, check_usage_mask},
    {TAG_LEASE_TIME, check_lease_time},
};

/* Each value that cannot be had goes back to the client. */
static enum err
check_use(struct request *rq, const struct object *o, const struct item *in,
    struct item *out)
{
	enum err refusal = OK;
	enum err rc = OK;

	for (size_t n = 0; n < sizeof checks / sizeof checks[0]; n++) {
		const struct item *asked = item_find(in, checks[n].tag);
		enum err why;

		if (asked == NULL)
			continue;
		why = checks[n].check(rq, o, asked);
		if (why == OK)
			continue;
		refusal = why;
		TRY(item_add_number(
		    rq->arena, out, checks[n].tag, asked->type, asked->number));
	}
	rc = refusal;
out:
	return rc;
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
	rc = check_use(rq, o, in, out);
	if (rc != OK)
		rq->placeholder = BYTES_NONE;
	TRY(rc);
	TRY(request_answer_id(rq, out, o));
out:
	return rc;
}

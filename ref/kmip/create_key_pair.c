#include <stddef.h>

#include "base/mem.h"
#include "crypto/keygen.h"
#include "device/birth.h"
#include "kmip/attributes.h"
#include "kmip/op.h"
#include "kmip/value.h"

/* The two keys of the pair, and the three holders of their attributes. */
struct pair_given {
	struct attr_list private_key;
	struct attr_list public_key;
};

struct pair_job {
	struct slow slow;
	struct keygen_pair pair;
};

static void
job_work(struct slow *slow)
{
	struct pair_job *job = (struct pair_job *)slow;

	slow->rc = keygen_pair_work(&job->pair);
}

static void
job_free(struct slow *slow)
{
	struct pair_job *job = (struct pair_job *)slow;

	keygen_pair_clear(&job->pair);
	mem_free(job);
}

/* What is common to both, then what each has alone. */
static enum err
read_given(struct request *rq, const struct item *in, struct pair_given *given)
{
	const struct item *common =
	    attributes_holder(in, TAG_COMMON_TEMPLATE_ATTRIBUTE);
	enum err rc = OK;

	TRY(attributes_read(rq,
	    attributes_holder(in, TAG_PRIVATE_KEY_TEMPLATE_ATTRIBUTE),
	    &given->private_key));
	TRY(attributes_read(rq, common, &given->private_key));
	TRY(attributes_read(rq,
	    attributes_holder(in, TAG_PUBLIC_KEY_TEMPLATE_ATTRIBUTE),
	    &given->public_key));
	TRY(attributes_read(rq, common, &given->public_key));
	TRY(attributes_check_new(
	    rq, OBJECT_TYPE_PRIVATE_KEY, &given->private_key));
	TRY(attributes_check_new(
	    rq, OBJECT_TYPE_PUBLIC_KEY, &given->public_key));
out:
	return rc;
}

static int64_t
recommended_curve(const struct attr_list *list)
{
	const struct attr *domain =
	    attr_find(list, TAG_CRYPTOGRAPHIC_DOMAIN_PARAMETERS);

	return domain == NULL
		   ? 0
		   : item_number(domain->value, TAG_RECOMMENDED_CURVE, 0);
}

/*
 * Both keys have one algorithm, length and curve, whichever holder says so.
 *
 * spec: kmip-1.4 4.2
 */
static enum err
check_same(struct request *rq, const struct pair_given *given, enum tag tag,
    int64_t *number)
{
	int64_t private_number = attr_number(&given->private_key, tag, 0);
	int64_t public_number = attr_number(&given->public_key, tag, 0);

	*number = private_number != 0 ? private_number : public_number;
	if (private_number == 0 || public_number == 0 ||
	    private_number == public_number)
		return OK;
	fault_set(&rq->fault, "%s differs between the two keys",
	    schema_tag_name(tag));
	return ERR_ATTR_VALUE;
}

static enum err
begin_pair(struct request *rq, const struct pair_given *given,
    struct keygen_pair *pair)
{
	int64_t curve = recommended_curve(&given->private_key);
	int64_t algorithm;
	int64_t bits;
	enum err rc = OK;

	TRY(check_same(rq, given, TAG_CRYPTOGRAPHIC_ALGORITHM, &algorithm));
	TRY(check_same(rq, given, TAG_CRYPTOGRAPHIC_LENGTH, &bits));
	if (curve == 0)
		curve = recommended_curve(&given->public_key);
	if (algorithm == 0) {
		fault_set(&rq->fault, "no Cryptographic Algorithm given");
		TRY(ERR_ATTR_VALUE);
	}
	if (bits < 0 || bits > UINT32_MAX)
		TRY(ERR_ATTR_VALUE);
	if (attr_find(&given->private_key, TAG_CRYPTOGRAPHIC_USAGE_MASK) ==
		NULL ||
	    attr_find(&given->public_key, TAG_CRYPTOGRAPHIC_USAGE_MASK) ==
		NULL) {
		fault_set(&rq->fault, "no Cryptographic Usage Mask given");
		TRY(ERR_ATTR_VALUE);
	}
	rc = keygen_pair_begin(pair, rq->config->env, (uint32_t)algorithm,
	    (uint32_t)bits, (uint32_t)curve, &rq->fault);
	TRY(rc == ERR_FIELD ? ERR_ATTR_VALUE : rc);
out:
	return rc;
}

enum err
op_create_key_pair_prepare(
    struct request *rq, const struct item *in, struct slow **out)
{
	struct pair_given given = {0};
	struct pair_job *job = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(read_given(rq, in, &given));
	TRY(MEM_NEW(job));
	TRY(begin_pair(rq, &given, &job->pair));
	job->slow.rc = ERR_CLOSED;
	job->slow.work = job_work;
	job->slow.free = job_free;
	*out = &job->slow;
	job = NULL;
out:
	if (job != NULL)
		job_free(&job->slow);
	return rc;
}

static enum err
set_missing(struct object *o, enum tag tag, int64_t number)
{
	if (attr_find(&o->attrs, tag) != NULL)
		return OK;
	return attr_add_number(o->arena, &o->attrs, tag, number);
}

static enum err
make_key(struct request *rq, uint32_t type, const struct attr_list *given,
    const struct keygen_pair *pair, struct object **out)
{
	bool is_private = type == OBJECT_TYPE_PRIVATE_KEY;
	struct object *o = NULL;
	enum err rc = OK;

	TRY(attributes_check_names(rq, BYTES_NONE, given));
	TRY(object_new(rq->config->env, type, rq->identity, &o));
	TRY(attributes_give(o, given));
	TRY(set_missing(o, TAG_CRYPTOGRAPHIC_ALGORITHM, pair->algorithm));
	TRY(set_missing(o, TAG_CRYPTOGRAPHIC_LENGTH, pair->key_bits));
	TRY(value_make(rq, o,
	    is_private ? pair->private_format : pair->public_format,
	    is_private ? pair->private_key : pair->public_key));
	TRY(attributes_complete(rq, o, true));
	*out = o;
	o = NULL;
out:
	object_free(o);
	return rc;
}

static enum err
answer(struct request *rq, struct item *out, const struct object *private_key,
    const struct object *public_key)
{
	enum err rc = OK;

	TRY(request_made(
	    rq, public_key->id, UNIQUE_IDENTIFIER_CREATE_KEY_PAIR_PUBLIC_KEY));
	TRY(item_add_octets(rq->arena, out, TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER,
	    TEXT_STRING, rq->placeholder));
	/* the ID Placeholder is the private key's, so that one comes last */
	TRY(request_made(rq, private_key->id,
	    UNIQUE_IDENTIFIER_CREATE_KEY_PAIR_PRIVATE_KEY));
	TRY(item_add_octets(rq->arena, out, TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER,
	    TEXT_STRING, rq->placeholder));
out:
	return rc;
}

/* spec: kmip-1.4 4.2, kmip-2.1 6.1.9 */
enum err
op_create_key_pair(struct request *rq, const struct item *in, struct item *out)
{
	struct pair_job *job = (struct pair_job *)rq->slow;
	struct object *private_key = NULL;
	struct object *public_key = NULL;
	struct pair_given given = {0};
	enum err rc = OK;

	TRY(request_check_storage(rq, in, TAG_COMMON_PROTECTION_STORAGE_MASKS));
	TRY(request_check_storage(
	    rq, in, TAG_PRIVATE_PROTECTION_STORAGE_MASKS));
	TRY(request_check_storage(rq, in, TAG_PUBLIC_PROTECTION_STORAGE_MASKS));
	TRY(read_given(rq, in, &given));
	if (job == NULL) {
		/* prepare met an error: meet it again, to tell it */
		struct keygen_pair none = {0};

		rc = begin_pair(rq, &given, &none);
		keygen_pair_clear(&none);
		TRY(rc != OK ? rc : ERR_NOMEM);
	}
	TRY(job->slow.rc);
	TRY(make_key(rq, OBJECT_TYPE_PRIVATE_KEY, &given.private_key,
	    &job->pair, &private_key));
	TRY(make_key(rq, OBJECT_TYPE_PUBLIC_KEY, &given.public_key, &job->pair,
	    &public_key));
	TRY(birth_add_link(
	    private_key, LINK_TYPE_PUBLIC_KEY_LINK, public_key->id));
	TRY(birth_add_link(
	    public_key, LINK_TYPE_PRIVATE_KEY_LINK, private_key->id));
	TRY(answer(rq, out, private_key, public_key));
	rc = request_insert(rq, private_key);
	private_key = NULL;
	TRY(rc);
	/* the name of the one may be the name of the other */
	TRY(attributes_check_names(rq, BYTES_NONE, &public_key->attrs));
	rc = request_insert(rq, public_key);
	public_key = NULL;
out:
	object_free(private_key);
	object_free(public_key);
	return rc;
}

#include "kmip/attributes.h"
#include "kmip/op.h"

/* What is compared object by object: the indexes only find candidates. */
struct asked {
	struct attr_list list;
	bool fresh_only;
};

static bool
is_date(const struct attr *one)
{
	return one->value->type == DATE_TIME ||
	       one->value->type == DATE_TIME_EXTENDED;
}

/*
 * Two values of one date are a range, its limits included; the largest value
 * stands for "no value".
 *
 * spec: kmip-1.4 4.9
 * req: KS-AE-082
 */
static bool
date_matches(const struct attr_list *list, const struct attr *asked,
    const struct object *o)
{
	const struct attr *have = attr_find(&o->attrs, asked->def->tag);
	int64_t from = asked->value->number;
	int64_t to = from;

	ATTR_EACH (list, other) {
		if (!attr_same_kind(other, asked))
			continue;
		if (other->value->number < from)
			from = other->value->number;
		if (other->value->number > to)
			to = other->value->number;
	}
	if (have == NULL)
		return to == INT64_MAX;
	return have->value->number >= from && have->value->number <= to;
}

static bool
filter(void *ctx, const struct object *o)
{
	const struct asked *asked = ctx;

	if (asked->fresh_only && attr_number(&o->attrs, TAG_FRESH, 0) == 0)
		return false;
	ATTR_EACH (&asked->list, want) {
		bool found = false;

		if (is_date(want) && want->def->tag != TAG_ATTRIBUTE) {
			if (!date_matches(&asked->list, want, o))
				return false;
			continue;
		}
		ATTR_EACH (&o->attrs, have)
			found = found || attr_matches(want, have);
		if (!found)
			return false;
	}
	return true;
}

/* What the store's indexes can find. */
static enum err
choose_terms(
    struct request *rq, const struct attr_list *list, struct store_query *query)
{
	struct bytes *terms;
	enum err rc = OK;

	TRY(ARENA_ARRAY(rq->arena, terms, list->count));
	query->terms = terms;
	ATTR_EACH (list, one) {
		struct bytes *term = &terms[query->term_count];

		switch ((unsigned)one->def->tag) {
		case TAG_UNIQUE_IDENTIFIER:
			query->id = one->value->octets;
			break;
		case TAG_OBJECT_TYPE:
			query->object_type = (uint32_t)one->value->number;
			break;
		case TAG_STATE:
			query->states = STORE_STATE(one->value->number & 31);
			break;
		default:
			TRY(object_term(rq->arena, one, term));
			query->term_count += term->octets != 0;
		}
	}
out:
	return rc;
}

enum {
	GONE = STORE_STATE(STATE_DESTROYED) |
	       STORE_STATE(STATE_DESTROYED_COMPROMISED),
};

/*
 * Destroyed objects are only found by who asks for them: by the mask, where
 * the version has that bit, or by State.
 *
 * spec: kmip-1.4 9.1.3.3.2, kmip-2.1 12.3
 * req: KS-AE-080
 */
static void
choose_states(const struct item *in, struct store_query *query)
{
	int64_t mask = item_number(
	    in, TAG_STORAGE_STATUS_MASK, STORAGE_STATUS_MASK_ON_LINE_STORAGE);
	unsigned allowed = 0;

	if ((mask & STORAGE_STATUS_MASK_ON_LINE_STORAGE) != 0)
		allowed |= STORE_STATES_ALL & ~(unsigned)GONE;
	if ((mask & STORAGE_STATUS_MASK_DESTROYED_STORAGE) != 0 ||
	    (query->states & GONE) != 0)
		allowed |= GONE;
	query->states =
	    query->states == 0 ? allowed : (query->states & allowed);
}

static enum err
answer(struct request *rq, const struct store_found *found, bool count,
    struct item *out)
{
	enum err rc = OK;
	size_t n;

	rq->placeholder = BYTES_NONE;
	if (count)
		TRY(item_add_number(rq->arena, out, TAG_LOCATED_ITEMS, INTEGER,
		    (int64_t)found->located));
	for (n = 0; n < found->id_count; n++)
		TRY(item_add_octets(rq->arena, out, TAG_UNIQUE_IDENTIFIER,
		    TEXT_STRING, found->ids[n]));
	/* spec: kmip-1.4 4.9: only a single find fills the Placeholder */
	if (found->id_count == 1)
		TRY(request_made(rq, found->ids[0], UNIQUE_IDENTIFIER_LOCATE));
out:
	return rc;
}

/*
 * spec: kmip-1.4 4.9, kmip-2.1 6.1.28
 * req: KS-AE-076 KS-AE-081 VLT-062
 */
enum err
op_locate(struct request *rq, const struct item *in, struct item *out)
{
	int64_t max = item_number(in, TAG_MAXIMUM_ITEMS, -1);
	int64_t offset = item_number(in, TAG_OFFSET_ITEMS, 0);
	struct asked asked = {0};
	struct store_query query = {.scopes = rq->scopes,
	    .scope_count = rq->scope_count,
	    .filter = filter,
	    .ctx = &asked};
	struct store_found found = {0};
	enum err rc = OK;

	if (offset < 0 || (max < 0 && item_find(in, TAG_MAXIMUM_ITEMS))) {
		fault_set(
		    &rq->fault, "Maximum Items or Offset Items is negative");
		TRY(ERR_FIELD);
	}
	TRY(attr_read_list(rq->arena, attributes_in(in), rq->version,
	    &asked.list, &rq->fault));
	TRY(request_identifiers(rq, &asked.list));
	TRY(choose_terms(rq, &asked.list, &query));
	choose_states(in, &query);
	if (item_number(in, TAG_OBJECT_GROUP_MEMBER, 0) ==
	    OBJECT_GROUP_MEMBER_GROUP_MEMBER_FRESH)
		asked.fresh_only = true;
	query.offset_items = (size_t)offset;
	query.max_items =
	    max < 0 || max > KMIP_LOCATE_MAX ? KMIP_LOCATE_MAX : (size_t)max;
	/* none asked for: the store would take 0 for no maximum */
	if (max == 0)
		query.max_items = 1;
	query.count_all = item_find(in, TAG_OFFSET_ITEMS) != NULL;
	if (query.states != 0)
		TRY(store_locate(rq->config->store, rq->arena, &query, &found));
	if (max == 0)
		found.id_count = 0;
	TRY(answer(rq, &found, query.count_all, out));
out:
	return rc;
}

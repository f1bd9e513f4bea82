#include "kmip/request.h"

/* The nth of the batch; below zero, from the latest backwards. */
static struct bytes
made_nth(const struct request *rq, int64_t n)
{
	const struct made *made;
	int64_t count = 0;

	for (made = rq->made; made != NULL; made = made->next)
		count++;
	if (n >= 0)
		n -= count;
	/* the latest is -1 */
	for (made = rq->made; made != NULL && n != -1; made = made->next)
		n++;
	return made != NULL ? made->id : BYTES_NONE;
}

static struct bytes
made_by(const struct request *rq, int64_t by)
{
	const struct made *made;

	if (by == UNIQUE_IDENTIFIER_ID_PLACEHOLDER)
		return rq->placeholder;
	for (made = rq->made; made != NULL; made = made->next) {
		if (made->by == by)
			return made->id;
	}
	return BYTES_NONE;
}

/* spec: kmip-2.1 4.58 */
static struct bytes
identifier(const struct request *rq, const struct item *item)
{
	if (item->type == TEXT_STRING)
		return item->octets;
	if (item->type == ENUMERATION)
		return made_by(rq, item->number);
	return made_nth(rq, item->number);
}

/* spec: kmip-1.4 4 */
enum err
request_id(struct request *rq, const struct item *in, struct bytes *id)
{
	const struct item *item = item_find(in, TAG_UNIQUE_IDENTIFIER);

	*id = item == NULL ? rq->placeholder : identifier(rq, item);
	if (id->octets == 0) {
		fault_set(&rq->fault, "no Unique Identifier, and the batch "
				      "has come by none");
		return ERR_NOT_FOUND;
	}
	return OK;
}

/* spec: kmip-2.1 4.31 4.58 */
enum err
request_identifiers(struct request *rq, struct attr_list *list)
{
	enum err rc = OK;

	ATTR_EACH (list, one) {
		const struct item *from = one->value;
		struct item *text;

		if (one->def->tag == TAG_LINK)
			from =
			    item_find(one->value, TAG_LINKED_OBJECT_IDENTIFIER);
		else if (one->def->tag != TAG_UNIQUE_IDENTIFIER)
			continue;
		if (from == NULL || from->type == TEXT_STRING)
			continue;
		/* the request stays as it came */
		TRY(item_copy(rq->arena, one->value, &one->value));
		text = from->tag == one->value->tag
			   ? one->value
			   : item_find(one->value, from->tag);
		text->octets = identifier(rq, from);
		text->type = TEXT_STRING;
		if (text->octets.octets == 0) {
			fault_set(&rq->fault,
			    "%s: the batch has not come by such an object",
			    one->def->name);
			return ERR_NOT_FOUND;
		}
	}
out:
	return rc;
}

/* req: VLT-006 VLT-014 */
enum err
request_object_of(
    struct request *rq, struct bytes id, const struct object **out)
{
	const struct object *o;
	bool seen = false;
	size_t k;
	enum err rc = OK;

	*out = NULL;
	TRY(store_find(rq->config->store, id, &o));
	for (k = 0; k < rq->scope_count && !seen; k++)
		seen = object_has_scope(o, rq->scopes[k]);
	/* a stranger learns no more than that it is not his */
	if (!seen)
		TRY(ERR_NOT_FOUND);
	*out = o;
out:
	return rc;
}

enum err
request_object(
    struct request *rq, const struct item *in, const struct object **out)
{
	struct bytes id;
	enum err rc = OK;

	*out = NULL;
	TRY(request_id(rq, in, &id));
	TRY(request_object_of(rq, id, out));
out:
	return rc;
}

/* req: KS-28-072 */
bool
request_owns(const struct request *rq, const struct object *o)
{
	return o->owner.octets == 0 || bytes_equal(o->owner, rq->identity);
}

enum err
request_object_edit(
    struct request *rq, const struct item *in, struct object **out)
{
	const struct object *o;
	enum err rc = OK;

	*out = NULL;
	TRY(request_object(rq, in, &o));
	if (!request_owns(rq, o)) {
		fault_set(&rq->fault, "it is another user's");
		TRY(ERR_DENIED);
	}
	TRY(object_clone(o, out));
out:
	return rc;
}

enum err
request_put(struct request *rq, struct object *take)
{
	enum err rc;

	rc = attr_set_number(
	    take->arena, &take->attrs, TAG_LAST_CHANGE_DATE, rq->now_s);
	if (rc != OK) {
		object_free(take);
		return rc;
	}
	return store_update(rq->config->store, take);
}

enum err
request_insert(struct request *rq, struct object *take)
{
	return store_insert(rq->config->store, take);
}

enum err
request_answer_id(struct request *rq, struct item *out, const struct object *o)
{
	struct bytes id;
	enum err rc = OK;

	/* the answer outlives a clone */
	TRY(arena_copy(rq->arena, o->id, &id));
	TRY(item_add_octets(
	    rq->arena, out, TAG_UNIQUE_IDENTIFIER, TEXT_STRING, id));
out:
	return rc;
}

enum err
request_check_live(const struct object *o)
{
	uint32_t state = object_state(o);

	return state == STATE_DESTROYED || state == STATE_DESTROYED_COMPROMISED
		   ? ERR_DESTROYED
		   : OK;
}

enum err
request_change_state(struct request *rq, struct object *o, enum event event)
{
	uint32_t then;
	enum err rc = OK;

	if (object_state(o) == 0) {
		fault_set(&rq->fault, "this object has no State");
		TRY(ERR_OBJECT_TYPE);
	}
	TRY(state_next(object_state(o), event, &then));
	TRY(object_set_state(o, then, rq->now_s));
out:
	return rc;
}

/* spec: kmip-2.1 4.44, 6.1.9 and 7.33 */
enum err
request_check_storage(struct request *rq, const struct item *in, enum tag masks)
{
	const struct item *field = item_find(in, masks);

	if (field == NULL)
		return OK;
	ITEM_EACH (field, mask) {
		if ((mask->number &
			~(int64_t)PROTECTION_STORAGE_MASK_SOFTWARE) == 0)
			return OK;
	}
	fault_set(&rq->fault, "keys are protected by software");
	switch ((unsigned)masks) {
	case TAG_PUBLIC_PROTECTION_STORAGE_MASKS:
		return ERR_STORAGE_PUBLIC;
	case TAG_PRIVATE_PROTECTION_STORAGE_MASKS:
	case TAG_COMMON_PROTECTION_STORAGE_MASKS:
		return ERR_STORAGE_PRIVATE;
	default:
		return ERR_STORAGE_MASK;
	}
}

enum err
request_made(struct request *rq, struct bytes id, uint32_t by)
{
	struct made *made;
	enum err rc = OK;

	TRY(ARENA_NEW(rq->arena, made));
	TRY(arena_copy(rq->arena, id, &made->id));
	made->by = by;
	made->next = rq->made;
	rq->made = made;
	rq->placeholder = made->id;
out:
	return rc;
}

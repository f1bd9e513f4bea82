#include "kmip/attributes.h"

#include <assert.h>

#include "device/birth.h"
#include "kmip/value.h"
#include "wire/ttlv.h"

/*
 * Templates (1.x). A Template's value holds the attributes that it lends; its
 * own attributes (Name, dates) are not lent.
 *
 * req: KS-AE-012 KS-28-207
 */

static enum err
template_find(
    struct request *rq, const struct item *name, const struct object **out)
{
	struct attr asked = {.def = attr_def_of_tag(TAG_NAME, rq->version)};
	struct store_query query = {.scopes = rq->scopes,
	    .scope_count = rq->scope_count,
	    .object_type = OBJECT_TYPE_TEMPLATE,
	    .term_count = 1,
	    .max_items = 1};
	struct store_found found;
	struct item *value;
	struct bytes term;
	enum err rc = OK;

	*out = NULL;
	TRY(item_copy(rq->arena, name, &value));
	asked.value = value;
	TRY(object_term(rq->arena, &asked, &term));
	query.terms = &term;
	TRY(store_locate(rq->config->store, rq->arena, &query, &found));
	if (found.id_count == 0) {
		fault_set(&rq->fault, "no such Template");
		TRY(ERR_NOT_FOUND);
	}
	TRY(request_object_of(rq, found.ids[0], out));
out:
	return rc;
}

/*
 * Add what `list` does not have yet: any value of a single-valued attribute
 * that is not there, and further values of one that may have several.
 *
 * spec: kmip-1.4 4
 */
static enum err
merge(struct request *rq, struct attr_list *list, const struct attr_list *more)
{
	const struct attr *last = list->last;
	enum err rc = OK;

	ATTR_EACH (more, one) {
		bool several =
		    (attr_rules(one->def, rq->version) & ATTR_MULTIPLE) != 0;
		bool given = false;

		/* twice in `more` itself is an error, which attr_add tells */
		for (const struct attr *other = last != NULL ? list->first
							     : NULL;
		     other != NULL && !given;
		     other = other != last ? other->next : NULL)
			given =
			    attr_same_kind(one, other) &&
			    (!several || item_equal(one->value, other->value));
		if (!given)
			TRY(attr_add(rq->arena, list, one));
	}
out:
	return rc;
}

static enum err
template_lend(
    struct request *rq, const struct item *name, struct attr_list *list)
{
	const struct object *template;
	struct attr_list held = {0};
	struct attr_list lent = {0};
	struct item *value;
	enum err rc = OK;

	TRY(template_find(rq, name, &template));
	TRY(value_open(rq, template, 0, &value));
	TRY(attr_read_list(rq->arena, value, V1_4, &held, &rq->fault));
	ATTR_EACH (&held, one) {
		/* a Name is the Template's own */
		if (one->def->tag != TAG_NAME)
			TRY(attr_add(rq->arena, &lent, one));
	}
	TRY(merge(rq, list, &lent));
out:
	return rc;
}

/* Of several Templates the last takes precedence. */
static enum err
templates_lend(
    struct request *rq, const struct item *holder, struct attr_list *list)
{
	const struct item **names;
	size_t count = 0;
	enum err rc = OK;

	ITEM_EACH (holder, item)
		count += item->tag == TAG_NAME;
	TRY(ARENA_ARRAY(rq->arena, names, count));
	count = 0;
	ITEM_EACH (holder, item) {
		if (item->tag == TAG_NAME)
			names[count++] = item;
	}
	while (count-- > 0)
		TRY(template_lend(rq, names[count], list));
out:
	return rc;
}

/* The same holder by its names in 1.x and 2.x. */
static const struct {
	enum tag template;
	enum tag attributes;
} holders[] = {
    {TAG_TEMPLATE_ATTRIBUTE, TAG_ATTRIBUTES},
    {TAG_COMMON_TEMPLATE_ATTRIBUTE, TAG_COMMON_ATTRIBUTES},
    {TAG_PRIVATE_KEY_TEMPLATE_ATTRIBUTE, TAG_PRIVATE_KEY_ATTRIBUTES},
    {TAG_PUBLIC_KEY_TEMPLATE_ATTRIBUTE, TAG_PUBLIC_KEY_ATTRIBUTES},
};

enum { HOLDER_COUNT = sizeof(holders) / sizeof(holders[0]) };

const struct item *
attributes_holder(const struct item *in, enum tag template)
{
	const struct item *holder;
	size_t k;

	for (k = 0; k < HOLDER_COUNT && holders[k].template != template; k++)
		;
	assert(k < HOLDER_COUNT);
	holder = item_find(in, template);
	return holder != NULL ? holder : item_find(in, holders[k].attributes);
}

const struct item *
attributes_in(const struct item *in)
{
	const struct item *holder = item_find(in, TAG_ATTRIBUTES);

	if (holder == NULL)
		holder = item_find(in, TAG_NEW_ATTRIBUTE);
	return holder != NULL ? holder : in;
}

const struct item *
attributes_current(const struct item *in)
{
	return item_find(in, TAG_CURRENT_ATTRIBUTE);
}

static bool
may_name_templates(const struct item *holder)
{
	size_t k;

	for (k = 0; k < HOLDER_COUNT; k++) {
		if (holders[k].template == holder->tag)
			return true;
	}
	return false;
}

enum err
attributes_read(
    struct request *rq, const struct item *holder, struct attr_list *list)
{
	struct attr_list given = {0};
	enum err rc = OK;

	TRY(attr_read_list(rq->arena, holder, rq->version, &given, &rq->fault));
	TRY(request_identifiers(rq, &given));
	TRY(merge(rq, list, &given));
	if (holder != NULL && may_name_templates(holder))
		TRY(templates_lend(rq, holder, list));
out:
	return rc;
}

static enum err
check_one_new(struct request *rq, uint32_t object_type,
    const struct attr_list *list, const struct attr *one)
{
	enum err rc = OK;

	TRY(attr_check_client(one, ATTR_GIVEN, rq->version, 0, rq->now_s));
	if (!attr_is_whole(one))
		TRY(ERR_APP_NAMESPACE);
	if (!attr_applies(one->def, object_type, rq->version))
		TRY(ERR_ATTR_APPLIES);
	if ((attr_rules(one->def, rq->version) & ATTR_MULTIPLE) != 0)
		return OK;
	ATTR_EACH (list, other) {
		if (other == one)
			break;
		if (attr_same_kind(other, one))
			TRY(ERR_ATTR_SINGLE);
	}
out:
	if (rc != OK)
		fault_set(&rq->fault, "%s", one->def->name);
	return rc;
}

enum err
attributes_check_new(
    struct request *rq, uint32_t object_type, const struct attr_list *list)
{
	enum err rc = OK;

	ATTR_EACH (list, one)
		TRY(check_one_new(rq, object_type, list, one));
out:
	return rc;
}

/* spec: kmip-1.4 3.2, kmip-2.1 4.32 */
enum err
attributes_check_names(
    struct request *rq, struct bytes except, const struct attr_list *list)
{
	/* users share the names of keys, which NAE-XML knows by them */
	bool shared = rq->door->profile == KEY_KEYSECURE;
	struct bytes whose = shared ? BYTES_NONE : rq->identity;
	struct bytes term;
	bool taken = false;
	enum err rc = OK;

	ATTR_EACH (list, one) {
		if (one->def->tag != TAG_NAME)
			continue;
		TRY(object_term(rq->arena, one, &term));
		TRY(store_name_taken(
		    rq->config->store, whose, term, except, &taken));
		ATTR_EACH (list, other) {
			if (other == one)
				break;
			taken =
			    taken || (other->def->tag == TAG_NAME &&
					 item_equal(other->value, one->value));
		}
		if (taken)
			TRY(ERR_NAME_TAKEN);
	}
out:
	return rc;
}

enum err
attributes_give(struct object *o, const struct attr_list *list)
{
	enum err rc = OK;

	ATTR_EACH (list, one)
		TRY(attr_add(o->arena, &o->attrs, one));
out:
	return rc;
}

enum err
attributes_learn(
    struct request *rq, struct object *o, enum tag tag, int64_t number)
{
	const struct attr *one = attr_find(&o->attrs, tag);

	if (one == NULL)
		return attr_add_number(o->arena, &o->attrs, tag, number);
	if (one->value->number == number)
		return OK;
	fault_set(&rq->fault, "%s is %lld, the value has %lld", one->def->name,
	    (long long)one->value->number, (long long)number);
	return ERR_FIELD;
}

/*
 * Usage Limits Count starts at the Total, whatever a client has put there.
 *
 * spec: kmip-1.4 3.21
 */
static enum err
start_usage_limits(struct object *o)
{
	struct attr *one = attr_find(&o->attrs, TAG_USAGE_LIMITS);
	struct item *limits;
	int64_t total;
	enum err rc = OK;

	if (one == NULL)
		return OK;
	total = item_number(one->value, TAG_USAGE_LIMITS_TOTAL, 0);
	TRY(item_add_structure(o->arena, NULL, TAG_USAGE_LIMITS, &limits));
	TRY(item_add_number(
	    o->arena, limits, TAG_USAGE_LIMITS_TOTAL, LONG_INTEGER, total));
	TRY(item_add_number(
	    o->arena, limits, TAG_USAGE_LIMITS_COUNT, LONG_INTEGER, total));
	TRY(item_add_number(o->arena, limits, TAG_USAGE_LIMITS_UNIT,
	    ENUMERATION, item_number(one->value, TAG_USAGE_LIMITS_UNIT, 0)));
	one->value = limits;
out:
	return rc;
}

enum err
attributes_complete(struct request *rq, struct object *o, bool generated)
{
	enum err rc = OK;

	if (o->object_type == OBJECT_TYPE_TEMPLATE)
		return OK;
	TRY(start_usage_limits(o));
	TRY(birth_complete(o, rq->config->lease_s, rq->now_s, generated));
	TRY(attributes_settle(rq, o));
out:
	return rc;
}

/* spec: kmip-1.4 3.21 */
enum err
attributes_check_count(struct request *rq, const struct attr *given)
{
	if (given->def->tag != TAG_USAGE_LIMITS ||
	    item_find(given->value, TAG_USAGE_LIMITS_COUNT) == NULL)
		return OK;
	fault_set(&rq->fault, "Usage Limits Count");
	return ERR_ATTR_READ_ONLY;
}

enum err
attributes_settle(struct request *rq, struct object *o)
{
	const struct attr *limits = attr_find(&o->attrs, TAG_USAGE_LIMITS);
	bool changed;
	enum err rc = OK;

	if (limits != NULL &&
	    item_find(limits->value, TAG_USAGE_LIMITS_COUNT) == NULL)
		TRY(start_usage_limits(o));
	TRY(object_check_dates(o, &rq->fault));
	TRY(object_tick(o, rq->now_s, &changed));
out:
	return rc;
}

enum err
attributes_read_one(
    struct request *rq, const struct item *holder, struct attr_list *list)
{
	enum err rc = OK;

	TRY(attr_read_list(rq->arena, holder, rq->version, list, &rq->fault));
	TRY(request_identifiers(rq, list));
	if (list->first == NULL || list->first->next != NULL) {
		fault_set(&rq->fault, "exactly one attribute is expected");
		TRY(ERR_FIELD);
	}
out:
	return rc;
}

enum err
attributes_check_change(struct request *rq, const struct object *o,
    const struct attr *one, enum attr_rule rule)
{
	enum err rc = OK;

	fault_set(&rq->fault, "%s", one->def->name);
	TRY(attr_check_client(
	    one, rule, rq->version, object_state(o), rq->now_s));
	if (!attr_applies(one->def, o->object_type, rq->version))
		TRY(ERR_ATTR_APPLIES);
	rq->fault.text[0] = '\0';
out:
	return rc;
}

enum err
attributes_echo(struct request *rq, struct item *out, const struct attr *one)
{
	if (rq->version >= V2_0)
		return OK;
	return attr_write(rq->arena, out, rq->version, one);
}

bool
attributes_shown(
    const struct request *rq, const struct object *o, const struct attr *one)
{
	return attr_applies(one->def, o->object_type, rq->version);
}

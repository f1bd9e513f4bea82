#include "compare.h"

#include "check.h"
#include "form.h"
#include "schema.h"
#include "show.h"
#include "touchstone_tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How hard a comparison looks. */
enum look {
	LOOK_BIND,  /* report, and bind placeholders */
	LOOK_TRY,   /* would it match? */
	LOOK_KNOWN, /* would it match with nothing left to bind? */
};

struct view {
	struct comparison *c;
	enum look look;
	uint32_t operation;         /* of the Batch Item; 0: outside */
	const struct node *request; /* its payload, or NULL */
	struct finding *f;
};

static enum err
compare(struct view v, const struct node *e, const struct node *g);

/* --- what a person reads ------------------------------------------------- */

static void
describe(char *out, size_t octets, const struct node *n)
{
	struct buf text = {0};

	if (n->type == TYPE_STRUCTURE) {
		const struct node *name = node_find(n, TAG_ATTRIBUTE_NAME);

		buf_text(&text, "Structure");
		if (n->tag == TAG_ATTRIBUTE && name != NULL)
			buf_printf(&text, " (%.*s)", (int)name->length,
			    (const char *)name->value);
	} else {
		buf_printf(&text, "%s ", type_name(n->type));
		show_value(n, 0, &text);
	}
	snprintf(out, octets, "%s", buf_peek_text(&text));
	buf_clear(&text);
}

static enum err
differ(struct view v, enum err kind, const struct node *e, const struct node *g)
{
	struct finding *f = v.f;

	if (v.look != LOOK_BIND)
		return kind;
	if (e == NULL)
		finding_expected(f, "(absent)");
	else
		describe(f->expected, sizeof f->expected, e);
	if (g == NULL)
		finding_got(f, "(absent)");
	else if (e != NULL && e->placeholder != NULL)
		finding_got(f, "%s",
		    e->placeholder[1] == 'N' ? "another date"
					     : "another value");
	else
		describe(f->got, sizeof f->got, g);
	return finding_at(f, kind, g == NULL ? e : g);
}

/* A rule allows it, or would if it were on. */
static bool
allows(struct view v, enum rule r)
{
	if (rule_is_on(v.c->rules, r))
		return true;
	if (v.look == LOOK_BIND && v.f->rule == NULL)
		v.f->rule = rule_name(r);
	return false;
}

/* --- where an item stands ------------------------------------------------ */

static bool
is_below(const struct node *n, uint32_t tag)
{
	for (n = n->parent; n != NULL; n = n->parent)
		if (n->tag == tag || check_meaning_of(n) == tag)
			return true;
	return false;
}

static bool
is_in_payload(const struct node *n)
{
	return n->parent != NULL && n->parent->tag == TAG_RESPONSE_PAYLOAD;
}

/* In a payload, at any depth. */
static bool
is_in_answer(const struct node *n)
{
	return is_below(n, TAG_RESPONSE_PAYLOAD);
}

/* The object that the payload speaks of was made by the server. */
static bool
is_server_made(struct view v, const struct node *g)
{
	static const uint32_t identifiers[] = {TAG_UNIQUE_IDENTIFIER,
	    TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER,
	    TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER};

	while (g != NULL && g->tag != TAG_RESPONSE_PAYLOAD)
		g = g->parent;
	for (size_t i = 0; i < 3; i++) {
		const struct node *id = node_find(g, identifiers[i]);

		if (id != NULL &&
		    story_is_server_made(v.c->story, node_value(id)))
			return true;
	}
	return false;
}

/*
 * Does the operation give other octets each time it is asked?
 *
 * spec: RFC 8017 8.1, 7.1, 7.2; FIPS 186-4 4.6, 6.4
 */
static bool
is_randomised(struct view v)
{
	const struct node *p =
	    node_find(v.request, TAG_CRYPTOGRAPHIC_PARAMETERS);
	const struct node *n;
	int64_t padding, algorithm;

	if (v.operation == OPERATION_RNG_RETRIEVE)
		return true;
	n = node_find(p, TAG_RANDOM_IV);
	if (n != NULL && node_number(n) != 0)
		return true;
	n = node_find(p, TAG_PADDING_METHOD);
	padding = n == NULL ? 0 : node_number(n);
	if (padding == 0x0a) /* PSS */
		return true;
	if (v.operation == OPERATION_ENCRYPT &&
	    (padding == 0x02 || padding == 0x08)) /* OAEP, PKCS1 v1.5 */
		return true;
	n = node_find(p, TAG_DIGITAL_SIGNATURE_ALGORITHM);
	algorithm = n == NULL ? 0 : node_number(n);
	/* PSS, DSA and ECDSA */
	return v.operation == OPERATION_SIGN && algorithm >= 0x08;
}

static bool
is_date(uint32_t meaning)
{
	static const uint32_t dates[] = {TAG_ACTIVATION_DATE, TAG_ARCHIVE_DATE,
	    TAG_COMPROMISEDATE, TAG_COMPROMISE_OCCURRENCE_DATE,
	    TAG_DEACTIVATION_DATE, TAG_DESTROY_DATE, TAG_INITIAL_DATE,
	    TAG_LAST_CHANGE_DATE, TAG_PROTECT_STOP_DATE, TAG_PROCESS_START_DATE,
	    TAG_VALIDITY_DATE, TAG_ORIGINAL_CREATION_DATE};

	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
		if (dates[i] == meaning)
			return true;
	return false;
}

/* Query answers: which function asks for an item, which rule lets it vary. */
static const struct {
	uint32_t tag, function;
	enum rule rule;
} query_items[] = {
    {TAG_OPERATION, QUERY_FUNCTION_QUERY_OPERATIONS, RULE_QUERY_EXTRA},
    {TAG_OBJECT_TYPE, QUERY_FUNCTION_QUERY_OBJECTS, RULE_QUERY_EXTRA},
    {TAG_APPLICATION_NAMESPACE, QUERY_FUNCTION_QUERY_APPLICATION_NAMESPACES,
	RULE_QUERY_EXTRA},
    {TAG_EXTENSION_INFORMATION, QUERY_FUNCTION_QUERY_EXTENSION_LIST,
	RULE_QUERY_EXTRA},
    {TAG_EXTENSION_INFORMATION, QUERY_FUNCTION_QUERY_EXTENSION_MAP,
	RULE_QUERY_EXTRA},
    {TAG_VENDOR_IDENTIFICATION, QUERY_FUNCTION_QUERY_SERVER_INFORMATION,
	RULE_VENDOR},
    {TAG_SERVER_INFORMATION, QUERY_FUNCTION_QUERY_SERVER_INFORMATION,
	RULE_VENDOR},
    {TAG_ATTESTATION_TYPE, QUERY_FUNCTION_QUERY_ATTESTATION_TYPES,
	RULE_QUERY_SHAPE},
    {TAG_RNG_PARAMETERS, QUERY_FUNCTION_QUERY_RNGS, RULE_QUERY_SHAPE},
    {TAG_PROFILE_INFORMATION, QUERY_FUNCTION_QUERY_PROFILES, RULE_QUERY_SHAPE},
    {TAG_VALIDATION_INFORMATION, QUERY_FUNCTION_QUERY_VALIDATIONS,
	RULE_QUERY_SHAPE},
    {TAG_CAPABILITY_INFORMATION, QUERY_FUNCTION_QUERY_CAPABILITIES,
	RULE_QUERY_SHAPE},
    {TAG_CLIENT_REGISTRATION_METHOD,
	QUERY_FUNCTION_QUERY_CLIENT_REGISTRATION_METHODS, RULE_QUERY_SHAPE},
    {TAG_DEFAULTS_INFORMATION, QUERY_FUNCTION_QUERY_DEFAULTS_INFORMATION,
	RULE_QUERY_SHAPE},
    {TAG_PROTECTION_STORAGE_MASKS,
	QUERY_FUNCTION_QUERY_STORAGE_PROTECTION_MASKS, RULE_QUERY_SHAPE},
};

/* The request asked for the function that gives this item, or what it is in. */
static bool
query_allows(struct view v, const struct node *n, bool is_extra)
{
	while (!is_in_payload(n) && n->parent != NULL)
		n = n->parent;
	for (size_t i = 0; i < sizeof query_items / sizeof *query_items; i++) {
		if (query_items[i].tag != n->tag ||
		    (!is_extra && query_items[i].rule == RULE_QUERY_EXTRA))
			continue;
		for (const struct node *q =
			 v.request == NULL ? NULL : v.request->first;
		     q != NULL; q = q->next)
			if (q->tag == TAG_QUERY_FUNCTION &&
			    (uint32_t)node_number(q) == query_items[i].function)
				return allows(v, query_items[i].rule);
	}
	return false;
}

/* --- values -------------------------------------------------------------- */

/* The answer's version is the request's, whatever the case prints. */
static bool
is_requests_version(struct view v, const struct node *g)
{
	const uint32_t path[] = {
	    TAG_REQUEST_HEADER, TAG_PROTOCOL_VERSION, g->tag, 0};
	const struct node *asked = node_find_path(v.c->request, path);

	return asked != NULL && is_below(g, TAG_RESPONSE_HEADER) &&
	       bytes_equal(node_value(asked), node_value(g));
}

static bool
value_may_differ(struct view v, const struct node *e, const struct node *g)
{
	uint32_t meaning = check_meaning_of(e);

	if (is_below(e, TAG_DIGEST))
		return allows(v, RULE_DIGEST);
	if (is_below(e, TAG_RANDOM_NUMBER_GENERATOR))
		return allows(v, RULE_RNG);
	if (v.operation == OPERATION_QUERY && is_in_answer(e))
		return query_allows(v, e, false);
	if (is_date(meaning))
		return !story_sent(v.c->story, meaning, node_value(e)) &&
		       allows(v, RULE_SERVER_DATE);
	if (e->tag == TAG_KEY_MATERIAL || e->tag == TAG_KEY_VALUE ||
	    is_below(e, TAG_KEY_MATERIAL))
		return is_server_made(v, g) && allows(v, RULE_KEY_MATERIAL);
	switch (meaning) {
	case TAG_UNIQUE_IDENTIFIER:
	case TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER:
	case TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER:
	case TAG_LINKED_OBJECT_IDENTIFIER:
		return allows(v, RULE_IDENTIFIER);
	case TAG_ASYNCHRONOUS_CORRELATION_VALUE:
	case TAG_CORRELATION_VALUE:
		return allows(v, RULE_CORRELATION);
	case TAG_PROTOCOL_VERSION_MAJOR:
	case TAG_PROTOCOL_VERSION_MINOR:
		return is_requests_version(v, g) && allows(v, RULE_VERSION);
	case TAG_TIME_STAMP:
		return allows(v, RULE_TIME_STAMP);
	case TAG_RESULT_MESSAGE:
		return allows(v, RULE_MESSAGE);
	case TAG_SERVER_CORRELATION_VALUE:
		return allows(v, RULE_CORRELATION_HEADER);
	case TAG_KEY_FORMAT_TYPE:
		return is_server_made(v, g) &&
		       node_find(v.request, TAG_KEY_FORMAT_TYPE) == NULL &&
		       allows(v, RULE_KEY_FORMAT);
	case TAG_DATA:
	case TAG_SIGNATURE_DATA:
	case TAG_MAC_DATA:
	case TAG_IV_COUNTER_NONCE:
	case TAG_AUTHENTICATED_ENCRYPTION_TAG:
		return (is_server_made(v, g) || is_randomised(v)) &&
		       allows(v, RULE_OUTPUT);
	default:
		return false;
	}
}

static enum err
compare_placeholder(struct view v, const struct node *e, const struct node *g)
{
	int64_t offset = 0, away;

	switch (vars_look(v.c->vars, e, g)) {
	case VARS_EQUAL:
		return OK;
	case VARS_UNBOUND:
		if (v.look == LOOK_KNOWN)
			return ERR_VALUE;
		if (v.look == LOOK_BIND)
			vars_bind(v.c->vars, e->placeholder, g);
		return OK;
	case VARS_OTHER:
		if (strstr(e->placeholder, "UNIQUE_IDENTIFIER") == NULL &&
		    value_may_differ(v, e, g))
			return OK;
		return differ(v, ERR_VALUE, e, g);
	case VARS_DATE:
		break;
	}
	(void)vars_now_offset(e->placeholder, &offset);
	away = node_number(g) - (v.c->now + offset);
	if (away == 0)
		return OK;
	if (llabs(away) <= v.c->now_tolerance_s && allows(v, RULE_NOW))
		return OK;
	return differ(v, ERR_VALUE, e, g);
}

/* Names that requests carry with a prefix come back with it. */
static bool
is_prefixed(struct view v, const struct node *e, const struct node *g)
{
	const char *prefix = vars_prefix(v.c->vars);
	size_t octets = prefix == NULL ? 0 : strlen(prefix);

	return prefix != NULL && e->tag == TAG_NAME_VALUE &&
	       g->length == octets + e->length &&
	       memcmp(g->value, prefix, octets) == 0 &&
	       memcmp(g->value + octets, e->value, e->length) == 0;
}

static enum err
compare_value(struct view v, const struct node *e, const struct node *g)
{
	const struct node *other =
	    e->lenient == NULL ? NULL : e->lenient->one_of;

	if (e->placeholder != NULL)
		return compare_placeholder(v, e, g);
	if (bytes_equal(node_value(e), node_value(g)) || is_prefixed(v, e, g))
		return OK;
	for (; other != NULL; other = other->next)
		if (bytes_equal(node_value(other), node_value(g)))
			return OK;
	if (value_may_differ(v, e, g))
		return OK;
	return differ(v, ERR_VALUE, e, g);
}

/* --- presence ------------------------------------------------------------ */

static bool
is_index_zero(const struct node *n)
{
	return n->tag == TAG_ATTRIBUTE_INDEX && n->value != NULL &&
	       node_number(n) == 0;
}

static bool
is_template_attribute(const struct node *n)
{
	return is_in_payload(n) &&
	       (n->tag == TAG_TEMPLATE_ATTRIBUTE ||
		   n->tag == TAG_PRIVATE_KEY_TEMPLATE_ATTRIBUTE ||
		   n->tag == TAG_PUBLIC_KEY_TEMPLATE_ATTRIBUTE);
}

/*
 * The attribute Object Group, its name or its reference, where no request has
 * set one.
 */
static bool
is_own_group(struct view v, const struct node *n)
{
	static const char text[] = "Object Group";
	const struct node *name = n;

	if (n->tag == TAG_ATTRIBUTE)
		name = node_find(n, TAG_ATTRIBUTE_NAME);
	if (n->tag == TAG_ATTRIBUTE_REFERENCE && n->value != NULL)
		return node_number(n) == TAG_OBJECT_GROUP &&
		       !story_has(v.c->story, TAG_OBJECT_GROUP);
	if (n->tag == TAG_OBJECT_GROUP)
		return !story_has(v.c->story, TAG_OBJECT_GROUP);
	return name != NULL && name->tag == TAG_ATTRIBUTE_NAME &&
	       node_is_text(name, text) &&
	       !story_sent(v.c->story, TAG_ATTRIBUTE_NAME, bytes_of_text(text));
}

/* Whether it stands there or not is free. */
static bool
presence_is_free(struct view v, const struct node *n)
{
	if (n->tag == TAG_RESULT_MESSAGE)
		return allows(v, RULE_MESSAGE);
	if (is_index_zero(n))
		return allows(v, RULE_INDEX_ZERO);
	if (is_template_attribute(n))
		return allows(v, RULE_TEMPLATE_ATTRIBUTE);
	if (is_own_group(v, n))
		return allows(v, RULE_OBJECT_GROUP);
	if (is_below(n, TAG_RANDOM_NUMBER_GENERATOR))
		return allows(v, RULE_RNG);
	if (n->tag == TAG_LOCATED_ITEMS)
		return allows(v, RULE_LOCATED_ITEMS);
	if (n->tag == TAG_SERVER_CORRELATION_VALUE)
		return allows(v, RULE_CORRELATION_HEADER);
	return false;
}

/* An attribute x-ID, which no request carried. */
static bool
is_left_out(struct view v, const struct node *e)
{
	const struct node *name = node_find(e, TAG_ATTRIBUTE_NAME);

	return vars_is_test_identifier(e) &&
	       !story_sent(v.c->story, TAG_ATTRIBUTE_NAME, node_value(name));
}

static bool
may_be_missing(struct view v, const struct node *e)
{
	if (e->lenient != NULL && e->lenient->absent_ok)
		return true;
	if (is_left_out(v, e) && allows(v, RULE_TEST_IDENTIFIER))
		return true;
	if (v.operation == OPERATION_QUERY && is_in_answer(e) &&
	    query_allows(v, e, false))
		return true;
	return presence_is_free(v, e);
}

/* One attribute among those of an object, or its name or reference. */
static bool
is_attribute(struct view v, const struct node *n)
{
	if (v.operation != OPERATION_GET_ATTRIBUTES &&
	    v.operation != OPERATION_GET_ATTRIBUTE_LIST &&
	    v.operation != OPERATION_EXPORT)
		return false;
	if (n->parent != NULL && n->parent->tag == TAG_ATTRIBUTES)
		return true;
	return is_in_payload(n) &&
	       (n->tag == TAG_ATTRIBUTE || n->tag == TAG_ATTRIBUTE_NAME ||
		   n->tag == TAG_ATTRIBUTE_REFERENCE);
}

/* The payload of a refused Check: values that the client asked for. */
static bool
is_check_refused(struct view v, const struct node *g)
{
	const struct node *status = node_find(g->parent, TAG_RESULT_STATUS);

	if (v.operation != OPERATION_CHECK || g->tag != TAG_RESPONSE_PAYLOAD ||
	    status == NULL ||
	    node_number(status) != RESULT_STATUS_OPERATION_FAILED)
		return false;
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		const struct node *asked = node_find(v.request, n->tag);

		if (n->tag == TAG_UNIQUE_IDENTIFIER || asked == NULL ||
		    node_number(asked) != node_number(n))
			return false;
	}
	return g->first != NULL;
}

static bool
may_be_surplus(struct view v, const struct node *g)
{
	const struct node *n;

	if (is_check_refused(v, g))
		return allows(v, RULE_CHECK_REFUSED);
	if (v.operation == OPERATION_QUERY && is_in_answer(g))
		return query_allows(v, g, true);
	if (v.operation == OPERATION_DISCOVER_VERSIONS && is_in_payload(g))
		return node_find(v.request, TAG_PROTOCOL_VERSION) == NULL &&
		       allows(v, RULE_VERSIONS_EXTRA);
	if (presence_is_free(v, g))
		return true;
	if (is_attribute(v, g))
		return node_find(v.request, TAG_ATTRIBUTE_NAME) == NULL &&
		       node_find(v.request, TAG_ATTRIBUTE_REFERENCE) == NULL &&
		       allows(v, RULE_ATTRIBUTE_EXTRA);
	if (g->tag == TAG_MESSAGE_EXTENSION) {
		n = node_find(g, TAG_CRITICALITY_INDICATOR);
		return n != NULL && node_number(n) == 0 &&
		       allows(v, RULE_MESSAGE_EXTENSION);
	}
	return false;
}

/* --- structures ---------------------------------------------------------- */

/* Which rule says that the siblings of this item have no order? */
static bool
has_no_order(struct view v, const struct node *n)
{
	if (is_attribute(v, n))
		return allows(v, RULE_ATTRIBUTE_ORDER);
	if (!is_in_payload(n))
		return n->tag == TAG_BATCH_ITEM &&
		       node_find(n, TAG_UNIQUE_BATCH_ITEM_ID) != NULL &&
		       allows(v, RULE_BATCH_ORDER);
	/* spec: kmip-2.0 6.1.27  the youngest first, from 2.0 on */
	if (v.operation == OPERATION_LOCATE && n->tag == TAG_UNIQUE_IDENTIFIER)
		return v.c->version < 0x20 && allows(v, RULE_LOCATE_ORDER);
	if (v.operation == OPERATION_QUERY)
		return allows(v, RULE_QUERY_EXTRA);
	return v.operation == OPERATION_DISCOVER_VERSIONS &&
	       node_find(v.request, TAG_PROTOCOL_VERSION) == NULL &&
	       allows(v, RULE_VERSIONS_EXTRA);
}

/* Two attributes of the same name, or items of the same tag without names. */
static bool
is_same_kind(const struct node *e, const struct node *g)
{
	const struct node *a, *b;

	if (e->tag != g->tag)
		return false;
	if (e->tag == TAG_BATCH_ITEM)
		a = node_find(e, TAG_UNIQUE_BATCH_ITEM_ID),
		b = node_find(g, TAG_UNIQUE_BATCH_ITEM_ID);
	else if (e->tag == TAG_ATTRIBUTE)
		a = node_find(e, TAG_ATTRIBUTE_NAME),
		b = node_find(g, TAG_ATTRIBUTE_NAME);
	else
		return true;
	return a == NULL || b == NULL ||
	       bytes_equal(node_value(a), node_value(b));
}

/* Pairs of expected and received children of one structure. */
struct pairing {
	const struct node **got; /* by the expected child's place, or NULL */
	unsigned *from;          /* where that one stands */
	const struct node **all; /* the received children */
	bool *taken;
	unsigned count;
};

static void
take(struct pairing *p, unsigned place, unsigned k)
{
	p->got[place] = p->all[k];
	p->from[place] = k;
	p->taken[k] = true;
}

/* The first free child of that kind which would match, by `look`. */
static void
pair_one(struct view v, struct pairing *p, const struct node *e, unsigned place,
    enum look look)
{
	bool by_order = look == LOOK_BIND;

	v.look = look;
	for (unsigned k = 0; k < p->count && p->got[place] == NULL; k++) {
		if (p->taken[k] || !is_same_kind(e, p->all[k]))
			continue;
		if (by_order || compare(v, e, p->all[k]) == OK)
			take(p, place, k);
	}
}

/*
 * A value among others of its tag in no order, as the operations of a Query
 * answer are: when it matches none, it is not there, and no other is wrong.
 */
static bool
is_one_of_many(struct view v, const struct node *e, const struct node *g)
{
	return e->type != TYPE_STRUCTURE && has_no_order(v, e) &&
	       (node_count(e->parent, e->tag) > 1 || node_count(g, e->tag) > 1);
}

/*
 * Which received child answers which expected one? Where order counts, the
 * first of a tag the first of the tag. Where not: first those that match with
 * nothing to bind, then those that match, then those of the same name, so that
 * a report speaks of the attribute that is wrong and not of one that is not
 * there.
 */
static void
pair(struct view v, struct pairing *p, const struct node *e,
    const struct node *g)
{
	static const enum look looks[] = {LOOK_KNOWN, LOOK_TRY, LOOK_BIND};

	for (size_t i = 0; i < 3; i++) {
		unsigned place = 0;

		for (const struct node *k = e->first; k != NULL;
		     k = k->next, place++)
			if (looks[i] == LOOK_BIND ? !is_one_of_many(v, k, g)
						  : has_no_order(v, k))
				pair_one(v, p, k, place, looks[i]);
	}
}

static enum err
compare_children(struct view v, const struct node *e, const struct node *g)
{
	struct arena *a = arena_new();
	struct pairing p = {.count = g->children};
	unsigned place = 0, behind = 0;
	enum err rc = OK;

	p.got = ARENA_ARRAY(a, e->children + 1u, const struct node *);
	p.from = ARENA_ARRAY(a, e->children + 1u, unsigned);
	p.all = ARENA_ARRAY(a, g->children + 1u, const struct node *);
	p.taken = ARENA_ARRAY(a, g->children + 1u, bool);
	for (const struct node *k = g->first; k != NULL; k = k->next)
		p.all[place++] = k;
	pair(v, &p, e, g);
	place = 0;
	for (const struct node *k = e->first; k != NULL; k = k->next, place++) {
		if (p.got[place] != NULL) {
			TRY(compare(v, k, p.got[place]));
			if (p.from[place] < behind && !has_no_order(v, k)) {
				rc = differ(v, ERR_ORDER, k, p.got[place]);
				goto out;
			}
			behind = p.from[place];
		} else if (!may_be_missing(v, k)) {
			rc = differ(v, ERR_MISSING, k, NULL);
			if (v.look == LOOK_BIND)
				v.f->offset = g->offset;
			goto out;
		}
	}
	for (unsigned k = 0; k < p.count; k++)
		if (!p.taken[k] && !may_be_surplus(v, p.all[k])) {
			rc = differ(v, ERR_SURPLUS, NULL, p.all[k]);
			goto out;
		}
out:
	arena_free(a);
	return rc;
}

/* The payload of the request's Batch Item that this one answers. */
static const struct node *
request_payload(struct view v, const struct node *item)
{
	const struct node *id = node_find(item, TAG_UNIQUE_BATCH_ITEM_ID);
	unsigned place = 0;

	for (const struct node *k = item->parent->first; k != item; k = k->next)
		place += k->tag == TAG_BATCH_ITEM;
	for (const struct node *k = v.c->request->first; k != NULL;
	     k = k->next) {
		const struct node *asked;

		if (k->tag != TAG_BATCH_ITEM)
			continue;
		asked = node_find(k, TAG_UNIQUE_BATCH_ITEM_ID);
		if (id != NULL && asked != NULL
			? bytes_equal(node_value(id), node_value(asked))
			: place == 0)
			return node_find(k, TAG_REQUEST_PAYLOAD);
		place -= place > 0;
	}
	return NULL;
}

static enum err
compare(struct view v, const struct node *e, const struct node *g)
{
	if (e->lenient != NULL && e->lenient->any)
		return OK;
	if (e->tag != g->tag || e->type != g->type)
		return differ(v, ERR_TYPE, e, g);
	if (e->tag == TAG_BATCH_ITEM && e->parent != NULL) {
		const struct node *n = node_find(g, TAG_OPERATION);

		if (n == NULL)
			n = node_find(e, TAG_OPERATION);
		v.operation = n == NULL ? 0 : (uint32_t)node_number(n);
		v.request = request_payload(v, g);
	}
	if (e->type != TYPE_STRUCTURE)
		return compare_value(v, e, g);
	return compare_children(v, e, g);
}

enum err
compare_answer(struct comparison *c, const struct node *expected,
    const struct node *got, struct finding *f)
{
	struct view v = {.c = c, .look = LOOK_BIND, .f = f};

	*f = (struct finding){0};
	return compare(v, expected, got);
}

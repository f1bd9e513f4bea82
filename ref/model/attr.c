#include "model/attr.h"

#include <assert.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what attr.def's words mean ---- */

#define TYPE(symbol) (1 << OBJECT_TYPE_##symbol)

enum {
	CERT = TYPE(CERTIFICATE),
	SYMMETRIC = TYPE(SYMMETRIC_KEY),
	PRIVATE = TYPE(PRIVATE_KEY),
	SPLIT = TYPE(SPLIT_KEY),
	SECRET = TYPE(SECRET_DATA),
	OPAQUE = TYPE(OPAQUE_OBJECT),
	TEMPLATE = TYPE(TEMPLATE),
	PGP = TYPE(PGP_KEY),
	ASYMMETRIC = TYPE(PUBLIC_KEY) | PRIVATE,
	KEYS = SYMMETRIC | ASYMMETRIC | SPLIT | PGP,
	/* kmip-1.4 section 2.2: all with key material or a certificate */
	CRYPTO = KEYS | CERT | SECRET,
	ALL = CRYPTO | OPAQUE | TEMPLATE | TYPE(CERTIFICATE_REQUEST),
};

enum {
	ALWAYS_NO = 0,
	ALWAYS_YES = ATTR_ALWAYS,
	ALWAYS_NOT_OPAQUE = ATTR_ALWAYS | ATTR_NOT_OPAQUE,
	ALWAYS_NOT_SECRET = ATTR_ALWAYS | ATTR_NOT_OPAQUE | ATTR_NOT_SECRET,
	ALWAYS_KNOWN = ATTR_ALWAYS | ATTR_ALWAYS_KNOWN,

	SET_BY_CLIENT = ATTR_SET_BY_CLIENT,
	SET_BY_SERVER = ATTR_SET_BY_SERVER,
	SET_BY_EITHER = ATTR_SET_BY_CLIENT | ATTR_SET_BY_SERVER,
	SET_BY_MAKER = SET_BY_EITHER | ATTR_SET_BY_MAKER,
	SET_BY_OMITTED = SET_BY_EITHER | ATTR_SET_OMITTED,
	SET_BY_PARTS = SET_BY_EITHER | ATTR_SET_PARTS,
	SET_BY_GIVEN = ATTR_SET_BY_SERVER | ATTR_GIVEN,

	SERVER_NO = 0,
	SERVER_YES = ATTR_MODIFY_SERVER,
	SERVER_PRE_ACTIVE = ATTR_MODIFY_SERVER | ATTR_ONLY_PRE_ACTIVE,
	SERVER_LIVE = ATTR_MODIFY_SERVER | ATTR_ONLY_LIVE,
	SERVER_AHEAD = SERVER_LIVE | ATTR_ONLY_FUTURE,
	SERVER_NONE_YET = ATTR_MODIFY_SERVER | ATTR_ONLY_WHILE_NONE,
	SERVER_OMITTED = ATTR_MODIFY_SERVER | ATTR_ONLY_OMITTED,
	SERVER_OWN = ATTR_MODIFY_SERVER | ATTR_ONLY_OWN,

	CLIENT_NO = 0,
	CLIENT_YES = ATTR_MODIFY_CLIENT,
	CLIENT_PRE_ACTIVE = ATTR_MODIFY_CLIENT | ATTR_ONLY_PRE_ACTIVE,
	CLIENT_LIVE = ATTR_MODIFY_CLIENT | ATTR_ONLY_LIVE,
	CLIENT_AHEAD = CLIENT_LIVE | ATTR_ONLY_FUTURE,
	CLIENT_UNUSED = ATTR_MODIFY_CLIENT | ATTR_ONLY_UNUSED,
	CLIENT_OWN = ATTR_MODIFY_CLIENT | ATTR_ONLY_OWN,

	DELETE_NO = 0,
	DELETE_YES = ATTR_DELETE_CLIENT,
	DELETE_UNUSED = ATTR_DELETE_CLIENT | ATTR_ONLY_UNUSED,
	DELETE_OWN = ATTR_DELETE_CLIENT | ATTR_ONLY_OWN,

	MULTIPLE_NO = 0,
	MULTIPLE_YES = ATTR_MULTIPLE,
	MULTIPLE_PGP = ATTR_MULTIPLE_PGP,

	PLAIN = 0,
	INDEXED = 1,
	ANY = 0, /* no item type */
};

/* ---- the tables ---- */

enum row {
#define ATTR(symbol, type, indexed, name) ROW_##symbol,
#include "model/attr.def"
	ROW_COUNT
};

static const struct attr_def defs[ROW_COUNT] = {
#define ATTR(symbol, type, indexed, name) \
	[ROW_##symbol] = {                \
	    TAG_##symbol, name, (enum item_type)(type), (indexed)},
#include "model/attr.def"
};

/* A version's place in a row of boxes. */
enum {
	AT_V1_0,
	AT_V1_1,
	AT_V1_2,
	AT_V1_3,
	AT_V1_4,
	AT_V2_0,
	AT_V2_1,
	AT_COUNT,
	AT_V_LAST = AT_V2_1
};

/* A rule box; one that applies to nothing: that version has no such row. */
struct box {
	uint32_t rules;
	uint32_t applies;
};

static const struct box boxes[ROW_COUNT][AT_COUNT] = {
#define BOX(symbol, since, until, applies, always, set_by, server, client, \
    delete, multiple)                                                      \
	[ROW_##symbol][AT_##since... AT_##until] = {                       \
	    ALWAYS_##always | SET_BY_##set_by | SERVER_##server |          \
		CLIENT_##client | DELETE_##delete | MULTIPLE_##multiple,   \
	    (applies)},
#include "model/attr.def"
};

/* Tags to rows; 0 is none, so they are counted from 1. */
enum { TAG_FIRST = 0x420000, TAG_ROOM = 0x200 };

static const uint8_t rows_of_tags[TAG_ROOM] = {
#define ATTR(symbol, type, indexed, name) \
	[TAG_##symbol - TAG_FIRST] = ROW_##symbol + 1,
#include "model/attr.def"
};

static size_t
at_version(enum version v)
{
	return v < V2_0 ? (size_t)(v - V1_0) : (size_t)(v - V2_0 + AT_V2_0);
}

static const struct box *
box_at(const struct attr_def *def, enum version v)
{
	return &boxes[def - defs][at_version(v)];
}

static const struct attr_def *
def_in(enum row row, enum version v)
{
	return box_at(&defs[row], v)->applies != 0 ? &defs[row] : NULL;
}

const struct attr_def *
attr_def_any(uint32_t tag)
{
	uint8_t row;

	if (tag < TAG_FIRST || tag >= TAG_FIRST + TAG_ROOM)
		return NULL;
	row = rows_of_tags[tag - TAG_FIRST];
	return row != 0 ? &defs[row - 1] : NULL;
}

const struct attr_def *
attr_def_of_tag(uint32_t tag, enum version v)
{
	const struct attr_def *def = attr_def_any(tag);

	return def != NULL && box_at(def, v)->applies != 0 ? def : NULL;
}

const struct attr_def *
attr_def_of_name(struct bytes name, enum version v)
{
	size_t low = 0;
	size_t high = ROW_COUNT;

	if (name.octets >= 2 && (name.at[0] == 'x' || name.at[0] == 'y') &&
	    name.at[1] == '-')
		return def_in(ROW_ATTRIBUTE, v);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
		    bytes_compare(name, bytes_of_text(defs[middle].name));

		if (order == 0)
			/* the row of all custom ones is not called that */
			return middle == ROW_ATTRIBUTE
				   ? NULL
				   : def_in((enum row)middle, v);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

unsigned
attr_rules(const struct attr_def *def, enum version v)
{
	return box_at(def, v)->rules;
}

bool
attr_applies(const struct attr_def *def, uint32_t object_type, enum version v)
{
	return object_type < 32 &&
	       (box_at(def, v)->applies >> object_type & 1) != 0;
}

/* May an object have several, in any version? */
static bool
may_repeat(const struct attr_def *def)
{
	return (attr_rules(def, V_LAST) &
		   (ATTR_MULTIPLE | ATTR_MULTIPLE_PGP)) != 0;
}

/* ---- lists ---- */

bool
attr_same_kind(const struct attr *a, const struct attr *b)
{
	return a->def == b->def && bytes_equal(a->name, b->name) &&
	       bytes_equal(a->vendor, b->vendor);
}

struct attr *
attr_find(const struct attr_list *list, enum tag tag)
{
	ATTR_EACH (list, one)
		if (one->def->tag == tag)
			return one;
	return NULL;
}

int64_t
attr_number(const struct attr_list *list, enum tag tag, int64_t fallback)
{
	const struct attr *one = attr_find(list, tag);

	return one != NULL ? one->value->number : fallback;
}

struct bytes
attr_octets(const struct attr_list *list, enum tag tag)
{
	const struct attr *one = attr_find(list, tag);

	return one != NULL ? one->value->octets : BYTES_NONE;
}

void
attr_append(struct attr_list *list, struct attr *one)
{
	one->next = NULL;
	if (list->last != NULL)
		list->last->next = one;
	else
		list->first = one;
	list->last = one;
	list->count++;
}

/* Give a new instance its index, and append it. */
static enum err
append_new(struct attr_list *list, struct attr *one)
{
	int32_t index = -1;

	if (list->count >= ATTR_LIST_MAX)
		return ERR_LIMIT;
	ATTR_EACH (list, other)
		if (other->def == one->def && other->index > index &&
		    attr_same_kind(other, one))
			index = other->index;
	if (index >= 0 && !may_repeat(one->def))
		return ERR_ATTR_SINGLE;
	if (index == INT32_MAX)
		return ERR_INDEX;
	one->index = index + 1;
	attr_append(list, one);
	return OK;
}

enum err
attr_copy(struct arena *a, const struct attr *from, struct attr **out)
{
	struct attr *one;
	enum err rc = OK;

	*out = NULL;
	TRY(ARENA_NEW(a, one));
	one->def = from->def;
	one->index = from->index;
	if (from->def->tag == TAG_ATTRIBUTE) {
		TRY(arena_copy(a, from->vendor, &one->vendor));
		TRY(arena_copy(a, from->name, &one->name));
	}
	TRY(item_copy(a, from->value, &one->value));
	*out = one;
out:
	return rc;
}

enum err
attr_add(struct arena *a, struct attr_list *list, const struct attr *from)
{
	struct attr *one;
	enum err rc = OK;

	TRY(attr_copy(a, from, &one));
	TRY(append_new(list, one));
out:
	return rc;
}

enum err
attr_add_item(struct arena *a, struct attr_list *list, struct item *value)
{
	const struct attr_def *def = attr_def_any(value->tag);
	struct attr *one;
	enum err rc = OK;

	assert(def != NULL && def->tag != TAG_ATTRIBUTE);
	TRY(ARENA_NEW(a, one));
	one->def = def;
	one->value = value;
	TRY(append_new(list, one));
out:
	return rc;
}

/* The value of a new instance: an item of the definition's type. */
static enum err
value_new(struct arena *a, enum tag tag, struct item **out)
{
	const struct attr_def *def = attr_def_any(tag);

	assert(def != NULL);
	return item_add(a, NULL, tag, def->type, out);
}

enum err
attr_add_number(
    struct arena *a, struct attr_list *list, enum tag tag, int64_t number)
{
	struct item *value;
	enum err rc = OK;

	TRY(value_new(a, tag, &value));
	value->number = number;
	TRY(attr_add_item(a, list, value));
out:
	return rc;
}

enum err
attr_add_octets(
    struct arena *a, struct attr_list *list, enum tag tag, struct bytes octets)
{
	struct item *value;
	enum err rc = OK;

	TRY(value_new(a, tag, &value));
	TRY(arena_copy(a, octets, &value->octets));
	TRY(attr_add_item(a, list, value));
out:
	return rc;
}

enum err
attr_set_number(
    struct arena *a, struct attr_list *list, enum tag tag, int64_t number)
{
	struct attr *one = attr_find(list, tag);

	if (one == NULL)
		return attr_add_number(a, list, tag, number);
	one->value->number = number;
	return OK;
}

void
attr_remove(struct attr_list *list, struct attr *one)
{
	struct attr **link = &list->first;
	struct attr *before = NULL;

	while (*link != one) {
		before = *link;
		link = &before->next;
	}
	*link = one->next;
	if (list->last == one)
		list->last = before;
	list->count--;
	one->next = NULL;
}

bool
attr_ref_matches(const struct attr_ref *ref, const struct attr *one)
{
	return ref->def == one->def &&
	       (ref->index < 0 || ref->index == one->index) &&
	       (one->def->tag != TAG_ATTRIBUTE ||
		   (bytes_equal(ref->name, one->name) &&
		       bytes_equal(ref->vendor, one->vendor)));
}

/* ---- rules ---- */

/*
 * Has Get Usage Allocation taken from it? The Count goes down with each; a
 * client's own Usage Limits may have none.
 *
 * spec: kmip-1.4 3.21
 */
static bool
usage_taken(const struct item *limits)
{
	const struct item *count = item_find(limits, TAG_USAGE_LIMITS_COUNT);

	return count != NULL &&
	       count->number != item_number(limits, TAG_USAGE_LIMITS_TOTAL, 0);
}

enum err
attr_check_client(const struct attr *one, enum attr_rule rule, enum version v,
    uint32_t state, int64_t now_s)
{
	unsigned rules = attr_rules(one->def, v);
	unsigned wanted = rule == ATTR_GIVEN ? ATTR_GIVEN | ATTR_SET_BY_CLIENT
					     : (unsigned)rule;

	if ((rules & wanted) == 0)
		return ERR_ATTR_READ_ONLY;
	if ((rules & ATTR_ONLY_OWN) != 0 && bytes_equal_text(one->vendor, "y"))
		return ERR_ATTR_READ_ONLY;
	if (rule == ATTR_GIVEN)
		return OK;
	if ((rules & ATTR_ONLY_PRE_ACTIVE) != 0 && state != 0 &&
	    state != STATE_PRE_ACTIVE)
		return ERR_LIFECYCLE;
	if ((rules & ATTR_ONLY_LIVE) != 0 && state != 0 &&
	    state != STATE_PRE_ACTIVE && state != STATE_ACTIVE)
		return ERR_LIFECYCLE;
	if (rule == ATTR_SET_BY_CLIENT)
		return OK;
	if ((rules & ATTR_ONLY_FUTURE) != 0 && one->value->number <= now_s)
		return ERR_LIFECYCLE;
	if ((rules & ATTR_ONLY_UNUSED) != 0 && usage_taken(one->value))
		return ERR_ATTR_READ_ONLY;
	return OK;
}

/* ---- matching ---- */

/* Each field asked for is there, in order, with that value. */
static bool
fields_match(const struct item *asked, const struct item *held)
{
	const struct item *from = held->first;

	ITEM_EACH (asked, field) {
		while (from != NULL && !item_equal(field, from))
			from = from->next;
		if (from == NULL)
			return false;
		from = from->next;
	}
	return true;
}

/* spec: kmip-1.4 4.9  count and total equal to or larger than asked */
static bool
limits_match(const struct item *asked, const struct item *held)
{
	ITEM_EACH (asked, field) {
		const struct item *of = item_find(held, field->tag);

		if (of == NULL)
			return false;
		if (field->type == LONG_INTEGER ? of->number < field->number
						: !item_equal(field, of))
			return false;
	}
	return true;
}

bool
attr_matches(const struct attr *asked, const struct attr *one)
{
	const struct item *want = asked->value;
	const struct item *held = one->value;

	if (!attr_same_kind(asked, one) || want->type != held->type)
		return false;
	switch ((int)one->def->tag) {
	case TAG_CRYPTOGRAPHIC_USAGE_MASK:
		return (held->number & want->number) == want->number;
	case TAG_USAGE_LIMITS:
		return limits_match(want, held);
	}
	if (want->type == STRUCTURE)
		return fields_match(want, held);
	/* req: KS-AE-079 */
	return item_equal(want, held);
}

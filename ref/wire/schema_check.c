#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/item.h"
#include "wire/schema_types.h"

/* What is no tag: the end of a list, and any one of a kind. */
enum { NO_TAG, TAG_ANY_OBJECT, TAG_ANY_ATTRIBUTE, TAG_ANY_ITEM };

/* What a field of type STRUCT holds. */
enum inside {
	S_BY_TAG,
	S_VALUE_OF_ATTRIBUTE,
	S_VALUE_OF_CREDENTIAL,
	S_MATERIAL_OF_KEY,
	S_PAYLOAD_OF_REQUEST,
	S_PAYLOAD_OF_RESPONSE,
	S_FLAT,
	S_ANYTHING,
#define STRUCTURE(tag) S_##tag,
#define BODY(symbol)   S_##symbol,
#define STRUCTURE_END
#include "wire/schema.def"
	S_END
};

struct field {
	uint32_t tag;
	uint32_t types;
	uint16_t since;
	uint16_t until;
	uint8_t least;
	uint8_t most;
	uint16_t inside;
};

/* clang-format off */
#define STRUCTURE(tag)	static const struct field tag##_fields[] = {
#define BODY(symbol)	static const struct field symbol##_fields[] = {
#define FIELD(tag, types, least, most, since, until) \
	{TAG_##tag, types, since, until, least, most, S_BY_TAG},
#define FIELD_OF(tag, types, least, most, since, until, inside) \
	{TAG_##tag, types, since, until, least, most, S_##inside},
#define STRUCTURE_END	{.tag = NO_TAG}};
#include "wire/schema.def"
/* clang-format on */

static const struct field *const structures[S_END] = {
#define STRUCTURE(tag) [S_##tag] = tag##_fields,
#define BODY(symbol)   [S_##symbol] = symbol##_fields,
#define STRUCTURE_END
#include "wire/schema.def"
};

#define INDEX(tag) ((tag)-SCHEMA_TAG_FIRST)

static const uint16_t structure_of_tag[SCHEMA_TAG_ROOM] = {
#define STRUCTURE(tag) [INDEX(TAG_##tag)] = S_##tag,
#define BODY(symbol)
#define STRUCTURE_END
#include "wire/schema.def"
};

static const struct field attributes[SCHEMA_TAG_ROOM] = {
#define ATTRIBUTE(tag, types, since, until) \
	[INDEX(TAG_##tag)] = {TAG_##tag, types, since, until, 0, 1, S_BY_TAG},
#include "wire/schema.def"
};

static const uint8_t object_type_of_tag[SCHEMA_TAG_ROOM] = {
#define OBJECT(symbol) [INDEX(TAG_##symbol)] = OBJECT_TYPE_##symbol,
#include "wire/schema.def"
};

enum { OPERATION_ROOM = 0x40, KEY_FORMAT_ROOM = 0x20, CREDENTIAL_ROOM = 0x10 };

static const struct {
	uint16_t request;
	uint16_t response;
} payloads[OPERATION_ROOM] = {
#define PAYLOADS(operation)         \
	[OPERATION_##operation] = { \
	    S_##operation##_REQUEST, S_##operation##_RESPONSE},
#include "wire/schema.def"
};

static const uint16_t material_of_format[KEY_FORMAT_ROOM] = {
#define MATERIAL(key_format) [KEY_FORMAT_TYPE_##key_format] = S_##key_format,
#include "wire/schema.def"
};

static const uint16_t value_of_credential[CREDENTIAL_ROOM] = {
#define CREDENTIAL(type) [CREDENTIAL_TYPE_##type] = S_##type##_CREDENTIAL,
#include "wire/schema.def"
};

/* Where we are in the tree; the root has nothing above it. */
struct place {
	const struct place *up;
	const struct item *item;
};

struct check {
	enum version v;
	bool into_payloads;
	struct fault *fault;
};

static bool
is_in(const struct field *row, enum version v)
{
	return row->since <= v && v <= row->until;
}

static const struct field *
attribute_row(uint32_t tag)
{
	if (tag < SCHEMA_TAG_FIRST ||
	    tag >= SCHEMA_TAG_FIRST + SCHEMA_TAG_ROOM ||
	    attributes[INDEX(tag)].tag == NO_TAG)
		return NULL;
	return &attributes[INDEX(tag)];
}

/* The row of the attribute that a 1.x Attribute structure names. */
static const struct field *
attribute_named(const struct item *attribute)
{
	struct bytes name = item_octets(attribute, TAG_ATTRIBUTE_NAME);
	uint32_t tag;

	/* not by its XML name */
	if (!schema_tag_find(name, &tag) ||
	    !bytes_equal_text(name, schema_tag_name(tag)))
		return NULL;
	return attribute_row(tag);
}

static bool
is_object(uint32_t tag)
{
	return tag >= SCHEMA_TAG_FIRST &&
	       tag < SCHEMA_TAG_FIRST + SCHEMA_TAG_ROOM &&
	       object_type_of_tag[INDEX(tag)] != 0;
}

/* Is the row for such an item, in any version? */
static bool
row_takes(const struct field *row, uint32_t tag)
{
	switch (row->tag) {
	case TAG_ANY_OBJECT:
		return is_object(tag);
	case TAG_ANY_ATTRIBUTE:
		return attribute_row(tag) != NULL;
	case TAG_ANY_ITEM:
		return true;
	}
	return row->tag == tag;
}

static bool
row_takes_in(const struct field *row, uint32_t tag, enum version v)
{
	/* nearly always the row is for one tag */
	if (row->tag > TAG_ANY_ITEM)
		return row->tag == tag && is_in(row, v);
	if (!is_in(row, v) || !row_takes(row, tag))
		return false;
	if (row->tag == TAG_ANY_OBJECT)
		return schema_value_in(
		    TAG_OBJECT_TYPE, object_type_of_tag[INDEX(tag)], v);
	if (row->tag == TAG_ANY_ATTRIBUTE)
		return is_in(attribute_row(tag), v);
	return true;
}

static unsigned
row_types(const struct field *row, enum version v)
{
	unsigned types = row->types & TYPE_BITS;

	return v < V2_0 ? types : types | row->types >> BIT_2_SHIFT;
}

/* ------------------------------------------------------------------------
 * What is wrong, and where. Off the common path: it may take its time.
 */

static size_t
print_at(char *text, size_t room, size_t at, const char *what)
{
	int octets;

	if (at >= room)
		return at;
	octets = snprintf(text + at, room - at, "%s", what);
	return octets < 0 ? at : at + (size_t)octets;
}

static const char *
tag_text(uint32_t tag, char *room, size_t room_octets)
{
	const char *name = schema_tag_xml_name(tag);

	if (name != NULL)
		return name;
	switch (tag) {
	case TAG_ANY_OBJECT:
		return "a managed object";
	case TAG_ANY_ATTRIBUTE:
		return "an attribute";
	}
	(void)snprintf(room, room_octets, "0x%06x", (unsigned)tag);
	return room;
}

static size_t
path_print(const struct place *place, char *text, size_t room)
{
	const struct item *item = place->item;
	char number[24];
	size_t at = 0;
	unsigned same = 0;
	unsigned nth = 0;

	if (place->up != NULL) {
		at = path_print(place->up, text, room);
		at = print_at(text, room, at, "/");
		ITEM_EACH (place->up->item, sibling) {
			same += sibling->tag == item->tag;
			if (sibling == item)
				nth = same;
		}
	}
	at = print_at(
	    text, room, at, tag_text(item->tag, number, sizeof(number)));
	if (same > 1) {
		(void)snprintf(number, sizeof(number), "[%u]", nth);
		at = print_at(text, room, at, number);
	}
	return at;
}

static enum err
fail(const struct check *c, const struct place *place, enum err rc,
    const char *format, ...) MUST_CHECK __attribute__((format(printf, 4, 5)));

static enum err
fail(const struct check *c, const struct place *place, enum err rc,
    const char *format, ...)
{
	size_t room = sizeof(c->fault->text);
	va_list args;
	size_t at;

	if (c->fault == NULL)
		return rc;
	at = path_print(place, c->fault->text, room);
	at = print_at(c->fault->text, room, at, ": ");
	if (at < room) {
		va_start(args, format);
		(void)vsnprintf(c->fault->text + at, room - at, format, args);
		va_end(args);
	}
	return rc;
}

static enum err
fail_type(const struct check *c, const struct place *place, unsigned types)
{
	const char *got = schema_type_name(place->item->type);
	char expected[128];
	size_t at = 0;

	for (enum item_type t = STRUCTURE; t <= DATE_TIME_EXTENDED; t++) {
		if ((types & BIT(t)) == 0)
			continue;
		if (at != 0)
			at = print_at(expected, sizeof(expected), at, " or ");
		at = print_at(
		    expected, sizeof(expected), at, schema_type_name(t));
	}
	return fail(c, place, ERR_TYPE, "expected %s, got %s", expected,
	    got != NULL ? got : "an unknown type");
}

/* No row of the structure takes the item here. */
static enum err
fail_unexpected(
    const struct check *c, const struct place *place, const struct field *rows)
{
	const struct field *row;

	for (row = rows; row->tag != NO_TAG; row++)
		if (row_takes_in(row, place->item->tag, c->v))
			return fail(c, place, ERR_UNEXPECTED, "out of order");
	for (row = rows; row->tag != NO_TAG; row++)
		if (row_takes(row, place->item->tag))
			return fail(c, place, ERR_UNEXPECTED,
			    "not in KMIP %d.%d", c->v >> 8, c->v & 0xff);
	return fail(c, place, ERR_UNEXPECTED, "not expected here");
}

static enum err
fail_missing(const struct check *c, const struct place *place, uint32_t tag)
{
	char number[24];
	const char *name = tag_text(tag, number, sizeof(number));

	/* what stands too late was skipped for it */
	if (item_find(place->item, tag) != NULL)
		return fail(
		    c, place, ERR_UNEXPECTED, "%s is out of order", name);
	return fail(c, place, ERR_MISSING, "%s is missing", name);
}

/* ------------------------------------------------------------------------
 * Which rows an item's children are checked against.
 */

enum found {
	FOUND,       /* *rows */
	FOUND_FLAT,  /* anything, but no structure in a structure */
	FOUND_ANY,   /* anything */
	FOUND_NONE,  /* it must not be a structure */
	FOUND_UNFIT, /* the version does not have it */
};

static enum found
material_find(const struct place *place, const struct field **rows)
{
	const struct place *block = place->up->up;
	const struct item *format;

	/* Key Material, in a Key Value, in a Key Block */
	if (block == NULL)
		return FOUND_ANY;
	format = item_find(block->item, TAG_KEY_FORMAT_TYPE);
	if (format == NULL || format->number >= KEY_FORMAT_ROOM ||
	    material_of_format[format->number] == 0)
		return FOUND_NONE;
	*rows = structures[material_of_format[format->number]];
	return FOUND;
}

static enum found
payload_find(
    const struct place *place, bool is_request, const struct field **rows)
{
	const struct item *operation =
	    item_find(place->up->item, TAG_OPERATION);

	if (operation == NULL || operation->number >= OPERATION_ROOM)
		return FOUND_ANY;
	*rows = structures[is_request ? payloads[operation->number].request
				      : payloads[operation->number].response];
	return *rows != NULL ? FOUND : FOUND_ANY;
}

static enum found
credential_find(const struct place *place, const struct field **rows)
{
	const struct item *type =
	    item_find(place->up->item, TAG_CREDENTIAL_TYPE);

	if (type == NULL || type->number >= CREDENTIAL_ROOM ||
	    value_of_credential[type->number] == 0)
		return FOUND_UNFIT;
	*rows = structures[value_of_credential[type->number]];
	return FOUND;
}

/* `tag`: what the item is, be it called Attribute Value. */
static enum found
inside_find(const struct check *c, const struct place *place,
    enum inside inside, uint32_t tag, const struct field **rows)
{
	switch ((int)inside) {
	case S_BY_TAG:
		*rows = structures[structure_of_tag[INDEX(tag)]];
		return *rows != NULL ? FOUND : FOUND_ANY;
	case S_VALUE_OF_CREDENTIAL:
		return credential_find(place, rows);
	case S_MATERIAL_OF_KEY:
		return material_find(place, rows);
	case S_PAYLOAD_OF_REQUEST:
	case S_PAYLOAD_OF_RESPONSE:
		if (!c->into_payloads)
			return FOUND_ANY;
		return payload_find(
		    place, inside == S_PAYLOAD_OF_REQUEST, rows);
	case S_VALUE_OF_ATTRIBUTE:
	case S_FLAT:
		return FOUND_FLAT;
	case S_ANYTHING:
		return FOUND_ANY;
	default: /* one of the structures' own symbols */
		*rows = structures[inside];
		return FOUND;
	}
}

/* Of an attribute's value, the attribute's own row; NULL for a custom one. */
static const struct field *
row_of_value(const struct place *place, const struct field *row)
{
	if (row->tag == TAG_ANY_ATTRIBUTE)
		return attribute_row(place->item->tag);
	if (row->inside == S_VALUE_OF_ATTRIBUTE)
		return attribute_named(place->up->item);
	return NULL;
}

/* Key Material that should be a structure may be octets when it is wrapped. */
static bool
is_bare_material(const struct place *place)
{
	const struct place *block = place->up->up;
	const struct field *rows;

	return place->item->type == BYTE_STRING &&
	       material_find(place, &rows) == FOUND &&
	       item_find(block->item, TAG_KEY_WRAPPING_DATA) == NULL;
}

/* ------------------------------------------------------------------------
 * Checking.
 */

/* How complete a structure has to be. */
enum extent {
	WHOLE,
	SEARCHED, /* itself whole, but attributes' values in it need not be */
	PART,
};

static enum err check_fields(const struct check *c, const struct place *place,
    const struct field *rows, enum extent extent) MUST_CHECK;

static enum err
check_flat(const struct check *c, const struct place *place)
{
	ITEM_EACH (place->item, child)
		if (child->type == STRUCTURE)
			return fail(c, &(struct place){place, child},
			    ERR_UNEXPECTED, "a structure in a structure");
	return OK;
}

static enum err
check_number(const struct check *c, const struct place *place,
    const struct field *row, uint32_t tag)
{
	uint32_t value = (uint32_t)place->item->number;

	if (place->item->type == ENUMERATION) {
		if ((row->types & ANY_VALUE) != 0 || !schema_has_values(tag) ||
		    schema_value_in(tag, value, c->v))
			return OK;
		return fail(c, place, ERR_CHOICE,
		    "no such value 0x%08x in "
		    "KMIP %d.%d",
		    (unsigned)value, c->v >> 8, c->v & 0xff);
	}
	if (!schema_is_mask(tag))
		return OK;
	for (uint32_t bits = value; bits != 0; bits &= bits - 1)
		if (!schema_value_in(tag, bits & -bits, c->v))
			return fail(c, place, ERR_CHOICE,
			    "no such bit 0x%08x in KMIP %d.%d",
			    (unsigned)(bits & -bits), c->v >> 8, c->v & 0xff);
	return OK;
}

static enum err
check_item(const struct check *c, const struct place *place,
    const struct field *row, enum extent extent)
{
	const struct item *item = place->item;
	const struct field *own = row_of_value(place, row);
	const struct field *rows;
	uint32_t tag;

	if ((row->types & PARTIAL) != 0)
		extent = SEARCHED;
	if (own != NULL && is_in(own, c->v)) {
		row = own;
		extent = extent == SEARCHED ? PART : extent;
	}
	if (item->type > DATE_TIME_EXTENDED ||
	    (row_types(row, c->v) & BIT(item->type)) == 0)
		return fail_type(c, place, row_types(row, c->v));
	if (row->inside == S_MATERIAL_OF_KEY && is_bare_material(place))
		return fail_type(c, place, STRUCT);
	tag = row->tag == TAG_ANY_OBJECT ? item->tag : row->tag;
	if (item->type == ENUMERATION || item->type == INTEGER)
		return check_number(c, place, row, tag);
	if (item->type != STRUCTURE)
		return OK;
	switch (inside_find(c, place, row->inside, tag, &rows)) {
	case FOUND:
		return check_fields(c, place, rows, extent);
	case FOUND_FLAT:
		return check_flat(c, place);
	case FOUND_ANY:
		return OK;
	case FOUND_NONE:
		return fail_type(c, place, OCTETS);
	case FOUND_UNFIT:
		break;
	}
	return fail(c, place, ERR_VALUE, "its type is not known");
}

/* Of the rows from `row` to before `to`, the first has been seen so often. */
static enum err
check_least(const struct check *c, const struct place *place,
    const struct field *row, const struct field *to, size_t seen)
{
	for (; row != to; row++) {
		if (is_in(row, c->v) && seen < row->least)
			return fail_missing(c, place, row->tag);
		seen = 0;
	}
	return OK;
}

static enum err
check_fields(const struct check *c, const struct place *place,
    const struct field *rows, enum extent extent)
{
	const struct field *row = rows;
	const struct field *to;
	size_t seen = 0;
	enum err rc = OK;

	ITEM_EACH (place->item, child) {
		const struct place below = {place, child};

		for (to = row; to->tag != NO_TAG; to++)
			if (row_takes_in(to, child->tag, c->v))
				break;
		if (to->tag == NO_TAG)
			return fail_unexpected(c, &below, rows);
		if (to != row) {
			if (extent != PART)
				TRY(check_least(c, place, row, to, seen));
			row = to;
			seen = 0;
		}
		if (row->most != MANY && seen == row->most)
			return fail(c, &below, ERR_REPEATED, "only once");
		seen++;
		TRY(check_item(c, &below, row, extent));
	}
	if (extent != PART) {
		for (to = row; to->tag != NO_TAG; to++)
			continue;
		TRY(check_least(c, place, row, to, seen));
	}
out:
	return rc;
}

static enum err
check_root(const struct item *item, uint32_t tag, const struct check *c)
{
	const struct place place = {NULL, item};

	if (item->tag != tag)
		return fail(c, &place, ERR_UNEXPECTED, "expected %s",
		    schema_tag_xml_name(tag));
	if (item->type != STRUCTURE)
		return fail_type(c, &place, STRUCT);
	return check_fields(
	    c, &place, structures[structure_of_tag[INDEX(tag)]], WHOLE);
}

enum err
schema_check_request(
    const struct item *message, enum version v, struct fault *f)
{
	const struct check c = {.v = v, .fault = f};

	return check_root(message, TAG_REQUEST_MESSAGE, &c);
}

enum err
schema_check_response(
    const struct item *message, enum version v, struct fault *f)
{
	const struct check c = {.v = v, .into_payloads = true, .fault = f};

	return check_root(message, TAG_RESPONSE_MESSAGE, &c);
}

/* The rows of a payload, by its tag and operation. */
static enum err
payload_rows(const struct check *c, const struct place *place,
    uint32_t operation, const struct field **rows)
{
	const struct item *payload = place->item;

	if (payload->tag != TAG_REQUEST_PAYLOAD &&
	    payload->tag != TAG_RESPONSE_PAYLOAD)
		return fail(c, place, ERR_UNEXPECTED, "expected a payload");
	if (payload->type != STRUCTURE)
		return fail_type(c, place, STRUCT);
	if (!schema_value_in(TAG_OPERATION, operation, c->v))
		return fail(c, place, ERR_OPERATION,
		    "no such operation 0x%08x in KMIP %d.%d",
		    (unsigned)operation, c->v >> 8, c->v & 0xff);
	*rows = structures[payload->tag == TAG_REQUEST_PAYLOAD
			       ? payloads[operation].request
			       : payloads[operation].response];
	return OK;
}

enum err
schema_check_payload(const struct item *payload, uint32_t operation,
    enum version v, struct fault *f)
{
	const struct check c = {.v = v, .into_payloads = true, .fault = f};
	const struct place place = {NULL, payload};
	const struct field *rows;
	enum err rc = OK;

	TRY(payload_rows(&c, &place, operation, &rows));
	TRY(check_fields(&c, &place, rows, WHOLE));
out:
	return rc;
}

enum err
schema_check_object(const struct item *object, enum version v, struct fault *f)
{
	static const struct field any_object = {
	    TAG_ANY_OBJECT, STRUCT, V1_0, V_LAST, 1, 1, S_BY_TAG};
	const struct check c = {.v = v, .fault = f};
	const struct place place = {NULL, object};

	if (!row_takes_in(&any_object, object->tag, v))
		return fail(&c, &place, ERR_UNEXPECTED,
		    "not a managed object of KMIP %d.%d", v >> 8, v & 0xff);
	return check_item(&c, &place, &any_object, WHOLE);
}

enum err
schema_check_attribute(
    const struct item *value, enum version v, struct fault *f)
{
	static const struct field any_attribute = {
	    TAG_ANY_ATTRIBUTE, ANY_TYPE, V1_0, V_LAST, 1, 1, S_BY_TAG};
	const struct check c = {.v = v, .fault = f};
	const struct place place = {NULL, value};

	if (!row_takes_in(&any_attribute, value->tag, v))
		return fail(&c, &place, ERR_UNEXPECTED,
		    "not an attribute of KMIP %d.%d", v >> 8, v & 0xff);
	return check_item(&c, &place, &any_attribute, WHOLE);
}

/* ------------------------------------------------------------------------
 * Shaping. What the version does not have is `gone`, and so is a structure
 * that needs it.
 */

static enum err shape_fields(const struct check *c, const struct place *place,
    struct item *item, const struct field *rows, bool *gone) MUST_CHECK;

static void
shape_number(const struct check *c, struct item *item, const struct field *row,
    uint32_t tag, bool *gone)
{
	if (item->type == ENUMERATION) {
		*gone = (row->types & ANY_VALUE) == 0 &&
			schema_has_values(tag) &&
			!schema_value_in(tag, (uint32_t)item->number, c->v);
	} else if (schema_is_mask(tag)) {
		uint32_t value = (uint32_t)item->number;

		for (uint32_t bits = value; bits != 0; bits &= bits - 1)
			if (!schema_value_in(tag, bits & -bits, c->v))
				value &= ~(bits & -bits);
		item->number = (int32_t)value;
	}
}

static enum err
shape_item(const struct check *c, const struct place *place, struct item *item,
    const struct field *row, bool *gone)
{
	const struct field *own = row_of_value(place, row);
	const struct field *rows;
	uint32_t tag;

	*gone = false;
	if (own != NULL) {
		if (!is_in(own, c->v)) {
			*gone = true;
			return OK;
		}
		row = own;
	}
	if ((row_types(row, c->v) & BIT(item->type)) == 0)
		return fail_type(c, place, row_types(row, c->v));
	if (row->inside == S_MATERIAL_OF_KEY && is_bare_material(place))
		return fail_type(c, place, STRUCT);
	tag = row->tag == TAG_ANY_OBJECT ? item->tag : row->tag;
	if (item->type == ENUMERATION || item->type == INTEGER)
		shape_number(c, item, row, tag, gone);
	if (item->type != STRUCTURE)
		return OK;
	switch (inside_find(c, place, row->inside, tag, &rows)) {
	case FOUND:
		return shape_fields(c, place, item, rows, gone);
	case FOUND_FLAT:
		return check_flat(c, place);
	case FOUND_ANY:
		return OK;
	case FOUND_NONE:
		return fail_type(c, place, OCTETS);
	case FOUND_UNFIT:
		*gone = true;
		return OK;
	}
	return OK;
}

/* The children in the order of the rows; what no row takes is dropped. */
static enum err
sort_fields(const struct check *c, const struct place *place, struct item *item,
    const struct field *rows)
{
	struct item *rest = item->first;
	const struct field *row;

	item->first = NULL;
	item->last = NULL;
	for (row = rows; row->tag != NO_TAG && rest != NULL; row++) {
		struct item **at = &rest;

		while (*at != NULL) {
			struct item *child = *at;

			if (!row_takes_in(row, child->tag, c->v)) {
				at = &child->next;
				continue;
			}
			*at = child->next;
			item_append(item, child);
		}
	}
	for (; rest != NULL; rest = rest->next) {
		for (row = rows; row->tag != NO_TAG; row++)
			if (row_takes(row, rest->tag))
				break;
		if (row->tag == NO_TAG)
			return fail_unexpected(
			    c, &(struct place){place, rest}, rows);
	}
	return OK;
}

/* The children from *at on that one row takes; *at moves behind them. */
static enum err
shape_field(const struct check *c, const struct place *place,
    const struct field *row, struct item ***at, bool *gone)
{
	size_t seen = 0;
	bool some_gone = false;
	bool child_gone;
	enum err rc = OK;

	while (**at != NULL && row_takes_in(row, (**at)->tag, c->v)) {
		struct item *child = **at;
		const struct place below = {place, child};

		TRY(shape_item(c, &below, child, row, &child_gone));
		if (child_gone) {
			**at = child->next;
			some_gone = true;
			continue;
		}
		if (row->most != MANY && seen == row->most)
			return fail(c, &below, ERR_REPEATED, "only once");
		seen++;
		*at = &child->next;
	}
	if (seen >= row->least)
		return OK;
	if (!some_gone)
		return fail_missing(c, place, row->tag);
	*gone = true;
out:
	return rc;
}

static enum err
shape_fields(const struct check *c, const struct place *place,
    struct item *item, const struct field *rows, bool *gone)
{
	struct item **at = &item->first;
	enum err rc = OK;

	TRY(sort_fields(c, place, item, rows));
	for (const struct field *row = rows; row->tag != NO_TAG && !*gone;
	     row++)
		if (is_in(row, c->v))
			TRY(shape_field(c, place, row, &at, gone));
	item->last = NULL;
	ITEM_EACH (item, child)
		item->last = child;
out:
	return rc;
}

static enum err
shape_whole(const struct check *c, const struct place *place, struct item *item,
    const struct field *rows)
{
	bool gone = false;
	enum err rc = OK;

	TRY(shape_fields(c, place, item, rows, &gone));
	if (gone)
		return fail(c, place, ERR_VALUE,
		    "what it needs is not in KMIP %d.%d", c->v >> 8,
		    c->v & 0xff);
out:
	return rc;
}

enum err
schema_shape_response(struct item *message, enum version v, struct fault *f)
{
	const struct check c = {.v = v, .into_payloads = true, .fault = f};
	const struct place place = {NULL, message};

	if (message->tag != TAG_RESPONSE_MESSAGE || message->type != STRUCTURE)
		return fail(&c, &place, ERR_UNEXPECTED, "expected a response");
	return shape_whole(&c, &place, message, structures[S_RESPONSE_MESSAGE]);
}

enum err
schema_shape_payload(
    struct item *payload, uint32_t operation, enum version v, struct fault *f)
{
	const struct check c = {.v = v, .into_payloads = true, .fault = f};
	const struct place place = {NULL, payload};
	const struct field *rows;
	enum err rc = OK;

	TRY(payload_rows(&c, &place, operation, &rows));
	TRY(shape_whole(&c, &place, payload, rows));
out:
	return rc;
}

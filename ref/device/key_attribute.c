#include "device/key_attribute.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "device/entry.h"
#include "device/fields.h"
#include "device/key_value.h"
#include "store/record.h"

#define RECORD_KIND "key.attribute"
#define VENDOR      "x"

enum { RECORD_OCTETS = 2 * KEY_ATTRIBUTE_DESCRIPTION_OCTETS };

static const char name_field[] = "Attribute Name";
static const char value_field[] = "Attribute Value";

/* ---- types ---- */

static const struct {
	const char *name;
	enum item_type item;
} types[KEY_ATTRIBUTE_TYPES] = {
#define TYPE(symbol, name, item) [symbol] = {name, item},
#include "device/key_attribute_type.def"
#undef TYPE
};

const char *
key_attribute_type_text(enum key_attribute_type type)
{
	return types[type].name;
}

static enum err
type_find(struct bytes text, enum key_attribute_type *out)
{
	size_t k;

	for (k = 0; k < KEY_ATTRIBUTE_TYPES; k++) {
		if (bytes_equal_text(text, types[k].name)) {
			*out = (enum key_attribute_type)k;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

static enum err
refuse(const char *field, struct bytes value, const char *rule,
    char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(field, value, rule, why);
	return ERR_FIELD;
}

/* ---- names ---- */

/* req: KS-28-112 KS-28-155 */
static const struct key_attribute_name built_in[] = {
    {"Contact Information", "used by KMIP", KEY_STRING, TAG_CONTACT_INFORMATION,
	true},
    {"Object Group", "used by KMIP", KEY_STRING, TAG_OBJECT_GROUP, false},
};

enum { BUILT_IN = sizeof(built_in) / sizeof(built_in[0]) };

static const struct key_attribute_name *
built_in_find(struct bytes name)
{
	size_t k;

	for (k = 0; k < BUILT_IN; k++) {
		if (bytes_equal_text(name, built_in[k].name))
			return &built_in[k];
	}
	return NULL;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name(struct bytes name)
{
	size_t k;

	if (name.octets == 0 || name.octets > KEY_ATTRIBUTE_NAME_OCTETS ||
	    !is_letter(name.at[0]))
		return false;
	for (k = 0; k < name.octets; k++) {
		uint8_t c = name.at[k];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' &&
		    c != '_' && c != '.')
			return false;
	}
	return true;
}

/* req: KS-28-120 KS-28-160 */
static bool
is_text(struct bytes text)
{
	size_t k;

	for (k = 0; k < text.octets; k++) {
		uint8_t c = text.at[k];

		if ((c < ' ' || c > '~') && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return true;
}

static enum err
check_description(struct bytes description, char why[CHANGE_WHY_OCTETS])
{
	if (description.octets <= KEY_ATTRIBUTE_DESCRIPTION_OCTETS &&
	    is_text(description))
		return OK;
	return refuse("Description", description,
	    "up to 4095 printable ASCII characters, spaces, tabs and line ends",
	    why);
}

static enum err
decode(struct bytes name, struct bytes value, struct key_attribute_name *out)
{
	struct bytes type;
	struct bytes description;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	TRY(fields_find(value, "type", &type));
	TRY(fields_find(value, "description", &description));
	if (!is_name(name) ||
	    description.octets > KEY_ATTRIBUTE_DESCRIPTION_OCTETS)
		TRY(ERR_VALUE);
	TRY(type_find(type, &out->type));
	memcpy(out->name, name.at, name.octets);
	if (description.octets != 0)
		memcpy(out->description, description.at, description.octets);
	out->tag = TAG_ATTRIBUTE;
out:
	if (rc == OK || rc == ERR_NOMEM)
		return rc;
	log_line("key", LOG_ERROR, "an attribute name cannot be read");
	return ERR_STORE;
}

enum err
key_attribute_name_read(
    struct store *st, struct bytes name, struct key_attribute_name *out)
{
	const struct key_attribute_name *known = built_in_find(name);
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	if (known != NULL) {
		*out = *known;
		goto out;
	}
	if (!is_name(name))
		TRY(ERR_NOT_FOUND);
	TRY(record_get(st, RECORD_KIND, name, &value));
	TRY(decode(name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

struct walk {
	key_attribute_name_fn *each;
	void *ctx;
};

static enum err
show_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct key_attribute_name name;
	enum err rc = OK;

	TRY(decode(key, value, &name));
	TRY(walk->each(walk->ctx, &name));
out:
	return rc;
}

enum err
key_attribute_name_each(
    struct store *st, key_attribute_name_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};
	enum err rc = OK;
	size_t k;

	for (k = 0; k < BUILT_IN; k++)
		TRY(each(ctx, &built_in[k]));
	TRY(record_each(st, RECORD_KIND, show_one, &walk));
out:
	return rc;
}

static enum err
name_write(struct store *st, struct bytes name, struct bytes description,
    enum key_attribute_type type)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(fields_put_text(&value, "type", types[type].name));
	TRY(fields_put(&value, "description", description));
	TRY(record_put(st, RECORD_KIND, name, buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

/* req: KS-28-116 KS-28-117 KS-28-118 KS-28-214 */
enum err
key_attribute_name_create(struct store *st, struct bytes name,
    struct bytes description, enum key_attribute_type type,
    char why[CHANGE_WHY_OCTETS])
{
	struct key_attribute_name there;
	enum err rc = OK;

	if (built_in_find(name) == NULL && !is_name(name))
		TRY(refuse(name_field, name,
		    "1 to 255 letters, digits, hyphens, underscores and "
		    "periods, a letter first",
		    why));
	TRY(check_description(description, why));
	rc = key_attribute_name_read(st, name, &there);
	if (rc == OK)
		TRY(refuse(name_field, name,
		    "there is an attribute of this name already", why));
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	rc = name_write(st, name, description, type);
out:
	return rc;
}

/* One that may be changed. req: KS-28-113 KS-28-114 KS-28-213 */
static enum err
own_name(struct store *st, struct bytes name, struct key_attribute_name *out,
    char why[CHANGE_WHY_OCTETS])
{
	enum err rc;

	if (built_in_find(name) != NULL)
		return refuse(name_field, name,
		    "this one can be neither modified nor deleted", why);
	rc = key_attribute_name_read(st, name, out);
	return rc == ERR_NOT_FOUND
		   ? refuse(name_field, name,
			 "there is no attribute of this name", why)
		   : rc;
}

/* Its type stays. req: KS-28-122 */
enum err
key_attribute_name_describe(struct store *st, struct bytes name,
    struct bytes description, char why[CHANGE_WHY_OCTETS])
{
	struct key_attribute_name there;
	enum err rc = OK;

	TRY(own_name(st, name, &there, why));
	TRY(check_description(description, why));
	TRY(name_write(st, name, description, there.type));
out:
	return rc;
}

enum err
key_attribute_name_delete(
    struct store *st, struct bytes name, char why[CHANGE_WHY_OCTETS])
{
	struct key_attribute_name there;
	enum err rc = OK;

	TRY(own_name(st, name, &there, why));
	TRY(record_delete(st, RECORD_KIND, name));
out:
	return rc;
}

/* ---- values: text to item ---- */

static enum err
read_number(struct bytes text, int64_t least, int64_t most, int64_t *out)
{
	char digits[24];
	char *end;
	bool minus = text.octets != 0 && text.at[0] == '-';
	size_t k;

	if (text.octets == minus || text.octets >= sizeof(digits))
		return ERR_VALUE;
	for (k = minus; k < text.octets; k++) {
		if (text.at[k] < '0' || text.at[k] > '9')
			return ERR_VALUE;
	}
	memcpy(digits, text.at, text.octets);
	digits[text.octets] = '\0';
	*out = strtoimax(digits, &end, 10);
	/* what is beyond int64_t comes back as its end */
	if ((*out == INT64_MAX && strcmp(digits, "9223372036854775807") != 0) ||
	    (*out == INT64_MIN && strcmp(digits, "-9223372036854775808") != 0))
		return ERR_VALUE;
	return *out < least || *out > most ? ERR_VALUE : OK;
}

/* A multiple of eight octets, as Big Integers have. */
static enum err
read_big(struct arena *a, struct bytes text, struct bytes *out)
{
	struct bytes octets;
	size_t whole;
	uint8_t *at;
	enum err rc = OK;

	TRY(key_hex_read(a, text, &octets));
	if (octets.octets == 0)
		TRY(ERR_VALUE);
	whole = (octets.octets + 7) / 8 * 8;
	TRY(ARENA_ARRAY(a, at, whole));
	memset(at, octets.at[0] >= 0x80 ? 0xff : 0, whole);
	memcpy(at + whole - octets.octets, octets.at, octets.octets);
	*out = (struct bytes){at, whole};
out:
	return rc;
}

static enum err
read_boolean(struct bytes text, int64_t *out)
{
	*out = bytes_equal_text(text, "true");
	return *out != 0 || bytes_equal_text(text, "false") ? OK : ERR_VALUE;
}

static enum err
read_value(struct key_call *call, struct arena *a, enum key_attribute_type type,
    struct bytes text, struct item *out)
{
	out->type = types[type].item;
	if (text.octets > KEY_VALUE_MOST_OCTETS || !is_text(text))
		return ERR_VALUE;
	switch (type) {
	case KEY_STRING:
		return arena_copy(a, text, &out->octets);
	case KEY_INTEGER:
		return read_number(text, INT32_MIN, INT32_MAX, &out->number);
	case KEY_LONG:
		return read_number(text, INT64_MIN, INT64_MAX, &out->number);
	case KEY_ENUMERATION:
	case KEY_INTERVAL:
		return read_number(text, 0, UINT32_MAX, &out->number);
	case KEY_BOOLEAN:
		return read_boolean(text, &out->number);
	case KEY_BIG:
		return read_big(a, text, &out->octets);
	case KEY_BYTES:
		return key_hex_read(a, text, &out->octets);
	case KEY_DATE:
		return clock_read(call->appliance->clock, text, &out->number);
	case KEY_ATTRIBUTE_TYPES:
		break;
	}
	return ERR_VALUE;
}

/* ---- values: item to text ---- */

static enum err
show_value(struct key_call *call, const struct item *value, struct bytes *out)
{
	char date[CLOCK_TEXT_OCTETS];
	const char *text;
	enum err rc = OK;

	switch (value->type) {
	case TEXT_STRING:
		*out = value->octets;
		return OK;
	case BYTE_STRING:
	case BIG_INTEGER:
		return key_hex_text(call->arena, value->octets, out);
	case BOOLEAN:
		*out = bytes_of_text(value->number != 0 ? "true" : "false");
		return OK;
	case DATE_TIME:
		clock_text(call->appliance->clock, value->number, date);
		return arena_copy(call->arena, bytes_of_text(date), out);
	case STRUCTURE: /* what a KMIP client has put there */
		*out = BYTES_NONE;
		return OK;
	case INTEGER:
	case LONG_INTEGER:
	case ENUMERATION:
	case INTERVAL:
	case DATE_TIME_EXTENDED:
		break;
	}
	TRY(arena_printf(call->arena, &text, "%" PRId64, value->number));
	*out = bytes_of_text(text);
out:
	return rc;
}

/* ---- of a key ---- */

bool
key_attribute_is(const struct attr *one, struct bytes *name)
{
	size_t k;

	if (one->def->tag == TAG_ATTRIBUTE) {
		*name = one->name;
		return bytes_equal_text(one->vendor, VENDOR);
	}
	for (k = 0; k < BUILT_IN; k++) {
		if (one->def->tag == built_in[k].tag) {
			*name = bytes_of_text(built_in[k].name);
			return true;
		}
	}
	return false;
}

enum err
key_attributes(struct key_call *call, const struct object *key,
    struct key_attribute **out, size_t *count)
{
	struct bytes name;
	enum err rc = OK;

	*count = 0;
	TRY(ARENA_ARRAY(call->arena, *out, key->attrs.count + 1));
	ATTR_EACH (&key->attrs, one) {
		if (!key_attribute_is(one, &name))
			continue;
		(*out)[*count].name = name;
		(*out)[*count].index = one->index;
		TRY(show_value(call, one->value, &(*out)[(*count)++].value));
	}
out:
	return rc;
}

/* req: KS-28-154 KS-28-228 */
static enum err
check_room(struct key_call *call, const struct attr_list *list,
    const struct key_attribute_name *name)
{
	struct bytes other;
	size_t count = 0;
	bool has = false;

	ATTR_EACH (list, one) {
		if (!key_attribute_is(one, &other))
			continue;
		count++;
		has = has || bytes_equal_text(other, name->name);
	}
	if (name->single && has) {
		entry_refuse(name_field, bytes_of_text(name->name),
		    "a key has one of these at most", call->why);
		return ERR_ATTR_SINGLE;
	}
	if (count >= KEY_ATTRIBUTES_MOST) {
		entry_refuse(name_field, bytes_of_text(name->name),
		    "a key has 100 custom attributes at most", call->why);
		return ERR_ATTRIBUTES;
	}
	return OK;
}

/* req: KS-28-159 KS-28-229 */
enum err
key_attribute_give(struct key_call *call, struct arena *a,
    struct attr_list *list, const struct key_attribute *attribute)
{
	struct key_attribute_name name;
	struct item value = {.tag = TAG_ATTRIBUTE_VALUE};
	struct attr one = {.value = &value};
	char rule[64];
	enum err rc = OK;

	rc = key_attribute_name_read(
	    call->appliance->store, attribute->name, &name);
	if (rc == ERR_NOT_FOUND)
		TRY(refuse(name_field, attribute->name,
		    "there is no attribute of this name", call->why));
	TRY(rc);
	TRY(check_room(call, list, &name));
	rc = read_value(call, a, name.type, attribute->value, &value);
	if (rc == ERR_VALUE) {
		(void)snprintf(rule, sizeof(rule), "no %s, or too long",
		    types[name.type].name);
		TRY(refuse(value_field, attribute->value, rule, call->why));
	}
	TRY(rc);
	one.def = attr_def_any(name.tag);
	if (name.tag == TAG_ATTRIBUTE) {
		one.vendor = bytes_of_text(VENDOR);
		one.name = attribute->name;
	} else {
		value.tag = name.tag;
	}
	rc = attr_add(a, list, &one);
out:
	return rc;
}

void
key_attribute_take(struct attr_list *list, struct bytes name)
{
	struct attr *next;
	struct bytes other;

	for (struct attr *one = list->first; one != NULL; one = next) {
		next = one->next;
		if (key_attribute_is(one, &other) && bytes_equal(other, name))
			attr_remove(list, one);
	}
}

enum err
key_attribute_take_one(struct attr_list *list, struct bytes name, int32_t index)
{
	struct bytes other;

	ATTR_EACH (list, one) {
		if (one->index == index && key_attribute_is(one, &other) &&
		    bytes_equal(other, name)) {
			attr_remove(list, one);
			return OK;
		}
	}
	return ERR_ATTR_INSTANCE;
}

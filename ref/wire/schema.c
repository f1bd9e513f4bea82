#include "wire/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

const enum version schema_versions[VERSION_COUNT] = {
    V1_0, V1_1, V1_2, V1_3, V1_4, V2_0, V2_1};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TAG_FIRST = SCHEMA_TAG_FIRST, TAG_ROOM = SCHEMA_TAG_ROOM };

struct tag_row {
	const char *name;
	const char *xml_name;
	enum version since;
	enum version until;
};

static const struct tag_row tag_rows[TAG_ROOM] = {
#define TAG(symbol, value, name, xml_name, since, until) \
	[(value)-TAG_FIRST] = {name, xml_name, since, until},
#include "wire/schema.def"
};

struct value_row {
	uint32_t value;
	const char *name;
	const char *xml_name;
	enum version since;
	enum version until;
};

/* clang-format off */
#define ENUMERATION(symbol, c_name, tag, name) \
	static const struct value_row symbol##_rows[] = {
#define ENUMERATION_END };
#define VALUE(enumeration, symbol, value, name, xml_name, since, until) \
	{(value), name, xml_name, since, until},
#include "wire/schema.def"
/* clang-format on */

struct enumeration {
	const struct value_row *rows;
	size_t row_count;
};

static const struct enumeration enumerations[TAG_ROOM] = {
#define ENUMERATION(symbol, c_name, tag, name) \
	[(tag)-TAG_FIRST] = {symbol##_rows, COUNT(symbol##_rows)},
#define ENUMERATION_END
#define VALUES_OF(tag, enumeration) \
	[TAG_##tag - TAG_FIRST] = { \
	    enumeration##_rows, COUNT(enumeration##_rows)},
#include "wire/schema.def"
};

static const struct {
	enum tag tag;
	uint32_t value;
	const char *xml_name;
} aliases[] = {
#define ALIAS(enumeration, symbol, xml_name) \
	{TAG_##enumeration, enumeration##_##symbol, xml_name},
#include "wire/schema.def"
};

static bool
is_in(enum version since, enum version until, enum version v)
{
	return since <= v && v <= until;
}

static const struct tag_row *
tag_row(uint32_t tag)
{
	if (tag < TAG_FIRST || tag >= TAG_FIRST + TAG_ROOM ||
	    tag_rows[tag - TAG_FIRST].name == NULL)
		return NULL;
	return &tag_rows[tag - TAG_FIRST];
}

const char *
schema_tag_name(uint32_t tag)
{
	const struct tag_row *row = tag_row(tag);

	return row != NULL ? row->name : NULL;
}

const char *
schema_tag_xml_name(uint32_t tag)
{
	const struct tag_row *row = tag_row(tag);

	return row != NULL ? row->xml_name : NULL;
}

bool
schema_tag_in(uint32_t tag, enum version v)
{
	const struct tag_row *row = tag_row(tag);

	return row != NULL && is_in(row->since, row->until, v);
}

/*
 * Names to tags: an open hash of both spellings, filled once. Slots hold what
 * is behind 0x42; 0 is empty.
 */
enum { NAME_SLOTS = 2048 };
static uint16_t name_slots[NAME_SLOTS];
static once_flag name_slots_once = ONCE_FLAG_INIT;

/* FNV-1a */
static uint32_t
name_hash(struct bytes name)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < name.octets; i++)
		hash = (hash ^ name.at[i]) * 16777619U;
	return hash;
}

static void
name_slots_add(const char *name, uint16_t tag_low)
{
	uint32_t slot = name_hash(bytes_of_text(name)) % NAME_SLOTS;

	while (name_slots[slot] != 0)
		slot = (slot + 1) % NAME_SLOTS;
	name_slots[slot] = tag_low;
}

static void
name_slots_fill(void)
{
	for (uint16_t i = 1; i < TAG_ROOM; i++) {
		const struct tag_row *row = &tag_rows[i];

		if (row->name == NULL)
			continue;
		name_slots_add(row->name, i);
		if (strcmp(row->name, row->xml_name) != 0)
			name_slots_add(row->xml_name, i);
	}
}

bool
schema_tag_find(struct bytes name, uint32_t *tag)
{
	uint32_t slot = name_hash(name) % NAME_SLOTS;

	call_once(&name_slots_once, name_slots_fill);
	for (; name_slots[slot] != 0; slot = (slot + 1) % NAME_SLOTS) {
		const struct tag_row *row = &tag_rows[name_slots[slot]];

		if (bytes_equal_text(name, row->name) ||
		    bytes_equal_text(name, row->xml_name)) {
			*tag = TAG_FIRST + name_slots[slot];
			return true;
		}
	}
	return false;
}

static const struct enumeration *
enumeration_of(uint32_t tag)
{
	static const struct enumeration none;

	if (tag < TAG_FIRST || tag >= TAG_FIRST + TAG_ROOM)
		return &none;
	return &enumerations[tag - TAG_FIRST];
}

/* Values of these tags are tags themselves. */
static bool
is_tag_valued(uint32_t tag)
{
	return tag == TAG_ATTRIBUTE_REFERENCE || tag == TAG_TAG;
}

static const struct value_row *
value_row(uint32_t tag, uint32_t value)
{
	const struct enumeration *e = enumeration_of(tag);
	size_t low = 0;
	size_t high = e->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->rows[middle].value == value)
			return &e->rows[middle];
		if (e->rows[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool
schema_has_values(enum tag tag)
{
	return enumeration_of(tag)->row_count != 0;
}

bool
schema_value_in(enum tag tag, uint32_t value, enum version v)
{
	const struct value_row *row = value_row(tag, value);

	if (is_tag_valued(tag))
		return schema_tag_in(value, v);
	return row != NULL && is_in(row->since, row->until, v);
}

const char *
schema_value_name(enum tag tag, uint32_t value)
{
	const struct value_row *row = value_row(tag, value);

	if (is_tag_valued(tag))
		return schema_tag_name(value);
	return row != NULL ? row->name : NULL;
}

const char *
schema_value_xml_name(enum tag tag, uint32_t value)
{
	const struct value_row *row = value_row(tag, value);

	if (is_tag_valued(tag))
		return schema_tag_xml_name(value);
	return row != NULL ? row->xml_name : NULL;
}

bool
schema_value_find(enum tag tag, struct bytes name, uint32_t *value)
{
	const struct enumeration *e = enumeration_of(tag);

	if (is_tag_valued(tag))
		return schema_tag_find(name, value);
	for (size_t i = 0; i < COUNT(aliases); i++) {
		if (aliases[i].tag == tag &&
		    bytes_equal_text(name, aliases[i].xml_name)) {
			*value = aliases[i].value;
			return true;
		}
	}
	for (size_t i = 0; i < e->row_count; i++) {
		if (bytes_equal_text(name, e->rows[i].name) ||
		    bytes_equal_text(name, e->rows[i].xml_name)) {
			*value = e->rows[i].value;
			return true;
		}
	}
	return false;
}

bool
schema_is_mask(enum tag tag)
{
	return tag == TAG_CRYPTOGRAPHIC_USAGE_MASK ||
	       tag == TAG_PROTECTION_STORAGE_MASK ||
	       tag == TAG_STORAGE_STATUS_MASK;
}

bool
schema_is_secret(uint32_t tag)
{
	switch (tag) {
#define SECRET(tag) case TAG_##tag:
#include "wire/schema.def"
		return true;
	}
	return false;
}

const char *
schema_type_name(enum item_type type)
{
	return schema_value_xml_name(TAG_EXTENSION_TYPE, type);
}

bool
schema_type_find(struct bytes name, enum item_type *type)
{
	uint32_t value;

	if (!schema_value_find(TAG_EXTENSION_TYPE, name, &value))
		return false;
	*type = value;
	return true;
}

void
fault_set(struct fault *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
}

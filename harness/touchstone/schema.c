#include "schema.h"

#include "touchstone_tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "touchstone_schema.inc"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const uint8_t versions[VERSIONS] = {
    0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21};

int
version_index(unsigned version)
{
	for (int i = 0; i < VERSIONS; i++)
		if (versions[i] == version)
			return i;
	return -1;
}

unsigned
version_at(int index)
{
	return versions[index];
}

unsigned
version_parse(const char *text)
{
	for (int i = 0; i < VERSIONS; i++)
		if (strcmp(version_name(versions[i]), text) == 0)
			return versions[i];
	return VERSION_NONE;
}

/* Names for what the tables do not know: good for one message's arguments. */
static char *
spare_name(void)
{
	static char ring[8][24];
	static unsigned turn;

	return ring[turn++ % COUNT(ring)];
}

const char *
version_name(unsigned version)
{
	char *name = spare_name();

	snprintf(name, 24, "%u.%u", version >> 4, version & 15);
	return name;
}

static int
by_tag(const void *key, const void *row)
{
	uint32_t a = *(const uint32_t *)key, b;

	b = ((const struct tag_row *)row)->tag;
	return a < b ? -1 : a > b;
}

const struct tag_row *
schema_tag(uint32_t tag)
{
	return bsearch(
	    &tag, tag_rows, COUNT(tag_rows), sizeof *tag_rows, by_tag);
}

const struct tag_row *
schema_tag_by_xml(const char *xml)
{
	for (size_t i = 0; i < COUNT(tag_rows); i++)
		if (strcmp(tag_rows[i].xml, xml) == 0)
			return &tag_rows[i];
	return NULL;
}

const struct tag_row *
schema_tag_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(tag_rows); i++)
		if (strcmp(tag_rows[i].name, name) == 0)
			return &tag_rows[i];
	return NULL;
}

const char *
schema_tag_name(uint32_t tag)
{
	const struct tag_row *row = schema_tag(tag);
	char *name;

	if (row != NULL)
		return row->xml;
	name = spare_name();
	snprintf(name, 24, "0x%06x", tag);
	return name;
}

unsigned
schema_tag_types(uint32_t tag, unsigned version)
{
	const struct tag_row *row = schema_tag(tag);
	int i = version_index(version);

	if (row == NULL || i < 0)
		return 0;
	return tag_types[row - tag_rows][i];
}

bool
schema_alive(uint8_t since, uint8_t until, unsigned version)
{
	return since <= version && (until == 0 || version <= until);
}

bool
schema_tag_in(uint32_t tag, unsigned version)
{
	const struct tag_row *row = schema_tag(tag);

	if (row == NULL)
		return tag >> 16 == 0x54;
	return schema_alive(row->since, row->until, version);
}

static const struct enum_row *
enumeration(uint32_t tag)
{
	const struct tag_row *row = schema_tag(tag);

	if (row == NULL || row->enumeration < 0)
		return NULL;
	return &enum_rows[row->enumeration];
}

bool
schema_has_values(uint32_t tag)
{
	return enumeration(tag) != NULL;
}

const struct value_row *
schema_value(uint32_t tag, uint32_t value)
{
	const struct enum_row *e = enumeration(tag);

	for (unsigned i = 0; e != NULL && i < e->count; i++)
		if (value_rows[e->first + i].value == value)
			return &value_rows[e->first + i];
	return NULL;
}

const struct value_row *
schema_value_by_xml(uint32_t tag, const char *xml)
{
	const struct enum_row *e = enumeration(tag);

	for (unsigned i = 0; e != NULL && i < e->count; i++) {
		const struct value_row *row = &value_rows[e->first + i];

		if (strcmp(row->xml, xml) == 0 || strcmp(row->name, xml) == 0)
			return row;
	}
	return NULL;
}

bool
schema_has_tags(uint32_t tag)
{
	return tag == TAG_ATTRIBUTE_REFERENCE || tag == TAG_TAG;
}

const char *
schema_value_name(uint32_t tag, uint32_t value)
{
	const struct value_row *row = schema_value(tag, value);
	char *name;

	if (row != NULL)
		return row->xml;
	if (schema_has_tags(tag))
		return schema_tag_name(value);
	name = spare_name();
	snprintf(name, 24, "0x%08x", value);
	return name;
}

bool
schema_is_mask(uint32_t tag)
{
	return schema_has_values(tag) &&
	       schema_tag_types(tag, 0x21) == 1u << TYPE_INTEGER;
}

const struct attribute_row *
schema_attribute(const char *name, size_t octets)
{
	for (size_t i = 0; i < COUNT(attribute_rows); i++)
		if (strlen(attribute_rows[i].name) == octets &&
		    memcmp(attribute_rows[i].name, name, octets) == 0)
			return &attribute_rows[i];
	return NULL;
}

const struct attribute_row *
schema_attribute_by_tag(uint32_t tag)
{
	for (size_t i = 0; i < COUNT(attribute_rows); i++)
		if (attribute_rows[i].tag == tag)
			return &attribute_rows[i];
	return NULL;
}

bool
schema_is_object(uint32_t tag)
{
	static const uint32_t objects[] = {TAG_CERTIFICATE, TAG_SYMMETRIC_KEY,
	    TAG_PUBLIC_KEY, TAG_PRIVATE_KEY, TAG_SPLIT_KEY, TAG_TEMPLATE,
	    TAG_SECRET_DATA, TAG_OPAQUE_OBJECT, TAG_PGP_KEY,
	    TAG_CERTIFICATE_REQUEST};

	for (size_t i = 0; i < COUNT(objects); i++)
		if (objects[i] == tag)
			return true;
	return false;
}

const struct shape *
schema_shape(unsigned version, enum shape_kind kind, uint32_t tag, uint32_t key)
{
	for (size_t i = 0; i < COUNT(shape_rows); i++) {
		const struct shape *s = &shape_rows[i];

		if (s->version == version && s->kind == kind && s->tag == tag &&
		    s->key == key)
			return s;
	}
	return NULL;
}

const struct field *
schema_field(const struct shape *s, unsigned i)
{
	return &field_rows[s->first + i];
}

size_t
schema_tags(void)
{
	return COUNT(tag_rows);
}

const struct tag_row *
schema_tag_at(size_t i)
{
	return &tag_rows[i];
}

size_t
schema_shapes(void)
{
	return COUNT(shape_rows);
}

const struct shape *
schema_shape_at(size_t i)
{
	return &shape_rows[i];
}

/*
 * The protocol as data: tags, enumerations, attributes, and for every protocol
 * version the fields of every structure, in order.
 *
 * Made at build time by schema.awk from the fact tables and
 * schema.overlay.tsv. The server under test may be ours: its schema is made in
 * another way by other hands, so one mistake does not agree with itself.
 *
 * Versions are numbers, major in the upper half: 1.4 is 0x14.
 */
#ifndef TOUCHSTONE_SCHEMA_H
#define TOUCHSTONE_SCHEMA_H

#include "node.h"

/* The versions that the tables know in full; 3.0 has only tags and values. */
#define VERSIONS     7
#define VERSION_NONE 0

/* 0x10 -> 0 ... 0x21 -> 6; -1 for others. */
int version_index(unsigned version);
unsigned version_at(int index);

/* "1.4" -> 0x14; VERSION_NONE when it is not one of the above. */
unsigned version_parse(const char *text);

/* Borrowed: "1.4"; for others from a static buffer. */
const char *version_name(unsigned version);

struct tag_row {
	uint32_t tag;
	uint8_t since, until; /* until 0: still there */
	int16_t enumeration;  /* index for its values, or -1 */
	const char *name;     /* "Unique Batch Item ID" */
	const char *xml;      /* "UniqueBatchItemID" */
};

struct value_row {
	uint32_t value;
	uint8_t since, until;
	const char *name, *xml;
};

struct enum_row {
	uint16_t first, count;
	const char *name;
};

struct attribute_row {
	uint32_t tag;
	uint8_t versions; /* bit i: version_at(i) has it */
	const char *name;
};

enum field_flag {
	FIELD_REQUIRED = 1,
	FIELD_REPEATED = 2,
	FIELD_ON_SUCCESS = 4, /* required where Result Status is not Failed */
	FIELD_ON_FAILURE = 8, /* required where it is */
};

/* Stand in a field's tag for one of many. */
enum field_group { GROUP_OBJECT = 1, GROUP_ATTRIBUTE = 2, GROUP_ANY = 3 };

struct field {
	uint32_t tag;   /* or enum field_group */
	uint16_t types; /* bit t: enum item_type t; 0: any */
	uint8_t flags;
};

enum shape_kind {
	SHAPE_PLAIN,   /* key 0 */
	SHAPE_VARIANT, /* key: the value that chooses, e.g. Key Format Type */
	SHAPE_REQUEST, /* a payload; key: the Operation. Batch Item: key 0 */
	SHAPE_RESPONSE,
};

struct shape {
	uint8_t version;
	uint32_t tag;
	enum shape_kind kind;
	uint32_t key;
	uint16_t first, count; /* of schema_field() */
};

/* All of these borrow from static tables and answer NULL for the unknown. */
const struct tag_row *schema_tag(uint32_t tag);
const struct tag_row *schema_tag_by_xml(const char *xml);
const struct tag_row *schema_tag_by_name(const char *name);

/* "UniqueIdentifier", or "0x540001" from a small ring of static buffers. */
const char *schema_tag_name(uint32_t tag);

/* Bits of enum item_type; 0: any. */
unsigned schema_tag_types(uint32_t tag, unsigned version);

/* Is it defined in that version? Extension tags (54xxxx) always are. */
bool schema_tag_in(uint32_t tag, unsigned version);

/* Values of the tag's enumeration or mask. xml takes either spelling. */
bool schema_has_values(uint32_t tag);
const struct value_row *schema_value(uint32_t tag, uint32_t value);
const struct value_row *schema_value_by_xml(uint32_t tag, const char *xml);

/* Are its values tags, as those of Attribute Reference are? */
bool schema_has_tags(uint32_t tag);

/* A name for the report: "Success", or "0x8000000a" as schema_tag_name(). */
const char *schema_value_name(uint32_t tag, uint32_t value);

/* A row's since and until hold for the version. */
bool schema_alive(uint8_t since, uint8_t until, unsigned version);

/* Does its value carry bits with a meaning each? */
bool schema_is_mask(uint32_t tag);

/* By the name that stands in a 1.x Attribute Name; by tag. */
const struct attribute_row *schema_attribute(const char *name, size_t octets);
const struct attribute_row *schema_attribute_by_tag(uint32_t tag);

/* One of the tags of managed objects. */
bool schema_is_object(uint32_t tag);

const struct shape *schema_shape(
    unsigned version, enum shape_kind kind, uint32_t tag, uint32_t key);
const struct field *schema_field(const struct shape *s, unsigned i);

/* For tests that walk the tables. */
size_t schema_tags(void);
const struct tag_row *schema_tag_at(size_t i);
size_t schema_shapes(void);
const struct shape *schema_shape_at(size_t i);

#endif

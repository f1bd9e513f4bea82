/*
 * What KMIP 1.0 to 2.1 says about tags, enumerations and structures, as rows.
 *
 * schema.def is the one list, and says what each kind of row means: the
 * codecs, the checks on requests, the shaping of answers and the printer all
 * read it.
 */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include "base/arena.h"

enum version {
	V1_0 = 0x0100,
	V1_1 = 0x0101,
	V1_2 = 0x0102,
	V1_3 = 0x0103,
	V1_4 = 0x0104,
	V2_0 = 0x0200,
	V2_1 = 0x0201,
	V_LAST = V2_1
};

/* All of them, the oldest first. */
enum { VERSION_COUNT = 7 };
extern const enum version schema_versions[VERSION_COUNT];

enum item_type {
	STRUCTURE = 0x01,
	INTEGER = 0x02,
	LONG_INTEGER = 0x03,
	BIG_INTEGER = 0x04,
	ENUMERATION = 0x05,
	BOOLEAN = 0x06,
	TEXT_STRING = 0x07,
	BYTE_STRING = 0x08,
	DATE_TIME = 0x09,
	INTERVAL = 0x0a,
	DATE_TIME_EXTENDED = 0x0b
};

/* TAG_ACTIVATION_DATE = 0x420001 ..., and per enumeration its values:
 * OBJECT_TYPE_SYMMETRIC_KEY = 2 ..., from schema.def */
#include "wire/schema_enums.h"

struct item;

/* Tags are dense: tables of them are indexed by what is behind the first. */
enum { SCHEMA_TAG_FIRST = 0x420000, SCHEMA_TAG_ROOM = 0x200 };

/* "TextString"; NULL for a number that is no item type. */
const char *schema_type_name(enum item_type type);
bool schema_type_find(struct bytes name, enum item_type *type);

/* "Activation Date"; NULL for a tag that no version has. */
const char *schema_tag_name(uint32_t tag);
const char *schema_tag_xml_name(uint32_t tag);

/* By its name with blanks or its XML name; false when there is none. */
bool schema_tag_find(struct bytes name, uint32_t *tag);
bool schema_tag_in(uint32_t tag, enum version v);

/* Integers that are sets of bits: Cryptographic Usage Mask ... */
bool schema_is_mask(enum tag tag);

/* Its value, and whatever is inside it, is never printed. */
bool schema_is_secret(uint32_t tag);

/*
 * A value of the enumeration that items with this tag take; of a mask, one
 * bit. Attribute Reference and Tag take the numbers of tags. Names are found
 * in both spellings; extension values (8XXXXXXX) are in no version.
 */
bool schema_value_in(enum tag tag, uint32_t value, enum version v);

/* Are there any? Opaque Data Type, for one, has none but extensions. */
bool schema_has_values(enum tag tag);
const char *schema_value_name(enum tag tag, uint32_t value);
const char *schema_value_xml_name(enum tag tag, uint32_t value);
bool schema_value_find(enum tag tag, struct bytes name, uint32_t *value);

/* Why a message was refused: for the Result Message. Never key octets. */
struct fault {
	char text[256];
};
void fault_set(struct fault *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Check a tree against a version: every item in its place, of its type, as
 * often as it may be, in the specification's order, no enumeration value and
 * no bit of a mask that the version does not have. Done once; handlers then
 * only ask for fields.
 *
 * schema_check_request checks the message down to, but not into, the payloads,
 * so that a bad payload fails its own batch item; nor does it look at what the
 * Operation is. schema_check_payload checks one payload, of a request or a
 * response. schema_check_object checks a Managed Object's structure (Symmetric
 * Key, Certificate ...), schema_check_attribute an attribute's value under its
 * own tag, schema_check_response a whole response.
 *
 * Not here but with the handlers: which fields a given key, object or
 * algorithm needs; 1.x attribute names that no version has (their values may
 * be anything flat, as those of custom attributes).
 *
 * ERR_UNEXPECTED, ERR_MISSING, ERR_REPEATED, ERR_TYPE, ERR_VALUE, with the
 * fault naming the path and what was expected there:
 * "RequestPayload/ObjectType: expected Enumeration, got Integer"
 * ERR_OPERATION  (schema_check_payload) not an operation of that version
 */
enum err schema_check_request(
    const struct item *message, enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_payload(const struct item *payload, uint32_t operation,
    enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_object(
    const struct item *object, enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_attribute(
    const struct item *value, enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_response(
    const struct item *message, enum version v, struct fault *f) MUST_CHECK;

/*
 * Bring an answer into the form that the request's version has: children
 * sorted into the order of the version's rows (stable for repeated ones), and
 * items, enumeration values and bits of masks that the version does not have
 * left out, at every depth. Where what is left out was required, the structure
 * around it goes too. A handler adds what it knows and never asks for the
 * version.
 *
 * schema_shape_response shapes the whole message, payloads included; shaping
 * twice changes nothing.
 *
 * ERR_MISSING, ERR_TYPE, ERR_REPEATED, ERR_UNEXPECTED, ERR_VALUE
 *         a handler's mistake: the answer would not conform. The tree is then
 *         of no further use
 * ERR_OPERATION  (schema_shape_payload) not an operation of that version
 */
enum err schema_shape_response(
    struct item *message, enum version v, struct fault *f) MUST_CHECK;
enum err schema_shape_payload(struct item *payload, uint32_t operation,
    enum version v, struct fault *f) MUST_CHECK;

#endif

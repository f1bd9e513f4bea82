/*
 * What KMIP 1.0 to 2.1 says about tags, enumerations and structures, as rows.
 *
 * schema.def is the one list: the codecs, the checks on requests, the shaping
 * of answers, the printer and the fuzzer's dictionary all read it.
 *
 *   TAG(symbol, value, "Name", "XmlName", since, until)
 *   ENUMERATION(symbol, TAG symbol, "Name")  VALUE(enumeration, symbol, value,
 *       "Name", "XmlName", since, until)
 *   STRUCTURE(symbol, tag)  FIELD(structure, tag, type, least, most, since,
 *       until), with a further column for the structure it holds where the tag
 *       alone does not say
 *
 * Versions are 0x0100 for 1.0 to 0x0201 for 2.1; until is the last version
 * that has it.
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

/* "Activation Date"; NULL for a tag that no version has. */
const char *schema_tag_name(uint32_t tag);
const char *schema_tag_xml_name(uint32_t tag);

/* By its name with blanks or its XML name; false when there is none. */
bool schema_tag_find(struct bytes name, uint32_t *tag);
bool schema_tag_in(uint32_t tag, enum version v);

/*
 * A value of the enumeration that items with this tag take. The mask tags
 * (Cryptographic Usage Mask ...) have one row per bit.
 */
bool schema_value_in(enum tag tag, uint32_t value, enum version v);
const char *schema_value_name(enum tag tag, uint32_t value);
bool schema_value_find(enum tag tag, struct bytes name, uint32_t *value);

/* Why a message was refused: for the Result Message. Never key octets. */
struct fault {
	char text[256];
};
void fault_set(struct fault *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Check a request's tree against the version it names: every item in its
 * place, of its type, as often as it may be, in the specification's order, no
 * enumeration value that the version does not have. Done once; handlers then
 * only ask for fields.
 *
 * schema_check_request checks the message down to, but not into, the payloads,
 * so that a bad payload fails its own batch item; schema_check_payload checks
 * one of those. schema_check_object checks a Managed Object's structure
 * (Symmetric Key, Certificate ...), schema_check_attribute an attribute's value
 * under its own tag, at the version given.
 *
 * ERR_UNEXPECTED, ERR_MISSING, ERR_REPEATED, ERR_TYPE, ERR_VALUE, with the
 * fault naming the path and what was expected there
 */
enum err schema_check_request(
    const struct item *message, enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_payload(const struct item *payload, uint32_t operation,
    enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_object(
    const struct item *object, enum version v, struct fault *f) MUST_CHECK;
enum err schema_check_attribute(
    const struct item *value, enum version v, struct fault *f) MUST_CHECK;

/*
 * Bring an answer into the form that the request's version has: children
 * sorted into the order of the version's rows (stable for repeated ones), and
 * items that the version does not have left out, at every depth. A handler
 * adds what it knows and never asks for the version.
 *
 * ERR_MISSING, ERR_TYPE  a handler's mistake: the answer would not conform
 */
enum err schema_shape_response(
    struct item *message, enum version v, struct fault *f) MUST_CHECK;
enum err schema_shape_payload(struct item *payload, uint32_t operation,
    enum version v, struct fault *f) MUST_CHECK;

#endif

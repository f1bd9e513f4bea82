/*
 * The numbers of schema.def as C: enum tag, and an enum per enumeration.
 *
 *	TAG_ACTIVATION_DATE = 0x420001
 *	enum object_type { OBJECT_TYPE_CERTIFICATE = 1, ... }
 *	enum cryptographic_usage_mask { CRYPTOGRAPHIC_USAGE_MASK_SIGN = 1, ... }
 */
#ifndef WIRE_SCHEMA_ENUMS_H
#define WIRE_SCHEMA_ENUMS_H

enum tag {
#define TAG(symbol, value, name, xml_name, since, until) TAG_##symbol = (value),
#include "wire/schema.def"
};

/* clang-format off */
#define ENUMERATION(symbol, c_name, tag, name) enum c_name {
#define ENUMERATION_END };
#define VALUE(enumeration, symbol, value, name, xml_name, since, until) \
	enumeration##_##symbol = (value),
#include "wire/schema.def"
/* clang-format on */

#endif

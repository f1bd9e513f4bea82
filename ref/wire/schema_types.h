/*
 * The words of schema.def's type and count columns, for who reads its rows.
 */
#ifndef WIRE_SCHEMA_TYPES_H
#define WIRE_SCHEMA_TYPES_H

#include "wire/schema.h"

/*
 * Types of a field are a set of bits: one per item type, above them those that
 * only 2.x has, and what else its row says.
 */
enum { BIT_2_SHIFT = 16, TYPE_BITS = 0xfff };
#define BIT(type)   (1U << (type))
#define BIT_2(type) (BIT(type) << BIT_2_SHIFT)

enum {
	STRUCT = BIT(STRUCTURE),
	INT = BIT(INTEGER),
	LONG = BIT(LONG_INTEGER),
	BIG = BIT(BIG_INTEGER),
	ENUM = BIT(ENUMERATION),
	BOOL = BIT(BOOLEAN),
	TEXT = BIT(TEXT_STRING),
	OCTETS = BIT(BYTE_STRING),
	DATE = BIT(DATE_TIME),
	SPAN = BIT(INTERVAL),
	DATE_US = BIT(DATE_TIME_EXTENDED),
	ANY_VALUE = BIT(12), /* of an enumeration */
	PARTIAL = BIT(13),
	ANY_ENUM = ENUM | ANY_VALUE,
	ANY_TYPE = STRUCT | INT | LONG | BIG | ENUM | BOOL | TEXT | OCTETS |
		   DATE | SPAN | BIT_2(DATE_TIME_EXTENDED),
	ID = TEXT | BIT_2(ENUMERATION) | BIT_2(INTEGER),
	DATA = OCTETS | BIT_2(ENUMERATION) | BIT_2(INTEGER),
};

enum { MANY = 0 };

#endif

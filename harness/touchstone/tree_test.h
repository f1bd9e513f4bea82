/*
 * For tests: trees written as XML.
 */
#ifndef TOUCHSTONE_TREE_TEST_H
#define TOUCHSTONE_TREE_TEST_H

#include "form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The tree of an element, as an expected answer. */
static inline struct node *
tree_of(struct arena *a, const char *xml)
{
	struct element *top;
	struct fault f = {""};
	struct node *n = NULL;

	if (xml_read(a, bytes_of_text(xml), &top, &f) != OK ||
	    form_read(a, xml_root(top), true, &n, &f) != OK)
		fail_msg("%s in %s", f.text, xml);
	return n;
}

/* clang-format off */
#define ITEM(tag, type, value) \
	"<" tag " type=\"" type "\" value=\"" value "\"/>"
#define TEXT(tag, value) ITEM(tag, "TextString", value)
#define NUMBER(tag, value) ITEM(tag, "Integer", value)
#define ENUM(tag, value) ITEM(tag, "Enumeration", value)
#define DATE(tag, value) ITEM(tag, "DateTime", value)
#define OCTETS(tag, value) ITEM(tag, "ByteString", value)
#define IN(tag, ...) "<" tag ">" __VA_ARGS__ "</" tag ">"

#define VERSION_OF(major, minor)                           \
	IN("ProtocolVersion", NUMBER("ProtocolVersionMajor", major) \
	    NUMBER("ProtocolVersionMinor", minor))
#define REQUEST(major, minor, operation, payload)              \
	IN("RequestMessage",                                   \
	    IN("RequestHeader", VERSION_OF(major, minor)       \
	        NUMBER("BatchCount", "1"))                     \
	    IN("BatchItem", ENUM("Operation", operation)       \
	        IN("RequestPayload", payload)))
#define ANSWER_ITEM(operation, payload)                        \
	IN("BatchItem", ENUM("Operation", operation)           \
	    ENUM("ResultStatus", "Success")                    \
	    IN("ResponsePayload", payload))
#define ANSWER(major, minor, operation, payload)               \
	IN("ResponseMessage",                                  \
	    IN("ResponseHeader", VERSION_OF(major, minor)      \
	        DATE("TimeStamp", "2026-01-01T00:00:00Z")      \
	        NUMBER("BatchCount", "1"))                     \
	    ANSWER_ITEM(operation, payload))
/* clang-format on */

#endif

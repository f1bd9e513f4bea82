/*
 * The tool's one door to libxml2: a document as plain elements.
 *
 * No document type declaration is taken, so there are no entities to expand or
 * to fetch; nothing is read from the network.
 */
#ifndef TOUCHSTONE_XML_H
#define TOUCHSTONE_XML_H

#include "arena.h"
#include "err.h"

#define XML_MAX_OCTETS ((size_t)8 << 20)

enum element_kind { ELEMENT_TAG, ELEMENT_TEXT, ELEMENT_COMMENT };

struct element_attribute {
	const char *name, *value;
	struct element_attribute *next;
};

struct element {
	enum element_kind kind;
	const char *name; /* of a tag */
	const char *text; /* of a text or comment */
	unsigned line;
	struct element_attribute *attributes;
	struct element *first, *next;
};

/*
 * a    owns the tree
 * out  what stands at the top of the document: comments and the one root tag
 *
 * ERR_SYNTAX  not well-formed, or a document type declaration; `f` has the
 *             line and the parser's words
 * ERR_SIZE    beyond XML_MAX_OCTETS
 */
enum err xml_read(struct arena *a, struct bytes in, struct element **out,
    struct fault *f) MUST_CHECK;

/* Borrowed: the attribute's value, or NULL. */
const char *xml_attribute(const struct element *e, const char *name);

/* The root tag among what xml_read() gave. */
struct element *xml_root(struct element *top);

#endif

/*
 * The one tree: what binary and XML messages become, what cases expect, what
 * the schema is held against.
 *
 * A node is an item: tag, type, length, value. Nodes live in an arena and are
 * never freed one by one. A value is kept as it stands on the wire, big-endian
 * and without padding, so that comparing is comparing octets.
 */
#ifndef TOUCHSTONE_NODE_H
#define TOUCHSTONE_NODE_H

#include "arena.h"

enum item_type {
#define TYPE(code, name, xml, octets) name = code,
#include "type.def"
#undef TYPE
	TYPE_END
};

struct node {
	uint32_t tag;
	enum item_type type;
	uint32_t length; /* as the header says; a structure's: see ttlv.h */
	size_t offset;   /* of the item's header in its message */
	const uint8_t *value; /* `length` octets; NULL for a structure */

	/*
	 * What the XML form says where that is not an octet string yet: a
	 * placeholder ("$NOW-60") that stands in for the value until vars.h
	 * puts it in. Else NULL.
	 */
	const char *placeholder;

	/* What a vector allows beside the value; see form.h. Mostly NULL. */
	const struct leniency *lenient;

	struct node *parent, *first, *last, *next;
	unsigned children;
};

/* A node without a parent; value octets are borrowed. */
struct node *node_new(
    struct arena *a, uint32_t tag, enum item_type type, struct bytes value);

/* Hangs a node below a structure, behind its other children. */
void node_append(struct node *parent, struct node *child);

/* Takes the children of whom `is_it` says so out of the tree. */
void node_remove(struct node *parent, bool (*is_it)(const struct node *n));

/* The whole subtree, values included; offsets are kept. */
struct node *node_copy(struct arena *a, const struct node *n);

/* Borrowed: the first child with that tag, or NULL. n may be NULL. */
struct node *node_find(const struct node *n, uint32_t tag);

/* The same along a path of tags that ends with 0. */
struct node *node_find_path(const struct node *n, const uint32_t *tags);

/* How many children have that tag. */
unsigned node_count(const struct node *n, uint32_t tag);

struct bytes node_value(const struct node *n);

/* Signed types as they are, unsigned ones widened; 0 for what has no number. */
int64_t node_number(const struct node *n);

/* The value is this text. */
bool node_is_text(const struct node *n, const char *text);

/*
 * "ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier": tags by
 * name, an index where a sibling has the same tag and on every Batch Item.
 */
char *node_path(struct arena *a, const struct node *n);

/* The name in XML, "TextString", and back (0: no such type). */
const char *type_name(enum item_type t);
enum item_type type_by_name(const char *name);

/* Octets of the value; 0 when the item's length says. */
uint32_t type_octets(enum item_type t);
bool type_is_known(unsigned code);

#endif

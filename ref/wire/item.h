/*
 * The tree that every encoding is read into and written from.
 *
 * An item lives in a request's arena, and so do its children and octets; the
 * octets of a parsed item point into the message it was parsed from. Text and
 * byte strings are not NUL-terminated.
 *
 * Source: KMIP 1.4 section 9.1
 */
#ifndef WIRE_ITEM_H
#define WIRE_ITEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/schema.h"

struct item {
	uint32_t tag;
	enum item_type type;
	struct item *next;  /* the sibling behind it */
	struct item *first; /* STRUCTURE: its children */
	struct item *last;
	union {
		/* INTEGER, LONG_INTEGER, ENUMERATION (0 to 2^32-1), BOOLEAN (0
		 * or 1), DATE_TIME (s), DATE_TIME_EXTENDED (us), INTERVAL (s)
		 */
		int64_t number;
		/* TEXT_STRING, BYTE_STRING, BIG_INTEGER (two's complement, a
		 * multiple of eight octets) */
		struct bytes octets;
	};
};

#define ITEM_EACH(parent, child)                                  \
	for (struct item *child = (parent)->first; child != NULL; \
	     child = child->next)

/* Is its value octets (and not a number or children)? */
bool item_has_octets(const struct item *item);

/* The first child with that tag, NULL when there is none. */
struct item *item_find(const struct item *parent, enum tag tag);

/*
 * Fields that the schema has already proven to be of the right type: absent
 * ones answer the fallback.
 */
int64_t item_number(const struct item *parent, enum tag tag, int64_t fallback);
struct bytes item_octets(const struct item *parent, enum tag tag);

/*
 * Build: a new last child of parent (or a root, where parent is NULL). The
 * item type comes from the schema's row for the tag where it has just one;
 * item_add_number and item_add_octets take the type where a tag has several.
 */
enum err item_add(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, struct item **out) MUST_CHECK;
enum err item_add_structure(struct arena *a, struct item *parent, enum tag tag,
    struct item **out) MUST_CHECK;
enum err item_add_number(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, int64_t number) MUST_CHECK;
enum err item_add_octets(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, struct bytes octets) MUST_CHECK; /* borrows octets */
enum err item_add_text(struct arena *a, struct item *parent, enum tag tag,
    const char *text) MUST_CHECK; /* borrows text */

/* Hang a root under parent as its last child. */
void item_append(struct item *parent, struct item *child);

/* A deep copy, octets included, in another arena. */
enum err item_copy(
    struct arena *a, const struct item *from, struct item **out) MUST_CHECK;

/*
 * The tag whose enumeration the item's value is of: its own, but under the
 * 1.x Attribute Value that of the attribute its parent names.
 */
enum tag item_value_tag(const struct item *item, const struct item *parent);

/*
 * Append it and everything in it for a person to read: a line each, two blanks
 * a level. Secrets (SECRET in schema.def), and what has a tag that no version
 * has, show only how long they are: "KeyMaterial <secret, 32 octets>". Long
 * octets are cut short.
 *
 * ERR_LIMIT, ERR_NOMEM  from the buf, which then holds a part of it
 */
enum err item_print(const struct item *item, struct buf *out) MUST_CHECK;

/* The same to the log, a line each with `what` before it: LOG=wire:trace. */
void item_log(const char *what, const struct item *item);

/* Same tag, type, value and children in the same order? Public values only. */
bool item_equal(const struct item *a, const struct item *b);

#endif

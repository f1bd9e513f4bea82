/*
 * The XML form of messages, as the cases are written: an element a tag, its
 * type and value as attributes; and back (see show_xml).
 *
 * Source: KMIP Profiles 1.0 to 2.1, "XML Encoding"
 */
#ifndef TOUCHSTONE_FORM_H
#define TOUCHSTONE_FORM_H

#include "node.h"
#include "xml.h"

/*
 * Leniency of a vector, written where it is meant:
 *
 *   match="any"        the value is free
 *   match="absent-ok"  the item may be left out
 *   match="one-of A B" the value is one of these
 *   why="..."          the reason, required with match
 */
struct leniency {
	bool any, absent_ok;
	const struct node *one_of; /* a chain by `next` of other values */
	const char *why;
};

/*
 * Make the tree of an element.
 *
 * a            owns the tree
 * is_expected  the element tells what to expect, so `match` may stand in it
 *
 * Placeholders ("$...") are kept as such; see vars.h.
 *
 * ERR_SYNTAX  an unknown tag, type or name, or a value its type does not
 *             take; `f` has the line
 */
enum err form_read(struct arena *a, const struct element *e, bool is_expected,
    struct node **out, struct fault *f) MUST_CHECK;

/*
 * A value of the type in its octets: "Encrypt Decrypt", "2026-01-31T...".
 *
 * tag   whose names the value may use
 *
 * ERR_SYNTAX  without words: the caller knows where
 */
enum err form_value(struct arena *a, uint32_t tag, enum item_type type,
    const char *text, struct bytes *out) MUST_CHECK;

#endif

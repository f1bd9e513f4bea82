/*
 * Hold a tree against the schema of one protocol version: tags, types, order,
 * required and repeated fields, enumeration values and mask bits, nothing
 * surplus, nothing newer or older than the version.
 *
 * What may stand in a structure can hang on a value beside it: a payload on
 * the Operation, Credential Value on Credential Type, Key Material on Key
 * Format Type, Attribute Value on Attribute Name.
 */
#ifndef TOUCHSTONE_CHECK_H
#define TOUCHSTONE_CHECK_H

#include "finding.h"

/*
 * root     a message, or any other single item
 * version  of the request, see schema.h
 *
 * The first fault in the order of the octets; `f` says where.
 *
 * ERR_TYPE      another item type than the field has
 * ERR_MISSING   a required field is not there
 * ERR_ORDER     a field that belongs before the one it follows
 * ERR_REPEATED  more than one of a field that may stand once
 * ERR_SURPLUS   an item that the structure does not have in any version
 * ERR_NEWER     one that it has in other versions only, or such a value
 * ERR_VALUE     a value outside the enumeration, mask bits without a meaning,
 *               an Attribute Name that the version does not know
 * ERR_BATCH     Batch Count and Batch Items do not agree
 */
enum err check_tree(
    const struct node *root, unsigned version, struct finding *f) MUST_CHECK;

/*
 * The version that a message's header names; VERSION_NONE without a header.
 */
unsigned check_version_of(const struct node *message);

/*
 * The item that gives an Attribute Value its type, structure and enumeration:
 * the tag that an Attribute Name stands for; 0 for a custom attribute.
 * For any other node its own tag.
 */
uint32_t check_meaning_of(const struct node *n);

#endif

/*
 * The XML encoding: an element per item, its tag the element's name, its type
 * and value attributes.
 *
 *	<UniqueIdentifier type="TextString" value="7"/>
 *	<TTLV tag="0x540001" name="Ours" type="Integer" value="1"/>
 *
 * The document is read as a stream: no tree of libxml2's, no document type, no
 * entities but XML's own five, no external anything. What libxml2 allocates is
 * wiped when it gives it back.
 *
 * Source: KMIP Profiles 1.4 section 5.3 (XML Profile), KMIP Additional Message
 * Encodings 1.0 section 3
 */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/buf.h"
#include "wire/item.h"

/*
 * Read one item and everything in it into a tree in `a`, which holds copies of
 * all octets: `in` need not outlive it. The limits are those of ttlv.h.
 *
 * Enumerations are read by either spelling of the name or by number, masks as
 * names and numbers, numbers in decimal or as 0x and hexadecimal digits.
 *
 * ERR_MESSAGE     not well-formed; a document type; text between elements;
 *                 an attribute or element that is none of the encoding's
 * ERR_TYPE        no such item type; a value or children where the type has
 *                 none
 * ERR_VALUE       a value that its type does not allow, or no such name
 * ERR_UNEXPECTED  an element that is no tag
 * ERR_DEPTH, ERR_COUNT
 * ERR_NOMEM       past the arena's cap, or libxml2 out of memory
 */
enum err
xml_parse(struct arena *a, struct bytes in, struct item **out) MUST_CHECK;

/*
 * Append the item and everything in it, indented by two blanks a level, a
 * line each. Tags and values without a name are written as numbers.
 *
 * ERR_VALUE  a control character in a text, which XML cannot carry
 * ERR_LIMIT, ERR_NOMEM  from the buf, which then holds a part of it
 */
enum err xml_write(const struct item *item, struct buf *out) MUST_CHECK;

#endif

/*
 * Templates as octets: attributes on their way to the card, rooms for those
 * that are asked for, and the values that come back into them.
 *
 * Template, to the card (C_CreateObject and the like):
 *
 *	flag    is there a pointer?
 *	number  how many attributes; where there is a pointer they follow:
 *	  number  type
 *	  octet   how its value follows:
 *	            0 ABSENT    no pointer; a number, the length that was given
 *	            1 OCTETS    a number, the length, and the octets
 *	            2 NUMBER    a number
 *	            3 NUMBERS   a number, how many, and that many
 *	            4 TEMPLATE  a number, how many, and that many attributes
 *
 * Only the attributes of attribute.def have the forms 2 to 4. One of them with
 * a length that is not of whole elements goes as OCTETS, for the card to
 * refuse; a TEMPLATE, whose octets would be pointers, as ABSENT.
 *
 * Rooms (C_GetAttributeValue): the same, but that 1 OCTETS is the length of
 * the room and nothing more, and stands for numbers too. The rooms inside of
 * a TEMPLATE have no type, for the card says it, and no TEMPLATE among them.
 *
 * Values, in answer to rooms, for each:
 *
 *	number  type
 *	number  length; all ones is CK_UNAVAILABLE_INFORMATION
 *	octet   as above, without their lengths, but TEMPLATE, which has these
 *	        three for each of its attributes; 0 ABSENT, which has nothing
 *	        after it, where there is no room or too little, or no value
 *
 * All of them:
 *
 * ERR_DEPTH  templates in templates, beyond RPC_DEPTH_MAX
 * ERR_COUNT  more than RPC_ATTRIBUTES_MAX attributes in one template
 */
#ifndef RPC_ATTRIBUTE_H
#define RPC_ATTRIBUTE_H

#include "base/arena.h"
#include "rpc/item.h"

enum err template_write(
    const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out) MUST_CHECK;

/*
 * Attributes in the arena, whose values are there or point into what is read.
 *
 * ERR_CHOICE  a form that the attribute does not have
 */
enum err template_read(struct arena *a, struct bytes *in, CK_ATTRIBUTE **at,
    CK_ULONG *count) MUST_CHECK;

/* What the caller has, to the card. */
enum err template_write_rooms(
    const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out) MUST_CHECK;

/*
 * Attributes and rooms in the arena, zeroed, for the token to fill.
 *
 * ERR_NOMEM   more room than the arena's cap
 * ERR_CHOICE  a form that the attribute does not have
 */
enum err template_read_rooms(struct arena *a, struct bytes *in,
    CK_ATTRIBUTE **at, CK_ULONG *count) MUST_CHECK;

/* What the token put there: of attributes that template_read_rooms made. */
enum err template_write_values(
    const CK_ATTRIBUTE *at, CK_ULONG count, struct buf *out) MUST_CHECK;

/*
 * Into the caller's rooms, which are still as template_write_rooms saw them.
 *
 * ERR_UNEXPECTED  not what was asked for; some of it may be written
 */
enum err template_read_values(
    struct bytes *in, CK_ATTRIBUTE *at, CK_ULONG count) MUST_CHECK;

#endif

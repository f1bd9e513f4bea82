/*
 * The PKCS#11 socket: hello, frames, calls and answers.
 *
 * A connection begins with a hello from either end, the module first, each
 * WIRE_HELLO_OCTETS:
 *
 *	8 octets   "HSIM-P11"
 *	2 octets   version, WIRE_VERSION
 *	2 octets   0 from the module; a WIRE_HELLO_... from the card
 *	4 octets   0
 *	16 octets  the application's name; zeros from the module make a new
 *	           application, whose name the card then tells
 *
 * Then the module sends frames, and the card answers each with one. A frame is
 * a length in 4 octets, and so many octets: a request is one octet, how many
 * calls (1 to WIRE_CALLS_MAX), and the calls; an answer has an answer for each.
 *
 *	call    2 octets   the function's number, as in token/call.def
 *	        4 octets   the length of
 *	        arguments  one after another, as their kinds have it
 *	answer  number     what the function returned
 *	        arguments  those that come out
 *
 * What arguments are, there and back (items as in item.h; a comma is "then"):
 *
 *	kind          to the card                     back
 *	SESSION, NUMBER
 *	              number
 *	BOOL          octet
 *	OCTETS        octets
 *	LABEL         octets, 32 of them
 *	OCTETS_OUT    flag: a pointer? flag: a        number: length; flag: do
 *	              pointer to the length? number:  octets follow? octets
 *	              the room
 *	FILL          flag: a pointer? number: length the octets
 *	NUMBER_OUT    flag: a pointer?                number
 *	NUMBERS_OUT   as OCTETS_OUT, in numbers       as OCTETS_OUT, in numbers
 *	FOUND_OUT     as OCTETS_OUT; the room is the  as OCTETS_OUT, in numbers
 *	              most that is wanted
 *	MECHANISM     as mechanism.h has it
 *	TEMPLATE      as attribute.h has it
 *	TEMPLATE_OUT  rooms, as attribute.h has it    values, as attribute.h has
 *	SLOT_INFO and the other structs
 *	              flag: a pointer?                as record.def has it
 *	CALLBACK      nothing
 *	RESERVED      flag: a pointer?
 *
 * They come back with CKR_OK; OCTETS_OUT and NUMBERS_OUT also with
 * CKR_BUFFER_TOO_SMALL, without what follows the length; TEMPLATE_OUT also
 * with that, CKR_ATTRIBUTE_SENSITIVE and CKR_ATTRIBUTE_TYPE_INVALID. Where
 * there was no pointer, nothing comes back.
 *
 * Buffers carry keys and PINs: struct buf and struct arena wipe them.
 *
 * Source: docs/card.md says the same for who reads no C
 */
#ifndef RPC_WIRE_H
#define RPC_WIRE_H

#include "base/arena.h"
#include "rpc/item.h"
#include "token/call.h"

enum {
	WIRE_VERSION = 1,
	WIRE_HELLO_OCTETS = 32,
	WIRE_NAME_OCTETS = 16,
	WIRE_LENGTH_OCTETS = 4, /* before a frame's body */
	WIRE_CALLS_MAX = 2,     /* in a frame */
};

/* ---- hello ---- */

enum wire_status {
	WIRE_HELLO_WELCOME,
	WIRE_HELLO_VERSION, /* the card speaks another one, which it tells */
	WIRE_HELLO_UNKNOWN, /* no application has that name */
	WIRE_HELLO_FULL,    /* no more applications, or connections of it */
	WIRE_HELLO_END
};

struct wire_hello {
	unsigned version;
	enum wire_status status;
	uint8_t name[WIRE_NAME_OCTETS];
};

void wire_hello_write(
    const struct wire_hello *hello, uint8_t out[WIRE_HELLO_OCTETS]);
/* ERR_MESSAGE  this is no hello */
enum err wire_hello_read(
    const uint8_t in[WIRE_HELLO_OCTETS], struct wire_hello *out) MUST_CHECK;

/* ---- frames ---- */

/* An empty frame, and its length when it has all that belongs in it. */
enum err wire_frame_begin(struct buf *out) MUST_CHECK;
void wire_frame_end(struct buf *out);

/*
 * The body of the first frame of what has come.
 *
 * ERR_TRUNCATED  not all of it is there yet
 * ERR_LIMIT      more than RPC_FRAME_OCTETS_MAX
 */
enum err wire_frame_peek(struct bytes in, struct bytes *body) MUST_CHECK;

/* ---- calls and answers ---- */

/*
 * Append a call.
 *
 * ERR_LIMIT, ERR_COUNT, ERR_DEPTH  more than goes in a call
 * ERR_CHOICE  a mechanism whose parameter cannot be moved (mechanism.def)
 */
enum err wire_call_write(
    enum call_id call, const union call_args *args, struct buf *out) MUST_CHECK;

/*
 * Take a call: arguments as the token's functions want them, in the arena or
 * pointing into what is read.
 *
 * ERR_NOMEM  too little memory for its rooms; *call is set, and what follows
 *            the call can still be read
 * ERR_...    it does not keep to the format
 */
enum err wire_call_read(struct arena *a, struct bytes *in, enum call_id *call,
    union call_args *args) MUST_CHECK;

/* Append an answer, of arguments from wire_call_read. ERR_LIMIT, ERR_NOMEM */
enum err wire_answer_write(enum call_id call, const union call_args *args,
    CK_RV rv, struct buf *out) MUST_CHECK;

/*
 * Take an answer: what comes out is written where the caller's pointers point.
 *
 * ERR_...  it does not keep to the format, or is not an answer to this call;
 *          some of it may be written
 */
enum err wire_answer_read(struct bytes *in, enum call_id call,
    const union call_args *args, CK_RV *rv) MUST_CHECK;

#endif

/*
 * Octets as text: hexadecimal in values of elements, base64 (base/base64.h) in
 * data and events.
 *
 * All of it may be keys: what is read goes straight to where it is wanted.
 */
#ifndef NAE_TEXT_H
#define NAE_TEXT_H

#include "base/base64.h"
#include "base/buf.h"

/*
 * Hexadecimal digits of either case, an even number of them, and nothing else.
 *
 * ERR_VALUE  something else
 */
enum err
hex_read(struct arena *a, struct bytes text, struct bytes *out) MUST_CHECK;

/* Appended, in upper case. */
enum err hex_put(struct buf *out, struct bytes octets) MUST_CHECK;

#endif

/*
 * Hexadecimal, as people write it in files.
 */
#ifndef TOUCHSTONE_HEX_H
#define TOUCHSTONE_HEX_H

#include "buf.h"
#include "err.h"

/*
 * Append the octets of a text of hexadecimal digits. White space between
 * octets is skipped; `#` begins a comment to the end of the line.
 *
 * ERR_SYNTAX  another character, or half an octet; `f` says which line
 */
enum err
hex_read(struct bytes text, struct buf *out, struct fault *f) MUST_CHECK;

/* Append lower-case digits. */
void hex_write(struct bytes in, struct buf *out);

#endif

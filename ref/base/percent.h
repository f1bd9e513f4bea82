/*
 * Octets as words of a line: what is not a letter, a digit, '-', '.' or '_' is
 * '%' and two hexadecimal digits, so that no blank, '=' or line feed is in it.
 */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include "base/buf.h"

/* Add it, encoded. ERR_NOMEM, ERR_LIMIT: a part of it is there */
enum err percent_put(struct buf *out, struct bytes value) MUST_CHECK;

/*
 * Decode in place, since it only gets shorter. Any octet may come out, NUL too;
 * one that stands for itself may be any but '%'. Digits are of either case.
 *
 * ERR_VALUE  a '%' without its two digits; what is there is of no use
 */
enum err percent_decode(uint8_t *at, size_t *octets) MUST_CHECK;

#endif

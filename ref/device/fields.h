/*
 * A record's value: named fields, so that a release can add one and still read
 * what older and newer ones wrote.
 *
 * Format: for each field, in the order in which they were put, one octet with
 * the length of the name, the name (a-z, 0-9 and '-'), four octets with the
 * length of the value, highest first, the value. A name may stand several
 * times: a list.
 */
#ifndef DEVICE_FIELDS_H
#define DEVICE_FIELDS_H

#include "base/buf.h"

/* ERR_NOMEM; ERR_LIMIT  the buffer's own */
enum err
fields_put(struct buf *b, const char *name, struct bytes value) MUST_CHECK;
enum err
fields_put_text(struct buf *b, const char *name, const char *value) MUST_CHECK;
enum err
fields_put_number(struct buf *b, const char *name, int64_t value) MUST_CHECK;

/*
 * Read on: takes the next field off `*in`.
 *
 * ERR_NOT_FOUND  there is none left
 * ERR_TRUNCATED, ERR_VALUE  these are no fields: the store is damaged
 */
struct field {
	struct bytes name;
	struct bytes value;
};
enum err fields_next(struct bytes *in, struct field *out) MUST_CHECK;

/*
 * The first of that name; all of `in` is looked at.
 *
 * ERR_NOT_FOUND  fields_number has *out unchanged then, and returns OK
 */
enum err
fields_find(struct bytes in, const char *name, struct bytes *out) MUST_CHECK;
enum err
fields_number(struct bytes in, const char *name, int64_t *out) MUST_CHECK;

#endif

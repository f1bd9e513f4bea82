/*
 * Base64: octets as letters and back.
 *
 * Source: RFC 4648 section 4
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/arena.h"

/*
 * Base64 that comes in pieces: zeroed, base64_read as often as there is text,
 * then base64_end. Padding is required, and no bit may be lost.
 */
struct base64 {
	uint32_t bits;
	uint8_t count;  /* characters of the present group */
	uint8_t padded; /* '=' among them */
	bool ended;     /* after padding nothing may follow */
};

enum {
	BASE64_GROUP_OCTETS = 3, /* what four characters make */
};

/* What so many octets are in characters, without a NUL. */
#define BASE64_CHARACTERS(octets) (((octets) + 2) / 3 * 4)

/*
 * With padding, on one line, and a NUL behind it. Public octets only: letters
 * are looked up by what they stand for.
 */
void base64_write(struct bytes in, char *out);

/*
 * From *text, which keeps what was not used, into at most `room` octets at
 * `at`, of which *octets were written. It stops when room for a group is
 * missing.
 *
 * blanks     white space is passed over
 * ERR_VALUE  no base64
 */
enum err base64_read(struct base64 *b, struct bytes *text, bool blanks,
    uint8_t *at, size_t room, size_t *octets) MUST_CHECK;

/* ERR_VALUE  it ends within a group */
enum err base64_end(const struct base64 *b) MUST_CHECK;

/* All at once, blanks allowed. ERR_VALUE, ERR_LIMIT, ERR_NOMEM */
enum err base64_read_all(
    struct arena *a, struct bytes text, struct bytes *out) MUST_CHECK;

#endif

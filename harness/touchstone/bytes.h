/*
 * Borrowed octets: a pointer and a length, passed by value, never freed; and
 * the big-endian numbers in them.
 */
#ifndef TOUCHSTONE_BYTES_H
#define TOUCHSTONE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	size_t octets;
};

#define BYTES_NONE ((struct bytes){NULL, 0})

/* The octets of a text, without its NUL. */
struct bytes bytes_of_text(const char *text);

bool bytes_equal(struct bytes a, struct bytes b);

/* The unsigned number in `octets` octets at p, at most 8. */
uint64_t bytes_number(const uint8_t *p, size_t octets);
void bytes_put_number(uint8_t *p, size_t octets, uint64_t v);

/*
 * Well-formed UTF-8: no overlong form, no surrogate, nothing past U+10FFFF.
 *
 * bad   where it breaks, untouched when it does not; may be NULL
 */
bool bytes_is_utf8(struct bytes b, size_t *bad);

#endif

/*
 * Borrowed octets: a pointer and a length, passed by value, never freed.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bytes {
	const uint8_t *at;
	size_t octets;
};

#define BYTES_NONE ((struct bytes){NULL, 0})

/* The octets of a string, without its NUL. */
struct bytes bytes_of_text(const char *s);

/* Public octets only: the time it takes tells how far they agree. */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *s);

/* Does it begin so? */
bool bytes_begin(struct bytes b, struct bytes with);
/* If it does, *rest is what is behind it; otherwise it stays as it was. */
bool bytes_behind(struct bytes b, const char *text, struct bytes *rest);

/* Order as memcmp does, the shorter first where one begins the other. */
int bytes_compare(struct bytes a, struct bytes b);

/* For tables: FNV-1a, from a start that peers cannot know where they choose the
 * octets; with seed 0 it is the same everywhere and for good. */
uint64_t bytes_hash(struct bytes b, uint64_t seed);

/*
 * Take the first `octets` of *in into *head; *in keeps the rest.
 *
 * ERR_TRUNCATED  *in is shorter; both stay as they were
 */
enum err
bytes_split(struct bytes *in, size_t octets, struct bytes *head) MUST_CHECK;

/* Big-endian numbers at p, which has that many octets. */
uint32_t bytes_u16(const uint8_t *p);
uint32_t bytes_u24(const uint8_t *p);
uint32_t bytes_u32(const uint8_t *p);
void bytes_put_u16(uint8_t *p, uint32_t v);
void bytes_put_u24(uint8_t *p, uint32_t v);
void bytes_put_u32(uint8_t *p, uint32_t v);
void bytes_put_u64(uint8_t *p, uint64_t v);

/* Well-formed UTF-8: no overlong form, no surrogate, nothing past U+10FFFF. */
bool bytes_is_utf8(struct bytes b);

#endif

/*
 * Memory: the only file of the tool that calls malloc.
 *
 * Sizes are checked where they are computed; an allocation that fails is
 * ERR_NOMEM and leaves *out NULL.
 */
#ifndef TOUCHSTONE_MEM_H
#define TOUCHSTONE_MEM_H

#include "err.h"

#include <stddef.h>

/* `out` is the address of a pointer to any type; what it gets is zeroed.  A
 * size of 0 is one octet. */
enum err mem_alloc(size_t size, void *out) MUST_CHECK;

/* count * size, refused when the product does not fit. */
enum err mem_array(size_t count, size_t size, void *out) MUST_CHECK;

/*
 * Make room for `count` items of `size`.
 *
 * block  the address of a pointer to any type, NULL at first; the content is
 *        kept, what is new is not zeroed
 * room   how many fit now; grows at least by half
 *
 * Not for secrets: the old block is not wiped.
 */
enum err
mem_grow(void *block, size_t *room, size_t count, size_t size) MUST_CHECK;

enum err mem_strdup(const char *text, char **out) MUST_CHECK;

/* Accepts NULL. */
void mem_free(void *block);

#endif

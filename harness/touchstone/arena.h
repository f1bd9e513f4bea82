/*
 * Memory that goes together: trees, texts and cases live in an arena and are
 * freed with it.
 *
 * Nothing here fails. The tool reads its own cases and answers of bounded size
 * (TTLV_MAX_OCTETS, XML_MAX_OCTETS); when even that does not fit, it has no
 * verdict to give and stops with exit code 2, "could not tell".
 */
#ifndef TOUCHSTONE_ARENA_H
#define TOUCHSTONE_ARENA_H

#include "bytes.h"

#include <stddef.h>

struct arena;

struct arena *arena_new(void);

/* Accepts NULL. What was in it is wiped: it may have been a key. */
void arena_free(struct arena *a);

/* Zeroed and aligned for any type. */
void *arena_take(struct arena *a, size_t octets);

#define ARENA_NEW(a, type) ((type *)arena_take((a), sizeof(type)))
#define ARENA_ARRAY(a, count, type) \
	((type *)arena_take((a), arena_product((count), sizeof(type))))

/* count * size; the tool stops when that does not fit. */
size_t arena_product(size_t count, size_t size);

uint8_t *arena_copy(struct arena *a, struct bytes in);
char *arena_strdup(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

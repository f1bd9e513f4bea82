/*
 * The tool's heap: its one door to malloc.
 *
 * Memory comes zeroed. The functions that return a pointer (NULL when there is
 * none left) are for the macros, which fit TRY():
 *
 *	TRY(MEM_NEW(conn));                    one, of the pointer's own type
 *	TRY(MEM_ARRAY(row, row_count));        many; the product is checked
 *	TRY(MEM_GROW(row, &room, count + 1));  a list that grows, by halves
 *	TRY(MEM_STRDUP(name, text));
 */
#ifndef TOUCHSTONE_MEM_H
#define TOUCHSTONE_MEM_H

#include "err.h"

#include <stddef.h>

#define MEM_NEW(p) (((p) = mem_zalloc(1, sizeof(*(p)))) ? OK : ERR_NOMEM)
#define MEM_ARRAY(p, count) \
	(((p) = mem_zalloc((count), sizeof(*(p)))) ? OK : ERR_NOMEM)
#define MEM_STRDUP(p, text) (((p) = mem_strdup(text)) ? OK : ERR_NOMEM)

/* Room for `count` elements behind p, which may be NULL with a room of 0; what
 * is new is not zeroed. On failure p is as it was and stays the caller's. Not
 * for secrets: the old block is not wiped. */
#define MEM_GROW(p, room, count)                             \
	((p) = mem_grow((p), (room), (count), sizeof(*(p))), \
	    *(room) >= (count) ? OK : ERR_NOMEM)

/* count zeroed elements; NULL when the product overflows or memory is out. */
void *mem_zalloc(size_t count, size_t octets) MUST_CHECK;

/* For MEM_GROW: the block, moved or not; *room tells whether it grew. */
void *mem_grow(void *p, size_t *room, size_t count, size_t octets) MUST_CHECK;

/* A copy of a string, NULL when memory is out. */
char *mem_strdup(const char *text) MUST_CHECK;

/* Accepts NULL. */
void mem_free(void *p);

/*
 * make torture: fail the nth allocation from now on (1 is the next one), once;
 * 0 never. Built in only with -DTORTURE, where the environment variable
 * TORTURE_NTH sets it at the first allocation. mem_torture_hit() says whether
 * the failure has happened.
 */
#ifdef TORTURE
#include <stdbool.h>
void mem_torture(unsigned long nth);
bool mem_torture_hit(void);
#endif

#endif

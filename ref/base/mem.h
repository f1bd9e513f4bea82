/*
 * The heap's one door.
 *
 * Memory comes zeroed. The two functions that return a pointer (NULL when
 * there is none left) are for the macros, which fit TRY():
 *
 *	TRY(MEM_NEW(conn));              one, of the pointer's own type
 *	TRY(MEM_ARRAY(row, row_count));  many; the product is checked
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/err.h"

#define MEM_NEW(p) (((p) = mem_zalloc(1, sizeof(*(p)))) ? OK : ERR_NOMEM)
#define MEM_ARRAY(p, count) \
	(((p) = mem_zalloc((count), sizeof(*(p)))) ? OK : ERR_NOMEM)

/* count zeroed elements; NULL when the product overflows or memory is out. */
void *mem_zalloc(size_t count, size_t octets) MUST_CHECK;

/*
 * Grow or shrink to count elements; what is new is not zeroed. NULL leaves
 * the old block as it was. Never for octets that may be secret: it leaves a
 * copy behind (see buf.h).
 */
void *mem_regrow(void *p, size_t count, size_t octets) MUST_CHECK;

/* A copy of a string, NULL when memory is out. */
char *mem_strdup(const char *s) MUST_CHECK;

/*
 * printf into a new string, the caller's.
 *
 * ERR_NOMEM   *out is NULL
 * ERR_SYSTEM  the format cannot be printed
 */
enum err mem_printf(char **out, const char *format, ...) MUST_CHECK
    __attribute__((format(printf, 2, 3)));

/* Accepts NULL. */
void mem_free(void *p);

/*
 * For libraries that take an allocator. Their blocks may hold keys, so they
 * are wiped when they are freed, and moved by new, copy, wipe. Not refused by
 * make torture: a library's own failure paths are its own to prove.
 */
void *mem_library_new(size_t octets) MUST_CHECK;
void *mem_library_regrow(void *p, size_t octets) MUST_CHECK;
void mem_library_free(void *p);

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

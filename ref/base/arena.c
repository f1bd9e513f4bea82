#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum { BLOCK_OCTETS = 8192, ALIGN_OCTETS = 16 };

struct block {
	struct block *next;
	size_t room_octets;
	size_t used_octets;
	_Alignas(ALIGN_OCTETS) uint8_t at[];
};

struct arena {
	struct block *first; /* kept over a reset */
	struct block *now;   /* where the next piece comes from */
	size_t cap_octets;
	size_t octets;
};

static void
blocks_free(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		secret_wipe(b->at, b->used_octets);
		mem_free(b);
		b = next;
	}
}

void
arena_reset(struct arena *a)
{
	if (a->first == NULL)
		return;
	blocks_free(a->first->next);
	secret_wipe(a->first->at, a->first->used_octets);
	a->first->used_octets = 0;
	a->first->next = NULL;
	a->now = a->first;
	a->octets = 0;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	blocks_free(a->first);
	mem_free(a);
}

size_t
arena_octets(const struct arena *a)
{
	return a->octets;
}

static struct block *
block_new(size_t octets)
{
	struct block *b = mem_zalloc(1, sizeof(*b) + octets);

	if (b != NULL)
		b->room_octets = octets;
	return b;
}

enum err
arena_new(size_t cap_octets, struct arena **out)
{
	struct arena *a = NULL;

	*out = NULL;
	if (MEM_NEW(a) != OK)
		return ERR_NOMEM;
	a->cap_octets = cap_octets;
	*out = a;
	return OK;
}

enum err
arena_new_sized(size_t cap_octets, size_t first_octets, struct arena **out)
{
	struct arena *a = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(arena_new(cap_octets, &a));
	a->first = block_new(first_octets);
	a->now = a->first;
	if (a->first == NULL) {
		rc = ERR_NOMEM;
		goto out;
	}
	*out = a;
	a = NULL; /* now the caller's */
out:
	arena_free(a);
	return rc;
}

void *
arena_alloc(struct arena *a, size_t count, size_t octets)
{
	struct block *b = a->now;
	size_t need;
	void *p;

	if (count != 0 && octets > SIZE_MAX / 2 / count)
		return NULL;
	need =
	    (count * octets + ALIGN_OCTETS - 1) & ~(size_t)(ALIGN_OCTETS - 1);
	if (need == 0)
		need = ALIGN_OCTETS;
	if (a->cap_octets - a->octets < need)
		return NULL;
	if (b == NULL || b->room_octets - b->used_octets < need) {
		b = block_new(need > BLOCK_OCTETS ? need : BLOCK_OCTETS);
		if (b == NULL)
			return NULL;
		if (a->now != NULL)
			a->now->next = b;
		else
			a->first = b;
		a->now = b;
	}
	p = b->at + b->used_octets;
	b->used_octets += need;
	a->octets += need;
	return p;
}

enum err
arena_copy(struct arena *a, struct bytes in, struct bytes *out)
{
	uint8_t *copy;
	enum err rc = OK;

	*out = BYTES_NONE;
	TRY(ARENA_ARRAY(a, copy, in.octets));
	if (in.octets != 0)
		memcpy(copy, in.at, in.octets);
	*out = (struct bytes){copy, in.octets};
out:
	return rc;
}

enum err
arena_printf(struct arena *a, const char **out, const char *format, ...)
{
	va_list args;
	char *text;
	int length;
	enum err rc = OK;

	*out = NULL;
	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return ERR_VALUE;
	TRY(ARENA_ARRAY(a, text, (size_t)length + 1));
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	*out = text;
out:
	return rc;
}

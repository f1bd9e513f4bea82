#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum err
mem_array(size_t count, size_t size, void *out)
{
	void *block = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	/* any object pointer may be copied as one, none may be aliased */
	memcpy(out, &block, sizeof block);
	return block == NULL ? ERR_NOMEM : OK;
}

enum err
mem_alloc(size_t size, void *out)
{
	return mem_array(1, size, out);
}

enum err
mem_grow(void *block, size_t *room, size_t count, size_t size)
{
	size_t want = *room + *room / 2 + 8;
	void *old, *bigger;

	if (count <= *room)
		return OK;
	if (want < count)
		want = count;
	if (want > SIZE_MAX / size)
		return ERR_NOMEM;
	memcpy(&old, block, sizeof old);
	bigger = realloc(old, want * size);
	if (bigger == NULL)
		return ERR_NOMEM;
	memcpy(block, &bigger, sizeof bigger);
	*room = want;
	return OK;
}

enum err
mem_strdup(const char *text, char **out)
{
	*out = strdup(text);
	return *out == NULL ? ERR_NOMEM : OK;
}

void
mem_free(void *block)
{
	free(block);
}

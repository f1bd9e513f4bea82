#include "arena.h"

#include "die.h"
#include "mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_OCTETS ((size_t)16 << 10)

struct block {
	struct block *next;
	size_t used;
	size_t room;
	alignas(max_align_t) unsigned char at[];
};

struct arena {
	struct block *newest;
};

static void *
must_alloc(size_t octets)
{
	void *p = mem_zalloc(1, octets);

	if (p == NULL)
		die("%s", err_text(ERR_NOMEM));
	return p;
}

struct arena *
arena_new(void)
{
	return must_alloc(sizeof(struct arena));
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	for (struct block *b = a->newest, *next; b != NULL; b = next) {
		next = b->next;
		explicit_bzero(b->at, b->used);
		mem_free(b);
	}
	mem_free(a);
}

size_t
arena_product(size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size)
		die("%s", err_text(ERR_NOMEM));
	return count * size;
}

void *
arena_take(struct arena *a, size_t octets)
{
	const size_t unit = alignof(max_align_t);
	struct block *b = a->newest;
	size_t need;
	void *p;

	if (octets > SIZE_MAX / 2)
		die("%s", err_text(ERR_NOMEM));
	need = (octets + unit - 1) / unit * unit;
	if (b == NULL || b->room - b->used < need) {
		size_t room = need > BLOCK_OCTETS ? need : BLOCK_OCTETS;

		b = must_alloc(sizeof *b + room);
		b->room = room;
		b->next = a->newest;
		a->newest = b;
	}
	p = b->at + b->used;
	b->used += need;
	return p;
}

uint8_t *
arena_copy(struct arena *a, struct bytes in)
{
	uint8_t *p = arena_take(a, in.octets + 1);

	if (in.octets > 0)
		memcpy(p, in.at, in.octets);
	return p;
}

char *
arena_strdup(struct arena *a, const char *text)
{
	return (char *)arena_copy(a, bytes_of_text(text));
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	int octets;
	char *p;

	va_start(args, format);
	octets = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (octets < 0)
		die("a text could not be formatted");
	p = arena_take(a, (size_t)octets + 1);
	va_start(args, format);
	vsnprintf(p, (size_t)octets + 1, format, args);
	va_end(args);
	return p;
}

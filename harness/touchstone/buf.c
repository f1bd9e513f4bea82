#include "buf.h"

#include "die.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
buf_clear(struct buf *b)
{
	if (b->at != NULL)
		explicit_bzero(b->at, b->octets);
	mem_free(b->at);
	*b = (struct buf){0};
}

uint8_t *
buf_reserve(struct buf *b, size_t octets)
{
	size_t room = b->room < 256 ? 256 : b->room;
	uint8_t *bigger;

	if (octets > SIZE_MAX / 4 || b->octets > SIZE_MAX / 4)
		die("%s", err_text(ERR_NOMEM));
	if (b->room - b->octets >= octets && b->at != NULL)
		return b->at + b->octets;
	while (room < b->octets + octets)
		room *= 2;
	bigger = mem_zalloc(1, room);
	if (bigger == NULL)
		die("%s", err_text(ERR_NOMEM));
	if (b->at != NULL) {
		/* by new, copy, wipe: it may hold a key */
		memcpy(bigger, b->at, b->octets);
		explicit_bzero(b->at, b->octets);
		mem_free(b->at);
	}
	b->at = bigger;
	b->room = room;
	return b->at + b->octets;
}

void
buf_put(struct buf *b, struct bytes in)
{
	uint8_t *tail = buf_reserve(b, in.octets);

	if (in.octets > 0)
		memcpy(tail, in.at, in.octets);
	b->octets += in.octets;
}

void
buf_text(struct buf *b, const char *text)
{
	buf_put(b, bytes_of_text(text));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	uint8_t *tail;
	int octets;

	va_start(args, format);
	octets = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (octets < 0)
		die("a text could not be formatted");
	tail = buf_reserve(b, (size_t)octets + 1);
	va_start(args, format);
	vsnprintf((char *)tail, (size_t)octets + 1, format, args);
	va_end(args);
	b->octets += (size_t)octets;
}

struct bytes
buf_peek(const struct buf *b)
{
	return (struct bytes){b->at, b->octets};
}

const char *
buf_peek_text(struct buf *b)
{
	*buf_reserve(b, 1) = 0;
	return (const char *)b->at;
}

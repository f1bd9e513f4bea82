#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum { BUF_FIRST_OCTETS = 256 };

void
buf_init(struct buf *b, size_t max_octets)
{
	*b = (struct buf){.max_octets = max_octets};
}

void
buf_clear(struct buf *b)
{
	if (b->at != NULL)
		secret_wipe(b->at, b->room_octets);
	mem_free(b->at);
	buf_init(b, b->max_octets);
}

void
buf_reset(struct buf *b)
{
	if (b->octets != 0)
		secret_wipe(b->at, b->octets);
	b->octets = 0;
}

void
buf_drop(struct buf *b, size_t octets)
{
	size_t rest;

	assert(octets <= b->octets);
	rest = b->octets - octets;
	if (octets == 0)
		return;
	memmove(b->at, b->at + octets, rest);
	secret_wipe(b->at + rest, octets);
	b->octets = rest;
}

enum err
buf_reserve(struct buf *b, size_t octets, uint8_t **tail)
{
	size_t room = b->room_octets;
	uint8_t *at = NULL;

	if (b->max_octets - b->octets < octets)
		return ERR_LIMIT;
	if (room - b->octets >= octets && b->at != NULL) {
		*tail = b->at + b->octets;
		return OK;
	}
	room = room < BUF_FIRST_OCTETS ? BUF_FIRST_OCTETS : room;
	while (room - b->octets < octets)
		room = room > b->max_octets / 2 ? b->max_octets : room * 2;
	if (room > b->max_octets)
		room = b->max_octets;
	at = mem_zalloc(1, room);
	if (at == NULL)
		return ERR_NOMEM;
	if (b->at != NULL) {
		memcpy(at, b->at, b->octets);
		secret_wipe(b->at, b->room_octets);
		mem_free(b->at);
	}
	b->at = at;
	b->room_octets = room;
	*tail = b->at + b->octets;
	return OK;
}

void
buf_added(struct buf *b, size_t octets)
{
	assert(octets <= b->room_octets - b->octets);
	b->octets += octets;
}

enum err
buf_put(struct buf *b, struct bytes in)
{
	uint8_t *tail;
	enum err rc = OK;

	if (in.octets == 0)
		return OK;
	TRY(buf_reserve(b, in.octets, &tail));
	memcpy(tail, in.at, in.octets);
	buf_added(b, in.octets);
out:
	return rc;
}

enum err
buf_put_text(struct buf *b, const char *s)
{
	return buf_put(b, bytes_of_text(s));
}

enum err
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	uint8_t *tail;
	int length;
	enum err rc = OK;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return ERR_VALUE;
	/* vsnprintf writes a NUL, which is not content */
	TRY(buf_reserve(b, (size_t)length + 1, &tail));
	va_start(args, format);
	(void)vsnprintf((char *)tail, (size_t)length + 1, format, args);
	va_end(args);
	buf_added(b, (size_t)length);
out:
	return rc;
}

struct bytes
buf_peek(const struct buf *b)
{
	return (struct bytes){b->at, b->octets};
}

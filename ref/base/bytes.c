#include "base/bytes.h"

#include <string.h>

struct bytes
bytes_of_text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	if (a.octets != b.octets)
		return false;
	return a.octets == 0 || memcmp(a.at, b.at, a.octets) == 0;
}

bool
bytes_equal_text(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_of_text(s));
}

bool
bytes_begin(struct bytes b, struct bytes with)
{
	return b.octets >= with.octets &&
	       bytes_equal((struct bytes){b.at, with.octets}, with);
}

bool
bytes_behind(struct bytes b, const char *text, struct bytes *rest)
{
	struct bytes with = bytes_of_text(text);
	struct bytes head;

	if (!bytes_begin(b, with))
		return false;
	*rest = b;
	return bytes_split(rest, with.octets, &head) == OK;
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t least = a.octets < b.octets ? a.octets : b.octets;
	int order = least == 0 ? 0 : memcmp(a.at, b.at, least);

	if (order != 0)
		return order;
	return (a.octets > b.octets) - (a.octets < b.octets);
}

uint64_t
bytes_hash(struct bytes b, uint64_t seed)
{
	uint64_t h = seed ^ 0xcbf29ce484222325u;
	size_t k;

	for (k = 0; k < b.octets; k++)
		h = (h ^ b.at[k]) * 0x100000001b3u;
	return h;
}

enum err
bytes_split(struct bytes *in, size_t octets, struct bytes *head)
{
	if (in->octets < octets)
		return ERR_TRUNCATED;
	*head = (struct bytes){in->at, octets};
	/* NULL + 0 is undefined in C */
	if (octets != 0)
		*in = (struct bytes){in->at + octets, in->octets - octets};
	return OK;
}

uint32_t
bytes_u16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

uint32_t
bytes_u24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

uint32_t
bytes_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | bytes_u24(p + 1);
}

void
bytes_put_u16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
bytes_put_u24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	bytes_put_u16(p + 1, v);
}

void
bytes_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	bytes_put_u24(p + 1, v);
}

void
bytes_put_u64(uint8_t *p, uint64_t v)
{
	bytes_put_u32(p, (uint32_t)(v >> 32));
	bytes_put_u32(p + 4, (uint32_t)v);
}

bool
bytes_is_utf8(struct bytes b)
{
	const uint8_t *p = b.at;
	size_t left = b.octets;

	while (left != 0) {
		uint32_t point;
		size_t more;
		size_t i;

		if (p[0] < 0x80) {
			p++;
			left--;
			continue;
		}
		if (p[0] >= 0xc2 && p[0] <= 0xdf)
			more = 1;
		else if (p[0] >= 0xe0 && p[0] <= 0xef)
			more = 2;
		else if (p[0] >= 0xf0 && p[0] <= 0xf4)
			more = 3;
		else
			return false;
		if (left <= more)
			return false;
		point = (uint32_t)p[0] & (0x3fU >> more);
		for (i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (p[i] & 0x3fU);
		}
		if ((more == 2 && point < 0x800) ||
		    (more == 3 && (point < 0x10000 || point > 0x10ffff)) ||
		    (point >= 0xd800 && point <= 0xdfff))
			return false;
		p += more + 1;
		left -= more + 1;
	}
	return true;
}

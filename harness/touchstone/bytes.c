#include "bytes.h"

#include <string.h>

struct bytes
bytes_of_text(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.octets == b.octets &&
	       (a.octets == 0 || memcmp(a.at, b.at, a.octets) == 0);
}

uint64_t
bytes_number(const uint8_t *p, size_t octets)
{
	uint64_t v = 0;

	for (size_t i = 0; i < octets; i++)
		v = v << 8 | p[i];
	return v;
}

void
bytes_put_number(uint8_t *p, size_t octets, uint64_t v)
{
	for (size_t i = octets; i > 0; i--) {
		p[i - 1] = (uint8_t)v;
		v >>= 8;
	}
}

/* One character of a UTF-8 text: how many octets it has; 0: it is none. */
static size_t
character(const uint8_t *p, size_t left)
{
	/* spec: RFC 3629 section 4; second octet's range by the first */
	static const struct {
		uint8_t first_low, first_high, second_low, second_high, octets;
	} forms[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3},
	    {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (p[0] < forms[i].first_low || p[0] > forms[i].first_high)
			continue;
		if (left < forms[i].octets || p[1] < forms[i].second_low ||
		    p[1] > forms[i].second_high)
			return 0;
		for (size_t k = 2; k < forms[i].octets; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].octets;
	}
	return 0;
}

bool
bytes_is_utf8(struct bytes b, size_t *bad)
{
	for (size_t i = 0, n; i < b.octets; i += n) {
		n = character(b.at + i, b.octets - i);
		if (n == 0) {
			if (bad != NULL)
				*bad = i;
			return false;
		}
	}
	return true;
}

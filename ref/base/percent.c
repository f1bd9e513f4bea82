#include "base/percent.h"

static bool
is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

enum err
percent_put(struct buf *out, struct bytes value)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t k;
	enum err rc = OK;

	for (k = 0; k < value.octets; k++) {
		uint8_t c = value.at[k];
		uint8_t coded[] = {
		    '%', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};

		if (is_plain(c))
			TRY(buf_put(out, (struct bytes){&c, 1}));
		else
			TRY(buf_put(out, (struct bytes){coded, sizeof(coded)}));
	}
out:
	return rc;
}

/* -1: no hexadecimal digit. */
static int
nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

enum err
percent_decode(uint8_t *at, size_t *octets)
{
	size_t from = 0;
	size_t to = 0;

	while (from < *octets) {
		uint8_t c = at[from++];

		if (c == '%') {
			int high = -1;
			int low = -1;

			if (*octets - from >= 2) {
				high = nibble(at[from]);
				low = nibble(at[from + 1]);
			}
			if (high < 0 || low < 0)
				return ERR_VALUE;
			c = (uint8_t)(high << 4 | low);
			from += 2;
		}
		at[to++] = c;
	}
	*octets = to;
	return OK;
}

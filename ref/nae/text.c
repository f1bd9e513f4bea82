#include "nae/text.h"

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err
hex_read(struct arena *a, struct bytes text, struct bytes *out)
{
	uint8_t *at;
	size_t k;
	enum err rc = OK;

	*out = BYTES_NONE;
	if (text.octets % 2 != 0)
		return ERR_VALUE;
	TRY(ARENA_ARRAY(a, at, text.octets / 2 + 1));
	for (k = 0; k < text.octets; k += 2) {
		int high = hex_value(text.at[k]);
		int low = hex_value(text.at[k + 1]);

		if (high < 0 || low < 0)
			return ERR_VALUE;
		at[k / 2] = (uint8_t)(high << 4 | low);
	}
	*out = (struct bytes){at, text.octets / 2};
out:
	return rc;
}

enum err
hex_put(struct buf *out, struct bytes octets)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t *tail;
	size_t k;
	enum err rc = OK;

	TRY(buf_reserve(out, octets.octets * 2, &tail));
	for (k = 0; k < octets.octets; k++) {
		tail[2 * k] = (uint8_t)digits[octets.at[k] >> 4];
		tail[2 * k + 1] = (uint8_t)digits[octets.at[k] & 15];
	}
	buf_added(out, octets.octets * 2);
out:
	return rc;
}

#include "hex.h"

#include <ctype.h>

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum err
refuse(struct fault *f, unsigned line)
{
	return fault_say(f, ERR_SYNTAX,
	    "line %u: octets are two hexadecimal digits each", line);
}

enum err
hex_read(struct bytes text, struct buf *out, struct fault *f)
{
	unsigned line = 1;
	int high = -1;

	for (size_t i = 0; i < text.octets; i++) {
		uint8_t c = text.at[i];
		int d = digit(c);

		if (d >= 0 && high >= 0) {
			*buf_reserve(out, 1) = (uint8_t)(high << 4 | d);
			out->octets++;
			high = -1;
			continue;
		}
		if (d >= 0) {
			high = d;
			continue;
		}
		if (high >= 0 || (!isspace(c) && c != '#'))
			return refuse(f, line);
		if (c == '#')
			while (i + 1 < text.octets && text.at[i + 1] != '\n')
				i++;
		if (c == '\n')
			line++;
	}
	return high >= 0 ? refuse(f, line) : OK;
}

void
hex_write(struct bytes in, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *tail = buf_reserve(out, in.octets * 2);

	for (size_t i = 0; i < in.octets; i++) {
		tail[2 * i] = (uint8_t)digits[in.at[i] >> 4];
		tail[2 * i + 1] = (uint8_t)digits[in.at[i] & 15];
	}
	out->octets += in.octets * 2;
}

#include "base/base64.h"

#include <string.h>

void
base64_write(struct bytes in, char *out)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t k;

	for (k = 0; k < in.octets; k += BASE64_GROUP_OCTETS) {
		size_t left = in.octets - k;
		uint8_t three[BASE64_GROUP_OCTETS] = {in.at[k],
		    left > 1 ? in.at[k + 1] : 0, left > 2 ? in.at[k + 2] : 0};
		uint32_t bits = bytes_u24(three);

		*out++ = letters[bits >> 18];
		*out++ = letters[bits >> 12 & 63];
		*out++ = left > 1 ? letters[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? letters[bits & 63] : '=';
	}
	*out = '\0';
}

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum err
base64_take(struct base64 *b, uint8_t c)
{
	int value = base64_value(c);

	if (b->ended)
		return ERR_VALUE;
	if (c == '=') {
		if (b->count < 2)
			return ERR_VALUE;
		b->padded++;
		value = 0;
	} else if (value < 0 || b->padded != 0)
		return ERR_VALUE;
	b->bits = b->bits << 6 | (uint32_t)value;
	b->count++;
	return OK;
}

/* A group is complete: its octets, one less for each '='. */
static enum err
base64_group(struct base64 *b, uint8_t *at, size_t *octets)
{
	uint8_t three[BASE64_GROUP_OCTETS];
	size_t count = BASE64_GROUP_OCTETS - b->padded;

	bytes_put_u24(three, b->bits);
	if ((b->padded != 0 && three[count] != 0))
		return ERR_VALUE;
	memcpy(at + *octets, three, count);
	*octets += count;
	*b = (struct base64){.ended = b->padded != 0};
	return OK;
}

enum err
base64_read(struct base64 *b, struct bytes *text, bool blanks, uint8_t *at,
    size_t room, size_t *octets)
{
	enum err rc = OK;

	*octets = 0;
	while (text->octets != 0 && room - *octets >= BASE64_GROUP_OCTETS) {
		uint8_t c = text->at[0];

		text->at++;
		text->octets--;
		if (blanks && is_blank(c))
			continue;
		TRY(base64_take(b, c));
		if (b->count == 4)
			TRY(base64_group(b, at, octets));
	}
out:
	return rc;
}

enum err
base64_end(const struct base64 *b)
{
	return b->count == 0 ? OK : ERR_VALUE;
}

enum err
base64_read_all(struct arena *a, struct bytes text, struct bytes *out)
{
	struct base64 b = {0};
	size_t room = text.octets / 4 * 3 + BASE64_GROUP_OCTETS;
	size_t octets;
	uint8_t *at;
	enum err rc = OK;

	*out = BYTES_NONE;
	TRY(ARENA_ARRAY(a, at, room));
	TRY(base64_read(&b, &text, true, at, room, &octets));
	TRY(base64_end(&b));
	*out = (struct bytes){at, octets};
out:
	return rc;
}

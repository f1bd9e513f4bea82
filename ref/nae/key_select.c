#include "nae/key_select.h"

#include <string.h>

/* Decimal digits, the first of them not 0. 4000 is the most there are, so
 * that no number of them that fits in here is lost. */
static bool
read_number(struct bytes text, uint32_t *out)
{
	enum { DIGITS_MOST = 9 };
	size_t k;

	*out = 0;
	if (text.octets > DIGITS_MOST || text.at[0] == '0')
		return false;
	for (k = 0; k < text.octets; k++) {
		if (text.at[k] < '0' || text.at[k] > '9')
			return false;
		*out = *out * 10 + (uint32_t)(text.at[k] - '0');
	}
	return true;
}

enum err
key_select_read(struct bytes text, struct key_select *out)
{
	const uint8_t *hash =
	    text.octets != 0 ? memchr(text.at, '#', text.octets) : NULL;
	struct bytes rest;

	*out = (struct key_select){.name = text};
	if (hash == NULL)
		return OK;
	out->name.octets = (size_t)(hash - text.at);
	rest = (struct bytes){hash + 1, text.octets - out->name.octets - 1};
	if (rest.octets == 0) {
		out->which = SELECT_EMPTY;
		return OK;
	}
	if (bytes_equal_text(rest, "all")) {
		out->which = SELECT_ALL;
		return OK;
	}
	out->which = SELECT_ONE;
	return read_number(rest, &out->number) ? OK : ERR_KEY_VERSION;
}

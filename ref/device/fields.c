#include "device/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME_MAX_OCTETS = 255,
	NAME_LENGTH_OCTETS = 1,
	VALUE_LENGTH_OCTETS = 4,
	NUMBER_OCTETS = 21, /* as text, with its sign and end */
};

static bool
name_is_valid(struct bytes name)
{
	size_t k;

	for (k = 0; k < name.octets; k++) {
		uint8_t c = name.at[k];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-'))
			return false;
	}
	return name.octets != 0;
}

enum err
fields_put(struct buf *b, const char *name, struct bytes value)
{
	struct bytes n = bytes_of_text(name);
	uint8_t *at;
	enum err rc = OK;

	assert(name_is_valid(n) && n.octets <= NAME_MAX_OCTETS);
	if (value.octets > UINT32_MAX)
		TRY(ERR_LIMIT);
	/* all of it or nothing: half a field cannot be read */
	TRY(buf_reserve(b,
	    NAME_LENGTH_OCTETS + n.octets + VALUE_LENGTH_OCTETS + value.octets,
	    &at));
	*at++ = (uint8_t)n.octets;
	memcpy(at, n.at, n.octets);
	at += n.octets;
	bytes_put_u32(at, (uint32_t)value.octets);
	at += VALUE_LENGTH_OCTETS;
	if (value.octets != 0)
		memcpy(at, value.at, value.octets);
	buf_added(b,
	    NAME_LENGTH_OCTETS + n.octets + VALUE_LENGTH_OCTETS + value.octets);
out:
	return rc;
}

enum err
fields_put_text(struct buf *b, const char *name, const char *value)
{
	return fields_put(b, name, bytes_of_text(value));
}

enum err
fields_put_number(struct buf *b, const char *name, int64_t value)
{
	char text[NUMBER_OCTETS];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return fields_put_text(b, name, text);
}

enum err
fields_next(struct bytes *in, struct field *out)
{
	struct bytes left = *in;
	struct bytes length;
	enum err rc = OK;

	if (left.octets == 0)
		return ERR_NOT_FOUND;
	TRY(bytes_split(&left, NAME_LENGTH_OCTETS, &length));
	TRY(bytes_split(&left, *length.at, &out->name));
	if (!name_is_valid(out->name))
		TRY(ERR_VALUE);
	TRY(bytes_split(&left, VALUE_LENGTH_OCTETS, &length));
	TRY(bytes_split(&left, bytes_u32(length.at), &out->value));
	*in = left;
out:
	return rc;
}

enum err
fields_find(struct bytes in, const char *name, struct bytes *out)
{
	struct field field;
	bool found = false;
	enum err rc;

	while ((rc = fields_next(&in, &field)) == OK) {
		if (found || !bytes_equal_text(field.name, name))
			continue;
		*out = field.value;
		found = true;
	}
	return rc == ERR_NOT_FOUND && found ? OK : rc;
}

/* As fields_put_number writes them: one text for each number. */
static enum err
number_read(struct bytes text, int64_t *out)
{
	char again[NUMBER_OCTETS];
	uint64_t magnitude = 0;
	bool negative = text.octets != 0 && text.at[0] == '-';
	size_t k;

	if (text.octets >= sizeof(again))
		return ERR_VALUE;
	for (k = negative; k < text.octets; k++) {
		if (text.at[k] < '0' || text.at[k] > '9')
			return ERR_VALUE;
		magnitude = magnitude * 10 + (uint64_t)(text.at[k] - '0');
	}
	*out = (int64_t)(negative ? 0 - magnitude : magnitude);
	/* beyond the type, without a digit, -0, 007 */
	(void)snprintf(again, sizeof(again), "%" PRId64, *out);
	return bytes_equal_text(text, again) ? OK : ERR_VALUE;
}

enum err
fields_number(struct bytes in, const char *name, int64_t *out)
{
	struct bytes text;
	int64_t number;
	enum err rc = OK;

	rc = fields_find(in, name, &text);
	if (rc == ERR_NOT_FOUND)
		return OK;
	TRY(rc);
	TRY(number_read(text, &number));
	*out = number;
out:
	return rc;
}

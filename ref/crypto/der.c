#include "crypto/der.h"

#include <assert.h>
#include <string.h>

/* No key is longer than three octets of length can say. */
enum { MOST_LENGTH_OCTETS = 3 };

static enum err
take_length(struct bytes *in, size_t *length)
{
	struct bytes octets;
	size_t count, k;
	enum err rc = OK;

	TRY(bytes_split(in, 1, &octets));
	*length = octets.at[0];
	if (octets.at[0] < 0x80)
		return OK;
	count = octets.at[0] & 0x7fU;
	if (count == 0 || count > MOST_LENGTH_OCTETS)
		TRY(ERR_LENGTH);
	TRY(bytes_split(in, count, &octets));
	*length = 0;
	for (k = 0; k < count; k++)
		*length = *length << 8 | octets.at[k];
	if (*length < 0x80 || octets.at[0] == 0)
		TRY(ERR_LENGTH);
out:
	return rc;
}

bool
der_next_is(struct bytes in, unsigned tag)
{
	return in.octets != 0 && in.at[0] == tag;
}

enum err
der_take(struct bytes *in, unsigned tag, struct bytes *content)
{
	struct bytes left = *in;
	struct bytes octet;
	size_t length;
	enum err rc = OK;

	*content = BYTES_NONE;
	if (!der_next_is(left, tag))
		TRY(ERR_TYPE);
	TRY(bytes_split(&left, 1, &octet));
	TRY(take_length(&left, &length));
	TRY(bytes_split(&left, length, content));
	*in = left;
out:
	return rc;
}

enum err
der_take_number(struct bytes *in, struct bytes *number)
{
	struct bytes octets, zero;
	enum err rc = OK;

	*number = BYTES_NONE;
	TRY(der_take(in, DER_INTEGER, &octets));
	if (octets.octets == 0 || octets.at[0] >= 0x80)
		TRY(ERR_VALUE);
	if (octets.at[0] == 0) {
		TRY(bytes_split(&octets, 1, &zero));
		/* a zero in front only keeps the number positive */
		if (octets.octets != 0 && octets.at[0] < 0x80)
			TRY(ERR_VALUE);
	}
	*number = octets;
out:
	return rc;
}

enum err
der_take_bits(struct bytes *in, struct bytes *content)
{
	struct bytes unused;
	enum err rc = OK;

	TRY(der_take(in, DER_BIT_STRING, content));
	if (content->octets == 0 || content->at[0] != 0)
		TRY(ERR_VALUE);
	TRY(bytes_split(content, 1, &unused));
out:
	return rc;
}

enum err
der_new(struct arena *a, size_t room_octets, struct der *d)
{
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, d->room, room_octets));
	d->end = d->room + room_octets;
	d->at = d->end;
out:
	return rc;
}

struct bytes
der_peek(const struct der *d)
{
	return (struct bytes){d->at, (size_t)(d->end - d->at)};
}

void
der_put(struct der *d, struct bytes b)
{
	assert(b.octets <= (size_t)(d->at - d->room));
	if (b.octets == 0)
		return;
	d->at -= b.octets;
	memcpy(d->at, b.at, b.octets);
}

static void
put_octet(struct der *d, unsigned octet)
{
	assert(d->at > d->room);
	*--d->at = (uint8_t)octet;
}

void
der_put_header(struct der *d, unsigned tag, const uint8_t *content_end)
{
	size_t length, left;
	unsigned count = 0;

	if (tag == DER_BIT_STRING)
		put_octet(d, 0);
	length = (size_t)(content_end - d->at);
	if (length < 0x80) {
		put_octet(d, (unsigned)length);
	} else {
		for (left = length; left != 0; left >>= 8) {
			put_octet(d, left & 0xff);
			count++;
		}
		put_octet(d, 0x80 | count);
	}
	put_octet(d, tag);
}

void
der_put_number(struct der *d, struct bytes number)
{
	const uint8_t *end = d->at;

	der_put(d, number);
	if (number.octets == 0 || number.at[0] >= 0x80)
		put_octet(d, 0);
	der_put_header(d, DER_INTEGER, end);
}

void
der_put_value(struct der *d, unsigned tag, struct bytes content)
{
	const uint8_t *end = d->at;

	der_put(d, content);
	der_put_header(d, tag, end);
}

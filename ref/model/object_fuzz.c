/* Attributes as the store keeps them: what is decoded is written the same. */
#include <stdlib.h>

#include "model/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static const struct bytes id = {(const uint8_t *)"a", 1};

/* What every object begins with, to get at the attributes behind it. */
static const uint8_t head[] = "TSOB\0\1\0\1\x42\x01\x25\1\0\0\0\0"
			      "\x42\0\x94\7\0\0\0\1a\0\0\0\0\0\0\0"
			      "\x42\0\x57\5\0\0\0\4\0\0\0\2\0\0\0";

static void
decode_and_back(struct bytes in)
{
	struct object *o = NULL;
	struct object *again = NULL;
	struct object *clone = NULL;
	struct buf first;
	struct buf second;
	bool changed;

	if (object_decode(id, id, OBJECT_TYPE_SYMMETRIC_KEY, in, &o) != OK)
		return;
	buf_init(&first, OBJECT_CAP_OCTETS);
	buf_init(&second, OBJECT_CAP_OCTETS);
	if (object_encode_attrs(o, &first) != OK ||
	    object_decode(id, id, o->object_type, buf_peek(&first), &again) !=
		OK ||
	    object_clone(again, &clone) != OK ||
	    object_encode_attrs(clone, &second) != OK ||
	    !bytes_equal(buf_peek(&first), buf_peek(&second)))
		abort();
	if (object_tick(clone, INT64_MAX, &changed) != OK ||
	    object_due_s(clone) != INT64_MAX)
		abort();
	object_free(o);
	object_free(again);
	object_free(clone);
	buf_clear(&first);
	buf_clear(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct buf whole;
	uint32_t body_octets;

	decode_and_back((struct bytes){data, octets});
	if (octets > OBJECT_CAP_OCTETS / 2)
		return 0;
	buf_init(&whole, OBJECT_CAP_OCTETS);
	/* the NUL that ends the string is the last of its padding */
	if (buf_put(&whole, (struct bytes){head, sizeof(head)}) != OK ||
	    buf_put(&whole, (struct bytes){data, octets}) != OK)
		abort();
	body_octets = (uint32_t)(whole.octets - 16);
	bytes_put_u32(whole.at + 12, body_octets);
	decode_and_back(buf_peek(&whole));
	buf_clear(&whole);
	return 0;
}

/* Attributes as the store keeps them: what is decoded is written the same. */
#include <stdlib.h>

#include "model/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static const struct bytes id = {(const uint8_t *)"a", 1};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct object *o = NULL;
	struct object *again = NULL;
	struct object *clone = NULL;
	struct buf first;
	struct buf second;
	bool changed;

	buf_init(&first, OBJECT_CAP_OCTETS);
	buf_init(&second, OBJECT_CAP_OCTETS);
	if (object_decode(id, id, OBJECT_TYPE_SYMMETRIC_KEY, in, &o) != OK)
		return 0;
	if (object_encode_attrs(o, &first) != OK ||
	    object_decode(id, id, o->object_type, buf_peek(&first), &again) !=
		OK ||
	    object_clone(again, &clone) != OK ||
	    object_encode_attrs(clone, &second) != OK ||
	    !bytes_equal(buf_peek(&first), buf_peek(&second)))
		abort();
	(void)object_due_s(o);
	if (object_tick(clone, INT64_MAX, &changed) != OK)
		abort();
	object_free(o);
	object_free(again);
	object_free(clone);
	buf_clear(&first);
	buf_clear(&second);
	return 0;
}

/*
 * What the schema accepts in an answer, shaping leaves as it is; what shaping
 * makes of any answer, the schema accepts.
 */
#include <stdlib.h>

#include "wire/item.h"
#include "wire/ttlv.h"

enum { ARENA_OCTETS = 1 << 20 };

static void
response_fuzz(struct arena *a, struct item *message, enum version v)
{
	struct fault f = {""};
	struct item *copy;
	enum err checked = schema_check_response(message, v, &f);

	if (item_copy(a, message, &copy) != OK)
		return;
	if (schema_shape_response(message, v, &f) != OK) {
		if (checked == OK)
			abort();
		return;
	}
	if (checked == OK && !item_equal(message, copy))
		abort();
	if (schema_check_response(message, v, &f) != OK)
		abort();
}

static void
request_fuzz(const struct item *message, enum version v)
{
	struct fault f = {""};

	if (schema_check_request(message, v, &f) != OK)
		return;
	ITEM_EACH (message, item)
		if (item->tag == TAG_BATCH_ITEM)
			(void)!schema_check_payload(
			    item_find(item, TAG_REQUEST_PAYLOAD),
			    (uint32_t)item_number(item, TAG_OPERATION, 0), v,
			    &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

/* The first octet chooses the version. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct arena *a = NULL;
	struct fault f = {""};
	struct item *item;
	enum version v;

	if (octets == 0 || arena_new(ARENA_OCTETS, &a) != OK)
		return 0;
	v = schema_versions[data[0] % VERSION_COUNT];
	if (ttlv_parse(a, (struct bytes){data + 1, octets - 1}, &item) == OK) {
		(void)!schema_check_object(item, v, &f);
		(void)!schema_check_attribute(item, v, &f);
		request_fuzz(item, v);
		response_fuzz(a, item, v);
	}
	arena_free(a);
	return 0;
}

/*
 * Attributes as a peer sends them, in a Create of any version: whatever the
 * schema lets pass is read, and what is read can be written for every version
 * so that the answer conforms.
 */
#include <stdlib.h>

#include "model/attr.h"
#include "wire/ttlv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(enum err rc)
{
	if (rc != OK)
		abort();
}

/* The items of `body` as children of a Create's structure of attributes. */
static enum err
payload_of(
    struct arena *a, struct bytes body, enum version v, struct item **out)
{
	uint8_t *at;
	struct item *holder;
	enum err rc = OK;

	TRY(ARENA_ARRAY(a, at, TTLV_HEADER_OCTETS + body.octets));
	bytes_put_u24(at, v < V2_0 ? TAG_TEMPLATE_ATTRIBUTE : TAG_ATTRIBUTES);
	at[3] = STRUCTURE;
	bytes_put_u32(at + 4, (uint32_t)body.octets);
	for (size_t i = 0; i < body.octets; i++)
		at[TTLV_HEADER_OCTETS + i] = body.at[i];
	TRY(ttlv_parse(
	    a, (struct bytes){at, TTLV_HEADER_OCTETS + body.octets}, &holder));
	TRY(item_add_structure(a, NULL, TAG_REQUEST_PAYLOAD, out));
	TRY(item_add_number(
	    a, *out, TAG_OBJECT_TYPE, ENUMERATION, OBJECT_TYPE_SYMMETRIC_KEY));
	item_append(*out, holder);
out:
	return rc;
}

static void
write_and_shape(struct arena *a, const struct attr_list *list, enum version v)
{
	struct item *payload;
	struct fault fault;

	must(item_add_structure(a, NULL, TAG_RESPONSE_PAYLOAD, &payload));
	must(item_add_text(a, payload, TAG_UNIQUE_IDENTIFIER, "a"));
	ATTR_EACH (list, one)
		must(attr_write(a, payload, v, one));
	/* 2.x has Attributes there, if with nothing in it */
	if (v >= V2_0 && item_find(payload, TAG_ATTRIBUTES) == NULL)
		return;
	must(
	    schema_shape_payload(payload, OPERATION_GET_ATTRIBUTES, v, &fault));
	must(
	    schema_check_payload(payload, OPERATION_GET_ATTRIBUTES, v, &fault));
}

static enum err
read_and_write(struct arena *a, struct bytes body, enum version v)
{
	struct attr_list list = {0};
	struct item *payload;
	struct fault fault;
	enum err rc = OK;

	TRY(payload_of(a, body, v, &payload));
	TRY(schema_check_payload(payload, OPERATION_CREATE, v, &fault));
	TRY(attr_read_list(a, payload->last, v, &list, &fault));
	/* as the operations do */
	ATTR_EACH (&list, one)
		if (!attr_is_whole(one))
			return ERR_APP_NAMESPACE;
	for (size_t i = 0; i < VERSION_COUNT; i++)
		write_and_shape(a, &list, schema_versions[i]);
out:
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data, octets};
	struct bytes head;
	struct arena *a = NULL;

	if (octets > 4096 || bytes_split(&in, 1, &head) != OK)
		return 0;
	must(arena_new(1 << 22, &a));
	/* to be refused is an answer, too */
	(void)!read_and_write(a, in, schema_versions[*head.at % VERSION_COUNT]);
	arena_free(a);
	return 0;
}

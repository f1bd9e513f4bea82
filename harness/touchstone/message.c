#include "message.h"

#include "touchstone_tags.h"

struct node *
put_structure(struct arena *a, struct node *parent, uint32_t tag)
{
	struct node *n = node_new(a, tag, TYPE_STRUCTURE, BYTES_NONE);

	if (parent != NULL)
		node_append(parent, n);
	return n;
}

struct node *
put_bytes(struct arena *a, struct node *parent, uint32_t tag,
    enum item_type type, struct bytes value)
{
	struct node *n = node_new(
	    a, tag, type, (struct bytes){arena_copy(a, value), value.octets});

	node_append(parent, n);
	return n;
}

struct node *
put_text(struct arena *a, struct node *parent, uint32_t tag, const char *text)
{
	return put_bytes(a, parent, tag, TYPE_TEXT_STRING, bytes_of_text(text));
}

struct node *
put_number(struct arena *a, struct node *parent, uint32_t tag,
    enum item_type type, int64_t v)
{
	uint8_t octets[8];

	bytes_put_number(octets, type_octets(type), (uint64_t)v);
	return put_bytes(
	    a, parent, tag, type, (struct bytes){octets, type_octets(type)});
}

struct node *
put_enum(struct arena *a, struct node *parent, uint32_t tag, uint32_t v)
{
	return put_number(a, parent, tag, TYPE_ENUMERATION, v);
}

struct node *
message_new(struct arena *a, unsigned version)
{
	struct node *m = put_structure(a, NULL, TAG_REQUEST_MESSAGE);
	struct node *header = put_structure(a, m, TAG_REQUEST_HEADER);
	struct node *v = put_structure(a, header, TAG_PROTOCOL_VERSION);

	put_number(
	    a, v, TAG_PROTOCOL_VERSION_MAJOR, TYPE_INTEGER, version >> 4);
	put_number(
	    a, v, TAG_PROTOCOL_VERSION_MINOR, TYPE_INTEGER, version & 15);
	put_number(a, header, TAG_BATCH_COUNT, TYPE_INTEGER, 0);
	return m;
}

struct node *
message_item(struct arena *a, struct node *message, uint32_t operation)
{
	struct node *item = put_structure(a, message, TAG_BATCH_ITEM);
	struct node *count = node_find(message->first, TAG_BATCH_COUNT);
	uint8_t *octets = arena_take(a, 4);

	put_enum(a, item, TAG_OPERATION, operation);
	bytes_put_number(octets, 4, node_count(message, TAG_BATCH_ITEM));
	count->value = octets;
	/* spec: kmip-1.4 7.2: required where there are several */
	put_bytes(a, item, TAG_UNIQUE_BATCH_ITEM_ID, TYPE_BYTE_STRING,
	    (struct bytes){octets, 4});
	return put_structure(a, item, TAG_REQUEST_PAYLOAD);
}

/*
 * Put a header field where the schema has it: behind those that may stand
 * before it.
 */
static void
insert_before(struct node *header, struct node *n, const uint32_t *later)
{
	struct node **at = &header->first;

	for (; *at != NULL; at = &(*at)->next)
		for (const uint32_t *tag = later; *tag != 0; tag++)
			if ((*at)->tag == *tag)
				goto found;
found:
	n->next = *at;
	n->parent = header;
	*at = n;
	header->children++;
}

void
message_continue(struct arena *a, struct node *message)
{
	static const uint32_t later[] = {
	    TAG_BATCH_ORDER_OPTION, TAG_TIME_STAMP, TAG_BATCH_COUNT, 0};
	struct node *parent = put_structure(a, NULL, TAG_REQUEST_HEADER);
	struct node *n =
	    put_enum(a, parent, TAG_BATCH_ERROR_CONTINUATION_OPTION,
		BATCH_ERROR_CONTINUATION_OPTION_CONTINUE);

	insert_before(message->first, n, later);
}

void
message_authenticate(struct arena *a, struct node *message,
    const char *username, const char *password)
{
	static const uint32_t later[] = {TAG_BATCH_ERROR_CONTINUATION_OPTION,
	    TAG_BATCH_ORDER_OPTION, TAG_TIME_STAMP, TAG_BATCH_COUNT, 0};
	struct node *authentication, *credential, *value;

	authentication = put_structure(a, NULL, TAG_AUTHENTICATION);
	credential = put_structure(a, authentication, TAG_CREDENTIAL);
	put_enum(a, credential, TAG_CREDENTIAL_TYPE,
	    CREDENTIAL_TYPE_USERNAME_AND_PASSWORD);
	value = put_structure(a, credential, TAG_CREDENTIAL_VALUE);
	put_text(a, value, TAG_USERNAME, username);
	if (password != NULL)
		put_text(a, value, TAG_PASSWORD, password);
	insert_before(message->first, authentication, later);
}

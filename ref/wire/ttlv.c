#include "wire/ttlv.h"

#include <string.h>

/* Fewer calls of the arena: items come from it some at a time. */
enum { ITEMS_AT_A_TIME = 16 };

struct parser {
	struct arena *arena;
	struct item *spare; /* of the last array taken */
	size_t spare_count;
	size_t item_count;
};

/* A structure that is being read: its item, and its octets not read yet. */
struct frame {
	struct item *item;
	struct bytes rest;
	bool any_tag; /* in a Vendor Extension */
};

enum err
ttlv_message_octets(struct bytes in, size_t *octets)
{
	*octets = 0;
	if (in.octets < TTLV_HEADER_OCTETS)
		return ERR_TRUNCATED;
	if (in.at[3] != STRUCTURE)
		return ERR_UNEXPECTED;
	*octets = TTLV_HEADER_OCTETS + (size_t)bytes_u32(in.at + 4);
	return OK;
}

static enum err
item_take(struct parser *parser, size_t octets_left, struct item **out)
{
	enum err rc = OK;

	*out = NULL;
	if (parser->item_count == TTLV_MAX_ITEMS)
		return ERR_COUNT;
	if (parser->spare_count == 0) {
		/* there cannot be more items than headers */
		size_t most = 1 + octets_left / TTLV_HEADER_OCTETS;
		size_t count = most < ITEMS_AT_A_TIME ? most : ITEMS_AT_A_TIME;

		TRY(ARENA_ARRAY(parser->arena, parser->spare, count));
		parser->spare_count = count;
	}
	parser->item_count++;
	parser->spare_count--;
	*out = parser->spare++;
out:
	return rc;
}

static bool
is_zero(const uint8_t *at, size_t octets)
{
	uint8_t any = 0;

	for (size_t i = 0; i < octets; i++)
		any |= at[i];
	return any == 0;
}

/* The value of anything but a structure; `body` is as long as it says. */
static enum err
value_parse(struct item *item, struct bytes body)
{
	switch (item->type) {
	case INTEGER:
		if (body.octets != 4)
			return ERR_LENGTH;
		item->number = (int32_t)bytes_u32(body.at);
		return OK;
	case ENUMERATION:
	case INTERVAL:
		if (body.octets != 4)
			return ERR_LENGTH;
		item->number = bytes_u32(body.at);
		return OK;
	case LONG_INTEGER:
	case DATE_TIME:
	case DATE_TIME_EXTENDED:
		if (body.octets != 8)
			return ERR_LENGTH;
		item->number = (int64_t)bytes_u64(body.at);
		return OK;
	case BOOLEAN:
		if (body.octets != 8)
			return ERR_LENGTH;
		if (bytes_u64(body.at) > 1)
			return ERR_VALUE;
		item->number = body.at[7];
		return OK;
	case BIG_INTEGER:
		if (body.octets == 0 || body.octets % 8 != 0)
			return ERR_LENGTH;
		item->octets = body;
		return OK;
	case TEXT_STRING:
		if (!bytes_is_utf8(body))
			return ERR_UTF8;
		item->octets = body;
		return OK;
	case BYTE_STRING:
		item->octets = body;
		return OK;
	case STRUCTURE:
		break;
	}
	return ERR_TYPE;
}

/*
 * Tags begin with 42, those of extensions with 54; the specification's own
 * test cases have others in a Vendor Extension.
 */
static bool
is_tag(uint32_t tag)
{
	return tag >> 16 == 0x42 || tag >> 16 == 0x54;
}

/* One item without its children; a structure's octets go to *inside. */
static enum err
item_parse(struct parser *parser, struct bytes *in, struct item **out,
    struct bytes *inside)
{
	const uint8_t *header = in->at;
	struct item *item;
	struct bytes body;
	size_t body_octets;
	size_t padding_octets;
	enum err rc = OK;

	if (in->octets < TTLV_HEADER_OCTETS)
		return ERR_TRUNCATED;
	TRY(item_take(parser, in->octets - TTLV_HEADER_OCTETS, &item));
	item->tag = bytes_u24(header);
	item->type = header[3];
	body_octets = bytes_u32(header + 4);
	padding_octets = -body_octets & 7;
	if (in->octets - TTLV_HEADER_OCTETS < body_octets)
		return ERR_TRUNCATED;
	body = (struct bytes){header + TTLV_HEADER_OCTETS, body_octets};
	*in = (struct bytes){body.at + body_octets,
	    in->octets - TTLV_HEADER_OCTETS - body_octets};
	if (item->type == STRUCTURE) {
		if (padding_octets != 0)
			return ERR_LENGTH;
		*inside = body;
	} else {
		TRY(value_parse(item, body));
		if (in->octets < padding_octets)
			return ERR_TRUNCATED;
		if (!is_zero(in->at, padding_octets))
			return ERR_PADDING;
		*in = (struct bytes){
		    in->at + padding_octets, in->octets - padding_octets};
	}
	*out = item;
out:
	return rc;
}

enum err
ttlv_parse(struct arena *a, struct bytes in, struct item **out)
{
	struct parser parser = {.arena = a};
	struct frame open[TTLV_MAX_DEPTH];
	size_t depth = 0;
	struct item *root;
	struct item *item;
	struct bytes inside;
	enum err rc = OK;

	*out = NULL;
	TRY(item_parse(&parser, &in, &root, &inside));
	if (!is_tag(root->tag))
		return ERR_UNEXPECTED;
	if (in.octets != 0)
		return ERR_TRAILING;
	if (root->type == STRUCTURE)
		open[depth++] = (struct frame){
		    root, inside, root->tag == TAG_VENDOR_EXTENSION};
	while (depth != 0) {
		struct frame *top = &open[depth - 1];

		if (top->rest.octets == 0) {
			depth--;
			continue;
		}
		TRY(item_parse(&parser, &top->rest, &item, &inside));
		item_append(top->item, item);
		if (!top->any_tag && !is_tag(item->tag))
			return ERR_UNEXPECTED;
		if (item->type != STRUCTURE)
			continue;
		if (depth == TTLV_MAX_DEPTH)
			return ERR_DEPTH;
		open[depth++] = (struct frame){item, inside,
		    top->any_tag || item->tag == TAG_VENDOR_EXTENSION};
	}
	*out = root;
out:
	return rc;
}

static size_t
padded(size_t octets)
{
	return octets + (-octets & 7);
}

/* What the Length field says of it. */
static size_t
value_octets(const struct item *item)
{
	size_t octets = 0;

	switch (item->type) {
	case STRUCTURE:
		ITEM_EACH (item, child)
			octets += ttlv_octets(child);
		return octets;
	case INTEGER:
	case ENUMERATION:
	case INTERVAL:
		return 4;
	case LONG_INTEGER:
	case BOOLEAN:
	case DATE_TIME:
	case DATE_TIME_EXTENDED:
		return 8;
	case BIG_INTEGER:
	case TEXT_STRING:
	case BYTE_STRING:
		return item->octets.octets;
	}
	return 0;
}

size_t
ttlv_octets(const struct item *item)
{
	return TTLV_HEADER_OCTETS + padded(value_octets(item));
}

/* Write at p, where there is room (and zeros), and answer the end of it. */
static uint8_t *
item_write(const struct item *item, uint8_t *p)
{
	uint8_t *body = p + TTLV_HEADER_OCTETS;
	size_t body_octets;

	bytes_put_u24(p, item->tag);
	p[3] = (uint8_t)item->type;
	if (item->type == STRUCTURE) {
		uint8_t *end = body;

		ITEM_EACH (item, child)
			end = item_write(child, end);
		bytes_put_u32(p + 4, (uint32_t)(end - body));
		return end;
	}
	body_octets = value_octets(item);
	bytes_put_u32(p + 4, (uint32_t)body_octets);
	memset(body + body_octets, 0, -body_octets & 7);
	if (item_has_octets(item)) {
		if (body_octets != 0)
			memcpy(body, item->octets.at, body_octets);
	} else if (body_octets == 4) {
		bytes_put_u32(body, (uint32_t)item->number);
	} else {
		bytes_put_u64(body, (uint64_t)item->number);
	}
	return body + padded(body_octets);
}

enum err
ttlv_write(const struct item *item, struct buf *out)
{
	size_t octets = ttlv_octets(item);
	uint8_t *tail;
	enum err rc = OK;

	if (octets - TTLV_HEADER_OCTETS > UINT32_MAX)
		return ERR_LIMIT;
	TRY(buf_reserve(out, octets, &tail));
	(void)item_write(item, tail);
	buf_added(out, octets);
out:
	return rc;
}

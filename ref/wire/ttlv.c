#include "wire/ttlv.h"

#include <endian.h>
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

/* Eight octets, as one load: this is the path that every request takes. */
static uint64_t
load_u64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return be64toh(v);
}

/* A value of four octets and their padding, or of eight. */
static enum err
number_parse(struct item *item, size_t octets, struct bytes *in)
{
	bool is_short = item->type == INTEGER || item->type == ENUMERATION ||
			item->type == INTERVAL;
	uint64_t value;

	if (octets != (is_short ? 4 : 8))
		return ERR_LENGTH;
	if (in->octets < 8)
		return ERR_TRUNCATED;
	value = load_u64(in->at);
	*in = (struct bytes){in->at + 8, in->octets - 8};
	if (is_short) {
		if ((uint32_t)value != 0)
			return ERR_PADDING;
		value >>= 32;
	}
	if (item->type == BOOLEAN && value > 1)
		return ERR_VALUE;
	item->number = item->type == INTEGER ? (int32_t)value : (int64_t)value;
	return OK;
}

/* A value of any length, and its padding. */
static enum err
octets_parse(struct item *item, size_t octets, struct bytes *in)
{
	size_t padding_octets = -octets & 7;
	uint8_t padding = 0;

	if (item->type == BIG_INTEGER && (octets == 0 || padding_octets != 0))
		return ERR_LENGTH;
	if (in->octets < octets || in->octets - octets < padding_octets)
		return ERR_TRUNCATED;
	item->octets = (struct bytes){in->at, octets};
	for (size_t i = 0; i < padding_octets; i++)
		padding |= in->at[octets + i];
	if (padding != 0)
		return ERR_PADDING;
	if (item->type == TEXT_STRING && !bytes_is_utf8(item->octets))
		return ERR_UTF8;
	octets += padding_octets;
	*in = (struct bytes){in->at + octets, in->octets - octets};
	return OK;
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
	struct item *item;
	uint64_t header;
	size_t octets;
	enum err rc = OK;

	if (in->octets < TTLV_HEADER_OCTETS)
		return ERR_TRUNCATED;
	header = load_u64(in->at);
	*in = (struct bytes){
	    in->at + TTLV_HEADER_OCTETS, in->octets - TTLV_HEADER_OCTETS};
	TRY(item_take(parser, in->octets, &item));
	item->tag = (uint32_t)(header >> 40);
	item->type = header >> 32 & 0xff;
	octets = (uint32_t)header;
	*out = item;
	switch (item->type) {
	case STRUCTURE:
		if (in->octets < octets)
			return ERR_TRUNCATED;
		if (octets % 8 != 0)
			return ERR_LENGTH;
		*inside = (struct bytes){in->at, octets};
		*in = (struct bytes){in->at + octets, in->octets - octets};
		return OK;
	case INTEGER:
	case LONG_INTEGER:
	case ENUMERATION:
	case BOOLEAN:
	case DATE_TIME:
	case INTERVAL:
	case DATE_TIME_EXTENDED:
		return number_parse(item, octets, in);
	case BIG_INTEGER:
	case TEXT_STRING:
	case BYTE_STRING:
		return octets_parse(item, octets, in);
	}
	rc = ERR_TYPE;
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

static void
store_u64(uint8_t *at, uint64_t v)
{
	v = htobe64(v);
	memcpy(at, &v, sizeof(v));
}

static void
header_write(const struct item *item, size_t body_octets, uint8_t *at)
{
	store_u64(at, (uint64_t)item->tag << 40 | (uint64_t)item->type << 32 |
			  body_octets);
}

/* Write at p, where there is room, and answer the end of it. */
static uint8_t *
item_write(const struct item *item, uint8_t *p)
{
	uint8_t *body = p + TTLV_HEADER_OCTETS;
	size_t octets;

	if (item->type == STRUCTURE) {
		uint8_t *end = body;

		ITEM_EACH (item, child)
			end = item_write(child, end);
		header_write(item, (size_t)(end - body), p);
		return end;
	}
	octets = value_octets(item);
	header_write(item, octets, p);
	if (item_has_octets(item)) {
		if (octets == 0)
			return body;
		/* the padding first: it ends the last eight octets */
		memset(body + padded(octets) - 8, 0, 8);
		memcpy(body, item->octets.at, octets);
	} else if (octets == 4) {
		store_u64(body, (uint64_t)item->number << 32);
	} else {
		store_u64(body, (uint64_t)item->number);
	}
	return body + padded(octets);
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

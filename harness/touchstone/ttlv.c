#include "ttlv.h"

#include "schema.h"
#include "touchstone_tags.h"

struct reader {
	struct arena *a;
	const uint8_t *start; /* of the message */
	unsigned items;
	struct finding *f;
};

static size_t
padding_octets(uint32_t length)
{
	return (8 - length % 8) % 8;
}

static enum err
refuse(struct reader *r, enum err kind, const struct node *n, size_t offset)
{
	enum err rc = finding_at(r->f, kind, n);

	r->f->offset = offset;
	return rc;
}

static bool
tag_is_allowed(const struct node *n)
{
	if (n->tag >> 16 == 0x42 || n->tag >> 16 == 0x54)
		return true;
	for (const struct node *p = n->parent; p != NULL; p = p->parent)
		if (p->tag == TAG_VENDOR_EXTENSION)
			return true;
	return false;
}

/* The header's own rules: what needs no look at the value. */
static enum err
check_header(struct reader *r, const struct node *n, unsigned code, size_t left)
{
	if (!tag_is_allowed(n)) {
		finding_expected(r->f, "a tag 42xxxx or 54xxxx");
		finding_got(r->f, "%06x", n->tag);
		return refuse(r, ERR_TAG, n, n->offset);
	}
	if (!type_is_known(code)) {
		finding_expected(r->f, "an item type 01 to 0b");
		finding_got(r->f, "%02x", code);
		return refuse(r, ERR_TYPE, n, n->offset + 3);
	}
	if (type_octets(n->type) != 0 && n->length != type_octets(n->type)) {
		finding_expected(r->f, "length %u for %s", type_octets(n->type),
		    type_name(n->type));
		finding_got(r->f, "%u", n->length);
		return refuse(r, ERR_LENGTH, n, n->offset + 4);
	}
	if ((n->type == TYPE_BIG_INTEGER &&
		(n->length == 0 || n->length % 8 != 0)) ||
	    (n->type == TYPE_STRUCTURE && n->length % 8 != 0)) {
		finding_expected(
		    r->f, "a multiple of 8 for %s", type_name(n->type));
		finding_got(r->f, "%u", n->length);
		return refuse(r, ERR_LENGTH, n, n->offset + 4);
	}
	if (left < n->length || left - n->length < padding_octets(n->length)) {
		finding_expected(r->f, "%zu octets at most", left);
		finding_got(r->f, "%u, and %zu of padding", n->length,
		    padding_octets(n->length));
		return refuse(r, n->parent == NULL ? ERR_TRUNCATED : ERR_PARENT,
		    n, n->offset + 4);
	}
	return OK;
}

static enum err
check_value(struct reader *r, const struct node *n)
{
	struct bytes value = node_value(n);
	size_t bad = 0;

	for (size_t i = 0; i < padding_octets(n->length); i++) {
		if (n->value[n->length + i] == 0)
			continue;
		finding_expected(r->f, "padding 00");
		finding_got(r->f, "%02x", n->value[n->length + i]);
		return refuse(r, ERR_PADDING, n,
		    n->offset + TTLV_HEADER_OCTETS + n->length + i);
	}
	if (n->type == TYPE_BOOLEAN && bytes_number(n->value, 8) > 1) {
		finding_expected(r->f, "0 or 1");
		finding_got(r->f, "%016llx",
		    (unsigned long long)bytes_number(n->value, 8));
		return refuse(r, ERR_BOOLEAN, n, n->offset + 8);
	}
	if (n->type == TYPE_TEXT_STRING && !bytes_is_utf8(value, &bad)) {
		finding_expected(r->f, "UTF-8");
		finding_got(r->f, "%02x", n->value[bad]);
		return refuse(r, ERR_UTF8, n, n->offset + 8 + bad);
	}
	return OK;
}

/*
 * One item from the front of `*in`, which is the parent's octets and nothing
 * else, so an item that overruns its parent cannot be taken for its neighbour.
 */
static enum err
decode_item(struct reader *r, struct node *parent, struct bytes *in,
    unsigned depth, struct node **out)
{
	struct node *n = ARENA_NEW(r->a, struct node);
	struct bytes inner;
	unsigned code;
	size_t octets;
	enum err rc = OK;

	n->offset = (size_t)(in->at - r->start);
	if (depth > TTLV_MAX_DEPTH || r->items++ >= TTLV_MAX_ITEMS) {
		finding_expected(r->f, "%u levels, %u items at most",
		    TTLV_MAX_DEPTH, TTLV_MAX_ITEMS);
		finding_got(r->f, "more");
		return refuse(r, depth > TTLV_MAX_DEPTH ? ERR_DEPTH : ERR_ITEMS,
		    parent, n->offset);
	}
	if (in->octets < TTLV_HEADER_OCTETS) {
		finding_expected(
		    r->f, "%d octets of header", TTLV_HEADER_OCTETS);
		finding_got(r->f, "%zu", in->octets);
		return refuse(r, parent == NULL ? ERR_TRUNCATED : ERR_PARENT,
		    parent, n->offset);
	}
	n->tag = (uint32_t)bytes_number(in->at, 3);
	code = in->at[3];
	n->type = (enum item_type)code;
	n->length = (uint32_t)bytes_number(in->at + 4, 4);
	if (parent != NULL)
		node_append(parent, n);
	TRY(check_header(r, n, code, in->octets - TTLV_HEADER_OCTETS));
	inner = (struct bytes){in->at + TTLV_HEADER_OCTETS, n->length};
	octets = TTLV_HEADER_OCTETS + n->length + padding_octets(n->length);
	in->at += octets;
	in->octets -= octets;
	if (n->type == TYPE_STRUCTURE) {
		while (inner.octets > 0)
			TRY(decode_item(r, n, &inner, depth + 1, NULL));
	} else {
		n->value = inner.at;
		TRY(check_value(r, n));
	}
	if (out != NULL)
		*out = n;
out:
	return rc;
}

enum err
ttlv_decode(
    struct arena *a, struct bytes in, struct node **out, struct finding *f)
{
	struct reader r = {.a = a, .start = in.at, .f = f};
	struct node *root = NULL;
	enum err rc = OK;

	*out = NULL;
	*f = (struct finding){0};
	if (in.octets > TTLV_MAX_OCTETS) {
		finding_expected(f, "%zu octets at most", TTLV_MAX_OCTETS);
		finding_got(f, "%zu", in.octets);
		return finding_at(f, ERR_SIZE, NULL);
	}
	TRY(decode_item(&r, NULL, &in, 1, &root));
	if (in.octets > 0) {
		finding_expected(f, "the end of the message");
		finding_got(f, "%zu octets more", in.octets);
		rc = refuse(&r, ERR_TRAILING, root, (size_t)(in.at - r.start));
		goto out;
	}
	*out = root;
out:
	return rc;
}

enum err
ttlv_message_octets(const uint8_t *header, size_t *out)
{
	size_t length = bytes_number(header + 4, 4);

	if (header[0] != 0x42)
		return ERR_TAG;
	if (header[3] != TYPE_STRUCTURE)
		return ERR_TYPE;
	if (length > TTLV_MAX_OCTETS - TTLV_HEADER_OCTETS)
		return ERR_SIZE;
	*out = TTLV_HEADER_OCTETS + length;
	return OK;
}

static void
encode_item(struct node *n, struct buf *out, size_t start)
{
	static const uint8_t zeros[8];
	uint8_t header[TTLV_HEADER_OCTETS];
	size_t inner;

	n->offset = out->octets - start;
	bytes_put_number(header, 3, n->tag);
	header[3] = (uint8_t)n->type;
	bytes_put_number(header + 4, 4, n->length);
	buf_put(out, (struct bytes){header, sizeof header});
	inner = out->octets;
	if (n->type != TYPE_STRUCTURE) {
		buf_put(out, node_value(n));
		buf_put(out, (struct bytes){zeros, padding_octets(n->length)});
		return;
	}
	for (struct node *c = n->first; c != NULL; c = c->next)
		encode_item(c, out, start);
	n->length = (uint32_t)(out->octets - inner);
	bytes_put_number(out->at + inner - 4, 4, n->length);
}

void
ttlv_encode(struct node *n, struct buf *out)
{
	encode_item(n, out, out->octets);
}

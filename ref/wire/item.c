#include "wire/item.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

struct item *
item_find(const struct item *parent, enum tag tag)
{
	ITEM_EACH (parent, child)
		if (child->tag == tag)
			return child;
	return NULL;
}

int64_t
item_number(const struct item *parent, enum tag tag, int64_t fallback)
{
	const struct item *child = item_find(parent, tag);

	return child != NULL ? child->number : fallback;
}

struct bytes
item_octets(const struct item *parent, enum tag tag)
{
	const struct item *child = item_find(parent, tag);

	return child != NULL ? child->octets : BYTES_NONE;
}

void
item_append(struct item *parent, struct item *child)
{
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

enum err
item_add(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, struct item **out)
{
	struct item *item;
	enum err rc = OK;

	*out = NULL;
	TRY(ARENA_NEW(a, item));
	item->tag = tag;
	item->type = type;
	if (parent != NULL)
		item_append(parent, item);
	*out = item;
out:
	return rc;
}

enum err
item_add_structure(
    struct arena *a, struct item *parent, enum tag tag, struct item **out)
{
	return item_add(a, parent, tag, STRUCTURE, out);
}

enum err
item_add_number(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, int64_t number)
{
	struct item *item;
	enum err rc = OK;

	TRY(item_add(a, parent, tag, type, &item));
	item->number = number;
out:
	return rc;
}

enum err
item_add_octets(struct arena *a, struct item *parent, enum tag tag,
    enum item_type type, struct bytes octets)
{
	struct item *item;
	enum err rc = OK;

	TRY(item_add(a, parent, tag, type, &item));
	item->octets = octets;
out:
	return rc;
}

enum err
item_add_text(
    struct arena *a, struct item *parent, enum tag tag, const char *text)
{
	return item_add_octets(
	    a, parent, tag, TEXT_STRING, bytes_of_text(text));
}

bool
item_has_octets(const struct item *item)
{
	return item->type == TEXT_STRING || item->type == BYTE_STRING ||
	       item->type == BIG_INTEGER;
}

enum err
item_copy(struct arena *a, const struct item *from, struct item **out)
{
	struct item *copy;
	enum err rc = OK;

	*out = NULL;
	TRY(item_add(a, NULL, from->tag, from->type, &copy));
	if (from->type == STRUCTURE) {
		ITEM_EACH (from, child) {
			struct item *child_copy;

			TRY(item_copy(a, child, &child_copy));
			item_append(copy, child_copy);
		}
	} else if (item_has_octets(from)) {
		TRY(arena_copy(a, from->octets, &copy->octets));
	} else {
		copy->number = from->number;
	}
	*out = copy;
out:
	return rc;
}

bool
item_equal(const struct item *a, const struct item *b)
{
	const struct item *in_a = a->first;
	const struct item *in_b = b->first;

	if (a->tag != b->tag || a->type != b->type)
		return false;
	if (item_has_octets(a))
		return bytes_equal(a->octets, b->octets);
	if (a->type != STRUCTURE)
		return a->number == b->number;
	while (in_a != NULL && in_b != NULL) {
		if (!item_equal(in_a, in_b))
			return false;
		in_a = in_a->next;
		in_b = in_b->next;
	}
	return in_a == NULL && in_b == NULL;
}

enum tag
item_value_tag(const struct item *item, const struct item *parent)
{
	uint32_t named;

	if (item->tag == TAG_ATTRIBUTE_VALUE && parent != NULL &&
	    schema_tag_find(item_octets(parent, TAG_ATTRIBUTE_NAME), &named))
		return named;
	return item->tag;
}

/* ------------------------------------------------------------------------
 * Printing.
 */

enum { PRINT_OCTETS = 64, LOG_OCTETS = 1 << 20 };

static enum err
secret_print(const struct item *item, struct buf *out)
{
	if (item_has_octets(item))
		return buf_printf(
		    out, "<secret, %zu octets>", item->octets.octets);
	return buf_put_text(out, "<secret>");
}

static enum err
octets_print(struct bytes octets, bool is_text, struct buf *out)
{
	size_t shown =
	    octets.octets < PRINT_OCTETS ? octets.octets : PRINT_OCTETS;
	enum err rc = OK;

	if (is_text)
		TRY(buf_put_text(out, "\""));
	for (size_t i = 0; i < shown; i++) {
		uint8_t c = octets.at[i];

		if (!is_text)
			TRY(buf_printf(out, "%02x", c));
		else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
			TRY(buf_printf(out, "\\x%02x", c));
		else
			TRY(buf_put(out, (struct bytes){&c, 1}));
	}
	if (is_text)
		TRY(buf_put_text(out, "\""));
	if (shown < octets.octets)
		TRY(buf_printf(out, "... (%zu octets)", octets.octets));
out:
	return rc;
}

static enum err
mask_print(enum tag tag, uint32_t mask, struct buf *out)
{
	const char *bar = "";
	enum err rc = OK;

	TRY(buf_printf(out, "0x%08" PRIx32 " (", mask));
	for (; mask != 0; mask &= mask - 1) {
		const char *name = schema_value_xml_name(tag, mask & -mask);

		TRY(buf_printf(out, "%s%s", bar, name != NULL ? name : "?"));
		bar = "|";
	}
	TRY(buf_put_text(out, ")"));
out:
	return rc;
}

static enum err
value_print(const struct item *item, enum tag tag, struct buf *out)
{
	const char *name;

	switch (item->type) {
	case STRUCTURE:
		break;
	case INTEGER:
		if (schema_is_mask(tag))
			return mask_print(tag, (uint32_t)item->number, out);
		return buf_printf(out, "%" PRId64, item->number);
	case LONG_INTEGER:
	case INTERVAL:
	case DATE_TIME:
	case DATE_TIME_EXTENDED:
		return buf_printf(out, "%" PRId64, item->number);
	case BOOLEAN:
		return buf_put_text(out, item->number != 0 ? "true" : "false");
	case ENUMERATION:
		name = schema_value_xml_name(tag, (uint32_t)item->number);
		return buf_printf(out, "0x%08" PRIx32 " (%s)",
		    (uint32_t)item->number, name != NULL ? name : "?");
	case TEXT_STRING:
	case BYTE_STRING:
	case BIG_INTEGER:
		return octets_print(
		    item->octets, item->type == TEXT_STRING, out);
	}
	return OK;
}

static enum err
print_at(const struct item *item, const struct item *parent, int depth,
    bool is_secret, struct buf *out)
{
	const char *name = schema_tag_xml_name(item->tag);
	enum err rc = OK;

	is_secret = is_secret || name == NULL || schema_is_secret(item->tag);
	if (name != NULL)
		TRY(buf_printf(out, "%*s%s", 2 * depth, "", name));
	else
		TRY(buf_printf(
		    out, "%*s0x%06" PRIx32, 2 * depth, "", item->tag));
	if (item->type != STRUCTURE) {
		TRY(buf_put_text(out, " "));
		if (is_secret)
			TRY(secret_print(item, out));
		else
			TRY(value_print(
			    item, item_value_tag(item, parent), out));
	}
	TRY(buf_put_text(out, "\n"));
	if (item->type == STRUCTURE)
		ITEM_EACH (item, child)
			TRY(print_at(child, item, depth + 1, is_secret, out));
out:
	return rc;
}

enum err
item_print(const struct item *item, struct buf *out)
{
	return print_at(item, NULL, 0, false, out);
}

void
item_log(const char *what, const struct item *item)
{
	struct buf text;
	const char *line;
	size_t left;

	if (!log_wants("wire", LOG_TRACE))
		return;
	buf_init(&text, LOG_OCTETS);
	if (item_print(item, &text) != OK)
		log_line("wire", LOG_TRACE, "%s: cut short", what);
	line = (const char *)text.at;
	for (left = text.octets; left != 0;) {
		const char *end = memchr(line, '\n', left);
		size_t octets = end != NULL ? (size_t)(end - line) : left;

		log_line(
		    "wire", LOG_TRACE, "%s: %.*s", what, (int)octets, line);
		octets += end != NULL;
		line += octets;
		left -= octets;
	}
	buf_clear(&text);
}

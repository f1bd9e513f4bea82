#include "wire/item.h"

struct item *
item_find(const struct item *parent, enum tag tag)
{
	ITEM_EACH (parent, child)
		if (child->tag == tag)
			return child;
	return NULL;
}

struct item *
item_find_next(const struct item *item)
{
	for (struct item *at = item->next; at != NULL; at = at->next)
		if (at->tag == item->tag)
			return at;
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

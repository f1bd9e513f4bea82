#include "node.h"

#include "buf.h"
#include "schema.h"
#include "touchstone_tags.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t octets;
} types[TYPE_END] = {
#define TYPE(code, id, xml, count) [id] = {xml, count},
#include "type.def"
#undef TYPE
};

const char *
type_name(enum item_type t)
{
	return type_is_known(t) ? types[t].name : "?";
}

enum item_type
type_by_name(const char *name)
{
	for (enum item_type t = TYPE_STRUCTURE; t < TYPE_END; t++)
		if (strcmp(types[t].name, name) == 0)
			return t;
	return 0;
}

uint32_t
type_octets(enum item_type t)
{
	return types[t].octets;
}

bool
type_is_known(unsigned code)
{
	return code >= TYPE_STRUCTURE && code < TYPE_END;
}

struct node *
node_new(struct arena *a, uint32_t tag, enum item_type type, struct bytes value)
{
	struct node *n = ARENA_NEW(a, struct node);

	n->tag = tag;
	n->type = type;
	n->value = value.at;
	n->length = (uint32_t)value.octets;
	return n;
}

void
node_append(struct node *parent, struct node *child)
{
	child->parent = parent;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->children++;
}

void
node_remove(struct node *parent, bool (*is_it)(const struct node *n))
{
	struct node *next;
	struct node *c = parent->first;

	parent->first = parent->last = NULL;
	parent->children = 0;
	for (; c != NULL; c = next) {
		next = c->next;
		c->next = NULL;
		if (!is_it(c))
			node_append(parent, c);
	}
}

struct node *
node_copy(struct arena *a, const struct node *n)
{
	struct node *copy = ARENA_NEW(a, struct node);

	*copy = *n;
	copy->parent = copy->first = copy->last = copy->next = NULL;
	copy->children = 0;
	if (n->value != NULL)
		copy->value = arena_copy(a, node_value(n));
	if (n->placeholder != NULL)
		copy->placeholder = arena_strdup(a, n->placeholder);
	for (const struct node *c = n->first; c != NULL; c = c->next)
		node_append(copy, node_copy(a, c));
	return copy;
}

struct node *
node_find(const struct node *n, uint32_t tag)
{
	if (n == NULL)
		return NULL;
	for (struct node *c = n->first; c != NULL; c = c->next)
		if (c->tag == tag)
			return c;
	return NULL;
}

struct node *
node_find_path(const struct node *n, const uint32_t *tags)
{
	struct node *found = NULL;

	for (; *tags != 0; tags++) {
		found = node_find(n, *tags);
		n = found;
	}
	return found;
}

unsigned
node_count(const struct node *n, uint32_t tag)
{
	unsigned count = 0;

	for (const struct node *c = n->first; c != NULL; c = c->next)
		count += c->tag == tag;
	return count;
}

struct bytes
node_value(const struct node *n)
{
	return (struct bytes){n->value, n->value == NULL ? 0 : n->length};
}

int64_t
node_number(const struct node *n)
{
	uint64_t v;

	if (n->value == NULL || type_octets(n->type) == 0)
		return 0;
	v = bytes_number(n->value, n->length);
	if (n->type == TYPE_INTEGER)
		return (int32_t)(uint32_t)v;
	return (int64_t)v;
}

bool
node_is_text(const struct node *n, const char *text)
{
	return n != NULL && n->type == TYPE_TEXT_STRING &&
	       bytes_equal(node_value(n), bytes_of_text(text));
}

static void
put_path(struct buf *out, const struct node *n)
{
	unsigned index = 0;

	if (n->parent != NULL) {
		put_path(out, n->parent);
		buf_text(out, "/");
		for (const struct node *c = n->parent->first; c != n;
		     c = c->next)
			index += c->tag == n->tag;
	}
	buf_text(out, schema_tag_name(n->tag));
	if (n->parent != NULL &&
	    (n->tag == TAG_BATCH_ITEM || node_count(n->parent, n->tag) > 1))
		buf_printf(out, "[%u]", index);
}

char *
node_path(struct arena *a, const struct node *n)
{
	struct buf path = {0};
	char *text;

	put_path(&path, n);
	text = arena_strdup(a, buf_peek_text(&path));
	buf_clear(&path);
	return text;
}

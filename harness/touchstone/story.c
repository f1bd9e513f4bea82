#include "story.h"

#include "check.h"
#include "touchstone_tags.h"

struct object {
	struct bytes identifier;
	bool server_made, destroyed;
	struct object *next;
};

struct value {
	uint32_t meaning;
	struct bytes octets;
	struct value *next;
};

struct story {
	struct arena *a;
	struct object *objects;
	struct value *values;
};

/* Operations whose answer names new objects. */
static const struct {
	uint32_t operation;
	bool server_made; /* the key, that is, not only the object */
} makers[] = {
    {OPERATION_CREATE, true},
    {OPERATION_CREATE_KEY_PAIR, true},
    {OPERATION_RE_KEY, true},
    {OPERATION_RE_KEY_KEY_PAIR, true},
    {OPERATION_CREATE_SPLIT_KEY, true},
    {OPERATION_CERTIFY, true},
    {OPERATION_RE_CERTIFY, true},
    {OPERATION_REGISTER, false},
    {OPERATION_DERIVE_KEY, false},
    {OPERATION_JOIN_SPLIT_KEY, false},
    {OPERATION_IMPORT, false},
};

struct story *
story_new(struct arena *a)
{
	struct story *s = ARENA_NEW(a, struct story);

	s->a = a;
	return s;
}

static struct object *
find_object(const struct story *s, struct bytes identifier)
{
	for (struct object *o = s->objects; o != NULL; o = o->next)
		if (bytes_equal(o->identifier, identifier))
			return o;
	return NULL;
}

static void
add_object(struct story *s, struct bytes identifier, bool server_made)
{
	struct object *o = find_object(s, identifier);

	if (o == NULL) {
		o = ARENA_NEW(s->a, struct object);
		o->identifier = (struct bytes){
		    arena_copy(s->a, identifier), identifier.octets};
		o->next = s->objects;
		s->objects = o;
	}
	o->server_made = server_made;
	o->destroyed = false;
}

static bool
is_identifier(uint32_t tag)
{
	return tag == TAG_UNIQUE_IDENTIFIER ||
	       tag == TAG_PRIVATE_KEY_UNIQUE_IDENTIFIER ||
	       tag == TAG_PUBLIC_KEY_UNIQUE_IDENTIFIER;
}

static void
add_answer(struct story *s, const struct node *item)
{
	const struct node *operation = node_find(item, TAG_OPERATION);
	const struct node *status = node_find(item, TAG_RESULT_STATUS);
	const struct node *payload = node_find(item, TAG_RESPONSE_PAYLOAD);
	const struct node *n;
	struct object *o;

	if (operation == NULL || status == NULL || payload == NULL ||
	    node_number(status) != RESULT_STATUS_SUCCESS)
		return;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		if (makers[i].operation != (uint32_t)node_number(operation))
			continue;
		for (n = payload->first; n != NULL; n = n->next)
			if (is_identifier(n->tag))
				add_object(
				    s, node_value(n), makers[i].server_made);
	}
	if (node_number(operation) != OPERATION_DESTROY)
		return;
	n = node_find(payload, TAG_UNIQUE_IDENTIFIER);
	o = n == NULL ? NULL : find_object(s, node_value(n));
	if (o != NULL)
		o->destroyed = true;
}

static void
add_values(struct story *s, const struct node *n)
{
	if (n->value != NULL) {
		struct value *v = ARENA_NEW(s->a, struct value);

		v->meaning = check_meaning_of(n);
		v->octets =
		    (struct bytes){arena_copy(s->a, node_value(n)), n->length};
		v->next = s->values;
		s->values = v;
	}
	for (n = n->first; n != NULL; n = n->next)
		add_values(s, n);
}

void
story_add(
    struct story *s, const struct node *request, const struct node *response)
{
	add_values(s, request);
	if (response == NULL)
		return;
	for (const struct node *n = response->first; n != NULL; n = n->next)
		if (n->tag == TAG_BATCH_ITEM)
			add_answer(s, n);
}

bool
story_is_server_made(const struct story *s, struct bytes identifier)
{
	const struct object *o = find_object(s, identifier);

	return o != NULL && o->server_made;
}

bool
story_sent(const struct story *s, uint32_t meaning, struct bytes value)
{
	for (const struct value *v = s->values; v != NULL; v = v->next)
		if (v->meaning == meaning && bytes_equal(v->octets, value))
			return true;
	return false;
}

bool
story_has(const struct story *s, uint32_t meaning)
{
	for (const struct value *v = s->values; v != NULL; v = v->next)
		if (v->meaning == meaning)
			return true;
	return false;
}

const struct bytes *
story_left(const struct story *s, size_t n)
{
	for (const struct object *o = s->objects; o != NULL; o = o->next)
		if (!o->destroyed && n-- == 0)
			return &o->identifier;
	return NULL;
}

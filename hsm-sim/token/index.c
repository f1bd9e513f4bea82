#include "token/index.h"

#include <string.h>

#include "base/mem.h"

enum { CHAINS_MIN = 16 };

struct bytes
index_key(const struct object *object, enum index_way way)
{
	switch (way) {
	case BY_CLASS:
		return (struct bytes){
		    (const uint8_t *)&object->class, sizeof(object->class)};
	case BY_LABEL:
		return (struct bytes){object->label, object->label_octets};
	case BY_ID:
		return (struct bytes){object->id, object->id_octets};
	case BY_ALL:
	case INDEX_WAYS:
		break;
	}
	return BYTES_NONE;
}

/* FNV-1a: keys are few octets, and nobody gains by making them collide. */
static size_t
hash_of(struct bytes key)
{
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < key.octets; i++)
		h = (h ^ key.at[i]) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static struct object **
head_of(const struct index *index, enum index_way way, struct bytes key)
{
	return &index->heads[way][hash_of(key) & (index->chains - 1)];
}

static void
link_in(struct index *index, enum index_way way, struct object *object)
{
	struct object **head = head_of(index, way, index_key(object, way));
	struct object_link *link = &object->links[way];

	link->next = *head;
	link->at = head;
	if (*head != NULL)
		(*head)->links[way].at = &link->next;
	*head = object;
}

static void
unlink_from(enum index_way way, struct object *object)
{
	struct object_link *link = &object->links[way];

	*link->at = link->next;
	if (link->next != NULL)
		link->next->links[way].at = link->at;
}

/* More chains, each object in its new one. ERR_NOMEM: as before. */
static enum err
grow(struct index *index, size_t chains)
{
	struct index bigger = {.chains = chains};
	struct object *object, *next;
	enum index_way way;
	enum err rc = OK;

	for (way = 0; way < INDEX_WAYS; way++)
		TRY(MEM_ARRAY(bigger.heads[way], chains));
	for (way = 0; way < INDEX_WAYS && index->chains > 0; way++) {
		size_t i;

		for (i = 0; i < index->chains; i++) {
			object = index->heads[way][i];
			for (; object != NULL; object = next) {
				next = object->links[way].next;
				link_in(&bigger, way, object);
			}
		}
	}
	for (way = 0; way < INDEX_WAYS; way++) {
		struct object **was = index->heads[way];

		index->heads[way] = bigger.heads[way];
		bigger.heads[way] = was;
	}
	index->chains = chains;
out:
	for (way = 0; way < INDEX_WAYS; way++)
		mem_free(bigger.heads[way]);
	return rc;
}

void
index_clear(struct index *index)
{
	enum index_way way;

	for (way = 0; way < INDEX_WAYS; way++)
		mem_free(index->heads[way]);
	memset(index, 0, sizeof(*index));
}

enum err
index_add(struct index *index, struct object *object)
{
	enum index_way way;
	enum err rc = OK;

	if (index->chains == 0)
		TRY(grow(index, CHAINS_MIN));
	else if (index->count >= index->chains)
		(void)!grow(index, index->chains * 2);
	for (way = 0; way < INDEX_WAYS; way++)
		link_in(index, way, object);
	index->count++;
	index->octets += object->octets;
out:
	return rc;
}

void
index_remove(struct index *index, struct object *object)
{
	enum index_way way;

	for (way = 0; way < INDEX_WAYS; way++)
		unlink_from(way, object);
	index->count--;
	index->octets -= object->octets;
}

struct object *
index_first(const struct index *index, enum index_way way, struct bytes key)
{
	return index->chains > 0 ? *head_of(index, way, key) : NULL;
}

struct object *
index_next(const struct object *object, enum index_way way)
{
	return object->links[way].next;
}

/*
 * Objects by label, by identifier and by class: what a search asks for most.
 *
 * An index does not own its objects and has no lock of its own.
 */
#ifndef TOKEN_INDEX_H
#define TOKEN_INDEX_H

#include "base/bytes.h"
#include "token/object.h"

/* Zeroed: empty. */
struct index {
	struct object **heads[INDEX_WAYS];
	size_t chains; /* of each way, a power of two */
	size_t count;
	uint64_t octets; /* what the objects take */
};

/* The objects stay. Harmless when zeroed. */
void index_clear(struct index *index);

/* ERR_NOMEM  and it is not in there */
enum err index_add(struct index *index, struct object *object) MUST_CHECK;
void index_remove(struct index *index, struct object *object);

/*
 * The first object that may be meant: all that have this key follow by
 * index_next, but others may stand between them.
 *
 * key  of BY_ALL: none
 */
struct object *
index_first(const struct index *index, enum index_way way, struct bytes key);
struct object *index_next(const struct object *object, enum index_way way);

/* What an object is found by; of BY_ALL: none. */
struct bytes index_key(const struct object *object, enum index_way way);

#endif

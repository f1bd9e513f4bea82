/*
 * Decoded objects in memory, the least recently used dropped first.
 *
 * What is handed out stays valid until cache_turn_end(): an entry that is
 * replaced or dropped is retired until then, and nothing is dropped for lack
 * of room before.
 *
 * An entry changed by the group that is open is in the list of changes until
 * cache_settle() (the group is durable) or cache_forget_since() (it is undone;
 * the next find reads what the database then says).
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "model/object.h"

struct cached {
	struct object *object;
	int64_t row;
	/* the cache's own */
	uint64_t hash;
	size_t octets;
	struct cached *chain;
	struct cached *newer; /* by use */
	struct cached *older;
	uint64_t change; /* 0: as the database has it durably */
	struct cached *changed_later;
	struct cached *changed_earlier;
};

struct cache {
	struct cached **bucket;
	size_t bucket_count; /* a power of two */
	size_t count;
	size_t octets;
	size_t cap_octets;
	uint64_t seed;
	struct cached *newest;
	struct cached *oldest;
	uint64_t change; /* the last change's number */
	struct cached *last_changed;
	struct cached *retired; /* by chain */
};

enum err
cache_init(struct cache *c, size_t cap_octets, uint64_t seed) MUST_CHECK;
void cache_clear(struct cache *c);

/* NULL when it is not there. Counts as a use. */
struct cached *cache_find(struct cache *c, struct bytes id);

/*
 * An empty entry, for cache_put, which then cannot fail; cache_entry_free is
 * for one that is not put after all, and accepts NULL.
 */
enum err cache_entry_new(struct cached **out) MUST_CHECK;
void cache_entry_free(struct cached *e);

/* Both are the cache's from here on; what it had of that identifier is
 * retired. */
void cache_put(struct cache *c, struct cached *e, struct object *take,
    int64_t row, bool changed);

/* Retire it. */
void cache_drop(struct cache *c, struct cached *e);

/* Drop what was changed after c->change had that value; 0: all changes. */
void cache_forget_since(struct cache *c, uint64_t change);
void cache_settle(struct cache *c);

/* End all borrowing, and keep to the cap. */
void cache_turn_end(struct cache *c);

#endif

#include "store/cache.h"

#include <assert.h>

#include "base/mem.h"

enum { BUCKETS_AT_FIRST = 256 };

enum err
cache_init(struct cache *c, size_t cap_octets, uint64_t seed)
{
	enum err rc = OK;

	*c = (struct cache){.cap_octets = cap_octets, .seed = seed};
	TRY(MEM_ARRAY(c->bucket, BUCKETS_AT_FIRST));
	c->bucket_count = BUCKETS_AT_FIRST;
out:
	return rc;
}

void
cache_entry_free(struct cached *e)
{
	if (e == NULL)
		return;
	object_free(e->object);
	mem_free(e);
}

enum err
cache_entry_new(struct cached **out)
{
	return MEM_NEW(*out);
}

void
cache_clear(struct cache *c)
{
	while (c->oldest != NULL)
		cache_drop(c, c->oldest);
	cache_turn_end(c);
	mem_free(c->bucket);
	*c = (struct cache){0};
}

static uint64_t
hash_of(const struct cache *c, struct bytes id)
{
	uint64_t h = bytes_hash(id, c->seed);

	return h ^ h >> 32;
}

static struct cached **
place_of(const struct cache *c, uint64_t hash)
{
	return &c->bucket[hash & (c->bucket_count - 1)];
}

static struct cached *
look_up(const struct cache *c, struct bytes id, uint64_t hash)
{
	struct cached *e = *place_of(c, hash);

	while (
	    e != NULL && (e->hash != hash || !bytes_equal(e->object->id, id)))
		e = e->chain;
	return e;
}

static void
use_unlink(struct cache *c, struct cached *e)
{
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void
use_link(struct cache *c, struct cached *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e;
	c->newest = e;
}

static void
change_unlink(struct cache *c, struct cached *e)
{
	if (e->change == 0)
		return;
	*(e->changed_later != NULL ? &e->changed_later->changed_earlier
				   : &c->last_changed) = e->changed_earlier;
	if (e->changed_earlier != NULL)
		e->changed_earlier->changed_later = e->changed_later;
	e->change = 0;
}

static void
change_link(struct cache *c, struct cached *e)
{
	e->change = ++c->change;
	e->changed_later = NULL;
	e->changed_earlier = c->last_changed;
	if (e->changed_earlier != NULL)
		e->changed_earlier->changed_later = e;
	c->last_changed = e;
}

struct cached *
cache_find(struct cache *c, struct bytes id)
{
	struct cached *e = look_up(c, id, hash_of(c, id));

	if (e != NULL && e != c->newest) {
		use_unlink(c, e);
		use_link(c, e);
	}
	return e;
}

/* More buckets where memory allows; without, the chains get longer. */
static void
grow(struct cache *c)
{
	struct cached **old = c->bucket;
	size_t old_count = c->bucket_count;
	struct cached **bucket;
	size_t k;

	if (MEM_ARRAY(bucket, old_count * 2) != OK)
		return;
	c->bucket = bucket;
	c->bucket_count = old_count * 2;
	for (k = 0; k < old_count; k++) {
		struct cached *e = old[k];

		while (e != NULL) {
			struct cached *next = e->chain;
			struct cached **place = place_of(c, e->hash);

			e->chain = *place;
			*place = e;
			e = next;
		}
	}
	mem_free(old);
}

void
cache_put(struct cache *c, struct cached *e, struct object *take, int64_t row,
    bool changed)
{
	uint64_t hash = hash_of(c, take->id);
	struct cached *old = look_up(c, take->id, hash);
	struct cached **place;

	if (old != NULL)
		cache_drop(c, old);
	if (c->count >= c->bucket_count)
		grow(c);
	e->object = take;
	e->row = row;
	e->hash = hash;
	e->octets = sizeof(*e) + sizeof(*take) + arena_octets(take->arena);
	place = place_of(c, hash);
	e->chain = *place;
	*place = e;
	use_link(c, e);
	if (changed)
		change_link(c, e);
	c->count++;
	c->octets += e->octets;
}

void
cache_drop(struct cache *c, struct cached *e)
{
	struct cached **place = place_of(c, e->hash);

	while (*place != e)
		place = &(*place)->chain;
	*place = e->chain;
	use_unlink(c, e);
	change_unlink(c, e);
	c->count--;
	c->octets -= e->octets;
	e->chain = c->retired;
	c->retired = e;
}

void
cache_forget_since(struct cache *c, uint64_t change)
{
	while (c->last_changed != NULL && c->last_changed->change > change)
		cache_drop(c, c->last_changed);
}

void
cache_settle(struct cache *c)
{
	while (c->last_changed != NULL)
		change_unlink(c, c->last_changed);
}

void
cache_turn_end(struct cache *c)
{
	while (c->octets > c->cap_octets) {
		assert(c->oldest->change == 0);
		cache_drop(c, c->oldest);
	}
	while (c->retired != NULL) {
		struct cached *e = c->retired;

		c->retired = e->chain;
		cache_entry_free(e);
	}
}

#include "base/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/*
 * Secrets are small and many, and the lock limit of a process is counted in
 * pages: they are cut from locked slabs in a few sizes, each slot wiped when
 * it is given back. What is larger than the largest slot has pages of its own.
 */
enum { SLAB_OCTETS = 65536 };

static const size_t slot_octets[] = {64, 256, 1024, 4096};
enum { SLOT_SIZES = sizeof(slot_octets) / sizeof(slot_octets[0]) };

struct secret {
	size_t octets;
	size_t room_octets;
	uint8_t *at;
};

struct slot {
	struct slot *next;
};

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot *free_slots[SLOT_SIZES];

static void *
pages_new(size_t octets)
{
	void *p = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, octets) != 0 || madvise(p, octets, MADV_DONTDUMP) != 0) {
		munmap(p, octets);
		return NULL;
	}
	return p;
}

static size_t
size_class(size_t octets)
{
	size_t k = 0;

	while (k < SLOT_SIZES && slot_octets[k] < octets)
		k++;
	return k;
}

/* With the pool locked: cut one more slab into slots of class k. */
static void
slab_cut(size_t k)
{
	uint8_t *slab = pages_new(SLAB_OCTETS);
	size_t at;

	for (at = 0; slab != NULL && at < SLAB_OCTETS; at += slot_octets[k]) {
		struct slot *slot = (void *)(slab + at);

		slot->next = free_slots[k];
		free_slots[k] = slot;
	}
}

static uint8_t *
slot_take(size_t k)
{
	struct slot *slot;

	pthread_mutex_lock(&pool_lock);
	if (free_slots[k] == NULL)
		slab_cut(k);
	slot = free_slots[k];
	if (slot != NULL)
		free_slots[k] = slot->next;
	pthread_mutex_unlock(&pool_lock);
	if (slot != NULL)
		slot->next = NULL;
	return (uint8_t *)slot;
}

static void
slot_give(size_t k, uint8_t *at)
{
	struct slot *slot = (void *)at;

	pthread_mutex_lock(&pool_lock);
	slot->next = free_slots[k];
	free_slots[k] = slot;
	pthread_mutex_unlock(&pool_lock);
}

enum err
secret_new(size_t octets, struct secret **out)
{
	struct secret *s = NULL;
	size_t k = size_class(octets);
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(s));
	s->octets = octets;
	if (k < SLOT_SIZES) {
		s->room_octets = slot_octets[k];
		s->at = slot_take(k);
	} else {
		s->room_octets = octets;
		s->at = pages_new(octets);
	}
	if (s->at == NULL)
		TRY(ERR_NOMEM);
	*out = s;
	s = NULL;
out:
	mem_free(s);
	return rc;
}

enum err
secret_copy(struct bytes in, struct secret **out)
{
	enum err rc = OK;

	TRY(secret_new(in.octets, out));
	if (in.octets != 0)
		memcpy((*out)->at, in.at, in.octets);
out:
	return rc;
}

void
secret_free(struct secret *s)
{
	size_t k;

	if (s == NULL)
		return;
	secret_wipe(s->at, s->octets);
	k = size_class(s->octets);
	if (k < SLOT_SIZES)
		slot_give(k, s->at);
	else
		munmap(s->at, s->room_octets);
	mem_free(s);
}

struct bytes
secret_peek(const struct secret *s)
{
	return (struct bytes){s->at, s->octets};
}

uint8_t *
secret_fill(struct secret *s)
{
	return s->at;
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return secret_equal_bytes(secret_peek(a), secret_peek(b));
}

bool
secret_equal_bytes(struct bytes a, struct bytes b)
{
	if (a.octets != b.octets)
		return false;
	return a.octets == 0 || CRYPTO_memcmp(a.at, b.at, a.octets) == 0;
}

void
secret_wipe(void *p, size_t octets)
{
	if (octets != 0)
		explicit_bzero(p, octets);
}

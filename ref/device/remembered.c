#include "device/remembered.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "wire/schema.h"

enum { KEY_OCTETS = 32, TAG_OCTETS = 32, WAYS = 4 };

struct place {
	uint8_t tag[TAG_OCTETS];
	char name[REMEMBERED_NAME_OCTETS + 1]; /* "": nothing */
};

struct remembered {
	struct secret *key;
	size_t places;
	struct place *place;
};

enum err
remembered_new(struct env *env, size_t places, struct remembered **out)
{
	struct remembered *r = NULL;
	enum err rc = OK;

	*out = NULL;
	assert(places >= WAYS && (places & (places - 1)) == 0);
	TRY(MEM_NEW(r));
	TRY(MEM_ARRAY(r->place, places));
	r->places = places;
	TRY(random_secret(env, KEY_OCTETS, &r->key));
	*out = r;
	r = NULL;
out:
	remembered_free(r);
	return rc;
}

void
remembered_free(struct remembered *r)
{
	if (r == NULL)
		return;
	secret_free(r->key);
	if (r->place != NULL)
		secret_wipe(r->place, r->places * sizeof(*r->place));
	mem_free(r->place);
	mem_free(r);
}

/* What is at one of its WAYS places when it is remembered. The name is part of
 * it: accounts that were given one hash do not share their places. */
static enum err
tag_make(const struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password,
    uint8_t tag[DIGEST_MAX_OCTETS], struct place **place)
{
	size_t head = REMEMBERED_NAME_OCTETS + sizeof(hash->line);
	struct secret *in = NULL;
	enum err rc = OK;

	TRY(secret_new(head + password.octets, &in));
	memcpy(secret_fill(in), name, strlen(name));
	memcpy(secret_fill(in) + REMEMBERED_NAME_OCTETS, hash->line,
	    strlen(hash->line));
	if (password.octets != 0)
		memcpy(secret_fill(in) + head, password.at, password.octets);
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, secret_peek(r->key),
	    secret_peek(in), tag, NULL));
	*place = &r->place[bytes_u32(tag) & (r->places - WAYS)];
out:
	secret_free(in);
	return rc;
}

/* Is it there? *at: where, or the last of them. */
static bool
is_there(struct place *first, const char *name,
    const uint8_t tag[DIGEST_MAX_OCTETS], struct place **at)
{
	struct bytes want = {tag, TAG_OCTETS};
	size_t k;

	for (k = 0; k < WAYS; k++) {
		*at = first + k;
		if (strcmp((*at)->name, name) == 0 &&
		    secret_equal_bytes(
			(struct bytes){(*at)->tag, TAG_OCTETS}, want))
			return true;
	}
	return false;
}

/* First of its places; those before it move on, and the last one goes. */
void
remembered_add(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password)
{
	uint8_t tag[DIGEST_MAX_OCTETS];
	struct place *first, *at;

	assert(*name != '\0' && strlen(name) <= REMEMBERED_NAME_OCTETS);
	if (tag_make(r, name, hash, password, tag, &first) != OK)
		return;
	(void)is_there(first, name, tag, &at);
	memmove(first + 1, first, (size_t)(at - first) * sizeof(*first));
	*first = (struct place){.name = ""};
	memcpy(first->tag, tag, TAG_OCTETS);
	memcpy(first->name, name, strlen(name));
}

bool
remembered_has(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password)
{
	uint8_t tag[DIGEST_MAX_OCTETS];
	struct place *first, *at;

	if (*hash->line == '\0' ||
	    tag_make(r, name, hash, password, tag, &first) != OK)
		return false;
	return is_there(first, name, tag, &at);
}

void
remembered_forget(struct remembered *r, struct bytes name)
{
	size_t k;

	for (k = 0; k < r->places; k++) {
		if (name.octets == 0 ||
		    bytes_equal_text(name, r->place[k].name))
			secret_wipe(&r->place[k], sizeof(r->place[k]));
	}
}

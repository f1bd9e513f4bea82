#include "device/remembered.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "wire/schema.h"

enum { KEY_OCTETS = 32, TAG_OCTETS = 32 };

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
	assert(places != 0 && (places & (places - 1)) == 0);
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

/* What is at its place when it is remembered. */
static enum err
tag_make(const struct remembered *r, const struct password_hash *hash,
    struct bytes password, uint8_t tag[DIGEST_MAX_OCTETS], struct place **place)
{
	struct secret *in = NULL;
	enum err rc = OK;

	TRY(secret_new(sizeof(hash->line) + password.octets, &in));
	memcpy(secret_fill(in), hash->line, strlen(hash->line));
	if (password.octets != 0)
		memcpy(secret_fill(in) + sizeof(hash->line), password.at,
		    password.octets);
	TRY(digest_hmac(HASHING_ALGORITHM_SHA_256, secret_peek(r->key),
	    secret_peek(in), tag, NULL));
	*place = &r->place[bytes_u32(tag) & (r->places - 1)];
out:
	secret_free(in);
	return rc;
}

void
remembered_add(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password)
{
	uint8_t tag[DIGEST_MAX_OCTETS];
	struct place *place;

	assert(*name != '\0' && strlen(name) <= REMEMBERED_NAME_OCTETS);
	if (tag_make(r, hash, password, tag, &place) != OK)
		return;
	*place = (struct place){.name = ""};
	memcpy(place->tag, tag, TAG_OCTETS);
	memcpy(place->name, name, strlen(name));
}

bool
remembered_has(struct remembered *r, const char *name,
    const struct password_hash *hash, struct bytes password)
{
	uint8_t tag[DIGEST_MAX_OCTETS];
	struct place *place;

	if (*hash->line == '\0' ||
	    tag_make(r, hash, password, tag, &place) != OK)
		return false;
	return strcmp(place->name, name) == 0 &&
	       secret_equal_bytes((struct bytes){place->tag, TAG_OCTETS},
		   (struct bytes){tag, TAG_OCTETS});
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

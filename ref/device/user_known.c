#include "device/user_known.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { WAYS = 4 };

struct known_users {
	size_t places;
	struct known_user **place; /* NULL: nobody */
};

enum err
known_users_new(size_t places, struct known_users **out)
{
	struct known_users *known = NULL;
	enum err rc = OK;

	*out = NULL;
	assert(places >= WAYS && (places & (places - 1)) == 0);
	TRY(MEM_NEW(known));
	TRY(MEM_ARRAY(known->place, places));
	known->places = places;
	*out = known;
	known = NULL;
out:
	known_users_free(known);
	return rc;
}

static void
forget(struct known_user **place)
{
	if (*place == NULL)
		return;
	key_user_clear(&(*place)->user);
	mem_free(*place);
	*place = NULL;
}

void
known_users_free(struct known_users *known)
{
	size_t k;

	if (known == NULL)
		return;
	for (k = 0; known->place != NULL && k < known->places; k++)
		forget(&known->place[k]);
	mem_free(known->place);
	mem_free(known);
}

/* The first of a name's places. */
static struct known_user **
places_of(const struct known_users *known, struct bytes name)
{
	size_t sets = known->places / WAYS;

	return &known->place[(bytes_hash(name, 0) % sets) * WAYS];
}

/* Where it is, or the last of its places. */
static struct known_user **
place_of(const struct known_users *known, struct bytes name)
{
	struct known_user **first = places_of(known, name);
	size_t k;

	for (k = 0; k < WAYS - 1; k++) {
		if (first[k] != NULL &&
		    bytes_equal_text(name, first[k]->user.name))
			break;
	}
	return first + k;
}

const struct known_user *
known_users_find(
    struct known_users *known, struct bytes name, uint64_t generation)
{
	const struct known_user *at = *place_of(known, name);

	if (at == NULL || at->user.generation != generation ||
	    !bytes_equal_text(name, at->user.name))
		return NULL;
	return at;
}

/* First of its places; those before it move on, and the last one goes. */
void
known_users_put(struct known_users *known, const struct key_user *user,
    const struct password_hash *hash)
{
	struct bytes name = bytes_of_text(user->name);
	struct known_user **first = places_of(known, name);
	struct known_user **at = place_of(known, name);
	struct known_user *made;

	if (MEM_NEW(made) != OK)
		return;
	made->hash = *hash;
	key_user_share(user, &made->user);
	forget(at);
	memmove(first + 1, first, (size_t)(at - first) * sizeof(*first));
	*first = made;
}

void
known_users_drop(struct known_users *known, struct bytes name)
{
	struct known_user **at = place_of(known, name);

	if (*at != NULL && bytes_equal_text(name, (*at)->user.name))
		forget(at);
}

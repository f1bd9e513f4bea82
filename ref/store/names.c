#include "store/names.h"

#include <string.h>

#include "base/mem.h"

static struct name_place *
place_of(const struct names *names, const struct term_key *key)
{
	struct bytes octets = {key->at, key->octets};

	return &names->place[bytes_hash(octets, 0) & (NAMES_PLACES - 1)];
}

static bool
is_here(const struct names *names, const struct name_place *place,
    const struct term_key *key)
{
	return place->generation == names->generation &&
	       place->key.octets == key->octets &&
	       memcmp(place->key.at, key->at, key->octets) == 0;
}

void
names_clear(struct names *names)
{
	mem_free(names->place);
	*names = (struct names){0};
}

struct bytes
names_find(const struct names *names, const struct term_key *key)
{
	const struct name_place *place;

	if (names->place == NULL)
		return BYTES_NONE;
	place = place_of(names, key);
	if (!is_here(names, place, key))
		return BYTES_NONE;
	return (struct bytes){place->id, place->id_octets};
}

void
names_put(struct names *names, const struct term_key *key, struct bytes id)
{
	struct name_place *place;

	if (id.octets > NAMES_ID_OCTETS)
		return;
	if (names->place == NULL) {
		if (MEM_ARRAY(names->place, NAMES_PLACES) != OK)
			return;
		names->generation = 1;
	}
	place = place_of(names, key);
	place->generation = names->generation;
	place->key = *key;
	place->id_octets = (uint8_t)id.octets;
	memcpy(place->id, id.at, id.octets);
}

void
names_drop(struct names *names, const struct term_key *key)
{
	struct name_place *place;

	if (names->place == NULL)
		return;
	place = place_of(names, key);
	if (is_here(names, place, key))
		place->generation = 0;
}

void
names_drop_all(struct names *names)
{
	if (names->place == NULL || ++names->generation != 0)
		return;
	/* all numbers have been used: begin anew, with nothing in it */
	memset(names->place, 0, NAMES_PLACES * sizeof(*names->place));
	names->generation = 1;
}

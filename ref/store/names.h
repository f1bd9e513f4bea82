/*
 * Private to this folder: which object has a name, where it is the only one
 * that has it.
 *
 * A table of fixed size, in which a name displaces another one; what is not in
 * it is looked up in the index. Whoever writes objects drops their names here;
 * whoever undoes writes drops all.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "store/index.h"

enum {
	NAMES_PLACES = 262144, /* a power of two */
	NAMES_ID_OCTETS = 40,  /* others are not kept */
};

struct name_place {
	uint32_t generation; /* of what is here; 0: nothing */
	uint8_t id_octets;
	uint8_t id[NAMES_ID_OCTETS];
	struct term_key key;
};

/* Zeroed at first; the table is made by the first names_put. */
struct names {
	struct name_place *place;
	uint32_t generation;
};

void names_clear(struct names *names);

/* BYTES_NONE: it is not known. Borrowed until the next names_put. */
struct bytes names_find(const struct names *names, const struct term_key *key);

/* Without memory it is just not kept. */
void
names_put(struct names *names, const struct term_key *key, struct bytes id);
void names_drop(struct names *names, const struct term_key *key);
void names_drop_all(struct names *names);

#endif

/*
 * Private to this folder: the indexes as locate.c sees them, free of SQL.
 *
 * Rows are numbered in order of creation. A list of rows is read backwards,
 * the highest first, a piece at a time.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/store.h"

/*
 * A term as the index has it. Longer ones are cut, their end replaced by a
 * hash of the whole: the index then only proposes, and the object decides.
 */
enum {
	TERM_WHOLE_OCTETS = 96,
	TERM_CUT_OCTETS = 88,
	TERM_KEY_OCTETS = TERM_WHOLE_OCTETS + 1, /* no whole one is that long */
};

struct term_key {
	uint8_t octets;
	bool cut;
	uint8_t at[TERM_KEY_OCTETS];
};

void index_term_key(struct bytes term, struct term_key *out);

/* Whose list: an owner's, a group's, or everybody's. */
struct row_scope {
	int64_t number;
	bool shared; /* a group's: card_group_scope */
	bool all;
};

/* Has the object this very term? `a` is for scratch. */
enum err index_has_term(struct arena *a, const struct object *o,
    struct bytes term, bool *has) MUST_CHECK;

/* Do objects in this state stay in the index of those that are gone? */
bool index_is_gone(uint32_t state);

/* Where rows come from: a term's list, or a kind's, in one scope; or all. */
struct row_source {
	struct row_scope scope;      /* of all: neither term nor kind */
	const struct term_key *term; /* NULL: a kind */
	bool gone;
	uint32_t state;
	uint32_t type;
};

/* Up to `room` rows <= at_most, highest first; fewer are the last. */
enum err index_rows(struct store *st, const struct row_source *from,
    int64_t at_most, int64_t *rows, size_t room, size_t *count) MUST_CHECK;

/*
 * The kinds of which there are objects in a scope, one by one: the next after
 * *state and *type, which start at -1. ERR_NOT_FOUND behind the last.
 */
enum err index_next_kind(struct store *st, const struct row_scope *scope,
    int64_t *state, int64_t *type) MUST_CHECK;

/* ERR_NOT_FOUND when nothing was ever written for that owner or group. */
enum err index_scope(
    struct store *st, struct bytes name, struct row_scope *out) MUST_CHECK;

/* What the row itself tells. */
struct row_head {
	uint32_t state;
	uint32_t type;
	uint8_t id_octets;
	uint8_t id[OBJECT_ID_MAX_OCTETS];
};
enum err
index_head(struct store *st, int64_t row, struct row_head *out) MUST_CHECK;

/*
 * The row's object. From the cache when it is there; otherwise *own is it as
 * well, and the caller frees it: a long search shall not empty the cache.
 */
enum err index_object(struct store *st, int64_t row, struct bytes id,
    const struct object **out, struct object **own) MUST_CHECK;

/* ERR_NOT_FOUND when that scope has no such object. */
enum err index_row_of_id(struct store *st, struct bytes id,
    const struct row_scope *scope, int64_t *row) MUST_CHECK;

/* What is told now may come from a group that is not durable yet. */
void index_was_read(struct store *st);

#endif

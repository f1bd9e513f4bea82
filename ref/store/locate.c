#include <string.h>

#include "base/mem.h"
#include "store/index.h"

/*
 * Every condition is a list of rows, most recent first, and Locate walks them
 * all downwards in step: each list is asked for its next row at or below the
 * lowest proposal so far, until all name the same one. However long the other
 * lists are, they are only asked about as often as the shortest has rows.
 *
 * A list may be fed by several sources (a term by the living and the gone, a
 * kind by every state and type it allows), of which the highest row is next.
 */
enum {
	ROWS_AT_FIRST = 16,
	ROWS_AT_ONCE = 256,
	/* Kinds are checked row by row; after that many in a row that were of
	 * no use, their own list is walked as well. */
	MISSES_MAX = 8,
};

struct source {
	struct row_source from;
	size_t next; /* in rows */
	size_t count;
	size_t ask; /* how many next time */
	bool ended; /* there are none behind these */
	int64_t rows[ROWS_AT_ONCE];
};

struct list {
	struct source *source;
	size_t source_count;
};

struct search {
	struct store *st;
	const struct store_query *query;
	struct row_scope *scopes; /* those that have any objects */
	size_t scope_count;
	bool all;              /* every object is asked for its terms */
	struct term_key *keys; /* one a term */
	bool cut;              /* a term is: the object has to be asked */
	/* one a term, one for the identifier, one for the kinds */
	struct list *lists;
	size_t list_count;
	bool kinds_walked;
	unsigned misses;
};

static bool
kind_wanted(const struct store_query *q, uint32_t state, uint32_t type)
{
	return (q->object_type == 0 || q->object_type == type) &&
	       (q->states == 0 ||
		   (state < 32 && (q->states >> state & 1) != 0));
}

/* The source's highest row <= at_most; *row is -1 when it has none. */
static enum err
source_seek(struct store *st, struct source *s, int64_t at_most, int64_t *row)
{
	enum err rc = OK;

	while (s->next < s->count && s->rows[s->next] > at_most)
		s->next++;
	if (s->next == s->count && !s->ended) {
		TRY(index_rows(
		    st, &s->from, at_most, s->rows, s->ask, &s->count));
		s->next = 0;
		s->ended = s->count < s->ask;
		if (s->ask < ROWS_AT_ONCE)
			s->ask *= 4;
	}
	*row = s->next < s->count ? s->rows[s->next] : -1;
out:
	return rc;
}

static enum err
list_seek(struct store *st, struct list *l, int64_t at_most, int64_t *row)
{
	size_t k;
	int64_t here;
	enum err rc = OK;

	*row = -1;
	for (k = 0; k < l->source_count; k++) {
		TRY(source_seek(st, &l->source[k], at_most, &here));
		if (here > *row)
			*row = here;
	}
out:
	return rc;
}

static void
source_init(struct source *s, struct row_source from)
{
	s->from = from;
	s->next = s->count = 0;
	s->ask = ROWS_AT_FIRST;
	s->ended = false;
}

static enum err
term_list(struct search *s, const struct term_key *key)
{
	struct list *l = &s->lists[s->list_count++];
	bool wanted[2] = {false, false};
	uint32_t state;
	int gone;
	size_t k;
	enum err rc = OK;

	for (state = 0; state < 32; state++) {
		if (kind_wanted(s->query, state, s->query->object_type))
			wanted[index_is_gone(state)] = true;
	}
	TRY(MEM_ARRAY(l->source, 2 * s->scope_count));
	for (k = 0; k < 2 * s->scope_count; k++) {
		gone = k % 2;
		if (wanted[gone])
			source_init(&l->source[l->source_count++],
			    (struct row_source){.scope = s->scopes[k / 2],
				.term = key,
				.gone = gone != 0});
	}
out:
	return rc;
}

/* A list of one row, or none. */
static enum err
id_list(struct search *s)
{
	struct list *l = &s->lists[s->list_count++];
	int64_t row;
	size_t k;
	enum err rc = ERR_NOT_FOUND;

	for (k = 0; k < s->scope_count && rc == ERR_NOT_FOUND; k++)
		rc = index_row_of_id(s->st, s->query->id, &s->scopes[k], &row);
	if (rc == ERR_NOT_FOUND)
		return OK;
	TRY(rc);
	TRY(MEM_ARRAY(l->source, 1));
	l->source_count = 1;
	l->source[0].rows[0] = row;
	l->source[0].count = 1;
	l->source[0].ended = true;
out:
	return rc;
}

static enum err
add_source(struct list *l, size_t *room, struct row_source from)
{
	struct source *more;

	if (l->source_count == *room) {
		*room = *room * 2 + 4;
		more = mem_regrow(l->source, *room, sizeof(*l->source));
		if (more == NULL)
			return ERR_NOMEM;
		l->source = more;
	}
	source_init(&l->source[l->source_count++], from);
	return OK;
}

static enum err
scope_kinds(struct search *s, struct list *l, size_t *room,
    const struct row_scope *scope)
{
	int64_t state = -1;
	int64_t type = -1;
	enum err rc = OK;

	while ((rc = index_next_kind(s->st, scope, &state, &type)) == OK) {
		if (kind_wanted(s->query, (uint32_t)state, (uint32_t)type))
			TRY(add_source(l, room,
			    (struct row_source){.scope = *scope,
				.state = (uint32_t)state,
				.type = (uint32_t)type}));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
out:
	return rc;
}

static enum err
kind_list(struct search *s)
{
	struct list *l = &s->lists[s->list_count++];
	size_t room = 0;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < s->scope_count; k++)
		TRY(scope_kinds(s, l, &room, &s->scopes[k]));
	s->kinds_walked = true;
out:
	return rc;
}

/* Every row there is. */
static enum err
all_list(struct search *s)
{
	struct list *l = &s->lists[s->list_count++];
	size_t room = 0;

	return add_source(l, &room, (struct row_source){.scope = s->scopes[0]});
}

/* The highest row <= at_most in all lists; -1 when there is none. */
static enum err
next_row(struct search *s, int64_t at_most, int64_t *row)
{
	size_t agreed = 0;
	size_t k = 0;
	enum err rc = OK;

	*row = at_most;
	while (agreed < s->list_count && *row >= 0) {
		int64_t here;

		TRY(list_seek(s->st, &s->lists[k], *row, &here));
		agreed = here == *row ? agreed + 1 : 1;
		*row = here;
		k = (k + 1) % s->list_count;
	}
out:
	return rc;
}

/* Ask the object for what no index knows. */
static enum err
judge(struct search *s, struct arena *a, int64_t row,
    const struct row_head *head, bool *matches)
{
	const struct store_query *q = s->query;
	const struct object *o;
	struct object *own = NULL;
	size_t k;
	enum err rc = OK;

	TRY(index_object(
	    s->st, row, (struct bytes){head->id, head->id_octets}, &o, &own));
	*matches = true;
	for (k = 0; k < q->term_count && *matches; k++) {
		if (s->all || s->keys[k].cut)
			TRY(index_has_term(a, o, q->terms[k], matches));
	}
	if (*matches && q->filter != NULL)
		*matches = q->filter(q->ctx, o);
out:
	object_free(own);
	return rc;
}

static enum err
consider(struct search *s, struct arena *scratch, int64_t row, bool need_id,
    struct row_head *head, bool *matches)
{
	bool asks_object = s->cut || s->query->filter != NULL ||
			   (s->all && s->query->term_count != 0);
	bool any_kind = s->query->object_type == 0 && s->query->states == 0;
	enum err rc = OK;

	*matches = true;
	if (!need_id && !asks_object && (s->kinds_walked || any_kind))
		return OK;
	TRY(index_head(s->st, row, head));
	*matches = kind_wanted(s->query, head->state, head->type);
	s->misses = *matches ? 0 : s->misses + 1;
	if (s->misses == MISSES_MAX && !s->kinds_walked && !s->all)
		TRY(kind_list(s));
	if (*matches && asks_object) {
		TRY(judge(s, scratch, row, head, matches));
		arena_reset(scratch);
	}
out:
	return rc;
}

static enum err
keep_id(struct arena *a, const struct row_head *head, size_t *room,
    struct store_found *out)
{
	struct bytes *more;
	enum err rc = OK;

	if (out->id_count == *room) {
		*room = *room * 2 + 8;
		TRY(ARENA_ARRAY(a, more, *room));
		if (out->id_count != 0)
			memcpy(more, out->ids, out->id_count * sizeof(*more));
		out->ids = more;
	}
	TRY(arena_copy(a, (struct bytes){head->id, head->id_octets},
	    &out->ids[out->id_count]));
	out->id_count++;
out:
	return rc;
}

static enum err
search_run(struct search *s, struct arena *a, struct arena *scratch,
    struct store_found *out)
{
	const struct store_query *q = s->query;
	struct row_head head;
	size_t room = 0;
	size_t seen = 0;
	int64_t at_most = INT64_MAX;
	int64_t row;
	bool matches;
	size_t max = q->max_items != 0 ? q->max_items : SIZE_MAX;
	enum err rc = OK;

	while (q->count_all || out->id_count < max) {
		bool keep = seen >= q->offset_items && out->id_count < max;

		TRY(next_row(s, at_most, &row));
		if (row < 0)
			break;
		TRY(consider(s, scratch, row, keep, &head, &matches));
		if (matches && keep)
			TRY(keep_id(a, &head, &room, out));
		seen += matches;
		at_most = row - 1;
	}
	out->located = q->count_all ? seen : 0;
out:
	return rc;
}

static enum err
choose_scopes(struct search *s)
{
	const struct store_query *q = s->query;
	size_t k;
	enum err rc = OK;

	TRY(MEM_ARRAY(s->scopes, q->scope_count + 1));
	for (k = 0; k < q->scope_count; k++) {
		rc = index_scope(
		    s->st, q->scopes[k], &s->scopes[s->scope_count]);
		if (rc == ERR_NOT_FOUND)
			continue;
		TRY(rc);
		s->scope_count++;
	}
	rc = OK;
	s->all = q->scope_count == 0;
	if (s->all)
		s->scopes[s->scope_count++].all = true;
out:
	return rc;
}

static enum err
choose_lists(struct search *s)
{
	const struct store_query *q = s->query;
	size_t k;
	enum err rc = OK;

	TRY(MEM_ARRAY(s->keys, q->term_count));
	TRY(MEM_ARRAY(s->lists, q->term_count + 2));
	for (k = 0; k < q->term_count && !s->all; k++) {
		index_term_key(q->terms[k], &s->keys[k]);
		s->cut = s->cut || s->keys[k].cut;
		TRY(term_list(s, &s->keys[k]));
	}
	if (q->id.octets != 0)
		TRY(id_list(s));
	if (s->list_count == 0)
		TRY(s->all ? all_list(s) : kind_list(s));
out:
	return rc;
}

enum err
store_locate(struct store *st, struct arena *a, const struct store_query *query,
    struct store_found *out)
{
	struct search s = {.st = st, .query = query};
	struct arena *scratch = NULL;
	size_t k;
	enum err rc = OK;

	*out = (struct store_found){0};
	index_was_read(st);
	TRY(choose_scopes(&s));
	if (s.scope_count == 0)
		goto out;
	TRY(arena_new(OBJECT_CAP_OCTETS, &scratch));
	TRY(choose_lists(&s));
	TRY(search_run(&s, a, scratch, out));
out:
	for (k = 0; k < s.list_count; k++)
		mem_free(s.lists[k].source);
	mem_free(s.lists);
	mem_free(s.keys);
	mem_free(s.scopes);
	arena_free(scratch);
	return rc;
}

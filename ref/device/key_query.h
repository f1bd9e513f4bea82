/*
 * Key queries: which keys a list has, and which columns.
 *
 * A query is a row of conditions on what is told of a key, joined by "and" and
 * "or"; "and" binds them closer. A condition can ask for a custom attribute,
 * and for the result of another saved query.
 *
 * Records: "key.query", by name; conditions in their order.
 *
 *	description
 *	column     a row of key_field.def, by its word; in order
 *	condition  "and" or "or", field, comparison and value, tabs between
 *
 * "[All]" is always there and has no conditions. "Unnamed Query" is what was
 * run last without a name: there is one of it at most.
 *
 * Source: guide chapter 28
 */
#ifndef DEVICE_KEY_QUERY_H
#define DEVICE_KEY_QUERY_H

#include "device/key.h"

enum key_field {
#define FIELD(symbol, ...) symbol,
#include "device/key_field.def"
#undef FIELD
	KEY_FIELDS,
	/* of conditions only */
	KEY_FIELD_ATTRIBUTE = KEY_FIELDS, /* value: NAME=VALUE */
	KEY_FIELD_QUERY,                  /* value: a saved query */
	KEY_FIELDS_ASKED,
};

enum {
	KEY_QUERY_NAME_OCTETS = 64,
	KEY_QUERY_DESCRIPTION_OCTETS = 255,
	KEY_QUERY_VALUE_OCTETS = 255,
	KEY_QUERY_CONDITIONS = 16,
	KEY_QUERIES_DEEP = 8, /* queries on queries */
};

#define KEY_QUERY_ALL     "[All]"
#define KEY_QUERY_UNNAMED "Unnamed Query"

enum key_compare { KEY_IS, KEY_IS_NOT, KEY_CONTAINS, KEY_BEGINS, KEY_COMPARES };

struct key_condition {
	bool or ; /* with what is before it; of the first it means nothing */
	unsigned field;
	enum key_compare compare;
	char value[KEY_QUERY_VALUE_OCTETS + 1];
};

struct key_query {
	char name[KEY_QUERY_NAME_OCTETS + 1];
	char description[KEY_QUERY_DESCRIPTION_OCTETS + 1];
	enum key_field columns[KEY_FIELDS];
	size_t column_count;
	struct key_condition conditions[KEY_QUERY_CONDITIONS];
	size_t condition_count;
};

/* The words of both; by a word: false, there is none. */
const char *key_field_title(enum key_field field);
const char *key_field_word(unsigned field);
bool key_field_find(struct bytes word, unsigned *out);
const char *key_compare_word(enum key_compare compare);
bool key_compare_find(struct bytes word, enum key_compare *out);

/* As it is shown; in the arena. */
enum err key_field_text(struct key_call *call, const struct object *key,
    enum key_field field, struct bytes *out) MUST_CHECK;

/* No conditions, and the columns that are shown unless somebody says so. */
void key_query_init(struct key_query *query, const char *name);

/* ERR_NOT_FOUND; "[All]" is there in any case */
enum err key_query_read(
    struct store *st, struct bytes name, struct key_query *out) MUST_CHECK;

typedef enum err key_query_fn(void *ctx, const struct key_query *query);
/* "[All]" first, then in the order of their names. It must not write. */
enum err
key_query_each(struct store *st, key_query_fn *each, void *ctx) MUST_CHECK;

/*
 * For the apply of a change: in place of what there is, or new.
 *
 * ERR_FIELD  its name; conditions for "[All]"; a query that there is not, or
 *            itself: why
 */
enum err key_query_write(struct store *st, const struct key_query *query,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/* ERR_FIELD  there is none, or it is "[All]": why */
enum err key_query_delete(struct store *st, struct bytes name,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * For who walks the keys himself: a query with those that it asks for, read
 * once, and asked key by key. The plan lies in the arena of the call that makes
 * it.
 *
 * Errors as key_query_run.
 */
struct key_query_plan;
enum err key_query_plan(struct key_call *call, const struct key_query *query,
    const struct key_query_plan **out) MUST_CHECK;
enum err
key_query_matches(struct key_call *call, const struct key_query_plan *plan,
    const struct object *key, bool *matches) MUST_CHECK;

/*
 * A page of what it finds, newest first: `most` of them behind `offset`. count:
 * all that there are.
 *
 * ERR_NOT_FOUND  it asks for a query that is gone
 * ERR_LIMIT      queries on queries, too deep
 */
enum err key_query_run(struct key_call *call, const struct key_query *query,
    size_t offset, size_t most, key_fn *each, void *ctx,
    size_t *count) MUST_CHECK;

#endif

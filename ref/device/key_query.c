#include "device/key_query.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/entry.h"
#include "device/fields.h"
#include "store/record.h"

#define RECORD_KIND "key.query"

enum { RECORD_OCTETS = 16 * 1024 };

static const char name_field[] = "Query Name";

/* ---- words ---- */

#define YES true
#define NO  false

static const struct {
	const char *word;
	const char *title;
	bool shown;
} fields[KEY_FIELDS] = {
#define FIELD(symbol, word, title, shown) [symbol] = {word, title, shown},
#include "device/key_field.def"
#undef FIELD
};

static const char *const compares[KEY_COMPARES] = {
    [KEY_IS] = "is",
    [KEY_IS_NOT] = "is-not",
    [KEY_CONTAINS] = "contains",
    [KEY_BEGINS] = "begins",
};

const char *
key_field_title(enum key_field field)
{
	return fields[field].title;
}

const char *
key_field_word(unsigned field)
{
	if (field == KEY_FIELD_ATTRIBUTE)
		return "attribute";
	return field == KEY_FIELD_QUERY ? "query" : fields[field].word;
}

bool
key_field_find(struct bytes word, unsigned *out)
{
	for (*out = 0; *out < KEY_FIELDS_ASKED; ++*out) {
		if (bytes_equal_text(word, key_field_word(*out)))
			return true;
	}
	return false;
}

const char *
key_compare_word(enum key_compare compare)
{
	return compares[compare];
}

bool
key_compare_find(struct bytes word, enum key_compare *out)
{
	size_t k;

	for (k = 0; k < KEY_COMPARES; k++) {
		*out = (enum key_compare)k;
		if (bytes_equal_text(word, compares[k]))
			return true;
	}
	return false;
}

/* ---- what is told of a key ---- */

static struct bytes
named(enum tag tag, uint32_t value)
{
	const char *name = value != 0 ? schema_value_name(tag, value) : NULL;

	return bytes_of_text(name != NULL ? name : "");
}

enum err
key_field_text(struct key_call *call, const struct object *key,
    enum key_field field, struct bytes *out)
{
	char date[CLOCK_TEXT_OCTETS];
	struct key_info info;
	enum err rc = OK;

	*out = BYTES_NONE;
	TRY(key_info(call, key, &info));
	switch (field) {
	case KEY_FIELD_NAME:
		*out = info.name;
		break;
	case KEY_FIELD_OWNER:
		*out = info.owner;
		break;
	case KEY_FIELD_TYPE:
		*out = named(TAG_OBJECT_TYPE, info.object_type);
		break;
	case KEY_FIELD_ALGORITHM:
		*out = info.row != NULL
			   ? bytes_of_text(info.row->name)
			   : named(TAG_CRYPTOGRAPHIC_ALGORITHM, info.algorithm);
		break;
	case KEY_FIELD_STATE:
		/* req: KS-28-009 KS-28-011 */
		*out = named(TAG_STATE, info.state);
		break;
	case KEY_FIELD_EXPORTABLE:
		*out = bytes_of_text(entry_yesno(info.exportable));
		break;
	case KEY_FIELD_DELETABLE:
		*out = bytes_of_text(entry_yesno(info.deletable));
		break;
	case KEY_FIELD_VERSIONED:
		*out = bytes_of_text(entry_yesno(key_versions(key) != 0));
		break;
	case KEY_FIELD_CREATED:
		clock_text(call->appliance->clock, info.created_s, date);
		TRY(arena_copy(call->arena, bytes_of_text(date), out));
		break;
	case KEY_FIELD_ID:
		*out = info.id;
		break;
	case KEY_FIELDS:
	case KEY_FIELD_QUERY:
	case KEY_FIELDS_ASKED:
		break;
	}
out:
	return rc;
}

/* ---- records ---- */

void
key_query_init(struct key_query *query, const char *name)
{
	size_t k;

	*query = (struct key_query){.column_count = 0};
	(void)snprintf(query->name, sizeof(query->name), "%s", name);
	for (k = 0; k < KEY_FIELDS; k++) {
		if (fields[k].shown)
			query->columns[query->column_count++] =
			    (enum key_field)k;
	}
}

static bool
take_word(struct bytes *in, struct bytes *word)
{
	const uint8_t *tab =
	    in->octets != 0 ? memchr(in->at, '\t', in->octets) : NULL;

	if (tab == NULL)
		return false;
	*word = (struct bytes){in->at, (size_t)(tab - in->at)};
	in->at = tab + 1;
	in->octets -= word->octets + 1;
	return true;
}

static enum err
decode_condition(struct bytes in, struct key_condition *out)
{
	struct bytes join;
	struct bytes field;
	struct bytes compare;

	if (!take_word(&in, &join) || !take_word(&in, &field) ||
	    !take_word(&in, &compare) || in.octets > KEY_QUERY_VALUE_OCTETS ||
	    !key_field_find(field, &out->field) ||
	    !key_compare_find(compare, &out->compare))
		return ERR_VALUE;
	out->or = bytes_equal_text(join, "or");
	if (in.octets != 0)
		memcpy(out->value, in.at, in.octets);
	out->value[in.octets] = '\0';
	return OK;
}

static enum err
decode_field(const struct field *field, struct key_query *out)
{
	unsigned column;

	if (bytes_equal_text(field->name, "description")) {
		if (field->value.octets > KEY_QUERY_DESCRIPTION_OCTETS)
			return ERR_VALUE;
		if (field->value.octets != 0)
			memcpy(out->description, field->value.at,
			    field->value.octets);
		return OK;
	}
	if (bytes_equal_text(field->name, "column")) {
		if (!key_field_find(field->value, &column) ||
		    column >= KEY_FIELDS || out->column_count == KEY_FIELDS)
			return ERR_VALUE;
		out->columns[out->column_count++] = (enum key_field)column;
		return OK;
	}
	if (!bytes_equal_text(field->name, "condition"))
		return OK; /* of a newer release */
	if (out->condition_count == KEY_QUERY_CONDITIONS)
		return ERR_VALUE;
	return decode_condition(
	    field->value, &out->conditions[out->condition_count++]);
}

static enum err
decode(struct bytes name, struct bytes value, struct key_query *out)
{
	struct field field;
	enum err rc = OK;

	*out = (struct key_query){.column_count = 0};
	if (name.octets > KEY_QUERY_NAME_OCTETS)
		TRY(ERR_VALUE);
	memcpy(out->name, name.at, name.octets);
	while ((rc = fields_next(&value, &field)) == OK)
		TRY(decode_field(&field, out));
	if (rc == ERR_NOT_FOUND)
		return OK;
out:
	log_line("key", LOG_ERROR, "a key query cannot be read");
	return rc == ERR_NOMEM ? rc : ERR_STORE;
}

enum err
key_query_read(struct store *st, struct bytes name, struct key_query *out)
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	if (name.octets == 0 || name.octets > KEY_QUERY_NAME_OCTETS)
		TRY(ERR_NOT_FOUND);
	rc = record_get(st, RECORD_KIND, name, &value);
	if (rc == ERR_NOT_FOUND && bytes_equal_text(name, KEY_QUERY_ALL)) {
		key_query_init(out, KEY_QUERY_ALL);
		rc = OK;
		goto out;
	}
	TRY(rc);
	TRY(decode(name, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

struct walk {
	key_query_fn *each;
	void *ctx;
};

static enum err
show_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct key_query query;
	enum err rc = OK;

	if (bytes_equal_text(key, KEY_QUERY_ALL))
		return OK;
	TRY(decode(key, value, &query));
	TRY(walk->each(walk->ctx, &query));
out:
	return rc;
}

enum err
key_query_each(struct store *st, key_query_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};
	struct key_query all;
	enum err rc = OK;

	TRY(key_query_read(st, bytes_of_text(KEY_QUERY_ALL), &all));
	TRY(each(ctx, &all));
	TRY(record_each(st, RECORD_KIND, show_one, &walk));
out:
	return rc;
}

static enum err
refuse(struct bytes value, const char *rule, char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(name_field, value, rule, why);
	return ERR_FIELD;
}

/* req: KS-28-343 KS-28-352 */
static enum err
check(struct store *st, const struct key_query *query,
    char why[CHANGE_WHY_OCTETS])
{
	struct bytes name = bytes_of_text(query->name);
	bool is_all = bytes_equal_text(name, KEY_QUERY_ALL);
	struct key_query other;
	enum err rc = OK;
	size_t k;

	if (is_all &&
	    (query->condition_count != 0 || query->description[0] != '\0'))
		TRY(refuse(name, "only its columns can be changed", why));
	if (!is_all && !bytes_equal_text(name, KEY_QUERY_UNNAMED) &&
	    !key_name_is_good(name))
		TRY(refuse(name, entry_kind_rule(TEXT_NAME), why));
	if (query->column_count == 0)
		TRY(refuse(name, "it shows no column", why));
	for (k = 0; k < query->condition_count; k++) {
		struct bytes value = bytes_of_text(query->conditions[k].value);

		if (query->conditions[k].field != KEY_FIELD_QUERY)
			continue;
		if (bytes_equal(value, name))
			TRY(refuse(value, "a query cannot use itself", why));
		rc = key_query_read(st, value, &other);
		if (rc == ERR_NOT_FOUND)
			TRY(refuse(value, "there is no such query", why));
		TRY(rc);
	}
out:
	return rc;
}

static enum err
encode(const struct key_query *query, struct buf *value)
{
	char text[KEY_QUERY_VALUE_OCTETS + 64];
	enum err rc = OK;
	size_t k;

	TRY(fields_put_text(value, "description", query->description));
	for (k = 0; k < query->column_count; k++)
		TRY(fields_put_text(
		    value, "column", key_field_word(query->columns[k])));
	for (k = 0; k < query->condition_count; k++) {
		const struct key_condition *c = &query->conditions[k];

		(void)snprintf(text, sizeof(text), "%s\t%s\t%s\t%s",
		    c->or ? "or" : "and", key_field_word(c->field),
		    compares[c->compare], c->value);
		TRY(fields_put_text(value, "condition", text));
	}
out:
	return rc;
}

enum err
key_query_write(struct store *st, const struct key_query *query,
    char why[CHANGE_WHY_OCTETS])
{
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(check(st, query, why));
	TRY(encode(query, &value));
	TRY(record_put(
	    st, RECORD_KIND, bytes_of_text(query->name), buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

enum err
key_query_delete(
    struct store *st, struct bytes name, char why[CHANGE_WHY_OCTETS])
{
	struct key_query query;
	enum err rc = OK;

	if (bytes_equal_text(name, KEY_QUERY_ALL))
		TRY(refuse(name, "it cannot be deleted", why));
	rc = key_query_read(st, name, &query);
	if (rc == ERR_NOT_FOUND)
		TRY(refuse(name, "there is no such query", why));
	TRY(rc);
	TRY(record_delete(st, RECORD_KIND, name));
out:
	return rc;
}

/* ---- running ---- */

/* A query with those that it asks for, read before the store is searched. */
struct key_query_plan {
	struct key_query query;
	struct key_query_plan *of[KEY_QUERY_CONDITIONS]; /* NULL: no query */
};

struct run {
	struct key_call *call;
	struct key_query_plan *plan;
	enum err rc; /* the first that went wrong */
};

static enum err
plan_make(struct key_call *call, const struct key_query *query, unsigned depth,
    struct key_query_plan **out)
{
	struct store *st = call->appliance->store;
	struct key_query_plan *plan;
	struct key_query *other;
	enum err rc = OK;
	size_t k;

	if (depth == KEY_QUERIES_DEEP)
		TRY(ERR_LIMIT);
	TRY(ARENA_NEW(call->arena, plan));
	plan->query = *query;
	TRY(ARENA_NEW(call->arena, other));
	for (k = 0; k < query->condition_count; k++) {
		if (query->conditions[k].field != KEY_FIELD_QUERY)
			continue;
		TRY(key_query_read(
		    st, bytes_of_text(query->conditions[k].value), other));
		TRY(plan_make(call, other, depth + 1, &plan->of[k]));
	}
	*out = plan;
out:
	return rc;
}

enum err
key_query_plan(struct key_call *call, const struct key_query *query,
    const struct key_query_plan **out)
{
	struct key_query_plan *plan;
	enum err rc = OK;

	TRY(plan_make(call, query, 0, &plan));
	*out = plan;
out:
	return rc;
}

static bool
compares_so(const struct key_condition *c, struct bytes text, struct bytes want)
{
	switch (c->compare) {
	case KEY_IS:
		return bytes_equal(text, want);
	case KEY_IS_NOT:
		return !bytes_equal(text, want);
	case KEY_CONTAINS:
		return want.octets == 0 ||
		       (text.octets >= want.octets &&
			   memmem(text.at, text.octets, want.at, want.octets) !=
			       NULL);
	case KEY_BEGINS:
		return text.octets >= want.octets &&
		       (want.octets == 0 ||
			   memcmp(text.at, want.at, want.octets) == 0);
	case KEY_COMPARES:
		break;
	}
	return false;
}

/* NAME=VALUE, of any instance. */
static enum err
attribute_matches(struct key_call *call, const struct key_condition *c,
    const struct object *key, bool *matches)
{
	struct bytes all = bytes_of_text(c->value);
	const uint8_t *at =
	    all.octets != 0 ? memchr(all.at, '=', all.octets) : NULL;
	struct bytes name = all;
	struct bytes want = BYTES_NONE;
	struct key_attribute *attributes;
	size_t count;
	size_t k;
	enum err rc = OK;

	*matches = c->compare == KEY_IS_NOT;
	if (at != NULL) {
		name.octets = (size_t)(at - all.at);
		want = (struct bytes){at + 1, all.octets - name.octets - 1};
	}
	TRY(key_attributes(call, key, &attributes, &count));
	for (k = 0; k < count; k++) {
		bool so = bytes_equal(attributes[k].name, name) &&
			  compares_so(c, attributes[k].value, want);

		if (c->compare != KEY_IS_NOT)
			*matches = *matches || so;
		else if (bytes_equal(attributes[k].name, name))
			*matches = *matches && so;
	}
out:
	return rc;
}

static enum err
condition_matches(struct key_call *call, const struct key_query_plan *plan,
    size_t k, const struct object *key, bool *matches)
{
	const struct key_condition *c = &plan->query.conditions[k];
	struct bytes text;
	enum err rc = OK;

	if (c->field == KEY_FIELD_QUERY) {
		TRY(key_query_matches(call, plan->of[k], key, matches));
		*matches = *matches != (c->compare == KEY_IS_NOT);
	} else if (c->field == KEY_FIELD_ATTRIBUTE) {
		TRY(attribute_matches(call, c, key, matches));
	} else {
		TRY(key_field_text(call, key, (enum key_field)c->field, &text));
		*matches = compares_so(c, text, bytes_of_text(c->value));
	}
out:
	return rc;
}

/* Any of the rows of conditions that "or" divides, all of whose hold. */
enum err
key_query_matches(struct key_call *call, const struct key_query_plan *plan,
    const struct object *key, bool *matches)
{
	size_t count = plan->query.condition_count;
	bool row = true;
	bool one;
	enum err rc = OK;
	size_t k;

	*matches = false;
	for (k = 0; k < count && !*matches; k++) {
		if (k != 0 && plan->query.conditions[k].or) {
			*matches = row;
			row = true;
		}
		if (row && !*matches) {
			TRY(condition_matches(call, plan, k, key, &one));
			row = one;
		}
	}
	*matches = *matches || row;
out:
	return rc;
}

static bool
filter(void *ctx, const struct object *key)
{
	struct run *run = ctx;
	bool matches = false;
	enum err rc = OK;

	if (run->rc != OK)
		return false;
	rc = key_query_matches(run->call, run->plan, key, &matches);
	arena_reset(run->call->arena);
	if (rc != OK)
		run->rc = rc;
	return matches;
}

/* req: KS-28-334 KS-28-338 */
enum err
key_query_run(struct key_call *call, const struct key_query *query,
    size_t offset, size_t most, key_fn *each, void *ctx, size_t *count)
{
	struct arena *scratch = NULL;
	struct key_call judge;
	struct run run = {.call = &judge};
	struct key_list list = {.filter = filter,
	    .ctx = &run,
	    .offset = offset,
	    .most = most,
	    .count_all = true};
	enum err rc = OK;

	*count = 0;
	TRY(plan_make(call, query, 0, &run.plan));
	TRY(arena_new(OBJECT_CAP_OCTETS, &scratch));
	judge = *call;
	judge.arena = scratch;
	TRY(key_each(call, &list, each, ctx, count));
	TRY(run.rc);
out:
	arena_free(scratch);
	return rc;
}

#include "mutate.h"

#include "check.h"
#include "clock.h"
#include "hostile.h"
#include "message.h"
#include "octets.h"
#include "schema.h"
#include "touchstone_tags.h"
#include "ttlv.h"
#include "vars.h"

#include <string.h>

/* A request in its octets, which the mutators break, and its items in order. */
struct victim {
	uint8_t *at;
	size_t octets;
	const struct node **items;
	unsigned count;
	struct arena *a;
};

typedef bool mutator_fn(struct victim *v, unsigned k);

static bool
set_length(struct victim *v, unsigned k, uint32_t length)
{
	bytes_put_number(v->at + v->items[k]->offset + 4, 4, length);
	return true;
}

static bool
length_less(struct victim *v, unsigned k)
{
	return set_length(v, k, v->items[k]->length - 1);
}

static bool
length_more(struct victim *v, unsigned k)
{
	return set_length(v, k, v->items[k]->length + 1);
}

/* Not the message's own: the server would rightly wait for so much. */
static bool
length_huge(struct victim *v, unsigned k)
{
	return k == 0 || set_length(v, k, UINT32_MAX);
}

static bool
type_other(struct victim *v, unsigned k)
{
	/* of the same length, so that only the type is wrong */
	static const uint8_t other[TYPE_END] = {
	    [TYPE_STRUCTURE] = TYPE_BYTE_STRING,
	    [TYPE_INTEGER] = TYPE_ENUMERATION,
	    [TYPE_LONG_INTEGER] = TYPE_DATE_TIME,
	    [TYPE_BIG_INTEGER] = TYPE_BYTE_STRING,
	    [TYPE_ENUMERATION] = TYPE_INTEGER,
	    [TYPE_BOOLEAN] = TYPE_LONG_INTEGER,
	    [TYPE_TEXT_STRING] = TYPE_BYTE_STRING,
	    [TYPE_BYTE_STRING] = TYPE_TEXT_STRING,
	    [TYPE_DATE_TIME] = TYPE_LONG_INTEGER,
	    [TYPE_INTERVAL] = TYPE_INTEGER,
	    [TYPE_DATE_TIME_EXTENDED] = TYPE_DATE_TIME,
	};

	v->at[v->items[k]->offset + 3] = other[v->items[k]->type];
	return true;
}

static bool
type_none(struct victim *v, unsigned k)
{
	v->at[v->items[k]->offset + 3] = 0x0f;
	return true;
}

static bool
tag_none(struct victim *v, unsigned k)
{
	v->at[v->items[k]->offset] = 0x41;
	return true;
}

static bool
cut_short(struct victim *v, unsigned k)
{
	if (k == 0)
		return true;
	v->octets = v->items[k]->offset;
	return true;
}

static bool
nested(struct victim *v, unsigned k)
{
	size_t head = v->items[0]->first->next == NULL
			  ? v->octets
			  : v->items[0]->first->next->offset;
	size_t octets = head + (size_t)MUTATE_DEPTH * 8;
	uint8_t *p = arena_take(v->a, octets);

	if (k > 0)
		return false;
	/* the header stays; a Batch Item in a Batch Item in ... follows */
	memcpy(p, v->at, head);
	bytes_put_number(p + 4, 4, octets - 8);
	for (size_t i = 0; i < MUTATE_DEPTH; i++) {
		bytes_put_number(p + head + i * 8, 3, TAG_BATCH_ITEM);
		p[head + i * 8 + 3] = TYPE_STRUCTURE;
		bytes_put_number(
		    p + head + i * 8 + 4, 4, (MUTATE_DEPTH - i - 1) * 8);
	}
	v->at = p;
	v->octets = octets;
	return true;
}

static bool
split(struct victim *v, unsigned k)
{
	(void)v;
	return k == 0;
}

static const struct mutator {
	mutator_fn *make;
	const char *name, *what, *clause;
} mutators[] = {
#define MUTATOR(function, name, what, clause) {function, name, what, clause},
#include "mutator.def"
};

#define MUTATORS (sizeof mutators / sizeof *mutators)

static unsigned
count_items(const struct node *n)
{
	unsigned count = 1;

	for (n = n->first; n != NULL; n = n->next)
		count += count_items(n);
	return count;
}

static void
list_items(struct victim *v, const struct node *n)
{
	v->items[v->count++] = n;
	for (n = n->first; n != NULL; n = n->next)
		list_items(v, n);
}

/* A fresh copy of the request in octets; its nodes get their offsets. */
static struct victim
new_victim(struct arena *a, const struct node *request)
{
	struct victim v = {.a = a};
	struct node *copy = node_copy(a, request);
	struct buf out = {0};

	ttlv_encode(copy, &out);
	v.at = arena_copy(a, buf_peek(&out));
	v.octets = out.octets;
	v.items = ARENA_ARRAY(a, count_items(copy), const struct node *);
	list_items(&v, copy);
	buf_clear(&out);
	return v;
}

static bool
make_copy(struct arena *a, const struct mutator *m, const struct node *request,
    unsigned k, struct bytes *out)
{
	struct victim v = new_victim(a, request);

	if (k >= v.count || !m->make(&v, k))
		return false;
	*out = (struct bytes){v.at, v.octets};
	return true;
}

bool
mutate_copy(struct arena *a, const char *name, const struct node *request,
    unsigned k, struct bytes *out)
{
	for (size_t i = 0; i < MUTATORS; i++)
		if (strcmp(mutators[i].name, name) == 0)
			return make_copy(a, &mutators[i], request, k, out);
	return false;
}

/* What one of these tests breaks, and how. */
struct mutation {
	const struct mutator *mutator;
	unsigned version;
	const struct test_case *c; /* NULL: requests of our own */
};

/* A Create and a Locate by name: text, numbers, enumerations, structures. */
static struct node *
own_request(struct arena *a, unsigned version)
{
	struct node *m = message_new(a, version);
	struct node *p = message_item(a, m, OPERATION_LOCATE), *n;

	put_number(a, p, TAG_MAXIMUM_ITEMS, TYPE_INTEGER, 1);
	if (version >= 0x20) {
		n = put_structure(a, p, TAG_ATTRIBUTES);
		n = put_structure(a, n, TAG_NAME);
	} else {
		n = put_structure(a, p, TAG_ATTRIBUTE);
		put_text(a, n, TAG_ATTRIBUTE_NAME, "Name");
		n = put_structure(a, n, TAG_ATTRIBUTE_VALUE);
	}
	put_text(a, n, TAG_NAME_VALUE, "touchstone");
	put_enum(a, n, TAG_NAME_TYPE, NAME_TYPE_UNINTERPRETED_TEXT_STRING);
	return m;
}

static struct node *
base_request(struct arena *a, const struct mutation *m, const struct bench *b,
    struct fault *f)
{
	struct node *request = NULL;

	if (m->c == NULL)
		return own_request(a, m->version);
	if (vars_fill(vars_new(a, b->seed, NULL), a, m->c->steps->request,
		clock_now(b->clock), &request, f) != OK)
		return NULL;
	return request;
}

static bool
send_copy(struct arena *a, const struct mutation *m, const struct bench *b,
    struct outcome *o, unsigned n, struct bytes copy)
{
	bool is_split = m->mutator->make == split;
	const char *said = octets_judge(a, copy);
	enum hostile_want want = HOSTILE_REFUSAL;

	if (is_split)
		want = HOSTILE_ANSWER;
	else if (strcmp(said, "accept") == 0)
		return true; /* not broken after all */
	return hostile_send(a, b, o, n, copy, is_split ? 1 : 0, want);
}

static void
run(struct arena *a, const struct test *t, const struct bench *b,
    struct outcome *o)
{
	const struct mutation *m = t->own;
	struct fault f = {""};
	struct node *request = base_request(a, m, b, &f);
	unsigned count, stride, n = 0;
	struct bytes copy;

	if (request == NULL) {
		outcome_not_run(a, o, f.text);
		return;
	}
	o->verdict = VERDICT_PASS;
	count = count_items(request);
	stride = (count + MUTATE_MAX_COPIES - 1) / MUTATE_MAX_COPIES;
	for (unsigned k =
		 count > MUTATE_MAX_COPIES ? (unsigned)(b->seed % stride) : 0;
	     make_copy(a, m->mutator, request, k, &copy); k += stride)
		if (!send_copy(a, m, b, o, ++n, copy))
			return;
}

static const char *
unclaimed(struct arena *a, const struct test *t, const struct target *target)
{
	const struct mutation *m = t->own;

	if (!target_claims_version(target, m->version))
		return arena_printf(a, "KMIP %s", version_name(m->version));
	if (!target_claims_family(target, "mutate"))
		return "family mutate";
	return NULL;
}

static void
add(struct arena *a, struct tests *list, const struct mutator *mutator,
    unsigned version, const struct test_case *c)
{
	struct test *t = ARENA_NEW(a, struct test);
	struct mutation *m = ARENA_NEW(a, struct mutation);

	*m = (struct mutation){mutator, version, c};
	t->version = arena_strdup(a, version_name(version));
	t->id = arena_printf(
	    a, "mutate/%s/%s", mutator->name, c == NULL ? t->version : c->id);
	t->family = "mutate";
	t->level = "must";
	t->title = mutator->what;
	words_add(a, &t->clauses, mutator->clause);
	t->unclaimed = unclaimed;
	t->run = run;
	t->own = m;
	tests_add(list, t);
}

void
mutate_add(struct arena *a, const struct target *t, struct tests *list)
{
	for (int i = 0; i < VERSIONS; i++)
		for (size_t k = 0; k < MUTATORS; k++)
			if (target_claims_version(t, version_at(i)))
				add(a, list, &mutators[k], version_at(i), NULL);
}

void
mutate_add_case(struct arena *a, const struct test_case *c, struct tests *list)
{
	if (c->broken != NULL || c->steps->from_server)
		return;
	for (size_t k = 0; k < MUTATORS; k++)
		add(a, list, &mutators[k], c->version, c);
}

#include "order.h"

#include <string.h>

static bool
is_wanted(const struct words *only, const char *id)
{
	for (size_t i = 0; i < only->count; i++)
		if (text_matches(only->at[i], id))
			return true;
	return only->count == 0;
}

void
order_select(struct arena *a, struct tests *list, const struct words *only)
{
	struct words ids = {0};
	struct tests kept;

	for (struct test *t = list->first; t != NULL; t = t->next)
		if (is_wanted(only, t->id))
			words_add(a, &ids, t->id);
	/* the list grows by what its members come after */
	for (size_t i = 0; i < ids.count; i++) {
		const struct test *t = tests_find(list, ids.at[i]);

		if (t->after != NULL && !words_have(&ids, t->after) &&
		    tests_find(list, t->after) != NULL)
			words_add(a, &ids, t->after);
	}
	for (size_t i = 0; i < ids.count; i++) {
		const struct test *t = tests_find(list, ids.at[i]);
		struct test *before =
		    t->after == NULL ? NULL : tests_find(list, t->after);

		if (before != NULL)
			before->is_followed = true;
	}
	tests_init(&kept);
	for (struct test *t = list->first, *next; t != NULL; t = next) {
		next = t->next;
		t->next = NULL;
		if (words_have(&ids, t->id))
			tests_add(&kept, t);
	}
	list->first = kept.first;
	list->tail = kept.first == NULL ? &list->first : kept.tail;
	list->count = kept.count;
}

/* xorshift64*: an order needs no better */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

/* The test and, behind it, all that come after it. */
static void
move_with_followers(
    struct test **all, size_t count, size_t i, struct tests *out)
{
	struct test *t = all[i];

	all[i] = NULL;
	t->next = NULL;
	tests_add(out, t);
	for (size_t k = 0; k < count; k++)
		if (all[k] != NULL && all[k]->after != NULL &&
		    strcmp(all[k]->after, t->id) == 0)
			move_with_followers(all, count, k, out);
}

void
order_shuffle(struct arena *a, struct tests *list, uint64_t seed)
{
	struct test **all = ARENA_ARRAY(a, list->count + 1, struct test *);
	bool *leads = ARENA_ARRAY(a, list->count + 1, bool);
	uint64_t state = seed * 2 + 1;
	struct tests out;
	size_t count = 0;

	for (struct test *t = list->first; t != NULL; t = t->next)
		all[count++] = t;
	for (size_t i = count; i > 1; i--) {
		size_t k = next_random(&state) % i;
		struct test *t = all[i - 1];

		all[i - 1] = all[k];
		all[k] = t;
	}
	/* before the list is taken apart: who comes after nobody in it? */
	for (size_t i = 0; i < count; i++)
		leads[i] = all[i]->after == NULL ||
			   tests_find(list, all[i]->after) == NULL;
	tests_init(&out);
	for (size_t i = 0; i < count; i++)
		if (all[i] != NULL && leads[i])
			move_with_followers(all, count, i, &out);
	/* those left come after one another in a ring: run them all the same */
	for (size_t i = 0; i < count; i++)
		if (all[i] != NULL)
			move_with_followers(all, count, i, &out);
	*list = out;
	if (list->first == NULL)
		list->tail = &list->first;
}

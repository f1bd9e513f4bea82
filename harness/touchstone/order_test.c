#include "order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
fill(struct arena *a, struct tests *list, const char *const (*rows)[2],
    size_t count)
{
	tests_init(list);
	for (size_t i = 0; i < count; i++) {
		struct test *t = ARENA_NEW(a, struct test);

		t->id = rows[i][0];
		t->after = rows[i][1];
		tests_add(list, t);
	}
}

static const char *
ids(struct arena *a, const struct tests *list)
{
	const char *text = "";

	for (const struct test *t = list->first; t != NULL; t = t->next)
		text = arena_printf(a, "%s%s ", text, t->id);
	return text;
}

static const char *const chain[][2] = {
    {"o/a", NULL},
    {"o/b", NULL},
    {"o/c2", "o/c1"},
    {"o/c1", NULL},
    {"o/c3", "o/c2"},
    {"o/d", "o/gone"},
    {"p/e", NULL},
};

#define CHAIN (sizeof chain / sizeof *chain)

static void
selection(void **state)
{
	static const struct {
		const char *only[2];
		const char *want;
	} cases[] = {
	    {{NULL}, "o/a o/b o/c2 o/c1 o/c3 o/d p/e "},
	    {{"o/a"}, "o/a "},
	    {{"o/?"}, "o/a o/b o/d "},
	    {{"p/*", "o/b"}, "o/b p/e "},
	    {{"o/c3"}, "o/c2 o/c1 o/c3 "}, /* what it comes after, too */
	    {{"q/*"}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *a = arena_new();
		struct words only = {0};
		struct tests list;

		fill(a, &list, chain, CHAIN);
		for (size_t k = 0; k < 2 && cases[i].only[k] != NULL; k++)
			words_add(a, &only, cases[i].only[k]);
		order_select(a, &list, &only);
		assert_string_equal(ids(a, &list), cases[i].want);
		arena_free(a);
	}
}

/* The same seed, the same order; all are there; a chain stays one. */
static void
shuffling(void **state)
{
	const char *first = NULL;
	bool differs = false;
	struct arena *a = arena_new();

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct tests one, two;

		fill(a, &one, chain, CHAIN);
		fill(a, &two, chain, CHAIN);
		order_shuffle(a, &one, seed);
		order_shuffle(a, &two, seed);
		assert_string_equal(ids(a, &one), ids(a, &two));
		assert_int_equal(one.count, CHAIN);
		for (size_t i = 0; i < CHAIN; i++)
			assert_non_null(tests_find(&one, chain[i][0]));
		assert_non_null(strstr(ids(a, &one), "o/c1 o/c2 o/c3 "));
		differs |= first != NULL && strcmp(first, ids(a, &one)) != 0;
		first = ids(a, &one);
	}
	assert_true(differs);
	arena_free(a);
}

/* Tests that come after one another in a ring all run, once. */
static void
a_ring(void **state)
{
	static const char *const ring[][2] = {{"a", "b"}, {"b", "a"}};
	struct arena *a = arena_new();
	struct tests list;

	(void)state;
	fill(a, &list, ring, 2);
	order_shuffle(a, &list, 1);
	assert_int_equal(list.count, 2);
	assert_non_null(tests_find(&list, "a"));
	assert_non_null(tests_find(&list, "b"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(selection),
	    cmocka_unit_test(shuffling),
	    cmocka_unit_test(a_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

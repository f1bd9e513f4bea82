#include "nae_mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char request[] =
    "<A><ID>1</ID><B/></A><Data><Size>3</Size><a><Size>1</Size>d</Data>";

static void
copies(void **state)
{
	static const struct {
		const char *mutator;
		unsigned k;
		const char *want; /* how the copy begins; NULL: there is none */
	} of[] = {
	    {"nae-cut-short", 0, "<A>"},
	    {"nae-cut-short", 2, "<A><ID>1</ID>"},
	    {"nae-cut-short", 4, NULL},
	    {"nae-end-other", 0, "<A><ID>1</IDx><B/></A>"},
	    {"nae-end-other", 1, "<A><ID>1</ID><B/></Ax>"},
	    {"nae-end-other", 2, NULL},
	    {"nae-tag-open", 1, "<A><ID1</ID>"},
	    {"nae-reference", 1, "<A><ID>&nobody;1</ID>"},
	    {"nae-control", 0, "<A>\001<ID>"},
	    {"nae-latin-1", 3, "<A><ID>1</ID><B/>\344</A>"},
	    {"nae-latin-1", 4, NULL},
	    {"nae-comment", 2, "<A><ID>1</ID><!-- --><B/>"},
	    {"nae-deep", 0, "<A><D><D><D>"},
	    {"nae-deep", 1, NULL},
	    {"nae-size-less", 0, "<A><ID>1</ID><B/></A><Data><Size>2</Size>"},
	    {"nae-size-more", 1,
		"<A><ID>1</ID><B/></A><Data><Size>3</Size><a><Size>2</Size>d"},
	    {"nae-size-more", 2, NULL},
	    {"nae-size-huge", 0,
		"<A><ID>1</ID><B/></A><Data><Size>100000000000000000000000"},
	    {"nae-split", 0, request},
	    {"nae-split", 1, NULL},
	    {"nae-no-such", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct arena *a = arena_new();
		struct bytes copy;
		bool made = nae_mutate_copy(
		    a, of[i].mutator, bytes_of_text(request), of[i].k, &copy);

		if (made != (of[i].want != NULL) ||
		    (made && strncmp((const char *)copy.at, of[i].want,
				 strlen(of[i].want)) != 0))
			fail_msg("%s %u: %s", of[i].mutator, of[i].k,
			    made ? (const char *)copy.at : "none");
		arena_free(a);
	}
}

/* What is no element has no copies, and breaks nothing here. */
static void
no_elements(void **state)
{
	static const char *const of[] = {"", "text", "<A", "<A><B>", "></A>"};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct arena *a = arena_new();
		struct bytes copy;

		for (unsigned k = 0; k < 4; k++)
			(void)nae_mutate_copy(
			    a, "nae-tag-open", bytes_of_text(of[i]), k, &copy);
		assert_false(nae_mutate_copy(
		    a, "nae-size-less", bytes_of_text(of[i]), 0, &copy));
		arena_free(a);
	}
}

/* What is accepted is broken in all ways that it can be, what is refused in
 * none. */
static void
of_cases(void **state)
{
	static const struct {
		const char *steps;
		size_t count;
	} of[] = {
	    {"send\n <A/>\n", 9},
	    {"send\n <A/>{data hex 00}\n", 12},
	    {"send\n <A/>\nclosed\n", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct arena *a = arena_new();
		struct tests list;

		tests_init(&list);
		nae_mutate_add_case(a,
		    nae_case_parse(a, "nae", "x/y.nae",
			bytes_of_text(arena_printf(a,
			    "title: t\nclause: c\nmark: C\n\nconnect\n%s",
			    of[i].steps))),
		    &list);
		if (list.count != of[i].count)
			fail_msg("%s: %zu", of[i].steps, list.count);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_cases),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(no_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

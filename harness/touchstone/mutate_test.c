#include "mutate.h"

#include "octets.h"
#include "tree_test.h"

#include <string.h>

static const char request[] = REQUEST("1", "4", "Locate",
    NUMBER("MaximumItems", "1") TEXT("ObjectGroupMember", "abc"));

/* What each mutator makes of each item: our own codec refuses it so. */
static void
kinds(void **state)
{
	static const struct {
		const char *mutator;
		unsigned k;
		const char *want; /* NULL: no such copy */
	} cases[] = {
	    {"length-less", 0, "length"},
	    {"length-less", 3, "length"},
	    {"length-more", 3, "length"},
	    {"length-huge", 0, "type"}, /* left as it is; the text is wrong */
	    {"length-huge", 1, "length"},
	    {"type-none", 0, "type"},
	    {"type-none", 5, "type"},
	    {"type-other", 3, "type"},
	    {"tag-none", 1, "tag"},
	    {"cut-short", 4, "truncated"},
	    {"nested", 0, "depth"},
	    {"nested", 1, NULL},
	    {"split", 0, "type"},
	    {"split", 1, NULL},
	    {"length-less", 99, NULL},
	    {"no-such-mutator", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *a = arena_new();
		struct bytes copy;
		bool made = mutate_copy(a, cases[i].mutator,
		    tree_of(a, request), cases[i].k, &copy);

		assert_int_equal(made, cases[i].want != NULL);
		if (made && strcmp(octets_judge(a, copy), cases[i].want) != 0)
			fail_msg("%s %u: expected %s, got %s", cases[i].mutator,
			    cases[i].k, cases[i].want, octets_judge(a, copy));
		arena_free(a);
	}
}

static void
the_request_stays_whole(void **state)
{
	static const char good[] =
	    REQUEST("1", "4", "Query", ENUM("QueryFunction", "QueryObjects"));
	struct arena *a = arena_new();
	struct node *n = tree_of(a, good);
	struct bytes copy;

	(void)state;
	for (unsigned k = 0; mutate_copy(a, "tag-none", n, k, &copy); k++)
		assert_string_not_equal(octets_judge(a, copy), "accept");
	assert_true(mutate_copy(a, "split", n, 0, &copy));
	assert_string_equal(octets_judge(a, copy), "accept");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(the_request_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

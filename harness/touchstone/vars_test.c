#include "vars.h"

#include "touchstone_tags.h"
#include "tree_test.h"

#include <string.h>

static enum err
fill(struct arena *a, struct vars *v, const char *xml, struct node **out,
    struct fault *f)
{
	return vars_fill(v, a, tree_of(a, xml), 1000, out, f);
}

static void
now_is_the_clock(void **state)
{
	static const struct {
		const char *text;
		bool is_now;
		int64_t seconds;
	} cases[] = {
	    {"$NOW", true, 0},
	    {"$NOW-3600", true, -3600},
	    {"$NOW+60", true, 60},
	    {"$NOWHERE", false, 0},
	    {"$NOW-60s", false, 0},
	    {"$UNIQUE_IDENTIFIER_0", false, 0},
	};
	struct arena *a = arena_new();
	struct vars *v = vars_new(a, 1, NULL);
	struct node *n;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t seconds = 0;

		assert_int_equal(
		    vars_now_offset(cases[i].text, &seconds), cases[i].is_now);
		if (cases[i].is_now)
			assert_int_equal(seconds, cases[i].seconds);
	}
	assert_int_equal(
	    fill(a, v, DATE("ActivationDate", "$NOW-60"), &n, &f), OK);
	assert_int_equal(node_number(n), 940);
	assert_null(n->placeholder);
	arena_free(a);
}

static void
names_are_bound_once_or_anew(void **state)
{
	static const struct {
		const char *placeholder;
		enum vars_answer then; /* when another value comes */
	} cases[] = {
	    {"$UNIQUE_IDENTIFIER_0", VARS_OTHER},
	    {"$KEY_MATERIAL", VARS_OTHER},
	    {"$CORRELATION_VALUE", VARS_UNBOUND},
	    {"$DATA_0", VARS_UNBOUND},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *a = arena_new();
		struct vars *v = vars_new(a, 1, NULL);
		struct node *e = tree_of(a, OCTETS("Data", "00"));
		struct node *one = tree_of(a, OCTETS("Data", "01"));
		struct node *two = tree_of(a, OCTETS("Data", "02"));

		e->placeholder = cases[i].placeholder;
		assert_int_equal(vars_look(v, e, one), VARS_UNBOUND);
		vars_bind(v, e->placeholder, one);
		assert_int_equal(vars_look(v, e, one), VARS_EQUAL);
		assert_int_equal(vars_look(v, e, two), cases[i].then);
		arena_free(a);
	}
}

static void
a_request_gets_the_latest_value(void **state)
{
	struct arena *a = arena_new();
	struct vars *v = vars_new(a, 1, NULL);
	struct node *n;
	struct fault f;

	(void)state;
	assert_int_equal(
	    fill(a, v, OCTETS("Data", "$DATA_0"), &n, &f), ERR_NOT_FOUND);
	/* by its tag, though no answer has marked it */
	vars_see(v, tree_of(a, IN("ResponsePayload", OCTETS("Data", "aa"))));
	vars_see(
	    v, tree_of(a, IN("ResponsePayload", OCTETS("Data", "bb") OCTETS(
						    "IVCounterNonce", "cc"))));
	assert_int_equal(fill(a, v, OCTETS("Data", "$DATA_0"), &n, &f), OK);
	assert_int_equal(n->value[0], 0xbb);
	assert_int_equal(
	    fill(a, v, OCTETS("IVCounterNonce", "$IV_COUNTER_NONCE"), &n, &f),
	    OK);
	assert_int_equal(n->value[0], 0xcc);
	/* a longer name is another one */
	assert_int_equal(
	    fill(a, v, OCTETS("Data", "$DATA_LENGTH"), &n, &f), ERR_NOT_FOUND);
	/* a mark is stronger */
	vars_bind(v, "$DATA_0", tree_of(a, OCTETS("Data", "dd")));
	assert_int_equal(fill(a, v, OCTETS("Data", "$DATA_0"), &n, &f), OK);
	assert_int_equal(n->value[0], 0xdd);
	/* octets that are no Integer do not become one */
	assert_int_equal(
	    fill(a, v, NUMBER("BatchCount", "$DATA_0"), &n, &f), ERR_LENGTH);
	arena_free(a);
}

static void
random_names_follow_the_seed(void **state)
{
	static const char xml[] =
	    TEXT("UniqueIdentifier", "$UNIQUE_IDENTIFIER_RANDOM_0");
	struct arena *a = arena_new();
	struct node *one, *again, *same, *other;
	struct vars *v = vars_new(a, 7, NULL);
	struct fault f;

	(void)state;
	assert_int_equal(fill(a, v, xml, &one, &f), OK);
	assert_int_equal(fill(a, v, xml, &again, &f), OK);
	assert_int_equal(fill(a, vars_new(a, 7, NULL), xml, &same, &f), OK);
	assert_int_equal(fill(a, vars_new(a, 8, NULL), xml, &other, &f), OK);
	assert_true(bytes_equal(node_value(one), node_value(again)));
	assert_true(bytes_equal(node_value(one), node_value(same)));
	assert_false(bytes_equal(node_value(one), node_value(other)));
	assert_int_equal(one->length, 36);
	assert_int_equal(vars_seed(7, "a/b"), vars_seed(7, "a/b"));
	assert_int_not_equal(vars_seed(7, "a/b"), vars_seed(8, "a/b"));
	assert_int_not_equal(vars_seed(7, "a/b"), vars_seed(7, "a/c"));
	arena_free(a);
}

#define TEMPLATE(attributes) IN("TemplateAttribute", attributes)
#define X_ID            \
	IN("Attribute", \
	    TEXT("AttributeName", "x-ID") TEXT("AttributeValue", "t"))
#define X_IX            \
	IN("Attribute", \
	    TEXT("AttributeName", "x-IX") TEXT("AttributeValue", "t"))

static void
names_get_a_prefix_identifiers_go(void **state)
{
	struct arena *a = arena_new();
	struct vars *v = vars_new(a, 1, "p-");
	struct node *n;
	struct fault f;

	(void)state;
	assert_int_equal(
	    fill(a, v, IN("Name", TEXT("NameValue", "n")), &n, &f), OK);
	assert_true(node_is_text(n->first, "p-n"));
	assert_int_equal(fill(a, v, TEMPLATE(X_ID X_IX), &n, &f), OK);
	assert_int_equal(n->children, 2);
	vars_leave_out(v);
	assert_int_equal(fill(a, v, TEMPLATE(X_ID X_IX), &n, &f), OK);
	assert_int_equal(n->children, 1);
	assert_true(node_is_text(n->first->first, "x-IX"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(now_is_the_clock),
	    cmocka_unit_test(names_are_bound_once_or_anew),
	    cmocka_unit_test(a_request_gets_the_latest_value),
	    cmocka_unit_test(random_names_follow_the_seed),
	    cmocka_unit_test(names_get_a_prefix_identifiers_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The rows of call.def against the standard's function list.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "token/call.h"

/* Where the standard's function list has it: behind the version. */
static const unsigned places[CALL_COUNT] = {
#define CALL(number, name, effect, ...) \
	[CALL_##name] =                 \
	    (unsigned)(offsetof(CK_FUNCTION_LIST, name) / sizeof(void *)) - 1,
#include "token/call.def"
#undef CALL
};

static void
rows_stand_in_the_function_lists_order(void **state)
{
	size_t k;

	(void)state;
	assert_int_equal(CALL_COUNT,
	    sizeof(CK_FUNCTION_LIST) / sizeof(void *) - 1 - calls[0].number);
	for (k = 0; k < CALL_COUNT; k++) {
		print_message("%s\n", calls[k].name);
		assert_int_equal(calls[k].number, places[k]);
		assert_int_equal(call_find(calls[k].number), k);
	}
	/* the module's own, and what no function has */
	assert_int_equal(call_find(calls[0].number - 1), CALL_COUNT);
	assert_int_equal(
	    call_find(calls[CALL_COUNT - 1].number + 1), CALL_COUNT);
	assert_int_equal(call_find(UINT32_MAX), CALL_COUNT);
}

static void
one_shots_follow_what_begins_them(void **state)
{
	size_t k, octets;

	(void)state;
	assert_int_equal(calls[CALL_COUNT - 1].effect, CALL_QUIET);
	for (k = 0; k < CALL_COUNT - 1; k++) {
		print_message("%s\n", calls[k].name);
		assert_int_equal(calls[k].effect == CALL_INIT,
		    calls[k + 1].effect == CALL_ONE_SHOT);
		if (calls[k].effect != CALL_INIT)
			continue;
		/* "C_DigestInit", "C_Digest" */
		octets = strlen(calls[k + 1].name);
		assert_memory_equal(calls[k].name, calls[k + 1].name, octets);
		assert_string_equal(calls[k].name + octets, "Init");
		assert_int_equal(calls[k].kinds[0], CALL_SESSION);
		assert_int_equal(calls[k].kinds[1], CALL_MECHANISM);
		assert_int_equal(calls[k + 1].kinds[0], CALL_SESSION);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_stand_in_the_function_lists_order),
	    cmocka_unit_test(one_shots_follow_what_begins_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
it_hands_out_no_more_than_its_cap(void **state)
{
	struct arena *a;
	uint8_t *p;

	(void)state;
	assert_int_equal(arena_new(4096, &a), OK);
	assert_int_equal(ARENA_ARRAY(a, p, 4096), OK);
	assert_int_equal(ARENA_ARRAY(a, p, 1), ERR_NOMEM);
	arena_reset(a);
	assert_int_equal(arena_octets(a), 0);
	assert_int_equal(ARENA_ARRAY(a, p, 4097), ERR_NOMEM);
	assert_int_equal(ARENA_ARRAY(a, p, 4096), OK);
	arena_free(a);
}

/* A product that wraps is not a small one. */
static void
a_count_that_overflows_is_refused(void **state)
{
	struct arena *a;

	(void)state;
	assert_int_equal(arena_new(SIZE_MAX / 4, &a), OK);
	assert_null(arena_alloc(a, SIZE_MAX / 8 + 2, 8));
	assert_null(arena_alloc(a, 3, SIZE_MAX / 2));
	assert_non_null(arena_alloc(a, 0, SIZE_MAX));
	arena_free(a);
}

static void
every_piece_is_zeroed_aligned_and_apart(void **state)
{
	static const uint8_t zeros[1000];
	uint8_t *piece[100];
	struct arena *a;
	size_t round;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(1 << 20, &a), OK);
	for (round = 0; round < 2; round++) {
		for (k = 0; k < 100; k++) {
			assert_int_equal(ARENA_ARRAY(a, piece[k], k * 10), OK);
			assert_int_equal((uintptr_t)piece[k] % 16, 0);
			assert_memory_equal(piece[k], zeros, k * 10);
			memset(piece[k], (int)k, k * 10);
		}
		for (k = 1; k < 100; k++)
			assert_int_equal(piece[k][k * 10 - 1], k);
		arena_reset(a);
	}
	arena_free(a);
}

/* The first block stays for the next request, and nothing in it. */
static void
what_it_takes_back_is_wiped(void **state)
{
	static const uint8_t zeros[32];
	struct arena *a;
	uint8_t *p;

	(void)state;
	assert_int_equal(arena_new(1 << 20, &a), OK);
	assert_int_equal(ARENA_ARRAY(a, p, 32), OK);
	memset(p, 's', 32);
	arena_reset(a);
	assert_memory_equal(p, zeros, 32);
	arena_free(a);
}

static void
copies_and_texts_live_in_it(void **state)
{
	char from[] = "abc";
	struct bytes copy;
	struct arena *a;
	const char *text;

	(void)state;
	assert_int_equal(arena_new(4096, &a), OK);
	assert_int_equal(arena_copy(a, bytes_of_text(from), &copy), OK);
	from[0] = 'x';
	assert_true(bytes_equal_text(copy, "abc"));
	assert_int_equal(arena_printf(a, &text, "%s %d", "n", 7), OK);
	assert_string_equal(text, "n 7");
	assert_int_equal(arena_printf(a, &text, "%5000d", 1), ERR_NOMEM);
	assert_null(text);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_hands_out_no_more_than_its_cap),
	    cmocka_unit_test(a_count_that_overflows_is_refused),
	    cmocka_unit_test(every_piece_is_zeroed_aligned_and_apart),
	    cmocka_unit_test(what_it_takes_back_is_wiped),
	    cmocka_unit_test(copies_and_texts_live_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

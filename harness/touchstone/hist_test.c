#include "hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct hist h, other;

/* Every cell is entered and left where its neighbour begins. */
static void
cells_cover_the_range_without_gaps(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (uint64_t ns = 1; ns < (uint64_t)1 << 41; ns = last + 1) {
		unsigned cell = hist_cell(ns);

		last = hist_cell_top_ns(cell);
		assert_true(last >= ns);
		assert_int_equal(hist_cell(last), cell);
		if (cell != HIST_CELLS - 1)
			assert_int_not_equal(hist_cell(last + 1), cell);
		/* 0.2 % is one part in 500 */
		assert_true((last - ns) * 500 <= ns);
	}
	/* 36 minutes */
	assert_true(last > (uint64_t)36 * 60 * 1000000000);
}

static void
what_is_beyond_the_range_is_kept(void **state)
{
	(void)state;
	hist_init(&h);
	hist_add(&h, UINT64_MAX);
	hist_add(&h, 0);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.max_ns, UINT64_MAX);
	assert_int_equal(h.min_ns, 0);
	assert_int_equal(h.cell[HIST_CELLS - 1], 1);
}

static void
percentiles_are_those_of_the_sorted_values(void **state)
{
	static const struct {
		double percent;
		uint64_t want; /* of 1000, 2000 ... 1000000 */
	} cases[] = {
	    {0, 1000},
	    {0.1, 1000},
	    {0.11, 2000},
	    {50, 500000},
	    {99, 990000},
	    {99.9, 999000},
	    {99.91, 1000000},
	    {100, 1000000},
	};

	(void)state;
	hist_init(&h);
	for (uint64_t ns = 1000; ns <= 1000000; ns += 1000)
		hist_add(&h, ns);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t got = hist_percentile_ns(&h, cases[i].percent);

		if (got < cases[i].want || (got - cases[i].want) * 500 > got)
			fail_msg("p%g: expected %llu, got %llu",
			    cases[i].percent, (unsigned long long)cases[i].want,
			    (unsigned long long)got);
	}
	assert_int_equal(hist_percentile_ns(&h, 100), 1000000);
}

static void
nothing_has_no_percentile(void **state)
{
	(void)state;
	hist_init(&h);
	assert_int_equal(hist_percentile_ns(&h, 50), 0);
	assert_false(hist_tells(&h, 50));
}

static void
a_percentile_needs_ten_samples_above_it(void **state)
{
	(void)state;
	hist_init(&h);
	for (int i = 0; i < 999; i++)
		hist_add(&h, 1);
	assert_true(hist_tells(&h, 90));
	assert_false(hist_tells(&h, 99));
	hist_add(&h, 1);
	assert_true(hist_tells(&h, 99));
	assert_false(hist_tells(&h, 99.9));
}

static void
merging_is_recording_in_one(void **state)
{
	static struct hist both;

	(void)state;
	hist_init(&h);
	hist_init(&other);
	hist_init(&both);
	for (uint64_t i = 1; i < 5000; i++) {
		uint64_t ns = i * i * 7919;

		hist_add(i % 3 == 0 ? &h : &other, ns);
		hist_add(&both, ns);
	}
	hist_merge(&h, &other);
	assert_memory_equal(&h, &both, sizeof h);
	hist_init(&other);
	hist_merge(&h, &other);
	assert_memory_equal(&h, &both, sizeof h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cells_cover_the_range_without_gaps),
	    cmocka_unit_test(what_is_beyond_the_range_is_kept),
	    cmocka_unit_test(percentiles_are_those_of_the_sorted_values),
	    cmocka_unit_test(nothing_has_no_percentile),
	    cmocka_unit_test(a_percentile_needs_ten_samples_above_it),
	    cmocka_unit_test(merging_is_recording_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

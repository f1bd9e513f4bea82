/*
 * A log-linear histogram of times (the layout of HdrHistogram).
 *
 * Values are nanoseconds. Each power of two is cut into equal cells, so that a
 * value read back is never more than 0.2 % above the value recorded, from 1 ns
 * to about 36 minutes, in a fixed number of counters. Histograms of several
 * threads are added cell by cell: merging loses nothing, averaging percentiles
 * would. In a header, since the limit programs of harness/bench count with it
 * too and the adding is in the path that is measured.
 */
#ifndef TOUCHSTONE_HIST_H
#define TOUCHSTONE_HIST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIST_SUB_BITS   10
#define HIST_SUB        (1u << HIST_SUB_BITS)
#define HIST_MAGNITUDES 31
#define HIST_CELLS      (HIST_SUB * (HIST_MAGNITUDES + 1))

struct hist {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t min_ns, max_ns;
	uint64_t cell[HIST_CELLS];
};

static inline void
hist_init(struct hist *h)
{
	memset(h, 0, sizeof *h);
	h->min_ns = UINT64_MAX;
}

/* The cell of a value; what is beyond the range goes into the last. */
static inline unsigned
hist_cell(uint64_t ns)
{
	unsigned magnitude;

	if (ns < HIST_SUB)
		return (unsigned)ns;
	magnitude = 63u - (unsigned)__builtin_clzll(ns) - (HIST_SUB_BITS - 1);
	if (magnitude > HIST_MAGNITUDES)
		return HIST_CELLS - 1;
	/* ns >> magnitude is in the upper half of the magnitude's cells */
	return magnitude * HIST_SUB + (unsigned)(ns >> magnitude);
}

/* The highest value that falls into that cell. */
static inline uint64_t
hist_cell_top_ns(unsigned cell)
{
	unsigned magnitude = cell / HIST_SUB;
	uint64_t sub = cell % HIST_SUB;

	return ((sub + 1) << magnitude) - 1;
}

static inline void
hist_add(struct hist *h, uint64_t ns)
{
	h->cell[hist_cell(ns)]++;
	h->count++;
	h->sum_ns += ns;
	if (ns < h->min_ns)
		h->min_ns = ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

static inline void
hist_merge(struct hist *to, const struct hist *from)
{
	for (unsigned i = 0; i < HIST_CELLS; i++)
		to->cell[i] += from->cell[i];
	to->count += from->count;
	to->sum_ns += from->sum_ns;
	if (from->min_ns < to->min_ns)
		to->min_ns = from->min_ns;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
}

/* The value that `percent` of all values do not exceed; 0 when there are none.
 * Never above the largest recorded. */
static inline uint64_t
hist_percentile_ns(const struct hist *h, double percent)
{
	double rank = percent / 100 * (double)h->count;
	uint64_t want = (uint64_t)rank, seen = 0;

	/* upwards, but not for what only floating point left over */
	want += rank - (double)want > 1e-6;
	if (want < 1)
		want = 1;
	for (unsigned i = 0; i < HIST_CELLS && h->count > 0; i++) {
		seen += h->cell[i];
		if (seen >= want) {
			uint64_t top = hist_cell_top_ns(i);

			return top > h->max_ns ? h->max_ns : top;
		}
	}
	return h->count > 0 ? h->max_ns : 0;
}

/* A percentile means something with ten samples above it. */
static inline bool
hist_tells(const struct hist *h, double percent)
{
	return (double)h->count * (100 - percent) / 100 >= 10 - 1e-6;
}

#endif

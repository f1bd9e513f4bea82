/*
 * Which tests run, and in which order.
 */
#ifndef TOUCHSTONE_ORDER_H
#define TOUCHSTONE_ORDER_H

#include "test.h"

/*
 * Keep the tests whose id matches one of the globs (no globs: all), and those
 * that they come after; and see which of them are followed.
 */
void
order_select(struct arena *a, struct tests *list, const struct words *only);

/*
 * Shuffle by the seed. A test that comes after another follows it at once, so
 * that no third one finds what they left between them.
 */
void order_shuffle(struct arena *a, struct tests *list, uint64_t seed);

#endif

/*
 * Verdicts: what a test of a target can come to, and what a run of tests does.
 */
#ifndef TOUCHSTONE_VERDICT_H
#define TOUCHSTONE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

enum verdict {
#define VERDICT(code, word, colour, meaning) VERDICT_##code,
#include "verdict.def"
#undef VERDICT
	VERDICT_COUNT
};

enum colour { COLOUR_GOOD, COLOUR_BAD, COLOUR_IDLE };

/* "not-claimed"; "the target does not claim what it tests". */
const char *verdict_word(enum verdict v);
const char *verdict_meaning(enum verdict v);
enum colour verdict_colour(enum verdict v);

/* false, and *out untouched, when no verdict has that word. */
bool verdict_of_word(const char *word, enum verdict *out);

/* How many tests of a run came to each verdict. */
struct tally {
	size_t count[VERDICT_COUNT];
};

size_t tally_all(const struct tally *t);

/* Tests that were put to the target and answered: good, bad or waived. */
size_t tally_judged(const struct tally *t);

/* Tests that make a run red. */
size_t tally_bad(const struct tally *t);

/*
 * The exit code of a run.
 *
 * 0  conforms
 * 1  does not: a test failed, or a waiver is stale
 * 2  could not tell: a test is unknown, none was judged, or fewer than
 *    `min_tests` were
 */
int tally_exit(const struct tally *t, size_t min_tests);

#endif

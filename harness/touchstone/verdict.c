#include "verdict.h"

#include <string.h>

static const struct {
	const char *word, *meaning;
	enum colour colour;
} rows[VERDICT_COUNT] = {
#define VERDICT(code, word, colour, meaning) \
	[VERDICT_##code] = {word, meaning, COLOUR_##colour},
#include "verdict.def"
#undef VERDICT
};

const char *
verdict_word(enum verdict v)
{
	return rows[v].word;
}

const char *
verdict_meaning(enum verdict v)
{
	return rows[v].meaning;
}

enum colour
verdict_colour(enum verdict v)
{
	return rows[v].colour;
}

bool
verdict_of_word(const char *word, enum verdict *out)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		if (strcmp(rows[v].word, word) == 0) {
			*out = v;
			return true;
		}
	}
	return false;
}

size_t
tally_all(const struct tally *t)
{
	size_t all = 0;

	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		all += t->count[v];
	return all;
}

size_t
tally_judged(const struct tally *t)
{
	return tally_all(t) - t->count[VERDICT_NOT_CLAIMED] -
	       t->count[VERDICT_NOT_RUN] - t->count[VERDICT_UNKNOWN];
}

size_t
tally_bad(const struct tally *t)
{
	size_t bad = 0;

	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		if (rows[v].colour == COLOUR_BAD)
			bad += t->count[v];
	return bad;
}

int
tally_exit(const struct tally *t, size_t min_tests)
{
	size_t judged = tally_judged(t);

	if (t->count[VERDICT_FAIL] + t->count[VERDICT_WAIVER_STALE] > 0)
		return 1;
	if (t->count[VERDICT_UNKNOWN] > 0)
		return 2;
	return judged == 0 || judged < min_tests ? 2 : 0;
}

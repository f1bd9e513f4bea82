/*
 * A test as the runner sees it, whatever it does; and what came of it.
 */
#ifndef TOUCHSTONE_TEST_H
#define TOUCHSTONE_TEST_H

#include "finding.h"
#include "story.h"
#include "text.h"
#include "verdict.h"
#include "wire.h"

/* What a run has at hand for its tests. */
struct bench {
	const struct target *target;
	const struct clock_file *clock; /* NULL: ours, see clock.h */
	struct doors *doors;
	uint64_t seed;
	unsigned flags;   /* see show.h */
	unsigned version; /* the oldest that the target claims */

	/*
	 * What has happened since the last test that stood alone: one case may
	 * go on where another ended.
	 */
	struct story *story;
};

struct bench;

struct outcome {
	/* Does the target live? NULL: as wire_is_alive() asks. */
	bool (*is_alive)(
	    struct arena *a, const struct bench *b, struct fault *why);

	enum verdict verdict;
	const char *reason; /* in the arena, or NULL */
	struct finding finding;
	unsigned step; /* that the finding is in; 0: none */
	struct wire *wire;
};

struct test {
	const char *id, *family, *version, *level, *title;
	const char *mark; /* "F", "I", "C" of NAE-XML; NULL: it has none */
	struct words clauses;
	const char *after; /* id of the test that must pass before, or NULL */
	bool is_followed;  /* another test comes after this one */

	/* NULL: claimed; else which claim it lacks, in the arena */
	const char *(*unclaimed)(
	    struct arena *a, const struct test *t, const struct target *target);

	/* Fills the outcome, whose wire is there; `a` lives until reported. */
	void (*run)(struct arena *a, const struct test *t,
	    const struct bench *b, struct outcome *o);
	const void *own; /* for these two */

	struct test *next;
};

/* A list that keeps its order. */
struct tests {
	struct test *first, **tail;
	size_t count;
};

void tests_init(struct tests *list);
void tests_add(struct tests *list, struct test *t);
struct test *tests_find(const struct tests *list, const char *id);

/* Verdicts with their reasons. */
void outcome_not_run(struct arena *a, struct outcome *o, const char *why);
void outcome_unknown(struct arena *a, struct outcome *o, const char *why);

/*
 * It failed with o->finding; unless the target does not live any more, which
 * makes it unknown.
 */
void outcome_fail(
    struct arena *a, const struct bench *b, struct outcome *o, const char *why);

#endif

/*
 * Play a case against the target: its steps in order, as the clients that it
 * names, each answer held against the schema of the request's version and then
 * against what the case expects.
 */
#ifndef TOUCHSTONE_PLAY_H
#define TOUCHSTONE_PLAY_H

#include "case.h"
#include "test.h"

/* The case as a test; both live as long as `a`. */
struct test *play_test(struct arena *a, const struct test_case *c);

/*
 * Destroy the objects that the story left, so that no later test finds them: an
 * active one cannot be destroyed and is revoked first; either may fail, for a
 * case may have left its object in any state.
 */
void play_clear_away(struct arena *a, const struct bench *b, unsigned version);

/* The case of such a test; NULL when it is another kind. */
const struct test_case *play_case(const struct test *t);

#endif

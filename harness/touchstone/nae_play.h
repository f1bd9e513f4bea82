/*
 * Play a case of NAE-XML against the target: its steps in order, each answer
 * held against what every answer is and then against what the case expects.
 * Afterwards the keys, users and groups that it made are deleted.
 */
#ifndef TOUCHSTONE_NAE_PLAY_H
#define TOUCHSTONE_NAE_PLAY_H

#include "nae_case.h"
#include "test.h"

/* The case as a test; both live as long as `a`. */
struct test *nae_play_test(struct arena *a, const struct nae_case *c);

/* The case of such a test; NULL when it is another kind. */
const struct nae_case *nae_play_case(const struct test *t);

#endif

/*
 * Broken requests, made from good ones: tests mutate/KIND/VERSION from
 * requests of our own, and mutate/KIND/CASE from those of cases.
 *
 * A server answers each with a failure or closes the connection, and lives on:
 * after each one it is asked for a sign of life on a fresh connection. Copies
 * that our own codec and schema still accept are passed over; where there are
 * many, the seed chooses MUTATE_MAX_COPIES.
 */
#ifndef TOUCHSTONE_MUTATE_H
#define TOUCHSTONE_MUTATE_H

#include "case.h"
#include "test.h"

#define MUTATE_MAX_COPIES 12
#define MUTATE_DEPTH      10000

/* Add the tests of our own requests, for each version that is claimed. */
void mutate_add(struct arena *a, const struct target *t, struct tests *list);

/* Add those of a case's first request. */
void
mutate_add_case(struct arena *a, const struct test_case *c, struct tests *list);

/*
 * The k-th broken copy that the mutator `name` makes of a request, for tests;
 * false past the last one.
 */
bool mutate_copy(struct arena *a, const char *name, const struct node *request,
    unsigned k, struct bytes *out);

#endif

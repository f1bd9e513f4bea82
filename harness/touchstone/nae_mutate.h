/*
 * Broken requests in NAE-XML, made from good ones: tests mutate/KIND/own-N from
 * requests of our own, and mutate/KIND/CASE from the first ones of cases.
 *
 * A server answers each with a refusal or closes the connection, and lives on:
 * after each one it is asked for a sign of life on a fresh connection. Where
 * there are many copies, the seed chooses MUTATE_MAX_COPIES (mutate.h).
 */
#ifndef TOUCHSTONE_NAE_MUTATE_H
#define TOUCHSTONE_NAE_MUTATE_H

#include "nae_case.h"
#include "test.h"

/* Add the tests of our own requests. */
void
nae_mutate_add(struct arena *a, const struct target *t, struct tests *list);

/* Add those of what a case sends first. */
void nae_mutate_add_case(
    struct arena *a, const struct nae_case *c, struct tests *list);

/*
 * The k-th broken copy that the mutator `name` makes of a request, for tests;
 * false past the last one.
 */
bool nae_mutate_copy(struct arena *a, const char *name, struct bytes request,
    unsigned k, struct bytes *out);

#endif

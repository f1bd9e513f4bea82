/*
 * The claims of a target file against what the server says of itself: tests
 * of their own, claims/....
 *
 * A server that says less than it claims, or more, contradicts its claim.
 */
#ifndef TOUCHSTONE_CLAIMS_H
#define TOUCHSTONE_CLAIMS_H

#include "test.h"

/*
 * Add the tests: claims/versions, and for each claimed version V
 * claims/operations/V and claims/objects/V.
 */
void claims_add(struct arena *a, const struct target *t, struct tests *list);

#endif

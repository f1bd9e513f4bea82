/*
 * Which claims of a target file were proven: by a case that passed.
 */
#ifndef TOUCHSTONE_PROOF_H
#define TOUCHSTONE_PROOF_H

#include "case.h"
#include "nae_case.h"
#include "target.h"

struct proof {
	struct words words; /* "operation Create", "KMIP 1.4", ... */
};

/* A case that passed. */
void proof_add(struct arena *a, struct proof *p, const struct test_case *c);

/* The same of one in NAE-XML. */
void proof_add_nae(struct arena *a, struct proof *p, const struct nae_case *c);

/* Adds the claims that no case proved. */
void proof_unproven(struct arena *a, const struct proof *p,
    const struct target *t, struct words *out);

#endif

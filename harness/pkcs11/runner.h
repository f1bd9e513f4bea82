/*
 * Each trial in a process of its own, under a time limit: a module that
 * crashes or hangs costs one verdict, not the run.
 */
#ifndef PKCS11_RUNNER_H
#define PKCS11_RUNNER_H

#include "err.h"
#include "module.h"
#include "trial.h"

struct runner {
	struct module_options module;
	struct facts facts;
	int limit_ms; /* for one trial */
	bool may_init_token;
};

/*
 * Fill the facts of the token.
 *
 * ERR_OPEN     the module does not load or has no such token; `f` says why
 * ERR_TIMEOUT  it does not answer in time
 * ERR_CLOSED   it crashed
 */
enum err runner_survey(struct runner *r, struct fault *f) MUST_CHECK;

/* One trial's verdict, earned or not; `out` says all of it. */
void runner_try(struct runner *r, const struct trial *t, struct outcome *out);

#endif

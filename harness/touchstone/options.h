/*
 * The command line of `run` and `list`.
 */
#ifndef TOUCHSTONE_OPTIONS_H
#define TOUCHSTONE_OPTIONS_H

#include "err.h"
#include "text.h"

struct options {
	const char *target;
	struct words vectors, only, waivers;
	const char *report; /* NULL: none is written */
	bool has_seed, show_secrets, mutate, quiet;
	uint64_t seed;
	size_t min_tests;
};

/*
 * ERR_USAGE  `f` says what is wrong
 */
enum err options_read(struct arena *a, int argc, char **argv,
    struct options *out, struct fault *f) MUST_CHECK;

#endif

/*
 * The named rules; rule.def is the table.
 */
#ifndef TOUCHSTONE_RULE_H
#define TOUCHSTONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule {
#define RULE(id, name, what, source) id,
#include "rule.def"
#undef RULE
	RULE_COUNT
};

/* Which are switched off: one bit each. */
struct rules {
	uint64_t off;
};

const char *rule_name(enum rule r);
const char *rule_what(enum rule r);
const char *rule_source(enum rule r);

/* false, and *out untouched, when no rule has that name. */
bool rule_of_name(const char *name, enum rule *out);

bool rule_is_on(const struct rules *rules, enum rule r);

#endif

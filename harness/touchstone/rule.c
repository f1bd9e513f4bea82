#include "rule.h"

#include <string.h>

static const struct {
	const char *name, *what, *source;
} rows[RULE_COUNT] = {
#define RULE(id, name, what, source) [id] = {name, what, source},
#include "rule.def"
#undef RULE
};

_Static_assert(RULE_COUNT <= 64, "struct rules has one bit each");

const char *
rule_name(enum rule r)
{
	return rows[r].name;
}

const char *
rule_what(enum rule r)
{
	return rows[r].what;
}

const char *
rule_source(enum rule r)
{
	return rows[r].source;
}

bool
rule_of_name(const char *name, enum rule *out)
{
	for (int r = 0; r < RULE_COUNT; r++) {
		if (strcmp(rows[r].name, name) == 0) {
			*out = (enum rule)r;
			return true;
		}
	}
	return false;
}

bool
rule_is_on(const struct rules *rules, enum rule r)
{
	return (rules->off >> r & 1) == 0;
}

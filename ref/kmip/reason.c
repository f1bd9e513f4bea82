#include "kmip/reason.h"

#include <stddef.h>

/* err.def's own column */
static const uint32_t usual[] = {
    [OK] = 0,
#define ERR(code, reason, text) [code] = RESULT_REASON_##reason,
#include "base/err.def"
#undef ERR
};

static const struct {
	enum err rc;
	uint32_t operation;
	enum version since;
	enum version until;
	uint32_t reason;
} rows[] = {
#define REASON(rc, operation, since, until, reason) \
	{rc, operation, since, until, RESULT_REASON_##reason},
#include "kmip/reason.def"
#undef REASON
};

uint32_t
reason_of(enum err rc, uint32_t operation, enum version v)
{
	size_t row;

	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		if (rows[row].rc == rc && v >= rows[row].since &&
		    v <= rows[row].until &&
		    (rows[row].operation == 0 ||
			rows[row].operation == operation))
			return rows[row].reason;
	}
	if (schema_value_in(TAG_RESULT_REASON, usual[rc], v))
		return usual[rc];
	return RESULT_REASON_GENERAL_FAILURE;
}

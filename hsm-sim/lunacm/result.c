#include "lunacm/result.h"

#include <string.h>

struct row {
	const char *code;
	struct result result;
};

static const struct row rows[] = {
#define RV(code, standard, luna, text) {#code, {standard, #standard, text}},
#include "card/rv.def"
#undef RV
};

#define RESULT(code, text) ((struct result){code, #code, text})

struct result
result_ok(void)
{
	return RESULT(CKR_OK, NULL);
}

struct result
result_slot(void)
{
	return RESULT(CKR_SLOT_ID_INVALID, "there is no such slot");
}

struct result
result_arguments(const char *text)
{
	return RESULT(CKR_ARGUMENTS_BAD, text);
}

struct result
result_canceled(void)
{
	return RESULT(CKR_FUNCTION_CANCELED, "nothing was done");
}

struct result
result_removed(void)
{
	return RESULT(CKR_DEVICE_REMOVED, "the HSM does not answer");
}

struct result
result_of(const char *code)
{
	size_t k;

	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		if (strcmp(rows[k].code, code) == 0)
			return rows[k].result;
	}
	return RESULT(CKR_GENERAL_ERROR, "the HSM's answer is not understood");
}

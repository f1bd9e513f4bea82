#include "base/err.h"

#include <stddef.h>

static const struct {
	const char *name;
	const char *text;
} errs[] = {
    [OK] = {"OK", "success"},
#define ERR(code, reason, text) [code] = {#code, text},
#include "base/err.def"
#undef ERR
};

const char *
err_name(enum err rc)
{
	return (size_t)rc < sizeof(errs) / sizeof(errs[0]) ? errs[rc].name
							   : "ERR_?";
}

const char *
err_text(enum err rc)
{
	return (size_t)rc < sizeof(errs) / sizeof(errs[0]) ? errs[rc].text
							   : "unknown error";
}

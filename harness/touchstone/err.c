#include "err.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[ERR_COUNT] = {
    [OK] = "OK",
#define ERR(code, text) [code] = #code,
#include "err.def"
#undef ERR
};

static const char *const texts[ERR_COUNT] = {
    [OK] = "no error",
#define ERR(code, text) [code] = text,
#include "err.def"
#undef ERR
};

const char *
err_name(enum err rc)
{
	return (unsigned)rc < ERR_COUNT ? names[rc] : "ERR_?";
}

const char *
err_text(enum err rc)
{
	return (unsigned)rc < ERR_COUNT ? texts[rc] : "an unknown error";
}

enum err
fault_say(struct fault *f, enum err rc, const char *format, ...)
{
	va_list args;

	if (f == NULL)
		return rc;
	va_start(args, format);
	vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	return rc;
}

#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

enum err
finding_at(struct finding *f, enum err kind, const struct node *at)
{
	f->kind = kind;
	if (at != NULL) {
		struct arena *a = arena_new();

		f->offset = at->offset;
		snprintf(f->path, sizeof f->path, "%s", node_path(a, at));
		arena_free(a);
	}
	return kind;
}

void
finding_expected(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->expected, sizeof f->expected, format, args);
	va_end(args);
}

void
finding_got(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->got, sizeof f->got, format, args);
	va_end(args);
}

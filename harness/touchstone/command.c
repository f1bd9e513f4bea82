#include "command.h"

#include <stdarg.h>
#include <stdio.h>

int
command_refuse(const char *word, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "touchstone %s: ", word);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_COULD_NOT_TELL;
}

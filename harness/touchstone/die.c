#include "die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
die(const char *format, ...)
{
	va_list args;

	fputs("touchstone: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

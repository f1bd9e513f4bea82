#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MODULES = 16, MAX_LINE = 1024 };

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
    [LOG_TRACE] = "trace",
};

static struct {
	char module[16];
	enum log_level level;
} wanted[MAX_MODULES];
static int wanted_count;

static void
want(const char *module, size_t length, const char *level, size_t level_length)
{
	int k;

	if (wanted_count == MAX_MODULES || length >= sizeof(wanted[0].module))
		return;
	for (k = LOG_ERROR; k <= LOG_TRACE; k++) {
		if (strlen(level_names[k]) != level_length ||
		    strncmp(level_names[k], level, level_length) != 0)
			continue;
		memcpy(wanted[wanted_count].module, module, length);
		wanted[wanted_count].module[length] = '\0';
		wanted[wanted_count++].level = (enum log_level)k;
	}
}

void
log_init(void)
{
	const char *p = getenv("LOG");

	wanted_count = 0;
	while (p != NULL && *p != '\0') {
		size_t length = strcspn(p, ",");
		const char *colon = memchr(p, ':', length);

		if (colon != NULL)
			want(p, (size_t)(colon - p), colon + 1,
			    length - (size_t)(colon - p) - 1);
		p += length;
		p += *p == ',';
	}
}

bool
log_wants(const char *module, enum log_level level)
{
	int k;

	for (k = 0; k < wanted_count; k++) {
		if (strcmp(wanted[k].module, module) == 0)
			return level <= wanted[k].level;
	}
	return level <= LOG_INFO;
}

void
log_line(const char *module, enum log_level level, const char *format, ...)
{
	char line[MAX_LINE];
	va_list args;
	int length;
	int used;
	int k;

	if (!log_wants(module, level))
		return;
	used =
	    snprintf(line, sizeof(line), "%s %s: ", level_names[level], module);
	va_start(args, format);
	length = vsnprintf(
	    line + used, sizeof(line) - (size_t)used - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	length += used;
	if (length > MAX_LINE - 2)
		length = MAX_LINE - 2;
	for (k = 0; k < length; k++) {
		/* no forged lines, no terminal escapes */
		if ((unsigned char)line[k] < 0x20 || line[k] == 0x7f)
			line[k] = '?';
	}
	line[length++] = '\n';
	/* one write a line, so that threads do not mix theirs */
	(void)!write(STDERR_FILENO, line, (size_t)length);
}

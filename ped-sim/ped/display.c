#include "ped/display.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"

void
display_clear(struct display *d)
{
	secret_wipe(d->lines, sizeof(d->lines));
	d->next = 0;
}

static void
put_line(struct display *d, struct bytes line)
{
	char *to;
	size_t k;

	if (d->next == DISPLAY_LINES || d->is_broken)
		return;
	to = d->lines[d->next++];
	for (k = 0; k < line.octets; k++)
		to[k] = line.at[k] >= ' ' && line.at[k] <= '~'
			    ? (char)line.at[k]
			    : '?';
	to[k] = '\0';
}

/* How much of the line fits; *skip is the blank that it is broken at. */
static size_t
fitting(struct bytes line, size_t *skip)
{
	size_t octets = DISPLAY_COLUMNS;

	*skip = 0;
	if (line.octets <= DISPLAY_COLUMNS)
		return line.octets;
	while (octets > 0 && line.at[octets] != ' ')
		octets--;
	if (octets == 0)
		return DISPLAY_COLUMNS;
	*skip = 1;
	return octets;
}

void
display_put(struct display *d, struct bytes text)
{
	for (;;) {
		const uint8_t *end = text.octets != 0
					 ? memchr(text.at, '\n', text.octets)
					 : NULL;
		size_t left =
		    end != NULL ? (size_t)(end - text.at) : text.octets;
		size_t skip;
		size_t octets = fitting((struct bytes){text.at, left}, &skip);

		put_line(d, (struct bytes){text.at, octets});
		if (octets == left && end == NULL)
			return;
		skip += octets == left;
		text.at += octets + skip;
		text.octets -= octets + skip;
	}
}

void
display_put_text(struct display *d, const char *text)
{
	display_put(d, bytes_of_text(text));
}

void
display_printf(struct display *d, const char *format, ...)
{
	char line[DISPLAY_COLUMNS + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	put_line(d, bytes_of_text(line));
}

bool
display_test(struct display *d)
{
	static const char pattern[] = "\x55\x2a";
	unsigned line;
	unsigned column;
	bool is_good = true;

	display_clear(d);
	for (line = 0; line < DISPLAY_LINES; line++) {
		uint8_t cells[DISPLAY_COLUMNS];

		for (column = 0; column < DISPLAY_COLUMNS; column++)
			cells[column] = (uint8_t)pattern[(line + column) % 2];
		put_line(d, (struct bytes){cells, sizeof(cells)});
		is_good &= memcmp(d->lines[line], cells, sizeof(cells)) == 0;
	}
	display_clear(d);
	return is_good;
}

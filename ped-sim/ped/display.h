/*
 * The display: eight lines of printable ASCII.
 *
 * What is longer than a line goes on in the next one, from the last blank;
 * what is more than eight lines is not seen. How many columns the real one has
 * is not known: this one has room for each text of the guide in one line.
 */
#ifndef PED_DISPLAY_H
#define PED_DISPLAY_H

#include "base/bytes.h"

enum { DISPLAY_LINES = 8, DISPLAY_COLUMNS = 60 };

struct display {
	char lines[DISPLAY_LINES][DISPLAY_COLUMNS + 1];
	unsigned next;  /* the line to write */
	bool is_broken; /* laboratory: stays dark */
};

/* Dark, and nothing of what stood there is left in memory. */
void display_clear(struct display *d);

/* Lines apart by LF, below what is there. Other octets than ASCII: '?'. */
void display_put(struct display *d, struct bytes text);
void display_put_text(struct display *d, const char *text);

/* One line as it is, cut where it is too long. */
void display_printf(struct display *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Does each cell show what is written to it? Leaves it dark. */
bool display_test(struct display *d);

#endif

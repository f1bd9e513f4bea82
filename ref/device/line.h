/*
 * A line of a log in the making: one line whatever is put into it, so that no
 * value can pretend to be a line, or a field, of its own.
 *
 * What comes from outside is escaped: a backslash as \\, octets that are no
 * printing UTF-8 as \xHH each. So are those that would end the place where a
 * text stands: the blank of a field without brackets, the bracket of one that
 * has them. A line that is longer than LINE_OCTETS, and a field longer than
 * LINE_FIELD_OCTETS, is cut and ends with "\...", which no value can say.
 *
 * It is the caller's memory, and needs none beside it: a request has one on its
 * stack.
 */
#ifndef DEVICE_LINE_H
#define DEVICE_LINE_H

#include <string.h>

#include "store/record.h"

/* An escape that no octet has: what came behind it was cut. */
#define LINE_CUT "\\..."

enum {
	LINE_OCTETS = STORE_LOG_LINE_MAX_OCTETS,
	LINE_CUT_OCTETS = sizeof(LINE_CUT) - 1,
	LINE_FIELD_OCTETS = 256, /* of a value in a field, as it came */
};

struct line {
	size_t octets;
	bool cut;
	char at[LINE_OCTETS];
};

void line_begin(struct line *line);

void line_put_number(struct line *line, uint64_t number);

/* also: the octets, of ASCII, that are escaped as well. */
void line_escape(struct line *line, struct bytes text, const char *also);

/*
 * A field: a dash where it is empty, and a value that is a dash is escaped.
 * The bracketed one has its brackets; an inner one is a word of several within
 * brackets.
 */
void line_field(struct line *line, struct bytes value);
void line_bracketed(struct line *line, struct bytes value);
void line_inner(struct line *line, struct bytes value);

/* A bracketed one that has the whole line for itself, without its brackets. */
void line_message(struct line *line, struct bytes value);

/* What has become of it, its mark where it was cut. Borrowed. */
struct bytes line_end(struct line *line);

/*
 * As it is: our own words. All of it, or nothing, and then nothing more.
 *
 * Inline, so that the length of a literal is known: there are many in a line,
 * and most are copied by one instruction.
 */
static inline void
line_put(struct line *line, struct bytes text)
{
	if (line->cut ||
	    sizeof(line->at) - line->octets < text.octets + LINE_CUT_OCTETS) {
		line->cut = true;
		return;
	}
	/* an empty one may have no place */
	if (text.octets != 0)
		memcpy(line->at + line->octets, text.at, text.octets);
	line->octets += text.octets;
}

static inline void
line_put_text(struct line *line, const char *text)
{
	line_put(line, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* What must be in no line, wherever it comes from, becomes a question mark:
 * controls, and nothing else. */
void line_scrub(char *at, size_t octets);

#endif

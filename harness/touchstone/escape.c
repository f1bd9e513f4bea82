#include "escape.h"

#include <stdint.h>
#include <string.h>

enum place { LINE, MARKUP, ATTRIBUTE };

/* One UTF-8 sequence; how many octets it has. */
static size_t
decode(const char *text, uint32_t *code)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t octets = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	*code = octets == 1 ? s[0] : s[0] & (0xffu >> (octets + 1));
	for (size_t i = 1; i < octets; i++)
		*code = *code << 6 | (s[i] & 0x3fu);
	return octets;
}

static void
encode(FILE *to, uint32_t code)
{
	/* only pictures and the replacement character: three octets */
	putc((int)(0xe0 | code >> 12), to);
	putc((int)(0x80 | (code >> 6 & 0x3f)), to);
	putc((int)(0x80 | (code & 0x3f)), to);
}

/* What stands in for a character that may not be shown; 0: it may. */
static uint32_t
stand_in(uint32_t code, enum place place)
{
	if (place != LINE && (code == '\n' || code == '\t'))
		return 0;
	if (code < 0x20)
		return 0x2400 + code;
	if (code == 0x7f)
		return 0x2421;
	/* C1 controls, and what XML excludes; directions that turn text round
	 */
	if ((code >= 0x80 && code < 0xa0) || code == 0xfffe || code == 0xffff ||
	    (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069))
		return 0xfffd;
	return 0;
}

static const char *
entity(uint32_t code, enum place place)
{
	if (place == LINE)
		return NULL;
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n':
		return place == ATTRIBUTE ? "&#10;" : NULL;
	case '\t':
		return place == ATTRIBUTE ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static void
put(FILE *to, const char *text, size_t octets, enum place place)
{
	const char *end = text + octets;

	while (text < end) {
		uint32_t code;
		size_t n = decode(text, &code);
		const char *name = entity(code, place);

		if (stand_in(code, place) != 0)
			encode(to, stand_in(code, place));
		else if (name != NULL)
			fputs(name, to);
		else
			fwrite(text, 1, n, to);
		text += n;
	}
}

void
escape_line(FILE *to, const char *text)
{
	if (text != NULL)
		put(to, text, strlen(text), LINE);
}

void
escape_line_part(FILE *to, const char *text, size_t octets)
{
	put(to, text, octets, LINE);
}

void
escape_markup(FILE *to, const char *text)
{
	if (text != NULL)
		put(to, text, strlen(text), MARKUP);
}

void
escape_markup_part(FILE *to, const char *text, size_t octets)
{
	put(to, text, octets, MARKUP);
}

void
escape_attribute(FILE *to, const char *text)
{
	if (text != NULL)
		put(to, text, strlen(text), ATTRIBUTE);
}

void
escape_quoted(FILE *to, const char *text)
{
	putc('"', to);
	while (text != NULL && *text != '\0') {
		uint32_t code;
		size_t n = decode(text, &code);

		if (code == '"' || code == '\\')
			fprintf(to, "\\%c", (int)code);
		else if (code == '\n')
			fputs("\\n", to);
		else if (stand_in(code, LINE) != 0)
			fprintf(to, "\\u%04x", (unsigned)code);
		else
			fwrite(text, 1, n, to);
		text += n;
	}
	putc('"', to);
}

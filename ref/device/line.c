#include "device/line.h"

#include <stdio.h>
#include <string.h>

/*
 * What is not to be seen, or makes others be seen elsewhere: controls, line and
 * paragraph separators, formats (directions of writing, joiners, tags), what
 * is private or no character at all. Unicode 15: categories Cc, Cf, Zl, Zp, Co,
 * and the noncharacters.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} hidden[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x0600, 0x0605},
    {0x061c, 0x061c}, {0x06dd, 0x06dd}, {0x070f, 0x070f}, {0x0890, 0x0891},
    {0x08e2, 0x08e2}, {0x115f, 0x1160}, /* fillers: letters that show nothing */
    {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},
    {0x2fffe, 0x2ffff},
    {0x3fffe, 0x10ffff}, /* tags, selectors, private, nothing yet */
};

static bool
is_hidden(uint32_t point)
{
	size_t k;

	for (k = 0; k < sizeof(hidden) / sizeof(hidden[0]); k++)
		if (point >= hidden[k].first && point <= hidden[k].last)
			return true;
	return false;
}

/* How many octets at the front of `in` are one character to be shown as it is:
 * 0, none. */
static size_t
shown_octets(struct bytes in)
{
	static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint8_t lead = in.at[0];
	size_t octets = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t point = lead & lead_mask[octets];
	size_t k;

	if (octets > in.octets || !bytes_is_utf8((struct bytes){in.at, octets}))
		return 0;
	for (k = 1; k < octets; k++)
		point = point << 6 | (in.at[k] & 0x3fu);
	return is_hidden(point) ? 0 : octets;
}

/* ---- octets, eight at a time ----
 *
 * A line is made for each request, and most have nothing to be scrubbed. A word
 * is looked at as a whole; where it has an octet that is asked for, the octets
 * are looked at one by one.
 */

enum { WORD_OCTETS = sizeof(uint64_t) };

static uint64_t
word_of(uint8_t c)
{
	return c * UINT64_C(0x0101010101010101);
}

static uint64_t
word_at(const void *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Has it an octet less than `than`, which is 0x80 at most? */
static uint64_t
has_less(uint64_t word, uint8_t than)
{
	return (word - word_of(than)) & ~word & word_of(0x80);
}

static uint64_t
has(uint64_t word, uint8_t c)
{
	return has_less(word ^ word_of(c), 1);
}

static bool
is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

/*
 * The octets that cannot stand as they are, a bit each: what is no ASCII has to
 * be looked at, too. Values are short, and the octets of one word cost more
 * than a bit for each.
 */
struct stops {
	uint64_t of[4];
};

static void
stops_add(struct stops *stops, uint8_t c)
{
	stops->of[c / 64] |= UINT64_C(1) << c % 64;
}

/* What can stand nowhere. */
static const struct stops stops_everywhere = {{UINT64_C(0xffffffff),
    UINT64_C(1) << (0x7f - 64) | UINT64_C(1) << ('\\' - 64), UINT64_MAX,
    UINT64_MAX}};

/* How many octets at the front may stand as they are? */
static size_t
plain_octets(struct bytes in, const struct stops *stops)
{
	size_t octets;

	for (octets = 0; octets < in.octets; octets++) {
		uint8_t c = in.at[octets];

		if ((stops->of[c / 64] >> c % 64 & 1) != 0)
			break;
	}
	return octets;
}

void
line_scrub(char *at, size_t octets)
{
	size_t k = 0;
	size_t end;

	while (k < octets) {
		for (; octets - k >= WORD_OCTETS; k += WORD_OCTETS) {
			uint64_t word = word_at(at + k);

			if ((has_less(word, 0x20) | has(word, 0x7f)) != 0)
				break;
		}
		end = octets - k < WORD_OCTETS ? octets : k + WORD_OCTETS;
		for (; k < end; k++)
			if (is_control((uint8_t)at[k]))
				at[k] = '?';
	}
}

/* ---- the line ---- */

void
line_begin(struct line *line)
{
	line->octets = 0;
	line->cut = false;
}

void
line_put_number(struct line *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	line_put(line,
	    (struct bytes){(const uint8_t *)digits + at, sizeof(digits) - at});
}

/* Octets that are characters each: as many as there is room for. */
static void
put_run(struct line *line, const uint8_t *at, size_t octets)
{
	size_t room = sizeof(line->at) - LINE_CUT_OCTETS - line->octets;

	if (octets > room) {
		line_put(line, (struct bytes){at, room});
		line->cut = true;
		return;
	}
	line_put(line, (struct bytes){at, octets});
}

static void
put_escape(struct line *line, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t escape[] = {
	    '\\', 'x', (uint8_t)hex[c >> 4], (uint8_t)hex[c & 0xf]};

	line_put(line, (struct bytes){escape, sizeof(escape)});
}

void
line_escape(struct line *line, struct bytes in, const char *also)
{
	struct stops stops = stops_everywhere;
	size_t octets;

	for (; *also != 0; also++)
		stops_add(&stops, (uint8_t)*also);

	while (in.octets != 0 && !line->cut) {
		octets = plain_octets(in, &stops);
		put_run(line, in.at, octets);
		in.at += octets;
		in.octets -= octets;
		if (in.octets == 0)
			break;
		octets = in.at[0] < 0x80 ? 0 : shown_octets(in);
		if (in.at[0] == '\\')
			line_put_text(line, "\\\\");
		else if (octets == 0)
			put_escape(line, in.at[0]);
		else
			line_put(line, (struct bytes){in.at, octets});
		octets += octets == 0;
		in.at += octets;
		in.octets -= octets;
	}
}

static void
put_value(struct line *line, struct bytes value, const char *also)
{
	if (value.octets == 0) {
		line_put_text(line, "-");
		return;
	}
	if (value.octets == 1 && value.at[0] == '-')
		also = "-";
	line_escape(line, value, also);
}

static void
put_short(struct line *line, struct bytes value, const char *also)
{
	bool cut = value.octets > LINE_FIELD_OCTETS;

	if (cut)
		value.octets = LINE_FIELD_OCTETS;
	put_value(line, value, also);
	if (cut)
		line_put_text(line, LINE_CUT);
}

void
line_field(struct line *line, struct bytes value)
{
	put_short(line, value, " ");
}

void
line_inner(struct line *line, struct bytes value)
{
	put_short(line, value, " ]");
}

void
line_message(struct line *line, struct bytes value)
{
	put_value(line, value, "]");
}

void
line_bracketed(struct line *line, struct bytes value)
{
	line_put_text(line, "[");
	put_short(line, value, "]");
	line_put_text(line, "]");
}

struct bytes
line_end(struct line *line)
{
	if (line->cut) {
		memcpy(line->at + line->octets, LINE_CUT, LINE_CUT_OCTETS);
		line->octets += LINE_CUT_OCTETS;
		line->cut = false;
	}
	return (struct bytes){(const uint8_t *)line->at, line->octets};
}

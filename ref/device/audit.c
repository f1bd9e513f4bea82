#include "device/audit.h"

#include <stdio.h>
#include <string.h>

#include "device/appliance.h"

#define AUDIT_LOG "audit"
#define SYSTEM    "system"
/* An escape that no octet has: what came behind it was cut. */
#define CUT "\\..."

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

/* A line in the making; beyond its room nothing is added any more. */
struct line {
	char at[STORE_LOG_LINE_MAX_OCTETS + 1];
	size_t octets;
	bool cut;
};

static void
line_add(struct line *line, const char *at, size_t octets)
{
	/* sizeof(CUT) has a place for the end */
	if (line->cut ||
	    sizeof(line->at) - line->octets < octets + sizeof(CUT)) {
		line->cut = true;
		return;
	}
	memcpy(line->at + line->octets, at, octets);
	line->octets += octets;
}

/* also: an octet that is escaped as well */
static void
line_escape(struct line *line, const char *text, char also)
{
	struct bytes in = bytes_of_text(text);
	char escape[5];

	while (in.octets != 0) {
		size_t octets = shown_octets(in);

		if (in.at[0] == '\\') {
			line_add(line, "\\\\", 2);
			octets = 1;
		} else if (octets == 0 || in.at[0] == (uint8_t)also) {
			(void)snprintf(
			    escape, sizeof(escape), "\\x%02x", in.at[0]);
			line_add(line, escape, 4);
			octets = 1;
		} else {
			line_add(line, (const char *)in.at, octets);
		}
		in.at += octets;
		in.octets -= octets;
	}
}

/* An account that is called as the appliance calls itself does not look it. */
static void
line_name(struct line *line, const struct principal *by)
{
	if (by->door == DOOR_NONE)
		line_add(line, SYSTEM, strlen(SYSTEM));
	else
		line_escape(line, by->name,
		    strcmp(by->name, SYSTEM) == 0 ? *SYSTEM : ']');
}

enum err
audit_add(
    struct appliance *appliance, const struct principal *by, const char *event)
{
	int64_t wall_ms = env_wall_ms(appliance->env);
	char stamp[CLOCK_TEXT_OCTETS];
	struct line line = {.octets = 0};

	clock_text(appliance->clock, wall_ms / 1000, stamp);
	line_add(&line, stamp, strlen(stamp));
	line_add(&line, " [", 2);
	line_name(&line, by);
	line_add(&line, "]: ", 3);
	line_escape(&line, event, '\0');
	if (line.cut) {
		memcpy(line.at + line.octets, CUT, sizeof(CUT) - 1);
		line.octets += sizeof(CUT) - 1;
	}
	return store_log_add(appliance->store, AUDIT_LOG, wall_ms,
	    (struct bytes){(const uint8_t *)line.at, line.octets});
}

struct reader {
	audit_fn *each;
	void *ctx;
};

static enum err
read_line(void *ctx, const struct store_log_line *line)
{
	const struct reader *reader = ctx;

	return reader->each(reader->ctx, line->text);
}

enum err
audit_last(struct store *st, size_t lines, audit_fn *each, void *ctx)
{
	struct reader reader = {each, ctx};
	uint64_t last;
	enum err rc = OK;

	TRY(store_log_last(st, AUDIT_LOG, &last));
	TRY(store_log_each(st, AUDIT_LOG, last > lines ? last - lines + 1 : 1,
	    lines, read_line, &reader));
out:
	return rc;
}

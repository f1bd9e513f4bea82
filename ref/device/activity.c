#include "device/activity.h"

#include <assert.h>

#include "device/appliance.h"
#include "device/key_server.h"
#include "device/line.h"
#include "device/logs.h"

enum {
	/* of an event's message in a line: each octet may take four */
	EVENT_LINE_OCTETS = 1024,
};

/* The places of the choices of SETTING_ACTIVITY_LEVEL. */
enum { LEVEL_INFO, LEVEL_ERROR };

/* req: KS-21-025 KS-21-026 KS-21-052 */
enum err
activity_origin(struct bytes address, struct bytes common_name, struct buf *out)
{
	struct line line;

	line_begin(&line);
	line_field(&line, address);
	line_put_text(&line, " ");
	line_bracketed(&line, common_name);
	return buf_put(out, line_end(&line));
}

void
activity_word(struct activity *activity, struct bytes text)
{
	assert(activity->word_count < ACTIVITY_WORDS);
	activity->words[activity->word_count++] =
	    (struct activity_word){.text = text};
}

void
activity_number(struct activity *activity, uint64_t number)
{
	assert(activity->word_count < ACTIVITY_WORDS);
	activity->words[activity->word_count++] =
	    (struct activity_word){.number = number, .is_number = true};
}

bool
activity_wanted(const struct appliance *appliance, bool failed)
{
	return failed || setting_number(appliance->settings,
			     SETTING_ACTIVITY_LEVEL) == LEVEL_INFO;
}

/*
 * req: KS-21-020 KS-21-021 KS-21-022 KS-21-023 KS-21-024 KS-21-028 KS-21-029
 * req: KS-21-050 KS-21-051 KS-21-054
 */
static void
put_head(struct appliance *appliance, const struct activity *activity,
    struct line *line)
{
	line_begin(line);
	line_put_text(line, "[");
	line_put_text(
	    line, clock_stamp(appliance->clock, env_wall_s(appliance->env)));
	line_put_text(line, activity->failed ? "] ERROR " : "] INFO ");
	line_put(line, activity->door->origin);
	line_put_text(line, " ");
	line_field(line, activity->user);
	line_put_text(line, " ");
	line_field(line, activity->id);
	line_put_text(line, " ");
}

/* req: KS-21-032 */
static void
put_detail(const struct activity *activity, struct line *line)
{
	unsigned k;

	line_put_text(line, "[");
	for (k = 0; k < activity->word_count; k++) {
		const struct activity_word *word = &activity->words[k];

		if (k != 0)
			line_put_text(line, " ");
		if (word->is_number)
			line_put_number(line, word->number);
		else
			line_inner(line, word->text);
	}
	line_put_text(line, activity->word_count != 0 ? "] " : "-] ");
}

/* req: KS-20-002 KS-21-015 KS-21-018 KS-21-019 */
void
activity_add(struct appliance *appliance, const struct activity *activity)
{
	struct line line;

	if (!activity_wanted(appliance, activity->failed))
		return;
	put_head(appliance, activity, &line);
	line_field(&line, activity->type);
	line_put_text(&line, " ");
	line_field(&line, activity->key);
	line_put_text(&line, " ");
	put_detail(activity, &line);
	/* req: KS-21-033 KS-21-034 */
	if (activity->code != 0)
		line_put_number(&line, activity->code);
	else
		line_put_text(&line, "-");
	line_put_text(&line, " ");
	if (activity->failed)
		line_bracketed(&line, activity->message);
	else
		line_put_text(&line, "[Success]");
	logs_add(appliance, LOG_ACTIVITY, line_end(&line));
}

/* As much of the message as a line takes, and no half of a character. */
static struct bytes
next_part(struct bytes *message)
{
	size_t octets = message->octets;
	struct bytes part;

	if (octets <= EVENT_LINE_OCTETS) {
		part = *message;
		*message = BYTES_NONE;
		return part;
	}
	octets = EVENT_LINE_OCTETS;
	while (octets > EVENT_LINE_OCTETS - 4 &&
	       (message->at[octets] & 0xc0) == 0x80)
		octets--;
	part = (struct bytes){message->at, octets};
	message->at += octets;
	message->octets -= octets;
	return part;
}

/* req: KS-21-046 KS-21-048 KS-21-049 KS-21-055 */
void
activity_event(struct appliance *appliance, const struct activity *activity,
    struct bytes message)
{
	struct line line;

	do {
		put_head(appliance, activity, &line);
		line_put_text(&line, "[");
		line_message(&line, next_part(&message));
		line_put_text(&line, "]");
		logs_add(appliance, LOG_CLIENT_EVENT, line_end(&line));
	} while (message.octets != 0);
}

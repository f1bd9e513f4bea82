/* What each state looks like. */
#include <stdio.h>
#include <string.h>

#include "ped/device.h"

static const char *const texts[] = {
#define TEXT(code, origin, text) text,
#include "ped/text.def"
#undef TEXT
};

const char *
ped_text(enum text text)
{
	return texts[text];
}

static void
screen_text(struct ped *ped, enum text text)
{
	display_put_text(&ped->display, ped_text(text));
}

static void
screen_note(struct ped *ped, enum text text)
{
	(void)text;
	screen_text(ped, ped->note);
}

static void
screen_self_test(struct ped *ped, enum text text)
{
	const struct {
		enum text part;
		bool is_good;
	} parts[] = {
	    {TEXT_KEYPAD, ped->test.keypad},
	    {TEXT_USB, ped->test.usb},
	    {TEXT_DISPLAY, ped->test.display},
	};
	size_t k;

	screen_text(ped, text);
	for (k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
		display_printf(&ped->display, "%-10s%s",
		    ped_text(parts[k].part),
		    ped_text(parts[k].is_good ? TEXT_PASSED : TEXT_FAILED));
	screen_text(ped, TEXT_PRESS_ENTER);
}

static void
screen_log(struct ped *ped, enum text text)
{
	struct ped_action action;
	unsigned k;

	screen_text(ped, text);
	for (k = 0; k < LOG_LINES; k++) {
		if (!ped_action(ped, ped->log_page * LOG_LINES + k, &action))
			break;
		display_printf(&ped->display, "%02d:%02d:%02d %s",
		    (int)(action.at_ms / 3600000 % 100),
		    (int)(action.at_ms / 60000 % 60),
		    (int)(action.at_ms / 1000 % 60), action.text);
	}
}

struct bytes
ped_title(struct bytes text)
{
	const uint8_t *end =
	    text.octets != 0 ? memchr(text.at, '\n', text.octets) : NULL;

	if (end != NULL)
		text.octets = (size_t)(end - text.at);
	return text;
}

/* What goes on stays while the card thinks. */
static void
screen_wait(struct ped *ped, enum text text)
{
	display_put(&ped->display, ped_title(buf_peek(&ped->ask.text)));
	screen_text(ped, text);
}

/* Where the last line of a text, which may have none, begins. */
static size_t
line_begin(struct bytes text)
{
	const uint8_t *end =
	    text.octets != 0 ? memrchr(text.at, '\n', text.octets) : NULL;

	return end != NULL ? (size_t)(end - text.at) + 1 : 0;
}

/* A number stands where the text has it prefilled, digits below the text. */
static void
screen_ask(struct ped *ped, enum text text)
{
	struct bytes words = buf_peek(&ped->ask.text);
	struct bytes above = BYTES_NONE;
	char number[DISPLAY_COLUMNS + 1];

	(void)text;
	if (ped->state != AT_ASK_NUMBER || ped->entry_digits == 0) {
		display_put(&ped->display, words);
		return;
	}
	words.octets -= ped_ask_prefilled(&ped->ask).octets;
	if (bytes_split(&words, line_begin(words), &above) == OK &&
	    above.octets != 0) {
		above.octets--; /* its LF */
		display_put(&ped->display, above);
	}
	(void)snprintf(number, sizeof(number), "%.*s%.*s", (int)words.octets,
	    words.octets != 0 ? (const char *)words.at : "",
	    (int)ped->entry_digits, (const char *)ped_entry(ped).at);
	display_put_text(&ped->display, number);
}

static const struct {
	void (*draw)(struct ped *ped, enum text text);
	enum text text;
	enum entry_kind entry;
} screens[] = {
#define STATE(code, mode, draw, text, entry) \
	{screen_##draw, text, ENTRY_##entry},
#include "ped/state.def"
};

void
ped_screen_draw(struct ped *ped)
{
	static const char stars[ENTRY_DIGITS + 1] =
	    "****************************************************************";

	display_clear(&ped->display);
	screens[ped->state].draw(ped, screens[ped->state].text);
	if (screens[ped->state].entry == ENTRY_MASKED && ped->entry_digits != 0)
		display_put(&ped->display,
		    (struct bytes){(const uint8_t *)stars, ped->entry_digits});
}

/*
 * What a peer types, and what a session says in between: pieces of the input,
 * each behind an octet that says what it is.
 */
#include "cli/screen.h"

#include <assert.h>

enum { SHOWN_OCTETS = 1024 * 1024 };

static const enum cli_mark marks[] = {
    CLI_SAY, CLI_PROMPT, CLI_VALUE, CLI_SECRET, CLI_COMPLETE, CLI_END, CLI_BYE};

static enum err
play(struct screen *screen, struct bytes in, struct buf *out)
{
	enum screen_event event = SCREEN_MORE;
	enum err rc = OK;

	while (in.octets >= 2 && event != SCREEN_OVER) {
		unsigned what = in.at[0];
		size_t octets = in.at[1];
		struct bytes piece;

		in.at += 2;
		in.octets -= 2;
		if (octets > in.octets)
			octets = in.octets;
		TRY(bytes_split(&in, octets, &piece));
		if (what % 2 == 0)
			TRY(screen_say(
			    screen, marks[what / 2 % 7], piece, out, &event));
		while (event == SCREEN_MORE && piece.octets != 0 &&
		       what % 2 == 1 && screen_waits(screen))
			TRY(screen_type(
			    screen, &piece, what > 128, out, &event));
		assert(screen_line(screen).octets <= COMMAND_LINE_OCTETS + 1 ||
		       event == SCREEN_MORE);
	}
out:
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	struct screen_config config = {.terminal = false};
	struct screen *screen;
	struct buf out;

	if (octets < 3)
		return 0;
	config.terminal = (at[0] & 1) != 0;
	config.given = (at[0] & 2) != 0;
	config.columns = at[1];
	if (config.given)
		config.commands = (struct bytes){at + 2, octets / 4};
	if (screen_new(&config, &screen) != OK)
		return 0;
	buf_init(&out, SHOWN_OCTETS);
	(void)!play(screen, (struct bytes){at + 2, octets - 2}, &out);
	buf_clear(&out);
	screen_free(screen);
	return 0;
}

#include "cli/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

enum { SHOWN_OCTETS = 64 * 1024 };

/*
 * A play: what the session says (a mark and a text), and what the peer types
 * ("<"; "~": and that was all), line by line; `shows` is all that the peer sees
 * and `events` what the session gets, "|" behind each line.
 */
struct play {
	const char *name;
	bool terminal;
	const char *commands; /* NULL: they are typed */
	const char *lines[12];
	const char *shows;
	const char *events;
	int status;
	const char *clause;
};

/* clang-format off */
static const struct play plays[] = {
	/* without a terminal */
	{ "no prompt, one line a command", false, NULL,
	  { ">Host# ", "<show clock\nexit\n", "=12:00", ".0", ">Host# ", "<" },
	  "12:00\n", "show clock|exit|", 0, "KS-02-006" },
	{ "CR LF ends a line as LF does", false, NULL,
	  { ">Host# ", "<show clock\r\n" }, "", "show clock|", 0, "rfc4254 6.5" },
	{ "a CR within a line stays", false, NULL,
	  { ">Host# ", "<a\rb\n" }, "", "a\rb|", 0, "rfc4254 6.5" },
	{ "what is typed ahead waits", false, NULL,
	  { "<one\ntwo\n", ">Host# ", "<", ".0", ">Host# ", "<" },
	  "", "one|two|", 0, "rfc4254 5.2" },
	{ "a question is a line of output", false, NULL,
	  { ">Host# ", "<ask\n", "?Name:", "<bob\n", "*Password:", "<secret\n" },
	  "Name:\nPassword:\n", "ask|bob|secret|", 0, "inferred" },
	{ "the first failure is the end", false, NULL,
	  { ">Host# ", "<one\ntwo\n", ".1", ">Host# ", "<" }, "", "one|over|", 1, "inferred" },
	{ "the end of what is typed is the end", false, NULL,
	  { ">Host# ", "<one\n", ".0", ">Host# ", "~" }, "", "one|over|", 0, "rfc4254 5.3" },
	{ "a last line without an end", false, NULL,
	  { ">Host# ", "~one", ".0", ">Host# ", "~" }, "", "one|over|", 0, "rfc4254 5.3" },
	{ "a question that nobody answers", false, NULL,
	  { ">Host# ", "<one\n", "?Name:", "~" }, "Name:\n", "one|over|", 1, "rfc4254 5.3" },
	{ "the session's own end", false, NULL,
	  { ">Host# ", "<exit\n", ".0", "!" }, "", "exit|over|", 0, "inferred" },
	/* commands given beforehand */
	{ "each given command in turn", false, "config\nshow clock",
	  { ">Host# ", ".0", ">Host (config)# ", "=12:00", ".0", ">Host# " },
	  "12:00\n", "config|show clock|over|", 0, "rfc4254 6.5" },
	{ "none after one that failed", false, "config\nshow clock",
	  { ">Host# ", ".1", ">Host# " }, "", "config|over|", 1, "rfc4254 6.10" },
	{ "answers are typed all the same", false, "ask\nexit",
	  { ">Host# ", "?Name:", "<bob\nshow\n", ".0", ">Host# " },
	  "Name:\n", "ask|bob|exit|", 0, "rfc4254 6.5" },
	{ "no command at all", false, "",
	  { ">Host# " }, "", "over|", 0, "rfc4254 6.5" },
	{ "an empty one is one", false, "\nexit",
	  { ">Host# ", ">Host# " }, "", "|exit|", 0, "rfc4254 6.5" },
	/* at a terminal */
	{ "a prompt and what is typed", true, NULL,
	  { ">Host# ", "<exit\r", "=bye" },
	  "\rHost# \x1b[K\rHost# exit\x1b[K\r\nbye\r\n", "exit|", 0, "KS-02-006" },
	{ "a secret is not shown", true, NULL,
	  { "*Password:", "<hunter2\r" },
	  "\rPassword: \x1b[K\rPassword: \x1b[K\r\n", "hunter2|", 0, "inferred" },
	{ "a failure is not the end", true, NULL,
	  { ">H# ", "<a\r", ".1", ">H# ", "<b\r" },
	  "\rH# \x1b[K\rH# a\x1b[K\r\n\rH# \x1b[K\rH# b\x1b[K\r\n", "a|b|", 1, "inferred" },
	{ "Tab asks, and the answer is put in", true, NULL,
	  { ">H# ", "<co\tx", "+nfig ", "<" },
	  "\rH# \x1b[K\rH# co\x1b[K\rH# config \x1b[K\rH# config x\x1b[K", "co?|", 0, "inferred" },
	{ "an answer that was not asked for", true, NULL,
	  { ">H# ", "+nfig " }, "\rH# \x1b[K", "", 0, "inferred" },
	{ "output goes above what is being typed", true, NULL,
	  { ">H# ", "<ab", "=news" },
	  "\rH# \x1b[K\rH# ab\x1b[K\r\x1b[Knews\r\n\rH# ab\x1b[K", "", 0, "inferred" },
	{ "Ctrl-C", true, NULL,
	  { ">H# ", "<ab\x03", ">H# " },
	  "\rH# \x1b[K\rH# ab\x1b[K^C\r\n\rH# \x1b[K", "!|", 0, "inferred" },
	{ "Ctrl-D", true, NULL,
	  { ">H# ", "<\x04" }, "\rH# \x1b[K\r\n", "over|", 0, "inferred" },
	{ "the terminal goes away", true, NULL,
	  { ">H# ", "~" }, "\rH# \x1b[K", "over|", 0, "rfc4254 5.3" },
	{ "given commands at a terminal: a failure is the end", true, "a\nb",
	  { ">H# ", ".1" }, "", "a|over|", 1, "rfc4254 6.10" },
};
/* clang-format on */

struct stage {
	struct screen *screen;
	struct buf shown;
	char events[256];
	uint8_t typed[256];
	size_t octets;
	bool ended;
	bool over;
};

static void
note(struct stage *stage, enum screen_event event)
{
	struct bytes line = screen_line(stage->screen);
	size_t at = strlen(stage->events);
	char *to = stage->events + at;
	size_t room = sizeof(stage->events) - at;

	switch (event) {
	case SCREEN_MORE:
		break;
	case SCREEN_LINE:
		(void)snprintf(
		    to, room, "%.*s|", (int)line.octets, (const char *)line.at);
		break;
	case SCREEN_COMPLETE:
		(void)snprintf(to, room, "%.*s?|", (int)line.octets,
		    (const char *)line.at);
		break;
	case SCREEN_BREAK:
		(void)snprintf(to, room, "!|");
		break;
	case SCREEN_OVER:
		stage->over = true;
		(void)snprintf(to, room, "over|");
		break;
	}
}

static enum err
perform(struct stage *stage, const char *line)
{
	enum screen_event event = SCREEN_MORE;
	struct bytes in;
	enum err rc = OK;

	if (*line != '<' && *line != '~') {
		TRY(screen_say(stage->screen, (enum cli_mark) * line,
		    bytes_of_text(line + 1), &stage->shown, &event));
		note(stage, event);
		return OK;
	}
	stage->ended = *line == '~';
	memcpy(stage->typed + stage->octets, line + 1, strlen(line + 1));
	in = (struct bytes){stage->typed, stage->octets + strlen(line + 1)};
	TRY(screen_type(
	    stage->screen, &in, stage->ended, &stage->shown, &event));
	memmove(stage->typed, in.at, in.octets);
	stage->octets = in.octets;
	note(stage, event);
out:
	return rc;
}

static void
run_play(const struct play *play)
{
	struct screen_config config = {
	    .terminal = play->terminal, .given = play->commands != NULL};
	struct stage stage = {.octets = 0};
	enum err rc = OK;
	size_t k;

	if (play->commands != NULL)
		config.commands = bytes_of_text(play->commands);
	buf_init(&stage.shown, SHOWN_OCTETS);
	if (screen_new(&config, &stage.screen) != OK)
		return;
	for (k = 0; rc == OK && !stage.over && play->lines[k] != NULL; k++)
		rc = perform(&stage, play->lines[k]);
	if (rc == OK && !bytes_equal_text(buf_peek(&stage.shown), play->shows))
		fail_msg("%s: expected to be shown \"%s\", got \"%.*s\" (%s)",
		    play->name, play->shows, (int)stage.shown.octets,
		    (const char *)stage.shown.at, play->clause);
	if (rc == OK && strcmp(stage.events, play->events) != 0)
		fail_msg("%s: expected %s, got %s (%s)", play->name,
		    play->events, stage.events, play->clause);
	if (rc == OK && screen_status(stage.screen) != play->status)
		fail_msg("%s: expected status %d, got %d (%s)", play->name,
		    play->status, screen_status(stage.screen), play->clause);
	buf_clear(&stage.shown);
	screen_free(stage.screen);
}

static void
what_is_said_is_shown_and_what_is_typed_is_told(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(plays) / sizeof(plays[0]); k++)
		run_play(&plays[k]);
}

/* A line of so many octets, with this end, is one of `want` to the session. */
static void
types(size_t octets, const char *end, size_t want)
{
	static uint8_t line[2 * COMMAND_LINE_OCTETS];
	struct screen_config config = {.terminal = false};
	enum screen_event event = SCREEN_MORE;
	struct screen *screen;
	struct bytes in = {line, octets + strlen(end)};
	struct buf out;

	assert_true(in.octets <= sizeof(line));
	memset(line, 'a', octets);
	memcpy(line + octets, end, strlen(end));
	buf_init(&out, SHOWN_OCTETS);
	if (screen_new(&config, &screen) != OK)
		return;
	assert_int_equal(
	    screen_say(screen, CLI_PROMPT, BYTES_NONE, &out, &event), OK);
	assert_int_equal(screen_type(screen, &in, false, &out, &event), OK);
	assert_int_equal(event, SCREEN_LINE);
	assert_int_equal(screen_line(screen).octets, want);
	screen_free(screen);
}

/* The session refuses it then. */
static void
a_line_that_is_too_long_stays_too_long(void **state)
{
	(void)state;
	types(COMMAND_LINE_OCTETS, "\n", COMMAND_LINE_OCTETS);
	types(COMMAND_LINE_OCTETS, "\r\n", COMMAND_LINE_OCTETS);
	types(COMMAND_LINE_OCTETS + 1, "\n", COMMAND_LINE_OCTETS + 1);
	types(COMMAND_LINE_OCTETS + 1, "\r\n", COMMAND_LINE_OCTETS + 1);
	types(COMMAND_LINE_OCTETS + 1, "\rbc\n", COMMAND_LINE_OCTETS + 1);
	types(COMMAND_LINE_OCTETS + 99, "\r\n", COMMAND_LINE_OCTETS + 2);
}

static void
given_commands_have_a_limit(void **state)
{
	struct screen_config config = {.given = true};
	struct screen *screen;
	uint8_t *text = calloc(1, SCREEN_COMMANDS_OCTETS + 1);

	(void)state;
	assert_non_null(text);
	config.commands = (struct bytes){text, SCREEN_COMMANDS_OCTETS};
	if (screen_new(&config, &screen) == OK)
		screen_free(screen);
	config.commands.octets++;
	assert_int_not_equal(screen_new(&config, &screen), OK);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_said_is_shown_and_what_is_typed_is_told),
	    cmocka_unit_test(a_line_that_is_too_long_stays_too_long),
	    cmocka_unit_test(given_commands_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

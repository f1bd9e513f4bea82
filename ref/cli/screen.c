#include "cli/screen.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cli/editor.h"

struct screen {
	bool terminal;
	bool given;
	char *commands; /* lines; NULL: none */
	size_t commands_octets;
	size_t next_command;
	/* what is waited for; asking: something is */
	bool asking;
	enum editor_kind kind;
	bool completing; /* Tab was pressed, and is not answered */
	int status;
	struct editor *editor; /* of a terminal */
	bool edited;           /* screen_line is the editor's */
	/* a line without one */
	uint8_t line[COMMAND_LINE_OCTETS + 2]; /* too long, and its CR */
	size_t octets;
};

enum err
screen_new(const struct screen_config *config, struct screen **out)
{
	struct screen *screen = NULL;
	struct bytes commands = config->commands;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(screen));
	screen->terminal = config->terminal;
	screen->given = config->given;
	if (commands.octets > SCREEN_COMMANDS_OCTETS)
		TRY(ERR_LIMIT);
	if (commands.octets != 0) {
		TRY(MEM_ARRAY(screen->commands, commands.octets));
		memcpy(screen->commands, commands.at, commands.octets);
		screen->commands_octets = commands.octets;
	}
	if (screen->terminal) {
		TRY(editor_new(&screen->editor));
		screen_width(screen, config->columns);
	}
	*out = screen;
	screen = NULL;
out:
	screen_free(screen);
	return rc;
}

void
screen_free(struct screen *screen)
{
	if (screen == NULL)
		return;
	editor_free(screen->editor);
	if (screen->commands != NULL)
		secret_wipe(screen->commands, screen->commands_octets);
	mem_free(screen->commands);
	secret_wipe(screen, sizeof(*screen));
	mem_free(screen);
}

void
screen_width(struct screen *screen, unsigned columns)
{
	if (screen->terminal)
		editor_width(
		    screen->editor, columns != 0 ? columns : EDITOR_COLUMNS);
}

bool
screen_waits(const struct screen *screen)
{
	return screen->asking && !screen->completing;
}

struct bytes
screen_line(const struct screen *screen)
{
	return screen->edited ? editor_line(screen->editor)
			      : (struct bytes){screen->line, screen->octets};
}

int
screen_status(const struct screen *screen)
{
	return screen->status;
}

/* ---- what the session says ---- */

static enum err
show_line(struct screen *s, struct bytes text, struct buf *out)
{
	enum err rc = OK;

	if (s->terminal && s->asking)
		TRY(editor_hide(s->editor, out));
	TRY(buf_put(out, text));
	TRY(buf_put_text(out, s->terminal ? "\r\n" : "\n"));
	/* a list of words that can follow comes before their answer */
	if (s->terminal && screen_waits(s))
		TRY(editor_show(s->editor, out));
out:
	return rc;
}

/* false: there is none left. */
static bool
give_command(struct screen *s)
{
	size_t left = s->commands_octets - s->next_command;
	const char *at, *end;
	size_t octets;

	if (left == 0)
		return false;
	at = s->commands + s->next_command;
	end = memchr(at, '\n', left);
	octets = end != NULL ? (size_t)(end - at) : left;
	s->next_command += octets + (end != NULL);
	/* what is too long is cut so that it stays too long */
	if (octets > sizeof(s->line))
		octets = sizeof(s->line);
	memcpy(s->line, at, octets);
	s->octets = octets;
	s->edited = false;
	return true;
}

static enum err
ask(struct screen *s, enum editor_kind kind, struct bytes text, struct buf *out)
{
	char prompt[EDITOR_PROMPT_OCTETS];
	enum err rc = OK;

	s->asking = true;
	s->kind = kind;
	s->edited = s->terminal;
	secret_wipe(s->line, sizeof(s->line));
	s->octets = 0;
	if (s->terminal) {
		(void)snprintf(prompt, sizeof(prompt), "%.*s%s",
		    (int)text.octets, (const char *)text.at,
		    kind == EDITOR_COMMAND ? "" : " ");
		TRY(editor_ask(s->editor, kind, prompt, out));
	} else if (kind != EDITOR_COMMAND) {
		TRY(show_line(s, text, out));
	}
out:
	return rc;
}

enum err
screen_say(struct screen *screen, enum cli_mark mark, struct bytes text,
    struct buf *out, enum screen_event *event)
{
	bool person = screen->terminal && !screen->given;
	enum err rc = OK;

	*event = SCREEN_MORE;
	switch (mark) {
	case CLI_SAY:
		TRY(show_line(screen, text, out));
		break;
	case CLI_PROMPT:
		if (!screen->given)
			TRY(ask(screen, EDITOR_COMMAND, text, out));
		else
			*event =
			    give_command(screen) ? SCREEN_LINE : SCREEN_OVER;
		break;
	case CLI_VALUE:
		TRY(ask(screen, EDITOR_VALUE, text, out));
		break;
	case CLI_SECRET:
		TRY(ask(screen, EDITOR_SECRET, text, out));
		break;
	case CLI_COMPLETE:
		if (!screen->completing)
			break;
		screen->completing = false;
		TRY(editor_insert(screen->editor, text, out));
		break;
	case CLI_END:
		screen->status = bytes_equal_text(text, "0") ? 0 : 1;
		if (screen->status != 0 && !person)
			*event = SCREEN_OVER;
		break;
	case CLI_BYE:
		if (screen->terminal && screen->asking)
			TRY(editor_hide(screen->editor, out));
		*event = SCREEN_OVER;
		break;
	}
out:
	return rc;
}

/* ---- what is typed ---- */

static enum err
type_keys(struct screen *s, struct bytes *in, struct buf *out,
    enum screen_event *event)
{
	enum editor_event key;
	enum err rc = OK;

	TRY(editor_type(s->editor, in, out, &key));
	switch (key) {
	case EDITOR_MORE:
		break;
	case EDITOR_LINE:
		s->asking = false;
		*event = SCREEN_LINE;
		break;
	case EDITOR_COMPLETE:
		s->completing = true;
		*event = SCREEN_COMPLETE;
		break;
	case EDITOR_BREAK:
		s->asking = false;
		*event = SCREEN_BREAK;
		break;
	case EDITOR_END:
		s->asking = false;
		*event = SCREEN_OVER;
		break;
	}
out:
	return rc;
}

static void
line_is_whole(struct screen *s, enum screen_event *event)
{
	if (s->octets != 0 && s->line[s->octets - 1] == '\r')
		s->octets--;
	s->asking = false;
	*event = SCREEN_LINE;
}

static void
type_line(struct screen *s, struct bytes *in, enum screen_event *event)
{
	while (s->asking && in->octets != 0) {
		uint8_t octet = *in->at;

		in->at++;
		in->octets--;
		if (octet == '\n')
			line_is_whole(s, event);
		else if (s->octets < sizeof(s->line)) /* as give_command */
			s->line[s->octets++] = octet;
	}
}

enum err
screen_type(struct screen *screen, struct bytes *in, bool ended,
    struct buf *out, enum screen_event *event)
{
	enum err rc = OK;

	*event = SCREEN_MORE;
	if (!screen_waits(screen))
		return OK;
	if (screen->terminal)
		TRY(type_keys(screen, in, out, event));
	else
		type_line(screen, in, event);
	if (!ended || *event != SCREEN_MORE || in->octets != 0)
		return OK;
	if (!screen->terminal && screen->octets != 0) {
		line_is_whole(screen, event); /* its end is the end */
		return OK;
	}
	/* a question that nobody answers gives its command up */
	if (screen->kind != EDITOR_COMMAND)
		screen->status = 1;
	*event = SCREEN_OVER;
out:
	return rc;
}

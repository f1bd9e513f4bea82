#include "cli/editor.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum { LEAST_COLUMNS = 20, ESCAPE_OCTETS = 8, CTRL = 0x1f };

struct editor {
	enum editor_kind kind;
	bool asking;
	char prompt[EDITOR_PROMPT_OCTETS];
	size_t columns;
	/* the line, and where the cursor stands in it */
	uint8_t line[COMMAND_LINE_OCTETS];
	size_t octets;
	size_t cursor;
	/* an escape sequence, as far as it has come; what ended the line */
	uint8_t escape[ESCAPE_OCTETS];
	size_t escape_octets;
	bool after_cr; /* a line feed behind it belongs to it */
	bool stale;    /* the terminal does not show it as it is */
	/* what was answered, to be typed on */
	uint8_t again[COMMAND_LINE_OCTETS];
	size_t again_octets;
	/* oldest first; `at` is the one that is shown, history_count: none */
	char *history[EDITOR_HISTORY_LINES];
	size_t history_count;
	size_t at;
	char *begun; /* what was typed before the history was looked at */
};

enum err
editor_new(struct editor **out)
{
	struct editor *editor;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(editor));
	editor->columns = EDITOR_COLUMNS;
	*out = editor;
out:
	return rc;
}

void
editor_free(struct editor *editor)
{
	size_t k;

	if (editor == NULL)
		return;
	for (k = 0; k < editor->history_count; k++)
		mem_free(editor->history[k]);
	mem_free(editor->begun);
	secret_wipe(editor, sizeof(*editor));
	mem_free(editor);
}

void
editor_width(struct editor *editor, unsigned columns)
{
	editor->columns = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
}

/* ---- characters ---- */

static bool
goes_on(uint8_t octet)
{
	return (octet & 0xc0) == 0x80;
}

static size_t
before(const struct editor *e, size_t at)
{
	if (at == 0)
		return 0;
	do
		at--;
	while (at != 0 && goes_on(e->line[at]));
	return at;
}

static size_t
behind(const struct editor *e, size_t at)
{
	if (at == e->octets)
		return at;
	do
		at++;
	while (at < e->octets && goes_on(e->line[at]));
	return at;
}

static size_t
columns_of(const uint8_t *at, size_t octets)
{
	size_t columns = 0;

	while (octets-- != 0)
		columns += !goes_on(*at++);
	return columns;
}

/* ---- what is shown ---- */

/* The prompt and as much of the line as fits, the cursor within it. */
static enum err
show(struct editor *e, struct buf *out)
{
	const uint8_t *prompt = (const uint8_t *)e->prompt;
	size_t prompt_columns = columns_of(prompt, strlen(e->prompt));
	size_t room = e->columns - prompt_columns - 1;
	size_t from = 0, to;
	enum err rc = OK;

	e->stale = false;
	TRY(buf_printf(out, "\r%s", e->prompt));
	if (e->kind != EDITOR_SECRET) {
		while (columns_of(e->line + from, e->cursor - from) > room)
			from = behind(e, from);
		for (to = from; to < e->octets &&
				columns_of(e->line + from, to - from) < room;)
			to = behind(e, to);
		TRY(buf_put(out, (struct bytes){e->line + from, to - from}));
	}
	TRY(buf_put_text(out, "\x1b[K"));
	if (e->kind != EDITOR_SECRET && e->cursor != e->octets)
		TRY(buf_printf(out, "\r\x1b[%zuC",
		    prompt_columns +
			columns_of(e->line + from, e->cursor - from)));
out:
	return rc;
}

enum err
editor_show(struct editor *editor, struct buf *out)
{
	return editor->asking ? show(editor, out) : OK;
}

enum err
editor_hide(struct editor *editor, struct buf *out)
{
	return editor->asking ? buf_put_text(out, "\r\x1b[K") : OK;
}

/* ---- what is typed ---- */

/* false: it does not fit. */
static bool
insert(struct editor *e, struct bytes text)
{
	if (text.octets == 0)
		return true;
	if (text.octets > sizeof(e->line) - e->octets)
		return false;
	memmove(e->line + e->cursor + text.octets, e->line + e->cursor,
	    e->octets - e->cursor);
	memcpy(e->line + e->cursor, text.at, text.octets);
	e->octets += text.octets;
	e->cursor += text.octets;
	return true;
}

static void
take_out(struct editor *e, size_t from, size_t to)
{
	memmove(e->line + from, e->line + to, e->octets - to);
	e->octets -= to - from;
	e->cursor = from;
}

/* The blanks before the cursor, and the word before those. */
static size_t
word_before(const struct editor *e)
{
	size_t at = e->cursor;

	while (at != 0 && e->line[at - 1] == ' ')
		at--;
	while (at != 0 && e->line[at - 1] != ' ')
		at--;
	return at;
}

static void
replace(struct editor *e, const char *text)
{
	size_t octets = strlen(text);

	memcpy(e->line, text, octets);
	e->octets = octets;
	e->cursor = octets;
}

/* ---- the history ---- */

static enum err
keep_begun(struct editor *e)
{
	mem_free(e->begun);
	return mem_printf(
	    &e->begun, "%.*s", (int)e->octets, (const char *)e->line);
}

static enum err
look_back(struct editor *e)
{
	enum err rc = OK;

	if (e->kind != EDITOR_COMMAND || e->at == 0)
		return OK;
	if (e->at == e->history_count)
		TRY(keep_begun(e));
	replace(e, e->history[--e->at]);
out:
	return rc;
}

static void
look_forward(struct editor *e)
{
	if (e->kind != EDITOR_COMMAND || e->at == e->history_count)
		return;
	e->at++;
	replace(e, e->at == e->history_count ? e->begun : e->history[e->at]);
}

/* Empty lines and repetitions are not worth a place. */
static enum err
remember(struct editor *e)
{
	char *line = NULL;
	size_t last = e->history_count - 1;
	enum err rc = OK;

	if (e->kind != EDITOR_COMMAND || e->octets == 0)
		return OK;
	if (e->history_count != 0 &&
	    bytes_equal_text(editor_line(e), e->history[last]))
		return OK;
	TRY(mem_printf(&line, "%.*s", (int)e->octets, (const char *)e->line));
	if (e->history_count == EDITOR_HISTORY_LINES) {
		mem_free(e->history[0]);
		memmove(
		    e->history, e->history + 1, last * sizeof(e->history[0]));
		e->history_count--;
	}
	e->history[e->history_count++] = line;
out:
	return rc;
}

/* ---- keys ---- */

enum key {
	KEY_NONE, /* not known, or not yet whole */
	KEY_HOME,
	KEY_LEFT,
	KEY_DELETE,
	KEY_END,
	KEY_RIGHT,
	KEY_BACKSPACE,
	KEY_CUT,
	KEY_AGAIN,
	KEY_DOWN,
	KEY_UP,
	KEY_CLEAR,
	KEY_CUT_WORD,
	KEY_LINE,
	KEY_TAB,
	KEY_BREAK,
	KEY_DELETE_OR_END,
};

/* clang-format off */
static const struct {
	uint8_t octet;
	enum key key;
} controls[] = {
	{ 'A' & CTRL, KEY_HOME },   { 'B' & CTRL, KEY_LEFT },
	{ 'C' & CTRL, KEY_BREAK },  { 'D' & CTRL, KEY_DELETE_OR_END },
	{ 'E' & CTRL, KEY_END },    { 'F' & CTRL, KEY_RIGHT },
	{ 'H' & CTRL, KEY_BACKSPACE }, { 0x7f, KEY_BACKSPACE },
	{ 'I' & CTRL, KEY_TAB },    { 'J' & CTRL, KEY_LINE },
	{ 'M' & CTRL, KEY_LINE },   { 'K' & CTRL, KEY_CUT },
	{ 'L' & CTRL, KEY_AGAIN },  { 'N' & CTRL, KEY_DOWN },
	{ 'P' & CTRL, KEY_UP },     { 'U' & CTRL, KEY_CLEAR },
	{ 'W' & CTRL, KEY_CUT_WORD },
};

static const struct {
	const char *sequence; /* behind ESC */
	enum key key;
} sequences[] = {
	{ "[A", KEY_UP },    { "[B", KEY_DOWN },
	{ "[C", KEY_RIGHT }, { "[D", KEY_LEFT },
	{ "[H", KEY_HOME },  { "[F", KEY_END },
	{ "OA", KEY_UP },    { "OB", KEY_DOWN },
	{ "OC", KEY_RIGHT }, { "OD", KEY_LEFT },
	{ "OH", KEY_HOME },  { "OF", KEY_END },
	{ "[1~", KEY_HOME }, { "[4~", KEY_END },
	{ "[7~", KEY_HOME }, { "[8~", KEY_END },
	{ "[3~", KEY_DELETE },
};
/* clang-format on */

static enum key
control_key(uint8_t octet)
{
	size_t k;

	for (k = 0; k < sizeof(controls) / sizeof(controls[0]); k++)
		if (controls[k].octet == octet)
			return controls[k].key;
	return KEY_NONE;
}

/* "[", parameters, and one octet from '@' on; or 'O' and one octet. */
static bool
sequence_is_whole(struct bytes s)
{
	uint8_t last = s.at[s.octets - 1];

	if (s.octets == 1)
		return last != '[' && last != 'O';
	return s.at[0] == 'O' || (last >= 0x40 && last <= 0x7e);
}

/* An octet behind ESC. What is too long to be known is passed over. */
static enum key
sequence_key(struct editor *e, uint8_t octet)
{
	struct bytes s = {e->escape + 1, 0};
	size_t k;

	if (e->escape_octets == sizeof(e->escape))
		e->escape_octets--;
	s.octets = e->escape_octets;
	e->escape[e->escape_octets++] = octet;
	if (!sequence_is_whole(s))
		return KEY_NONE;
	e->escape_octets = 0;
	for (k = 0; k < sizeof(sequences) / sizeof(sequences[0]); k++)
		if (bytes_equal_text(s, sequences[k].sequence))
			return sequences[k].key;
	return KEY_NONE;
}

static enum err
end_line(struct editor *e, enum editor_event what, struct buf *out,
    enum editor_event *event)
{
	enum err rc = OK;

	if (e->stale)
		TRY(show(e, out));
	*event = what;
	e->asking = false;
	e->again_octets = 0;
	if (what == EDITOR_LINE) {
		TRY(remember(e));
		if (e->kind == EDITOR_COMMAND && e->octets != 0 &&
		    e->line[e->octets - 1] == '?') {
			e->again_octets = e->octets - 1;
			memcpy(e->again, e->line, e->again_octets);
		}
	}
	TRY(buf_put_text(out, what == EDITOR_BREAK ? "^C\r\n" : "\r\n"));
out:
	return rc;
}

/* A key that changes the line or moves the cursor in it. */
static enum err
edit(struct editor *e, enum key key)
{
	switch (key) {
	case KEY_HOME:
		e->cursor = 0;
		break;
	case KEY_LEFT:
		e->cursor = before(e, e->cursor);
		break;
	case KEY_END:
		e->cursor = e->octets;
		break;
	case KEY_RIGHT:
		e->cursor = behind(e, e->cursor);
		break;
	case KEY_DELETE:
	case KEY_DELETE_OR_END:
		take_out(e, e->cursor, behind(e, e->cursor));
		break;
	case KEY_BACKSPACE:
		take_out(e, before(e, e->cursor), e->cursor);
		break;
	case KEY_CUT:
		e->octets = e->cursor;
		break;
	case KEY_CLEAR:
		take_out(e, 0, e->cursor);
		break;
	case KEY_CUT_WORD:
		take_out(e, word_before(e), e->cursor);
		break;
	case KEY_UP:
		return look_back(e);
	case KEY_DOWN:
		look_forward(e);
		break;
	case KEY_NONE:
	case KEY_AGAIN:
	case KEY_LINE:
	case KEY_TAB:
	case KEY_BREAK:
		break;
	}
	return OK;
}

static enum err
press(struct editor *e, enum key key, struct buf *out, enum editor_event *event)
{
	if (key == KEY_NONE)
		return OK;
	if (key == KEY_LINE)
		return end_line(e, EDITOR_LINE, out, event);
	if (key == KEY_BREAK)
		return end_line(e, EDITOR_BREAK, out, event);
	if (key == KEY_DELETE_OR_END && e->octets == 0)
		return end_line(e, EDITOR_END, out, event);
	if (key == KEY_TAB) {
		if (e->kind == EDITOR_COMMAND)
			*event = EDITOR_COMPLETE;
		return OK;
	}
	e->stale = true;
	return edit(e, key);
}

static enum err
take(struct editor *e, uint8_t octet, struct buf *out, enum editor_event *event)
{
	bool after_cr = e->after_cr;

	e->after_cr = octet == '\r';
	if (after_cr && octet == '\n')
		return OK;
	if (e->escape_octets != 0)
		return press(e, sequence_key(e, octet), out, event);
	if (octet == 0x1b) {
		e->escape[e->escape_octets++] = octet;
		return OK;
	}
	if (octet < 0x20 || octet == 0x7f)
		return press(e, control_key(octet), out, event);
	if (!insert(e, (struct bytes){&octet, 1}))
		return buf_put_text(out, "\a");
	e->stale = true;
	return OK;
}

/* Shown once for all that came at once: characters are not torn. */
enum err
editor_type(struct editor *editor, struct bytes *in, struct buf *out,
    enum editor_event *event)
{
	enum err rc = OK;

	*event = EDITOR_MORE;
	while (editor->asking && *event == EDITOR_MORE && in->octets != 0) {
		uint8_t octet = *in->at;

		in->at++;
		in->octets--;
		TRY(take(editor, octet, out, event));
	}
	if (editor->asking && editor->stale)
		TRY(show(editor, out));
out:
	return rc;
}

enum err
editor_ask(struct editor *editor, enum editor_kind kind, const char *prompt,
    struct buf *out)
{
	enum err rc = OK;

	editor->kind = kind;
	editor->asking = true;
	(void)snprintf(editor->prompt, sizeof(editor->prompt), "%s", prompt);
	if (columns_of((const uint8_t *)prompt, strlen(prompt)) +
		LEAST_COLUMNS / 2 >
	    editor->columns) {
		TRY(buf_printf(out, "%s\r\n", prompt));
		editor->prompt[0] = '\0';
	}
	secret_wipe(editor->line, sizeof(editor->line));
	editor->octets = 0;
	editor->cursor = 0;
	editor->escape_octets = 0;
	editor->at = editor->history_count;
	if (kind == EDITOR_COMMAND)
		(void)insert(editor,
		    (struct bytes){editor->again, editor->again_octets});
	editor->again_octets = 0;
	TRY(show(editor, out));
out:
	return rc;
}

struct bytes
editor_line(const struct editor *editor)
{
	return (struct bytes){
	    editor->line, editor->asking ? editor->cursor : editor->octets};
}

enum err
editor_insert(struct editor *editor, struct bytes text, struct buf *out)
{
	if (!insert(editor, text))
		return buf_put_text(out, "\a");
	return show(editor, out);
}

/*
 * The line that a person types at a terminal: keys in, what the terminal is to
 * show out. It knows no file and no socket; who has those is terminal.c at the
 * serial console and the SSH door at a pty.
 *
 *	arrows, Home, End, Delete, Backspace      as on any terminal
 *	Ctrl-A -E -B -F -P -N -D -H -K -U -W -L   as in a shell
 *	Tab                                       how can it go on?
 *	Ctrl-C                                    the line is given up
 *	Ctrl-D on an empty line                   the end
 *
 * The terminal is in raw mode, takes UTF-8, and is one that understands
 * "ESC [ K" and "ESC [ n C". A character is taken for one column wide. What
 * does not fit the width is moved through it sideways.
 *
 * Secrets leave no trace: neither on the terminal nor in the history, and what
 * was typed is wiped by the next editor_ask.
 */
#ifndef CLI_EDITOR_H
#define CLI_EDITOR_H

#include "base/buf.h"
#include "cli/command.h"

struct editor;

enum {
	EDITOR_HISTORY_LINES = 100,
	EDITOR_COLUMNS = 80, /* until editor_width says otherwise */
	EDITOR_PROMPT_OCTETS = 4096,
};

/* ERR_NOMEM */
enum err editor_new(struct editor **out) MUST_CHECK;
void editor_free(struct editor *editor); /* accepts NULL; wipes */

/* So many columns from here on; less than 20 count as 20. */
void editor_width(struct editor *editor, unsigned columns);

enum editor_kind {
	EDITOR_COMMAND, /* with history and Tab */
	EDITOR_VALUE,
	EDITOR_SECRET, /* is not shown */
};

/*
 * Begin a line behind this prompt, which is copied, and gets a line of its own
 * where it is long. A command that ended with a `?` has been answered: it
 * stands there again without it.
 *
 * out  what the terminal is to show; appended
 *
 * ERR_NOMEM, ERR_LIMIT  out's
 */
enum err editor_ask(struct editor *editor, enum editor_kind kind,
    const char *prompt, struct buf *out) MUST_CHECK;

enum editor_event {
	EDITOR_MORE,     /* all was taken, the line goes on */
	EDITOR_LINE,     /* it has ended: editor_line is the whole */
	EDITOR_COMPLETE, /* Tab: editor_line is what stands before the cursor */
	EDITOR_BREAK,    /* Ctrl-C; the line is over */
	EDITOR_END,      /* Ctrl-D; likewise */
};

/*
 * Take keys off *in until something has happened. After EDITOR_LINE, _BREAK
 * and _END it takes none before the next editor_ask.
 *
 * ERR_NOMEM, ERR_LIMIT  as for editor_ask
 */
enum err editor_type(struct editor *editor, struct bytes *in, struct buf *out,
    enum editor_event *event) MUST_CHECK;

/* Borrowed until the next call. */
struct bytes editor_line(const struct editor *editor);

/* Put this in at the cursor, as if it had been typed. */
enum err editor_insert(
    struct editor *editor, struct bytes text, struct buf *out) MUST_CHECK;

/*
 * The terminal is about to show something else, and the line is not over:
 * editor_hide before that takes it away, editor_show puts it back.
 */
enum err editor_hide(struct editor *editor, struct buf *out) MUST_CHECK;
enum err editor_show(struct editor *editor, struct buf *out) MUST_CHECK;

#endif

/*
 * A session of the command line for whoever is at the other end of a stream of
 * octets: a person at a terminal, or a program that sends lines.
 *
 * It stands between a session (cli.h) and such a stream, and knows neither a
 * socket nor a thread: what the session says becomes octets to be shown, what
 * is typed becomes lines for the session. Commands may have been given
 * beforehand; then only answers are typed.
 *
 *	a terminal   what is typed is edited (editor.h), secrets are not shown,
 *		     lines end with CR LF
 *	none         one line a command or an answer; no prompts; a question is
 *		     a line of output; lines end with LF
 *
 * Where a person gives the commands, the session goes on when one has failed;
 * else it is over then.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "cli/cli.h"

struct screen;

enum { SCREEN_COMMANDS_OCTETS = 16 * 1024 };

struct screen_config {
	bool terminal;
	unsigned columns; /* of it; 0: not known */
	/* one a line, copied; given: there are some, though maybe none */
	struct bytes commands;
	bool given;
};

/* ERR_LIMIT: too many commands. ERR_NOMEM */
enum err
screen_new(const struct screen_config *config, struct screen **out) MUST_CHECK;
void screen_free(struct screen *screen); /* accepts NULL; wipes */

/* The terminal has another width now; 0: not known. */
void screen_width(struct screen *screen, unsigned columns);

enum screen_event {
	SCREEN_MORE,     /* wait for what is said or typed next */
	SCREEN_LINE,     /* screen_line is the session's: cli_input */
	SCREEN_COMPLETE, /* likewise: cli_complete */
	SCREEN_BREAK,    /* cli_break */
	SCREEN_OVER,     /* the session is over: nothing is said any more */
};

/*
 * The session has said this. What is to be shown is appended to `out`.
 *
 * ERR_NOMEM, ERR_LIMIT  out's
 */
enum err screen_say(struct screen *screen, enum cli_mark mark,
    struct bytes text, struct buf *out, enum screen_event *event) MUST_CHECK;

/*
 * Take what was typed off *in, until there is an event, or as long as it is
 * waited for: what it does not take is for later. Call it again after each
 * screen_say that gave SCREEN_MORE.
 *
 * ended  nothing is typed any more
 */
enum err screen_type(struct screen *screen, struct bytes *in, bool ended,
    struct buf *out, enum screen_event *event) MUST_CHECK;

/* Is something to be typed now? */
bool screen_waits(const struct screen *screen);

/* Borrowed until the next call. It may be a secret. */
struct bytes screen_line(const struct screen *screen);

/* 0; or 1: the last command failed, or a question was not answered. */
int screen_status(const struct screen *screen);

#endif

/*
 * A session of the command line: lines in, lines out, a dialogue in between.
 *
 * It knows no socket and no terminal. A door (console.h) gives it what was
 * typed and takes what it says, each line with a mark that tells what it is, so
 * that a terminal and a script read the same:
 *
 *	CLI_SAY     '='  a line of output
 *	CLI_PROMPT  '>'  a command is waited for; the text is the prompt
 *	CLI_VALUE   '?'  a value is waited for; the text asks for it
 *	CLI_SECRET  '*'  the same, and what is typed is not shown
 *	CLI_COMPLETE '+' an answer to cli_complete; the text goes on with what
 *	                 was typed, and may be empty
 *	CLI_END     '.'  the command has ended; the text is "0", or "1": it
 *	                 failed
 *	CLI_BYE     '!'  the session has ended
 *
 * All of it belongs to the loop's thread. What takes long (a person at the PED)
 * is waited for without stopping anything: a command is a chain of functions,
 * each called when what it waits for has come.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "cli/command.h"
#include "device/appliance.h"

struct cli;
struct hsm_session;

enum cli_mark {
	CLI_SAY = '=',
	CLI_PROMPT = '>',
	CLI_VALUE = '?',
	CLI_SECRET = '*',
	CLI_COMPLETE = '+',
	CLI_END = '.',
	CLI_BYE = '!',
};

/* How somebody comes in. */
struct cli_entry {
	/* DOOR_NONE: nobody is asked who it is, and everything is allowed */
	enum door door;
	const char *peer; /* "" at the serial console */
	/* who the door has logged in; NULL: the session asks for a name and a
	 * password itself, as the serial console does */
	const struct principal *who;
	enum admin_must must; /* ... and has to change the password first */
	/* May much be said now? It gets the ctx of cli_new. Once it has said
	 * no, the door calls cli_has_room as soon as it would say yes. NULL:
	 * always */
	bool (*room)(void *ctx);
};

/* What a command may say between two looks at the door's room for it. */
enum { CLI_SLICE_OCTETS = 64 * 1024 };

/*
 * For doors. `line` gets what the session says, borrowed until it returns; the
 * session may have ended then (CLI_BYE), and is freed by the door, later.
 */
typedef void cli_line_fn(void *ctx, enum cli_mark mark, struct bytes text);

/*
 * Says the first prompt, or asks for the name.
 *
 * appliance  borrowed for as long as the session lives
 *
 * ERR_NOMEM
 */
enum err cli_new(struct appliance *appliance, const struct cli_entry *entry,
    cli_line_fn *line, void *ctx, struct cli **out) MUST_CHECK;

/* What is under way is given up. Accepts NULL. */
void cli_free(struct cli *cli);

/* What was said has been taken: there is room again. */
void cli_has_room(struct cli *cli);

/* Is it waiting for a line? */
bool cli_waits(const struct cli *cli);
bool cli_waits_for_command(const struct cli *cli);

/*
 * A line without its end, while it waits for one. The octets may be a secret:
 * the door wipes its own.
 */
void cli_input(struct cli *cli, struct bytes line);

/*
 * Tab: how could a command that begins so go on? While it waits for one; says
 * the words that can follow (CLI_SAY) where there are several, and then
 * CLI_COMPLETE. It waits for the line as before.
 */
void cli_complete(struct cli *cli, struct bytes begun);

/*
 * Ctrl-C, while it waits for a line: a dialogue is given up, and so is a
 * login; a line that was begun is nothing to the session.
 */
void cli_break(struct cli *cli);

/* ---- for commands ---- */

struct appliance *cli_appliance(const struct cli *cli);
const struct principal *cli_principal(const struct cli *cli);
/* Those who have confirmed the command that is under way. */
const struct approvals *cli_approvals(const struct cli *cli);
/* The row of the command that is under way. */
const struct command *cli_command(const struct cli *cli);
/* What the session has at the HSM: *it is NULL at first, and its own. */
struct hsm_session **cli_hsm(struct cli *cli);
enum cli_mode cli_mode(const struct cli *cli);
void cli_set_mode(struct cli *cli, enum cli_mode mode);

/* A line of output; one that is too long or has no memory is cut. */
void cli_say(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One as long as it is, of one line. */
void cli_say_text(struct cli *cli, struct bytes text);

/* Each of these lines, likewise; the last may have no end. */
void cli_say_lines(struct cli *cli, struct bytes text);

/*
 * For a command that says more than a slice, or does more than a turn should
 * take: `then` is called in another turn, once the door has room.
 */
void cli_go_on(struct cli *cli, void (*then)(struct cli *cli));

/*
 * Ask for a value, or for a secret: `answer` gets the line, borrowed until it
 * returns.
 */
typedef void cli_answer_fn(struct cli *cli, struct bytes line);
void cli_ask(
    struct cli *cli, enum cli_mark mark, const char *text, cli_answer_fn *then);

/*
 * Zeroed memory of the command that is under way: `drop` gives it back when the
 * command ends, however that is. NULL: there is none, and the command has
 * ended.
 */
typedef void cli_drop_fn(void *state);
void *cli_keep(struct cli *cli, size_t octets, cli_drop_fn *drop) MUST_CHECK;
void *cli_state(const struct cli *cli);

/*
 * Acts that the command turns out to take beside its own: may who asks do each
 * of them, and the others whom they take? These are asked for their passwords;
 * then `then` goes on. Otherwise the command has ended.
 */
enum { CLI_ACTS_MOST = 4 };
void cli_permit(struct cli *cli, const enum act *acts, size_t count,
    void (*then)(struct cli *cli));

/*
 * Run a change that the command asks for: who asks, the act and those who have
 * confirmed it are filled in here. It ends the command, with `said` when it is
 * done ("" for nothing), or with what was wrong.
 *
 * effect  what follows in memory when it is durable, or NULL. An error is
 *         told, with change->why where that is not empty.
 */
typedef enum err cli_effect_fn(struct cli *cli, struct change *change);
void cli_change(struct cli *cli, struct change *change, cli_effect_fn *effect,
    const char *said);

/*
 * A line in the audit log about what is no struct change: something was done
 * at the HSM.
 */
void cli_audit(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * What was typed cannot be: cli_fail, and a line in the audit log that says the
 * same. req: KS-02-042
 */
void cli_refuse(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The same where a word is refused that nobody knows: it may be a password that
 * was typed in the wrong place. It is printed back, and the audit log has
 * `written` in its place.
 */
void cli_refuse_word(struct cli *cli, const char *written, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * Each command ends with one of these four. cli_fail says "Error: " and the
 * text; cli_end is cli_done, or cli_fail with the error's text.
 */
void cli_done(struct cli *cli);
void cli_fail(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_end(struct cli *cli, enum err rc);
void cli_bye(struct cli *cli);

/* The commands that were typed, oldest first. */
typedef void cli_line_each_fn(void *ctx, const char *line);
void cli_history(const struct cli *cli, cli_line_each_fn *each, void *ctx);

#endif

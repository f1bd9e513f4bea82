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
 *	CLI_END     '.'  the command has ended; the text is "0", or "1": it
 *failed CLI_BYE     '!'  the session has ended
 *
 * All of it belongs to the loop's thread. What takes long (a person at the PED)
 * is waited for without stopping anything: a command is a chain of functions,
 * each called when what it waits for has come.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "cli/command.h"

struct cli;
struct hsm_session;
struct root;

enum cli_mark {
	CLI_SAY = '=',
	CLI_PROMPT = '>',
	CLI_VALUE = '?',
	CLI_SECRET = '*',
	CLI_END = '.',
	CLI_BYE = '!',
};

/* What commands work on: borrowed for as long as any session lives. */
struct cli_config {
	const char *host_name; /* for the prompt */
	struct root *root;     /* NULL: nothing but an echo */
};

/*
 * For doors. `line` gets what the session says, borrowed until it returns; the
 * session may have ended then (CLI_BYE), and is freed by the door, later.
 */
typedef void cli_line_fn(void *ctx, enum cli_mark mark, struct bytes text);

/* Says the first prompt. ERR_NOMEM */
enum err cli_new(const struct cli_config *config, cli_line_fn *line, void *ctx,
    struct cli **out) MUST_CHECK;

/* What is under way is given up. Accepts NULL. */
void cli_free(struct cli *cli);

/* Is it waiting for a line? */
bool cli_waits(const struct cli *cli);

/*
 * A line without its end, while it waits for one. The octets may be a secret:
 * the door wipes its own.
 */
void cli_input(struct cli *cli, struct bytes line);

/* ---- for commands ---- */

const struct cli_config *cli_config(const struct cli *cli);
/* What the session has at the HSM: *it is NULL at first, and its own. */
struct hsm_session **cli_hsm(struct cli *cli);
enum cli_mode cli_mode(const struct cli *cli);
void cli_set_mode(struct cli *cli, enum cli_mode mode);

/* A line of output; one that is too long or has no memory is cut. */
void cli_say(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Ask for a value, or for a secret: `answer` gets the line, borrowed until it
 * returns.
 */
typedef void cli_answer_fn(struct cli *cli, struct bytes line);
void cli_ask(
    struct cli *cli, enum cli_mark mark, const char *text, cli_answer_fn *then);

/*
 * Each command ends with one of these three. cli_fail says "Error: " and the
 * text.
 */
void cli_done(struct cli *cli);
void cli_fail(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_bye(struct cli *cli);

#endif

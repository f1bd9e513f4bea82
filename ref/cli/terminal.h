/*
 * The other end of the console: a person's terminal, or a script.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

enum {
	TERMINAL_OK = 0,
	TERMINAL_FAILED = 1,    /* a command failed */
	TERMINAL_UNREACHED = 2, /* nobody listens there, or lets one in */
	TERMINAL_USAGE = 2,
};

#define TERMINAL_USAGE_TEXT                         \
	"touchstone-ref console DIR [--user NAME] " \
	"[--password-file FILE]\n"                  \
	"                       [--script[=FILE] | COMMAND...]"

/*
 * Speak to the console of the server in DIR, which becomes the present
 * directory, since paths of sockets are short.
 *
 * COMMAND...       put in order up to the first that fails; then the session
 *                  ends. None: commands are lines of standard input.
 * --script[=FILE]  commands, and answers to what they ask, are lines of FILE or
 *                  of standard input; what is asked is not printed
 * --user           answers who it is
 * --password-file  its lines answer what is asked for without echo, as far as
 *                  they go: the password, and the new one if it has to be
 *                  changed
 *
 * Other answers are read from standard input. Where that is a terminal, lines
 * are edited (editor.h), and secrets are not shown. Where it is none, no prompt
 * is printed, a question is a line of output, and the first command that fails
 * is the last.
 *
 * argc, argv  from DIR on
 *
 * Returns one of the above, as an exit status.
 */
int terminal_run(int argc, char **argv);

#endif

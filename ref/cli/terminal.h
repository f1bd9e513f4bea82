/*
 * The other end of the console: a person's terminal, or a script.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

enum {
	TERMINAL_OK = 0,
	TERMINAL_FAILED = 1,    /* a command failed */
	TERMINAL_UNREACHED = 2, /* nobody listens there, or it broke off */
};

/*
 * Speak to the console of the server in `dir`, which becomes the present
 * directory, since paths of sockets are short.
 *
 * lines  commands, put in order up to the first that fails; then the session
 *        ends. None: commands are read from standard input.
 *
 * Answers to questions are read from standard input, secrets without echo
 * where that is a terminal. Where it is none, no prompt is printed, a question
 * is a line of output, and the first command that fails is the last.
 *
 * Returns one of the above, as an exit status.
 */
int terminal_run(const char *dir, char *const *lines, size_t line_count);

#endif

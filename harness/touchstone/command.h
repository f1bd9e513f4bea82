/*
 * The tool's commands; command.def lists them. Each takes the words behind its
 * name, argv[0] being the name itself, and answers with the exit code.
 */
#ifndef TOUCHSTONE_COMMAND_H
#define TOUCHSTONE_COMMAND_H

/* The exit codes of all commands; see also tally_exit() in verdict.h. */
enum { EXIT_CONFORMS = 0, EXIT_DIFFERS = 1, EXIT_COULD_NOT_TELL = 2 };

#define COMMAND(word, function, arguments, text) \
	int function(int argc, char **argv);
#include "command.def"
#undef COMMAND

/* One line to standard error, "touchstone run: ..."; EXIT_COULD_NOT_TELL. */
int command_refuse(const char *word, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/* touchstone: the conformance suite's tool. */
#include "command.h"

#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
	const char *arguments, *text;
} commands[] = {
#define COMMAND(word, function, arguments, text) \
	{word, function, arguments, text},
#include "command.def"
#undef COMMAND
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void
usage(FILE *to)
{
	fputs("usage: touchstone COMMAND ...\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s %s\n      %s\n", commands[i].word,
		    commands[i].arguments, commands[i].text);
}

int
main(int argc, char **argv)
{
	/* a peer that goes is a finding, not our end */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 &&
	    (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
		usage(stdout);
		return EXIT_CONFORMS;
	}
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "touchstone: no command `%s`\n", argv[1]);
	usage(stderr);
	return EXIT_COULD_NOT_TELL;
}

/*
 * lunacm [--socket PATH]: the client tool of partitions with passwords.
 *
 *	--socket PATH  the card's administration socket; else the environment
 *	               variable LUNACM_SOCKET, else card/admin.sock
 *
 * Commands are read from standard input: `help` lists them. Exit status: 0,
 * also where commands failed, as each says so itself; 1 where the card was not
 * there at the start; 2 wrong usage.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lunacm/tool.h"

int
main(int argc, char **argv)
{
	const char *path = getenv("LUNACM_SOCKET");
	struct tool tool;
	enum err rc;

	if (argc == 3 && strcmp(argv[1], "--socket") == 0)
		path = argv[2];
	else if (argc != 1) {
		(void)fputs("usage: lunacm [--socket PATH]\n", stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	tool_init(&tool, path != NULL ? path : "card/admin.sock");
	rc = tool_run(&tool);
	tool_clear(&tool);
	if (rc == OK && fflush(stdout) != 0)
		rc = ERR_SYSTEM;
	if (rc != OK)
		(void)fprintf(stderr, "lunacm: %s\n", err_text(rc));
	return rc == OK ? 0 : 1;
}

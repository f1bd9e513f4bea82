/*
 * The serial console: a Unix socket that only the owner of the server reaches.
 *
 * Lines end with LF. From the server each begins with a mark of cli.h; to the
 * server go what is typed: a command while CLI_PROMPT was said last, an answer
 * while CLI_VALUE or CLI_SECRET was. Who sends ahead is read when the session
 * has come that far. Who closes the connection gives up what is under way.
 *
 * There is no login yet: it exists in laboratory mode only.
 */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/loop.h"
#include "cli/cli.h"

struct console;

enum {
	CONSOLE_SESSIONS_MAX = 16,
	/* what a peer may leave unread: then it is given up */
	CONSOLE_UNREAD_OCTETS = 256 * 1024,
};

/*
 * path    of the socket; what is there is replaced
 * config  borrowed
 *
 * ERR_SYSTEM  the socket cannot be made; the log says why
 */
enum err console_new(struct loop *loop, const char *path,
    const struct cli_config *config, struct console **out) MUST_CHECK;

/* Ends all sessions and removes the socket. Accepts NULL. */
void console_free(struct console *console);

#endif

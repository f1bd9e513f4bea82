/*
 * The serial console: a Unix socket that only the owner of the server reaches.
 *
 * Lines end with LF. From the server each begins with a mark of cli.h; to the
 * server go what is typed: a command while CLI_PROMPT was said last, an answer
 * while CLI_VALUE or CLI_SECRET was. A command that ends with CONSOLE_COMPLETE
 * asks how it could go on (cli_complete), and a line that is CONSOLE_BREAK
 * gives up what is being asked (cli_break). A line that is too long is refused
 * as one, when its end has come. Who sends ahead is read when the session has
 * come that far. Who closes the connection gives up what is under way.
 *
 * What is said goes out at the end of its turn, behind the commit (it is made
 * behind who commits): nobody reads of what is not yet durable, in force, and
 * in the logs.
 *
 * req: KS-02-005 KS-15-101
 */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/loop.h"
#include "cli/cli.h"

struct console;

enum {
	CONSOLE_SESSIONS_MAX = 16,
	/* what a peer may leave unread: then it is given up */
	CONSOLE_UNREAD_OCTETS = 16 * 1024 * 1024,
	CONSOLE_ROOM_OCTETS = 256 * 1024, /* ... before much more is said */
	CONSOLE_COMPLETE = 0x05,          /* ENQ */
	CONSOLE_BREAK = 0x03,             /* ETX */
};

/*
 * path       of the socket; what is there is replaced
 * appliance  borrowed; open. One that has not been initialized is, in the
 *            first session that gives the answers
 * door       DOOR_SERIAL; DOOR_NONE, for tests: nobody is asked who it is
 *
 * ERR_SYSTEM  the socket cannot be made; the log says why
 */
enum err console_new(const char *path, struct appliance *appliance,
    enum door door, struct console **out) MUST_CHECK;

/* Ends all sessions and removes the socket. Accepts NULL. */
void console_free(struct console *console);

#endif

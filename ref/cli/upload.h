/*
 * A file that is pasted into a command, as base64: as a download shows it,
 * between two lines of its own, or without them and a line "." at its end.
 */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "base/base64.h"
#include "cli/cli.h"

/* In the command's state, zeroed but for what is set. */
struct upload {
	const char *begin; /* how the lines around it begin */
	const char *end;
	/* More octets of it, borrowed. */
	enum err (*add)(struct cli *cli, struct bytes octets);
	/*
	 * OK: that was all of it. Otherwise add's error, or ERR_VALUE: it is no
	 * base64. The command goes on from here, or ends.
	 */
	void (*done)(struct cli *cli, enum err rc);
	/* its own */
	struct base64 base64;
};

/* Say what is expected, and take it. */
void upload_begin(struct cli *cli, struct upload *upload);

#endif

/*
 * What is said about a backup: its header, and its files.
 *
 * A file is shown in base 64, between two lines that have its name; some of it
 * in a turn, as the door has room for it. That is what an upload takes back
 * (cli/upload.h).
 *
 * req: KS-23-022 KS-23-088
 */
#ifndef CLI_BACKUP_SAY_H
#define CLI_BACKUP_SAY_H

#include "cli/cli.h"
#include "device/backup.h"

void backup_say_header(struct cli *cli, const struct backup_header *header);

/* In the command's state; what it points to is borrowed. */
struct backup_say {
	const struct backup_header *header;
	const int *fds;   /* of the files from `file` on */
	unsigned file;    /* the first */
	unsigned end;     /* behind the last */
	const char *name; /* for a backup of one file; "": the file's own */
	uint64_t offset;  /* in the file; 0 at first */
};

/* The next piece. Then `again` is called, which calls this; or the command has
 * ended. */
void backup_say_some(
    struct cli *cli, struct backup_say *say, void (*again)(struct cli *cli));

#endif

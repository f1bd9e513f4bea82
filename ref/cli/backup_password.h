/*
 * A backup's password, as it is chosen: the rules that all passwords of the
 * appliance have are looked at on a worker.
 *
 * req: KS-17-004 KS-17-039 KS-17-040
 */
#ifndef CLI_BACKUP_PASSWORD_H
#define CLI_BACKUP_PASSWORD_H

#include "cli/cli.h"
#include "device/login.h"

/* Embedded in the command's state, and zeroed. */
struct backup_password {
	struct new_password request;
	struct cli *cli;
	bool works;
	void (*good)(struct cli *cli);
};

/* Is it good enough? Then `good` goes on; otherwise the command has ended. */
void backup_password_judge(struct cli *cli, struct backup_password *judge,
    const struct secret *password, void (*good)(struct cli *cli));

/* When the command's state goes. */
void backup_password_leave(struct backup_password *judge);

#endif

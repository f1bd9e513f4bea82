#include "cli/backup_password.h"

static void
judged(struct new_password *request, enum err rc)
{
	struct backup_password *judge = request->ctx;
	struct cli *cli = judge->cli;

	judge->works = false;
	if (rc == OK)
		judge->good(cli);
	else
		cli_refuse(cli, "Backup Password: %s",
		    request->why[0] != '\0' ? request->why : err_text(rc));
}

void
backup_password_judge(struct cli *cli, struct backup_password *judge,
    const struct secret *password, void (*good)(struct cli *cli))
{
	enum err rc;

	*judge = (struct backup_password){
	    .request = {.user = "",
		.of_backup = true,
		.password = secret_peek(password),
		.done = judged,
		.ctx = judge},
	    .cli = cli,
	    .works = true,
	    .good = good,
	};
	rc = new_password_begin(cli_appliance(cli), &judge->request);
	if (rc != OK)
		judged(&judge->request, rc);
}

void
backup_password_leave(struct backup_password *judge)
{
	if (judge->works)
		new_password_leave(&judge->request);
}

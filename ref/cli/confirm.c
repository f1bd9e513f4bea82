/*
 * Multiple Credentials at the command line: the others are asked for their
 * names and passwords, and then the command runs.
 *
 * req: KS-18-016 KS-18-017
 */
#include "cli/session.h"

static void
confirmed(struct cli *cli, enum login_verdict verdict)
{
	struct approvals *a = &cli->approvals;

	if (verdict == LOGIN_OK && cli->login.must != ADMIN_MUST_NOT)
		verdict = LOGIN_DOOR;
	if (verdict != LOGIN_OK) {
		cli_refuse(cli, "%s",
		    verdict == LOGIN_LOCKED
			? LOGIN_LOCKED_TEXT
			: "these credentials confirm nothing");
		return;
	}
	a->by[a->count++] = cli->login.principal;
	cli_permit_now(cli);
}

void
confirm_begin(struct cli *cli)
{
	if (cli->approvals.count == APPROVALS_MOST) {
		cli_refuse(
		    cli, "it takes more administrators than can be named");
		return;
	}
	if (cli->approvals.count == 0)
		cli_say(cli,
		    "This takes the credentials of %zu more "
		    "administrator%s.",
		    cli->more, cli->more == 1 ? "" : "s");
	enter_ask(cli, "Additional administrator:", confirmed);
}

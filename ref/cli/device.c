/*
 * The commands that end what the device is doing: restart, halt, and reset to
 * factory settings.
 */
#include "device/factory.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/session.h"

struct leaving {
	struct change change;
	const char *said;
};

static void
leaving_drop(void *state)
{
	mem_free(state);
}

/* All sessions end with it, this one first: it is told how it went. */
static void
left(struct change *change, enum err rc)
{
	struct cli *cli = change->ctx;
	const struct leaving *leaving = cli_state(cli);

	cli->change = NULL;
	if (rc != OK) {
		cli_say(cli, "Error: %s", change->why);
		cli_leave(cli, true);
		return;
	}
	cli_say(cli, "%s", leaving->said);
	cli_bye(cli);
}

static void
run(struct cli *cli)
{
	struct leaving *leaving = cli_state(cli);

	leaving->change.by = cli->who;
	leaving->change.act = cli->command->act;
	leaving->change.approvals = &cli->approvals;
	leaving->change.done = left;
	leaving->change.ctx = cli;
	cli->change = &leaving->change;
	change_run(cli->appliance, cli->change);
}

/* NULL: the command has ended. */
static struct leaving *
leaving_new(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct leaving *leaving = NULL;

	if (!args_at_most(cli, args, arg_count, 0))
		return NULL;
	leaving = cli_keep(cli, sizeof(*leaving), leaving_drop);
	if (leaving == NULL)
		return NULL;
	return leaving;
}

/* Nothing is written but the audit line. */
static enum err
say_so(struct change *change)
{
	(void)snprintf(change->event, sizeof(change->event), "%s the device",
	    change->leave == LEAVE_HALT ? "Halted" : "Restarted");
	return OK;
}

/* req: KS-24-015 KS-24-017 */
void
device_restart(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct leaving *leaving = leaving_new(cli, args, arg_count);

	if (leaving == NULL)
		return;
	leaving->change.leave = LEAVE_RESTART;
	leaving->said = "The device restarts.";
	leaving->change.apply = say_so;
	cli_say(cli,
	    "Nothing may be attached to the device's keyboard, mouse and video "
	    "ports: it can make the restart hang.");
	run(cli);
}

/* req: KS-24-018 */
void
device_halt(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct leaving *leaving = leaving_new(cli, args, arg_count);

	if (leaving == NULL)
		return;
	leaving->change.leave = LEAVE_HALT;
	leaving->said = "The device halts.";
	leaving->change.apply = say_so;
	run(cli);
}

static void
approved(struct cli *cli, struct bytes line)
{
	if (bytes_equal_text(line, "yes"))
		run(cli);
	else
		cli_fail(cli, "Secondary Approval: not yes: nothing was done");
}

/* req: ESKM-149 ESKM-150 */
void
device_reset(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct leaving *leaving = leaving_new(cli, args, arg_count);

	if (leaving == NULL)
		return;
	leaving->change.leave = LEAVE_RESET;
	leaving->said =
	    "All keys and settings are erased; the device restarts.";
	leaving->change.apply = factory_apply;
	cli_say(cli,
	    "All keys, certificates, administrators, settings and logs "
	    "will be erased,");
	cli_say(cli, "and the HSM zeroized.");
	cli_ask(cli, CLI_VALUE,
	    "Secondary Approval: reset to factory settings (yes/no):",
	    approved);
}

/*
 * Restores that wait for a restart: which there are, and giving one up.
 */
#include <stdint.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "device/clock.h"
#include "device/restore.h"

struct work {
	struct change change;
	struct restore_pending pending;
};

/* ---- show ---- */

struct shown {
	struct cli *cli;
	unsigned count;
};

static enum err
show_one(void *ctx, const struct restore_pending *pending)
{
	struct shown *shown = ctx;
	struct cli *cli = shown->cli;
	char asked[CLOCK_TEXT_OCTETS];
	enum backup_item item;

	shown->count++;
	clock_text(cli_appliance(cli)->clock, pending->asked_s, asked);
	cli_say(cli, "Restore %llu", (unsigned long long)pending->number);
	cli_say(cli, "  Backup Name: %s", pending->base);
	cli_say(cli, "  Restored by: %s", pending->by);
	cli_say(cli, "  Date: %s", asked);
	for (item = 0; item < ITEM_COUNT; item++)
		if (pending->items[item])
			cli_say(cli, "  %-16s  %s", backup_item_row(item)->word,
			    backup_item_row(item)->title);
	cli_say(cli, "  %llu keys and objects, %llu records",
	    (unsigned long long)pending->objects,
	    (unsigned long long)pending->records);
	return OK;
}

/* req: KS-23-086 */
void
restore_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct shown shown = {.cli = cli};
	enum err rc;

	(void)args;
	(void)arg_count;
	rc = restore_pending_each(cli_appliance(cli)->store, show_one, &shown);
	if (rc == OK)
		cli_say(cli, "%s",
		    shown.count == 0
			? "No restored backup waits for a restart."
			: "For changes to take effect, restart the device.");
	cli_end(cli, rc);
}

/* ---- giving one up ---- */

static enum err
give_up(struct change *change)
{
	const struct work *work = cli_state(change->ctx);

	return restore_give_up(change, work->pending.number);
}

static void
permitted(struct cli *cli)
{
	struct work *work = cli_state(cli);

	work->change = (struct change){.apply = give_up};
	cli_change(cli, &work->change, NULL, "Action Completed");
}

/* NUMBER, as `show restore` has it. */
void
restore_remove(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = INT32_MAX,
	    .step = 1,
	    .zero = ""};
	enum act acts[PART_COUNT];
	struct work *work;
	int64_t number;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1) ||
	    !args_read(cli, "Restore", &rule,
		arg_count != 0 ? args[0] : BYTES_NONE, &number))
		return;
	work = cli_keep(cli, sizeof(*work), mem_free);
	if (work == NULL)
		return;
	rc = restore_pending_find(
	    cli_appliance(cli)->store, (uint64_t)number, &work->pending);
	if (rc == ERR_NOT_FOUND)
		cli_refuse(cli, "Restore: none of this number waits");
	else if (rc != OK)
		cli_end(cli, rc);
	else
		cli_permit(cli, acts,
		    restore_pending_acts(&work->pending, acts), permitted);
}

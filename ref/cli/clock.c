/*
 * The commands about date and time.
 */
#include "device/clock.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/args.h"

enum { TYPED_OCTETS = 80 };

void
clock_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct appliance *a = cli_appliance(cli);
	char text[CLOCK_TEXT_OCTETS];

	(void)args;
	(void)arg_count;
	clock_text(a->clock, env_wall_s(a->env), text);
	cli_say(cli, "%s %s", text, clock_zone(a->clock));
	cli_done(cli);
}

struct work {
	struct change change;
	char typed[TYPED_OCTETS];
};

static void
work_drop(void *state)
{
	mem_free(state);
}

/* The words, with a blank between. NULL: the command has ended. */
static struct work *
work_new(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = NULL;
	size_t used = 0;
	size_t k;

	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	for (k = 0; k < arg_count && used < sizeof(work->typed); k++)
		used += (size_t)snprintf(work->typed + used,
		    sizeof(work->typed) - used, "%s%.*s", k != 0 ? " " : "",
		    (int)args[k].octets, (const char *)args[k].at);
	return work;
}

/* req: KS-07-011 KS-07-021 */
static enum err
set(struct change *change)
{
	struct appliance *a = change->appliance;
	struct work *work = cli_state(change->ctx);
	struct bytes typed = bytes_of_text(work->typed);
	int64_t wall_s;
	enum err rc = OK;

	if (setting_number(a->settings, SETTING_NTP) != 0) {
		(void)snprintf(change->why, sizeof(change->why),
		    "Date and Time: not while NTP is enabled");
		TRY(ERR_FIELD);
	}
	if (clock_read(a->clock, typed, &wall_s) != OK) {
		entry_refuse("Date and Time", typed,
		    "yyyy-mm-dd hh:mm:ss, a time that there is", change->why);
		TRY(ERR_FIELD);
	}
	TRY(clock_keep(a->clock, wall_s, change->why));
	(void)snprintf(change->event, sizeof(change->event),
	    "set date and time: %s", work->typed);
out:
	return rc;
}

/* req: KS-07-009 KS-18-040 */
void
clock_set(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 2))
		return;
	work = work_new(cli, args, arg_count);
	if (work == NULL)
		return;
	work->change.apply = set;
	cli_change(cli, &work->change, NULL, "");
}

static enum err
set_zone(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	(void)snprintf(
	    change->event, sizeof(change->event), "time zone: %s", work->typed);
	return clock_keep_zone(
	    change->appliance->clock, bytes_of_text(work->typed), change->why);
}

/* req: KS-07-022 */
void
clock_set_zone(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_new(cli, args, arg_count);
	if (work == NULL)
		return;
	work->change.apply = set_zone;
	cli_change(cli, &work->change, NULL, "");
}

/*
 * The commands about services.
 */
#include "device/service.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/args.h"

/* req: KS-24-002 KS-24-003 KS-24-004 KS-24-005 KS-24-011 KS-24-012 */
void
service_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct services *services = cli_appliance(cli)->services;
	enum service k;

	(void)args;
	(void)arg_count;
	cli_say(cli, "  %-12s  %-20s  %-15s  %s", "Service", "", "Status",
	    "Startup");
	for (k = 0; k < SERVICE_COUNT; k++)
		cli_say(cli, "  %-12s  %-20s  %-15s  %s", service_row(k)->word,
		    service_row(k)->name,
		    service_status_text(service_status(services, k)),
		    service_startup(services, k) ? "Enabled" : "Disabled");
	cli_done(cli);
}

struct work {
	struct change change;
	enum service service;
	bool startup;
	enum err (*act)(struct services *services, enum service service);
};

static void
work_drop(void *state)
{
	mem_free(state);
}

/* NULL: the command has ended. */
static struct work *
work_new(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct work *work = NULL;
	char text[ENTRY_WHY_OCTETS];

	if (arg_count == 0) {
		cli_refuse(cli, "Service: it is missing");
		return NULL;
	}
	work = cli_keep(cli, sizeof(*work), work_drop);
	if (work == NULL)
		return NULL;
	if (service_find(args[0], &work->service))
		return work;
	entry_refuse("Service", args[0],
	    "there is none of this name; see show services", text);
	cli_refuse(cli, "%s", text);
	return NULL;
}

/* ---- start, stop, restart ---- */

/* Nothing is written but the audit line. */
static enum err
say_so(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event), "%s: %s",
	    cli_command(change->ctx)->words, service_row(work->service)->name);
	return OK;
}

static enum err
act(struct cli *cli, struct change *change)
{
	struct work *work = cli_state(cli);
	struct services *services = cli_appliance(cli)->services;
	const struct service_row *row = service_row(work->service);
	enum err rc = work->act(services, work->service);

	if (rc == ERR_FEATURE)
		(void)snprintf(change->why, sizeof(change->why),
		    "%s is not available on this device yet", row->name);
	else if (rc == ERR_FIELD)
		(void)snprintf(change->why, sizeof(change->why), "%s: it is %s",
		    row->name,
		    service_status_text(
			service_status(services, work->service)));
	else if (rc != OK)
		(void)snprintf(change->why, sizeof(change->why),
		    "%s cannot be started: %s", row->name, err_text(rc));
	else
		cli_say(cli, "%s: %s", row->name,
		    service_status_text(
			service_status(services, work->service)));
	return rc;
}

static void
run(struct cli *cli, const struct bytes *args, size_t arg_count,
    enum err (*how)(struct services *services, enum service service))
{
	struct work *work;

	if (!args_at_most(cli, args, arg_count, 1))
		return;
	work = work_new(cli, args, arg_count);
	if (work == NULL)
		return;
	work->act = how;
	work->change.apply = say_so;
	cli_change(cli, &work->change, act, "");
}

/* req: KS-24-008 */
void
service_run_start(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run(cli, args, arg_count, service_start);
}

/* req: KS-24-009 */
void
service_run_stop(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run(cli, args, arg_count, service_stop);
}

/* req: KS-24-010 */
void
service_run_restart(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	run(cli, args, arg_count, service_restart);
}

/* ---- startup ---- */

static enum err
keep_startup(struct change *change)
{
	struct work *work = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event), "%s startup: %s",
	    service_row(work->service)->name,
	    work->startup ? "Enabled" : "Disabled");
	return service_keep_startup(
	    change->appliance->services, work->service, work->startup);
}

/* req: KS-15-096 KS-24-013 KS-24-014 */
void
service_set_startup(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {
	    .type = ENTRY_CHOICE, .choices = "disabled|enabled"};
	struct work *work;
	int64_t number;

	if (!args_at_most(cli, args, arg_count, 2))
		return;
	work = work_new(cli, args, arg_count);
	if (work == NULL || !args_read(cli, "Startup", &rule,
				arg_count == 2 ? args[1] : BYTES_NONE, &number))
		return;
	work->startup = number != 0;
	work->change.apply = keep_startup;
	cli_change(cli, &work->change, NULL, "");
}

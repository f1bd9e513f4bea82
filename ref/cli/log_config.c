/*
 * All logs and what is configured of them, on one page; each of them is a
 * section of settings (`show log rotation LOG`, `edit log rotation LOG`).
 */
#include <stdio.h>

#include "cli/args.h"
#include "device/logs.h"

static const char *
shown(struct cli *cli, enum log_type type, enum logs_field field)
{
	return setting_shown(
	    cli_appliance(cli)->settings, logs_setting(type, field));
}

static void
show_rotation(struct cli *cli, enum log_type type)
{
	const struct appliance *appliance = cli_appliance(cli);
	int64_t due_s = logs_next_rotation_s(appliance, type);
	char next[CLOCK_TEXT_OCTETS] = "-";

	if (due_s != INT64_MAX)
		clock_text(appliance->clock, due_s, next);
	cli_say(cli, "  %-12s  %-8s  %-7s  %-20s  %-8s  %-9s  %s",
	    log_row(type)->title, shown(cli, type, LOGS_SCHEDULE),
	    shown(cli, type, LOGS_TIME), next, shown(cli, type, LOGS_ARCHIVES),
	    shown(cli, type, LOGS_SIZE_MB), shown(cli, type, LOGS_DESTINATION));
}

static void
show_rest(struct cli *cli, enum log_type type)
{
	cli_say(cli, "  %-12s  %-6s  %-8s  %-8s  %s", log_row(type)->title,
	    shown(cli, type, LOGS_SYSLOG), shown(cli, type, LOGS_FACILITY),
	    shown(cli, type, LOGS_SIGN), shown(cli, type, LOGS_FORM));
}

/* req: KS-20-080 KS-20-081 KS-20-085 KS-20-087 KS-20-089 KS-20-091 KS-20-096
 * req: KS-20-102 */
void
log_config_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	enum log_type type;

	(void)args;
	(void)arg_count;
	cli_say(cli, "Rotation Schedule");
	cli_say(cli, "  %-12s  %-8s  %-7s  %-20s  %-8s  %-9s  %s", "Log",
	    "Schedule", "Time", "Next Rotation", "Archived", "Size (MB)",
	    "Transfer Destination");
	for (type = 0; type < LOG_TYPE_COUNT; type++)
		show_rotation(cli, type);
	cli_say(cli, "Syslog and Log Settings");
	cli_say(cli, "  %-12s  %-6s  %-8s  %-8s  %s", "Log", "Syslog",
	    "Facility", "Sign Log", "Form");
	for (type = 0; type < LOG_TYPE_COUNT; type++)
		show_rest(cli, type);
	cli_done(cli);
}

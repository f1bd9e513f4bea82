/*
 * The commands of the command line itself.
 */
#include <string.h>

#include "base/version.h"
#include "cli/cli.h"

/* req: KS-05-036 */
void
shell_config(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	cli_set_mode(cli, CLI_CONFIG);
	cli_done(cli);
}

void
shell_exit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	if (cli_mode(cli) == CLI_PLAIN) {
		cli_bye(cli);
		return;
	}
	cli_set_mode(cli, CLI_PLAIN);
	cli_done(cli);
}

/* Does the row begin with these words, each as far as it was typed? */
static bool
row_begins(const struct command *row, const struct bytes *word, size_t count)
{
	const char *at = row->words;

	while (count-- != 0) {
		size_t octets = strcspn(at, " ");

		if (word->octets > octets ||
		    memcmp(at, word->at, word->octets) != 0)
			return false;
		at += octets;
		at += *at == ' ';
		word++;
	}
	return true;
}

/* Commands of both modes: what is in the other one is worth finding too. */
void
shell_help(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct command *row;
	bool any = false;
	size_t k;

	for (k = 0; (row = command_row(k)) != NULL; k++) {
		if (!row_begins(row, args, arg_count))
			continue;
		cli_say(cli, "  %-32s  %s%s", row->words, row->help,
		    row->mode == CLI_CONFIG ? " (config)" : "");
		any = true;
	}
	if (any)
		cli_done(cli);
	else
		cli_fail(cli, "no command begins so");
}

/* ---- history ---- */

struct listing {
	struct cli *cli;
	unsigned number;
};

static void
say_line(void *ctx, const char *line)
{
	struct listing *listing = ctx;

	cli_say(listing->cli, "  %3u  %s", ++listing->number, line);
}

void
shell_history(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct listing listing = {.cli = cli};

	(void)args;
	(void)arg_count;
	cli_history(cli, say_line, &listing);
	cli_done(cli);
}

/* ---- what this is ---- */

void
shell_show_version(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	(void)args;
	(void)arg_count;
	cli_say(cli, "Touchstone " VERSION);
	cli_done(cli);
}

void
shell_show_device(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct appliance *a = cli_appliance(cli);
	char text[CLOCK_TEXT_OCTETS];

	(void)args;
	(void)arg_count;
	clock_text(a->clock, env_wall_s(a->env), text);
	cli_say(
	    cli, "Hostname: %s", setting_shown(a->settings, SETTING_HOST_NAME));
	cli_say(cli, "Software Version: " VERSION);
	cli_say(cli, "Personality: %s",
	    setting_shown(a->settings, SETTING_PERSONALITY));
	cli_say(cli, "HSM: %s",
	    a->root != NULL && root_config(a->root)->card != NULL ? "yes"
								  : "no");
	cli_say(cli, "Date and Time: %s %s", text, clock_zone(a->clock));
	cli_done(cli);
}

/*
 * The commands of the command line itself.
 */
#include <string.h>

#include "cli/cli.h"
#include "device/software.h"

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
	char version[PACKAGE_VERSION_OCTETS + 1];

	(void)args;
	(void)arg_count;
	software_version(cli_appliance(cli), version);
	cli_say(cli, "Touchstone %s", version);
	cli_done(cli);
}

/*
 * The command about the license. It is installed as software is
 * (cli/upgrade.c), and nothing edits it. req: KS-25-013
 */
#include "device/licence.h"

#include <inttypes.h>

#include "cli/cli.h"
#include "device/clients.h"
#include "device/clock.h"

static void
say_time(struct cli *cli, const char *what, int64_t wall_s)
{
	char text[CLOCK_TEXT_OCTETS];

	clock_text(cli_appliance(cli)->clock, wall_s, text);
	cli_say(cli, "  %s: %s", what, text);
}

static void
say_places(struct cli *cli, const struct clients *clients)
{
	size_t count = clients_count(clients);
	size_t most = clients_most(clients);

	cli_say(cli, "  Licensed Clients: %zu", most);
	cli_say(cli, "  Clients Connected: %zu", count);
	cli_say(
	    cli, "  Licenses Available: %zu", count < most ? most - count : 0);
}

/* req: KS-25-012 */
void
licence_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct appliance *appliance = cli_appliance(cli);
	struct licence licence;
	enum err rc;

	(void)args;
	(void)arg_count;
	rc = licence_read(appliance->store, &licence);
	if (rc != OK && rc != ERR_NOT_FOUND) {
		cli_fail(cli, "%s", err_text(rc));
		return;
	}
	cli_say(cli, "License Information");
	if (rc == ERR_NOT_FOUND)
		cli_say(cli, "  No license is installed: clients are refused.");
	say_places(cli, appliance->clients);
	if (rc == OK) {
		say_time(cli, "Issued", licence.made_s);
		say_time(cli, "Installed", licence.installed_s);
	}
	if (*licence.notes != '\0')
		cli_say(cli, "  Notes: %s", licence.notes);
	cli_done(cli);
}

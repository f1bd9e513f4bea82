/*
 * The commands about the health of the hardware.
 */
#include "device/hardware.h"

#include <string.h>

#include "cli/cli.h"

static void
warn(struct cli *cli, const char *warning)
{
	if (warning != NULL)
		cli_say(cli, "  Warning: %s", warning);
}

/* One of a kind has no number. req: KS-26-010 */
static void
say_supplies(struct cli *cli, const struct hardware *hw)
{
	unsigned count = hardware_supplies(hw);
	unsigned n;

	cli_say(cli, "Power Supply Status");
	for (n = 0; n < count; n++) {
		if (count == 1)
			cli_say(cli, "  Power Supply: %s",
			    hardware_supply_status(hw, n));
		else
			cli_say(cli, "  Power Supply %u: %s", n + 1,
			    hardware_supply_status(hw, n));
		warn(cli, hardware_supply_warning(hw, n));
	}
}

/* req: KS-26-001 KS-26-003 KS-26-011 KS-26-017 KS-26-018 KS-26-019 */
void
health_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	const struct hardware *hw = cli_appliance(cli)->hardware;

	(void)args;
	(void)arg_count;
	if (hw != NULL) {
		say_supplies(cli, hw);
		cli_say(cli, "Cooling Fan Status");
		cli_say(cli, "  Fan Status: %s", hardware_fan_status(hw));
		warn(cli, hardware_fan_warning(hw));
	}
	cli_done(cli);
}

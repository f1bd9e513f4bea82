/*
 * The console of an appliance without anything in it: what anybody types there
 * is answered or hung up on, and the next one gets a prompt.
 */
#include "cli/console.h"

#include "base/visit_test.h"

static struct rig rig;
static char path[] = "/dev/shm/console.XXXXXX/console.sock";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
set_up(void)
{
	char *end = strrchr(path, '/');

	*end = '\0';
	visit_must(mkdtemp(path) != NULL);
	*end = '/';
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const struct cli_config config = {.host_name = "DemoBox"};
	struct console *console = NULL;

	if (rig.loop == NULL)
		set_up();
	visit_must(console_new(rig.loop, path, &config, &console) == OK);
	visit(&rig, path, (struct bytes){data, octets});
	visit(&rig, path, bytes_of_text("\n"));
	console_free(console);
	return 0;
}

/*
 * The console of an appliance that has an administrator, whose password nobody
 * knows: what anybody types there is answered or hung up on, and the next one
 * is asked who it is.
 */
#include "cli/console.h"

#include <sys/stat.h>

#include "base/visit_test.h"
#include "crypto/ossl.h"

static struct rig rig;
static struct appliance appliance;
static struct loop_task commit;
static char dir[] = "/dev/shm/console.XXXXXX";
static char path[sizeof(dir) + 16];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
end_of_turn(void *ctx)
{
	(void)ctx;
	visit_must(store_commit(appliance.store) == OK);
}

static void
set_up(void)
{
	static const struct store_options options = {.lab = true};
	static char nothing[] = "";
	struct admin admin = {.name = "admin",
	    .full_name = nothing,
	    .description = nothing,
	    .high = true};
	const char *why;

	visit_must(ossl_init() == OK);
	visit_must(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/console.sock", dir);
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
	appliance.env = rig.env;
	appliance.loop = rig.loop;
	appliance.password_iterations = 1;
	visit_must(store_open(dir, rig.env, &options, &appliance.store) == OK);
	visit_must(loop_pool_new(
		       rig.loop, "passwords", 1, &appliance.passwords) == OK);
	visit_must(appliance_open(&appliance) == OK);
	visit_must(password_hash(rig.env, 1, bytes_of_text("unknown"),
		       &admin.password) == OK);
	visit_must(admin_write(appliance.store, &admin, &why) == OK);
	commit = (struct loop_task){.fn = end_of_turn};
	loop_each_turn(rig.loop, &commit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct console *console = NULL;

	if (rig.loop == NULL)
		set_up();
	visit_must(console_new(path, &appliance, DOOR_SERIAL, &console) == OK);
	visit(&rig, path, (struct bytes){data, octets});
	visit(&rig, path, bytes_of_text("\n"));
	console_free(console);
	return 0;
}

/*
 * A whole session: somebody who is logged in types lines, asks with Tab and
 * gives up, in every order. What a line did is there for the next one; each
 * input begins with an appliance of two administrators and nothing else.
 */
#include "cli/cli.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/visit_test.h"
#include "cli/console.h"
#include "crypto/ossl.h"

enum { TURNS_MOST = 1000, INPUT_OCTETS = 4096 };

struct desk {
	struct rig rig;
	struct appliance appliance;
	struct loop_task commit;
	char dir[64];
	char vault[80];
	struct cli *cli;
	bool left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
end_of_turn(void *ctx)
{
	struct desk *desk = ctx;

	visit_must(store_commit(desk->appliance.store) == OK);
}

static void
account(struct desk *desk, const char *name)
{
	static char nothing[] = "";
	struct admin admin = {.full_name = nothing,
	    .description = nothing,
	    .high = true,
	    .controls = CONTROLS_ALL};
	const char *why;

	(void)snprintf(admin.name, sizeof(admin.name), "%s", name);
	visit_must(password_hash(desk->rig.env, 1, bytes_of_text("p"),
		       &admin.password) == OK);
	visit_must(admin_write(desk->appliance.store, &admin, &why) == OK);
}

static void
make(struct desk *desk)
{
	static const struct store_options options = {.lab = true};
	struct appliance *appliance = &desk->appliance;

	(void)snprintf(desk->dir, sizeof(desk->dir), "/dev/shm/cli.XXXXXX");
	visit_must(mkdtemp(desk->dir) != NULL);
	visit_must(rig_init(&desk->rig) == OK);
	appliance->env = desk->rig.env;
	appliance->loop = desk->rig.loop;
	(void)snprintf(
	    desk->vault, sizeof(desk->vault), "%s/vault.key", desk->dir);
	appliance->vault = desk->vault;
	appliance->password_iterations = 1;
	visit_must(store_open(desk->dir, desk->rig.env, &options,
		       &appliance->store) == OK);
	visit_must(loop_pool_new(desk->rig.loop, "passwords", 1,
		       &appliance->passwords) == OK);
	visit_must(appliance_open(appliance) == OK);
	account(desk, "alice");
	account(desk, "bob");
	desk->commit = (struct loop_task){.fn = end_of_turn, .ctx = desk};
	loop_each_turn(desk->rig.loop, &desk->commit);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
unmake(struct desk *desk)
{
	cli_free(desk->cli);
	loop_end_jobs(desk->rig.loop);
	appliance_close(&desk->appliance);
	store_close(desk->appliance.store);
	loop_task_cancel(&desk->commit);
	rig_clear(&desk->rig);
	visit_must(nftw(desk->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* No line of output can be taken for two. */
static void
hears(void *ctx, enum cli_mark mark, struct bytes text)
{
	struct desk *desk = ctx;

	visit_must(!desk->left);
	visit_must(
	    text.octets == 0 || memchr(text.at, '\n', text.octets) == NULL);
	desk->left = mark == CLI_BYE;
	if (mark != CLI_SAY && mark != CLI_END)
		loop_stop(desk->rig.loop);
}

static void
type(struct desk *desk, struct bytes line)
{
	uint8_t last = line.octets != 0 ? line.at[line.octets - 1] : 0;
	unsigned turns = 0;

	if (last == CONSOLE_BREAK)
		cli_break(desk->cli);
	else if (last == CONSOLE_COMPLETE && cli_waits_for_command(desk->cli))
		cli_complete(
		    desk->cli, (struct bytes){line.at, line.octets - 1});
	else
		cli_input(desk->cli, line);
	/* only a worker's end wakes the loop: the rest has been put in its way
	 */
	while (!desk->left && !cli_waits(desk->cli)) {
		visit_must(turns++ < TURNS_MOST);
		if (loop_jobs(desk->rig.loop) != 0)
			visit_must(loop_run(desk->rig.loop) == OK);
		else
			visit_must(rig_turns(&desk->rig, 1) == OK);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const struct principal who = {
	    .name = "alice", .door = DOOR_SERIAL};
	static const struct cli_entry entry = {
	    .door = DOOR_SERIAL, .peer = "", .who = &who};
	struct desk desk = {.left = false};
	struct bytes in = {data, octets};

	if (octets > INPUT_OCTETS)
		return 0;
	visit_must(ossl_init() == OK);
	make(&desk);
	visit_must(
	    cli_new(&desk.appliance, &entry, hears, &desk, &desk.cli) == OK);
	while (!desk.left && in.octets != 0) {
		const uint8_t *end = memchr(in.at, '\n', in.octets);
		struct bytes line = in;

		if (end != NULL)
			line.octets = (size_t)(end - in.at);
		type(&desk, line);
		in.at += line.octets + (end != NULL);
		in.octets -= line.octets + (end != NULL);
	}
	unmake(&desk);
	return 0;
}

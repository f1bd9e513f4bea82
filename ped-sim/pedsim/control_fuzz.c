/*
 * The PED's control socket: what a hand says there is answered or hung up on.
 * It works in a folder with two iKeys in it, one that is none.
 */
#include "pedsim/control.h"

#include <fcntl.h>

#include "base/visit_test.h"
#include "ikey/ikey.h"

static struct rig rig;
static struct control *control;
static int home_fd, keys_fd; /* folders: the fuzzer's, the iKeys' */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
shown(void *ctx)
{
	(void)ctx;
	if (control != NULL)
		control_shown(control);
}

static void
line(void *ctx, enum ped_line line)
{
	(void)ctx;
	(void)line;
}

static void
drop(void *ctx)
{
	(void)ctx;
}

static void
no_card(void *ctx, struct bytes octets)
{
	(void)ctx;
	(void)octets;
}

static void
put_file(const char *name, struct bytes octets)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	visit_must(fd >= 0 && write(fd, octets.at, octets.octets) ==
				  (ssize_t)octets.octets);
	close(fd);
}

static void
set_up(void)
{
	char dir[] = "/dev/shm/hand.XXXXXX";

	visit_must(mkdtemp(dir) != NULL);
	home_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	keys_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
}

/* As they were, whatever was done to them. */
static void
put_keys(void)
{
	uint8_t image[IKEY_OCTETS];
	struct ikey key;

	visit_must(
	    ikey_blank(rig.env, &key) == OK && ikey_write(&key, image) == OK);
	put_file("k", (struct bytes){image, sizeof(image)});
	put_file("x", bytes_of_text("x"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct ped_config config = {
	    .shown = shown, .line = line, .drop = drop, .send = no_card};
	struct ped *ped = NULL;

	if (rig.loop == NULL)
		set_up();
	visit_must(fchdir(keys_fd) == 0);
	put_keys();
	config.env = rig.env;
	config.loop = rig.loop;
	visit_must(ped_new(&config, &ped) == OK);
	visit_must(control_new(rig.loop, ped, "ctl.sock", &control) == OK);
	ped_power_on(ped);
	visit(&rig, "ctl.sock", (struct bytes){data, octets});
	visit(&rig, "ctl.sock", bytes_of_text("watch\nscreen\n"));
	control_free(control);
	control = NULL;
	ped_free(ped);
	visit_must(fchdir(home_fd) == 0);
	return 0;
}

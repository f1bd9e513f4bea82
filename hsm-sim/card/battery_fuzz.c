/*
 * A battery's file that holds anything, its check right: what it is said to
 * hold can be asked for, and is let go of.
 */
#include "card/battery.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "card/seal.h"

enum { FILE_OCTETS = 160, AT_FLAGS = 12, AT_CHECK = 116 };

static struct env *env;
static int dir_fd;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
set_up(void)
{
	char dir[] = "/dev/shm/battery.XXXXXX";

	must(env_new(&env) == OK && mkdtemp(dir) != NULL);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir_fd >= 0);
}

static void
put_file(const uint8_t *at, size_t octets)
{
	int fd = openat(dir_fd, "card.batt",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd >= 0 && write(fd, at, octets) == (ssize_t)octets);
	close(fd);
}

static void
try_it(void)
{
	static const uint8_t half[SEAL_KEY_OCTETS] = {7};
	struct steps steps = {0};
	struct battery *b = NULL;
	struct secret *key = NULL;
	int64_t age_ms;
	bool stopped;

	must(battery_new(env, dir_fd, &steps, &b) == OK);
	if (battery_holds(b, &stopped, &age_ms))
		must(battery_open(b, (struct bytes){half, sizeof(half)},
			 &key) != ERR_NOT_FOUND);
	secret_free(key);
	battery_beat(b);
	must(battery_stop(b) == OK && battery_drop(b) == OK);
	must(!battery_holds(b, &stopped, &age_ms));
	battery_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	uint8_t image[FILE_OCTETS] = "TSBATT1\n\0\1\0\1";

	if (env == NULL)
		set_up();
	put_file(data, octets);
	try_it();
	if (octets > FILE_OCTETS - AT_FLAGS)
		octets = FILE_OCTETS - AT_FLAGS;
	if (octets != 0)
		memcpy(image + AT_FLAGS, data, octets);
	must(seal_check((struct bytes){image, AT_CHECK}, image + AT_CHECK) ==
	     OK);
	put_file(image, sizeof(image));
	try_it();
	return 0;
}

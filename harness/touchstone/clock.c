#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct clock_file) == 64, "a format, not a detail");

enum err
clock_open(const char *path, const struct clock_file **out, struct fault *f)
{
	const struct clock_file *clock = MAP_FAILED;
	struct stat st;
	enum err rc = OK;
	int fd = -1;

	*out = NULL;
	if (path == NULL)
		goto out;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		TRY(fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno)));
	if (st.st_size != (off_t)sizeof(*clock))
		TRY(fault_say(f, ERR_SYNTAX, "%s is not a clock", path));
	clock = mmap(NULL, sizeof(*clock), PROT_READ, MAP_SHARED, fd, 0);
	if (clock == MAP_FAILED)
		TRY(fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno)));
	if (memcmp(clock->magic, CLOCK_MAGIC, sizeof(clock->magic)) != 0) {
		clock_close(clock);
		TRY(fault_say(f, ERR_SYNTAX, "%s is not a clock", path));
	}
	*out = clock;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

void
clock_close(const struct clock_file *clock)
{
	if (clock != NULL)
		munmap((void *)(uintptr_t)clock, sizeof(*clock));
}

int64_t
clock_now(const struct clock_file *clock)
{
	if (clock == NULL)
		return time(NULL);
	return (__atomic_load_n(&clock->elapsed_ms, __ATOMIC_ACQUIRE) +
		   __atomic_load_n(&clock->wall_offset_ms, __ATOMIC_ACQUIRE)) /
	       1000;
}

#include "base/erase.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { BLOCK_OCTETS = 65536, DESCRIPTORS = 8 };

static bool
zero(int fd, off_t left)
{
	static const uint8_t zeros[BLOCK_OCTETS];

	while (left > 0) {
		size_t want = left < BLOCK_OCTETS ? (size_t)left : BLOCK_OCTETS;
		ssize_t put = write(fd, zeros, want);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		left -= put;
	}
	return fsync(fd) == 0;
}

static bool
overwrite(const char *path, off_t octets)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool done = fd >= 0 && zero(fd, octets);

	if (fd >= 0)
		close(fd);
	return done;
}

/* nftw has no context: 0 goes on, and a failure is told by what is left. */
static int
one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)kind;
	(void)at;
	/* what cannot be overwritten is removed all the same */
	if (S_ISREG(st->st_mode) && !overwrite(path, st->st_size))
		log_line("base", LOG_WARN, "%s is not overwritten: %s", path,
		    strerror(errno));
	if (remove(path) != 0)
		log_line("base", LOG_ERROR, "%s is not removed: %s", path,
		    strerror(errno));
	return 0;
}

enum err
erase_path(const char *path)
{
	struct stat st;

	(void)nftw(path, one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	return lstat(path, &st) != 0 && errno == ENOENT ? OK : ERR_SYSTEM;
}

enum err
erase_in(const char *dir, const char *name)
{
	char *path = NULL;
	enum err rc = OK;

	TRY(mem_printf(&path, "%s/%s", dir, name));
	TRY(erase_path(path));
out:
	mem_free(path);
	return rc;
}

enum err
erase_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (!done)
		log_line("base", LOG_ERROR, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return done ? OK : ERR_SYSTEM;
}

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum err
file_nameless(const char *folder, int *fd)
{
	char *path = NULL;
	enum err rc = OK;

	*fd = -1;
	TRY(mem_printf(&path, "%s/.nameless-XXXXXX", folder));
	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		TRY(ERR_SYSTEM);
	(void)unlink(path);
out:
	mem_free(path);
	return rc;
}

/* What a call that was to write did: *octets keeps the rest. */
static enum err
wrote(ssize_t done, struct bytes *octets)
{
	struct bytes head;

	if (done > 0)
		return bytes_split(octets, (size_t)done, &head);
	if (done < 0 && errno == EINTR)
		return OK;
	return done == 0 || errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL
							       : ERR_SYSTEM;
}

enum err
file_write(int fd, struct bytes octets)
{
	enum err rc = OK;

	while (octets.octets != 0)
		TRY(wrote(write(fd, octets.at, octets.octets), &octets));
out:
	return rc;
}

enum err
file_write_at(int fd, struct bytes octets, uint64_t place)
{
	uint64_t end = place + octets.octets;
	enum err rc = OK;

	while (octets.octets != 0)
		TRY(wrote(pwrite(fd, octets.at, octets.octets,
			      (off_t)(end - octets.octets)),
		    &octets));
out:
	return rc;
}

enum err
file_read_at(int fd, uint8_t *at, size_t octets, uint64_t place)
{
	while (octets != 0) {
		ssize_t done = pread(fd, at, octets, (off_t)place);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return ERR_SYSTEM;
		if (done == 0)
			return ERR_TRUNCATED;
		at += done;
		octets -= (size_t)done;
		place += (uint64_t)done;
	}
	return OK;
}

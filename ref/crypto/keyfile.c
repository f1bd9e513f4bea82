#include "crypto/keyfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

static enum err
system_err(const char *what, const char *path, enum err rc)
{
	log_line("crypto", LOG_ERROR, "%s %s: %s", what, path, strerror(errno));
	return rc;
}

enum err
keyfile_put(const char *path, struct bytes content)
{
	char draft[KEYFILE_PATH_OCTETS + 4];
	int fd = -1;
	enum err rc = OK;

	assert(path != NULL);
	(void)snprintf(draft, sizeof(draft), "%s.new", path);
	fd = open(
	    draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || file_write(fd, content) != OK || fsync(fd) != 0 ||
	    rename(draft, path) != 0)
		TRY(system_err("cannot write", path, ERR_SYSTEM));
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

enum err
keyfile_read(const char *path, size_t max_octets, struct secret **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct secret *room = NULL;
	struct stat st;
	ssize_t got;
	enum err rc = OK;

	*out = NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		TRY(system_err("cannot open", path, ERR_CONFIG));
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		log_line("crypto", LOG_ERROR, "%s: others may read it", path);
		TRY(ERR_CONFIG);
	}
	/* one more than it may have, to see that there is no more */
	TRY(secret_new(max_octets + 1, &room));
	got = read(fd, secret_fill(room), max_octets + 1);
	if (got <= 0 || (size_t)got > max_octets) {
		log_line("crypto", LOG_ERROR, "%s: 1 to %zu octets are wanted",
		    path, max_octets);
		TRY(ERR_CONFIG);
	}
	TRY(secret_copy(
	    (struct bytes){secret_peek(room).at, (size_t)got}, out));
out:
	secret_free(room);
	if (fd >= 0)
		close(fd);
	return rc;
}

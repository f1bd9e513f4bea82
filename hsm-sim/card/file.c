#include "card/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { NAME_OCTETS = 256 };

void
steps_pass(struct steps *steps)
{
	steps->passed++;
	if (steps->left != 0 && --steps->left == 0)
		(void)raise(SIGKILL);
}

static enum err
system_err(const char *what, const char *name)
{
	log_line(
	    "card", LOG_ERROR, "cannot %s %s: %s", what, name, strerror(errno));
	return ERR_SYSTEM;
}

enum err
file_put(
    int dir_fd, const char *name, struct bytes content, struct steps *steps)
{
	struct bytes rest = content;
	struct bytes half;
	char draft[NAME_OCTETS];
	int fd = -1;
	enum err rc = OK;

	TRY(bytes_split(&rest, content.octets / 2, &half));
	(void)snprintf(draft, sizeof(draft), "%s.new", name);
	steps_pass(steps);
	fd = openat(dir_fd, draft,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || file_write(fd, half) != OK)
		TRY(system_err("write", draft));
	steps_pass(steps);
	if (file_write(fd, rest) != OK)
		TRY(system_err("write", draft));
	steps_pass(steps);
	if (fsync(fd) != 0)
		TRY(system_err("sync", draft));
	steps_pass(steps);
	if (renameat(dir_fd, draft, dir_fd, name) != 0)
		TRY(system_err("rename", draft));
	steps_pass(steps);
	if (fsync(dir_fd) != 0)
		TRY(system_err("sync the folder of", name));
	steps_pass(steps);
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

enum err
file_get(int dir_fd, const char *name, struct buf *out)
{
	uint8_t *tail;
	struct stat st;
	ssize_t got = 0;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err rc = OK;

	if (fd < 0 && errno == ENOENT)
		return ERR_NOT_FOUND;
	if (fd < 0 || fstat(fd, &st) != 0)
		TRY(system_err("open", name));
	/* One more than it has, to see its end. */
	TRY(buf_reserve(out, (size_t)st.st_size + 1, &tail));
	got = read(fd, tail, (size_t)st.st_size + 1);
	if (got != st.st_size)
		TRY(system_err("read", name));
	buf_added(out, (size_t)got);
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Each file of a folder that has no folders. */
static enum err
each_file(int dir_fd, const char *name,
    enum err (*act)(int fd, const char *file, struct steps *steps),
    struct steps *steps)
{
	int fd = openat(
	    dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	enum err rc = OK;

	if (dir == NULL)
		TRY(system_err("open", name));
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			TRY(act(fd, entry->d_name, steps));
	}
	if (fsync(fd) != 0)
		TRY(system_err("sync", name));
out:
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return rc;
}

static enum err
sync_one(int dir_fd, const char *name, struct steps *steps)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err rc = OK;

	(void)steps;
	if (fd < 0 || fsync(fd) != 0)
		rc = system_err("sync", name);
	if (fd >= 0)
		close(fd);
	return rc;
}

static enum err
remove_one(int dir_fd, const char *name, struct steps *steps)
{
	steps_pass(steps);
	if (unlinkat(dir_fd, name, 0) != 0)
		return system_err("remove", name);
	return OK;
}

enum err
file_sync_folder(int dir_fd)
{
	return each_file(dir_fd, ".", sync_one, NULL);
}

enum err
file_remove_folder(int dir_fd, const char *name, struct steps *steps)
{
	enum err rc = OK;

	if (faccessat(dir_fd, name, F_OK, 0) != 0)
		return OK;
	TRY(each_file(dir_fd, name, remove_one, steps));
	steps_pass(steps);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) != 0 || fsync(dir_fd) != 0)
		TRY(system_err("remove", name));
out:
	return rc;
}

#include "store/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/fault.h"

struct disk_file {
	int fd;
	uint64_t octets;
	uint64_t synced;
	bool is_closed;         /* and can be lost all the same */
	struct disk_file *next; /* of all that are open */
};

/* A name that is not durable yet, as the laboratory remembers it. */
struct naming {
	char *dir;
	char *from; /* NULL: it was made */
	char *to;   /* NULL: it was removed */
	char *kept; /* what had the name `to`, or was removed; NULL: nothing */
};

static struct {
	struct disk_file *files;
	struct naming *namings;
	size_t count;
	size_t room;
	unsigned kept; /* numbers their names */
} disk;

static enum err
err_of(const char *what, const char *path)
{
	int code = errno;

	log_line("store", LOG_ERROR, "%s %s: %s", what, path, strerror(code));
	return code == ENOSPC || code == EDQUOT ? ERR_DISK_FULL : ERR_SYSTEM;
}

static bool
join(char path[PATH_MAX], const char *dir, const char *name)
{
	int octets = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return octets > 0 && octets < PATH_MAX;
}

/* ---- the laboratory ---- */

static void
naming_clear(struct naming *n)
{
	mem_free(n->dir);
	mem_free(n->from);
	mem_free(n->to);
	mem_free(n->kept);
}

static void
rename_in(const char *dir, const char *from, const char *to)
{
	char a[PATH_MAX];
	char b[PATH_MAX];

	if (join(a, dir, from) && join(b, dir, to))
		(void)rename(a, b);
}

static void
undo(const struct naming *n)
{
	char path[PATH_MAX];

	if (n->from != NULL && n->to != NULL)
		rename_in(n->dir, n->to, n->from);
	else if (n->to != NULL && join(path, n->dir, n->to))
		(void)unlink(path);
	if (n->kept != NULL)
		rename_in(n->dir, n->kept, n->to != NULL ? n->to : n->from);
}

static void
lose(bool all)
{
	size_t stay = all ? 0 : fault_random() % (disk.count + 1);
	struct disk_file *f;
	size_t k;

	for (f = disk.files; f != NULL; f = f->next) {
		uint64_t more = f->octets - f->synced;

		more = all ? 0 : fault_random() % (more + 1);
		(void)!ftruncate(f->fd, (off_t)(f->synced + more));
	}
	for (k = disk.count; k > stay; k--)
		undo(&disk.namings[k - 1]);
}

/* What is to have no name any more keeps one until the folder is synced. */
static enum err
keep(const char *dir, const char *name, char **out)
{
	char kept[64];
	char path[PATH_MAX];
	struct stat st;

	*out = NULL;
	if (!join(path, dir, name) || lstat(path, &st) != 0)
		return OK;
	(void)snprintf(kept, sizeof(kept), ".kept-%u", disk.kept++);
	rename_in(dir, name, kept);
	*out = mem_strdup(kept);
	return *out != NULL ? OK : ERR_NOMEM;
}

static enum err
remember(const char *dir, const char *from, const char *to)
{
	struct naming n = {0};
	enum err rc = OK;

	fault_at_cut(lose);
	if (disk.count == disk.room) {
		size_t room = disk.room * 2 + 16;
		struct naming *more =
		    mem_regrow(disk.namings, room, sizeof(*more));

		if (more == NULL)
			TRY(ERR_NOMEM);
		disk.namings = more;
		disk.room = room;
	}
	n.dir = mem_strdup(dir);
	n.from = from != NULL ? mem_strdup(from) : NULL;
	n.to = to != NULL ? mem_strdup(to) : NULL;
	if (n.dir == NULL || (from != NULL && n.from == NULL) ||
	    (to != NULL && n.to == NULL))
		TRY(ERR_NOMEM);
	if (from != NULL)
		TRY(keep(dir, to != NULL ? to : from, &n.kept));
	disk.namings[disk.count++] = n;
	n = (struct naming){0};
out:
	naming_clear(&n);
	return rc;
}

/* The folder is durable as it is. */
static void
settle(const char *dir)
{
	char path[PATH_MAX];
	size_t left = 0;
	size_t k;

	for (k = 0; k < disk.count; k++) {
		struct naming *n = &disk.namings[k];

		if (strcmp(n->dir, dir) != 0) {
			disk.namings[left++] = *n;
			continue;
		}
		if (n->kept != NULL && join(path, dir, n->kept))
			(void)unlink(path);
		naming_clear(n);
	}
	disk.count = left;
	if (left == 0) {
		mem_free(disk.namings);
		disk.namings = NULL;
		disk.room = 0;
	}
}

/* It was closed with octets that are not durable: what opens it has them. */
static struct disk_file *
closed_file(const struct stat *of)
{
	struct disk_file *f;
	struct stat st;

	for (f = disk.files; f != NULL; f = f->next)
		if (f->is_closed && fstat(f->fd, &st) == 0 &&
		    st.st_dev == of->st_dev && st.st_ino == of->st_ino)
			return f;
	return NULL;
}

/* Is this one to be remembered? */
static bool
can_be_lost(const struct disk_file *f)
{
	struct stat st;

	return fault_lab() && f->synced < f->octets && fstat(f->fd, &st) == 0 &&
	       st.st_nlink != 0;
}

/* ---- folders ---- */

enum err
disk_make_dir(const char *path)
{
	char above[PATH_MAX];
	const char *last = strrchr(path, '/');
	enum err rc = OK;

	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return OK;
		return err_of("make", path);
	}
	if (last == NULL || last == path)
		return OK;
	(void)snprintf(above, sizeof(above), "%.*s", (int)(last - path), path);
	TRY(disk_sync_dir(above));
out:
	return rc;
}

enum err
disk_sync_dir(const char *dir)
{
	int fd;
	bool good;

	fault_maybe_cut();
	if (fault_fails())
		return ERR_SYSTEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_of("open", dir);
	good = fsync(fd) == 0;
	(void)close(fd);
	if (!good)
		return err_of("sync", dir);
	settle(dir);
	return OK;
}

enum err
disk_rename(const char *dir, const char *from, const char *to)
{
	char a[PATH_MAX];
	char b[PATH_MAX];
	enum err rc = OK;

	fault_maybe_cut();
	if (fault_fails() || !join(a, dir, from) || !join(b, dir, to))
		TRY(ERR_SYSTEM);
	if (fault_lab())
		TRY(remember(dir, from, to));
	if (rename(a, b) != 0)
		TRY(err_of("rename", a));
out:
	return rc;
}

enum err
disk_remove(const char *dir, const char *name)
{
	char path[PATH_MAX];
	enum err rc = OK;

	fault_maybe_cut();
	if (fault_fails() || !join(path, dir, name))
		TRY(ERR_SYSTEM);
	if (fault_lab())
		TRY(remember(dir, name, NULL));
	if (unlink(path) != 0 && errno != ENOENT)
		TRY(err_of("remove", path));
out:
	return rc;
}

enum err
disk_each(const char *dir, disk_name_fn *each, void *ctx)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	struct stat st;
	DIR *d;
	enum err rc = OK;

	d = opendir(dir);
	if (d == NULL)
		return err_of("open", dir);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    !join(path, dir, entry->d_name) || lstat(path, &st) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		TRY(each(ctx, entry->d_name, (uint64_t)st.st_size));
	}
out:
	(void)closedir(d);
	return rc;
}

/* ---- files ---- */

static void
drop(struct disk_file *f)
{
	struct disk_file **at = &disk.files;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	(void)close(f->fd);
	mem_free(f);
}

enum err
disk_open(const char *dir, const char *name, struct disk_file **out)
{
	char path[PATH_MAX];
	struct disk_file *f = NULL;
	struct disk_file *before;
	struct stat st;
	bool is_new;
	enum err rc = OK;

	*out = NULL;
	if (!join(path, dir, name))
		return ERR_SYSTEM;
	is_new = lstat(path, &st) != 0;
	TRY(MEM_NEW(f));
	f->fd = -1;
	fault_maybe_cut();
	if (fault_fails())
		TRY(ERR_SYSTEM);
	if (is_new && fault_lab())
		TRY(remember(dir, NULL, name));
	f->fd = open(
	    path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		TRY(err_of("open", path));
	f->octets = (uint64_t)st.st_size;
	f->synced = f->octets;
	before = closed_file(&st);
	if (before != NULL) {
		f->synced = before->synced;
		drop(before);
	}
	f->next = disk.files;
	disk.files = f;
	*out = f;
	f = NULL;
out:
	if (f != NULL && f->fd >= 0)
		(void)close(f->fd);
	mem_free(f);
	return rc;
}

void
disk_close(struct disk_file *f)
{
	if (f == NULL)
		return;
	f->is_closed = can_be_lost(f);
	if (!f->is_closed)
		drop(f);
}

uint64_t
disk_octets(const struct disk_file *f)
{
	return f->octets;
}

uint64_t
disk_synced(const struct disk_file *f)
{
	return f->synced;
}

enum err
disk_append(struct disk_file *f, struct bytes in)
{
	size_t done = 0;
	enum err rc = OK;

	fault_maybe_cut();
	if (fault_fails())
		return ERR_SYSTEM;
	if (fault_full(in.octets))
		return ERR_DISK_FULL;
	while (done < in.octets) {
		ssize_t n = write(f->fd, in.at + done, in.octets - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n == 0 || errno == ENOSPC || errno == EDQUOT
				 ? ERR_DISK_FULL
				 : ERR_SYSTEM;
			break;
		}
		done += (size_t)n;
	}
	if (rc == OK)
		f->octets += in.octets;
	else if (done != 0)
		(void)!ftruncate(f->fd, (off_t)f->octets);
	return rc;
}

enum err
disk_cut(struct disk_file *f, uint64_t octets)
{
	fault_maybe_cut();
	if (fault_fails())
		return ERR_SYSTEM;
	if (ftruncate(f->fd, (off_t)octets) != 0)
		return err_of("cut", "a file");
	f->octets = octets;
	if (f->synced > octets)
		f->synced = octets;
	return OK;
}

enum err
disk_sync(struct disk_file *f)
{
	fault_maybe_cut();
	if (fault_fails())
		return ERR_SYSTEM;
	if (fdatasync(f->fd) != 0)
		return err_of("sync", "a file");
	f->synced = f->octets;
	return OK;
}

enum err
disk_read_fd(const char *dir, const char *name, int *fd, uint64_t *octets)
{
	char path[PATH_MAX];
	struct stat st;

	if (!join(path, dir, name))
		return ERR_SYSTEM;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : err_of("open", path);
	if (fstat(*fd, &st) != 0) {
		(void)close(*fd);
		return ERR_SYSTEM;
	}
	*octets = (uint64_t)st.st_size;
	return OK;
}

enum err
disk_dup(const struct disk_file *f, int *fd)
{
	*fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	return *fd >= 0 ? OK : ERR_SYSTEM;
}

enum err
disk_sync_fd(int fd)
{
	return fdatasync(fd) == 0 ? OK : ERR_SYSTEM;
}

void
disk_was_synced(struct disk_file *f, uint64_t octets)
{
	if (octets > f->synced && octets <= f->octets)
		f->synced = octets;
}

/*
 * The power goes before each call that changes the disk while a backup is made,
 * and while one is deleted: the next start lists whole backups only, and finds
 * nothing else.
 *
 * The calls are this program's own, in front of the C library's. What was not
 * synced is gone with the power: files of which something was written since
 * their last fsync are cut to nothing, and names that were given since the last
 * one of their folder stay, or are taken back. The last cut is behind the end:
 * what was told is there, and what was deleted is not.
 */
#include "device/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "crypto/ossl.h"
#include "device/backup_store.h"
#include "device/rig_test.h"

#define PASSWORD "Backup-1"
#define TEXT(s)  bytes_of_text(s)

enum { CUT = 17, ENDED = 18, FDS = 64, CALLS_MOST = 400 };

static char place[300];

/* Before the nth call from now on; 0: never. In the children only. */
static unsigned cut_at;
static bool is_child;

/* What was written and not synced, by any of its descriptors. */
static struct {
	int fd; /* of our own: the caller's may be closed by then */
	ino_t inode;
} unsynced[FDS];
static size_t unsynced_count;

/* A name that its folder may not have yet. */
static struct name {
	int folder; /* of our own, and whatever it is called */
	char word[NAME_MAX + 1];
} names[FDS], froms[FDS]; /* folder -1: it was made */
static size_t name_count;
static bool names_go;

static void
lose(void)
{
	while (unsynced_count != 0)
		(void)syscall(SYS_ftruncate, unsynced[--unsynced_count].fd, 0);
	while (names_go && name_count != 0) {
		const struct name *to = &names[--name_count];
		const struct name *from = &froms[name_count];

		if (from->folder < 0)
			(void)syscall(SYS_unlinkat, to->folder, to->word, 0);
		else if (syscall(SYS_renameat, to->folder, to->word,
			     from->folder, from->word) != 0)
			/* where it came from was removed meanwhile */
			(void)syscall(SYS_renameat, to->folder, to->word,
			    to->folder, ".making");
	}
}

static void
step(void)
{
	if (!is_child || cut_at == 0 || --cut_at != 0)
		return;
	lose();
	_exit(CUT);
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void
was_written(int fd)
{
	ino_t inode = inode_of(fd);
	size_t k;

	for (k = 0; k < unsynced_count; k++)
		if (unsynced[k].inode == inode)
			return;
	if (!is_child || unsynced_count == FDS)
		return;
	unsynced[unsynced_count].fd = dup(fd);
	unsynced[unsynced_count++].inode = inode;
}

static void
was_synced(int fd)
{
	ino_t inode = inode_of(fd);
	size_t k;

	for (k = 0; k < unsynced_count; k++) {
		if (unsynced[k].inode != inode)
			continue;
		(void)close(unsynced[k].fd);
		unsynced[k] = unsynced[--unsynced_count];
		return;
	}
}

static struct name
name_of(const char *path)
{
	const char *word = strrchr(path, '/') + 1;
	struct name name;
	char folder[PATH_MAX];

	(void)snprintf(
	    folder, sizeof(folder), "%.*s", (int)(word - path), path);
	name.folder = (int)syscall(SYS_open, folder, O_RDONLY | O_DIRECTORY, 0);
	assert_true(name.folder >= 0);
	(void)snprintf(name.word, sizeof(name.word), "%s", word);
	return name;
}

/* from  NULL: it was made */
static void
was_named(const char *from, const char *to)
{
	if (!is_child || strncmp(to, place, strlen(place)) != 0)
		return;
	assert_true(name_count < FDS);
	names[name_count] = name_of(to);
	froms[name_count++] =
	    from != NULL ? name_of(from) : (struct name){.folder = -1};
}

static void
folder_was_synced(int fd)
{
	ino_t inode = inode_of(fd);
	size_t left = 0;
	size_t k;

	for (k = 0; k < name_count; k++) {
		if (inode_of(names[k].folder) == inode)
			continue;
		names[left] = names[k];
		froms[left++] = froms[k];
	}
	name_count = left;
}

ssize_t
pwrite(int fd, const void *at, size_t octets, off_t offset)
{
	step();
	was_written(fd);
	return syscall(SYS_pwrite64, fd, at, octets, offset);
}

int
open(const char *path, int flags, ...)
{
	bool is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
	mode_t mode = 0;
	va_list args;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
		step();
	}
	fd = (int)syscall(SYS_open, path, flags, mode);
	if (fd >= 0 && is_new)
		was_named(NULL, path);
	return fd;
}

int
fsync(int fd)
{
	step();
	was_synced(fd);
	folder_was_synced(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	int rc;

	step();
	rc = (int)syscall(SYS_rename, from, to);
	if (rc == 0)
		was_named(from, to);
	return rc;
}

int
unlink(const char *path)
{
	step();
	return (int)syscall(SYS_unlink, path);
}

int
remove(const char *path)
{
	step();
	if (syscall(SYS_unlink, path) == 0)
		return 0;
	return (int)syscall(SYS_rmdir, path);
}

int
mkdir(const char *path, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdir, path, mode);
}

/* ---- what is cut ---- */

static void
open_place(struct bench *bench)
{
	struct appliance *a = &bench->appliance;

	a->backup_dir = place;
	a->password_iterations = 1;
	assert_ok(backups_new(a, &a->backups));
}

static void
made(struct backup_make *make, enum err rc)
{
	assert_ok(rc);
	loop_stop(make->ctx);
}

static void
make(struct bench *bench, const char *base)
{
	struct backup_make *m;

	assert_ok(backup_make_new(&bench->appliance, &m));
	(void)strcpy(m->base, base);
	assert_ok(secret_copy(TEXT(PASSWORD), &m->password));
	backup_selection_all(&m->selection);
	m->done = made;
	m->ctx = bench->rig.loop;
	backup_make_begin(m);
	assert_ok(loop_run(bench->rig.loop));
	backup_make_drop(m);
}

static void
discard(struct bench *bench, const char *base)
{
	assert_ok(backup_delete(&bench->appliance, TEXT(base)));
}

/* CUT, or ENDED: it came to its end before the nth call. */
static int
cut(struct bench *bench, unsigned nth, const char *base,
    void (*act)(struct bench *bench, const char *base))
{
	int status;
	pid_t child = child_fork();

	if (child == 0) {
		is_child = true;
		cut_at = nth;
		act(bench, base);
		lose();
		_exit(ENDED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static enum err
is_whole(void *ctx, const struct backup_header *header)
{
	unsigned *count = ctx;
	struct backup_reader *r;
	char why[BACKUP_WHY_OCTETS];
	char dir[500];

	(void)snprintf(dir, sizeof(dir), "%s/%s", place, header->base);
	assert_ok(
	    backup_reader_open(dir, header->base, TEXT(PASSWORD), &r, why));
	assert_int_equal(backup_reader_rows(r, ITEM_USERS), 1);
	backup_reader_close(r);
	++*count;
	return OK;
}

/* The next start: how many are listed, each of them whole. */
static unsigned
start_again(struct bench *bench)
{
	struct appliance *a = &bench->appliance;
	char path[400];
	unsigned count = 0;

	backups_free(a->backups);
	open_place(bench);
	assert_ok(backup_each(a, is_whole, &count));
	(void)snprintf(path, sizeof(path), "%s/.making", place);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/.gone", place);
	assert_int_equal(access(path, F_OK), -1);
	return count;
}

static void
cut_everywhere(struct bench *bench,
    void (*act)(struct bench *bench, const char *base), bool deletes)
{
	unsigned cuts = 0;
	unsigned nth;

	for (nth = 1; nth < CALLS_MOST; nth++) {
		unsigned count;
		int how;

		if (deletes && start_again(bench) == 0) {
			assert_int_equal(cut(bench, 0, "b", make), ENDED);
			assert_int_equal(start_again(bench), 1);
		}
		how = cut(bench, nth, "b", act);
		count = start_again(bench);
		if (how == ENDED) {
			assert_int_equal(count, deletes ? 0 : 1);
			break;
		}
		assert_int_equal(how, CUT);
		assert_in_range(count, 0, 1);
		cuts++;
		if (!deletes && count == 1)
			discard(bench, "b");
	}
	assert_in_range(cuts, 5, CALLS_MOST - 2);
}

static void
test_the_power_goes(void **state)
{
	struct bench bench;
	unsigned lost;

	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	assert_ok(
	    settings_new(bench.appliance.store, &bench.appliance.settings));
	assert_ok(record_put(
	    bench.appliance.store, "user", TEXT("alice"), TEXT("x")));
	assert_ok(store_commit(bench.appliance.store));
	(void)snprintf(place, sizeof(place), "%s/backup", bench.dir);
	open_place(&bench);
	for (lost = 0; lost < 2; lost++) {
		names_go = lost != 0;
		cut_everywhere(&bench, make, false);
		cut_everywhere(&bench, discard, true);
	}
	backups_free(bench.appliance.backups);
	settings_free(bench.appliance.settings);
	bench_remove(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_power_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The power goes before each call that changes the disk while a backup is made,
 * and while one is deleted: the next start lists whole backups only, and finds
 * nothing else.
 *
 * The calls are this program's own, in front of the C library's. What was not
 * synced is gone with the power: files of which something was written since
 * their last fsync are cut to nothing.
 */
#include "device/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "crypto/ossl.h"
#include "device/backup_store.h"
#include "device/rig_test.h"

#define PASSWORD "Backup-1"
#define TEXT(s)  bytes_of_text(s)

enum { CUT = 17, ENDED = 18, FDS = 64, CALLS_MOST = 400 };

/* Before the nth call from now on; 0: never. In the children only. */
static unsigned cut_at;
static bool is_child;

/* What was written and not synced, by any of its descriptors. */
static struct {
	int fd; /* of our own: the caller's may be closed by then */
	ino_t inode;
} unsynced[FDS];
static size_t unsynced_count;

static void
step(void)
{
	if (!is_child || cut_at == 0 || --cut_at != 0)
		return;
	while (unsynced_count-- != 0)
		(void)syscall(SYS_ftruncate, unsynced[unsynced_count].fd, 0);
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

ssize_t
pwrite(int fd, const void *at, size_t octets, off_t offset)
{
	step();
	was_written(fd);
	return syscall(SYS_pwrite64, fd, at, octets, offset);
}

int
fsync(int fd)
{
	step();
	was_synced(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	step();
	return (int)syscall(SYS_rename, from, to);
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

static char place[300];

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
	cut_everywhere(&bench, make, false);
	cut_everywhere(&bench, discard, true);
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

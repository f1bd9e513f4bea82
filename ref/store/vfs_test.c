#include "store/rig_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* One file, opened through the layer as SQLite would. */
struct disk {
	struct rig *rig;
	char path[300];
	sqlite3_file *file;
};

static void
disk_open(struct disk *d)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(VFS_NAME);

	assert_non_null(vfs);
	d->file = mem_zalloc(1, (size_t)vfs->szOsFile);
	assert_non_null(d->file);
	assert_int_equal(vfs->xOpen(vfs, d->path, d->file,
			     SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE |
				 SQLITE_OPEN_CREATE,
			     NULL),
	    SQLITE_OK);
}

static int
setup(void **state)
{
	struct disk *d;
	void *rig;

	assert_ok(MEM_NEW(d));
	*state = d;
	(void)rig_make(&rig);
	d->rig = rig;
	(void)snprintf(d->path, sizeof(d->path), "%s/store.db", d->rig->dir);
	assert_ok(vfs_register());
	disk_open(d);
	return 0;
}

static int
teardown(void **state)
{
	struct disk *d = *state;
	void *rig = d->rig;

	(void)d->file->pMethods->xClose(d->file);
	mem_free(d->file);
	mem_free(d);
	return rig_teardown(&rig);
}

static int
put(struct disk *d, const void *octets, int count, sqlite3_int64 at)
{
	return d->file->pMethods->xWrite(d->file, octets, count, at);
}

static void
assert_put(struct disk *d, const void *octets, int count, sqlite3_int64 at)
{
	assert_int_equal(put(d, octets, count, at), SQLITE_OK);
}

static int
sync_now(struct disk *d)
{
	return d->file->pMethods->xSync(d->file, SQLITE_SYNC_NORMAL);
}

static int
cut_off(struct disk *d, sqlite3_int64 octets)
{
	return d->file->pMethods->xTruncate(d->file, octets);
}

/* What the real file holds. */
static size_t
real(struct disk *d, uint8_t *out, size_t room)
{
	int fd = open(d->path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	assert_true(fd >= 0);
	got = read(fd, out, room);
	close(fd);
	assert_true(got >= 0);
	return (size_t)got;
}

static void
test_only_a_sync_reaches_the_file(void **state)
{
	struct disk *d = *state;
	struct vfs_stats before;
	struct vfs_stats after;
	uint8_t out[64];

	vfs_stats(&before);
	assert_put(d, "abcdef", 6, 0);
	assert_put(d, "XY", 2, 2);
	vfs_stats(&after);
	assert_int_equal(after.pending_octets - before.pending_octets, 8);
	assert_int_equal(real(d, out, sizeof(out)), 0);
	assert_int_equal(sync_now(d), SQLITE_OK);
	assert_int_equal(real(d, out, sizeof(out)), 6);
	assert_memory_equal(out, "abXYef", 6);
	assert_int_equal(cut_off(d, 3), SQLITE_OK);
	assert_int_equal(real(d, out, sizeof(out)), 6);
	assert_int_equal(sync_now(d), SQLITE_OK);
	assert_int_equal(real(d, out, sizeof(out)), 3);
	vfs_stats(&after);
	assert_int_equal(after.pending_octets, before.pending_octets);
	assert_int_equal(after.syncs - before.syncs, 2);
	assert_int_equal(after.writes - before.writes, 2);
}

/* ---- readers see every write, synced or not ---- */

/* Several blocks of the layer, and pieces of up to one, across their edges. */
enum { ROOM = 5 * 4096, MOST = 4096 };

struct model {
	uint8_t octets[ROOM];
	size_t size;
};

static void
model_put(struct model *m, const uint8_t *octets, size_t count, size_t at)
{
	memcpy(m->octets + at, octets, count);
	if (m->size < at + count)
		m->size = at + count;
}

static void
model_cut(struct model *m, size_t size)
{
	/* SQLite only ever makes a file shorter */
	if (size < m->size) {
		memset(m->octets + size, 0, ROOM - size);
		m->size = size;
	}
}

static void
assert_reads(struct disk *d, const struct model *m, size_t count, size_t at)
{
	uint8_t out[ROOM];
	sqlite3_int64 size;
	int code;

	memset(out, 0xee, sizeof(out));
	code = d->file->pMethods->xRead(
	    d->file, out, (int)count, (sqlite3_int64)at);
	assert_int_equal(
	    code, at + count <= m->size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
	assert_memory_equal(out, m->octets + at, count);
	assert_int_equal(d->file->pMethods->xFileSize(d->file, &size), 0);
	assert_int_equal(size, m->size);
}

static void
test_readers_see_every_write(void **state)
{
	struct disk *d = *state;
	static struct model m;
	static uint8_t noise[ROOM];
	uint64_t seed = 2;
	const unsigned rounds = ROUNDS(20000);
	unsigned n;

	memset(&m, 0, sizeof(m));
	for (n = 0; n < rounds; n++) {
		size_t at = any(&seed, ROOM - MOST);
		unsigned most = any(&seed, 2) != 0 ? MOST : 600;
		size_t count = 1 + any(&seed, most);

		memset(noise, (int)any(&seed, 256), count);
		switch (any(&seed, 8)) {
		case 0:
			/* later there is more to be synced, and no cut in it */
			if (n < rounds / 2 || any(&seed, 100) == 0)
				assert_int_equal(sync_now(d), SQLITE_OK);
			break;
		case 1:
			if (n < rounds / 2 && at < m.size) {
				assert_int_equal(
				    cut_off(d, (sqlite3_int64)at), SQLITE_OK);
				model_cut(&m, at);
			}
			break;
		case 2:
		case 3:
			assert_put(d, noise, (int)count, (sqlite3_int64)at);
			model_put(&m, noise, count, at);
			break;
		default:
			assert_reads(d, &m, count, at);
		}
	}
}

/* ---- power ---- */

enum { SECTORS = 64, FILE_OCTETS = SECTORS * VFS_SECTOR_OCTETS };

/* The child has "o" synced and "n" written over it when the power goes. */
static void
cut_child(struct disk *d, enum vfs_power how, uint64_t seed)
{
	static uint8_t octets[FILE_OCTETS];
	int status;
	pid_t child = child_fork();

	if (child == 0) {
		memset(octets, 'o', sizeof(octets));
		if (put(d, octets, FILE_OCTETS, 0) != SQLITE_OK ||
		    sync_now(d) != SQLITE_OK)
			_exit(10);
		memset(octets, 'n', sizeof(octets));
		if (put(d, octets, FILE_OCTETS, 0) != SQLITE_OK)
			_exit(11);
		vfs_power_off(how, seed, 0);
		_exit(12);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* How many sectors are new; each is wholly old or wholly new. */
static unsigned
new_sectors(struct disk *d, uint8_t map[SECTORS])
{
	static uint8_t octets[FILE_OCTETS + 1];
	unsigned count = 0;
	unsigned k;
	unsigned i;

	assert_int_equal(real(d, octets, sizeof(octets)), FILE_OCTETS);
	for (k = 0; k < SECTORS; k++) {
		const uint8_t *sector = octets + k * VFS_SECTOR_OCTETS;

		for (i = 1; i < VFS_SECTOR_OCTETS; i++)
			assert_int_equal(sector[i], sector[0]);
		map[k] = sector[0] == 'n';
		count += map[k];
	}
	return count;
}

static void
test_dropping_keeps_what_was_synced_alone(void **state)
{
	uint8_t map[SECTORS];

	cut_child(*state, VFS_DROP, 1);
	assert_int_equal(new_sectors(*state, map), 0);
}

static void
test_tearing_goes_by_sectors_and_by_the_seed(void **state)
{
	uint8_t first[SECTORS];
	uint8_t again[SECTORS];
	unsigned torn = 0;
	unsigned seed;

	for (seed = 0; seed < 12; seed++) {
		unsigned count;

		cut_child(*state, VFS_TEAR, seed);
		count = new_sectors(*state, first);
		torn += count > 0 && count < SECTORS;
		cut_child(*state, VFS_TEAR, seed);
		assert_int_equal(new_sectors(*state, again), count);
		assert_memory_equal(first, again, SECTORS);
	}
	assert_true(torn >= 3);
}

/* ---- faults ---- */

static void
test_a_full_disk_takes_what_it_has_room_for(void **state)
{
	struct disk *d = *state;

	vfs_disk_full(10);
	assert_int_equal(put(d, "12345678", 8, 0), SQLITE_OK);
	assert_int_equal(put(d, "123", 3, 8), SQLITE_FULL);
	assert_int_equal(put(d, "1", 1, 8), SQLITE_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_int_equal(put(d, "123", 3, 8), SQLITE_OK);
}

static void
test_failures_come_at_the_nth_call(void **state)
{
	struct disk *d = *state;
	struct vfs_stats stats;
	uint64_t faults;

	vfs_stats(&stats);
	faults = stats.faults;
	vfs_fail_io(3, false);
	assert_put(d, "1", 1, 0);
	assert_int_equal(sync_now(d), SQLITE_OK);
	assert_int_equal(put(d, "2", 1, 1), SQLITE_IOERR_WRITE);
	assert_put(d, "2", 1, 1);
	vfs_fail_io(1, true);
	assert_int_equal(sync_now(d), SQLITE_IOERR_FSYNC);
	assert_int_equal(cut_off(d, 0), SQLITE_IOERR_TRUNCATE);
	vfs_fail_io(0, false);
	assert_int_equal(sync_now(d), SQLITE_OK);
	vfs_stats(&stats);
	assert_int_equal(stats.faults - faults, 3);
}

static void
test_a_slow_disk_takes_its_time(void **state)
{
	struct disk *d = *state;
	int64_t before_ms = env_elapsed_ms(d->rig->env);

	vfs_slow_sync(30);
	assert_int_equal(sync_now(d), SQLITE_OK);
	assert_true(env_elapsed_ms(d->rig->env) - before_ms >= 29);
}

#define VFS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    VFS_TEST(test_only_a_sync_reaches_the_file),
	    VFS_TEST(test_readers_see_every_write),
	    VFS_TEST(test_dropping_keeps_what_was_synced_alone),
	    VFS_TEST(test_tearing_goes_by_sectors_and_by_the_seed),
	    VFS_TEST(test_a_full_disk_takes_what_it_has_room_for),
	    VFS_TEST(test_failures_come_at_the_nth_call),
	    VFS_TEST(test_a_slow_disk_takes_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "store/vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/fault.h"

enum { BLOCK_OCTETS = 4096, ROOM_AT_FIRST = 64 };

/*
 * What was asked of a file and has not been synced, in order. A write lies in
 * one block of the file, or in two; with the others that do it stands in their
 * places, so that a reader need not look through all of a large transaction.
 */
struct change {
	sqlite3_int64 at;
	int octets;
	uint8_t *data;   /* NULL: cut the file off at `at` */
	size_t later[2]; /* behind it, in its first block's place, and in its
			    last one's where that is another; 0: none */
};

/* Numbers of changes, from 1; 0: none. */
struct place {
	size_t first;
	size_t last;
};

struct file {
	sqlite3_file base; /* first: SQLite's own view of it */
	sqlite3_file *real;
	sqlite3_int64 octets; /* as readers see it */
	struct change *changes;
	struct place *places;
	size_t change_count;
	size_t change_room; /* and how many places there are */
	size_t cut_count;   /* of the changes: they stand in no place */
	struct file *next;  /* of all that are open */
};

static struct {
	sqlite3_vfs *real;
	sqlite3_vfs own;
	struct file *files;
	bool full;
	uint64_t octets_left;
	unsigned fail_nth;
	bool fail_lasting;
	bool failing;
	unsigned sync_delay_ms;
	bool stop_sync;
	unsigned cut_nth;
	enum vfs_power cut_how;
	uint64_t random;
	fault_lose_fn *lose; /* of plain files; or NULL */
	struct vfs_stats stats;
} lab;

/* ---------------------------------------------------------------------------
 * Power
 */

/* splitmix64 */
uint64_t
fault_random(void)
{
	uint64_t z = lab.random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Does this one reach the disk, where `quarters` of four do? */
static bool
survives(unsigned quarters)
{
	return fault_random() % 4 < quarters;
}

static void
tear_write(struct file *f, const struct change *c, unsigned quarters)
{
	int done = 0;

	while (done < c->octets) {
		sqlite3_int64 at = c->at + done;
		int piece = VFS_SECTOR_OCTETS - (int)(at % VFS_SECTOR_OCTETS);

		if (piece > c->octets - done)
			piece = c->octets - done;
		if (survives(quarters))
			(void)f->real->pMethods->xWrite(
			    f->real, c->data + done, piece, at);
		done += piece;
	}
}

static void
tear(struct file *f, unsigned quarters)
{
	size_t k;

	for (k = 0; k < f->change_count; k++) {
		const struct change *c = &f->changes[k];

		if (c->data != NULL)
			tear_write(f, c, quarters);
		else if (survives(quarters))
			(void)f->real->pMethods->xTruncate(f->real, c->at);
	}
}

static void
cut_power(void)
{
	struct file *f;
	unsigned quarters = (unsigned)(fault_random() % 5);

	for (f = lab.files; f != NULL && lab.cut_how == VFS_TEAR; f = f->next)
		tear(f, quarters);
	if (lab.lose != NULL)
		lab.lose(lab.cut_how == VFS_DROP);
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

void
fault_at_cut(fault_lose_fn *lose)
{
	lab.lose = lose;
}

void
fault_maybe_cut(void)
{
	if (lab.cut_nth != 0 && --lab.cut_nth == 0)
		cut_power();
}

void
vfs_power_off(enum vfs_power how, uint64_t seed, unsigned nth)
{
	lab.cut_how = how;
	lab.random = seed;
	lab.cut_nth = nth;
	if (nth == 0)
		cut_power();
}

/* ---------------------------------------------------------------------------
 * Faults
 */

void
vfs_disk_full(uint64_t octets_left)
{
	lab.octets_left = octets_left;
	lab.full = octets_left != UINT64_MAX;
}

void
vfs_fail_io(unsigned nth, bool lasting)
{
	lab.fail_nth = nth;
	lab.fail_lasting = lasting;
	lab.failing = false;
}

void
vfs_slow_sync(unsigned delay_ms)
{
	lab.sync_delay_ms = delay_ms;
}

void
vfs_stop_sync(bool stop)
{
	lab.stop_sync = stop;
}

void
vfs_stats(struct vfs_stats *out)
{
	*out = lab.stats;
}

bool
fault_lab(void)
{
	return lab.real != NULL;
}

bool
fault_fails(void)
{
	bool now = lab.fail_nth != 0 && --lab.fail_nth == 0;

	if (now && lab.fail_lasting)
		lab.failing = true;
	now = now || lab.failing;
	lab.stats.faults += now;
	return now;
}

bool
fault_full(uint64_t octets)
{
	if (!lab.full)
		return false;
	if (lab.octets_left < octets) {
		lab.octets_left = 0;
		return true;
	}
	lab.octets_left -= octets;
	return false;
}

/* ---------------------------------------------------------------------------
 * Files
 */

static struct file *
file_of(sqlite3_file *base)
{
	return (struct file *)base;
}

static struct place *
place_of(const struct file *f, sqlite3_int64 block)
{
	return &f->places[(size_t)block % f->change_room];
}

static struct place *
first_place(const struct file *f, const struct change *c)
{
	return place_of(f, c->at / BLOCK_OCTETS);
}

static struct place *
last_place(const struct file *f, const struct change *c)
{
	return place_of(f, (c->at + c->octets - 1) / BLOCK_OCTETS);
}

static size_t *
later_in(const struct file *f, const struct place *p, struct change *c)
{
	return &c->later[p == first_place(f, c) ? 0 : 1];
}

static void
place_add(struct file *f, struct place *p, size_t number)
{
	if (p->last == number)
		return; /* both of its blocks are here */
	if (p->last == 0)
		p->first = number;
	else
		*later_in(f, p, &f->changes[p->last - 1]) = number;
	p->last = number;
}

static void
change_place(struct file *f, size_t number)
{
	struct change *c = &f->changes[number - 1];

	memset(c->later, 0, sizeof(c->later));
	if (c->data == NULL)
		return;
	place_add(f, first_place(f, c), number);
	place_add(f, last_place(f, c), number);
}

/* Room for another one, and places for them all. */
static int
changes_grow(struct file *f)
{
	size_t room = f->change_room * 2 + ROOM_AT_FIRST;
	struct change *changes;
	struct place *places;
	size_t k;

	places = mem_zalloc(room, sizeof(*places));
	if (places == NULL)
		return SQLITE_IOERR_NOMEM;
	changes = mem_regrow(f->changes, room, sizeof(*changes));
	if (changes == NULL) {
		mem_free(places);
		return SQLITE_IOERR_NOMEM;
	}
	mem_free(f->places);
	f->places = places;
	f->changes = changes;
	f->change_room = room;
	for (k = 1; k <= f->change_count; k++)
		change_place(f, k);
	return SQLITE_OK;
}

static int
change_add(struct file *f, sqlite3_int64 at, const void *data, int octets)
{
	struct change *c;
	int code;

	if (f->change_count == f->change_room) {
		code = changes_grow(f);
		if (code != SQLITE_OK)
			return code;
	}
	c = &f->changes[f->change_count];
	*c = (struct change){.at = at, .octets = octets};
	if (data != NULL) {
		c->data = mem_zalloc((size_t)octets, 1);
		if (c->data == NULL)
			return SQLITE_IOERR_NOMEM;
		memcpy(c->data, data, (size_t)octets);
	}
	f->cut_count += data == NULL;
	change_place(f, ++f->change_count);
	lab.stats.pending_octets += (uint64_t)octets;
	return SQLITE_OK;
}

/* In pieces that lie in two blocks at most; mostly it is one. */
static int
write_add(struct file *f, sqlite3_int64 at, const uint8_t *data, int octets)
{
	int code = SQLITE_OK;
	int done;

	for (done = 0; done < octets && code == SQLITE_OK;) {
		int piece =
		    octets - done < BLOCK_OCTETS ? octets - done : BLOCK_OCTETS;

		code = change_add(f, at + done, data + done, piece);
		done += piece;
	}
	return code;
}

static void
changes_clear(struct file *f)
{
	size_t k;

	for (k = 0; k < f->change_count; k++) {
		struct change *c = &f->changes[k];

		lab.stats.pending_octets -= (uint64_t)c->octets;
		if (c->data == NULL)
			continue;
		*first_place(f, c) = (struct place){0};
		*last_place(f, c) = (struct place){0};
		mem_free(c->data);
	}
	f->change_count = 0;
	f->cut_count = 0;
}

/* What is pending reaches the real file. */
static int
changes_apply(struct file *f)
{
	const sqlite3_io_methods *real = f->real->pMethods;
	int code = SQLITE_OK;
	size_t k;

	for (k = 0; k < f->change_count && code == SQLITE_OK; k++) {
		const struct change *c = &f->changes[k];

		if (c->data != NULL)
			code = real->xWrite(f->real, c->data, c->octets, c->at);
		else
			code = real->xTruncate(f->real, c->at);
	}
	if (code == SQLITE_OK)
		changes_clear(f);
	return code;
}

static int
lab_close(sqlite3_file *base)
{
	struct file *f = file_of(base);
	struct file **at = &lab.files;
	int code;

	/* a file that is closed keeps what was written to it */
	(void)changes_apply(f);
	changes_clear(f);
	mem_free(f->changes);
	mem_free(f->places);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	code = f->real->pMethods->xClose(f->real);
	return code;
}

/* Show one change in what was read from `at` on. */
static void
overlay(const struct change *c, uint8_t *out, int octets, sqlite3_int64 at)
{
	sqlite3_int64 from = c->at > at ? c->at : at;
	sqlite3_int64 to = at + octets;

	if (c->data != NULL && c->at + c->octets < to)
		to = c->at + c->octets;
	if (from >= to)
		return;
	if (c->data == NULL)
		memset(out + (from - at), 0, (size_t)(to - from));
	else
		memcpy(out + (from - at), c->data + (from - c->at),
		    (size_t)(to - from));
}

/* All of them, in the piece of a block that was read from `at` on. */
static void
overlay_piece(const struct file *f, uint8_t *out, int octets, sqlite3_int64 at)
{
	const struct place *p;
	size_t number;

	if (f->change_count == 0)
		return;
	p = place_of(f, at / BLOCK_OCTETS);
	for (number = p->first; number != 0;) {
		struct change *c = &f->changes[number - 1];

		overlay(c, out, octets, at);
		number = *later_in(f, p, c);
	}
}

static void
overlay_all(const struct file *f, uint8_t *out, int octets, sqlite3_int64 at)
{
	int done;
	size_t k;

	/* a cut is of all blocks behind it */
	for (k = 0; f->cut_count != 0 && k < f->change_count; k++)
		overlay(&f->changes[k], out, octets, at);
	for (done = 0; f->cut_count == 0 && done < octets;) {
		int piece = BLOCK_OCTETS - (int)((at + done) % BLOCK_OCTETS);

		if (piece > octets - done)
			piece = octets - done;
		overlay_piece(f, out + done, piece, at + done);
		done += piece;
	}
}

static int
lab_read(sqlite3_file *base, void *out, int octets, sqlite3_int64 at)
{
	struct file *f = file_of(base);
	int code;

	if (fault_fails())
		return SQLITE_IOERR_READ;
	code = f->real->pMethods->xRead(f->real, out, octets, at);
	if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
		return code;
	overlay_all(f, out, octets, at);
	return at + octets <= f->octets ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
lab_write(sqlite3_file *base, const void *data, int octets, sqlite3_int64 at)
{
	struct file *f = file_of(base);
	int code;

	fault_maybe_cut();
	if (fault_fails())
		return SQLITE_IOERR_WRITE;
	if (fault_full((uint64_t)octets))
		return SQLITE_FULL;
	code = write_add(f, at, data, octets);
	if (code == SQLITE_OK && at + octets > f->octets)
		f->octets = at + octets;
	lab.stats.writes++;
	return code;
}

static int
lab_truncate(sqlite3_file *base, sqlite3_int64 octets)
{
	struct file *f = file_of(base);
	int code;

	fault_maybe_cut();
	if (fault_fails())
		return SQLITE_IOERR_TRUNCATE;
	code = change_add(f, octets, NULL, 0);
	if (code == SQLITE_OK)
		f->octets = octets;
	return code;
}

static int
lab_sync(sqlite3_file *base, int flags)
{
	struct timespec delay = {
	    .tv_sec = lab.sync_delay_ms / 1000,
	    .tv_nsec = (long)(lab.sync_delay_ms % 1000) * 1000000,
	};

	(void)flags;
	fault_maybe_cut();
	if (lab.stop_sync) {
		lab.stop_sync = false;
		(void)raise(SIGSTOP);
	}
	if (lab.sync_delay_ms != 0)
		(void)nanosleep(&delay, NULL);
	if (fault_fails())
		return SQLITE_IOERR_FSYNC;
	lab.stats.syncs++;
	return changes_apply(file_of(base));
}

static int
lab_size(sqlite3_file *base, sqlite3_int64 *octets)
{
	*octets = file_of(base)->octets;
	return SQLITE_OK;
}

static int
lab_lock(sqlite3_file *base, int level)
{
	sqlite3_file *real = file_of(base)->real;

	return real->pMethods->xLock(real, level);
}

static int
lab_unlock(sqlite3_file *base, int level)
{
	sqlite3_file *real = file_of(base)->real;

	return real->pMethods->xUnlock(real, level);
}

static int
lab_check_lock(sqlite3_file *base, int *locked)
{
	sqlite3_file *real = file_of(base)->real;

	return real->pMethods->xCheckReservedLock(real, locked);
}

static int
lab_control(sqlite3_file *base, int op, void *arg)
{
	sqlite3_file *real = file_of(base)->real;

	/* would make the real file grow ahead of what was synced */
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_NOTFOUND;
	return real->pMethods->xFileControl(real, op, arg);
}

static int
lab_sector(sqlite3_file *base)
{
	(void)base;
	return VFS_SECTOR_OCTETS;
}

static int
lab_characteristics(sqlite3_file *base)
{
	sqlite3_file *real = file_of(base)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1 has no shared memory: the store opens its file exclusively. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = lab_close,
    .xRead = lab_read,
    .xWrite = lab_write,
    .xTruncate = lab_truncate,
    .xSync = lab_sync,
    .xFileSize = lab_size,
    .xLock = lab_lock,
    .xUnlock = lab_unlock,
    .xCheckReservedLock = lab_check_lock,
    .xFileControl = lab_control,
    .xSectorSize = lab_sector,
    .xDeviceCharacteristics = lab_characteristics,
};

static int
lab_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
    int *out_flags)
{
	struct file *f = file_of(base);
	int code;

	(void)vfs;
	/* files that nobody expects to see again */
	if (name == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0)
		return lab.real->xOpen(lab.real, name, base, flags, out_flags);
	*f = (struct file){.real = (sqlite3_file *)(f + 1)};
	code = lab.real->xOpen(lab.real, name, f->real, flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	code = f->real->pMethods->xFileSize(f->real, &f->octets);
	if (code != SQLITE_OK) {
		(void)f->real->pMethods->xClose(f->real);
		return code;
	}
	f->next = lab.files;
	lab.files = f;
	base->pMethods = &methods;
	return SQLITE_OK;
}

static int
lab_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	(void)vfs;
	fault_maybe_cut();
	return lab.real->xDelete(lab.real, name, sync_directory);
}

enum err
vfs_register(void)
{
	if (lab.real != NULL)
		return OK;
	/* also starts the engine, which may fail */
	lab.real = sqlite3_vfs_find(NULL);
	if (lab.real == NULL)
		return ERR_SYSTEM;
	lab.own = *lab.real;
	lab.own.pNext = NULL;
	lab.own.zName = VFS_NAME;
	lab.own.szOsFile = (int)sizeof(struct file) + lab.real->szOsFile;
	lab.own.xOpen = lab_open;
	lab.own.xDelete = lab_delete;
	if (sqlite3_vfs_register(&lab.own, 0) != SQLITE_OK) {
		lab.real = NULL;
		return ERR_SYSTEM;
	}
	return OK;
}

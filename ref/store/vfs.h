/*
 * The laboratory's file layer: a disk that can lose power, fill up and fail.
 *
 * It lies between SQLite and its files when the server runs with --lab, and
 * never otherwise. Every write since the last sync of its file is kept in
 * memory and shown to readers, but reaches the real file only with that sync.
 * So SIGKILL at any moment leaves what a power cut could leave: all that was
 * synced, nothing that was not. vfs_power_off() leaves the nastier remains:
 * some sectors of what was not synced, and not others.
 *
 * One layer for the process; call it from the thread that owns the store.
 */
#ifndef STORE_VFS_H
#define STORE_VFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define VFS_NAME "touchstone-lab"

enum { VFS_SECTOR_OCTETS = 512 };

/* Make the layer known; once or more. ERR_SYSTEM when it cannot be. */
enum err vfs_register(void) MUST_CHECK;

/*
 * Cut the power: each sector not yet synced reaches its file or does not, as a
 * generator seeded with `seed` says (VFS_TEAR), or none does (VFS_DROP). Then
 * the process ends by SIGKILL.
 *
 * nth  the cut comes just before the nth write, truncation or sync from now;
 *      0 is at once, and does not return
 */
enum vfs_power { VFS_DROP, VFS_TEAR };
void vfs_power_off(enum vfs_power how, uint64_t seed, unsigned nth);

/* From now on that many octets can be written; UINT64_MAX: no limit. */
void vfs_disk_full(uint64_t octets_left);

/* The nth read, write or sync from now on fails, once; 0: none does. With
 * `lasting`, all after it fail too, until the next call. */
void vfs_fail_io(unsigned nth, bool lasting);

/* Each sync takes that long. */
void vfs_slow_sync(unsigned delay_ms);

/* The process stops before its next sync, once, until it gets SIGCONT: all
 * that a group holds is in memory then, and nobody has been answered. */
void vfs_stop_sync(bool stop);

/* Since registration: what the tests count. */
struct vfs_stats {
	uint64_t writes;
	uint64_t syncs;
	uint64_t faults;         /* refused as vfs_fail_io asked */
	uint64_t pending_octets; /* written, not synced */
};
void vfs_stats(struct vfs_stats *out);

#endif

/*
 * Plain files beside the database, for what would be too much in it: files that
 * are appended to, and folders of them.
 *
 * The laboratory's disk (vfs.h) loses power, fills up and fails under these
 * too: a cut takes from each file what was not synced, or all but some of its
 * front, and undoes names that were made, changed or removed in a folder since
 * that was synced, the last of them first. SIGKILL alone leaves all of it.
 *
 * They belong to the thread of the store. Errors of every function here:
 *
 *   ERR_SYSTEM     the disk, or what is there is something else
 *   ERR_DISK_FULL
 *   ERR_NOMEM
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "base/bytes.h"

struct disk_file;

/* A folder, for its owner only; no error when it is there. Its name in the one
 * above is made durable. */
enum err disk_make_dir(const char *path) MUST_CHECK;

/* A file to append to, made when there is none: `name` in the folder `dir`. */
enum err
disk_open(const char *dir, const char *name, struct disk_file **out) MUST_CHECK;
void disk_close(struct disk_file *file); /* accepts NULL */

uint64_t disk_octets(const struct disk_file *file);
/* Of these, how many are durable for sure? */
uint64_t disk_synced(const struct disk_file *file);

/* All of it, or nothing. */
enum err disk_append(struct disk_file *file, struct bytes in) MUST_CHECK;
/* Cut off what is behind. */
enum err disk_cut(struct disk_file *file, uint64_t octets) MUST_CHECK;
enum err disk_sync(struct disk_file *file) MUST_CHECK;

/*
 * The same in another thread: it syncs (disk_sync_fd) a descriptor that is its
 * own, and closes it; this one asks for that descriptor, and says later how
 * many octets the file had then.
 */
enum err disk_dup(const struct disk_file *file, int *fd) MUST_CHECK;
enum err disk_sync_fd(int fd) MUST_CHECK;
void disk_was_synced(struct disk_file *file, uint64_t octets);

/* A descriptor of one's own, to read what is there from. ERR_NOT_FOUND */
enum err disk_read_fd(
    const char *dir, const char *name, int *fd, uint64_t *octets) MUST_CHECK;

/*
 * Names in a folder. A file that is open stays so. What had the new name is
 * gone. Durable with disk_sync_dir, in this order.
 */
enum err
disk_rename(const char *dir, const char *from, const char *to) MUST_CHECK;
/* No error when it is not there. */
enum err disk_remove(const char *dir, const char *name) MUST_CHECK;
enum err disk_sync_dir(const char *dir) MUST_CHECK;

/* Each name in a folder, in no order, and how many octets the file has. */
typedef enum err disk_name_fn(void *ctx, const char *name, uint64_t octets);
enum err disk_each(const char *dir, disk_name_fn *each, void *ctx) MUST_CHECK;

#endif

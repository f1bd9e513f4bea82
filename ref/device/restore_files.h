/*
 * Files of a backup that come from elsewhere: a session's upload, or another
 * host. They lie in a directory of their own beside the internal backups until
 * they are done with, and nobody has verified them.
 *
 * req: KS-23-071 KS-23-073 KS-23-075 KS-AA-036
 */
#ifndef DEVICE_RESTORE_FILES_H
#define DEVICE_RESTORE_FILES_H

#include "device/backup_file.h"
#include "device/transfer.h"

struct restore_files;

/*
 * ERR_FEATURE  the device has no place for backups
 * ERR_SYSTEM, ERR_NOMEM
 */
enum err restore_files_new(
    struct appliance *appliance, struct restore_files **out) MUST_CHECK;

/* The files are gone; a fetch has no done. Accepts NULL. */
void restore_files_free(struct restore_files *files);

/* What is left of them after a crash is gone. ERR_SYSTEM, ERR_NOMEM */
enum err restore_files_tidy(struct appliance *appliance) MUST_CHECK;

/* For restore_open, once they are there. */
const char *restore_files_dir(const struct restore_files *files);
const char *restore_files_base(const struct restore_files *files);

/* ---- upload ---- */

/*
 * More octets of the one file.
 *
 * ERR_LIMIT  more than BACKUP_FILE_LIMIT_OCTETS
 * ERR_DISK_FULL, ERR_SYSTEM
 *
 * req: KS-23-077
 */
enum err
restore_files_add(struct restore_files *files, struct bytes octets) MUST_CHECK;

/*
 * That was all.
 *
 * ERR_VALUE, ERR_TRUNCATED, ERR_STORE_VERSION  as backup_header_read
 * ERR_COUNT  it is one of several files
 *
 * req: KS-23-078
 */
enum err restore_files_end(struct restore_files *files) MUST_CHECK;

/* ---- from another host ---- */

/* Once; before restore_files_fetch returns where it cannot begin. why: a
 * sentence, without a secret */
typedef void restore_files_fn(void *ctx, enum err rc, const char *why);

/*
 * The file of that name in the place's directory, and where that is the zeroth
 * of several, all of them.
 *
 * place  its password is the transfer's from here on
 *
 * done's rc: as restore_files_end, and transfer_begin
 */
void
restore_files_fetch(struct restore_files *files, struct transfer_place *place,
    const char *name, restore_files_fn *done, void *ctx);

#endif

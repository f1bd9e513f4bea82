/*
 * The folder of one log: its current file and its archives. What is changed in
 * it is changed in one step: see device/logs.h, which has the names.
 *
 *	next          the current file to be, while one takes the other's place
 *	NAME.part     an archive in the making: the audit log's lines
 *	NAME.last     empty: the last rotation's archive is there no more; what
 *	              has been counted once is not counted anew
 *
 * Errors: those of store/disk.h.
 *
 * req: KS-20-017 KS-20-019 ESKM-207 ESKM-208
 */
#ifndef DEVICE_LOG_FOLDER_H
#define DEVICE_LOG_FOLDER_H

#include "device/logs.h"
#include "store/disk.h"

/* What a file is, by its name. */
enum log_name {
	LOG_NAME_OTHER,
	LOG_NAME_ARCHIVE,
	LOG_NAME_OUT,
	LOG_NAME_PART,
	LOG_NAME_LAST,
};

struct log_archive {
	enum log_name kind; /* a part: the disk refused to rename it yet */
	uint64_t serial;
	char stamp[LOGS_STAMP_OCTETS];
	uint64_t octets;
};

struct log_folder {
	char *dir;
	struct disk_file *current; /* NULL: the audit log's, or not open */
	bool is_next;              /* which could not be given its name yet */
	struct log_archive *archives; /* the oldest first */
	size_t count;
	size_t room;
	uint64_t last_serial;
	struct log_archive mark; /* kind OTHER: there is none */
};

/* From a name, and back. */
enum { LOG_NAME_OCTETS = 64 };
void log_name_read(const char *name, struct log_archive *out);
void
log_name_write(const struct log_archive *archive, char name[LOG_NAME_OCTETS]);

/* "2002-04-04 16:01:46", as clock_text has it, becomes its stamp. */
void log_stamp(const char *text, char stamp[LOGS_STAMP_OCTETS]);
/* Has an archive that stamp, or had the last one that has gone? */
bool log_folder_has(const struct log_folder *folder, const char *stamp);

/*
 * `folder` is zeroed but for dir. What was begun is finished or undone; half a
 * line at the end of the current file is cut off.
 *
 * taken  the serial of the last part that is an archive, whatever its name; and
 *        there is a current file, unless has_current says that the store has it
 */
enum err log_folder_open(
    struct log_folder *folder, bool has_current, uint64_t taken) MUST_CHECK;
void log_folder_close(struct log_folder *folder); /* keeps dir */

/*
 * Current becomes an archive, and a new one begins with this line. On an error
 * all is as it was.
 */
enum err log_folder_rotate(struct log_folder *folder, const char *stamp,
    struct bytes first_line) MUST_CHECK;

/* Current is empty. */
enum err log_folder_empty(struct log_folder *folder) MUST_CHECK;

/* A part, to be written and synced by the caller; its name is durable. */
enum err log_folder_part(struct log_folder *folder, const char *stamp,
    struct log_archive *part, struct disk_file **out) MUST_CHECK;
/* It is an archive, and has as many octets as `part` says; or it is gone. What
 * the disk says to that is in the log: the next start does it again. */
void log_folder_take(struct log_folder *folder, const struct log_archive *part);
void log_folder_drop(struct log_folder *folder, const struct log_archive *part);

/* Its place in `archives`. ERR_NOT_FOUND */
enum err log_folder_find(
    const struct log_folder *folder, uint64_t serial, size_t *at) MUST_CHECK;
enum err log_folder_remove(struct log_folder *folder, size_t at) MUST_CHECK;
enum err log_folder_put_out(struct log_folder *folder, size_t at) MUST_CHECK;

#endif

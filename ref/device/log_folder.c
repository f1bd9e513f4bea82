#include "device/log_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define CURRENT "current"
#define NEXT    "next"

enum { SERIAL_DIGITS = 8, SERIAL_MOST_DIGITS = 18, TAIL_OCTETS = 64 * 1024 };

static const char *const endings[] = {
    [LOG_NAME_OTHER] = NULL,
    [LOG_NAME_ARCHIVE] = "",
    [LOG_NAME_OUT] = ".out",
    [LOG_NAME_PART] = ".part",
    [LOG_NAME_LAST] = ".last",
};

/* ---- names ---- */

static bool
is_stamp(const char *text)
{
	static const char form[] = "0000-00-00_000000";
	size_t k;

	for (k = 0; k < sizeof(form) - 1; k++)
		if (form[k] == '0' ? text[k] < '0' || text[k] > '9'
				   : text[k] != form[k])
			return false;
	return true;
}

void
log_name_read(const char *name, struct log_archive *out)
{
	size_t digits = strspn(name, "0123456789");
	const char *stamp = name + digits + 1;
	unsigned k;

	memset(out, 0, sizeof(*out)); /* LOG_NAME_OTHER */
	if (digits < SERIAL_DIGITS || digits > SERIAL_MOST_DIGITS ||
	    (digits > SERIAL_DIGITS && name[0] == '0') || name[digits] != '.' ||
	    !is_stamp(stamp))
		return;
	for (k = 0; k < digits; k++)
		out->serial = out->serial * 10 + (uint64_t)(name[k] - '0');
	memcpy(out->stamp, stamp, LOGS_STAMP_OCTETS - 1);
	for (k = LOG_NAME_ARCHIVE; k <= LOG_NAME_LAST; k++)
		if (out->serial != 0 &&
		    strcmp(stamp + LOGS_STAMP_OCTETS - 1, endings[k]) == 0)
			out->kind = (enum log_name)k;
}

void
log_name_write(const struct log_archive *archive, char name[LOG_NAME_OCTETS])
{
	(void)snprintf(name, LOG_NAME_OCTETS, "%0*" PRIu64 ".%s%s",
	    SERIAL_DIGITS, archive->serial, archive->stamp,
	    endings[archive->kind]);
}

void
log_stamp(const char *text, char stamp[LOGS_STAMP_OCTETS])
{
	(void)snprintf(stamp, LOGS_STAMP_OCTETS, "%.10s_%.2s%.2s%.2s", text,
	    text + 11, text + 14, text + 17);
}

bool
log_folder_has(const struct log_folder *folder, const char *stamp)
{
	size_t k;

	for (k = 0; k < folder->count; k++)
		if (strcmp(folder->archives[k].stamp, stamp) == 0)
			return true;
	return strcmp(folder->mark.stamp, stamp) == 0;
}

/* ---- the list ---- */

static enum err
make_room(struct log_folder *folder)
{
	size_t room = folder->room * 2 + 16;
	struct log_archive *more;

	if (folder->count < folder->room)
		return OK;
	more = mem_regrow(folder->archives, room, sizeof(*more));
	if (more == NULL)
		return ERR_NOMEM;
	folder->archives = more;
	folder->room = room;
	return OK;
}

/* There is room. */
static void
list(struct log_folder *folder, const struct log_archive *archive)
{
	size_t at = folder->count++;

	for (; at > 0 && folder->archives[at - 1].serial > archive->serial;
	     at--)
		folder->archives[at] = folder->archives[at - 1];
	folder->archives[at] = *archive;
	if (archive->serial > folder->last_serial)
		folder->last_serial = archive->serial;
}

static void
unlist(struct log_folder *folder, size_t at)
{
	folder->count--;
	memmove(folder->archives + at, folder->archives + at + 1,
	    (folder->count - at) * sizeof(*folder->archives));
}

/* Its name is to be of another kind. */
static enum err
call(struct log_folder *folder, size_t at, enum log_name kind)
{
	struct log_archive *archive = &folder->archives[at];
	struct log_archive wanted = *archive;
	char from[LOG_NAME_OCTETS];
	char to[LOG_NAME_OCTETS];
	enum err rc = OK;

	wanted.kind = kind;
	log_name_write(archive, from);
	log_name_write(&wanted, to);
	TRY(disk_rename(folder->dir, from, to));
	archive->kind = kind;
	TRY(disk_sync_dir(folder->dir));
out:
	return rc;
}

enum err
log_folder_find(const struct log_folder *folder, uint64_t serial, size_t *at)
{
	for (*at = 0; *at < folder->count; (*at)++)
		if (folder->archives[*at].serial == serial)
			return OK;
	return ERR_NOT_FOUND;
}

/* ---- what was left ---- */

struct found {
	struct log_folder *folder;
	uint64_t taken;
	bool current;
	bool next;
	struct log_archive begun; /* no archive; kind OTHER: there is none */
};

static enum err
find(void *ctx, const char *name, uint64_t octets)
{
	struct found *found = ctx;
	struct log_archive archive;
	enum err rc = OK;

	found->current = found->current || strcmp(name, CURRENT) == 0;
	found->next = found->next || strcmp(name, NEXT) == 0;
	log_name_read(name, &archive);
	if (archive.kind == LOG_NAME_OTHER)
		goto out;
	archive.octets = octets;
	if (archive.kind == LOG_NAME_PART && archive.serial > found->taken) {
		found->begun = archive;
		goto out;
	}
	if (archive.kind == LOG_NAME_LAST) {
		if (archive.serial > found->folder->mark.serial)
			found->folder->mark = archive;
		goto out;
	}
	TRY(make_room(found->folder));
	list(found->folder, &archive);
out:
	return rc;
}

/* Archives that are still called parts. */
static enum err
name_parts(struct log_folder *folder)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < folder->count; k++)
		if (folder->archives[k].kind == LOG_NAME_PART)
			TRY(call(folder, k, LOG_NAME_ARCHIVE));
out:
	return rc;
}

/* A power cut may have left half a line. */
static enum err
mend(struct log_folder *folder)
{
	uint64_t octets = disk_octets(folder->current);
	uint8_t *tail = NULL;
	size_t have = octets < TAIL_OCTETS ? (size_t)octets : TAIL_OCTETS;
	size_t keep = have;
	uint64_t there;
	ssize_t n;
	int fd;
	enum err rc = OK;

	if (have == 0)
		return OK;
	TRY(disk_read_fd(folder->dir, CURRENT, &fd, &there));
	rc = MEM_ARRAY(tail, have);
	n = rc == OK ? pread(fd, tail, have, (off_t)(octets - have)) : 0;
	(void)close(fd);
	TRY(rc);
	if (n != (ssize_t)have)
		TRY(ERR_SYSTEM);
	while (keep > 0 && tail[keep - 1] != '\n')
		keep--;
	if (keep != have)
		TRY(disk_cut(folder->current, octets - have + keep));
out:
	mem_free(tail);
	return rc;
}

/* req: KS-20-016 */
static enum err
open_current(struct log_folder *folder, const struct found *found)
{
	enum err rc = OK;

	if (found->next && found->current)
		TRY(disk_remove(folder->dir, NEXT));
	else if (found->next)
		TRY(disk_rename(folder->dir, NEXT, CURRENT));
	TRY(disk_open(folder->dir, CURRENT, &folder->current));
	TRY(mend(folder));
out:
	return rc;
}

enum err
log_folder_open(struct log_folder *folder, bool has_current, uint64_t taken)
{
	struct found found = {.folder = folder, .taken = taken};
	enum err rc = OK;

	TRY(disk_make_dir(folder->dir));
	TRY(disk_each(folder->dir, find, &found));
	if (folder->last_serial < taken)
		folder->last_serial = taken;
	if (folder->last_serial < folder->mark.serial)
		folder->last_serial = folder->mark.serial;
	TRY(name_parts(folder));
	if (found.begun.kind != LOG_NAME_OTHER)
		log_folder_drop(folder, &found.begun);
	if (has_current)
		TRY(open_current(folder, &found));
	TRY(disk_sync_dir(folder->dir));
out:
	if (rc != OK)
		log_folder_close(folder);
	return rc;
}

void
log_folder_close(struct log_folder *folder)
{
	disk_close(folder->current);
	folder->current = NULL;
	mem_free(folder->archives);
	folder->archives = NULL;
	folder->count = 0;
	folder->room = 0;
	folder->last_serial = 0;
	folder->mark = (struct log_archive){.kind = LOG_NAME_OTHER};
	folder->is_next = false;
}

/* ---- rotation ---- */

/* The current file to be, with a line or without, durable. */
static enum err
make_next(struct log_folder *folder, struct bytes line, struct disk_file **out)
{
	struct disk_file *next = NULL;
	enum err rc = OK;

	if (folder->is_next) {
		TRY(disk_rename(folder->dir, NEXT, CURRENT));
		TRY(disk_sync_dir(folder->dir));
		folder->is_next = false;
	}
	TRY(disk_remove(folder->dir, NEXT));
	TRY(disk_open(folder->dir, NEXT, &next));
	if (line.octets != 0)
		TRY(disk_append(next, line));
	TRY(disk_sync(next));
	TRY(disk_sync_dir(folder->dir));
	*out = next;
	next = NULL;
out:
	if (next != NULL)
		(void)!disk_remove(folder->dir, NEXT);
	disk_close(next);
	return rc;
}

/* req: KS-20-017 KS-20-019 ESKM-207 ESKM-208 */
enum err
log_folder_rotate(
    struct log_folder *folder, const char *stamp, struct bytes first_line)
{
	struct log_archive archive = {
	    .kind = LOG_NAME_ARCHIVE, .serial = folder->last_serial + 1};
	struct disk_file *next = NULL;
	char name[LOG_NAME_OCTETS];
	enum err rc = OK;

	if (folder->current == NULL)
		return ERR_SYSTEM;
	(void)strcpy(archive.stamp, stamp);
	archive.octets = disk_octets(folder->current);
	log_name_write(&archive, name);
	TRY(make_room(folder));
	TRY(make_next(folder, first_line, &next));
	TRY(disk_sync(folder->current));
	TRY(disk_rename(folder->dir, CURRENT, name));
	/* it is decided: where the disk fails now, the next start finishes */
	list(folder, &archive);
	disk_close(folder->current);
	folder->current = next;
	next = NULL;
	folder->is_next = disk_sync_dir(folder->dir) != OK ||
			  disk_rename(folder->dir, NEXT, CURRENT) != OK;
	if (folder->is_next || disk_sync_dir(folder->dir) != OK)
		log_line("device", LOG_ERROR, "%s: new names are not durable",
		    folder->dir);
out:
	if (next != NULL)
		(void)!disk_remove(folder->dir, NEXT);
	disk_close(next);
	return rc;
}

enum err
log_folder_empty(struct log_folder *folder)
{
	struct disk_file *next = NULL;
	enum err rc = OK;

	if (folder->current == NULL)
		return ERR_SYSTEM;
	TRY(make_next(folder, BYTES_NONE, &next));
	TRY(disk_rename(folder->dir, NEXT, CURRENT));
	disk_close(folder->current);
	folder->current = next;
	next = NULL;
	TRY(disk_sync_dir(folder->dir));
out:
	disk_close(next);
	return rc;
}

/* ---- parts ---- */

enum err
log_folder_part(struct log_folder *folder, const char *stamp,
    struct log_archive *part, struct disk_file **out)
{
	char name[LOG_NAME_OCTETS];
	enum err rc = OK;

	*part = (struct log_archive){
	    .kind = LOG_NAME_PART, .serial = folder->last_serial + 1};
	(void)strcpy(part->stamp, stamp);
	log_name_write(part, name);
	TRY(make_room(folder));
	TRY(disk_remove(folder->dir, name));
	TRY(disk_open(folder->dir, name, out));
	rc = disk_sync_dir(folder->dir);
	if (rc != OK) {
		disk_close(*out);
		*out = NULL;
	}
out:
	return rc;
}

void
log_folder_take(struct log_folder *folder, const struct log_archive *part)
{
	list(folder, part); /* log_folder_part has made room */
	if (name_parts(folder) != OK)
		log_line("device", LOG_ERROR, "%s: an archive has no name yet",
		    folder->dir);
}

void
log_folder_drop(struct log_folder *folder, const struct log_archive *part)
{
	char name[LOG_NAME_OCTETS];

	log_name_write(part, name);
	if (disk_remove(folder->dir, name) != OK)
		log_line(
		    "device", LOG_ERROR, "%s: %s is left", folder->dir, name);
}

/* ---- archives ---- */

/* The last one is about to go. Its mark takes the place of the one before. */
static enum err
leave_mark(struct log_folder *folder, const struct log_archive *archive)
{
	struct log_archive mark = *archive;
	struct disk_file *file = NULL;
	char name[LOG_NAME_OCTETS];
	enum err rc = OK;

	mark.kind = LOG_NAME_LAST;
	log_name_write(&mark, name);
	TRY(disk_open(folder->dir, name, &file));
	disk_close(file);
	TRY(disk_sync_dir(folder->dir));
	if (folder->mark.kind != LOG_NAME_OTHER) {
		log_name_write(&folder->mark, name);
		TRY(disk_remove(folder->dir, name));
	}
	folder->mark = mark;
out:
	return rc;
}

enum err
log_folder_remove(struct log_folder *folder, size_t at)
{
	const struct log_archive *archive = &folder->archives[at];
	char name[LOG_NAME_OCTETS];
	enum err rc = OK;

	if (archive->serial == folder->last_serial &&
	    archive->serial != folder->mark.serial)
		TRY(leave_mark(folder, archive));
	log_name_write(archive, name);
	TRY(disk_remove(folder->dir, name));
	unlist(folder, at);
	TRY(disk_sync_dir(folder->dir));
out:
	return rc;
}

enum err
log_folder_put_out(struct log_folder *folder, size_t at)
{
	return call(folder, at, LOG_NAME_OUT);
}

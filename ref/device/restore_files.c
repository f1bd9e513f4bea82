#include "device/restore_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/file.h"
#include "base/mem.h"
#include "device/appliance.h"

#define FOLDER ".incoming"

struct restore_files {
	struct appliance *appliance;
	char *dir;
	struct backup_header header;
	int fd; /* of the first file */
	uint64_t octets;
	/* ---- fetching ---- */
	struct transfer_place place; /* without its password */
	struct secret *password;
	struct transfer *transfer;
	restore_files_fn *done;
	void *ctx;
};

/* ---- the place ---- */

static enum err
folder_path(const struct appliance *appliance, char **out)
{
	if (appliance->backup_dir == NULL)
		return ERR_FEATURE;
	return mem_printf(out, "%s/" FOLDER, appliance->backup_dir);
}

enum err
restore_files_tidy(struct appliance *appliance)
{
	if (appliance->backup_dir == NULL)
		return OK;
	return erase_in(appliance->backup_dir, FOLDER);
}

/* An upload has no name before its header is there. */
static enum err
file_make(const struct restore_files *files, const char *name, int *fd)
{
	char *path = NULL;
	enum err rc = OK;

	TRY(mem_printf(&path, "%s/%s", files->dir, name));
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd < 0)
		TRY(ERR_SYSTEM);
out:
	mem_free(path);
	return rc;
}

static const char first_name[] = "file";

enum err
restore_files_new(struct appliance *appliance, struct restore_files **out)
{
	struct restore_files *files = NULL;
	char *folder = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(files));
	files->appliance = appliance;
	files->fd = -1;
	TRY(folder_path(appliance, &folder));
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		TRY(ERR_SYSTEM);
	TRY(mem_printf(&files->dir, "%s/XXXXXX", folder));
	if (mkdtemp(files->dir) == NULL) {
		mem_free(files->dir);
		files->dir = NULL;
		TRY(ERR_SYSTEM);
	}
	TRY(file_make(files, first_name, &files->fd));
	*out = files;
	files = NULL;
out:
	mem_free(folder);
	restore_files_free(files);
	return rc;
}

void
restore_files_free(struct restore_files *files)
{
	if (files == NULL)
		return;
	transfer_drop(files->transfer);
	secret_free(files->password);
	if (files->fd >= 0)
		(void)close(files->fd);
	/* where that fails it is tried again at the next start */
	if (files->dir != NULL && erase_path(files->dir) != OK)
		(void)rmdir(files->dir);
	mem_free(files->dir);
	mem_free(files);
}

const char *
restore_files_dir(const struct restore_files *files)
{
	return files->dir;
}

const char *
restore_files_base(const struct restore_files *files)
{
	return files->header.base;
}

/* ---- the first file ---- */

/* It says what it is; now it can be called so. */
static enum err
name_first(struct restore_files *files)
{
	char name[BACKUP_FILE_NAME_OCTETS];
	char *from = NULL;
	char *to = NULL;
	enum err rc = OK;

	TRY(mem_printf(&from, "%s/%s", files->dir, first_name));
	TRY(backup_header_of(from, &files->header));
	/* part of a path from here on */
	if (files->header.base[0] == '\0' || files->header.base[0] == '.' ||
	    strchr(files->header.base, '/') != NULL)
		TRY(ERR_VALUE);
	if (files->header.file != 0)
		TRY(ERR_COUNT);
	backup_file_name(files->header.base, 0, name);
	TRY(mem_printf(&to, "%s/%s", files->dir, name));
	if (rename(from, to) != 0)
		TRY(ERR_SYSTEM);
out:
	mem_free(from);
	mem_free(to);
	return rc;
}

enum err
restore_files_add(struct restore_files *files, struct bytes octets)
{
	if (octets.octets > BACKUP_FILE_LIMIT_OCTETS - files->octets)
		return ERR_LIMIT;
	files->octets += octets.octets;
	return file_write(files->fd, octets);
}

enum err
restore_files_end(struct restore_files *files)
{
	enum err rc = OK;

	TRY(name_first(files));
	if (files->header.files != 1)
		TRY(ERR_COUNT);
out:
	return rc;
}

/* ---- from another host ---- */

static void
tell(struct restore_files *files, enum err rc, const char *why)
{
	char text[CHANGE_WHY_OCTETS];

	(void)snprintf(text, sizeof(text), "%s",
	    rc != OK && *why == '\0' ? err_text(rc) : why);
	transfer_drop(files->transfer);
	files->transfer = NULL;
	files->done(files->ctx, rc, text);
}

static void
all_fetched(struct transfer *transfer, enum err rc)
{
	struct restore_files *files = transfer->ctx;

	tell(files, rc, transfer->why);
}

/* Nobody has verified what the first file says; but the others can be held to
 * it, so that no host fills the disk. */
static uint64_t
most_octets(const struct restore_files *files)
{
	uint64_t all = files->header.octets;

	return all != 0 && all < BACKUP_FILE_MOST_OCTETS
		   ? all
		   : BACKUP_FILE_MOST_OCTETS;
}

static enum err
transfer_make(struct restore_files *files,
    void (*done)(struct transfer *transfer, enum err rc), struct transfer **out)
{
	enum err rc = OK;

	TRY(transfer_new(files->appliance, out));
	(*out)->direction = TRANSFER_FETCH;
	(*out)->place = files->place;
	(*out)->most_octets = most_octets(files);
	(*out)->done = done;
	(*out)->ctx = files;
	if (files->password != NULL)
		TRY(secret_copy(
		    secret_peek(files->password), &(*out)->place.password));
out:
	return rc;
}

static enum err
transfer_add_file(
    struct restore_files *files, struct transfer *transfer, unsigned number)
{
	char name[BACKUP_FILE_NAME_OCTETS];
	int fd = -1;
	enum err rc = OK;

	backup_file_name(files->header.base, number, name);
	TRY(file_make(files, name, &fd));
	rc = transfer_add(transfer, name, fd);
	(void)close(fd);
out:
	return rc;
}

static enum err
fetch_others(struct restore_files *files, struct transfer **transfer)
{
	unsigned k;
	enum err rc = OK;

	TRY(transfer_make(files, all_fetched, transfer));
	for (k = 1; k < files->header.files; k++)
		TRY(transfer_add_file(files, *transfer, k));
	transfer_begin(*transfer);
out:
	return rc;
}

static void
first_fetched(struct transfer *transfer, enum err rc)
{
	struct restore_files *files = transfer->ctx;

	if (rc != OK) {
		tell(files, rc, transfer->why);
		return;
	}
	transfer_drop(transfer);
	files->transfer = NULL;
	rc = name_first(files);
	if (rc == OK && files->header.files > 1) {
		rc = fetch_others(files, &files->transfer);
		if (rc == OK)
			return;
	}
	tell(files, rc, "");
}

static enum err
fetch_first(struct restore_files *files, const char *name)
{
	enum err rc = OK;

	TRY(transfer_make(files, first_fetched, &files->transfer));
	TRY(transfer_add(files->transfer, name, files->fd));
	transfer_begin(files->transfer);
out:
	return rc;
}

void
restore_files_fetch(struct restore_files *files, struct transfer_place *place,
    const char *name, restore_files_fn *done, void *ctx)
{
	enum err rc;

	files->place = *place;
	files->password = place->password;
	files->place.password = NULL;
	place->password = NULL;
	files->done = done;
	files->ctx = ctx;
	rc = fetch_first(files, name);
	if (rc != OK)
		tell(files, rc,
		    files->transfer != NULL ? files->transfer->why : "");
}

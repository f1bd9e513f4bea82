#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "device/backup_format.h"

struct backup_writer {
	char *dir;
	const struct backup_keys *keys;
	struct backup_header header;
	uint64_t limit_octets;
	uint64_t file_octets; /* of the file that is open */
	uint64_t chunks;
	struct buf pending; /* rows that are not in a file yet */
	struct buf room;    /* of a chunk, or a header */
	int fd;             /* -1: none */
	bool ended;
};

static enum err
failed(const char *what)
{
	log_line("backup", LOG_ERROR, "%s: %s", what, strerror(errno));
	return errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_SYSTEM;
}

static enum err
write_at(int fd, struct bytes in, uint64_t place)
{
	enum err rc = file_write_at(fd, in, place);

	return rc == OK ? OK : failed("a backup's file");
}

static enum err
path_of(const struct backup_writer *w, unsigned file, char **out)
{
	char name[BACKUP_FILE_NAME_OCTETS];

	backup_file_name(w->header.base, file, name);
	return mem_printf(out, "%s/%s", w->dir, name);
}

/* The next file, with room for its header, which is written at the end. */
static enum err
file_begin(struct backup_writer *w)
{
	char *path = NULL;
	enum err rc = OK;

	if (w->header.files == BACKUP_FILES_MOST)
		TRY(ERR_LIMIT);
	w->header.file = w->header.files;
	TRY(path_of(w, w->header.files, &path));
	w->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0)
		TRY(failed(path));
	w->header.files++;
	TRY(backup_header_write(&w->header, w->keys, &w->room));
	w->file_octets = w->room.octets;
out:
	mem_free(path);
	return rc;
}

static void
file_end(struct backup_writer *w)
{
	w->header.octets += w->file_octets;
	(void)close(w->fd);
	w->fd = -1;
}

/* Could another whole chunk go into this file? */
static bool
file_has_room(const struct backup_writer *w)
{
	return w->file_octets + 2 * BACKUP_CHUNK_FILE_OCTETS <= w->limit_octets;
}

static enum err
chunk_write(struct backup_writer *w, enum backup_mark mark, size_t octets)
{
	struct backup_place place = {w->header.file, w->chunks};
	struct bytes plain = {w->pending.at, octets};
	uint8_t nonce[AEAD_NONCE_OCTETS];
	uint8_t aad[BACKUP_AAD_OCTETS];
	uint8_t *at;
	enum err rc = OK;

	buf_reset(&w->room);
	TRY(buf_reserve(&w->room, BACKUP_CHUNK_FILE_OCTETS, &at));
	backup_chunk_head(mark, octets, at);
	backup_chunk_bind(&place, at, nonce, aad);
	TRY(aead_seal(secret_peek(w->keys->chunks).at, nonce,
	    (struct bytes){aad, sizeof(aad)}, plain,
	    at + BACKUP_CHUNK_HEAD_OCTETS));
	buf_added(
	    &w->room, BACKUP_CHUNK_HEAD_OCTETS + octets + AEAD_TAG_OCTETS);
	TRY(write_at(w->fd, buf_peek(&w->room), w->file_octets));
	w->file_octets += w->room.octets;
	w->chunks++;
	buf_drop(&w->pending, octets);
out:
	return rc;
}

enum err
backup_writer_new(
    const struct backup_writer_config *config, struct backup_writer **out)
{
	struct backup_writer *w = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(w));
	w->fd = -1;
	w->keys = config->keys;
	w->limit_octets = config->limit_octets != 0 ? config->limit_octets
						    : BACKUP_FILE_LIMIT_OCTETS;
	buf_init(&w->pending, BACKUP_CHUNK_OCTETS + BACKUP_ROW_HEAD_OCTETS +
				  BACKUP_ROW_MAX_OCTETS);
	buf_init(&w->room, BACKUP_CHUNK_FILE_OCTETS);
	if (strlen(config->base) > BACKUP_BASE_OCTETS ||
	    strlen(config->description) > BACKUP_DESCRIPTION_OCTETS)
		TRY(ERR_LIMIT);
	(void)strcpy(w->header.base, config->base);
	(void)strcpy(w->header.description, config->description);
	w->header.made_s = config->made_s;
	w->header.iterations = config->iterations;
	memcpy(w->header.salt, config->salt, BACKUP_SALT_OCTETS);
	if ((w->dir = mem_strdup(config->dir)) == NULL)
		TRY(ERR_NOMEM);
	TRY(file_begin(w));
	*out = w;
	w = NULL;
out:
	backup_writer_free(w);
	return rc;
}

enum err
backup_writer_put(struct backup_writer *w, const struct backup_row *row)
{
	enum err rc = OK;

	assert(!w->ended);
	TRY(backup_row_write(row, &w->pending));
	while (w->pending.octets > BACKUP_CHUNK_OCTETS) {
		bool more = file_has_room(w);

		TRY(chunk_write(
		    w, more ? MARK_MORE : MARK_FILE, BACKUP_CHUNK_OCTETS));
		if (!more) {
			file_end(w);
			TRY(file_begin(w));
		}
	}
out:
	return rc;
}

/* What is known only now: how many files, and how large they are. */
static enum err
header_put(struct backup_writer *w, unsigned file)
{
	char *path = NULL;
	int fd = -1;
	enum err rc = OK;

	w->header.file = file;
	TRY(path_of(w, file, &path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		TRY(failed(path));
	TRY(backup_header_write(&w->header, w->keys, &w->room));
	TRY(write_at(fd, buf_peek(&w->room), 0));
	if (fsync(fd) != 0)
		TRY(failed(path));
out:
	if (fd >= 0)
		(void)close(fd);
	mem_free(path);
	return rc;
}

enum err
backup_writer_end(struct backup_writer *w)
{
	unsigned k;
	enum err rc = OK;

	TRY(chunk_write(w, MARK_END, w->pending.octets));
	file_end(w);
	for (k = 0; k < w->header.files; k++)
		TRY(header_put(w, k));
	TRY(erase_sync_dir(w->dir));
	w->header.file = 0;
	w->ended = true;
out:
	return rc;
}

const struct backup_header *
backup_writer_header(const struct backup_writer *w)
{
	return &w->header;
}

static void
remove_files(struct backup_writer *w)
{
	unsigned k;

	for (k = 0; k < w->header.files; k++) {
		char *path;

		if (path_of(w, k, &path) == OK)
			(void)unlink(path);
		mem_free(path);
	}
}

void
backup_writer_free(struct backup_writer *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0)
		(void)close(w->fd);
	if (!w->ended)
		remove_files(w);
	buf_clear(&w->pending);
	buf_clear(&w->room);
	mem_free(w->dir);
	mem_free(w);
}

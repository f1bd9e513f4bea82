#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "device/backup_format.h"

struct file {
	int fd;         /* -1: not open */
	uint64_t begin; /* of its first chunk */
	uint64_t octets;
};

struct backup_reader {
	struct file *files; /* as many as the header says */
	struct backup_header header;
	struct backup_keys *keys;
	struct backup_place place; /* of the next chunk */
	uint64_t offset;           /* in its file */
	bool ended;                /* the last chunk has been read */
	struct buf room;           /* of a chunk as it is in the file */
	struct buf plain;          /* rows */
	size_t taken;              /* of it, by the rows that were shown */
	bool has[ITEM_COUNT];
	uint64_t rows[ITEM_COUNT];
};

/* ---- octets ---- */

/* All of them; fewer are there: ERR_SEAL, as it was cut off. */
static enum err
read_at(int fd, uint8_t *at, size_t octets, uint64_t place)
{
	enum err rc = file_read_at(fd, at, octets, place);

	return rc == ERR_TRUNCATED ? ERR_SEAL : rc;
}

static enum err
file_open(const char *dir, const char *base, unsigned number, struct file *out)
{
	char name[BACKUP_FILE_NAME_OCTETS];
	struct stat st;
	char *path = NULL;
	enum err rc = OK;

	backup_file_name(base, number, name);
	TRY(mem_printf(&path, "%s/%s", dir, name));
	out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (out->fd < 0)
		TRY(errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM);
	if (fstat(out->fd, &st) != 0)
		TRY(ERR_SYSTEM);
	if (!S_ISREG(st.st_mode))
		TRY(ERR_VALUE);
	out->octets = (uint64_t)st.st_size;
out:
	mem_free(path);
	return rc;
}

/* ---- headers ---- */

/* keys: NULL while they cannot be derived yet: it is not verified. */
static enum err
header_take(struct file *file, const struct backup_keys *keys,
    struct backup_header *out)
{
	uint8_t at[BACKUP_HEADER_MAX_OCTETS];
	struct bytes in = {at, sizeof(at)};
	size_t octets = 0;
	enum err rc = OK;

	if (file->octets < in.octets)
		in.octets = (size_t)file->octets;
	TRY(read_at(file->fd, at, in.octets, 0));
	TRY(backup_header_read(in, out, &octets));
	file->begin = octets;
	if (keys != NULL)
		TRY(backup_header_verify((struct bytes){at, octets}, keys));
out:
	return rc;
}

/* One backup's, but for their numbers. The salt is what no other has. */
static bool
belongs(const struct backup_header *a, const struct backup_header *b)
{
	return memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
	       strcmp(a->base, b->base) == 0 &&
	       strcmp(a->description, b->description) == 0 &&
	       a->made_s == b->made_s && a->octets == b->octets &&
	       a->files == b->files && a->iterations == b->iterations;
}

static enum err
open_others(struct backup_reader *r, const char *dir, const char *base)
{
	uint64_t octets = r->files[0].octets;
	struct backup_header header;
	unsigned k;
	enum err rc = OK;

	for (k = 1; k < r->header.files; k++) {
		TRY(file_open(dir, base, k, &r->files[k]));
		TRY(header_take(&r->files[k], r->keys, &header));
		if (header.file != k || !belongs(&header, &r->header))
			TRY(ERR_SEAL);
		octets += r->files[k].octets;
	}
	if (octets != r->header.octets)
		TRY(ERR_SEAL);
out:
	return rc;
}

/* ---- chunks ---- */

static enum err
chunk_open(
    struct backup_reader *r, const uint8_t *head, size_t octets, uint8_t *out)
{
	uint8_t nonce[AEAD_NONCE_OCTETS];
	uint8_t aad[BACKUP_AAD_OCTETS];
	size_t sealed = octets + AEAD_TAG_OCTETS;
	uint8_t *at;
	enum err rc = OK;

	buf_reset(&r->room);
	TRY(buf_reserve(&r->room, sealed, &at));
	TRY(read_at(r->files[r->place.file].fd, at, sealed,
	    r->offset + BACKUP_CHUNK_HEAD_OCTETS));
	backup_chunk_bind(&r->place, head, nonce, aad);
	TRY(aead_open(secret_peek(r->keys->chunks).at, nonce,
	    (struct bytes){aad, sizeof(aad)}, (struct bytes){at, sealed}, out));
out:
	return rc;
}

/* Where the next one is; nothing else is behind this one than it says. */
static enum err
chunk_step(struct backup_reader *r, enum backup_mark mark)
{
	bool at_end = r->offset == r->files[r->place.file].octets;
	bool is_last = r->place.file + 1 == r->header.files;

	r->place.number++;
	switch (mark) {
	case MARK_MORE:
		return OK;
	case MARK_FILE:
		if (!at_end || is_last)
			return ERR_SEAL;
		r->place.file++;
		r->offset = r->files[r->place.file].begin;
		return OK;
	case MARK_END:
		break;
	}
	r->ended = true;
	return at_end && is_last ? OK : ERR_SEAL;
}

static enum err
chunk_read(struct backup_reader *r)
{
	uint8_t head[BACKUP_CHUNK_HEAD_OCTETS];
	enum backup_mark mark;
	size_t octets;
	uint8_t *at;
	enum err rc = OK;

	TRY(read_at(r->files[r->place.file].fd, head, sizeof(head), r->offset));
	if (!backup_chunk_parse(head, &mark, &octets))
		TRY(ERR_SEAL);
	buf_drop(&r->plain, r->taken);
	r->taken = 0;
	TRY(buf_reserve(&r->plain, octets, &at));
	TRY(chunk_open(r, head, octets, at));
	buf_added(&r->plain, octets);
	r->offset += BACKUP_CHUNK_HEAD_OCTETS + octets + AEAD_TAG_OCTETS;
	TRY(chunk_step(r, mark));
out:
	return rc;
}

/* That many octets of rows, behind what was taken. */
static enum err
rows_need(struct backup_reader *r, size_t octets)
{
	enum err rc = OK;

	while (r->plain.octets - r->taken < octets) {
		if (r->ended)
			TRY(ERR_VALUE); /* half a row */
		TRY(chunk_read(r));
	}
out:
	return rc;
}

/* ---- rows ---- */

enum err
backup_reader_next(struct backup_reader *r, struct backup_row *out)
{
	struct bytes in;
	size_t octets;
	enum err rc = OK;

	if (r->ended && r->plain.octets == r->taken)
		return ERR_NOT_FOUND;
	TRY(rows_need(r, BACKUP_ROW_HEAD_OCTETS));
	octets = bytes_u32(r->plain.at + r->taken);
	if (octets > BACKUP_ROW_MAX_OCTETS)
		TRY(ERR_VALUE);
	TRY(rows_need(r, BACKUP_ROW_HEAD_OCTETS + octets));
	in = (struct bytes){
	    r->plain.at + r->taken + BACKUP_ROW_HEAD_OCTETS, octets};
	TRY(backup_row_read(in, out));
	r->taken += BACKUP_ROW_HEAD_OCTETS + octets;
out:
	return rc;
}

void
backup_reader_rewind(struct backup_reader *r)
{
	r->place = (struct backup_place){0, 0};
	r->offset = r->files[0].begin;
	r->ended = false;
	r->taken = 0;
	buf_reset(&r->plain);
}

/* An item says that it is there before anything of it comes, once. */
static enum err
row_count(struct backup_reader *r, const struct backup_row *row)
{
	bool is_item = bytes_equal_text(row->kind, BACKUP_KIND_ITEM);

	if (is_item == r->has[row->item])
		return ERR_VALUE;
	if (is_item)
		r->has[row->item] = true;
	else
		r->rows[row->item]++;
	return OK;
}

static enum err
row_check(const struct backup_row *row)
{
	struct object *o = NULL;
	bool sealed;
	enum err rc = OK;

	if (bytes_equal_text(row->kind, BACKUP_KIND_OBJECT)) {
		rc = backup_object_read(row, &o, &sealed);
		object_free(o);
		if (rc != OK && rc != ERR_NOMEM && rc != ERR_STORE_VERSION)
			rc = ERR_VALUE;
	}
	return rc;
}

static enum err
check_all(struct backup_reader *r)
{
	struct backup_row row;
	enum err rc = OK;

	backup_reader_rewind(r);
	while ((rc = backup_reader_next(r, &row)) == OK) {
		TRY(row_count(r, &row));
		TRY(row_check(&row));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	backup_reader_rewind(r);
out:
	return rc;
}

/* ---- opening ---- */

static void
explain(enum err rc, const char *base, char why[BACKUP_WHY_OCTETS])
{
	const char *what = "";

	if (rc == ERR_NOT_FOUND)
		what = "not all files of the backup are there";
	else if (rc == ERR_SEAL)
		what = "the Backup Password is not the one that it was made "
		       "with, or the backup has been changed";
	else if (rc == ERR_VALUE || rc == ERR_TRUNCATED)
		what = "this is no backup";
	else if (rc == ERR_STORE_VERSION)
		what = "the backup was made by a newer release";
	else
		what = err_text(rc);
	(void)snprintf(why, BACKUP_WHY_OCTETS, "%s: %s", base, what);
}

static enum err
reader_new(unsigned files, struct backup_reader **out)
{
	struct backup_reader *r = NULL;
	unsigned k;
	enum err rc = OK;

	TRY(MEM_NEW(r));
	buf_init(&r->room, BACKUP_CHUNK_FILE_OCTETS);
	buf_init(&r->plain, BACKUP_ROW_HEAD_OCTETS + BACKUP_ROW_MAX_OCTETS +
				BACKUP_CHUNK_OCTETS);
	TRY(MEM_ARRAY(r->files, files));
	for (k = 0; k < files; k++)
		r->files[k].fd = -1;
	r->header.files = files;
	*out = r;
	r = NULL;
out:
	backup_reader_close(r);
	return rc;
}

enum err
backup_reader_open(const char *dir, const char *base, struct bytes password,
    struct backup_reader **out, char why[BACKUP_WHY_OCTETS])
{
	struct backup_reader *r = NULL;
	struct backup_header header;
	struct file first = {.fd = -1};
	enum err rc = OK;

	*out = NULL;
	*why = '\0';
	TRY(file_open(dir, base, 0, &first));
	TRY(header_take(&first, NULL, &header));
	if (header.file != 0)
		TRY(ERR_VALUE);
	TRY(reader_new(header.files, &r));
	r->header = header;
	r->files[0] = first;
	first.fd = -1;
	TRY(backup_keys_new(
	    password, header.salt, header.iterations, &r->keys));
	TRY(header_take(&r->files[0], r->keys, &header));
	if (!belongs(&header, &r->header)) /* changed meanwhile */
		TRY(ERR_SEAL);
	TRY(open_others(r, dir, base));
	TRY(check_all(r));
	*out = r;
	r = NULL;
out:
	if (rc != OK)
		explain(rc, base, why);
	if (first.fd >= 0)
		(void)close(first.fd);
	backup_reader_close(r);
	return rc == ERR_TRUNCATED ? ERR_VALUE : rc;
}

void
backup_reader_close(struct backup_reader *r)
{
	unsigned k;

	if (r == NULL)
		return;
	for (k = 0; r->files != NULL && k < r->header.files; k++)
		if (r->files[k].fd >= 0)
			(void)close(r->files[k].fd);
	mem_free(r->files);
	backup_keys_free(r->keys);
	buf_clear(&r->room);
	buf_clear(&r->plain);
	mem_free(r);
}

const struct backup_header *
backup_reader_header(const struct backup_reader *r)
{
	return &r->header;
}

const struct backup_keys *
backup_reader_keys(const struct backup_reader *r)
{
	return r->keys;
}

bool
backup_reader_has(const struct backup_reader *r, enum backup_item item)
{
	return r->has[item];
}

uint64_t
backup_reader_rows(const struct backup_reader *r, enum backup_item item)
{
	return r->rows[item];
}

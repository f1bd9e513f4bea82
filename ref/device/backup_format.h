/*
 * Private to the writer and the reader of backup files: the layout that
 * docs/backup-format.md describes.
 */
#ifndef DEVICE_BACKUP_FORMAT_H
#define DEVICE_BACKUP_FORMAT_H

#include "crypto/aead.h"
#include "device/backup_file.h"

enum {
	BACKUP_VERSION = 1,
	BACKUP_OLDEST_READER = 1,
	BACKUP_FIXED_OCTETS = 55, /* of a header, before its texts */
	BACKUP_MAC_OCTETS = 32,
	BACKUP_CHUNK_HEAD_OCTETS = 4,
	BACKUP_CHUNK_FILE_OCTETS =
	    BACKUP_CHUNK_HEAD_OCTETS + BACKUP_CHUNK_OCTETS + AEAD_TAG_OCTETS,
	BACKUP_ROW_HEAD_OCTETS = 4,
};

/* What follows a chunk. */
enum backup_mark {
	MARK_MORE, /* another one */
	MARK_FILE, /* the next file */
	MARK_END,  /* nothing: it was the last */
};

struct backup_keys {
	struct secret *header;
	struct secret *chunks;
	struct secret *secrets;
};

/* One chunk's place. */
struct backup_place {
	unsigned file;
	uint64_t number; /* in all files, from 0 */
};

/* The header, with its code. ERR_LIMIT: its texts are too long */
enum err backup_header_write(const struct backup_header *header,
    const struct backup_keys *keys, struct buf *out) MUST_CHECK;

/* Is the code of a whole header (which backup_header_read has read) right?
 * ERR_SEAL */
enum err backup_header_verify(
    struct bytes header, const struct backup_keys *keys) MUST_CHECK;

/* The four octets before a chunk; back: false, there is no such chunk. */
void backup_chunk_head(enum backup_mark mark, size_t octets,
    uint8_t head[BACKUP_CHUNK_HEAD_OCTETS]);
bool backup_chunk_parse(const uint8_t head[BACKUP_CHUNK_HEAD_OCTETS],
    enum backup_mark *mark, size_t *octets);

/* Nonce and associated data of a chunk. */
enum { BACKUP_AAD_OCTETS = BACKUP_CHUNK_HEAD_OCTETS + 2 };
void backup_chunk_bind(const struct backup_place *place,
    const uint8_t head[BACKUP_CHUNK_HEAD_OCTETS],
    uint8_t nonce[AEAD_NONCE_OCTETS], uint8_t aad[BACKUP_AAD_OCTETS]);

/* A row's octets, its length first; and back, `in` without the length.
 *
 * ERR_VALUE          no row, or one of an item or kind that it cannot be of
 * ERR_STORE_VERSION  of an item or kind that this release does not know
 */
enum err
backup_row_write(const struct backup_row *row, struct buf *out) MUST_CHECK;
enum err backup_row_read(struct bytes in, struct backup_row *out) MUST_CHECK;

#endif

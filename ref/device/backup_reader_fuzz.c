/*
 * Backup files: what anybody may bring. The first octet says which part of the
 * reader gets the rest: a header; a row, or all that a file holds, as who knows
 * the password could write them; or a whole file. The first inputs are of
 * kept/backup-1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/ossl.h"
#include "device/backup_format.h"

#define PASSWORD "Lamp7.Orchid"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

static const char *
dir_once(void)
{
	static char dir[] = "/tmp/backup_fuzz.XXXXXX";
	static bool made;

	if (!made && (ossl_init() != OK || mkdtemp(dir) == NULL))
		abort();
	made = true;
	return dir;
}

static void
header(struct bytes in)
{
	struct backup_header out;
	size_t octets;

	if (backup_header_read(in, &out, &octets) == OK && octets > in.octets)
		abort();
}

static void
one_row(struct bytes in)
{
	struct backup_row row;
	struct object *o;
	bool sealed;

	if (backup_row_read(in, &row) != OK ||
	    !bytes_equal_text(row.kind, BACKUP_KIND_OBJECT))
		return;
	if (backup_object_read(&row, &o, &sealed) == OK)
		object_free(o);
}

static void
write_file(struct bytes in)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/kept_0_bkp", dir_once());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, in.at, in.octets) != (ssize_t)in.octets)
		abort();
	(void)close(fd);
}

/* All of it, as a restore goes through it. */
static void
read_file(void)
{
	struct backup_reader *r;
	struct backup_row row;
	char why[BACKUP_WHY_OCTETS];

	if (backup_reader_open(
		dir_once(), "kept", bytes_of_text(PASSWORD), &r, why) != OK)
		return;
	while (backup_reader_next(r, &row) == OK) {
		struct secret *secret = NULL;
		struct object *o = NULL;
		bool sealed;

		if (bytes_equal_text(row.kind, BACKUP_KIND_OBJECT) &&
		    backup_object_read(&row, &o, &sealed) == OK)
			object_free(o);
		if (backup_secret_open(backup_reader_keys(r), row.kind, row.key,
			"value", row.secrets, &secret) == OK)
			secret_free(secret);
	}
	backup_reader_close(r);
}

/* Its keys are derived in no time. */
static void
file(struct bytes in)
{
	struct backup_header said;

	if (backup_header_read(in, &said, NULL) == OK && said.iterations > 10)
		return;
	write_file(in);
	read_file();
}

static const struct backup_keys *
keys_once(const struct backup_header *header)
{
	static struct backup_keys *keys;

	if (dir_once() != NULL && keys == NULL &&
	    backup_keys_new(bytes_of_text(PASSWORD), header->salt,
		header->iterations, &keys) != OK)
		abort();
	return keys;
}

/* One chunk, whose mark is the first octet. */
static void
contents(struct bytes in)
{
	static uint8_t sealed[BACKUP_CHUNK_OCTETS + AEAD_TAG_OCTETS];
	struct backup_header header = {
	    .iterations = 1, .files = 1, .base = "kept"};
	const struct backup_keys *keys = keys_once(&header);
	const struct backup_place place = {.file = 0};
	uint8_t head[BACKUP_CHUNK_HEAD_OCTETS], aad[BACKUP_AAD_OCTETS];
	uint8_t nonce[AEAD_NONCE_OCTETS];
	struct bytes mark;
	struct buf out;

	if (bytes_split(&in, 1, &mark) != OK || in.octets > BACKUP_CHUNK_OCTETS)
		return;
	backup_chunk_head((enum backup_mark)(mark.at[0] % 3), in.octets, head);
	backup_chunk_bind(&place, head, nonce, aad);
	buf_init(&out, 2 * BACKUP_CHUNK_FILE_OCTETS);
	if (backup_header_write(&header, keys, &out) != OK)
		abort();
	header.octets = out.octets + sizeof(head) + in.octets + AEAD_TAG_OCTETS;
	buf_reset(&out);
	if (backup_header_write(&header, keys, &out) != OK ||
	    aead_seal(secret_peek(keys->chunks).at, nonce,
		(struct bytes){aad, sizeof(aad)}, in, sealed) != OK ||
	    buf_put(&out, (struct bytes){head, sizeof(head)}) != OK ||
	    buf_put(&out,
		(struct bytes){sealed, in.octets + AEAD_TAG_OCTETS}) != OK)
		abort();
	write_file(buf_peek(&out));
	buf_clear(&out);
	read_file();
}

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	struct bytes in = {at, octets};
	struct bytes which;

	if (bytes_split(&in, 1, &which) != OK)
		return 0;
	switch (which.at[0] % 4) {
	case 0:
		header(in);
		break;
	case 1:
		one_row(in);
		break;
	case 2:
		contents(in);
		break;
	default:
		file(in);
		break;
	}
	return 0;
}

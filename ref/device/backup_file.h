/*
 * Backup files: their writer and their reader. docs/backup-format.md has them
 * octet by octet.
 *
 * A backup is one file, or several when it is large: NAME_0_bkp, NAME_1_bkp and
 * so on. Each begins with a header in the clear (name, date, size,
 * description), which whoever has the file can read, and change nowhere without
 * being found out. All else is encrypted and authenticated under keys that are
 * derived from the password: rows, each of an item of backup_item.def.
 *
 *	kind "item"    the item is part of the backup, whether or not anything
 *	               of it follows; before all its rows, once
 *	kind "object"  a managed object, as backup_object_write has it
 *	others         a record as it is in the store (store/record.h), of a
 *	               kind of backup_item.def, without what is sealed in it
 *
 * What was sealed by this appliance - object keys, private keys, passwords - is
 * in the row's `secrets` instead, wrapped under a key of its own from the
 * password: no key of the HSM or of this machine is needed to open it.
 *
 * Everything here is for any one thread at a time; deriving keys is slow by
 * design, and reading and writing wait for the disk: workers do both.
 *
 * req: KS-23-014 KS-23-015 KS-23-055 KS-23-056 ESKM-127
 */
#ifndef DEVICE_BACKUP_FILE_H
#define DEVICE_BACKUP_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/secret.h"
#include "device/backup_item.h"
#include "model/object.h"

enum {
	BACKUP_NAME_OCTETS = 64, /* as a person enters it; ours */
	/* "-scheduled-yyyy-mm-dd-hhmmss" behind it */
	BACKUP_BASE_OCTETS = BACKUP_NAME_OCTETS + 28,
	BACKUP_FILE_NAME_OCTETS = BACKUP_BASE_OCTETS + sizeof("_1234_bkp"),
	BACKUP_DESCRIPTION_OCTETS = 1024, /* ours */
	BACKUP_PASSWORD_OCTETS = 30,      /* req: KS-23-017 */
	BACKUP_SALT_OCTETS = 16,
	BACKUP_ITERATIONS_MOST = 10000000,
	BACKUP_CHUNK_OCTETS = 65536,
	BACKUP_ROW_MAX_OCTETS = 4 * 1024 * 1024,
	BACKUP_FILES_MOST = 1000,
	BACKUP_HEADER_MAX_OCTETS = 2048,
	/* The largest that a browser may bring back. req: KS-23-077 */
	BACKUP_FILE_LIMIT_OCTETS = 100 * 1024 * 1024,
	/* ... and that is made: the most of SETTING_BACKUP_FILE_MB */
	BACKUP_FILE_MOST_OCTETS = 1024 * 1024 * 1024,
};

/* ---------------------------------------------------------------------------
 * Names and headers: what needs no password
 */

/* "foo_1_bkp". */
void backup_file_name(
    const char *base, unsigned number, char out[BACKUP_FILE_NAME_OCTETS]);

/* Back: false, it is no name of a backup's file. */
bool backup_file_parse(struct bytes file_name,
    char base[BACKUP_BASE_OCTETS + 1], unsigned *number);

struct backup_header {
	char
	    base[BACKUP_BASE_OCTETS + 1]; /* name, or that of a scheduled run */
	char description[BACKUP_DESCRIPTION_OCTETS + 1];
	int64_t made_s;  /* wall time, UTC */
	uint64_t octets; /* of all its files together */
	unsigned files;  /* how many there are */
	unsigned file;   /* which of them this is, from 0 */
	unsigned iterations;
	uint8_t
	    salt[BACKUP_SALT_OCTETS]; /* the same in each, and in no other */
};

/*
 * What the beginning of a file says, `in` being BACKUP_HEADER_MAX_OCTETS of it
 * or all there is. Nothing has been verified then.
 *
 * octets  where the header ends; may be NULL
 *
 * ERR_VALUE          it is no backup
 * ERR_TRUNCATED      it ends inside the header
 * ERR_STORE_VERSION  made by a newer release, and not readable by this one
 */
enum err backup_header_read(
    struct bytes in, struct backup_header *out, size_t *octets) MUST_CHECK;

/* Of the file at that path. ERR_SYSTEM, and as above. */
enum err
backup_header_of(const char *path, struct backup_header *out) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * Keys
 */

struct backup_keys;

/*
 * Derived from the password: takes as long as `iterations` say. For a worker.
 *
 * ERR_CRYPTO, ERR_NOMEM
 */
enum err
backup_keys_new(struct bytes password, const uint8_t salt[BACKUP_SALT_OCTETS],
    unsigned iterations, struct backup_keys **out) MUST_CHECK;
void backup_keys_free(struct backup_keys *keys); /* wipes; accepts NULL */

/*
 * A secret of the row `kind` `key`, of that name in it, wrapped for the file
 * and opened again. Appended to `out`, as fields do (device/fields.h): several
 * can follow each other. They are microseconds, and from any thread.
 *
 * name  of a record: the field that it was in; of an object: "value"
 *
 * ERR_SEAL       another row's, changed, or of another backup
 * ERR_NOT_FOUND  open: the row has no secret of that name
 */
enum err backup_secret_wrap(const struct backup_keys *keys, struct env *env,
    struct bytes kind, struct bytes key, const char *name, struct bytes plain,
    struct buf *out) MUST_CHECK;
enum err backup_secret_open(const struct backup_keys *keys, struct bytes kind,
    struct bytes key, const char *name, struct bytes secrets,
    struct secret **out) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * Rows
 */

#define BACKUP_KIND_ITEM   "item"
#define BACKUP_KIND_OBJECT "object"

struct backup_row {
	enum backup_item item;
	struct bytes kind;    /* "item", "object", or a record's */
	struct bytes key;     /* of a record; an object's Unique Identifier */
	struct bytes value;   /* of a record; of an object as below */
	struct bytes secrets; /* as backup_secret_wrap leaves them */
};

/*
 * A managed object as a row's value: type, owner, attributes with its card,
 * and where it is not sealed its value. What is sealed goes to `secrets` as
 * "value". Appended.
 *
 * ERR_LIMIT  it is longer than a row can be
 * ERR_NOMEM
 */
enum err
backup_object_write(const struct object *o, struct buf *out) MUST_CHECK;

/*
 * Back. Where the row has a secret "value" the object has none yet, and
 * *sealed says so: open the secret, seal it anew (keystore_seal, under
 * value_version) and object_set_value.
 *
 * ERR_VALUE          it is no object
 * ERR_STORE_VERSION  of a newer release
 */
enum err backup_object_read(
    const struct backup_row *row, struct object **out, bool *sealed) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * Writing
 */

struct backup_writer;

struct backup_writer_config {
	const char *dir; /* exists; the files are made in it */
	const char *base;
	const char *description;
	int64_t made_s;
	const uint8_t *salt;            /* BACKUP_SALT_OCTETS, of chance */
	unsigned iterations;            /* with which `keys` were derived */
	const struct backup_keys *keys; /* borrowed */
	uint64_t limit_octets; /* of a file; 0: BACKUP_FILE_LIMIT_OCTETS */
};

/*
 * config  read now; `keys` are borrowed until backup_writer_free
 *
 * ERR_LIMIT  base or description is too long
 * ERR_DISK_FULL, ERR_SYSTEM, ERR_NOMEM
 */
enum err backup_writer_new(const struct backup_writer_config *config,
    struct backup_writer **out) MUST_CHECK;

/*
 * ERR_LIMIT      longer than BACKUP_ROW_MAX_OCTETS, or BACKUP_FILES_MOST files
 * ERR_DISK_FULL, ERR_SYSTEM  the files are useless then
 */
enum err backup_writer_put(
    struct backup_writer *w, const struct backup_row *row) MUST_CHECK;

/* The last chunk and the headers: on the disk, each file. Errors as above. */
enum err backup_writer_end(struct backup_writer *w) MUST_CHECK;

/* What it says of the backup, after backup_writer_end. */
const struct backup_header *backup_writer_header(const struct backup_writer *w);

/* Unless it was ended its files are removed. Accepts NULL. */
void backup_writer_free(struct backup_writer *w);

/* ---------------------------------------------------------------------------
 * Reading
 */

struct backup_reader;

/*
 * Open DIR/BASE_0_bkp and those that belong to it, and verify them ALL: every
 * octet, every row's form. Nothing of a backup is to be used before this has
 * said OK. It reads all files once, in bounded memory: for a worker.
 *
 * why  on ERR_VALUE and ERR_SEAL: a sentence for whoever asked; never a secret
 *
 * ERR_NOT_FOUND      there is no BASE_0_bkp, or not each file that belongs to
 *                    it
 * ERR_VALUE          it is no backup, or what is in it is not well formed
 * ERR_SEAL           the password is another one, or something was changed, cut
 *                    off, swapped, repeated or added
 * ERR_STORE_VERSION  made by a newer release
 * ERR_SYSTEM, ERR_CRYPTO, ERR_NOMEM
 *
 * req: KS-23-018 ESKM-129 ESKM-130
 */
enum { BACKUP_WHY_OCTETS = 256 };
enum err
backup_reader_open(const char *dir, const char *base, struct bytes password,
    struct backup_reader **out, char why[BACKUP_WHY_OCTETS]) MUST_CHECK;
void backup_reader_close(struct backup_reader *r); /* accepts NULL */

/* Borrowed: as of file 0, and now verified. */
const struct backup_header *backup_reader_header(const struct backup_reader *r);
const struct backup_keys *backup_reader_keys(const struct backup_reader *r);

/* Is this item in it? And how many rows it has, that of the item not counted.
 */
bool backup_reader_has(const struct backup_reader *r, enum backup_item item);
uint64_t
backup_reader_rows(const struct backup_reader *r, enum backup_item item);

/*
 * The next row, from the first; what it points at is valid until the next call.
 * Every chunk is verified again as it is read, so that files that are changed
 * meanwhile are found out.
 *
 * ERR_NOT_FOUND  there are no more
 * others         as backup_reader_open
 */
enum err
backup_reader_next(struct backup_reader *r, struct backup_row *out) MUST_CHECK;

/* From the first row again. */
void backup_reader_rewind(struct backup_reader *r);

#endif

/*
 * Backups: what is chosen for one, how it is made, and those that are kept on
 * the device.
 *
 * Internal backups lie in DIR/backup/BASE/, each with its files. A directory
 * gets its name when all of its files are on the disk, and loses it before any
 * of them is removed, so that no half backup is ever listed. What is under way
 * is in DIR/backup/.making, which the next start removes.
 *
 * req: KS-23-001 KS-23-002
 */
#ifndef DEVICE_BACKUP_H
#define DEVICE_BACKUP_H

#include "device/appliance.h"
#include "device/backup_file.h"
#include "device/transfer.h"

/* ---------------------------------------------------------------------------
 * What is chosen, of what there is to make, or of what a backup has to restore
 */

enum backup_which {
	BACKUP_ALL,
	BACKUP_NONE,
	BACKUP_NAMED, /* these */
	BACKUP_QUERY, /* keys only: what a query finds; never on restoring */
};

/* Of keys, certificates, local CAs; zeroed: all. */
struct backup_choice {
	enum backup_which which;
	struct buf names; /* of BACKUP_NAMED, a NUL behind each; of
			     BACKUP_QUERY the query's, likewise */
};

/*
 * In the caller's memory; zeroed: nothing. An item whose choice is BACKUP_NONE
 * counts as not chosen.
 */
struct backup_selection {
	bool items[ITEM_COUNT];
	struct backup_choice keys;
	struct backup_choice certificates;
	struct backup_choice cas;
};

void backup_selection_init(struct backup_selection *selection); /* nothing */
void backup_selection_clear(struct backup_selection *selection);

/* "Select All": each item but those that have to be asked for alone.
 * req: KS-23-006 KS-23-011 */
void backup_selection_all(struct backup_selection *selection);

/* Adds a name to what is BACKUP_NAMED from then on. ERR_LIMIT, ERR_NOMEM */
enum err
backup_choose(struct backup_choice *choice, struct bytes name) MUST_CHECK;
bool backup_choice_has(const struct backup_choice *choice, struct bytes name);

/* Reads on: each name of a choice, of `buf_peek(&choice->names)`. */
bool backup_choice_next(struct bytes *names, struct bytes *name);

/* As fields (device/fields.h), and back into one that is empty.
 * ERR_VALUE  it is none */
enum err backup_selection_write(
    const struct backup_selection *selection, struct buf *out) MUST_CHECK;
enum err backup_selection_read(
    struct bytes in, struct backup_selection *selection) MUST_CHECK;

/* Is anything of it chosen? And of this part? */
bool
backup_selects(const struct backup_selection *selection, enum backup_item item);
bool backup_selects_part(
    const struct backup_selection *selection, enum backup_part part);

/*
 * Is this row of a backup chosen, or this record to be put into one? The choice
 * of keys goes by their names, that of certificates and local CAs by the
 * record's key (what a CA has issued goes with it).
 *
 * key_name  of a row of ITEM_KEYS: its Key Name; else ignored
 */
bool backup_selects_row(const struct backup_selection *selection,
    const struct backup_row *row, struct bytes key_name);

/* ---------------------------------------------------------------------------
 * Making
 */

enum backup_destination {
	BACKUP_INTERNAL,
	BACKUP_DOWNLOAD, /* handed to `done` */
	BACKUP_SENT,     /* to another host */
};

/* "Special characters and whitespace are not allowed in backup names".
 * req: KS-23-013 */
bool backup_name_is_valid(struct bytes name, const char **rule);
bool backup_description_is_valid(struct bytes text, const char **rule);
/* req: KS-23-017 ESKM-126 */
bool backup_password_is_valid(struct bytes password, const char **rule);

/*
 * Is the selection one that can be made, by this administrator? Each part of it
 * takes an access control of its own.
 *
 * ERR_DENIED  an access control is missing: why says which
 * ERR_FIELD   nothing is selected; a key, certificate, local CA or query that
 *             there is not: why
 *
 * req: KS-15-090 KS-15-091 KS-15-092 KS-23-004
 */
enum err backup_permit(struct appliance *appliance, const struct principal *by,
    const struct backup_selection *selection,
    char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * One backup, from backup_make_new to backup_make_drop.
 *
 * It is one moment of the store: a worker copies that (store_copy_new), derives
 * the keys, reads and writes. What was sealed comes to the loop to be opened
 * and wrapped, some rows in a turn. Backups are made one after the other; one
 * that comes meanwhile waits.
 *
 * Who may has been asked (backup_permit).
 */
struct backup_make {
	/* ---- set by who asks ---- */
	char base[BACKUP_BASE_OCTETS + 1];
	char description[BACKUP_DESCRIPTION_OCTETS + 1];
	struct secret *password; /* the make's from here on */
	struct backup_selection selection;
	enum backup_destination destination;
	struct transfer_place place; /* BACKUP_SENT; its password is the
					make's from here on */
	/* from the loop, later, once */
	void (*done)(struct backup_make *make, enum err rc);
	void *ctx;
	/* ---- what came of it ---- */
	struct backup_header header;
	char why[CHANGE_WHY_OCTETS]; /* not OK: for people */
	int *fds; /* BACKUP_DOWNLOAD: its files, which have no name any more;
		     as many as the header says */
	/* ---- its own ---- */
	struct appliance *appliance;
	struct backup_job *job;
	struct transfer *transfer;
};

/* ERR_NOMEM */
enum err backup_make_new(
    struct appliance *appliance, struct backup_make **out) MUST_CHECK;

/*
 * done's rc:
 *
 * ERR_EXISTS     there is an internal backup of that name
 * ERR_HSM, ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER  keys cannot be opened now
 * ERR_NOT_FOUND  the query is gone
 * ERR_DISK_FULL, ERR_SYSTEM, the store's
 * BACKUP_SENT: what transfer_begin has
 *
 * Nothing is left of a backup that fails, but files that the other host has
 * taken before.
 */
void backup_make_begin(struct backup_make *make);

/* At any time: no done, and what is under way is given up. Accepts NULL. */
void backup_make_drop(struct backup_make *make);

/* ---------------------------------------------------------------------------
 * Internal backups
 */

/*
 * In the order of their names. What has no readable header is left out; the log
 * says so. Its error ends the walk and is returned.
 *
 * ERR_SYSTEM  the place of backups cannot be read
 * ERR_NOMEM
 *
 * req: KS-23-087
 */
typedef enum err backup_fn(void *ctx, const struct backup_header *header);
enum err
backup_each(struct appliance *appliance, backup_fn *each, void *ctx) MUST_CHECK;

/* ERR_NOT_FOUND */
enum err backup_find(struct appliance *appliance, struct bytes base,
    struct backup_header *out) MUST_CHECK;

/* Where its files are, for backup_reader_open. ERR_NOT_FOUND, ERR_NOMEM */
enum err backup_dir(
    struct appliance *appliance, struct bytes base, char **out) MUST_CHECK;

/* One of its files, to be read and closed. ERR_NOT_FOUND, ERR_SYSTEM,
 * ERR_NOMEM */
enum err backup_open(struct appliance *appliance, struct bytes base,
    unsigned file, int *fd) MUST_CHECK;

/*
 * It is gone for good. In the effect of a change: no transaction brings it
 * back.
 *
 * ERR_NOT_FOUND, ERR_SYSTEM
 *
 * req: KS-23-089
 */
enum err
backup_delete(struct appliance *appliance, struct bytes base) MUST_CHECK;

/*
 * appliance_open calls it: what was under way when the power went is removed.
 * With NULL for appliance->backup_dir there is no place for backups: in tests.
 *
 * ERR_SYSTEM  the place cannot be made or tidied; the log says why
 * ERR_NOMEM
 */
struct backups;
enum err
backups_new(struct appliance *appliance, struct backups **out) MUST_CHECK;
void backups_free(struct backups *backups); /* accepts NULL */

/* Jobs of its thread that are not done, those that were left behind included:
 * what they work on is still in use. */
unsigned backups_running(const struct backups *backups);

/* No appliance is open there. ERR_SYSTEM */
enum err backups_erase(const char *dir) MUST_CHECK;

#endif

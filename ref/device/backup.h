/*
 * Backups: what is chosen for one, and the backups that are kept on the
 * device.
 *
 * Internal backups lie in DIR/backup/BASE/, each with its files. A directory
 * gets its name when all of its files are on the disk, so that no half backup
 * is ever listed.
 *
 * req: KS-23-001 KS-23-002
 */
#ifndef DEVICE_BACKUP_H
#define DEVICE_BACKUP_H

#include "device/appliance.h"
#include "device/backup_file.h"

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

#endif

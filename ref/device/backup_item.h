/*
 * What a backup consists of: the rows of backup_item.def, for who makes, shows
 * and restores backups, and for settings, which name the item that has them.
 *
 * req: KS-15-090 KS-15-091 KS-15-092 KS-23-006 KS-23-012
 */
#ifndef DEVICE_BACKUP_ITEM_H
#define DEVICE_BACKUP_ITEM_H

#include "device/act.h"

enum backup_item {
#define ITEM(symbol, ...) symbol,
#include "device/backup_item.def"
	ITEM_COUNT,
	ITEM_NONE,   /* in no backup */
	ITEM_OF_ROW, /* of kinds: the setting's row says it */
};

/* Whose access control: of one to make it, another to restore it. */
enum backup_part {
#define PART(symbol, ...) symbol,
#include "device/backup_item.def"
	PART_COUNT,
};

struct backup_part_row {
	enum act make;
	enum act restore;
	const char *title;
};
const struct backup_part_row *backup_part_row(enum backup_part part);

enum backup_chosen { WITH_ALL, ALONE };

struct backup_item_row {
	const char *word;
	const char *title;
	unsigned page; /* 1 or 2 */
	enum backup_part part;
	enum backup_chosen chosen;
};
const struct backup_item_row *backup_item_row(enum backup_item item);

/* By its whole word; false: there is none. */
bool backup_item_find(struct bytes word, enum backup_item *out);

/* What seals a field of a record's value. */
enum backup_seal {
	SEAL_NONE,
	SEAL_KEYSTORE, /* crypto/keystore.h, as "KIND/KEY", version 1 */
	SEAL_VAULT,    /* crypto/vault.h, as "KIND/KEY" */
};

struct backup_kind_row {
	const char *kind;
	const char *key; /* "": any */
	enum backup_item item;
	const char *sealed; /* "": no field of it */
	enum backup_seal seal;
	const char *fleeting; /* "": none */
};

/*
 * All rows, `n` from 0; NULL behind the last. And the one of a record; NULL:
 * none, it is not in this release.
 */
const struct backup_kind_row *backup_kind_nth(size_t n);
const struct backup_kind_row *
backup_kind_find(struct bytes kind, struct bytes key);

/* Is a field of that name one that is not restored? */
bool backup_is_fleeting(const struct backup_kind_row *row, struct bytes name);

/* The item of a record, that of a setting by its row. ITEM_NONE: none. */
enum backup_item backup_item_of_record(struct bytes kind, struct bytes key);

#endif

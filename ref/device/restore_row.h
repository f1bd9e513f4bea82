/*
 * Private to device/restore*.c: a restore as it is staged.
 *
 * "restore" NUMBER, fields:
 *
 *	item     the word of each that is selected; a list
 *	append   1: what is there stays (personality "eskm"); absent: it goes
 *	records  how many rows of 'r' it has
 *	objects  and of 'o'
 *	name     the backup's
 *	by       who restored it
 *	asked    and when; wall time
 *
 * "restore.row" NUMBER and
 *
 *	'r' PLACE  a record of the appliance: kind, key, value
 *	'o' PLACE  a managed object: key (its identifier), value (as
 *	           backup_object_write has it), sealed: its value
 *	'v' ID     an object that has older versions and is restored; no value
 *
 * NUMBER and PLACE are 8 octets, in the order in which they come into force.
 */
#ifndef DEVICE_RESTORE_ROW_H
#define DEVICE_RESTORE_ROW_H

#include <assert.h>
#include <string.h>

#include "device/restore.h"
#include "store/record.h"

#define RESTORE_KIND     "restore"
#define RESTORE_ROW_KIND "restore.row"

enum {
	RESTORE_NUMBER_OCTETS = 8,
	RESTORE_PREFIX_OCTETS = RESTORE_NUMBER_OCTETS + 1,
	RESTORE_KEY_OCTETS = RESTORE_PREFIX_OCTETS + OBJECT_ID_MAX_OCTETS,
};

#define RESTORE_RECORD  'r'
#define RESTORE_OBJECT  'o'
#define RESTORE_VERSION 'v'

/* NUMBER, the letter, and `rest`; all of it in `room`. */
static inline struct bytes
restore_row_key(uint8_t room[RESTORE_KEY_OCTETS], uint64_t number, char letter,
    struct bytes rest)
{
	assert(rest.octets <= OBJECT_ID_MAX_OCTETS);
	bytes_put_u64(room, number);
	room[RESTORE_NUMBER_OCTETS] = (uint8_t)letter;
	if (rest.octets != 0)
		memcpy(room + RESTORE_PREFIX_OCTETS, rest.at, rest.octets);
	return (struct bytes){room, RESTORE_PREFIX_OCTETS + rest.octets};
}

static inline uint64_t
restore_number(struct bytes key)
{
	return key.octets < RESTORE_NUMBER_OCTETS
		   ? 0
		   : (uint64_t)bytes_u32(key.at) << 32 | bytes_u32(key.at + 4);
}

/* "U" of "U.n". */
static inline struct bytes
restore_key_of_version(struct bytes id)
{
	while (id.octets != 0 && id.at[id.octets - 1] != '.')
		id.octets--;
	if (id.octets != 0)
		id.octets--;
	return id;
}

/* What nobody needs any more is deleted in the turns to come. */
void restores_tidy(struct restores *restores);

/* May who asks do all of these, with those who confirm it? ERR_DENIED */
enum err restore_permit(
    struct change *change, const enum act *acts, size_t count) MUST_CHECK;

#endif

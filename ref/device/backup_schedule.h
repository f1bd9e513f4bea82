/*
 * Backups that are made by themselves.
 *
 * With the personality keysecure-6.2 there is one at most, sent by SCP: saved
 * first, and in force when it has been told to be made daily, weekly or
 * monthly, at midnight. With eskm there are any number, each with its day and
 * time, internal or by SCP.
 *
 * Records: "backup.schedule", by name; its two passwords are sealed
 * (crypto/vault.h) as "backup.schedule/NAME/FIELD".
 *
 *	description, host, port, directory, user, protocol, destination
 *	every, weekday, day, ordinal, hour, minute
 *	item, keys, certificates, local-cas   as backup_selection_write
 *	password, remote-password             sealed
 *	last, file, status                    of the run that was last
 *
 * Time is that of the wall, in the time zone of the device. What comes while
 * the device is off, or is passed over when the clock is set, is not made up
 * for. In a month without that day it is the month's last one; a time that does
 * not come on a day is the first behind the gap.
 *
 * Source: guide chapter 23; ESKM's "Schedule a Backup"
 */
#ifndef DEVICE_BACKUP_SCHEDULE_H
#define DEVICE_BACKUP_SCHEDULE_H

#include "device/backup.h"

enum backup_every {
	EVERY_NONE, /* saved, and not in force */
	EVERY_DAY,
	EVERY_WEEK,    /* on `weekday` */
	EVERY_MONTH,   /* on `day` */
	EVERY_ORDINAL, /* on the `ordinal` `weekday` of the month */
};

enum { BACKUP_STATUS_OCTETS = 256, ORDINAL_LAST = 5 };

struct backup_schedule {
	char name[BACKUP_NAME_OCTETS + 1];
	char description[BACKUP_DESCRIPTION_OCTETS + 1];
	struct backup_selection selection;
	enum backup_destination destination; /* not BACKUP_DOWNLOAD */
	struct transfer_place place; /* without its password, once read */
	enum backup_every every;
	unsigned weekday; /* 0: Monday */
	unsigned day;     /* 1 to 31 */
	unsigned ordinal; /* 1 to 4, or ORDINAL_LAST */
	unsigned hour;
	unsigned minute;
	int64_t last_s; /* 0: there was no run yet */
	char file[BACKUP_BASE_OCTETS + 1];
	char status[BACKUP_STATUS_OCTETS];
	struct buf sealed; /* fields of the passwords, as the record has them */
};

void backup_schedule_init(struct backup_schedule *schedule);
void backup_schedule_clear(struct backup_schedule *schedule);

/* ERR_NOT_FOUND, ERR_STORE */
enum err backup_schedule_read(struct store *st, struct bytes name,
    struct backup_schedule *out) MUST_CHECK;

/* In the order of names. It must not write. */
typedef enum err
backup_schedule_fn(void *ctx, const struct backup_schedule *schedule);
enum err backup_schedule_each(
    struct store *st, backup_schedule_fn *each, void *ctx) MUST_CHECK;

/* Seals the passwords of a new one. remote: NULL, none
 * ERR_CONFIG, ERR_LIMIT, ERR_SYSTEM: as vault_seal has them */
enum err backup_schedule_seal(struct appliance *appliance,
    struct backup_schedule *schedule, const struct secret *password,
    const struct secret *remote) MUST_CHECK;

/* For the apply of a change. Delete: ERR_NOT_FOUND. Others: the store's. */
enum err backup_schedule_write(
    struct store *st, const struct backup_schedule *schedule) MUST_CHECK;
enum err backup_schedule_delete(struct store *st, struct bytes name) MUST_CHECK;
/* req: KS-23-036 KS-23-050 */
enum err backup_schedule_delete_all(struct store *st) MUST_CHECK;

/*
 * The first time behind `after_s` at which it is due; INT64_MAX: never.
 *
 * req: KS-23-047 ESKM-247 ESKM-248 ESKM-249 ESKM-250 ESKM-254
 */
int64_t backup_schedule_next(const struct clock *clock,
    const struct backup_schedule *schedule, int64_t after_s);

/* Somebody has changed schedules, durably. */
void backup_schedules_follow(struct appliance *appliance);

/* What appliance_open calls, behind backups_new; and before backups_free.
 * ERR_NOMEM */
struct backup_runs;
enum err backup_runs_new(
    struct appliance *appliance, struct backup_runs **out) MUST_CHECK;
void backup_runs_free(struct backup_runs *runs); /* accepts NULL */

#endif

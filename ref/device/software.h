/*
 * The software that runs, and the one before it.
 *
 * The program that a device is started with is the built-in release. Packages
 * (device/package.h) bring others: their programs lie in DIR/software/VERSION/,
 * and a record of the store says which of them is to run and which ran before,
 * so that it changes together with all else that an upgrade or a rollback
 * changes, or not at all. Whatever program is started looks there before it
 * opens the store, and gives way to the one that is to run.
 *
 *	upgrade   the present version becomes the previous one, and what belongs
 *	          to administrators (ITEM_ADMINS of backup_item.def) is set
 *	          aside
 *	rollback  the previous version, and administrators as they were set
 *	          aside; there is nothing before that, so it is done only once
 *
 * Either takes effect with the restart that follows it. Programs that no record
 * names any more are removed at the next start. How a package gets into its
 * folder is device/software_install.h's.
 *
 * The first start of a new version is a trial. A file in its folder says so
 * before the version is switched on, gets another name before its program is
 * started, and goes when the device has come up with it. Where the next start
 * finds that other name, the previous version is what starts, and does to the
 * store what a rollback does.
 *
 * Records, of this module only:
 *
 *	"software"          key "state": fields, see software.c
 *	"software.account"  a record that was set aside; its key is the kind, a
 *	                    zero octet and the key of that one
 *
 * None is replicated in a cluster or travels in a backup: each device is
 * upgraded by itself.
 *
 * req: KS-25-015 KS-25-023 KS-25-036 KS-25-037 KS-25-039 KS-25-044
 */
#ifndef DEVICE_SOFTWARE_H
#define DEVICE_SOFTWARE_H

#include "device/change.h"
#include "device/package.h"

#define SOFTWARE_PROGRAM "touchstone-ref" /* the component that runs */

enum { SOFTWARE_PATH_OCTETS = 1280 };

/* ---- what runs ---- */

/* "": there is none. */
struct software {
	char version[PACKAGE_VERSION_OCTETS + 1];
	int64_t installed_s; /* wall time; 0: not known */
	char previous[PACKAGE_VERSION_OCTETS + 1];
};

/* ERR_STORE, ERR_NOMEM */
enum err software_read(struct store *st, struct software *out) MUST_CHECK;

/* Its version, which cannot fail: that of this program where the store says
 * none. */
void software_version(
    struct appliance *appliance, char out[PACKAGE_VERSION_OCTETS + 1]);

/*
 * The device serves from here on: the date of a first start becomes that of the
 * built-in release's installation, and programs that nobody needs are removed.
 * What cannot be done is in the log.
 */
void software_ready(struct appliance *appliance);

/* ---- before the store is opened ---- */

enum software_trial {
	SOFTWARE_TRUSTED,
	SOFTWARE_NEW,  /* its next start is the first one */
	SOFTWARE_TRIED /* it did not come up, and there is a way back */
};

/* Paths of programs; "" for the built-in one. */
struct software_start {
	char folder[SOFTWARE_PATH_OCTETS];
	char path[SOFTWARE_PATH_OCTETS]; /* in it: what is to run */
	enum software_trial trial;
	char back[SOFTWARE_PATH_OCTETS]; /* where it was tried: the previous */
};

/*
 * Which program is to run in `dir`? Where the store cannot be read it is the
 * built-in one: it will say what is wrong.
 */
enum err
software_program(const char *dir, struct software_start *out) MUST_CHECK;

/* The program of a new version starts now. What cannot be done is in the
 * log. */
void software_try(const struct software_start *start);

/* ---- before anybody is let in ---- */

/*
 * The version that was tried did not come up, and this program is the one
 * before it: all that a rollback does, durable. It says what it was for the
 * system log.
 *
 * The store's errors; then nothing is changed
 */
enum { SOFTWARE_EVENT_OCTETS = 160 };
enum err software_fall_back(
    struct store *st, char event[SOFTWARE_EVENT_OCTETS]) MUST_CHECK;

/* The device has come up with the version that is to run. What cannot be done
 * is in the log. */
void software_trust(struct appliance *appliance);

/* A reset to factory settings: all of it. ERR_SYSTEM */
enum err software_erase(const char *dir) MUST_CHECK;

/* ---- another version ---- */

/*
 * May it come after what runs?
 *
 * ERR_FIELD  it is not newer: why, of `room` octets
 */
enum err software_judge(
    struct store *st, const char *version, char *why, size_t room) MUST_CHECK;

/*
 * An empty folder for its components; what was left there by one that was never
 * switched on is gone.
 *
 * out  its path, the caller's
 *
 * ERR_FEATURE  the device has no place for software
 * ERR_NOMEM, ERR_SYSTEM, ERR_DISK_FULL
 */
enum err software_folder_new(
    struct appliance *appliance, const char *version, char **out) MUST_CHECK;

/* All of them are in it: its first start is a trial, and all that is durable.
 * ERR_SYSTEM, ERR_DISK_FULL */
enum err software_folder_done(const char *folder) MUST_CHECK;

/*
 * In the apply of a change with ACT_UPGRADE: that version, whose folder is
 * done, is to run, and administrators are set aside.
 *
 * As software_judge
 */
enum err
software_upgrade(struct change *change, const char *version) MUST_CHECK;

/* ---- rolling back ---- */

/*
 * The apply of a change with ACT_ROLLBACK.
 *
 * ERR_FIELD  there is no previous version, its program is gone or cannot read
 *            what the store has become, or a restore waits for the restart: why
 */
enum err software_rollback(struct change *change) MUST_CHECK;

#endif

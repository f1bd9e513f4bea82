/*
 * Restoring backups (device/backup_file.h).
 *
 *	restore_open -> done: the whole of it is verified, its contents can be
 *	shown -> restore_begin -> done: it is durable -> the device is restarted
 *	-> restore_apply, before anything else: it is in force
 *
 * A restore is staged: a few rows in each turn of the loop, secrets sealed
 * under this appliance's keys, into records that nobody else reads. Then one
 * change switches it on. What is staged becomes what the appliance has in one
 * transaction at the next start, when nobody uses it: until then all stays as
 * it was, and whenever the power is cut there is the old state or the new one.
 * Several restores before a restart come into force in their order.
 *
 * What becomes of what is there:
 *
 *	settings and records of the selected items of PART_CONFIG are cleared,
 *	and those of the backup put in their place
 *
 *	keys, KMIP objects, certificates and local CAs are added. One that has
 *	the identifier or a name of a restored one goes, whoever owns it, with
 *	its permissions and all its versions. Names count within an owner where
 *	neither object is of NAE-XML or the command line, and neither owner is a
 *	user of the appliance: KMIP's own clients share none. With the
 *	personality "eskm" nothing of it is overwritten: what is there stays.
 *
 *	a key with more active versions than Number of Active Versions Allowed
 *	for a Key is left out, and told; the others are restored. So is a
 *	setting that this release does not have, or not with that value.
 *
 *	what is of this device and this moment (backup_item.def: fleeting)
 *	begins anew: failures and lockouts are forgotten, and a password's age
 *	counts from the restore
 *
 * Records, both of this module only:
 *
 *	"restore"      the number, 8 octets; fields: see restore_row.h
 *	"restore.row"  the number, and what restore_row.h says
 *
 * What was staged and is in force, or was given up, is deleted a few records in
 * each turn.
 *
 * req: KS-23-001 KS-23-002 KS-23-057 KS-23-058 KS-23-059 KS-23-062 KS-23-063
 * req: KS-23-064 KS-23-065 KS-23-066 KS-23-067 KS-23-086 ESKM-285 ESKM-286
 * req: KS-28-162 ESKM-151 ESKM-152 ESKM-284 ESKM-292 ESKM-298 ESKM-301
 * req: ESKM-225 KS-06-040 KS-06-114 VLT-079
 */
#ifndef DEVICE_RESTORE_H
#define DEVICE_RESTORE_H

#include "device/backup.h"
#include "device/change.h"

struct restores; /* the appliance's */
struct restore;  /* one of them, of somebody who asks */

/* What appliance_open and appliance_close call. ERR_NOMEM, ERR_SYSTEM */
enum err
restores_new(struct appliance *appliance, struct restores **out) MUST_CHECK;
void restores_free(struct restores *restores); /* accepts NULL */

/* ---------------------------------------------------------------------------
 * Opening one
 */

/*
 * From the loop, later, once, unless restore_drop was called before.
 *
 * why  on any error a sentence for who asked; never a secret
 */
typedef void restore_done_fn(void *ctx, enum err rc, const char *why);

/*
 * Verify the backup DIR/BASE_0_bkp with those that belong to it, on a worker.
 *
 * Of done: as backup_reader_open. Nothing has changed then.
 *
 * ERR_NOMEM, ERR_SYSTEM, ERR_CLOSED  it has not begun; *out is NULL
 *
 * req: KS-23-018 KS-23-034 KS-23-079
 */
enum err restore_open(struct appliance *appliance, const char *dir,
    const char *base, struct bytes password, restore_done_fn *done, void *ctx,
    struct restore **out) MUST_CHECK;

/* At any time. What was not switched on is given up. Accepts NULL. */
void restore_drop(struct restore *restore);

/* What it has; after done said OK. */
const struct backup_reader *restore_reader(const struct restore *restore);

/* Is it the password that it was opened with? req: KS-23-084 */
bool restore_password_is(const struct restore *restore, struct bytes password);

/* ---------------------------------------------------------------------------
 * Restoring it
 */

/* The acts that a selection takes, one for each part of which it has anything,
 * and how many. req: KS-15-093 KS-15-094 KS-15-095 KS-23-069 */
size_t restore_acts(
    const struct backup_selection *selection, enum act acts[PART_COUNT]);

enum { RESTORE_TOLD_MOST = 100, RESTORE_TOLD_OCTETS = 200 };

/* What came of it, besides what the selection says. */
struct restore_outcome {
	uint64_t objects; /* that are restored, without older versions */
	uint64_t records;
	/* what is not, and why: "Key1: ..."; the first of them */
	uint64_t left_out;
	size_t told_count;
	char told[RESTORE_TOLD_MOST][RESTORE_TOLD_OCTETS];
};

/*
 * Stage what is selected, and switch it on. Once.
 *
 * selection  borrowed until done
 * approvals  as struct change has them
 *
 * Of done, beside the store's and the reader's:
 *
 * ERR_FIELD   nothing of it is selected, or an account or a record cannot be
 *             restored: nothing is
 * ERR_DENIED  an access control or credentials are missing for a part of it
 * ERR_HSM, ERR_HSM_LOGGED_OUT  keys cannot be sealed now
 *
 * req: KS-18-013 KS-23-080 KS-28-167
 */
void restore_begin(struct restore *restore,
    const struct backup_selection *selection, const struct principal *by,
    const struct approvals *approvals, restore_done_fn *done, void *ctx);

/* Valid from done on, until restore_drop. */
const struct restore_outcome *restore_outcome(const struct restore *restore);

/* ---------------------------------------------------------------------------
 * Until the next start
 */

/* One that waits for it. */
struct restore_pending {
	uint64_t number; /* by which it is called; they come in this order */
	char base[BACKUP_BASE_OCTETS + 1];
	char by[ADMIN_NAME_OCTETS + 1]; /* who restored it */
	int64_t asked_s;                /* and when; wall time */
	bool items[ITEM_COUNT];
	uint64_t records;
	uint64_t objects; /* older versions of keys among them */
};

/* Its own error ends the walk. */
typedef enum err
restore_pending_fn(void *ctx, const struct restore_pending *pending);
enum err restore_pending_each(
    struct store *st, restore_pending_fn *each, void *ctx) MUST_CHECK;

/* How many there are. */
enum err restores_pending(struct store *st, unsigned *count) MUST_CHECK;

/* ERR_NOT_FOUND */
enum err restore_pending_find(
    struct store *st, uint64_t number, struct restore_pending *out) MUST_CHECK;

/* The acts that it took, and how many. */
size_t restore_pending_acts(
    const struct restore_pending *pending, enum act acts[PART_COUNT]);

/*
 * What a change's `apply` calls: it does not come into force, and what was
 * staged of it goes. Who may restore all of it may do so.
 *
 * ERR_NOT_FOUND  there is none of this number
 * ERR_DENIED     an access control or credentials are missing for a part of it
 */
enum err restore_give_up(struct change *change, uint64_t number) MUST_CHECK;

/* ---------------------------------------------------------------------------
 * The next start
 */

/* Now and then while one comes into force: steps of how many. */
typedef void restore_progress_fn(void *ctx, uint64_t done, uint64_t all);

/*
 * What was switched on comes into force, before anything has read the store.
 * When it fails the store is as it was, and the next start tries again. Who
 * waits for the start is told how far it is: 100,000 keys take some seconds.
 *
 * progress  NULL: nobody waits
 * count     restores that came into force
 */
enum err restore_apply(struct store *st, restore_progress_fn *progress,
    void *ctx, unsigned *count) MUST_CHECK;

#endif

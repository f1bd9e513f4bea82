#include "device/restore.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/vault.h"
#include "device/fields.h"
#include "device/restore_files.h"
#include "device/restore_row.h"

enum {
	/* of a backup, or of the staged, in a turn */
	SLICE_ROWS = 16,
	SLICE_OCTETS = 64 * 1024,
	SWEEP_ROWS = 64,
	VALUE_MAX_OCTETS = RECORD_VALUE_MAX_OCTETS,
	ARENA_OCTETS = 4 * OBJECT_CAP_OCTETS,
	SEAL_NAME_OCTETS = RECORD_KIND_MAX_OCTETS + RECORD_KEY_MAX_OCTETS + 2,
	SEAL_VERSION = 1,
	TOLD_WHY_OCTETS = 120,
};

struct restores {
	struct appliance *appliance;
	struct loop_pool *pool;
	uint64_t last; /* the highest number that was given */
	struct restore *first;
	struct loop_task sweep;
};

struct restore {
	struct restores *of;
	struct restore *next;
	restore_done_fn *done;
	void *ctx;
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
	struct loop_task task; /* the next slice, or `done` */
	/* ---- the worker's, while it works ---- */
	bool works;
	bool dropped;
	char *dir;
	char base[BACKUP_BASE_OCTETS + 1];
	struct secret *password;
	struct backup_reader *reader;
	char reader_why[BACKUP_WHY_OCTETS];
	/* ---- staging ---- */
	const struct backup_selection *selection;
	const struct approvals *approvals;
	struct principal by;
	struct arena *arena; /* of a row */
	struct buf value;
	uint64_t number;
	uint64_t place;
	bool stages; /* it has rows that are not switched on */
	bool wrote;  /* in this slice */
	unsigned admins;
	struct keystore_loan loan;
	struct store_waiter waiter;
	struct change change;
	bool changing;
	struct restore_outcome outcome;
};

/* ---------------------------------------------------------------------------
 * What nobody needs any more
 */

/* Is it switched on, or being staged? */
static enum err
is_wanted(struct restores *restores, uint64_t number, bool *wanted)
{
	const struct restore *restore;
	uint8_t key[RESTORE_NUMBER_OCTETS];
	struct buf value;
	enum err rc;

	*wanted = true;
	for (restore = restores->first; restore != NULL;
	     restore = restore->next)
		if (restore->stages && restore->number == number)
			return OK;
	bytes_put_u64(key, number);
	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	rc = record_get(restores->appliance->store, RESTORE_KIND,
	    (struct bytes){key, sizeof(key)}, &value);
	buf_clear(&value);
	if (rc != ERR_NOT_FOUND)
		return rc;
	*wanted = false;
	return OK;
}

struct sweep {
	struct restores *restores;
	uint64_t number;
	unsigned deleted;
};

static enum err
sweep_one(void *ctx, struct bytes key, struct bytes value)
{
	struct sweep *sweep = ctx;

	(void)value;
	sweep->deleted++;
	return record_delete(
	    sweep->restores->appliance->store, RESTORE_ROW_KIND, key);
}

static enum err
number_of(void *ctx, struct bytes key, struct bytes value)
{
	uint64_t *number = ctx;

	(void)value;
	*number = restore_number(key);
	return OK;
}

/* The first number behind `after` that has rows; 0: none has. */
static enum err
next_number(struct store *st, uint64_t after, uint64_t *number)
{
	uint8_t last[RESTORE_NUMBER_OCTETS];
	enum err rc = OK;

	*number = 0;
	bytes_put_u64(last, after + 1);
	TRY(record_each_prefix(st, RESTORE_ROW_KIND, BYTES_NONE,
	    (struct bytes){last, sizeof(last)}, 1, number_of, number));
out:
	return rc;
}

/* Some of what is not wanted; *deleted 0: there is nothing of it. */
static enum err
sweep_some(struct restores *restores, unsigned *deleted)
{
	struct store *st = restores->appliance->store;
	struct sweep sweep = {.restores = restores};
	uint8_t room[RESTORE_NUMBER_OCTETS];
	bool wanted;
	enum err rc = OK;

	*deleted = 0;
	for (;;) {
		TRY(next_number(st, sweep.number, &sweep.number));
		if (sweep.number == 0)
			return OK;
		TRY(is_wanted(restores, sweep.number, &wanted));
		if (!wanted)
			break;
	}
	bytes_put_u64(room, sweep.number);
	TRY(record_each_prefix(st, RESTORE_ROW_KIND,
	    (struct bytes){room, sizeof(room)}, BYTES_NONE, SWEEP_ROWS,
	    sweep_one, &sweep));
	*deleted = sweep.deleted;
out:
	return rc;
}

static void
sweep(void *ctx)
{
	struct restores *restores = ctx;
	unsigned deleted;
	enum err rc;

	store_relieve(restores->appliance->store);
	rc = sweep_some(restores, &deleted);
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "what a restore has left cannot be deleted: %s",
		    err_text(rc));
	else if (deleted != 0)
		loop_later(restores->appliance->loop, &restores->sweep);
}

/* ---------------------------------------------------------------------------
 * The appliance's
 */

static enum err
last_one(void *ctx, const struct restore_pending *pending)
{
	uint64_t *last = ctx;

	*last = pending->number;
	return OK;
}

enum err
restores_new(struct appliance *appliance, struct restores **out)
{
	struct restores *restores = NULL;
	uint64_t number;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(restores));
	restores->appliance = appliance;
	restores->sweep = (struct loop_task){.fn = sweep, .ctx = restores};
	TRY(restore_pending_each(appliance->store, last_one, &restores->last));
	TRY(next_number(appliance->store, restores->last, &number));
	while (number != 0) {
		restores->last = number;
		TRY(next_number(appliance->store, number, &number));
	}
	TRY(restore_files_tidy(appliance));
	TRY(loop_pool_new(appliance->loop, "restore", 1, &restores->pool));
	restores_tidy(restores);
	*out = restores;
	restores = NULL;
out:
	restores_free(restores);
	return rc;
}

void
restores_tidy(struct restores *restores)
{
	loop_later(restores->appliance->loop, &restores->sweep);
}

void
restores_free(struct restores *restores)
{
	if (restores == NULL)
		return;
	loop_task_cancel(&restores->sweep);
	mem_free(restores);
}

/* ---------------------------------------------------------------------------
 * Opening one
 */

static void
restore_free(struct restore *restore)
{
	if (restore == NULL)
		return;
	backup_reader_close(restore->reader);
	secret_free(restore->password);
	mem_free(restore->dir);
	arena_free(restore->arena);
	buf_clear(&restore->value);
	mem_free(restore);
}

static void
unlink_one(struct restore *restore)
{
	struct restore **at = &restore->of->first;

	while (*at != NULL && *at != restore)
		at = &(*at)->next;
	if (*at != NULL)
		*at = restore->next;
}

static void
tell(struct restore *restore, enum err rc)
{
	if (rc != OK && restore->why[0] == '\0')
		(void)snprintf(
		    restore->why, sizeof(restore->why), "%s", err_text(rc));
	restore->done(restore->ctx, rc, restore->why);
}

static void
open_work(void *ctx)
{
	struct restore *restore = ctx;

	restore->rc = backup_reader_open(restore->dir, restore->base,
	    secret_peek(restore->password), &restore->reader,
	    restore->reader_why);
}

static void
open_done(void *ctx, enum err rc)
{
	struct restore *restore = ctx;

	restore->works = false;
	if (restore->dropped) {
		restore_free(restore);
		return;
	}
	if (rc == OK)
		rc = restore->rc;
	(void)snprintf(restore->why, sizeof(restore->why), "%s",
	    rc == OK ? "" : restore->reader_why);
	tell(restore, rc);
}

enum err
restore_open(struct appliance *appliance, const char *dir, const char *base,
    struct bytes password, restore_done_fn *done, void *ctx,
    struct restore **out)
{
	struct restores *restores = appliance->restores;
	struct restore *restore = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(restore));
	buf_init(&restore->value, VALUE_MAX_OCTETS);
	restore->of = restores;
	restore->done = done;
	restore->ctx = ctx;
	(void)snprintf(restore->base, sizeof(restore->base), "%s", base);
	TRY(mem_printf(&restore->dir, "%s", dir));
	TRY(secret_copy(password, &restore->password));
	TRY(arena_new(ARENA_OCTETS, &restore->arena));
	TRY(loop_submit(restores->pool, open_work, open_done, restore));
	restore->works = true;
	restore->next = restores->first;
	restores->first = restore;
	*out = restore;
	restore = NULL;
out:
	restore_free(restore);
	return rc;
}

const struct backup_reader *
restore_reader(const struct restore *restore)
{
	return restore->reader;
}

bool
restore_password_is(const struct restore *restore, struct bytes password)
{
	return secret_equal_bytes(secret_peek(restore->password), password);
}

/* Rows that nobody has switched on are nobody's. */
static void
give_up(struct restore *restore)
{
	store_unwait(restore->of->appliance->store, &restore->waiter);
	loop_task_cancel(&restore->task);
	keystore_loan_end(&restore->loan);
	if (restore->stages)
		restores_tidy(restore->of);
	restore->stages = false;
}

void
restore_drop(struct restore *restore)
{
	if (restore == NULL)
		return;
	unlink_one(restore);
	give_up(restore);
	if (restore->changing)
		change_leave(&restore->change);
	restore->dropped = true;
	if (!restore->works)
		restore_free(restore);
}

/* ---------------------------------------------------------------------------
 * Rows of a backup become rows of this appliance
 */

static void
leave_out(struct restore *restore, const char *what, struct bytes name,
    const char *why)
{
	struct restore_outcome *outcome = &restore->outcome;

	outcome->left_out++;
	if (outcome->told_count == RESTORE_TOLD_MOST)
		return;
	(void)snprintf(outcome->told[outcome->told_count++],
	    RESTORE_TOLD_OCTETS, "%s %.*s: %s", what, (int)name.octets,
	    (const char *)name.at, why);
}

static enum err
refuse(struct restore *restore, const char *what, struct bytes name,
    const char *why)
{
	(void)snprintf(restore->why, sizeof(restore->why),
	    "%s %.*s: %s; nothing was restored", what, (int)name.octets,
	    (const char *)name.at, why);
	return ERR_FIELD;
}

static enum err
put_row(struct restore *restore, char letter, const struct buf *value)
{
	uint8_t place[8];
	uint8_t room[RESTORE_KEY_OCTETS];
	enum err rc = OK;

	bytes_put_u64(place, ++restore->place);
	restore->wrote = true;
	TRY(record_put(restore->of->appliance->store, RESTORE_ROW_KIND,
	    restore_row_key(room, restore->number, letter,
		(struct bytes){place, sizeof(place)}),
	    buf_peek(value)));
out:
	return rc;
}

/* As "KIND/KEY" of this appliance, in place of what the backup has it as. */
static enum err
seal_field(struct restore *restore, const struct backup_kind_row *kind,
    const struct backup_row *row, struct buf *out)
{
	struct appliance *appliance = restore->of->appliance;
	char name[SEAL_NAME_OCTETS];
	struct secret *secret = NULL;
	struct bytes sealed;
	struct buf vaulted;
	size_t octets;
	enum err rc = OK;

	buf_init(&vaulted, VAULT_SECRET_MAX_OCTETS + VAULT_OVERHEAD_OCTETS);
	rc = backup_secret_open(backup_reader_keys(restore->reader), row->kind,
	    row->key, kind->sealed, row->secrets, &secret);
	if (rc == ERR_NOT_FOUND) {
		rc = OK;
		goto out;
	}
	TRY(rc);
	octets = (size_t)snprintf(name, sizeof(name), "%s/%.*s", kind->kind,
	    (int)row->key.octets, (const char *)row->key.at);
	if (kind->seal == SEAL_VAULT) {
		TRY(vault_seal(appliance->env, appliance->vault, name,
		    secret_peek(secret), &vaulted));
		sealed = buf_peek(&vaulted);
	} else {
		TRY(keystore_seal(appliance_keystore(appliance),
		    restore->loan.master != NULL ? &restore->loan : NULL,
		    (struct bytes){(const uint8_t *)name, octets}, SEAL_VERSION,
		    secret_peek(secret), restore->arena, &sealed));
	}
	TRY(fields_put(out, kind->sealed, sealed));
out:
	secret_free(secret);
	buf_clear(&vaulted);
	return rc;
}

/* A record's value as it will be here. */
static enum err
make_value(struct restore *restore, const struct backup_kind_row *kind,
    const struct backup_row *row, struct buf *out)
{
	struct bytes left = row->value;
	struct field field;
	char name[UINT8_MAX + 1];
	enum err rc = OK;

	if (kind->seal == SEAL_NONE && kind->fleeting[0] == '\0')
		return buf_put(out, row->value);
	while ((rc = fields_next(&left, &field)) == OK) {
		if (backup_is_fleeting(kind, field.name) ||
		    bytes_equal_text(field.name, kind->sealed))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)field.name.octets, (const char *)field.name.at);
		TRY(fields_put(out, name, field.value));
	}
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	rc = OK;
	if (kind->seal != SEAL_NONE)
		TRY(seal_field(restore, kind, row, out));
out:
	return rc;
}

/* Its password is as old as its being here. */
static enum err
check_admin(
    struct restore *restore, const struct backup_row *row, struct buf *value)
{
	struct admin admin = {.high = false};
	enum err rc = OK;

	TRY(fields_put_number(value, "password-set",
	    env_elapsed_ms(restore->of->appliance->env)));
	rc = admin_decode(row->key, buf_peek(value), &admin);
	if (rc == ERR_STORE)
		TRY(refuse(restore, "administrator", row->key,
		    "the account is none that this release knows"));
	TRY(rc);
	restore->admins += admin.high && !admin.ldap;
out:
	admin_drop(&admin);
	return rc;
}

/* Would it be one here? Otherwise it has its default. */
static bool
check_setting(struct restore *restore, const struct backup_row *row)
{
	bool is_secret = bytes_equal_text(row->kind, "setting.secret");
	char shown[SETTING_VALUE_OCTETS];
	char why[SETTING_WHY_OCTETS] = "this release does not have it";
	enum setting which;

	if (setting_of_record(row->key, &which) &&
	    setting_row(which)->is_secret == is_secret &&
	    (is_secret || setting_check(which, row->value, shown, why) == OK))
		return true;
	leave_out(restore, "setting", row->key, why);
	return false;
}

static enum err
stage_record(struct restore *restore, const struct backup_row *row)
{
	const struct backup_kind_row *kind =
	    backup_kind_find(row->kind, row->key);
	struct buf value;
	struct buf fields;
	enum err rc = OK;

	buf_init(&value, VALUE_MAX_OCTETS);
	buf_init(&fields, VALUE_MAX_OCTETS);
	if (kind == NULL || kind->item == ITEM_NONE) {
		leave_out(restore, "a record of the kind", row->kind,
		    "this release does not have it");
		goto out;
	}
	if (kind->item == ITEM_OF_ROW && !check_setting(restore, row))
		goto out;
	TRY(make_value(restore, kind, row, &value));
	if (kind->item == ITEM_ADMINS && bytes_equal_text(row->kind, "admin"))
		TRY(check_admin(restore, row, &value));
	TRY(fields_put(&fields, "kind", row->kind));
	TRY(fields_put(&fields, "key", row->key));
	TRY(fields_put(&fields, "value", buf_peek(&value)));
	TRY(put_row(restore, RESTORE_RECORD, &fields));
	restore->outcome.records++;
out:
	buf_clear(&value);
	buf_clear(&fields);
	return rc;
}

/* "U.n": are the older versions of U to be restored? */
static enum err
versions_wanted(struct restore *restore, struct bytes id, bool *wanted)
{
	uint8_t room[RESTORE_KEY_OCTETS];
	struct buf value;
	enum err rc;

	buf_init(&value, VALUE_MAX_OCTETS);
	rc = record_get(restore->of->appliance->store, RESTORE_ROW_KIND,
	    restore_row_key(room, restore->number, RESTORE_VERSION,
		restore_key_of_version(id)),
	    &value);
	buf_clear(&value);
	*wanted = rc == OK;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err
want_versions(struct restore *restore, struct bytes id)
{
	uint8_t room[RESTORE_KEY_OCTETS];

	restore->wrote = true;
	return record_put(restore->of->appliance->store, RESTORE_ROW_KIND,
	    restore_row_key(room, restore->number, RESTORE_VERSION, id),
	    BYTES_NONE);
}

/*
 * Is this one to be restored?
 *
 * req: KS-23-080 KS-23-081 KS-23-082 KS-28-167 KS-28-168 KS-28-169
 */
static enum err
object_wanted(struct restore *restore, const struct backup_row *row,
    const struct object *o, bool *wanted)
{
	const struct settings *settings = restore->of->appliance->settings;
	const struct attr *first = attr_find(&o->attrs, TAG_NAME);
	struct bytes name = first != NULL
				? item_octets(first->value, TAG_NAME_VALUE)
				: BYTES_NONE;
	enum err rc = OK;

	*wanted = false;
	if (o->card != NULL && o->card->version != 0)
		return versions_wanted(restore, o->id, wanted);
	if (!backup_selects_row(restore->selection, row, name))
		return OK;
	if (o->card != NULL && o->card->newest != 0 &&
	    o->card->count[CARD_ACTIVE] >
		setting_number(settings, SETTING_ACTIVE_VERSIONS)) {
		char why[TOLD_WHY_OCTETS];

		(void)snprintf(why, sizeof(why),
		    "it has %u active versions, and %s is %s",
		    o->card->count[CARD_ACTIVE],
		    setting_row(SETTING_ACTIVE_VERSIONS)->name,
		    setting_shown(settings, SETTING_ACTIVE_VERSIONS));
		leave_out(restore, "key", name.octets != 0 ? name : o->id, why);
		return OK;
	}
	*wanted = true;
	restore->outcome.objects++;
	if (o->card != NULL && o->card->newest > 1)
		TRY(want_versions(restore, o->id));
out:
	return rc;
}

static enum err
seal_object(struct restore *restore, const struct backup_row *row,
    const struct object *o, struct buf *fields)
{
	struct secret *secret = NULL;
	struct bytes sealed;
	enum err rc = OK;

	TRY(backup_secret_open(backup_reader_keys(restore->reader), row->kind,
	    row->key, "value", row->secrets, &secret));
	TRY(keystore_seal(appliance_keystore(restore->of->appliance),
	    restore->loan.master != NULL ? &restore->loan : NULL, o->id,
	    o->value_version, secret_peek(secret), restore->arena, &sealed));
	TRY(fields_put(fields, "sealed", sealed));
out:
	secret_free(secret);
	return rc;
}

static enum err
stage_object(struct restore *restore, const struct backup_row *row)
{
	struct object *o = NULL;
	struct buf fields;
	bool is_sealed;
	bool wanted;
	enum err rc = OK;

	buf_init(&fields, VALUE_MAX_OCTETS);
	TRY(backup_object_read(row, &o, &is_sealed));
	TRY(object_wanted(restore, row, o, &wanted));
	if (!wanted)
		goto out;
	TRY(fields_put(&fields, "key", row->key));
	TRY(fields_put(&fields, "value", row->value));
	if (is_sealed)
		TRY(seal_object(restore, row, o, &fields));
	TRY(put_row(restore, RESTORE_OBJECT, &fields));
out:
	object_free(o);
	buf_clear(&fields);
	return rc;
}

static enum err
stage_row(struct restore *restore, const struct backup_row *row)
{
	if (!backup_selects(restore->selection, row->item) ||
	    bytes_equal_text(row->kind, BACKUP_KIND_ITEM))
		return OK;
	arena_reset(restore->arena);
	if (bytes_equal_text(row->kind, BACKUP_KIND_OBJECT))
		return stage_object(restore, row);
	if (!backup_selects_row(restore->selection, row, BYTES_NONE))
		return OK;
	return stage_record(restore, row);
}

/* ---------------------------------------------------------------------------
 * Switching it on
 */

size_t
restore_acts(
    const struct backup_selection *selection, enum act acts[PART_COUNT])
{
	size_t count = 0;
	enum backup_part part;

	for (part = 0; part < PART_COUNT; part++)
		if (backup_selects_part(selection, part))
			acts[count++] = backup_part_row(part)->restore;
	return count;
}

/* "Restore foo: Keys, NTP; at the next restart" */
static void
describe(const struct restore *restore, struct change *change)
{
	const size_t room = sizeof(change->event);
	const char *between = ": ";
	enum backup_item item;
	size_t used;

	used =
	    (size_t)snprintf(change->event, room, "Restore %s", restore->base);
	for (item = 0; item < ITEM_COUNT; item++) {
		if (!backup_selects(restore->selection, item))
			continue;
		used += (size_t)snprintf(change->event + used, room - used,
		    "%s%s", between, backup_item_row(item)->title);
		between = ", ";
	}
	if (restore->outcome.left_out != 0)
		used += (size_t)snprintf(change->event + used, room - used,
		    "; %llu left out",
		    (unsigned long long)restore->outcome.left_out);
	(void)snprintf(
	    change->event + used, room - used, "; at the next restart");
}

static enum err
switch_on(struct change *change)
{
	struct restore *restore = change->ctx;
	const struct settings *settings = change->appliance->settings;
	uint8_t key[RESTORE_NUMBER_OCTETS];
	enum act acts[PART_COUNT];
	enum backup_item item;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, VALUE_MAX_OCTETS);
	describe(restore, change);
	TRY(restore_permit(
	    change, acts, restore_acts(restore->selection, acts)));
	for (item = 0; item < ITEM_COUNT; item++)
		if (backup_selects(restore->selection, item) &&
		    backup_reader_has(restore->reader, item))
			TRY(fields_put_text(
			    &value, "item", backup_item_row(item)->word));
	if (settings_are_eskm(settings))
		TRY(fields_put_number(&value, "append", 1));
	TRY(fields_put_number(
	    &value, "records", (int64_t)restore->outcome.records));
	TRY(fields_put_number(&value, "objects",
	    (int64_t)(restore->place - restore->outcome.records)));
	TRY(fields_put_text(&value, "name", restore->base));
	TRY(fields_put_text(&value, "by", change->by.name));
	TRY(fields_put_number(
	    &value, "asked", env_wall_s(change->appliance->env)));
	bytes_put_u64(key, restore->number);
	TRY(record_put(change->appliance->store, RESTORE_KIND,
	    (struct bytes){key, sizeof(key)}, buf_peek(&value)));
out:
	buf_clear(&value);
	return rc;
}

static void
switched_on(struct change *change, enum err rc)
{
	struct restore *restore = change->ctx;

	restore->changing = false;
	(void)snprintf(restore->why, sizeof(restore->why), "%s", change->why);
	if (rc == OK)
		restore->stages = false; /* it stays */
	give_up(restore);
	tell(restore, rc);
}

static void
run_change(struct restore *restore)
{
	enum act acts[PART_COUNT];

	(void)restore_acts(restore->selection, acts);
	restore->change = (struct change){
	    .by = restore->by,
	    .act = acts[0],
	    .approvals = restore->approvals,
	    .apply = switch_on,
	    .done = switched_on,
	    .ctx = restore,
	};
	restore->changing = true;
	change_run(restore->of->appliance, &restore->change);
}

/* ---------------------------------------------------------------------------
 * Slices
 */

static void
fail(struct restore *restore, enum err rc)
{
	give_up(restore);
	tell(restore, rc);
}

/* All rows are staged. */
static enum err
finish(struct restore *restore)
{
	if (backup_selects(restore->selection, ITEM_ADMINS) &&
	    restore->admins == 0)
		return refuse(restore, "the item",
		    bytes_of_text("Administrators"),
		    "it has no local High Access Administrator");
	run_change(restore);
	return OK;
}

static enum err
stage_slice(struct restore *restore, bool *end)
{
	struct backup_row row;
	size_t octets = 0;
	unsigned k;
	enum err rc = OK;

	*end = false;
	restore->wrote = false;
	for (k = 0; k < SLICE_ROWS && octets < SLICE_OCTETS; k++) {
		rc = backup_reader_next(restore->reader, &row);
		*end = rc == ERR_NOT_FOUND;
		if (*end)
			return OK;
		TRY(rc);
		octets += row.value.octets + row.secrets.octets;
		TRY(stage_row(restore, &row));
	}
out:
	return rc;
}

static void
slice(void *ctx)
{
	struct restore *restore = ctx;
	struct appliance *appliance = restore->of->appliance;
	bool end;
	enum err rc;

	store_relieve(appliance->store);
	rc = stage_slice(restore, &end);
	if (rc == OK && end)
		rc = finish(restore);
	else if (rc == OK && restore->wrote)
		store_wait(appliance->store, &restore->waiter);
	else if (rc == OK)
		loop_later(appliance->loop, &restore->task);
	if (rc != OK)
		fail(restore, rc);
}

static void
slice_durable(struct store_waiter *waiter, enum err rc)
{
	struct restore *restore = waiter->ctx;

	if (rc == OK)
		loop_later(restore->of->appliance->loop, &restore->task);
	else
		fail(restore, rc);
}

static void
lent(struct keystore_loan *loan)
{
	struct restore *restore = loan->ctx;

	if (loan->rc != OK)
		fail(restore, loan->rc);
	else
		slice(restore);
}

/* Has the selection anything that is sealed? */
static bool
needs_keys(const struct backup_selection *selection)
{
	const struct backup_kind_row *row;
	size_t n;

	if (backup_selects(selection, ITEM_KEYS) ||
	    backup_selects(selection, ITEM_KMIP))
		return true;
	for (n = 0; (row = backup_kind_nth(n)) != NULL; n++)
		if (row->seal == SEAL_KEYSTORE && row->item < ITEM_COUNT &&
		    backup_selects(selection, row->item))
			return true;
	return false;
}

static enum err
begin(struct restore *restore)
{
	struct appliance *appliance = restore->of->appliance;
	struct keystore *ks = appliance_keystore(appliance);
	enum act acts[PART_COUNT];
	enum err rc = OK;

	if (restore_acts(restore->selection, acts) == 0) {
		(void)snprintf(restore->why, sizeof(restore->why),
		    "nothing of the backup was selected");
		TRY(ERR_FIELD);
	}
	backup_reader_rewind(restore->reader);
	restore->number = ++restore->of->last;
	restore->stages = true;
	if (needs_keys(restore->selection)) {
		TRY(ks != NULL ? keystore_check(ks) : ERR_HSM);
		if (keystore_lends(ks)) {
			restore->loan = (struct keystore_loan){
			    .done = lent, .ctx = restore};
			TRY(keystore_lend(
			    ks, root_pool(appliance->root), &restore->loan));
			return OK;
		}
	}
	loop_later(appliance->loop, &restore->task);
out:
	return rc;
}

/* From the loop, so that done is never called from restore_begin. */
static void
begin_task(void *ctx)
{
	struct restore *restore = ctx;
	enum err rc;

	restore->task.fn = slice;
	rc = begin(restore);
	if (rc != OK)
		fail(restore, rc);
}

void
restore_begin(struct restore *restore, const struct backup_selection *selection,
    const struct principal *by, const struct approvals *approvals,
    restore_done_fn *done, void *ctx)
{
	restore->selection = selection;
	restore->by = *by;
	restore->approvals = approvals;
	restore->done = done;
	restore->ctx = ctx;
	restore->why[0] = '\0';
	restore->waiter =
	    (struct store_waiter){.done = slice_durable, .ctx = restore};
	restore->task = (struct loop_task){.fn = begin_task, .ctx = restore};
	loop_later(restore->of->appliance->loop, &restore->task);
}

const struct restore_outcome *
restore_outcome(const struct restore *restore)
{
	return &restore->outcome;
}

#include "device/restore.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "device/ca.h"
#include "device/cert.h"
#include "device/fields.h"
#include "device/restore_row.h"
#include "device/user.h"

enum {
	VALUE_MAX_OCTETS = RECORD_VALUE_MAX_OCTETS,
	TRIM_OBJECTS = 256, /* then memory gives up what it has of them */
	PROGRESS_STEPS = 5000,
};

struct apply {
	struct store *st;
	uint64_t number;
	bool append; /* what is there stays */
	bool items[ITEM_COUNT];
	/* what is done with a row, by its letter */
	enum err (*record)(struct apply *apply, struct bytes kind,
	    struct bytes key, struct bytes value);
	enum err (*object)(
	    struct apply *apply, struct bytes row, struct object *take);
	const struct object *now; /* for which room is made, or looked for */
	bool stays;               /* there is none */
	const char *kind;         /* of records that are cleared */
	uint64_t objects;
	uint64_t kept;
	/* ---- how far it is ---- */
	restore_progress_fn *progress;
	void *ctx;
	uint64_t records_staged;
	uint64_t objects_staged;
	uint64_t steps; /* rows, each as often as it is read */
	uint64_t steps_all;
};

/* ---------------------------------------------------------------------------
 * What was there goes
 */

static enum err
clear_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct apply *apply = ctx;
	enum backup_item item =
	    backup_item_of_record(bytes_of_text(apply->kind), key);

	(void)value;
	return item < ITEM_COUNT && apply->items[item]
		   ? record_delete(apply->st, apply->kind, key)
		   : OK;
}

/* Is it cleared, or added to? req: KS-23-059 KS-23-062 */
static bool
is_cleared(enum backup_item item)
{
	return backup_item_row(item)->part == PART_CONFIG;
}

/* Has a kind anything of an item that is cleared? */
static bool
may_be_cleared(const struct backup_kind_row *row)
{
	return row->item == ITEM_OF_ROW ||
	       (row->item < ITEM_COUNT && is_cleared(row->item));
}

/* A kind that has two rows is walked twice: then there is nothing left. */
static enum err
clear_items(struct apply *apply)
{
	const struct backup_kind_row *row;
	size_t n;
	enum err rc = OK;

	for (n = 0; (row = backup_kind_nth(n)) != NULL; n++) {
		if (!may_be_cleared(row))
			continue;
		apply->kind = row->kind;
		TRY(record_each(apply->st, row->kind, clear_one, apply));
	}
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Records
 */

static enum err
has_record(struct store *st, const char *kind, struct bytes key, bool *has)
{
	struct buf value;
	enum err rc;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	rc = record_get(st, kind, key, &value);
	buf_clear(&value);
	*has = rc == OK;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/*
 * Local and known CAs share their names, and a known one can be had again. What
 * another CA of that name has signed is not what this one has.
 */
static enum err
make_room_for_ca(struct apply *apply, struct bytes name)
{
	const char *known = cert_record_kind(CERT_KNOWN_CA);
	enum err rc = OK;

	rc = record_delete(apply->st, known, name);
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	rc = ca_issued_delete_all(apply->st, name);
out:
	return rc;
}

static enum err
make_room_for_record(struct apply *apply, struct bytes kind, struct bytes key,
    struct bytes value)
{
	bool is_local = bytes_equal_text(kind, cert_record_kind(CERT_LOCAL_CA));
	bool has = false;
	enum err rc = OK;

	(void)value;
	if (!is_local)
		return OK;
	TRY(has_record(apply->st, cert_record_kind(CERT_LOCAL_CA), key, &has));
	if (!apply->append || !has)
		TRY(make_room_for_ca(apply, key));
out:
	return rc;
}

/* Serial numbers only go up, whatever the backup has. */
static enum err
put_serial(
    struct apply *apply, const char *kind, struct bytes key, struct bytes value)
{
	uint64_t last;
	int64_t restored = 0;
	enum err rc = OK;

	TRY(ca_serial_last(apply->st, &last));
	TRY(fields_number(value, "last", &restored));
	if (restored > 0 && (uint64_t)restored > last)
		TRY(record_put(apply->st, kind, key, value));
out:
	return rc;
}

static enum err
put_user(
    struct apply *apply, const char *kind, struct bytes key, struct bytes value)
{
	struct buf own;
	int64_t serial;
	enum err rc = OK;

	buf_init(&own, VALUE_MAX_OCTETS);
	TRY(user_serial_next(apply->st, &serial));
	TRY(buf_put(&own, value));
	TRY(fields_put_number(&own, "serial", serial));
	TRY(record_put(apply->st, kind, key, buf_peek(&own)));
out:
	buf_clear(&own);
	return rc;
}

/*
 * A certificate, a CA or what it has signed that stays as it is; and a known CA
 * with the name of a local one, which cannot be had again.
 */
static enum err
record_stays(struct apply *apply, const struct backup_kind_row *row,
    struct bytes key, bool *stays)
{
	enum err rc = OK;

	*stays = false;
	if (bytes_equal_text(
		bytes_of_text(row->kind), cert_record_kind(CERT_KNOWN_CA)))
		TRY(has_record(
		    apply->st, cert_record_kind(CERT_LOCAL_CA), key, stays));
	else if (apply->append && !may_be_cleared(row))
		TRY(has_record(apply->st, row->kind, key, stays));
out:
	return rc;
}

static enum err
put_record(struct apply *apply, struct bytes kind, struct bytes key,
    struct bytes value)
{
	const struct backup_kind_row *row = backup_kind_find(kind, key);
	bool stays;
	enum err rc = OK;

	/* what was staged by a release that has more */
	if (row == NULL)
		return OK;
	if (bytes_equal_text(kind, "ca.serial"))
		return put_serial(apply, row->kind, key, value);
	if (bytes_equal_text(kind, "user"))
		return put_user(apply, row->kind, key, value);
	TRY(record_stays(apply, row, key, &stays));
	if (stays)
		apply->kept++;
	else
		TRY(record_put(apply->st, row->kind, key, value));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * Objects
 */

static enum err
delete_versions(struct store *st, const struct object *key)
{
	char id[OBJECT_ID_MAX_OCTETS + sizeof(".4294967295")];
	uint32_t newest = key->card != NULL ? key->card->newest : 0;
	uint32_t n;
	enum err rc = OK;

	for (n = 1; n < newest; n++) {
		(void)snprintf(id, sizeof(id), "%.*s.%u", (int)key->id.octets,
		    (const char *)key->id.at, n);
		rc = store_delete(st, bytes_of_text(id));
		TRY(rc == ERR_NOT_FOUND ? OK : rc);
		rc = OK;
	}
out:
	return rc;
}

/* Has it been destroyed? Then it holds no name, and there is nothing to keep.
 */
static bool
is_gone(const struct object *o)
{
	uint32_t state = object_state(o);

	return state == STATE_DESTROYED || state == STATE_DESTROYED_COMPROMISED;
}

/*
 * Could these two not have one name, both here? Those of NAE-XML and the
 * command line have a card, and share their names with all users; KMIP's own
 * clients share none with each other.
 *
 * req: KS-23-065 KS-23-066
 */
static enum err
collides(struct apply *apply, const struct object *a, const struct object *b,
    bool *collide)
{
	enum err rc = OK;

	*collide = a->card != NULL || b->card != NULL || a->owner.octets == 0 ||
		   b->owner.octets == 0 || bytes_equal(a->owner, b->owner);
	if (!*collide)
		TRY(has_record(apply->st, "user", a->owner, collide));
	if (!*collide)
		TRY(has_record(apply->st, "user", b->owner, collide));
out:
	return rc;
}

static enum err
delete_holder(void *ctx, const struct object *there)
{
	struct apply *apply = ctx;
	bool collide;
	enum err rc = OK;

	if (bytes_equal(there->id, apply->now->id))
		return OK;
	TRY(collides(apply, apply->now, there, &collide));
	if (!collide)
		return OK;
	TRY(delete_versions(apply->st, there));
	TRY(store_delete(apply->st, there->id));
out:
	return rc;
}

/* Its own place, and its names. req: KS-23-065 KS-23-067 */
static enum err
make_room(struct apply *apply, const struct object *o)
{
	const struct object *there;
	enum err rc = OK;

	apply->now = o;
	rc = store_find(apply->st, o->id, &there);
	if (rc == OK)
		rc = delete_versions(apply->st, there);
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	rc = OK;
	ATTR_EACH (&o->attrs, one) {
		if (one->def->tag == TAG_NAME && !is_gone(o))
			TRY(store_name_each(apply->st,
			    item_octets(one->value, TAG_NAME_VALUE),
			    delete_holder, apply));
	}
out:
	return rc;
}

static enum err
put_object(struct apply *apply, struct object *take)
{
	struct object *o = take;
	const struct object *there;
	enum err rc = OK;

	rc = store_find(apply->st, o->id, &there);
	if (rc == OK && there->object_type != o->object_type) {
		rc = store_delete(apply->st, o->id);
		rc = rc == OK ? ERR_NOT_FOUND : rc;
	}
	if (rc != OK && rc != ERR_NOT_FOUND)
		TRY(rc);
	take = NULL;
	rc = rc == OK ? store_update(apply->st, o) : store_insert(apply->st, o);
out:
	object_free(take);
	return rc;
}

/* ---- ESKM: what is there stays. req: ESKM-286 ---- */

static enum err
see_holder(void *ctx, const struct object *there)
{
	struct apply *apply = ctx;
	bool collide = false;
	enum err rc = OK;

	if (!bytes_equal(there->id, apply->now->id))
		TRY(collides(apply, apply->now, there, &collide));
	apply->stays = apply->stays || collide;
out:
	return rc;
}

/* Is there one in its place, or with one of its names? */
static enum err
look_for(struct apply *apply, const struct object *o)
{
	const struct object *there;
	enum err rc = OK;

	apply->now = o;
	rc = store_find(apply->st, o->id, &there);
	apply->stays = rc == OK && !is_gone(there);
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	rc = OK;
	ATTR_EACH (&o->attrs, one) {
		if (one->def->tag == TAG_NAME && !is_gone(o))
			TRY(store_name_each(apply->st,
			    item_octets(one->value, TAG_NAME_VALUE), see_holder,
			    apply));
	}
out:
	return rc;
}

/* Older versions stand behind their key. */
static enum err
look_for_key(struct apply *apply, const struct object *o)
{
	uint8_t room[RESTORE_KEY_OCTETS];
	struct bytes id = o->id;
	bool wanted;
	enum err rc = OK;

	if (o->card == NULL || o->card->version == 0)
		return look_for(apply, o);
	TRY(has_record(apply->st, RESTORE_ROW_KIND,
	    restore_row_key(room, apply->number, RESTORE_VERSION,
		restore_key_of_version(id)),
	    &wanted));
	apply->stays = !wanted;
out:
	return rc;
}

/* What is staged of it is not to come into force. */
static enum err
pass_over(struct apply *apply, struct bytes row, const struct object *o)
{
	uint8_t room[RESTORE_KEY_OCTETS];
	enum err rc = OK;

	apply->kept++;
	TRY(record_delete(apply->st, RESTORE_ROW_KIND, row));
	rc = record_delete(apply->st, RESTORE_ROW_KIND,
	    restore_row_key(room, apply->number, RESTORE_VERSION, o->id));
	rc = rc == ERR_NOT_FOUND ? OK : rc;
out:
	return rc;
}

static enum err
place_object(struct apply *apply, struct bytes row, struct object *take)
{
	enum err rc = OK;

	if (!apply->append) {
		TRY(make_room(apply, take));
		goto out;
	}
	TRY(look_for_key(apply, take));
	if (apply->stays)
		TRY(pass_over(apply, row, take));
out:
	object_free(take);
	return rc;
}

static enum err
fill_object(struct apply *apply, struct bytes row, struct object *take)
{
	(void)row;
	apply->objects++;
	return put_object(apply, take);
}

/* ---------------------------------------------------------------------------
 * Rows
 */

static enum err
record_row(struct apply *apply, struct bytes value)
{
	struct bytes kind, key, own;
	enum err rc = OK;

	TRY(fields_find(value, "kind", &kind));
	TRY(fields_find(value, "key", &key));
	TRY(fields_find(value, "value", &own));
	TRY(apply->record(apply, kind, key, own));
out:
	return rc;
}

static enum err
object_row(struct apply *apply, struct bytes row, struct bytes value)
{
	struct backup_row staged = {.kind = bytes_of_text(BACKUP_KIND_OBJECT)};
	struct object *o = NULL;
	struct object *take;
	struct bytes sealed;
	bool is_sealed;
	enum err rc = OK;

	TRY(fields_find(value, "key", &staged.key));
	TRY(fields_find(value, "value", &staged.value));
	TRY(backup_object_read(&staged, &o, &is_sealed));
	rc = fields_find(value, "sealed", &sealed);
	if (rc == OK) {
		uint64_t version = o->value_version;

		TRY(object_set_value(o, sealed, true));
		o->value_version = version;
	}
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	take = o;
	o = NULL;
	TRY(apply->object(apply, row, take));
	if (apply->steps % TRIM_OBJECTS == 0)
		store_trim(apply->st);
out:
	object_free(o);
	return rc;
}

static enum err
row_one(void *ctx, struct bytes key, struct bytes value)
{
	struct apply *apply = ctx;
	enum err rc;

	if (++apply->steps % PROGRESS_STEPS == 0 && apply->progress != NULL)
		apply->progress(apply->ctx, apply->steps, apply->steps_all);
	rc = key.at[RESTORE_NUMBER_OCTETS] == RESTORE_RECORD
		 ? record_row(apply, value)
		 : object_row(apply, key, value);
	/* it was staged whole */
	return rc == ERR_NOT_FOUND ? ERR_STORE : rc;
}

static enum err
rows_each(struct apply *apply, char letter)
{
	uint8_t room[RESTORE_KEY_OCTETS];

	return record_each_prefix(apply->st, RESTORE_ROW_KIND,
	    restore_row_key(room, apply->number, letter, BYTES_NONE),
	    BYTES_NONE, 0, row_one, apply);
}

/* ---------------------------------------------------------------------------
 * A restore
 */

static enum err
read_set(struct apply *apply, struct bytes value)
{
	struct field field;
	enum backup_item item;
	struct bytes left = value;
	int64_t records = 0;
	int64_t objects = 0;
	enum err rc;

	while ((rc = fields_next(&left, &field)) == OK) {
		if (bytes_equal_text(field.name, "append"))
			apply->append = true;
		else if (bytes_equal_text(field.name, "item") &&
			 backup_item_find(field.value, &item))
			apply->items[item] = true;
	}
	TRY(rc == ERR_NOT_FOUND ? OK : rc);
	TRY(fields_number(value, "records", &records));
	TRY(fields_number(value, "objects", &objects));
	apply->records_staged = (uint64_t)records;
	apply->objects_staged = (uint64_t)objects;
out:
	return rc;
}

static enum err
has_objects(struct store *st, bool *has)
{
	struct object *first = NULL;
	int64_t row = 0;
	enum err rc = store_next(st, &row, &first);

	object_free(first);
	*has = rc == OK;
	return rc == ERR_NOT_FOUND ? OK : rc;
}

/*
 * Users come before keys, whose names depend on who is one. Where there are no
 * objects there is nothing to make room in.
 */
static enum err
apply_set(struct apply *apply, struct bytes key, struct bytes value)
{
	bool has;
	enum err rc = OK;

	apply->number = restore_number(key);
	TRY(read_set(apply, value));
	TRY(has_objects(apply->st, &has));
	apply->steps_all =
	    2 * apply->records_staged + (has ? 2 : 1) * apply->objects_staged;
	TRY(clear_items(apply));
	apply->record = make_room_for_record;
	TRY(rows_each(apply, RESTORE_RECORD));
	apply->record = put_record;
	TRY(rows_each(apply, RESTORE_RECORD));
	apply->object = place_object;
	if (has)
		TRY(rows_each(apply, RESTORE_OBJECT));
	apply->object = fill_object;
	TRY(rows_each(apply, RESTORE_OBJECT));
	TRY(record_delete(apply->st, RESTORE_KIND, key));
out:
	return rc;
}

struct next {
	struct buf key;
	struct buf value;
};

static enum err
keep_next(void *ctx, struct bytes key, struct bytes value)
{
	struct next *next = ctx;
	enum err rc = OK;

	TRY(buf_put(&next->key, key));
	TRY(buf_put(&next->value, value));
out:
	return rc;
}

/* The next one, in a group of its own. *found: there is one */
static enum err
apply_next(
    struct store *st, restore_progress_fn *progress, void *ctx, bool *found)
{
	struct apply apply = {.st = st, .progress = progress, .ctx = ctx};
	struct next next;
	enum err rc = OK;

	buf_init(&next.key, RECORD_KEY_MAX_OCTETS);
	buf_init(&next.value, RECORD_VALUE_MAX_OCTETS);
	TRY(record_each_prefix(
	    st, RESTORE_KIND, BYTES_NONE, BYTES_NONE, 1, keep_next, &next));
	*found = next.key.octets != 0;
	if (!*found)
		goto out;
	rc = apply_set(&apply, buf_peek(&next.key), buf_peek(&next.value));
	if (rc != OK)
		store_fail(st, rc);
	TRY(store_commit(st));
	log_line("device", LOG_INFO,
	    "a restored backup is in force: %llu objects, %llu stayed as they "
	    "were",
	    (unsigned long long)apply.objects, (unsigned long long)apply.kept);
out:
	buf_clear(&next.key);
	buf_clear(&next.value);
	return rc;
}

enum err
restore_apply(
    struct store *st, restore_progress_fn *progress, void *ctx, unsigned *count)
{
	bool found;
	enum err rc;

	*count = 0;
	while ((rc = apply_next(st, progress, ctx, &found)) == OK && found)
		++*count;
	return rc;
}

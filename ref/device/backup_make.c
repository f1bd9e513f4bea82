/*
 * Making a backup: a chain of steps, each on the thread of backups, with the
 * loop between them, where what was sealed is opened and wrapped.
 *
 *	prepare  the folders, and keys from the password
 *	copy     the store, at one moment
 *	open     the copy and the files; the first rows are read
 *	write    what the loop has wrapped; more rows are read
 *	...
 *	end      headers, and the folder's name: it is there
 *	undo     instead of all that follow, when one has failed
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/erase.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/vault.h"
#include "device/backup_format.h"
#include "device/backup_store.h"
#include "device/fields.h"
#include "device/key_query.h"
#include "device/key_value.h"

enum {
	BATCH_ROWS = 32, /* that a turn of the loop opens */
	BATCH_OCTETS = 256 * 1024,
	BATCH_ARENA_OCTETS = 32 * 1024 * 1024,
	SCRATCH_OCTETS = 4 * OBJECT_CAP_OCTETS,
	PLAN_OCTETS = 1024 * 1024,
	SECRETS_OCTETS = OBJECT_VALUE_MAX_OCTETS + 1024,
	SEAL_NAME_OCTETS = RECORD_KIND_MAX_OCTETS + RECORD_KEY_MAX_OCTETS + 2,
	SEAL_VERSION = 1,
	FIELD_NAME_OCTETS = 256,
	COPY_CACHE_OCTETS = 4 * 1024 * 1024,
};

/* A row on its way. All octets are in the batch's arena. */
struct piece {
	struct backup_row row;
	const char *sealed_name; /* NULL: nothing is to be opened */
	struct bytes seal_id;
	uint64_t seal_version;
	struct bytes sealed;
	struct object *object; /* NULL: a record, or an item's row */
	bool of_key;           /* an older version of the key before it */
	bool left_out;
};

struct walk {
	unsigned item; /* ITEM_COUNT: it is over */
	bool announced;
	size_t kind; /* of backup_kind_nth */
	struct buf after;
	int64_t row; /* of objects */
	struct object *key;
	uint32_t version; /* the next one of the key's older versions */
};

typedef enum err step_fn(struct backup_job *job);

struct backup_job {
	struct backup_job *next;
	struct backups *of;
	struct backup_make *make; /* NULL: dropped */
	/* ---- what the threads work on, one at a time ---- */
	step_fn *step;
	step_fn *then; /* in the loop, after it */
	enum err rc;   /* of the step */
	enum err failed;
	char base[BACKUP_BASE_OCTETS + 1];
	char description[BACKUP_DESCRIPTION_OCTETS + 1];
	enum backup_destination destination;
	struct backup_selection selection;
	struct secret *password;
	uint8_t salt[BACKUP_SALT_OCTETS];
	unsigned iterations;
	int64_t made_s;
	uint64_t limit_octets;
	struct backup_keys *keys;
	struct store_copy *copying;
	struct store *copy;
	struct backup_writer *writer;
	struct walk walk;
	struct arena *batch;
	struct piece pieces[BATCH_ROWS];
	size_t piece_count;
	size_t batch_octets;
	struct backup_header header;
	int *fds;
	/* ---- the loop's ---- */
	struct loop_task begin;
	struct keystore_loan loan;
	struct arena *scratch;
	struct arena *plan_arena;
	const struct key_query_plan *plan;
	bool key_selected; /* the key that was judged last */
	char why[CHANGE_WHY_OCTETS];
};

/* ---------------------------------------------------------------------------
 * On the thread: the copy is read
 */

static void
batch_reset(struct backup_job *job)
{
	size_t k;

	for (k = 0; k < job->piece_count; k++)
		object_free(job->pieces[k].object);
	memset(job->pieces, 0, sizeof(job->pieces));
	job->piece_count = 0;
	job->batch_octets = 0;
	arena_reset(job->batch);
}

static bool
batch_is_full(const struct backup_job *job)
{
	return job->piece_count == BATCH_ROWS ||
	       job->batch_octets >= BATCH_OCTETS;
}

static struct piece *
piece_add(struct backup_job *job, enum backup_item item, const char *kind)
{
	struct piece *piece = &job->pieces[job->piece_count++];

	piece->row.item = item;
	piece->row.kind = bytes_of_text(kind);
	return piece;
}

/* ---- records ---- */

static enum err
vault_rewrap(struct backup_job *job, const struct backup_kind_row *kind,
    struct bytes key, struct bytes sealed, struct buf *out)
{
	const struct appliance *appliance = job->of->appliance;
	char name[SEAL_NAME_OCTETS];
	struct secret *secret = NULL;
	enum err rc = OK;

	(void)snprintf(name, sizeof(name), "%s/%.*s", kind->kind,
	    (int)key.octets, (const char *)key.at);
	TRY(vault_open(appliance->vault, name, sealed, &secret));
	TRY(backup_secret_wrap(job->keys, appliance->env,
	    bytes_of_text(kind->kind), key, kind->sealed, secret_peek(secret),
	    out));
out:
	secret_free(secret);
	return rc;
}

/* One field of a record that has a sealed one. */
static enum err
field_take(struct backup_job *job, const struct backup_kind_row *kind,
    struct piece *piece, const struct field *field, struct buf *value,
    struct buf *secrets)
{
	char name[FIELD_NAME_OCTETS];
	bool sealed = bytes_equal_text(field->name, kind->sealed);
	const char *text;
	enum err rc = OK;

	(void)snprintf(name, sizeof(name), "%.*s", (int)field->name.octets,
	    (const char *)field->name.at);
	TRY(fields_put(value, name, sealed ? BYTES_NONE : field->value));
	if (!sealed || field->value.octets == 0)
		goto out;
	if (kind->seal == SEAL_VAULT) {
		TRY(vault_rewrap(
		    job, kind, piece->row.key, field->value, secrets));
		goto out;
	}
	TRY(arena_printf(job->batch, &text, "%s/%.*s", kind->kind,
	    (int)piece->row.key.octets, (const char *)piece->row.key.at));
	piece->seal_id = bytes_of_text(text);
	piece->seal_version = SEAL_VERSION;
	piece->sealed_name = kind->sealed;
	TRY(arena_copy(job->batch, field->value, &piece->sealed));
out:
	return rc;
}

static enum err
fields_take(struct backup_job *job, const struct backup_kind_row *kind,
    struct piece *piece, struct bytes in)
{
	struct field field;
	struct buf value;
	struct buf secrets;
	enum err rc = OK;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	buf_init(&secrets, SECRETS_OCTETS);
	while ((rc = fields_next(&in, &field)) == OK)
		TRY(field_take(job, kind, piece, &field, &value, &secrets));
	if (rc != ERR_NOT_FOUND)
		TRY(ERR_STORE);
	rc = OK;
	TRY(arena_copy(job->batch, buf_peek(&value), &piece->row.value));
	TRY(arena_copy(job->batch, buf_peek(&secrets), &piece->row.secrets));
out:
	buf_clear(&value);
	buf_clear(&secrets);
	return rc;
}

static enum err
record_take(void *ctx, struct bytes key, struct bytes value)
{
	struct backup_job *job = ctx;
	struct walk *w = &job->walk;
	const struct backup_kind_row *kind = backup_kind_nth(w->kind);
	struct backup_row row = {.item = (enum backup_item)w->item,
	    .kind = bytes_of_text(kind->kind),
	    .key = key};
	struct piece *piece;
	enum err rc = OK;

	buf_reset(&w->after);
	TRY(buf_put(&w->after, key));
	if (backup_item_of_record(row.kind, key) != row.item ||
	    !backup_selects_row(&job->selection, &row, BYTES_NONE))
		goto out;
	piece = piece_add(job, row.item, kind->kind);
	job->batch_octets += value.octets;
	TRY(arena_copy(job->batch, key, &piece->row.key));
	if (kind->seal == SEAL_NONE)
		TRY(arena_copy(job->batch, value, &piece->row.value));
	else
		TRY(fields_take(job, kind, piece, value));
out:
	return rc;
}

/* Counts what is shown, so that the end is seen. */
struct shown {
	struct backup_job *job;
	size_t count;
};

static enum err
record_show(void *ctx, struct bytes key, struct bytes value)
{
	struct shown *shown = ctx;

	shown->count++;
	return record_take(shown->job, key, value);
}

static enum err
walk_records(struct backup_job *job)
{
	struct walk *w = &job->walk;
	const struct backup_kind_row *kind = backup_kind_nth(w->kind);
	struct shown shown = {job, 0};
	size_t most = BATCH_ROWS - job->piece_count;
	enum err rc = OK;

	if (kind == NULL) {
		w->item++;
		w->kind = 0;
		w->announced = false;
		goto out;
	}
	if (kind->item == (enum backup_item)w->item ||
	    kind->item == ITEM_OF_ROW)
		TRY(record_each_prefix(job->copy, kind->kind, BYTES_NONE,
		    buf_peek(&w->after), most, record_show, &shown));
	if (shown.count < most) {
		w->kind++;
		buf_reset(&w->after);
	}
out:
	return rc;
}

/* ---- objects ---- */

/* The object is the piece's from here on. */
static enum err
object_take(struct backup_job *job, struct object *take, bool of_key)
{
	struct piece *piece = piece_add(job, ITEM_KEYS, BACKUP_KIND_OBJECT);
	struct buf value;
	enum err rc = OK;

	piece->object = take;
	piece->of_key = of_key;
	buf_init(&value, BACKUP_ROW_MAX_OCTETS);
	TRY(backup_object_write(take, &value));
	TRY(arena_copy(job->batch, buf_peek(&value), &piece->row.value));
	piece->row.key = take->id;
	if (take->value_sealed) {
		piece->sealed_name = "value";
		piece->seal_id = take->id;
		piece->seal_version = take->value_version;
		piece->sealed = take->value;
	}
	job->batch_octets += value.octets + take->value.octets;
out:
	buf_clear(&value);
	return rc;
}

/* An older version of the key that came last; behind the newest there is none.
 */
static enum err
walk_version(struct backup_job *job)
{
	struct walk *w = &job->walk;
	const struct object *version;
	struct object *clone;
	struct bytes id;
	enum err rc = OK;

	TRY(key_version_id(job->batch, w->key->id, w->version, &id));
	rc = store_find(job->copy, id, &version);
	if (rc == OK) {
		TRY(object_clone(version, &clone));
		TRY(object_take(job, clone, true));
	}
	if (rc == ERR_NOT_FOUND)
		rc = OK;
	w->version++;
	if (w->version >= w->key->card->newest) {
		object_free(w->key);
		w->key = NULL;
	}
out:
	return rc;
}

static enum err
walk_objects(struct backup_job *job)
{
	struct walk *w = &job->walk;
	struct object *o = NULL;
	enum err rc;

	if (w->key != NULL)
		return walk_version(job);
	rc = store_next(job->copy, &w->row, &o);
	if (rc == ERR_NOT_FOUND) {
		/* those of ITEM_KMIP were among them */
		w->item = ITEM_KMIP + 1;
		w->announced = false;
		return OK;
	}
	TRY(rc);
	if (o->card != NULL && o->card->version != 0) {
		object_free(o); /* comes with its key */
		return OK;
	}
	if (o->card != NULL && o->card->newest > 1) {
		TRY(object_clone(o, &w->key));
		w->version = 1;
	}
	TRY(object_take(job, o, false));
	o = NULL;
out:
	if (rc != OK && job->piece_count != 0 &&
	    job->pieces[job->piece_count - 1].object == o)
		o = NULL; /* it was taken */
	object_free(o);
	return rc;
}

/* ---- all of it ---- */

static bool
is_objects(const struct backup_job *job, unsigned item)
{
	return item == ITEM_KEYS &&
	       (backup_selects(&job->selection, ITEM_KEYS) ||
		   backup_selects(&job->selection, ITEM_KMIP));
}

/* "The item is part of it": both of objects before the first of them. */
static bool
announce(struct backup_job *job)
{
	struct walk *w = &job->walk;
	unsigned last = w->item == ITEM_KEYS ? ITEM_KMIP : w->item;
	unsigned k;

	if (w->announced)
		return false;
	if (job->piece_count + 2 > BATCH_ROWS)
		return false; /* with the next batch */
	for (k = w->item; k <= last; k++)
		if (backup_selects(&job->selection, (enum backup_item)k))
			(void)piece_add(
			    job, (enum backup_item)k, BACKUP_KIND_ITEM);
	w->announced = true;
	return true;
}

static enum err
fill(struct backup_job *job)
{
	struct walk *w = &job->walk;
	enum err rc = OK;

	batch_reset(job);
	while (!batch_is_full(job) && w->item < ITEM_COUNT) {
		if (!is_objects(job, w->item) &&
		    !backup_selects(
			&job->selection, (enum backup_item)w->item)) {
			w->item++;
			continue;
		}
		if (announce(job))
			continue;
		if (!w->announced)
			break;
		TRY(is_objects(job, w->item) ? walk_objects(job)
					     : walk_records(job));
		TRY(store_commit(job->copy)); /* what was borrowed */
	}
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * On the thread: the steps
 */

static enum err
step_prepare(struct backup_job *job)
{
	struct backups *b = job->of;
	enum err rc = OK;

	TRY(backups_tidy(b));
	if (mkdir(b->making, 0700) != 0 || mkdir(b->copy, 0700) != 0 ||
	    mkdir(b->files, 0700) != 0) {
		log_line(
		    "backup", LOG_ERROR, "%s: %s", b->making, strerror(errno));
		TRY(errno == ENOSPC ? ERR_DISK_FULL : ERR_SYSTEM);
	}
	TRY(backup_keys_new(secret_peek(job->password), job->salt,
	    job->iterations, &job->keys));
out:
	secret_free(job->password);
	job->password = NULL;
	return rc;
}

static enum err
step_copy(struct backup_job *job)
{
	store_copy_work(job->copying);
	return OK;
}

static enum err
step_open(struct backup_job *job)
{
	const struct store_options options = {
	    .copy = true, .cache_octets = COPY_CACHE_OCTETS};
	const struct backup_writer_config config = {.dir = job->of->files,
	    .base = job->base,
	    .description = job->description,
	    .made_s = job->made_s,
	    .salt = job->salt,
	    .iterations = job->iterations,
	    .keys = job->keys,
	    .limit_octets = job->limit_octets};
	enum err rc = OK;

	TRY(store_open(
	    job->of->copy, job->of->appliance->env, &options, &job->copy));
	TRY(backup_writer_new(&config, &job->writer));
	TRY(fill(job));
out:
	return rc;
}

static enum err
step_write(struct backup_job *job)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < job->piece_count; k++)
		if (!job->pieces[k].left_out)
			TRY(backup_writer_put(
			    job->writer, &job->pieces[k].row));
	TRY(fill(job));
out:
	return rc;
}

/* Nobody has names for them any more when the folder is gone. */
static enum err
open_files(struct backup_job *job)
{
	unsigned k;
	enum err rc = OK;

	TRY(MEM_ARRAY(job->fds, job->header.files));
	for (k = 0; k < job->header.files; k++)
		job->fds[k] = -1;
	for (k = 0; k < job->header.files; k++) {
		char name[BACKUP_FILE_NAME_OCTETS];
		char *path = NULL;

		backup_file_name(job->base, k, name);
		TRY(mem_printf(&path, "%s/%s", job->of->files, name));
		job->fds[k] = open(path, O_RDONLY | O_CLOEXEC);
		/* before the folder is erased, which writes over files */
		if (job->fds[k] < 0 || unlink(path) != 0)
			rc = ERR_SYSTEM;
		mem_free(path);
		TRY(rc);
	}
out:
	return rc;
}

/* From here on it is listed. */
static enum err
keep(struct backup_job *job)
{
	char *path = NULL;
	enum err rc = OK;

	TRY(backups_path(job->of, job->base, &path));
	if (rename(job->of->files, path) != 0)
		TRY(errno == EEXIST || errno == ENOTEMPTY ? ERR_EXISTS
							  : ERR_SYSTEM);
	TRY(erase_sync_dir(job->of->appliance->backup_dir));
out:
	mem_free(path);
	return rc;
}

static void
copy_drop(struct backup_job *job)
{
	store_close(job->copy);
	job->copy = NULL;
}

static enum err
step_end(struct backup_job *job)
{
	enum err rc = OK;

	TRY(backup_writer_end(job->writer));
	job->header = *backup_writer_header(job->writer);
	copy_drop(job);
	TRY(job->destination == BACKUP_INTERNAL ? keep(job) : open_files(job));
	/* it is whole, and what cannot be removed now is at the next start */
	if (backups_tidy(job->of) != OK)
		log_line("backup", LOG_WARN, "something of %s is left over",
		    job->base);
out:
	return rc;
}

static enum err
step_undo(struct backup_job *job)
{
	backup_writer_free(job->writer);
	job->writer = NULL;
	copy_drop(job);
	return backups_tidy(job->of);
}

/* ---------------------------------------------------------------------------
 * In the loop
 */

static void job_finish(struct backup_job *job);
static void job_fail(struct backup_job *job, enum err rc);

static void
step_work(void *ctx)
{
	struct backup_job *job = ctx;

	job->rc = job->step(job);
}

static void
step_done(void *ctx, enum err rc)
{
	struct backup_job *job = ctx;

	if (rc == OK)
		rc = job->rc;
	/* whatever came of undoing: what has failed is known */
	if (job->step == step_undo) {
		job_finish(job);
		return;
	}
	if (rc == OK && job->make == NULL)
		rc = ERR_CLOSED;
	if (rc == OK)
		rc = job->then(job);
	if (rc != OK)
		job_fail(job, rc);
}

static enum err
run(struct backup_job *job, step_fn *step, step_fn *then)
{
	job->step = step;
	job->then = then;
	return loop_submit(job->of->pool, step_work, step_done, job);
}

/* The store need not wait for it any more, whatever came of it. */
static void
copying_drop(struct backup_job *job)
{
	enum err rc = job->copying != NULL ? store_copy_end(job->copying) : OK;

	(void)rc;
	job->copying = NULL;
}

static void
job_fail(struct backup_job *job, enum err rc)
{
	job->failed = rc;
	copying_drop(job);
	if (job->of->pool == NULL || run(job, step_undo, NULL) != OK)
		job_finish(job);
}

/* ---- a batch ---- */

static void
call_init(struct backup_job *job, struct key_call *call)
{
	key_call_init(call, job->of->appliance, job->scratch);
	if (job->of->keystore != NULL)
		call->keystore = job->of->keystore;
	if (job->loan.done != NULL)
		call->loan = &job->loan;
}

/* Which item has it, and is it selected? A key's versions go with it. */
static enum err
judge(struct backup_job *job, struct piece *piece)
{
	const struct backup_selection *selection = &job->selection;
	bool by_name = selection->keys.which == BACKUP_NAMED ||
		       selection->keys.which == BACKUP_QUERY;
	struct key_call call;
	struct key_info info;
	bool is_key = piece->object->card != NULL;
	bool selected = false;
	enum err rc = OK;

	if (piece->of_key)
		goto out;
	call_init(job, &call);
	if (backup_selects(selection, ITEM_KEYS)) {
		if (selection->keys.which == BACKUP_QUERY) {
			TRY(key_query_matches(
			    &call, job->plan, piece->object, &selected));
		} else if (by_name) {
			TRY(key_info(&call, piece->object, &info));
			selected =
			    backup_choice_has(&selection->keys, info.name);
		} else {
			selected = is_key;
		}
	}
	/* who was asked for by name is a key, whoever made it */
	if (!selected && !is_key && backup_selects(selection, ITEM_KMIP)) {
		piece->row.item = ITEM_KMIP;
		selected = true;
	}
	job->key_selected = selected;
out:
	piece->left_out = !job->key_selected;
	return rc;
}

static enum err
rewrap(struct backup_job *job, struct piece *piece)
{
	struct appliance *appliance = job->of->appliance;
	struct key_call call;
	struct bytes plain;
	struct buf secrets;
	enum err rc = OK;

	buf_init(&secrets, SECRETS_OCTETS);
	call_init(job, &call);
	if (call.keystore == NULL)
		TRY(ERR_HSM);
	TRY(keystore_open(call.keystore, call.loan, piece->seal_id,
	    piece->seal_version, piece->sealed, job->scratch, &plain));
	TRY(backup_secret_wrap(job->keys, appliance->env, piece->row.kind,
	    piece->row.key, piece->sealed_name, plain, &secrets));
	TRY(arena_copy(job->batch, buf_peek(&secrets), &piece->row.secrets));
out:
	buf_clear(&secrets);
	return rc;
}

static enum err
batch_treat(struct backup_job *job)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < job->piece_count; k++) {
		struct piece *piece = &job->pieces[k];

		if (piece->object != NULL)
			TRY(judge(job, piece));
		if (!piece->left_out && piece->sealed_name != NULL)
			TRY(rewrap(job, piece));
		arena_reset(job->scratch);
	}
out:
	arena_reset(job->scratch);
	return rc;
}

static enum err
ended(struct backup_job *job)
{
	job_finish(job);
	return OK;
}

static enum err
batch_read(struct backup_job *job)
{
	enum err rc = OK;

	if (job->piece_count == 0)
		return run(job, step_end, ended);
	TRY(batch_treat(job));
	rc = run(job, step_write, batch_read);
out:
	return rc;
}

/* ---- before the first ---- */

static enum err
copied(struct backup_job *job)
{
	enum err rc = store_copy_end(job->copying);

	job->copying = NULL;
	if (rc == OK)
		rc = run(job, step_open, batch_read);
	return rc;
}

static enum err
copy_begin(struct backup_job *job)
{
	enum err rc = OK;

	TRY(store_copy_new(
	    job->of->appliance->store, job->of->copy, &job->copying));
	rc = run(job, step_copy, copied);
out:
	return rc;
}

static void
lent(struct keystore_loan *loan)
{
	struct backup_job *job = loan->ctx;
	enum err rc = loan->rc;

	if (rc == OK && job->make == NULL)
		rc = ERR_CLOSED;
	if (rc == OK)
		rc = copy_begin(job);
	if (rc != OK)
		job_fail(job, rc);
}

/* Without a cache the card lends the master key for as long as it takes. */
static enum err
prepared(struct backup_job *job)
{
	struct root *root = job->of->appliance->root;
	struct keystore *ks = root != NULL ? root_keystore(root) : NULL;

	if (ks == NULL || !keystore_lends(ks) ||
	    (!backup_selects_part(&job->selection, PART_KEYS) &&
		!backup_selects_part(&job->selection, PART_CAS)))
		return copy_begin(job);
	job->loan.done = lent;
	job->loan.ctx = job;
	return keystore_lend(ks, root_pool(root), &job->loan);
}

/* The query as it is now, with those that it asks for. */
static enum err
plan_make(struct backup_job *job)
{
	struct bytes names = buf_peek(&job->selection.keys.names);
	struct appliance *appliance = job->of->appliance;
	struct key_query query;
	struct key_call call;
	struct bytes name;
	enum err rc = OK;

	if (job->selection.keys.which != BACKUP_QUERY ||
	    !backup_selects(&job->selection, ITEM_KEYS))
		return OK;
	if (!backup_choice_next(&names, &name))
		TRY(ERR_NOT_FOUND);
	TRY(key_query_read(appliance->store, name, &query));
	TRY(arena_new(PLAN_OCTETS, &job->plan_arena));
	key_call_init(&call, appliance, job->plan_arena);
	TRY(key_query_plan(&call, &query, &job->plan));
out:
	if (rc == ERR_NOT_FOUND)
		(void)snprintf(job->why, sizeof(job->why), "the query is gone");
	return rc;
}

static enum err
job_start(struct backup_job *job)
{
	struct appliance *appliance = job->of->appliance;
	enum err rc = OK;

	job->made_s = env_wall_s(appliance->env);
	job->iterations = appliance->password_iterations;
	job->limit_octets = (uint64_t)setting_number(
				appliance->settings, SETTING_BACKUP_FILE_MB) *
			    1024 * 1024;
	TRY(arena_new(BATCH_ARENA_OCTETS, &job->batch));
	TRY(arena_new(SCRATCH_OCTETS, &job->scratch));
	TRY(env_random(appliance->env, job->salt, sizeof(job->salt)));
	TRY(plan_make(job));
	rc = run(job, step_prepare, prepared);
out:
	return rc;
}

static void
job_begin(void *ctx)
{
	struct backup_job *job = ctx;
	enum err rc = ERR_SYSTEM; /* there is no place */

	if (job->make == NULL)
		rc = ERR_CLOSED;
	else if (job->of->pool != NULL)
		rc = job_start(job);

	if (rc != OK)
		job_fail(job, rc);
}

/* ---- the end ---- */

static void
job_free(struct backup_job *job)
{
	unsigned k;

	loop_task_cancel(&job->begin);
	copying_drop(job);
	backup_writer_free(job->writer);
	store_close(job->copy);
	backup_keys_free(job->keys);
	secret_free(job->password);
	for (k = 0; job->fds != NULL && k < job->header.files; k++)
		if (job->fds[k] >= 0)
			(void)close(job->fds[k]);
	mem_free(job->fds);
	if (job->batch != NULL)
		batch_reset(job);
	object_free(job->walk.key);
	buf_clear(&job->walk.after);
	backup_selection_clear(&job->selection);
	keystore_loan_end(&job->loan);
	arena_free(job->batch);
	arena_free(job->scratch);
	arena_free(job->plan_arena);
	mem_free(job);
}

void
backup_jobs_free(struct backup_job *jobs)
{
	while (jobs != NULL) {
		struct backup_job *job = jobs;

		jobs = job->next;
		if (job->make != NULL)
			job->make->job = NULL;
		job_free(job);
	}
}

static void
explain(struct backup_job *job, char why[CHANGE_WHY_OCTETS])
{
	enum err rc = job->failed;

	if (job->why[0] != '\0')
		(void)snprintf(why, CHANGE_WHY_OCTETS, "%s", job->why);
	else if (rc == ERR_EXISTS)
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "Backup Name \"%s\": there is a backup of this name",
		    job->base);
	else if (rc == ERR_HSM || rc == ERR_HSM_LOGGED_OUT ||
		 rc == ERR_HSM_OTHER)
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "keys cannot be backed up: %s", err_text(rc));
	else if (rc == ERR_DISK_FULL)
		(void)snprintf(why, CHANGE_WHY_OCTETS,
		    "no space is left on the device for the backup");
	else
		(void)snprintf(why, CHANGE_WHY_OCTETS, "%s", err_text(rc));
}

/* ---- to another host ---- */

static void
sent(struct transfer *transfer, enum err rc)
{
	struct backup_make *make = transfer->ctx;

	if (rc != OK)
		(void)snprintf(
		    make->why, sizeof(make->why), "%s", transfer->why);
	make->transfer = NULL;
	transfer_drop(transfer);
	make->done(make, rc);
}

static enum err
send_begin(struct backup_make *make)
{
	struct transfer *transfer = NULL;
	char name[BACKUP_FILE_NAME_OCTETS];
	unsigned k;
	enum err rc = OK;

	TRY(transfer_new(make->appliance, &transfer));
	transfer->direction = TRANSFER_SEND;
	transfer->place = make->place;
	make->place.password = NULL;
	for (k = 0; k < make->header.files; k++) {
		backup_file_name(make->header.base, k, name);
		TRY(transfer_add(transfer, name, make->fds[k]));
	}
	transfer->done = sent;
	transfer->ctx = make;
	make->transfer = transfer;
	transfer_begin(transfer);
	transfer = NULL;
out:
	if (transfer != NULL && rc != OK)
		(void)snprintf(make->why, sizeof(make->why), "%s",
		    transfer->why[0] != '\0' ? transfer->why : err_text(rc));
	transfer_drop(transfer);
	return rc;
}

/* Out of the queue, told, and the next one's turn. */
static void
job_finish(struct backup_job *job)
{
	struct backups *b = job->of;
	struct backup_make *make = job->make;
	enum err rc = job->failed;

	b->jobs = job->next;
	if (b->jobs != NULL)
		loop_later(b->appliance->loop, &b->jobs->begin);
	if (make != NULL) {
		make->job = NULL;
		if (rc == OK) {
			make->header = job->header;
			make->fds = job->fds;
			job->fds = NULL;
		} else {
			explain(job, make->why);
		}
	}
	job_free(job);
	if (make != NULL && rc == OK && make->destination == BACKUP_SENT) {
		rc = send_begin(make);
		if (rc == OK)
			return;
	}
	if (make != NULL)
		make->done(make, rc);
}

/* ---- for who asks ---- */

enum err
backup_make_new(struct appliance *appliance, struct backup_make **out)
{
	struct backup_make *make = NULL;
	struct backup_job *job = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(make));
	make->appliance = appliance;
	backup_selection_init(&make->selection);
	TRY(MEM_NEW(job));
	job->of = appliance->backups;
	job->begin = (struct loop_task){.fn = job_begin, .ctx = job};
	backup_selection_init(&job->selection);
	buf_init(&job->walk.after, RECORD_KEY_MAX_OCTETS);
	make->job = job;
	*out = make;
	make = NULL;
out:
	if (make != NULL)
		backup_make_drop(make);
	return rc;
}

void
backup_make_begin(struct backup_make *make)
{
	struct backup_job *job = make->job;
	struct backups *b = job->of;
	struct backup_job **at = &b->jobs;

	job->make = make;
	(void)strcpy(job->base, make->base);
	(void)strcpy(job->description, make->description);
	job->destination = make->destination;
	job->password = make->password;
	make->password = NULL;
	backup_selection_clear(&job->selection);
	job->selection = make->selection;
	backup_selection_init(&make->selection);
	while (*at != NULL)
		at = &(*at)->next;
	*at = job;
	if (b->jobs == job)
		loop_later(b->appliance->loop, &job->begin);
}

void
backup_make_drop(struct backup_make *make)
{
	unsigned k;

	if (make == NULL)
		return;
	if (make->job != NULL && make->job->make == NULL)
		job_free(make->job); /* it was not begun */
	else if (make->job != NULL)
		make->job->make = NULL;
	for (k = 0; make->fds != NULL && k < make->header.files; k++)
		if (make->fds[k] >= 0)
			(void)close(make->fds[k]);
	mem_free(make->fds);
	transfer_drop(make->transfer);
	secret_free(make->place.password);
	secret_free(make->password);
	backup_selection_clear(&make->selection);
	mem_free(make);
}

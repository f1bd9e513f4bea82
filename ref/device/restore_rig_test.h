/*
 * For tests of restores: an appliance with a keystore, backups of it that are
 * made row by row, what it holds as lines, and its restart.
 */
#ifndef DEVICE_RESTORE_RIG_TEST_H
#define DEVICE_RESTORE_RIG_TEST_H

#include "device/accounts_test.h"
#include "device/key_rig_test.h"

#include "base/erase.h"
#include "crypto/vault.h"
#include "device/fields.h"
#include "device/restore.h"
#include "device/state.h"

#define TEXT(s)         bytes_of_text(s)
#define BACKUP_PASSWORD "Lamp7.Orchid"

enum { BACKUP_ROUNDS = 3, STATE_TEXT_OCTETS = 64 * 1024 * 1024 };

struct restore_rig {
	struct key_rig keys;
	char backups[300]; /* a directory */
	char vault[300];   /* the key of crypto/vault.h */
	struct buf before; /* lines, each with a line feed */
	struct buf after;
	/* what came of a restore */
	struct restore *restore;
	bool done;
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
};

#define APPLIANCE(rig) (&(rig)->keys.bench.appliance)
#define STORE(rig)     (APPLIANCE(rig)->store)

static const struct principal rig_admin = {.name = "root", .door = DOOR_SERIAL};

/* What reads the store as it opens. */
static inline void
restore_rig_open(struct restore_rig *rig)
{
	struct appliance *appliance = APPLIANCE(rig);

	assert_ok(credentials_new(appliance, &appliance->credentials));
	assert_ok(restores_new(appliance, &appliance->restores));
}

static inline void
restore_rig_close(struct restore_rig *rig)
{
	struct appliance *appliance = APPLIANCE(rig);

	restores_free(appliance->restores);
	credentials_free(appliance->credentials);
}

static inline void
restore_rig_make(struct restore_rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	key_rig_make(&rig->keys);
	(void)snprintf(rig->backups, sizeof(rig->backups), "%s/backups",
	    rig->keys.bench.dir);
	(void)snprintf(rig->vault, sizeof(rig->vault), "%s/vault.key",
	    rig->keys.bench.dir);
	assert_int_equal(mkdir(rig->backups, 0700), 0);
	APPLIANCE(rig)->keystore = rig->keys.keystore;
	APPLIANCE(rig)->vault = rig->vault;
	buf_init(&rig->before, STATE_TEXT_OCTETS);
	buf_init(&rig->after, STATE_TEXT_OCTETS);
	restore_rig_open(rig);
	account_put(&rig->keys.bench, "root", true, CONTROLS_ALL);
	key_rig_turn(&rig->keys);
}

static inline void
restore_rig_clear(struct restore_rig *rig)
{
	buf_clear(&rig->before);
	buf_clear(&rig->after);
	loop_end_jobs(APPLIANCE(rig)->loop);
	restore_rig_close(rig);
	key_rig_clear(&rig->keys);
}

/* ---- what it holds ---- */

static inline enum err
restore_rig_line(void *ctx, struct bytes line)
{
	enum err rc = OK;

	TRY(buf_put(ctx, line));
	TRY(buf_put_text(ctx, "\n"));
out:
	return rc;
}

static inline void
restore_rig_state(struct restore_rig *rig, struct buf *out)
{
	const struct state_source source = {
	    .store = STORE(rig),
	    .keystore = rig->keys.keystore,
	    .vault = rig->vault,
	    .key = TEXT("a key of the caller's"),
	};

	buf_reset(out);
	assert_ok(state_each(&source, restore_rig_line, out));
}

/* The first line that differs is shown. */
static inline void
restore_rig_assert_same(
    const char *what, const struct buf *got, const struct buf *want)
{
	struct bytes g = buf_peek(got);
	struct bytes w = buf_peek(want);
	size_t k = 0, from = 0;

	if (bytes_equal(g, w))
		return;
	for (; k < g.octets && k < w.octets && g.at[k] == w.at[k]; k++)
		if (g.at[k] == '\n')
			from = k + 1;
	fail_msg(
	    "%s: the state differs\n  expected: %.300s\n  got:      %.300s",
	    what, from < w.octets ? (const char *)w.at + from : "(end)",
	    from < g.octets ? (const char *)g.at + from : "(end)");
}

/* ---- making a backup ---- */

struct rig_backup {
	struct restore_rig *rig;
	struct backup_writer *writer;
	struct backup_keys *keys;
	const struct backup_kind_row *row;
	enum backup_item item;
};

static inline enum err
rig_backup_record(void *ctx, struct bytes key, struct bytes value)
{
	struct rig_backup *b = ctx;
	struct bytes kind = TEXT(b->row->kind);
	char name[RECORD_KIND_MAX_OCTETS + RECORD_KEY_MAX_OCTETS + 2];
	struct buf own, secrets;
	struct secret *secret = NULL;
	struct bytes plain, left = value;
	struct field field;

	if (backup_kind_find(kind, key) != b->row ||
	    backup_item_of_record(kind, key) != b->item)
		return OK;
	buf_init(&own, RECORD_VALUE_MAX_OCTETS);
	buf_init(&secrets, RECORD_VALUE_MAX_OCTETS);
	(void)snprintf(name, sizeof(name), "%s/%.*s", b->row->kind,
	    (int)key.octets, (const char *)key.at);
	if (b->row->seal == SEAL_NONE)
		assert_ok(buf_put(&own, value));
	while (b->row->seal != SEAL_NONE && fields_next(&left, &field) == OK) {
		char word[256];

		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)field.name.octets, (const char *)field.name.at);
		if (strcmp(word, b->row->sealed) != 0) {
			assert_ok(fields_put(&own, word, field.value));
			continue;
		}
		if (b->row->seal == SEAL_VAULT) {
			assert_ok(vault_open(
			    b->rig->vault, name, field.value, &secret));
			plain = secret_peek(secret);
		} else {
			assert_ok(keystore_open(b->rig->keys.keystore, NULL,
			    TEXT(name), 1, field.value, b->rig->keys.arena,
			    &plain));
		}
		assert_ok(
		    backup_secret_wrap(b->keys, b->rig->keys.bench.rig.env,
			kind, key, word, plain, &secrets));
	}
	assert_ok(backup_writer_put(
	    b->writer, &(struct backup_row){b->item, kind, key, buf_peek(&own),
			   buf_peek(&secrets)}));
	secret_free(secret);
	buf_clear(&own);
	buf_clear(&secrets);
	return OK;
}

static inline void
rig_backup_objects(struct rig_backup *b)
{
	struct buf value, secrets;
	struct object *o;
	struct bytes plain;
	int64_t row = 0;

	buf_init(&value, BACKUP_ROW_MAX_OCTETS);
	buf_init(&secrets, BACKUP_ROW_MAX_OCTETS);
	while (store_next(STORE(b->rig), &row, &o) == OK) {
		enum backup_item item = o->card != NULL ? ITEM_KEYS : ITEM_KMIP;

		if (item == b->item) {
			buf_reset(&value);
			buf_reset(&secrets);
			assert_ok(backup_object_write(o, &value));
			if (o->value_sealed) {
				assert_ok(keystore_open(b->rig->keys.keystore,
				    NULL, o->id, o->value_version, o->value,
				    b->rig->keys.arena, &plain));
				assert_ok(backup_secret_wrap(b->keys,
				    b->rig->keys.bench.rig.env,
				    TEXT(BACKUP_KIND_OBJECT), o->id, "value",
				    plain, &secrets));
			}
			assert_ok(backup_writer_put(b->writer,
			    &(struct backup_row){b->item,
				TEXT(BACKUP_KIND_OBJECT), o->id,
				buf_peek(&value), buf_peek(&secrets)}));
		}
		object_free(o);
	}
	buf_clear(&value);
	buf_clear(&secrets);
}

/* All that there is. */
static inline void
restore_rig_backup(struct restore_rig *rig, const char *base)
{
	static const uint8_t salt[BACKUP_SALT_OCTETS] = "sixteen octets.";
	struct rig_backup b = {.rig = rig};
	char path[400];
	struct backup_writer_config config = {.dir = rig->backups,
	    .base = base,
	    .description = "all of it",
	    .made_s = KEY_RIG_WALL_S,
	    .salt = salt,
	    .iterations = BACKUP_ROUNDS};
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s_0_bkp", rig->backups, base);
	(void)unlink(path);
	assert_ok(backup_keys_new(
	    TEXT(BACKUP_PASSWORD), salt, BACKUP_ROUNDS, &b.keys));
	config.keys = b.keys;
	assert_ok(backup_writer_new(&config, &b.writer));
	for (b.item = 0; b.item < ITEM_COUNT; b.item++) {
		assert_ok(backup_writer_put(
		    b.writer, &(struct backup_row){.item = b.item,
				  .kind = TEXT(BACKUP_KIND_ITEM)}));
		for (n = 0; (b.row = backup_kind_nth(n)) != NULL; n++)
			assert_ok(record_each(
			    STORE(rig), b.row->kind, rig_backup_record, &b));
		rig_backup_objects(&b);
	}
	assert_ok(backup_writer_end(b.writer));
	backup_writer_free(b.writer);
	backup_keys_free(b.keys);
	arena_reset(rig->keys.arena);
}

/* ---- restoring it ---- */

static inline void
rig_restore_done(void *ctx, enum err rc, const char *why)
{
	struct restore_rig *rig = ctx;

	rig->done = true;
	rig->rc = rc;
	(void)snprintf(rig->why, sizeof(rig->why), "%s", why);
	loop_stop(APPLIANCE(rig)->loop);
}

static inline void
rig_restore_wait(struct restore_rig *rig)
{
	while (!rig->done)
		assert_ok(loop_run(APPLIANCE(rig)->loop));
	rig->done = false;
}

static inline enum err
restore_rig_look(
    struct restore_rig *rig, const char *base, const char *password)
{
	restore_drop(rig->restore);
	rig->restore = NULL;
	assert_ok(restore_open(APPLIANCE(rig), rig->backups, base,
	    TEXT(password), rig_restore_done, rig, &rig->restore));
	rig_restore_wait(rig);
	return rig->rc;
}

static inline enum err
restore_rig_run(
    struct restore_rig *rig, const struct backup_selection *selection)
{
	static const struct approvals none;

	restore_begin(
	    rig->restore, selection, &rig_admin, &none, rig_restore_done, rig);
	rig_restore_wait(rig);
	return rig->rc;
}

/* Memory is what the store has. */
static inline void
restore_rig_restart(struct restore_rig *rig, unsigned restores)
{
	struct appliance *appliance = APPLIANCE(rig);
	unsigned count;

	restore_drop(rig->restore);
	rig->restore = NULL;
	key_rig_turn(&rig->keys);
	restore_rig_close(rig);
	policies_free(appliance->policies);
	clock_free(appliance->clock);
	settings_free(appliance->settings);
	assert_ok(restore_apply(appliance->store, NULL, NULL, &count));
	assert_int_equal(count, restores);
	assert_ok(settings_new(appliance->store, &appliance->settings));
	assert_ok(clock_new(
	    appliance->store, rig->keys.bench.rig.env, &appliance->clock));
	assert_ok(policies_new(appliance, &appliance->policies));
	restore_rig_open(rig);
}

static inline enum err
rig_count_one(void *ctx, struct bytes key, struct bytes value)
{
	(void)key;
	(void)value;
	++*(size_t *)ctx;
	return OK;
}

/* How many records of a kind there are. */
static inline size_t
restore_rig_count(struct restore_rig *rig, const char *kind)
{
	size_t count = 0;

	assert_ok(record_each(STORE(rig), kind, rig_count_one, &count));
	return count;
}

/* ---- records ---- */

/* The key of a setting's record: see device/settings.c. */
static inline void
restore_rig_setting_key(enum setting which, char key[200])
{
	const struct setting_row *row = setting_row(which);
	char *at;

	(void)snprintf(
	    key, 200, "%s/%s", section_row(row->section)->words, row->word);
	for (at = key; *at != '\0'; at++)
		if (*at == ' ')
			*at = '-';
}

/* Into the field of a record of that row, sealed as it has to be. */
static inline void
restore_rig_put_sealed(struct restore_rig *rig, struct buf *value,
    const struct backup_kind_row *row, const char *key, const char *secret)
{
	struct appliance *appliance = APPLIANCE(rig);
	char name[700];
	struct buf vaulted;
	struct bytes sealed;

	(void)snprintf(name, sizeof(name), "%s/%s", row->kind, key);
	if (row->seal == SEAL_KEYSTORE) {
		assert_ok(keystore_seal(rig->keys.keystore, NULL, TEXT(name), 1,
		    TEXT(secret), rig->keys.arena, &sealed));
		assert_ok(fields_put(value, row->sealed, sealed));
		return;
	}
	buf_init(&vaulted, 1000);
	assert_ok(vault_seal(
	    appliance->env, appliance->vault, name, TEXT(secret), &vaulted));
	assert_ok(fields_put(value, row->sealed, buf_peek(&vaulted)));
	buf_clear(&vaulted);
}

#endif

/*
 * Backups as they are made: what is in one, and what is left when it fails.
 */
#include "device/backup.h"

#include "base/erase.h"
#include "base/mem.h"
#include "device/backup_store.h"
#include "device/fields.h"
#include "device/key_query.h"
#include "device/key_rig_test.h"
#include "device/key_value.h"

#define PASSWORD "Backup-1"
#define TEXT(s)  bytes_of_text(s)

enum { ITERATIONS = 2, MANY = 3000, TURN_US_MOST = 5000 };

struct desk {
	struct key_rig rig;
	char place[300];
	struct backup_make *make;
	enum err rc;
	bool done;
};

static struct appliance *
appliance_of(struct desk *desk)
{
	return &desk->rig.bench.appliance;
}

static void
desk_open(struct desk *desk)
{
	struct appliance *a = appliance_of(desk);

	a->password_iterations = ITERATIONS;
	(void)snprintf(
	    desk->place, sizeof(desk->place), "%s/backup", desk->rig.bench.dir);
	a->backup_dir = desk->place;
	assert_ok(backups_new(a, &a->backups));
	a->backups->keystore = desk->rig.keystore;
}

static int
set_up(void **state)
{
	struct desk *desk;

	assert_ok(MEM_NEW(desk));
	*state = desk;
	key_rig_make(&desk->rig);
	desk_open(desk);
	return 0;
}

static int
tear_down(void **state)
{
	struct desk *desk = *state;

	backup_make_drop(desk->make);
	loop_end_jobs(desk->rig.bench.rig.loop);
	backups_free(appliance_of(desk)->backups);
	key_rig_clear(&desk->rig);
	mem_free(desk);
	return 0;
}

/* ---- making ---- */

static void
made(struct backup_make *make, enum err rc)
{
	struct desk *desk = make->ctx;

	desk->rc = rc;
	desk->done = true;
	loop_stop(desk->rig.bench.rig.loop);
}

static struct backup_make *
begin(struct desk *desk, const char *base)
{
	backup_make_drop(desk->make);
	assert_ok(backup_make_new(appliance_of(desk), &desk->make));
	(void)snprintf(desk->make->base, sizeof(desk->make->base), "%s", base);
	assert_ok(secret_copy(TEXT(PASSWORD), &desk->make->password));
	desk->make->done = made;
	desk->make->ctx = desk;
	desk->done = false;
	return desk->make;
}

static enum err
finish(struct desk *desk)
{
	backup_make_begin(desk->make);
	while (!desk->done)
		assert_ok(loop_run(desk->rig.bench.rig.loop));
	return desk->rc;
}

static void
make_all(struct desk *desk, const char *base)
{
	backup_selection_all(&begin(desk, base)->selection);
	assert_ok(finish(desk));
}

/* ---- reading ---- */

static struct backup_reader *
open_it(struct desk *desk, const char *base)
{
	struct backup_reader *r;
	char why[BACKUP_WHY_OCTETS];
	char *dir;

	assert_ok(backup_dir(appliance_of(desk), TEXT(base), &dir));
	assert_ok(backup_reader_open(dir, base, TEXT(PASSWORD), &r, why));
	mem_free(dir);
	return r;
}

static bool
has_row(struct backup_reader *r, const char *kind, struct bytes key,
    struct backup_row *row)
{
	enum err rc;

	backup_reader_rewind(r);
	while ((rc = backup_reader_next(r, row)) == OK)
		if (bytes_equal_text(row->kind, kind) &&
		    bytes_equal(row->key, key))
			return true;
	assert_int_equal(rc, ERR_NOT_FOUND);
	return false;
}

static bool
has(struct desk *desk, const char *base, const char *kind, struct bytes key)
{
	struct backup_reader *r = open_it(desk, base);
	struct backup_row row;
	bool so = has_row(r, kind, key, &row);

	backup_reader_close(r);
	return so;
}

static bool
exists(struct desk *desk, const char *name)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", desk->place, name);
	return access(path, F_OK) == 0;
}

/* ---- what there is ---- */

static struct bytes
make_key(struct desk *desk, const char *name, bool versioned)
{
	struct key_spec spec = key_rig_spec(name, "");
	const struct object *key;
	struct bytes id;

	spec.versioned = versioned;
	assert_ok(key_create(&desk->rig.call, &spec, NULL, &key));
	assert_ok(arena_copy(desk->rig.arena, key->id, &id));
	assert_ok(store_commit(appliance_of(desk)->store));
	return id;
}

/* As KMIP makes one: it has no card. */
static struct bytes
make_kmip(struct desk *desk)
{
	struct object *o;
	struct bytes id;

	assert_ok(object_new(desk->rig.bench.rig.env, OBJECT_TYPE_CERTIFICATE,
	    TEXT("alice"), &o));
	assert_ok(arena_copy(desk->rig.arena, o->id, &id));
	assert_ok(store_insert(appliance_of(desk)->store, o));
	assert_ok(store_commit(appliance_of(desk)->store));
	return id;
}

static void
put(struct desk *desk, const char *kind, const char *key, const char *field,
    struct bytes value)
{
	struct buf b;

	buf_init(&b, 10000);
	assert_ok(fields_put(&b, field, value));
	assert_ok(record_put(
	    appliance_of(desk)->store, kind, TEXT(key), buf_peek(&b)));
	assert_ok(store_commit(appliance_of(desk)->store));
	buf_clear(&b);
}

/* A certificate, or a local CA, whose key is sealed as theirs are. */
static void
put_sealed(struct desk *desk, const char *kind, const char *name,
    const char *private_key)
{
	char id[100];
	struct bytes sealed;

	(void)snprintf(id, sizeof(id), "%s/%s", kind, name);
	assert_ok(keystore_seal(desk->rig.keystore, NULL, TEXT(id), 1,
	    TEXT(private_key), desk->rig.arena, &sealed));
	put(desk, kind, name, "key", sealed);
}

/* ---- tests ---- */

static void
test_secrets_open_with_the_password_alone(void **state)
{
	struct desk *desk = *state;
	struct bytes id = make_key(desk, "k1", true);
	struct backup_reader *r;
	struct backup_row row;
	struct key_material old;
	struct key_material now;
	struct secret *secret;
	struct bytes old_id;
	struct bytes sealed;
	uint32_t number;

	assert_ok(key_version_new(&desk->rig.call,
	    key_rig_find(&desk->rig, "k1"), CARD_ACTIVE, NULL, &number));
	key_rig_turn(&desk->rig);
	put_sealed(desk, "certificate", "web", "private octets");
	id = key_rig_find(&desk->rig, "k1")->id;
	assert_ok(key_bytes(
	    &desk->rig.call, key_rig_find(&desk->rig, "k1"), 1, &old));
	assert_ok(key_bytes(
	    &desk->rig.call, key_rig_find(&desk->rig, "k1"), 2, &now));
	make_all(desk, "all1");
	r = open_it(desk, "all1");

	assert_true(has_row(r, "certificate", TEXT("web"), &row));
	assert_ok(fields_find(row.value, "key", &sealed));
	assert_int_equal(sealed.octets, 0);
	assert_ok(backup_secret_open(backup_reader_keys(r), row.kind, row.key,
	    "key", row.secrets, &secret));
	assert_true(bytes_equal_text(secret_peek(secret), "private octets"));
	secret_free(secret);

	assert_true(has_row(r, "object", id, &row));
	assert_ok(backup_secret_open(backup_reader_keys(r), row.kind, row.key,
	    "value", row.secrets, &secret));
	assert_non_null(memmem(secret_peek(secret).at,
	    secret_peek(secret).octets, now.octets.at, now.octets.octets));
	secret_free(secret);
	/* an older version stands right behind its key */
	assert_ok(key_version_id(desk->rig.arena, id, 1, &old_id));
	assert_ok(backup_reader_next(r, &row));
	assert_true(bytes_equal(row.key, old_id));
	assert_ok(backup_secret_open(backup_reader_keys(r), row.kind, row.key,
	    "value", row.secrets, &secret));
	assert_non_null(memmem(secret_peek(secret).at,
	    secret_peek(secret).octets, old.octets.at, old.octets.octets));
	secret_free(secret);
	backup_reader_close(r);
}

/* req: KS-23-007 ESKM-246 */
static void
test_which_keys(void **state)
{
	static const struct {
		const char *base;
		bool keys;
		bool kmip;
		enum backup_which which;
		bool wants[3]; /* k1, k2, KMIP's */
	} cases[] = {
	    {"allkeys", true, false, BACKUP_ALL, {true, true, false}},
	    {"nokeys", true, true, BACKUP_NONE, {false, false, true}},
	    {"named", true, false, BACKUP_NAMED, {false, true, false}},
	    {"query", true, false, BACKUP_QUERY, {true, false, false}},
	    {"kmip", false, true, BACKUP_ALL, {false, false, true}},
	    {"both", true, true, BACKUP_ALL, {true, true, true}},
	};
	struct desk *desk = *state;
	struct bytes ids[3];
	struct key_query query;
	char why[CHANGE_WHY_OCTETS];
	size_t k;

	ids[0] = make_key(desk, "k1", false);
	ids[1] = make_key(desk, "k2", false);
	ids[2] = make_kmip(desk);
	key_query_init(&query, "ones");
	query.condition_count = 1;
	query.conditions[0] = (struct key_condition){
	    .field = 0, .compare = KEY_CONTAINS, .value = "1"};
	assert_ok(key_query_write(appliance_of(desk)->store, &query, why));
	for (k = 0; k < LENGTH(cases); k++) {
		struct backup_make *make = begin(desk, cases[k].base);
		size_t n;

		make->selection.items[ITEM_KEYS] = cases[k].keys;
		make->selection.items[ITEM_KMIP] = cases[k].kmip;
		make->selection.keys.which = cases[k].which;
		if (cases[k].which == BACKUP_NAMED)
			assert_ok(
			    backup_choose(&make->selection.keys, TEXT("k2")));
		if (cases[k].which == BACKUP_QUERY)
			assert_ok(
			    backup_choose(&make->selection.keys, TEXT("ones")));
		assert_ok(finish(desk));
		for (n = 0; n < 3; n++)
			if (has(desk, cases[k].base, "object", ids[n]) !=
			    cases[k].wants[n])
				fail_msg("%s: object %zu", cases[k].base, n);
	}
	backup_selection_init(&begin(desk, "gone")->selection);
	desk->make->selection.items[ITEM_KEYS] = true;
	desk->make->selection.keys.which = BACKUP_QUERY;
	assert_ok(backup_choose(&desk->make->selection.keys, TEXT("zeros")));
	assert_err(finish(desk), ERR_NOT_FOUND);
	assert_false(exists(desk, "gone"));
}

/* req: KS-23-009 KS-23-010 */
static void
test_which_certificates_and_cas(void **state)
{
	struct desk *desk = *state;
	struct backup_selection *selection;

	put_sealed(desk, "certificate", "web", "1");
	put_sealed(desk, "certificate", "ssh", "2");
	put_sealed(desk, "ca.local", "one", "3");
	put_sealed(desk, "ca.local", "two", "4");
	put(desk, "ca.issued", "one 0000000000000001", "certificate",
	    TEXT("c"));
	put(desk, "ca.issued", "two 0000000000000002", "certificate",
	    TEXT("c"));
	selection = &begin(desk, "some")->selection;
	selection->items[ITEM_CERTIFICATES] = true;
	selection->items[ITEM_LOCAL_CAS] = true;
	assert_ok(backup_choose(&selection->certificates, TEXT("ssh")));
	assert_ok(backup_choose(&selection->cas, TEXT("two")));
	assert_ok(finish(desk));
	assert_false(has(desk, "some", "certificate", TEXT("web")));
	assert_true(has(desk, "some", "certificate", TEXT("ssh")));
	assert_false(has(desk, "some", "ca.local", TEXT("one")));
	assert_true(has(desk, "some", "ca.local", TEXT("two")));
	assert_false(
	    has(desk, "some", "ca.issued", TEXT("one 0000000000000001")));
	assert_true(
	    has(desk, "some", "ca.issued", TEXT("two 0000000000000002")));
	selection = &begin(desk, "none")->selection;
	selection->items[ITEM_CERTIFICATES] = true;
	selection->certificates.which = BACKUP_NONE;
	selection->items[ITEM_LOCAL_CAS] = true;
	assert_ok(finish(desk));
	assert_false(has(desk, "none", "certificate", TEXT("ssh")));
	assert_true(has(desk, "none", "ca.local", TEXT("one")));
}

/* req: KS-05-117 KS-23-011 */
static void
test_what_is_in_no_backup(void **state)
{
	struct desk *desk = *state;
	struct backup_reader *r;
	struct backup_row row;
	enum err rc;

	put(desk, "rate", "alice/1", "count", TEXT("7"));
	put(desk, "clock", "offset", "ms", TEXT("7"));
	put(desk, "clock", "zone", "name", TEXT("UTC"));
	assert_ok(store_meta_put(
	    appliance_of(desk)->store, "hsm.secure-key-cache", TEXT("off")));
	assert_ok(store_meta_put(
	    appliance_of(desk)->store, "crypto.master", TEXT("wrapped")));
	make_all(desk, "all1");
	r = open_it(desk, "all1");
	assert_false(backup_reader_has(r, ITEM_LOG_CERTIFICATE));
	while ((rc = backup_reader_next(r, &row)) == OK) {
		assert_false(bytes_equal_text(row.kind, "rate"));
		assert_false(bytes_equal_text(row.kind, "clock") &&
			     !bytes_equal_text(row.key, "zone"));
		assert_true(memmem(row.key.at, row.key.octets, "secure-key",
				10) == NULL);
	}
	assert_true(has_row(r, "clock", TEXT("zone"), &row));
	backup_reader_close(r);
}

/* Only what is selected, and an item that has nothing says that it is there. */
static void
test_items_are_chosen(void **state)
{
	struct desk *desk = *state;
	struct backup_reader *r;

	put(desk, "user", "alice", "x", TEXT("1"));
	assert_ok(record_put(appliance_of(desk)->store, "setting",
	    TEXT("ntp/poll-interval"), TEXT("45")));
	assert_ok(store_commit(appliance_of(desk)->store));
	begin(desk, "ntponly")->selection.items[ITEM_NTP] = true;
	assert_ok(finish(desk));
	assert_true(has(desk, "ntponly", "setting", TEXT("ntp/poll-interval")));
	assert_false(has(desk, "ntponly", "user", TEXT("alice")));
	begin(desk, "services")->selection.items[ITEM_SERVICES] = true;
	assert_ok(finish(desk));
	r = open_it(desk, "services");
	assert_true(backup_reader_has(r, ITEM_SERVICES));
	assert_int_equal(backup_reader_rows(r, ITEM_SERVICES), 0);
	assert_false(backup_reader_has(r, ITEM_NTP));
	backup_reader_close(r);
}

/* ---- a moment, while others work ---- */

static void
insert_pair(struct desk *desk, unsigned n)
{
	char value[16];

	(void)snprintf(value, sizeof(value), "%u", n);
	put(desk, "user", "alice", "n", TEXT(value));
	put(desk, "group", "g", "n", TEXT(value));
}

static void
keep_busy(void *ctx)
{
	static unsigned n;
	struct desk *desk = ctx;
	struct store *st = appliance_of(desk)->store;
	char value[16];

	/* both in one change: a moment has them equal */
	(void)snprintf(value, sizeof(value), "%u", ++n);
	assert_ok(record_put(st, "user", TEXT("alice"), TEXT(value)));
	assert_ok(record_put(st, "service", TEXT("web"), TEXT(value)));
}

static void
test_it_is_one_moment_and_nobody_waits(void **state)
{
	struct desk *desk = *state;
	struct loop *loop = desk->rig.bench.rig.loop;
	struct loop_task busy = {.fn = keep_busy, .ctx = desk};
	struct backup_reader *r;
	struct backup_row row;
	char user[16];
	int64_t longest_us;
	unsigned k;

	for (k = 0; k < MANY; k++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "key%u", k);
		(void)make_key(desk, name, false);
		if (k % 100 == 0)
			arena_reset(desk->rig.arena);
	}
	insert_pair(desk, 0);
	loop_each_turn(loop, &busy);
	backup_selection_all(&begin(desk, "busy")->selection);
	(void)loop_longest_turn_us(loop);
	assert_ok(finish(desk));
	longest_us = loop_longest_turn_us(loop);
	loop_task_cancel(&busy);
	r = open_it(desk, "busy");
	assert_int_equal(backup_reader_rows(r, ITEM_KEYS), MANY);
	assert_true(has_row(r, "user", TEXT("alice"), &row));
	assert_in_range(row.value.octets, 1, sizeof(user) - 1);
	(void)snprintf(user, sizeof(user), "%.*s", (int)row.value.octets,
	    (const char *)row.value.at);
	assert_true(has_row(r, "service", TEXT("web"), &row));
	assert_true(bytes_equal_text(row.value, user));
	backup_reader_close(r);
	if (longest_us > TURN_US_MOST)
		fail_msg("a turn took %lld us", (long long)longest_us);
}

/* ---- names, lists, deletion ---- */

static enum err
count_one(void *ctx, const struct backup_header *header)
{
	unsigned *count = ctx;

	assert_true(header->octets > 0);
	++*count;
	return OK;
}

static unsigned
count(struct desk *desk)
{
	unsigned n = 0;

	assert_ok(backup_each(appliance_of(desk), count_one, &n));
	return n;
}

/* req: KS-23-087 KS-23-089 */
static void
test_internal_backups_are_listed_until_they_are_deleted(void **state)
{
	struct desk *desk = *state;
	struct backup_header header;

	assert_int_equal(count(desk), 0);
	make_all(desk, "one");
	make_all(desk, "two");
	assert_int_equal(count(desk), 2);
	assert_ok(backup_find(appliance_of(desk), TEXT("two"), &header));
	assert_string_equal(header.base, "two");
	backup_selection_all(&begin(desk, "two")->selection);
	assert_err(finish(desk), ERR_EXISTS);
	assert_non_null(strstr(desk->make->why, "two"));
	assert_int_equal(count(desk), 2);
	assert_err(
	    backup_delete(appliance_of(desk), TEXT("three")), ERR_NOT_FOUND);
	assert_err(backup_delete(appliance_of(desk), TEXT("../backup/one")),
	    ERR_NOT_FOUND);
	assert_err(
	    backup_delete(appliance_of(desk), TEXT("..")), ERR_NOT_FOUND);
	assert_ok(backup_delete(appliance_of(desk), TEXT("two")));
	assert_int_equal(count(desk), 1);
	assert_false(exists(desk, "two"));
	assert_ok(backup_find(appliance_of(desk), TEXT("one"), &header));
	assert_err(backup_find(appliance_of(desk), TEXT("two"), &header),
	    ERR_NOT_FOUND);
}

static void
test_a_download_has_no_place_on_the_device(void **state)
{
	struct desk *desk = *state;
	struct stat st;
	char magic[8];

	begin(desk, "down")->destination = BACKUP_DOWNLOAD;
	desk->make->selection.items[ITEM_NTP] = true;
	assert_ok(finish(desk));
	assert_int_equal(desk->make->header.files, 1);
	assert_int_equal(fstat(desk->make->fds[0], &st), 0);
	assert_int_equal(st.st_size, desk->make->header.octets);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(
	    pread(desk->make->fds[0], magic, sizeof(magic), 0), sizeof(magic));
	assert_memory_equal(magic, "TSBACKUP", sizeof(magic));
	assert_int_equal(count(desk), 0);
	assert_false(exists(desk, ".making"));
}

/* req: KS-23-013 KS-23-017 */
static void
test_what_can_be_entered(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} names[] = {{"Weekly1", true}, {"weekly-1", false},
	    {"weekly_1", false}, {"weekly 1", false}, {"", false},
	    {"a.b", false}, {"w\xc3\xa9", false}};
	char long_one[66];
	const char *rule;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++)
		if (backup_name_is_valid(TEXT(names[k].name), &rule) !=
		    names[k].good)
			fail_msg("\"%s\"", names[k].name);
	memset(long_one, 'x', sizeof(long_one));
	assert_true(backup_name_is_valid(
	    (struct bytes){(uint8_t *)long_one, 64}, &rule));
	assert_false(backup_name_is_valid(
	    (struct bytes){(uint8_t *)long_one, 65}, &rule));
	assert_true(backup_password_is_valid(
	    (struct bytes){(uint8_t *)long_one, 30}, &rule));
	assert_false(backup_password_is_valid(
	    (struct bytes){(uint8_t *)long_one, 31}, &rule));
	assert_false(backup_password_is_valid(BYTES_NONE, &rule));
	assert_true(backup_description_is_valid(TEXT("every Sunday"), &rule));
	assert_false(backup_description_is_valid(TEXT("two\nlines"), &rule));
}

/* ---- when it cannot be ---- */

static void
test_a_backup_that_fails_leaves_nothing(void **state)
{
	struct desk *desk = *state;

	(void)make_key(desk, "k1", false);
	keystore_logout(desk->rig.keystore);
	assert_true(keystore_check(desk->rig.keystore) != OK);
	backup_selection_all(&begin(desk, "locked")->selection);
	assert_true(finish(desk) != OK);
	assert_non_null(strstr(desk->make->why, "keys cannot be backed up"));
	assert_int_equal(count(desk), 0);
	assert_false(exists(desk, ".making"));
	/* without keys no HSM is asked */
	begin(desk, "nokeys")->selection.items[ITEM_NTP] = true;
	assert_ok(finish(desk));
	assert_int_equal(count(desk), 1);
}

static void
test_who_gives_up_leaves_nothing(void **state)
{
	struct desk *desk = *state;

	(void)make_key(desk, "k1", false);
	backup_selection_all(&begin(desk, "first")->selection);
	backup_make_begin(desk->make);
	backup_make_drop(desk->make);
	desk->make = NULL;
	/* and the next one does not have to know */
	make_all(desk, "second");
	assert_int_equal(count(desk), 1);
	assert_false(exists(desk, "first"));
}

/* What lies there when the device starts was under way when the power went. */
static void
test_a_start_removes_what_was_under_way(void **state)
{
	struct desk *desk = *state;
	char path[400];

	make_all(desk, "whole");
	backups_free(appliance_of(desk)->backups);
	(void)snprintf(path, sizeof(path), "%s/.making", desk->place);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.gone", desk->place);
	assert_int_equal(mkdir(path, 0700), 0);
	desk_open(desk);
	assert_false(exists(desk, ".making"));
	assert_false(exists(desk, ".gone"));
	assert_int_equal(count(desk), 1);
}

static void
test_a_selection_is_kept_and_read_back(void **state)
{
	struct backup_selection from;
	struct backup_selection to;
	struct buf kept;

	(void)state;
	backup_selection_init(&from);
	backup_selection_init(&to);
	buf_init(&kept, 10000);
	from.items[ITEM_KEYS] = true;
	from.items[ITEM_NTP] = true;
	assert_ok(backup_choose(&from.keys, TEXT("k1")));
	assert_ok(backup_choose(&from.keys, TEXT("all")));
	from.cas.which = BACKUP_NONE;
	assert_ok(backup_selection_write(&from, &kept));
	assert_ok(backup_selection_read(buf_peek(&kept), &to));
	assert_memory_equal(from.items, to.items, sizeof(from.items));
	assert_int_equal(to.keys.which, BACKUP_NAMED);
	assert_true(backup_choice_has(&to.keys, TEXT("k1")));
	assert_true(backup_choice_has(&to.keys, TEXT("all")));
	assert_false(backup_choice_has(&to.keys, TEXT("named")));
	assert_int_equal(to.cas.which, BACKUP_NONE);
	assert_int_equal(to.certificates.which, BACKUP_ALL);
	backup_selection_clear(&from);
	backup_selection_clear(&to);
	buf_clear(&kept);
}

int
main(void)
{
#define BACKUP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    BACKUP_TEST(test_secrets_open_with_the_password_alone),
	    BACKUP_TEST(test_which_keys),
	    BACKUP_TEST(test_which_certificates_and_cas),
	    BACKUP_TEST(test_what_is_in_no_backup),
	    BACKUP_TEST(test_items_are_chosen),
	    BACKUP_TEST(test_it_is_one_moment_and_nobody_waits),
	    BACKUP_TEST(
		test_internal_backups_are_listed_until_they_are_deleted),
	    BACKUP_TEST(test_a_download_has_no_place_on_the_device),
	    BACKUP_TEST(test_what_can_be_entered),
	    BACKUP_TEST(test_a_backup_that_fails_leaves_nothing),
	    BACKUP_TEST(test_who_gives_up_leaves_nothing),
	    BACKUP_TEST(test_a_start_removes_what_was_under_way),
	    BACKUP_TEST(test_a_selection_is_kept_and_read_back),
	};
#undef BACKUP_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "store/record.h"
#include "store/rig_test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* ---- files kept from each release ---- */

/*
 * What is in kept/release-N.sql. With STORE_KEEP=DIR this program leaves such
 * a store in DIR: kept/README.md says what for.
 */
static const struct {
	const char *id;
	const char *owner;
	uint32_t type;
	uint32_t state;
	const char *name;
	const char *group;
	const char *custom;
	const char *value;
	bool sealed;
	uint64_t version;
	int64_t activation_s; /* 0: none */
} kept[] = {
    {"7a0e3c52-0000-4000-8000-000000000001", "alice", OBJECT_TYPE_SYMMETRIC_KEY,
	STATE_ACTIVE, "first", "group", "backup", "sealed octets", true, 3, 0},
    {"7a0e3c52-0000-4000-8000-000000000002", "alice", OBJECT_TYPE_CERTIFICATE,
	STATE_PRE_ACTIVE,
	"a name that is longer than what the index of terms keeps of it, so "
	"that the object itself has to be asked whether it is the one",
	NULL, NULL, "clear octets", false, 0, 4000000000},
    {"7a0e3c52-0000-4000-8000-000000000003", "bob", OBJECT_TYPE_TEMPLATE, 0,
	"first", "group", NULL, "", false, 0, 0},
    {"7a0e3c52-0000-4000-8000-000000000004", "alice", OBJECT_TYPE_SECRET_DATA,
	STATE_DESTROYED, "first", NULL, "backup", "", false, 0, 0},
};

enum { KEPT_LOG_MS = 1234567 };

/* Since release 3: a key with a card, of which a group has something. */
#define KEPT_CARD_ID "7a0e3c52-0000-4000-8000-000000000005"
static const struct card kept_card = {
    .deletable = true,
    .newest = 2,
    .count = {[CARD_ACTIVE] = 1, [CARD_RETIRED] = 1},
    .state = CARD_ACTIVE,
    .created_s = 1234,
    .iv = {(const uint8_t *)"0123456789abcdef", 16},
    .fingerprint = {(const uint8_t *)"0123456789abcdefghij", 20},
};

static struct bytes
kept_id(size_t k)
{
	return bytes_of_text(kept[k].id);
}

static void
write_kept_card(struct rig *rig)
{
	struct card_permission staff = {
	    .group = bytes_of_text("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS},
		[USE_EXPORT] = {CARD_POLICY, bytes_of_text("office hours")}},
	};
	struct object *o = object_of(rig, "carol", OBJECT_TYPE_SYMMETRIC_KEY);

	o->id = bytes_of_text(KEPT_CARD_ID);
	attr_find(&o->attrs, TAG_UNIQUE_IDENTIFIER)->value->octets = o->id;
	give(o, TAG_NAME, "versioned");
	assert_ok(card_copy(o->arena, &kept_card, &o->card));
	assert_ok(card_set_permissions(o->arena, o->card, &staff, 1));
	assert_ok(object_set_value(o, bytes_of_text("sealed octets"), true));
	assert_ok(store_insert(rig->st, o));
}

static void
write_kept(struct rig *rig)
{
	size_t k;

	for (k = 0; k < LENGTH(kept); k++) {
		struct object *o = object_of(rig, kept[k].owner, kept[k].type);

		assert_ok(arena_copy(o->arena, kept_id(k), &o->id));
		attr_find(&o->attrs, TAG_UNIQUE_IDENTIFIER)->value->octets =
		    o->id;
		if (kept[k].state != 0)
			assert_ok(attr_set_number(
			    o->arena, &o->attrs, TAG_STATE, kept[k].state));
		if (kept[k].activation_s != 0)
			assert_ok(attr_set_number(o->arena, &o->attrs,
			    TAG_ACTIVATION_DATE, kept[k].activation_s));
		give(o, TAG_NAME, kept[k].name);
		if (kept[k].group != NULL)
			give(o, TAG_OBJECT_GROUP, kept[k].group);
		if (kept[k].custom != NULL)
			give_custom(o, "Purpose", kept[k].custom);
		assert_ok(object_set_value(
		    o, bytes_of_text(kept[k].value), kept[k].sealed));
		o->value_version = kept[k].version;
		assert_ok(store_insert(rig->st, o));
	}
	assert_ok(store_meta_put(
	    rig->st, "crypto.master.1", bytes_of_text("wrapped")));
	/* since release 2 */
	assert_ok(record_put(rig->st, "setting", bytes_of_text("host/name"),
	    bytes_of_text("value")));
	assert_ok(store_log_add(
	    rig->st, "audit", KEPT_LOG_MS, bytes_of_text("a line of the log")));
	write_kept_card(rig);
	assert_ok(store_commit(rig->st));
}

static void
assert_located(struct rig *rig, struct bytes term, unsigned states,
    const size_t *want, size_t count)
{
	struct bytes alice = bytes_of_text("alice");
	struct store_query query = {
	    .scopes = &alice,
	    .scope_count = 1,
	    .terms = &term,
	    .term_count = 1,
	    .states = states,
	};
	struct store_found found;
	size_t k;

	assert_ok(store_locate(rig->st, rig->arena, &query, &found));
	assert_int_equal(found.id_count, count);
	for (k = 0; k < count; k++)
		assert_true(bytes_equal(found.ids[k], kept_id(want[k])));
}

static enum err
assert_kept_line(void *ctx, const struct store_log_line *line)
{
	++*(unsigned *)ctx;
	assert_int_equal(line->number, 1);
	assert_int_equal(line->wall_ms, KEPT_LOG_MS);
	assert_true(bytes_equal_text(line->text, "a line of the log"));
	return OK;
}

/* Of a store that release 2 or a later one has written. */
static void
assert_kept_records(struct rig *rig)
{
	struct buf b;
	unsigned lines = 0;

	buf_init(&b, 64);
	assert_ok(
	    record_get(rig->st, "setting", bytes_of_text("host/name"), &b));
	assert_true(bytes_equal_text(buf_peek(&b), "value"));
	buf_clear(&b);
	assert_ok(
	    store_log_each(rig->st, "audit", 1, 9, assert_kept_line, &lines));
	assert_int_equal(lines, 1);
}

/* Of a store that release 3 or a later one has written. */
static void
assert_kept_card(struct rig *rig)
{
	struct bytes staff = bytes_of_text("\1staff");
	const struct card_permission *permission;
	const struct object *o;
	const struct card *card;

	assert_ok(store_find_name(
	    rig->st, &staff, 1, bytes_of_text("versioned"), &o));
	assert_true(bytes_equal_text(o->id, KEPT_CARD_ID));
	card = o->card;
	assert_non_null(card);
	assert_true(card->deletable);
	assert_int_equal(card->newest, kept_card.newest);
	assert_memory_equal(
	    card->count, kept_card.count, sizeof(kept_card.count));
	assert_int_equal(card->state, kept_card.state);
	assert_int_equal(card->created_s, kept_card.created_s);
	assert_true(bytes_equal(card->iv, kept_card.iv));
	assert_true(bytes_equal(card->fingerprint, kept_card.fingerprint));
	permission = card_find_permission(card, bytes_of_text("staff"));
	assert_non_null(permission);
	assert_int_equal(permission->use[USE_ENCRYPT].grant, CARD_ALWAYS);
	assert_int_equal(permission->use[USE_DECRYPT].grant, CARD_NEVER);
	assert_true(bytes_equal_text(
	    permission->use[USE_EXPORT].policy, "office hours"));
}

static void
assert_kept(struct rig *rig)
{
	static const size_t first[] = {3, 0};
	static const size_t lengthy[] = {1};
	const struct object *o;
	struct buf b;
	size_t k;

	assert_ok(store_check(rig->st));
	for (k = 0; k < LENGTH(kept); k++) {
		assert_ok(store_find(rig->st, kept_id(k), &o));
		assert_true(bytes_equal_text(o->owner, kept[k].owner));
		assert_int_equal(o->object_type, kept[k].type);
		assert_int_equal(object_state(o), kept[k].state);
		assert_true(bytes_equal_text(o->value, kept[k].value));
		assert_int_equal(o->value_sealed, kept[k].sealed);
		assert_int_equal(o->value_version, kept[k].version);
	}
	assert_located(rig, term_of(rig, TAG_NAME, NULL, "first"), 0, first, 2);
	assert_located(rig, term_of(rig, TAG_NAME, NULL, "first"),
	    STORE_STATES_ALL & ~STORE_STATE(STATE_DESTROYED), first + 1, 1);
	assert_located(
	    rig, term_of(rig, TAG_NAME, NULL, kept[1].name), 0, lengthy, 1);
	assert_located(
	    rig, term_of(rig, TAG_ATTRIBUTE, "Purpose", "backup"), 0, first, 2);
	assert_int_equal(store_next_due_s(rig->st), 4000000000);
	buf_init(&b, 64);
	assert_ok(store_meta_get(rig->st, "crypto.master.1", &b));
	assert_true(bytes_equal_text(buf_peek(&b), "wrapped"));
	buf_clear(&b);
}

static void
test_this_release_reads_what_it_writes(void **state)
{
	struct rig *rig = *state;
	const char *keep = getenv("STORE_KEEP");
	struct rig left = *rig;

	rig_open(rig);
	write_kept(rig);
	assert_kept(rig);
	rig_reopen(rig);
	assert_kept(rig);
	assert_kept_records(rig);
	assert_kept_card(rig);
	if (keep == NULL)
		return;
	(void)snprintf(left.dir, sizeof(left.dir), "%s", keep);
	rig_open(&left);
	write_kept(&left);
	store_close(left.st);
}

static void
path_in(const struct rig *rig, const char *name, char out[300])
{
	(void)snprintf(out, 300, "%s/%s", rig->dir, name);
}

static char *
file_read(const char *path, size_t *octets)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) != 0)
		fail_msg(
		    "%s cannot be read; run in the project's folder", path);
	text = mem_zalloc((size_t)st.st_size + 1, 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	close(fd);
	*octets = (size_t)st.st_size;
	return text;
}

static void
load_kept(struct rig *rig, const char *kept_path)
{
	char path[300];
	size_t octets;
	char *sql = file_read(kept_path, &octets);
	sqlite3 *db;

	path_in(rig, "store.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	mem_free(sql);
	rig_open(rig);
}

static const struct {
	const char *path;
	bool records;
	bool card;
} releases[] = {
    {"ref/store/kept/release-1.sql", false, false},
    {"ref/store/kept/release-2.sql", true, false},
    {"ref/store/kept/release-3.sql", true, true},
};

static void
test_every_release_still_loads(void **state)
{
	struct rig *rig = *state;
	size_t k;

	for (k = 0; k < LENGTH(releases); k++) {
		load_kept(rig, releases[k].path);
		assert_kept(rig);
		if (releases[k].records)
			assert_kept_records(rig);
		if (releases[k].card)
			assert_kept_card(rig);
		/* and is a store like any other from here on */
		(void)insert(rig, named(rig, "alice", "new"));
		assert_ok(record_put(
		    rig->st, "admin", bytes_of_text("new"), BYTES_NONE));
		assert_ok(
		    store_log_add(rig->st, "system", 1, bytes_of_text("new")));
		assert_ok(store_commit(rig->st));
		rig_reopen(rig);
		assert_kept(rig);
		store_close(rig->st);
		rig->st = NULL;
		rig_dir_remove(rig);
		rig_dir_make(rig);
	}
}

/* ---- files of other programs, and of releases to come ---- */

/* Numbers in the file's header, as SQLite places them. */
enum { USER_VERSION_AT = 60, APPLICATION_ID_AT = 68 };

static const struct {
	const char *name;
	bool version; /* change the version; else the application */
	uint32_t number;
	enum err want;
} headers[] = {
    {"this release's", true, 3 << 16 | 3, OK},
    {"newer, but this one may read it", true, 3 << 16 | 4, OK},
    {"newer, for newer readers", true, 4 << 16 | 4, ERR_STORE_VERSION},
    {"no version", true, 0, ERR_CONFIG},
    {"this application's", false, 0x54534b53, OK},
    {"another application's", false, 0x54534b54, ERR_CONFIG},
    {"no application's", false, 0, ERR_CONFIG},
};

static void
header_put(const char *path, bool version, uint32_t number)
{
	uint8_t octets[4];
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	bytes_put_u32(octets, number);
	assert_int_equal(pwrite(fd, octets, sizeof(octets),
			     version ? USER_VERSION_AT : APPLICATION_ID_AT),
	    sizeof(octets));
	close(fd);
}

static void
test_a_header_decides(void **state)
{
	struct rig *rig = *state;
	char path[300];
	size_t k;

	path_in(rig, "store.db", path);
	for (k = 0; k < LENGTH(headers); k++) {
		size_t before_octets;
		size_t after_octets;
		char *before;
		char *after;
		enum err got;

		rig_open(rig);
		if (k == 0)
			write_kept(rig);
		store_close(rig->st);
		header_put(path, headers[k].version, headers[k].number);
		before = file_read(path, &before_octets);
		got = store_open(rig->dir, rig->env, &rig->options, &rig->st);
		if (got != headers[k].want)
			fail_msg("%s: expected %s, got %s", headers[k].name,
			    err_name(headers[k].want), err_name(got));
		if (got == OK)
			assert_kept(rig);
		store_close(rig->st);
		rig->st = NULL;
		after = file_read(path, &after_octets);
		/* a version is not lowered, and a refusal changes nothing */
		assert_memory_equal(before + USER_VERSION_AT,
		    after + USER_VERSION_AT, sizeof(uint32_t));
		if (got != OK) {
			assert_int_equal(before_octets, after_octets);
			assert_memory_equal(before, after, after_octets);
		}
		mem_free(before);
		mem_free(after);
		header_put(path, true, 3 << 16 | 3);
		header_put(path, false, 0x54534b53);
	}
}

static void
test_what_is_no_database_is_refused(void **state)
{
	struct rig *rig = *state;
	static const char text[] =
	    "Dear reader, this is a letter and not a database at all; it is "
	    "longer than the header of one, so that nobody takes it for one "
	    "that has only just been begun.";
	char path[300];
	int fd;

	path_in(rig, "store.db", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_err(store_open(rig->dir, rig->env, &rig->options, &rig->st),
	    ERR_CONFIG);
	assert_null(rig->st);
	/* its twin: nothing at all is a store to be */
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	rig_open(rig);
	assert_ok(store_check(rig->st));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_TEST_CLOSED(test_this_release_reads_what_it_writes),
	    STORE_TEST_CLOSED(test_every_release_still_loads),
	    STORE_TEST_CLOSED(test_a_header_decides),
	    STORE_TEST_CLOSED(test_what_is_no_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

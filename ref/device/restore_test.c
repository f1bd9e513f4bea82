/*
 * Restoring, by a table that is generated and complete: what is there x what
 * the backup has x what is selected -> what is there afterwards. The expected
 * end is put together from the lines of the two states (device/state.h), so
 * that each octet of it counts.
 */
#include "device/restore_rig_test.h"

#include "device/ca.h"
#include "device/key_work.h"
#include "model/state.h"

#ifdef TORTURE
enum { EACH_NTH_CASE = 61, STAGED_KEYS = 60, LARGE_RECORDS = 30 };
#define STAGES_FEW true
#else
enum { EACH_NTH_CASE = 1, STAGED_KEYS = 100, LARGE_RECORDS = 6000 };
#define STAGES_FEW false
#endif

static struct restore_rig rig;
static unsigned case_number;

static int
set_up(void **state)
{
	(void)state;
	restore_rig_make(&rig);
	assert_ok(record_put(STORE(&rig), "group", TEXT("all"), BYTES_NONE));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	restore_drop(rig.restore);
	rig.restore = NULL;
	restore_rig_clear(&rig);
	return 0;
}

/* ---- the appliance between two cases ---- */

static void
delete_all_objects(void)
{
	struct object *o;
	int64_t row = 0;

	while (store_next(STORE(&rig), &row, &o) == OK) {
		assert_ok(store_delete(STORE(&rig), o->id));
		object_free(o);
	}
	key_rig_turn(&rig.keys);
}

static enum err
delete_record(void *ctx, struct bytes key, struct bytes value)
{
	(void)value;
	return record_delete(STORE(&rig), ctx, key);
}

static void
delete_all_records(const char *kind)
{
	assert_ok(record_each(
	    STORE(&rig), kind, delete_record, (void *)(uintptr_t)kind));
}

static void
select_only(struct backup_selection *selection, enum backup_item item)
{
	backup_selection_init(selection);
	selection->items[item] = true;
}

static void
restore_all(const struct backup_selection *selection)
{
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	if (restore_rig_run(&rig, selection) != OK)
		fail_msg("%s: %s", err_name(rig.rc), rig.why);
	restore_rig_restart(&rig, 1);
}

/* ---------------------------------------------------------------------------
 * Keys
 */

static void
make_key(const char *name, const char *owner, unsigned versions)
{
	struct key_spec spec = key_rig_spec(name, owner);
	struct card_permission permission = {.group = TEXT("all")};
	uint32_t number;
	unsigned k;

	permission.use[USE_ENCRYPT].grant = CARD_ALWAYS;
	if (*owner != '\0') {
		spec.permissions = &permission;
		spec.permission_count = 1;
	}
	spec.versioned = versions != 0;
	if (key_create(&rig.keys.call, &spec, NULL, NULL) != OK)
		fail_msg("%s: %s", name, rig.keys.call.why);
	for (k = 1; k < versions; k++)
		assert_ok(key_version_new(&rig.keys.call,
		    key_rig_find(&rig.keys, name), CARD_ACTIVE, NULL, &number));
	key_rig_turn(&rig.keys);
}

static void
delete_key(const char *name)
{
	assert_ok(key_delete(&rig.keys.call, key_rig_find(&rig.keys, name)));
	key_rig_turn(&rig.keys);
}

/* What becomes of the key that was backed up, before it is restored. */
enum was {
	WAS_ABSENT,
	WAS_SAME,
	WAS_NEWER,     /* it has got another version */
	WAS_OTHERS,    /* it was given to another owner */
	WAS_DESTROYED, /* over KMIP: its name and bytes are gone */
	/* another key has its name */
	WAS_NEW_GLOBAL,
	WAS_NEW_OF_USER,
	WAS_NEW_OF_OTHER,
	WAS_NEW_VERSIONED,
	WAS_COUNT,
};

static const char *const was_names[] = {
    [WAS_ABSENT] = "absent",
    [WAS_SAME] = "as it was",
    [WAS_NEWER] = "with a newer version",
    [WAS_OTHERS] = "of another owner",
    [WAS_DESTROYED] = "destroyed",
    [WAS_NEW_GLOBAL] = "another, global",
    [WAS_NEW_OF_USER] = "another, of user1",
    [WAS_NEW_OF_OTHER] = "another, of user2",
    [WAS_NEW_VERSIONED] = "another, with three versions",
};

static void
destroy_key(void)
{
	const struct object *key = key_rig_find(&rig.keys, "Key1");
	struct object *o;

	assert_ok(key_delete_versions(STORE(&rig), rig.keys.arena, key));
	assert_ok(object_clone(key, &o));
	object_drop_value(o);
	assert_ok(object_set_state(o, STATE_DESTROYED, KEY_RIG_WALL_S));
	if (o->card != NULL)
		o->card->newest = 0;
	assert_ok(store_update(STORE(&rig), o));
}

static void
make_it_be(enum was was)
{
	const struct bytes other = TEXT("user2");
	uint32_t number;

	switch (was) {
	case WAS_ABSENT:
	case WAS_COUNT:
		delete_key("Key1");
		break;
	case WAS_SAME:
		break;
	case WAS_NEWER:
		assert_ok(key_version_new(&rig.keys.call,
		    key_rig_find(&rig.keys, "Key1"), CARD_ACTIVE, NULL,
		    &number));
		break;
	case WAS_OTHERS:
		assert_ok(
		    key_modify(&rig.keys.call, key_rig_find(&rig.keys, "Key1"),
			&(struct key_change){.owner = &other}));
		break;
	case WAS_DESTROYED:
		destroy_key();
		break;
	case WAS_NEW_GLOBAL:
		delete_key("Key1");
		make_key("Key1", "", 0);
		break;
	case WAS_NEW_OF_USER:
		delete_key("Key1");
		make_key("Key1", "user1", 0);
		break;
	case WAS_NEW_OF_OTHER:
		delete_key("Key1");
		make_key("Key1", "user2", 0);
		break;
	case WAS_NEW_VERSIONED:
		delete_key("Key1");
		make_key("Key1", "user1", 3);
		break;
	}
	key_rig_turn(&rig.keys);
}

/* What the backup has. */
static const struct {
	const char *name;
	const char *owner;
	unsigned versions;
} backups[] = {
    {"global", "", 0},
    {"of user1", "user1", 0},
    {"of user1, with two versions", "user1", 2},
};

/* What is selected. */
enum chosen { ALL_KEYS, THIS_KEY, OTHER_KEY, OTHER_ITEM, CHOSEN_COUNT };

static const char *const chosen_names[] = {
    [ALL_KEYS] = "all keys",
    [THIS_KEY] = "this key",
    [OTHER_KEY] = "another key",
    [OTHER_ITEM] = "another item",
};

static void
choose(struct backup_selection *selection, enum chosen chosen)
{
	select_only(
	    selection, chosen == OTHER_ITEM ? ITEM_POLICIES : ITEM_KEYS);
	if (chosen == THIS_KEY || chosen == OTHER_KEY)
		assert_ok(backup_choose(&selection->keys,
		    TEXT(chosen == THIS_KEY ? "Key1" : "Key2")));
}

static void
set_personality(const char *personality)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(APPLIANCE(&rig)->settings, SETTING_PERSONALITY,
	    TEXT(personality), &changed, why));
	key_rig_turn(&rig.keys);
}

static void
one_case(size_t backup, enum was was, enum chosen chosen, bool eskm)
{
	struct buf saved;
	struct backup_selection selection;
	bool is_restored = chosen == ALL_KEYS || chosen == THIS_KEY;
	char what[200];

	if (case_number++ % EACH_NTH_CASE != 0)
		return;
	(void)snprintf(what, sizeof(what), "%s; backup %s; %s; %s",
	    was_names[was], backups[backup].name, chosen_names[chosen],
	    eskm ? "eskm" : "keysecure-6.2");
	delete_all_objects();
	buf_init(&saved, STATE_TEXT_OCTETS);
	set_personality(eskm ? "eskm" : "keysecure-6.2");
	make_key("Key1", backups[backup].owner, backups[backup].versions);
	/* those that stand by; one of them is in the backup */
	make_key("Key2", "user1", 2);
	restore_rig_backup(&rig, "foo");
	make_key("Key3", "", 0);
	restore_rig_state(&rig, &saved);
	make_it_be(was);
	restore_rig_state(&rig, &rig.before);
	choose(&selection, chosen);
	restore_all(&selection);
	restore_rig_state(&rig, &rig.after);
	/* req: ESKM-286 */
	if (eskm && was != WAS_ABSENT && was != WAS_DESTROYED)
		is_restored = false;
	restore_rig_assert_same(
	    what, &rig.after, is_restored ? &saved : &rig.before);
	assert_ok(store_check(STORE(&rig)));
	backup_selection_clear(&selection);
	buf_clear(&saved);
}

/*
 * req: KS-23-007 KS-23-057 KS-23-062 KS-23-065 KS-23-066 KS-23-067 ESKM-285
 * req: ESKM-286 ESKM-301 KS-23-002 VLT-079
 */
static void
test_keys_before_backup_selection_after(void **state)
{
	size_t backup;
	enum was was;
	enum chosen chosen;
	unsigned eskm;

	(void)state;
	for (backup = 0; backup < LENGTH(backups); backup++)
		for (was = 0; was < WAS_COUNT; was++)
			for (chosen = 0; chosen < CHOSEN_COUNT; chosen++)
				for (eskm = 0; eskm < 2; eskm++) {
					if (was == WAS_NEWER &&
					    backups[backup].versions == 0)
						continue;
					one_case(backup, was, chosen, eskm);
				}
	set_personality("keysecure-6.2");
}

/* ---------------------------------------------------------------------------
 * Records: each kind of backup_item.def, and the settings of each item
 */

enum content { EMPTY, ONE_FIRST, ONE_SECOND, TWO, CONTENT_COUNT };

static const char *const content_names[] = {
    [EMPTY] = "nothing",
    [ONE_FIRST] = "one as in the backup",
    [ONE_SECOND] = "one, with another value",
    [TWO] = "two, with other values",
};

/* A setting of this item that can have another value than its default. */
static bool
setting_of_item(enum backup_item item, bool secret, enum setting *out)
{
	unsigned k;

	for (k = 0; k < SETTING_COUNT; k++) {
		const struct setting_row *row = setting_row((enum setting)k);

		*out = (enum setting)k;
		if (row->item == item && row->state == DONE &&
		    row->is_secret == secret &&
		    (row->rule.type == ENTRY_NUMBER || secret))
			return true;
	}
	return false;
}

static void
put_sample(const struct backup_kind_row *row, enum setting which,
    const char *key, unsigned n)
{
	char text[100];
	struct buf value;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	(void)snprintf(text, sizeof(text), "value %u", n);
	if (strcmp(row->kind, "admin") == 0) {
		account_put(&rig.keys.bench, key, false, CONTROL_BIT(n));
		return;
	}
	if (strcmp(row->kind, "setting") == 0) {
		const struct entry_rule *rule = &setting_row(which)->rule;

		(void)snprintf(text, sizeof(text), "%lld",
		    (long long)(n == 1 ? rule->least : rule->most));
		assert_ok(buf_put_text(&value, text));
	} else {
		if (row->seal != SEAL_NONE)
			restore_rig_put_sealed(&rig, &value, row, key, text);
		assert_ok(fields_put_text(&value, "administers", "0"));
		/* a time zone's */
		assert_ok(fields_put_text(
		    &value, "name", n == 1 ? "UTC" : "Europe/Berlin"));
		assert_ok(fields_put_text(&value, "password", text));
	}
	assert_ok(
	    record_put(STORE(&rig), row->kind, TEXT(key), buf_peek(&value)));
	buf_clear(&value);
}

struct subject {
	const struct backup_kind_row *row;
	enum backup_item item;
	enum setting which;
	char first[200];
	char second[200]; /* "": there is one only */
};

static void
put_content(const struct subject *s, enum content content)
{
	delete_all_records(s->row->kind);
	if (strcmp(s->row->kind, "admin") == 0)
		account_put(&rig.keys.bench, "root", true, CONTROLS_ALL);
	if (content != EMPTY)
		put_sample(
		    s->row, s->which, s->first, content == ONE_FIRST ? 1 : 2);
	if (content == TWO && s->second[0] != '\0')
		put_sample(s->row, s->which, s->second, 2);
	key_rig_turn(&rig.keys);
	settings_settle(APPLIANCE(&rig)->settings, false);
}

/* What there has to be. */
static enum content
expected(const struct subject *s, enum content before, enum content backup,
    bool selected, bool eskm)
{
	if (!selected)
		return before;
	if (backup_item_row(s->item)->part == PART_CONFIG)
		return backup;
	if (backup == EMPTY)
		return before;
	/* what is there stays; req: ESKM-286 */
	return eskm && before != EMPTY ? before : backup;
}

static void
one_record_case(const struct subject *s, enum content before,
    enum content backup, bool selected, bool eskm)
{
	enum content want = expected(s, before, backup, selected, eskm);
	bool added = selected && backup != EMPTY && before == TWO &&
		     want == backup &&
		     backup_item_row(s->item)->part != PART_CONFIG;
	struct backup_selection selection;
	char what[300];

	if (case_number++ % EACH_NTH_CASE != 0)
		return;
	(void)snprintf(what, sizeof(what), "%s %s: %s; backup %s; %sselected%s",
	    s->row->kind, s->first, content_names[before],
	    content_names[backup], selected ? "" : "not ",
	    eskm ? "; ESKM" : "");
	if (eskm)
		set_personality("eskm");
	put_content(s, want);
	if (added && s->second[0] != '\0')
		put_sample(s->row, s->which, s->second, 2);
	restore_rig_state(&rig, &rig.before);
	put_content(s, backup);
	restore_rig_backup(&rig, "foo");
	put_content(s, before);
	select_only(&selection,
	    selected ? s->item
		     : (s->item == ITEM_POLICIES ? ITEM_KEYS : ITEM_POLICIES));
	restore_all(&selection);
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same(what, &rig.after, &rig.before);
	backup_selection_clear(&selection);
	if (eskm)
		set_personality("keysecure-6.2");
}

static void
one_subject(const struct subject *s)
{
	static const enum content backups_have[] = {EMPTY, ONE_FIRST};
	enum content before;
	size_t k;

	for (before = 0; before < CONTENT_COUNT; before++) {
		for (k = 0; k < LENGTH(backups_have); k++) {
			one_record_case(
			    s, before, backups_have[k], true, false);
			one_record_case(
			    s, before, backups_have[k], false, false);
			if (backup_item_row(s->item)->part != PART_CONFIG)
				one_record_case(
				    s, before, backups_have[k], true, true);
		}
	}
	put_content(s, EMPTY);
}

static unsigned
subjects_of_settings(const struct backup_kind_row *row)
{
	struct subject s = {.row = row};
	bool secret = row->seal != SEAL_NONE;
	unsigned count = 0;

	for (s.item = 0; s.item < ITEM_COUNT; s.item++) {
		if (!setting_of_item(s.item, secret, &s.which))
			continue;
		restore_rig_setting_key(s.which, s.first);
		one_subject(&s);
		count++;
	}
	return count;
}

/*
 * req: KS-23-001 KS-23-057 KS-23-058 KS-23-059 KS-23-061 KS-23-063 KS-23-064
 * req: KS-23-065 ESKM-286
 */
static void
test_records_before_backup_selection_after(void **state)
{
	const struct backup_kind_row *row;
	unsigned settings = 0;
	size_t n;

	(void)state;
	delete_all_objects();
	delete_all_records("group");
	for (n = 0; (row = backup_kind_nth(n)) != NULL; n++) {
		struct subject s = {.row = row, .item = row->item};

		if (row->item == ITEM_OF_ROW)
			settings += subjects_of_settings(row);
		/* tests of their own */
		if (row->item >= ITEM_COUNT ||
		    strcmp(row->kind, "ca.serial") == 0)
			continue;
		(void)snprintf(s.first, sizeof(s.first), "%s",
		    row->key[0] != '\0' ? row->key : "adam");
		(void)snprintf(s.second, sizeof(s.second), "%s",
		    row->key[0] != '\0' ? "" : "eve");
		one_subject(&s);
	}
	assert_true(settings > 3);
	assert_ok(record_put(STORE(&rig), "group", TEXT("all"), BYTES_NONE));
}

/* ---------------------------------------------------------------------------
 * What the tables leave out
 */

static struct backup_selection
all_items(void)
{
	struct backup_selection selection;

	backup_selection_init(&selection);
	backup_selection_all(&selection);
	return selection;
}

static void
set_number(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(
	    APPLIANCE(&rig)->settings, which, TEXT(value), &changed, why));
	key_rig_turn(&rig.keys);
}

/* One that has too many fails, with all its versions; the others do not.
 * req: KS-23-080 KS-23-081 KS-23-082 KS-28-167 KS-28-168 */
static void
test_a_key_with_too_many_active_versions_is_left_out(void **state)
{
	const struct restore_outcome *outcome;
	struct backup_selection selection;
	const char *told;

	(void)state;
	delete_all_objects();
	make_key("Key1", "user1", 3);
	make_key("Key2", "user1", 2);
	restore_rig_state(&rig, &rig.before);
	restore_rig_backup(&rig, "foo");
	delete_all_objects();
	set_number(SETTING_ACTIVE_VERSIONS, "2");
	select_only(&selection, ITEM_KEYS);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	outcome = restore_outcome(rig.restore);
	assert_int_equal(outcome->objects, 1);
	assert_int_equal(outcome->left_out, 1);
	told = outcome->told[0];
	assert_string_equal(told,
	    "key Key1: it has 3 active versions, and Number of Active Versions "
	    "Allowed for a Key is 2");
	restore_rig_restart(&rig, 1);
	assert_false(key_rig_has(&rig.keys, "Key1"));
	assert_int_equal(key_versions(key_rig_find(&rig.keys, "Key2")), 2);
	key_rig_turn(&rig.keys);
	/* its older versions are not there either */
	assert_ok(store_check(STORE(&rig)));
	set_number(SETTING_ACTIVE_VERSIONS, "3");
	restore_all(&selection);
	set_number(SETTING_ACTIVE_VERSIONS, "4000");
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("raised", &rig.after, &rig.before);
	/* and back to what it was */
	assert_ok(key_version_state(
	    &rig.keys.call, key_rig_find(&rig.keys, "Key1"), 1, CARD_RETIRED));
	set_number(SETTING_ACTIVE_VERSIONS, "2");
	set_number(SETTING_ACTIVE_VERSIONS, "4000");
}

static void
make_kmip(const char *name, const char *owner)
{
	struct object *o;
	struct bytes sealed;

	assert_ok(object_new(
	    APPLIANCE(&rig)->env, OBJECT_TYPE_SYMMETRIC_KEY, TEXT(owner), &o));
	assert_ok(key_add_name(o, TEXT(name)));
	assert_ok(keystore_seal(rig.keys.keystore, NULL, o->id, 1,
	    TEXT("the octets of a key of KMIP's"), rig.keys.arena, &sealed));
	assert_ok(object_set_value(o, sealed, true));
	o->value_version = 1;
	assert_ok(store_insert(STORE(&rig), o));
	key_rig_turn(&rig.keys);
}

static size_t
holders_of(const char *name)
{
	struct object *o;
	int64_t row = 0;
	size_t count = 0;

	while (store_next(STORE(&rig), &row, &o) == OK) {
		const struct attr *one = attr_find(&o->attrs, TAG_NAME);

		count += one != NULL &&
			 bytes_equal_text(
			     item_octets(one->value, TAG_NAME_VALUE), name);
		object_free(o);
	}
	return count;
}

/* KMIP's own clients have names of their own; users share theirs. */
static void
test_names_of_kmip_clients_are_their_own(void **state)
{
	static const struct {
		const char *restored, *there;
		size_t holders;
	} cases[] = {
	    {"cn=a", "cn=a", 1},
	    {"cn=a", "cn=b", 2},
	    {"cn=a", "", 1},
	    {"", "cn=b", 1},
	    {"uma", "cn=b", 1},
	    {"cn=a", "uma", 1},
	};
	struct backup_selection selection;
	size_t k;

	(void)state;
	assert_ok(record_put(STORE(&rig), "user", TEXT("uma"), TEXT("")));
	select_only(&selection, ITEM_KMIP);
	for (k = 0; k < LENGTH(cases); k++) {
		delete_all_objects();
		make_kmip("name", cases[k].restored);
		restore_rig_backup(&rig, "foo");
		delete_all_objects();
		make_kmip("name", cases[k].there);
		restore_all(&selection);
		if (holders_of("name") != cases[k].holders)
			fail_msg("%s over %s: %zu of that name",
			    cases[k].restored, cases[k].there,
			    holders_of("name"));
	}
	delete_all_objects();
	delete_all_records("user");
	key_rig_turn(&rig.keys);
}

/* Two with one name that were there before are there again. */
static void
test_two_of_a_backup_do_not_displace_each_other(void **state)
{
	struct backup_selection selection;

	(void)state;
	delete_all_objects();
	make_kmip("name", "cn=a");
	make_key("name2", "user1", 0);
	make_kmip("name", "cn=b");
	make_kmip("name2", "cn=c");
	restore_rig_state(&rig, &rig.before);
	restore_rig_backup(&rig, "foo");
	select_only(&selection, ITEM_KMIP);
	selection.items[ITEM_KEYS] = true;
	restore_all(&selection);
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("twice", &rig.after, &rig.before);
	delete_all_objects();
	restore_all(&selection);
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("anew", &rig.after, &rig.before);
	delete_all_objects();
}

static void
issue(const char *ca, uint64_t serial)
{
	assert_ok(ca_issued_add(
	    STORE(&rig), TEXT(ca), serial, TEXT("a certificate")));
}

static enum err
count_issued(void *ctx, const struct ca_issued *issued)
{
	(void)issued;
	++*(size_t *)ctx;
	return OK;
}

static void
put_serial(const char *last)
{
	struct buf value;

	buf_init(&value, 100);
	assert_ok(fields_put_text(&value, "last", last));
	assert_ok(record_put(
	    STORE(&rig), "ca.serial", TEXT("last"), buf_peek(&value)));
	buf_clear(&value);
}

/* A serial number is given once; names of CAs are unique; what the CA of a
 * name has signed is what this one has signed. req: KS-23-064 KS-23-065 */
static void
test_a_local_ca_comes_with_what_it_has_signed(void **state)
{
	static const struct {
		const char *then, *now, *after;
	} serials[] = {{"5", "9", "9"}, {"9", "5", "9"}, {"7", "7", "7"}};
	struct backup_selection selection;
	size_t issued, k;
	uint64_t last;

	(void)state;
	for (k = 0; k < LENGTH(serials); k++) {
		put_serial(serials[k].then);
		assert_ok(
		    record_put(STORE(&rig), "ca.local", TEXT("ca1"), TEXT("")));
		issue("ca1", 1);
		issue("ca1", 2);
		restore_rig_backup(&rig, "foo");
		put_serial(serials[k].now);
		assert_ok(ca_issued_delete_all(STORE(&rig), TEXT("ca1")));
		issue("ca1", 3);
		issue("ca2", 4);
		assert_ok(record_delete(STORE(&rig), "ca.local", TEXT("ca1")));
		assert_ok(
		    record_put(STORE(&rig), "ca.known", TEXT("ca1"), TEXT("")));
		select_only(&selection, ITEM_LOCAL_CAS);
		restore_all(&selection);
		assert_ok(ca_serial_last(STORE(&rig), &last));
		assert_int_equal(last, strtoul(serials[k].after, NULL, 10));
		issued = 0;
		assert_ok(ca_issued_each(
		    STORE(&rig), TEXT("ca1"), count_issued, &issued));
		assert_int_equal(issued, 2);
		assert_int_equal(restore_rig_count(&rig, "ca.issued"), 3);
		assert_int_equal(restore_rig_count(&rig, "ca.local"), 1);
		assert_int_equal(restore_rig_count(&rig, "ca.known"), 0);
		assert_ok(ca_issued_delete_all(STORE(&rig), TEXT("ca2")));
	}
	/* a known one cannot take a local one's place */
	assert_ok(record_delete(STORE(&rig), "ca.local", TEXT("ca1")));
	assert_ok(record_put(STORE(&rig), "ca.known", TEXT("ca1"), TEXT("")));
	restore_rig_backup(&rig, "foo");
	assert_ok(record_delete(STORE(&rig), "ca.known", TEXT("ca1")));
	assert_ok(record_put(STORE(&rig), "ca.local", TEXT("ca1"), TEXT("")));
	select_only(&selection, ITEM_KNOWN_CAS);
	restore_all(&selection);
	assert_int_equal(restore_rig_count(&rig, "ca.known"), 0);
	assert_int_equal(restore_rig_count(&rig, "ca.local"), 1);
	delete_all_records("ca.local");
	delete_all_records("ca.issued");
	delete_all_records("ca.serial");
	key_rig_turn(&rig.keys);
}

/* Failures are forgotten, and a password is as old as its being here. */
static void
test_what_is_of_the_moment_begins_anew(void **state)
{
	struct backup_selection selection;
	struct admin admin;
	const char *why;

	(void)state;
	rig_move_to(&rig.keys.bench.rig, 1000000);
	account_put(&rig.keys.bench, "adam", false, CONTROLS_ALL);
	assert_ok(admin_read(STORE(&rig), TEXT("adam"), &admin));
	admin.password_ms = 17;
	admin.serial.failures = 4;
	admin.remote.until_ms = 99999999;
	assert_ok(admin_write(STORE(&rig), &admin, &why));
	admin_drop(&admin);
	restore_rig_backup(&rig, "foo");
	account_delete(&rig.keys.bench, "adam");
	select_only(&selection, ITEM_ADMINS);
	restore_all(&selection);
	assert_ok(admin_read(STORE(&rig), TEXT("adam"), &admin));
	assert_int_equal(admin.password_ms, 1000000);
	assert_int_equal(admin.serial.failures, 0);
	assert_int_equal(admin.remote.until_ms, 0);
	admin_drop(&admin);
	account_delete(&rig.keys.bench, "adam");
	key_rig_turn(&rig.keys);
}

/* No two users have the same serial, restored ones included. */
static void
test_users_are_others_than_those_before(void **state)
{
	struct backup_selection selection;
	struct user user;
	int64_t before, serials[2];
	size_t k;
	static const char *const names[] = {"ada", "bea"};

	(void)state;
	for (k = 0; k < 2; k++) {
		struct buf value;

		buf_init(&value, 1000);
		assert_ok(user_serial_next(STORE(&rig), &before));
		assert_ok(fields_put_number(&value, "serial", before));
		assert_ok(fields_put_number(&value, "failures", 3));
		assert_ok(fields_put_text(&value, "password",
		    "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
		assert_ok(record_put(
		    STORE(&rig), "user", TEXT(names[k]), buf_peek(&value)));
		buf_clear(&value);
	}
	restore_rig_backup(&rig, "foo");
	select_only(&selection, ITEM_USERS);
	restore_all(&selection);
	for (k = 0; k < 2; k++) {
		assert_ok(user_read(STORE(&rig), TEXT(names[k]), &user));
		serials[k] = user.serial;
		assert_true(user.serial > before);
		assert_int_equal(user.lockout.failures, 0);
	}
	assert_true(serials[0] != serials[1]);
	delete_all_records("user");
	key_rig_turn(&rig.keys);
}

/* req: KS-15-093 KS-15-094 KS-15-095 KS-23-069 KS-18-013 KS-18-038 */
static void
test_each_part_has_its_access_control(void **state)
{
	static const struct {
		enum control control;
		enum backup_item item;
	} parts[] = {
	    {CONTROL_RESTORE_CONFIG, ITEM_NTP},
	    {CONTROL_RESTORE_KEYS, ITEM_CERTIFICATES},
	    {CONTROL_RESTORE_CAS, ITEM_LOCAL_CAS},
	};
	struct backup_selection selection;
	size_t has, k, other;

	(void)state;
	restore_rig_backup(&rig, "foo");
	for (has = 0; has < LENGTH(parts); has++) {
		for (k = 0; k < LENGTH(parts); k++) {
			for (other = 0; other < LENGTH(parts); other++) {
				bool may = k == has && other == has;

				account_put(&rig.keys.bench, "root", true,
				    CONTROL_BIT(parts[has].control));
				select_only(&selection, parts[k].item);
				selection.items[parts[other].item] = true;
				assert_ok(restore_rig_look(
				    &rig, "foo", BACKUP_PASSWORD));
				assert_err(restore_rig_run(&rig, &selection),
				    may ? OK : ERR_DENIED);
				restore_rig_restart(&rig, may);
			}
		}
	}
	account_put(&rig.keys.bench, "root", true, CONTROLS_ALL);
	/* several administrators, whatever is lent */
	account_put(&rig.keys.bench, "adam", true, CONTROLS_ALL);
	set_number(SETTING_SEVERAL, "yes");
	select_only(&selection, ITEM_NTP);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_err(restore_rig_run(&rig, &selection), ERR_DENIED);
	assert_non_null(strstr(rig.why, "1 more administrator must confirm"));
	restore_rig_restart(&rig, 0);
	set_number(SETTING_SEVERAL, "no");
	account_delete(&rig.keys.bench, "adam");
	key_rig_turn(&rig.keys);
}

/* A backup without anybody who could come in is not restored. */
static void
test_administrators_without_one_with_high_access_stay(void **state)
{
	struct backup_selection selection = all_items();

	(void)state;
	delete_all_records("admin");
	restore_rig_backup(&rig, "foo");
	account_put(&rig.keys.bench, "root", true, CONTROLS_ALL);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_err(restore_rig_run(&rig, &selection), ERR_FIELD);
	assert_non_null(strstr(rig.why, "High Access"));
	restore_rig_restart(&rig, 0);
}

/* Nor is one with an account that cannot be read: it would be nobody's. */
static void
test_an_account_that_is_none_is_not_restored(void **state)
{
	struct backup_selection selection = all_items();
	struct buf value;

	(void)state;
	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	assert_ok(fields_put_text(&value, "high", "perhaps"));
	assert_ok(
	    record_put(STORE(&rig), "admin", TEXT("odd"), buf_peek(&value)));
	buf_clear(&value);
	key_rig_turn(&rig.keys);
	restore_rig_backup(&rig, "foo");
	assert_ok(record_delete(STORE(&rig), "admin", TEXT("odd")));
	restore_rig_state(&rig, &rig.before);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_err(restore_rig_run(&rig, &selection), ERR_FIELD);
	assert_non_null(strstr(rig.why, "administrator odd: the account"));
	restore_rig_restart(&rig, 0);
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("nothing", &rig.after, &rig.before);
}

/* req: KS-23-086 KS-23-034 */
static void
test_nothing_is_in_force_before_the_restart(void **state)
{
	struct backup_selection selection = all_items();

	(void)state;
	delete_all_objects();
	make_key("Key1", "user1", 2);
	set_number(SETTING_ACTIVE_VERSIONS, "77");
	restore_rig_backup(&rig, "foo");
	delete_all_objects();
	set_number(SETTING_ACTIVE_VERSIONS, "88");
	restore_rig_state(&rig, &rig.before);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	restore_rig_state(&rig, &rig.after);
	restore_rig_assert_same("not yet", &rig.after, &rig.before);
	assert_int_equal(
	    setting_number(APPLIANCE(&rig)->settings, SETTING_ACTIVE_VERSIONS),
	    88);
	restore_rig_restart(&rig, 1);
	assert_int_equal(
	    setting_number(APPLIANCE(&rig)->settings, SETTING_ACTIVE_VERSIONS),
	    77);
	assert_true(key_rig_has(&rig.keys, "Key1"));
	set_number(SETTING_ACTIVE_VERSIONS, "4000");
}

static enum err
keep_event(void *ctx, struct bytes line)
{
	(void)snprintf(
	    ctx, 300, "%.*s", (int)line.octets, (const char *)line.at);
	return OK;
}

/* One line, which says what and that a restart is needed. */
static void
test_a_restore_is_in_the_audit_log(void **state)
{
	struct backup_selection selection;
	char line[300] = "";

	(void)state;
	restore_rig_backup(&rig, "foo");
	select_only(&selection, ITEM_NTP);
	selection.items[ITEM_SERVICES] = true;
	restore_all(&selection);
	assert_ok(audit_last(STORE(&rig), 1, keep_event, line));
	if (strstr(line,
		"[root]: Restore foo: NTP, Service Startup; at the next "
		"restart") == NULL)
		fail_msg("%s", line);
}

/* Later ones come into force over those before. */
static void
test_several_restores_keep_their_order(void **state)
{
	struct backup_selection selection;

	(void)state;
	select_only(&selection, ITEM_KEY_OPTIONS);
	set_number(SETTING_ACTIVE_VERSIONS, "11");
	restore_rig_backup(&rig, "one");
	set_number(SETTING_ACTIVE_VERSIONS, "22");
	restore_rig_backup(&rig, "two");
	set_number(SETTING_ACTIVE_VERSIONS, "33");
	assert_ok(restore_rig_look(&rig, "two", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	assert_ok(restore_rig_look(&rig, "one", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	restore_rig_restart(&rig, 2);
	assert_int_equal(
	    setting_number(APPLIANCE(&rig)->settings, SETTING_ACTIVE_VERSIONS),
	    11);
	set_number(SETTING_ACTIVE_VERSIONS, "4000");
}

/* What was given up, and what is in force, is deleted in some turns. */
static void
test_what_is_staged_goes(void **state)
{
	struct backup_selection selection = all_items();
	unsigned turns, k;

	(void)state;
	delete_all_objects();
	for (k = 0; k < STAGED_KEYS; k++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "Key%u", k);
		make_key(name, "user1", 2);
	}
	restore_rig_backup(&rig, "foo");
	/* left when some of it is staged, and when all of it is */
	for (turns = 3; turns < 60; turns += 28) {
		assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
		restore_begin(rig.restore, &selection, &rig_admin, NULL,
		    rig_restore_done, &rig);
		for (k = 0; k < turns && !rig.done; k++)
			bench_turn(&rig.keys.bench);
		assert_true(restore_rig_count(&rig, "restore.row") > 10);
		rig.done = false;
		restore_drop(rig.restore);
		rig.restore = NULL;
		for (k = 0; k < 100; k++)
			bench_turn(&rig.keys.bench);
		if (turns < 30)
			assert_int_equal(
			    restore_rig_count(&rig, "restore.row"), 0);
		restore_rig_restart(&rig, turns < 30 ? 0 : 1);
	}
	for (k = 0; k < 100; k++)
		bench_turn(&rig.keys.bench);
	assert_int_equal(restore_rig_count(&rig, "restore.row"), 0);
	delete_all_objects();
}

/* ---- until the restart ---- */

static enum err
keep_pending(void *ctx, const struct restore_pending *pending)
{
	struct restore_pending *room = ctx;

	assert_in_range(pending->number, 1, 2);
	room[pending->number - 1] = *pending;
	return OK;
}

struct giving {
	struct change change;
	uint64_t number;
	bool done;
	enum err rc;
};

static enum err
apply_giving(struct change *change)
{
	const struct giving *giving = change->ctx;

	return restore_give_up(change, giving->number);
}

static void
giving_done(struct change *change, enum err rc)
{
	struct giving *giving = change->ctx;

	giving->done = true;
	giving->rc = rc;
}

static enum err
give_up(uint64_t number)
{
	struct giving giving = {.number = number};

	giving.change = (struct change){.by = rig_admin,
	    .act = ACT_LOOK,
	    .apply = apply_giving,
	    .done = giving_done,
	    .ctx = &giving};
	change_run(APPLIANCE(&rig), &giving.change);
	while (!giving.done)
		bench_turn(&rig.keys.bench);
	return giving.rc;
}

/* By whoever may restore all of it, and nobody else. */
static void
test_what_waits_is_known_and_can_be_given_up(void **state)
{
	struct restore_pending pending[2];
	struct backup_selection selection;
	enum act acts[PART_COUNT];
	char line[300] = "";
	unsigned k;

	(void)state;
	memset(pending, 0, sizeof(pending));
	delete_all_objects();
	make_key("Key1", "user1", 2);
	set_number(SETTING_ACTIVE_VERSIONS, "77");
	restore_rig_backup(&rig, "foo");
	set_number(SETTING_ACTIVE_VERSIONS, "78");
	restore_rig_backup(&rig, "bar");
	delete_all_objects();
	set_number(SETTING_ACTIVE_VERSIONS, "88");
	assert_ok(restore_pending_each(STORE(&rig), keep_pending, pending));
	assert_int_equal(pending[0].number, 0);
	/* numbers are from 1 where nothing is left */
	restore_rig_restart(&rig, 0);
	select_only(&selection, ITEM_KEY_OPTIONS);
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	selection.items[ITEM_KEYS] = true;
	assert_ok(restore_rig_look(&rig, "bar", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	assert_ok(restore_pending_each(STORE(&rig), keep_pending, pending));
	assert_string_equal(pending[0].base, "foo");
	assert_string_equal(pending[1].base, "bar");
	assert_string_equal(pending[0].by, "root");
	assert_int_equal(pending[0].asked_s, env_wall_s(APPLIANCE(&rig)->env));
	assert_int_equal(pending[0].objects, 0);
	assert_int_equal(pending[1].objects, 2); /* with the older version */
	assert_true(pending[0].records != 0);
	assert_true(pending[0].items[ITEM_KEY_OPTIONS]);
	assert_false(pending[0].items[ITEM_KEYS]);
	assert_true(pending[1].items[ITEM_KEYS]);
	assert_int_equal(restore_pending_acts(&pending[0], acts), 1);
	assert_int_equal(acts[0], ACT_RESTORE_CONFIG);
	assert_int_equal(restore_pending_acts(&pending[1], acts), 2);
	/* the second has keys */
	account_put(
	    &rig.keys.bench, "root", true, CONTROL_BIT(CONTROL_RESTORE_CONFIG));
	assert_err(give_up(2), ERR_DENIED);
	assert_err(give_up(3), ERR_NOT_FOUND);
	account_put(&rig.keys.bench, "root", true,
	    CONTROL_BIT(CONTROL_RESTORE_CONFIG) |
		CONTROL_BIT(CONTROL_RESTORE_KEYS));
	/* nor alone, where it takes two */
	account_put(&rig.keys.bench, "ann", true, CONTROLS_ALL);
	set_number(SETTING_SEVERAL, "yes");
	assert_err(give_up(2), ERR_DENIED);
	set_number(SETTING_SEVERAL, "no");
	assert_ok(give_up(2));
	assert_ok(audit_last(STORE(&rig), 1, keep_event, line));
	assert_err(give_up(2), ERR_NOT_FOUND);
	account_put(&rig.keys.bench, "root", true, CONTROLS_ALL);
	assert_err(
	    restore_pending_find(STORE(&rig), 2, pending), ERR_NOT_FOUND);
	/* what was staged of it goes, and of the other one stays */
	for (k = 0; k < 20; k++)
		bench_turn(&rig.keys.bench);
	assert_ok(restore_pending_find(STORE(&rig), 1, pending));
	assert_int_equal(restore_rig_count(&rig, "restore.row"),
	    pending[0].records + pending[0].objects);
	restore_rig_restart(&rig, 1);
	assert_int_equal(
	    setting_number(APPLIANCE(&rig)->settings, SETTING_ACTIVE_VERSIONS),
	    77);
	assert_false(key_rig_has(&rig.keys, "Key1"));
	set_number(SETTING_ACTIVE_VERSIONS, "4000");
	if (strstr(line, "[root]: Restore bar given up") == NULL)
		fail_msg("%s", line);
}

struct told {
	unsigned count;
	uint64_t done, all;
};

static void
tell_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct told *told = ctx;

	assert_true(done > told->done && done <= all);
	assert_true(told->count == 0 || all == told->all);
	*told = (struct told){told->count + 1, done, all};
}

static uint64_t
checkpoints(void)
{
	struct store_stats stats;

	assert_ok(store_stats(STORE(&rig), &stats));
	return stats.checkpoints;
}

/*
 * What is large moves the store's log as it goes, so that no turn has all of it
 * to move, and tells who waits for the start how far it is.
 */
static void
test_a_large_restore_stops_nobody(void **state)
{
	struct backup_selection selection;
	struct told told = {.count = 0};
	uint64_t before, staged;
	unsigned count, k;

	(void)state;
	for (k = 0; k < LARGE_RECORDS; k++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "g%u", k);
		assert_ok(
		    record_put(STORE(&rig), "group", TEXT(name), BYTES_NONE));
	}
	key_rig_turn(&rig.keys);
	restore_rig_backup(&rig, "foo");
	select_only(&selection, ITEM_USERS);
	before = checkpoints();
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_ok(restore_rig_run(&rig, &selection));
	assert_true(STAGES_FEW || checkpoints() >= before + 2);
	assert_ok(restore_apply(STORE(&rig), tell_progress, &told, &count));
	assert_int_equal(count, 1);
	assert_int_equal(told.count, 2 * LARGE_RECORDS / 5000);
	restore_rig_restart(&rig, 0);
	staged = checkpoints();
	while (restore_rig_count(&rig, "restore.row") != 0)
		for (k = 0; k < 50; k++)
			bench_turn(&rig.keys.bench);
	assert_true(STAGES_FEW || checkpoints() > staged);
	for (k = 0; k < LARGE_RECORDS; k++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "g%u", k);
		assert_ok(record_delete(STORE(&rig), "group", TEXT(name)));
	}
	key_rig_turn(&rig.keys);
}

/* req: KS-23-084 */
static void
test_the_password_is_known_again(void **state)
{
	(void)state;
	restore_rig_backup(&rig, "foo");
	assert_ok(restore_rig_look(&rig, "foo", BACKUP_PASSWORD));
	assert_true(restore_password_is(rig.restore, TEXT(BACKUP_PASSWORD)));
	assert_false(restore_password_is(rig.restore, TEXT("lamp7.Orchid")));
	assert_false(restore_password_is(rig.restore, TEXT("")));
}

/* ---------------------------------------------------------------------------
 * Backups of earlier releases: kept/README.md says how they were made
 */

#define KEPT_HEX "00112233445566778899AABBCCDDEEFF"

/* With BACKUP_KEEP=DIR this leaves one there. */
static void
make_kept(const char *dir)
{
	const struct backup_kind_row *ca =
	    backup_kind_find(TEXT("certificate"), TEXT("web"));
	struct key_spec spec = key_rig_spec("Kept", "user1");
	struct backup_selection selection = all_items();
	struct buf value;
	uint32_t number;

	delete_all_objects();
	spec.algorithm = key_algorithm_named(TEXT("AES-128"));
	spec.versioned = true;
	assert_ok(key_import(&rig.keys.call, &spec, 0, TEXT(KEPT_HEX), NULL));
	assert_ok(key_version_new(&rig.keys.call,
	    key_rig_find(&rig.keys, "Kept"), CARD_ACTIVE, NULL, &number));
	set_number(SETTING_ACTIVE_VERSIONS, "99");
	buf_init(&value, 1000);
	assert_ok(fields_put_text(&value, "certificate", "of the web"));
	restore_rig_put_sealed(&rig, &value, ca, "web", "a private key");
	assert_ok(record_put(
	    STORE(&rig), "certificate", TEXT("web"), buf_peek(&value)));
	account_put(&rig.keys.bench, "keeper", false, CONTROLS_ALL);
	key_rig_turn(&rig.keys);
	(void)snprintf(rig.backups, sizeof(rig.backups), "%s", dir);
	restore_rig_backup(&rig, "kept");
	backup_selection_clear(&selection);
	buf_clear(&value);
}

static void
assert_kept(void)
{
	struct key_material material;
	struct buf value;
	struct bytes sealed, plain;
	struct admin admin;

	assert_ok(key_bytes(
	    &rig.keys.call, key_rig_find(&rig.keys, "Kept"), 1, &material));
	assert_memory_equal(material.octets.at,
	    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
	    16);
	assert_int_equal(key_versions(key_rig_find(&rig.keys, "Kept")), 2);
	assert_int_equal(
	    setting_number(APPLIANCE(&rig)->settings, SETTING_ACTIVE_VERSIONS),
	    99);
	buf_init(&value, 10000);
	assert_ok(record_get(STORE(&rig), "certificate", TEXT("web"), &value));
	assert_ok(fields_find(buf_peek(&value), "key", &sealed));
	assert_ok(keystore_open(rig.keys.keystore, NULL,
	    TEXT("certificate/web"), 1, sealed, rig.keys.arena, &plain));
	assert_true(bytes_equal_text(plain, "a private key"));
	assert_ok(admin_read(STORE(&rig), TEXT("keeper"), &admin));
	assert_int_equal(admin.controls, CONTROLS_ALL);
	admin_drop(&admin);
	buf_clear(&value);
}

static void
test_backups_of_earlier_releases_are_restored(void **state)
{
	static const char *const folders[] = {"ref/device/kept/backup-1"};
	const char *keep = getenv("BACKUP_KEEP");
	struct backup_selection selection = all_items();
	size_t k;

	(void)state;
	if (keep != NULL)
		make_kept(keep);
	for (k = 0; k < LENGTH(folders); k++) {
		delete_all_objects();
		delete_all_records("certificate");
		set_number(SETTING_ACTIVE_VERSIONS, "4000");
		(void)snprintf(
		    rig.backups, sizeof(rig.backups), "%s", folders[k]);
		assert_ok(restore_rig_look(&rig, "kept", BACKUP_PASSWORD));
		assert_ok(restore_rig_run(&rig, &selection));
		restore_rig_restart(&rig, 1);
		assert_kept();
	}
	backup_selection_clear(&selection);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys_before_backup_selection_after),
	    cmocka_unit_test(test_records_before_backup_selection_after),
	    cmocka_unit_test(
		test_a_key_with_too_many_active_versions_is_left_out),
	    cmocka_unit_test(test_names_of_kmip_clients_are_their_own),
	    cmocka_unit_test(test_two_of_a_backup_do_not_displace_each_other),
	    cmocka_unit_test(test_a_local_ca_comes_with_what_it_has_signed),
	    cmocka_unit_test(test_what_is_of_the_moment_begins_anew),
	    cmocka_unit_test(test_users_are_others_than_those_before),
	    cmocka_unit_test(test_each_part_has_its_access_control),
	    cmocka_unit_test(
		test_administrators_without_one_with_high_access_stay),
	    cmocka_unit_test(test_an_account_that_is_none_is_not_restored),
	    cmocka_unit_test(test_nothing_is_in_force_before_the_restart),
	    cmocka_unit_test(test_a_restore_is_in_the_audit_log),
	    cmocka_unit_test(test_several_restores_keep_their_order),
	    cmocka_unit_test(test_what_is_staged_goes),
	    cmocka_unit_test(test_what_waits_is_known_and_can_be_given_up),
	    cmocka_unit_test(test_a_large_restore_stops_nobody),
	    cmocka_unit_test(test_the_password_is_known_again),
	    /* the last: it leaves the rig's own backups */
	    cmocka_unit_test(test_backups_of_earlier_releases_are_restored),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

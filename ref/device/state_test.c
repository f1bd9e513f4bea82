/*
 * What an appliance holds, as lines: equal for equal things, whatever they are
 * sealed under and in whatever order they came; another for each thing that
 * differs.
 */
#include "device/restore_rig_test.h"

static struct restore_rig rig;

static int
set_up(void **state)
{
	(void)state;
	restore_rig_make(&rig);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	restore_rig_clear(&rig);
	return 0;
}

static void
digest(const char *key, uint8_t out[STATE_DIGEST_OCTETS])
{
	const struct state_source source = {
	    .store = STORE(&rig),
	    .keystore = rig.keys.keystore,
	    .vault = rig.vault,
	    .key = TEXT(key),
	};

	assert_ok(state_digest(&source, out));
}

static bool
is_same(const uint8_t want[STATE_DIGEST_OCTETS])
{
	uint8_t now[STATE_DIGEST_OCTETS];

	digest("k", now);
	return memcmp(now, want, sizeof(now)) == 0;
}

static void
put(const char *kind, const char *key, const char *field, const char *value)
{
	struct buf fields;

	buf_init(&fields, 1000);
	assert_ok(fields_put_text(&fields, "b", "2"));
	assert_ok(fields_put_text(&fields, field, value));
	assert_ok(record_put(STORE(&rig), kind, TEXT(key), buf_peek(&fields)));
	buf_clear(&fields);
}

static void
test_each_thing_counts(void **state)
{
	const struct bytes owner = TEXT("user2");
	struct key_spec spec = key_rig_spec("Key1", "user1");
	uint8_t was[STATE_DIGEST_OCTETS];

	(void)state;
	assert_ok(key_create(&rig.keys.call, &spec, NULL, NULL));
	put("user", "ada", "password", "one");
	digest("k", was);
	assert_true(is_same(was));
	/* a record, its key, a field, a hidden one */
	put("policy", "p", "a", "1");
	assert_false(is_same(was));
	digest("k", was);
	put("policy", "p", "a", "2");
	assert_false(is_same(was));
	put("policy", "p", "c", "1");
	assert_false(is_same(was));
	put("policy", "p", "a", "1");
	assert_true(is_same(was));
	put("user", "ada", "password", "two");
	assert_false(is_same(was));
	put("user", "ada", "password", "one");
	assert_true(is_same(was));
	/* an object's owner */
	assert_ok(key_modify(&rig.keys.call, key_rig_find(&rig.keys, "Key1"),
	    &(struct key_change){.owner = &owner}));
	assert_false(is_same(was));
}

/* ---- what there is of an object ---- */

static void
set_value(struct object *o, const char *value)
{
	uint64_t version = o->value_version + 1;
	struct bytes sealed;

	assert_ok(keystore_seal(rig.keys.keystore, NULL, o->id, version,
	    TEXT(value), rig.keys.arena, &sealed));
	assert_ok(object_set_value(o, sealed, true));
	o->value_version = version;
}

static void
is_the_same(struct object *o)
{
	set_value(o, "sixteen octets, 1");
}

static void
has_another_octet(struct object *o)
{
	set_value(o, "sixteen octets, 2");
}

static void
has_no_value(struct object *o)
{
	object_drop_value(o);
}

static void
is_of_another(struct object *o)
{
	o->owner = TEXT("user3");
}

static struct item *
contact(struct object *o)
{
	return attr_find(&o->attrs, TAG_CONTACT_INFORMATION)->value;
}

static void
has_another_letter(struct object *o)
{
	attr_remove(&o->attrs, attr_find(&o->attrs, TAG_CONTACT_INFORMATION));
	assert_ok(attr_add_octets(o->arena, &o->attrs, TAG_CONTACT_INFORMATION,
	    TEXT("somebody at extension 2")));
}

static void
has_no_attribute(struct object *o)
{
	attr_remove(&o->attrs, attr_find(&o->attrs, TAG_CONTACT_INFORMATION));
}

static void
add_custom(struct object *o, const char *vendor, const char *name)
{
	struct item value = *contact(o);
	const struct attr one = {
	    .def = attr_def_any(TAG_ATTRIBUTE),
	    .vendor = TEXT(vendor),
	    .name = TEXT(name),
	    .value = &value,
	};

	value.tag = TAG_ATTRIBUTE_VALUE;
	assert_ok(attr_add(o->arena, &o->attrs, &one));
}

static void
has_a_custom_attribute(struct object *o)
{
	add_custom(o, "x", "colour");
}

static void
has_one_of_another_vendor(struct object *o)
{
	add_custom(o, "y", "colour");
}

static void
permit(struct object *o, const char *group, enum card_grant grant)
{
	struct card_permission permission = {.group = TEXT(group)};

	permission.use[USE_ENCRYPT].grant = grant;
	if (grant == CARD_POLICY)
		permission.use[USE_ENCRYPT].policy = TEXT("p");
	assert_ok(card_set_permissions(o->arena, o->card, &permission, 1));
}

static void
is_for_another_group(struct object *o)
{
	permit(o, "some", CARD_ALWAYS);
}

static void
is_for_certain_hours(struct object *o)
{
	permit(o, "all", CARD_POLICY);
}

static void
is_deletable(struct object *o)
{
	o->card->deletable = !o->card->deletable;
}

static void
is_retired(struct object *o)
{
	o->card->state = CARD_RETIRED;
}

static const struct {
	const char *name;
	void (*change)(struct object *o);
} parts[] = {
    {"the same bytes, sealed anew", is_the_same},
    {"another octet of the key", has_another_octet},
    {"no value", has_no_value},
    {"another owner", is_of_another},
    {"another letter of an attribute", has_another_letter},
    {"no such attribute", has_no_attribute},
    {"a custom attribute", has_a_custom_attribute},
    {"another vendor's", has_one_of_another_vendor},
    {"another group", is_for_another_group},
    {"another permission", is_for_certain_hours},
    {"a mark of its card", is_deletable},
    {"the state of its version", is_retired},
};

static struct object *
make_object(const char *name)
{
	struct key_spec spec = key_rig_spec(name, "user1");
	struct object *o;

	assert_ok(key_create(&rig.keys.call, &spec, NULL, NULL));
	assert_ok(object_clone(key_rig_find(&rig.keys, name), &o));
	assert_ok(attr_add_octets(o->arena, &o->attrs, TAG_CONTACT_INFORMATION,
	    TEXT("somebody at extension 1")));
	permit(o, "all", CARD_ALWAYS);
	set_value(o, "sixteen octets, 1");
	return o;
}

static void
put_changed(const struct object *first, void (*change)(struct object *o))
{
	struct object *o;

	assert_ok(object_clone(first, &o));
	change(o);
	assert_ok(store_update(STORE(&rig), o));
}

/* Each of them makes another state, and none of the others'. */
static void
test_each_part_of_an_object_counts(void **state)
{
	uint8_t was[LENGTH(parts)][STATE_DIGEST_OCTETS];
	struct object *first = make_object("Key2");
	size_t k;
	size_t j;

	(void)state;
	for (k = 0; k < LENGTH(parts); k++) {
		put_changed(first, parts[k].change);
		digest("k", was[k]);
		for (j = 0; j < k; j++)
			if (memcmp(was[j], was[k], sizeof(was[k])) == 0)
				fail_msg("%s is not seen beside %s",
				    parts[k].name, parts[j].name);
	}
	put_changed(first, is_the_same);
	assert_true(is_same(was[0]));
	object_free(first);
	key_rig_turn(&rig.keys);
}

enum { WORD_OCTETS = 80 };

/* What stands for the bytes of a key. */
static void
find_word(const char *name, char word[WORD_OCTETS])
{
	const struct bytes id = key_rig_find(&rig.keys, name)->id;
	const char *line;

	restore_rig_state(&rig, &rig.before);
	assert_ok(buf_put(&rig.before, (struct bytes){(uint8_t *)"", 1}));
	assert_ok(arena_printf(rig.keys.arena, &line, "%.*s", (int)id.octets,
	    (const char *)id.at));
	line = strstr((const char *)rig.before.at, line);
	assert_non_null(line);
	line = strstr(line, " value=hmac:");
	assert_non_null(line);
	(void)snprintf(word, WORD_OCTETS, "%.76s", line);
}

/* Two of the same bytes are two words. */
static void
test_one_secret_in_two_objects(void **state)
{
	struct object *one = make_object("Key3");
	struct object *two = make_object("Key4");
	char word[WORD_OCTETS];
	char other[WORD_OCTETS];

	(void)state;
	assert_ok(store_update(STORE(&rig), one));
	assert_ok(store_update(STORE(&rig), two));
	find_word("Key3", word);
	find_word("Key4", other);
	assert_string_not_equal(word, other);
}

/* ---- what is sealed in records ---- */

static void
put_secret(const struct backup_kind_row *row, const char *key, const char *text)
{
	struct buf value;

	buf_init(&value, RECORD_VALUE_MAX_OCTETS);
	restore_rig_put_sealed(&rig, &value, row, key, text);
	assert_ok(
	    record_put(STORE(&rig), row->kind, TEXT(key), buf_peek(&value)));
	buf_clear(&value);
}

static void
secret_key(const struct backup_kind_row *row, char key[200])
{
	unsigned k;

	(void)snprintf(key, 200, "web");
	for (k = 0; k < SETTING_COUNT && row->item == ITEM_OF_ROW; k++)
		if (setting_row((enum setting)k)->is_secret)
			restore_rig_setting_key((enum setting)k, key);
}

static void
test_each_sealed_secret_counts(void **state)
{
	const struct backup_kind_row *row;
	uint8_t was[STATE_DIGEST_OCTETS];
	unsigned kinds = 0;
	char key[200];
	size_t n;

	(void)state;
	for (n = 0; (row = backup_kind_nth(n)) != NULL; n++) {
		if (row->seal == SEAL_NONE)
			continue;
		kinds++;
		secret_key(row, key);
		put_secret(row, key, "the first");
		digest("k", was);
		put_secret(row, key, "the other");
		if (is_same(was))
			fail_msg("%s: not seen", row->kind);
		put_secret(row, key, "the first");
		if (!is_same(was))
			fail_msg("%s: sealed anew, and seen", row->kind);
	}
	assert_true(kinds > 3);
}

/* What is of one device or one moment, and logs. */
static void
test_what_no_backup_has_does_not_count(void **state)
{
	uint8_t was[STATE_DIGEST_OCTETS];

	(void)state;
	put("user", "ada", "serial", "1");
	digest("k", was);
	put("user", "ada", "serial", "2");
	assert_true(is_same(was));
	put("user", "ada", "failures", "4");
	assert_true(is_same(was));
	put("rate", "u/k", "count", "7");
	put("restore.row", "x", "y", "z");
	put("ssh.host", "h:22", "type", "ssh-rsa");
	assert_ok(store_log_add(STORE(&rig), "audit", 1, TEXT("a line")));
	assert_true(is_same(was));
	put("user", "ada", "administers", "1");
	assert_false(is_same(was));
}

/* A backup does not have it, and nobody has said that it need not. */
static void
test_a_kind_without_a_row_is_missed(void **state)
{
	uint8_t was[STATE_DIGEST_OCTETS];

	(void)state;
	digest("k", was);
	put("of.tomorrow", "x", "y", "1");
	assert_false(is_same(was));
	digest("k", was);
	put("of.tomorrow", "x", "y", "2");
	assert_false(is_same(was));
}

static void
put_two(const char *first, const char *second)
{
	struct buf fields;

	buf_init(&fields, 1000);
	assert_ok(fields_put_text(&fields, first, first));
	assert_ok(fields_put_text(&fields, second, second));
	assert_ok(
	    record_put(STORE(&rig), "policy", TEXT("q"), buf_peek(&fields)));
	buf_clear(&fields);
}

/* The order of fields says nothing; another key makes another digest. */
static void
test_order_says_nothing_and_the_key_much(void **state)
{
	uint8_t was[STATE_DIGEST_OCTETS];
	uint8_t other[STATE_DIGEST_OCTETS];

	(void)state;
	put_two("a", "b");
	digest("k", was);
	put_two("b", "a");
	assert_true(is_same(was));
	put_two("b", "b");
	assert_false(is_same(was));
	put_two("b", "a");
	digest("j", other);
	assert_memory_not_equal(was, other, sizeof(was));
}

/* No secret, nor what a password is guessed by, is in a line. */
static void
test_secrets_stand_as_hmacs(void **state)
{
	struct key_material material;
	struct key_spec spec = key_rig_spec("Key9", "user1");
	const struct object *key;
	struct bytes text;

	(void)state;
	assert_ok(key_create(&rig.keys.call, &spec, NULL, &key));
	assert_ok(key_bytes(&rig.keys.call, key, 0, &material));
	put("user", "ada", "password", "pbkdf2-of-a-password");
	restore_rig_state(&rig, &rig.before);
	text = buf_peek(&rig.before);
	assert_null(memmem(
	    text.at, text.octets, material.octets.at, material.octets.octets));
	assert_null(memmem(text.at, text.octets, "pbkdf2-of", 9));
	assert_non_null(memmem(text.at, text.octets, "value=hmac:", 11));
	assert_non_null(memmem(text.at, text.octets, "password=hmac:", 14));
}

/* Without keys there is no state. */
static void
test_keys_are_needed(void **state)
{
	const struct state_source source = {
	    .store = STORE(&rig),
	    .keystore = rig.keys.keystore,
	    .vault = rig.vault,
	    .key = TEXT("k"),
	};
	uint8_t out[STATE_DIGEST_OCTETS];

	(void)state;
	keystore_logout(rig.keys.keystore);
	assert_err(state_digest(&source, out), ERR_HSM_LOGGED_OUT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_thing_counts),
	    cmocka_unit_test(test_each_part_of_an_object_counts),
	    cmocka_unit_test(test_one_secret_in_two_objects),
	    cmocka_unit_test(test_each_sealed_secret_counts),
	    cmocka_unit_test(test_what_no_backup_has_does_not_count),
	    cmocka_unit_test(test_a_kind_without_a_row_is_missed),
	    cmocka_unit_test(test_order_says_nothing_and_the_key_much),
	    cmocka_unit_test(test_secrets_stand_as_hmacs),
	    cmocka_unit_test(test_keys_are_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * Versioned keys, and clones.
 */
#include "device/key_attribute.h"
#include "device/key_rig_test.h"

static struct key_rig rig;
#define CALL       (&rig.call)
#define STORE      (rig.bench.appliance.store)
#define NAME(text) bytes_of_text(text)

static int
set_up(void **state)
{
	(void)state;
	key_rig_make(&rig);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	key_rig_clear(&rig);
	return 0;
}

static const struct object *
versioned(const char *name, enum card_state state)
{
	struct key_spec spec = key_rig_spec(name, "alice");
	const struct object *key;

	spec.versioned = true;
	spec.version_state = state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	return key;
}

static void
add(const char *name, enum card_state state, enum err want)
{
	uint32_t before = key_versions(key_rig_find(&rig, name));
	uint32_t number;

	assert_err(key_version_new(
		       CALL, key_rig_find(&rig, name), state, NULL, &number),
	    want);
	assert_int_equal(
	    key_versions(key_rig_find(&rig, name)), before + (want == OK));
	if (want == OK)
		assert_int_equal(number, before + 1);
}

static void
limit(const char *versions)
{
	struct settings *settings = rig.bench.appliance.settings;
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(
	    settings, SETTING_ACTIVE_VERSIONS, NAME(versions), &changed, why));
	settings_settle(settings, true);
}

/*
 * req: KS-28-006 KS-28-035 KS-28-036 KS-28-037 KS-28-038 KS-28-039 KS-28-101
 * req: KS-28-102 KS-28-174 KS-28-175 KS-28-176 KS-28-178 KS-28-179 ESKM-155
 */
static void
test_each_version_has_its_own_bytes(void **state)
{
	struct key_material first;
	struct key_material second;
	struct key_material by_default;
	struct key_material again;
	struct key_version info;
	const struct object *key = versioned("k", CARD_ACTIVE);

	(void)state;
	assert_int_equal(key_versions(key), 1);
	assert_ok(key_bytes(CALL, key, 0, &first));
	assert_int_equal(first.version, 1);
	env_set_wall_s(rig.bench.rig.env, KEY_RIG_WALL_S + 60);
	add("k", CARD_ACTIVE, OK);
	key = key_rig_find(&rig, "k");
	assert_ok(key_bytes(CALL, key, 2, &second));
	assert_ok(key_bytes(CALL, key, 0, &by_default));
	assert_ok(key_bytes(CALL, key, 1, &again));
	assert_int_equal(by_default.version, 2);
	assert_true(bytes_equal(second.octets, by_default.octets));
	assert_true(bytes_equal(first.octets, again.octets));
	assert_true(bytes_equal(first.iv, again.iv));
	assert_false(bytes_equal(first.octets, second.octets));
	assert_false(bytes_equal(first.iv, second.iv));
	assert_ok(key_version_info(CALL, key, 0, &info));
	assert_int_equal(info.number, 2);
	assert_int_equal(info.created_s, KEY_RIG_WALL_S + 60);
	assert_ok(key_version_info(CALL, key, 1, &info));
	assert_int_equal(info.created_s, KEY_RIG_WALL_S);
	assert_memory_equal(info.unique_id.at, key->id.at, key->id.octets);
	assert_memory_equal(info.unique_id.at + key->id.octets, ".1", 2);
	assert_err(key_bytes(CALL, key, 3, &again), ERR_KEY_VERSION);
	/* an older version lies in the store sealed, as the key does */
	{
		const struct object *old;

		assert_ok(store_find(STORE, info.unique_id, &old));
		assert_true(old->value_sealed);
		assert_null(memmem(old->value.at, old->value.octets,
		    first.octets.at, first.octets.octets));
	}
	assert_ok(store_commit(STORE));
	assert_ok(store_check(STORE));
}

static void
test_what_is_not_versioned_has_no_versions(void **state)
{
	struct key_spec spec = key_rig_spec("k", "alice");
	const struct object *key;
	struct key_material material;
	uint32_t number;

	(void)state;
	assert_ok(key_create(CALL, &spec, NULL, &key));
	assert_int_equal(key_versions(key), 0);
	assert_ok(key_bytes(CALL, key, 0, &material));
	assert_err(key_bytes(CALL, key, 1, &material), ERR_NOT_VERSIONED);
	assert_err(key_version_new(CALL, key, CARD_ACTIVE, NULL, &number),
	    ERR_NOT_VERSIONED);
	assert_err(
	    key_version_state(CALL, key, 1, CARD_RETIRED), ERR_NOT_VERSIONED);
}

/* req: KS-28-041 KS-28-181 ESKM-158 */
static void
test_the_state_of_any_but_the_default_version(void **state)
{
	const struct object *key = versioned("k", CARD_ACTIVE);
	struct key_version info;
	static const enum card_state states[] = {CARD_RESTRICTED, CARD_RETIRED,
	    CARD_RESTRICTED, CARD_ACTIVE, CARD_RETIRED, CARD_ACTIVE};
	size_t k;

	(void)state;
	add("k", CARD_ACTIVE, OK);
	for (k = 0; k < LENGTH(states); k++) {
		key = key_rig_find(&rig, "k");
		assert_ok(key_version_state(CALL, key, 1, states[k]));
		key_rig_turn(&rig);
		key = key_rig_find(&rig, "k");
		assert_ok(key_version_info(CALL, key, 1, &info));
		assert_int_equal(info.state, states[k]);
		assert_int_equal(key->card->count[CARD_ACTIVE],
		    states[k] == CARD_ACTIVE ? 2 : 1);
		assert_int_equal(key->card->count[CARD_RESTRICTED],
		    states[k] == CARD_RESTRICTED);
		assert_int_equal(
		    key->card->count[CARD_RETIRED], states[k] == CARD_RETIRED);
	}
	assert_err(
	    key_version_state(CALL, key, 2, CARD_RETIRED), ERR_VERSION_STATE);
	assert_err(
	    key_version_state(CALL, key, 0, CARD_RETIRED), ERR_KEY_VERSION);
	assert_err(
	    key_version_state(CALL, key, 3, CARD_RETIRED), ERR_KEY_VERSION);
	assert_ok(key_version_info(CALL, key, 2, &info));
	assert_int_equal(info.state, CARD_ACTIVE);
}

/* req: KS-28-165 KS-28-177 KS-28-183 */
static void
test_active_versions_are_fewer_than_allowed_before_one_more(void **state)
{
	const struct object *key;

	(void)state;
	limit("2");
	(void)versioned("k", CARD_ACTIVE);
	add("k", CARD_ACTIVE, OK);
	add("k", CARD_ACTIVE, ERR_ACTIVE_VERSIONS);
	add("k", CARD_RESTRICTED, OK);
	key = key_rig_find(&rig, "k");
	assert_ok(key_version_state(CALL, key, 1, CARD_RETIRED));
	key = key_rig_find(&rig, "k");
	assert_ok(key_version_state(CALL, key, 1, CARD_ACTIVE));
	key = key_rig_find(&rig, "k");
	assert_ok(key_version_state(CALL, key, 1, CARD_ACTIVE));
	assert_ok(key_version_state(CALL, key, 2, CARD_RETIRED));
	limit("1");
	key = key_rig_find(&rig, "k");
	assert_err(
	    key_version_state(CALL, key, 2, CARD_ACTIVE), ERR_ACTIVE_VERSIONS);
	key = key_rig_find(&rig, "k");
	assert_int_equal(key->card->count[CARD_ACTIVE], 1);
	assert_int_equal(key->card->count[CARD_RETIRED], 1);
}

/* req: KS-28-048 KS-28-100 ESKM-156 */
static void
test_four_thousand_versions_and_no_more(void **state)
{
	const struct object *key;
	struct object *o;
	struct key_material material;

	(void)state;
	(void)versioned("k", CARD_ACTIVE);
	/* as many as that took years to make */
	key = key_rig_find(&rig, "k");
	assert_ok(object_clone(key, &o));
	o->card->newest = 3999;
	assert_ok(store_update(STORE, o));
	add("k", CARD_RETIRED, OK);
	add("k", CARD_RETIRED, ERR_VERSIONS);
	key = key_rig_find(&rig, "k");
	assert_ok(key_bytes(CALL, key, 4000, &material));
	assert_ok(key_bytes(CALL, key, 3999, &material));
}

static void
test_a_deleted_key_leaves_no_version(void **state)
{
	const struct object *key;
	struct key_version info;
	struct store_stats stats;
	const struct object *old;

	(void)state;
	(void)versioned("k", CARD_ACTIVE);
	add("k", CARD_ACTIVE, OK);
	add("k", CARD_ACTIVE, OK);
	key_rig_turn(&rig);
	assert_ok(store_stats(STORE, &stats));
	assert_int_equal(stats.objects, 3);
	key = key_rig_find(&rig, "k");
	assert_ok(key_version_info(CALL, key, 1, &info));
	assert_ok(key_delete(CALL, key));
	assert_err(store_find(STORE, info.unique_id, &old), ERR_NOT_FOUND);
	assert_ok(store_commit(STORE));
	assert_ok(store_stats(STORE, &stats));
	assert_int_equal(stats.objects, 0);
}

/* ---- clones ---- */

/*
 * req: KS-28-353 KS-28-354 KS-28-355 KS-28-361 KS-28-362 KS-28-363 KS-28-364
 * req: KS-28-365
 */
static void
test_a_clone_has_the_bytes_and_what_is_wished_of_the_rest(void **state)
{
	struct card_permission staff = {.group = NAME("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS}}};
	struct key_attribute contact = {
	    .name = NAME("Contact Information"), .value = NAME("me")};
	struct key_spec spec = key_rig_spec("k", "alice");
	unsigned how;

	(void)state;
	assert_ok(group_create(&rig.bench.appliance, NAME("staff")));
	spec.permissions = &staff;
	spec.permission_count = 1;
	spec.attributes = &contact;
	spec.attribute_count = 1;
	spec.deletable = false;
	assert_ok(key_create(CALL, &spec, NULL, NULL));
	for (how = 0; how < 8; how++) {
		struct key_clone wish = {.name = NAME("clone"),
		    .owner = NAME("bob"),
		    .permissions = (how & 1) != 0,
		    .attributes = (how & 2) != 0,
		    .versioned = (how & 4) != 0};
		const struct object *from = key_rig_find(&rig, "k");
		const struct object *clone;
		struct key_attribute *told;
		struct key_material a;
		struct key_material b;
		struct key_info info;
		size_t count;

		assert_ok(key_clone(CALL, from, &wish, &clone));
		assert_ok(key_bytes(CALL, from, 0, &a));
		assert_ok(key_bytes(CALL, clone, 0, &b));
		assert_true(bytes_equal(a.octets, b.octets));
		assert_true(bytes_equal(a.iv, b.iv));
		assert_int_equal(key_versions(clone), wish.versioned);
		assert_ok(key_info(CALL, clone, &info));
		assert_true(bytes_equal_text(info.owner, "bob"));
		assert_int_equal(info.key_bits, 256);
		assert_false(info.deletable);
		assert_true(info.exportable);
		assert_int_equal(
		    clone->card->permission_count, wish.permissions);
		assert_ok(key_attributes(CALL, clone, &told, &count));
		assert_int_equal(count, wish.attributes);
		assert_ok(key_delete(CALL, clone));
		key_rig_turn(&rig);
	}
}

static void
test_a_clone_has_every_version(void **state)
{
	struct key_clone wish = {.name = NAME("clone"), .owner = NAME("bob")};
	const struct object *from;
	const struct object *clone;
	struct key_material a;
	struct key_material b;
	uint32_t n;

	(void)state;
	(void)versioned("k", CARD_ACTIVE);
	add("k", CARD_RESTRICTED, OK);
	add("k", CARD_ACTIVE, OK);
	from = key_rig_find(&rig, "k");
	assert_ok(key_clone(CALL, from, &wish, &clone));
	assert_int_equal(key_versions(clone), 3);
	for (n = 1; n <= 3; n++) {
		assert_ok(key_bytes(CALL, from, n, &a));
		assert_ok(key_bytes(CALL, clone, n, &b));
		assert_true(bytes_equal(a.octets, b.octets));
		assert_int_equal(a.state, b.state);
	}
	assert_memory_equal(
	    clone->card->count, from->card->count, sizeof(from->card->count));
	/* each has its own from here on */
	assert_ok(key_delete(CALL, from));
	assert_ok(key_bytes(CALL, clone, 1, &b));
	assert_ok(store_commit(STORE));
	assert_ok(store_check(STORE));
}

/* req: KS-28-358 KS-28-359 */
static void
test_what_cannot_be_cloned(void **state)
{
	struct card_permission staff = {.group = NAME("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS}}};
	struct key_spec spec = key_rig_spec("k", "alice");
	struct key_clone wish = {.name = NAME("1clone"), .owner = NAME("bob")};
	const struct object *from;
	const struct object *template;
	bool no = false;

	(void)state;
	assert_ok(group_create(&rig.bench.appliance, NAME("staff")));
	spec.permissions = &staff;
	spec.permission_count = 1;
	assert_ok(key_create(CALL, &spec, NULL, &from));
	spec.name = NAME("t");
	spec.is_template = true;
	assert_ok(key_create(CALL, &spec, NULL, &template));
	assert_err(key_clone(CALL, from, &wish, NULL), ERR_KEY_NAME);
	wish.name = NAME("k");
	assert_err(key_clone(CALL, from, &wish, NULL), ERR_NAME_TAKEN);
	wish.name = NAME("clone");
	wish.permissions = true;
	wish.owner = BYTES_NONE;
	assert_err(key_clone(CALL, from, &wish, NULL), ERR_FIELD);
	wish.permissions = false;
	wish.versioned = true;
	assert_err(key_clone(CALL, template, &wish, NULL), ERR_FIELD);
	assert_false(key_rig_has(&rig, "clone"));
	wish.versioned = false;
	wish.exportable = &no;
	assert_ok(key_clone(CALL, template, &wish, &template));
	assert_int_equal(template->object_type, OBJECT_TYPE_TEMPLATE);
	assert_int_equal(attr_number(&template->attrs, TAG_EXTRACTABLE, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	    TEST(test_each_version_has_its_own_bytes),
	    TEST(test_what_is_not_versioned_has_no_versions),
	    TEST(test_the_state_of_any_but_the_default_version),
	    TEST(test_active_versions_are_fewer_than_allowed_before_one_more),
	    TEST(test_four_thousand_versions_and_no_more),
	    TEST(test_a_deleted_key_leaves_no_version),
	    TEST(test_a_clone_has_the_bytes_and_what_is_wished_of_the_rest),
	    TEST(test_a_clone_has_every_version),
	    TEST(test_what_cannot_be_cloned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	    cmocka_unit_test(test_what_no_backup_has_does_not_count),
	    cmocka_unit_test(test_a_kind_without_a_row_is_missed),
	    cmocka_unit_test(test_order_says_nothing_and_the_key_much),
	    cmocka_unit_test(test_secrets_stand_as_hmacs),
	    cmocka_unit_test(test_keys_are_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

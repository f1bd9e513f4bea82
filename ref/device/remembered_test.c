#include "device/remembered.h"

#include "crypto/ossl.h"
#include "device/rig_test.h"

enum { PLACES = 64 };

static struct rig rig;
static struct remembered *memory;

static const struct password_hash alices = {"pbkdf2-sha256$10$alice"};
static const struct password_hash bobs = {"pbkdf2-sha256$10$bob"};
static const struct password_hash nobodys = {""};

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	assert_ok(rig_init(&rig));
	assert_ok(remembered_new(rig.env, PLACES, &memory));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remembered_free(memory);
	rig_clear(&rig);
	return 0;
}

static bool
has(const char *name, const struct password_hash *hash, const char *password)
{
	return remembered_has(memory, name, hash, bytes_of_text(password));
}

static void
add(const char *name, const struct password_hash *hash, const char *password)
{
	remembered_add(memory, name, hash, bytes_of_text(password));
}

static void
test_what_was_right_is_remembered_and_nothing_else(void **state)
{
	(void)state;
	assert_false(has("alice", &alices, "secret"));
	add("alice", &alices, "secret");
	assert_true(has("alice", &alices, "secret"));
	assert_false(has("alice", &alices, "secreu"));
	assert_false(has("alice", &alices, ""));
	assert_false(has("alice", &bobs, "secret"));
	assert_false(has("bob", &alices, "secret"));
	/* of an account that there is not, nothing is right */
	add("alice", &nobodys, "secret");
	assert_false(has("alice", &nobodys, "secret"));
}

static void
test_a_name_is_forgotten(void **state)
{
	(void)state;
	/* no more of them than have room in any case */
	add("alice", &alices, "one");
	add("alice", &alices, "another");
	add("bob", &bobs, "two");
	remembered_forget(memory, bytes_of_text("alic"));
	assert_true(has("alice", &alices, "one"));
	remembered_forget(memory, bytes_of_text("alice"));
	assert_false(has("alice", &alices, "one"));
	assert_false(has("alice", &alices, "another"));
	assert_true(has("bob", &bobs, "two"));
	remembered_forget(memory, BYTES_NONE);
	assert_false(has("bob", &bobs, "two"));
}

/* More than there are places: some are left, and none is taken for another. */
static void
test_the_last_ones_have_the_places(void **state)
{
	char password[16];
	unsigned k, kept = 0;

	(void)state;
	for (k = 0; k < 4 * PLACES; k++) {
		(void)snprintf(password, sizeof(password), "p%u", k);
		add("alice", &alices, password);
		assert_true(has("alice", &alices, password));
	}
	for (k = 0; k < 4 * PLACES; k++) {
		(void)snprintf(password, sizeof(password), "p%u", k);
		kept += has("alice", &alices, password);
	}
	assert_in_range(kept, PLACES / 2, PLACES);
}

/* Accounts that were all given one password and one hash of it. */
static void
test_one_hash_of_many_has_as_many_places(void **state)
{
	char name[16];
	unsigned k, kept = 0;

	(void)state;
	for (k = 0; k < PLACES / 4; k++) {
		(void)snprintf(name, sizeof(name), "u%u", k);
		add(name, &alices, "one");
	}
	for (k = 0; k < PLACES / 4; k++) {
		(void)snprintf(name, sizeof(name), "u%u", k);
		kept += has(name, &alices, "one");
	}
	assert_in_range(kept, PLACES / 8, PLACES / 4);
}

/* Of the four places of all of them, whoever was right last has one. */
static void
test_who_was_right_longest_ago_goes(void **state)
{
	static const char *const letters[] = {"a", "b", "c", "d", "e", "f"};
	size_t k;

	(void)state;
	remembered_free(memory);
	assert_ok(remembered_new(rig.env, 4, &memory));
	for (k = 0; k < 4; k++)
		add("alice", &alices, letters[k]);
	add("alice", &alices, "a");
	add("alice", &alices, "e");
	add("alice", &alices, "e");
	add("alice", &alices, "f");
	for (k = 0; k < LENGTH(letters); k++)
		assert_int_equal(has("alice", &alices, letters[k]),
		    *letters[k] != 'b' && *letters[k] != 'c');
}

int
main(void)
{
#define MEMORY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    MEMORY_TEST(test_what_was_right_is_remembered_and_nothing_else),
	    MEMORY_TEST(test_a_name_is_forgotten),
	    MEMORY_TEST(test_the_last_ones_have_the_places),
	    MEMORY_TEST(test_one_hash_of_many_has_as_many_places),
	    MEMORY_TEST(test_who_was_right_longest_ago_goes),
	};
#undef MEMORY_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

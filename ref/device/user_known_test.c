#include "device/user_known.h"

#include <stdio.h>
#include <string.h>

#include "model/cmocka_test.h"

enum { PLACES = 64, GENERATION = 7 };

static const struct password_hash hash = {"pbkdf2-sha256$10$x"};
static struct known_users *known;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(known_users_new(PLACES, &known), OK);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	known_users_free(known);
	return 0;
}

static void
put(const char *name, uint64_t generation)
{
	struct key_user user;

	key_user_global(&user);
	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	user.generation = generation;
	known_users_put(known, &user, &hash);
	key_user_clear(&user);
}

static bool
has(const char *name, uint64_t generation)
{
	const struct known_user *at =
	    known_users_find(known, bytes_of_text(name), generation);

	if (at == NULL)
		return false;
	assert_string_equal(at->user.name, name);
	assert_string_equal(at->hash.line, hash.line);
	return true;
}

static void
test_one_is_known_as_of_its_generation(void **state)
{
	(void)state;
	assert_false(has("alice", GENERATION));
	assert_false(has("", GENERATION));
	put("alice", GENERATION);
	assert_true(has("alice", GENERATION));
	assert_false(has("alice", GENERATION + 1));
	assert_false(has("alic", GENERATION));
	put("alice", GENERATION + 1);
	assert_true(has("alice", GENERATION + 1));
	assert_false(has("alice", GENERATION));
}

static void
test_one_is_dropped_and_the_others_stay(void **state)
{
	(void)state;
	put("alice", GENERATION);
	put("bob", GENERATION);
	known_users_drop(known, bytes_of_text("carol"));
	known_users_drop(known, bytes_of_text("alice"));
	assert_false(has("alice", GENERATION));
	assert_true(has("bob", GENERATION));
}

/* More than there are places: the last one always has one. */
static void
test_the_last_ones_have_the_places(void **state)
{
	char name[16];
	unsigned k, kept = 0;

	(void)state;
	for (k = 0; k < 4 * PLACES; k++) {
		(void)snprintf(name, sizeof(name), "u%u", k);
		put(name, GENERATION);
		assert_true(has(name, GENERATION));
	}
	for (k = 0; k < 4 * PLACES; k++) {
		(void)snprintf(name, sizeof(name), "u%u", k);
		kept += has(name, GENERATION);
	}
	assert_in_range(kept, PLACES / 2, PLACES);
}

int
main(void)
{
#define KNOWN_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    KNOWN_TEST(test_one_is_known_as_of_its_generation),
	    KNOWN_TEST(test_one_is_dropped_and_the_others_stay),
	    KNOWN_TEST(test_the_last_ones_have_the_places),
	};
#undef KNOWN_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "model/card.h"

#include <stdio.h>
#include <string.h>

#include "model/cmocka_test.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	return arena_new(1 << 20, &arena) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
must(enum err rc)
{
	assert_int_equal(rc, OK);
}

static struct bytes
hex_read(const char *hex)
{
	size_t octets = 0;
	uint8_t *at;
	unsigned value;
	int used;

	must(ARENA_ARRAY(arena, at, strlen(hex) / 2 + 1));
	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		at[octets++] = (uint8_t)value;
		hex += used;
	}
	return (struct bytes){at, octets};
}

#define NUMBERS "00000003 00000002 00000001 00000001 00000001 00000000ffffffff "

static const struct {
	const char *name;
	const char *hex;
	enum err want;
} cards[] = {
    {"the least", "00 00 " NUMBERS "00 00 0000", OK},
    {"every part",
	"01 02 " NUMBERS "02 a0a1 01 ff 0002 01 67 00 01 02 01 70 00 00 00 01 "
	"02 6768 00 00 00 00 00 00 00",
	OK},
    {"nothing", "", ERR_VALUE},
    {"an unknown flag", "02 00 " NUMBERS "00 00 0000", ERR_VALUE},
    {"an unknown state", "00 03 " NUMBERS "00 00 0000", ERR_VALUE},
    {"the last version",
	"00 00 00000fa0 00000fa0 " /* 4000 */
	"00000000 00000000 00000000 0000000000000000 "
	"00 00 0000",
	OK},
    {"a version too many",
	"00 00 00000fa1 00000000 00000000 00000000 00000000 "
	"0000000000000000 00 00 0000",
	ERR_VALUE},
    {"another version too many",
	"00 00 00000001 00000fa1 00000000 00000000 00000000 "
	"0000000000000000 00 00 0000",
	ERR_VALUE},
    {"the longest IV",
	"00 00 " NUMBERS "10 00112233445566778899aabbccddeeff 00 0000", OK},
    {"an IV too long",
	"00 00 " NUMBERS "11 00112233445566778899aabbccddeeff00 00 0000",
	ERR_VALUE},
    {"cut in the IV", "00 00 " NUMBERS "02 a0", ERR_VALUE},
    {"cut in the fingerprint", "00 00 " NUMBERS "00 02 a0", ERR_VALUE},
    {"no permission where one is due", "00 00 " NUMBERS "00 00 0001",
	ERR_VALUE},
    {"cut in a permission",
	"00 00 " NUMBERS "00 00 0001 01 67 00 00 00 00 00 00", ERR_VALUE},
    {"an unknown grant",
	"00 00 " NUMBERS "00 00 0001 01 67 00 00 00 00 00 00 03", ERR_VALUE},
    {"a policy without a name",
	"00 00 " NUMBERS "00 00 0001 01 67 00 00 00 00 00 00 02", ERR_VALUE},
    {"a group without a name",
	"00 00 " NUMBERS "00 00 0001 00 00 00 00 00 00 00 00", ERR_VALUE},
    {"more permissions than there can be", "00 00 " NUMBERS "00 00 03e9",
	ERR_VALUE},
    {"more behind it", "00 00 " NUMBERS "00 00 0000 00", ERR_VALUE},
};

static void
test_what_is_stored_comes_back_and_nothing_else(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cards); k++) {
		struct bytes hex = hex_read(cards[k].hex);
		struct card *card;
		struct card *copy;
		struct buf again;
		enum err rc = card_decode(arena, hex, &card);

		if (rc != cards[k].want)
			fail_msg("%s: expected %s, got %s", cards[k].name,
			    err_name(cards[k].want), err_name(rc));
		if (rc != OK) {
			assert_null(card);
			continue;
		}
		/* the same again, of a copy, and of octets that are gone */
		must(arena_copy(arena, hex, &hex));
		buf_init(&again, 4096);
		must(card_copy(arena, card, &copy));
		must(card_encode(copy, &again));
		assert_true(bytes_equal(buf_peek(&again), hex));
		buf_clear(&again);
	}
}

static void
test_each_field_is_where_it_belongs(void **state)
{
	struct card *card;

	(void)state;
	must(card_decode(arena, hex_read(cards[1].hex), &card));
	assert_true(card->deletable);
	assert_int_equal(card->state, CARD_RETIRED);
	assert_int_equal(card->newest, 3);
	assert_int_equal(card->version, 2);
	assert_int_equal(card->count[CARD_ACTIVE], 1);
	assert_int_equal(card->created_s, 0xffffffff);
	assert_int_equal(card->iv.octets, 2);
	assert_int_equal(card->fingerprint.octets, 1);
	assert_int_equal(card->permission_count, 2);
	assert_int_equal(
	    card->permissions[0].use[USE_DECRYPT].grant, CARD_ALWAYS);
	assert_int_equal(card->permissions[0].use[USE_MAC].grant, CARD_POLICY);
	assert_true(
	    bytes_equal_text(card->permissions[0].use[USE_MAC].policy, "p"));
	assert_int_equal(
	    card->permissions[0].use[USE_EXPORT].grant, CARD_ALWAYS);
}

static void
test_a_group_has_what_it_was_given(void **state)
{
	const struct card_permission *found;
	struct card *card;

	(void)state;
	must(card_decode(arena, hex_read(cards[1].hex), &card));
	found = card_find_permission(card, bytes_of_text("g"));
	assert_ptr_equal(found, &card->permissions[0]);
	assert_true(card_permits_any(found));
	found = card_find_permission(card, bytes_of_text("gh"));
	assert_ptr_equal(found, &card->permissions[1]);
	assert_false(card_permits_any(found));
	assert_null(card_find_permission(card, bytes_of_text("ghi")));
	assert_null(card_find_permission(card, BYTES_NONE));
	assert_null(card_find_permission(NULL, bytes_of_text("g")));
}

static void
test_more_groups_than_there_can_be_are_refused(void **state)
{
	static struct card_permission many[CARD_GROUPS_MOST + 1];
	struct card card = {.deletable = true};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(many); k++)
		many[k].group = bytes_of_text("g");
	assert_int_equal(
	    card_set_permissions(arena, &card, many, LENGTH(many)), ERR_LIMIT);
	assert_int_equal(card.permission_count, 0);
	must(card_set_permissions(arena, &card, many, LENGTH(many) - 1));
	assert_int_equal(card.permission_count, CARD_GROUPS_MOST);
}

static void
test_scopes_of_groups_are_nobodys_names(void **state)
{
	static char longest[CARD_NAME_OCTETS + 2];
	struct bytes scope;

	(void)state;
	must(card_group_scope(arena, bytes_of_text("g"), &scope));
	assert_true(bytes_equal_text(scope, "\x01g"));
	assert_true(card_scope_is_shared(scope));
	must(card_policy_scope(arena, bytes_of_text("g"), &scope));
	assert_true(bytes_equal_text(scope, "\x03g"));
	assert_true(card_scope_is_shared(scope));
	assert_false(card_scope_is_shared(bytes_of_text("g")));
	assert_false(card_scope_is_shared(BYTES_NONE));
	assert_false(card_scope_is_shared(card_version_owner()));
	assert_int_equal(
	    card_group_scope(arena, BYTES_NONE, &scope), ERR_LIMIT);
	memset(longest, 'g', CARD_NAME_OCTETS + 1);
	assert_int_equal(
	    card_group_scope(arena, bytes_of_text(longest), &scope), ERR_LIMIT);
	longest[CARD_NAME_OCTETS] = '\0';
	must(card_group_scope(arena, bytes_of_text(longest), &scope));
	assert_int_equal(scope.octets, CARD_SCOPE_OCTETS);
}

/* Groups that may do something, and the policies by which: each once. */
static void
test_a_card_is_in_the_scopes_of_groups_and_policies(void **state)
{
	static const char *const want[] = {"\x01g", "\x03p", "\x03q", "\x01k"};
	static const char *const others[] = {
	    "\x01h", "\x03g", "\x01p", "\x03r", "g", "p"};
	struct card_permission permissions[] = {{.group = bytes_of_text("g")},
	    {.group = bytes_of_text("h")}, {.group = bytes_of_text("k")}};
	struct bytes scopes[LENGTH(permissions) * CARD_SCOPES_MOST];
	struct card card = {.permissions = permissions,
	    .permission_count = LENGTH(permissions)};
	size_t count;
	size_t k;

	(void)state;
	permissions[0].use[USE_ENCRYPT].grant = CARD_POLICY;
	permissions[0].use[USE_ENCRYPT].policy = bytes_of_text("p");
	permissions[0].use[USE_DECRYPT] = permissions[0].use[USE_ENCRYPT];
	permissions[0].use[USE_EXPORT].grant = CARD_POLICY;
	permissions[0].use[USE_EXPORT].policy = bytes_of_text("q");
	/* what a policy was before is none */
	permissions[1].use[USE_ENCRYPT].policy = bytes_of_text("r");
	permissions[2].use[USE_ENCRYPT] = permissions[0].use[USE_ENCRYPT];
	must(card_scopes(arena, &card, scopes, &count));
	assert_int_equal(count, LENGTH(want));
	for (k = 0; k < count; k++) {
		assert_true(bytes_equal_text(scopes[k], want[k]));
		assert_true(card_in_scope(&card, scopes[k]));
		assert_false(card_in_scope(NULL, scopes[k]));
	}
	for (k = 0; k < LENGTH(others); k++)
		assert_false(card_in_scope(&card, bytes_of_text(others[k])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_what_is_stored_comes_back_and_nothing_else),
	    TEST(test_each_field_is_where_it_belongs),
	    TEST(test_a_group_has_what_it_was_given),
	    TEST(test_more_groups_than_there_can_be_are_refused),
	    TEST(test_scopes_of_groups_are_nobodys_names),
	    TEST(test_a_card_is_in_the_scopes_of_groups_and_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

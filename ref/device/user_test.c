#include "device/user.h"

#include <time.h>

#include "crypto/ossl.h"
#include "device/fields.h"
#include "device/rig_test.h"
#include "model/card.h"

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)
#define B(text)   bytes_of_text(text)

static int
set_up(void **state)
{
	(void)state;
	assert_ok(ossl_init());
	bench_make(&bench);
	assert_ok(appliance_open(APPLIANCE));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_disk_full(UINT64_MAX);
	loop_end_jobs(bench.rig.loop);
	appliance_close(APPLIANCE);
	bench_remove(&bench);
	return 0;
}

/* ---- making some ---- */

/* Nobody's: of this salt and hash no password is known. */
static struct user
plain(const char *name)
{
	struct user user = {
	    .password = {"pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
			 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
	};

	(void)snprintf(user.name, sizeof(user.name), "%s", name);
	return user;
}

static void
create(const char *name)
{
	struct user user = plain(name);

	assert_ok(user_create(APPLIANCE, &user));
}

static void
join(const char *group, const char *user)
{
	char why[USER_WHY_OCTETS];

	assert_ok(group_add(APPLIANCE, B(group), B(user), why));
}

static void delete (const char *name)
{
	char why[USER_WHY_OCTETS];

	assert_ok(user_delete(APPLIANCE, B(name), why));
}

/* ---- looking ---- */

struct list {
	char text[4096];
};

static enum err
list_name(void *ctx, struct bytes name)
{
	struct list *list = ctx;
	size_t at = strlen(list->text);

	(void)snprintf(list->text + at, sizeof(list->text) - at, "%.*s ",
	    (int)name.octets, (const char *)name.at);
	return OK;
}

static enum err
list_attribute(void *ctx, struct bytes attribute, struct bytes value)
{
	struct list *list = ctx;
	size_t at = strlen(list->text);

	(void)snprintf(list->text + at, sizeof(list->text) - at, "%.*s=%.*s;",
	    (int)attribute.octets, (const char *)attribute.at,
	    (int)value.octets, (const char *)value.at);
	return OK;
}

static void
assert_members(const char *group, const char *want)
{
	struct list list = {.text = ""};

	assert_ok(group_member_each(
	    STORE, B(group), BYTES_NONE, 0, list_name, &list));
	assert_string_equal(list.text, want);
}

static void
assert_groups(const char *user, const char *want)
{
	struct list list = {.text = ""};

	assert_ok(group_of_user_each(
	    STORE, B(user), BYTES_NONE, 0, list_name, &list));
	assert_string_equal(list.text, want);
}

static void
assert_attributes(const char *user, const char *want)
{
	struct list list = {.text = ""};

	assert_ok(user_attribute_each(STORE, B(user), list_attribute, &list));
	assert_string_equal(list.text, want);
}

/* What a session has, as text: groups / scopes. */
static void
assert_session(const struct key_user *user, const char *want)
{
	struct list list = {.text = ""};
	size_t k;

	for (k = 0; k < user->group_count; k++)
		assert_ok(list_name(&list, user->groups[k]));
	strcat(list.text, "/ ");
	for (k = 0; k < user->scope_count; k++) {
		struct bytes scope = user->scopes[k];

		if (scope.octets != 0 && *scope.at == CARD_GROUP_MARK) {
			strcat(list.text, "@");
			scope = (struct bytes){scope.at + 1, scope.octets - 1};
		} else if (scope.octets == 0) {
			strcat(list.text, "\"\"");
		}
		assert_ok(list_name(&list, scope));
	}
	assert_string_equal(list.text, want);
}

/* ---- what can be entered ---- */

#define OF_64 "u234567890123456789012345678901234567890123456789012345678901234"
#define OF_65 OF_64 "5"

typedef bool valid_fn(struct bytes text, const char **why);

/* clang-format off */
static const struct {
	const char *text;
	valid_fn *valid;
	const char *why; /* NULL: it can */
} entries[] = {
	/* req: KS-31-016 */
	{ "1u",    user_name_is_valid, "must start with a letter" },
	{ "u1",    user_name_is_valid, NULL },
	{ "-u",    user_name_is_valid, "must start with a letter" },
	/* req: KS-31-017 */
	{ "",      user_name_is_valid, "a name is needed" },
	{ "u",     user_name_is_valid, NULL },
	{ OF_64,   user_name_is_valid, NULL },
	{ OF_65,   user_name_is_valid, "at most 64 characters" },
	/* req: KS-31-018 */
	{ "a_b.c-1", user_name_is_valid, NULL },
	{ "a b",   user_name_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "a@b",   user_name_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "a/b",   user_name_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "\xc3\xa9", user_name_is_valid, "letters, digits, underscores, periods and hyphens only" },
	/* req: KS-31-031 KS-31-032 KS-31-033 */
	{ "a_b.c-1", user_attribute_is_valid, NULL },
	{ "a b",   user_attribute_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "a\tb",  user_attribute_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "a@b",   user_attribute_is_valid, "letters, digits, underscores, periods and hyphens only" },
	{ "1a",    user_attribute_is_valid, "must start with a letter" },
	{ "",      user_attribute_is_valid, "an attribute name is needed" },
	{ OF_64,   user_attribute_is_valid, NULL },
	{ OF_65,   user_attribute_is_valid, "at most 64 characters" },
	/* req: KS-31-034 */
	{ "",      user_value_is_valid, NULL },
	{ " ~\t\n\r", user_value_is_valid, NULL },
	{ "a\x1f", user_value_is_valid, "printable ASCII characters, spaces, tabs, \\n and \\r only" },
	{ "a\x7f", user_value_is_valid, "printable ASCII characters, spaces, tabs, \\n and \\r only" },
	{ "\xc3\xa9", user_value_is_valid, "printable ASCII characters, spaces, tabs, \\n and \\r only" },
	/* req: KS-31-022 */
	{ "a<b",   user_password_is_valid, "Passwords must not contain the less than character (<)" },
	{ "a>b",   user_password_is_valid, NULL },
};
/* clang-format on */

static void
test_names_and_values_keep_their_rules(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(entries); k++) {
		const char *why = "?";
		bool valid = entries[k].valid(B(entries[k].text), &why);

		if (valid != (entries[k].why == NULL) ||
		    valid != (why == NULL) ||
		    (!valid && strcmp(why, entries[k].why) != 0))
			fail_msg("\"%s\": expected %s, got %s", entries[k].text,
			    entries[k].why != NULL ? entries[k].why : "good",
			    why != NULL ? why : "good");
	}
}

/* req: KS-31-035 */
static void
test_a_value_has_1000_characters_at_most(void **state)
{
	static char text[1002];
	const char *why;

	(void)state;
	memset(text, 'v', 1000);
	assert_true(user_value_is_valid(B(text), &why));
	text[1000] = 'v';
	assert_false(user_value_is_valid(B(text), &why));
	assert_string_equal(why, "at most 1000 characters");
}

/* ---- users ---- */

static void
test_a_user_is_read_as_it_was_written(void **state)
{
	struct user user = plain("alice"), got;

	(void)state;
	user.administers = true;
	user.lockout = (struct lockout){3, 77};
	assert_ok(user_create(APPLIANCE, &user));
	assert_ok(user_read(STORE, B("alice"), &got));
	assert_memory_equal(&got, &user, sizeof(user));
	user.administers = false;
	user.changes_password = true;
	assert_ok(user_write(APPLIANCE, &user));
	assert_ok(user_read(STORE, B("alice"), &got));
	assert_memory_equal(&got, &user, sizeof(user));
	assert_err(user_create(APPLIANCE, &user), ERR_EXISTS);
	/* case makes another user; req: KS-32-005 */
	assert_err(user_read(STORE, B("Alice"), &got), ERR_NOT_FOUND);
	create("Alice");
	assert_ok(user_read(STORE, B("Alice"), &got));
	assert_false(got.changes_password);
}

static const struct {
	const char *name;
	const char *value; /* in place of the field's, "" for no such field */
	const char *field;
} damages[] = {
    {"a permission is neither yes nor no", "2", "administers"},
    {"an attempt less than none", "-1", "failures"},
    {"a password without its hash", "pbkdf2-sha256$", "password"},
    {"no password", NULL, "password"},
};

static void
test_a_damaged_record_is_no_user(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(damages); k++) {
		const char *field = damages[k].field;
		struct user got;
		struct buf value;

		buf_init(&value, 1024);
		if (damages[k].value != NULL && strcmp(field, "password") == 0)
			assert_ok(
			    fields_put_text(&value, field, damages[k].value));
		else if (damages[k].value != NULL) {
			assert_ok(fields_put_number(
			    &value, field, atoi(damages[k].value)));
			assert_ok(fields_put_text(
			    &value, "password", plain("x").password.line));
		}
		assert_ok(record_put(STORE, "user", B("x"), buf_peek(&value)));
		if (user_read(STORE, B("x"), &got) != ERR_STORE)
			fail_msg("%s: it is read", damages[k].name);
		buf_clear(&value);
	}
}

static void
test_attributes_are_a_users_own(void **state)
{
	char name[16];
	size_t k;

	(void)state;
	create("alice");
	create("alice2");
	/* req: KS-31-029 */
	assert_attributes("alice", "");
	assert_ok(user_attribute_put(STORE, B("alice"), B("team"), B("a b")));
	assert_ok(user_attribute_put(STORE, B("alice"), B("cost"), B("")));
	assert_ok(user_attribute_put(STORE, B("alice2"), B("x"), B("y")));
	assert_ok(user_attribute_put(STORE, B("alice"), B("team"), B("c")));
	assert_attributes("alice", "cost=;team=c;");
	assert_ok(user_attribute_delete(STORE, B("alice"), B("cost")));
	assert_attributes("alice", "team=c;");
	assert_err(
	    user_attribute_delete(STORE, B("alice"), B("cost")), ERR_NOT_FOUND);
	assert_err(
	    user_attribute_put(STORE, B("bob"), B("x"), B("y")), ERR_NOT_FOUND);
	for (k = 1; k < USER_ATTRIBUTES_MOST; k++) {
		(void)snprintf(name, sizeof(name), "a%zu", k);
		assert_ok(
		    user_attribute_put(STORE, B("alice"), B(name), B("v")));
	}
	assert_err(user_attribute_put(STORE, B("alice"), B("more"), B("v")),
	    ERR_LIMIT);
	assert_ok(user_attribute_put(STORE, B("alice"), B("team"), B("d")));
	delete ("alice");
	create("alice");
	assert_attributes("alice", "");
	assert_attributes("alice2", "x=y;");
}

/* ---- groups ---- */

static void
test_membership_has_two_ends(void **state)
{
	char why[USER_WHY_OCTETS];

	(void)state;
	create("alice");
	create("bob");
	assert_ok(group_create(APPLIANCE, B("g1")));
	assert_ok(group_create(APPLIANCE, B("g2")));
	assert_err(group_create(APPLIANCE, B("g1")), ERR_EXISTS);
	join("g1", "bob");
	join("g1", "alice");
	join("g2", "alice");
	assert_members("g1", "alice bob ");
	assert_groups("alice", "g1 g2 ");
	/* req: KS-31-041 */
	assert_err(
	    group_add(APPLIANCE, B("g1"), B("carol"), why), ERR_NOT_FOUND);
	assert_string_equal(why, "there is no such local user");
	assert_err(
	    group_add(APPLIANCE, B("g3"), B("alice"), why), ERR_NOT_FOUND);
	assert_string_equal(why, "there is no such group");
	assert_err(group_add(APPLIANCE, B("g1"), B("alice"), why), ERR_EXISTS);
	/* req: KS-31-045 */
	assert_ok(group_remove(APPLIANCE, B("g1"), B("alice"), why));
	assert_members("g1", "bob ");
	assert_groups("alice", "g2 ");
	assert_err(
	    group_remove(APPLIANCE, B("g1"), B("alice"), why), ERR_NOT_FOUND);
	assert_string_equal(why, "it is not in this group");
	assert_ok(group_delete(APPLIANCE, B("g1")));
	assert_err(group_find(STORE, B("g1")), ERR_NOT_FOUND);
	assert_groups("bob", "");
	assert_err(group_delete(APPLIANCE, B("g1")), ERR_NOT_FOUND);
	/* made anew, it is empty */
	assert_ok(group_create(APPLIANCE, B("g1")));
	assert_members("g1", "");
}

/* req: KS-31-046 KS-31-047 */
static void
test_a_user_made_anew_is_in_no_group(void **state)
{
	(void)state;
	create("alice");
	create("bob");
	assert_ok(group_create(APPLIANCE, B("g")));
	join("g", "alice");
	join("g", "bob");
	delete ("alice");
	assert_members("g", "bob ");
	create("alice");
	assert_groups("alice", "");
	assert_members("g", "bob ");
}

static void
test_there_is_a_limit_to_the_groups_of_a_user(void **state)
{
	char name[16], why[USER_WHY_OCTETS];
	struct key_user user;
	size_t k;

	(void)state;
	create("alice");
	for (k = 0; k <= USER_GROUPS_MOST; k++) {
		(void)snprintf(name, sizeof(name), "g%zu", k);
		assert_ok(group_create(APPLIANCE, B(name)));
		if (k < USER_GROUPS_MOST)
			join(name, "alice");
	}
	assert_err(group_add(APPLIANCE, B(name), B("alice"), why), ERR_LIMIT);
	assert_string_equal(why, "a user is in 1000 groups at most");
	assert_ok(key_user_take(APPLIANCE, B("alice"), &user));
	assert_int_equal(user.group_count, USER_GROUPS_MOST);
	key_user_clear(&user);
}

/* ---- sessions ---- */

static void
test_a_session_has_what_its_user_has(void **state)
{
	struct key_user user;
	char why[USER_WHY_OCTETS];

	(void)state;
	create("alice");
	assert_ok(group_create(APPLIANCE, B("g1")));
	assert_ok(group_create(APPLIANCE, B("g2")));
	assert_ok(group_create(APPLIANCE, B("g3")));
	join("g3", "alice");
	join("g1", "alice");
	assert_ok(key_user_take(APPLIANCE, B("alice"), &user));
	assert_session(&user, "g1 g3 / alice \"\" @g1 @g3 ");
	assert_true(key_user_in_group(&user, B("g1")));
	assert_true(key_user_in_group(&user, B("g3")));
	assert_false(key_user_in_group(&user, B("g2")));
	assert_false(key_user_in_group(&user, B("g")));
	assert_false(key_user_in_group(&user, B("g4")));
	/* membership is looked at again when it changes */
	assert_ok(group_remove(APPLIANCE, B("g1"), B("alice"), why));
	join("g2", "alice");
	assert_ok(key_user_refresh(APPLIANCE, &user));
	assert_session(&user, "g2 g3 / alice \"\" @g2 @g3 ");
	key_user_clear(&user);
	assert_true(key_user_is_global(&user));
	assert_session(&user, "/ \"\" ");
	assert_ok(key_user_refresh(APPLIANCE, &user));
	assert_err(key_user_take(APPLIANCE, B("bob"), &user), ERR_NOT_FOUND);
	assert_session(&user, "/ \"\" ");
}

/* req: KS-31-026 */
static void
test_who_administers_users_may_change_the_password(void **state)
{
	static const struct {
		bool administers, changes, may;
	} cases[] = {
	    {false, false, false},
	    {false, true, true},
	    {true, false, true},
	    {true, true, true},
	};
	struct user user = plain("alice");
	struct key_user session;
	size_t k;

	(void)state;
	assert_ok(user_create(APPLIANCE, &user));
	assert_ok(key_user_take(APPLIANCE, B("alice"), &session));
	for (k = 0; k < LENGTH(cases); k++) {
		user.administers = cases[k].administers;
		user.changes_password = cases[k].changes;
		assert_ok(user_write(APPLIANCE, &user));
		assert_ok(key_user_refresh(APPLIANCE, &session));
		assert_int_equal(session.administers, cases[k].administers);
		assert_int_equal(session.may_change_password, cases[k].may);
	}
	key_user_clear(&session);
}

static void
test_a_session_ends_with_its_user(void **state)
{
	struct key_user user;

	(void)state;
	create("alice");
	assert_ok(key_user_take(APPLIANCE, B("alice"), &user));
	delete ("alice");
	assert_err(key_user_refresh(APPLIANCE, &user), ERR_NOT_FOUND);
	/* another one of that name */
	create("alice");
	assert_err(key_user_refresh(APPLIANCE, &user), ERR_NOT_FOUND);
	key_user_clear(&user);
}

/* What is undone is not believed, by whom it was seen. */
static void
test_a_session_does_not_keep_what_was_undone(void **state)
{
	struct key_user user;
	char why[USER_WHY_OCTETS];

	(void)state;
	create("alice");
	assert_ok(group_create(APPLIANCE, B("g")));
	bench_turn(&bench);
	assert_ok(key_user_take(APPLIANCE, B("alice"), &user));
	join("g", "alice");
	assert_ok(key_user_refresh(APPLIANCE, &user));
	assert_session(&user, "g / alice \"\" @g ");
	vfs_disk_full(0);
	assert_err(store_commit(STORE), ERR_DISK_FULL);
	vfs_disk_full(UINT64_MAX);
	assert_ok(key_user_refresh(APPLIANCE, &user));
	assert_session(&user, "/ alice \"\" ");
	/* and the same of a part of a group */
	assert_ok(store_savepoint(STORE));
	assert_ok(group_add(APPLIANCE, B("g"), B("alice"), why));
	assert_ok(store_rollback_to(STORE));
	assert_ok(key_user_refresh(APPLIANCE, &user));
	assert_session(&user, "/ alice \"\" ");
	key_user_clear(&user);
}

/* ---- owners ---- */

static void
own(const char *owner, uint32_t state_now)
{
	struct object *o;

	assert_ok(
	    object_new(bench.rig.env, OBJECT_TYPE_SYMMETRIC_KEY, B(owner), &o));
	if (state_now != STATE_PRE_ACTIVE)
		assert_ok(object_set_state(o, state_now, 1000));
	assert_ok(store_insert(STORE, o));
}

/* req: KS-31-050 */
static void
test_who_owns_a_key_is_not_deleted(void **state)
{
	char why[USER_WHY_OCTETS];
	struct user user;

	(void)state;
	create("alice");
	create("bob");
	create("carol");
	own("alice", STATE_PRE_ACTIVE);
	own("carol", STATE_DESTROYED);
	assert_err(user_delete(APPLIANCE, B("alice"), why), ERR_DENIED);
	assert_string_equal(why,
	    "it owns keys, and a user that is a key owner cannot be deleted");
	assert_ok(user_read(STORE, B("alice"), &user));
	delete ("bob");
	delete ("carol");
	assert_err(user_delete(APPLIANCE, B("bob"), why), ERR_NOT_FOUND);
	assert_err(user_delete(APPLIANCE, B("b/b"), why), ERR_NOT_FOUND);
}

/* ---- many ---- */

static void
create_many(const char *letter, unsigned count)
{
	char name[16];
	unsigned k;

	for (k = 0; k < count; k++) {
		(void)snprintf(name, sizeof(name), "%s%05u", letter, k);
		create(name);
		join("all", name);
	}
	assert_ok(store_commit(STORE));
}

struct shown {
	unsigned count;
};

static enum err
count_on(void *ctx, struct bytes name)
{
	(void)name;
	((struct shown *)ctx)->count++;
	return OK;
}

static void
test_lists_are_shown_some_at_a_time(void **state)
{
	struct list list = {.text = ""};
	struct shown shown = {0};

	(void)state;
	assert_ok(group_create(APPLIANCE, B("all")));
	create_many("u", 100);
	assert_ok(user_each(STORE, B("u00096"), 2, list_name, &list));
	assert_string_equal(list.text, "u00097 u00098 ");
	list.text[0] = '\0';
	assert_ok(group_member_each(
	    STORE, B("all"), B("u00098"), 5, list_name, &list));
	assert_string_equal(list.text, "u00099 ");
	assert_ok(user_each(STORE, BYTES_NONE, 0, count_on, &shown));
	assert_int_equal(shown.count, 100);
}

/* Processor time of so many looks at a user, as a new session has it. */
static int64_t
looks_us(const char *name)
{
	enum { LOOKS = 500, ROUNDS = 5 };
	int64_t least = INT64_MAX;
	int round, k;

	for (round = 0; round < ROUNDS; round++) {
		clock_t from = clock();
		int64_t us;

		for (k = 0; k < LOOKS; k++) {
			struct key_user user;

			assert_ok(key_user_take(APPLIANCE, B(name), &user));
			key_user_clear(&user);
		}
		us = (int64_t)(clock() - from) * 1000000 / CLOCKS_PER_SEC;
		if (us < least)
			least = us;
	}
	return least;
}

/* 10,000 users, all in a group, beside 100: a scan would take a hundred times
 * as long. */
static void
test_a_look_at_a_user_does_not_go_with_their_number(void **state)
{
	int64_t few_us, many_us;

	(void)state;
	assert_ok(group_create(APPLIANCE, B("all")));
	create_many("u", 100);
	few_us = looks_us("u00050");
	create_many("v", 9900);
	many_us = looks_us("u00050");
	if (many_us > 3 * few_us)
		fail_msg("%lld us among 100, %lld us among 10,000",
		    (long long)few_us, (long long)many_us);
}

int
main(void)
{
#define USER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    USER_TEST(test_names_and_values_keep_their_rules),
	    USER_TEST(test_a_value_has_1000_characters_at_most),
	    USER_TEST(test_a_user_is_read_as_it_was_written),
	    USER_TEST(test_a_damaged_record_is_no_user),
	    USER_TEST(test_attributes_are_a_users_own),
	    USER_TEST(test_membership_has_two_ends),
	    USER_TEST(test_a_user_made_anew_is_in_no_group),
	    USER_TEST(test_there_is_a_limit_to_the_groups_of_a_user),
	    USER_TEST(test_a_session_has_what_its_user_has),
	    USER_TEST(test_who_administers_users_may_change_the_password),
	    USER_TEST(test_a_session_ends_with_its_user),
	    USER_TEST(test_a_session_does_not_keep_what_was_undone),
	    USER_TEST(test_who_owns_a_key_is_not_deleted),
	    USER_TEST(test_lists_are_shown_some_at_a_time),
	    USER_TEST(test_a_look_at_a_user_does_not_go_with_their_number),
	};
#undef USER_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Users and groups at the command line.
 */
#include "cli/desk_test.h"
#include "device/user.h"

#define CONFIG   ">touchstone (config)# \n"
#define PASSWORD DESK_PASSWORD "\n" DESK_PASSWORD
#define DONE     ".0\n" CONFIG

static struct desk desk;

static void
assert_has(const char *said, const char *part)
{
	if (strstr(said, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, said);
}

static void
assert_lacks(const char *said, const char *part)
{
	if (strstr(said, part) != NULL)
		fail_msg("expected no \"%s\" in: %s", part, said);
}

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_account(&desk, "root", true, CONTROLS_ALL);
	desk_account(&desk, "users", false, CONTROL_BIT(CONTROL_USERS));
	desk_account(&desk, "server", false, CONTROL_BIT(CONTROL_KEY_SERVER));
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

/* The command and its answers, which it takes. */
static void
does(const char *lines)
{
	const char *said = desk_types(&desk, lines);

	if (strstr(said, DONE) == NULL)
		fail_msg("%s\nsaid: %s", lines, said);
}

static const char *
show(const char *command)
{
	return desk_type(&desk, command);
}

/*
 * req: KS-03-067 KS-03-072 KS-15-075 KS-31-013 KS-31-036 KS-31-043 KS-31-048
 * req: KS-31-051
 */
static void
test_each_has_its_control(void **state)
{
	static const struct {
		const char *command;
		bool users, server;
	} rows[] = {
	    {"user a", true, false},
	    {"edit user a administration yes", true, false},
	    {"reset user password a", true, false},
	    {"no user a", true, false},
	    {"group create a", true, false},
	    {"group add a b", true, false},
	    {"group remove a b", true, false},
	    {"no group a", true, false},
	    {"edit account lockout attempts 3", false, true},
	    {"edit account directory directory Local", false, true},
	    {"show user", true, true},
	    {"show group", true, true},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		bool users, server;

		(void)desk_sit_as(&desk, "users");
		(void)desk_type(&desk, "config");
		users = strstr(desk_type(&desk, rows[k].command),
			    "Access denied") == NULL;
		(void)desk_sit_as(&desk, "server");
		(void)desk_type(&desk, "config");
		server = strstr(desk_type(&desk, rows[k].command),
			     "Access denied") == NULL;
		if (users != rows[k].users || server != rows[k].server)
			fail_msg("%s: users %d, server %d", rows[k].command,
			    users, server);
	}
}

static void
test_a_user_is_made_by_words_or_in_a_dialogue(void **state)
{
	const char *said;

	(void)state;
	does("user alice\n" PASSWORD "\nyes\n\n");
	assert_has(desk_audited(&desk),
	    "created user alice: User Administration Permission: yes, Change "
	    "Password Permission: yes");
	does("user bob change-password yes attribute \"team=a b\" attribute "
	     "cost=7\n" PASSWORD);
	assert_has(desk_audited(&desk),
	    "created user bob: User Administration Permission: no, Change "
	    "Password Permission: yes, attribute team set, attribute cost set");
	does("user carol\n" PASSWORD "\n\n\n");
	/* req: KS-31-014 KS-31-023 */
	said = show("show user");
	assert_has(said, "=  alice                           ********  yes     "
			 "        yes\n");
	assert_has(said, "=  bob                             ********  no      "
			 "        yes\n");
	assert_has(said, "=  carol                           ********  no      "
			 "        no\n");
	assert_has(said, DONE);
	/* req: KS-31-026 KS-31-030 */
	said = show("show user bob");
	assert_has(said,
	    "=Username: bob\n=Password: ********\n"
	    "=User Administration Permission: no\n"
	    "=Change Password Permission: yes\n=Account Lockout: none\n"
	    "=Custom Attributes:\n=  cost = 7\n=  team = a b\n=Groups:\n" DONE);
	/* a password is asked for without showing it */
	assert_has(desk_type(&desk, "user dave"), "*Password:\n");
}

static void
test_a_user_is_edited(void **state)
{
	(void)state;
	does("user alice administration yes attribute a=1\n" PASSWORD);
	does("edit user alice administration no change-password yes attribute "
	     "b=\"x=\\\\ty\" no-attribute a");
	assert_has(desk_audited(&desk),
	    "edited user alice: User Administration Permission: no, Change "
	    "Password Permission: yes, attribute b set, attribute a deleted");
	assert_has(show("show user alice"),
	    "=User Administration Permission: no\n"
	    "=Change Password Permission: yes\n=Account Lockout: none\n"
	    "=Custom Attributes:\n=  b = x=\\ty\n=Groups:\n");
	/* an empty answer leaves it */
	does("edit user alice\n\nno");
	assert_has(desk_audited(&desk), "Change Password Permission: no");
	does("reset user password alice\nxk9#qzm8\nxk9#qzm8");
	assert_has(
	    desk_audited(&desk), "[root]: changed password of user alice");
	/* req: KS-31-046 KS-31-049 */
	does("no user alice");
	assert_has(desk_audited(&desk), "[root]: deleted user alice");
	assert_lacks(show("show user"), "alice");
	does("user alice\n" PASSWORD "\n\n\n");
}

/* req: KS-31-034 */
static void
test_a_value_is_shown_as_it_is_typed(void **state)
{
	struct buf got;

	(void)state;
	does("user alice attribute \"v=a\\\\n\\\\t\\\\r\\\\\\\\b\"\n" PASSWORD);
	assert_has(show("show user alice"), "=  v = a\\n\\t\\r\\\\b\n");
	buf_init(&got, 100);
	assert_ok(record_get(desk.bench.appliance.store, "user.attribute",
	    bytes_of_text("alice/v"), &got));
	assert_true(bytes_equal_text(buf_peek(&got), "a\n\t\r\\b"));
	buf_clear(&got);
}

#define OF_64 "u234567890123456789012345678901234567890123456789012345678901234"

static void
test_what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *lines; /* the last one is refused */
		const char *why;
	} rows[] = {
	    {"user", "Username: it is missing"},
	    {"user 1u", "Username: 1u: must start with a letter"},
	    {"user " OF_64 "5", ": at most 64 characters"},
	    {"user a@b", "Username: a@b: letters, digits, underscores"},
	    {"user bob administration", "\"administration\": it has no value"},
	    {"user bob administration maybe",
		"User Administration Permission: maybe: yes or no"},
	    {"user bob attribute 1a=x",
		"Attribute Name: 1a: must start with a letter"},
	    {"user bob attribute \"a b=x\"", "Attribute Name: a b: letters"},
	    {"user bob attribute a", "Attribute: a: NAME=VALUE"},
	    {"user bob attribute a=\xc3\xa9",
		"printable ASCII characters, spaces, tabs"},
	    {"user bob attribute \"a=\\x\"", "a backslash hides"},
	    /* req: KS-31-022 */
	    {"user bob\nxk9<qzm7\nxk9<qzm7\n\n\n",
		"Passwords must not contain the less than character (<)"},
	    {"user bob change-password no\nxk9#qzm7\nxk9#qzm8",
		"Confirm Password: the two are not the same"},
	    /* req: KS-31-020 */
	    {"user bob change-password no\nelephants\nelephants",
		"Passwords must not"},
	    {"user alice administration yes\n" PASSWORD,
		"Username: alice: there is a local user of this name"},
	    {"edit user bob administration yes",
		"Username: bob: there is no such local user"},
	    {"edit user alice no-attribute b",
		"Attribute Name: b: the user has no such attribute"},
	    {"reset user password bob\n" PASSWORD,
		"Username: bob: there is no such local user"},
	    {"reset user password alice\nxk9<qzm7\nxk9<qzm7",
		"Passwords must not contain the less than"},
	    {"no user bob", "Username: bob: there is no such local user"},
	    {"show user bob", "Username: bob: there is no such local user"},
	    {"group create", "Group: it is missing"},
	    {"group create 1", "Group: 1: must start with a letter"},
	    {"group create g", "Group: g: there is a local group of this name"},
	    {"group add g", "Username: it is missing"},
	    {"group add h alice", "Group: h: there is no such local group"},
	    /* req: KS-31-041 */
	    {"group add g bob", "Username: bob: there is no such local user"},
	    {"group add g alice",
		"Username: alice: it is in this group already"},
	    {"group remove g carol", "Username: carol: it is not in this "},
	    {"group remove h alice", "Group: h: there is no such local group"},
	    {"no group h", "Group: h: there is no such local group"},
	    {"show group h", "Group: h: there is no such local group"},
	    {"edit account directory directory LDAP",
		"User Directory: LDAP is not available on this device yet"},
	    {"edit account lockout attempts 0",
		"Number of Failed Authentication Attempts Before Account "
		"Lockout: 0: 1 to 1000"},
	    {"edit account lockout duration 1441",
		"Account Lockout Duration (minutes): 1441: 1 to 1440"},
	};
	/* what is not known may be a password: the audit log does not have it
	 */
	static const struct {
		const char *lines;
		const char *why;
		const char *written;
	} unknown[] = {
	    {"user bob flies yes",
		"\"flies\": administration, change-password or attribute",
		"unknown word"},
	    {"user bob no-attribute a", "\"no-attribute\": administration",
		"unknown word"},
	    {"edit user alice name bob", "\"name\": administration",
		"unknown word"},
	    {"group add g a b c d e f g h i j k", "what is \"k\" for?",
		"a word too many"},
	};
	size_t k;

	(void)state;
	does("user alice\n" PASSWORD "\n\n\n");
	does("user carol\n" PASSWORD "\n\n\n");
	does("group create g");
	does("group add g alice");
	for (k = 0; k < LENGTH(rows); k++) {
		const char *said = desk_types(&desk, rows[k].lines);

		assert_has(said, "=Error: ");
		assert_has(said, rows[k].why);
		assert_has(said, ".1\n" CONFIG);
		assert_has(desk_audited(&desk), rows[k].why);
	}
	for (k = 0; k < LENGTH(unknown); k++) {
		assert_has(desk_types(&desk, unknown[k].lines), unknown[k].why);
		assert_has(desk_audited(&desk), unknown[k].written);
		assert_lacks(desk_audited(&desk), unknown[k].why);
	}
	/* and nothing of it was done */
	assert_lacks(show("show user"), "bob");
	assert_has(show("show group g"), "=User List:\n=  alice\n" DONE);
}

static void
test_a_change_is_whole_or_not_at_all(void **state)
{
	(void)state;
	does("user alice\n" PASSWORD "\n\n\n");
	does("group create g");
	assert_has(desk_type(&desk, "group add g alice bob"), "=Error: ");
	assert_has(show("show group g"), "=User List:\n" DONE);
	assert_has(
	    desk_type(&desk, "edit user alice administration yes attribute a=1 "
			     "no-attribute b"),
	    "=Error: ");
	assert_has(show("show user alice"),
	    "=User Administration Permission: no\n"
	    "=Change Password Permission: no\n=Account Lockout: none\n"
	    "=Custom Attributes:\n=Groups:\n");
}

static void
test_groups_have_users(void **state)
{
	(void)state;
	does("user alice\n" PASSWORD "\n\n\n");
	does("user bob\n" PASSWORD "\n\n\n");
	does("group create g1");
	assert_has(desk_audited(&desk), "[root]: created group g1");
	does("group create g2");
	/* req: KS-31-037 KS-31-038 KS-31-039 */
	assert_has(show("show group"), "=  Group\n=  g1\n=  g2\n" DONE);
	does("group add g1 bob alice");
	assert_has(desk_audited(&desk), "[root]: added bob alice to group g1");
	does("group add g2 alice");
	/* req: KS-31-040 KS-31-044 */
	assert_has(show("show group g1"),
	    "=Group: g1\n=User List:\n=  alice\n=  bob\n" DONE);
	assert_has(show("show user alice"), "=Groups:\n=  g1\n=  g2\n" DONE);
	/* req: KS-31-045 */
	does("group remove g1 alice");
	assert_has(desk_audited(&desk), "[root]: removed alice from group g1");
	assert_has(show("show group g1"), "=User List:\n=  bob\n" DONE);
	assert_has(show("show user alice"), "=Groups:\n=  g2\n" DONE);
	/* req: KS-31-052 */
	does("no group g2");
	assert_has(desk_audited(&desk), "[root]: deleted group g2");
	assert_has(show("show user alice"), "=Groups:\n" DONE);
	assert_has(show("show group"), "=  Group\n=  g1\n" DONE);
}

/* req: KS-31-050 */
static void
test_a_key_owner_stays(void **state)
{
	struct object *o;

	(void)state;
	does("user alice\n" PASSWORD "\n\n\n");
	assert_ok(object_new(desk.bench.rig.env, OBJECT_TYPE_SYMMETRIC_KEY,
	    bytes_of_text("alice"), &o));
	assert_ok(store_insert(desk.bench.appliance.store, o));
	assert_has(desk_type(&desk, "no user alice"),
	    "=Error: Username: alice: it owns keys, and a user that is a key "
	    "owner cannot be deleted\n");
	assert_has(show("show user"), "alice");
}

/* Some names in each turn, and nothing is left out. */
static void
test_a_long_list_is_shown_whole(void **state)
{
	enum { MANY = 200 };
	struct appliance *appliance = &desk.bench.appliance;
	struct user user = {
	    .password = {"pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
			 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}};
	char line[32];
	const char *said;
	unsigned k;

	(void)state;
	assert_ok(group_create(appliance, bytes_of_text("g")));
	for (k = 0; k < MANY; k++) {
		char why[USER_WHY_OCTETS];

		(void)snprintf(user.name, sizeof(user.name), "u%03u", k);
		assert_ok(user_create(appliance, &user));
		assert_ok(group_add(appliance, bytes_of_text("g"),
		    bytes_of_text(user.name), why));
	}
	said = show("show user");
	for (k = 0; k < MANY; k++) {
		(void)snprintf(line, sizeof(line), "=  u%03u  ", k);
		assert_has(said, line);
	}
	assert_has(said, DONE);
	said = show("show group g");
	for (k = 0; k < MANY; k++) {
		(void)snprintf(line, sizeof(line), "=  u%03u\n", k);
		assert_has(said, line);
	}
	assert_has(said, DONE);
}

int
main(void)
{
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    DESK_TEST(test_each_has_its_control),
	    DESK_TEST(test_a_user_is_made_by_words_or_in_a_dialogue),
	    DESK_TEST(test_a_user_is_edited),
	    DESK_TEST(test_a_value_is_shown_as_it_is_typed),
	    DESK_TEST(test_what_cannot_be_is_refused),
	    DESK_TEST(test_a_change_is_whole_or_not_at_all),
	    DESK_TEST(test_groups_have_users),
	    DESK_TEST(test_a_key_owner_stays),
	    DESK_TEST(test_a_long_list_is_shown_whole),
	};
#undef DESK_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

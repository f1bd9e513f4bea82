#include "device/accounts_test.h"

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

enum { MINUTE = 60 * 1000 };

static void
set(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(bench.appliance.settings, which,
	    bytes_of_text(value), &changed, why));
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(settings_new(STORE, &bench.appliance.settings));
	assert_ok(
	    clock_new(STORE, bench.appliance.env, &bench.appliance.clock));
	assert_ok(credentials_new(APPLIANCE, &bench.appliance.credentials));
	account_put(&bench, "anna", true, CONTROLS_ALL);
	account_put(&bench, "bert", true,
	    CONTROL_BIT(CONTROL_KEYS) | CONTROL_BIT(CONTROL_USERS));
	account_put(&bench, "keys", false, CONTROL_BIT(CONTROL_KEYS));
	account_put(&bench, "weak", false, 0);
	set(SETTING_SEVERAL, "yes");
	set(SETTING_GRANTS, "yes");
	set(SETTING_GRANT_MINUTES, "30");
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	credentials_free(bench.appliance.credentials);
	clock_free(bench.appliance.clock);
	settings_free(bench.appliance.settings);
	bench_remove(&bench);
	return 0;
}

static struct principal
principal_of(const char *name)
{
	struct principal p = {.door = DOOR_SSH};

	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	return p;
}

static struct credential_grant
grant_of(const char *by, const char *to, uint32_t grants, int64_t minutes)
{
	struct credential_grant g = {.grants = grants, .minutes = minutes};

	(void)snprintf(g.by, sizeof(g.by), "%s", by);
	(void)snprintf(g.to, sizeof(g.to), "%s", to);
	return g;
}

#define KEYS  GRANT_BIT(GRANT_KEYS_DELETE)
#define USERS GRANT_BIT(GRANT_USERS_DELETE)
#define ALL   (GRANT_BIT(GRANT_COUNT) - 1)

static const struct {
	const char *name;
	const char *several; /* the settings: "yes", "no" */
	const char *limited;
	const char *asks;
	const char *by;
	const char *to;
	uint32_t grants;
	int64_t minutes;
	const char *why; /* NULL: it may be */
} checks[] = {
    {"one's own", "yes", "yes", "anna", "anna", "bert", ALL, 10, NULL},
    /* req: KS-18-045 ESKM-196 */
    {"nothing is required", "no", "yes", "anna", "anna", "bert", KEYS, 10,
	"Require Multiple Credentials: no: nothing can be granted"},
    {"grants are not allowed", "yes", "no", "anna", "anna", "bert", KEYS, 10,
	"Allow Time-Limited Credentials: no: nothing can be granted"},
    /* req: KS-18-030 */
    {"another's", "yes", "yes", "anna", "bert", "keys", KEYS, 10,
	"Grant by: bert: only one's own credentials can be granted"},
    {"to oneself", "yes", "yes", "anna", "anna", "anna", KEYS, 10,
	"Grant to: anna: another administrator is needed"},
    {"to nobody", "yes", "yes", "anna", "anna", "nobody", KEYS, 10,
	"Grant to: nobody: there is no such administrator"},
    {"to one who may do nothing with it", "yes", "yes", "anna", "anna", "weak",
	KEYS, 10, NULL},
    {"no operation", "yes", "yes", "anna", "anna", "bert", 0, 10,
	"Allowed Operations: one or several of those that can be granted"},
    /* req: KS-18-038 */
    {"an operation beyond the list", "yes", "yes", "anna", "anna", "bert",
	GRANT_BIT(GRANT_COUNT), 10,
	"Allowed Operations: one or several of those that can be granted"},
    /* req: KS-18-037 */
    {"what one may do", "yes", "yes", "keys", "keys", "anna",
	KEYS | GRANT_BIT(GRANT_POLICIES), 10, NULL},
    {"one that one may not do", "yes", "yes", "keys", "keys", "anna",
	KEYS | USERS, 10,
	"Allowed Operations: Delete users and groups: \"Users and Groups\" "
	"access control is required"},
    {"none that one may do", "yes", "yes", "weak", "weak", "anna", KEYS, 10,
	"Allowed Operations: Delete keys: \"Keys and Authorization Policies\" "
	"access control is required"},
    /* req: KS-18-048 ESKM-197 */
    {"just less than the maximum", "yes", "yes", "anna", "anna", "bert", KEYS,
	29, NULL},
    {"the maximum", "yes", "yes", "anna", "anna", "bert", KEYS, 30,
	"Duration (minutes): 30: 1 or more, and less than 30"},
    {"one minute", "yes", "yes", "anna", "anna", "bert", KEYS, 1, NULL},
    {"no time", "yes", "yes", "anna", "anna", "bert", KEYS, 0,
	"Duration (minutes): 0: 1 or more, and less than 30"},
    {"less than no time", "yes", "yes", "anna", "anna", "bert", KEYS, -5,
	"Duration (minutes): -5: 1 or more, and less than 30"},
};

static void
test_what_can_be_granted(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(checks); k++) {
		struct principal asks = principal_of(checks[k].asks);
		struct credential_grant g = grant_of(checks[k].by, checks[k].to,
		    checks[k].grants, checks[k].minutes);
		char why[CHANGE_WHY_OCTETS] = "";
		enum err want = checks[k].why == NULL ? OK : ERR_FIELD;
		enum err got;

		set(SETTING_SEVERAL, checks[k].several);
		set(SETTING_GRANTS, checks[k].limited);
		got = credential_check(APPLIANCE, &asks, &g, why);
		if (got != want ||
		    (got != OK && strcmp(why, checks[k].why) != 0))
			fail_msg("%s: expected %s, got %s, %s", checks[k].name,
			    checks[k].why != NULL ? checks[k].why : "OK",
			    err_name(got), why);
	}
}

/* A received credential is not one's own: "weak" may not do it, and so cannot
 * grant what it has been granted. req: KS-18-029 */
static void
test_what_was_received_is_not_passed_on(void **state)
{
	struct principal weak = principal_of("weak");
	struct credential_grant g = grant_of("anna", "weak", KEYS, 10);
	struct credential_grant on = grant_of("weak", "keys", KEYS, 10);
	char why[CHANGE_WHY_OCTETS];

	(void)state;
	assert_ok(credential_add(APPLIANCE, &g));
	assert_err(credential_check(APPLIANCE, &weak, &on, why), ERR_FIELD);
}

/* ---- what is there ---- */

struct list {
	char text[512];
};

static void
list_one(void *ctx, const struct credential_grant *grant)
{
	struct list *list = ctx;
	size_t at = strlen(list->text);

	(void)snprintf(list->text + at, sizeof(list->text) - at,
	    "%d %s>%s %x %d %d;", (int)grant->number, grant->by, grant->to,
	    (unsigned)grant->grants, (int)grant->until_ms / MINUTE,
	    (int)grant->until_wall_s / 60);
}

static void
assert_list(const char *of, const char *want)
{
	struct principal p = principal_of(of);
	struct list list = {""};

	credential_each(APPLIANCE, &p, list_one, &list);
	assert_string_equal(list.text, want);
}

static void
add(const char *by, const char *to, uint32_t grants, int64_t minutes)
{
	struct credential_grant g = grant_of(by, to, grants, minutes);

	assert_ok(credential_add(APPLIANCE, &g));
}

/* req: KS-18-058 */
static void
test_one_sees_what_one_gave_or_received(void **state)
{
	(void)state;
	rig_move_to(&bench.rig, 5 * MINUTE);
	bench.rig.clock->wall_offset_ms = 100 * MINUTE;
	add("anna", "bert", KEYS, 10);
	add("bert", "keys", KEYS | USERS, 29);
	add("keys", "anna", KEYS, 1);
	assert_list("anna", "1 anna>bert 2 15 115;3 keys>anna 2 6 106;");
	assert_list("bert", "1 anna>bert 2 15 115;2 bert>keys a 34 134;");
	assert_list("weak", "");
	assert_list("ann", "");
}

/* req: KS-18-026 ESKM-200 */
static void
test_a_grant_ends_after_its_time(void **state)
{
	(void)state;
	rig_move_to(&bench.rig, 5 * MINUTE);
	add("anna", "bert", KEYS, 10);
	add("anna", "keys", KEYS, 20);
	rig_move_to(&bench.rig, 15 * MINUTE - 1);
	assert_list("bert", "1 anna>bert 2 15 15;");
	/* elapsed time, and not the date */
	bench.rig.clock->wall_offset_ms = 1000 * MINUTE;
	assert_list("bert", "1 anna>bert 2 15 15;");
	rig_move_to(&bench.rig, 15 * MINUTE);
	assert_list("bert", "");
	assert_list("anna", "2 anna>keys 2 25 25;");
	/* and does not come back */
	rig_move_to(&bench.rig, 14 * MINUTE);
	assert_list("bert", "");
}

static void
test_either_side_revokes(void **state)
{
	struct principal anna = principal_of("anna");
	struct principal bert = principal_of("bert");
	struct principal keys = principal_of("keys");

	(void)state;
	add("anna", "bert", KEYS, 10);
	add("anna", "bert", USERS, 10);
	assert_err(credential_revoke(APPLIANCE, &keys, 1), ERR_NOT_FOUND);
	assert_err(credential_revoke(APPLIANCE, &anna, 3), ERR_NOT_FOUND);
	assert_list("bert", "1 anna>bert 2 10 10;2 anna>bert 8 10 10;");
	assert_ok(credential_revoke(APPLIANCE, &anna, 1));
	assert_list("bert", "2 anna>bert 8 10 10;");
	assert_err(credential_revoke(APPLIANCE, &anna, 1), ERR_NOT_FOUND);
	assert_ok(credential_revoke(APPLIANCE, &bert, 2));
	assert_list("anna", "");
	/* a number is given once */
	add("anna", "bert", KEYS, 10);
	assert_list("anna", "3 anna>bert 2 10 10;");
	rig_move_to(&bench.rig, 10 * MINUTE);
	assert_err(credential_revoke(APPLIANCE, &anna, 3), ERR_NOT_FOUND);
}

/* ---- what ends them ---- */

enum ending {
	NOTHING,
	GIVER_DELETED,
	RECEIVER_DELETED,
	ANOTHER_DELETED,
	SEVERAL_OFF,
	GRANTS_OFF,
	GIVER_LOSES_KEYS,
	GIVER_LOSES_HIGH,
	RECEIVER_LOSES_ALL,
};

static void
end_by(enum ending ending)
{
	switch (ending) {
	case NOTHING:
		break;
	case GIVER_DELETED:
		account_delete(&bench, "anna");
		break;
	case RECEIVER_DELETED:
		account_delete(&bench, "bert");
		break;
	case ANOTHER_DELETED:
		account_delete(&bench, "keys");
		break;
	case SEVERAL_OFF:
		set(SETTING_SEVERAL, "no");
		break;
	case GRANTS_OFF:
		set(SETTING_GRANTS, "no");
		break;
	case GIVER_LOSES_KEYS:
		account_put(&bench, "anna", true,
		    CONTROLS_ALL & ~CONTROL_BIT(CONTROL_KEYS));
		break;
	case GIVER_LOSES_HIGH:
		account_put(&bench, "anna", false, CONTROLS_ALL);
		break;
	case RECEIVER_LOSES_ALL:
		account_put(&bench, "bert", false, 0);
		break;
	}
}

static const struct {
	const char *name;
	enum ending ending;
	const char *left;
} endings[] = {
    {"nothing has changed", NOTHING, "1 anna>bert a 10 10;"},
    {"the giver is deleted", GIVER_DELETED, ""},
    {"the receiver is deleted", RECEIVER_DELETED, ""},
    {"another is deleted", ANOTHER_DELETED, "1 anna>bert a 10 10;"},
    {"several are not required any more", SEVERAL_OFF, ""},
    {"grants are not allowed any more", GRANTS_OFF, ""},
    {"the giver loses an access control", GIVER_LOSES_KEYS,
	"1 anna>bert 8 10 10;"},
    {"the giver loses what no grant needs", GIVER_LOSES_HIGH,
	"1 anna>bert a 10 10;"},
    {"the receiver loses all access controls", RECEIVER_LOSES_ALL,
	"1 anna>bert a 10 10;"},
};

static void
test_what_rests_on_nothing_ends_for_good(void **state)
{
	size_t k;

	for (k = 0; k < LENGTH(endings); k++) {
		struct list list = {""};
		struct principal bert = principal_of("bert");

		add("anna", "bert", KEYS | USERS, 10);
		end_by(endings[k].ending);
		credential_settle(APPLIANCE);
		/* what comes back brings nothing with it */
		account_put(&bench, "anna", true, CONTROLS_ALL);
		account_put(&bench, "bert", true, CONTROLS_ALL);
		set(SETTING_SEVERAL, "yes");
		set(SETTING_GRANTS, "yes");
		credential_settle(APPLIANCE);
		credential_each(APPLIANCE, &bert, list_one, &list);
		if (strcmp(list.text, endings[k].left) != 0)
			fail_msg("%s: expected %s, got %s", endings[k].name,
			    endings[k].left, list.text);
		tear_down(state);
		set_up(state);
	}
}

/* req: KS-18-040 KS-18-063 */
static void
test_a_change_of_the_clock_ends_all(void **state)
{
	char why[CLOCK_WHY_OCTETS];

	(void)state;
	add("anna", "bert", KEYS, 10);
	add("bert", "keys", KEYS, 20);
	/* in the change's apply, and when it is durable */
	assert_ok(clock_keep(bench.appliance.clock, 1325376000, why));
	assert_list("anna", "1 anna>bert 2 10 10;");
	clock_settle(bench.appliance.clock, false);
	assert_list("anna", "1 anna>bert 2 10 10;");
	assert_ok(clock_keep(bench.appliance.clock, 1325376000, why));
	bench_turn(&bench);
	clock_settle(bench.appliance.clock, true);
	assert_list("anna", "");
	assert_list("keys", "");
}

/* req: KS-18-041 KS-18-063 */
static void
test_a_restart_ends_all(void **state)
{
	(void)state;
	add("anna", "bert", KEYS, 10);
	bench_turn(&bench);
	credentials_free(bench.appliance.credentials);
	settings_free(bench.appliance.settings);
	store_close(STORE);
	bench_open(&bench);
	assert_ok(settings_new(STORE, &bench.appliance.settings));
	assert_ok(credentials_new(APPLIANCE, &bench.appliance.credentials));
	assert_list("anna", "");
}

/* ---- the judge ---- */

static const struct {
	const char *on;
	const char *number;
	enum err want; /* there are two High Access Administrators */
} judged[] = {
    {"yes", "2", OK},
    {"yes", "3", ERR_FIELD},
    {"no", "3", OK},
};

/* req: KS-18-020 KS-18-056 */
static void
test_there_are_as_many_as_are_required(void **state)
{
	char why[SETTING_WHY_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(judged); k++) {
		set(SETTING_SEVERAL, judged[k].on);
		set(SETTING_SEVERAL_COUNT, judged[k].number);
		assert_err(settings_judge(bench.appliance.settings, why),
		    judged[k].want);
	}
	set(SETTING_SEVERAL, "yes");
	set(SETTING_SEVERAL_COUNT, "2");
	account_put(&bench, "bert", false, CONTROLS_ALL);
	assert_err(settings_judge(bench.appliance.settings, why), ERR_FIELD);
	assert_string_equal(why,
	    "Number of Administrators Required to Perform Configuration "
	    "Operations: 2: not with 1 High Access Administrators");
}

#define GRANT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    GRANT_TEST(test_what_can_be_granted),
	    GRANT_TEST(test_what_was_received_is_not_passed_on),
	    GRANT_TEST(test_one_sees_what_one_gave_or_received),
	    GRANT_TEST(test_a_grant_ends_after_its_time),
	    GRANT_TEST(test_either_side_revokes),
	    GRANT_TEST(test_what_rests_on_nothing_ends_for_good),
	    GRANT_TEST(test_a_change_of_the_clock_ends_all),
	    GRANT_TEST(test_a_restart_ends_all),
	    GRANT_TEST(test_there_are_as_many_as_are_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "device/accounts_test.h"

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

static const struct principal root_ = {.name = "root", .door = DOOR_SERIAL};
static const struct principal weak = {.name = "weak", .door = DOOR_SSH};

static struct settings_watch watch;
static char told[256]; /* what happened, in its order */

static void
tell(const char *what)
{
	(void)strncat(told, what, sizeof(told) - strlen(told) - 1);
	(void)strncat(told, ";", sizeof(told) - strlen(told) - 1);
}

static void
followed(void *ctx, enum setting which)
{
	(void)ctx;
	tell(setting_shown(bench.appliance.settings, which));
}

static uint64_t groups; /* as the test began */

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(settings_new(STORE, &bench.appliance.settings));
	assert_ok(
	    clock_new(STORE, bench.appliance.env, &bench.appliance.clock));
	assert_ok(credentials_new(APPLIANCE, &bench.appliance.credentials));
	account_put(&bench, "root", true, CONTROLS_ALL);
	account_put(&bench, "anna", true, CONTROLS_ALL);
	account_put(&bench, "bert", true, CONTROLS_ALL);
	account_put(&bench, "keys", false, CONTROL_BIT(CONTROL_KEYS));
	account_put(&bench, "kurt", false, CONTROL_BIT(CONTROL_KEYS));
	account_put(&bench, "weak", false, 0);
	bench_turn(&bench);
	groups = store_groups(STORE);
	watch = (struct settings_watch){.follow = followed};
	settings_watch(bench.appliance.settings, &watch);
	*told = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_disk_full(UINT64_MAX);
	vfs_fail_io(0, false);
	credentials_free(bench.appliance.credentials);
	clock_free(bench.appliance.clock);
	settings_free(bench.appliance.settings);
	bench_remove(&bench);
	return 0;
}

/* ---- changes ---- */

struct edit {
	struct change change;
	const char *value; /* of the host's name */
	enum err fails;    /* after it was written */
	unsigned applied;
	unsigned done;
	enum err rc;
	uint64_t groups; /* durable when it was told */
};

static enum err
edit_apply(struct change *change)
{
	struct edit *edit = change->ctx;
	bool changed;
	enum err rc = OK;

	edit->applied++;
	TRY(setting_set(change->appliance->settings, SETTING_HOST_NAME,
	    bytes_of_text(edit->value), &changed, change->why));
	(void)snprintf(
	    change->event, sizeof(change->event), "Hostname: %s", edit->value);
	if (edit->fails != OK)
		(void)snprintf(change->why, sizeof(change->why), "no, not %s",
		    edit->value);
	TRY(edit->fails);
out:
	return rc;
}

static void
edit_done(struct change *change, enum err rc)
{
	struct edit *edit = change->ctx;

	edit->done++;
	edit->rc = rc;
	edit->groups = store_groups(change->appliance->store);
	tell(rc == OK ? "done" : err_name(rc));
}

static void
edit_fill(struct edit *edit, const struct principal *by, enum act act,
    const char *value, enum err fails)
{
	*edit = (struct edit){.value = value, .fails = fails};
	edit->change.by = *by;
	edit->change.act = act;
	edit->change.apply = edit_apply;
	edit->change.done = edit_done;
	edit->change.ctx = edit;
}

static void
edit_run(struct edit *edit, const struct principal *by, enum act act,
    const char *value, enum err fails)
{
	edit_fill(edit, by, act, value, fails);
	change_run(APPLIANCE, &edit->change);
}

static void
assert_host(const char *want)
{
	struct settings *again;

	assert_string_equal(
	    setting_text(bench.appliance.settings, SETTING_HOST_NAME), want);
	/* and the store has it so */
	assert_ok(settings_new(STORE, &again));
	assert_string_equal(setting_text(again, SETTING_HOST_NAME), want);
	settings_free(again);
}

struct audit {
	char text[1024]; /* without stamps */
	unsigned lines;
};

static enum err
audit_line(void *ctx, struct bytes line)
{
	struct audit *audit = ctx;
	size_t at = strlen(audit->text);

	(void)snprintf(audit->text + at, sizeof(audit->text) - at, "%.*s\n",
	    (int)line.octets - 20, (const char *)line.at + 20);
	audit->lines++;
	return OK;
}

static void
assert_audit(const char *want)
{
	struct audit audit = {.lines = 0};

	assert_ok(audit_last(STORE, 99, audit_line, &audit));
	assert_string_equal(audit.text, want);
}

/* req: KS-02-039 KS-02-040 */
static void
test_a_change_is_told_when_it_is_durable(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &root_, ACT_NETWORK, "alpha", OK);
	assert_int_equal(edit.applied, 1);
	assert_int_equal(edit.done, 0);
	assert_string_equal(told, "");
	bench_turn(&bench);
	assert_int_equal(edit.done, 1);
	assert_ok(edit.rc);
	assert_int_equal(edit.groups, groups + 1);
	/* the effect, and then who asked; each once */
	assert_string_equal(told, "alpha;done;");
	bench_turn(&bench);
	assert_string_equal(told, "alpha;done;");
	assert_audit("[root]: Hostname: alpha\n");
	store_close(STORE);
	bench_open(&bench);
	assert_audit("[root]: Hostname: alpha\n");
}

static void
test_a_refusal_leaves_nothing_but_its_audit_line(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &root_, ACT_NETWORK, "alpha", ERR_FIELD);
	assert_int_equal(edit.done, 0);
	bench_turn(&bench);
	assert_int_equal(edit.applied, 1);
	assert_err(edit.rc, ERR_FIELD);
	assert_string_equal(edit.change.why, "no, not alpha");
	assert_host("touchstone");
	assert_string_equal(told, "ERR_FIELD;");
	assert_audit("[root]: Refused: Hostname: alpha: no, not alpha\n");
}

/* req: KS-15-002 */
static void
test_nothing_is_tried_without_the_access_control(void **state)
{
	static const struct {
		const char *name; /* of who asks */
		enum act act;
		enum err want;
		const char *why;
	} cases[] = {
	    {"weak", ACT_NETWORK, ERR_DENIED,
		"Access denied: \"Network and Date/Time\" access control is "
		"required."},
	    {"keys", ACT_ADMIN_CREATE, ERR_DENIED,
		"Access denied: \"High Access Administrator\" access control "
		"is "
		"required."},
	    {"gone", ACT_OWN_PASSWORD, ERR_DENIED,
		"Access denied: there is no such administrator."},
	    {"weak", ACT_OWN_PASSWORD, OK, ""},
	    {"root", ACT_NETWORK, OK, ""},
	    {"keys", ACT_KEY_MODIFY, OK, ""},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct principal by = {.door = DOOR_SSH};
		struct edit edit;

		(void)strcpy(by.name, cases[k].name);
		edit_run(&edit, &by, cases[k].act, "alpha", OK);
		bench_turn(&bench);
		if (edit.rc != cases[k].want ||
		    strcmp(edit.change.why, cases[k].why) != 0 ||
		    edit.applied != (cases[k].want == OK))
			fail_msg("%s, %s: got %s, %s", cases[k].name,
			    act_row(cases[k].act)->name, err_name(edit.rc),
			    edit.change.why);
		if (edit.rc == OK)
			continue;
		assert_host("touchstone");
	}
}

static void
test_a_denial_is_in_the_audit_log(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &weak, ACT_NETWORK, "alpha", OK);
	bench_turn(&bench);
	assert_audit("[weak]: Refused: edit network: Access denied: \"Network "
		     "and Date/Time\" access control is required.\n");
}

/* req: KS-02-042 */
static void
test_input_errors_are_in_the_audit_log(void **state)
{
	(void)state;
	change_refused(APPLIANCE, &weak, "Unknown command: frob");
	bench_turn(&bench);
	assert_audit("[weak]: Unknown command: frob\n");
}

/* No administrator is asked for what the appliance does by itself. */
static void
test_the_appliance_itself_may(void **state)
{
	static const struct principal itself = {.door = DOOR_NONE};
	struct edit edit;

	(void)state;
	edit_run(&edit, &itself, ACT_ADMIN_CREATE, "alpha", OK);
	bench_turn(&bench);
	assert_ok(edit.rc);
	assert_audit("[system]: Hostname: alpha\n");
}

static void
test_changes_of_one_turn_stand_alone(void **state)
{
	struct edit first;
	struct edit second;
	struct edit third;

	(void)state;
	edit_run(&first, &root_, ACT_NETWORK, "alpha", OK);
	edit_run(&second, &root_, ACT_NETWORK, "beta", ERR_FIELD);
	/* back to what the first one wrote, memory included */
	assert_host("alpha");
	edit_run(&third, &weak, ACT_NETWORK, "gamma", OK);
	bench_turn(&bench);
	assert_ok(first.rc);
	assert_err(second.rc, ERR_FIELD);
	assert_err(third.rc, ERR_DENIED);
	assert_host("alpha");
	assert_string_equal(told, "alpha;done;ERR_FIELD;ERR_DENIED;");
	assert_int_equal(first.groups, groups + 1);
	assert_int_equal(third.groups, groups + 1);
}

static void
test_a_group_that_fails_takes_memory_with_it(void **state)
{
	struct edit first;
	struct edit second;

	(void)state;
	vfs_disk_full(0);
	edit_run(&first, &root_, ACT_NETWORK, "alpha", OK);
	edit_run(&second, &root_, ACT_NETWORK, "beta", ERR_FIELD);
	bench_turn(&bench);
	assert_err(first.rc, ERR_DISK_FULL);
	assert_string_equal(first.change.why, err_text(ERR_DISK_FULL));
	assert_err(second.rc, ERR_FIELD);
	assert_string_equal(told, "ERR_DISK_FULL;ERR_FIELD;");
	vfs_disk_full(UINT64_MAX);
	bench_turn(&bench);
	assert_host("touchstone");
	assert_audit("");
	edit_run(&first, &root_, ACT_NETWORK, "gamma", OK);
	bench_turn(&bench);
	assert_ok(first.rc);
	assert_host("gamma");
}

/* An I/O error that is over when it is told: then the log knows of it. */
static void
test_a_lost_change_is_in_the_audit_log(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &root_, ACT_NETWORK, "alpha", OK);
	vfs_fail_io(1, false);
	bench_turn(&bench);
	assert_err(edit.rc, ERR_STORE);
	bench_turn(&bench);
	assert_host("touchstone");
	assert_audit("[root]: Refused: Hostname: alpha: the store failed\n");
}

static void
test_who_has_left_is_not_told(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &root_, ACT_NETWORK, "alpha", OK);
	change_leave(&edit.change);
	memset(&edit, 0xff, sizeof(edit)); /* it is gone */
	bench_turn(&bench);
	/* and it is done all the same, with its effect */
	assert_host("alpha");
	assert_string_equal(told, "alpha;");
	assert_audit("[root]: Hostname: alpha\n");
}

/* Where no line can be written there is no group to wait for. */
static void
test_who_cannot_be_audited_is_told_later(void **state)
{
	struct edit edit;

	(void)state;
	vfs_fail_io(1, true);
	edit_run(&edit, &weak, ACT_NETWORK, "alpha", OK);
	assert_int_equal(edit.done, 0);
	bench_turn(&bench);
	assert_int_equal(edit.done, 1);
	assert_err(edit.rc, ERR_DENIED);
	edit_run(&edit, &weak, ACT_NETWORK, "alpha", OK);
	change_leave(&edit.change);
	bench_turn(&bench);
	assert_int_equal(edit.done, 0);
	vfs_fail_io(0, false);
	/* its twin: leaving what was never run */
	edit = (struct edit){.value = NULL};
	change_leave(&edit.change);
}

static void
test_a_change_without_words_is_named_by_its_act(void **state)
{
	struct edit edit;

	(void)state;
	edit_run(&edit, &root_, ACT_NETWORK, "not a host name", OK);
	bench_turn(&bench);
	assert_err(edit.rc, ERR_FIELD);
	assert_non_null(strstr(edit.change.why, "not a host name"));
	edit_run(&edit, &weak, ACT_CLOCK, "alpha", OK);
	bench_turn(&bench);
	assert_non_null(strstr(edit.change.why, "Network and Date/Time"));
}

/* ---- several ---- */

static void
set(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(bench.appliance.settings, which,
	    bytes_of_text(value), &changed, why));
}

static void
grant(const char *by, const char *to, uint32_t grants)
{
	struct credential_grant g = {.grants = grants, .minutes = 10};

	(void)strcpy(g.by, by);
	(void)strcpy(g.to, to);
	assert_ok(credential_add(APPLIANCE, &g));
}

enum { OFF, ON };

static const struct {
	const char *name;
	const char *on; /* required: "no", "yes" */
	const char *number;
	const char *personality;
	const char *by;
	enum act act;
	const char *approvals; /* "anna bert" */
	const char *granters;  /* of GRANT_KEYS_DELETE */
	size_t more;
	const char *why; /* NULL: it may be */
} several[] = {
    {"off", "no", "3", "eskm", "root", ACT_KEY_DELETE, "", "", 0, NULL},
    /* req: KS-18-001 KS-18-002 */
    {"two", "yes", "2", "keysecure-6.2", "root", ACT_KEY_DELETE, "", "", 1,
	NULL},
    {"three", "yes", "3", "keysecure-6.2", "root", ACT_KEY_DELETE, "", "", 2,
	NULL},
    {"sixteen", "yes", "16", "keysecure-6.2", "root", ACT_KEY_DELETE, "", "",
	15, NULL},
    {"one of two others", "yes", "3", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"anna", "", 1, NULL},
    {"both of two others", "yes", "3", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"anna keys", "", 0, NULL},
    {"more than needed", "yes", "2", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"anna keys", "", 0, NULL},
    /* req: ESKM-189 */
    {"oneself again", "yes", "2", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"root", "", 0,
	"Additional administrator: root: has confirmed it already"},
    {"the same twice", "yes", "3", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"anna anna", "", 0,
	"Additional administrator: anna: has confirmed it already"},
    {"one who may not", "yes", "2", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"weak", "", 0,
	"Additional administrator: weak: \"Keys and Authorization Policies\" "
	"access control is required"},
    {"one who is not", "yes", "2", "keysecure-6.2", "root", ACT_KEY_DELETE,
	"nobody", "", 0,
	"Additional administrator: nobody: there is no such administrator"},
    {"others cannot lend what one lacks", "yes", "2", "keysecure-6.2", "weak",
	ACT_KEY_DELETE, "anna", "", 0,
	"Access denied: \"Keys and Authorization Policies\" access control is "
	"required."},
    /* req: KS-18-003 KS-18-012 */
    {"its own settings", "yes", "2", "keysecure-6.2", "root", ACT_SEVERAL_EDIT,
	"", "", 1, NULL},
    /* req: ESKM-192 */
    {"another's password", "yes", "2", "keysecure-6.2", "root",
	ACT_ADMIN_PASSWORD, "", "", 1, NULL},
    {"administrators", "yes", "2", "keysecure-6.2", "root", ACT_ADMIN_CREATE,
	"", "", 1, NULL},
    {"what is not in the list", "yes", "2", "keysecure-6.2", "root",
	ACT_NETWORK, "", "", 0, NULL},
    /* req: ESKM-188 ESKM-191 ESKM-193 */
    {"is, with the other personality", "yes", "3", "eskm", "root", ACT_NETWORK,
	"", "", 2, NULL},
    {"and certificates", "yes", "2", "eskm", "root", ACT_CERTIFICATE, "", "", 1,
	NULL},
    {"and the list", "yes", "3", "eskm", "root", ACT_KEY_DELETE, "", "", 2,
	NULL},
    {"one's own never is", "yes", "3", "eskm", "weak", ACT_OWN_PASSWORD, "", "",
	0, NULL},
    /* req: ESKM-198 KS-18-024 */
    {"a grant", "yes", "2", "keysecure-6.2", "keys", ACT_KEY_DELETE, "", "anna",
	0, NULL},
    /* req: KS-18-029 KS-18-030 */
    {"a grant counts as one", "yes", "3", "keysecure-6.2", "keys",
	ACT_KEY_DELETE, "", "anna", 1, NULL},
    {"two of the same count as one", "yes", "3", "keysecure-6.2", "keys",
	ACT_KEY_DELETE, "", "anna anna", 1, NULL},
    {"two of two", "yes", "3", "keysecure-6.2", "keys", ACT_KEY_DELETE, "",
	"anna bert", 0, NULL},
    {"a grant, and who granted it", "yes", "3", "keysecure-6.2", "keys",
	ACT_KEY_DELETE, "anna", "anna", 1, NULL},
    {"a grant, and another", "yes", "3", "keysecure-6.2", "keys",
	ACT_KEY_DELETE, "bert", "anna", 0, NULL},
    /* req: KS-18-027 ESKM-199 */
    {"a grant for something else", "yes", "2", "keysecure-6.2", "keys",
	ACT_KEY_MODIFY, "", "anna", 1, NULL},
    /* req: KS-18-025 */
    {"a grant to somebody else", "yes", "2", "keysecure-6.2", "kurt",
	ACT_KEY_DELETE, "", "anna", 1, NULL},
    {"whoever grants is not granted", "yes", "2", "keysecure-6.2", "anna",
	ACT_KEY_DELETE, "", "anna", 1, NULL},
    /* req: KS-18-038 */
    {"no grant for administrators", "yes", "2", "keysecure-6.2", "root",
	ACT_ADMIN_DELETE, "", "anna", 1, NULL},
    /* req: KS-18-039 ESKM-201 */
    {"a grant is no access control", "yes", "2", "keysecure-6.2", "weak",
	ACT_KEY_DELETE, "", "anna", 0,
	"Access denied: \"Keys and Authorization Policies\" access control is "
	"required."},
};

static struct approvals
approvals_of(const char *names)
{
	struct approvals approvals = {.count = 0};
	char copy[64];
	char *at;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) {
		struct principal *by = &approvals.by[approvals.count++];

		(void)strcpy(by->name, at);
		by->door = DOOR_SSH;
	}
	return approvals;
}

static void
test_how_many_it_takes(void **state)
{
	size_t k;
	size_t g;

	for (k = 0; k < LENGTH(several); k++) {
		struct principal by = {.door = DOOR_SSH};
		struct approvals approvals = approvals_of(several[k].approvals);
		struct approvals granters = approvals_of(several[k].granters);
		char why[CHANGE_WHY_OCTETS] = "";
		size_t more = 99;
		enum err want = several[k].why == NULL ? OK : ERR_DENIED;
		enum err got;

		set(SETTING_SEVERAL, several[k].on);
		set(SETTING_SEVERAL_COUNT, several[k].number);
		set(SETTING_PERSONALITY, several[k].personality);
		for (g = 0; g < granters.count; g++)
			grant(granters.by[g].name,
			    strcmp(several[k].by, "kurt") == 0 ||
				    strcmp(several[k].by, "anna") == 0
				? "keys"
				: several[k].by,
			    GRANT_BIT(GRANT_KEYS_DELETE));
		(void)strcpy(by.name, several[k].by);
		got = change_permit(
		    APPLIANCE, &by, several[k].act, &approvals, &more, why);
		if (got != want || (got == OK && more != several[k].more) ||
		    (got != OK && strcmp(why, several[k].why) != 0))
			fail_msg("%s: expected %s, %zu; got %s, %zu, %s",
			    several[k].name, err_name(want), several[k].more,
			    err_name(got), more, why);
		tear_down(state);
		set_up(state);
	}
}

/* req: KS-18-028 */
static void
test_a_grant_is_to_the_account_and_not_to_a_session(void **state)
{
	struct principal by = {.name = "keys", .door = DOOR_SERIAL};
	char why[CHANGE_WHY_OCTETS];
	size_t more;

	(void)state;
	set(SETTING_SEVERAL, "yes");
	grant("anna", "keys", GRANT_BIT(GRANT_KEYS_DELETE));
	assert_ok(
	    change_permit(APPLIANCE, &by, ACT_KEY_DELETE, NULL, &more, why));
	assert_int_equal(more, 0);
	by.door = DOOR_SSH;
	(void)strcpy(by.peer, "192.0.2.7");
	assert_ok(
	    change_permit(APPLIANCE, &by, ACT_KEY_DELETE, NULL, &more, why));
	assert_int_equal(more, 0);
}

/* req: KS-18-017 */
static void
test_too_few_change_nothing(void **state)
{
	struct approvals approvals = approvals_of("anna");
	struct edit edit;

	(void)state;
	set(SETTING_SEVERAL, "yes");
	set(SETTING_SEVERAL_COUNT, "3");
	edit_run(&edit, &root_, ACT_KEY_DELETE, "alpha", OK);
	bench_turn(&bench);
	assert_err(edit.rc, ERR_DENIED);
	assert_string_equal(edit.change.why,
	    "Access denied: 2 more administrators must confirm it.");
	assert_int_equal(edit.applied, 0);
	edit.change.approvals = &approvals;
	*edit.change.why = '\0';
	change_run(APPLIANCE, &edit.change);
	bench_turn(&bench);
	assert_err(edit.rc, ERR_DENIED);
	assert_string_equal(edit.change.why,
	    "Access denied: 1 more administrator must confirm it.");
	assert_int_equal(edit.applied, 0);
	assert_host("touchstone");
	grant("bert", "root", GRANT_BIT(GRANT_KEYS_DELETE));
	change_run(APPLIANCE, &edit.change);
	bench_turn(&bench);
	assert_ok(edit.rc);
	assert_host("alpha");
	assert_audit(
	    "[root]: Refused: delete keys: Access denied: 2 more "
	    "administrators must confirm it.\n"
	    "[root]: Refused: delete keys: Access denied: 1 more administrator "
	    "must confirm it.\n"
	    "[root]: Hostname: alpha (confirmed by anna, bert by grant)\n");
}

/* Each change is judged, whatever it changes: here an account. */
static enum err
lose_apply(struct change *change)
{
	(void)change;
	account_put(&bench, "anna", false, CONTROLS_ALL);
	return OK;
}

/* req: KS-18-020 KS-18-056 */
static void
test_high_access_is_not_lost_below_the_number(void **state)
{
	struct edit edit;

	(void)state;
	set(SETTING_SEVERAL, "yes");
	set(SETTING_SEVERAL_COUNT, "3");
	edit_fill(&edit, &root_, ACT_PASSWORD_RULES, "alpha", OK);
	edit.change.apply = lose_apply;
	change_run(APPLIANCE, &edit.change);
	bench_turn(&bench);
	assert_err(edit.rc, ERR_FIELD);
	assert_non_null(strstr(
	    edit.change.why, "3: not with 2 High Access Administrators"));
	assert_true(account_is_high(&bench, "anna"));
}

/* ---- the device ends ---- */

static void
end_asked(void *ctx, enum leave leave)
{
	(void)ctx;
	tell(leave == LEAVE_RESTART ? "restart"
	     : leave == LEAVE_HALT  ? "halt"
				    : "reset");
}

static void
edit_to_end(struct edit *edit, enum leave leave, const char *value)
{
	edit_fill(edit, &root_, ACT_NETWORK, value, OK);
	edit->change.leave = leave;
	change_run(APPLIANCE, &edit->change);
}

/* It was asked for, and is durable: it does not take anybody to wait for it. */
static void
test_the_device_ends_when_it_is_durable(void **state)
{
	struct edit stays, goes, refused;

	(void)state;
	bench.appliance.leave = end_asked;
	edit_to_end(&stays, LEAVE_RESTART, "one");
	assert_string_equal(told, "");
	bench_turn(&bench);
	assert_string_equal(told, "one;done;restart;");
	*told = '\0';
	edit_to_end(&goes, LEAVE_HALT, "two");
	change_leave(&goes.change);
	bench_turn(&bench);
	assert_string_equal(told, "two;halt;");
	*told = '\0';
	edit_fill(&refused, &weak, ACT_NETWORK, "three", OK);
	refused.change.leave = LEAVE_RESET;
	change_run(APPLIANCE, &refused.change);
	bench_turn(&bench);
	bench_turn(&bench);
	assert_string_equal(told, "ERR_DENIED;");
}

static void
test_the_device_stays_where_it_is_not_durable(void **state)
{
	struct edit edit, next;

	(void)state;
	bench.appliance.leave = end_asked;
	edit_to_end(&edit, LEAVE_RESET, "one");
	vfs_disk_full(0);
	bench_turn(&bench);
	vfs_disk_full(UINT64_MAX);
	bench_turn(&bench);
	assert_string_equal(told, "ERR_DISK_FULL;");
	/* nor with the next change */
	*told = '\0';
	edit_to_end(&next, LEAVE_NOT, "two");
	bench_turn(&bench);
	bench_turn(&bench);
	assert_string_equal(told, "two;done;");
}

/* Of two in one group the erasing one counts, in whatever order. */
static void
test_the_device_ends_once_in_a_turn(void **state)
{
	struct edit reset, restart;

	(void)state;
	bench.appliance.leave = end_asked;
	edit_to_end(&reset, LEAVE_RESET, "one");
	edit_to_end(&restart, LEAVE_RESTART, "one");
	bench_turn(&bench);
	bench_turn(&bench);
	assert_string_equal(told, "one;done;done;reset;");
}

#define CHANGE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    CHANGE_TEST(test_a_change_is_told_when_it_is_durable),
	    CHANGE_TEST(test_a_refusal_leaves_nothing_but_its_audit_line),
	    CHANGE_TEST(test_nothing_is_tried_without_the_access_control),
	    CHANGE_TEST(test_a_denial_is_in_the_audit_log),
	    CHANGE_TEST(test_input_errors_are_in_the_audit_log),
	    CHANGE_TEST(test_the_appliance_itself_may),
	    CHANGE_TEST(test_changes_of_one_turn_stand_alone),
	    CHANGE_TEST(test_a_group_that_fails_takes_memory_with_it),
	    CHANGE_TEST(test_a_lost_change_is_in_the_audit_log),
	    CHANGE_TEST(test_who_has_left_is_not_told),
	    CHANGE_TEST(test_the_device_ends_when_it_is_durable),
	    CHANGE_TEST(test_the_device_stays_where_it_is_not_durable),
	    CHANGE_TEST(test_the_device_ends_once_in_a_turn),
	    CHANGE_TEST(test_who_cannot_be_audited_is_told_later),
	    CHANGE_TEST(test_a_change_without_words_is_named_by_its_act),
	    CHANGE_TEST(test_how_many_it_takes),
	    CHANGE_TEST(test_a_grant_is_to_the_account_and_not_to_a_session),
	    CHANGE_TEST(test_too_few_change_nothing),
	    CHANGE_TEST(test_high_access_is_not_lost_below_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

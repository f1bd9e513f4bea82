/*
 * Sessions, and the commands of every family but the HSM's, by whoever may and
 * whoever may not.
 */
#include "cli/cli.h"

#include "cli/desk_test.h"

enum { MINUTE_MS = 60 * 1000 };

static struct desk desk;
#define STORE (desk.bench.appliance.store)

static const struct cli_entry serial = {.door = DOOR_SERIAL, .peer = ""};

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_account(&desk, "root", true, CONTROLS_ALL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

#define assert_says(said, want)                                           \
	do {                                                              \
		const char *said_ = (said);                               \
		if (strcmp(said_, want) != 0)                             \
			fail_msg("expected:\n%s\ngot:\n%s", want, said_); \
	} while (0)

#define assert_has(text, part)                                            \
	do {                                                              \
		const char *text_ = (text);                               \
		if (strstr(text_, part) == NULL)                          \
			fail_msg("expected \"%s\" in:\n%s", part, text_); \
	} while (0)

#define assert_has_not(text, part)                                     \
	do {                                                           \
		const char *text_ = (text);                            \
		if (strstr(text_, part) != NULL)                       \
			fail_msg("found \"%s\" in:\n%s", part, text_); \
	} while (0)

#define PLAIN  ">touchstone# \n"
#define CONFIG ">touchstone (config)# \n"

static struct admin
account_of(const char *name)
{
	struct admin admin;

	assert_ok(admin_read(STORE, bytes_of_text(name), &admin));
	return admin;
}

static bool
account_is_there(const char *name)
{
	struct admin admin;
	enum err rc = admin_read(STORE, bytes_of_text(name), &admin);

	if (rc == OK)
		admin_drop(&admin);
	return rc == OK;
}

/* ---- coming in ---- */

/* req: KS-02-005 KS-15-047 */
static void
a_name_and_its_password_let_one_in(void **state)
{
	(void)state;
	assert_says(desk_sit(&desk, &serial), "?login:\n");
	assert_says(desk_type(&desk, "root"), "*Password:\n");
	assert_says(
	    desk_type(&desk, "xk9#qzm8"), "=Login incorrect.\n?login:\n");
	assert_says(desk_types(&desk, "nobody\n" DESK_PASSWORD),
	    "=Login incorrect.\n?login:\n");
	assert_says(desk_types(&desk, "root\n" DESK_PASSWORD), PLAIN);
	assert_string_equal(cli_principal(desk.cli)->name, "root");
	assert_int_equal(cli_principal(desk.cli)->door, DOOR_SERIAL);
}

/* req: KS-15-016 KS-15-013 */
static void
a_locked_account_is_told_so(void **state)
{
	int k;

	(void)state;
	(void)desk_sit(&desk, &serial);
	for (k = 0; k < 4; k++)
		assert_has(desk_types(&desk, "root\nwrong"), "incorrect");
	/* five tries are a session, and a lockout */
	assert_says(
	    desk_types(&desk, "root\nwrong"), "=Login incorrect.\n.1\n!\n");
	(void)desk_sit(&desk, &serial);
	assert_says(desk_types(&desk, "root\n" DESK_PASSWORD),
	    "=Account has been locked.\n?login:\n");
	desk_advance(&desk, 5 * MINUTE_MS + 1);
	assert_says(desk_types(&desk, "root\n" DESK_PASSWORD), PLAIN);
}

static void
a_door_may_have_logged_one_in(void **state)
{
	(void)state;
	assert_says(desk_sit_as(&desk, "root"), PLAIN);
	assert_says(desk_type(&desk, "exit"), ".0\n!\n");
}

/* Nothing else can be done before, and what was asked for is done after.
 * req: KS-15-050 KS-15-051 KS-15-058 KS-17-015 */
static void
a_password_that_was_given_has_to_be_changed(void **state)
{
	struct admin admin;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_has(
	    desk_types(&desk, "config\nadministrator bob high-access no\n"
			      "vK4!trmpq\nvK4!trmpq"),
	    ".0\n");
	(void)desk_sit(&desk, &serial);
	assert_says(desk_types(&desk, "bob\nvK4!trmpq"),
	    "=This is the first login: the password has to be changed.\n"
	    "*New Password:\n");
	/* the rules hold, the two have to be the same, and it is asked again */
	assert_says(desk_types(&desk, "aaaaaaaa\naaaaaaaa"),
	    "=Error: Passwords must contain at least five different "
	    "characters\n"
	    "*New Password:\n");
	assert_says(desk_types(&desk, "wZ3?nbvyc\nwZ3?nbvyd"),
	    "=Error: the two are not the same\n*New Password:\n");
	assert_says(desk_types(&desk, "wZ3?nbvyc\nwZ3?nbvyc"),
	    "=The password has been changed.\n" PLAIN);
	assert_has(desk_audited(&desk), "[bob]: changed own password");
	admin = account_of("bob");
	assert_int_equal(admin.must, ADMIN_MUST_NOT);
	admin_drop(&admin);
	(void)desk_sit(&desk, &serial);
	assert_says(desk_types(&desk, "bob\nwZ3?nbvyc"), PLAIN);
}

/* What the door has asked for is asked once more: the session has it not. */
static void
a_door_leaves_the_change_to_the_session(void **state)
{
	struct principal who = {.name = "root", .door = DOOR_SSH};
	const struct cli_entry entry = {.door = DOOR_SSH,
	    .peer = "",
	    .who = &who,
	    .must = ADMIN_MUST_EXPIRED};

	(void)state;
	assert_says(desk_sit(&desk, &entry),
	    "=The password has expired, and has to be changed.\n"
	    "*Current Password:\n");
	(void)desk_type(&desk, "wrong");
	assert_has(
	    desk_types(&desk, "wZ3?nbvyc\nwZ3?nbvyc"), "*New Password:\n");
	(void)desk_sit(&desk, &entry);
	(void)desk_type(&desk, DESK_PASSWORD);
	assert_says(desk_types(&desk, "wZ3?nbvyc\nwZ3?nbvyc"),
	    "=The password has been changed.\n" PLAIN);
}

static void
who_leaves_it_alone_is_logged_out(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	desk_forget(&desk);
	desk_advance(&desk, 15 * MINUTE_MS - 1);
	bench_turn(&desk.bench);
	assert_says(desk.said, "");
	/* whatever is typed begins the time anew */
	(void)desk_type(&desk, "show clock");
	desk_forget(&desk);
	desk_advance(&desk, 15 * MINUTE_MS - 1);
	bench_turn(&desk.bench);
	assert_says(desk.said, "");
	desk_advance(&desk, 1);
	bench_turn(&desk.bench);
	assert_says(
	    desk.said, "=Autologout: the session was idle too long.\n.0\n!\n");
	/* and never, if that is what is wanted */
	(void)desk_sit_as(&desk, "root");
	(void)desk_types(
	    &desk, "config\nedit session settings autologout never");
	desk_forget(&desk);
	desk_advance(&desk, 1000 * (int64_t)MINUTE_MS);
	bench_turn(&desk.bench);
	assert_says(desk.said, "");
}

/* ---- lines ---- */

static void
a_secret_is_asked_for_and_not_shown(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	/* its word takes no value: what follows is a field */
	assert_has(desk_type(&desk, "edit log rotation audit pass opensesame"),
	    "unknown field: \"opensesame\"");
	assert_has(desk_audited(&desk),
	    "[root]: Refused: edit logging: unknown field");
	assert_has_not(desk_audited(&desk), "opensesame");
	assert_has(
	    desk_type(&desk, "edit log rot audit user carol pass host h"),
	    "*Audit Log: Transfer Password");
	assert_has(desk_type(&desk, "opensesame"), ".0\n");
	assert_has(desk_audited(&desk), "Audit Log: Transfer Password: (set)");
	assert_has(desk_audited(&desk), "Audit Log: Transfer Host: h");
	assert_has(desk_type(&desk, "show log rotation audit"),
	    "Audit Log: Transfer Password: (set)\n");
	/* nothing typed leaves it as it is */
	(void)desk_type(&desk, "edit log rotation audit password");
	assert_has(desk_type(&desk, ""), ".0\n");
	assert_has(desk_type(&desk, "show log rotation audit"), "(set)\n");
	(void)desk_type(&desk, "edit log rotation audit password");
	assert_has(desk_type(&desk, "None"), ".0\n");
	assert_has(desk_type(&desk, "show log rotation audit"),
	    "Transfer Password: \n");
}

static void
a_dialogue_can_be_given_up(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_says(
	    desk_types(&desk, "config\nadministrator bob"), "*Password:\n");
	desk_forget(&desk);
	cli_break(desk.cli);
	assert_says(desk_wait(&desk), "=Error: given up\n.1\n" CONFIG);
	assert_false(account_is_there("bob"));
	desk_forget(&desk);
	cli_break(desk.cli);
	assert_says(desk_wait(&desk), CONFIG);
	/* a login that is given up is a session that is */
	(void)desk_sit(&desk, &serial);
	desk_forget(&desk);
	cli_break(desk.cli);
	assert_says(desk.said, ".1\n!\n");
}

static const char *
completed(const char *begun)
{
	desk_forget(&desk);
	cli_complete(desk.cli, bytes_of_text(begun));
	return desk.said;
}

static void
tab_completes_what_can_be_meant(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_says(completed("con"), "+fig \n");
	assert_says(completed("show adm"), "+inistrator \n");
	assert_says(completed("sh h"), "=  hsm                       ...\n"
				       "=  host                      Host\n"
				       "=  health                    ...\n+\n");
	assert_says(completed("ho"), "+\n");
	/* words of settings, and their help */
	(void)desk_type(&desk, "config");
	assert_says(completed("edit password settings exp"), "+iration \n");
	assert_has(desk_type(&desk, "edit host ?"), "Hostname\n");
	assert_says(completed("edit host name x"), "+\n");
	/* nothing to complete, and nothing that can be read */
	assert_says(completed("nothing"), "+\n");
	assert_says(completed("show \"x"), "+\n");
	assert_says(completed("con"), "+\n");
}

static void
commands_are_remembered_and_answers_are_not(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_types(&desk,
	    "config\npassword\n" DESK_PASSWORD "\nanother\nthe same not");
	(void)desk_type(&desk, "nonsense");
	assert_says(desk_type(&desk, "history"),
	    "=    1  config\n=    2  password\n=    3  nonsense\n"
	    "=    4  history\n.0\n" CONFIG);
}

/* req: KS-02-042 */
static void
what_is_refused_is_written_down(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_has(desk_types(&desk, "config\nedit host name -"),
	    "=Error: Hostname: -: ");
	assert_has(desk_audited(&desk),
	    "[root]: Refused: edit network: Hostname: -: ");
	(void)desk_type(&desk, "show log audit x");
	assert_has(desk_audited(&desk),
	    "[root]: Refused: show log audit: Lines: x: 1 to 1000");
	(void)desk_type(&desk, "edit host");
	(void)desk_type(&desk, "-");
	assert_has(desk_audited(&desk), "[root]: Refused: edit network:");
	/* nor what may be a password, behind the words that there are */
	assert_has(desk_type(&desk, "no administrator a opensesame"),
	    "what is \"opensesame\" for?");
	assert_has(desk_audited(&desk), ": a word too many");
	assert_has_not(desk_audited(&desk), "opensesame");
	assert_has(desk_type(&desk, "backup create b items ntp opensesame x"),
	    "\"opensesame\": ");
	assert_has(desk_audited(&desk), ": unknown word");
	assert_has_not(desk_audited(&desk), "opensesame");
	/* a password that is typed too early is in no log */
	assert_has(desk_type(&desk, DESK_PASSWORD), "unknown command: \"xk9");
	assert_has(desk_audited(&desk),
	    "[root]: Refused: command line: unknown command");
	assert_has_not(desk_audited(&desk), DESK_PASSWORD);
	(void)desk_type(&desk, "show \"");
	assert_has(desk_audited(&desk), "the line cannot be read");
}

/* ---- access ---- */

/* What is missing, or NULL. */
static const char *
lacked(enum act act, bool high, uint32_t controls)
{
	enum control needs = act_row(act)->needs;

	if (needs == NEEDS_NONE)
		return NULL;
	if (needs == NEEDS_HIGH)
		return high ? NULL : "High Access Administrator";
	return (controls & CONTROL_BIT(needs)) != 0 ? NULL
						    : control_row(needs)->name;
}

static void
try_command(const struct command *row, bool high, uint32_t controls)
{
	const char *lacks = lacked(row->act, high, controls);
	char line[100], denied[200];
	const char *said;

	(void)snprintf(line, sizeof(line), "%s", row->words);
	if (strstr(line, " ...") != NULL)
		*strstr(line, " ...") = '\0';
	(void)desk_sit_as(&desk, "bob");
	cli_set_mode(
	    desk.cli, (row->mode & CLI_CONFIG) != 0 ? CLI_CONFIG : CLI_PLAIN);
	said = desk_type(&desk, line);
	(void)snprintf(denied, sizeof(denied),
	    "=Error: Access denied: \"%s\" access control is required.\n",
	    lacks != NULL ? lacks : "");
	if ((strncmp(said, "=Error: Access denied", 21) == 0) !=
		(lacks != NULL) ||
	    (lacks != NULL && strstr(said, denied) != said))
		fail_msg("%s, %s controls %x, lacks %s: %s", line,
		    high ? "High Access," : "", controls,
		    lacks != NULL ? lacks : "nothing", said);
}

/* A row of the matrix: each command, by an administrator like this. */
static void
try_commands(bool high, uint32_t controls)
{
	const struct command *row;
	size_t k;

	desk_account(&desk, "bob", high, controls);
	for (k = 0; (row = command_row(k)) != NULL; k++)
		try_command(row, high, controls);
}

/*
 * req: KS-15-002 KS-15-026 KS-15-027 KS-15-028 KS-15-029 KS-15-030 KS-15-052
 * req: KS-15-062 KS-15-064 KS-15-065 KS-15-066 KS-15-085 KS-15-096 KS-15-104
 * req: KS-07-009 KS-17-032 KS-17-043 KS-18-052
 */
static void
each_command_asks_for_its_access_control(void **state)
{
	enum control k;

	(void)state;
	try_commands(false, 0);
	try_commands(false, CONTROLS_ALL);
	try_commands(true, 0);
	try_commands(true, CONTROLS_ALL);
	for (k = 0; k < CONTROL_COUNT; k++) {
		try_commands(true, CONTROLS_ALL & ~CONTROL_BIT(k));
		try_commands(false, CONTROL_BIT(k));
	}
}

/* ... as it is now, and not as it was when the session began. */
static void
access_can_be_taken_from_who_is_there(void **state)
{
	(void)state;
	desk_account(&desk, "bob", false, CONTROL_BIT(CONTROL_NETWORK));
	(void)desk_sit_as(&desk, "bob");
	assert_has(desk_types(&desk, "config\nedit host name one"), ".0\n");
	desk_account(&desk, "bob", false, 0);
	assert_has(desk_type(&desk, "edit host name two"), "Access denied");
	assert_has(desk_audited(&desk),
	    "[bob]: Refused: edit network: Access denied: \"Network and "
	    "Date/Time\" access control is required.");
	assert_has(desk_type(&desk, "show host"), "Hostname: one\n");
	/* nor does a deleted one go on */
	{
		const char *why;

		assert_ok(admin_delete(STORE, bytes_of_text("bob"), &why));
	}
	assert_has(desk_type(&desk, "show host"), "Access denied");
}

/* req: KS-15-101 */
static void
the_serial_console_needs_no_access_control(void **state)
{
	(void)state;
	desk_account(&desk, "bob", false, 0);
	(void)desk_sit(&desk, &serial);
	assert_says(desk_types(&desk, "bob\n" DESK_PASSWORD), PLAIN);
}

/* ---- settings ---- */

/* req: KS-02-040 */
static void
settings_are_shown_and_edited(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_says(desk_type(&desk, "show lockout settings"),
	    "=Administrator Lock Out\n=  Rule: by-door\n"
	    "=  Lockout Time for the Serial Console (minutes): 5\n"
	    "=  Lockout Time for Remote Access (minutes): 30\n.0\n" PLAIN);
	assert_says(
	    desk_types(&desk, "config\nedit lockout settings ser 6 remote 31"),
	    ".0\n" CONFIG);
	assert_has(desk_audited(&desk),
	    "[root]: Lockout Time for the Serial Console (minutes): 6, "
	    "Lockout Time for Remote Access (minutes): 31");
	/* a dialogue; an empty answer leaves a field as it is */
	assert_has(desk_type(&desk, "edit lockout settings"),
	    "?Rule (by-door or one-minute) [by-door]:\n");
	assert_has(desk_type(&desk, ""), "1 to 1440) [6]:\n");
	assert_has(desk_type(&desk, "7"), "1 to 1440) [31]:\n");
	assert_says(desk_type(&desk, ""), ".0\n" CONFIG);
	assert_int_equal(setting_number(desk.bench.appliance.settings,
			     SETTING_LOCKOUT_SERIAL),
	    7);
	assert_int_equal(setting_number(desk.bench.appliance.settings,
			     SETTING_LOCKOUT_REMOTE),
	    31);
}

static void
one_wrong_value_leaves_all_as_they_are(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_has(desk_types(&desk,
		       "config\nedit lockout settings serial 6 remote 1441"),
	    "=Error: Lockout Time for Remote Access (minutes): 1441: 1 to "
	    "1440\n.1\n");
	assert_has(desk_type(&desk, "edit lockout settings serial"),
	    "\"serial\" has no value");
	assert_has(desk_type(&desk, "edit lockout settings r 6"),
	    "ambiguous field: \"r\"");
	assert_has(desk_type(&desk, "edit lockout settings x 6"),
	    "unknown field: \"x\"");
	assert_int_equal(setting_number(desk.bench.appliance.settings,
			     SETTING_LOCKOUT_SERIAL),
	    5);
}

/* What comes with the web console, with certificates, or with NTP. */
static void
what_is_not_there_yet_is_shown_and_refused(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} rows[] = {
	    {"edit ras settings web-ip 127.0.0.1", "Web Admin Server IP"},
	    {"edit ras settings web-port 8443", "Web Admin Server Port"},
	    {"edit ras settings web-cert console",
		"Web Admin Server Certificate"},
	    {"edit ras settings web-client-cert yes",
		"Web Admin Client Certificate Authentication"},
	    {"edit ras settings web-profile Default",
		"Web Admin Trusted CA List Profile"},
	    /* and one that is there changes nothing about that */
	    {"edit ras settings ssh-port 2222 web-profile Default",
		"Web Admin Trusted CA List Profile"},
	    {"edit ntp enable yes", "Enable NTP"},
	};
	char want[256];
	size_t k;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(rows); k++) {
		(void)snprintf(want, sizeof(want),
		    "=Error: %s is not available on this device yet\n.1\n",
		    rows[k].why);
		assert_has(desk_type(&desk, rows[k].line), want);
		assert_has(desk_audited(&desk), rows[k].why);
	}
	assert_has(desk_type(&desk, "show ras settings"),
	    "Web Admin Trusted CA List Profile: Default\n");
	assert_has(desk.said, "SSH Admin Server Port: 22\n");
	/* a dialogue asks for what there is, and for nothing else */
	assert_has(
	    desk_type(&desk, "edit ras settings"), "?SSH Admin Server IP (");
	assert_has(desk_type(&desk, ""), "?SSH Admin Server Port (");
	assert_has(desk_type(&desk, ""), ".0\n");
}

/*
 * No command enables NTP yet; a record of a later release does.
 *
 * req: KS-07-011 KS-07-021 KS-07-022
 */
static void
while_ntp_is_enabled_nobody_sets_the_clock(void **state)
{
	struct appliance *a = &desk.bench.appliance;
	int64_t before_s;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	assert_ok(record_put(a->store, "setting", bytes_of_text("ntp/enable"),
	    bytes_of_text("yes")));
	settings_settle(a->settings, false); /* as the store has it */
	before_s = env_wall_s(desk.bench.rig.env);
	assert_has(desk_type(&desk, "clock set 2031-05-05 10:00:00"),
	    "=Error: Date and Time: not while NTP is enabled\n.1\n");
	assert_has(desk_audited(&desk), "not while NTP is enabled");
	assert_int_equal(env_wall_s(desk.bench.rig.env), before_s);
	/* the time zone can be */
	assert_has(desk_type(&desk, "timezone Europe/Berlin"), ".0\n");
	assert_ok(
	    record_delete(a->store, "setting", bytes_of_text("ntp/enable")));
	settings_settle(a->settings, false);
	assert_has(desk_type(&desk, "clock set 2031-05-05 10:00:00"), ".0\n");
}

/* ---- administrators ---- */

/* req: KS-15-031 KS-15-055 KS-15-056 KS-15-067 KS-15-069 */
static void
administrators_are_created(void **state)
{
	struct admin admin;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	/* in a dialogue */
	assert_says(desk_type(&desk, "administrator alice"), "*Password:\n");
	assert_says(desk_type(&desk, "vK4!trmpq"), "*Confirm Password:\n");
	assert_says(desk_type(&desk, "vK4!trmpq"), "?Full Name:\n");
	assert_says(desk_type(&desk, "Alice Example"), "?Description:\n");
	assert_says(
	    desk_type(&desk, ""), "?High Access Administrator (yes/no):\n");
	assert_says(desk_type(&desk, "yes"),
	    "?Access Control (all, none, or words):\n");
	assert_has(desk_type(&desk, ""), ".0\n");
	assert_has(desk_audited(&desk),
	    "[root]: created administrator alice: High Access Administrator: "
	    "yes, Access Control: Keys and Authorization Policies, ");
	assert_has_not(desk_audited(&desk), "vK4!trmpq");
	admin = account_of("alice");
	assert_string_equal(admin.full_name, "Alice Example");
	assert_true(admin.high);
	assert_int_equal(admin.controls, CONTROLS_ALL);
	assert_int_equal(admin.must, ADMIN_MUST_FIRST);
	admin_drop(&admin);
	/* in words; what High Access brings can be taken off */
	assert_has(desk_types(&desk,
		       "administrator carol high-access yes access-control "
		       "keys,ssh full-name \"Carol C.\"\n"
		       "vK4!trmpq\nvK4!trmpq"),
	    ".0\n");
	admin = account_of("carol");
	assert_int_equal(admin.controls,
	    CONTROL_BIT(CONTROL_KEYS) | CONTROL_BIT(CONTROL_SSH));
	admin_drop(&admin);
	assert_has(desk_type(&desk, "show administrator carol"),
	    "=Full Name: Carol C.\n=Description: \n"
	    "=High Access Administrator: yes\n"
	    "=Access Control: Keys and Authorization Policies, Admin Access "
	    "via SSH\n=Password: to be changed at the next login\n");
	assert_has(desk_type(&desk, "show administrator"),
	    "=  root                            Local  yes   never expires\n");
}

static const struct {
	const char *lines;
	const char *says;
} refusals[] = {
    {"administrator", "Username: it is missing"},
    {"administrator 1bob", "Username: 1bob: must start with a letter"},
    {"administrator b-b", "Username: b-b: letters and digits only"},
    {"administrator bob colour red",
	"\"colour\": full-name, description, high-access or access-control"},
    {"administrator bob high-access", "\"high-access\": it has no value"},
    {"administrator bob high-access maybe",
	"High Access Administrator: maybe: yes or no"},
    {"administrator bob access-control keys,cars", "Access Control: cars: "},
    {"administrator bob\nvK4!trmpq\nvK4!trmpw",
	"Confirm Password: the two are not the same"},
    {"administrator bob high-access no\npassword\npassword", "Error: "},
    {"administrator root high-access no\nvK4!trmpq\nvK4!trmpq",
	"Username: root: there is an administrator of this name"},
    {"edit administrator bob high-access yes",
	"Username: bob: there is no such administrator"},
    {"edit administrator root high-access no", "High Access Administrator"},
    {"no administrator bob\nyes",
	"Username: bob: there is no such administrator"},
    {"no administrator root\nyes", "Username: root: "},
    {"no administrator a b", "what is \"b\" for?"},
    {"reset administrator password bob\nvK4!trmpq\nvK4!trmpq",
	"Username: bob: there is no such administrator"},
    {"reset administrator password root",
	"your own password is changed with password"},
    {"show administrator bob", "Username: bob: there is no such administrator"},
    {"password\nwrong\nvK4!trmpq\nvK4!trmpq", "Error: "},
    {"password\n" DESK_PASSWORD "\nxxxxxxxx\nxxxxxxxx", "Error: "},
};

/* req: KS-15-041 KS-15-042 KS-15-054 KS-15-107 KS-17-033 KS-17-038 */
static void
what_cannot_be_of_an_administrator_is_refused(void **state)
{
	size_t k;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(refusals); k++) {
		const char *said = desk_types(&desk, refusals[k].lines);
		struct admin root;

		assert_has(said, refusals[k].says);
		assert_has(said, "=Error: ");
		assert_has(said, ".1\n" CONFIG);
		assert_has(desk_audited(&desk), "[root]: Refused: ");
		assert_false(account_is_there("bob"));
		root = account_of("root");
		assert_true(root.high);
		assert_int_equal(root.must, ADMIN_MUST_NOT);
		admin_drop(&root);
	}
}

/* req: KS-15-030 KS-15-031 KS-15-068 */
static void
administrators_are_edited(void **state)
{
	struct admin admin;

	(void)state;
	desk_account(&desk, "bob", false, CONTROL_BIT(CONTROL_KEYS));
	(void)desk_sit_as(&desk, "root");
	(void)desk_types(&desk,
	    "config\nedit administrator bob access-control ssh,hsm "
	    "description \"night shift\"");
	admin = account_of("bob");
	assert_string_equal(admin.description, "night shift");
	assert_int_equal(admin.controls,
	    CONTROL_BIT(CONTROL_SSH) | CONTROL_BIT(CONTROL_HSM));
	admin_drop(&admin);
	/* High Access brings all, and its end takes nothing else */
	(void)desk_type(&desk, "edit administrator bob high-access yes");
	admin = account_of("bob");
	assert_int_equal(admin.controls, CONTROLS_ALL);
	admin_drop(&admin);
	(void)desk_type(&desk, "edit administrator bob high-access no");
	admin = account_of("bob");
	assert_false(admin.high);
	assert_int_equal(admin.controls, CONTROLS_ALL);
	admin_drop(&admin);
	/* a dialogue */
	assert_has(desk_type(&desk, "edit administrator bob"), "?Full Name:\n");
	assert_says(desk_types(&desk, "Bob\n\n\nnone"), ".0\n" CONFIG);
	admin = account_of("bob");
	assert_string_equal(admin.full_name, "Bob");
	assert_string_equal(admin.description, "night shift");
	assert_int_equal(admin.controls, 0);
	admin_drop(&admin);
	/* one may give oneself what one lacks */
	desk_account(&desk, "root", true, 0);
	assert_has(desk_type(&desk, "edit host name x"), "Access denied");
	(void)desk_type(&desk, "edit administrator root access-control all");
	assert_has(desk_type(&desk, "edit host name x"), ".0\n");
}

/* req: KS-15-106 */
static void
a_deletion_takes_a_secondary_approval(void **state)
{
	(void)state;
	desk_account(&desk, "bob", false, 0);
	(void)desk_sit_as(&desk, "root");
	assert_says(desk_types(&desk, "config\nno administrator bob"),
	    "?Secondary Approval: delete administrator bob (yes/no):\n");
	assert_says(desk_type(&desk, "no"),
	    "=Error: Secondary Approval: not yes: "
	    "nothing was done\n.1\n" CONFIG);
	assert_true(account_is_there("bob"));
	assert_says(
	    desk_types(&desk, "no administrator bob\nyes"), ".0\n" CONFIG);
	assert_false(account_is_there("bob"));
	assert_has(desk_audited(&desk), "[root]: deleted administrator bob");
}

/* req: KS-15-029 KS-15-048 KS-15-049 KS-15-050 */
static void
a_password_is_reset_by_another(void **state)
{
	(void)state;
	desk_account(&desk, "bob", false, 0);
	(void)desk_sit_as(&desk, "root");
	assert_says(
	    desk_types(&desk, "config\nreset administrator password bob\n"
			      "vK4!trmpq\nvK4!trmpq"),
	    "=The password has been set.\n.0\n" CONFIG);
	assert_has(desk_audited(&desk),
	    "[root]: changed password of administrator bob");
	(void)desk_sit(&desk, &serial);
	assert_has(desk_types(&desk, "bob\nvK4!trmpq"),
	    "=The password was set by another administrator, and has to be "
	    "changed.\n*New Password:\n");
}

/* req: KS-17-032 KS-17-033 */
static void
everybody_changes_ones_own_password(void **state)
{
	(void)state;
	desk_account(&desk, "bob", false, 0);
	(void)desk_sit_as(&desk, "bob");
	assert_says(desk_type(&desk, "password"), "*Current Password:\n");
	assert_says(desk_types(&desk, DESK_PASSWORD "\nvK4!trmpq\nvK4!trmpq"),
	    "=The password has been set.\n.0\n" PLAIN);
	assert_has(desk_audited(&desk), "[bob]: changed own password");
	(void)desk_sit(&desk, &serial);
	assert_says(desk_types(&desk, "bob\nvK4!trmpq"), PLAIN);
	(void)desk_sit(&desk, &serial);
	assert_has(desk_types(&desk, "bob\n" DESK_PASSWORD), "incorrect");
}

/* ---- several administrators ---- */

static void
require_two(void)
{
	desk_account(&desk, "alice", true, CONTROLS_ALL);
	(void)desk_sit_as(&desk, "root");
	assert_has(
	    desk_types(&desk, "config\nedit multiple credentials require yes "
			      "time-limited yes"),
	    ".0\n");
}

/* req: KS-18-003 KS-18-012 KS-18-016 KS-18-017 KS-18-054 ESKM-189 */
static void
others_are_asked_to_confirm(void **state)
{
	(void)state;
	require_two();
	desk_account(&desk, "bob", false, 0);
	assert_says(desk_type(&desk, "no administrator bob"),
	    "=This takes the credentials of 1 more administrator.\n"
	    "?Additional administrator:\n");
	assert_says(desk_types(&desk, "alice\n" DESK_PASSWORD),
	    "?Secondary Approval: delete administrator bob (yes/no):\n");
	assert_says(desk_type(&desk, "yes"), ".0\n" CONFIG);
	assert_has(desk_audited(&desk),
	    "[root]: deleted administrator bob (confirmed by alice)");
	/* nobody, a wrong password, oneself, who may not do it */
	assert_has(desk_types(&desk, "administrator eve\nnobody\nx"),
	    "=Error: these credentials confirm nothing\n.1\n");
	assert_has(desk_types(&desk, "administrator eve\nalice\nx"),
	    "=Error: these credentials confirm nothing\n.1\n");
	assert_has(desk_types(&desk, "administrator eve\nroot\n" DESK_PASSWORD),
	    "root: has confirmed it already");
	desk_account(&desk, "bob", false, CONTROLS_ALL);
	assert_has(desk_types(&desk, "administrator eve\nbob\n" DESK_PASSWORD),
	    "\"High Access Administrator\" access control is required");
	assert_has(desk_audited(&desk), "[root]: Refused: create ");
	assert_false(account_is_there("eve"));
	/* what is not on the list takes one; and so does one's own password */
	assert_has(desk_type(&desk, "edit host name x"), ".0\n");
	assert_has(desk_type(&desk, "password"), "*Current Password:\n");
	desk_forget(&desk);
	cli_break(desk.cli);
	/* its end takes them as well */
	assert_has(desk_type(&desk, "edit multiple credentials require no"),
	    "?Additional administrator:\n");
	assert_has(desk_types(&desk, "alice\n" DESK_PASSWORD), ".0\n");
	assert_has(desk_type(&desk, "no administrator bob"), "?Secondary");
}

/*
 * req: KS-18-024 KS-18-025 KS-18-026 KS-18-037 KS-18-045 KS-18-048 KS-18-050
 * req: KS-18-058 KS-18-060 KS-18-061 KS-18-062 KS-18-064 KS-18-065
 */
static void
credentials_are_granted_for_a_time(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_has(desk_type(&desk, "grant credential to alice for 10 ldap"),
	    "Require Multiple Credentials: no: nothing can be granted");
	require_two();
	(void)desk_type(&desk, "exit");
	assert_says(desk_type(&desk, "grant credential to alice for 10 "
				     "modify-keys,delete-keys"),
	    "=Credential 1\n=  Grant to: alice\n=  Grant by: root\n"
	    "=  Expiration: 1970-01-01 00:10:00\n"
	    "=  Allowed Operations: Add/Modify keys, Delete keys\n"
	    ".0\n" PLAIN);
	assert_has(desk_audited(&desk),
	    "[root]: granted credentials to alice for 10 minutes: Add/Modify "
	    "keys, Delete keys");
	/* in a dialogue */
	assert_has(desk_types(&desk, "grant credential\nalice\n20\npolicies"),
	    "=Credential 2\n");
	/* not as long as the most, not what there is not, not so */
	assert_has(desk_type(&desk, "grant credential to alice for 480 ldap"),
	    "Duration (minutes): 480: ");
	assert_has(desk_type(&desk, "grant credential to alice for x ldap"),
	    "Duration (minutes): x: ");
	assert_has(desk_type(&desk, "grant credential to alice for 9 admins"),
	    "Allowed Operations: admins: ");
	assert_has(desk_type(&desk, "grant credential to root for 9 ldap"),
	    "Grant to: root: ");
	assert_has(desk_type(&desk, "grant credential alice"),
	    "grant credential to NAME for MINUTES");
	/* both see them, and nobody else does */
	assert_has(
	    desk_type(&desk, "show credential grants"), "=Credential 2\n");
	desk_account(&desk, "bob", true, CONTROLS_ALL);
	(void)desk_sit_as(&desk, "bob");
	assert_says(desk_type(&desk, "show credential grants"), ".0\n" PLAIN);
	assert_has(desk_type(&desk, "revoke credential 1"),
	    "there is no such credential");
	(void)desk_sit_as(&desk, "alice");
	assert_has(
	    desk_type(&desk, "show credential grants"), "=Credential 1\n");
	assert_has(desk_type(&desk, "revoke credential 1"), ".0\n");
	assert_has(desk_audited(&desk),
	    "[alice]: revoked credential 1: granted to alice by root");
	assert_has_not(
	    desk_type(&desk, "show credential grants"), "=Credential 1\n");
	desk_advance(&desk, 20 * MINUTE_MS);
	assert_says(desk_type(&desk, "show credential grants"), ".0\n" PLAIN);
}

/* ---- clock, services, logs ---- */

/* req: KS-07-009 KS-18-040 */
static void
the_clock_is_set_and_ends_grants(void **state)
{
	(void)state;
	require_two();
	(void)desk_type(&desk, "grant credential to alice for 10 ldap");
	assert_has(desk_type(&desk, "show credential grants"), "Credential");
	assert_says(
	    desk_type(&desk, "clock set 2012-05-04 11:22:33"), ".0\n" CONFIG);
	assert_has(desk_audited(&desk),
	    "[root]: set date and time: 2012-05-04 11:22:33");
	assert_says(desk_type(&desk, "show credential grants"), ".0\n" CONFIG);
	assert_has(
	    desk_type(&desk, "show clock"), "=2012-05-04 11:22:33 UTC\n");
	assert_has(
	    desk_type(&desk, "clock set \"2012-05-04 11:22:34\""), ".0\n");
	assert_has(desk_type(&desk, "timezone Europe/Amsterdam"), ".0\n");
	assert_has(desk_type(&desk, "show clock"),
	    "=2012-05-04 13:22:34 Europe/Amsterdam\n");
	/* what is no time, and no zone */
	assert_has(desk_type(&desk, "clock set 2012-02-30 11:22:33"),
	    "=Error: Date and Time: 2012-02-30 11:22:33: ");
	assert_has(desk_type(&desk, "clock set"), "=Error: Date and Time: ");
	assert_has(desk_type(&desk, "timezone Atlantis"), "=Error: ");
	assert_has(desk_type(&desk, "show clock"),
	    "=2012-05-04 13:22:34 Europe/Amsterdam\n");
}

static enum err
starts(void *ctx)
{
	service_started(desk.bench.appliance.services, SERVICE_SSH);
	(void)ctx;
	return OK;
}

/* It takes its time. */
static void
stops(void *ctx)
{
	(void)ctx;
}

/*
 * req: KS-24-002 KS-24-003 KS-24-004 KS-24-005 KS-24-008 KS-24-009 KS-24-010
 * req: KS-24-011 KS-24-012 KS-24-013 KS-24-014
 */
static void
services_are_started_and_stopped(void **state)
{
	static const struct service_functions functions = {
	    .start = starts, .stop = stops};

	(void)state;
	service_offer(desk.bench.appliance.services, SERVICE_SSH, &functions);
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	assert_has(desk_type(&desk, "show services"),
	    "=  ssh           SSH Administration    Stopped          "
	    "Enabled\n");
	assert_has(desk_type(&desk, "service start ssh"),
	    "=SSH Administration: Started\n.0\n");
	assert_has(desk_audited(&desk), "service start");
	assert_has(desk_audited(&desk), "SSH Administration");
	assert_has(desk_type(&desk, "service start ssh"),
	    "=Error: SSH Administration: it is Started\n.1\n");
	assert_has(desk_type(&desk, "service stop ssh"),
	    "=SSH Administration: Stopping...\n.0\n");
	service_stopped(desk.bench.appliance.services, SERVICE_SSH);
	assert_has(desk_type(&desk, "show services"), "Stopped ");
	assert_has(desk_type(&desk, "service restart ssh"), ".0\n");
	assert_has(desk_type(&desk, "service startup ssh disabled"), ".0\n");
	assert_has(desk_audited(&desk),
	    "[root]: SSH Administration startup: Disabled");
	assert_has(desk_type(&desk, "show services"),
	    "SSH Administration    Started          Disabled\n");
	assert_has(desk_type(&desk, "service startup ssh enabled"), ".0\n");
	assert_has(desk_type(&desk, "show services"), "Enabled\n");
	assert_has(desk_type(&desk, "service start snmp"),
	    "=Error: SNMP Agent is not available on this device yet\n");
	assert_has(
	    desk_type(&desk, "service start cars"), "=Error: Service: cars: ");
	assert_has(desk_type(&desk, "service start"), "it is missing");
	assert_has(desk_type(&desk, "service startup ssh maybe"),
	    "=Error: Startup: maybe: ");
}

static void
the_audit_log_is_shown(void **state)
{
	const char *said;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_types(&desk, "config\nedit host name one\nedit host name "
				"two\nexit");
	said = desk_type(&desk, "show log audit 1");
	assert_has(said, "[root]: Hostname: two\n.0\n");
	assert_has_not(said, "Hostname: one");
	assert_has(desk_type(&desk, "show log audit"), "Hostname: one");
	assert_has(desk_type(&desk, "show log audit 0"), "=Error: Lines: 0: ");
	assert_has(desk_type(&desk, "show log audit 1 2"),
	    "=Error: Show Log: 2: file, lines or wrap\n");
}

static void
the_device_says_what_it_is(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	assert_has(desk_type(&desk, "show version"), "=Touchstone ");
	assert_has(desk_type(&desk, "show device"), "=Hostname: touchstone\n");
	assert_has(desk_type(&desk, "show device"), "=HSM: no\n");
	assert_has(desk_type(&desk, "show access controls"),
	    "=  network           Network and Date/Time\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_and_its_password_let_one_in),
	    TEST(a_locked_account_is_told_so),
	    TEST(a_door_may_have_logged_one_in),
	    TEST(a_password_that_was_given_has_to_be_changed),
	    TEST(a_door_leaves_the_change_to_the_session),
	    TEST(who_leaves_it_alone_is_logged_out),
	    TEST(a_secret_is_asked_for_and_not_shown),
	    TEST(a_dialogue_can_be_given_up),
	    TEST(tab_completes_what_can_be_meant),
	    TEST(commands_are_remembered_and_answers_are_not),
	    TEST(what_is_refused_is_written_down),
	    TEST(each_command_asks_for_its_access_control),
	    TEST(access_can_be_taken_from_who_is_there),
	    TEST(the_serial_console_needs_no_access_control),
	    TEST(settings_are_shown_and_edited),
	    TEST(one_wrong_value_leaves_all_as_they_are),
	    TEST(what_is_not_there_yet_is_shown_and_refused),
	    TEST(while_ntp_is_enabled_nobody_sets_the_clock),
	    TEST(administrators_are_created),
	    TEST(what_cannot_be_of_an_administrator_is_refused),
	    TEST(administrators_are_edited),
	    TEST(a_deletion_takes_a_secondary_approval),
	    TEST(a_password_is_reset_by_another),
	    TEST(everybody_changes_ones_own_password),
	    TEST(others_are_asked_to_confirm),
	    TEST(credentials_are_granted_for_a_time),
	    TEST(the_clock_is_set_and_ends_grants),
	    TEST(services_are_started_and_stopped),
	    TEST(the_audit_log_is_shown),
	    TEST(the_device_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

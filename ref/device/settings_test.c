#include "device/settings.h"

#include "store/rig_test.h"

/* ---- the rows ---- */

static void
test_each_row_is_whole(void **state)
{
	unsigned k;
	unsigned j;

	(void)state;
	for (k = 0; k < SETTING_COUNT; k++) {
		const struct setting_row *row = setting_row((enum setting)k);
		char out[ENTRY_OCTETS];
		int64_t number;

		assert_true(row->section < SECTION_COUNT);
		assert_int_not_equal(strlen(row->name), 0);
		assert_int_not_equal(strlen(row->clause), 0);
		/* no backup leaves one out */
		assert_true(row->item < ITEM_COUNT);
		/* it is part of a key of the store, and of a command */
		assert_int_not_equal(strlen(row->word), 0);
		assert_int_equal(strlen(row->word),
		    strspn(row->word, "abcdefghijklmnopqrstuvwxyz0123456789-"));
		for (j = 0; j < k; j++) {
			const struct setting_row *other =
			    setting_row((enum setting)j);

			assert_false(other->section == row->section &&
				     strcmp(other->word, row->word) == 0);
		}
		/* its default, and what FIPS wants, are as they would be kept
		 */
		if (entry_read(&row->rule, bytes_of_text(row->initial), out,
			&number) != OK ||
		    strcmp(out, row->initial) != 0)
			fail_msg("%s: default '%s'", row->word, row->initial);
		if (row->fips != FIPS_NONE)
			assert_ok(entry_read(&row->rule,
			    bytes_of_text(row->fips), out, &number));
		if (row->rule.type == ENTRY_NUMBER) {
			assert_true(row->rule.step > 0);
			assert_true(row->rule.least <= row->rule.most);
			assert_int_equal(row->rule.least % row->rule.step, 0);
		}
	}
}

static void
test_each_section_is_whole(void **state)
{
	unsigned k;
	unsigned j;

	(void)state;
	for (k = 0; k < SECTION_COUNT; k++) {
		const struct section_row *row = section_row((enum section)k);
		unsigned count = 0;

		assert_int_not_equal(strlen(row->title), 0);
		assert_int_not_equal(strlen(row->page), 0);
		assert_int_not_equal(strlen(row->words), 0);
		assert_int_equal(strlen(row->words),
		    strspn(row->words, "abcdefghijklmnopqrstuvwxyz- "));
		for (j = 0; j < k; j++)
			assert_string_not_equal(
			    row->words, section_row((enum section)j)->words);
		for (j = 0; j < SETTING_COUNT; j++)
			count += setting_row((enum setting)j)->section ==
				 (enum section)k;
		assert_int_not_equal(count, 0);
	}
}

static void
test_a_row_is_found_by_its_word(void **state)
{
	static const struct {
		const char *word;
		size_t octets;
		enum err rc;
		enum setting want;
	} rows[] = {
	    {"length", 6, OK, SETTING_PASSWORD_LENGTH},
	    {"len", 3, OK, SETTING_PASSWORD_LENGTH},
	    {"lower-case", 10, OK, SETTING_PASSWORD_LOWER},
	    {"l", 1, ERR_COUNT, 0},
	    {"lengths", 7, ERR_NOT_FOUND, 0},
	    {"length\0", 7, ERR_NOT_FOUND, 0},
	    {"length\0and what follows in memory", 33, ERR_NOT_FOUND, 0},
	    {"Length", 6, ERR_NOT_FOUND, 0},
	    {"name", 4, ERR_NOT_FOUND, 0}, /* of another section */
	    {"", 0, ERR_NOT_FOUND, 0},
	};
	enum setting got;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		struct bytes word = {
		    (const uint8_t *)rows[k].word, rows[k].octets};

		assert_err(
		    setting_find(SECTION_PASSWORD, word, &got), rows[k].rc);
		if (rows[k].rc == OK)
			assert_int_equal(got, rows[k].want);
	}
	/* a whole word is itself, though another begins with it */
	assert_ok(setting_find(SECTION_NTP, bytes_of_text("server-1"), &got));
	assert_int_equal(got, SETTING_NTP_SERVER_1);
}

static void
test_the_manual_has_every_row(void **state)
{
	struct buf out;
	unsigned k;

	(void)state;
	buf_init(&out, 256 * 1024);
	assert_ok(settings_manual(&out));
	assert_ok(buf_put(&out, (struct bytes){(const uint8_t *)"", 1}));
	for (k = 0; k < SETTING_COUNT; k++) {
		const struct setting_row *row = setting_row((enum setting)k);
		char *begin = NULL;

		assert_ok(
		    mem_printf(&begin, "| `%s` | %s |", row->word, row->name));
		assert_non_null(strstr((const char *)out.at, begin));
		mem_free(begin);
	}
	buf_clear(&out);
}

/* ---- values ---- */

static struct settings *
open_settings(void **state)
{
	struct rig *rig = *state;
	struct settings *settings;

	assert_ok(settings_new(rig->st, &settings));
	return settings;
}

static void
set(struct settings *settings, enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(
	    setting_set(settings, which, bytes_of_text(value), &changed, why));
	assert_true(changed);
}

static size_t
records(struct rig *rig, const char *key)
{
	struct buf value;
	size_t count;

	buf_init(&value, 1024);
	count =
	    record_get(rig->st, "setting", bytes_of_text(key), &value) == OK;
	buf_clear(&value);
	return count;
}

static void
test_a_new_device_has_the_defaults(void **state)
{
	struct settings *settings = open_settings(state);

	assert_string_equal(
	    setting_text(settings, SETTING_HOST_NAME), "touchstone");
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_AGE), 0);
	assert_string_equal(
	    setting_shown(settings, SETTING_PASSWORD_AGE), "Never");
	assert_int_equal(setting_number(settings, SETTING_SSH_PORT), 22);
	assert_string_equal(setting_shown(settings, SETTING_SSH_PORT), "22");
	assert_int_equal(setting_number(settings, SETTING_SEVERAL), 0);
	assert_string_equal(setting_shown(settings, SETTING_SEVERAL), "no");
	assert_int_equal(setting_number(settings, SETTING_LOCKOUT_RULE), 0);
	settings_free(settings);
}

static void
test_what_is_set_outlives_the_process(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);

	set(settings, SETTING_PASSWORD_AGE, "030");
	set(settings, SETTING_LOCKOUT_RULE, "one");
	set(settings, SETTING_HOST_NAME, "demo");
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_AGE), 30);
	assert_ok(store_commit(rig->st));
	settings_free(settings);
	rig_reopen(rig);

	settings = open_settings(state);
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_AGE), 30);
	assert_string_equal(
	    setting_shown(settings, SETTING_PASSWORD_AGE), "30");
	assert_int_equal(setting_number(settings, SETTING_LOCKOUT_RULE), 1);
	assert_string_equal(setting_text(settings, SETTING_HOST_NAME), "demo");
	settings_free(settings);
}

struct looked {
	unsigned records;
	unsigned in_the_clear;
};

static enum err
look_at(void *ctx, struct bytes key, struct bytes value)
{
	struct looked *looked = ctx;

	(void)key;
	looked->records++;
	if (memmem(value.at, value.octets, "opensesame", 10) != NULL)
		looked->in_the_clear++;
	return OK;
}

static void
assert_secret(struct settings *settings, enum setting which, const char *want)
{
	struct secret *secret = NULL;

	assert_ok(setting_secret(settings, which, &secret));
	assert_true(bytes_equal_text(secret_peek(secret), want));
	secret_free(secret);
}

/* req: KS-20-091 */
static void
test_a_secret_is_kept_sealed_and_never_shown(void **state)
{
	const enum setting one = SETTING_LOG_AUDIT_PASSWORD;
	const enum setting other = SETTING_LOG_SYSTEM_PASSWORD;
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	struct looked looked = {0};
	struct secret *secret = NULL;
	char why[SETTING_WHY_OCTETS] = "";
	char vault[300];
	bool changed;

	(void)snprintf(vault, sizeof(vault), "%s/vault.key", rig->dir);
	assert_err(setting_set(settings, one, bytes_of_text("opensesame"),
		       &changed, why),
	    ERR_FEATURE);
	settings_use_vault(settings, rig->env, vault);
	assert_err(setting_secret(settings, one, &secret), ERR_NOT_FOUND);
	assert_string_equal(setting_shown(settings, one), "");
	set(settings, one, "opensesame");
	assert_string_equal(setting_shown(settings, one), "(set)");
	assert_secret(settings, one, "opensesame");
	assert_ok(record_each(rig->st, "setting.secret", look_at, &looked));
	assert_int_equal(looked.records, 1);
	assert_int_equal(looked.in_the_clear, 0);
	assert_int_equal(records(rig, "log-rotation-audit/password"), 0);

	/* refused, it is not said either */
	assert_err(setting_set(settings, one, bytes_of_text("open sesame"),
		       &changed, why),
	    ERR_FIELD);
	assert_null(strstr(why, "sesame"));

	assert_ok(store_commit(rig->st));
	settings_free(settings);
	rig_reopen(rig);
	settings = open_settings(state);
	settings_use_vault(settings, rig->env, vault);
	assert_string_equal(setting_shown(settings, one), "(set)");
	assert_string_equal(setting_shown(settings, other), "");
	assert_secret(settings, one, "opensesame");
	set(settings, one, "another");
	assert_secret(settings, one, "another");
	set(settings, one, "");
	assert_string_equal(setting_shown(settings, one), "");
	assert_err(setting_secret(settings, one, &secret), ERR_NOT_FOUND);
	settings_free(settings);
	assert_int_equal(remove(vault), 0);
}

/* A later release's other default reaches those who never chose. */
static void
test_a_default_is_not_kept(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);

	assert_int_equal(records(rig, "password-settings/expiration"), 0);
	set(settings, SETTING_PASSWORD_AGE, "30");
	assert_int_equal(records(rig, "password-settings/expiration"), 1);
	set(settings, SETTING_PASSWORD_AGE, "never");
	assert_int_equal(records(rig, "password-settings/expiration"), 0);
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_AGE), 0);
	settings_free(settings);
}

static void
test_the_same_again_is_no_change(void **state)
{
	struct settings *settings = open_settings(state);
	char why[SETTING_WHY_OCTETS];
	bool changed = true;

	assert_ok(setting_set(
	    settings, SETTING_SSH_PORT, bytes_of_text("022"), &changed, why));
	assert_false(changed);
	settings_free(settings);
}

static void
test_a_refusal_names_field_value_and_rule(void **state)
{
	static const struct {
		enum setting which;
		const char *value;
		enum err rc;
		const char *why;
	} rows[] = {
	    {SETTING_PASSWORD_AGE, "366", ERR_FIELD,
		"Password Expiration: Maximum Password Age (days): 366: "
		"1 to 365, or Never"},
	    {SETTING_SSH_PORT, "ssh\n", ERR_FIELD,
		"SSH Admin Server Port: ssh\\x0a: 1 to 65535"},
	    {SETTING_PERSONALITY, "", ERR_FIELD,
		"Personality: (empty): keysecure-6.2 or eskm"},
	    /* its feature comes later, whatever the value */
	    {SETTING_NTP_POLL, "15", ERR_FEATURE,
		"Poll Interval (minutes) is not available on this device yet"},
	    {SETTING_WEB_PORT, "70000", ERR_FEATURE,
		"Web Admin Server Port is not available on this device yet"},
	};
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	size_t k;

	for (k = 0; k < LENGTH(rows); k++) {
		char before[SETTING_VALUE_OCTETS];
		char out[SETTING_VALUE_OCTETS];
		char why[SETTING_WHY_OCTETS];
		bool changed = true;

		(void)strcpy(before, setting_shown(settings, rows[k].which));
		assert_err(setting_check(rows[k].which,
			       bytes_of_text(rows[k].value), out, why),
		    rows[k].rc);
		assert_string_equal(why, rows[k].why);
		assert_err(setting_set(settings, rows[k].which,
			       bytes_of_text(rows[k].value), &changed, why),
		    rows[k].rc);
		assert_string_equal(why, rows[k].why);
		assert_false(changed);
		assert_string_equal(
		    setting_shown(settings, rows[k].which), before);
	}
	assert_false(store_must_wait(rig->st)); /* nothing was written */
	settings_free(settings);
}

/*
 * The guide's limits and defaults; the rows cannot vouch for themselves.
 *
 * req: KS-10-005 KS-17-046 KS-17-051
 */
static void
test_the_rows_have_the_guides_limits(void **state)
{
#define A_16 "aaaaaaaaaaaaaaaa"
#define A_63 A_16 A_16 A_16 "aaaaaaaaaaaaa.a"
	static const struct {
		enum setting which;
		const char *value;
		enum err rc;
	} rows[] = {
	    {SETTING_HOST_NAME, A_63 "a", OK},
	    {SETTING_HOST_NAME, A_63 "aa", ERR_FIELD},
	    {SETTING_PASSWORD_AGE, "1", OK},
	    {SETTING_PASSWORD_AGE, "365", OK},
	    {SETTING_PASSWORD_AGE, "366", ERR_FIELD},
	    {SETTING_PASSWORD_AGE, "Never", OK},
	    {SETTING_PASSWORD_HISTORY, "0", ERR_FIELD},
	    {SETTING_PASSWORD_HISTORY, "1", OK},
	    {SETTING_PASSWORD_HISTORY, "25", OK},
	    {SETTING_PASSWORD_HISTORY, "26", ERR_FIELD},
	    {SETTING_PASSWORD_HISTORY, "Disabled", OK},
	    {SETTING_SEVERAL_COUNT, "1", ERR_FIELD},
	    {SETTING_SEVERAL_COUNT, "2", OK},
	    {SETTING_SSH_PORT, "0", ERR_FIELD},
	    {SETTING_SSH_PORT, "65535", OK},
	    {SETTING_SSH_PORT, "65536", ERR_FIELD},
	    {SETTING_SSH_ADDRESS, "All", OK},
	    {SETTING_SSH_ADDRESS, "127.0.0.2", OK},
	    {SETTING_SSH_ADDRESS, "127.0.0", ERR_FIELD},
	};
	char why[SETTING_WHY_OCTETS];
	char out[SETTING_VALUE_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++)
		if (setting_check(rows[k].which, bytes_of_text(rows[k].value),
			out, why) != rows[k].rc)
			fail_msg("%s: %s", setting_row(rows[k].which)->name,
			    rows[k].value);
}

static void
test_the_rows_have_the_guides_defaults(void **state)
{
	static const struct {
		enum setting which;
		const char *value;
		enum setting_state state;
	} rows[] = {
	    {SETTING_PASSWORD_AGE, "Never", DONE},
	    {SETTING_PASSWORD_HISTORY, "Disabled", DONE},
	    {SETTING_LOCKOUT_SERIAL, "5", DONE},
	    {SETTING_LOCKOUT_REMOTE, "30", DONE},
	    {SETTING_SSH_PORT, "22", DONE},
	    {SETTING_WEB_PORT, "9443", NOT_YET},
	    {SETTING_CLUSTER_PORT, "9001", NOT_YET},
	    {SETTING_FIPS_SERVER_PORT, "9081", NOT_YET},
	    {SETTING_AGENT_PORT, "9656", NOT_YET},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		const struct setting_row *row = setting_row(rows[k].which);

		assert_string_equal(row->initial, rows[k].value);
		assert_int_equal(row->state, rows[k].state);
	}
}

static void
test_a_value_is_told_as_it_would_be_kept(void **state)
{
	char why[SETTING_WHY_OCTETS];
	char out[SETTING_VALUE_OCTETS];

	(void)state;
	assert_ok(setting_check(
	    SETTING_PASSWORD_HISTORY, bytes_of_text("DISABLED"), out, why));
	assert_string_equal(out, "Disabled");
	assert_ok(setting_check(
	    SETTING_SSH_ADDRESS, bytes_of_text("::0001"), out, why));
	assert_string_equal(out, "::1");
}

/* ---- damaged, or of another release ---- */

static void
put(struct rig *rig, const char *key, const char *value)
{
	assert_ok(record_put(
	    rig->st, "setting", bytes_of_text(key), bytes_of_text(value)));
}

static void
test_a_record_without_a_row_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct settings *settings;

	put(rig, "of-a-later/release", "x");
	settings = open_settings(state);
	set(settings, SETTING_SSH_PORT, "2222");
	assert_int_equal(records(rig, "of-a-later/release"), 1);
	settings_free(settings);
}

static void
test_a_value_against_its_row_is_damage(void **state)
{
	struct rig *rig = *state;
	struct settings *settings;

	put(rig, "ras-settings/ssh-port", "70000");
	assert_err(settings_new(rig->st, &settings), ERR_STORE);
	assert_null(settings);
}

/* ---- those who follow ---- */

struct ear {
	struct settings_watch watch;
	struct settings *settings;
	unsigned told[SETTING_COUNT];
	enum setting bad; /* judged against */
	/* set as soon as it is called, as by another change's done */
	struct store_waiter waiter;
	const char *next;
};

static void
hear(void *ctx, enum setting which)
{
	struct ear *ear = ctx;

	ear->told[which]++;
}

static enum err
judge(void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	struct ear *ear = ctx;

	if (setting_number(settings, ear->bad) == 0)
		return OK;
	(void)snprintf(why, SETTING_WHY_OCTETS, "not %s",
	    setting_shown(settings, ear->bad));
	return ERR_FIELD;
}

static void
open_ear(struct ear *ear, struct settings *settings)
{
	*ear = (struct ear){.settings = settings,
	    .watch = {.judge = judge, .follow = hear, .ctx = ear},
	    .bad = SETTING_SEVERAL};
	settings_watch(settings, &ear->watch);
}

static void
test_followers_are_told_when_it_is_durable(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	struct ear ears[2];

	open_ear(&ears[0], settings);
	open_ear(&ears[1], settings);
	set(settings, SETTING_SSH_PORT, "2222");
	set(settings, SETTING_HOST_NAME, "demo");
	assert_int_equal(ears[0].told[SETTING_SSH_PORT], 0);
	assert_ok(store_commit(rig->st));
	settings_settle(settings, true);
	settings_settle(settings, true); /* the group had two changes */
	assert_int_equal(ears[0].told[SETTING_SSH_PORT], 1);
	assert_int_equal(ears[0].told[SETTING_HOST_NAME], 1);
	assert_int_equal(ears[0].told[SETTING_PASSWORD_AGE], 0);
	assert_int_equal(ears[1].told[SETTING_SSH_PORT], 1);
	settings_free(settings);
}

static void
test_what_is_undone_is_forgotten(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	struct ear ear;

	open_ear(&ear, settings);
	set(settings, SETTING_SSH_PORT, "2222");
	/* another change of the group, refused in its course */
	assert_ok(store_savepoint(rig->st));
	set(settings, SETTING_HOST_NAME, "demo");
	set(settings, SETTING_SSH_PORT, "3333");
	assert_ok(store_rollback_to(rig->st));
	settings_settle(settings, false);

	assert_int_equal(setting_number(settings, SETTING_SSH_PORT), 2222);
	assert_string_equal(
	    setting_text(settings, SETTING_HOST_NAME), "touchstone");
	assert_ok(store_commit(rig->st));
	settings_settle(settings, true);
	assert_int_equal(ear.told[SETTING_SSH_PORT], 1);
	assert_int_equal(ear.told[SETTING_HOST_NAME], 0);
	settings_free(settings);
}

static void
test_a_group_that_fails_takes_its_settings_along(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	struct ear ear;

	open_ear(&ear, settings);
	set(settings, SETTING_SSH_PORT, "2222");
	assert_ok(store_commit(rig->st));
	settings_settle(settings, true);
	set(settings, SETTING_SSH_PORT, "3333");
	vfs_disk_full(0);
	assert_err(store_commit(rig->st), ERR_DISK_FULL);
	settings_settle(settings, false);
	assert_int_equal(setting_number(settings, SETTING_SSH_PORT), 2222);
	assert_int_equal(ear.told[SETTING_SSH_PORT], 1);
	vfs_disk_full(UINT64_MAX);
	settings_free(settings);
}

/* Weaker defaults do not come by way of a damaged store. */
static void
test_a_store_that_cannot_be_read_leaves_what_was_durable(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);

	set(settings, SETTING_PASSWORD_LENGTH, "20");
	assert_ok(store_commit(rig->st));
	settings_settle(settings, true);
	set(settings, SETTING_PASSWORD_AGE, "30");
	put(rig, "ras-settings/ssh-port", "70000");
	settings_settle(settings, false);
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_LENGTH), 20);
	assert_int_equal(setting_number(settings, SETTING_PASSWORD_AGE), 0);
	settings_free(settings);
}

static void
set_next(struct store_waiter *waiter, enum err rc)
{
	struct ear *ear = waiter->ctx;

	assert_int_equal(rc, OK);
	if (ear->next != NULL)
		set(ear->settings, SETTING_SSH_PORT, ear->next);
	ear->next = NULL;
	settings_settle(ear->settings, true);
}

/* One who is told that a group is durable sets something for the next. */
static void
test_the_next_group_is_told_when_it_is_durable_itself(void **state)
{
	struct rig *rig = *state;
	struct settings *settings = open_settings(state);
	struct ear ear;

	open_ear(&ear, settings);
	ear.waiter = (struct store_waiter){.done = set_next, .ctx = &ear};
	ear.next = "2222";
	set(settings, SETTING_HOST_NAME, "demo");
	store_wait(rig->st, &ear.waiter);
	assert_ok(store_commit(rig->st));
	assert_int_equal(ear.told[SETTING_HOST_NAME], 1);
	assert_int_equal(ear.told[SETTING_SSH_PORT], 0);
	settings_settle(settings, true);
	assert_int_equal(ear.told[SETTING_SSH_PORT], 1);
	settings_free(settings);
}

static void
test_who_knows_better_says_no(void **state)
{
	struct settings *settings = open_settings(state);
	char why[SETTING_WHY_OCTETS] = "";
	struct ear ears[2];

	open_ear(&ears[0], settings);
	open_ear(&ears[1], settings);
	ears[1].bad = SETTING_PASSWORD_AGE; /* asked first */
	assert_ok(settings_judge(settings, why));
	set(settings, SETTING_SEVERAL, "yes");
	assert_err(settings_judge(settings, why), ERR_FIELD);
	assert_string_equal(why, "not yes");
	settings_free(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_row_is_whole),
	    cmocka_unit_test(test_each_section_is_whole),
	    cmocka_unit_test(test_a_row_is_found_by_its_word),
	    cmocka_unit_test(test_the_manual_has_every_row),
	    cmocka_unit_test(test_the_rows_have_the_guides_limits),
	    cmocka_unit_test(test_the_rows_have_the_guides_defaults),
	    STORE_TEST(test_a_new_device_has_the_defaults),
	    STORE_TEST(test_what_is_set_outlives_the_process),
	    STORE_TEST(test_a_secret_is_kept_sealed_and_never_shown),
	    STORE_TEST(test_a_default_is_not_kept),
	    STORE_TEST(test_the_same_again_is_no_change),
	    STORE_TEST(test_a_refusal_names_field_value_and_rule),
	    STORE_TEST(test_a_value_is_told_as_it_would_be_kept),
	    STORE_TEST(test_a_record_without_a_row_is_left_alone),
	    STORE_TEST(test_a_value_against_its_row_is_damage),
	    STORE_TEST(test_followers_are_told_when_it_is_durable),
	    STORE_TEST(test_what_is_undone_is_forgotten),
	    STORE_TEST_LAB(test_a_group_that_fails_takes_its_settings_along),
	    STORE_TEST(
		test_a_store_that_cannot_be_read_leaves_what_was_durable),
	    STORE_TEST(test_the_next_group_is_told_when_it_is_durable_itself),
	    STORE_TEST(test_who_knows_better_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Policies as records, their usage periods, and what is refused. */
#include "device/policy.h"

#include <stdio.h>
#include <string.h>

#include "device/accounts_test.h"
#include "wire/schema_enums.h"

#define NAME(text) bytes_of_text(text)

/* Monday, 2026-01-05 00:00:00 UTC */
enum { MONDAY_S = 1767571200 };

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)
#define POLICIES  (bench.appliance.policies)

static const struct principal root_ = {.name = "root", .door = DOOR_SERIAL};
static const struct principal weak = {.name = "weak", .door = DOOR_SSH};

static void
appliance_make(void)
{
	assert_ok(settings_new(STORE, &APPLIANCE->settings));
	assert_ok(clock_new(STORE, bench.rig.env, &APPLIANCE->clock));
	assert_ok(credentials_new(APPLIANCE, &APPLIANCE->credentials));
	assert_ok(policies_new(APPLIANCE, &APPLIANCE->policies));
}

static void
appliance_shut(void)
{
	policies_free(APPLIANCE->policies);
	credentials_free(APPLIANCE->credentials);
	clock_free(APPLIANCE->clock);
	settings_free(APPLIANCE->settings);
}

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	appliance_make();
	account_put(&bench, "root", false, CONTROL_BIT(CONTROL_KEYS));
	account_put(
	    &bench, "weak", false, CONTROLS_ALL & ~CONTROL_BIT(CONTROL_KEYS));
	bench_turn(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vfs_disk_full(UINT64_MAX);
	appliance_shut();
	bench_remove(&bench);
	return 0;
}

/* ---- changes ---- */

struct edit {
	struct change change;
	const char *name;
	const char *operations;
	const struct usage_period *period;
	int64_t number;
	bool is_done;
	enum err rc;
};

static enum err
apply_create(struct change *change)
{
	return policy_create(change, NAME(((struct edit *)change->ctx)->name));
}

static enum err
apply_operations(struct change *change)
{
	const struct edit *e = change->ctx;

	return policy_set_operations(
	    change, NAME(e->name), NAME(e->operations));
}

static enum err
apply_add(struct change *change)
{
	const struct edit *e = change->ctx;

	return policy_add_period(change, NAME(e->name), e->period);
}

static enum err
apply_remove(struct change *change)
{
	const struct edit *e = change->ctx;

	return policy_remove_period(change, NAME(e->name), e->number);
}

static enum err
apply_delete(struct change *change)
{
	return policy_delete(change, NAME(((struct edit *)change->ctx)->name));
}

static void
done(struct change *change, enum err rc)
{
	struct edit *e = change->ctx;

	e->is_done = true;
	e->rc = rc;
}

static void
run(struct edit *e, enum err (*apply)(struct change *), enum err want,
    const char *said)
{
	if (e->change.by.door == DOOR_NONE)
		e->change.by = root_;
	e->change.act = ACT_POLICY;
	e->change.apply = apply;
	e->change.done = done;
	e->change.ctx = e;
	e->is_done = false;
	change_run(APPLIANCE, &e->change);
	bench_turn(&bench);
	assert_true(e->is_done);
	if (e->rc != want || strstr(e->change.why, said) == NULL)
		fail_msg("%s: expected %s \"%s\", got %s \"%s\"", e->name,
		    err_name(want), said, err_name(e->rc), e->change.why);
}

static void
create(const char *name)
{
	struct edit e = {.name = name};

	run(&e, apply_create, OK, "");
}

static void
set_operations(
    const char *name, const char *operations, enum err want, const char *said)
{
	struct edit e = {.name = name, .operations = operations};

	run(&e, apply_operations, want, said);
}

static void
add(const char *name, struct usage_period period, enum err want,
    const char *said)
{
	struct edit e = {.name = name, .period = &period};

	run(&e, apply_add, want, said);
}

static void
remove_period(const char *name, int64_t number, enum err want, const char *said)
{
	struct edit e = {.name = name, .number = number};

	run(&e, apply_remove, want, said);
}

static const struct policy *
found(const char *name)
{
	const struct policy *policy;

	assert_ok(policy_find(POLICIES, NAME(name), &policy));
	return policy;
}

static struct usage_period
period(const char *start_day, const char *start, const char *end_day,
    const char *end)
{
	struct usage_period p = {.first = 0};
	char why[CHANGE_WHY_OCTETS];

	assert_ok(period_set(&p, PERIOD_START_DAY, NAME(start_day), why));
	assert_ok(period_set(&p, PERIOD_START_TIME, NAME(start), why));
	assert_ok(period_set(&p, PERIOD_END_DAY, NAME(end_day), why));
	assert_ok(period_set(&p, PERIOD_END_TIME, NAME(end), why));
	return p;
}

/* The audit log's last line. */
static enum err
keep_line(void *ctx, const struct store_log_line *line)
{
	(void)snprintf(ctx, 512, "%.*s", (int)line->text.octets,
	    (const char *)line->text.at);
	return OK;
}

static void
assert_audited(const char *want)
{
	char line[512] = "";
	uint64_t last;

	assert_ok(store_log_last(STORE, "audit", &last));
	assert_ok(store_log_each(STORE, "audit", last, 1, keep_line, line));
	if (strstr(line, want) == NULL)
		fail_msg("expected %s, got %s", want, line);
}

/* req: KS-29-006 KS-29-017 KS-29-040 KS-29-004 */
static void
test_a_new_policy_restricts_nothing(void **state)
{
	const struct policy *policy;
	unsigned minute;

	(void)state;
	assert_err(
	    policy_find(POLICIES, NAME("office"), &policy), ERR_NOT_FOUND);
	create("office");
	assert_audited("Authorization policy office: created");
	policy = found("office");
	assert_string_equal(policy->name, "office");
	assert_int_equal(policy->operations, 0);
	for (minute = 0; minute < CLOCK_WEEK_MINUTES; minute++)
		assert_true(policy_is_open(policy, minute));
	assert_err(
	    policy_find(POLICIES, NAME("offic"), &policy), ERR_NOT_FOUND);
	assert_err(policy_find(POLICIES, BYTES_NONE, &policy), ERR_NOT_FOUND);
}

/* req: KS-29-035 KS-29-045 KS-15-074 */
static void
test_policies_need_the_access_control(void **state)
{
	struct edit e = {.name = "office", .change = {.by = weak}};

	(void)state;
	run(&e, apply_create, ERR_DENIED, "Keys and Authorization Policies");
	create("office");
	run(&e, apply_delete, ERR_DENIED, "Keys and Authorization Policies");
	(void)found("office");
}

/* req: KS-29-041 */
static void
test_operations_have_their_range(void **state)
{
	static const char *const bad[] = {
	    "0", "500000001", "-1", "1.5", "", "1 ", "all", "unlimit"};
	size_t k;

	(void)state;
	create("p");
	set_operations("p", "1", OK, "");
	assert_int_equal(found("p")->operations, 1);
	set_operations("p", "500000000", OK, "");
	assert_int_equal(found("p")->operations, 500000000);
	assert_audited("p: Maximum Operations per Hour: 500000000");
	for (k = 0; k < LENGTH(bad); k++)
		set_operations(
		    "p", bad[k], ERR_FIELD, "1 to 500000000, or Unlimited");
	assert_int_equal(found("p")->operations, 500000000);
	set_operations("p", "unlimited", OK, "");
	assert_int_equal(found("p")->operations, 0);
	set_operations("q", "5", ERR_FIELD, "Policy Name: q: there is none");
}

static void
test_names_are_refused_that_are_none_or_taken(void **state)
{
	static const char *const bad[] = {"", "1st", "a b", "a/b", "<p>",
	    "abcdefghijklmnopabcdefghijklmnopabcdefghijklmnop"
	    "abcdefghijklmnopa"};
	struct edit e;
	size_t k;

	(void)state;
	create("abcdefghijklmnopabcdefghijklmnopabcdefghijklmnop"
	       "abcdefghijklmnop");
	create("p");
	e = (struct edit){.name = "p"};
	run(&e, apply_create, ERR_FIELD, "there is one of this name already");
	for (k = 0; k < LENGTH(bad); k++) {
		e = (struct edit){.name = bad[k]};
		run(&e, apply_create, ERR_FIELD, "1 to 64 letters");
	}
}

static enum err
apply_many(struct change *change)
{
	char name[8];
	unsigned k;
	enum err rc = OK;

	for (k = 0; rc == OK && k < POLICIES_MOST - 1; k++) {
		(void)snprintf(name, sizeof(name), "p%u", k);
		rc = record_put(
		    change->appliance->store, "policy", NAME(name), BYTES_NONE);
	}
	return rc;
}

static void
test_there_is_an_end_of_policies(void **state)
{
	struct edit e = {.name = "many"};

	(void)state;
	run(&e, apply_many, OK, "");
	create("last");
	e = (struct edit){.name = "more"};
	run(&e, apply_create, ERR_FIELD, "1000");
	/* in memory all of them are found, and in order */
	(void)found("p0");
	(void)found("p998");
	(void)found("last");
}

struct names {
	char text[64];
};

static void
name_add(void *ctx, const struct policy *policy)
{
	struct names *names = ctx;

	(void)strcat(strcat(names->text, policy->name), ";");
}

static void
test_what_was_kept_is_there_after_a_restart(void **state)
{
	struct names names = {""};

	(void)state;
	create("b");
	create("a");
	set_operations("b", "150", OK, "");
	add("b", period("Monday", "09:00", "Monday", "17:00"), OK, "");
	add("b", period("tue", "8:00", "fri", "23:59"), OK, "");
	appliance_shut();
	store_close(STORE);
	bench_open(&bench);
	appliance_make();
	assert_int_equal(found("b")->operations, 150);
	assert_int_equal(found("b")->period_count, 2);
	assert_int_equal(found("b")->periods[0].first, 9 * 60);
	assert_int_equal(found("b")->periods[0].last, 17 * 60);
	assert_int_equal(found("b")->periods[1].first, (24 + 8) * 60);
	assert_int_equal(found("b")->periods[1].last, 5 * 24 * 60 - 1);
	assert_int_equal(found("a")->period_count, 0);
	assert_ok(policy_each(POLICIES, name_add, &names));
	assert_string_equal(names.text, "a;b;");
}

/* ---- usage periods ---- */

enum { MON, TUE, WED, THU, FRI, SAT, SUN };
#define AT(day, hour, minute) ((day)*24 * 60 + (hour)*60 + (minute))
#define END_OF_WEEK           (CLOCK_WEEK_MINUTES - 1)

struct span {
	const char *name;
	const char *start_day, *start, *end_day, *end;
	struct usage_period shut[2]; /* the minutes at which it is not open */
	size_t shut_count;
};

static const struct span spans[] = {
    /* req: KS-29-021 KS-29-043 */
    {"a week", "Monday", "00:00", "Sunday", "23:59", {{0}}, 0},
    /* req: KS-29-024 KS-29-025 */
    {"the inverted day", "Monday", "13:00", "Monday", "08:00",
	{{AT(MON, 8, 1), AT(MON, 12, 59)}}, 1},
    {"the last inverted day", "Sunday", "23:59", "Sunday", "00:00",
	{{AT(SUN, 0, 1), AT(SUN, 23, 58)}}, 1},
    /* req: KS-29-020 KS-29-023 */
    {"working days, nights included", "Monday", "09:00", "Friday", "17:00",
	{{0, AT(MON, 8, 59)}, {AT(FRI, 17, 1), END_OF_WEEK}}, 2},
    {"working hours of a day", "Wednesday", "09:00", "Wednesday", "17:00",
	{{0, AT(WED, 8, 59)}, {AT(WED, 17, 1), END_OF_WEEK}}, 2},
    {"over the end of the week", "Saturday", "12:00", "Monday", "06:30",
	{{AT(MON, 6, 31), AT(SAT, 11, 59)}}, 1},
    {"a minute", "Thursday", "12:00", "Thursday", "12:00",
	{{0, AT(THU, 11, 59)}, {AT(THU, 12, 1), END_OF_WEEK}}, 2},
};

static bool
is_shut(const struct span *span, unsigned minute)
{
	size_t k;

	for (k = 0; k < span->shut_count; k++)
		if (minute >= span->shut[k].first &&
		    minute <= span->shut[k].last)
			return true;
	return false;
}

static void
test_a_period_has_the_minutes_from_its_start_to_its_end(void **state)
{
	struct policy policy = {.period_count = 1};
	unsigned minute;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(spans); k++) {
		const struct span *span = &spans[k];

		policy.periods[0] = period(
		    span->start_day, span->start, span->end_day, span->end);
		for (minute = 0; minute < CLOCK_WEEK_MINUTES; minute++)
			if (policy_is_open(&policy, minute) ==
			    is_shut(span, minute))
				fail_msg("%s: minute %u is%s open", span->name,
				    minute,
				    is_shut(span, minute) ? "" : " not");
	}
}

/* req: KS-29-022 KS-29-044 */
static void
test_a_policy_has_several_periods_open_in_each(void **state)
{
	const struct policy *policy;

	(void)state;
	create("p");
	add("p", period("Monday", "9:00", "Monday", "17:00"), OK, "");
	assert_audited("p: Usage Period Monday 09:00 to Monday 17:00 added");
	add("p", period("Tuesday", "9:00", "Tuesday", "17:00"), OK, "");
	policy = found("p");
	assert_true(policy_is_open(policy, AT(MON, 10, 0)));
	assert_false(policy_is_open(policy, AT(MON, 20, 0)));
	assert_true(policy_is_open(policy, AT(TUE, 10, 0)));
	assert_false(policy_is_open(policy, AT(WED, 10, 0)));
	add("p", period("Monday", "9:00", "Monday", "17:00"), ERR_FIELD,
	    "Usage Period: Monday 09:00 to Monday 17:00: the policy has it");
	add("q", period("Monday", "9:00", "Monday", "17:00"), ERR_FIELD,
	    "Policy Name: q: there is none");

	remove_period("p", 0, ERR_FIELD, "none of this number");
	remove_period("p", 3, ERR_FIELD, "none of this number");
	remove_period("p", 1, OK, "");
	assert_audited("p: Usage Period Monday 09:00 to Monday 17:00 removed");
	policy = found("p");
	assert_false(policy_is_open(policy, AT(MON, 10, 0)));
	assert_true(policy_is_open(policy, AT(TUE, 10, 0)));
	remove_period("p", 1, OK, "");
	assert_true(policy_is_open(found("p"), AT(WED, 10, 0)));
}

static void
test_there_is_an_end_of_periods(void **state)
{
	struct usage_period p = {.first = 0};

	(void)state;
	create("p");
	for (p.last = 0; p.last < POLICY_PERIODS_MOST; p.last++)
		add("p", p, OK, "");
	add("p", p, ERR_FIELD, "the policy has 100 already");
	assert_int_equal(found("p")->period_count, POLICY_PERIODS_MOST);
}

static const struct {
	enum period_field field;
	const char *typed;
	const char *said; /* NULL: taken */
} fields[] = {
    {PERIOD_START_DAY, "monday", NULL},
    {PERIOD_START_DAY, "sun", NULL},
    {PERIOD_START_DAY, "t", "Start Day: t: Monday, Tuesday"},
    {PERIOD_END_DAY, "", "End Day: "},
    {PERIOD_END_DAY, "8", "End Day: 8: Monday"},
    {PERIOD_START_TIME, "23:59", NULL},
    {PERIOD_START_TIME, "0:00", NULL},
    {PERIOD_START_TIME, "24:00", "Start Time: 24:00: a time of day"},
    {PERIOD_END_TIME, "12:60", "End Time: 12:60: a time of day"},
    {PERIOD_END_TIME, "1200", "End Time: 1200: a time of day"},
    {PERIOD_END_TIME, "12:0", "End Time: 12:0: a time of day"},
    {PERIOD_END_TIME, "-1:00", "End Time: -1:00: a time of day"},
    {PERIOD_END_TIME, "1 PM", "End Time: 1 PM: a time of day"},
};

/* req: KS-29-042 */
static void
test_days_and_times_are_read(void **state)
{
	struct usage_period p = {.first = AT(TUE, 12, 34), .last = 1};
	char text[PERIOD_TEXT_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(fields); k++) {
		const char *said = fields[k].said;
		char why[CHANGE_WHY_OCTETS] = "";
		enum err rc =
		    period_set(&p, fields[k].field, NAME(fields[k].typed), why);

		if ((rc == OK) != (said == NULL) ||
		    (said != NULL && strstr(why, said) == NULL))
			fail_msg("%s: got %s, %s", fields[k].typed,
			    err_name(rc), why);
	}
	period_text(&p, text);
	assert_string_equal(text, "Sunday 00:00 to Monday 00:01");
}

/* ---- what time it is ---- */

static enum err
apply_zone(struct change *change)
{
	return clock_keep_zone(change->appliance->clock,
	    NAME(((struct edit *)change->ctx)->name), change->why);
}

static void
test_the_minute_is_that_of_the_appliances_zone(void **state)
{
	struct edit e = {.name = "Asia/Kathmandu"};

	(void)state;
	env_set_wall_s(bench.rig.env, MONDAY_S);
	assert_int_equal(policies_minute(POLICIES), 0);
	env_set_wall_s(bench.rig.env, MONDAY_S + 59);
	assert_int_equal(policies_minute(POLICIES), 0);
	env_set_wall_s(bench.rig.env, MONDAY_S + 60);
	assert_int_equal(policies_minute(POLICIES), 1);
	env_set_wall_s(bench.rig.env, MONDAY_S - 1);
	assert_int_equal(policies_minute(POLICIES), END_OF_WEEK);
	env_set_wall_s(bench.rig.env, MONDAY_S);
	run(&e, apply_zone, OK, "");
	assert_int_equal(policies_minute(POLICIES), AT(MON, 5, 45));
	/* where summer time begins, in the night to Sunday, an hour is none */
	e = (struct edit){.name = "Europe/Berlin"};
	run(&e, apply_zone, OK, "");
	env_set_wall_s(bench.rig.env, 1711846799);
	assert_int_equal(policies_minute(POLICIES), AT(SUN, 1, 59));
	env_set_wall_s(bench.rig.env, 1711846800);
	assert_int_equal(policies_minute(POLICIES), AT(SUN, 3, 0));
}

/* ---- what is undone, and what is damaged ---- */

static enum err
apply_and_fail(struct change *change)
{
	enum err rc = OK;

	TRY(apply_operations(change));
	/* in force already, for who looks in between */
	policies_settle(change->appliance->policies);
	assert_int_equal(found("p")->operations, 7);
	rc = ERR_FIELD;
out:
	return rc;
}

static void
test_an_edit_that_is_undone_has_not_been(void **state)
{
	struct edit e = {.name = "p", .operations = "7"};

	(void)state;
	create("p");
	set_operations("p", "5", OK, "");
	run(&e, apply_and_fail, ERR_FIELD, "");
	assert_int_equal(found("p")->operations, 5);
	vfs_disk_full(0);
	set_operations("p", "9", ERR_DISK_FULL, "");
	vfs_disk_full(UINT64_MAX);
	assert_int_equal(found("p")->operations, 5);
}

static const struct {
	const char *name;
	const char *value;
	size_t octets;
} damages[] = {
    {"no fields", "\x01", 1},
    {"a period that is cut", "\x06period\0\0\0\x03\0\0\0", 14},
    {"a minute behind the week's last", "\x06period\0\0\0\x04\0\0\x27\x60", 15},
    {"a number that is none", "\x0aoperations\0\0\0\x01x", 16},
};

static void
test_a_damaged_record_lets_nobody_pass(void **state)
{
	const struct policy *policy;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(damages); k++) {
		struct bytes value = {
		    (const uint8_t *)damages[k].value, damages[k].octets};

		assert_ok(record_put(STORE, "policy", NAME("p"), value));
		policies_settle(POLICIES);
		if (policy_find(POLICIES, NAME("p"), &policy) != ERR_STORE)
			fail_msg("%s: it is read", damages[k].name);
	}
}

static void
test_a_deleted_policy_is_gone(void **state)
{
	struct edit e = {.name = "p"};
	const struct policy *policy;

	(void)state;
	create("p");
	run(&e, apply_delete, OK, "");
	assert_audited("Authorization policy p: deleted");
	assert_err(policy_find(POLICIES, NAME("p"), &policy), ERR_NOT_FOUND);
	run(&e, apply_delete, ERR_FIELD, "Policy Name: p: there is none");
}

/* A key whose group g encrypts by that policy. */
static struct object *
key_of(const char *policy)
{
	struct card_permission permission = {.group = NAME("g")};
	struct object *o = NULL;

	assert_ok(object_new(
	    bench.rig.env, OBJECT_TYPE_SYMMETRIC_KEY, NAME("alice"), &o));
	assert_ok(ARENA_NEW(o->arena, o->card));
	permission.use[USE_ENCRYPT].grant = CARD_POLICY;
	permission.use[USE_ENCRYPT].policy = NAME(policy);
	assert_ok(card_set_permissions(o->arena, o->card, &permission, 1));
	return o;
}

static void
test_a_policy_that_a_key_has_stays(void **state)
{
	struct edit e = {.name = "p"};
	struct object *key = key_of("p");
	char id[OBJECT_ID_MAX_OCTETS + 1];

	(void)state;
	(void)snprintf(id, sizeof(id), "%.*s", (int)key->id.octets,
	    (const char *)key->id.at);
	create("p");
	create("q");
	assert_ok(store_insert(STORE, key));
	bench_turn(&bench);
	run(&e, apply_delete, ERR_FIELD, "the permissions of the key ");
	assert_non_null(strstr(e.change.why, id));
	(void)found("p");
	e = (struct edit){.name = "q"};
	run(&e, apply_delete, OK, "");
	assert_ok(store_delete(STORE, NAME(id)));
	e = (struct edit){.name = "p"};
	run(&e, apply_delete, OK, "");
}

int
main(void)
{
#define POLICY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    POLICY_TEST(test_a_new_policy_restricts_nothing),
	    POLICY_TEST(test_policies_need_the_access_control),
	    POLICY_TEST(test_operations_have_their_range),
	    POLICY_TEST(test_names_are_refused_that_are_none_or_taken),
	    POLICY_TEST(test_there_is_an_end_of_policies),
	    POLICY_TEST(test_what_was_kept_is_there_after_a_restart),
	    POLICY_TEST(
		test_a_period_has_the_minutes_from_its_start_to_its_end),
	    POLICY_TEST(test_a_policy_has_several_periods_open_in_each),
	    POLICY_TEST(test_there_is_an_end_of_periods),
	    POLICY_TEST(test_days_and_times_are_read),
	    POLICY_TEST(test_the_minute_is_that_of_the_appliances_zone),
	    POLICY_TEST(test_an_edit_that_is_undone_has_not_been),
	    POLICY_TEST(test_a_damaged_record_lets_nobody_pass),
	    POLICY_TEST(test_a_deleted_policy_is_gone),
	    POLICY_TEST(test_a_policy_that_a_key_has_stays),
	};
#undef POLICY_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

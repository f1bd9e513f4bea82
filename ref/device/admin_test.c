#include "device/admin.h"

#include "base/buf.h"
#include "device/fields.h"
#include "device/rig_test.h"

static struct bench bench;

/* Of no password; the numbers are those of a line. */
#define LINE(letter)                                  \
	"pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==" \
	"$" letter "0Z5wUqa/rr8kWb7KeLsnYrEP6Go8Ns+sglAvd4sSjw="

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

static struct admin
account(const char *name)
{
	static char nothing[] = "";
	struct admin admin = {.full_name = nothing, .description = nothing};

	(void)snprintf(admin.name, sizeof(admin.name), "%s", name);
	(void)snprintf(
	    admin.password.line, sizeof(admin.password.line), "%s", LINE("T"));
	return admin;
}

static void
make(const char *name, bool high, bool ldap)
{
	struct admin admin = account(name);
	const char *why;

	admin.high = high;
	admin.ldap = ldap;
	assert_ok(admin_write(bench.appliance.store, &admin, &why));
}

/* ---- what can be entered ---- */

static const char thirty[] = "a23456789012345678901234567890";

/* clang-format off */
static const struct {
	const char *name, *why; /* NULL: it is one */
} names[] = {
	/* req: KS-15-041 */
	{ "adm1n", NULL },
	{ "Admin", NULL },
	{ "ad-min", "letters and digits only" },
	{ "ad_min", "letters and digits only" },
	{ "ad.min", "letters and digits only" },
	{ "adm\xc3\xafn", "letters and digits only" },
	{ "ad/min", "letters and digits only" },
	{ "ad:min", "letters and digits only" },
	{ "ad@min", "letters and digits only" },
	{ "ad[min", "letters and digits only" },
	{ "ad`min", "letters and digits only" },
	{ "ad{min", "letters and digits only" },
	/* req: KS-15-054 */
	{ "a b", "letters and digits only" },
	{ "a$b", "letters and digits only" },
	{ "ab\t", "letters and digits only" },
	{ "ab\n", "letters and digits only" },
	/* req: KS-15-042 */
	{ "a1", NULL },
	{ "1admin", "must start with a letter" },
	{ "a", NULL },
	{ "z", NULL },
	{ "A", NULL },
	{ "Z", NULL },
	{ "", "a username is needed" },
	/* req: KS-15-043 */
	{ thirty, NULL },
	{ "a234567890123456789012345678901", "at most 30 characters" },
};
/* clang-format on */

static void
usernames(void **state)
{
	const char *why;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		if (admin_name_is_valid(bytes_of_text(names[k].name), &why) !=
			(names[k].why == NULL) ||
		    (why == NULL) != (names[k].why == NULL) ||
		    (why != NULL && strcmp(why, names[k].why) != 0))
			fail_msg("'%s': got '%s'", names[k].name,
			    why != NULL ? why : "");
	}
	/* as a name and its end; the end is no part of it */
	assert_false(admin_name_is_valid(
	    (struct bytes){(const uint8_t *)thirty, 31}, &why));
}

typedef bool text_fn(struct bytes text, const char **why);

/* req: KS-15-056 KS-15-057 */
static void
texts(void **state)
{
	static const struct {
		text_fn *is_valid;
		size_t most;
		const char *too_long;
	} fields[] = {
	    {admin_full_name_is_valid, 256, "at most 256 characters"},
	    {admin_description_is_valid, 2048, "at most 2048 characters"},
	};
	uint8_t text[2 * 2049];
	const char *why;
	size_t k, c;

	(void)state;
	for (c = 0; c < 2049; c++) {
		text[2 * c] = 0xc3;
		text[2 * c + 1] = 0xa4;
	}
	for (k = 0; k < LENGTH(fields); k++) {
		assert_true(fields[k].is_valid(BYTES_NONE, &why));
		assert_true(fields[k].is_valid(
		    (struct bytes){text, 2 * fields[k].most}, &why));
		assert_null(why);
		assert_false(fields[k].is_valid(
		    (struct bytes){text, 2 * (fields[k].most + 1)}, &why));
		assert_string_equal(why, fields[k].too_long);
		assert_false(fields[k].is_valid((struct bytes){text, 1}, &why));
		assert_string_equal(why, "must be UTF-8 text");
		assert_false(fields[k].is_valid(bytes_of_text("a\nb"), &why));
		assert_string_equal(why, "must be one line of text");
		assert_true(fields[k].is_valid(bytes_of_text("a b"), &why));
	}
}

/* ---- the record ---- */

static void
assert_same(const struct admin *one, const struct admin *two)
{
	size_t k;

	assert_string_equal(one->name, two->name);
	assert_string_equal(one->full_name, two->full_name);
	assert_string_equal(one->description, two->description);
	assert_int_equal(one->high, two->high);
	assert_int_equal(one->ldap, two->ldap);
	assert_int_equal(one->controls, two->controls);
	assert_int_equal(one->must, two->must);
	assert_int_equal(one->password_ms, two->password_ms);
	assert_string_equal(one->password.line, two->password.line);
	assert_int_equal(one->serial.failures, two->serial.failures);
	assert_int_equal(one->serial.until_ms, two->serial.until_ms);
	assert_int_equal(one->remote.failures, two->remote.failures);
	assert_int_equal(one->remote.until_ms, two->remote.until_ms);
	assert_int_equal(one->history_count, two->history_count);
	for (k = 0; k < one->history_count; k++)
		assert_string_equal(one->history[k].line, two->history[k].line);
}

static void
an_account_is_kept_whole(void **state)
{
	char full_name[] = "J\xc3\xb6rg [\\x41] \"Smith\"";
	char description[2049];
	struct admin made = account(thirty), got;
	const char *why;
	size_t k;

	(void)state;
	memset(description, 'd', 2048);
	description[2048] = '\0';
	made.full_name = full_name;
	made.description = description;
	made.high = true;
	made.controls = CONTROLS_ALL & ~CONTROL_BIT(CONTROL_SNMP);
	made.must = ADMIN_MUST_RESET;
	made.password_ms = INT64_MAX;
	made.serial = (struct lockout){1, 2};
	made.remote = (struct lockout){3, 4};
	made.history_count = ADMIN_HISTORY_MOST;
	for (k = 0; k < ADMIN_HISTORY_MOST; k++) {
		made.history[k] = made.password;
		/* each another: the letters that begin the hash */
		made.history[k].line[44] = (char)('A' + k);
	}
	assert_ok(admin_write(bench.appliance.store, &made, &why));
	assert_ok(store_commit(bench.appliance.store));
	store_close(bench.appliance.store);
	bench_open(&bench);
	assert_ok(
	    admin_read(bench.appliance.store, bytes_of_text(thirty), &got));
	assert_same(&got, &made);
	admin_drop(&got);
	/* and one that has nothing, in its place */
	made = account(thirty);
	made.high = true;
	assert_ok(admin_write(bench.appliance.store, &made, &why));
	assert_ok(
	    admin_read(bench.appliance.store, bytes_of_text(thirty), &got));
	assert_same(&got, &made);
	admin_drop(&got);
}

static void
who_is_not_there(void **state)
{
	static const char *const strangers[] = {
	    "", "bo", "bobb", "Bob", "bob ", "b\nb", "a-b"};
	struct admin admin;
	const char *why;
	size_t k;

	(void)state;
	make("bob", true, false);
	for (k = 0; k < LENGTH(strangers); k++) {
		assert_err(admin_read(bench.appliance.store,
			       bytes_of_text(strangers[k]), &admin),
		    ERR_NOT_FOUND);
		assert_null(admin.full_name);
		assert_err(admin_delete(bench.appliance.store,
			       bytes_of_text(strangers[k]), &why),
		    ERR_NOT_FOUND);
	}
}

/* A record as a newer release might write it, and what no release writes. */
/* clang-format off */
static const struct {
	const char *name;
	const char *field, *value; /* in place of the field of that name */
	enum err want;
} records[] = {
	{ "as it is", "high", "1", OK },
	{ "a field that we do not know", "shoe-size", "44", OK },
	{ "a control that we do not know", "control", "quantum", OK },
	{ "high is neither yes nor no", "high", "2", ERR_STORE },
	{ "high is no number", "high", "yes", ERR_STORE },
	{ "a reason that we do not know", "must", "perhaps", ERR_STORE },
	{ "a reason", "must", "first", OK },
	{ "expired is none: the age tells it", "must", "expired", ERR_STORE },
	{ "no password", "password", "", ERR_STORE },
	{ "another password", "password", LINE("U"), OK },
	{ "a password that is no line", "password", "secret", ERR_STORE },
	{ "a line of the history that is none", "history", "old", ERR_STORE },
	{ "a line of the history", "history", LINE("V"), OK },
	{ "no time", "password-set", "yesterday", ERR_STORE },
	{ "a time before all", "password-set", "-1", ERR_STORE },
	{ "failures below none", "serial-failures", "-1", ERR_STORE },
	{ "a name that is no text", "full-name", "\xff", ERR_STORE },
};
/* clang-format on */

static void
put(struct buf *b, const char *name, const char *value, size_t k)
{
	/* what the case has goes in its place */
	if (strcmp(records[k].field, name) != 0)
		assert_ok(fields_put_text(b, name, value));
}

static void
records_are_read(void **state)
{
	struct admin admin;
	struct buf b;
	enum err rc;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(records); k++) {
		buf_init(&b, 4096);
		put(&b, "full-name", "Bob", k);
		put(&b, "description", "", k);
		put(&b, "must", "not", k);
		put(&b, "password", LINE("T"), k);
		assert_ok(
		    fields_put_text(&b, records[k].field, records[k].value));
		rc = admin_decode(bytes_of_text("bob"), buf_peek(&b), &admin);
		if (rc != records[k].want)
			fail_msg("%s: expected %s, got %s", records[k].name,
			    err_name(records[k].want), err_name(rc));
		admin_drop(&admin);
		/* half of it is none */
		b.octets--;
		assert_err(
		    admin_decode(bytes_of_text("bob"), buf_peek(&b), &admin),
		    ERR_STORE);
		buf_clear(&b);
	}
}

/* Who is at a directory server has no password here. */
static void
an_ldap_account_has_no_password(void **state)
{
	struct admin made = account("ldapadmin"), got;
	const char *why;

	(void)state;
	made.ldap = true;
	made.password.line[0] = '\0';
	assert_ok(admin_write(bench.appliance.store, &made, &why));
	assert_ok(admin_read(
	    bench.appliance.store, bytes_of_text("ldapadmin"), &got));
	assert_same(&got, &made);
	admin_drop(&got);
}

static enum err
list(void *ctx, const struct admin *admin)
{
	struct buf *out = ctx;

	return buf_printf(out, "%s ", admin->name);
}

static void
all_in_order(void **state)
{
	struct buf names_seen;

	(void)state;
	buf_init(&names_seen, 100);
	make("zoe", false, false);
	make("admin", true, false);
	make("bob", false, true);
	assert_ok(admin_each(bench.appliance.store, list, &names_seen));
	assert_true(bytes_equal_text(buf_peek(&names_seen), "admin bob zoe "));
	buf_clear(&names_seen);
}

/* ---- who has to stay ---- */

#define LAST_LOCAL "the last local administrator of a device stays"
#define LAST_HIGH  "the last High Access Administrator of a device stays one"

static void
gone(const char *name, enum err want, const char *want_why)
{
	const char *why;

	assert_err(
	    admin_delete(bench.appliance.store, bytes_of_text(name), &why),
	    want);
	if (want_why == NULL)
		assert_null(why);
	else
		assert_string_equal(why, want_why);
}

static void
edit(
    const char *name, bool high, bool ldap, enum err want, const char *want_why)
{
	struct admin admin = account(name);
	const char *why;

	admin.high = high;
	admin.ldap = ldap;
	assert_err(admin_write(bench.appliance.store, &admin, &why), want);
	if (want_why == NULL)
		assert_null(why);
	else
		assert_string_equal(why, want_why);
}

/* req: KS-15-107 */
static void
the_last_local_one_stays(void **state)
{
	struct admin_count count;

	(void)state;
	make("admin", true, false);
	make("ldap1", true, true);
	make("ldap2", true, true);
	gone("admin", ERR_DENIED, LAST_LOCAL);
	edit("admin", true, true, ERR_DENIED, LAST_LOCAL);
	assert_ok(admin_count(bench.appliance.store, &count));
	assert_int_equal(count.local, 1);
	assert_int_equal(count.high, 3);
	/* with another it may go, and that one is the last then */
	make("bob", false, false);
	gone("admin", OK, NULL);
	gone("bob", ERR_DENIED, LAST_LOCAL);
	gone("ldap1", OK, NULL);
}

static void
the_last_high_one_stays(void **state)
{
	(void)state;
	make("admin", true, false);
	make("bob", false, false);
	gone("admin", ERR_DENIED, LAST_HIGH);
	edit("admin", false, false, ERR_DENIED, LAST_HIGH);
	edit("admin", true, false, OK, NULL);
	edit("bob", true, false, OK, NULL);
	edit("admin", false, false, OK, NULL);
	edit("bob", false, false, ERR_DENIED, LAST_HIGH);
	/* either kind counts */
	make("ldap1", true, true);
	gone("bob", OK, NULL);
	gone("ldap1", ERR_DENIED, LAST_HIGH);
}

/* ---- what they may ---- */

/* High Access is no control, and no control is High Access. */
static void
each_act_needs_what_its_row_says(void **state)
{
	struct admin nothing = account("nothing");
	struct admin high = account("high");
	struct admin controls = account("controls");
	struct admin one = account("one");
	enum control needs;
	enum act act;

	(void)state;
	high.high = true;
	controls.controls = CONTROLS_ALL;
	for (act = 0; act < ACT_COUNT; act++) {
		needs = act_row(act)->needs;
		assert_int_equal(admin_may(&nothing, act), needs == NEEDS_NONE);
		assert_int_equal(admin_may(&high, act),
		    needs == NEEDS_NONE || needs == NEEDS_HIGH);
		assert_int_equal(
		    admin_may(&controls, act), needs != NEEDS_HIGH);
		if (needs >= CONTROL_COUNT)
			continue;
		one.controls = CONTROL_BIT(needs);
		assert_true(admin_may(&one, act));
		one.controls = CONTROLS_ALL & ~CONTROL_BIT(needs);
		assert_false(admin_may(&one, act));
	}
}

enum { HOUR = 60 * 60 * 1000 };
#define DAY (24LL * HOUR)

/* clang-format off */
static const struct {
	const char *name;
	bool ldap;
	int64_t set_ms, days, now_ms, want_ms;
} ages[] = {
	/* req: KS-17-014 KS-17-049 */
	{ "never", false, 0, 0, INT64_MAX, INT64_MAX },
	/* req: KS-17-013 KS-17-046 */
	{ "new", false, 5, 365, 5, 365 * DAY },
	{ "a millisecond is left", false, 5, 30, 4 + 30 * DAY, 1 },
	{ "none is", false, 5, 30, 5 + 30 * DAY, 0 },
	{ "long ago", false, 5, 1, 1000 * DAY, 0 },
	{ "set later than now", false, 9, 1, 5, DAY },
	/* req: KS-17-047 */
	{ "each by its own age: the older", false, 0, 30, 40 * DAY, 0 },
	{ "each by its own age: the younger", false, 20 * DAY, 30, 40 * DAY,
	  10 * DAY },
	{ "not one that is kept elsewhere", true, 0, 1, 2 * DAY, INT64_MAX },
	{ "the ends of time", false, INT64_MAX, 365, INT64_MAX, 365 * DAY },
};
/* clang-format on */

static void
passwords_expire(void **state)
{
	struct admin admin = account("bob");
	int64_t got_ms;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(ages); k++) {
		admin.ldap = ages[k].ldap;
		admin.password_ms = ages[k].set_ms;
		got_ms =
		    admin_expires_in_ms(&admin, ages[k].days, ages[k].now_ms);
		if (got_ms != ages[k].want_ms)
			fail_msg("%s: expected %lld, got %lld", ages[k].name,
			    (long long)ages[k].want_ms, (long long)got_ms);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(usernames),
	    cmocka_unit_test(texts),
	    TEST(an_account_is_kept_whole),
	    TEST(who_is_not_there),
	    cmocka_unit_test(records_are_read),
	    TEST(an_ldap_account_has_no_password),
	    TEST(all_in_order),
	    TEST(the_last_local_one_stays),
	    TEST(the_last_high_one_stays),
	    cmocka_unit_test(each_act_needs_what_its_row_says),
	    cmocka_unit_test(passwords_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

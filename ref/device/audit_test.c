#include "device/rig_test.h"

static struct bench bench;

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(clock_new(bench.appliance.store, bench.appliance.env,
	    &bench.appliance.clock));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_free(bench.appliance.clock);
	bench_remove(&bench);
	return 0;
}

struct last {
	char text[STORE_LOG_LINE_MAX_OCTETS + 1];
	char all[256];
	unsigned lines;
};

static enum err
keep_line(void *ctx, struct bytes line)
{
	struct last *last = ctx;

	(void)snprintf(last->text, sizeof(last->text), "%.*s", (int)line.octets,
	    (const char *)line.at);
	(void)strncat(last->all, strstr(last->text, "]: ") + 3,
	    sizeof(last->all) - strlen(last->all) - 1);
	last->lines++;
	return OK;
}

static const struct principal alice = {.name = "alice", .door = DOOR_SSH};

/* req: KS-02-039 KS-02-040 */
static void
test_a_line_has_its_form(void **state)
{
	static const struct {
		struct principal by;
		const char *want;
	} cases[] = {
	    {{.name = "alice", .door = DOOR_SERIAL},
		"1970-01-01 00:00:07 [alice]: event"},
	    {{.door = DOOR_NONE}, "1970-01-01 00:00:07 [system]: event"},
	    /* nobody passes for somebody else */
	    {{.name = "system", .door = DOOR_SSH},
		"1970-01-01 00:00:07 [\\x73y\\x73tem]: event"},
	    {{.name = "a]: b", .door = DOOR_SSH},
		"1970-01-01 00:00:07 [a\\x5d: b]: event"},
	    {{.name = "a\nb", .door = DOOR_SSH},
		"1970-01-01 00:00:07 [a\\x0ab]: event"},
	};
	size_t k;

	(void)state;
	rig_move_to(&bench.rig, 7000);
	for (k = 0; k < LENGTH(cases); k++) {
		struct last last = {.lines = 0};

		assert_ok(audit_add(&bench.appliance, &cases[k].by, "event"));
		assert_ok(
		    audit_last(bench.appliance.store, 1, keep_line, &last));
		assert_string_equal(last.text, cases[k].want);
	}
}

static const struct {
	const char *name;
	const char *event;
	const char *want; /* NULL: as it is */
} events[] = {
    {"plain", "Set Hostname to \"a\" [b]: c~", NULL},
    {"two octets", "na\xc3\xafve", NULL},
    {"three octets", "\xe4\xb8\xad", NULL},
    {"four octets", "\xf0\x9f\x94\x91", NULL},
    {"a combined accent", "e\xcc\x81", NULL},
    {"an escape that was typed", "\\x0a", "\\\\x0a"},
    {"line feed", "a\nb", "a\\x0ab"},
    {"carriage return", "a\rb", "a\\x0db"},
    {"tab", "a\tb", "a\\x09b"},
    {"ESC", "a\x1b[2Jb", "a\\x1b[2Jb"},
    {"DEL",
	"a\x7f"
	"b",
	"a\\x7fb"},
    {"CSI as one octet",
	"a\x9b"
	"b",
	"a\\x9bb"},
    {"CSI, U+009B",
	"a\xc2\x9b"
	"b",
	"a\\xc2\\x9bb"},
    {"next line, U+0085",
	"a\xc2\x85"
	"b",
	"a\\xc2\\x85b"},
    {"behind the controls, U+00A1",
	"a\xc2\xa1"
	"b",
	NULL},
    {"soft hyphen, U+00AD",
	"a\xc2\xad"
	"b",
	"a\\xc2\\xadb"},
    {"line separator, U+2028",
	"a\xe2\x80\xa8"
	"b",
	"a\\xe2\\x80\\xa8b"},
    {"paragraph separator, U+2029",
	"a\xe2\x80\xa9"
	"b",
	"a\\xe2\\x80\\xa9b"},
    {"right-to-left override, U+202E",
	"a\xe2\x80\xae"
	"b",
	"a\\xe2\\x80\\xaeb"},
    {"behind it, U+202F",
	"a\xe2\x80\xaf"
	"b",
	NULL},
    {"before it, U+2027",
	"a\xe2\x80\xa7"
	"b",
	NULL},
    {"isolate, U+2067",
	"a\xe2\x81\xa7"
	"b",
	"a\\xe2\\x81\\xa7b"},
    {"Arabic letter mark, U+061C",
	"a\xd8\x9c"
	"b",
	"a\\xd8\\x9cb"},
    {"its neighbour, U+061B",
	"a\xd8\x9b"
	"b",
	NULL},
    {"right-to-left mark, U+200F",
	"a\xe2\x80\x8f"
	"b",
	"a\\xe2\\x80\\x8fb"},
    {"zero width, U+200B",
	"a\xe2\x80\x8b"
	"b",
	"a\\xe2\\x80\\x8bb"},
    {"byte order mark, U+FEFF",
	"\xef\xbb\xbf"
	"b",
	"\\xef\\xbb\\xbfb"},
    {"private, U+E000", "\xee\x80\x80", "\\xee\\x80\\x80"},
    {"behind the private, U+F900", "\xef\xa4\x80", NULL},
    {"noncharacter, U+FFFF", "\xef\xbf\xbf", "\\xef\\xbf\\xbf"},
    {"replacement, U+FFFD", "\xef\xbf\xbd", NULL},
    {"tag, U+E0041", "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
    {"overlong line feed",
	"a\xc0\x8a"
	"b",
	"a\\xc0\\x8ab"},
    {"overlong in three",
	"a\xe0\x80\x8a"
	"b",
	"a\\xe0\\x80\\x8ab"},
    {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"past the end of Unicode", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"an octet that leads nothing",
	"a\xff"
	"b",
	"a\\xffb"},
    {"a continuation alone",
	"a\x80"
	"b",
	"a\\x80b"},
    {"a character that was cut, then text",
	"a\xe2\x80"
	"bc",
	"a\\xe2\\x80bc"},
    {"a character that was cut at the end", "a\xf0\x9f\x94",
	"a\\xf0\\x9f\\x94"},
};

static void
test_no_value_can_pretend_to_be_a_line(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(events); k++) {
		struct last last = {.lines = 0};
		const char *want =
		    events[k].want != NULL ? events[k].want : events[k].event;
		char *got;

		assert_ok(audit_add(&bench.appliance, &alice, events[k].event));
		assert_ok(
		    audit_last(bench.appliance.store, 1, keep_line, &last));
		got = strstr(last.text, "[alice]: ");
		if (got == NULL || strcmp(got + 9, want) != 0)
			fail_msg("%s: expected %s, got %s", events[k].name,
			    want, last.text);
	}
}

static void
test_a_line_has_the_zone_that_was(void **state)
{
	char why[CLOCK_WHY_OCTETS];
	struct last last = {.lines = 0};

	(void)state;
	assert_ok(audit_add(&bench.appliance, &alice, "before"));
	assert_ok(clock_keep_zone(
	    bench.appliance.clock, bytes_of_text("Asia/Tokyo"), why));
	bench_turn(&bench);
	clock_settle(bench.appliance.clock, true);
	assert_ok(audit_add(&bench.appliance, &alice, "after"));
	assert_ok(audit_last(bench.appliance.store, 1, keep_line, &last));
	assert_string_equal(last.text, "1970-01-01 09:00:00 [alice]: after");
	assert_ok(audit_last(bench.appliance.store, 2, keep_line, &last));
	assert_string_equal(last.all, "afterbeforeafter");
}

/* What stands before the event, and the mark of a cut. */
enum { FRAME_OCTETS = sizeof("1970-01-01 00:00:00 [alice]: ") - 1, CUT = 4 };

static void
test_a_long_line_is_cut_and_says_so(void **state)
{
	static char event[3 * STORE_LOG_LINE_MAX_OCTETS];
	const size_t most = STORE_LOG_LINE_MAX_OCTETS - CUT - FRAME_OCTETS;
	struct last last = {.lines = 0};

	(void)state;
	memset(event, 'x', most);
	assert_ok(audit_add(&bench.appliance, &alice, event));
	assert_ok(audit_last(bench.appliance.store, 1, keep_line, &last));
	assert_int_equal(strlen(last.text), FRAME_OCTETS + most);
	assert_string_equal(last.text + FRAME_OCTETS, event);
	event[most] = 'x';
	assert_ok(audit_add(&bench.appliance, &alice, event));
	assert_ok(audit_last(bench.appliance.store, 1, keep_line, &last));
	assert_int_equal(strlen(last.text), STORE_LOG_LINE_MAX_OCTETS);
	assert_string_equal(
	    last.text + STORE_LOG_LINE_MAX_OCTETS - CUT - 1, "x\\...");
	/* an escape is never cut in two */
	memset(event, '\n', sizeof(event) - 1);
	assert_ok(audit_add(&bench.appliance, &alice, event));
	assert_ok(audit_last(bench.appliance.store, 1, keep_line, &last));
	assert_string_equal(
	    last.text + strlen(last.text) - CUT - 4, "\\x0a\\...");
	/* and nobody writes the mark */
	assert_ok(audit_add(&bench.appliance, &alice, "x\\..."));
	assert_ok(audit_last(bench.appliance.store, 1, keep_line, &last));
	assert_string_equal(last.text + FRAME_OCTETS, "x\\\\...");
}

static void
test_the_last_lines_are_read(void **state)
{
	static const struct {
		size_t lines;
		unsigned want;
		const char *all;
	} cases[] = {
	    {0, 0, ""},
	    {1, 1, "three"},
	    {2, 2, "twothree"},
	    {3, 3, "onetwothree"},
	    {99, 3, "onetwothree"},
	    {SIZE_MAX, 3, "onetwothree"},
	};
	static const struct principal a = {.name = "a", .door = DOOR_SSH};
	struct last last = {.lines = 0};
	size_t k;

	(void)state;
	assert_ok(audit_last(bench.appliance.store, 9, keep_line, &last));
	assert_int_equal(last.lines, 0);
	assert_ok(audit_add(&bench.appliance, &a, "one"));
	assert_ok(audit_add(&bench.appliance, &a, "two"));
	assert_ok(audit_add(&bench.appliance, &a, "three"));
	for (k = 0; k < LENGTH(cases); k++) {
		last = (struct last){.lines = 0};
		assert_ok(audit_last(
		    bench.appliance.store, cases[k].lines, keep_line, &last));
		assert_int_equal(last.lines, cases[k].want);
		assert_string_equal(last.all, cases[k].all);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_a_line_has_its_form, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_no_value_can_pretend_to_be_a_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_a_line_has_the_zone_that_was, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_a_long_line_is_cut_and_says_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_the_last_lines_are_read, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

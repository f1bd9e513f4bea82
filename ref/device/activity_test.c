#include "device/activity.h"

#include "device/ear_test.h"
#include "device/key_server.h"
#include "device/line.h"
#include "device/rig_test.h"

struct test {
	struct bench bench;
	struct ear ear;
};

static struct test test;

#define APPLIANCE (&test.bench.appliance)

static int
set_up(void **state)
{
	(void)state;
	memset(&test, 0, sizeof(test));
	bench_make(&test.bench);
	assert_ok(appliance_open(APPLIANCE));
	ear_open(&test.ear, APPLIANCE);
	/* 2005-09-12 10:23:47 UTC */
	rig_move_to(&test.bench.rig, INT64_C(1126520627000));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	appliance_close(APPLIANCE);
	ear_close(&test.ear);
	bench_remove(&test.bench);
	return 0;
}

static void
set(enum setting which, const char *value)
{
	char why[SETTING_WHY_OCTETS];
	bool changed;

	assert_ok(setting_set(
	    APPLIANCE->settings, which, bytes_of_text(value), &changed, why));
	settings_settle(APPLIANCE->settings, true);
}

#define DATE "[2005-09-12 10:23:47]"

#define TEXT(s)                                     \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct key_door nobody = {.origin = TEXT("10.0.0.5 [-]")};
static const struct key_door client1 = {.origin = TEXT("::1 [client 1]")};

#define WORD(s)                 \
	{                       \
		.text = TEXT(s) \
	}
#define OCTETS(s)                                \
	{                                        \
		.number = (s), .is_number = true \
	}
#define FORGED_LINE "a\n[2012-01-01 00:00:00] INFO"

static const struct {
	const char *name;
	struct activity activity;
	const char *want; /* behind the date */
} lines[] = {
    /* req: KS-21-018 KS-21-019 */
    {"nothing but an address", {.door = &nobody},
	" INFO 10.0.0.5 [-] - - - - [-] - [Success]"},
    /* req: KS-21-019 KS-21-024 KS-21-025 KS-21-026 KS-21-028 KS-21-029
     * req: KS-21-030 KS-21-031 KS-21-032 KS-21-034 */
    {"all that there is",
	{.door = &client1,
	    .user = TEXT("u1"),
	    .id = TEXT("42"),
	    .type = TEXT("KeyGen"),
	    .key = TEXT("k1"),
	    .words = {WORD("AES"), OCTETS(256)},
	    .word_count = 2},
	" INFO ::1 [client 1] u1 42 KeyGen k1 [AES 256] - [Success]"},
    /* req: KS-21-024 KS-21-033 KS-21-034 */
    {"a failure",
	{.door = &nobody,
	    .type = TEXT("KeyInfo"),
	    .key = TEXT("k1"),
	    .failed = true,
	    .code = 10201,
	    .message = TEXT("Key not found")},
	" ERROR 10.0.0.5 [-] - - KeyInfo k1 [-] 10201 [Key not found]"},
    {"a failure without a code",
	{.door = &nobody, .failed = true, .message = TEXT("Operation Undone")},
	" ERROR 10.0.0.5 [-] - - - - [-] - [Operation Undone]"},
    /* what a client sends stays in its field */
    {"an ID that is a line", {.door = &nobody, .id = TEXT(FORGED_LINE)},
	" INFO 10.0.0.5 [-] - a\\x0a[2012-01-01\\x2000:00:00]\\x20INFO - -"
	" [-] - [Success]"},
    {"a key that is two fields", {.door = &nobody, .key = TEXT("k1 [AES")},
	" INFO 10.0.0.5 [-] - - - k1\\x20[AES [-] - [Success]"},
    {"a detail that ends early",
	{.door = &nobody, .words = {WORD("u1] - [Success")}, .word_count = 1},
	" INFO 10.0.0.5 [-] - - - - [u1\\x5d\\x20-\\x20[Success] - [Success]"},
    {"a message that ends early",
	{.door = &nobody, .failed = true, .code = 1, .message = TEXT("a] b")},
	" ERROR 10.0.0.5 [-] - - - - [-] 1 [a\\x5d b]"},
    {"a user who is a dash", {.door = &nobody, .user = TEXT("-")},
	" INFO 10.0.0.5 [-] \\x2d - - - [-] - [Success]"},
    {"an empty word",
	{.door = &nobody, .words = {WORD(""), WORD("x")}, .word_count = 2},
	" INFO 10.0.0.5 [-] - - - - [- x] - [Success]"},
};

/* req: KS-21-025 KS-21-026 KS-21-052 */
static void
test_origin(void **state)
{
	static const struct {
		struct bytes address, common_name;
		const char *want;
	} cases[] = {
	    {TEXT("10.0.0.5"), TEXT(""), "10.0.0.5 [-]"},
	    {TEXT("::1"), TEXT("client 1"), "::1 [client 1]"},
	    {TEXT("::1"), TEXT("-"), "::1 [\\x2d]"},
	    {TEXT("::1"), TEXT("a] u1\n"), "::1 [a\\x5d u1\\x0a]"},
	};
	struct buf origin;
	size_t k;

	(void)state;
	buf_init(&origin, LINE_OCTETS);
	for (k = 0; k < LENGTH(cases); k++) {
		buf_reset(&origin);
		assert_ok(activity_origin(
		    cases[k].address, cases[k].common_name, &origin));
		assert_true(bytes_equal(
		    buf_peek(&origin), bytes_of_text(cases[k].want)));
	}
	buf_clear(&origin);
}

static void
test_lines(void **state)
{
	char want[512];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(lines); k++) {
		ear_forget(&test.ear);
		activity_add(APPLIANCE, &lines[k].activity);
		(void)snprintf(want, sizeof(want), DATE "%s\n", lines[k].want);
		if (strcmp(ear_text(&test.ear, LOG_ACTIVITY), want) != 0)
			fail_msg("%s\nexpected: %s     got: %s", lines[k].name,
			    want, ear_text(&test.ear, LOG_ACTIVITY));
	}
}

/* req: KS-21-020 KS-21-022 KS-21-023 */
static void
test_date(void **state)
{
	static const struct {
		const char *zone;
		int64_t elapsed_ms;
		const char *want;
	} cases[] = {
	    {"UTC", INT64_C(1126520627999), "[2005-09-12 10:23:47] "},
	    {"UTC", INT64_C(1126520628000), "[2005-09-12 10:23:48] "},
	    /* within the same second */
	    {"Europe/Berlin", INT64_C(1126520628000), "[2005-09-12 12:23:48] "},
	    {"Asia/Kolkata", INT64_C(1126520628000), "[2005-09-12 15:53:48] "},
	};
	const struct activity activity = {.door = &nobody};
	char why[CLOCK_WHY_OCTETS];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_ok(clock_keep_zone(
		    APPLIANCE->clock, bytes_of_text(cases[k].zone), why));
		bench_turn(&test.bench);
		clock_settle(APPLIANCE->clock, true);
		rig_move_to(&test.bench.rig, cases[k].elapsed_ms);
		ear_forget(&test.ear);
		activity_add(APPLIANCE, &activity);
		assert_memory_equal(ear_text(&test.ear, LOG_ACTIVITY),
		    cases[k].want, strlen(cases[k].want));
	}
}

static void
test_level(void **state)
{
	const struct activity good = {.door = &nobody};
	const struct activity bad = {.door = &nobody, .failed = true};

	(void)state;
	set(SETTING_ACTIVITY_LEVEL, "ERROR");
	activity_add(APPLIANCE, &good);
	assert_int_equal(test.ear.lines[LOG_ACTIVITY], 0);
	activity_add(APPLIANCE, &bad);
	assert_int_equal(test.ear.lines[LOG_ACTIVITY], 1);
	/* events are no level's */
	activity_event(APPLIANCE, &good, BYTES_NONE);
	assert_int_equal(test.ear.lines[LOG_CLIENT_EVENT], 1);
	set(SETTING_ACTIVITY_LEVEL, "INFO");
	activity_add(APPLIANCE, &good);
	assert_int_equal(test.ear.lines[LOG_ACTIVITY], 2);
}

/* req: KS-21-048 KS-21-049 KS-21-050 KS-21-051 KS-21-052 KS-21-053
 * req: KS-21-054 KS-21-055 */
static void
test_events(void **state)
{
	static const struct {
		struct activity activity;
		const char *message;
		const char *want;
	} cases[] = {
	    {{.door = &client1, .user = TEXT("u1"), .id = TEXT("7")}, "hello",
		DATE " INFO ::1 [client 1] u1 7 [hello]\n"},
	    {{.door = &nobody}, "", DATE " INFO 10.0.0.5 [-] - - [-]\n"},
	    {{.door = &nobody, .failed = true}, "two words",
		DATE " ERROR 10.0.0.5 [-] - - [two words]\n"},
	    {{.door = &nobody}, FORGED_LINE,
		DATE " INFO 10.0.0.5 [-] - - "
		     "[a\\x0a[2012-01-01 00:00:00\\x5d INFO]\n"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		ear_forget(&test.ear);
		activity_event(APPLIANCE, &cases[k].activity,
		    bytes_of_text(cases[k].message));
		assert_string_equal(
		    ear_text(&test.ear, LOG_CLIENT_EVENT), cases[k].want);
	}
}

/* Lines of as much as one takes, each with all fields, no character halved. */
static void
test_long_event(void **state)
{
	const struct activity activity = {.door = &nobody, .id = TEXT("7")};
	uint8_t message[3000];
	const char *text;
	size_t shown = 0;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(message); k++)
		message[k] = k % 2 == 0 ? 0xc3 : 0xaf;
	message[0] = 'x'; /* so that 1,024 is within one */
	message[1] = 'y';
	memmove(message + 1, message + 2, sizeof(message) - 2);
	activity_event(
	    APPLIANCE, &activity, (struct bytes){message, sizeof(message) - 1});
	assert_int_equal(test.ear.lines[LOG_CLIENT_EVENT], 3);
	text = ear_text(&test.ear, LOG_CLIENT_EVENT);
	assert_true(bytes_is_utf8(bytes_of_text(text)));
	assert_null(strstr(text, "\\x"));
	for (; *text != '\0'; text++) {
		const char *head = DATE " INFO 10.0.0.5 [-] - 7 [";

		assert_memory_equal(text, head, strlen(head));
		text += strlen(head);
		while (*text != ']') {
			shown++;
			text++;
		}
		assert_int_equal(*++text, '\n');
	}
	assert_int_equal(shown, sizeof(message) - 1);
}

/* req: KS-07-004 */
static void
test_a_step_of_the_clock(void **state)
{
	char why[CLOCK_WHY_OCTETS];

	(void)state;
	assert_ok(clock_keep(APPLIANCE->clock, 1126524227, why));
	assert_int_equal(test.ear.lines[LOG_SYSTEM], 0);
	bench_turn(&test.bench);
	clock_settle(APPLIANCE->clock, true);
	assert_string_equal(ear_text(&test.ear, LOG_SYSTEM),
	    "2005-09-12 11:23:47 touchstone Date & Time: Stepped from "
	    "2005-09-12 10:23:47 to 2005-09-12 11:23:47\n");
	/* no step */
	clock_settle(APPLIANCE->clock, true);
	assert_int_equal(test.ear.lines[LOG_SYSTEM], 1);
}

/* req: KS-20-007 KS-21-005 */
static void
test_traps(void **state)
{
	(void)state;
	appliance_trap(APPLIANCE, TRAP_PASSWORD_FAILURES,
	    "Multiple password failures of a\n2005-09-12 10:23:47 b");
	assert_string_equal(ear_text(&test.ear, LOG_SYSTEM),
	    "2005-09-12 10:23:47 touchstone SNMP Trap: Multiple password "
	    "failures of a\\x0a2005-09-12 10:23:47 b\n");
}

#define ACTIVITY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_origin),
	    ACTIVITY_TEST(test_lines),
	    ACTIVITY_TEST(test_date),
	    ACTIVITY_TEST(test_level),
	    ACTIVITY_TEST(test_events),
	    ACTIVITY_TEST(test_long_event),
	    ACTIVITY_TEST(test_a_step_of_the_clock),
	    ACTIVITY_TEST(test_traps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

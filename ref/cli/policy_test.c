/* Authorization policies at the command line. */
#include "cli/desk_test.h"
#include "device/policy.h"

static struct desk desk;

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_account(&desk, "root", false, CONTROL_BIT(CONTROL_KEYS));
	desk_account(
	    &desk, "weak", false, CONTROLS_ALL & ~CONTROL_BIT(CONTROL_KEYS));
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

static void
says(const char *lines, const char *want)
{
	desk_says(&desk, lines, want);
}

/* req: KS-29-036 KS-29-037 KS-29-038 KS-29-039 KS-29-040 */
static void
test_a_policy_is_made_edited_and_shown(void **state)
{
	(void)state;
	says("show authorization policy", ".0\n>");
	says("authorization policy create office", ".0\n");
	assert_non_null(strstr(
	    desk_audited(&desk), "Authorization policy office: created"));
	says("authorization policy create other", ".0\n");
	says("show authorization policy", "=office\n=other\n.0\n");
	says("show authorization policy office",
	    "=Policy Name: office\n"
	    "=  Maximum Operations per Hour: Unlimited\n"
	    "=  Usage Periods: Unlimited\n.0\n");
	says("edit authorization policy office 500", ".0\n");
	says("show authorization policy office",
	    "=  Maximum Operations per Hour: 500\n");
	says("edit authorization policy office\n501", ".0\n");
	says("show authorization policy office", "Hour: 501\n");
	says("edit authorization policy office unlimited", ".0\n");
	says("show authorization policy office", "Hour: Unlimited\n");
}

/* req: KS-29-042 KS-29-044 */
static void
test_usage_periods_are_added_and_removed(void **state)
{
	(void)state;
	says("authorization policy create p", ".0\n");
	says("authorization policy period add p monday 13:00 monday 8:00",
	    ".0\n");
	says("authorization policy period add p", "?Start Day:\n");
	says("tue", "?Start Time (hh:mm):\n");
	says("9:00", "?End Day:\n");
	says("fri", "?End Time (hh:mm):\n");
	says("17:30", ".0\n");
	assert_non_null(strstr(desk_audited(&desk),
	    "p: Usage Period Tuesday 09:00 to Friday 17:30 added"));
	says("show authorization policy p",
	    "=  Usage Period 1: Monday 13:00 to Monday 08:00\n"
	    "=  Usage Period 2: Tuesday 09:00 to Friday 17:30\n.0\n");
	says("authorization policy period remove p 1", ".0\n");
	says("show authorization policy p",
	    "=  Usage Period 1: Tuesday 09:00 to Friday 17:30\n.0\n");
}

/* req: KS-29-046 */
static void
test_a_policy_is_deleted(void **state)
{
	(void)state;
	says("authorization policy create p", ".0\n");
	says("no authorization policy p", ".0\n");
	says("show authorization policy p",
	    "Error: Policy Name: p: there is none\n.1\n");
	says("no authorization policy p",
	    "Error: Policy Name: p: there is none\n.1\n");
}

#define LONG_16  "aaaaaaaaaaaaaaaa"
#define LONG_128 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16

static const struct {
	const char *line;
	const char *said;
} refused[] = {
    {"authorization policy create", "Policy Name: it is missing"},
    {"authorization policy create p", "there is one of this name already"},
    {"authorization policy create 1p", "Policy Name: 1p: 1 to 64 letters"},
    {"authorization policy create " LONG_128 LONG_128 LONG_128 LONG_128 LONG_128
	    LONG_128 LONG_128 LONG_128,
	"Policy Name: aaaa"},
    {"authorization policy create q r", "what is \"r\" for?"},
    {"edit authorization policy", "Policy Name: it is missing"},
    {"edit authorization policy q 5", "Policy Name: q: there is none"},
    {"edit authorization policy p 0",
	"Maximum Operations per Hour: 0: 1 to 500000000, or Unlimited"},
    {"edit authorization policy p 500000001",
	"Maximum Operations per Hour: 500000001: 1 to 500000000, or Unlimited"},
    {"edit authorization policy p 5 6", "what is \"6\" for?"},
    {"authorization policy period add p monday", "Start Time: it is missing"},
    {"authorization policy period add p mon 8:00 mon",
	"End Time: it is missing"},
    {"authorization policy period add p mon 8:00 mon 25:00",
	"End Time: 25:00: a time of day, 00:00 to 23:59"},
    {"authorization policy period add p mon 8:00 noday 9:00",
	"End Day: noday: Monday, Tuesday"},
    {"authorization policy period add p mon 8:00 mon 9:00 x",
	"what is \"x\" for?"},
    {"authorization policy period remove p",
	"Usage Period: its number is missing"},
    {"authorization policy period remove p 1",
	"Usage Period: 1: the policy has none of this number"},
    {"authorization policy period remove p x", "Usage Period: x: 1 to 100"},
    {"show authorization policy p q", "what is \"q\" for?"},
};

static void
test_what_is_against_the_rules_is_refused(void **state)
{
	size_t k;

	(void)state;
	says("authorization policy create p", ".0\n");
	for (k = 0; k < LENGTH(refused); k++) {
		says(refused[k].line, refused[k].said);
		says("show version", ".0\n");
	}
	says("authorization policy period add p\nnoday",
	    "Start Day: noday: Monday");
	says("show authorization policy p", "Usage Periods: Unlimited\n");
}

/* req: KS-15-074 KS-29-035 KS-29-045 */
static void
test_policies_need_the_access_control(void **state)
{
	static const char *const lines[] = {
	    "authorization policy create q",
	    "edit authorization policy p 5",
	    "authorization policy period add p mon 8:00 mon 9:00",
	    "authorization policy period remove p 1",
	    "no authorization policy p",
	};
	size_t k;

	(void)state;
	says("authorization policy create p", ".0\n");
	(void)desk_sit_as(&desk, "weak");
	says("config", ".0\n");
	for (k = 0; k < LENGTH(lines); k++)
		says(lines[k], "\"Keys and Authorization Policies\" access "
			       "control is required");
	says("show authorization policy", "=p\n.0\n");
}

int
main(void)
{
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    DESK_TEST(test_a_policy_is_made_edited_and_shown),
	    DESK_TEST(test_usage_periods_are_added_and_removed),
	    DESK_TEST(test_a_policy_is_deleted),
	    DESK_TEST(test_what_is_against_the_rules_is_refused),
	    DESK_TEST(test_policies_need_the_access_control),
	};
#undef DESK_TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

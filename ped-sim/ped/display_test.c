#include "ped/display.h"

#include "ikey/sample_test.h"

#define TEN   "1234567890"
#define FIFTY TEN TEN TEN TEN TEN

/* clang-format off */
static const struct {
	const char *name;
	const char *text;
	const char *lines[DISPLAY_LINES]; /* those behind are dark */
} samples[] = {
	{ "nothing",            "",            { "" } },
	{ "a line",             "abc",         { "abc" } },
	{ "two",                "abc\ndef",    { "abc", "def" } },
	{ "a dark one amid",    "abc\n\ndef",  { "abc", "", "def" } },
	{ "a dark one behind",  "abc\n",       { "abc", "" } },
	{ "a blank at the end", "Press ENTER. ", { "Press ENTER. " } },
	{ "60 columns",         FIFTY TEN,     { FIFTY TEN } },
	{ "61, without blanks", FIFTY TEN "1", { FIFTY TEN, "1" } },
	{ "a blank is 61st",    FIFTY TEN " ab", { FIFTY TEN, "ab" } },
	{ "broken at a blank",  FIFTY " 23456789012", { FIFTY, "23456789012" } },
	{ "the last blank",     "a " TEN " " FIFTY, { "a " TEN, FIFTY } },
	{ "three of one",       FIFTY TEN FIFTY TEN "ab",
	  { FIFTY TEN, FIFTY TEN, "ab" } },
	{ "nine lines",         "1\n2\n3\n4\n5\n6\n7\n8\n9",
	  { "1", "2", "3", "4", "5", "6", "7", "8" } },
	{ "what is no ASCII",   "a\xc3\xa9\x1b[H\x7fz\t", { "a???[H?z?" } },
};
/* clang-format on */

static void
text_is_broken_into_lines(void **state)
{
	size_t k;
	unsigned line;

	(void)state;
	for (k = 0; k < LENGTH(samples); k++) {
		struct display d = {.next = 0};

		print_message("%s\n", samples[k].name);
		display_put_text(&d, samples[k].text);
		for (line = 0; line < DISPLAY_LINES; line++) {
			const char *want = samples[k].lines[line];

			assert_string_equal(
			    d.lines[line], want != NULL ? want : "");
		}
	}
}

static void
what_is_cleared_is_nowhere(void **state)
{
	static const struct display dark;
	struct display d = {.next = 0};

	(void)state;
	display_put_text(&d, "AAAA-BBBB-CCCC-DDDD");
	display_printf(&d, "%s", FIFTY TEN "cut here");
	assert_string_equal(d.lines[1], FIFTY TEN);
	display_clear(&d);
	assert_memory_equal(&d, &dark, sizeof(d));
}

static void
a_broken_display_is_dark_and_fails_its_test(void **state)
{
	struct display d = {.next = 0};

	(void)state;
	assert_true(display_test(&d));
	d.is_broken = true;
	display_put_text(&d, "abc");
	assert_string_equal(d.lines[0], "");
	assert_false(display_test(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_broken_into_lines),
	    cmocka_unit_test(what_is_cleared_is_nowhere),
	    cmocka_unit_test(a_broken_display_is_dark_and_fails_its_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

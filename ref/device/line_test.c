#include "device/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *
ended(struct line *line)
{
	static char text[LINE_OCTETS + 1];
	struct bytes out = line_end(line);

	memcpy(text, out.at, out.octets);
	text[out.octets] = '\0';
	return text;
}

/* req: KS-21-018 KS-21-048 */
static void
test_a_field_ends_where_it_ends(void **state)
{
	static const struct {
		const char *value;
		const char *field;
		const char *bracketed;
	} cases[] = {
	    {"", "-", "[-]"},
	    {"-", "\\x2d", "[\\x2d]"},
	    {"--", "--", "[--]"},
	    {"k-1", "k-1", "[k-1]"},
	    {"a b", "a\\x20b", "[a b]"},
	    {"a]b", "a]b", "[a\\x5db]"},
	    {"[a", "[a", "[[a]"},
	    {"a\nb", "a\\x0ab", "[a\\x0ab]"},
	    {"a\\b", "a\\\\b", "[a\\\\b]"},
	    {"na\xc3\xafve", "na\xc3\xafve", "[na\xc3\xafve]"},
	    {"\xc2\x85", "\\xc2\\x85", "[\\xc2\\x85]"},
	    {"\xff", "\\xff", "[\\xff]"},
	    {"a\xc3", "a\\xc3", "[a\\xc3]"},
	};
	struct line line;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		line_begin(&line);
		line_field(&line, bytes_of_text(cases[k].value));
		assert_string_equal(ended(&line), cases[k].field);
		line_begin(&line);
		line_bracketed(&line, bytes_of_text(cases[k].value));
		assert_string_equal(ended(&line), cases[k].bracketed);
	}
}

static void
test_numbers(void **state)
{
	static const struct {
		uint64_t number;
		const char *want;
	} cases[] = {
	    {0, "0"},
	    {9, "9"},
	    {10, "10"},
	    {UINT64_MAX, "18446744073709551615"},
	};
	struct line line;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		line_begin(&line);
		line_put_number(&line, cases[k].number);
		assert_string_equal(ended(&line), cases[k].want);
	}
}

/* Octet c at place k of so many. */
static void
check_octet(unsigned c, size_t k, size_t octets)
{
	enum { OCTETS_MOST = 32 };
	bool plain = c >= 0x20 && c < 0x7f && c != '\\' && c != ' ' && c != ']';
	char text[OCTETS_MOST];
	char want[OCTETS_MOST + 8];
	struct line line;

	memset(text, 'x', octets);
	text[octets] = '\0';
	text[k] = (char)c;
	(void)snprintf(want, sizeof(want),
	    plain       ? "%.*s%c%s"
	    : c == '\\' ? "%.*s%c\\%s"
			: "%.*s\\x%02x%s",
	    (int)k, text, c, text + k + 1);
	line_begin(&line);
	line_escape(&line, (struct bytes){(const uint8_t *)text, octets}, " ]");
	assert_string_equal(ended(&line), want);
	line_scrub(text, octets);
	assert_int_equal((uint8_t)text[k], c < 0x20 || c == 0x7f ? '?' : c);
}

/* Each octet at each place of what is looked at as words, and of less. */
static void
test_every_octet(void **state)
{
	enum { OCTETS = 19 };
	size_t octets;
	unsigned c;
	size_t k;

	(void)state;
	for (octets = 1; octets <= OCTETS; octets++)
		for (c = 0; c < 256; c++)
			for (k = 0; k < octets; k++)
				check_octet(c, k, octets);
}

/* What a long one hides is said to be hidden, and the others stay whole. */
static void
test_a_long_field_is_cut(void **state)
{
	char value[LINE_FIELD_OCTETS + 1];
	char want[LINE_FIELD_OCTETS + 8];
	struct line line;

	(void)state;
	memset(value, 'x', sizeof(value));
	line_begin(&line);
	line_field(&line, (struct bytes){(uint8_t *)value, LINE_FIELD_OCTETS});
	memset(want, 'x', sizeof(want));
	want[LINE_FIELD_OCTETS] = '\0';
	assert_string_equal(ended(&line), want);
	line_begin(&line);
	line_field(
	    &line, (struct bytes){(uint8_t *)value, LINE_FIELD_OCTETS + 1});
	(void)strcpy(want + LINE_FIELD_OCTETS, "\\...");
	assert_string_equal(ended(&line), want);
}

/* However long, however it is put together. */
static void
test_a_long_line_is_cut(void **state)
{
	static const char *const units[] = {"x", "\n", "\xc3\xaf", "\\"};
	struct line line;
	struct bytes end;
	size_t k;
	size_t n;

	(void)state;
	for (k = 0; k < LENGTH(units); k++) {
		line_begin(&line);
		for (n = 0; n < 2 * LINE_OCTETS; n++)
			line_escape(&line, bytes_of_text(units[k]), "");
		end = line_end(&line);
		assert_in_range(end.octets, LINE_OCTETS - 4, LINE_OCTETS);
		assert_memory_equal(end.at + end.octets - 4, "\\...", 4);
	}
	line_begin(&line);
	for (n = 0; n < LINE_OCTETS - 4; n++)
		line_put_text(&line, "x");
	assert_int_equal(line_end(&line).octets, LINE_OCTETS - 4);
	assert_int_equal(line.at[LINE_OCTETS - 5], 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_field_ends_where_it_ends),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_every_octet),
	    cmocka_unit_test(test_a_long_field_is_cut),
	    cmocka_unit_test(test_a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "device/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define KIND_OF(symbol)                              \
	{                                            \
		.type = ENTRY_TEXT, .kind = (symbol) \
	}
#define NUMBER_OF(lo, hi, by, none)                                \
	{                                                          \
		.type = ENTRY_NUMBER, .least = (lo), .most = (hi), \
		.step = (by), .zero = (none)                       \
	}

static const struct entry_rule host_name = KIND_OF(TEXT_HOST_NAME);
static const struct entry_rule host = KIND_OF(TEXT_HOST);
static const struct entry_rule listen = KIND_OF(TEXT_LISTEN);
static const struct entry_rule name = KIND_OF(TEXT_NAME);
static const struct entry_rule certificate = KIND_OF(TEXT_CERTIFICATE);
static const struct entry_rule time_of_day = KIND_OF(TEXT_TIME_OF_DAY);
static const struct entry_rule age = NUMBER_OF(1, 365, 1, "Never");
static const struct entry_rule port = NUMBER_OF(1, 65535, 1, "");
static const struct entry_rule poll = NUMBER_OF(5, 10080, 5, "");
static const struct entry_rule balance = NUMBER_OF(0, 3, 1, "");
static const struct entry_rule yesno = {.type = ENTRY_YESNO};
static const struct entry_rule rule = {
    .type = ENTRY_CHOICE, .choices = "by-door|one-minute|one-hour|one"};

#define LETTERS_16 "abcdefghijklmnop"
#define LETTERS_63 LETTERS_16 LETTERS_16 LETTERS_16 "abcdefghijklmno"
#define LETTERS_64 LETTERS_16 LETTERS_16 LETTERS_16 LETTERS_16

/* want NULL: refused */
static const struct row {
	const struct entry_rule *rule;
	const char *typed;
	const char *want;
	int64_t number;
} table[] = {
    {&host_name, "demo", "demo", 0},
    {&host_name, "Key-1.example.com", "Key-1.example.com", 0},
    {&host_name, "1a", "1a", 0},
    {&host_name, LETTERS_16 LETTERS_16 "." LETTERS_16 "abcdefghijklmno",
	LETTERS_16 LETTERS_16 "." LETTERS_16 "abcdefghijklmno", 0},
    {&host_name, LETTERS_16 LETTERS_16 "." LETTERS_16 LETTERS_16, NULL, 0},
    {&host_name, LETTERS_63, LETTERS_63, 0},
    {&host_name, LETTERS_64, NULL, 0},
    {&host_name, "", NULL, 0},
    {&host_name, "-a", NULL, 0},
    {&host_name, "a-", NULL, 0},
    {&host_name, "a-.b", NULL, 0},
    {&host_name, "a.-b", NULL, 0},
    {&host_name, ".a", NULL, 0},
    {&host_name, "a.", NULL, 0},
    {&host_name, "a..b", NULL, 0},
    {&host_name, "a b", NULL, 0},
    {&host_name, "a_b", NULL, 0},
    {&host_name, "k\xc3\xa9y", NULL, 0},

    {&time_of_day, "00:00", "00:00", 0},
    {&time_of_day, "23:59", "23:59", 0},
    {&time_of_day, "8:05", "08:05", 0},
    {&time_of_day, "24:00", NULL, 0},
    {&time_of_day, "12:60", NULL, 0},
    {&time_of_day, "12.30", NULL, 0},
    {&time_of_day, "1230", NULL, 0},
    {&time_of_day, "a2:30", NULL, 0},
    {&time_of_day, "12:3", NULL, 0},
    {&time_of_day, "012:30", NULL, 0},

    {&host, "", "", 0},
    {&host, "192.0.2.7", "192.0.2.7", 0},
    {&host, "2001:DB8:0:0::7", "2001:db8::7", 0},
    {&host, "time.example.com", "time.example.com", 0},
    {&host, "192.0.2.256", NULL, 0},
    {&host, "192.0.2", NULL, 0},
    {&host, "192.0.2.7:123", NULL, 0},
    {&host, "2001:db8::7::1", NULL, 0},
    {&host, "time_example", NULL, 0},

    {&listen, "All", "All", 0},
    {&listen, "aLL", "All", 0},
    {&listen, "127.0.0.1", "127.0.0.1", 0},
    {&listen, "::1", "::1", 0},
    {&listen, "0:0:0:0:0:0:0:1", "::1", 0},
    {&listen, "", NULL, 0},
    {&listen, "Al", NULL, 0},
    {&listen, "Alls", NULL, 0},
    {&listen, "0.0.0.0", NULL, 0},
    {&listen, "::", NULL, 0},
    {&listen, "223.255.255.255", "223.255.255.255", 0},
    {&listen, "224.0.0.1", NULL, 0},
    {&listen, "255.255.255.255", NULL, 0},
    {&listen, "ff02::1", NULL, 0},
    {&listen, "localhost", NULL, 0},
    {&listen, "127.0.0.1 ", NULL, 0},

    {&name, "Default", "Default", 0},
    {&name, "a_b.c-9", "a_b.c-9", 0},
    {&name, LETTERS_64, LETTERS_64, 0},
    {&name, LETTERS_64 "q", NULL, 0},
    {&name, "", NULL, 0},
    {&name, "9a", NULL, 0},
    {&name, "a b", NULL, 0},
    {&name, "[Default]", NULL, 0},
    {&certificate, "[Default]", "[Default]", 0},
    {&certificate, "web", "web", 0},
    {&certificate, "[Other]", NULL, 0},

    {&age, "1", "1", 1},
    {&age, "365", "365", 365},
    {&age, "366", NULL, 0},
    {&age, "007", "7", 7},
    {&age, "never", "Never", 0},
    {&age, "Neve", NULL, 0},
    {&age, "0", NULL, 0},
    {&age, "-1", NULL, 0},
    {&age, "+1", NULL, 0},
    {&age, " 1", NULL, 0},
    {&age, "1d", NULL, 0},
    {&age, "0x1", NULL, 0},
    {&age, "", NULL, 0},
    {&port, "65535", "65535", 65535},
    {&port, "65536", NULL, 0},
    {&port, "never", NULL, 0},
    {&port, "18446744073709551617", NULL, 0},
    {&port, "000000000000000022", "22", 22},
    {&balance, "0", "0", 0},
    {&balance, "4", NULL, 0},
    {&poll, "4", NULL, 0},
    {&poll, "5", "5", 5},
    {&poll, "14", "10", 10},
    {&poll, "15", "15", 15},
    {&poll, "19", "15", 15},
    {&poll, "10080", "10080", 10080},
    {&poll, "10081", NULL, 0},

    {&yesno, "yes", "yes", 1},
    {&yesno, "no", "no", 0},
    {&yesno, "Y", "yes", 1},
    {&yesno, "n", "no", 0},
    {&yesno, "", NULL, 0},
    {&yesno, "yess", NULL, 0},
    {&yesno, "1", NULL, 0},

    {&rule, "by-door", "by-door", 0},
    {&rule, "BY", "by-door", 0},
    {&rule, "one-m", "one-minute", 1},
    {&rule, "one-h", "one-hour", 2},
    {&rule, "one-", NULL, 0},
    {&rule, "one", "one", 3}, /* all of it, though others begin so */
    {&rule, "on", NULL, 0},
    {&rule, "by-door|one", NULL, 0},
    {&rule, "two", NULL, 0},
    {&rule, "", NULL, 0},
};

static void
test_what_is_typed_is_kept_or_refused(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(table); k++) {
		const struct row *row = &table[k];
		char out[ENTRY_OCTETS] = "untouched";
		int64_t number = -1;
		enum err rc = entry_read(
		    row->rule, bytes_of_text(row->typed), out, &number);

		if (rc != (row->want != NULL ? OK : ERR_FIELD))
			fail_msg("'%s': %s", row->typed, err_name(rc));
		if (rc == OK &&
		    (strcmp(out, row->want) != 0 || number != row->number))
			fail_msg("'%s': expected '%s' %d, got '%s' %d",
			    row->typed, row->want, (int)row->number, out,
			    (int)number);
	}
}

/* What is kept can be read again, and is the same. */
static void
test_what_is_kept_is_read_the_same(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(table); k++) {
		const struct row *row = &table[k];
		char out[ENTRY_OCTETS];
		int64_t number;

		if (row->want == NULL)
			continue;
		assert_int_equal(entry_read(row->rule, bytes_of_text(row->want),
				     out, &number),
		    OK);
		assert_string_equal(out, row->want);
		assert_int_equal(number, row->number);
	}
}

/* A NUL does not hide what stands behind it. */
static void
test_a_nul_ends_nothing(void **state)
{
	static const struct {
		const struct entry_rule *rule;
		const char *typed;
		size_t octets;
	} rows[] = {
	    {&host_name, "a\0b", 3},
	    {&host, "192.0.2.7\0x", 11},
	    {&listen, "All\0", 4},
	    {&listen, "::1\0", 4},
	    {&name, "a\0", 2},
	    {&age, "1\0", 2},
	    {&age, "Never\0", 6},
	    {&yesno, "y\0", 2},
	    {&rule, "by\0", 3},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		struct bytes typed = {
		    (const uint8_t *)rows[k].typed, rows[k].octets};
		char out[ENTRY_OCTETS];
		int64_t number;

		if (entry_read(rows[k].rule, typed, out, &number) != ERR_FIELD)
			fail_msg("row %zu is read", k);
	}
}

static void
test_rules_are_told(void **state)
{
	static const struct {
		const struct entry_rule *rule;
		const char *want;
	} rows[] = {
	    {&age, "1 to 365, or Never"},
	    {&port, "1 to 65535"},
	    {&poll, "5 to 10080, rounded down to a multiple of 5"},
	    {&yesno, "yes or no"},
	    {&rule, "by-door, one-minute, one-hour or one"},
	    {&listen, "an IP address of this device, or All"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		struct buf out;

		buf_init(&out, 256);
		assert_int_equal(entry_describe(rows[k].rule, &out), OK);
		if (!bytes_equal_text(buf_peek(&out), rows[k].want))
			fail_msg("expected '%s', got '%.*s'", rows[k].want,
			    (int)out.octets, (const char *)out.at);
		buf_clear(&out);
	}
}

static void
test_what_is_not_taken_says_why(void **state)
{
	char kept[ENTRY_OCTETS];
	char why[ENTRY_WHY_OCTETS] = "";
	int64_t number = 0;

	(void)state;
	assert_int_equal(
	    entry_take("Age", &age, bytes_of_text("366"), kept, &number, why),
	    ERR_FIELD);
	assert_string_equal(why, "Age: 366: 1 to 365, or Never");
	why[0] = '\0';
	assert_int_equal(
	    entry_take("Age", &age, bytes_of_text("365"), kept, &number, why),
	    OK);
	assert_string_equal(kept, "365");
	assert_int_equal(number, 365);
	assert_string_equal(why, "");
}

static void
test_a_refusal_has_name_value_and_rule(void **state)
{
	static const struct {
		const char *typed;
		size_t octets;
		const char *want;
	} rows[] = {
	    {"22a", 3, "Port: 22a: 1 to 9"},
	    {"", 0, "Port: (empty): 1 to 9"},
	    {"a\nb\\c\x7f\xc3\0", 8,
		"Port: a\\x0ab\\\\c\\x7f\\xc3\\x00: 1 to 9"},
	    {LETTERS_64, 64, "Port: " LETTERS_64 ": 1 to 9"},
	    {LETTERS_64 "q", 65, "Port: " LETTERS_64 "...: 1 to 9"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		char why[ENTRY_WHY_OCTETS];

		entry_refuse("Port",
		    (struct bytes){
			(const uint8_t *)rows[k].typed, rows[k].octets},
		    "1 to 9", why);
		assert_string_equal(why, rows[k].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_typed_is_kept_or_refused),
	    cmocka_unit_test(test_what_is_kept_is_read_the_same),
	    cmocka_unit_test(test_a_nul_ends_nothing),
	    cmocka_unit_test(test_rules_are_told),
	    cmocka_unit_test(test_what_is_not_taken_says_why),
	    cmocka_unit_test(test_a_refusal_has_name_value_and_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

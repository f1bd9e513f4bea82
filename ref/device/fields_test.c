#include "device/fields.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define assert_err(call, want)                                     \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != (want))                                \
			fail_msg("%s: expected %s, got %s", #call, \
			    err_name(want), err_name(got_));       \
	} while (0)
#define assert_ok(call) assert_err(call, OK)

/* Octets by hand: what is stored stays readable for good. */
#define NAME_HIGH \
	"\x04"    \
	"high"
#define OCTETS(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static const struct {
	const char *name;
	struct bytes in;
	enum err want; /* of looking for "high" */
	const char *value;
} cases[] = {
    {"a field",
	OCTETS(NAME_HIGH "\0\0\0\x03"
			 "yes"),
	OK, "yes"},
    {"empty value", OCTETS(NAME_HIGH "\0\0\0\0"), OK, ""},
    {"nothing", OCTETS(""), ERR_NOT_FOUND, NULL},
    {"another",
	OCTETS("\x04"
	       "hide\0\0\0\x03"
	       "yes"),
	ERR_NOT_FOUND, NULL},
    {"the first of two",
	OCTETS(NAME_HIGH "\0\0\0\x01"
			 "a" NAME_HIGH "\0\0\0\x01"
			 "b"),
	OK, "a"},
    {"one behind another",
	OCTETS("\x01"
	       "a\0\0\0\x04"
	       "high" NAME_HIGH "\0\0\0\x01"
	       "b"),
	OK, "b"},
    {"no length of the value", OCTETS(NAME_HIGH), ERR_TRUNCATED, NULL},
    {"half a length", OCTETS(NAME_HIGH "\0\0\0"), ERR_TRUNCATED, NULL},
    {"value cut",
	OCTETS(NAME_HIGH "\0\0\0\x03"
			 "ye"),
	ERR_TRUNCATED, NULL},
    {"value of 4 GiB",
	OCTETS(NAME_HIGH "\xff\xff\xff\xff"
			 "ye"),
	ERR_TRUNCATED, NULL},
    {"name cut",
	OCTETS("\x05"
	       "high"),
	ERR_TRUNCATED, NULL},
    {"no name",
	OCTETS("\0\0\0\0\x03"
	       "yes"),
	ERR_VALUE, NULL},
    {"capital",
	OCTETS("\x04"
	       "High\0\0\0\x03"
	       "yes"),
	ERR_VALUE, NULL},
    {"below the letters",
	OCTETS("\x01"
	       "`\0\0\0\0"),
	ERR_VALUE, NULL},
    {"above the letters",
	OCTETS("\x01"
	       "{\0\0\0\0"),
	ERR_VALUE, NULL},
    {"below the digits",
	OCTETS("\x01"
	       "/\0\0\0\0"),
	ERR_VALUE, NULL},
    {"above the digits",
	OCTETS("\x01"
	       ":\0\0\0\0"),
	ERR_VALUE, NULL},
    {"the alphabet's ends",
	OCTETS("\x05"
	       "az09-\0\0\0\0"),
	ERR_NOT_FOUND, NULL},
    {"damage behind what was looked for",
	OCTETS(NAME_HIGH "\0\0\0\x03"
			 "yes\x01"),
	ERR_TRUNCATED, NULL},
};

static void
test_fields_are_found_and_damage_is_seen(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct bytes got = BYTES_NONE;
		enum err rc = fields_find(cases[k].in, "high", &got);

		if (rc != cases[k].want ||
		    (rc == OK && !bytes_equal_text(got, cases[k].value)))
			fail_msg("%s: expected %s, got %s", cases[k].name,
			    err_name(cases[k].want), err_name(rc));
	}
}

static void
test_what_is_put_has_the_format(void **state)
{
	struct buf b;
	struct bytes in;
	struct field field;

	(void)state;
	buf_init(&b, 200);
	assert_ok(fields_put_text(&b, "high", "yes"));
	assert_ok(fields_put_number(&b, "n-1", -42));
	assert_ok(fields_put(&b, "n-1", OCTETS("\0\xff")));
	assert_true(
	    bytes_equal(buf_peek(&b), OCTETS(NAME_HIGH "\0\0\0\x03"
						       "yes"
						       "\x03"
						       "n-1\0\0\0\x03"
						       "-42"
						       "\x03"
						       "n-1\0\0\0\x02\0\xff")));
	in = buf_peek(&b);
	assert_ok(fields_next(&in, &field));
	assert_true(bytes_equal_text(field.name, "high"));
	assert_ok(fields_next(&in, &field));
	assert_true(bytes_equal_text(field.value, "-42"));
	assert_ok(fields_next(&in, &field));
	assert_true(bytes_equal(field.value, OCTETS("\0\xff")));
	assert_err(fields_next(&in, &field), ERR_NOT_FOUND);
	buf_clear(&b);
}

static void
test_a_field_is_put_whole_or_not(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 12);
	assert_err(fields_put_text(&b, "high", "long"), ERR_LIMIT);
	assert_int_equal(b.octets, 0);
	assert_ok(fields_put_text(&b, "high", "yes"));
	assert_int_equal(b.octets, 12);
	buf_clear(&b);
}

static const struct {
	const char *text;
	enum err want;
	int64_t number;
} numbers[] = {
    {"0", OK, 0},
    {"7", OK, 7},
    {"-1", OK, -1},
    {"9223372036854775807", OK, INT64_MAX},
    {"-9223372036854775808", OK, INT64_MIN},
    {"9223372036854775808", ERR_VALUE, 0},
    {"-9223372036854775809", ERR_VALUE, 0},
    {"18446744073709551617", ERR_VALUE, 0},
    {"99999999999999999999999", ERR_VALUE, 0},
    {"", ERR_VALUE, 0},
    {"-", ERR_VALUE, 0},
    {"-0", ERR_VALUE, 0},
    {"007", ERR_VALUE, 0},
    {"+7", ERR_VALUE, 0},
    {" 7", ERR_VALUE, 0},
    {"7x", ERR_VALUE, 0},
};

static void
test_numbers_have_one_text_each(void **state)
{
	struct buf b;
	size_t k;

	(void)state;
	buf_init(&b, 200);
	for (k = 0; k < LENGTH(numbers); k++) {
		int64_t got = 11;
		enum err rc;

		buf_reset(&b);
		assert_ok(fields_put_text(&b, "n", numbers[k].text));
		rc = fields_number(buf_peek(&b), "n", &got);
		if (rc != numbers[k].want ||
		    got != (rc == OK ? numbers[k].number : 11))
			fail_msg("\"%s\": expected %s, got %s, %lld",
			    numbers[k].text, err_name(numbers[k].want),
			    err_name(rc), (long long)got);
		if (rc != OK)
			continue;
		buf_reset(&b);
		assert_ok(fields_put_number(&b, "n", numbers[k].number));
		got = 11;
		assert_ok(fields_number(buf_peek(&b), "n", &got));
		assert_int_equal(got, numbers[k].number);
		/* one that is not there leaves what was */
		got = 11;
		assert_ok(fields_number(buf_peek(&b), "m", &got));
		assert_int_equal(got, 11);
	}
	buf_clear(&b);
}

static void
test_damage_is_no_number(void **state)
{
	int64_t got = 11;

	(void)state;
	assert_err(fields_number(OCTETS("damage"), "n", &got), ERR_TRUNCATED);
	assert_int_equal(got, 11);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields_are_found_and_damage_is_seen),
	    cmocka_unit_test(test_what_is_put_has_the_format),
	    cmocka_unit_test(test_a_field_is_put_whole_or_not),
	    cmocka_unit_test(test_numbers_have_one_text_each),
	    cmocka_unit_test(test_damage_is_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3629: each accepted sequence has a refused neighbour. */
static void
utf8_is_told_from_what_looks_like_it(void **state)
{
	static const struct {
		const char *name;
		const char *octets;
		bool good;
	} rows[] = {
	    {"nothing", "", true},
	    {"ASCII", "a\x7f", true},
	    {"a lone continuation", "\x80", false},
	    {"two octets", "\xc3\xbc", true},
	    {"two octets, cut", "\xc3", false},
	    {"two octets, the second is none", "\xc3\x28", false},
	    {"the first of two octets", "\xc2\x80", true},
	    {"one octet's worth in two", "\xc1\xbf", false},
	    {"three octets", "\xe2\x82\xac", true},
	    {"the first of three", "\xe0\xa0\x80", true},
	    {"two octets' worth in three", "\xe0\x9f\xbf", false},
	    {"before the surrogates", "\xed\x9f\xbf", true},
	    {"the first surrogate", "\xed\xa0\x80", false},
	    {"the last surrogate", "\xed\xbf\xbf", false},
	    {"behind the surrogates", "\xee\x80\x80", true},
	    {"the first of four", "\xf0\x90\x80\x80", true},
	    {"three octets' worth in four", "\xf0\x8f\xbf\xbf", false},
	    {"the last character", "\xf4\x8f\xbf\xbf", true},
	    {"one behind the last", "\xf4\x90\x80\x80", false},
	    {"five octets", "\xf8\x88\x80\x80\x80", false},
	    {"good, then bad", "a\xc3\xbc\xff", false},
	};
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		if (bytes_is_utf8(bytes_of_text(rows[k].octets)) !=
		    rows[k].good)
			fail_msg("%s", rows[k].name);
	}
}

/* The values of FNV-1a's authors. */
static void
a_hash_is_the_same_everywhere(void **state)
{
	(void)state;
	assert_true(bytes_hash(BYTES_NONE, 0) == 0xcbf29ce484222325u);
	assert_true(
	    bytes_hash(bytes_of_text("foobar"), 0) == 0x85944171f73967e8u);
	assert_true(bytes_hash(bytes_of_text("foobar"), 1) !=
		    bytes_hash(bytes_of_text("foobar"), 0));
}

static void
a_split_takes_no_more_than_there_is(void **state)
{
	struct bytes in = bytes_of_text("abc");
	struct bytes head = BYTES_NONE;

	(void)state;
	assert_int_equal(bytes_split(&in, 4, &head), ERR_TRUNCATED);
	assert_int_equal(in.octets, 3);
	assert_null(head.at);
	assert_int_equal(bytes_split(&in, 2, &head), OK);
	assert_true(bytes_equal_text(head, "ab"));
	assert_true(bytes_equal_text(in, "c"));
	assert_int_equal(bytes_split(&in, 1, &head), OK);
	assert_int_equal(bytes_split(&in, 0, &head), OK);
	assert_int_equal(bytes_split(&in, SIZE_MAX, &head), ERR_TRUNCATED);
}

static void
what_is_behind_a_beginning_is_found(void **state)
{
	struct bytes rest = bytes_of_text("kept");

	(void)state;
	assert_true(bytes_begin(bytes_of_text("abc"), bytes_of_text("ab")));
	assert_true(bytes_begin(bytes_of_text("ab"), bytes_of_text("ab")));
	assert_true(bytes_begin(BYTES_NONE, BYTES_NONE));
	assert_false(bytes_begin(bytes_of_text("a"), bytes_of_text("ab")));
	assert_false(bytes_begin(bytes_of_text("ax"), bytes_of_text("ab")));
	assert_false(bytes_behind(bytes_of_text("axc"), "ab", &rest));
	assert_false(bytes_behind(BYTES_NONE, "ab", &rest));
	assert_true(bytes_equal_text(rest, "kept"));
	assert_true(bytes_behind(bytes_of_text("abc"), "ab", &rest));
	assert_true(bytes_equal_text(rest, "c"));
	assert_true(bytes_behind(bytes_of_text("ab"), "ab", &rest));
	assert_int_equal(rest.octets, 0);
}

static void
octets_are_ordered_as_memcmp_does(void **state)
{
	(void)state;
	assert_true(bytes_compare(bytes_of_text("a"), bytes_of_text("b")) < 0);
	assert_true(bytes_compare(bytes_of_text("b"), bytes_of_text("a")) > 0);
	assert_true(bytes_compare(bytes_of_text("a"), bytes_of_text("ab")) < 0);
	assert_int_equal(
	    bytes_compare(bytes_of_text("ab"), bytes_of_text("ab")), 0);
	assert_int_equal(bytes_compare(BYTES_NONE, BYTES_NONE), 0);
	assert_true(bytes_equal(BYTES_NONE, bytes_of_text("")));
	assert_false(bytes_equal(bytes_of_text("a"), bytes_of_text("b")));
}

static void
numbers_are_big_endian(void **state)
{
	uint8_t at[8];

	(void)state;
	bytes_put_u64(at, 0x0102030405060708);
	assert_memory_equal(at, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(bytes_u32(at), 0x01020304);
	assert_int_equal(bytes_u24(at + 1), 0x020304);
	assert_int_equal(bytes_u16(at + 6), 0x0708);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_is_told_from_what_looks_like_it),
	    cmocka_unit_test(a_hash_is_the_same_everywhere),
	    cmocka_unit_test(a_split_takes_no_more_than_there_is),
	    cmocka_unit_test(what_is_behind_a_beginning_is_found),
	    cmocka_unit_test(octets_are_ordered_as_memcmp_does),
	    cmocka_unit_test(numbers_are_big_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

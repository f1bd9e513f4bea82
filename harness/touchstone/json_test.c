#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What js_write_line makes of a value; to be freed. */
static char *
line_of(const struct js *v)
{
	char *text = NULL;
	size_t count;
	FILE *to = open_memstream(&text, &count);

	assert_non_null(to);
	assert_int_equal(js_write_line(to, v), OK);
	assert_int_equal(fclose(to), 0);
	return text;
}

static struct js *
parsed(const char *text)
{
	struct js *v;

	assert_int_equal(js_parse(text, strlen(text), &v, NULL), OK);
	return v;
}

static void
members_keep_their_order(void **state)
{
	struct js *o, *a;
	char *text;

	(void)state;
	assert_int_equal(js_object_new(&o), OK);
	assert_int_equal(js_put_string(o, "z", "last first"), OK);
	assert_int_equal(js_put_integer(o, "n", -9007199254740993), OK);
	assert_int_equal(js_put_bool(o, "b", true), OK);
	assert_int_equal(js_put_string(o, "none", NULL), OK);
	assert_int_equal(js_array_new(&a), OK);
	assert_int_equal(js_add_string(a, "x"), OK);
	assert_int_equal(js_put(o, "a", a), OK);
	assert_int_equal(js_put_real(o, "r", 0.1), OK);
	text = line_of(o);
	assert_string_equal(text,
	    "{\"z\":\"last first\",\"n\":-9007199254740993,\"b\":true,"
	    "\"none\":null,\"a\":[\"x\"],\"r\":0.1}\n");
	free(text);
	js_free(o);
}

/* RFC 3629 section 4: the edges of what is UTF-8, and what lies one beyond. */
static void
octets_that_are_no_text_are_replaced(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
	    /* clang-format off */
		{ "plain",              "abc",              "abc" },
		{ "quote and control",  "\"\\\n\x01\x7f",   "\"\\\n\x01\x7f" },
		{ "first of two",       "\xc2\x80",         "\xc2\x80" },
		{ "overlong",           "\xc1\xbf",         "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "first of three",     "\xe0\xa0\x80",     "\xe0\xa0\x80" },
		{ "overlong of three",  "\xe0\x9f\xbf",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "below surrogates",   "\xed\x9f\xbf",     "\xed\x9f\xbf" },
		{ "surrogate",          "\xed\xa0\x80",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "last of four",       "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "beyond the last",    "\xf4\x90\x80\x80",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "cut off",            "a\xe2\x82",        "a\xef\xbf\xbd\xef\xbf\xbd" },
		{ "tail without head",  "\x80z",            "\xef\xbf\xbdz" },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct js *o, *back;
		char *text;

		assert_int_equal(js_object_new(&o), OK);
		assert_int_equal(js_put_string(o, "s", cases[i].in), OK);
		text = line_of(o);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		back = parsed(text);
		if (strcmp(js_find_string(back, "s"), cases[i].want) != 0)
			fail_msg("%s: got %s", cases[i].name, text);
		js_free(back);
		free(text);
		js_free(o);
	}
}

static void
reading_refuses_what_is_not_one_value(void **state)
{
	static const struct {
		const char *name, *text;
		enum err want;
	} cases[] = {
	    /* clang-format off */
		{ "an object",         "{\"a\":1}\n",         OK },
		{ "two values",        "{\"a\":1}{\"a\":1}",  ERR_SYNTAX },
		{ "nothing",           "\n",                  ERR_SYNTAX },
		{ "a member",          "{\"a\":1,\"b\":1}",   OK },
		{ "a member twice",    "{\"a\":1,\"a\":1}",   ERR_SYNTAX },
		{ "cut off",           "{\"a\":1",            ERR_SYNTAX },
		{ "octets, not UTF-8", "[\"\xff\"]",          ERR_SYNTAX },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f = {""};
		struct js *v;
		enum err rc =
		    js_parse(cases[i].text, strlen(cases[i].text), &v, &f);

		if (rc != cases[i].want)
			fail_msg("%s: expected %s, got %s", cases[i].name,
			    err_name(cases[i].want), err_name(rc));
		assert_int_equal(v != NULL, rc == OK);
		assert_int_equal(f.text[0] != '\0', rc != OK);
		js_free(v);
	}
}

static void
lines_are_read_one_by_one(void **state)
{
	char text[] = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}";
	FILE *from = fmemopen(text, strlen(text), "r");
	struct js *v;
	int64_t n;

	(void)state;
	for (int64_t want = 1; want <= 2; want++) {
		assert_int_equal(js_read_line(from, &v, NULL), OK);
		assert_true(js_find_integer(v, "n", &n));
		assert_int_equal(n, want);
		js_free(v);
	}
	assert_int_equal(js_read_line(from, &v, NULL), ERR_TRUNCATED);
	assert_null(v);
	fclose(from);

	from = fmemopen(text, 8, "r");
	assert_int_equal(js_read_line(from, &v, NULL), OK);
	js_free(v);
	assert_int_equal(js_read_line(from, &v, NULL), OK);
	assert_null(v);
	fclose(from);
}

static void
a_member_of_another_type_is_not_there(void **state)
{
	struct js *v = parsed("{\"s\":\"1\",\"n\":1,\"b\":false,\"z\":null,"
			      "\"a\":[\"x\",2]}");
	int64_t n = 7;
	double x = 7;
	bool b = true;

	(void)state;
	assert_null(js_find(v, "z"));
	assert_null(js_find(v, "absent"));
	assert_null(js_find_string(v, "n"));
	assert_string_equal(js_find_string(v, "s"), "1");
	assert_false(js_find_integer(v, "s", &n));
	assert_int_equal(n, 7);
	assert_true(js_find_integer(v, "n", &n));
	assert_int_equal(n, 1);
	assert_false(js_find_real(v, "b", &x));
	assert_true(js_find_real(v, "n", &x));
	assert_false(js_find_bool(v, "n", &b));
	assert_true(js_find_bool(v, "b", &b));
	assert_false(b);
	assert_int_equal(js_count(js_find(v, "a")), 2);
	assert_int_equal(js_count(js_find(v, "s")), 0);
	assert_int_equal(js_count(NULL), 0);
	assert_string_equal(js_string_at(js_find(v, "a"), 0), "x");
	assert_null(js_string_at(js_find(v, "a"), 1));
	assert_null(js_string_at(js_find(v, "a"), 2));
	js_free(v);
}

static void
a_full_disk_is_reported(void **state)
{
	struct js *v = parsed("[1]");
	FILE *to = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(to);
	setvbuf(to, NULL, _IONBF, 0);
	assert_int_equal(js_write_line(to, v), ERR_WRITE);
	fclose(to);
	js_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_keep_their_order),
	    cmocka_unit_test(octets_that_are_no_text_are_replaced),
	    cmocka_unit_test(reading_refuses_what_is_not_one_value),
	    cmocka_unit_test(lines_are_read_one_by_one),
	    cmocka_unit_test(a_member_of_another_type_is_not_there),
	    cmocka_unit_test(a_full_disk_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

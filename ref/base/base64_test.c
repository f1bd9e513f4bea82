#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
what_is_read_loses_nothing(void **state)
{
	static const struct {
		const char *in;
		const char *want; /* NULL: refused */
	} cases[] = {
	    {"", ""},
	    {"YQ==", "a"},
	    {"YWI=", "ab"},
	    {"YWJj", "abc"},
	    {" Y\nW\tJ\rj ", "abc"},
	    {"+/+/", "\xfb\xff\xbf"},
	    {"YQ", NULL},
	    {"YQ=", NULL},
	    {"YR==", NULL},
	    {"YWJ=", NULL}, /* a bit would be lost */
	    {"YQ==YQ==", NULL},
	    {"Y===", NULL},
	    {"-_-_", NULL},
	};
	struct arena *arena;
	struct bytes out;
	size_t k;

	(void)state;
	assert_int_equal(arena_new(64 * 1024, &arena), OK);
	for (k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		enum err rc =
		    base64_read_all(arena, bytes_of_text(cases[k].in), &out);
		bool refused = cases[k].want == NULL;

		if (rc != (refused ? ERR_VALUE : OK))
			fail_msg("%s: %s", cases[k].in, err_name(rc));
		if (!refused)
			assert_true(bytes_equal_text(out, cases[k].want));
	}
	arena_free(arena);
}

/* spec: RFC 4648 10 */
static void
what_is_written_is_padded(void **state)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"\xfb\xff\xbf", "+/+/"},
	};
	char out[BASE64_CHARACTERS(6) + 1];
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct bytes in = bytes_of_text(cases[k].in);

		base64_write(in, out);
		assert_string_equal(out, cases[k].want);
		assert_int_equal(strlen(out), BASE64_CHARACTERS(in.octets));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read_loses_nothing),
	    cmocka_unit_test(what_is_written_is_padded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

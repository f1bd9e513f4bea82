#include "base/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1024 };

#define OCTETS(text)                                      \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static void
what_would_end_a_word_is_encoded(void **state)
{
	static const struct {
		struct bytes value;
		struct bytes want;
	} cases[] = {
	    {OCTETS(""), OCTETS("")},
	    {OCTETS("azAZ09-._"), OCTETS("azAZ09-._")},
	    {OCTETS("a b=c\n"), OCTETS("a%20b%3Dc%0A")},
	    {OCTETS("100%"), OCTETS("100%25")},
	    {OCTETS("\0\x7f\xff"), OCTETS("%00%7F%FF")},
	    {OCTETS("/:@[`{,^~+"), OCTETS("%2F%3A%40%5B%60%7B%2C%5E%7E%2B")},
	    {OCTETS("\xc3\xbc"), OCTETS("%C3%BC")},
	};
	struct buf out;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		buf_init(&out, ROOM);
		assert_int_equal(percent_put(&out, cases[k].value), OK);
		assert_true(bytes_equal(buf_peek(&out), cases[k].want));
		/* and back */
		assert_int_equal(percent_decode(out.at, &out.octets), OK);
		assert_true(bytes_equal(buf_peek(&out), cases[k].value));
		buf_clear(&out);
	}
}

static void
there_may_be_no_room(void **state)
{
	static const struct bytes value = OCTETS("ab ");
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(percent_put(&out, value), OK);
	buf_clear(&out);
	buf_init(&out, 4);
	assert_int_equal(percent_put(&out, value), ERR_LIMIT);
	buf_clear(&out);
}

static void
each_percent_has_two_digits(void **state)
{
	static const struct {
		const char *in;
		const char *want; /* NULL: refused */
	} cases[] = {
	    {"%41%5a%5A", "AZZ"},
	    {"a b=", "a b="},
	    {"%", NULL},
	    {"%4", NULL},
	    {"a%4", NULL},
	    {"%4g", NULL},
	    {"%g4", NULL},
	    {"%/0", NULL},
	    {"%:0", NULL},
	    {"%@0", NULL},
	    {"%G0", NULL},
	    {"%`0", NULL},
	    {"%%41", NULL},
	    {"%2525", "%25"},
	};
	char text[16];
	size_t octets, k;
	enum err rc;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		strcpy(text, cases[k].in);
		octets = strlen(text);
		rc = percent_decode((uint8_t *)text, &octets);
		assert_int_equal(rc, cases[k].want != NULL ? OK : ERR_VALUE);
		if (cases[k].want == NULL)
			continue;
		text[octets] = '\0';
		assert_string_equal(text, cases[k].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_would_end_a_word_is_encoded),
	    cmocka_unit_test(there_may_be_no_room),
	    cmocka_unit_test(each_percent_has_two_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

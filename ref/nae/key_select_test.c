#include "nae/key_select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
	const char *text;
	const char *name;
	enum key_select_which which;
	uint32_t number;
	enum err want;
} cases[] = {
	{ "k1",              "k1", SELECT_DEFAULT, 0, OK },
	{ "",                "",   SELECT_DEFAULT, 0, OK },
	{ "k1#1",            "k1", SELECT_ONE, 1, OK },
	{ "k1#4000",         "k1", SELECT_ONE, 4000, OK },
	{ "k1#999999999",    "k1", SELECT_ONE, 999999999, OK },
	{ "k1#all",          "k1", SELECT_ALL, 0, OK },
	{ "k1#",             "k1", SELECT_EMPTY, 0, OK },
	{ "#2",              "",   SELECT_ONE, 2, OK },

	{ "k1#0",            "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#01",           "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#1000000000",   "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#99999999999999999999", "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#-1",           "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#1 ",           "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1# 1",           "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#ALL",          "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#all ",         "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1##",            "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
	{ "k1#1#2",          "k1", SELECT_ONE, 0, ERR_KEY_VERSION },
};
/* clang-format on */

/* spec: nae-xml 1.3 2.5 */
static void
names_and_what_chooses_a_version(void **state)
{
	struct key_select got;
	enum err rc;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		rc = key_select_read(bytes_of_text(cases[k].text), &got);
		if (rc != cases[k].want ||
		    !bytes_equal_text(got.name, cases[k].name) ||
		    got.which != cases[k].which ||
		    (rc == OK && got.number != cases[k].number))
			fail_msg("\"%s\": %s, %d, %u", cases[k].text,
			    err_name(rc), (int)got.which, got.number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_what_chooses_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

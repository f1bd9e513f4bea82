#include "hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *text, *hex; /* hex NULL: refused */
	const char *says;
} rows[] = {
    {"", "", ""},
    {"00ff", "00ff", ""},
    {"00 FF\n\t0a", "00ff0a", ""},
    {"00 # comment ff\n01", "0001", ""},
    {"00#", "00", ""},
    {"0", NULL, "line 1"},
    {"00\n0 0", NULL, "line 2"},
    {"00\n\n0g", NULL, "line 3"},
    {"0#\n0", NULL, "line 1"},
    {"0x00", NULL, "line 1"},
};

static void
reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = {0}, back = {0};
		struct fault f = {""};
		enum err rc;

		rc = hex_read(bytes_of_text(rows[i].text), &out, &f);
		assert_int_equal(rc == OK, rows[i].hex != NULL);
		assert_non_null(strstr(f.text, rows[i].says));
		hex_write(buf_peek(&out), &back);
		if (rc == OK)
			assert_string_equal(buf_peek_text(&back), rows[i].hex);
		buf_clear(&out);
		buf_clear(&back);
	}
}

static void
utf8(void **state)
{
	static const struct {
		const char *hex;
		bool good;
		size_t bad;
	} cases[] = {
	    {"41", true, 0},
	    {"c280", true, 0},
	    {"c180", false, 0},
	    {"e0a080", true, 0},
	    {"e09f80", false, 0},
	    {"ed9fbf", true, 0},
	    {"eda080", false, 0},
	    {"f0908080", true, 0},
	    {"f08f8080", false, 0},
	    {"f48fbfbf", true, 0},
	    {"f4908080", false, 0},
	    {"41f5", false, 1},
	    {"41e282", false, 1},
	    {"4180", false, 1},
	    {"", true, 0},
	    {"00", true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf in = {0};
		struct fault f;
		size_t bad = 0;

		assert_int_equal(
		    hex_read(bytes_of_text(cases[i].hex), &in, &f), OK);
		assert_int_equal(
		    bytes_is_utf8(buf_peek(&in), &bad), cases[i].good);
		assert_int_equal(bad, cases[i].bad);
		buf_clear(&in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading),
	    cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cli/form_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
a_list_has_commas_or_blanks_between(void **state)
{
	static const struct {
		const char *list;
		const char *want; /* each word, and a semicolon */
	} cases[] = {
	    {"", ""},
	    {"  ", ""},
	    {"a", "a;"},
	    {"a,b c", "a;b;c;"},
	    {" a , b ", "a;b;"},
	    {"a,", "a;"},
	    /* no word where there should be one is seen by the caller */
	    {",", ";"},
	    {",a", ";a;"},
	    {"a,,b", "a;;b;"},
	    {"a , , b", "a;;b;"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct bytes list = bytes_of_text(cases[k].list);
		struct bytes word;
		char got[64] = "";

		while (form_list_next(&list, &word))
			(void)snprintf(got + strlen(got),
			    sizeof(got) - strlen(got), "%.*s;",
			    (int)word.octets, (const char *)word.at);
		assert_string_equal(got, cases[k].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_list_has_commas_or_blanks_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The table of operations, walked: each row once, reachable by its code in
 * just the versions that have it, and citing the sections of its own name.
 */
#include "kmip/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char facts[] = "spec-tests/facts/kmip/sections.tsv";

static const char *
name_of(const struct op *op)
{
	return schema_value_name(TAG_OPERATION, op->code);
}

static void
each_row_is_found_where_its_version_has_it(void **state)
{
	const struct op *op;
	size_t row;

	(void)state;
	for (row = 0; (op = op_row(row)) != NULL; row++) {
		assert_non_null(name_of(op));
		assert_non_null(op->run);
		/* a second row of the same code would never be found */
		assert_ptr_equal(op_find(op->code, V_LAST), op);
		assert_int_equal(op_find(op->code, V1_0) != NULL,
		    schema_value_in(TAG_OPERATION, op->code, V1_0));
	}
	assert_true(row > 0);
	assert_null(op_find(0, V_LAST));
}

/* The title of a section, in a buffer that the next call reuses. */
static const char *
title_of(const char *version, const char *section)
{
	static char line[512];
	FILE *f = fopen(facts, "r");
	const char *title = NULL;

	assert_non_null(f);
	while (title == NULL && fgets(line, sizeof(line), f) != NULL) {
		char *tab = strchr(line, '\t');
		char *second = tab != NULL ? strchr(tab + 1, '\t') : NULL;

		if (second == NULL)
			continue;
		*tab = '\0';
		*second = '\0';
		second[1 + strcspn(second + 1, "\n")] = '\0';
		if (strcmp(line, version) == 0 && strcmp(tab + 1, section) == 0)
			title = second + 1;
	}
	(void)fclose(f);
	return title;
}

static void
each_row_cites_the_sections_of_its_name(void **state)
{
	const struct op *op;
	size_t row;

	(void)state;
	for (row = 0; (op = op_row(row)) != NULL; row++) {
		const char *at = op->clause;
		unsigned cited = 0;

		while ((at = strstr(at, "kmip-")) != NULL) {
			char version[8];
			char section[16];
			const char *title;

			assert_int_equal(sscanf(at, "kmip-%7[0-9.] %15[0-9.]",
					     version, section),
			    2);
			title = title_of(version, section);
			if (title == NULL || strcmp(title, name_of(op)) != 0)
				fail_msg("%s cites kmip-%s %s, which is '%s'",
				    name_of(op), version, section,
				    title != NULL ? title : "nowhere");
			at += strlen("kmip-");
			cited++;
		}
		/* 1.x and 2.x, where both have it */
		assert_int_equal(cited,
		    schema_value_in(TAG_OPERATION, op->code, V1_4) ? 2 : 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_row_is_found_where_its_version_has_it),
	    cmocka_unit_test(each_row_cites_the_sections_of_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

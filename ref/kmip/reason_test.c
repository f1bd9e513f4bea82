#include "kmip/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Whatever goes wrong in whatever operation, the version knows the reason. */
static void
every_error_has_a_reason_its_version_knows(void **state)
{
	enum err rc;
	uint32_t op;
	size_t v;

	(void)state;
	for (rc = (enum err)1; rc < ERR_END; rc++) {
		for (op = 0; op <= OPERATION_SET_CONSTRAINTS; op++) {
			for (v = 0; v < VERSION_COUNT; v++) {
				uint32_t reason =
				    reason_of(rc, op, schema_versions[v]);

				if (!schema_value_in(TAG_RESULT_REASON, reason,
					schema_versions[v]))
					fail_msg("%s, operation %u, version "
						 "%x: reason %u",
					    err_name(rc), op,
					    schema_versions[v], reason);
			}
		}
	}
}

/*
 * What the specification's error tables have for the operation: the facts are
 * the tables of chapter 11 (1.x) and of each operation (2.x).
 */
static const struct {
	enum err rc;
	uint32_t operation;
	const char *name; /* in the facts */
} cases[] = {
    {ERR_NOT_FOUND, OPERATION_GET, "Get"},
    {ERR_NOT_FOUND, OPERATION_DESTROY, "Destroy"},
    {ERR_NOT_FOUND, OPERATION_GET_ATTRIBUTES, "Get Attributes"},
    {ERR_NOT_FOUND, OPERATION_CHECK, "Check"},
    {ERR_LIFECYCLE, OPERATION_ACTIVATE, "Activate"},
    {ERR_LIFECYCLE, OPERATION_DESTROY, "Destroy"},
    {ERR_DESTROYED, OPERATION_DESTROY, "Destroy"},
    {ERR_OBJECT_TYPE, OPERATION_CREATE, "Create"},
    {ERR_OBJECT_TYPE, OPERATION_ACTIVATE, "Activate"},
    {ERR_OBJECT_TYPE, OPERATION_REVOKE, "Revoke"},
    {ERR_OBJECT_TYPE, OPERATION_CHECK, "Check"},
    {ERR_ATTR_VALUE, OPERATION_CREATE, "Create"},
    {ERR_ATTR_VALUE, OPERATION_REGISTER, "Register"},
    {ERR_NAME_TAKEN, OPERATION_CREATE, "Create"},
    {ERR_NAME_TAKEN, OPERATION_REGISTER, "Register"},
    {ERR_NAME_TAKEN, OPERATION_ADD_ATTRIBUTE, "Add Attribute"},
    {ERR_NAME_TAKEN, OPERATION_MODIFY_ATTRIBUTE, "Modify Attribute"},
    {ERR_ATTR_READ_ONLY, OPERATION_ADD_ATTRIBUTE, "Add Attribute"},
    {ERR_ATTR_READ_ONLY, OPERATION_MODIFY_ATTRIBUTE, "Modify Attribute"},
    {ERR_ATTR_READ_ONLY, OPERATION_DELETE_ATTRIBUTE, "Delete Attribute"},
    {ERR_ATTR_READ_ONLY, OPERATION_CREATE, "Create"},
    {ERR_ATTR_SINGLE, OPERATION_ADD_ATTRIBUTE, "Add Attribute"},
    {ERR_ATTR_SINGLE, OPERATION_CREATE, "Create"},
    {ERR_ATTR_NOT_FOUND, OPERATION_MODIFY_ATTRIBUTE, "Modify Attribute"},
    {ERR_ATTR_NOT_FOUND, OPERATION_DELETE_ATTRIBUTE, "Delete Attribute"},
    {ERR_ATTR_INSTANCE, OPERATION_MODIFY_ATTRIBUTE, "Modify Attribute"},
    {ERR_ATTR_INSTANCE, OPERATION_DELETE_ATTRIBUTE, "Delete Attribute"},
    {ERR_ATTR_APPLIES, OPERATION_ADD_ATTRIBUTE, "Add Attribute"},
    {ERR_ATTR_UNKNOWN, OPERATION_LOCATE, "Locate"},
    {ERR_USAGE_MASK, OPERATION_CHECK, "Check"},
    {ERR_KEY_FORMAT, OPERATION_GET, "Get"},
    {ERR_SENSITIVE, OPERATION_GET, "Get"},
    {ERR_NOT_EXTRACTABLE, OPERATION_GET, "Get"},
    {ERR_CRYPTO, OPERATION_CREATE, "Create"},
};

/* The facts' spelling of a reason, compared without blanks and case. */
static bool
same_name(const char *a, const char *b)
{
	for (;;) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if ((*a | 0x20) != (*b | 0x20))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

/*
 * Is there a row of this version for this operation, or for all, with this
 * reason? Some rows of 1.x name two reasons, or one misspelt.
 */
static bool
is_in_facts(const char *version, const char *operation, const char *reason)
{
	FILE *facts = fopen("spec-tests/facts/kmip/errors.tsv", "r");
	char line[4096];
	bool found = false;

	assert_non_null(facts);
	while (!found && fgets(line, sizeof(line), facts) != NULL) {
		char *field[6] = {line};
		int n;

		line[strcspn(line, "\n")] = '\0';
		for (n = 1; n < 6; n++) {
			char *tab = strchr(field[n - 1], '\t');

			if (tab == NULL)
				break;
			*tab = '\0';
			field[n] = tab + 1;
		}
		found = n == 6 && strcmp(field[0], version) == 0 &&
			(strcmp(field[2], operation) == 0 ||
			    strcmp(field[2], "General") == 0) &&
			(same_name(field[5], reason) ||
			    (strstr(field[5], "and/or") != NULL &&
				strncmp(field[5], reason, 8) == 0) ||
			    (strcmp(field[5], "Not Extractble") == 0 &&
				strcmp(reason, "Not Extractable") == 0));
	}
	fclose(facts);
	return found;
}

static void
reasons_are_those_of_the_error_tables(void **state)
{
	size_t k;
	size_t v;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		for (v = 0; v < VERSION_COUNT; v++) {
			char version[16];
			const char *reason;

			if (!schema_value_in(TAG_OPERATION, cases[k].operation,
				schema_versions[v]))
				continue;
			reason = schema_value_name(TAG_RESULT_REASON,
			    reason_of(cases[k].rc, cases[k].operation,
				schema_versions[v]));
			snprintf(version, sizeof(version), "%d.%d",
			    schema_versions[v] >> 8, schema_versions[v] & 0xff);
			if (!is_in_facts(version, cases[k].name, reason))
				fail_msg("%s in %s at %s: '%s' is in no table",
				    err_name(cases[k].rc), cases[k].name,
				    version, reason);
		}
	}
}

/* The twins: the same error, worded for another version or operation. */
static void
the_version_decides_between_two_wordings(void **state)
{
	(void)state;
	assert_int_equal(reason_of(ERR_LIFECYCLE, OPERATION_DESTROY, V2_0),
	    RESULT_REASON_PERMISSION_DENIED);
	assert_int_equal(reason_of(ERR_LIFECYCLE, OPERATION_DESTROY, V2_1),
	    RESULT_REASON_WRONG_KEY_LIFECYCLE_STATE);
	assert_int_equal(reason_of(ERR_NOT_FOUND, OPERATION_GET, V1_4),
	    RESULT_REASON_ITEM_NOT_FOUND);
	assert_int_equal(reason_of(ERR_NOT_FOUND, OPERATION_GET, V2_0),
	    RESULT_REASON_OBJECT_NOT_FOUND);
	assert_int_equal(reason_of(ERR_NAME_TAKEN, OPERATION_CREATE, V1_2),
	    RESULT_REASON_INVALID_FIELD);
	assert_int_equal(
	    reason_of(ERR_NAME_TAKEN, OPERATION_ADD_ATTRIBUTE, V1_2),
	    RESULT_REASON_ILLEGAL_OPERATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_error_has_a_reason_its_version_knows),
	    cmocka_unit_test(reasons_are_those_of_the_error_tables),
	    cmocka_unit_test(the_version_decides_between_two_wordings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "device/act.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

/* req: KS-15-070 KS-15-071 KS-15-072 */
static void
test_controls_are_those_of_the_guide(void **state)
{
	static const char *const guide[] = {"Keys and Authorization Policies",
	    "Users and Groups", "Certificates", "Certificate Authorities",
	    "Advanced Security", "SSL", "Key Server", "Cluster",
	    "Network and Date/Time", "SNMP", "Logging", "HSM",
	    "Backup Configuration", "Backup Keys & Certificates",
	    "Backup Local CAs", "Restore Configuration",
	    "Restore Keys and Certificates", "Restore Local CAs", "Services",
	    "Software Upgrade and System Health", "Admin Access via Web",
	    "Admin Access via SSH"};
	enum control k;

	(void)state;
	assert_int_equal(CONTROL_COUNT, sizeof(guide) / sizeof(guide[0]));
	for (k = 0; k < CONTROL_COUNT; k++)
		assert_string_equal(control_row(k)->name, guide[k]);
	assert_int_equal(CONTROLS_ALL, 0x3fffff);
}

static void
test_words_find_their_rows(void **state)
{
	enum control control;
	enum grant grant;
	enum control k;
	enum grant g;

	(void)state;
	for (k = 0; k < CONTROL_COUNT; k++) {
		assert_true(control_find(
		    bytes_of_text(control_row(k)->word), &control));
		assert_int_equal(control, k);
	}
	for (g = 0; g < GRANT_COUNT; g++) {
		assert_true(
		    grant_find(bytes_of_text(grant_row(g)->word), &grant));
		assert_int_equal(grant, g);
	}
	assert_false(control_find(bytes_of_text("key"), &control));
	assert_false(control_find(bytes_of_text("keyss"), &control));
	assert_false(control_find(BYTES_NONE, &control));
	assert_false(grant_find(bytes_of_text("modify"), &grant));
	assert_false(grant_find(BYTES_NONE, &grant));
}

/* The guide's six, each of which an act asks for. */
static void
test_grants_are_those_of_the_guide(void **state)
{
	static const struct {
		const char *name; /* of the guide */
		enum act act;
		enum control control;
	} guide[] = {
	    /* req: KS-18-031 */
	    {"Add/Modify keys", ACT_KEY_MODIFY, CONTROL_KEYS},
	    /* req: KS-18-032 */
	    {"Delete keys", ACT_KEY_DELETE, CONTROL_KEYS},
	    /* req: KS-18-033 */
	    {"Add/Modify users and groups", ACT_USER_MODIFY, CONTROL_USERS},
	    /* req: KS-18-034 */
	    {"Delete users and groups", ACT_USER_DELETE, CONTROL_USERS},
	    /* req: KS-18-035 */
	    {"Affect authorization policies", ACT_POLICY, CONTROL_KEYS},
	    /* req: KS-18-036 */
	    {"Modify LDAP settings for users and groups", ACT_USER_LDAP,
		CONTROL_USERS},
	};
	enum grant k;
	enum act a;

	(void)state;
	assert_int_equal(GRANT_COUNT, sizeof(guide) / sizeof(guide[0]));
	for (k = 0; k < GRANT_COUNT; k++) {
		assert_string_equal(grant_row(k)->name, guide[k].name);
		assert_int_equal(grant_row(k)->control, guide[k].control);
		assert_int_equal(act_row(guide[k].act)->grant, k);
	}
	/* req: KS-18-038 */
	for (a = 0; a < ACT_COUNT; a++)
		if (act_row(a)->grant != GRANT_NONE)
			assert_int_equal(guide[act_row(a)->grant].act, a);
}

static void
test_every_act_is_a_row_of_its_own(void **state)
{
	enum act a;
	enum act b;

	(void)state;
	for (a = 0; a < ACT_COUNT; a++) {
		const struct act_row *row = act_row(a);

		assert_true(row->name != NULL && *row->name != '\0');
		assert_true(row->needs < CONTROL_COUNT ||
			    row->needs == NEEDS_NONE ||
			    row->needs == NEEDS_HIGH);
		for (b = 0; b < a; b++)
			assert_string_not_equal(row->name, act_row(b)->name);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_controls_are_those_of_the_guide),
	    cmocka_unit_test(test_words_find_their_rows),
	    cmocka_unit_test(test_grants_are_those_of_the_guide),
	    cmocka_unit_test(test_every_act_is_a_row_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Who may do what about certificates, and what is said to what cannot be. That
 * they work is told with an HSM: device/cert_test.c, and a bats file.
 */
#include "cli/desk_test.h"

#define CONFIG ">touchstone (config)# \n"

static struct desk desk;

static void
assert_has(const char *said, const char *part)
{
	if (strstr(said, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, said);
}

static int
set_up(void **state)
{
	(void)state;
	desk_make(&desk);
	desk_account(&desk, "root", true, CONTROLS_ALL);
	desk_account(&desk, "certs", false, CONTROL_BIT(CONTROL_CERTIFICATES));
	desk_account(&desk, "cas", false, CONTROL_BIT(CONTROL_CAS));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	desk_remove(&desk);
	return 0;
}

static bool
denied(const char *name, const char *command)
{
	(void)desk_sit_as(&desk, name);
	(void)desk_type(&desk, "config");
	return strstr(desk_type(&desk, command), "Access denied") != NULL;
}

/*
 * req: KS-15-077 KS-15-078 KS-19-043 KS-03-093 KS-06-132 KS-34-010 KS-34-030
 * req: KS-34-038 KS-34-043 KS-35-010 KS-35-019 KS-35-035 KS-35-049 KS-35-059
 */
static void
each_has_its_control(void **state)
{
	static const struct {
		const char *command;
		bool certs, cas;
	} rows[] = {
	    {"certificate request a", true, false},
	    {"certificate self-sign a", true, false},
	    {"certificate install a", true, false},
	    {"certificate import a", true, false},
	    {"no certificate a", true, false},
	    {"show certificate", true, false},
	    {"ca sign a", true, false},
	    {"ca local a", false, true},
	    {"ca request a", false, true},
	    {"ca response a", false, true},
	    {"ca install a", false, true},
	    {"ca profile create a", false, true},
	    {"ca profile add a b", false, true},
	    {"ca profile remove a b", false, true},
	    {"no ca local a", false, true},
	    {"no ca known a", false, true},
	    {"no ca profile a", false, true},
	    {"show ca local", false, true},
	    {"show ca signed a", false, true},
	    {"show ca known", false, true},
	    {"show ca profile", false, true},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(rows); k++) {
		if (denied("certs", rows[k].command) == rows[k].certs ||
		    denied("cas", rows[k].command) == rows[k].cas)
			fail_msg("%s", rows[k].command);
	}
}

static void
what_cannot_be_is_refused_as_it_is_typed(void **state)
{
	static const struct {
		const char *lines; /* the last one is refused */
		const char *why;
	} rows[] = {
	    {"certificate request", "Certificate Name: it is missing"},
	    {"certificate request 1a", "Certificate Name: 1a: 1 to 64 letters"},
	    {"certificate request a\nweb\n\n\n\n\nU",
		"Country Name: U: two letters, as US"},
	    {"certificate request a\nweb\n\n\n\n\n\n\n1000",
		"Key Size: 1000: 768, 1024, 2048, 3072 or 4096"},
	    {"certificate self-sign a\n36501",
		"Certificate Duration (days): 36501: 1 to 36500"},
	    {"ca sign a\nboth", "Certificate Purpose: both: "},
	    {"ca sign a\nserver\n0", "Certificate Duration (days): 0: 1 to"},
	    {"ca response a\nx",
		"Maximum User Certificate Duration (days): x: 1 to 36500"},
	    {"ca profile create 1", "Trusted CA List Profile: 1: 1 to 64"},
	    {"ca profile add Default", "Certificate Authority: it is missing"},
	    {"ca profile add Default 1", "Certificate Authority: 1: 1 to 64"},
	    {"show ca signed a zz", "Serial Number: zz: as 0x1f"},
	    {"show ca signed", "Certificate Authority Name: it is missing"},
	};
	/* what is not known may be a password: the audit log does not have it
	 */
	static const struct {
		const char *lines;
		const char *why;
		const char *written;
	} unknown[] = {
	    {"certificate request a b", "what is \"b\" for?",
		"a word too many"},
	};
	size_t k;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(rows); k++) {
		const char *said = desk_types(&desk, rows[k].lines);

		assert_has(said, "=Error: ");
		assert_has(said, rows[k].why);
		assert_has(said, ".1\n" CONFIG);
		assert_has(desk_audited(&desk), rows[k].why);
	}
	for (k = 0; k < LENGTH(unknown); k++) {
		assert_has(desk_types(&desk, unknown[k].lines), unknown[k].why);
		assert_has(desk_audited(&desk), unknown[k].written);
		assert_null(strstr(desk_audited(&desk), unknown[k].why));
	}
}

static void
without_an_hsm_there_are_no_keys(void **state)
{
	static const char *const rows[] = {
	    "certificate request a\nweb\n\n\n\n\n\n\n1024",
	    "certificate self-sign a\n1",
	    "certificate import a\nx\n.\nsecret",
	    "ca local a\nroot\n\n\n\n\n\n\n2048\n2\n1",
	    "ca sign a\nclient\n1\n.",
	    "certificate install a\n.",
	    "no certificate a",
	};
	size_t k;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	for (k = 0; k < LENGTH(rows); k++)
		assert_has(desk_types(&desk, rows[k]),
		    "=Error: keys of certificates cannot be used: the HSM does "
		    "not answer\n.1\n" CONFIG);
}

static void
text_has_an_end_and_a_limit(void **state)
{
	char line[1001];
	const char *said = "";
	unsigned k;

	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	assert_has(desk_type(&desk, "ca install a"), "?Certificate:\n");
	assert_has(desk_type(&desk, "-----BEGIN CERTIFICATE-----"), "?\n");
	assert_has(desk_type(&desk, "-----END CERTIFICATE-----"),
	    "=Error: Certificate: lines are missing\n.1\n");
	/* a private key is not shown */
	assert_has(desk_type(&desk, "certificate import a"), "*Certificate");
	assert_has(desk_type(&desk, "-----END CERTIFICATE-----"), "*\n");
	cli_break(desk.cli);
	assert_has(desk_wait(&desk), CONFIG);
	memset(line, 'A', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	(void)desk_type(&desk, "ca install a");
	for (k = 0; k <= 65536 / 1001 && strstr(said, "Error") == NULL; k++)
		said = desk_type(&desk, line);
	assert_has(said, "=Error: the text is longer than 65536 octets\n");
	assert_int_equal(k, 65536 / 1001 + 1);
}

static void
profiles_are_made_and_shown(void **state)
{
	(void)state;
	(void)desk_sit_as(&desk, "root");
	(void)desk_type(&desk, "config");
	assert_has(desk_type(&desk, "show ca profile"), "=  Default\n.0\n");
	assert_has(
	    desk_type(&desk, "ca profile create clients"), ".0\n" CONFIG);
	assert_has(
	    desk_audited(&desk), "Trusted CA List profile clients created");
	assert_has(desk_type(&desk, "show ca profile"),
	    "=  Default\n=  clients\n.0\n");
	assert_has(desk_type(&desk, "show ca profile clients"),
	    "=Trusted CAs\n=Available CAs\n.0\n");
	assert_has(desk_type(&desk, "no ca profile clients"), ".0\n");
	assert_has(desk_type(&desk, "show ca profile clients"),
	    "=Error: Trusted CA List Profile: clients: there is no such "
	    "profile\n.1\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_has_its_control),
	    cmocka_unit_test(what_cannot_be_is_refused_as_it_is_typed),
	    cmocka_unit_test(without_an_hsm_there_are_no_keys),
	    cmocka_unit_test(text_has_an_end_and_a_limit),
	    cmocka_unit_test(profiles_are_made_and_shown),
	};

	return cmocka_run_group_tests_name(
	    "cli/cert", tests, set_up, tear_down);
}

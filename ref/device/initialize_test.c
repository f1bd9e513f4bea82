#include "device/initialize.h"

#include "crypto/ossl.h"
#include "device/audit.h"
#include "device/clients.h"
#include "device/licence.h"
#include "device/package_rig_test.h"
#include "device/rig_test.h"

/* ---- what is read of an answer file ---- */

struct file_case {
	const char *name;
	const char *text;
	enum err want;
	const char *why; /* its beginning */
};

/* clang-format off */
static const struct file_case file_cases[] = {
	{ "nothing at all", "", OK, "" },
	{ "lines that say nothing", "\n# none = of it\n \t\r\n", OK, "" },
	{ "an answer", "host-name = keys\n", OK, "" },
	{ "without blanks, without an end", "host-name=keys", OK, "" },
	{ "a name that is none", "host-name = a b\n", ERR_FIELD,
	  "line 1: Hostname: a b: " },
	{ "no answer", "host-name\n", ERR_FIELD,
	  "line 1: not \"key = value\"" },
	{ "a key that is none", "\nhost = keys\n", ERR_FIELD,
	  "line 2: no such key" },
	{ "a key with more behind", "host-names = keys\n", ERR_FIELD,
	  "line 1: no such key" },
	{ "the same key twice", "ssh-port = 22\nssh-port = 22\n", ERR_FIELD,
	  "line 2: line 1 has this key already" },
	{ "the highest port", "ssh-port = 65535", OK, "" },
	{ "a higher port", "ssh-port = 65536", ERR_FIELD,
	  "line 1: SSH Admin Server Port: 65536: " },
	{ "a setting that is not yet there", "web-port = 9443", ERR_FEATURE,
	  "line 1: " },
	{ "a zone", "time-zone = Europe/Berlin", OK, "" },
	{ "no zone", "time-zone = Europe/Berlim", ERR_FIELD,
	  "line 1: Time Zone: Europe/Berlim: " },
	{ "a time", "time = 2012-02-29 23:59:59", OK, "" },
	{ "the time as it is", "time =", OK, "" },
	{ "no such day", "time = 2011-02-29 23:59:59", ERR_FIELD,
	  "line 1: Date and Time" },
	{ "a time that the zone of a later line passes over",
	  "time = 2012-03-25 02:30:00\ntime-zone = Europe/Berlin", ERR_FIELD,
	  "line 1: Date and Time" },
	{ "one that it does not pass over",
	  "time = 2012-03-25 03:30:00\ntime-zone = Europe/Berlin", OK, "" },
	{ "no key server", "key-server = no", OK, "" },
	{ "maybe one", "key-server = maybe", ERR_FIELD,
	  "line 1: Start the Key Server: maybe: yes or no" },
	{ "a password with blanks and signs", "password = a = b # c", OK, "" },
	{ "no password", "password =", ERR_FIELD,
	  "line 1: Password of admin: " },
	{ "its file", "password-file = a", OK, "" },
	{ "both", "password = a\npassword-file = a", ERR_FIELD,
	  "line 2: line 1 has the password already" },
	{ "a license", "license-file = a", OK, "" },
	{ "two of them", "license-file = a\nlicense-file = b", ERR_FIELD,
	  "line 2: line 1 has this key already" },
	{ "one that is typed", "license = 100", ERR_FIELD,
	  "line 1: no such key" },
};
/* clang-format on */

static void
answer_files_are_read(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(file_cases); k++) {
		const struct file_case *c = &file_cases[k];
		struct initialization *init = NULL;
		char why[CHANGE_WHY_OCTETS] = "";
		enum err rc;

		assert_ok(initialization_new(NULL, &init));
		rc = initialization_read(init, bytes_of_text(c->text), why);
		initialization_free(init);
		if (rc != c->want || strncmp(why, c->why, strlen(c->why)) != 0)
			fail_msg("%s: expected %s \"%s...\", got %s \"%s\"",
			    c->name, err_name(c->want), c->why, err_name(rc),
			    why);
	}
}

static void
a_nul_is_no_text(void **state)
{
	static const uint8_t text[] = "host-name = a\0b";
	char why[CHANGE_WHY_OCTETS] = "";
	struct initialization *init = NULL;

	(void)state;
	assert_ok(initialization_new(NULL, &init));
	assert_err(
	    initialization_read(init, (struct bytes){text, sizeof(text)}, why),
	    ERR_FIELD);
	initialization_free(init);
}

/* ---- the rows ---- */

static void
answers_have_names_and_are_shown(void **state)
{
	struct initialization *init = NULL;
	enum answer which;

	(void)state;
	assert_ok(initialization_new(NULL, &init));
	for (which = 0; which < ANSWER_COUNT; which++) {
		assert_true(*answer_name(which) != '\0');
		/* the password alone cannot be left out */
		assert_true((initialization_shown(init, which) == NULL) ==
			    (which == ANSWER_PASSWORD));
	}
	initialization_free(init);
}

/* ---- carried out ---- */

static struct loop_pool *pool;

struct outcome {
	bool done;
	enum err rc;
	char why[CHANGE_WHY_OCTETS];
};

static void
ended(void *ctx, enum err rc, const char *why)
{
	struct outcome *outcome = ctx;

	outcome->done = true;
	outcome->rc = rc;
	(void)snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

static void
carry_out(struct bench *bench, const char *text, struct outcome *outcome)
{
	struct initialization *init = NULL;
	char why[CHANGE_WHY_OCTETS] = "";

	*outcome = (struct outcome){.done = false};
	assert_ok(initialization_new(&bench->appliance, &init));
	assert_ok(initialization_read(init, bytes_of_text(text), why));
	initialization_run(init, ended, outcome);
	while (!outcome->done)
		bench_turn(bench);
	initialization_free(init);
}

static int
set_up(void **state)
{
	static struct bench bench;

	*state = &bench;
	bench_make(&bench);
	assert_ok(loop_pool_new(bench.rig.loop, "password", 1, &pool));
	bench.appliance.passwords = pool;
	bench.appliance.password_iterations = 1000;
	assert_ok(appliance_open(&bench.appliance));
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	loop_end_jobs(bench->rig.loop);
	appliance_close(&bench->appliance);
	bench_remove(bench);
	return 0;
}

/* req: KS-02-018 KS-15-034 KS-15-035 */
static void
all_of_it_is_done(void **state)
{
	struct bench *bench = *state;
	struct appliance *appliance = &bench->appliance;
	struct admin_count count;
	struct outcome outcome;
	struct admin admin;

	assert_false(appliance_is_initialized(appliance));
	carry_out(bench,
	    "host-name = keys.example\nssh-port = 2222\nkey-server = no\n"
	    "time-zone = Europe/Berlin\ntime = 2012-05-04 11:22:33\n"
	    "password = Canal5%Heron\n",
	    &outcome);
	assert_err(outcome.rc, OK);
	assert_true(appliance_is_initialized(appliance));
	assert_ok(admin_count(appliance->store, &count));
	assert_int_equal(count.local, 1);
	assert_ok(admin_read(appliance->store, bytes_of_text("admin"), &admin));
	assert_true(admin.high && !admin.ldap);
	assert_int_equal(admin.controls, CONTROLS_ALL);
	assert_int_equal(admin.must, ADMIN_MUST_NOT);
	admin_drop(&admin);
	assert_string_equal(
	    setting_text(appliance->settings, SETTING_HOST_NAME),
	    "keys.example");
	assert_int_equal(
	    setting_number(appliance->settings, SETTING_SSH_PORT), 2222);
	assert_string_equal(clock_zone(appliance->clock), "Europe/Berlin");
	assert_int_equal(env_wall_s(bench->rig.env), 1336123353);
	assert_false(service_startup(appliance->services, SERVICE_KEY_SERVER));
	/* once is enough */
	carry_out(
	    bench, "password = Canal5%Heron\nhost-name = other\n", &outcome);
	assert_err(outcome.rc, ERR_DENIED);
	assert_string_equal(
	    setting_text(appliance->settings, SETTING_HOST_NAME),
	    "keys.example");
}

static void
a_password_that_will_not_do_leaves_nothing(void **state)
{
	struct bench *bench = *state;
	struct appliance *appliance = &bench->appliance;
	struct outcome outcome;

	carry_out(
	    bench, "host-name = keys.example\npassword = admin\n", &outcome);
	assert_err(outcome.rc, ERR_FIELD);
	assert_memory_equal(outcome.why, "Password of admin: ", 19);
	carry_out(bench, "host-name = keys.example\n", &outcome);
	assert_err(outcome.rc, ERR_FIELD);
	assert_false(appliance_is_initialized(appliance));
	assert_string_equal(
	    setting_text(appliance->settings, SETTING_HOST_NAME), "touchstone");
}

/* ---- with a license ---- */

#define MADE                         \
	"product = touchstone-ref\n" \
	"made = 1790000000\n"

static enum err
keep_line(void *ctx, struct bytes line)
{
	return buf_put(ctx, line);
}

/* The last of the audit log. */
static void
audits(struct appliance *appliance, const char *want)
{
	struct buf line;

	buf_init(&line, 4096);
	assert_ok(audit_last(appliance->store, 1, keep_line, &line));
	assert_ok(buf_put(&line, (struct bytes){(const uint8_t *)"", 1}));
	assert_non_null(strstr((const char *)line.at, want));
	buf_clear(&line);
}

/*
 * It is verified as what an administrator installs, and nothing is done with
 * one that is not good. The last one is.
 *
 * req: KS-25-010 KS-25-017
 */
static void
a_license_comes_with_the_rest(void **state)
{
	static struct vendor vendor;
	static struct vendor other;
	const struct {
		const char *name;
		struct parcel parcel;
		bool trusted;
		const char *why; /* "": it is good */
	} cases[] = {
	    {"of somebody else",
		{.manifest = "type = licence\n" MADE "clients = 7\n",
		    .signer = &other},
		true, "signed by another key"},
	    {"not signed",
		{.manifest = "type = licence\n" MADE "clients = 7\n",
		    .unsigned_ = true},
		true, "not signed"},
	    {"for no clients",
		{.manifest = "type = licence\n" MADE "clients = 0\n"}, true,
		"malformed"},
	    {"software",
		{.manifest = "type = software\n" MADE "version = 6.2.0p1\n"
			     "component = touchstone-ref 0\n"},
		true, "no license, but software"},
	    {"where nobody is trusted",
		{.manifest = "type = licence\n" MADE "clients = 7\n"}, false,
		"trust"},
	    {"a good one",
		{.manifest = "type = licence\n" MADE "clients = 7\n"}, true,
		""},
	};
	struct bench *bench = *state;
	struct appliance *appliance = &bench->appliance;
	struct package_trust *trust = NULL;
	struct outcome outcome;
	struct licence licence;
	char text[200];
	size_t k;

	assert_ok(ossl_init());
	vendor_make(&vendor, 2048, 0x55);
	vendor_make(&other, 2048, 0xAA);
	assert_ok(package_trust_read(bytes_of_text(vendor.trust), &trust));
	for (k = 0; k < LENGTH(cases); k++) {
		bool is_good = *cases[k].why == '\0';
		int fd = parcel_make(&vendor, &cases[k].parcel);

		appliance->trust = cases[k].trusted ? trust : NULL;
		(void)snprintf(text, sizeof(text),
		    "license-file = /proc/self/fd/%d\n"
		    "password = Canal5%%Heron\n",
		    fd);
		carry_out(bench, text, &outcome);
		if (outcome.rc != (is_good ? OK : ERR_FIELD) ||
		    strstr(outcome.why, cases[k].why) == NULL ||
		    appliance_is_initialized(appliance) != is_good ||
		    clients_most(appliance->clients) != (is_good ? 7 : 0))
			fail_msg("%s: %s: %s, %zu clients", cases[k].name,
			    err_name(outcome.rc), outcome.why,
			    clients_most(appliance->clients));
		close(fd);
	}
	assert_ok(licence_read(appliance->store, &licence));
	assert_int_equal(licence.clients, 7);
	assert_int_equal(licence.made_s, 1790000000);
	audits(appliance, "; administrator: admin; licensed clients: 7");
	package_trust_free(trust);
	vendor_clear(&vendor);
	vendor_clear(&other);
}

static void
a_license_that_is_not_there_leaves_nothing(void **state)
{
	struct bench *bench = *state;
	struct outcome outcome;

	carry_out(
	    bench, "license-file = /none\npassword = Canal5%Heron\n", &outcome);
	assert_err(outcome.rc, ERR_FIELD);
	assert_string_equal(
	    outcome.why, "license-file: /none: No such file or directory");
	assert_false(appliance_is_initialized(&bench->appliance));
}

/* req: KS-25-010 */
static void
without_a_license_there_is_none(void **state)
{
	struct bench *bench = *state;
	struct outcome outcome;
	struct licence licence;

	carry_out(bench, "password = Canal5%Heron\n", &outcome);
	assert_ok(outcome.rc);
	assert_err(
	    licence_read(bench->appliance.store, &licence), ERR_NOT_FOUND);
	assert_int_equal(clients_most(bench->appliance.clients), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answer_files_are_read),
	    cmocka_unit_test(a_nul_is_no_text),
	    cmocka_unit_test(answers_have_names_and_are_shown),
	    cmocka_unit_test_setup_teardown(
		all_of_it_is_done, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_password_that_will_not_do_leaves_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_license_comes_with_the_rest, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_license_that_is_not_there_leaves_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		without_a_license_there_is_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

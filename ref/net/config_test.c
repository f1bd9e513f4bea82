#include "net/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/password.h"

/* A text, and what is wrong with it; NULL: nothing. */
struct row {
	const char *name;
	const char *in;
	const char *fault;
};

/* Each accepted one is followed by its refused twin. */
/* clang-format off */
static const struct row cases[] = {
	{ "nothing",                    "", NULL },
	{ "a key alone",                "listen", "line 1: not \"key = value\"" },
	{ "a comment",                  "# listen\n \t# x\n\n", NULL },
	{ "a comment behind a value",   "workers = 4 # many\n", "line 1: workers: not a number" },
	{ "a value",                    "workers = 7\n", NULL },
	{ "a value twice",              "workers = 7\nworkers = 7\n", "line 2: workers: stands twice" },
	{ "no blanks, no line feed",    "workers=7", NULL },
	{ "nothing behind the sign",    "workers=", "line 1: workers: no value" },
	{ "blanks around",              "\tworkers \t = \t7 \t\n", NULL },
	{ "a blank inside a number",    "workers = 1 2\n", "line 1: workers: not a number" },
	{ "the least",                  "idle_timeout_s = 1\n", NULL },
	{ "less",                       "idle_timeout_s = 0\n", "line 1: idle_timeout_s: 0 is not in 1..86400" },
	{ "the most",                   "idle_timeout_s = 86400\n", NULL },
	{ "more",                       "idle_timeout_s = 86401\n", "line 1: idle_timeout_s: 86401 is not in 1..86400" },
	{ "much more",                  "workers = 99999999999999999999\n", "line 1: workers: not a number" },
	{ "a minus",                    "workers = -1\n", "line 1: workers: not a number" },
	{ "a leading zero",             "workers = 07\n", "line 1: workers: not a number" },
	{ "one of the choices",         "protocol = echo\n", NULL },
	{ "none of the choices",        "protocol = ech\n", "line 1: protocol: none of kmip|echo" },
	{ "the separator as a choice",  "protocol = kmip|echo\n", "line 1: protocol: none of kmip|echo" },
	{ "UTF-8",                      "hsm_token = \xc3\xa9\n", NULL },
	{ "not UTF-8",                  "hsm_token = \xc3\n", "line 1: not plain text" },
	{ "an equals sign in a value",  "hsm_token = a=b\n", NULL },
	{ "a key that is none",         "\n\nListen = a\n", "line 3: Listen: no such key" },
	{ "a key too long to repeat",   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1",
	                                "line 1: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: no such key" },
	{ "no key",                     "= 1", "line 1: : no such key" },
	{ "a carriage return",          "workers = 7\r\n", "line 1: not plain text" },
	{ "an escape",                  "hsm_token = \033[2J\n", "line 1: not plain text" },
	{ "a byte order mark",          "\xef\xbb\xbfworkers = 7\n", "line 1: \xef\xbb\xbfworkers: no such key" },
};
/* clang-format on */

static void
test_files_are_taken_or_refused_with_a_reason(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const struct row *row = &cases[k];
		struct config config;
		struct config_fault fault;
		enum err rc = config_parse(
		    bytes_of_text(row->in), "/dir", &config, &fault);

		if (rc != (row->fault == NULL ? OK : ERR_CONFIG) ||
		    strcmp(fault.text, row->fault != NULL ? row->fault : "") !=
			0)
			fail_msg("%s\nexpected: %s\n     got: %s %s", row->name,
			    row->fault != NULL ? row->fault : "OK",
			    err_name(rc), fault.text);
		if (rc == OK)
			config_clear(&config);
	}
}

static void
test_a_nul_is_no_text(void **state)
{
	static const uint8_t in[] = "workers = 7\0";
	struct config config;
	struct config_fault fault;

	(void)state;
	assert_int_equal(config_parse((struct bytes){in, sizeof(in)}, "/dir",
			     &config, &fault),
	    ERR_CONFIG);
	assert_string_equal(fault.text, "line 1: not plain text");
}

static void
test_what_is_not_there_has_its_default(void **state)
{
	struct config config;
	struct config_fault fault;

	(void)state;
	assert_int_equal(config_parse(bytes_of_text("workers = 7\n"
						    "trust = /etc/ca\n"
						    "key = k/x.key\n"
						    "protocol = echo"),
			     "/dir", &config, &fault),
	    OK);
	assert_int_equal(config.workers, 7);
	assert_string_equal(config.trust, "/etc/ca");
	assert_string_equal(config.key, "/dir/k/x.key");
	assert_int_equal(config.protocol, 1);
	assert_string_equal(config.listen, "127.0.0.1:5696");
	assert_string_equal(config.certificate, "/dir/server.crt");
	assert_string_equal(config.hsm_pin, "");
	assert_string_equal(config.dictionary, "");
	assert_int_equal(config.idle_timeout_s, 300);
	assert_int_equal(config.password_iterations, PASSWORD_ITERATIONS);
	config_clear(&config);
	config_clear(&config);
}

static void
test_the_size_has_an_end(void **state)
{
	size_t octets = CONFIG_MAX_OCTETS;
	uint8_t *at = malloc(octets + 1);
	struct config config;
	struct config_fault fault;

	(void)state;
	assert_non_null(at);
	memset(at, '\n', octets + 1);
	assert_int_equal(
	    config_parse((struct bytes){at, octets}, "/dir", &config, &fault),
	    OK);
	config_clear(&config);
	assert_int_equal(config_parse((struct bytes){at, octets + 1}, "/dir",
			     &config, &fault),
	    ERR_CONFIG);
	free(at);
}

static void
test_the_file_is_found_in_its_directory(void **state)
{
	char dir[] = "/tmp/config_test.XXXXXX";
	char path[64];
	struct config config;
	struct config_fault fault;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(config_load(dir, &config, &fault), OK);
	assert_int_equal(config.workers, 2);
	config_clear(&config);
	(void)snprintf(path, sizeof(path), "%s/touchstone.conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("workers = 9\n", f);
	fclose(f);
	assert_int_equal(config_load(dir, &config, &fault), OK);
	assert_int_equal(config.workers, 9);
	config_clear(&config);
	unlink(path);
	mkdir(path, 0700); /* there, but no file */
	assert_int_equal(config_load(dir, &config, &fault), ERR_SYSTEM);
	assert_string_equal(fault.text, "Is a directory");
	rmdir(path);
	rmdir(dir);
}

/* Each default obeys its own rule, and --help has each key. */
static void
test_the_table_agrees_with_itself(void **state)
{
	char *help = NULL;
	size_t octets = 0;
	FILE *f = open_memstream(&help, &octets);

	(void)state;
	assert_non_null(f);
	config_help(f);
	fclose(f);
#define LINE(key)           assert_non_null(strstr(help, "  " #key "\n"));
#define TEXT(key, value, h) LINE(key)
#define PATH(key, value, h) LINE(key)
#define NUMBER(key, value, lo, hi, h) \
	LINE(key)                     \
	assert_true((int64_t)(value) >= (lo) && (value) <= (hi));
#define CHOICE(key, value, c, h) \
	LINE(key)                \
	assert_non_null(strstr(c, value));
#include "net/config.def"
	free(help);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files_are_taken_or_refused_with_a_reason),
	    cmocka_unit_test(test_a_nul_is_no_text),
	    cmocka_unit_test(test_what_is_not_there_has_its_default),
	    cmocka_unit_test(test_the_size_has_an_end),
	    cmocka_unit_test(test_the_file_is_found_in_its_directory),
	    cmocka_unit_test(test_the_table_agrees_with_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

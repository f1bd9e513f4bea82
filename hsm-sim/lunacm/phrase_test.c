#include "lunacm/phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* A line; the command, and its values in brackets: - for one that is not there
 */
struct sample {
	const char *name;
	const char *in;
	enum err want;
	const char *got; /* on failure: the word to blame */
};

/* clang-format off */
static const struct sample samples[] = {
	{ "nothing",              "",                        OK, "" },
	{ "blanks",               " \t ",                    OK, "" },
	{ "a command",            "role list",               OK, "role list" },
	{ "more blanks",          "  role \t list ",         OK, "role list" },
	{ "capitals",             "ROLE List",               OK, "role list" },
	{ "half of it",           "role",                    ERR_NOT_FOUND, "role" },
	{ "a shortened word",     "role lis",                ERR_NOT_FOUND, "role" },
	{ "no such word",         "roles list",              ERR_NOT_FOUND, "roles" },
	{ "a quoted command",     "\"role\" list",           ERR_NOT_FOUND, "role" },
	{ "a word too many",      "role list po",            ERR_UNEXPECTED, "po" },
	{ "an option too many",   "role list -name po",      ERR_UNEXPECTED, "-name" },
	{ "par for partition",    "par showinfo",            OK, "partition showinfo" },
	{ "in capitals",          "PAR showinfo",            OK, "partition showinfo" },
	{ "the whole word",       "partition showinfo",      OK, "partition showinfo" },
	{ "another beginning",    "part showinfo",           ERR_NOT_FOUND, "part" },
	{ "a question mark",      "?",                       OK, "help" },
	{ "quit for exit",        "quit",                    OK, "exit" },
	{ "an option",            "slot set -slot 3",        OK, "slot set[3]" },
	{ "its name in capitals", "slot set -SLOT 3",        OK, "slot set[3]" },
	{ "without a value",      "slot set -slot",          ERR_MISSING, "-slot" },
	{ "with two",             "slot set -slot 3 4",      ERR_UNEXPECTED, "4" },
	{ "shortened",            "slot set -sl 3",          ERR_UNEXPECTED, "-sl" },
	{ "without the hyphen",   "slot set slot 3",         ERR_UNEXPECTED, "slot" },
	{ "needed, not there",    "slot set",                ERR_MISSING, "slot" },
	{ "twice",                "slot set -slot 3 -slot 3", ERR_REPEATED, "-slot" },
	{ "a role",               "role login -name po",     OK, "role login[po]" },
	{ "of two words",         "role login -name Partition SO", OK, "role login[Partition SO]" },
	{ "with blanks between",  "role login -name Partition  SO ", OK, "role login[Partition SO]" },
	{ "in quotation marks",   "role login -name \"Partition SO\"", OK, "role login[Partition SO]" },
	{ "of three words",       "role login -name a b c",  OK, "role login[a b c]" },
	{ "not to the option behind", "role login -name a b -x", ERR_UNEXPECTED, "-x" },
	{ "case is kept",         "par init -label HSMoDnFIPS", OK, "partition init[HSMoDnFIPS][-][-]" },
	{ "a label of two words", "par init -label a b",     ERR_UNEXPECTED, "b" },
	{ "in quotation marks",   "par init -label \"a b\"", OK, "partition init[a b][-][-]" },
	{ "one like an option",   "par init -label -domain", ERR_MISSING, "-label" },
	{ "in quotation marks",   "par init -label \"-domain\"", OK, "partition init[-domain][-][-]" },
	{ "a hyphen alone",       "par init -label -",       OK, "partition init[-][-][-]" },
	{ "an empty label",       "par init -label \"\"",    ERR_MISSING, "-label" },
	{ "a domain",             "par init -label a -domain b", OK, "partition init[a][b][-]" },
	{ "in another order",     "par init -domain b -label a", OK, "partition init[a][b][-]" },
	{ "the default domain",   "par init -label a -defaultdomain", OK, "partition init[a][-][]" },
	{ "which has no value",   "par init -label a -defaultdomain b", ERR_UNEXPECTED, "b" },
	{ "no label",             "par init -domain b",      ERR_MISSING, "label" },
	{ "a mark that is not closed", "par init -label \"a b", ERR_TRUNCATED, NULL },
	{ "marks within a word",  "par init -label a\" \"b", OK, "partition init[a b][-][-]" },
	{ "a control character",  "role list\x01",           ERR_VALUE, NULL },
	{ "an escape",            "\x1b[A",                  ERR_VALUE, NULL },
	{ "a deleted character",  "role\x7f list",           ERR_VALUE, NULL },
	{ "UTF-8",                "par init -label \xc3\xa4", OK, "partition init[\xc3\xa4][-][-]" },
	{ "half a character",     "par init -label \xc3",    ERR_UTF8, NULL },
};
/* clang-format on */

static void
describe(const struct phrase *phrase, char out[200])
{
	const char *syntax;
	size_t k = 0;

	out[0] = '\0';
	if (phrase->command == NULL)
		return;
	(void)snprintf(out, 200, "%s", phrase->command->words);
	for (syntax = phrase->command->syntax;
	     (syntax = strchr(syntax, '-')) != NULL; syntax++, k++) {
		struct bytes v = phrase->value[k];

		(void)snprintf(out + strlen(out), 200 - strlen(out), "[%.*s]",
		    v.at == NULL ? 1 : (int)v.octets,
		    v.at == NULL ? "-" : (const char *)v.at);
	}
}

/* req: KSC-077, KSC-086, KSC-103 */
static void
lines_are_read(void **state)
{
	struct phrase phrase;
	char got[200];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(samples); k++) {
		const struct sample *s = &samples[k];
		enum err rc = phrase_read(bytes_of_text(s->in), &phrase);

		if (rc != s->want)
			fail_msg("%s: %s, not %s", s->name, err_name(rc),
			    err_name(s->want));
		if (s->got == NULL)
			continue;
		describe(&phrase, got);
		if (rc != OK)
			(void)snprintf(got, sizeof(got), "%.*s",
			    (int)phrase.blamed.octets,
			    (const char *)phrase.blamed.at);
		if (strcmp(got, s->got) != 0)
			fail_msg("%s: %s, not %s", s->name, got, s->got);
	}
}

static void
each_limit_has_two_sides(void **state)
{
	static uint8_t text[PHRASE_OCTETS + 1];
	struct phrase phrase;
	size_t k;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "par init -label ", 16);
	assert_int_equal(
	    phrase_read((struct bytes){text, PHRASE_OCTETS}, &phrase), OK);
	assert_int_equal(phrase.value[0].octets, PHRASE_OCTETS - 16);
	assert_int_equal(
	    phrase_read((struct bytes){text, PHRASE_OCTETS + 1}, &phrase),
	    ERR_LENGTH);
	memcpy(text, "role login -name", 16);
	for (k = 16; k < sizeof(text); k += 2)
		memcpy(text + k, " a", k + 1 < sizeof(text) ? 2 : 1);
	k = 16 + 2 * (PHRASE_WORDS_MAX - 3);
	assert_int_equal(phrase_read((struct bytes){text, k}, &phrase), OK);
	assert_int_equal(
	    phrase_read((struct bytes){text, k + 2}, &phrase), ERR_COUNT);
}

/* req: KSC-075, KSC-077  three roles, and what they are called */
static void
roles_have_two_names(void **state)
{
	static const char *const names[][2] = {
	    {"po", "Partition SO"},
	    {"co", "Crypto Officer"},
	    {"cu", "Crypto User"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(names); k++) {
		const struct luna_role *role = luna_role_row(k);

		assert_string_equal(role->name, names[k][0]);
		assert_string_equal(role->whole, names[k][1]);
		assert_ptr_equal(
		    luna_role_find(bytes_of_text(names[k][0])), role);
		assert_ptr_equal(
		    luna_role_find(bytes_of_text(names[k][1])), role);
	}
	assert_null(luna_role_row(k));
	assert_ptr_equal(
	    luna_role_find(bytes_of_text("crypto USER")), luna_role_row(2));
	assert_ptr_equal(luna_role_find(bytes_of_text("CO")), luna_role_row(1));
	assert_null(luna_role_find(bytes_of_text("Crypto")));
	assert_null(luna_role_find(bytes_of_text("CryptoUser")));
	assert_null(luna_role_find(bytes_of_text("")));
	/* docs/decisions.md, KSC-078 */
	assert_null(luna_role_find(bytes_of_text("Partition S0")));
}

/* Each row: a clause, a help, options that fit, and itself when it is read. */
static void
rows_are_well_formed(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; luna_command_row(k) != NULL; k++) {
		const struct luna_command *row = luna_command_row(k);
		char line[200];
		struct phrase phrase;

		assert_true(strncmp(row->clause, "KSC-", 4) == 0 ||
			    strcmp(row->clause, "inferred") == 0);
		assert_true(row->help[0] != '\0');
		(void)snprintf(
		    line, sizeof(line), "%s %s", row->words, row->syntax);
		/* as it is printed, but for the brackets */
		for (char *c = line; *c != '\0'; c++) {
			if (*c == '[' || *c == ']')
				*c = ' ';
		}
		if (phrase_read(bytes_of_text(line), &phrase) != OK)
			fail_msg("%s: not read", line);
		assert_ptr_equal(phrase.command, row);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read),
	    cmocka_unit_test(each_limit_has_two_sides),
	    cmocka_unit_test(roles_have_two_names),
	    cmocka_unit_test(rows_are_well_formed),
	};

	return cmocka_run_group_tests_name("phrase", tests, NULL, NULL);
}

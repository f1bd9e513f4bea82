#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A line, and the words that it is read as, each in brackets. */
struct line {
	const char *name;
	const char *in;
	enum err want;
	const char *words;
};

/* clang-format off */
static const struct line lines[] = {
	{ "nothing",                 "",                  OK, "" },
	{ "blanks",                  " \t ",              OK, "" },
	{ "words",                   " show  hsm\tstatus ", OK, "[show][hsm][status]" },
	{ "a control character",     "show\x01hsm",       ERR_VALUE, NULL },
	{ "a deleted character",     "show\x7f",          ERR_VALUE, NULL },
	{ "a line feed inside",      "show\nhsm",         ERR_VALUE, NULL },
	{ "UTF-8",                   "set n\xc3\xa4me",   OK, "[set][n\xc3\xa4me]" },
	{ "half a character",        "set n\xc3",         ERR_UTF8, NULL },
	{ "quotation marks",         "name \"a b\" c",    OK, "[name][a b][c]" },
	{ "one that is not closed",  "name \"a b",        ERR_TRUNCATED, NULL },
	{ "an empty word",           "name \"\"",         OK, "[name][]" },
	{ "marks within a word",     "a\"b c\"d",         OK, "[ab cd]" },
	{ "a mark that is hidden",   "\"a\\\"b\"",        OK, "[a\"b]" },
	{ "a backslash",             "\"a\\\\b\" c\\d",   OK, "[a\\b][c\\d]" },
	{ "a backslash at the end",  "\"a\\\"",           ERR_TRUNCATED, NULL },
	{ "a question",              "show ?",            OK, "[show]?" },
	{ "a question and a blank",  "show ? ",           OK, "[show]?" },
	{ "a question alone",        "?",                 OK, "?" },
	{ "one within a word",       "sh?",               OK, "[sh]?+" },
	{ "a quoted one",            "show \"?\"",        OK, "[show][?]" },
	{ "one that is not the end", "sh? x",             OK, "[sh?][x]" },
};
/* clang-format on */

static void
lines_are_read(void **state)
{
	struct words words;
	size_t k;
	size_t n;

	(void)state;
	for (k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		char got[200] = "";
		enum err rc = words_read(bytes_of_text(lines[k].in), &words);

		for (n = 0; n < words.count; n++)
			(void)snprintf(got + strlen(got),
			    sizeof(got) - strlen(got), "[%.*s]",
			    (int)words.word[n].octets,
			    (const char *)words.word[n].at);
		strcat(got, words.asks ? "?" : "");
		strcat(got, words.open ? "+" : "");
		if (rc != lines[k].want ||
		    (rc == OK && strcmp(got, lines[k].words) != 0))
			fail_msg("%s: got %s %s, want %s %s", lines[k].name,
			    err_name(rc), got, err_name(lines[k].want),
			    lines[k].words);
	}
}

/* A limit, and one beyond it. */
static void
lines_have_limits(void **state)
{
	uint8_t in[COMMAND_LINE_OCTETS + 1];
	struct words words;
	size_t k;

	(void)state;
	memset(in, 'a', sizeof(in));
	assert_int_equal(
	    words_read((struct bytes){in, COMMAND_LINE_OCTETS}, &words), OK);
	assert_int_equal(words.word[0].octets, COMMAND_LINE_OCTETS);
	assert_int_equal(
	    words_read((struct bytes){in, COMMAND_LINE_OCTETS + 1}, &words),
	    ERR_LENGTH);
	for (k = 0; k < sizeof(in); k++)
		in[k] = k % 2 != 0 ? ' ' : 'a';
	assert_int_equal(
	    words_read((struct bytes){in, 2 * COMMAND_WORDS_MAX}, &words), OK);
	assert_int_equal(words.count, COMMAND_WORDS_MAX);
	assert_int_equal(
	    words_read((struct bytes){in, 2 * COMMAND_WORDS_MAX + 1}, &words),
	    ERR_COUNT);
}

struct find {
	const char *name;
	const char *in;
	enum cli_mode mode;
	enum command_match want;
	const char *words; /* of the command; or NULL */
	size_t at_word;
};

/* clang-format off */
static const struct find finds[] = {
	{ "the whole word",        "config",  CLI_PLAIN,  COMMAND_FOUND, "config", 1 },
	{ "its beginning",         "co",      CLI_PLAIN,  COMMAND_FOUND, "config", 1 },
	{ "more than the word",    "configs", CLI_PLAIN,  COMMAND_UNKNOWN, NULL, 0 },
	{ "another letter",        "Config",  CLI_PLAIN,  COMMAND_UNKNOWN, NULL, 0 },
	{ "in the other mode",     "config",  CLI_CONFIG, COMMAND_ELSEWHERE, NULL, 0 },
	{ "in either mode",        "exit",    CLI_CONFIG, COMMAND_FOUND, "exit", 1 },
	{ "a word too many",       "exit now", CLI_PLAIN, COMMAND_UNKNOWN, NULL, 1 },
	{ "an empty word",         "\"\"",    CLI_PLAIN,  COMMAND_UNKNOWN, NULL, 0 },
	{ "what takes the rest",   "help show x", CLI_PLAIN, COMMAND_FOUND, "help ...", 1 },
	{ "words",                 "show hsm status", CLI_PLAIN, COMMAND_FOUND, "show hsm status", 3 },
	{ "shortened words",       "sh hs s",   CLI_CONFIG, COMMAND_FOUND, "show hsm status", 3 },
	{ "words that are missing", "show hsm", CLI_PLAIN, COMMAND_INCOMPLETE, NULL, 2 },
	{ "several places shortened", "s h s", CLI_PLAIN, COMMAND_AMBIGUOUS, NULL, 1 },
	{ "a value behind words",  "show administrator bob", CLI_PLAIN, COMMAND_FOUND, "show administrator ...", 2 },
	{ "a value like a word",   "administrator show", CLI_CONFIG, COMMAND_FOUND, "administrator ...", 1 },
	{ "a section of settings", "show lockout settings", CLI_PLAIN, COMMAND_FOUND, "show lockout settings", 3 },
	{ "and its change",        "edit lockout settings rule x", CLI_CONFIG, COMMAND_FOUND, "edit lockout settings ...", 3 },
	{ "which is for configuration", "edit lockout settings", CLI_PLAIN, COMMAND_ELSEWHERE, NULL, 0 },
	{ "too short a word",      "hsm log crypto user", CLI_CONFIG, COMMAND_AMBIGUOUS, NULL, 1 },
	{ "as short as it may be", "hsm logi c u", CLI_CONFIG, COMMAND_FOUND, "hsm login crypto user", 4 },
	{ "the other one",         "hsm logo c u", CLI_CONFIG, COMMAND_FOUND, "hsm logout crypto user", 4 },
	{ "only in configuration", "hsm activate", CLI_PLAIN, COMMAND_ELSEWHERE, NULL, 1 },
	{ "in both modes",         "hsm enable secure-key-cache", CLI_PLAIN, COMMAND_FOUND, "hsm enable secure-key-cache", 3 },
	{ "and no rest",           "help",    CLI_PLAIN,  COMMAND_FOUND, "help ...", 1 },
};
/* clang-format on */

static void
commands_are_found(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(finds) / sizeof(finds[0]); k++) {
		const struct find *f = &finds[k];
		const struct command *command = NULL;
		enum command_match match;
		struct words words;
		size_t at_word = 0;

		assert_int_equal(words_read(bytes_of_text(f->in), &words), OK);
		match = command_find(&words, f->mode, &command, &at_word);
		if (match != f->want || at_word != f->at_word ||
		    (command != NULL) != (f->words != NULL) ||
		    (command != NULL && strcmp(command->words, f->words) != 0))
			fail_msg("%s: got %d %s at %zu, want %d %s at %zu",
			    f->name, (int)match,
			    command != NULL ? command->words : "nothing",
			    at_word, (int)f->want,
			    f->words != NULL ? f->words : "nothing",
			    f->at_word);
	}
}

static void
gather(void *ctx, struct bytes word, const char *help)
{
	char *got = ctx;

	(void)snprintf(got + strlen(got), 2000 - strlen(got), "[%.*s%s]",
	    (int)word.octets, (const char *)word.at,
	    help == NULL ? " ..." : "");
}

struct next {
	const char *in;
	enum cli_mode mode;
	const char *want;
};

/* clang-format off */
static const struct next nexts[] = {
	{ "con?",      CLI_PLAIN,  "[config]" },
	{ "con?",      CLI_CONFIG, "" },
	{ "config ?",  CLI_PLAIN,  "[<cr>]" },
	{ "config x ?", CLI_PLAIN, "" },
	{ "help ?",    CLI_PLAIN,  "[<cr>]" },
	{ "show hsm ?", CLI_PLAIN, "[status]" },
	{ "show log?", CLI_PLAIN,  "[log ...]" },
	{ "show administrator ?", CLI_PLAIN, "[<cr>]" },
	{ "show hsm status ?", CLI_PLAIN, "[<cr>]" },
	{ "hsm ?",     CLI_PLAIN,  "[enable ...][disable ...]" },
	{ "hsm log?",  CLI_CONFIG, "[login ...][logout ...]" },
	{ "hsm log ?", CLI_CONFIG, "" },
	{ "hsm remote ped ?", CLI_CONFIG, "[init][connect]" },
};
/* clang-format on */

static void
a_question_lists_what_can_follow(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(nexts) / sizeof(nexts[0]); k++) {
		const struct next *n = &nexts[k];
		char got[2000] = "";
		struct words words;
		bool any;

		assert_int_equal(words_read(bytes_of_text(n->in), &words), OK);
		assert_true(words.asks);
		any =
		    command_next(&words, n->mode, gather, got) == COMMAND_FOUND;
		if (strcmp(got, n->want) != 0 || any != (*got != '\0'))
			fail_msg("%s: got %s, want %s", n->in, got, n->want);
	}
}

/* Each row can be reached by its own words, and by no other's. */
static void
the_table_is_in_order(void **state)
{
	const struct command *row;
	size_t k;

	(void)state;
	for (k = 0; (row = command_row(k)) != NULL; k++) {
		static const enum cli_mode modes[] = {CLI_PLAIN, CLI_CONFIG};
		char text[100];
		size_t m;

		(void)snprintf(text, sizeof(text), "%s", row->words);
		if (strstr(text, " ...") != NULL)
			*strstr(text, " ...") = '\0';
		assert_true(strlen(row->help) > 0 && strlen(row->clause) > 0);
		for (m = 0; m < 2; m++) {
			const struct command *found = NULL;
			struct words words;
			size_t at_word;

			if ((row->mode & modes[m]) == 0)
				continue;
			assert_int_equal(
			    words_read(bytes_of_text(text), &words), OK);
			(void)command_find(&words, modes[m], &found, &at_word);
			if (found != row)
				fail_msg("%s: reaches %s", row->words,
				    found != NULL ? found->words : "nothing");
		}
	}
	assert_true(k > 0);
}

/* Rows of the same words have the same at the next place, or none a value. */
static void
no_word_can_be_taken_for_a_value(void **state)
{
	const struct command *row, *other;
	size_t k, n;

	(void)state;
	for (k = 0; (row = command_row(k)) != NULL; k++) {
		const char *rest = strstr(row->words, "...");
		size_t octets;

		if (rest == NULL)
			continue;
		octets = (size_t)(rest - row->words);
		for (n = 0; (other = command_row(n)) != NULL; n++) {
			if (n != k && (row->mode & other->mode) != 0 &&
			    strncmp(row->words, other->words, octets) == 0)
				fail_msg("%s: %s", row->words, other->words);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read),
	    cmocka_unit_test(lines_have_limits),
	    cmocka_unit_test(commands_are_found),
	    cmocka_unit_test(a_question_lists_what_can_follow),
	    cmocka_unit_test(the_table_is_in_order),
	    cmocka_unit_test(no_word_can_be_taken_for_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

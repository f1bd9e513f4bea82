#include "lunacm/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* A line, and what it is read as. */
struct sample {
	const char *name;
	const char *in;
	enum err want;
	const char *got; /* [name|value] each, or CODE:text, or text */
};

/* clang-format off */
static const struct sample samples[] = {
	{ "done",                  "ok",             OK, "" },
	{ "nothing",               "",               ERR_UNEXPECTED, NULL },
	{ "another word",          "okay",           ERR_UNEXPECTED, NULL },
	{ "capitals",              "OK",             ERR_UNEXPECTED, NULL },
	{ "a blank before it",     " ok",            ERR_UNEXPECTED, NULL },
	{ "fields",                "ok b=1 c=2",     OK, "[b|1][c|2]" },
	{ "two blanks",            "ok b=1  c=2",    ERR_MISSING, NULL },
	{ "no equals sign",        "ok b",           ERR_MISSING, NULL },
	{ "no name",               "ok =1",          ERR_MISSING, NULL },
	{ "no value",              "ok b=",          OK, "[b|]" },
	{ "an equals sign in it",  "ok b=c=d",       OK, "[b|c=d]" },
	{ "the same field twice",  "ok b=1 b=2",     ERR_REPEATED, NULL },
	{ "the same but for case", "ok b=1 B=2",     OK, "[b|1][B|2]" },
	{ "an encoded blank",      "ok b=c%20d",     OK, "[b|c d]" },
	{ "small digits",          "ok b=%c3%a4",    OK, "[b|\xc3\xa4]" },
	{ "half a character",      "ok b=%c3",       ERR_UTF8, NULL },
	{ "a plain %",             "ok b=100%",      ERR_VALUE, NULL },
	{ "one digit",             "ok b=%2",        ERR_VALUE, NULL },
	{ "one digit, and more",   "ok b=%2 c=1",    ERR_VALUE, NULL },
	{ "no digit",              "ok b=%2g",       ERR_VALUE, NULL },
	{ "a control character",   "ok b=\x1b",      ERR_VALUE, NULL },
	{ "an encoded one",        "ok b=%1B",       ERR_VALUE, NULL },
	{ "a deleted character",   "ok b=\x7f",      ERR_VALUE, NULL },
	{ "an error",              "error CARD_POWER it is off", OK, "CARD_POWER:it is off" },
	{ "one without words",     "error CARD_POWER", OK, "CARD_POWER:" },
	{ "one without a code",    "error",          ERR_LENGTH, NULL },
	{ "one with a long code",  "error CARD_0123456789012345678901234567890123", OK,
	  "CARD_0123456789012345678901234567890123:" },
	{ "one with a longer code", "error CARD_01234567890123456789012345678901234", ERR_LENGTH, NULL },
	{ "it is under way",       "say attend to it, 100%", OK, "attend to it, 100%" },
	{ "a bell in it",          "say \a",         ERR_VALUE, NULL },
};
/* clang-format on */

static void
describe(const struct reply *reply, char out[200])
{
	size_t k;

	out[0] = '\0';
	if (reply->kind == REPLY_ERROR)
		(void)snprintf(out, 200, "%s:", reply->code);
	if (reply->kind != REPLY_OK)
		(void)snprintf(out + strlen(out), 200 - strlen(out), "%.*s",
		    (int)reply->said.octets, (const char *)reply->said.at);
	for (k = 0; k < reply->fields; k++)
		(void)snprintf(out + strlen(out), 200 - strlen(out),
		    "[%.*s|%.*s]", (int)reply->field[k].name.octets,
		    (const char *)reply->field[k].name.at,
		    (int)reply->field[k].value.octets,
		    (const char *)reply->field[k].value.at);
}

static void
lines_are_read(void **state)
{
	struct reply reply;
	char got[200];
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(samples); k++) {
		enum err rc = reply_read(bytes_of_text(samples[k].in), &reply);

		if (rc != samples[k].want)
			fail_msg("%s: %s, not %s", samples[k].name,
			    err_name(rc), err_name(samples[k].want));
		if (rc != OK)
			continue;
		describe(&reply, got);
		assert_string_equal(got, samples[k].got);
	}
}

static void
a_field_is_found_by_its_name(void **state)
{
	struct reply reply;
	struct bytes value;

	(void)state;
	assert_int_equal(reply_read(bytes_of_text("ok b=1 bc=2"), &reply), OK);
	assert_true(reply_find(&reply, "bc", &value));
	assert_true(bytes_equal_text(value, "2"));
	assert_false(reply_find(&reply, "ok", &value));
	assert_false(reply_find(&reply, "B", &value));
}

static void
numbers_are_digits(void **state)
{
	static const struct {
		const char *in;
		enum err want;
		uint64_t number;
	} cases[] = {
	    {"ok n=0", OK, 0},
	    {"ok n=18446744073709551615", OK, UINT64_MAX},
	    {"ok n=18446744073709551616", ERR_VALUE, 0},
	    {"ok n=99999999999999999999", ERR_VALUE, 0},
	    {"ok n=", ERR_VALUE, 0},
	    {"ok n=-1", ERR_VALUE, 0},
	    {"ok n=1x", ERR_VALUE, 0},
	    {"ok m=1", ERR_MISSING, 0},
	};
	struct reply reply;
	uint64_t number;
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		assert_int_equal(
		    reply_read(bytes_of_text(cases[k].in), &reply), OK);
		assert_int_equal(
		    reply_number(&reply, "n", &number), cases[k].want);
		if (cases[k].want == OK)
			assert_true(number == cases[k].number);
	}
}

static void
each_limit_has_two_sides(void **state)
{
	uint8_t text[REPLY_OCTETS + 1];
	struct reply reply;
	size_t used = 2;
	size_t k;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "say ", 4);
	assert_int_equal(
	    reply_read((struct bytes){text, REPLY_OCTETS}, &reply), OK);
	assert_int_equal(
	    reply_read((struct bytes){text, sizeof(text)}, &reply), ERR_LENGTH);
	memcpy(text, "ok", 2);
	for (k = 0; k <= REPLY_FIELDS_MAX; k++) {
		assert_int_equal(
		    reply_read((struct bytes){text, used}, &reply), OK);
		assert_int_equal(reply.fields, k);
		used += (size_t)snprintf(
		    (char *)text + used, sizeof(text) - used, " f%zu=", k);
	}
	assert_int_equal(
	    reply_read((struct bytes){text, used}, &reply), ERR_COUNT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read),
	    cmocka_unit_test(a_field_is_found_by_its_name),
	    cmocka_unit_test(numbers_are_digits),
	    cmocka_unit_test(each_limit_has_two_sides),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}

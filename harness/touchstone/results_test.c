#include "results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample_test.h"

enum { TESTS = sizeof sample_tests / sizeof *sample_tests };

/* The record of the sample run, as text; to be freed. */
static char *
record(void)
{
	char *text = NULL;
	size_t octets;
	FILE *to = open_memstream(&text, &octets);

	assert_int_equal(results_put_head(to, &sample_head), OK);
	for (size_t i = 0; i < TESTS; i++)
		assert_int_equal(results_put_test(to, &sample_tests[i]), OK);
	assert_int_equal(results_put_tail(to, &sample_tail), OK);
	assert_int_equal(fclose(to), 0);
	return text;
}

static enum err
read_text(
    const char *text, size_t octets, struct results **out, struct fault *f)
{
	char path[] = "/tmp/results_test.XXXXXX";
	int fd = mkstemp(path);
	enum err rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, octets), octets);
	assert_int_equal(close(fd), 0);
	rc = results_read(path, out, f);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void
same_text(const char *want, const char *got)
{
	assert_int_equal(want == NULL, got == NULL);
	if (want != NULL)
		assert_string_equal(want, got);
}

static void
same_texts(const struct texts *want, const struct texts *got)
{
	assert_int_equal(want->count, got->count);
	for (size_t i = 0; i < want->count; i++)
		assert_string_equal(want->at[i], got->at[i]);
}

static void
same_difference(const struct difference *want, const struct difference *got)
{
	assert_int_equal(want == NULL, got == NULL);
	if (want == NULL)
		return;
	assert_int_equal(want->step, got->step);
	same_text(want->path, got->path);
	assert_int_equal(want->at_octet, got->at_octet);
	assert_int_equal(want->offset_octets, got->offset_octets);
	same_text(want->expected, got->expected);
	same_text(want->got, got->got);
	same_text(want->rule, got->rule);
}

static void
same_waiver(const struct waiver_note *want, const struct waiver_note *got)
{
	assert_int_equal(want == NULL, got == NULL);
	if (want == NULL)
		return;
	same_text(want->file, got->file);
	assert_int_equal(want->line, got->line);
	same_text(want->reason, got->reason);
	same_text(want->link, got->link);
	same_text(want->expires, got->expires);
}

static void
same_test(const struct test_result *want, const struct test_result *got)
{
	same_text(want->id, got->id);
	same_text(want->family, got->family);
	same_text(want->version, got->version);
	same_text(want->level, got->level);
	same_text(want->mark, got->mark);
	same_text(want->title, got->title);
	same_texts(&want->clauses, &got->clauses);
	assert_int_equal(want->verdict, got->verdict);
	same_text(want->reason, got->reason);
	same_text(want->repeat, got->repeat);
	assert_true(want->ms == got->ms);
	same_difference(want->difference, got->difference);
	same_waiver(want->waiver, got->waiver);
	assert_int_equal(want->step_count, got->step_count);
	for (size_t i = 0; i < want->step_count; i++) {
		const struct exchange *w = &want->steps[i];
		const struct exchange *g = &got->steps[i];

		assert_int_equal(w->n, g->n);
		same_text(w->client, g->client);
		same_text(w->sent_hex, g->sent_hex);
		same_text(w->received_hex, g->received_hex);
		same_text(w->sent_xml, g->sent_xml);
		same_text(w->received_xml, g->received_xml);
	}
}

static void
a_record_comes_back_as_it_was(void **state)
{
	char *text = record();
	struct fault f = {""};
	struct results *r;

	(void)state;
	if (read_text(text, strlen(text), &r, &f) != OK)
		fail_msg("%s", f.text);
	same_text(sample_head.suite_version, r->head.suite_version);
	assert_int_equal(sample_head.seed, r->head.seed);
	same_text(sample_head.started, r->head.started);
	same_text(sample_head.target.name, r->head.target.name);
	same_text(sample_head.target.address, r->head.target.address);
	same_text(sample_head.target.file_sha256, r->head.target.file_sha256);
	assert_true(r->head.laboratory);
	same_texts(&sample_head.vectors, &r->head.vectors);
	assert_int_equal(r->test_count, TESTS);
	for (size_t i = 0; i < TESTS; i++)
		same_test(&sample_tests[i], &r->tests[i]);
	assert_memory_equal(
	    &sample_tail.tally, &r->tail.tally, sizeof r->tail.tally);
	same_texts(&sample_tail.unproven, &r->tail.unproven);
	same_texts(&sample_tail.notes, &r->tail.notes);
	assert_int_equal(r->tail.exit, 1);
	assert_null(r->incomplete);
	results_free(r);
	free(text);
}

/* The text up to and with its n-th line, and `more` behind it. */
static enum err
read_lines(const char *text, size_t lines, const char *more,
    struct results **out, struct fault *f)
{
	const char *end = text;
	char *cut = NULL;
	enum err rc;

	while (lines-- > 0)
		end = strchr(end, '\n') + 1;
	assert_true(
	    asprintf(&cut, "%.*s%s", (int)(end - text), text, more) > 0);
	rc = read_text(cut, strlen(cut), out, f);
	free(cut);
	return rc;
}

static void
a_record_that_is_cut_off_is_incomplete(void **state)
{
	static const char passed[] = "{\"type\":\"test\",\"id\":\"X\","
				     "\"family\":\"F\",\"version\":\"1.0\","
				     "\"verdict\":\"pass\"}\n";
	static const char end[] =
	    "{\"type\":\"end\",\"counts\":{\"pass\":9,\"fail\":0,\"unknown\":0,"
	    "\"waiver-stale\":0,\"waived\":0,\"not-claimed\":0,\"not-run\":0},"
	    "\"exit\":0}\n";
	static const struct {
		const char *name;
		size_t lines;
		const char *more;
		size_t tests;
		const char *want;
	} cases[] = {
	    /* clang-format off */
		{ "nothing but the head", 1, "", 0, "ends before" },
		{ "one test",             2, "", 1, "ends before" },
		{ "within a line",        2, "{\"type\":\"te", 1, "ends before" },
		{ "all but the end",      9, "", 8, "ends before" },
		{ "an end too soon",      2, end, 1, "than were planned" },
		{ "a test too many",      9, passed, 9, "ends before" },
		{ "wrong counts",         9, end, 8, "counts disagree" },
	    /* clang-format on */
	};
	char *text = record();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f = {""};
		struct results *r;

		if (read_lines(text, cases[i].lines, cases[i].more, &r, &f) !=
		    OK)
			fail_msg("%s: %s", cases[i].name, f.text);
		assert_int_equal(r->test_count, cases[i].tests);
		if (r->incomplete == NULL ||
		    strstr(r->incomplete, cases[i].want) == NULL)
			fail_msg("%s: expected \"%s\", got \"%s\"",
			    cases[i].name, cases[i].want, r->incomplete);
		assert_int_equal(r->tail.exit, 2);
		assert_int_equal(tally_all(&r->tail.tally), cases[i].tests);
		results_free(r);
	}
	free(text);
}

static void
what_is_no_record_is_refused(void **state)
{
#define HEAD                                                          \
	"{\"type\":\"run\",\"suite_version\":\"1\",\"started\":\"\"," \
	"\"laboratory\":false,\"planned\":1,\"target\":{\"name\":\"t\"}}\n"
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
	    /* clang-format off */
		{ "a head", HEAD, NULL },
		{ "nothing", "", "no `run` line" },
		{ "no JSON", "hello\n", ":1: JSON" },
		{ "no type", "{}\n", ":1: `type` is missing" },
		{ "another type", HEAD "{\"type\":\"x\"}\n", ":2: type `x`" },
		{ "two heads", HEAD HEAD, ":2: a second `run`" },
		{ "no head", "{\"type\":\"end\"}\n", ":1: a line before" },
		{ "no target", "{\"type\":\"run\",\"suite_version\":\"1\","
		  "\"started\":\"\",\"laboratory\":false,\"planned\":1}\n",
		  "`name` is missing" },
		{ "a test", HEAD "{\"type\":\"test\",\"id\":\"a\",\"family\":\"f\","
		  "\"version\":\"1.0\",\"verdict\":\"pass\"}\n", NULL },
		{ "no such verdict", HEAD "{\"type\":\"test\",\"id\":\"a\","
		  "\"family\":\"f\",\"version\":\"1.0\",\"verdict\":\"passed\"}\n",
		  ":2: `verdict`" },
		{ "no id", HEAD "{\"type\":\"test\",\"family\":\"f\","
		  "\"version\":\"1.0\",\"verdict\":\"pass\"}\n", ":2: `id`" },
		{ "a number for an id", HEAD "{\"type\":\"test\",\"id\":1,"
		  "\"family\":\"f\",\"version\":\"1.0\",\"verdict\":\"pass\"}\n",
		  ":2: `id`" },
		{ "a count that is missing", HEAD "{\"type\":\"end\",\"exit\":0,"
		  "\"counts\":{\"pass\":1}}\n", ":2: no count of `fail`" },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f = {""};
		struct results *r;
		enum err rc =
		    read_text(cases[i].text, strlen(cases[i].text), &r, &f);

		if (rc != (cases[i].want == NULL ? OK : ERR_SYNTAX))
			fail_msg(
			    "%s: %s: %s", cases[i].name, err_name(rc), f.text);
		if (rc != OK && strstr(f.text, cases[i].want) == NULL)
			fail_msg("%s: expected \"%s\", got \"%s\"",
			    cases[i].name, cases[i].want, f.text);
		assert_int_equal(r != NULL, rc == OK);
		results_free(r);
	}
}

static void
a_missing_file_is_named(void **state)
{
	struct fault f = {""};
	struct results *r;

	(void)state;
	assert_int_equal(results_read("/nonexistent", &r, &f), ERR_OPEN);
	assert_non_null(strstr(f.text, "/nonexistent"));
	assert_null(r);
	assert_int_equal(results_read("/", &r, &f), ERR_READ);
}

static void
a_run_exits_as_its_verdicts_say(void **state)
{
	static const struct {
		const char *name;
		struct tally t;
		size_t min;
		int want;
	} cases[] = {
	    /* clang-format off */
		{ "nothing",          { { 0 } }, 0, 2 },
		{ "one passes",       { { [VERDICT_PASS] = 1 } }, 0, 0 },
		{ "one is too few",   { { [VERDICT_PASS] = 1 } }, 2, 2 },
		{ "just enough",      { { [VERDICT_PASS] = 2 } }, 2, 0 },
		{ "one fails",        { { [VERDICT_PASS] = 9, [VERDICT_FAIL] = 1 } }, 0, 1 },
		{ "one is stale",     { { [VERDICT_PASS] = 9,
		    [VERDICT_WAIVER_STALE] = 1 } }, 0, 1 },
		{ "one is unknown",   { { [VERDICT_PASS] = 9,
		    [VERDICT_UNKNOWN] = 1 } }, 0, 2 },
		{ "unknown and fail", { { [VERDICT_UNKNOWN] = 1,
		    [VERDICT_FAIL] = 1 } }, 0, 1 },
		{ "nothing claimed",  { { [VERDICT_NOT_CLAIMED] = 9 } }, 0, 2 },
		{ "nothing set up",   { { [VERDICT_NOT_RUN] = 9 } }, 0, 2 },
		{ "skips do not count", { { [VERDICT_PASS] = 1,
		    [VERDICT_NOT_RUN] = 9 } }, 2, 2 },
		{ "waived counts",    { { [VERDICT_PASS] = 1,
		    [VERDICT_WAIVED] = 1 } }, 2, 0 },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int got = tally_exit(&cases[i].t, cases[i].min);

		if (got != cases[i].want)
			fail_msg("%s: expected %d, got %d", cases[i].name,
			    cases[i].want, got);
	}
}

static void
each_verdict_has_its_word(void **state)
{
	enum verdict back;

	(void)state;
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		assert_true(verdict_of_word(verdict_word(v), &back));
		assert_int_equal(back, v);
	}
	assert_false(verdict_of_word("passed", &back));
	assert_false(verdict_of_word("", &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_comes_back_as_it_was),
	    cmocka_unit_test(a_record_that_is_cut_off_is_incomplete),
	    cmocka_unit_test(what_is_no_record_is_refused),
	    cmocka_unit_test(a_missing_file_is_named),
	    cmocka_unit_test(a_run_exits_as_its_verdicts_say),
	    cmocka_unit_test(each_verdict_has_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

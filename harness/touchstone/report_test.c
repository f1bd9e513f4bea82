#include "report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample_test.h"

enum { TESTS = sizeof sample_tests / sizeof *sample_tests };

static struct results
sample(void)
{
	struct results r = {
	    .head = sample_head,
	    .tests = (struct test_result *)sample_tests,
	    .test_count = TESTS,
	    .tail = sample_tail,
	};

	return r;
}

typedef enum err render(FILE *to, const struct results *r);

static enum err
plain_terminal(FILE *to, const struct results *r)
{
	return report_terminal(to, r, false);
}

/* What a renderer makes of a run; to be freed. */
static char *
rendered(render *as, const struct results *r)
{
	char *text = NULL;
	size_t octets;
	FILE *to = open_memstream(&text, &octets);

	assert_int_equal(as(to, r), OK);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(strlen(text), octets);
	return text;
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

/* Each text stands there, in this order. */
static void
assert_in_order(const char *text, const char *const *parts)
{
	const char *at = text;

	for (; *parts != NULL; parts++) {
		const char *found = strstr(at, *parts);

		if (found == NULL)
			fail_msg("expected \"%s\" behind\n%.400s", *parts, at);
		at = found + strlen(*parts);
	}
}

static void
the_terminal_tells_all_of_a_failure(void **state)
{
	static const char *const parts[] = {
	    "Touchstone 0.1.0 against reference at 127.0.0.1:5696\n",
	    "seed 4711, laboratory mode ON\n",
	    /* versions and ids in natural order: 1.9, 1.10; B-2, B-10 */
	    "family       1.9      1.10\n",
	    "A           0/3!       (1)\n",
	    "B           1/2!       1/1\n",
	    "\nF fact             -  stated or shown",
	    "\nI inferred      0/1!  follows",
	    "\nunknown A-1\n",
	    "reason    the target died\n",
	    "\nwaiver-stale A-2\n",
	    "\nfail B-2\n",
	    "clause    kmip-1.4 4.9\n",
	    "clause    kmip-1.4 6.15\n",
	    "mark      I\n",
	    "path      ResponseMessage/BatchItem[1]/BatchCount[1]\n",
	    "offset    8\n",
	    "expected  Integer 1 <\n",
	    "got       </title>",
	    "rule      value\n",
	    "step      2 of 3, client ",
	    "sent      8 octets\n",
	    "    000000  4200780100000000\n",
	    "received  24 octets\n",
	    "  > 000000  42007b0100000010 42000d0200000004 0000000100000000\n",
	    "repeat    touchstone run --only 'B-2'\n",
	    "\nwaived          1  ",
	    "not-claimed     1  no <Sign>\n",
	    "not-run         1  no second client\n",
	    "unproven claim: Operation <Archive>\n",
	    "note: OASIS: not run\n",
	    "reference: does not conform\n",
	    /* unknown and stale are red: they count as failed */
	    "2 passed, 3 failed, 1 not-claimed, 1 not-run, 1 waived\n",
	    NULL,
	};
	struct results r = sample();
	char *text = rendered(plain_terminal, &r);

	(void)state;
	assert_in_order(text, parts);
	assert_int_equal(count(text, "\nfail "), 1);
	assert_null(strstr(text, "INCOMPLETE"));
	assert_string_equal(text + strlen(text) - strlen(parts[31]), parts[31]);
	free(text);
}

static void
tap_is_ok_only_for_what_passed_or_was_skipped(void **state)
{
	static const char *const parts[] = {
	    "TAP version 13\n1..8\n",
	    "\nnot ok 1 - 1.9 A-1\n  ---\n  verdict: \"unknown\"\n",
	    "\nnot ok 2 - 1.9 A-2\n  ---\n  verdict: \"waiver-stale\"\n",
	    "\nnot ok 3 - 1.9 A-3 # TO"
	    "DO waived: ",
	    "\nok 4 - 1.9 A-4 # SKIP not-claimed: no <Sign>\n",
	    "not ok 5 - 1.9 B-2 </title>",
	    " \\# TO"
	    "DO ",
	    "  mark: \"I\"\n",
	    "  clause:\n    - \"kmip-1.4 4.9\"\n    - \"kmip-1.4 6.15\"\n",
	    "  offset: 8\n",
	    "  expected: \"Integer 1 <\"\n",
	    "  got: \"</title><script>alert('1')</script> \\\"quoted\\\" ",
	    "# TO"
	    "DO \\nnot ok 1 \\u001b[2J\\u0001\\u007f ",
	    "\nok 6 - 1.9 B-10\n",
	    "ok 7 - 1.10 A-5 # SKIP not-run: no second client\n",
	    "ok 8 - 1.10 B-10\n",
	    "# mark F fact: 0 passed of 0 judged\n",
	    "# mark I inferred: 0 passed of 1 judged\n",
	    "# unproven claim: Operation <Archive>\n",
	    NULL,
	};
	struct results r = sample();
	char *text = rendered(report_tap, &r);

	(void)state;
	assert_in_order(text, parts);
	assert_int_equal(count(text, "\nnot ok "), 4);
	assert_int_equal(count(text, "\nok "), 4);
	assert_null(strstr(text, "Bail out!"));
	free(text);
}

static void
junit_has_no_green_for_what_was_not_proven(void **state)
{
	static const char *const parts[] = {
	    "<testsuite name=\"KMIP 1.9 A\" package=\"touchstone\" id=\"0\" "
	    "timestamp=\"2026-11-21T10:55:02\" hostname=\"127.0.0.1:5696\" "
	    "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"2\" ",
	    "name=\"A-1\" classname=\"kmip-1.9.A\"",
	    "<error type=\"unknown\" message=\"the target died\">",
	    "name=\"A-2\"",
	    "<failure type=\"waiver-stale\"",
	    "name=\"A-3\"",
	    "<skipped message=\"waived: ",
	    "name=\"A-4\"",
	    "<skipped message=\"not-claimed: no &lt;Sign&gt;\"/>",
	    "<testsuite name=\"KMIP 1.9 B\"",
	    "tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" "
	    "time=\"0.013\"",
	    "<failure type=\"fail\" message=\"ResponseMessage/BatchItem[1]/"
	    "BatchCount[1]: expected Integer 1 &lt;, got &lt;/title&gt;",
	    "mark: I\n",
	    "offset: 8\n",
	    "repeat: touchstone run --only 'B-2'\n",
	    "<testsuite name=\"KMIP 1.10 A\"",
	    "<skipped message=\"not-run: no second client\"/>",
	    "<testsuite name=\"the run itself\"",
	    "tests=\"1\" failures=\"0\" errors=\"0\"",
	    "mark I inferred: 0 passed of 1 judged\n",
	    "unproven claim: Operation &lt;Archive&gt;",
	    "</testsuites>\n",
	    NULL,
	};
	struct results r = sample();
	char *text = rendered(report_junit, &r);

	(void)state;
	assert_in_order(text, parts);
	assert_int_equal(count(text, "<testcase "), TESTS + 1);
	assert_int_equal(count(text, "<failure "), 2);
	assert_int_equal(count(text, "<error "), 1);
	assert_int_equal(count(text, "<skipped "), 3);
	free(text);
}

static void
the_page_shows_each_test_and_where_it_differs(void **state)
{
	static const char *const parts[] = {
	    "<title>Touchstone: reference does not conform</title>",
	    "<em class=\"bad\">does not conform</em>",
	    "<dt>laboratory mode</dt><dd>on</dd>",
	    "Laboratory mode was on",
	    "id=\"show-red\" checked>",
	    "<b>8</b> all",
	    "<b>3</b> red",
	    "<b>2</b> pass",
	    "<b>1</b> fail",
	    "<th>1.9</th><th>1.10</th>",
	    "<a class=\"sq unknown\" href=\"#t0\" title=\"A-1: unknown\">",
	    "<a class=\"sq pass\" href=\"#t7\" title=\"B-10: pass\">",
	    "<th>F fact</th>",
	    "<th>I inferred</th><td>",
	    "<td class=\"sum\">0/1</td>",
	    "<details class=\"t fail\" id=\"t4\">",
	    "Clause: kmip-1.4 6.15",
	    "Mark: I",
	    ", at octet 8, rule value",
	    "<small>expected</small>Integer 1 &lt;</div>",
	    "step 2 of 3",
	    "<b>differs</b>",
	    /* of the second Batch Item the second Batch Count */
	    "<i>&quot;1&quot;</i>/&gt;\n    <mark><b>&lt;BatchCount</b> type="
	    "<i>&quot;Integer&quot;</i> value=<i>&quot;2&quot;</i>/&gt;</mark>",
	    /* an item of 4 octets behind its header of 8 */
	    "42 00 7b 01 00 00 00 10  <mark>42 00 0d 02 00 00 00 04</mark>\n"
	    "<s>000016</s>  <mark>00 00 00 01</mark> 00 00 00 00</pre>",
	    "step 3 of 3",
	    "received: nothing",
	    "touchstone run --only 'B-2'</code>",
	    "Unproven claims",
	    "<li>Operation &lt;Archive&gt;</li>",
	    "Notes",
	    "<li>OASIS: not run</li>",
	    "</html>\n",
	    NULL,
	};
	struct results r = sample();
	char *text = rendered(report_html, &r);

	(void)state;
	assert_in_order(text, parts);
	assert_int_equal(count(text, " id=\"t"), TESTS);
	assert_int_equal(count(text, "class=\"sq "), TESTS);
	assert_null(strstr(text, "src="));
	assert_null(strstr(text, "url("));
	assert_null(strstr(text, "<link"));
	assert_null(strstr(text, "Incomplete"));
	free(text);
}

/* Nothing that a peer or a case says acts in a report. */
static void
hostile_texts_are_harmless(void **state)
{
	static render *const all[] = {
	    plain_terminal, report_tap, report_junit, report_html};
	struct results r = sample();

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char *text = rendered(all[i], &r);
		bool markup = i >= 2;

		for (const char *at = text; *at != '\0'; at++)
			if ((*at >= 0 && *at < ' ' && *at != '\n' &&
				*at != '\t') ||
			    *at == 0x7f)
				fail_msg("report %zu: control %02x at %.40s", i,
				    (unsigned)*at, at);
		assert_null(strstr(text, "\nnot ok 1 \x1b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_null(strstr(text, "\xef\xbf\xbe"));
		if (markup) {
			assert_null(strstr(text, "<script>alert"));
			assert_null(strstr(text, "</title><"));
			assert_null(strstr(text, "]]>"));
			assert_null(strstr(text, "\"quoted\""));
			assert_non_null(strstr(text, "&lt;script&gt;alert"));
		}
		free(text);
	}
}

static void
a_run_that_could_not_tell_is_red_everywhere(void **state)
{
	struct test_result skipped = {.id = "X",
	    .family = "F",
	    .version = "1.0",
	    .verdict = VERDICT_NOT_RUN};
	struct results r = {
	    .head = sample_head,
	    .tests = &skipped,
	    .test_count = 1,
	    .tail = {.tally = {{[VERDICT_NOT_RUN] = 1}}, .exit = 2},
	};
	char *text;

	(void)state;
	text = rendered(plain_terminal, &r);
	assert_non_null(strstr(text,
	    "reference: could not tell\n"
	    "0 passed, 0 failed, 0 not-claimed, 1 not-run, 0 waived\n"));
	free(text);
	text = rendered(report_tap, &r);
	assert_non_null(strstr(text, "\nBail out! could not tell"));
	free(text);
	text = rendered(report_junit, &r);
	assert_non_null(strstr(text, "<error type=\"could not tell\""));
	assert_non_null(strstr(text, "failures=\"0\" errors=\"1\""));
	free(text);
	text = rendered(report_html, &r);
	assert_non_null(strstr(text, "<em class=\"open\">could not tell</em>"));
	free(text);

	r.incomplete = "the record ends before the run did";
	text = rendered(plain_terminal, &r);
	assert_non_null(strstr(text, "\nINCOMPLETE: the record ends before"));
	free(text);
	text = rendered(report_html, &r);
	assert_non_null(strstr(text, "Incomplete: the record ends before"));
	free(text);
}

static void
reports_are_written_whole_or_not_at_all(void **state)
{
	static const char *const files[] = {
	    "results.tap", "junit.xml", "report.html"};
	char dir[] = "/tmp/report_test.XXXXXX", path[64];
	struct results r = sample();
	struct fault f = {""};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(report_write(dir, &r, &f), OK);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(report_write(dir, &r, &f), ERR_OPEN);
	assert_non_null(strstr(f.text, dir));
}

static void
a_full_disk_is_reported(void **state)
{
	static render *const all[] = {
	    plain_terminal, report_tap, report_junit, report_html};
	struct results r = sample();

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		FILE *to = fopen("/dev/full", "w");

		assert_int_equal(all[i](to, &r), ERR_WRITE);
		fclose(to);
	}
}

/* A message too long to print: where it differs must be shown. */
static void
long_messages_are_cut_around_the_difference(void **state)
{
	enum { OCTETS = 40000, AT = 24008 };
	static char hex[2 * OCTETS + 1], xml[600 * 400], *end = xml;
	struct exchange step = {.n = 1,
	    .sent_hex = hex,
	    .sent_xml = xml,
	    .received_hex = hex,
	    .received_xml = xml};
	struct difference d = {.step = 1,
	    .at_octet = true,
	    .offset_octets = AT,
	    .path = "M/I[500]/V"};
	struct test_result t = {.id = "X",
	    .family = "F",
	    .version = "1.0",
	    .verdict = VERDICT_FAIL,
	    .difference = &d,
	    .steps = &step,
	    .step_count = 1};
	struct results r = {.head = sample_head,
	    .tests = &t,
	    .test_count = 1,
	    .tail = {.tally = {{[VERDICT_FAIL] = 1}}, .exit = 1}};
	char *text;

	(void)state;
	memset(hex, '0', 2 * OCTETS);
	memcpy(hex + 2 * AT, "42000d0200000004", 16);
	end = stpcpy(end, "<M>\n");
	for (int i = 0; i < 600; i++)
		end += sprintf(end,
		    "  <I>\n%*s<V type=\"Integer\" "
		    "value=\"%d\"/>\n  </I>\n",
		    300, "", i);
	strcpy(end, "</M>\n");

	text = rendered(plain_terminal, &r);
	assert_non_null(
	    strstr(text, "\n  > 024000  0000000000000000 42000d02"));
	assert_non_null(strstr(text, "    ...\n"));
	assert_non_null(strstr(text, "(all of it: results.jsonl)"));
	assert_true(strlen(text) < 20000);
	free(text);

	text = rendered(report_html, &r);
	assert_non_null(strstr(text, "<mark>42 00 0d 02 00 00 00 04</mark>"));
	assert_non_null(
	    strstr(text, "value=<i>&quot;500&quot;</i>/&gt;</mark>"));
	assert_non_null(strstr(text, "(all of it: results.jsonl)"));
	assert_true(strlen(text) < 400000);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_terminal_tells_all_of_a_failure),
	    cmocka_unit_test(tap_is_ok_only_for_what_passed_or_was_skipped),
	    cmocka_unit_test(junit_has_no_green_for_what_was_not_proven),
	    cmocka_unit_test(the_page_shows_each_test_and_where_it_differs),
	    cmocka_unit_test(hostile_texts_are_harmless),
	    cmocka_unit_test(a_run_that_could_not_tell_is_red_everywhere),
	    cmocka_unit_test(reports_are_written_whole_or_not_at_all),
	    cmocka_unit_test(a_full_disk_is_reported),
	    cmocka_unit_test(long_messages_are_cut_around_the_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

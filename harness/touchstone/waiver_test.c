#include "waiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DIFFERENCE               \
	"path = A/B[0]\n"        \
	"expected = Integer 1\n" \
	"got = (absent)\n"
#define NOTE                    \
	"reason = known\n"      \
	"link = kmip-1.4 4.9\n" \
	"expires = 2027-03-31\n"

static const struct difference waived_difference = {
    .step = 2,
    .path = "A/B[0]",
    .expected = "Integer 1",
    .got = "(absent)",
    .rule = "presence",
};

static enum err
read_text(struct waivers *ws, const char *text, struct fault *f)
{
	char path[] = "/tmp/waiver_test.XXXXXX";
	int fd = mkstemp(path);
	enum err rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	rc = waivers_read(ws, path, f);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static struct waivers *
waivers_of(const char *text)
{
	struct waivers *ws;
	struct fault f = {""};

	assert_int_equal(waivers_new(&ws), OK);
	if (read_text(ws, text, &f) != OK)
		fail_msg("%s", f.text);
	return ws;
}

static time_t
day(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%d", &tm));
	return timegm(&tm);
}

static void
files_are_read_or_refused(void **state)
{
	static const struct {
		const char *name, *text;
		const char *want; /* in the fault; NULL: accepted */
	} cases[] = {
	    /* clang-format off */
		{ "nothing", "", NULL },
		{ "a comment", "# nothing\n\n", NULL },
		{ "one", "[A]\n" DIFFERENCE NOTE, NULL },
		{ "without the last line feed", "[A]\n" DIFFERENCE
		  "reason=r\nlink=l\nexpires=2027-03-31", NULL },
		{ "word before a section", DIFFERENCE "[A]\n" NOTE,
		  ":1: before any [SECTION]" },
		{ "no path", "[A]\nexpected=1\ngot=2\n" NOTE, "has no `path`" },
		{ "no reason", "[A]\n" DIFFERENCE "link=l\nexpires=2027-03-31\n",
		  "has no `reason`" },
		{ "reason empty", "[A]\n" DIFFERENCE "reason =\n",
		  ":5: `reason` is empty" },
		{ "got empty", "[A]\npath=p\nexpected=1\ngot =\n" NOTE, NULL },
		{ "no date", "[A]\n" DIFFERENCE "reason=r\nlink=l\n",
		  "has no `expires`" },
		{ "first not whole", "[A]\n" DIFFERENCE "[B]\n" DIFFERENCE NOTE,
		  ":5: [A] has no `reason`" },
		{ "twice", "[A]\n" DIFFERENCE "got = x\n" NOTE,
		  ":5: `got` stands twice" },
		{ "unknown word", "[A]\nexpcted = x\n", "`expcted`" },
		{ "a leap day", "[A]\nexpires = 2028-02-29\n" DIFFERENCE
		  "reason=r\nlink=l\n", NULL },
		{ "no leap day", "[A]\nexpires = 2027-02-29\n", ":2: `expires`" },
		{ "month 13", "[A]\nexpires = 2027-13-01\n", ":2: `expires`" },
		{ "date not padded", "[A]\nexpires = 2027-3-31\n", ":2: `expires`" },
		{ "more than a date", "[A]\nexpires = 2027-03-310\n",
		  ":2: `expires`" },
		{ "names that share", "[A]\n# more\n[B]\n" DIFFERENCE NOTE, NULL },
		{ "a name that shares nothing", "[A]\n" DIFFERENCE NOTE "[B]\n",
		  "[B] has no `path`" },
		{ "no place in the answer", "[A]\npath=\nexpected=1\ngot=2\n"
		  NOTE, NULL },
		{ "section not closed", "[A\n", ":1: a section is" },
		{ "section without a name", "[]\n", ":1: a section is" },
		{ "no value", "[A]\npath\n", ":2: neither" },
		{ "string not closed", "[A]\npath = \"a\n", ":2: JSON" },
		{ "text behind a string", "[A]\npath = \"a\", \"b\"\n", ":2: text behind" },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f = {""};
		struct waivers *ws;
		enum err rc;

		assert_int_equal(waivers_new(&ws), OK);
		rc = read_text(ws, cases[i].text, &f);
		if (rc != (cases[i].want == NULL ? OK : ERR_SYNTAX))
			fail_msg(
			    "%s: %s: %s", cases[i].name, err_name(rc), f.text);
		if (rc != OK && strstr(f.text, cases[i].want) == NULL)
			fail_msg("%s: expected \"%s\", got \"%s\"",
			    cases[i].name, cases[i].want, f.text);
		waivers_free(ws);
	}
}

static void
a_missing_file_is_named(void **state)
{
	struct fault f = {""};
	struct waivers *ws;

	(void)state;
	assert_int_equal(waivers_new(&ws), OK);
	assert_int_equal(waivers_read(ws, "/nonexistent", &f), ERR_OPEN);
	assert_non_null(strstr(f.text, "/nonexistent"));
	assert_int_equal(waivers_read(ws, "/", &f), ERR_READ);
	waivers_free(ws);
}

static void
values_keep_what_they_say(void **state)
{
	struct waivers *ws = waivers_of("[ A-*-? ]\n"
					"path = a = [b]   \n"
					"\texpected=\" x\\n\\u0007\\\"\"\n"
					"got = #1\n" NOTE);
	const struct waiver *w = waivers_at(ws, 0);

	(void)state;
	assert_string_equal(w->pattern, "A-*-?");
	assert_string_equal(w->path, "a = [b]");
	assert_string_equal(w->expected, " x\n\a\"");
	assert_string_equal(w->got, "#1");
	assert_string_equal(w->note.link, "kmip-1.4 4.9");
	assert_int_equal(w->note.line, 1);
	assert_null(waivers_at(ws, 1));
	waivers_free(ws);
}

static void
a_waiver_is_held_against_the_difference(void **state)
{
	static const struct difference other_path = {
	    .path = "A/B[1]", .expected = "Integer 1", .got = "(absent)"};
	static const struct difference other_expected = {
	    .path = "A/B[0]", .expected = "Integer 2", .got = "(absent)"};
	static const struct difference other_got = {
	    .path = "A/B[0]", .expected = "Integer 1", .got = "Integer 2"};
	static const struct difference silent = {
	    .path = "A/B[0]", .expected = "Integer 1", .got = NULL};
	const struct difference *d = &waived_difference;
	const struct {
		const char *name, *id;
		enum verdict earned;
		const struct difference *d;
		const char *today;
		enum verdict want;
		bool note;
		const char *why; /* NULL: silent */
	} cases[] = {
	    /* clang-format off */
		{ "this difference", "X-1", VERDICT_FAIL, d, "2027-01-01",
		  VERDICT_WAIVED, true, NULL },
		{ "on its last day", "X-1", VERDICT_FAIL, d, "2027-03-31",
		  VERDICT_WAIVED, true, NULL },
		{ "a day later", "X-1", VERDICT_FAIL, d, "2027-04-01",
		  VERDICT_FAIL, true, "expired on 2027-03-31" },
		{ "another path", "X-1", VERDICT_FAIL, &other_path, "2027-01-01",
		  VERDICT_FAIL, false, "not the difference" },
		{ "another expectation", "X-1", VERDICT_FAIL, &other_expected,
		  "2027-01-01", VERDICT_FAIL, false, "not the difference" },
		{ "another answer", "X-1", VERDICT_FAIL, &other_got, "2027-01-01",
		  VERDICT_FAIL, false, "not the difference" },
		{ "a part that is not there", "X-1", VERDICT_FAIL, &silent,
		  "2027-01-01", VERDICT_FAIL, false, "not the difference" },
		{ "no difference at all", "X-1", VERDICT_FAIL, NULL, "2027-01-01",
		  VERDICT_FAIL, false, "not the difference" },
		{ "it passes", "X-1", VERDICT_PASS, NULL, "2027-01-01",
		  VERDICT_WAIVER_STALE, true, "passes, but" },
		{ "it passes, long after", "X-1", VERDICT_PASS, NULL, "2029-01-01",
		  VERDICT_WAIVER_STALE, true, "passes, but" },
		{ "not run", "X-1", VERDICT_NOT_RUN, NULL, "2027-01-01",
		  VERDICT_NOT_RUN, false, NULL },
		{ "target died", "X-1", VERDICT_UNKNOWN, d, "2027-01-01",
		  VERDICT_UNKNOWN, false, NULL },
		{ "not named, fails", "Y-1", VERDICT_FAIL, d, "2027-01-01",
		  VERDICT_FAIL, false, NULL },
		{ "not named, passes", "Y-1", VERDICT_PASS, NULL, "2027-01-01",
		  VERDICT_PASS, false, NULL },
		{ "second of two", "X-2", VERDICT_FAIL, &other_got, "2027-01-01",
		  VERDICT_WAIVED, true, NULL },
		{ "first of two that share", "Z-1", VERDICT_FAIL, d,
		  "2027-01-01", VERDICT_WAIVED, true, NULL },
		{ "second of two that share", "Z-2", VERDICT_FAIL, d,
		  "2027-01-01", VERDICT_WAIVED, true, NULL },
		{ "neither of them", "Z-3", VERDICT_FAIL, d, "2027-01-01",
		  VERDICT_FAIL, false, NULL },
		{ "first expired, second good", "X-3", VERDICT_FAIL, d, "2027-01-01",
		  VERDICT_WAIVED, true, NULL },
	    /* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct waivers *ws = waivers_of(
		    "[X-3]\n" DIFFERENCE
		    "reason = old\nlink = l\nexpires = 2020-01-01\n"
		    "[X-?]\n" DIFFERENCE NOTE
		    "[X-2]\npath = A/B[0]\nexpected = Integer 1\n"
		    "got = Integer 2\n" NOTE "[Z-1]\n[Z-2]\n" DIFFERENCE NOTE);
		const struct waiver_note *note;
		struct fault why;
		enum verdict v = waiver_judge(ws, cases[i].id, cases[i].earned,
		    cases[i].d, day(cases[i].today), &note, &why);

		if (v != cases[i].want)
			fail_msg("%s: expected %s, got %s", cases[i].name,
			    verdict_word(cases[i].want), verdict_word(v));
		if ((note != NULL) != cases[i].note)
			fail_msg("%s: note", cases[i].name);
		if (cases[i].why == NULL
			? why.text[0] != '\0'
			: strstr(why.text, cases[i].why) == NULL)
			fail_msg("%s: got \"%s\"", cases[i].name, why.text);
		waivers_free(ws);
	}
}

static void
without_waivers_nothing_changes(void **state)
{
	const struct waiver_note *note;
	struct fault why;
	size_t n = 0;

	(void)state;
	assert_int_equal(waiver_judge(NULL, "X", VERDICT_FAIL,
			     &waived_difference, 0, &note, &why),
	    VERDICT_FAIL);
	assert_null(note);
	assert_null(waiver_find(NULL, "X"));
	assert_null(waiver_find_idle(NULL, &n));
}

static void
idle_waivers_are_told(void **state)
{
	struct waivers *ws =
	    waivers_of("[A]\n" DIFFERENCE NOTE "[B]\n" DIFFERENCE NOTE
		       "[C]\n" DIFFERENCE NOTE);
	const struct waiver_note *note;
	struct fault why;
	size_t n = 0;

	(void)state;
	assert_int_equal(waiver_judge(ws, "B", VERDICT_FAIL, &waived_difference,
			     0, &note, &why),
	    VERDICT_WAIVED);
	/* not judged: no use, but no harm either */
	assert_int_equal(
	    waiver_judge(ws, "C", VERDICT_NOT_RUN, NULL, 0, &note, &why),
	    VERDICT_NOT_RUN);
	assert_string_equal(waiver_find_idle(ws, &n)->pattern, "A");
	n++;
	assert_string_equal(waiver_find_idle(ws, &n)->pattern, "C");
	n++;
	assert_null(waiver_find_idle(ws, &n));
	waivers_free(ws);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_read_or_refused),
	    cmocka_unit_test(a_missing_file_is_named),
	    cmocka_unit_test(values_keep_what_they_say),
	    cmocka_unit_test(a_waiver_is_held_against_the_difference),
	    cmocka_unit_test(without_waivers_nothing_changes),
	    cmocka_unit_test(idle_waivers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

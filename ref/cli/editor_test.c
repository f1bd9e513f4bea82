#include "cli/editor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OUT_OCTETS = 256 * 1024 };

static struct editor *editor;
static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, OUT_OCTETS);
	return editor_new(&editor) != OK;
}

static int
tear_down(void **state)
{
	(void)state;
	editor_free(editor);
	editor = NULL;
	buf_clear(&out);
	return 0;
}

static void
ask(enum editor_kind kind, const char *prompt)
{
	buf_reset(&out);
	assert_int_equal(editor_ask(editor, kind, prompt, &out), OK);
}

/* All of it has to be taken. */
static enum editor_event
type(const char *keys)
{
	struct bytes in = bytes_of_text(keys);
	enum editor_event event;

	buf_reset(&out);
	assert_int_equal(editor_type(editor, &in, &out, &event), OK);
	assert_int_equal(in.octets, 0);
	return event;
}

static const char *
shown(void)
{
	static char text[OUT_OCTETS + 1];
	struct bytes b = buf_peek(&out);

	memcpy(text, b.octets != 0 ? b.at : (const uint8_t *)"", b.octets);
	text[b.octets] = '\0';
	return text;
}

static const char *
line(void)
{
	static char text[COMMAND_LINE_OCTETS + 1];
	struct bytes b = editor_line(editor);

	memcpy(text, b.at, b.octets);
	text[b.octets] = '\0';
	return text;
}

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"

static const struct {
	const char *keys;
	const char *line;
} edits[] = {
    {"show\r", "show"},
    {"show\n", "show"},
    {"shw" LEFT "o\r", "show"},
    {"sow\x1bOD\x1bODh\r", "show"},
    {"how\x01s\x05!\r", "show!"},
    {"how\x1b[Hs\x1b[F!\r", "show!"},
    {"how\x1b[1~s\x1b[4~!\r", "show!"},
    {"how\x1b[7~s\x1b[8~!\r", "show!"},
    {"how\x1bOHs\x1bOF!\r", "show!"},
    {"shoow\x02\x02\x02\x1b[3~\r", "show"},
    {"shoow\x02\x02\x04\r", "show"},
    {"shoow\x02\x7f\r", "show"},
    {"shoow\x02\b\r", "show"},
    {"shw" LEFT "o" RIGHT "!\x02\x06!\r", "show!!"},
    {"show hsm" LEFT LEFT LEFT "\x0b\r", "show "},
    {"no show\x02\x02\x02\x02\x15\r", "show"},
    {"show  hsm  \x17status\r", "show  status"},
    {"\x17show\x17\r", ""},
    /* nothing to delete, nowhere to go */
    {"\x7f" LEFT RIGHT "\x1b[3~" UP DOWN "x\r", "x"},
    /* characters of several octets go as one */
    {"f\xc3\xbcr\x02\x7fu\r", "fur"},
    {"\xe2\x82\xac\x01\x1b[3~x\r", "x"},
    {"a\xf0\x9f\x94\x91z\x02\x02"
     "b\x06\x7f"
     "c\r",
	"abcz"},
    /* keys that mean nothing here */
    {"sh\x1b[5~ow\x1b[1;5C\x1b[24~\x1bx\x1b[99999999~\x0c\x1a\x1c\r", "show"},
};

static void
keys_edit_the_line(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(edits) / sizeof(edits[0]); k++) {
		ask(EDITOR_VALUE, "Value: ");
		if (type(edits[k].keys) != EDITOR_LINE)
			fail_msg("%zu: no line", k);
		if (strcmp(line(), edits[k].line) != 0)
			fail_msg("%zu: expected \"%s\", got \"%s\"", k,
			    edits[k].line, line());
	}
}

static void
what_is_typed_is_shown_behind_the_prompt(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "Host# ");
	assert_string_equal(shown(), "\rHost# \x1b[K");
	assert_int_equal(type("sho"), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# sho\x1b[K");
	assert_int_equal(type(LEFT LEFT), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# sho\x1b[K\r\x1b[7C");
	assert_int_equal(type("\xc3\xa4"), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# s\xc3\xa4ho\x1b[K\r\x1b[8C");
	assert_int_equal(type("\r"), EDITOR_LINE);
	assert_string_equal(shown(), "\r\n");
}

static void
a_secret_is_not_shown_and_not_kept(void **state)
{
	(void)state;
	ask(EDITOR_SECRET, "Password: ");
	assert_int_equal(type("aZ9" LEFT "b\x7f"), EDITOR_MORE);
	assert_string_equal(shown(), "\rPassword: \x1b[K");
	assert_int_equal(type("\r"), EDITOR_LINE);
	assert_string_equal(shown(), "\r\n");
	assert_string_equal(line(), "aZ9");
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type(UP), EDITOR_MORE);
	assert_string_equal(shown(), "\r# \x1b[K");
	assert_int_equal(type("\r"), EDITOR_LINE);
	assert_string_equal(line(), "");
}

/* What is typed ahead is for the next question. */
static void
a_line_takes_no_more_than_itself(void **state)
{
	struct bytes in = bytes_of_text("one\r\ntwo\nthree");
	enum editor_event event;

	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(editor_type(editor, &in, &out, &event), OK);
	assert_int_equal(event, EDITOR_LINE);
	assert_string_equal(line(), "one");
	assert_int_equal(in.octets, strlen("\ntwo\nthree"));
	assert_int_equal(editor_type(editor, &in, &out, &event), OK);
	assert_int_equal(event, EDITOR_MORE);
	assert_int_equal(in.octets, strlen("\ntwo\nthree"));
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(editor_type(editor, &in, &out, &event), OK);
	assert_int_equal(event, EDITOR_LINE);
	assert_string_equal(line(), "two");
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(editor_type(editor, &in, &out, &event), OK);
	assert_int_equal(event, EDITOR_MORE);
	assert_string_equal(line(), "three");
}

static const char *
recalled(const char *keys)
{
	static char text[COMMAND_LINE_OCTETS + 1];

	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type(keys), EDITOR_MORE);
	(void)snprintf(text, sizeof(text), "%s", line());
	assert_int_equal(type("\x03"), EDITOR_BREAK);
	return text;
}

static void
arrows_bring_back_what_was_typed(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("first\r"), EDITOR_LINE);
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("second\r"), EDITOR_LINE);
	/* neither what is empty, nor what was there just now, nor values */
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("second\r"), EDITOR_LINE);
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("\r"), EDITOR_LINE);
	ask(EDITOR_VALUE, "Name: ");
	assert_int_equal(type("value" UP "\r"), EDITOR_LINE);
	assert_string_equal(line(), "value");

	assert_string_equal(recalled(UP), "second");
	assert_string_equal(recalled(UP UP), "first");
	assert_string_equal(recalled(UP UP UP), "first");
	assert_string_equal(recalled("\x10\x10\x0e"), "second");
	assert_string_equal(recalled("beg" UP DOWN "un"), "begun");
	assert_string_equal(recalled(DOWN), "");
	/* what was recalled can be changed, and goes to the end */
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type(UP UP "!\r"), EDITOR_LINE);
	assert_string_equal(line(), "first!");
	assert_string_equal(recalled(UP UP), "second");
	assert_string_equal(recalled(UP UP UP), "first");
}

static void
the_history_has_an_end(void **state)
{
	char text[32];
	int k;

	(void)state;
	for (k = 0; k <= EDITOR_HISTORY_LINES; k++) {
		(void)snprintf(text, sizeof(text), "line %d\r", k);
		ask(EDITOR_COMMAND, "# ");
		assert_int_equal(type(text), EDITOR_LINE);
	}
	ask(EDITOR_COMMAND, "# ");
	for (k = 0; k < 2 * EDITOR_HISTORY_LINES; k++)
		assert_int_equal(type(UP), EDITOR_MORE);
	assert_string_equal(line(), "line 1");
}

static void
tab_asks_with_what_is_before_the_cursor(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(
	    type("sh status\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\t"),
	    EDITOR_COMPLETE);
	assert_string_equal(line(), "sh");
	buf_reset(&out);
	assert_int_equal(
	    editor_insert(editor, bytes_of_text("ow hsm"), &out), OK);
	assert_string_equal(shown(), "\r# show hsm status\x1b[K\r\x1b[10C");
	/* there may be nothing to put in */
	assert_int_equal(editor_insert(editor, BYTES_NONE, &out), OK);
	assert_int_equal(type("\r"), EDITOR_LINE);
	assert_string_equal(line(), "show hsm status");
	/* a value is not completed */
	ask(EDITOR_VALUE, "Name: ");
	assert_int_equal(type("a\tb\r"), EDITOR_LINE);
	assert_string_equal(line(), "ab");
}

/* Candidates are listed above the line that goes on. */
static void
the_line_makes_room_and_comes_back(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("sh"), EDITOR_MORE);
	buf_reset(&out);
	assert_int_equal(editor_hide(editor, &out), OK);
	assert_int_equal(buf_put_text(&out, "show\r\n"), OK);
	assert_int_equal(editor_show(editor, &out), OK);
	assert_string_equal(shown(), "\r\x1b[Kshow\r\n\r# sh\x1b[K");
	assert_int_equal(type("\r"), EDITOR_LINE);
	buf_reset(&out);
	assert_int_equal(editor_hide(editor, &out), OK);
	assert_int_equal(editor_show(editor, &out), OK);
	assert_string_equal(shown(), "");
}

static void
a_question_mark_is_answered_and_the_line_goes_on(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("show ?\r"), EDITOR_LINE);
	assert_string_equal(line(), "show ?");
	ask(EDITOR_COMMAND, "# ");
	assert_string_equal(shown(), "\r# show \x1b[K");
	assert_int_equal(type("hsm\r"), EDITOR_LINE);
	assert_string_equal(line(), "show hsm");
	/* once, and not into a question */
	ask(EDITOR_COMMAND, "# ");
	assert_string_equal(shown(), "\r# \x1b[K");
	assert_int_equal(type("?\r"), EDITOR_LINE);
	ask(EDITOR_VALUE, "Name: ");
	assert_string_equal(shown(), "\rName: \x1b[K");
	assert_int_equal(type("why?\r"), EDITOR_LINE);
	ask(EDITOR_COMMAND, "# ");
	assert_string_equal(shown(), "\r# \x1b[K");
}

static void
a_line_is_given_up_and_a_session_ended(void **state)
{
	(void)state;
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("show\x03"), EDITOR_BREAK);
	assert_string_equal(shown(), "\r# show\x1b[K^C\r\n");
	/* Ctrl-D deletes as long as there is something */
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type("a\x04"), EDITOR_MORE);
	assert_int_equal(type("\x7f\x04"), EDITOR_END);
	/* what was given up is in no history */
	assert_string_equal(recalled(UP), "");
}

static void
a_line_has_so_many_octets_and_rings_then(void **state)
{
	char keys[COMMAND_LINE_OCTETS + 2];

	(void)state;
	memset(keys, 'x', sizeof(keys));
	keys[COMMAND_LINE_OCTETS] = '\0';
	ask(EDITOR_COMMAND, "# ");
	assert_int_equal(type(keys), EDITOR_MORE);
	assert_null(strchr(shown(), '\a'));
	assert_int_equal(type("y"), EDITOR_MORE);
	assert_non_null(strchr(shown(), '\a'));
	buf_reset(&out);
	assert_int_equal(editor_insert(editor, bytes_of_text("z"), &out), OK);
	assert_string_equal(shown(), "\a");
	assert_int_equal(type("\r"), EDITOR_LINE);
	assert_string_equal(line(), keys);
}

/* One column is left free: there the cursor stands. */
static void
a_long_line_moves_sideways(void **state)
{
	(void)state;
	editor_width(editor, 20);
	ask(EDITOR_COMMAND, "Host# ");
	assert_int_equal(type("abcdefghijklm"), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# abcdefghijklm\x1b[K");
	assert_int_equal(type("n"), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# bcdefghijklmn\x1b[K");
	assert_int_equal(type("\x01"), EDITOR_MORE);
	assert_string_equal(shown(), "\rHost# abcdefghijklm\x1b[K\r\x1b[6C");
	/* a prompt that leaves no room has a line of its own */
	ask(EDITOR_VALUE, "Minimum length: ");
	assert_string_equal(shown(), "Minimum length: \r\n\r\x1b[K");
	editor_width(editor, 3);
	ask(EDITOR_VALUE, "Name: ");
	assert_string_equal(shown(), "\rName: \x1b[K");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keys_edit_the_line),
	    TEST(what_is_typed_is_shown_behind_the_prompt),
	    TEST(a_secret_is_not_shown_and_not_kept),
	    TEST(a_line_takes_no_more_than_itself),
	    TEST(arrows_bring_back_what_was_typed),
	    TEST(the_history_has_an_end),
	    TEST(tab_asks_with_what_is_before_the_cursor),
	    TEST(the_line_makes_room_and_comes_back),
	    TEST(a_question_mark_is_answered_and_the_line_goes_on),
	    TEST(a_line_is_given_up_and_a_session_ended),
	    TEST(a_line_has_so_many_octets_and_rings_then),
	    TEST(a_long_line_moves_sideways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The tables of the device: key.def, text.def, state.def. */
#include "ikey/sample_test.h"
#include "ped/device.h"

static const struct {
	const char *name;
	const char *text;
} texts[] = {
#define TEXT(code, origin, text) {#code " " #origin, text},
#include "ped/text.def"
#undef TEXT
};

static const struct {
	const char *name;
	enum text text;
	enum entry_kind entry;
} states[] = {
#define STATE(code, mode, draw, text, entry) {#code, text, ENTRY_##entry},
#include "ped/state.def"
};

static const struct {
	enum state state;
	enum ped_key key;
} moves[] = {
#define MOVE(state, key, action) {state, key},
#include "ped/state.def"
};

static void
each_key_is_found_by_its_word_and_no_other(void **state)
{
	enum ped_key key;
	enum ped_key found;

	(void)state;
	for (key = 0; key < KEY_END; key++) {
		assert_true(
		    ped_key_find(bytes_of_text(ped_key_word(key)), &found));
		assert_int_equal(found, key);
	}
	assert_false(ped_key_find(bytes_of_text("10"), &found));
	assert_false(ped_key_find(bytes_of_text("enter"), &found));
	assert_false(ped_key_find(BYTES_NONE, &found));
}

/* Whole on the display, with a line left for what is entered. */
static void
each_text_fits_the_display(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(texts); k++) {
		const char *line = texts[k].text;
		unsigned lines = 1;

		print_message("%s\n", texts[k].name);
		assert_true(*line != '\0');
		for (; line[strcspn(line, "\n")] != '\0'; lines++) {
			assert_true(strcspn(line, "\n") <= DISPLAY_COLUMNS);
			line += strcspn(line, "\n") + 1;
		}
		assert_true(strlen(line) <= DISPLAY_COLUMNS);
		assert_true(lines < DISPLAY_LINES);
	}
}

/*
 * A key does one thing; what takes digits is left by ENTER; and who is asked by
 * nobody can leave by a key.
 */
static void
each_state_is_left_by_keys_that_do_one_thing(void **state)
{
	size_t k;
	size_t n;

	(void)state;
	for (k = 0; k < LENGTH(moves); k++)
		for (n = 0; n < k; n++)
			assert_false(moves[n].state == moves[k].state &&
				     moves[n].key == moves[k].key);
	for (k = 0; k < LENGTH(states); k++) {
		bool is_left = false;
		bool by_enter = false;

		print_message("%s\n", states[k].name);
		for (n = 0; n < LENGTH(moves); n++) {
			is_left |= moves[n].state == (enum state)k;
			by_enter |= moves[n].state == (enum state)k &&
				    moves[n].key == KEY_ENTER;
			/* digits belong to the entry */
			if (moves[n].state == (enum state)k &&
			    states[k].entry != ENTRY_NONE)
				assert_true(moves[n].key > KEY_9);
		}
		assert_int_equal(is_left, k != AT_WAIT && k != AT_SHOW);
		if (states[k].entry != ENTRY_NONE)
			assert_true(by_enter);
	}
}

/* All that the card brings about comes last: ask.c rests on it. */
static void
what_the_card_asks_comes_last(void **state)
{
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(states); k++)
		assert_int_equal(states[k].text == TEXT_WAIT, k >= AT_WAIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_key_is_found_by_its_word_and_no_other),
	    cmocka_unit_test(each_text_fits_the_display),
	    cmocka_unit_test(each_state_is_left_by_keys_that_do_one_thing),
	    cmocka_unit_test(what_the_card_asks_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

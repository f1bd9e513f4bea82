#include "ped/ped.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ped/device.h"

static const char *const key_words[] = {
#define KEY(code, word) word,
#include "ped/key.def"
#undef KEY
};

static const struct {
	const char *name;
	enum mode mode;
	enum entry_kind entry;
} states[] = {
#define STATE(code, mode, draw, text, entry) \
	{#code, MODE_##mode, ENTRY_##entry},
#include "ped/state.def"
};

static const struct {
	enum state state;
	enum ped_key key;
	enum err (*run)(struct ped *ped);
} moves[] = {
#define MOVE(state, key, action) {state, key, ped_do_##action},
#include "ped/state.def"
};

static const char *const mode_names[] = {
    [MODE_ANY] = "any",
    [MODE_OFF] = "off",
    [MODE_MENU] = "menu",
    [MODE_LOCAL] = "local",
    [MODE_ADMIN] = "admin",
    [MODE_REMOTE] = "remote",
};

const char *
ped_key_word(enum ped_key key)
{
	assert(key < KEY_END);
	return key_words[key];
}

bool
ped_key_find(struct bytes word, enum ped_key *out)
{
	for (*out = 0; *out < KEY_END; ++*out)
		if (bytes_equal_text(word, key_words[*out]))
			return true;
	return false;
}

/* ---- the log of recent actions ---- */

void
ped_log(struct ped *ped, const char *format, ...)
{
	struct ped_action *action = &ped->log[ped->log_next];
	va_list args;

	action->at_ms = loop_now_ms(ped->config->loop) - ped->on_ms;
	va_start(args, format);
	(void)vsnprintf(action->text, sizeof(action->text), format, args);
	va_end(args);
	ped->log_next = (ped->log_next + 1) % LOG_ACTIONS;
	if (ped->log_count < LOG_ACTIONS)
		ped->log_count++;
}

bool
ped_action(const struct ped *ped, unsigned number, struct ped_action *out)
{
	if (number >= ped->log_count)
		return false;
	*out =
	    ped->log[(ped->log_next + LOG_ACTIONS - 1 - number) % LOG_ACTIONS];
	return true;
}

enum err
ped_do_log(struct ped *ped)
{
	ped->back = ped->state;
	ped->log_page = 0;
	ped_go(ped, AT_LOG);
	return OK;
}

/* After the oldest comes the newest again. */
enum err
ped_do_log_older(struct ped *ped)
{
	ped->log_page++;
	if (ped->log_page * LOG_LINES >= ped->log_count)
		ped->log_page = 0;
	ped_redraw(ped);
	return OK;
}

enum err
ped_do_log_left(struct ped *ped)
{
	ped_go(ped, ped->back);
	return OK;
}

/* ---- states ---- */

struct bytes
ped_entry(const struct ped *ped)
{
	return (struct bytes){secret_peek(ped->entry).at, ped->entry_digits};
}

void
ped_entry_clear(struct ped *ped)
{
	secret_wipe(secret_fill(ped->entry), ENTRY_DIGITS);
	ped->entry_digits = 0;
}

void
ped_redraw(struct ped *ped)
{
	ped_screen_draw(ped);
	ped->revision++;
	ped->config->shown(ped->config->ctx);
}

void
ped_go(struct ped *ped, enum state state)
{
	ped_entry_clear(ped);
	ped->state = state;
	if (states[state].mode != MODE_ANY)
		ped->mode = states[state].mode;
	ped_redraw(ped);
}

void
ped_note(struct ped *ped, enum text note, enum state after)
{
	ped->note = note;
	ped->after = after;
	ped_go(ped, AT_NOTE);
}

enum err
ped_do_note_seen(struct ped *ped)
{
	ped_go(ped, ped->after);
	return OK;
}

static enum state
home_of(const struct ped *ped)
{
	static const enum state homes[] = {
	    [MODE_ANY] = AT_SELF_TEST,
	    [MODE_OFF] = AT_SELF_TEST,
	    [MODE_MENU] = AT_MODES,
	    [MODE_LOCAL] = AT_LOCAL,
	    [MODE_ADMIN] = AT_ADMIN,
	    [MODE_REMOTE] = AT_REMOTE,
	};

	return homes[ped->mode];
}

void
ped_go_home(struct ped *ped)
{
	ped_go(ped, home_of(ped));
}

/* ---- modes ---- */

static void
connect_to(struct ped *ped, enum ped_line line)
{
	ped_ask_hang_up(ped);
	ped->line = line;
	ped->config->line(ped->config->ctx, line);
}

enum err
ped_do_local(struct ped *ped)
{
	ped_log(ped, "Local PED mode");
	ped_go(ped, AT_LOCAL);
	connect_to(ped, PED_LINE_LOCAL);
	return OK;
}

/* From the menu; or it is not left after all. */
enum err
ped_do_remote(struct ped *ped)
{
	const bool is_new = ped->mode != MODE_REMOTE;

	ped_go(ped, AT_REMOTE);
	if (is_new) {
		ped_log(ped, "Remote PED mode");
		connect_to(ped, PED_LINE_REMOTE);
	}
	return OK;
}

enum err
ped_do_leave(struct ped *ped)
{
	ped_go(ped, AT_LEAVE);
	return OK;
}

enum err
ped_do_leave_remote(struct ped *ped)
{
	ped_ask_leave(ped);
	return ped_do_modes(ped);
}

enum err
ped_do_modes(struct ped *ped)
{
	if (ped->line != PED_LINE_NONE)
		connect_to(ped, PED_LINE_NONE);
	ped_go(ped, AT_MODES);
	return OK;
}

enum err
ped_do_admin(struct ped *ped)
{
	ped_go(ped, AT_ADMIN);
	return OK;
}

/* ---- self-test ---- */

/* A key that is held down by nobody's finger is stuck. */
static bool
keypad_test(const struct ped *ped, enum ped_key pressed)
{
	enum ped_key key;

	for (key = 0; key < KEY_END; key++)
		if (ped->is_down[key] && key != pressed)
			return false;
	return true;
}

/* req: KS-01-035 */
static bool
test_all(struct ped *ped, enum ped_key pressed)
{
	bool is_good;

	ped->test.keypad = keypad_test(ped, pressed);
	ped->test.usb = usb_test(&ped->slot);
	ped->test.display = display_test(&ped->display);
	is_good = ped->test.keypad && ped->test.usb && ped->test.display;
	ped_log(
	    ped, "Self test %s", ped_text(is_good ? TEXT_PASSED : TEXT_FAILED));
	return is_good;
}

enum err
ped_do_self_test(struct ped *ped)
{
	ped->test.at_power_on = false;
	(void)test_all(ped, KEY_9);
	ped_go(ped, AT_SELF_TEST);
	return OK;
}

/* A device that fails at power-on does not go on. */
enum err
ped_do_self_test_seen(struct ped *ped)
{
	if (!ped->test.at_power_on)
		return ped_do_admin(ped);
	if (test_all(ped, KEY_ENTER))
		return ped_do_local(ped);
	ped_go(ped, AT_SELF_TEST);
	return OK;
}

/* req: KS-01-028 */
void
ped_power_on(struct ped *ped)
{
	ped->on_ms = loop_now_ms(ped->config->loop);
	ped->test.at_power_on = true;
	ped_log(ped, "Power on");
	if (test_all(ped, KEY_END))
		(void)ped_do_local(ped); /* cannot fail */
	else
		ped_go(ped, AT_SELF_TEST);
}

/* ---- keys ---- */

static bool
entry_key(struct ped *ped, enum ped_key key)
{
	const enum entry_kind kind = states[ped->state].entry;
	const size_t most = kind == ENTRY_PLAIN ? NUMBER_DIGITS : ENTRY_DIGITS;
	uint8_t *digits = secret_fill(ped->entry);

	if (kind == ENTRY_NONE)
		return false;
	if (key <= KEY_9) {
		/* one too many is no PIN either, and the card will say so */
		if (ped->entry_digits < most)
			digits[ped->entry_digits++] =
			    (uint8_t)key_words[key][0];
	} else if (key == KEY_LEFT && ped->entry_digits != 0) {
		digits[--ped->entry_digits] = 0;
	} else if (key == KEY_CLEAR && ped->entry_digits != 0) {
		ped_entry_clear(ped);
	} else {
		return false;
	}
	ped_redraw(ped);
	return true;
}

static bool
move_key(struct ped *ped, enum ped_key key)
{
	size_t k;

	for (k = 0; k < sizeof(moves) / sizeof(moves[0]); k++) {
		if (moves[k].state != ped->state || moves[k].key != key)
			continue;
		if (moves[k].run(ped) != OK) {
			ped_ask_give_up(ped);
			ped_copy_forget(ped);
			ped_note(ped, TEXT_BROKEN, home_of(ped));
		}
		return true;
	}
	return false;
}

/* Clear was held: what is under way is given up. */
static void
cleared(void *ctx)
{
	struct ped *ped = ctx;

	ped_log(ped, "Cleared");
	ped_ask_give_up(ped);
	ped_copy_forget(ped);
	if (ped->state != AT_SELF_TEST)
		ped_go_home(ped);
}

bool
ped_key_down(struct ped *ped, enum ped_key key)
{
	ped->is_down[key] = true;
	if (key == KEY_CLEAR)
		loop_timer_set(
		    ped->clear, loop_now_ms(ped->config->loop) + PED_CLEAR_MS);
	return entry_key(ped, key) || move_key(ped, key) || key == KEY_CLEAR;
}

void
ped_key_up(struct ped *ped, enum ped_key key)
{
	ped->is_down[key] = false;
	if (key == KEY_CLEAR)
		loop_timer_stop(ped->clear);
}

bool
ped_press(struct ped *ped, enum ped_key key)
{
	bool is_taken = ped_key_down(ped, key);

	ped_key_up(ped, key);
	return is_taken;
}

/* ---- the slot ---- */

enum err
ped_insert(struct ped *ped, const char *path)
{
	enum err rc = usb_insert(&ped->slot, path);

	if (rc == OK) {
		ped_log(ped, "PED Key inserted");
		ped_redraw(ped);
	}
	return rc;
}

void
ped_remove(struct ped *ped)
{
	if (ped_slot(ped) == NULL)
		return;
	usb_remove(&ped->slot);
	ped_log(ped, "PED Key removed");
	ped_redraw(ped);
}

const char *
ped_slot(const struct ped *ped)
{
	return ped->slot.path;
}

void
ped_break_usb(struct ped *ped, bool broken)
{
	ped->slot.is_broken = broken;
}

void
ped_break_display(struct ped *ped, bool broken)
{
	ped->display.is_broken = broken;
	ped_redraw(ped);
}

/* ---- looking ---- */

const struct display *
ped_display(const struct ped *ped)
{
	return &ped->display;
}

uint64_t
ped_revision(const struct ped *ped)
{
	return ped->revision;
}

const char *
ped_mode_name(const struct ped *ped)
{
	return mode_names[ped->mode];
}

const char *
ped_state_name(const struct ped *ped)
{
	return states[ped->state].name;
}

bool
ped_is_linked(const struct ped *ped)
{
	return ped->channel != NULL && channel_is_open(ped->channel);
}

bool
ped_is_trusted(const struct ped *ped)
{
	return ped->is_trusted;
}

/* ---- birth and end ---- */

enum err
ped_new(const struct ped_config *config, struct ped **out)
{
	struct ped *ped = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(ped));
	ped->config = config;
	ped->mode = MODE_OFF;
	usb_init(&ped->slot);
	buf_init(&ped->in, 4 * CHANNEL_FRAME_MOST_OCTETS);
	buf_init(&ped->room, CHANNEL_FRAME_MOST_OCTETS);
	buf_init(&ped->ask.text, CHANNEL_FRAME_MOST_OCTETS);
	TRY(secret_new(ENTRY_DIGITS, &ped->entry));
	TRY(loop_timer_new(config->loop, cleared, ped, &ped->clear));
	*out = ped;
	ped = NULL;
out:
	ped_free(ped);
	return rc;
}

void
ped_free(struct ped *ped)
{
	if (ped == NULL)
		return;
	ped_ask_hang_up(ped);
	ped_copy_forget(ped);
	buf_clear(&ped->in);
	buf_clear(&ped->room);
	buf_clear(&ped->ask.text);
	usb_clear(&ped->slot);
	secret_free(ped->entry);
	loop_timer_free(ped->clear);
	display_clear(&ped->display);
	mem_free(ped);
}

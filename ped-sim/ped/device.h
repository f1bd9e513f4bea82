/*
 * The inside of the PED, for the files of this folder.
 *
 * An action is what a key does. One that fails has changed nothing that the
 * next key could not repair: ped.c then gives the operation up.
 */
#ifndef PED_DEVICE_H
#define PED_DEVICE_H

#include "base/secret.h"
#include "ikey/ikey.h"
#include "ikey/shamir.h"
#include "link/channel.h"
#include "link/message.h"
#include "ped/ped.h"
#include "ped/usb.h"

enum text {
#define TEXT(code, origin, text) code,
#include "ped/text.def"
#undef TEXT
};

enum state {
#define STATE(code, mode, draw, text, entry) code,
#include "ped/state.def"
	STATE_END
};

enum mode {
	MODE_ANY,
	MODE_OFF,
	MODE_MENU,
	MODE_LOCAL,
	MODE_ADMIN,
	MODE_REMOTE
};

enum entry_kind { ENTRY_NONE, ENTRY_PLAIN, ENTRY_MASKED };

enum {
	ENTRY_DIGITS = 64, /* more than any PIN has */
	NUMBER_DIGITS = 2,
	LOG_ACTIONS = 28,
	LOG_LINES = DISPLAY_LINES - 1,
};

/* What the card has asked for and waits for. */
struct ask {
	bool is_open;
	uint8_t least, most; /* of a number */
	struct buf text;     /* what was shown last; stays until the next */
};

/* Shares of the remote PED vector, until it is confirmed. */
struct vector {
	struct ikey waiting; /* for its PIN */
	unsigned count;
	uint8_t m;
	uint8_t keyset[IKEY_KEYSET_OCTETS];
	uint8_t indices[IKEY_SHARES_MAX];
	struct secret *shares[IKEY_SHARES_MAX];
};

/* PED Key mode. */
struct copying {
	struct ikey original;
	struct secret *share; /* NULL: not logged in */
	struct ikey target;
	struct secret *pin; /* the new one, to be confirmed; NULL: none */
};

struct ped {
	const struct ped_config *config;
	int64_t on_ms;
	enum mode mode;
	enum state state;
	enum state back;  /* where the log was called */
	enum state after; /* the note */
	enum text note;
	unsigned log_page;

	struct display display;
	uint64_t revision;
	struct usb slot;
	bool is_down[KEY_END];
	struct loop_timer *clear;

	struct secret *entry; /* ENTRY_DIGITS */
	size_t entry_digits;

	struct {
		bool keypad, usb, display, at_power_on;
	} test;

	struct ped_action log[LOG_ACTIONS];
	unsigned log_next;
	unsigned log_count;

	enum ped_line line;
	struct channel *channel; /* NULL: the cable is not connected */
	bool is_trusted;
	struct buf in, room;
	struct ask ask;
	struct vector vector;

	struct copying copying;
};

/* ---- ped.c ---- */

/* Go there; the display is drawn, and an entry is empty. */
void ped_go(struct ped *ped, enum state state);
void ped_redraw(struct ped *ped);
/* Show a note; ENTER leads on. */
void ped_note(struct ped *ped, enum text note, enum state after);
/* Where this mode waits for something to happen. */
void ped_go_home(struct ped *ped);
void ped_log(struct ped *ped, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct bytes ped_entry(const struct ped *ped);
void ped_entry_clear(struct ped *ped);

/* ---- screen.c ---- */

const char *ped_text(enum text text);
void ped_screen_draw(struct ped *ped);
/* The first line, which says what goes on. */
struct bytes ped_title(struct bytes text);

/* ---- ask.c ---- */

/* A number's digits until one is pressed. */
struct bytes ped_ask_prefilled(const struct ask *ask);
/* Give up what the card waits for; it is told. */
void ped_ask_give_up(struct ped *ped);
void ped_ask_hang_up(struct ped *ped);
/* Remote mode is being left. */
void ped_ask_leave(struct ped *ped);

/* ---- copy.c ---- */

void ped_copy_forget(struct ped *ped);

/* ---- actions, of ped.c, ask.c and copy.c ---- */

#define MOVE(state, key, action) enum err ped_do_##action(struct ped *ped);
#include "ped/state.def"

#endif

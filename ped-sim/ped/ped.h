/*
 * The PED: a keypad, a display, a USB slot, a cable.
 *
 * What is pressed, inserted and received goes in; what is to be shown, sent and
 * connected comes out through struct ped_config. No descriptor but the iKey's
 * file, no clock but the loop's: a test stands for the hand and for the card.
 *
 * The device holds no secret but for the operation it is in: digits until they
 * are sent, the shares of a remote PED vector until the card has proved that it
 * knows it, a share that is being duplicated until PED Key mode is left.
 *
 * States, keys and texts are tables: state.def, key.def, text.def.
 *
 * req: KS-01-027
 *
 * Sources: KeySecure user guide, chapters 1 and 5; docs/ped.md
 */
#ifndef PED_PED_H
#define PED_PED_H

#include "base/buf.h"
#include "base/env.h"
#include "base/loop.h"
#include "ped/display.h"

enum ped_key {
#define KEY(code, word) code,
#include "ped/key.def"
#undef KEY
	KEY_END
};

/* "0", "ENTER", "<": static. false: no such key. */
const char *ped_key_word(enum ped_key key);
bool ped_key_find(struct bytes word, enum ped_key *out);

enum { PED_CLEAR_MS = 5000 }; /* Clear is held so long */

/* Where the cable goes. */
enum ped_line { PED_LINE_NONE, PED_LINE_LOCAL, PED_LINE_REMOTE };

struct ped;

/* Borrowed for good. The functions are called from within ped_...() below. */
struct ped_config {
	struct env *env;
	struct loop *loop;
	/* The display, the link or the slot is another one now. */
	void (*shown)(void *ctx);
	/*
	 * Hang up, and from now on be connected there, again and again. NONE:
	 * nowhere. What was sent before is still sent.
	 */
	void (*line)(void *ctx, enum ped_line line);
	/* Hang up; the peer broke the rules. ped_line_down() is not called. */
	void (*drop)(void *ctx);
	/* To the peer, in order; the octets are wiped afterwards. */
	void (*send)(void *ctx, struct bytes octets);
	void *ctx;
};

/* Off. ERR_NOMEM */
enum err ped_new(const struct ped_config *config, struct ped **out) MUST_CHECK;
void ped_free(struct ped *ped); /* wipes; accepts NULL */

/* Power: self-test, then local mode. */
void ped_power_on(struct ped *ped);

/* ---- hands ---- */

/*
 * Press a key and let it go; or do one after the other. false: nothing waits
 * for it.
 */
bool ped_press(struct ped *ped, enum ped_key key);
bool ped_key_down(struct ped *ped, enum ped_key key);
void ped_key_up(struct ped *ped, enum ped_key key);

/* As usb_insert() and usb_remove() of ped/usb.h. */
enum err ped_insert(struct ped *ped, const char *path) MUST_CHECK;
void ped_remove(struct ped *ped);
/* The file; NULL: empty. Borrowed. */
const char *ped_slot(const struct ped *ped);

/* ---- the cable ---- */

void ped_line_up(struct ped *ped);
void ped_line_down(struct ped *ped);
void ped_line_octets(struct ped *ped, struct bytes octets);

/* ---- looking ---- */

const struct display *ped_display(const struct ped *ped);
/* Goes up each time that shown() is called. */
uint64_t ped_revision(const struct ped *ped);
/* "off", "menu", "local", "admin", "remote"; "AT_LOCAL". Static. */
const char *ped_mode_name(const struct ped *ped);
const char *ped_state_name(const struct ped *ped);
/* Is there a channel; was the remote PED vector proved by both sides? */
bool ped_is_linked(const struct ped *ped);
bool ped_is_trusted(const struct ped *ped);

/* Recent actions, the newest is number 0; false: there are no more. */
struct ped_action {
	int64_t at_ms; /* since power-on */
	char text[DISPLAY_COLUMNS - 9 + 1];
};
bool ped_action(const struct ped *ped, unsigned number, struct ped_action *out);

/* ---- laboratory ---- */

void ped_break_usb(struct ped *ped, bool broken);
void ped_break_display(struct ped *ped, bool broken);

#endif

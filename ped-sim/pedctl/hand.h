/*
 * pedctl's end of a PED's control socket (pedsim/control.h).
 *
 * Displays come unasked, in order, and are looked at one by one: what a script
 * expects is found even where it did not stay. After a command the display
 * looked at is the one that the command left.
 */
#ifndef PEDCTL_HAND_H
#define PEDCTL_HAND_H

#include "base/buf.h"

enum {
	HAND_WORDS_OCTETS = 256,
	HAND_TEXT_OCTETS = 1024,
	HAND_ANSWER_OCTETS = 4096,
};

struct hand_screen {
	uint64_t revision;
	char words[HAND_WORDS_OCTETS]; /* " revision=7 mode=local ... " */
	char
	    text[HAND_TEXT_OCTETS]; /* lines apart by LF, no dark ones behind */
	struct hand_screen *next;
};

struct hand;

/*
 * Somebody who watches the PED of `dir` (its ctl.sock, or ped/ctl.sock in it).
 *
 * patience_s  real seconds without a word, after which nothing will happen
 *
 * ERR_NOT_FOUND  no PED is there
 * ERR_TIMEOUT, ERR_CLOSED, ERR_NOMEM, ERR_MESSAGE  of hand_ask
 */
enum err
hand_new(const char *dir, int patience_s, struct hand **out) MUST_CHECK;
void hand_free(struct hand *hand); /* accepts NULL */

/*
 * One command. `says`, unless NULL, is called with each "say".
 *
 * answer  borrowed until the next command: the words behind "ok" or "error"
 *
 * ERR_FIELD    the PED's answer is "error"
 * ERR_TIMEOUT  no answer in time
 * ERR_CLOSED   the PED is gone
 * ERR_MESSAGE  what it says is no answer
 */
enum err
hand_ask(struct hand *hand, void (*says)(const char *text), const char **answer,
    const char *format, ...) MUST_CHECK __attribute__((format(printf, 4, 5)));

/* The display looked at. */
const struct hand_screen *hand_screen(const struct hand *hand);

/*
 * Look at the next one, as soon as there is one.
 *
 * ERR_TIMEOUT  the timer rang, or patience is over
 * ERR_CLOSED, ERR_NOMEM, ERR_MESSAGE
 */
enum err hand_next(struct hand *hand) MUST_CHECK;

/*
 * A timer of virtual time for hand_next(); 0 stops it. It does not change what
 * is looked at. Errors as hand_ask.
 */
enum err hand_timer(struct hand *hand, int64_t ms) MUST_CHECK;

#endif

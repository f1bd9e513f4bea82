/*
 * SoftHSMv2, whose only owner the card is: one token for each partition.
 * What is in it is kept without power.
 *
 * req: KSC-166
 *
 * SoftHSM knows one application, this process. It is initialized once, before
 * the first thread, and each token in use has a guard session, without which
 * the end of the last other session would be a logout for all. What is known
 * here of its files: a token's folder is called by a UUID, whose last 16 digits
 * are its serial number.
 *
 * Callers see to it that no session of a token is in use when it is closed.
 */
#ifndef CARD_BACKING_H
#define CARD_BACKING_H

#include "card/card.h"
#include "card/file.h"
#include "card/state.h"

struct backing;

/* A token in use. Zeroed: none. */
struct backing_token {
	bool open;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE guard;
	bool logged_in;
};

/*
 * Tokens that `state` does not name are what a crash left of one that was
 * being made or destroyed: they are removed first.
 *
 * dir  the card's; softhsm2.conf and tokens/ are made in it
 *
 * CARD_STATE  the log says why
 */
enum card_rv backing_new(const char *module, const char *dir,
    const struct state *state, struct steps *steps, struct backing **out);
void backing_free(struct backing *b); /* accepts NULL */

CK_FUNCTION_LIST *backing_calls(const struct backing *b);

/* The token of that serial number, with its guard. CARD_STATE: not there. */
enum card_rv
backing_open(struct backing *b, const char *serial, struct backing_token *out);

/*
 * A new token, durable, whose user PIN `key` is. Named by nobody yet: should
 * the power fail before state has its serial number, it is gone.
 */
enum card_rv
backing_make(struct backing *b, struct env *env, const struct secret *key,
    char serial[STATE_SERIAL_OCTETS + 1], struct backing_token *out);

/* CARD_PIN_INCORRECT: not this token's key. Harmless when it is logged in. */
enum card_rv backing_login(
    struct backing *b, struct backing_token *token, const struct secret *key);
void backing_logout(struct backing *b, struct backing_token *token);

/* All its sessions end, and its files are removed. */
enum card_rv backing_remove(
    struct backing *b, const char *serial, struct backing_token *token);

#endif

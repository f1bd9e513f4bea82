/*
 * The administration of the HSM card, over the socket of its daemon.
 *
 * A connection is an administrator's session at the card: a login of the
 * Security Officer belongs to it and ends with it. One thing is asked at a
 * time; where it takes a person at the PED, the answer comes when he is done,
 * and nothing waits for it but who asked.
 *
 * Lines of UTF-8 that end with LF, values percent-encoded:
 *
 *	COMMAND KEY=VALUE ...          what is asked
 *	say TEXT                       progress, any number of times
 *	ok KEY=VALUE ...               the answer
 *	error NAME TEXT                ... or this: NAME as CARD_PIN_INCORRECT
 *
 * All of it belongs to the loop's thread.
 */
#ifndef CRYPTO_CARD_ADMIN_H
#define CRYPTO_CARD_ADMIN_H

#include "base/buf.h"
#include "base/loop.h"

struct card_admin;

enum { CARD_ADMIN_LINE_OCTETS = 4096 };

struct card_answer {
	/* OK; ERR_DENIED: the card refuses, for the reason that follows;
	 * ERR_HSM: it is not there, or broke off */
	enum err rc;
	struct bytes name;  /* ERR_DENIED: "CARD_PIN_INCORRECT" */
	struct bytes text;  /* ERR_DENIED: for a person */
	struct bytes words; /* OK: KEY=VALUE ... */
};

/*
 * The value of a key in the answer, decoded, added to `out`.
 *
 * ERR_NOT_FOUND  the answer has no such key
 * ERR_VALUE      it is not percent-encoded as it should be
 */
enum err card_answer_value(const struct card_answer *answer, const char *key,
    struct buf *out) MUST_CHECK;

/* Has the answer KEY=VALUE, as it stands? */
bool card_answer_is(
    const struct card_answer *answer, const char *key, const char *value);

/*
 * Nothing is connected before something is asked.
 *
 * path  of the socket
 */
enum err card_admin_new(
    struct loop *loop, const char *path, struct card_admin **out) MUST_CHECK;

/*
 * Ends the session at the card; what is under way is given up there, and its
 * `done` is not called. Accepts NULL.
 */
void card_admin_free(struct card_admin *admin);

bool card_admin_busy(const struct card_admin *admin);

struct card_arg {
	const char *key;
	struct bytes value;
};

/*
 * say, done  called from the loop, later; done once. What they are given is
 *            borrowed until they return. done may ask for something else, or
 *            free the session.
 *
 * ERR_HSM    nobody listens there
 * ERR_LIMIT  the arguments are too long
 */
typedef void card_say_fn(void *ctx, struct bytes text);
typedef void card_done_fn(void *ctx, const struct card_answer *answer);
enum err card_admin_ask(struct card_admin *admin, const char *command,
    const struct card_arg *args, size_t arg_count, card_say_fn *say,
    card_done_fn *done, void *ctx) MUST_CHECK;

#endif

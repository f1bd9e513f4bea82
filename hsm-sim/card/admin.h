/*
 * The administration of the card, by lines.
 *
 * A connection is an administrator's session: one login belongs to it, and
 * ends with it. A line asks, and its answer is one line; then the next may be
 * asked:
 *
 *	COMMAND KEY=VALUE ...     in any order, one blank between words
 *
 *	ok KEY=VALUE ...          it is done
 *	error NAME TEXT           it is not: a row of rv.def, words for a person
 *
 * A line ends with LF and has up to ADMIN_LINE_OCTETS octets with it. Values
 * are UTF-8 without NUL, percent-encoded: all octets but letters, digits and
 * "-._" as %XX; what should have been encoded is taken as it stands, but for
 * blank, '%' and '='. admin.def lists the commands, docs/card.md their answers.
 *
 * Lines may hold passwords: each is wiped as soon as it has been carried out.
 */
#ifndef CARD_ADMIN_H
#define CARD_ADMIN_H

#include "card/card.h"

enum {
	ADMIN_LINE_OCTETS = 4096,
	ADMIN_ARGS_MAX = 4,
};

/* ---- lines ---- */

struct admin_command; /* a row of admin.def */

struct admin_request {
	const struct admin_command *command;
	char *text[ADMIN_ARGS_MAX]; /* by the order of the row; in the line */
	unsigned long number[ADMIN_ARGS_MAX]; /* where the row wants one */
};

/*
 * Read a line, which ends with NUL instead of LF, and is changed: what is read
 * lies in it.
 *
 * ERR_NOT_FOUND   no such command
 * ERR_UNEXPECTED  an argument that the command has not
 * ERR_REPEATED, ERR_MISSING
 * ERR_VALUE       not percent-encoded, no UTF-8, NUL; no number, no role
 */
enum err admin_read(char *line, struct admin_request *out) MUST_CHECK;

/* The row's own name and arguments, as admin.def has them. Static. */
const char *admin_command_name(const struct admin_command *command);
const char *admin_command_keys(const struct admin_command *command);

/* ---- sessions ---- */

/* Borrowed for as long as its sessions live. */
struct admin_config {
	struct card *card;
	enum card_model model;
	struct wait_room *waits;
	/* partition-info: what the card itself does not know of a slot, as
	 * " KEY=VALUE ..."; NULL: nothing */
	enum err (*storage)(void *ctx, unsigned slot, struct buf *out);
	void *ctx;
};

/*
 * Serve one connection until its peer has closed it or sent what is no line,
 * or the wait room was closed: a thread's work. fd is blocking, and stays the
 * caller's to close.
 */
void admin_serve(const struct admin_config *config, int fd);

#endif

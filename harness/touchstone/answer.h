/*
 * What an answer says, Batch Item by Batch Item.
 */
#ifndef TOUCHSTONE_ANSWER_H
#define TOUCHSTONE_ANSWER_H

#include "err.h"
#include "node.h"

/* What one Batch Item of a Response Message says. */
struct answer {
	uint32_t status;            /* Result Status */
	uint32_t reason;            /* Result Reason; 0: none given */
	const char *text;           /* Result Message; NULL: none */
	const struct node *payload; /* NULL: none */
};

/*
 * a  owns the text
 *
 * ERR_MISSING  no Response Message, or no such item, or one without a status
 */
enum err answer_read(struct arena *a, const struct node *root, unsigned n,
    struct answer *out) MUST_CHECK;

/*
 * A text that a server sent, in the arena: cut off at its first NUL octet; NULL
 * when `n` is NULL or no text.
 */
const char *answer_text(struct arena *a, const struct node *n);

#endif

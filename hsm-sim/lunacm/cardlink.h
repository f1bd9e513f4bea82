/*
 * The card's administration socket, from the side of a tool (card/admin.h has
 * the other). A connection is an administrator's session: who logs in there is
 * logged out when it ends.
 *
 * Connects with the first question; after the card went away, with the next.
 */
#ifndef LUNACM_CARDLINK_H
#define LUNACM_CARDLINK_H

#include "lunacm/reply.h"

struct cardlink {
	const char *path; /* borrowed */
	int fd;           /* -1: not connected */
};

struct cardlink_arg {
	const char *name;
	struct bytes value;
};

/* path  of the socket; as short as sockets want it */
void cardlink_init(struct cardlink *link, const char *path);
/* Harmless when it is closed already. */
void cardlink_close(struct cardlink *link);

/*
 * Ask, and wait for the answer, which is REPLY_OK or REPLY_ERROR; what the card
 * says meanwhile is passed over, since it is about the PED.
 *
 * ERR_CLOSED  nobody listens there, or it broke off: the session is over
 * ERR_LIMIT   the question is longer than a line may be: nothing was asked
 * ERR_NOMEM, and what reply_read() has: the session is over
 */
enum err cardlink_ask(struct cardlink *link, const char *command,
    const struct cardlink_arg *args, size_t arg_count,
    struct reply *out) MUST_CHECK;

#endif

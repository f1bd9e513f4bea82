/*
 * One SSH connection, in a thread of its own: libssh's one door.
 *
 * libssh blocks, so that none of it is done by the loop. The thread shakes
 * hands, takes passwords, opens the one session that a connection may have,
 * and shows it (screen.h); what it is about is the loop's (ssh_door.h). They
 * speak through queues (base/queue.h), and neither waits for the other while
 * it has something else to do. The thread asks one thing at a time:
 *
 *	PEER_LOGIN      name NUL password: ssh_peer_answer
 *	PEER_SESSION    logged in, and ready: ssh_peer_say from now on
 *	PEER_LINE, PEER_COMPLETE, PEER_BREAK
 *	                the session's, as screen.h has them
 *	PEER_ROOM       much of what was said has been taken: ssh_peer_has_room
 *	PEER_OVER       it wants no more of the session
 *	PEER_GONE       it has ended: ssh_peer_free
 *
 * Passwords alone are asked for ("password" and "keyboard-interactive"); no
 * other method, no forwarding, no subsystem and no second session is to be
 * had. Host key: ECDSA on P-256; algorithms: those that SP 800-131A allows.
 *
 * Source: RFC 4251 to 4254, 4256
 */
#ifndef CLI_SSH_H
#define CLI_SSH_H

#include "base/queue.h"
#include "base/secret.h"
#include "cli/cli.h"

struct ssh_peer;

enum {
	PEER_TRIES_MAX = 6,     /* passwords in one connection */
	PEER_REQUESTS_MAX = 64, /* refused ones of other kinds; then it ends */
	PEER_LOGIN_OCTETS = 1024, /* name and password */
	/* what was said and not shown yet: then it is given up */
	PEER_UNREAD_OCTETS = 1024 * 1024,
	PEER_ROOM_OCTETS = 256 * 1024, /* ... before much more is said */
	HOSTKEY_OCTETS = 256,          /* of a host key, at most */
};

/* A new host key, as text that crypto/vault.h takes. ERR_ENTROPY, ERR_NOMEM */
enum err ssh_hostkey_make(struct secret **out) MUST_CHECK;
/* Is it one? */
bool ssh_hostkey_is_valid(struct bytes key);

enum peer_question {
	PEER_LOGIN = 1,
	PEER_SESSION,
	PEER_LINE,
	PEER_COMPLETE,
	PEER_BREAK,
	PEER_ROOM,
	PEER_OVER,
	PEER_GONE,
};

struct ssh_peer_config {
	int fd;             /* connected; taken, on failure too */
	struct bytes key;   /* copied */
	struct queue *asks; /* borrowed: where its questions go */
	void *from;         /* of these messages */
};

/* ERR_NOMEM, ERR_SYSTEM: no thread is left */
enum err ssh_peer_new(
    const struct ssh_peer_config *config, struct ssh_peer **out) MUST_CHECK;

/* Waits for the thread, which ends at once after PEER_GONE or ssh_peer_cut.
 * Accepts NULL. */
void ssh_peer_free(struct ssh_peer *peer);

/* To PEER_LOGIN. text: shown to the person before a refusal; "": nothing is */
enum err ssh_peer_answer(
    struct ssh_peer *peer, bool welcome, const char *text) MUST_CHECK;

/* ERR_LIMIT: too much is unread. Others: as queue_put */
enum err ssh_peer_say(
    struct ssh_peer *peer, enum cli_mark mark, struct bytes text) MUST_CHECK;

/* May much be said? Once it has said no, PEER_ROOM comes. */
bool ssh_peer_has_room(struct ssh_peer *peer);

/* It ends in order once all that was said is shown. */
void ssh_peer_end(struct ssh_peer *peer);

/* It ends now. */
void ssh_peer_cut(struct ssh_peer *peer);

#endif

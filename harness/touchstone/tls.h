/*
 * The tool's one door to OpenSSL: connections to the server under test, and
 * the digest that pins a target file.
 *
 * Blocking with a deadline: every call ends in time. A connection belongs to
 * one client identity; its certificate and key are read at the first one.
 */
#ifndef TOUCHSTONE_TLS_H
#define TOUCHSTONE_TLS_H

#include "buf.h"
#include "err.h"

struct arena;
struct identity;
struct target;

/* Certificates, keys and settings of one identity. */
struct door;

/* An open connection. */
struct link;

/*
 * ERR_OPEN  a file of the identity cannot be used; `f` has OpenSSL's words
 */
enum err door_new(const struct target *t, const struct identity *id,
    struct door **out, struct fault *f) MUST_CHECK;

/*
 * The same for the target's NAE-XML server; plain, and `id` is not looked at,
 * where that speaks no TLS. Of the links below the plain ones know link_open()
 * to link_is_quiet(), not those that never wait.
 */
enum err door_new_nae(const struct target *t, const struct identity *id,
    struct door **out, struct fault *f) MUST_CHECK;

/* Accepts NULL. */
void door_free(struct door *d);

/*
 * Connect and shake hands.
 *
 * ERR_CONNECT    nobody listens, or the host has no address
 * ERR_HANDSHAKE  TLS was refused, by us or by the server; `f` says by whom
 * ERR_TIMEOUT
 */
enum err
link_open(struct door *d, struct link **out, struct fault *f) MUST_CHECK;

/* Says good-bye, does not wait for an answer. Accepts NULL. */
void link_close(struct link *l);

/*
 * Send all octets.
 *
 * record_octets  at most so many in one TLS record; 0: as TLS likes
 *
 * ERR_CLOSED, ERR_TIMEOUT
 */
enum err link_send(struct link *l, struct bytes octets, size_t record_octets,
    struct fault *f) MUST_CHECK;

/*
 * Receive one message, by the length in its header, behind what `out` holds.
 *
 * ERR_CLOSED           before its end: `out` has what came
 * ERR_TIMEOUT          likewise
 * ERR_TAG, ERR_TYPE, ERR_SIZE  its header is none; see ttlv_message_octets
 */
enum err
link_receive(struct link *l, struct buf *out, struct fault *f) MUST_CHECK;

/*
 * Receive at least so many octets more behind what `out` holds, and what else
 * has come.
 *
 * ERR_CLOSED, ERR_TIMEOUT  `out` has what came before
 */
enum err
link_receive_more(struct link *l, size_t least, struct buf *out) MUST_CHECK;

/* Nothing has come, and it is not closed. */
bool link_is_quiet(struct link *l);

/* Hexadecimal, in the arena. */
char *tls_sha256(struct arena *a, struct bytes in);

/*
 * --- links that never wait, for load ---------------------------------------
 *
 * The caller waits for the descriptor with a poller of its own. Whatever was
 * read ahead is not seen by the poller: ask link_has_more() before going back
 * to it.
 */

/* What a session was: good for resuming it on another link of the door. */
struct ticket;

/* Accepts NULL. */
void ticket_free(struct ticket *t);

/*
 * Begin to connect.
 *
 * resume  offered to the server, and stays the caller's; NULL: none
 *
 * ERR_CONNECT
 */
enum err link_begin(struct door *d, struct ticket *resume, struct link **out,
    struct fault *f) MUST_CHECK;

int link_descriptor(const struct link *l);

enum link_wish { LINK_READY, LINK_WANTS_READ, LINK_WANTS_WRITE };

/* Go on connecting, as far as it goes. ERR_HANDSHAKE. */
enum err link_advance(struct link *l, enum link_wish *wish) MUST_CHECK;

/* Send or receive what goes now; 0 octets when nothing does. ERR_CLOSED. */
enum err
link_try_send(struct link *l, struct bytes octets, size_t *sent) MUST_CHECK;
enum err link_try_receive(
    struct link *l, uint8_t *at, size_t room, size_t *got) MUST_CHECK;

bool link_has_more(const struct link *l);

/* Was the session resumed that link_begin() offered? */
bool link_is_resumed(const struct link *l);

/* What the server gave for the next time, once; NULL: nothing so far. */
struct ticket *link_take_ticket(struct link *l);

/* Close without a word: the port is free at once. Accepts NULL. */
void link_drop(struct link *l);

#endif

/*
 * Connections to an NAE-XML server: octets out, root elements in, and all of it
 * on the record of the test.
 */
#ifndef TOUCHSTONE_NAE_TALK_H
#define TOUCHSTONE_NAE_TALK_H

#include "nae.h"
#include "test.h"
#include "tls.h"

struct nae_talk;

/*
 * Connect.
 *
 * a     owns it; close it before the arena goes
 * wire  has the record; NULL: none is kept
 * name  of the connection, for the record
 *
 * ERR_CONNECT, ERR_HANDSHAKE, ERR_TIMEOUT
 */
enum err nae_talk_open(struct arena *a, struct door *door, struct wire *wire,
    unsigned flags, const char *name, struct nae_talk **out,
    struct fault *why) MUST_CHECK;

/* Accepts NULL. */
void nae_talk_close(struct nae_talk *t);

/*
 * n             number of the step
 * split_octets  at most so many in one write; 0: all
 *
 * ERR_CLOSED, ERR_TIMEOUT
 */
enum err nae_talk_send(struct nae_talk *t, unsigned n, struct bytes octets,
    size_t split_octets, struct fault *why) MUST_CHECK;

/*
 * The next root element.
 *
 * ERR_CLOSED, ERR_TIMEOUT  it did not come
 * and what nae_read() says
 */
enum err nae_talk_receive(
    struct nae_talk *t, struct nae_message *out, struct finding *f) MUST_CHECK;

/* That element as it came; borrowed until the next is received. */
struct bytes
nae_talk_octets(const struct nae_talk *t, const struct nae_message *m);

/* The server closed, and nothing stands before that. ERR_SURPLUS, ERR_TIMEOUT
 */
enum err nae_talk_closed(struct nae_talk *t, struct finding *f) MUST_CHECK;

/* Nothing has come that was not read. */
bool nae_talk_is_quiet(struct nae_talk *t);

/* The step whose exchange is on the record, and where what it received begins:
 * offsets of findings count from there. */
unsigned nae_talk_step(const struct nae_talk *t);
size_t nae_talk_start(const struct nae_talk *t);

/* Does the target's server answer a VersionRequest on a fresh connection? */
bool nae_is_alive(struct arena *a, const struct bench *b, struct fault *why);

#endif

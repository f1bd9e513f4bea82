/*
 * The talk of one test with the target: connections of its clients, what was
 * sent and received, kept for the report.
 */
#ifndef TOUCHSTONE_WIRE_H
#define TOUCHSTONE_WIRE_H

#include "finding.h"
#include "results.h"
#include "target.h"

/* Doors of all identities, for the whole run. */
struct doors;

/* ERR_OPEN, ERR_SYNTAX  an identity or setting cannot be used */
enum err doors_new(
    const struct target *t, struct doors **out, struct fault *f) MUST_CHECK;

/* Accepts NULL. */
void doors_free(struct doors *d);

struct wire;

/*
 * a      owns it; close it before the arena goes
 * flags  see show.h
 */
struct wire *wire_new(struct arena *a, struct doors *d, unsigned flags);

/* Closes all connections; what was recorded stays. */
void wire_close(struct wire *w);

/* What follows is the runner's own business: not recorded. */
void wire_mute(struct wire *w);

/*
 * Send a request as client `client` and receive the answer. Connections are
 * made when first needed and stay open.
 *
 * n         number of the step, for the record
 * request   all placeholders filled; encoded by this
 * response  NULL unless OK
 * f         the codec's finding when the answer is none
 *
 * ERR_CONNECT, ERR_HANDSHAKE  there is no talking to the target
 * ERR_CLOSED, ERR_TIMEOUT     it took the request and gave no answer
 * others                      the codec's
 */
enum err
wire_ask(struct wire *w, unsigned n, unsigned client, struct node *request,
    struct node **response, struct finding *f, struct fault *why) MUST_CHECK;

/*
 * The same with octets as they are, and no more said of the answer than its
 * octets: for what is no message.
 *
 * record_octets  at most so many in one TLS record; 0: as TLS likes
 */
enum err wire_ask_octets(struct wire *w, unsigned n, unsigned client,
    struct bytes request, size_t record_octets, struct bytes *response,
    struct fault *why) MUST_CHECK;

/* Send octets and close: for a message that is cut short. */
enum err wire_throw(struct wire *w, unsigned n, unsigned client,
    struct bytes octets, struct fault *why) MUST_CHECK;

/*
 * Does the target still answer? A Query on a fresh connection, not recorded.
 *
 * version  one that the target claims
 */
bool wire_is_alive(struct wire *w, unsigned version, struct fault *why);

/*
 * Put an exchange of another codec on the record.
 *
 * client  who asked, in words
 * i       its place
 */
struct exchange *
wire_put(struct wire *w, unsigned n, const char *client, size_t *i);

/* The exchange at that place, until another one is put. */
struct exchange *wire_at(struct wire *w, size_t i);

/* The doors of its NAE-XML server: of that user, of nobody. */
struct door *doors_nae(const struct doors *d, const struct user *u);

/* Borrowed; see struct test_result. */
const struct exchange *wire_record(const struct wire *w, size_t *count);

#endif

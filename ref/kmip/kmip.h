/*
 * The KMIP dispatcher: a message in, an answer out.
 *
 * Everything here runs on the loop. What takes long (key pairs) is done by
 * workers before a batch begins; what a batch writes is one savepoint within
 * one turn, and its answer leaves when the turn's group of commits is durable.
 *
 * Source: KMIP 1.4 sections 4, 6, 7 and 11; KMIP 2.1 sections 6, 8 and 9
 */
#ifndef KMIP_KMIP_H
#define KMIP_KMIP_H

#include "base/env.h"
#include "base/loop.h"
#include "crypto/keystore.h"
#include "device/key_server.h"
#include "store/store.h"

enum {
	KMIP_BATCH_MAX = 1000,             /* items in a message */
	KMIP_LOCATE_MAX = 65536,           /* identifiers in one answer */
	KMIP_ARENA_CAP_OCTETS = 64 << 20,  /* a request's memory */
	KMIP_MESSAGE_MAX_OCTETS = 1 << 20, /* the default message cap */
};

/* Borrowed by the dispatcher for as long as it lives. */
struct kmip_config {
	struct env *env;
	struct appliance *appliance; /* its users; NULL: none, in tests */
	struct store *store;
	struct keystore *keystore;
	struct loop_pool *workers;
	struct loop_pool *hsm_pool; /* asks the HSM; it may hang */
	const char *vendor;         /* Vendor Identification */
	uint32_t lease_s;           /* Lease Time of new objects */
};

struct kmip;

enum err
kmip_new(const struct kmip_config *config, struct kmip **out) MUST_CHECK;

/* No request may be under way. Accepts NULL. */
void kmip_free(struct kmip *k);

/* Requests under way. */
unsigned kmip_busy(const struct kmip *k);

/*
 * Take one message. `answer` is called exactly once for it, from within or
 * later, with the answer's octets, which are wiped afterwards. Whatever the
 * message is, it has an answer.
 *
 * door     whom the client is, and what it may; borrowed until it is answered
 * message  borrowed until this returns
 */
typedef void kmip_answer_fn(void *ctx, uint64_t number, struct bytes answer);
void kmip_message(struct kmip *k, const struct key_door *door,
    struct bytes message, kmip_answer_fn *answer, void *ctx, uint64_t number);

#endif

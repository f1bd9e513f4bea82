/*
 * The NAE-XML dispatcher: octets in, answers out, a request after another.
 *
 * Everything here runs on the loop. A connection gives what it has received to
 * nae_feed, which takes as much as the request under way lets it, and is told
 * when it can take more. Answers are octets in order.
 *
 * Source: protocol note section 2
 */
#ifndef NAE_NAE_H
#define NAE_NAE_H

#include "base/buf.h"
#include "crypto/keystore.h"
#include "device/appliance.h"
#include "device/key_server.h"
#include "device/statistics.h"

enum nae_error {
	NAE_SUCCESS,
#define ERROR(symbol, ...) symbol,
#define FROM(...)
#include "nae/error.def"
#undef ERROR
#undef FROM
	NAE_ERROR_COUNT
};

struct nae_error_row {
	unsigned code;
	bool fatal;
	const char *text;
};
const struct nae_error_row *nae_error_row(enum nae_error which);

enum nae_statistic {
#define STATISTIC(symbol, ...) symbol,
#define REQUEST(...)
#define ALIAS(...)
#include "nae/request.def"
#undef STATISTIC
#undef REQUEST
#undef ALIAS
	STAT_COUNT
};

/* Borrowed for as long as the dispatcher lives. */
struct nae_config {
	struct appliance *appliance; /* env, loop, store, users, policies */
	struct keystore *keystore;
	struct loop_pool *workers;  /* for what takes seconds: key pairs */
	struct loop_pool *signers;  /* for milliseconds: private keys */
	struct loop_pool *hsm_pool; /* asks the HSM; it may hang */
	const char *model;          /* ModelNumber */
	const char *box_id;         /* BoxID */
	bool strict; /* no aliases, no elements that are not the request's */
	size_t data_octets; /* the most in one data element; 0: the default */
};

enum {
	NAE_ID_OCTETS = 64,              /* of an ID */
	NAE_RANDOM_OCTETS = 131072,      /* of a RandGenRequest */
	NAE_OPERATIONS_MOST = 1000,      /* of a batch */
	NAE_ARENA_CAP_OCTETS = 64 << 20, /* a request's memory */
};

struct nae;

enum err nae_new(const struct nae_config *config, struct nae **out) MUST_CHECK;

/* Connections are gone. Accepts NULL. */
void nae_free(struct nae *nae);

/* Requests under way. */
unsigned nae_busy(const struct nae *nae);

const struct statistics_tally *
nae_statistic(const struct nae *nae, enum nae_statistic which);
const char *nae_statistic_name(enum nae_statistic which); /* the guide's */

/* Elements that were passed over because the request has none such. */
uint64_t nae_unknown_elements(const struct nae *nae);

/* ---- one connection ---- */

struct nae_conn;

/* How its octets travel. They may be called from within nae_feed, or later. */
struct nae_way {
	/* More of an answer, in order: what is in it may be taken. */
	void (*answer)(void *ctx, struct buf *octets, bool last);
	/* Nothing will be read any more: close when all is sent. */
	void (*finish)(void *ctx);
	/* A request that nae_feed waited for has been answered: go on. */
	void (*ready)(void *ctx);
	void *ctx;
};

/*
 * door  borrowed for as long as it lives
 *
 * ERR_NOT_FOUND  the user whom the certificate names is gone
 */
enum err nae_conn_new(struct nae *nae, const struct key_door *door,
    const struct nae_way *way, struct nae_conn **out) MUST_CHECK;

/*
 * Take of *in, which keeps the rest: all of it, unless a request has to be
 * answered first.
 */
void nae_feed(struct nae_conn *conn, struct bytes *in);

/*
 * How many octets of `in`, at least one, can be fed without any of them having
 * to wait for what comes of those before.
 */
size_t nae_peek(const struct nae_conn *conn, struct bytes in);

/* Is a request under way, which nae_feed waits for? */
bool nae_conn_is_busy(const struct nae_conn *conn);

/* Has a request begun that is not answered, or not come as a whole? */
bool nae_conn_is_inside(const struct nae_conn *conn);

/*
 * The peer has gone, nothing of `way` is called any more. What is under way
 * ends by itself, and the conn with it. Accepts NULL.
 */
void nae_conn_free(struct nae_conn *conn);

#endif

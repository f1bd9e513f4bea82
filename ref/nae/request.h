/*
 * A request under way, and what the handlers of request.def share.
 *
 * A handler works in steps on the loop. A step that has more to wait for says
 * so and names the next one:
 *
 *	nae_later(rq, work, next)  a worker does work(rq->state) first, which
 *	                           may take long
 *	nae_soon(rq, work, next)   likewise, and it takes milliseconds: nobody
 *	                           has to wait until key pairs are made
 *	nae_pause(rq, next)        until somebody calls nae_go_on(rq, rc)
 *
 * and returns what these return. Any other return ends the request, or with
 * data elements to come, the step. The answer's elements go into rq->body with
 * element.h; what fails is forgotten with all that the answer had.
 *
 * Each step of a row with WRITES has a savepoint of its own. Nobody has to wait
 * for the store: an answer that rests on rows not durable yet is kept back.
 */
#ifndef NAE_REQUEST_H
#define NAE_REQUEST_H

#include "base/loop.h"
#include "device/activity.h"
#include "device/key.h"
#include "device/key_server.h"
#include "device/user.h"
#include "model/key_use.h"
#include "nae/element.h"
#include "nae/nae.h"

struct nae_request;

enum nae_need { SESSION_NONE, SESSION_ANY, SESSION_USER, SESSION_ADMIN };
enum nae_gate { GATE_NONE, GATE_CONFIG, GATE_EXPORT };
enum { WRITES = 1 << 0, VALUES = 1 << 1 };

typedef enum err nae_step_fn(struct nae_request *rq);

/*
 * The request has been answered: tell the logs. `line` has all fields but key
 * and detail. It comes after any failure, so that nothing of a handler need be
 * there, and the header neither.
 */
typedef void nae_log_fn(struct nae_request *rq, struct activity *line);

/*
 * Data elements after a header. When the request or one of these fails with
 * what is not fatal, the rest of the data is read and dropped, and then the
 * answer is given; no answer begins before.
 */
struct nae_data {
	/* How many follow, whatever else is wrong with the header. */
	size_t (*elements)(const struct element *root);
	/* One begins: rq->data_number says which, from 0. */
	nae_step_fn *begin;
	/* Octets of it, borrowed until this returns; it cannot wait. */
	enum err (*piece)(struct nae_request *rq, struct bytes octets);
	nae_step_fn *end;
	/* After the last. */
	nae_step_fn *finish;
};

struct nae_field {
	enum element_name what;
	bool needed;
	bool many;
	bool refused;
};

struct nae_row {
	const char *name;
	enum nae_need session;
	enum nae_gate gate;
	enum key_use use;
	enum nae_statistic statistic;
	unsigned flags;
	nae_step_fn *run;
	const struct nae_data *data;
	nae_log_fn *log;
	char mark;
	const struct nae_field *fields; /* EL_UNKNOWN ends them */
};

enum {
	NAE_REQUEST_COUNT = 0
#define STATISTIC(...)
#define ALIAS(...)
#define REQUEST(...) +1
#include "nae/request.def"
#undef STATISTIC
#undef ALIAS
#undef REQUEST
};

/* The rows, for tests and lists: n from 0; NULL behind the last. */
const struct nae_row *nae_row_nth(size_t n);

/* By the name of its element, "KeyGenRequest"; NULL: there is none. */
const struct nae_row *nae_row_named(struct bytes name, bool strict);

enum {
	NAE_DETAIL_OCTETS = 64,
	NAE_CHUNK_OCTETS = 64 << 10, /* the most in a chunk of an answer */
};

/* A chunk of an answer's data, and the few octets between it and the next. */
struct nae_block {
	struct buf octets;
	struct nae_block *next;
};

/* What a request has come to. */
enum nae_phase {
	PHASE_HEADER, /* its header is worked off */
	PHASE_DATA,   /* the next data element, or octets of one, may come */
	PHASE_BEGIN,  /* one has begun */
	PHASE_END,    /* one has ended */
	PHASE_FINISH, /* all have */
	PHASE_DROP,   /* refused; data elements are still to come */
	PHASE_DONE,   /* there is an answer */
};

struct nae_request {
	struct nae *nae;
	const struct nae_config *config;
	struct arena *arena;
	const struct nae_row *row;
	const struct element *root;
	const struct key_door *door;
	struct key_user
	    *user;            /* who asks: the session, or this request alone */
	struct key_call call; /* for device/key.h, the loan included */
	int64_t now_s;
	size_t data_number; /* of the data element that is being read */
	struct buf body;    /* the answer's elements behind Success */

	/* a handler's own; freed also when the peer has gone. Without a
	 * function it lies in the arena. */
	void *state;
	void (*state_free)(void *state);

	/* ---- the rest is nae.c's and answer.c's own ---- */
	struct nae_conn *conn;
	struct session *session;
	struct nae_request *next;
	struct bytes name; /* as sent, without "Request" */
	struct bytes id;
	/* why it is refused */
	enum nae_error refusal;
	char detail[NAE_DETAIL_OCTETS];
	bool counted; /* by nae_count */
	/* steps */
	enum nae_phase phase;
	bool paused;
	nae_step_fn *step;
	void (*work)(void *state);
	size_t data_left; /* data elements to come, this one included */
	/* data of the answer: what is short, then blocks, the last of which is
	 * followed by what is short again; and a chunk that is being filled */
	struct buf data;
	struct nae_block *blocks;
	struct nae_block *last_block;
	struct buf chunk;
	bool has_chunk; /* the present element has one already */
	struct nae_block *mark_block;
	size_t mark_octets;
	/* what it waits for */
	struct key_user own_user;
	struct user_login login;
	struct keystore_loan loan;
	struct store_waiter waiter;
	bool waits;
	enum err lost; /* what became of a group that it wrote to */
};

/* ---- refusing ---- */

/*
 * Refuse the request for a reason of error.def; the caller returns what this
 * returns. A handler that goes on after all says nae_forgive.
 */
enum err nae_refuse(struct nae_request *rq, enum nae_error why) MUST_CHECK;

/* For NAE_MISSING and NAE_VALUE. */
enum err nae_refuse_element(struct nae_request *rq, enum nae_error why,
    enum element_name what) MUST_CHECK;
enum err nae_refuse_named(
    struct nae_request *rq, enum nae_error why, struct bytes name) MUST_CHECK;
void nae_forgive(struct nae_request *rq);

/* What a client is told where a step has failed with rc: by nae_refuse, or by
 * what rc means. */
enum nae_error nae_reason(const struct nae_request *rq, enum err rc);

/* FatalError, ErrorID and ErrorString, appended. */
enum err nae_put_error(const struct nae_request *rq, enum nae_error why,
    struct buf *out) MUST_CHECK;

enum { NAE_ERROR_TEXT_OCTETS = NAE_DETAIL_OCTETS + 64 };

/* ErrorString. detail: of a text that has a place for it */
void nae_error_text(
    enum nae_error why, const char *detail, char out[NAE_ERROR_TEXT_OCTETS]);

/* ---- waiting ---- */

enum err nae_pause(struct nae_request *rq, nae_step_fn *next) MUST_CHECK;

/* From the loop, once for each nae_pause, also when the peer has gone. rc is
 * the step's in place of what it would say; OK: it runs. */
void nae_go_on(struct nae_request *rq, enum err rc);

/* work touches nothing but rq->state. */
enum err nae_later(struct nae_request *rq, void (*work)(void *state),
    nae_step_fn *next) MUST_CHECK;
enum err nae_soon(struct nae_request *rq, void (*work)(void *state),
    nae_step_fn *next) MUST_CHECK;

/* ---- fields ---- */

/* A flag, or a number of digits. Refused with NAE_VALUE. */
enum err
nae_flag(struct nae_request *rq, enum element_name what, bool *out) MUST_CHECK;
enum err nae_number(struct nae_request *rq, enum element_name what,
    uint64_t least, uint64_t most, uint64_t *out) MUST_CHECK;

/* ---- data elements of the answer ---- */

/*
 * Between begin and end: as often as there is something, room for `octets`,
 * at most NAE_CHUNK_OCTETS, and how many were put there. Nothing is copied
 * that is long.
 */
enum err nae_data_begin(struct nae_request *rq) MUST_CHECK;
enum err
nae_data_room(struct nae_request *rq, size_t octets, uint8_t **at) MUST_CHECK;
void nae_data_added(struct nae_request *rq, size_t octets);

/* What the present chunk has room for, or the next one: whoever never asks for
 * more makes all chunks but the last as long as can be. */
size_t nae_data_space(const struct nae_request *rq);
enum err nae_data_end(struct nae_request *rq) MUST_CHECK;

/* The element that was begun last has never been: wiped. */
void nae_data_cancel(struct nae_request *rq);

/* ---- counting ---- */

/* A request of several operations counts each itself, and not as a whole. */
void nae_count(struct nae_request *rq, enum nae_statistic what, bool success);

/* ---- handlers ---- */

#define STATISTIC(...)
#define ALIAS(...)
#define REQUEST(symbol, name, session, gate, use, statistic, flags, run, ...) \
	nae_step_fn run;
#include "nae/request.def"
#undef STATISTIC
#undef ALIAS
#undef REQUEST

extern const struct nae_data nae_crypto_data;

/* ---- lines of the logs ---- */

nae_log_fn nae_log_plain;  /* key */
nae_log_fn nae_log_user;   /* the name that was sent */
nae_log_fn nae_log_made;   /* key, algorithm, size, and marks */
nae_log_fn nae_log_import; /* the same, as it was sent */
nae_log_fn nae_log_size;   /* octets */
nae_log_fn nae_log_crypto; /* for each operation: key and what it is */
nae_log_fn nae_log_event;  /* and a line of the Client Event Log */

#endif

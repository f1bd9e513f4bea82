#include "nae/nae.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "nae/answer.h"
#include "nae/frame.h"
#include "nae/session.h"

enum {
	SPARE_REQUESTS = 64,           /* kept for reuse, arenas and all */
	ANSWER_MAX_OCTETS = 512 << 20, /* each of its bufs */
};

struct nae {
	struct nae_config config;
	struct nae_request *spare;
	unsigned spare_count;
	unsigned busy;
	struct statistics_tally tallies[STAT_COUNT];
	uint64_t unknown_elements;
};

struct nae_conn {
	struct nae *nae;
	struct nae_way way;
	struct session session;
	struct frame frame;
	struct nae_request *rq; /* under way, or NULL */
	bool feeding;           /* further up the stack */
	bool over;              /* nothing is read any more */
	bool gone;              /* the peer is: no more of `way` */
};

/* ---- the tables ---- */

static const struct nae_error_row errors[NAE_ERROR_COUNT] = {
    [NAE_SUCCESS] = {0, false, "Success"},
#define FATAL                           true
#define GOES_ON                         false
#define ERROR(symbol, code, ends, text) [symbol] = {code, ends, text},
#define FROM(...)
#include "nae/error.def"
#undef FROM
#undef ERROR
};

static const uint8_t meanings[ERR_END] = {
#define ERROR(...)
#define FROM(err, symbol) [err] = symbol,
#include "nae/error.def"
#undef FROM
#undef ERROR
};

const struct nae_error_row *
nae_error_row(enum nae_error which)
{
	return &errors[which];
}

const char *
nae_statistic_name(enum nae_statistic which)
{
	static const char *const statistic_names[STAT_COUNT] = {
#define STATISTIC(symbol, name) [symbol] = name,
#define REQUEST(...)
#define ALIAS(...)
#include "nae/request.def"
#undef STATISTIC
#undef REQUEST
#undef ALIAS
	};

	return statistic_names[which];
}

#define STATISTIC(...)
#define ALIAS(...)
#define NEED(element) {element, true, false, false},
#define MAY(element)  {element, false, false, false},
#define MANY(element) {element, false, true, false},
#define NOT(element)  {element, false, false, true},
#define FIELDS(...)   __VA_ARGS__
#define REQUEST(symbol, name, session, gate, use, statistic, flags, run, data, \
    log, mark, fields)                                                         \
	static const struct nae_field fields_##symbol[] = {                    \
	    FIELDS fields{EL_UNKNOWN, false, false, false}};
#include "nae/request.def"
#undef REQUEST

enum request_symbol {
#define REQUEST(symbol, ...) symbol,
#include "nae/request.def"
#undef REQUEST
};

static const struct nae_row rows[NAE_REQUEST_COUNT] = {
#define REQUEST(symbol, name, session, gate, use, statistic, flags, run, data, \
    log, mark, fields)                                                         \
	[symbol] = {name, session, gate, use, statistic, flags, run, data,     \
	    log, mark, fields_##symbol},
#include "nae/request.def"
#undef REQUEST
};
#undef ALIAS

static const struct {
	const char *name;
	const struct nae_row *row;
} aliases[] = {
#define REQUEST(...)
#define ALIAS(name, symbol) {name, &rows[symbol]},
#include "nae/request.def"
#undef REQUEST
#undef ALIAS
#undef STATISTIC
};

const struct nae_row *
nae_row_nth(size_t n)
{
	return n < NAE_REQUEST_COUNT ? &rows[n] : NULL;
}

/* Its name without what all have; none: it is not one. */
static struct bytes
short_name(struct bytes name)
{
	static const char end[] = "Request";
	enum { END = sizeof(end) - 1 };

	if (name.octets <= END ||
	    memcmp(name.at + name.octets - END, end, END) != 0)
		return BYTES_NONE;
	return (struct bytes){name.at, name.octets - END};
}

const struct nae_row *
nae_row_named(struct bytes name, bool strict)
{
	struct bytes wanted = short_name(name);
	size_t k;

	for (k = 0; k < NAE_REQUEST_COUNT; k++) {
		if (bytes_equal_text(wanted, rows[k].name))
			return &rows[k];
	}
	for (k = 0; !strict && k < sizeof(aliases) / sizeof(aliases[0]); k++) {
		if (bytes_equal_text(wanted, aliases[k].name))
			return aliases[k].row;
	}
	return NULL;
}

/* ---- the dispatcher ---- */

static const char *
name_of(size_t row)
{
	return nae_statistic_name((enum nae_statistic)row);
}

enum err
nae_new(const struct nae_config *config, struct nae **out)
{
	struct nae *nae = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(nae));
	nae->config = *config;
	if (nae->config.data_octets == 0)
		nae->config.data_octets = FRAME_DATA_OCTETS;
	TRY(statistics_lend(config->appliance->statistics, PROTOCOL_NAE,
	    nae->tallies, STAT_COUNT, name_of));
	*out = nae;
	nae = NULL;
out:
	mem_free(nae);
	return rc;
}

static void
request_free(struct nae_request *rq)
{
	if (rq == NULL)
		return;
	answer_clear(rq);
	arena_free(rq->arena);
	mem_free(rq);
}

void
nae_free(struct nae *nae)
{
	if (nae == NULL)
		return;
	assert(nae->busy == 0);
	statistics_take_back(nae->config.appliance->statistics, PROTOCOL_NAE);
	while (nae->spare != NULL) {
		struct nae_request *rq = nae->spare;

		nae->spare = rq->next;
		request_free(rq);
	}
	mem_free(nae);
}

unsigned
nae_busy(const struct nae *nae)
{
	return nae->busy;
}

const struct statistics_tally *
nae_statistic(const struct nae *nae, enum nae_statistic which)
{
	return &nae->tallies[which];
}

uint64_t
nae_unknown_elements(const struct nae *nae)
{
	return nae->unknown_elements;
}

static void
count(struct nae *nae, enum nae_statistic what, bool success)
{
	if (success)
		nae->tallies[what].successful++;
	else
		nae->tallies[what].failed++;
}

void
nae_count(struct nae_request *rq, enum nae_statistic what, bool success)
{
	rq->counted = true;
	count(rq->nae, what, success);
}

/* ---- a request's memory ---- */

static enum err
request_new(struct nae_conn *conn, struct nae_request **out)
{
	struct nae *nae = conn->nae;
	struct nae_request *rq = nae->spare;
	enum err rc = OK;

	*out = NULL;
	if (rq != NULL) {
		nae->spare = rq->next;
		nae->spare_count--;
	} else {
		TRY(MEM_NEW(rq));
		buf_init(&rq->body, ANSWER_MAX_OCTETS);
		buf_init(&rq->data, ANSWER_MAX_OCTETS);
		buf_init(&rq->chunk, ANSWER_CHUNK_OCTETS);
		TRY(arena_new(NAE_ARENA_CAP_OCTETS, &rq->arena));
	}
	rq->next = NULL;
	rq->nae = nae;
	rq->config = &nae->config;
	rq->conn = conn;
	rq->session = &conn->session;
	rq->door = conn->session.door;
	rq->user = &conn->session.user;
	rq->now_s = env_wall_s(nae->config.appliance->env);
	key_call_init(&rq->call, nae->config.appliance, rq->arena);
	rq->call.keystore = nae->config.keystore;
	nae->busy++;
	*out = rq;
	rq = NULL;
out:
	request_free(rq);
	return rc;
}

static void
request_done(struct nae_request *rq)
{
	struct nae_request clean = {.arena = rq->arena};
	struct nae *nae = rq->nae;

	assert(!rq->paused && !rq->waits);
	if (rq->state_free != NULL)
		rq->state_free(rq->state);
	keystore_loan_end(&rq->loan);
	key_user_clear(&rq->own_user);
	answer_forget(rq);
	arena_reset(rq->arena);
	clean.body = rq->body;
	clean.data = rq->data;
	clean.chunk = rq->chunk;
	*rq = clean;
	nae->busy--;
	if (nae->spare_count == SPARE_REQUESTS) {
		request_free(rq);
		return;
	}
	rq->next = nae->spare;
	nae->spare = rq;
	nae->spare_count++;
}

/* ---- refusing ---- */

enum err
nae_refuse(struct nae_request *rq, enum nae_error why)
{
	rq->refusal = why;
	rq->detail[0] = '\0';
	return ERR_FIELD;
}

enum err
nae_refuse_named(struct nae_request *rq, enum nae_error why, struct bytes name)
{
	rq->refusal = why;
	(void)snprintf(rq->detail, sizeof(rq->detail), "%.*s",
	    (int)(name.octets < NAE_DETAIL_OCTETS ? name.octets
						  : NAE_DETAIL_OCTETS - 1),
	    (const char *)name.at);
	return ERR_FIELD;
}

enum err
nae_refuse_element(
    struct nae_request *rq, enum nae_error why, enum element_name what)
{
	return nae_refuse_named(rq, why, bytes_of_text(element_word(what)));
}

void
nae_forgive(struct nae_request *rq)
{
	rq->refusal = NAE_SUCCESS;
	rq->detail[0] = '\0';
}

enum nae_error
nae_reason(const struct nae_request *rq, enum err rc)
{
	if (rq->refusal != NAE_SUCCESS)
		return rq->refusal;
	return meanings[rc] != NAE_SUCCESS ? (enum nae_error)meanings[rc]
					   : NAE_INTERNAL;
}

/* ---- fields ---- */

enum err
nae_flag(struct nae_request *rq, enum element_name what, bool *out)
{
	if (element_flag(rq->root, what, out) != OK)
		return nae_refuse_element(rq, NAE_VALUE, what);
	return OK;
}

enum err
nae_number(struct nae_request *rq, enum element_name what, uint64_t least,
    uint64_t most, uint64_t *out)
{
	const struct element *e = element_find(rq->root, what);

	if (e == NULL)
		return nae_refuse_element(rq, NAE_MISSING, what);
	if (element_number(e, most, out) != OK || *out < least)
		return nae_refuse_element(rq, NAE_VALUE, what);
	return OK;
}

/* Those that most requests have beside their own. */
static bool
is_common(const struct nae_row *row, enum element_name what)
{
	if (what == EL_ID || what == EL_MESSAGE_VERSION)
		return true;
	return row->session == SESSION_ANY &&
	       (what == EL_USER || what == EL_PASSWD);
}

/* Common fields are counted before those of the row. */
enum { COMMON_FIELDS = 4 };

static int
common_place(enum element_name what)
{
	return what == EL_ID                ? 0
	       : what == EL_MESSAGE_VERSION ? 1
	       : what == EL_USER            ? 2
					    : 3;
}

/* The place of a field, -1 for none; *field where it is the row's own. */
static int
field_place(const struct nae_row *row, enum element_name what,
    const struct nae_field **field)
{
	int k;

	*field = NULL;
	if (what == EL_UNKNOWN)
		return -1;
	if (is_common(row, what))
		return common_place(what);
	for (k = 0; row->fields[k].what != EL_UNKNOWN; k++) {
		if (row->fields[k].what == what) {
			*field = &row->fields[k];
			return COMMON_FIELDS + k;
		}
	}
	return -1;
}

static enum err
check_field(struct nae_request *rq, const struct element *child, uint64_t *seen)
{
	const struct nae_field *field;
	int place = field_place(rq->row, child->what, &field);
	bool again;

	if (place < 0) {
		rq->nae->unknown_elements++;
		return rq->config->strict
			   ? nae_refuse_named(rq, NAE_VALUE, child->name)
			   : OK;
	}
	assert(place < 64);
	again = (*seen & UINT64_C(1) << place) != 0;
	*seen |= UINT64_C(1) << place;
	if ((again && (field == NULL || !field->many)) ||
	    (field != NULL && field->refused))
		return nae_refuse_element(rq, NAE_VALUE, child->what);
	return OK;
}

static enum err
check_fields(struct nae_request *rq)
{
	const struct nae_row *row = rq->row;
	uint64_t seen = 0;
	int k;
	enum err rc = OK;

	ELEMENT_EACH (rq->root, child)
		TRY(check_field(rq, child, &seen));
	for (k = 0; row->fields[k].what != EL_UNKNOWN; k++) {
		if (row->fields[k].needed &&
		    (seen & UINT64_C(1) << (COMMON_FIELDS + k)) == 0)
			TRY(nae_refuse_element(
			    rq, NAE_MISSING, row->fields[k].what));
	}
out:
	return rc;
}

/* ---- steps ---- */

static void settle(struct nae_request *rq, enum err rc);

enum err
nae_pause(struct nae_request *rq, nae_step_fn *next)
{
	assert(!rq->paused);
	rq->paused = true;
	rq->step = next;
	return OK;
}

static void
committed(struct store_waiter *waiter, enum err rc)
{
	struct nae_request *rq = waiter->ctx;

	rq->waits = false;
	if (rc != OK)
		rq->lost = rc;
	if (rq->phase == PHASE_DONE)
		settle(rq, OK);
}

/* What was read or written since store_request may not be durable yet. */
static void
wait_for_store(struct nae_request *rq)
{
	struct store *st = rq->config->appliance->store;

	if (!store_must_wait(st) || rq->waits)
		return;
	rq->waits = true;
	rq->waiter = (struct store_waiter){.done = committed, .ctx = rq};
	store_wait(st, &rq->waiter);
}

/* One step, all of it or nothing. */
static enum err
run_step(struct nae_request *rq, nae_step_fn *step)
{
	struct store *st = rq->config->appliance->store;
	bool writes = rq->row != NULL && (rq->row->flags & WRITES) != 0;
	bool saved = false;
	enum err rc = OK;

	store_request(st);
	if (writes) {
		TRY(store_savepoint(st));
		saved = true;
	}
	TRY(step(rq));
out:
	if (saved)
		rc = store_savepoint_end(st, rc);
	wait_for_store(rq);
	return rc;
}

void
nae_go_on(struct nae_request *rq, enum err rc)
{
	nae_step_fn *step = rq->step;

	assert(rq->paused);
	rq->paused = false;
	rq->step = NULL;
	if (rq->conn->gone)
		rc = ERR_CLOSED;
	if (rc == OK)
		rc = run_step(rq, step);
	settle(rq, rc);
}

static void
work(void *ctx)
{
	struct nae_request *rq = ctx;

	rq->work(rq->state);
}

static void
worked(void *ctx, enum err rc)
{
	nae_go_on(ctx, rc);
}

static enum err
submit(struct nae_request *rq, struct loop_pool *pool,
    void (*slow)(void *state), nae_step_fn *next)
{
	enum err rc = OK;

	rq->work = slow;
	TRY(loop_submit(pool, work, worked, rq));
	TRY(nae_pause(rq, next));
out:
	return rc;
}

enum err
nae_later(struct nae_request *rq, void (*slow)(void *state), nae_step_fn *next)
{
	return submit(rq, rq->config->workers, slow, next);
}

enum err
nae_soon(struct nae_request *rq, void (*slow)(void *state), nae_step_fn *next)
{
	return submit(rq, rq->config->signers, slow, next);
}

/* ---- letting a request in ---- */

/* The master key, where the HSM has to be asked for it. */
static void
lent(struct keystore_loan *loan)
{
	struct nae_request *rq = loan->ctx;

	rq->call.loan = loan;
	nae_go_on(rq, OK);
}

static enum err
borrow(struct nae_request *rq, nae_step_fn *next)
{
	enum err rc = OK;

	if ((rq->row->flags & VALUES) == 0 ||
	    !keystore_lends(rq->config->keystore))
		return next(rq);
	rq->loan = (struct keystore_loan){.done = lent, .ctx = rq};
	TRY(keystore_lend(
	    rq->config->keystore, rq->config->hsm_pool, &rq->loan));
	TRY(nae_pause(rq, next));
out:
	return rc;
}

static void
loan_end(struct nae_request *rq)
{
	keystore_loan_end(&rq->loan);
	memset(&rq->loan, 0, sizeof(rq->loan));
	rq->call.loan = NULL;
}

/* Who asks is known: may they, and is all there? */
static enum err
admitted(struct nae_request *rq)
{
	enum err rc = OK;

	TRY(session_permits(rq));
	TRY(check_fields(rq));
	/* each data element borrows for itself */
	if (rq->row->data != NULL)
		return rq->row->run(rq);
	return borrow(rq, rq->row->run);
out:
	return rc;
}

static enum err
read_id(struct nae_request *rq)
{
	struct bytes id = element_text(rq->root, EL_ID);

	if (id.octets > NAE_ID_OCTETS)
		return nae_refuse_element(rq, NAE_VALUE, EL_ID);
	rq->id = id;
	return OK;
}

static enum err
admit(struct nae_request *rq)
{
	bool logs_in;
	enum err rc = OK;

	TRY(session_admit(rq, &logs_in));
	if (rq->row == NULL)
		return nae_refuse(rq, NAE_UNKNOWN);
	if (logs_in)
		return session_login(rq, admitted);
	return admitted(rq);
out:
	return rc;
}

/* ---- the end of a request ---- */

static void
conn_free(struct nae_conn *conn)
{
	frame_clear(&conn->frame);
	session_clear(&conn->session);
	mem_free(conn);
}

static void
give(struct nae_conn *conn, struct buf *octets, bool last)
{
	if (!conn->gone && octets->octets != 0)
		conn->way.answer(conn->way.ctx, octets, last);
}

static void
finish(struct nae_conn *conn)
{
	conn->over = true;
	if (!conn->gone)
		conn->way.finish(conn->way.ctx);
}

/* Its name as it came, even if there is no such request. req: KS-21-030 */
static struct bytes
type_of(const struct nae_request *rq)
{
	struct bytes type;

	if (rq->root == NULL)
		return BYTES_NONE;
	type = short_name(rq->root->name);
	return type.octets != 0 ? type : rq->root->name;
}

/* req: KS-20-002 KS-21-015 KS-21-017 KS-21-033 KS-21-034 */
static void
log_request(struct nae_request *rq)
{
	char text[NAE_ERROR_TEXT_OCTETS];
	struct activity line = {
	    .door = rq->door,
	    .user = bytes_of_text(rq->user->name),
	    .id = rq->id,
	    .type = type_of(rq),
	    .failed = rq->refusal != NAE_SUCCESS,
	};

	if (line.failed) {
		nae_error_text(rq->refusal, rq->detail, text);
		line.code = nae_error_row(rq->refusal)->code;
		line.message = bytes_of_text(text);
	}
	if (rq->row != NULL)
		rq->row->log(rq, &line);
	else
		activity_add(rq->config->appliance, &line);
}

/* All that was said is durable, or it is taken back. */
static void
send(struct nae_request *rq)
{
	struct nae_conn *conn = rq->conn;
	struct nae_block *block;
	bool fatal = nae_error_row(rq->refusal)->fatal;

	if (rq->lost != OK) {
		rq->refusal = NAE_SUCCESS;
		rq->refusal = nae_reason(rq, rq->lost);
		fatal = nae_error_row(rq->refusal)->fatal;
		if (answer_refuse(rq, rq->refusal) != OK) {
			answer_forget(rq);
			fatal = true;
		}
	}
	if (rq->row != NULL) {
		bool success = rq->refusal == NAE_SUCCESS;

		count(conn->nae, STAT_TOTAL, success);
		if (!rq->counted && rq->row->statistic != STAT_TOTAL)
			count(conn->nae, rq->row->statistic, success);
	}
	log_request(rq);
	/* without memory for an answer nothing can be promised */
	fatal = fatal || rq->body.octets == 0;
	give(conn, &rq->body, rq->blocks == NULL);
	for (block = rq->blocks; block != NULL; block = block->next)
		give(conn, &block->octets, block->next == NULL);
	conn->rq = NULL;
	request_done(rq);
	if (fatal)
		finish(conn);
}

static void
log_refusal(const struct nae_request *rq, enum err rc)
{
	log_line("nae", LOG_DEBUG, "%s refused: %u %s %s",
	    rq->row != NULL ? rq->row->name : "unknown",
	    nae_error_row(rq->refusal)->code, err_name(rc), rq->detail);
}

/* An answer is due: it went well. */
static enum err
conclude(struct nae_request *rq)
{
	enum err rc = OK;

	TRY(answer_end(rq));
	rq->phase = PHASE_DONE;
out:
	return rc;
}

/* ... or it did not, unless its data is to be waited for. */
static void
fail(struct nae_request *rq, enum err rc)
{
	rq->refusal = nae_reason(rq, rc);
	log_refusal(rq, rc);
	/* the element that failed at its end is not to come any more */
	if (rq->phase == PHASE_END)
		rq->data_left--;
	if (rq->data_left != 0 && !rq->conn->gone &&
	    !nae_error_row(rq->refusal)->fatal) {
		rq->phase = PHASE_DROP;
		return;
	}
	rq->phase = PHASE_DONE;
	if (answer_refuse(rq, rq->refusal) != OK)
		answer_forget(rq);
}

/* A step went well, and nothing is waited for. */
static enum err
advance(struct nae_request *rq)
{
	const struct nae_data *data = rq->row->data;

	switch (rq->phase) {
	case PHASE_BEGIN:
		rq->phase = PHASE_DATA;
		return OK;
	case PHASE_END:
		loan_end(rq);
		rq->data_number++;
		rq->data_left--;
		break;
	case PHASE_HEADER:
		break;
	case PHASE_FINISH:
		return conclude(rq);
	case PHASE_DATA:
	case PHASE_DROP:
	case PHASE_DONE:
		return OK;
	}
	if (data == NULL)
		return conclude(rq);
	rq->phase = rq->data_left != 0 ? PHASE_DATA : PHASE_FINISH;
	return rq->phase == PHASE_FINISH ? run_step(rq, data->finish) : OK;
}

/*
 * A step has ended with rc, or waits: go on until somebody else is to be waited
 * for. The request, and a conn whose peer has gone, may be no more afterwards.
 */
static void
settle(struct nae_request *rq, enum err rc)
{
	struct nae_conn *conn = rq->conn;

	while (rc == OK && !rq->paused && rq->phase != PHASE_DATA &&
	       rq->phase != PHASE_DROP && rq->phase != PHASE_DONE)
		rc = advance(rq);
	if (rc != OK)
		fail(rq, rc);
	if (rq->phase == PHASE_DONE && !rq->waits)
		send(rq);
	if (conn->gone && conn->rq == NULL)
		conn_free(conn);
	else if (!conn->feeding && !conn->gone && !nae_conn_is_busy(conn))
		conn->way.ready(conn->way.ctx);
}

/* ---- octets ---- */

static enum err
header_read(struct nae_request *rq, struct bytes octets, size_t elements)
{
	bool strict = rq->config->strict;
	enum err rc = OK;

	TRY(arena_copy(rq->arena, octets, &octets));
	rc = element_read(rq->arena, octets, elements, &rq->root);
	if (rc == ERR_LIMIT)
		rc = nae_refuse(rq, NAE_TOO_LARGE);
	TRY(rc);
	rq->row = nae_row_named(rq->root->name, strict);
	if (rq->row != NULL)
		rq->name = short_name(rq->root->name);
	if (rq->row != NULL && rq->row->data != NULL)
		rq->data_left = rq->row->data->elements(rq->root);
	TRY(read_id(rq));
	TRY(answer_begin(rq));
out:
	return rc;
}

static void
take_header(struct nae_conn *conn, struct bytes octets)
{
	enum err rc = OK;

	if (request_new(conn, &conn->rq) != OK) {
		finish(conn);
		return;
	}
	TRY(header_read(conn->rq, octets, frame_elements(&conn->frame)));
	TRY(run_step(conn->rq, admit));
out:
	settle(conn->rq, rc);
}

static enum err
data_begin(struct nae_request *rq)
{
	return borrow(rq, rq->row->data->begin);
}

static void
take_data(struct nae_conn *conn, enum frame_part part, struct bytes octets)
{
	struct nae_request *rq = conn->rq;
	enum err rc = OK;

	if (rq->phase == PHASE_DROP) {
		if (part != FRAME_END || --rq->data_left != 0)
			return;
		rc = ERR_FIELD; /* for the reason that it was dropped for */
	} else if (part == FRAME_PIECE) {
		store_request(rq->config->appliance->store);
		rc = rq->row->data->piece(rq, octets);
		wait_for_store(rq);
	} else if (part == FRAME_DATA) {
		rq->phase = PHASE_BEGIN;
		rc = run_step(rq, data_begin);
	} else {
		rq->phase = PHASE_END;
		rc = run_step(rq, rq->row->data->end);
	}
	settle(rq, rc);
}

/* What has come is none of the protocol: an answer, and the end. */
static void
take_nonsense(struct nae_conn *conn, enum nae_error why)
{
	if (conn->rq == NULL && request_new(conn, &conn->rq) != OK) {
		finish(conn);
		return;
	}
	settle(conn->rq, nae_refuse(conn->rq, why));
}

static enum nae_error
frame_error(enum err rc)
{
	if (rc == ERR_MESSAGE)
		return NAE_MALFORMED;
	if (rc == ERR_LIMIT)
		return NAE_TOO_LARGE;
	return rc == ERR_VALUE ? NAE_DATA : NAE_INTERNAL;
}

static void
take(struct nae_conn *conn, enum frame_part part, struct bytes octets)
{
	/* a request's data comes next, or a request */
	if ((part == FRAME_HEADER) == (conn->rq != NULL))
		take_nonsense(conn, NAE_DATA);
	else if (part == FRAME_HEADER)
		take_header(conn, octets);
	else
		take_data(conn, part, octets);
}

enum err
nae_conn_new(struct nae *nae, const struct key_door *door,
    const struct nae_way *way, struct nae_conn **out)
{
	struct nae_conn *conn = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(conn));
	conn->nae = nae;
	conn->way = *way;
	frame_init(&conn->frame, nae->config.data_octets);
	TRY(session_open(&conn->session, nae->config.appliance, door));
	*out = conn;
	conn = NULL;
out:
	if (conn != NULL)
		conn_free(conn);
	return rc;
}

bool
nae_conn_is_busy(const struct nae_conn *conn)
{
	return conn->rq != NULL &&
	       (conn->rq->paused || conn->rq->phase == PHASE_DONE);
}

size_t
nae_peek(const struct nae_conn *conn, struct bytes in)
{
	return frame_peek(&conn->frame, in);
}

bool
nae_conn_is_inside(const struct nae_conn *conn)
{
	return !conn->over &&
	       (conn->rq != NULL || !frame_is_idle(&conn->frame));
}

void
nae_feed(struct nae_conn *conn, struct bytes *in)
{
	enum frame_part part = FRAME_HEADER;
	struct bytes octets;
	enum err rc = OK;

	conn->feeding = true;
	while (part != FRAME_MORE && !conn->over && !nae_conn_is_busy(conn)) {
		rc = frame_next(&conn->frame, in, &part, &octets);
		if (rc != OK)
			take_nonsense(conn, frame_error(rc));
		else if (part != FRAME_MORE)
			take(conn, part, octets);
	}
	conn->feeding = false;
	/* what comes after the end means nothing */
	if (conn->over)
		*in = BYTES_NONE;
}

void
nae_conn_free(struct nae_conn *conn)
{
	if (conn == NULL)
		return;
	conn->gone = true;
	if (conn->rq != NULL && !nae_conn_is_busy(conn))
		settle(conn->rq, ERR_CLOSED);
	else if (conn->rq == NULL)
		conn_free(conn);
}

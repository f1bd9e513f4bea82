#include "net/nae_port.h"

#include "base/mem.h"
#include "nae/nae.h"
#include "net/key_gate.h"

enum {
	/* of a message at a time; data elements come in many */
	PIECE_OCTETS = 16 << 10,
	/* an answer so short is copied into what the connection sends */
	SHORT_OCTETS = 16 << 10,
};

struct visit {
	struct key_guest guest; /* the first member */
	struct conn *conn;
	struct nae_conn *nae;
	uint64_t number; /* of the present message */
	bool within;     /* message() is further up the stack */
	bool answered;   /* the present message is */
};

static void
answer(void *ctx, struct buf *octets, bool last)
{
	struct visit *v = ctx;

	/* the conn outlives this only within message() */
	if (last && v->within && octets->octets <= SHORT_OCTETS) {
		conn_answer(v->conn, v->number, buf_peek(octets));
		v->answered = true;
	} else
		conn_answer_part(v->conn, v->number, octets);
}

static void
finish(void *ctx)
{
	struct visit *v = ctx;

	conn_finish(v->conn);
}

/* The message has been worked off, unless it waits. The conn may go with it. */
static void
proceed(struct visit *v)
{
	if (nae_conn_is_busy(v->nae) || v->answered)
		return;
	if (nae_conn_is_inside(v->nae))
		conn_more(v->conn, v->number);
	else
		conn_answer(v->conn, v->number, BYTES_NONE);
}

static void
ready(void *ctx)
{
	struct visit *v = ctx;
	struct bytes none = BYTES_NONE;

	/* the end of an empty data element has no octets of its own */
	nae_feed(v->nae, &none);
	proceed(v);
}

static enum err
frame(void *state, struct bytes in, size_t *octets)
{
	const struct visit *v = state;

	if (in.octets > PIECE_OCTETS)
		in.octets = PIECE_OCTETS;
	*octets = nae_peek(v->nae, in);
	return OK;
}

static void
closed(void *ctx, void *state)
{
	struct visit *v = state;

	(void)ctx;
	nae_conn_free(v->nae);
	key_guest_clear(&v->guest);
	mem_free(v);
}

static enum err
opened(void *ctx, struct conn *conn, void **state)
{
	const struct key_gate *gate = ctx;
	struct nae_way way = {
	    .answer = answer, .finish = finish, .ready = ready};
	struct visit *v = NULL;
	enum err rc = OK;

	*state = NULL;
	TRY(MEM_NEW(v));
	v->conn = conn;
	way.ctx = v;
	TRY(key_gate_enter(gate, conn, &v->guest));
	TRY(nae_conn_new(gate->engine, &v->guest.door, &way, &v->nae));
	*state = v;
	v = NULL;
out:
	if (v != NULL)
		closed(ctx, v);
	return rc;
}

static void
message(void *ctx, void *state, struct conn *conn, uint64_t number,
    struct bytes octets)
{
	struct visit *v = state;

	(void)ctx;
	(void)conn;
	v->number = number;
	v->answered = false;
	v->within = true;
	nae_feed(v->nae, &octets);
	v->within = false;
	proceed(v);
}

/* req: KS-01-004 */
const struct protocol nae_protocol = {
    .name = "nae",
    .one_by_one = true,
    .expects = key_gate_expects,
    .frame = frame,
    .opened = opened,
    .message = message,
    .closed = closed,
};

#include "rpc/hold.h"

#include <string.h>

#include "base/mem.h"
#include "rpc/mechanism.h"
#include "rpc/wire.h"

enum {
	SHAPE_OCTETS_MAX = 128,
	BUCKETS = 64, /* a power of two */
};

/* A function, a key, and the shape of a mechanism. */
struct shape {
	uint8_t at[SHAPE_OCTETS_MAX];
	size_t octets; /* 0: none */
};

struct session {
	CK_SESSION_HANDLE handle;
	struct shape proofs[HOLD_PROOFS_MAX];
	unsigned oldest;   /* of the proofs: the next to be overwritten */
	struct shape open; /* of an Init that was sent, and is not done yet */
	bool holding;
	enum call_id held_call;
	struct shape held_shape;
	struct buf held; /* as a call */
	CK_RV lost;      /* what an Init that was held answered; CKR_OK: none */
	struct session *next;
};

struct hold {
	struct session *sessions[BUCKETS];
	unsigned session_count;
	unsigned holding;   /* sessions that hold something */
	struct buf scratch; /* for a shape */
};

/* ---- sessions ---- */

enum err
hold_new(struct hold **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	buf_init(&(*out)->scratch, SHAPE_OCTETS_MAX);
out:
	return rc;
}

static struct session **
bucket(struct hold *hold, CK_SESSION_HANDLE handle)
{
	return &hold->sessions[(handle ^ handle >> 6) & (BUCKETS - 1)];
}

static struct session *
session_find(struct hold *hold, CK_SESSION_HANDLE handle)
{
	struct session *s = *bucket(hold, handle);

	while (s != NULL && s->handle != handle)
		s = s->next;
	return s;
}

/* NULL: no memory, or too many of them; then nothing of it is held. */
static struct session *
session_get(struct hold *hold, CK_SESSION_HANDLE handle)
{
	struct session *s = session_find(hold, handle);
	struct session **at = bucket(hold, handle);

	if (s != NULL)
		return s;
	if (hold->session_count == HOLD_SESSIONS_MAX || MEM_NEW(s) != OK)
		return NULL;
	s->handle = handle;
	buf_init(&s->held, RPC_FRAME_OCTETS_MAX);
	s->next = *at;
	*at = s;
	hold->session_count++;
	return s;
}

/* Nothing is proven any more. */
static void
session_doubt(struct session *s)
{
	size_t k;

	for (k = 0; k < HOLD_PROOFS_MAX; k++)
		s->proofs[k].octets = 0;
	s->open.octets = 0;
}

static void
session_free(struct hold *hold, struct session *s)
{
	if (s->holding)
		hold->holding--;
	buf_clear(&s->held);
	mem_free(s);
	hold->session_count--;
}

static void
session_drop(struct hold *hold, CK_SESSION_HANDLE handle)
{
	struct session **at = bucket(hold, handle);
	struct session *s;

	while (*at != NULL && (*at)->handle != handle)
		at = &(*at)->next;
	s = *at;
	if (s == NULL)
		return;
	*at = s->next;
	session_free(hold, s);
}

/* All of them, or all that hold nothing. */
static void
drop_all(struct hold *hold, bool idle)
{
	struct session **at;
	size_t k;

	for (k = 0; k < BUCKETS; k++) {
		for (at = &hold->sessions[k]; *at != NULL;) {
			struct session *s = *at;

			if (idle && s->holding) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			session_free(hold, s);
		}
	}
}

static void
doubt_all(struct hold *hold)
{
	struct session *s;
	size_t k;

	for (k = 0; k < BUCKETS; k++) {
		for (s = hold->sessions[k]; s != NULL; s = s->next)
			session_doubt(s);
	}
}

void
hold_free(struct hold *hold)
{
	if (hold == NULL)
		return;
	drop_all(hold, false);
	buf_clear(&hold->scratch);
	mem_free(hold);
}

/* ---- shapes ---- */

/* An Init has a session, a mechanism, and most have a key. */
static bool
shape_of(struct hold *hold, enum call_id call, const union call_args *args,
    struct shape *shape)
{
	const enum call_kind *kinds = calls[call].kinds;
	struct buf *b = &hold->scratch;
	enum err rc = OK;
	size_t k;

	buf_reset(b);
	shape->octets = 0;
	TRY(item_put_octet(b, (uint8_t)call));
	for (k = 0; kinds[k] != CALL_END; k++) {
		if (kinds[k] == CALL_MECHANISM)
			TRY(mechanism_write(args->arg[k].at, false, b));
		else
			TRY(item_put_number(b, args->arg[k].number));
	}
	memcpy(shape->at, b->at, b->octets);
	shape->octets = b->octets;
out:
	return rc == OK;
}

static bool
shape_equal(const struct shape *a, const struct shape *b)
{
	return a->octets == b->octets && memcmp(a->at, b->at, a->octets) == 0;
}

static bool
is_proven(const struct session *s, const struct shape *shape)
{
	size_t k;

	for (k = 0; k < HOLD_PROOFS_MAX; k++) {
		if (shape_equal(&s->proofs[k], shape))
			return true;
	}
	return false;
}

static void
prove(struct session *s, const struct shape *shape)
{
	if (is_proven(s, shape))
		return;
	s->proofs[s->oldest] = *shape;
	s->oldest = (s->oldest + 1) % HOLD_PROOFS_MAX;
}

/* The function that an open Init waits for. */
static bool
is_done_by(const struct shape *open, enum call_id call)
{
	return open->octets != 0 && open->at[0] + 1 == (int)call;
}

/* ---- before ---- */

/* What is held goes, into a frame. */
static enum err
let_go(struct hold *hold, struct session *s, struct buf *frame)
{
	enum err rc;

	s->holding = false;
	hold->holding--;
	rc = buf_put(frame, buf_peek(&s->held));
	if (rc != OK)
		s->lost = CKR_HOST_MEMORY;
	return rc;
}

static enum err
before_init(struct hold *hold, enum call_id call, const union call_args *args,
    struct session *s, enum hold_step *step)
{
	struct shape shape;
	enum err rc = OK;

	if (!shape_of(hold, call, args, &shape)) {
		session_doubt(s);
		goto out;
	}
	if (s->open.octets != 0 || !is_proven(s, &shape)) {
		/* one that is still open will not like it */
		if (s->open.octets != 0)
			session_doubt(s);
		s->open = shape;
		goto out;
	}
	buf_reset(&s->held);
	TRY(wire_call_write(call, args, &s->held));
	s->held_call = call;
	s->held_shape = shape;
	s->holding = true;
	hold->holding++;
	*step = HOLD_KEEP;
out:
	return rc;
}

enum err
hold_before(struct hold *hold, enum call_id call, const union call_args *args,
    struct buf *frame, bool *before, enum hold_step *step)
{
	enum call_effect effect = calls[call].effect;
	CK_SESSION_HANDLE handle = args->arg[0].number;
	struct session *s;
	enum err rc = OK;

	*before = false;
	*step = HOLD_SEND;
	if (effect == CALL_QUIET)
		return OK;
	if (effect == CALL_WIDE) {
		doubt_all(hold);
		return OK;
	}
	s = effect == CALL_INIT ? session_get(hold, handle)
				: session_find(hold, handle);
	if (s == NULL)
		return OK;
	if (s->holding) {
		*before = true;
		TRY(let_go(hold, s, frame));
		if (effect == CALL_ONE_SHOT && s->held_call + 1 == call) {
			s->open = s->held_shape;
			goto out;
		}
		session_doubt(s);
	} else if (effect == CALL_INIT) {
		s->lost = CKR_OK;
		TRY(before_init(hold, call, args, s, step));
	} else if (effect == CALL_LOCAL || !is_done_by(&s->open, call)) {
		session_doubt(s);
	}
out:
	return rc;
}

enum err
hold_take(struct hold *hold, struct buf *frame, CK_SESSION_HANDLE *session,
    bool *taken)
{
	struct session *s;
	size_t k;

	*taken = false;
	for (k = 0; k < BUCKETS && hold->holding != 0; k++) {
		for (s = hold->sessions[k]; s != NULL; s = s->next) {
			if (!s->holding)
				continue;
			*session = s->handle;
			*taken = true;
			return let_go(hold, s, frame);
		}
	}
	return OK;
}

/* ---- after ---- */

void
hold_gone(struct hold *hold, CK_SESSION_HANDLE session, CK_RV rv)
{
	struct session *s = session_find(hold, session);

	if (s != NULL)
		s->lost = rv;
}

/* Did it do what was begun, so that nothing of it is left? */
static bool
ended_well(enum call_id call, const union call_args *args, CK_RV rv)
{
	const enum call_kind *kinds = calls[call].kinds;
	size_t k;

	for (k = 0; kinds[k] != CALL_END; k++) {
		if (kinds[k] == CALL_OCTETS_OUT && args->arg[k].at == NULL)
			return false; /* it asked for the length */
	}
	return rv == CKR_OK;
}

CK_RV
hold_after(
    struct hold *hold, enum call_id call, const union call_args *args, CK_RV rv)
{
	CK_SESSION_HANDLE handle = args->arg[0].number;
	struct session *s;

	switch (calls[call].effect) {
	case CALL_QUIET:
		return rv;
	case CALL_WIDE:
		doubt_all(hold);
		if (call == CALL_C_CloseSession && rv == CKR_OK)
			session_drop(hold, handle);
		if (calls[call].kinds[0] != CALL_SESSION)
			drop_all(hold, true); /* of a slot, or all of them */
		return rv;
	case CALL_INIT:
	case CALL_LOCAL:
	case CALL_ONE_SHOT:
		break;
	}
	s = session_find(hold, handle);
	if (s == NULL)
		return rv;
	if (calls[call].effect == CALL_INIT) {
		if (rv != CKR_OK)
			session_doubt(s);
		else
			s->lost = CKR_OK;
		return rv;
	}
	if (calls[call].effect == CALL_ONE_SHOT && ended_well(call, args, rv)) {
		if (is_done_by(&s->open, call))
			prove(s, &s->open);
		s->open.octets = 0;
	} else {
		session_doubt(s);
	}
	if (rv == CKR_OPERATION_NOT_INITIALIZED && s->lost != CKR_OK)
		rv = s->lost;
	s->lost = CKR_OK;
	return rv;
}

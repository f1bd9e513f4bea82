/*
 * Which C_...Init the module holds back, to send it together with the call
 * that does the work.
 *
 * C_DecryptInit and C_Decrypt are two calls and could cost two round trips. An
 * Init that went well before is answered CKR_OK here and now, and goes in the
 * same frame as the C_Decrypt after it. That must not be seen in any answer:
 *
 * - It is held only where it is proven: in this session the same function has
 *   succeeded with the same key, type of mechanism and parameter (but for the
 *   contents of vectors, additional data and the like; their lengths count),
 *   and was done and ended by the one-shot call after it.
 * - A proof holds as long as nothing came that could change the answer: any
 *   call that touches the session's operations ends the session's proofs, any
 *   that touches rights, objects or sessions ends the application's
 *   (call.def's CALL_LOCAL and CALL_WIDE), and so does any one-shot call that
 *   did not end well, or only asked for a length.
 * - What is held goes before any such call, and in the same order; calls that
 *   change nothing (CALL_QUIET) pass it by.
 * - If it then fails after all, somebody else changed something: another
 *   application destroyed the key, or the card lost its power or its
 *   activation. Then the operation is not there, as if that had come between
 *   the two calls, which nobody could tell apart; and the call that misses the
 *   operation is answered with what Init would have said, and not with
 *   CKR_OPERATION_NOT_INITIALIZED.
 *
 * Not thread-safe: under the application's lock.
 */
#ifndef RPC_HOLD_H
#define RPC_HOLD_H

#include "base/buf.h"
#include "token/call.h"

struct hold; /* of one application */

enum {
	HOLD_PROOFS_MAX = 8,      /* of one session; the oldest one goes */
	HOLD_SESSIONS_MAX = 1024, /* that anything is known of */
};

/* ERR_NOMEM */
enum err hold_new(struct hold **out) MUST_CHECK;
void hold_free(struct hold *hold); /* accepts NULL */

enum hold_step {
	HOLD_SEND, /* the call, after what is in the frame */
	HOLD_KEEP, /* nothing: it is CKR_OK */
};

/*
 * Before a call. What has to go first, of the same session, is appended to
 * `frame` as a call; *before says whether that was so.
 *
 * A CALL_WIDE goes after what hold_take gives: that comes first.
 *
 * ERR_...  of wire_call_write: the call cannot be sent
 */
enum err
hold_before(struct hold *hold, enum call_id call, const union call_args *args,
    struct buf *frame, bool *before, enum hold_step *step) MUST_CHECK;

/*
 * What is held by any session, to be sent alone: appended to `frame`, and
 * forgotten; hold_gone is told how it went. False: nothing is.
 */
enum err hold_take(struct hold *hold, struct buf *frame,
    CK_SESSION_HANDLE *session, bool *taken) MUST_CHECK;

/* The answer to what was held and has gone. */
void hold_gone(struct hold *hold, CK_SESSION_HANDLE session, CK_RV rv);

/*
 * After a call: its answer, or what Init has answered before it where the call
 * misses an operation for that.
 */
CK_RV hold_after(struct hold *hold, enum call_id call,
    const union call_args *args, CK_RV rv);

#endif

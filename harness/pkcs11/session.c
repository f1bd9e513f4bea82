/* Sessions: what opens them, what state they are in, what ends them. */
#include "module.h"
#include "trial.h"

static void
open_ro(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_SESSION_INFO info;

	(void)t;
	holds(s != CK_INVALID_HANDLE, "the handle", "not CK_INVALID_HANDLE");
	MUST(C_GetSessionInfo, (s, &info));
	same_number("slotID", info.slotID, slot);
	same_number("state", info.state, CKS_RO_PUBLIC_SESSION);
	same_number("flags", info.flags, CKF_SERIAL_SESSION);
}

static void
open_rw(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(true);
	CK_SESSION_INFO info;

	(void)t;
	MUST(C_GetSessionInfo, (s, &info));
	same_number("slotID", info.slotID, slot);
	same_number("state", info.state, CKS_RW_PUBLIC_SESSION);
	same_number("flags", info.flags, CKF_SERIAL_SESSION | CKF_RW_SESSION);
}

static void
open_parallel(const struct trial *t)
{
	CK_SESSION_HANDLE s;

	(void)t;
	WANT(C_OpenSession, (slot, 0, NULL, NULL, &s),
	    CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	WANT(C_OpenSession, (slot, CKF_RW_SESSION, NULL, NULL, &s),
	    CKR_SESSION_PARALLEL_NOT_SUPPORTED);
}

static void
open_nowhere(const struct trial *t)
{
	(void)t;
	WANT(C_OpenSession, (slot, CKF_SERIAL_SESSION, NULL, NULL, NULL),
	    CKR_ARGUMENTS_BAD);
}

static void
handles_differ(const struct trial *t)
{
	enum { MANY = 32 };
	CK_SESSION_HANDLE s[MANY];

	(void)t;
	for (int i = 0; i < MANY; i++) {
		CK_RV rv = WANT(C_OpenSession,
		    (slot, CKF_SERIAL_SESSION, NULL, NULL, &s[i]), CKR_OK,
		    CKR_SESSION_COUNT);

		if (rv == CKR_SESSION_COUNT)
			return;
		for (int j = 0; j < i; j++)
			holds(s[i] != s[j], "the handle of a new session",
			    "another than that of any open one");
	}
}

static void
close_twice(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);

	(void)t;
	MUST(C_CloseSession, (s));
	WANT(C_CloseSession, (s), CKR_SESSION_HANDLE_INVALID);
}

static void
close_one_of_two(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_open(false), two = session_open(false);

	(void)t;
	MUST(C_CloseSession, (one));
	session_is(two, CKS_RO_PUBLIC_SESSION);
}

static void
close_all(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_open(false), two = session_public();
	CK_SESSION_INFO info;

	(void)t;
	MUST(C_CloseAllSessions, (slot));
	WANT(C_GetSessionInfo, (one, &info), CKR_SESSION_HANDLE_INVALID);
	WANT(C_GetSessionInfo, (two, &info), CKR_SESSION_HANDLE_INVALID);
	MUST(C_CloseAllSessions, (slot));
}

static void
info_nowhere(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);

	(void)t;
	WANT(C_GetSessionInfo, (s, NULL), CKR_ARGUMENTS_BAD);
}

static void
handle_zero(const struct trial *t)
{
	CK_SESSION_INFO info;

	(void)t;
	session_open(false);
	WANT(C_GetSessionInfo, (CK_INVALID_HANDLE, &info),
	    CKR_SESSION_HANDLE_INVALID);
	WANT(C_CloseSession, (CK_INVALID_HANDLE), CKR_SESSION_HANDLE_INVALID);
}

static void
operation_state(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE state[16384];
	CK_ULONG n = sizeof state;
	CK_RV rv = WANT(C_GetOperationState, (s, state, &n),
	    CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);

	(void)t;
	if (rv == CKR_FUNCTION_NOT_SUPPORTED)
		not_claimed("it answers CKR_FUNCTION_NOT_SUPPORTED");
}

static void
operation_state_garbage(const struct trial *t)
{
	CK_SESSION_HANDLE s = session_open(false);
	CK_BYTE state[32] = "this was never anybody's state";
	CK_RV rv = WANT(C_SetOperationState, (s, state, sizeof state, 0, 0),
	    CKR_SAVED_STATE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);

	(void)t;
	if (rv == CKR_FUNCTION_NOT_SUPPORTED)
		not_claimed("it answers CKR_FUNCTION_NOT_SUPPORTED");
}

/* A session object goes with the session that made it, for all others too. */
static void
objects_go_with_it(const struct trial *t)
{
	CK_SESSION_HANDLE one = session_open(false), two = session_open(false);
	struct attrs want = {0};
	CK_OBJECT_HANDLE o, first;
	CK_ULONG size;

	(void)t;
	attr_number(&want, CKA_CLASS, CKO_DATA);
	attr_bool(&want, CKA_TOKEN, false);
	attr_bool(&want, CKA_PRIVATE, false);
	attr_text(&want, CKA_LABEL, LABEL);
	attr_text(&want, CKA_APPLICATION, "objects_go_with_it");
	MUST(C_CreateObject, (one, want.at, want.count, &o));
	same_number("objects that the other session finds",
	    find(two, &want, &first), 1);
	MUST(C_CloseSession, (one));
	same_number("objects found after the session is gone",
	    find(two, &want, &first), 0);
	WANT(C_GetObjectSize, (two, o, &size), CKR_OBJECT_HANDLE_INVALID);
}

/* What a R/O session may not do, a R/W one may. */
static void
ro_makes_no_token_object(const struct trial *t)
{
	CK_SESSION_HANDLE ro = session_open(false), rw = session_user();
	struct attrs want = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	attr_number(&want, CKA_CLASS, CKO_DATA);
	attr_bool(&want, CKA_TOKEN, true);
	attr_bool(&want, CKA_PRIVATE, false);
	attr_text(&want, CKA_LABEL, LABEL);
	WANT(C_CreateObject, (ro, want.at, want.count, &o),
	    CKR_SESSION_READ_ONLY);
	MUST(C_CreateObject, (rw, want.at, want.count, &o));
	WANT(C_DestroyObject, (ro, o), CKR_SESSION_READ_ONLY);
	WANT(C_SetAttributeValue, (ro, o, want.at + 3, 1),
	    CKR_SESSION_READ_ONLY);
	MUST(C_DestroyObject, (rw, o));
}

static void
ro_generates_no_token_key(const struct trial *t)
{
	CK_SESSION_HANDLE ro = session_open(false);
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	struct attrs want = {0};
	CK_OBJECT_HANDLE o;

	(void)t;
	session_user();
	attr_bool(&want, CKA_TOKEN, true);
	attr_number(&want, CKA_VALUE_LEN, 16);
	attr_text(&want, CKA_LABEL, LABEL);
	WANT(C_GenerateKey, (ro, &m, want.at, want.count, &o),
	    CKR_SESSION_READ_ONLY);
	attr_bool(&want, CKA_TOKEN, false);
	MUST(C_GenerateKey, (ro, &m, want.at, want.count, &o));
}

static const struct trial trials[] = {
    {"session/open-ro", "A new R/O session is public and says so", BASE "5.6",
	.run = open_ro},
    {"session/open-rw", "A new R/W session is public and says so", BASE "5.6",
	.run = open_rw},
    {"session/open-parallel", "A session without CKF_SERIAL_SESSION is refused",
	BASE "5.6", .run = open_parallel},
    {"session/open-nowhere", "C_OpenSession refuses NULL for its handle",
	BASE "5.6", .run = open_nowhere},
    {"session/handles-differ", "Open sessions have handles of their own",
	BASE "5.6", .run = handles_differ},
    {"session/close-twice", "A closed session cannot be closed again",
	BASE "5.6", .run = close_twice},
    {"session/close-one-of-two", "Closing one session leaves the other open",
	BASE "5.6", .run = close_one_of_two},
    {"session/close-all", "C_CloseAllSessions closes all, and none is no error",
	BASE "5.6", .run = close_all},
    {"session/info-nowhere", "C_GetSessionInfo refuses NULL", BASE "5.6",
	.run = info_nowhere},
    {"session/handle-zero", "CK_INVALID_HANDLE is no session", BASE "5.6",
	.run = handle_zero},
    {"session/operation-state",
	"C_GetOperationState without an operation has nothing to give",
	BASE "5.6", .run = operation_state},
    {"session/operation-state-garbage",
	"C_SetOperationState refuses what was never a state", BASE "5.6",
	.run = operation_state_garbage},
    {"session/objects-go-with-it",
	"A session object is seen by all sessions and goes with its own",
	BASE "5.6", .run = objects_go_with_it},
    {"session/ro-makes-no-token-object",
	"A R/O session makes, changes and destroys no object of the token",
	BASE "5.7", NEED_PIN, .run = ro_makes_no_token_object},
    {"session/ro-generates-no-token-key",
	"A R/O session generates session keys, and no keys of the token",
	BASE "5.14", NEED_PIN, {CLAIM(CKM_AES_KEY_GEN, CKF_GENERATE)},
	.run = ro_generates_no_token_key},
};

void
session_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
